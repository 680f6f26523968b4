/* SPDX-License-Identifier: MIT */
/*
 * Options of Xen that mean nothing here: known, so that nobody is warned of a
 * mistake he did not make, and named, so that nobody thinks they work.
 */
#include "console/printk.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "lib/string.h"

static int __init ignore(const struct param *p, const char *value)
{
	printk("Command line: %s%s%s has no meaning here: %s\n", p->name,
	       value ? "=" : "", value ? value : "", p->help);
	return 0;
}

/* There is one scheduler; tools know it as credit2. */
static int __init parse_sched(const struct param *p, const char *value)
{
	static const char *const others[] = {"credit", "rtds", "null",
					     "arinc653"};

	if (!value)
		return -EINVAL;
	if (!strcmp(value, "credit2"))
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(value, others[i]))
			return ignore(p, value);
	return -EINVAL;
}
PARAM_CUSTOM("sched", parse_sched,
	     "there is one scheduler, with weights and caps (credit2)");

#define IGNORED(name, why) PARAM_CUSTOM(name, ignore, why)

IGNORED("ucode", "microcode is left to the firmware and to dom0");
IGNORED("spec-ctrl", "mitigations follow the CPU");
IGNORED("pv-l1tf", "mitigations follow the CPU");
IGNORED("smt", "all CPUs are used");
IGNORED("no-real-mode", "real mode is not used");
IGNORED("edd", "the BIOS is not asked");
IGNORED("edid", "the BIOS is not asked");
IGNORED("placeholder", "boot loaders put it there");
IGNORED("crashkernel", "there is no kexec");
IGNORED("watchdog", "there is no watchdog");
IGNORED("cpufreq", "frequency is left to the firmware");
IGNORED("cpuidle", "idle CPUs halt");
IGNORED("bootscrub", "memory is cleared when a domain gets it");
IGNORED("conring_size", "the ring has 32 KiB");
IGNORED("sync_console", "the console always waits");
IGNORED("hap", "HVM guests always use nested paging");
IGNORED("gnttab", "version 1, no transitive grants");
IGNORED("hpet", "the HPET is not used");
