/* SPDX-License-Identifier: MIT */
/*
 * Unpacked kernels, kept under a hash of the packed file's contents. The hash
 * is keyed with a secret of this directory's, so that nobody can make a file
 * that passes for another's. Entries appear by rename, whole; several builders
 * may work at once, and any file may be deleted at any time. Old ones go when
 * the total passes a limit.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "build.h"

#define DEFAULT_DIR "/var/cache/ostler"
#define TOTAL_MAX   (512 * MIB)
#define NAME_LEN    (2 * sizeof(struct cache_key))

static const char *dir_of(const char *dir)
{
	const char *env = getenv("OSTLER_CACHE");

	if (dir)
		return dir;
	return env && env[0] ? env : DEFAULT_DIR;
}

/* With the directory that it is in: a small system may have no /var/cache. */
static bool make_dir(const char *dir)
{
	char parent[PATH_MAX], *end;

	if (!mkdir(dir, 0700) || errno == EEXIST)
		return true;
	if (errno != ENOENT || strlen(dir) >= sizeof(parent))
		return false;
	strcpy(parent, dir);
	end = strrchr(parent, '/');
	if (!end || end == parent)
		return false;
	*end = 0;
	if (mkdir(parent, 0755) && errno != EEXIST)
		return false;
	return !mkdir(dir, 0700) || errno == EEXIST;
}

/* Opens the directory if it is ours alone, making it when it is missing. */
static int open_dir(const char *dir)
{
	struct stat st;
	int fd;

	dir = dir_of(dir);
	if (!make_dir(dir))
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* Whoever else could write here could give guests their kernels. */
	if (fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & 022)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- SipHash-1-3 with a 128-bit result ---- */

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

/* Whole words of the data; how many bytes they were. */
static size_t sip_words(struct sip *s, const uint8_t *data, size_t len)
{
	struct sip t = *s; /* in registers */
	uint64_t word;
	size_t i;

	for (i = 0; len - i >= 8; i += 8) {
		memcpy(&word, data + i, 8);
		sip_word(&t, word);
	}
	*s = t;
	return i;
}

static void sip_end(struct sip *s, const uint8_t *rest, size_t n, size_t len,
		    struct cache_key *key)
{
	uint64_t word = (uint64_t)len << 56, half[2];

	for (size_t i = 0; i < n; i++)
		word |= (uint64_t)rest[i] << 8 * i;
	sip_word(s, word);
	s->v2 ^= 0xee;
	for (int h = 0; h < 2; h++) {
		for (int r = 0; r < 3; r++)
			sip_round(s);
		half[h] = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
		s->v1 ^= 0xdd;
	}
	memcpy(key->bytes, half, sizeof(half));
}

/* Hashes a file by reading it, not through its mapping (struct blob). */
static bool siphash(const uint64_t secret[2], const struct blob *blob,
		    struct cache_key *key)
{
	struct sip s = {
		.v0 = secret[0] ^ 0x736f6d6570736575,
		.v1 = secret[1] ^ 0x646f72616e646f6d ^ 0xee,
		.v2 = secret[0] ^ 0x6c7967656e657261,
		.v3 = secret[1] ^ 0x7465646279746573,
	};
	const size_t room = 256 * 1024;
	uint8_t *buf = malloc(room);
	size_t done = 0, n = 0, used = 0;
	bool ok;

	while (buf && done < blob->len) {
		n = blob->len - done < room ? blob->len - done : room;
		if (pread(blob->fd, buf, n, (off_t)done) != (ssize_t)n)
			break;
		used = sip_words(&s, buf, n);
		done += n;
	}
	ok = buf && done == blob->len;
	if (ok)
		sip_end(&s, buf + used, n - used, blob->len, key);
	free(buf);
	return ok;
}

/* The directory's secret, made on first use. link() settles a race. */
static bool read_secret(int dir, uint64_t secret[2])
{
	char temp[64];
	int fd;

	for (int tries = 0; tries < 2; tries++) {
		bool ok = false;

		fd = openat(dir, "secret", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0) {
			ok = read_exact(fd, secret, 16) == 0;
			close(fd);
			return ok;
		}
		if (getrandom(secret, 16, 0) != 16)
			return false;
		snprintf(temp, sizeof(temp), "secret.%d", (int)getpid());
		fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			    0600);
		if (fd < 0)
			return false;
		ok = write_exact(fd, secret, 16) == 0;
		close(fd);
		if (ok && linkat(dir, temp, dir, "secret", 0) &&
		    errno != EEXIST)
			ok = false;
		unlinkat(dir, temp, 0);
		if (!ok)
			return false;
	}
	return false;
}

/* Whoever can write to the file could do so between our hashing and unpacking
 * it, and have his kernel kept under the name of another's. */
static bool is_ours(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	       !(st.st_mode & 022);
}

bool cache_key(const char *dir, const struct blob *packed,
	       struct cache_key *key)
{
	uint64_t secret[2];
	bool ok;
	int fd;

	if (!is_ours(packed->fd))
		return false;
	fd = open_dir(dir);
	if (fd < 0)
		return false;
	ok = read_secret(fd, secret);
	close(fd);
	return ok && siphash(secret, packed, key);
}

static void entry_name(const struct cache_key *key, char name[NAME_LEN + 1])
{
	for (size_t i = 0; i < sizeof(key->bytes); i++)
		snprintf(name + 2 * i, 3, "%02x", key->bytes[i]);
}

bool cache_get(const char *dir, const struct cache_key *key, size_t len,
	       struct blob *out)
{
	char name[NAME_LEN + 1];
	struct stat st;
	int at = open_dir(dir), fd;

	if (at < 0)
		return false;
	entry_name(key, name);
	fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	close(at);
	if (fd < 0)
		return false;
	out->data = MAP_FAILED;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (size_t)st.st_size == len)
		out->data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (out->data == MAP_FAILED) {
		out->data = NULL;
		close(fd);
		return false;
	}
	futimens(fd, NULL); /* lately used */
	out->fd = fd;
	out->len = len;
	out->is_mapping = true;
	return true;
}

int cache_new(const char *dir, size_t len, struct blob *out)
{
	int at = open_dir(dir), fd;

	if (at < 0)
		return -1;
	/* Without a name until it is whole: a crash leaves nothing behind. */
	fd = openat(at, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	close(at);
	if (fd < 0)
		return -1;
	/* Allocated now, so that a full disk is an error and not a signal. */
	if (len > TOTAL_MAX || posix_fallocate(fd, 0, (off_t)len)) {
		close(fd);
		return -1;
	}
	out->data = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (out->data == MAP_FAILED) {
		out->data = NULL;
		close(fd);
		return -1;
	}
	out->len = len;
	out->is_mapping = true;
	return fd;
}

void cache_drop(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

struct entry {
	char name[NAME_LEN + 1];
	struct timespec used;
	uint64_t size;
};

static int by_use(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	return (x->used.tv_nsec > y->used.tv_nsec) -
	       (x->used.tv_nsec < y->used.tv_nsec);
}

/* Deletes the longest unused entries until the rest fits. */
static void trim(int at)
{
	struct entry list[256];
	uint64_t total = 0;
	size_t n = 0;
	struct dirent *d;
	int fd = dup(at);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return;
	}
	rewinddir(stream);
	while (n < 256 && (d = readdir(stream))) {
		struct stat st;

		if (strlen(d->d_name) != NAME_LEN ||
		    fstatat(at, d->d_name, &st, AT_SYMLINK_NOFOLLOW))
			continue;
		memcpy(list[n].name, d->d_name, NAME_LEN + 1);
		list[n].used = st.st_mtim;
		list[n].size = (uint64_t)st.st_size;
		total += list[n++].size;
	}
	closedir(stream);
	qsort(list, n, sizeof(list[0]), by_use);
	for (size_t i = 0; i < n && total > TOTAL_MAX; i++) {
		unlinkat(at, list[i].name, 0);
		total -= list[i].size;
	}
}

void cache_commit(const char *dir, int fd, const struct cache_key *key)
{
	char name[NAME_LEN + 1], self[64];
	int at = open_dir(dir);

	if (at >= 0) {
		entry_name(key, name);
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		/* EEXIST: another builder was first with the same bytes. */
		linkat(AT_FDCWD, self, at, name, AT_SYMLINK_FOLLOW);
		trim(at);
		close(at);
	}
	close(fd);
}
