/* SPDX-License-Identifier: MIT */
/* Allocation with a reserve: mem.h says why. */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mem.h"

#define RESERVE (256 * 1024)

static void *reserve;
static bool used;

void mem_init(void)
{
	if (reserve)
		return;
	reserve = malloc(RESERVE);
	if (reserve) /* touch it: a promise is no memory */
		memset(reserve, 0xa5, RESERVE);
	used = false;
}

bool mem_low(void)
{
	if (!used)
		return false;
	mem_init();
	if (!reserve)
		return true;
	log_msg(LOG_NOTICE, "memory is available again");
	return false;
}

static bool give_back(void)
{
	if (!reserve)
		return false;
	free(reserve);
	reserve = NULL;
	used = true;
	log_msg(LOG_ERR, "out of memory: refusing requests that need more; "
			 "give this domain more memory or lower the quotas");
	return true;
}

static void *checked(void *p, size_t size)
{
	if (p || !size)
		return p;
	log_msg(LOG_CRIT, "no memory for %zu bytes and no reserve", size);
	abort();
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size);

	if (!p && size && give_back())
		p = malloc(size);
	return checked(p, size);
}

void *mem_zalloc(size_t size)
{
	return memset(mem_alloc(size), 0, size);
}

void *mem_realloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p && size && give_back())
		p = realloc(old, size);
	return checked(p, size);
}

char *mem_strdup(const char *s)
{
	size_t len = strlen(s) + 1;

	return memcpy(mem_alloc(len), s, len);
}
