/* SPDX-License-Identifier: MIT */
/*
 * The virtual-machine control structure (Intel SDM Vol. 3, "Virtual Machine
 * Control Structures"): its fields, from vmcs.def, and the words in them. It is
 * read and written by instructions, on the one that is current on this CPU.
 */
#ifndef OSTLER_HVM_VMX_VMCS_H
#define OSTLER_HVM_VMX_VMCS_H

#include "lib/types.h"
#include "mem/layout.h"
#include <assert.h>

struct vmcs {
	uint32_t revision; /* IA32_VMX_BASIC 30:0 */
	uint32_t abort;
	uint8_t data[PAGE_SIZE - 8];
};
static_assert(sizeof(struct vmcs) == PAGE_SIZE, "at most a page, SDM");

enum vmcs_field {
#define VMCS_FIELD(encoding, width, name) VMCS_##name = encoding,
#include "hvm/vmx/vmcs.def"
#undef VMCS_FIELD
};

#ifdef OSTLER_UNIT /* the test's own */
uint64_t vmread(enum vmcs_field f);
uint64_t vmread_any(enum vmcs_field f);
void vmwrite(enum vmcs_field f, uint64_t v);
#else
static inline uint64_t vmread(enum vmcs_field f)
{
	uint64_t v;

	__asm__ volatile("vmread %1, %0" : "=rm"(v) : "r"((uint64_t)f) : "cc");
	return v;
}
/* 0 for a field that this CPU has not. */
static inline uint64_t vmread_any(enum vmcs_field f)
{
	uint64_t v = 0;

	__asm__ volatile("vmread %1, %0" : "+r"(v) : "r"((uint64_t)f) : "cc");
	return v;
}
static inline void vmwrite(enum vmcs_field f, uint64_t v)
{
	__asm__ volatile("vmwrite %0, %1" : : "rm"(v), "r"((uint64_t)f) : "cc");
}
/* False: VMfail. */
static inline bool vmclear(paddr_t pa)
{
	bool fail;

	__asm__ volatile("vmclear %1" : "=@ccbe"(fail) : "m"(pa) : "memory");
	return !fail;
}
static inline bool vmptrld(paddr_t pa)
{
	bool fail;

	__asm__ volatile("vmptrld %1" : "=@ccbe"(fail) : "m"(pa) : "memory");
	return !fail;
}
static inline bool vmxon(paddr_t pa)
{
	bool fail;

	__asm__ volatile("vmxon %1" : "=@ccbe"(fail) : "m"(pa) : "memory");
	return !fail;
}
static inline void vmxoff(void)
{
	__asm__ volatile("vmxoff" ::: "cc", "memory");
}
struct inv_descriptor {
	uint64_t what, address;
};
static inline void invept(uint64_t type, uint64_t eptp)
{
	struct inv_descriptor d = {eptp, 0};

	__asm__ volatile("invept %0, %1"
			 :
			 : "m"(d), "r"(type)
			 : "cc", "memory");
}
static inline void invvpid(uint64_t type, uint16_t vpid)
{
	struct inv_descriptor d = {vpid, 0};

	__asm__ volatile("invvpid %0, %1"
			 :
			 : "m"(d), "r"(type)
			 : "cc", "memory");
}

#endif

/* vmcs_get_NAME(), vmcs_set_NAME(value), of the field's own width. */
typedef uint16_t vmcs_16;
typedef uint32_t vmcs_32;
typedef uint64_t vmcs_64;
typedef uint64_t vmcs_0;
#define VMCS_FIELD(encoding, width, name)                                      \
	static inline vmcs_##width vmcs_get_##name(void)                       \
	{                                                                      \
		return (vmcs_##width)vmread(VMCS_##name);                      \
	}                                                                      \
	static inline void vmcs_set_##name(vmcs_##width v)                     \
	{                                                                      \
		vmwrite(VMCS_##name, v);                                       \
	}
#include "hvm/vmx/vmcs.def"
#undef VMCS_FIELD

/* Types of INVEPT and INVVPID. */
#define INV_CONTEXT 1
#define INV_ALL     2

/* pin_controls */
#define PIN_EXTINT      BIT(0)
#define PIN_NMI         BIT(3)
#define PIN_VIRTUAL_NMI BIT(5)
#define PIN_TIMER       BIT(6)
#define PIN_POSTED      BIT(7)

/* proc_controls */
#define PROC_INTR_WINDOW BIT(2)
#define PROC_TSC_OFFSET  BIT(3)
#define PROC_HLT         BIT(7)
#define PROC_INVLPG      BIT(9)
#define PROC_MWAIT       BIT(10)
#define PROC_RDPMC       BIT(11)
#define PROC_RDTSC       BIT(12)
#define PROC_CR3_LOAD    BIT(15)
#define PROC_CR3_STORE   BIT(16)
#define PROC_CR8_LOAD    BIT(19)
#define PROC_CR8_STORE   BIT(20)
#define PROC_TPR_SHADOW  BIT(21)
#define PROC_NMI_WINDOW  BIT(22)
#define PROC_MOV_DR      BIT(23)
#define PROC_IO          BIT(24)
#define PROC_IO_BITMAPS  BIT(25)
#define PROC_MTF         BIT(27)
#define PROC_MSR_BITMAPS BIT(28)
#define PROC_MONITOR     BIT(29)
#define PROC_PAUSE       BIT(30)
#define PROC_SECONDARY   BIT(31)

/* proc2_controls */
#define PROC2_APIC_ACCESS  BIT(0)
#define PROC2_EPT          BIT(1)
#define PROC2_DT_EXITING   BIT(2)
#define PROC2_RDTSCP       BIT(3)
#define PROC2_X2APIC       BIT(4)
#define PROC2_VPID         BIT(5)
#define PROC2_WBINVD       BIT(6)
#define PROC2_UNRESTRICTED BIT(7)
#define PROC2_APIC_REGS    BIT(8)
#define PROC2_VID          BIT(9)
#define PROC2_PLE          BIT(10)
#define PROC2_RDRAND       BIT(11)
#define PROC2_INVPCID      BIT(12)
#define PROC2_VMFUNC       BIT(13)
#define PROC2_SHADOWING    BIT(14)
#define PROC2_ENCLS        BIT(15)
#define PROC2_RDSEED       BIT(16)
#define PROC2_PML          BIT(17)
#define PROC2_VE           BIT(18)
#define PROC2_XSAVES       BIT(20)
#define PROC2_TSC_SCALING  BIT(25)

/* exit_controls */
#define EXIT_DEBUG      BIT(2)
#define EXIT_HOST64     BIT(9)
#define EXIT_PERF       BIT(12)
#define EXIT_ACK_INTR   BIT(15)
#define EXIT_SAVE_PAT   BIT(18)
#define EXIT_LOAD_PAT   BIT(19)
#define EXIT_SAVE_EFER  BIT(20)
#define EXIT_LOAD_EFER  BIT(21)
#define EXIT_SAVE_TIMER BIT(22)

/* entry_controls */
#define ENTRY_DEBUG     BIT(2)
#define ENTRY_GUEST64   BIT(9)
#define ENTRY_SMM       BIT(10)
#define ENTRY_DUAL_OFF  BIT(11)
#define ENTRY_PERF      BIT(13)
#define ENTRY_LOAD_PAT  BIT(14)
#define ENTRY_LOAD_EFER BIT(15)

/* entry_event, exit_event, idt_vectoring */
#define EVENT_VECTOR     0xffU
#define EVENT_TYPE_SHIFT 8
#define EVENT_TYPE       (7U << EVENT_TYPE_SHIFT)
#define EVENT_INTR       (0U << EVENT_TYPE_SHIFT)
#define EVENT_NMI        (2U << EVENT_TYPE_SHIFT)
#define EVENT_EXCEPTION  (3U << EVENT_TYPE_SHIFT)
#define EVENT_SOFT_INTR  (4U << EVENT_TYPE_SHIFT)
#define EVENT_PRIV_SOFT  (5U << EVENT_TYPE_SHIFT)
#define EVENT_SOFT       (6U << EVENT_TYPE_SHIFT)
#define EVENT_ERROR      (1U << 11)
#define EVENT_UNBLOCKED  (1U << 12) /* exit_event: by an IRET, NMIs */
#define EVENT_VALID      (1U << 31)

/* guest_blocking: "Interruptibility State" */
#define BLOCKING_STI   BIT(0)
#define BLOCKING_MOVSS BIT(1)
#define BLOCKING_SMI   BIT(2)
#define BLOCKING_NMI   BIT(3)

/* guest_*_ar: "Guest Register State" */
#define AR_TYPE       0xfU
#define AR_CONFORMING (1U << 2) /* of code */
#define AR_S          (1U << 4)
#define AR_DPL_MASK   (3U << 5)
#define AR_DPL(ar)    (((ar) >> 5) & 3)
#define AR_P          (1U << 7)
#define AR_L          (1U << 13)
#define AR_D          (1U << 14)
#define AR_G          (1U << 15)
#define AR_RESERVED   0xfffe0f00U
#define AR_UNUSABLE   (1U << 16)

/* eptp */
#define EPTP_WB     6UL
#define EPTP_LEVELS (3UL << 3) /* four, less one */
#define EPTP_AD     BIT(6)

/* exit_reason: "VMX Basic Exit Reasons" */
#define EXIT_REASON_BASIC 0xffffU
#define EXIT_REASON_ENTRY (1U << 31) /* the entry failed */
enum vmx_exit_reason {
	VMX_EXCEPTION = 0,
	VMX_EXTINT = 1,
	VMX_TRIPLE_FAULT = 2,
	VMX_INIT = 3,
	VMX_SIPI = 4,
	VMX_INTR_WINDOW = 7,
	VMX_NMI_WINDOW = 8,
	VMX_TASK_SWITCH = 9,
	VMX_CPUID = 10,
	VMX_GETSEC = 11,
	VMX_HLT = 12,
	VMX_INVD = 13,
	VMX_INVLPG = 14,
	VMX_RDPMC = 15,
	VMX_RDTSC = 16,
	VMX_RSM = 17,
	VMX_VMCALL = 18,
	VMX_VMCLEAR = 19,
	VMX_VMXON = 27,
	VMX_CR = 28,
	VMX_MOV_DR = 29,
	VMX_IO = 30,
	VMX_RDMSR = 31,
	VMX_WRMSR = 32,
	VMX_BAD_GUEST = 33,
	VMX_BAD_MSR = 34,
	VMX_MWAIT = 36,
	VMX_MTF = 37,
	VMX_MONITOR = 39,
	VMX_PAUSE = 40,
	VMX_BAD_MC = 41,
	VMX_TPR = 43,
	VMX_APIC_ACCESS = 44,
	VMX_EOI = 45,
	VMX_GDTR_IDTR = 46,
	VMX_LDTR_TR = 47,
	VMX_EPT_VIOLATION = 48,
	VMX_EPT_MISCONFIG = 49,
	VMX_INVEPT = 50,
	VMX_RDTSCP = 51,
	VMX_TIMER = 52,
	VMX_INVVPID = 53,
	VMX_WBINVD = 54,
	VMX_XSETBV = 55,
	VMX_APIC_WRITE = 56,
	VMX_INVPCID = 58,
	VMX_VMFUNC = 59,
	VMX_PML_FULL = 62,
	VMX_XSAVES = 63,
	VMX_XRSTORS = 64,
	VMX_REASONS,
};

#endif
