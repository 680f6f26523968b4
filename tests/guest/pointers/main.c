/* SPDX-License-Identifier: MIT */
/*
 * Every hypercall operation that takes a guest address, with addresses that
 * cannot be read or written: not mapped, not canonical, in the upper half,
 * wrapping round, and a structure whose second half is not there. Each must
 * give EFAULT and nothing else, since a hypervisor that touches such an address
 * by itself takes a fault of its own. Operations that answer through memory are
 * then given a page that the guest maps read-only.
 */
#include "test.h"
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

const char guest_name[] = "pointers";

#define SLOT 8 /* of the window; 9 stays absent */

/* Where the address goes among the arguments, and the others. */
struct call {
	const char *name;
	unsigned int nr;
	unsigned int at; /* 1 to 4: the argument that is the address */
	unsigned long a[4];
};

#define ABOUT(c)                                                               \
	{                                                                      \
		"xen_version " #c, __HYPERVISOR_xen_version, 2,                \
		{                                                              \
			c                                                      \
		}                                                              \
	}
#define MEMORY(c)                                                              \
	{                                                                      \
		"memory_op " #c, __HYPERVISOR_memory_op, 2,                    \
		{                                                              \
			c                                                      \
		}                                                              \
	}
#define EVENT(c)                                                               \
	{                                                                      \
		"event_channel_op " #c, __HYPERVISOR_event_channel_op, 2,      \
		{                                                              \
			c                                                      \
		}                                                              \
	}
#define GRANT(c)                                                               \
	{                                                                      \
		"grant_table_op " #c, __HYPERVISOR_grant_table_op, 2,          \
		{                                                              \
			c, 0, 1                                                \
		}                                                              \
	}
#define SCHED(c)                                                               \
	{                                                                      \
		"sched_op " #c, __HYPERVISOR_sched_op, 2,                      \
		{                                                              \
			c                                                      \
		}                                                              \
	}
#define VCPU(c)                                                                \
	{                                                                      \
		"vcpu_op " #c, __HYPERVISOR_vcpu_op, 3,                        \
		{                                                              \
			c, 0                                                   \
		}                                                              \
	}
#define HVM(c)                                                                 \
	{                                                                      \
		"hvm_op " #c, __HYPERVISOR_hvm_op, 2,                          \
		{                                                              \
			c                                                      \
		}                                                              \
	}

static const struct call calls[] = {
	ABOUT(XENVER_extraversion),
	ABOUT(XENVER_compile_info),
	ABOUT(XENVER_capabilities),
	ABOUT(XENVER_changeset),
	ABOUT(XENVER_platform_parameters),
	ABOUT(XENVER_get_features),
	ABOUT(XENVER_guest_handle),
	ABOUT(XENVER_commandline),
	MEMORY(XENMEM_current_reservation),
	MEMORY(XENMEM_maximum_reservation),
	MEMORY(XENMEM_maximum_gpfn),
	MEMORY(XENMEM_add_to_physmap),
	MEMORY(XENMEM_add_to_physmap_batch),
	MEMORY(XENMEM_remove_from_physmap),
	MEMORY(XENMEM_memory_map),
	EVENT(EVTCHNOP_alloc_unbound),
	EVENT(EVTCHNOP_bind_interdomain),
	EVENT(EVTCHNOP_bind_virq),
	EVENT(EVTCHNOP_bind_ipi),
	EVENT(EVTCHNOP_close),
	EVENT(EVTCHNOP_send),
	EVENT(EVTCHNOP_status),
	EVENT(EVTCHNOP_bind_vcpu),
	EVENT(EVTCHNOP_unmask),
	EVENT(EVTCHNOP_reset),
	EVENT(EVTCHNOP_init_control),
	EVENT(EVTCHNOP_expand_array),
	EVENT(EVTCHNOP_set_priority),
	GRANT(GNTTABOP_map_grant_ref),
	GRANT(GNTTABOP_unmap_grant_ref),
	GRANT(GNTTABOP_setup_table),
	GRANT(GNTTABOP_copy),
	GRANT(GNTTABOP_query_size),
	GRANT(GNTTABOP_get_version),
	GRANT(GNTTABOP_swap_grant_ref),
	SCHED(SCHEDOP_shutdown),
	SCHED(SCHEDOP_poll),
	SCHED(SCHEDOP_watchdog),
	VCPU(VCPUOP_register_runstate_memory_area),
	VCPU(VCPUOP_get_runstate_info),
	VCPU(VCPUOP_set_singleshot_timer),
	VCPU(VCPUOP_register_vcpu_info),
	HVM(HVMOP_set_param),
	HVM(HVMOP_get_param),
	{"multicall", __HYPERVISOR_multicall, 1, {0, 1}},
};

/* Those that only write: a page mapped read-only must stop them. */
static const struct call writers[] = {
	ABOUT(XENVER_extraversion), ABOUT(XENVER_capabilities),
	ABOUT(XENVER_changeset),    ABOUT(XENVER_platform_parameters),
	ABOUT(XENVER_commandline),  VCPU(VCPUOP_get_runstate_info),
};

static long call_with(const struct call *c, const void *address)
{
	unsigned long a[4] = {c->a[0], c->a[1], c->a[2], c->a[3]};

	a[c->at - 1] = (unsigned long)address;
	return hc(c->nr, a[0], a[1], a[2], a[3]);
}

static void all_bad(const struct call *c, char *edge)
{
	const struct {
		const char *name;
		const void *address;
	} bad[] = {
		{"not mapped", window_slot(SLOT + 1)},
		{"not canonical", (void *)0x8000700000000000ul},
		{"upper half", (void *)0xffff800000000000ul},
		{"last bytes of all", (void *)0xfffffffffffffffeul},
		{"half of it mapped", edge},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		long rc = call_with(c, bad[i].address);

		if (rc != -XEN_EFAULT) {
			check_rc(rc, -XEN_EFAULT, "%s, %s", c->name,
				 bad[i].name);
			return;
		}
	}
	check(true, "%s: EFAULT for bad addresses", c->name);
}

void guest_main(void)
{
	static uint8_t page[4096] PAGE_ALIGNED;
	char *mapped = window_map(SLOT, frame_of(page), WINDOW_RW);

	window_unmap(SLOT + 1);
	for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
		all_bad(&calls[i], mapped + PAGE_SIZE - 1);
	window_map(SLOT, frame_of(page), WINDOW_RO);
	for (unsigned int i = 0; i < ARRAY_SIZE(writers); i++)
		check_rc(call_with(&writers[i], mapped), -XEN_EFAULT,
			 "%s: EFAULT for a read-only page", writers[i].name);
	for (unsigned int i = 0; i < sizeof(page); i++)
		if (page[i]) {
			check(false, "the read-only page is untouched");
			return;
		}
	check(true, "the read-only page is untouched");
}
