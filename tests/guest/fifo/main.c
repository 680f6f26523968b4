/* SPDX-License-Identifier: MIT */
/*
 * FIFO event channels: giving the control block and the event array, events
 * queued in order, priorities before order, masking in the event word, ports
 * beyond the two-level limit, and what is refused. The switch cannot be undone,
 * so this guest does nothing else.
 */
#include "test.h"
#include <xen/event_channel.h>

const char guest_name[] = "fifo";

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define LINK_MASK      ((1u << EVTCHN_FIFO_LINK_BITS) - 1)

static struct evtchn_fifo_control_block control PAGE_ALIGNED;
static event_word_t array[2 * WORDS_PER_PAGE] PAGE_ALIGNED;
static uint32_t heads[EVTCHN_FIFO_MAX_QUEUES];

static bool word_test(uint32_t port, unsigned int bit)
{
	return __atomic_load_n(&array[port], __ATOMIC_SEQ_CST) >> bit & 1;
}

static void word_clear(uint32_t port, unsigned int bit)
{
	__atomic_fetch_and(&array[port], ~(1u << bit), __ATOMIC_SEQ_CST);
}

static void word_set(uint32_t port, unsigned int bit)
{
	__atomic_fetch_or(&array[port], 1u << bit, __ATOMIC_SEQ_CST);
}

/* The next port of a queue, taken off it as event_channel.h describes. */
static uint32_t take(unsigned int priority)
{
	uint32_t port = heads[priority];
	event_word_t old, new;

	if (!port)
		port = control.head[priority];
	if (!port)
		return 0;
	old = __atomic_load_n(&array[port], __ATOMIC_SEQ_CST);
	do
		new = old & ~(1u << EVTCHN_FIFO_LINKED | LINK_MASK);
	while (!__atomic_compare_exchange_n(&array[port], &old, new, false,
					    __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST));
	heads[priority] = old & LINK_MASK;
	if (!heads[priority])
		__atomic_fetch_and(&control.ready, ~(1u << priority),
				   __ATOMIC_SEQ_CST);
	return port;
}

static uint32_t ipi(void)
{
	struct evtchn_bind_ipi i = {.vcpu = 0};

	return event_channel_op(EVTCHNOP_bind_ipi, &i) ? 0 : i.port;
}

static long send(uint32_t port)
{
	struct evtchn_send s = {.port = port};

	return event_channel_op(EVTCHNOP_send, &s);
}

static long priority(uint32_t port, uint32_t p)
{
	struct evtchn_set_priority s = {.port = port, .priority = p};

	return event_channel_op(EVTCHNOP_set_priority, &s);
}

static long init(uint32_t vcpu, uint64_t frame, uint32_t offset)
{
	struct evtchn_init_control c = {
		.control_gfn = frame, .vcpu = vcpu, .offset = offset};

	return event_channel_op(EVTCHNOP_init_control, &c);
}

static long expand(uint64_t frame)
{
	struct evtchn_expand_array e = {.array_gfn = frame};

	return event_channel_op(EVTCHNOP_expand_array, &e);
}

static void set_up(void)
{
	uint64_t frame = frame_of(&control);

	check_rc(expand(frame_of(array)), -XEN_EOPNOTSUPP,
		 "no array before the control block");
	check_rc(init(4000, frame, 0), -XEN_ENOENT, "vCPU 4000");
	check_rc(init(0, frame, 4), -XEN_EINVAL, "an odd offset");
	check_rc(init(0, frame, PAGE_SIZE - 8), -XEN_EINVAL,
		 "a block across the page's end");
	check_rc(init(0, 1ul << 40, 0), -XEN_EINVAL, "a frame beyond memory");
	check_rc(init(0, frame, 0), 0, "init_control");
	check_rc(expand(1ul << 40), -XEN_EINVAL, "an array beyond memory");
	check_rc(expand(frame_of(array)), 0, "expand_array");
	check_rc(expand(frame_of(array) + 1), 0, "a second page");
}

static void order(uint32_t a, uint32_t b, uint32_t c)
{
	check_rc(send(b), 0, "send the second port");
	check_rc(send(a), 0, "then the first");
	check_rc(send(c), 0, "then the third");
	check_rc(send(b), 0, "and the second again");
	check(control.ready == 1u << EVTCHN_FIFO_PRIORITY_DEFAULT,
	      "the default queue is ready (%x)", control.ready);
	check(word_test(a, EVTCHN_FIFO_PENDING), "a port is pending");
	check(word_test(a, EVTCHN_FIFO_LINKED), "and linked");
	check(take(7) == b && take(7) == a && take(7) == c,
	      "they come in the order of sending, each once");
	check(take(7) == 0 || heads[7] == 0, "and nothing more");
	word_clear(a, EVTCHN_FIFO_PENDING);
	word_clear(b, EVTCHN_FIFO_PENDING);
	word_clear(c, EVTCHN_FIFO_PENDING);
}

static void priorities(uint32_t low, uint32_t high)
{
	check_rc(priority(high, EVTCHN_FIFO_PRIORITY_MAX), 0, "set_priority");
	check_rc(priority(low, EVTCHN_FIFO_PRIORITY_MIN), 0, "the least");
	check_rc(priority(low, EVTCHN_FIFO_MAX_QUEUES), -XEN_EINVAL,
		 "priority 16");
	check_rc(send(low), 0, "send the low one");
	check_rc(send(high), 0, "send the high one");
	check(control.ready == (1u << EVTCHN_FIFO_PRIORITY_MAX |
				1u << EVTCHN_FIFO_PRIORITY_MIN),
	      "two queues are ready (%x)", control.ready);
	heads[0] = heads[15] = 0;
	check(take(0) == high && take(15) == low, "each in its own queue");
	word_clear(low, EVTCHN_FIFO_PENDING);
	word_clear(high, EVTCHN_FIFO_PENDING);
}

static void masks(uint32_t port)
{
	struct evtchn_unmask u = {.port = port};

	word_set(port, EVTCHN_FIFO_MASKED);
	check_rc(send(port), 0, "send to a masked port");
	check(word_test(port, EVTCHN_FIFO_PENDING), "it is pending");
	check(!word_test(port, EVTCHN_FIFO_LINKED), "but not linked");
	check_rc(event_channel_op(EVTCHNOP_unmask, &u), 0, "unmask");
	check(!word_test(port, EVTCHN_FIFO_MASKED), "the mask is off");
	check(word_test(port, EVTCHN_FIFO_LINKED), "now it is linked");
	heads[7] = 0;
	check(take(7) == port, "and comes");
	word_clear(port, EVTCHN_FIFO_PENDING);
}

/* More ports than the two-level kind has. */
static void many(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF,
					 .remote_dom = DOMID_SELF};
	unsigned int n = 0;
	long rc = 0;

	while (n < 3000 && !rc) {
		rc = event_channel_op(EVTCHNOP_alloc_unbound, &a);
		n += !rc;
	}
	note("%u ports, the last is %u (%ld)", n, a.port, rc);
	check(a.port >= WORDS_PER_PAGE || rc == -XEN_ENOSPC,
	      "ports reach into the second page, or the domain's limit");
}

void guest_main(void)
{
	uint32_t a, b, c;

	if (!check_rc(event_init(), 0, "shared page and upcall vector"))
		return;
	set_up();
	a = ipi();
	b = ipi();
	c = ipi();
	if (!check(a && b && c, "three ports"))
		return;
	order(a, b, c);
	masks(c);
	priorities(a, b);
	many();
}
