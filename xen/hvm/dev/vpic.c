/* SPDX-License-Identifier: MIT */
/*
 * Two cascaded 8259s (Intel 8259A datasheet). hd->lock guards them; what the
 * first vCPU asks before each entry reads one word without it.
 */
#include "hvm/dev/virq.h"

#include "hvm/portio.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#define ICW1      BIT(4)
#define ICW1_ICW4 BIT(0)
#define OCW3      BIT(3)
#define CASCADE   2

struct chip {
	uint8_t irr, imr, isr;
	uint8_t lines;  /* inputs as they are */
	uint8_t lent;   /* at the guest's door: it may have taken it */
	uint8_t again;  /* … and there was another edge since */
	uint8_t elcr;   /* level-triggered ones */
	uint8_t base;   /* ICW2 */
	uint8_t lowest; /* the input with the lowest priority */
	uint8_t icw;    /* the initialisation word that comes next; 0: none */
	bool icw4, auto_eoi, rotate_aeoi, read_isr, special_mask, poll;
	bool special_nested;
};

struct vpic {
	struct chip chip[2];
	int wanted; /* what INTA would give; -1: nothing */
};

/* By priority, the first input of mask: 0 to 7, or -1. */
static int first(const struct chip *c, uint8_t mask)
{
	for (unsigned int i = 1; i <= 8; i++) {
		unsigned int n = (c->lowest + i) & 7;

		if (mask & BIT(n))
			return (int)n;
	}
	return -1;
}

static unsigned int rank(const struct chip *c, int n)
{
	return n < 0 ? 8 : (unsigned int)(n - c->lowest - 1) & 7;
}

/* The input that the chip asks for now, or -1. */
static int pending(const struct chip *c)
{
	uint8_t busy = c->special_mask ? c->isr & (uint8_t)~c->imr : c->isr;
	int want = first(c, c->irr & (uint8_t)~c->imr);

	if (want < 0)
		return -1;
	if (c->special_nested)
		busy &= (uint8_t)~BIT(CASCADE);
	return rank(c, want) < rank(c, first(c, busy)) ? want : -1;
}

/* An input that goes down takes its edge back, unless the guest may have taken
 * it: that is settled when it is given back, or acknowledged. */
static void set_input(struct chip *c, unsigned int n, bool level)
{
	uint8_t bit = (uint8_t)BIT(n);
	bool edge = level && !(c->lines & bit);

	if (level)
		c->lines |= bit;
	else
		c->lines &= (uint8_t)~bit;
	if (c->lent & bit) {
		if (edge)
			c->again |= bit;
		else if (!level)
			c->again &= (uint8_t)~bit;
		return;
	}
	if (edge || (level && (c->elcr & bit)))
		c->irr |= bit;
	else if (!level)
		c->irr &= (uint8_t)~bit;
}

/* The second chip's output drops with each acknowledgement, so that the next
 * request is a new edge: the request is as the output is. */
static void set_cascade(struct chip *c, bool level)
{
	if (level)
		c->irr |= BIT(CASCADE);
	else
		c->irr &= (uint8_t)~BIT(CASCADE);
}

/* The outputs again; the vCPU is told when there is something new. */
static void update(struct domain *d)
{
	struct vpic *p = hvm_domain(d)->pic;
	int n, slave = pending(&p->chip[1]), old = p->wanted;

	set_cascade(&p->chip[0], slave >= 0);
	n = pending(&p->chip[0]);
	if (n == CASCADE && slave >= 0)
		n = p->chip[1].base + slave;
	else if (n >= 0)
		n += p->chip[0].base;
	WRITE_ONCE(p->wanted, n);
	if (n >= 0 && n != old)
		hvm_extint_notify(d);
}

void vpic_line(struct domain *d, unsigned int irq, bool level)
{
	struct vpic *p = hvm_domain(d)->pic;

	if (irq == CASCADE)
		return;
	set_input(&p->chip[irq >> 3], irq & 7, level);
	update(d);
}

int vpic_highest(struct domain *d)
{
	return READ_ONCE(hvm_domain(d)->pic->wanted);
}

static void take(struct chip *c, unsigned int n)
{
	uint8_t bit = (uint8_t)BIT(n);

	if (c->elcr & bit ? !(c->lines & bit) : !(c->again & bit))
		c->irr &= (uint8_t)~bit;
	c->lent &= (uint8_t)~bit;
	c->again &= (uint8_t)~bit;
	if (!c->auto_eoi)
		c->isr |= bit;
	else if (c->rotate_aeoi)
		c->lowest = (uint8_t)n;
}

/* Whose vector that is, and requested. */
static struct chip *find(struct vpic *p, uint8_t vector)
{
	for (unsigned int i = 2; i--;)
		if ((vector & 0xf8) == p->chip[i].base &&
		    (p->chip[i].irr & BIT(vector & 7)))
			return &p->chip[i];
	return NULL;
}

void vpic_lend(struct domain *d, uint8_t vector)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct chip *c;

	spin_lock(&hd->lock);
	c = find(hd->pic, vector);
	if (c)
		c->lent |= (uint8_t)BIT(vector & 7);
	spin_unlock(&hd->lock);
}

void vpic_return(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	spin_lock(&hd->lock);
	for (unsigned int i = 0; i < 2; i++) {
		struct chip *c = &hd->pic->chip[i];

		c->irr &= (uint8_t) ~(c->lent & ~c->lines);
		c->lent = c->again = 0;
	}
	update(d);
	spin_unlock(&hd->lock);
}

void vpic_ack(struct domain *d, uint8_t vector)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vpic *p = hd->pic;
	struct chip *c;

	spin_lock(&hd->lock);
	c = find(p, vector);
	if (c)
		take(c, vector & 7);
	if (c == &p->chip[1])
		take(&p->chip[0], CASCADE);
	update(d);
	spin_unlock(&hd->lock);
}

static void start(struct chip *c, uint8_t val)
{
	uint8_t elcr = c->elcr, lines = c->lines;

	*c = (struct chip){
		.elcr = elcr,
		.lines = lines,
		.irr = lines & elcr,
		.lowest = 7,
		.icw = 2,
		.icw4 = val & ICW1_ICW4,
	};
}

/* OCW2: ends of interrupt and priorities. */
static void end(struct chip *c, uint8_t val)
{
	int n = val & BIT(6) ? val & 7 : first(c, c->isr);

	switch (val >> 5) {
	case 0: /* automatic rotation */
	case 4:
		c->rotate_aeoi = val >> 7;
		break;
	case 1: /* EOI, with and without a number, and rotation */
	case 3:
	case 5:
	case 7:
		if (n < 0)
			break;
		c->isr &= (uint8_t)~BIT(n);
		if (val & BIT(7))
			c->lowest = (uint8_t)n;
		break;
	case 6:
		c->lowest = val & 7;
		break;
	}
}

static void write_command(struct chip *c, uint8_t val)
{
	if (val & ICW1) {
		start(c, val);
	} else if (!(val & OCW3)) {
		end(c, val);
	} else {
		if (val & BIT(2))
			c->poll = true;
		if (val & BIT(1))
			c->read_isr = val & BIT(0);
		if (val & BIT(6))
			c->special_mask = val & BIT(5);
	}
}

static void write_data(struct chip *c, uint8_t val)
{
	switch (c->icw) {
	case 0:
		c->imr = val;
		break;
	case 2:
		c->base = val & 0xf8;
		c->icw = 3;
		break;
	case 3:
		c->icw = c->icw4 ? 4 : 0;
		break;
	case 4:
		c->special_nested = val & BIT(4);
		c->auto_eoi = val & BIT(1);
		c->icw = 0;
		break;
	}
}

static uint8_t read_chip(struct chip *c, bool data)
{
	if (c->poll) {
		int n = pending(c);

		c->poll = false;
		if (n < 0)
			return 0;
		take(c, (unsigned int)n);
		return (uint8_t)(BIT(7) | (unsigned int)n);
	}
	if (data)
		return c->imr;
	return c->read_isr ? c->isr : c->irr;
}

static void access(struct vcpu *v, unsigned int port, unsigned int size,
		   bool write, uint32_t *val, void *data)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	struct chip *c = &hd->pic->chip[port >> 7];

	(void)data;
	if (size != 1) {
		*val = write ? *val : ~0U;
		return;
	}
	spin_lock(&hd->lock);
	if (!write)
		*val = read_chip(c, port & 1);
	else if (port & 1)
		write_data(c, (uint8_t)*val);
	else
		write_command(c, (uint8_t)*val);
	update(v->domain);
	spin_unlock(&hd->lock);
}

/* Which inputs are level-triggered: none of the system board's own. */
static void access_elcr(struct vcpu *v, unsigned int port, unsigned int size,
			bool write, uint32_t *val, void *data)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	struct chip *c = &hd->pic->chip[port & 1];

	(void)data;
	if (size != 1) {
		*val = write ? *val : ~0U;
		return;
	}
	spin_lock(&hd->lock);
	if (write)
		c->elcr = (uint8_t)*val & (port & 1 ? 0xde : 0xf8);
	else
		*val = c->elcr;
	update(v->domain);
	spin_unlock(&hd->lock);
}

int vpic_init(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);
	int rc;

	hd->pic = xnew(struct vpic);
	if (!hd->pic)
		return -ENOMEM;
	hd->pic->wanted = -1;
	hd->pic->chip[0].lowest = hd->pic->chip[1].lowest = 7;
	rc = portio_register(d, 0x20, 2, access, NULL);
	if (!rc)
		rc = portio_register(d, 0xa0, 2, access, NULL);
	if (!rc)
		rc = portio_register(d, 0x4d0, 2, access_elcr, NULL);
	return rc;
}

void vpic_save(struct domain *d, unsigned int chip, struct hvm_hw_vpic *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	const struct chip *c = &hd->pic->chip[chip];

	spin_lock(&hd->lock);
	*r = (struct hvm_hw_vpic){
		.irr = c->irr,
		.imr = c->imr,
		.isr = c->isr,
		.irq_base = c->base,
		.init_state = c->icw ? ((c->icw - 1) & 3) | c->icw4 << 2 : 0,
		.priority_add = (c->lowest + 1) & 7,
		.readsel_isr = c->read_isr,
		.poll = c->poll,
		.auto_eoi = c->auto_eoi,
		.rotate_on_auto_eoi = c->rotate_aeoi,
		.special_fully_nested_mode = c->special_nested,
		.special_mask_mode = c->special_mask,
		.is_master = !chip,
		.elcr = c->elcr,
		.int_output = pending(c) >= 0,
	};
	spin_unlock(&hd->lock);
}

int vpic_load(struct domain *d, unsigned int chip, const struct hvm_hw_vpic *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct chip *c = &hd->pic->chip[chip];

	if ((r->irq_base & 7) || r->is_master == chip || r->priority_add > 7)
		return -EINVAL;
	spin_lock(&hd->lock);
	*c = (struct chip){
		.irr = r->irr,
		.imr = r->imr,
		.isr = r->isr,
		.lines = c->lines,
		.elcr = r->elcr & (chip ? 0xde : 0xf8),
		.base = r->irq_base,
		.lowest = (r->priority_add + 7) & 7,
		.icw = r->init_state & 3 ? (r->init_state & 3) + 1 : 0,
		.icw4 = r->init_state & 4,
		.auto_eoi = r->auto_eoi,
		.rotate_aeoi = r->rotate_on_auto_eoi,
		.read_isr = r->readsel_isr,
		.special_mask = r->special_mask_mode,
		.poll = r->poll,
		.special_nested = r->special_fully_nested_mode,
	};
	if (chip)
		update(d);
	spin_unlock(&hd->lock);
	return 0;
}

void vpic_set_line(struct domain *d, unsigned int irq, bool level)
{
	struct chip *c = &hvm_domain(d)->pic->chip[irq >> 3];
	uint8_t bit = (uint8_t)BIT(irq & 7);

	if (irq == CASCADE)
		return;
	c->lines = level ? c->lines | bit : c->lines & (uint8_t)~bit;
}
