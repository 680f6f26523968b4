/* SPDX-License-Identifier: MIT */
/* A new guest's memory, written before it runs. */
#include <inttypes.h>

#include "build.h"

/* 4 MiB at a time: few calls, and little address space and kernel memory. */
#define CHUNK 1024

void *guest_map(struct build *b, uint64_t frame, uint64_t n)
{
	xen_pfn_t *frames;
	void *p = NULL;

	if (b->p2m && (frame >= b->nr_frames || n > b->nr_frames - frame)) {
		errno = ENOMEM;
		build_fail(b->err, "memory of %" PRIu64 " MiB is too small",
			   b->nr_frames * PAGE_SIZE / MIB);
		return NULL;
	}
	frames = calloc(n, sizeof(*frames));
	if (!frames)
		goto out;
	for (uint64_t i = 0; i < n; i++)
		frames[i] = b->p2m ? b->p2m[frame + i] : frame + i;
	p = xenforeignmemory_map(b->xch->fmem, b->domid, PROT_READ | PROT_WRITE,
				 n, frames, NULL);
	free(frames);
out:
	if (!p)
		build_fail_errno(b->err,
				 "could not map %" PRIu64
				 " frames of the guest at %#" PRIx64,
				 n, frame);
	return p;
}

void guest_unmap(void *p, uint64_t n)
{
	munmap(p, n * PAGE_SIZE);
}

/* The bytes at from: in memory, or in a file when there is one. */
struct source {
	const uint8_t *data;
	int fd;
	uint64_t offset;
};

static int copy(struct build *b, uint8_t *to, const struct source *from,
		uint64_t at, uint64_t n)
{
	if (!from->fd) {
		memcpy(to, from->data + at, n);
		return 0;
	}
	while (n) {
		ssize_t got =
			pread(from->fd, to, n, (off_t)(from->offset + at));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return build_fail_errno(b->err, "reading a file that "
							"the guest gets");
		to += got;
		at += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

static int write_range(struct build *b, uint64_t paddr,
		       const struct source *from, uint64_t filesz,
		       uint64_t memsz)
{
	uint64_t done = 0;

	while (done < memsz) {
		uint64_t at = paddr + done, offset = at % PAGE_SIZE;
		uint64_t n = memsz - done, filled = 0, frames;
		uint8_t *p;
		int rc = 0;

		if (n > CHUNK * PAGE_SIZE - offset)
			n = CHUNK * PAGE_SIZE - offset;
		frames = (offset + n + PAGE_SIZE - 1) / PAGE_SIZE;
		p = guest_map(b, at / PAGE_SIZE, frames);
		if (!p)
			return -1;
		if (done < filesz)
			filled = n < filesz - done ? n : filesz - done;
		if (filled)
			rc = copy(b, p + offset, from, done, filled);
		memset(p + offset + filled, 0, n - filled);
		guest_unmap(p, frames);
		if (rc)
			return -1;
		done += n;
	}
	return 0;
}

int guest_write(struct build *b, uint64_t paddr, const void *data,
		uint64_t filesz, uint64_t memsz)
{
	struct source from = {.data = data};

	return write_range(b, paddr, &from, filesz, memsz);
}

int guest_write_blob(struct build *b, uint64_t paddr, const struct blob *from,
		     uint64_t offset, uint64_t filesz, uint64_t memsz)
{
	struct source s = {
		.data = (const uint8_t *)from->data + offset,
		.fd = from->fd,
		.offset = offset,
	};

	return write_range(b, paddr, &s, filesz, memsz);
}

uint64_t guest_take(struct build *b, uint64_t n, const char *what)
{
	/* A PVH or HVM guest's start data stays below the hole. */
	uint64_t end = b->p2m ? b->nr_frames : b->low_end / PAGE_SIZE;
	uint64_t frame = b->next;

	if (frame > end || n > end - frame) {
		errno = ENOMEM;
		build_fail(b->err,
			   "memory is too small for the %s: %" PRIu64
			   " KiB are needed, the guest has %" PRIu64 " KiB",
			   what, (frame + n) * PAGE_SIZE / 1024,
			   end * PAGE_SIZE / 1024);
		return NO_FRAME;
	}
	b->next += n;
	return frame;
}

struct load {
	struct build *b;
	uint64_t offset;
};

static int load_segment(void *ctx, const struct image_segment *seg)
{
	struct load *l = ctx;

	const struct kernel *k = &l->b->kernel;
	uint64_t at = (uint64_t)((const uint8_t *)seg->data - k->elf.file);

	return guest_write_blob(l->b, seg->paddr - l->offset, &k->file, at,
				seg->filesz, seg->memsz);
}

int guest_load_kernel(struct build *b, uint64_t paddr_offset)
{
	const struct image_elf *elf = &b->kernel.elf;
	uint64_t end = round_up(elf->pend - paddr_offset, PAGE_SIZE);
	struct load l = {b, paddr_offset};

	b->next = 0;
	/* An end that wrapped in the rounding is not the kernel's. */
	if (elf->pend - paddr_offset > end) {
		errno = ENOEXEC;
		return build_fail(b->err, "kernel %s: addresses wrap",
				  b->cfg->kernel);
	}
	if (guest_take(b, end / PAGE_SIZE, "kernel") == NO_FRAME)
		return -1;
	return image_load(elf, load_segment, &l);
}

uint64_t guest_load_module(struct build *b, unsigned int i)
{
	const struct blob *m = &b->modules[i];
	uint64_t n = round_up(m->len, PAGE_SIZE) / PAGE_SIZE;
	uint64_t frame = guest_take(b, n, i ? "module" : "initrd");

	if (frame == NO_FRAME ||
	    guest_write_blob(b, frame * PAGE_SIZE, m, 0, m->len, n * PAGE_SIZE))
		return NO_FRAME;
	return frame * PAGE_SIZE;
}
