/* SPDX-License-Identifier: MIT */
/* A network interface as a device. */
#ifndef OSTLER_XL_VIF_H
#define OSTLER_XL_VIF_H

#include "device.h"
#include "domconf.h"

/* Is what it asks for there? Complains and returns false if not. */
bool vif_prepare(struct vif_spec *v, enum dom_type type);
/* Attaches it; false after a complaint, with nothing left behind. */
bool vif_attach(uint32_t domid, const struct vif_spec *v, enum dom_type type);
/*
 * The driver domain's half, where xl devd does what dom0's xl does for its
 * own: brings the back end's interface to its bridge, by the script if that is
 * installed there. False after a complaint.
 */
bool vif_serve(const struct device *dev);
/* The emulated half's tap device joins the bridge: dm.c calls this. */
bool vif_attach_tap(uint32_t domid, const struct vif_spec *v);
/* The lowest device number that is free. */
int vif_free_devid(uint32_t domid);

#endif
