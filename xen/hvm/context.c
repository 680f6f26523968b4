/* SPDX-License-Identifier: MIT */
/*
 * A vCPU's state at its start: power-on, a SIPI, what VCPUOP_initialise
 * (public/hvm/hvm_vcpu.h) or a domain builder says.
 */
#include "hvm/hvm.h"

#include "console/printk.h"
#include "cpu/fpu.h"
#include "hvm/debug.h"
#include "hvm/dev/vlapic.h"
#include "lib/errno.h"
#include "lib/string.h"

#include <xen/hvm/hvm_vcpu.h>

#define ATTR_CODE16 0x9b /* accessed, readable code; present */
#define ATTR_DATA16 0x93
#define ATTR_TSS    0x8b
#define ATTR_LDT    0x82
#define EFLAGS_ONE  BIT(1)

static void set_seg(struct vcpu *v, enum hvm_seg s, uint16_t sel, uint16_t attr,
		    uint32_t limit, uint64_t base)
{
	struct hvm_segment g = {sel, attr, limit, base};

	hvm_ops->set_seg(v, s, &g);
}

static void set_data_segs(struct vcpu *v, uint16_t attr, uint32_t limit)
{
	static const enum hvm_seg data[] = {SEG_SS, SEG_DS, SEG_ES, SEG_FS,
					    SEG_GS};

	for (unsigned int i = 0; i < ARRAY_SIZE(data); i++)
		set_seg(v, data[i], 0, attr, limit, 0);
}

/* AMD APM Vol. 2, "Initial Processor State": power-on or INIT. */
void hvm_vcpu_reset(struct vcpu *v)
{
	static const uint64_t dr[8] = {[6] = 0xffff0ff0, [7] = 0x400};
	struct cpuid_regs id = {};

	hvm_cpuid(v, 1, 0, &id);
	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.rdx = id.a;
	v->regs.rip = 0xfff0;
	v->regs.rflags = EFLAGS_ONE;
	hvm_ops->set_creg(v, CR0, BIT(4) | X86_CR0_CD | X86_CR0_NW);
	hvm_ops->set_creg(v, CR2, 0);
	hvm_ops->set_creg(v, CR3, 0);
	hvm_ops->set_creg(v, CR4, 0);
	hvm_ops->set_creg(v, EFER, 0);
	set_seg(v, SEG_CS, 0xf000, ATTR_CODE16, 0xffff, 0xffff0000);
	set_data_segs(v, ATTR_DATA16, 0xffff);
	set_seg(v, SEG_TR, 0, ATTR_TSS, 0xffff, 0);
	set_seg(v, SEG_LDTR, 0, ATTR_LDT, 0xffff, 0);
	set_seg(v, SEG_GDTR, 0, 0, 0xffff, 0);
	set_seg(v, SEG_IDTR, 0, 0, 0xffff, 0);
	hvm_ops->set_dr(v, dr);
	hvm_ops->forget_events(v);
}

void hvm_vcpu_start_at(struct vcpu *v, uint8_t vector)
{
	const struct vcpu *first = v->domain->vcpu[0];

	/* All that one system starts have one time. */
	if (v->tsc_offset != first->tsc_offset)
		hvm_set_tsc_offset(v, first->tsc_offset);
	v->regs.rip = 0;
	hvm_ops->set_creg(v, CR0, BIT(4));
	set_seg(v, SEG_CS, (uint16_t)(vector << 8), ATTR_CODE16, 0xffff,
		(uint64_t)vector << 12);
}

/* The attribute bits that every segment of a protected-mode start must have. */
static bool bad_segment(const char *name, uint16_t attr, bool code)
{
	bool bad = (attr & 0xf000) || !(attr & SEG_ATTR_P) || !(attr & BIT(4));

	if (code)
		bad = bad || !(attr & BIT(3));
	if (bad)
		printk(XENLOG_GUEST XENLOG_INFO
		       "initial context: attributes %#x of %s\n",
		       attr, name);
	return bad;
}

static int set_context32(struct vcpu *v, const struct vcpu_hvm_x86_32 *r)
{
	if (bad_segment("CS", r->cs_ar, true) ||
	    bad_segment("SS", r->ss_ar, false) ||
	    (r->ds_ar && bad_segment("DS", r->ds_ar, false)) ||
	    (r->es_ar && bad_segment("ES", r->es_ar, false)))
		return -EINVAL;
	if ((r->cr0 & X86_CR0_PG) && !(r->cr0 & X86_CR0_PE))
		return -EINVAL;
	v->regs = (struct guest_regs){
		.rax = r->eax,
		.rcx = r->ecx,
		.rdx = r->edx,
		.rbx = r->ebx,
		.rsp = r->esp,
		.rbp = r->ebp,
		.rsi = r->esi,
		.rdi = r->edi,
		.rip = r->eip,
		.rflags = r->eflags | EFLAGS_ONE,
	};
	hvm_ops->set_creg(v, CR0, r->cr0);
	hvm_ops->set_creg(v, CR3, r->cr3);
	hvm_ops->set_creg(v, CR4, r->cr4);
	hvm_ops->set_creg(v, EFER, r->efer);
	set_data_segs(v, 0, 0);
	set_seg(v, SEG_CS, 0, r->cs_ar, r->cs_limit, r->cs_base);
	set_seg(v, SEG_SS, 0, r->ss_ar, r->ss_limit, r->ss_base);
	set_seg(v, SEG_DS, 0, r->ds_ar, r->ds_limit, r->ds_base);
	set_seg(v, SEG_ES, 0, r->es_ar, r->es_limit, r->es_base);
	set_seg(v, SEG_TR, 0, r->tr_ar ? r->tr_ar : ATTR_TSS, r->tr_limit,
		r->tr_base);
	return 0;
}

static int set_context64(struct vcpu *v, const struct vcpu_hvm_x86_64 *r)
{
	if (!(r->efer & EFER_LME) || !(r->cr0 & X86_CR0_PG) ||
	    !(r->cr0 & X86_CR0_PE) || !(r->cr4 & X86_CR4_PAE))
		return -EINVAL;
	v->regs = (struct guest_regs){
		.rax = r->rax,
		.rcx = r->rcx,
		.rdx = r->rdx,
		.rbx = r->rbx,
		.rsp = r->rsp,
		.rbp = r->rbp,
		.rsi = r->rsi,
		.rdi = r->rdi,
		.rip = r->rip,
		.rflags = r->rflags | EFLAGS_ONE,
	};
	hvm_ops->set_creg(v, CR0, r->cr0);
	hvm_ops->set_creg(v, CR3, r->cr3);
	hvm_ops->set_creg(v, CR4, r->cr4);
	hvm_ops->set_creg(v, EFER, r->efer | EFER_LMA);
	set_data_segs(v, 0xc93, ~0U);
	set_seg(v, SEG_CS, 0, 0xa9b, ~0U, 0);
	set_seg(v, SEG_TR, 0, ATTR_TSS, 0x67, 0);
	return 0;
}

/* Bits of CR0, CR4 and EFER that a guest's first state may have. */
static bool bad_registers(struct vcpu *v, uint64_t cr0, uint64_t cr4,
			  uint64_t efer)
{
	uint64_t efer_bits = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;

	(void)v;
	return (cr0 >> 32) || (cr4 & ~0x7fffffUL) || (cr4 & BIT(13)) ||
	       (efer & ~efer_bits);
}

int hvm_set_context(struct vcpu *v, const void *ctx, size_t size)
{
	const struct vcpu_hvm_context *c = ctx;
	int rc;

	if (size < sizeof(*c) || c->pad)
		return -EINVAL;
	hvm_vcpu_reset(v);
	if (c->mode == VCPU_HVM_MODE_32B) {
		const struct vcpu_hvm_x86_32 *r = &c->cpu_regs.x86_32;

		rc = bad_registers(v, r->cr0, r->cr4, r->efer)
			     ? -EINVAL
			     : set_context32(v, r);
	} else if (c->mode == VCPU_HVM_MODE_64B) {
		const struct vcpu_hvm_x86_64 *r = &c->cpu_regs.x86_64;

		rc = bad_registers(v, r->cr0, r->cr4, r->efer)
			     ? -EINVAL
			     : set_context64(v, r);
	} else {
		rc = -EINVAL;
	}
	if (rc)
		return rc;
	hvm_vcpu(v)->in_reset = false;
	v->initialised = true;
	return 0;
}

int hvm_get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct guest_regs *r = &v->regs;
	struct hvm_segment seg;

	memset(c, 0, sizeof(*c));
	c->flags = VGCF_in_kernel | (v->online ? VGCF_online : 0);
	c->user_regs.rax = r->rax;
	c->user_regs.rbx = r->rbx;
	c->user_regs.rcx = r->rcx;
	c->user_regs.rdx = r->rdx;
	c->user_regs.rsi = r->rsi;
	c->user_regs.rdi = r->rdi;
	c->user_regs.rbp = r->rbp;
	c->user_regs.rsp = r->rsp;
	c->user_regs.r8 = r->r8;
	c->user_regs.r9 = r->r9;
	c->user_regs.r10 = r->r10;
	c->user_regs.r11 = r->r11;
	c->user_regs.r12 = r->r12;
	c->user_regs.r13 = r->r13;
	c->user_regs.r14 = r->r14;
	c->user_regs.r15 = r->r15;
	c->user_regs.rip = r->rip;
	c->user_regs.rflags = hvm_own_rflags(v);
	hvm_ops->get_seg(v, SEG_CS, &seg);
	c->user_regs.cs = seg.sel;
	hvm_ops->get_seg(v, SEG_SS, &seg);
	c->user_regs.ss = seg.sel;
	hvm_ops->get_seg(v, SEG_FS, &seg);
	c->user_regs.fs = seg.sel;
	c->fs_base = seg.base;
	hvm_ops->get_seg(v, SEG_GS, &seg);
	c->user_regs.gs = seg.sel;
	c->gs_base_kernel = seg.base;
	c->ctrlreg[0] = hvm_ops->get_creg(v, CR0);
	c->ctrlreg[2] = hvm_ops->get_creg(v, CR2);
	c->ctrlreg[3] = hvm_ops->get_creg(v, CR3);
	c->ctrlreg[4] = hvm_ops->get_creg(v, CR4);
	return 0;
}
