/* SPDX-License-Identifier: MIT */
/*
 * SCHEDOP_poll: a vCPU waits for one of some event channels, masked or not, or
 * until a deadline (public/sched.h).
 */
#include "control/control.h"
#include "domain/guest_access.h"
#include "event/event.h"

#include "lib/errno.h"

#define POLL_PORTS_MAX 128

/* 1: one has an event already, 0: none, -errno. */
static int any_pending(struct vcpu *v, const struct sched_poll *op)
{
	uint64_t ports = guest_handle_va(op->ports);

	for (unsigned int i = 0; i < op->nr_ports; i++) {
		evtchn_port_t port;

		if (copy_elem_from_guest(&port, ports, i))
			return -EFAULT;
		if (!event_port_valid(v->domain, port))
			return -EINVAL;
		if (event_is_pending(v->domain, port))
			return 1;
	}
	return 0;
}

long sched_poll(struct vcpu *v, struct sched_poll *op)
{
	evtchn_port_t only = 0;
	int rc;

	if (op->nr_ports > POLL_PORTS_MAX)
		return -EINVAL;
	if (op->nr_ports == 1 &&
	    copy_elem_from_guest(&only, guest_handle_va(op->ports), 0))
		return -EFAULT;
	if (op->timeout && (s_time_t)op->timeout <= now())
		return 0;
	event_poll_begin(v, only);
	rc = any_pending(v, op);
	/* An event that cannot be delivered now does not end a poll: Linux
	 * polls with interrupts off. */
	if (rc || v->domain->kind->vcpu_has_work(v)) {
		event_poll_end(v);
		return rc < 0 ? rc : 0;
	}
	vcpu_poll(v, (s_time_t)op->timeout);
	return 0;
}
