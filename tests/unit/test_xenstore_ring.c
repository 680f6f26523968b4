/* SPDX-License-Identifier: MIT */
/*
 * Guests' rings: service, hostile indexes and lengths, reconnection, quotas
 * and fairness, a domain's whole life.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "harness.h"
#include "node.h"
#include "state_file.h"
#include "xenstore_rig.h"

static struct answer a;
static int tool;

static void begin(void)
{
	rig_start();
	tool = TOOL + tool_connect();
}

static void end(void)
{
	close(tool - TOOL);
	rig_stop();
	CHECK(!store_check());
}

static void serves(void)
{
	static char big[2000];

	begin();
	rig_domain(tool, 1);
	CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/x", "hello"), 0);
	CHECK_EQ(ask(1, XS_READ, 0, &a, 1, "data/x"), 0);
	CHECK(!strcmp(a.body, "hello"));
	CHECK_EQ(a.hdr.req_id, 7);
	CHECK(rig_notified[1]);
	CHECK_EQ(ask(tool, XS_READ, 0, &a, 1, "/local/domain/1/data/x"), 0);
	CHECK(!strcmp(a.body, "hello"));
	/* Reconnection, error field and watch depth are offered. */
	CHECK_EQ(rig_page[1].server_features, 7);
	/* Larger than the ring, both ways. */
	memset(big, 'b', sizeof(big) - 1);
	CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/x", big), 0);
	CHECK_EQ(ask(1, XS_READ, 0, &a, 1, "data/x"), 0);
	CHECK(!strcmp(a.body, big));
	end();
}

static void bad_indexes(void)
{
	begin();
	rig_domain(tool, 2);
	CHECK_EQ(ask(2, XS_READ, 0, &a, 1, "data"), 0);
	rig_page[2].req_prod = rig_page[2].req_cons + 1025;
	domain_event(102);
	rig_run();
	CHECK_EQ(rig_page[2].error, XENSTORE_ERROR_RINGIDX);
	CHECK(strstr(rig_log, "domain 2"));
	/* No service now, */
	rig_page[2].req_prod = rig_page[2].req_cons;
	CHECK_EQ(ask(2, XS_READ, 0, &a, 1, "data"), -1);
	/* until it asks for a fresh start. */
	rig_page[2].connection = XENSTORE_RECONNECT;
	domain_event(102);
	rig_run();
	CHECK_EQ(rig_page[2].connection, XENSTORE_CONNECTED);
	CHECK_EQ(rig_page[2].error, XENSTORE_ERROR_NONE);
	CHECK_EQ(ask(2, XS_READ, 0, &a, 1, "data"), 0);
	/* And indexes of the reply ring. */
	rig_page[2].rsp_cons = rig_page[2].rsp_prod + 5;
	ring_send(2, XS_READ, 0, "data", 5);
	CHECK_EQ(rig_page[2].error, XENSTORE_ERROR_RINGIDX);
	end();
}

static void too_long(void)
{
	struct xsd_sockmsg h = {.type = XS_WRITE, .len = 5000};

	begin();
	rig_domain(tool, 3);
	ring_put(3, &h, sizeof(h));
	rig_run();
	CHECK_EQ(rig_page[3].error, XENSTORE_ERROR_PROTO);
	CHECK_EQ(ask(tool, XS_READ, 0, &a, 1, "/local/domain/3/data"), 0);
	end();
}

static void in_pieces(void)
{
	struct xsd_sockmsg h = {.type = XS_READ, .req_id = 1, .len = 5};
	char bytes[sizeof(h) + 5];

	begin();
	rig_domain(tool, 1);
	memcpy(bytes, &h, sizeof(h));
	memcpy(bytes + sizeof(h), "data", 5);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		CHECK_EQ(ring_put(1, bytes + i, 1), 1);
		rig_run();
	}
	CHECK(ring_receive(1, &a));
	CHECK_EQ(a.hdr.type, XS_READ);
	end();
}

/* Reconnecting drops half a request, watches and transactions. */
static void reconnects(void)
{
	struct domain *d;

	begin();
	rig_domain(tool, 1);
	CHECK_EQ(ask(1, XS_WATCH, 0, &a, 2, "data", "t"), 0);
	CHECK_EQ(ask(1, XS_TRANSACTION_START, 0, &a, 1, ""), 0);
	ring_put(1, "half", 4);
	rig_run();
	d = domain_find(1);
	CHECK_EQ(d->watches, 1);
	CHECK_EQ(d->transactions, 1);
	rig_page[1].connection = XENSTORE_RECONNECT;
	domain_event(101);
	rig_run();
	CHECK_EQ(d->watches, 0);
	CHECK_EQ(d->transactions, 0);
	CHECK_EQ(d->conn->in_used, 0);
	CHECK_EQ(rig_page[1].req_prod, 0);
	CHECK_EQ(ask(1, XS_READ, 0, &a, 1, "data"), 0);
	end();
}

static void quota_case(enum quota q, unsigned int value, const char *name)
{
	char line[64];

	quotas[q].value = value;
	snprintf(line, sizeof(line), "domain 1 is over its quota \"%s\"", name);
	rig_log[0] = '\0';
	switch (q) {
	case QUOTA_NODES:
		for (unsigned int i = 1; i < value; i++) {
			char path[32];

			snprintf(path, sizeof(path), "data/n%u", i);
			CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, path, ""), 0);
		}
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/more", ""), ENOSPC);
		CHECK_EQ(ask(1, XS_MKDIR, 0, &a, 1, "data/a/b"), ENOSPC);
		/* What it has can be changed and removed, and made again. */
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/n1", "z"), 0);
		CHECK_EQ(ask(1, XS_RM, 0, &a, 1, "data/n1"), 0);
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/n1", "z"), 0);
		break;
	case QUOTA_WATCHES:
		CHECK_EQ(ask(1, XS_WATCH, 0, &a, 2, "data", "1"), 0);
		CHECK_EQ(ask(1, XS_WATCH, 0, &a, 2, "data", "1"), EEXIST);
		CHECK_EQ(ask(1, XS_WATCH, 0, &a, 2, "data", "2"), E2BIG);
		break;
	case QUOTA_TRANSACTIONS:
		CHECK_EQ(ask(1, XS_TRANSACTION_START, 0, &a, 1, ""), 0);
		CHECK_EQ(ask(1, XS_TRANSACTION_START, 0, &a, 1, ""), ENOSPC);
		break;
	case QUOTA_NODE_SIZE:
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/n", "0123456789"),
			 ENOSPC);
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/n", "0"), 0);
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/n", "0123456789"),
			 ENOSPC);
		break;
	case QUOTA_PERMS:
		CHECK_EQ(ask(1, XS_SET_PERMS, 0, &a, 3, "data", "n1", "r2"), 0);
		CHECK_EQ(ask(1, XS_SET_PERMS, 0, &a, 4, "data", "n1", "r2",
			     "r3"),
			 ENOSPC);
		break;
	case QUOTA_PATH_MAX:
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/abc", ""), 0);
		CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/abcd", ""), EINVAL);
		break;
	default:
		CHECK(!"a case for this quota");
	}
	CHECK(strstr(rig_log, line));
	/* One line, however often. */
	CHECK(!strstr(strstr(rig_log, line) + 1, line));
}

static void quotas_hold(void)
{
	static const struct {
		enum quota q;
		unsigned int value;
		const char *name;
	} q[] = {
		{QUOTA_NODES, 10, "nodes"},
		{QUOTA_WATCHES, 1, "watches"},
		{QUOTA_TRANSACTIONS, 1, "transactions"},
		{QUOTA_NODE_SIZE, 12, "node-size"},
		{QUOTA_PERMS, 2, "permissions"},
		{QUOTA_PATH_MAX, 8, "path-max"},
	};

	for (size_t i = 0; i < sizeof(q) / sizeof(*q); i++) {
		begin();
		rig_domain(tool, 1);
		quota_case(q[i].q, q[i].value, q[i].name);
		end();
	}
}

static void memory_quota(void)
{
	static char value[1001];
	char path[32];
	int rc = 0, n = 0;

	begin();
	rig_domain(tool, 1);
	memset(value, 'v', sizeof(value) - 1);
	quotas[QUOTA_MEMORY].value = 20000;
	for (; n < 100 && !rc; n++) {
		snprintf(path, sizeof(path), "data/%d", n);
		rc = ask(1, XS_WRITE, 0, &a, 2, path, value);
	}
	CHECK_EQ(rc, ENOMEM);
	CHECK(n > 10 && n <= 20);
	CHECK(strstr(rig_log, "domain 1 is over its quota \"memory\""));
	/* It can still read and make room. */
	CHECK_EQ(ask(1, XS_READ, 0, &a, 1, "data/1"), 0);
	CHECK_EQ(ask(1, XS_RM, 0, &a, 1, "data/1"), 0);
	CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/1", value), 0);
	CHECK_EQ(ask(tool, XS_WRITE, 0, &a, 2, "/t/other", value), 0);
	end();
}

static void transaction_quota(void)
{
	char path[32];
	unsigned int t;
	int rc = 0;

	begin();
	rig_domain(tool, 1);
	quotas[QUOTA_TRANS_NODES].value = 20;
	CHECK_EQ(ask(1, XS_TRANSACTION_START, 0, &a, 1, ""), 0);
	t = atoi(a.body);
	for (int i = 0; i < 25 && !rc; i++) {
		snprintf(path, sizeof(path), "data/%d", i);
		rc = ask(1, XS_WRITE, t, &a, 2, path, "");
	}
	CHECK_EQ(rc, ENOSPC);
	CHECK(strstr(rig_log, "quota \"transaction-nodes\""));
	CHECK_EQ(ask(1, XS_TRANSACTION_END, t, &a, 1, "T"), ENOSPC);
	CHECK_EQ(ask(1, XS_READ, 0, &a, 1, "data/0"), ENOENT);
	end();
}

/*
 * A guest whose writes cause events that a tool does not take is stopped at
 * its quota of outstanding requests; another guest is served all the same.
 */
static void outstanding(void)
{
	int lazy, served = 0, size = 4096;

	begin();
	lazy = tool_connect();
	rig_domain(tool, 1);
	rig_domain(tool, 2);
	list_for_each(l, &conns) {
		struct conn *c = container_of(l, struct conn, all);

		if (c->src.fd >= 0)
			setsockopt(c->src.fd, SOL_SOCKET, SO_SNDBUF, &size,
				   sizeof(size));
	}
	tool_send(lazy, XS_WATCH, 0, "/local/domain/1/data\0t", 23);
	for (int i = 0; i < 2000; i++) {
		char body[32];
		int len = sprintf(body, "data/%d", i % 500) + 1;

		ring_send(1, XS_WRITE, 0, body, len);
		if (!ring_receive(1, &a))
			break;
		served++;
	}
	CHECK(served > 10 && served < 2000);
	CHECK_EQ(domain_find(1)->outstanding, quotas[QUOTA_OUTSTANDING].value);
	CHECK(strstr(rig_log, "domain 1 is over its quota \"outstanding\""));
	CHECK_EQ(ask(2, XS_WRITE, 0, &a, 2, "data/x", "y"), 0);
	/* When the tool reads, or goes, the guest goes on. */
	close(lazy);
	rig_run();
	CHECK(ring_receive(1, &a));
	CHECK(domain_find(1)->outstanding < 20);
	end();
}

/* One whose memory is not limited and that takes nothing: its ring fails, but
 * is its domain's until that goes. */
static void takes_nothing(void)
{
	static char body[3200];
	char path[48] = "/local/domain/1/data";
	size_t len = strlen(path) + 1;

	begin();
	rig_domain(tool, 1);
	quotas[QUOTA_MEMORY].value = 0;
	strcpy(body, path);
	memset(body + len, 't', sizeof(body) - len - 1);
	quotas[QUOTA_WATCHES].value = 100;
	for (int i = 0; i < 100; i++) {
		sprintf(body + len, "%02d", i);
		body[len + 2] = 't';
		ring_send(1, XS_WATCH, 0, body, sizeof(body));
		while (ring_receive(1, &a))
			continue;
	}
	for (int i = 0; i < 200 && !domain_find(1)->conn->ignored; i++) {
		sprintf(path, "/local/domain/1/data/%d", i);
		CHECK_EQ(ask(tool, XS_WRITE, 0, &a, 2, path, "y"), 0);
	}
	CHECK(domain_find(1)->conn->ignored);
	CHECK_EQ(rig_page[1].error, XENSTORE_ERROR_COMM);
	CHECK_EQ(domain_find(1)->conn->out_bytes, 0);
	/* It starts anew. */
	rig_page[1].req_prod = rig_page[1].req_cons = 0;
	rig_page[1].rsp_prod = rig_page[1].rsp_cons = 0;
	rig_page[1].connection = XENSTORE_RECONNECT;
	domain_event(101);
	rig_run();
	CHECK_EQ(ask(1, XS_READ, 0, &a, 1, "data/1"), 0);
	end();
}

/* A guest that sends without end does not keep another one waiting. */
static void fair(void)
{
	struct xsd_sockmsg h = {.type = XS_DIRECTORY, .len = 2};
	char flood[18 * 50];

	begin();
	rig_domain(tool, 1);
	rig_domain(tool, 2);
	for (int i = 0; i < 50; i++) {
		memcpy(flood + 18 * i, &h, sizeof(h));
		memcpy(flood + 18 * i + 16, "/", 2);
	}
	ring_put(1, flood, sizeof(flood));
	ring_put(2, flood, 18);
	conn_round(); /* one turn each */
	CHECK((uint32_t)rig_page[2].rsp_prod >= sizeof(h));
	/* The flooding guest has had its share, not more. */
	CHECK(domain_find(1)->conn->in_used > 0);
	end();
}

static void life(void)
{
	struct node *n;

	begin();
	CHECK_EQ(ask(tool, XS_WATCH, 0, &a, 2, "@introduceDomain", "i"), 0);
	CHECK_EQ(ask(tool, XS_WATCH, 0, &a, 2, "@releaseDomain", "r"), 0);
	while (tool_receive(tool - TOOL, &a))
		;
	tool_send(tool - TOOL, XS_INTRODUCE, 0, "5\0001\0003", 6);
	CHECK(tool_receive(tool - TOOL, &a));
	CHECK_EQ(a.hdr.type, XS_WATCH_EVENT);
	CHECK(!strcmp(a.body, "@introduceDomain"));
	CHECK(tool_receive(tool - TOOL, &a));
	CHECK_EQ(a.hdr.type, XS_INTRODUCE);
	CHECK_EQ(ask(tool, XS_IS_DOMAIN_INTRODUCED, 0, &a, 1, "5"), 0);
	CHECK(!strcmp(a.body, "T"));
	CHECK_EQ(ask(tool, XS_INTRODUCE, 0, &a, 3, "6", "1", "666"), EINVAL);
	CHECK_EQ(ask(tool, XS_INTRODUCE, 0, &a, 3, "0", "1", "3"), EINVAL);
	CHECK(!rig_mapped[6]);
	/* Nodes of its own, and a right at another's node. */
	CHECK_EQ(ask(tool, XS_WRITE, 0, &a, 2, "/a/own", "x"), 0);
	CHECK_EQ(ask(tool, XS_SET_PERMS, 0, &a, 2, "/a/own", "n5"), 0);
	CHECK_EQ(ask(tool, XS_WRITE, 0, &a, 2, "/a/ours", "x"), 0);
	CHECK_EQ(ask(tool, XS_SET_PERMS, 0, &a, 3, "/a/ours", "n0", "r5"), 0);
	CHECK_EQ(ask(5, XS_READ, 0, &a, 1, "/a/ours"), 0);
	rig_state[5] = DOMAIN_SHUTDOWN;
	domain_check();
	rig_run();
	CHECK(tool_receive(tool - TOOL, &a));
	CHECK(!strcmp(a.body, "@releaseDomain"));
	domain_check(); /* told once only */
	rig_run();
	CHECK(!tool_receive(tool - TOOL, &a));
	rig_state[5] = DOMAIN_GONE;
	domain_check();
	rig_run();
	CHECK(tool_receive(tool - TOOL, &a));
	CHECK(!strcmp(a.body, "@releaseDomain"));
	CHECK(!rig_mapped[5]);
	n = tree_find(store.root, "/a/own", NULL);
	CHECK(!n);
	/* The next domain 5 does not inherit the right. */
	rig_state[5] = DOMAIN_RUNNING;
	rig_domain(tool, 5);
	CHECK_EQ(ask(5, XS_READ, 0, &a, 1, "/a/ours"), EACCES);
	end();
}

/* A transaction cannot give a node to a domain that died meanwhile. */
static void late_gift(void)
{
	int t;

	begin();
	rig_domain(tool, 5);
	CHECK_EQ(ask(tool, XS_RM, 0, &a, 1, "/local"), 0);
	CHECK_EQ(ask(tool, XS_WRITE, 0, &a, 2, "/a/gift", ""), 0);
	CHECK_EQ(ask(tool, XS_TRANSACTION_START, 0, &a, 1, ""), 0);
	t = atoi(a.body);
	CHECK_EQ(ask(tool, XS_SET_PERMS, t, &a, 2, "/a/gift", "n5"), 0);
	rig_state[5] = DOMAIN_GONE;
	domain_check();
	CHECK_EQ(ask(tool, XS_TRANSACTION_END, t, &a, 1, "T"), EAGAIN);
	CHECK(!store_check());
	end();
}

static void permissions(void)
{
	begin();
	rig_domain(tool, 1);
	rig_domain(tool, 2);
	CHECK_EQ(ask(1, XS_WRITE, 0, &a, 2, "data/s", "secret"), 0);
	CHECK_EQ(ask(1, XS_GET_PERMS, 0, &a, 1, "data/s"), 0);
	CHECK(!strcmp(a.body, "n1"));
	CHECK_EQ(ask(2, XS_READ, 0, &a, 1, "/local/domain/1/data/s"), EACCES);
	/* Missing looks the same as forbidden. */
	CHECK_EQ(ask(2, XS_READ, 0, &a, 1, "/local/domain/1/data/no"), EACCES);
	CHECK_EQ(ask(1, XS_READ, 0, &a, 1, "data/no"), ENOENT);
	CHECK_EQ(ask(1, XS_SET_PERMS, 0, &a, 3, "data/s", "n1", "r2"), 0);
	CHECK_EQ(ask(2, XS_READ, 0, &a, 1, "/local/domain/1/data/s"), 0);
	CHECK_EQ(ask(2, XS_WRITE, 0, &a, 2, "/local/domain/1/data/s", "x"),
		 EACCES);
	CHECK_EQ(ask(1, XS_SET_PERMS, 0, &a, 2, "data/s", "n2"), EPERM);
	CHECK_EQ(ask(2, XS_SET_PERMS, 0, &a, 2, "/local/domain/1/data/s", "b2"),
		 EACCES);
	CHECK_EQ(ask(1, XS_SET_PERMS, 0, &a, 2, "data/s", "q1"), EINVAL);
	CHECK_EQ(ask(1, XS_CONTROL, 0, &a, 1, "check"), EACCES);
	CHECK_EQ(ask(1, XS_INTRODUCE, 0, &a, 3, "3", "1", "1"), EACCES);
	CHECK_EQ(ask(1, XS_RM, 0, &a, 1, "/local/domain/2/data"), EACCES);
	CHECK_EQ(ask(1, XS_WATCH, 0, &a, 2, "@releaseDomain", "t"), 0);
	/* Acting for another domain, as a device model does. */
	CHECK_EQ(ask(tool, XS_SET_TARGET, 0, &a, 2, "2", "1"), 0);
	CHECK_EQ(ask(2, XS_WRITE, 0, &a, 2, "/local/domain/1/data/s", "x"), 0);
	end();
}

/* A child takes over @fd's state: whether it lived to say what it thinks. */
static bool restores(int fd)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		state_restore(fd);
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status);
}

static bool restores_bytes(const char *p, size_t len)
{
	int fd = memfd_create("state", 0);
	bool ok = write(fd, p, len) == (ssize_t)len && restores(fd);

	close(fd);
	return ok;
}

/* As deep as a path can be. */
static void deep_path(char *path)
{
	strcpy(path, "/local/domain/1/data");
	while (strlen(path) + 2 <= XENSTORE_REL_PATH_MAX)
		strcat(path, "/d");
}

/* The dump of a state with something of everything. */
static size_t dump(char *buf, size_t size)
{
	char big[200];
	unsigned int t;
	ssize_t n;
	int fd;

	rig_domain(tool, 1);
	ask(1, XS_TRANSACTION_START, 0, &a, 1, "");
	t = atoi(a.body);
	ask(1, XS_WRITE, t, &a, 2, "data/a", "b");
	ask(1, XS_SET_PERMS, t, &a, 3, "data/a", "n1", "r2");
	ask(1, XS_RM, t, &a, 1, "data/a");
	ask(1, XS_WATCH, 0, &a, 2, "data", "token");
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 8; i++)
		tool_send(tool - TOOL, XS_WRITE, 0, big, sizeof(big));
	fd = state_save();
	n = fd < 0 ? -1 : pread(fd, buf, size, 0);
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

/* Live update: whatever is wrong in the dump, it is refused. */
static void hostile_states(void)
{
	static const uint32_t values[] = {0, 1, 33, 4096, 70000, ~0u};
	static char good[65536], bad[65536];
	unsigned int died = 0, seed = 0;
	size_t len;

	begin();
	len = dump(good, sizeof(good));
	CHECK(len > 500 && len < sizeof(good));
	CHECK(restores_bytes(good, len));
	for (size_t at = 24; at + 4 <= len; at += 9) {
		memcpy(bad, good, len);
		memcpy(bad + at, &values[seed++ % 6], 4);
		died += !restores_bytes(bad, len);
	}
	CHECK_EQ(died, 0);
	end();
}

/* … and what any guest can make is not. */
static void deep_state(void)
{
	static char path[XENSTORE_ABS_PATH_MAX + 8];
	struct rlimit was, small = {.rlim_cur = 3 << 20};
	int fd;

	begin();
	rig_domain(tool, 1);
	quotas[QUOTA_NODES].value = 0;
	deep_path(path);
	CHECK_EQ(ask(tool, XS_WRITE, 0, &a, 2, path, "x"), 0);
	getrlimit(RLIMIT_STACK, &was);
	small.rlim_max = was.rlim_max;
	setrlimit(RLIMIT_STACK, &small);
	fd = state_save();
	CHECK(fd >= 0 && restores(fd));
	setrlimit(RLIMIT_STACK, &was);
	close(fd);
	end();
}

static const struct test_case cases[] = {
	{"xenstore: a guest reads and writes over its ring", serves},
	{"xenstore: rings with indexes that cannot be", bad_indexes},
	{"xenstore: a request that is too long ends the service", too_long},
	{"xenstore: a request byte by byte", in_pieces},
	{"xenstore: a guest reconnects", reconnects},
	{"xenstore: quotas, their errors and their log lines", quotas_hold},
	{"xenstore: the memory quota", memory_quota},
	{"xenstore: the quota of nodes in a transaction", transaction_quota},
	{"xenstore: the quota of outstanding requests", outstanding},
	{"xenstore: a guest that takes nothing", takes_nothing},
	{"xenstore: a flooding guest gets its turn and no more", fair},
	{"xenstore: introduction, shutdown and death of a domain", life},
	{"xenstore: no node for a domain that died", late_gift},
	{"xenstore: permissions between guests", permissions},
	{"xenstore: states that lie", hostile_states},
	{"xenstore: a state with a deep path", deep_state},
};

int main(void)
{
	return RUN_CASES(cases);
}
