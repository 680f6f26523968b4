/* SPDX-License-Identifier: MIT */
/* Devices assigned to domains: access rights, mappings, interrupts. */
#include "private.h"

/* ---- Access rights ---- */

int xc_domain_ioport_permission(xc_interface *xch, uint32_t domid,
				uint32_t first_port, uint32_t nr_ports,
				uint32_t allow_access)
{
	struct xen_domctl op = DOMCTL(ioport_permission, domid);

	op.u.ioport_permission.first_port = first_port;
	op.u.ioport_permission.nr_ports = nr_ports;
	op.u.ioport_permission.allow_access = (uint8_t)allow_access;
	return xc_domctl(xch, &op);
}

int xc_domain_irq_permission(xc_interface *xch, uint32_t domid, uint32_t pirq,
			     bool allow_access)
{
	struct xen_domctl op = DOMCTL(irq_permission, domid);

	op.u.irq_permission.pirq = pirq;
	op.u.irq_permission.allow_access = allow_access;
	return xc_domctl(xch, &op);
}

int xc_domain_iomem_permission(xc_interface *xch, uint32_t domid,
			       unsigned long first_mfn, unsigned long nr_mfns,
			       uint8_t allow_access)
{
	struct xen_domctl op = DOMCTL(iomem_permission, domid);

	op.u.iomem_permission.first_mfn = first_mfn;
	op.u.iomem_permission.nr_mfns = nr_mfns;
	op.u.iomem_permission.allow_access = allow_access;
	return xc_domctl(xch, &op);
}

/* ---- Mappings ---- */

int xc_domain_ioport_mapping(xc_interface *xch, uint32_t domid,
			     uint32_t first_gport, uint32_t first_mport,
			     uint32_t nr_ports, uint32_t add_mapping)
{
	struct xen_domctl op = DOMCTL(ioport_mapping, domid);

	op.u.ioport_mapping.first_gport = first_gport;
	op.u.ioport_mapping.first_mport = first_mport;
	op.u.ioport_mapping.nr_ports = nr_ports;
	op.u.ioport_mapping.add_mapping = add_mapping;
	return xc_domctl(xch, &op);
}

/*
 * Maps or unmaps nr frames. Xen takes only so many at once (E2BIG: ask for
 * half) and may do fewer than asked (a positive result: how many).
 */
static int map_frames(xc_interface *xch, uint32_t domid, unsigned long gfn,
		      unsigned long mfn, unsigned long nr, uint32_t add)
{
	unsigned long done = 0, batch = nr;
	int first_error = 0;

	while (done < nr) {
		struct xen_domctl op = DOMCTL(memory_mapping, domid);
		unsigned long n = nr - done < batch ? nr - done : batch;
		int rc;

		op.u.memory_mapping.add_mapping = add;
		op.u.memory_mapping.nr_mfns = n;
		op.u.memory_mapping.first_gfn = gfn + done;
		op.u.memory_mapping.first_mfn = mfn + done;
		rc = xc_domctl(xch, &op);
		if (rc < 0 && errno == E2BIG && batch > 1) {
			batch /= 2;
			continue;
		}
		if (rc > 0) {
			done += (unsigned long)rc;
			continue;
		}
		if (rc < 0 && !first_error)
			first_error = errno;
		/* Unmapping goes on past what was not mapped. */
		if (rc < 0 && add)
			break;
		done += n;
	}
	errno = first_error;
	return first_error ? -1 : 0;
}

int xc_domain_memory_mapping(xc_interface *xch, uint32_t domid,
			     unsigned long first_gfn, unsigned long first_mfn,
			     unsigned long nr_mfns, uint32_t add_mapping)
{
	xc_dominfo_t info;
	int saved;

	if (xc_domain_getinfo(xch, domid, 1, &info) != 1 ||
	    info.domid != domid) {
		errno = ESRCH;
		return -EINVAL;
	}
	/* A paravirtual domain maps frames itself. */
	if (!info.hvm || !nr_mfns)
		return 0;
	if (map_frames(xch, domid, first_gfn, first_mfn, nr_mfns,
		       add_mapping) == 0)
		return 0;
	if (add_mapping) {
		saved = errno;
		map_frames(xch, domid, first_gfn, first_mfn, nr_mfns, 0);
		errno = saved;
	}
	return -1;
}

/* ---- Assignment ---- */

static int pci_device(xc_interface *xch, struct xen_domctl *op, uint32_t sbdf,
		      uint32_t flags)
{
	op->u.assign_device.dev = XEN_DOMCTL_DEV_PCI;
	op->u.assign_device.u.pci.machine_sbdf = sbdf;
	op->u.assign_device.flags = flags;
	return xc_domctl(xch, op);
}

int xc_assign_device(xc_interface *xch, uint32_t domid, uint32_t machine_sbdf,
		     uint32_t flag)
{
	struct xen_domctl op = DOMCTL(assign_device, domid);

	return pci_device(xch, &op, machine_sbdf, flag);
}

int xc_test_assign_device(xc_interface *xch, uint32_t domid,
			  uint32_t machine_sbdf)
{
	struct xen_domctl op = DOMCTL(test_assign_device, domid);

	return pci_device(xch, &op, machine_sbdf, 0);
}

int xc_deassign_device(xc_interface *xch, uint32_t domid, uint32_t machine_sbdf)
{
	struct xen_domctl op = DOMCTL(deassign_device, domid);

	return pci_device(xch, &op, machine_sbdf, 0);
}

int xc_get_device_group(xc_interface *xch, uint32_t domid,
			uint32_t machine_sbdf, uint32_t max_sdevs,
			uint32_t *num_sdevs, uint32_t *sdev_array)
{
	struct xen_domctl op = DOMCTL(get_device_group, domid);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, sdev_array, max_sdevs * sizeof(*sdev_array),
		     SAFE_OUT))
		return -1;
	op.u.get_device_group.machine_sbdf = machine_sbdf;
	op.u.get_device_group.max_sdevs = max_sdevs;
	set_xen_guest_handle_raw(op.u.get_device_group.sdev_array, s.p);
	rc = xc_domctl(xch, &op);
	safe_put(xch, &s);
	*num_sdevs = op.u.get_device_group.num_sdevs;
	return rc;
}

/* Devices named by a device tree's path. */
static int dt_device(xc_interface *xch, struct xen_domctl *op, char *path)
{
	size_t size = strlen(path);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, path, size, SAFE_IN))
		return -1;
	op->u.assign_device.dev = XEN_DOMCTL_DEV_DT;
	op->u.assign_device.u.dt.size = (uint32_t)size;
	set_xen_guest_handle_raw(op->u.assign_device.u.dt.path, s.p);
	rc = xc_domctl(xch, op);
	safe_put(xch, &s);
	return rc;
}

int xc_assign_dt_device(xc_interface *xch, uint32_t domid, char *path)
{
	struct xen_domctl op = DOMCTL(assign_device, domid);

	return dt_device(xch, &op, path);
}

int xc_test_assign_dt_device(xc_interface *xch, uint32_t domid, char *path)
{
	struct xen_domctl op = DOMCTL(test_assign_device, domid);

	return dt_device(xch, &op, path);
}

int xc_deassign_dt_device(xc_interface *xch, uint32_t domid, char *path)
{
	struct xen_domctl op = DOMCTL(deassign_device, domid);

	return dt_device(xch, &op, path);
}

/* ---- Interrupts ---- */

static void fill_msi(struct xen_domctl_bind_pt_irq *bind, uint32_t gvec,
		     uint32_t pirq, uint32_t gflags, uint64_t gtable)
{
	bind->irq_type = PT_IRQ_TYPE_MSI;
	bind->machine_irq = pirq;
	bind->u.msi.gvec = (uint8_t)gvec;
	bind->u.msi.gflags = gflags;
	bind->u.msi.gtable = gtable;
}

int xc_domain_update_msi_irq(xc_interface *xch, uint32_t domid, uint32_t gvec,
			     uint32_t pirq, uint32_t gflags, uint64_t gtable)
{
	struct xen_domctl op = DOMCTL(bind_pt_irq, domid);

	fill_msi(&op.u.bind_pt_irq, gvec, pirq, gflags, gtable);
	return xc_domctl(xch, &op);
}

int xc_domain_unbind_msi_irq(xc_interface *xch, uint32_t domid, uint32_t gvec,
			     uint32_t pirq, uint32_t gflags)
{
	struct xen_domctl op = DOMCTL(unbind_pt_irq, domid);

	fill_msi(&op.u.bind_pt_irq, gvec, pirq, gflags, 0);
	return xc_domctl(xch, &op);
}

/* False for an interrupt type that has no such binding. */
static bool fill_pt_irq(struct xen_domctl_bind_pt_irq *bind, uint32_t irq,
			uint8_t type, uint8_t bus, uint8_t device, uint8_t intx,
			uint8_t isa_irq, uint16_t spi)
{
	bind->irq_type = type;
	bind->machine_irq = irq;
	switch (type) {
	case PT_IRQ_TYPE_PCI:
	case PT_IRQ_TYPE_MSI_TRANSLATE:
		bind->u.pci.bus = bus;
		bind->u.pci.device = device;
		bind->u.pci.intx = intx;
		return true;
	case PT_IRQ_TYPE_ISA:
		bind->u.isa.isa_irq = isa_irq;
		return true;
	case PT_IRQ_TYPE_SPI:
		bind->u.spi.spi = spi;
		return true;
	default:
		errno = EINVAL;
		return false;
	}
}

int xc_domain_bind_pt_irq(xc_interface *xch, uint32_t domid,
			  uint8_t machine_irq, uint8_t irq_type, uint8_t bus,
			  uint8_t device, uint8_t intx, uint8_t isa_irq)
{
	struct xen_domctl op = DOMCTL(bind_pt_irq, domid);

	if (!fill_pt_irq(&op.u.bind_pt_irq, machine_irq, irq_type, bus, device,
			 intx, isa_irq, 0))
		return -1;
	return xc_domctl(xch, &op);
}

int xc_domain_unbind_pt_irq(xc_interface *xch, uint32_t domid,
			    uint8_t machine_irq, uint8_t irq_type, uint8_t bus,
			    uint8_t device, uint8_t intx, uint8_t isa_irq)
{
	struct xen_domctl op = DOMCTL(unbind_pt_irq, domid);

	if (!fill_pt_irq(&op.u.bind_pt_irq, machine_irq, irq_type, bus, device,
			 intx, isa_irq, 0))
		return -1;
	return xc_domctl(xch, &op);
}

int xc_domain_bind_pt_pci_irq(xc_interface *xch, uint32_t domid,
			      uint8_t machine_irq, uint8_t bus, uint8_t device,
			      uint8_t intx)
{
	return xc_domain_bind_pt_irq(xch, domid, machine_irq, PT_IRQ_TYPE_PCI,
				     bus, device, intx, 0);
}

int xc_domain_bind_pt_isa_irq(xc_interface *xch, uint32_t domid,
			      uint8_t machine_irq)
{
	return xc_domain_bind_pt_irq(xch, domid, machine_irq, PT_IRQ_TYPE_ISA,
				     0, 0, 0, machine_irq);
}

int xc_domain_bind_pt_spi_irq(xc_interface *xch, uint32_t domid, uint16_t vspi,
			      uint16_t spi)
{
	struct xen_domctl op = DOMCTL(bind_pt_irq, domid);

	fill_pt_irq(&op.u.bind_pt_irq, vspi, PT_IRQ_TYPE_SPI, 0, 0, 0, 0, spi);
	return xc_domctl(xch, &op);
}

int xc_domain_unbind_pt_spi_irq(xc_interface *xch, uint32_t domid,
				uint16_t vspi, uint16_t spi)
{
	struct xen_domctl op = DOMCTL(unbind_pt_irq, domid);

	fill_pt_irq(&op.u.bind_pt_irq, vspi, PT_IRQ_TYPE_SPI, 0, 0, 0, 0, spi);
	return xc_domctl(xch, &op);
}
