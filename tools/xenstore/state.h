/* SPDX-License-Identifier: MIT */
/* Live update: the daemon's whole state in a file, for its successor. */
#ifndef OSTLER_XENSTORE_STATE_H
#define OSTLER_XENSTORE_STATE_H

struct request;

/* The daemon's own command line, which the next one gets unless told. */
void live_update_args(int argc, char **argv);

/*
 * One step of "xenstore-control live-update": NULL when the request was or
 * will be answered, else what is wrong, in words.
 */
const char *live_update(struct request *r, char **v, unsigned int n);

/*
 * After a round: does the update that was asked for, if any. True if it failed,
 * and the answer waits to be sent.
 */
bool live_update_run(void);

/* Takes over the state in @fd; NULL or what is wrong with it. */
const char *state_restore(int fd);

#endif
