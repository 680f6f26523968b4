/* SPDX-License-Identifier: MIT */
/* Console input: dom0's characters, and the switch to our own keys. */
#include "console/console.h"
#include "console/printk.h"
#include "lib/lock.h"

#define SWITCH_KEY   '\001' /* Ctrl-A */
#define SWITCH_COUNT 3

void (*console_input_notify)(void);
void (*console_key)(char c);

static struct {
	spinlock_t lock;
	char buf[128];
	uint32_t head, tail; /* written at tail */
	unsigned int switch_keys;
	bool ours;
} input = {.lock = SPINLOCK_INIT(LOCK_CONSOLE)};

/* True if c was part of a switch and is used up. */
static bool count_switch_keys(char c)
{
	if (c != SWITCH_KEY) {
		input.switch_keys = 0;
		return false;
	}
	if (++input.switch_keys < SWITCH_COUNT)
		return false; /* a single Ctrl-A is dom0's */
	input.switch_keys = 0;
	input.ours = !input.ours;
	printk("*** Serial input to %s (type 'CTRL-a' three times to switch "
	       "input)\n",
	       input.ours ? "Xen" : "DOM0");
	return true;
}

void console_receive(char c)
{
	if (count_switch_keys(c))
		return;
	if (input.ours) {
		if (console_key && c != SWITCH_KEY)
			console_key(c);
		return;
	}
	spin_lock(&input.lock);
	if (input.tail - input.head < sizeof(input.buf))
		input.buf[input.tail++ % sizeof(input.buf)] = c;
	spin_unlock(&input.lock);
	if (console_input_notify)
		console_input_notify();
}

size_t console_read(char *dst, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&input.lock);
	size_t got = 0;

	while (got < n && input.head != input.tail)
		dst[got++] = input.buf[input.head++ % sizeof(input.buf)];
	spin_unlock_irqrestore(&input.lock, flags);
	return got;
}
