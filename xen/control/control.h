/* SPDX-License-Identifier: MIT */
/*
 * What tools and guests ask of the hypervisor as a whole: hypercalls that
 * belong to no single subsystem. Handlers, called by hypercall/dispatch.c.
 */
#ifndef OSTLER_CONTROL_CONTROL_H
#define OSTLER_CONTROL_CONTROL_H

#include "domain/domain.h"
#include <xen/domctl.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>

/* Puts domains' parts and hooks together; before any domain is made. */
void control_init(void);
/* Our own command line, for XENVER_commandline; boot/ sets it. */
extern const char *hypervisor_cmdline;

/* What a domain says, as console_io does it: dom0's text as it is, others'
 * lines with their number. */
void guest_console_write(struct domain *d, const char *s, size_t n);

long sched_poll(struct vcpu *v, struct sched_poll *op);
/* args: as in the registers */
long memory_op(struct vcpu *v, const uint64_t args[6]);
long xen_version_op(struct vcpu *v, const uint64_t args[6]);
long console_io(struct vcpu *v, const uint64_t args[6]);
long physdev_op(struct vcpu *v, const uint64_t args[6]);
long vm_assist_op(struct vcpu *v, const uint64_t args[6]);
/* Newer than the headers that we build with (Xen 4.18). */
#ifndef XENPF_get_dom0_console
#define XENPF_get_dom0_console 64
#endif
long platform_op(struct vcpu *v, struct xen_platform_op *op);
long domctl(struct vcpu *v, struct xen_domctl *op);
/* -EINVAL: no such CPU, the first, or as it is already; -EBUSY. */
long cpu_hotplug(unsigned int cpu, bool online);
long sysctl(struct vcpu *v, struct xen_sysctl *op);

#endif
