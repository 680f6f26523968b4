/* SPDX-License-Identifier: MIT */
/* Schedulers: which runs, and the parameters of pools, domains and vCPUs. */
#include "private.h"

int xc_sched_id(xc_interface *xch, int *sched_id)
{
	struct xen_sysctl op = SYSCTL(sched_id);
	int rc = xc_sysctl(xch, &op);

	if (rc == 0)
		*sched_id = (int)op.u.sched_id.sched_id;
	return rc;
}

/* One call about a domain's parameters. */
static int domain_op(xc_interface *xch, struct xen_domctl *op, uint32_t sched,
		     uint32_t cmd)
{
	op->u.scheduler_op.sched_id = sched;
	op->u.scheduler_op.cmd = cmd;
	return xc_domctl(xch, op) ? -1 : 0;
}

/* Each scheduler's parameters are a member of one union: they are handed on
 * by size. */
static int domain_put(xc_interface *xch, uint32_t domid, uint32_t sched,
		      const void *parameters, size_t size)
{
	struct xen_domctl op = DOMCTL(scheduler_op, domid);

	memcpy(&op.u.scheduler_op.u, parameters, size);
	return domain_op(xch, &op, sched, XEN_DOMCTL_SCHEDOP_putinfo);
}

static int domain_get(xc_interface *xch, uint32_t domid, uint32_t sched,
		      void *parameters, size_t size)
{
	struct xen_domctl op = DOMCTL(scheduler_op, domid);

	if (domain_op(xch, &op, sched, XEN_DOMCTL_SCHEDOP_getinfo))
		return -1;
	memcpy(parameters, &op.u.scheduler_op.u, size);
	return 0;
}

int xc_sched_credit_domain_set(xc_interface *xch, uint32_t domid,
			       struct xen_domctl_sched_credit *sdom)
{
	return domain_put(xch, domid, XEN_SCHEDULER_CREDIT, sdom,
			  sizeof(*sdom));
}

int xc_sched_credit_domain_get(xc_interface *xch, uint32_t domid,
			       struct xen_domctl_sched_credit *sdom)
{
	return domain_get(xch, domid, XEN_SCHEDULER_CREDIT, sdom,
			  sizeof(*sdom));
}

int xc_sched_credit2_domain_set(xc_interface *xch, uint32_t domid,
				struct xen_domctl_sched_credit2 *sdom)
{
	return domain_put(xch, domid, XEN_SCHEDULER_CREDIT2, sdom,
			  sizeof(*sdom));
}

int xc_sched_credit2_domain_get(xc_interface *xch, uint32_t domid,
				struct xen_domctl_sched_credit2 *sdom)
{
	return domain_get(xch, domid, XEN_SCHEDULER_CREDIT2, sdom,
			  sizeof(*sdom));
}

int xc_sched_rtds_domain_set(xc_interface *xch, uint32_t domid,
			     struct xen_domctl_sched_rtds *sdom)
{
	return domain_put(xch, domid, XEN_SCHEDULER_RTDS, sdom, sizeof(*sdom));
}

int xc_sched_rtds_domain_get(xc_interface *xch, uint32_t domid,
			     struct xen_domctl_sched_rtds *sdom)
{
	return domain_get(xch, domid, XEN_SCHEDULER_RTDS, sdom, sizeof(*sdom));
}

/* Xen does a batch of vCPUs a call and says how many. */
static int rtds_vcpus(xc_interface *xch, uint32_t domid, uint32_t cmd,
		      struct xen_domctl_schedparam_vcpu *vcpus, uint32_t n,
		      int dir)
{
	uint32_t done = 0;
	struct safe s;
	int rc = 0;

	if (safe_get(xch, &s, vcpus, n * sizeof(*vcpus), dir))
		return -1;
	while (rc == 0 && done < n) {
		struct xen_domctl op = DOMCTL(scheduler_op, domid);

		op.u.scheduler_op.u.v.nr_vcpus = n - done;
		set_xen_guest_handle_raw(
			op.u.scheduler_op.u.v.vcpus,
			(struct xen_domctl_schedparam_vcpu *)s.p + done);
		rc = domain_op(xch, &op, XEN_SCHEDULER_RTDS, cmd);
		done += op.u.scheduler_op.u.v.nr_vcpus;
	}
	safe_put(xch, &s);
	return rc;
}

int xc_sched_rtds_vcpu_set(xc_interface *xch, uint32_t domid,
			   struct xen_domctl_schedparam_vcpu *vcpus,
			   uint32_t num_vcpus)
{
	return rtds_vcpus(xch, domid, XEN_DOMCTL_SCHEDOP_putvcpuinfo, vcpus,
			  num_vcpus, SAFE_IN);
}

int xc_sched_rtds_vcpu_get(xc_interface *xch, uint32_t domid,
			   struct xen_domctl_schedparam_vcpu *vcpus,
			   uint32_t num_vcpus)
{
	return rtds_vcpus(xch, domid, XEN_DOMCTL_SCHEDOP_getvcpuinfo, vcpus,
			  num_vcpus, SAFE_BOTH);
}

/* The same for a pool. */
static int pool_op(xc_interface *xch, struct xen_sysctl *op, uint32_t pool,
		   uint32_t sched, uint32_t cmd)
{
	op->u.scheduler_op.cpupool_id = pool;
	op->u.scheduler_op.sched_id = sched;
	op->u.scheduler_op.cmd = cmd;
	return xc_sysctl(xch, op) ? -1 : 0;
}

/* Either way Xen answers with what then holds. */
static int pool_parameters(xc_interface *xch, uint32_t pool, uint32_t sched,
			   uint32_t cmd, void *parameters, size_t size)
{
	struct xen_sysctl op = SYSCTL(scheduler_op);

	memcpy(&op.u.scheduler_op.u, parameters, size);
	if (pool_op(xch, &op, pool, sched, cmd))
		return -1;
	memcpy(parameters, &op.u.scheduler_op.u, size);
	return 0;
}

int xc_sched_credit_params_set(xc_interface *xch, uint32_t cpupool_id,
			       struct xen_sysctl_credit_schedule *schedule)
{
	return pool_parameters(xch, cpupool_id, XEN_SCHEDULER_CREDIT,
			       XEN_SYSCTL_SCHEDOP_putinfo, schedule,
			       sizeof(*schedule));
}

int xc_sched_credit_params_get(xc_interface *xch, uint32_t cpupool_id,
			       struct xen_sysctl_credit_schedule *schedule)
{
	return pool_parameters(xch, cpupool_id, XEN_SCHEDULER_CREDIT,
			       XEN_SYSCTL_SCHEDOP_getinfo, schedule,
			       sizeof(*schedule));
}

int xc_sched_credit2_params_set(xc_interface *xch, uint32_t cpupool_id,
				struct xen_sysctl_credit2_schedule *schedule)
{
	return pool_parameters(xch, cpupool_id, XEN_SCHEDULER_CREDIT2,
			       XEN_SYSCTL_SCHEDOP_putinfo, schedule,
			       sizeof(*schedule));
}

int xc_sched_credit2_params_get(xc_interface *xch, uint32_t cpupool_id,
				struct xen_sysctl_credit2_schedule *schedule)
{
	return pool_parameters(xch, cpupool_id, XEN_SCHEDULER_CREDIT2,
			       XEN_SYSCTL_SCHEDOP_getinfo, schedule,
			       sizeof(*schedule));
}

static int arinc653(xc_interface *xch, uint32_t pool, uint32_t cmd,
		    struct xen_sysctl_arinc653_schedule *schedule, int dir)
{
	struct xen_sysctl op = SYSCTL(scheduler_op);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, schedule, sizeof(*schedule), dir))
		return -1;
	set_xen_guest_handle_raw(op.u.scheduler_op.u.sched_arinc653.schedule,
				 s.p);
	rc = pool_op(xch, &op, pool, XEN_SCHEDULER_ARINC653, cmd);
	safe_put(xch, &s);
	return rc;
}

int xc_sched_arinc653_schedule_set(
	xc_interface *xch, uint32_t cpupool_id,
	struct xen_sysctl_arinc653_schedule *schedule)
{
	return arinc653(xch, cpupool_id, XEN_SYSCTL_SCHEDOP_putinfo, schedule,
			SAFE_IN);
}

int xc_sched_arinc653_schedule_get(
	xc_interface *xch, uint32_t cpupool_id,
	struct xen_sysctl_arinc653_schedule *schedule)
{
	return arinc653(xch, cpupool_id, XEN_SYSCTL_SCHEDOP_getinfo, schedule,
			SAFE_OUT);
}
