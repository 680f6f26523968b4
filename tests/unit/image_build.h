/* SPDX-License-Identifier: MIT */
/*
 * Builds small kernel images in memory for the tests: an ELF file with Xen
 * notes, each compression of it, and a bzImage around that.
 */
#ifndef OSTLER_TESTS_IMAGE_BUILD_H
#define OSTLER_TESTS_IMAGE_BUILD_H

#include <elf.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "image/image.h"

struct buf {
	uint8_t *data;
	size_t len;
};

static inline void put(struct buf *b, const void *data, size_t len)
{
	b->data = realloc(b->data, b->len + len);
	if (data)
		memcpy(b->data + b->len, data, len);
	else
		memset(b->data + b->len, 0, len);
	b->len += len;
}

static inline void put_note(struct buf *b, uint32_t type, const void *desc,
			    uint32_t size)
{
	uint32_t head[3] = {4, size, type};

	put(b, head, sizeof(head));
	put(b, "Xen", 4);
	put(b, desc, size);
	put(b, NULL, -size & 3);
}

static inline void put_note64(struct buf *b, uint32_t type, uint64_t value)
{
	put_note(b, type, &value, sizeof(value));
}

#define TEST_PADDR 0x1000000
#define TEST_BODY  1500
#define TEST_MEMSZ 0x4000

/* An ELF64 file: one PT_LOAD of TEST_BODY bytes and the notes' PT_NOTE. */
static inline struct buf build_elf(const struct buf *notes)
{
	struct buf b = {0};
	Elf64_Ehdr eh = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = 1,
		.e_entry = 0xffffffff81000000,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	size_t head = sizeof(eh) + 2 * sizeof(Elf64_Phdr);
	Elf64_Phdr ph[2] = {
		{
			.p_type = PT_LOAD,
			.p_offset = head + notes->len,
			.p_vaddr = 0xffffffff81000000,
			.p_paddr = TEST_PADDR,
			.p_filesz = TEST_BODY,
			.p_memsz = TEST_MEMSZ,
		},
		{
			.p_type = PT_NOTE,
			.p_offset = head,
			.p_filesz = notes->len,
			.p_memsz = notes->len,
		},
	};

	put(&b, &eh, sizeof(eh));
	put(&b, ph, sizeof(ph));
	put(&b, notes->data, notes->len);
	for (int i = 0; i < TEST_BODY; i++) {
		uint8_t byte = (uint8_t)(i * i / 7);

		put(&b, &byte, 1);
	}
	return b;
}

static inline struct buf pack_gzip(struct buf in)
{
	struct buf b = {0};
	z_stream z = {.next_in = in.data, .avail_in = (uInt)in.len};

	put(&b, NULL, in.len + 1000);
	deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	z.next_out = b.data;
	z.avail_out = (uInt)b.len;
	deflate(&z, Z_FINISH);
	b.len = z.total_out;
	deflateEnd(&z);
	return b;
}

static inline struct buf with_size(struct buf b, size_t size)
{
	uint32_t word = (uint32_t)size;

	put(&b, &word, 4);
	return b;
}

static inline struct buf pack_xz(struct buf in)
{
	struct buf b = {0};
	size_t out = 0;

	put(&b, NULL, in.len + 1000);
	lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in.data, in.len,
				b.data, &out, b.len);
	b.len = out;
	return with_size(b, in.len);
}

static inline struct buf pack_zstd(struct buf in)
{
	struct buf b = {0};

	put(&b, NULL, ZSTD_compressBound(in.len));
	b.len = ZSTD_compress(b.data, b.len, in.data, in.len, 19);
	return with_size(b, in.len);
}

static inline struct buf pack_lz4(struct buf in)
{
	struct buf b = {0};
	uint32_t magic = 0x184c2102, size;

	put(&b, &magic, 4);
	put(&b, NULL, 4 + (size_t)LZ4_compressBound((int)in.len));
	size = (uint32_t)LZ4_compress_default((char *)in.data,
					      (char *)b.data + 8, (int)in.len,
					      (int)b.len - 8);
	memcpy(b.data + 4, &size, 4);
	b.len = 8 + size;
	return with_size(b, in.len);
}

static inline struct buf pack_raw(struct buf in)
{
	struct buf b = {0};

	put(&b, in.data, in.len);
	return b;
}

/* One setup sector after the boot sector, the payload 64 bytes further on. */
static inline struct buf build_bzimage(struct buf payload)
{
	struct buf b = {0};
	uint32_t at = 64, len = (uint32_t)payload.len;

	put(&b, NULL, 1024 + at);
	b.data[0x1f1] = 1;
	b.data[0x1fe] = 0x55;
	b.data[0x1ff] = 0xaa;
	memcpy(b.data + 0x202, "HdrS", 4);
	b.data[0x206] = 0x0f;
	b.data[0x207] = 2;
	memcpy(b.data + 0x248, &at, 4);
	memcpy(b.data + 0x24c, &len, 4);
	put(&b, payload.data, payload.len);
	return b;
}

#endif
