/* SPDX-License-Identifier: MIT */
/*
 * Hardware containers as a kind of domain: their creation and end, and the
 * kind's table. The vendor is found once, at boot.
 */
#include "hvm/hvm.h"

#include "console/printk.h"
#include "control/control.h"
#include "cpu/fpu.h"
#include "cpu/smp.h"
#include "domain/cpu_policy.h"
#include "domain/log_dirty.h"
#include "hvm/debug.h"
#include "hvm/dev/vioapic.h"
#include "hvm/dev/virq.h"
#include "hvm/dev/vlapic.h"
#include "hvm/dev/vpci.h"
#include "hvm/guest_walk.h"
#include "hvm/dm.h"
#include "hvm/kind.h"
#include "hvm/portio.h"
#include "hvm/vram.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#include <xen/features.h>
#include <xen/hvm/hvm_vcpu.h>

const struct hvm_ops *hvm_ops;
extern const struct hvm_ops *const hvm_vendors[];

static void left_guest(void *unused)
{
	(void)unused; /* the interrupt itself ended the guest's run */
}

/*
 * The p2m removed something that was mapped: every vCPU forgets it before it
 * enters again, and CPUs that hold one now take an interrupt first, which ends
 * its run and whatever was done with the page. Loaded is asked, not running: a
 * multicall goes on after the call in it that blocked or stopped its vCPU.
 */
void hvm_flush(void *cookie)
{
	struct domain *d = cookie;
	unsigned int here = smp_processor_id();
	cpumask_t others = {{0}};
	bool any = false;
	struct vcpu *v;

	for_each_vcpu(d, v)
		hvm_ops->flush(v);
	smp_mb();
	for_each_vcpu(d, v) {
		unsigned int cpu = READ_ONCE(v->unit.loaded);

		if (cpu != SCHED_NOWHERE && cpu != here) {
			cpumask_set(&others, cpu);
			any = true;
		}
	}
	if (any)
		smp_call(&others, left_guest, NULL, true);
}

/* Port 0xe9 (XEN_HVM_DEBUGCONS_IOPORT): characters for our console. */
static void debug_port(struct vcpu *v, unsigned int port, unsigned int size,
		       bool write, uint32_t *val, void *data)
{
	char c = (char)*val;

	(void)port;
	(void)size;
	(void)data;
	if (write)
		guest_console_write(v->domain, &c, 1);
	else
		*val = 0xe9;
}

/* What the configuration asks for beyond a local APIC: a PC's board. */
static int create_pc(struct domain *d)
{
	uint32_t flags = d->config.arch.emulation_flags;
	int rc = portio_register(d, 0xe9, 1, debug_port, NULL);

	if (!rc && (flags & XEN_X86_EMU_PIC))
		rc = virq_init(d);
	if (!rc && (flags & XEN_X86_EMU_PIT))
		rc = vpit_init(d);
	if (!rc && (flags & XEN_X86_EMU_RTC))
		rc = vrtc_init(d);
	if (!rc && (flags & XEN_X86_EMU_HPET))
		rc = vhpet_init(d);
	if (!rc && (flags & XEN_X86_EMU_PM))
		rc = vacpi_init(d);
	return rc;
}

static int create_devices(struct domain *d)
{
	int rc;

	if (!d->privileged)
		return create_pc(d);
	rc = vioapic_init(d);
	if (!rc)
		rc = vpci_init(d);
	if (!rc)
		rc = dom0_ports_init(d);
	return rc;
}

static void destroy_devices(struct domain *d)
{
	vram_destroy(d);
	vacpi_destroy(d);
	vhpet_destroy(d);
	vrtc_destroy(d);
	vpit_destroy(d);
	virq_destroy(d);
	vpci_destroy(d);
	vioapic_destroy(d);
	hvm_io_free(d);
}

/* A local APIC (PVH), or a PC (HVM): the sets that tools ask for. */
static bool devices_ok(uint32_t flags)
{
	const uint32_t pc = XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;

	return flags == XEN_X86_EMU_LAPIC || flags == pc ||
	       flags == (pc & ~(uint32_t)XEN_X86_EMU_USE_PIRQ);
}

static int hvm_domain_init(struct domain *d,
			   const struct xen_domctl_createdomain *cfg)
{
	struct hvm_domain *hd;
	int rc;

	if (!d->privileged && !devices_ok(cfg->arch.emulation_flags)) {
		printk(XENLOG_INFO "createdomain: emulated devices %#x\n",
		       cfg->arch.emulation_flags);
		return -EINVAL;
	}
	if (cfg->flags & XEN_DOMCTL_CDF_nested_virt) {
		printk(XENLOG_INFO "createdomain: no nested virtualisation\n");
		return -EINVAL;
	}
	hd = xzalloc(sizeof(*hd) + hvm_ops->domain_size);
	if (!hd)
		return -ENOMEM;
	d->arch = hd;
	spin_lock_init(&hd->lock, LOCK_VDEV);
	hd->params[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
	hvm_msr_init(d);
	rc = cpu_policy_create(d, true);
	if (rc)
		goto free_domain;
	rc = p2m_init(&d->p2m, hvm_ops->p2m, d->id, hvm_flush, d);
	if (rc)
		goto free_domain;
	rc = hvm_ops->domain_init(d);
	if (rc)
		goto free_p2m;
	rc = create_devices(d);
	if (rc)
		goto free_devices;
	return 0;

free_devices:
	destroy_devices(d);
	hvm_ops->domain_destroy(d);
free_p2m:
	p2m_destroy(&d->p2m);
free_domain:
	xfree(hd);
	d->arch = NULL;
	return rc;
}

/* While there are event channels still: a device model that died in a hurry
 * left its server. No vCPU runs any more. */
static int hvm_domain_relinquish(struct domain *d)
{
	ioreq_destroy_all(d);
	return 0;
}

static void hvm_domain_destroy(struct domain *d)
{
	destroy_devices(d);
	hvm_ops->domain_destroy(d);
	p2m_destroy(&d->p2m);
	log_dirty_destroy(d);
	xfree(d->arch);
	d->arch = NULL;
}

static void hvm_vcpu_destroy(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	hvm_ops->vcpu_destroy(v);
	vlapic_destroy(v);
	fpu_free(hv->fpu);
	xfree(hv);
	v->arch = NULL;
}

static int hvm_vcpu_init(struct vcpu *v)
{
	struct hvm_vcpu *hv = xzalloc(sizeof(*hv) + hvm_ops->vcpu_size);
	int rc = -ENOMEM;

	if (!hv)
		return rc;
	v->arch = hv;
	hv->hd = hvm_domain(v->domain);
	hv->posted = -1;
	hv->in_reset = v->id != 0;
	hv->fpu = fpu_alloc();
	if (!hv->fpu)
		goto free_vcpu;
	rc = vlapic_init(v);
	if (rc)
		goto free_fpu;
	rc = hvm_ops->vcpu_init(v);
	if (rc)
		goto free_lapic;
	vlapic_reset(hv->lapic, false);
	hvm_vcpu_reset(v);
	hvm_ops->intercept_int3(v, v->domain->debugged);
	return 0;

free_lapic:
	vlapic_destroy(v);
free_fpu:
	fpu_free(hv->fpu);
free_vcpu:
	xfree(hv);
	v->arch = NULL;
	return rc;
}

void hvm_power_on(struct vcpu *v)
{
	fpu_reset(hvm_vcpu(v)->fpu);
	vlapic_reset(hvm_vcpu(v)->lapic, false);
	hvm_vcpu_reset(v);
}

static void send_nmi(struct vcpu *v)
{
	WRITE_ONCE(hvm_vcpu(v)->nmi_pending, true);
	vcpu_kick(v);
}

static bool walk_to_gfn(struct vcpu *v, uint64_t va, uint32_t access,
			gfn_t *gfn)
{
	uint32_t error;
	gpa_t gpa;

	if (!guest_walk(v, va, access, &gpa, &error))
		return false;
	*gfn = gpa_to_gfn(gpa);
	return true;
}

static bool va_to_gfn(struct vcpu *v, uint64_t va, gfn_t *gfn)
{
	return walk_to_gfn(v, va, WALK_WRITE, gfn);
}

static bool find_page(struct vcpu *v, uint64_t va, gfn_t *gfn)
{
	return walk_to_gfn(v, va, 0, gfn);
}

static void hypercall_restart(struct vcpu *v)
{
	v->regs.rip = hvm_vcpu(v)->restart_rip;
}

/* XEN_DOMCTL_sendtrigger. A guest without ACPI hardware has no buttons: nobody
 * minds that they are pressed. */
static int trigger(struct vcpu *v, uint32_t what)
{
	switch (what) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		send_nmi(v);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
		vacpi_power_button(v->domain);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		vacpi_sleep_button(v->domain);
		return 0;
	default:
		return -ENOSYS;
	}
}

static const struct domain_kind kind = {
	.name = "HVM",
	.translated = true,
	.domain_init = hvm_domain_init,
	.domain_relinquish = hvm_domain_relinquish,
	.domain_destroy = hvm_domain_destroy,
	.vcpu_init = hvm_vcpu_init,
	.vcpu_destroy = hvm_vcpu_destroy,
	.vcpu_set_context = hvm_set_context,
	.features = BIT(XENFEAT_writable_page_tables) |
		    BIT(XENFEAT_auto_translated_physmap) |
		    BIT(XENFEAT_hvm_callback_vector) |
		    BIT(XENFEAT_hvm_safe_pvclock),
	.vm_assists = BIT(VMASST_TYPE_runstate_update_flag),
	.context_size = sizeof(struct vcpu_hvm_context),
	.vcpu_get_context = hvm_get_context,
	.send_nmi = send_nmi,
	.debug = hvm_debug,
	.single_step = hvm_single_step,
	.vcpu_reset = hvm_power_on,
	.sched = &hvm_sched_ops,
	.event_notify = hvm_event_notify,
	.vcpu_has_work = hvm_vcpu_has_work,
	.copy_to_guest = hvm_copy_to_guest,
	.copy_from_guest = hvm_copy_from_guest,
	.va_to_gfn = va_to_gfn,
	.find_page = find_page,
	.hypercall_restart = hypercall_restart,
	.hypercall_page = hvm_hypercall_page,
	.save = hvm_save,
	.save_one = hvm_save_one,
	.load = hvm_load,
	.trigger = trigger,
	.memory_left = ioreq_memory_left,
	.ioreq_frame = ioreq_resource,
	.ioreq_size = ioreq_resource_size,
	.info_flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap,
	.own_page = hvm_own_page,
	.grant_map = hvm_grant_map,
	.grant_unmap = hvm_grant_unmap,
	.grant_replace = hvm_grant_replace,
	.grant_flush = hvm_grant_flush,
	.log_sync = vram_sync,
};

int hvm_init(void)
{
	for (unsigned int i = 0; hvm_vendors[i]; i++) {
		if (!hvm_vendors[i]->probe())
			continue;
		hvm_ops = hvm_vendors[i];
		break;
	}
	if (!hvm_ops) {
		printk("No hardware virtualisation: PV domains only\n");
		return -ENODEV;
	}
	if (hvm_init_cpu()) {
		hvm_ops = NULL;
		return -ENODEV;
	}
	domain_kind_hvm = &kind;
	hvm_op_hook = hvm_op;
	dm_op_hook = dm_op;
	hvm_perf_init();
	return 0;
}

int hvm_init_cpu(void)
{
	if (!hvm_ops)
		return 0;
	fpu_init_cpu();
	return hvm_ops->cpu_up();
}
