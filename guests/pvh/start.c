/* SPDX-License-Identifier: MIT */
/*
 * From the entry to guest_main(): find the hypervisor's CPUID leaves, ask for
 * the hypercall page, learn whether we are dom0, open the console. What must
 * hold: nothing prints before console_init(), nothing calls before the page.
 */
#include "guest.h"
#include "hypercall.h"
#include "test.h"
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>

extern uint32_t start_info_paddr;
uint8_t hypercall_page[4096] __attribute__((aligned(4096)));
bool is_dom0;
const char *command_line = "";
unsigned int cpuid_base;

void guest_start(void);

static bool find_hypervisor(void)
{
	for (uint32_t base = 0x40000000; base < 0x40010000; base += 0x100) {
		uint32_t r[4];

		cpuid(base, 0, r);
		if (r[1] == XEN_CPUID_SIGNATURE_EBX &&
		    r[2] == XEN_CPUID_SIGNATURE_ECX &&
		    r[3] == XEN_CPUID_SIGNATURE_EDX) {
			cpuid_base = base;
			cpuid(base + 2, 0, r);
			wrmsr(r[1], (unsigned long)hypercall_page);
			return true;
		}
	}
	return false;
}

long hvm_get_param(uint32_t index, uint64_t *value)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};
	long rc = hvm_op(HVMOP_get_param, &p);

	*value = p.value;
	return rc;
}

long hvm_set_param(uint32_t index, uint64_t value)
{
	struct xen_hvm_param p = {
		.domid = DOMID_SELF, .index = index, .value = value};

	return hvm_op(HVMOP_set_param, &p);
}

void *console_find(uint32_t *port)
{
	uint64_t frame, number;

	if (hvm_get_param(HVM_PARAM_CONSOLE_PFN, &frame) || !frame ||
	    hvm_get_param(HVM_PARAM_CONSOLE_EVTCHN, &number))
		return NULL;
	*port = (uint32_t)number;
	return (void *)(frame * PAGE_SIZE);
}

unsigned short own_domid(void)
{
	uint32_t r[4];

	cpuid(cpuid_base + 4, 0, r);
	return r[0] & XEN_HVM_CPUID_DOMID_PRESENT ? (unsigned short)r[2] : 0;
}

void guest_shutdown(unsigned int reason)
{
	struct sched_shutdown arg = {.reason = reason};

	sched_op(SCHEDOP_shutdown, &arg);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void guest_start(void)
{
	const struct hvm_start_info *info =
		(const void *)(unsigned long)start_info_paddr;

	if (!find_hypervisor())
		return; /* head.S halts: there is nobody to tell */
	is_dom0 = info->flags & SIF_INITDOMAIN;
	if (info->cmdline_paddr)
		command_line = (const char *)info->cmdline_paddr;
	console_init();
	trap_init();
	print("# guest %s starts as %s, \"%s\"\n", guest_name,
	      is_dom0 ? "dom0" : "domU", command_line);
	guest_main();
	test_end();
	/* Rebooting ends the emulator at once; the machine's power-off is not
	 * the hypervisor's business. */
	guest_shutdown(is_dom0 ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
}
