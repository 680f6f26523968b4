/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target without a fuzzer: every file of a corpus once, and every
 * prefix of it (not with WHOLE), as a unit test. CORPUS is the folder, TARGET
 * its name.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef WHOLE
#define WHOLE 0
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const char *path)
{
	static uint8_t data[1 << 16];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(data, 1, sizeof(data), f) : 0;
	uint8_t *copy;

	if (f)
		fclose(f);
	for (size_t len = WHOLE ? n : 0; len <= n; len++) {
		/* of its own size, so that a step too far is seen */
		copy = malloc(len + !len);
		if (!copy)
			exit(1);
		memcpy(copy, data, len);
		LLVMFuzzerTestOneInput(copy, len);
		free(copy);
	}
}

int main(void)
{
	DIR *d = opendir(CORPUS);
	unsigned int files = 0;
	struct dirent *e;
	char path[1024];

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", CORPUS, e->d_name);
		replay(path);
		files++;
	}
	if (d)
		closedir(d);
	printf("1..1\n%sok 1 - fuzz %s: %u files of its corpus\n",
	       files ? "" : "not ", TARGET, files);
	return !files;
}
