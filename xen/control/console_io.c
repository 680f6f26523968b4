/* SPDX-License-Identifier: MIT */
/*
 * console_io: dom0's console as it is; other domains' lines, which anybody may
 * write, with their number before them and as guest_loglvl= allows.
 */
#include "control/control.h"

#include "console/console.h"
#include "console/printk.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "lib/errno.h"

#define CHUNK 128

static void write_guest(struct domain *d, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c != '\n' && (c < ' ' || c > '~') && c != '\t')
			continue;
		if (c != '\n')
			d->console_line[d->console_fill++] = c;
		if (c == '\n' || d->console_fill == sizeof(d->console_line)) {
			printk(XENLOG_GUEST XENLOG_INFO "(d%u) %.*s\n", d->id,
			       (int)d->console_fill, d->console_line);
			d->console_fill = 0;
		}
	}
}

void guest_console_write(struct domain *d, const char *s, size_t n)
{
	if (d->privileged) {
		console_write(s, n);
		return;
	}
	spin_lock(&d->lock);
	write_guest(d, s, n);
	spin_unlock(&d->lock);
}

static long console_out(struct vcpu *v, uint64_t count, uint64_t va)
{
	struct domain *d = v->domain;
	char buf[CHUNK];

	while (count) {
		size_t n = min(count, (uint64_t)sizeof(buf));

		if (copy_from_guest(buf, va, n))
			return -EFAULT;
		guest_console_write(d, buf, n);
		count -= n;
		va += n;
		if (count && hypercall_must_yield()) {
			hypercall_set_arg(v, 1, count);
			hypercall_set_arg(v, 2, va);
			return -ERESTART;
		}
	}
	return 0;
}

static long console_in(struct vcpu *v, uint64_t count, uint64_t va)
{
	char buf[CHUNK];
	size_t n;

	if (!v->domain->privileged)
		return -EPERM;
	n = console_read(buf, min(count, (uint64_t)sizeof(buf)));
	if (n && copy_to_guest(va, buf, n))
		return -EFAULT;
	return (long)n;
}

long console_io(struct vcpu *v, const uint64_t args[6])
{
	uint64_t count = (uint32_t)args[1];

	if (count > INT32_MAX)
		return -EINVAL;
	switch ((uint32_t)args[0]) {
	case CONSOLEIO_write:
		return console_out(v, count, args[2]);
	case CONSOLEIO_read:
		return console_in(v, count, args[2]);
	}
	return -ENOSYS;
}
