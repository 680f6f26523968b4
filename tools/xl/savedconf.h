/* SPDX-License-Identifier: MIT */
/*
 * What is kept about a running domain, in files beside the stock toolstack's:
 * its configuration as text (for a restart, config-update) and as libxl's JSON
 * (for every tool that lists it).
 */
#ifndef OSTLER_XL_SAVEDCONF_H
#define OSTLER_XL_SAVEDCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAVED_TEXT "xl"
#define SAVED_JSON "libxl-json"

/* Writes a file whole or not at all. On failure errno says why. */
bool saved_store(uint32_t domid, const uint8_t uuid[16], const char *kind,
		 const char *data, size_t len);
/* As a malloced string; NULL if there is none. */
char *saved_load(uint32_t domid, const uint8_t uuid[16], const char *kind);
/* Everything kept for a domain; no matter if there is nothing. */
void saved_remove(uint32_t domid, const uint8_t uuid[16]);

#endif
