/* SPDX-License-Identifier: MIT */
/*
 * VT-x without VT-x: the choice of controls on CPUs that report every odd thing
 * their capability MSRs can, and the checks of a guest's state, each broken on
 * its own.
 */
#include "harness.h"

#include "hvm/vmx/vmx.h"

struct cpu_features cpu_features = {.phys_bits = 40};

/* A CPU with everything that this file's author could think of; what must be
 * one is as on real CPUs with the "true" MSRs. */
static const struct vmx_msrs full = {
	.basic = 0x00d8040000000004UL | VMX_BASIC_TRUE,
	.pin = 0x000000ff00000016UL,
	.proc = 0xfff9fffe04006172UL,
	.proc2 = 0x1fffffff00000000UL,
	.exit = 0x01ffffff00036dfbUL,
	.entry = 0x0003ffff000011fbUL,
	.misc = 0x20000065,
	.cr0_fixed0 = 0x80000021,
	.cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000,
	.cr4_fixed1 = 0x7727ff,
	.ept_vpid = 0x00000f0106734141UL,
};

static uint64_t seed = 88172645463325252UL;
static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool within(uint32_t on, uint64_t msr)
{
	return !((uint32_t)msr & ~on) && !(on & ~(uint32_t)(msr >> 32));
}

static bool all_within(const struct vmx_caps *c, const struct vmx_msrs *m)
{
	return within(c->pin, m->pin) && within(c->proc, m->proc) &&
	       within(c->exit, m->exit) && within(c->entry, m->entry) &&
	       !((uint32_t)m->proc2 & ~c->proc2) &&
	       !(c->proc2 & ~(uint32_t)(m->proc2 >> 32));
}

static void full_cpu(void)
{
	struct vmx_caps c;
	char missing[200];

	CHECK(vmx_choose(&full, &c, missing, sizeof(missing)));
	CHECK_EQ(strlen(missing), 0);
	CHECK(all_within(&c, &full));
	CHECK_EQ(c.revision, 4);
	CHECK_EQ(c.timer_shift, 5);
	CHECK(c.vpid && c.ept_2m && c.ept_1g && c.ept_ad && c.insn_info);
	/* Nothing exits that need not. */
	CHECK(!(c.proc & (PROC_CR3_LOAD | PROC_CR3_STORE | PROC_INVLPG |
			  PROC_PAUSE | PROC_RDTSC | PROC_IO)));
	CHECK(!(c.proc & (PROC_INTR_WINDOW | PROC_NMI_WINDOW | PROC_MTF)));
	CHECK(!(c.entry & ENTRY_GUEST64) && (c.exit & EXIT_HOST64));
	CHECK((c.proc2 & (PROC2_EPT | PROC2_UNRESTRICTED | PROC2_VPID)) ==
	      (PROC2_EPT | PROC2_UNRESTRICTED | PROC2_VPID));
}

/* Each offered control taken away: it is missed, or it is done without. */
static void one_less(uint64_t *msr, struct vmx_msrs *m, uint32_t needed)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		uint64_t kept = *msr;
		struct vmx_caps c;
		char missing[200];
		bool ok;

		if ((uint32_t)kept & BIT(bit))
			continue; /* must be one: cannot be missing */
		*msr &= ~(BIT(bit) << 32);
		ok = vmx_choose(m, &c, missing, sizeof(missing));
		CHECK(ok == !missing[0]);
		if (needed & BIT(bit))
			CHECK(!ok);
		if (ok)
			CHECK(all_within(&c, m));
		*msr = kept;
	}
}

static void one_control_less(void)
{
	struct vmx_msrs m = full;

	one_less(&m.pin, &m, PIN_EXTINT | PIN_NMI | PIN_VIRTUAL_NMI);
	one_less(&m.proc, &m,
		 PROC_TPR_SHADOW | PROC_MSR_BITMAPS | PROC_IO_BITMAPS |
			 PROC_SECONDARY | PROC_HLT | PROC_INTR_WINDOW);
	one_less(&m.proc2, &m, PROC2_EPT);
	one_less(&m.exit, &m, EXIT_LOAD_EFER | EXIT_LOAD_PAT);
	one_less(&m.entry, &m, ENTRY_LOAD_EFER | ENTRY_GUEST64);
}

/* Each control forced on: it is one that we want, or none that we know, or the
 * CPU is refused. */
static void one_control_forced(void)
{
	for (unsigned int bit = 0; bit < 32; bit++) {
		struct vmx_msrs m = full;
		struct vmx_caps c;
		char missing[200];

		m.proc |= BIT(bit);
		m.proc |= BIT(bit) << 32;
		if (vmx_choose(&m, &c, missing, sizeof(missing)))
			CHECK(all_within(&c, &m));
		if (BIT(bit) & (PROC_CR3_LOAD | PROC_INVLPG | PROC_PAUSE |
				PROC_INTR_WINDOW))
			CHECK(strstr(missing, "which cannot be off"));
	}
}

/* Fewer controls are offered; what is forced on is offered, too. */
static void thin(uint64_t *msr, uint64_t mask)
{
	*msr &= mask | 0xffffffff | *msr << 32;
}

static void random_cpus(void)
{
	unsigned int good = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		struct vmx_msrs m = full;
		struct vmx_caps c;
		char missing[200];

		/* Mostly there, so that some get through. */
		thin(&m.pin, any() | any() | any() | any());
		thin(&m.proc, any() | any() | any() | any() | any());
		thin(&m.proc2, any() | any());
		thin(&m.exit, any() | any() | any() | any());
		thin(&m.entry, any() | any() | any() | any());
		m.ept_vpid &= any() | any() | any() | any();
		m.basic &= any() | any() | any() | any() | any();
		if (!vmx_choose(&m, &c, missing, sizeof(missing))) {
			CHECK(missing[0]);
			continue;
		}
		good++;
		CHECK(all_within(&c, &m));
		CHECK(!c.vpid == !(c.proc2 & PROC2_VPID));
		CHECK(!c.pml == !(c.proc2 & PROC2_PML));
		CHECK(!c.pml || c.ept_ad);
		CHECK(c.pin & PIN_VIRTUAL_NMI && c.proc2 & PROC2_EPT);
	}
	CHECK(good > 20 && good < 19000);
}

static void no_room_for_names(void)
{
	struct vmx_msrs none = {.basic = 0};
	struct vmx_caps c;
	char buf[64];

	for (size_t size = 1; size < sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		vmx_choose(&none, &c, buf, size);
		CHECK(memchr(buf, 0, size));
		CHECK(size == sizeof(buf) || buf[size] == 'x');
		vmx_name_caps(&full, &c, true, buf, size);
		CHECK(memchr(buf, 0, size));
	}
}

static const char *used_names(const struct vmx_msrs *m,
			      const struct vmx_caps *c)
{
	static char names[400];

	vmx_name_caps(m, c, true, names, sizeof(names));
	return names;
}

static void old_cpu(void)
{
	struct vmx_msrs m = full;
	struct vmx_caps c;
	char missing[300];

	m.proc2 = 0;
	m.ept_vpid = 0;
	m.proc &= ~((uint64_t)PROC_SECONDARY << 32);
	CHECK(!vmx_choose(&m, &c, missing, sizeof(missing)));
	CHECK(strstr(missing, "EPT"));
	/* Without this, real mode is emulated. */
	m = full;
	m.proc2 &= ~((uint64_t)PROC2_UNRESTRICTED << 32);
	CHECK(vmx_choose(&m, &c, missing, sizeof(missing)));
	CHECK(!(c.proc2 & PROC2_UNRESTRICTED));
	CHECK(!strstr(used_names(&m, &c), "unrestricted guest"));
	CHECK(vmx_choose(&full, &c, missing, sizeof(missing)));
	CHECK(strstr(used_names(&full, &c), "unrestricted guest"));
}

/* The guest's state: fields by encoding. */
static struct {
	uint32_t field;
	uint64_t val;
} state[200];
static unsigned int nr_fields;

static uint64_t get(enum vmcs_field f)
{
	for (unsigned int i = 0; i < nr_fields; i++)
		if (state[i].field == f)
			return state[i].val;
	return 0;
}

static void set(uint32_t f, uint64_t val)
{
	for (unsigned int i = 0; i < nr_fields; i++) {
		if (state[i].field == f) {
			state[i].val = val;
			return;
		}
	}
	state[nr_fields].field = f;
	state[nr_fields++].val = val;
}

static void good_state(void)
{
	nr_fields = 0;
	set(VMCS_entry_controls, ENTRY_GUEST64);
	set(VMCS_proc2_controls, PROC2_UNRESTRICTED | PROC2_EPT);
	set(VMCS_guest_cr0, 0x80010031);
	set(VMCS_guest_cr4, 0x2020);
	set(VMCS_guest_efer, EFER_LME | EFER_LMA);
	set(VMCS_guest_pat, 0x0007040600070406UL);
	set(VMCS_guest_dr7, 0x400);
	for (unsigned int i = 0; i < 6; i++) {
		set(VMCS_guest_es_ar + 2 * i, i == 1 ? 0xa09b : 0xc093);
		set(VMCS_guest_es_limit + 2 * i, 0xffffffff);
	}
	set(VMCS_guest_tr_ar, 0x8b);
	set(VMCS_guest_tr_limit, 0x67);
	set(VMCS_guest_ldtr_ar, AR_UNUSABLE);
	set(VMCS_guest_rflags, 2);
	set(VMCS_link_pointer, ~0UL);
}

static const struct vmx_caps caps = {
	.cr0_fixed0 = 0x80000021,
	.cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000,
	.cr4_fixed1 = 0x7727ff,
};

#define INTR (EVENT_VALID | 0x40)
static const struct {
	uint32_t field;
	uint64_t val;
	const char *says;
} broken[] = {
	{VMCS_guest_cr0, 0x80010011, "CR0"}, /* NE */
	{VMCS_guest_cr0, 0x80010020, "CR0.PG without PE"},
	{VMCS_guest_cr0, 0x10021, "without CR0.PG"},
	{VMCS_guest_cr4, 0x20, "CR4 has"},
	{VMCS_guest_cr4, 0x1002020, "CR4 has"},
	{VMCS_guest_cr4, 0x2000, "CR4.PAE"},
	{VMCS_guest_cr3, 1UL << 40, "CR3"},
	{VMCS_guest_debugctl, 8, "DEBUGCTL"},
	{VMCS_guest_dr7, 1UL << 32, "DR7"},
	{VMCS_guest_sysenter_eip, 1UL << 47, "SYSENTER"},
	{VMCS_guest_pat, 2, "PAT"},
	{VMCS_guest_efer, 0x1d00, "EFER has"},
	{VMCS_guest_efer, EFER_LME, "EFER.LMA"},
	{VMCS_guest_efer, EFER_LMA, "EFER.LME"},
	{VMCS_guest_cs_ar, 0x1a09b, "CS is unusable"},
	{VMCS_guest_cs_ar, 0xa093 & ~1U, "no accessed code"},
	{VMCS_guest_cs_ar, 0xa01b, "CS is not present"},
	{VMCS_guest_cs_ar, 0xa0fb, "CS.DPL is not"},
	{VMCS_guest_cs_ar, 0x2a09b, "CS has a reserved"},
	{VMCS_guest_cs_ar, 0xe09b, "L and D"},
	{VMCS_guest_cs_ar, 0x209b, "CS: limit"},
	{VMCS_guest_cs_ar, 0xa0bf, "CS.DPL is above"},
	{VMCS_guest_cs_ar, 0xa0b3, "CS.DPL with a data"},
	{VMCS_guest_ss_ar, 0xc091, "SS is no writable"},
	{VMCS_guest_ds_ar, 0xc092, "accessed"},
	{VMCS_guest_ds_ar, 0xc099, "readable"},
	{VMCS_guest_es_ar, 0xc013, "not present"},
	{VMCS_guest_gs_ar, 0xc193, "data segment has a reserved"},
	{VMCS_guest_fs_limit, 0x123, "limit and granularity"},
	{VMCS_guest_tr_ar, AR_UNUSABLE, "TR is unusable"},
	{VMCS_guest_tr_ar, 0x89, "busy TSS"},
	{VMCS_guest_tr_ar, 0x83, "busy TSS"},
	{VMCS_guest_tr_ar, 0x0b, "TR is not present"},
	{VMCS_guest_tr_ar, 0x48b, "TR has a reserved"},
	{VMCS_guest_tr_sel, 4, "TR is in the LDT"},
	{VMCS_guest_tr_ar, 0x808b, "TR: limit"},
	{VMCS_guest_ldtr_ar, 0x83, "no present LDT"},
	{VMCS_guest_ldtr_ar, 0x182, "LDTR has a reserved"},
	{VMCS_guest_ldtr_ar, 0x8082, "LDTR: limit"},
	{VMCS_guest_gs_base, 1UL << 63, "FS, GS or TR"},
	{VMCS_guest_ds_base, 1UL << 32, "beyond 32 bits"},
	{VMCS_guest_gdtr_base, 1UL << 60, "GDTR or IDTR"},
	{VMCS_guest_idtr_limit, 0x10000, "beyond 16 bits"},
	{VMCS_guest_rip, 1UL << 48, "RIP"},
	{VMCS_guest_rflags, 0, "RFLAGS has"},
	{VMCS_guest_rflags, 0xa, "RFLAGS has"},
	{VMCS_entry_event, INTR, "without RFLAGS.IF"},
	{VMCS_guest_activity, 1, "activity"},
	{VMCS_guest_blocking, 0x20, "interruptibility"},
	{VMCS_guest_blocking, BLOCKING_SMI, "by SMI"},
	{VMCS_guest_blocking, 3, "by STI and by MOV SS"},
	{VMCS_guest_blocking, 1, "STI without"},
	{VMCS_guest_pending_debug, 0x10, "a reserved bit"},
	{VMCS_guest_pending_debug, BIT(13), "a reserved bit"},
	{VMCS_guest_pending_debug, BIT(16), "RTM"},
	{VMCS_link_pointer, 0, "link pointer"},
};

static void each_check(void)
{
	good_state();
	CHECK(!vmx_check_guest(get, &caps));
	for (unsigned int i = 0; i < ARRAY_SIZE(broken); i++) {
		const char *says;

		good_state();
		set(broken[i].field, broken[i].val);
		says = vmx_check_guest(get, &caps);
		if (!says || !strstr(says, broken[i].says)) {
			printf("# case %u says %s, not %s\n", i,
			       says ? says : "nothing", broken[i].says);
			test_failures++;
		}
	}
}

static void other_modes(void)
{
	good_state(); /* real mode: only an unrestricted guest's */
	set(VMCS_entry_controls, 0);
	set(VMCS_guest_cr0, 0x20);
	set(VMCS_guest_efer, 0);
	set(VMCS_guest_cs_ar, 0x93);
	set(VMCS_guest_cs_limit, 0xffff);
	CHECK(!vmx_check_guest(get, &caps));
	set(VMCS_proc2_controls, PROC2_EPT);
	CHECK(strstr(vmx_check_guest(get, &caps), "CR0"));

	good_state(); /* its SS is of ring 0 */
	set(VMCS_entry_controls, 0);
	set(VMCS_guest_cr0, 0x20);
	set(VMCS_guest_efer, 0);
	set(VMCS_guest_cs_ar, 0x93);
	set(VMCS_guest_cs_limit, 0xffff);
	set(VMCS_guest_ss_ar, 0xc0f3);
	CHECK(strstr(vmx_check_guest(get, &caps), "SS.DPL in real mode"));

	good_state(); /* the highest address bit of RIP may differ */
	set(VMCS_guest_rip, 1UL << 47);
	CHECK(!vmx_check_guest(get, &caps));

	good_state(); /* PAE: four entries count */
	set(VMCS_entry_controls, 0);
	set(VMCS_guest_efer, 0);
	set(VMCS_guest_cs_ar, 0xc09b);
	CHECK(!vmx_check_guest(get, &caps));
	set(VMCS_guest_pdpte2, 3);
	CHECK(strstr(vmx_check_guest(get, &caps), "PDPTE"));
	set(VMCS_guest_pdpte2, 1 | 1UL << 40);
	CHECK(strstr(vmx_check_guest(get, &caps), "PDPTE"));

	good_state(); /* an NMI while one is being handled */
	set(VMCS_entry_event, EVENT_VALID | EVENT_NMI | 2);
	CHECK(!vmx_check_guest(get, &caps));
	set(VMCS_guest_blocking, BLOCKING_NMI);
	CHECK(strstr(vmx_check_guest(get, &caps), "NMI"));
}

/* As virtual-8086 mode has it; then one thing otherwise. */
static void v86_state(void)
{
	good_state();
	set(VMCS_entry_controls, 0);
	set(VMCS_guest_efer, 0);
	set(VMCS_guest_rflags, 0x20002);
	for (unsigned int i = 0; i < 6; i++) {
		set(VMCS_guest_es_sel + 2 * i, i * 0x111);
		set(VMCS_guest_es_base + 2 * i, i * 0x1110);
		set(VMCS_guest_es_limit + 2 * i, 0xffff);
		set(VMCS_guest_es_ar + 2 * i, 0xf3);
	}
}

static void virtual_8086(void)
{
	v86_state();
	CHECK(!vmx_check_guest(get, &caps));
	set(VMCS_guest_ds_base, 0x1110);
	CHECK(strstr(vmx_check_guest(get, &caps), "virtual-8086"));
	v86_state();
	set(VMCS_guest_es_limit, 0xfffff);
	CHECK(strstr(vmx_check_guest(get, &caps), "virtual-8086"));
	v86_state();
	set(VMCS_guest_cs_ar, 0x9b);
	CHECK(strstr(vmx_check_guest(get, &caps), "virtual-8086"));
	v86_state();
	set(VMCS_entry_controls, ENTRY_GUEST64);
	set(VMCS_guest_efer, EFER_LME | EFER_LMA);
	CHECK(strstr(vmx_check_guest(get, &caps), "RFLAGS.VM"));
}

/* What only a guest that is not unrestricted must heed. */
static void privilege_levels(void)
{
	good_state();
	set(VMCS_proc2_controls, PROC2_EPT);
	CHECK(!vmx_check_guest(get, &caps));
	CHECK(!vmx_check_segments(get, &caps, 2));
	set(VMCS_guest_ss_sel, 3);
	CHECK(strstr(vmx_check_guest(get, &caps), "SS.RPL is not CS.RPL"));
	CHECK(strstr(vmx_check_segments(get, &caps, 2), "SS.RPL is not"));
	CHECK(strstr(vmx_check_segments(get, &caps, 0x20002), "virtual-8086"));
	set(VMCS_guest_cs_sel, 3);
	CHECK(strstr(vmx_check_guest(get, &caps), "SS.DPL is not SS.RPL"));
	good_state();
	set(VMCS_guest_ds_sel, 3);
	CHECK(!vmx_check_guest(get, &caps));
	set(VMCS_proc2_controls, PROC2_EPT);
	CHECK(strstr(vmx_check_guest(get, &caps), "below its RPL"));
}

/* "Pending debug exceptions" in the shadow of STI and MOV SS. */
static void steps_in_shadows(void)
{
	for (unsigned int tf = 0; tf < 2; tf++) {
		for (unsigned int btf = 0; btf < 2; btf++) {
			for (unsigned int bs = 0; bs < 2; bs++) {
				bool good = bs == (tf && !btf);
				const char *says;

				good_state();
				set(VMCS_guest_blocking, BLOCKING_MOVSS);
				set(VMCS_guest_rflags, tf ? 0x102 : 2);
				set(VMCS_guest_debugctl, btf ? 2 : 0);
				set(VMCS_guest_pending_debug, bs ? BIT(14) : 0);
				says = vmx_check_guest(get, &caps);
				CHECK(good ? !says
					   : says && strstr(says, "BS is not"));
			}
		}
	}
}

/* An event goes in while the shadow holds it back. */
static void events_in_shadows(void)
{
	good_state();
	set(VMCS_entry_event, INTR);
	set(VMCS_guest_rflags, 0x202);
	CHECK(!vmx_check_guest(get, &caps));
	set(VMCS_guest_blocking, BLOCKING_STI);
	CHECK(strstr(vmx_check_guest(get, &caps), "goes in while blocked"));
	set(VMCS_guest_blocking, BLOCKING_MOVSS);
	CHECK(strstr(vmx_check_guest(get, &caps), "goes in while blocked"));
	set(VMCS_entry_event, EVENT_VALID | EVENT_NMI | 2);
	CHECK(strstr(vmx_check_guest(get, &caps), "NMI goes in"));
}

int main(void)
{
	static const struct test_case cases[] = {
		{"a CPU with everything", full_cpu},
		{"a control that is not offered", one_control_less},
		{"a control that cannot be off", one_control_forced},
		{"random CPUs", random_cpus},
		{"names stay within their buffer", no_room_for_names},
		{"no EPT: what is missing has a name", old_cpu},
		{"each check of the guest's state", each_check},
		{"real mode, PAE, NMIs", other_modes},
		{"virtual-8086 mode", virtual_8086},
		{"privilege levels without unrestricted guest",
		 privilege_levels},
		{"single steps after STI and MOV SS", steps_in_shadows},
		{"events after STI and MOV SS", events_in_shadows},
	};

	return run_cases(cases, ARRAY_SIZE(cases));
}
