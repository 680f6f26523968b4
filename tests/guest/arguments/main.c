/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls whose arguments can be read but are wrong: unknown numbers and
 * operations, domains that do not exist, counts beyond any bound, lengths that
 * wrap, multicalls within multicalls. The errors are those of Debian's Xen, on
 * which this test was written; dom0 is told more than an ordinary domain.
 */
#include "test.h"
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>

const char guest_name[] = "arguments";

#define NOBODY            0x7ef0 /* the highest ordinary domain number, never in use */
#define PRIV(dom0, other) (is_dom0 ? (dom0) : (other))

/* A number the hypercall page has no entry for. */
static long by_number(unsigned long nr)
{
	uint32_t r[4];
	long ret = (long)nr;

	cpuid(0, 0, r);
	if (r[2] == 0x444d4163) /* AuthenticAMD */
		__asm__ volatile("vmmcall" : "+a"(ret)::"memory");
	else
		__asm__ volatile("vmcall" : "+a"(ret)::"memory");
	return ret;
}

static void numbers(void)
{
	static const unsigned long unknown[] = {
		0x2b, 0x2c, 0x2d,    0x2f,       0x38,       0x3f,       0x40,
		0x7f, 0xff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0,
	};
	static const struct {
		const char *name;
		unsigned int nr;
	} operations[] = {
		{"xen_version", __HYPERVISOR_xen_version},
		{"memory_op", __HYPERVISOR_memory_op},
		{"event_channel_op", __HYPERVISOR_event_channel_op},
		{"sched_op", __HYPERVISOR_sched_op},

		{"hvm_op", __HYPERVISOR_hvm_op},
	};
	static uint8_t zeroes[512];

	for (unsigned int i = 0; i < ARRAY_SIZE(unknown); i++)
		check_rc(by_number(unknown[i]), -XEN_ENOSYS,
			 "hypercall number 0x%lx", unknown[i]);
	for (unsigned int i = 0; i < ARRAY_SIZE(operations); i++)
		check_rc(hc(operations[i].nr, 99, zeroes, zeroes), -XEN_ENOSYS,
			 "%s, operation 99", operations[i].name);
	check_rc(grant_table_op(99, zeroes, 1), -XEN_ENOSYS,
		 "grant_table_op, operation 99");
	check_rc(vcpu_op(99, 0, zeroes), -XEN_ENOSYS, "vcpu_op, operation 99");
	check_rc(vcpu_op(VCPUOP_is_up, 4096, NULL), -XEN_ENOENT,
		 "vcpu_op on vCPU 4096");
	check_rc(vcpu_op(VCPUOP_up, 77, NULL), -XEN_ENOENT,
		 "vcpu_op on vCPU 77");
}

static void privileged(void)
{
	static struct xen_domctl d = {
		.cmd = XEN_DOMCTL_getdomaininfo,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = NOBODY,
	};
	static struct xen_sysctl s = {
		.cmd = XEN_SYSCTL_physinfo,
		.interface_version = XEN_SYSCTL_INTERFACE_VERSION,
	};
	static struct xen_platform_op p = {
		.cmd = 99, .interface_version = XENPF_INTERFACE_VERSION};

	static char words[1024];

	check_rc(xen_version(XENVER_commandline, words), 0,
		 "the hypervisor's command line");
	check(!memcmp(words, "<denied>", 9) == !is_dom0,
	      "it is dom0's to know");
	if (!is_dom0)
		check_rc(xen_version(XENVER_build_id, NULL), -XEN_EPERM,
			 "and so is what build it is");
	check_rc(hc(__HYPERVISOR_sysctl, &s), PRIV(0, -XEN_EPERM),
		 "sysctl physinfo");
	check_rc(hc(__HYPERVISOR_domctl, &d), -XEN_ESRCH, "domctl on nobody");
	d.interface_version--;
	s.interface_version--;
	check_rc(hc(__HYPERVISOR_domctl, &d), PRIV(-XEN_EACCES, -XEN_EACCES),
		 "domctl of another version");
	check_rc(hc(__HYPERVISOR_sysctl, &s), PRIV(-XEN_EACCES, -XEN_EACCES),
		 "sysctl of another version");
	check_rc(hc(__HYPERVISOR_platform_op, &p),
		 PRIV(-XEN_ENOSYS, -XEN_EPERM), "platform_op 99");
}

static void domains(void)
{
	struct evtchn_alloc_unbound a = {.dom = NOBODY, .remote_dom = 0};
	struct evtchn_bind_interdomain b = {.remote_dom = NOBODY};
	struct evtchn_status st = {.dom = NOBODY};
	struct evtchn_reset r = {.dom = NOBODY};
	struct xen_hvm_param p = {.domid = NOBODY, .index = 1};
	struct xen_add_to_physmap x = {.domid = NOBODY};
	struct xen_memory_reservation m = {.nr_extents = 1, .domid = NOBODY};
	struct gnttab_map_grant_ref map = {.dom = NOBODY,
					   .flags = GNTMAP_host_map};
	struct gnttab_setup_table setup = {.dom = NOBODY, .nr_frames = 1};
	domid_t nobody = NOBODY;

	check_rc(event_channel_op(EVTCHNOP_alloc_unbound, &a), -XEN_ESRCH,
		 "a port for nobody");
	check_rc(event_channel_op(EVTCHNOP_bind_interdomain, &b), -XEN_ESRCH,
		 "a port of nobody's");
	check_rc(event_channel_op(EVTCHNOP_status, &st), -XEN_ESRCH,
		 "port status of nobody's");
	check_rc(event_channel_op(EVTCHNOP_reset, &r), -XEN_ESRCH,
		 "reset of nobody's ports");
	check_rc(hvm_op(HVMOP_get_param, &p), -XEN_ESRCH,
		 "HVM parameter of nobody");
	check_rc(hvm_op(HVMOP_set_param, &p), -XEN_ESRCH,
		 "HVM parameter for nobody");
	check_rc(memory_op(XENMEM_add_to_physmap, &x), -XEN_ESRCH,
		 "add_to_physmap for nobody");
	check_rc(memory_op(XENMEM_current_reservation, &nobody), -XEN_ESRCH,
		 "nobody's reservation");
	check_rc(memory_op(XENMEM_decrease_reservation, &m), 0,
		 "decreasing nobody's reservation does nothing");
	check_rc(grant_table_op(GNTTABOP_map_grant_ref, &map, 1), 0,
		 "map of nobody's grant returns");
	check_rc(map.status, GNTST_bad_domain, "map of nobody's grant");
	check_rc(grant_table_op(GNTTABOP_setup_table, &setup, 1), 0,
		 "nobody's grant table returns");
	check_rc(setup.status, GNTST_bad_domain, "nobody's grant table");
}

/* A list that runs into a page that is not there: what came before is done. */
static void endless_multicall(void)
{
	static uint8_t page[4096] PAGE_ALIGNED;
	struct multicall_entry *list =
		(void *)((char *)window_map(0, frame_of(page), WINDOW_RW) +
			 PAGE_SIZE - 2 * sizeof(*list));

	window_unmap(1);
	list[0] = list[1] = (struct multicall_entry){
		.op = __HYPERVISOR_xen_version,
		.result = ~0ul,
	};
	check_rc(multicall(list, 0x7fffffff), -XEN_EFAULT,
		 "a multicall of 2147483647");
	check_rc((long)list[0].result, 4l << 16 | 17, "its first call is done");
	check_rc((long)list[1].result, 4l << 16 | 17, "and its second");
}

static void counts(void)
{
	static uint8_t zeroes[512];
	static evtchn_port_t ports[4];
	struct sched_poll poll = {.nr_ports = 100000};
	struct xen_memory_reservation m = {.nr_extents = ~0ul,
					   .domid = DOMID_SELF};
	static xen_pfn_t frames[2];

	set_xen_guest_handle(poll.ports, ports);
	set_xen_guest_handle(m.extent_start, frames);
	check_rc(grant_table_op(GNTTABOP_copy, zeroes, 0xffffffff), -XEN_EINVAL,
		 "4294967295 grant copies");
	check_rc(grant_table_op(GNTTABOP_copy, zeroes, 0), 0,
		 "no grant copies");
	check_rc(sched_op(SCHEDOP_poll, &poll), -XEN_EINVAL,
		 "polling 100000 ports");
	check_rc(memory_op(XENMEM_populate_physmap, &m), 0,
		 "populating 2^64 - 1 extents does nothing");
	m.nr_extents = 1;
	m.extent_order = 60;
	check_rc(memory_op(XENMEM_populate_physmap, &m), 0,
		 "populating an extent of order 60 does nothing");
	check_rc(multicall(zeroes, 0), 0, "a multicall of nothing");
	endless_multicall();
}

static void nesting(void)
{
	static struct multicall_entry inner[2], outer[3];

	for (unsigned int i = 0; i < 2; i++)
		inner[i].op = __HYPERVISOR_xen_version;
	outer[0].op = __HYPERVISOR_xen_version;
	outer[1].op = __HYPERVISOR_multicall;
	outer[1].args[0] = (unsigned long)inner;
	outer[1].args[1] = 2;
	outer[2].op = 0x3f;
	check_rc(multicall(outer, 3), 0, "a multicall in a multicall returns");
	check_rc((long)outer[0].result, 4l << 16 | 17,
		 "its first call is done");
	check_rc((long)outer[1].result, -XEN_EINVAL, "the inner is refused");
	check_rc((long)outer[2].result, -XEN_ENOSYS,
		 "an unknown call in it is refused");
}

static void params(void)
{
	uint64_t v;

	check_rc(hvm_get_param(1000, &v), -XEN_EINVAL, "HVM parameter 1000");
	check_rc(hvm_set_param(1000, 0), -XEN_EINVAL,
		 "HVM parameter 1000, set");
	check_rc(hvm_set_param(HVM_PARAM_CONSOLE_PFN, 1),
		 PRIV(-XEN_EPERM, -XEN_EPERM), "own console frame, set");
}

void guest_main(void)
{
	numbers();
	privileged();
	domains();
	counts();
	nesting();
	params();
}
