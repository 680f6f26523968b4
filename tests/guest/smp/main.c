/* SPDX-License-Identifier: MIT */
/*
 * More than one vCPU: starting them at an address of ours, that they run at
 * the same time, their APIC numbers, events from one to another, taking one
 * down and up again, each one's debug registers, and what is refused.
 */
#include "test.h"
#include <xen/event_channel.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

const char guest_name[] = "smp";

#define ALL 4

static volatile unsigned int counter[MAX_CPUS], apic_id[MAX_CPUS], go_down;
static evtchn_port_t ports[MAX_CPUS];

static void spin_here(unsigned int id)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	apic_id[id] = r[1] >> 24;
	while (go_down != id) {
		__asm__ volatile("mov %0, %%db0" ::"r"(0ul));
		counter[id]++;
		cpu_relax();
	}
	go_down = 0;
	vcpu_op(VCPUOP_down, id, NULL);
	for (;;) { /* up again: goes on where it stopped */
		counter[id]++;
		cpu_relax();
	}
}

static bool moves(unsigned int id)
{
	unsigned int before = counter[id];
	uint64_t until = system_time() + 3000000000ull;

	while (counter[id] == before && system_time() < until)
		sched_op(SCHEDOP_yield, NULL);
	return counter[id] != before;
}

static unsigned int start_all(void)
{
	unsigned int n = 1;

	while (n < ALL && vcpu_op(VCPUOP_is_up, n, NULL) >= 0) {
		check_rc(vcpu_op(VCPUOP_is_up, n, NULL), 0, "vCPU %u is down",
			 n);
		check_rc(smp_boot(n, spin_here), 0, "start vCPU %u", n);
		check(moves(n), "vCPU %u runs", n);
		check_rc(vcpu_op(VCPUOP_is_up, n, NULL), 1, "vCPU %u is up", n);
		check(apic_id[n] == 2 * n || apic_id[n] == n,
		      "its APIC number (%u)", apic_id[n]);
		n++;
	}
	return n;
}

static void refused(void)
{
	static struct vcpu_hvm_context ctx = {.mode = VCPU_HVM_MODE_32B};

	check_rc(vcpu_op(VCPUOP_initialise, 1, &ctx), -XEN_EEXIST,
		 "a started vCPU is not initialised again");
	check_rc(vcpu_op(VCPUOP_initialise, 77, &ctx), -XEN_ENOENT,
		 "nor one that is not there");
	check_rc(vcpu_op(VCPUOP_up, 1, NULL), 0, "up, when it is up");
}

static void events(unsigned int n)
{
	for (unsigned int i = 1; i < n; i++) {
		struct evtchn_bind_ipi b = {.vcpu = i};
		struct evtchn_send s;

		check_rc(event_channel_op(EVTCHNOP_bind_ipi, &b), 0,
			 "a port on vCPU %u", i);
		ports[i] = s.port = b.port;
		event_mask(b.port, false);
		check_rc(event_channel_op(EVTCHNOP_send, &s), 0, "send to it");
		check(vcpu_info(i)->evtchn_upcall_pending, "vCPU %u is told",
		      i);
		check(event_take(b.port), "its port is pending");
	}
}

static volatile unsigned int watched, watch_hits;

static void watch_hit(struct trap_frame *f)
{
	(void)f;
	watch_hits++;
	__asm__ volatile("mov %0, %%db6" ::"r"(0xffff0ff0ul));
}

/* The others write to their DR0 all the time, on the CPUs that we run on. */
static void breakpoints(unsigned int n)
{
	unsigned int before = 0, here = 0;

	trap_handler(1, watch_hit);
	__asm__ volatile("mov %0, %%db0" ::"r"(&watched));
	__asm__ volatile("mov %0, %%db7" ::"r"(0x000d0402ul | 1));
	watched = 1;
	check(watch_hits == 1, "a write that DR0 watches is seen");
	for (unsigned int i = 0; i < 3 * n; i++) {
		if (moves(1 + i % (n - 1)))
			before++;
		watch_hits = 0;
		watched = i;
		here += watch_hits == 1;
	}
	__asm__ volatile("mov %0, %%db7" ::"r"(0x400ul));
	check(before == 3 * n, "the others run in between (%u)", before);
	check(here == 3 * n, "it still is (%u of %u)", here, 3 * n);
}

static void down_and_up(void)
{
	uint64_t until = system_time() + 3000000000ull;

	go_down = 1;
	while (vcpu_op(VCPUOP_is_up, 1, NULL) == 1 && system_time() < until)
		sched_op(SCHEDOP_yield, NULL);
	check_rc(vcpu_op(VCPUOP_is_up, 1, NULL), 0, "vCPU 1 went down");
	check_rc(vcpu_op(VCPUOP_up, 1, NULL), 0, "it comes up");
	check(moves(1), "and goes on");
}

void guest_main(void)
{
	unsigned int n;

	if (!check_rc(event_init(), 0, "shared page and upcall vector"))
		return;
	n = start_all();
	if (!check(n >= 2, "there are %u vCPUs", n))
		return;
	for (unsigned int i = 1; i < n; i++)
		check(moves(i), "vCPU %u still runs", i);
	refused();
	events(n);
	breakpoints(n);
	down_and_up();
}
