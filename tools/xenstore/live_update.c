/* SPDX-License-Identifier: MIT */
/*
 * Live update: the state is saved to a memory file, the new binary looks at
 * it, and if it can take it over this process becomes it. Until exec succeeds
 * nothing is changed here, so a failure at any step only costs the request.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"
#include "conn.h"
#include "domain.h"
#include "log.h"
#include "mem.h"
#include "request.h"
#include "sock.h"
#include "state.h"
#include "state_file.h"

#define MAX_ARGV   64
#define CHECK_SECS 10

static char **own_argv;
static int own_argc;

static char *binary, *cmdline;
static struct conn *asker; /* whose request waits for the update */
static struct xsd_sockmsg asked;

extern char **environ;

void live_update_args(int argc, char **argv)
{
	own_argc = argc;
	own_argv = argv;
}

static void forget(void)
{
	free(binary);
	free(cmdline);
	binary = cmdline = NULL;
	asker = NULL;
}

static const char *set_binary(struct request *r, const char *path)
{
	if (access(path, R_OK | X_OK))
		return "File not accessible.";
	forget();
	binary = mem_strdup(path);
	reply_ok(r);
	return NULL;
}

static const char *set_cmdline(struct request *r, const char *text)
{
	if (!binary)
		return "Not in live-update session.";
	free(cmdline);
	cmdline = mem_strdup(text);
	reply_ok(r);
	return NULL;
}

/* -s [-t <sec>] [-F]: transactions are kept, so there is nothing to wait for.
 */
static const char *start(struct request *r)
{
	if (!binary)
		return "Not in live-update session.";
	if (asker)
		return "BUSY";
	asker = r->c;
	asked = r->hdr;
	return NULL;
}

const char *live_update(struct request *r, char **v, unsigned int n)
{
	if (n == 2 && !strcmp(v[0], "-f"))
		return set_binary(r, v[1]);
	if (n == 2 && !strcmp(v[0], "-c"))
		return set_cmdline(r, v[1]);
	if (n >= 1 && !strcmp(v[0], "-s"))
		return start(r);
	if (n == 1 && !strcmp(v[0], "-a")) {
		forget();
		reply_ok(r);
		return NULL;
	}
	return "Unknown live-update parameter.";
}

/* The arguments for the new daemon; strings of @text and @num are used. */
static void build_argv(char **argv, char *text, char *num)
{
	int n = 0;

	argv[n++] = binary;
	if (text) {
		for (char *p = strtok(text, " \t"); p && n < MAX_ARGV - 3;
		     p = strtok(NULL, " \t"))
			argv[n++] = p;
	}
	for (int i = 1; !text && i < own_argc && n < MAX_ARGV - 3; i++) {
		if (!strcmp(own_argv[i], "--live-update"))
			i++; /* of the update that started this daemon */
		else
			argv[n++] = own_argv[i];
	}
	argv[n++] = "--live-update";
	argv[n++] = num;
	argv[n] = NULL;
}

/* Waits for @pid, not for long; its exit status. */
static int wait_for(pid_t pid)
{
	const struct timespec tick = {.tv_nsec = 5000000};
	int status;

	for (int i = 0; i < CHECK_SECS * 200; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		nanosleep(&tick, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* Does the new binary understand the state? */
static bool accepts(char *num)
{
	char *argv[] = {binary, "--check-state", num, NULL};
	pid_t pid;

	if (posix_spawn(&pid, binary, NULL, NULL, argv, environ))
		return false;
	return wait_for(pid) == STATE_ACCEPTED;
}

static void keep_open(bool keep)
{
	int flags = keep ? 0 : FD_CLOEXEC;

	fcntl(sock_listener(), F_SETFD, flags);
	list_for_each(l, &conns) {
		struct conn *c = container_of(l, struct conn, all);

		if (!c->dom)
			fcntl(c->src.fd, F_SETFD, flags);
	}
}

/* Comes back only with what went wrong. */
static const char *become(int fd)
{
	char *argv[MAX_ARGV], num[16], *text = cmdline;

	snprintf(num, sizeof(num), "%d", fd);
	if (!accepts(num))
		return "The new binary does not take over this state.";
	build_argv(argv, text, num);
	log_msg(LOG_INFO, "live update: becoming %s", binary);
	keep_open(true);
	execv(binary, argv);
	keep_open(false);
	return "The new binary cannot be executed.";
}

static void answer(const char *text)
{
	struct msg *m;

	m = conn_message(asker, &asked, XS_CONTROL, strlen(text) + 1, NULL);
	strcpy(m->body, text);
	conn_queue(asker, m);
}

bool live_update_run(void)
{
	const char *wrong;
	bool alive = false;
	int fd;

	if (!asker)
		return false;
	list_for_each(l, &conns)
		alive |= container_of(l, struct conn, all) == asker;
	if (!alive || asker->dead) {
		forget();
		return false;
	}
	/* The answer is part of the state: the next daemon sends it. */
	answer("OK");
	fd = state_save();
	if (fd < 0) {
		wrong = "The state cannot be saved.";
	} else {
		wrong = become(fd);
		close(fd);
	}
	conn_unqueue_last(asker);
	log_msg(LOG_ERR, "live update: %s", wrong);
	answer(wrong);
	forget();
	return true;
}
