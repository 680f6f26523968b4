/* SPDX-License-Identifier: MIT */
/*
 * Unpacks a kernel with the format's own library, whose working memory comes
 * from the caller. Each takes the whole input to the whole output in one call
 * and must end with both used up: a kernel that is a byte short is refused.
 */
#include <lz4.h>
#include <lzma.h>
#define ZSTD_STATIC_LINKING_ONLY /* for the context in memory of our own */
#include <zstd.h>
#include <zlib.h>

#include "image/image.h"
#include "image/bytes.h"
#include "image/port.h"

static int corrupt(const char **why)
{
	return fail(-XEN_EILSEQ, why, "kernel is corrupt or truncated");
}

static int wrong_length(const char **why)
{
	return fail(-XEN_EMSGSIZE, why,
		    "kernel's unpacked length is not what it says");
}

static int no_memory(const char **why)
{
	return fail(-XEN_ENOMEM, why, "no memory to unpack the kernel with");
}

static void *zlib_alloc(void *opaque, uInt items, uInt size)
{
	const struct image_mem *mem = opaque;

	return mem->alloc(mem->ctx, (size_t)items * size);
}

static void zlib_free(void *opaque, void *p)
{
	const struct image_mem *mem = opaque;

	mem->free(mem->ctx, p);
}

static int unpack_gzip(const struct image_payload *p, uint8_t *dst,
		       const struct image_mem *mem, const char **why)
{
	z_stream z = {
		.next_in = (Bytef *)(uintptr_t)p->data,
		.avail_in = (uInt)p->len,
		.next_out = dst,
		.avail_out = (uInt)p->unpacked,
		.zalloc = zlib_alloc,
		.zfree = zlib_free,
		.opaque = (void *)(uintptr_t)mem,
	};
	int rc;

	if (p->len != z.avail_in)
		return corrupt(why);
	/* 16: expect gzip's header and check its CRC. */
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return no_memory(why);
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (rc == Z_MEM_ERROR)
		return no_memory(why);
	if (rc == Z_BUF_ERROR && z.avail_out == 0)
		return wrong_length(why);
	if (rc != Z_STREAM_END || z.avail_in != 0)
		return corrupt(why);
	return z.avail_out ? wrong_length(why) : 0;
}

static void *xz_alloc(void *opaque, size_t n, size_t size)
{
	const struct image_mem *mem = opaque;

	/* liblzma always asks for one item. */
	return n == 1 ? mem->alloc(mem->ctx, size) : NULL;
}

static void xz_free(void *opaque, void *p)
{
	const struct image_mem *mem = opaque;

	mem->free(mem->ctx, p);
}

/* The kernel's build uses a dictionary of up to 128 MiB. */
#define XZ_MEMORY_MAX (160u << 20)

static int unpack_xz(const struct image_payload *p, uint8_t *dst,
		     const struct image_mem *mem, const char **why)
{
	lzma_allocator allocator = {
		.alloc = xz_alloc,
		.free = xz_free,
		.opaque = (void *)(uintptr_t)mem,
	};
	uint64_t limit = XZ_MEMORY_MAX;
	size_t in = 0, done = 0;
	lzma_ret rc;

	rc = lzma_stream_buffer_decode(&limit, 0, &allocator, p->data, &in,
				       p->len, dst, &done, p->unpacked);
	if (rc == LZMA_MEM_ERROR || rc == LZMA_MEMLIMIT_ERROR)
		return no_memory(why);
	if (rc == LZMA_BUF_ERROR)
		return wrong_length(why);
	if (rc != LZMA_OK || in != p->len)
		return corrupt(why);
	return done == p->unpacked ? 0 : wrong_length(why);
}

static int unpack_zstd(const struct image_payload *p, uint8_t *dst,
		       const struct image_mem *mem, const char **why)
{
	size_t done, need = ZSTD_estimateDCtxSize();
	void *work;
	ZSTD_DCtx *ctx;

	/* The kernel writes one frame; anything after it would be ignored. */
	if (ZSTD_findFrameCompressedSize(p->data, p->len) != p->len)
		return corrupt(why);
	work = mem->alloc(mem->ctx, need);
	if (!work)
		return no_memory(why);
	ctx = ZSTD_initStaticDCtx(work, need);
	if (!ctx) {
		mem->free(mem->ctx, work);
		return no_memory(why);
	}
	done = ZSTD_decompressDCtx(ctx, dst, p->unpacked, p->data, p->len);
	mem->free(mem->ctx, work);
	if (ZSTD_isError(done))
		return corrupt(why);
	return done == p->unpacked ? 0 : wrong_length(why);
}

/* Legacy LZ4: a magic number, then blocks of a length word and its data. */
static int unpack_lz4(const struct image_payload *p, uint8_t *dst,
		      const struct image_mem *mem, const char **why)
{
	const size_t block_max = 8u << 20;
	size_t in = 4, done = 0;

	(void)mem; /* needs none */
	while (in < p->len) {
		size_t room = p->unpacked - done;
		uint32_t n;
		int got;

		if (!inside(p->len, in, 4))
			return corrupt(why);
		n = get32(p->data + in);
		in += 4;
		if (n == 0 || n > INT32_MAX || !inside(p->len, in, n))
			return corrupt(why);
		if (room > block_max)
			room = block_max;
		got = LZ4_decompress_safe((const char *)p->data + in,
					  (char *)dst + done, (int)n,
					  (int)room);
		if (got <= 0)
			return corrupt(why);
		in += n;
		done += (size_t)got;
	}
	return done == p->unpacked ? 0 : wrong_length(why);
}

int image_unpack(const struct image_payload *p, void *dst,
		 const struct image_mem *mem, const char **why)
{
	switch (p->format) {
	case IMAGE_RAW:
		memcpy(dst, p->data, p->unpacked);
		return 0;
	case IMAGE_GZIP:
		return unpack_gzip(p, dst, mem, why);
	case IMAGE_XZ:
		return unpack_xz(p, dst, mem, why);
	case IMAGE_ZSTD:
		return unpack_zstd(p, dst, mem, why);
	case IMAGE_LZ4:
		return unpack_lz4(p, dst, mem, why);
	}
	return fail(-XEN_EOPNOTSUPP, why, "unknown compression");
}
