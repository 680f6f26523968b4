/* SPDX-License-Identifier: MIT */
/*
 * Event channels (docs/event-channels.md; public/event_channel.h): two-level
 * and FIFO. Binding and closing take the table's lock (LOCK_EVENT); sending
 * takes only the sender's port (LOCK_PORT), and a FIFO queue where that is in
 * use.
 */
#ifndef OSTLER_EVENT_EVENT_H
#define OSTLER_EVENT_EVENT_H

#include "domain/domain.h"
#include <xen/event_channel.h>

/* At boot, before any domain: sets domain/'s hooks. */
void event_setup(void);
extern const struct domain_part event_part;
/* The guest's words have that many bits (32, 64): the two-level layout of
 * shared info. At first 64. */
void event_set_width(struct domain *d, unsigned int bits);
/* XEN_DOMCTL_set_virq_handler. -EINVAL: no such global one. */
int event_set_virq_handler(struct domain *d, uint32_t virq);

/* The ways in for other parts. All callable with interrupts off. */
void event_send_virq(struct vcpu *v, unsigned int virq);
void event_send_global_virq(unsigned int virq);
void event_send_pirq(struct domain *d, unsigned int pirq);
/* A port of d on which Xen itself talks (I/O requests, console): bound for
 * remote, to v. Returns the port or -errno. */
int event_alloc_xen_port(struct vcpu *v, domid_t remote,
			 void (*notify)(struct vcpu *v, unsigned int port));
void event_free_xen_port(struct domain *d, unsigned int port);
void event_notify_xen_port(struct domain *d, unsigned int port);
/* Somebody is at the other end. When he closes it, notify is called, too. */
bool event_xen_port_bound(struct domain *d, unsigned int port);

/*
 * SCHEDOP_poll. From event_poll_begin() on (port: the only one, or 0 for any)
 * an event clears v->polling and wakes the vCPU; whoever calls looks after it
 * whether a port was pending already, and calls event_poll_end() when it has
 * stopped to wait, for whatever reason.
 */
void event_poll_begin(struct vcpu *v, uint32_t port);
void event_poll_end(struct vcpu *v);
/* True if port is pending (SCHEDOP_poll). */
bool event_is_pending(struct domain *d, unsigned int port);
bool event_port_valid(struct domain *d, unsigned int port);
/* The debug key 'e': every port of every domain. */
void event_dump(void);

/* Handlers of event_channel_op (reset: also as EVTCHNOP_reset_cont), by the
 * names of the public header. */
long evtchn_alloc_unbound(struct vcpu *v, struct evtchn_alloc_unbound *op);
long evtchn_bind_interdomain(struct vcpu *v,
			     struct evtchn_bind_interdomain *op);
long evtchn_bind_virq(struct vcpu *v, struct evtchn_bind_virq *op);
long evtchn_bind_ipi(struct vcpu *v, struct evtchn_bind_ipi *op);
long evtchn_bind_pirq(struct vcpu *v, struct evtchn_bind_pirq *op);
long evtchn_close(struct vcpu *v, struct evtchn_close *op);
long evtchn_send(struct vcpu *v, struct evtchn_send *op);
long evtchn_status(struct vcpu *v, struct evtchn_status *op);
long evtchn_bind_vcpu(struct vcpu *v, struct evtchn_bind_vcpu *op);
long evtchn_unmask(struct vcpu *v, struct evtchn_unmask *op);
long evtchn_reset(struct vcpu *v, struct evtchn_reset *op);
long evtchn_init_control(struct vcpu *v, struct evtchn_init_control *op);
long evtchn_expand_array(struct vcpu *v, struct evtchn_expand_array *op);
long evtchn_set_priority(struct vcpu *v, struct evtchn_set_priority *op);

#endif
