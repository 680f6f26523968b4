/* SPDX-License-Identifier: MIT */
/* Writes JSON as it goes, indented; commas and quoting are its matter. */
#ifndef OSTLER_XL_JSON_H
#define OSTLER_XL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned int depth;
	bool first; /* nothing yet at this depth */
};

void json_start(struct json *j, FILE *out);
void json_end(struct json *j); /* a line end */

/* key is NULL within an array and at the top. */
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_string(struct json *j, const char *key, const char *s);
void json_int(struct json *j, const char *key, int64_t n);
void json_uint(struct json *j, const char *key, uint64_t n);
void json_double(struct json *j, const char *key, double n);
void json_bool(struct json *j, const char *key, bool b);
void json_null(struct json *j, const char *key);

#endif
