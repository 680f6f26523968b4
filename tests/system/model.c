/* SPDX-License-Identifier: MIT */
/*
 * model DOMID HOW [SEED]: a second device model for a paused guest that runs
 * guests/pvh/asker in its firmware's place; it has eight ports and the video
 * memory's first half. Says "ready", and then what it saw.
 *	answers N   answers N reads a batch
 *	string N    answers a string instruction of N reads, N / 2 a page
 *	silent      never answers one read
 *	state S     leaves a request in state S
 *	video N     takes nothing out of the ring of buffered writes before the
 *	            guest's N writes are over
 *	rubbish     answers a thousand reads, each with random bytes all over
 *	            the pages of requests but for the answer's state
 *	storm       answers for a second, and asks dm_op for random things
 *	crash       has the guest crash
 * models.sh says what must come of each.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define __XEN_TOOLS__
#include <xen/hvm/dm_op.h>
#include <xen/hvm/ioreq.h>
#include <xen/memory.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/privcmd.h>

#define PAGE      4096
#define ASK       0x5170
#define ANSWER    0x5174
#define PORTS     8
#define VIDEO     0xa0000
#define VIDEO_END 0xaffff

static int privcmd, evtchn;
static domid_t guest;
static struct buffered_iopage *ring;
static volatile struct ioreq *slot;
static uint32_t port; /* of the guest's first vCPU, at this end */
static uint64_t seed = 1;

static int fail(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

/* 0 or -1 with errno; more: what the operation is about. */
static int dm(struct xen_dm_op *op, void *more, size_t size)
{
	privcmd_dm_op_buf_t bufs[2] = {{op, sizeof(*op)}, {more, size}};
	privcmd_dm_op_t d = {.dom = guest, .num = more ? 2 : 1, .ubufs = bufs};

	return ioctl(privcmd, IOCTL_PRIVCMD_DM_OP, &d);
}

static void claim(ioservid_t id, uint32_t type, uint64_t first, uint64_t last)
{
	struct xen_dm_op op = {.op = XEN_DMOP_map_io_range_to_ioreq_server};

	op.u.map_io_range_to_ioreq_server.id = id;
	op.u.map_io_range_to_ioreq_server.type = type;
	op.u.map_io_range_to_ioreq_server.start = first;
	op.u.map_io_range_to_ioreq_server.end = last;
	if (dm(&op, NULL, 0))
		fail("a range");
}

/* Both pages: the ring, then the requests. */
static void map_pages(ioservid_t id)
{
	privcmd_mmap_resource_t r = {
		.dom = guest,
		.type = XENMEM_resource_ioreq_server,
		.id = id,
		.idx = XENMEM_resource_ioreq_server_frame_bufioreq,
		.num = 2,
	};
	char *at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			privcmd, 0);

	r.addr = (uintptr_t)at;
	if (at == MAP_FAILED || ioctl(privcmd, IOCTL_PRIVCMD_MMAP_RESOURCE, &r))
		fail("the pages");
	ring = (void *)at;
	slot = (void *)(at + PAGE);
}

static void attach(void)
{
	struct xen_dm_op op = {.op = XEN_DMOP_create_ioreq_server};
	struct ioctl_evtchn_bind_interdomain b = {.remote_domain = guest};
	ioservid_t id;
	int rc;

	/* 2: a ring whose two pointers change together. */
	op.u.create_ioreq_server.handle_bufioreq = 2;
	if (dm(&op, NULL, 0))
		fail("a server");
	id = op.u.create_ioreq_server.id;
	map_pages(id);
	claim(id, XEN_DMOP_IO_RANGE_PORT, ASK, ASK + PORTS - 1);
	claim(id, XEN_DMOP_IO_RANGE_MEMORY, VIDEO, VIDEO_END);
	memset(&op, 0, sizeof(op));
	op.op = XEN_DMOP_set_ioreq_server_state;
	op.u.set_ioreq_server_state.id = id;
	op.u.set_ioreq_server_state.enabled = 1;
	if (dm(&op, NULL, 0))
		fail("on");
	/* Known from then on, by Debian's Xen. */
	b.remote_port = slot->vp_eport;
	rc = ioctl(evtchn, IOCTL_EVTCHN_BIND_INTERDOMAIN, &b);
	if (rc < 0)
		fail("the port");
	port = (uint32_t)rc;
	puts("ready");
	fflush(stdout);
}

static void leave(uint8_t state)
{
	struct ioctl_evtchn_notify n = {.port = port};

	__atomic_thread_fence(__ATOMIC_RELEASE);
	slot->state = state;
	ioctl(evtchn, IOCTL_EVTCHN_NOTIFY, &n);
}

static void answer(uint64_t data)
{
	slot->data = data;
	leave(STATE_IORESP_READY);
}

/* Waits for the guest's next request. False: five seconds without one. */
static bool any_asked(void)
{
	struct pollfd p = {.fd = evtchn, .events = POLLIN};
	uint32_t fired;

	while (slot->state != STATE_IOREQ_READY) {
		if (poll(&p, 1, 5000) <= 0)
			return false;
		if (read(evtchn, &fired, sizeof(fired)) == sizeof(fired) &&
		    write(evtchn, &fired, sizeof(fired)) < 0)
			fail("unmask");
	}
	slot->state = STATE_IOREQ_INPROCESS;
	return true;
}

/* … that is an access. Debian's Xen tells every server of memory that the
 * guest gave away. */
static bool asked(void)
{
	while (any_asked()) {
		if (slot->type != IOREQ_TYPE_INVALIDATE)
			return true;
		answer(0);
	}
	return false;
}

/* The guest asks what to do, and is told. */
static void tell(char what, uint32_t n)
{
	if (!asked() || slot->addr != ASK) {
		fprintf(stderr, "the guest did not ask: port %llx\n",
			(unsigned long long)slot->addr);
		exit(1);
	}
	answer((uint8_t)what | n << 8);
}

static void end(void)
{
	tell('.', 0);
	puts("ended");
}

static int answers(uint32_t n)
{
	tell('r', n);
	for (uint32_t i = 0; i < 7 * n && asked(); i++)
		answer(i);
	end();
	return 0;
}

/* Bytes of the guest's memory, within a page. */
static void fill(uint64_t gpa, uint32_t n)
{
	xen_pfn_t frame = gpa / PAGE;
	int err = 0;
	char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, privcmd,
			0);
	privcmd_mmapbatch_v2_t m = {.num = 1,
				    .dom = guest,
				    .addr = (uintptr_t)at,
				    .arr = &frame,
				    .err = &err};

	if (at == MAP_FAILED ||
	    ioctl(privcmd, IOCTL_PRIVCMD_MMAPBATCH_V2, &m) || err)
		fail("the guest's page");
	memset(at + gpa % PAGE, 0xa5, n);
	munmap(at, PAGE);
}

/* A run of them is in the guest's memory, at the address that data has. */
static int string(uint32_t n)
{
	uint32_t got = 0, requests = 0;

	tell('i', n);
	for (; got < n && asked(); requests++) {
		uint32_t some = slot->data_is_ptr ? slot->count : 1;

		if (slot->data_is_ptr)
			fill(slot->data, some);
		got += some;
		answer(0xa5);
	}
	printf("%u reads in %u requests\n", got, requests);
	end();
	return 0;
}

static int silent(void)
{
	tell('r', 1);
	if (!asked())
		return 1;
	puts("asked");
	fflush(stdout);
	pause();
	return 0;
}

static int leaves(uint8_t state)
{
	tell('r', 1);
	if (!asked())
		return 1;
	leave(state);
	printf("left in state %u\n", state);
	fflush(stdout);
	pause();
	return 0;
}

static int video(uint32_t n)
{
	uint32_t direct = 0, buffered, wrong = 0;

	tell('v', n);
	while (asked() && slot->addr != ANSWER) {
		direct++;
		answer(0);
	}
	buffered = ring->write_pointer - ring->read_pointer;
	for (uint32_t i = 0; i < buffered && i < IOREQ_BUFFER_SLOT_NUM; i++) {
		buf_ioreq_t *b = &ring->buf_ioreq[(ring->read_pointer + i) %
						  IOREQ_BUFFER_SLOT_NUM];

		wrong += b->addr != ((VIDEO + i) & 0xfffff) ||
			 b->data != (uint8_t)i;
	}
	ring->read_pointer += buffered;
	answer(0x77);
	printf("%u buffered, %u wrong, %u directly\n", buffered, wrong, direct);
	end();
	return 0;
}

/* Over everything that the two pages hold, but for who is asked. */
static void scribble(void)
{
	uint64_t *r = (void *)ring;
	unsigned char *s = (unsigned char *)(uintptr_t)slot;
	uint8_t state = slot->state;

	for (unsigned int i = 0; i < PAGE / 8; i++)
		r[i] = random64();
	for (unsigned int i = sizeof(*slot); i < PAGE; i++)
		s[i] = (uint8_t)random64();
	for (unsigned int i = 0; i < sizeof(*slot); i++)
		s[i] = (uint8_t)random64();
	slot->state = state;
}

static int rubbish(void)
{
	uint32_t n = 0;

	tell('r', 150);
	for (; n < 7 * 150 && asked(); n++) {
		scribble();
		leave(STATE_IORESP_READY);
	}
	tell('v', 100);
	while (asked() && slot->addr != ANSWER) {
		scribble();
		leave(STATE_IORESP_READY);
	}
	scribble();
	leave(STATE_IORESP_READY);
	end();
	printf("%u answers\n", n);
	return 0;
}

/* What is left of the guest afterwards is its own matter; the hypervisor's
 * answer is, too. */
static void random_request(void)
{
	static const uint8_t ops[] = {
		XEN_DMOP_set_pci_intx_level, XEN_DMOP_set_isa_irq_level,
		XEN_DMOP_set_pci_link_route, XEN_DMOP_inject_msi,
		XEN_DMOP_track_dirty_vram,   XEN_DMOP_modified_memory,
		XEN_DMOP_set_mem_type,       XEN_DMOP_inject_event,
	};
	struct xen_dm_op op = {.op = ops[random64() % sizeof(ops)]};
	uint64_t more[64];
	uint8_t *p = (void *)&op.u;
	unsigned int some = 1 + random64() % 24;

	for (unsigned int i = 0; i < some; i++)
		p[i] = random64() & 1 ? (uint8_t)random64() : 0;
	for (unsigned int i = 0; i < 64; i++)
		more[i] = random64() >> (random64() & 63);
	if (op.op == XEN_DMOP_inject_msi && random64() & 1)
		op.u.inject_msi.addr = 0xfee00000 | (random64() & 0xfffff);
	/* Its pages must stay what they are, or it cannot tell of its end. */
	if (op.op == XEN_DMOP_set_mem_type)
		op.u.set_mem_type.first_pfn |= 1ull << 40;
	dm(&op, more, sizeof(more));
}

static int storm(void)
{
	uint32_t n = 0, requests = 0;

	tell('t', 10);
	while (asked() && slot->addr == ANSWER) {
		for (unsigned int i = 0; i < 20; i++, requests++)
			random_request();
		answer(n++);
	}
	printf("%u random requests between %u answers\n", requests, n);
	return 0;
}

static int crash(void)
{
	tell('c', 0);
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 0;
	const char *how = argc > 2 ? argv[2] : "";

	guest = argc > 1 ? (domid_t)atoi(argv[1]) : 0;
	privcmd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	evtchn = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	if (privcmd < 0 || evtchn < 0 || !guest)
		fail("model DOMID HOW: /dev/xen");
	seed += n;
	attach();
	if (!strcmp(how, "answers"))
		return answers(n);
	if (!strcmp(how, "string"))
		return string(n);
	if (!strcmp(how, "silent"))
		return silent();
	if (!strcmp(how, "state"))
		return leaves((uint8_t)n);
	if (!strcmp(how, "video"))
		return video(n);
	if (!strcmp(how, "rubbish"))
		return rubbish();
	if (!strcmp(how, "storm"))
		return storm();
	if (!strcmp(how, "crash"))
		return crash();
	fprintf(stderr, "model: how?\n");
	return 1;
}
