/* SPDX-License-Identifier: MIT */
/*
 * A loop with interrupts off, for ever. The others go on, and the domain can
 * be destroyed.
 */
#include "test.h"

const char guest_name[] = "spin";

void guest_main(void)
{
	note("the loop begins");
	irq_disable();
	for (;;)
		cpu_relax();
}
