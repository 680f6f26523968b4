/* SPDX-License-Identifier: MIT */
/*
 * The end: halt, power off, restart. Each tries what the firmware describes,
 * then what PCs have always had; each can be called with any lock held.
 */
#include "cpu/acpi.h"
#include "cpu/cpu.h"
#include "cpu/pci.h"
#include "cpu/smp.h"
#include "cpu/time.h"
#include "console/printk.h"
#include "mem/map.h"

#define PM1_SCI_EN     BIT(0)
#define PM1_SLP_TYP(t) ((uint16_t)((t) << 10))
#define PM1_SLP_EN     BIT(13)

static void __noreturn halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

void machine_halt(void)
{
	local_irq_disable();
	smp_stop_others();
	printk("Halted.\n");
	halt_forever();
}

/* ACPI, "Transitioning from the Working to the Sleeping State". */
static void acpi_power_off(void)
{
	const struct acpi_info *a = &acpi_info;
	uint16_t cnt;

	if (!a->has_s5 || !a->pm1a_cnt)
		return;
	cnt = inw(a->pm1a_cnt);
	if (!(cnt & PM1_SCI_EN) && a->smi_cmd && a->acpi_enable) {
		/* Legacy mode: the registers are not ours until switched. */
		outb(a->smi_cmd, a->acpi_enable);
		for (unsigned int i = 0; i < 300; i++) {
			if (inw(a->pm1a_cnt) & PM1_SCI_EN)
				break;
			udelay(1000);
		}
	}
	cnt = (uint16_t)(inw(a->pm1a_cnt) & ~(PM1_SLP_TYP(7) | PM1_SLP_EN));
	outw(a->pm1a_cnt,
	     (uint16_t)(cnt | PM1_SLP_TYP(a->s5_typ_a) | PM1_SLP_EN));
	if (a->pm1b_cnt)
		outw(a->pm1b_cnt,
		     (uint16_t)(cnt | PM1_SLP_TYP(a->s5_typ_b) | PM1_SLP_EN));
	udelay(100000);
}

void machine_poweroff(void)
{
	local_irq_disable();
	smp_stop_others();
	acpi_power_off();
	printk("The machine does not power off: halted.\n");
	halt_forever();
}

static void acpi_reset(void)
{
	const struct acpi_info *a = &acpi_info;
	volatile uint8_t *reg;

	if (!a->reset_addr)
		return;
	if (a->reset_space == 1) {
		outb(a->reset_port, a->reset_value);
	} else if (a->reset_space == 0) {
		reg = map_mmio(a->reset_addr, 1);
		if (reg)
			*reg = a->reset_value;
	} else if (a->reset_space == 2) {
		/* A function of bus 0: device, function, offset. */
		pci_sbdf_t dev = {
			.devfn = (uint8_t)(((a->reset_addr >> 32) & 31) << 3 |
					   ((a->reset_addr >> 16) & 7)),
		};
		pci_write(dev, a->reset_addr & 0xff, 1, a->reset_value);
	}
	udelay(50000);
}

/* Port 0xcf9 (chip set), the keyboard controller, a triple fault. */
static void old_reset(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __packed no_idt;

	outb(0xcf9, 0x02);
	udelay(50);
	outb(0xcf9, 0x06);
	udelay(50000);
	for (unsigned int i = 0; i < 1000 && (inb(0x64) & 2); i++)
		udelay(10);
	outb(0x64, 0xfe);
	udelay(50000);
	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));
}

void machine_reboot(void)
{
	local_irq_disable();
	smp_stop_others();
	acpi_reset();
	old_reset();
	halt_forever();
}
