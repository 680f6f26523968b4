/* SPDX-License-Identifier: MIT */
/*
 * Prints how many 4 KiB pages are free or dom0's: its block backend takes pages
 * of dom0's for what it maps, and dom0's balloon gives them back when it likes.
 * The system tests compare it before and after a domain's life (tap.sh).
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

#define __XEN_TOOLS__
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/sys/privcmd.h>

/* Of the page that op is in, the rest. */
static uint64_t pages_of_dom0(int fd, struct xen_sysctl *op,
			      struct privcmd_hypercall *call)
{
	xen_domctl_getdomaininfo_t *info = (void *)(op + 1);

	memset(op, 0, sizeof(*op));
	op->cmd = XEN_SYSCTL_getdomaininfolist;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	op->u.getdomaininfolist.max_domains = 1;
	set_xen_guest_handle(op->u.getdomaininfolist.buffer, info);
	if (ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, call) ||
	    op->u.getdomaininfolist.num_domains != 1 || info->domain) {
		fprintf(stderr, "getdomaininfolist: %s\n", strerror(errno));
		exit(1);
	}
	return info->tot_pages;
}

int main(void)
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
	int rc;

	if (fd < 0 || op == MAP_FAILED) {
		perror("/dev/xen/privcmd");
		return 1;
	}
	op->cmd = XEN_SYSCTL_physinfo;
	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	rc = ioctl(fd, IOCTL_PRIVCMD_HYPERCALL, &call);
	if (rc) {
		fprintf(stderr, "physinfo: %s\n", strerror(errno));
		return 1;
	}
	free_pages = op->u.physinfo.free_pages;
	printf("%" PRIu64 "\n", free_pages + pages_of_dom0(fd, op, &call));
	return 0;
}
