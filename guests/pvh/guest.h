/* SPDX-License-Identifier: MIT */
/*
 * What a freestanding guest can call: output, memory, traps, CPUs, events and
 * grants. Hypercalls are in hypercall.h, verdicts in test.h.
 */
#ifndef OSTLER_GUEST_H
#define OSTLER_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

#define PAGE_SIZE     4096ul
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE_ALIGNED                                                           \
	__attribute__((aligned(4096), section(".bss.pages,\"aw\",@nobits#")))
#define barrier() __asm__ volatile("" ::: "memory")

/* cpuid(), irq_enable(), irq_disable(), frame_of(), GUEST_IS_PV: as hardware
 * containers do it (guests/pvh) or as PV guests do (guests/pv). */
#include <machine.h>

/* start.c: who we are. Valid from the first line of the guest's main. */
extern bool is_dom0;
extern const char *command_line;
extern unsigned int cpuid_base; /* of Xen's leaves, usually 0x40000000 */

/* From CPUID; 0 when the hypervisor does not say, as for dom0. */
unsigned short own_domid(void);

/* The guest's own part, called once everything below works. */
extern const char guest_name[];
void guest_main(void);

/* Ends this domain (or, as dom0, the machine) with a SHUTDOWN_ reason. */
void __attribute__((noreturn)) guest_shutdown(unsigned int reason);

/* The value after "word=" on the command line, or dflt. */
unsigned long option(const char *word, unsigned long dflt);

/* print.c, console.c: printf with %s %c %d %u %x %p, l and ll, width and 0. */
int vsnprint(char *buf, size_t size, const char *fmt, va_list ap);
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void console_init(void);
/* start.c: the ring that xenconsoled reads, NULL if there is none. */
void *console_find(uint32_t *port);
void console_write(const char *s, size_t n);

/* string.c */
void *memset(void *d, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/*
 * window.c: 4 KiB mappings outside the one-to-one map, for pages that a test
 * wants read-only or absent. 512 slots at a fixed address.
 */
#define WINDOW_RO 1ul
#define WINDOW_RW 3ul
void *window_slot(unsigned int slot);
void *window_map(unsigned int slot, uint64_t frame, unsigned long flags);
void window_unmap(unsigned int slot);

/* trap.c */
struct trap_frame {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};
void trap_init(void);
void trap_load(void); /* on each further CPU */
void trap_handler(unsigned int vector, void (*fn)(struct trap_frame *));
/* fn(arg); the exception's vector if one stopped it, -1 if none did. */
int try_call(void (*fn)(void *), void *arg);
/* fn() in ring 3 on the given stack; its value. Interrupts are off. */
long user_call(long (*fn)(void), void *stack_top);

/* smp.c: starts vCPU id at fn; 0 or the hypercall's error. */
#define MAX_CPUS 8
long smp_boot(unsigned int id, void (*fn)(unsigned int id));

/* event.c: the upcall; event_init(cpu) maps the shared page and the vector. */
#define UPCALL_VECTOR 0x40
extern struct shared_info shared_info;
extern volatile unsigned long upcalls;
long event_init(void);
/* Clears and returns whether the port was pending. */
bool event_take(unsigned int port);
bool event_pending(unsigned int port);
void event_mask(unsigned int port, bool masked);
struct vcpu_info *vcpu_info(unsigned int cpu);

/* grant.c: version 1 table, one frame, mapped on first use. */
#define GRANT_FRAMES 4
struct grant_entry_v1 *grant_table(void);
void grant_access(unsigned int ref, unsigned int domid, uint64_t frame,
		  bool readonly);
/* Ends the grant; false while it is in use. */
bool grant_end(unsigned int ref);

/* time.c */
uint64_t system_time(void); /* pvclock, nanoseconds since boot */

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return ((uint64_t)hi << 32) | lo;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return ((uint64_t)hi << 32) | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)v),
			 "d"((uint32_t)(v >> 32))
			 : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %w1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %w1" ::"a"(v), "Nd"(port));
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
