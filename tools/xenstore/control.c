/* SPDX-License-Identifier: MIT */
/* The CONTROL request: one table of commands. */
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "domain.h"
#include "log.h"
#include "perms.h"
#include "quota.h"
#include "request.h"
#include "state.h"
#include "store.h"
#include "watch.h"

#define MAX_ARGS 16

/* @v[0..n) are the arguments after the command. 0 or an errno. */
struct command {
	const char *name;
	int (*fn)(struct request *r, char **v, unsigned int n);
	const char *args;
};

static int cmd_check(struct request *r, char **v, unsigned int n)
{
	const char *wrong = store_check();

	(void)v;
	if (n)
		return EINVAL;
	if (wrong) {
		log_msg(LOG_ERR, "check: %s", wrong);
		reply_string(r, wrong);
	} else {
		reply_ok(r);
	}
	return 0;
}

static int cmd_log(struct request *r, char **v, unsigned int n)
{
	int rc = 0;

	if (n != 1)
		return EINVAL;
	/* Without a file there is nothing to write, and nothing wrong. */
	if (!strcmp(v[0], "on"))
		rc = log_trace_path() ? log_trace_on() : 0;
	else if (!strcmp(v[0], "off"))
		log_trace_off();
	else
		return EINVAL;
	if (!rc)
		reply_ok(r);
	return rc;
}

static int cmd_logfile(struct request *r, char **v, unsigned int n)
{
	int rc;

	if (n != 1)
		return EINVAL;
	rc = log_trace_file(v[0]);
	if (!rc)
		rc = log_trace_on();
	if (!rc)
		reply_ok(r);
	return rc;
}

static void report(FILE *f)
{
	struct mallinfo2 m = mallinfo2();

	fprintf(f, "memory in use: %zu bytes, from the system: %zu bytes\n",
		m.uordblks + m.hblkhd, m.arena + m.hblkhd);
	fprintf(f, "watches: %u, permission sets: %u, changes: %llu\n",
		watch_count(), perms_count(), (unsigned long long)store_gen);
	list_for_each(l, &domains) {
		struct domain *d = container_of(l, struct domain, all);

		fprintf(f,
			"domain %u: nodes %ld, watches %ld, transactions %ld, "
			"outstanding %ld, memory %ld\n",
			d->domid, d->nodes, d->watches, d->transactions,
			d->outstanding, d->memory);
	}
}

static int cmd_memreport(struct request *r, char **v, unsigned int n)
{
	const char *path = n ? v[0] : log_trace_path();
	FILE *f;

	if (n > 1)
		return EINVAL;
	f = path ? log_append(path) : NULL;
	if (!f)
		return EINVAL;
	report(f);
	fclose(f);
	reply_ok(r);
	return 0;
}

static int cmd_print(struct request *r, char **v, unsigned int n)
{
	if (n != 1)
		return EINVAL;
	log_msg(LOG_INFO, "control: %s", v[0]);
	reply_ok(r);
	return 0;
}

struct text {
	char buf[XENSTORE_PAYLOAD_MAX];
	size_t len;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, sizeof(t->buf) - t->len, fmt, ap);
	va_end(ap);
	if (n > 0 && t->len + n < sizeof(t->buf))
		t->len += n;
}

static int show_quotas(struct request *r, bool soft)
{
	struct text t = {.len = 0};
	int i = soft ? QUOTA_COUNT : 0, end = soft ? QUOTA_ALL : QUOTA_COUNT;

	add(&t, "Quota settings:\n");
	for (; i < end; i++)
		add(&t, "%-17s: %8u %s\n", quotas[i].name, quotas[i].value,
		    quotas[i].descr);
	reply_string(r, t.buf);
	return 0;
}

static int set_quota(struct request *r, char **v, unsigned int n, bool soft)
{
	char *end;
	long value;

	if (n != 3)
		return EINVAL;
	value = strtol(v[2], &end, 10);
	if (*end || value < 1 || value > INT32_MAX ||
	    quota_set(v[1], soft, value))
		return EINVAL;
	list_for_each(l, &domains)
		container_of(l, struct domain, all)->reported = 0;
	reply_ok(r);
	return 0;
}

static int show_use(struct request *r, const char *arg)
{
	int domid = request_domid(arg);
	struct domain *d = domid < 0 ? NULL : domain_find(domid);
	struct text t = {.len = 0};

	if (domid < 0)
		return EINVAL;
	if (!d)
		return ENOENT;
	add(&t, "Domain %u:\n", d->domid);
	add(&t, "%-16s: %8ld\n", "nodes", d->nodes);
	add(&t, "%-16s: %8ld\n", "watches", d->watches);
	add(&t, "%-16s: %8ld\n", "transactions", d->transactions);
	add(&t, "%-16s: %8ld\n", "outstanding", d->outstanding);
	add(&t, "%-16s: %8ld\n", "memory", d->memory);
	reply_string(r, t.buf);
	return 0;
}

static int cmd_quota(struct request *r, char **v, unsigned int n)
{
	if (!n)
		return show_quotas(r, false);
	if (!strcmp(v[0], "set"))
		return set_quota(r, v, n, false);
	return n == 1 ? show_use(r, v[0]) : EINVAL;
}

static int cmd_quota_soft(struct request *r, char **v, unsigned int n)
{
	if (!n)
		return show_quotas(r, true);
	return !strcmp(v[0], "set") ? set_quota(r, v, n, true) : EINVAL;
}

static int cmd_live_update(struct request *r, char **v, unsigned int n)
{
	const char *wrong = live_update(r, v, n);

	if (wrong)
		reply_string(r, wrong);
	return 0;
}

static int cmd_help(struct request *r, char **v, unsigned int n);

static const struct command commands[] = {
	{"check", cmd_check, ""},
	{"log", cmd_log, "on|off"},
	{"live-update", cmd_live_update,
	 "[-c <cmdline>] [-F] [-t <timeout>] <file>\n"
	 "    Default timeout is 60 seconds."},
	{"logfile", cmd_logfile, "<file>"},
	{"memreport", cmd_memreport, "[<file>]"},
	{"print", cmd_print, "<string>"},
	{"quota", cmd_quota, "[set <name> <val>|<domid>]"},
	{"quota-soft", cmd_quota_soft, "[set <name> <val>]"},
	{"help", cmd_help, ""},
};

#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static int cmd_help(struct request *r, char **v, unsigned int n)
{
	struct text t = {.len = 0};

	(void)v;
	if (n)
		return EINVAL;
	for (size_t i = 0; i < N_COMMANDS; i++)
		add(&t, "%s\t%s\n", commands[i].name, commands[i].args);
	reply_string(r, t.buf);
	return 0;
}

int req_control(struct request *r)
{
	char *v[MAX_ARGS];
	unsigned int n = request_strings(r, v, MAX_ARGS);

	if (n > MAX_ARGS)
		return EINVAL;
	for (size_t i = 0; n && i < N_COMMANDS; i++)
		if (!strcmp(v[0], commands[i].name))
			return commands[i].fn(r, v + 1, n - 1);
	return EINVAL;
}
