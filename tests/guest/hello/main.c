/* SPDX-License-Identifier: MIT */
/*
 * The least that a hypervisor must do for a guest: load the ELF file at its
 * address, enter it at the PVH note with start information, answer CPUID, fill
 * a hypercall page, give its version, print, and end it. Everything else
 * stands on this, so read this test's console first when all of them fail.
 */
#include "test.h"
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/features.h>
#include <xen/memory.h>
#include <xen/version.h>

const char guest_name[] = "hello";
extern uint32_t start_info_paddr;

/* The e820 entry that XENMEM_memory_map fills: 20 bytes, as the BIOS's. */
struct __attribute__((packed)) e820_entry {
	uint64_t start, size;
	uint32_t type;
};

/* As Linux does: the start information's map, or else the hypercall's. */
static void memory_map(const struct hvm_start_info *info)
{
	const struct hvm_memmap_table_entry *map =
		(const void *)info->memmap_paddr;
	static struct e820_entry e820[64];
	struct xen_memory_map op = {.nr_entries = ARRAY_SIZE(e820)};
	uint64_t ram = 0;

	set_xen_guest_handle(op.buffer, e820);
	if (check_rc(memory_op(XENMEM_memory_map, &op), 0, "memory map"))
		for (uint32_t i = 0; i < op.nr_entries; i++)
			ram += e820[i].type == 1 ? e820[i].size : 0;
	note("%lu MiB of RAM in %u ranges", ram >> 20, op.nr_entries);
	check(ram >= 16ul << 20, "the memory map has RAM");
	if (info->version < 1 || !info->memmap_entries) {
		skip("none given", "start information's map is the same");
		return;
	}
	for (uint32_t i = 0; i < info->memmap_entries; i++)
		if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
			ram -= map[i].size;
	check(ram == 0, "start information's map is the same");
}

static void start_information(void)
{
	const struct hvm_start_info *info =
		(const void *)(unsigned long)start_info_paddr;

	check(info->magic == XEN_HVM_START_MAGIC_VALUE,
	      "start information has its magic number");
	memory_map(info);
}

static void processor(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
	check(r[2] >> 31, "CPUID says that there is a hypervisor");
	cpuid(cpuid_base, 0, r);
	check(r[0] >= cpuid_base + 2, "the hypervisor's leaves reach the MSR");
	check(rdmsr(0xc0000080) & 1u << 10, "EFER reads as long mode active");
}

static void version(void)
{
	struct xen_feature_info f = {.submap_idx = 0};
	char extra[XEN_EXTRAVERSION_LEN] = "";
	long v = xen_version(XENVER_version, NULL);

	check(v == (4l << 16 | 17), "version is 4.17 (%ld.%ld)", v >> 16,
	      v & 0xffff);
	check_rc(xen_version(XENVER_extraversion, extra), 0, "extraversion");
	note("hypervisor 4.17%s", extra);
	check_rc(xen_version(XENVER_get_features, &f), 0, "features");
	check(f.submap & 1u << XENFEAT_hvm_callback_vector,
	      "features have the callback vector");
}

void guest_main(void)
{
	start_information();
	processor();
	version();
}
