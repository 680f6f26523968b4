/* SPDX-License-Identifier: MIT */
/*
 * Words that every file uses: sizes, bits, and the address types that cannot be
 * mixed. An address is unboxed (mfn_x() …) only where the hardware, the ABI or
 * an array index needs the number.
 */
#ifndef OSTLER_LIB_TYPES_H
#define OSTLER_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define BIT(n)             (1UL << (n))
#define GENMASK(h, l)      ((~0UL << (l)) & (~0UL >> (63 - (h))))
#define ARRAY_SIZE(a)      (sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define ROUND_UP(n, a)     (((n) + (a)-1) & ~((__typeof__(n))(a)-1))
#define ROUND_DOWN(n, a)   ((n) & ~((__typeof__(n))(a)-1))

#define min(a, b)                                                              \
	({                                                                     \
		__typeof__(a) a_ = (a);                                        \
		__typeof__(b) b_ = (b);                                        \
		a_ < b_ ? a_ : b_;                                             \
	})
#define max(a, b)                                                              \
	({                                                                     \
		__typeof__(a) a_ = (a);                                        \
		__typeof__(b) b_ = (b);                                        \
		a_ > b_ ? a_ : b_;                                             \
	})
#define container_of(ptr, type, member)                                        \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define __packed       __attribute__((packed))
#define __aligned(n)   __attribute__((aligned(n)))
#define __noreturn     __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define __must_check   __attribute__((warn_unused_result))
#define __used         __attribute__((used))
#define __maybe_unused __attribute__((unused))
#define __fallthrough  __attribute__((fallthrough))
/* Code and data that only the start sequence uses; given back afterwards. */
#define __init     __attribute__((section(".init.text"), cold))
#define __initdata __attribute__((section(".init.data")))
/* Written at start only. */
#define __ro_after_init __attribute__((section(".data.ro_after_init")))

#define barrier()        __asm__ volatile("" ::: "memory")
#define READ_ONCE(x)     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/*
 * i, or another index below n where i >= n: without a branch that could be
 * guessed wrong, so that a guest's index does not reach beyond a table even in
 * speculation.
 */
static inline uint64_t index_nospec(uint64_t i, uint64_t n)
{
	uint64_t mask;

	/* Behind a check the compiler would take the AND for needless. */
	if (__builtin_constant_p(n) && n && !(n & (n - 1))) {
		__asm__("" : "+r"(i));
		return i & (n - 1);
	}
	__asm__("cmpq %2, %1; sbbq %0, %0"
		: "=r"(mask)
		: "r"(i), "r"(n)
		: "cc");
	return i & mask;
}

/* Machine frame, guest frame; machine byte address, guest byte address. */
#define BOXED(name, raw)                                                       \
	typedef struct {                                                       \
		raw v;                                                         \
	} name##_t;                                                            \
	static inline name##_t _##name(raw v)                                  \
	{                                                                      \
		return (name##_t){v};                                          \
	}                                                                      \
	static inline raw name##_x(name##_t n)                                 \
	{                                                                      \
		return n.v;                                                    \
	}
BOXED(mfn, uint64_t)
BOXED(gfn, uint64_t)
#undef BOXED

typedef uint64_t paddr_t; /* machine byte address */
typedef uint64_t gpa_t;   /* guest-physical byte address */
typedef int64_t s_time_t; /* nanoseconds since the hypervisor started */

#define INVALID_MFN _mfn(~0UL)
#define INVALID_GFN _gfn(~0UL)

static inline bool mfn_eq(mfn_t a, mfn_t b)
{
	return a.v == b.v;
}
static inline bool gfn_eq(gfn_t a, gfn_t b)
{
	return a.v == b.v;
}
static inline mfn_t mfn_add(mfn_t m, uint64_t n)
{
	return _mfn(m.v + n);
}
static inline gfn_t gfn_add(gfn_t g, uint64_t n)
{
	return _gfn(g.v + n);
}
static inline paddr_t mfn_to_maddr(mfn_t m)
{
	return m.v << PAGE_SHIFT;
}
static inline mfn_t maddr_to_mfn(paddr_t p)
{
	return _mfn(p >> PAGE_SHIFT);
}
static inline gpa_t gfn_to_gpa(gfn_t g)
{
	return g.v << PAGE_SHIFT;
}
static inline gfn_t gpa_to_gfn(gpa_t p)
{
	return _gfn(p >> PAGE_SHIFT);
}

#endif
