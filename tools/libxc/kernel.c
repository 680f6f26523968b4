/* SPDX-License-Identifier: MIT */
/*
 * A guest's kernel: the file that the user names, unpacked (once: the result
 * is kept in the cache) and its ELF headers and Xen notes read.
 */
#include "build.h"

static void *unpack_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void unpack_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static const struct image_mem unpack_mem = {
	.alloc = unpack_alloc,
	.free = unpack_free,
};

/* Xen's error numbers are Linux's. */
static int image_error(struct build_error *err, const char *path, int rc,
		       const char *why)
{
	errno = -rc;
	return build_fail(err, "kernel %s: %s", path, why);
}

/* Into memory, without the cache. */
static int unpack_plain(struct kernel *k, const struct build_config *cfg,
			const struct image_payload *p, struct build_error *err)
{
	const char *why = "";
	int rc;

	k->file.data = malloc(p->unpacked);
	if (!k->file.data)
		return build_fail(err, "kernel %s: no memory for %zu bytes",
				  cfg->kernel, p->unpacked);
	k->file.len = p->unpacked;
	rc = image_unpack(p, k->file.data, &unpack_mem, &why);
	return rc ? image_error(err, cfg->kernel, rc, why) : 0;
}

static int unpack(struct kernel *k, const struct build_config *cfg,
		  const struct blob *file, const struct image_payload *p,
		  struct build_error *err)
{
	struct cache_key key;
	const char *why = "";
	int fd, rc;

	if ((cfg->cache_dir && !cfg->cache_dir[0]) ||
	    !cache_key(cfg->cache_dir, file, &key))
		return unpack_plain(k, cfg, p, err);
	if (cache_get(cfg->cache_dir, &key, p->unpacked, &k->file)) {
		k->cache_hit = true;
		return 0;
	}
	fd = cache_new(cfg->cache_dir, p->unpacked, &k->file);
	if (fd < 0)
		return unpack_plain(k, cfg, p, err);
	rc = image_unpack(p, k->file.data, &unpack_mem, &why);
	if (rc) {
		cache_drop(fd);
		return image_error(err, cfg->kernel, rc, why);
	}
	cache_commit(cfg->cache_dir, fd, &key);
	return 0;
}

static int check_kind(const struct kernel *k, const struct build_config *cfg,
		      struct build_error *err)
{
	if (cfg->kind == BUILD_PVH && !image_is_pvh(&k->elf)) {
		errno = ENOEXEC;
		return build_fail(err,
				  "kernel %s has no PVH entry (Xen note "
				  "PHYS32_ENTRY): it cannot run with "
				  "type=\"pvh\"",
				  cfg->kernel);
	}
	if (cfg->kind == BUILD_PV && !image_is_pv(&k->elf)) {
		errno = ENOEXEC;
		return build_fail(err,
				  "kernel %s has no Xen PV entry: it cannot "
				  "run with type=\"pv\"",
				  cfg->kernel);
	}
	return 0;
}

int kernel_open(struct kernel *k, const struct build_config *cfg,
		struct build_error *err)
{
	struct image_payload p;
	struct blob file = {0};
	const char *why = "";
	int rc;

	memset(k, 0, sizeof(*k));
	if (!cfg->kernel) {
		errno = EINVAL;
		return build_fail(err, "no kernel is given (kernel=)");
	}
	if (blob_open(&file, cfg->kernel, "kernel", err))
		return -1;
	rc = image_find(file.data, file.len, &p, &why);
	if (rc) {
		blob_close(&file);
		return image_error(err, cfg->kernel, rc, why);
	}
	if (p.format == IMAGE_RAW && !p.bzimage) {
		k->file = file;
	} else {
		rc = unpack(k, cfg, &file, &p, err);
		blob_close(&file);
		if (rc)
			goto fail;
	}
	rc = image_parse_elf(k->file.data, k->file.len, &k->elf, &why);
	if (rc) {
		image_error(err, cfg->kernel, rc, why);
		goto fail;
	}
	if (check_kind(k, cfg, err))
		goto fail;
	return 0;
fail:
	kernel_close(k);
	return -1;
}

void kernel_close(struct kernel *k)
{
	blob_close(&k->file);
}
