/* SPDX-License-Identifier: MIT */
/*
 * Device models' servers and one vCPU's accesses on their way to them: which
 * server gets what, an instruction that is executed again with its answers, the
 * ring of buffered writes, and device models that answer nonsense, or die.
 */
#include "fake.h"
#include "harness.h"

#include "event/event.h"
#include "hvm/dm.h"
#include "lib/errno.h"

#include <xen/hvm/ioreq.h>
#include <xen/memory.h>

static struct domain *guest, *model;
static struct hvm_domain hd;
static struct hvm_vcpu hv[FAKE_VCPUS];
static ioservid_t id;
static struct ioreq *slots;
static struct buffered_iopage *ring;

static long port_of(struct domain *d, uint32_t remote)
{
	struct evtchn_bind_interdomain b = {.remote_dom = guest->id,
					    .remote_port = remote};
	long rc = evtchn_bind_interdomain(d->vcpu[0], &b);

	return rc ? rc : (long)b.local_port;
}

static void range(unsigned int type, uint64_t start, uint64_t end)
{
	struct xen_dm_op_ioreq_server_range r = {
		.id = id, .type = type, .start = start, .end = end};

	CHECK_EQ(ioreq_server_range(guest, &r, true), 0);
}

/* A guest with one server: ports 0x100-0x107, memory at 1 GiB, function 2.0,
 * and video memory through the ring. */
static void begin(void)
{
	fake_start();
	model = fake_domain(0, &event_part);
	guest = fake_domain(1, &event_part);
	memset(&hd, 0, sizeof(hd));
	memset(hv, 0, sizeof(hv));
	guest->arch = &hd;
	for (unsigned int i = 0; i < FAKE_VCPUS; i++) {
		hv[i].hd = &hd;
		guest->vcpu[i]->arch = &hv[i];
	}
	CHECK_EQ(ioreq_server_create(guest, model->id, 2, &id), 0);
	range(XEN_DMOP_IO_RANGE_PORT, 0x100, 0x107);
	range(XEN_DMOP_IO_RANGE_MEMORY, 0x40000000, 0x40000fff);
	range(XEN_DMOP_IO_RANGE_MEMORY, 0xa0000, 0xbffff);
	range(XEN_DMOP_IO_RANGE_PCI, 0x10, 0x10);
	CHECK_EQ(ioreq_server_enable(guest, id, true), 0);
	slots = hd.servers[id]->slots;
	ring = hd.servers[id]->ring;
}

static void end(void)
{
	ioreq_destroy_all(guest);
	CHECK_EQ(fake_paused, 0);
	guest->arch = NULL;
	CHECK_EQ(fake_end(&event_part), 0);
}

static void set_state(unsigned int vcpu, unsigned int state)
{
	slots[vcpu].state = state & 15;
}

static enum dm_answer mem(bool write, uint64_t addr, uint64_t *val)
{
	return hvm_dm_access(guest->vcpu[0], IOREQ_TYPE_COPY, addr, 4, write,
			     val);
}

static bool finish(bool *again)
{
	return hvm_io_finish(guest->vcpu[0], again);
}

static void instruction_ends(void)
{
	struct vmexit x = {.kind = VMEXIT_NPF};

	hvm_io_end(guest->vcpu[0], &x);
}

static void ranges(void)
{
	struct xen_dm_op_ioreq_server_range r = {
		.id = 0, .start = 0x104, .end = 0x110};
	uint64_t addr = 0x104;
	uint8_t type = IOREQ_TYPE_PIO;

	begin();
	CHECK_EQ(ioreq_server_range(guest, &r, true), -EEXIST);
	r.start = 0x108;
	CHECK_EQ(ioreq_server_range(guest, &r, true), 0);
	CHECK(ioreq_select(guest, &type, &addr, 4) != NULL);
	addr = 0x106; /* across two ranges, side by side */
	CHECK(ioreq_select(guest, &type, &addr, 4) != NULL);
	addr = 0x10e; /* over the end */
	CHECK(ioreq_select(guest, &type, &addr, 4) == NULL);
	r.start = r.end = 0x10a;
	CHECK_EQ(ioreq_server_range(guest, &r, false), 0);
	CHECK_EQ(ioreq_server_range(guest, &r, false), -ENOENT);
	addr = 0x10a;
	CHECK(ioreq_select(guest, &type, &addr, 1) == NULL);
	addr = 0x10b;
	CHECK(ioreq_select(guest, &type, &addr, 1) != NULL);
	r.type = 3;
	CHECK_EQ(ioreq_server_range(guest, &r, true), -EINVAL);
	r = (struct xen_dm_op_ioreq_server_range){.id = 9};
	CHECK_EQ(ioreq_server_range(guest, &r, true), -ENOENT);
	end();
}

static void no_room(void)
{
	struct xen_dm_op_ioreq_server_range r = {.id = 0};
	ioservid_t more[IOREQ_SERVERS];
	unsigned int n = 0;

	begin();
	for (unsigned int i = 0; i < IOREQ_RANGES; i++) {
		r.start = r.end = 0x1000 + i * 2UL;
		n += ioreq_server_range(guest, &r, true) == 0;
	}
	CHECK_EQ(n, IOREQ_RANGES - 1); /* begin() made one */
	for (n = 0; n < IOREQ_SERVERS - 1; n++)
		CHECK_EQ(ioreq_server_create(guest, 0, 0, &more[n]), 0);
	CHECK_EQ(ioreq_server_create(guest, 0, 0, &more[n]), -ENOSPC);
	CHECK_EQ(ioreq_server_create(guest, 0, 3, &more[n]), -EINVAL);
	CHECK_EQ(ioreq_server_destroy(guest, more[0]), 0);
	CHECK_EQ(ioreq_server_destroy(guest, more[0]), -ENOENT);
	end();
}

static void configuration(void)
{
	uint64_t addr = 0xcfe;
	uint8_t type = IOREQ_TYPE_PIO;

	begin();
	hd.pci_cf8 = 0x80001004; /* function 2.0, register 4 */
	CHECK(ioreq_select(guest, &type, &addr, 2) != NULL);
	CHECK_EQ(type, IOREQ_TYPE_PCI_CONFIG);
	CHECK_EQ(addr, 0x1000000006UL);
	type = IOREQ_TYPE_PIO;
	addr = 0xcfc;
	hd.pci_cf8 = 0x80001804; /* 3.0: nobody's */
	CHECK(ioreq_select(guest, &type, &addr, 4) == NULL);
	type = IOREQ_TYPE_PIO;
	addr = 0xcfc;
	hd.pci_cf8 = 0x1004; /* off: a port, which nobody has */
	CHECK(ioreq_select(guest, &type, &addr, 4) == NULL);
	CHECK_EQ(type, IOREQ_TYPE_PIO);
	end();
}

/* add [memory], reg: a read, the answer, the same again, and then a write. */
static void read_modify_write(void)
{
	uint64_t val = 0;
	bool again;

	begin();
	CHECK_EQ(mem(false, 0x40000010, &val), DM_WAIT);
	instruction_ends();
	CHECK(!finish(&again));
	CHECK_EQ(slots[0].state, STATE_IOREQ_READY);
	CHECK_EQ(slots[0].dir, IOREQ_READ);
	CHECK_EQ(slots[0].addr, 0x40000010);
	CHECK_EQ(slots[0].size, 4);
	CHECK_EQ(slots[0].count, 1);
	CHECK_EQ(slots[0].data_is_ptr, 0);
	set_state(0, STATE_IOREQ_INPROCESS);
	CHECK(!finish(&again));
	slots[0].data = 0x1234;
	set_state(0, STATE_IORESP_READY);
	CHECK(finish(&again));
	CHECK(again);
	CHECK_EQ(slots[0].state, STATE_IOREQ_NONE);
	/* once more: no second question, then the write goes out */
	CHECK_EQ(mem(false, 0x40000010, &val), DM_DONE);
	CHECK_EQ(val, 0x1234);
	val = 0x1235;
	CHECK_EQ(mem(true, 0x40000010, &val), DM_DONE);
	instruction_ends();
	CHECK_EQ(slots[0].state, STATE_IOREQ_READY);
	CHECK_EQ(slots[0].dir, IOREQ_WRITE);
	CHECK_EQ(slots[0].data, 0x1235);
	/* the next instruction waits for that, and is not mistaken for it */
	CHECK_EQ(mem(true, 0x40000010, &val), DM_WAIT);
	instruction_ends();
	set_state(0, STATE_IORESP_READY);
	CHECK(finish(&again));
	CHECK(again);
	CHECK_EQ(mem(true, 0x40000010, &val), DM_DONE);
	instruction_ends();
	CHECK_EQ(slots[0].state, STATE_IOREQ_READY);
	end();
}

/* The code changed between the two: what was answered is for another access. */
static void changed_instruction(void)
{
	uint64_t val = 0;
	bool again;

	begin();
	CHECK_EQ(mem(false, 0x40000010, &val), DM_WAIT);
	instruction_ends();
	slots[0].data = 77;
	set_state(0, STATE_IORESP_READY);
	CHECK(finish(&again));
	CHECK_EQ(mem(false, 0x40000020, &val), DM_WAIT);
	CHECK_EQ(slots[0].addr, 0x40000020);
	end();
}

static void nobody(void)
{
	uint64_t val = 5;

	begin();
	CHECK_EQ(mem(false, 0x50000000, &val), DM_NOBODY);
	CHECK_EQ(mem(false, 0x40000ffe, &val), DM_NOBODY); /* over the end */
	CHECK_EQ(ioreq_server_enable(guest, id, false), 0);
	CHECK_EQ(mem(false, 0x40000000, &val), DM_NOBODY);
	end();
}

static void buffered(void)
{
	uint64_t val = 0x41;
	unsigned int n = 0;

	begin();
	while (n < 2000 && mem(true, 0xa0000 + n * 4, &val) == DM_DONE &&
	       !hv[0].io.pending) {
		instruction_ends();
		n++;
	}
	/* the ring is full: the last one was asked for the long way */
	CHECK_EQ(n, IOREQ_BUFFER_SLOT_NUM);
	CHECK_EQ(ring->write_pointer, IOREQ_BUFFER_SLOT_NUM);
	CHECK_EQ(ring->buf_ioreq[3].addr, 0xa000c);
	CHECK_EQ(ring->buf_ioreq[3].size, 2);
	CHECK_EQ(ring->buf_ioreq[3].data, 0x41);
	CHECK_EQ(slots[0].state, STATE_IOREQ_READY);
	hv[0].io.pending = false;
	/* emptied, and the pointers stay small */
	ring->read_pointer = ring->write_pointer;
	val = 0x4142434445464748;
	CHECK_EQ(hvm_dm_access(guest->vcpu[0], IOREQ_TYPE_COPY, 0xb8000, 8,
			       true, &val),
		 DM_DONE);
	CHECK_EQ(ring->read_pointer, 0);
	CHECK_EQ(ring->write_pointer, 2);
	CHECK_EQ(ring->buf_ioreq[0].size, 3);
	CHECK_EQ(ring->buf_ioreq[1].data, 0x41424344);
	/* pointers that a device model made up */
	ring->read_pointer = 0xffffff00;
	instruction_ends();
	CHECK_EQ(mem(true, 0xb8000, &val), DM_DONE);
	end();
}

static void nonsense(void)
{
	struct fake_domain *f;
	uint64_t val = 0;
	bool again;

	begin();
	f = fake_domains[1];
	CHECK_EQ(mem(false, 0x40000010, &val), DM_WAIT);
	set_state(0, 9);
	CHECK(hvm_io_answered(guest->vcpu[0]));
	CHECK(finish(&again));
	CHECK_EQ(f->crashes, 1);
	end();
}

/* The vCPU waits, whatever else wakes it, and nobody is harmed. */
static void never_answers(void)
{
	static const uint8_t states[] = {STATE_IOREQ_READY,
					 STATE_IOREQ_INPROCESS};
	uint64_t val = 0;
	bool again;

	begin();
	CHECK_EQ(mem(false, 0x40000010, &val), DM_WAIT);
	for (unsigned int n = 0; n < ARRAY_SIZE(states); n++) {
		set_state(0, states[n]);
		CHECK(!hvm_io_answered(guest->vcpu[0]));
		CHECK(!finish(&again));
		CHECK(hv[0].io.pending);
	}
	CHECK_EQ(fake_domains[1]->crashes, 0);
	hv[0].io.pending = false;
	end();
}

static void dies(void)
{
	struct evtchn_close c;
	uint64_t val = 0;
	long port;

	begin();
	port = port_of(model, slots[1].vp_eport);
	REQUIRE(port > 0);
	c.port = (uint32_t)port;
	CHECK_EQ(mem(false, 0x40000010, &val), DM_WAIT);
	CHECK_EQ(evtchn_close(model->vcpu[0], &c), 0);
	CHECK_EQ(fake_domains[1]->crashes, 1);
	/* one that is asked to go while the tools have the guest paused */
	guest->control_pauses = 1;
	port = port_of(model, slots[1].vp_eport);
	c.port = (uint32_t)port;
	CHECK_EQ(evtchn_close(model->vcpu[0], &c), 0);
	CHECK_EQ(fake_domains[1]->crashes, 1);
	guest->control_pauses = 0;
	end();
}

static void destroyed_meanwhile(void)
{
	uint64_t val = 0;
	bool again;

	begin();
	CHECK_EQ(mem(false, 0x40000010, &val), DM_WAIT);
	CHECK_EQ(ioreq_server_destroy(guest, id), 0);
	CHECK(finish(&again));
	CHECK(again);
	CHECK_EQ(mem(false, 0x40000010, &val), DM_DONE);
	CHECK_EQ(val, ~0UL);
	end();
}

static void strings(void)
{
	uint32_t n = 200;
	bool again;

	begin();
	CHECK_EQ(hvm_dm_string(guest->vcpu[0], IOREQ_TYPE_PIO, 0x100, 2, false,
			       &n, 0x5000, false),
		 DM_WAIT);
	CHECK_EQ(slots[0].data_is_ptr, 1);
	CHECK_EQ(slots[0].data, 0x5000);
	CHECK_EQ(slots[0].count, 200);
	set_state(0, STATE_IORESP_READY);
	CHECK(finish(&again));
	CHECK(again);
	n = 5;
	CHECK_EQ(hvm_dm_string(guest->vcpu[0], IOREQ_TYPE_PIO, 0x100, 2, false,
			       &n, 0x5000, false),
		 DM_DONE);
	CHECK_EQ(n, 200);
	end();
}

static void pages(void)
{
	struct xen_dm_op_get_ioreq_server_info info = {.id = 0, .flags = 1};
	uint32_t n = 0;
	mfn_t mfn;

	begin();
	CHECK_EQ(ioreq_resource_size(guest, id, &n), 0);
	CHECK_EQ(n, 2);
	CHECK_EQ(ioreq_resource_size(guest, 200000, &n), -ENOENT);
	CHECK_EQ(ioreq_resource(guest, id, 0, &mfn), 0);
	CHECK(mfn_to_virt(mfn) == (void *)ring);
	CHECK_EQ(ioreq_resource(guest, id, 1, &mfn), 0);
	CHECK(mfn_to_virt(mfn) == (void *)slots);
	CHECK_EQ(ioreq_resource(guest, id, 2, &mfn), -EINVAL);
	CHECK_EQ(ioreq_server_info(guest, &info), 0);
	CHECK(info.bufioreq_port != 0);
	info.flags = 0;
	CHECK_EQ(ioreq_server_info(guest, &info), -ENOMEM);
	hd.params[HVM_PARAM_IOREQ_SERVER_PFN] = 200;
	hd.params[HVM_PARAM_NR_IOREQ_SERVER_PAGES] = 8;
	CHECK_EQ(ioreq_server_info(guest, &info), 0);
	CHECK_EQ(info.ioreq_gfn, 200);
	CHECK_EQ(info.bufioreq_gfn, 201);
	CHECK(mfn_eq(p2m_lookup(&guest->p2m, _gfn(200), NULL, NULL),
		     virt_to_mfn(slots)));
	/* once it runs, the guest must not reach them */
	CHECK_EQ(ioreq_server_enable(guest, id, true), 0);
	CHECK(mfn_eq(p2m_lookup(&guest->p2m, _gfn(200), NULL, NULL),
		     INVALID_MFN));
	end();
}

static bool guest_has(uint64_t gfn)
{
	enum p2m_type t;

	p2m_lookup(&guest->p2m, _gfn(gfn), &t, NULL);
	return t != P2M_NONE;
}

/* A page that is given back is nowhere in the guest's memory any more. */
static void placed_pages(void)
{
	struct xen_dm_op_get_ioreq_server_info info = {.id = 0};

	begin();
	hd.params[HVM_PARAM_IOREQ_SERVER_PFN] = 200;
	hd.params[HVM_PARAM_NR_IOREQ_SERVER_PAGES] = 8;
	/* no room for the second: nor is the first there */
	p2m_lock(&guest->p2m);
	CHECK_EQ(p2m_set(&guest->p2m, _gfn(201), fake_mfn(guest, 0), 1,
			 P2M_RAM_RO),
		 0);
	p2m_unlock(&guest->p2m);
	CHECK_EQ(ioreq_server_info(guest, &info), -EBUSY);
	CHECK(!guest_has(200));
	p2m_lock(&guest->p2m);
	p2m_clear(&guest->p2m, _gfn(201), 1);
	p2m_unlock(&guest->p2m);
	/* after it was enabled; the place is elsewhere in the end */
	CHECK_EQ(ioreq_server_info(guest, &info), 0);
	CHECK(guest_has(200) && guest_has(201));
	hd.params[HVM_PARAM_IOREQ_SERVER_PFN] = 100;
	CHECK_EQ(ioreq_server_info(guest, &info), 0);
	CHECK_EQ(info.ioreq_gfn, 200);
	CHECK_EQ(ioreq_server_destroy(guest, id), 0);
	CHECK(!guest_has(200) && !guest_has(201));
	CHECK_EQ(guest->p2m.flushed, guest->p2m.changes);
	CHECK_EQ(ioreq_server_info(guest, &info), -ENOENT);
	CHECK_EQ(ioreq_server_create(guest, model->id, 2, &id), 0);
	hd.params[HVM_PARAM_IOREQ_SERVER_PFN] = 210;
	CHECK_EQ(ioreq_server_info(guest, &info), 0);
	ioreq_destroy_all(guest);
	CHECK(!guest_has(210) && !guest_has(211));
	end();
}

/* The request that server n has of vCPU 0, answered; 0: none. */
static unsigned int asked_of(ioservid_t n)
{
	struct ioreq *r = hd.servers[n]->slots;
	unsigned int type = r->state == STATE_IOREQ_READY ? r->type : 0;

	if (type)
		r->state = STATE_IORESP_READY;
	return type;
}

/* Memory left: each model that runs hears of it, one after the other, and once.
 */
static void invalidates(void)
{
	ioservid_t second, third;
	struct vcpu *v;
	bool again;

	begin();
	v = guest->vcpu[0];
	CHECK_EQ(ioreq_server_create(guest, model->id, 0, &second), 0);
	CHECK_EQ(ioreq_server_create(guest, model->id, 0, &third), 0);
	CHECK_EQ(ioreq_server_enable(guest, third, true), 0);
	ioreq_memory_left(guest);
	hvm_io_invalidate(v);
	CHECK_EQ(asked_of(id), IOREQ_TYPE_INVALIDATE);
	CHECK(hv[0].io.pending && hd.stale_maps);
	CHECK(finish(&again) && !again);
	ioreq_memory_left(guest); /* again, before the others heard */
	hvm_io_invalidate(v);
	CHECK_EQ(asked_of(id), IOREQ_TYPE_INVALIDATE);
	CHECK(finish(&again));
	hvm_io_invalidate(v);
	CHECK_EQ(asked_of(second), 0); /* does not run */
	CHECK_EQ(asked_of(third), IOREQ_TYPE_INVALIDATE);
	CHECK(finish(&again));
	hvm_io_invalidate(v);
	CHECK(!hv[0].io.pending && !hd.stale_maps);
	end();
}

static const struct test_case cases[] = {
	{"ranges", ranges},
	{"no room for more", no_room},
	{"PCI configuration by ports", configuration},
	{"read, modify, write", read_modify_write},
	{"another instruction than before", changed_instruction},
	{"nobody's", nobody},
	{"the ring of buffered writes", buffered},
	{"a nonsensical answer", nonsense},
	{"one that never answers", never_answers},
	{"a device model dies", dies},
	{"a server ends while it is asked", destroyed_meanwhile},
	{"many elements at once", strings},
	{"pages to map", pages},
	{"pages in the guest's memory", placed_pages},
	{"memory that left", invalidates},
};

int main(void)
{
	return run_cases(cases, ARRAY_SIZE(cases));
}
