/* SPDX-License-Identifier: MIT */
/* Whole reads and writes, bitmaps, and other small things callers import. */
#include <fcntl.h>
#include <limits.h>

#include "private.h"

int read_exact(int fd, void *data, size_t size)
{
	char *p = data;

	while (size) {
		ssize_t n = read(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = 0; /* the end of the file, and no error */
		if (n <= 0)
			return -1;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int write_exact(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int writev_exact(int fd, const struct iovec *iov, int iovcnt)
{
	int i = 0;

	while (i < iovcnt) {
		int count = iovcnt - i > IOV_MAX ? IOV_MAX : iovcnt - i;
		ssize_t n;

		/* Zero bytes written must mean an error, not empty vectors. */
		if (iov[i].iov_len == 0) {
			i++;
			continue;
		}
		n = writev(fd, iov + i, count);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		while (i < iovcnt && (size_t)n >= iov[i].iov_len)
			n -= (ssize_t)iov[i++].iov_len;
		/* A vector written in part: its rest by itself. */
		if (n > 0) {
			if (write_exact(fd, (char *)iov[i].iov_base + n,
					iov[i].iov_len - (size_t)n))
				return -1;
			i++;
		}
	}
	return 0;
}

/* Drops what a large read or write left in the page cache: a hint only. */
void discard_file_cache(xc_interface *xch, int fd, int flush)
{
	int saved = errno;
	off_t at = lseek(fd, 0, SEEK_CUR);

	(void)xch;
	if (at != (off_t)-1 && (!flush || fsync(fd) == 0))
		posix_fadvise(fd, 0, at & ~(off_t)(PAGE_SIZE - 1),
			      POSIX_FADV_DONTNEED);
	errno = saved;
}

void *xc_memalign(xc_interface *xch, size_t alignment, size_t size)
{
	void *p;

	(void)xch;
	return posix_memalign(&p, alignment, size) ? NULL : p;
}

/* On a little-endian machine the two forms hold the same bytes. */
void bitmap_64_to_byte(uint8_t *bytes, const uint64_t *words, int nbits)
{
	memcpy(bytes, words, ((size_t)nbits + 7) / 8);
}

void bitmap_byte_to_64(uint64_t *words, const uint8_t *bytes, int nbits)
{
	size_t n = ((size_t)nbits + 7) / 8;

	memset(words, 0, (n + 7) / 8 * 8);
	memcpy(words, bytes, n);
}

int xc_ffs8(uint8_t x)
{
	return __builtin_ffs(x);
}

int xc_ffs16(uint16_t x)
{
	return __builtin_ffs(x);
}

int xc_ffs32(uint32_t x)
{
	return __builtin_ffs((int)x);
}

int xc_ffs64(uint64_t x)
{
	return __builtin_ffsll((long long)x);
}
