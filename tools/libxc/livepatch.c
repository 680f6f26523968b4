/* SPDX-License-Identifier: MIT */
/* Live patches of the hypervisor. */
#include "private.h"

static int livepatch(xc_interface *xch, struct xen_sysctl *op, uint32_t cmd)
{
	op->u.livepatch.cmd = cmd;
	return xc_sysctl(xch, op);
}

/* A patch's name in safe memory; it counts its null byte. */
static int name_get(xc_interface *xch, struct safe *s, const char *name,
		    struct xen_livepatch_name *out)
{
	size_t size = name ? strlen(name) + 1 : 0;

	if (!size || size > XEN_LIVEPATCH_NAME_SIZE) {
		errno = EINVAL;
		return -1;
	}
	if (safe_get(xch, s, name, size, SAFE_IN))
		return -1;
	out->size = (uint16_t)size;
	set_xen_guest_handle_raw(out->name, s->p);
	return 0;
}

int xc_livepatch_upload(xc_interface *xch, char *name, unsigned char *payload,
			uint32_t size)
{
	struct xen_sysctl op = SYSCTL(livepatch_op);
	struct safe n, p;
	int rc;

	if (!payload) {
		errno = EINVAL;
		return -1;
	}
	if (name_get(xch, &n, name, &op.u.livepatch.u.upload.name))
		return -1;
	if (safe_get(xch, &p, payload, size, SAFE_IN)) {
		safe_put(xch, &n);
		return -1;
	}
	op.u.livepatch.u.upload.size = size;
	set_xen_guest_handle_raw(op.u.livepatch.u.upload.payload, p.p);
	rc = livepatch(xch, &op, XEN_SYSCTL_LIVEPATCH_UPLOAD);
	safe_put(xch, &p);
	safe_put(xch, &n);
	return rc;
}

int xc_livepatch_get(xc_interface *xch, char *name,
		     xen_livepatch_status_t *status)
{
	struct xen_sysctl op = SYSCTL(livepatch_op);
	struct safe n;
	int rc;

	if (name_get(xch, &n, name, &op.u.livepatch.u.get.name))
		return -1;
	rc = livepatch(xch, &op, XEN_SYSCTL_LIVEPATCH_GET);
	safe_put(xch, &n);
	*status = op.u.livepatch.u.get.status;
	return rc;
}

int xc_livepatch_list_get_sizes(xc_interface *xch, unsigned int *nr,
				uint32_t *name_total_size,
				uint32_t *metadata_total_size)
{
	struct xen_sysctl op = SYSCTL(livepatch_op);
	int rc;

	if (!nr || !name_total_size || !metadata_total_size) {
		errno = EINVAL;
		return -1;
	}
	rc = livepatch(xch, &op, XEN_SYSCTL_LIVEPATCH_LIST);
	if (rc)
		return rc;
	*nr = op.u.livepatch.u.list.nr;
	*name_total_size = op.u.livepatch.u.list.name_total_size;
	*metadata_total_size = op.u.livepatch.u.list.metadata_total_size;
	return 0;
}

/* A listing under way: the caller's arrays and how far each is filled. */
struct listing {
	struct xen_livepatch_status *info;
	char *name, *metadata;
	uint32_t *len, *metadata_len;
	uint32_t name_left, metadata_left;
	unsigned int done, max;
	uint32_t version;
};

/* One call for up to n patches: how many came, or -1. *left: still to come. */
static int list_some(xc_interface *xch, struct listing *l, unsigned int start,
		     unsigned int n, unsigned int *left)
{
	struct xen_sysctl op = SYSCTL(livepatch_op);
	struct xen_sysctl_livepatch_list *list = &op.u.livepatch.u.list;
	void *const to[] = {l->info + l->done, l->name, l->len + l->done,
			    l->metadata, l->metadata_len + l->done};
	const size_t sizes[] = {n * sizeof(*l->info), l->name_left,
				n * sizeof(*l->len), l->metadata_left,
				n * sizeof(*l->metadata_len)};
	struct safe s[5];
	unsigned int i;
	int rc = -1;

	for (i = 0; i < 5; i++)
		if (safe_get(xch, &s[i], to[i], sizes[i], SAFE_OUT))
			goto out;
	list->idx = start + l->done;
	list->nr = n;
	set_xen_guest_handle_raw(list->status, s[0].p);
	set_xen_guest_handle_raw(list->name, s[1].p);
	set_xen_guest_handle_raw(list->len, s[2].p);
	set_xen_guest_handle_raw(list->metadata, s[3].p);
	set_xen_guest_handle_raw(list->metadata_len, s[4].p);
	rc = livepatch(xch, &op, XEN_SYSCTL_LIVEPATCH_LIST);
	if (rc < 0)
		goto out;
	if (l->version && l->version != list->version) {
		rc = -1;
		errno = ESTALE; /* patches came or went meanwhile */
		goto out;
	}
	if ((unsigned int)rc > n || list->name_total_size > l->name_left ||
	    list->metadata_total_size > l->metadata_left) {
		rc = -1;
		errno = EOVERFLOW;
		goto out;
	}
	l->version = list->version;
	l->done += (unsigned int)rc;
	l->name += list->name_total_size;
	l->name_left -= list->name_total_size;
	l->metadata += list->metadata_total_size;
	l->metadata_left -= list->metadata_total_size;
	*left = list->nr;
out:
	while (i)
		safe_put(xch, &s[--i]);
	return rc;
}

int xc_livepatch_list(xc_interface *xch, const unsigned int max,
		      const unsigned int start,
		      struct xen_livepatch_status *info, char *name,
		      uint32_t *len, const uint32_t name_total_size,
		      char *metadata, uint32_t *metadata_len,
		      const uint32_t metadata_total_size, unsigned int *done,
		      unsigned int *left)
{
	const struct listing fresh = {
		.info = info,
		.name = name,
		.metadata = metadata,
		.len = len,
		.metadata_len = metadata_len,
		.name_left = name_total_size,
		.metadata_left = metadata_total_size,
		.max = max,
	};
	struct listing l = fresh;
	unsigned int batch = max, retries = 4;
	int rc;

	if (!max || !info || !name || !len || !metadata || !metadata_len ||
	    !done || !left) {
		errno = EINVAL;
		return -1;
	}
	if (!name_total_size) {
		errno = ENOENT;
		return -1;
	}
	*done = *left = 0;
	for (;;) {
		unsigned int n = max - l.done < batch ? max - l.done : batch;

		rc = list_some(xch, &l, start, n, left);
		if (rc < 0 && errno == E2BIG && batch > 1) {
			batch /= 2; /* more than Xen does at once */
			continue;
		}
		if (rc < 0 && errno == ESTALE) {
			l = fresh;
			if (retries--)
				continue;
			errno = EBUSY;
		}
		*done = l.done;
		if (rc <= 0 || l.done >= max || *left == 0)
			return rc < 0 ? rc : 0;
	}
}

static int action(xc_interface *xch, const char *name, uint32_t cmd,
		  uint32_t timeout, uint32_t flags)
{
	struct xen_sysctl op = SYSCTL(livepatch_op);
	struct safe n;
	int rc;

	if (name_get(xch, &n, name, &op.u.livepatch.u.action.name))
		return -1;
	op.u.livepatch.u.action.cmd = cmd;
	op.u.livepatch.u.action.timeout = timeout;
	op.u.livepatch.u.action.flags = flags;
	rc = livepatch(xch, &op, XEN_SYSCTL_LIVEPATCH_ACTION);
	safe_put(xch, &n);
	return rc;
}

int xc_livepatch_apply(xc_interface *xch, char *name, uint32_t timeout,
		       uint32_t flags)
{
	return action(xch, name, LIVEPATCH_ACTION_APPLY, timeout, flags);
}

int xc_livepatch_revert(xc_interface *xch, char *name, uint32_t timeout,
			uint32_t flags)
{
	return action(xch, name, LIVEPATCH_ACTION_REVERT, timeout, flags);
}

int xc_livepatch_unload(xc_interface *xch, char *name, uint32_t timeout,
			uint32_t flags)
{
	return action(xch, name, LIVEPATCH_ACTION_UNLOAD, timeout, flags);
}

int xc_livepatch_replace(xc_interface *xch, char *name, uint32_t timeout,
			 uint32_t flags)
{
	return action(xch, name, LIVEPATCH_ACTION_REPLACE, timeout, flags);
}
