/* SPDX-License-Identifier: MIT */
/*
 * The real-time clock (Motorola MC146818A datasheet) of a guest PC: its first
 * 14 bytes, at ports 0x70 and 0x71, and ISA interrupt 8. The RAM behind them is
 * the device model's. Its time is the wall clock's and an offset that the guest
 * moves by setting it, so the second changes when the wall clock's does. Flags
 * are worked out when somebody looks; a timer of ours runs for interrupts only.
 */
#include "hvm/dev/virq.h"

#include "cpu/time.h"
#include "hvm/portio.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mem/alloc.h"

#define DAY    86400
#define OSC_HZ 32768

enum {
	SEC,
	SEC_ALARM,
	MIN,
	MIN_ALARM,
	HOUR,
	HOUR_ALARM,
	WEEKDAY,
	DAY_OF_MONTH,
	MONTH,
	YEAR,
	REG_A,
	REG_B,
	REG_C,
	REG_D
};

#define A_UIP  0x80 /* an update comes or is being done */
#define A_RATE 0x0f
#define B_SET  0x80 /* the clock stands and may be written */
#define B_DM   0x04 /* binary, not BCD */
#define B_24   0x02
#define C_IRQF 0x80
#define C_PF   0x40 /* the enable bits in B have the same places */
#define C_AF   0x20
#define C_UF   0x10
#define C_ALL  (C_PF | C_AF | C_UF)
#define D_VRT  0x80 /* the battery is well */
#define PM     0x80 /* of the hour, where there are 12 */

/* "Update cycle": the flag is up 244 us before, and during 1984 us. */
#define UIP_NS 2228000

struct vrtc {
	struct domain *d;
	struct timer timer;
	uint8_t reg[RTC_CMOS_SIZE], index;
	int64_t offset;  /* seconds */
	int64_t settled; /* the flags know of everything until then: seconds */
	uint64_t ticks;  /* … and of the oscillator's */
};

/* Nanoseconds since 1970, and the oscillator. */
static uint64_t wall(const struct vrtc *r)
{
	uint64_t sec = wallclock_sec + (uint64_t)(int64_t)r->d->time_offset +
		       (uint64_t)r->offset;

	return sec * NS_SECOND + wallclock_nsec + (uint64_t)now();
}

static uint64_t osc(uint64_t ns)
{
	return ns / NS_SECOND * OSC_HZ + ns % NS_SECOND * OSC_HZ / NS_SECOND;
}

/* Of its ticks between periodic interrupts; 0: none. */
static uint64_t period(const struct vrtc *r)
{
	unsigned int rate = r->reg[REG_A] & A_RATE;

	if (!rate)
		return 0;
	/* "Periodic interrupt rate": the two fastest are 256 and 128 Hz. */
	return BIT(rate < 3 ? rate + 6 : rate - 1);
}

static uint8_t encode(const struct vrtc *r, unsigned int n)
{
	return (uint8_t)(r->reg[REG_B] & B_DM ? n : n / 10 << 4 | n % 10);
}

static unsigned int decode(const struct vrtc *r, uint8_t n)
{
	return r->reg[REG_B] & B_DM ? n : (n >> 4) * 10U + (n & 15);
}

static uint8_t encode_hour(const struct vrtc *r, unsigned int h)
{
	if (r->reg[REG_B] & B_24)
		return encode(r, h);
	return encode(r, h % 12 ? h % 12 : 12) | (h >= 12 ? PM : 0);
}

static unsigned int decode_hour(const struct vrtc *r, uint8_t n)
{
	if (r->reg[REG_B] & B_24)
		return decode(r, n);
	return decode(r, n & 0x7f) % 12 + (n & PM ? 12 : 0);
}

/*
 * Days since 1970-01-01 and back, by the Gregorian calendar's eras of 400
 * years; a year begins in March there, so that February's end is the year's.
 */
static int64_t days_of(int64_t y, unsigned int m, unsigned int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_of(int64_t days, int64_t *y, unsigned int *m, unsigned int *d)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*d = (unsigned int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (unsigned int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

/* The time registers show sec. */
static void show(struct vrtc *r, uint64_t sec)
{
	int64_t days = (int64_t)(sec / DAY), year;
	unsigned int month, day, in_day = (unsigned int)(sec % DAY);

	date_of(days, &year, &month, &day);
	r->reg[SEC] = encode(r, in_day % 60);
	r->reg[MIN] = encode(r, in_day / 60 % 60);
	r->reg[HOUR] = encode_hour(r, in_day / 3600);
	r->reg[WEEKDAY] = encode(r, (unsigned int)((days + 4) % 7) + 1);
	r->reg[DAY_OF_MONTH] = encode(r, day);
	r->reg[MONTH] = encode(r, month);
	r->reg[YEAR] = encode(r, (unsigned int)(year % 100));
}

/* What they show now is the time, whatever it is: the offset moves. */
static void take_over(struct vrtc *r)
{
	unsigned int month = decode(r, r->reg[MONTH]);
	int64_t sec = days_of(2000 + decode(r, r->reg[YEAR]),
			      month ? (month - 1) % 12 + 1 : 1,
			      decode(r, r->reg[DAY_OF_MONTH]));

	sec = sec * DAY + decode_hour(r, r->reg[HOUR]) * 3600 +
	      decode(r, r->reg[MIN]) * 60 + decode(r, r->reg[SEC]);
	r->offset += sec - (int64_t)(wall(r) / NS_SECOND);
	r->settled = sec;
}

static bool minds(uint8_t alarm, unsigned int value, unsigned int want)
{
	return (alarm & 0xc0) != 0xc0 && value != want;
}

/* The first second from t on that the alarm names, or INT64_MAX. */
static int64_t next_alarm(const struct vrtc *r, int64_t t)
{
	unsigned int h = decode_hour(r, r->reg[HOUR_ALARM]);
	unsigned int m = decode(r, r->reg[MIN_ALARM]);
	unsigned int s = decode(r, r->reg[SEC_ALARM]);
	int64_t last = t + DAY;

	/* What never comes is not looked for second by second. */
	if (minds(r->reg[HOUR_ALARM], h, min(h, 23U)) ||
	    minds(r->reg[MIN_ALARM], m, min(m, 59U)) ||
	    minds(r->reg[SEC_ALARM], s, min(s, 59U)))
		return INT64_MAX;
	while (t < last) {
		unsigned int in_day = (unsigned int)(t % DAY);

		if (minds(r->reg[HOUR_ALARM], in_day / 3600, h))
			t += 3600 - in_day % 3600;
		else if (minds(r->reg[MIN_ALARM], in_day / 60 % 60, m))
			t += 60 - in_day % 60;
		else if (minds(r->reg[SEC_ALARM], in_day % 60, s))
			t++;
		else
			return t;
	}
	return INT64_MAX;
}

/* When the clock, at ns now, comes to second sec, as system time. */
static s_time_t at_second(int64_t sec, uint64_t ns)
{
	return now() + (s_time_t)((uint64_t)sec * NS_SECOND - ns);
}

/* The next interrupt that is wanted and not there yet. */
static void arm(struct vrtc *r, uint64_t ns)
{
	uint8_t wanted = r->reg[REG_B] & C_ALL & ~r->reg[REG_C];
	s_time_t at = INT64_MAX;
	uint64_t p = period(r);

	timer_stop(&r->timer);
	if (wanted & C_PF && p) {
		uint64_t next = (r->ticks / p + 1) * p - r->ticks;

		at = now() + (s_time_t)(next * NS_SECOND / OSC_HZ) + 1;
	}
	if (wanted & C_UF)
		at = min(at, at_second(r->settled + 1, ns));
	if (wanted & C_AF) {
		int64_t sec = next_alarm(r, r->settled + 1);

		if (sec != INT64_MAX)
			at = min(at, at_second(sec, ns));
	}
	if (at != INT64_MAX)
		timer_set(&r->timer, at);
}

/* What has come up to now, and what that means to the line; lock held. */
static void settle(struct vrtc *r)
{
	uint64_t ns = wall(r), ticks = osc(ns), p = period(r);
	int64_t sec = (int64_t)(ns / NS_SECOND);
	uint8_t c = r->reg[REG_C] & C_ALL;

	/* Somebody may have set the wall clock back. */
	if (p && ticks / p > r->ticks / p)
		c |= C_PF;
	r->ticks = ticks;
	if (!(r->reg[REG_B] & B_SET) && sec > r->settled) {
		c |= C_UF;
		if (next_alarm(r, r->settled + 1) <= sec)
			c |= C_AF;
	}
	r->settled = sec;
	if (c & r->reg[REG_B] & C_ALL)
		c |= C_IRQF;
	r->reg[REG_C] = c;
	virq_isa(r->d, 8, c & C_IRQF && !vhpet_is_legacy(r->d));
	arm(r, ns);
}

void vrtc_again(struct domain *d)
{
	if (hvm_domain(d)->rtc)
		settle(hvm_domain(d)->rtc);
}

static void fired(void *data)
{
	struct vrtc *r = data;
	struct hvm_domain *hd = hvm_domain(r->d);

	spin_lock(&hd->lock);
	settle(r);
	spin_unlock(&hd->lock);
}

static void write_register(struct vrtc *r, uint8_t val)
{
	switch (r->index) {
	case REG_A:
		r->reg[REG_A] = val & ~A_UIP;
		break;
	case REG_B:
		if (val & B_SET && !(r->reg[REG_B] & B_SET)) {
			show(r, wall(r) / NS_SECOND);
			val &= ~C_UF; /* "SET": it clears UIE */
		}
		if (!(val & B_SET) && r->reg[REG_B] & B_SET) {
			r->reg[REG_B] = val;
			take_over(r);
		}
		r->reg[REG_B] = val;
		break;
	case REG_C:
	case REG_D:
		return;
	case SEC_ALARM:
	case MIN_ALARM:
	case HOUR_ALARM:
		r->reg[r->index] = val;
		break;
	default: /* the time: at once, while the clock goes */
		if (!(r->reg[REG_B] & B_SET))
			show(r, wall(r) / NS_SECOND);
		r->reg[r->index] = val;
		if (!(r->reg[REG_B] & B_SET))
			take_over(r);
		break;
	}
	settle(r);
}

static uint8_t read_register(struct vrtc *r)
{
	uint64_t ns = wall(r);
	bool stands = r->reg[REG_B] & B_SET;
	uint8_t val;

	settle(r);
	switch (r->index) {
	case REG_A:
		val = r->reg[REG_A];
		if (!stands && ns % NS_SECOND >= NS_SECOND - UIP_NS)
			val |= A_UIP;
		return val;
	case REG_C: /* reading it lets the line go */
		val = r->reg[REG_C];
		r->reg[REG_C] = 0;
		settle(r);
		return val;
	case REG_D:
		return D_VRT;
	default:
		if (!stands)
			show(r, ns / NS_SECOND);
		return r->reg[r->index];
	}
}

/* The index is kept for bytes of either; the RAM's are the device model's. */
static bool claims(unsigned int port, unsigned int size, bool write,
		   uint32_t val, void *data)
{
	struct vrtc *r = data;

	if (port & 1)
		return r->index < RTC_CMOS_SIZE;
	if (write && size == 1)
		WRITE_ONCE(r->index, (uint8_t)(val & 0x7f));
	return r->index < RTC_CMOS_SIZE;
}

static void access(struct vcpu *v, unsigned int port, unsigned int size,
		   bool write, uint32_t *val, void *data)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	struct vrtc *r = data;

	if (size != 1 || !(port & 1)) {
		*val = write ? *val : ~0U;
		return;
	}
	spin_lock(&hd->lock);
	/* Another vCPU may have chosen another since. */
	if (r->index >= RTC_CMOS_SIZE)
		*val = write ? *val : ~0U;
	else if (write)
		write_register(r, (uint8_t)*val);
	else
		*val = read_register(r);
	spin_unlock(&hd->lock);
}

int vrtc_init(struct domain *d)
{
	struct vrtc *r = xnew(struct vrtc);

	if (!r)
		return -ENOMEM;
	hvm_domain(d)->rtc = r;
	r->d = d;
	timer_init(&r->timer, fired, r);
	r->reg[REG_A] = 0x26; /* 32768 Hz, 1024 Hz periodic: as a BIOS has it */
	r->reg[REG_B] = B_24;
	r->reg[DAY_OF_MONTH] = r->reg[MONTH] = 1;
	r->settled = (int64_t)(wall(r) / NS_SECOND);
	r->ticks = osc(wall(r));
	return portio_register_some(d, 0x70, 2, claims, access, r);
}

void vrtc_destroy(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (hd->rtc)
		timer_kill(&hd->rtc->timer);
	xfree(hd->rtc);
	hd->rtc = NULL;
}

void vrtc_save(struct domain *d, struct hvm_hw_rtc *out)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vrtc *r = hd->rtc;

	spin_lock(&hd->lock);
	settle(r);
	if (!(r->reg[REG_B] & B_SET))
		show(r, wall(r) / NS_SECOND);
	*out = (struct hvm_hw_rtc){
		.cmos_index = r->index,
		.rtc_offset = r->offset,
	};
	memcpy(out->cmos_data, r->reg, sizeof(r->reg));
	out->cmos_data[REG_D] = D_VRT;
	spin_unlock(&hd->lock);
}

int vrtc_load(struct domain *d, const struct hvm_hw_rtc *in)
{
	struct hvm_domain *hd = hvm_domain(d);
	struct vrtc *r = hd->rtc;

	/* Some 270 years either way: sums in nanoseconds stay in range. */
	if (in->cmos_index > 0x7f || in->rtc_offset > 1L << 33 ||
	    in->rtc_offset < -(1L << 33))
		return -EINVAL;
	spin_lock(&hd->lock);
	memcpy(r->reg, in->cmos_data, sizeof(r->reg));
	r->reg[REG_A] &= ~A_UIP;
	r->index = in->cmos_index;
	r->offset = in->rtc_offset;
	r->settled = (int64_t)(wall(r) / NS_SECOND);
	r->ticks = osc(wall(r));
	settle(r);
	spin_unlock(&hd->lock);
	return 0;
}
