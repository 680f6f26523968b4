/* SPDX-License-Identifier: MIT */
/*
 * Any string as a disk, an interface, processors, CPUID bits, a size. The first
 * byte chooses which. An error must point into the string.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/xl/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool one(struct arena *a, char which, const char *s,
		struct spec_error *e)
{
	struct disk_spec disk;
	struct vif_spec vif;
	struct cpuid_list cpuid = {.nr = 0};
	struct cpu_list cpus;
	uint8_t bytes[64];
	uint64_t n;
	char buf[32];

	switch (which) {
	case 'd':
		return disk_parse(a, s, &disk, e) &&
		       vdev_name(disk.devid, buf, sizeof(buf));
	case 'v':
		return vif_parse(a, s, &vif, e);
	case 'c':
		if (!cpulist_parse(a, s, &cpus, e))
			return false;
		cpulist_resolve(&cpus, 512, NULL, bytes);
		cpumap_format(bytes, 512, buf, sizeof(buf));
		return true;
	case 'f':
		return cpuid_parse(a, s, &cpuid, e);
	case 'l':
		return cpuid_parse_xend(a, s, &cpuid, e);
	default:
		memsize_parse(s, 1024, &n);
		uuid_parse(s, bytes);
		return true;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spec_error e = {0};
	struct arena a = {0};
	char *s;

	if (!size)
		return 0;
	s = arena_strndup(&a, (const char *)data + 1, size - 1);
	if (!one(&a, (char)data[0], s, &e) && (e.at > strlen(s) || !e.what[0]))
		abort();
	arena_free(&a);
	return 0;
}
