/* SPDX-License-Identifier: MIT */
/*
 * xl channel-list, vkb-list, vtpm-list, vdispl-list, vsnd-list, usb-list,
 * pci-list, pci-assignable-list. Only a keyboard comes with our guests (vfb=);
 * the others list what another toolstack's guests have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "devcmds.h"
#include "host.h"

static void json_device(struct json *j, const struct device *d,
			const char *path)
{
	json_object(j, NULL);
	json_uint(j, "domid", d->domid);
	json_uint(j, "devid", d->devid);
	json_uint(j, "backend_domid", d->backend_domid);
	json_int(j, "state", device_number(d, "state"));
	json_string(j, "backend", path);
	json_object_end(j);
}

static void list_vkb(struct json *j, const struct device *d)
{
	char path[128];

	dev_backend_path(d, path, sizeof(path));
	if (j)
		json_device(j, d, path);
	else
		printf("%-3u %-2u %6u %5ld %6ld %6ld %-10s %-10s %-30s\n",
		       d->devid, d->backend_domid, d->devid,
		       device_number(d, "state"),
		       device_number(d, "event-channel"),
		       device_number(d, "page-gref"), "", "qemu", path);
}

static int run_vkb(const struct xl_cmd *cmd, int argc, char **argv)
{
	return run_device_list(cmd, argc, argv, "vkbd",
			       "Idx BE handle state evt-ch    ref ID         "
			       "BE-type    BE-path                       ",
			       list_vkb);
}

const struct xl_cmd cmd_vkb_list = {
	.name = "vkb-list",
	.usage = "<Domain(s)>",
	.summary = "List virtual keyboard devices for a domain",
	.options = "--json             Facts as JSON",
	.run = run_vkb,
};

/* Of devices that we do not make: what every device has. */
static void list_plain(struct json *j, const struct device *d)
{
	char path[128];

	dev_backend_path(d, path, sizeof(path));
	if (j)
		json_device(j, d, path);
	else
		printf("%-3u %-2u %5ld %-30s\n", d->devid, d->backend_domid,
		       device_number(d, "state"), path);
}

#define LIST(id, word, doc, kind, header)                                      \
	static int run_##id(const struct xl_cmd *cmd, int argc, char **argv)   \
	{                                                                      \
		return run_device_list(cmd, argc, argv, kind, header,          \
				       list_plain);                            \
	}                                                                      \
	const struct xl_cmd cmd_##id = {                                       \
		.name = word,                                                  \
		.usage = "<Domain(s)>",                                        \
		.summary = doc,                                                \
		.options = "--json             Facts as JSON",                 \
		.run = run_##id,                                               \
	};

LIST(channel_list, "channel-list", "List virtual channel devices for a domain",
     "channel",
     "Idx BE state evt-ch ring-ref connection                               ")
LIST(vtpm_list, "vtpm-list", "List virtual TPM devices for a domain", "vtpm",
     "Idx BE Uuid                                 handle state evt-ch "
     "ring-ref BE-path   ")
LIST(vdispl_list, "vdispl-list", "List virtual display devices for a domain",
     "vdispl", NULL)
LIST(vsnd_list, "vsnd-list", "List virtual display devices for a domain",
     "vsnd", NULL)
LIST(usb_list, "usb-list",
     "List information about all USB controllers and devices for a domain",
     "vusb", NULL)

static void empty_list(bool json)
{
	struct json j;

	if (!json)
		return;
	json_start(&j, stdout);
	json_array(&j, NULL);
	json_array_end(&j);
	json_end(&j);
}

/* No guest of ours has any. */
static int run_pci(const struct xl_cmd *cmd, int argc, char **argv)
{
	bool json = xl_wants_json(cmd, argc, argv, 1);

	host_need(argv[optind]);
	empty_list(json);
	return XL_OK;
}

const struct xl_cmd cmd_pci_list = {
	.name = "pci-list",
	.usage = "<Domain>",
	.summary = "List pass-through pci devices for a domain",
	.options = "--json             Facts as JSON",
	.run = run_pci,
};

static int run_assignable(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {{"show-names", 0, NULL, 'n'},
					      {"json", 0, NULL, 'j'},
					      {"help", 0, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	bool json = false;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "n", longs, 0)) != -1)
		json |= opt == 'j';
	host_xc();
	empty_list(json);
	return XL_OK;
}

const struct xl_cmd cmd_pci_assignable_list = {
	.name = "pci-assignable-list",
	.usage = "[options]",
	.summary = "List all the assignable pci devices",
	.options = "-n, --show-names        Display assignable device names "
		   "where\n"
		   "                        supplied.\n"
		   "--json                  Facts as JSON",
	.run = run_assignable,
};
