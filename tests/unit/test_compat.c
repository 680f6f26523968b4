/* SPDX-License-Identifier: MIT */
/* Calls of 32-bit guests: what is widened, and long ones that give way. */
#include "harness.h"

#include "console/printk.h"
#include "control/control.h"
#include "control/memory.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "domain/ops.h"
#include "grant/grant.h"
#include "hypercall/compat.h"
#include "lib/errno.h"

#include <xen/grant_table.h>
#include <xen/memory.h>

DEFINE_PER_CPU(struct vcpu *, current);
DEFINE_PER_CPU(uint64_t, softirq_pending);
DEFINE_PER_CPU(uint64_t, cpu_number);

static struct vcpu vcpu;
static uint64_t next_args[6];
static char guest[4096];

#define VA(p) ((uint64_t)((char *)(p)-guest))

static void *place(uint64_t va, size_t len)
{
	if (va - COMPAT_VA < vcpu.compat_size)
		return (char *)vcpu.compat_arg + (va - COMPAT_VA);
	return va < sizeof(guest) && len <= sizeof(guest) - va ? guest + va
							       : NULL;
}

int copy_from_guest(void *dst, uint64_t va, size_t len)
{
	void *from = place(va, len);

	if (from)
		memcpy(dst, from, len);
	return from ? 0 : -EFAULT;
}
int copy_to_guest(uint64_t va, const void *src, size_t len)
{
	void *to = place(va, len);

	if (to)
		memcpy(to, src, len);
	return to ? 0 : -EFAULT;
}
int copy_array_from_guest(void *dst, uint64_t va, uint64_t first, size_t n,
			  size_t size)
{
	return copy_from_guest(dst, va + first * size, n * size);
}
int copy_array_to_guest(uint64_t va, uint64_t first, const void *src, size_t n,
			size_t size)
{
	return copy_to_guest(va + first * size, src, n * size);
}
void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value)
{
	(void)v;
	next_args[i] = value;
}
long memory_continue(struct vcpu *v, unsigned int cmd, uint64_t start)
{
	hypercall_set_arg(v, 0, start << MEMORY_PROGRESS_SHIFT | cmd);
	return -ERESTART;
}
long memory_op(struct vcpu *v, const uint64_t args[6])
{
	(void)v;
	(void)args;
	/* One extent is done; something else is due. */
	this_cpu(softirq_pending) = 1;
	return 1;
}
long xen_version_op(struct vcpu *v, const uint64_t args[6])
{
	(void)v;
	(void)args;
	return 0;
}
long sched_poll(struct vcpu *v, struct sched_poll *op)
{
	(void)v;
	(void)op;
	return 0;
}
long set_timer_op(struct vcpu *v, const uint64_t args[6])
{
	(void)v;
	return (long)args[0];
}

static unsigned int copies;
long grant_table_op(struct vcpu *v, unsigned int cmd, uint64_t uop,
		    unsigned int count)
{
	struct gnttab_copy op;

	(void)v;
	CHECK_EQ(cmd, GNTTABOP_copy);
	CHECK_EQ(count, 1);
	if (copy_from_guest(&op, uop, sizeof(op)))
		return -EFAULT;
	CHECK_EQ(op.source.u.ref, 10 + copies);
	CHECK_EQ(op.dest.u.gmfn, 100 + copies);
	op.status = (int16_t)-copies;
	copies++;
	this_cpu(softirq_pending) = copies == 2;
	return copy_to_guest(uop, &op, sizeof(op));
}

static long pass(struct vcpu *v, uint64_t nr, const uint64_t args[6])
{
	(void)v;
	(void)nr;
	(void)args;
	return 0;
}

static long call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[6] = {a, b, c};

	memcpy(next_args, args, sizeof(args));
	return compat_call(&vcpu, nr, args, pass);
}

struct copy32 {
	uint32_t source;
	uint16_t source_domid, source_offset;
	uint32_t dest;
	uint16_t dest_domid, dest_offset, len, flags;
	int16_t status;
	uint16_t pad;
};

/* Many copies give way, as often as they are asked to, and go on. */
static void long_copy(void)
{
	struct copy32 *ops = (void *)guest;
	long rc;

	copies = 0;
	for (uint16_t i = 0; i < 5; i++)
		ops[i] = (struct copy32){
			.source = 10U + i,
			.dest = 100U + i,
			.flags = GNTCOPY_source_gref,
			.status = 1,
		};
	rc = call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, VA(ops), 5);
	CHECK_EQ(rc, -ERESTART);
	CHECK_EQ(copies, 2);
	CHECK_EQ(next_args[1], VA(&ops[2]));
	CHECK_EQ(next_args[2], 3);
	this_cpu(softirq_pending) = 0;
	rc = call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, next_args[1],
		  next_args[2]);
	CHECK_EQ(rc, 0);
	CHECK_EQ(copies, 5);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(ops[i].status, -i);
}

static void long_reservation(void)
{
	struct {
		uint32_t extent_start, nr_extents, extent_order, mem_flags;
		uint16_t domid, pad;
		uint32_t pfns[4];
	} *r = (void *)guest;
	long rc;

	this_cpu(softirq_pending) = 0;
	memset(r, 0, sizeof(*r));
	r->extent_start = (uint32_t)VA(r->pfns);
	r->nr_extents = 4;
	rc = call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, VA(r),
		  0);
	CHECK_EQ(rc, -ERESTART);
	CHECK_EQ(next_args[0],
		 1 << MEMORY_PROGRESS_SHIFT | XENMEM_decrease_reservation);
}

static void timer(void)
{
	CHECK_EQ(call(__HYPERVISOR_set_timer_op, 5, 6, 0), 6L << 32 | 5);
}

static const struct test_case cases[] = {
	{"copies of grants give way", long_copy},
	{"a reservation gives way", long_reservation},
	{"a time is two words", timer},
};

int main(void)
{
	return RUN_CASES(cases);
}
