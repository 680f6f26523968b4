/* SPDX-License-Identifier: MIT */
/* AMD-V, the vendor's own half: used only by the files in this folder. */
#ifndef OSTLER_HVM_SVM_SVM_H
#define OSTLER_HVM_SVM_SVM_H

#include "hvm/hvm.h"
#include "hvm/svm/vmcb.h"

/* Lengths of instructions that exit often, by what they were found at. */
#define ILEN_CACHE 16
struct ilen_entry {
	uint64_t rip, cr3;
	uint32_t key;   /* exit code and mode */
	uint8_t length; /* 0: empty */
	uint8_t opcode; /* the last byte: tells RDTSCP from RDTSC */
};

struct svm_vcpu {
	struct vmcb *vmcb;
	paddr_t vmcb_pa;
	uint64_t guest_gs; /* GS.base while the host's is loaded */
	uint64_t eventinj; /* for the next entry */
	uint64_t asid_generation;
	unsigned int last_cpu;
	bool loaded;
	bool flush;    /* a new ASID before the next entry */
	bool dr_dirty; /* DR0-3 hold the guest's */
	/* inject.c: an NMI is being handled: up to its IRET, and that one. */
	bool in_nmi, at_iret;
	bool stepping; /* to see when it is over */
	uint64_t iret_rip;
	uint64_t dr[4];
	struct ilen_entry ilen[ILEN_CACHE];
};

/* Writes to CR4 exit: the guest's CPU policy says which bits there are. */
#define CR_WRITES (1U << 4)

struct svm_domain {
	uint8_t *iopm;  /* 3 pages, the last but for its first byte unused */
	uint8_t *msrpm; /* 2 pages */
};

static inline struct svm_vcpu *svm_vcpu(const struct vcpu *v)
{
	return hvm_vcpu_vendor(v);
}
static inline struct svm_domain *svm_domain(const struct domain *d)
{
	return hvm_domain_vendor(d);
}

/* What the CPU offers; CPUID 0x8000000a EDX. */
#define MSR_VM_HSAVE_PA 0xc0010117

#define SVM_FEATURE_NPT        BIT(0)
#define SVM_FEATURE_NRIP       BIT(3)
#define SVM_FEATURE_CLEAN      BIT(5)
#define SVM_FEATURE_FLUSH_ASID BIT(6)
#define SVM_FEATURE_DECODE     BIT(7)
#define SVM_FEATURE_PAUSE      BIT(10)
#define SVM_FEATURE_THRESHOLD  BIT(12)
extern uint32_t svm_features;
static inline bool svm_has(uint32_t feature)
{
	return svm_features & feature;
}

/* entry.S: into the guest and back, with its general registers. */
void svm_enter(struct guest_regs *regs, paddr_t vmcb, uint64_t *guest_gs);
/* The same by RDGSBASE, where CR4.FSGSBASE is on. */
void svm_enter_fsgs(struct guest_regs *regs, paddr_t vmcb, uint64_t *guest_gs);

/* asid.c */
void svm_asid_init_cpu(uint32_t nr);
struct asid_cpu {
	uint64_t generation;
	uint32_t next, last;
};
DECLARE_PER_CPU(struct asid_cpu, asid);
void svm_asid_renew(struct svm_vcpu *s);
/* Before each entry, interrupts off. */
static inline void svm_asid_assign(struct svm_vcpu *s)
{
	if (unlikely(s->flush ||
		     s->asid_generation != this_cpu(asid).generation))
		svm_asid_renew(s);
}

/* vmexit.c */
void svm_decode(struct vcpu *v, struct vmexit *x);
/* ilen.c */
struct insn;
bool svm_current_insn(struct vcpu *v, struct insn *i);
bool svm_skip(struct vcpu *v, const struct vmexit *x);
uint8_t svm_instruction_length(struct vcpu *v, uint16_t code, uint8_t *opcode);

/* maps.c: what exits and what does not. */
int svm_maps_init(struct domain *d);
void svm_maps_destroy(struct domain *d);
void svm_allow_port(struct domain *d, unsigned int port, unsigned int n,
		    bool allow);
void svm_allow_msr(struct domain *d, uint32_t msr, bool read, bool write);

/* inject.c */
void svm_post_irq(struct vcpu *v, int vector);
int svm_posted_irq(struct vcpu *v);
void svm_watch_tpr(struct vcpu *v, bool on);
void svm_inject_exception(struct vcpu *v, uint8_t vector, bool has_error,
			  uint32_t error);
bool svm_inject_nmi(struct vcpu *v);
void svm_end_shadow(struct vcpu *v);
void svm_forget_events(struct vcpu *v);
void svm_nmi_iret(struct vcpu *v);
bool svm_nmi_stepped(struct vcpu *v);
void svm_reinject(struct vcpu *v);

/* state.c */
void svm_vmcb_init(struct vcpu *v);
uint64_t svm_get_creg(struct vcpu *v, enum hvm_creg r);
void svm_set_creg(struct vcpu *v, enum hvm_creg r, uint64_t val);
void svm_get_seg(struct vcpu *v, enum hvm_seg s, struct hvm_segment *g);
void svm_set_seg(struct vcpu *v, enum hvm_seg s, const struct hvm_segment *g);
unsigned int svm_cpl(struct vcpu *v);
unsigned int svm_code_bits(struct vcpu *v);
unsigned int svm_kernel_bits(struct vcpu *v);
void svm_get_paging(struct vcpu *v, struct walk_regs *r);
bool svm_get_msr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool svm_set_msr(struct vcpu *v, uint32_t msr, uint64_t val);
void svm_load_debug_registers(struct svm_vcpu *s);
void svm_get_dr(struct vcpu *v, uint64_t dr[8]);
void svm_set_dr(struct vcpu *v, const uint64_t dr[8]);
void svm_dump(struct vcpu *v);
/* The state that VMLOAD and VMSAVE move, into the VMCB, if it is loaded. */
void svm_sync(struct vcpu *v);
void svm_reload(struct vcpu *v);

extern struct p2m_format npt_format;
extern const struct hvm_ops svm_ops;

static inline void vmload(paddr_t vmcb)
{
	__asm__ volatile("vmload %0" : : "a"(vmcb) : "memory");
}
static inline void vmsave(paddr_t vmcb)
{
	__asm__ volatile("vmsave %0" : : "a"(vmcb) : "memory");
}

#endif
