/* SPDX-License-Identifier: MIT */
/* Words of the command line. */
#include "guest.h"

unsigned long option(const char *word, unsigned long dflt)
{
	size_t n = strlen(word);

	for (const char *p = command_line; *p; p++) {
		unsigned long v = 0;

		if ((p != command_line && p[-1] != ' ') || memcmp(p, word, n) ||
		    p[n] != '=')
			continue;
		for (p += n + 1; *p >= '0' && *p <= '9'; p++)
			v = v * 10 + (unsigned long)(*p - '0');
		return v;
	}
	return dflt;
}
