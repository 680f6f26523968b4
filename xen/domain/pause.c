/* SPDX-License-Identifier: MIT */
/*
 * Stopping domains: pausing, shutting down, crashing.
 */
#include "domain/domain.h"

#include "lib/printf.h"
#include "console/printk.h"
#include "cpu/acpi.h"
#include "cpu/smp.h"

#include <stdarg.h>

void domain_pause_nosync(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		sched_pause(&v->unit);
}

void domain_pause(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		if (v == current)
			sched_pause(&v->unit);
		else
			sched_pause_sync(&v->unit);
	}
}

void domain_unpause(struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		sched_unpause(&v->unit);
}

/* As one DOMCTL_pausedomain, which may come at the same time. */
void domain_stop_for_debugger(struct domain *d)
{
	atomic_add(&d->control_pauses, 1U);
	domain_pause_nosync(d);
	send_global_virq(VIRQ_DEBUGGER);
}

/* dom0's end is the machine's. */
static __noreturn void host_shutdown(unsigned int reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		printk("Domain 0 powers off\n");
		machine_poweroff();
	case SHUTDOWN_crash:
		printk(XENLOG_ERR "Domain 0 crashed: rebooting\n");
		break;
	case SHUTDOWN_watchdog:
		printk(XENLOG_ERR "Domain 0's watchdog expired: rebooting\n");
		break;
	default:
		printk("Domain 0 shuts down (reason %u): rebooting\n", reason);
	}
	machine_reboot();
}

void domain_shutdown(struct domain *d, unsigned int reason)
{
	struct vcpu *v;

	if (d == dom0)
		host_shutdown(reason);
	spin_lock(&d->lock);
	if (d->shutting_down) {
		spin_unlock(&d->lock);
		return;
	}
	d->shutting_down = true;
	d->shutdown_code = (uint8_t)reason;
	spin_unlock(&d->lock);
	for_each_vcpu(d, v)
		sched_pause(&v->unit);
	WRITE_ONCE(d->shut_down, true);
	if (reason == SHUTDOWN_suspend && d->suspend_notify)
		d->suspend_notify(d);
	send_global_virq(VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
	spin_lock(&d->lock);
	if (d->shut_down) {
		d->shut_down = d->shutting_down = false;
		d->shutdown_code = SHUTDOWN_CODE_INVALID;
		spin_unlock(&d->lock);
		domain_unpause(d);
		return;
	}
	spin_unlock(&d->lock);
}

void domain_end_as(struct domain *d, unsigned int reason)
{
	uint8_t told = READ_ONCE(d->crash_code);

	domain_shutdown(d, told != SHUTDOWN_CODE_INVALID ? told : reason);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	char why[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	printk(XENLOG_ERR "d%u crashed: %s\n", d->id, why);
	domain_end_as(d, SHUTDOWN_crash);
}
