/* SPDX-License-Identifier: MIT */
/* Kernel images: every format, every truncation, and notes that lie. */
#include "harness.h"
#include "image_build.h"

#include <xen/elfnote.h>
#include <xen/errno.h>
#include <xen/features.h>

#define UNPACKED_MAX (1u << 20)

static unsigned int allocations; /* outstanding */
static bool refuse_memory;

static void *take(void *ctx, size_t size)
{
	(void)ctx;
	if (refuse_memory)
		return NULL;
	allocations++;
	return malloc(size);
}

static void give(void *ctx, void *p)
{
	(void)ctx;
	allocations -= p != NULL;
	free(p);
}

static const struct image_mem mem = {.alloc = take, .free = give};

static struct buf plain_notes(void)
{
	struct buf n = {0};
	uint32_t entry32 = 0x1000040,
		 reloc[3] = {0x200000, 0x1000000, 0x3fffffff};

	put_note(&n, XEN_ELFNOTE_GUEST_OS, "linux", 6);
	put_note(&n, XEN_ELFNOTE_XEN_VERSION, "xen-3.0", 8);
	put_note(&n, XEN_ELFNOTE_LOADER, "generic", 8);
	put_note64(&n, XEN_ELFNOTE_VIRT_BASE, 0xffffffff80000000);
	put_note64(&n, XEN_ELFNOTE_ENTRY, 0xffffffff81000180);
	put_note64(&n, XEN_ELFNOTE_HYPERCALL_PAGE, 0xffffffff81001000);
	put_note64(&n, XEN_ELFNOTE_INIT_P2M, 0x8000000000);
	put_note(&n, XEN_ELFNOTE_PHYS32_ENTRY, &entry32, 4);
	put_note(&n, XEN_ELFNOTE_FEATURES,
		 "!writable_page_tables|pae_pgdir_above_4gb|no_such", 50);
	put_note64(&n, XEN_ELFNOTE_SUPPORTED_FEATURES, 1u << XENFEAT_dom0);
	put_note(&n, IMAGE_NOTE_PHYS32_RELOC, reloc, sizeof(reloc));
	return n;
}

static struct buf plain_elf(void)
{
	struct buf notes = plain_notes(), elf = build_elf(&notes);

	free(notes.data);
	return elf;
}

/* Finds and unpacks; *out is a new buffer, also after an error. */
static int unpack(const uint8_t *file, size_t len, struct buf *out,
		  const char **why)
{
	struct image_payload p;
	int err;

	out->data = NULL;
	err = image_find(file, len, &p, why);
	if (err)
		return err;
	/* What a cut file takes for its size can be anything: not worth it. */
	if (p.unpacked > UNPACKED_MAX) {
		*why = "test's limit";
		return -XEN_EMSGSIZE;
	}
	/* Exactly as long as it says, so that ASan sees a byte too many. */
	out->data = malloc(p.unpacked);
	out->len = p.unpacked;
	return image_unpack(&p, out->data, &mem, why);
}

static const struct {
	const char *name;
	struct buf (*pack)(struct buf in);
	enum image_format format;
} formats[] = {
	{"raw", pack_raw, IMAGE_RAW}, {"gzip", pack_gzip, IMAGE_GZIP},
	{"xz", pack_xz, IMAGE_XZ},    {"zstd", pack_zstd, IMAGE_ZSTD},
	{"lz4", pack_lz4, IMAGE_LZ4},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

static void each_format_unpacks(void)
{
	struct buf elf = plain_elf();

	for (size_t i = 0; i < FORMATS; i++) {
		struct buf packed = formats[i].pack(elf), out;
		struct buf image = build_bzimage(packed);
		struct image_payload p;
		const char *why = "";

		CHECK_EQ(image_find(image.data, image.len, &p, &why), 0);
		CHECK_EQ(p.format, formats[i].format);
		CHECK(p.bzimage);
		CHECK_EQ(unpack(image.data, image.len, &out, &why), 0);
		CHECK_EQ(out.len, elf.len);
		CHECK(out.len == elf.len &&
		      memcmp(out.data, elf.data, elf.len) == 0);
		CHECK_EQ(allocations, 0);
		free(out.data);
		free(image.data);
		free(packed.data);
	}
	free(elf.data);
}

static void bare_gzip_and_elf(void)
{
	struct buf elf = plain_elf(), gz = pack_gzip(elf), out;
	struct buf xz = pack_xz(elf);
	const char *why = "";

	CHECK_EQ(unpack(gz.data, gz.len, &out, &why), 0);
	CHECK(out.len == elf.len && !memcmp(out.data, elf.data, elf.len));
	free(out.data);
	CHECK_EQ(unpack(elf.data, elf.len, &out, &why), 0);
	CHECK_EQ(out.len, elf.len);
	free(out.data);
	CHECK_EQ(unpack(xz.data, xz.len, &out, &why), -XEN_EOPNOTSUPP);
	CHECK(strstr(why, "not a bzImage") != NULL);
	free(xz.data);
	free(gz.data);
	free(elf.data);
}

static void every_truncation_fails(void)
{
	struct buf elf = plain_elf();

	for (size_t i = 0; i < FORMATS; i++) {
		struct buf packed = formats[i].pack(elf);
		struct buf image = build_bzimage(packed);

		for (size_t len = 0; len < image.len; len++) {
			uint8_t *cut = malloc(len ? len : 1);
			const char *why = NULL;
			struct buf out;

			memcpy(cut, image.data, len);
			CHECK(unpack(cut, len, &out, &why) < 0);
			CHECK(why != NULL);
			free(out.data);
			free(cut);
		}
		/* The payload itself cut short, its header telling so. */
		for (size_t len = 0;
		     formats[i].format != IMAGE_RAW && len < packed.len;
		     len++) {
			struct buf part = {packed.data, len};
			struct buf cut = build_bzimage(part), out;
			const char *why = NULL;

			CHECK(unpack(cut.data, cut.len, &out, &why) < 0);
			CHECK(why != NULL);
			free(out.data);
			free(cut.data);
		}
		free(image.data);
		free(packed.data);
	}
	CHECK_EQ(allocations, 0);
	free(elf.data);
}

/* A wrong size, with the data whole: told from corruption for each format. */
static void wrong_sizes_fail(void)
{
	struct buf elf = plain_elf();

	for (size_t i = 1; i < FORMATS; i++) {
		for (int delta = -1; delta <= 1; delta += 2) {
			struct buf packed = formats[i].pack(elf), out;
			uint32_t size = (uint32_t)(elf.len + (size_t)delta);
			struct buf image;
			const char *why = NULL;
			int err;

			memcpy(packed.data + packed.len - 4, &size, 4);
			image = build_bzimage(packed);
			err = unpack(image.data, image.len, &out, &why);
			CHECK(err == -XEN_EMSGSIZE || err == -XEN_EILSEQ);
			CHECK(why != NULL);
			free(out.data);
			free(image.data);
			free(packed.data);
		}
	}
	CHECK_EQ(allocations, 0);
	free(elf.data);
}

static void incredible_sizes_fail(void)
{
	struct buf elf = plain_elf(), packed = pack_zstd(elf), out, image;
	uint32_t size = 0x80000000;
	const char *why = NULL;

	memcpy(packed.data + packed.len - 4, &size, 4);
	image = build_bzimage(packed);
	CHECK_EQ(unpack(image.data, image.len, &out, &why), -XEN_EINVAL);
	CHECK(strstr(why, "not credible") != NULL);
	/* A payload that would end past what 32 bits can add up. */
	memset(image.data + 0x248, 0xff, 8);
	CHECK_EQ(unpack(image.data, image.len, &out, &why), -XEN_EINVAL);
	free(image.data);
	free(packed.data);
	free(elf.data);
}

static void corruption_is_seen(void)
{
	struct buf elf = plain_elf();

	for (size_t i = 1; i < FORMATS; i++) {
		struct buf packed = formats[i].pack(elf);
		struct buf image = build_bzimage(packed);

		for (size_t at = image.len - packed.len; at < image.len; at++) {
			const char *why = NULL;
			struct buf out;
			int err;

			image.data[at] ^= 0x41;
			err = unpack(image.data, image.len, &out, &why);
			/* LZ4 and zstd as built here carry no checksum. */
			CHECK(err < 0 || formats[i].format == IMAGE_LZ4 ||
			      formats[i].format == IMAGE_ZSTD ||
			      !memcmp(out.data, elf.data, elf.len));
			CHECK(err == 0 || why != NULL);
			image.data[at] ^= 0x41;
			free(out.data);
		}
		free(image.data);
		free(packed.data);
	}
	CHECK_EQ(allocations, 0);
	free(elf.data);
}

static void no_memory_is_said(void)
{
	struct buf elf = plain_elf();

	refuse_memory = true;
	for (size_t i = 1; i < FORMATS; i++) {
		struct buf packed = formats[i].pack(elf), out;
		struct buf image = build_bzimage(packed);
		const char *why = NULL;

		CHECK_EQ(unpack(image.data, image.len, &out, &why),
			 formats[i].format == IMAGE_LZ4 ? 0 : -XEN_ENOMEM);
		free(out.data);
		free(image.data);
		free(packed.data);
	}
	refuse_memory = false;
	free(elf.data);
}

static void other_files_are_refused(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		int err;
	} cases[] = {
		{"", 0, -XEN_ENOEXEC},
		{"MZ whatever", 11, -XEN_ENOEXEC},
		{"BZh91AY&SY12", 12, -XEN_EOPNOTSUPP},
		{"\211LZO\0\r\n\032\n", 9, -XEN_EOPNOTSUPP},
		{"\x5d\0\0\x80\0", 5, -XEN_EOPNOTSUPP},
		{"\x04\x22\x4d\x18", 4, -XEN_EOPNOTSUPP},
		{"\x1f\x8b\x08", 3, -XEN_EINVAL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct image_payload p;
		const char *why = NULL;

		CHECK_EQ(image_find(cases[i].bytes, cases[i].len, &p, &why),
			 cases[i].err);
		CHECK(why != NULL);
	}
}

static int count_segment(void *ctx, const struct image_segment *seg)
{
	unsigned int *count = ctx;

	CHECK_EQ(seg->paddr, TEST_PADDR);
	CHECK_EQ(seg->filesz, TEST_BODY);
	CHECK_EQ(seg->memsz, TEST_MEMSZ);
	CHECK_EQ(((const uint8_t *)seg->data)[100], 100 * 100 / 7 % 256);
	(*count)++;
	return 0;
}

static void notes_are_read(void)
{
	struct buf file = plain_elf();
	unsigned int count = 0;
	struct image_elf elf;
	struct image_virt virt;
	const char *why = "";

	REQUIRE(image_parse_elf(file.data, file.len, &elf, &why) == 0);
	CHECK(elf.is64);
	CHECK_EQ(elf.pstart, TEST_PADDR);
	CHECK_EQ(elf.pend, TEST_PADDR + TEST_MEMSZ);
	CHECK(strcmp(elf.notes.guest_os, "linux") == 0);
	CHECK(strcmp(elf.notes.loader, "generic") == 0);
	CHECK_EQ(elf.notes.phys32_entry, 0x1000040);
	CHECK_EQ(elf.notes.init_p2m, 0x8000000000);
	CHECK_EQ(elf.notes.features, 1u << XENFEAT_writable_page_tables |
					     1u << XENFEAT_pae_pgdir_above_4gb |
					     1u << XENFEAT_dom0);
	CHECK_EQ(elf.notes.required, 1u << XENFEAT_writable_page_tables);
	CHECK_EQ(elf.notes.reloc_align, 0x200000);
	CHECK_EQ(elf.notes.reloc_max, 0x3fffffff);
	CHECK(image_is_pv(&elf));
	CHECK(image_is_pvh(&elf));
	CHECK(!image_has_note(&elf, XEN_ELFNOTE_HV_START_LOW));
	CHECK_EQ(image_load(&elf, count_segment, &count), 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(image_virt_layout(&elf, &virt, &why), 0);
	CHECK_EQ(virt.kstart, 0xffffffff81000000);
	CHECK_EQ(virt.kend, 0xffffffff81004000);
	CHECK_EQ(virt.entry, 0xffffffff81000180);
	elf.notes.virt_base++;
	CHECK_EQ(image_virt_layout(&elf, &virt, &why), -XEN_EINVAL);
	free(file.data);
}

static int parse_with(const struct buf *notes)
{
	struct buf file = build_elf(notes);
	struct image_elf elf;
	const char *why = NULL;
	int err = image_parse_elf(file.data, file.len, &elf, &why);

	CHECK(err == 0 || why != NULL);
	free(file.data);
	return err;
}

static void bad_notes_are_refused(void)
{
	uint32_t odd[3] = {3, 0, 0};
	struct buf n = {0};

	put_note(&n, XEN_ELFNOTE_ENTRY, "abc", 3);
	CHECK_EQ(parse_with(&n), -XEN_EINVAL);
	n.len = 0;
	put_note(&n, XEN_ELFNOTE_FEATURES, "!of_the_future", 15);
	CHECK_EQ(parse_with(&n), -XEN_EINVAL);
	n.len = 0;
	put_note(&n, IMAGE_NOTE_PHYS32_RELOC, odd, sizeof(odd));
	CHECK_EQ(parse_with(&n), -XEN_EINVAL);
	n.len = 0;
	put_note(&n, XEN_ELFNOTE_GUEST_OS, "linux", 6);
	n.data[4] = 200; /* a descriptor longer than the segment */
	CHECK_EQ(parse_with(&n), -XEN_EINVAL);
	memset(n.data, 0xff, 8); /* sizes whose sum would wrap in 32 bits */
	CHECK_EQ(parse_with(&n), -XEN_EINVAL);
	n.len = 0;
	put_note(&n, XEN_ELFNOTE_GUEST_OS,
		 "a name that has no end and is far too long to keep", 50);
	CHECK_EQ(parse_with(&n), 0);
	free(n.data);
}

/* Each header field, set to extremes: never more than an error. */
static void hostile_headers(void)
{
	struct buf file = plain_elf();
	const size_t head = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
	static const uint64_t values[] = {
		0,         1,          0x7fffffff,       0xffffffff,
		INT64_MAX, UINT64_MAX, UINT64_MAX - 4096};
	unsigned int refused = 0;

	for (size_t at = 4; at + 8 <= head; at++) {
		uint8_t saved[8];

		memcpy(saved, file.data + at, 8);
		for (size_t i = 0; i < 7; i++) {
			struct image_elf elf;
			struct image_virt virt;
			const char *why = NULL;

			memcpy(file.data + at, &values[i], 8);
			if (image_parse_elf(file.data, file.len, &elf, &why)) {
				CHECK(why != NULL);
				refused++;
				continue;
			}
			CHECK(elf.pstart < elf.pend);
			image_virt_layout(&elf, &virt, &why);
		}
		memcpy(file.data + at, saved, 8);
	}
	CHECK(refused > 500);
	for (size_t len = 0; len < file.len; len++) {
		uint8_t *cut = malloc(len ? len : 1);
		struct image_elf elf;
		const char *why = NULL;

		memcpy(cut, file.data, len);
		CHECK(image_parse_elf(cut, len, &elf, &why) < 0);
		free(cut);
	}
	free(file.data);
}

static void elf32_is_read(void)
{
	struct buf b = {0}, notes = {0};
	Elf32_Ehdr eh = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_entry = 0x100000,
		.e_phoff = sizeof(eh),
		.e_phentsize = sizeof(Elf32_Phdr),
		.e_phnum = 2,
	};
	Elf32_Phdr ph[2] = {
		{.p_type = PT_LOAD,
		 .p_paddr = 0x100000,
		 .p_vaddr = 0x100000,
		 .p_filesz = 16,
		 .p_memsz = 32},
		{.p_type = PT_NOTE},
	};
	struct image_elf elf;
	const char *why = "";

	put_note64(&notes, XEN_ELFNOTE_PHYS32_ENTRY, 0x100000);
	ph[1].p_offset = sizeof(eh) + sizeof(ph);
	ph[1].p_filesz = (Elf32_Word)notes.len;
	put(&b, &eh, sizeof(eh));
	put(&b, ph, sizeof(ph));
	put(&b, notes.data, notes.len);
	CHECK_EQ(image_parse_elf(b.data, b.len, &elf, &why), 0);
	CHECK(!elf.is64);
	CHECK(image_is_pvh(&elf));
	CHECK(!image_is_pv(&elf));
	CHECK_EQ(elf.pend, 0x100020);
	ph[0].p_paddr = 0xfffffff0;
	memcpy(b.data + sizeof(eh), ph, sizeof(ph));
	CHECK_EQ(image_parse_elf(b.data, b.len, &elf, &why), -XEN_EINVAL);
	free(b.data);
	free(notes.data);
}

static const struct test_case cases[] = {
	{"image: each compression unpacks", each_format_unpacks},
	{"image: bare gzip and ELF, nothing else bare", bare_gzip_and_elf},
	{"image: a file cut anywhere fails", every_truncation_fails},
	{"image: a wrong unpacked size fails", wrong_sizes_fail},
	{"image: an incredible size fails", incredible_sizes_fail},
	{"image: a changed byte is an error or harmless", corruption_is_seen},
	{"image: no memory is an error of its own", no_memory_is_said},
	{"image: other files are refused with a reason",
	 other_files_are_refused},
	{"image: Xen notes are read", notes_are_read},
	{"image: bad notes are refused", bad_notes_are_refused},
	{"image: hostile ELF headers", hostile_headers},
	{"image: 32-bit ELF", elf32_is_read},
};

int main(void)
{
	return RUN_CASES(cases);
}
