/* SPDX-License-Identifier: MIT */
/* Files as the builder reads them, and how it says what went wrong. */
#include <fcntl.h>
#include <sys/stat.h>

#include "build.h"

int build_fail(struct build_error *err, const char *fmt, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	errno = saved;
	return -1;
}

int build_fail_errno(struct build_error *err, const char *fmt, ...)
{
	int saved = errno;
	va_list args;
	size_t len;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s",
		 strerror(saved));
	errno = saved;
	return -1;
}

int blob_open(struct blob *b, const char *path, const char *what,
	      struct build_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return build_fail_errno(err, "%s %s", what, path);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return build_fail(err, "%s %s: not a regular file", what, path);
	}
	if (st.st_size == 0) {
		close(fd);
		errno = ENOEXEC;
		return build_fail(err, "%s %s: the file is empty", what, path);
	}
	b->len = (size_t)st.st_size;
	b->data = mmap(NULL, b->len, PROT_READ, MAP_PRIVATE, fd, 0);
	b->is_mapping = true;
	b->fd = fd;
	if (b->data == MAP_FAILED) {
		b->data = NULL;
		blob_close(b);
		return build_fail_errno(err, "%s %s", what, path);
	}
	return 0;
}

void blob_close(struct blob *b)
{
	int saved = errno;

	if (b->fd > 0)
		close(b->fd);
	b->fd = 0;
	if (b->data && b->is_mapping)
		munmap(b->data, b->len);
	else
		free(b->data);
	b->data = NULL;
	errno = saved;
}
