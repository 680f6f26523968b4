/* SPDX-License-Identifier: MIT */
/* The machine's memory map, see memory_map.h. */
#include "mem/memory_map.h"
#include "lib/string.h"

bool memory_map_add(struct memory_map *m, paddr_t start, uint64_t size,
		    uint32_t type)
{
	struct memory_range *r = &m->range[m->n];

	if (!size || start + size < start || m->n == MEMORY_MAP_MAX)
		return false;
	*r = (struct memory_range){start, start + size, type};
	m->n++;
	return true;
}

/* Types beyond those we know are reserved; "less RAM" wins an overlap. */
static unsigned int strength(uint32_t type)
{
	static const uint8_t order[] = {
		[MEMORY_RAM] = 1,      [MEMORY_ACPI] = 2,     [MEMORY_NVS] = 3,
		[MEMORY_RESERVED] = 4, [MEMORY_UNUSABLE] = 5,
	};

	return type < ARRAY_SIZE(order) && order[type] ? order[type] : 4;
}

/* The first boundary above `from`, or `from` when there is none. */
static paddr_t next_edge(const struct memory_map *m, paddr_t from, bool first)
{
	paddr_t best = ~0UL;
	bool found = false;

	for (unsigned int i = 0; i < m->n; i++) {
		const paddr_t edge[2] = {m->range[i].start, m->range[i].end};

		for (unsigned int k = 0; k < 2; k++)
			if ((edge[k] > from || (first && edge[k] == from)) &&
			    edge[k] <= best) {
				best = edge[k];
				found = true;
			}
	}
	return found ? best : from;
}

/* The strongest type that covers an elementary interval; 0: a hole. */
static uint32_t type_at(const struct memory_map *m, paddr_t a)
{
	uint32_t type = 0;

	for (unsigned int i = 0; i < m->n; i++) {
		const struct memory_range *r = &m->range[i];

		if (r->start <= a && a < r->end &&
		    (!type || strength(r->type) > strength(type)))
			type = r->type;
	}
	return type;
}

static void append(struct memory_map *m, paddr_t start, paddr_t end,
		   uint32_t type)
{
	struct memory_range *last = m->n ? &m->range[m->n - 1] : NULL;

	if (type == MEMORY_RAM) {
		start = ROUND_UP(start, PAGE_SIZE);
		end = ROUND_DOWN(end, PAGE_SIZE);
	}
	if (start >= end)
		return;
	if (last && last->end == start && last->type == type)
		last->end = end;
	else if (m->n < MEMORY_MAP_MAX)
		m->range[m->n++] = (struct memory_range){start, end, type};
}

void memory_map_sort(struct memory_map *m)
{
	static struct memory_map out; /* too large for a stack */
	uint32_t open_type = 0;
	paddr_t at, next, open = 0;

	out.n = 0;
	for (at = next_edge(m, 0, true); m->n; at = next) {
		uint32_t type = type_at(m, at);

		next = next_edge(m, at, false);
		if (type != open_type || next == at) {
			if (open_type)
				append(&out, open, at, open_type);
			open = at;
			open_type = type;
		}
		if (next == at)
			break;
	}
	*m = out;
}

uint64_t memory_map_total(const struct memory_map *m, uint32_t type)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < m->n; i++)
		if (m->range[i].type == type)
			sum += m->range[i].end - m->range[i].start;
	return sum;
}

const char *memory_type_name(uint32_t type)
{
	switch (type) {
	case MEMORY_RAM:
		return "usable";
	case MEMORY_ACPI:
		return "ACPI data";
	case MEMORY_NVS:
		return "ACPI NVS";
	case MEMORY_UNUSABLE:
		return "unusable";
	default:
		return "reserved";
	}
}
