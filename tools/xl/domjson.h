/* SPDX-License-Identifier: MIT */
/*
 * A domain's configuration as JSON, in the form that the stock toolstack keeps
 * and prints (libxl's domain_config), so that its tools read ours.
 */
#ifndef OSTLER_XL_DOMJSON_H
#define OSTLER_XL_DOMJSON_H

#include "domconf.h"
#include "host.h"
#include "json.h"

/* The members of a domain_config, within an object that the caller opens. */
void domjson_config(struct json *j, struct domain_config *dc);
/* A disk or an interface of it. */
void domjson_disk(struct json *j, const struct disk_spec *d);
void domjson_nic(struct json *j, const struct vif_spec *v);
/* One entry of "xl list -l": from what is kept, else from what is known. */
void domjson_print(struct json *j, const struct dom_info *d);

#endif
