/* SPDX-License-Identifier: MIT */
/*
 * Hardware containers: the vendor interface and what is shared above it.
 * The vendor turns a hardware exit into a struct vmexit; a table of handlers
 * (hvm/exit.c) answers with a verdict; the vendor enters again. docs/hvm.md
 * walks through it.
 */
#ifndef OSTLER_HVM_HVM_H
#define OSTLER_HVM_HVM_H

#include "domain/domain.h"
#include <xen/hvm/params.h>

#define DR6_BS    BIT(14) /* a single step */
#define DR7_ARMED 0xff    /* DR0-3 match, one or more of them */

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
	VMEXIT_EXCEPTION,
	VMEXIT_INVD, /* INVD, WBINVD */
	VMEXIT_INVLPG,
	VMEXIT_XSETBV,
	VMEXIT_TASK_SWITCH,
	VMEXIT_SHUTDOWN, /* triple fault */
	VMEXIT_VIRT,     /* a virtualisation instruction */
	VMEXIT_MONITOR,
	VMEXIT_MWAIT,
	VMEXIT_LOG_FULL, /* hvm_ops->drain_log() */
	VMEXIT_INTERNAL, /* the vendor's own business: enter again */
	VMEXIT_EMULATE,  /* it cannot be entered as it is: interpret.c */
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
	uint8_t length; /* of the instruction; 0: not known (the vendor finds
			   it when hvm_ops->skip() is called) */
	uint64_t code;  /* the vendor's number, for messages */
	uint64_t info1, info2;
	union {
		struct {
			uint16_t port;
			uint8_t size;
			bool in, string, rep;
		} io;
		struct {
			gpa_t gpa;
			bool present, write, fetch, in_table;
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
			uint32_t cause; /* of #DB, as in DR6 */
		} exc;
		struct {
			bool valid, has_error;
			uint8_t vector;
			uint32_t error;
		} event; /* VMEXIT_EMULATE: it goes in first */
		struct {
			uint8_t how; /* enum emu_task_how */
			bool skip;   /* an instruction made it: it is over */
			bool external, has_error;
			uint16_t sel;
			uint32_t error;
		} task;
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
#define SEG_ATTR_L BIT(9)
#define SEG_ATTR_D BIT(10)
#define SEG_ATTR_P BIT(7)

enum hvm_creg { CR0, CR2, CR3, CR4, CR8, EFER };

struct walk_regs {
	uint64_t cr0, cr3, cr4, efer;
	bool user; /* at CPL 3 */
};

/*
 * What a vendor does; chosen once at boot. All on a vCPU that is loaded here or
 * runs nowhere. Outside run() the general registers, RIP and RFLAGS are in
 * v->regs.
 */
#define NO_KERNEL_CR3 UINT64_MAX
struct hvm_ops {
	const char *name;
	const struct p2m_format *p2m;
	uint8_t hypercall_insn[3];     /* how a guest calls us */
	size_t vcpu_size, domain_size; /* the vendor's own, zeroed:
					  hvm_vcpu_vendor() … */

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
	/* Past the instruction that exited; false if it cannot be read. */
	bool (*skip)(struct vcpu *v, const struct vmexit *x);

	uint64_t (*get_creg)(struct vcpu *v, enum hvm_creg r);
	void (*set_creg)(struct vcpu *v, enum hvm_creg r, uint64_t val);
	void (*get_seg)(struct vcpu *v, enum hvm_seg s, struct hvm_segment *g);
	void (*set_seg)(struct vcpu *v, enum hvm_seg s,
			const struct hvm_segment *g);
	unsigned int (*cpl)(struct vcpu *v);
	unsigned int (*code_bits)(struct vcpu *v); /* 16, 32, 64 */
	/* The same, but 0 outside ring 0; notes call_cr3. */
	unsigned int (*kernel_bits)(struct vcpu *v);
	/* Everything that a walk of its page tables needs, at once. */
	void (*get_paging)(struct vcpu *v, struct walk_regs *r);
	/* MSRs that the vendor's structure holds; false: not one of them */
	bool (*get_msr)(struct vcpu *v, uint32_t msr, uint64_t *val);
	bool (*set_msr)(struct vcpu *v, uint32_t msr, uint64_t val);
	void (*get_dr)(struct vcpu *v, uint64_t dr[8]);
	void (*set_dr)(struct vcpu *v, const uint64_t dr[8]);

	/*
	 * Interrupts: vector waits at the guest's door and is taken as soon as
	 * IF is set and there is no shadow; -1 takes it back. posted_irq() is
	 * what still waits, -1 when it was taken. CR8 plays no part; while
	 * watch_tpr() is on, writes to it exit.
	 */
	void (*post_irq)(struct vcpu *v, int vector);
	int (*posted_irq)(struct vcpu *v);
	void (*watch_tpr)(struct vcpu *v, bool on);
	/*
	 * Where the processor can work on the local APIC's page itself; both
	 * NULL where none can. apic_mode(): the APIC's mode is another one;
	 * true: from now on the processor takes what is in IRR, and handles
	 * EOIs. apic_sync(), before an entry: IRR or TMR changed.
	 */
	bool (*apic_mode)(struct vcpu *v);
	void (*apic_sync)(struct vcpu *v);
	void (*inject_exception)(struct vcpu *v, uint8_t vector, bool has_error,
				 uint32_t error);
	/* false: not now (one is being handled); ask again before the next
	 * entry */
	bool (*inject_nmi)(struct vcpu *v);
	void (*set_tsc_offset)(struct vcpu *v, uint64_t offset);
	/* Ports and MSRs that need no exit. */
	void (*allow_port)(struct domain *d, unsigned int port, unsigned int n,
			   bool allow);
	void (*allow_msr)(struct domain *d, uint32_t msr, bool read,
			  bool write);
	/* RDTSC exits, or does not. */
	void (*intercept_tsc)(struct vcpu *v, bool on);
	/* INT3 exits before it is done, or does not. v is paused. */
	void (*intercept_int3)(struct vcpu *v, bool on);
	/* STI and MOV SS hold back nothing more. */
	void (*end_shadow)(struct vcpu *v);
	/* INIT: nor does anything else; what was to go in is gone. */
	void (*forget_events)(struct vcpu *v);
	/* Before it enters again, v forgets what nested paging gave it. */
	void (*flush)(struct vcpu *v);
	/*
	 * The pages that v was the first to write of those that are
	 * P2M_RAM_LOGDIRTY: written() for each that its processor's log has,
	 * which is empty then. v may run. The p2m's lock is held. NULL: no
	 * processor has a log, each such write faults; some may fault anyway.
	 */
	void (*drain_log)(struct vcpu *v,
			  void (*written)(struct domain *d, gfn_t gfn));
	void (*dump)(struct vcpu *v);
};

extern const struct hvm_ops *hvm_ops; /* NULL: PV only */

/* Finds the vendor and prepares this (the boot) CPU. 0, or -ENODEV: hardware
 * containers are not to be had here; the reason was printed. */
int hvm_init(void);
int hvm_init_cpu(void); /* each other CPU */
/* Every vCPU of the domain (cookie) forgets its translations before it enters
 * again, and the p2m cache what it had. */
void hvm_flush(void *cookie);

struct hvm_domain;
struct vlapic;
struct fpu_state;

/* Why something waits at the guest's door. */
enum irq_source { IRQ_NOBODY, IRQ_CALLBACK, IRQ_PIC, IRQ_LAPIC };

/* A small cache of the p2m: RAM that was reached lately, by gfn. Generations
 * are those of p2m->ram_left. */
#define P2M_CACHE 64
struct p2m_cache {
	uint64_t generation;
	struct {
		uint64_t tag; /* gfn plus 1; 0: empty */
		void *page;
	} e[P2M_CACHE];
};

/*
 * Walks of a 64-bit kernel's addresses that were done lately: the entries read
 * on the way (the last one again where a large page ended it) and the page they
 * led to. While all of them are what they were, so is the page.
 */
#define WALK_CACHE 8
struct walk_cache {
	struct known_walk {
		uint64_t
			tag; /* page number, and whether for writing; 0: none */
		uint64_t cr3;
		uint64_t generation;
		char *page;
		struct {
			const uint64_t *at;
			uint64_t was;
		} entry[4];
	} e[WALK_CACHE];
};

/*
 * What the instruction at RIP asked device models (hvm/ioreq.c): answers that
 * are there already, by the order of asking, and the request that is out.
 */
#define IO_ACCESSES 16
struct ioreq_server;
struct hvm_io {
	bool pending; /* a request is out */
	bool again;   /* exit is answered once more when it comes back */
	bool awaited; /* … and with its answer */
	uint8_t nr, next;
	struct ioreq_server *server; /* NULL: it is gone */
	struct io_access {
		uint64_t asked, addr, val;
		uint32_t count;
		uint8_t size, asked_type, type;
		bool write;
	} done[IO_ACCESSES];
	struct vmexit exit;
};

/* A kernel's plain 32-bit moves from and to its local APIC, decoded once. */
#define LAPIC_INSNS 16
struct lapic_insn {
	uint64_t rip, cr3; /* rip 0: empty */
	uint8_t length, reg;
	bool write, has_imm;
	uint32_t imm;
};

struct hvm_vcpu {
	/* Hot: each exit. */
	struct hvm_domain *hd;
	bool upcall;    /* event_notify() came: look at vcpu_info */
	bool irq_check; /* something changed in the local APIC */
	bool nmi_pending;
	bool in_reset;    /* INIT came: waits for SIPI */
	bool tpr_watched; /* CR8 decides about what is in IRR */
	bool stepping;    /* debug.c: TF is set for a debugger */
	bool own_tf;      /* … and the guest's would be so too */
	bool shadow;      /* the instruction emulated holds back interrupts */
	bool halted;      /* … was HLT */
	enum irq_source posted_by;
	int posted;           /* the vector at the door; -1: none */
	uint64_t restart_rip; /* of the hypercall that is being done */
	uint64_t call_cr3; /* its caller's; NO_KERNEL_CR3: not 64 bits wide */
	struct vlapic *lapic;
	uint64_t exits[VMEXIT_KINDS];

	struct p2m_cache p2m_cache;
	struct walk_cache walks;
	struct lapic_insn lapic_insns[LAPIC_INSNS];
	uint8_t upcall_vector; /* HVMOP_set_evtchn_upcall_vector */

	struct hvm_io io;
	struct {
		bool waits;
		uint8_t vector;
		uint32_t error;
		uint64_t cr2;
	} later; /* hvm_inject_later() */
	struct fpu_state *fpu;
	uint64_t tsc_aux, tsc_adjust, pat;
	uint64_t misc_enable;
};

static inline struct hvm_vcpu *hvm_vcpu(const struct vcpu *v)
{
	return v->arch;
}
static inline void *hvm_vcpu_vendor(const struct vcpu *v)
{
	return (struct hvm_vcpu *)v->arch + 1;
}

#define MTRR_VARIABLE 8
#define MTRR_FIXED    11
struct hvm_mtrr {
	uint64_t def_type, fixed[MTRR_FIXED], variable[MTRR_VARIABLE * 2];
};

struct vioapic;
struct vpci;
struct hvm_domain {
	uint8_t callback_vector; /* 0: none */
	bool callback_line;      /* the callback is a line: dev/virq.c */
	bool has_lapic;
	spinlock_t lock; /* LOCK_VDEV: lists below, devices */
	struct portio *ports;
	struct mmio *mmio;
	uint64_t params[HVM_NR_PARAMS];
	struct hvm_mtrr mtrr;
	struct vioapic *ioapics;
	unsigned int nr_ioapics;
	struct vpci *pci;
	uint64_t vm_generation;
	uint64_t context_tsc; /* ours, for all vCPUs' records (save.c) */
	uint32_t pci_cf8;     /* the last write to port 0xcf8 */
	/* Of a PC; NULL: none. lock. */
	struct vpic *pic;
	struct virq *virq;
	struct vpit *pit;
	struct vrtc *rtc;
	struct vhpet *hpet;
	struct vacpi *acpi;
	struct vram *vram;  /* p2m lock */
	uint8_t stale_maps; /* … which must forget where memory was, by number
			     */
	bool has_servers;   /* device models, once */
	struct ioreq_server *servers[8]; /* lock */
};
static inline struct hvm_domain *hvm_domain(const struct domain *d)
{
	return d->arch;
}
static inline void *hvm_domain_vendor(const struct domain *d)
{
	return (struct hvm_domain *)d->arch + 1;
}

/* run.c: the sched_unit_ops of a hardware container's vCPUs. */
extern const struct sched_unit_ops hvm_sched_ops;
void hvm_event_notify(struct vcpu *v);
/* The interrupt output of the two 8259s went up. */
void hvm_extint_notify(struct domain *d);
bool hvm_vcpu_has_work(struct vcpu *v);

/* exit.c */
enum verdict hvm_exit(struct vcpu *v, const struct vmexit *x);
const char *hvm_exit_name(enum vmexit_kind k);

/* inject.c */
void hvm_inject_gp(struct vcpu *v);
void hvm_inject_ud(struct vcpu *v);
/* An exception while another is being delivered: #DF? */
bool hvm_makes_double_fault(uint8_t first, uint8_t second);
/* An exception from outside, when the vCPU enters next; error ~0: none.
 * -EBUSY: one waits already. */
int hvm_inject_later(struct vcpu *v, uint8_t vector, uint32_t error,
		     uint64_t cr2);

/* cpuid.c: as the guest sees it now. */
void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub,
	       struct cpuid_regs *out);
void hvm_hypercall_page(struct domain *d, void *page);

/* msr.c: false: the guest gets #GP. */
bool hvm_rdmsr(struct vcpu *v, uint32_t msr, uint64_t *val);
bool hvm_wrmsr(struct vcpu *v, uint32_t msr, uint64_t val);
void hvm_msr_init(struct domain *d);
/* Its TSC is the machine's and offset; the guest's clock page follows. */
void hvm_set_tsc_offset(struct vcpu *v, uint64_t offset);

/* With the architecture's checks. */
bool hvm_set_efer(struct vcpu *v, uint64_t val);
bool hvm_set_cr0(struct vcpu *v, uint64_t val);
uint64_t hvm_get_cr(struct vcpu *v, unsigned int cr);
bool hvm_set_cr4(struct vcpu *v, uint64_t val);

/* interpret.c: VMEXIT_EMULATE. */
enum verdict hvm_interpret(struct vcpu *v, const struct vmexit *x);

/* task.c */
enum verdict hvm_task_switch(struct vcpu *v, const struct vmexit *x);

/* npf.c */
enum verdict hvm_npf(struct vcpu *v, const struct vmexit *x);

/* context.c, save.c */
int hvm_set_context(struct vcpu *v, const void *ctx, size_t size);
int hvm_get_context(struct vcpu *v, struct vcpu_guest_context *ctx);
void hvm_vcpu_reset(struct vcpu *v);
void hvm_power_on(struct vcpu *v); /* the same, with its FPU and local APIC */
/* Real mode at vector << 12. */
void hvm_vcpu_start_at(struct vcpu *v, uint8_t vector);
/*
 * The domain's state as records of public/hvm/save.h; the domain is paused. buf
 * NULL: *len becomes the size needed. -ENOSPC if it does not fit.
 */
int hvm_save(struct domain *d, void *buf, size_t *len);
int hvm_save_one(struct domain *d, unsigned int type, unsigned int instance,
		 void *buf, size_t *len);
int hvm_load(struct domain *d, const void *buf, size_t len);

/* s3.c: HVM_PARAM_ACPI_S_STATE. 3: the domain sleeps, 0: it wakes. */
int hvm_set_s_state(struct domain *d, uint64_t state);

/* op.c: hvm_op and its parameters. */
long hvm_op(struct vcpu *v, unsigned int cmd, uint64_t arg);
int hvm_set_param(struct domain *d, uint32_t index, uint64_t value);
int hvm_get_param(struct domain *d, uint32_t index, uint64_t *value);

/* At boot: the same, for tools (trace/perf.h). */
void hvm_perf_init(void);

#endif
