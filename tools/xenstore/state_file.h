/* SPDX-License-Identifier: MIT */
/* The bytes of a state dump: numbers, strings, numbered objects, a check. */
#ifndef OSTLER_XENSTORE_STATE_FILE_H
#define OSTLER_XENSTORE_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "hash.h"

enum { OBJ_NONE, OBJ_SINGLE, OBJ_SHARED, OBJ_AGAIN };
/* Exit status of --check-state: not what any other program ends with. */
#define STATE_ACCEPTED 42

enum { CONN_END, CONN_SOCKET, CONN_RING };

struct state_out {
	FILE *f;
	struct htab ids; /* of objects written */
	uint32_t last_id;
	uint64_t bytes;
};

int state_out_start(struct state_out *o, int fd);
int state_out_end(struct state_out *o); /* 0 or an errno */

void put_bytes(struct state_out *o, const void *p, size_t len);
void put_u32(struct state_out *o, uint32_t v);
void put_u64(struct state_out *o, uint64_t v);
void put_string(struct state_out *o, const char *s);
/* False: it was written before, and a reference to that was written now. */
bool put_object(struct state_out *o, const void *p, uint32_t refs);

struct state_object {
	void *p;
	unsigned int kind;
};

struct state_in {
	const char *p, *end, *map;
	size_t size;
	struct state_object *objects;
	uint32_t n_objects;
	size_t path;       /* bytes of the path that is being read */
	const char *wrong; /* the first thing that was */
};

/* Maps and checks the file; NULL or what is wrong. */
const char *state_in_start(struct state_in *i, int fd);
void state_in_end(struct state_in *i);
void state_bad(struct state_in *i, const char *what);

/* After something went wrong these give zeros. */
void get_bytes(struct state_in *i, void *p, size_t len);
uint32_t get_u32(struct state_in *i);
uint64_t get_u64(struct state_in *i);
void get_string(struct state_in *i, char *buf, size_t size);
const void *get_span(struct state_in *i, size_t len);
/* True: *@p is an object read before, or NULL. Else read it, then say so. @kind
 * is the caller's, and not 0: a number is for one kind of objects. */
bool get_object(struct state_in *i, unsigned int kind, uint32_t *id, void **p);
void state_object(struct state_in *i, unsigned int kind, uint32_t id, void *p);

/* A file with the whole state, for a successor: a descriptor or -errno. */
int state_save(void);

#endif
