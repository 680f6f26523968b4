/* SPDX-License-Identifier: MIT */
/*
 * Options of Xen that mean nothing here: known, so that nobody is warned of a
 * mistake he did not make, and named, so that nobody thinks they work.
 */
#include "console/printk.h"
#include "lib/param.h"

static int __init ignore(const struct param *p, const char *value)
{
	printk("Command line: %s%s%s has no meaning here: %s\n", p->name,
	       value ? "=" : "", value ? value : "", p->help);
	return 0;
}

#define IGNORED(name, why) PARAM_CUSTOM(name, ignore, why)

IGNORED("ucode", "microcode is left to the firmware and to dom0");
IGNORED("spec-ctrl", "mitigations follow the CPU");
IGNORED("xpti", "mitigations follow the CPU");
IGNORED("pv-l1tf", "mitigations follow the CPU");
IGNORED("smt", "all CPUs are used");
IGNORED("no-real-mode", "real mode is not used");
IGNORED("edd", "the BIOS is not asked");
IGNORED("edid", "the BIOS is not asked");
IGNORED("vga", "there is no screen driver");
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
