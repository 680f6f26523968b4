/* SPDX-License-Identifier: MIT */
/*
 * Event channels: every operation and error on the two-level layout; then, on
 * both layouts, two threads that race, and random operations after which
 * nothing may be left over. test_event_fifo.c has the FIFO layout.
 */
#include "event_world.h"

#include "threads.h"

static void unbound_ports(void)
{
	struct evtchn_status st;
	struct vcpu *first;

	start();
	CHECK_EQ(unbound(d1, DOMID_SELF, 2), 1);
	CHECK_EQ(unbound(d1, DOMID_SELF, DOMID_SELF), 2);
	CHECK_EQ(unbound(d0, 1, 0), 3);
	CHECK_EQ(unbound(d1, 2, 1), -EPERM);
	CHECK_EQ(unbound(d1, 77, 1), -ESRCH);
	/* Nobody is there yet who could be told. */
	first = d1->vcpu[0];
	d1->vcpu[0] = NULL;
	CHECK_EQ(unbound(d0, 1, 0), -EINVAL);
	d1->vcpu[0] = first;
	CHECK_EQ(send(d1, 1), 0); /* lost, silently */
	CHECK(!pending(d1, 1));
	CHECK_EQ(status(d1, DOMID_SELF, 2, &st), 0);
	CHECK_EQ(st.status, EVTCHNSTAT_unbound);
	CHECK_EQ(st.u.unbound.dom, 1);
	CHECK_EQ(close_port(d1, 1), 0);
	CHECK_EQ(close_port(d1, 1), -EINVAL);
	CHECK_EQ(close_port(d1, 0), -EINVAL);
	CHECK_EQ(close_port(d1, 999999), -EINVAL);
	CHECK_EQ(unbound(d1, DOMID_SELF, 2), 1); /* the lowest free again */
	end();
}

static void pairs(void)
{
	struct evtchn_status st;
	long a, b;

	start();
	a = unbound(d1, DOMID_SELF, 2);
	CHECK_EQ(interdomain(d0, 1, (uint32_t)a), -EINVAL); /* not for dom0 */
	CHECK_EQ(interdomain(d2, 1, 3), -EINVAL);
	CHECK_EQ(interdomain(d2, 1, 1 << 20), -EINVAL);
	CHECK_EQ(interdomain(d2, 9, 1), -ESRCH);
	b = interdomain(d2, 1, (uint32_t)a);
	CHECK_EQ(b, 1);
	/* What was sent before is made up for. */
	CHECK(selected(d2, 0, b));
	CHECK_EQ(notified(d2, 0), 1);
	CHECK_EQ(interdomain(d2, 1, (uint32_t)a), -EINVAL);
	take(d2);
	CHECK_EQ(send(d1, a), 0);
	CHECK_EQ(send(d1, a), 0);
	CHECK(pending(d2, b) && selected(d2, 0, b));
	CHECK_EQ(notified(d2, 0), 2); /* once for both */
	CHECK_EQ(send(d2, b), 0);
	CHECK(selected(d1, 0, a));
	CHECK_EQ(status(d0, 2, b, &st), 0);
	CHECK_EQ(st.status, EVTCHNSTAT_interdomain);
	CHECK_EQ(st.u.interdomain.dom, 1);
	CHECK_EQ(st.u.interdomain.port, a);
	CHECK_EQ(status(d1, 2, b, &st), -EPERM);
	CHECK_EQ(status(d1, 9, b, &st), -ESRCH);
	CHECK_EQ(status(d0, 2, 1 << 20, &st), -EINVAL);
	CHECK_EQ(status(d0, 2, 20, &st), 0);
	CHECK_EQ(st.status, EVTCHNSTAT_closed);
	/* One end goes, the other waits for the same domain. */
	CHECK_EQ(close_port(d1, a), 0);
	CHECK(!pending(d1, a));
	CHECK_EQ(status(d2, DOMID_SELF, b, &st), 0);
	CHECK_EQ(st.status, EVTCHNSTAT_unbound);
	CHECK_EQ(st.u.unbound.dom, 1);
	CHECK_EQ(interdomain(d1, 2, (uint32_t)b), a);
	CHECK_EQ(close_port(d2, b), 0);
	end();
}

static void with_oneself(void)
{
	long a, b;

	start();
	a = unbound(d1, DOMID_SELF, DOMID_SELF);
	b = interdomain(d1, 1, (uint32_t)a);
	CHECK_EQ(b, 2);
	take(d1);
	CHECK_EQ(send(d1, b), 0);
	CHECK(pending(d1, a) && !pending(d1, b));
	CHECK_EQ(close_port(d1, b), 0);
	CHECK_EQ(close_port(d1, a), 0);
	end();
}

static void masks_and_vcpus(void)
{
	long a, b, i;

	start();
	a = unbound(d1, DOMID_SELF, 2);
	b = interdomain(d2, 1, (uint32_t)a);
	take(d2);
	CHECK_EQ(to_vcpu(d2, b, 2), 0);
	CHECK_EQ(to_vcpu(d2, b, 3), -ENOENT);
	CHECK_EQ(to_vcpu(d2, 70, 1), -EINVAL);
	CHECK_EQ(to_vcpu(d2, 30, 1), -EINVAL);
	CHECK_EQ(to_vcpu(d2, 0, 1), -EINVAL);
	i = ipi(d2, 1);
	CHECK_EQ(to_vcpu(d2, i, 2), -EINVAL);
	CHECK_EQ(ipi(d2, 3), -ENOENT);
	set_bit((unsigned int)b, d2->shared_info->evtchn_mask);
	CHECK_EQ(send(d1, a), 0);
	CHECK(pending(d2, b) && !selected(d2, 2, b));
	CHECK(event_is_pending(d2, (unsigned int)b));
	CHECK_EQ(unmask(d2, b), 0);
	CHECK(selected(d2, 2, b));
	CHECK_EQ(notified(d2, 2), 1);
	CHECK_EQ(unmask(d2, b), 0);
	CHECK_EQ(unmask(d2, 50), 0); /* free: nothing to do */
	CHECK_EQ(unmask(d2, 1 << 20), -EINVAL);
	CHECK_EQ(send(d2, i), 0);
	CHECK(selected(d2, 1, i));
	CHECK_EQ(send(d2, 50), -EINVAL);
	CHECK_EQ(send(d2, 1 << 20), -EINVAL);
	CHECK_EQ(send(d2, 0), -EINVAL);
	CHECK_EQ(priority(d2, b, 3), -ENOSYS);
	/* A port that is used again starts afresh, on vCPU 0. */
	CHECK_EQ(close_port(d2, b), 0);
	CHECK(!pending(d2, b));
	CHECK_EQ(interdomain(d2, 1, (uint32_t)a), b);
	CHECK(selected(d2, 0, b));
	end();
}

static void virqs(void)
{
	struct evtchn_status st;
	long t, c;

	start();
	CHECK_EQ(virq(d1, NR_VIRQS, 0), -EINVAL);
	CHECK_EQ(virq(d1, VIRQ_CONSOLE, 1), -EINVAL);
	CHECK_EQ(virq(d1, VIRQ_TIMER, 3), -ENOENT);
	t = virq(d1, VIRQ_TIMER, 1);
	CHECK_EQ(t, 1);
	CHECK_EQ(virq(d1, VIRQ_TIMER, 1), -EEXIST);
	CHECK_EQ(virq(d1, VIRQ_TIMER, 0), 2);
	CHECK_EQ(to_vcpu(d1, t, 0), -EINVAL);
	send_guest_virq(d1->vcpu[1], VIRQ_TIMER);
	CHECK(selected(d1, 1, t));
	CHECK(!pending(d1, 2));
	send_guest_virq(d1->vcpu[2], VIRQ_TIMER); /* not bound */
	CHECK_EQ(send(d1, t), -EINVAL);
	CHECK_EQ(status(d1, DOMID_SELF, t, &st), 0);
	CHECK_EQ(st.status, EVTCHNSTAT_virq);
	CHECK_EQ(st.u.virq, VIRQ_TIMER);
	CHECK_EQ(st.vcpu, 1);
	CHECK_EQ(close_port(d1, t), 0);
	send_guest_virq(d1->vcpu[1], VIRQ_TIMER);
	CHECK(!pending(d1, t));
	CHECK_EQ(virq(d1, VIRQ_TIMER, 1), t);

	/* Global ones go to dom0, on the vCPU it chose ... */
	c = virq(d0, VIRQ_DOM_EXC, 0);
	CHECK_EQ(to_vcpu(d0, c, 2), 0);
	send_global_virq(VIRQ_DOM_EXC);
	CHECK(selected(d0, 2, c));
	/* ... or to whom a tool names, until that one dies. */
	CHECK_EQ(event_set_virq_handler(d2, VIRQ_TIMER), -EINVAL);
	CHECK_EQ(event_set_virq_handler(d2, NR_VIRQS), -EINVAL);
	CHECK_EQ(event_set_virq_handler(d2, VIRQ_DOM_EXC), 0);
	CHECK_EQ(event_set_virq_handler(d2, VIRQ_DOM_EXC), 0);
	take(d0);
	send_global_virq(VIRQ_DOM_EXC);
	CHECK(!pending(d0, c));
	CHECK_EQ(virq(d2, VIRQ_DOM_EXC, 0), 1);
	send_global_virq(VIRQ_DOM_EXC);
	CHECK(selected(d2, 0, 1));
	d2->dying = DOMDYING_DYING;
	CHECK_EQ(event_part.relinquish(d2), 0);
	send_global_virq(VIRQ_DOM_EXC);
	CHECK(selected(d0, 2, c));
	CHECK_EQ(event_set_virq_handler(d2, VIRQ_DOM_EXC), -EINVAL);
	end();
}

static unsigned int pirqs_bound, pirqs_unbound;
static int bind_any_pirq(struct domain *d, unsigned int nr, bool share)
{
	(void)d;
	(void)share;
	if (nr == 9)
		return -EBUSY;
	pirqs_bound++;
	return 0;
}
static void unbind_any_pirq(struct domain *d, unsigned int nr)
{
	(void)d;
	(void)nr;
	pirqs_unbound++;
}

static void pirqs(void)
{
	struct evtchn_status st;
	long p;

	start();
	CHECK_EQ(pirq(d0, 4), -EINVAL);
	fake_kind.pirq_bind = bind_any_pirq;
	fake_kind.pirq_unbind = unbind_any_pirq;
	CHECK_EQ(pirq(d0, 1024), -EINVAL);
	CHECK_EQ(pirq(d0, 9), -EBUSY);
	event_send_pirq(d0, 9);
	event_send_pirq(d0, 4096);
	p = pirq(d0, 4);
	CHECK_EQ(p, 1);
	CHECK_EQ(pirq(d0, 4), -EEXIST);
	event_send_pirq(d0, 4);
	CHECK(selected(d0, 0, p));
	CHECK_EQ(status(d0, DOMID_SELF, p, &st), 0);
	CHECK_EQ(st.status, EVTCHNSTAT_pirq);
	CHECK_EQ(st.u.pirq, 4);
	CHECK_EQ(send(d0, p), -EINVAL);
	CHECK_EQ(close_port(d0, p), 0);
	event_send_pirq(d0, 4);
	CHECK(!pending(d0, p));
	CHECK_EQ(pirq(d0, 4), p);
	end();
	CHECK_EQ(pirqs_bound, 2);
	CHECK_EQ(pirqs_unbound, 2);
	fake_kind.pirq_bind = NULL;
	fake_kind.pirq_unbind = NULL;
}

static unsigned int xen_heard, xen_port;
static void xen_listens(struct vcpu *v, unsigned int port)
{
	xen_heard += 1 + v->id;
	xen_port = port;
}

static void ports_of_xen(void)
{
	struct evtchn_status st;
	int x;
	long g;

	start();
	xen_heard = 0;
	x = event_alloc_xen_port(d1->vcpu[1], 0, xen_listens);
	CHECK_EQ(x, 1);
	event_notify_xen_port(d1, (unsigned int)x); /* nobody there yet */
	g = interdomain(d0, 1, (uint32_t)x);
	CHECK_EQ(g, 1);
	take(d0);
	CHECK_EQ(send(d0, g), 0);
	CHECK_EQ(xen_heard, 2);
	CHECK_EQ(xen_port, x);
	event_notify_xen_port(d1, (unsigned int)x);
	CHECK(selected(d0, 0, g));
	/* The guest may not touch it. */
	CHECK_EQ(send(d1, x), -EINVAL);
	CHECK_EQ(close_port(d1, x), -EINVAL);
	CHECK_EQ(to_vcpu(d1, x, 0), -EINVAL);
	CHECK_EQ(status(d1, DOMID_SELF, x, &st), -EACCES);
	CHECK(!event_is_pending(d1, (unsigned int)x));
	CHECK_EQ(reset(d1, DOMID_SELF), 0);
	CHECK_EQ(send(d0, g), 0);
	CHECK_EQ(xen_heard, 4);
	event_free_xen_port(d1, (unsigned int)x);
	event_free_xen_port(d1, (unsigned int)x);
	event_notify_xen_port(d1, 1 << 20);
	CHECK_EQ(send(d0, g), 0);
	CHECK_EQ(xen_heard, 4);
	end();
}

static void polling(void)
{
	long a, b;

	start();
	a = unbound(d1, DOMID_SELF, 2);
	b = interdomain(d2, 1, (uint32_t)a);
	take(d2);
	set_bit((unsigned int)b, d2->shared_info->evtchn_mask);
	event_poll_begin(d2->vcpu[1], (uint32_t)b);
	event_poll_begin(d2->vcpu[2], (uint32_t)b + 1);
	CHECK_EQ(send(d1, a), 0);
	CHECK_EQ(woken(d2, 0), 0);
	CHECK_EQ(woken(d2, 1), 1);
	CHECK_EQ(woken(d2, 2), 0);
	CHECK(!d2->vcpu[1]->polling);
	CHECK(d2->vcpu[2]->polling);
	event_poll_begin(d2->vcpu[1], 0);
	take(d2);
	CHECK_EQ(send(d1, a), 0);
	CHECK_EQ(woken(d2, 1), 2);
	event_poll_end(d2->vcpu[2]);
	CHECK(event_port_valid(d2, 63));
	CHECK(!event_port_valid(d2, 64));
	CHECK(!event_is_pending(d2, 64));
	end();
}

static void resets(void)
{
	long n = 0;

	start();
	CHECK_EQ(reset(d1, 9), -ESRCH);
	CHECK_EQ(reset(d1, 2), -EPERM);
	CHECK_EQ(reset(d0, 1), -EINVAL); /* not paused */
	for (int i = 0; i < 300; i++)
		CHECK_EQ(ipi(d1, 0), i + 1);
	this_cpu(softirq_pending) = 1;
	CHECK_EQ(reset(d1, DOMID_SELF), -ERESTART);
	CHECK_EQ(evtchn_reset(d1->vcpu[1], &(struct evtchn_reset){DOMID_SELF}),
		 -EBUSY);
	while ((n = reset(d1, DOMID_SELF)) == -ERESTART)
		;
	CHECK_EQ(n, 0);
	this_cpu(softirq_pending) = 0;
	CHECK_EQ(ipi(d1, 0), 1);
	d1->control_pauses = 1;
	CHECK_EQ(reset(d0, 1), 0);
	CHECK_EQ(ipi(d1, 0), 1);
	end();
}

static void limits(void)
{
	struct xen_domctl_createdomain cfg = {.max_evtchn_port = 70};
	struct domain *d3;
	long n = 0;

	start();
	while (ipi(d1, 0) > 0)
		n++;
	CHECK_EQ(n, 4095);
	CHECK_EQ(ipi(d1, 0), -ENOSPC);
	CHECK_EQ(unbound(d1, DOMID_SELF, 0), -ENOSPC);
	CHECK_EQ(virq(d1, VIRQ_TIMER, 0), -ENOSPC);
	CHECK_EQ(close_port(d1, 4000), 0);
	CHECK_EQ(ipi(d1, 0), 4000);
	event_part.destroy(d2);
	REQUIRE(event_part.init(d2, &cfg) == 0);
	for (n = 0; ipi(d2, 0) > 0; n++)
		;
	CHECK_EQ(n, 70);
	d1->dying = DOMDYING_DYING;
	CHECK_EQ(close_port(d1, 4000), 0);
	CHECK_EQ(ipi(d1, 0), -EINVAL);
	this_cpu(softirq_pending) = 1;
	CHECK_EQ(event_part.relinquish(d1), -ERESTART);
	this_cpu(softirq_pending) = 0;
	CHECK_EQ(event_part.relinquish(d1), 0);
	/* No memory: nothing changes. */
	d3 = fake_domain(3, NULL);
	fake_alloc_budget = 0;
	for (n = 0; ipi(d0, 0) > 0; n++)
		;
	CHECK_EQ(n, 63);
	CHECK_EQ(ipi(d0, 0), -ENOMEM);
	CHECK_EQ(event_part.init(d3, &cfg), -ENOMEM);
	fake_alloc_budget = 1;
	CHECK_EQ(event_part.init(d3, &cfg), -ENOMEM);
	end();
}

static void moved_info(void)
{
	struct vcpu_info elsewhere = {0};
	long i;

	start();
	d1->vcpu[1]->info = NULL;
	i = ipi(d1, 1);
	CHECK_EQ(send(d1, i), 0);
	CHECK(pending(d1, i));
	CHECK_EQ(notified(d1, 1), 0);
	d1->vcpu[1]->info = &elsewhere;
	event_part.vcpu_moved(d1->vcpu[1]);
	CHECK(selected(d1, 1, i));
	CHECK_EQ(notified(d1, 1), 1);
	end();
}

static void words_of_32_bits(void)
{
	const uint8_t *info;
	long i = 0;

	start();
	event_set_width(d1, 32);
	for (int n = 0; n < 40; n++)
		i = ipi(d1, 0);
	CHECK_EQ(i, 40);
	CHECK_EQ(send(d1, i), 0);
	info = (const uint8_t *)d1->vcpu[0]->info;
	CHECK_EQ(info[0], 1);
	CHECK_EQ(info[4], 1 << 1); /* second word of 32 */
	CHECK(pending(d1, i));
	while (ipi(d1, 0) > 0)
		i++;
	CHECK_EQ(i, 1023);
	end();
}

static void suspend_is_told(void)
{
	long a, b;

	start();
	a = unbound(d1, DOMID_SELF, 0);
	b = interdomain(d0, 1, (uint32_t)a);
	take(d0);
	d1->suspend_notify(d1);
	CHECK(!pending(d0, b));
	d1->suspend_port = (uint32_t)a;
	d1->suspend_notify(d1);
	CHECK(selected(d0, 0, b));
	end();
}

/* Races: one thread sends and unmasks while the other binds and closes. */
static int race_stop;
static void *race_sender(void *arg)
{
	struct vcpu *v = arg;
	struct evtchn_send op;
	unsigned long n = 0;

	while (!atomic_read(&race_stop)) {
		op.port = 1 + n++ % 4;
		long err = evtchn_send(v, &op);

		if (err && err != -EINVAL)
			return (void *)1;
		evtchn_unmask(v, &(struct evtchn_unmask){op.port});
		event_send_virq(v, VIRQ_TIMER);
	}
	return NULL;
}

static void race(bool with_fifo)
{
	void *t[2];

	start();
	if (with_fifo) {
		fifo(d1);
		fifo(d2);
	}
	race_stop = 0;
	t[0] = thread_start(race_sender, d1->vcpu[0]);
	t[1] = thread_start(race_sender, d2->vcpu[0]);
	for (int i = 0; i < 400; i++) {
		long a = unbound(d1, DOMID_SELF, 2);
		long b = interdomain(d2, 1, (uint32_t)a);
		long v = virq(d1, VIRQ_TIMER, 0);

		if (b > 0)
			to_vcpu(d2, b, (uint32_t)i % 3);
		if (with_fifo && b > 0)
			priority(d2, b, (uint32_t)i % 16);
		CHECK_EQ(close_port(i & 1 ? d1 : d2, i & 1 ? a : b), 0);
		CHECK_EQ(close_port(i & 1 ? d2 : d1, i & 1 ? b : a), 0);
		CHECK_EQ(close_port(d1, v), 0);
		if (with_fifo)
			for (unsigned int c = 0; c < 48; c++) {
				consume(d1, c / 16, c % 16);
				consume(d2, c / 16, c % 16);
			}
	}
	atomic_set(&race_stop, 1);
	CHECK(!thread_join(t[0]));
	CHECK(!thread_join(t[1]));
	end();
}
static void race_level2(void)
{
	race(false);
}
static void race_fifo(void)
{
	race(true);
}

/* Random operations by random domains; then all of it must be gone. */
static void random_op(void)
{
	struct domain *all[] = {d0, d1, d2}, *d = all[random() % 3];
	domid_t dom = random() % 4 ? (domid_t)(random() % 4) : DOMID_SELF;
	long port = random() % 70;
	struct evtchn_status st;

	switch (random() % 14) {
	case 0:
		unbound(d, dom, (domid_t)(random() % 3));
		break;
	case 1:
	case 2:
		interdomain(d, dom, (uint32_t)port);
		break;
	case 3:
		virq(d, (uint32_t)random() % 26, (uint32_t)random() % 4);
		break;
	case 4:
		ipi(d, (uint32_t)random() % 4);
		break;
	case 5:
	case 6:
		close_port(d, port);
		break;
	case 7:
		to_vcpu(d, port, (uint32_t)random() % 4);
		break;
	case 8:
		unmask(d, port);
		break;
	case 9:
		if (random() % 50 == 0)
			reset(d, dom);
		break;
	case 10:
		if (random() % 20 == 0)
			set_control(d, (uint32_t)random() % 4,
				    60 + (uint64_t)random() % 6, 0);
		expand(d, 50 + (uint64_t)random() % 20);
		break;
	case 11:
		priority(d, port, (uint32_t)random() % 17);
		break;
	case 12:
		status(d, dom, port, &st);
		break;
	default:
		send(d, port);
	}
}

static void random_operations(void)
{
	for (unsigned int seed = 1; seed <= 8; seed++) {
		start();
		srandom(seed);
		for (int i = 0; i < 3000; i++)
			random_op();
		end();
	}
}

/* An interrupt between a vCPU's block and its way out: it is current still, and
 * looks for nothing any more. */
static void told_on_the_way_out(void)
{
	struct vcpu *v;

	start();
	v = d2->vcpu[1];
	take(d2);
	this_cpu(current) = v;
	v->unit.state = SCHED_RUNNING;
	vcpu_notify(v);
	CHECK_EQ(woken(d2, 1), 0);
	v->unit.state = SCHED_BLOCKED;
	vcpu_notify(v);
	CHECK_EQ(woken(d2, 1), 1);
	this_cpu(current) = d1->vcpu[0];
	v->unit.state = SCHED_RUNNING;
	vcpu_notify(v);
	CHECK_EQ(woken(d2, 1), 2);
	end();
}

static const struct test_case cases[] = {
	{"event: unbound ports", unbound_ports},
	{"event: interdomain pairs", pairs},
	{"event: a pair with oneself", with_oneself},
	{"event: masks, vCPUs, IPIs", masks_and_vcpus},
	{"event: virtual interrupts and who hears them", virqs},
	{"event: physical interrupts", pirqs},
	{"event: ports of the hypervisor", ports_of_xen},
	{"event: polling vCPUs", polling},
	{"event: a vCPU that has blocked and not left", told_on_the_way_out},
	{"event: reset, in steps", resets},
	{"event: limits, dying domains, no memory", limits},
	{"event: vcpu_info that moves", moved_info},
	{"event: 32-bit guests", words_of_32_bits},
	{"event: who waits for a suspend", suspend_is_told},
	{"event: sending while others bind and close", race_level2},
	{"event: the same with FIFO", race_fifo},
	{"event: random operations leave nothing", random_operations},
};

int main(void)
{
	return RUN_CASES(cases);
}
