/* SPDX-License-Identifier: MIT */
/* Atomic operations, as the compiler has them, with x86's strong ordering. */
#ifndef OSTLER_LIB_ATOMIC_H
#define OSTLER_LIB_ATOMIC_H

#include "lib/types.h"

#define atomic_read(p)    __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define atomic_set(p, v)  __atomic_store_n(p, v, __ATOMIC_RELEASE)
#define atomic_add(p, n)  __atomic_add_fetch(p, n, __ATOMIC_SEQ_CST)
#define atomic_sub(p, n)  __atomic_sub_fetch(p, n, __ATOMIC_SEQ_CST)
#define atomic_or(p, m)   __atomic_fetch_or(p, m, __ATOMIC_SEQ_CST)
#define atomic_and(p, m)  __atomic_fetch_and(p, m, __ATOMIC_SEQ_CST)
#define atomic_xchg(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
/* True if *p was *old and is now v; else *old is what *p is. */
#define atomic_cas(p, old, v)                                                  \
	__atomic_compare_exchange_n(p, old, v, false, __ATOMIC_SEQ_CST,        \
				    __ATOMIC_SEQ_CST)

/* Bits in arrays of unsigned long that a guest may share: locked operations. */
static inline bool test_bit(unsigned int n, const volatile void *a)
{
	return (((const volatile uint64_t *)a)[n / 64] >> (n % 64)) & 1;
}
static inline bool test_and_set_bit(unsigned int n, volatile void *a)
{
	bool c;

	__asm__ volatile("lock btsq %2, %1"
			 : "=@ccc"(c), "+m"(((volatile uint64_t *)a)[n / 64])
			 : "r"((uint64_t)(n % 64))
			 : "memory");
	return c;
}
static inline bool test_and_clear_bit(unsigned int n, volatile void *a)
{
	bool c;

	__asm__ volatile("lock btrq %2, %1"
			 : "=@ccc"(c), "+m"(((volatile uint64_t *)a)[n / 64])
			 : "r"((uint64_t)(n % 64))
			 : "memory");
	return c;
}
static inline void set_bit(unsigned int n, volatile void *a)
{
	test_and_set_bit(n, a);
}
static inline void clear_bit(unsigned int n, volatile void *a)
{
	test_and_clear_bit(n, a);
}

#define smp_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_wmb() barrier()
#define smp_rmb() barrier()

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
