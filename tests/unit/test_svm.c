/* SPDX-License-Identifier: MIT */
/*
 * AMD-V without AMD-V: which way an event takes into the guest, and what
 * becomes of one whose delivery an exit interrupted.
 */
#include "harness.h"

#include "hvm/svm/svm.h"

#define IRQ 0x51

uint32_t svm_features;

bool hvm_makes_double_fault(uint8_t first, uint8_t second)
{
	return first == 14 && second == 14;
}

static struct vmcb vmcb;
static struct vcpu v;

/* A vCPU with interrupts on, on a processor with these features. */
static struct svm_vcpu *fresh(uint32_t features)
{
	static struct {
		struct hvm_vcpu hvm;
		struct svm_vcpu svm;
	} arch;

	memset(&arch, 0, sizeof(arch));
	memset(&vmcb, 0, sizeof(vmcb));
	memset(&v, 0, sizeof(v));
	svm_features = features;
	v.arch = &arch.hvm;
	v.regs.rflags = X86_EFLAGS_IF;
	arch.svm.vmcb = &vmcb;
	return svm_vcpu(&v);
}

static void taken_at_once(void)
{
	struct svm_vcpu *s = fresh(SVM_FEATURE_NRIP);

	svm_post_irq(&v, IRQ);
	CHECK_EQ(s->eventinj, EVENT_VALID | EVENT_INTR | IRQ);
	CHECK_EQ(svm_posted_irq(&v), -1);
}

/* TCG would deliver an injected interrupt twice. */
static void never_injected_in_tcg(void)
{
	struct svm_vcpu *s = fresh(0);

	svm_post_irq(&v, IRQ);
	CHECK_EQ(s->eventinj, 0);
	CHECK_EQ(svm_posted_irq(&v), IRQ);
	CHECK_EQ(vmcb.int_ctl,
		 V_IRQ | V_IGN_TPR | (uint32_t)(IRQ >> 4) << V_PRIO_SHIFT);
}

/* TCG does not live through a write to CR8 while a virtual interrupt waits. */
static void cr8_while_one_waits(void)
{
	fresh(0);
	svm_post_irq(&v, IRQ);
	CHECK_EQ(vmcb.cr_write, CR_WRITES | 1U << 8);
	svm_watch_tpr(&v, false);
	CHECK_EQ(vmcb.cr_write, CR_WRITES | 1U << 8);
	svm_post_irq(&v, -1);
	CHECK_EQ(vmcb.cr_write, CR_WRITES);
	hvm_vcpu(&v)->tpr_watched = true;
	svm_watch_tpr(&v, true);
	svm_post_irq(&v, -1);
	CHECK_EQ(vmcb.cr_write, CR_WRITES | 1U << 8);
}

static void waits_until_it_can_be_taken(void)
{
	struct svm_vcpu *s = fresh(SVM_FEATURE_NRIP);

	v.regs.rflags = 0;
	svm_post_irq(&v, IRQ);
	CHECK_EQ(s->eventinj, 0);
	CHECK_EQ(svm_posted_irq(&v), IRQ);

	s = fresh(SVM_FEATURE_NRIP); /* the instruction after STI */
	vmcb.int_state = INT_SHADOW;
	svm_post_irq(&v, IRQ);
	CHECK_EQ(s->eventinj, 0);
	CHECK_EQ(svm_posted_irq(&v), IRQ);

	s = fresh(SVM_FEATURE_NRIP); /* an exception goes first */
	svm_inject_exception(&v, 13, true, 8);
	svm_post_irq(&v, IRQ);
	CHECK_EQ(s->eventinj,
		 8UL << 32 | EVENT_VALID | EVENT_ERROR | EVENT_EXCEPTION | 13);
	CHECK_EQ(svm_posted_irq(&v), IRQ);

	svm_post_irq(&v, -1); /* and it can be taken back */
	CHECK_EQ(svm_posted_irq(&v), -1);
}

static void cut_short(void)
{
	struct svm_vcpu *s = fresh(0);

	/* It has left V_IRQ. */
	vmcb.exitintinfo = EVENT_VALID | EVENT_INTR | IRQ;
	svm_reinject(&v);
	CHECK_EQ(s->eventinj, EVENT_VALID | EVENT_INTR | IRQ);

	/* It has not: it is given once, not twice. */
	s = fresh(0);
	svm_post_irq(&v, IRQ);
	vmcb.exitintinfo = EVENT_VALID | EVENT_INTR | IRQ;
	svm_reinject(&v);
	CHECK_EQ(s->eventinj, 0);
	CHECK_EQ(svm_posted_irq(&v), IRQ);

	/* Another one waits. */
	s = fresh(0);
	svm_post_irq(&v, IRQ + 1);
	vmcb.exitintinfo = EVENT_VALID | EVENT_INTR | IRQ;
	svm_reinject(&v);
	CHECK_EQ(s->eventinj, EVENT_VALID | EVENT_INTR | IRQ);
	CHECK_EQ(svm_posted_irq(&v), IRQ + 1);

	/* INT n is executed again. */
	s = fresh(0);
	vmcb.exitintinfo = EVENT_VALID | EVENT_SOFT | 0x80;
	svm_reinject(&v);
	CHECK_EQ(s->eventinj, 0);
}

static void double_fault(void)
{
	struct svm_vcpu *s = fresh(SVM_FEATURE_NRIP);

	svm_inject_exception(&v, 14, true, 2);
	svm_inject_exception(&v, 14, true, 2);
	CHECK_EQ(s->eventinj, EVENT_VALID | EVENT_ERROR | EVENT_EXCEPTION | 8);
}

static void second_nmi(void)
{
	struct svm_vcpu *s = fresh(SVM_FEATURE_NRIP);

	CHECK(svm_inject_nmi(&v));
	CHECK_EQ(s->eventinj, EVENT_VALID | EVENT_NMI | 2);
	CHECK(vmcb.intercept1 & INTERCEPT_IRET);
	s->eventinj = 0; /* entered */
	CHECK(!svm_inject_nmi(&v));
	v.regs.rip = 0x1000;
	svm_nmi_iret(&v);
	CHECK(!(vmcb.intercept1 & INTERCEPT_IRET));
	CHECK(!svm_inject_nmi(&v)); /* the IRET is stepped over first */
	CHECK(v.regs.rflags & X86_EFLAGS_TF);
	CHECK(svm_nmi_stepped(&v));
	CHECK(svm_inject_nmi(&v));
}

/* INIT while an exception is on its way, in a shadow, in an NMI's handler. */
static void init_forgets(void)
{
	struct svm_vcpu *s = fresh(SVM_FEATURE_NRIP);

	CHECK(svm_inject_nmi(&v));
	svm_inject_exception(&v, 13, true, 8);
	vmcb.int_state = INT_SHADOW;
	svm_forget_events(&v);
	CHECK_EQ(s->eventinj, 0);
	CHECK_EQ(vmcb.int_state, 0);
	CHECK(!(vmcb.intercept1 & INTERCEPT_IRET));
	CHECK(svm_inject_nmi(&v));
}

int main(void)
{
	static const struct test_case cases[] = {
		{"an interrupt goes in with the entry", taken_at_once},
		{"but not without NRIP save", never_injected_in_tcg},
		{"TCG: CR8 while one waits", cr8_while_one_waits},
		{"one that cannot be taken waits", waits_until_it_can_be_taken},
		{"a delivery that was cut short", cut_short},
		{"two page faults make a double fault", double_fault},
		{"a second NMI waits for IRET", second_nmi},
		{"INIT: nothing waits", init_forgets},
	};

	return run_cases(cases, ARRAY_SIZE(cases));
}
