/* SPDX-License-Identifier: MIT */
/* A disk as a device: which back end, what it holds, and its nodes. */
#ifndef OSTLER_XL_DISK_H
#define OSTLER_XL_DISK_H

#include "device.h"
#include "domconf.h"

/*
 * Settles d->backend from what the target is, and checks that the target is
 * there and no other guest's. Complains and returns false when it is not.
 */
bool disk_prepare(struct disk_spec *d, enum dom_type type);
/* Attaches it; false after a complaint, with nothing left behind. */
bool disk_attach(uint32_t domid, const struct disk_spec *d, enum dom_type type);
/*
 * The driver domain's half, where xl devd does what dom0's xl does for its
 * own: gives the kernel's back end a block device. False after a complaint.
 */
bool disk_serve(const struct device *dev);
/* Does it need a device model, though the guest has none of its own? */
bool disk_needs_qemu(const struct disk_spec *d);

#endif
