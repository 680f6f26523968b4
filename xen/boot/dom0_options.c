/* SPDX-License-Identifier: MIT */
/*
 * dom0's options: dom0=, dom0_mem=, dom0_max_vcpus=, in Xen's syntax.
 */
#include "boot/dom0.h"

#include "console/printk.h"
#include "cpu/cpu.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "lib/string.h"
#include "mem/layout.h"

uint32_t dom0_max_vcpus;

/* An amount: bytes, or so much less than there is, or a percentage. */
struct amount {
	enum { UNSET, BYTES, ALL_BUT, PERCENT } how;
	uint64_t value;
};
static struct dom0_mem {
	struct amount size, min, max;
} dom0_mem;
static enum { BY_MACHINE, WANT_PV, WANT_PVH } want;

static int __init parse_amount(const char *s, struct amount *a,
			       const char **end)
{
	bool negative = *s == '-';

	if (negative)
		s++;
	if (!parse_number(s, &a->value, end))
		return -EINVAL;
	if (**end == '%') {
		if (negative || a->value > 100)
			return -EINVAL;
		a->how = PERCENT;
		(*end)++;
		return 0;
	}
	if (!parse_size(s, &a->value, end))
		return -EINVAL;
	a->how = negative ? ALL_BUT : BYTES;
	return 0;
}

/* [size][,min:size][,max:size]; with '+', size and percentage together are
 * Xen's, but nobody's here. */
static int __init parse_dom0_mem(const struct param *p __maybe_unused,
				 const char *value)
{
	struct dom0_mem mem = dom0_mem;
	const char *s = value;

	if (!s || !*s)
		return -EINVAL;
	for (;;) {
		struct amount *a = &mem.size;
		int rc;

		if (!strncmp(s, "min:", 4)) {
			a = &mem.min;
			s += 4;
		} else if (!strncmp(s, "max:", 4)) {
			a = &mem.max;
			s += 4;
		}
		rc = parse_amount(s, a, &s);
		if (rc)
			return rc;
		if (!*s)
			break;
		if (*s++ != ',')
			return -EINVAL;
	}
	dom0_mem = mem;
	return 0;
}
PARAM_CUSTOM("dom0_mem", parse_dom0_mem,
	     "dom0's memory: SIZE,min:SIZE,max:SIZE");

/* N or MIN-MAX. */
static int __init parse_max_vcpus(const struct param *p __maybe_unused,
				  const char *value)
{
	uint64_t n;

	if (!value || !parse_number(value, &n, &value))
		return -EINVAL;
	if (*value == '-' && !parse_number(value + 1, &n, &value))
		return -EINVAL;
	if (*value || !n || n > MAX_VCPUS)
		return -EINVAL;
	dom0_max_vcpus = (uint32_t)n;
	return 0;
}
PARAM_CUSTOM("dom0_max_vcpus", parse_max_vcpus, "dom0's vCPUs");

static int __init parse_dom0(const struct param *p __maybe_unused,
			     const char *value)
{
	while (value && *value) {
		size_t n = 0;

		while (value[n] && value[n] != ',')
			n++;
		if (word_is(value, n, "pvh"))
			want = WANT_PVH;
		else if (word_is(value, n, "pv"))
			want = WANT_PV;
		else if (!word_is(value, n, "verbose") &&
			 !word_is(value, n, "shadow=0"))
			return -EINVAL;
		value += n;
		if (*value == ',')
			value++;
	}
	return value ? 0 : -EINVAL;
}
PARAM_CUSTOM("dom0", parse_dom0, "dom0's kind: pvh or pv");

bool __init dom0_wants_pv(void)
{
	return want == BY_MACHINE ? !domain_kind_hvm : want == WANT_PV;
}

static uint64_t __init pages_of(const struct amount *a, uint64_t available,
				uint64_t otherwise)
{
	uint64_t n = a->value >> PAGE_SHIFT;

	switch (a->how) {
	case BYTES:
		return n;
	case ALL_BUT:
		return available > n ? available - n : 0;
	case PERCENT:
		return available * a->value / 100;
	case UNSET:
		break;
	}
	return otherwise;
}

/* Unless told otherwise, dom0 gets all but a sixteenth, at most 128 MiB, which
 * stays for the hypervisor's own needs. */
uint64_t __init dom0_pages(uint64_t available)
{
	uint64_t keep = min(available / 16, 128UL << (20 - PAGE_SHIFT));
	uint64_t n = pages_of(&dom0_mem.size, available, available - keep);
	uint64_t lo = pages_of(&dom0_mem.min, available, 0);
	uint64_t hi = pages_of(&dom0_mem.max, available, ~0UL);

	n = max(n, lo);
	n = min(n, hi);
	return min(n, available);
}
