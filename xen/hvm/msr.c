/* SPDX-License-Identifier: MIT */
/*
 * MSRs that exit. What a guest may see is: registers of its own, a few that say
 * nothing, and otherwise #GP, as on a machine without them.
 */
#include "hvm/hvm.h"

#include "console/printk.h"
#include "cpu/time.h"
#include "domain/cpu_policy.h"
#include "domain/guest_access.h"
#include "hvm/dev/vlapic.h"
#include "mem/frame.h"
#include "mem/layout.h"

#define HOT __attribute__((section(".text.hot")))

#define MSR_TSC           0x10
#define MSR_PLATFORM_ID   0x17
#define MSR_APIC_BASE     0x1b
#define MSR_TSC_ADJUST    0x3b
#define MSR_MICROCODE     0x8b
#define MSR_PLATFORM_INFO 0xce
#define MSR_MTRR_CAP      0xfe
#define MSR_MISC_ENABLE   0x1a0
#define MSR_DEBUGCTL      0x1d9
#define MSR_MTRR_BASE0    0x200
#define MSR_MTRR_FIX64K   0x250
#define MSR_MTRR_FIX16K   0x258
#define MSR_MTRR_FIX4K    0x268
#define MSR_PAT_          0x277
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MSR_TSC_DEADLINE  0x6e0
#define MSR_XSS           0xda0
#define MSR_X2APIC_FIRST  0x800
#define MSR_X2APIC_LAST   0x8ff
#define MSR_XEN_HYPERCALL 0x40000000
#define MSR_TSC_AUX       0xc0000103
#define MSR_SYSCFG        0xc0010010
#define MSR_HWCR          0xc0010015

#define EFER_FFXSR BIT(14)
#define EFER_LMSLE BIT(13)

/* Fixed ranges 64K, 16K x 2, 4K x 8; variable ones. */
#define MTRR_CAP (MTRR_VARIABLE | BIT(8) | BIT(10))

bool hvm_set_efer(struct vcpu *v, uint64_t val)
{
	const struct cpu_policy *p = v->domain->policy;
	uint64_t old = hvm_ops->get_creg(v, EFER);
	uint64_t allowed = EFER_LMA;

	if (p->extd[1].d & BIT(11))
		allowed |= EFER_SCE;
	if (p->extd[1].d & BIT(20))
		allowed |= EFER_NXE;
	if (p->extd[1].d & BIT(29))
		allowed |= EFER_LME;
	if (p->extd[1].d & BIT(25))
		allowed |= EFER_FFXSR;
	if (val & ~allowed)
		return false;
	if (((val ^ old) & EFER_LME) &&
	    (hvm_ops->get_creg(v, CR0) & X86_CR0_PG))
		return false;
	hvm_ops->set_creg(v, EFER, (val & ~EFER_LMA) | (old & EFER_LMA));
	return true;
}

static uint64_t *mtrr_register(struct domain *d, uint32_t msr)
{
	struct hvm_mtrr *m = &hvm_domain(d)->mtrr;

	if (msr - MSR_MTRR_BASE0 < MTRR_VARIABLE * 2)
		return &m->variable[msr - MSR_MTRR_BASE0];
	switch (msr) {
	case MSR_MTRR_FIX64K:
		return &m->fixed[0];
	case MSR_MTRR_FIX16K:
	case MSR_MTRR_FIX16K + 1:
		return &m->fixed[1 + msr - MSR_MTRR_FIX16K];
	case MSR_MTRR_FIX4K ... MSR_MTRR_FIX4K + 7:
		return &m->fixed[3 + msr - MSR_MTRR_FIX4K];
	case MSR_MTRR_DEF_TYPE:
		return &m->def_type;
	default:
		return NULL;
	}
}

/* As the firmware leaves them: write-back wherever nothing else is said. */
void hvm_msr_init(struct domain *d)
{
	struct hvm_mtrr *m = &hvm_domain(d)->mtrr;

	m->def_type = BIT(11) | 6;
	for (unsigned int i = 0; i < MTRR_FIXED; i++)
		m->fixed[i] = 0x0606060606060606UL;
}

/* Known to be read by kernels, and to say nothing. */
static bool reads_as_zero(uint32_t msr)
{
	switch (msr) {
	case MSR_PLATFORM_ID:
	case MSR_MICROCODE:
	case MSR_DEBUGCTL:
	case 0x1db ... 0x1de: /* last branch records */
	case 0x179:           /* MCG_CAP: no banks */
	case 0x17a:           /* MCG_STATUS */
	case MSR_SYSCFG:
	case MSR_HWCR:
	case 0xc0010000 ... 0xc0010007: /* K7 performance counters */
	case 0xc0010200 ... 0xc001020b:
	case 0xc001001f:                /* NB_CFG */
	case 0xc0010055:                /* interrupt pending message */
	case 0xc0010058:                /* MMCONFIG base */
	case 0xc0010061 ... 0xc001006b: /* P-states */
	case 0xc001100c ... 0xc0011029: /* DE_CFG and neighbours */
	case 0xc0010112 ... 0xc0010114: /* SMM, VM_CR */
		return true;
	default:
		return false;
	}
}

static bool read_rare(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);
	uint64_t *mtrr = mtrr_register(v->domain, msr);

	*val = 0;
	if (mtrr) {
		*val = *mtrr;
		return true;
	}
	switch (msr) {
	case MSR_MTRR_CAP:
		*val = MTRR_CAP;
		return true;
	case MSR_TSC_ADJUST:
		*val = hv->tsc_adjust;
		return true;
	case MSR_MISC_ENABLE:
		*val = hv->misc_enable;
		return cpu_features.vendor == CPU_INTEL;
	case MSR_XSS:
		*val = 0;
		return cpu_policy_has_xsaves(v->domain->policy);
	case MSR_PLATFORM_INFO:
		*val = v->domain->policy->platform_info;
		return cpu_features.vendor == CPU_INTEL;
	}
	if (hvm_ops->get_msr(v, msr, val) || reads_as_zero(msr))
		return true;
	printk(XENLOG_GUEST XENLOG_DEBUG "d%uv%u: RDMSR %#x: #GP\n",
	       v->domain->id, v->id, msr);
	return false;
}

HOT bool hvm_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	if (msr - MSR_X2APIC_FIRST <= MSR_X2APIC_LAST - MSR_X2APIC_FIRST)
		return vlapic_rdmsr(v, msr, val);
	switch (msr) {
	case MSR_APIC_BASE:
	case MSR_TSC_DEADLINE:
		return vlapic_rdmsr(v, msr, val);
	case MSR_EFER:
		*val = hvm_ops->get_creg(v, EFER);
		return true;
	case MSR_TSC:
		*val = rdtsc() + v->tsc_offset;
		return true;
	case MSR_TSC_AUX:
		*val = hv->tsc_aux;
		return true;
	default:
		return read_rare(v, msr, val);
	}
}

/* A frame number and a page of it: filled with our calls. */
static bool write_hypercall_page(struct vcpu *v, uint64_t val)
{
	struct domain *d = v->domain;
	enum p2m_type type;
	mfn_t mfn;

	if (val & ~PAGE_MASK) {
		printk(XENLOG_GUEST XENLOG_INFO
		       "d%uv%u: hypercall page %#lx: there is only page 0\n",
		       d->id, v->id, val & ~PAGE_MASK);
		return false;
	}
	mfn = get_guest_frame(d, gpa_to_gfn(val), true, &type);
	if (mfn_eq(mfn, INVALID_MFN)) {
		printk(XENLOG_GUEST XENLOG_INFO
		       "d%uv%u: hypercall page at %#lx, which is no RAM\n",
		       d->id, v->id, val);
		return false;
	}
	hvm_hypercall_page(d, mfn_to_virt(mfn));
	put_guest_frame(mfn, true);
	return true;
}

void hvm_set_tsc_offset(struct vcpu *v, uint64_t offset)
{
	v->tsc_offset = offset;
	hvm_ops->set_tsc_offset(v, offset);
	vcpu_update_time(v);
}

/* AMD APM Vol. 2, "Page-Attribute Table": which memory types exist. */
static bool is_memory_type(uint8_t t, bool pat)
{
	return t == 0 || t == 1 || t == 4 || t == 5 || t == 6 ||
	       (pat && t == 7);
}

static bool all_memory_types(uint64_t val, bool pat)
{
	for (unsigned int i = 0; i < 64; i += 8)
		if (!is_memory_type((uint8_t)(val >> i), pat))
			return false;
	return true;
}

static bool write_mtrr(uint64_t *reg, uint32_t msr, uint64_t val)
{
	if (msr >= MSR_MTRR_FIX64K && msr < MSR_MTRR_DEF_TYPE &&
	    !all_memory_types(val, false))
		return false;
	if (msr == MSR_MTRR_DEF_TYPE && !is_memory_type(val & 0xff, false))
		return false;
	*reg = val;
	return true;
}

static bool write_rare(struct vcpu *v, uint32_t msr, uint64_t val)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);
	uint64_t *mtrr = mtrr_register(v->domain, msr);

	if (mtrr)
		return write_mtrr(mtrr, msr, val);
	switch (msr) {
	case MSR_TSC:
		hvm_set_tsc_offset(v, val - rdtsc());
		return true;
	case MSR_TSC_ADJUST:
		hvm_set_tsc_offset(v, v->tsc_offset + val - hv->tsc_adjust);
		hv->tsc_adjust = val;
		return true;
	case MSR_PAT_:
		return all_memory_types(val, true) &&
		       hvm_ops->set_msr(v, msr, val);
	case MSR_MISC_ENABLE:
		hv->misc_enable = val;
		return cpu_features.vendor == CPU_INTEL;
	case MSR_XSS: /* there are no supervisor states */
		return !val && cpu_policy_has_xsaves(v->domain->policy);
	case MSR_XEN_HYPERCALL:
		return write_hypercall_page(v, val);
	}
	if (hvm_ops->set_msr(v, msr, val))
		return true;
	if (reads_as_zero(msr))
		return true; /* and writes go nowhere */
	printk(XENLOG_GUEST XENLOG_DEBUG "d%uv%u: WRMSR %#x = %#lx: #GP\n",
	       v->domain->id, v->id, msr, val);
	return false;
}

HOT bool hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	if (msr - MSR_X2APIC_FIRST <= MSR_X2APIC_LAST - MSR_X2APIC_FIRST)
		return vlapic_wrmsr(v, msr, val);
	switch (msr) {
	case MSR_APIC_BASE:
	case MSR_TSC_DEADLINE:
		return vlapic_wrmsr(v, msr, val);
	case MSR_EFER:
		return hvm_set_efer(v, val);
	case MSR_TSC_AUX:
		if (val >> 32)
			return false;
		hvm_vcpu(v)->tsc_aux = val;
		if (cpu_features.rdtscp)
			wrmsr(MSR_TSC_AUX, val);
		return true;
	default:
		return write_rare(v, msr, val);
	}
}
