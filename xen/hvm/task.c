/* SPDX-License-Identifier: MIT */
/* Task switches, which no processor does for a guest: emulate/task.c does. */
#include "hvm/portio.h"

enum verdict hvm_task_switch(struct vcpu *v, const struct vmexit *x)
{
	struct emu_task task = {
		.how = (enum emu_task_how)x->task.how,
		.sel = x->task.sel,
		.external = x->task.external,
		.has_error = x->task.has_error,
		.error = x->task.error,
		.next = v->regs.rip,
	};
	uint64_t rip = v->regs.rip;

	/* The old task goes on after it; but a fault is at it. */
	if (x->task.skip) {
		if (!hvm_ops->skip(v, x)) {
			hvm_inject_gp(v);
			return VERDICT_RESUME;
		}
		task.next = v->regs.rip;
		v->regs.rip = rip;
	}
	return hvm_emulate_task(v, &task) == EMULATE_UNKNOWN ? VERDICT_CRASH
							     : VERDICT_RESUME;
}
