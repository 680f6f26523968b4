/* SPDX-License-Identifier: MIT */
/*
 * Traps as the hypervisor hands them on. An exception inside try_call() ends
 * that call; any other is printed and ends the guest, so that nothing hangs.
 */
#include "pv.h"
#include "test.h"
#include <xen/callback.h>
#include <xen/sched.h>

extern uint8_t try_landing[], user_return[];
uint64_t try_stack, user_kernel_stack;
void trap(struct trap_frame *f);
long user_enter(long (*fn)(void), void *stack_top);

static void (*handlers[256])(struct trap_frame *);

void trap_handler(unsigned int vector, void (*fn)(struct trap_frame *))
{
	handlers[vector] = fn;
}

/* On in the kernel, at a place of its own; ring 0 says that it is the kernel.
 */
static void go_on_at(struct trap_frame *f, const uint8_t *rip, uint64_t rsp)
{
	f->rip = (unsigned long)rip;
	f->rsp = rsp;
	f->cs = FLAT_KERNEL_CS & ~3ul;
	f->ss = FLAT_KERNEL_SS;
}

static void leave_user(struct trap_frame *f)
{
	go_on_at(f, user_return, user_kernel_stack);
}

void trap(struct trap_frame *f)
{
	/* user_call()'s process has ended. INT n would do, but not in QEMU,
	 * whose error code for it is another than the processors'. */
	if (f->vector == 3 && f->cs == FLAT_USER_CS) {
		leave_user(f);
		return;
	}
	if (handlers[f->vector]) {
		handlers[f->vector](f);
		return;
	}
	if (f->vector >= 32 && f->vector < FAILSAFE_VECTOR)
		return;
	if (try_stack) {
		uint64_t vector = f->vector;

		go_on_at(f, try_landing, try_stack);
		f->rax = vector;
		return;
	}
	check(false, "no exception: vector %lu error %lx at %lx, stack %lx",
	      f->vector, f->error, f->rip, f->rsp);
	test_end();
	guest_shutdown(is_dom0 ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
}

void pv_fill_traps(struct trap_info t[257])
{
	for (unsigned int v = 0; v < 256; v++)
		t[v] = (struct trap_info){
			.vector = (uint8_t)v,
			.flags = v == 3 ? 3 : 4,
			.cs = FLAT_KERNEL_CS,
			.address = (unsigned long)trap_stubs + v * 16,
		};
	t[256] = (struct trap_info){0};
}

static long callback(unsigned int type, const uint8_t *at)
{
	struct callback_register r = {.type = (uint16_t)type,
				      .address = (unsigned long)at};

	return hc(__HYPERVISOR_callback_op, CALLBACKOP_register, &r);
}

void trap_load(void)
{
	static struct trap_info t[257];

	pv_fill_traps(t);
	hc(__HYPERVISOR_set_trap_table, t);
	callback(CALLBACKTYPE_event, pv_upcall);
	callback(CALLBACKTYPE_failsafe, pv_failsafe);
	callback(CALLBACKTYPE_syscall, pv_syscall);
	callback(CALLBACKTYPE_sysenter, pv_sysenter);
	callback(CALLBACKTYPE_nmi, pv_nmi);
}

void trap_init(void)
{
	trap_load();
}

long user_call(long (*fn)(void), void *stack_top)
{
	long rc = pv_user_tables();

	return rc ? rc : user_enter(fn, stack_top);
}
