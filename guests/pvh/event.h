/* SPDX-License-Identifier: MIT */
/* event.c's, for the kinds' own event_init(). */
#ifndef OSTLER_GUEST_EVENT_H
#define OSTLER_GUEST_EVENT_H

#include "guest.h"

void event_upcall(struct trap_frame *f);

#endif
