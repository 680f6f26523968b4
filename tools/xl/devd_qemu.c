/* SPDX-License-Identifier: MIT */
/*
 * QEMU in a driver domain, as the back end of one guest's disks; see devd.h.
 * Its process number is kept in the domain's own part of the store, so that a
 * devd that was started again finds it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devd.h"
#include "dm.h"
#include "host.h"
#include "xl.h"

static pid_t running(uint32_t guest)
{
	long pid = host_read_number(0, "libxl/%u/qdisk-backend-pid", guest);

	return pid > 1 && dm_is_model((pid_t)pid, guest) ? (pid_t)pid : 0;
}

/* It finds the guest's disks by itself, those that come later too. */
bool devd_qemu_start(uint32_t guest)
{
	char name[32], number[16];
	pid_t pid;

	if (running(guest))
		return true;
	snprintf(name, sizeof(name), "qdisk-%u", guest);
	pid = dm_start_backend(guest, name);
	if (pid < 0)
		return false;
	snprintf(number, sizeof(number), "%d", pid);
	if (host_write(number, "libxl/%u/qdisk-backend-pid", guest))
		return true;
	xl_fail("cannot keep the number of QEMU for domain %u: %s (has this "
		"domain driver_domain=1?)",
		guest, strerror(errno));
	dm_end(pid, guest);
	return false;
}

void devd_qemu_stop(uint32_t guest)
{
	pid_t pid = running(guest);
	char path[32];

	if (pid)
		dm_end(pid, guest);
	snprintf(path, sizeof(path), "libxl/%u", guest);
	xs_rm(host_xs(), XBT_NULL, path);
	snprintf(path, sizeof(path), "device-model/%u", guest);
	xs_rm(host_xs(), XBT_NULL, path);
}
