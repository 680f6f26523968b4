/* SPDX-License-Identifier: MIT */
/*
 * From a guest's registers to a subsystem's handler. Bounds and rights are
 * checked here, structures copied in and out here; a handler sees plain ones.
 */
#include "hypercall/hypercall.h"
#include "hypercall/compat.h"
#include "hypercall/table.h"

#include "console/printk.h"
#include "control/control.h"
#include "domain/continuation.h"
#include "domain/guest_access.h"
#include "domain/ops.h"
#include "event/event.h"
#include "grant/grant.h"
#include "lib/errno.h"

#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/version.h>

#define NR_CALLS    64
#define NR_COMMANDS 128

/* Numbers of operations: OP_<call> and OP_<call>_<command>. */
enum {
#define CALL(nr, name, fn, who)               OP_##name,
#define GROUP(nr, name)                       OP_##name,
#define SUBOP(group, cmd, fn, type, dir, who) OP_##cmd,
#define SUBOP0(group, cmd, fn, who)           OP_##cmd,
#define CMD(call, cmd, name, who)             OP_##cmd,
#define WHOLE(nr, name, fn, type, dir, who)   OP_##name,
#include "hypercall/table.def"
#include "hypercall/undef.h"
	NR_OPS
};

const struct hypercall_op hypercall_ops[] = {
#define CALL(nr, name, fn, who) {#name, "", nr, who, 0, 0},
#define GROUP(nr, name)         {#name, "", nr, ANY, 0, 0},
#define SUBOP(group, cmd, fn, type, dir, who)                                  \
	{#group, #cmd, __HYPERVISOR_##group, who, 1, cmd},
#define SUBOP0(group, cmd, fn, who)                                            \
	{#group, #cmd, __HYPERVISOR_##group, who, 1, cmd},
#define CMD(call, cmd, name, who)                                              \
	{#call, #cmd, __HYPERVISOR_##call, who, 1, cmd},
#define WHOLE(nr, name, fn, type, dir, who) {#name, "", nr, who, 0, 0},
#include "hypercall/table.def"
#include "hypercall/undef.h"
};
const unsigned int nr_hypercall_ops = NR_OPS;

struct op_counts {
	uint64_t n[NR_OPS];
};
static DEFINE_PER_CPU(struct op_counts, op_counts);

uint64_t hypercall_count(unsigned int i)
{
	uint64_t sum = 0;

	for (unsigned int c = 0; c < nr_cpus; c++)
		sum += per_cpu(op_counts, c).n[i];
	return sum;
}

void hypercall_counts_reset(void)
{
	for (unsigned int c = 0; c < nr_cpus; c++)
		for (unsigned int i = 0; i < NR_OPS; i++)
			per_cpu(op_counts, c).n[i] = 0;
}

static inline void count(unsigned int op)
{
	this_cpu_inc(op_counts, .n[op]);
}

/* The operation that a CALL's or WHOLE's command is, 0: not listed (operation 0
 * is a group, which no command can be). */
static const uint16_t command_op[NR_CALLS][NR_COMMANDS] = {
#define CALL(nr, name, fn, who)
#define GROUP(nr, name)
#define SUBOP(group, cmd, fn, type, dir, who)
#define SUBOP0(group, cmd, fn, who)
#define CMD(call, cmd, name, who) [__HYPERVISOR_##call][cmd] = OP_##cmd,
#define WHOLE(nr, name, fn, type, dir, who)
#include "hypercall/table.def"
#include "hypercall/undef.h"
};

static inline void count_command(uint64_t nr, uint64_t cmd)
{
	if (likely(cmd < NR_COMMANDS))
		count(command_op[nr][index_nospec(cmd, NR_COMMANDS)]);
}

/* memory_op keeps its progress above the command (public/memory.h). */
static inline uint64_t command_of(uint64_t nr, uint64_t arg)
{
	return nr == __HYPERVISOR_memory_op ? arg & 63 : (uint32_t)arg;
}

static inline bool may_call(const struct vcpu *v, enum hypercall_who who)
{
	return who != PRIV || v->domain->privileged;
}

/*
 * One function for each sub-operation: argument in, handler, argument out. An
 * interrupted call goes out as well: its progress is in it.
 */
#define IN    false
#define INOUT true
#define COPY_CALL(fn, type, out, va)                                           \
	({                                                                     \
		type op_;                                                      \
		long rc_;                                                      \
		if (copy_from_guest(&op_, va, sizeof(op_)))                    \
			return -EFAULT;                                        \
		rc_ = fn(v, &op_);                                             \
		if ((out) && (rc_ >= 0 || rc_ == -ERESTART) &&                 \
		    copy_to_guest(va, &op_, sizeof(op_)))                      \
			rc_ = -EFAULT;                                         \
		rc_;                                                           \
	})
#define SUBOP(group, cmd, fn, type, dir, who)                                  \
	static long do_##cmd(struct vcpu *v, uint64_t va)                      \
	{                                                                      \
		if (!may_call(v, who))                                         \
			return -EPERM;                                         \
		count(OP_##cmd);                                               \
		return COPY_CALL(fn, type, dir, va);                           \
	}
#define SUBOP0(group, cmd, fn, who)                                            \
	static long do_##cmd(struct vcpu *v, uint64_t va __maybe_unused)       \
	{                                                                      \
		if (!may_call(v, who))                                         \
			return -EPERM;                                         \
		count(OP_##cmd);                                               \
		return fn(v);                                                  \
	}
#define WHOLE(nr, name, fn, type, dir, who)                                    \
	static long run_##name(struct vcpu *v, type *op)                       \
	{                                                                      \
		count_command(nr, op->cmd);                                    \
		return fn(v, op);                                              \
	}                                                                      \
	static long do_##name(struct vcpu *v, const uint64_t args[6])          \
	{                                                                      \
		if (!may_call(v, who))                                         \
			return -EPERM;                                         \
		count(OP_##name);                                              \
		return COPY_CALL(run_##name, type, dir, args[0]);              \
	}
#define CALL(nr, name, fn, who)                                                \
	static long do_##name(struct vcpu *v, const uint64_t args[6])          \
	{                                                                      \
		if (!may_call(v, who))                                         \
			return -EPERM;                                         \
		count(OP_##name);                                              \
		count_command(nr, command_of(nr, args[0]));                    \
		return fn(v, args);                                            \
	}
#define GROUP(nr, name)
#define CMD(call, cmd, name, who)

static long multicall(struct vcpu *v, const uint64_t args[6]);
static long hvm_call(struct vcpu *v, const uint64_t args[6])
{
	return hvm_op_hook(v, (unsigned int)args[0], args[1]);
}
static long dm_call(struct vcpu *v, const uint64_t args[6])
{
	return dm_op_hook ? dm_op_hook(v, args) : -ENOSYS;
}
const struct pv_calls *pv_calls;

/* A hardware container has none of these, but its tools build PV domains. */
#define PV_CALL(name, anybody)                                                 \
	static long pv_##name(struct vcpu *v, const uint64_t args[6])          \
	{                                                                      \
		if (!pv_calls || (v->domain->kind->translated &&               \
				  !((anybody) && v->domain->privileged)))      \
			return -ENOSYS;                                        \
		return pv_calls->name(v, args);                                \
	}
PV_CALL(set_trap_table, false)
PV_CALL(mmu_update, true)
PV_CALL(set_gdt, false)
PV_CALL(stack_switch, false)
PV_CALL(set_callbacks, false)
PV_CALL(fpu_taskswitch, false)
PV_CALL(set_debugreg, false)
PV_CALL(get_debugreg, false)
PV_CALL(update_descriptor, false)
PV_CALL(update_va_mapping, false)
PV_CALL(update_va_mapping_otherdomain, false)
PV_CALL(iret, false)
PV_CALL(set_segment_base, false)
PV_CALL(mmuext_op, true)
PV_CALL(nmi_op, false)
PV_CALL(callback_op, false)
#undef PV_CALL

static long grant_table_call(struct vcpu *v, const uint64_t args[6])
{
	return grant_table_op(v, (unsigned int)args[0], args[1],
			      (unsigned int)args[2]);
}
#include "hypercall/table.def"
#include "hypercall/undef.h"

/* The commands of each group, by number. */
typedef long command_fn(struct vcpu *v, uint64_t va);
enum {
#define GROUP(nr, name) GROUP_##name,
#define CALL(nr, name, fn, who)
#define SUBOP(group, cmd, fn, type, dir, who)
#define SUBOP0(group, cmd, fn, who)
#define CMD(call, cmd, name, who)
#define WHOLE(nr, name, fn, type, dir, who)
#include "hypercall/table.def"
#include "hypercall/undef.h"
	NR_GROUPS
};

static command_fn *const commands[NR_GROUPS][NR_COMMANDS] = {
#define GROUP(nr, name)
#define CALL(nr, name, fn, who)
#define SUBOP(group, cmd, fn, type, dir, who) [GROUP_##group][cmd] = do_##cmd,
#define SUBOP0(group, cmd, fn, who)           [GROUP_##group][cmd] = do_##cmd,
#define CMD(call, cmd, name, who)
#define WHOLE(nr, name, fn, type, dir, who)
#include "hypercall/table.def"
#include "hypercall/undef.h"
};

/* Says once what nobody answers, so that what is missing can be seen. */
static void log_unknown(const struct vcpu *v, uint64_t nr, uint64_t cmd)
{
	static uint64_t seen[NR_CALLS];

	if (nr < NR_CALLS && test_and_set_bit(cmd & 63, &seen[nr]))
		return;
	printk(XENLOG_GUEST XENLOG_INFO
	       "d%uv%u: hypercall %lu, command %lu: not implemented\n",
	       v->domain->id, v->id, nr, cmd);
}

static inline long run_group(struct vcpu *v, unsigned int group, uint64_t nr,
			     const uint64_t args[6])
{
	uint64_t cmd = (uint32_t)args[0];
	command_fn *fn = NULL;

	if (likely(cmd < NR_COMMANDS))
		fn = commands[group][index_nospec(cmd, NR_COMMANDS)];
	if (unlikely(!fn)) {
		log_unknown(v, nr, cmd);
		return -ENOSYS;
	}
	return fn(v, args[1]);
}

#define GROUP(nr, name)                                                        \
	static long do_##name(struct vcpu *v, const uint64_t args[6])          \
	{                                                                      \
		return run_group(v, GROUP_##name, nr, args);                   \
	}
#define CALL(nr, name, fn, who)
#define SUBOP(group, cmd, fn, type, dir, who)
#define SUBOP0(group, cmd, fn, who)
#define CMD(call, cmd, name, who)
#define WHOLE(nr, name, fn, type, dir, who)
#include "hypercall/table.def"
#include "hypercall/undef.h"

typedef long call_fn(struct vcpu *v, const uint64_t args[6]);
static call_fn *const calls[NR_CALLS] = {
#define GROUP(nr, name)                     [nr] = do_##name,
#define CALL(nr, name, fn, who)             [nr] = do_##name,
#define WHOLE(nr, name, fn, type, dir, who) [nr] = do_##name,
#define SUBOP(group, cmd, fn, type, dir, who)
#define SUBOP0(group, cmd, fn, who)
#define CMD(call, cmd, name, who)
#include "hypercall/table.def"
#include "hypercall/undef.h"
};

long (*hvm_op_hook)(struct vcpu *v, unsigned int cmd, uint64_t arg);
long (*dm_op_hook)(struct vcpu *v, const uint64_t args[6]);

static inline long run_call(struct vcpu *v, uint64_t nr, const uint64_t args[6])
{
	call_fn *fn = NULL;

	if (likely(nr < NR_CALLS))
		fn = calls[index_nospec(nr, NR_CALLS)];
	if (unlikely(!fn)) {
		log_unknown(v, nr, args[0]);
		return -ENOSYS;
	}
	return fn(v, args);
}

/* Entry first of the list onwards is left to the restarted call. */
static void continue_multicall(struct vcpu *v, const uint64_t args[6],
			       uint64_t first)
{
	hypercall_set_arg(v, 0,
			  args[0] + first * sizeof(struct multicall_entry));
	hypercall_set_arg(v, 1, args[1] - first);
}

static long multicall(struct vcpu *v, const uint64_t args[6])
{
	uint64_t n = (uint32_t)args[1];

	if (v->multicall_args)
		return -EINVAL; /* one does not hold another */
	for (uint64_t i = 0; i < n; i++) {
		struct multicall_entry e;
		long rc;

		if (i && hypercall_must_yield()) {
			continue_multicall(v, args, i);
			return -ERESTART;
		}
		if (copy_elem_from_guest(&e, args[0], i))
			return -EFAULT;
		v->multicall_args = e.args;
		rc = run_call(v, e.op, e.args);
		v->multicall_args = NULL;
		if (rc == -ERESTART) {
			if (copy_elem_to_guest(args[0], i, &e))
				return -EFAULT;
			continue_multicall(v, args, i);
			return -ERESTART;
		}
		e.result = (unsigned long)rc;
		if (copy_to_guest(
			    args[0] + i * sizeof(e) +
				    offsetof(struct multicall_entry, result),
			    &e.result, sizeof(e.result)))
			return -EFAULT;
	}
	return 0;
}

void hypercall_set_arg(struct vcpu *v, unsigned int i, uint64_t value)
{
	struct guest_regs *r = &v->regs;
	uint64_t *const regs[] = {&r->rdi, &r->rsi, &r->rdx,
				  &r->r10, &r->r8,  &r->r9};
	uint64_t *const regs32[] = {&r->rbx, &r->rcx, &r->rdx,
				    &r->rsi, &r->rdi, &r->rbp};

	if (v->multicall_args)
		v->multicall_args[i] = value;
	else if (unlikely(v->compat_arg))
		*regs32[i] = (uint32_t)value;
	else
		*regs[i] = value;
}

static long call32(struct vcpu *v)
{
	const struct guest_regs *r = &v->regs;
	const uint64_t args[6] = {(uint32_t)r->rbx, (uint32_t)r->rcx,
				  (uint32_t)r->rdx, (uint32_t)r->rsi,
				  (uint32_t)r->rdi, (uint32_t)r->rbp};

	return compat_call(v, (uint32_t)r->rax, args, run_call);
}

static inline long call64(struct vcpu *v)
{
	const struct guest_regs *r = &v->regs;
	const uint64_t args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};

	return run_call(v, r->rax, args);
}

void hypercall_count_iret(void)
{
	/* pv/entry.S counts most of them itself: percpu_irets. */
	__asm__ volatile(".globl percpu_irets\n\t"
			 ".set percpu_irets, percpu_op_counts + %c0"
			 :
			 : "i"(OP_iret * sizeof(uint64_t)));
	count(OP_iret);
}

long hypercall_call64(struct vcpu *v, const uint64_t args[6], uint64_t nr)
{
	return run_call(v, nr, args);
}

void hypercall_dispatch(struct vcpu *v, unsigned int bits)
{
	if (likely(bits == 64))
		hypercall_finish(v, call64(v));
	else /* 32-bit structures have another layout */
		hypercall_finish(v, bits ? call32(v) : -EPERM);
}
