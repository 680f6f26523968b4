/* SPDX-License-Identifier: MIT */
/* Virtual disk names and their numbers: xen-vbd-interface(7). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

#define MAJOR_XVD 202
#define MAJOR_SD  8
#define MAJOR_HDA 3
#define MAJOR_HDC 22
/* Numbers that do not fit the old form: bit 28, disk << 8, partition. */
#define EXTENDED (1u << 28)

/* a … z, aa … : letters as a number from 0. Returns past them. */
static const char *letters(const char *s, unsigned int *disk)
{
	unsigned int n = 0;

	if (*s < 'a' || *s > 'z')
		return NULL;
	for (; *s >= 'a' && *s <= 'z'; s++) {
		n = n * 26 + (unsigned int)(*s - 'a') + 1;
		if (n > (1u << 20))
			return NULL;
	}
	*disk = n - 1;
	return s;
}

/* Decimal digits to the end; none means 0. */
static bool digits(const char *s, unsigned int *n)
{
	char *end;
	unsigned long v = 0;

	if (*s) {
		if (!isdigit((unsigned char)*s) || strlen(s) > 8)
			return false;
		v = strtoul(s, &end, 10);
		if (*end)
			return false;
	}
	*n = (unsigned int)v;
	return true;
}

static bool xvd_number(unsigned int disk, unsigned int part, uint32_t *devid)
{
	if (disk >= (1u << 20) || part >= 256)
		return false;
	if (disk < 16 && part < 16)
		*devid = MAJOR_XVD << 8 | disk << 4 | part;
	else
		*devid = EXTENDED | disk << 8 | part;
	return true;
}

static bool d_number(const char *s, uint32_t *devid, unsigned int *disk)
{
	unsigned int part = 0;
	char *end;

	if (!isdigit((unsigned char)*s) || strlen(s) > 15)
		return false;
	*disk = (unsigned int)strtoul(s, &end, 10);
	if (*end == 'p' && !(end[1] && digits(end + 1, &part)))
		return false;
	return (!*end || *end == 'p') && xvd_number(*disk, part, devid);
}

static bool plain_number(const char *s, uint32_t *devid, unsigned int *disk)
{
	char *end;
	unsigned long n = strtoul(s, &end, 0);

	if (*end || n > 0x1fffffff)
		return false;
	*devid = (uint32_t)n;
	*disk = n & EXTENDED ? (unsigned int)(n & ~EXTENDED) >> 8
			     : (unsigned int)(n & 0xff) >> 4;
	return true;
}

bool vdev_parse(const char *name, uint32_t *devid, unsigned int *disk)
{
	const char *rest;
	unsigned int part;

	if (isdigit((unsigned char)*name))
		return plain_number(name, devid, disk);
	if (!strncmp(name, "xvd", 3))
		rest = letters(name + 3, disk);
	else if (!strncmp(name, "hd", 2) || !strncmp(name, "sd", 2))
		rest = letters(name + 2, disk);
	else
		return *name == 'd' && d_number(name + 1, devid, disk);
	if (!rest || !digits(rest, &part))
		return false;
	if (name[0] == 'x')
		return xvd_number(*disk, part, devid);
	if (name[0] == 'h') {
		*devid = (*disk < 2 ? MAJOR_HDA : MAJOR_HDC) << 8 |
			 (*disk & 1) << 6 | part;
		return *disk < 4 && part < 64;
	}
	*devid = MAJOR_SD << 8 | *disk << 4 | part;
	return *disk < 16 && part < 16;
}

static void format(char *buf, size_t size, const char *prefix,
		   unsigned int disk, unsigned int part)
{
	char name[16], *p = name + sizeof(name);

	*--p = 0;
	for (disk++; disk; disk = (disk - 1) / 26)
		*--p = (char)('a' + (disk - 1) % 26);
	if (part)
		snprintf(buf, size, "%s%s%u", prefix, p, part);
	else
		snprintf(buf, size, "%s%s", prefix, p);
}

const char *vdev_name(uint32_t devid, char *buf, size_t size)
{
	unsigned int major = devid >> 8, minor = devid & 0xff;

	if (devid & EXTENDED)
		format(buf, size, "xvd", (devid & ~EXTENDED) >> 8, minor);
	else if (major == MAJOR_XVD)
		format(buf, size, "xvd", minor >> 4, minor & 15);
	else if (major == MAJOR_SD)
		format(buf, size, "sd", minor >> 4, minor & 15);
	else if (major == MAJOR_HDA || major == MAJOR_HDC)
		format(buf, size, "hd",
		       (major == MAJOR_HDC ? 2 : 0) + (minor >> 6), minor & 63);
	else
		snprintf(buf, size, "%u", devid);
	return buf;
}
