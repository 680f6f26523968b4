/* SPDX-License-Identifier: MIT */
/* memory_op's parts (public/memory.h). */
#ifndef OSTLER_CONTROL_MEMORY_H
#define OSTLER_CONTROL_MEMORY_H

#include "domain/domain.h"
#include <xen/memory.h>

/* The command is in the low bits, progress above. */
#define MEMORY_PROGRESS_SHIFT 6

/* A handler gets the command's argument address and, where the command is
 * preemptible, how far it got before (upper bits of the first argument). */
typedef long memory_fn(struct vcpu *v, uint64_t arg, uint64_t start);

/* reserve.c */
memory_fn mem_increase_reservation, mem_decrease_reservation,
	mem_populate_physmap;

/* exchange.c */
memory_fn mem_exchange;

/* physmap.c */
memory_fn mem_add_to_physmap, mem_add_to_physmap_batch, mem_remove_from_physmap,
	mem_acquire_resource;

/* memory_map.c */
memory_fn mem_memory_map, mem_machine_memory_map, mem_set_memory_map,
	mem_reserved_device_memory_map;
/* memory.c */
/* Records progress: the restarted call begins with start. */
long memory_continue(struct vcpu *v, unsigned int cmd, uint64_t start);
/* The domain that a command names, referenced, if v may act on it. */
long memory_target(struct vcpu *v, domid_t id, struct domain **out);

/* Takes whatever is at gfn out of a translated domain: RAM is given back,
 * foreign pages are let go. -EBUSY: a grant mapping. p2m lock not held. */
int physmap_vacate(struct domain *d, gfn_t gfn);
/* Moves a page of d's own to another place, which is vacated. */
int physmap_move(struct domain *d, gfn_t from, gfn_t to);
/* Between RAM and read-only RAM, or what is not RAM to MMIO_DM and back to
 * nothing (P2M_RAM_RW); the caller flushes. */
int physmap_set_type(struct domain *d, gfn_t gfn, enum p2m_type type);

#endif
