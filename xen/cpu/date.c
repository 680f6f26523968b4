/* SPDX-License-Identifier: MIT */
/* Dates of the Gregorian calendar as seconds since 1970. */
#include "cpu/rtc.h"

/* Days since the start of March of year 0, so that the leap day comes last. */
static uint64_t days_of(unsigned int year, unsigned int month, unsigned int day)
{
	uint64_t y = month > 2 ? year : year - 1;
	uint64_t m = month > 2 ? month - 3 : month + 9;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day;
}

uint64_t date_to_seconds(unsigned int year, unsigned int month,
			 unsigned int day, unsigned int hour,
			 unsigned int minute, unsigned int second)
{
	uint64_t days = days_of(year, month, day) - days_of(1970, 1, 1);

	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}
