/* SPDX-License-Identifier: MIT */
/* What the commands about devices share (devcmds.c has it). */
#ifndef OSTLER_XL_DEVCMDS_H
#define OSTLER_XL_DEVCMDS_H

#include "device.h"
#include "domconf.h"
#include "json.h"
#include "spec.h"
#include "xl.h"

enum dom_type domain_type(uint32_t domid);
void spec_complain(const char *spec, const struct spec_error *e);
/* Adds a device to what is kept of a domain, for its restart; removes one. */
void keep_addition(uint32_t domid, const char *key, const char *spec);
void keep_removal(uint32_t domid, const char *key, uint32_t devid);
/* One device by its kind and number; false if there is none. */
bool find_device(uint32_t domid, const char *kind, uint32_t devid,
		 struct device *out);
/* A number of the front end's, -1 if it is not there. */
long device_number(const struct device *d, const char *name);
/* "block-attach", "network-attach": the words after the domain, joined with
 * commas, are what attach is called with; least counts the domain too. */
int run_device_attach(const struct xl_cmd *cmd, int argc, char **argv,
		      int least,
		      int (*attach)(uint32_t domid, const char *spec));
/* "block-list", "network-list": a line, or an object, for each device; header
 * may be NULL. */
int run_device_list(const struct xl_cmd *cmd, int argc, char **argv,
		    const char *kind, const char *header,
		    void (*each)(struct json *j, const struct device *d));

#endif
