/* SPDX-License-Identifier: MIT */
/*
 * Random guests against PV page typing: three domains with two vCPUs each make
 * calls that are often nonsense, store into whatever they may write to, give
 * frames back and get others, map each other's, give up long calls half done,
 * and die. After every step all counts are those that the tables give, and no
 * processor remembers what it may not (pv_world.h).
 *
 * A round is a world of its own; its seed is told when it fails, and
 * PV_FUZZ_SEED starts there. PV_FUZZ_ROUNDS: so many, for a longer run.
 */
#include "harness.h"
#include "pv_world.h"

#include "lib/errno.h"
#include "mem/frame_word.h"

#include <stdarg.h>
#include <xen/grant_table.h>

#define ROUNDS 100
#define STEPS  220
/* Frames of each domain's that it plays with. Most of the time frame i is one
 * of level i % 5, 0: plain memory, so that trees come about. */
#define USED  20
#define ROLES 5

static uint64_t state; /* of the generator */

static uint32_t random32(void)
{
	state = state * 6364136223846793005UL + 1442695040888963407UL;
	return (uint32_t)(state >> 33);
}
static uint32_t below(uint32_t n)
{
	return random32() % n;
}
static bool one_in(uint32_t n)
{
	return !below(n);
}

/* In half of the steps nothing is nonsense. */
static bool sane;

static bool odd_one_in(uint32_t n)
{
	return !sane && one_in(n);
}

/* The last steps, for whoever reads a failure. */
static char said[8][120];
static unsigned int steps;

static void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(said[steps % 8], sizeof(said[0]), fmt, args);
	va_end(args);
}

/* What came of it all: a fuzzer whose calls are all refused proves nothing. */
static unsigned long made[FRAME_SHARED + 1], given_up, freed;
static uint8_t types[WORLD_DOMAINS][USED];

/* What a step is made of. */

static unsigned int any_domain(void)
{
	return one_in(3) ? below(WORLD_DOMAINS) : 1;
}
static struct vcpu *any_vcpu(void)
{
	return vcpu(any_domain(), below(WORLD_VCPUS));
}
/* Mostly one of v's own, rarely nothing at all. */
static mfn_t any_frame(const struct vcpu *v)
{
	if (odd_one_in(60))
		return one_in(2) ? _mfn(0x1010) : _mfn(below(1 << 20));
	return frame(odd_one_in(12) ? below(WORLD_DOMAINS) : v->domain->id,
		     below(USED));
}
/* One that v uses as of that level, 0: as plain memory; sometimes another. */
static mfn_t frame_for(const struct vcpu *v, unsigned int level)
{
	if (odd_one_in(6))
		return any_frame(v);
	return frame(v->domain->id, below(USED / ROLES) * ROLES + level);
}
static unsigned int any_index(void)
{
	static const uint16_t some[] = {2, 3, 255, 256, 260, 271, 272, 511};

	return !one_in(4)   ? below(2)
	       : one_in(10) ? below(512)
			    : some[below(ARRAY_SIZE(some))];
}
static uint64_t any_va(void)
{
	uint64_t va = 0;

	for (unsigned int level = 4; level; level--)
		va |= (uint64_t)any_index() << (3 + 9 * level);
	return va >> 47 && !one_in(20) ? va | 0xffffUL << 48 : va;
}
static uint64_t any_entry_of(mfn_t mfn)
{
	static const uint64_t odd[] = {PTE_PS, PTE_G,   PTE_PCD,
				       PTE_NX, PTE_PWT, 0x200};
	uint64_t e = mfn_to_maddr(mfn) | (one_in(2) ? RW : RO);

	if (odd_one_in(8))
		e ^= odd[below(ARRAY_SIZE(odd))];
	if (one_in(8))
		e &= ~(PTE_A | PTE_D | PTE_US);
	return one_in(8) ? e & ~PTE_P : e;
}
/* An entry as a table of that level may have it; sometimes one of itself. */
static uint64_t any_entry(const struct vcpu *v, unsigned int level)
{
	if (one_in(5))
		return 0;
	if (level > 1 && one_in(12))
		return entry(frame_for(v, level), odd_one_in(3) ? RW : RO);
	return any_entry_of(frame_for(v, level - 1));
}

/* The steps. */

/* Whoever has no type, or is writable, may hold anything. */
static void do_store(struct vcpu *v)
{
	unsigned int i = below(USED), n = 1 + below(4);
	unsigned int level = i % ROLES && !odd_one_in(8) ? i % ROLES
							 : 1 + below(4);
	mfn_t mfn = frame(v->domain->id, i);
	enum frame_type t = frame_type(mfn);

	if ((frame_type_count(mfn) && t != FRAME_WRITABLE) || !frame_count(mfn))
		return;
	say("d%u stores in %lx as level %u", v->domain->id, mfn_x(mfn), level);
	if (one_in(2))
		memset(table(mfn), 0, PAGE_SIZE);
	for (unsigned int i = 0; i < n; i++)
		table(mfn)[any_index()] = any_entry(v, level);
	if (one_in(20))
		for (unsigned int i = 0; i < 512; i++)
			table(mfn)[i] = entry(frame(v->domain->id, below(USED)),
					      one_in(4) ? RW : RO);
}

static uint32_t any_parties(const struct vcpu *v)
{
	uint32_t owner = one_in(4) ? below(WORLD_DOMAINS + 1) : DOMID_SELF;

	if (v->domain->privileged && one_in(3))
		return (1 + below(WORLD_DOMAINS)) << 16 | owner;
	return one_in(6) ? owner : DOMID_SELF;
}

static void any_update(struct vcpu *v, struct mmu_update *req)
{
	unsigned int level = 1 + below(4);

	req->ptr = mfn_to_maddr(frame_for(v, level)) + any_index() * 8UL;
	req->val = any_entry(v, level);
	if (one_in(8))
		req->ptr |= MMU_PT_UPDATE_PRESERVE_AD;
	if (one_in(25)) {
		req->ptr = mfn_to_maddr(any_frame(v)) | MMU_MACHPHYS_UPDATE;
		req->val = one_in(3) ? ~0UL : below(1000);
	}
}

static void do_update(struct vcpu *v)
{
	struct mmu_update req[4];
	unsigned int n = one_in(3) ? 1 + below(4) : 1, done = 0;
	uint32_t parties = any_parties(v);
	const uint64_t args[6] = {(uint64_t)req, n, (uint64_t)&done, parties};

	for (unsigned int i = 0; i < n; i++)
		any_update(v, &req[i]);
	say("d%u parties %x: %u updates, %lx = %lx", v->domain->id, parties, n,
	    req[0].ptr, req[0].val);
	world_call(v, pv_mmu_update, args);
}

static void do_update_va(struct vcpu *v)
{
	uint64_t va = any_va(), e = any_entry(v, 1);

	say("d%u address %lx = %lx", v->domain->id, va, e);
	if (one_in(8)) {
		domid_t from = one_in(4) ? DOMID_IO
					 : (domid_t)below(WORLD_DOMAINS);
		const uint64_t args[6] = {va, e, 0, from};

		world_call(v, pv_update_va_mapping_otherdomain, args);
		return;
	}
	update_va(v, va, e);
}

static void any_ext(struct vcpu *v, struct mmuext_op *op)
{
	unsigned int level = 1 + below(4);

	op->cmd = MMUEXT_PIN_L1_TABLE + level - 1;
	switch (below(8)) {
	case 0:
	case 1:
	case 2:
		op->cmd = MMUEXT_UNPIN_TABLE;
		break;
	case 3:
		level = 4;
		op->cmd = MMUEXT_NEW_BASEPTR;
		break;
	case 4:
		level = 4;
		op->cmd = MMUEXT_NEW_USER_BASEPTR;
		break;
	case 5:
		level = 0;
		op->cmd = one_in(2) ? MMUEXT_CLEAR_PAGE : MMUEXT_COPY_PAGE;
		if (one_in(8))
			op->cmd = MMUEXT_TLB_FLUSH_ALL;
		break;
	}
	op->arg1.mfn = mfn_x(frame_for(v, level));
	if (op->cmd == MMUEXT_NEW_USER_BASEPTR && one_in(2))
		op->arg1.mfn = 0;
	op->arg2.src_mfn = mfn_x(any_frame(v));
}

static void do_ext(struct vcpu *v)
{
	struct mmuext_op ops[3];
	unsigned int n = one_in(3) ? 1 + below(3) : 1, done = 0;
	domid_t whose = one_in(6) ? (domid_t)below(WORLD_DOMAINS) : DOMID_SELF;
	const uint64_t args[6] = {(uint64_t)ops, n, (uint64_t)&done, whose};

	for (unsigned int i = 0; i < n; i++)
		any_ext(v, &ops[i]);
	say("d%u.%u for %x: %u operations, %u of %lx", v->domain->id, v->id,
	    whose, n, ops[0].cmd, (unsigned long)ops[0].arg1.mfn);
	if (world_call(v, pv_mmuext_op, args) == -ERESTART)
		given_up++;
}

/* What others hold: grant tables, areas of vCPUs, mappings by containers. */
static struct hold {
	mfn_t mfn;
	bool held, write;
} holds[6];

static struct pv_uses *others_of(mfn_t mfn)
{
	return &world_others[(mfn_x(mfn) - FIRST(0)) / 0x40]
			    [(mfn_x(mfn) - FIRST(0)) % 0x40];
}

static void let_go(struct hold *h)
{
	struct pv_uses *o;

	if (!h->held)
		return;
	o = others_of(h->mfn);
	o->refs--;
	o->types -= h->write;
	h->held = false;
	if (h->write)
		put_page_and_type(h->mfn);
	else
		put_page(h->mfn);
}

static void do_hold(struct vcpu *v)
{
	struct hold *h = &holds[below(ARRAY_SIZE(holds))];
	struct pv_uses *o;

	let_go(h);
	h->mfn = frame(v->domain->id, one_in(3) ? below(USED) : 0);
	h->write = one_in(2);
	h->held = h->write ? get_page_and_type(h->mfn, v->domain->id,
					       FRAME_WRITABLE)
			   : get_page(h->mfn, v->domain->id);
	say("others hold %lx: %u", mfn_x(h->mfn), h->held);
	if (!h->held)
		return;
	o = others_of(h->mfn);
	o->refs++;
	o->types += h->write;
	o->type = FRAME_WRITABLE;
}

/* grant/ has a reference of its own while it maps. */
static void do_grant(struct vcpu *v)
{
	struct hold *h = &holds[below(ARRAY_SIZE(holds))];
	uint32_t flags = h->write ? 0 : GNTMAP_readonly;
	uint64_t at = any_va();

	if (!h->held)
		return;
	if (one_in(3)) {
		at = mfn_to_maddr(frame_for(v, 1)) + any_index() * 8UL;
		flags |= GNTMAP_contains_pte;
	}
	say("d%u grant of %lx at %lx", v->domain->id, mfn_x(h->mfn), at);
	percpu_current = v;
	switch (below(3)) {
	case 0:
		pv_grant_unmap(v, at, h->mfn, flags);
		break;
	case 1:
		pv_grant_replace(v, at, h->mfn, any_va(), flags);
		break;
	default:
		pv_grant_map(v, at, h->mfn, flags);
	}
}

/* A balloon: a frame goes, or comes back when nobody has it any more. */
static void do_balloon(struct vcpu *v)
{
	domid_t id = v->domain->id;
	mfn_t mfn = frame(id, below(USED));

	say("d%u balloon %lx", id, mfn_x(mfn));
	if (frame_count(mfn)) {
		freed += pv_release_frame(v->domain, mfn);
		return;
	}
	frame_assign(mfn, 0, id);
	memset(table(mfn), 0, PAGE_SIZE);
	if (pv_m2p_set(mfn, below(USED)))
		abort();
	pv_note_frames(v->domain, mfn, 1);
}

static void do_descriptors(struct vcpu *v)
{
	mfn_t mfn = frame(v->domain->id, one_in(3) ? below(USED) : 5),
	      *slot = &v_mm(v)->gdt[below(2)], old = *slot;

	say("d%u descriptors in %lx", v->domain->id, mfn_x(mfn));
	spin_lock(&d_mm(v->domain)->lock);
	if (one_in(2))
		*slot = INVALID_MFN;
	else if (!pv_segdesc_get(v->domain, mfn))
		*slot = mfn;
	else
		old = INVALID_MFN;
	if (!mfn_eq(old, INVALID_MFN))
		pv_segdesc_put(old);
	spin_unlock(&d_mm(v->domain)->lock);
}

/* Bytes, words, exchanges: mov and lock cmpxchg, bts, xchg on (%rbx). */
static const uint8_t stores[][16] = {
	{0x48, 0x89, 0x03},
	{0x48, 0x87, 0x03},
	{0x89, 0x03},
	{0x88, 0x03},
	{0xf0, 0x48, 0x0f, 0xb1, 0x0b},
	{0x48, 0x0f, 0xba, 0x2b, 0x01},
	{0x48, 0x31, 0x03},
	{0x48, 0xab},
	{0xf0, 0x48, 0x0f, 0xc1, 0x03},
};

static void do_table_write(struct vcpu *v)
{
	uint64_t va = any_va() | any_index() * 8UL;

	say("d%u stores at %lx", v->domain->id, va);
	percpu_current = v;
	v->regs.rip = (uint64_t)stores[below(ARRAY_SIZE(stores))];
	v->regs.rbx = v->regs.rdi = va;
	v->regs.rax = v->regs.rcx = any_entry(v, 1);
	pv_table_write(v, va);
}

static void do_context(struct vcpu *v)
{
	mfn_t kernel = frame_for(v, 4), user = frame_for(v, 4);

	say("d%u context %lx, %lx", v->domain->id, mfn_x(kernel), mfn_x(user));
	percpu_current = vcpu(0, 0);
	percpu_softirq_pending = one_in(2);
	pv_mm_set_context(v, mfn_x(kernel), one_in(2) ? 0 : mfn_x(user));
	percpu_softirq_pending = 0;
}

/* The processor notes accesses in tables that it may walk. */
static void do_accesses(struct vcpu *v)
{
	mfn_t mfn = frame(v->domain->id, below(USED));
	uint64_t *e = &table(mfn)[any_index()];

	say("d%u accesses by %lx", v->domain->id, mfn_x(mfn));
	if (mfn_to_frame(mfn)->word & FRAME_VALIDATED && (*e & PTE_P))
		*e |= PTE_A | (*e & PTE_RW ? PTE_D : 0);
}

/* Those that are let go late are, now. */
static void do_finish(struct vcpu *v)
{
	(void)v;
	say("time is up");
	pv_finish_puts();
}

static void (*const kinds[])(struct vcpu *v) = {
	do_store,     do_store,     do_store,       do_store,
	do_update,    do_update,    do_update,      do_update,
	do_update_va, do_update_va, do_update_va,   do_ext,
	do_ext,       do_ext,       do_ext,         do_ext,
	do_hold,      do_grant,     do_balloon,     do_descriptors,
	do_context,   do_accesses,  do_table_write, do_table_write,
	do_grant,     do_finish,    do_finish,
};

/* Most calls are finished; some give way, and some are given up there. A call
 * that waits for a table of another vCPU's gives up in the end. */
static void step(void)
{
	sane = one_in(2);
	world_yields = one_in(3) ? 1 + below(12) : 0;
	world_restarts = 1 + (one_in(4) ? below(6) : 40);
	kinds[below(ARRAY_SIZE(kinds))](any_vcpu());
	world_yields = 0;
	for (unsigned int id = 0; id < WORLD_DOMAINS; id++)
		for (unsigned int i = 0; i < USED; i++) {
			unsigned int t = frame_type(frame(id, i));

			if (!frame_type_count(frame(id, i)))
				t = FRAME_NONE;
			made[t] += t != types[id][i];
			types[id][i] = (uint8_t)t;
		}
}

/* A tree for each to begin with, so that addresses mean something. */
static void begin(void)
{
	world_start();
	world_restarts = 1;
	for (unsigned int id = 0; id < WORLD_DOMAINS; id++) {
		for (unsigned int level = 4; level > 1; level--)
			table(frame(id, level))[0] =
				entry(frame(id, level - 1), RW);
		for (unsigned int level = 2; level < 4; level++)
			if (one_in(2))
				table(frame(id, level))[1] =
					entry(frame(id, level), RO);
		for (unsigned int i = 0; i < WORLD_VCPUS; i++) {
			world_restarts = 1;
			ext(vcpu(id, i), MMUEXT_NEW_BASEPTR, frame(id, 4));
		}
	}
	memset(holds, 0, sizeof(holds));
}

static int play(uint64_t seed)
{
	int wrong = 0;

	state = seed;
	begin();
	for (steps = 0; !wrong && steps < STEPS; steps++) {
		say("nothing");
		step();
		wrong = world_check();
	}
	for (unsigned int i = 8; wrong && i; i--)
		if (steps >= i)
			printf("# %u: %s\n", steps - i, said[(steps - i) % 8]);
	if (!wrong && one_in(2))
		for (unsigned int i = 0; i < ARRAY_SIZE(holds); i++)
			let_go(&holds[i]);
	return wrong ? wrong : world_end();
}

static unsigned long number(const char *name, unsigned long def)
{
	const char *s = getenv(name);

	return s ? strtoul(s, NULL, 0) : def;
}

static void random_guests(void)
{
	unsigned long rounds = number("PV_FUZZ_ROUNDS", ROUNDS),
		      seed = number("PV_FUZZ_SEED", 1);

	printf("# %lu rounds from seed %lu\n", rounds, seed);
	for (unsigned long i = 0; i < rounds && !test_failures; i++) {
		int wrong = play(seed + i);

		CHECK_EQ(wrong, 0);
		if (wrong)
			printf("# PV_FUZZ_SEED=%lu PV_FUZZ_ROUNDS=1\n",
			       seed + i);
	}
}

/* The rounds above did what they are for. */
static void effects(void)
{
	printf("# %lu, %lu, %lu, %lu tables of level 1 to 4, %lu of "
	       "descriptors; %lu calls given up, %lu frames given back\n",
	       made[FRAME_L1], made[FRAME_L2], made[FRAME_L3], made[FRAME_L4],
	       made[FRAME_SEGDESC], given_up, freed);
	printf("# %lu of %lu calls accepted\n", world_accepted, world_calls);
	if (number("PV_FUZZ_ROUNDS", ROUNDS) < ROUNDS)
		return;
	CHECK(world_accepted >= world_calls / 8);
	for (unsigned int t = FRAME_WRITABLE; t <= FRAME_SEGDESC; t++)
		CHECK(made[t] >= 10);
	CHECK(given_up >= 10);
	CHECK(freed >= 10);
}

static const struct test_case cases[] = {
	{"random guests", random_guests},
	{"their tables came about", effects},
};

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return RUN_CASES(cases);
}
