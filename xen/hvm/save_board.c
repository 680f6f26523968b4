/* SPDX-License-Identifier: MIT */
/*
 * The records of a guest PC's board: interrupt lines and controllers, 8254,
 * clock, HPET, PM timer. The others are in save.c, which calls these.
 */
#include "hvm/records.h"

#include "hvm/dev/vioapic.h"
#include "hvm/dev/virq.h"

static void save_pic(struct domain *d, unsigned int i, void *buf)
{
	vpic_save(d, i, buf);
}

static int load_pic(struct domain *d, unsigned int i, const void *buf)
{
	return vpic_load(d, i, buf);
}

static void save_ioapic(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	vioapic_save(d, buf);
}

static int load_ioapic(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	return vioapic_load(d, buf);
}

static void save_pci_irq(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	virq_save(d, buf, NULL, NULL);
}

static int load_pci_irq(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	return virq_load(d, buf, NULL, NULL);
}

static void save_isa_irq(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	virq_save(d, NULL, buf, NULL);
}

static int load_isa_irq(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	return virq_load(d, NULL, buf, NULL);
}

static void save_pci_link(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	virq_save(d, NULL, NULL, buf);
}

static int load_pci_link(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	return virq_load(d, NULL, NULL, buf);
}

static void save_pit(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	vpit_save(d, buf);
}

static int load_pit(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	return vpit_load(d, buf);
}

static void save_rtc(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	vrtc_save(d, buf);
}

static int load_rtc(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	return vrtc_load(d, buf);
}

static void save_hpet(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	vhpet_save(d, buf);
}

static int load_hpet(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	return vhpet_load(d, buf);
}

static void save_pmtimer(struct domain *d, unsigned int i, void *buf)
{
	(void)i;
	vacpi_save(d, buf);
}

static int load_pmtimer(struct domain *d, unsigned int i, const void *buf)
{
	(void)i;
	vacpi_load(d, buf);
	return 0;
}

/* In the order of their numbers, which is the order of loading. */
static const struct board_record records[] = {
	{HVM_SAVE_CODE(PIC), 2, HVM_SAVE_LENGTH(PIC), save_pic, load_pic},
	{HVM_SAVE_CODE(IOAPIC), 1, HVM_SAVE_LENGTH(IOAPIC), save_ioapic,
	 load_ioapic},
	{HVM_SAVE_CODE(PCI_IRQ), 1, HVM_SAVE_LENGTH(PCI_IRQ), save_pci_irq,
	 load_pci_irq},
	{HVM_SAVE_CODE(ISA_IRQ), 1, HVM_SAVE_LENGTH(ISA_IRQ), save_isa_irq,
	 load_isa_irq},
	{HVM_SAVE_CODE(PCI_LINK), 1, HVM_SAVE_LENGTH(PCI_LINK), save_pci_link,
	 load_pci_link},
	{HVM_SAVE_CODE(PIT), 1, HVM_SAVE_LENGTH(PIT), save_pit, load_pit},
	{HVM_SAVE_CODE(RTC), 1, HVM_SAVE_LENGTH(RTC), save_rtc, load_rtc},
	{HVM_SAVE_CODE(HPET), 1, HVM_SAVE_LENGTH(HPET), save_hpet, load_hpet},
	{HVM_SAVE_CODE(PMTIMER), 1, HVM_SAVE_LENGTH(PMTIMER), save_pmtimer,
	 load_pmtimer},
};

static bool has(const struct domain *d, unsigned int type)
{
	const struct hvm_domain *hd = hvm_domain(d);

	if (type == HVM_SAVE_CODE(PIT))
		return hd->pit;
	if (type == HVM_SAVE_CODE(RTC))
		return hd->rtc;
	if (type == HVM_SAVE_CODE(HPET))
		return hd->hpet;
	if (type == HVM_SAVE_CODE(PMTIMER))
		return hd->acpi;
	return hd->virq;
}

const struct board_record *board_record(const struct domain *d,
					unsigned int type)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(records); i++)
		if (records[i].type == type)
			return has(d, type) ? &records[i] : NULL;
	return NULL;
}
