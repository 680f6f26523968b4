/* SPDX-License-Identifier: MIT */
/*
 * Prints how many 4 KiB pages are free or dom0's: its block backend takes pages
 * of dom0's for what it maps, and dom0's balloon gives them back when it likes.
 * The system tests compare it before and after a domain's life (tap.sh).
 * With the word "times": a line "now NS" and, for each domain, its number and
 * the nanoseconds of CPU that it has had.
 * It asks the kernel's privcmd itself, so it says the same on any hypervisor
 * and beside any library.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#define __XEN_TOOLS__
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/sys/privcmd.h>

/* What is known of all domains, dom0 first: in the rest of op's page. */
#define MOST_DOMAINS 24
static xen_domctl_getdomaininfo_t *domains(int fd, struct xen_sysctl *op,
					   struct privcmd_hypercall *call,
					   uint32_t *n)
{
	xen_domctl_getdomaininfo_t *info = (void *)(op + 1);

	memset(op, 0, sizeof(*op));
	op->cmd = XEN_SYSCTL_getdomaininfolist;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	op->u.getdomaininfolist.max_domains = MOST_DOMAINS;
	set_xen_guest_handle(op->u.getdomaininfolist.buffer, info);
	if (ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, call) ||
	    !op->u.getdomaininfolist.num_domains || info->domain) {
		fprintf(stderr, "getdomaininfolist: %s\n", strerror(errno));
		exit(1);
	}
	*n = op->u.getdomaininfolist.num_domains;
	return info;
}

_Static_assert(sizeof(struct xen_sysctl) +
			       MOST_DOMAINS *
				       sizeof(xen_domctl_getdomaininfo_t) <=
		       4096,
	       "they are in one page");

static int print_times(int fd, struct xen_sysctl *op,
		       struct privcmd_hypercall *call)
{
	const xen_domctl_getdomaininfo_t *info;
	struct timespec now;
	uint32_t n;

	info = domains(fd, op, call, &n);
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("now %" PRIu64 "\n",
	       (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	for (uint32_t i = 0; i < n; i++)
		printf("%u %" PRIu64 "\n", info[i].domain, info[i].cpu_time);
	return 0;
}

int main(int argc, char *argv[])
{
	int fd = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	struct xen_sysctl *op = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED,
				     -1, 0);
	struct privcmd_hypercall call = {
		.op = __HYPERVISOR_sysctl,
		.arg = {(uintptr_t)op},
	};
	uint64_t free_pages;
	uint32_t n;
	int rc;

	if (fd < 0 || op == MAP_FAILED) {
		perror("/dev/xen/privcmd");
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "times"))
		return print_times(fd, op, &call);
	op->cmd = XEN_SYSCTL_physinfo;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	rc = ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call);
	if (rc) {
		fprintf(stderr, "physinfo: %s\n", strerror(errno));
		return 1;
	}
	free_pages = op->u.physinfo.free_pages;
	printf("%" PRIu64 "\n",
	       free_pages + domains(fd, op, &call, &n)->tot_pages);
	return 0;
}
