/* SPDX-License-Identifier: MIT */
/*
 * From the entry to guest_main(): the hypercall page is filled already, the
 * start info says who we are.
 */
#include "pv.h"
#include "test.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/sched.h>

uint8_t hypercall_page[4096] __attribute__((aligned(4096)));
struct start_info *start_info;
bool is_dom0;
const char *command_line = "";
unsigned int cpuid_base = 0x40000000;

void guest_start(void);

/* CPUID does not tell PV guests; whoever made it can. */
unsigned short own_domid(void)
{
	return (unsigned short)option("self", 0);
}

void guest_shutdown(unsigned int reason)
{
	struct sched_shutdown arg = {.reason = reason};

	sched_op(SCHEDOP_shutdown, &arg);
	for (;;)
		sched_op(SCHEDOP_block, NULL);
}

void *console_find(uint32_t *port)
{
	const uint64_t *m2p = (const uint64_t *)MACH2PHYS_VIRT_START;

	*port = start_info->console.domU.evtchn;
	return (void *)(m2p[start_info->console.domU.mfn] * PAGE_SIZE);
}

void guest_start(void)
{
	is_dom0 = start_info->flags & SIF_INITDOMAIN;
	command_line = (const char *)start_info->cmd_line;
	console_init();
	trap_init();
	print("# guest %s starts as PV %s, \"%s\"\n", guest_name,
	      is_dom0 ? "dom0" : "domU", command_line);
	guest_main();
	test_end();
	guest_shutdown(is_dom0 ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
}
