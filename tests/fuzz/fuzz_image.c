/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes kernel images: whatever the bytes are, finding, unpacking and parsing
 * them ends with a result or an error, touches nothing outside the buffers,
 * and an accepted image's segments lie where its bounds say.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

#define UNPACKED_MAX (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take(void *ctx, size_t size)
{
	(void)ctx;
	return size > (64u << 20) ? NULL : malloc(size);
}

static void give(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static const struct image_mem mem = {.alloc = take, .free = give};

static int check_segment(void *ctx, const struct image_segment *seg)
{
	const struct image_elf *elf = ctx;
	volatile uint8_t sum = 0;

	if (seg->paddr < elf->pstart || seg->paddr + seg->memsz > elf->pend ||
	    seg->filesz > seg->memsz)
		abort();
	for (uint64_t i = 0; i < seg->filesz; i++)
		sum += ((const uint8_t *)seg->data)[i];
	return 0;
}

static void parse(const uint8_t *data, size_t size)
{
	struct image_elf elf;
	struct image_virt virt;
	const char *why = NULL;

	if (image_parse_elf(data, size, &elf, &why)) {
		if (!why)
			abort();
		return;
	}
	image_load(&elf, check_segment, &elf);
	image_virt_layout(&elf, &virt, &why);
	(void)image_is_pv(&elf);
	(void)image_is_pvh(&elf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_payload p;
	const char *why = NULL;
	uint8_t *dst;

	parse(data, size);
	if (image_find(data, size, &p, &why) || p.unpacked > UNPACKED_MAX)
		return 0;
	dst = malloc(p.unpacked);
	if (dst && image_unpack(&p, dst, &mem, &why) == 0)
		parse(dst, p.unpacked);
	free(dst);
	return 0;
}

#ifdef CORPUS
/* Without libFuzzer: each file of the corpus, and each with a byte changed. */
static int replay(const char *path)
{
	static uint8_t data[1 << 16];
	FILE *f = fopen(path, "rb");
	size_t len;

	if (!f)
		return -1;
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, len);
	for (size_t at = 0; at < len; at += 3) {
		data[at] ^= (uint8_t)(0x11 + at);
		LLVMFuzzerTestOneInput(data, len);
		data[at] ^= (uint8_t)(0x11 + at);
	}
	return 0;
}

int main(void)
{
	struct dirent *d;
	DIR *dir = opendir(CORPUS);
	unsigned int n = 0, bad = 0;

	while (dir && (d = readdir(dir))) {
		char path[512];

		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", CORPUS, d->d_name);
		n++;
		bad += replay(path) != 0;
	}
	if (dir)
		closedir(dir);
	printf("%sok 1 - image: the fuzzer's corpus of %u files\n1..1\n",
	       n && !bad ? "" : "not ", n);
	return n && !bad ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif
