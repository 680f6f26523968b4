/* SPDX-License-Identifier: MIT */
/*
 * The 8254 (Intel 82C54 datasheet): three counters at 1193182 Hz. The first one
 * is ISA interrupt 0; the third one's gate and output are in port 0x61. A
 * counter is the time since it was loaded; only the first has a timer of ours.
 */
#include "hvm/dev/virq.h"

#include "hvm/portio.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#define PIT_HZ 1193182UL

struct counter {
	uint32_t reload; /* 1 to 65536 */
	s_time_t loaded;
	uint8_t mode, rw; /* 1: low, 2: high, 3: both */
	uint8_t write_low, status;
	uint16_t latch;
	bool bcd, gate, second_write, second_read;
	uint8_t latched; /* bytes of latch still to read */
	bool status_latched;
};

struct vpit {
	struct domain *d;
	struct counter c[3];
	struct timer timer;
	bool speaker; /* bit 1 of port 0x61 */
};

/* Whole seconds apart: the product of neither part overflows. */
static uint64_t ns_to_ticks(s_time_t ns)
{
	uint64_t n = ns < 0 ? 0 : (uint64_t)ns;

	return n / NS_SECOND * PIT_HZ + n % NS_SECOND * PIT_HZ / NS_SECOND;
}

static s_time_t ticks_to_ns(uint64_t n)
{
	return (s_time_t)(n / PIT_HZ * NS_SECOND +
			  n % PIT_HZ * NS_SECOND / PIT_HZ);
}

static uint64_t elapsed(const struct counter *c)
{
	return ns_to_ticks(now() - c->loaded);
}

static bool is_periodic(const struct counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

static uint16_t count(const struct counter *c)
{
	uint64_t t = elapsed(c);

	if (c->mode == 3) /* counts by two, twice around */
		return (uint16_t)(c->reload - (t * 2) % c->reload);
	if (c->mode == 2)
		return (uint16_t)(c->reload - t % c->reload);
	return (uint16_t)(c->reload - t);
}

static bool output(const struct counter *c)
{
	uint64_t t = elapsed(c);

	switch (c->mode) {
	case 0:
	case 1:
		return t >= c->reload;
	case 2:
		return t % c->reload != c->reload - 1;
	case 3:
		return t % c->reload < (c->reload + 1) / 2;
	default:
		return t != c->reload;
	}
}

/* Lock held. */
static void arm(struct vpit *p)
{
	struct counter *c = &p->c[0];
	uint64_t t = elapsed(c), next = c->reload;

	timer_stop(&p->timer);
	if (is_periodic(c))
		next = (t / c->reload + 1) * c->reload;
	else if (t >= next)
		return;
	timer_set(&p->timer, max(c->loaded + ticks_to_ns(next) + 1,
				 now() + (is_periodic(c) ? MIN_PERIOD_NS : 0)));
}

static void fired(void *data)
{
	struct vpit *p = data;
	struct hvm_domain *hd = hvm_domain(p->d);

	spin_lock(&hd->lock);
	virq_isa(p->d, 0, false);
	virq_isa(p->d, 0, !vhpet_is_legacy(p->d));
	arm(p);
	spin_unlock(&hd->lock);
}

static void load(struct vpit *p, struct counter *c, uint32_t val)
{
	c->reload = val ? val : 0x10000;
	c->loaded = now();
	if (c == &p->c[0])
		arm(p);
}

static void write_counter(struct vpit *p, struct counter *c, uint8_t val)
{
	if (c->rw == 1) {
		load(p, c, val);
	} else if (c->rw == 2) {
		load(p, c, (uint32_t)val << 8);
	} else if (!c->second_write) {
		c->write_low = val;
		c->second_write = true;
	} else {
		c->second_write = false;
		load(p, c, (uint32_t)val << 8 | c->write_low);
	}
}

static void latch(struct counter *c)
{
	if (c->latched)
		return;
	c->latch = count(c);
	c->latched = c->rw == 3 ? 2 : 1;
	c->second_read = false;
}

static void latch_status(struct counter *c)
{
	if (c->status_latched)
		return;
	c->status = (uint8_t)((output(c) ? 0x80 : 0) | c->rw << 4 |
			      c->mode << 1 | c->bcd);
	c->status_latched = true;
}

static void write_control(struct vpit *p, uint8_t val)
{
	struct counter *c;

	if (val >> 6 == 3) { /* read-back */
		for (unsigned int i = 0; i < 3; i++) {
			if (!(val & BIT(i + 1)))
				continue;
			if (!(val & BIT(5)))
				latch(&p->c[i]);
			if (!(val & BIT(4)))
				latch_status(&p->c[i]);
		}
		return;
	}
	c = &p->c[val >> 6];
	if (!(val & 0x30)) {
		latch(c);
		return;
	}
	c->rw = (val >> 4) & 3;
	c->mode = (val >> 1) & 7;
	if (c->mode > 5)
		c->mode &= 3;
	c->bcd = val & 1;
	c->second_write = c->second_read = false;
	c->latched = 0;
	if (c == &p->c[0]) {
		timer_stop(&p->timer);
		c->loaded = now();
	}
}

static uint8_t read_counter(struct counter *c)
{
	uint16_t n;
	bool high;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	n = c->latched ? c->latch : count(c);
	high = c->rw == 2 || (c->rw == 3 && c->second_read);
	if (c->rw == 3)
		c->second_read = !c->second_read;
	if (c->latched)
		c->latched--;
	return (uint8_t)(high ? n >> 8 : n);
}

static void access(struct vcpu *v, unsigned int port, unsigned int size,
		   bool write, uint32_t *val, void *data)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	struct vpit *p = data;

	if (size != 1) {
		*val = write ? *val : ~0U;
		return;
	}
	spin_lock(&hd->lock);
	if (write && port == 0x43)
		write_control(p, (uint8_t)*val);
	else if (write)
		write_counter(p, &p->c[port & 3], (uint8_t)*val);
	else
		*val = port == 0x43 ? 0xff : read_counter(&p->c[port & 3]);
	spin_unlock(&hd->lock);
}

/* Port 0x61: the third counter's gate and output, and refresh's toggle. */
static void access_61(struct vcpu *v, unsigned int port, unsigned int size,
		      bool write, uint32_t *val, void *data)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	struct vpit *p = data;
	struct counter *c = &p->c[2];

	(void)port;
	(void)size;
	spin_lock(&hd->lock);
	if (write) {
		bool gate = *val & BIT(0);

		if (gate && !c->gate)
			c->loaded = now();
		c->gate = gate;
		p->speaker = *val & BIT(1);
	} else {
		*val = c->gate | p->speaker << 1 |
		       (now() / 15000 & 1 ? BIT(4) : 0) |
		       (output(c) ? BIT(5) : 0);
	}
	spin_unlock(&hd->lock);
}

int vpit_init(struct domain *d)
{
	struct vpit *p = xnew(struct vpit);
	int rc;

	if (!p)
		return -ENOMEM;
	hvm_domain(d)->pit = p;
	p->d = d;
	timer_init(&p->timer, fired, p);
	for (unsigned int i = 0; i < 3; i++) {
		p->c[i].reload = 0x10000;
		p->c[i].mode = 3;
		p->c[i].rw = 3;
		p->c[i].gate = i < 2;
	}
	rc = portio_register(d, 0x40, 4, access, p);
	return rc ? rc : portio_register(d, 0x61, 1, access_61, p);
}

void vpit_destroy(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (hd->pit)
		timer_kill(&hd->pit->timer);
	xfree(hd->pit);
	hd->pit = NULL;
}

/* The record's words for which byte comes next: 1 low, 2 high; 3 and 4 are the
 * two of a pair. */
static uint8_t next_byte(const struct counter *c, bool second)
{
	return c->rw == 3 ? (second ? 4 : 3) : c->rw;
}

void vpit_save(struct domain *d, struct hvm_hw_pit *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vpit *p = hd->pit;

	spin_lock(&hd->lock);
	*r = (struct hvm_hw_pit){.speaker_data_on = p->speaker};
	for (unsigned int i = 0; i < 3; i++) {
		const struct counter *c = &p->c[i];

		r->channels[i] = (struct hvm_hw_pit_channel){
			.count = c->reload,
			.latched_count = c->latch,
			.count_latched =
				c->latched ? next_byte(c, c->latched == 1) : 0,
			.status_latched = c->status_latched,
			.status = c->status,
			.read_state = next_byte(c, c->second_read),
			.write_state = next_byte(c, c->second_write),
			.write_latch = c->write_low,
			.rw_mode = c->rw,
			.mode = c->mode,
			.bcd = c->bcd,
			.gate = c->gate,
		};
	}
	spin_unlock(&hd->lock);
}

/* When a counter was loaded is not in the record: it begins anew. */
static void load_counter(struct counter *c, const struct hvm_hw_pit_channel *r)
{
	*c = (struct counter){
		.reload = r->count ? r->count : 0x10000,
		.loaded = now(),
		.mode = r->mode,
		.rw = r->rw_mode,
		.write_low = r->write_latch,
		.status = r->status,
		.latch = r->latched_count,
		.bcd = r->bcd,
		.gate = r->gate,
		.second_write = r->write_state == 4,
		.second_read = r->read_state == 4,
		.latched = !r->count_latched       ? 0
			   : r->count_latched == 3 ? 2
						   : 1,
		.status_latched = r->status_latched,
	};
}

int vpit_load(struct domain *d, const struct hvm_hw_pit *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vpit *p = hd->pit;

	for (unsigned int i = 0; i < 3; i++)
		if (r->channels[i].count > 0x10000 || r->channels[i].mode > 5 ||
		    r->channels[i].rw_mode > 3)
			return -EINVAL;
	spin_lock(&hd->lock);
	for (unsigned int i = 0; i < 3; i++)
		load_counter(&p->c[i], &r->channels[i]);
	p->speaker = r->speaker_data_on & 1;
	arm(p);
	spin_unlock(&hd->lock);
	return 0;
}
