/* SPDX-License-Identifier: MIT */
/*
 * Single-stepping another domain (XEN_DOMCTL_debug_op). As dom0 we make a
 * domain of four zeroed pages, which are instructions of two bytes from the
 * reset vector on (ADD %al,(%bx,%si)), and step its vCPU: each time that we let
 * it go it does one of them, stops, and we are told by VIRQ_DEBUGGER. Then it
 * runs freely, up to a breakpoint (INT3) that we write into its memory. Where
 * it cannot be done, that is what we are told. Meanwhile the log of written
 * pages (XEN_DOMCTL_shadow_op) has the page that its instructions change and no
 * other, and the page that we write to. At last it is given a loop that writes
 * to many pages: all are in the log; as dom0 we say how many of its writes
 * faulted for it, where the hypervisor counts them (tests/rig/bochs.py
 * compares).
 */
#include "test.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>

const char guest_name[] = "step";

#define STEPS 3

static struct xen_domctl op = {
	.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
};
static domid_t other;

static long domctl(unsigned int cmd, domid_t domain)
{
	op.cmd = cmd;
	op.domain = domain;
	return hc(__HYPERVISOR_domctl, &op);
}

static long debug(domid_t domain, unsigned int what, unsigned int vcpu)
{
	op.u.debug_op.op = what;
	op.u.debug_op.vcpu = vcpu;
	return domctl(XEN_DOMCTL_debug_op, domain);
}

static long set_debugging(domid_t domain, uint8_t on)
{
	op.u.setdebugging.enable = on;
	return domctl(XEN_DOMCTL_setdebugging, domain);
}

/* Where the reset vector is, and what it wraps to; what DS:0 is, and all that
 * 16 bits reach, in one piece. */
static xen_pfn_t frames[] = {0xfffff, 0xffff0}, piece = 0;

static long give_memory(void)
{
	struct xen_memory_reservation r = {
		.extent_start.p = frames,
		.nr_extents = ARRAY_SIZE(frames),
		.domid = other,
	};
	struct xen_memory_reservation large = {
		.extent_start.p = &piece,
		.nr_extents = 1,
		.extent_order = 9,
		.domid = other,
	};

	op.u.max_mem.max_memkb = 4096;
	if (domctl(XEN_DOMCTL_max_mem, other))
		return -1;
	memset(&op.u, 0, sizeof(op.u));
	op.u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION;
	op.u.shadow_op.mb = 4;
	if (domctl(XEN_DOMCTL_shadow_op, other))
		return -1;
	return memory_op(XENMEM_populate_physmap, &large) != 1 ||
	       memory_op(XENMEM_populate_physmap, &r) !=
		       (long)ARRAY_SIZE(frames);
}

/* Its state, given back, makes its vCPU one that runs. */
static long give_state(void)
{
	static uint8_t state[32768];

	op.u.hvmcontext.size = sizeof(state);
	op.u.hvmcontext.buffer.p = state;
	if (domctl(XEN_DOMCTL_gethvmcontext, other))
		return -1;
	op.u.hvmcontext.buffer.p = state;
	return domctl(XEN_DOMCTL_sethvmcontext, other);
}

static bool make_domain(void)
{
	struct xen_domctl_createdomain *c = &op.u.createdomain;

	*c = (struct xen_domctl_createdomain){
		.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
		.max_vcpus = 1,
		.max_evtchn_port = 1023,
		.max_grant_frames = 4,
		.max_maptrack_frames = 4,
		.grant_opts = XEN_DOMCTL_GRANT_version(1),
		.arch.emulation_flags = XEN_X86_EMU_LAPIC,
	};
	if (!check_rc(domctl(XEN_DOMCTL_createdomain, 0), 0, "a domain"))
		return false;
	other = op.domain;
	op.u.max_vcpus.max = 1;
	return check_rc(domctl(XEN_DOMCTL_max_vcpus, other), 0, "its vCPU") &&
	       check_rc(give_memory(), 0, "its memory") &&
	       check_rc(give_state(), 0, "its vCPU's state");
}

static uint64_t rip(void)
{
	static struct vcpu_guest_context ctx;

	op.u.vcpucontext.vcpu = 0;
	op.u.vcpucontext.ctxt.p = &ctx;
	return domctl(XEN_DOMCTL_getvcpucontext, other) ? 0 : ctx.user_regs.rip;
}

static bool is_paused(void)
{
	return !domctl(XEN_DOMCTL_getdomaininfo, other) &&
	       (op.u.getdomaininfo.flags & XEN_DOMINF_paused);
}

/* Lets it go until we are told that it has stopped. */
static bool one_step(evtchn_port_t port)
{
	uint64_t limit = system_time() + 2000000000ul;

	if (domctl(XEN_DOMCTL_unpausedomain, other))
		return false;
	while (system_time() < limit) {
		if (event_take(port))
			return is_paused();
		sched_op(SCHEDOP_yield, NULL); /* it may need our CPU */
	}
	return false;
}

static void steps(evtchn_port_t port)
{
	uint64_t from = rip();
	unsigned int done = 0, right = 0;

	check(from == 0xfff0, "it is at the reset vector (%lx)", from);
	check_rc(set_debugging(other, 1), 0, "we debug it");
	while (done < STEPS && one_step(port)) {
		done++;
		right += rip() == from + 2 * done;
	}
	check(done == STEPS, "it stops %u times", done);
	check(right == STEPS, "after one instruction each (%u)", right);
}

static void freely(void)
{
	uint64_t from = rip(), limit = system_time() + 2000000000ul;
	uint64_t now = from;

	check_rc(domctl(XEN_DOMCTL_unpausedomain, other), 0, "it goes on");
	while ((now == from || now == from + 2) && system_time() < limit)
		now = rip();
	check(now != from && now != from + 2, "and on (%lx)", now);
	check(!is_paused(), "without a stop");
}

static bool write_byte(uint64_t linear, uint8_t byte)
{
	op.u.gdbsx_guest_memio = (struct xen_domctl_gdbsx_memio){
		.gva = linear,
		.uva = (uint64_t)&byte,
		.len = 1,
		.gwr = 1,
	};
	return !domctl(XEN_DOMCTL_gdbsx_guestmemio, other) &&
	       !op.u.gdbsx_guest_memio.remain;
}

static uint8_t event_of(uint32_t vcpu)
{
	if (domctl(XEN_DOMCTL_gdbsx_domstatus, other) ||
	    op.u.gdbsx_domstatus.vcpu_id != vcpu)
		return 0;
	return (uint8_t)op.u.gdbsx_domstatus.vcpu_ev;
}

/* After the next instruction: NOP, INT3. The segment's base is the reset's. */
static void breakpoint(evtchn_port_t port)
{
	uint64_t at = rip() + 2;

	check(write_byte(0xffff0000 + at, 0x90) &&
		      write_byte(0xffff0000 + at + 1, 0xcc),
	      "a breakpoint in its memory");
	check_rc(debug(other, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF, 0), 0,
		 "still no steps");
	check(event_of(0) == 0, "no event waits");
	check(one_step(port), "it stops there");
	check(rip() == at + 2, "after it (%lx)", rip());
	check(event_of(0) == 3, "which the debugger is told");
	check(event_of(0) == 0, "once");
}

/* Of the whole domain: up to the reset vector's page. */
static uint8_t dirty[0x100000 / 8];

static long log_op(uint32_t what)
{
	memset(dirty, 0, sizeof(dirty));
	memset(&op.u, 0, sizeof(op.u));
	op.u.shadow_op.op = what;
	op.u.shadow_op.dirty_bitmap.p = dirty;
	op.u.shadow_op.pages = sizeof(dirty) * 8;
	return domctl(XEN_DOMCTL_shadow_op, other);
}

static bool is_dirty(xen_pfn_t gfn)
{
	return dirty[gfn / 8] & 1u << (gfn % 8);
}

/* How many pages are in the log; ~0: it is wrong about it. */
static unsigned int count(uint32_t what)
{
	unsigned int n = 0;

	if (log_op(what) || op.u.shadow_op.pages != sizeof(dirty) * 8)
		return ~0u;
	for (size_t i = 0; i < sizeof(dirty); i++)
		for (unsigned int byte = dirty[i]; byte; byte &= byte - 1)
			n++;
	return op.u.shadow_op.stats.dirty_count == n ? n : ~0u;
}

/* That page and no other, or none (~0), is in the log. */
static bool has_only(uint32_t what, xen_pfn_t gfn)
{
	unsigned int n = count(what);

	return gfn == ~0ul ? !n : n == 1 && is_dirty(gfn);
}

/* It is stepped by one instruction at a time, which adds to the byte at 0. */
static void writes(evtchn_port_t port)
{
	check(log_op(XEN_DOMCTL_SHADOW_OP_CLEAN) != 0, "no log yet");
	check_rc(log_op(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY), 0,
		 "its writes are logged");
	check_rc(log_op(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY), -XEN_EINVAL,
		 "not twice");
	check(has_only(XEN_DOMCTL_SHADOW_OP_CLEAN, ~0ul), "none so far");
	check(one_step(port), "it does one instruction");
	check(has_only(XEN_DOMCTL_SHADOW_OP_PEEK, 0), "which wrote one page");
	check(has_only(XEN_DOMCTL_SHADOW_OP_CLEAN, 0), "that stays logged");
	check(has_only(XEN_DOMCTL_SHADOW_OP_CLEAN, ~0ul), "until it is not");
	check(write_byte(0xffff0ffe, 0), "we write");
	check(has_only(XEN_DOMCTL_SHADOW_OP_CLEAN, 0xffff0), "and are logged");
	check(one_step(port), "it does another one");
	check(has_only(XEN_DOMCTL_SHADOW_OP_CLEAN, 0), "the same page again");
	check_rc(log_op(XEN_DOMCTL_SHADOW_OP_OFF), 0, "the log ends");
	check(log_op(XEN_DOMCTL_SHADOW_OP_PEEK) != 0, "there is none");
}

/*
 * mov $0x1000,%ax; 1: mov %ax,%ds; incb (%bx); add $0x100,%ax; cmp $0x5000,%ax;
 * jne 1b; int3: 64 pages from 0x10000 on, in 16 bits.
 */
static const uint8_t loop[] = {0xb8, 0x00, 0x10, 0x8e, 0xd8, 0xfe, 0x07, 0x05,
			       0x00, 0x01, 0x3d, 0x00, 0x50, 0x75, 0xf4, 0xcc};
#define LOOP_FIRST 0x10
#define LOOP_PAGES 64

/* Nested page faults so far; ~0: nobody counts. */
#define COUNTERS 512
static uint64_t page_faults(void)
{
	static struct xen_sysctl_perfc_desc names[COUNTERS];
	static xen_sysctl_perfc_val_t values[COUNTERS];
	static const char fault[] = "exit nested page fault";
	struct xen_sysctl ctl = {
		.cmd = XEN_SYSCTL_perfc_op,
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
		.u.perfc_op.cmd = XEN_SYSCTL_PERFCOP_query,
	};

	if (hc(__HYPERVISOR_sysctl, &ctl) ||
	    ctl.u.perfc_op.nr_counters > COUNTERS)
		return ~0ul;
	ctl.u.perfc_op.desc.p = names;
	ctl.u.perfc_op.val.p = values;
	if (hc(__HYPERVISOR_sysctl, &ctl))
		return ~0ul;
	for (unsigned int i = 0; i < ctl.u.perfc_op.nr_counters; i++)
		if (!memcmp(names[i].name, fault, sizeof(fault)))
			return values[i];
	return ~0ul;
}

#define LOOP_AT 0x100

static bool write_bytes(uint64_t at, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!write_byte(0xffff0000 + at + i, bytes[i]))
			return false;
	return true;
}

/* Where it stands it finds a jump to the loop, whose end stops it. */
static void writes_many(evtchn_port_t port)
{
	uint64_t at = rip(), from;
	uint16_t by = (uint16_t)(LOOP_AT - (at + 3));
	const uint8_t jump[] = {0xe9, (uint8_t)by, (uint8_t)(by >> 8)};
	unsigned int n, right = 0;

	check(write_bytes(at, jump, sizeof(jump)) &&
		      write_bytes(LOOP_AT, loop, sizeof(loop)),
	      "a loop in its memory");
	check_rc(debug(other, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF, 0), 0,
		 "no more steps");
	check_rc(log_op(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY), 0,
		 "its writes are logged again");
	check(has_only(XEN_DOMCTL_SHADOW_OP_PEEK, ~0ul), "none so far");
	from = page_faults();
	check(one_step(port), "it runs to the loop's end");
	from = page_faults() - from;
	n = count(XEN_DOMCTL_SHADOW_OP_CLEAN);
	for (unsigned int i = 0; i < LOOP_PAGES; i++)
		right += is_dirty(LOOP_FIRST + i);
	check(n == LOOP_PAGES && right == n, "%u pages were written, %u right",
	      n, right);
	if (page_faults() != ~0ul)
		note("log: %lu exits for %u pages written", from, LOOP_PAGES);
	check(has_only(XEN_DOMCTL_SHADOW_OP_PEEK, ~0ul), "and are clean now");
	check_rc(log_op(XEN_DOMCTL_SHADOW_OP_OFF), 0, "no more log");
	check(event_of(0) == 3, "the debugger was told");
}

static void refused(void)
{
	check_rc(debug(other, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON, 7),
		 -XEN_EINVAL, "no vCPU of that number");
	check_rc(debug(other, 99, 0), -XEN_ENOSYS, "no such operation");
	check_rc(set_debugging(0, 1), -XEN_EINVAL, "we do not debug us");
	check_rc(debug(0, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON, 0), -XEN_EINVAL,
		 "nor step us");
}

void guest_main(void)
{
	struct evtchn_bind_virq b = {.virq = VIRQ_DEBUGGER};
	long rc;

	if (!check_rc(event_init(), 0, "shared page and upcall vector") ||
	    !check_rc(event_channel_op(EVTCHNOP_bind_virq, &b), 0,
		      "VIRQ_DEBUGGER") ||
	    !make_domain())
		return;
	refused();
	rc = debug(other, XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON, 0);
	if (rc == -XEN_EOPNOTSUPP) {
		skip("the processor has no such trap", "single steps");
	} else if (check_rc(rc, 0, "single steps")) {
		steps(b.port);
		writes(b.port);
		writes_many(b.port);
		breakpoint(b.port);
		freely();
	}
	check_rc(domctl(XEN_DOMCTL_destroydomain, other), 0, "it goes");
}
