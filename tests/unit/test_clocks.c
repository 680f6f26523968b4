/* SPDX-License-Identifier: MIT */
/*
 * A guest PC's real-time clock and HPET, driven through their ports and
 * registers, on a clock that the test moves.
 */
#include "pc_world.h"

#define SECOND 1000000000L

static uint8_t cmos(uint8_t index)
{
	out(0x70, index);
	return in(0x71);
}
static void set_cmos(uint8_t index, uint8_t val)
{
	out(0x70, index);
	out(0x71, val);
}
static uint64_t hpet_read(unsigned int reg)
{
	uint64_t v = 0;

	hpet(&vcpu, 0xfed00000 + reg, 8, false, &v, hpet_data);
	return v;
}
static void hpet_write(unsigned int reg, uint64_t v)
{
	hpet(&vcpu, 0xfed00000 + reg, 8, true, &v, hpet_data);
}
static uint32_t hpet_half(unsigned int reg)
{
	uint64_t v = 0;

	hpet(&vcpu, 0xfed00000 + reg, 4, false, &v, hpet_data);
	return (uint32_t)v;
}
/* Inputs of the I/O APIC: vectors 0x40 and on, by edge. */
static void open_input(unsigned int gsi, uint32_t flags)
{
	io_write(0x10 + 2 * gsi, (0x40 + gsi) | flags);
}

/* 23:59:58 on February 28th, in a leap year; two seconds later the 29th. */
static void rtc_time(void)
{
	wallclock_sec = 1709164798;
	begin();
	CHECK_EQ(cmos(0), 0x58);
	CHECK_EQ(cmos(2), 0x59);
	CHECK_EQ(cmos(4), 0x23);
	CHECK_EQ(cmos(6), 4); /* a Wednesday */
	CHECK_EQ(cmos(7), 0x28);
	CHECK_EQ(cmos(8), 0x02);
	CHECK_EQ(cmos(9), 0x24);
	CHECK_EQ(cmos(13), 0x80);
	pass(2 * SECOND);
	CHECK_EQ(cmos(4), 0);
	CHECK_EQ(cmos(6), 5);
	CHECK_EQ(cmos(7), 0x29);
	pass(86400 * SECOND);
	CHECK_EQ(cmos(7), 0x01);
	CHECK_EQ(cmos(8), 0x03);
	/* The update flag before the second changes, and not after. */
	clock = 5 * SECOND - 1000;
	CHECK_EQ(cmos(10), 0xa6);
	clock = 5 * SECOND + 1000;
	CHECK_EQ(cmos(10), 0x26);
	end();
	/* The domain's own offset. */
	domain.time_offset = -3600;
	begin();
	CHECK_EQ(cmos(4), 0x22);
	end();
	domain.time_offset = 0;
}

static void rtc_formats(void)
{
	wallclock_sec = 1709164798;
	begin();
	set_cmos(11, 0x06); /* binary, 24 hours */
	CHECK_EQ(cmos(0), 58);
	CHECK_EQ(cmos(4), 23);
	set_cmos(11, 0x00); /* BCD, 12 hours */
	CHECK_EQ(cmos(4), 0x91);
	pass(2 * SECOND);
	CHECK_EQ(cmos(4), 0x12); /* midnight */
	pass(12 * 3600 * SECOND);
	CHECK_EQ(cmos(4), 0x92); /* noon */
	set_cmos(11, 0x04);
	CHECK_EQ(cmos(4), 0x8c);
	end();
}

static void rtc_setting(void)
{
	wallclock_sec = 1709164798;
	begin();
	set_cmos(11, 0x82);
	pass(10 * SECOND);
	CHECK_EQ(cmos(0), 0x58); /* it stands */
	set_cmos(0, 0x30);
	set_cmos(2, 0x15);
	set_cmos(4, 0x07);
	set_cmos(7, 0x31);
	set_cmos(8, 0x12);
	set_cmos(9, 0x99);
	set_cmos(11, 0x02);
	pass(SECOND);
	CHECK_EQ(cmos(0), 0x31);
	CHECK_EQ(cmos(4), 0x07);
	CHECK_EQ(cmos(7), 0x31);
	CHECK_EQ(cmos(9), 0x99);
	/* While it goes, too. */
	set_cmos(4, 0x20);
	pass(SECOND);
	CHECK_EQ(cmos(4), 0x20);
	CHECK_EQ(cmos(0), 0x32);
	/* What is not a register of the clock is not answered. */
	out(0x70, 14);
	CHECK_EQ(in(0x71), 0);
	end();
}

static void rtc_periodic(void)
{
	begin();
	init_pics();
	out(0xa1, 0);
	CHECK_EQ(vpic_highest(&domain), -1);
	set_cmos(10, 0x26); /* 1024 Hz */
	set_cmos(11, 0x42);
	pass(SECOND / 1024 + 40000);
	CHECK_EQ(vpic_highest(&domain), 0x70);
	vpic_ack(&domain, 0x70);
	out(0xa0, 0x20);
	out(0x20, 0x20);
	pass(SECOND / 64);
	CHECK_EQ(vpic_highest(&domain), -1); /* C was not read: no new edge */
	CHECK_EQ(cmos(12) & 0xc0, 0xc0);
	CHECK_EQ(cmos(12), 0);
	pass(SECOND / 1024 + 40000);
	CHECK_EQ(vpic_highest(&domain), 0x70);
	/* The rates: how many in a second, where each is taken at once. */
	for (unsigned int rate = 1; rate < 16; rate++) {
		unsigned int n = 0, hz = rate < 3 ? 256U >> (rate - 1)
						  : 32768U >> (rate - 1);

		set_cmos(10, (uint8_t)(0x20 | rate));
		cmos(12);
		for (unsigned int i = 0; i < 32768; i++) {
			pass(SECOND / 32768);
			n += (cmos(12) & 0x40) != 0;
		}
		CHECK(n + 1 >= hz && n <= hz + 1);
	}
	end();
}

static void rtc_update_and_alarm(void)
{
	wallclock_sec = 1709164798;
	begin();
	init_pics();
	set_cmos(11, 0x12);
	pass(SECOND - 2000);
	CHECK_EQ(vpic_highest(&domain), -1);
	pass(2000);
	CHECK_EQ(vpic_highest(&domain), 0x70);
	CHECK_EQ(cmos(12), 0xd0); /* and the periodic flag, as 1024 Hz */
	set_cmos(11, 0x22);
	set_cmos(1, 0x05);
	set_cmos(3, 0xc0); /* each minute */
	set_cmos(5, 0xff);
	cmos(12);
	pass(6 * SECOND - 2000);
	CHECK_EQ(cmos(12) & 0xa0, 0);
	pass(2000);
	CHECK_EQ(cmos(12) & 0xa0, 0xa0);
	pass(59 * SECOND);
	CHECK_EQ(cmos(12) & 0xa0, 0);
	pass(SECOND);
	CHECK_EQ(cmos(12) & 0xa0, 0xa0);
	set_cmos(3, 0x30);
	set_cmos(5, 0x07);
	pass(7 * 3600 * SECOND);
	CHECK_EQ(cmos(12) & 0x20, 0);
	pass(3600 * SECOND);
	CHECK_EQ(cmos(12) & 0x20, 0x20);
	set_cmos(5, 0x31); /* never */
	pass(3 * 86400 * SECOND);
	CHECK_EQ(cmos(12) & 0x20, 0);
	end();
}

static void hpet_counter(void)
{
	uint64_t c;

	begin();
	CHECK_EQ(hpet_read(0), 16000000UL << 32 | 0x8086a201);
	CHECK_EQ(hpet_half(4), 16000000);
	pass(SECOND);
	CHECK_EQ(hpet_read(0xf0), 0);
	hpet_write(0xf0, 1000);
	hpet_write(0x10, 1);
	pass(SECOND);
	CHECK_EQ(hpet_read(0xf0), 1000 + SECOND / 16);
	hpet_write(0x10, 0);
	pass(SECOND);
	CHECK_EQ(hpet_read(0xf0), 1000 + SECOND / 16);
	c = 0x5;
	hpet(&vcpu, 0xfed000f4, 4, true, &c, hpet_data);
	CHECK_EQ(hpet_read(0xf0), (5UL << 32) + 1000 + SECOND / 16);
	/* Widths and places that are none; a guest without it. */
	hpet(&vcpu, 0xfed000f2, 4, false, &c, hpet_data);
	CHECK_EQ(c, UINT64_MAX);
	/* hvmloader's look at the vendor; a byte. Nothing small is written. */
	hpet(&vcpu, 0xfed00002, 2, false, &c, hpet_data);
	CHECK_EQ(c, 0x8086);
	hpet(&vcpu, 0xfed00001, 1, false, &c, hpet_data);
	CHECK_EQ(c, 0xa2);
	c = 1;
	hpet(&vcpu, 0xfed00010, 2, true, &c, hpet_data);
	CHECK_EQ(hpet_read(0x10), 0);
	hd.params[HVM_PARAM_HPET_ENABLED] = 0;
	CHECK_EQ(hpet_read(0), UINT64_MAX);
	end();
}

static void hpet_oneshot(void)
{
	begin();
	open_input(20, 0);
	hpet_write(0x10, 1);
	hpet_write(0x100, 20 << 9 | 4);
	CHECK_EQ(hpet_read(0x100), 0xf00000UL << 32 | 0x30 | 20 << 9 | 4);
	hpet_write(0x108, hpet_read(0xf0) + 62500); /* a millisecond */
	pass(999000);
	CHECK_EQ(delivered, 0);
	pass(2000);
	CHECK_EQ(delivered, 1);
	CHECK_EQ(last_vector, 0x54);
	pass(1000 * SECOND);
	CHECK_EQ(delivered, 1);
	/* Just missed: at once. Long ago: not. */
	hpet_write(0x108, hpet_read(0xf0) - 100);
	pass(200000);
	CHECK_EQ(delivered, 2);
	hpet_write(0x108, hpet_read(0xf0) - 62500000);
	pass(10 * SECOND);
	CHECK_EQ(delivered, 2);
	/* 32 bits: it comes around. */
	hpet_write(0x100, 20 << 9 | 4 | 0x100);
	hpet_write(0x108, hpet_read(0xf0) + 62500);
	CHECK(hpet_read(0x108) <= UINT32_MAX);
	pass(2000000);
	CHECK_EQ(delivered, 3);
	pass(16L << 32);
	CHECK_EQ(delivered, 4);
	/* An input that it has not. */
	hpet_write(0x100, 3 << 9 | 4);
	hpet_write(0x108, hpet_read(0xf0) + 62500);
	pass(2000000);
	CHECK_EQ(delivered, 4);
	end();
}

static void hpet_periodic(void)
{
	begin();
	open_input(2, 0);
	open_input(8, 0);
	init_pics();
	out(0x43, 0x34); /* the 8254 goes, too, and is silenced */
	out(0x40, 0xa9);
	out(0x40, 0x04);
	set_cmos(11, 0x42);
	hpet_write(0x10, 3);
	hpet_write(0x100, 4 | 8 | 0x40 | 0x100);
	hpet_write(0x108, hpet_read(0xf0) + 62500);
	hpet_write(0x108, 62500);
	pass(10 * SECOND);
	CHECK(delivered >= 9999 && delivered <= 10001);
	CHECK_EQ(last_vector, 0x42);
	CHECK((uint32_t)(hpet_read(0x108) - hpet_read(0xf0)) <= 62500);
	/* The second is the clock's line. */
	hpet_write(0x100, 0);
	delivered = 0;
	hpet_write(0x120, 4);
	hpet_write(0x128, hpet_read(0xf0) + 62500);
	pass(SECOND);
	CHECK_EQ(delivered, 1);
	CHECK_EQ(last_vector, 0x48);
	/* Without replacement the two are back. */
	delivered = 0;
	hpet_write(0x10, 1);
	pass(SECOND / 2);
	CHECK(delivered >= 500);
	end();
}

static void hpet_level(void)
{
	begin();
	open_input(21, 0x8000);
	hpet_write(0x10, 1);
	hpet_write(0x140, 21 << 9 | 4 | 2);
	hpet_write(0x148, hpet_read(0xf0) + 62500);
	pass(2000000);
	CHECK_EQ(delivered, 1);
	CHECK_EQ(hpet_read(0x20), 4);
	vioapic_eoi(&domain, 0x55);
	CHECK_EQ(delivered, 2); /* still up */
	hpet_write(0x20, 3);
	CHECK_EQ(hpet_read(0x20), 4);
	hpet_write(0x20, 4);
	CHECK_EQ(hpet_read(0x20), 0);
	vioapic_eoi(&domain, 0x55);
	CHECK_EQ(delivered, 2);
	end();
}

/* However short a period, our own timer is not asked for more. */
static void storms(void)
{
	unsigned int n = 0;

	begin();
	hpet_write(0x10, 1);
	hpet_write(0x100, 20 << 9 | 4 | 8 | 0x40);
	hpet_write(0x108, hpet_read(0xf0));
	hpet_write(0x108, 1);
	out(0x43, 0x34);
	out(0x40, 1);
	out(0x40, 0);
	for (s_time_t from = clock; clock < from + 10000000; n++) {
		s_time_t next = INT64_MAX;

		for (unsigned int i = 0; i < ARRAY_SIZE(timers); i++)
			if (timers[i].t)
				next = min(next, timers[i].at);
		pass(max(next - clock, 0L));
	}
	CHECK(n <= 300);
	end();
}

static void records(void)
{
	struct hvm_hw_rtc rtc;
	struct hvm_hw_hpet h;

	wallclock_sec = 1709164798;
	begin();
	open_input(20, 0);
	set_cmos(4, 0x07);
	hpet_write(0x10, 1);
	hpet_write(0x100, 20 << 9 | 4);
	hpet_write(0x108, hpet_read(0xf0) + 62500);
	vrtc_save(&domain, &rtc);
	vhpet_save(&domain, &h);
	CHECK_EQ(rtc.cmos_data[4], 0x07);
	end();
	begin();
	open_input(20, 0);
	CHECK_EQ(vrtc_load(&domain, &rtc), 0);
	CHECK_EQ(vhpet_load(&domain, &h), 0);
	CHECK_EQ(cmos(4), 0x07);
	pass(2000000);
	CHECK_EQ(delivered, 1); /* the timer that waited */
	rtc.cmos_index = 0x80;
	CHECK_EQ(vrtc_load(&domain, &rtc), -EINVAL);
	rtc.cmos_index = 0;
	rtc.rtc_offset = INT64_MIN;
	CHECK_EQ(vrtc_load(&domain, &rtc), -EINVAL);
	h.capability ^= 1UL << 40;
	CHECK_EQ(vhpet_load(&domain, &h), -EINVAL);
	end();
}

/* Any register, any value, any time: nothing that ASan or UBSan would see. */
static void anything(void)
{
	unsigned long seed = 12345;

	begin();
	init_pics();
	for (unsigned int i = 0; i < 300000; i++) {
		uint64_t v;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		v = seed >> 16 & BIT(20) ? seed >> 40 : seed * 31;
		switch (seed >> 33 & 3) {
		case 0:
			set_cmos(seed >> 50 & 15, (uint8_t)v);
			break;
		case 1:
			cmos(seed >> 50 & 15);
			break;
		case 2:
			hpet(&vcpu, 0xfed00000 + (seed >> 50 & 0x17f),
			     seed & BIT(30) ? 4 : 8, true, &v, hpet_data);
			break;
		default:
			hpet(&vcpu, 0xfed00000 + (seed >> 50 & 0x17f),
			     seed & BIT(30) ? 4 : 8, false, &v, hpet_data);
			break;
		}
		if (vpic_highest(&domain) >= 0)
			vpic_ack(&domain, (uint8_t)vpic_highest(&domain));
		pass((s_time_t)(seed >> 20 & 0x3ffff));
	}
	end();
}

static const struct test_case cases[] = {
	{"clock: the time", rtc_time},
	{"clock: how it is written", rtc_formats},
	{"clock: set", rtc_setting},
	{"clock: the periodic interrupt", rtc_periodic},
	{"clock: updates and alarms", rtc_update_and_alarm},
	{"HPET: the counter", hpet_counter},
	{"HPET: one-shot timers", hpet_oneshot},
	{"HPET: periodic, in the old timers' place", hpet_periodic},
	{"HPET: level-triggered", hpet_level},
	{"no storm of timers", storms},
	{"records", records},
	{"random accesses", anything},
};

int main(void)
{
	return run_cases(cases, ARRAY_SIZE(cases));
}
