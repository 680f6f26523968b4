/* SPDX-License-Identifier: MIT */
/* Files kept about a running domain; see savedconf.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "savedconf.h"
#include "spec.h"

#define SAVED_DIR "/var/lib/xen"

static void path_of(char *path, size_t size, uint32_t domid,
		    const uint8_t uuid[16], const char *kind)
{
	snprintf(path, size, SAVED_DIR "/userdata-d.%u." UUID_FMT ".%s", domid,
		 UUID_ARG(uuid), kind);
}

static bool write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

bool saved_store(uint32_t domid, const uint8_t uuid[16], const char *kind,
		 const char *data, size_t len)
{
	char path[256], fresh[264];
	bool ok;
	int fd;

	path_of(path, sizeof(path), domid, uuid, kind);
	snprintf(fresh, sizeof(fresh), "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = write_all(fd, data, len);
	ok = !close(fd) && ok && !rename(fresh, path);
	if (!ok)
		unlink(fresh);
	return ok;
}

char *saved_load(uint32_t domid, const uint8_t uuid[16], const char *kind)
{
	char path[256], *data = NULL;
	struct stat st;
	ssize_t n = -1;
	int fd;

	path_of(path, sizeof(path), domid, uuid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size < 16 << 20)
		data = malloc((size_t)st.st_size + 1);
	if (data)
		n = read(fd, data, (size_t)st.st_size);
	close(fd);
	if (n < 0) {
		free(data);
		return NULL;
	}
	data[n] = 0;
	return data;
}

void saved_remove(uint32_t domid, const uint8_t uuid[16])
{
	static const char *const kinds[] = {SAVED_TEXT, SAVED_JSON};
	char path[256];

	for (unsigned int i = 0; i < 2; i++) {
		path_of(path, sizeof(path), domid, uuid, kinds[i]);
		unlink(path);
	}
}
