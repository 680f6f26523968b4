/* SPDX-License-Identifier: MIT */
/*
 * A domain's hardware state as records (public/hvm/save.h,
 * public/arch-x86/hvm/save.h): what DOMCTL_gethvmcontext gives and
 * DOMCTL_sethvmcontext takes. Each type of record is an entry of a table.
 */
#include "hvm/records.h"

#include "console/printk.h"
#include "cpu/fpu.h"
#include "hvm/dev/vlapic.h"
#include "lib/errno.h"
#include "lib/string.h"

#include <xen/hvm/save.h>

/* No C type for these: only the toolstack's own. */
#define CODE_MTRR       14
#define CODE_TSC_ADJUST 19
#define NR_CODES        20

struct record {
	const char *name;
	size_t size;
	/* Either; v is NULL for records of the domain. */
	void (*save)(struct domain *d, struct vcpu *v, void *buf);
	int (*load)(struct domain *d, struct vcpu *v, const void *buf);
	bool per_vcpu;
	size_t min_size; /* of a shorter, older form; 0: none */
};

static void save_header(struct domain *d, struct vcpu *v, void *buf)
{
	struct hvm_save_header *h = buf;

	(void)v;
	hvm_domain(d)->context_tsc = rdtsc();
	*h = (struct hvm_save_header){
		.magic = HVM_FILE_MAGIC,
		.version = HVM_FILE_VERSION,
		.changeset = 4UL << 16 | 17,
		.cpuid = cpuid(1, 0).a,
		.gtsc_khz = (uint32_t)tsc_khz,
	};
}

static int load_header(struct domain *d, struct vcpu *v, const void *buf)
{
	const struct hvm_save_header *h = buf;

	(void)v;
	hvm_domain(d)->context_tsc = rdtsc();
	if (h->magic == HVM_FILE_MAGIC && h->version == HVM_FILE_VERSION)
		return 0;
	printk(XENLOG_INFO "d%u: HVM context: magic %#x, version %u\n", d->id,
	       h->magic, h->version);
	return -EINVAL;
}

#define SEGMENTS(op)                                                           \
	op(cs, SEG_CS) op(ds, SEG_DS) op(es, SEG_ES) op(fs, SEG_FS)            \
		op(gs, SEG_GS) op(ss, SEG_SS) op(tr, SEG_TR)                   \
			op(ldtr, SEG_LDTR)

static void save_segments(struct vcpu *v, struct hvm_hw_cpu *c)
{
	struct hvm_segment g;

#define SAVE(name, which)                                                      \
	hvm_ops->get_seg(v, which, &g);                                        \
	c->name##_sel = g.sel;                                                 \
	c->name##_limit = g.limit;                                             \
	c->name##_base = g.base;                                               \
	c->name##_arbytes = g.attr;
	SEGMENTS(SAVE)
#undef SAVE
	hvm_ops->get_seg(v, SEG_GDTR, &g);
	c->gdtr_limit = g.limit;
	c->gdtr_base = g.base;
	hvm_ops->get_seg(v, SEG_IDTR, &g);
	c->idtr_limit = g.limit;
	c->idtr_base = g.base;
}

static void load_segments(struct vcpu *v, const struct hvm_hw_cpu *c)
{
	struct hvm_segment g;

#define LOAD(name, which)                                                      \
	g = (struct hvm_segment){                                              \
		.sel = (uint16_t)c->name##_sel,                                \
		.attr = (uint16_t)c->name##_arbytes,                           \
		.limit = c->name##_limit,                                      \
		.base = c->name##_base,                                        \
	};                                                                     \
	hvm_ops->set_seg(v, which, &g);
	SEGMENTS(LOAD)
#undef LOAD
	g = (struct hvm_segment){.limit = c->gdtr_limit, .base = c->gdtr_base};
	hvm_ops->set_seg(v, SEG_GDTR, &g);
	g = (struct hvm_segment){.limit = c->idtr_limit, .base = c->idtr_base};
	hvm_ops->set_seg(v, SEG_IDTR, &g);
}

#define GPRS(op)                                                               \
	op(rax) op(rbx) op(rcx) op(rdx) op(rbp) op(rsi) op(rdi) op(rsp) op(r8) \
		op(r9) op(r10) op(r11) op(r12) op(r13) op(r14) op(r15) op(rip) \
			op(rflags)

/* Fields of MSRs that the vendor keeps. */
#define MSRS(op)                                                               \
	op(sysenter_cs, 0x174) op(sysenter_esp, 0x175) op(sysenter_eip, 0x176) \
		op(shadow_gs, 0xc0000102) op(msr_star, 0xc0000081)             \
			op(msr_lstar, 0xc0000082) op(msr_cstar, 0xc0000083)    \
				op(msr_syscall_mask, 0xc0000084)

static void save_cpu(struct domain *d, struct vcpu *v, void *buf)
{
	struct hvm_hw_cpu *c = buf;
	uint64_t dr[8];

	memset(c, 0, sizeof(*c));
	memcpy(c->fpu_regs, hvm_vcpu(v)->fpu->area, sizeof(c->fpu_regs));
	c->flags = XEN_X86_FPU_INITIALISED;
#define SAVE(r) c->r = v->regs.r;
	GPRS(SAVE)
#undef SAVE
#define SAVE(field, msr) hvm_ops->get_msr(v, msr, &c->field);
	MSRS(SAVE)
#undef SAVE
	c->cr0 = hvm_ops->get_creg(v, CR0);
	c->cr2 = hvm_ops->get_creg(v, CR2);
	c->cr3 = hvm_ops->get_creg(v, CR3);
	c->cr4 = hvm_ops->get_creg(v, CR4);
	c->msr_efer = hvm_ops->get_creg(v, EFER);
	c->msr_tsc_aux = hvm_vcpu(v)->tsc_aux;
	c->tsc = hvm_domain(d)->context_tsc + v->tsc_offset;
	hvm_ops->get_dr(v, dr);
	c->dr0 = dr[0];
	c->dr1 = dr[1];
	c->dr2 = dr[2];
	c->dr3 = dr[3];
	c->dr6 = dr[6];
	c->dr7 = dr[7];
	save_segments(v, c);
}

/* FXRSTOR faults on these, and that would be ours. */
static bool bad_mxcsr(const struct hvm_hw_cpu *c)
{
	uint32_t mxcsr;

	memcpy(&mxcsr, (const char *)c->fpu_regs + 24, sizeof(mxcsr));
	return mxcsr & ~0xffffU;
}

static bool canonical(uint64_t va)
{
	return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

/* What we load ourselves while the guest runs, by instructions that fault on
 * such values: addresses that are none, high halves that must be 0. */
static bool bad_msrs(const struct hvm_hw_cpu *c)
{
	const uint64_t addresses[] = {
		c->fs_base,      c->gs_base,   c->shadow_gs,
		c->tr_base,      c->ldtr_base, c->sysenter_esp,
		c->sysenter_eip, c->msr_lstar, c->msr_cstar,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(addresses); i++)
		if (!canonical(addresses[i]))
			return true;
	return (c->msr_tsc_aux | c->msr_syscall_mask | c->dr6 | c->dr7) >> 32;
}

/* What VMRUN or VM entry would refuse, and what no guest can have set. */
static bool bad_cpu(const struct hvm_hw_cpu *c)
{
	if (c->flags & XEN_X86_FPU_INITIALISED && bad_mxcsr(c))
		return true;
	if (bad_msrs(c))
		return true;
	if ((c->cr0 >> 32) || (c->cr4 & ~0x7fffffUL) || (c->cr4 & BIT(13)))
		return true;
	if ((c->cr0 & X86_CR0_PG) && !(c->cr0 & X86_CR0_PE))
		return true;
	if ((c->cr0 & X86_CR0_NW) && !(c->cr0 & X86_CR0_CD))
		return true;
	if (c->msr_efer &
	    ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | BIT(14)))
		return true;
	/* Long mode active means long mode enabled and paging with PAE. */
	if ((c->msr_efer & EFER_LME) && (c->cr0 & X86_CR0_PG) &&
	    !(c->cr4 & X86_CR4_PAE))
		return true;
	return (c->msr_efer & EFER_LMA) && !(c->msr_efer & EFER_LME);
}

static int load_cpu(struct domain *d, struct vcpu *v, const void *buf)
{
	const struct hvm_hw_cpu *c = buf;
	uint64_t dr[8] = {c->dr0, c->dr1, c->dr2, c->dr3, 0, 0, c->dr6, c->dr7};
	uint64_t efer = c->msr_efer;

	if (bad_cpu(c)) {
		printk(XENLOG_INFO "d%uv%u: HVM context: cr0 %#lx, cr4 %#lx, "
				   "efer %#lx, or its MSRs, cannot be\n",
		       d->id, v->id, c->cr0, c->cr4, efer);
		return -EINVAL;
	}
	if ((efer & EFER_LME) && (c->cr0 & X86_CR0_PG))
		efer |= EFER_LMA;
	if (c->flags & XEN_X86_FPU_INITIALISED)
		memcpy(hvm_vcpu(v)->fpu->area, c->fpu_regs,
		       sizeof(c->fpu_regs));
#define LOAD(r) v->regs.r = c->r;
	GPRS(LOAD)
#undef LOAD
	v->regs.rflags |= BIT(1);
#define LOAD(field, msr) hvm_ops->set_msr(v, msr, c->field);
	MSRS(LOAD)
#undef LOAD
	hvm_ops->set_creg(v, CR0, c->cr0);
	hvm_ops->set_creg(v, CR2, c->cr2);
	hvm_ops->set_creg(v, CR3, c->cr3);
	hvm_ops->set_creg(v, CR4, c->cr4);
	hvm_ops->set_creg(v, EFER, efer);
	hvm_ops->set_dr(v, dr);
	hvm_vcpu(v)->tsc_aux = c->msr_tsc_aux;
	/* 0: a new domain's, which nobody set. */
	if (c->tsc)
		hvm_set_tsc_offset(v, c->tsc - hvm_domain(d)->context_tsc);
	load_segments(v, c);
	hvm_vcpu(v)->in_reset = false;
	v->initialised = true;
	vcpu_up(v);
	return 0;
}

static void save_lapic(struct domain *d, struct vcpu *v, void *buf)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	struct hvm_hw_lapic *r = buf;

	(void)d;
	*r = (struct hvm_hw_lapic){
		.apic_base_msr = l->base,
		.disabled = l->base & APIC_BASE_ENABLE ? 0 : 1,
		.timer_divisor = 1,
		.tdt_msr = l->tsc_deadline,
	};
}

static int load_lapic(struct domain *d, struct vcpu *v, const void *buf)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	const struct hvm_hw_lapic *r = buf;
	uint64_t known = APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_ENABLE;

	(void)d;
	if ((r->apic_base_msr & ~known) != APIC_DEFAULT_BASE ||
	    (r->apic_base_msr & (APIC_BASE_EXTD | APIC_BASE_ENABLE)) ==
		    APIC_BASE_EXTD)
		return -EINVAL;
	l->base = r->apic_base_msr;
	l->tsc_deadline = r->tdt_msr;
	vlapic_changed(l);
	return 0;
}

static void save_lapic_regs(struct domain *d, struct vcpu *v, void *buf)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	struct hvm_hw_lapic_regs *r = buf;
	uint32_t count;

	(void)d;
	memset(r, 0, sizeof(*r));
	for (unsigned int i = 0; i < VLAPIC_REGS; i++)
		memcpy(r->data + i * 16, &LREG(l, i), sizeof(uint32_t));
	count = vlapic_read(l, APIC_TMCCT);
	memcpy(r->data + APIC_TMCCT * 16, &count, sizeof(count));
}

static int load_lapic_regs(struct domain *d, struct vcpu *v, const void *buf)
{
	struct vlapic *l = hvm_vcpu(v)->lapic;
	const struct hvm_hw_lapic_regs *r = buf;

	(void)d;
	for (unsigned int i = 0; i < VLAPIC_REGS; i++)
		memcpy(&LREG(l, i), r->data + i * 16, sizeof(uint32_t));
	hvm_ops->set_creg(v, CR8, LREG(l, APIC_TPR) >> 4);
	vlapic_changed(l);
	vlapic_rearm(l);
	return 0;
}

static void save_mtrr(struct domain *d, struct vcpu *v, void *buf)
{
	const struct hvm_mtrr *m = &hvm_domain(d)->mtrr;
	struct hvm_hw_mtrr *r = buf;

	*r = (struct hvm_hw_mtrr){
		.msr_mtrr_cap = MTRR_VARIABLE | BIT(8) | BIT(10),
		.msr_mtrr_def_type = m->def_type,
	};
	memcpy(r->msr_mtrr_var, m->variable, sizeof(m->variable));
	memcpy(r->msr_mtrr_fixed, m->fixed, sizeof(m->fixed));
	hvm_ops->get_msr(v, 0x277, &r->msr_pat_cr);
}

static int load_mtrr(struct domain *d, struct vcpu *v, const void *buf)
{
	struct hvm_mtrr *m = &hvm_domain(d)->mtrr;
	const struct hvm_hw_mtrr *r = buf;

	m->def_type = r->msr_mtrr_def_type;
	memcpy(m->variable, r->msr_mtrr_var, sizeof(m->variable));
	memcpy(m->fixed, r->msr_mtrr_fixed, sizeof(m->fixed));
	return hvm_wrmsr(v, 0x277, r->msr_pat_cr) ? 0 : -EINVAL;
}

static void save_tsc_adjust(struct domain *d, struct vcpu *v, void *buf)
{
	struct hvm_tsc_adjust *r = buf;

	(void)d;
	r->tsc_adjust = hvm_vcpu(v)->tsc_adjust;
}

static int load_tsc_adjust(struct domain *d, struct vcpu *v, const void *buf)
{
	const struct hvm_tsc_adjust *r = buf;

	(void)d;
	hvm_vcpu(v)->tsc_adjust = r->tsc_adjust;
	return 0;
}

static const struct record records[NR_CODES] = {
	[HVM_SAVE_CODE(HEADER)] = {"header", HVM_SAVE_LENGTH(HEADER),
				   save_header, load_header, false, 0},
	[HVM_SAVE_CODE(CPU)] = {"cpu", HVM_SAVE_LENGTH(CPU), save_cpu, load_cpu,
				true, 0},
	[HVM_SAVE_CODE(LAPIC)] = {"lapic", HVM_SAVE_LENGTH(LAPIC), save_lapic,
				  load_lapic, true, 0},
	[HVM_SAVE_CODE(
		LAPIC_REGS)] = {"lapic registers", HVM_SAVE_LENGTH(LAPIC_REGS),
				save_lapic_regs, load_lapic_regs, true, 0},
	[HVM_SAVE_CODE(MTRR)] = {"mtrr", HVM_SAVE_LENGTH(MTRR), save_mtrr,
				 load_mtrr, true, 0},
	[HVM_SAVE_CODE(
		TSC_ADJUST)] = {"tsc adjust", HVM_SAVE_LENGTH(TSC_ADJUST),
				save_tsc_adjust, load_tsc_adjust, true, 0},
};

/* Appends a record; counts only, without a buffer. */
static int put_record(struct domain *d, struct vcpu *v, unsigned int type,
		      char *buf, size_t room, size_t *at)
{
	const struct record *r = &records[type];
	struct hvm_save_descriptor desc = {
		.typecode = (uint16_t)type,
		.instance = (uint16_t)(v && r->per_vcpu ? v->id : 0),
		.length = (uint32_t)r->size,
	};
	size_t size = sizeof(desc) + r->size;

	if (buf) {
		if (*at > room || room - *at < size)
			return -ENOSPC;
		memcpy(buf + *at, &desc, sizeof(desc));
		r->save(d, v, buf + *at + sizeof(desc));
	}
	*at += size;
	return 0;
}

static int put_board(struct domain *d, unsigned int type, char *buf,
		     size_t room, size_t *at)
{
	const struct board_record *r = board_record(d, type);
	struct hvm_save_descriptor desc = {.typecode = (uint16_t)type};

	for (unsigned int i = 0; r && i < r->instances; i++) {
		size_t size = sizeof(desc) + r->size;

		desc.instance = (uint16_t)i;
		desc.length = (uint32_t)r->size;
		if (buf) {
			if (*at > room || room - *at < size)
				return -ENOSPC;
			memcpy(buf + *at, &desc, sizeof(desc));
			r->save(d, i, buf + *at + sizeof(desc));
		}
		*at += size;
	}
	return 0;
}

int hvm_save(struct domain *d, void *buf, size_t *len)
{
	struct hvm_save_descriptor end = {.typecode = 0};
	size_t at = 0;
	struct vcpu *v;
	int rc = put_record(d, NULL, HVM_SAVE_CODE(HEADER), buf, *len, &at);

	for (unsigned int t = 2; !rc && t < NR_CODES; t++) {
		if (!records[t].save) {
			rc = put_board(d, t, buf, *len, &at);
			continue;
		}
		for_each_vcpu(d, v) {
			rc = put_record(d, v, t, buf, *len, &at);
			if (rc)
				return rc;
		}
	}
	if (rc)
		return rc;
	if (buf) {
		if (*len - at < sizeof(end))
			return -ENOSPC;
		memcpy((char *)buf + at, &end, sizeof(end));
	}
	*len = at + sizeof(end);
	return 0;
}

static int save_one_board(struct domain *d, const struct board_record *r,
			  unsigned int instance, void *buf, size_t *len)
{
	if (instance >= r->instances)
		return -ENOENT;
	if (buf) {
		if (*len < r->size)
			return -ENOSPC;
		r->save(d, instance, buf);
	}
	*len = r->size;
	return 0;
}

int hvm_save_one(struct domain *d, unsigned int type, unsigned int instance,
		 void *buf, size_t *len)
{
	const struct record *r = type < NR_CODES ? &records[type] : NULL;
	const struct board_record *b = board_record(d, type);
	struct vcpu *v = NULL;

	if (b)
		return save_one_board(d, b, instance, buf, len);
	if (!r || !r->save)
		return -EINVAL;
	if (r->per_vcpu) {
		v = domain_vcpu(d, instance);
		if (!v)
			return -ENOENT;
	}
	if (buf) {
		if (*len < r->size)
			return -ENOSPC;
		r->save(d, v, buf);
	}
	*len = r->size;
	return 0;
}

static int get_board(struct domain *d, const struct board_record *r,
		     const struct hvm_save_descriptor *desc, const char *data)
{
	/* For its alignment, which a stream does not keep. */
	union {
		struct hvm_hw_hpet largest;
		char bytes[sizeof(struct hvm_hw_hpet)];
	} buf;

	if (desc->length != r->size || r->size > sizeof(buf)) {
		printk(XENLOG_INFO "d%u: HVM context: record type %u has %u "
				   "bytes, not %zu\n",
		       d->id, r->type, desc->length, r->size);
		return -EINVAL;
	}
	if (desc->instance >= r->instances)
		return -ENOENT;
	memcpy(buf.bytes, data, r->size);
	return r->load(d, desc->instance, &buf);
}

static int get_record(struct domain *d, const struct hvm_save_descriptor *desc,
		      const char *data)
{
	const struct record *r =
		desc->typecode < NR_CODES ? &records[desc->typecode] : NULL;
	const struct board_record *b = board_record(d, desc->typecode);
	struct vcpu *v = NULL;

	if (b)
		return get_board(d, b, desc, data);
	if (!r || !r->load) {
		printk(XENLOG_INFO "d%u: HVM context: record type %u is not "
				   "known\n",
		       d->id, desc->typecode);
		return -ENOENT;
	}
	if (desc->length != r->size) {
		printk(XENLOG_INFO "d%u: HVM context: %s has %u bytes, not "
				   "%zu\n",
		       d->id, r->name, desc->length, r->size);
		return -EINVAL;
	}
	if (r->per_vcpu) {
		v = domain_vcpu(d, desc->instance);
		if (!v)
			return -ENOENT;
	}
	return r->load(d, v, data);
}

int hvm_load(struct domain *d, const void *buf, size_t len)
{
	const char *p = buf;
	bool first = true;

	for (;;) {
		struct hvm_save_descriptor desc;
		int rc;

		if (len < sizeof(desc))
			return -ENODATA;
		memcpy(&desc, p, sizeof(desc));
		p += sizeof(desc);
		len -= sizeof(desc);
		if (first && desc.typecode != HVM_SAVE_CODE(HEADER))
			return -EINVAL;
		first = false;
		if (desc.typecode == HVM_SAVE_CODE(END))
			return 0;
		if (desc.length > len)
			return -ENODATA;
		rc = get_record(d, &desc, p);
		if (rc)
			return rc;
		p += desc.length;
		len -= desc.length;
	}
}
