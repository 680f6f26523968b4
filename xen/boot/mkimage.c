/* SPDX-License-Identifier: MIT */
/*
 * mkimage IN OUT: the linked ELF64 as an ELF32 whose virtual addresses are the
 * physical ones, with the same bytes: what multiboot 1 loaders and PVH want.
 * Runs on the build machine.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PHDRS 8
#define DATA_AT   0x1000 /* headers before, all within the first page */

static void __attribute__((noreturn)) fail(const char *file, const char *why)
{
	fprintf(stderr, "mkimage: %s: %s\n", file, why);
	exit(1);
}

static unsigned char *read_file(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	unsigned char *data;
	long n;

	if (!f || fseek(f, 0, SEEK_END) || (n = ftell(f)) < 0)
		fail(name, "cannot be read");
	rewind(f);
	data = malloc((size_t)n + 1);
	if (!data || fread(data, 1, (size_t)n, f) != (size_t)n)
		fail(name, "cannot be read");
	fclose(f);
	*size = (size_t)n;
	return data;
}

static const Elf64_Ehdr *check(const char *name, const unsigned char *data,
			       size_t size)
{
	const Elf64_Ehdr *e = (const void *)data;

	if (size < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) ||
	    e->e_ident[EI_CLASS] != ELFCLASS64)
		fail(name, "is no ELF64");
	if (e->e_phnum > MAX_PHDRS ||
	    e->e_phoff + e->e_phnum * sizeof(Elf64_Phdr) > size)
		fail(name, "has too many program headers");
	return e;
}

static Elf32_Phdr convert(const char *name, const Elf64_Phdr *p, size_t size,
			  Elf32_Off off)
{
	if (p->p_offset > size || p->p_filesz > size - p->p_offset)
		fail(name, "is truncated");
	if (p->p_paddr + p->p_memsz > 0x80000000)
		fail(name, "does not lie below 2 GiB");
	return (Elf32_Phdr){
		.p_type = p->p_type,
		.p_offset = off,
		.p_vaddr = (Elf32_Addr)p->p_paddr,
		.p_paddr = (Elf32_Addr)p->p_paddr,
		.p_filesz = (Elf32_Word)p->p_filesz,
		.p_memsz = (Elf32_Word)p->p_memsz,
		.p_flags = p->p_flags,
		.p_align = p->p_type == PT_LOAD ? 0x1000 : 4,
	};
}

/* Where a segment's bytes stand in OUT: a note lies within the loaded part. */
static Elf32_Off place(const Elf64_Phdr *load, const Elf64_Phdr *p)
{
	return (Elf32_Off)(DATA_AT + p->p_offset - load->p_offset);
}

static void write_out(const char *name, const Elf32_Ehdr *h,
		      const Elf32_Phdr *p, const unsigned char *bytes, size_t n)
{
	unsigned char page[DATA_AT] = {0};
	FILE *f = fopen(name, "wb");

	memcpy(page, h, sizeof(*h));
	memcpy(page + sizeof(*h), p, h->e_phnum * sizeof(*p));
	if (!f || fwrite(page, 1, DATA_AT, f) != DATA_AT ||
	    fwrite(bytes, 1, n, f) != n || fclose(f))
		fail(name, "cannot be written");
}

int main(int argc, char **argv)
{
	const Elf64_Phdr *p, *load = NULL;
	Elf32_Phdr out[MAX_PHDRS];
	const Elf64_Ehdr *e;
	Elf32_Ehdr h = {0};
	unsigned char *data;
	size_t size;

	if (argc != 3)
		fail("usage", "mkimage IN OUT");
	data = read_file(argv[1], &size);
	e = check(argv[1], data, size);
	p = (const void *)(data + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_LOAD) {
			if (load)
				fail(argv[1], "has more than one segment");
			load = &p[i];
		}
	if (!load)
		fail(argv[1], "has nothing to load");
	for (int i = 0; i < e->e_phnum; i++)
		out[i] = convert(argv[1], &p[i], size, place(load, &p[i]));

	memcpy(h.e_ident, e->e_ident, EI_NIDENT);
	h.e_ident[EI_CLASS] = ELFCLASS32;
	h.e_type = ET_EXEC;
	h.e_machine = EM_386;
	h.e_version = EV_CURRENT;
	h.e_entry = (Elf32_Addr)e->e_entry;
	h.e_phoff = h.e_ehsize = sizeof(h);
	h.e_phentsize = sizeof(Elf32_Phdr);
	h.e_phnum = e->e_phnum;
	h.e_shentsize = sizeof(Elf32_Shdr);
	write_out(argv[2], &h, out, data + load->p_offset, load->p_filesz);
	free(data);
	return 0;
}
