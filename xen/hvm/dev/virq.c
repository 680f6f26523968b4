/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines of a guest PC. Several sources may share an input, which is
 * up while any of them is: inputs count. ISA interrupts reach both controllers
 * under their own number (but for the timer, input 2 of the I/O APIC); PCI
 * interrupts have inputs 16 to 47 of the I/O APIC, and reach the 8259s through
 * one of four links. hvmloader's ACPI tables say the same.
 */
#include "hvm/dev/virq.h"

#include "hvm/dev/vioapic.h"
#include "hvm/dev/vlapic.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

#include <xen/hvm/params.h>

#define GSIS 48

struct virq {
	uint8_t gsi[GSIS]; /* how many hold it up */
	uint8_t link[4];   /* … a link */
	uint8_t route[4];  /* a link's ISA interrupt; 0: none */
	uint8_t own[GSIS]; /* … of those, by virq_input() */
	uint16_t isa;      /* lines that are up */
	bool sci;          /* our own hold on interrupt 9 */
	bool callback_up;  /* … and the event callback's on its line */
	uint64_t callback; /* HVM_PARAM_CALLBACK_IRQ, where that is a line */
	uint64_t intx[2];  /* device * 4 + intx */
};

/* Input gsi goes up or down by one; lock held. */
static void count(struct domain *d, unsigned int gsi, bool up)
{
	struct virq *q = hvm_domain(d)->virq;

	if (up && q->gsi[gsi]++)
		return;
	if (!up && (!q->gsi[gsi] || --q->gsi[gsi]))
		return;
	vioapic_line(d, gsi, up);
	if (gsi < 16)
		vpic_line(d, gsi == 2 ? 0 : gsi, up);
}

void virq_isa(struct domain *d, unsigned int irq, bool level)
{
	struct virq *q = hvm_domain(d)->virq;

	if (!q || !(q->isa & BIT(irq)) != level)
		return;
	q->isa ^= (uint16_t)BIT(irq);
	count(d, irq ? irq : 2, level);
}

void hvm_isa_irq(struct domain *d, unsigned int irq, bool level)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (irq > 15)
		return;
	spin_lock(&hd->lock);
	virq_isa(d, irq, level);
	spin_unlock(&hd->lock);
}

void virq_input(struct domain *d, unsigned int gsi, bool up)
{
	struct virq *q = hvm_domain(d)->virq;

	if (!q || (!up && !q->own[gsi]))
		return;
	q->own[gsi] += up ? 1 : -1;
	count(d, gsi, up);
}

/* Beside the device model's: each lets go of its own only. */
void hvm_sci(struct domain *d, bool level)
{
	struct virq *q = hvm_domain(d)->virq;

	if (!q || q->sci == level)
		return;
	q->sci = level;
	count(d, 9, level);
}

/* Lock held; the caller knows that it was the other way. */
static void pci_intx(struct domain *d, unsigned int dev, unsigned int intx,
		     bool level)
{
	struct virq *q = hvm_domain(d)->virq;
	unsigned int link = (dev + intx) & 3;

	count(d, 16 + ((dev * 4 + (dev >> 3) + intx) & 31), level);
	if (level ? !q->link[link]++ : !--q->link[link])
		if (q->route[link])
			count(d, q->route[link], level);
}

void hvm_pci_intx(struct domain *d, unsigned int dev, unsigned int intx,
		  bool level)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct virq *q = hd->virq;
	unsigned int bit = dev * 4 + intx;

	if (!q)
		return;
	spin_lock(&hd->lock);
	if (bitmap_test(q->intx, bit) != level) {
		q->intx[bit / 64] ^= BIT(bit % 64);
		pci_intx(d, dev, intx, level);
	}
	spin_unlock(&hd->lock);
}

/* Lock held. */
static void callback_line(struct domain *d, struct virq *q, bool level)
{
	if (q->callback_up == level)
		return;
	q->callback_up = level;
	if (q->callback >> 56 == HVM_PARAM_CALLBACK_TYPE_GSI)
		count(d, (unsigned int)q->callback, level);
	else
		pci_intx(d, q->callback >> 11 & 31, q->callback & 3, level);
}

/* public/hvm/params.h, HVM_PARAM_CALLBACK_IRQ: bus 0 is all that there is. */
void virq_set_callback(struct domain *d, uint64_t via)
{
	struct hvm_domain *hd = hvm_domain(d);
	uint64_t where = via << 8 >> 8;
	struct virq *q = hd->virq;
	bool line = false;

	if (via >> 56 == HVM_PARAM_CALLBACK_TYPE_GSI)
		line = where && where < GSIS;
	else if (via >> 56 == HVM_PARAM_CALLBACK_TYPE_PCI_INTX)
		line = true;
	if (!q)
		return;
	spin_lock(&hd->lock);
	callback_line(d, q, false);
	q->callback = via;
	WRITE_ONCE(hd->callback_line, line);
	spin_unlock(&hd->lock);
}

bool virq_callback(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);
	const struct vcpu *v = d->vcpu[0];
	bool level = false;

	spin_lock(&hd->lock);
	if (hd->callback_line) {
		level = v && v->info &&
			READ_ONCE(v->info->evtchn_upcall_pending);
		callback_line(d, hd->virq, level);
	}
	spin_unlock(&hd->lock);
	return level;
}

int hvm_pci_link(struct domain *d, unsigned int link, unsigned int irq)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct virq *q = hd->virq;

	if (!q)
		return -EINVAL;
	spin_lock(&hd->lock);
	if (q->link[link] && q->route[link])
		count(d, q->route[link], false);
	q->route[link] = (uint8_t)irq;
	if (q->link[link] && irq)
		count(d, irq, true);
	spin_unlock(&hd->lock);
	return 0;
}

/*
 * Intel SDM Vol. 3, "Message Signalled Interrupts". QEMU gives the place in the
 * megabyte of the APICs, without 0xfee.
 */
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data)
{
	unsigned int mode = (data >> 8) & 7;

	if (addr >> 20 && addr >> 20 != 0xfee)
		return -EINVAL;
	/* Fixed, lowest priority, NMI: what devices send. */
	if (mode <= 1 ? (data & 0xff) < 16 : mode != 4)
		return -EINVAL;
	vlapic_deliver(d, (uint32_t)(addr >> 12) & 0xff, addr & BIT(2), mode,
		       (uint8_t)data, data & BIT(15));
	return 0;
}

void virq_save(struct domain *d, struct hvm_hw_pci_irqs *pci,
	       struct hvm_hw_isa_irqs *isa, struct hvm_hw_pci_link *link)
{
	struct hvm_domain *hd = hvm_domain(d);
	const struct virq *q = hd->virq;

	spin_lock(&hd->lock);
	if (pci)
		memcpy(pci->pad, q->intx, sizeof(pci->pad));
	if (isa)
		isa->pad[0] = q->isa;
	if (link) {
		memset(link, 0, sizeof(*link));
		memcpy(link->route, q->route, sizeof(link->route));
	}
	spin_unlock(&hd->lock);
}

/* Who holds up what, counted anew; lock held. The controllers learn how their
 * inputs are; what they made of that is in their own records. */
static void recount(struct domain *d, struct virq *q)
{
	memcpy(q->gsi, q->own, sizeof(q->gsi));
	memset(q->link, 0, sizeof(q->link));
	for (unsigned int i = 0; i < 16; i++)
		if (q->isa & BIT(i))
			q->gsi[i ? i : 2]++;
	for (unsigned int i = 0; i < 128; i++) {
		unsigned int dev = i / 4, intx = i % 4;

		if (!bitmap_test(q->intx, i))
			continue;
		q->gsi[16 + ((dev * 4 + (dev >> 3) + intx) & 31)]++;
		q->link[(dev + intx) & 3]++;
	}
	for (unsigned int i = 0; i < 4; i++)
		if (q->link[i] && q->route[i])
			q->gsi[q->route[i]]++;
	q->gsi[9] += q->sci;
	for (unsigned int gsi = 0; gsi < GSIS; gsi++) {
		vioapic_set_line(d, gsi, q->gsi[gsi]);
		if (gsi < 16)
			vpic_set_line(d, gsi == 2 ? 0 : gsi, q->gsi[gsi]);
	}
}

int virq_load(struct domain *d, const struct hvm_hw_pci_irqs *pci,
	      const struct hvm_hw_isa_irqs *isa,
	      const struct hvm_hw_pci_link *link)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct virq *q = hd->virq;

	for (unsigned int i = 0; link && i < 4; i++)
		if (link->route[i] > 15)
			return -EINVAL;
	spin_lock(&hd->lock);
	callback_line(d, q, false);
	if (pci)
		memcpy(q->intx, pci->pad, sizeof(q->intx));
	if (isa)
		q->isa = (uint16_t)isa->pad[0];
	if (link)
		memcpy(q->route, link->route, sizeof(q->route));
	recount(d, q);
	spin_unlock(&hd->lock);
	return 0;
}

int virq_init(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);
	int rc;

	hd->virq = xnew(struct virq);
	if (!hd->virq)
		return -ENOMEM;
	rc = vpic_init(d);
	return rc ? rc : vioapic_init_guest(d, GSIS);
}

void virq_destroy(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	xfree(hd->virq);
	hd->virq = NULL;
	xfree(hd->pic);
	hd->pic = NULL;
}
