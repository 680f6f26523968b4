/* SPDX-License-Identifier: MIT */
/* One xl at a time makes a domain; see createlock.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "createlock.h"
#include "hostconf.h"
#include "savedconf.h"
#include "xl.h"

int create_lock(void)
{
	int fd =
		open(host_conf()->lockfile, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	while (fd >= 0 && lockf(fd, F_LOCK, 0)) {
		if (errno == EINTR)
			continue;
		close(fd);
		fd = -1;
	}
	return fd;
}

void create_unlock(int lock)
{
	if (lock >= 0)
		close(lock);
}

static bool is_kept(uint32_t domid, const uint8_t uuid[16])
{
	char *text = saved_load(domid, uuid, SAVED_JSON);
	bool kept = text;

	free(text);
	return kept;
}

/* Whoever made it is done, or died over it and left no lock. */
void create_wait(uint32_t domid, const uint8_t uuid[16])
{
	if (is_kept(domid, uuid))
		return;
	xl_note("domain %u: waiting for the xl that makes it", domid);
	create_unlock(create_lock());
}
