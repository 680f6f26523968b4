/* SPDX-License-Identifier: MIT */
/*
 * Virtual CPUs: creation, running and waiting, their timers and times.
 */
#include "domain/domain.h"

#include "console/printk.h"
#include "domain/entry_regs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

DEFINE_PER_CPU(struct vcpu *, current);
/* domain/entry_regs.h */
#define AT(field, offset)                                                      \
	_Static_assert(offsetof(struct guest_regs, field) == (offset), #field)
_Static_assert(!offsetof(struct vcpu, regs), "regs");
AT(rax, REGS_RAX);
AT(rcx, REGS_RCX);
AT(rdx, REGS_RDX);
AT(rbx, REGS_RBX);
AT(rsp, REGS_RSP);
AT(rbp, REGS_RBP);
AT(rsi, REGS_RSI);
AT(rdi, REGS_RDI);
AT(r8, REGS_R8);
AT(r9, REGS_R9);
AT(r10, REGS_R10);
AT(r11, REGS_R11);
AT(r12, REGS_R12);
AT(r13, REGS_R13);
AT(r14, REGS_R14);
AT(r15, REGS_R15);
AT(rip, REGS_RIP);
AT(rflags, REGS_RFLAGS);

void (*send_global_virq)(unsigned int virq);
void (*send_guest_virq)(struct vcpu *v, unsigned int virq);

static void singleshot_fired(void *data)
{
	send_guest_virq(data, VIRQ_TIMER);
}

static void periodic_fired(void *data)
{
	struct vcpu *v = data;

	if (!v->periodic_period)
		return;
	send_guest_virq(v, VIRQ_TIMER);
	timer_set(&v->periodic,
		  max(v->periodic.expires, now() - v->periodic_period) +
			  v->periodic_period);
}

static void poll_timed_out(void *data)
{
	struct vcpu *v = data;

	WRITE_ONCE(v->polling, false);
	vcpu_wake(v);
}

int vcpu_create(struct domain *d, unsigned int id)
{
	struct vcpu *v;
	int rc;

	/* Whose end has begun is paused for good: not this one. */
	if (id >= d->max_vcpus || d->dying != DOMDYING_ALIVE)
		return -EINVAL;
	if (d->vcpu[id])
		return 0;
	v = xnew(struct vcpu);
	if (!v)
		return -ENOMEM;
	v->domain = d;
	v->id = id;
	v->info_mfn = INVALID_MFN;
	if (id < XEN_LEGACY_MAX_VCPUS)
		v->info = &d->shared_info->vcpu_info[id];
	guest_area_init(&v->runstate_area);
	guest_area_init(&v->time_area);
	timer_init(&v->singleshot, singleshot_fired, v);
	timer_init(&v->periodic, periodic_fired, v);
	timer_init(&v->poll_timer, poll_timed_out, v);
	v->runstate.state = RUNSTATE_offline;
	v->runstate.state_entry_time = (uint64_t)now();
	sched_unit_init(&v->unit, &d->sched, d->kind->sched);
	rc = d->kind->vcpu_init(v);
	if (rc) {
		sched_unit_destroy(&v->unit);
		xfree(v);
		return rc;
	}
	/* A vCPU that joins a paused domain is as paused as the others. */
	for (uint32_t i = 0; i < d->control_pauses; i++)
		sched_pause(&v->unit);
	vcpu_update_time(v);
	WRITE_ONCE(d->vcpu[id], v);
	return 0;
}

void vcpu_up(struct vcpu *v)
{
	v->online = true;
	sched_wake(&v->unit);
}

static bool any_online(const struct domain *d)
{
	struct vcpu *v;

	for_each_vcpu(d, v)
		if (READ_ONCE(v->online))
			return true;
	return false;
}

void vcpu_down(struct vcpu *v)
{
	struct domain *d = v->domain;
	bool last;

	spin_lock(&d->lock);
	v->online = false;
	last = !any_online(d);
	spin_unlock(&d->lock);
	timer_stop(&v->singleshot);
	timer_stop(&v->periodic);
	sched_offline(&v->unit);
	/* Nothing can start it again but the tools: it has shut down. */
	if (last && v == current)
		domain_shutdown(d, SHUTDOWN_poweroff);
}

void vcpu_wake(struct vcpu *v)
{
	if (READ_ONCE(v->online))
		sched_wake(&v->unit);
}

static bool unit_has_work(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);

	return v->domain->kind->vcpu_has_work(v);
}

void vcpu_block(struct vcpu *v)
{
	sched_block(&v->unit, unit_has_work);
}

static bool poll_is_over(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);

	return !READ_ONCE(v->polling) || v->domain->kind->vcpu_has_work(v);
}

void vcpu_poll(struct vcpu *v, s_time_t deadline)
{
	if (deadline)
		timer_set(&v->poll_timer, deadline);
	sched_block(&v->unit, poll_is_over);
}

void vcpu_kick(struct vcpu *v)
{
	/* It blocks and then looks for work, or we see that it has blocked. */
	smp_mb();
	if (READ_ONCE(v->unit.state) == SCHED_RUNNING) {
		if (v->unit.cpu != smp_processor_id())
			smp_kick(v->unit.cpu);
	} else {
		vcpu_wake(v);
	}
}

void vcpu_set_singleshot(struct vcpu *v, s_time_t expires)
{
	if (!expires)
		timer_stop(&v->singleshot);
	else
		timer_set(&v->singleshot, expires);
}

void vcpu_set_periodic(struct vcpu *v, s_time_t period)
{
	timer_stop(&v->periodic);
	v->periodic_period = period;
	if (period)
		timer_set(&v->periodic, now() + period);
}

/*
 * The clock that a guest reads (public/xen.h, struct vcpu_time_info): system
 * time is tsc_timestamp's plus the scaled TSC difference. Guests see our own
 * TSC, some with an offset; its rate does not change, so one writing serves
 * for good.
 */
void vcpu_update_time(struct vcpu *v)
{
	uint64_t tsc = rdtsc();
	struct vcpu_time_info t = {
		.tsc_timestamp = tsc + v->tsc_offset,
		.system_time = (uint64_t)tsc_to_system(tsc),
		.tsc_to_system_mul = tsc_mul,
		.tsc_shift = tsc_shift,
		.flags = XEN_PVCLOCK_TSC_STABLE_BIT,
	};

	if (v->info) {
		struct vcpu_time_info *out = &v->info->time;

		t.version = (out->version + 2) & ~1U;
		WRITE_ONCE(out->version, t.version | 1);
		smp_wmb();
		memcpy((char *)out + 4, (char *)&t + 4, sizeof(t) - 4);
		smp_wmb();
		WRITE_ONCE(out->version, t.version);
	}
	t.version = 2;
	guest_area_write(&v->time_area, 0, &t, sizeof(t));
}

void domain_update_wallclock(struct domain *d)
{
	struct shared_info *s = d->shared_info;
	uint64_t sec = wallclock_sec + (uint64_t)(int64_t)d->time_offset;
	uint32_t version = (s->wc_version + 2) & ~1U;

	WRITE_ONCE(s->wc_version, version | 1);
	smp_wmb();
	s->wc_sec = (uint32_t)sec;
	s->wc_sec_hi = (uint32_t)(sec >> 32);
	s->wc_nsec = wallclock_nsec;
	smp_wmb();
	WRITE_ONCE(s->wc_version, version);
}

void vcpu_runstate_change(struct sched_unit *u, int state, s_time_t t)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);
	struct vcpu_runstate_info *r = &v->runstate;
	s_time_t spent = t - (s_time_t)r->state_entry_time;

	if (spent > 0)
		r->time[r->state] += (uint64_t)spent;
	r->state = state;
	r->state_entry_time = (uint64_t)t;
	if (!v->runstate_area.size)
		return;
	if (v->domain->vm_assist & BIT(VMASST_TYPE_runstate_update_flag)) {
		uint64_t flagged = (uint64_t)t | XEN_RUNSTATE_UPDATE;

		guest_area_write(
			&v->runstate_area,
			offsetof(struct vcpu_runstate_info, state_entry_time),
			&flagged, sizeof(flagged));
		smp_wmb();
	}
	guest_area_write(&v->runstate_area, 0, r, sizeof(*r));
}

void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
	s_time_t t = now();

	*out = v->runstate;
	if (t > (s_time_t)out->state_entry_time)
		out->time[out->state] += (uint64_t)t - out->state_entry_time;
}
