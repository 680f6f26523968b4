/* SPDX-License-Identifier: MIT */
/* The commands, in the order that the stock "xl help" shows them. */
#ifndef OSTLER_XL_CMDS_H
#define OSTLER_XL_CMDS_H

#include "xl.h"

#define XL_COMMANDS(X)                                                         \
	X(create)                                                              \
	X(config_update)                                                       \
	X(list)                                                                \
	X(destroy)                                                             \
	X(shutdown)                                                            \
	X(reboot)                                                              \
	X(pci_attach)                                                          \
	X(pci_detach)                                                          \
	X(pci_list)                                                            \
	X(pci_assignable_add)                                                  \
	X(pci_assignable_remove)                                               \
	X(pci_assignable_list)                                                 \
	X(pause)                                                               \
	X(unpause)                                                             \
	X(console)                                                             \
	X(vncviewer)                                                           \
	X(save)                                                                \
	X(migrate)                                                             \
	X(restore)                                                             \
	X(migrate_receive)                                                     \
	X(dump_core)                                                           \
	X(cd_insert)                                                           \
	X(cd_eject)                                                            \
	X(mem_max)                                                             \
	X(mem_set)                                                             \
	X(button_press)                                                        \
	X(vcpu_list)                                                           \
	X(vcpu_pin)                                                            \
	X(vcpu_set)                                                            \
	X(vm_list)                                                             \
	X(info)                                                                \
	X(sharing)                                                             \
	X(sched_credit)                                                        \
	X(sched_credit2)                                                       \
	X(sched_rtds)                                                          \
	X(domid)                                                               \
	X(domname)                                                             \
	X(rename)                                                              \
	X(trigger)                                                             \
	X(sysrq)                                                               \
	X(debug_keys)                                                          \
	X(set_parameters)                                                      \
	X(dmesg)                                                               \
	X(top)                                                                 \
	X(network_attach)                                                      \
	X(network_list)                                                        \
	X(network_detach)                                                      \
	X(channel_list)                                                        \
	X(block_attach)                                                        \
	X(block_list)                                                          \
	X(block_detach)                                                        \
	X(vtpm_attach)                                                         \
	X(vtpm_list)                                                           \
	X(vtpm_detach)                                                         \
	X(vkb_attach)                                                          \
	X(vkb_list)                                                            \
	X(vkb_detach)                                                          \
	X(vdispl_attach)                                                       \
	X(vdispl_list)                                                         \
	X(vdispl_detach)                                                       \
	X(vsnd_attach)                                                         \
	X(vsnd_list)                                                           \
	X(vsnd_detach)                                                         \
	X(uptime)                                                              \
	X(claims)                                                              \
	X(cpupool_create)                                                      \
	X(cpupool_list)                                                        \
	X(cpupool_destroy)                                                     \
	X(cpupool_rename)                                                      \
	X(cpupool_cpu_add)                                                     \
	X(cpupool_cpu_remove)                                                  \
	X(cpupool_migrate)                                                     \
	X(cpupool_numa_split)                                                  \
	X(getenforce)                                                          \
	X(setenforce)                                                          \
	X(loadpolicy)                                                          \
	X(remus)                                                               \
	X(devd)                                                                \
	X(psr_hwinfo)                                                          \
	X(psr_cmt_attach)                                                      \
	X(psr_cmt_detach)                                                      \
	X(psr_cmt_show)                                                        \
	X(psr_cat_set)                                                         \
	X(psr_cat_show)                                                        \
	X(psr_mba_set)                                                         \
	X(psr_mba_show)                                                        \
	X(usbctrl_attach)                                                      \
	X(usbctrl_detach)                                                      \
	X(usbdev_attach)                                                       \
	X(usbdev_detach)                                                       \
	X(usb_list)                                                            \
	X(qemu_monitor_command)

#define X(name) extern const struct xl_cmd cmd_##name;
XL_COMMANDS(X)
#undef X

/* The options of a command that has only --json and --help. */
extern const struct option xl_json_longs[];
/* Takes those: was --json there? min as for xl_getopt(). */
bool xl_wants_json(const struct xl_cmd *cmd, int argc, char **argv, int min);

#endif
