/* SPDX-License-Identifier: MIT */
/* Who may ask for a domctl, and about whom. */
#include "harness.h"
#include "no_part.h"

#include "fake.h"

#include "control/domctl.h"
#include "lib/errno.h"

static unsigned int called;

bool spin_trylock(spinlock_t *l)
{
	spin_lock(l);
	return true;
}

/* The operations. */
#define OP(name)                                                               \
	long domctl_##name(struct domain *d, struct xen_domctl *op)            \
	{                                                                      \
		(void)d;                                                       \
		(void)op;                                                      \
		called++;                                                      \
		return 0;                                                      \
	}
OP(createdomain)
OP(debug_op)
OP(destroydomain)
OP(gdbsx_domstatus)
OP(gdbsx_guestmemio)
OP(gdbsx_pausevcpu)
OP(gdbsx_unpausevcpu)
OP(get_address_size)
OP(get_cpu_policy)
OP(get_ext_vcpucontext)
OP(get_paging_mempool_size)
OP(getdomaininfo)
OP(gethvmcontext)
OP(gethvmcontext_partial)
OP(getnodeaffinity)
OP(getpageframeinfo3)
OP(gettscinfo)
OP(getvcpuaffinity)
OP(getvcpucontext)
OP(getvcpuinfo)
OP(hypercall_init)
OP(iomem_permission)
OP(ioport_permission)
OP(irq_permission)
OP(max_mem)
OP(max_vcpus)
OP(pausedomain)
OP(resumedomain)
OP(scheduler_op)
OP(sendtrigger)
OP(set_access_required)
OP(set_address_size)
OP(set_cpu_policy)
OP(set_ext_vcpucontext)
OP(set_paging_mempool_size)
OP(set_target)
OP(set_virq_handler)
OP(setdebugging)
OP(setdomainhandle)
OP(sethvmcontext)
OP(setnodeaffinity)
OP(settimeoffset)
OP(settscinfo)
OP(setvcpuaffinity)
OP(setvcpucontext)
OP(shadow_op)
OP(subscribe)
OP(unpausedomain)

static long ask(struct domain *caller, uint32_t cmd, domid_t target)
{
	struct xen_domctl op = {
		.cmd = cmd,
		.interface_version = XEN_DOMCTL_INTERFACE_VERSION,
		.domain = target,
	};

	this_cpu(current) = caller->vcpu[0];
	return domctl(caller->vcpu[0], &op);
}

static void only_dom0(void)
{
	struct domain *zero, *stub, *target;
	unsigned int would = 0;

	fake_start();
	zero = fake_domain(0, &no_part);
	stub = fake_domain(1, &no_part);
	target = fake_domain(2, &no_part);
	stub->target = target;
	called = 0;
	for (uint32_t cmd = 0; cmd < 1100; cmd++) {
		long rc = ask(stub, cmd, 2);

		CHECK(rc == -EPERM);
		CHECK(ask(target, cmd, 2) == -EPERM);
		CHECK(ask(target, cmd, DOMID_SELF) < 0);
		would += !ask(zero, cmd, 2);
		if (rc != -EPERM)
			break;
	}
	CHECK_EQ(called, would);
	CHECK(would > 40);
	CHECK_EQ(ask(stub, XEN_DOMCTL_pausedomain, 3), -ESRCH);
	stub->target = NULL;
	CHECK_EQ(fake_end(&no_part), 0);
}

/* The store's domain may look, and no more. */
static void store(void)
{
	struct domain *xs;

	fake_start();
	xs = fake_domain(1, &no_part);
	fake_domain(2, &no_part);
	CHECK_EQ(ask(xs, XEN_DOMCTL_getdomaininfo, 2), -EPERM);
	xs->create_flags = XEN_DOMCTL_CDF_xs_domain;
	CHECK_EQ(ask(xs, XEN_DOMCTL_getdomaininfo, 2), 0);
	CHECK_EQ(ask(xs, XEN_DOMCTL_pausedomain, 2), -EPERM);
	CHECK_EQ(fake_end(&no_part), 0);
}

static const struct test_case cases[] = {
	{"operations are dom0's", only_dom0},
	{"the store's domain may look", store},
};

int main(void)
{
	return RUN_CASES(cases);
}
