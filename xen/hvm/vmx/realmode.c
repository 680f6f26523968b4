/* SPDX-License-Identifier: MIT */
/*
 * Guests without paging on processors without unrestricted guest, which run
 * nothing unless PE and PG are set (Intel SDM Vol. 3, "Restrictions on VMX
 * Operation").
 *
 * Protected mode without paging runs on a page table of the guest's memory that
 * maps the first 4 GiB one to one (HVM_PARAM_IDENT_PT, which the builder of the
 * domain makes). CR3, EFER.LME and what of CR4 would mean another kind of
 * paging are the guest's to see, not the processor's.
 *
 * Real mode, and protected mode as long as segments are such as VM entry
 * refuses (on the way from the one to the other), is emulated: an entry is not
 * even tried, and the exit says VMEXIT_EMULATE, with the event that would have
 * gone in.
 */
#include "hvm/vmx/vmx.h"

#define CR4_PSE   BIT(4)
#define CR4_PCIDE BIT(17)
#define CR4_SMEP  BIT(20)
#define CR4_SMAP  BIT(21)
/* Of 32-bit paging with large pages, which are user ones, nothing else. */
#define CR4_NOT_UNPAGED (X86_CR4_PAE | CR4_PCIDE | CR4_SMEP | CR4_SMAP)

static void put_cr4(const struct vmx_vcpu *s)
{
	uint64_t val = (s->cr4 & ~CR4_GUEST_OWNED) |
		       (vmcs_get_guest_cr4() & CR4_GUEST_OWNED);

	if (s->unpaged)
		val = (val & ~CR4_NOT_UNPAGED) | CR4_PSE;
	vmcs_set_guest_cr4((val | vmx_caps.cr4_fixed0) & vmx_caps.cr4_fixed1);
}

/* LMA is LME where there is paging, says VM entry. */
static void put_efer(const struct vmx_vcpu *s)
{
	uint64_t val = s->efer;
	uint32_t entry = vmx_caps.entry & ~(uint32_t)ENTRY_GUEST64;

	if (s->unpaged)
		val &= ~(uint64_t)(EFER_LME | EFER_LMA);
	vmcs_set_guest_efer(val);
	vmcs_set_entry_controls(val & EFER_LMA ? entry | ENTRY_GUEST64 : entry);
}

static void switch_paging(struct vmx_vcpu *s, bool unpaged)
{
	uint32_t exits = PROC_CR3_LOAD | PROC_CR3_STORE;

	if (unpaged)
		s->cr3 = vmcs_get_guest_cr3();
	else
		vmcs_set_guest_cr3(s->cr3);
	vmx_set_proc(s, unpaged ? s->proc | exits : s->proc & ~exits);
	s->unpaged = unpaged; /* vmx_load_pdptes() has our table's CR3 */
}

void vmx_put_mode(struct vmx_vcpu *s)
{
	bool unpaged = !(s->cr0 & X86_CR0_PG);

	if (unpaged != s->unpaged)
		switch_paging(s, unpaged);
	put_cr4(s);
	put_efer(s);
	s->check_mode = true;
}

/*
 * Real mode leaves selectors of any RPL. A data segment's own level is looked
 * at again only when a ring further out is returned to; so it may as well be
 * what VM entry asks for.
 */
static void fit_data_segments(void)
{
	static const enum vmcs_field fields[][2] = {
		{VMCS_guest_es_sel, VMCS_guest_es_ar},
		{VMCS_guest_ds_sel, VMCS_guest_ds_ar},
		{VMCS_guest_fs_sel, VMCS_guest_fs_ar},
		{VMCS_guest_gs_sel, VMCS_guest_gs_ar},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		uint32_t ar = (uint32_t)vmread(fields[i][1]);
		uint32_t rpl = vmread(fields[i][0]) & 3;

		if (!(ar & AR_UNUSABLE) && AR_DPL(ar) < rpl)
			vmwrite(fields[i][1], ar | AR_DPL_MASK);
	}
}

bool vmx_must_emulate(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);

	if (!(s->cr0 & X86_CR0_PE))
		return true;
	if (s->unpaged && !hvm_domain(v->domain)->params[HVM_PARAM_IDENT_PT])
		return true; /* its builder made no table */
	if (!(v->regs.rflags & X86_EFLAGS_VM))
		fit_data_segments();
	if (vmx_check_segments(vmread_any, &vmx_caps, v->regs.rflags))
		return true;
	s->check_mode = false;
	return false;
}

void vmx_emulate(struct vcpu *v, struct vmexit *x)
{
	uint32_t error, event = vmx_take_event(v, &error);

	*x = (struct vmexit){.kind = VMEXIT_EMULATE};
	x->event.valid = event & EVENT_VALID;
	x->event.vector = event & EVENT_VECTOR;
	x->event.has_error = event & EVENT_ERROR;
	x->event.error = error;
}
