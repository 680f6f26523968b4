/* SPDX-License-Identifier: MIT */
/* Formatted text, see printf.h. Works on the stack alone: panic() uses it. */
#include "lib/printf.h"
#include "lib/string.h"

struct out {
	char *buf;
	size_t size, len;
};

enum { LEFT = 1, ZERO = 2, PLUS = 4, SPACE = 8, ALT = 16, UPPER = 32 };

struct spec {
	unsigned int flags;
	int width, precision; /* precision < 0: none given */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
	size_t n;

	if (!text)
		text = "(null)";
	n = s->precision < 0 ? strlen(text) : strnlen(text, s->precision);
	if (!(s->flags & LEFT))
		pad(o, ' ', s->width - (int)n);
	for (size_t i = 0; i < n; i++)
		put(o, text[i]);
	if (s->flags & LEFT)
		pad(o, ' ', s->width - (int)n);
}

/* sign is the character in front, or 0. */
static void put_number(struct out *o, const struct spec *s, uint64_t v,
		       unsigned int base, char sign)
{
	const char *digits = s->flags & UPPER ? "0123456789ABCDEF"
					      : "0123456789abcdef";
	const char *prefix = "";
	char rev[24];
	int n = 0, zeros, total;

	if ((s->flags & ALT) && base == 16 && v)
		prefix = s->flags & UPPER ? "0X" : "0x";
	else if ((s->flags & ALT) && base == 8 && v)
		prefix = "0";
	for (; v; v /= base)
		rev[n++] = digits[v % base];
	if (!n && s->precision)
		rev[n++] = '0';
	zeros = max(s->precision - n, 0);
	total = n + zeros + (int)strlen(prefix) + (sign != 0);
	if ((s->flags & (ZERO | LEFT)) == ZERO && s->precision < 0) {
		zeros += max(s->width - total, 0);
		total = max(total, s->width);
	}

	if (!(s->flags & LEFT))
		pad(o, ' ', s->width - total);
	if (sign)
		put(o, sign);
	while (*prefix)
		put(o, *prefix++);
	pad(o, '0', zeros);
	while (n)
		put(o, rev[--n]);
	if (s->flags & LEFT)
		pad(o, ' ', s->width - total);
}

static const char *parse_flags(const char *f, struct spec *s)
{
	static const char names[] = "-0+ #";
	const char *hit;

	for (s->flags = 0; *f && (hit = strchr(names, *f)); f++)
		s->flags |= 1U << (hit - names);
	return f;
}

static const char *parse_int(const char *f, int *v)
{
	for (*v = 0; *f >= '0' && *f <= '9'; f++)
		*v = *v * 10 + (*f - '0');
	return f;
}

/* The length modifier as a size in bytes. */
static const char *parse_length(const char *f, size_t *size)
{
	*size = sizeof(int);
	if (f[0] == 'h' && f[1] == 'h') {
		*size = 1;
		return f + 2;
	}
	if (f[0] == 'l' && f[1] == 'l') {
		*size = 8;
		return f + 2;
	}
	switch (*f) {
	case 'h':
		*size = 2;
		return f + 1;
	case 'l':
	case 'z':
	case 't':
	case 'j':
		*size = 8;
		return f + 1;
	default:
		return f;
	}
}

/* A va_list is an array in the ABI; in a struct it goes by reference. */
struct args {
	va_list ap;
};

static int64_t next_signed(struct args *a, size_t size)
{
	if (size == 8)
		return va_arg(a->ap, int64_t);
	switch (size) {
	case 1:
		return (signed char)va_arg(a->ap, int);
	case 2:
		return (short)va_arg(a->ap, int);
	default:
		return va_arg(a->ap, int);
	}
}

static uint64_t next_unsigned(struct args *a, size_t size)
{
	uint64_t v;

	if (size == 8)
		return va_arg(a->ap, uint64_t);
	v = va_arg(a->ap, unsigned int);
	return size == 4 ? v : v & ((1UL << size * 8) - 1);
}

static void put_signed(struct out *o, const struct spec *s, int64_t v)
{
	char sign = v < 0              ? '-'
		    : s->flags & PLUS  ? '+'
		    : s->flags & SPACE ? ' '
				       : 0;

	put_number(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, sign);
}

static void put_char(struct out *o, struct spec *s, char c)
{
	char text[2] = {c, 0};

	s->precision = -1;
	put_text(o, s, text);
}

/* One conversion; f points behind '%'. */
static const char *convert(struct out *o, const char *f, struct args *a)
{
	struct spec s;
	size_t size;

	f = parse_flags(f, &s);
	s.precision = -1;
	if (*f == '*') {
		s.width = va_arg(a->ap, int);
		f++;
		if (s.width < 0) {
			s.width = -s.width;
			s.flags |= LEFT;
		}
	} else {
		f = parse_int(f, &s.width);
	}
	if (*f == '.') {
		f++;
		if (*f == '*') {
			s.precision = va_arg(a->ap, int);
			f++;
		} else {
			f = parse_int(f, &s.precision);
		}
	}
	f = parse_length(f, &size);
	switch (*f) {
	case 'd':
	case 'i':
		put_signed(o, &s, next_signed(a, size));
		break;
	case 'u':
		put_number(o, &s, next_unsigned(a, size), 10, 0);
		break;
	case 'o':
		put_number(o, &s, next_unsigned(a, size), 8, 0);
		break;
	case 'X':
		s.flags |= UPPER;
		/* fall through */
	case 'x':
		put_number(o, &s, next_unsigned(a, size), 16, 0);
		break;
	case 'p':
		s.precision = 16;
		put_number(o, &s, (uintptr_t)va_arg(a->ap, void *), 16, 0);
		break;
	case 's':
		put_text(o, &s, va_arg(a->ap, const char *));
		break;
	case 'c':
		put_char(o, &s, (char)va_arg(a->ap, int));
		break;
	case '%':
		put(o, '%');
		break;
	case '\0':
		return f;
	default: /* not known: shown as it stands */
		put(o, '%');
		put(o, *f);
	}
	return f + 1;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {.buf = buf, .size = size};
	struct args a;

	va_copy(a.ap, args);
	while (*fmt) {
		if (*fmt == '%')
			fmt = convert(&o, fmt + 1, &a);
		else
			put(&o, *fmt++);
	}
	va_end(a.ap);
	if (size)
		buf[min(o.len, size - 1)] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}
