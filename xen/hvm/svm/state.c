/* SPDX-License-Identifier: MIT */
/*
 * The guest's registers that the VMCB holds. FS, GS, TR, LDTR and the MSRs of
 * SYSCALL and SYSENTER are on the CPU while the vCPU is loaded; svm_sync()
 * brings them into the VMCB, svm_reload() back.
 */
#include "hvm/svm/svm.h"

#include "console/printk.h"
#include "lib/string.h"
#include "mem/layout.h"

#define HOT __attribute__((section(".text.hot")))

#define CR0_ET    BIT(4)
#define EFER_SVME BIT(12)

/* Intercepts: as few as correctness allows. CRs are the guest's own, with
 * nested paging; so are the time-stamp counter and INVLPG. Changes of CR0 other
 * than TS and MP are rare, and TCG lets through combinations that VMRUN refuses
 * then. */
#define WANTED1                                                                \
	(INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_INIT |                     \
	 INTERCEPT_CR0_SELECTIVE | INTERCEPT_RDPMC | INTERCEPT_CPUID |         \
	 INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IO |   \
	 INTERCEPT_MSR | INTERCEPT_TASK_SWITCH | INTERCEPT_SHUTDOWN)
#define WANTED2                                                                \
	(INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD |           \
	 INTERCEPT2_VMSAVE | INTERCEPT2_STGI | INTERCEPT2_CLGI |               \
	 INTERCEPT2_SKINIT | INTERCEPT2_WBINVD | INTERCEPT2_MONITOR |          \
	 INTERCEPT2_MWAIT | INTERCEPT2_XSETBV | INTERCEPT2_RDPRU)
/* #DB and #AC can recur without end while they are delivered (CVE-2015-8104,
 * CVE-2015-5307); #MC is the machine's. */
#define WANTED_EXCEPTIONS (BIT(1) | BIT(17) | BIT(18))

/* AMD APM Vol. 2, "Pause Intercept Filtering": so many PAUSEs, none longer
 * after the one before than the threshold has cycles, are a loop that waits for
 * another vCPU; where no threshold is known, they are counted from the entry.
 */
#define PAUSE_COUNT     3000
#define PAUSE_THRESHOLD 128

static void filter_pauses(struct vmcb *vmcb)
{
	if (!svm_has(SVM_FEATURE_PAUSE))
		return;
	vmcb->intercept1 |= INTERCEPT_PAUSE;
	vmcb->pause_count = PAUSE_COUNT;
	if (svm_has(SVM_FEATURE_THRESHOLD))
		vmcb->pause_threshold = PAUSE_THRESHOLD;
}

void svm_vmcb_init(struct vcpu *v)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	struct svm_domain *sd = svm_domain(v->domain);

	vmcb->intercept1 = WANTED1;
	vmcb->intercept2 = WANTED2;
	vmcb->exceptions = WANTED_EXCEPTIONS;
	filter_pauses(vmcb);
	vmcb->dr_read = vmcb->dr_write = 0xffff;
	vmcb->cr_write = CR_WRITES;
	vmcb->iopm = virt_to_maddr(sd->iopm);
	vmcb->msrpm = virt_to_maddr(sd->msrpm);
	vmcb->int_ctl = V_INTR_MASKING;
	vmcb->np_enable = 1;
	vmcb->ncr3 = mfn_to_maddr(v->domain->p2m.root);
	vmcb->pat = 0x0007040600070406UL;
	vmcb->efer = EFER_SVME;
	vmcb->cr0 = CR0_ET;
	vmcb->dr6 = 0xffff0ff0;
	vmcb->dr7 = 0x400;
	vmcb->clean = 0;
}

void svm_sync(struct vcpu *v)
{
	struct svm_vcpu *s = svm_vcpu(v);

	if (!s->loaded)
		return;
	vmsave(s->vmcb_pa);
	s->vmcb->gs.base = s->guest_gs; /* the CPU has the host's */
}

uint64_t svm_get_creg(struct vcpu *v, enum hvm_creg r)
{
	const struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	switch (r) {
	case CR0:
		return vmcb->cr0;
	case CR2:
		return vmcb->cr2;
	case CR3:
		return vmcb->cr3;
	case CR4:
		return vmcb->cr4;
	case CR8:
		return vmcb->int_ctl & 0xf;
	case EFER:
		return vmcb->efer & ~EFER_SVME;
	}
	return 0;
}

void svm_set_creg(struct vcpu *v, enum hvm_creg r, uint64_t val)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	switch (r) {
	case CR0:
		vmcb_set_cr0(vmcb, val | CR0_ET);
		break;
	case CR2:
		vmcb_set_cr2(vmcb, val);
		break;
	case CR3:
		vmcb_set_cr3(vmcb, val);
		break;
	case CR4:
		vmcb_set_cr4(vmcb, val);
		break;
	case CR8:
		vmcb_set_int_ctl(vmcb, (vmcb->int_ctl & ~(uint32_t)V_TPR) |
					       (val & 0xf));
		break;
	case EFER:
		vmcb_set_efer(vmcb, val | EFER_SVME);
		break;
	}
	if (r != CR2 && r != CR8)
		WRITE_ONCE(svm_vcpu(v)->flush, true);
}

static struct vmcb_seg *segment(struct vmcb *vmcb, enum hvm_seg s)
{
	switch (s) {
	case SEG_ES:
		return &vmcb->es;
	case SEG_CS:
		return &vmcb->cs;
	case SEG_SS:
		return &vmcb->ss;
	case SEG_DS:
		return &vmcb->ds;
	case SEG_FS:
		return &vmcb->fs;
	case SEG_GS:
		return &vmcb->gs;
	case SEG_TR:
		return &vmcb->tr;
	case SEG_LDTR:
		return &vmcb->ldtr;
	case SEG_GDTR:
		return &vmcb->gdtr;
	default:
		return &vmcb->idtr;
	}
}

static bool is_lazy(enum hvm_seg s)
{
	return s == SEG_FS || s == SEG_GS || s == SEG_TR || s == SEG_LDTR;
}

void svm_get_seg(struct vcpu *v, enum hvm_seg s, struct hvm_segment *g)
{
	const struct vmcb_seg *from = segment(svm_vcpu(v)->vmcb, s);

	if (is_lazy(s))
		svm_sync(v);
	*g = (struct hvm_segment){
		.sel = from->sel,
		.attr = from->attr,
		.limit = from->limit,
		.base = from->base,
	};
}

void svm_set_seg(struct vcpu *v, enum hvm_seg s, const struct hvm_segment *g)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	struct vmcb_seg *to = segment(vmcb, s);

	if (is_lazy(s))
		svm_sync(v);
	to->sel = g->sel;
	to->attr = g->attr;
	to->limit = g->limit;
	to->base = g->base;
	vmcb_touch(vmcb, CLEAN_SEG | CLEAN_DT);
	if (s == SEG_SS)
		vmcb_set_cpl(vmcb, (g->attr >> 5) & 3);
	if (is_lazy(s))
		svm_reload(v);
}

HOT unsigned int svm_code_bits(struct vcpu *v)
{
	const struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	if ((vmcb->efer & EFER_LMA) && (vmcb->cs.attr & SEG_ATTR_L))
		return 64;
	return vmcb->cs.attr & SEG_ATTR_D ? 32 : 16;
}

HOT unsigned int svm_cpl(struct vcpu *v)
{
	return svm_vcpu(v)->vmcb->cpl;
}

HOT unsigned int svm_kernel_bits(struct vcpu *v)
{
	const struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	if (likely(!vmcb->cpl && (vmcb->efer & EFER_LMA) &&
		   (vmcb->cs.attr & SEG_ATTR_L))) {
		hvm_vcpu(v)->call_cr3 = vmcb->cr3;
		return 64;
	}
	hvm_vcpu(v)->call_cr3 = NO_KERNEL_CR3;
	if (vmcb->cpl)
		return 0;
	return svm_code_bits(v);
}

HOT void svm_get_paging(struct vcpu *v, struct walk_regs *r)
{
	const struct vmcb *vmcb = svm_vcpu(v)->vmcb;

	r->cr0 = vmcb->cr0;
	r->cr3 = vmcb->cr3;
	r->cr4 = vmcb->cr4;
	r->efer = vmcb->efer;
	r->user = vmcb->cpl == 3;
}

/* Where the VMCB has an MSR; NULL: nowhere. */
static uint64_t *msr_field(struct vmcb *vmcb, uint32_t msr)
{
	switch (msr) {
	case 0xc0000081:
		return &vmcb->star;
	case 0xc0000082:
		return &vmcb->lstar;
	case 0xc0000083:
		return &vmcb->cstar;
	case 0xc0000084:
		return &vmcb->sfmask;
	case MSR_FS_BASE:
		return &vmcb->fs.base;
	case MSR_GS_BASE:
		return &vmcb->gs.base;
	case 0xc0000102:
		return &vmcb->kernel_gs_base;
	case 0x174:
		return &vmcb->sysenter_cs;
	case 0x175:
		return &vmcb->sysenter_esp;
	case 0x176:
		return &vmcb->sysenter_eip;
	case 0x277:
		return &vmcb->pat;
	default:
		return NULL;
	}
}

bool svm_get_msr(struct vcpu *v, uint32_t msr, uint64_t *val)
{
	uint64_t *field = msr_field(svm_vcpu(v)->vmcb, msr);

	if (!field)
		return false;
	svm_sync(v);
	*val = *field;
	return true;
}

bool svm_set_msr(struct vcpu *v, uint32_t msr, uint64_t val)
{
	struct vmcb *vmcb = svm_vcpu(v)->vmcb;
	uint64_t *field = msr_field(vmcb, msr);

	if (!field)
		return false;
	svm_sync(v);
	*field = val;
	vmcb_touch(vmcb, CLEAN_NP | CLEAN_SEG);
	svm_reload(v);
	return true;
}

/* They are the guest's own until its vCPU leaves this CPU: at its first look at
 * one, or while any is armed. */
void svm_load_debug_registers(struct svm_vcpu *s)
{
	__asm__ volatile("mov %0, %%db0" : : "r"(s->dr[0]));
	__asm__ volatile("mov %0, %%db1" : : "r"(s->dr[1]));
	__asm__ volatile("mov %0, %%db2" : : "r"(s->dr[2]));
	__asm__ volatile("mov %0, %%db3" : : "r"(s->dr[3]));
	s->dr_dirty = true;
	vmcb_set_dr_read(s->vmcb, 0);
	vmcb_set_dr_write(s->vmcb, 0);
}

void svm_get_dr(struct vcpu *v, uint64_t dr[8])
{
	struct svm_vcpu *s = svm_vcpu(v);

	if (s->loaded && s->dr_dirty) {
		__asm__ volatile("mov %%db0, %0" : "=r"(s->dr[0]));
		__asm__ volatile("mov %%db1, %0" : "=r"(s->dr[1]));
		__asm__ volatile("mov %%db2, %0" : "=r"(s->dr[2]));
		__asm__ volatile("mov %%db3, %0" : "=r"(s->dr[3]));
	}
	memcpy(dr, s->dr, sizeof(s->dr));
	dr[4] = dr[5] = 0;
	dr[6] = s->vmcb->dr6;
	dr[7] = s->vmcb->dr7;
}

void svm_set_dr(struct vcpu *v, const uint64_t dr[8])
{
	struct svm_vcpu *s = svm_vcpu(v);

	memcpy(s->dr, dr, sizeof(s->dr));
	vmcb_set_dr6(s->vmcb, dr[6] | 0xffff0ff0);
	vmcb_set_dr7(s->vmcb, (dr[7] & 0xffff27ff) | 0x400);
	s->dr_dirty = false; /* loaded with the vCPU, or at its next look */
	vmcb_set_dr_read(s->vmcb, 0xffff);
	vmcb_set_dr_write(s->vmcb, 0xffff);
}

void svm_dump(struct vcpu *v)
{
	const struct svm_vcpu *s = svm_vcpu(v);
	const struct vmcb *m = s->vmcb;

	printk("  exit %#lx info %#lx %#lx intinfo %#lx int_ctl %#x\n",
	       m->exitcode, m->exitinfo1, m->exitinfo2, m->exitintinfo,
	       m->int_ctl);
	printk("  cr0 %#lx cr2 %#lx cr3 %#lx cr4 %#lx efer %#lx cpl %u\n",
	       m->cr0, m->cr2, m->cr3, m->cr4, m->efer, m->cpl);
	printk("  cs %#x %#x %#lx ss %#x %#x idtr %#lx+%#x asid %u ncr3 %#lx\n",
	       m->cs.sel, m->cs.attr, m->cs.base, m->ss.sel, m->ss.attr,
	       m->idtr.base, m->idtr.limit, m->asid, m->ncr3);
	/* Was it ever the guest that ran there? Host values in the guest's
	 * half would mean that the processor mixed the two. */
	printk("  CPU %u vmcb %#lx hsave %#lx host cr3 %#lx efer %#lx\n",
	       smp_processor_id(), s->vmcb_pa, rdmsr(MSR_VM_HSAVE_PA),
	       read_cr3(), rdmsr(MSR_EFER));
}
