/* SPDX-License-Identifier: MIT */
/*
 * Floating-point state (AMD APM Vol. 2, "Saving Media and x87 State", "Extended
 * State Management"). All that the machine has is saved, whatever the guest
 * enabled, so that no guest sees another's.
 */
#include "cpu/fpu.h"

#include "cpu/traps.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define XCR0_X87    BIT(0)
#define XCR0_SSE    BIT(1)
#define XCR0_AVX    BIT(2)
#define XCR0_MPX    (BIT(3) | BIT(4))
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))

#define FXSAVE_SIZE 512
#define FXSAVE_FSW  2
#define MXCSR       24
#define MXCSR_MASK  28
#define MXCSR_BITS  0xffbfU /* where MXCSR_MASK says nothing */
#define FSW_ES      BIT(7)
#define ERR_PTRS    BIT(2) /* CPUID Fn8000_0008 EBX, RstrFpErrPtrs */
#define MSR_XSS     0xda0

static void xsetbv(uint64_t v)
{
	__asm__ volatile("xsetbv"
			 :
			 : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

void fpu_init_cpu(void)
{
	if (cpu_features.xsave)
		xsetbv(cpu_features.xcr0_mask);
	if (cpu_features.xsaves) /* guests run with ours, and see a 0 */
		wrmsr(MSR_XSS, 0);
}

size_t fpu_area_size(void)
{
	return cpu_features.xsave ? cpuid(0xd, 0).c : FXSAVE_SIZE;
}

static unsigned int area_order(void)
{
	size_t size = fpu_area_size();
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

struct fpu_state *fpu_alloc(void)
{
	struct fpu_state *f = xnew(struct fpu_state);
	mfn_t mfn = alloc_pages(area_order(), ALLOC_ZERO);

	if (!f || mfn_eq(mfn, INVALID_MFN)) {
		xfree(f);
		if (!mfn_eq(mfn, INVALID_MFN))
			free_pages(mfn, area_order());
		return NULL;
	}
	f->area = mfn_to_virt(mfn);
	fpu_reset(f);
	return f;
}

void fpu_free(struct fpu_state *f)
{
	if (!f)
		return;
	free_pages(virt_to_mfn(f->area), area_order());
	xfree(f);
}

/* AMD APM Vol. 2, "Processor Initialization State". */
void fpu_reset(struct fpu_state *f)
{
	uint16_t *fcw = f->area;
	uint32_t *mxcsr = (uint32_t *)((char *)f->area + MXCSR);

	memset(f->area, 0, fpu_area_size());
	*fcw = 0x37f;
	*mxcsr = 0x1f80;
	f->xcr0 = XCR0_X87;
	if (cpu_features.xsave) /* header: these two are in the area */
		*(uint64_t *)((char *)f->area + FXSAVE_SIZE) = XCR0_X87 |
							       XCR0_SSE;
}

void fpu_save(struct fpu_state *f)
{
	if (!cpu_features.xsave) {
		__asm__ volatile("fxsave64 (%0)" : : "r"(f->area) : "memory");
		return;
	}
	if (f->xcr0 != cpu_features.xcr0_mask)
		xsetbv(cpu_features.xcr0_mask);
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(f->area), "a"(~0U), "d"(~0U)
			 : "memory");
}

/* Bits that MXCSR has on this machine: others fault when they are loaded. */
static uint32_t mxcsr_bits(void)
{
	static uint32_t bits;
	static uint8_t area[FXSAVE_SIZE] __aligned(16);

	if (!bits) {
		__asm__ volatile("fxsave64 %0" : "=m"(area));
		bits = *(uint32_t *)(area + MXCSR_MASK);
		if (!bits)
			bits = MXCSR_BITS;
	}
	return bits;
}

void fpu_load_legacy(struct fpu_state *f, const void *fxsave)
{
	memcpy(f->area, fxsave, FXSAVE_SIZE);
	*(uint32_t *)((char *)f->area + MXCSR) &= mxcsr_bits();
}

/*
 * AMD APM Vol. 2, "FXSAVE and FXRSTOR Instructions": with no exception pending,
 * where the last x87 instruction and its operand were is neither saved nor
 * restored: another guest would see it. One of ours replaces that.
 */
static void forget_pointers(const struct fpu_state *f)
{
	static const int32_t nothing;
	const uint16_t *fsw = (void *)((char *)f->area + FXSAVE_FSW);

	if (cpu_features.vendor == CPU_INTEL ||
	    (cpu_features.e8_ebx & ERR_PTRS) || (*fsw & FSW_ES))
		return;
	__asm__ volatile("fnclex\n\t"
			 "ffree %%st(7)\n\t"
			 "fildl %0"
			 :
			 : "m"(nothing));
}

/* False: the area is not what a processor takes. */
static bool load_area(const struct fpu_state *f)
{
	uint32_t bad = 1;

	if (cpu_features.xsave)
		__asm__ volatile("1: xrstor64 (%[area])\n\t"
				 "xorl %[bad], %[bad]\n"
				 "2:\n" EX_TABLE("1b", "2b")
				 : [bad] "+r"(bad)
				 : [area] "r"(f->area), "a"(~0U), "d"(~0U)
				 : "memory");
	else
		__asm__ volatile("1: fxrstor64 (%[area])\n\t"
				 "xorl %[bad], %[bad]\n"
				 "2:\n" EX_TABLE("1b", "2b")
				 : [bad] "+r"(bad)
				 : [area] "r"(f->area)
				 : "memory");
	return !bad;
}

/* The state that was given to it may be none: then it starts anew. */
static __attribute__((noinline, cold)) void start_anew(struct fpu_state *f)
{
	uint64_t xcr0 = f->xcr0;

	fpu_reset(f);
	f->xcr0 = xcr0;
	load_area(f);
}

void fpu_restore(struct fpu_state *f)
{
	forget_pointers(f);
	if (unlikely(!load_area(f)))
		start_anew(f);
	if (cpu_features.xsave && f->xcr0 != cpu_features.xcr0_mask)
		xsetbv(f->xcr0);
}

/* AMD APM Vol. 2, "FXSAVE and FXRSTOR Instructions", and Vol. 3, "CPUID
 * Fn0000_000D_EBX_x02": where the two halves are. */
void fpu_vector(struct fpu_state *f, unsigned int reg, uint64_t v[4],
		bool write)
{
	char *low = (char *)f->area + 160 + reg * 16, *high = NULL;
	uint64_t *xstate_bv = (uint64_t *)((char *)f->area + FXSAVE_SIZE);

	if (cpu_features.xsave && (cpu_features.xcr0_mask & XCR0_AVX))
		high = (char *)f->area + cpuid(0xd, 2).b + reg * 16;
	fpu_save(f);
	if (write) {
		memcpy(low, v, 16);
		if (high)
			memcpy(high, v + 2, 16);
		if (cpu_features.xsave)
			*xstate_bv |= XCR0_SSE | (high ? XCR0_AVX : 0);
	} else {
		memcpy(v, low, 16);
		if (high)
			memcpy(v + 2, high, 16);
		else
			memset(v + 2, 0, 16);
	}
	fpu_restore(f);
}

/* FWAIT does nothing: an exception that waits comes with the next instruction
 * of x87 that the guest executes itself. */
void fpu_x87(enum fpu_op op, uint16_t *val)
{
	switch (op) {
	case FPU_FNINIT:
		__asm__ volatile("fninit");
		break;
	case FPU_FNCLEX:
		__asm__ volatile("fnclex");
		break;
	case FPU_FNSTSW:
		__asm__ volatile("fnstsw %0" : "=m"(*val));
		break;
	case FPU_FNSTCW:
		__asm__ volatile("fnstcw %0" : "=m"(*val));
		break;
	case FPU_FLDCW: {
		/* Unmasked exceptions that wait would come here. */
		struct {
			uint32_t word[7];
		} env;

		__asm__ volatile("fnstenv %0" : "=m"(env));
		env.word[0] = (env.word[0] & ~0xffffU) | *val;
		__asm__ volatile("fldenv %0" : : "m"(env));
		break;
	}
	case FPU_FWAIT:
		break;
	}
}

bool fpu_set_xcr0(struct fpu_state *f, uint64_t val, bool loaded)
{
	uint64_t avx512 = val & XCR0_AVX512, mpx = val & XCR0_MPX;

	if (!(val & XCR0_X87) || (val & ~cpu_features.xcr0_mask))
		return false;
	if ((val & XCR0_AVX) && !(val & XCR0_SSE))
		return false;
	if (avx512 && (avx512 != XCR0_AVX512 || !(val & XCR0_AVX)))
		return false;
	if (mpx && mpx != XCR0_MPX)
		return false;
	f->xcr0 = val;
	if (loaded)
		xsetbv(val);
	return true;
}
