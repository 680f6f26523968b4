/* SPDX-License-Identifier: MIT */
#include "threads.h"

#include <pthread.h>
#include <stdlib.h>

void *thread_start(void *(*fn)(void *), void *arg)
{
	pthread_t *t = malloc(sizeof(*t));

	if (!t || pthread_create(t, NULL, fn, arg))
		abort();
	return t;
}

void *thread_join(void *handle)
{
	pthread_t *t = handle;
	void *result;

	pthread_join(*t, &result);
	free(t);
	return result;
}

void thread_yield(void)
{
	sched_yield();
}
