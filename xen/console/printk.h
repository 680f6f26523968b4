/* SPDX-License-Identifier: MIT */
/*
 * Messages. printk() goes to every console that console= names and to the ring
 * that XEN_SYSCTL_readconsole ("xl dmesg") reads, prefixed "(XEN) " as users of
 * Xen expect. Callable from any context; takes LOCK_CONSOLE.
 */
#ifndef OSTLER_CONSOLE_PRINTK_H
#define OSTLER_CONSOLE_PRINTK_H

#include "lib/types.h"

/* Levels of loglvl= and guest_loglvl=; a message's first byte, like Xen's. */
#define XENLOG_ERR     "<0>"
#define XENLOG_WARNING "<1>"
#define XENLOG_INFO    "<2>"
#define XENLOG_DEBUG   "<3>"
#define XENLOG_GUEST                                                           \
	"<G>" /* put before the level: about a guest, rate limited */

void printk(const char *fmt, ...) __printf(1, 2);

/* Whether a message of that level (0 … 3) about a guest would be shown. */
bool printk_guest_wanted(unsigned int level);

/* Ends the machine: message, registers, stack; reboots unless noreboot. */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;

#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)
#define BUG_ON(cond)                                                           \
	do {                                                                   \
		if (unlikely(cond))                                            \
			panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond);  \
	} while (0)
#ifdef OSTLER_DEBUG
#define ASSERT(cond) BUG_ON(!(cond))
#else
#define ASSERT(cond)                                                           \
	do {                                                                   \
		if (0 && (cond)) {                                             \
		}                                                              \
	} while (0)
#endif
#define WARN_ON(cond)                                                          \
	({                                                                     \
		bool w_ = (cond);                                              \
		if (unlikely(w_))                                              \
			printk(XENLOG_WARNING "WARN at %s:%d: %s\n", __FILE__, \
			       __LINE__, #cond);                               \
		unlikely(w_);                                                  \
	})

#endif
