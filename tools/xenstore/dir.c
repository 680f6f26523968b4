/* SPDX-License-Identifier: MIT */
/*
 * Directories as persistent B+ trees. In an inner block the name of an entry
 * is a lower bound of what is below it (the first entry's is not looked at).
 * Changing functions go down once: they make each block private, split what is
 * full before entering it, and mend what became small on the way back.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "dir.h"
#include "mem.h"
#include "node.h"

#define NAME_ROOM 3074  /* the longest component, its nul, and one to spare */
#define BYTES_MAX 32768 /* of names in a block; offsets are 16 bits */

struct dir {
	uint32_t refs;
	uint8_t n, cap, level, unused;
	uint16_t used, room; /* bytes of names: taken, there is space for */
	uint32_t bytes;      /* of names in the leaves below */
	uint64_t gen;        /* meaningful in a root only */
	void *ent[];
	/* uint16_t off[cap]; char names[room]; */
};

static inline uint16_t *offs(const struct dir *d)
{
	return (uint16_t *)(uintptr_t)(d->ent + d->cap);
}

static inline char *names(const struct dir *d)
{
	return (char *)(offs(d) + d->cap);
}

static inline const char *name_at(const struct dir *d, unsigned int i)
{
	return names(d) + offs(d)[i];
}

static inline size_t name_end(const struct dir *d, unsigned int i)
{
	return i + 1 < d->n ? offs(d)[i + 1] : d->used;
}

static inline struct dir *sub(const struct dir *d, unsigned int i)
{
	return d->ent[i];
}

static struct dir *block_alloc(unsigned int level, unsigned int cap,
			       unsigned int room)
{
	struct dir *d;
	size_t fixed = sizeof(*d) + cap * (sizeof(void *) + sizeof(uint16_t));
	size_t size;

	/* malloc's chunks are 8 more than a multiple of 16: use them up. */
	size = ((fixed + room + 7) & ~(size_t)15) + 8;
	room = size - fixed;
	d = mem_alloc(size);
	memset(d, 0, sizeof(*d));
	d->refs = 1;
	d->cap = cap;
	d->room = room;
	d->level = level;
	return d;
}

/* Same entries in a block with @cap and @room; references are not counted. */
static struct dir *block_move(const struct dir *d, unsigned int cap,
			      unsigned int room)
{
	struct dir *to = block_alloc(d->level, cap, room);

	to->n = d->n;
	to->used = d->used;
	to->bytes = d->bytes;
	to->gen = d->gen;
	memcpy(to->ent, d->ent, d->n * sizeof(*d->ent));
	memcpy(offs(to), offs(d), d->n * sizeof(uint16_t));
	memcpy(names(to), names(d), d->used);
	return to;
}

static void ent_get(const struct dir *d, unsigned int i)
{
	if (d->level)
		sub(d, i)->refs++;
	else
		node_get(d->ent[i]);
}

static void ent_put(const struct dir *d, unsigned int i)
{
	if (d->level)
		dir_put(sub(d, i));
	else
		node_put(d->ent[i]);
}

struct dir *dir_get(struct dir *d)
{
	if (d)
		d->refs++;
	return d;
}

void dir_put(struct dir *d)
{
	if (!d || --d->refs)
		return;
	for (unsigned int i = 0; i < d->n; i++)
		ent_put(d, i);
	free(d);
}

/* Makes *@slot a block that only it refers to. */
static struct dir *own(struct dir **slot)
{
	struct dir *d = *slot;

	if (d->refs == 1)
		return d;
	*slot = block_move(d, d->cap, d->room);
	for (unsigned int i = 0; i < d->n; i++)
		ent_get(d, i);
	d->refs--;
	return *slot;
}

static int compare(const struct dir *d, unsigned int i, const char *name,
		   size_t len)
{
	const char *have = name_at(d, i);
	size_t hlen = name_end(d, i) - offs(d)[i] - 1;
	int c = memcmp(have, name, hlen < len ? hlen : len);

	if (c)
		return c;
	return hlen < len ? -1 : hlen > len;
}

/* The number of entries whose name is not above @name; *@hit: one is equal. */
static unsigned int upper(const struct dir *d, const char *name, size_t len,
			  bool *hit)
{
	unsigned int lo = 0, hi = d->n;

	*hit = false;
	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		int c = compare(d, mid, name, len);

		if (!c) {
			*hit = true;
			return mid + 1;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Which entry of an inner block leads to @name. */
static unsigned int route(const struct dir *d, const char *name, size_t len)
{
	bool hit;
	unsigned int i = upper(d, name, len, &hit);

	return i ? i - 1 : 0;
}

uint64_t dir_gen(const struct dir *d)
{
	return d ? d->gen : 0;
}

size_t dir_bytes(const struct dir *d)
{
	return d ? d->bytes : 0;
}

struct node *dir_find(const struct dir *d, const char *name, size_t len)
{
	unsigned int i;
	bool hit;

	if (!d)
		return NULL;
	while (d->level)
		d = sub(d, route(d, name, len));
	i = upper(d, name, len, &hit);
	return hit ? d->ent[i - 1] : NULL;
}

struct node **dir_edit(struct dir **slot, const char *name, size_t len)
{
	struct dir *d = own(slot);
	bool hit;

	while (d->level)
		d = own((struct dir **)&d->ent[route(d, name, len)]);
	return (struct node **)&d->ent[upper(d, name, len, &hit) - 1];
}

static bool is_full(const struct dir *d)
{
	return d->n == DIR_FAN || d->used > BYTES_MAX - NAME_ROOM;
}

/* Puts an entry at @i of a private block, which may move. */
static void ent_insert(struct dir **slot, unsigned int i, const char *name,
		       size_t len, void *ptr)
{
	struct dir *d = *slot;
	unsigned int cap = d->cap, room = d->room;
	uint16_t at, *off;

	if (d->n == cap)
		cap = cap * 2 < DIR_FAN ? cap * 2 : DIR_FAN;
	if (d->used + len + 1 > room)
		room = d->used + len + 1 + d->used / 2;
	if (cap != d->cap || room != d->room) {
		*slot = block_move(d, cap, room);
		free(d);
		d = *slot;
	}
	off = offs(d);
	at = i < d->n ? off[i] : d->used;
	memmove(names(d) + at + len + 1, names(d) + at, d->used - at);
	memcpy(names(d) + at, name, len);
	names(d)[at + len] = '\0';
	memmove(&d->ent[i + 1], &d->ent[i], (d->n - i) * sizeof(*d->ent));
	memmove(&off[i + 1], &off[i], (d->n - i) * sizeof(*off));
	d->ent[i] = ptr;
	off[i] = at;
	d->n++;
	d->used += len + 1;
	for (unsigned int k = i + 1; k < d->n; k++)
		off[k] += len + 1;
}

/* Takes entry @i out of a private block; its reference is the caller's. */
static void *ent_remove(struct dir *d, unsigned int i)
{
	uint16_t *off = offs(d);
	size_t at = off[i], len = name_end(d, i) - at;
	void *ptr = d->ent[i];

	memmove(names(d) + at, names(d) + at + len, d->used - at - len);
	memmove(&d->ent[i], &d->ent[i + 1], (d->n - i - 1) * sizeof(*d->ent));
	memmove(&off[i], &off[i + 1], (d->n - i - 1) * sizeof(*off));
	d->n--;
	d->used -= len;
	for (unsigned int k = i; k < d->n; k++)
		off[k] -= len;
	return ptr;
}

static uint32_t ent_bytes(const struct dir *d, unsigned int i)
{
	return d->level ? sub(d, i)->bytes : name_end(d, i) - offs(d)[i];
}

/* A new block with the entries of private @d from @at on, which leave it. */
static struct dir *cut(struct dir *d, unsigned int at)
{
	unsigned int n = d->n - at, start = offs(d)[at];
	struct dir *r = block_alloc(d->level, n, d->used - start);

	for (unsigned int i = 0; i < n; i++) {
		r->ent[i] = d->ent[at + i];
		offs(r)[i] = offs(d)[at + i] - start;
		r->bytes += ent_bytes(d, at + i);
	}
	r->n = n;
	r->used = d->used - start;
	memcpy(names(r), names(d) + start, r->used);
	d->n = at;
	d->used = start;
	d->bytes -= r->bytes;
	return r;
}

/*
 * Splits the full, private child @i of private *@slot. A name that goes last
 * leaves the left block full, so a directory filled in order stays dense.
 */
static void split(struct dir **slot, unsigned int i, const char *name,
		  size_t len)
{
	struct dir *left = sub(*slot, i);
	bool last = compare(left, left->n - 1, name, len) < 0;
	struct dir *right = cut(left, last ? left->n - 1 : left->n / 2);

	ent_insert(slot, i + 1, name_at(right, 0), strlen(name_at(right, 0)),
		   right);
}

static struct dir *grow_root(struct dir *d)
{
	struct dir *top = block_alloc(d->level + 1, 2, 16);

	top->bytes = d->bytes;
	ent_insert(&top, 0, "", 0, d);
	return top;
}

void dir_insert(struct dir **root, const char *name, size_t len,
		struct node *child, uint64_t gen)
{
	struct dir **slot = root, *d;
	bool hit;

	if (!*root)
		*root = block_alloc(0, 1, len + 1);
	d = own(root);
	if (is_full(d))
		d = *root = grow_root(d);
	d->gen = gen;
	while (d->level) {
		unsigned int i = route(d, name, len);

		d->bytes += len + 1;
		if (is_full(own((struct dir **)&d->ent[i]))) {
			split(slot, i, name, len);
			d = *slot;
			i = route(d, name, len);
		}
		slot = (struct dir **)&d->ent[i];
		d = *slot;
	}
	d->bytes += len + 1;
	ent_insert(slot, upper(d, name, len, &hit), name, len, child);
}

/* Appends private @from to private *@slot; @bound is @from's lower bound. */
static void append(struct dir **slot, struct dir *from, const char *bound)
{
	uint32_t bytes = (*slot)->bytes + from->bytes;

	for (unsigned int i = 0; i < from->n; i++) {
		const char *name = from->level && !i ? bound : name_at(from, i);

		ent_insert(slot, (*slot)->n, name, strlen(name), from->ent[i]);
	}
	(*slot)->bytes = bytes;
	free(from);
}

/* Child @i of @d has become small: drop it if empty, or join a neighbour. */
static void mend(struct dir *d, unsigned int i)
{
	unsigned int left = i ? i - 1 : i;
	struct dir *a, *b;
	char bound[NAME_ROOM];

	if (!sub(d, i)->n) {
		free(ent_remove(d, i));
		return;
	}
	if (sub(d, i)->n > DIR_FAN / 4 || left + 1 >= d->n)
		return;
	a = sub(d, left);
	b = sub(d, left + 1);
	if (a->n + b->n > DIR_FAN * 3 / 4 ||
	    a->used + b->used > BYTES_MAX - 2 * NAME_ROOM)
		return;
	own((struct dir **)&d->ent[left]);
	own((struct dir **)&d->ent[left + 1]);
	strcpy(bound, name_at(d, left + 1));
	b = ent_remove(d, left + 1);
	append((struct dir **)&d->ent[left], b, bound);
}

static struct node *remove_below(struct dir **slot, const char *name,
				 size_t len)
{
	struct dir *d = own(slot);
	struct node *gone;
	unsigned int i;
	bool hit;

	d->bytes -= len + 1;
	if (!d->level) {
		i = upper(d, name, len, &hit) - 1;
		return ent_remove(d, i);
	}
	i = route(d, name, len);
	gone = remove_below((struct dir **)&d->ent[i], name, len);
	mend(d, i);
	return gone;
}

struct node *dir_remove(struct dir **root, const char *name, size_t len,
			uint64_t gen)
{
	struct node *gone = remove_below(root, name, len);
	struct dir *d = *root;

	while (d->level && d->n == 1) {
		*root = sub(d, 0);
		free(d);
		d = own(root);
	}
	if (!d->n) {
		free(d);
		*root = NULL;
	} else {
		d->gen = gen;
	}
	return gone;
}

/* Fills @buf; true when it may go on with the next block. */
static bool copy_names(const struct dir *d, size_t off, char *buf, size_t max,
		       size_t *done)
{
	size_t n = d->used - off;

	if (d->level) {
		for (unsigned int i = 0; i < d->n; i++) {
			size_t here = sub(d, i)->bytes;

			if (off >= here) {
				off -= here;
				continue;
			}
			if (!copy_names(sub(d, i), off, buf, max, done))
				return false;
			off = 0;
		}
		return true;
	}
	if (*done + n > max)
		for (n = max - *done; n && names(d)[off + n - 1]; n--)
			;
	memcpy(buf + *done, names(d) + off, n);
	*done += n;
	return off + n == d->used;
}

size_t dir_names(const struct dir *d, size_t off, char *buf, size_t max)
{
	size_t done = 0;

	if (d && off < d->bytes)
		copy_names(d, off, buf, max, &done);
	return done;
}

int dir_each(const struct dir *d,
	     int (*fn)(void *arg, const char *name, struct node *child),
	     void *arg)
{
	int rc = 0;

	for (unsigned int i = 0; d && i < d->n && !rc; i++)
		rc = d->level ? dir_each(sub(d, i), fn, arg)
			      : fn(arg, name_at(d, i), d->ent[i]);
	return rc;
}

static const char *check_block(const struct dir *d, unsigned int level,
			       const char **last)
{
	uint32_t bytes = 0;

	if (d->level != level)
		return "a block of the wrong level";
	if (!d->n || d->n > d->cap || d->used > d->room || !d->refs)
		return "a block with impossible counts";
	for (unsigned int i = 0; i < d->n; i++) {
		const char *wrong;

		bytes += ent_bytes(d, i);
		if (level) {
			wrong = check_block(sub(d, i), level - 1, last);
			if (wrong)
				return wrong;
			continue;
		}
		if (*last && strcmp(*last, name_at(d, i)) >= 0)
			return "names out of order";
		*last = name_at(d, i);
	}
	return bytes == d->bytes ? NULL : "a wrong count of bytes";
}

const char *dir_check(const struct dir *d)
{
	const char *last = NULL;

	return d ? check_block(d, d->level, &last) : NULL;
}

uint32_t dir_refs(const struct dir *d)
{
	return d->refs;
}

unsigned int dir_level(const struct dir *d)
{
	return d->level;
}

unsigned int dir_entries(const struct dir *d)
{
	return d->n;
}

struct dir_entry dir_entry(const struct dir *d, unsigned int i)
{
	return (struct dir_entry){name_at(d, i), d->ent[i]};
}

struct dir *dir_block_new(unsigned int level, uint64_t gen,
			  const struct dir_entry *ent, unsigned int n)
{
	struct dir *d;
	size_t room = 0;

	for (unsigned int i = 0; i < n; i++)
		room += strlen(ent[i].name) + 1;
	d = block_alloc(level, n, room);
	d->gen = gen;
	for (unsigned int i = 0; i < n; i++) {
		ent_insert(&d, i, ent[i].name, strlen(ent[i].name), ent[i].ptr);
		d->bytes += ent_bytes(d, i);
	}
	return d;
}
