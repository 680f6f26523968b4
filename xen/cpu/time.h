/* SPDX-License-Identifier: MIT */
/*
 * Time. System time is nanoseconds since start, from the TSC, the same on every
 * CPU; pvclock pages give guests the same arithmetic (public/xen.h,
 * struct vcpu_time_info).
 */
#ifndef OSTLER_CPU_TIME_H
#define OSTLER_CPU_TIME_H

#include "lib/list.h"
#include "lib/types.h"

#define MICROSECS(n) ((s_time_t)(n)*1000)
#define MILLISECS(n) ((s_time_t)(n)*1000000)
#define SECONDS(n)   ((s_time_t)(n)*1000000000)

s_time_t now(void);
/* TSC ticks a millisecond, and the pair that scales a TSC difference to ns. */
extern uint64_t tsc_khz;
extern uint32_t tsc_mul;
extern int8_t tsc_shift;
/* System time at TSC value tsc. */
s_time_t tsc_to_system(uint64_t tsc);
uint64_t system_to_tsc(s_time_t t);
/* Wall-clock: seconds and nanoseconds since 1970 at system time zero. */
extern uint64_t wallclock_sec;
extern uint32_t wallclock_nsec;
/* Sets what the wall clock is at system time t (XENPF_settime64). */
void wallclock_set(uint64_t sec, uint32_t nsec, s_time_t t);

void udelay(unsigned int us);

/*
 * The arithmetic of pvclock: (delta << shift) * mul >> 32, shift negative for
 * right. time_scale() gives the pair for a clock of khz ticks a millisecond.
 */
void time_scale(uint64_t khz, uint32_t *mul, int8_t *shift);
/* … for any ratio: result = delta * num / den; both > 0, num / den < 2^31. */
void scale_ratio(uint64_t num, uint64_t den, uint32_t *mul, int8_t *shift);
static inline uint64_t scale_ticks(uint64_t delta, uint32_t mul, int8_t shift)
{
	delta = shift < 0 ? delta >> -shift : delta << shift;
	return (uint64_t)((unsigned __int128)delta * mul >> 32);
}
/* Undoes scale_ticks() with a pair of the two above, rounding down. */
uint64_t unscale_ticks(uint64_t ticks, uint32_t mul, int8_t shift);
/* Where system time starts: now() is scale_ticks(rdtsc() - tsc_base, …). */
extern uint64_t tsc_base;
/* What the TSC was calibrated with, for the boot messages. */
extern const char *tsc_source;

/*
 * One-shot timers, on the CPU that sets them, run from SOFTIRQ_TIMER with
 * interrupts on and no lock held. A timer may set itself again. They stand in a
 * pairing heap a CPU, so that setting one allocates nothing.
 */
struct timer {
	s_time_t expires;
	void (*fn)(void *data);
	void *data;
	uint16_t cpu; /* whose heap; changed with busy held */
	bool queued;  /* in the heap; guarded by the heap's lock */
	bool killed;
	uint32_t busy; /* one CPU at a time changes it */
	struct timer *child, *next, **link;
};
void timer_init(struct timer *t, void (*fn)(void *), void *data);
/* (Re)arms the timer on this CPU. Past times fire at once. Any context. */
void timer_set(struct timer *t, s_time_t expires);
/* Disarms it, on whichever CPU it is; fn may be running but not start later. */
void timer_stop(struct timer *t);
/* The same, and waits for fn to end. Not from fn itself. The timer cannot be
 * set again before timer_init(). */
void timer_kill(struct timer *t);
bool timer_active(const struct timer *t);

#endif
