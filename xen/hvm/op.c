/* SPDX-License-Identifier: MIT */
/*
 * hvm_op (public/hvm/hvm_op.h): parameters, mostly, of the domain itself or,
 * for the tools, of others.
 */
#include "hvm/hvm.h"

#include "console/printk.h"
#include "domain/guest_access.h"
#include "hvm/dev/virq.h"
#include "lib/errno.h"

#include <xen/trace.h>
#include <xen/hvm/hvm_op.h>

/* What a guest may not change of itself, or not read. */
static bool guest_may_set(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ:
	case HVM_PARAM_VM86_TSS:
	case HVM_PARAM_VM86_TSS_SIZED:
	case HVM_PARAM_VM_GENERATION_ID_ADDR:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_EVTCHN:
	case HVM_PARAM_X87_FIP_WIDTH:
		return true;
	default:
		return false;
	}
}

static bool guest_may_get(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ:
	case HVM_PARAM_VM86_TSS:
	case HVM_PARAM_VM86_TSS_SIZED:
	case HVM_PARAM_ACPI_S_STATE:
	case HVM_PARAM_VM_GENERATION_ID_ADDR:
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_CONSOLE_EVTCHN:
	case HVM_PARAM_ALTP2M:
	case HVM_PARAM_X87_FIP_WIDTH:
		return true;
	default:
		return false;
	}
}

/* Those that the tools set once. */
static bool is_set_once(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_VIRIDIAN:
	case HVM_PARAM_IOREQ_SERVER_PFN:
	case HVM_PARAM_NR_IOREQ_SERVER_PAGES:
	case HVM_PARAM_ALTP2M:
	case HVM_PARAM_MCA_CAP:
		return true;
	default:
		return false;
	}
}

/* How events reach the guest; a vector of 0 is none. */
static int set_callback(struct domain *d, uint64_t value)
{
	struct hvm_domain *hd = hvm_domain(d);
	uint8_t type = value >> 56;
	struct vcpu *v;

	if (type == HVM_PARAM_CALLBACK_TYPE_VECTOR && (value & 0xff) < 16 &&
	    (value & 0xff))
		return -EINVAL;
	virq_set_callback(d, value);
	hd->callback_vector =
		type == HVM_PARAM_CALLBACK_TYPE_VECTOR ? value & 0xff : 0;
	for_each_vcpu(d, v)
		hvm_event_notify(v);
	return 0;
}

int hvm_set_param(struct domain *d, uint32_t index, uint64_t value)
{
	struct hvm_domain *hd = hvm_domain(d);

	switch (index) {
	case HVM_PARAM_CALLBACK_IRQ: {
		int rc = set_callback(d, value);

		if (rc)
			return rc;
		break;
	}
	case HVM_PARAM_TIMER_MODE:
		if (value > HVMPTM_one_missed_tick_pending)
			return -EINVAL;
		break;
	case HVM_PARAM_VIRIDIAN:
	case HVM_PARAM_NESTEDHVM:
	case HVM_PARAM_ALTP2M:
	case HVM_PARAM_MCA_CAP:
		if (value)
			return -EINVAL; /* none of these is offered */
		break;
	case HVM_PARAM_TRIPLE_FAULT_REASON:
		if (value > SHUTDOWN_MAX)
			return -EINVAL;
		break;
	case HVM_PARAM_ACPI_S_STATE:
		return hvm_set_s_state(d, value);
	case HVM_PARAM_X87_FIP_WIDTH:
		if (value != 0 && value != 4 && value != 8)
			return -EINVAL;
		break;
	}
	hd->params[index] = value;
	return 0;
}

int hvm_get_param(struct domain *d, uint32_t index, uint64_t *value)
{
	*value = hvm_domain(d)->params[index];
	return 0;
}

/* The domain that an operation is about, held: the caller, or one of others. */
static int find_target(struct vcpu *v, domid_t id, struct domain **out)
{
	struct domain *d = get_domain(id);
	int rc = 0;

	if (!d)
		return -ESRCH;
	if (domain_check_privilege(v->domain, d))
		rc = -EPERM;
	else if (d->kind != domain_kind_hvm)
		rc = -EINVAL;
	if (rc)
		put_domain(d);
	else
		*out = d;
	return rc;
}

static long param_op(struct vcpu *v, uint64_t arg, bool set)
{
	struct xen_hvm_param p;
	struct domain *d;
	long rc;

	if (copy_from_guest(&p, arg, sizeof(p)))
		return -EFAULT;
	if (p.index >= HVM_NR_PARAMS)
		return -EINVAL;
	rc = find_target(v, p.domid, &d);
	if (rc)
		return rc;
	if (d == v->domain &&
	    !(set ? guest_may_set(p.index) : guest_may_get(p.index)))
		rc = -EPERM;
	else if (set && is_set_once(p.index) && hvm_domain(d)->params[p.index])
		rc = hvm_domain(d)->params[p.index] == p.value ? 0 : -EEXIST;
	else if (set)
		rc = hvm_set_param(d, p.index, p.value);
	else
		rc = hvm_get_param(d, p.index, &p.value);
	if (!rc && !set && copy_to_guest(arg, &p, sizeof(p)))
		rc = -EFAULT;
	put_domain(d);
	return rc;
}

static long get_time(uint64_t arg)
{
	struct xen_hvm_get_time t = {.now = (uint64_t)now()};

	return copy_to_guest(arg, &t, sizeof(t)) ? -EFAULT : 0;
}

static long get_mem_type(struct vcpu *v, uint64_t arg)
{
	struct xen_hvm_get_mem_type m;
	struct domain *d;
	enum p2m_type type;
	long rc;

	if (copy_from_guest(&m, arg, sizeof(m)))
		return -EFAULT;
	rc = find_target(v, m.domid, &d);
	if (rc)
		return rc;
	p2m_lookup(&d->p2m, _gfn(m.pfn), &type, NULL);
	if (type == P2M_RAM_RO || type == P2M_GRANT_RO)
		m.mem_type = HVMMEM_ram_ro;
	else if (p2m_is_readable(type))
		m.mem_type = HVMMEM_ram_rw;
	else
		m.mem_type = HVMMEM_mmio_dm;
	put_domain(d);
	return copy_to_guest(arg, &m, sizeof(m)) ? -EFAULT : 0;
}

static long set_upcall_vector(struct vcpu *v, uint64_t arg)
{
	struct xen_hvm_evtchn_upcall_vector u;
	struct domain *d = v->domain;
	struct vcpu *target;

	if (copy_from_guest(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.vector < 16)
		return -EINVAL;
	target = domain_vcpu(d, u.vcpu);
	if (!target)
		return -ENOENT;
	hvm_vcpu(target)->upcall_vector = u.vector;
	hvm_vcpu(target)->upcall = false;
	if (target->info && READ_ONCE(target->info->evtchn_upcall_pending))
		hvm_event_notify(target);
	return 0;
}

long hvm_op(struct vcpu *v, unsigned int cmd, uint64_t arg)
{
	if (v->domain->kind != domain_kind_hvm && cmd != HVMOP_set_param &&
	    cmd != HVMOP_get_param && cmd != HVMOP_get_mem_type)
		return -EINVAL;
	switch (cmd) {
	case HVMOP_set_param:
	case HVMOP_get_param:
		return param_op(v, arg, cmd == HVMOP_set_param);
	case HVMOP_flush_tlbs:
		if (arg)
			return -EINVAL;
		hvm_flush(v->domain);
		return 0;
	case HVMOP_get_time:
		return get_time(arg);
	case HVMOP_get_mem_type:
		return get_mem_type(v, arg);
	case HVMOP_set_evtchn_upcall_vector:
		return set_upcall_vector(v, arg);
	case HVMOP_xentrace:
		return 0; /* nobody listens */
	default:
		return -ENOSYS;
	}
}
