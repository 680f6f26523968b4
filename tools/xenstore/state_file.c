/* SPDX-License-Identifier: MIT */
/* The bytes of a state dump. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "state_file.h"

#define MAGIC         "OSTLERXS"
#define STATE_VERSION 1u

struct header {
	char magic[8];
	uint32_t version, unused;
	uint64_t bytes; /* after the header */
};

struct numbered {
	struct hlink link;
	const void *p;
	uint32_t id;
};

int state_out_start(struct state_out *o, int fd)
{
	struct header h = {.version = STATE_VERSION};
	int copy = dup(fd);

	memset(o, 0, sizeof(*o));
	o->f = copy < 0 ? NULL : fdopen(copy, "w");
	if (!o->f)
		return errno;
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	fwrite(&h, sizeof(h), 1, o->f);
	return 0;
}

static void free_ids(struct htab *t)
{
	for (uint32_t i = 0; i < t->size; i++)
		while (t->slot[i]) {
			struct hlink *l = t->slot[i];

			t->slot[i] = l->next;
			free(l);
		}
	htab_free(t);
}

int state_out_end(struct state_out *o)
{
	int fd = fileno(o->f), err = 0;

	free_ids(&o->ids);
	if (fflush(o->f) ||
	    pwrite(fd, &o->bytes, sizeof(o->bytes),
		   offsetof(struct header, bytes)) != sizeof(o->bytes))
		err = errno ? errno : EIO;
	if (fclose(o->f) && !err)
		err = errno;
	return err;
}

void put_bytes(struct state_out *o, const void *p, size_t len)
{
	if (len)
		fwrite(p, 1, len, o->f);
	o->bytes += len;
}

void put_u32(struct state_out *o, uint32_t v)
{
	put_bytes(o, &v, sizeof(v));
}

void put_u64(struct state_out *o, uint64_t v)
{
	put_bytes(o, &v, sizeof(v));
}

void put_string(struct state_out *o, const char *s)
{
	uint32_t len = strlen(s);

	put_u32(o, len);
	put_bytes(o, s, len);
}

bool put_object(struct state_out *o, const void *p, uint32_t refs)
{
	uint32_t hash = hash_end(hash_bytes(hash_seed(), &p, sizeof(p)));
	struct numbered *n;

	if (refs == 1) {
		put_u32(o, OBJ_SINGLE);
		return true;
	}
	for (struct hlink *l = htab_chain(&o->ids, hash); l; l = l->next) {
		n = (struct numbered *)l;
		if (n->p != p)
			continue;
		put_u32(o, OBJ_AGAIN);
		put_u32(o, n->id);
		return false;
	}
	n = mem_alloc(sizeof(*n));
	n->p = p;
	n->id = o->last_id++;
	htab_insert(&o->ids, &n->link, hash);
	put_u32(o, OBJ_SHARED);
	put_u32(o, n->id);
	return true;
}

const char *state_in_start(struct state_in *i, int fd)
{
	struct header h;
	struct stat st;

	memset(i, 0, sizeof(*i));
	if (fstat(fd, &st) || (size_t)st.st_size < sizeof(h))
		return "there is no state in it";
	i->size = st.st_size;
	i->map = mmap(NULL, i->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (i->map == MAP_FAILED)
		return "it cannot be mapped";
	memcpy(&h, i->map, sizeof(h));
	if (memcmp(h.magic, MAGIC, sizeof(h.magic)))
		return "it is not a state of this daemon";
	if (h.version != STATE_VERSION)
		return "it is of another version";
	if (h.bytes != i->size - sizeof(h))
		return "it is cut short";
	i->p = i->map + sizeof(h);
	i->end = i->map + i->size;
	return NULL;
}

void state_in_end(struct state_in *i)
{
	munmap((void *)i->map, i->size);
	free(i->objects);
}

void state_bad(struct state_in *i, const char *what)
{
	if (!i->wrong)
		i->wrong = what;
}

const void *get_span(struct state_in *i, size_t len)
{
	const void *p = i->p;

	if (i->wrong || (size_t)(i->end - i->p) < len) {
		state_bad(i, "it ends too early");
		return NULL;
	}
	i->p += len;
	return p;
}

void get_bytes(struct state_in *i, void *p, size_t len)
{
	const void *from = len ? get_span(i, len) : NULL;

	if (!len)
		return;
	if (from)
		memcpy(p, from, len);
	else
		memset(p, 0, len);
}

uint32_t get_u32(struct state_in *i)
{
	uint32_t v;

	get_bytes(i, &v, sizeof(v));
	return v;
}

uint64_t get_u64(struct state_in *i)
{
	uint64_t v;

	get_bytes(i, &v, sizeof(v));
	return v;
}

void get_string(struct state_in *i, char *buf, size_t size)
{
	uint32_t len = get_u32(i);

	if (len >= size) {
		state_bad(i, "a string is too long");
		len = 0;
	}
	get_bytes(i, buf, len);
	buf[len] = '\0';
}

bool get_object(struct state_in *i, unsigned int kind, uint32_t *id, void **p)
{
	uint32_t how = get_u32(i);

	*p = NULL;
	*id = UINT32_MAX;
	if (how == OBJ_NONE || i->wrong)
		return true;
	if (how == OBJ_SINGLE)
		return false;
	*id = get_u32(i);
	if (how == OBJ_SHARED)
		return false;
	if (how != OBJ_AGAIN || *id >= i->n_objects ||
	    i->objects[*id].kind != kind)
		state_bad(i, "an object that is not there");
	else
		*p = i->objects[*id].p;
	return true;
}

void state_object(struct state_in *i, unsigned int kind, uint32_t id, void *p)
{
	if (id == UINT32_MAX)
		return;
	if (id >= i->n_objects) {
		uint32_t n = id + 1024;

		if ((size_t)id > i->size) {
			state_bad(i, "an object with an impossible number");
			return;
		}
		i->objects = mem_realloc(i->objects, n * sizeof(*i->objects));
		memset(i->objects + i->n_objects, 0,
		       (n - i->n_objects) * sizeof(*i->objects));
		i->n_objects = n;
	}
	i->objects[id] = (struct state_object){p, kind};
}
