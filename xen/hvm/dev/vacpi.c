/* SPDX-License-Identifier: MIT */
/*
 * The part of a guest PC's ACPI hardware that is ours (ACPI, "ACPI Register
 * Model"): PM1a's status and enable registers, whose events are the power and
 * sleep buttons and the timer's carry, and the timer itself, which guests read
 * all the time. PM1a_CNT and the general-purpose events are the device model's.
 * The ports are those of public/hvm/ioreq.h that hvmloader's tables name.
 */
#include "hvm/dev/virq.h"

#include "hvm/portio.h"
#include "lib/errno.h"
#include "mem/alloc.h"

#include <xen/hvm/ioreq.h>

#define HOT __attribute__((section(".text.hot")))

#define PM_HZ 3579545UL
/* The timer has 32 bits (TMR_VAL_EXT): its status is the highest one's flip. */
#define TMR_FLIP (1UL << 31)

/* Bits of both registers; the rest of STS is not a cause of an interrupt. */
#define PM1_TMR    (1U << 0)
#define PM1_GBL    (1U << 5)
#define PM1_PWRBTN (1U << 8)
#define PM1_SLPBTN (1U << 9)
#define PM1_EVENTS (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_SLPBTN)

struct vacpi {
	struct domain *d;
	struct timer timer;
	s_time_t start;
	uint64_t flips; /* that TMR_STS has been told of */
	uint16_t sts, en;
};

static HOT uint64_t ticks(const struct vacpi *a)
{
	uint64_t n = (uint64_t)(now() - a->start);

	/* Whole seconds apart: the product of neither part overflows. */
	return n / NS_SECOND * PM_HZ + n % NS_SECOND * PM_HZ / NS_SECOND;
}

/* What has come up to now, and what that means to the line; lock held. */
static void settle(struct vacpi *a)
{
	uint64_t flips = ticks(a) / TMR_FLIP;

	if (flips != a->flips)
		a->sts |= PM1_TMR;
	a->flips = flips;
	hvm_sci(a->d, a->sts & a->en & PM1_EVENTS);
	timer_stop(&a->timer);
	if (a->en & PM1_TMR && !(a->sts & PM1_TMR)) {
		uint64_t next = (flips + 1) * TMR_FLIP;

		timer_set(&a->timer,
			  a->start +
				  (s_time_t)(next / PM_HZ * NS_SECOND +
					     next % PM_HZ * NS_SECOND / PM_HZ +
					     1));
	}
}

static void carried(void *data)
{
	struct vacpi *a = data;
	struct hvm_domain *hd = hvm_domain(a->d);

	spin_lock(&hd->lock);
	settle(a);
	spin_unlock(&hd->lock);
}

/* Two registers of two bytes, byte by byte: a status' ones clear it. */
static void access_events(struct vcpu *v, unsigned int port, unsigned int size,
			  bool write, uint32_t *val, void *data)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	unsigned int shift = port % 4 * 8;
	uint32_t mask = size == 4 ? ~0U : (1U << size * 8) - 1;
	struct vacpi *a = data;

	spin_lock(&hd->lock);
	settle(a);
	if (write) {
		uint64_t at = (uint64_t)mask << shift;
		uint64_t put = (uint64_t)(*val & mask) << shift;

		a->sts &= (uint16_t)~put;
		a->en = (uint16_t)((a->en & ~(at >> 16)) | put >> 16);
		settle(a);
	} else {
		*val = ((uint32_t)a->en << 16 | a->sts) >> shift & mask;
	}
	spin_unlock(&hd->lock);
}

static HOT void access_timer(struct vcpu *v, unsigned int port,
			     unsigned int size, bool write, uint32_t *val,
			     void *data)
{
	(void)v;
	if (!write)
		*val = (uint32_t)ticks(data) >> port % 4 * 8 &
		       (size == 4 ? ~0U : (1U << size * 8) - 1);
}

static void press(struct domain *d, uint16_t button)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (!hd->acpi)
		return;
	spin_lock(&hd->lock);
	hd->acpi->sts |= button;
	settle(hd->acpi);
	spin_unlock(&hd->lock);
}

void vacpi_power_button(struct domain *d)
{
	press(d, PM1_PWRBTN);
}

void vacpi_sleep_button(struct domain *d)
{
	press(d, PM1_SLPBTN);
}

int vacpi_init(struct domain *d)
{
	struct vacpi *a = xnew(struct vacpi);
	int rc;

	if (!a)
		return -ENOMEM;
	hvm_domain(d)->acpi = a;
	a->d = d;
	a->start = now();
	timer_init(&a->timer, carried, a);
	rc = portio_register(d, ACPI_PM1A_EVT_BLK_ADDRESS_V1, 4, access_events,
			     a);
	return rc ? rc
		  : portio_register(d, ACPI_PM_TMR_BLK_ADDRESS_V1, 4,
				    access_timer, a);
}

void vacpi_destroy(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (hd->acpi)
		timer_kill(&hd->acpi->timer);
	xfree(hd->acpi);
	hd->acpi = NULL;
}

void vacpi_save(struct domain *d, struct hvm_hw_pmtimer *r)
{
	struct hvm_domain *hd = hvm_domain(d);

	spin_lock(&hd->lock);
	settle(hd->acpi);
	*r = (struct hvm_hw_pmtimer){
		.tmr_val = (uint32_t)ticks(hd->acpi),
		.pm1a_sts = hd->acpi->sts,
		.pm1a_en = hd->acpi->en,
	};
	spin_unlock(&hd->lock);
}

void vacpi_load(struct domain *d, const struct hvm_hw_pmtimer *r)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vacpi *a = hd->acpi;
	uint64_t n = r->tmr_val;

	spin_lock(&hd->lock);
	/* Up, so that it stands where it stood. */
	a->start = now() - (s_time_t)((n * NS_SECOND + PM_HZ - 1) / PM_HZ);
	a->flips = ticks(a) / TMR_FLIP;
	a->sts = r->pm1a_sts;
	a->en = r->pm1a_en;
	settle(a);
	spin_unlock(&hd->lock);
}
