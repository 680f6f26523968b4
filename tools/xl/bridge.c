/* SPDX-License-Identifier: MIT */
/* dom0's network interfaces; see bridge.h. */
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "bridge.h"

static int ctl(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd;
}

static struct ifreq request(const char *name)
{
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return r;
}

bool iface_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

bool iface_is_bridge(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%.15s/bridge", name);
	return !access(path, F_OK);
}

int iface_mtu(const char *name)
{
	struct ifreq r = request(name);

	return ioctl(ctl(), SIOCGIFMTU, &r) ? -1 : r.ifr_mtu;
}

static bool set_flags(const char *name, short set, short clear)
{
	struct ifreq r = request(name);

	if (ioctl(ctl(), SIOCGIFFLAGS, &r))
		return false;
	r.ifr_flags = (short)((r.ifr_flags & ~clear) | set);
	return !ioctl(ctl(), SIOCSIFFLAGS, &r);
}

/* A bridge takes the lowest address of its ports: this is the highest. */
static bool set_port_address(const char *name)
{
	struct ifreq r = request(name);

	r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(r.ifr_hwaddr.sa_data, "\xfe\xff\xff\xff\xff\xff", 6);
	return !ioctl(ctl(), SIOCSIFHWADDR, &r);
}

static bool set_mtu(const char *name, int mtu)
{
	struct ifreq r = request(name);

	r.ifr_mtu = mtu;
	return !ioctl(ctl(), SIOCSIFMTU, &r);
}

static bool add_port(const char *bridge, const char *port)
{
	struct ifreq r = request(bridge);

	r.ifr_ifindex = (int)if_nametoindex(port);
	return !ioctl(ctl(), SIOCBRADDIF, &r) || errno == EBUSY;
}

bool iface_join(const char *iface, const char *bridge, int mtu)
{
	return set_flags(iface, 0, IFF_UP) && set_port_address(iface) &&
	       (mtu <= 0 || set_mtu(iface, mtu)) && add_port(bridge, iface) &&
	       set_flags(iface, IFF_UP, 0);
}

bool iface_rename(const char *from, const char *to)
{
	struct ifreq r = request(from);

	snprintf(r.ifr_newname, sizeof(r.ifr_newname), "%s", to);
	return set_flags(from, 0, IFF_UP) && !ioctl(ctl(), SIOCSIFNAME, &r);
}
