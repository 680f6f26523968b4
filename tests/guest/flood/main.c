/* SPDX-License-Identifier: MIT */
/*
 * A guest that does as much harm as it may: a hundred thousand events to
 * itself, timers set as fast as it can, the whole grant table filled, and
 * wasted hypercalls. It must come to its end, and the machine must go on; the
 * rig looks at the others meanwhile.
 */
#include "test.h"
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

const char guest_name[] = "flood";

static void events(unsigned long n)
{
	struct evtchn_bind_ipi i = {.vcpu = 0};
	struct evtchn_send s;
	unsigned long before, bad = 0;

	event_channel_op(EVTCHNOP_bind_ipi, &i);
	s.port = i.port;
	event_mask(i.port, false);
	irq_enable(); /* an upcall may be due from before */
	before = upcalls;
	for (unsigned long k = 0; k < n; k++) {
		bad += event_channel_op(EVTCHNOP_send, &s) != 0;
		event_take(i.port);
	}
	irq_disable();
	check(bad == 0, "%lu events are sent", n);
	/* xenconsoled may send some of its own. */
	check(upcalls - before >= n, "each with its upcall (%lu)",
	      upcalls - before);
}

static void timers(unsigned long n)
{
	struct vcpu_set_singleshot_timer t = {0};
	unsigned long bad = 0;

	for (unsigned long k = 0; k < n; k++) {
		t.timeout_abs_ns = system_time() + k % 7 * 1000;
		bad += vcpu_op(VCPUOP_set_singleshot_timer, 0, &t) != 0;
	}
	vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL);
	check(bad == 0, "%lu timers are set", n);
}

static void grants(void)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	unsigned int n = GRANT_FRAMES * 512;

	if (!check(grant_table() != NULL, "a grant table"))
		return;
	for (unsigned int ref = 8; ref < n; ref++)
		grant_access(ref, 0x7ef0, 256 + ref, ref & 1);
	check_rc(grant_table_op(GNTTABOP_query_size, &q, 1), 0,
		 "the table is full (%u entries)", n);
	for (unsigned int ref = 8; ref < n; ref++)
		if (!grant_end(ref)) {
			check(false, "grant %u ends", ref);
			return;
		}
	check(true, "all grants end");
}

static void nonsense(unsigned long n)
{
	unsigned long x = 88172645463325252ul;

	for (unsigned long k = 0; k < n; k++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		/* Numbers without an operation behind them. */
		hc(48 + x % 16 / 2, x, x >> 8, x >> 16);
	}
	check(true, "%lu calls without meaning are answered", n);
}

void guest_main(void)
{
	unsigned long n = option("n", 20000);

	if (!check_rc(event_init(), 0, "shared page and upcall vector"))
		return;
	events(n);
	timers(n / 4);
	grants();
	nonsense(n / 4);
}
