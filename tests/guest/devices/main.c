/* SPDX-License-Identifier: MIT */
/*
 * The virtual devices and registers, programmed with random values: the local
 * APIC by memory and by MSRs, model-specific registers, the ports of the PC's
 * old devices and PCI's, an I/O APIC. Whatever comes of it is this guest's own
 * matter, a fault or an interrupt of any vector: it must get to its end, and
 * the local APIC, set up anew, must work then. seed= makes another run.
 */
#include "test.h"
#include <xen/errno.h>
#include <xen/version.h>

const char guest_name[] = "devices";

#define APIC      0xfee00000ul
#define IOAPIC    0xfec00000ul
#define APIC_BASE 0x1bu
#define BASE_ON   (1u << 11)
#define BASE_X2   (1u << 10)
#define EOI       0xb0
#define SPURIOUS  0xf0
#define ICR_LOW   0x300
#define ICR_HIGH  0x310

static uint64_t seed;
static volatile unsigned int interrupts;
static unsigned int faults, accesses;

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

/* Few bits, all but few, or any. */
static uint64_t random_value(void)
{
	uint64_t r = random64();

	switch (r >> 60 & 3) {
	case 0:
		return 1ull << (r & 63);
	case 1:
		return ~(1ull << (r & 63));
	case 2:
		return r & 0xff;
	default:
		return random64();
	}
}

struct access {
	uint64_t where, value;
	unsigned int size;
	bool write;
};

static bool is_x2apic(void)
{
	return rdmsr(APIC_BASE) & BASE_X2;
}

static void on_any(struct trap_frame *f)
{
	interrupts++;
	if (f->vector < 32)
		return; /* an NMI */
	if (is_x2apic())
		wrmsr(0x800 + EOI / 16, 0);
	else
		*(volatile uint32_t *)(APIC + EOI) = 0;
}

static void touch_memory(void *arg)
{
	struct access *a = arg;

	if (a->size == 8 && a->write)
		*(volatile uint64_t *)a->where = a->value;
	else if (a->size == 8)
		a->value = *(volatile uint64_t *)a->where;
	else if (a->size == 4 && a->write)
		*(volatile uint32_t *)a->where = (uint32_t)a->value;
	else if (a->size == 4)
		a->value = *(volatile uint32_t *)a->where;
	else if (a->size == 2 && a->write)
		*(volatile uint16_t *)a->where = (uint16_t)a->value;
	else if (a->size == 2)
		a->value = *(volatile uint16_t *)a->where;
	else if (a->write)
		*(volatile uint8_t *)a->where = (uint8_t)a->value;
	else
		a->value = *(volatile uint8_t *)a->where;
}

static void touch_msr(void *arg)
{
	struct access *a = arg;

	if (a->write)
		wrmsr((uint32_t)a->where, a->value);
	else
		a->value = rdmsr((uint32_t)a->where);
}

static void touch_port(void *arg)
{
	struct access *a = arg;
	uint16_t port = (uint16_t)a->where;
	uint32_t v = (uint32_t)a->value;

	if (a->size == 4 && a->write)
		__asm__ volatile("outl %0, %w1" ::"a"(v), "Nd"(port));
	else if (a->size == 4)
		__asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port));
	else if (a->size == 2 && a->write)
		__asm__ volatile("outw %w0, %w1" ::"a"(v), "Nd"(port));
	else if (a->size == 2)
		__asm__ volatile("inw %w1, %w0" : "=a"(v) : "Nd"(port));
	else if (a->write)
		outb(port, (uint8_t)v);
	else
		v = inb(port);
	a->value = v;
}

static int attempt(void (*fn)(void *), struct access *a)
{
	int vector;

	accesses++;
	irq_enable();
	vector = try_call(fn, a);
	irq_disable();
	faults += vector >= 0;
	return vector;
}

/* A vCPU that sends itself an INIT is gone. */
static bool ends_us(uint64_t reg, uint64_t value)
{
	return reg == ICR_LOW && (value & 0x600) == 0x400;
}

static void fuzz_apic(unsigned int n)
{
	while (n--) {
		uint64_t r = random64();
		struct access a = {
			.value = random_value(),
			.size = r & 0x30 ? 4 : 1u << (r & 3),
			.write = r & 4,
		};
		uint64_t reg = r >> 8 & 0xff0;

		/* Rarely beside a register, or over the page's end. */
		a.where = APIC + reg + ((r >> 32 & 15) ? 0 : r >> 40 & 15);
		if (a.write && (reg >= ICR_LOW - 16 && reg <= ICR_HIGH) &&
		    (a.size != 4 || a.where != APIC + reg))
			continue;
		if (a.write && ends_us(reg, a.value))
			continue;
		attempt(touch_memory, &a);
	}
}

/* By number: what stops the guest's own code from working is left out. */
static bool may_write(uint64_t msr)
{
	return msr != 0x10 && msr != 0x3b && msr != APIC_BASE &&
	       msr >> 28 != 4 && msr - 0xc0000080u > 4 &&
	       msr - 0xc0000100u > 4 && msr != 0x830 &&
	       /* Debian's Xen 4.17 does not survive that one here. */
	       msr != 0xc001011f;
}

static uint32_t random_msr(void)
{
	static const uint32_t near[] = {
		0x0,        0x10,       0x170,      0x1a0,      0x1d0,
		0x200,      0x250,      0x270,      0x2f0,      0x400,
		0x480,      0x800,      0x830,      0xd90,      0xe00,
		0x40000000, 0xc0000080, 0xc0010000, 0xc0010110, 0xc0011000,
	};
	uint64_t r = random64();

	if (!(r & 15))
		return (uint32_t)(r >> 32);
	return near[(r >> 8) % ARRAY_SIZE(near)] + (r >> 20 & 0x1f);
}

static void fuzz_msrs(unsigned int n)
{
	while (n--) {
		struct access a = {
			.where = random_msr(),
			.value = random_value(),
			.write = random64() & 1,
		};

		if (a.write && !may_write(a.where))
			continue;
		if (a.where == 0x830 && ends_us(ICR_LOW, a.value))
			continue;
		attempt(touch_msr, &a);
	}
}

static void fuzz_x2apic(unsigned int n)
{
	while (n--) {
		uint64_t r = random64();
		struct access a = {
			.where = 0x800 + (r >> 8 & 0x7f),
			.value = random_value(),
			.write = r & 1,
		};

		if (a.write && a.where == 0x830 && ends_us(ICR_LOW, a.value))
			continue;
		attempt(touch_msr, &a);
	}
}

/* Not the keyboard controller, which resets, nor ports of real disks. PCI: by
 * writes only the buses that there are not. */
static void fuzz_ports(unsigned int n)
{
	static const uint16_t near[] = {
		0x20,  0x21,  0xa0,  0xa1,  0x40,  0x41,  0x42,  0x43, 0x61,
		0x4d0, 0x4d1, 0xcf8, 0xcfc, 0xcfd, 0xcfe, 0xcff, 0xe9, 0x80};

	while (n--) {
		uint64_t r = random64();
		struct access a = {
			.where = near[(r >> 8) % ARRAY_SIZE(near)],
			.value = random_value(),
			.size = 1u << (r % 3),
			.write = r & 8,
		};

		if (a.where == 0xe9 && a.write)
			continue;
		if (a.where == 0xcf8)
			a.value |= 1u << 23;
		attempt(touch_port, &a);
	}
}

/* dom0's may be a real one's inputs: they are left masked, and so end. */
static void fuzz_ioapic(unsigned int n)
{
	struct access a = {.where = IOAPIC, .size = 4, .write = true};

	while (n--) {
		uint64_t r = random64();

		a.where = IOAPIC;
		a.value = r & 0xff;
		attempt(touch_memory, &a);
		a.where = IOAPIC + 0x10;
		a.value = (r >> 32) | 0x10000;
		a.write = r & 0x100;
		attempt(touch_memory, &a);
		a.write = true;
		a.where = IOAPIC + (r >> 12 & 0xfff);
		if ((a.where & 0xff0) != 0x10)
			attempt(touch_memory, &a);
	}
	for (unsigned int i = 0; i < 256; i++) {
		a.where = IOAPIC;
		a.value = i;
		attempt(touch_memory, &a);
		a.where = IOAPIC + 0x10;
		a.value = 0x10000;
		attempt(touch_memory, &a);
	}
}

/* Off and on again: all its registers are new. */
static void apic_anew(bool x2)
{
	uint64_t base = rdmsr(APIC_BASE) & ~(uint64_t)(BASE_ON | BASE_X2);

	wrmsr(APIC_BASE, base);
	wrmsr(APIC_BASE, base | BASE_ON);
	if (x2)
		wrmsr(APIC_BASE, base | BASE_ON | BASE_X2);
}

static void works_still(const char *what)
{
	unsigned int before;

	apic_anew(false);
	*(volatile uint32_t *)(APIC + SPURIOUS) = 0x1ff;
	irq_enable();
	before = interrupts;
	*(volatile uint32_t *)(APIC + ICR_LOW) = 0x40051;
	irq_disable();
	check(interrupts == before + 1, "the local APIC works after %s", what);
	check(xen_version(XENVER_version, NULL) > 0, "and so do hypercalls");
	note("%u accesses, %u faults, %u interrupts", accesses, faults,
	     interrupts);
}

void guest_main(void)
{
	seed = option("seed", 20240229) | 1;
	trap_handler(2, on_any);
	for (unsigned int v = 32; v < 256; v++)
		trap_handler(v, on_any);
	works_still("nothing");
	fuzz_apic(6000);
	works_still("random accesses to its memory");
	apic_anew(true);
	fuzz_x2apic(4000);
	works_still("random accesses to its MSRs");
	fuzz_msrs(500);
	works_still("random MSRs");
	fuzz_ports(4000);
	works_still("random ports");
	fuzz_ioapic(1000);
	works_still("random writes to an I/O APIC");
}
