/* SPDX-License-Identifier: MIT */
/*
 * The memory of the guest that runs here, at its own addresses: its tables are
 * the processor's, and what is not mapped, or not writable, faults and is fixed
 * up. Nothing of ours is within reach of an address of the guest's.
 */
#include "pv/access.h"
#include "pv/pv.h"

#include "lib/errno.h"

/* How many bytes are left when it faults. */
static __attribute__((noinline)) size_t copy(void *dst, const void *src,
					     size_t len)
{
	size_t words = len / 8, rest = len % 8;

	pv_open_user();
	__asm__ volatile("1: rep movsq\n\t"
			 "movq %[rest], %%rcx\n"
			 "2: rep movsb\n\t"
			 "jmp 4f\n"
			 "3: leaq (%[rest],%%rcx,8), %%rcx\n"
			 "4:\n" EX_TABLE("1b", "3b") EX_TABLE("2b", "4b")
			 : "+D"(dst), "+S"(src), "+c"(words)
			 : [rest] "r"(rest)
			 : "memory");
	pv_close_user();
	return words;
}

#define COPY_WORD(i)                                                           \
	__asm__ goto("1: movq %c[at](%[src]), %%rcx\n"                         \
		     "2: movq %%rcx, %c[at](%[dst])\n" EX_TABLE(               \
			     "1b", "%l[fault]") EX_TABLE("2b", "%l[fault]")    \
		     :                                                         \
		     : [at] "i"((i)*8), [dst] "r"(dst), [src] "r"(src)         \
		     : "rcx", "memory"                                         \
		     : fault)

/* One or a few words: no string instruction, which is slow to start. */
static __attribute__((noinline)) int copy_words(uint64_t *dst,
						const uint64_t *src, size_t n)
{
	pv_open_user();
	switch (n) {
	case 8:
		COPY_WORD(7);
		__fallthrough;
	case 7:
		COPY_WORD(6);
		__fallthrough;
	case 6:
		COPY_WORD(5);
		__fallthrough;
	case 5:
		COPY_WORD(4);
		__fallthrough;
	case 4:
		COPY_WORD(3);
		__fallthrough;
	case 3:
		COPY_WORD(2);
		__fallthrough;
	case 2:
		COPY_WORD(1);
		__fallthrough;
	case 1:
		COPY_WORD(0);
	}
	pv_close_user();
	return 0;
fault:
	pv_close_user();
	return -EFAULT;
}

/* What most arguments are: a port, an address. */
#define COPY_ONE(bytes, insn, reg)                                             \
	static inline int copy_##bytes(void *dst, const void *src)             \
	{                                                                      \
		pv_open_user();                                                \
		__asm__ goto("1: " insn " (%[src]), %%" reg "\n"               \
			     "2: " insn " %%" reg                              \
			     ", (%[dst])\n" EX_TABLE("1b", "%l[fault]")        \
				     EX_TABLE("2b", "%l[fault]")               \
			     :                                                 \
			     : [dst] "r"(dst), [src] "r"(src)                  \
			     : "rcx", "memory"                                 \
			     : fault);                                         \
		pv_close_user();                                               \
		return 0;                                                      \
	fault:                                                                 \
		pv_close_user();                                               \
		return -EFAULT;                                                \
	}
COPY_ONE(2, "movw", "cx")
COPY_ONE(4, "movl", "ecx")
COPY_ONE(8, "movq", "rcx")

static inline int copy_any(void *dst, const void *src, size_t len)
{
	if (likely(len == 4))
		return copy_4(dst, src);
	if (len == 8)
		return copy_8(dst, src);
	if (!(len & 7) && len <= 64)
		return copy_words(dst, src, len / 8);
	if (len == 2)
		return copy_2(dst, src);
	return copy(dst, src, len) ? -EFAULT : 0;
}

int pv_copy_to_guest(struct vcpu *v, uint64_t va, const void *src, size_t len)
{
	(void)v;
	if (!pv_range_ok(va, len))
		return -EFAULT;
	return copy_any((void *)va, src, len);
}

int pv_copy_from_guest(struct vcpu *v, void *dst, uint64_t va, size_t len)
{
	(void)v;
	if (!pv_range_ok(va, len))
		return -EFAULT;
	return copy_any(dst, (const void *)va, len);
}

size_t pv_fetch(uint64_t va, void *dst, size_t len)
{
	if (!pv_range_ok(va, len))
		return 0;
	return len - copy(dst, (const void *)va, len);
}
