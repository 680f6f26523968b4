/* SPDX-License-Identifier: MIT */
/*
 * The guest's registers: in the VMCS, on the CPU while the vCPU is loaded (the
 * MSRs of SYSCALL, debug registers), or here.
 */
#include "hvm/vmx/vmx.h"

#include "console/printk.h"
#include "cpu/time.h"
#include "cpu/traps.h"
#include "hvm/guest_walk.h"
#include "lib/string.h"
#include "mem/layout.h"

#define HOT __attribute__((section(".text.hot")))

#define MSR_PAT     0x277
#define DEFAULT_PAT 0x0007040600070406UL
#define NO_VMCS     (~0UL)
#define PLE_GAP     128
#define PLE_WINDOW  4096
/* #DB and #AC can recur without end while they are delivered (CVE-2015-8104,
 * CVE-2015-5307); #MC is the machine's. */
#define WANTED_EXCEPTIONS (BIT(1) | BIT(17) | BIT(18))

const uint32_t vmx_lazy_msrs[NR_LAZY_MSRS] = {
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102,
};

static void init_controls(struct vmx_vcpu *s)
{
	s->proc = vmx_caps.proc;
	s->proc2 = vmx_caps.proc2;
	vmcs_set_pin_controls(vmx_caps.pin);
	vmcs_set_proc_controls(s->proc);
	vmcs_set_proc2_controls(s->proc2);
	vmcs_set_exit_controls(vmx_caps.exit);
	vmcs_set_entry_controls(vmx_caps.entry);
	vmcs_set_exceptions(WANTED_EXCEPTIONS);
	vmcs_set_pf_error_mask(0);
	vmcs_set_pf_error_match(0);
	vmcs_set_cr3_targets(0);
	vmcs_set_exit_msr_stores(0);
	vmcs_set_exit_msr_loads(0);
	vmcs_set_entry_msr_loads(0);
	vmcs_set_entry_event(0);
	vmcs_set_cr0_mask(~CR0_GUEST_OWNED);
	vmcs_set_cr4_mask(~CR4_GUEST_OWNED);
	if (vmx_caps.pin & PIN_TIMER)
		vmx_restart_timer();
	if (vmx_caps.proc2 & PROC2_XSAVES)
		vmcs_set_xss_exiting(0); /* guests have no supervisor states */
	if (vmx_caps.proc2 & PROC2_PLE) {
		vmcs_set_ple_gap(PLE_GAP);
		vmcs_set_ple_window(PLE_WINDOW);
	}
}

/*
 * "VMX-Preemption Timer": a guest comes out after 10 ms of its own at the
 * latest, whatever it does to be left alone. (Host timers are interrupts, which
 * Bochs holds back while a guest that was entered with IF clear keeps it so.)
 */
void vmx_restart_timer(void)
{
	uint64_t ticks = (tsc_khz * 10) >> vmx_caps.timer_shift;

	vmcs_set_preemption_timer((uint32_t)min(ticks, 0xffffffffUL));
}

/* The processor fills it from the end. */
void vmx_rewind_log(void)
{
	vmcs_set_pml_index(PML_ENTRIES - 1);
}

static void init_addresses(struct vcpu *v, struct vmx_vcpu *s)
{
	struct vmx_domain *vd = vmx_domain(v->domain);

	vmcs_set_io_bitmap_a(virt_to_maddr(vd->io));
	vmcs_set_io_bitmap_b(virt_to_maddr(vd->io) + PAGE_SIZE);
	vmcs_set_msr_bitmap(vmx_msr_bitmap(v->domain, false));
	if (vd->apic)
		vmcs_set_apic_access(virt_to_maddr(vd->apic));
	vmcs_set_virtual_apic(virt_to_maddr(s->vapic));
	vmcs_set_tpr_threshold(0);
	vmcs_set_tsc_offset(0);
	vmcs_set_eptp(s->eptp);
	if (s->pml) {
		vmcs_set_pml_address(virt_to_maddr(s->pml));
		vmx_rewind_log();
	}
	vmcs_set_link_pointer(NO_VMCS);
}

/* What is the same on every CPU; the rest comes with vmx_vcpu_load(). */
static void init_host(void)
{
	vmcs_set_host_cs_sel(SEL_HYPER_CS);
	vmcs_set_host_ss_sel(SEL_HYPER_DS);
	vmcs_set_host_ds_sel(SEL_HYPER_DS);
	vmcs_set_host_es_sel(SEL_HYPER_DS);
	vmcs_set_host_fs_sel(0);
	vmcs_set_host_gs_sel(0);
	vmcs_set_host_tr_sel(SEL_TSS);
	vmcs_set_host_efer(rdmsr(MSR_EFER));
	vmcs_set_host_pat(rdmsr(MSR_PAT));
	vmcs_set_host_rip((uint64_t)vmx_exited);
}

static void init_guest(void)
{
	vmcs_set_guest_pat(DEFAULT_PAT);
	vmcs_set_guest_debugctl(0);
	vmcs_set_guest_activity(0);
	vmcs_set_guest_blocking(0);
	vmcs_set_guest_pending_debug(0);
	vmcs_set_guest_sysenter_cs(0);
	vmcs_set_guest_sysenter_esp(0);
	vmcs_set_guest_sysenter_eip(0);
	vmcs_set_guest_rflags(2);
	vmcs_set_guest_rip(0);
	vmcs_set_guest_rsp(0);
	vmcs_set_guest_cr3(0);
}

void vmx_vmcs_init(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	init_controls(s);
	init_addresses(v, s);
	init_host();
	init_guest();
	s->rflags = 2;
	s->rip = s->rsp = 0;
	s->dr6 = 0xffff0ff0;
	s->dr_armed = false;
	vmcs_set_guest_dr7(0x400);
	vmx_release(s, held);
}

static uint64_t get_cr(struct vmx_vcpu *s, enum vmcs_field f, uint64_t ours,
		       uint64_t own)
{
	bool held = vmx_hold(s);
	uint64_t val = (vmread(f) & own) | (ours & ~own);

	vmx_release(s, held);
	return val;
}

uint64_t vmx_get_creg(struct vcpu *v, enum hvm_creg r)
{
	struct vmx_vcpu *s = vmx_vcpu(v);

	switch (r) {
	case CR0:
		return get_cr(s, VMCS_guest_cr0, s->cr0, CR0_GUEST_OWNED);
	case CR2:
		return s->loaded ? read_cr2() : s->cr2;
	case CR3:
		return s->unpaged ? s->cr3 : get_cr(s, VMCS_guest_cr3, 0, ~0UL);
	case CR4:
		return get_cr(s, VMCS_guest_cr4, s->cr4, CR4_GUEST_OWNED);
	case CR8:
		return (s->vapic[0x80 / 4] >> 4) & 0xf;
	case EFER:
		return s->efer;
	}
	return 0;
}

/* Caching is the machine's; NE must be set, an unrestricted guest's PE and PG
 * need not ("Restrictions on VMX Operation", "Unrestricted Guests"). */
static void set_cr0(struct vmx_vcpu *s, uint64_t val)
{
	uint64_t real = val & ~(X86_CR0_CD | X86_CR0_NW);

	real |= vmx_is_restricted()
			? vmx_caps.cr0_fixed0
			: vmx_caps.cr0_fixed0 & ~(X86_CR0_PE | X86_CR0_PG);
	s->cr0 = val | X86_CR0_ET;
	vmcs_set_guest_cr0((real | X86_CR0_ET) & vmx_caps.cr0_fixed1);
	vmcs_set_cr0_shadow(s->cr0);
}

static void set_cr4(struct vmx_vcpu *s, uint64_t val)
{
	s->cr4 = val;
	vmcs_set_guest_cr4((val | vmx_caps.cr4_fixed0) & vmx_caps.cr4_fixed1);
	vmcs_set_cr4_shadow(val);
}

static void set_efer(struct vmx_vcpu *s, uint64_t val)
{
	s->efer = val;
	vmcs_set_guest_efer(val);
	vmcs_set_entry_controls((vmx_caps.entry & ~(uint32_t)ENTRY_GUEST64) |
				(val & EFER_LMA ? (uint32_t)ENTRY_GUEST64 : 0));
}

void vmx_set_creg(struct vcpu *v, enum hvm_creg r, uint64_t val)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held;

	if (r == CR2) {
		s->cr2 = val;
		if (s->loaded)
			vmx_write_cr2(val);
		return;
	}
	if (r == CR8) {
		/* The page has all eight bits. */
		if (s->vapic[0x80 / 4] >> 4 != (val & 0xf))
			s->vapic[0x80 / 4] = (uint32_t)(val & 0xf) << 4;
		return;
	}
	held = vmx_hold(s);
	if (r == CR0)
		set_cr0(s, val);
	else if (r == CR3 && s->unpaged)
		s->cr3 = val;
	else if (r == CR3)
		vmcs_set_guest_cr3(val);
	else if (r == CR4)
		set_cr4(s, val);
	else
		set_efer(s, val);
	if (vmx_is_restricted())
		vmx_put_mode(s);
	vmx_release(s, held);
	s->load_pdptes = true;
	WRITE_ONCE(s->flush, true);
}

/* PAE paging without long mode: the four entries at CR3 are part of the guest's
 * state ("Checks on Guest Page-Directory-Pointer-Table Entries"). */
void vmx_load_pdptes(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	uint64_t cr3, *e;
	const char *page;

	s->load_pdptes = false;
	if (s->unpaged) {
		vmcs_set_guest_cr3(
			hvm_domain(v->domain)->params[HVM_PARAM_IDENT_PT]);
		return;
	}
	if (!(s->cr0 & X86_CR0_PG) || !(s->cr4 & X86_CR4_PAE) ||
	    (s->efer & EFER_LMA))
		return;
	cr3 = vmcs_get_guest_cr3() & 0xffffffe0;
	page = hvm_gfn_virt(v, gpa_to_gfn(cr3), false);
	e = (uint64_t *)(page + (cr3 & ~PAGE_MASK));
	vmcs_set_guest_pdpte0(page ? READ_ONCE(e[0]) : 0);
	vmcs_set_guest_pdpte1(page ? READ_ONCE(e[1]) : 0);
	vmcs_set_guest_pdpte2(page ? READ_ONCE(e[2]) : 0);
	vmcs_set_guest_pdpte3(page ? READ_ONCE(e[3]) : 0);
}

/* The segments' fields follow one another in this order. */
static unsigned int seg_index(enum hvm_seg s)
{
	return s == SEG_TR ? 7 : s == SEG_LDTR ? 6 : (unsigned int)s;
}

static enum vmcs_field seg_field(enum vmcs_field first, unsigned int i)
{
	return (enum vmcs_field)(first + 2 * i);
}

void vmx_get_seg(struct vcpu *v, enum hvm_seg seg, struct hvm_segment *g)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	unsigned int i = seg_index(seg);
	bool held = vmx_hold(s);
	uint32_t ar;

	*g = (struct hvm_segment){
		.limit = (uint32_t)vmread(seg_field(VMCS_guest_es_limit, i)),
		.base = vmread(seg_field(VMCS_guest_es_base, i)),
	};
	if (i < 8) {
		ar = (uint32_t)vmread(seg_field(VMCS_guest_es_ar, i));
		g->sel = (uint16_t)vmread(seg_field(VMCS_guest_es_sel, i));
		g->attr = (uint16_t)((ar & 0xff) | ((ar >> 4) & 0xf00));
		if (ar & AR_UNUSABLE)
			g->attr &= ~(uint16_t)SEG_ATTR_P;
	}
	vmx_release(s, held);
}

/*
 * Access rights that VM entry takes: what a processor sets when it loads a
 * descriptor is set (accessed, busy), and the granularity is the limit's
 * ("Checks on Guest Segment Registers").
 */
static uint32_t access_rights(enum hvm_seg seg, const struct hvm_segment *g,
			      uint32_t *limit)
{
	uint32_t ar = (g->attr & 0xffU) | (g->attr & 0xf00U) << 4;

	if (seg == SEG_TR)
		ar = (ar & ~AR_S) | AR_P | 3; /* 11 busy; 3 for 16 bits */
	else if (!(g->attr & SEG_ATTR_P))
		return ar | AR_UNUSABLE;
	else if (seg == SEG_LDTR)
		ar = (ar & ~(AR_S | AR_TYPE)) | 2;
	else
		ar |= AR_S | 1;
	if (*limit >> 20) {
		*limit |= 0xfff;
		ar |= AR_G;
	} else if ((*limit & 0xfff) != 0xfff) {
		ar &= ~AR_G;
	}
	return ar;
}

void vmx_set_seg(struct vcpu *v, enum hvm_seg seg, const struct hvm_segment *g)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	unsigned int i = seg_index(seg);
	bool held = vmx_hold(s);
	uint32_t limit = g->limit;

	if (i < 8) {
		vmwrite(seg_field(VMCS_guest_es_ar, i),
			access_rights(seg, g, &limit));
		vmwrite(seg_field(VMCS_guest_es_sel, i), g->sel);
	} else {
		limit &= 0xffff;
	}
	vmwrite(seg_field(VMCS_guest_es_limit, i), limit);
	vmwrite(seg_field(VMCS_guest_es_base, i), g->base);
	vmx_release(s, held);
	if (vmx_is_restricted())
		s->check_mode = true;
}

HOT unsigned int vmx_code_bits(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);
	uint32_t ar = vmcs_get_guest_cs_ar();

	vmx_release(s, held);
	if ((s->efer & EFER_LMA) && (ar & AR_L))
		return 64;
	return ar & AR_D ? 32 : 16;
}

HOT unsigned int vmx_cpl(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);
	uint32_t ar = vmcs_get_guest_ss_ar();

	vmx_release(s, held);
	return AR_DPL(ar);
}

/* CS.DPL is SS.DPL, and so CPL, but for conforming segments ("Checks on Guest
 * Segment Registers"). The common case is a leaf: no register is saved. */
static __attribute__((noinline)) unsigned int kernel_bits_slow(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);
	uint32_t ar = vmcs_get_guest_cs_ar();
	unsigned int cpl = AR_DPL(vmcs_get_guest_ss_ar());

	hvm_vcpu(v)->call_cr3 = NO_KERNEL_CR3;
	if (!cpl && (s->efer & EFER_LMA) && (ar & AR_L))
		hvm_vcpu(v)->call_cr3 = vmcs_get_guest_cr3();
	vmx_release(s, held);
	if (cpl)
		return 0;
	if ((s->efer & EFER_LMA) && (ar & AR_L))
		return 64;
	return ar & AR_D ? 32 : 16;
}

HOT unsigned int vmx_kernel_bits(struct vcpu *v)
{
	const struct vmx_vcpu *s = vmx_vcpu(v);

	if (likely(s->loaded)) {
		uint32_t ar = vmcs_get_guest_cs_ar();

		if (likely((ar & (AR_L | AR_CONFORMING | AR_DPL_MASK)) ==
				   AR_L &&
			   (s->efer & EFER_LMA))) {
			hvm_vcpu(v)->call_cr3 = vmcs_get_guest_cr3();
			return 64;
		}
	}
	return kernel_bits_slow(v);
}

HOT void vmx_get_paging(struct vcpu *v, struct walk_regs *r)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	/* What a walk looks at in CR0 and CR4 never changes without an exit. */
	r->cr0 = s->cr0;
	r->cr3 = vmcs_get_guest_cr3();
	r->cr4 = s->cr4;
	r->efer = s->efer;
	r->user = AR_DPL(vmcs_get_guest_ss_ar()) == 3;
	vmx_release(s, held);
}

static int lazy_index(uint32_t msr)
{
	for (int i = 0; i < NR_LAZY_MSRS; i++)
		if (vmx_lazy_msrs[i] == msr)
			return i;
	return -1;
}

/* The VMCS field of an MSR; 0 (which is the VPID): none. */
static enum vmcs_field msr_field(uint32_t msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return VMCS_guest_fs_base;
	case MSR_GS_BASE:
		return VMCS_guest_gs_base;
	case 0x174:
		return VMCS_guest_sysenter_cs;
	case 0x175:
		return VMCS_guest_sysenter_esp;
	case 0x176:
		return VMCS_guest_sysenter_eip;
	case MSR_PAT:
		return VMCS_guest_pat;
	default:
		return VMCS_vpid;
	}
}

bool vmx_get_msr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	enum vmcs_field f = msr_field(msr);
	int i = lazy_index(msr);
	bool held;

	if (i >= 0) {
		*val = s->loaded ? rdmsr(msr) : s->lazy[i];
		return true;
	}
	if (f == VMCS_vpid)
		return false;
	held = vmx_hold(s);
	*val = vmread(f);
	vmx_release(s, held);
	return true;
}

static bool is_canonical(uint64_t val)
{
	return (uint64_t)((int64_t)(val << 16) >> 16) == val;
}

/* VM entry and WRMSR refuse other addresses. */
static bool wants_canonical(uint32_t msr)
{
	return msr != 0xc0000081 && msr != 0xc0000084 && msr != 0x174 &&
	       msr != MSR_PAT;
}

bool vmx_set_msr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	enum vmcs_field f = msr_field(msr);
	int i = lazy_index(msr);
	bool held;

	if (i < 0 && f == VMCS_vpid)
		return false;
	if (wants_canonical(msr) && !is_canonical(val))
		return false;
	if (i >= 0) {
		s->lazy[i] = val;
		if (s->loaded)
			wrmsr(msr, val);
		return true;
	}
	held = vmx_hold(s);
	vmwrite(f, msr == 0x174 ? (uint32_t)val : val);
	vmx_release(s, held);
	return true;
}

void vmx_load_debug_registers(struct vmx_vcpu *s)
{
	if (s->dr_dirty)
		return;
	__asm__ volatile("mov %0, %%db0" : : "r"(s->dr[0]));
	__asm__ volatile("mov %0, %%db1" : : "r"(s->dr[1]));
	__asm__ volatile("mov %0, %%db2" : : "r"(s->dr[2]));
	__asm__ volatile("mov %0, %%db3" : : "r"(s->dr[3]));
	__asm__ volatile("mov %0, %%db6" : : "r"(s->dr6));
	s->dr_dirty = true;
	s->proc &= ~(uint32_t)PROC_MOV_DR;
	vmcs_set_proc_controls(s->proc);
}

static void read_debug_registers(struct vmx_vcpu *s)
{
	__asm__ volatile("mov %%db0, %0" : "=r"(s->dr[0]));
	__asm__ volatile("mov %%db1, %0" : "=r"(s->dr[1]));
	__asm__ volatile("mov %%db2, %0" : "=r"(s->dr[2]));
	__asm__ volatile("mov %%db3, %0" : "=r"(s->dr[3]));
	__asm__ volatile("mov %%db6, %0" : "=r"(s->dr6));
}

/* The vCPU leaves the CPU: its next look exits again. Armed ones must match
 * what it means when it comes back. */
void vmx_save_debug_registers(struct vmx_vcpu *s)
{
	if (!s->dr_dirty)
		return;
	read_debug_registers(s);
	s->dr_dirty = false;
	s->dr_armed = vmcs_get_guest_dr7() & DR7_ARMED;
	s->proc |= (uint32_t)PROC_MOV_DR;
	vmcs_set_proc_controls(s->proc);
}

void vmx_get_dr(struct vcpu *v, uint64_t dr[8])
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	if (s->loaded && s->dr_dirty)
		read_debug_registers(s);
	memcpy(dr, s->dr, sizeof(s->dr));
	dr[4] = dr[5] = 0;
	dr[6] = s->dr6;
	dr[7] = vmcs_get_guest_dr7();
	vmx_release(s, held);
}

void vmx_set_dr(struct vcpu *v, const uint64_t dr[8])
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	/* Loaded with the vCPU, or at its next look. */
	vmx_save_debug_registers(s);
	memcpy(s->dr, dr, sizeof(s->dr));
	s->dr6 = (dr[6] & 0xffffffff) | 0xffff0ff0;
	s->dr_armed = dr[7] & DR7_ARMED;
	vmcs_set_guest_dr7((dr[7] & 0xffff27ff) | 0x400);
	vmx_release(s, held);
}

static const struct {
	uint32_t field;
	const char *name;
} fields[] = {
#define VMCS_FIELD(encoding, width, name) {encoding, #name},
#include "hvm/vmx/vmcs.def"
#undef VMCS_FIELD
};

/* All fields that are not zero, three a line. */
static void dump_fields(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t val = vmread_any((enum vmcs_field)fields[i].field);

		if (val)
			printk("%s%s %#lx",
			       n++ % 3  ? " "
			       : n == 1 ? "  "
					: "\n  ",
			       fields[i].name, val);
	}
	printk("\n");
}

void vmx_dump(struct vcpu *v)
{
	struct vmx_vcpu *s = vmx_vcpu(v);
	bool held = vmx_hold(s);

	printk("  exit %#x qualification %#lx vectoring %#x posted %d\n",
	       vmcs_get_exit_reason(), vmcs_get_qualification(),
	       vmcs_get_idt_vectoring(), s->posted);
	printk("  cr0 %#lx cr2 %#lx cr3 %#lx cr4 %#lx efer %#lx cpl %u\n",
	       s->cr0, vmx_get_creg(v, CR2), vmcs_get_guest_cr3(), s->cr4,
	       s->efer, AR_DPL(vmcs_get_guest_ss_ar()));
	printk("  cs %#x %#x %#lx ss %#x %#x idtr %#lx+%#x vpid %u eptp %#lx\n",
	       vmcs_get_guest_cs_sel(), vmcs_get_guest_cs_ar(),
	       vmcs_get_guest_cs_base(), vmcs_get_guest_ss_sel(),
	       vmcs_get_guest_ss_ar(), vmcs_get_guest_idtr_base(),
	       vmcs_get_guest_idtr_limit(), vmcs_get_vpid(), s->eptp);
	if (vmcs_get_exit_reason() & EXIT_REASON_ENTRY)
		dump_fields();
	vmx_release(s, held);
}
