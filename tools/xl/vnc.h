/* SPDX-License-Identifier: MIT */
/* Starting a VNC viewer on a domain's screen. */
#ifndef OSTLER_XL_VNC_H
#define OSTLER_XL_VNC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Runs vncviewer; with replace in place of this program, else beside it. The
 * password, if there is one, goes to its standard input when asked for.
 */
int vnc_viewer(uint32_t domid, bool password, bool replace);

#endif
