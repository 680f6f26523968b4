/* SPDX-License-Identifier: MIT */
/*
 * The benchmark guest: what one operation costs, for each that a guest's time
 * goes into. Under the emulator's instruction counting a tick of the clock is
 * an instruction, so the figures are exact; without it they are wall time.
 *
 * An operation is run in batches; the least batch counts, since everything
 * that disturbs one only adds. The empty loop's cost is taken off. Words:
 * n= operations a batch (100), batches= (7), only= the one operation of that
 * index, peer= the domain that runs guests/pvh/peer and grants us a page.
 * Last comes how late a sleeper wakes. tests/bench/ reads the lines
 *	bench NAME ticks=T ns=N
 * with tenths of ticks and of nanoseconds per operation.
 */
#include "test.h"
#include "peer.h"
#if GUEST_IS_PV
#include "pv.h"
#endif
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

#define GRANT_REF      10
#define UNCLAIMED_PORT 0x3f0e
#define LAPIC_VERSION  0xfee00030ul
#define FAR_AWAY       (1ull << 62)
#define SLEEP_NS       200000u

const char guest_name[] = "bench";

static uint8_t page[4096] PAGE_ALIGNED;
static uint8_t other_page[4096] PAGE_ALIGNED;
static uint8_t map_page[4096] PAGE_ALIGNED;
static uint8_t balloon_page[4096] PAGE_ALIGNED;
static void *map_at = map_page;
static struct multicall_entry calls[10];
static evtchn_port_t port_in, port_out; /* the two ends of one channel */
static domid_t self, grantor;
static grant_ref_t grant_ref = PEER_FIRST_REF;

static long op_nothing(void)
{
	return 0;
}

static long op_xen_version(void)
{
	return xen_version(XENVER_version, NULL) < 0;
}

static long op_multicall(void)
{
	return multicall(calls, ARRAY_SIZE(calls));
}

static long op_cpuid(void)
{
	uint32_t r[4];

	cpuid(0, 0, r);
	return 0;
}

static long op_rdmsr(void)
{
	return rdmsr(0xc0000080) == 0;
}

static long op_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return 0;
}

static long op_in(void)
{
	inb(UNCLAIMED_PORT);
	return 0;
}

static long op_lapic(void)
{
	return *(volatile uint32_t *)LAPIC_VERSION == 0;
}

static long op_yield(void)
{
	return sched_op(SCHEDOP_yield, NULL);
}

static long op_timer(void)
{
	static struct vcpu_set_singleshot_timer t = {
		.timeout_abs_ns = FAR_AWAY,
	};

	return vcpu_op(VCPUOP_set_singleshot_timer, 0, &t);
}

static long op_timer_stop(void)
{
	return vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
}

static long op_send(void)
{
	static struct evtchn_send s;

	s.port = port_out;
	return event_channel_op(EVTCHNOP_send, &s);
}

/* Clears what op_send has left, so that each upcall is a new one. */
static long op_send_upcall(void)
{
	long rc = op_send();

	return rc ? rc : !event_take(port_in);
}

static long op_grant_map(void)
{
	static struct gnttab_map_grant_ref map;
	static struct gnttab_unmap_grant_ref unmap;
	long rc;

	map = (struct gnttab_map_grant_ref){
		.host_addr = (unsigned long)map_at,
		.flags = GNTMAP_host_map,
		.ref = grant_ref,
		.dom = grantor,
	};
	rc = grant_table_op(GNTTABOP_map_grant_ref, &map, 1);
	if (rc || map.status)
		return rc ? rc : map.status;
	unmap = (struct gnttab_unmap_grant_ref){
		.host_addr = (unsigned long)map_at,
		.handle = map.handle,
	};
	rc = grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1);
	return rc ? rc : unmap.status;
}

static long op_grant_copy(void)
{
	static struct gnttab_copy copy;
	long rc;

	copy = (struct gnttab_copy){
		.source = {.u.ref = grant_ref, .domid = grantor},
		.dest = {.u.gmfn = frame_of(other_page), .domid = DOMID_SELF},
		.len = 4096,
		.flags = GNTCOPY_source_gref,
	};
	rc = grant_table_op(GNTTABOP_copy, &copy, 1);
	return rc ? rc : copy.status;
}

static long op_balloon(void)
{
	static xen_pfn_t frame;
	static struct xen_memory_reservation r;

	frame = frame_of(balloon_page);
	r = (struct xen_memory_reservation){.nr_extents = 1,
					    .domid = DOMID_SELF};
	set_xen_guest_handle(r.extent_start, &frame);
	if (memory_op(XENMEM_decrease_reservation, &r) != 1)
		return 1;
	return memory_op(XENMEM_populate_physmap, &r) != 1;
}

#if GUEST_IS_PV
static long map_window(const void *p)
{
	return hc(__HYPERVISOR_update_va_mapping, window_slot(0),
		  frame_of(p) * 4096 | PTE_P | PTE_RW | PTE_A | PTE_D,
		  UVMF_INVLPG | UVMF_LOCAL);
}

/* The same page again, as when its rights are changed. */
static long op_update_va(void)
{
	return map_window(page);
}

/* One page and another in turn. */
static long op_update_va_other(void)
{
	static bool other;

	other = !other;
	return map_window(other ? other_page : page);
}
#endif

static const struct operation {
	const char *name;
	long (*run)(void);
} operations[] = {
	{"xen_version", op_xen_version},
	{"multicall_10", op_multicall},
	{"cpuid", op_cpuid},
	{"rdmsr_efer", op_rdmsr},
	{"rdtsc", op_rdtsc},
	{"in_unclaimed", op_in},
	{"lapic_read", op_lapic},
	{"yield", op_yield},
	{"timer_set", op_timer},
	{"timer_stop", op_timer_stop},
	{"event_send_masked", op_send},
	{"event_send_upcall", op_send_upcall},
	{"grant_map_unmap", op_grant_map},
	{"grant_copy_4k", op_grant_copy},
	{"balloon_page", op_balloon},
#if GUEST_IS_PV
	{"update_va_mapping", op_update_va},
	{"update_va_other", op_update_va_other},
#endif
};

/* only= for the wakes: after the last operation. */
#define WAKES ARRAY_SIZE(operations)

struct cost {
	uint64_t ticks, ns;
	unsigned long failures;
};

static struct cost batch(long (*run)(void), unsigned long n)
{
	uint64_t ns = system_time(), ticks = rdtsc();
	unsigned long failures = 0;

	for (unsigned long i = 0; i < n; i++)
		failures += run() != 0;
	ticks = rdtsc() - ticks;
	return (struct cost){ticks, system_time() - ns, failures};
}

static struct cost least(long (*run)(void), unsigned long n,
			 unsigned long batches)
{
	struct cost best = batch(run, n);

	while (batches-- > 1) {
		struct cost c = batch(run, n);

		if (c.ticks < best.ticks)
			best.ticks = c.ticks;
		if (c.ns < best.ns)
			best.ns = c.ns;
		best.failures += c.failures;
	}
	return best;
}

static void measure(const struct operation *op, struct cost floor,
		    unsigned long n, unsigned long batches)
{
	struct cost c = least(op->run, n, batches);

	if (!check(c.failures == 0, "%s: %lu failures", op->name, c.failures))
		return;
	c.ticks = c.ticks > floor.ticks ? c.ticks - floor.ticks : 0;
	c.ns = c.ns > floor.ns ? c.ns - floor.ns : 0;
	print("bench %s ticks=%lu ns=%lu\n", op->name, c.ticks * 10 / n,
	      c.ns * 10 / n);
}

static void prepare(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF,
					 .remote_dom = DOMID_SELF};
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};

	self = own_domid();
	grantor = (domid_t)option("peer", self);
	if (grantor != self)
		grant_ref += self - grantor - 1u;
	check_rc(event_init(), 0, "shared information and upcall vector");
	check_rc(event_channel_op(EVTCHNOP_alloc_unbound, &a), 0, "a port");
	b.remote_port = a.port;
	check_rc(event_channel_op(EVTCHNOP_bind_interdomain, &b), 0,
		 "a port bound to it");
	port_out = a.port;
	port_in = b.local_port;
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		calls[i] = (struct multicall_entry){
			.op = __HYPERVISOR_xen_version,
			.args = {XENVER_version, 0},
		};
#if GUEST_IS_PV
	map_at = window_map(0, frame_of(page), PTE_P);
#endif
	if (check(grant_table() != NULL, "a grant table") && grantor == self)
		grant_access(grant_ref, self, frame_of(page), false);
}

/* Where a page has one address only, mapping our own grant moves the page. */
static bool needs_peer(const struct operation *op)
{
	return op->run == op_grant_map && !GUEST_IS_PV;
}

/* A PV guest has no ports, no local APIC, and knows its frames. */
static bool is_container_only(const struct operation *op)
{
	return op->run == op_in || op->run == op_lapic || op->run == op_balloon;
}

/* Sleeps once; by how many ns it came late. */
static uint64_t sleep_once(evtchn_port_t timer)
{
	uint64_t until = system_time() + SLEEP_NS;

	set_timer_op(until);
	while (!event_take(timer))
		sched_op(SCHEDOP_block, NULL);
	return system_time() - until;
}

/* From a timer's moment until the guest that sleeps for it has had its upcall
 * and goes on: the least, as for operations, and the mean and the longest. */
static void measure_wakes(unsigned long n)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER};
	uint64_t least = UINT64_MAX, sum = 0, most = 0;

	if (!check_rc(event_channel_op(EVTCHNOP_bind_virq, &v), 0,
		      "the timer's port"))
		return;
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_mask(v.port, false);
	irq_enable();
	for (unsigned long i = 0; i < n; i++) {
		uint64_t late = sleep_once(v.port);

		least = late < least ? late : least;
		most = late > most ? late : most;
		sum += late;
	}
	irq_disable();
	print("bench wake ticks=%lu ns=%lu\n", least * 10, least * 10);
	print("# wake: mean %lu ns, longest %lu ns\n", sum / n, most);
}

void guest_main(void)
{
	unsigned long n = option("n", 100), batches = option("batches", 7);
	unsigned long only = option("only", WAKES + 1);
	struct cost floor = {0};

	prepare();
	if (only > WAKES)
		floor = least(op_nothing, n, batches);
	print("# measuring\n");
	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++) {
		const struct operation *op = &operations[i];
		bool upcall = op->run == op_send_upcall;

		if (only <= WAKES && i != only)
			continue;
		if (GUEST_IS_PV && is_container_only(op))
			continue;
		if (grantor == self && needs_peer(op)) {
			skip("needs a peer", "%s", op->name);
			continue;
		}
		event_mask(port_in, !upcall);
		if (upcall)
			irq_enable();
		measure(op, floor, n, batches);
		irq_disable();
	}
	if (only >= WAKES)
		measure_wakes(n);
}
