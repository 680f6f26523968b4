/* SPDX-License-Identifier: MIT */
/*
 * The consoles: where characters go and come from, and the ring that "xl dmesg"
 * reads. printk.h is what most code needs.
 */
#ifndef OSTLER_CONSOLE_CONSOLE_H
#define OSTLER_CONSOLE_CONSOLE_H

#include "lib/types.h"

/* Opens what console= names, and shows what was printed before. Options have
 * been parsed. */
void console_init(void);
/* The screen that screen_find() found, if console= names it: what was printed
 * so far, and what follows, until it is domain 0's. */
void console_init_screen(void);
void console_release_screen(void);
/* Text as it is, no prefix, not into the ring: dom0's own console output. */
void console_write(const char *text, size_t n);
/* panic() takes the console from whoever holds it. */
void console_force_unlock(void);

/*
 * The ring. An index counts characters ever written (mod 2^32).
 * console_ring_read() copies from *index on, or from the oldest character kept
 * if that one is gone; moves *index; returns the number of characters.
 */
size_t console_ring_read(uint32_t *index, char *dst, size_t n);
/* The oldest index since the last clear. */
uint32_t console_ring_start(void);
/* Forgets everything before index. */
void console_ring_clear(uint32_t index);

/* A nanosecond clock for rate limits, once there is one. */
extern s_time_t (*console_clock)(void);

/*
 * Input. Characters go to dom0 (console_read(), after *console_input_notify),
 * until three Ctrl-A in a row switch to the hypervisor's own keys
 * (*console_key); three more switch back. Called with interrupts off.
 */
void console_receive(char c);
size_t console_read(char *dst, size_t n);
extern void (*console_input_notify)(void);
extern void (*console_key)(char c);

#endif
