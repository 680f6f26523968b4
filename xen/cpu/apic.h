/* SPDX-License-Identifier: MIT */
/* The local APIC: by memory (xAPIC) or by MSR (x2APIC). */
#ifndef OSTLER_CPU_APIC_H
#define OSTLER_CPU_APIC_H

#include "lib/types.h"

extern bool x2apic_on;

uint32_t apic_id(void);
void apic_eoi(void);
/* An interrupt to the CPU with that APIC ID; waits until it is sent. */
void apic_send_ipi(uint32_t dest, uint8_t vector);
void apic_send_nmi(uint32_t dest);
void apic_send_init(uint32_t dest);
void apic_send_startup(uint32_t dest, uint8_t page);
/* One VECTOR_TIMER interrupt at system time t (at once if past). */
void apic_timer_arm(s_time_t t);

#endif
