/* SPDX-License-Identifier: MIT */
/* Runs a hotplug script as the stock toolstack does. */
#ifndef OSTLER_XL_HOTPLUG_H
#define OSTLER_XL_HOTPLUG_H

#include "device.h"

/*
 * Runs SCRIPT ACTION with the device's environment. For an interface, vif is
 * its name. Returns whether the script ended well, after saying so if not.
 */
bool hotplug_run(const struct device *d, const char *script, const char *action,
		 const char *vif);

#endif
