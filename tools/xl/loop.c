/* SPDX-License-Identifier: MIT */
/* Loop devices; see loop.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "loop.h"

/* LOOP_CONFIGURE came with Linux 5.8; before it, two calls did this. */
static int configure(int loop, int file, bool writable, const char *name)
{
	struct loop_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.fd = (unsigned int)file;
	cfg.info.lo_flags = writable ? 0 : LO_FLAGS_READ_ONLY;
	snprintf((char *)cfg.info.lo_file_name, LO_NAME_SIZE, "%s", name);
	return ioctl(loop, LOOP_CONFIGURE, &cfg);
}

/* Between asking for a free one and taking it, another may be quicker. */
static bool take_free(int control, int file, bool writable, const char *name,
		      char *node, size_t size)
{
	int n, loop, rc, saved;

	for (int tries = 0; tries < 16; tries++) {
		n = ioctl(control, LOOP_CTL_GET_FREE);
		if (n < 0)
			return false;
		snprintf(node, size, "/dev/loop%d", n);
		loop = open(node, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		if (loop < 0)
			return false;
		rc = configure(loop, file, writable, name);
		saved = errno;
		close(loop);
		errno = saved;
		if (!rc || errno != EBUSY)
			return !rc;
	}
	return false;
}

bool loop_bind(const char *file, bool writable, char *node, size_t size)
{
	int fd = open(file, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	int control, saved;
	bool ok;

	if (fd < 0)
		return false;
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	ok = control >= 0 && take_free(control, fd, writable, file, node, size);
	saved = errno;
	close(fd);
	if (control >= 0)
		close(control);
	errno = saved;
	return ok;
}

void loop_release(const char *node)
{
	int fd;

	if (strncmp(node, "/dev/loop", 9))
		return;
	fd = open(node, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ioctl(fd, LOOP_CLR_FD, 0);
	close(fd);
}
