/* SPDX-License-Identifier: MIT */
/*
 * What VM entry checks of the guest's state (Intel SDM Vol. 3, "Checking and
 * Loading Guest State"), so that a failed entry can say which check it was: the
 * processor does not. In the manual's order; the first that fails is named.
 */
#include "hvm/vmx/vmx.h"

#define CR4_PCIDE BIT(17)
#define FLAGS_VM  BIT(17)
/* IA32_DEBUGCTL: LBR, BTF, (BLD), TR to freezing while in SMM, RTM. */
#define DEBUGCTL_BTF      BIT(1)
#define DEBUGCTL_RESERVED (~0xffc7UL)
/* Pending debug exceptions: B0 to B3, enabled breakpoint, BS, RTM. */
#define PENDING_BS    BIT(14)
#define PENDING_RTM   BIT(16)
#define PENDING_KNOWN (GENMASK(3, 0) | BIT(12) | PENDING_BS | PENDING_RTM)

struct state {
	uint64_t (*get)(enum vmcs_field f);
	const struct vmx_caps *caps;
	bool long_mode, v86, unrestricted;
	uint64_t cr0, cr4, rflags;
};

/* Beyond bit n - 1 all are as that one. */
static bool extends(uint64_t v, unsigned int n)
{
	return (uint64_t)((int64_t)(v << (64 - n)) >> (64 - n)) == v;
}

static bool canonical(uint64_t v)
{
	return extends(v, 48);
}

static bool beyond_memory(uint64_t address)
{
	return address >> cpu_features.phys_bits;
}

/* "Checks on Guest Control Registers, Debug Registers, and MSRs" */
static const char *check_crs(const struct state *g)
{
	uint64_t must0 = g->caps->cr0_fixed0;

	if (g->unrestricted)
		must0 &= ~(X86_CR0_PE | X86_CR0_PG);
	if ((must0 & ~g->cr0) || (g->cr0 & ~g->caps->cr0_fixed1))
		return "CR0 has a bit that is fixed otherwise";
	if ((g->cr0 & X86_CR0_PG) && !(g->cr0 & X86_CR0_PE))
		return "CR0.PG without PE";
	if ((g->caps->cr4_fixed0 & ~g->cr4) || (g->cr4 & ~g->caps->cr4_fixed1))
		return "CR4 has a bit that is fixed otherwise";
	if (g->long_mode && !(g->cr0 & X86_CR0_PG))
		return "64-bit guest without CR0.PG";
	if (g->long_mode && !(g->cr4 & X86_CR4_PAE))
		return "64-bit guest without CR4.PAE";
	if (!g->long_mode && (g->cr4 & CR4_PCIDE))
		return "CR4.PCIDE outside long mode";
	if (beyond_memory(g->get(VMCS_guest_cr3)))
		return "CR3 beyond physical addresses";
	if (g->get(VMCS_guest_debugctl) & DEBUGCTL_RESERVED)
		return "DEBUGCTL has a reserved bit";
	if (g->get(VMCS_guest_dr7) >> 32)
		return "DR7 beyond 32 bits";
	return NULL;
}

static bool is_pat_type(uint8_t t)
{
	return t == 0 || t == 1 || (t >= 4 && t <= 7);
}

static const char *check_msrs(const struct state *g)
{
	uint64_t pat = g->get(VMCS_guest_pat), efer = g->get(VMCS_guest_efer);

	if (!canonical(g->get(VMCS_guest_sysenter_esp)) ||
	    !canonical(g->get(VMCS_guest_sysenter_eip)))
		return "SYSENTER_ESP or EIP is not canonical";
	for (unsigned int i = 0; i < 64; i += 8)
		if (!is_pat_type((uint8_t)(pat >> i)))
			return "PAT has a type that is none";
	if (efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE))
		return "EFER has a reserved bit";
	if (!(efer & EFER_LMA) == g->long_mode)
		return "EFER.LMA is not the 64-bit-guest control";
	if ((g->cr0 & X86_CR0_PG) && !(efer & EFER_LMA) != !(efer & EFER_LME))
		return "EFER.LMA is not EFER.LME with paging";
	return NULL;
}

static enum vmcs_field nth(enum vmcs_field first, unsigned int i)
{
	return (enum vmcs_field)(first + 2 * i);
}
enum { ES, CS, SS, DS, FS, GS, LDTR, TR };

static uint32_t ar_of(const struct state *g, unsigned int i)
{
	return (uint32_t)g->get(nth(VMCS_guest_es_ar, i));
}

/* A limit's low and high bits decide what granularity may be. */
static bool bad_granularity(uint32_t ar, uint32_t limit)
{
	return ((limit & 0xfff) != 0xfff && (ar & AR_G)) ||
	       ((limit >> 20) && !(ar & AR_G));
}

static unsigned int rpl_of(const struct state *g, unsigned int i)
{
	return g->get(nth(VMCS_guest_es_sel, i)) & 3;
}

static bool reserved_ar(uint32_t ar)
{
	return ar & AR_RESERVED;
}

static const char *check_v86(const struct state *g)
{
	for (unsigned int i = ES; i <= GS; i++) {
		uint64_t sel = g->get(nth(VMCS_guest_es_sel, i));

		if (g->get(nth(VMCS_guest_es_base, i)) != sel << 4 ||
		    g->get(nth(VMCS_guest_es_limit, i)) != 0xffff ||
		    ar_of(g, i) != 0xf3)
			return "a segment is not as virtual-8086 mode has it";
	}
	return NULL;
}

static const char *check_cs(const struct state *g)
{
	uint32_t ar = ar_of(g, CS), type = ar & AR_TYPE;
	uint32_t ss_dpl = AR_DPL(ar_of(g, SS));

	if (ar & AR_UNUSABLE)
		return "CS is unusable";
	if (!(type == 3 && g->unrestricted) && (type & 9) != 9)
		return "CS is no accessed code segment";
	if (!(ar & AR_S) || !(ar & AR_P))
		return "CS is not present";
	if (type == 3 && AR_DPL(ar))
		return "CS.DPL with a data segment as CS";
	if ((type == 9 || type == 11) && AR_DPL(ar) != ss_dpl)
		return "CS.DPL is not SS.DPL";
	if ((type == 13 || type == 15) && AR_DPL(ar) > ss_dpl)
		return "CS.DPL is above SS.DPL";
	if (reserved_ar(ar))
		return "CS has a reserved bit";
	if (g->long_mode && (ar & AR_L) && (ar & AR_D))
		return "CS has L and D";
	if (bad_granularity(ar, (uint32_t)g->get(VMCS_guest_cs_limit)))
		return "CS: limit and granularity";
	return NULL;
}

/* What an unrestricted guest need not heed is about RPLs. */
static const char *check_ss(const struct state *g)
{
	uint32_t ss = ar_of(g, SS), cs = ar_of(g, CS);

	if (!g->unrestricted && rpl_of(g, SS) != rpl_of(g, CS))
		return "SS.RPL is not CS.RPL";
	if (!g->unrestricted && AR_DPL(ss) != rpl_of(g, SS))
		return "SS.DPL is not SS.RPL";
	if (((cs & AR_TYPE) == 3 || !(g->cr0 & X86_CR0_PE)) && AR_DPL(ss))
		return "SS.DPL in real mode or with a data segment as CS";
	return NULL;
}

static const char *check_data(const struct state *g)
{
	for (unsigned int i = ES; i <= GS; i++) {
		uint32_t ar = ar_of(g, i), type = ar & AR_TYPE;

		if (i == CS || (ar & AR_UNUSABLE))
			continue;
		if (i == SS && type != 3 && type != 7)
			return "SS is no writable data segment";
		if (!(type & 1) || ((type & 8) && !(type & 2)))
			return "a data segment is not accessed or readable";
		if (!(ar & AR_S) || !(ar & AR_P))
			return "a data segment is not present";
		if (!g->unrestricted && i != SS && type <= 11 &&
		    AR_DPL(ar) < rpl_of(g, i))
			return "a data segment's DPL is below its RPL";
		if (reserved_ar(ar))
			return "a data segment has a reserved bit";
		if (bad_granularity(
			    ar, (uint32_t)g->get(nth(VMCS_guest_es_limit, i))))
			return "a data segment: limit and granularity";
	}
	return NULL;
}

static const char *check_system(const struct state *g)
{
	uint32_t tr = ar_of(g, TR), ldtr = ar_of(g, LDTR);
	uint32_t type = tr & AR_TYPE;

	if (tr & AR_UNUSABLE)
		return "TR is unusable";
	if (type != 11 && (type != 3 || g->long_mode))
		return "TR is no busy TSS";
	if ((tr & AR_S) || !(tr & AR_P))
		return "TR is not present";
	if (reserved_ar(tr))
		return "TR has a reserved bit";
	if (g->get(VMCS_guest_tr_sel) & 4)
		return "TR is in the LDT";
	if (bad_granularity(tr, (uint32_t)g->get(VMCS_guest_tr_limit)))
		return "TR: limit and granularity";
	if (ldtr & AR_UNUSABLE)
		return NULL;
	if ((ldtr & AR_TYPE) != 2 || (ldtr & AR_S) || !(ldtr & AR_P))
		return "LDTR is no present LDT";
	if (reserved_ar(ldtr))
		return "LDTR has a reserved bit";
	if (g->get(VMCS_guest_ldtr_sel) & 4)
		return "LDTR is in the LDT";
	if (bad_granularity(ldtr, (uint32_t)g->get(VMCS_guest_ldtr_limit)))
		return "LDTR: limit and granularity";
	return NULL;
}

static const char *check_bases(const struct state *g)
{
	static const uint8_t always[] = {FS, GS, TR};

	for (unsigned int i = 0; i < ARRAY_SIZE(always); i++)
		if (!canonical(g->get(nth(VMCS_guest_es_base, always[i]))))
			return "a base of FS, GS or TR is not canonical";
	if (!(ar_of(g, LDTR) & AR_UNUSABLE) &&
	    !canonical(g->get(VMCS_guest_ldtr_base)))
		return "LDTR's base is not canonical";
	for (unsigned int i = ES; i <= DS; i++)
		if (!(ar_of(g, i) & AR_UNUSABLE) &&
		    g->get(nth(VMCS_guest_es_base, i)) >> 32)
			return "a base of CS, SS, DS or ES beyond 32 bits";
	if (!canonical(g->get(VMCS_guest_gdtr_base)) ||
	    !canonical(g->get(VMCS_guest_idtr_base)))
		return "a base of GDTR or IDTR is not canonical";
	if (g->get(VMCS_guest_gdtr_limit) >> 16 ||
	    g->get(VMCS_guest_idtr_limit) >> 16)
		return "a limit of GDTR or IDTR beyond 16 bits";
	return NULL;
}

/* "Checks on Guest RIP, RFLAGS, and SSP" */
static const char *check_rip(const struct state *g)
{
	uint64_t rip = g->get(VMCS_guest_rip);
	uint32_t event = (uint32_t)g->get(VMCS_entry_event);

	/* Of a linear address's 48 bits the highest may differ. */
	if (!(g->long_mode && (ar_of(g, CS) & AR_L)) ? rip >> 32 != 0
						     : !extends(rip, 49))
		return "RIP";
	if ((g->rflags & 0xffffffffffc08028UL) || !(g->rflags & 2))
		return "RFLAGS has a reserved bit";
	if (g->v86 && (g->long_mode || !(g->cr0 & X86_CR0_PE)))
		return "RFLAGS.VM in this mode";
	if ((event & EVENT_VALID) && !(event & EVENT_TYPE) &&
	    !(g->rflags & X86_EFLAGS_IF))
		return "an interrupt goes in without RFLAGS.IF";
	return NULL;
}

/* "Checks on Guest Non-Register State" */
static const char *check_rest(const struct state *g)
{
	uint32_t blocking = (uint32_t)g->get(VMCS_guest_blocking);
	uint32_t event = (uint32_t)g->get(VMCS_entry_event);
	bool valid = event & EVENT_VALID;

	if (g->get(VMCS_guest_activity))
		return "activity state"; /* we use no other */
	if (blocking >> 5)
		return "interruptibility has a reserved bit";
	if (blocking & BLOCKING_SMI)
		return "blocking by SMI outside SMM";
	if ((blocking & BLOCKING_STI) && (blocking & BLOCKING_MOVSS))
		return "blocking by STI and by MOV SS";
	if ((blocking & BLOCKING_STI) && !(g->rflags & X86_EFLAGS_IF))
		return "blocking by STI without RFLAGS.IF";
	if (valid && !(event & EVENT_TYPE) &&
	    (blocking & (BLOCKING_STI | BLOCKING_MOVSS)))
		return "an interrupt goes in while blocked";
	if (valid && (event & EVENT_TYPE) == EVENT_NMI &&
	    (blocking & (BLOCKING_MOVSS | BLOCKING_NMI)))
		return "an NMI goes in while blocked";
	if (g->get(VMCS_link_pointer) != ~0UL)
		return "VMCS link pointer";
	return NULL;
}

/* The same: after STI or MOV SS a single step waits exactly if TF asks for it.
 */
static const char *check_pending(const struct state *g)
{
	uint64_t pending = g->get(VMCS_guest_pending_debug);
	uint32_t blocking = (uint32_t)g->get(VMCS_guest_blocking);
	bool steps = (g->rflags & X86_EFLAGS_TF) &&
		     !(g->get(VMCS_guest_debugctl) & DEBUGCTL_BTF);

	if (pending & ~PENDING_KNOWN)
		return "pending debug exceptions: a reserved bit";
	if ((blocking & (BLOCKING_STI | BLOCKING_MOVSS)) &&
	    !(pending & PENDING_BS) == steps)
		return "pending debug exceptions: BS is not what TF asks for";
	if ((pending & PENDING_RTM) && pending != (PENDING_RTM | BIT(12)))
		return "pending debug exceptions: RTM";
	return NULL;
}

/* "Checks on Guest Page-Directory-Pointer-Table Entries" */
static const char *check_pdptes(const struct state *g)
{
	if (!(g->cr0 & X86_CR0_PG) || !(g->cr4 & X86_CR4_PAE) || g->long_mode)
		return NULL;
	for (unsigned int i = 0; i < 4; i++) {
		uint64_t e = g->get(nth(VMCS_guest_pdpte0, i));

		if ((e & 1) && ((e & 0x1e6) || beyond_memory(e)))
			return "a PDPTE has a reserved bit";
	}
	return NULL;
}

typedef const char *check_fn(const struct state *);

static struct state state_of(uint64_t (*get)(enum vmcs_field f),
			     const struct vmx_caps *c, uint64_t rflags)
{
	return (struct state){
		.get = get,
		.caps = c,
		.long_mode = get(VMCS_entry_controls) & ENTRY_GUEST64,
		.v86 = rflags & FLAGS_VM,
		.unrestricted = get(VMCS_proc2_controls) & PROC2_UNRESTRICTED,
		.cr0 = get(VMCS_guest_cr0),
		.cr4 = get(VMCS_guest_cr4),
		.rflags = rflags,
	};
}

/* "Checks on Guest Segment Registers" */
static const char *check_segments(const struct state *g)
{
	static check_fn *const checks[] = {check_cs, check_ss, check_data,
					   check_system, check_bases};
	const char *bad = g->v86 ? check_v86(g) : NULL;

	for (unsigned int i = g->v86 ? 3 : 0; !bad && i < ARRAY_SIZE(checks);
	     i++)
		bad = checks[i](g);
	return bad;
}

const char *vmx_check_segments(uint64_t (*get)(enum vmcs_field f),
			       const struct vmx_caps *c, uint64_t rflags)
{
	struct state g = state_of(get, c, rflags);

	return check_segments(&g);
}

const char *vmx_check_guest(uint64_t (*get)(enum vmcs_field f),
			    const struct vmx_caps *c)
{
	static check_fn *const checks[] = {
		check_crs,  check_msrs,    check_segments, check_rip,
		check_rest, check_pending, check_pdptes,
	};
	struct state g = state_of(get, c, get(VMCS_guest_rflags));
	const char *bad = NULL;

	for (unsigned int i = 0; !bad && i < ARRAY_SIZE(checks); i++)
		bad = checks[i](&g);
	return bad;
}
