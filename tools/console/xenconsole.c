/* SPDX-License-Identifier: MIT */
/* xenconsole: the client by itself, with the stock program's options. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "client.h"

static void usage(void)
{
	printf("Usage: xenconsole [-h] [--num=NUM] [--type=pv|serial] "
	       "[--escape=CHAR] DOMID\n"
	       "Joins this terminal to a guest's console.\n");
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"type", 1, NULL, 't'},
		{"num", 1, NULL, 'n'},
		{"help", 0, NULL, 'h'},
		{"escape", 1, NULL, 'e'},
		{"interactive", 0, NULL, 'i'},
		{"start-notify-fd", 1, NULL, 's'},
		{NULL, 0, NULL, 0},
	};
	const char *type = "pv";
	unsigned int num = 0;
	struct xs_handle *xs;
	char *end;
	unsigned long domid;
	int opt;

	while ((opt = getopt_long(argc, argv, "hn:t:e:is:", longs, NULL)) !=
	       -1) {
		if (opt == 'h') {
			usage();
			return 0;
		} else if (opt == 't') {
			type = optarg;
		} else if (opt == 'n') {
			num = (unsigned int)strtoul(optarg, NULL, 10);
		} else if (opt == 'e') {
			console_set_escape(optarg[0] == '^' ? optarg[1] & 0x1f
							    : optarg[0]);
		} else if (opt == '?') {
			return 2;
		}
	}
	if (optind + 1 != argc) {
		usage();
		return 2;
	}
	domid = strtoul(argv[optind], &end, 10);
	if (*end || !*argv[optind]) {
		fprintf(stderr, "expected a domain's number; found '%s'\n",
			argv[optind]);
		return 2;
	}
	xs = xs_open(0);
	if (!xs) {
		perror("xenconsole: the store does not answer");
		return 1;
	}
	return console_client(xs, (uint32_t)domid, type, num);
}
