/* SPDX-License-Identifier: MIT */
/*
 * The virtual machine control block (AMD APM Vol. 2, "VMCB Layout"). Fields
 * that the processor may cache are changed through the setters below, which
 * clear the matching clean bit ("VMCB State Caching").
 */
#ifndef OSTLER_HVM_SVM_VMCB_H
#define OSTLER_HVM_SVM_VMCB_H

#include "lib/types.h"
#include <assert.h>

struct vmcb_seg {
	uint16_t sel;
	uint16_t attr;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint16_t cr_read, cr_write; /* 0x000 */
	uint16_t dr_read, dr_write; /* 0x004 */
	uint32_t exceptions;        /* 0x008 */
	uint32_t intercept1;        /* 0x00c INTERCEPT_* */
	uint32_t intercept2;        /* 0x010 INTERCEPT2_* */
	uint32_t intercept3;        /* 0x014 */
	uint8_t reserved0[0x3c - 0x18];
	uint16_t pause_threshold, pause_count; /* 0x03c */
	uint64_t iopm;                         /* 0x040 */
	uint64_t msrpm;                        /* 0x048 */
	uint64_t tsc_offset;                   /* 0x050 */
	uint32_t asid;                         /* 0x058 */
	uint8_t tlb_control;                   /* 0x05c */
	uint8_t reserved1[3];
	uint32_t int_ctl;              /* 0x060 V_* */
	uint32_t int_vector;           /* 0x064 */
	uint64_t int_state;            /* 0x068 */
	uint64_t exitcode;             /* 0x070 */
	uint64_t exitinfo1, exitinfo2; /* 0x078 */
	uint64_t exitintinfo;          /* 0x088 */
	uint64_t np_enable;            /* 0x090 */
	uint8_t reserved2[0xa8 - 0x98];
	uint64_t eventinj;    /* 0x0a8 */
	uint64_t ncr3;        /* 0x0b0 */
	uint64_t lbr_control; /* 0x0b8 */
	uint64_t clean;       /* 0x0c0 CLEAN_* */
	uint64_t nrip;        /* 0x0c8 */
	uint8_t fetched;      /* 0x0d0 */
	uint8_t bytes[15];
	uint8_t reserved3[0x400 - 0xe0];
	struct vmcb_seg es, cs, ss, ds, fs, gs; /* 0x400 */
	struct vmcb_seg gdtr, ldtr, idtr, tr;   /* 0x460 */
	uint8_t reserved4[0x4cb - 0x4a0];
	uint8_t cpl; /* 0x4cb */
	uint32_t reserved5;
	uint64_t efer; /* 0x4d0 */
	uint8_t reserved6[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6; /* 0x548 */
	uint64_t rflags, rip;             /* 0x570 */
	uint8_t reserved7[0x5d8 - 0x580];
	uint64_t rsp; /* 0x5d8 */
	uint8_t reserved8[0x5f8 - 0x5e0];
	uint64_t rax;                                        /* 0x5f8 */
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base; /* 0x600 */
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;    /* 0x628 */
	uint64_t cr2;                                        /* 0x640 */
	uint8_t reserved9[0x668 - 0x648];
	uint64_t pat;      /* 0x668 */
	uint64_t debugctl; /* 0x670 */
	uint8_t reserved10[0x1000 - 0x678];
};
static_assert(offsetof(struct vmcb, iopm) == 0x040, "APM layout");
static_assert(offsetof(struct vmcb, asid) == 0x058, "APM layout");
static_assert(offsetof(struct vmcb, exitcode) == 0x070, "APM layout");
static_assert(offsetof(struct vmcb, eventinj) == 0x0a8, "APM layout");
static_assert(offsetof(struct vmcb, clean) == 0x0c0, "APM layout");
static_assert(offsetof(struct vmcb, bytes) == 0x0d1, "APM layout");
static_assert(offsetof(struct vmcb, es) == 0x400, "APM layout");
static_assert(offsetof(struct vmcb, tr) == 0x490, "APM layout");
static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "APM layout");
static_assert(offsetof(struct vmcb, efer) == 0x4d0, "APM layout");
static_assert(offsetof(struct vmcb, cr4) == 0x548, "APM layout");
static_assert(offsetof(struct vmcb, rip) == 0x578, "APM layout");
static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "APM layout");
static_assert(offsetof(struct vmcb, rax) == 0x5f8, "APM layout");
static_assert(offsetof(struct vmcb, sysenter_eip) == 0x638, "APM layout");
static_assert(offsetof(struct vmcb, cr2) == 0x640, "APM layout");
static_assert(offsetof(struct vmcb, pat) == 0x668, "APM layout");
static_assert(sizeof(struct vmcb) == PAGE_SIZE, "APM layout");

/* intercept1 and intercept2 */
#define INTERCEPT_INTR          BIT(0)
#define INTERCEPT_NMI           BIT(1)
#define INTERCEPT_SMI           BIT(2)
#define INTERCEPT_INIT          BIT(3)
#define INTERCEPT_VINTR         BIT(4)
#define INTERCEPT_CR0_SELECTIVE BIT(5)
#define INTERCEPT_RDTSC         BIT(14)
#define INTERCEPT_RDPMC         BIT(15)
#define INTERCEPT_CPUID         BIT(18)
#define INTERCEPT_IRET          BIT(20)
#define INTERCEPT_SWINT         BIT(21)
#define INTERCEPT_INVD          BIT(22)
#define INTERCEPT_PAUSE         BIT(23)
#define INTERCEPT_HLT           BIT(24)
#define INTERCEPT_INVLPGA       BIT(26)
#define INTERCEPT_IO            BIT(27)
#define INTERCEPT_MSR           BIT(28)
#define INTERCEPT_TASK_SWITCH   BIT(29)
#define INTERCEPT_FERR          BIT(30)
#define INTERCEPT_SHUTDOWN      BIT(31)

#define INTERCEPT2_VMRUN   BIT(0)
#define INTERCEPT2_VMMCALL BIT(1)
#define INTERCEPT2_VMLOAD  BIT(2)
#define INTERCEPT2_VMSAVE  BIT(3)
#define INTERCEPT2_STGI    BIT(4)
#define INTERCEPT2_CLGI    BIT(5)
#define INTERCEPT2_SKINIT  BIT(6)
#define INTERCEPT2_RDTSCP  BIT(7)
#define INTERCEPT2_WBINVD  BIT(9)
#define INTERCEPT2_MONITOR BIT(10)
#define INTERCEPT2_MWAIT   BIT(11)
#define INTERCEPT2_XSETBV  BIT(13)
#define INTERCEPT2_RDPRU   BIT(14)

/* int_ctl */
#define V_TPR          GENMASK(7, 0)
#define V_IRQ          BIT(8)
#define V_PRIO_SHIFT   16
#define V_PRIO         GENMASK(19, 16)
#define V_IGN_TPR      BIT(20)
#define V_INTR_MASKING BIT(24)

/* int_state */
#define INT_SHADOW BIT(0)

/* eventinj, exitintinfo */
#define EVENT_TYPE_SHIFT 8
#define EVENT_TYPE       GENMASK(10, 8)
#define EVENT_INTR       (0UL << EVENT_TYPE_SHIFT)
#define EVENT_NMI        (2UL << EVENT_TYPE_SHIFT)
#define EVENT_EXCEPTION  (3UL << EVENT_TYPE_SHIFT)
#define EVENT_SOFT       (4UL << EVENT_TYPE_SHIFT)
#define EVENT_ERROR      BIT(11)
#define EVENT_VALID      BIT(31)
#define EVENT_VECTOR     0xffUL

/* tlb_control */
#define TLB_NOTHING    0
#define TLB_FLUSH_ALL  1
#define TLB_FLUSH_ASID 3

/* clean */
#define CLEAN_INTERCEPTS BIT(0) /* and the TSC offset, the pause filter */
#define CLEAN_MAPS       BIT(1)
#define CLEAN_ASID       BIT(2)
#define CLEAN_INT        BIT(3)
#define CLEAN_NP         BIT(4)
#define CLEAN_CR         BIT(5) /* CR0, CR3, CR4, EFER */
#define CLEAN_DR         BIT(6)
#define CLEAN_DT         BIT(7)
#define CLEAN_SEG        BIT(8)
#define CLEAN_CR2        BIT(9)
#define CLEAN_LBR        BIT(10)

/* Exit codes. */
enum svm_exitcode {
	SVM_CR_READ = 0x00,
	SVM_CR_WRITE = 0x10,
	SVM_DR_READ = 0x20,
	SVM_DR_WRITE = 0x30,
	SVM_EXCEPTION = 0x40,
	SVM_INTR = 0x60,
	SVM_NMI = 0x61,
	SVM_SMI = 0x62,
	SVM_INIT = 0x63,
	SVM_VINTR = 0x64,
	SVM_CR0_SELECTIVE = 0x65,
	SVM_RDTSC = 0x6e,
	SVM_RDPMC = 0x6f,
	SVM_CPUID = 0x72,
	SVM_IRET = 0x74,
	SVM_SWINT = 0x75,
	SVM_INVD = 0x76,
	SVM_PAUSE = 0x77,
	SVM_HLT = 0x78,
	SVM_INVLPG = 0x79,
	SVM_INVLPGA = 0x7a,
	SVM_IOIO = 0x7b,
	SVM_MSR = 0x7c,
	SVM_TASK_SWITCH = 0x7d,
	SVM_FERR = 0x7e,
	SVM_SHUTDOWN = 0x7f,
	SVM_VMRUN = 0x80,
	SVM_VMMCALL = 0x81,
	SVM_SKINIT = 0x86,
	SVM_RDTSCP = 0x87,
	SVM_WBINVD = 0x89,
	SVM_MONITOR = 0x8a,
	SVM_MWAIT = 0x8b,
	SVM_MWAIT_ARMED = 0x8c,
	SVM_XSETBV = 0x8d,
	SVM_RDPRU = 0x8e,
	SVM_NPF = 0x400,
};
#define SVM_INVALID (~0UL)

/* The field changed: what the processor cached of it is stale. */
static inline void vmcb_touch(struct vmcb *vmcb, uint64_t bits)
{
	vmcb->clean &= ~bits;
}

/* A setter for each cached field: vmcb_set_cr0(vmcb, value) … */
#define VMCB_SETTER(field, group)                                              \
	static inline void vmcb_set_##field(                                   \
		struct vmcb *vmcb, __typeof__(((struct vmcb *)0)->field) v)    \
	{                                                                      \
		vmcb->field = v;                                               \
		vmcb_touch(vmcb, group);                                       \
	}
VMCB_SETTER(cr_read, CLEAN_INTERCEPTS)
VMCB_SETTER(cr_write, CLEAN_INTERCEPTS)
VMCB_SETTER(dr_read, CLEAN_INTERCEPTS)
VMCB_SETTER(dr_write, CLEAN_INTERCEPTS)
VMCB_SETTER(exceptions, CLEAN_INTERCEPTS)
VMCB_SETTER(intercept1, CLEAN_INTERCEPTS)
VMCB_SETTER(intercept2, CLEAN_INTERCEPTS)
VMCB_SETTER(tsc_offset, CLEAN_INTERCEPTS)
VMCB_SETTER(iopm, CLEAN_MAPS)
VMCB_SETTER(msrpm, CLEAN_MAPS)
VMCB_SETTER(asid, CLEAN_ASID)
VMCB_SETTER(int_ctl, CLEAN_INT)
VMCB_SETTER(int_vector, CLEAN_INT)
VMCB_SETTER(np_enable, CLEAN_NP)
VMCB_SETTER(ncr3, CLEAN_NP)
VMCB_SETTER(pat, CLEAN_NP)
VMCB_SETTER(cr0, CLEAN_CR)
VMCB_SETTER(cr3, CLEAN_CR)
VMCB_SETTER(cr4, CLEAN_CR)
VMCB_SETTER(efer, CLEAN_CR)
VMCB_SETTER(dr6, CLEAN_DR)
VMCB_SETTER(dr7, CLEAN_DR)
VMCB_SETTER(cr2, CLEAN_CR2)
VMCB_SETTER(cpl, CLEAN_SEG)
VMCB_SETTER(debugctl, CLEAN_LBR)
#undef VMCB_SETTER

#endif
