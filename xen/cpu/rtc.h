/* SPDX-License-Identifier: MIT */
#ifndef OSTLER_CPU_RTC_H
#define OSTLER_CPU_RTC_H

#include "lib/types.h"

/* Seconds since 1970, from the CMOS clock taken as UTC; 0: there is none. */
uint64_t rtc_read(void);
/* Seconds since 1970 of a date of the Gregorian calendar. */
uint64_t date_to_seconds(unsigned int year, unsigned int month,
			 unsigned int day, unsigned int hour,
			 unsigned int minute, unsigned int second);

#endif
