/* SPDX-License-Identifier: MIT */
/* The processor of a PV guest; see guests/pvh/guest.h. */
#ifndef OSTLER_GUEST_MACHINE_H
#define OSTLER_GUEST_MACHINE_H

#define GUEST_IS_PV true

/* The machine frame behind an address of the guest's own. */
unsigned long frame_of(const void *p);

/* With the prefix that makes the hypervisor answer: the instruction alone would
 * show the host's. */
static inline void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e\n\tcpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(leaf), "c"(sub));
}

/* Events, which are all the interrupts that there are. */
void irq_enable(void);
void irq_disable(void);
/* Until an event comes. */
void cpu_halt(void);

#endif
