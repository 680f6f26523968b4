/* SPDX-License-Identifier: MIT */
/* Formatting, as much as verdicts need, and the line-wise way out. */
#include "guest.h"

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_number(struct out *o, unsigned long long v, unsigned int base,
		       bool negative, unsigned int width, char pad)
{
	char digits[24];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	if (negative && pad == '0')
		put(o, '-');
	for (unsigned int i = n + negative; i < width; i++)
		put(o, pad);
	if (negative && pad != '0')
		put(o, '-');
	while (n)
		put(o, digits[--n]);
}

static void put_string(struct out *o, const char *s, unsigned int width)
{
	size_t n = strlen(s);

	for (const char *p = s; *p; p++)
		put(o, *p);
	for (; n < width; n++)
		put(o, ' ');
}

static long long next_int(va_list *ap, unsigned int longs, bool is_signed)
{
	if (longs)
		return va_arg(*ap, long long);
	return is_signed ? va_arg(*ap, int)
			 : (long long)va_arg(*ap, unsigned int);
}

/* One conversion; fmt stands behind its '%'. Returns where the text goes on. */
static const char *convert(struct out *o, const char *fmt, va_list *ap)
{
	unsigned int width = 0, longs = 0;
	char pad = *fmt == '0' ? '0' : ' ';
	long long v;

	if (*fmt == '-')
		fmt++; /* strings are always left-aligned */
	for (; *fmt >= '0' && *fmt <= '9'; fmt++)
		width = width * 10 + (unsigned int)(*fmt - '0');
	for (; *fmt == 'l'; fmt++)
		longs++;
	switch (*fmt) {
	case 's':
		put_string(o, va_arg(*ap, const char *), width);
		break;
	case 'c':
		put(o, (char)va_arg(*ap, int));
		break;
	case 'd':
		v = next_int(ap, longs, true);
		put_number(o,
			   v < 0 ? 0 - (unsigned long long)v
				 : (unsigned long long)v,
			   10, v < 0, width, pad);
		break;
	case 'u':
	case 'x':
		v = next_int(ap, longs, false);
		put_number(o, (unsigned long long)v, *fmt == 'u' ? 10 : 16,
			   false, width, pad);
		break;
	case 'p':
		put_string(o, "0x", 0);
		put_number(o, (unsigned long)va_arg(*ap, void *), 16, false, 0,
			   ' ');
		break;
	default:
		put(o, *fmt);
	}
	return *fmt ? fmt + 1 : fmt;
}

int vsnprint(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {buf, size, 0};
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		if (*fmt != '%')
			put(&o, *fmt++);
		else
			fmt = convert(&o, fmt + 1, &args);
	}
	va_end(args);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

void print(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprint(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n >= (int)sizeof(line))
		n = sizeof(line) - 1;
	console_write(line, (size_t)n);
}
