/* SPDX-License-Identifier: MIT */
/*
 * The local APIC (AMD APM Vol. 2, "Advanced Programmable Interrupt
 * Controller"). IRR is the only register that others write: a vector arrives by
 * an atomic OR and a kick. Everything else belongs to the vCPU.
 */
#include "hvm/dev/vlapic.h"

#include "console/printk.h"
#include "hvm/dev/vioapic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

#define HOT __attribute__((section(".text.hot")))

#define LAPIC_VERSION           0x00050014 /* integrated; LVT entries 0 to 5 */
#define SVR_ENABLE              BIT(8)
#define LVT_MASKED              BIT(16)
#define LVT_MODE_SHIFT          17
#define TIMER_ONESHOT           0
#define TIMER_PERIODIC          1
#define TIMER_DEADLINE          2
#define ESR_BAD_VECTOR_SENT     BIT(5)
#define ESR_BAD_VECTOR_RECEIVED BIT(6)

/* The timer's bus runs at 100 MHz. */
#define NS_PER_TICK 10

#define ICR_LOGICAL     BIT(11)
#define ICR_ASSERT      BIT(14)
#define ICR_LEVEL       BIT(15)
#define ICR_SHORT_SHIFT 18

enum delivery { FIXED, LOWEST, SMI, RESERVED, NMI, INIT, STARTUP };

HOT int vlapic_highest_in(const struct vlapic *l, unsigned int reg)
{
	for (int i = 7; i >= 0; i--) {
		uint32_t w = READ_ONCE(LREG(l, reg + i));

		if (w)
			return i * 32 + 31 - __builtin_clz(w);
	}
	return -1;
}

static uint32_t get_tpr(struct vlapic *l)
{
	uint32_t class = (uint32_t)hvm_ops->get_creg(l->vcpu, CR8);

	/* CR8 holds the class only; the rest is what was written here. */
	if (LREG(l, APIC_TPR) >> 4 != class)
		LREG(l, APIC_TPR) = class << 4;
	return LREG(l, APIC_TPR);
}

HOT int vlapic_highest(struct vlapic *l, bool *any)
{
	int irr, isr = -1;

	*any = false;
	if (!vlapic_enabled(l))
		return -1;
	irr = vlapic_highest_in(l, APIC_IRR);
	if (irr < 16)
		return -1;
	if (l->isr_count || l->assisted)
		isr = vlapic_highest_in(l, APIC_ISR);
	*any = (irr >> 4) > (isr >> 4);
	return *any && (uint32_t)irr >> 4 > get_tpr(l) >> 4 ? irr : -1;
}

bool vlapic_has_work(struct vlapic *l)
{
	bool any;

	return vlapic_highest(l, &any) >= 0;
}

static uint32_t get_ppr(struct vlapic *l)
{
	uint32_t tpr = get_tpr(l);
	int isr = vlapic_highest_in(l, APIC_ISR);

	if (isr < 0 || tpr >> 4 >= (uint32_t)isr >> 4)
		return tpr;
	return (uint32_t)isr & 0xf0;
}

HOT void vlapic_lend(struct vlapic *l, uint8_t vector)
{
	atomic_and(&LREG(l, APIC_IRR + vector / 32), ~(1U << (vector % 32)));
}

HOT void vlapic_return(struct vlapic *l, uint8_t vector)
{
	atomic_or(&LREG(l, APIC_IRR + vector / 32), 1U << (vector % 32));
}

HOT void vlapic_ack(struct vlapic *l, uint8_t vector)
{
	uint32_t bit = 1U << (vector % 32);

	if (!(LREG(l, APIC_ISR + vector / 32) & bit)) {
		LREG(l, APIC_ISR + vector / 32) |= bit;
		l->isr_count++;
	}
}

HOT void vlapic_set_irq(struct vlapic *l, uint8_t vector, bool level)
{
	uint32_t bit = 1U << (vector % 32);
	struct vcpu *v = l->vcpu;

	if (!vlapic_enabled(l) || vector < 16)
		return;
	if (level != !!(READ_ONCE(LREG(l, APIC_TMR + vector / 32)) & bit)) {
		if (level)
			atomic_or(&LREG(l, APIC_TMR + vector / 32), bit);
		else
			atomic_and(&LREG(l, APIC_TMR + vector / 32), ~bit);
		WRITE_ONCE(l->tmr_changed, true);
	}
	atomic_or(&LREG(l, APIC_IRR + vector / 32), bit);
	WRITE_ONCE(hvm_vcpu(v)->irq_check, true);
	smp_mb();
	vcpu_notify(v);
}

static HOT void eoi(struct vlapic *l)
{
	int vector = l->isr_count ? vlapic_highest_in(l, APIC_ISR) : -1;
	uint32_t bit;

	if (vector < 0)
		return;
	bit = 1U << (vector % 32);
	LREG(l, APIC_ISR + vector / 32) &= ~bit;
	l->isr_count--;
	WRITE_ONCE(hvm_vcpu(l->vcpu)->irq_check, true);
	if (unlikely(LREG(l, APIC_TMR + vector / 32) & bit))
		vioapic_eoi(l->vcpu->domain, (uint8_t)vector);
}

/* Timer. */

/* Not from the register itself: an assisting processor may just have written
 * it. */
static unsigned int timer_mode(const struct vlapic *l)
{
	return l->timer_mode;
}

static unsigned int lvt_timer_mode(const struct vlapic *l)
{
	return (LREG(l, APIC_LVT_TIMER) >> LVT_MODE_SHIFT) & 3;
}

static unsigned int timer_divisor(const struct vlapic *l)
{
	uint32_t r = LREG(l, APIC_TDCR);
	unsigned int code = (r & 3) | ((r >> 1) & 4);

	return 1U << ((code + 1) & 7);
}

static void timer_fired(void *data)
{
	struct vlapic *l = data;
	uint32_t lvt = READ_ONCE(LREG(l, APIC_LVT_TIMER));

	if (!(lvt & LVT_MASKED))
		vlapic_set_irq(l, lvt & 0xff, false);
	if (timer_mode(l) == TIMER_DEADLINE)
		l->tsc_deadline = 0;
	if (timer_mode(l) == TIMER_PERIODIC && l->period) {
		/* Ticks that nobody could take are not made up for. */
		l->timer_start =
			max(l->timer_start + l->period, now() - l->period);
		timer_set(&l->timer, l->timer_start + l->period);
	}
}

static void start_timer(struct vlapic *l)
{
	uint64_t ticks = (uint64_t)LREG(l, APIC_TMICT) * timer_divisor(l);

	timer_stop(&l->timer);
	l->period = 0;
	if (!ticks || timer_mode(l) == TIMER_DEADLINE)
		return;
	l->timer_start = now();
	l->period = (s_time_t)(ticks * NS_PER_TICK);
	/* No guest keeps a CPU busy with nothing but ticks. */
	if (timer_mode(l) == TIMER_PERIODIC)
		l->period = max(l->period, MICROSECS(50));
	timer_set(&l->timer, l->timer_start + l->period);
}

static uint32_t current_count(const struct vlapic *l)
{
	s_time_t gone = now() - l->timer_start;
	uint64_t ticks;

	if (!l->period)
		return 0;
	if (gone >= l->period) {
		if (timer_mode(l) != TIMER_PERIODIC)
			return 0;
		gone %= l->period;
	}
	ticks = (uint64_t)(l->period - gone) / NS_PER_TICK;
	return (uint32_t)(ticks / timer_divisor(l));
}

static void set_deadline(struct vlapic *l, uint64_t tsc)
{
	if (timer_mode(l) != TIMER_DEADLINE)
		return;
	l->tsc_deadline = tsc;
	if (!tsc)
		timer_stop(&l->timer);
	else
		timer_set(&l->timer, tsc_to_system(tsc - l->vcpu->tsc_offset));
}

void vlapic_rearm(struct vlapic *l)
{
	uint64_t left = (uint64_t)LREG(l, APIC_TMCCT) * timer_divisor(l);

	if (timer_mode(l) == TIMER_DEADLINE) {
		timer_stop(&l->timer);
		set_deadline(l, l->tsc_deadline);
		return;
	}
	start_timer(l);
	if (!l->period)
		return;
	/* A one-shot timer that had run down does not come again. */
	if (!left && timer_mode(l) != TIMER_PERIODIC) {
		timer_stop(&l->timer);
		l->timer_start = now() - l->period;
		return;
	}
	left = min(left * NS_PER_TICK, (uint64_t)l->period);
	l->timer_start = now() - (l->period - (s_time_t)left);
	timer_set(&l->timer, now() + (s_time_t)left);
}

/* Sending. */

bool vlapic_match(const struct vlapic *l, uint32_t dest, bool logical)
{
	uint32_t ldr = LREG(l, APIC_LDR);

	if (vlapic_x2apic(l)) {
		if (dest == 0xffffffff || dest == 0xff)
			return true;
		if (!logical)
			return LREG(l, APIC_ID) == dest;
		return ldr >> 16 == dest >> 16 && (ldr & dest & 0xffff);
	}
	if ((dest & 0xff) == 0xff)
		return true;
	if (!logical)
		return LREG(l, APIC_ID) >> 24 == dest;
	ldr >>= 24;
	if (LREG(l, APIC_DFR) >> 28 == 0xf)
		return ldr & dest & 0xff;
	return ldr >> 4 == (dest >> 4 & 0xf) && (ldr & dest & 0xf);
}

static void accept(struct vlapic *l, unsigned int mode, uint8_t vector,
		   bool level)
{
	struct hvm_vcpu *hv = hvm_vcpu(l->vcpu);

	switch (mode) {
	case FIXED:
	case LOWEST:
		vlapic_set_irq(l, vector, level);
		return;
	case NMI:
		WRITE_ONCE(hv->nmi_pending, true);
		break;
	case INIT:
		atomic_or(&l->init_sipi, (uint32_t)PENDING_INIT);
		break;
	case STARTUP:
		atomic_or(&l->init_sipi, (uint32_t)PENDING_SIPI | vector);
		break;
	default:
		return;
	}
	/* A vCPU that never ran, or is down, is brought to life by its SIPI. */
	if (mode == STARTUP && !READ_ONCE(l->vcpu->online) &&
	    (hv->in_reset || (READ_ONCE(l->init_sipi) & PENDING_INIT)))
		vcpu_up(l->vcpu);
	else if (l->vcpu != current)
		vcpu_kick(l->vcpu);
}

struct vcpu *vlapic_deliver(struct domain *d, uint32_t dest, bool logical,
			    unsigned int mode, uint8_t vector, bool level)
{
	struct vcpu *v, *first = NULL;

	for_each_vcpu(d, v) {
		struct vlapic *l = hvm_vcpu(v)->lapic;

		if (!vlapic_match(l, dest, logical))
			continue;
		if (!first)
			first = v;
		accept(l, mode, vector, level);
		if (mode == LOWEST)
			break;
	}
	return first;
}

static HOT void send_ipi(struct vlapic *l, uint32_t icr, uint32_t dest)
{
	unsigned int mode = (icr >> 8) & 7, to = (icr >> ICR_SHORT_SHIFT) & 3;
	uint8_t vector = icr & 0xff;
	struct vcpu *v;

	if (mode == INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
		return; /* INIT de-assert: for APICs of another age */
	if (mode <= LOWEST && vector < 16) {
		LREG(l, APIC_ESR) |= ESR_BAD_VECTOR_SENT;
		return;
	}
	if (to == 0) {
		vlapic_deliver(l->vcpu->domain, dest, icr & ICR_LOGICAL, mode,
			       vector, false);
		return;
	}
	for_each_vcpu(l->vcpu->domain, v) {
		if (to == 1 ? v != l->vcpu : to == 3 && v == l->vcpu)
			continue;
		accept(hvm_vcpu(v)->lapic, mode, vector, false);
	}
}

void vlapic_do_init_sipi(struct vcpu *v)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	uint32_t pending = atomic_xchg(&l->init_sipi, 0U);
	struct hvm_vcpu *hv = hvm_vcpu(v);

	if (pending & PENDING_INIT) {
		hvm_vcpu_reset(v);
		vlapic_reset(l, true);
		hv->in_reset = !(l->base & APIC_BASE_BSP);
	}
	if ((pending & PENDING_SIPI) && hv->in_reset) {
		hvm_vcpu_start_at(v, pending & 0xff);
		hv->in_reset = false;
		v->initialised = true;
	}
}

/* Registers. */

uint32_t vlapic_read(struct vlapic *l, unsigned int reg)
{
	switch (reg) {
	case APIC_TPR:
		return get_tpr(l);
	case APIC_PPR:
		return get_ppr(l);
	case APIC_TMCCT:
		return current_count(l);
	case APIC_ID:
	case APIC_VERSION:
	case APIC_LDR:
	case APIC_DFR:
	case APIC_SVR:
	case APIC_ISR ... APIC_ESR:
	case APIC_ICR ... APIC_TMICT:
	case APIC_TDCR:
		return LREG(l, reg);
	default:
		return 0;
	}
}

static void set_tpr(struct vlapic *l, uint32_t val)
{
	LREG(l, APIC_TPR) = val & 0xff;
	hvm_ops->set_creg(l->vcpu, CR8, (val >> 4) & 0xf);
	hvm_vcpu(l->vcpu)->irq_check = true;
}

static void set_svr(struct vlapic *l, uint32_t val)
{
	LREG(l, APIC_SVR) = val & 0x3ff;
	if (val & SVR_ENABLE)
		return;
	for (unsigned int r = APIC_LVT_TIMER; r <= APIC_LVT_ERROR; r++)
		LREG(l, r) |= LVT_MASKED;
}

static void set_lvt(struct vlapic *l, unsigned int reg, uint32_t val)
{
	static const uint32_t mask[] = {0x710ff, 0x117ff, 0x117ff,
					0x1f7ff, 0x1f7ff, 0x110ff};
	if (!(LREG(l, APIC_SVR) & SVR_ENABLE))
		val |= LVT_MASKED;
	LREG(l, reg) = val & mask[reg - APIC_LVT_TIMER];
	if (reg == APIC_LVT_LINT0) /* the 8259s may have waited for it */
		WRITE_ONCE(hvm_vcpu(l->vcpu)->irq_check, true);
	if (reg == APIC_LVT_TIMER && timer_mode(l) != lvt_timer_mode(l)) {
		l->timer_mode = lvt_timer_mode(l);
		timer_stop(&l->timer);
		l->period = 0;
		l->tsc_deadline = 0;
	}
}

HOT bool vlapic_write(struct vlapic *l, unsigned int reg, uint32_t val)
{
	bool x2apic = vlapic_x2apic(l);

	switch (reg) {
	case APIC_EOI:
		eoi(l);
		return true;
	case APIC_ICR:
		LREG(l, APIC_ICR) = val & ~(uint32_t)BIT(12);
		send_ipi(l, val,
			 x2apic ? LREG(l, APIC_ICR2)
				: LREG(l, APIC_ICR2) >> 24);
		return true;
	case APIC_TPR:
		set_tpr(l, val);
		return true;
	case APIC_ID:
		if (!x2apic)
			LREG(l, reg) = val & 0xff000000;
		return !x2apic;
	case APIC_LDR:
		if (!x2apic)
			LREG(l, reg) = val & 0xff000000;
		return !x2apic;
	case APIC_DFR:
		if (!x2apic)
			LREG(l, reg) = val | 0x0fffffff;
		return !x2apic;
	case APIC_SVR:
		set_svr(l, val);
		return true;
	case APIC_ESR:
		LREG(l, reg) = 0;
		return true;
	case APIC_ICR2:
		LREG(l, reg) = val;
		return true;
	case APIC_LVT_TIMER ... APIC_LVT_ERROR:
		set_lvt(l, reg, val);
		return true;
	case APIC_TMICT:
		LREG(l, reg) = val;
		start_timer(l);
		return true;
	case APIC_TDCR:
		LREG(l, reg) = val & 0xb;
		return true;
	default:
		return false;
	}
}

static bool x2apic_readable(unsigned int reg)
{
	switch (reg) {
	case APIC_ID:
	case APIC_VERSION:
	case APIC_TPR:
	case APIC_PPR:
	case APIC_LDR:
	case APIC_SVR:
	case APIC_ISR ... APIC_ESR:
	case APIC_ICR:
	case APIC_LVT_TIMER ... APIC_TMCCT:
	case APIC_TDCR:
		return true;
	default:
		return false;
	}
}

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800

bool vlapic_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	unsigned int reg = msr - MSR_X2APIC;

	if (msr == MSR_APIC_BASE) {
		*val = l->base;
		return true;
	}
	if (msr == MSR_TSC_DEADLINE) {
		*val = l->tsc_deadline;
		return true;
	}
	if (reg > 0x3f || !vlapic_x2apic(l) || !x2apic_readable(reg))
		return false;
	*val = vlapic_read(l, reg);
	if (reg == APIC_ICR)
		*val |= (uint64_t)LREG(l, APIC_ICR2) << 32;
	return true;
}

HOT bool vlapic_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	unsigned int reg = msr - MSR_X2APIC;

	if (msr == MSR_APIC_BASE)
		return vlapic_set_base(l, val);
	if (msr == MSR_TSC_DEADLINE) {
		set_deadline(l, val);
		return true;
	}
	if (reg > 0x3f || !vlapic_x2apic(l))
		return false;
	switch (reg) {
	case APIC_ICR:
		LREG(l, APIC_ICR2) = (uint32_t)(val >> 32);
		return vlapic_write(l, reg, (uint32_t)val);
	case APIC_SELF_IPI:
		if (val & ~0xffUL)
			return false;
		if (val < 16)
			LREG(l, APIC_ESR) |= ESR_BAD_VECTOR_SENT;
		else
			vlapic_set_irq(l, (uint8_t)val, false);
		return true;
	case APIC_EOI:
	case APIC_ESR:
		return !val && vlapic_write(l, reg, 0);
	case APIC_ICR2:
		return false;
	default:
		return !(val >> 32) && vlapic_write(l, reg, (uint32_t)val);
	}
}

static void set_x2apic_id(struct vlapic *l)
{
	uint32_t id = l->vcpu->id * 2; /* as Xen numbers its guests' CPUs */

	LREG(l, APIC_ID) = id;
	LREG(l, APIC_LDR) = (id >> 4) << 16 | 1U << (id & 0xf);
}

static unsigned int in_service(const struct vlapic *l)
{
	unsigned int n = 0;

	for (unsigned int r = APIC_ISR; r < APIC_TMR; r++)
		for (uint32_t w = LREG(l, r); w; w &= w - 1)
			n++;
	return n;
}

void vlapic_changed(struct vlapic *l)
{
	struct hvm_vcpu *hv = hvm_vcpu(l->vcpu);

	l->isr_count = in_service(l);
	l->timer_mode = lvt_timer_mode(l);
	l->tmr_changed = true;
	l->assisted = hvm_ops->apic_mode && hvm_ops->apic_mode(l->vcpu);
	if (l->assisted && hv->tpr_watched) {
		hv->tpr_watched = false;
		hvm_ops->watch_tpr(l->vcpu, false);
	}
	WRITE_ONCE(hv->irq_check, true);
}

void vlapic_written(struct vlapic *l, unsigned int reg)
{
	if (reg < VLAPIC_REGS)
		vlapic_write(l, reg, LREG(l, reg));
}

void vlapic_ended(struct vlapic *l, uint8_t vector)
{
	vioapic_eoi(l->vcpu->domain, vector);
}

bool vlapic_set_base(struct vlapic *l, uint64_t val)
{
	uint64_t modes = APIC_BASE_EXTD | APIC_BASE_ENABLE;
	uint64_t old = l->base & modes, new = val &modes;

	if (new == APIC_BASE_EXTD)
		return false;
	/* From x2APIC back to xAPIC only through "off"; not straight to it. */
	if (old == modes && new == APIC_BASE_ENABLE)
		return false;
	if (!old && new == modes)
		return false;
	l->base = APIC_DEFAULT_BASE | (l->base & APIC_BASE_BSP) | new;
	if (new == modes && old != modes)
		set_x2apic_id(l);
	if (!new &&old)
		vlapic_reset(l, true);
	else
		vlapic_changed(l);
	return true;
}

/* AMD APM Vol. 2, "APIC State After Reset": an INIT keeps the base. */
void vlapic_reset(struct vlapic *l, bool init_signal)
{
	timer_stop(&l->timer);
	l->period = 0;
	l->tsc_deadline = 0;
	l->isr_count = 0;
	if (!init_signal)
		l->base = APIC_DEFAULT_BASE | APIC_BASE_ENABLE |
			  (l->vcpu->id ? 0 : APIC_BASE_BSP);
	memset(l->page, 0, PAGE_SIZE);
	LREG(l, APIC_ID) = l->vcpu->id * 2 << 24;
	LREG(l, APIC_VERSION) = LAPIC_VERSION;
	LREG(l, APIC_DFR) = 0xffffffff;
	LREG(l, APIC_SVR) = 0xff;
	for (unsigned int r = APIC_LVT_TIMER; r <= APIC_LVT_ERROR; r++)
		LREG(l, r) = LVT_MASKED;
	if (vlapic_x2apic(l))
		set_x2apic_id(l);
	hvm_ops->set_creg(l->vcpu, CR8, 0);
	vlapic_changed(l);
}

int vlapic_init(struct vcpu *v)
{
	struct vlapic *l = xnew(struct vlapic);

	if (!l)
		return -ENOMEM;
	*l = (struct vlapic){.vcpu = v, .page = alloc_page_virt(ALLOC_ZERO)};
	if (!l->page) {
		xfree(l);
		return -ENOMEM;
	}
	timer_init(&l->timer, timer_fired, l);
	hvm_vcpu(v)->lapic = l;
	return 0;
}

void vlapic_destroy(struct vcpu *v)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;

	if (!l)
		return;
	timer_kill(&l->timer);
	free_page_virt(l->page);
	xfree(l);
	hvm_vcpu(v)->lapic = NULL;
}
