/* SPDX-License-Identifier: MIT */
/* The processor of a guest in a hardware container; see guest.h. */
#ifndef OSTLER_GUEST_MACHINE_H
#define OSTLER_GUEST_MACHINE_H

#define GUEST_IS_PV false

/* The frame that grants and hypercalls name. */
static inline unsigned long frame_of(const void *p)
{
	return (unsigned long)p / PAGE_SIZE;
}

static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti; nop" ::: "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

/* Until an interrupt comes. */
static inline void cpu_halt(void)
{
	__asm__ volatile("hlt" ::: "memory");
}

#endif
