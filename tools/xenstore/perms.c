/* SPDX-License-Identifier: MIT */
/* Permission sets, interned. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "perms.h"

static struct htab sets;

static uint32_t set_hash(const struct perm *p, unsigned int n)
{
	return hash_end(hash_bytes(hash_seed(), p, n * sizeof(*p)));
}

struct perms *perms_intern(const struct perm *p, unsigned int n)
{
	uint32_t hash = set_hash(p, n);
	struct perms *ps;

	for (struct hlink *l = htab_chain(&sets, hash); l; l = l->next) {
		ps = (struct perms *)l;
		if (l->hash == hash && ps->n == n &&
		    !memcmp(ps->p, p, n * sizeof(*p)))
			return perms_get(ps);
	}
	ps = mem_alloc(sizeof(*ps) + n * sizeof(*p));
	ps->refs = 1;
	ps->n = n;
	memcpy(ps->p, p, n * sizeof(*p));
	htab_insert(&sets, &ps->link, hash);
	return ps;
}

struct perms *perms_get(struct perms *ps)
{
	ps->refs++;
	return ps;
}

void perms_put(struct perms *ps)
{
	if (--ps->refs)
		return;
	htab_remove(&sets, &ps->link);
	free(ps);
}

struct perms *perms_chown(const struct perms *ps, uint16_t domid)
{
	struct perm copy[PERMS_MAX];

	memcpy(copy, ps->p, ps->n * sizeof(*copy));
	copy[0].domid = domid;
	return perms_intern(copy, ps->n);
}

static bool is_one_of(const struct who *who, uint16_t domid)
{
	return who->domid == domid || who->target == (int)domid;
}

unsigned int perms_access(const struct perms *ps, const struct who *who)
{
	if (who->priv || is_one_of(who, ps->p[0].domid))
		return PERM_READ | PERM_WRITE | PERM_OWNER;
	for (unsigned int i = 1; i < ps->n; i++)
		if (!ps->p[i].stale && is_one_of(who, ps->p[i].domid))
			return ps->p[i].access;
	return ps->p[0].access;
}

static bool mark_stale(struct perms *ps, uint16_t domid)
{
	bool hit = false;

	for (unsigned int i = 1; i < ps->n; i++) {
		if (ps->p[i].domid != domid || ps->p[i].stale)
			continue;
		ps->p[i].stale = 1;
		hit = true;
	}
	return hit;
}

/*
 * A marked set has another hash. Two objects may be equal afterwards, which
 * costs a little memory and is otherwise harmless.
 */
void perms_forget(uint16_t domid)
{
	struct hlink *moved = NULL, *next;

	for (uint32_t i = 0; i < sets.size; i++) {
		struct hlink **p = &sets.slot[i];

		while (*p) {
			struct hlink *l = *p;

			if (!mark_stale((struct perms *)l, domid)) {
				p = &l->next;
				continue;
			}
			*p = l->next;
			sets.used--;
			l->next = moved;
			moved = l;
		}
	}
	for (; moved; moved = next) {
		struct perms *ps = (struct perms *)moved;

		next = moved->next;
		htab_insert(&sets, moved, set_hash(ps->p, ps->n));
	}
}

static int parse_one(const char *s, struct perm *out)
{
	unsigned long domid;
	char *end;

	memset(out, 0, sizeof(*out));
	switch (s[0]) {
	case 'n':
		break;
	case 'r':
		out->access = PERM_READ;
		break;
	case 'w':
		out->access = PERM_WRITE;
		break;
	case 'b':
		out->access = PERM_READ | PERM_WRITE;
		break;
	default:
		return -EINVAL;
	}
	if (s[1] < '0' || s[1] > '9')
		return -EINVAL;
	domid = strtoul(s + 1, &end, 0);
	if (*end || domid > UINT16_MAX)
		return -EINVAL;
	out->domid = domid;
	return 0;
}

int perms_parse(const char *s, size_t len, struct perm *out, unsigned int max)
{
	const char *end = s + len;
	unsigned int n = 0;

	if (!len || end[-1])
		return -EINVAL;
	for (; s < end; s += strlen(s) + 1, n++) {
		if (n == max)
			return -ENOSPC;
		if (parse_one(s, &out[n]))
			return -EINVAL;
	}
	return n;
}

size_t perms_format(const struct perms *ps, char *buf, size_t size)
{
	static const char letter[] = "nrwb";
	size_t used = 0;

	for (unsigned int i = 0; i < ps->n; i++) {
		char one[8];
		size_t len = snprintf(one, sizeof(one), "%c%u",
				      letter[ps->p[i].access & 3],
				      ps->p[i].domid) +
			     1;

		if (used + len <= size)
			memcpy(buf + used, one, len);
		used += len;
	}
	return used;
}

uint32_t perms_count(void)
{
	return sets.used;
}
