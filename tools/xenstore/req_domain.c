/* SPDX-License-Identifier: MIT */
/* Requests about domains, for dom0 and its tools. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "conn.h"
#include "domain.h"
#include "request.h"

#define DOMID_SELF_ID 0x7ff0 /* DOMID_SELF of xen.h */

/* The introduced domain that the one argument names; NULL with *@err. */
static struct domain *one_domain(const struct request *r, int *err)
{
	const char *arg = request_arg(r);
	int domid = arg ? request_domid(arg) : -1;
	struct domain *d;

	*err = EINVAL;
	if (domid <= 0)
		return NULL;
	*err = ENOENT;
	d = domain_find(domid);
	return d && d->introduced ? d : NULL;
}

/* <domid>|<gfn>|<evtchn>|, the frame number in signed decimal. */
int req_introduce(struct request *r)
{
	char *vec[3], *end;
	long port;
	int domid, rc;
	uint64_t gfn;

	if (request_strings(r, vec, 3) < 3)
		return EINVAL;
	domid = request_domid(vec[0]);
	gfn = strtoull(vec[1], &end, 10);
	if (*end || domid <= 0 || domid >= DOMID_LIMIT)
		return EINVAL;
	port = strtol(vec[2], &end, 10);
	if (*end || port <= 0 || port > INT32_MAX)
		return EINVAL;
	rc = domain_introduce(domid, gfn, port);
	if (!rc)
		reply_ok(r);
	return rc;
}

int req_release(struct request *r)
{
	int err;
	struct domain *d = one_domain(r, &err);

	if (!d)
		return err;
	domain_release(d);
	reply_ok(r);
	return 0;
}

int req_resume(struct request *r)
{
	int err;
	struct domain *d = one_domain(r, &err);

	if (!d)
		return err;
	d->shutdown = false;
	reply_ok(r);
	return 0;
}

int req_set_target(struct request *r)
{
	struct domain *d, *target;
	char *vec[2];
	int a, b;

	if (request_strings(r, vec, 2) < 2)
		return EINVAL;
	a = request_domid(vec[0]);
	b = request_domid(vec[1]);
	if (a < 0 || b < 0)
		return EINVAL;
	d = domain_find(a);
	target = domain_find(b);
	if (!d || !target || !d->conn || !target->introduced)
		return ENOENT;
	d->conn->who.target = b;
	reply_ok(r);
	return 0;
}

int req_get_domain_path(struct request *r)
{
	const char *arg = request_arg(r);
	int domid = arg ? request_domid(arg) : -1;
	char path[32];

	if (domid < 0)
		return EINVAL;
	snprintf(path, sizeof(path), "/local/domain/%d", domid);
	reply_string(r, path);
	return 0;
}

int req_is_domain_introduced(struct request *r)
{
	const char *arg = request_arg(r);
	int domid = arg ? request_domid(arg) : -1;
	struct domain *d;

	if (domid < 0)
		return EINVAL;
	d = domain_find(domid);
	reply_string(r, domid == DOMID_SELF_ID || (d && d->introduced) ? "T"
								       : "F");
	return 0;
}
