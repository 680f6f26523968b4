/* SPDX-License-Identifier: MIT */
/*
 * A guest as a core file: an ELF file with sections and no segments, as
 * docs/misc/dump-core-format of Xen describes it. The pages are written first,
 * as they are found; the table of their numbers, and then the headers, follow
 * when it is known how many there were.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenforeignmemory.h>
#include <xen/elfnote.h>

#include "corefile.h"
#include "host.h"
#include "xl.h"

#define PAGE      4096u
#define BATCH     256u
#define MAGIC_PV  0xF00FEBEDull
#define MAGIC_HVM 0xF00FEBEEull
#define INVALID   (~0ull)

enum { S_NULL, S_NAMES, S_NOTE, S_VCPUS, S_FRAMES, S_PAGES, NR_SECTIONS };

static const char section_names[] =
	"\0.shstrtab\0.note.Xen\0.xen_prstatus\0.xen_pfn\0.xen_p2m\0.xen_pages";

struct note_head {
	uint32_t namesz, descsz, type;
	char name[4];
};

struct core {
	int fd;
	uint32_t domid;
	xc_domaininfo_t info;
	xenforeignmemory_handle *mem;
	uint64_t nr_pages, max_pages, nr_vcpus;
	uint64_t *frames; /* pfn, or pfn and machine frame, of each page */
	off_t at;
	Elf64_Shdr section[NR_SECTIONS];
};

static bool is_pv(const struct core *c)
{
	return !(c->info.flags & XEN_DOMINF_hvm_guest);
}

static bool put(struct core *c, const void *data, size_t n)
{
	const char *p = data;
	ssize_t done;

	while (n) {
		done = pwrite(c->fd, p, n, c->at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
		c->at += done;
	}
	return true;
}

static void begin(struct core *c, int s, const char *name, uint32_t type)
{
	/* Its name's place in the table of names, after the zero before it. */
	for (size_t i = 1; i < sizeof(section_names); i++)
		if (!section_names[i - 1] && !strcmp(section_names + i, name))
			c->section[s].sh_name = (Elf64_Word)i;
	c->section[s].sh_type = type;
	c->section[s].sh_offset = (Elf64_Off)c->at;
}

static void end(struct core *c, int s, uint64_t entry)
{
	c->section[s].sh_size = (Elf64_Xword)c->at - c->section[s].sh_offset;
	c->section[s].sh_entsize = entry;
	c->section[s].sh_addralign = entry == PAGE ? PAGE : 8;
}

static bool note(struct core *c, uint32_t type, const void *desc, uint32_t size)
{
	struct note_head h = {4, size, type, "Xen"};
	static const char pad[4];

	return put(c, &h, sizeof(h)) && put(c, desc, size) &&
	       put(c, pad, -size & 3);
}

static bool write_notes(struct core *c)
{
	uint64_t header[4] = {is_pv(c) ? MAGIC_PV : MAGIC_HVM, c->nr_vcpus,
			      c->nr_pages, PAGE};
	uint64_t format = 1; /* XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION_CURRENT */
	bool ok;

	begin(c, S_NOTE, ".note.Xen", SHT_NOTE);
	ok = note(c, XEN_ELFNOTE_DUMPCORE_NONE, NULL, 0) &&
	     note(c, XEN_ELFNOTE_DUMPCORE_HEADER, header, sizeof(header)) &&
	     note(c, XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION, &format,
		  sizeof(format));
	end(c, S_NOTE, 0);
	return ok;
}

static bool write_vcpus(struct core *c)
{
	static vcpu_guest_context_any_t ctx;
	bool ok = true;

	begin(c, S_VCPUS, ".xen_prstatus", SHT_PROGBITS);
	for (uint32_t i = 0; ok && i <= c->info.max_vcpu_id; i++) {
		if (xc_vcpu_getcontext(host_xc(), c->domid, i, &ctx))
			continue;
		ok = put(c, &ctx.x64, sizeof(ctx.x64));
		c->nr_vcpus++;
	}
	end(c, S_VCPUS, sizeof(ctx.x64));
	return ok;
}

/* Notes a page that was written. */
static bool record(struct core *c, uint64_t pfn, uint64_t gmfn)
{
	unsigned int width = is_pv(c) ? 2 : 1;

	if (c->nr_pages == c->max_pages) {
		uint64_t *more;

		c->max_pages = c->max_pages ? 2 * c->max_pages : 4096;
		more = realloc(c->frames, c->max_pages * width * sizeof(*more));
		if (!more)
			return false;
		c->frames = more;
	}
	c->frames[c->nr_pages * width] = pfn;
	if (width == 2)
		c->frames[c->nr_pages * width + 1] = gmfn;
	c->nr_pages++;
	return true;
}

/* A run of pages, of which those that are there are written. */
static bool write_batch(struct core *c, uint64_t first_pfn,
			const xen_pfn_t *frames, unsigned int n)
{
	int err[BATCH];
	char *map = xenforeignmemory_map(c->mem, c->domid, PROT_READ, n, frames,
					 err);
	bool ok = true;

	if (!map)
		return true; /* none of them is there */
	for (unsigned int i = 0; ok && i < n; i++)
		if (!err[i])
			ok = put(c, map + (size_t)i * PAGE, PAGE) &&
			     record(c, first_pfn + i, frames[i]);
	xenforeignmemory_unmap(c->mem, map, n);
	return ok;
}

static bool write_translated(struct core *c)
{
	xen_pfn_t max = 0, frames[BATCH];

	if (xc_domain_maximum_gpfn(host_xc(), c->domid, &max))
		return false;
	for (uint64_t pfn = 0; pfn <= max; pfn += BATCH) {
		for (unsigned int i = 0; i < BATCH; i++)
			frames[i] = pfn + i;
		if (!write_batch(c, pfn, frames, BATCH))
			return false;
	}
	return true;
}

static uint64_t *map_frame(struct core *c, xen_pfn_t frame)
{
	int err = 0;
	void *p = xenforeignmemory_map(c->mem, c->domid, PROT_READ, 1, &frame,
				       &err);

	if (p && err) {
		xenforeignmemory_unmap(c->mem, p, 1);
		p = NULL;
	}
	return p;
}

/* A page of a PV guest's own table: pfn to machine frame, 512 entries. */
static bool write_p2m_page(struct core *c, uint64_t pfn, xen_pfn_t table,
			   uint64_t max)
{
	uint64_t *entries = map_frame(c, table);
	xen_pfn_t frames[BATCH];
	bool ok = true;

	if (!entries)
		return true;
	for (unsigned int done = 0; ok && done < 512 && pfn + done < max;
	     done += BATCH) {
		for (unsigned int i = 0; i < BATCH; i++)
			/* the top bits mark foreign and identity frames */
			frames[i] = entries[done + i] >> 62 ? ~0ul
							    : entries[done + i];
		ok = write_batch(c, pfn + done, frames, BATCH);
	}
	xenforeignmemory_unmap(c->mem, entries, 1);
	return ok;
}

/* The list of lists of the table's pages, from the shared info page. */
static bool write_pv(struct core *c)
{
	shared_info_t *shared = (void *)map_frame(c, c->info.shared_info_frame);
	uint64_t *lists, *list, max, pfn = 0;
	bool ok = true;

	if (!shared)
		return false;
	max = shared->arch.max_pfn;
	lists = map_frame(c, shared->arch.pfn_to_mfn_frame_list_list);
	xenforeignmemory_unmap(c->mem, shared, 1);
	if (!lists)
		return false;
	for (unsigned int i = 0; ok && i < 512 && pfn < max; i++) {
		list = map_frame(c, lists[i]);
		for (unsigned int k = 0; ok && k < 512 && pfn < max;
		     k++, pfn += 512)
			ok = !list || write_p2m_page(c, pfn, list[k], max);
		if (list)
			xenforeignmemory_unmap(c->mem, list, 1);
	}
	xenforeignmemory_unmap(c->mem, lists, 1);
	return ok;
}

static bool write_pages(struct core *c)
{
	bool ok;

	c->at = (c->at + PAGE - 1) & ~(off_t)(PAGE - 1);
	begin(c, S_PAGES, ".xen_pages", SHT_PROGBITS);
	ok = is_pv(c) ? write_pv(c) : write_translated(c);
	end(c, S_PAGES, PAGE);
	return ok;
}

static bool write_frames(struct core *c)
{
	size_t entry = is_pv(c) ? 16 : 8;
	bool ok;

	begin(c, S_FRAMES, is_pv(c) ? ".xen_p2m" : ".xen_pfn", SHT_PROGBITS);
	ok = put(c, c->frames, c->nr_pages * entry);
	end(c, S_FRAMES, entry);
	return ok;
}

static bool write_names(struct core *c)
{
	bool ok;

	begin(c, S_NAMES, ".shstrtab", SHT_STRTAB);
	ok = put(c, section_names, sizeof(section_names));
	end(c, S_NAMES, 0);
	return ok;
}

static bool write_headers(struct core *c)
{
	Elf64_Ehdr h = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			    ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(h),
		.e_shoff = sizeof(h),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = NR_SECTIONS,
		.e_shstrndx = S_NAMES,
	};

	c->at = 0;
	return put(c, &h, sizeof(h)) && put(c, c->section, sizeof(c->section));
}

static bool write_all(struct core *c)
{
	c->at = sizeof(Elf64_Ehdr) + sizeof(c->section);
	return write_vcpus(c) && write_pages(c) && write_frames(c) &&
	       write_notes(c) && write_names(c) && write_headers(c);
}

bool corefile_write(uint32_t domid, const char *path)
{
	struct core c = {.domid = domid};
	bool ok = false;
	int saved;

	if (xc_domain_getinfolist(host_xc(), domid, 1, &c.info) != 1 ||
	    c.info.domain != domid) {
		errno = ESRCH;
		return false;
	}
	c.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (c.fd < 0)
		return false;
	c.mem = xenforeignmemory_open(NULL, 0);
	if (c.mem)
		ok = write_all(&c);
	saved = errno;
	ok = !close(c.fd) && ok;
	if (!ok)
		unlink(path);
	if (c.mem)
		xenforeignmemory_close(c.mem);
	free(c.frames);
	errno = saved;
	return ok;
}
