/* SPDX-License-Identifier: MIT */
/* Isolated guests' level 4 tables: copies, and keeping them such. */
#include "pv/isolate.h"

#include "lib/atomic.h"
#include "lib/string.h"
#include "mem/layout.h"

#define GUEST_UPPER (HYPERVISOR_LAST_SLOT + 1)

DEFINE_PER_CPU(struct pv_copies, pv_copies);
/* What entry.S loads on the way out. */
DEFINE_PER_CPU_ENTRY(uint64_t, pv_isolated_cr3);

static struct pv_copy *copy_for(bool kernel)
{
	struct pv_copies *c = &this_cpu(pv_copies);

	return kernel ? &c->kernel : &c->user;
}

/* Whoever changes an entry meanwhile asks this CPU to follow: that is done when
 * interrupts are on again, and so behind the copying. */
void pv_isolate(mfn_t base, bool kernel)
{
	struct pv_copy *c = copy_for(kernel);
	unsigned long flags = local_irq_save();

	if (!mfn_eq(c->of, base)) {
		const uint64_t *from = mfn_to_virt(base);

		c->of = base;
		memcpy(c->l4, from, HYPERVISOR_FIRST_SLOT * sizeof(*from));
		memcpy(c->l4 + GUEST_UPPER, from + GUEST_UPPER,
		       (512 - GUEST_UPPER) * sizeof(*from));
	}
	this_cpu(trap_full_cr3) = mfn_to_maddr(base);
	this_cpu(pv_isolated_cr3) = virt_to_maddr(c->l4);
	local_irq_restore(flags);
}

void pv_isolate_forget(bool kernel)
{
	copy_for(kernel)->of = INVALID_MFN;
}

void pv_isolate_end(void)
{
	this_cpu(trap_full_cr3) = 0;
	pv_isolate_forget(true);
	pv_isolate_forget(false);
}

struct changed {
	mfn_t table;
	unsigned int index;
};

static void follow(void *data)
{
	const struct changed *ch = data;
	const uint64_t *from = mfn_to_virt(ch->table);

	for (unsigned int i = 0; i < 2; i++) {
		struct pv_copy *c = copy_for(i);

		if (mfn_eq(c->of, ch->table))
			WRITE_ONCE(c->l4[ch->index],
				   READ_ONCE(from[ch->index]));
	}
}

void pv_isolate_entry(struct domain *d, mfn_t table, unsigned int index)
{
	struct changed ch = {table, index};

	pv_call_cpus(d, follow, &ch);
}
