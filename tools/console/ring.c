/* SPDX-License-Identifier: MIT */
/* The shared page of a PV console; see ring.h. */
#include "ring.h"

static uint32_t load(const XENCONS_RING_IDX *p)
{
	return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
}

static void store(XENCONS_RING_IDX *p, uint32_t v)
{
	__atomic_store_n((uint32_t *)p, v, __ATOMIC_RELEASE);
}

size_t ring_take(struct xencons_interface *ring, char *buf, size_t size,
		 bool *bad)
{
	uint32_t cons = load(&ring->out_cons), prod = load(&ring->out_prod);
	uint32_t have = prod - cons;
	size_t n = 0;

	*bad = have > sizeof(ring->out);
	if (*bad) {
		store(&ring->out_cons, prod);
		return 0;
	}
	while (n < have && n < size) {
		buf[n++] = ring->out[MASK_XENCONS_IDX(cons, ring->out)];
		cons++;
	}
	store(&ring->out_cons, cons);
	return n;
}

size_t ring_room(const struct xencons_interface *ring)
{
	uint32_t used = load(&ring->in_prod) - load(&ring->in_cons);

	return used > sizeof(ring->in) ? 0 : sizeof(ring->in) - used;
}

size_t ring_give(struct xencons_interface *ring, const char *buf, size_t n)
{
	uint32_t prod = load(&ring->in_prod);
	size_t room = ring_room(ring), done = 0;

	while (done < n && done < room) {
		ring->in[MASK_XENCONS_IDX(prod, ring->in)] = buf[done++];
		prod++;
	}
	store(&ring->in_prod, prod);
	return done;
}
