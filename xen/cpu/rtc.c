/* SPDX-License-Identifier: MIT */
/*
 * The CMOS clock (MC146818). It is read twice until both readings agree, so
 * that no update came in between. It is good to a second; dom0 sets the wall
 * clock better later (XENPF_settime64).
 */
#include "cpu/rtc.h"
#include "cpu/acpi.h"
#include "cpu/cpu.h"
#include "lib/string.h"

#define RTC_A          0x0a
#define RTC_A_UPDATING BIT(7)
#define RTC_B          0x0b
#define RTC_B_24H      BIT(1)
#define RTC_B_BINARY   BIT(2)
#define RTC_HOUR_PM    BIT(7)

struct rtc_time {
	uint8_t second, minute, hour, day, month, year, century;
};

static uint8_t cmos_read(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static bool wait_update(void)
{
	for (unsigned int i = 0; i < 10000; i++)
		if (!(cmos_read(RTC_A) & RTC_A_UPDATING))
			return true;
	return false;
}

static void read_raw(struct rtc_time *t)
{
	t->second = cmos_read(0);
	t->minute = cmos_read(2);
	t->hour = cmos_read(4);
	t->day = cmos_read(7);
	t->month = cmos_read(8);
	t->year = cmos_read(9);
	t->century = acpi_info.century ? cmos_read(acpi_info.century) : 0;
}

static uint8_t from_bcd(uint8_t v)
{
	return (uint8_t)((v >> 4) * 10 + (v & 15));
}

static void decode(struct rtc_time *t, uint8_t b)
{
	bool pm = !(b & RTC_B_24H) && (t->hour & RTC_HOUR_PM);
	uint8_t *field = &t->second;

	if (!(b & RTC_B_24H))
		t->hour &= (uint8_t)~RTC_HOUR_PM;
	if (!(b & RTC_B_BINARY))
		for (unsigned int i = 0; i < sizeof(*t); i++)
			field[i] = from_bcd(field[i]);
	if (!(b & RTC_B_24H))
		t->hour = (uint8_t)(t->hour % 12 + (pm ? 12 : 0));
}

uint64_t rtc_read(void)
{
	struct rtc_time a, b;
	unsigned int year, tries = 0;

	do {
		if (!wait_update() || tries++ > 10)
			return 0;
		read_raw(&a);
		read_raw(&b);
	} while (memcmp(&a, &b, sizeof(a)));
	decode(&a, cmos_read(RTC_B));
	if (a.month < 1 || a.month > 12 || a.day < 1 || a.day > 31 ||
	    a.hour > 23 || a.minute > 59 || a.second > 60 || a.year > 99)
		return 0;
	year = a.year + (a.century >= 19 && a.century < 40 ? a.century * 100U
			 : a.year < 70                     ? 2000
							   : 1900);
	return date_to_seconds(year, a.month, a.day, a.hour, a.minute,
			       a.second);
}
