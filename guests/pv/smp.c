/* SPDX-License-Identifier: MIT */
/* Further vCPUs of a PV guest: started in the kernel, on the same tables. */
#include "pv.h"
#include <xen/vcpu.h>

#define STACK_SIZE 8192

static uint8_t stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(16)));
static void (*entries[MAX_CPUS])(unsigned int);
uint32_t smp_mxcsr;
extern uint8_t smp_entry[];
void smp_start(unsigned long id);

void smp_start(unsigned long id)
{
	entries[id]((unsigned int)id);
}

long smp_boot(unsigned int id, void (*fn)(unsigned int id))
{
	static struct vcpu_guest_context c;
	static struct trap_info t[257];
	uint64_t l4 = frame_of((const void *)start_info->pt_base);
	long rc;

	pv_fill_traps(t);
	memset(&c, 0, sizeof(c));
	memcpy(c.trap_ctxt, t, sizeof(c.trap_ctxt));
	entries[id] = fn;
	c.flags = VGCF_in_kernel;
	if (smp_mxcsr) {
		c.flags |= VGCF_i387_valid;
		memcpy(&c.fpu_ctxt.x[24], &smp_mxcsr, sizeof(smp_mxcsr));
	}
	c.user_regs.rip = (unsigned long)smp_entry;
	c.user_regs.rsp = (unsigned long)(stacks[id] + STACK_SIZE);
	c.user_regs.rdi = id;
	c.user_regs.rflags = 0x200;
	c.user_regs.cs = FLAT_KERNEL_CS;
	c.user_regs.ss = FLAT_KERNEL_SS;
	c.kernel_ss = FLAT_KERNEL_SS;
	c.kernel_sp = c.user_regs.rsp;
	c.ctrlreg[3] = l4 << 12;
	c.event_callback_eip = (unsigned long)pv_upcall;
	c.failsafe_callback_eip = (unsigned long)pv_failsafe;
	c.syscall_callback_eip = (unsigned long)pv_syscall;
	rc = vcpu_op(VCPUOP_initialise, id, &c);
	return rc ? rc : vcpu_op(VCPUOP_up, id, NULL);
}
