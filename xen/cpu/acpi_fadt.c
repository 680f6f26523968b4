/* SPDX-License-Identifier: MIT */
/*
 * The FADT: the PM timer, how to reset and how to power off. For the latter the
 * sleep type is in AML, which is not interpreted: \_S5 is looked for as the
 * bytes that every compiler makes of "Name (_S5, Package () { … })".
 */
#include "cpu/acpi_tables.h"
#include "console/printk.h"
#include "lib/string.h"
#include "mem/map.h"

/* ACPI, "Fixed ACPI Description Table". Packed: fields are not aligned. */
struct generic_address {
	uint8_t space, bits, offset, access;
	uint64_t addr;
} __packed;
struct fadt {
	struct acpi_header header;
	uint32_t firmware_ctrl, dsdt;
	uint8_t reserved1, profile;
	uint16_t sci;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate;
	uint32_t pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr;
	uint32_t gpe0, gpe1;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	uint8_t gpe0_len, gpe1_len, gpe1_base, cst;
	uint16_t lvl2_lat, lvl3_lat, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_arch;
	uint8_t reserved2;
	uint32_t flags;
	struct generic_address reset;
	uint8_t reset_value;
	uint8_t reserved3[3];
	uint64_t x_firmware_ctrl, x_dsdt;
	struct generic_address x_pm1a_evt, x_pm1b_evt, x_pm1a_cnt, x_pm1b_cnt,
		x_pm2_cnt, x_pm_tmr;
} __packed;
_Static_assert(offsetof(struct fadt, flags) == 112, "ACPI's FADT layout");
_Static_assert(offsetof(struct fadt, x_pm_tmr) == 208, "ACPI's FADT layout");

#define FADT_V1_LENGTH  116
#define FADT_RESET_REG  BIT(10)
#define FADT_HW_REDUCED BIT(20)
#define SPACE_IO        1

/* A register block: the wide form where there is one, and only in I/O space. */
static uint16_t io_port(const struct generic_address *wide, uint32_t narrow)
{
	if (wide->addr && wide->space == SPACE_IO && wide->addr <= 0xffff)
		return (uint16_t)wide->addr;
	return narrow <= 0xffff ? (uint16_t)narrow : 0;
}

static void parse_reset(const struct fadt *f)
{
	struct acpi_info *a = &acpi_info;

	if (!(f->flags & FADT_RESET_REG) || !f->reset.addr)
		return;
	a->reset_space = f->reset.space;
	a->reset_addr = f->reset.addr;
	a->reset_value = f->reset_value;
	if (f->reset.space == SPACE_IO && f->reset.addr <= 0xffff)
		a->reset_port = (uint16_t)f->reset.addr;
}

/* ACPI, "Package Length Encoding": the first byte's top bits count the bytes
 * that follow. The length counts itself. */
static size_t package_length(const uint8_t *p, size_t avail, size_t *bytes)
{
	size_t n, len;

	if (!avail)
		return 0;
	n = p[0] >> 6;
	if (n + 1 > avail)
		return 0;
	*bytes = n + 1;
	len = n ? p[0] & 15 : p[0] & 63;
	for (size_t i = 0; i < n; i++)
		len |= (size_t)p[i + 1] << (4 + 8 * i);
	return len;
}

/* ZeroOp, OneOp, BytePrefix byte, WordPrefix word. Bytes used, 0: neither. */
static size_t aml_integer(const uint8_t *p, size_t avail, uint8_t *value)
{
	if (avail >= 1 && (p[0] == 0x00 || p[0] == 0x01)) {
		*value = p[0];
		return 1;
	}
	if (avail >= 2 && p[0] == 0x0a) {
		*value = p[1];
		return 2;
	}
	if (avail >= 3 && p[0] == 0x0b) {
		*value = p[1];
		return 3;
	}
	return 0;
}

static bool parse_package(const uint8_t *p, size_t avail, uint8_t typ[2])
{
	size_t bytes, len, used;

	if (avail < 1 || p[0] != 0x12) /* PackageOp */
		return false;
	p++;
	avail--;
	len = package_length(p, avail, &bytes);
	if (len <= bytes || len > avail)
		return false;
	avail = len - bytes;
	p += bytes;
	if (p[0] < 1) /* elements */
		return false;
	p++;
	avail--;
	used = aml_integer(p, avail, &typ[0]);
	if (!used)
		return false;
	/* A package of one gives both registers the same. */
	if (!aml_integer(p + used, avail - used, &typ[1]))
		typ[1] = typ[0];
	return true;
}

bool acpi_scan_s5(const uint8_t *aml, size_t len, uint8_t typ[2])
{
	for (size_t i = 1; i + 4 < len; i++) {
		if (memcmp(aml + i, "_S5_", 4))
			continue;
		/* NameOp before it, or NameOp and the root's backslash. */
		if (aml[i - 1] != 0x08 &&
		    !(i >= 2 && aml[i - 1] == '\\' && aml[i - 2] == 0x08))
			continue;
		if (parse_package(aml + i + 4, len - i - 4, typ))
			return true;
	}
	return false;
}

static bool scan_table(const struct acpi_header *h)
{
	uint8_t typ[2];

	if (!acpi_scan_s5((const uint8_t *)(h + 1), h->length - sizeof(*h),
			  typ))
		return false;
	acpi_info.has_s5 = true;
	acpi_info.s5_typ_a = typ[0] & 7;
	acpi_info.s5_typ_b = typ[1] & 7;
	return true;
}

static void find_s5(void)
{
	const struct acpi_header *h;

	h = acpi_info.dsdt ? acpi_map_table(acpi_info.dsdt) : NULL;
	if (h && scan_table(h))
		return;
	for (unsigned int n = 0; (h = acpi_find("SSDT", n)) != NULL; n++)
		if (scan_table(h))
			return;
	printk(XENLOG_WARNING "ACPI: no \\_S5: power-off will only halt\n");
}

void acpi_parse_fadt(void)
{
	struct acpi_info *a = &acpi_info;
	const struct acpi_header *h = acpi_find("FACP", 0);
	struct fadt f;

	if (!h || h->length < FADT_V1_LENGTH) {
		printk(XENLOG_WARNING "ACPI: no FADT: no PM timer, no "
				      "power-off\n");
		return;
	}
	/* Older revisions are shorter: what they lack reads as zero. */
	memset(&f, 0, sizeof(f));
	memcpy(&f, h, min((size_t)h->length, sizeof(f)));
	a->dsdt = f.x_dsdt ? f.x_dsdt : f.dsdt;
	a->sci = f.sci;
	a->century = f.century;
	a->boot_flags = f.boot_arch;
	a->smi_cmd = f.smi_cmd <= 0xffff ? (uint16_t)f.smi_cmd : 0;
	a->acpi_enable = f.acpi_enable;
	parse_reset(&f);
	if (!(f.flags & FADT_HW_REDUCED)) {
		a->pm1a_cnt = io_port(&f.x_pm1a_cnt, f.pm1a_cnt);
		a->pm1b_cnt = io_port(&f.x_pm1b_cnt, f.pm1b_cnt);
		a->pm_timer = io_port(&f.x_pm_tmr, f.pm_tmr);
	}
	find_s5();
}
