/* SPDX-License-Identifier: MIT */
/* Inside the domain builder: what its files share while a domain is filled. */
#ifndef OSTLER_LIBXC_BUILD_H
#define OSTLER_LIBXC_BUILD_H

#include "builder.h"
#include "private.h"
#include "image/image.h"

#define MIB      ((uint64_t)1 << 20)
#define GIB      ((uint64_t)1 << 30)
#define NO_FRAME UINT64_MAX

static inline uint64_t round_up(uint64_t x, uint64_t to)
{
	return (x + to - 1) & ~(to - 1);
}

/*
 * A file mapped read-only, or memory that stands for one. The descriptor is
 * kept because much of it is quicker read than faulted in: each page that a
 * paravirtual dom0 maps costs it a hypercall. Zero: there is none.
 */
struct blob {
	void *data;
	size_t len;
	bool is_mapping; /* munmap(), not free() */
	int fd;
};

struct kernel {
	struct blob file; /* unpacked */
	struct image_elf elf;
	bool cache_hit;
};

/*
 * A domain being filled. Memory is written by pseudo-physical frame: for PV
 * p2m[] says which machine frame that is, for the others Xen knows.
 */
struct build {
	xc_interface *xch;
	const struct build_config *cfg;
	struct build_error *err;
	struct build_result *out;
	uint32_t domid;

	struct kernel kernel;
	struct blob modules[BUILD_MODULES];

	uint64_t *p2m; /* PV: nr_frames entries */
	uint64_t nr_frames;
	uint64_t low_end,
		high_end; /* HVM, PVH: ends of memory; high_end may be 0 */
	uint64_t next;    /* first frame that is not in use yet */
};

/* ---- errors ---- */

/* Writes err->text; returns -1. Keeps errno. */
int build_fail(struct build_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same with errno's text appended. */
int build_fail_errno(struct build_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- files (blob.c, kernel.c, cache.c) ---- */

int blob_open(struct blob *b, const char *path, const char *what,
	      struct build_error *err);
void blob_close(struct blob *b);

int kernel_open(struct kernel *k, const struct build_config *cfg,
		struct build_error *err);
void kernel_close(struct kernel *k);

/*
 * The cache of unpacked kernels. A failure of the cache is never an error: the
 * kernel is then unpacked into memory.
 */
struct cache_key {
	uint8_t bytes[16];
};

/* dir: NULL for the default. False when there is no usable cache. */
bool cache_key(const char *dir, const struct blob *packed,
	       struct cache_key *key);
bool cache_get(const char *dir, const struct cache_key *key, size_t len,
	       struct blob *out);
/* A writable shared mapping of a new entry of len bytes... */
int cache_new(const char *dir, size_t len, struct blob *out);
/* ... which gets its name here, or is dropped. */
void cache_commit(const char *dir, int fd, const struct cache_key *key);
void cache_drop(int fd);

/* ---- guest memory (guest.c) ---- */

/* Maps n frames for writing, or NULL with the error told. */
void *guest_map(struct build *b, uint64_t frame, uint64_t n);
void guest_unmap(void *p, uint64_t n);
/* Copies filesz bytes to a physical address and clears up to memsz. */
int guest_write(struct build *b, uint64_t paddr, const void *data,
		uint64_t filesz, uint64_t memsz);
/* The same, from an offset in a file. */
int guest_write_blob(struct build *b, uint64_t paddr, const struct blob *from,
		     uint64_t offset, uint64_t filesz, uint64_t memsz);
/* Takes the next n frames; NO_FRAME with the error told when memory is full. */
uint64_t guest_take(struct build *b, uint64_t n, const char *what);
/* Loads the kernel's segments where they were linked, less paddr_offset. */
int guest_load_kernel(struct build *b, uint64_t paddr_offset);
/* Loads module i at the next frames; its address. NO_FRAME: failed. */
uint64_t guest_load_module(struct build *b, unsigned int i);

/* ---- memory (populate.c) ---- */

/* Frames [start, end) of a translated guest, by the largest pages. */
int populate_range(struct build *b, uint64_t start, uint64_t end,
		   unsigned int flags);
/* All nr_frames of a PV guest; fills p2m. */
int populate_pv(struct build *b);
int populate_fail(struct build *b);
/* Keeps that many pages for the guest until they are filled in or unclaimed. */
int populate_claim(struct build *b, uint64_t pages);
void populate_unclaim(struct build *b);

/* ---- kinds ---- */

int build_fill_pv(struct build *b);
int build_fill_pvh(struct build *b);
int build_fill_hvm(struct build *b);

/* ---- parts of PVH and HVM (container.c, acpi.c) ---- */

/* The last guest frames below the APIC's MMIO, in this order. */
enum special {
	SPECIAL_PAGING,
	SPECIAL_ACCESS,
	SPECIAL_SHARING,
	SPECIAL_BUFIOREQ,
	SPECIAL_XENSTORE,
	SPECIAL_IOREQ,
	SPECIAL_IDENT_PT,
	SPECIAL_CONSOLE,
	SPECIALS,
};

#define SPECIAL_END          0xff000ull
#define SPECIAL_FRAME(which) (SPECIAL_END - SPECIALS + (which))
#define IOREQ_SERVER_PAGES   8
#define IOREQ_SERVER_FRAME   (SPECIAL_FRAME(0) - IOREQ_SERVER_PAGES)

/* Splits the guest's memory around a hole that begins at mmio_start. */
int container_memory(struct build *b, uint64_t mmio_start, bool vga_hole);
int container_special_pages(struct build *b);
/* The vCPU in 32-bit protected mode, at entry, with start_info in EBX. */
int container_vcpu(struct build *b, uint64_t entry, uint64_t start_info,
		   bool write_back);

#define E820_ENTRIES 8
struct memory_map {
	unsigned int n;
	struct e820entry entry[E820_ENTRIES];
};
void memory_map_add(struct memory_map *m, uint64_t start, uint64_t end,
		    uint32_t type);

/* What start info lists. */
struct start_module {
	uint64_t paddr, size;
	const char *cmdline;
};
/* Writes start info at the next frames; its address. NO_FRAME: failed. */
uint64_t start_info_write(struct build *b, const struct start_module *mod,
			  unsigned int nr_mods, const char *cmdline,
			  uint64_t rsdp, const struct memory_map *map);

/*
 * ACPI tables of a PVH guest as they shall lie at paddr: a new buffer, and its
 * length. rsdp: its own address (within the buffer, at its start).
 */
void *acpi_tables(unsigned int nr_vcpus, const uint8_t *online, uint64_t paddr,
		  size_t *len);

/* The console's and xenstore's grants, which a guest may use unasked. */
int grant_seed(struct build *b, uint64_t console_gfn, uint64_t store_gfn);

#endif
