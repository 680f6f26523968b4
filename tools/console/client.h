/* SPDX-License-Identifier: MIT */
/* The console client: a terminal joined to a guest's console. */
#ifndef OSTLER_CONSOLE_CLIENT_H
#define OSTLER_CONSOLE_CLIENT_H

#include <stdint.h>

struct xs_handle;

/*
 * Joins standard input and output to a console until the escape (^]), the end
 * of input, or of the domain. type is "pv" or "serial", NULL for "pv". Returns
 * an exit status: 0, or 1 after saying why.
 */
int console_client(struct xs_handle *xs, uint32_t domid, const char *type,
		   unsigned int num);

/* The character that leaves: 0 for none. ^] unless set otherwise. */
void console_set_escape(int ch);

/*
 * Where xenconsoled serves a console to several viewers at once, as a Unix
 * socket; the pseudoterminal named in the store serves one.
 */
#define CONSOLE_SOCKET_FORMAT "/var/run/xen/console-%u.%u"

#endif
