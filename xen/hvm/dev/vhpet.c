/* SPDX-License-Identifier: MIT */
/*
 * The HPET (IA-PC HPET Specification 1.0a) of a guest PC: a counter of 64 bits,
 * 16 ns a count, and three timers, each periodic if it is told so, with inputs
 * 20 to 23 of the I/O APIC, or in the places of the 8254 and the real-time
 * clock ("LegacyReplacement Route"). What is due is worked out when somebody
 * looks; a timer of ours runs for interrupts only.
 */
#include "hvm/dev/virq.h"

#include "hvm/portio.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#include <xen/hvm/params.h>

#define HPET_BASE  0xfed00000UL
#define HPET_SIZE  1024
#define NS_A_COUNT 16

#define CAPABILITY                                                             \
	((uint64_t)NS_A_COUNT * 1000000 << 32 | 0x8086UL << 16 | BIT(15) |     \
	 BIT(13) | (HPET_TIMER_NUM - 1) << 8 | 1)

enum { CAP = 0, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0, TIMERS = 0x100 };
#define CONFIG_ON     BIT(0)
#define CONFIG_LEGACY BIT(1)

#define T_LEVEL    BIT(1)
#define T_ENABLE   BIT(2)
#define T_PERIODIC BIT(3)
#define T_SET      BIT(6) /* the next write is the comparator's itself */
#define T_32       BIT(8)
#define T_ROUTE    (31UL << 9)
#define T_WRITABLE (T_LEVEL | T_ENABLE | T_PERIODIC | T_SET | T_32 | T_ROUTE)
#define T_INPUTS   0x00f00000UL
/* Periodic and 64 bits are to be had. */
#define T_CAPABILITY (T_INPUTS << 32 | BIT(5) | BIT(4))

/* A comparator that the counter passed this lately is due now: who sets it has
 * been stopped on the way. */
#define LATELY (1000000 / NS_A_COUNT)

struct htimer {
	uint64_t config, cmp, period;
	uint64_t due; /* the counter's value when it comes next */
	bool armed;
	bool up; /* it holds its input up */
};

struct vhpet {
	struct domain *d;
	struct timer timer;
	uint64_t config, status;
	uint64_t stopped; /* the counter, while it stands */
	uint64_t offset;  /* … less system time's counts, while it goes */
	struct htimer t[HPET_TIMER_NUM];
};

static uint64_t counts(void)
{
	return (uint64_t)now() / NS_A_COUNT;
}

static uint64_t counter(const struct vhpet *h)
{
	return h->config & CONFIG_ON ? counts() + h->offset : h->stopped;
}

static uint64_t mask(const struct htimer *t)
{
	return t->config & T_32 ? UINT32_MAX : UINT64_MAX;
}

bool vhpet_is_legacy(const struct domain *d)
{
	const struct vhpet *h = hvm_domain(d)->hpet;

	return h && (h->config & (CONFIG_ON | CONFIG_LEGACY)) ==
			    (CONFIG_ON | CONFIG_LEGACY);
}

/* Input of timer n, or -1: it has none that it may have. */
static int input(const struct vhpet *h, unsigned int n)
{
	unsigned int route = (h->t[n].config & T_ROUTE) >> 9;

	if (h->config & CONFIG_LEGACY && n < 2)
		return n ? 8 : 2;
	return T_INPUTS & BIT(route) ? (int)route : -1;
}

static void set_input(struct vhpet *h, unsigned int n, bool up)
{
	int gsi = input(h, n);

	if (h->t[n].up == up || gsi < 0)
		return;
	h->t[n].up = up;
	virq_input(h->d, (unsigned int)gsi, up);
}

/* Timer n's time has come. */
static void expire(struct vhpet *h, unsigned int n)
{
	struct htimer *t = &h->t[n];
	bool level = t->config & T_LEVEL;

	if (level)
		h->status |= BIT(n);
	if (!(t->config & T_ENABLE))
		return;
	set_input(h, n, true);
	if (!level)
		set_input(h, n, false);
}

/* After it came: when it comes again. */
static void go_on(struct htimer *t, uint64_t c)
{
	uint64_t step = t->period;

	if (!(t->config & T_PERIODIC)) {
		t->due += BIT(32);
		t->armed = t->config & T_32;
	} else if (!step) {
		t->armed = false;
	} else {
		step *= (c - t->due) / step + 1;
		t->due += step;
		t->cmp = (t->cmp + step) & mask(t);
	}
}

/* What is due up to now; lock held. */
static void settle(struct vhpet *h)
{
	uint64_t c = counter(h), next = UINT64_MAX;

	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		struct htimer *t = &h->t[n];

		if (t->armed && (int64_t)(c - t->due) >= 0) {
			expire(h, n);
			go_on(t, c);
		}
		if (t->armed && t->config & T_ENABLE)
			next = min(next, t->due - c);
	}
	timer_stop(&h->timer);
	if (next < INT64_MAX / (2 * NS_A_COUNT))
		timer_set(&h->timer, now() + max((s_time_t)(next * NS_A_COUNT),
						 MIN_PERIOD_NS));
}

/* The comparator or what decides about it is new. */
static void aim(struct vhpet *h, struct htimer *t)
{
	uint64_t c = counter(h), past = (c - t->cmp) & mask(t);

	t->armed = h->config & CONFIG_ON;
	t->due = past < LATELY ? c : c + ((t->cmp - c) & mask(t));
	/* Half of all there is: never, as the comparison above is signed. */
	if (t->due - c > INT64_MAX)
		t->armed = false;
}

static void write_config(struct vhpet *h, uint64_t val)
{
	bool was = h->config & CONFIG_ON, legacy = vhpet_is_legacy(h->d);

	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++)
		set_input(h, n, false); /* another one's, perhaps */
	if (was)
		h->stopped = counter(h);
	h->config = val & (CONFIG_ON | CONFIG_LEGACY);
	h->offset = h->stopped - counts();
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		struct htimer *t = &h->t[n];

		if (!(h->config & CONFIG_ON))
			t->armed = false;
		else if (!was)
			aim(h, t);
		if (h->status & BIT(n) && t->config & T_ENABLE)
			set_input(h, n, true);
	}
	if (vhpet_is_legacy(h->d) != legacy) {
		virq_isa(h->d, 0, false); /* as the 8254 left it */
		vrtc_again(h->d);
	}
}

static void write_status(struct vhpet *h, uint64_t val)
{
	h->status &= ~val;
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++)
		if (val & BIT(n))
			set_input(h, n, false);
}

static void write_timer(struct vhpet *h, unsigned int n, uint64_t val)
{
	struct htimer *t = &h->t[n];
	uint64_t changed = t->config ^ val;

	set_input(h, n, false);
	t->config = (val & T_WRITABLE) | T_CAPABILITY;
	if (t->config & T_32) {
		t->cmp = (uint32_t)t->cmp;
		t->period = (uint32_t)t->period;
	}
	if (!(t->config & T_LEVEL))
		h->status &= ~BIT(n);
	if (h->status & BIT(n) && t->config & T_ENABLE)
		set_input(h, n, true);
	if (changed & (T_PERIODIC | T_32))
		aim(h, t);
}

static void write_comparator(struct vhpet *h, unsigned int n, uint64_t val)
{
	struct htimer *t = &h->t[n];

	val &= mask(t);
	if (!(t->config & T_PERIODIC) || t->config & T_SET)
		t->cmp = val;
	if (t->config & T_PERIODIC && !(t->config & T_SET))
		t->period = val;
	t->config &= ~T_SET;
	aim(h, t);
}

static void write_counter(struct vhpet *h, uint64_t val)
{
	/* "Main Counter": to be written while it stands. */
	h->stopped = val;
	h->offset = val - counts();
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++)
		if (h->config & CONFIG_ON)
			aim(h, &h->t[n]);
}

/* The register of 8 bytes at offset. */
static uint64_t read_register(const struct vhpet *h, unsigned int offset)
{
	unsigned int n = (offset - TIMERS) / 0x20;

	switch (offset) {
	case CAP:
		return CAPABILITY;
	case CONFIG:
		return h->config;
	case STATUS:
		return h->status;
	case COUNTER:
		return counter(h);
	}
	if (offset < TIMERS || n >= HPET_TIMER_NUM)
		return 0;
	switch (offset & 0x18) {
	case 0:
		return h->t[n].config;
	case 8:
		return h->t[n].cmp;
	default: /* no messages */
		return 0;
	}
}

static void write_register(struct vhpet *h, unsigned int offset, uint64_t val)
{
	unsigned int n = (offset - TIMERS) / 0x20;

	if (offset == CONFIG)
		write_config(h, val);
	else if (offset == STATUS)
		write_status(h, val);
	else if (offset == COUNTER)
		write_counter(h, val);
	else if (offset < TIMERS || n >= HPET_TIMER_NUM)
		return;
	else if ((offset & 0x18) == 0)
		write_timer(h, n, val);
	else if ((offset & 0x18) == 8)
		write_comparator(h, n, val);
}

/* Half a register: the other half stays what it is, and none of its status'
 * ones is written back. */
static uint64_t merged(const struct vhpet *h, unsigned int offset, uint32_t val)
{
	uint64_t old =
		(offset & ~7U) == STATUS ? 0 : read_register(h, offset & ~7U);

	return offset & 4 ? (uint32_t)old | (uint64_t)val << 32
			  : old >> 32 << 32 | val;
}

static void access(struct vcpu *v, gpa_t gpa, unsigned int size, bool write,
		   uint64_t *val, void *data)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	unsigned int offset = (unsigned int)(gpa - HPET_BASE);
	struct vhpet *h = data;
	uint64_t reg;

	/* "Register access": aligned, 4 bytes or 8. Smaller ones may read:
	 * hvmloader looks at the vendor's two bytes, and makes no ACPI table
	 * where they are not Intel's. */
	if (!hd->params[HVM_PARAM_HPET_ENABLED] || offset % size ||
	    (write && size < 4)) {
		*val = write ? *val : UINT64_MAX;
		return;
	}
	spin_lock(&hd->lock);
	settle(h);
	if (write) {
		write_register(h, offset & ~7U,
			       size == 8 ? *val
					 : merged(h, offset, (uint32_t)*val));
		settle(h);
	} else {
		reg = read_register(h, offset & ~7U) >> (offset & 7) * 8;
		*val = size == 8 ? reg : reg & (BIT(size * 8) - 1);
	}
	spin_unlock(&hd->lock);
}

static void fired(void *data)
{
	struct vhpet *h = data;
	struct hvm_domain *hd = hvm_domain(h->d);

	spin_lock(&hd->lock);
	settle(h);
	spin_unlock(&hd->lock);
}

int vhpet_init(struct domain *d)
{
	struct vhpet *h = xnew(struct vhpet);

	if (!h)
		return -ENOMEM;
	hvm_domain(d)->hpet = h;
	h->d = d;
	timer_init(&h->timer, fired, h);
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		h->t[n].config = T_CAPABILITY;
		h->t[n].cmp = UINT64_MAX;
	}
	return mmio_register(d, HPET_BASE, HPET_SIZE, access, h);
}

void vhpet_destroy(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (hd->hpet)
		timer_kill(&hd->hpet->timer);
	xfree(hd->hpet);
	hd->hpet = NULL;
}

void vhpet_save(struct domain *d, struct hvm_hw_hpet *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vhpet *h = hd->hpet;

	spin_lock(&hd->lock);
	settle(h);
	*r = (struct hvm_hw_hpet){
		.capability = CAPABILITY,
		.config = h->config,
		.isr = h->status,
		.mc64 = counter(h),
	};
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		r->timers[n].config = h->t[n].config;
		r->timers[n].cmp = h->t[n].cmp;
		r->period[n] = h->t[n].period;
	}
	spin_unlock(&hd->lock);
}

int vhpet_load(struct domain *d, const struct hvm_hw_hpet *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vhpet *h = hd->hpet;

	/* Another rate would need scaling. */
	if (r->capability >> 32 != CAPABILITY >> 32)
		return -EINVAL;
	spin_lock(&hd->lock);
	for (unsigned int n = 0; n < HPET_TIMER_NUM; n++) {
		set_input(h, n, false);
		h->t[n] = (struct htimer){
			.config = (r->timers[n].config & T_WRITABLE) |
				  T_CAPABILITY,
		};
		h->t[n].cmp = r->timers[n].cmp & mask(&h->t[n]);
		h->t[n].period = r->period[n] & mask(&h->t[n]);
	}
	h->config = 0;
	h->status = r->isr & (BIT(HPET_TIMER_NUM) - 1);
	h->stopped = r->mc64;
	write_config(h, r->config);
	settle(h);
	spin_unlock(&hd->lock);
	return 0;
}
