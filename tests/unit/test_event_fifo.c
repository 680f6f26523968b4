/* SPDX-License-Identifier: MIT */
/*
 * Event channels with the FIFO layout: its pages come and go, queues by
 * priority, ports that move or are closed while linked, and guests that write
 * nonsense into what they share.
 */
#include "event_world.h"

static void fifo_setup(void)
{
	start();
	CHECK_EQ(expand(d1, 50), -EOPNOTSUPP);
	CHECK_EQ(set_control(d1, 3, 60, 0), -ENOENT);
	CHECK_EQ(set_control(d1, 0, 60, 4), -EINVAL);
	CHECK_EQ(set_control(d1, 0, 60, 4096 - 64), -EINVAL);
	CHECK_EQ(set_control(d1, 0, 200, 0), -EINVAL); /* no such frame */
	for (int i = 0; i < 4; i++) {
		fake_alloc_budget = i;
		CHECK_EQ(set_control(d1, 0, 60, 0), -ENOMEM);
	}
	fake_alloc_budget = -1;
	CHECK_EQ(fake_frame(fake_mfn(d1, 60))->refs, 1);
	CHECK_EQ(set_control(d1, 0, 60, 4096 - 72), 0);
	CHECK_EQ(fake_frame(fake_mfn(d1, 60))->type_refs, 1);
	CHECK_EQ(set_control(d1, 0, 61, 0), -EINVAL);
	CHECK_EQ(set_control(d1, 1, 200, 0), -EINVAL);
	CHECK_EQ(expand(d1, 200), -EINVAL);
	for (int i = 0; i < 128; i++)
		CHECK_EQ(expand(d1, 50), 0);
	CHECK_EQ(expand(d1, 50), -ENOSPC);
	CHECK_EQ(fake_frame(fake_mfn(d1, 50))->refs, 129);
	CHECK_EQ(reset(d1, DOMID_SELF), 0);
	CHECK_EQ(fake_frame(fake_mfn(d1, 50))->refs, 1);
	CHECK_EQ(fake_frame(fake_mfn(d1, 60))->type_refs, 0);
	CHECK_EQ(expand(d1, 50), -EOPNOTSUPP);
	end();
}

static void fifo_queues(void)
{
	struct evtchn_fifo_control_block *c;
	long p[5];

	start();
	fifo(d1);
	c = control(d1, 1);
	for (int i = 0; i < 5; i++)
		p[i] = ipi(d1, 1);
	CHECK_EQ(send(d1, p[0]), 0);
	CHECK_EQ(c->head[7], p[0]);
	CHECK_EQ(c->ready, 1 << 7);
	CHECK_EQ(notified(d1, 1), 1);
	CHECK(d1->vcpu[1]->info->evtchn_upcall_pending);
	CHECK_EQ(send(d1, p[1]), 0);
	CHECK_EQ(send(d1, p[0]), 0); /* still pending */
	CHECK_EQ(send(d1, p[2]), 0);
	CHECK_EQ(notified(d1, 1), 1);
	CHECK_EQ(*word(d1, p[0]) & EVTCHN_FIFO_LINK_MASK, p[1]);
	CHECK_EQ(consume(d1, 1, 7), p[0]);
	CHECK_EQ(consume(d1, 1, 7), p[1]);
	CHECK_EQ(send(d1, p[0]), 0); /* behind p[2] now */
	CHECK_EQ(consume(d1, 1, 7), p[2]);
	CHECK_EQ(consume(d1, 1, 7), p[0]);
	CHECK_EQ(consume(d1, 1, 7), 0);
	/* Masked: pending, but in no queue until it is unmasked. */
	*word(d1, p[3]) |= WORD_MASKED;
	CHECK_EQ(send(d1, p[3]), 0);
	CHECK(event_is_pending(d1, (unsigned int)p[3]));
	CHECK_EQ(c->head[7], 0);
	CHECK_EQ(unmask(d1, p[3]), 0);
	CHECK_EQ(consume(d1, 1, 7), p[3]);
	CHECK_EQ(unmask(d1, p[3]), 0);
	CHECK_EQ(consume(d1, 1, 7), 0);
	/* Priorities are queues of their own. */
	CHECK_EQ(priority(d1, p[4], 16), -EINVAL);
	CHECK_EQ(priority(d1, 40, 1), -EACCES);
	CHECK_EQ(priority(d1, 1 << 20, 1), -EINVAL);
	CHECK_EQ(priority(d1, p[4], 2), 0);
	CHECK_EQ(send(d1, p[0]), 0);
	CHECK_EQ(send(d1, p[4]), 0);
	CHECK_EQ(c->ready, 1 << 7 | 1 << 2);
	CHECK_EQ(consume(d1, 1, 2), p[4]);
	CHECK_EQ(consume(d1, 1, 7), p[0]);
	end();
}

static void fifo_moves(void)
{
	long a, b, c;

	start();
	fifo(d2);
	a = unbound(d1, DOMID_SELF, 2);
	b = interdomain(d2, 1, (uint32_t)a);
	CHECK_EQ(consume(d2, 0, 7), b);
	/* It is the tail of vCPU 0's queue, then it moves to vCPU 2's. */
	CHECK_EQ(to_vcpu(d2, b, 2), 0);
	CHECK_EQ(send(d1, a), 0);
	CHECK_EQ(consume(d2, 0, 7), 0);
	CHECK_EQ(consume(d2, 2, 7), b);
	/* vCPU 0's queue is not confused by what was its tail. */
	c = ipi(d2, 0);
	CHECK_EQ(send(d1, a), 0);
	CHECK_EQ(send(d2, c), 0);
	CHECK_EQ(consume(d2, 0, 7), c);
	CHECK_EQ(consume(d2, 2, 7), b);
	/* A closed port that is still linked is not given out again. */
	CHECK_EQ(send(d2, c), 0);
	CHECK_EQ(close_port(d2, c), 0);
	CHECK(!(*word(d2, c) & WORD_PENDING));
	CHECK(ipi(d2, 0) != c);
	CHECK_EQ(consume(d2, 0, 7), 0); /* not pending: skipped */
	CHECK_EQ(ipi(d2, 0), c);
	end();
}

static void fifo_late(void)
{
	long i, j;

	start();
	i = ipi(d1, 0);
	j = ipi(d1, 1);
	CHECK_EQ(send(d1, i), 0); /* as two-level */
	CHECK_EQ(set_control(d1, 0, 60, 0), 0);
	CHECK_EQ(send(d1, j), 0); /* no page of words yet, no control block */
	CHECK(!event_is_pending(d1, (unsigned int)i));
	CHECK_EQ(unmask(d1, i), 0);
	CHECK_EQ(expand(d1, 50), 0);
	CHECK_EQ(consume(d1, 0, 7), i);
	CHECK_EQ(*word(d1, j), 0); /* lost: the guest had it not unmasked */
	CHECK_EQ(set_control(d1, 1, 61, 0), 0);
	CHECK_EQ(send(d1, j), 0);
	CHECK_EQ(consume(d1, 1, 7), j);
	/* Ports beyond two-level's, on a page that is not there. */
	for (i = 0; i < 1100; i++)
		j = ipi(d1, 0);
	CHECK(j > 1024);
	CHECK_EQ(send(d1, j), 0);
	CHECK_EQ(consume(d1, 0, 7), 0);
	CHECK_EQ(expand(d1, 51), 0);
	CHECK_EQ(consume(d1, 0, 7), j);
	event_dump();
	end();
}

/* A guest may write anything into its words and heads. */
static void fifo_hostile(void)
{
	long p[3];

	start();
	fifo(d1);
	for (int i = 0; i < 3; i++)
		p[i] = ipi(d1, 0);
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		uint32_t *w = word(d1, p[random() % 3]);

		*w = (uint32_t)random() << 1 | (random() & 1);
		if (random() % 8 == 0)
			control(d1, 0)->head[7] = (uint32_t)random();
		CHECK_EQ(send(d1, p[random() % 3]), 0);
		CHECK_EQ(unmask(d1, p[random() % 3]), 0);
	}
	end();
}

static const struct test_case cases[] = {
	{"event: FIFO set-up", fifo_setup},
	{"event: FIFO queues and priorities", fifo_queues},
	{"event: FIFO ports that move", fifo_moves},
	{"event: FIFO pages that come late", fifo_late},
	{"event: FIFO words full of noise", fifo_hostile},
};

int main(void)
{
	return RUN_CASES(cases);
}
