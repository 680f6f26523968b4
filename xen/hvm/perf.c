/* SPDX-License-Identifier: MIT */
/* How often each kind of exit came, in all living domains together: counters
 * for tools. */
#include "hvm/kind.h"

#include "hvm/hvm.h"
#include "lib/printf.h"
#include "trace/perf.h"

static void name(unsigned int i, char *buf, size_t size)
{
	snprintf(buf, size, "exit %s", hvm_exit_name(i));
}

/* Calls fn for every vCPU in a hardware container. */
static void for_each_container(void (*fn)(uint64_t *exits, unsigned int i,
					  uint64_t *sum),
			       unsigned int i, uint64_t *sum)
{
	struct domain *d;

	for (unsigned int id = 0; (d = next_domain(id)) != NULL; id++) {
		struct vcpu *v;

		id = d->id;
		if (d->kind == domain_kind_hvm)
			for_each_vcpu(d, v)
				fn(hvm_vcpu(v)->exits, i, sum);
		put_domain(d);
	}
}

static void add(uint64_t *exits, unsigned int i, uint64_t *sum)
{
	*sum += READ_ONCE(exits[i]);
}

static void clear(uint64_t *exits, unsigned int i, uint64_t *sum)
{
	(void)sum;
	WRITE_ONCE(exits[i], 0);
}

static uint64_t value(unsigned int i)
{
	uint64_t sum = 0;

	for_each_container(add, i, &sum);
	return sum;
}

static void reset(void)
{
	for (unsigned int i = 0; i < VMEXIT_KINDS; i++)
		for_each_container(clear, i, NULL);
}

static struct perf_source source = {
	.nr = VMEXIT_KINDS,
	.name = name,
	.value = value,
	.reset = reset,
};

void hvm_perf_init(void)
{
	perf_register(&source);
}
