/* SPDX-License-Identifier: MIT */
/*
 * Message-signalled interrupts of dom0's devices: the device raises a vector of
 * ours, whose handler delivers what the guest's message says (Intel SDM Vol. 3,
 * "Message Signalled Interrupts").
 */
#include "hvm/dev/vmsi.h"

#include "hvm/dev/vlapic.h"

static uint32_t destination(const struct vmsi *m)
{
	return (uint32_t)(m->address >> 12) & 0xff;
}

static bool is_logical(const struct vmsi *m)
{
	return m->address & BIT(2);
}

static void deliver(void *data, unsigned int irq)
{
	const struct vmsi *m = data;
	uint32_t d = READ_ONCE(m->data);

	(void)irq;
	vlapic_deliver(m->domain, destination(m), is_logical(m), (d >> 8) & 7,
		       d & 0xff, false);
}

static unsigned int target_cpu(const struct vmsi *m)
{
	struct vcpu *v;

	for_each_vcpu(m->domain, v)
		if (vlapic_match(hvm_vcpu(v)->lapic, destination(m),
				 is_logical(m)))
			return v->unit.cpu;
	return 0;
}

int vmsi_bind(struct vmsi *m)
{
	int rc;

	if (m->bound) {
		irq_set_affinity_msi(m->irq, target_cpu(m), &m->host);
		return 0;
	}
	rc = irq_alloc_msi(target_cpu(m), deliver, m, &m->irq, &m->host);
	m->bound = rc == 0;
	return rc;
}

void vmsi_unbind(struct vmsi *m)
{
	if (m->bound)
		irq_free_msi(m->irq);
	m->bound = false;
}
