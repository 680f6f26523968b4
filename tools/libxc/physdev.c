/* SPDX-License-Identifier: MIT */
/* Physical interrupts given to a domain as its own (PIRQs). */
#include "private.h"

/* *pirq: the number wanted or -1 for any; the number given. */
static int map_pirq(xc_interface *xch, struct physdev_map_pirq *map, int *pirq)
{
	int rc = do_physdev_op(xch, PHYSDEVOP_map_pirq, map, sizeof(*map));

	if (rc == 0)
		*pirq = map->pirq;
	return rc;
}

int xc_physdev_map_pirq(xc_interface *xch, uint32_t domid, int index, int *pirq)
{
	struct physdev_map_pirq map = {
		.domid = (domid_t)domid,
		.type = MAP_PIRQ_TYPE_GSI,
		.index = index,
	};

	if (!pirq) {
		errno = EINVAL;
		return -1;
	}
	map.pirq = *pirq < 0 ? index : *pirq;
	return map_pirq(xch, &map, pirq);
}

int xc_physdev_map_pirq_msi(xc_interface *xch, uint32_t domid, int index,
			    int *pirq, int devfn, int bus, int entry_nr,
			    uint64_t table_base)
{
	struct physdev_map_pirq map = {
		.domid = (domid_t)domid,
		.type = MAP_PIRQ_TYPE_MSI,
		.index = index,
		.bus = bus,
		.devfn = devfn,
		.entry_nr = (uint16_t)entry_nr,
		.table_base = table_base,
	};

	if (!pirq) {
		errno = EINVAL;
		return -1;
	}
	map.pirq = *pirq;
	return map_pirq(xch, &map, pirq);
}

int xc_physdev_unmap_pirq(xc_interface *xch, uint32_t domid, int pirq)
{
	struct physdev_unmap_pirq unmap = {
		.domid = (domid_t)domid,
		.pirq = pirq,
	};

	return do_physdev_op(xch, PHYSDEVOP_unmap_pirq, &unmap, sizeof(unmap));
}

/* Xen gave this operation up before version 4. */
int xc_physdev_pci_access_modify(xc_interface *xch, uint32_t domid, int bus,
				 int dev, int func, int enable)
{
	(void)xch, (void)domid, (void)bus, (void)dev, (void)func, (void)enable;
	errno = ENOSYS;
	return -1;
}
