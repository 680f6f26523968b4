/* SPDX-License-Identifier: MIT */
/*
 * The log of written pages by the processor (Intel SDM Vol. 3,
 * "Page-Modification Logging"). A page of P2M_RAM_LOGDIRTY is writable, with
 * its dirty bit clear: the first write sets it and adds the page's address to
 * the vCPU's log, without an exit. When its 512 entries are used up, that
 * exits. Large leaves stay read-only until their first write has split them:
 * their dirty bit would be set for all of their pages at once.
 *
 * The log is read while its vCPU may be running elsewhere, so an entry is taken
 * out with one step, and what is empty is told by its value, not by the index,
 * which only the processor that runs the vCPU knows.
 */
#include "hvm/vmx/vmx.h"

#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"

#define EMPTY UINT64_MAX

int vmx_pml_init(struct vmx_vcpu *s)
{
	if (!vmx_caps.pml)
		return 0;
	s->pml = alloc_page_virt(0);
	if (!s->pml)
		return -ENOMEM;
	memset(s->pml, 0xff, PAGE_SIZE); /* EMPTY */
	return 0;
}

void vmx_pml_destroy(struct vmx_vcpu *s)
{
	free_page_virt(s->pml);
	s->pml = NULL;
}

void vmx_drain_log(struct vcpu *v, void (*written)(struct domain *d, gfn_t gfn))
{
	uint64_t *log = vmx_vcpu(v)->pml;

	for (unsigned int i = 0; log && i < PML_ENTRIES; i++) {
		uint64_t gpa = READ_ONCE(log[i]);

		if (gpa == EMPTY)
			continue;
		gpa = atomic_xchg(&log[i], EMPTY);
		if (gpa != EMPTY)
			written(v->domain, gpa_to_gfn(gpa));
	}
}
