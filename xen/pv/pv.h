/* SPDX-License-Identifier: MIT */
/*
 * Paravirtual domains: guests whose kernel runs in ring 3 beside its processes
 * and asks us for what needs ring 0 (docs/pv.md; public/arch-x86/xen-x86_64.h
 * is the ABI).
 *
 * A vCPU's run is as a hardware container's: pv_run() enters the guest and gets
 * back what ended that, handles it, and enters again (run.c, entry.S).
 */
#ifndef OSTLER_PV_PV_H
#define OSTLER_PV_PV_H

#include "cpu/fpu.h"
#include "cpu/traps.h"
#include "domain/domain.h"
#include "pv/mm.h"

/* What ended a guest's run, beside the vectors of traps and interrupts. */
#define PV_EXIT_SYSCALL   0x100
#define PV_EXIT_BAD_IRET  0x101 /* the state to return to is none */
#define PV_EXIT_SYSCALL32 0x102 /* from compatibility mode */
#define PV_EXIT_DONE      0x103 /* a hypercall, made already */
#define PV_EXIT_SYSENTER  0x104

/* What the processor pushes when it leaves ring 3: entry.S relies on it. */
struct pv_frame {
	uint32_t error_code, vector;
	uint64_t rip, cs, rflags, rsp, ss;
};

struct pv_trap {
	uint64_t address;
	uint16_t cs;
	uint8_t flags; /* TI_*; the lowest two bits: who may INT n it */
};

/* Registers of a guest that are no general ones; live in the CPU while the
 * vCPU is loaded there. */
struct pv_segments {
	uint16_t ds, es, fs, gs;
	uint64_t fs_base, gs_base; /* gs_base: of the mode it is in */
	uint64_t gs_base_other;    /* … and of the other one */
};

struct pv_vcpu {
	/* entry.S: the CPU pushes here. */
	struct pv_frame frame __aligned(16);

	bool in_kernel;
	bool sysret;     /* it may return as from its system call */
	bool may_sysret; /* … if what it returns from is one */
	bool ts;         /* its CR0.TS: fpu_taskswitch */
	bool nmi_pending, in_nmi;
	bool loaded;        /* its registers are in a CPU */
	bool has_tables;    /* and so are its tables */
	bool segments_lost; /* of those that it had, not all could be loaded */
	uint8_t iopl;       /* as its kernel set it */
	uint64_t ctrlreg4, cr2;
	uint64_t kernel_sp, kernel_ss; /* stack_switch */
	uint64_t event_entry, failsafe_entry, syscall_entry, syscall32_entry,
		sysenter_entry, nmi_entry;
	bool syscall_masks, syscall32_masks, sysenter_masks,
		failsafe_masks; /* VGCF_* */
	struct pv_segments seg;
	uint64_t dr[8];
	struct fpu_state *fpu;
	struct pv_trap traps[256];
	struct pv_mm_vcpu mm;
};

struct pv_domain {
	uint32_t pci_index;     /* what dom0 wrote to port 0xcf8 */
	struct pv_pirqs *pirqs; /* dom0's, pirq.c; NULL: it has none */
	struct pv_mm_domain mm;
};

static inline struct pv_vcpu *pv_vcpu(const struct vcpu *v)
{
	return v->arch;
}
static inline struct pv_mm_vcpu *v_mm(const struct vcpu *v)
{
	return &pv_vcpu(v)->mm;
}
static inline struct pv_mm_domain *d_mm(const struct domain *d)
{
	return &((struct pv_domain *)d->arch)->mm;
}

/* tlb.c: of what pv_note_stale() has noted, some CPU may remember some. */
static inline bool pv_is_stale(const struct domain *d)
{
	const struct pv_mm_domain *mm = d_mm(d);

	return atomic_read(&mm->flushed) < atomic_read(&mm->changes);
}

/* At boot, before other CPUs start; 0 or -ENOMEM. Then on each CPU. */
int pv_init(void);
int pv_init_cpu(void);

/* entry.S: into the guest and back; interrupts off on both ways. */
void pv_enter(struct vcpu *v, struct pv_vcpu *pv);
void pv_syscall_entry(void);        /* MSR LSTAR */
void pv_compat_syscall_entry(void); /* MSR CSTAR */
void pv_sysenter_entry(void);       /* MSR SYSENTER_EIP */
extern const char pv_sysenter_saved[];
void pv_trap_entry(void); /* trap_from_guest */
extern const char pv_iret_insn[];

/* run.c */
/* How the guest goes on: not before pv_run() has seen to something, or at once,
 * by SYSRET or IRETQ. */
enum pv_way { PV_LATER, PV_BY_SYSRET, PV_BY_IRET };
/* entry.S: the hypercall that v->regs asks for, on its CPU's stack, with
 * interrupts off; RBX, RBP, R12 to R15 are not in v->regs. */
enum pv_way pv_hypercall(struct vcpu *v, const uint64_t args[6]);
/* The same for iret; interrupts stay off. */
enum pv_way pv_hypercall_iret(struct vcpu *v);
extern const struct sched_unit_ops pv_sched_ops;
void pv_event_notify(struct vcpu *v);
bool pv_vcpu_has_work(struct vcpu *v);
void pv_send_nmi(struct vcpu *v);
/* CR3 as the mode wants it. */
void pv_load_cr3(struct vcpu *v);
/* From kernel to user mode or back: tables and GS. */
void pv_set_mode(struct vcpu *v, bool kernel);

/* bounce.c: the guest goes on at an entry of its own. */
#define NO_ERROR_CODE ~0U
/* A trap, with its error code or NO_ERROR_CODE. */
void pv_inject(struct vcpu *v, uint8_t vector, uint32_t error);
void pv_inject_page_fault(struct vcpu *v, uint64_t addr, uint32_t error);
/* How the frame is made; masks: events are held back from there on. */
void pv_bounce(struct vcpu *v, uint64_t entry, uint16_t cs, bool masks,
	       uint32_t error);
void pv_failsafe(struct vcpu *v);
void pv_iret(struct vcpu *v);

/* traps.c: what a trap or a call of the guest's means. */
void pv_handle_exit(struct vcpu *v, uint32_t vector, uint64_t cr2);

/* emulate.c: an instruction that only ring 0 may do. False: #GP is right. */
bool pv_emulate(struct vcpu *v);
/* CR0.TS as the guest has it; it is loaded. */
void pv_set_ts(struct vcpu *v, bool on);
/* The forced-emulation prefix and CPUID at RIP. */
bool pv_forced_cpuid(struct vcpu *v);
void pv_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub,
	      struct cpuid_regs *out);
/* msr.c */
bool pv_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool pv_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val);

/* segment.c */
bool pv_descriptor_ok(uint64_t *desc);
int pv_set_gdt_frames(struct vcpu *v, const uint64_t *frames,
		      unsigned int entries);
void pv_release_descriptors(struct vcpu *v);
int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int entries);
void pv_load_descriptors(struct vcpu *v);
void pv_load_segments(struct vcpu *v);
void pv_save_segments(struct vcpu *v);
uint64_t pv_get_gs_base(struct vcpu *v, bool other);
void pv_set_gs_base(struct vcpu *v, uint64_t base, bool other);
void pv_swap_gs(struct vcpu *v);
void pv_set_gs_selector(struct vcpu *v, uint16_t sel);
int pv_segments_init_cpu(void);
/* A code selector may not be ours, nor for ring 0. */
uint16_t pv_fix_selector(uint16_t sel);
static inline bool pv_is_canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

/* context.c */
int pv_set_context(struct vcpu *v, const void *ctx, size_t size);
int pv_get_context(struct vcpu *v, struct vcpu_guest_context *out);

/* calls.c: the small calls of PV guests only. */
long pv_physdev_op(struct vcpu *v, uint32_t cmd, uint64_t arg);
void pv_calls_init(void);

#endif
