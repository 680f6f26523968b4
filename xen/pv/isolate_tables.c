/* SPDX-License-Identifier: MIT */
/*
 * What of the hypervisor an isolated guest's tables have (pv/isolate.h), and
 * the option that says who is isolated.
 */
#include "pv/isolate.h"

#include "console/printk.h"
#include "cpu/msr.h"
#include "lib/errno.h"
#include "lib/param.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/layout.h"
#include "mem/map.h"

#define MSR_ARCH_CAPABILITIES 0x10a
#define ARCH_CAPS_RDCL_NO     BIT(0)
#define CR4_PGE               BIT(7)
#define TABLE                 (PTE_P | PTE_RW | PTE_A)

/* The least that a trap in ring 0 needs, at the IRETQ, and what it calls. */
static DEFINE_PER_CPU_ENTRY(uint64_t[256], entry_stack) __aligned(16);
/* entry.S finds it there. */
DEFINE_PER_CPU_ENTRY(uint64_t, pv_isolated_rsp);

enum choice { BY_CPU, NO, YES };
static enum choice for_dom0, for_domu;
static bool dom0_isolated, domu_isolated;

static bool __init parse_choice(const char *s, size_t n, enum choice *c)
{
	bool yes;

	if (!parse_bool(s, n, &yes))
		return false;
	*c = yes ? YES : NO;
	return true;
}

/* One word of the list: default, BOOL, dom0[=BOOL] or domu[=BOOL]. */
static int __init parse_word(const char *s, size_t n)
{
	enum choice c = YES;

	if (word_is(s, n, "default")) {
		for_dom0 = for_domu = BY_CPU;
		return 0;
	}
	if (parse_choice(s, n, &c)) {
		for_dom0 = for_domu = c;
		return 0;
	}
	if (n < 4 || (strncmp(s, "dom0", 4) && strncmp(s, "domu", 4)))
		return -EINVAL;
	if (n > 4 && (s[4] != '=' || !parse_choice(s + 5, n - 5, &c)))
		return -EINVAL;
	*(s[3] == '0' ? &for_dom0 : &for_domu) = c;
	return 0;
}

/* xpti, or a list with commas, as xen-command-line has it. */
static int __init parse_xpti(const struct param *p __maybe_unused,
			     const char *value)
{
	const char *s = value ? value : "true";

	for (;;) {
		size_t n = 0;

		while (s[n] && s[n] != ',')
			n++;
		if (parse_word(s, n))
			return -EINVAL;
		if (!s[n])
			return 0;
		s += n + 1;
	}
}
PARAM_CUSTOM("xpti", parse_xpti, "which PV domains' tables are isolated");

/* Intel's processors are, but for those that say they are not. */
static bool __init cpu_reads_ahead(void)
{
	uint64_t caps;

	if (cpu_features.vendor != CPU_INTEL)
		return false;
	return !(cpu_features.l7_edx & BIT(29)) ||
	       !rdmsr_safe(MSR_ARCH_CAPABILITIES, &caps) ||
	       !(caps & ARCH_CAPS_RDCL_NO);
}

void __init pv_isolate_init(void)
{
	bool by_cpu = cpu_reads_ahead();

	dom0_isolated = for_dom0 == BY_CPU ? by_cpu : for_dom0 == YES;
	domu_isolated = for_domu == BY_CPU ? by_cpu : for_domu == YES;
	printk("XPTI (64-bit PV only): Dom0 %sabled, DomU %sabled\n",
	       dom0_isolated ? "en" : "dis", domu_isolated ? "en" : "dis");
}

bool pv_may_isolate(void)
{
	return dom0_isolated || domu_isolated;
}

bool pv_wants_isolation(const struct domain *d)
{
	return d->privileged ? dom0_isolated : domu_isolated;
}

uint64_t pv_isolated_stack(void)
{
	return this_cpu(pv_isolated_rsp);
}

const struct pv_entries *pv_entries_of(const struct domain *d)
{
	static const struct pv_entries plain = {
		pv_syscall_entry, pv_compat_syscall_entry, pv_sysenter_entry};
	static const struct pv_entries isolated = {
		pv_isolated_syscall_entry, pv_isolated_compat_syscall_entry,
		pv_isolated_sysenter_entry};

	return pv_is_isolated(d) ? &isolated : &plain;
}

/* The place of va's level 1 entry in this CPU's tables. */
static uint64_t *place_of(uint64_t va)
{
	uint64_t *table = this_cpu(pv_copies).kernel.l4;

	for (unsigned int shift = 39; shift > PAGE_SHIFT; shift -= 9) {
		uint64_t *e = &table[(va >> shift) & 511];

		if (!(*e & PTE_P)) {
			void *page = alloc_page_virt(ALLOC_ZERO);

			if (!page)
				return NULL;
			*e = virt_to_maddr(page) | TABLE;
		}
		table = maddr_to_virt(*e & PTE_ADDR);
	}
	return &table[(va >> PAGE_SHIFT) & 511];
}

/* Both tables have the same below level 4. */
static void share_slot(uint64_t va)
{
	struct pv_copies *c = &this_cpu(pv_copies);
	unsigned int slot = (va >> 39) & 511;

	c->user.l4[slot] = c->kernel.l4[slot];
}

uint64_t *pv_isolate_show(uint64_t va, unsigned int pages)
{
	uint64_t *first = place_of(va);

	for (unsigned int i = 0; i < pages; i++) {
		uint64_t *e = place_of(va + i * PAGE_SIZE);

		if (!e)
			return NULL;
		*e = map_entry_of(va + i * PAGE_SIZE) & ~PTE_G;
	}
	share_slot(va);
	return first;
}

static bool show(const char *from, const char *to)
{
	return pv_isolate_show((uint64_t)from, (to - from) / PAGE_SIZE);
}

static uint64_t *new_l4(void)
{
	uint64_t *l4 = alloc_page_virt(ALLOC_ZERO);

	if (!l4)
		return NULL;
	pv_fill_slots(l4);
	memset(l4 + HYPERVISOR_FIRST_SLOT + 1, 0,
	       (HYPERVISOR_LAST_SLOT - HYPERVISOR_FIRST_SLOT) * sizeof(*l4));
	return l4;
}

int pv_isolate_init_cpu(void)
{
	struct pv_copies *c = &this_cpu(pv_copies);
	uint64_t own = this_cpu_offset();

	if (!pv_may_isolate())
		return 0;
	*c = (struct pv_copies){{new_l4(), INVALID_MFN},
				{new_l4(), INVALID_MFN}};
	if (!c->user.l4 || !c->kernel.l4 ||
	    !show(image_entry_text, image_entry_text_end) ||
	    !show(image_entry_data, image_entry_data_end) ||
	    !show(__percpu_entry_start + own, __percpu_entry_end + own))
		return -ENOMEM;
	this_cpu(pv_isolated_rsp) = (uint64_t)(&this_cpu(entry_stack) + 1);
	/* Nothing of ours outlives a write to CR3. */
	write_cr4(read_cr4() & ~CR4_PGE);
	return 0;
}
