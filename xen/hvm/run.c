/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's turn on a CPU: look for interrupts, enter, answer the exit, again,
 * until a softirq wants the CPU or the vCPU waits. Interrupts are off from the
 * look until the entry, so nothing that arrives in between is missed: it ends
 * the run at once.
 */
#include "hvm/hvm.h"

#include "console/printk.h"
#include "cpu/fpu.h"
#include "cpu/softirq.h"
#include "hvm/debug.h"
#include "hvm/dev/vioapic.h"
#include "hvm/dev/virq.h"
#include "hvm/dev/vlapic.h"
#include "hvm/dm.h"
#include "lib/errno.h"

#define HOT __attribute__((section(".text.hot")))

/* CR8 matters only while there is something that it may hold back. */
static HOT int lapic_irq(struct vcpu *v, struct hvm_vcpu *hv)
{
	bool any;
	int vector;

	if (hv->lapic->assisted) {
		hvm_ops->apic_sync(v);
		return -1;
	}
	vector = vlapic_highest(hv->lapic, &any);
	if (any != hv->tpr_watched) {
		hv->tpr_watched = any;
		hvm_ops->watch_tpr(v, any);
	}
	return vector;
}

/* The 8259s are wired to the first vCPU. */
static int pic_irq(struct vcpu *v, const struct hvm_vcpu *hv)
{
	if (v->id || !(vlapic_takes_pic(hv->lapic) ||
		       vioapic_passes_pic(v->domain, v->id * 2)))
		return -1;
	return vpic_highest(v->domain);
}

/* The flag goes before the look: whoever sets it afterwards is seen. */
static HOT int controller_irq(struct vcpu *v, struct hvm_vcpu *hv,
			      enum irq_source *by)
{
	int vector = -1;

	WRITE_ONCE(hv->irq_check, false);
	smp_mb();
	if (unlikely(hv->hd->pic))
		vector = pic_irq(v, hv);
	*by = vector >= 0 ? IRQ_PIC : IRQ_LAPIC;
	if (vector < 0)
		vector = lapic_irq(v, hv);
	if (vector >= 0)
		WRITE_ONCE(hv->irq_check, true);
	return vector;
}

/* By a line, it is looked at before each entry until the guest has cleared the
 * flag. */
static __attribute__((noinline)) void line_callback(struct vcpu *v,
						    struct hvm_vcpu *hv)
{
	if (!v->id && virq_callback(v->domain))
		WRITE_ONCE(hv->upcall, true);
}

/* The vector that the guest should see first, and who wants it. */
static HOT int next_irq(struct vcpu *v, struct hvm_vcpu *hv,
			enum irq_source *by)
{
	if (READ_ONCE(hv->upcall)) {
		uint8_t vector = hv->hd->callback_vector;

		WRITE_ONCE(hv->upcall, false);
		smp_mb();
		if (vector && v->info &&
		    READ_ONCE(v->info->evtchn_upcall_pending)) {
			/* Level-triggered: it stays until the guest clears
			 * the flag. */
			WRITE_ONCE(hv->upcall, true);
			*by = IRQ_CALLBACK;
			return vector;
		}
		if (unlikely(hv->hd->callback_line))
			line_callback(v, hv);
	}
	return hv->irq_check ? controller_irq(v, hv, by) : -1;
}

int hvm_inject_later(struct vcpu *v, uint8_t vector, uint32_t error,
		     uint64_t cr2)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	if (hv->later.waits)
		return -EBUSY;
	hv->later.vector = vector;
	hv->later.error = error;
	hv->later.cr2 = cr2;
	smp_wmb();
	WRITE_ONCE(hv->later.waits, true);
	vcpu_kick(v);
	return 0;
}

static void inject_now(struct vcpu *v, struct hvm_vcpu *hv)
{
	if (hv->later.vector == 14)
		hvm_ops->set_creg(v, CR2, hv->later.cr2);
	hvm_ops->inject_exception(v, hv->later.vector, hv->later.error != ~0U,
				  hv->later.error);
	smp_wmb();
	WRITE_ONCE(hv->later.waits, false);
}

/* The flag goes first: whoever sets it afterwards is seen. */
static __attribute__((noinline)) void inject_nmi(struct vcpu *v,
						 struct hvm_vcpu *hv)
{
	WRITE_ONCE(hv->nmi_pending, false);
	smp_mb();
	if (!hvm_ops->inject_nmi(v))
		WRITE_ONCE(hv->nmi_pending, true);
}

/* The callback waits there already, and for a reason that lasts: most entries
 * of a guest that keeps interrupts off. */
static HOT bool callback_waits(const struct vcpu *v, const struct hvm_vcpu *hv)
{
	return hv->posted >= 0 && hv->posted_by == IRQ_CALLBACK && v->info &&
	       READ_ONCE(v->info->evtchn_upcall_pending);
}

/* The controller that what is posted comes from has it no longer, and may be
 * asked for it again. */
static HOT __attribute__((noinline)) void lend(struct vcpu *v,
					       struct hvm_vcpu *hv)
{
	if (hv->posted_by == IRQ_LAPIC)
		vlapic_lend(hv->lapic, (uint8_t)hv->posted);
	else if (hv->posted_by == IRQ_PIC)
		vpic_lend(v->domain, (uint8_t)hv->posted);
}

/* It was not taken: it is the controller's again. */
static HOT __attribute__((noinline)) void take_back(struct vcpu *v,
						    struct hvm_vcpu *hv)
{
	if (hv->posted_by == IRQ_LAPIC)
		vlapic_return(hv->lapic, (uint8_t)hv->posted);
	else if (hv->posted_by == IRQ_PIC)
		vpic_return(v->domain);
}

/* What waits at the guest's door is what should. Interrupts off. */
static HOT void post_next_irq(struct vcpu *v, struct hvm_vcpu *hv)
{
	enum irq_source by = IRQ_NOBODY;
	int vector;

	if (unlikely(hv->later.waits))
		inject_now(v, hv);
	if (unlikely(hv->nmi_pending))
		inject_nmi(v, hv);
	if (likely(!hv->upcall && !hv->irq_check && hv->posted < 0))
		return;
	/* A processor that helps need not wait for the callback's end. */
	if (hv->irq_check && hv->lapic->assisted)
		hvm_ops->apic_sync(v);
	if (callback_waits(v, hv))
		return;
	vector = next_irq(v, hv, &by);
	/* One that waits is posted again: it may be taken at once now, which
	 * not every processor sees by itself (svm/inject.c). */
	if (vector >= 0 || hv->posted >= 0) {
		hvm_ops->post_irq(v, vector);
		hv->posted = vector;
		hv->posted_by = by;
	}
	if (vector >= 0)
		lend(v, hv);
}

/* The guest may have taken what waited. */
static HOT void note_taken_irq(struct vcpu *v, struct hvm_vcpu *hv)
{
	if (hv->posted < 0)
		return;
	if (likely(hvm_ops->posted_irq(v) >= 0)) {
		if (unlikely(hv->posted_by != IRQ_CALLBACK))
			take_back(v, hv);
		return;
	}
	if (hv->posted_by == IRQ_LAPIC) {
		vlapic_ack(hv->lapic, (uint8_t)hv->posted);
		hv->irq_check = true;
	} else if (hv->posted_by == IRQ_PIC) {
		vpic_ack(v->domain, (uint8_t)hv->posted);
		hv->irq_check = true;
	}
	hv->posted = -1;
}

/* The vCPU's instruction is done: a single-stepping guest traps after it. */
static HOT bool skip(struct vcpu *v, const struct vmexit *x)
{
	if (unlikely(!hvm_ops->skip(v, x))) {
		hvm_inject_gp(v);
		return false;
	}
	if (unlikely(v->regs.rflags & X86_EFLAGS_TF))
		hvm_trap_step(v);
	return true;
}

/* Not part of answer(), which would save registers for it at each exit. */
static __attribute__((noinline, cold)) void crash(struct vcpu *v,
						  const struct vmexit *x)
{
	if (!v->domain->shutting_down)
		domain_crash(v->domain,
			     "v%u: %s at %#lx (code %#lx, %#lx, %#lx)", v->id,
			     hvm_exit_name(x->kind), v->regs.rip, x->code,
			     x->info1, x->info2);
	hvm_ops->dump(v);
}

static HOT void answer(struct vcpu *v, const struct vmexit *x)
{
	enum verdict verdict = hvm_exit(v, x);

	if (likely(verdict == VERDICT_RESUME))
		return;
	if (likely(verdict == VERDICT_SKIP)) {
		skip(v, x);
		return;
	}
	switch (verdict) {
	case VERDICT_BLOCK:
		if (skip(v, x))
			vcpu_block(v);
		break;
	case VERDICT_CRASH:
		crash(v, x);
		break;
	default:
		break;
	}
}

/*
 * A device model's answer, if it is there; the instruction that asked goes on
 * with it, and may ask again. False: the vCPU waits.
 */
static bool take_answer(struct vcpu *v, struct hvm_vcpu *hv)
{
	bool again;

	while (hv->io.pending) {
		if (!hvm_io_finish(v, &again))
			return false;
		if (again && v->unit.state == SCHED_RUNNING)
			answer(v, &hv->io.exit);
		if (unlikely(READ_ONCE(hv->hd->stale_maps)))
			hvm_io_invalidate(v);
	}
	return true;
}

static HOT void hvm_run(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);
	struct hvm_vcpu *hv = hvm_vcpu(v);
	struct vmexit x;

	this_cpu(current) = v;
	if (unlikely(READ_ONCE(hv->lapic->init_sipi)) && !hv->io.pending)
		vlapic_do_init_sipi(v);
	while (likely(!hv->in_reset)) {
		if (unlikely(hv->io.pending) && !take_answer(v, hv))
			break;
		local_irq_disable();
		if (unlikely(softirq_is_pending() || u->state != SCHED_RUNNING))
			break;
		post_next_irq(v, hv);
		hvm_ops->run(v, &x);
		local_irq_enable();
		note_taken_irq(v, hv);
		answer(v, &x);
		if (unlikely(READ_ONCE(hv->lapic->init_sipi)) &&
		    !hv->io.pending)
			vlapic_do_init_sipi(v);
	}
	local_irq_enable();
	if (unlikely(hv->in_reset || hv->io.pending) &&
	    u->state == SCHED_RUNNING)
		vcpu_block(v);
	this_cpu(current) = NULL;
}

static void hvm_switch_in(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);

	fpu_restore(hvm_vcpu(v)->fpu);
	hvm_ops->vcpu_load(v);
}

static void hvm_switch_out(struct sched_unit *u)
{
	struct vcpu *v = container_of(u, struct vcpu, unit);

	hvm_ops->vcpu_unload(v);
	fpu_save(hvm_vcpu(v)->fpu);
}

void hvm_event_notify(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	/* HVMOP_set_evtchn_upcall_vector: an edge, through the local APIC. */
	if (hv->upcall_vector) {
		vlapic_set_irq(hv->lapic, hv->upcall_vector, false);
		return;
	}
	WRITE_ONCE(hv->upcall, true);
	vcpu_notify(v);
}

bool hvm_vcpu_has_work(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	if (hv->io.pending)
		return hvm_io_answered(v);
	if (READ_ONCE(hv->lapic->init_sipi) || hv->nmi_pending)
		return true;
	/* What waits for IF does not end a wait. */
	if (hv->in_reset || !(v->regs.rflags & X86_EFLAGS_IF))
		return false;
	if (hv->hd->callback_vector && !hv->upcall_vector && v->info &&
	    READ_ONCE(v->info->evtchn_upcall_pending))
		return true;
	if (hv->hd->callback_line && !v->id)
		virq_callback(v->domain);
	if (hv->hd->pic && pic_irq(v, hv) >= 0)
		return true;
	return vlapic_has_work(hv->lapic);
}

void hvm_extint_notify(struct domain *d)
{
	struct vcpu *v = d->vcpu[0];

	if (!v)
		return;
	WRITE_ONCE(hvm_vcpu(v)->irq_check, true);
	vcpu_notify(v);
}

const struct sched_unit_ops hvm_sched_ops = {
	.run = hvm_run,
	.switch_out = hvm_switch_out,
	.switch_in = hvm_switch_in,
	.runstate = vcpu_runstate_change,
};
