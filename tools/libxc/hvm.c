/* SPDX-License-Identifier: MIT */
/* Hardware containers: parameters and the saved state of their devices. */
#include "private.h"

int xc_hvm_param_set(xc_interface *xch, uint32_t dom, uint32_t param,
		     uint64_t value)
{
	xen_hvm_param_t arg = {
		.domid = (domid_t)dom,
		.index = param,
		.value = value,
	};

	return do_hvm_op(xch, HVMOP_set_param, &arg, sizeof(arg));
}

int xc_hvm_param_get(xc_interface *xch, uint32_t dom, uint32_t param,
		     uint64_t *value)
{
	xen_hvm_param_t arg = {.domid = (domid_t)dom, .index = param};
	int rc = do_hvm_op(xch, HVMOP_get_param, &arg, sizeof(arg));

	*value = arg.value;
	return rc;
}

int xc_set_hvm_param(xc_interface *xch, uint32_t dom, int param,
		     unsigned long value)
{
	return xc_hvm_param_set(xch, dom, (uint32_t)param, value);
}

int xc_get_hvm_param(xc_interface *xch, uint32_t dom, int param,
		     unsigned long *value)
{
	uint64_t v;
	int rc = xc_hvm_param_get(xch, dom, (uint32_t)param, &v);

	if (rc >= 0) {
		*value = v;
		rc = 0;
	}
	return rc;
}

int xc_domain_hvm_getcontext(xc_interface *xch, uint32_t domid,
			     uint8_t *ctxt_buf, uint32_t size)
{
	struct xen_domctl op = DOMCTL(gethvmcontext, domid);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, ctxt_buf, size, SAFE_OUT))
		return -1;
	op.u.hvmcontext.size = size;
	set_xen_guest_handle_raw(op.u.hvmcontext.buffer, s.p);
	rc = xc_domctl(xch, &op);
	safe_put(xch, &s);
	return rc < 0 ? -1 : (int)op.u.hvmcontext.size;
}

int xc_domain_hvm_getcontext_partial(xc_interface *xch, uint32_t domid,
				     uint16_t typecode, uint16_t instance,
				     void *ctxt_buf, uint32_t size)
{
	struct xen_domctl op = DOMCTL(gethvmcontext_partial, domid);
	struct safe s;
	int rc;

	if (!ctxt_buf) {
		errno = EINVAL;
		return -1;
	}
	if (safe_get(xch, &s, ctxt_buf, size, SAFE_OUT))
		return -1;
	op.u.hvmcontext_partial.type = typecode;
	op.u.hvmcontext_partial.instance = instance;
	op.u.hvmcontext_partial.bufsz = size;
	set_xen_guest_handle_raw(op.u.hvmcontext_partial.buffer, s.p);
	rc = xc_domctl(xch, &op);
	safe_put(xch, &s);
	return rc ? -1 : 0;
}

int xc_domain_hvm_setcontext(xc_interface *xch, uint32_t domid,
			     uint8_t *hvm_ctxt, uint32_t size)
{
	struct xen_domctl op = DOMCTL(sethvmcontext, domid);
	struct safe s;
	int rc;

	if (safe_get(xch, &s, hvm_ctxt, size, SAFE_IN))
		return -1;
	op.u.hvmcontext.size = size;
	set_xen_guest_handle_raw(op.u.hvmcontext.buffer, s.p);
	rc = xc_domctl(xch, &op);
	safe_put(xch, &s);
	return rc;
}
