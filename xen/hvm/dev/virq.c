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
#include "mem/alloc.h"

#define GSIS 48

struct virq {
	uint8_t gsi[GSIS]; /* how many hold it up */
	uint8_t link[4];   /* … a link */
	uint8_t route[4];  /* a link's ISA interrupt; 0: none */
	uint16_t isa;      /* lines that are up */
	bool sci;          /* our own hold on interrupt 9 */
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

void hvm_isa_irq(struct domain *d, unsigned int irq, bool level)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct virq *q = hd->virq;

	if (!q || irq > 15)
		return;
	spin_lock(&hd->lock);
	if (!(q->isa & BIT(irq)) == level) {
		q->isa ^= (uint16_t)BIT(irq);
		count(d, irq ? irq : 2, level);
	}
	spin_unlock(&hd->lock);
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

void hvm_pci_intx(struct domain *d, unsigned int dev, unsigned int intx,
		  bool level)
{
	unsigned int bit = dev * 4 + intx, link = (dev + intx) & 3;
	struct hvm_domain *hd = hvm_domain(d);
	struct virq *q = hd->virq;

	if (!q)
		return;
	spin_lock(&hd->lock);
	if (bitmap_test(q->intx, bit) != level) {
		q->intx[bit / 64] ^= BIT(bit % 64);
		count(d, 16 + ((dev * 4 + (dev >> 3) + intx) & 31), level);
		if (level ? !q->link[link]++ : !--q->link[link])
			if (q->route[link])
				count(d, q->route[link], level);
	}
	spin_unlock(&hd->lock);
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

/* Intel SDM Vol. 3, "Message Signalled Interrupts". */
int hvm_inject_msi(struct domain *d, uint64_t addr, uint32_t data)
{
	unsigned int mode = (data >> 8) & 7;

	if (addr >> 20 != 0xfee)
		return -EINVAL;
	if (mode <= 1 && (data & 0xff) < 16)
		return -EINVAL;
	vlapic_deliver(d, (uint32_t)(addr >> 12) & 0xff, addr & BIT(2), mode,
		       (uint8_t)data, data & BIT(15));
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
