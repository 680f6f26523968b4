/* SPDX-License-Identifier: MIT */
/*
 * Messages: the ring, the thresholds of loglvl= and guest_loglvl=, and the
 * output devices of console=. Before console_init() everything only goes to
 * the ring, and is shown then.
 */
#include "console/printk.h"
#include "console/console.h"
#include "console/screen.h"
#include "console/serial.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/param.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "lib/x86.h"

#define RING_SIZE 32768 /* a power of two */
#define PREFIX    "(XEN) "

/* Levels: 0 error … 3 debug. Below `always` a message is shown, from `never`
 * on it is not, between the two it is rate limited. */
struct threshold {
	unsigned int always, never;
};
static struct threshold threshold_own = {2, 2}, threshold_guest = {0, 2};

static struct {
	spinlock_t lock;
	char ring[RING_SIZE];
	uint32_t written, start; /* free-running; start: after a clear */
	char line[1024];
	bool in_line; /* the last message did not end its line */
	bool show;    /* … and is shown */
	bool com1, e9, vga, open;
} con = {.lock = SPINLOCK_INIT(LOCK_CONSOLE), .com1 = true, .vga = true};

s_time_t (*console_clock)(void);

static int parse_console(const struct param *p, const char *value)
{
	(void)p;
	if (!value)
		return -EINVAL;
	con.com1 = con.e9 = con.vga = false;
	while (*value) {
		const char *comma = strchr(value, ',');
		size_t n = comma ? (size_t)(comma - value) : strlen(value);

		if (word_is(value, n, "com1"))
			con.com1 = true;
		else if (word_is(value, n, "e9"))
			con.e9 = true;
		else if (word_is(value, n, "vga"))
			con.vga = true;
		else if (!word_is(value, n, "none"))
			return -EINVAL;
		value += n + (comma != NULL);
	}
	return 0;
}
PARAM_CUSTOM("console", parse_console,
	     "where messages go: com1, vga, e9, none");

static bool level_number(const char *s, size_t n, unsigned int *level)
{
	static const char *const names[] = {"none", "error", "warning", "info",
					    "debug"};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == n && strncmp(s, names[i], n) == 0) {
			*level = i;
			return true;
		}
	*level = ARRAY_SIZE(names) - 1;
	return n == 3 && strncmp(s, "all", 3) == 0;
}

/* "level", or "always/never" */
static int parse_threshold(struct threshold *t, const char *value)
{
	struct threshold new;
	const char *slash;
	size_t n;

	if (!value)
		return -EINVAL;
	slash = strchr(value, '/');
	n = slash ? (size_t)(slash - value) : strlen(value);
	if (!level_number(value, n, &new.always))
		return -EINVAL;
	new.never = new.always;
	if (slash && !level_number(slash + 1, strlen(slash + 1), &new.never))
		return -EINVAL;
	if (new.never < new.always)
		return -EINVAL;
	*t = new;
	return 0;
}

static int parse_loglvl(const struct param *p, const char *value)
{
	(void)p;
	return parse_threshold(&threshold_own, value);
}
PARAM_CUSTOM("loglvl", parse_loglvl, "which messages are shown");

static int parse_guest_loglvl(const struct param *p, const char *value)
{
	(void)p;
	return parse_threshold(&threshold_guest, value);
}
PARAM_CUSTOM("guest_loglvl", parse_guest_loglvl,
	     "which messages about guests are shown");

static void emit_device(char c)
{
	if (con.com1)
		serial_putc(c);
	if (con.e9)
		outb(0xe9, (uint8_t)c);
	screen_putc(c);
}

static void emit(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		con.ring[con.written++ % RING_SIZE] = s[i];
		if (con.open)
			emit_device(s[i]);
	}
}

/*
 * Ten messages at once, then one every half second; what was left out is
 * counted. Without a clock nothing is left out.
 */
static bool rate_allows(void)
{
	static unsigned int tokens = 10, missed;
	static s_time_t last;
	s_time_t t = console_clock ? console_clock() : 0, gained;
	char note[64];

	if (!console_clock)
		return true;
	gained = (t - last) / 500000000;
	if (gained > 0) {
		tokens = gained > 10 ? 10 : min(10U, tokens + (int)gained);
		last = t;
	}
	if (!tokens) {
		missed++;
		return false;
	}
	tokens--;
	if (missed) {
		int n = snprintf(note, sizeof(note),
				 PREFIX "%u messages were left out\n", missed);

		missed = 0;
		emit(note, n);
	}
	return true;
}

/* Takes "<G>" and "<n>" off a line's beginning; whether the line is shown. */
static bool admit(const char **line)
{
	const struct threshold *t = &threshold_own;
	unsigned int level = 0;
	bool guest = false, given = false;

	for (; (*line)[0] == '<' && (*line)[1] && (*line)[2] == '>';
	     *line += 3) {
		char c = (*line)[1];

		if (c == 'G') {
			guest = true;
		} else if (c >= '0' && c <= '3') {
			level = c - '0';
			given = true;
		} else {
			break;
		}
	}
	if (guest) {
		t = &threshold_guest;
		if (!given)
			level = 1;
	} else if (!given) {
		return true;
	}
	return level < t->always || (level < t->never && rate_allows());
}

static void emit_text(const char *s)
{
	while (*s) {
		const char *end;
		size_t n;

		if (!con.in_line) {
			con.show = admit(&s);
			if (con.show)
				emit(PREFIX, strlen(PREFIX));
		}
		end = strchr(s, '\n');
		n = end ? (size_t)(end - s) + 1 : strlen(s);
		if (con.show)
			emit(s, n);
		con.in_line = !end;
		s += n;
	}
}

void printk(const char *fmt, ...)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);
	va_list args;

	va_start(args, fmt);
	vsnprintf(con.line, sizeof(con.line), fmt, args);
	va_end(args);
	emit_text(con.line);
	spin_unlock_irqrestore(&con.lock, flags);
}

bool printk_guest_wanted(unsigned int level)
{
	return level < threshold_guest.never;
}

void console_write(const char *text, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);

	for (size_t i = 0; i < n; i++)
		emit_device(text[i]);
	spin_unlock_irqrestore(&con.lock, flags);
}

/* What there is so far, on a device that comes later. */
static void show_ring(void (*put)(char c))
{
	uint32_t from = con.written > RING_SIZE ? con.written - RING_SIZE : 0;

	for (; from != con.written; from++)
		put(con.ring[from % RING_SIZE]);
}

void console_init(void)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);

	if (con.com1 && !serial_init())
		con.com1 = false;
	show_ring(emit_device);
	con.open = true;
	spin_unlock_irqrestore(&con.lock, flags);
}

void console_init_screen(void)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);

	if (con.vga && screen_open())
		show_ring(screen_putc);
	spin_unlock_irqrestore(&con.lock, flags);
}

void console_release_screen(void)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);

	if (screen_is_borrowed())
		emit_text("The screen is left to domain 0\n");
	screen_release();
	spin_unlock_irqrestore(&con.lock, flags);
}

void console_force_unlock(void)
{
	spin_lock_init(&con.lock, LOCK_CONSOLE);
	con.in_line = false;
	con.open = true;
}

/* The oldest index that the ring still holds. */
static uint32_t oldest(void)
{
	if (con.written - con.start > RING_SIZE)
		return con.written - RING_SIZE;
	return con.start;
}

size_t console_ring_read(uint32_t *index, char *dst, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);
	size_t got = 0;

	if (con.written - *index > con.written - oldest())
		*index = oldest();
	while (got < n && *index != con.written)
		dst[got++] = con.ring[(*index)++ % RING_SIZE];
	spin_unlock_irqrestore(&con.lock, flags);
	return got;
}

uint32_t console_ring_start(void)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);
	uint32_t start = oldest();

	spin_unlock_irqrestore(&con.lock, flags);
	return start;
}

void console_ring_clear(uint32_t index)
{
	unsigned long flags = spin_lock_irqsave(&con.lock);

	if (index - oldest() <= con.written - oldest())
		con.start = index;
	spin_unlock_irqrestore(&con.lock, flags);
}
