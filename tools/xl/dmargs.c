/* SPDX-License-Identifier: MIT */
/* The device model's command line, from the configuration. */
#include <stdio.h>
#include <string.h>

#include "dm.h"
#include "xl.h"

#define MAX_ARGS 256

struct args {
	struct domain_config *dc;
	struct string_list *out;
	uint32_t domid;
	bool ok;
};

static void add(struct args *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct args *a, const char *fmt, ...)
{
	va_list ap;

	if (a->out->nr >= MAX_ARGS - 1) {
		a->ok = false;
		return;
	}
	va_start(ap, fmt);
	a->out->item[a->out->nr++] = arena_vprintf(&a->dc->arena, fmt, ap);
	va_end(ap);
}

static void fail(struct args *a, const char *key, const char *value)
{
	xl_fail("%s=\"%s\" cannot be had from this device model", key, value);
	a->ok = false;
}

static void monitors(struct args *a)
{
	static const char *const names[] = {"libxl", "libxenstat"};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		add(a, "-chardev");
		add(a,
		    "socket,id=%s-cmd,path=/var/run/xen/qmp-%s-%u,"
		    "server=on,wait=off",
		    names[i], names[i], a->domid);
		add(a, "-mon");
		add(a, "chardev=%s-cmd,mode=control", names[i]);
	}
}

static void display(struct args *a, bool wanted)
{
	const struct vnc_config *v = &a->dc->vnc;

	add(a, "-vnc");
	if (wanted)
		add(a, "%s:%lld%s%s",
		    v->listen && *v->listen ? v->listen : "127.0.0.1",
		    v->display, v->unused != TRI_NO ? ",to=99" : "",
		    v->password && *v->password ? ",password=on" : "");
	else
		add(a, "none");
	add(a, "-display");
	add(a, "none");
	if (wanted && v->keymap) {
		add(a, "-k");
		add(a, "%s", v->keymap);
	}
}

static void direct_boot(struct args *a)
{
	struct domain_config *dc = a->dc;

	if (!dc->kernel)
		return;
	add(a, "-kernel");
	add(a, "%s", dc->kernel);
	if (dc->ramdisk) {
		add(a, "-initrd");
		add(a, "%s", dc->ramdisk);
	}
	if (*domconf_cmdline(dc)) {
		add(a, "-append");
		add(a, "%s", domconf_cmdline(dc));
	}
}

static void screen(struct args *a)
{
	struct domain_config *dc = a->dc;

	if (dc->nographic == TRI_YES)
		add(a, "-nographic");
	if (dc->vga == VGA_NONE)
		return;
	add(a, "-device");
	if (dc->vga == VGA_STD)
		add(a, "VGA,vgamem_mb=%llu",
		    (unsigned long long)dc->videoram_kb >> 10);
	else
		add(a, "cirrus-vga");
}

static void usb(struct args *a)
{
	static const char *const known[][2] = {
		{"tablet", "usb-tablet"},
		{"mouse", "usb-mouse"},
		{"keyboard", "usb-kbd"},
	};
	struct domain_config *dc = a->dc;

	if (dc->usb != TRI_YES && !dc->usbdevice.nr && !dc->usbversion)
		return;
	add(a, "-device");
	add(a, "%s,id=usb",
	    dc->usbversion == 3   ? "nec-usb-xhci"
	    : dc->usbversion == 2 ? "usb-ehci"
				  : "piix3-usb-uhci");
	for (unsigned int i = 0; i < dc->usbdevice.nr; i++) {
		unsigned int k = 0;

		while (k < ARRAY_SIZE(known) &&
		       strcmp(known[k][0], dc->usbdevice.item[i]))
			k++;
		if (k == ARRAY_SIZE(known)) {
			fail(a, "usbdevice", dc->usbdevice.item[i]);
			continue;
		}
		add(a, "-device");
		add(a, "%s,bus=usb.0", known[k][1]);
	}
}

static void sound(struct args *a)
{
	static const char *const cards[][2] = {
		{"ac97", "AC97"},   {"es1370", "ES1370"}, {"sb16", "sb16"},
		{"adlib", "adlib"}, {"gus", "gus"},       {"hda", "intel-hda"},
	};
	const char *want = a->dc->soundhw;

	if (!want || !*want)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(cards); i++) {
		if (strcmp(cards[i][0], want))
			continue;
		add(a, "-device");
		add(a, "%s", cards[i][1]);
		if (!strcmp(want, "hda")) {
			add(a, "-device");
			add(a, "hda-duplex");
		}
		return;
	}
	fail(a, "soundhw", want);
}

static void nic(struct args *a, const struct vif_spec *v)
{
	const char *model = v->model ? v->model : "rtl8139";

	if (!v->emulated)
		return;
	add(a, "-device");
	add(a, "%s,id=nic%d,netdev=net%d,mac=" MAC_FMT, model, v->devid,
	    v->devid, MAC_ARG(v->mac));
	add(a, "-netdev");
	if (v->ifname)
		add(a,
		    "type=tap,id=net%d,ifname=%.11s-emu,script=no,"
		    "downscript=no",
		    v->devid, v->ifname);
	else
		add(a,
		    "type=tap,id=net%d,ifname=vif%u.%d-emu,script=no,"
		    "downscript=no",
		    v->devid, a->domid, v->devid);
}

/* A comma in a file's name is doubled in an option of QEMU. */
static const char *escaped(struct args *a, const char *path)
{
	size_t n = strlen(path);
	char *out = arena_alloc(&a->dc->arena, 2 * n + 1), *p = out;

	for (; *path; path++) {
		*p++ = *path;
		if (*path == ',')
			*p++ = ',';
	}
	return out;
}

static void drive(struct args *a, const struct disk_spec *d)
{
	const char *format =
		d->format == DISK_VHD ? "vpc" : disk_format_names[d->format];
	unsigned int index;
	uint32_t id;
	bool scsi = !strncmp(d->vdev, "sd", 2);

	if (d->backend_domid) {
		xl_warn("disk %s: only its PV half is there: the emulated one "
			"would be dom0's, not domain %u's",
			d->vdev, d->backend_domid);
		return;
	}
	if (!vdev_parse(d->vdev, &id, &index) || (!scsi && index > 3))
		return; /* beyond the emulated controller: PV only */
	if (d->cdrom) {
		add(a, "-drive");
		if (d->format == DISK_EMPTY)
			add(a,
			    "if=ide,index=%u,readonly=on,media=cdrom,"
			    "id=ide-%u",
			    index, d->devid);
		else
			add(a,
			    "if=ide,index=%u,readonly=on,media=cdrom,"
			    "id=ide-%u,file=%s,format=%s",
			    index, d->devid, escaped(a, d->target), format);
		return;
	}
	/* An IDE disk cannot be read-only: then it is there for PV alone. */
	if (!d->writable && !scsi && a->dc->hdtype == 0)
		return;
	add(a, "-drive");
	if (a->dc->hdtype == 1 && !scsi) {
		add(a,
		    "file=%s,if=none,id=ahcidisk-%u,format=%s,"
		    "cache=writeback%s",
		    escaped(a, d->target), index, format,
		    d->writable ? "" : ",readonly=on");
		add(a, "-device");
		add(a, "ide-hd,bus=ahci0.%u,unit=0,drive=ahcidisk-%u", index,
		    index);
		return;
	}
	add(a, "file=%s,if=%s,index=%u,media=disk,format=%s,cache=writeback%s",
	    escaped(a, d->target), scsi ? "scsi" : "ide", index, format,
	    d->writable ? "" : ",readonly=on");
}

static void machine(struct args *a)
{
	struct domain_config *dc = a->dc;

	add(a, "-machine");
	add(a, "%s,suppress-vmdesc=on%s%s",
	    dc->platform_pci != TRI_NO ? "xenfv" : "pc,accel=xen",
	    dc->mmio_hole_mb ? ",max-ram-below-4g=" : "",
	    dc->mmio_hole_mb
		    ? arena_printf(&dc->arena, "%lldM", 4096 - dc->mmio_hole_mb)
		    : "");
	add(a, "-m");
	add(a, "%llu",
	    (unsigned long long)(dc->maxmem_kb - dc->videoram_kb) >> 10);
}

static void hvm(struct args *a)
{
	struct domain_config *dc = a->dc;

	display(a, dc->vnc.on != TRI_NO && dc->nographic != TRI_YES);
	direct_boot(a);
	for (unsigned int i = 0; i < dc->serial.nr; i++) {
		add(a, "-serial");
		add(a, "%s", dc->serial.item[i]);
	}
	screen(a);
	add(a, "-boot");
	add(a, "order=%s", dc->boot && *dc->boot ? dc->boot : "cda");
	usb(a);
	sound(a);
	if (dc->maxvcpus > 1) {
		add(a, "-smp");
		add(a, "%lld,maxcpus=%lld", dc->vcpus, dc->maxvcpus);
	}
	for (unsigned int i = 0; i < dc->nr_vifs; i++)
		nic(a, &dc->vifs[i]);
	machine(a);
	if (dc->hdtype == 1) {
		add(a, "-device");
		add(a, "ahci,id=ahci0");
	}
	for (unsigned int i = 0; i < dc->nr_disks; i++)
		drive(a, &dc->disks[i]);
}

static void pv(struct args *a)
{
	add(a, "-xen-attach");
	display(a, a->dc->wants_vfb);
	add(a, "-machine");
	add(a, "xenpv");
	add(a, "-m");
	add(a, "%llu", (unsigned long long)a->dc->maxmem_kb >> 10);
}

static void extra(struct args *a, const struct string_list *list)
{
	for (unsigned int i = 0; i < list->nr; i++)
		add(a, "%s", list->item[i]);
}

bool dm_arguments(uint32_t domid, struct domain_config *dc, const char *program,
		  struct string_list *out)
{
	struct args a = {.dc = dc, .out = out, .domid = domid, .ok = true};

	out->nr = 0;
	out->item = arena_alloc(&dc->arena, MAX_ARGS * sizeof(*out->item));
	add(&a, "%s", program);
	add(&a, "-xen-domid");
	add(&a, "%u", domid);
	add(&a, "-no-shutdown");
	monitors(&a);
	add(&a, "-nodefaults");
	add(&a, "-no-user-config");
	add(&a, "-name");
	add(&a, "%s", dc->name);
	if (dc->type == TYPE_HVM)
		hvm(&a);
	else
		pv(&a);
	extra(&a, &dc->dm_args);
	extra(&a, dc->type == TYPE_HVM ? &dc->dm_args_hvm : &dc->dm_args_pv);
	return a.ok;
}
