/* SPDX-License-Identifier: MIT */
/* xl block-attach, block-detach, block-list: disks of a running domain. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "devcmds.h"
#include "disk.h"
#include "domjson.h"
#include "host.h"

static int attach(uint32_t domid, const char *spec)
{
	struct arena a = {NULL};
	struct spec_error e;
	struct disk_spec d;
	struct json j;
	enum dom_type type = domain_type(domid);
	char *there;
	int rc = XL_FAIL;

	if (!disk_parse(&a, spec, &d, &e)) {
		spec_complain(spec, &e);
		arena_free(&a);
		return XL_FAIL;
	}
	there = host_read("/libxl/%u/device/vbd/%u/backend", domid, d.devid);
	if (there) {
		xl_fail("domain %u has a disk %s already", domid, d.vdev);
	} else if (xl_globals.dryrun) {
		printf("disk: ");
		json_start(&j, stdout);
		domjson_disk(&j, &d);
		json_end(&j);
		rc = XL_OK;
	} else if (disk_prepare(&d, type) && disk_attach(domid, &d, type)) {
		keep_addition(domid, "disk", spec);
		rc = XL_OK;
	}
	free(there);
	arena_free(&a);
	return rc;
}

static int run_attach(const struct xl_cmd *cmd, int argc, char **argv)
{
	return run_device_attach(cmd, argc, argv, 2, attach);
}

const struct xl_cmd cmd_block_attach = {
	.name = "block-attach",
	.usage = "<Domain> <disk-spec-component(s)>...",
	.summary = "Create a new virtual block device",
	.run = run_attach,
	.changes = true,
	.dryrun = true,
};

static int run_detach(const struct xl_cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {{"force", 0, NULL, 'f'},
					      {"help", 0, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	struct device dev;
	unsigned int disk;
	uint32_t domid, devid;
	bool force = false;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "f", longs, 2)) != -1)
		force |= opt == 'f';
	domid = host_need(argv[optind]);
	if (!vdev_parse(argv[optind + 1], &devid, &disk))
		return xl_fail("expected a disk such as xvda or 51712; found "
			       "'%s'",
			       argv[optind + 1]);
	if (!find_device(domid, "vbd", devid, &dev)) {
		fprintf(stderr, "Error: Device %s not connected.\n",
			argv[optind + 1]);
		return XL_FAIL;
	}
	if (dev_remove(&dev, 1, force) && !force)
		return xl_fail("the guest does not release the disk: is it in "
			       "use there? -f takes it away all the same");
	keep_removal(domid, "disk", devid);
	return XL_OK;
}

const struct xl_cmd cmd_block_detach = {
	.name = "block-detach",
	.usage = "[option] <Domain> <DevId>",
	.summary = "Destroy a domain's virtual block device",
	.options = "-f, --force        do not wait for the domain to release "
		   "the device",
	.run = run_detach,
	.changes = true,
};

/* ---- listing ---- */

static void json_disk(struct json *j, const struct device *d, const char *path)
{
	static const char *const texts[] = {"dev", "params", "mode", "type",
					    "device-type"};
	static const char *const names[] = {"vdev", "params", "mode",
					    "backend_type", "device_type"};

	json_object(j, NULL);
	json_uint(j, "domid", d->domid);
	json_uint(j, "devid", d->devid);
	json_uint(j, "backend_domid", d->backend_domid);
	json_int(j, "state", device_number(d, "state"));
	json_int(j, "event_channel", device_number(d, "event-channel"));
	json_int(j, "ring_ref", device_number(d, "ring-ref"));
	json_string(j, "backend", path);
	for (unsigned int i = 0; i < ARRAY_SIZE(texts); i++) {
		char *s = dev_fact_read(d, texts[i]);

		json_string(j, names[i], s);
		free(s);
	}
	json_object_end(j);
}

static void list_disk(struct json *j, const struct device *d)
{
	char path[128];

	dev_backend_path(d, path, sizeof(path));
	if (j)
		json_disk(j, d, path);
	else
		printf("%-5u %-3u %-6u %-5ld %-6ld %-8ld %-30s\n", d->devid,
		       d->backend_domid, d->domid, device_number(d, "state"),
		       device_number(d, "event-channel"),
		       device_number(d, "ring-ref"), path);
}

static int run_list(const struct xl_cmd *cmd, int argc, char **argv)
{
	char header[80];

	snprintf(header, sizeof(header), "%-5s %-3s %-6s %-5s %-6s %-8s %-30s",
		 "Vdev", "BE", "handle", "state", "evt-ch", "ring-ref",
		 "BE-path");
	return run_device_list(cmd, argc, argv, "vbd", header, list_disk);
}

const struct xl_cmd cmd_block_list = {
	.name = "block-list",
	.usage = "<Domain(s)>",
	.summary = "List virtual block devices for a domain",
	.options = "--json             Facts as JSON",
	.run = run_list,
};
