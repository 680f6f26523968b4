/* SPDX-License-Identifier: MIT */
/* PV domains as a kind of domain: their creation and end, the kind's table. */
#include "pv/io.h"

#include "console/printk.h"
#include "cpu/smp.h"
#include "domain/cpu_policy.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "pv/check.h"
#include "pv/entry.h"
#include "pv/isolate.h"
#include "pv/pirq.h"

#include <xen/features.h>

/* entry.S knows where these are. */
#define AT(type, field, offset)                                                \
	_Static_assert(offsetof(type, field) == (offset), #field)
AT(struct vcpu, regs, 0);
AT(struct vcpu, arch, VCPU_ARCH);
AT(struct vcpu, info, VCPU_INFO);
AT(struct vcpu, unit.state, VCPU_STATE);
AT(struct cpu_features, smap, CPU_SMAP);
AT(struct vcpu_info, evtchn_upcall_pending, INFO_UPCALL_PENDING);
AT(struct vcpu_info, evtchn_upcall_mask, INFO_UPCALL_MASK);
AT(struct iret_context, rax, IRET_RAX);
AT(struct iret_context, r11, IRET_R11);
AT(struct iret_context, rcx, IRET_RCX);
AT(struct iret_context, flags, IRET_FLAGS);
AT(struct iret_context, rip, IRET_RIP);
AT(struct iret_context, cs, IRET_CS);
AT(struct iret_context, rflags, IRET_RFLAGS);
AT(struct iret_context, rsp, IRET_RSP);
AT(struct iret_context, ss, IRET_SS);
AT(struct pv_vcpu, frame.vector, FRAME_VECTOR);
AT(struct pv_vcpu, frame.cs, FRAME_CS);
AT(struct pv_vcpu, frame.ss, FRAME_SS);
AT(struct pv_vcpu, in_kernel, PV_IN_KERNEL);
AT(struct pv_vcpu, sysret, PV_SYSRET);
AT(struct pv_vcpu, nmi_pending, PV_NMI_PENDING);
AT(struct pv_vcpu, in_nmi, PV_IN_NMI);
_Static_assert(SCHED_RUNNING == STATE_RUNNING, "states");
_Static_assert(VGCF_in_syscall == IRET_IN_SYSCALL, "iret");
_Static_assert(PV_EXIT_SYSCALL == EXIT_SYSCALL, "exits");
_Static_assert(PV_EXIT_SYSCALL32 == EXIT_SYSCALL32, "exits");
_Static_assert(PV_EXIT_SYSENTER == EXIT_SYSENTER, "exits");
_Static_assert(PV_BY_SYSRET == BY_SYSRET && PV_LATER < PV_BY_SYSRET, "ways");
_Static_assert(__HYPERVISOR_iret == HYPERVISOR_IRET, "iret");
_Static_assert(PV_EXIT_DONE == EXIT_DONE, "exits");
_Static_assert(PV_EXIT_BAD_IRET == EXIT_BAD_IRET, "exits");

static int pv_domain_init(struct domain *d,
			  const struct xen_domctl_createdomain *cfg)
{
	struct pv_domain *pd;
	int rc;

	if (cfg->arch.emulation_flags & ~(uint32_t)XEN_X86_EMU_PIT) {
		printk(XENLOG_INFO "createdomain: emulated devices %#x for a "
				   "PV domain\n",
		       cfg->arch.emulation_flags);
		return -EINVAL;
	}
	pd = xnew(struct pv_domain);
	if (!pd)
		return -ENOMEM;
	d->arch = pd;
	pd->mm.isolated = pv_wants_isolation(d);
	rc = pv_mm_domain_init(d);
	if (!rc)
		rc = cpu_policy_create(d, false);
	if (!rc)
		rc = pv_pirq_init(d);
	if (rc) {
		xfree(pd);
		d->arch = NULL;
	}
	return rc;
}

static void pv_domain_destroy(struct domain *d)
{
	pv_pirq_destroy(d);
	xfree(d->arch);
	d->arch = NULL;
}

static void pv_vcpu_reset(struct vcpu *v)
{
	struct pv_vcpu *pv = pv_vcpu(v);

	memset(pv->traps, 0, sizeof(pv->traps));
	pv->event_entry = pv->failsafe_entry = pv->syscall_entry = 0;
	pv->syscall32_entry = pv->sysenter_entry = pv->nmi_entry = 0;
	pv->in_kernel = true;
	fpu_reset(pv->fpu);
}

static int pv_vcpu_init(struct vcpu *v)
{
	/* A page and more of its own: the processor pushes there. */
	struct pv_vcpu *pv = xnew(struct pv_vcpu);

	if (!pv)
		return -ENOMEM;
	pv->fpu = fpu_alloc();
	if (!pv->fpu) {
		xfree(pv);
		return -ENOMEM;
	}
	v->arch = pv;
	pv->may_sysret = !pv_is_isolated(v->domain);
	pv_mm_vcpu_init(v);
	pv_vcpu_reset(v);
	if (v->info)
		v->info->evtchn_upcall_mask = 1;
	return 0;
}

static void pv_vcpu_destroy(struct vcpu *v)
{
	fpu_free(pv_vcpu(v)->fpu);
	xfree(v->arch);
	v->arch = NULL;
}

/* SYSCALL has two bytes. */
static void hypercall_restart(struct vcpu *v)
{
	v->regs.rip -= 2;
}

/*
 * push %rcx; push %r11; mov $nr, %eax; syscall; pop %r11; pop %rcx; ret, 32
 * bytes each. iret needs its frame complete: RAX too, and no way back.
 */
static void hypercall_page(struct domain *d, void *page)
{
	static const uint8_t call[] = {0x51, 0x41, 0x53, 0xb8, 0,    0,   0, 0,
				       0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3};
	static const uint8_t iret[] = {0x51, 0x41, 0x53, 0x50, 0xb8, 23,
				       0,    0,    0,    0x0f, 0x05};
	uint8_t *p = page;

	(void)d;
	memset(page, 0xcc, PAGE_SIZE);
	for (unsigned int i = 0; i < PAGE_SIZE / 32; i++, p += 32) {
		memcpy(p, call, sizeof(call));
		memcpy(p + 4, &i, sizeof(i));
		if (i == __HYPERVISOR_iret)
			memcpy(p, iret, sizeof(iret));
	}
}

static int trigger(struct vcpu *v, uint32_t what)
{
	if (what != XEN_DOMCTL_SENDTRIGGER_NMI)
		return -ENOSYS;
	pv_send_nmi(v);
	return 0;
}

/* The domain's end may have begun on another CPU since it was charged for the
 * frames, and whoever looks for what it has may have passed them. */
static int own_frames(struct domain *d, mfn_t mfn, uint64_t n, uint64_t pfn)
{
	int rc = 0;

	for (uint64_t i = 0; i < n && !rc; i++)
		rc = pv_m2p_set(mfn_add(mfn, i),
				pfn == INVALID_M2P_ENTRY ? pfn : pfn + i);
	pv_note_frames(d, mfn, n);
	smp_mb();
	return pv_is_ending(d) ? -ESRCH : rc;
}

static const struct domain_kind kind = {
	.name = "PV",
	.features = BIT(XENFEAT_mmu_pt_update_preserve_ad) |
		    BIT(XENFEAT_highmem_assist) |
		    BIT(XENFEAT_gnttab_map_avail_bits),
	.vm_assists = BIT(VMASST_TYPE_writable_pagetables) |
		      BIT(VMASST_TYPE_pae_extended_cr3) |
		      BIT(VMASST_TYPE_architectural_iopl) |
		      BIT(VMASST_TYPE_runstate_update_flag),
	.domain_init = pv_domain_init,
	.domain_relinquish = pv_mm_domain_relinquish,
	.domain_destroy = pv_domain_destroy,
	.vcpu_init = pv_vcpu_init,
	.vcpu_destroy = pv_vcpu_destroy,
	.vcpu_set_context = pv_set_context,
	.context_size = sizeof(struct vcpu_guest_context),
	.vcpu_get_context = pv_get_context,
	.send_nmi = pv_send_nmi,
	.vcpu_reset = pv_vcpu_reset,
	.sched = &pv_sched_ops,
	.event_notify = pv_event_notify,
	.vcpu_has_work = pv_vcpu_has_work,
	.copy_to_guest = pv_copy_to_guest,
	.copy_from_guest = pv_copy_from_guest,
	.va_to_gfn = pv_va_to_gfn,
	.find_page = pv_find_page,
	.hypercall_restart = hypercall_restart,
	.hypercall_page = hypercall_page,
	.trigger = trigger,
	.physdev_op = pv_physdev_op,
	.pirq_bind = pv_pirq_bind,
	.pirq_unbind = pv_pirq_unbind,
	.own_frames = own_frames,
	.release_frame = pv_release_frame,
	.check = pv_check_domain,
	.grant_map = pv_grant_map,
	.grant_unmap = pv_grant_unmap,
	.grant_replace = pv_grant_replace,
	.grant_flush = pv_grant_flush,
};

int pv_init(void)
{
	int rc = pv_m2p_init();

	pv_isolate_init();
	if (!rc)
		rc = pv_init_cpu();
	if (rc) {
		printk(XENLOG_WARNING "No memory for PV domains\n");
		return rc;
	}
	trap_from_guest = pv_may_isolate() ? pv_isolated_trap_entry
					   : pv_trap_entry;
	trap_guest_iret = (uint64_t)pv_iret_insn;
	trap_guest_flags = (uint64_t)pv_sysenter_saved;
	pv_late_puts_init();
	pv_calls_init();
	domain_kind_pv = &kind;
	return 0;
}

int pv_init_cpu(void)
{
	int rc;

	fpu_init_cpu();
	rc = pv_isolate_init_cpu();
	return rc ? rc : pv_segments_init_cpu();
}
