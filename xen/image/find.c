/* SPDX-License-Identifier: MIT */
/*
 * Finds the kernel in a file. A bzImage says in its setup header where its
 * payload lies (Linux Documentation/x86/boot.rst, "Details of Header Fields":
 * protocol 2.08); what the payload is shows in its first bytes. The kernel's
 * build appends the unpacked size, four bytes little-endian, to each format
 * but gzip, whose own trailer has it in the same place.
 */
#include "image/image.h"
#include "image/bytes.h"
#include "image/port.h"

enum {
	SETUP_SECTS = 0x1f1,
	BOOT_FLAG = 0x1fe,
	HEADER_MAGIC = 0x202,
	PROTOCOL = 0x206,
	PAYLOAD_OFFSET = 0x248,
	PAYLOAD_LENGTH = 0x24c,
	HEADER_END = 0x250,
	SECTOR = 512,
};

/* No kernel comes near this; an image that says so is broken. */
#define UNPACKED_MAX (1u << 30)

struct magic {
	uint8_t len;
	uint8_t bytes[6];
	enum image_format format;
	bool size_appended;
};

static const struct magic magics[] = {
	{4, {0x7f, 'E', 'L', 'F'}, IMAGE_RAW, false},
	{3, {0x1f, 0x8b, 8}, IMAGE_GZIP, false},
	{6, {0xfd, '7', 'z', 'X', 'Z', 0}, IMAGE_XZ, true},
	{4, {0x28, 0xb5, 0x2f, 0xfd}, IMAGE_ZSTD, true},
	{4, {0x02, 0x21, 0x4c, 0x18}, IMAGE_LZ4, true},
};

static const struct {
	uint8_t len;
	uint8_t bytes[4];
	const char *reason;
} unsupported[] = {
	{3, {'B', 'Z', 'h'}, "kernel is compressed with bzip2"},
	{3, {0x5d, 0, 0}, "kernel is compressed with LZMA (not XZ)"},
	{4, {0x89, 'L', 'Z', 'O'}, "kernel is compressed with LZO"},
	{4, {0x04, 0x22, 0x4d, 0x18}, "kernel is an LZ4 frame, not legacy LZ4"},
};

const char *image_format_name(enum image_format format)
{
	static const char *const names[] = {
		[IMAGE_RAW] = "elf",   [IMAGE_GZIP] = "gzip", [IMAGE_XZ] = "xz",
		[IMAGE_ZSTD] = "zstd", [IMAGE_LZ4] = "lz4",
	};

	return names[format];
}

static bool starts_with(const uint8_t *data, size_t len, const uint8_t *bytes,
			size_t n)
{
	return len >= n && memcmp(data, bytes, n) == 0;
}

static const struct magic *detect(const uint8_t *data, size_t len,
				  const char **why, int *err)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (starts_with(data, len, magics[i].bytes, magics[i].len))
			return &magics[i];

	*err = fail(-XEN_ENOEXEC, why, "neither ELF, bzImage nor gzip");
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]);
	     i++)
		if (starts_with(data, len, unsupported[i].bytes,
				unsupported[i].len))
			*err = fail(-XEN_EOPNOTSUPP, why,
				    unsupported[i].reason);
	return NULL;
}

/* Narrows data and len to a bzImage's payload; leaves other files alone. */
static int bzimage_payload(const uint8_t **data, size_t *len, bool *bzimage,
			   const char **why)
{
	const uint8_t *file = *data;
	uint64_t start;
	uint32_t sects;

	*bzimage = *len >= HEADER_END &&
		   memcmp(file + HEADER_MAGIC, "HdrS", 4) == 0 &&
		   get16(file + BOOT_FLAG) == 0xaa55;
	if (!*bzimage)
		return 0;
	if (get16(file + PROTOCOL) < 0x208)
		return fail(-XEN_EOPNOTSUPP, why,
			    "bzImage is older than boot protocol 2.08");
	sects = file[SETUP_SECTS] ? file[SETUP_SECTS] : 4;
	start = (sects + 1) * SECTOR + (uint64_t)get32(file + PAYLOAD_OFFSET);
	if (!inside(*len, start, get32(file + PAYLOAD_LENGTH)))
		return fail(-XEN_EINVAL, why,
			    "bzImage is truncated: payload ends outside it");
	*data = file + start;
	*len = get32(file + PAYLOAD_LENGTH);
	return 0;
}

int image_find(const void *file, size_t len, struct image_payload *out,
	       const char **why)
{
	const struct magic *m;
	const uint8_t *data = file;
	int err;

	err = bzimage_payload(&data, &len, &out->bzimage, why);
	if (err)
		return err;
	m = detect(data, len, why, &err);
	if (!m)
		return err;
	if (m->size_appended && !out->bzimage)
		return fail(-XEN_EOPNOTSUPP, why,
			    "compressed file is not a bzImage: of bare "
			    "kernels only gzip can be unpacked");

	out->format = m->format;
	out->data = data;
	out->len = len;
	out->unpacked = len;
	if (m->format == IMAGE_RAW)
		return 0;
	/* Room for a magic number that does not run into the size. */
	if (len < 12)
		return fail(-XEN_EINVAL, why, "compressed kernel is truncated");
	out->unpacked = get32(data + len - 4);
	if (m->size_appended)
		out->len -= 4;
	if (out->unpacked == 0 || out->unpacked > UNPACKED_MAX)
		return fail(-XEN_EINVAL, why,
			    "kernel's unpacked size is not credible");
	return 0;
}
