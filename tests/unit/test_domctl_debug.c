/* SPDX-License-Identifier: MIT */
/*
 * What a debugger asks for: a guest's memory by its addresses, both ways and
 * across pages; vCPUs stopped and let go; and what is refused. Address n of the
 * guest here is frame n / 4096, with a hole at frame 3.
 */
#include "harness.h"
#include "no_part.h"

#include "control/domctl.h"
#include "fake.h"
#include "lib/errno.h"

#define HOLE 3

static struct domain *guest;
static int vcpu_paused;
static struct xen_domctl op;

void sched_pause_sync(struct sched_unit *u)
{
	(void)u;
	vcpu_paused++;
}
void sched_unpause(struct sched_unit *u)
{
	(void)u;
	vcpu_paused--;
}

static bool find_page(struct vcpu *v, uint64_t va, gfn_t *gfn)
{
	CHECK(v == guest->vcpu[0]);
	CHECK_EQ(fake_paused, 1);
	*gfn = _gfn(va / PAGE_SIZE);
	return va / PAGE_SIZE != HOLE;
}

static void begin(void)
{
	fake_start();
	fake_kind.find_page = find_page;
	fake_domain(0, &no_part);
	guest = fake_domain(1, &no_part);
	guest->control_pauses = 0;
	guest->vcpu[0]->initialised = true;
	fake_paused = vcpu_paused = 0;
	this_cpu(current) = fake_domains[0]->d.vcpu[0];
}

static long memio(uint64_t gva, uint32_t len, bool write)
{
	op = (struct xen_domctl){0};
	op.u.gdbsx_guest_memio = (struct xen_domctl_gdbsx_memio){
		.gva = gva,
		.uva = (uintptr_t)fake_guest_memory,
		.len = len,
		.gwr = write,
	};
	return domctl_gdbsx_guestmemio(guest, &op);
}

static void memory(void)
{
	char *page;

	begin();
	page = fake_page(guest, 1);
	memcpy(page + 4090, "across", 6);
	memcpy(fake_page(guest, 2), " pages", 6);
	CHECK_EQ(memio(4096 + 4090, 12, false), 0);
	CHECK(!memcmp(fake_guest_memory, "across pages", 12));
	CHECK_EQ(op.u.gdbsx_guest_memio.remain, 0);
	memcpy(fake_guest_memory, "written", 7);
	CHECK_EQ(memio(4096 + 5, 7, true), 0);
	CHECK(!memcmp(page + 5, "written", 7));
	/* it ends where nothing is mapped, and says how much is left */
	CHECK_EQ(memio(2 * 4096, 4096 + 10, false), -EFAULT);
	CHECK_EQ(op.u.gdbsx_guest_memio.remain, 10);
	/* mapped to what is no memory */
	CHECK_EQ(memio(FAKE_GFNS * 4096UL, 1, false), -EFAULT);
	/* the caller's buffer */
	CHECK_EQ(memio(4096, sizeof(fake_guest_memory) + 1, false), -EFAULT);
	CHECK_EQ(memio(4096, 0, false), 0);
	guest->vcpu[0]->initialised = false;
	CHECK_EQ(memio(4096, 1, false), -EINVAL);
	CHECK_EQ(domctl_gdbsx_guestmemio(current->domain, &op), -EINVAL);
	CHECK_EQ(fake_paused, 0);
	CHECK_EQ(fake_end(&no_part), 0);
}

static long pause_vcpu(uint32_t id, bool on)
{
	op.u.gdbsx_pauseunp_vcpu.vcpu = id;
	return on ? domctl_gdbsx_pausevcpu(guest, &op)
		  : domctl_gdbsx_unpausevcpu(guest, &op);
}

static void vcpus(void)
{
	begin();
	CHECK_EQ(pause_vcpu(0, true), -EBUSY);
	CHECK_EQ(domctl_gdbsx_domstatus(guest, &op), 0);
	CHECK_EQ(op.u.gdbsx_domstatus.paused, 0);
	guest->control_pauses = 1;
	CHECK_EQ(domctl_gdbsx_domstatus(guest, &op), 0);
	CHECK_EQ(op.u.gdbsx_domstatus.paused, 1);
	CHECK_EQ(op.u.gdbsx_domstatus.vcpu_id, ~0U);
	CHECK_EQ(pause_vcpu(FAKE_VCPUS, true), -ESRCH);
	CHECK_EQ(pause_vcpu(1, false), -EINVAL);
	for (int i = 0; i < 255; i++)
		CHECK_EQ(pause_vcpu(1, true), 0);
	CHECK_EQ(pause_vcpu(1, true), -EOVERFLOW);
	CHECK_EQ(vcpu_paused, 255);
	for (int i = 0; i < 255; i++)
		CHECK_EQ(pause_vcpu(1, false), 0);
	CHECK_EQ(pause_vcpu(1, false), -EINVAL);
	CHECK_EQ(vcpu_paused, 0);
	CHECK_EQ(fake_end(&no_part), 0);
}

static void extended_context(void)
{
	struct xen_domctl_ext_vcpucontext *c = &op.u.ext_vcpucontext;

	begin();
	memset(&op, 0xff, sizeof(op));
	c->vcpu = 1;
	CHECK_EQ(domctl_get_ext_vcpucontext(guest, &op), 0);
	CHECK_EQ(c->vcpu, 1);
	CHECK_EQ(c->size, sizeof(*c));
	CHECK_EQ(c->sysenter_callback_eip, 0);
	CHECK_EQ(c->mcg_cap, 0);
	CHECK_EQ(domctl_set_ext_vcpucontext(guest, &op), 0);
	c->sysenter_callback_eip = 1;
	CHECK_EQ(domctl_set_ext_vcpucontext(guest, &op), -EINVAL);
	c->sysenter_callback_eip = 0;
	c->size = 8;
	CHECK_EQ(domctl_set_ext_vcpucontext(guest, &op), -EINVAL);
	c->vcpu = FAKE_VCPUS;
	CHECK_EQ(domctl_get_ext_vcpucontext(guest, &op), -ESRCH);
	CHECK_EQ(domctl_set_ext_vcpucontext(guest, &op), -ESRCH);
	CHECK_EQ(fake_end(&no_part), 0);
}

static bool can_step, stepping, breaks;

static void debug(struct domain *d, bool on)
{
	CHECK(d == guest);
	breaks = on;
}

/* A breakpoint's vCPU is told of once, while the domain is paused. */
static void events(void)
{
	const struct xen_domctl_gdbsx_domstatus *s = &op.u.gdbsx_domstatus;

	begin();
	guest->vcpu[1]->debug_event = 3;
	CHECK_EQ(domctl_gdbsx_domstatus(guest, &op), 0);
	CHECK_EQ(s->vcpu_id, ~0U);
	guest->control_pauses = 1;
	CHECK_EQ(domctl_gdbsx_domstatus(guest, &op), 0);
	CHECK_EQ(s->vcpu_id, 1);
	CHECK_EQ(s->vcpu_ev, 3);
	CHECK_EQ(domctl_gdbsx_domstatus(guest, &op), 0);
	CHECK_EQ(s->vcpu_id, ~0U);
	CHECK_EQ(s->vcpu_ev, 0);
	CHECK_EQ(fake_end(&no_part), 0);
}

static bool single_step(struct vcpu *v, bool on)
{
	CHECK(v == guest->vcpu[0] && vcpu_paused == 1);
	stepping = can_step && on;
	return can_step;
}

static void steps(void)
{
	begin();
	op = (struct xen_domctl){};
	op.u.debug_op.op = XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON;
	op.u.debug_op.vcpu = 0;
	fake_kind.single_step = NULL;
	CHECK_EQ(domctl_debug_op(guest, &op), -EINVAL);
	fake_kind.single_step = single_step;
	CHECK_EQ(domctl_debug_op(guest, &op), -EOPNOTSUPP);
	can_step = true;
	CHECK_EQ(domctl_debug_op(guest, &op), 0);
	CHECK(stepping);
	op.u.debug_op.op = XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF;
	CHECK_EQ(domctl_debug_op(guest, &op), 0);
	CHECK(!stepping && !vcpu_paused);
	op.u.debug_op.op = 99;
	CHECK_EQ(domctl_debug_op(guest, &op), -ENOSYS);
	op.u.debug_op.vcpu = FAKE_VCPUS;
	CHECK_EQ(domctl_debug_op(guest, &op), -EINVAL);
	op.u.setdebugging.enable = 1;
	fake_kind.debug = debug;
	CHECK_EQ(domctl_setdebugging(guest, &op), 0);
	CHECK(guest->debugged && breaks && !vcpu_paused);
	op.u.setdebugging.enable = 0;
	CHECK_EQ(domctl_setdebugging(guest, &op), 0);
	CHECK(!guest->debugged && !breaks);
	fake_kind.debug = NULL;
	CHECK_EQ(domctl_setdebugging(current->domain, &op), -EINVAL);
	CHECK_EQ(fake_end(&no_part), 0);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"debugger: memory", memory},
		{"debugger: vCPUs", vcpus},
		{"debugger: steps", steps},
		{"debugger: events", events},
		{"debugger: extended context", extended_context},
	};

	return RUN_CASES(cases);
}
