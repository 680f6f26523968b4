/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into the stock C xenstored, so that it runs on any Linux: no
 * hypervisor, one domain (0) whose ring is a page that nobody uses. The daemon
 * believes that it started in dom0; its socket service is unchanged.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenctrl.h>
#include <xenevtchn.h>
#include <xengnttab.h>

static char handle;

xc_interface *xc_interface_open(xentoollog_logger *l, xentoollog_logger *d,
				unsigned int flags)
{
	(void)l;
	(void)d;
	(void)flags;
	return (xc_interface *)&handle;
}

int xc_interface_close(xc_interface *xch)
{
	(void)xch;
	return 0;
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned int max,
		      xc_dominfo_t *info)
{
	(void)xch;
	(void)max;
	memset(info, 0, sizeof(*info));
	info->domid = first;
	info->running = 1;
	return 1;
}

xengnttab_handle *xengnttab_open(xentoollog_logger *l, unsigned int flags)
{
	(void)l;
	(void)flags;
	return (xengnttab_handle *)&handle;
}

int xengnttab_set_max_grants(xengnttab_handle *xgt, uint32_t n)
{
	(void)xgt;
	(void)n;
	return 0;
}

int xengnttab_close(xengnttab_handle *xgt)
{
	(void)xgt;
	return 0;
}

xenevtchn_handle *xenevtchn_open(xentoollog_logger *l, unsigned int flags)
{
	(void)l;
	(void)flags;
	return (xenevtchn_handle *)&handle;
}

/* A descriptor that is never readable. */
int xenevtchn_fd(xenevtchn_handle *xce)
{
	static int fd[2] = {-1, -1};

	(void)xce;
	if (fd[0] < 0 && pipe2(fd, O_CLOEXEC))
		return -1;
	return fd[0];
}

xenevtchn_port_or_error_t xenevtchn_bind_virq(xenevtchn_handle *xce,
					      unsigned int virq)
{
	(void)xce;
	return virq + 1;
}

xenevtchn_port_or_error_t xenevtchn_bind_interdomain(xenevtchn_handle *xce,
						     uint32_t domid,
						     evtchn_port_t port)
{
	(void)xce;
	(void)domid;
	return port;
}

int xenevtchn_notify(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	(void)port;
	return 0;
}

int xenevtchn_unbind(xenevtchn_handle *xce, evtchn_port_t port)
{
	(void)xce;
	(void)port;
	return 0;
}

/* /proc/xen/xsd_port holds a number, /proc/xen/xsd_kva a page. */
static int xen_file(const char *path)
{
	int fd = memfd_create("xen", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (strstr(path, "xsd_port")) {
		if (write(fd, "7", 1) != 1 || lseek(fd, 0, SEEK_SET))
			return -1;
	} else if (ftruncate(fd, 4096)) {
		return -1;
	}
	return fd;
}

static int real_open(const char *name, const char *path, int flags, int mode)
{
	int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, name);

	if (!strncmp(path, "/proc/xen/xsd_", 14) ||
	    !strncmp(path, "/dev/xen/xsd_", 13))
		return xen_file(path);
	return next(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	return real_open("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	return real_open("open64", path, flags, mode);
}
