/* SPDX-License-Identifier: MIT */
/*
 * The calls that only PV guests have: entries, descriptors, segment bases,
 * debug registers (public/xen.h, public/callback.h, public/nmi.h).
 */
#include "pv/io.h"

#include "console/printk.h"
#include "domain/guest_access.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/layout.h"
#include "pv/pirq.h"

#include <xen/callback.h>
#include <xen/nmi.h>
#include <xen/physdev.h>

static long set_trap_table(struct vcpu *v, const uint64_t args[6])
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (!args[0]) {
		memset(pv->traps, 0, sizeof(pv->traps));
		return 0;
	}
	/* It ends with an entry without address. */
	for (unsigned int i = 0; i <= 256; i++) {
		struct trap_info t;

		if (copy_elem_from_guest(&t, args[0], i))
			return -EFAULT;
		if (!t.address)
			return 0;
		if (!pv_is_canonical(t.address))
			return -EINVAL;
		pv->traps[t.vector] = (struct pv_trap){
			t.address, pv_fix_selector(t.cs), t.flags};
	}
	return -EINVAL;
}

static long set_gdt(struct vcpu *v, const uint64_t args[6])
{
	unsigned int entries = (unsigned int)args[1];
	uint64_t frames[GDT_FRAMES];
	size_t n = DIV_ROUND_UP(entries, 512U);

	if (entries > GDT_FRAMES * 512)
		return -EINVAL;
	if (copy_array_from_guest(frames, args[0], 0, n, sizeof(frames[0])))
		return -EFAULT;
	return pv_set_gdt_frames(v, frames, entries);
}

/* One descriptor, by its machine address. */
static long update_descriptor(struct vcpu *v, const uint64_t args[6])
{
	struct pv_mm_domain *mm = d_mm(v->domain);
	mfn_t mfn = maddr_to_mfn(args[0]);
	uint64_t desc = args[1], *to;
	long rc = -EINVAL;
	bool table;

	if ((args[0] & 7) || !pv_descriptor_ok(&desc))
		return -EINVAL;
	if (!get_page(mfn, v->domain->id))
		return -EINVAL;
	spin_lock(&mm->lock);
	table = frame_type(mfn) == FRAME_SEGDESC && frame_type_count(mfn);
	if (table || get_page_type(mfn, FRAME_WRITABLE)) {
		to = (uint64_t *)((char *)mfn_to_virt(mfn) +
				  (args[0] & ~PAGE_MASK));
		WRITE_ONCE(*to, desc);
		if (!table)
			put_page_type(mfn);
		rc = 0;
	}
	spin_unlock(&mm->lock);
	put_page(mfn);
	return rc;
}

static long stack_switch(struct vcpu *v, const uint64_t args[6])
{
	pv_vcpu(v)->kernel_ss = args[0] | 3;
	pv_vcpu(v)->kernel_sp = args[1];
	return 0;
}

static long fpu_taskswitch(struct vcpu *v, const uint64_t args[6])
{
	pv_set_ts(v, args[0] != 0);
	return 0;
}

static long set_callbacks(struct vcpu *v, const uint64_t args[6])
{
	struct pv_vcpu *pv = pv_vcpu(v);

	if (!pv_is_canonical(args[0]) || !pv_is_canonical(args[1]) ||
	    !pv_is_canonical(args[2]))
		return -EINVAL;
	pv->event_entry = args[0];
	pv->failsafe_entry = args[1];
	pv->syscall_entry = args[2];
	return 0;
}

static long register_callback(struct vcpu *v, const struct callback_register *r)
{
	struct pv_vcpu *pv = pv_vcpu(v);
	bool masks = r->flags & CALLBACKF_mask_events;

	if (!pv_is_canonical(r->address))
		return -EINVAL;
	switch (r->type) {
	case CALLBACKTYPE_event:
		pv->event_entry = r->address;
		return 0;
	case CALLBACKTYPE_failsafe:
		pv->failsafe_entry = r->address;
		pv->failsafe_masks = masks;
		return 0;
	case CALLBACKTYPE_syscall:
		pv->syscall_entry = r->address;
		pv->syscall_masks = masks;
		return 0;
	case CALLBACKTYPE_syscall32:
		pv->syscall32_entry = r->address;
		pv->syscall32_masks = masks;
		return 0;
	case CALLBACKTYPE_sysenter:
		pv->sysenter_entry = r->address;
		pv->sysenter_masks = masks;
		return 0;
	case CALLBACKTYPE_nmi:
		pv->nmi_entry = r->address;
		return 0;
	}
	return -ENOSYS;
}

static long callback_op(struct vcpu *v, const uint64_t args[6])
{
	struct callback_register r;

	if (args[0] == CALLBACKOP_register) {
		if (copy_from_guest(&r, args[1], sizeof(r)))
			return -EFAULT;
		return register_callback(v, &r);
	}
	if (args[0] != CALLBACKOP_unregister)
		return -ENOSYS;
	if (copy_from_guest(&r.type, args[1], sizeof(r.type)))
		return -EFAULT;
	switch (r.type) {
	case CALLBACKTYPE_event:
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
		return -EINVAL;
	case CALLBACKTYPE_nmi:
		pv_vcpu(v)->nmi_entry = 0;
		return 0;
	}
	return 0;
}

static long nmi_op(struct vcpu *v, const uint64_t args[6])
{
	struct xennmi_callback c;

	switch (args[0]) {
	case XENNMI_register_callback:
		if (copy_from_guest(&c, args[1], sizeof(c)))
			return -EFAULT;
		if (v->id || !pv_is_canonical(c.handler_address))
			return -EINVAL;
		pv_vcpu(v)->nmi_entry = c.handler_address;
		return 0;
	case XENNMI_unregister_callback:
		pv_vcpu(v)->nmi_entry = 0;
		return 0;
	}
	return -ENOSYS;
}

static long set_segment_base(struct vcpu *v, const uint64_t args[6])
{
	uint64_t base = args[1];

	if (args[0] != SEGBASE_GS_USER_SEL && !pv_is_canonical(base))
		return -EINVAL;
	switch (args[0]) {
	case SEGBASE_FS:
		wrmsr(MSR_FS_BASE, base);
		return 0;
	case SEGBASE_GS_USER:
		pv_set_gs_base(v, base, true);
		return 0;
	case SEGBASE_GS_KERNEL:
		pv_set_gs_base(v, base, false);
		return 0;
	case SEGBASE_GS_USER_SEL:
		pv_set_gs_selector(v, (uint16_t)base);
		return 0;
	}
	return -EINVAL;
}

static long set_debugreg(struct vcpu *v, const uint64_t args[6])
{
	return args[0] > 7 ? -ENODEV
			   : pv_set_debugreg_value(v, (unsigned int)args[0],
						   args[1]);
}

static long get_debugreg(struct vcpu *v, const uint64_t args[6])
{
	if (args[0] > 7)
		return -EINVAL;
	return (long)pv_vcpu(v)
		->dr[args[0] == 4 || args[0] == 5 ? args[0] + 2 : args[0]];
}

/* By itself it does not come here (pv_hypercall()). */
static long iret_in_multicall(struct vcpu *v, const uint64_t args[6])
{
	(void)args;
	domain_crash(v->domain, "v%u: iret in a multicall", v->id);
	return 0;
}

static const struct pv_calls calls = {
	.set_trap_table = set_trap_table,
	.mmu_update = pv_mmu_update,
	.set_gdt = set_gdt,
	.stack_switch = stack_switch,
	.set_callbacks = set_callbacks,
	.fpu_taskswitch = fpu_taskswitch,
	.set_debugreg = set_debugreg,
	.get_debugreg = get_debugreg,
	.update_descriptor = update_descriptor,
	.update_va_mapping = pv_update_va_mapping,
	.update_va_mapping_otherdomain = pv_update_va_mapping_otherdomain,
	.iret = iret_in_multicall,
	.set_segment_base = set_segment_base,
	.mmuext_op = pv_mmuext_op,
	.nmi_op = nmi_op,
	.callback_op = callback_op,
};

long pv_physdev_op(struct vcpu *v, uint32_t cmd, uint64_t arg)
{
	struct physdev_set_iopl s;

	switch (cmd) {
	case PHYSDEVOP_set_iopl:
		if (copy_from_guest(&s, arg, sizeof(s)))
			return -EFAULT;
		if (s.iopl > 3)
			return -EINVAL;
		pv_vcpu(v)->iopl = (uint8_t)s.iopl;
		return 0;
	case PHYSDEVOP_set_iobitmap:
		return 0;
	}
	return pv_pirq_op(v, cmd, arg);
}

void pv_calls_init(void)
{
	pv_calls = &calls;
}
