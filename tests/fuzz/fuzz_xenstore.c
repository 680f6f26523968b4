/* SPDX-License-Identifier: MIT */
/*
 * The daemon under arbitrary bytes: two guests' rings (whose indexes the input
 * may set to anything) and two tools' sockets. The input is a list of steps;
 * each is an opcode, an actor, a length and that many bytes. After each input
 * the whole store is checked and everything is torn down again.
 *
 * With clang's libFuzzer this is a fuzzer; alone, main() replays the files and
 * directories that are its arguments (or the corpus) and prints TAP.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "xenstore_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum step {
	STEP_GUEST,   /* bytes into a guest's request ring */
	STEP_TOOL,    /* bytes into a tool's socket */
	STEP_REQUEST, /* a guest's request with a right header: type, body */
	STEP_TOOL_REQUEST,
	STEP_TAKE,  /* a guest consumes what there is for it */
	STEP_INDEX, /* a guest writes an index */
	STEP_RECONNECT,
	STEP_STATE, /* a domain shuts down, dies, or comes back */
	STEP_LAST
};

struct actors {
	int tool[2];
};

static void set_index(unsigned int domid, const uint8_t *p, size_t n)
{
	struct xenstore_domain_interface *r = &rig_page[domid];
	uint32_t v;

	if (n < 5)
		return;
	memcpy(&v, p + 1, sizeof(v));
	switch (p[0] % 4) {
	case 0:
		r->req_cons = v;
		break;
	case 1:
		r->req_prod = v;
		break;
	case 2:
		r->rsp_cons = v;
		break;
	default:
		r->rsp_prod = v;
	}
	domain_event(100 + domid);
}

static void set_state(unsigned int domid, const uint8_t *p, size_t n)
{
	if (!n)
		return;
	rig_state[domid] = p[0] % 3;
	domain_check();
	if (rig_state[domid] == DOMAIN_RUNNING)
		domain_introduce(domid, 1, 5);
}

/* p[0]: the type, p[1]: 1 for the transaction 1; then the body. */
static size_t request(char *buf, const uint8_t *p, size_t n)
{
	struct xsd_sockmsg h = {.req_id = 1};

	if (n < 2)
		return 0;
	h.type = p[0] % 24;
	h.tx_id = p[1] % 3;
	h.len = n - 2;
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), p + 2, n - 2);
	return sizeof(h) + n - 2;
}

static void tool_bytes(struct actors *a, unsigned int who, const void *p,
		       size_t n)
{
	char sink[4096];

	if (send(a->tool[who], p, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 &&
	    errno != EAGAIN) {
		close(a->tool[who]); /* the daemon ended it */
		a->tool[who] = tool_connect();
	}
	while (who && recv(a->tool[who], sink, sizeof(sink), 0) > 0)
		; /* the other one never reads */
}

static void step(struct actors *a, unsigned int op, unsigned int who,
		 const uint8_t *p, size_t n)
{
	unsigned int domid = 1 + who;
	char buf[sizeof(struct xsd_sockmsg) + 256];

	switch (op) {
	case STEP_GUEST:
		ring_put(domid, p, n);
		break;
	case STEP_TOOL:
		tool_bytes(a, who, p, n);
		break;
	case STEP_REQUEST:
		ring_put(domid, buf, request(buf, p, n));
		break;
	case STEP_TOOL_REQUEST:
		tool_bytes(a, who, buf, request(buf, p, n));
		break;
	case STEP_TAKE:
		rig_page[domid].rsp_cons = rig_page[domid].rsp_prod;
		domain_event(100 + domid);
		break;
	case STEP_INDEX:
		set_index(domid, p, n);
		break;
	case STEP_RECONNECT:
		rig_page[domid].connection = XENSTORE_RECONNECT;
		domain_event(100 + domid);
		break;
	default:
		set_state(domid, p, n);
	}
}

static void tear_down(struct actors *a)
{
	close(a->tool[0]);
	close(a->tool[1]);
	rig_clean();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *p = data, *end = data + size;
	struct actors a;

	rig_start();
	a.tool[0] = tool_connect();
	a.tool[1] = tool_connect();
	rig_domain(TOOL + a.tool[1], 1);
	rig_domain(TOOL + a.tool[1], 2);
	while (end - p >= 2) {
		unsigned int op = p[0] % STEP_LAST, who = p[0] >> 7;
		size_t n = p[1];

		p += 2;
		if (n > (size_t)(end - p))
			n = end - p;
		step(&a, op, who, p, n);
		p += n;
		rig_run();
	}
	if (store_check())
		abort();
	tear_down(&a);
	if (store_check())
		abort();
	return 0;
}

#ifndef FUZZER
static int replayed;

static void replay_file(const char *path)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(buf, 1, sizeof(buf), f) : 0;

	if (f)
		fclose(f);
	LLVMFuzzerTestOneInput(buf, n);
	replayed += f != NULL;
}

static void replay(const char *path)
{
	DIR *d = opendir(path);
	char file[4096];
	struct dirent *e;

	if (!d) {
		replay_file(path);
		return;
	}
	while ((e = readdir(d))) {
		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			replay_file(file);
	}
	closedir(d);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1)
		replay(CORPUS);
	printf("%sok 1 - fuzz: xenstore's wire and rings: %d inputs\n1..1\n",
	       replayed ? "" : "not ", replayed);
	return !replayed;
}
#endif
