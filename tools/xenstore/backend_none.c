/* SPDX-License-Identifier: MIT */
/* No domains: the daemon serves its socket only. Every domain id exists. */
#include <errno.h>
#include <stddef.h>

#include "backend.h"

static int none_open(int evtchn_fd)
{
	(void)evtchn_fd;
	return 0;
}

static int none_fd(void)
{
	return -1;
}

static void none_adopt(int port)
{
	(void)port;
}

static int none_bind(unsigned int domid, unsigned int port)
{
	(void)domid;
	(void)port;
	return -ENOSYS;
}

static void none_port(int port)
{
	(void)port;
}

static struct xenstore_domain_interface *none_map(unsigned int domid,
						  uint64_t gfn)
{
	(void)domid;
	(void)gfn;
	errno = ENOSYS;
	return NULL;
}

static void none_unmap(unsigned int domid,
		       struct xenstore_domain_interface *ring)
{
	(void)domid;
	(void)ring;
}

static enum domain_state none_state(unsigned int domid)
{
	(void)domid;
	return DOMAIN_RUNNING;
}

const struct backend backend_none = {
	.name = "none",
	.open = none_open,
	.fd = none_fd,
	.next_port = none_fd,
	.virq_port = none_fd,
	.bind_virq = none_fd,
	.adopt_virq = none_adopt,
	.bind = none_bind,
	.unbind = none_port,
	.notify = none_port,
	.map = none_map,
	.unmap = none_unmap,
	.state = none_state,
	.dom0_port = none_fd,
};
