/* SPDX-License-Identifier: MIT */
/* The counters of hypercalls, for tools. */
#include "hypercall/table.h"

#include "hypercall/hypercall.h"
#include "lib/printf.h"
#include "trace/perf.h"

static void name(unsigned int i, char *buf, size_t size)
{
	const struct hypercall_op *op = &hypercall_ops[i];

	snprintf(buf, size, op->is_command ? "hypercall %s %s" : "hypercall %s",
		 op->call, op->name);
}

static struct perf_source source = {
	.name = name,
	.value = hypercall_count,
	.reset = hypercall_counts_reset,
};

void hypercall_init(void)
{
	source.nr = nr_hypercall_ops;
	perf_register(&source);
}
