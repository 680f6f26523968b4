/* SPDX-License-Identifier: MIT */
/* A vCPU's local APIC: xAPIC by memory, x2APIC by MSR. */
#ifndef OSTLER_HVM_DEV_VLAPIC_H
#define OSTLER_HVM_DEV_VLAPIC_H

#include "hvm/hvm.h"

#define APIC_DEFAULT_BASE 0xfee00000UL
#define APIC_BASE_BSP     BIT(8)
#define APIC_BASE_EXTD    BIT(10)
#define APIC_BASE_ENABLE  BIT(11)

enum apic_reg {
	APIC_ID = 0x02,
	APIC_VERSION = 0x03,
	APIC_TPR = 0x08,
	APIC_APR = 0x09,
	APIC_PPR = 0x0a,
	APIC_EOI = 0x0b,
	APIC_LDR = 0x0d,
	APIC_DFR = 0x0e,
	APIC_SVR = 0x0f,
	APIC_ISR = 0x10,
	APIC_TMR = 0x18,
	APIC_IRR = 0x20,
	APIC_ESR = 0x28,
	APIC_ICR = 0x30,
	APIC_ICR2 = 0x31,
	APIC_LVT_TIMER = 0x32,
	APIC_LVT_THERMAL = 0x33,
	APIC_LVT_PERF = 0x34,
	APIC_LVT_LINT0 = 0x35,
	APIC_LVT_LINT1 = 0x36,
	APIC_LVT_ERROR = 0x37,
	APIC_TMICT = 0x38,
	APIC_TMCCT = 0x39,
	APIC_TDCR = 0x3e,
	APIC_SELF_IPI = 0x3f,
};

/* Registers lie in a page as the hardware has them: 32 bits every 16 bytes. A
 * processor that helps works on that page, too. */
#define VLAPIC_REGS  64
#define LREG(l, reg) ((l)->page[(reg)*4])
struct vlapic {
	struct vcpu *vcpu;
	uint64_t base; /* MSR 0x1b */
	uint32_t *page;
	/* The processor takes interrupts from IRR by itself, and EOIs. */
	bool assisted;
	bool tmr_changed; /* which EOIs we want to hear of, too */
	uint8_t timer_mode;
	uint64_t tsc_deadline;
	struct timer timer;
	s_time_t period;      /* of the periodic timer, ns */
	s_time_t timer_start; /* when the count was written */
	uint32_t isr_count;   /* vectors in service */
	uint32_t init_sipi;   /* PENDING_*, and the vector of a SIPI */
};
#define PENDING_INIT BIT(8)
#define PENDING_SIPI BIT(9)

int vlapic_init(struct vcpu *v);
void vlapic_destroy(struct vcpu *v);
/* As after power-on, or INIT; the vendor's half of the vCPU is there. */
void vlapic_reset(struct vlapic *l, bool init_signal);
/* The base or all registers were written: what is kept beside them follows. */
void vlapic_changed(struct vlapic *l);
/* The timer goes on from its registers: the current count, the deadline. */
void vlapic_rearm(struct vlapic *l);

/* A vector arrives; any CPU, any context. */
void vlapic_set_irq(struct vlapic *l, uint8_t vector, bool level);
/* The vector to take now, or -1: the highest in IRR above the priority of what
 * is in service and of TPR. *any: there would be one but for TPR. */
int vlapic_highest(struct vlapic *l, bool *any);
bool vlapic_has_work(struct vlapic *l);
/* The highest vector in one of the 256-bit registers, -1: none. */
int vlapic_highest_in(const struct vlapic *l, unsigned int reg);
/* An assisting processor wrote reg, or was told of the end of a
 * level-triggered interrupt. */
void vlapic_written(struct vlapic *l, unsigned int reg);
void vlapic_ended(struct vlapic *l, uint8_t vector);
/*
 * The vector goes to the guest's door: while the guest runs it may be taken,
 * and requested again, before anybody sees it, so it leaves IRR beforehand.
 * Taken, it is in service; else it is requested as before.
 */
void vlapic_lend(struct vlapic *l, uint8_t vector);
void vlapic_ack(struct vlapic *l, uint8_t vector);
void vlapic_return(struct vlapic *l, uint8_t vector);

/* MSR access, x2APIC or APIC base, deadline; false: #GP. */
bool vlapic_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool vlapic_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val);
bool vlapic_set_base(struct vlapic *l, uint64_t val);
uint32_t vlapic_read(struct vlapic *l, unsigned int reg);
bool vlapic_write(struct vlapic *l, unsigned int reg, uint32_t val);
static inline bool vlapic_enabled(const struct vlapic *l)
{
	return (l->base & APIC_BASE_ENABLE) && (LREG(l, APIC_SVR) & BIT(8));
}
static inline bool vlapic_x2apic(const struct vlapic *l)
{
	return (l->base & (APIC_BASE_ENABLE | APIC_BASE_EXTD)) ==
	       (APIC_BASE_ENABLE | APIC_BASE_EXTD);
}
/* Its registers are in that page of memory. */
static inline bool vlapic_is_at(const struct vlapic *l, gpa_t gpa)
{
	return (l->base & (PAGE_MASK | APIC_BASE_ENABLE | APIC_BASE_EXTD)) ==
	       ((gpa & PAGE_MASK) | APIC_BASE_ENABLE);
}
/* Does the vCPU take interrupts of the 8259s? */
static inline bool vlapic_takes_pic(const struct vlapic *l)
{
	/* Not masked, and ExtINT; or there is no local APIC. */
	return !(l->base & APIC_BASE_ENABLE) ||
	       (LREG(l, APIC_LVT_LINT0) & 0x10700) == 0x700;
}
/* Does mode-and-destination, as an MSI or I/O APIC entry has it, mean l? */
bool vlapic_match(const struct vlapic *l, uint32_t dest, bool logical);

/* Delivery from an I/O APIC entry or MSI. mode: 0 fixed, 1 lowest priority,
 * 4 NMI, 5 INIT. The first vCPU that took it, or NULL. */
struct vcpu *vlapic_deliver(struct domain *d, uint32_t dest, bool logical,
			    unsigned int mode, uint8_t vector, bool level);
/* INIT and SIPI that came for the vCPU; on its own CPU. */
void vlapic_do_init_sipi(struct vcpu *v);

#endif
