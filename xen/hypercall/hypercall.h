/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls. hypercall/table.def is the one list: numbers, names,
 * sub-operations, argument types, directions, who may call. Handlers live with
 * their subsystem and see plain structs:
 *
 *     long evtchn_send(struct vcpu *v, struct evtchn_send *op);
 *
 * v is the caller. The dispatcher checked the caller's right, copied op in, and
 * copies it out if the table says so and the result is not negative (OUT_ALWAYS
 * also then). What a handler returns goes to the guest, but -ERESTART: the
 * hypercall is executed again with op as the handler left it (progress must be
 * recorded there: it is copied out), after softirqs ran. Handlers of arrays
 * (memory_op extents, grant operations) use copy_*_guest() themselves, and
 * hypercall_continue() where progress is in the registers.
 */
#ifndef OSTLER_HYPERCALL_HYPERCALL_H
#define OSTLER_HYPERCALL_HYPERCALL_H

#include "domain/domain.h"
#include "lib/errno.h"

/* At boot: its counters become readable. */
void hypercall_init(void);

/* Runs the hypercall that v's registers describe; sets rax. Its arguments are
 * 64 bits wide, or less; 0: the guest's user mode asks, which is -EPERM. */
void hypercall_dispatch(struct vcpu *v, unsigned int bits);
/* Call nr with arguments that are 64 bits wide: its result, or -ERESTART: it is
 * to be made again. */
long hypercall_call64(struct vcpu *v, const uint64_t args[6], uint64_t nr);
/* pv/ runs iret itself, whose RAX may be any number, -ERESTART too: counted
 * here. */
void hypercall_count_iret(void);
/* The result goes to the guest, or its call is to be executed again. */
static inline void hypercall_finish(struct vcpu *v, long rc)
{
	if (unlikely(rc == -ERESTART))
		v->domain->kind->hypercall_restart(v);
	else
		v->regs.rax = (uint64_t)rc;
}

/* hvm_op's handler, which lives on a higher floor; set at boot. */
extern long (*hvm_op_hook)(struct vcpu *v, unsigned int cmd, uint64_t arg);
/* The same for dm_op; NULL: there are no device models. */
extern long (*dm_op_hook)(struct vcpu *v, const uint64_t args[6]);

/* The calls that only PV guests have, by the names of their numbers; NULL:
 * there are no such guests. Set at boot. */
typedef long pv_call_fn(struct vcpu *v, const uint64_t args[6]);
struct pv_calls {
	pv_call_fn *set_trap_table, *mmu_update, *set_gdt, *stack_switch,
		*set_callbacks, *fpu_taskswitch, *set_debugreg, *get_debugreg,
		*update_descriptor, *update_va_mapping,
		*update_va_mapping_otherdomain, *iret, *set_segment_base,
		*mmuext_op, *nmi_op, *callback_op;
};
extern const struct pv_calls *pv_calls;

#endif
