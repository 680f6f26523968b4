/* SPDX-License-Identifier: MIT */
/*
 * The small languages within a configuration's strings: disks
 * (xl-disk-configuration(5)), network interfaces (xl-network-configuration(5)),
 * processor lists, CPUID bits, memory sizes, UUIDs, virtual device names. A
 * parser returns false with what was wrong and where in its string.
 */
#ifndef OSTLER_XL_SPEC_H
#define OSTLER_XL_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"

struct spec_error {
	size_t at;      /* offset in the string */
	char what[200]; /* a sentence without a full stop */
};

bool spec_fail(struct spec_error *e, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One parameter of a comma-separated specification. */
struct spec_word {
	size_t at;         /* where it starts */
	const char *key;   /* NULL if there is no '=' */
	const char *value; /* or the whole, without a key */
	size_t value_at;
};
/*
 * Takes the next parameter at *pos; false at the end. A parameter whose key is
 * rest_key takes all that follows, commas too.
 */
bool spec_next(struct arena *a, const char *s, size_t *pos,
	       const char *rest_key, struct spec_word *w);

/* ---- disks ---- */
enum disk_format {
	DISK_RAW,
	DISK_QCOW,
	DISK_QCOW2,
	DISK_VHD,
	DISK_QED,
	DISK_EMPTY,
};

enum disk_backend { DISK_AUTO, DISK_PHY, DISK_QDISK, DISK_STANDALONE };

struct disk_spec {
	const char *target; /* "" for an empty drive */
	enum disk_format format;
	const char *vdev;
	uint32_t devid; /* the number in xenstore */
	bool writable, cdrom, direct_io_safe, discard, untrusted;
	enum disk_backend backend;
	const char *backend_domain; /* NULL: dom0 */
	uint32_t backend_domid;     /* its number, once it was looked up */
	const char *script;         /* NULL: none */
};

extern const char *const disk_format_names[];
bool disk_parse(struct arena *a, const char *s, struct disk_spec *d,
		struct spec_error *e);

/*
 * xvda, hdc3, sdb, d4p1 or a number, as the number that xenstore uses
 * (xen-vbd-interface(7)). *disk is the drive's index, from 0.
 */
bool vdev_parse(const char *name, uint32_t *devid, unsigned int *disk);
/* The canonical name of such a number, in buf. */
const char *vdev_name(uint32_t devid, char *buf, size_t size);

/* ---- network interfaces ---- */
struct vif_spec {
	uint8_t mac[6];
	bool has_mac, emulated, emulated_set, untrusted;
	const char *bridge, *script, *ifname, *ip, *model, *gateway;
	const char *backend_domain;
	uint32_t backend_domid;
	int devid;           /* -1: the next free one */
	int mtu;             /* 0: the bridge's */
	uint64_t rate_bytes; /* an interval; 0: no limit */
	uint32_t rate_usecs;
};

bool vif_parse(struct arena *a, const char *s, struct vif_spec *v,
	       struct spec_error *e);
bool mac_parse(const char *s, uint8_t mac[6]);
#define MAC_FMT    "%02x:%02x:%02x:%02x:%02x:%02x"
#define MAC_ARG(m) (m)[0], (m)[1], (m)[2], (m)[3], (m)[4], (m)[5]

/* ---- processors ---- */
struct cpu_term {
	bool exclude, nodes, all;
	unsigned int first, last;
};

struct cpu_list {
	unsigned int nr;
	struct cpu_term *term;
};

/* The largest processor or node number that is taken at all. */
#define CPU_LIST_MAX 4095

bool cpulist_parse(struct arena *a, const char *s, struct cpu_list *l,
		   struct spec_error *e);
/*
 * The list as a set of nr_cpus bits; node_of gives each processor's node (NULL:
 * all on node 0). Terms apply in order; a list that starts with an exclusion
 * starts from the empty set, as the stock tool's does.
 */
void cpulist_resolve(const struct cpu_list *l, unsigned int nr_cpus,
		     const uint32_t *node_of, uint8_t *map);
bool cpumap_has(const uint8_t *map, unsigned int cpu);
/* A set as "all", "0-3,5" or "none". */
void cpumap_format(const uint8_t *map, unsigned int nr_cpus, char *buf,
		   size_t size);

/* ---- cpuid= ---- */
#define CPUID_NO_SUBLEAF UINT32_MAX
struct cpuid_leaf {
	uint32_t leaf, subleaf;
	char *reg[4]; /* EAX to EDX: 32 of "01xks", bit 31 first, or NULL */
};

struct cpuid_list {
	unsigned int nr;
	struct cpuid_leaf *leaf;
	/* MSR ARCH_CAPABILITIES: 64 of "01xks", bit 63 first, or NULL */
	char *arch_caps;
};

/* "host,FEATURE=VALUE,…", and one string of xend's list. Adds to l. */
bool cpuid_parse(struct arena *a, const char *s, struct cpuid_list *l,
		 struct spec_error *e);
bool cpuid_parse_xend(struct arena *a, const char *s, struct cpuid_list *l,
		      struct spec_error *e);

/* ---- small ones ---- */
/* "2048m", "4g", "1048576" (in unit bytes when no letter is given). */
bool memsize_parse(const char *s, uint64_t unit, uint64_t *bytes);
bool uuid_parse(const char *s, uint8_t uuid[16]);
void uuid_generate(uint8_t uuid[16]);
#define UUID_FMT                                                               \
	"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x"
#define UUID_ARG(u)                                                            \
	(u)[0], (u)[1], (u)[2], (u)[3], (u)[4], (u)[5], (u)[6], (u)[7],        \
		(u)[8], (u)[9], (u)[10], (u)[11], (u)[12], (u)[13], (u)[14],   \
		(u)[15]

#endif
