/* SPDX-License-Identifier: MIT */
/*
 * A guest PC's board with what is below and beside it, and its ports and
 * registers as one call each: for the tests of its devices, which include this
 * once each.
 */
#ifndef OSTLER_TESTS_PC_WORLD_H
#define OSTLER_TESTS_PC_WORLD_H

#include "harness.h"
#include "heap_stubs.h"

#include "console/printk.h"
#include "cpu/acpi.h"
#include "cpu/ioapic.h"
#include "cpu/irq.h"
#include "cpu/time.h"
#include "hvm/dev/vioapic.h"
#include "hvm/dev/virq.h"
#include "hvm/dev/vlapic.h"
#include "hvm/portio.h"
#include "hvm/records.h"
#include "lib/errno.h"
#include "mem/alloc.h"

static struct domain domain;
static struct hvm_domain hd;
static struct vcpu vcpu;
static s_time_t clock;

static struct {
	unsigned int first, n;
	portio_fn *fn;
	portio_claims *claims;
	void *data;
} ports[16];
static unsigned int nr_ports;
static mmio_fn *ioapic, *hpet;
static void *ioapic_data, *hpet_data;

static unsigned int delivered, extints;
static uint8_t last_vector;
static bool last_level;
static struct timer *set_timer; /* the last one that was */
static s_time_t timer_at;
static struct {
	struct timer *t;
	s_time_t at;
} timers[8];

/* What is below and beside the devices. */

s_time_t now(void)
{
	return clock;
}
void spin_lock(spinlock_t *l)
{
	if (l->owner)
		abort();
	l->owner = 1;
}
void spin_unlock(spinlock_t *l)
{
	l->owner = 0;
}
void printk(const char *fmt, ...)
{
	(void)fmt;
}
int portio_register_some(struct domain *d, unsigned int first, unsigned int n,
			 portio_claims *claims, portio_fn *fn, void *data)
{
	(void)d;
	ports[nr_ports].first = first;
	ports[nr_ports].n = n;
	ports[nr_ports].fn = fn;
	ports[nr_ports].claims = claims;
	ports[nr_ports++].data = data;
	return 0;
}
int portio_register(struct domain *d, unsigned int first, unsigned int n,
		    portio_fn *fn, void *data)
{
	return portio_register_some(d, first, n, NULL, fn, data);
}
uint64_t wallclock_sec = 1709164800; /* 2024-02-29 00:00:00 */
uint32_t wallclock_nsec;
int mmio_register(struct domain *d, gpa_t first, uint64_t n, mmio_fn *fn,
		  void *data)
{
	(void)d;
	(void)n;
	if (first == 0xfed00000) {
		hpet = fn;
		hpet_data = data;
	} else {
		ioapic = fn;
		ioapic_data = data;
	}
	return 0;
}
struct vcpu *vlapic_deliver(struct domain *d, uint32_t dest, bool logical,
			    unsigned int mode, uint8_t vector, bool level)
{
	(void)d;
	(void)dest;
	(void)logical;
	(void)mode;
	delivered++;
	last_vector = vector;
	last_level = level;
	return NULL;
}
bool vlapic_match(const struct vlapic *l, uint32_t dest, bool logical)
{
	(void)l;
	(void)dest;
	(void)logical;
	return false;
}
void hvm_extint_notify(struct domain *d)
{
	(void)d;
	extints++;
}
void timer_init(struct timer *t, void (*fn)(void *), void *data)
{
	t->fn = fn;
	t->data = data;
}
void timer_stop(struct timer *t)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++)
		if (timers[i].t == t)
			timers[i].t = NULL;
	if (set_timer == t)
		set_timer = NULL;
}
void timer_set(struct timer *t, s_time_t expires)
{
	timer_stop(t);
	set_timer = t;
	timer_at = expires;
	for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++)
		if (!timers[i].t) {
			timers[i].t = t;
			timers[i].at = expires;
			return;
		}
	abort();
}
void timer_kill(struct timer *t)
{
	timer_stop(t);
}
/* Of a physical I/O APIC: not in use here. */
struct acpi_info acpi_info;
bool ioapic_has(unsigned int gsi)
{
	(void)gsi;
	return false;
}
int irq_bind_gsi(unsigned int gsi, bool level, bool low, unsigned int cpu,
		 void (*fn)(void *, unsigned int), void *data)
{
	(void)gsi;
	(void)level;
	(void)low;
	(void)cpu;
	(void)fn;
	(void)data;
	abort();
}
void irq_unbind_gsi(unsigned int gsi)
{
	(void)gsi;
	abort();
}
void irq_mask_gsi(unsigned int gsi, bool mask)
{
	(void)gsi;
	(void)mask;
	abort();
}
void irq_eoi_gsi(unsigned int gsi)
{
	(void)gsi;
	abort();
}
int irq_set_affinity_gsi(unsigned int gsi, unsigned int cpu)
{
	(void)gsi;
	(void)cpu;
	abort();
}

static inline void access_n(unsigned int port, unsigned int size, bool write,
			    uint32_t *val)
{
	for (unsigned int i = 0; i < nr_ports; i++)
		if (port >= ports[i].first &&
		    port - ports[i].first < ports[i].n) {
			if (ports[i].claims &&
			    !ports[i].claims(port, size, write, *val,
					     ports[i].data))
				return; /* the device model's */
			ports[i].fn(&vcpu, port, size, write, val,
				    ports[i].data);
			return;
		}
	abort();
}
static inline void access(unsigned int port, bool write, uint32_t *val)
{
	access_n(port, 1, write, val);
}
static inline void outn(unsigned int port, unsigned int size, uint32_t val)
{
	access_n(port, size, true, &val);
}
static inline uint32_t inn(unsigned int port, unsigned int size)
{
	uint32_t val = 0;

	access_n(port, size, false, &val);
	return val;
}
static inline void out(unsigned int port, uint32_t val)
{
	access(port, true, &val);
}
static inline uint8_t in(unsigned int port)
{
	uint32_t val = 0;

	access(port, false, &val);
	return (uint8_t)val;
}
static inline void io_write(uint32_t reg, uint32_t val)
{
	uint64_t r = reg, v = val;

	ioapic(&vcpu, 0xfec00000, 4, true, &r, ioapic_data);
	ioapic(&vcpu, 0xfec00010, 4, true, &v, ioapic_data);
}
static inline uint32_t io_read(uint32_t reg)
{
	uint64_t r = reg, v = 0;

	ioapic(&vcpu, 0xfec00000, 4, true, &r, ioapic_data);
	ioapic(&vcpu, 0xfec00010, 4, false, &v, ioapic_data);
	return (uint32_t)v;
}

static inline void begin(void)
{
	memset(&hd, 0, sizeof(hd));
	domain.arch = &hd;
	vcpu.domain = &domain;
	nr_ports = delivered = extints = 0;
	clock = 1000;
	set_timer = NULL;
	memset(timers, 0, sizeof(timers));
	CHECK_EQ(virq_init(&domain), 0);
	CHECK_EQ(vpit_init(&domain), 0);
	CHECK_EQ(vacpi_init(&domain), 0);
	CHECK_EQ(vrtc_init(&domain), 0);
	CHECK_EQ(vhpet_init(&domain), 0);
	hd.params[HVM_PARAM_HPET_ENABLED] = 1;
}
static inline void end(void)
{
	vhpet_destroy(&domain);
	vrtc_destroy(&domain);
	vacpi_destroy(&domain);
	vpit_destroy(&domain);
	vioapic_destroy(&domain);
	virq_destroy(&domain);
}

/* Time goes by; what comes due is done in its order. */
static inline void pass(s_time_t ns)
{
	s_time_t until = clock + ns;

	for (;;) {
		unsigned int next = ARRAY_SIZE(timers);
		struct timer *t;

		for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++)
			if (timers[i].t && timers[i].at <= until &&
			    (next == ARRAY_SIZE(timers) ||
			     timers[i].at < timers[next].at))
				next = i;
		if (next == ARRAY_SIZE(timers))
			break;
		t = timers[next].t;
		clock = max(clock, timers[next].at);
		timers[next].t = NULL;
		t->fn(t->data);
	}
	clock = until;
}

/* As a PC's firmware sets them up: vectors 8 and 0x70, all inputs open. */
static inline void init_pics(void)
{
	static const uint8_t words[][2] = {
		{0x20, 0x11}, {0x21, 8}, {0x21, 4}, {0x21, 1}, {0xa0, 0x11},
		{0xa1, 0x70}, {0xa1, 2}, {0xa1, 1}, {0x21, 0}, {0xa1, 0}};

	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		out(words[i][0], words[i][1]);
}

static inline void pulse(unsigned int irq)
{
	hvm_isa_irq(&domain, irq, true);
	hvm_isa_irq(&domain, irq, false);
}

#endif
