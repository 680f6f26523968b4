/* SPDX-License-Identifier: MIT */
/*
 * Nested page faults. Emulated memory goes to its handler; a privileged
 * domain's first touch of a device's memory maps it, one to one; the rest is a
 * guest that reached for what it has not.
 */
#include "hvm/hvm.h"

#include "console/printk.h"
#include "hvm/dev/vlapic.h"
#include "hvm/portio.h"
#include "hvm/vram.h"
#include "mem/frame.h"

/* Message-signalled interrupts and the local APICs: 1 MiB that is ours. */
#define LAPIC_FIRST 0xfee00UL
#define LAPIC_LAST  0xfeeffUL

/* Nothing in it is RAM, or ours, or trapped, or mapped otherwise. */
static bool all_device(struct domain *d, uint64_t first, uint64_t nr)
{
	if ((first + nr) >> (cpu_features.phys_bits - PAGE_SHIFT))
		return false;
	for (uint64_t i = 0; i < nr; i++) {
		enum p2m_type type;

		if (mfn_valid(_mfn(first + i)) ||
		    (first + i >= LAPIC_FIRST && first + i <= LAPIC_LAST) ||
		    mmio_is_trapped(d, (first + i) << PAGE_SHIFT))
			return false;
		p2m_lookup(&d->p2m, _gfn(first + i), &type, NULL);
		if (type != P2M_NONE && type != P2M_MMIO_DIRECT)
			return false;
	}
	return true;
}

/* Device memory of the machine, given to dom0 as it asks for it. */
static bool map_device(struct domain *d, gfn_t gfn)
{
	uint64_t large = gfn_x(gfn) & ~511UL;
	int rc;

	if (!all_device(d, gfn_x(gfn), 1))
		return false;
	p2m_lock(&d->p2m);
	if (all_device(d, large, 512))
		rc = p2m_set(&d->p2m, _gfn(large), _mfn(large), 512,
			     P2M_MMIO_DIRECT);
	else
		rc = p2m_set(&d->p2m, gfn, _mfn(gfn_x(gfn)), 1,
			     P2M_MMIO_DIRECT);
	p2m_unlock(&d->p2m);
	return rc == 0;
}

enum verdict hvm_npf(struct vcpu *v, const struct vmexit *x)
{
	struct domain *d = v->domain;
	gpa_t gpa = x->npf.gpa;
	enum p2m_type type;

	if (vlapic_is_at(hvm_vcpu(v)->lapic, gpa))
		return hvm_lapic_mmio(v, gpa, x);
	if (mmio_is_trapped(d, gpa))
		return hvm_mmio(v, gpa, x);
	p2m_lookup(&d->p2m, gpa_to_gfn(gpa), &type, NULL);
	switch (type) {
	case P2M_RAM_RO:
		/* Writes to ROM go nowhere. */
		return x->npf.write ? hvm_mmio(v, gpa, x) : VERDICT_RESUME;
	case P2M_GRANT_RO:
		break;
	case P2M_RAM_LOGDIRTY:
		if (!x->npf.write)
			return VERDICT_RESUME;
		vram_written(d, gpa_to_gfn(gpa));
		return VERDICT_RESUME;
	case P2M_RAM_RW: /* another vCPU's write has made it so meanwhile */
		return VERDICT_RESUME;
	case P2M_NONE:
		if (d->privileged && map_device(d, gpa_to_gfn(gpa)))
			return VERDICT_RESUME;
		/* Nobody is there: ones are read, writes are lost. */
		if (!x->npf.fetch && !x->npf.in_table)
			return hvm_mmio(v, gpa, x);
		break;
	case P2M_MMIO_DM:
		return hvm_mmio(v, gpa, x);
	default:
		/* Another CPU may have put it there meanwhile: look again. */
		if (!x->npf.present)
			return VERDICT_RESUME;
	}
	/* First: when dom0 ends, so does all else. */
	hvm_ops->dump(v);
	domain_crash(d, "v%u: %s at %#lx, guest-physical %#lx, type %d%s",
		     v->id,
		     x->npf.fetch   ? "fetch"
		     : x->npf.write ? "write"
				    : "read",
		     v->regs.rip, gpa, type,
		     x->npf.in_table ? ", in its page tables" : "");
	return VERDICT_RESUME;
}
