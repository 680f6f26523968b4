/* SPDX-License-Identifier: MIT */
/* xl cd-insert, cd-eject: what is in an HVM guest's CD-ROM drive. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "devcmds.h"
#include "host.h"
#include "qmp.h"

/* The drive, which must be there and be a CD-ROM's. */
static bool find_drive(uint32_t domid, const char *vdev, struct device *dev)
{
	unsigned int disk;
	uint32_t devid;
	char *kind;
	bool cdrom;

	if (!vdev_parse(vdev, &devid, &disk))
		return xl_fail("expected a drive such as hdc; found '%s'",
			       vdev),
		       false;
	if (!find_device(domid, "vbd", devid, dev))
		return xl_fail("domain %u has no drive %s", domid, vdev), false;
	kind = dev_fact_read(dev, "device-type");
	cdrom = kind && !strcmp(kind, "cdrom");
	free(kind);
	if (!cdrom)
		xl_fail("%s of domain %u is not a CD-ROM drive", vdev, domid);
	return cdrom;
}

/* After a restart the drive holds what it held at the end. */
static void keep_disc(const struct device *dev, const char *file)
{
	char spec[1100], name[32];

	vdev_name(dev->devid, name, sizeof(name));
	snprintf(spec, sizeof(spec), "vdev=%s,access=ro,devtype=cdrom%s%s",
		 name, *file ? ",target=" : "", file);
	keep_removal(dev->domid, "disk", dev->devid);
	keep_addition(dev->domid, "disk", spec);
}

static int run_qmp(uint32_t domid, const char *command)
{
	char error[256];

	if (qmp_run(domid, command, NULL, error, sizeof(error)))
		return XL_OK;
	return xl_fail("domain %u: %s", domid, error);
}

static void record(const struct device *dev, const char *params)
{
	char path[128];

	dev_backend_path(dev, path, sizeof(path));
	host_write(params, "%s/params", path);
	dev_libxl_path(dev, path, sizeof(path));
	host_write(params, "%s/params", path);
}

static int eject(const struct device *dev)
{
	char command[256];
	int rc;

	snprintf(command, sizeof(command),
		 "{\"execute\": \"eject\", \"arguments\": {\"force\": true, "
		 "\"device\": \"ide-%u\"}}",
		 dev->devid);
	rc = run_qmp(dev->domid, command);
	if (rc == XL_OK) {
		record(dev, "aio:");
		keep_disc(dev, "");
	}
	return rc;
}

static int insert(const struct device *dev, const char *file)
{
	char quoted[1024], command[1400], params[1100];
	int rc;

	if (access(file, R_OK))
		return xl_fail("%s: %s", file, strerror(errno));
	qmp_quote(file, quoted, sizeof(quoted));
	snprintf(command, sizeof(command),
		 "{\"execute\": \"blockdev-change-medium\", \"arguments\": "
		 "{\"device\": \"ide-%u\", \"force\": true, \"filename\": "
		 "\"%s\", \"format\": \"raw\"}}",
		 dev->devid, quoted);
	rc = run_qmp(dev->domid, command);
	snprintf(params, sizeof(params), "aio:%s", file);
	if (rc == XL_OK) {
		record(dev, params);
		keep_disc(dev, file);
	}
	return rc;
}

static int run_insert(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 3);
	struct device dev;

	if (!find_drive(host_need(argv[i]), argv[i + 1], &dev))
		return XL_FAIL;
	return insert(&dev, argv[i + 2]);
}

const struct xl_cmd cmd_cd_insert = {
	.name = "cd-insert",
	.usage = "<Domain> <VirtualDevice> <path>",
	.summary = "Insert a cdrom into a guest's cd drive",
	.run = run_insert,
	.changes = true,
};

static int run_eject(const struct xl_cmd *cmd, int argc, char **argv)
{
	int i = xl_operands(cmd, argc, argv, 2);
	struct device dev;

	if (!find_drive(host_need(argv[i]), argv[i + 1], &dev))
		return XL_FAIL;
	return eject(&dev);
}

const struct xl_cmd cmd_cd_eject = {
	.name = "cd-eject",
	.usage = "<Domain> <VirtualDevice>",
	.summary = "Eject a cdrom from a guest's cd drive",
	.run = run_eject,
	.changes = true,
};
