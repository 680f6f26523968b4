/* SPDX-License-Identifier: MIT */
/* The FLASK security module, one function per operation. */
#include "private.h"

/* An operation without arguments: its result is the answer. */
static int simple(xc_interface *xch, uint32_t cmd)
{
	xen_flask_op_t op = {.cmd = cmd};

	return xc_flask_op(xch, &op);
}

int xc_flask_load(xc_interface *xch, char *buf, uint32_t size)
{
	xen_flask_op_t op = {.cmd = FLASK_LOAD};
	struct safe s;
	int rc;

	if (safe_get(xch, &s, buf, size, SAFE_IN))
		return -1;
	op.u.load.size = size;
	set_xen_guest_handle_raw(op.u.load.buffer, s.p);
	rc = xc_flask_op(xch, &op);
	safe_put(xch, &s);
	return rc;
}

int xc_flask_context_to_sid(xc_interface *xch, char *buf, uint32_t size,
			    uint32_t *sid)
{
	xen_flask_op_t op = {.cmd = FLASK_CONTEXT_TO_SID};
	struct safe s;
	int rc;

	if (safe_get(xch, &s, buf, size, SAFE_IN))
		return -1;
	op.u.sid_context.size = size;
	set_xen_guest_handle_raw(op.u.sid_context.context, s.p);
	rc = xc_flask_op(xch, &op);
	safe_put(xch, &s);
	if (rc == 0)
		*sid = op.u.sid_context.sid;
	return rc;
}

int xc_flask_sid_to_context(xc_interface *xch, int sid, char *buf,
			    uint32_t size)
{
	xen_flask_op_t op = {.cmd = FLASK_SID_TO_CONTEXT};
	struct safe s;
	int rc;

	if (safe_get(xch, &s, buf, size, SAFE_OUT))
		return -1;
	op.u.sid_context.sid = (uint32_t)sid;
	op.u.sid_context.size = size;
	set_xen_guest_handle_raw(op.u.sid_context.context, s.p);
	rc = xc_flask_op(xch, &op);
	safe_put(xch, &s);
	return rc;
}

int xc_flask_getenforce(xc_interface *xch)
{
	return simple(xch, FLASK_GETENFORCE);
}

int xc_flask_setenforce(xc_interface *xch, int mode)
{
	xen_flask_op_t op = {.cmd = FLASK_SETENFORCE};

	op.u.enforce.enforcing = (uint32_t)mode;
	return xc_flask_op(xch, &op);
}

/* ---- booleans ---- */

static int boolean(xc_interface *xch, xen_flask_op_t *op, char *name,
		   uint32_t size, int dir)
{
	struct safe s;
	int rc;

	if (safe_get(xch, &s, name, size, dir))
		return -1;
	op->u.boolean.size = size;
	set_xen_guest_handle_raw(op->u.boolean.name, s.p);
	rc = xc_flask_op(xch, op);
	safe_put(xch, &s);
	return rc;
}

static int got_boolean(int rc, const xen_flask_op_t *op, int *curr, int *pend)
{
	if (rc)
		return rc;
	if (curr)
		*curr = op->u.boolean.enforcing;
	if (pend)
		*pend = op->u.boolean.pending;
	return 0;
}

int xc_flask_getbool_byid(xc_interface *xch, int id, char *name, uint32_t size,
			  int *curr, int *pend)
{
	xen_flask_op_t op = {.cmd = FLASK_GETBOOL};

	op.u.boolean.bool_id = (uint32_t)id;
	return got_boolean(boolean(xch, &op, name, size, SAFE_OUT), &op, curr,
			   pend);
}

int xc_flask_getbool_byname(xc_interface *xch, char *name, int *curr, int *pend)
{
	xen_flask_op_t op = {.cmd = FLASK_GETBOOL};

	op.u.boolean.bool_id = UINT32_MAX;
	return got_boolean(
		boolean(xch, &op, name, (uint32_t)strlen(name), SAFE_IN), &op,
		curr, pend);
}

/* Xen's interface always commits; commit is there for callers' sake. */
int xc_flask_setbool(xc_interface *xch, char *name, int value, int commit)
{
	xen_flask_op_t op = {.cmd = FLASK_SETBOOL};

	(void)commit;
	op.u.boolean.bool_id = UINT32_MAX;
	op.u.boolean.new_value = (uint8_t)value;
	op.u.boolean.commit = 1;
	return boolean(xch, &op, name, (uint32_t)strlen(name), SAFE_IN);
}

/* ---- object contexts ---- */

enum { OCON_PIRQ = 1, OCON_IOPORT, OCON_IOMEM, OCON_DEVICE };

static int add_context(xc_interface *xch, uint32_t ocon, uint64_t low,
		       uint64_t high, char *context)
{
	xen_flask_op_t op = {.cmd = FLASK_ADD_OCONTEXT};
	uint32_t sid;
	int rc = xc_flask_context_to_sid(xch, context,
					 (uint32_t)strlen(context), &sid);

	if (rc)
		return rc;
	op.u.ocontext.ocon = ocon;
	op.u.ocontext.sid = sid;
	op.u.ocontext.low = low;
	op.u.ocontext.high = high;
	return xc_flask_op(xch, &op);
}

static int del_context(xc_interface *xch, uint32_t ocon, uint64_t low,
		       uint64_t high)
{
	xen_flask_op_t op = {.cmd = FLASK_DEL_OCONTEXT};

	op.u.ocontext.ocon = ocon;
	op.u.ocontext.low = low;
	op.u.ocontext.high = high;
	return xc_flask_op(xch, &op);
}

int xc_flask_add_pirq(xc_interface *xch, unsigned int pirq, char *scontext)
{
	return add_context(xch, OCON_PIRQ, pirq, pirq, scontext);
}

int xc_flask_add_ioport(xc_interface *xch, unsigned long low,
			unsigned long high, char *scontext)
{
	return add_context(xch, OCON_IOPORT, low, high, scontext);
}

int xc_flask_add_iomem(xc_interface *xch, unsigned long low, unsigned long high,
		       char *scontext)
{
	return add_context(xch, OCON_IOMEM, low, high, scontext);
}

int xc_flask_add_device(xc_interface *xch, unsigned long device, char *scontext)
{
	return add_context(xch, OCON_DEVICE, device, device, scontext);
}

int xc_flask_del_pirq(xc_interface *xch, unsigned int pirq)
{
	return del_context(xch, OCON_PIRQ, pirq, pirq);
}

int xc_flask_del_ioport(xc_interface *xch, unsigned long low,
			unsigned long high)
{
	return del_context(xch, OCON_IOPORT, low, high);
}

int xc_flask_del_iomem(xc_interface *xch, unsigned long low, unsigned long high)
{
	return del_context(xch, OCON_IOMEM, low, high);
}

int xc_flask_del_device(xc_interface *xch, unsigned long device)
{
	return del_context(xch, OCON_DEVICE, device, device);
}

/* ---- the rest ---- */

int xc_flask_access(xc_interface *xch, const char *scon, const char *tcon,
		    uint16_t tclass, uint32_t req, uint32_t *allowed,
		    uint32_t *decided, uint32_t *auditallow,
		    uint32_t *auditdeny, uint32_t *seqno)
{
	xen_flask_op_t op = {.cmd = FLASK_ACCESS};
	uint32_t ssid = 0, tsid = 0;
	int rc;

	rc = xc_flask_context_to_sid(xch, (char *)(uintptr_t)scon,
				     (uint32_t)strlen(scon), &ssid);
	if (rc == 0)
		rc = xc_flask_context_to_sid(xch, (char *)(uintptr_t)tcon,
					     (uint32_t)strlen(tcon), &tsid);
	if (rc)
		return rc;
	op.u.access.ssid = ssid;
	op.u.access.tsid = tsid;
	op.u.access.tclass = tclass;
	op.u.access.req = req;
	rc = xc_flask_op(xch, &op);
	if (rc)
		return rc;
	if (allowed)
		*allowed = op.u.access.allowed;
	if (decided)
		*decided = UINT32_MAX;
	if (auditallow)
		*auditallow = op.u.access.audit_allow;
	if (auditdeny)
		*auditdeny = op.u.access.audit_deny;
	if (seqno)
		*seqno = op.u.access.seqno;
	return (op.u.access.allowed & req) == req ? 0 : -EPERM;
}

int xc_flask_avc_hashstats(xc_interface *xch, char *buf, int size)
{
	xen_flask_op_t op = {.cmd = FLASK_AVC_HASHSTATS};
	int rc = xc_flask_op(xch, &op);

	snprintf(buf, (size_t)size,
		 "entries: %d\nbuckets used: %d/%d\nlongest chain: %d\n",
		 op.u.hash_stats.entries, op.u.hash_stats.buckets_used,
		 op.u.hash_stats.buckets_total, op.u.hash_stats.max_chain_len);
	return rc;
}

int xc_flask_avc_cachestats(xc_interface *xch, char *buf, int size)
{
	int at = snprintf(buf, (size_t)size,
			  "lookups hits misses allocations "
			  "reclaims frees\n");

	for (uint32_t cpu = 0; at < size; cpu++) {
		xen_flask_op_t op = {.cmd = FLASK_AVC_CACHESTATS};
		const struct xen_flask_cache_stats *c = &op.u.cache_stats;
		int rc;

		op.u.cache_stats.cpu = cpu;
		rc = xc_flask_op(xch, &op);
		if (rc)
			return errno == ENOENT ? 0 : rc;
		at += snprintf(buf + at, (size_t)(size - at),
			       "%u %u %u %u %u %u\n", c->lookups, c->hits,
			       c->misses, c->allocations, c->reclaims,
			       c->frees);
	}
	return 0;
}

int xc_flask_policyvers(xc_interface *xch)
{
	return simple(xch, FLASK_POLICYVERS);
}

int xc_flask_getavc_threshold(xc_interface *xch)
{
	return simple(xch, FLASK_GETAVC_THRESHOLD);
}

int xc_flask_setavc_threshold(xc_interface *xch, int threshold)
{
	xen_flask_op_t op = {.cmd = FLASK_SETAVC_THRESHOLD};

	op.u.setavc_threshold.threshold = (uint32_t)threshold;
	return xc_flask_op(xch, &op);
}

int xc_flask_relabel_domain(xc_interface *xch, uint32_t domid, uint32_t sid)
{
	xen_flask_op_t op = {.cmd = FLASK_RELABEL_DOMAIN};

	op.u.relabel.domid = (domid_t)domid;
	op.u.relabel.sid = sid;
	return xc_flask_op(xch, &op);
}
