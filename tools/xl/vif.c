/* SPDX-License-Identifier: MIT */
/* A network interface as a device; see vif.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "device.h"
#include "host.h"
#include "hostconf.h"
#include "hotplug.h"
#include "vif.h"
#include "xl.h"

#define BACKEND_MS  10000
#define DEFAULT_MTU 1500

static void script_path(const struct vif_spec *v, char *buf, size_t size)
{
	hotplug_path(v->script ? v->script : HOTPLUG_VIF_SCRIPT, buf, size);
}

/*
 * What a domain of this kind can have. The emulated half of a card is QEMU's,
 * in dom0: one whose back end is elsewhere has none.
 */
static void settle_type(struct vif_spec *v, enum dom_type type)
{
	if (type == TYPE_HVM && !v->emulated_set)
		v->emulated = !v->backend_domid;
	if (type != TYPE_HVM)
		v->emulated = false;
	if (!v->emulated || !v->backend_domid)
		return;
	xl_warn("interface %d: only its PV half is there: the emulated one "
		"would be dom0's, not domain %u's",
		v->devid, v->backend_domid);
	v->emulated = false;
}

bool vif_prepare(struct vif_spec *v, enum dom_type type)
{
	const struct host_conf *hc = host_conf();

	if (!v->backend_domain)
		v->backend_domain = hc->vif_backend;
	if (!v->script)
		v->script = hc->vif_script;
	if (!v->gateway)
		v->gateway = hc->vif_gateway;
	if (!v->bridge)
		v->bridge = hc->vif_bridge;
	if (!host_backend(v->backend_domain, &v->backend_domid))
		return false;
	settle_type(v, type);
	/* A script may route instead of bridge: then a bridge is its matter. */
	if (!v->bridge && !v->script)
		v->bridge = "xenbr0";
	if (!v->bridge || v->script || v->backend_domid)
		return true;
	if (!iface_exists(v->bridge)) {
		xl_fail("the bridge %s does not exist: make it (ip link add %s "
			"type bridge), or name another with bridge=",
			v->bridge, v->bridge);
		return false;
	}
	if (!iface_is_bridge(v->bridge)) {
		xl_fail("%s is a network interface, but not a bridge",
			v->bridge);
		return false;
	}
	return true;
}

static bool write_vif(const struct device *dev, const struct vif_spec *v)
{
	char mac[20], handle[16], rate[48], script[256], mtu[16];

	snprintf(mac, sizeof(mac), MAC_FMT, MAC_ARG(v->mac));
	snprintf(handle, sizeof(handle), "%d", v->devid);
	snprintf(rate, sizeof(rate), "%llu,%u",
		 (unsigned long long)v->rate_bytes, v->rate_usecs);
	snprintf(mtu, sizeof(mtu), "%d", v->mtu);
	script_path(v, script, sizeof(script));
	const struct dev_node back[] = {
		{"script", script},
		{"vifname", v->ifname},
		{"mac", mac},
		{"ip", v->ip},
		{"gatewaydev", v->gateway},
		{"rate", v->rate_bytes ? rate : NULL},
		{"mtu", v->mtu ? mtu : NULL},
		{"bridge", v->bridge},
		{"handle", handle},
		{"type", v->emulated ? "vif_ioemu" : "vif"},
		{"hotplug-status", ""},
	};
	const struct dev_node front[] = {
		{"handle", handle},
		{"mac", mac},
		{"trusted", v->untrusted ? "0" : "1"},
	};

	if (dev_add(dev, back, ARRAY_SIZE(back), front, ARRAY_SIZE(front)))
		return true;
	xl_fail("interface %d: cannot write its nodes: %s", v->devid,
		strerror(errno));
	return false;
}

/* The guest may read its interface's MTU, not write it. */
static void write_mtu(const struct device *dev, int mtu)
{
	struct xs_permissions perms[2] = {
		{.id = 0, .perms = XS_PERM_NONE},
		{.id = dev->domid, .perms = XS_PERM_READ},
	};
	char path[192], text[16];
	size_t n;

	dev_frontend_path(dev, path, sizeof(path));
	n = strlen(path);
	snprintf(path + n, sizeof(path) - n, "/mtu");
	snprintf(text, sizeof(text), "%d", mtu);
	if (xs_write(host_xs(), XBT_NULL, path, text, (unsigned)strlen(text)))
		xs_set_permissions(host_xs(), XBT_NULL, path, perms, 2);
}

static bool join_bridge(const struct device *dev, const struct vif_spec *v,
			const char *iface)
{
	int mtu = v->mtu ? v->mtu : iface_mtu(v->bridge);
	char path[160];

	if (v->ifname && !iface_rename(iface, v->ifname)) {
		xl_fail("interface %d: cannot rename %s to %s: %s", v->devid,
			iface, v->ifname, strerror(errno));
		return false;
	}
	if (v->ifname)
		iface = v->ifname;
	if (!iface_join(iface, v->bridge, mtu)) {
		xl_fail("interface %d: %s cannot join the bridge %s: %s",
			v->devid, iface, v->bridge, strerror(errno));
		return false;
	}
	/* The front end's half is dom0's to write. */
	if (mtu > 0 && !dev->backend_domid)
		write_mtu(dev, mtu);
	dev_backend_path(dev, path, sizeof(path));
	return host_write("connected", "%s/hotplug-status", path);
}

/*
 * xen-netback says that it waits for the front end, and makes its interface
 * afterwards: nothing in the store tells when that is there.
 */
static bool wait_iface(const struct device *dev, const char *iface)
{
	for (unsigned int ms = 0; ms < BACKEND_MS; ms += 5) {
		if (iface_exists(iface))
			return true;
		usleep(5000);
	}
	xl_fail("interface %u: its back end makes no %s", dev->devid, iface);
	return false;
}

/* The back end waits for this: its interface gets to where frames go. */
static bool connect(const struct device *dev, const struct vif_spec *v)
{
	char iface[32], script[256];

	snprintf(iface, sizeof(iface), "vif%u.%d", dev->domid, v->devid);
	if (!wait_iface(dev, iface))
		return false;
	if (!v->script)
		return join_bridge(dev, v, iface);
	script_path(v, script, sizeof(script));
	if (!hotplug_run(dev, script, "online", iface))
		return false;
	if (!dev->backend_domid)
		hotplug_ran(dev, script);
	return true;
}

bool vif_serve(const struct device *dev)
{
	char *script = hotplug_script_here(dev);
	char *bridge = dev_backend_read(dev, "bridge");
	char *ifname = dev_backend_read(dev, "vifname");
	char *mtu = dev_backend_read(dev, "mtu");
	const struct vif_spec v = {
		.script = script,
		.bridge = bridge ? bridge : "xenbr0",
		.ifname = ifname && *ifname ? ifname : NULL,
		.mtu = mtu ? atoi(mtu) : 0,
		.devid = (int)dev->devid,
	};
	bool ok = connect(dev, &v);

	free(script);
	free(bridge);
	free(ifname);
	free(mtu);
	return ok;
}

bool vif_attach(uint32_t domid, const struct vif_spec *v, enum dom_type type)
{
	struct device dev = {"vif", domid, (uint32_t)v->devid, v->backend_domid,
			     ""};
	bool ok;

	(void)type;
	if (!write_vif(&dev, v))
		return false;
	ok = dev_wait(&dev, DEV_INIT_WAIT, BACKEND_MS);
	if (!ok)
		xl_fail("interface %d: its back end in domain %u does not "
			"start: is the module xen-netback loaded there?",
			v->devid, dev.backend_domid);
	else if (dev.backend_domid) /* xl devd does it there */
		write_mtu(&dev, v->mtu ? v->mtu : DEFAULT_MTU);
	else
		ok = connect(&dev, v);
	if (!ok)
		dev_remove(&dev, 1, true);
	return ok;
}

bool vif_attach_tap(uint32_t domid, const struct vif_spec *v)
{
	char tap[32];

	if (v->ifname)
		snprintf(tap, sizeof(tap), "%.11s-emu", v->ifname);
	else
		snprintf(tap, sizeof(tap), "vif%u.%d-emu", domid, v->devid);
	if (!v->bridge)
		return true;
	if (iface_join(tap, v->bridge, v->mtu ? v->mtu : iface_mtu(v->bridge)))
		return true;
	xl_fail("interface %d: %s cannot join the bridge %s: %s", v->devid, tap,
		v->bridge, strerror(errno));
	return false;
}

int vif_free_devid(uint32_t domid)
{
	for (int i = 0; i < 65536; i++) {
		char *s =
			host_read("/libxl/%u/device/vif/%d/backend", domid, i);

		if (!s)
			return i;
		free(s);
	}
	return -1;
}
