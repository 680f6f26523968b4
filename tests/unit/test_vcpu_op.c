/* SPDX-License-Identifier: MIT */
/*
 * A domain's vCPUs ask about one of their number at the same time: it gets one
 * context, its areas are held once and written to only while they are, and its
 * vcpu_info moves once. And what a domain has mapped of another's is held only
 * while it has.
 */
#include "harness.h"
#include "no_part.h"

#include "fake.h"
#include "threads.h"

#include "domain/guest_access.h"
#include "domain/ops.h"
#include "lib/errno.h"
#include "mem/layout.h"

#define ROUNDS 60000

const struct domain_part *const domain_parts[] = {&no_part, NULL};

/* What is around the sources. */

s_time_t now(void)
{
	return 1;
}
void vcpu_up(struct vcpu *v)
{
	v->online = true;
}
void vcpu_down(struct vcpu *v)
{
	v->online = false;
}
void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out)
{
	(void)v;
	memset(out, 0x55, sizeof(*out));
}
void vcpu_update_time(struct vcpu *v)
{
	(void)v;
}
void vcpu_set_singleshot(struct vcpu *v, s_time_t expires)
{
	(void)v;
	(void)expires;
}
void vcpu_set_periodic(struct vcpu *v, s_time_t period)
{
	(void)v;
	(void)period;
}
uint32_t cpu_acpi_id(unsigned int cpu)
{
	return cpu;
}
uint32_t cpu_apic_id(unsigned int cpu)
{
	return cpu;
}

/* Virtual addresses are guest-physical ones. */
static bool va_to_gfn(struct vcpu *v, uint64_t va, gfn_t *gfn)
{
	(void)v;
	*gfn = gpa_to_gfn(va);
	return true;
}

static struct domain *d;

static void start(void)
{
	fake_start();
	fake_kind.va_to_gfn = va_to_gfn;
	fake_kind.context_size = 64;
	d = fake_domain(1, &no_part);
	spin_lock_init(&d->lock, LOCK_DOMAIN);
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		d->vcpu[i]->info_mfn = INVALID_MFN;
		guest_area_init(&d->vcpu[i]->runstate_area);
		guest_area_init(&d->vcpu[i]->time_area);
	}
	this_cpu(current) = d->vcpu[0];
}

static void end(void)
{
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		guest_area_release(&d->vcpu[i]->runstate_area);
		guest_area_release(&d->vcpu[i]->time_area);
		if (!mfn_eq(d->vcpu[i]->info_mfn, INVALID_MFN))
			put_page_and_type(d->vcpu[i]->info_mfn);
	}
	CHECK_EQ(fake_end(&no_part), 0);
}

static long initialise(unsigned int id)
{
	uint64_t args[6] = {VCPUOP_initialise, id, (uint64_t)fake_guest_memory};

	return vcpu_op(d->vcpu[0], args);
}

/* Another vCPU, while this one makes the context. */
static int contexts;
static long of_another;
static int set_context(struct vcpu *v, const void *ctx, size_t size)
{
	(void)ctx;
	(void)size;
	if (++contexts == 1)
		of_another = initialise(v->id);
	return 0;
}

static void one_context(void)
{
	start();
	fake_kind.vcpu_set_context = set_context;
	contexts = 0;
	CHECK_EQ(initialise(1), 0);
	CHECK_EQ(contexts, 1);
	/* It comes again, and finds that it was done. */
	CHECK_EQ(of_another, -ERESTART);
	CHECK_EQ(initialise(1), -EEXIST);
	CHECK_EQ(contexts, 1);
	end();
}

static int refuse_context(struct vcpu *v, const void *ctx, size_t size)
{
	(void)v;
	(void)ctx;
	(void)size;
	return -EINVAL;
}

static void no_context(void)
{
	start();
	fake_kind.vcpu_set_context = refuse_context;
	CHECK_EQ(initialise(1), -EINVAL);
	CHECK_EQ(initialise(1), -EINVAL);
	CHECK(!d->vcpu[1]->initialised);
	end();
}

static int started;
/* Not before the other one. */
static void start_together(void)
{
	atomic_add(&started, 1);
	while (atomic_read(&started) < 2)
		thread_yield();
}

/* Registers one area in two frames again and again. */
static void *register_areas(void *arg)
{
	uint64_t which = (uint64_t)arg;

	start_together();
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t va = (which * 8 + i % 4 + 1) * PAGE_SIZE - 16;

		if (guest_area_register(d->vcpu[0], &d->vcpu[2]->runstate_area,
					va, sizeof(struct vcpu_runstate_info)))
			abort();
	}
	return NULL;
}

static bool stop;
static void *write_area(void *arg)
{
	struct vcpu_runstate_info r = {};
	struct guest_area *a = &d->vcpu[2]->runstate_area;

	(void)arg;
	while (!READ_ONCE(stop))
		guest_area_write(a, 0, &r, sizeof(r));
	return NULL;
}

/* All references come back: fake_end(). */
static void areas(void)
{
	void *t[3];

	start();
	stop = false;
	started = 0;
	t[0] = thread_start(write_area, NULL);
	t[1] = thread_start(register_areas, (void *)0);
	t[2] = thread_start(register_areas, (void *)1);
	thread_join(t[1]);
	thread_join(t[2]);
	WRITE_ONCE(stop, true);
	thread_join(t[0]);
	guest_area_release(&d->vcpu[2]->runstate_area);
	for (uint64_t gfn = 0; gfn < FAKE_RAM; gfn++) {
		CHECK_EQ(fake_frame(fake_mfn(d, gfn))->refs, 1);
		CHECK_EQ(fake_frame(fake_mfn(d, gfn))->type_refs, 0);
	}
	end();
}

/* What a domain has mapped of another's is no place to be written to later. */
static void area_in_grant(void)
{
	struct fake_domain *f;
	struct domain *granter;

	start();
	granter = fake_domain(2, &no_part);
	f = container_of(d, struct fake_domain, d);
	f->p2m[100] =
		(struct fake_p2m_entry){fake_mfn(granter, 5), P2M_GRANT_RW};
	CHECK_EQ(guest_area_register(d->vcpu[0], &d->vcpu[0]->runstate_area,
				     100 * PAGE_SIZE, 48),
		 -EFAULT);
	CHECK_EQ(fake_frame(fake_mfn(granter, 5))->refs, 1);
	f->p2m[100] = (struct fake_p2m_entry){INVALID_MFN, P2M_NONE};
	end();
}

/* Domain 2's page 5, which d has mapped, goes to somebody else. */
static void page_moves_on(void)
{
	struct fake_domain *f = container_of(d, struct fake_domain, d);

	fake_frame(f->p2m[100].mfn)->owner = 3;
	f->p2m[100] = (struct fake_p2m_entry){INVALID_MFN, P2M_NONE};
}

static void lost_foreign_page(void)
{
	struct fake_domain *f;
	struct domain *granter;
	mfn_t mfn;

	start();
	granter = fake_domain(2, &no_part);
	mfn = fake_mfn(granter, 5);
	f = container_of(d, struct fake_domain, d);
	for (unsigned int write = 0; write < 2; write++) {
		f->p2m[100] = (struct fake_p2m_entry){mfn, P2M_FOREIGN};
		CHECK(mfn_eq(get_guest_frame(d, _gfn(100), write, NULL), mfn));
		put_guest_frame(mfn, write);
		fake_another_cpu = page_moves_on;
		CHECK(mfn_eq(get_guest_frame(d, _gfn(100), write, NULL),
			     INVALID_MFN));
		CHECK_EQ(fake_frame(mfn)->refs, 1);
		CHECK_EQ(fake_frame(mfn)->type_refs, 0);
		fake_frame(mfn)->owner = 2;
	}
	/* Its end has begun: what it had mapped may be anybody's. */
	f->p2m[100] = (struct fake_p2m_entry){mfn, P2M_GRANT_RW};
	d->dying = DOMDYING_DYING;
	CHECK(mfn_eq(get_guest_frame(d, _gfn(100), false, NULL), INVALID_MFN));
	d->dying = DOMDYING_ALIVE;
	f->p2m[100] = (struct fake_p2m_entry){INVALID_MFN, P2M_NONE};
	end();
}

static int moved;
static void *move_info(void *arg)
{
	uint64_t gfn = (uint64_t)arg;

	start_together();
	if (!vcpu_move_info(d->vcpu[2], _gfn(gfn), 64))
		atomic_add(&moved, 1);
	return NULL;
}

static void info_moves_once(void)
{
	for (int i = 0; i < 200; i++) {
		void *t[2];

		start();
		moved = started = 0;
		t[0] = thread_start(move_info, (void *)3);
		t[1] = thread_start(move_info, (void *)4);
		thread_join(t[0]);
		thread_join(t[1]);
		CHECK_EQ(moved, 1);
		CHECK_EQ(fake_frame(fake_mfn(d, 3))->refs +
				 fake_frame(fake_mfn(d, 4))->refs,
			 3);
		end();
	}
}

static const struct test_case cases[] = {
	{"a vCPU gets one context", one_context},
	{"a context that is none", no_context},
	{"areas registered and written to at once", areas},
	{"no area in another domain's memory", area_in_grant},
	{"a foreign page that goes away", lost_foreign_page},
	{"vcpu_info moves once", info_moves_once},
};

int main(void)
{
	return RUN_CASES(cases);
}
