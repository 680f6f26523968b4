/* SPDX-License-Identifier: MIT */
/*
 * A PV vCPU's turn on a CPU: what it is to be told first, the guest, what ended
 * its run; again, until a softirq wants the CPU or the vCPU waits.
 */
#include "pv/io.h"
#include "pv/isolate.h"

#include "cpu/msr.h"
#include "cpu/softirq.h"
#include "hypercall/hypercall.h"
#include "lib/atomic.h"
#include "mem/layout.h"
#include "mem/map.h"

#define HOT __attribute__((section(".text.hot")))

/* entry.S */
DEFINE_PER_CPU_ENTRY(uint64_t, pv_host_rsp);

void pv_load_cr3(struct vcpu *v)
{
	const struct pv_vcpu *pv = pv_vcpu(v);
	mfn_t base = pv->in_kernel ? pv->mm.cr3_kernel : pv->mm.cr3_user;

	if (unlikely(pv_is_isolated(v->domain)))
		pv_isolate(base, pv->in_kernel);
	write_cr3(mfn_to_maddr(base));
}

HOT void pv_set_mode(struct vcpu *v, bool kernel)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (pv->in_kernel == kernel)
		return;
	pv->in_kernel = kernel;
	pv_swap_gs(v);
	if (kernel || !mfn_eq(pv->mm.cr3_user, INVALID_MFN))
		pv_load_cr3(v);
}

static HOT bool event_waits(const struct vcpu *v)
{
	return v->info && READ_ONCE(v->info->evtchn_upcall_pending) &&
	       !READ_ONCE(v->info->evtchn_upcall_mask);
}

static __attribute__((noinline)) HOT void deliver_nmi(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (pv->in_nmi || !pv->nmi_entry)
		return;
	pv->nmi_pending = false;
	pv->in_nmi = true;
	pv_bounce(v, pv->nmi_entry, SEL_GUEST_CS64, true, NO_ERROR_CODE);
}

/*
 * Interrupts off: nothing that comes in between is missed. False: it does not
 * run on, having had no stack for what it was to be told.
 */
static inline bool deliver(struct vcpu *v, struct pv_vcpu *pv)
{
	bool event = event_waits(v);

	if (likely(!pv->nmi_pending && !event))
		return true;
	if (pv->nmi_pending)
		deliver_nmi(v);
	if (event_waits(v) && pv->event_entry)
		pv_bounce(v, pv->event_entry, SEL_GUEST_CS64, true,
			  NO_ERROR_CODE);
	return v->unit.state == SCHED_RUNNING;
}

static inline bool may_go_on(const struct vcpu *v)
{
	return likely(!softirq_is_pending() && v->unit.state == SCHED_RUNNING);
}

static inline enum pv_way way_on(struct vcpu *v, struct pv_vcpu *pv)
{
	if (!may_go_on(v) || !deliver(v, pv))
		return PV_LATER;
	return pv->sysret ? PV_BY_SYSRET : PV_BY_IRET;
}

HOT enum pv_way pv_hypercall(struct vcpu *v, const uint64_t args[6])
{
	struct pv_vcpu *pv = pv_vcpu(v);

	pv->sysret = pv->may_sysret;
	local_irq_enable();
	hypercall_finish(v, hypercall_call64(v, args, v->regs.rax));
	local_irq_disable();
	/* SYSRET to such an address would fault in ring 0. */
	if (unlikely(!pv_is_canonical(v->regs.rip)))
		pv->sysret = false;
	return way_on(v, pv);
}

HOT enum pv_way pv_hypercall_iret(struct vcpu *v)
{
	hypercall_count_iret();
	pv_iret(v);
	return way_on(v, pv_vcpu(v));
}

static HOT void pv_run(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);
	struct pv_vcpu *pv = pv_vcpu(v);

	this_cpu(current) = v;
	if (!pv->has_tables) {
		pv_tables_in(v);
		if (unlikely(pv->segments_lost))
			pv_failsafe(v);
	}
	for (;;) {
		uint64_t cr2 = 0;

		local_irq_disable();
		if (unlikely(softirq_is_pending() || u->state != SCHED_RUNNING))
			break;
		if (!deliver(v, pv))
			break;
		pv_enter(v, pv);
		if (pv->frame.vector == PV_EXIT_DONE)
			continue;
		if (pv->frame.vector == TRAP_PF)
			cr2 = read_cr2();
		pv_handle_exit(v, pv->frame.vector, cr2);
	}
	if (u->state != SCHED_RUNNING)
		pv_tables_out(v);
	local_irq_enable();
	this_cpu(current) = NULL;
}

static void set_cr0_ts(bool on)
{
	uint64_t cr0 = read_cr0();

	write_cr0(on ? cr0 | X86_CR0_TS : cr0 & ~X86_CR0_TS);
}

static void pv_switch_in(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);
	struct pv_vcpu *pv = pv_vcpu(v);

	fpu_restore(pv->fpu);
	if (pv->ts)
		set_cr0_ts(true);
	this_cpu(tss).rsp[0] = pv_is_isolated(v->domain)
				       ? pv_isolated_stack()
				       : (uint64_t)(&pv->frame + 1);
	pv_load_descriptors(v);
	pv_load_segments(v);
	pv_load_debugregs(v);
	pv->loaded = true;
}

static void pv_switch_out(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);
	struct pv_vcpu *pv = pv_vcpu(v);

	pv->loaded = false;
	pv_drop_debugregs(v);
	pv_save_segments(v);
	if (pv->has_tables)
		pv_tables_out(v);
	set_cr0_ts(false);
	fpu_save(pv->fpu);
}

void pv_event_notify(struct vcpu *v)
{
	vcpu_notify(v);
}

bool pv_vcpu_has_work(struct vcpu *v)
{
	return event_waits(v) || pv_vcpu(v)->nmi_pending;
}

void pv_send_nmi(struct vcpu *v)
{
	WRITE_ONCE(pv_vcpu(v)->nmi_pending, true);
	vcpu_kick(v);
}

const struct sched_unit_ops pv_sched_ops = {
	.run = pv_run,
	.switch_out = pv_switch_out,
	.switch_in = pv_switch_in,
	.runstate = vcpu_runstate_change,
};
