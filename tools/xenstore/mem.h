/* SPDX-License-Identifier: MIT */
/*
 * Memory for the daemon. A reserve is kept: when the system refuses memory the
 * reserve is given back, the allocation is tried once more, and mem_low() says
 * so until the reserve could be filled again. Requests that would grow the
 * store ask mem_low() first and answer ENOMEM, so what is under way completes.
 */
#ifndef OSTLER_XENSTORE_MEM_H
#define OSTLER_XENSTORE_MEM_H

#include <stdbool.h>
#include <stddef.h>

void mem_init(void);

/* True while the reserve is gone; tries to fill it again. */
bool mem_low(void);

/* These never return NULL: without reserve and memory they log and abort. */
void *mem_alloc(size_t size);
void *mem_zalloc(size_t size);
void *mem_realloc(void *old, size_t size);
char *mem_strdup(const char *s);

#endif
