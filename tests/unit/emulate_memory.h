/* SPDX-License-Identifier: MIT */
/* What the emulator asks of memory, for a test that has put mem() before it. */
#ifndef OSTLER_TESTS_UNIT_EMULATE_MEMORY_H
#define OSTLER_TESTS_UNIT_EMULATE_MEMORY_H

static bool mem_read(void *ctx, uint64_t addr, unsigned int size, uint64_t *val)
{
	(void)ctx;
	*val = 0;
	return mem(addr, size, val, false);
}
static bool mem_write(void *ctx, uint64_t addr, unsigned int size, uint64_t val)
{
	(void)ctx;
	return mem(addr, size, &val, true);
}

#endif
