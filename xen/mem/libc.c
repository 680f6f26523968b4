/* SPDX-License-Identifier: MIT */
/*
 * The little that the decompression libraries want from a C library, besides
 * lib/string.c (xen/image/libc-shim lists it).
 */
#include "mem/libc.h"
#include "console/printk.h"
#include "lib/x86.h"
#include "mem/alloc.h"

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void free(void *p);
void __stack_chk_fail(void) __noreturn;

void *malloc(size_t size)
{
	return xmalloc(size);
}

void *calloc(size_t n, size_t size)
{
	return xzalloc_array(size, n);
}

void free(void *p)
{
	xfree(p);
}

void __stack_chk_fail(void)
{
	panic("stack overrun in a decompression library");
}

unsigned long libc_begin(void)
{
	/* The canary's place is 0x28 behind FS.base; any value will do. */
	static uint64_t canary[6] = {[5] = 0x6f73746c65720a00};
	unsigned long flags = local_irq_save();

	wrmsr(MSR_FS_BASE, (uint64_t)canary);
	write_cr0(read_cr0() & ~(X86_CR0_TS | X86_CR0_EM));
	write_cr4(read_cr4() | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT);
	return flags;
}

void libc_end(unsigned long flags)
{
	wrmsr(MSR_FS_BASE, 0);
	local_irq_restore(flags);
}
