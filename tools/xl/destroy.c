/* SPDX-License-Identifier: MIT */
/*
 * Taking a domain away: it stops, its device model goes, its devices are
 * pulled, its nodes and kept files are removed, and then its memory is freed.
 */
#include <errno.h>
#include <string.h>

#include "createlock.h"
#include "destroy.h"
#include "device.h"
#include "dm.h"
#include "domstore.h"
#include "host.h"
#include "savedconf.h"
#include "xl.h"

void destroy_devices(uint32_t domid)
{
	unsigned int nr;
	struct device *list = dev_list(domid, &nr);

	dev_remove(list, nr, true);
	dev_free_list(list, nr);
}

/*
 * One that is still being made (for the first time or after a reboot) gets its
 * device model and devices while those that it had were taken away: both sides
 * at once left some of them. False: it is gone.
 */
static bool is_made(uint32_t domid, const struct dom_info *was)
{
	struct dom_info is;

	create_wait(domid, was->handle);
	return host_domain(domid, &is) &&
	       !memcmp(is.handle, was->handle, sizeof(is.handle));
}

bool destroy_domain(uint32_t domid)
{
	struct dom_info info;
	bool ok = true;

	if (!host_domain(domid, &info)) {
		xl_fail("domain %u does not exist", domid);
		return false;
	}
	if (!is_made(domid, &info))
		return true;
	if (xc_domain_pause(host_xc(), domid))
		xl_note("domain %u cannot be paused: %s", domid,
			strerror(errno));
	dm_stop(domid);
	destroy_devices(domid);
	domstore_remove(domid);
	saved_remove(domid, info.handle);
	if (xc_domain_destroy(host_xc(), domid) && errno != ESRCH) {
		xl_fail("cannot destroy domain %u: %s", domid, strerror(errno));
		ok = false;
	}
	return ok;
}
