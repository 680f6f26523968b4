/* SPDX-License-Identifier: MIT */
/*
 * A domain as its configuration wants it: xl.cfg(5)'s keys with their types
 * and defaults settled. Nothing here needs a hypervisor.
 */
#ifndef OSTLER_XL_DOMCONF_H
#define OSTLER_XL_DOMCONF_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "cfgfile.h"
#include "spec.h"

enum dom_type { TYPE_PV, TYPE_PVH, TYPE_HVM };
extern const char *const dom_type_names[]; /* "pv", "pvh", "hvm" */

enum dom_action {
	ACT_DESTROY,
	ACT_RESTART,
	ACT_RENAME_RESTART,
	ACT_PRESERVE,
	ACT_COREDUMP_DESTROY,
	ACT_COREDUMP_RESTART,
	ACT_SOFT_RESET,
};
extern const char *const dom_action_names[];

/* A boolean that may also be left alone. */
enum tristate { TRI_UNSET = -1, TRI_NO = 0, TRI_YES = 1 };

struct string_list {
	unsigned int nr;
	const char **item;
};

struct cpu_lists {
	unsigned int nr; /* one for all vCPUs, or one each */
	bool each;
	struct cpu_list *list;
};

struct vnc_config {
	enum tristate on, unused;
	const char *listen, *password, *keymap;
	long long display;
};

struct domain_config {
	struct arena arena;

	const char *name;
	int type; /* enum dom_type */
	uint8_t uuid[16];
	bool has_uuid;
	const char *pool;

	long long vcpus, maxvcpus; /* 0: not said */
	struct cpu_lists cpus, cpus_soft;
	bool ignore_masks;         /* xl.conf's, by an option of create */
	long long cpu_weight, cap; /* -1: not said */
	uint64_t memory_kb, maxmem_kb, shadow_kb, videoram_kb;
	bool has_shadow;

	int on_poweroff, on_reboot, on_watchdog, on_crash, on_soft_reset;

	const char *kernel, *ramdisk, *cmdline, *root, *extra;
	const char *bootloader;
	struct string_list bootloader_args;
	const char *firmware, *firmware_override;

	long long max_grant_frames, max_maptrack_frames, max_grant_version;
	long long max_event_channels;
	enum tristate nomigrate, driver_domain, suspend_evtchn_compat;
	int passthrough; /* refused unless disabled */
	enum tristate msr_relaxed;

	/* PVH and HVM */
	enum tristate hap, pae, acpi, acpi_s3, acpi_s4, acpi_laptop, apic, nx;
	enum tristate hpet, nestedhvm, localtime, vpt_align, platform_pci;
	long long rtc_offset;
	int tsc_mode, timer_mode;
	long long mmio_hole_mb;
	const char *boot, *bios, *bios_path;
	bool ovmf; /* UEFI, not a BIOS */
	const char *acpi_firmware, *smbios_firmware;
	uint64_t viridian; /* HVM_PARAM_VIRIDIAN */
	int genid;         /* ms_vm_genid: generate */
	struct cpuid_list cpuid;

	/* the device model */
	const char *dm_path, *dm_user;
	struct string_list dm_args, dm_args_pv, dm_args_hvm;
	struct string_list serial, usbdevice;
	int vga, hdtype;
	enum tristate stdvga, nographic, usb, sdl, opengl, vkb_device;
	long long usbversion;
	const char *soundhw, *display, *xauthority;
	struct vnc_config vnc;
	enum tristate dm_restrict;
	int dm_version;

	unsigned int nr_disks, nr_vifs;
	struct disk_spec *disks;
	struct vif_spec *vifs;
	bool wants_vfb; /* a PV frame buffer */
	enum tristate vncviewer;
};

/* Values of vga, tsc_mode, hdtype, genid, … as their tables order them. */
enum vga_kind { VGA_CIRRUS, VGA_STD, VGA_NONE, VGA_QXL };
enum tsc_kind { TSC_DEFAULT, TSC_ALWAYS, TSC_NATIVE, TSC_NATIVE_PV };

/*
 * Settles a configuration. Reports every mistake, then returns whether there
 * was none. Warnings name the keys that are known but have no effect.
 */
bool domconf_from_cfg(struct domain_config *dc, const struct cfg *c,
		      struct diag *d);
void domconf_free(struct domain_config *dc);
/* The kernel's command line, from cmdline or from root and extra. */
const char *domconf_cmdline(struct domain_config *dc);

#endif
