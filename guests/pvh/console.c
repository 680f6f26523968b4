/* SPDX-License-Identifier: MIT */
/*
 * Output: dom0 writes to the hypervisor's console, a domU to the ring that
 * xenconsoled reads. Writing waits for room, since a verdict must not be lost.
 */
#include "guest.h"
#include "hypercall.h"
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/sched.h>

static struct xencons_interface *ring;
static uint32_t ring_port;

void console_init(void)
{
	if (!is_dom0)
		ring = console_find(&ring_port);
}

static void ring_write(const char *s, size_t n)
{
	struct evtchn_send send = {.port = ring_port};
	volatile XENCONS_RING_IDX *cons = &ring->out_cons;

	while (n) {
		XENCONS_RING_IDX prod = ring->out_prod;

		while (n && prod - *cons < sizeof(ring->out)) {
			ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *s++;
			prod++;
			n--;
		}
		barrier();
		ring->out_prod = prod;
		event_channel_op(EVTCHNOP_send, &send);
		if (n)
			sched_op(SCHEDOP_yield, NULL);
	}
}

void console_write(const char *s, size_t n)
{
	if (ring)
		ring_write(s, n);
	else if (is_dom0)
		console_io(CONSOLEIO_write, n, s);
	else
		for (; n; n--)
			outb(0xe9, (uint8_t)*s++);
}
