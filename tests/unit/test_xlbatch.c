/* SPDX-License-Identifier: MIT */
/* xl's many requests in one exchange, against a small store of its own. */
#include "harness.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "../../tools/xl/batch.h"

static char dir[] = "/tmp/test_xlbatch.XXXXXX";

static bool transfer(int fd, void *buf, size_t n, bool out)
{
	char *p = buf;
	ssize_t done;

	for (; n; p += done, n -= (size_t)done) {
		done = out ? write(fd, p, n) : read(fd, p, n);
		if (done <= 0)
			return false;
	}
	return true;
}

static void answer(int fd, struct xsd_sockmsg h, const char *error,
		   const char *body)
{
	if (error)
		h.type = XS_ERROR;
	h.len = (uint32_t)strlen(error ? error : body) + 1;
	transfer(fd, &h, sizeof(h), true);
	transfer(fd, (void *)(error ? error : body), h.len, true);
}

/*
 * Reads of /N answer N, others ENOENT; a write to /forbidden is one; the first
 * transaction's end is a conflict; what is outside transaction 7 is refused.
 */
static void serve(int fd)
{
	static char body[XENSTORE_PAYLOAD_MAX];
	struct xsd_sockmsg h;
	unsigned int ends = 0;

	while (transfer(fd, &h, sizeof(h), false) &&
	       transfer(fd, body, h.len, false)) {
		if (h.type == XS_TRANSACTION_START)
			answer(fd, h, NULL, "7");
		else if (h.type == XS_READ)
			answer(fd, h, body[1] > '9' ? "ENOENT" : NULL,
			       body + 1);
		else if (h.tx_id != 7)
			answer(fd, h, "EINVAL", NULL);
		else if (h.type == XS_TRANSACTION_END)
			answer(fd, h, ends++ ? NULL : "EAGAIN", "OK");
		else
			answer(fd, h,
			       !strcmp(body, "/forbidden") ? "EACCES" : NULL,
			       "OK");
	}
}

static pid_t start_store(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/socket", dir);
	setenv("XENSTORED_PATH", addr.sun_path, 1);
	if (bind(s, (struct sockaddr *)&addr, sizeof(addr)) || listen(s, 1))
		return -1;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		serve(accept(s, NULL, NULL));
		_exit(0);
	}
	close(s);
	return pid;
}

static void write_some(struct batch *b, const char *last)
{
	batch_folder(b, "/dir", 0, 3);
	for (int i = 0; i < 100; i++)
		batch_write(b, "/dir/node", "value");
	batch_write(b, last, "");
}

static void test_conflict(void)
{
	struct batch b;

	REQUIRE(batch_begin(&b, true));
	CHECK_EQ(b.tx, 7);
	write_some(&b, "/x");
	CHECK(!batch_commit(&b));
	CHECK_EQ(errno, EAGAIN);
	REQUIRE(batch_begin(&b, true));
	write_some(&b, "/x");
	CHECK(batch_commit(&b));
}

static void test_first_error(void)
{
	struct batch b;

	REQUIRE(batch_begin(&b, true));
	write_some(&b, "/forbidden");
	CHECK(!batch_commit(&b));
	CHECK_EQ(errno, EACCES);
}

static void test_too_long(void)
{
	static char big[XENSTORE_PAYLOAD_MAX + 1];
	struct batch b;

	memset(big, 'x', sizeof(big) - 1);
	REQUIRE(batch_begin(&b, true));
	batch_write(&b, "/x", big);
	CHECK(!batch_commit(&b));
}

static void test_reads(void)
{
	enum { N = 600 };
	static char text[N][16];
	static char *paths[N], *values[N];

	for (int i = 0; i < N; i++) {
		snprintf(text[i], sizeof(text[i]), i % 7 ? "/%d" : "/x%d", i);
		paths[i] = text[i];
	}
	REQUIRE(batch_read(paths, N, values));
	for (int i = 0; i < N; i++) {
		CHECK(i % 7 ? values[i] && !strcmp(values[i], text[i] + 1)
			    : !values[i]);
		free(values[i]);
	}
}

static void test_gone(void)
{
	struct batch b;

	setenv("XENSTORED_PATH", "/nonexistent/socket", 1);
	batch_forget();
	CHECK(!batch_begin(&b, true));
	CHECK_EQ(errno, ENOENT);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"xlbatch: a conflict is told, and tried again", test_conflict},
		{"xlbatch: the first error counts", test_first_error},
		{"xlbatch: a value too long", test_too_long},
		{"xlbatch: many reads, some of nothing", test_reads},
		{"xlbatch: no store", test_gone},
	};
	char path[64];
	pid_t pid;
	int rc;

	if (!mkdtemp(dir) || (pid = start_store()) < 0)
		return 1;
	rc = RUN_CASES(cases);
	waitpid(pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/socket", dir);
	unlink(path);
	rmdir(dir);
	return rc;
}
