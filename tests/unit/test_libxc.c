/* SPDX-License-Identifier: MIT */
/*
 * libxc on a pretended hypercall interface: what goes down, what comes back,
 * how errors show, and that every buffer is given back.
 */
#include "harness.h"
#include "private.h"

/* ---- the pretended libxencall: one handler for the hypercall under test ----
 */

static unsigned int buffers, calls;
static long (*hypercall)(unsigned int nr, const uint64_t *arg);

struct xencall_handle {
	int unused;
};

static struct xencall_handle handle;
static struct xc_interface_core xc = {.xcall = &handle};

static int call(unsigned int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t arg[4] = {a, b, c, d};
	long rc;

	/* memory_op comes inside a multicall of one entry. */
	if (nr == __HYPERVISOR_multicall) {
		multicall_entry_t *m = (multicall_entry_t *)(uintptr_t)a;

		arg[0] = m->args[0];
		arg[1] = m->args[1];
		m->result = (xen_ulong_t)hypercall((unsigned int)m->op, arg);
		calls++;
		return 0;
	}
	calls++;
	rc = hypercall(nr, arg);
	if (rc >= 0)
		return (int)rc;
	errno = (int)-rc;
	return -1;
}

int xencall1(xencall_handle *h, unsigned int op, uint64_t a)
{
	(void)h;
	return call(op, a, 0, 0, 0);
}

int xencall2(xencall_handle *h, unsigned int op, uint64_t a, uint64_t b)
{
	(void)h;
	return call(op, a, b, 0, 0);
}

int xencall3(xencall_handle *h, unsigned int op, uint64_t a, uint64_t b,
	     uint64_t c)
{
	(void)h;
	return call(op, a, b, c, 0);
}

int xencall4(xencall_handle *h, unsigned int op, uint64_t a, uint64_t b,
	     uint64_t c, uint64_t d)
{
	(void)h;
	return call(op, a, b, c, d);
}

void *xencall_alloc_buffer(xencall_handle *h, size_t size)
{
	(void)h;
	buffers++;
	return malloc(size);
}

void xencall_free_buffer(xencall_handle *h, void *p)
{
	(void)h;
	buffers -= p != NULL;
	free(p);
}

/* ---- domains ---- */

static long two_domains(unsigned int nr, const uint64_t *arg)
{
	struct xen_domctl *op = (struct xen_domctl *)(uintptr_t)arg[0];
	struct xen_domctl_getdomaininfo *info = &op->u.getdomaininfo;

	CHECK_EQ(nr, __HYPERVISOR_domctl);
	CHECK_EQ(op->interface_version, XEN_DOMCTL_INTERFACE_VERSION);
	CHECK_EQ(op->cmd, XEN_DOMCTL_getdomaininfo);
	if (op->domain > 7)
		return -ESRCH;
	op->domain = op->domain == 0 ? 0 : 7;
	info->flags =
		op->domain == 0
			? XEN_DOMINF_running
			: XEN_DOMINF_shutdown | XEN_DOMINF_hvm_guest |
				  (SHUTDOWN_crash << XEN_DOMINF_shutdownshift);
	info->tot_pages = 100;
	info->max_pages = 256;
	return 0;
}

static void getinfo_walks_and_translates(void)
{
	xc_dominfo_t info[4];

	hypercall = two_domains;
	REQUIRE(xc_domain_getinfo(&xc, 0, 4, info) == 2);
	CHECK_EQ(info[0].domid, 0);
	CHECK(info[0].running && !info[0].hvm);
	CHECK_EQ(info[1].domid, 7);
	CHECK(info[1].crashed && !info[1].shutdown && info[1].hvm);
	CHECK_EQ(info[1].nr_pages, 100);
	CHECK_EQ(info[1].max_memkb, 1024);
	CHECK_EQ(xc_domain_getinfo(&xc, 8, 1, info), -1);
	CHECK_EQ(errno, ESRCH);
	CHECK_EQ(buffers, 0);
}

/* ---- memory ---- */

static long memory_answer;

static long memory(unsigned int nr, const uint64_t *arg)
{
	CHECK_EQ(nr, __HYPERVISOR_memory_op);
	if (arg[0] == XENMEM_populate_physmap) {
		struct xen_memory_reservation *r = (void *)(uintptr_t)arg[1];
		xen_pfn_t *list = r->extent_start.p;

		CHECK_EQ(r->domid, 3);
		for (unsigned long i = 0; i < r->nr_extents; i++)
			list[i] += 1000;
	}
	return memory_answer;
}

static void memory_results_come_whole(void)
{
	xen_pfn_t list[4] = {1, 2, 3, 4};
	unsigned long max = 0;

	hypercall = memory;
	memory_answer = 0x123456789abc;
	CHECK_EQ(xc_maximum_ram_page(&xc, &max), 0);
	CHECK_EQ(max, 0x123456789abc);
	memory_answer = -EPERM;
	CHECK_EQ(xc_maximum_ram_page(&xc, &max), -1);
	CHECK_EQ(errno, EPERM);
	memory_answer = 4;
	CHECK_EQ(xc_domain_populate_physmap_exact(&xc, 3, 4, 0, 0, list), 0);
	CHECK_EQ(list[3], 1004);
	memory_answer = 3;
	CHECK_EQ(xc_domain_populate_physmap_exact(&xc, 3, 4, 0, 0, list), -1);
	CHECK_EQ(errno, EBUSY);
	memory_answer = -ENOSYS;
	CHECK_EQ(xc_domain_claim_pages(&xc, 3, 10), 0);
	CHECK_EQ(buffers, 0);
}

/* ---- mappings: Xen takes 4 frames at once, and refuses frame 1030 ---- */

static uint64_t mapped, unmapped;

static long map_four(unsigned int nr, const uint64_t *arg)
{
	struct xen_domctl *op = (struct xen_domctl *)(uintptr_t)arg[0];
	struct xen_domctl_memory_mapping *m = &op->u.memory_mapping;

	(void)nr;
	if (op->cmd == XEN_DOMCTL_getdomaininfo) {
		op->u.getdomaininfo.flags = XEN_DOMINF_hvm_guest;
		return 0;
	}
	if (m->nr_mfns > 4)
		return -E2BIG;
	if (m->add_mapping && m->first_mfn + m->nr_mfns > 1030)
		return -EPERM;
	*(m->add_mapping ? &mapped : &unmapped) += m->nr_mfns;
	return 0;
}

static void mappings_split_and_are_undone(void)
{
	hypercall = map_four;
	mapped = unmapped = 0;
	CHECK_EQ(xc_domain_memory_mapping(&xc, 3, 50, 1000, 19, 1), 0);
	CHECK_EQ(mapped, 19);
	CHECK_EQ(unmapped, 0);
	CHECK_EQ(xc_domain_memory_mapping(&xc, 3, 50, 1010, 40, 1), -1);
	CHECK_EQ(errno, EPERM);
	CHECK_EQ(unmapped, 40);
	CHECK_EQ(buffers, 0);
}

/* ---- CPUID ---- */

static xen_cpuid_leaf_t was_set[8];

static long policies(unsigned int nr, const uint64_t *arg)
{
	static const xen_cpuid_leaf_t leaves[] = {
		{0, XEN_CPUID_NO_SUBLEAF, 1, 0x68747541, 0x444d4163,
		 0x69746e65},
		{1, XEN_CPUID_NO_SUBLEAF, 0, 4 << 16, 0, 1 << 6},
		{0x80000001, XEN_CPUID_NO_SUBLEAF, 0, 0, 1 << 1, 1 << 6},
		{0x80000008, XEN_CPUID_NO_SUBLEAF, 0, 0, 3 << 12 | 3, 0},
	};

	if (nr == __HYPERVISOR_sysctl) {
		struct xen_sysctl *op = (void *)(uintptr_t)arg[0];

		CHECK_EQ(op->cmd, XEN_SYSCTL_get_cpu_policy);
		memcpy(op->u.cpu_policy.leaves.p, leaves, sizeof(leaves));
		op->u.cpu_policy.nr_leaves = 4;
	} else {
		struct xen_domctl *op = (void *)(uintptr_t)arg[0];

		if (op->cmd == XEN_DOMCTL_getdomaininfo) {
			op->u.getdomaininfo.flags = XEN_DOMINF_hvm_guest;
			return 0;
		}
		CHECK_EQ(op->cmd, XEN_DOMCTL_set_cpu_policy);
		CHECK_EQ(op->u.cpu_policy.nr_leaves, 4);
		memcpy(was_set, op->u.cpu_policy.leaves.p, sizeof(leaves));
	}
	return 0;
}

static void cpuid_policy_is_made(void)
{
	char ecx[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1";
	char bad[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx?";
	struct xc_xend_cpuid xend[2] = {
		{.leaf = 1,
		 .subleaf = XEN_CPUID_NO_SUBLEAF,
		 .policy = {NULL, NULL, ecx, NULL}},
		{.leaf = UINT32_MAX},
	};

	hypercall = policies;
	CHECK_EQ(xc_cpuid_apply_policy(&xc, 3, false, NULL, 0, false, false,
				       false, xend, NULL),
		 0);
	CHECK_EQ(was_set[1].d, 1u << 28);    /* HTT, and PAE taken away */
	CHECK_EQ(was_set[1].b >> 16, 8);     /* APIC IDs in a package */
	CHECK_EQ(was_set[1].c, 1);           /* what cpuid= asked for */
	CHECK_EQ(was_set[2].c, 0);           /* no CMP_LEGACY, no SVM */
	CHECK_EQ(was_set[2].d, 0);           /* PAE here as well */
	CHECK_EQ(was_set[3].c, 4 << 12 | 7); /* twice the cores */
	xend[0].policy[2] = bad;
	CHECK_EQ(xc_cpuid_apply_policy(&xc, 3, false, NULL, 0, true, false,
				       false, xend, NULL),
		 -EINVAL);
	xend[0].leaf = 0x1234;
	CHECK_EQ(xc_cpuid_apply_policy(&xc, 3, false, NULL, 0, true, false,
				       false, xend, NULL),
		 -EINVAL);
	CHECK_EQ(buffers, 0);
}

/* ---- pools: a busy CPU is tried for five times ---- */

static long busy(unsigned int nr, const uint64_t *arg)
{
	struct xen_sysctl *op = (void *)(uintptr_t)arg[0];

	CHECK_EQ(nr, __HYPERVISOR_sysctl);
	CHECK_EQ(op->u.cpupool_op.cpu, XEN_SYSCTL_CPUPOOL_PAR_ANY);
	return -EADDRINUSE;
}

static void busy_cpu_is_tried_again(void)
{
	hypercall = busy;
	calls = 0;
	CHECK_EQ(xc_cpupool_removecpu(&xc, 0, -1), -1);
	CHECK_EQ(errno, EADDRINUSE);
	CHECK_EQ(calls, 5);
	CHECK_EQ(buffers, 0);
}

static const struct test_case cases[] = {
	{"libxc: getinfo walks and translates", getinfo_walks_and_translates},
	{"libxc: memory_op's results come whole", memory_results_come_whole},
	{"libxc: mappings split, and are undone",
	 mappings_split_and_are_undone},
	{"libxc: a CPUID policy is made", cpuid_policy_is_made},
	{"libxc: a busy CPU is tried for again", busy_cpu_is_tried_again},
};

int main(void)
{
	xentoollog_logger *log =
		(xentoollog_logger *)xtl_createlogger_stdiostream(
			stderr, XTL_CRITICAL, 0);
	int rc;

	xc.error_handler = log;
	rc = RUN_CASES(cases);
	xtl_logger_destroy(log);
	return rc;
}
