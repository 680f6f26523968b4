/* SPDX-License-Identifier: MIT */
/* What the three boot protocols tell, whole and damaged. */
#include "harness.h"
#include "boot/bootinfo.h"
#include "host_ram.h"
#include "mem/layout.h"
#include <xen/arch-x86/hvm/start_info.h>

static struct boot_info bi;

static char *ram(paddr_t p)
{
	return maddr_to_virt(p);
}
static uint32_t text(paddr_t p, const char *s)
{
	strcpy(ram(p), s);
	return (uint32_t)p;
}
static void put32(paddr_t p, uint32_t v)
{
	memcpy(ram(p), &v, 4);
}
static void put64(paddr_t p, uint64_t v)
{
	memcpy(ram(p), &v, 8);
}

#define MBI 0x9000

/* As QEMU does: names before the words. */
static void make_multiboot1(const char *loader)
{
	host_ram_reset();
	memset(ram(MBI), 0, 128);
	put32(MBI, 1 | 4 | 8 | 64 | 512);
	put32(MBI + 4, 639);
	put32(MBI + 8, 1024);
	put32(MBI + 16, text(0xa000, "xen/ostler console=com1  x=1"));
	put32(MBI + 20, 2);
	put32(MBI + 24, 0xb000);
	put32(MBI + 44, 48);
	put32(MBI + 48, 0xc000);
	put32(MBI + 64, text(0xd000, loader));
	put32(0xb000, 0x100000);
	put32(0xb004, 0x180000);
	put32(0xb008, text(0xa800, "/boot/vmlinuz root=/dev/sda quiet"));
	put32(0xb010, 0x200000);
	put32(0xb014, 0x200001);
	put32(0xb018, 0); /* no words at all */
	for (int i = 0; i < 2; i++) {
		paddr_t e = 0xc000 + i * 24;

		put32(e, 20);
		put64(e + 4, i ? 0x100000 : 0);
		put64(e + 12, i ? 0x3f00000 : 0x9fc00);
		put32(e + 20, 1);
	}
}

static void multiboot1(void)
{
	make_multiboot1("qemu");
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT1, MBI));
	CHECK(!strcmp(bi.loader, "qemu"));
	CHECK(!strcmp(bi.command_line, "console=com1  x=1"));
	CHECK_EQ(bi.nr_modules, 2);
	CHECK_EQ(bi.module[0].start, 0x100000);
	CHECK_EQ(bi.module[0].end, 0x180000);
	CHECK(!strcmp(bi.module[0].words, "root=/dev/sda quiet"));
	CHECK(!strcmp(bi.module[1].words, ""));
	CHECK_EQ(bi.memory.n, 2);
	CHECK_EQ(bi.memory.range[1].end, 0x4000000);
	CHECK(!*host_log);
}

static void multiboot1_grub(void)
{
	make_multiboot1("GRUB 2.06-13");
	text(0xa000, "console=com1 x=1");
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT1, MBI));
	CHECK(!strcmp(bi.command_line, "console=com1 x=1"));
	CHECK(!strcmp(bi.module[0].words, "/boot/vmlinuz root=/dev/sda quiet"));
}

static void multiboot1_damaged(void)
{
	make_multiboot1("qemu");
	put32(MBI + 20, 0xffffffff); /* modules without end */
	for (int i = 2; i < 20; i++) {
		put32(0xb000 + i * 16, 0x300000);
		put32(0xb004 + i * 16,
		      0x300000 - i); /* ends before it begins */
		put32(0xb008 + i * 16, 0);
	}
	put32(0xc000, 0xfffffff0); /* a map entry that wraps */
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT1, MBI));
	CHECK_EQ(bi.nr_modules, 2);
	CHECK(strstr(host_log, "is empty, ignored"));
	CHECK_EQ(bi.memory.n, 1);

	make_multiboot1("qemu");
	put32(MBI, 1); /* only the two sizes */
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT1, MBI));
	CHECK_EQ(bi.memory.n, 2);
	CHECK_EQ(bi.memory.range[0].end, 639 * 1024);
	CHECK_EQ(bi.nr_modules, 0);
	CHECK(!strcmp(bi.command_line, ""));
}

static void too_many_modules(void)
{
	make_multiboot1("qemu");
	put32(MBI + 20, 40);
	for (int i = 0; i < 40; i++) {
		put32(0xb000 + i * 16, 0x300000);
		put32(0xb004 + i * 16, 0x301000);
		put32(0xb008 + i * 16, 0);
	}
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT1, MBI));
	CHECK_EQ(bi.nr_modules, BOOT_MODULES_MAX);
	CHECK(strstr(host_log, "more than 16 modules"));
}

static void long_text(void)
{
	make_multiboot1("qemu");
	memset(ram(0x10000), 'a', 100000);
	put32(MBI + 16, 0x10000);
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT1, MBI));
	CHECK(!strcmp(bi.command_line, ""));
	CHECK(strstr(host_log, "too long"));
	CHECK_EQ(bi.nr_modules, 2);
}

static paddr_t tag_at;

static paddr_t tag(uint32_t type, uint32_t size)
{
	paddr_t at = tag_at;

	put32(at, type);
	put32(at + 4, size + 8);
	memset(ram(at + 8), 0, ROUND_UP(size, 8));
	tag_at += ROUND_UP(size + 8, 8);
	return at + 8;
}
static void text_tag(uint32_t type, const char *s)
{
	strcpy(ram(tag(type, strlen(s) + 1)), s);
}
static void make_multiboot2(void)
{
	paddr_t t;

	host_ram_reset();
	tag_at = MBI + 8;
	text_tag(1, "console=com1");
	t = tag(3, 8 + 4);
	put32(t, 0x100000);
	put32(t + 4, 0x200000);
	strcpy(ram(t + 8), "a=b");
	text_tag(2, "GRUB 2.06"); /* behind what it decides */
	t = tag(6, 8 + 2 * 24);
	put32(t, 24);
	put64(t + 8, 0x100000);
	put64(t + 16, 0x100000);
	put32(t + 24, 1);
	put64(t + 32, 0x400000);
	put64(t + 40, 0x100000);
	put32(t + 48, 3);
	t = tag(8, 32);
	put64(t, 0x80000000);
	put32(t + 12, 1024);
	t = tag(15, 36);
	strcpy(ram(t), "RSD PTR ");
	put64(tag(12, 8), 0x7000);
}
static void end_multiboot2(void)
{
	tag(0, 0);
	put32(MBI, (uint32_t)(tag_at - MBI));
}

static void multiboot2(void)
{
	make_multiboot2();
	end_multiboot2();
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT2, MBI));
	CHECK(!strcmp(bi.command_line, "console=com1"));
	CHECK(!strcmp(bi.module[0].words, "a=b"));
	CHECK_EQ(bi.module[0].end, 0x200000);
	CHECK_EQ(bi.memory.n, 2);
	CHECK_EQ(bi.memory.range[1].type, MEMORY_ACPI);
	CHECK_EQ(bi.framebuffer.addr, 0x80000000);
	CHECK_EQ(bi.framebuffer.width, 1024);
	CHECK(bi.efi);
	CHECK_EQ(bi.efi_table, 0x7000);
	CHECK(bi.rsdp != 0);
	CHECK(!memcmp(ram(bi.rsdp), "RSD PTR ", 8));
	CHECK(!*host_log);
}

static void multiboot2_efi_map(void)
{
	paddr_t t;

	host_ram_reset();
	tag_at = MBI + 8;
	t = tag(17, 8 + 2 * 48);
	put32(t, 48);
	put32(t + 8, 7);
	put64(t + 16, 0x100000);
	put64(t + 32, 16);
	put32(t + 56, 9);
	put64(t + 64, 0x200000);
	put64(t + 80, 1);
	end_multiboot2();
	boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT2, MBI);
	CHECK_EQ(bi.memory.n, 2);
	CHECK_EQ(bi.memory.range[0].end, 0x110000);
	CHECK_EQ(bi.memory.range[1].type, MEMORY_ACPI);
}

/* Cut anywhere, and with any size word: never beyond, never endless. */
static void multiboot2_damaged(void)
{
	static char good[1024];
	uint32_t total;

	make_multiboot2();
	end_multiboot2();
	total = (uint32_t)(tag_at - MBI);
	memcpy(good, ram(MBI), total);
	for (uint32_t n = 0; n < total; n++) {
		host_log[0] = '\0';
		put32(MBI, n);
		CHECK(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT2, MBI));
		CHECK(strstr(host_log, "damaged"));
	}
	for (uint32_t off = 8; off < total; off += 4) {
		static const uint32_t bad[] = {0, 1, 7, 8, 9, 0xffffffff};

		for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
			memcpy(ram(MBI), good, total);
			host_log[0] = '\0';
			put32(MBI + off, bad[i]);
			CHECK(boot_info_parse(&bi, BOOT_MAGIC_MULTIBOOT2, MBI));
		}
	}
}

static void pvh(void)
{
	struct hvm_start_info si = {
		.magic = XEN_HVM_START_MAGIC_VALUE,
		.version = 1,
		.nr_modules = 1,
		.modlist_paddr = 0xb000,
		.cmdline_paddr = text(0xa000, "console=com1 pvh"),
		.rsdp_paddr = 0xf0000,
		.memmap_paddr = 0xc000,
		.memmap_entries = 1,
	};
	struct hvm_modlist_entry m = {0x100000, 0x1000, 0xd000, 0};
	struct hvm_memmap_table_entry e = {0, 0x4000000, 1, 0};

	host_ram_reset();
	text(0xa000, "console=com1 pvh");
	text(0xd000, "words");
	memcpy(ram(MBI), &si, sizeof(si));
	memcpy(ram(0xb000), &m, sizeof(m));
	memcpy(ram(0xc000), &e, sizeof(e));
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_PVH, MBI));
	CHECK(!strcmp(bi.command_line, "console=com1 pvh"));
	CHECK_EQ(bi.rsdp, 0xf0000);
	CHECK_EQ(bi.nr_modules, 1);
	CHECK_EQ(bi.module[0].end, 0x101000);
	CHECK(!strcmp(bi.module[0].words, "words"));
	CHECK_EQ(bi.memory.n, 1);
	si.memmap_paddr = 1UL << 40; /* out of reach */
	si.cmdline_paddr = ~0UL;
	si.modlist_paddr = 0;
	memcpy(ram(MBI), &si, sizeof(si));
	REQUIRE(boot_info_parse(&bi, BOOT_MAGIC_PVH, MBI));
	CHECK_EQ(bi.memory.n, 0);
	CHECK(!strcmp(bi.command_line, ""));
	CHECK_EQ(bi.nr_modules, 0);
}

static void unknown_protocol(void)
{
	CHECK(!boot_info_parse(&bi, 0x12345678, MBI));
}

static const struct test_case cases[] = {
	{"multiboot 1 as QEMU speaks it", multiboot1},
	{"multiboot 1 as GRUB speaks it", multiboot1_grub},
	{"multiboot 1, damaged or sparse", multiboot1_damaged},
	{"too many modules", too_many_modules},
	{"a command line that is too long", long_text},
	{"multiboot 2", multiboot2},
	{"multiboot 2 with UEFI's map only", multiboot2_efi_map},
	{"multiboot 2, cut and damaged", multiboot2_damaged},
	{"PVH", pvh},
	{"an unknown protocol", unknown_protocol},
};

int main(void)
{
	return RUN_CASES(cases);
}
