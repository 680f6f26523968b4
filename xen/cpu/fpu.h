/* SPDX-License-Identifier: MIT */
/*
 * The guests' floating-point and vector registers. We use none ourselves, so
 * they are saved and restored with the vCPU that owns them, at once. XSAVE
 * where the machine has it, else FXSAVE.
 */
#ifndef OSTLER_CPU_FPU_H
#define OSTLER_CPU_FPU_H

#include "cpu/cpu.h"

struct fpu_state {
	void *area;    /* XSAVE's or FXSAVE's format, 64-byte aligned */
	uint64_t xcr0; /* the guest's; 1 at reset */
};

/* On each CPU, before the others. */
void fpu_init_cpu(void);
struct fpu_state *fpu_alloc(void); /* as at power-on; NULL: no memory */
void fpu_free(struct fpu_state *f);
void fpu_reset(struct fpu_state *f);
/* What somebody says that it is, in FXSAVE's format (512 bytes); f is as reset
 * and on no CPU. Bits of MXCSR that no register has are left out. */
void fpu_load_legacy(struct fpu_state *f, const void *fxsave);
void fpu_save(struct fpu_state *f);
void fpu_restore(struct fpu_state *f);
/* YMM register reg (XMM where there is no AVX) of f, which is on this CPU: into
 * v, or from it. */
void fpu_vector(struct fpu_state *f, unsigned int reg, uint64_t v[4],
		bool write);
/* Instructions of x87 for whoever has the registers on this CPU; *val is what
 * is stored or loaded. */
enum fpu_op {
	FPU_FNINIT,
	FPU_FNCLEX,
	FPU_FNSTSW,
	FPU_FNSTCW,
	FPU_FLDCW,
	FPU_FWAIT,
};
void fpu_x87(enum fpu_op op, uint16_t *val);
/* XSETBV: false if the machine or the architecture does not allow val. loaded:
 * f is on this CPU now. */
bool fpu_set_xcr0(struct fpu_state *f, uint64_t val, bool loaded);
size_t fpu_area_size(void);

#endif
