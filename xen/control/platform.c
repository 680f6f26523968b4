/* SPDX-License-Identifier: MIT */
/*
 * platform_op: what a dom0 asks of the machine (public/platform.h).
 */
#include "control/control.h"

#include "console/printk.h"
#include "console/screen.h"
#include "cpu/acpi.h"
#include "cpu/efi.h"
#include "cpu/smp.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "lib/string.h"

#include <assert.h>
#include <xen/platform.h>

static void update_all_clocks(void)
{
	struct domain *d;

	for (unsigned int id = 0; (d = next_domain(id)); id = d->id + 1U) {
		domain_update_wallclock(d);
		put_domain(d);
	}
}

static long settime(struct xen_platform_op *op)
{
	if (op->u.settime64.nsecs >= 1000000000U || op->u.settime64.mbz)
		return -EINVAL;
	wallclock_set(op->u.settime64.secs, op->u.settime64.nsecs,
		      (s_time_t)op->u.settime64.system_time);
	update_all_clocks();
	return 0;
}

/* ACPI sleep: S5, off, is what we do; the PM1 registers are ours to write. */
static long enter_acpi_sleep(struct xen_platform_op *op)
{
	if (op->u.enter_acpi_sleep.sleep_state != 5)
		return -EOPNOTSUPP;
	printk("Domain 0 enters ACPI S5\n");
	machine_poweroff();
}

static long get_cpuinfo(struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *i = &op->u.pcpu_info;

	if (i->xen_cpuid >= NR_CPUS)
		return -EINVAL;
	i->max_present = nr_cpus - 1;
	if (i->xen_cpuid >= nr_cpus) {
		i->flags = XEN_PCPU_FLAGS_INVALID;
		return 0;
	}
	i->apic_id = cpu_apic_id(i->xen_cpuid);
	i->acpi_id = cpu_acpi_id(i->xen_cpuid);
	i->flags = cpumask_test(&sched_cpus, i->xen_cpuid)
			   ? XEN_PCPU_FLAGS_ONLINE
			   : 0;
	return 0;
}

static long get_cpu_version(struct xen_platform_op *op)
{
	struct xenpf_pcpu_version *ver = &op->u.pcpu_version;
	static const char *const names[] = {[CPU_OTHER] = "unknown",
					    [CPU_INTEL] = "GenuineIntel",
					    [CPU_AMD] = "AuthenticAMD",
					    [CPU_HYGON] = "HygonGenuine"};

	ver->max_present = nr_cpus - 1;
	if (ver->xen_cpuid >= nr_cpus)
		return -EINVAL;
	memset(ver->vendor_id, 0, sizeof(ver->vendor_id));
	memcpy(ver->vendor_id, names[cpu_features.vendor],
	       min(strlen(names[cpu_features.vendor]), sizeof(ver->vendor_id)));
	ver->family = cpu_features.family;
	ver->model = cpu_features.model;
	ver->stepping = cpu_features.stepping;
	return 0;
}

/* Idle times of the CPUs in a bit map: dom0's cpufreq governor asks. */
static long getidletime(struct xen_platform_op *op)
{
	struct xenpf_getidletime *g = &op->u.getidletime;
	uint64_t map = guest_handle_va(g->cpumap_bitmap);
	uint64_t times = guest_handle_va(g->idletime);

	for (unsigned int c = 0; c < g->cpumap_nr_cpus; c++) {
		uint8_t byte;
		uint64_t idle;

		if (copy_elem_from_guest(&byte, map, c / 8))
			return -EFAULT;
		if (!(byte & BIT(c % 8)))
			continue;
		if (c >= nr_cpus) {
			byte &= (uint8_t)~BIT(c % 8);
			if (copy_elem_to_guest(map, c / 8, &byte))
				return -EFAULT;
			continue;
		}
		idle = (uint64_t)sched_idle_time(c);
		if (copy_elem_to_guest(times, c, &idle))
			return -EFAULT;
	}
	g->now = (uint64_t)now();
	return 0;
}

/* What dom0 is about to tell the firmware that its system can (_PDC; Intel
 * Processor Vendor-Specific ACPI, "_PDC"): of all that, halting. */
static long sanitize_pdc(uint64_t buffer)
{
	uint32_t words[3]; /* revision, count, capabilities */

	if (copy_from_guest(words, buffer, sizeof(words)))
		return -EFAULT;
	if (words[0] != 1 || !words[1])
		return -EINVAL;
	words[2] &= BIT(1);
	return copy_to_guest(buffer, words, sizeof(words)) ? -EFAULT : 0;
}

/* What dom0 finds out about C and P states: we halt, and leave frequencies to
 * the firmware, so it is taken note of and no more. */
static long set_processor_pminfo(struct xen_platform_op *op)
{
	static bool told;

	if (op->u.set_pminfo.type == XEN_PM_PDC)
		return sanitize_pdc(guest_handle_va(op->u.set_pminfo.u.pdc));
	if (op->u.set_pminfo.id == ~0U)
		return -EINVAL;
	if (!told)
		printk(XENLOG_DEBUG "dom0 uploads C and P states: not used\n");
	told = true;
	return 0;
}

static long cpu_online_op(struct xen_platform_op *op)
{
	return cpu_hotplug(op->u.cpu_ol.cpuid, op->cmd == XENPF_cpu_online);
}

static long read_memtype(struct xen_platform_op *op)
{
	uint64_t base, mask, cap;

	if (op->u.read_memtype.reg >= 256 || !rdmsr_safe(0xfe, &cap) ||
	    op->u.read_memtype.reg >= (cap & 0xff))
		return -EINVAL;
	base = rdmsr(0x200 + 2 * op->u.read_memtype.reg);
	mask = rdmsr(0x201 + 2 * op->u.read_memtype.reg);
	op->u.read_memtype.mfn = base >> PAGE_SHIFT;
	op->u.read_memtype.type = base & 0xff;
	op->u.read_memtype.nr_mfns = 0;
	if (mask & BIT(11)) {
		uint64_t m = (mask >> PAGE_SHIFT) << PAGE_SHIFT;

		op->u.read_memtype.nr_mfns = (m & -m) >> PAGE_SHIFT;
	}
	return 0;
}

static long efi_vendor(union xenpf_efi_info *i)
{
	uint64_t name = guest_handle_va(i->vendor.name);
	uint32_t n = i->vendor.bufsz / 2;

	i->vendor.revision = efi_info.vendor_revision;
	if (n > EFI_VENDOR_MAX)
		n = EFI_VENDOR_MAX;
	return copy_to_guest(name, efi_info.vendor, n * 2UL) ? -EFAULT : 0;
}

/* What the memory at an address is for is the memory map's to say. */
static long efi_firmware_info(uint32_t index, union xenpf_efi_info *i)
{
	if (!efi_info.tables)
		return -EINVAL;
	switch (index) {
	case XEN_FW_EFI_VERSION:
		i->version = efi_info.version;
		return 0;
	case XEN_FW_EFI_RT_VERSION:
		i->version = efi_info.rt_version;
		return 0;
	case XEN_FW_EFI_CONFIG_TABLE:
		i->cfg.addr = efi_info.tables;
		i->cfg.nent = efi_info.nr_tables;
		return 0;
	case XEN_FW_EFI_VENDOR:
		return efi_vendor(i);
	default:
		return -EINVAL;
	}
}

/* No EDD or VBE data are kept: Linux asks and takes no for an answer. */
static long firmware_info(struct xen_platform_op *op)
{
	struct xenpf_firmware_info *f = &op->u.firmware_info;

	return f->type == XEN_FW_EFI_INFO
		       ? efi_firmware_info(f->index, &f->u.efi_info)
		       : -ENOSYS;
}

/* Since Xen 4.18 (public/platform.h): how a PVH dom0 learns of the screen. The
 * answer is its size. */
static long get_dom0_console(struct xen_platform_op *op)
{
	struct dom0_vga_console_info info;

	if (!screen_info(&info))
		return -ENODEV;
	memcpy(&op->u, &info, sizeof(info));
	return sizeof(info);
}
static_assert(sizeof(struct dom0_vga_console_info) <=
		      sizeof(((struct xen_platform_op *)0)->u),
	      "public/platform.h");

static const struct {
	uint32_t cmd;
	long (*fn)(struct xen_platform_op *op);
} platform_ops[] = {
	{XENPF_settime64, settime},
	{XENPF_enter_acpi_sleep, enter_acpi_sleep},
	{XENPF_get_cpuinfo, get_cpuinfo},
	{XENPF_get_cpu_version, get_cpu_version},
	{XENPF_getidletime, getidletime},
	{XENPF_set_processor_pminfo, set_processor_pminfo},
	{XENPF_cpu_online, cpu_online_op},
	{XENPF_cpu_offline, cpu_online_op},
	{XENPF_read_memtype, read_memtype},
	{XENPF_firmware_info, firmware_info},
	{XENPF_get_dom0_console, get_dom0_console},
};

long platform_op(struct vcpu *v __maybe_unused, struct xen_platform_op *op)
{
	if (op->interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	for (unsigned int i = 0; i < ARRAY_SIZE(platform_ops); i++)
		if (platform_ops[i].cmd == op->cmd)
			return platform_ops[i].fn(op);
	return -ENOSYS;
}
