/* SPDX-License-Identifier: MIT */
/* See libc.h. What is wanted is listed in image/libc-shim. */
#include "boot/libc.h"

#include "console/printk.h"
#include "cpu/msr.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "mem/alloc.h"
#include "mem/layout.h"

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
void __stack_chk_fail(void);

#define CANARY_OFFSET 0x28 /* of %fs, in the x86-64 ABI of glibc */

static uint64_t thread_area[CANARY_OFFSET / 8 + 1];
static uint64_t saved_cr0, saved_cr4, saved_fs, saved_flags;

void __init libc_begin(void)
{
	saved_flags = local_irq_save();
	saved_cr0 = read_cr0();
	saved_cr4 = read_cr4();
	saved_fs = rdmsr(MSR_FS_BASE);
	thread_area[CANARY_OFFSET / 8] = rdtsc() | 1;
	wrmsr(MSR_FS_BASE, (uint64_t)thread_area);
	write_cr0((saved_cr0 & ~(X86_CR0_EM | X86_CR0_TS)) | X86_CR0_MP);
	write_cr4(saved_cr4 | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT);
	__asm__ volatile("fninit");
}

void __init libc_end(void)
{
	wrmsr(MSR_FS_BASE, saved_fs);
	write_cr4(saved_cr4);
	write_cr0(saved_cr0);
	local_irq_restore(saved_flags);
}

/* Each allocation is whole pages, its order in the first bytes: they are few
 * and large. */
#define HEADER 64

void *__init libc_malloc(size_t size)
{
	unsigned int order = 0;
	mfn_t mfn;
	char *p;

	while (order <= MAX_ORDER && (PAGE_SIZE << order) - HEADER < size)
		order++;
	if (order > MAX_ORDER)
		return NULL;
	mfn = alloc_pages(order, 0);
	if (mfn_eq(mfn, INVALID_MFN))
		return NULL;
	p = mfn_to_virt(mfn);
	*(unsigned int *)p = order;
	return p + HEADER;
}

void __init libc_free(void *p)
{
	char *start = (char *)p - HEADER;

	if (p)
		free_pages(virt_to_mfn(start), *(unsigned int *)start);
}

void *__init malloc(size_t size)
{
	return libc_malloc(size);
}

void *__init calloc(size_t n, size_t size)
{
	void *p = NULL;
	size_t bytes;

	if (!__builtin_mul_overflow(n, size, &bytes))
		p = libc_malloc(bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

void __init free(void *p)
{
	libc_free(p);
}

void __init __noreturn __stack_chk_fail(void)
{
	panic("a decompressor overran its stack");
}

/*
 * Hooks that libzstd calls if somebody defines them: an undefined weak symbol
 * would be address 0, which code at our addresses cannot reach.
 */
unsigned long long ZSTD_trace_decompress_begin(const void *ctx);
void ZSTD_trace_decompress_end(unsigned long long ctx, const void *trace);

unsigned long long __init ZSTD_trace_decompress_begin(const void *ctx)
{
	(void)ctx;
	return 0; /* not traced */
}

void __init ZSTD_trace_decompress_end(unsigned long long ctx, const void *trace)
{
	(void)ctx;
	(void)trace;
}
