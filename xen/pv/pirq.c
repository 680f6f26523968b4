/* SPDX-License-Identifier: MIT */
/*
 * What a PV dom0 asks about physical interrupts: which there are, how a line is
 * wired, when it has dealt with one. A level-triggered line stays masked from
 * the interrupt until dom0's EOI.
 */
#include "pv/pirq.h"

#include "console/printk.h"
#include "domain/guest_access.h"
#include "event/event.h"
#include "lib/errno.h"
#include "mem/alloc.h"
#include "pv/pv.h"

#include <xen/physdev.h>

static struct pv_pirqs *pirqs_of(const struct domain *d)
{
	return ((struct pv_domain *)d->arch)->pirqs;
}

static unsigned int number_of(const struct pv_pirq *p)
{
	return (unsigned int)(p - pirqs_of(p->d)->pirq);
}

static void raised(void *data, unsigned int irq)
{
	const struct pv_pirq *p = data;

	(void)irq;
	event_send_pirq(p->d, number_of(p));
}

int pv_pirq_init(struct domain *d)
{
	struct pv_pirqs *t;

	if (!d->privileged)
		return 0;
	t = xnew(struct pv_pirqs);
	if (!t)
		return -ENOMEM;
	spin_lock_init(&t->lock, LOCK_PIRQ);
	for (unsigned int i = 0; i < NR_PIRQS; i++) {
		t->pirq[i].d = d;
		/* As ISA and PCI lines are wired unless setup_gsi says more. */
		t->pirq[i].level = t->pirq[i].low = i >= 16;
	}
	((struct pv_domain *)d->arch)->pirqs = t;
	return 0;
}

void pv_pirq_destroy(struct domain *d)
{
	xfree(pirqs_of(d));
}

/* One that is in use; NULL. */
static struct pv_pirq *find(struct pv_pirqs *t, unsigned int pirq)
{
	return pirq < NR_PIRQS && t->pirq[pirq].kind != PIRQ_FREE
		       ? &t->pirq[pirq]
		       : NULL;
}

static int map_gsi(struct pv_pirqs *t, struct physdev_map_pirq *m)
{
	if (m->index < 0 || (unsigned int)m->index >= nr_gsis() ||
	    (m->pirq >= 0 && m->pirq != m->index))
		return -EINVAL;
	t->pirq[m->index].kind = PIRQ_GSI;
	m->pirq = m->index;
	return 0;
}

static struct pv_pirq *find_free(struct pv_pirqs *t, int wanted)
{
	if (wanted >= 0)
		return (unsigned int)wanted >= nr_gsis() && wanted < NR_PIRQS &&
				       t->pirq[wanted].kind == PIRQ_FREE
			       ? &t->pirq[wanted]
			       : NULL;
	for (unsigned int i = nr_gsis(); i < NR_PIRQS; i++)
		if (t->pirq[i].kind == PIRQ_FREE)
			return &t->pirq[i];
	return NULL;
}

static int map_msi(struct pv_pirqs *t, struct physdev_map_pirq *m)
{
	struct pv_pirq *p = find_free(t, m->pirq);
	int rc;

	if (!p)
		return -ENOSPC;
	if (m->bus < 0 || m->devfn < 0 || m->devfn > 255 || m->entry_nr < 0)
		return -EINVAL;
	p->dev = (pci_sbdf_t){
		.seg = m->type == MAP_PIRQ_TYPE_MSI_SEG ? m->bus >> 16 : 0,
		.bus = (uint8_t)m->bus,
		.devfn = (uint8_t)m->devfn,
	};
	rc = m->table_base ? pv_msix_enable(p, (unsigned int)m->entry_nr,
					    m->table_base, raised)
			   : pv_msi_enable(p, raised);
	m->pirq = (int)number_of(p);
	return rc;
}

static long map_pirq(struct pv_pirqs *t, uint64_t arg)
{
	struct physdev_map_pirq m;
	long rc;

	if (copy_from_guest(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.domid != DOMID_SELF && m.domid != dom0->id)
		return -EOPNOTSUPP;
	spin_lock(&t->lock);
	switch (m.type) {
	case MAP_PIRQ_TYPE_GSI:
		rc = map_gsi(t, &m);
		break;
	case MAP_PIRQ_TYPE_MSI:
	case MAP_PIRQ_TYPE_MSI_SEG:
		rc = map_msi(t, &m);
		break;
	default:
		/* Several messages of one device: Linux does with one. */
		rc = -EOPNOTSUPP;
	}
	spin_unlock(&t->lock);
	if (!rc && copy_to_guest(arg, &m, sizeof(m)))
		rc = -EFAULT;
	return rc;
}

static void free_pirq(struct pv_pirq *p)
{
	if (p->kind != PIRQ_GSI)
		pv_msi_disable(p);
	else if (p->bound)
		irq_unbind_gsi(number_of(p));
	p->bound = false;
	p->kind = PIRQ_FREE;
}

static long unmap_pirq(struct pv_pirqs *t, uint64_t arg)
{
	struct physdev_unmap_pirq u;
	struct pv_pirq *p;

	if (copy_from_guest(&u, arg, sizeof(u)))
		return -EFAULT;
	if (u.domid != DOMID_SELF && u.domid != dom0->id)
		return -EOPNOTSUPP;
	spin_lock(&t->lock);
	p = find(t, (unsigned int)u.pirq);
	if (p)
		free_pirq(p);
	spin_unlock(&t->lock);
	return p ? 0 : -EINVAL;
}

static long setup_gsi(struct pv_pirqs *t, uint64_t arg)
{
	struct physdev_setup_gsi s;
	long rc = 0;

	if (copy_from_guest(&s, arg, sizeof(s)))
		return -EFAULT;
	if (s.gsi < 0 || (unsigned int)s.gsi >= nr_gsis())
		return -EINVAL;
	spin_lock(&t->lock);
	if (t->pirq[s.gsi].bound) {
		rc = -EBUSY;
	} else {
		t->pirq[s.gsi].level = s.triggering;
		t->pirq[s.gsi].low = s.polarity;
	}
	spin_unlock(&t->lock);
	return rc;
}

static long eoi(struct pv_pirqs *t, uint64_t arg)
{
	struct physdev_eoi e;
	struct pv_pirq *p;

	if (copy_from_guest(&e, arg, sizeof(e)))
		return -EFAULT;
	p = find(t, e.irq);
	if (!p)
		return -EINVAL;
	if (p->kind == PIRQ_GSI && p->level)
		irq_eoi_gsi(e.irq);
	return 0;
}

static long status(struct pv_pirqs *t, uint64_t arg)
{
	struct physdev_irq_status_query q;
	const struct pv_pirq *p;

	if (copy_from_guest(&q, arg, sizeof(q)))
		return -EFAULT;
	p = find(t, q.irq);
	if (!p)
		return -EINVAL;
	q.flags = p->kind == PIRQ_GSI && p->level
			  ? XENIRQSTAT_needs_eoi | XENIRQSTAT_shared
			  : 0;
	return copy_to_guest(arg, &q, sizeof(q)) ? -EFAULT : 0;
}

/* The vector is ours to choose: nothing that dom0 needs to know. */
static long alloc_vector(uint64_t arg)
{
	struct physdev_irq i;

	if (copy_from_guest(&i, arg, sizeof(i)))
		return -EFAULT;
	if (i.irq >= nr_gsis())
		return -EINVAL;
	i.vector = i.irq;
	return copy_to_guest(arg, &i, sizeof(i)) ? -EFAULT : 0;
}

static long get_free(struct pv_pirqs *t, uint64_t arg)
{
	struct physdev_get_free_pirq g;
	const struct pv_pirq *p;

	if (copy_from_guest(&g, arg, sizeof(g)))
		return -EFAULT;
	p = find_free(t, -1);
	if (!p)
		return -ENOSPC;
	g.pirq = number_of(p);
	return copy_to_guest(arg, &g, sizeof(g)) ? -EFAULT : 0;
}

long pv_pirq_op(struct vcpu *v, uint32_t cmd, uint64_t arg)
{
	struct pv_pirqs *t = pirqs_of(v->domain);

	if (!t)
		return -ENOSYS;
	switch (cmd) {
	case PHYSDEVOP_map_pirq:
		return map_pirq(t, arg);
	case PHYSDEVOP_unmap_pirq:
		return unmap_pirq(t, arg);
	case PHYSDEVOP_setup_gsi:
		return setup_gsi(t, arg);
	case PHYSDEVOP_eoi:
		return eoi(t, arg);
	case PHYSDEVOP_irq_status_query:
		return status(t, arg);
	case PHYSDEVOP_alloc_irq_vector:
		return alloc_vector(arg);
	case PHYSDEVOP_get_free_pirq:
		return get_free(t, arg);
	case PHYSDEVOP_prepare_msix:
	case PHYSDEVOP_release_msix:
		return 0;
	}
	return -ENOSYS;
}

/* Of event/: its lock is held. */
int pv_pirq_bind(struct domain *d, unsigned int pirq, bool share)
{
	struct pv_pirqs *t = pirqs_of(d);
	struct pv_pirq *p;
	int rc = 0;

	(void)share;
	if (!t)
		return -EINVAL;
	spin_lock(&t->lock);
	p = find(t, pirq);
	if (!p)
		rc = -EINVAL;
	else if (p->kind == PIRQ_GSI)
		rc = irq_bind_gsi(pirq, p->level, p->low, 0, raised, p);
	if (!rc && p->kind == PIRQ_GSI) {
		p->bound = true;
		irq_mask_gsi(pirq, false);
	}
	spin_unlock(&t->lock);
	if (rc)
		printk(XENLOG_DEBUG "dom0: pirq %u cannot be bound (%d)\n",
		       pirq, rc);
	return rc;
}

void pv_pirq_unbind(struct domain *d, unsigned int pirq)
{
	struct pv_pirqs *t = pirqs_of(d);
	struct pv_pirq *p;

	spin_lock(&t->lock);
	p = find(t, pirq);
	if (p && p->kind == PIRQ_GSI && p->bound) {
		p->bound = false;
		irq_unbind_gsi(pirq);
	}
	spin_unlock(&t->lock);
}
