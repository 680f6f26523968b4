/* SPDX-License-Identifier: MIT */
/* xl uptime: how long each domain has been running. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmds.h"
#include "host.h"
#include "json.h"
#include "xl.h"

/* Of dom0 the kernel's uptime; of a guest, since its start_time. */
static long uptime_of(uint32_t domid)
{
	double up = 0, start;
	char *vm, *s;
	FILE *f;

	if (!domid) {
		f = fopen("/proc/uptime", "r");
		if (f && fscanf(f, "%lf", &up) != 1)
			up = 0;
		if (f)
			fclose(f);
		return (long)up;
	}
	vm = host_read("/local/domain/%u/vm", domid);
	s = vm ? host_read("%s/start_time", vm) : NULL;
	start = s ? strtod(s, NULL) : 0;
	free(vm);
	free(s);
	return start > 0 ? (long)(time(NULL) - (time_t)start) : 0;
}

static void span(long secs, bool brief, char *buf, size_t size)
{
	long days = secs / 86400, hours = secs / 3600 % 24;
	long minutes = secs / 60 % 60;

	if (brief && days)
		snprintf(buf, size, "%ld days, %2ld:%02ld", days, hours,
			 minutes);
	else if (brief)
		snprintf(buf, size, "%2ld:%02ld", hours, minutes);
	else if (days)
		snprintf(buf, size, "%ld days, %2ld:%02ld:%02ld", days, hours,
			 minutes, secs % 60);
	else
		snprintf(buf, size, "%2ld:%02ld:%02ld", hours, minutes,
			 secs % 60);
}

static void print_short(const char *name, uint32_t domid, long secs)
{
	char buf[64], now[16] = "";
	time_t t = time(NULL);
	struct tm tm;

	span(secs, true, buf, sizeof(buf));
	if (localtime_r(&t, &tm))
		strftime(now, sizeof(now), "%H:%M:%S", &tm);
	printf(" %s up %s, %s (%u)\n", now, buf, name, domid);
}

static void print_one(uint32_t domid, bool brief, struct json *j)
{
	char *name = host_name(domid), buf[64];
	long secs = uptime_of(domid);

	if (j) {
		json_object(j, NULL);
		json_string(j, "name", name);
		json_uint(j, "domid", domid);
		json_int(j, "uptime_seconds", secs);
		json_object_end(j);
	} else if (brief) {
		print_short(name ? name : "", domid, secs);
	} else {
		span(secs, false, buf, sizeof(buf));
		printf("%-33s %4u %s\n", name ? name : "", domid, buf);
	}
	free(name);
}

static void print_list(const uint32_t *domids, unsigned int nr, bool brief,
		       bool json)
{
	struct json j;

	if (json) {
		json_start(&j, stdout);
		json_array(&j, NULL);
	} else if (!brief) {
		printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
	}
	for (unsigned int i = 0; i < nr; i++)
		print_one(domids[i], brief, json ? &j : NULL);
	if (json) {
		json_array_end(&j);
		json_end(&j);
	}
}

static int run_uptime(const struct xl_cmd *cmd, int argc, char **argv)
{
	bool brief = false, json = false;
	struct dom_info *list = NULL;
	unsigned int nr = 0;
	uint32_t *domids;
	int opt;

	while ((opt = xl_getopt(cmd, argc, argv, "s", xl_json_longs, 0)) !=
	       -1) {
		brief |= opt == 's';
		json |= opt == 'j';
	}
	if (optind == argc)
		list = host_domains(&nr);
	domids = calloc((size_t)argc + nr, sizeof(*domids));
	if (!domids)
		return xl_fail("out of memory");
	for (unsigned int i = 0; i < nr; i++)
		domids[i] = list[i].domid;
	for (; optind < argc; optind++)
		domids[nr++] = host_need(argv[optind]);
	print_list(domids, nr, brief, json);
	free(domids);
	free(list);
	return XL_OK;
}

const struct xl_cmd cmd_uptime = {
	.name = "uptime",
	.usage = "[-s] [Domain]",
	.summary = "Print uptime for all/some domains",
	.options = "-s                 Short form\n"
		   "--json             Facts as JSON",
	.run = run_uptime,
};
