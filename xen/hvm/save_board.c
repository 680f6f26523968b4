/* SPDX-License-Identifier: MIT */
/*
 * The records of a guest PC's board: interrupt lines and controllers, 8254,
 * clock, HPET, PM timer. The others are in save.c, which calls these.
 */
#include "hvm/records.h"

#include "hvm/dev/vioapic.h"
#include "hvm/dev/virq.h"

/* The clock's registers B and C; in B, which of its causes interrupt. */
#define RTC_REG_B      11
#define RTC_REG_C      12
#define RTC_INTERRUPTS 0x70

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

static void reset_controllers(struct domain *d)
{
	struct hvm_hw_vioapic io;

	for (uint8_t chip = 0; chip < 2; chip++)
		vpic_load(d, chip, &(struct hvm_hw_vpic){.is_master = !chip});
	vioapic_save(d, &io);
	io.ioregsel = 0;
	for (unsigned int i = 0; i < VIOAPIC_NUM_PINS; i++) {
		io.redirtbl[i].bits = 0;
		io.redirtbl[i].fields.mask = 1;
	}
	vioapic_load(d, &io);
}

static void reset_pit(struct domain *d)
{
	struct hvm_hw_pit pit = {};

	for (unsigned int i = 0; i < ARRAY_SIZE(pit.channels); i++) {
		pit.channels[i].count = 0x10000;
		pit.channels[i].mode = 3;
		pit.channels[i].rw_mode = 3;
		pit.channels[i].gate = i < 2;
	}
	vpit_load(d, &pit);
}

/* Its counter stands at 0 then, and no timer has a time. */
static void reset_hpet(struct domain *d)
{
	struct hvm_hw_hpet hpet;

	vhpet_save(d, &hpet);
	hpet.config = hpet.isr = hpet.mc64 = 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(hpet.timers); i++) {
		hpet.timers[i].config = 0;
		hpet.timers[i].cmp = UINT64_MAX;
		hpet.period[i] = 0;
	}
	vhpet_load(d, &hpet);
}

/* Their time goes on; nothing interrupts any more. */
static void quieten_clocks(struct domain *d)
{
	struct hvm_hw_pmtimer pm;
	struct hvm_hw_rtc rtc;

	vrtc_save(d, &rtc);
	rtc.cmos_data[RTC_REG_B] &= (uint8_t)~RTC_INTERRUPTS;
	rtc.cmos_data[RTC_REG_C] = 0;
	vrtc_load(d, &rtc);
	vacpi_save(d, &pm);
	pm.pm1a_sts = pm.pm1a_en = 0;
	vacpi_load(d, &pm);
}

void board_reset(struct domain *d)
{
	reset_controllers(d);
	reset_pit(d);
	reset_hpet(d);
	quieten_clocks(d);
}

const struct board_record *board_record(const struct domain *d,
					unsigned int type)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(records); i++)
		if (records[i].type == type)
			return has(d, type) ? &records[i] : NULL;
	return NULL;
}
