/* SPDX-License-Identifier: MIT */
/* Requests: the table of them, and what their handlers share. */
#ifndef OSTLER_XENSTORE_REQUEST_H
#define OSTLER_XENSTORE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xen/io/xs_wire.h>

struct conn;
struct debt;
struct trans;
struct view;

struct request {
	struct conn *c;
	struct xsd_sockmsg hdr;
	char *body;      /* hdr.len bytes and a nul */
	struct trans *t; /* NULL: none */
	struct view *v;  /* the transaction's, or the store */
	struct debt *debt;
	bool answered;
};

/*
 * Handles one message of @c, replies included; false if it has to wait (the
 * connection was put aside) and is to be given again.
 */
bool request_handle(struct conn *c, const struct xsd_sockmsg *hdr, char *body);

/* Reply helpers: a body to fill, a copy, "OK". Over-long ones become E2BIG. */
char *reply_buf(struct request *r, size_t len);
void reply(struct request *r, const void *data, size_t len);
void reply_string(struct request *r, const char *s);
void reply_ok(struct request *r);

/* The one string that the body is, or NULL. */
const char *request_arg(const struct request *r);

/*
 * Strings of the body, the first @max of which go to @vec; their number (all
 * of them). Bytes after the last nul are left out.
 */
unsigned int request_strings(const struct request *r, char **vec,
			     unsigned int max);

/* "123" as a domain id; -1 if it is none. */
int request_domid(const char *s);

/* A request by its number; NULL if there is none. */
const char *request_name(uint32_t type);

/* Handlers: 0, or an errno to reply with. */
typedef int request_fn(struct request *r);
request_fn req_directory, req_directory_part, req_read, req_write, req_mkdir,
	req_rm, req_get_perms, req_set_perms;
request_fn req_watch, req_unwatch, req_reset_watches;
request_fn req_transaction_start, req_transaction_end;
request_fn req_introduce, req_release, req_resume, req_set_target,
	req_get_domain_path, req_is_domain_introduced;
request_fn req_control;

#endif
