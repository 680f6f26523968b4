/* SPDX-License-Identifier: MIT */
/*
 * Building dom0: the order of the steps, and its first vCPU.
 */
#include "boot/dom0.h"

#include "console/printk.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#include <xen/hvm/hvm_vcpu.h>

/* 32-bit protected mode, flat segments, no paging; EBX points to the start
 * info (docs/misc/pvh.pandoc of Xen describes this entry). */
static void __init set_entry(struct dom0_build *b, struct vcpu *v)
{
	struct vcpu_hvm_context ctx = {
		.mode = VCPU_HVM_MODE_32B,
		.cpu_regs.x86_32 =
			{
				.ebx = (uint32_t)b->start_info,
				.eip = (uint32_t)b->elf.notes.phys32_entry,
				.eflags = 2,
				.cr0 = 1, /* protection enabled */
				.cs_limit = ~0U,
				.ds_limit = ~0U,
				.ss_limit = ~0U,
				.es_limit = ~0U,
				.tr_limit = 0x67,
				.cs_ar = 0xc9b,
				.ds_ar = 0xc93,
				.ss_ar = 0xc93,
				.es_ar = 0xc93,
				.tr_ar = 0x8b,
			},
	};
	int rc = v->domain->kind->vcpu_set_context(v, &ctx, sizeof(ctx));

	if (rc)
		panic("dom0: its first vCPU was refused (error %d)", -rc);
	v->initialised = true;
}

static void __init create(struct dom0_build *b, bool pv)
{
	struct xen_domctl_createdomain cfg = {
		.flags = pv ? 0
			    : XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap |
					 XEN_DOMCTL_CDF_s3_integrity,
		.max_vcpus = dom0_max_vcpus ? dom0_max_vcpus : nr_cpus,
		.max_evtchn_port = -1,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.grant_opts = 1,
		.arch.emulation_flags = pv ? 0
					   : XEN_X86_EMU_LAPIC |
							XEN_X86_EMU_IOAPIC |
							XEN_X86_EMU_VPCI,
	};
	int rc;

	if (!pv && !domain_kind_hvm)
		panic("a PVH dom0 needs AMD-V or VT-x with nested paging, "
		      "which this machine does not offer: see the lines above");
	if (pv && !domain_kind_pv)
		panic("a PV dom0: there is no memory for PV domains");
	cfg.max_vcpus = min(cfg.max_vcpus, (uint32_t)MAX_VCPUS);
	rc = domain_create(0, &cfg, true, &b->d);
	if (rc)
		panic("dom0 cannot be created (error %d)", -rc);
	dom0 = b->d;
	b->d->identity = !pv;
	for (unsigned int i = 0; i < b->d->max_vcpus; i++) {
		rc = vcpu_create(b->d, i);
		if (rc)
			panic("dom0: vCPU %u cannot be created (error %d)", i,
			      -rc);
	}
}

static void __init build_pvh(struct dom0_build *b)
{
	p2m_lock(&b->d->p2m);
	dom0_take_memory(b);
	dom0_map_machine(b);
	p2m_unlock(&b->d->p2m);
	dom0_place_kernel(b);
	dom0_make_identity_table(b);
	dom0_make_map(b);
	b->start_info = ROUND_UP(dom0_make_acpi(b, b->tables), PAGE_SIZE);
	dom0_write_start_info(b);
	set_entry(b, b->d->vcpu[0]);
}

void __init build_dom0(struct boot_info *bi)
{
	bool pv = dom0_wants_pv();
	struct dom0_build b = {.bi = bi};

	dom0_unpack(&b, pv);
	create(&b, pv);
	if (pv)
		dom0_build_pv(&b);
	else
		build_pvh(&b);
	vcpu_up(b.d->vcpu[0]);
	b.d->control_pauses = 0;
	b.d->created = true;
	domain_unpause(b.d);
}
