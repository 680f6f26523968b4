/* SPDX-License-Identifier: MIT */
/* Which pages of its video memory a guest wrote: for a device model's screen.
 */
#ifndef OSTLER_HVM_VRAM_H
#define OSTLER_HVM_VRAM_H

#include "hvm/hvm.h"

/*
 * XEN_DMOP_track_dirty_vram: the pages of nr from first on that were written
 * since the last call, as bits at bitmap; all of them at the first call for
 * these. nr 0 ends it. 0 or -errno.
 */
int vram_track(struct domain *d, gfn_t first, uint32_t nr, uint64_t bitmap);
/* The guest wrote to a page of type P2M_RAM_LOGDIRTY. */
void vram_written(struct domain *d, gfn_t gfn);
/* The same for the pages that a processor's log has of v's writes. */
void vram_drain(struct vcpu *v);
/* … and of all that any vCPU of d has written so far. */
void vram_sync(struct domain *d);
/* The device model did, to nr pages from first on. */
void vram_modified(struct domain *d, gfn_t first, uint64_t nr);
void vram_destroy(struct domain *d);

#endif
