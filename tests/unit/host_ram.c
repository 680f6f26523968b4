/* SPDX-License-Identifier: MIT */
#include "host_ram.h"
#include "console/printk.h"
#include "lib/atomic.h"
#include "lib/lock.h"
#include "mem/frame_word.h"
#include "mem/layout.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char low[LOW_RAM] __aligned(4096);
static unsigned char high[HIGH_RAM] __aligned(4096);
struct frame unit_frames[(HIGH_AT + HIGH_RAM) >> PAGE_SHIFT];
static uint64_t bits[ARRAY_SIZE(unit_frames) / 512 / 64 + 1];
uint64_t *frame_pages = bits;
uint64_t frame_limit = ARRAY_SIZE(unit_frames);

/* The last of the program's own objects that virt_to_maddr() was asked about.
 */
#define IMAGE_AT 0x200000000UL
static const void *image_object;

char host_log[16384];
jmp_buf *host_panic;

void *unit_maddr_to_virt(paddr_t p);
void *unit_maddr_to_virt(paddr_t p)
{
	if (p < LOW_RAM)
		return low + p;
	if (p >= HIGH_AT && p < HIGH_AT + HIGH_RAM)
		return high + (p - HIGH_AT);
	if (p == IMAGE_AT)
		return (void *)image_object;
	fprintf(stderr, "no RAM at %#lx\n", p);
	abort();
}

paddr_t virt_to_maddr(const void *p)
{
	const unsigned char *c = p;

	if (c >= low && c < low + LOW_RAM)
		return c - low;
	if (c >= high && c < high + HIGH_RAM)
		return HIGH_AT + (c - high);
	image_object = p;
	return IMAGE_AT;
}

static void mark_ram(paddr_t start, paddr_t size)
{
	for (paddr_t a = start; a < start + size; a += 512 * PAGE_SIZE)
		bitmap_set(bits, a >> (PAGE_SHIFT + 9));
	memset(&unit_frames[start >> PAGE_SHIFT], 0,
	       (size >> PAGE_SHIFT) * sizeof(struct frame));
}

void host_ram_reset(void)
{
	memset(low, 0xa5, sizeof(low));
	memset(high, 0xa5, sizeof(high));
	mark_ram(0, LOW_RAM);
	mark_ram(HIGH_AT, HIGH_RAM);
	host_log[0] = '\0';
}

void printk(const char *fmt, ...)
{
	size_t n = strlen(host_log);
	va_list args;

	va_start(args, fmt);
	vsnprintf(host_log + n, sizeof(host_log) - n, fmt, args);
	va_end(args);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(host_log, sizeof(host_log), fmt, args);
	va_end(args);
	if (host_panic)
		longjmp(*host_panic, 1);
	fprintf(stderr, "panic: %s\n", host_log);
	abort();
}

void spin_lock(spinlock_t *l)
{
	while (__atomic_exchange_n(&l->owner, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
}

void spin_unlock(spinlock_t *l)
{
	if (!l->owner)
		abort();
	__atomic_store_n(&l->owner, 0, __ATOMIC_RELEASE);
}
