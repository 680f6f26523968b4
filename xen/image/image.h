/* SPDX-License-Identifier: MIT */
/*
 * Kernel images, as a distribution installs them: a bzImage ("vmlinuz") whose
 * payload is compressed, a gzip-compressed ELF file, or a plain ELF file. The
 * hypervisor reads dom0's kernel with this and the domain builder a guest's.
 *
 * Three steps: image_find() says where the kernel is in the file and how large
 * it is; image_unpack() unpacks it into memory of the caller's; and
 * image_parse_elf() checks the ELF file and collects its Xen notes, so that
 * image_load() can hand out the segments.
 *
 * Images are hostile: every function checks all that it reads, and returns 0
 * or a negative Xen error number, with a reason in *why (a constant string).
 */
#ifndef OSTLER_IMAGE_IMAGE_H
#define OSTLER_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Finding and unpacking the kernel ---- */

enum image_format {
	IMAGE_RAW, /* an ELF file that needs no unpacking */
	IMAGE_GZIP,
	IMAGE_XZ,
	IMAGE_ZSTD,
	IMAGE_LZ4, /* the legacy frame, which is what the kernel's build uses */
};

struct image_payload {
	enum image_format format;
	bool bzimage;        /* found inside a bzImage */
	const uint8_t *data; /* in the caller's file */
	size_t len;          /* without the size word that the kernel appends */
	size_t unpacked;     /* exact length of the unpacked kernel */
};

/* Where the decompressors take their working memory from. */
struct image_mem {
	void *(*alloc)(void *ctx, size_t size); /* NULL when there is none */
	void (*free)(void *ctx, void *p);       /* takes NULL */
	void *ctx;
};

/*
 * Finds the kernel in a file of len bytes. -XEN_ENOEXEC: not a kernel image;
 * -XEN_EOPNOTSUPP: a compression we lack; -XEN_EINVAL: a broken header.
 */
int image_find(const void *file, size_t len, struct image_payload *out,
	       const char **why);

/*
 * Unpacks into dst, which holds p->unpacked bytes. Succeeds only if exactly
 * that many came out and all of the input was used. -XEN_EILSEQ: corrupt or
 * truncated; -XEN_EMSGSIZE: longer or shorter than it says; -XEN_ENOMEM.
 */
int image_unpack(const struct image_payload *p, void *dst,
		 const struct image_mem *mem, const char **why);

const char *image_format_name(enum image_format format);

/* ---- The ELF file in it ---- */

/* Later headers name it XEN_ELFNOTE_PHYS32_RELOC; 4.17's do not have it. */
#define IMAGE_NOTE_PHYS32_RELOC 19
#define IMAGE_NOTES             20

struct image_notes {
	uint32_t present; /* a bit for each note type below IMAGE_NOTES */
	uint64_t entry, hypercall_page, virt_base, paddr_offset, hv_start_low;
	uint64_t init_p2m, mod_start_pfn, suspend_cancel, phys32_entry;
	uint64_t l1_mask, l1_valid; /* how this kernel marks a PTE present */
	uint32_t features;          /* XENFEAT_* bits it can work with */
	uint32_t required;          /* those it cannot live without */
	/* Where a PVH kernel may be put instead of where it was linked. */
	uint32_t reloc_align, reloc_min, reloc_max;
	bool bsd_symtab;
	char guest_os[32], guest_version[32], xen_version[16], loader[16];
	char pae[16];
};

struct image_elf {
	const uint8_t *file;
	size_t len;
	bool is64;
	uint16_t machine; /* EM_386 (3) or EM_X86_64 (62) */
	uint64_t entry;
	uint64_t phoff, shoff;
	uint16_t phnum, phentsize, shnum, shentsize;
	uint64_t pstart, pend; /* bounds of the loaded segments' addresses */
	struct image_notes notes;
};

struct image_segment {
	uint64_t vaddr, paddr, memsz;
	const void *data; /* filesz bytes; the rest up to memsz is zero */
	uint64_t filesz;
};

/* Takes one segment; a non-zero result ends image_load() with it. */
typedef int (*image_segment_fn)(void *ctx, const struct image_segment *seg);

/*
 * Checks a little-endian x86 ELF file: its headers, that every loadable
 * segment lies in the file and its addresses do not wrap, and its Xen notes
 * (in PT_NOTE segments or, without those, in SHT_NOTE sections).
 */
int image_parse_elf(const void *file, size_t len, struct image_elf *out,
		    const char **why);

/* Gives each PT_LOAD segment with a size to fn, in the file's order. */
int image_load(const struct image_elf *elf, image_segment_fn fn, void *ctx);

static inline bool image_has_note(const struct image_elf *elf,
				  unsigned int type)
{
	return type < IMAGE_NOTES && (elf->notes.present & (1u << type));
}

/* Can this kernel start at PHYS32_ENTRY, as PVH wants it? */
bool image_is_pvh(const struct image_elf *elf);

/* Can this kernel start as a paravirtual one? */
bool image_is_pv(const struct image_elf *elf);

/*
 * How a paravirtual kernel's virtual addresses relate to its image: virtual =
 * physical - paddr_offset + virt_base. Checked not to wrap.
 */
struct image_virt {
	uint64_t base;         /* virtual address of pseudo-physical 0 */
	uint64_t kstart, kend; /* the loaded image */
	uint64_t entry;
	uint64_t paddr_offset;
};

int image_virt_layout(const struct image_elf *elf, struct image_virt *out,
		      const char **why);

#endif
