/* SPDX-License-Identifier: MIT */
/*
 * Domains of the hypervisor below, through Xen's stable libraries. dom0's ring
 * is a page of its kernel, which xenfs offers; guests' rings are granted by
 * the toolstack in the entry reserved for it, and mapped as foreign memory if
 * that entry is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xencall.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>

#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/io/xs_wire.h>

#include "backend.h"
#include "domain.h"
#include "log.h"

#define KVA_FILE  "/proc/xen/xsd_kva"
#define PORT_FILE "/proc/xen/xsd_port"
#define PAGE      4096

static xencall_handle *xcall;
static xenevtchn_handle *xce;
static xengnttab_handle *xgt;
static xenforeignmemory_handle *xfm;
static int virq = -1;
static struct xen_domctl *domctl; /* memory that hypercalls may use */
static bool by_grant[DOMID_LIMIT];

static int fail(const char *what)
{
	int err = errno;

	log_msg(LOG_ERR,
		"%s: %s; is this dom0, and are xen-evtchn, "
		"xen-gntdev and xen-privcmd loaded?",
		what, strerror(err));
	return err ? err : ENODEV;
}

static int xen_open(int evtchn_fd)
{
	int fd, flags;

	xcall = xencall_open(NULL, 0);
	if (!xcall)
		return fail("the hypercall device");
	domctl = xencall_alloc_buffer(xcall, sizeof(*domctl));
	if (!domctl)
		return fail("memory for hypercalls");
	xgt = xengnttab_open(NULL, 0);
	if (!xgt)
		return fail("the grant device");
	xengnttab_set_max_grants(xgt, DOMID_LIMIT);
	xfm = xenforeignmemory_open(NULL, 0);
	if (!xfm)
		return fail("foreign memory");
	/* A live update hands the device on, so it stays open over exec. */
	xce = evtchn_fd < 0 ? xenevtchn_open(NULL, XENEVTCHN_NO_CLOEXEC)
			    : xenevtchn_fdopen(NULL, evtchn_fd, 0);
	if (!xce)
		return fail("the event channel device");
	fd = xenevtchn_fd(xce);
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return fail("the event channel device");
	return 0;
}

static int xen_fd(void)
{
	return xenevtchn_fd(xce);
}

static int xen_next_port(void)
{
	int port = xenevtchn_pending(xce);

	if (port >= 0)
		xenevtchn_unmask(xce, port);
	return port;
}

static int xen_virq_port(void)
{
	return virq;
}

static int xen_bind_virq(void)
{
	virq = xenevtchn_bind_virq(xce, VIRQ_DOM_EXC);
	return virq < 0 ? fail("VIRQ_DOM_EXC") : 0;
}

static void xen_adopt_virq(int port)
{
	virq = port;
}

static int xen_bind(unsigned int domid, unsigned int port)
{
	int local = xenevtchn_bind_interdomain(xce, domid, port);

	return local < 0 ? -errno : local;
}

static void xen_unbind(int port)
{
	xenevtchn_unbind(xce, port);
}

static void xen_notify(int port)
{
	if (port > 0)
		xenevtchn_notify(xce, port);
}

static void *map_dom0(void)
{
	int fd = open(KVA_FILE, O_RDWR | O_CLOEXEC), err;
	void *p;

	if (fd < 0)
		return NULL;
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	err = errno;
	close(fd);
	errno = err;
	return p == MAP_FAILED ? NULL : p;
}

static struct xenstore_domain_interface *xen_map(unsigned int domid,
						 uint64_t gfn)
{
	xen_pfn_t pfn = gfn;
	void *p;

	if (!domid)
		return map_dom0();
	p = xengnttab_map_grant_ref(xgt, domid, GNTTAB_RESERVED_XENSTORE,
				    PROT_READ | PROT_WRITE);
	by_grant[domid] = p != NULL;
	if (!p && pfn)
		p = xenforeignmemory_map(xfm, domid, PROT_READ | PROT_WRITE, 1,
					 &pfn, NULL);
	return p;
}

static void xen_unmap(unsigned int domid,
		      struct xenstore_domain_interface *ring)
{
	if (!domid)
		munmap(ring, PAGE);
	else if (by_grant[domid])
		xengnttab_unmap(xgt, ring, 1);
	else
		xenforeignmemory_unmap(xfm, ring, 1);
}

static enum domain_state xen_state(unsigned int domid)
{
	unsigned int flags;

	memset(domctl, 0, sizeof(*domctl));
	domctl->cmd = XEN_DOMCTL_getdomaininfo;
	domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl->domain = domid;
	if (xencall1(xcall, __HYPERVISOR_domctl, (uintptr_t)domctl) < 0)
		return DOMAIN_GONE;
	/* The hypervisor answers for the next one if there is no such domain.
	 */
	if (domctl->u.getdomaininfo.domain != domid)
		return DOMAIN_GONE;
	flags = domctl->u.getdomaininfo.flags;
	if (flags & XEN_DOMINF_dying)
		return DOMAIN_GONE;
	return flags & XEN_DOMINF_shutdown ? DOMAIN_SHUTDOWN : DOMAIN_RUNNING;
}

static int xen_dom0_port(void)
{
	char text[20];
	int fd = open(PORT_FILE, O_RDONLY | O_CLOEXEC), port;
	ssize_t n;

	if (fd < 0) {
		log_msg(LOG_ERR, "%s: %s; is xenfs mounted on /proc/xen?",
			PORT_FILE, strerror(errno));
		return -ENODEV;
	}
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = '\0';
	port = atoi(text);
	return port > 0 ? port : -ENODEV;
}

const struct backend backend_xen = {
	.name = "xen",
	.open = xen_open,
	.fd = xen_fd,
	.next_port = xen_next_port,
	.virq_port = xen_virq_port,
	.bind_virq = xen_bind_virq,
	.adopt_virq = xen_adopt_virq,
	.bind = xen_bind,
	.unbind = xen_unbind,
	.notify = xen_notify,
	.map = xen_map,
	.unmap = xen_unmap,
	.state = xen_state,
	.dom0_port = xen_dom0_port,
};
