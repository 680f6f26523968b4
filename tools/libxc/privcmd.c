/* SPDX-License-Identifier: MIT */
/*
 * The way to the hypervisor: the only file that opens the device (through
 * libxencall, libxenforeignmemory and libxendevicemodel) and that issues
 * hypercalls. Each takes a plain structure of the caller's, copies it to
 * hypercall-safe memory, and back.
 */
#include "private.h"

xc_interface *xc_interface_open(xentoollog_logger *logger,
				xentoollog_logger *dombuild_logger,
				unsigned open_flags)
{
	unsigned int call_flags = open_flags & XC_OPENFLAG_NON_REENTRANT
					  ? XENCALL_OPENFLAG_NON_REENTRANT
					  : 0;
	xc_interface *xch = calloc(1, sizeof(*xch));
	int saved;

	if (!xch)
		return NULL;
	xch->flags = (int)open_flags;
	xch->error_handler = logger;
	xch->dombuild_logger = dombuild_logger;
	if (!logger) {
		xch->error_handler_tofree =
			(xentoollog_logger *)xtl_createlogger_stdiostream(
				stderr, XTL_PROGRESS, 0);
		xch->error_handler = xch->error_handler_tofree;
		if (!xch->error_handler)
			goto fail;
	}
	if (open_flags & XC_OPENFLAG_DUMMY)
		return xch;

	xch->xcall = xencall_open(xch->error_handler, call_flags);
	if (!xch->xcall)
		goto fail;
	xch->fmem = xenforeignmemory_open(xch->error_handler, 0);
	if (!xch->fmem)
		goto fail;
	xch->dmod = xendevicemodel_open(xch->error_handler, 0);
	if (xch->dmod)
		return xch;

fail:
	saved = errno;
	xc_interface_close(xch);
	errno = saved;
	return NULL;
}

int xc_interface_close(xc_interface *xch)
{
	int rc = 0;

	if (!xch)
		return 0;
	if (xencall_close(xch->xcall))
		rc = -1;
	if (xenforeignmemory_close(xch->fmem))
		rc = -1;
	if (xendevicemodel_close(xch->dmod))
		rc = -1;
	xtl_logger_destroy(xch->dombuild_logger_tofree);
	xtl_logger_destroy(xch->error_handler_tofree);
	free(xch);
	return rc;
}

struct xencall_handle *xc_interface_xcall_handle(xc_interface *xch)
{
	return xch->xcall;
}

struct xenforeignmemory_handle *xc_interface_fmem_handle(xc_interface *xch)
{
	return xch->fmem;
}

struct xendevicemodel_handle *xc_interface_dmod_handle(xc_interface *xch)
{
	return xch->dmod;
}

/* A hypercall of one structure. */
static int call1(xc_interface *xch, unsigned int nr, void *arg, size_t size)
{
	struct safe s;
	int rc;

	if (safe_get(xch, &s, arg, size, SAFE_BOTH))
		return -1;
	rc = xencall1(xch->xcall, nr, (uint64_t)(uintptr_t)s.p);
	safe_put(xch, &s);
	return rc;
}

/* A hypercall of a sub-operation's number and one structure. */
static int call2(xc_interface *xch, unsigned int nr, unsigned int cmd,
		 void *arg, size_t size)
{
	struct safe s;
	int rc;

	if (safe_get(xch, &s, arg, size, SAFE_BOTH))
		return -1;
	rc = xencall2(xch->xcall, nr, cmd, (uint64_t)(uintptr_t)s.p);
	safe_put(xch, &s);
	return rc;
}

/* Xen answers EACCES to tools built for another interface version. */
static int checked(xc_interface *xch, int rc, const char *what)
{
	if (rc < 0 && errno == EACCES)
		xc_report(xch, xch->error_handler, XTL_DETAIL, 0,
			  "%s refused: are these tools of the hypervisor's "
			  "version?",
			  what);
	return rc;
}

int xc_domctl(xc_interface *xch, struct xen_domctl *op)
{
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	return checked(xch, call1(xch, __HYPERVISOR_domctl, op, sizeof(*op)),
		       "domctl");
}

int do_domctl_retry_fault(xc_interface *xch, struct xen_domctl *op)
{
	int tries = xencall_buffers_never_fault(xch->xcall) ? 1 : 3;
	int rc;

	do {
		rc = xc_domctl(xch, op);
	} while (rc < 0 && errno == EFAULT && --tries > 0);
	return rc;
}

int xc_sysctl(xc_interface *xch, struct xen_sysctl *op)
{
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	return checked(xch, call1(xch, __HYPERVISOR_sysctl, op, sizeof(*op)),
		       "sysctl");
}

int do_sysctl_again(xc_interface *xch, struct xen_sysctl *op)
{
	int rc;

	do {
		rc = xc_sysctl(xch, op);
	} while (rc < 0 && errno == EAGAIN);
	return rc;
}

int do_platform_op(xc_interface *xch, struct xen_platform_op *op)
{
	op->interface_version = XENPF_INTERFACE_VERSION;
	return checked(xch,
		       call1(xch, __HYPERVISOR_platform_op, op, sizeof(*op)),
		       "platform_op");
}

int do_physdev_op(xc_interface *xch, unsigned int cmd, void *op, size_t size)
{
	return checked(xch, call2(xch, __HYPERVISOR_physdev_op, cmd, op, size),
		       "physdev_op");
}

int do_evtchn_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size)
{
	return call2(xch, __HYPERVISOR_event_channel_op, cmd, arg, size);
}

int do_sched_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size)
{
	return call2(xch, __HYPERVISOR_sched_op, cmd, arg, size);
}

int do_hvm_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size)
{
	return call2(xch, __HYPERVISOR_hvm_op, cmd, arg, size);
}

int do_kexec_op(xc_interface *xch, unsigned int cmd, void *arg, size_t size)
{
	return call2(xch, __HYPERVISOR_kexec_op, cmd, arg, size);
}

int do_mca(xc_interface *xch, struct xen_mc *mc)
{
	mc->interface_version = XEN_MCA_INTERFACE_VERSION;
	return call1(xch, __HYPERVISOR_mca, mc, sizeof(*mc));
}

int xc_flask_op(xc_interface *xch, xen_flask_op_t *op)
{
	op->interface_version = XEN_FLASK_INTERFACE_VERSION;
	return call1(xch, __HYPERVISOR_xsm_op, op, sizeof(*op));
}

int xc_gnttab_op(xc_interface *xch, int cmd, void *op, int op_size, int count)
{
	struct safe s;
	int rc;

	if (safe_get(xch, &s, op, (size_t)op_size * (size_t)count, SAFE_BOTH))
		return -1;
	rc = xencall3(xch->xcall, __HYPERVISOR_grant_table_op,
		      (unsigned int)cmd, (uint64_t)(uintptr_t)s.p,
		      (unsigned int)count);
	safe_put(xch, &s);
	return rc;
}

int xc_mmuext_op(xc_interface *xch, struct mmuext_op *op, unsigned int nr_ops,
		 uint32_t dom)
{
	struct safe s;
	int rc;

	if (safe_get(xch, &s, op, nr_ops * sizeof(*op), SAFE_BOTH))
		return -1;
	rc = xencall4(xch->xcall, __HYPERVISOR_mmuext_op,
		      (uint64_t)(uintptr_t)s.p, nr_ops, 0, dom);
	safe_put(xch, &s);
	return rc;
}

/*
 * memory_op has results wider than the ioctl's int (frame numbers, extent
 * counts), which a multicall of one entry carries whole.
 */
long xc_memory_op(xc_interface *xch, unsigned int cmd, void *arg, size_t len)
{
	multicall_entry_t call = {.op = __HYPERVISOR_memory_op};
	struct safe s, c;
	long rc;

	if (safe_get(xch, &s, arg, len, SAFE_BOTH))
		return -1;
	call.args[0] = cmd;
	call.args[1] = (unsigned long)s.p;
	if (safe_get(xch, &c, &call, sizeof(call), SAFE_BOTH)) {
		safe_put(xch, &s);
		return -1;
	}
	rc = xencall2(xch->xcall, __HYPERVISOR_multicall,
		      (uint64_t)(uintptr_t)c.p, 1);
	safe_put(xch, &c);
	if (rc == 0) {
		rc = (long)call.result;
		if (rc < 0 && rc > -4096) {
			errno = (int)-rc;
			rc = -1;
		}
	}
	safe_put(xch, &s);
	return rc;
}

/* The size of what each xen_version sub-operation fills; -1: unknown. */
static long version_size(int cmd, const void *arg)
{
	switch (cmd) {
	case XENVER_version:
	case XENVER_pagesize:
		return 0;
	case XENVER_extraversion:
		return sizeof(xen_extraversion_t);
	case XENVER_compile_info:
		return sizeof(xen_compile_info_t);
	case XENVER_capabilities:
		return sizeof(xen_capabilities_info_t);
	case XENVER_changeset:
		return sizeof(xen_changeset_info_t);
	case XENVER_platform_parameters:
		return sizeof(xen_platform_parameters_t);
	case XENVER_get_features:
		return sizeof(xen_feature_info_t);
	case XENVER_guest_handle:
		return sizeof(xen_domain_handle_t);
	case XENVER_commandline:
		return sizeof(xen_commandline_t);
	case XENVER_build_id:
		return (long)(sizeof(xen_build_id_t) +
			      ((const xen_build_id_t *)arg)->len);
	default:
		return -1;
	}
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
	long size = version_size(cmd, arg);

	if (size < 0) {
		xc_report_error(xch, XC_INTERNAL_ERROR,
				"xc_version: unknown command %d", cmd);
		errno = EINVAL;
		return -EINVAL;
	}
	return call2(xch, __HYPERVISOR_xen_version, (unsigned int)cmd,
		     size ? arg : NULL, (size_t)size);
}
