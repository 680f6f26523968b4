/* SPDX-License-Identifier: MIT */
/*
 * A guest's ring in every way that a guest may use it. The input begins with
 * the indexes at the start, so that they wrap anywhere; then come steps: a
 * request, so many bytes of what was requested into the ring, so many bytes out
 * of it, and anything at all written into the page.
 *
 * What is checked: the daemon writes only what is its own of the page; with a
 * page that was not spoilt the answers are those that the same requests get
 * when each is put in whole and taken at once; a spoilt one is served again
 * once its guest has reconnected; and another guest never notices.
 */
#include <stdint.h>

#include "xenstore_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define GUEST    1
#define OTHER    2
#define MAX_TALK (1u << 20)

enum step { STEP_REQUEST, STEP_PUT, STEP_TAKE, STEP_SPOIL, STEP_RECONNECT };
#define STEPS 5

/* What went either way. */
struct talk {
	char *bytes;
	size_t len, done;
};

static struct talk requests, answers;
static bool spoilt;
static struct xenstore_domain_interface was;

static struct xenstore_domain_interface *page(void)
{
	return &rig_page[GUEST];
}

static void add(struct talk *t, const void *p, size_t n)
{
	if (t->len + n > MAX_TALK)
		abort();
	memcpy(t->bytes + t->len, p, n);
	t->len += n;
}

/* ---- what the daemon may write ---- */

static void remember(void)
{
	memcpy(&was, page(), sizeof(was));
}

static void demand(bool holds)
{
	if (!holds)
		abort();
}

/* Requests are the guest's; of answers only those that are new changed. */
static void check_page(void)
{
	struct xenstore_domain_interface *is = page();
	uint32_t new = is->rsp_prod - was.rsp_prod;

	demand(!memcmp(is->req, was.req, sizeof(was.req)));
	if (was.connection == XENSTORE_RECONNECT)
		return; /* all anew */
	demand(is->connection == was.connection);
	demand(is->req_prod == was.req_prod && is->rsp_cons == was.rsp_cons);
	demand(is->req_cons - was.req_cons <= XENSTORE_RING_SIZE);
	demand(new <= XENSTORE_RING_SIZE);
	for (uint32_t i = new; i < XENSTORE_RING_SIZE; i++) {
		uint32_t at = MASK_XENSTORE_IDX(was.rsp_prod + i);

		demand(is->rsp[at] == was.rsp[at]);
	}
	if (!spoilt)
		demand(!is->error &&
		       is->rsp_prod - is->rsp_cons <= XENSTORE_RING_SIZE);
}

static void serve(void)
{
	remember();
	rig_run();
	check_page();
}

/* ---- the guest's side ---- */

static void put(size_t n)
{
	size_t left = requests.len - requests.done;

	if (n > left)
		n = left;
	requests.done += ring_put(GUEST, requests.bytes + requests.done, n);
	serve();
}

/* With a spoilt page there may seem to be any number of bytes. */
static size_t take(size_t n)
{
	char buf[XENSTORE_RING_SIZE];
	size_t got;

	if (n > sizeof(buf))
		n = sizeof(buf);
	got = ring_get(GUEST, buf, n);
	if (!spoilt)
		add(&answers, buf, got);
	serve();
	return got;
}

/* Its bytes 0 and 1 say where in the page, the others are written there. */
static void spoil(const uint8_t *p, size_t n)
{
	size_t at, room;

	if (n < 3)
		return;
	at = (p[0] | p[1] << 8) % sizeof(was);
	room = sizeof(was) - at;
	p += 2;
	n -= 2;
	memcpy((char *)page() + at, p, n < room ? n : room);
	spoilt = true;
	domain_event(100 + GUEST);
	serve();
}

static void reconnect(void)
{
	page()->connection = XENSTORE_RECONNECT;
	spoilt = true; /* where it stood in its requests is lost */
	domain_event(100 + GUEST);
	serve();
}

/*
 * p[0]: the type, p[1]: whether in the transaction 1. What depends on time or
 * on other connections has no part in the comparison.
 */
static void request(const uint8_t *p, size_t n)
{
	static const uint8_t types[] = {
		XS_DIRECTORY,
		XS_READ,
		XS_GET_PERMS,
		XS_TRANSACTION_START,
		XS_TRANSACTION_END,
		XS_WRITE,
		XS_MKDIR,
		XS_RM,
		XS_SET_PERMS,
		XS_WATCH,
		XS_UNWATCH,
		XS_GET_DOMAIN_PATH,
		XS_INTRODUCE,
		XS_RESET_WATCHES,
		99,
	};
	struct xsd_sockmsg h = {.req_id = (uint32_t)requests.len};

	if (n < 2)
		return;
	h.type = types[p[0] % sizeof(types)];
	h.tx_id = p[1] & 1;
	h.len = (uint32_t)n - 2;
	add(&requests, &h, sizeof(h));
	add(&requests, p + 2, n - 2);
}

static void step(unsigned int op, const uint8_t *p, size_t n)
{
	switch (op) {
	case STEP_REQUEST:
		request(p, n);
		break;
	case STEP_PUT:
		put(n ? p[0] * 8u + 1 : 1);
		break;
	case STEP_TAKE:
		take(n ? p[0] * 8u + 1 : 1);
		break;
	case STEP_SPOIL:
		spoil(p, n);
		break;
	default:
		reconnect();
	}
}

/* ---- a run ---- */

static void begin(const uint8_t *start)
{
	int tool;

	rig_start();
	requests.len = requests.done = answers.len = 0;
	spoilt = false;
	tool = tool_connect();
	rig_domain(TOOL + tool, GUEST);
	rig_domain(TOOL + tool, OTHER);
	close(tool);
	rig_run();
	/* The ring is empty: it may stand anywhere. */
	memcpy(&page()->req_cons, start, 4);
	page()->req_prod = page()->req_cons;
	memcpy(&page()->rsp_cons, start + 4, 4);
	page()->rsp_prod = page()->rsp_cons;
}

/* Everything that was requested, and all the answers. */
static void finish(void)
{
	size_t got, before;

	do {
		before = requests.done;
		put(requests.len);
		got = take(XENSTORE_RING_SIZE);
	} while (!spoilt && (got || requests.done > before));
	demand(spoilt || requests.done == requests.len);
}

static void check_service(void)
{
	struct answer a;

	demand(!ask(OTHER, XS_READ, 0, &a, 1, "data"));
	if (spoilt) {
		page()->connection = XENSTORE_RECONNECT;
		domain_event(100 + GUEST);
		rig_run();
		demand(page()->connection == XENSTORE_CONNECTED);
		demand(!page()->error);
		/* Its node may be gone, not its answers. */
		demand(ask(GUEST, XS_READ, 0, &a, 1, "data") >= 0);
	}
	demand(!store_check());
	rig_clean();
	demand(!store_check());
}

/* With all requests whole (and none but those), or as the input has it. */
static void run(const uint8_t *data, size_t size, bool whole)
{
	const uint8_t *p = data + 8, *end = data + size;

	begin(data);
	while (end - p >= 2) {
		unsigned int op = p[0] % STEPS;
		size_t n = p[1];

		p += 2;
		if (n > (size_t)(end - p))
			n = (size_t)(end - p);
		if (!whole || op == STEP_REQUEST)
			step(op, p, n);
		if (whole)
			finish();
		p += n;
	}
	finish();
}

/* The next answer that is none of a watch, whose number depends on when. */
static const char *next_reply(struct talk *t, size_t *len)
{
	struct xsd_sockmsg h;
	const char *at;

	do {
		if (t->done == t->len)
			return NULL;
		demand(t->len - t->done >= sizeof(h));
		at = t->bytes + t->done;
		memcpy(&h, at, sizeof(h));
		*len = sizeof(h) + h.len;
		demand(t->len - t->done >= *len);
		t->done += *len;
	} while (h.type == XS_WATCH_EVENT);
	return at;
}

static void compare(struct talk *a, struct talk *b)
{
	size_t na = 0, nb = 0;
	const char *pa, *pb;

	a->done = b->done = 0;
	do {
		pa = next_reply(a, &na);
		pb = next_reply(b, &nb);
		demand(!pa == !pb);
		demand(!pa || (na == nb && !memcmp(pa, pb, na)));
	} while (pa);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk as_is;

	if (size < 8)
		return 0;
	requests.bytes = malloc(MAX_TALK);
	answers.bytes = malloc(MAX_TALK);
	demand(requests.bytes && answers.bytes);
	run(data, size, false);
	check_service();
	if (!spoilt) {
		as_is = answers;
		answers.bytes = malloc(MAX_TALK);
		demand(answers.bytes);
		run(data, size, true);
		check_service();
		compare(&as_is, &answers);
		free(as_is.bytes);
	}
	free(requests.bytes);
	free(answers.bytes);
	return 0;
}
