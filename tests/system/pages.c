/* SPDX-License-Identifier: MIT */
/*
 * Prints how many 4 KiB pages the hypervisor has free: what `xl info` rounds to
 * MiB. The system tests compare it before and after a domain's life (tap.sh).
 * It asks the kernel's privcmd itself, so it says the same on any hypervisor
 * and beside any library.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define __XEN_TOOLS__
#include <xen/sysctl.h>
#include <xen/sys/privcmd.h>

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
	printf("%" PRIu64 "\n", (uint64_t)op->u.physinfo.free_pages);
	return 0;
}
