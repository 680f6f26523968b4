/* SPDX-License-Identifier: MIT */
/* The hypervisor's heap is the process's. */
#ifndef OSTLER_TESTS_HEAP_STUBS_H
#define OSTLER_TESTS_HEAP_STUBS_H

#include "mem/alloc.h"

#include <stdlib.h>

void *xzalloc(size_t size)
{
	return calloc(1, size);
}
void *xzalloc_array(size_t size, size_t n)
{
	return calloc(n, size);
}
void xfree(void *p)
{
	free(p);
}

#endif
