/* SPDX-License-Identifier: MIT */
/* The Unix socket transport. */
#ifndef OSTLER_XENSTORE_SOCK_H
#define OSTLER_XENSTORE_SOCK_H

struct conn;

/* Listens at @path; 0 or an errno. */
int sock_listen(const char *path);
/* Takes over a listening descriptor; 0 or an errno. */
int sock_adopt_listener(int fd);
int sock_listener(void);

/* A connection on @fd, which becomes its own; NULL with errno. */
struct conn *sock_conn(int fd);

#endif
