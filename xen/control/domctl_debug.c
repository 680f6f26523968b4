/* SPDX-License-Identifier: MIT */
/*
 * domctl for debuggers: a guest's memory by its own addresses, single vCPUs
 * stopped and let go (what gdbsx asks for), and the state of a vCPU that only
 * some kinds have.
 */
#include "control/domctl.h"

#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "mem/layout.h"

#define PAUSES_MAX 255 /* as many as the stock hypervisor counts */

/* n bytes in the page at m->gva, to or from the caller. False: not there. */
static bool copy_part(struct vcpu *v, const struct xen_domctl_gdbsx_memio *m,
		      size_t n)
{
	struct domain *d = v->domain;
	gfn_t gfn;
	mfn_t mfn;
	char *at;
	int err;

	if (!d->kind->find_page(v, m->gva, &gfn))
		return false;
	mfn = get_guest_frame(d, gfn, m->gwr, NULL);
	if (mfn_eq(mfn, INVALID_MFN))
		return false;
	at = (char *)mfn_to_virt(mfn) + m->gva % PAGE_SIZE;
	err = m->gwr ? copy_from_guest(at, m->uva, n)
		     : copy_to_guest(m->uva, at, n);
	put_guest_frame(mfn, m->gwr);
	return !err;
}

/* By the tables that vCPU 0 has loaded. What is done is in the operation. */
long domctl_gdbsx_guestmemio(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_gdbsx_memio *m = &op->u.gdbsx_guest_memio;
	struct vcpu *v = domain_vcpu(d, 0);
	long rc = 0;

	if (d == current->domain || !v || !v->initialised)
		return -EINVAL;
	domain_pause(d);
	while (m->len && !rc) {
		size_t n = min((size_t)m->len,
			       (size_t)(PAGE_SIZE - m->gva % PAGE_SIZE));

		if (!copy_part(v, m, n)) {
			rc = -EFAULT;
			break;
		}
		m->gva += n;
		m->uva += n;
		m->len -= (uint32_t)n;
		if (m->len && hypercall_must_yield())
			rc = -ERESTART;
	}
	domain_unpause(d);
	m->remain = m->len;
	return rc;
}

/* Only while the whole domain is paused: the debugger then lets it go but for
 * this vCPU. */
static long find_stopped(struct domain *d, const struct xen_domctl *op,
			 struct vcpu **v)
{
	*v = domain_vcpu(d, op->u.gdbsx_pauseunp_vcpu.vcpu);
	if (!d->control_pauses)
		return -EBUSY;
	return *v ? 0 : -ESRCH;
}

long domctl_gdbsx_pausevcpu(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v;
	long err = find_stopped(d, op, &v);

	if (err)
		return err;
	if (v->control_pauses >= PAUSES_MAX)
		return -EOVERFLOW;
	v->control_pauses++;
	sched_pause_sync(&v->unit);
	return 0;
}

long domctl_gdbsx_unpausevcpu(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v;
	long err = find_stopped(d, op, &v);

	if (err)
		return err;
	if (!v->control_pauses)
		return -EINVAL;
	v->control_pauses--;
	sched_unpause(&v->unit);
	return 0;
}

/* The first vCPU that stopped at a breakpoint and was not told of. */
long domctl_gdbsx_domstatus(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_gdbsx_domstatus *s = &op->u.gdbsx_domstatus;
	struct vcpu *v;

	*s = (struct xen_domctl_gdbsx_domstatus){
		.paused = d->control_pauses != 0,
		.vcpu_id = ~0U,
	};
	if (!s->paused)
		return 0;
	for_each_vcpu(d, v) {
		if (!v->debug_event)
			continue;
		s->vcpu_id = v->id;
		s->vcpu_ev = v->debug_event;
		v->debug_event = 0;
		break;
	}
	return 0;
}

/* Each breakpoint, and each step of a vCPU (debug_op), then stops the domain.
 */
long domctl_setdebugging(struct domain *d, struct xen_domctl *op)
{
	if (d == current->domain)
		return -EINVAL;
	domain_pause(d);
	WRITE_ONCE(d->debugged, op->u.setdebugging.enable);
	if (d->kind->debug)
		d->kind->debug(d, d->debugged);
	domain_unpause(d);
	return 0;
}

/* PV guests step by the flags that the debugger gives them. */
long domctl_debug_op(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_debug_op *g = &op->u.debug_op;
	struct vcpu *v = domain_vcpu(d, g->vcpu);
	bool done;

	if (!v || v == current || !d->kind->single_step)
		return -EINVAL;
	if (g->op != XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF &&
	    g->op != XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON)
		return -ENOSYS;
	sched_pause_sync(&v->unit);
	done = d->kind->single_step(v, g->op);
	sched_unpause(&v->unit);
	return done ? 0 : -EOPNOTSUPP;
}

/* A hardware container has no SYSENTER callbacks, and no machine checks. */
long domctl_get_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	uint32_t id = op->u.ext_vcpucontext.vcpu;

	if (!domain_vcpu(d, id))
		return -ESRCH;
	if (!d->kind->translated)
		return -EOPNOTSUPP;
	op->u.ext_vcpucontext = (struct xen_domctl_ext_vcpucontext){
		.vcpu = id,
		.size = sizeof(op->u.ext_vcpucontext),
	};
	return 0;
}

long domctl_set_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ext_vcpucontext *c = &op->u.ext_vcpucontext;

	if (!domain_vcpu(d, c->vcpu))
		return -ESRCH;
	if (d == current->domain ||
	    c->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
		return -EINVAL;
	if (!d->kind->translated)
		return -EOPNOTSUPP;
	if (c->syscall32_callback_eip || c->syscall32_callback_cs ||
	    c->syscall32_disables_events || c->sysenter_callback_eip ||
	    c->sysenter_callback_cs || c->sysenter_disables_events)
		return -EINVAL;
	return 0;
}
