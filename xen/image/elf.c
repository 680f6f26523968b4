/* SPDX-License-Identifier: MIT */
/*
 * The ELF file inside a kernel image: 32-bit or 64-bit, x86, little-endian.
 * Each header is read field by field into a plain struct, so that one piece of
 * code serves both classes and no alignment is assumed.
 */
#include <xen/elfnote.h>
#include <xen/features.h>

#include "image/image.h"
#include "image/bytes.h"
#include "image/notes.h"
#include "image/port.h"

enum {
	ELFCLASS32 = 1,
	ELFCLASS64 = 2,
	ELFDATA2LSB = 1,
	ET_EXEC = 2,
	ET_DYN = 3,
	EM_386 = 3,
	EM_X86_64 = 62,
	PT_LOAD = 1,
	PT_NOTE = 4,
	SHT_NOTE = 7,
	/* A kernel has a handful of segments and some ninety sections. */
	PHDRS_MAX = 256,
	SHDRS_MAX = 4096,
};

struct phdr {
	uint32_t type;
	uint64_t offset, vaddr, paddr, filesz, memsz;
};

struct shdr {
	uint32_t type;
	uint64_t offset, size;
};

static uint32_t phdr_size(const struct image_elf *elf)
{
	return elf->is64 ? 56 : 32;
}

static uint32_t shdr_size(const struct image_elf *elf)
{
	return elf->is64 ? 64 : 40;
}

static struct phdr read_phdr(const struct image_elf *elf, unsigned int i)
{
	const uint8_t *p =
		elf->file + elf->phoff + (uint64_t)i * elf->phentsize;

	if (elf->is64)
		return (struct phdr){
			.type = get32(p),
			.offset = get64(p + 8),
			.vaddr = get64(p + 16),
			.paddr = get64(p + 24),
			.filesz = get64(p + 32),
			.memsz = get64(p + 40),
		};
	return (struct phdr){
		.type = get32(p),
		.offset = get32(p + 4),
		.vaddr = get32(p + 8),
		.paddr = get32(p + 12),
		.filesz = get32(p + 16),
		.memsz = get32(p + 20),
	};
}

static struct shdr read_shdr(const struct image_elf *elf, unsigned int i)
{
	const uint8_t *p =
		elf->file + elf->shoff + (uint64_t)i * elf->shentsize;

	if (elf->is64)
		return (struct shdr){
			.type = get32(p + 4),
			.offset = get64(p + 24),
			.size = get64(p + 32),
		};
	return (struct shdr){
		.type = get32(p + 4),
		.offset = get32(p + 16),
		.size = get32(p + 20),
	};
}

static int read_header(struct image_elf *elf, const char **why)
{
	const uint8_t *f = elf->file;
	uint16_t type;

	if (elf->len < 52 || memcmp(f, "\177ELF", 4))
		return fail(-XEN_ENOEXEC, why, "not an ELF file");
	elf->is64 = f[4] == ELFCLASS64;
	if ((!elf->is64 && f[4] != ELFCLASS32) || f[5] != ELFDATA2LSB)
		return fail(
			-XEN_ENOEXEC, why,
			"ELF file is neither 32-bit nor 64-bit little-endian");
	if (elf->is64 && elf->len < 64)
		return fail(-XEN_EINVAL, why, "ELF header is truncated");
	type = get16(f + 16);
	elf->machine = get16(f + 18);
	if (type != ET_EXEC && type != ET_DYN)
		return fail(-XEN_ENOEXEC, why, "ELF file is not an executable");
	if (elf->machine != (elf->is64 ? EM_X86_64 : EM_386))
		return fail(-XEN_ENOEXEC, why, "ELF file is not for x86");

	elf->entry = elf->is64 ? get64(f + 24) : get32(f + 24);
	elf->phoff = elf->is64 ? get64(f + 32) : get32(f + 28);
	elf->shoff = elf->is64 ? get64(f + 40) : get32(f + 32);
	f += elf->is64 ? 54 : 42;
	elf->phentsize = get16(f);
	elf->phnum = get16(f + 2);
	elf->shentsize = get16(f + 4);
	elf->shnum = get16(f + 6);
	return 0;
}

static int check_tables(struct image_elf *elf, const char **why)
{
	if (elf->phnum == 0 || elf->phnum > PHDRS_MAX ||
	    elf->phentsize < phdr_size(elf))
		return fail(
			-XEN_EINVAL, why,
			"ELF program headers have no credible count or size");
	if (!inside(elf->len, elf->phoff,
		    (uint64_t)elf->phnum * elf->phentsize))
		return fail(-XEN_EINVAL, why,
			    "ELF program headers lie outside the file");
	/* Sections matter only for notes: a stripped table is no error. */
	if (elf->shnum > SHDRS_MAX || elf->shentsize < shdr_size(elf) ||
	    !inside(elf->len, elf->shoff,
		    (uint64_t)elf->shnum * elf->shentsize))
		elf->shnum = 0;
	return 0;
}

static int check_load(struct image_elf *elf, const struct phdr *ph,
		      const char **why)
{
	uint64_t top = elf->is64 ? UINT64_MAX : UINT32_MAX;

	if (!inside(elf->len, ph->offset, ph->filesz))
		return fail(-XEN_EINVAL, why,
			    "ELF segment lies outside the file");
	if (ph->filesz > ph->memsz)
		return fail(-XEN_EINVAL, why,
			    "ELF segment is larger in the file than in memory");
	if (ph->memsz > top - ph->paddr || ph->memsz > top - ph->vaddr)
		return fail(-XEN_EINVAL, why, "ELF segment's address wraps");
	if (ph->paddr < elf->pstart)
		elf->pstart = ph->paddr;
	if (ph->paddr + ph->memsz > elf->pend)
		elf->pend = ph->paddr + ph->memsz;
	return 0;
}

static int check_segments(struct image_elf *elf, const char **why)
{
	elf->pstart = UINT64_MAX;
	elf->pend = 0;
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct phdr ph = read_phdr(elf, i);
		int err;

		if (ph.type != PT_LOAD || ph.memsz == 0)
			continue;
		err = check_load(elf, &ph, why);
		if (err)
			return err;
	}
	if (elf->pend == 0)
		return fail(-XEN_ENOEXEC, why, "ELF file has nothing to load");
	return 0;
}

static int segment_notes(struct image_elf *elf, const char **why)
{
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct phdr ph = read_phdr(elf, i);
		int err;

		if (ph.type != PT_NOTE)
			continue;
		if (!inside(elf->len, ph.offset, ph.filesz))
			return fail(-XEN_EINVAL, why,
				    "ELF note segment lies outside the file");
		err = image_collect_notes(elf->file + ph.offset, ph.filesz,
					  &elf->notes, why);
		if (err)
			return err;
	}
	return 0;
}

static int section_notes(struct image_elf *elf, const char **why)
{
	for (unsigned int i = 0; i < elf->shnum; i++) {
		struct shdr sh = read_shdr(elf, i);
		int err;

		if (sh.type != SHT_NOTE)
			continue;
		if (!inside(elf->len, sh.offset, sh.size))
			return fail(-XEN_EINVAL, why,
				    "ELF note section lies outside the file");
		err = image_collect_notes(elf->file + sh.offset, sh.size,
					  &elf->notes, why);
		if (err)
			return err;
	}
	return 0;
}

int image_parse_elf(const void *file, size_t len, struct image_elf *out,
		    const char **why)
{
	int err;

	memset(out, 0, sizeof(*out));
	out->file = file;
	out->len = len;
	err = read_header(out, why);
	if (!err)
		err = check_tables(out, why);
	if (!err)
		err = check_segments(out, why);
	if (!err)
		err = segment_notes(out, why);
	if (!err && !out->notes.present)
		err = section_notes(out, why);
	return err;
}

int image_load(const struct image_elf *elf, image_segment_fn fn, void *ctx)
{
	for (unsigned int i = 0; i < elf->phnum; i++) {
		struct phdr ph = read_phdr(elf, i);
		struct image_segment seg;
		int err;

		/* Only these have been checked to lie in the file. */
		if (ph.type != PT_LOAD || ph.memsz == 0)
			continue;
		seg = (struct image_segment){
			.vaddr = ph.vaddr,
			.paddr = ph.paddr,
			.memsz = ph.memsz,
			.data = elf->file + ph.offset,
			.filesz = ph.filesz,
		};
		err = fn(ctx, &seg);
		if (err)
			return err;
	}
	return 0;
}

bool image_is_pvh(const struct image_elf *elf)
{
	return image_has_note(elf, XEN_ELFNOTE_PHYS32_ENTRY);
}

bool image_is_pv(const struct image_elf *elf)
{
	const uint32_t must_translate = 1u << XENFEAT_auto_translated_physmap |
					1u << XENFEAT_supervisor_mode_kernel;

	return (image_has_note(elf, XEN_ELFNOTE_GUEST_OS) ||
		image_has_note(elf, XEN_ELFNOTE_XEN_VERSION)) &&
	       (image_has_note(elf, XEN_ELFNOTE_ENTRY) ||
		image_has_note(elf, XEN_ELFNOTE_VIRT_BASE) ||
		image_has_note(elf, XEN_ELFNOTE_HYPERCALL_PAGE)) &&
	       !(elf->notes.required & must_translate);
}

int image_virt_layout(const struct image_elf *elf, struct image_virt *out,
		      const char **why)
{
	const struct image_notes *n = &elf->notes;
	uint64_t offset;

	if (image_has_note(elf, XEN_ELFNOTE_PADDR_OFFSET) &&
	    !image_has_note(elf, XEN_ELFNOTE_VIRT_BASE))
		return fail(-XEN_EINVAL, why,
			    "kernel has a PADDR_OFFSET note, no VIRT_BASE");
	/* Both are zero when their note is missing, as the ABI has it. */
	out->base = n->virt_base;
	out->paddr_offset = n->paddr_offset;
	/* Deliberately modulo 2^64: the bounds below catch a wrap. */
	offset = out->base - out->paddr_offset;
	out->kstart = elf->pstart + offset;
	out->kend = elf->pend + offset;
	out->entry = image_has_note(elf, XEN_ELFNOTE_ENTRY) ? n->entry
							    : elf->entry;
	if ((out->base | out->paddr_offset) & 0xfff)
		return fail(-XEN_EINVAL, why,
			    "kernel's VIRT_BASE or PADDR_OFFSET is within a "
			    "page");
	if (elf->pstart < out->paddr_offset || out->kstart >= out->kend ||
	    out->kstart < out->base)
		return fail(-XEN_EINVAL, why,
			    "kernel's virtual addresses wrap");
	if (!elf->is64 && out->kend > UINT32_MAX)
		return fail(-XEN_EINVAL, why,
			    "32-bit kernel's addresses exceed 4 GiB");
	if (out->entry < out->kstart || out->entry >= out->kend)
		return fail(-XEN_EINVAL, why,
			    "kernel's entry lies outside its image");
	return 0;
}
