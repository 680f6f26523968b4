/* SPDX-License-Identifier: MIT */
/*
 * Memory dumps of domains: an ELF core file of sections, as Xen's
 * docs/misc/dump-core-format.txt has it. The caller has paused the domain.
 * Output goes out in one direction, so that it may be a pipe: which pages there
 * are is found out first, and their contents are read when they are written.
 */
#include <elf.h>
#include <fcntl.h>
#include "private.h"

#include <xen/elfnote.h>

#define NONE  UINT64_MAX
#define CHUNK 1024

/* A page of the dump: its number in the guest and its frame. */
struct page {
	uint64_t pfn, gmfn;
};

struct dump {
	xc_interface *xch;
	uint32_t domid;
	xc_dominfo_t info;
	bool translated;
	struct page *pages;
	uint64_t nr_pages, room;
	vcpu_guest_context_any_t *vcpus;
	uint64_t nr_vcpus;
	void *shared_info;
	dumpcore_rtn_t *out;
	void *out_arg;
	int sink; /* xc_domain_dumpcore()'s file */
};

static int emit(struct dump *d, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		unsigned int n = len > 1u << 20 ? 1u << 20 : (unsigned int)len;

		if (d->out(d->xch, d->out_arg, (char *)(uintptr_t)p, n))
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

/* ---- which pages there are ---- */

static int add_page(struct dump *d, uint64_t pfn, uint64_t gmfn)
{
	if (d->nr_pages == d->room) {
		uint64_t room = d->room ? 2 * d->room : 65536;
		struct page *p = realloc(d->pages, room * sizeof(*p));

		if (!p)
			return -1;
		d->pages = p;
		d->room = room;
	}
	d->pages[d->nr_pages++] = (struct page){pfn, gmfn};
	return 0;
}

/* Those of the frames from `at` on that have memory behind them. */
static int add_populated(struct dump *d, uint64_t at, size_t n)
{
	xen_pfn_t frames[CHUNK];

	for (size_t i = 0; i < n; i++)
		frames[i] = at + i;
	if (xc_get_pfn_type_batch(d->xch, d->domid, (unsigned int)n, frames))
		return -1;
	for (size_t i = 0; i < n; i++)
		if ((frames[i] & XEN_DOMCTL_PFINFO_LTAB_MASK) !=
			    XEN_DOMCTL_PFINFO_XTAB &&
		    add_page(d, at + i, at + i))
			return -1;
	return 0;
}

static int by_pfn(const void *a, const void *b)
{
	const struct page *p = a, *q = b;

	return (p->pfn > q->pfn) - (p->pfn < q->pfn);
}

/*
 * A translated guest. Its memory lies at the lower end of its frames and a few
 * pages of the toolstack's at the upper end, with nothing between; so it is
 * looked at from both ends until all that the domain owns has been found. Where
 * it owns a page that has no place among its frames, all are looked at.
 */
static int find_translated(struct dump *d)
{
	xen_pfn_t end;

	if (xc_domain_nr_gpfns(d->xch, d->domid, &end))
		return -1;
	for (uint64_t low = 0; low < end && d->nr_pages < d->info.nr_pages;) {
		uint64_t n = end - low < CHUNK ? end - low : CHUNK;

		if (add_populated(d, low, n))
			return -1;
		low += n;
		n = end - low < CHUNK ? end - low : CHUNK;
		end -= n;
		if (n && add_populated(d, end, n))
			return -1;
	}
	qsort(d->pages, d->nr_pages, sizeof(d->pages[0]), by_pfn);
	return 0;
}

/* Copies one frame of the domain. */
static int read_frame(struct dump *d, uint64_t mfn, void *to)
{
	void *p = xc_map_foreign_range(d->xch, d->domid, PAGE_SIZE, PROT_READ,
				       mfn);

	if (!p)
		return -1;
	memcpy(to, p, PAGE_SIZE);
	munmap(p, PAGE_SIZE);
	return 0;
}

/*
 * A paravirtual guest: its p2m, a tree of frames that the guest keeps in its
 * shared info (xen/arch-x86/xen.h, struct arch_shared_info): a list of lists
 * of the frames that hold the entries. The top bits mark what is no page. It
 * may name the same page any number of times: there are no more than it has.
 */
static int find_pv(struct dump *d)
{
	const shared_info_t *s = d->shared_info;
	uint64_t list[512], frames[512], entries[512];
	uint64_t max = s->arch.max_pfn;

	if (max > 1ull << 28 ||
	    read_frame(d, s->arch.pfn_to_mfn_frame_list_list, list))
		return -1;
	for (uint64_t pfn = 0; pfn < max && d->nr_pages < d->info.nr_pages;
	     pfn++) {
		if (pfn % (512 * 512) == 0 &&
		    read_frame(d, list[pfn / (512 * 512) % 512], frames))
			return -1;
		if (pfn % 512 == 0 &&
		    read_frame(d, frames[pfn / 512 % 512], entries))
			return -1;
		if (!(entries[pfn % 512] >> 62) &&
		    add_page(d, pfn, entries[pfn % 512]))
			return -1;
	}
	return 0;
}

/* ---- the domain's state ---- */

static int read_vcpus(struct dump *d)
{
	uint32_t last = d->info.max_vcpu_id;

	d->vcpus = calloc(last + 1, sizeof(*d->vcpus));
	if (!d->vcpus)
		return -1;
	for (uint32_t i = 0; i <= last; i++)
		if (xc_vcpu_getcontext(d->xch, d->domid, i,
				       &d->vcpus[d->nr_vcpus]) == 0)
			d->nr_vcpus++;
	return d->nr_vcpus ? 0 : -1;
}

static int read_domain(struct dump *d)
{
	unsigned int width = 8;

	if (xc_domain_getinfo(d->xch, d->domid, 1, &d->info) != 1 ||
	    d->info.domid != d->domid) {
		errno = ESRCH;
		return -1;
	}
	d->translated = d->info.hvm;
	if (!d->translated) {
		if (xc_domain_get_guest_width(d->xch, d->domid, &width) ||
		    width != 8) {
			errno = EOPNOTSUPP; /* 32-bit p2m lists */
			return -1;
		}
		d->shared_info = malloc(PAGE_SIZE);
		if (!d->shared_info ||
		    read_frame(d, d->info.shared_info_frame, d->shared_info))
			return -1;
	}
	if (read_vcpus(d))
		return -1;
	return d->translated ? find_translated(d) : find_pv(d);
}

/* ---- notes ---- */

struct note {
	uint32_t namesz, descsz, type;
	char name[4];
} __attribute__((packed));

struct header_desc {
	uint64_t magic, nr_vcpus, nr_pages, page_size;
};

struct version_desc {
	uint64_t major, minor;
	xen_extraversion_t extra;
	xen_compile_info_t compile;
	xen_capabilities_info_t capabilities;
	xen_changeset_info_t changeset;
	xen_platform_parameters_t platform;
	uint64_t page_size;
};

struct notes {
	struct note none;
	struct note header_n;
	struct header_desc header;
	struct note version_n;
	struct version_desc version;
	struct note format_n;
	uint64_t format;
} __attribute__((packed));

static struct note note(uint32_t type, size_t size)
{
	return (struct note){4, (uint32_t)size, type, "Xen"};
}

static void fill_notes(struct dump *d, struct notes *n)
{
	struct version_desc v = {0};
	int version = xc_version(d->xch, XENVER_version, NULL);

	v.major = (uint64_t)(version >> 16);
	v.minor = (uint64_t)(version & 0xffff);
	xc_version(d->xch, XENVER_extraversion, &v.extra);
	xc_version(d->xch, XENVER_compile_info, &v.compile);
	xc_version(d->xch, XENVER_capabilities, &v.capabilities);
	xc_version(d->xch, XENVER_changeset, &v.changeset);
	xc_version(d->xch, XENVER_platform_parameters, &v.platform);
	v.page_size = PAGE_SIZE;
	*n = (struct notes){
		.none = note(XEN_ELFNOTE_DUMPCORE_NONE, 0),
		.header_n =
			note(XEN_ELFNOTE_DUMPCORE_HEADER, sizeof(n->header)),
		.header = {.magic = d->translated ? XC_CORE_MAGIC_HVM
						  : XC_CORE_MAGIC,
			   .nr_vcpus = d->nr_vcpus,
			   .nr_pages = d->nr_pages,
			   .page_size = PAGE_SIZE},
		.version_n = note(XEN_ELFNOTE_DUMPCORE_XEN_VERSION, sizeof(v)),
		.version = v,
		.format_n = note(XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION,
				 sizeof(n->format)),
		.format = 1, /* 0.1 */
	};
}

/* ---- the file ---- */

enum {
	S_NULL,
	S_STRINGS,
	S_NOTES,
	S_PRSTATUS,
	S_SHARED,
	S_FRAMES,
	S_PAGES,
	SECTIONS,
};

static const char strings[] = "\0.shstrtab\0.note.Xen\0.xen_prstatus\0"
			      ".xen_shared_info\0.xen_p2m\0.xen_pfn\0"
			      ".xen_pages";

static uint32_t string_at(const char *name)
{
	const char *p = strings + 1;

	while (strcmp(p, name))
		p += strlen(p) + 1;
	return (uint32_t)(p - strings);
}

static void place(Elf64_Shdr *sh, const char *name, uint32_t type,
		  uint64_t size, uint64_t entry, uint64_t *at, uint64_t align)
{
	*at = (*at + align - 1) & ~(align - 1);
	*sh = (Elf64_Shdr){
		.sh_name = string_at(name),
		.sh_type = type,
		.sh_offset = *at,
		.sh_size = size,
		.sh_entsize = entry,
		.sh_addralign = align,
	};
	*at += size;
}

static void lay_out(const struct dump *d, Elf64_Shdr sh[SECTIONS])
{
	uint64_t at = sizeof(Elf64_Ehdr) + SECTIONS * sizeof(Elf64_Shdr);
	uint64_t each = d->translated ? sizeof(uint64_t) : sizeof(struct page);

	memset(sh, 0, SECTIONS * sizeof(sh[0]));
	place(&sh[S_STRINGS], ".shstrtab", SHT_STRTAB, sizeof(strings), 0, &at,
	      1);
	place(&sh[S_NOTES], ".note.Xen", SHT_NOTE, sizeof(struct notes), 0, &at,
	      8);
	place(&sh[S_PRSTATUS], ".xen_prstatus", SHT_PROGBITS,
	      d->nr_vcpus * sizeof(*d->vcpus), sizeof(*d->vcpus), &at, 8);
	place(&sh[S_SHARED], ".xen_shared_info", SHT_PROGBITS,
	      d->shared_info ? PAGE_SIZE : 0, PAGE_SIZE, &at, 8);
	place(&sh[S_FRAMES], d->translated ? ".xen_pfn" : ".xen_p2m",
	      SHT_PROGBITS, d->nr_pages * each, each, &at, 8);
	place(&sh[S_PAGES], ".xen_pages", SHT_PROGBITS, d->nr_pages * PAGE_SIZE,
	      PAGE_SIZE, &at, PAGE_SIZE);
}

/* Zeros up to a section's start, then its contents. */
static int emit_section(struct dump *d, const Elf64_Shdr *sh, uint64_t *at,
			const void *data)
{
	static const char zeros[PAGE_SIZE];

	if (emit(d, zeros, sh->sh_offset - *at))
		return -1;
	*at = sh->sh_offset + sh->sh_size;
	return data ? emit(d, data, sh->sh_size) : 0;
}

static int emit_frames(struct dump *d)
{
	if (!d->translated)
		return emit(d, d->pages, d->nr_pages * sizeof(d->pages[0]));
	for (uint64_t i = 0; i < d->nr_pages; i++)
		if (emit(d, &d->pages[i].pfn, sizeof(uint64_t)))
			return -1;
	return 0;
}

/* A page that has gone meanwhile is written as zeros. */
static int emit_chunk(struct dump *d, const struct page *pages, size_t n)
{
	static const char zeros[PAGE_SIZE];
	xen_pfn_t frames[CHUNK];
	int err[CHUNK], rc = 0;
	char *p;

	for (size_t i = 0; i < n; i++)
		frames[i] = pages[i].gmfn;
	p = xenforeignmemory_map(d->xch->fmem, d->domid, PROT_READ, n, frames,
				 err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = emit(d, p && !err[i] ? p + i * PAGE_SIZE : zeros,
			  PAGE_SIZE);
	if (p)
		munmap(p, n * PAGE_SIZE);
	return rc;
}

static int write_dump(struct dump *d)
{
	Elf64_Shdr sh[SECTIONS];
	Elf64_Ehdr eh = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT, ELFOSABI_SYSV},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(eh),
		.e_shoff = sizeof(eh),
		.e_shentsize = sizeof(sh[0]),
		.e_shnum = SECTIONS,
		.e_shstrndx = S_STRINGS,
	};
	uint64_t at = sizeof(eh) + sizeof(sh);
	struct notes notes;

	lay_out(d, sh);
	fill_notes(d, &notes);
	if (emit(d, &eh, sizeof(eh)) || emit(d, sh, sizeof(sh)) ||
	    emit_section(d, &sh[S_STRINGS], &at, strings) ||
	    emit_section(d, &sh[S_NOTES], &at, &notes) ||
	    emit_section(d, &sh[S_PRSTATUS], &at, d->vcpus) ||
	    emit_section(d, &sh[S_SHARED], &at, d->shared_info) ||
	    emit_section(d, &sh[S_FRAMES], &at, NULL) || emit_frames(d) ||
	    emit_section(d, &sh[S_PAGES], &at, NULL))
		return -1;
	for (uint64_t i = 0; i < d->nr_pages; i += CHUNK) {
		uint64_t n = d->nr_pages - i;

		if (emit_chunk(d, d->pages + i, n < CHUNK ? n : CHUNK))
			return -1;
	}
	return 0;
}

static int dump_domain(struct dump *d)
{
	int rc = read_domain(d) || write_dump(d) ? -1 : 0, saved = errno;

	free(d->pages);
	free(d->vcpus);
	free(d->shared_info);
	errno = saved;
	return rc;
}

int xc_domain_dumpcore_via_callback(xc_interface *xch, uint32_t domid,
				    void *arg, dumpcore_rtn_t dump_rtn)
{
	struct dump d = {
		.xch = xch,
		.domid = domid,
		.out = dump_rtn,
		.out_arg = arg,
	};

	return dump_domain(&d);
}

static int to_file(xc_interface *xch, void *arg, char *buffer,
		   unsigned int length)
{
	(void)xch;
	return write_exact(*(int *)arg, buffer, length);
}

int xc_domain_dumpcore(xc_interface *xch, uint32_t domid, const char *corename)
{
	struct dump d = {.xch = xch, .domid = domid, .out = to_file};
	int rc, saved;

	d.sink = open(corename, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (d.sink < 0)
		return -1;
	d.out_arg = &d.sink;
	rc = dump_domain(&d);
	saved = errno;
	if (close(d.sink) && rc == 0) {
		rc = -1;
		saved = errno;
	}
	/* Half a dump is worth less than the space that it takes. */
	if (rc)
		unlink(corename);
	errno = saved;
	return rc;
}
