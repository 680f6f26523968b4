/* SPDX-License-Identifier: MIT */
/*
 * The host: the hypervisor's and the store's handles, the domains that there
 * are, and their names. Handles are opened when first asked for; a host
 * without them ends the command with a sentence that says what is missing.
 */
#ifndef OSTLER_XL_HOST_H
#define OSTLER_XL_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <xenctrl.h>
#include <xenstore.h>

xc_interface *host_xc(void);
struct xs_handle *host_xs(void);
/* The store's daemon has gone away: another connection, if it is back. */
bool host_store_again(void);
/* The handles are of no use in a child that goes on by itself. */
void host_forget(void);

/* One domain of a listing. */
struct dom_info {
	uint32_t domid;
	uint32_t flags; /* XEN_DOMINF_* */
	uint32_t vcpus, max_vcpu_id, cpupool;
	uint64_t memory_kb, max_kb, outstanding_kb, shared_kb;
	uint64_t cpu_ns;
	uint8_t handle[16];
};

/*
 * All domains from first on, in one hypercall (more only when there are more
 * than fit). The caller frees the array. Does not return on failure.
 */
struct dom_info *host_domains(unsigned int *nr);
/* One domain; false if there is none of that number. */
bool host_domain(uint32_t domid, struct dom_info *info);
static inline unsigned int dom_shutdown_reason(const struct dom_info *d)
{
	return d->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
}

/* The names of all of a list, in one exchange with the store (names.c). */
char **host_names(const struct dom_info *list, unsigned int nr);
void host_free_names(char **names, unsigned int nr);

/* A domain's name from the store, malloced; NULL if it has none. */
char *host_name(uint32_t domid);
/* A path of the store as a string, malloced, NULL if it is not there. */
char *host_read(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A number there, or what to return if there is none. */
long host_read_number(long otherwise, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool host_write(const char *value, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A domain from its number or name, as a command's operand. On failure says
 * so, as the stock tool does, and returns false.
 */
bool host_find(const char *name, uint32_t *domid);
/* By its name only. */
bool host_by_name(const char *name, uint32_t *domid);
/* The same as host_find() without a word. */
bool host_lookup(const char *name, uint32_t *domid);
/* Whom backend= names (NULL: dom0); false after a complaint. */
bool host_backend(const char *name, uint32_t *domid);
/* And for commands: finds it or ends the program with XL_FAIL. */
uint32_t host_need(const char *name);

/* A scheduler's name by its number, "unknown" of none. */
const char *host_sched_name(uint32_t id);

/* A processor pool's name (malloced) and the reverse. */
char *host_pool_name(uint32_t pool);
bool host_pool_find(const char *name, uint32_t *pool);
/* Calls each() for every pool, in the order of their numbers. */
void host_each_pool(void (*each)(const xc_cpupoolinfo_t *info, void *arg),
		    void *arg);

#endif
