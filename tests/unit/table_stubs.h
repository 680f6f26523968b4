/* SPDX-License-Identifier: MIT */
/* Pages for tables: they live in this process, and a machine address is the
 * pointer itself, or as far from it as a test says (STUB_MACHINE). A test may
 * ask how many there are, and for a failure. */
#ifndef OSTLER_TESTS_UNIT_TABLE_STUBS_H
#define OSTLER_TESTS_UNIT_TABLE_STUBS_H

#include "console/printk.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef STUB_MACHINE
#define STUB_MACHINE 0UL
#endif

static int live_pages, fail_after = -1; /* -1: never */

void *unit_maddr_to_virt(paddr_t p);
void *unit_maddr_to_virt(paddr_t p)
{
	return (void *)(p - STUB_MACHINE);
}

paddr_t virt_to_maddr(const void *p)
{
	return (paddr_t)p + STUB_MACHINE;
}

void *alloc_page_virt(unsigned int flags)
{
	void *p;

	if (!fail_after)
		return NULL;
	if (fail_after > 0)
		fail_after--;
	p = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	if (p && flags & ALLOC_ZERO)
		memset(p, 0, PAGE_SIZE);
	live_pages++;
	return p;
}

void free_page_virt(void *p)
{
	live_pages--;
	free(p);
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

#endif
