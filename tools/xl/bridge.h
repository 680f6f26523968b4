/* SPDX-License-Identifier: MIT */
/* dom0's network interfaces, by ioctl: no shell, no ip(8). */
#ifndef OSTLER_XL_BRIDGE_H
#define OSTLER_XL_BRIDGE_H

#include <stdbool.h>

/* Is there an interface of this name, and is it a bridge? */
bool iface_exists(const char *name);
bool iface_is_bridge(const char *name);
int iface_mtu(const char *name); /* -1: unknown */
/*
 * Makes iface a port of bridge, up, with that MTU, and with the address that
 * keeps it from becoming the bridge's own. False with errno set.
 */
bool iface_join(const char *iface, const char *bridge, int mtu);
bool iface_rename(const char *from, const char *to);

#endif
