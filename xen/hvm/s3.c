/* SPDX-License-Identifier: MIT */
/*
 * A guest PC's ACPI S3, suspend to RAM. PM1a_CNT is the device model's: it
 * tells us of the sleep, and of its end, by HVM_PARAM_ACPI_S_STATE. Memory
 * stays; processors and the board are as after power-on, and the first vCPU
 * starts at the BIOS' reset vector, below 1 MiB, where hvmloader has put it.
 */
#include "hvm/hvm.h"

#include "hvm/dev/vlapic.h"
#include "hvm/records.h"
#include "lib/errno.h"

#include <xen/hvm/params.h>

#define S3 3

/* An answer of the device model that still comes is dropped: nobody waits for
 * it (hvm_io_finish). */
static void forget_requests(struct hvm_vcpu *hv)
{
	hv->io.again = hv->io.awaited = false;
	hv->io.nr = hv->io.next = 0;
}

static void reset_vcpu(struct vcpu *v)
{
	struct hvm_vcpu *hv = hvm_vcpu(v);

	forget_requests(hv);
	WRITE_ONCE(hv->nmi_pending, false);
	WRITE_ONCE(hv->later.waits, false);
	WRITE_ONCE(hv->lapic->init_sipi, 0);
	hvm_ops->post_irq(v, -1);
	hv->posted = -1;
	hvm_power_on(v);
	hv->in_reset = v->id != 0;
}

/* The flag changes once, whoever else asks for the same. */
static bool turns(struct hvm_domain *hd, bool asleep)
{
	bool was;

	spin_lock(&hd->lock);
	was = hd->params[HVM_PARAM_ACPI_S_STATE] != 0;
	hd->params[HVM_PARAM_ACPI_S_STATE] = asleep ? S3 : 0;
	spin_unlock(&hd->lock);
	return was != asleep;
}

static void fall_asleep(struct domain *d)
{
	struct hvm_segment cs;
	struct vcpu *v;

	for_each_vcpu(d, v)
		reset_vcpu(v);
	board_reset(d);
	v = d->vcpu[0];
	hvm_ops->get_seg(v, SEG_CS, &cs);
	cs.base = (uint64_t)cs.sel << 4;
	hvm_ops->set_seg(v, SEG_CS, &cs);
}

int hvm_set_s_state(struct domain *d, uint64_t state)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (state != 0 && (state != S3 || !hd->acpi || !d->vcpu[0]))
		return -EINVAL;
	if (!turns(hd, state == S3))
		return 0;
	if (state == S3) {
		domain_pause(d); /* until it wakes */
		fall_asleep(d);
	} else {
		vcpu_wake(d->vcpu[0]);
		domain_unpause(d);
	}
	return 0;
}
