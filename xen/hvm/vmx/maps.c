/* SPDX-License-Identifier: MIT */
/*
 * The bitmaps: which ports and MSRs exit (Intel SDM Vol. 3, "I/O-Bitmap
 * Addresses", "MSR-Bitmap Address"). A set bit exits. Domains share one strict
 * pair until somebody is allowed more.
 */
#include "hvm/vmx/vmx.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define IO_ORDER  1
#define MSR_ORDER 0

static uint8_t *strict_io, *strict_msr;
static uint8_t *x2apic_msr; /* strict_msr, and the x2APIC's registers */

static void *alloc_map(unsigned int order, const void *from)
{
	mfn_t mfn = alloc_pages(order, 0);
	void *map;

	if (mfn_eq(mfn, INVALID_MFN))
		return NULL;
	map = mfn_to_virt(mfn);
	if (from)
		memcpy(map, from, PAGE_SIZE << order);
	else
		memset(map, 0xff, PAGE_SIZE << order);
	return map;
}

/* The bit of an MSR's read permission; writing is 2 KiB further. -1: always
 * exits. */
static int msr_bit(uint32_t msr)
{
	if (msr < 0x2000)
		return (int)msr;
	if (msr - 0xc0000000 < 0x2000)
		return (int)(0x2000 + (msr - 0xc0000000));
	return -1;
}
#define MSR_WRITE_BITS (2048 * 8)

static void set_map_bit(uint8_t *map, unsigned int bit, bool exits)
{
	if (exits)
		map[bit / 8] |= 1U << (bit % 8);
	else
		map[bit / 8] &= ~(1U << (bit % 8));
}

static void allow(uint8_t *map, uint32_t msr, bool read, bool write)
{
	int bit = msr_bit(msr);

	if (bit < 0)
		return;
	set_map_bit(map, bit, !read);
	set_map_bit(map, bit + MSR_WRITE_BITS, !write);
}

/* What the VMCS holds for the guest, or is on the CPU while it is loaded. */
static const uint32_t native_msrs[] = {
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR to SFMASK */
	0xc0000100, 0xc0000101, 0xc0000102,             /* FS, GS, KernelGS */
	0x174,      0x175,      0x176,                  /* SYSENTER */
};

/* "Virtualizing MSR-Based APIC Accesses": what the processor reads from the
 * page, and the three writes that it understands. The ICR is 64 bits wide here,
 * the current count moves: both exit. */
static void allow_x2apic(uint8_t *map)
{
	static const uint8_t reads[] = {0x02, 0x03, 0x08, 0x0a, 0x0d,
					0x0f, 0x28, 0x32, 0x33, 0x34,
					0x35, 0x36, 0x37, 0x38, 0x3e};

	for (unsigned int i = 0; i < ARRAY_SIZE(reads); i++)
		allow(map, 0x800 + reads[i], true, false);
	for (uint32_t reg = 0x10; reg < 0x28; reg++) /* ISR, TMR, IRR */
		allow(map, 0x800 + reg, true, false);
	allow(map, 0x808, true, true);  /* TPR */
	allow(map, 0x80b, false, true); /* EOI */
	allow(map, 0x83f, false, true); /* self IPI */
}

static int make_strict(void)
{
	if (strict_msr)
		return 0;
	if (!strict_io)
		strict_io = alloc_map(IO_ORDER, NULL);
	strict_msr = alloc_map(MSR_ORDER, NULL);
	if (!strict_io || !strict_msr)
		return -ENOMEM;
	for (unsigned int i = 0; i < ARRAY_SIZE(native_msrs); i++)
		allow(strict_msr, native_msrs[i], true, true);
	x2apic_msr = alloc_map(MSR_ORDER, strict_msr);
	if (x2apic_msr)
		allow_x2apic(x2apic_msr);
	return 0;
}

int vmx_maps_init(struct domain *d)
{
	struct vmx_domain *vd = vmx_domain(d);
	int rc = make_strict();

	vd->io = strict_io;
	vd->msr = strict_msr;
	return rc;
}

/* Short of memory, or with MSRs of its own, a domain has all of them exit. */
paddr_t vmx_msr_bitmap(const struct domain *d, bool x2apic)
{
	struct vmx_domain *vd = vmx_domain(d);

	if (x2apic && x2apic_msr && vd->msr == strict_msr)
		return virt_to_maddr(x2apic_msr);
	return virt_to_maddr(vd->msr);
}

void vmx_maps_destroy(struct domain *d)
{
	struct vmx_domain *vd = vmx_domain(d);

	if (vd->io && vd->io != strict_io)
		free_pages(virt_to_mfn(vd->io), IO_ORDER);
	if (vd->msr && vd->msr != strict_msr)
		free_pages(virt_to_mfn(vd->msr), MSR_ORDER);
	vd->io = vd->msr = NULL;
}

/* The domain is paused or not started: its vCPUs take the new maps. */
static void publish(struct domain *d)
{
	struct vmx_domain *vd = vmx_domain(d);
	struct vcpu *v;

	for_each_vcpu(d, v) {
		bool held = vmx_hold(vmx_vcpu(v));

		vmcs_set_io_bitmap_a(virt_to_maddr(vd->io));
		vmcs_set_io_bitmap_b(virt_to_maddr(vd->io) + PAGE_SIZE);
		vmcs_set_msr_bitmap(
			vmx_msr_bitmap(d, vmx_vcpu(v)->proc2 & PROC2_X2APIC));
		vmx_release(vmx_vcpu(v), held);
	}
}

static bool own_map(uint8_t **map, const uint8_t *strict, unsigned int order)
{
	if (*map == strict) {
		uint8_t *own = alloc_map(order, strict);

		if (!own)
			return false; /* stays strict: slow, not wrong */
		*map = own;
	}
	return true;
}

void vmx_allow_port(struct domain *d, unsigned int port, unsigned int n,
		    bool allowed)
{
	struct vmx_domain *vd = vmx_domain(d);

	if (!own_map(&vd->io, strict_io, IO_ORDER))
		return;
	for (unsigned int i = 0; i < n && port + i < 0x10000; i++)
		set_map_bit(vd->io, port + i, !allowed);
	publish(d);
}

void vmx_allow_msr(struct domain *d, uint32_t msr, bool read, bool write)
{
	struct vmx_domain *vd = vmx_domain(d);

	if (!own_map(&vd->msr, strict_msr, MSR_ORDER))
		return;
	allow(vd->msr, msr, read, write);
	publish(d);
}
