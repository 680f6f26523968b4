/* SPDX-License-Identifier: MIT */
/*
 * Two-level event channels, all operations: making and binding ports, their
 * states as EVTCHNOP_status tells them, sending, masking, the upcall, closing,
 * what is refused, and running out of ports. A domain bound to itself shows
 * both ends.
 */
#include "test.h"
#include <xen/event_channel.h>

const char guest_name[] = "events";

static long alloc(evtchn_port_t *port)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF,
					 .remote_dom = DOMID_SELF};
	long rc = event_channel_op(EVTCHNOP_alloc_unbound, &a);

	*port = a.port;
	return rc;
}

static long bind(evtchn_port_t remote, evtchn_port_t *local)
{
	struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF,
					    .remote_port = remote};
	long rc = event_channel_op(EVTCHNOP_bind_interdomain, &b);

	*local = b.local_port;
	return rc;
}

static long close_port(evtchn_port_t port)
{
	struct evtchn_close c = {.port = port};

	return event_channel_op(EVTCHNOP_close, &c);
}

static long send(evtchn_port_t port)
{
	struct evtchn_send s = {.port = port};

	return event_channel_op(EVTCHNOP_send, &s);
}

static int state(evtchn_port_t port)
{
	struct evtchn_status s = {.dom = DOMID_SELF, .port = port};
	long rc = event_channel_op(EVTCHNOP_status, &s);

	return rc ? (int)rc : (int)s.status;
}

static void life(void)
{
	evtchn_port_t a, b, c;

	check_rc(alloc(&a), 0, "alloc_unbound");
	check_rc(state(a), EVTCHNSTAT_unbound, "it is unbound");
	check_rc(send(a), 0, "sending on an unbound port is lost");
	check_rc(bind(a, &b), 0, "bind_interdomain");
	check(a != b, "both ends have their own port");
	check_rc(state(a), EVTCHNSTAT_interdomain, "one end is bound");
	check_rc(state(b), EVTCHNSTAT_interdomain, "so is the other");
	check(event_pending(b), "what binds is told so by an event");
	event_take(b);
	check_rc(bind(a, &c), -XEN_EINVAL, "a bound port is not bound again");
	event_mask(b, true);
	check_rc(send(a), 0, "send");
	check(event_take(b), "the other end is pending");
	check(!event_take(a), "this end is not");
	check_rc(close_port(b), 0, "close");
	check_rc(state(b), EVTCHNSTAT_closed, "it is closed");
	check_rc(state(a), EVTCHNSTAT_unbound, "the peer is unbound again");
	check_rc(close_port(b), -XEN_EINVAL, "a closed port is not closed");
	check_rc(send(b), -XEN_EINVAL, "nor sent on");
	check_rc(close_port(a), 0, "close the first");
}

static void upcall(void)
{
	evtchn_port_t a, b;
	struct evtchn_unmask u;
	unsigned long before;

	alloc(&a);
	bind(a, &b);
	event_mask(b, false);
	irq_enable(); /* what binding has left comes now */
	event_take(b);
	before = upcalls;
	check_rc(send(a), 0, "send with interrupts on");
	check(upcalls == before + 1, "one upcall (%lu)", upcalls - before);
	check(event_take(b), "its port is pending");
	event_mask(b, true);
	before = upcalls;
	check_rc(send(a), 0, "send to a masked port");
	check(upcalls == before, "no upcall");
	u.port = b;
	check_rc(event_channel_op(EVTCHNOP_unmask, &u), 0, "unmask");
	check(upcalls == before + 1, "the upcall comes now");
	check(event_take(b), "its port is pending");
	irq_disable();
	before = upcalls;
	send(a);
	check(upcalls == before, "none with interrupts off");
	irq_enable();
	check(upcalls == before + 1, "it comes when they go on");
	irq_disable();
	event_take(b);
	check_rc(send(a), 0, "send again");
	event_take(b);
	vcpu_info(0)->evtchn_upcall_pending = 0;
	close_port(a);
	close_port(b);
}

static void virqs_and_ipis(void)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};
	struct evtchn_bind_virq again = v;
	struct evtchn_bind_ipi i = {.vcpu = 0};
	struct evtchn_bind_vcpu to = {.vcpu = 0};

	check_rc(event_channel_op(EVTCHNOP_bind_virq, &v), 0, "bind_virq");
	check_rc(state(v.port), EVTCHNSTAT_virq, "it is a virtual IRQ");
	check_rc(event_channel_op(EVTCHNOP_bind_virq, &again), -XEN_EEXIST,
		 "a virtual IRQ is bound once");
	again.virq = 77;
	check_rc(event_channel_op(EVTCHNOP_bind_virq, &again), -XEN_EINVAL,
		 "virtual IRQ 77");
	again.virq = VIRQ_DEBUG;
	again.vcpu = 4000;
	check_rc(event_channel_op(EVTCHNOP_bind_virq, &again), -XEN_ENOENT,
		 "a virtual IRQ on vCPU 4000");
	check_rc(event_channel_op(EVTCHNOP_bind_ipi, &i), 0, "bind_ipi");
	check_rc(state(i.port), EVTCHNSTAT_ipi, "it is an IPI");
	event_mask(i.port, true);
	check_rc(send(i.port), 0, "send it");
	check(event_take(i.port), "it is pending");
	to.port = i.port;
	check_rc(event_channel_op(EVTCHNOP_bind_vcpu, &to), -XEN_EINVAL,
		 "an IPI stays on its vCPU");
	to.port = v.port;
	check_rc(event_channel_op(EVTCHNOP_bind_vcpu, &to), -XEN_EINVAL,
		 "so does a per-vCPU virtual IRQ");
	i.vcpu = 4000;
	check_rc(event_channel_op(EVTCHNOP_bind_ipi, &i), -XEN_ENOENT,
		 "an IPI for vCPU 4000");
	check_rc(close_port(v.port), 0, "close the virtual IRQ");
	check_rc(close_port(i.port), 0, "close the IPI");
}

static void refused(void)
{
	struct evtchn_unmask u = {.port = 5000};
	evtchn_port_t p;

	check_rc(close_port(0), -XEN_EINVAL, "port 0 is nobody's");
	check_rc(close_port(5000), -XEN_EINVAL, "close port 5000");
	check_rc(close_port(0xffffffff), -XEN_EINVAL, "close port 2^32 - 1");
	check_rc(send(5000), -XEN_EINVAL, "send on port 5000");
	check_rc(state(5000), -XEN_EINVAL, "status of port 5000");
	check_rc(bind(5000, &p), -XEN_EINVAL, "bind to port 5000");
	check_rc(event_channel_op(EVTCHNOP_unmask, &u), -XEN_EINVAL,
		 "unmask port 5000");
}

/* Every port there is, then all of them back. The limit is the domain's. */
static void exhaustion(void)
{
	static evtchn_port_t ports[4096];
	unsigned int n = 0, closed = 0;
	evtchn_port_t p;
	long rc = 0;

	while (n < ARRAY_SIZE(ports) && (rc = alloc(&ports[n])) == 0)
		n++;
	note("%u ports, the last is %u", n, n ? ports[n - 1] : 0);
	check(n >= 900 && n < 4096, "the ports run out");
	check_rc(rc, -XEN_ENOSPC, "with ENOSPC");
	for (unsigned int i = 0; i < n; i++)
		closed += close_port(ports[i]) == 0;
	check(closed == n, "all of them are closed");
	check_rc(alloc(&p), 0, "there are ports again");
}

void guest_main(void)
{
	if (!check_rc(event_init(), 0, "shared page and upcall vector"))
		return;
	life();
	upcall();
	virqs_and_ipis();
	refused();
	exhaustion();
}
