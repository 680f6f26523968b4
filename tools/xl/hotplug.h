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
/*
 * Its opposite, when the device of dom0's is about to be forgotten: runs the
 * script once more if one attached it. What hotplug_run() put up and
 * hotplug_ran() noted, or another toolstack did.
 */
void hotplug_undo(const struct device *d);
/*
 * Runs the script with the action that takes the device away; dir has its
 * back end's nodes.
 */
void hotplug_take_down(const struct device *d, const char *script,
		       const char *dir);
/* Notes that this script attached it, though it may be the usual one. */
void hotplug_ran(const struct device *d, const char *script);

#define HOTPLUG_DIR        "/etc/xen/scripts"
#define HOTPLUG_VIF_SCRIPT HOTPLUG_DIR "/vif-bridge"
#define HOTPLUG_VBD_SCRIPT HOTPLUG_DIR "/block"
/* Is it what a device has whose configuration names none? */
bool hotplug_is_default(const char *script);
/*
 * In a driver domain: the script that the back end names, malloced; NULL for
 * the usual one where that is not installed, which xl does without.
 */
char *hotplug_script_here(const struct device *d);
/* A script's path from what script= says. */
void hotplug_path(const char *name, char *buf, size_t size);

#endif
