/* SPDX-License-Identifier: MIT */
/*
 * Device model operations under their old names, for programs that have not
 * moved to libxendevicemodel: each is that library's function of the handle.
 */
#define XC_WANT_COMPAT_DEVICEMODEL_API
#include "private.h"

int xc_hvm_create_ioreq_server(xc_interface *xch, uint32_t domid,
			       int handle_bufioreq, ioservid_t *id)
{
	return xendevicemodel_create_ioreq_server(xch->dmod, (domid_t)domid,
						  handle_bufioreq, id);
}

int xc_hvm_destroy_ioreq_server(xc_interface *xch, uint32_t domid,
				ioservid_t id)
{
	return xendevicemodel_destroy_ioreq_server(xch->dmod, (domid_t)domid,
						   id);
}

int xc_hvm_set_ioreq_server_state(xc_interface *xch, uint32_t domid,
				  ioservid_t id, int enabled)
{
	return xendevicemodel_set_ioreq_server_state(xch->dmod, (domid_t)domid,
						     id, enabled);
}

int xc_hvm_map_io_range_to_ioreq_server(xc_interface *xch, uint32_t domid,
					ioservid_t id, int is_mmio,
					uint64_t start, uint64_t end)
{
	return xendevicemodel_map_io_range_to_ioreq_server(
		xch->dmod, (domid_t)domid, id, is_mmio, start, end);
}

int xc_hvm_unmap_io_range_from_ioreq_server(xc_interface *xch, uint32_t domid,
					    ioservid_t id, int is_mmio,
					    uint64_t start, uint64_t end)
{
	return xendevicemodel_unmap_io_range_from_ioreq_server(
		xch->dmod, (domid_t)domid, id, is_mmio, start, end);
}

int xc_hvm_inject_msi(xc_interface *xch, uint32_t domid, uint64_t msi_addr,
		      uint32_t msi_data)
{
	return xendevicemodel_inject_msi(xch->dmod, (domid_t)domid, msi_addr,
					 msi_data);
}

int xc_hvm_modified_memory(xc_interface *xch, uint32_t domid,
			   uint64_t first_pfn, uint32_t nr)
{
	return xendevicemodel_modified_memory(xch->dmod, (domid_t)domid,
					      first_pfn, nr);
}

int xc_hvm_inject_trap(xc_interface *xch, uint32_t domid, int vcpu,
		       uint8_t vector, uint8_t type, uint32_t error_code,
		       uint8_t insn_len, uint64_t cr2)
{
	return xendevicemodel_inject_event(xch->dmod, (domid_t)domid, vcpu,
					   vector, type, error_code, insn_len,
					   cr2);
}
