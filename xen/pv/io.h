/* SPDX-License-Identifier: MIT */
/* Ports and debug registers of PV guests. */
#ifndef OSTLER_PV_IO_H
#define OSTLER_PV_IO_H

#include "emulate/decode.h"
#include "pv/pv.h"

/* IN, OUT, INS, OUTS. False: it may not, or it is none of these. *again: it is
 * not done yet, so RIP stays. */
bool pv_port_insn(struct vcpu *v, const struct insn *i, bool *again);

/* debugreg.c: 0, or -EINVAL: not a value that a guest may set. */
int pv_set_debugreg_value(struct vcpu *v, unsigned int reg, uint64_t val);
void pv_load_debugregs(struct vcpu *v);
void pv_drop_debugregs(struct vcpu *v);

#endif
