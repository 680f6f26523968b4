/* SPDX-License-Identifier: MIT */
/*
 * Instructions that a guest's kernel has left in its code although they are for
 * ring 0 only: they fault, and are done for it as far as it may do them.
 */
#include "pv/pv.h"

#include "console/printk.h"
#include "cpu/time.h"
#include "domain/cpu_policy.h"
#include "domain/guest_access.h"
#include "emulate/decode.h"
#include "lib/errno.h"
#include "pv/io.h"

#include <xen/arch-x86/cpuid.h>

#define HOT __attribute__((section(".text.hot")))

#define XEN_LEAVES  0x40000000
#define XEN_VERSION (4U << 16 | 17)
#define CR4_OSXSAVE BIT(18)
#define RCX         1
#define RDX         2
#define RBX         3

static uint32_t apic_id(const struct vcpu *v)
{
	return v->id * 2;
}

static void xen_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub,
		     struct cpuid_regs *r)
{
	*r = (struct cpuid_regs){};
	switch (leaf - XEN_LEAVES) {
	case 0:
		*r = (struct cpuid_regs){
			XEN_LEAVES + 5, XEN_CPUID_SIGNATURE_EBX,
			XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX};
		break;
	case 1:
		r->a = XEN_VERSION;
		break;
	case 2:
		r->c = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case 3:
		if (sub == 0) {
			r->a = 1U << 1;
			r->c = (uint32_t)tsc_khz;
		} else if (sub == 1) {
			r->c = tsc_mul;
			r->d = (uint32_t)tsc_shift;
		} else if (sub == 2) {
			r->a = (uint32_t)tsc_khz;
		}
		break;
	case 5:
		r->b = cpu_features.phys_bits;
		break;
	}
	(void)v;
}

void pv_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub,
	      struct cpuid_regs *out)
{
	if (leaf - XEN_LEAVES < 0x100) {
		xen_leaf(v, leaf, sub, out);
		return;
	}
	cpu_policy_leaf(v->domain, leaf, sub, out);
	switch (leaf) {
	case 1:
		out->b = (out->b & 0xffff) | apic_id(v) << 24 |
			 min(v->domain->max_vcpus * 2, 255U) << 16;
		out->c &= ~(uint32_t)BIT(27);
		if (pv_vcpu(v)->ctrlreg4 & CR4_OSXSAVE)
			out->c |= BIT(27);
		break;
	case 0xb:
		out->d = apic_id(v);
		break;
	case 0xd:
		if (sub < 2 && v->domain->policy->xstate[0].a)
			out->b = cpu_policy_xsave_size(
				v->domain->policy, pv_vcpu(v)->fpu->xcr0, sub);
		break;
	case 0x8000001e:
		out->a = apic_id(v);
		break;
	}
}

static void do_cpuid(struct vcpu *v)
{
	struct guest_regs *r = &v->regs;
	struct cpuid_regs out;

	pv_cpuid(v, (uint32_t)r->rax, (uint32_t)r->rcx, &out);
	r->rax = out.a;
	r->rbx = out.b;
	r->rcx = out.c;
	r->rdx = out.d;
}

/* public/arch-x86/xen.h, XEN_EMULATE_PREFIX: UD2 and "xen", then CPUID; as a
 * word, the first byte lowest. */
#define FORCED_CPUID      0xa20f6e65780b0fUL
#define FORCED_CPUID_SIZE 7

HOT bool pv_forced_cpuid(struct vcpu *v)
{
	uint64_t insn = 0;

	/* A word is there but at a mapping's very end. */
	if (unlikely(pv_copy_from_guest(v, &insn, v->regs.rip, sizeof(insn))) &&
	    pv_fetch(v->regs.rip, &insn, FORCED_CPUID_SIZE) !=
		    FORCED_CPUID_SIZE)
		return false;
	if (insn << 8 != FORCED_CPUID << 8)
		return false;
	v->regs.rip += FORCED_CPUID_SIZE;
	do_cpuid(v);
	return true;
}

static bool read_cr(struct vcpu *v, const struct insn *i)
{
	const struct pv_vcpu *pv = pv_vcpu(v);
	uint64_t *to = &(&v->regs.rax)[i->rm];

	switch (i->reg) {
	case 0:
		*to = (read_cr0() & ~X86_CR0_TS) | (pv->ts ? X86_CR0_TS : 0);
		return true;
	case 2:
		*to = pv->cr2;
		return true;
	case 3:
		*to = mfn_to_maddr(pv->mm.cr3_kernel);
		return true;
	case 4:
		*to = pv->ctrlreg4;
		return true;
	}
	return false;
}

void pv_set_ts(struct vcpu *v, bool on)
{
	uint64_t cr0 = read_cr0();

	pv_vcpu(v)->ts = on;
	write_cr0(on ? cr0 | X86_CR0_TS : cr0 & ~X86_CR0_TS);
}

/* Bits that a guest may believe it sets. */
static bool cr4_ok(uint64_t val)
{
	return !(val & ~(read_cr4() | BIT(2) | BIT(0) | BIT(1)));
}

/* 0: done; -ERESTART: again; -EINVAL: #GP. */
static int write_cr(struct vcpu *v, const struct insn *i)
{
	uint64_t val = (&v->regs.rax)[i->rm];
	struct pv_vcpu *pv = pv_vcpu(v);

	switch (i->reg) {
	case 0:
		if ((val ^ read_cr0()) & ~X86_CR0_TS)
			return -EINVAL;
		pv_set_ts(v, val & X86_CR0_TS);
		return 0;
	case 2:
		pv->cr2 = val;
		return 0;
	case 3:
		return pv_new_base(v, val >> PAGE_SHIFT);
	case 4:
		if (!cr4_ok(val))
			return -EINVAL;
		pv->ctrlreg4 = val;
		return 0;
	}
	return -EINVAL;
}

static bool move_dr(struct vcpu *v, const struct insn *i)
{
	uint64_t *r = &(&v->regs.rax)[i->rm];

	if (i->opcode == 0x23)
		return !pv_set_debugreg_value(v, i->reg, *r);
	if (i->reg > 7)
		return false;
	*r = pv_vcpu(v)->dr[i->reg == 4 || i->reg == 5 ? i->reg + 2 : i->reg];
	return true;
}

static bool move_msr(struct vcpu *v, const struct insn *i)
{
	struct guest_regs *r = &v->regs;
	uint64_t val = (uint32_t)r->rax | r->rdx << 32;

	if (i->opcode == 0x30)
		return pv_wrmsr(v, (uint32_t)r->rcx, val);
	if (!pv_rdmsr(v, (uint32_t)r->rcx, &val))
		return false;
	r->rax = (uint32_t)val;
	r->rdx = val >> 32;
	return true;
}

static bool set_xcr0(struct vcpu *v)
{
	struct guest_regs *r = &v->regs;
	uint64_t val = (uint32_t)r->rax | r->rdx << 32;

	if ((uint32_t)r->rcx || !(pv_vcpu(v)->ctrlreg4 & CR4_OSXSAVE) ||
	    (val & ~cpu_policy_xcr0(v->domain->policy)))
		return false;
	return fpu_set_xcr0(pv_vcpu(v)->fpu, val, true);
}

static bool two_byte(struct vcpu *v, const struct insn *i, int *rc)
{
	switch (i->opcode) {
	case 0x01: /* XSETBV */
		return i->modrm == 0xd1 && set_xcr0(v);
	case 0x06: /* CLTS */
		pv_set_ts(v, false);
		return true;
	case 0x08: /* INVD */
	case 0x09: /* WBINVD */
		return true;
	case 0x20:
		return read_cr(v, i);
	case 0x22:
		*rc = write_cr(v, i);
		return *rc != -EINVAL;
	case 0x21:
	case 0x23:
		return move_dr(v, i);
	case 0x30:
	case 0x32:
		return move_msr(v, i);
	case 0x31: /* RDTSC, if CR4.TSD were set */
		v->regs.rax = (uint32_t)rdtsc();
		v->regs.rdx = rdtsc() >> 32;
		return true;
	case 0xa2:
		do_cpuid(v);
		return true;
	}
	return false;
}

static bool one_byte(struct vcpu *v, const struct insn *i, bool *block,
		     bool *again)
{
	switch (i->opcode) {
	case 0xf4: /* HLT */
		*block = true;
		return true;
	case 0xfa: /* CLI and STI: events are masked otherwise */
	case 0xfb:
		return pv_vcpu(v)->iopl >= (pv_vcpu(v)->in_kernel ? 1 : 3);
	}
	return pv_port_insn(v, i, again);
}

bool pv_emulate(struct vcpu *v)
{
	bool kernel = pv_vcpu(v)->in_kernel, block = false, again = false, done;
	uint8_t bytes[INSN_MAX];
	struct insn i;
	size_t n = pv_fetch(v->regs.rip, bytes, sizeof(bytes));
	int rc = 0;

	if (!insn_decode(&i, bytes, (unsigned int)n, 64) || i.vex)
		return false;
	if (i.map == MAP_ONE)
		done = (kernel || i.opcode != 0xf4) &&
		       one_byte(v, &i, &block, &again);
	else
		done = kernel && i.map == MAP_0F && two_byte(v, &i, &rc);
	if (!done)
		return false;
	if (again || rc == -ERESTART || rc == -EBUSY)
		return true;
	v->regs.rip += i.length;
	if (block) {
		if (v->info)
			WRITE_ONCE(v->info->evtchn_upcall_mask, 0);
		vcpu_block(v);
	}
	return true;
}
