/* SPDX-License-Identifier: MIT */
/*
 * Commands of the stock xl for what this toolstack has not: each has its help
 * and its count of operands, and says why it does nothing.
 */
#include <stdio.h>
#include <string.h>

#include "cmds.h"
#include "xl.h"

#define PCI     "PCI devices cannot be handed to guests"
#define USB     "USB devices cannot be handed to guests"
#define TPM     "virtual TPMs are not supported"
#define DISPLAY "PV displays are not supported: vfb= has a frame buffer"
#define SOUND   "PV sound cards are not supported"
#define MOVING  "saving and moving running guests is not supported"
#define CACHES  "sharing out caches and memory bandwidth is not supported"

/* The options are anybody's: nothing is done with them. */
static int run_none(const struct xl_cmd *cmd, int argc, char **argv)
{
	int operands = 0;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			xl_help(cmd);
			return XL_OK;
		}
		operands += argv[i][0] != '-';
	}
	if (operands < cmd->least)
		return xl_too_few(cmd, cmd->least);
	return xl_fail("%s: %s", cmd->name, cmd->why);
}

#define NONE(id, word, operands, words, what, reason)                          \
	const struct xl_cmd cmd_##id = {                                       \
		.name = word,                                                  \
		.usage = words,                                                \
		.summary = what,                                               \
		.run = run_none,                                               \
		.least = operands,                                             \
		.why = reason,                                                 \
	}

NONE(pci_attach, "pci-attach", 2, "<Domain> <PCI_SPEC_STRING>",
     "Insert a new pass-through pci device", PCI);
NONE(pci_detach, "pci-detach", 2, "<Domain> <PCI_SPEC_STRING>",
     "Remove a domain's pass-through pci device", PCI);
NONE(pci_assignable_add, "pci-assignable-add", 1, "[options] <BDF>",
     "Make a device assignable for pci-passthru", PCI);
NONE(pci_assignable_remove, "pci-assignable-remove", 1, "[options] <BDF>|NAME",
     "Remove a device from being assignable", PCI);
NONE(save, "save", 2, "[options] <Domain> <CheckpointFile> [<ConfigFile>]",
     "Save a domain state to restore later", MOVING);
NONE(migrate, "migrate", 2, "[options] <Domain> <host>",
     "Migrate a domain to another host", MOVING);
NONE(restore, "restore", 1, "[options] [<ConfigFile>] <CheckpointFile>",
     "Restore a domain from a saved state", MOVING);
NONE(migrate_receive, "migrate-receive", 0, "- for internal use only",
     "Restore a domain from a saved state", MOVING);
NONE(remus, "remus", 1, "[options] <Domain> [<host>]",
     "Enable Remus HA for domain", MOVING);
NONE(sched_rtds, "sched-rtds", 0,
     "[-d <Domain> [-v[=VCPUID/all]] [-p[=PERIOD]] [-b[=BUDGET]] "
     "[-e[=Extratime]]]",
     "Get/set rtds scheduler parameters",
     "the scheduler rtds is not supported");
NONE(set_parameters, "set-parameters", 1, "<Params>",
     "Set hypervisor parameters",
     "the hypervisor's parameters are those of its command line");
NONE(vtpm_attach, "vtpm-attach", 1,
     "<Domain> [uuid=<uuid>] [backend=<BackDomain>]",
     "Create a new virtual TPM device", TPM);
NONE(vtpm_detach, "vtpm-detach", 2, "<Domain> <DevId|uuid>",
     "Destroy a domain's virtual TPM device", TPM);
NONE(vkb_attach, "vkb-attach", 2, "<Domain> <vkb-spec-component(s)>...",
     "Create a new virtual keyboard device", "a keyboard comes with vfb= only");
NONE(vkb_detach, "vkb-detach", 2, "<Domain> <DevId>",
     "Destroy a domain's virtual keyboard device",
     "a keyboard goes with its domain only");
NONE(vdispl_attach, "vdispl-attach", 1,
     "<Domain> [backend=<BackDomain>] [be-alloc=<BackAlloc>] "
     "[connectors='<Connectors>']",
     "Create a new virtual display device", DISPLAY);
NONE(vdispl_detach, "vdispl-detach", 2, "<Domain> <DevId>",
     "Destroy a domain's virtual display device", DISPLAY);
NONE(vsnd_attach, "vsnd-attach", 2, "<Domain> <vsnd-spec-component(s)>...",
     "Create a new virtual sound device", SOUND);
NONE(vsnd_detach, "vsnd-detach", 2, "<Domain> <DevId>",
     "Destroy a domain's virtual sound device", SOUND);
NONE(psr_hwinfo, "psr-hwinfo", 0, "[options]",
     "Show hardware information for Platform Shared Resource", CACHES);
NONE(psr_cmt_attach, "psr-cmt-attach", 1, "<Domain>",
     "Attach Cache Monitoring Technology service to a domain", CACHES);
NONE(psr_cmt_detach, "psr-cmt-detach", 1, "<Domain>",
     "Detach Cache Monitoring Technology service from a domain", CACHES);
NONE(psr_cmt_show, "psr-cmt-show", 1, "<PSR-CMT-Type> <Domain>",
     "Show Cache Monitoring Technology information", CACHES);
NONE(psr_cat_set, "psr-cat-set", 2, "[options] <Domain> <CBM>",
     "Set cache capacity bitmasks(CBM) for a domain", CACHES);
NONE(psr_cat_show, "psr-cat-show", 0, "[options] <Domain>",
     "Show Cache Allocation Technology information", CACHES);
NONE(psr_mba_set, "psr-mba-set", 2, "[options] <Domain> <THRTL>",
     "Set throttling value (THRTL) for a domain", CACHES);
NONE(psr_mba_show, "psr-mba-show", 0, "<Domain>",
     "Show Memory Bandwidth Allocation information", CACHES);
NONE(usbctrl_attach, "usbctrl-attach", 1,
     "<Domain> [type=pv] [version=<version>] [ports=<number>]",
     "Create a virtual USB controller for a domain", USB);
NONE(usbctrl_detach, "usbctrl-detach", 2, "<Domain> <DevId>",
     "Remove the virtual USB controller specified by <DevId> for a "
     "domain",
     USB);
NONE(usbdev_attach, "usbdev-attach", 2,
     "<Domain> hostbus=<busnum> hostaddr=<devnum> [controller=<DevId> "
     "[port=<port>]]",
     "Attach a USB device to a domain", USB);
NONE(usbdev_detach, "usbdev-detach", 3, "<Domain> <controller> <port>",
     "Detach a USB device from a domain", USB);
