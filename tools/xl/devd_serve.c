/* SPDX-License-Identifier: MIT */
/* One device of a driver domain, put up and taken down; see devd.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devd.h"
#include "disk.h"
#include "host.h"
#include "hotplug.h"
#include "loop.h"
#include "vif.h"
#include "xl.h"

static bool is_qdisk(const struct device *d)
{
	return !strcmp(d->back_kind, "qdisk");
}

bool devd_attach(const struct device *d)
{
	if (is_qdisk(d))
		return devd_qemu_start(d->domid);
	if (!strcmp(d->kind, "vif"))
		return vif_serve(d);
	return disk_serve(d);
}

static void release(const struct device *d, const char *dir)
{
	char *script = hotplug_script_here(d), *node;

	if (script) {
		hotplug_take_down(d, script, dir);
	} else if (!strcmp(d->kind, "vbd")) {
		node = dev_backend_read(d, "node");
		if (node)
			loop_release(node);
		free(node);
	}
	free(script);
}

/* Has the guest no other disk that is QEMU's? */
static bool is_last_qdisk(const struct device *d)
{
	char path[96], **ids;
	unsigned int nr = 0;

	snprintf(path, sizeof(path), "/local/domain/%u/backend/qdisk/%u",
		 d->backend_domid, d->domid);
	ids = xs_directory(host_xs(), XBT_NULL, path, &nr);
	free(ids);
	return !nr;
}

/* Its folder's going tells dom0's xl that all is done. */
bool devd_detach(const struct device *d)
{
	char dir[160];

	dev_backend_path(d, dir, sizeof(dir));
	if (!is_qdisk(d))
		release(d, dir);
	if (!xs_rm(host_xs(), XBT_NULL, dir) && errno != ENOENT)
		return xl_fail("cannot remove %s: %s", dir, strerror(errno)),
		       false;
	if (is_qdisk(d) && is_last_qdisk(d))
		devd_qemu_stop(d->domid);
	return true;
}
