/* SPDX-License-Identifier: MIT */
/* Exported, but declared in no public header. */
#ifndef OSTLER_LIBXC_VM_EVENT_H
#define OSTLER_LIBXC_VM_EVENT_H

#include <xen/vm_event.h>

int xc_vm_event_control(xc_interface *xch, uint32_t domain_id, unsigned int op,
			unsigned int mode, uint32_t *port);

#endif
