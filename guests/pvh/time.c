/* SPDX-License-Identifier: MIT */
/* The paravirtual clock of CPU 0, read as xen.h describes it. */
#include "guest.h"

uint64_t system_time(void)
{
	volatile struct vcpu_time_info *t = &vcpu_info(0)->time;
	uint32_t version, mul;
	uint64_t stamp, base, delta;
	int8_t shift;

	do {
		version = t->version;
		barrier();
		stamp = t->tsc_timestamp;
		base = t->system_time;
		mul = t->tsc_to_system_mul;
		shift = t->tsc_shift;
		delta = rdtsc() - stamp;
		barrier();
	} while ((version & 1) || version != t->version);
	delta = shift < 0 ? delta >> -shift : delta << shift;
	return base + (uint64_t)(((unsigned __int128)delta * mul) >> 32);
}
