/* SPDX-License-Identifier: MIT */
/*
 * Hypercall-safe memory: pages that are not moved or swapped while the
 * hypervisor uses them. libxencall has them; this lends them out, to libxc's
 * own functions as struct safe and to others by xenctrl.h's macros.
 */
#include "private.h"

int safe_get(xc_interface *xch, struct safe *s, const void *user, size_t size,
	     int dir)
{
	s->user = (void *)(uintptr_t)user;
	s->size = size;
	s->dir = dir;
	s->p = NULL;
	if (!user || !size)
		return 0;
	s->p = xencall_alloc_buffer(xch->xcall, size);
	if (!s->p) {
		errno = ENOMEM;
		return -1;
	}
	/* An output nobody filled must not show what the page held before. */
	if (dir & SAFE_IN)
		memcpy(s->p, user, size);
	else
		memset(s->p, 0, size);
	return 0;
}

void safe_put(xc_interface *xch, struct safe *s)
{
	int saved = errno;

	if (!s->p)
		return;
	if (s->dir & SAFE_OUT)
		memcpy(s->user, s->p, s->size);
	xencall_free_buffer(xch->xcall, s->p);
	s->p = NULL;
	errno = saved;
}

xc_hypercall_buffer_t XC__HYPERCALL_BUFFER_NAME(HYPERCALL_BUFFER_NULL) = {
	.hbuf = NULL,
	.param_shadow = NULL,
	HYPERCALL_BUFFER_INIT_NO_BOUNCE,
};

void *xc__hypercall_buffer_alloc(xc_interface *xch, xc_hypercall_buffer_t *b,
				 size_t size)
{
	void *p = xencall_alloc_buffer(xch->xcall, size);

	if (p)
		b->hbuf = p;
	return p;
}

void xc__hypercall_buffer_free(xc_interface *xch, xc_hypercall_buffer_t *b)
{
	xencall_free_buffer(xch->xcall, b->hbuf);
}

void *xc__hypercall_buffer_alloc_pages(xc_interface *xch,
				       xc_hypercall_buffer_t *b, int nr_pages)
{
	void *p = xencall_alloc_buffer_pages(xch->xcall, (size_t)nr_pages);

	if (p)
		b->hbuf = p;
	return p;
}

void xc__hypercall_buffer_free_pages(xc_interface *xch,
				     xc_hypercall_buffer_t *b, int nr_pages)
{
	xencall_free_buffer_pages(xch->xcall, b->hbuf, (size_t)nr_pages);
}

int xc__hypercall_bounce_pre(xc_interface *xch, xc_hypercall_buffer_t *b)
{
	/* A buffer declared by another macro than the bouncing ones. */
	if (b->ubuf == (void *)-1 || b->dir == 0)
		abort();
	b->hbuf = NULL;
	if (!b->ubuf)
		return 0;
	if (!xc__hypercall_buffer_alloc(xch, b, b->sz))
		return -1;
	if (b->dir & SAFE_IN)
		memcpy(b->hbuf, b->ubuf, b->sz);
	return 0;
}

void xc__hypercall_bounce_post(xc_interface *xch, xc_hypercall_buffer_t *b)
{
	int saved = errno;

	if (b->ubuf == (void *)-1 || b->dir == 0)
		abort();
	if (!b->hbuf)
		return;
	if (b->dir & SAFE_OUT)
		memcpy(b->ubuf, b->hbuf, b->sz);
	xc__hypercall_buffer_free(xch, b);
	errno = saved;
}

struct xc_hypercall_buffer_array {
	unsigned int count;
	xc_hypercall_buffer_t buffers[];
};

xc_hypercall_buffer_array_t *xc_hypercall_buffer_array_create(xc_interface *xch,
							      unsigned n)
{
	xc_hypercall_buffer_array_t *array;

	(void)xch;
	array = calloc(1, sizeof(*array) + n * sizeof(array->buffers[0]));
	if (array)
		array->count = n;
	return array;
}

void *xc__hypercall_buffer_array_alloc(xc_interface *xch,
				       xc_hypercall_buffer_array_t *array,
				       unsigned index,
				       xc_hypercall_buffer_t *hbuf, size_t size)
{
	void *p;

	if (index >= array->count || array->buffers[index].hbuf)
		abort();
	p = xc__hypercall_buffer_alloc(xch, hbuf, size);
	if (p)
		array->buffers[index] = *hbuf;
	return p;
}

void *xc__hypercall_buffer_array_get(xc_interface *xch,
				     xc_hypercall_buffer_array_t *array,
				     unsigned index,
				     xc_hypercall_buffer_t *hbuf)
{
	(void)xch;
	if (index >= array->count || !array->buffers[index].hbuf)
		abort();
	*hbuf = array->buffers[index];
	return hbuf->hbuf;
}

void xc_hypercall_buffer_array_destroy(xc_interface *xch,
				       xc_hypercall_buffer_array_t *array)
{
	if (!array)
		return;
	for (unsigned int i = 0; i < array->count; i++)
		if (array->buffers[i].hbuf)
			xc__hypercall_buffer_free(xch, &array->buffers[i]);
	free(array);
}
