/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space. Segment 0's first 256 bytes go through ports
 * 0xcf8 and 0xcfc, the rest through the windows (ECAM) of the MCFG table, of
 * which each bus is mapped when it is first used.
 */
#include "cpu/pci.h"
#include "cpu/acpi.h"
#include "cpu/cpu.h"
#include "console/printk.h"
#include "lib/bitmap.h"
#include "lib/lock.h"
#include "mem/map.h"

#define PCI_VENDOR        0x00
#define PCI_COMMAND       0x04
#define PCI_STATUS_CAPS   BIT(20) /* of the dword at PCI_COMMAND */
#define PCI_HEADER_TYPE   0x0e
#define PCI_SECONDARY_BUS 0x19
#define PCI_CAP_POINTER   0x34
#define HEADER_MULTI      0x80
#define HEADER_BRIDGE     1
#define MAX_WINDOWS       8

struct mcfg_entry {
	uint64_t base;
	uint16_t seg;
	uint8_t bus_first, bus_last;
	uint32_t reserved;
} __packed;

static spinlock_t pci_lock = SPINLOCK_INIT(LOCK_PCI);
static struct pci_ecam windows[MAX_WINDOWS];
static volatile uint8_t *bus_map[MAX_WINDOWS][256];
static unsigned int nr_windows;
static bool mcfg_read;

static void read_mcfg(void)
{
	const struct acpi_header *h = acpi_find("MCFG", 0);
	const struct mcfg_entry *e;
	size_t n;

	mcfg_read = true;
	if (!h || h->length < sizeof(*h) + 8)
		return;
	e = (const struct mcfg_entry *)((const uint8_t *)(h + 1) + 8);
	n = (h->length - sizeof(*h) - 8) / sizeof(*e);
	for (size_t i = 0; i < n && nr_windows < MAX_WINDOWS; i++) {
		if (!e[i].base || e[i].bus_last < e[i].bus_first)
			continue;
		windows[nr_windows++] = (struct pci_ecam){
			e[i].base, e[i].seg, e[i].bus_first, e[i].bus_last};
	}
}

unsigned int pci_ecam_windows(const struct pci_ecam **w)
{
	if (!mcfg_read)
		read_mcfg();
	*w = windows;
	return nr_windows;
}

/* The function's 4 KiB; NULL: no window covers it. */
static volatile uint8_t *ecam(pci_sbdf_t dev)
{
	const struct pci_ecam *w;
	unsigned int n = pci_ecam_windows(&w);

	for (unsigned int i = 0; i < n; i++) {
		volatile uint8_t *map;

		if (w[i].seg != dev.seg || dev.bus < w[i].bus_first ||
		    dev.bus > w[i].bus_last)
			continue;
		map = bus_map[i][dev.bus];
		if (!map) {
			/* Base is bus 0's address, whatever bus comes first. */
			map = map_mmio(w[i].base + ((paddr_t)dev.bus << 20),
				       1UL << 20);
			bus_map[i][dev.bus] = map;
		}
		return map ? map + ((size_t)dev.devfn << 12) : NULL;
	}
	return NULL;
}

static void select_port(pci_sbdf_t dev, unsigned int reg)
{
	outl(0xcf8, 1U << 31 | (uint32_t)dev.bus << 16 |
			    (uint32_t)dev.devfn << 8 | (reg & 0xfc));
}

static uint32_t all_ones(unsigned int size)
{
	return size == 4 ? ~0U : (1U << (8 * size)) - 1;
}

static bool bad_access(unsigned int reg, unsigned int size)
{
	return (size != 1 && size != 2 && size != 4) || reg % size ||
	       reg + size > 4096;
}

static uint32_t port_read(pci_sbdf_t dev, unsigned int reg, unsigned int size)
{
	uint16_t port = (uint16_t)(0xcfc + (reg & 3));
	uint32_t val;

	select_port(dev, reg);
	val = size == 1 ? inb(port) : size == 2 ? inw(port) : inl(port);
	return val;
}

static void port_write(pci_sbdf_t dev, unsigned int reg, unsigned int size,
		       uint32_t val)
{
	uint16_t port = (uint16_t)(0xcfc + (reg & 3));

	select_port(dev, reg);
	if (size == 1)
		outb(port, (uint8_t)val);
	else if (size == 2)
		outw(port, (uint16_t)val);
	else
		outl(port, val);
}

static uint32_t ecam_read(const volatile uint8_t *p, unsigned int size)
{
	return size == 1   ? *p
	       : size == 2 ? *(const volatile uint16_t *)p
			   : *(const volatile uint32_t *)p;
}

static void ecam_write(volatile uint8_t *p, unsigned int size, uint32_t val)
{
	if (size == 1)
		*p = (uint8_t)val;
	else if (size == 2)
		*(volatile uint16_t *)p = (uint16_t)val;
	else
		*(volatile uint32_t *)p = val;
}

static bool by_port(pci_sbdf_t dev, unsigned int reg)
{
	return dev.seg == 0 && reg <= 0xff;
}

uint32_t pci_read(pci_sbdf_t dev, unsigned int reg, unsigned int size)
{
	const volatile uint8_t *p;
	unsigned long flags;
	uint32_t val;

	if (bad_access(reg, size))
		return ~0U;
	if (!by_port(dev, reg)) {
		p = ecam(dev);
		return p ? ecam_read(p + reg, size) : all_ones(size);
	}
	flags = spin_lock_irqsave(&pci_lock);
	val = port_read(dev, reg, size);
	spin_unlock_irqrestore(&pci_lock, flags);
	return val;
}

void pci_write(pci_sbdf_t dev, unsigned int reg, unsigned int size,
	       uint32_t val)
{
	volatile uint8_t *p;
	unsigned long flags;

	if (bad_access(reg, size))
		return;
	if (!by_port(dev, reg)) {
		p = ecam(dev);
		if (p)
			ecam_write(p + reg, size, val);
		return;
	}
	flags = spin_lock_irqsave(&pci_lock);
	port_write(dev, reg, size, val);
	spin_unlock_irqrestore(&pci_lock, flags);
}

static bool present(pci_sbdf_t dev)
{
	uint32_t vendor = pci_read(dev, PCI_VENDOR, 2);

	return vendor != 0xffff && vendor != 0;
}

struct scan {
	void (*fn)(pci_sbdf_t dev, void *data);
	void *data;
	uint64_t seen[BITMAP_LONGS(256)]; /* buses */
};

static void scan_bus(struct scan *s, uint16_t seg, unsigned int bus);

static void scan_function(struct scan *s, pci_sbdf_t dev)
{
	if (!present(dev))
		return;
	s->fn(dev, s->data);
	if ((pci_read(dev, PCI_HEADER_TYPE, 1) & 0x7f) == HEADER_BRIDGE)
		scan_bus(s, dev.seg, pci_read(dev, PCI_SECONDARY_BUS, 1));
}

static void scan_bus(struct scan *s, uint16_t seg, unsigned int bus)
{
	if (bitmap_test(s->seen, bus))
		return; /* a bridge not set up, or a loop */
	bitmap_set(s->seen, bus);
	for (unsigned int d = 0; d < 32; d++) {
		pci_sbdf_t dev = {seg, (uint8_t)bus, (uint8_t)(d << 3)};
		unsigned int last;

		if (!present(dev))
			continue;
		last = pci_read(dev, PCI_HEADER_TYPE, 1) & HEADER_MULTI ? 7 : 0;
		for (unsigned int f = 0; f <= last; f++, dev.devfn++)
			scan_function(s, dev);
	}
}

/*
 * Bridges are followed from the first bus on. A second host bridge's buses are
 * behind none: so the other buses are asked for their first device only, since
 * a read that nobody answers is slow.
 */
void pci_scan(void (*fn)(pci_sbdf_t dev, void *data), void *data)
{
	static const struct pci_ecam any = {.bus_last = 255};
	const struct pci_ecam *w;
	unsigned int n = pci_ecam_windows(&w);

	if (!n) {
		w = &any;
		n = 1;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct scan s = {.fn = fn, .data = data};

		scan_bus(&s, w[i].seg, w[i].bus_first);
		for (unsigned int b = w[i].bus_first; b <= w[i].bus_last; b++)
			if (!bitmap_test(s.seen, b) &&
			    present((pci_sbdf_t){w[i].seg, (uint8_t)b, 0}))
				scan_bus(&s, w[i].seg, b);
	}
}

unsigned int pci_find_cap(pci_sbdf_t dev, uint8_t id)
{
	unsigned int at;

	if (!(pci_read(dev, PCI_COMMAND, 4) & PCI_STATUS_CAPS))
		return 0;
	at = pci_read(dev, PCI_CAP_POINTER, 1) & 0xfc;
	/* At most 48 fit: a longer chain is a loop. */
	for (unsigned int i = 0; i < 48 && at >= 0x40; i++) {
		if (pci_read(dev, at, 1) == id)
			return at;
		at = pci_read(dev, at + 1, 1) & 0xfc;
	}
	return 0;
}
