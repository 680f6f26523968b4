/* SPDX-License-Identifier: MIT */
/*
 * xl devd: in a driver domain, what dom0's xl does for the devices of dom0.
 * dom0's xl writes a device's nodes; the kernel's back end here says that it
 * waits; then devd brings the interface to its bridge or gives the back end
 * its block device, and tidies up when the device is to go.
 */
#ifndef OSTLER_XL_DEVD_H
#define OSTLER_XL_DEVD_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"

/* Serves the back ends of domain self until the store is gone. */
int devd_run(uint32_t self);

/* devd_serve.c: what its children do. Both need a connection of their own. */
bool devd_attach(const struct device *d);
bool devd_detach(const struct device *d);

/* devd_qemu.c: QEMU as the back end of a guest's "qdisk" disks. */
bool devd_qemu_start(uint32_t guest);
void devd_qemu_stop(uint32_t guest);

#endif
