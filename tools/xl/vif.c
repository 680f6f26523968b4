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

#define SCRIPT_DIR     "/etc/xen/scripts"
#define DEFAULT_SCRIPT SCRIPT_DIR "/vif-bridge"
#define BACKEND_MS     10000

static void script_path(const struct vif_spec *v, char *buf, size_t size)
{
	if (!v->script)
		snprintf(buf, size, "%s", DEFAULT_SCRIPT);
	else if (v->script[0] == '/')
		snprintf(buf, size, "%s", v->script);
	else
		snprintf(buf, size, SCRIPT_DIR "/%s", v->script);
}

bool vif_prepare(struct vif_spec *v, enum dom_type type)
{
	const struct host_conf *hc = host_conf();
	uint32_t backend;

	if (!v->backend_domain)
		v->backend_domain = hc->vif_backend;
	if (!v->script)
		v->script = hc->vif_script;
	if (!v->gateway)
		v->gateway = hc->vif_gateway;
	if (!v->bridge)
		v->bridge = hc->vif_bridge;
	if (!dev_backend_domain(v->backend_domain, &backend))
		return false;
	if (type == TYPE_HVM && !v->emulated_set)
		v->emulated = true;
	if (type != TYPE_HVM)
		v->emulated = false;
	/* A script may route instead of bridge: then a bridge is its matter. */
	if (!v->bridge && !v->script)
		v->bridge = "xenbr0";
	if (!v->bridge || v->script)
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
	char mac[20], handle[16], rate[48], script[256];

	snprintf(mac, sizeof(mac), MAC_FMT, MAC_ARG(v->mac));
	snprintf(handle, sizeof(handle), "%d", v->devid);
	snprintf(rate, sizeof(rate), "%llu,%u",
		 (unsigned long long)v->rate_bytes, v->rate_usecs);
	script_path(v, script, sizeof(script));
	const struct dev_node back[] = {
		{"script", script},
		{"vifname", v->ifname},
		{"mac", mac},
		{"ip", v->ip},
		{"gatewaydev", v->gateway},
		{"rate", v->rate_bytes ? rate : NULL},
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
	if (mtu > 0)
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

bool vif_attach(uint32_t domid, const struct vif_spec *v, enum dom_type type)
{
	struct device dev = {"vif", domid, (uint32_t)v->devid, 0, ""};
	char iface[32], script[256];
	bool ok;

	(void)type;
	if (!write_vif(&dev, v))
		return false;
	snprintf(iface, sizeof(iface), "vif%u.%d", domid, v->devid);
	script_path(v, script, sizeof(script));
	if (!dev_wait(&dev, DEV_INIT_WAIT, BACKEND_MS)) {
		xl_fail("interface %d: its back end does not start: is the "
			"module xen-netback loaded?",
			v->devid);
		ok = false;
	} else if (!wait_iface(&dev, iface)) {
		ok = false;
	} else if (v->script) {
		ok = hotplug_run(&dev, script, "online", iface);
	} else {
		ok = join_bridge(&dev, v, iface);
	}
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
