/* SPDX-License-Identifier: MIT */
/*
 * Hardware containers: the vendor interface and what is shared above it.
 * The vendor turns a hardware exit into a struct vmexit; a table of handlers
 * answers with a verdict; the vendor enters again.
 */
#ifndef OSTLER_HVM_HVM_H
#define OSTLER_HVM_HVM_H

#include "domain/domain.h"
#include <xen/hvm/params.h>

enum vmexit_kind {
	VMEXIT_INTR, /* a host interrupt; already taken */
	VMEXIT_NMI,
	VMEXIT_HYPERCALL,
	VMEXIT_CPUID,
	VMEXIT_RDMSR,
	VMEXIT_WRMSR,
	VMEXIT_RDTSC,
	VMEXIT_RDTSCP,
	VMEXIT_RDPMC,
	VMEXIT_IO,
	VMEXIT_NPF, /* nested page fault, EPT violation */
	VMEXIT_HLT,
	VMEXIT_PAUSE,
	VMEXIT_CR_READ,
	VMEXIT_CR_WRITE,
	VMEXIT_DR,
	VMEXIT_EXCEPTION,
	VMEXIT_INTR_WINDOW,
	VMEXIT_INVD, /* INVD, WBINVD */
	VMEXIT_INVLPG,
	VMEXIT_XSETBV,
	VMEXIT_TASK_SWITCH,
	VMEXIT_SHUTDOWN, /* triple fault */
	VMEXIT_VIRT,     /* a virtualisation instruction */
	VMEXIT_MONITOR,
	VMEXIT_MWAIT,
	VMEXIT_IRET,
	VMEXIT_UNKNOWN,
	VMEXIT_KINDS,
};

enum verdict {
	VERDICT_RESUME, /* enter again at the same RIP */
	VERDICT_SKIP,   /* past the instruction */
	VERDICT_BLOCK,  /* past the instruction, then wait */
	VERDICT_CRASH,
};

struct vmexit {
	enum vmexit_kind kind;
	uint8_t length; /* of the instruction; 0: not known (vendor decodes when
			   hvm_ops->skip is called) */
	union {
		struct {
			uint16_t port;
			uint8_t size;
			bool in, string, rep;
			uint8_t seg, addr_size;
		} io;
		struct {
			gpa_t gpa;
			bool present, write, fetch, user, in_table;
			bool gva_valid;
			uint64_t gva;
		} npf;
		struct {
			uint8_t cr, gpr;
			bool lmsw, clts;
			uint64_t value;
		} cr;
		struct {
			uint8_t vector;
			bool has_error;
			uint32_t error;
			uint64_t cr2;
		} exc;
		struct {
			uint64_t code, info1, info2;
		} raw;
	};
};

enum hvm_seg {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_TR,
	SEG_LDTR,
	SEG_GDTR,
	SEG_IDTR,
	NR_SEGS
};

struct hvm_segment {
	uint16_t sel;
	uint16_t attr; /* as in the VMCB: type, S, DPL, P, AVL, L, D, G */
	uint32_t limit;
	uint64_t base;
};

enum hvm_creg { CR0, CR2, CR3, CR4, CR8, EFER };

/* What a vendor does; chosen once at boot. All on a vCPU that is loaded here or
 * runs nowhere. */
struct hvm_ops {
	const char *name;
	const struct p2m_format *p2m;

	bool (*probe)(void); /* the CPU has what we need; says what if not */
	int (*cpu_up)(void); /* on each CPU */
	void (*cpu_down)(void);
	int (*domain_init)(struct domain *d);
	void (*domain_destroy)(struct domain *d);
	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_destroy)(struct vcpu *v);
	void (*vcpu_load)(struct vcpu *v);   /* its state onto this CPU */
	void (*vcpu_unload)(struct vcpu *v); /* and off it */

	/* Enters the guest; fills the exit. Interrupts off before and after. */
	void (*run)(struct vcpu *v, struct vmexit *x);
	void (*skip)(struct vcpu *v, const struct vmexit *x);

	uint64_t (*get_creg)(struct vcpu *v, enum hvm_creg r);
	void (*set_creg)(struct vcpu *v, enum hvm_creg r, uint64_t val);
	void (*get_seg)(struct vcpu *v, enum hvm_seg s, struct hvm_segment *g);
	void (*set_seg)(struct vcpu *v, enum hvm_seg s,
			const struct hvm_segment *g);
	/* MSRs that the vendor's structure holds; false: not one of them */
	bool (*get_msr)(struct vcpu *v, uint32_t msr, uint64_t *val);
	bool (*set_msr)(struct vcpu *v, uint32_t msr, uint64_t val);

	/* Event injection for the next entry. */
	bool (*can_inject_irq)(
		struct vcpu *v); /* IF set, no shadow, none queued */
	void (*inject_irq)(struct vcpu *v, uint8_t vector);
	void (*inject_exception)(struct vcpu *v, uint8_t vector, bool has_error,
				 uint32_t error);
	void (*inject_nmi)(struct vcpu *v);
	void (*irq_window)(struct vcpu *v, bool want);
	void (*set_tsc_offset)(struct vcpu *v, uint64_t offset);
	/* Ports and MSRs that need no exit. */
	void (*allow_port)(struct domain *d, unsigned int port, unsigned int n,
			   bool allow);
	void (*allow_msr)(struct domain *d, uint32_t msr, bool read,
			  bool write);
	/* Every vCPU of the domain forgets its translations. */
	void (*flush_domain)(struct domain *d);
	/* Intercept exceptions (bit map), CRs … for debugging. */
	void (*set_exceptions)(struct vcpu *v, uint32_t vectors);
	void (*dump)(struct vcpu *v);
};

extern const struct hvm_ops *hvm_ops; /* NULL: PV only */

#endif
