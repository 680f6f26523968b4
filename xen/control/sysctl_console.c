/* SPDX-License-Identifier: MIT */
/* sysctl: our messages ("xl dmesg"), debug keys, counters. */
#include "control/sysctl.h"

#include "console/console.h"
#include "domain/guest_access.h"
#include "lib/errno.h"
#include "trace/perf.h"

long sysctl_readconsole(struct xen_sysctl *op)
{
	struct xen_sysctl_readconsole *r = &op->u.readconsole;
	uint64_t buffer = guest_handle_va(r->buffer);
	uint32_t index = r->incremental ? r->index : console_ring_start();
	uint32_t done = 0;

	while (done < r->count) {
		char chunk[256];
		size_t n = console_ring_read(
			&index, chunk,
			min(sizeof(chunk), (size_t)(r->count - done)));

		if (!n)
			break;
		if (copy_array_to_guest(buffer, done, chunk, n, 1))
			return -EFAULT;
		done += (uint32_t)n;
	}
	if (r->clear)
		console_ring_clear(index);
	r->count = done;
	r->index = index;
	return 0;
}

long sysctl_debug_keys(struct xen_sysctl *op)
{
	const struct xen_sysctl_debug_keys *k = &op->u.debug_keys;

	for (uint32_t i = 0; i < k->nr_keys; i++) {
		char key;

		if (copy_elem_from_guest(&key, guest_handle_va(k->keys), i))
			return -EFAULT;
		debug_key(key);
	}
	return 0;
}

/* Counter i of s to the tool: its description and its value, where it wants
 * them. */
static int copy_counter(const struct xen_sysctl_perfc_op *p,
			const struct perf_source *s, unsigned int i, uint32_t n)
{
	uint64_t desc_to = guest_handle_va(p->desc);
	uint64_t val_to = guest_handle_va(p->val);
	struct xen_sysctl_perfc_desc desc = {.nr_vals = 1};
	xen_sysctl_perfc_val_t val = (xen_sysctl_perfc_val_t)s->value(i);

	s->name(i, desc.name, sizeof(desc.name));
	if (desc_to && copy_elem_to_guest(desc_to, n, &desc))
		return -EFAULT;
	if (val_to && copy_elem_to_guest(val_to, n, &val))
		return -EFAULT;
	return 0;
}

long sysctl_perfc_op(struct xen_sysctl *op)
{
	struct xen_sysctl_perfc_op *p = &op->u.perfc_op;
	uint32_t n = 0;

	if (p->cmd != XEN_SYSCTL_PERFCOP_reset &&
	    p->cmd != XEN_SYSCTL_PERFCOP_query)
		return -EINVAL;
	for (struct perf_source *s = perf_sources; s; s = s->next) {
		for (unsigned int i = 0; i < s->nr; i++)
			if (copy_counter(p, s, i, n++))
				return -EFAULT;
		if (p->cmd == XEN_SYSCTL_PERFCOP_reset)
			s->reset();
	}
	p->nr_counters = p->nr_vals = n;
	return 0;
}
