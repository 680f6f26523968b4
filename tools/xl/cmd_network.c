/* SPDX-License-Identifier: MIT */
/* xl network-attach, network-detach, network-list. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "devcmds.h"
#include "domjson.h"
#include "host.h"
#include "loadconf.h"
#include "vif.h"

/* What is kept names the address, so that a restart has the same one. */
static void keep(uint32_t domid, const char *spec, const struct vif_spec *v,
		 bool had_mac)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s%s" MAC_FMT, spec,
		 *spec && !had_mac ? "," : "",
		 had_mac ? "" : "mac=", MAC_ARG(v->mac));
	keep_addition(domid, "vif", had_mac ? spec : full);
}

static int attach(uint32_t domid, const char *spec)
{
	struct loaded l = {.text = NULL};
	struct spec_error e;
	struct vif_spec v;
	struct json j;
	enum dom_type type = domain_type(domid);
	bool had_mac;

	if (!vif_parse(&l.dc.arena, spec, &v, &e)) {
		spec_complain(spec, &e);
		return XL_FAIL;
	}
	if (v.devid < 0)
		v.devid = vif_free_devid(domid);
	had_mac = v.has_mac;
	l.dc.vifs = &v;
	l.dc.nr_vifs = 1;
	load_fill_in(&l);
	/* Emulated cards cannot be added to a machine that runs. */
	v.emulated_set = true;
	v.emulated = false;
	if (xl_globals.dryrun) {
		printf("vif: ");
		json_start(&j, stdout);
		domjson_nic(&j, &v);
		json_end(&j);
		return XL_OK;
	}
	if (!vif_prepare(&v, type) || !vif_attach(domid, &v, type))
		return XL_FAIL;
	keep(domid, spec, &v, had_mac);
	arena_free(&l.dc.arena);
	return XL_OK;
}

static int run_attach(const struct xl_cmd *cmd, int argc, char **argv)
{
	return run_device_attach(cmd, argc, argv, 1, attach);
}

const struct xl_cmd cmd_network_attach = {
	.name = "network-attach",
	.usage = "<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] "
		 "[ip=<ip>] [script=<script>] [backend=<BackDomain>] "
		 "[vifname=<name>] [rate=<rate>] [model=<model>] "
		 "[accel=<accel>] [mtu=<mtu>]",
	.summary = "Create a new virtual network device",
	.run = run_attach,
	.changes = true,
	.dryrun = true,
};

/* By its number or its address. */
static bool find_vif(uint32_t domid, const char *which, struct device *out)
{
	uint8_t mac[6];
	unsigned int nr;
	struct device *list;
	bool found = false;
	char want[20];

	if (!mac_parse(which, mac)) {
		size_t digits = strspn(which, "0123456789");

		return *which && !which[digits] &&
		       find_device(domid, "vif",
				   (uint32_t)strtoul(which, NULL, 10), out);
	}
	snprintf(want, sizeof(want), MAC_FMT, MAC_ARG(mac));
	list = dev_list(domid, &nr);
	for (unsigned int i = 0; i < nr && !found; i++) {
		char *s = strcmp(list[i].kind, "vif")
				  ? NULL
				  : dev_fact_read(&list[i], "mac");

		found = s && !strcasecmp(s, want);
		if (found) {
			*out = list[i];
			out->kind = "vif";
		}
		free(s);
	}
	dev_free_list(list, nr);
	return found;
}

static int run_detach(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	uint32_t domid = host_need(argv[i]);
	struct device dev;

	if (!find_vif(domid, argv[i + 1], &dev)) {
		fprintf(stderr, "Unknown device %s.\n", argv[i + 1]);
		return XL_FAIL;
	}
	if (dev_remove(&dev, 1, false))
		return xl_fail("the guest does not release the interface");
	keep_removal(domid, "vif", dev.devid);
	return XL_OK;
}

const struct xl_cmd cmd_network_detach = {
	.name = "network-detach",
	.usage = "<Domain> <DevId|mac>",
	.summary = "Destroy a domain's virtual network device",
	.run = run_detach,
	.changes = true,
};

static void list_vif(struct json *j, const struct device *d)
{
	char path[128], *mac = dev_fact_read(d, "mac");
	char *bridge = dev_fact_read(d, "bridge");

	dev_backend_path(d, path, sizeof(path));
	if (j) {
		json_object(j, NULL);
		json_uint(j, "domid", d->domid);
		json_uint(j, "devid", d->devid);
		json_uint(j, "backend_domid", d->backend_domid);
		json_string(j, "mac", mac);
		json_string(j, "bridge", bridge);
		json_int(j, "state", device_number(d, "state"));
		json_int(j, "event_channel", device_number(d, "event-channel"));
		json_int(j, "tx_ring_ref", device_number(d, "tx-ring-ref"));
		json_int(j, "rx_ring_ref", device_number(d, "rx-ring-ref"));
		json_string(j, "backend", path);
		json_object_end(j);
	} else {
		printf("%-3u %-2u %-17s %5ld %5ld %6ld %5ld/%-11ld %-30s\n",
		       d->devid, d->backend_domid, mac ? mac : "",
		       (long)d->devid, device_number(d, "state"),
		       device_number(d, "event-channel"),
		       device_number(d, "tx-ring-ref"),
		       device_number(d, "rx-ring-ref"), path);
	}
	free(mac);
	free(bridge);
}

static int run_list(const struct xl_cmd *cmd, int argc, char **argv)
{
	char header[128];

	snprintf(header, sizeof(header),
		 "%-3s %-2s %-17s %-6s %-5s %-6s %5s/%5s %-30s", "Idx", "BE",
		 "Mac Addr.", "handle", "state", "evt-ch", "tx-", "rx-ring-ref",
		 "BE-path");
	return run_device_list(cmd, argc, argv, "vif", header, list_vif);
}

const struct xl_cmd cmd_network_list = {
	.name = "network-list",
	.usage = "<Domain(s)>",
	.summary = "List virtual network interfaces for a domain",
	.options = "--json             Facts as JSON",
	.run = run_list,
};
