/* SPDX-License-Identifier: MIT */
/*
 * vcpu_op and set_timer_op (public/vcpu.h): a domain starts, stops and asks
 * after its vCPUs, sets their timers and says where their state is to be
 * written.
 */
#include "domain/guest_access.h"
#include "domain/ops.h"

#include "console/printk.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

/* Only one of the domain's vCPUs gives v its context; the others come again.
 * Else v might be started, and run, while its context is given once more. */
static long begin_initialise(struct vcpu *v)
{
	long rc = 0;

	spin_lock(&v->domain->lock);
	if (v->initialised)
		rc = -EEXIST;
	else if (v->initialising)
		rc = -ERESTART;
	else
		v->initialising = true;
	spin_unlock(&v->domain->lock);
	return rc;
}

static void end_initialise(struct vcpu *v, bool done)
{
	spin_lock(&v->domain->lock);
	v->initialising = false;
	v->initialised = done;
	spin_unlock(&v->domain->lock);
}

static long op_initialise(struct vcpu *v, uint64_t arg)
{
	long rc;
	size_t size = v->domain->kind->context_size;
	void *ctx = xmalloc(size);

	if (!ctx)
		return -ENOMEM;
	rc = copy_from_guest(ctx, arg, size);
	if (!rc)
		rc = begin_initialise(v);
	if (!rc) {
		rc = v->domain->kind->vcpu_set_context(v, ctx, size);
		end_initialise(v, !rc);
	}
	xfree(ctx);
	return rc;
}

static long op_up(struct vcpu *v, uint64_t arg __maybe_unused)
{
	if (!v->initialised)
		return -EINVAL;
	vcpu_up(v);
	return 0;
}

static long op_down(struct vcpu *v, uint64_t arg __maybe_unused)
{
	vcpu_down(v);
	return 0;
}

static long op_is_up(struct vcpu *v, uint64_t arg __maybe_unused)
{
	return READ_ONCE(v->online);
}

static long op_get_runstate_info(struct vcpu *v, uint64_t arg)
{
	struct vcpu_runstate_info r;

	vcpu_get_runstate(v, &r);
	return copy_to_guest(arg, &r, sizeof(r));
}

static long op_register_runstate(struct vcpu *v, uint64_t arg)
{
	struct vcpu_register_runstate_memory_area a;
	struct vcpu_runstate_info r;
	long rc;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -EFAULT;
	rc = guest_area_register(v, &v->runstate_area, (uintptr_t)a.addr.p,
				 sizeof(r));
	if (rc)
		return rc;
	vcpu_get_runstate(v, &r);
	guest_area_write(&v->runstate_area, 0, &r, sizeof(r));
	return 0;
}

static long op_register_time(struct vcpu *v, uint64_t arg)
{
	struct vcpu_register_time_memory_area a;
	long rc;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -EFAULT;
	rc = guest_area_register(v, &v->time_area, (uintptr_t)a.addr.p,
				 sizeof(struct vcpu_time_info));
	if (rc)
		return rc;
	vcpu_update_time(v);
	return 0;
}

static long op_register_info(struct vcpu *v, uint64_t arg)
{
	struct vcpu_register_vcpu_info a;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -EFAULT;
	return vcpu_move_info(v, _gfn(a.mfn), a.offset);
}

static long op_set_periodic(struct vcpu *v, uint64_t arg)
{
	struct vcpu_set_periodic_timer a;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.period_ns < (uint64_t)MILLISECS(1))
		return -EINVAL;
	if (a.period_ns > INT64_MAX / 2)
		return -EINVAL;
	vcpu_set_periodic(v, (s_time_t)a.period_ns);
	return 0;
}

static long op_stop_periodic(struct vcpu *v, uint64_t arg __maybe_unused)
{
	vcpu_set_periodic(v, 0);
	return 0;
}

static long op_set_singleshot(struct vcpu *v, uint64_t arg)
{
	struct vcpu_set_singleshot_timer a;

	if (copy_from_guest(&a, arg, sizeof(a)))
		return -EFAULT;
	if (a.flags & VCPU_SSHOTTMR_future &&
	    (s_time_t)a.timeout_abs_ns < now())
		return -ETIME;
	/* A date beyond the end of time is never; one before now is at once. */
	if (a.timeout_abs_ns > INT64_MAX)
		a.timeout_abs_ns = INT64_MAX;
	vcpu_set_singleshot(v, max((s_time_t)a.timeout_abs_ns, (s_time_t)1));
	return 0;
}

static long op_stop_singleshot(struct vcpu *v, uint64_t arg __maybe_unused)
{
	vcpu_set_singleshot(v, 0);
	return 0;
}

static long op_get_physid(struct vcpu *v, uint64_t arg)
{
	struct vcpu_get_physid a;

	/* Only who owns the CPUs (dom0, pinned) may know them. */
	if (!v->domain->privileged)
		return -EINVAL;
	a.phys_id = (uint64_t)cpu_acpi_id(v->unit.cpu) << 32 |
		    cpu_apic_id(v->unit.cpu);
	return copy_to_guest(arg, &a, sizeof(a));
}

static long op_send_nmi(struct vcpu *v, uint64_t arg __maybe_unused)
{
	if (!v->domain->kind->send_nmi)
		return -ENOSYS;
	v->domain->kind->send_nmi(v);
	return 0;
}

/* SELF: on the caller's own vCPU only. */
static const struct {
	long (*fn)(struct vcpu *v, uint64_t arg);
	bool self;
} vcpu_ops[] = {
	[VCPUOP_initialise] = {op_initialise, false},
	[VCPUOP_up] = {op_up, false},
	[VCPUOP_down] = {op_down, false},
	[VCPUOP_is_up] = {op_is_up, false},
	[VCPUOP_get_runstate_info] = {op_get_runstate_info, false},
	[VCPUOP_register_runstate_memory_area] = {op_register_runstate, false},
	[VCPUOP_set_periodic_timer] = {op_set_periodic, false},
	[VCPUOP_stop_periodic_timer] = {op_stop_periodic, false},
	[VCPUOP_set_singleshot_timer] = {op_set_singleshot, true},
	[VCPUOP_stop_singleshot_timer] = {op_stop_singleshot, true},
	[VCPUOP_register_vcpu_info] = {op_register_info, false},
	[VCPUOP_send_nmi] = {op_send_nmi, false},
	[VCPUOP_get_physid] = {op_get_physid, false},
	[VCPUOP_register_vcpu_time_memory_area] = {op_register_time, false},
};

long vcpu_op(struct vcpu *v, const uint64_t args[6])
{
	uint32_t cmd = (uint32_t)args[0];
	uint32_t id = (uint32_t)args[1];
	struct vcpu *target;

	if (cmd >= ARRAY_SIZE(vcpu_ops) || !vcpu_ops[cmd].fn)
		return -ENOSYS;
	if (id >= v->domain->max_vcpus)
		return -ENOENT;
	target = v->domain->vcpu[id];
	if (!target)
		return -ENOENT;
	if (vcpu_ops[cmd].self && target != v)
		return -EINVAL;
	return vcpu_ops[cmd].fn(target, args[2]);
}

long set_timer_op(struct vcpu *v, const uint64_t args[6])
{
	s_time_t expires = (s_time_t)args[0];

	/* Linux once passed wrapped small negatives; Xen takes them as soon. */
	if (expires < 0)
		expires = now() + MILLISECS(100);
	vcpu_set_singleshot(v, expires);
	return 0;
}
