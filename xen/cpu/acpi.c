/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables: the RSDP, the list that it names, and tables by signature. The
 * firmware is not trusted to be right: lengths and checksums are verified, and
 * what fails is left out with a line that says so.
 */
#include "cpu/acpi.h"
#include "cpu/acpi_tables.h"
#include "console/printk.h"
#include "lib/string.h"
#include "mem/map.h"

#define MAX_TABLES    128
#define MAX_TABLE_LEN (16UL << 20)

struct acpi_info acpi_info;
paddr_t acpi_rsdp_addr;

static struct {
	paddr_t addr;
	const struct acpi_header *h; /* NULL: not usable */
} tables[MAX_TABLES];
static unsigned int nr_tables;

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length; /* from here on: revision 2 and above */
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} __packed;
#define RSDP_V1_LENGTH 20

static bool sums_to_zero(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *b++);
	return sum == 0;
}

/* Maps a whole table: its header first, since only that tells the length. */
const struct acpi_header *acpi_map_table(paddr_t addr)
{
	const struct acpi_header *h = NULL;
	uint32_t length;

	if (addr)
		h = map_firmware(addr, sizeof(*h));
	if (!h)
		return NULL;
	length = h->length;
	if (length < sizeof(*h) || length > MAX_TABLE_LEN) {
		printk(XENLOG_WARNING "ACPI: table at %#lx has length %u: "
				      "left out\n",
		       addr, length);
		return NULL;
	}
	h = map_firmware(addr, length);
	if (h && !sums_to_zero(h, length)) {
		printk(XENLOG_WARNING "ACPI: %.4s at %#lx: bad checksum: left "
				      "out\n",
		       h->signature, addr);
		return NULL;
	}
	return h;
}

static const struct rsdp *check_rsdp(paddr_t addr)
{
	const struct rsdp *r = map_firmware(addr, sizeof(*r));

	if (!r || memcmp(r->signature, "RSD PTR ", 8) ||
	    !sums_to_zero(r, RSDP_V1_LENGTH))
		return NULL;
	if (r->revision >= 2 &&
	    (r->length < sizeof(*r) || r->length > PAGE_SIZE ||
	     !sums_to_zero(r, sizeof(*r))))
		return NULL;
	return r;
}

/* ACPI, "Finding the RSDP on IA-PC Systems": the first KiB of the extended BIOS
 * data area, then the BIOS itself, on 16-byte bounds. */
static const struct rsdp *search_rsdp(paddr_t from, paddr_t to)
{
	for (paddr_t p = from; p + RSDP_V1_LENGTH <= to; p += 16) {
		const char *s = map_firmware(p, 8);
		const struct rsdp *r;

		if (!s || memcmp(s, "RSD PTR ", 8))
			continue;
		r = check_rsdp(p);
		if (r) {
			acpi_rsdp_addr = p;
			return r;
		}
	}
	return NULL;
}

static const struct rsdp *find_rsdp(paddr_t given)
{
	const struct rsdp *r;
	const uint16_t *ebda;

	if (given) {
		r = check_rsdp(given);
		if (r) {
			acpi_rsdp_addr = given;
			return r;
		}
		printk(XENLOG_WARNING "ACPI: no RSDP at %#lx, where the loader "
				      "said: searching\n",
		       given);
	}
	ebda = map_firmware(0x40e, sizeof(*ebda));
	if (ebda && *ebda >= 0x400) {
		paddr_t p = (paddr_t)*ebda << 4;

		r = search_rsdp(p, p + 1024);
		if (r)
			return r;
	}
	return search_rsdp(0xe0000, 0x100000);
}

static void add_table(paddr_t addr)
{
	if (nr_tables == MAX_TABLES) {
		printk(XENLOG_WARNING "ACPI: more than %d tables: %#lx left "
				      "out\n",
		       MAX_TABLES, addr);
		return;
	}
	tables[nr_tables].addr = addr;
	tables[nr_tables].h = acpi_map_table(addr);
	nr_tables += tables[nr_tables].h != NULL;
}

/* The XSDT's entries are 64 bits wide, the RSDT's 32, neither aligned. */
static bool read_list(paddr_t addr, const char *signature, size_t width)
{
	const struct acpi_header *h = acpi_map_table(addr);
	const uint8_t *entry;
	size_t n;

	if (!h || memcmp(h->signature, signature, 4))
		return false;
	entry = (const uint8_t *)(h + 1);
	n = (h->length - sizeof(*h)) / width;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = 0;

		memcpy(&at, entry + i * width, width);
		if (at)
			add_table(at);
	}
	return true;
}

const struct acpi_header *acpi_find(const char *signature, unsigned int n)
{
	for (unsigned int i = 0; i < nr_tables; i++)
		if (!memcmp(tables[i].h->signature, signature, 4) && !n--)
			return tables[i].h;
	return NULL;
}

void acpi_for_each(void (*fn)(const struct acpi_header *h, paddr_t addr,
			      void *data),
		   void *data)
{
	for (unsigned int i = 0; i < nr_tables; i++)
		fn(tables[i].h, tables[i].addr, data);
}

bool acpi_init(paddr_t rsdp)
{
	const struct rsdp *r = find_rsdp(rsdp);

	nr_tables = 0;
	acpi_info = (struct acpi_info){.lapic_addr = 0xfee00000};
	if (!r) {
		printk(XENLOG_ERR "ACPI: no tables found\n");
		return false;
	}
	if (!(r->revision >= 2 && r->xsdt && read_list(r->xsdt, "XSDT", 8)) &&
	    !read_list(r->rsdt, "RSDT", 4)) {
		printk(XENLOG_ERR "ACPI: neither XSDT nor RSDT can be read\n");
		return false;
	}
	acpi_parse_madt();
	acpi_parse_fadt();
	printk(XENLOG_INFO "ACPI: %u tables, %u CPUs, %u I/O APICs\n",
	       nr_tables, acpi_info.nr_cpus, acpi_info.nr_ioapics);
	return true;
}
