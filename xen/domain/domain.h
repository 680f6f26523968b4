/* SPDX-License-Identifier: MIT */
/*
 * Domains and their virtual CPUs (docs/domain.md).
 *
 * Life: domain_create() → alive → dying (DOMCTL_destroydomain: resources are
 * given back, preemptibly) → dead (only references keep the structure) → freed
 * when the last reference goes. Whoever looks a domain up by number holds a
 * reference until put_domain(). The last of a domain's frames also holds one.
 */
#ifndef OSTLER_DOMAIN_DOMAIN_H
#define OSTLER_DOMAIN_DOMAIN_H

#include "cpu/cpu.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "cpu/time.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "mem/p2m.h"
#include "sched/sched.h"
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define MAX_VCPUS 128
/* shutdown_code of a domain that has not shut down. */
#define SHUTDOWN_CODE_INVALID 255

struct domain;
struct vcpu;
struct event_table; /* event/ */
struct grant_table; /* grant/ */
struct cpu_policy;  /* domain/cpu_policy.h */

/* Two of SCHEDOP_watchdog's timers. */
#define NR_WATCHDOGS 2

/*
 * What higher floors add to a domain: event channels, grant tables. The list
 * is control/parts.c; init in its order, the rest in reverse.
 */
struct domain_part {
	const char *name;
	int (*init)(struct domain *d,
		    const struct xen_domctl_createdomain *cfg);
	/* The domain is dying and paused; -ERESTART: call again. */
	int (*relinquish)(struct domain *d);
	void (*destroy)(struct domain *d);
	/* vcpu_info moved (VCPUOP_register_vcpu_info); may be NULL */
	void (*vcpu_moved)(struct vcpu *v);
};
extern const struct domain_part *const domain_parts[]; /* ends with NULL */

/* A structure in guest memory that we write to from anywhere: its frames held,
 * at most two. Several CPUs may write to it and register another. */
struct guest_area {
	spinlock_t lock;       /* LOCK_AREA, for all of it */
	uint16_t offset, size; /* size 0: none registered */
	mfn_t mfn[2];
};

/* General registers as a hypercall or an exit sees them. */
struct guest_regs {
	uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi; /* by encoding */
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags;
};

/*
 * A kind of domain: PVH and HVM (hvm/), PV (pv/). Common code calls these and
 * never asks which kind it has.
 */
struct domain_kind {
	const char *name;
	bool translated;   /* guest frame numbers are the domain's own (p2m) */
	uint32_t features; /* XENFEAT_* bits that the kind implies */
	uint32_t vm_assists; /* VMASST_TYPE_* bits that it may ask for */

	int (*domain_init)(struct domain *d,
			   const struct xen_domctl_createdomain *cfg);
	/* Gives memory back; -ERESTART: call again. */
	int (*domain_relinquish)(struct domain *d);
	void (*domain_destroy)(struct domain *d);

	int (*vcpu_init)(struct vcpu *v);
	void (*vcpu_destroy)(struct vcpu *v);
	/* VCPUOP_initialise / DOMCTL_setvcpucontext; the vCPU is down. */
	int (*vcpu_set_context)(struct vcpu *v, const void *ctx, size_t size);
	size_t context_size; /* what VCPUOP_initialise reads */
	/* DOMCTL_getvcpucontext; the vCPU is paused. */
	int (*vcpu_get_context)(struct vcpu *v, struct vcpu_guest_context *ctx);
	void (*send_nmi)(struct vcpu *v); /* NULL: there are none */
	/* DOMCTL_setdebugging: its breakpoints stop it, or not. It is paused.
	 * NULL: they are its own. */
	void (*debug)(struct domain *d, bool on);
	/* DOMCTL_debug_op; the vCPU is paused. False: the CPU cannot. NULL: the
	 * kind has no such thing. */
	bool (*single_step)(struct vcpu *v, bool on);
	/* As at power-on. */
	void (*vcpu_reset)(struct vcpu *v);

	/* sched_unit_ops of its vCPUs */
	const struct sched_unit_ops *sched;

	/* An event is pending and not masked: make the vCPU notice (wake it,
	 * kick its CPU, assert its callback). Any CPU, any context; takes no
	 * lock above LOCK_SCHED_GLOBAL. */
	void (*event_notify)(struct vcpu *v);
	/* True if the vCPU must not stay blocked. */
	bool (*vcpu_has_work)(struct vcpu *v);

	/* The guest's memory through its own page tables: as
	 * guest_access.h says. */
	int (*copy_to_guest)(struct vcpu *v, uint64_t va, const void *src,
			     size_t len);
	int (*copy_from_guest)(struct vcpu *v, void *dst, uint64_t va,
			       size_t len);
	/* A page of the caller's plain memory, without a reference: good while
	 * interrupts stay off. NULL, also as the operation: hold the frame. */
	void *(*own_page)(struct vcpu *v, gfn_t gfn);
	/* The frame (gfn if translated) that kernel address va maps to, for a
	 * structure that stays registered. False: not mapped (writable). */
	bool (*va_to_gfn)(struct vcpu *v, uint64_t va, gfn_t *gfn);
	/* The frame (gfn if translated) at an address of v's, which does not
	 * run, for a debugger. False: nothing is mapped. */
	bool (*find_page)(struct vcpu *v, uint64_t va, gfn_t *gfn);
	/* RIP stays at the hypercall instruction, which is executed again. */
	void (*hypercall_restart)(struct vcpu *v);
	/* Fills a hypercall page (4 KiB). */
	void (*hypercall_page)(struct domain *d, void *page);
	/* Physical IRQs as event channels (PV; EVTCHNOP_bind_pirq). NULL: none
	 */
	int (*pirq_bind)(struct domain *d, unsigned int pirq, bool share);
	void (*pirq_unbind)(struct domain *d, unsigned int pirq);
	/* Everything about the domain's CPUs and devices, as records of
	 * public/hvm/save.h; buf NULL: *len is what it takes. The domain is
	 * paused. NULL: the kind has no such records. */
	int (*save)(struct domain *d, void *buf, size_t *len);
	int (*save_one)(struct domain *d, unsigned int type,
			unsigned int instance, void *buf, size_t *len);
	int (*load)(struct domain *d, const void *buf, size_t len);
	/* XEN_DOMCTL_sendtrigger. */
	int (*trigger)(struct vcpu *v, uint32_t trigger);
	/*
	 * Kinds that are not translated. own_frames: n frames from mfn on are
	 * the domain's now, as its numbers pfn on (~0: none yet); 0, -ENOMEM,
	 * or -ESRCH: its end has begun. Who fails releases them. release_frame:
	 * it gives one back; false: it is not its own.
	 */
	int (*own_frames)(struct domain *d, mfn_t mfn, uint64_t n,
			  uint64_t pfn);
	bool (*release_frame)(struct domain *d, mfn_t mfn);
	/* Counts anew what its frames are used for; how many are wrong, with a
	 * line for each. NULL: nothing to count. */
	unsigned int (*check)(struct domain *d);
	/* Some of the domain's memory is no longer its own (NULL: nobody
	 * cares). */
	void (*memory_left)(struct domain *d);
	/* Pages of a device model's server (XENMEM_resource_ioreq_server): the
	 * frame, which stays while the server does, and how many there are. */
	int (*ioreq_frame)(struct domain *d, uint32_t id, uint64_t frame,
			   mfn_t *mfn);
	int (*ioreq_size)(struct domain *d, uint32_t id, uint32_t *n);
	uint32_t info_flags; /* XEN_DOMINF_* of the kind */
	/* physdev_op commands about IRQs; NULL: there are none. */
	long (*physdev_op)(struct vcpu *v, uint32_t cmd, uint64_t arg);

	/*
	 * Granted frames in the caller's memory (grant/). addr is the
	 * operation's host_addr: a guest-physical address for translated kinds,
	 * else what flags (GNTMAP_*) say. grant/ holds the frame's references;
	 * the kind makes and removes the mapping, and gives GNTST_*. unmap
	 * checks that mfn is mapped at addr. Others never touch these mappings.
	 */
	int (*grant_map)(struct vcpu *v, uint64_t addr, mfn_t mfn,
			 uint32_t flags);
	int (*grant_unmap)(struct vcpu *v, uint64_t addr, mfn_t mfn,
			   uint32_t flags);
	/* Moves the mapping from addr to new_addr (unmap_and_replace). */
	int (*grant_replace)(struct vcpu *v, uint64_t addr, mfn_t mfn,
			     uint64_t new_addr, uint32_t flags);
	/* No CPU knows a mapping any more that was removed before: once for a
	 * batch, before the frames are let go. */
	void (*grant_flush)(struct domain *d);
	/* The p2m's types say what the guest has written so far. NULL: they
	 * always do. */
	void (*log_sync)(struct domain *d);
};

enum domain_dying { DOMDYING_ALIVE, DOMDYING_DYING, DOMDYING_DEAD };

struct vcpu {
	/* Hot: what an exit touches, first. */
	struct guest_regs regs;
	struct domain *domain;
	unsigned int id;
	void *arch; /* the kind's own: struct hvm_vcpu, struct pv_vcpu */
	struct vcpu_info *info; /* where the guest put it, or in shared info */

	struct sched_unit unit;
	bool online;             /* VCPUOP_up */
	bool initialised;        /* has a context */
	bool initialising;       /* gets one: its domain's lock */
	bool polling;            /* in SCHEDOP_poll */
	uint32_t control_pauses; /* DOMCTL_gdbsx_pausevcpu minus unpauses */
	uint32_t poll_port;      /* the only one, or 0 */
	uint8_t debug_event;     /* why it stopped, for gdbsx; 0: nothing new */

	mfn_t info_mfn; /* the frame that info was moved to, held; or INVALID */
	struct timer singleshot, periodic, poll_timer;
	s_time_t periodic_period;
	uint64_t tsc_offset; /* of the TSC that it sees to ours */

	struct vcpu_runstate_info runstate;
	struct guest_area runstate_area, time_area;
	uint32_t virq_to_port[NR_VIRQS]; /* event/ */
	uint64_t *multicall_args;        /* of the entry being done, or NULL */
	void *compat_arg; /* a 32-bit guest's call: what is at COMPAT_VA */
	size_t compat_size;
};

struct log_dirty;
struct domain {
	domid_t id;
	const struct domain_kind *kind;
	void *arch;            /* struct hvm_domain, struct pv_domain */
	bool privileged;       /* dom0, hardware domain */
	struct domain *target; /* a stub domain's; held */
	unsigned int max_vcpus;
	struct vcpu **vcpu;
	struct p2m p2m;              /* translated kinds */
	struct log_dirty *log_dirty; /* … NULL: nobody asked yet */
	uint64_t paging_pages;       /* what tools say its tables may take */
	bool identity; /* its memory is mapped one to one, for its devices */

	struct shared_info *shared_info;
	struct event_table *events;
	struct grant_table *grants;
	struct cpu_policy *policy;
	struct sched_group sched;

	spinlock_t lock; /* LOCK_DOMAIN */
	uint32_t refs;
	enum domain_dying dying;
	bool shutting_down, shut_down;
	uint8_t shutdown_code;
	uint8_t crash_code; /* SCHEDOP_shutdown_code, SHUTDOWN_CODE_INVALID */
	uint32_t control_pauses; /* DOMCTL_pausedomain minus unpauses */
	bool created;            /* unpaused for the first time */
	bool debugged;           /* DOMCTL_setdebugging */
	/* Set by event/: tells who subscribed that it suspended. */
	void (*suspend_notify)(struct domain *d);
	uint32_t suspend_port;

	spinlock_t pages_lock;                            /* LOCK_PAGES */
	uint64_t tot_pages, max_pages, outstanding_pages; /* pages_lock */

	xen_domain_handle_t handle;
	uint32_t create_flags, options;
	struct xen_domctl_createdomain config;
	int32_t time_offset;
	uint32_t tsc_mode;
	uint32_t vm_assist;
	struct domain *hash_next;
	unsigned int relinquish_step;
	gfn_t relinquish_gfn;
	struct tasklet destroy_work;
	struct watchdog {
		struct timer timer;
		bool in_use;
	} watchdog[NR_WATCHDOGS];
	struct memory_map *memory_map; /* XENMEM_set_memory_map */
	char console_line[120];        /* of console_io's, not yet ended */
	unsigned int console_fill;
};

extern const struct domain_kind *domain_kind_hvm, *domain_kind_pv;
extern struct domain *dom0;

/* The vCPU that runs here; NULL in the idle loop. */
DECLARE_PER_CPU(struct vcpu *, current);
#define current this_cpu_read(current)

/* 0 and a referenced, paused domain, or -errno (public/domctl.h). */
int domain_create(domid_t id, const struct xen_domctl_createdomain *cfg,
		  bool privileged, struct domain **out);
/* Destroys what can be at once and goes on: -ERESTART until done. */
int domain_kill(struct domain *d);
void domain_init(void); /* at boot */

/* A reference to the domain with that number, DOMID_SELF included; NULL. */
struct domain *get_domain(domid_t id);
struct domain *get_self(void); /* the caller's */
void put_domain(struct domain *d);
static inline void hold_domain(struct domain *d)
{
	atomic_add(&d->refs, 1);
}
/* The next domain with a number >= id, referenced; NULL. */
struct domain *next_domain(unsigned int id);

/* May caller do this to target? -EPERM, else 0. Privileged may to all; a
 * stub domain to its target; everybody to himself. */
int domain_check_privilege(struct domain *caller, struct domain *target);

int vcpu_create(struct domain *d, unsigned int id);
void vcpu_up(struct vcpu *v);
/* A domain that takes its last vCPU down has powered off. */
void vcpu_down(struct vcpu *v);
/* An event came, or anything else for which it must not stay blocked. */
void vcpu_wake(struct vcpu *v);
void vcpu_block(struct vcpu *v);
/* SCHEDOP_poll and event/: it waits for ports, until a deadline (0: none). */
void vcpu_poll(struct vcpu *v, s_time_t deadline);
/* One-shot and periodic VIRQ_TIMER; 0 stops. */
void vcpu_set_singleshot(struct vcpu *v, s_time_t expires);
void vcpu_set_periodic(struct vcpu *v, s_time_t period);
/* Makes it look for events even while it runs elsewhere. */
void vcpu_kick(struct vcpu *v);
/* The same, and nothing if it runs here: it looks on its way out. Having
 * blocked, it does not, though it is still current: an interrupt may come in
 * between. */
static inline void vcpu_notify(struct vcpu *v)
{
	if (v != current || READ_ONCE(v->unit.state) != SCHED_RUNNING)
		vcpu_kick(v);
}

void domain_pause(struct domain *d); /* counted, waits */
void domain_pause_nosync(struct domain *d);
/* By one of its own vCPUs; whoever waits for VIRQ_DEBUGGER unpauses it. */
void domain_stop_for_debugger(struct domain *d);
void domain_unpause(struct domain *d);
/* SCHEDOP_shutdown: all vCPUs stop, tools are told by VIRQ_DOM_EXC. */
void domain_shutdown(struct domain *d, unsigned int reason);
void domain_resume(struct domain *d);
/* It ends by itself: for this reason, or as its SCHEDOP_shutdown_code says. */
void domain_end_as(struct domain *d, unsigned int reason);
/* The guest did something it may not survive: a line, then SHUTDOWN_crash. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);

/*
 * Page accounting. domain_alloc_pages(): 2^order frames charged and assigned,
 * or INVALID_MFN: none free, or over the domain's maximum.
 */
#define DOMAIN_ALLOC_BEYOND_MAX BIT(8) /* among ALLOC_ flags */
mfn_t domain_alloc_pages(struct domain *d, unsigned int order,
			 unsigned int flags);
/* The very frames from mfn on, if all are free: for a domain whose memory is
 * mapped one to one. Else INVALID_MFN. */
mfn_t domain_alloc_at(struct domain *d, mfn_t mfn, unsigned int order);
bool __must_check domain_charge(struct domain *d, uint64_t pages);
void domain_uncharge(struct domain *d, uint64_t pages);
/* XENMEM_claim_pages: that many pages in all are this domain's to allocate. */
/* After paging_pages or max_pages changed: how many pages its nested tables may
 * take follows. */
void domain_limit_tables(struct domain *d);
int domain_claim(struct domain *d, uint64_t pages);
uint64_t claimed_page_count(void);

/* A zeroed page of ours that guests may map: shared info, grant frames.
 * Giving it back waits, in the background, for the last mapping to go. */
void *domain_shared_page(struct domain *d);
void domain_put_shared_page(void *page);

/* VCPUOP_register_*_area: 0 (size bytes at va are held), -EFAULT. */
int guest_area_register(struct vcpu *v, struct guest_area *a, uint64_t va,
			size_t size);
void guest_area_init(struct guest_area *a);
void guest_area_write(struct guest_area *a, size_t offset, const void *src,
		      size_t len);
void guest_area_release(struct guest_area *a);
/* Moves vcpu_info to offset bytes into a frame of the guest's, for good. The
 * domain's lock is not held. */
int vcpu_move_info(struct vcpu *v, gfn_t gfn, unsigned int offset);

/* Tools and other listeners. Set by event/ at boot: a lower floor's way up. */
extern void (*send_global_virq)(unsigned int virq);
extern void (*send_guest_virq)(struct vcpu *v, unsigned int virq);

/* pvclock: writes the vCPU's time page as of now. */
void vcpu_update_time(struct vcpu *v);
void domain_update_wallclock(struct domain *d);
/* sched_unit_ops.runstate of every kind: accounts, and tells the guest. */
void vcpu_runstate_change(struct sched_unit *u, int state, s_time_t t);
/* Runstate as the guest may read it (VCPUOP_get_runstate_info). */
void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out);

/* The vCPU of that number, which a guest may have chosen; NULL: there is none.
 */
static inline struct vcpu *domain_vcpu(const struct domain *d, uint32_t id)
{
	return id < d->max_vcpus ? d->vcpu[index_nospec(id, d->max_vcpus)]
				 : NULL;
}

#define for_each_vcpu(d, v)                                                    \
	for (unsigned int i_ = 0; i_ < (d)->max_vcpus; i_++)                   \
		if (((v) = (d)->vcpu[i_]) != NULL)

#endif
