/* SPDX-License-Identifier: MIT */
/* The commands, in the order that "xl help" shows them. */
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
	X(pause)                                                               \
	X(unpause)                                                             \
	X(console)                                                             \
	X(vncviewer)                                                           \
	X(dump_core)                                                           \
	X(cd_insert)                                                           \
	X(cd_eject)                                                            \
	X(mem_max)                                                             \
	X(mem_set)                                                             \
	X(vcpu_list)                                                           \
	X(vcpu_pin)                                                            \
	X(vcpu_set)                                                            \
	X(vm_list)                                                             \
	X(info)                                                                \
	X(sched_credit2)                                                       \
	X(domid)                                                               \
	X(domname)                                                             \
	X(rename)                                                              \
	X(trigger)                                                             \
	X(button_press)                                                        \
	X(sysrq)                                                               \
	X(debug_keys)                                                          \
	X(dmesg)                                                               \
	X(top)                                                                 \
	X(network_attach)                                                      \
	X(network_list)                                                        \
	X(network_detach)                                                      \
	X(block_attach)                                                        \
	X(block_list)                                                          \
	X(block_detach)                                                        \
	X(uptime)                                                              \
	X(claims)                                                              \
	X(cpupool_list)                                                        \
	X(devd)

#define X(name) extern const struct xl_cmd cmd_##name;
XL_COMMANDS(X)
#undef X

/* The options of a command that has only --json and --help. */
extern const struct option xl_json_longs[];
/* Takes those: was --json there? min as for xl_getopt(). */
bool xl_wants_json(const struct xl_cmd *cmd, int argc, char **argv, int min);

#endif
