/* SPDX-License-Identifier: MIT */
/*
 * sched_op and the timers of one vCPU: yield, block until a timer's event,
 * poll with a port and with a deadline, one-shot timers and what is refused,
 * the runstate area and its arithmetic, halting with HLT; how late it wakes,
 * and that a long hypercall lets an event through.
 */
#include "test.h"
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

const char guest_name[] = "sched";

#define MS 1000000ull

static evtchn_port_t timer;

static long shot(uint64_t when, uint32_t flags)
{
	struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = when,
					      .flags = flags};

	return vcpu_op(VCPUOP_set_singleshot_timer, 0, &t);
}

static long poll(evtchn_port_t port, uint64_t until)
{
	static evtchn_port_t list[1];
	struct sched_poll p = {.nr_ports = port ? 1 : 0, .timeout = until};

	list[0] = port;
	set_xen_guest_handle(p.ports, list);
	return sched_op(SCHEDOP_poll, &p);
}

/* Between a millisecond less than wanted and far too late. */
static bool about(uint64_t took, uint64_t wanted)
{
	return took + MS >= wanted && took < wanted + 500 * MS;
}

static void timers(void)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER};
	uint64_t t;
	long rc;

	if (!check_rc(event_channel_op(EVTCHNOP_bind_virq, &v), 0,
		      "the timer's port"))
		return;
	timer = v.port;
	event_mask(timer, false);
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	event_take(timer);
	t = system_time();
	check_rc(shot(t + 20 * MS, 0), 0, "a timer in 20 ms");
	irq_enable();
	while (!event_take(timer))
		sched_op(SCHEDOP_block, NULL);
	irq_disable();
	t = system_time() - t;
	check(about(t, 20 * MS), "block ends with it (%lu us)", t / 1000);
	t = system_time();
	check_rc(set_timer_op(t + 10 * MS), 0, "set_timer_op");
	irq_enable();
	while (!event_take(timer))
		cpu_halt();
	irq_disable();
	t = system_time() - t;
	check(about(t, 10 * MS), "HLT ends with it (%lu us)", t / 1000);
	check_rc(shot(system_time() + 10000 * MS, 0), 0, "a timer in 10 s");
	check_rc(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0, "stopped");
	rc = shot(1, VCPU_SSHOTTMR_future);
	check(rc == 0 || rc == -XEN_ETIME,
	      "a timer that must be in the future (%ld)", rc);
	event_take(timer);
	check_rc(shot(1, 0), 0, "a timer in the past");
	sched_op(SCHEDOP_yield, NULL);
	check(event_take(timer), "fires at once");
	check_rc(vcpu_op(VCPUOP_set_singleshot_timer, 77, &t), -XEN_ENOENT,
		 "another vCPU's timer");
}

static void polling(void)
{
	struct evtchn_bind_ipi i = {.vcpu = 0};
	struct evtchn_send s;
	uint64_t t;

	event_channel_op(EVTCHNOP_bind_ipi, &i);
	s.port = i.port;
	event_mask(i.port, true);
	t = system_time();
	check_rc(poll(i.port, t + 15 * MS), 0, "poll for 15 ms");
	t = system_time() - t;
	check(about(t, 15 * MS), "it takes that long (%lu us)", t / 1000);
	event_channel_op(EVTCHNOP_send, &s);
	t = system_time();
	check_rc(poll(i.port, t + 5000 * MS), 0, "poll a pending port");
	check(system_time() - t < 1000 * MS, "it returns at once");
	event_take(i.port);
	check_rc(poll(1000000, system_time() + MS), -XEN_EINVAL,
		 "poll port 1000000");
	t = system_time();
	check_rc(poll(0, t + 5 * MS), 0, "poll nothing for 5 ms");
	check(about(system_time() - t, 5 * MS), "it takes that long");
	check_rc(poll(i.port, 1), 0, "poll with a deadline in the past");
}

static void runstate(void)
{
	static struct vcpu_runstate_info area, copy;
	struct vcpu_register_runstate_memory_area r = {.addr.h.p = &area};
	uint64_t sum = 0, now;

	check_rc(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &r), 0,
		 "register a runstate area");
	check(area.state == RUNSTATE_running, "it says running");
	poll(0, system_time() + 10 * MS);
	check(area.time[RUNSTATE_blocked] >= 5 * MS, "blocked time counts");
	check_rc(vcpu_op(VCPUOP_get_runstate_info, 0, &copy), 0,
		 "get_runstate_info");
	now = system_time();
	for (unsigned int i = 0; i < 4; i++)
		sum += copy.time[i];
	note("sum %lu us, entry %lu us", sum / 1000,
	     copy.state_entry_time / 1000);
	check(copy.state_entry_time <= now, "entered in the past");
	check(sum <= now + MS, "the four times are no more than the clock");
	check_rc(vcpu_op(VCPUOP_get_runstate_info, 77, &copy), -XEN_ENOENT,
		 "runstate of vCPU 77");
}

static void latency(void)
{
	uint64_t late[50], best = ~0ull, worst = 0, sum = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(late); i++) {
		uint64_t t = system_time() + MS / 2;

		poll(0, t);
		late[i] = system_time() - t;
		best = late[i] < best ? late[i] : best;
		worst = late[i] > worst ? late[i] : worst;
		sum += late[i];
	}
	note("wakes %lu us late, at best %lu, at worst %lu",
	     sum / ARRAY_SIZE(late) / 1000, best / 1000, worst / 1000);
	check(best < 100 * MS, "it wakes after its deadline, soon");
}

#define CALLS 30000
static struct multicall_entry list[CALLS];

static void spoil_last(struct trap_frame *f)
{
	struct vcpu_info *v = vcpu_info(0);

	(void)f;
	v->evtchn_upcall_pending = 0;
	v->evtchn_pending_sel = 0;
	list[CALLS - 1].op = 0x3f; /* there is none */
}

/* A timer's event comes in the middle of a long list of calls, or the last of
 * them would not see what the event's handler did. */
static void preemption(void)
{
	for (unsigned int i = 0; i < CALLS; i++)
		list[i] = (struct multicall_entry){
			.op = __HYPERVISOR_xen_version,
			.args = {XENVER_version},
		};
	trap_handler(UPCALL_VECTOR, spoil_last);
	event_take(timer);
	event_mask(timer, false);
	irq_enable();
	check_rc(shot(system_time() + MS / 5, 0), 0, "a timer in 200 us");
	check_rc(multicall(list, CALLS), 0, "a multicall of %u", CALLS);
	irq_disable();
	check_rc((long)list[CALLS / 2].result, 4l << 16 | 17,
		 "the call in the middle is done");
	check_rc((long)list[CALLS - 1].result, -XEN_ENOSYS,
		 "the event came before the last");
}

void guest_main(void)
{
	if (!check_rc(event_init(), 0, "shared page and upcall vector"))
		return;
	check_rc(sched_op(SCHEDOP_yield, NULL), 0, "yield");
	timers();
	polling();
	runstate();
	latency();
	preemption();
}
