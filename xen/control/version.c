/* SPDX-License-Identifier: MIT */
/*
 * xen_version: who we are (public/version.h). The version is the one whose ABI
 * we speak; the changeset and the compiler are our own.
 */
#include "control/control.h"

#include "domain/guest_access.h"
#include "lib/errno.h"
#include "lib/string.h"

#include <xen/features.h>
#include <xen/arch-x86/xen.h>
#include <xen/version.h>

#define ABI_MAJOR 4
#define ABI_MINOR 17

const char *hypervisor_cmdline = "";

static long put_text(uint64_t arg, const char *text, size_t size)
{
	char buf[1024] = {};

	memcpy(buf, text, min(strlen(text), size - 1));
	return copy_to_guest(arg, buf, size);
}

static long get_compile_info(uint64_t arg)
{
	static const struct xen_compile_info info = {
		.compiler = "gcc " __VERSION__,
		.compile_by = "ostler",
		.compile_domain = "",
		.compile_date = "",
	};

	return copy_to_guest(arg, &info, sizeof(info));
}

/* What tools look for to know which guests they can build. */
static long get_capabilities(uint64_t arg)
{
	char caps[sizeof(xen_capabilities_info_t)] = {};
	char *p = caps;
	static const char pv[] = "xen-3.0-x86_64 ";
	static const char hvm[] =
		"hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ";

	if (domain_kind_pv) {
		memcpy(p, pv, sizeof(pv) - 1);
		p += sizeof(pv) - 1;
	}
	if (domain_kind_hvm)
		memcpy(p, hvm, sizeof(hvm) - 1);
	return copy_to_guest(arg, caps, sizeof(caps));
}

static long get_features(struct vcpu *v, uint64_t arg)
{
	struct xen_feature_info f;
	const struct domain *d = v->domain;

	if (copy_from_guest(&f, arg, sizeof(f)))
		return -EFAULT;
	f.submap = 0;
	if (!f.submap_idx) {
		f.submap = BIT(XENFEAT_memory_op_vnode_supported);
		f.submap |= d->kind->features;
		if (d->privileged)
			f.submap |= BIT(XENFEAT_dom0);
		if (d->identity)
			f.submap |= BIT(XENFEAT_direct_mapped);
		else if (d->kind->translated)
			f.submap |= BIT(XENFEAT_not_direct_mapped);
	}
	return copy_to_guest(arg, &f, sizeof(f));
}

static long get_handle(const struct vcpu *v, uint64_t arg)
{
	return copy_to_guest(arg, v->domain->handle, sizeof(v->domain->handle));
}

/* It tells how the machine is kept, which is not a guest's to know. */
static long get_commandline(const struct vcpu *v, uint64_t arg)
{
	static const char denied[] = "<denied>";

	return v->domain->privileged
		       ? put_text(arg, hypervisor_cmdline,
				  sizeof(xen_commandline_t))
		       : copy_to_guest(arg, denied, sizeof(denied));
}

static long get_platform_parameters(uint64_t arg)
{
	xen_platform_parameters_t params = {.virt_start =
						    HYPERVISOR_VIRT_START};

	return copy_to_guest(arg, &params, sizeof(params));
}

/* Apart from the version itself, so that this does not save registers. */
static __attribute__((noinline)) long other_op(struct vcpu *v,
					       const uint64_t args[6])
{
	switch ((uint32_t)args[0]) {
	case XENVER_extraversion:
		return put_text(args[1], "-ostler", sizeof(xen_extraversion_t));
	case XENVER_compile_info:
		return get_compile_info(args[1]);
	case XENVER_capabilities:
		return get_capabilities(args[1]);
	case XENVER_changeset:
		return put_text(args[1], "ostler " OSTLER_VERSION,
				sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters:
		return get_platform_parameters(args[1]);
	case XENVER_get_features:
		return get_features(v, args[1]);
	case XENVER_pagesize:
		return args[1] ? -EINVAL : (long)PAGE_SIZE;
	case XENVER_guest_handle:
		return get_handle(v, args[1]);
	case XENVER_commandline:
		return get_commandline(v, args[1]);
	case XENVER_build_id:
		return v->domain->privileged ? -ENODATA : -EPERM;
	}
	return -ENOSYS;
}

/* A guest asks for the version to have its events looked at: a hot path. */
long xen_version_op(struct vcpu *v, const uint64_t args[6])
{
	if (likely((uint32_t)args[0] == XENVER_version))
		return ABI_MAJOR << 16 | ABI_MINOR;
	return other_op(v, args);
}
