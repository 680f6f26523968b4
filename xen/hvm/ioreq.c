/* SPDX-License-Identifier: MIT */
/*
 * One access of a vCPU on its way to a device model and back. The request goes
 * into the vCPU's slot and an event out; the vCPU waits (hvm/run.c) until the
 * slot says that the answer is there. A write lets its instruction end at once,
 * a read has it executed again with the answer at hand. Whatever an instruction
 * was answered already is kept until it ends, so that nothing is asked twice.
 */
#include "hvm/dm.h"

#include "console/printk.h"
#include "event/event.h"
#include "lib/atomic.h"
#include "lib/string.h"

#include <assert.h>
#include <xen/hvm/ioreq.h>

#define HOT __attribute__((section(".text.hot")))

/* The byte of struct ioreq with state and direction: it is written last. */
#define CONTROL_OFFSET 30
#define CTL_STATE      0x0f
#define CTL_IS_PTR     0x10
#define CTL_READ       0x20
#define CTL_DOWN       0x40

#define ALL_SERVERS ((uint8_t)(BIT(IOREQ_SERVERS) - 1))
static_assert(IOREQ_SERVERS <= 8, "stale_maps has a bit each");

static_assert(offsetof(struct ioreq, type) == CONTROL_OFFSET + 1, "ioreq.h");

static inline volatile uint8_t *control(struct ioreq *r)
{
	return (uint8_t *)r + CONTROL_OFFSET;
}

static bool is_vga_memory(uint8_t type, uint64_t addr)
{
	return type == IOREQ_TYPE_COPY && addr >= 0xa0000 && addr < 0xc0000;
}

/* Both pointers back by a whole ring, so that they never wrap: 2^32 is no
 * multiple of its length. The reader moves his own with a locked add. */
static void keep_small(struct buffered_iopage *p)
{
	uint64_t *both = (uint64_t *)(void *)p, old = READ_ONCE(*both);

	while ((uint32_t)old >= IOREQ_BUFFER_SLOT_NUM &&
	       old >> 32 >= IOREQ_BUFFER_SLOT_NUM) {
		uint64_t less = IOREQ_BUFFER_SLOT_NUM * (BIT(32) + 1);

		if (atomic_cas(both, &old, old - less))
			break;
	}
}

/*
 * Writes to video memory need no answer: into the ring. The device model may
 * write what it likes there, so nothing is believed but that the pointers
 * differ by less than the ring is long. False: full, ask the other way.
 */
static bool send_buffered(struct domain *d, struct ioreq_server *s,
			  uint64_t addr, unsigned int size, uint64_t val)
{
	struct buffered_iopage *p = s->ring;
	unsigned int slots = size == 8 ? 2 : 1, w;
	struct buf_ioreq b = {
		.type = IOREQ_TYPE_COPY,
		.addr = (uint32_t)addr & 0xfffff,
		.data = (uint32_t)val,
		.size = size == 8 ? 3 : size >> 1,
	};

	spin_lock(&s->ring_lock);
	w = READ_ONCE(p->write_pointer);
	if (w - READ_ONCE(p->read_pointer) > IOREQ_BUFFER_SLOT_NUM - slots) {
		spin_unlock(&s->ring_lock);
		return false;
	}
	p->buf_ioreq[w % IOREQ_BUFFER_SLOT_NUM] = b;
	if (slots == 2) {
		b.data = (uint32_t)(val >> 32);
		p->buf_ioreq[(w + 1) % IOREQ_BUFFER_SLOT_NUM] = b;
	}
	smp_wmb();
	WRITE_ONCE(p->write_pointer, w + slots);
	keep_small(p);
	spin_unlock(&s->ring_lock);
	event_notify_xen_port(d, s->ring_port);
	return true;
}

static HOT void send(struct vcpu *v, struct ioreq_server *s,
		     const struct io_access *a, uint64_t data, bool down,
		     bool is_ptr)
{
	struct hvm_io *io = &hvm_vcpu(v)->io;
	struct ioreq *r = &s->slots[v->id];
	uint8_t ctl = STATE_IOREQ_READY;

	ctl |= is_ptr ? CTL_IS_PTR : 0;
	ctl |= a->write ? 0 : CTL_READ;
	ctl |= down ? CTL_DOWN : 0;
	r->addr = a->addr;
	r->data = data;
	r->count = a->count;
	r->size = a->size;
	r->vp_eport = s->ports[v->id];
	r->type = a->type;
	smp_wmb();
	*control(r) = ctl;
	io->server = s;
	io->pending = true;
	event_notify_xen_port(v->domain, s->ports[v->id]);
}

/* The answer is here already, from the last time that this instruction was
 * executed. If it asks something else now, its code or registers were changed
 * meanwhile: then it asks anew. */
static HOT struct io_access *replay(struct hvm_io *io, uint8_t type,
				    uint64_t addr, unsigned int size,
				    bool write)
{
	struct io_access *a = &io->done[io->next];

	if (likely(io->next >= io->nr))
		return NULL;
	if (a->asked == addr && a->asked_type == type && a->size == size &&
	    a->write == write) {
		io->next++;
		return a;
	}
	io->nr = io->next;
	return NULL;
}

/* The place for one more answer; NULL: an instruction without end. */
static struct io_access *new_access(struct vcpu *v)
{
	struct hvm_io *io = &hvm_vcpu(v)->io;

	if (likely(io->nr < IO_ACCESSES))
		return &io->done[io->nr];
	domain_crash(v->domain, "v%u: an instruction with %u device accesses",
		     v->id, IO_ACCESSES);
	return NULL;
}

/*
 * The request goes out, with hd->lock held over the choice of the server:
 * it stays while the domain runs.
 */
static HOT enum dm_answer ask(struct vcpu *v, struct io_access *a,
			      uint64_t data, bool down, bool is_ptr)
{
	struct hvm_domain *hd = hvm_domain(v->domain);
	struct hvm_io *io = &hvm_vcpu(v)->io;
	struct ioreq_server *s;

	spin_lock(&hd->lock);
	s = ioreq_select(v->domain, &a->type, &a->addr, a->size);
	spin_unlock(&hd->lock);
	if (!s)
		return DM_NOBODY;
	if (a->write && !is_ptr && s->ring && is_vga_memory(a->type, a->addr) &&
	    send_buffered(v->domain, s, a->addr, a->size, data)) {
		io->next = ++io->nr;
		return DM_DONE;
	}
	send(v, s, a, data, down, is_ptr);
	if (a->write && !is_ptr) {
		io->next = ++io->nr;
		return DM_DONE;
	}
	io->again = io->awaited = true;
	return DM_WAIT;
}

/* An access that no earlier round of the instruction has made, to be asked for.
 * NULL: *answer is what there is to say instead. */
static HOT struct io_access *open_access(struct vcpu *v, uint8_t type,
					 uint64_t addr, unsigned int size,
					 bool write, uint32_t count,
					 enum dm_answer *answer)
{
	struct hvm_io *io = &hvm_vcpu(v)->io;
	struct io_access *a;

	*answer = DM_WAIT;
	if (unlikely(io->pending)) {
		io->again = true;
		return NULL;
	}
	if (!hvm_domain(v->domain)->has_servers) {
		*answer = DM_NOBODY;
		return NULL;
	}
	a = new_access(v);
	if (a)
		*a = (struct io_access){
			.asked = addr,
			.addr = addr,
			.count = count,
			.size = (uint8_t)size,
			.asked_type = type,
			.type = type,
			.write = write,
		};
	return a;
}

HOT enum dm_answer hvm_dm_access(struct vcpu *v, uint8_t type, uint64_t addr,
				 unsigned int size, bool write, uint64_t *val)
{
	struct io_access *a = replay(&hvm_vcpu(v)->io, type, addr, size, write);
	enum dm_answer answer;

	if (a) {
		if (!write)
			*val = a->val;
		return DM_DONE;
	}
	a = open_access(v, type, addr, size, write, 1, &answer);
	return a ? ask(v, a, write ? *val : 0, false, false) : answer;
}

enum dm_answer hvm_dm_string(struct vcpu *v, uint8_t type, uint64_t addr,
			     unsigned int size, bool write, uint32_t *count,
			     gpa_t gpa, bool down)
{
	struct io_access *a = replay(&hvm_vcpu(v)->io, type, addr, size, write);
	enum dm_answer answer;

	if (a) {
		*count = a->count;
		return DM_DONE;
	}
	a = open_access(v, type, addr, size, write, *count, &answer);
	return a ? ask(v, a, gpa, down, true) : answer;
}

void ioreq_memory_left(struct domain *d)
{
	struct hvm_domain *hd = hvm_domain(d);

	if (hd->has_servers)
		atomic_set(&hd->stale_maps, ALL_SERVERS);
}

/* The next server that runs and was not told since memory left. Its number is
 * taken off before the request goes out: what leaves meanwhile is told anew. */
static struct ioreq_server *take_stale(struct hvm_domain *hd)
{
	struct ioreq_server *s = NULL;

	spin_lock(&hd->lock);
	for (unsigned int i = 0; i < IOREQ_SERVERS && !s; i++)
		if (atomic_and(&hd->stale_maps, (uint8_t)~BIT(i)) & BIT(i) &&
		    hd->servers[i] && hd->servers[i]->enabled)
			s = hd->servers[i];
	spin_unlock(&hd->lock);
	return s;
}

void hvm_io_invalidate(struct vcpu *v)
{
	const struct io_access a = {
		.count = 1,
		.size = 4,
		.type = IOREQ_TYPE_INVALIDATE,
		.write = true,
	};
	struct ioreq_server *s;

	if (hvm_vcpu(v)->io.pending)
		return;
	s = take_stale(hvm_domain(v->domain));
	if (s)
		send(v, s, &a, ~0UL, false, false);
}

void hvm_io_ended(struct vcpu *v, const struct vmexit *x)
{
	struct hvm_io *io = &hvm_vcpu(v)->io;

	if (io->again && x != &io->exit)
		io->exit = *x;
	if (!io->again)
		io->nr = io->next = 0;
}

void hvm_io_step(struct vcpu *v)
{
	struct hvm_io *io = &hvm_vcpu(v)->io;

	io->nr = io->next = 0;
}

static struct ioreq *slot(const struct vcpu *v)
{
	const struct hvm_io *io = &hvm_vcpu(v)->io;

	return io->server ? &io->server->slots[v->id] : NULL;
}

HOT bool hvm_io_answered(const struct vcpu *v)
{
	struct ioreq *r = slot(v);
	uint8_t state = r ? *control(r) & CTL_STATE : STATE_IORESP_READY;

	return state != STATE_IOREQ_READY && state != STATE_IOREQ_INPROCESS;
}

HOT bool hvm_io_finish(struct vcpu *v, bool *again)
{
	struct hvm_io *io = &hvm_vcpu(v)->io;
	struct ioreq *r = slot(v);
	uint64_t val = ~0UL;

	if (!hvm_io_answered(v))
		return false;
	if (likely(r)) {
		if ((*control(r) & CTL_STATE) != STATE_IORESP_READY) {
			domain_crash(v->domain,
				     "v%u: the device model left its request "
				     "in state %u",
				     v->id, *control(r) & CTL_STATE);
		}
		smp_rmb();
		val = READ_ONCE(r->data);
		*control(r) = STATE_IOREQ_NONE;
	}
	io->pending = false;
	io->server = NULL;
	*again = io->again;
	if (io->awaited)
		io->done[io->nr++].val = val;
	io->again = io->awaited = false;
	io->next = 0;
	return true;
}

void ioreq_event(struct vcpu *v, unsigned int port)
{
	struct domain *d = v->domain;

	if (unlikely(!event_xen_port_bound(d, port)) && !d->shutting_down &&
	    !READ_ONCE(d->control_pauses) && d->dying == DOMDYING_ALIVE)
		domain_crash(d, "its device model is gone");
	vcpu_wake(v);
}
