/* SPDX-License-Identifier: MIT */
/* A disk as a device; see disk.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "device.h"
#include "disk.h"
#include "host.h"
#include "hotplug.h"
#include "loop.h"
#include "xl.h"

#define BACKEND_MS 10000

static bool same_file(const struct stat *st, const char *path)
{
	struct stat other;

	if (!*path || stat(path, &other))
		return false;
	if (S_ISBLK(st->st_mode) && S_ISBLK(other.st_mode))
		return st->st_rdev == other.st_rdev;
	return st->st_dev == other.st_dev && st->st_ino == other.st_ino;
}

/* Complains if this back end holds the file and one of the two writes. */
static bool clashes(const char *dir, const struct disk_spec *d,
		    const struct stat *st, uint32_t domid)
{
	char *params = host_read("%s/params", dir);
	char *mode = host_read("%s/mode", dir), *name;
	const char *path = params ? params : "";
	bool writes = d->writable || (mode && *mode == 'w');
	bool same;

	if (!strncmp(path, "aio:", 4))
		path += 4;
	same = writes && same_file(st, path);
	if (same) {
		name = host_name(domid);
		xl_fail("%s is in use by domain %u (%s): two guests that write "
			"to one image destroy it. Detach it there first",
			d->target, domid, name ? name : "no name");
		free(name);
	}
	free(params);
	free(mode);
	return same;
}

/* Is the target another guest's already? */
static bool in_use(const struct disk_spec *d, const struct stat *st)
{
	char path[128], **doms, **devs;
	unsigned int nr = 0, n;
	bool used = false;

	doms = xs_directory(host_xs(), XBT_NULL, "/local/domain/0/backend/vbd",
			    &nr);
	for (unsigned int i = 0; i < nr && !used; i++) {
		snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%s",
			 doms[i]);
		n = 0;
		devs = xs_directory(host_xs(), XBT_NULL, path, &n);
		for (unsigned int k = 0; k < n && !used; k++) {
			char dir[192];

			snprintf(dir, sizeof(dir), "%s/%s", path, devs[k]);
			used = clashes(dir, d, st,
				       (uint32_t)strtoul(doms[i], NULL, 10));
		}
		free(devs);
	}
	free(doms);
	return used;
}

static bool choose_backend(struct disk_spec *d)
{
	bool plain = d->format == DISK_RAW;

	if (d->backend == DISK_STANDALONE)
		return xl_fail("disk %s: backendtype=standalone cannot be had: "
			       "virtio back ends are not supported",
			       d->vdev),
		       false;
	if (d->backend == DISK_PHY && !plain)
		return xl_fail("disk %s: backendtype=phy takes raw files and "
			       "block devices only; %s is %s",
			       d->vdev, d->target,
			       disk_format_names[d->format]),
		       false;
	if (d->backend == DISK_AUTO)
		d->backend = plain ? DISK_PHY : DISK_QDISK;
	return true;
}

/* What is in another domain cannot be looked at from here. */
static bool prepare_remote(struct disk_spec *d)
{
	if (d->format == DISK_EMPTY)
		return xl_fail("disk %s: an empty CD-ROM drive is dom0's: "
			       "backend= needs a target",
			       d->vdev),
		       false;
	if (d->script)
		d->backend = DISK_PHY;
	return choose_backend(d);
}

bool disk_prepare(struct disk_spec *d, enum dom_type type)
{
	struct stat st;

	if (!host_backend(d->backend_domain, &d->backend_domid))
		return false;
	if (d->backend_domid)
		return prepare_remote(d);
	if (d->format == DISK_EMPTY) {
		d->backend = type == TYPE_HVM ? DISK_QDISK : DISK_PHY;
		if (type == TYPE_HVM)
			return true;
		xl_fail("disk %s: only an hvm domain can have an empty CD-ROM "
			"drive",
			d->vdev);
		return false;
	}
	if (d->script) {
		d->backend = DISK_PHY;
		return true;
	}
	if (stat(d->target, &st)) {
		xl_fail("disk %s: %s: %s", d->vdev, d->target, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		xl_fail("disk %s: %s is neither a file nor a block device",
			d->vdev, d->target);
		return false;
	}
	return choose_backend(d) && !in_use(d, &st);
}

bool disk_needs_qemu(const struct disk_spec *d)
{
	return d->backend == DISK_QDISK && !d->backend_domid;
}

/* "7:0", in hexadecimal as the back end reads it. */
static bool physical_device(const char *node, char *buf, size_t size)
{
	struct stat st;

	if (stat(node, &st) || !S_ISBLK(st.st_mode))
		return false;
	snprintf(buf, size, "%x:%x", major(st.st_rdev), minor(st.st_rdev));
	return true;
}

struct disk_nodes {
	char node[64], physical[32], devid[16], params[1024];
	const char *script;
	bool bound; /* node is a loop device of ours */
};

/* What the kernel's back end needs: a block device, bound if need be. */
static bool find_node(const struct disk_spec *d, struct disk_nodes *n)
{
	struct stat st;

	if (stat(d->target, &st)) {
		xl_fail("disk %s: %s: %s", d->vdev, d->target, strerror(errno));
		return false;
	}
	if (S_ISBLK(st.st_mode)) {
		snprintf(n->node, sizeof(n->node), "%s", d->target);
	} else if (loop_bind(d->target, d->writable, n->node,
			     sizeof(n->node))) {
		n->bound = true;
	} else {
		xl_fail("disk %s: no loop device for %s: %s", d->vdev,
			d->target, strerror(errno));
		return false;
	}
	return physical_device(n->node, n->physical, sizeof(n->physical));
}

static bool write_disk(const struct device *dev, const struct disk_spec *d,
		       enum dom_type type, const struct disk_nodes *n)
{
	bool qdisk = d->backend == DISK_QDISK;
	const struct dev_node back[] = {
		{"params", n->params},
		{"script", qdisk ? NULL : n->script},
		{"removable", d->cdrom ? "1" : "0"},
		{"bootable", "1"},
		{"dev", d->vdev},
		{"type", qdisk ? "qdisk" : "phy"},
		{"mode", d->writable ? "w" : "r"},
		{"device-type", d->cdrom ? "cdrom" : "disk"},
		{"direct-io-safe", d->direct_io_safe ? "1" : NULL},
		{"discard-enable", d->discard ? "1" : "0"},
		{"specification", "xen"},
		{"node", n->bound ? n->node : NULL},
		{"physical-device", *n->physical ? n->physical : NULL},
		{"physical-device-path", *n->node ? n->node : NULL},
		{"hotplug-status", *n->physical ? "connected" : NULL},
	};
	const struct dev_node front[] = {
		{"virtual-device", n->devid},
		{"device-type", d->cdrom ? "cdrom" : "disk"},
		{"trusted", d->untrusted ? "0" : "1"},
	};

	(void)type;
	if (dev_add(dev, back, ARRAY_SIZE(back), front, ARRAY_SIZE(front)))
		return true;
	xl_fail("disk %s: cannot write its nodes: %s", d->vdev,
		strerror(errno));
	return false;
}

/* With a script, the script says which block device it is. */
static bool attach_by_script(const struct device *dev,
			     const struct disk_spec *d, enum dom_type type,
			     struct disk_nodes *n)
{
	if (!write_disk(dev, d, type, n))
		return false;
	if (dev_wait(dev, DEV_INIT_WAIT, BACKEND_MS) &&
	    hotplug_run(dev, n->script, "add", NULL)) {
		hotplug_ran(dev, n->script);
		return true;
	}
	xl_fail("disk %s: the script %s did not attach %s", d->vdev, n->script,
		d->target);
	dev_remove(dev, 1, true);
	return false;
}

/* There xl devd does the rest, once the kernel's back end asks for it. */
static bool attach_remote(const struct device *dev, const struct disk_spec *d,
			  enum dom_type type, const struct disk_nodes *n)
{
	if (!write_disk(dev, d, type, n))
		return false;
	if (d->backend == DISK_QDISK ||
	    dev_wait(dev, DEV_INIT_WAIT, BACKEND_MS))
		return true;
	xl_fail("disk %s: its back end in domain %u does not start: is "
		"xen-blkback loaded there?",
		d->vdev, dev->backend_domid);
	dev_remove(dev, 1, true);
	return false;
}

/* An empty drive says so, too: QEMU 7.2 ends itself over "". */
static void qdisk_params(const struct disk_spec *d, char *buf, size_t size)
{
	snprintf(buf, size, "%s:%s",
		 d->format == DISK_RAW || d->format == DISK_EMPTY ? "aio"
		 : d->format == DISK_VHD                          ? "vpc"
					 : disk_format_names[d->format],
		 d->target ? d->target : "");
}

/* physical-device goes last: the back end waits for it. */
static bool write_node(const struct device *dev, const struct disk_nodes *n)
{
	char path[160];

	dev_backend_path(dev, path, sizeof(path));
	return host_write(n->node, "%s/node", path) &&
	       host_write(n->node, "%s/physical-device-path", path) &&
	       host_write("connected", "%s/hotplug-status", path) &&
	       host_write(n->physical, "%s/physical-device", path);
}

static bool serve_file(const struct device *dev)
{
	struct disk_nodes n = {.bound = false};
	char name[32];
	char *target = dev_backend_read(dev, "params");
	char *mode = dev_backend_read(dev, "mode");
	const struct disk_spec d = {
		.target = target ? target : "",
		.vdev = vdev_name(dev->devid, name, sizeof(name)),
		.writable = mode && *mode == 'w',
	};
	bool ok = find_node(&d, &n) && write_node(dev, &n);

	if (!ok && n.bound)
		loop_release(n.node);
	free(target);
	free(mode);
	return ok;
}

bool disk_serve(const struct device *dev)
{
	char *script = hotplug_script_here(dev);
	bool ok = script ? hotplug_run(dev, script, "add", NULL)
			 : serve_file(dev);

	free(script);
	return ok;
}

bool disk_attach(uint32_t domid, const struct disk_spec *d, enum dom_type type)
{
	struct device dev = {"vbd", domid, d->devid, d->backend_domid, ""};
	struct disk_nodes n = {.script = HOTPLUG_VBD_SCRIPT};
	bool qdisk = d->backend == DISK_QDISK;
	char script[256];

	if (qdisk)
		strcpy(dev.back_kind, "qdisk");
	snprintf(n.devid, sizeof(n.devid), "%u", d->devid);
	if (qdisk)
		qdisk_params(d, n.params, sizeof(n.params));
	else
		snprintf(n.params, sizeof(n.params), "%s", d->target);
	if (d->script) {
		hotplug_path(d->script, script, sizeof(script));
		n.script = script;
	}
	if (dev.backend_domid)
		return attach_remote(&dev, d, type, &n);
	if (d->script)
		return attach_by_script(&dev, d, type, &n);
	if ((qdisk || find_node(d, &n)) && write_disk(&dev, d, type, &n))
		return true;
	if (n.bound)
		loop_release(n.node);
	return false;
}
