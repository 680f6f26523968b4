/* SPDX-License-Identifier: MIT */
/*
 * I/O requests (public/hvm/ioreq.h): what no device of ours answers goes to a
 * device model, a program in another domain, through a page that both see. A
 * domain has up to eight servers, each with the ports, memory and PCI functions
 * that it asked for (dm_op).
 */
#ifndef OSTLER_HVM_DM_H
#define OSTLER_HVM_DM_H

#include "hvm/hvm.h"

#include <xen/hvm/dm_op.h>

#define IOREQ_SERVERS 8
#define IOREQ_RANGES  256 /* of each type, per server */

struct ioreq_range {
	uint64_t start, end; /* inclusive */
};

struct ioreq_ranges {
	unsigned int nr;
	struct ioreq_range *r; /* sorted, apart from each other */
};

struct ioreq_server {
	ioservid_t id;
	domid_t emulator;
	bool enabled;
	uint8_t buffered; /* HVM_IOREQSRV_BUFIOREQ_* */
	struct ioreq_ranges ranges[3];
	struct ioreq *slots;          /* one a vCPU: the shared page */
	struct buffered_iopage *ring; /* NULL: none */
	uint32_t ring_port;
	uint32_t *ports; /* by vCPU */
	spinlock_t ring_lock;
	/* Its first pages that are in the guest's memory, for a program that
	 * maps them from there. */
	unsigned int placed;
	gfn_t at; /* … from here on */
};

enum dm_answer {
	DM_DONE,   /* *val is there, or is on its way */
	DM_WAIT,   /* the instruction is executed again when it is */
	DM_NOBODY, /* no server wants it */
};

/* type is IOREQ_TYPE_PIO or IOREQ_TYPE_COPY; size 1, 2, 4, 8. */
enum dm_answer hvm_dm_access(struct vcpu *v, uint8_t type, uint64_t addr,
			     unsigned int size, bool write, uint64_t *val);
/*
 * The same for *count elements of a repeated string instruction whose other
 * operand is guest memory from gpa on, downwards if down. DM_DONE: *count of
 * them were done.
 */
enum dm_answer hvm_dm_string(struct vcpu *v, uint8_t type, uint64_t addr,
			     unsigned int size, bool write, uint32_t *count,
			     gpa_t gpa, bool down);

/* The instruction x was executed so far as it could be: if it waits for an
 * answer, it is x that comes again. */
void hvm_io_ended(struct vcpu *v, const struct vmexit *x);
static inline void hvm_io_end(struct vcpu *v, const struct vmexit *x)
{
	const struct hvm_io *io = &hvm_vcpu(v)->io;

	/* Mostly no device model was asked, and there is nothing to end. */
	if (unlikely(io->again || io->nr))
		hvm_io_ended(v, x);
}
/* An iteration of a repeated instruction is done for good. */
void hvm_io_step(struct vcpu *v);
/* The domain gave memory away: device models that still map it must hear. */
void ioreq_memory_left(struct domain *d);
/* … from this vCPU, which waits until they have: one of them is told, and the
 * next when it has answered. */
void hvm_io_invalidate(struct vcpu *v);
/* The request that is out has its answer (or never will: the guest ends). */
bool hvm_io_answered(const struct vcpu *v);
/* Takes it. False: there is none yet. *again: hvm_io.exit wants to be done. */
bool hvm_io_finish(struct vcpu *v, bool *again);

/* ioreq_server.c; d is another domain than the caller's. -errno. */
int ioreq_server_create(struct domain *d, domid_t emulator, uint8_t buffered,
			ioservid_t *id);
int ioreq_server_destroy(struct domain *d, ioservid_t id);
int ioreq_server_enable(struct domain *d, ioservid_t id, bool on);
int ioreq_server_info(struct domain *d,
		      struct xen_dm_op_get_ioreq_server_info *info);
int ioreq_server_range(struct domain *d,
		       const struct xen_dm_op_ioreq_server_range *r, bool add);
/* The kind table's: frames that tools may map (XENMEM_acquire_resource). */
int ioreq_resource(struct domain *d, uint32_t id, uint64_t frame, mfn_t *mfn);
int ioreq_resource_size(struct domain *d, uint32_t id, uint32_t *n);
void ioreq_destroy_all(struct domain *d);
/* The server for an access, or NULL; hd->lock held. A configuration access by
 * ports becomes *type IOREQ_TYPE_PCI_CONFIG and its *addr. */
struct ioreq_server *ioreq_select(struct domain *d, uint8_t *type,
				  uint64_t *addr, unsigned int size);
/* A server's channel got an event, or was closed at the other end. */
void ioreq_event(struct vcpu *v, unsigned int port);

/* dm.c */
long dm_op(struct vcpu *v, const uint64_t args[6]);

#endif
