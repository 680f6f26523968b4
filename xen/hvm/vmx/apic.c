/* SPDX-License-Identifier: MIT */
/*
 * The local APIC with the processor's help (Intel SDM Vol. 3, "APIC
 * Virtualization and Virtual Interrupts"). The page of hvm/dev/vlapic.c is the
 * virtual-APIC page: register reads, TPR, self IPIs and EOIs need no exit, and
 * what is in IRR is delivered as soon as the guest can take it. What a write
 * means beyond the page comes as an exit after it (timer, ICR); an EOI exits if
 * its interrupt was level-triggered.
 *
 * xAPIC: the guest's page at APIC_DEFAULT_BASE is the domain's APIC-access
 * page, whose contents nobody ever sees. x2APIC: a bitmap of MSRs lets through
 * what the processor understands.
 */
#include "hvm/vmx/vmx.h"

#include "hvm/dev/vlapic.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "mem/alloc.h"

bool vmx_use_apic = true;
PARAM_BOOL("apicv", vmx_use_apic,
	   "the processor works on guests' local APICs itself");

#define APIC_CONTROLS                                                          \
	(PROC2_APIC_ACCESS | PROC2_X2APIC | PROC2_APIC_REGS | PROC2_VID)

int vmx_apic_domain_init(struct domain *d)
{
	struct vmx_domain *vd = vmx_domain(d);
	int rc;

	if (!vmx_caps.xapic)
		return 0;
	vd->apic = alloc_page_virt(ALLOC_ZERO);
	if (!vd->apic)
		return -ENOMEM;
	p2m_lock(&d->p2m);
	rc = p2m_set(&d->p2m, gpa_to_gfn(APIC_DEFAULT_BASE),
		     virt_to_mfn(vd->apic), 1, P2M_SHARED);
	p2m_unlock(&d->p2m);
	if (rc)
		vmx_apic_domain_destroy(d);
	return rc;
}

void vmx_apic_domain_destroy(struct domain *d)
{
	struct vmx_domain *vd = vmx_domain(d);

	free_page_virt(vd->apic);
	vd->apic = NULL;
}

/* The controls that go with the APIC's mode now. */
static uint32_t controls_for(const struct vcpu *v, const struct vlapic *l)
{
	uint32_t help = PROC2_APIC_REGS | PROC2_VID;

	if (!(l->base & APIC_BASE_ENABLE))
		return 0;
	if (vlapic_x2apic(l))
		return vmx_caps.x2apic ? help | PROC2_X2APIC : 0;
	return vmx_domain(v->domain)->apic ? help | PROC2_APIC_ACCESS : 0;
}

bool vmx_apic_mode(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	uint32_t want = controls_for(v, hvm_vcpu(v)->lapic);
	bool held;

	if ((s->proc2 & APIC_CONTROLS) == want)
		return want;
	held = vmx_hold(s);
	s->proc2 = (s->proc2 & ~(uint32_t)APIC_CONTROLS) | want;
	vmcs_set_proc2_controls(s->proc2);
	vmcs_set_msr_bitmap(vmx_msr_bitmap(v->domain, want & PROC2_X2APIC));
	/* Translations of the APIC-access page may be cached either way. */
	s->flush_ept = true;
	vmx_release(s, held);
	return want;
}

/* Which EOIs exit: those of level-triggered interrupts. */
static void set_eoi_exits(struct vlapic *l)
{
	uint64_t bits[4];

	WRITE_ONCE(l->tmr_changed, false);
	smp_mb();
	for (unsigned int i = 0; i < 4; i++)
		bits[i] = READ_ONCE(LREG(l, APIC_TMR + 2 * i)) |
			  (uint64_t)READ_ONCE(LREG(l, APIC_TMR + 2 * i + 1))
				  << 32;
	vmcs_set_eoi_exit0(bits[0]);
	vmcs_set_eoi_exit1(bits[1]);
	vmcs_set_eoi_exit2(bits[2]);
	vmcs_set_eoi_exit3(bits[3]);
}

/* "Guest Interrupt Status": the highest in service, the highest requested. */
__attribute__((section(".text.hot"))) void vmx_apic_sync(struct vcpu *v)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	int rvi = -1, svi = vlapic_highest_in(l, APIC_ISR);

	if (unlikely(READ_ONCE(l->tmr_changed)))
		set_eoi_exits(l);
	/* Off by SVR, it accepts and delivers nothing. */
	if (vlapic_enabled(l))
		rvi = vlapic_highest_in(l, APIC_IRR);
	vmcs_set_guest_intr_status(
		(uint16_t)((svi > 0 ? svi : 0) << 8 | (rvi > 0 ? rvi : 0)));
}

/*
 * Access: an instruction that the processor does not do on the page; it is
 * emulated as any access to emulated memory. Write: it was done on the page,
 * the instruction is over. ("APIC-Access VM Exits", "APIC-Write VM Exits")
 */
void vmx_decode_apic(struct vcpu *v, uint32_t reason, struct vmexit *x)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	uint64_t q = vmcs_get_qualification();
	unsigned int how = (q >> 12) & 15;

	x->info1 = q;
	x->kind = VMEXIT_INTERNAL;
	if (reason == VMX_EOI) {
		vlapic_ended(l, (uint8_t)q);
	} else if (reason == VMX_APIC_WRITE) {
		vlapic_written(l, (q & 0xfff) >> 4);
	} else {
		x->kind = VMEXIT_NPF;
		x->npf.gpa = APIC_DEFAULT_BASE | (q & 0xfff);
		x->npf.present = true;
		x->npf.write = how == 1;
		x->npf.fetch = how == 2;
		x->npf.in_table = how > 2;
	}
}
