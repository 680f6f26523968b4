/* SPDX-License-Identifier: MIT */
/* VT-x, the vendor's own half: used only by the files in this folder. */
#ifndef OSTLER_HVM_VMX_VMX_H
#define OSTLER_HVM_VMX_VMX_H

#include "hvm/hvm.h"
#include "hvm/vmx/caps.h"
#include "hvm/vmx/vmcs.h"

/* STAR, LSTAR, CSTAR, SFMASK, KernelGSBase: on the CPU while loaded. */
#define NR_LAZY_MSRS 5
extern const uint32_t vmx_lazy_msrs[NR_LAZY_MSRS];

struct vmx_vcpu {
	/* Hot: each entry. */
	struct vmcs *vmcs;
	paddr_t vmcs_pa;
	uint64_t host_rsp;         /* as the VMCS has it */
	uint64_t rip, rsp, rflags; /* the same */
	/* Something is to be done before the next entry; any: one of them. */
	union {
		struct {
			bool flush;       /* a new VPID */
			bool flush_ept;   /* what EPT gave is stale */
			bool load_pdptes; /* PAE paging: read the entries */
			bool deliver;     /* events, windows */
			bool tpr_watched;
			bool check_mode; /* perhaps there is no entering */
		};
		uint64_t any;
	};
	bool loaded;   /* its VMCS is this CPU's current one */
	bool launched; /* VMRESUME, not VMLAUNCH */
	bool held;     /* current only while somebody reads it */
	bool nmi_waits;
	bool dr_dirty; /* DR0-3 and DR6 hold the guest's */
	bool dr_armed; /* … must, when it runs */
	uint8_t threshold;
	int posted;                  /* the vector at the guest's door, or -1 */
	uint32_t event, event_error; /* for the next entry */
	uint32_t proc, proc2;        /* controls, as the VMCS has them */
	uint32_t *vapic;             /* the local APIC's page */
	uint64_t *pml;               /* pages it wrote; NULL: no such log */

	unsigned int last_cpu;
	uint64_t vpid_generation;
	uint64_t cr2; /* while it is not loaded; else the CPU has it */
	uint64_t cr0,
		cr4; /* as the guest set them; its own bits may be stale */
	uint64_t efer;
	bool unpaged; /* no unrestricted guest: CR3 is our table's … */
	uint64_t cr3; /* … and this the guest's */
	uint64_t eptp;
	uint64_t lazy[NR_LAZY_MSRS];
	uint64_t dr[4], dr6;
	uint64_t debug_cause; /* DR6 bits of the #DB that exited */
};

/* Bits that the guest changes without an exit. CR0: TS, MP. CR4: PGE. */
#define CR0_GUEST_OWNED (X86_CR0_TS | X86_CR0_MP)
#define CR4_GUEST_OWNED X86_CR4_PGE
#define CR4_VMXE        BIT(13)

struct vmx_domain {
	uint8_t *io;  /* ports: 2 pages */
	uint8_t *msr; /* 1 page */
	void *apic;   /* the APIC-access page; NULL: none */
};

static inline struct vmx_vcpu *vmx_vcpu(const struct vcpu *v)
{
	return hvm_vcpu_vendor(v);
}
static inline struct vmx_domain *vmx_domain(const struct domain *d)
{
	return hvm_domain_vendor(d);
}

/* What this machine's VT-x is used with; vmx.c. */
extern struct vmx_caps vmx_caps;

/* The processor runs nothing without PE and PG: realmode.c. */
static inline bool vmx_is_restricted(void)
{
	return !(vmx_caps.proc2 & PROC2_UNRESTRICTED);
}

static inline void vmx_write_cr2(uint64_t val)
{
	__asm__ volatile("mov %0, %%cr2" : : "r"(val));
}

/* entry.S: into the guest and back, with its general registers. */
int vmx_enter(struct guest_regs *regs, uint64_t *host_rsp, bool launched);
extern const char vmx_exited[];

/*
 * vmx.c: between these, v's VMCS is current on this CPU. Free of charge where v
 * is loaded here; otherwise v runs nowhere, and interrupts are off meanwhile.
 */
void vmx_hold_slowly(struct vmx_vcpu *s);
void vmx_release_slowly(struct vmx_vcpu *s);
static inline bool vmx_hold(struct vmx_vcpu *s)
{
	if (likely(s->loaded || s->held))
		return false;
	vmx_hold_slowly(s);
	return true;
}
static inline void vmx_release(struct vmx_vcpu *s, bool held)
{
	if (unlikely(held))
		vmx_release_slowly(s);
}

/* asid.c */
void vmx_asid_init_cpu(void);
void vmx_asid_load(struct vmx_vcpu *s);   /* came onto this CPU */
void vmx_asid_assign(struct vmx_vcpu *s); /* s->flush, s->flush_ept */

/* vmexit.c */
void vmx_decode(struct vcpu *v, uint32_t reason, struct vmexit *x);
void vmx_decode_refusal(struct vcpu *v, int how, struct vmexit *x);
bool vmx_skip(struct vcpu *v, const struct vmexit *x);

/* apic.c: the local APIC's page, worked on by the processor. */
extern bool vmx_use_apic; /* an option */
int vmx_apic_domain_init(struct domain *d);
void vmx_apic_domain_destroy(struct domain *d);
bool vmx_apic_mode(struct vcpu *v);
void vmx_apic_sync(struct vcpu *v);
void vmx_decode_apic(struct vcpu *v, uint32_t reason, struct vmexit *x);

/* pml.c: the processor's log of written pages. */
#define PML_ENTRIES 512U
int vmx_pml_init(struct vmx_vcpu *s);
void vmx_pml_destroy(struct vmx_vcpu *s);
void vmx_drain_log(struct vcpu *v,
		   void (*written)(struct domain *d, gfn_t gfn));

/* realmode.c: without unrestricted guest. vmx_put_mode(): CR0, CR4, EFER or
 * CR3 is another one, the VMCS is current. vmx_must_emulate(): the guest cannot
 * be entered as it is; vmx_emulate(): the exit that says so. */
void vmx_put_mode(struct vmx_vcpu *s);
bool vmx_must_emulate(struct vcpu *v);
void vmx_emulate(struct vcpu *v, struct vmexit *x);

/* maps.c: what exits and what does not. */
int vmx_maps_init(struct domain *d);
void vmx_maps_destroy(struct domain *d);
void vmx_allow_port(struct domain *d, unsigned int port, unsigned int n,
		    bool allow);
void vmx_allow_msr(struct domain *d, uint32_t msr, bool read, bool write);
/* The MSR bitmap for d, with the x2APIC's registers that need no exit. */
paddr_t vmx_msr_bitmap(const struct domain *d, bool x2apic);

/* inject.c */
void vmx_post_irq(struct vcpu *v, int vector);
int vmx_posted_irq(struct vcpu *v);
void vmx_watch_tpr(struct vcpu *v, bool on);
void vmx_inject_exception(struct vcpu *v, uint8_t vector, bool has_error,
			  uint32_t error);
bool vmx_inject_nmi(struct vcpu *v);
void vmx_end_shadow(struct vcpu *v);
void vmx_forget_events(struct vcpu *v);
void vmx_reinject(struct vcpu *v, uint32_t vectoring);
/* What goes in with the next entry, and which windows exit. */
void vmx_deliver(struct vcpu *v);
/* The event that goes in now, by hand; 0: none. */
uint32_t vmx_take_event(struct vcpu *v, uint32_t *error);
void vmx_set_threshold(struct vmx_vcpu *s);
void vmx_set_proc(struct vmx_vcpu *s, uint32_t proc);

/* state.c */
void vmx_vmcs_init(struct vcpu *v);
uint64_t vmx_get_creg(struct vcpu *v, enum hvm_creg r);
void vmx_set_creg(struct vcpu *v, enum hvm_creg r, uint64_t val);
void vmx_get_seg(struct vcpu *v, enum hvm_seg s, struct hvm_segment *g);
void vmx_set_seg(struct vcpu *v, enum hvm_seg s, const struct hvm_segment *g);
unsigned int vmx_cpl(struct vcpu *v);
unsigned int vmx_code_bits(struct vcpu *v);
unsigned int vmx_kernel_bits(struct vcpu *v);
void vmx_get_paging(struct vcpu *v, struct walk_regs *r);
bool vmx_get_msr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool vmx_set_msr(struct vcpu *v, uint32_t msr, uint64_t val);
void vmx_get_dr(struct vcpu *v, uint64_t dr[8]);
void vmx_set_dr(struct vcpu *v, const uint64_t dr[8]);
void vmx_load_debug_registers(struct vmx_vcpu *s);
void vmx_save_debug_registers(struct vmx_vcpu *s);
void vmx_load_pdptes(struct vcpu *v);
void vmx_restart_timer(void);
void vmx_rewind_log(void);
void vmx_dump(struct vcpu *v);

/* checks.c: the first check of "VM Entries" that the guest's state fails; NULL:
 * none that is known here. */
const char *vmx_check_guest(uint64_t (*get)(enum vmcs_field f),
			    const struct vmx_caps *c);
/* The same of the segments only, with these flags. */
const char *vmx_check_segments(uint64_t (*get)(enum vmcs_field f),
			       const struct vmx_caps *c, uint64_t rflags);

/* ept.c */
extern struct p2m_format ept_format;
void vmx_ept_init(void); /* as vmx_caps says */
extern const struct hvm_ops vmx_ops;

#endif
