/* SPDX-License-Identifier: MIT */
/* Power management: P-state and C-state statistics, frequency governors. */
#include "private.h"

/* ---- statistics ---- */

static int pmstat(xc_interface *xch, struct xen_sysctl *op, uint32_t type,
		  int cpu)
{
	op->u.get_pmstat.type = type;
	op->u.get_pmstat.cpuid = (uint32_t)cpu;
	return xc_sysctl(xch, op);
}

int xc_pm_get_max_px(xc_interface *xch, int cpuid, int *max_px)
{
	struct xen_sysctl op = SYSCTL(get_pmstat);
	int rc = pmstat(xch, &op, PMSTAT_get_max_px, cpuid);

	if (rc == 0)
		*max_px = op.u.get_pmstat.u.getpx.total;
	return rc;
}

int xc_pm_get_pxstat(xc_interface *xch, int cpuid, struct xc_px_stat *pxpt)
{
	struct xen_sysctl op = SYSCTL(get_pmstat);
	struct safe trans, states;
	int max = 0, rc;
	size_t n;

	if (!pxpt->trans_pt || !pxpt->pt) {
		errno = EINVAL;
		return -1;
	}
	rc = xc_pm_get_max_px(xch, cpuid, &max);
	if (rc)
		return rc;
	n = (size_t)max;
	if (safe_get(xch, &trans, pxpt->trans_pt, n * n * sizeof(uint64_t),
		     SAFE_BOTH))
		return -1;
	if (safe_get(xch, &states, pxpt->pt, n * sizeof(*pxpt->pt),
		     SAFE_BOTH)) {
		safe_put(xch, &trans);
		return -1;
	}
	op.u.get_pmstat.u.getpx.total = (uint8_t)max;
	set_xen_guest_handle_raw(op.u.get_pmstat.u.getpx.trans_pt, trans.p);
	set_xen_guest_handle_raw(op.u.get_pmstat.u.getpx.pt, states.p);
	rc = pmstat(xch, &op, PMSTAT_get_pxstat, cpuid);
	safe_put(xch, &states);
	safe_put(xch, &trans);
	if (rc)
		return rc;
	pxpt->total = op.u.get_pmstat.u.getpx.total;
	pxpt->usable = op.u.get_pmstat.u.getpx.usable;
	pxpt->last = op.u.get_pmstat.u.getpx.last;
	pxpt->cur = op.u.get_pmstat.u.getpx.cur;
	return 0;
}

int xc_pm_reset_pxstat(xc_interface *xch, int cpuid)
{
	struct xen_sysctl op = SYSCTL(get_pmstat);

	return pmstat(xch, &op, PMSTAT_reset_pxstat, cpuid);
}

int xc_pm_get_max_cx(xc_interface *xch, int cpuid, int *max_cx)
{
	struct xen_sysctl op = SYSCTL(get_pmstat);
	int rc = pmstat(xch, &op, PMSTAT_get_max_cx, cpuid);

	if (rc == 0)
		*max_cx = (int)op.u.get_pmstat.u.getcx.nr;
	return rc;
}

int xc_pm_get_cxstat(xc_interface *xch, int cpuid, struct xc_cx_stat *cxpt)
{
	struct xen_sysctl op = SYSCTL(get_pmstat);
	struct pm_cx_stat *cx = &op.u.get_pmstat.u.getcx;
	uint64_t *const from[] = {cxpt->triggers, cxpt->residencies, cxpt->pc,
				  cxpt->cc};
	const uint32_t counts[] = {cxpt->nr, cxpt->nr, cxpt->nr_pc,
				   cxpt->nr_cc};
	struct safe s[4];
	unsigned int n;
	int rc = -1;

	for (n = 0; n < 4; n++)
		if (safe_get(xch, &s[n], from[n], counts[n] * sizeof(uint64_t),
			     SAFE_OUT))
			goto out;
	cx->nr = cxpt->nr;
	cx->nr_pc = cxpt->nr_pc;
	cx->nr_cc = cxpt->nr_cc;
	set_xen_guest_handle_raw(cx->triggers, s[0].p);
	set_xen_guest_handle_raw(cx->residencies, s[1].p);
	set_xen_guest_handle_raw(cx->pc, s[2].p);
	set_xen_guest_handle_raw(cx->cc, s[3].p);
	rc = pmstat(xch, &op, PMSTAT_get_cxstat, cpuid);
	if (rc)
		goto out;
	cxpt->nr = cx->nr;
	cxpt->last = cx->last;
	cxpt->idle_time = cx->idle_time;
	cxpt->nr_pc = cx->nr_pc;
	cxpt->nr_cc = cx->nr_cc;
out:
	while (n)
		safe_put(xch, &s[--n]);
	return rc;
}

int xc_pm_reset_cxstat(xc_interface *xch, int cpuid)
{
	struct xen_sysctl op = SYSCTL(get_pmstat);

	return pmstat(xch, &op, PMSTAT_reset_cxstat, cpuid);
}

/* ---- frequency ---- */

static int pm_op(xc_interface *xch, struct xen_sysctl *op, uint32_t cmd,
		 uint32_t cpu)
{
	op->u.pm_op.cmd = cmd;
	op->u.pm_op.cpuid = cpu;
	return xc_sysctl(xch, op);
}

static void copy_para(struct xc_get_cpufreq_para *to,
		      const struct xen_get_cpufreq_para *from)
{
	_Static_assert(sizeof(to->u) == sizeof(from->u),
		       "governors' parameters");
	to->cpuinfo_cur_freq = from->cpuinfo_cur_freq;
	to->cpuinfo_max_freq = from->cpuinfo_max_freq;
	to->cpuinfo_min_freq = from->cpuinfo_min_freq;
	to->scaling_cur_freq = from->scaling_cur_freq;
	to->scaling_max_freq = from->scaling_max_freq;
	to->scaling_min_freq = from->scaling_min_freq;
	to->turbo_enabled = from->turbo_enabled;
	memcpy(to->scaling_driver, from->scaling_driver, CPUFREQ_NAME_LEN);
	memcpy(to->scaling_governor, from->scaling_governor, CPUFREQ_NAME_LEN);
	memcpy(&to->u, &from->u, sizeof(to->u));
}

/* Without counts this asks for them: -EAGAIN, and they are filled in. */
int xc_get_cpufreq_para(xc_interface *xch, int cpuid,
			struct xc_get_cpufreq_para *user_para)
{
	struct xen_sysctl op = SYSCTL(pm_op);
	struct xen_get_cpufreq_para *para = &op.u.pm_op.u.get_para;
	bool counted = user_para->cpu_num && user_para->freq_num &&
		       user_para->gov_num;
	void *const from[] = {user_para->affected_cpus,
			      user_para->scaling_available_frequencies,
			      user_para->scaling_available_governors};
	const size_t sizes[] = {
		user_para->cpu_num * sizeof(uint32_t),
		user_para->freq_num * sizeof(uint32_t),
		(size_t)user_para->gov_num * CPUFREQ_NAME_LEN,
	};
	struct safe s[3];
	unsigned int n = 0;
	int rc = -1;

	if (counted && (!from[0] || !from[1] || !from[2])) {
		errno = EINVAL;
		return -1;
	}
	for (; counted && n < 3; n++)
		if (safe_get(xch, &s[n], from[n], sizes[n], SAFE_BOTH))
			goto out;
	if (counted) {
		set_xen_guest_handle_raw(para->affected_cpus, s[0].p);
		set_xen_guest_handle_raw(para->scaling_available_frequencies,
					 s[1].p);
		set_xen_guest_handle_raw(para->scaling_available_governors,
					 s[2].p);
	}
	para->cpu_num = user_para->cpu_num;
	para->freq_num = user_para->freq_num;
	para->gov_num = user_para->gov_num;
	rc = pm_op(xch, &op, GET_CPUFREQ_PARA, (uint32_t)cpuid);
	if (rc && errno == EAGAIN) {
		user_para->cpu_num = para->cpu_num;
		user_para->freq_num = para->freq_num;
		user_para->gov_num = para->gov_num;
		rc = -EAGAIN;
	}
	if (rc == 0)
		copy_para(user_para, para);
out:
	while (n)
		safe_put(xch, &s[--n]);
	return rc;
}

int xc_set_cpufreq_gov(xc_interface *xch, int cpuid, char *govname)
{
	struct xen_sysctl op = SYSCTL(pm_op);

	if (!govname) {
		errno = EINVAL;
		return -1;
	}
	snprintf(op.u.pm_op.u.set_gov.scaling_governor, CPUFREQ_NAME_LEN, "%s",
		 govname);
	return pm_op(xch, &op, SET_CPUFREQ_GOV, (uint32_t)cpuid);
}

int xc_set_cpufreq_para(xc_interface *xch, int cpuid, int ctrl_type,
			int ctrl_value)
{
	struct xen_sysctl op = SYSCTL(pm_op);

	op.u.pm_op.u.set_para.ctrl_type = (uint32_t)ctrl_type;
	op.u.pm_op.u.set_para.ctrl_value = (uint32_t)ctrl_value;
	return pm_op(xch, &op, SET_CPUFREQ_PARA, (uint32_t)cpuid);
}

int xc_get_cpufreq_avgfreq(xc_interface *xch, int cpuid, int *avg_freq)
{
	struct xen_sysctl op = SYSCTL(pm_op);
	int rc;

	if (!avg_freq) {
		errno = EINVAL;
		return -1;
	}
	rc = pm_op(xch, &op, GET_CPUFREQ_AVGFREQ, (uint32_t)cpuid);
	*avg_freq = (int)op.u.pm_op.u.get_avgfreq;
	return rc;
}

int xc_set_sched_opt_smt(xc_interface *xch, uint32_t value)
{
	struct xen_sysctl op = SYSCTL(pm_op);

	op.u.pm_op.u.set_sched_opt_smt = value;
	return pm_op(xch, &op, XEN_SYSCTL_pm_op_set_sched_opt_smt, 0);
}

/* ---- idle states: the CPU's field says state (0) or sub-state (1) ---- */

static int get_max_cstate(xc_interface *xch, uint32_t *value, uint32_t sub)
{
	struct xen_sysctl op = SYSCTL(pm_op);
	int rc;

	if (!value) {
		errno = EINVAL;
		return -1;
	}
	rc = pm_op(xch, &op, XEN_SYSCTL_pm_op_get_max_cstate, sub);
	*value = op.u.pm_op.u.get_max_cstate;
	return rc;
}

static int set_max_cstate(xc_interface *xch, uint32_t value, uint32_t sub)
{
	struct xen_sysctl op = SYSCTL(pm_op);

	op.u.pm_op.u.set_max_cstate = value;
	return pm_op(xch, &op, XEN_SYSCTL_pm_op_set_max_cstate, sub);
}

int xc_get_cpuidle_max_cstate(xc_interface *xch, uint32_t *value)
{
	return get_max_cstate(xch, value, 0);
}

int xc_set_cpuidle_max_cstate(xc_interface *xch, uint32_t value)
{
	return set_max_cstate(xch, value, 0);
}

int xc_get_cpuidle_max_csubstate(xc_interface *xch, uint32_t *value)
{
	return get_max_cstate(xch, value, 1);
}

int xc_set_cpuidle_max_csubstate(xc_interface *xch, uint32_t value)
{
	return set_max_cstate(xch, value, 1);
}

int xc_enable_turbo(xc_interface *xch, int cpuid)
{
	struct xen_sysctl op = SYSCTL(pm_op);

	return pm_op(xch, &op, XEN_SYSCTL_pm_op_enable_turbo, (uint32_t)cpuid);
}

int xc_disable_turbo(xc_interface *xch, int cpuid)
{
	struct xen_sysctl op = SYSCTL(pm_op);

	return pm_op(xch, &op, XEN_SYSCTL_pm_op_disable_turbo, (uint32_t)cpuid);
}
