/* SPDX-License-Identifier: MIT */
/*
 * physdev_op: what dom0 tells of devices and asks about interrupts
 * (public/physdev.h). A PVH dom0 has virtual interrupt controllers, so it only
 * reports; physical IRQs as event channels belong to PV domains.
 */
#include "control/control.h"

#include "console/printk.h"
#include "domain/guest_access.h"
#include "lib/errno.h"

#include <xen/physdev.h>

static long pci_device_add(uint64_t arg)
{
	struct physdev_pci_device_add a;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -EFAULT;
	printk(XENLOG_DEBUG "PCI add device %04x:%02x:%02x.%u\n", a.seg, a.bus,
	       a.devfn >> 3, a.devfn & 7);
	return 0;
}

static long pci_device_remove(uint64_t arg)
{
	struct physdev_pci_device r;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	printk(XENLOG_DEBUG "PCI remove device %04x:%02x:%02x.%u\n", r.seg,
	       r.bus, r.devfn >> 3, r.devfn & 7);
	return 0;
}

/* The ECAM comes from the MCFG table; dom0 may only confirm it. */
static long pci_mmcfg_reserved(uint64_t arg)
{
	struct physdev_pci_mmcfg_reserved r;

	if (copy_from_guest(&r, arg, sizeof(r)))
		return -EFAULT;
	return r.start_bus > r.end_bus ? -EINVAL : 0;
}

static const struct {
	uint32_t cmd;
	long (*fn)(uint64_t arg);
} physdev_ops[] = {
	{PHYSDEVOP_pci_device_add, pci_device_add},
	{PHYSDEVOP_pci_device_remove, pci_device_remove},
	{PHYSDEVOP_pci_mmcfg_reserved, pci_mmcfg_reserved},
};

long physdev_op(struct vcpu *v, const uint64_t args[6])
{
	uint32_t cmd = (uint32_t)args[0];

	/* These are the hardware domain's; to others they do not exist. What
	 * the kind has it checks itself. */
	for (unsigned int i = 0;
	     v->domain->privileged && i < ARRAY_SIZE(physdev_ops); i++)
		if (physdev_ops[i].cmd == cmd)
			return physdev_ops[i].fn(args[1]);
	return v->domain->kind->physdev_op
		       ? v->domain->kind->physdev_op(v, cmd, args[1])
		       : -ENOSYS;
}
