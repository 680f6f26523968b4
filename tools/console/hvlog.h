/* SPDX-License-Identifier: MIT */
/* The hypervisor's own console, into its log. */
#ifndef OSTLER_CONSOLE_HVLOG_H
#define OSTLER_CONSOLE_HVLOG_H

#include <stdbool.h>
#include <xenevtchn.h>

bool hvlog_open(void);
void hvlog_close(void);
void hvlog_reopen(void);
/* Its event's port, -1 if it is not logged. */
xenevtchn_port_or_error_t hvlog_port(void);
void hvlog_event(void);

#endif
