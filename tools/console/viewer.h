/* SPDX-License-Identifier: MIT */
/* Who looks at a console: its pseudoterminal, and clients of its socket. */
#ifndef OSTLER_CONSOLE_VIEWER_H
#define OSTLER_CONSOLE_VIEWER_H

#include "console.h"

void viewers_init(struct console *c);
/* Makes both and names the terminal in the store; false: errno. */
bool viewers_open(struct console *c);
void viewers_close(struct console *c);
/* Passes on what there is, to each as much as it takes. */
void viewers_flush(struct console *c);

#endif
