/* SPDX-License-Identifier: MIT */
/* Threads for tests, without <pthread.h>: its sched_yield() is not ours. */
#ifndef OSTLER_TESTS_UNIT_THREADS_H
#define OSTLER_TESTS_UNIT_THREADS_H

void *thread_start(void *(*fn)(void *), void *arg);
void *thread_join(void *t); /* what fn returned */
void thread_yield(void);

#endif
