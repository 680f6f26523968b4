/* SPDX-License-Identifier: MIT */
/*
 * The permission maps: which ports and MSRs exit (AMD APM Vol. 2, "I/O
 * Permissions Map", "MSR Intercepts"). A set bit exits. Domains share one
 * strict pair until somebody is allowed more.
 */
#include "hvm/svm/svm.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define IOPM_ORDER  2 /* 12 KiB are used */
#define MSRPM_ORDER 1

static uint8_t *strict_iopm, *strict_msrpm;

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

/* The bit of an MSR's read permission; the next one is for writing. -1: always
 * exits. */
static int msr_bit(uint32_t msr)
{
	static const uint32_t first[] = {0, 0xc0000000, 0xc0010000};

	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++)
		if (msr - first[i] < 0x2000)
			return (int)((i * 0x2000 + (msr - first[i])) * 2);
	return -1;
}

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
	set_map_bit(map, bit + 1, !write);
}

/* What the VMCB holds for the guest, or VMLOAD and VMSAVE move. */
static const uint32_t native_msrs[] = {
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR to SFMASK */
	0xc0000100, 0xc0000101, 0xc0000102,             /* FS, GS, KernelGS */
	0x174,      0x175,      0x176,                  /* SYSENTER */
};

static int make_strict(void)
{
	if (strict_iopm)
		return 0;
	strict_iopm = alloc_map(IOPM_ORDER, NULL);
	strict_msrpm = alloc_map(MSRPM_ORDER, NULL);
	if (!strict_iopm || !strict_msrpm)
		return -ENOMEM;
	for (unsigned int i = 0; i < ARRAY_SIZE(native_msrs); i++)
		allow(strict_msrpm, native_msrs[i], true, true);
	return 0;
}

int svm_maps_init(struct domain *d)
{
	struct svm_domain *s = svm_domain(d);
	int rc = make_strict();

	s->iopm = strict_iopm;
	s->msrpm = strict_msrpm;
	return rc;
}

void svm_maps_destroy(struct domain *d)
{
	struct svm_domain *s = svm_domain(d);

	if (s->iopm && s->iopm != strict_iopm)
		free_pages(virt_to_mfn(s->iopm), IOPM_ORDER);
	if (s->msrpm && s->msrpm != strict_msrpm)
		free_pages(virt_to_mfn(s->msrpm), MSRPM_ORDER);
	s->iopm = s->msrpm = NULL;
}

/* The domain is paused or not started: its vCPUs take the new maps. */
static void publish(struct domain *d)
{
	struct svm_domain *s = svm_domain(d);
	struct vcpu *v;

	for_each_vcpu(d, v) {
		vmcb_set_iopm(svm_vcpu(v)->vmcb, virt_to_maddr(s->iopm));
		vmcb_set_msrpm(svm_vcpu(v)->vmcb, virt_to_maddr(s->msrpm));
	}
}

static bool own_map(struct domain *d, uint8_t **map, const uint8_t *strict,
		    unsigned int order)
{
	if (*map == strict) {
		uint8_t *own = alloc_map(order, strict);

		if (!own)
			return false; /* stays strict: slow, not wrong */
		*map = own;
	}
	(void)d;
	return true;
}

void svm_allow_port(struct domain *d, unsigned int port, unsigned int n,
		    bool allowed)
{
	struct svm_domain *s = svm_domain(d);

	if (!own_map(d, &s->iopm, strict_iopm, IOPM_ORDER))
		return;
	for (unsigned int i = 0; i < n && port + i < 0x10000; i++)
		set_map_bit(s->iopm, port + i, !allowed);
	publish(d);
}

void svm_allow_msr(struct domain *d, uint32_t msr, bool read, bool write)
{
	struct svm_domain *s = svm_domain(d);

	if (!own_map(d, &s->msrpm, strict_msrpm, MSRPM_ORDER))
		return;
	allow(s->msrpm, msr, read, write);
	publish(d);
}
