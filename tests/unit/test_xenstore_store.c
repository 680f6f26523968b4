/* SPDX-License-Identifier: MIT */
/*
 * Requests over a socket: nodes, listings, watches, transactions and their
 * conflicts, clients that misbehave.
 */
#include "harness.h"
#include "node.h"
#include "xenstore_rig.h"

static struct answer a;
static int one, two; /* two tools */

static void begin(void)
{
	rig_start();
	one = TOOL + tool_connect();
	two = TOOL + tool_connect();
}

static void end(void)
{
	close(one - TOOL);
	close(two - TOOL);
	rig_stop();
	CHECK(!store_check());
}

static int start(int who)
{
	CHECK_EQ(ask(who, XS_TRANSACTION_START, 0, &a, 1, ""), 0);
	return atoi(a.body);
}

static int put(int who, int t, const char *path, const char *value)
{
	return ask(who, XS_WRITE, t, &a, 2, path, value);
}

static const char *get(int who, int t, const char *path)
{
	return ask(who, XS_READ, t, &a, 1, path) ? "-" : a.body;
}

static int commit(int who, int t)
{
	return ask(who, XS_TRANSACTION_END, t, &a, 1, "T");
}

/* The next event of @who as "path token", or "". */
static const char *event(int who)
{
	static char text[2 * sizeof(a.body)];

	do {
		if (!tool_receive(who - TOOL, &a))
			return "";
	} while (a.hdr.type != XS_WATCH_EVENT);
	snprintf(text, sizeof(text), "%s %s", a.body,
		 a.body + strlen(a.body) + 1);
	return text;
}

static void nodes(void)
{
	static const struct {
		uint32_t type;
		const char *path;
		int err;
	} q[] = {
		{XS_READ, "/t/a/b", ENOENT},
		{XS_MKDIR, "/t/a/b", 0},
		{XS_READ, "/t/a/b", 0},
		{XS_MKDIR, "/t/a/b", 0},
		{XS_RM, "/t/a/none", 0},
		{XS_RM, "/t/no/none", ENOENT},
		{XS_RM, "/", EINVAL},
		{XS_READ, "", EINVAL},
		{XS_READ, "/t/", EINVAL},
		{XS_READ, "/t//a", EINVAL},
		{XS_READ, "/t/a.b", EINVAL},
		{XS_READ, "@x", EINVAL},
		{XS_DIRECTORY, "/t/none", ENOENT},
		{XS_RM, "/t/a", 0},
		{XS_READ, "/t/a/b", ENOENT},
		{XS_GET_PERMS, "/t", 0},
		{XS_RESUME, "0", EINVAL},
		{XS_RELEASE, "33", ENOENT},
		{XS_WATCH_EVENT, "/t", ENOSYS},
		{20, "/t", ENOSYS},
		{0xffff, "/t", ENOSYS},
	};

	begin();
	CHECK_EQ(put(one, 0, "/t/x", ""), 0);
	for (size_t i = 0; i < sizeof(q) / sizeof(*q); i++) {
		int rc = ask(one, q[i].type, 0, &a, 1, q[i].path);

		if (rc != q[i].err)
			printf("# case %zu (%s)\n", i, q[i].path);
		CHECK_EQ(rc, q[i].err);
	}
	CHECK_EQ(ask(one, XS_GET_DOMAIN_PATH, 0, &a, 1, "12"), 0);
	CHECK(!strcmp(a.body, "/local/domain/12"));
	/* Relative paths of tools are dom0's. */
	CHECK_EQ(put(one, 0, "rel", "v"), 0);
	CHECK(!strcmp(get(two, 0, "/local/domain/0/rel"), "v"));
	/* Values are bytes. */
	tool_send(one - TOOL, XS_WRITE, 0, "/t/x\0a\0b", 8);
	CHECK(tool_receive(one - TOOL, &a));
	get(one, 0, "/t/x");
	CHECK_EQ(a.hdr.len, 3);
	CHECK(!memcmp(a.body, "a\0b", 3));
	end();
}

static void permissions(void)
{
	begin();
	CHECK_EQ(put(one, 0, "/t/x", ""), 0);
	CHECK_EQ(ask(one, XS_SET_PERMS, 0, &a, 4, "/t/x", "n1", "r2", "b3"), 0);
	CHECK_EQ(ask(one, XS_GET_PERMS, 0, &a, 1, "/t/x"), 0);
	CHECK(!memcmp(a.body, "n1\0r2\0b3", 9));
	CHECK_EQ(a.hdr.len, 9);
	/* Children inherit; dom0's are the owner's too. */
	CHECK_EQ(put(one, 0, "/t/x/kid", ""), 0);
	CHECK_EQ(ask(one, XS_GET_PERMS, 0, &a, 1, "/t/x/kid"), 0);
	CHECK(!memcmp(a.body, "n1\0r2\0b3", 9));
	CHECK_EQ(domain_find(1)->nodes, 2);
	/* An owner that does not exist. */
	CHECK_EQ(ask(one, XS_SET_PERMS, 0, &a, 2, "/t/x", "n999"), ENOENT);
	CHECK_EQ(ask(one, XS_SET_PERMS, 0, &a, 3, "/t/x", "n0", "r999"), 0);
	CHECK_EQ(ask(one, XS_SET_PERMS, 0, &a, 2, "@releaseDomain", "r0"), 0);
	CHECK_EQ(ask(one, XS_SET_PERMS, 0, &a, 2, "@other", "r0"), EINVAL);
	end();
}

static void long_listing(void)
{
	char path[64], off[16], gen[32], all[16384];
	size_t used = 0;
	bool last = false;

	begin();
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/t/dir/name%04d", i);
		CHECK_EQ(put(one, 0, path, ""), 0);
	}
	CHECK_EQ(ask(one, XS_DIRECTORY, 0, &a, 1, "/t/dir"), E2BIG);
	while (!last) {
		size_t skip, n;

		snprintf(off, sizeof(off), "%zu", used);
		REQUIRE(!ask(one, XS_DIRECTORY_PART, 0, &a, 2, "/t/dir", off));
		skip = strlen(a.body) + 1;
		if (used)
			CHECK(!strcmp(gen, a.body));
		strcpy(gen, a.body);
		n = a.hdr.len - skip;
		last = n < 2 || !a.body[skip + n - 2];
		n -= last;
		memcpy(all + used, a.body + skip, n);
		used += n;
	}
	CHECK_EQ(used, 9000);
	CHECK(!strcmp(all + 999 * 9, "name0999"));
	CHECK_EQ(put(one, 0, "/t/dir/z", ""), 0);
	CHECK_EQ(ask(one, XS_DIRECTORY_PART, 0, &a, 2, "/t/dir", "0"), 0);
	CHECK(strcmp(gen, a.body));
	CHECK_EQ(ask(one, XS_DIRECTORY_PART, 0, &a, 1, "/t/dir"), EINVAL);
	end();
}

static void watches(void)
{
	begin();
	CHECK_EQ(put(one, 0, "/w/a/b/c", ""), 0);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/w/a", "tok"), 0);
	CHECK(!strcmp(event(two), "/w/a tok"));
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/w/a", "tok"), EEXIST);
	CHECK_EQ(put(one, 0, "/w/a/b/c", "1"), 0);
	CHECK(!strcmp(event(two), "/w/a/b/c tok"));
	CHECK_EQ(put(one, 0, "/w/ab", "1"), 0);
	CHECK(!strcmp(event(two), ""));
	/* A removal above tells the watched path, once. */
	CHECK_EQ(ask(one, XS_RM, 0, &a, 1, "/w"), 0);
	CHECK(!strcmp(event(two), "/w/a tok"));
	CHECK(!strcmp(event(two), ""));
	/* Removal of what is not there tells nothing. */
	CHECK_EQ(put(one, 0, "/w/x", ""), 0);
	CHECK_EQ(ask(one, XS_RM, 0, &a, 1, "/w/x"), 0);
	CHECK(!strcmp(event(two), ""));
	/* A change of permissions is a change. */
	CHECK_EQ(put(one, 0, "/w/a", ""), 0);
	CHECK(!strcmp(event(two), "/w/a tok"));
	CHECK_EQ(ask(one, XS_SET_PERMS, 0, &a, 2, "/w/a", "r0"), 0);
	CHECK(!strcmp(event(two), "/w/a tok"));
	CHECK_EQ(ask(two, XS_UNWATCH, 0, &a, 2, "/w/a", "other"), ENOENT);
	CHECK_EQ(ask(two, XS_UNWATCH, 0, &a, 2, "/w/a", "tok"), 0);
	CHECK_EQ(put(one, 0, "/w/a", ""), 0);
	CHECK(!strcmp(event(two), ""));
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/w//a", "t"), EINVAL);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 1, "/w/a"), EINVAL);
	end();
}

static void watch_kinds(void)
{
	begin();
	/* Relative: events are too. */
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "rel", "r"), 0);
	CHECK(!strcmp(event(two), "rel r"));
	CHECK_EQ(put(one, 0, "/local/domain/0/rel/x", ""), 0);
	CHECK(!strcmp(event(two), "rel/x r"));
	CHECK_EQ(ask(two, XS_RESET_WATCHES, 0, &a, 1, ""), 0);
	/* With a depth. */
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 3, "/w", "d", "1"), 0);
	event(two);
	CHECK_EQ(put(one, 0, "/w/x/y", ""), 0);
	CHECK(!strcmp(event(two), ""));
	CHECK_EQ(put(one, 0, "/w/x", ""), 0);
	CHECK(!strcmp(event(two), "/w/x d"));
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 3, "/w", "d2", "x"), EINVAL);
	/* The root. */
	CHECK_EQ(ask(two, XS_RESET_WATCHES, 0, &a, 1, ""), 0);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/", "root"), 0);
	event(two);
	CHECK_EQ(put(one, 0, "/w/x", ""), 0);
	CHECK(!strcmp(event(two), "/w/x root"));
	/* Ends of domains, with their numbers where that is asked for. */
	CHECK_EQ(ask(two, XS_RESET_WATCHES, 0, &a, 1, ""), 0);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 3, "@releaseDomain", "n", "1"), 0);
	event(two);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "@releaseDomain/4", "4"), 0);
	event(two);
	rig_domain(one, 4);
	rig_domain(one, 3);
	CHECK_EQ(ask(one, XS_RELEASE, 0, &a, 1, "3"), 0);
	CHECK(!strcmp(event(two), "@releaseDomain/3 n"));
	CHECK(!strcmp(event(two), ""));
	CHECK_EQ(ask(one, XS_RELEASE, 0, &a, 1, "4"), 0);
	CHECK(!strcmp(event(two), "@releaseDomain/4 n"));
	CHECK(!strcmp(event(two), "@releaseDomain/4 4"));
	end();
}

static void repeated_events(void)
{
	int size = 4096, n = 0;

	begin();
	list_for_each(l, &conns)
		setsockopt(container_of(l, struct conn, all)->src.fd,
			   SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/w", "t"), 0);
	for (int i = 0; i < 5000; i++)
		put(one, 0, "/w", "x");
	for (;;) {
		int before = n;

		while (!strcmp(event(two), "/w t"))
			n++;
		rig_run();
		if (n == before)
			break;
	}
	/* What waited was told once. */
	CHECK(n > 1 && n < 1000);
	end();
}

static void isolation(void)
{
	int t;

	begin();
	CHECK_EQ(put(one, 0, "/t/x", "1"), 0);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/t", "w"), 0);
	event(two);
	t = start(one);
	CHECK_EQ(put(one, t, "/t/x", "2"), 0);
	CHECK_EQ(put(one, t, "/t/new", "n"), 0);
	CHECK(!strcmp(get(one, t, "/t/x"), "2"));
	CHECK(!strcmp(get(two, 0, "/t/x"), "1"));
	CHECK(!strcmp(get(two, 0, "/t/new"), "-"));
	CHECK(!strcmp(event(two), ""));
	CHECK_EQ(ask(two, XS_READ, t, &a, 1, "/t/x"), ENOENT); /* one's */
	CHECK_EQ(ask(one, XS_TRANSACTION_START, t, &a, 1, ""), EBUSY);
	CHECK_EQ(commit(one, t), 0);
	CHECK(!strcmp(get(two, 0, "/t/x"), "2"));
	t = start(one);
	CHECK_EQ(ask(one, XS_RM, t, &a, 1, "/t"), 0);
	CHECK_EQ(ask(one, XS_TRANSACTION_END, t, &a, 1, "F"), 0);
	CHECK(!strcmp(get(two, 0, "/t/x"), "2"));
	CHECK_EQ(commit(one, t), ENOENT);
	t = start(one);
	CHECK_EQ(put(one, t, "/t/x", "3"), 0);
	CHECK_EQ(put(one, t, "/t/x", "4"), 0);
	CHECK_EQ(commit(one, t), 0);
	CHECK_EQ(ask(one, XS_TRANSACTION_END, 0, &a, 1, "T"), ENOENT);
	end();
}

/* What somebody else does meanwhile, and how the transaction ends. */
static void conflicts(void)
{
	enum { WRITE, READ, LIST, RM, MKDIR, NOTHING };
	static const struct {
		int does;
		const char *path;
		int other;
		const char *other_path;
		int end;
	} q[] = {
		{READ, "/t/x", WRITE, "/t/x", EAGAIN},
		{READ, "/t/x", RM, "/t/x", EAGAIN},
		{READ, "/t/none", WRITE, "/t/none", EAGAIN},
		{WRITE, "/t/x", WRITE, "/t/x", EAGAIN},
		{WRITE, "/t/new", WRITE, "/t/new", EAGAIN},
		{WRITE, "/t/x", RM, "/t", EAGAIN},
		{RM, "/t/x", WRITE, "/t/x/kid", EAGAIN},
		{LIST, "/t", WRITE, "/t/other", EAGAIN},
		{LIST, "/t", RM, "/t/y", EAGAIN},
		{MKDIR, "/t/d", WRITE, "/t/d", EAGAIN},
		/* Not in each other's way: */
		{READ, "/t/x", WRITE, "/t/y", 0},
		{READ, "/t/x", WRITE, "/t/x/kid", 0},
		{WRITE, "/t/x", WRITE, "/t/y", 0},
		{WRITE, "/t/new", WRITE, "/t/new2", 0},
		{WRITE, "/t/x/k1", WRITE, "/t/x/k2", 0},
		{LIST, "/t", WRITE, "/t/x", 0},
		{RM, "/t/x", WRITE, "/t/y", 0},
		{MKDIR, "/t/d", RM, "/t/y", 0},
		{NOTHING, "", WRITE, "/t/x", 0},
	};

	for (size_t i = 0; i < sizeof(q) / sizeof(*q); i++) {
		static const uint32_t type[] = {XS_WRITE, XS_READ, XS_DIRECTORY,
						XS_RM, XS_MKDIR};
		int t, rc;

		begin();
		put(one, 0, "/t/x", "x");
		put(one, 0, "/t/y", "y");
		t = start(one);
		if (q[i].does == WRITE)
			put(one, t, q[i].path, "mine");
		else if (q[i].does != NOTHING)
			ask(one, type[q[i].does], t, &a, 1, q[i].path);
		/* A change of its own, so that there is something to do. */
		put(one, t, "/a/mine", "m");
		if (q[i].other == WRITE)
			put(two, 0, q[i].other_path, "other");
		else
			ask(two, type[q[i].other], 0, &a, 1, q[i].other_path);
		rc = commit(one, t);
		if (rc != q[i].end)
			printf("# case %zu\n", i);
		CHECK_EQ(rc, q[i].end);
		CHECK(!strcmp(get(two, 0, "/a/mine"), rc ? "-" : "m"));
		if (!rc && q[i].other == WRITE)
			CHECK(!strcmp(get(one, 0, q[i].other_path), "other"));
		if (!rc && q[i].does == WRITE)
			CHECK(!strcmp(get(two, 0, q[i].path), "mine"));
		end();
	}
}

/* Reading only never conflicts: what was read is one state. */
static void readers(void)
{
	int t;

	begin();
	put(one, 0, "/t/x", "1");
	t = start(one);
	CHECK(!strcmp(get(one, t, "/t/x"), "1"));
	put(two, 0, "/t/x", "2");
	CHECK(!strcmp(get(one, t, "/t/x"), "1"));
	CHECK_EQ(commit(one, t), 0);
	end();
}

static void commit_events(void)
{
	int t;

	begin();
	put(one, 0, "/t/a/kid", "");
	put(one, 0, "/t/b", "");
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/t/a/kid", "k"), 0);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/t/b", "b"), 0);
	CHECK_EQ(ask(two, XS_WATCH, 0, &a, 2, "/t/tmp", "t"), 0);
	while (event(two)[0])
		;
	t = start(one);
	put(one, t, "/t/b", "1");
	put(one, t, "/t/b", "2");
	put(one, t, "/t/tmp", "");
	ask(one, XS_RM, t, &a, 1, "/t/tmp");
	ask(one, XS_RM, t, &a, 1, "/t/a");
	put(two, 0, "/t/elsewhere", ""); /* so that it is done again */
	CHECK_EQ(commit(one, t), 0);
	CHECK(!strcmp(event(two), "/t/b b"));
	CHECK(!strcmp(event(two), "/t/a/kid k"));
	CHECK(!strcmp(event(two), ""));
	end();
}

/*
 * A client whose transactions are always disturbed gets the store to itself
 * after some failures; the disturber waits, and is served afterwards.
 */
static void no_starvation(void)
{
	int t, tries = 0, rc;

	begin();
	put(one, 0, "/t/x", "0");
	do {
		t = start(one);
		get(one, t, "/t/x");
		put(one, t, "/t/x", "mine");
		tool_send(two - TOOL, XS_WRITE, 0, "/t/x\0other", 10);
		rc = commit(one, t);
		tries++;
	} while (rc == EAGAIN && tries < 50);
	CHECK_EQ(rc, 0);
	CHECK(tries > 1 && tries < 10);
	rig_run();
	while (tool_receive(two - TOOL, &a))
		CHECK_EQ(a.hdr.type, XS_WRITE);
	CHECK(!strcmp(get(one, 0, "/t/x"), "other"));
	/* Whoever holds the store and goes does not keep it. */
	for (int i = 0; i < 4; i++) {
		t = start(one);
		get(one, t, "/t/x");
		put(one, t, "/t/x", "mine");
		if (i < 3) {
			put(two, 0, "/t/x", "other");
			CHECK_EQ(commit(one, t), EAGAIN);
		}
	}
	tool_send(two - TOOL, XS_WRITE, 0, "/t/x\0last", 9);
	CHECK(!tool_receive(two - TOOL, &a));
	close(one - TOOL);
	rig_run();
	CHECK(tool_receive(two - TOOL, &a));
	one = TOOL + tool_connect();
	end();
}

static void bad_clients(void)
{
	struct xsd_sockmsg h = {.type = XS_READ, .len = 100000};
	int fd[50];

	begin();
	for (int i = 0; i < 50; i++) {
		fd[i] = tool_connect();
		CHECK_EQ(write(fd[i], &h, 1 + i % 15), 1 + i % 15);
	}
	rig_run();
	CHECK_EQ(put(one, 0, "/t/x", "1"), 0);
	for (int i = 0; i < 50; i++)
		close(fd[i]);
	/* Too long: the end of that connection. */
	CHECK_EQ(write(two - TOOL, &h, sizeof(h)), sizeof(h));
	rig_run();
	CHECK_EQ(read(two - TOOL, &h, sizeof(h)), 0);
	close(two - TOOL);
	two = TOOL + tool_connect();
	CHECK(!strcmp(get(two, 0, "/t/x"), "1"));
	/* No strings at all, no nul. */
	tool_send(one - TOOL, XS_WRITE, 0, "", 0);
	CHECK(tool_receive(one - TOOL, &a) && a.hdr.type == XS_ERROR);
	tool_send(one - TOOL, XS_READ, 0, "/t/x", 4);
	CHECK(tool_receive(one - TOOL, &a) && a.hdr.type == XS_ERROR);
	tool_send(one - TOOL, XS_SET_PERMS, 0, "/t/x\0n", 6);
	CHECK(tool_receive(one - TOOL, &a) && a.hdr.type == XS_ERROR);
	end();
}

/* A client that never reads its replies is not read from for ever. */
static void never_reads(void)
{
	struct xsd_sockmsg h = {.type = XS_DIRECTORY, .len = 2};
	char msg[18];
	long sent = 0;

	begin();
	memcpy(msg, &h, sizeof(h));
	memcpy(msg + sizeof(h), "/", 2);
	for (int i = 0; i < 100000; i++) {
		if (write(two - TOOL, msg, sizeof(msg)) != sizeof(msg))
			break;
		sent++;
		if (i % 16 == 15)
			rig_run();
	}
	CHECK(sent < 100000);
	CHECK_EQ(put(one, 0, "/t/x", "1"), 0);
	list_for_each(l, &conns)
		CHECK(container_of(l, struct conn, all)->out_bytes < 100000);
	end();
}

static void control(void)
{
	begin();
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 1, "check"), 0);
	CHECK(!strcmp(a.body, "OK"));
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 1, "quota"), 0);
	CHECK(strstr(a.body, "nodes            :     1000 Nodes per domain\n"));
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 4, "quota", "set", "nodes", "5"),
		 0);
	CHECK_EQ(quotas[QUOTA_NODES].value, 5);
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 4, "quota", "set", "nodes", "0"),
		 EINVAL);
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 2, "quota", "0"), 0);
	CHECK(!strncmp(a.body, "Domain 0:\nnodes ", 16));
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 2, "quota", "55"), ENOENT);
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 2, "print", "hello"), 0);
	CHECK(strstr(rig_log, "control: hello"));
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 1, "help"), 0);
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 1, "nonsense"), EINVAL);
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 2, "log", "maybe"), EINVAL);
	CHECK_EQ(ask(one, XS_CONTROL, 0, &a, 3, "live-update", "-f", "/none"),
		 0);
	CHECK(strcmp(a.body, "OK"));
	end();
}

static const struct test_case cases[] = {
	{"xenstore: requests on nodes and their errors", nodes},
	{"xenstore: permissions as text", permissions},
	{"xenstore: a listing longer than a message", long_listing},
	{"xenstore: watches", watches},
	{"xenstore: watches: relative, with depth, special", watch_kinds},
	{"xenstore: an event that waits is not repeated", repeated_events},
	{"xenstore: transactions are isolated", isolation},
	{"xenstore: transactions conflict over the same paths only", conflicts},
	{"xenstore: transactions that only read never conflict", readers},
	{"xenstore: events of a commit", commit_events},
	{"xenstore: no transaction starves", no_starvation},
	{"xenstore: broken requests", bad_clients},
	{"xenstore: a client that never reads", never_reads},
	{"xenstore: control commands", control},
};

int main(void)
{
	return RUN_CASES(cases);
}
