/* SPDX-License-Identifier: MIT */
/* A domain's FIFO event channels: the guest's pages and our side of them. */
#ifndef OSTLER_EVENT_FIFO_H
#define OSTLER_EVENT_FIFO_H

#include "event/table.h"

#define FIFO_WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define FIFO_MAX_PAGES      (EVTCHN_FIFO_NR_CHANNELS / FIFO_WORDS_PER_PAGE)

/* One priority of one vCPU. The guest takes ports off at its head, we add at
 * the tail; only we know where that is. */
struct fifo_queue {
	spinlock_t lock; /* LOCK_EVENT_QUEUE */
	uint32_t *head;  /* in the control block */
	uint32_t tail;
	uint8_t priority;
};

struct fifo_vcpu {
	struct evtchn_fifo_control_block *control; /* NULL: not given yet */
	struct fifo_queue queue[EVTCHN_FIFO_MAX_QUEUES];
};

struct fifo {
	uint32_t words; /* ports that have a word: only grows */
	event_word_t *page[FIFO_MAX_PAGES];
	struct fifo_vcpu *vcpu[MAX_VCPUS];
};

/* The port's word, NULL if the guest has not given that page. */
static inline event_word_t *fifo_word(const struct fifo *f, uint32_t n)
{
	uint32_t words = atomic_read(&f->words);

	if (n >= words)
		return NULL;
	n = (uint32_t)index_nospec(n, words);
	return f->page[n / FIFO_WORDS_PER_PAGE] + n % FIFO_WORDS_PER_PAGE;
}

#endif
