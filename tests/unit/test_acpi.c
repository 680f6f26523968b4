/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables made here, whole and broken. Memory is handed out in copies of
 * exactly the size asked for, so that a look beyond it is caught.
 */
#include "harness.h"
#include "cpu_stubs.h"

#include "cpu/acpi.h"
#include "cpu/acpi_tables.h"
#include "cpu/efi.h"
#include "mem/map.h"

#define MEM_SIZE 0x100000

static uint8_t mem[MEM_SIZE];
static void *copies[100000];
static unsigned int nr_copies;

void *map_firmware(paddr_t addr, size_t size)
{
	void *p;

	if (addr >= MEM_SIZE || size > MEM_SIZE - addr)
		return NULL;
	p = malloc(size);
	memcpy(p, mem + addr, size);
	if (nr_copies < ARRAY_SIZE(copies))
		copies[nr_copies++] = p;
	return p;
}

static void forget(void)
{
	while (nr_copies)
		free(copies[--nr_copies]);
}

static void fix_sum(paddr_t at, size_t len, size_t field)
{
	uint8_t sum = 0;

	mem[at + field] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + mem[at + i]);
	mem[at + field] = (uint8_t)-sum;
}

static void put(paddr_t at, uint64_t v, size_t n)
{
	memcpy(mem + at, &v, n);
}

static void table(paddr_t at, const char *sig, size_t len)
{
	memcpy(mem + at, sig, 4);
	put(at + 4, len, 4);
	fix_sum(at, len, 9);
}

#define RSDP 0xe1230
#define XSDT 0x10000
#define RSDT 0x11000
#define MADT 0x12000
#define FADT 0x13000
#define DSDT 0x14000
#define HPET 0x15000

#define MADT_LEN (44 + 8 + 8 + 12 + 10 + 16 + 12)

static const uint8_t s5[] = {
	0x5b, 0x80, 'R', 'E', 'G',  '0',  1,    0x0b, 0,    6,    0x0a, 4, 0x08,
	'_',  'S',  '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x01, 0,    0,
};

static void make_madt(void)
{
	paddr_t p = MADT + 44;

	put(MADT + 36, 0xfee00000, 4);
	put(MADT + 40, 1, 4);
	memcpy(mem + p, (uint8_t[]){0, 8, 7, 3, 1, 0, 0, 0}, 8); /* enabled */
	memcpy(mem + p + 8, (uint8_t[]){0, 8, 8, 4, 0, 0, 0, 0}, 8); /* not */
	memcpy(mem + p + 16,
	       (uint8_t[]){1, 12, 9, 0, 0, 0, 0xc0, 0xfe, 24, 0, 0, 0}, 12);
	memcpy(mem + p + 28, (uint8_t[]){2, 10, 0, 0, 2, 0, 0, 0, 0x0d, 0}, 10);
	memcpy(mem + p + 38,
	       (uint8_t[]){9, 16, 0, 0, 44, 1, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0},
	       16);
	memcpy(mem + p + 54, (uint8_t[]){5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 0}, 9);
	table(MADT, "APIC", MADT_LEN);
}

static void make_fadt(size_t len)
{
	put(FADT + 40, DSDT, 4);
	put(FADT + 46, 9, 2);
	put(FADT + 48, 0xb2, 4);
	mem[FADT + 52] = 0xf1;
	put(FADT + 64, 0x604, 4);
	put(FADT + 76, 0x608, 4);
	mem[FADT + 108] = 0x32;
	put(FADT + 112, 1 << 10, 4);
	mem[FADT + 116] = 1; /* the reset register, an I/O port */
	put(FADT + 120, 0xcf9, 8);
	mem[FADT + 128] = 0x0f;
	table(FADT, "FACP", len);
}

static void make_all(void)
{
	memset(mem, 0, sizeof(mem));
	forget();
	messages = 0;
	memcpy(mem + RSDP, "RSD PTR ", 8);
	mem[RSDP + 15] = 2;
	put(RSDP + 16, RSDT, 4);
	put(RSDP + 20, 36, 4);
	put(RSDP + 24, XSDT, 8);
	fix_sum(RSDP, 20, 8);
	fix_sum(RSDP, 36, 32);
	make_madt();
	make_fadt(244);
	memcpy(mem + DSDT + 36, s5, sizeof(s5));
	table(DSDT, "DSDT", 36 + sizeof(s5));
	table(HPET, "HPET", 56);
	put(XSDT + 36, MADT, 8);
	put(XSDT + 44, FADT, 8);
	put(XSDT + 52, HPET, 8);
	table(XSDT, "XSDT", 60);
	put(RSDT + 36, MADT, 4);
	table(RSDT, "RSDT", 40);
}

static void whole(void)
{
	const struct acpi_info *a = &acpi_info;

	make_all();
	REQUIRE(acpi_init(0));
	CHECK_EQ(acpi_rsdp_addr, RSDP);
	CHECK_EQ(a->nr_cpus, 2);
	CHECK_EQ(a->cpu[0].apic_id, 3);
	CHECK_EQ(a->cpu[0].acpi_id, 7);
	CHECK_EQ(a->cpu[1].apic_id, 300);
	CHECK_EQ(a->cpu[1].acpi_id, 99);
	CHECK_EQ(a->nr_ioapics, 1);
	CHECK_EQ(a->ioapic[0].gsi_base, 24);
	CHECK_EQ(a->ioapic[0].addr, 0xfec00000);
	CHECK_EQ(a->nr_overrides, 1);
	CHECK_EQ(a->override[0].gsi, 2);
	CHECK_EQ(a->override[0].flags, 0xd);
	CHECK_EQ(a->lapic_addr, 0xfee00000);
	CHECK(a->pcat_compat);
	CHECK_EQ(a->sci, 9);
	CHECK_EQ(a->pm_timer, 0x608);
	CHECK_EQ(a->pm1a_cnt, 0x604);
	CHECK_EQ(a->pm1b_cnt, 0);
	CHECK_EQ(a->reset_port, 0xcf9);
	CHECK_EQ(a->reset_value, 0x0f);
	CHECK_EQ(a->century, 0x32);
	CHECK(a->has_s5);
	CHECK_EQ(a->s5_typ_a, 5);
	CHECK_EQ(a->s5_typ_b, 1);
	CHECK(acpi_find("HPET", 0) != NULL);
	CHECK(acpi_find("HPET", 1) == NULL);
	CHECK(acpi_find("SSDT", 0) == NULL);
	forget();
}

static void given_address(void)
{
	make_all();
	memcpy(mem + 0x20000, mem + RSDP, 36);
	memset(mem + RSDP, 0, 36);
	CHECK(acpi_init(0x20000));
	CHECK_EQ(acpi_rsdp_addr, 0x20000);
	CHECK(!acpi_init(0)); /* it is nowhere where one looks */
	CHECK(!acpi_init(0x30000));
	CHECK(!acpi_init(MEM_SIZE - 4));
	forget();
}

static void ebda(void)
{
	make_all();
	put(0x40e, 0x9fc0, 2);
	memcpy(mem + 0x9fc40, mem + RSDP, 36);
	memset(mem + RSDP, 0, 36);
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_rsdp_addr, 0x9fc40);
	forget();
}

static void bad_rsdp(void)
{
	make_all();
	mem[RSDP + 8]++;
	CHECK(!acpi_init(0));
	make_all();
	mem[RSDP + 32]++; /* the extended checksum */
	CHECK(!acpi_init(RSDP));
	make_all();
	put(RSDP + 20, 8, 4); /* too short for revision 2 */
	CHECK(!acpi_init(RSDP));
	forget();
}

static void xsdt_falls_back(void)
{
	make_all();
	mem[XSDT + 40]++;
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.nr_cpus, 2); /* the RSDT has the MADT only */
	CHECK_EQ(acpi_info.pm_timer, 0);
	make_all();
	mem[XSDT + 40]++;
	mem[RSDT + 36]++;
	CHECK(!acpi_init(0));
	make_all();
	mem[RSDP + 15] = 0; /* ACPI 1.0 */
	fix_sum(RSDP, 20, 8);
	CHECK(acpi_init(0));
	CHECK(acpi_find("FACP", 0) == NULL);
	forget();
}

static void bad_tables(void)
{
	make_all();
	mem[MADT + 50]++;
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.nr_cpus, 0);
	CHECK_EQ(acpi_info.pm_timer, 0x608); /* the others are there */
	CHECK(messages > 1);
	make_all();
	put(MADT + 4, 20, 4); /* shorter than a header */
	CHECK(acpi_init(0));
	CHECK(acpi_find("APIC", 0) == NULL);
	make_all();
	put(MADT + 4, 0xffffffff, 4);
	CHECK(acpi_init(0));
	CHECK(acpi_find("APIC", 0) == NULL);
	make_all();
	put(XSDT + 36, MEM_SIZE - 10, 8); /* beyond memory */
	fix_sum(XSDT, 60, 9);
	CHECK(acpi_init(0));
	CHECK(acpi_find("APIC", 0) == NULL);
	CHECK(acpi_find("FACP", 0) != NULL);
	forget();
}

static void bad_entries(void)
{
	make_all();
	mem[MADT + 44 + 9] = 0; /* the second entry's length */
	fix_sum(MADT, MADT_LEN, 9);
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.nr_cpus, 1);
	CHECK_EQ(acpi_info.nr_ioapics, 0);
	make_all();
	mem[MADT + 44 + 17] = 200; /* the I/O APIC's leaves the table */
	fix_sum(MADT, MADT_LEN, 9);
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.nr_cpus, 1);
	CHECK_EQ(acpi_info.nr_ioapics, 0);
	make_all();
	put(MADT + 4, MADT_LEN - 3, 4); /* the table ends in an entry */
	fix_sum(MADT, MADT_LEN - 3, 9);
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.nr_ioapics, 1);
	make_all();
	put(MADT + 4, 40, 4); /* not even its own fields */
	fix_sum(MADT, 40, 9);
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.nr_cpus, 0);
	forget();
}

static void short_fadt(void)
{
	make_all();
	make_fadt(116); /* ACPI 1.0: no reset register */
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.pm_timer, 0x608);
	CHECK_EQ(acpi_info.reset_port, 0);
	CHECK(acpi_info.has_s5);
	make_all();
	make_fadt(100);
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.pm_timer, 0);
	make_all();
	mem[DSDT + 40]++; /* a DSDT that is not right is not searched */
	CHECK(acpi_init(0));
	CHECK(!acpi_info.has_s5);
	forget();
}

static void s5_forms(void)
{
	static const struct {
		const char *aml;
		size_t len;
		bool ok;
		uint8_t a, b;
	} forms[] = {
		{"\x08_S5_\x12\x06\x04\x0a\x07\x0a\x06\0\0", 13, true, 7, 6},
		{"\x08\\_S5_\x12\x05\x02\x0a\x05\x00", 12, true, 5, 0},
		{"\x08_S5_\x12\x04\x01\x0a\x03", 10, true, 3, 3},
		{"\x08_S5_\x12\x40\x00\x04\x0b\x05\x00\x01", 12, false, 0, 0},
		{"\x08_S5_\x12\x48\x00\x04\x0b\x05\x00\x01\0\0", 14, true, 5,
		 1},
		{"\x08_S5_\x12", 6, false, 0, 0},
		{"\x08_S5_\x12\x06", 7, false, 0, 0},
		{"\x08_S5_\x12\x7f\x04\x0a\x05", 10, false, 0, 0},
		{"\x08_S5_\x12\xff\xff\xff\xff\x04\x0a\x05", 13, false, 0, 0},
		{"\x08_S5_\x12\x06\x04\x0c\x05\0\0\0", 12, false, 0, 0},
		{"\x70_S5_\x12\x06\x04\x0a\x07\x0a\x06\0\0", 13, false, 0, 0},
		{"_S5_", 4, false, 0, 0},
		{"", 0, false, 0, 0},
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(forms); i++) {
		uint8_t *copy = malloc(forms[i].len + !forms[i].len);
		uint8_t typ[2] = {0, 0};
		bool ok;

		memcpy(copy, forms[i].aml, forms[i].len);
		ok = acpi_scan_s5(copy, forms[i].len, typ);
		if (ok != forms[i].ok)
			printf("# form %u\n", i);
		CHECK_EQ(ok, forms[i].ok);
		if (ok) {
			CHECK_EQ(typ[0], forms[i].a);
			CHECK_EQ(typ[1], forms[i].b);
		}
		free(copy);
	}
}

static void too_many(void)
{
	size_t len = 44 + 300 * 8;

	make_all();
	for (unsigned int i = 0; i < 300; i++) {
		paddr_t p = MADT + 44 + i * 8;

		memcpy(mem + p, (uint8_t[]){0, 8, 0, (uint8_t)i, 1, 0, 0, 0},
		       8);
	}
	table(MADT, "APIC", len);
	/* make_madt()'s neighbours: keep the FADT out of the way. */
	make_fadt(244);
	CHECK(acpi_init(0));
	CHECK_EQ(acpi_info.nr_cpus, 256); /* 44 IDs came twice */
	forget();
}

/* Random damage, checksums made right again: nothing may break. */
static void fuzz(void)
{
	srand(99);
	for (unsigned int n = 0; n < 3000; n++) {
		make_all();
		for (unsigned int i = 0; i < 6; i++) {
			paddr_t base[] = {MADT, FADT, DSDT, XSDT, RSDT};
			paddr_t at = base[rand() % 5] + (paddr_t)rand() % 128;

			mem[at] = (uint8_t)rand();
		}
		for (paddr_t t = XSDT; t <= DSDT; t += 0x1000) {
			uint32_t len;

			memcpy(&len, mem + t + 4, 4);
			if (len >= 36 && len < 0x1000)
				fix_sum(t, len, 9);
		}
		acpi_init(0);
		CHECK(acpi_info.nr_cpus <= ARRAY_SIZE(acpi_info.cpu));
		forget();
	}
}

#define EFI_TABLE 0x20000

static void make_efi(void)
{
	memset(&efi_info, 0, sizeof(efi_info));
	memset(mem + EFI_TABLE, 0, 0x1000);
	memcpy(mem + EFI_TABLE, "IBI SYST", 8);
	put(EFI_TABLE + 8, 0x20046, 4);
	put(EFI_TABLE + 24, EFI_TABLE + 0x100, 8);
	memcpy(mem + EFI_TABLE + 0x100, "E\0D\0", 4);
	put(EFI_TABLE + 32, 0x10000, 4);
	put(EFI_TABLE + 88, EFI_TABLE + 0x200, 8);
	memcpy(mem + EFI_TABLE + 0x200, "RUNTSERV", 8);
	put(EFI_TABLE + 0x208, 0x20046, 4);
	put(EFI_TABLE + 104, 3, 8);
	put(EFI_TABLE + 112, EFI_TABLE + 0x300, 8);
}

static void efi(void)
{
	make_efi();
	efi_init(EFI_TABLE);
	CHECK_EQ(efi_info.tables, EFI_TABLE + 0x300);
	CHECK_EQ(efi_info.nr_tables, 3);
	CHECK_EQ(efi_info.version, 0x20046);
	CHECK_EQ(efi_info.rt_version, 0x20046);
	CHECK_EQ(efi_info.vendor_revision, 0x10000);
	CHECK_EQ(efi_info.vendor[0], 'E');
	CHECK_EQ(efi_info.vendor[1], 'D');
	CHECK_EQ(efi_info.vendor[2], 0);
	forget();
}

/* No table where there is none, with a warning; a name without end is cut. */
static void bad_efi(void)
{
	static const struct {
		unsigned int at;
		uint64_t value;
	} bad[] = {{0, 1}, {104, 0}, {104, 1UL << 40}, {112, 0}};

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		make_efi();
		put(EFI_TABLE + bad[i].at, bad[i].value, 8);
		efi_init(EFI_TABLE);
		CHECK_EQ(efi_info.tables, 0);
	}
	make_efi();
	efi_init(MEM_SIZE - 8);
	efi_init(0);
	CHECK_EQ(efi_info.tables, 0);
	put(EFI_TABLE + 88, MEM_SIZE, 8);
	for (unsigned int i = 0; i < 200; i++)
		put(EFI_TABLE + 0x100 + 2 * i, 'x', 2);
	efi_init(EFI_TABLE);
	CHECK_EQ(efi_info.rt_version, 0);
	CHECK_EQ(efi_info.vendor[EFI_VENDOR_MAX - 2], 'x');
	CHECK_EQ(efi_info.vendor[EFI_VENDOR_MAX - 1], 0);
	forget();
}

static const struct test_case cases[] = {
	{"whole tables", whole},
	{"the RSDP where the loader says", given_address},
	{"the RSDP in the extended BIOS data area", ebda},
	{"a broken RSDP", bad_rsdp},
	{"the RSDT where the XSDT is broken", xsdt_falls_back},
	{"broken tables are left out", bad_tables},
	{"broken MADT entries end it", bad_entries},
	{"short and missing FADTs", short_fadt},
	{"forms of _S5", s5_forms},
	{"more CPUs than there is room for", too_many},
	{"random damage", fuzz},
	{"UEFI's system table", efi},
	{"a broken system table of UEFI", bad_efi},
};

int main(void)
{
	return RUN_CASES(cases);
}
