/* SPDX-License-Identifier: MIT */
/*
 * The memory of the guest that runs here, at its own addresses: its tables are
 * the processor's, and what is not mapped, or not writable, faults and is fixed
 * up. Nothing of ours is within reach of an address of the guest's.
 */
#include "pv/pv.h"

#include "cpu/traps.h"
#include "lib/errno.h"
#include "mem/layout.h"

#define LOW_END 0x0000800000000000UL

static inline bool range_ok(uint64_t va, size_t len)
{
	if (va < LOW_END)
		return len <= LOW_END - va;
	return va >= DIRECT_VIRT_END && va + len >= va;
}

/* CPUs with SMAP: the guest's pages are the user's. */
static inline void open_user(void)
{
	if (cpu_features.smap)
		__asm__ volatile("stac" ::: "memory");
}

static inline void close_user(void)
{
	if (cpu_features.smap)
		__asm__ volatile("clac" ::: "memory");
}

/* How many bytes are left when it faults. */
static inline size_t copy(void *dst, const void *src, size_t len)
{
	size_t words = len / 8, rest = len % 8;

	open_user();
	__asm__ volatile("1: rep movsq\n\t"
			 "movq %[rest], %%rcx\n"
			 "2: rep movsb\n\t"
			 "jmp 4f\n"
			 "3: leaq (%[rest],%%rcx,8), %%rcx\n"
			 "4:\n" EX_TABLE("1b", "3b") EX_TABLE("2b", "4b")
			 : "+D"(dst), "+S"(src), "+c"(words)
			 : [rest] "r"(rest)
			 : "memory");
	close_user();
	return words;
}

/* One or a few words: no string instruction, which is slow to start. */
static inline bool copy_words(uint64_t *dst, const uint64_t *src, size_t n)
{
	uint64_t bad = 1, word;

	open_user();
	__asm__ volatile("1: movq (%[src]), %[word]\n"
			 "2: movq %[word], (%[dst])\n\t"
			 "addq $8, %[src]\n\t"
			 "addq $8, %[dst]\n\t"
			 "decq %[n]\n\t"
			 "jnz 1b\n\t"
			 "xorl %k[bad], %k[bad]\n"
			 "3:\n" EX_TABLE("1b", "3b") EX_TABLE("2b", "3b")
			 : [dst] "+r"(dst), [src] "+r"(src), [n] "+r"(n),
			   [bad] "+r"(bad), [word] "=&r"(word)
			 :
			 : "memory");
	close_user();
	return !bad;
}

/* What most arguments are: a port, an address. */
#define COPY_ONE(type, insn)                                                   \
	static inline int copy_##type(void *dst, const void *src)              \
	{                                                                      \
		uint32_t bad = 1;                                              \
		type word;                                                     \
                                                                               \
		open_user();                                                   \
		__asm__ volatile("1: " insn " (%[src]), %[word]\n"             \
				 "2: " insn " %[word], (%[dst])\n\t"           \
				 "xorl %[bad], %[bad]\n"                       \
				 "3:\n" EX_TABLE("1b", "3b")                   \
					 EX_TABLE("2b", "3b")                  \
				 : [bad] "+r"(bad), [word] "=&r"(word)         \
				 : [dst] "r"(dst), [src] "r"(src)              \
				 : "memory");                                  \
		close_user();                                                  \
		return unlikely(bad) ? -EFAULT : 0;                            \
	}
COPY_ONE(uint32_t, "movl")
COPY_ONE(uint64_t, "movq")

static inline int copy_any(void *dst, const void *src, size_t len)
{
	if (len == 4)
		return copy_uint32_t(dst, src);
	if (len == 8)
		return copy_uint64_t(dst, src);
	if (!len)
		return 0;
	if (len <= 64 && !(len & 7))
		return copy_words(dst, src, len / 8) ? 0 : -EFAULT;
	return copy(dst, src, len) ? -EFAULT : 0;
}

int pv_copy_to_guest(struct vcpu *v, uint64_t va, const void *src, size_t len)
{
	(void)v;
	if (!range_ok(va, len))
		return -EFAULT;
	return copy_any((void *)va, src, len);
}

int pv_copy_from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len)
{
	(void)v;
	if (!range_ok(va, len))
		return -EFAULT;
	return copy_any(dst, (const void *)va, len);
}

size_t pv_fetch(uint64_t va, void *dst, size_t len)
{
	if (!range_ok(va, len))
		return 0;
	return len - copy(dst, (const void *)va, len);
}
