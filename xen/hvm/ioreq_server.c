/* SPDX-License-Identifier: MIT */
/*
 * Device models' servers: made and ended by dm_op, found for each access. The
 * domain's device lock protects the list and the ranges; a server goes only
 * while the domain is paused, so that none is in a vCPU's hands then, and with
 * life_lock held, so that none is in another caller's.
 */
#include "hvm/dm.h"

#include "console/printk.h"
#include "event/event.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame.h"
#include "mem/layout.h"

#include <assert.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

#ifndef HVM_IOREQSRV_BUFIOREQ_OFF
#define HVM_IOREQSRV_BUFIOREQ_OFF    0
#define HVM_IOREQSRV_BUFIOREQ_LEGACY 1
#define HVM_IOREQSRV_BUFIOREQ_ATOMIC 2
#endif

static_assert(sizeof(struct ioreq) * MAX_VCPUS <= PAGE_SIZE,
	      "one page of slots");
static_assert(sizeof(struct buffered_iopage) <= PAGE_SIZE, "one page of ring");

/* All domains' servers: who looks at one's pages, changes where they are or
 * whether it is enabled, or ends it. Outside of the p2m's lock. */
static spinlock_t life_lock = SPINLOCK_INIT(LOCK_IOREQ);

static struct ioreq_server *find(struct domain *d, ioservid_t id)
{
	return id < IOREQ_SERVERS
		       ? hvm_domain(d)->servers[index_nospec(id, IOREQ_SERVERS)]
		       : NULL;
}

/* The first range that does not end before x: nr if all do. */
static unsigned int position(const struct ioreq_ranges *r, uint64_t x)
{
	unsigned int lo = 0, hi = r->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (r->r[mid].end < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Ranges side by side count as one: QEMU's port 0xcf9 lies within 0xcf8's. */
static bool contains(const struct ioreq_ranges *r, uint64_t first,
		     uint64_t last)
{
	for (unsigned int i = position(r, first);
	     i < r->nr && r->r[i].start <= first; i++) {
		if (r->r[i].end >= last)
			return true;
		first = r->r[i].end + 1;
	}
	return false;
}

static int range_add(struct ioreq_ranges *r, uint64_t start, uint64_t end)
{
	unsigned int i = position(r, start);

	if (i < r->nr && r->r[i].start <= end)
		return -EEXIST;
	if (r->nr == IOREQ_RANGES)
		return -ENOSPC;
	memmove(&r->r[i + 1], &r->r[i], (r->nr - i) * sizeof(r->r[0]));
	r->r[i] = (struct ioreq_range){start, end};
	r->nr++;
	return 0;
}

/* Only what was added, by the same bounds or within them. */
static int range_remove(struct ioreq_ranges *r, uint64_t start, uint64_t end)
{
	unsigned int i = position(r, start);
	struct ioreq_range old;

	if (i == r->nr || r->r[i].start > start || r->r[i].end < end)
		return -ENOENT;
	old = r->r[i];
	memmove(&r->r[i], &r->r[i + 1], (r->nr - i - 1) * sizeof(r->r[0]));
	r->nr--;
	if (old.start < start)
		range_add(r, old.start, start - 1);
	if (old.end > end)
		range_add(r, end + 1, old.end);
	return 0;
}

int ioreq_server_range(struct domain *d,
		       const struct xen_dm_op_ioreq_server_range *r, bool add)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct ioreq_server *s;
	int rc = -ENOENT;

	if (r->start > r->end || r->type > XEN_DMOP_IO_RANGE_PCI)
		return -EINVAL;
	spin_lock(&hd->lock);
	s = find(d, r->id);
	if (s) {
		struct ioreq_ranges *to = &s->ranges[r->type];

		rc = add ? range_add(to, r->start, r->end)
			 : range_remove(to, r->start, r->end);
	}
	spin_unlock(&hd->lock);
	return rc;
}

#define CF8_ENABLED BIT(31)

/* Mechanism 1: the address port's last value says which function is meant. */
static void as_config(const struct hvm_domain *hd, uint8_t *type,
		      uint64_t *addr)
{
	uint32_t cf8 = hd->pci_cf8;

	if (*type != IOREQ_TYPE_PIO || (*addr & ~3UL) != 0xcfc ||
	    !(cf8 & CF8_ENABLED))
		return;
	*type = IOREQ_TYPE_PCI_CONFIG;
	*addr = (uint64_t)(cf8 >> 8 & 0xffff) << 32 | (cf8 & 0xfc) |
		(*addr & 3);
}

struct ioreq_server *ioreq_select(struct domain *d, uint8_t *type,
				  uint64_t *addr, unsigned int size)
{
	struct hvm_domain *hd = hvm_domain(d);
	unsigned int which = XEN_DMOP_IO_RANGE_MEMORY;
	uint64_t first, last;

	as_config(hd, type, addr);
	first = *addr;
	last = first + size - 1;
	if (*type == IOREQ_TYPE_PIO) {
		which = XEN_DMOP_IO_RANGE_PORT;
	} else if (*type == IOREQ_TYPE_PCI_CONFIG) {
		which = XEN_DMOP_IO_RANGE_PCI;
		first = last = first >> 32;
	}
	for (unsigned int i = 0; i < IOREQ_SERVERS; i++) {
		struct ioreq_server *s = hd->servers[i];

		if (s && s->enabled && contains(&s->ranges[which], first, last))
			return s;
	}
	return NULL;
}

/* Where old device models look for the two pages: in the guest's memory, at
 * the places that the builder set aside. */
static gfn_t place_of(struct domain *d, const struct ioreq_server *s)
{
	const uint64_t *p = hvm_domain(d)->params;

	return _gfn(p[HVM_PARAM_IOREQ_SERVER_PFN] + s->id * 2UL);
}

static int place_page(struct domain *d, gfn_t gfn, void *page)
{
	enum p2m_type t;
	int rc = -EBUSY;

	p2m_lock(&d->p2m);
	p2m_lookup(&d->p2m, gfn, &t, NULL);
	if (t == P2M_NONE)
		rc = p2m_set(&d->p2m, gfn, virt_to_mfn(page), 1, P2M_SHARED);
	p2m_unlock(&d->p2m);
	return rc;
}

static void unplace_page(struct domain *d, gfn_t gfn, const void *page)
{
	mfn_t mfn;

	p2m_lock(&d->p2m);
	mfn = p2m_lookup(&d->p2m, gfn, NULL, NULL);
	if (mfn_eq(mfn, virt_to_mfn(page)))
		p2m_clear(&d->p2m, gfn, 1);
	p2m_unlock(&d->p2m);
	p2m_flush(&d->p2m);
}

/* The guest has no business with them once the server runs, and may not reach
 * them when they are given back: its p2m holds no reference. */
static void unplace(struct domain *d, struct ioreq_server *s)
{
	while (s->placed) {
		s->placed--;
		unplace_page(d, _gfn(gfn_x(s->at) + s->placed),
			     s->placed ? (void *)s->ring : s->slots);
	}
}

static int place(struct domain *d, struct ioreq_server *s)
{
	uint64_t n = hvm_domain(d)->params[HVM_PARAM_NR_IOREQ_SERVER_PAGES];
	unsigned int pages = s->ring ? 2 : 1;
	int rc = 0;

	if (s->placed)
		return 0;
	if (s->id * 2UL + 2 > n)
		return -ENOMEM;
	s->at = place_of(d, s);
	while (!rc && s->placed < pages) {
		rc = place_page(d, _gfn(gfn_x(s->at) + s->placed),
				s->placed ? (void *)s->ring : s->slots);
		s->placed += rc == 0;
	}
	if (rc)
		unplace(d, s);
	return rc;
}

static void free_server(struct domain *d, struct ioreq_server *s)
{
	for (unsigned int i = 0; s->ports && i < d->max_vcpus; i++)
		if (s->ports[i])
			event_free_xen_port(d, s->ports[i]);
	unplace(d, s);
	if (s->ring_port)
		event_free_xen_port(d, s->ring_port);
	if (s->slots)
		domain_put_shared_page(s->slots);
	if (s->ring)
		domain_put_shared_page(s->ring);
	for (unsigned int i = 0; i < 3; i++)
		xfree(s->ranges[i].r);
	xfree(s->ports);
	xfree(s);
}

/* One more than a range's number: what is removed from within makes two. */
static int alloc_parts(struct domain *d, struct ioreq_server *s)
{
	for (unsigned int i = 0; i < 3; i++) {
		s->ranges[i].r =
			xnew_array(struct ioreq_range, IOREQ_RANGES + 1);
		if (!s->ranges[i].r)
			return -ENOMEM;
	}
	s->ports = xnew_array(uint32_t, d->max_vcpus);
	s->slots = domain_shared_page(d);
	if (s->buffered)
		s->ring = domain_shared_page(d);
	return s->ports && s->slots && (s->ring || !s->buffered) ? 0 : -ENOMEM;
}

static int alloc_ports(struct domain *d, struct ioreq_server *s)
{
	struct vcpu *v;
	int port;

	for_each_vcpu(d, v) {
		port = event_alloc_xen_port(v, s->emulator, ioreq_event);
		if (port < 0)
			return port;
		s->ports[v->id] = (uint32_t)port;
		s->slots[v->id].vp_eport = (uint32_t)port;
	}
	if (!s->buffered || !d->vcpu[0])
		return 0;
	port = event_alloc_xen_port(d->vcpu[0], s->emulator, ioreq_event);
	if (port < 0)
		return port;
	s->ring_port = (uint32_t)port;
	return 0;
}

/* A free number is the server's from now on. */
static int list_server(struct domain *d, struct ioreq_server *s)
{
	struct hvm_domain *hd = hvm_domain(d);
	int rc = -ENOSPC;

	spin_lock(&hd->lock);
	for (unsigned int i = 0; i < IOREQ_SERVERS && rc; i++) {
		if (hd->servers[i] || d->dying != DOMDYING_ALIVE)
			continue;
		s->id = (ioservid_t)i;
		hd->servers[i] = s;
		hd->has_servers = true;
		rc = 0;
	}
	spin_unlock(&hd->lock);
	return rc;
}

int ioreq_server_create(struct domain *d, domid_t emulator, uint8_t buffered,
			ioservid_t *id)
{
	struct ioreq_server *s;
	int rc;

	if (buffered > HVM_IOREQSRV_BUFIOREQ_ATOMIC)
		return -EINVAL;
	if (d->dying != DOMDYING_ALIVE)
		return -EINVAL;
	s = xnew(struct ioreq_server);
	if (!s)
		return -ENOMEM;
	s->emulator = emulator;
	s->buffered = buffered;
	spin_lock_init(&s->ring_lock, LOCK_VLAPIC);
	rc = alloc_parts(d, s);
	if (!rc)
		rc = alloc_ports(d, s);
	if (!rc)
		rc = list_server(d, s);
	if (rc)
		free_server(d, s);
	else
		*id = s->id;
	return rc;
}

/* What a vCPU waits for is answered by nobody then: all ones. */
static void forget_server(struct domain *d, const struct ioreq_server *s)
{
	struct vcpu *v;

	for_each_vcpu(d, v) {
		struct hvm_io *io = &hvm_vcpu(v)->io;

		if (s && io->pending && io->server == s)
			io->server = NULL;
	}
}

int ioreq_server_destroy(struct domain *d, ioservid_t id)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct ioreq_server *s;

	domain_pause(d);
	spin_lock(&life_lock);
	spin_lock(&hd->lock);
	s = find(d, id);
	if (s)
		hd->servers[id] = NULL;
	spin_unlock(&hd->lock);
	forget_server(d, s);
	if (s)
		free_server(d, s);
	spin_unlock(&life_lock);
	domain_unpause(d);
	return s ? 0 : -ENOENT;
}

void ioreq_destroy_all(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	for (unsigned int i = 0; i < IOREQ_SERVERS; i++) {
		struct ioreq_server *s;

		spin_lock(&life_lock);
		spin_lock(&hd->lock);
		s = hd->servers[i];
		hd->servers[i] = NULL;
		forget_server(d, s);
		spin_unlock(&hd->lock);
		if (s)
			free_server(d, s);
		spin_unlock(&life_lock);
	}
}

int ioreq_server_enable(struct domain *d, ioservid_t id, bool on)
{
	struct ioreq_server *s;

	domain_pause(d);
	spin_lock(&life_lock);
	s = find(d, id);
	if (s) {
		if (on)
			unplace(d, s);
		s->enabled = on;
	}
	spin_unlock(&life_lock);
	domain_unpause(d);
	return s ? 0 : -ENOENT;
}

static int fill_info(struct domain *d, struct ioreq_server *s,
		     struct xen_dm_op_get_ioreq_server_info *info)
{
	int rc;

	info->bufioreq_port = s->ring_port;
	if (info->flags & XEN_DMOP_no_gfns)
		return 0;
	rc = place(d, s);
	if (rc)
		return rc;
	info->ioreq_gfn = gfn_x(s->at);
	info->bufioreq_gfn = s->ring ? gfn_x(s->at) + 1 : 0;
	return 0;
}

int ioreq_server_info(struct domain *d,
		      struct xen_dm_op_get_ioreq_server_info *info)
{
	struct ioreq_server *s;
	int rc = -ENOENT;

	if (info->flags & ~XEN_DMOP_no_gfns)
		return -EINVAL;
	spin_lock(&life_lock);
	s = find(d, info->id);
	if (s)
		rc = fill_info(d, s, info);
	spin_unlock(&life_lock);
	return rc;
}

static const void *resource_page(const struct ioreq_server *s, uint64_t frame)
{
	if (frame == XENMEM_resource_ioreq_server_frame_bufioreq)
		return s->ring;
	if (frame == XENMEM_resource_ioreq_server_frame_ioreq(0))
		return s->slots;
	return NULL;
}

int ioreq_resource(struct domain *d, uint32_t id, uint64_t frame, mfn_t *mfn)
{
	const struct ioreq_server *s = NULL;
	const void *page = NULL;

	spin_lock(&life_lock);
	if (id < IOREQ_SERVERS)
		s = find(d, (ioservid_t)id);
	if (s)
		page = resource_page(s, frame);
	if (page)
		*mfn = virt_to_mfn(page);
	spin_unlock(&life_lock);
	if (!s)
		return -ENOENT;
	return page ? 0 : -EINVAL;
}

int ioreq_resource_size(struct domain *d, uint32_t id, uint32_t *n)
{
	if (id >= IOREQ_SERVERS || !find(d, (ioservid_t)id))
		return -ENOENT;
	*n = 2;
	return 0;
}
