/* SPDX-License-Identifier: MIT */
/* Exceptions that we raise for a guest. */
#include "hvm/hvm.h"

#include "cpu/traps.h"

void hvm_inject_gp(struct vcpu *v)
{
	hvm_ops->inject_exception(v, TRAP_GP, true, 0);
}

void hvm_inject_ud(struct vcpu *v)
{
	hvm_ops->inject_exception(v, 6, false, 0);
}

/* AMD APM Vol. 2, "Double-Fault Exception"; Intel SDM Vol. 3, "Interrupt 8":
 * which pairs make one. */
static bool is_contributory(uint8_t vector)
{
	return vector == 0 || (vector >= 10 && vector <= 13);
}

bool hvm_makes_double_fault(uint8_t first, uint8_t second)
{
	if (first == TRAP_PF)
		return second == TRAP_PF || is_contributory(second);
	return is_contributory(first) && is_contributory(second);
}
