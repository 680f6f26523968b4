/* SPDX-License-Identifier: MIT */
/*
 * The choice of controls. One table says what each known control is to us; a
 * control that the CPU forces on and we leave off would exit in ways that
 * nobody answers, so such a CPU is refused, with the control's name.
 */
#include "hvm/vmx/caps.h"

#include "hvm/vmx/vmcs.h"
#include "lib/string.h"

enum group { PIN, PROC, PROC2, EXIT, ENTRY, GROUPS };

enum use {
	MUST,    /* on; no running without it */
	WANT,    /* on where offered */
	RUNTIME, /* goes on and off later: must be offered, off at first */
	MAYBE,   /* the same, where offered */
	LEAVE,   /* off */
};

static const struct cap {
	uint8_t group, use;
	uint32_t bit;
	const char *name;
} caps[] = {
	{PIN, MUST, PIN_EXTINT, "external-interrupt exiting"},
	{PIN, MUST, PIN_NMI, "NMI exiting"},
	{PIN, MUST, PIN_VIRTUAL_NMI, "virtual NMIs"},
	{PIN, MAYBE, PIN_TIMER, "preemption timer"},
	{PIN, LEAVE, PIN_POSTED, "posted interrupts"},
	{PROC, RUNTIME, PROC_INTR_WINDOW, "interrupt window"},
	{PROC, MUST, PROC_TSC_OFFSET, "TSC offset"},
	{PROC, MUST, PROC_HLT, "HLT exiting"},
	{PROC, LEAVE, PROC_INVLPG, "INVLPG exiting"},
	{PROC, MUST, PROC_MWAIT, "MWAIT exiting"},
	{PROC, MUST, PROC_RDPMC, "RDPMC exiting"},
	{PROC, RUNTIME, PROC_RDTSC, "RDTSC exiting"},
	{PROC, RUNTIME, PROC_CR3_LOAD, "CR3-load exiting"},
	{PROC, RUNTIME, PROC_CR3_STORE, "CR3-store exiting"},
	{PROC, LEAVE, PROC_CR8_LOAD, "CR8-load exiting"},
	{PROC, LEAVE, PROC_CR8_STORE, "CR8-store exiting"},
	{PROC, MUST, PROC_TPR_SHADOW, "TPR shadow"},
	{PROC, RUNTIME, PROC_NMI_WINDOW, "NMI window"},
	{PROC, MUST, PROC_MOV_DR, "MOV-DR exiting"},
	{PROC, LEAVE, PROC_IO, "unconditional I/O exiting"},
	{PROC, MUST, PROC_IO_BITMAPS, "I/O bitmaps"},
	{PROC, LEAVE, PROC_MTF, "monitor trap flag"},
	{PROC, MUST, PROC_MSR_BITMAPS, "MSR bitmaps"},
	{PROC, MUST, PROC_MONITOR, "MONITOR exiting"},
	{PROC, LEAVE, PROC_PAUSE, "PAUSE exiting"},
	{PROC, MUST, PROC_SECONDARY, "secondary controls"},
	{PROC2, MAYBE, PROC2_APIC_ACCESS, "APIC-access page"},
	{PROC2, MUST, PROC2_EPT, "EPT"},
	{PROC2, LEAVE, PROC2_DT_EXITING, "descriptor-table exiting"},
	{PROC2, WANT, PROC2_RDTSCP, "RDTSCP"},
	{PROC2, MAYBE, PROC2_X2APIC, "x2APIC mode"},
	{PROC2, WANT, PROC2_VPID, "VPID"},
	{PROC2, WANT, PROC2_WBINVD, "WBINVD exiting"},
	{PROC2, WANT, PROC2_UNRESTRICTED, "unrestricted guest"},
	{PROC2, MAYBE, PROC2_APIC_REGS, "APIC registers"},
	{PROC2, MAYBE, PROC2_VID, "virtual-interrupt delivery"},
	{PROC2, WANT, PROC2_PLE, "pause-loop exiting"},
	{PROC2, LEAVE, PROC2_RDRAND, "RDRAND exiting"},
	{PROC2, WANT, PROC2_INVPCID, "INVPCID"},
	{PROC2, LEAVE, PROC2_VMFUNC, "VM functions"},
	{PROC2, LEAVE, PROC2_SHADOWING, "VMCS shadowing"},
	{PROC2, LEAVE, PROC2_ENCLS, "ENCLS exiting"},
	{PROC2, LEAVE, PROC2_RDSEED, "RDSEED exiting"},
	{PROC2, MAYBE, PROC2_PML, "page-modification log"},
	{PROC2, LEAVE, PROC2_VE, "EPT violation #VE"},
	{PROC2, WANT, PROC2_XSAVES, "XSAVES"},
	{PROC2, LEAVE, PROC2_TSC_SCALING, "TSC scaling"},
	{EXIT, MUST, EXIT_DEBUG, "save debug controls"},
	{EXIT, MUST, EXIT_HOST64, "64-bit host"},
	{EXIT, LEAVE, EXIT_PERF, "exit: performance control"},
	{EXIT, LEAVE, EXIT_ACK_INTR, "exit: acknowledge interrupt"},
	{EXIT, MUST, EXIT_LOAD_PAT, "exit: load PAT"},
	{EXIT, MUST, EXIT_LOAD_EFER, "exit: load EFER"},
	{EXIT, MAYBE, EXIT_SAVE_TIMER, "save preemption timer"},
	{ENTRY, MUST, ENTRY_DEBUG, "load debug controls"},
	{ENTRY, RUNTIME, ENTRY_GUEST64, "64-bit guest"},
	{ENTRY, LEAVE, ENTRY_SMM, "entry: to SMM"},
	{ENTRY, LEAVE, ENTRY_DUAL_OFF, "entry: dual-monitor treatment"},
	{ENTRY, LEAVE, ENTRY_PERF, "entry: performance control"},
	{ENTRY, MUST, ENTRY_LOAD_PAT, "entry: load PAT"},
	{ENTRY, MUST, ENTRY_LOAD_EFER, "entry: load EFER"},
};

/* IA32_VMX_EPT_VPID_CAP: what of it must be there. */
static const struct {
	uint8_t bit;
	const char *name;
} ept_must[] = {
	{6, "EPT of four levels"},     {14, "write-back EPT"}, {20, "INVEPT"},
	{25, "INVEPT of one context"}, {26, "INVEPT of all"},
};
#define EPT_EXEC_ONLY   BIT(0)
#define EPT_2M          BIT(16)
#define EPT_1G          BIT(17)
#define EPT_AD          BIT(21)
#define VPID_INVVPID    BIT(32)
#define VPID_ALL        BIT(42)
#define BASIC_INSN_INFO BIT(54)

static void append(char *buf, size_t size, const char *word)
{
	size_t at = strlen(buf), n = strlen(word), gap = at ? 2 : 0;

	if (at + gap + n >= size)
		return;
	memcpy(buf + at, ", ", gap);
	memcpy(buf + at + gap, word, n + 1);
}

static void controls(const struct vmx_msrs *m, uint32_t forced[GROUPS],
		     uint32_t offered[GROUPS])
{
	const uint64_t msr[GROUPS] = {m->pin, m->proc, m->proc2, m->exit,
				      m->entry};

	for (unsigned int g = 0; g < GROUPS; g++) {
		forced[g] = (uint32_t)msr[g];
		offered[g] = (uint32_t)(msr[g] >> 32);
	}
}

static bool is_on(const struct cap *k, const uint32_t *offered)
{
	return k->use == MUST ||
	       (k->use == WANT && (offered[k->group] & k->bit));
}

/* The controls by the table; what stands in the way goes to missing. */
static void choose_controls(const struct vmx_msrs *m, uint32_t on[GROUPS],
			    char *missing, size_t size)
{
	uint32_t forced[GROUPS], offered[GROUPS];

	controls(m, forced, offered);
	memcpy(on, forced, sizeof(forced));
	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++) {
		const struct cap *k = &caps[i];
		bool there = offered[k->group] & k->bit;

		if ((k->use == MUST || k->use == RUNTIME) && !there)
			append(missing, size, k->name);
		if (is_on(k, offered)) {
			on[k->group] |= k->bit;
		} else if (there && (forced[k->group] & k->bit)) {
			append(missing, size, k->name);
			append(missing, size, "which cannot be off");
		}
	}
}

static void choose_paging(const struct vmx_msrs *m, struct vmx_caps *c,
			  char *missing, size_t size)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(ept_must); i++)
		if (!(m->ept_vpid & BIT(ept_must[i].bit)))
			append(missing, size, ept_must[i].name);
	c->ept_exec_only = m->ept_vpid & EPT_EXEC_ONLY;
	c->ept_2m = m->ept_vpid & EPT_2M;
	c->ept_1g = m->ept_vpid & EPT_1G;
	c->ept_ad = m->ept_vpid & EPT_AD;
	if (!(m->ept_vpid & VPID_INVVPID) || !(m->ept_vpid & VPID_ALL))
		c->proc2 &= ~(uint32_t)PROC2_VPID;
	c->vpid = c->proc2 & PROC2_VPID;
}

/* What it logs is dirty bits that are set. */
static void choose_log(const struct vmx_msrs *m, struct vmx_caps *c)
{
	c->pml = c->ept_ad && ((m->proc2 >> 32) & PROC2_PML);
	if (c->pml)
		c->proc2 |= PROC2_PML;
}

/* Only together do they count what the guest really ran. */
static void choose_timer(const struct vmx_msrs *m, struct vmx_caps *c)
{
	if (!((m->pin >> 32) & PIN_TIMER) ||
	    !((m->exit >> 32) & EXIT_SAVE_TIMER))
		return;
	c->pin |= PIN_TIMER;
	c->exit |= EXIT_SAVE_TIMER;
}

/* By halves it would save no exits that are worth the two ways of working. */
static void choose_apic(const struct vmx_msrs *m, struct vmx_caps *c)
{
	uint32_t offered = (uint32_t)(m->proc2 >> 32);
	bool both = (offered & PROC2_APIC_REGS) && (offered & PROC2_VID);

	c->xapic = both && (offered & PROC2_APIC_ACCESS);
	c->x2apic = both && (offered & PROC2_X2APIC);
}

bool vmx_choose(const struct vmx_msrs *m, struct vmx_caps *c, char *missing,
		size_t size)
{
	uint32_t on[GROUPS];

	missing[0] = 0;
	*c = (struct vmx_caps){
		.revision = m->basic & 0x7fffffff,
		.cr0_fixed0 = m->cr0_fixed0,
		.cr0_fixed1 = m->cr0_fixed1,
		.cr4_fixed0 = m->cr4_fixed0,
		.cr4_fixed1 = m->cr4_fixed1,
		.insn_info = m->basic & BASIC_INSN_INFO,
		.timer_shift = m->misc & 31,
	};
	if (((m->basic >> 32) & 0x1fff) > PAGE_SIZE)
		append(missing, size, "a VMCS of one page");
	if (((m->basic >> 50) & 15) != 6)
		append(missing, size, "write-back access to the VMCS");
	choose_controls(m, on, missing, size);
	c->pin = on[PIN];
	c->proc = on[PROC];
	c->proc2 = on[PROC2];
	c->exit = on[EXIT];
	c->entry = on[ENTRY];
	choose_paging(m, c, missing, size);
	choose_log(m, c);
	choose_apic(m, c);
	choose_timer(m, c);
	return !missing[0];
}

/* Is it really in use? */
static bool is_used(const struct cap *k, const struct vmx_caps *c)
{
	if (k->group == PIN && k->bit == PIN_TIMER)
		return c->pin & PIN_TIMER;
	if (k->group == EXIT && k->bit == EXIT_SAVE_TIMER)
		return c->exit & EXIT_SAVE_TIMER;
	if (k->group == PROC2 && k->bit == PROC2_PML)
		return c->pml;
	if (k->group == PROC2 && k->use == MAYBE)
		return k->bit == PROC2_APIC_ACCESS ? c->xapic
		       : k->bit == PROC2_X2APIC    ? c->x2apic
						   : c->xapic || c->x2apic;
	if (k->group == PROC2 && k->bit == PROC2_VPID)
		return c->vpid;
	if (k->group == PROC2 && k->bit == PROC2_UNRESTRICTED)
		return c->proc2 & PROC2_UNRESTRICTED;
	return k->use != LEAVE;
}

void vmx_name_caps(const struct vmx_msrs *m, const struct vmx_caps *c,
		   bool used, char *buf, size_t size)
{
	uint32_t forced[GROUPS], offered[GROUPS];

	buf[0] = 0;
	controls(m, forced, offered);
	for (unsigned int i = 0; i < ARRAY_SIZE(caps); i++) {
		const struct cap *k = &caps[i];

		/* Those that must be there say nothing. */
		if (k->use == MUST || k->use == RUNTIME ||
		    !(offered[k->group] & k->bit))
			continue;
		/* An exit that nobody needs is no feature. */
		if (k->use == LEAVE && strchr(k->name, ':'))
			continue;
		if (k->use == LEAVE && strstr(k->name, "exiting"))
			continue;
		if (is_used(k, c) == used)
			append(buf, size, k->name);
	}
}
