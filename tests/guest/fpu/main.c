/* SPDX-License-Identifier: MIT */
/*
 * The x87 and SSE registers belong to the vCPU: they must be the same after
 * hypercalls, exits and being scheduled out for another vCPU that uses them
 * too. With XSAVE, XCR0 also: bits that are not there must be refused.
 */
#include "test.h"
#include <xen/sched.h>

const char guest_name[] = "fpu";

#define ROUNDS 2000

struct fx {
	uint8_t bytes[512];
} __attribute__((aligned(16)));

static volatile unsigned int other_rounds, other_bad;

static void fill(struct fx *f, uint8_t seed)
{
	memset(f, 0, sizeof(*f));
	f->bytes[0] = 0x7f; /* FCW: all exceptions masked */
	f->bytes[1] = 0x03;
	f->bytes[24] = 0x80; /* MXCSR: the same */
	f->bytes[25] = 0x1f;
	for (unsigned int i = 0; i < 256; i++) /* XMM0 to XMM15 */
		f->bytes[160 + i] = (uint8_t)(seed + i * 3);
}

static void load(const struct fx *f)
{
	__asm__ volatile("fxrstor64 %0" ::"m"(*f));
}

static void save(struct fx *f)
{
	__asm__ volatile("fxsave64 %0" : "=m"(*f));
}

static bool same(const struct fx *a, const struct fx *b)
{
	return !memcmp(a->bytes + 160, b->bytes + 160, 256) &&
	       !memcmp(a->bytes + 24, b->bytes + 24, 4);
}

static void other(unsigned int id)
{
	static struct fx mine, now;

	(void)id;
	fill(&mine, 0x91);
	load(&mine);
	for (;;) {
		other_rounds++;
		save(&now);
		if (!same(&mine, &now))
			other_bad++;
		sched_op(SCHEDOP_yield, NULL);
	}
}

static unsigned int rounds(void (*step)(void))
{
	static struct fx mine, now;
	unsigned int bad = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		fill(&mine, (uint8_t)i);
		load(&mine);
		step();
		save(&now);
		bad += !same(&mine, &now);
	}
	return bad;
}

static void by_hypercall(void)
{
	hc(__HYPERVISOR_xen_version, 0, 0);
}

static void by_exit(void)
{
	uint32_t r[4];

	cpuid(1, 0, r);
}

static void by_yield(void)
{
	sched_op(SCHEDOP_yield, NULL);
}

static void set_bad_xcr0(void *unused)
{
	(void)unused;
	__asm__ volatile("xsetbv" ::"c"(0), "a"(0xfffffff8), "d"(0x7fffffff));
}

static void set_no_x87(void *unused)
{
	(void)unused;
	__asm__ volatile("xsetbv" ::"c"(0), "a"(2), "d"(0));
}

static void set_plain(void *unused)
{
	(void)unused;
	__asm__ volatile("xsetbv" ::"c"(0), "a"(3), "d"(0));
}

static struct fx area[8] __attribute__((aligned(64)));

static void xsaves(void *unused)
{
	(void)unused;
	__asm__ volatile(".byte 0x48, 0x0f, 0xc7, 0x2f" /* xsaves64 (%rdi) */
			 :
			 : "D"(area), "a"(3), "d"(0)
			 : "memory");
}

#define XSS 0xda0
static void set_xss(void *val)
{
	wrmsr(XSS, (uint64_t)val);
}

/* Compacted, x87 and SSE take as much as they always do. */
static void compacted(void)
{
	uint64_t *header = (uint64_t *)area->bytes + 64;
	uint32_t r[4];

	cpuid(0xd, 1, r);
	note("leaf 0xd, 1: %x %x %x", r[0], r[1], r[2]);
	if (r[0] & (1u << 1 | 1u << 3))
		check(r[1] == 576, "a compacted area has 576 bytes (%u)", r[1]);
	if (!(r[0] & 1u << 3)) {
		skip("no XSAVES here", "supervisor states");
		return;
	}
	check(try_call(set_xss, NULL) == -1, "XSS takes nothing");
	check(try_call(set_xss, (void *)(1ul << 62)) == 13, "but not all");
	check(try_call(xsaves, NULL) == -1, "XSAVES runs");
	check(header[1] >> 63, "and compacts");
}

static void xcr0(void)
{
	uint32_t r[4], lo, hi;
	unsigned long cr4;

	cpuid(1, 0, r);
	if (!(r[2] & 1u << 26)) {
		skip("no XSAVE here", "XCR0");
		return;
	}
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | 1ul << 18));
	check(try_call(set_plain, NULL) == -1, "XCR0 takes x87 and SSE");
	check(try_call(set_bad_xcr0, NULL) == 13, "but not bits beyond all");
	check(try_call(set_no_x87, NULL) == 13, "nor SSE without x87");
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	check(lo == 3 && hi == 0, "and reads as it was set");
	compacted();
}

void guest_main(void)
{
	check(rounds(by_hypercall) == 0, "registers keep over hypercalls");
	check(rounds(by_exit) == 0, "over exits");
	if (check_rc(smp_boot(1, other), 0, "a second vCPU"))
		check(rounds(by_yield) == 0, "over yields to it");
	check(other_bad == 0, "the other's keep too (%u of %u)", other_bad,
	      other_rounds);
	xcr0();
}
