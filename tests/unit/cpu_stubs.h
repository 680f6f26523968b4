/* SPDX-License-Identifier: MIT */
/* What the sources of cpu/ need around them in a test: messages and locks. */
#ifndef OSTLER_TESTS_CPU_STUBS_H
#define OSTLER_TESTS_CPU_STUBS_H

#include "console/printk.h"
#include "lib/lock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int messages;

void printk(const char *fmt, ...)
{
	(void)fmt;
	messages++;
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	abort();
}

/* One thread: a lock that is held when it is taken is a deadlock. */
void spin_lock(spinlock_t *l)
{
	BUG_ON(l->head);
	l->head = 1;
}
void spin_unlock(spinlock_t *l)
{
	BUG_ON(!l->head);
	l->head = 0;
}
unsigned long spin_lock_irqsave(spinlock_t *l)
{
	spin_lock(l);
	return 0;
}
void spin_unlock_irqrestore(spinlock_t *l, unsigned long flags)
{
	(void)flags;
	spin_unlock(l);
}

#endif
