/* SPDX-License-Identifier: MIT */
/* Further vCPUs: started in 32-bit mode at smp_entry with their own stack. */
#include "guest.h"
#include "hypercall.h"
#include <xen/hvm/hvm_vcpu.h>
#include <xen/vcpu.h>

#define STACK_SIZE 8192

static uint8_t stacks[MAX_CPUS][STACK_SIZE] __attribute__((aligned(16)));
static void (*entries[MAX_CPUS])(unsigned int);
extern uint8_t smp_entry[];
void smp_start(unsigned long id);

void smp_start(unsigned long id)
{
	trap_load();
	entries[id]((unsigned int)id);
}

static void flat_segments(struct vcpu_hvm_x86_32 *s)
{
	s->cs_limit = s->ds_limit = s->ss_limit = s->es_limit = ~0u;
	s->cs_ar = 0xc9b;
	s->ds_ar = s->ss_ar = s->es_ar = 0xc93;
	s->tr_limit = 0xff;
	s->tr_ar = 0x8b;
}

long smp_boot(unsigned int id, void (*fn)(unsigned int id))
{
	uint64_t *top = (uint64_t *)(stacks[id] + STACK_SIZE - 16);
	struct vcpu_hvm_context ctx = {.mode = VCPU_HVM_MODE_32B};
	long rc;

	*top = id; /* popped by smp_entry as smp_start's argument */
	entries[id] = fn;
	ctx.cpu_regs.x86_32.edi = (uint32_t)(unsigned long)top;
	ctx.cpu_regs.x86_32.eip = (uint32_t)(unsigned long)smp_entry;
	ctx.cpu_regs.x86_32.cr0 = 0x11; /* PE, ET */
	flat_segments(&ctx.cpu_regs.x86_32);
	rc = vcpu_op(VCPUOP_initialise, id, &ctx);
	return rc ? rc : vcpu_op(VCPUOP_up, id, NULL);
}
