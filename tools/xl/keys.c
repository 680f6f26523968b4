/* SPDX-License-Identifier: MIT */
/*
 * The keys of xl.cfg(5), all of them: what each is, where it goes, or why it
 * is refused or has no effect. docs/man/xl.cfg.5 says the same to users, and
 * a test compares the two.
 */
#include <stdio.h>
#include <string.h>

#include "keys.h"

#define F(field) offsetof(struct domain_config, field)

const char *const dom_type_names[] = {"pv", "pvh", "hvm", NULL};
const char *const dom_action_names[] = {
	"destroy",          "restart",          "rename-restart", "preserve",
	"coredump-destroy", "coredump-restart", "soft-reset",     NULL,
};
static const char *const vga_names[] = {"cirrus", "stdvga", "none", "qxl",
					NULL};
static const char *const tsc_names[] = {"default", "always_emulate", "native",
					"native_paravirt", NULL};
static const char *const timer_names[] = {
	"delay_for_missed_ticks", "no_delay_for_missed_ticks",
	"no_missed_ticks_pending", "one_missed_tick_pending", NULL};
static const char *const hdtype_names[] = {"ide", "ahci", NULL};
static const char *const passthrough_names[] = {
	"disabled", "default",  "unknown", "enabled",
	"sync_pt",  "share_pt", NULL};
static const char *const genid_names[] = {"none", "generate", NULL};
static const char *const dm_names[] = {"qemu-xen", "qemu-xen-traditional",
				       NULL};

static void key_uuid(struct key_ctx *k, const struct cfg_value *v)
{
	const char *s;

	if (!key_string(k, v, &s))
		return;
	k->dc->has_uuid = uuid_parse(s, k->dc->uuid);
	if (!k->dc->has_uuid)
		diag_error(k->diag, &v->pos,
			   "expected a UUID of 32 hexadecimal digits; found "
			   "'%s'",
			   s);
}

/* "builder" is the old word for "type". */
static void key_builder(struct key_ctx *k, const struct cfg_value *v)
{
	const char *s;

	if (!key_string(k, v, &s))
		return;
	if (!strcmp(s, "hvm"))
		k->dc->type = TYPE_HVM;
	else if (!strcmp(s, "generic"))
		k->dc->type = TYPE_PV;
	else
		diag_error(k->diag, &v->pos,
			   "expected builder to be \"generic\" or \"hvm\"; "
			   "found '%s' (the key type= replaces it)",
			   s);
}

static void key_shadow(struct key_ctx *k, const struct cfg_value *v)
{
	long long mib;

	if (!key_number(k, v, &mib))
		return;
	k->dc->has_shadow = true;
	k->dc->shadow_kb = (uint64_t)mib << 10;
}

static void key_dm_version(struct key_ctx *k, const struct cfg_value *v)
{
	const char *s;

	if (!key_string(k, v, &s))
		return;
	for (int i = 0; dm_names[i]; i++)
		if (!strcmp(s, dm_names[i]))
			k->dc->dm_version = i;
	if (strcmp(s, dm_names[0]))
		diag_error(k->diag, &v->pos,
			   "device_model_version \"%s\" is not supported: "
			   "only \"qemu-xen\" is",
			   s);
}

/* xl runs what bootloader_args says; a lone string is one argument. */
static const struct key keys[] = {
	STRING("name", name),
	CHOICE("type", type, dom_type_names),
	CUSTOM("builder", key_builder),
	CUSTOM("uuid", key_uuid),
	STRING("pool", pool),

	/* processors and memory */
	NUMBER("vcpus", vcpus, 1, 8192),
	NUMBER("maxvcpus", maxvcpus, 1, 8192),
	CUSTOM("cpus", key_cpus),
	CUSTOM("cpus_soft", key_cpus),
	NUMBER("cpu_weight", cpu_weight, 1, 65535),
	NUMBER("cap", cap, 0, 65535),
	REFUSED("period", "the rtds scheduler's parameters are not supported"),
	REFUSED("slice", "the sedf scheduler is gone from Xen"),
	REFUSED("latency", "the sedf scheduler is gone from Xen"),
	REFUSED("extratime", "the rtds scheduler's parameters are not "
			     "supported"),
	MIB("memory", memory_kb),
	MIB("maxmem", maxmem_kb),
	REFUSED("vnuma", "virtual NUMA is not supported"),

	/* events */
	CHOICE("on_poweroff", on_poweroff, dom_action_names),
	CHOICE("on_reboot", on_reboot, dom_action_names),
	CHOICE("on_watchdog", on_watchdog, dom_action_names),
	CHOICE("on_crash", on_crash, dom_action_names),
	CHOICE("on_soft_reset", on_soft_reset, dom_action_names),

	/* what boots */
	STRING("kernel", kernel),
	STRING("ramdisk", ramdisk),
	STRING("cmdline", cmdline),
	STRING("root", root),
	STRING("extra", extra),
	STRING("bootloader", bootloader),
	STRINGS("bootloader_args", bootloader_args),
	STRING("firmware", firmware),
	STRING("firmware_override", firmware_override),
	STRING("boot", boot),
	REFUSED("pvshim", "the PV shim is not supported: use type=\"pv\""),
	IGNORED("pvshim_path", "there is no PV shim"),
	IGNORED("pvshim_cmdline", "there is no PV shim"),
	IGNORED("pvshim_extra", "there is no PV shim"),

	/* the domain as a whole */
	REFUSED("seclabel", "XSM labels are not supported"),
	REFUSED("init_seclabel", "XSM labels are not supported"),
	NUMBER("max_grant_frames", max_grant_frames, 0, INT32_MAX),
	NUMBER("max_maptrack_frames", max_maptrack_frames, 0, INT32_MAX),
	NUMBER("max_grant_version", max_grant_version, 0, 2),
	NUMBER("max_event_channels", max_event_channels, 0, INT32_MAX),
	BOOL("nomigrate", nomigrate),
	BOOL("driver_domain", driver_domain),
	REFUSED("device_tree", "device trees are Arm's"),
	CHOICE("passthrough", passthrough, passthrough_names),
	BOOL("xend_suspend_evtchn_compat", suspend_evtchn_compat),
	REFUSED("vmtrace_buf_kb", "processor trace buffers are not supported"),
	IGNORED("vpmu", "it is Arm's"),
	REFUSED("e820_host", "a guest's map of the host's memory holes is for "
			     "PCI pass-through, which is not supported"),
	BOOL("msr_relaxed", msr_relaxed),
	REFUSED("mca_caps", "machine-check capabilities are not supported"),
	IGNORED("tee", "it is Arm's"),
	IGNORED("gic_version", "it is Arm's"),
	REFUSED("vuart", "a virtual UART of this kind is Arm's"),

	/* devices */
	CUSTOM("disk", key_disks),
	CUSTOM("vif", key_vifs),
	REFUSED("vif2", "the old frame format of network interfaces is gone"),
	CUSTOM("vfb", key_vfb),
	REFUSED("vtpm", "virtual TPMs are not supported"),
	REFUSED("p9", "9pfs shares are not supported"),
	REFUSED("pvcalls", "PV calls are not supported"),
	REFUSED("channel", "channels are not supported"),
	REFUSED("rdm", "it serves PCI pass-through, which is not supported"),
	REFUSED("rdm_mem_boundary", "it serves PCI pass-through, which is not "
				    "supported"),
	REFUSED("usbctrl", "PV USB is not supported"),
	REFUSED("usbdev", "PV USB is not supported"),
	REFUSED("pci", "PCI pass-through is not supported"),
	IGNORED("pci_permissive", "PCI pass-through is not supported"),
	IGNORED("pci_msitranslate", "PCI pass-through is not supported"),
	IGNORED("pci_seize", "PCI pass-through is not supported"),
	IGNORED("pci_power_mgmt", "PCI pass-through is not supported"),
	REFUSED("gfx_passthru", "PCI pass-through is not supported"),
	REFUSED("dtdev", "device trees are Arm's"),
	REFUSED("ioports", "handing a guest the host's ports is not supported"),
	REFUSED("iomem", "handing a guest the host's memory is not supported"),
	REFUSED("irqs", "handing a guest the host's interrupts is not "
			"supported"),
	REFUSED("vdispl", "PV displays are not supported"),
	REFUSED("vsnd", "PV sound is not supported"),
	REFUSED("vkb", "PV keyboards are not supported"),

	/* PVH and HVM */
	BOOL("hap", hap),
	IGNORED("oos", "shadow paging chooses for itself"),
	CUSTOM("shadow_memory", key_shadow),
	STRING("bios", bios),
	STRING("bios_path_override", bios_path),
	BOOL("pae", pae),
	BOOL("acpi", acpi),
	BOOL("acpi_s3", acpi_s3),
	BOOL("acpi_s4", acpi_s4),
	BOOL("acpi_laptop_slate", acpi_laptop),
	BOOL("apic", apic),
	BOOL("nx", nx),
	BOOL("hpet", hpet),
	REFUSED("altp2m", "alternate physical maps are not supported"),
	REFUSED("altp2mhvm", "alternate physical maps are not supported"),
	BOOL("nestedhvm", nestedhvm),
	CUSTOM("cpuid", key_cpuid),
	STRING("acpi_firmware", acpi_firmware),
	STRING("smbios_firmware", smbios_firmware),
	CHOICE("ms_vm_genid", genid, genid_names),
	CHOICE("tsc_mode", tsc_mode, tsc_names),
	BOOL("localtime", localtime),
	NUMBER("rtc_timeoffset", rtc_offset, INT32_MIN, INT32_MAX),
	BOOL("vpt_align", vpt_align),
	CHOICE("timer_mode", timer_mode, timer_names),
	NUMBER("mmio_hole", mmio_hole_mb, 256, 3840),
	BOOL("xen_platform_pci", platform_pci),
	CUSTOM("viridian", key_viridian),
	REFUSED("vendor_device", "the vendor's PCI device is not supported"),

	/* the device model */
	CUSTOM("device_model_version", key_dm_version),
	STRING("device_model_override", dm_path),
	REFUSED("device_model", "it was replaced: say device_model_override="),
	STRING("device_model_user", dm_user),
	BOOL("dm_restrict", dm_restrict),
	STRINGS("device_model_args", dm_args),
	STRINGS("device_model_args_pv", dm_args_pv),
	STRINGS("device_model_args_hvm", dm_args_hvm),
	REFUSED("device_model_stubdomain_override",
		"device models in a stub domain are not supported"),
	IGNORED("device_model_stubdomain_seclabel", "there is no stub domain"),
	IGNORED("stubdomain_kernel", "there is no stub domain"),
	IGNORED("stubdomain_cmdline", "there is no stub domain"),
	IGNORED("stubdomain_ramdisk", "there is no stub domain"),
	IGNORED("stubdomain_memory", "there is no stub domain"),
	CHOICE("hdtype", hdtype, hdtype_names),
	MIB("videoram", videoram_kb),
	BOOL("stdvga", stdvga),
	CHOICE("vga", vga, vga_names),
	BOOL("vnc", vnc.on),
	STRING("vnclisten", vnc.listen),
	NUMBER("vncdisplay", vnc.display, 0, 59635),
	BOOL("vncunused", vnc.unused),
	STRING("vncpasswd", vnc.password),
	BOOL("vncviewer", vncviewer),
	STRING("keymap", vnc.keymap),
	BOOL("sdl", sdl),
	BOOL("opengl", opengl),
	STRING("display", display),
	STRING("xauthority", xauthority),
	BOOL("nographic", nographic),
	REFUSED("spice", "SPICE is not in the packaged device model"),
	IGNORED("spicehost", "there is no SPICE"),
	IGNORED("spiceport", "there is no SPICE"),
	IGNORED("spicetls_port", "there is no SPICE"),
	IGNORED("spicedisable_ticketing", "there is no SPICE"),
	IGNORED("spicepasswd", "there is no SPICE"),
	IGNORED("spiceagent_mouse", "there is no SPICE"),
	IGNORED("spicevdagent", "there is no SPICE"),
	IGNORED("spice_clipboard_sharing", "there is no SPICE"),
	IGNORED("spiceusbredirection", "there is no SPICE"),
	IGNORED("spice_image_compression", "there is no SPICE"),
	IGNORED("spice_streaming_video", "there is no SPICE"),
	STRINGS("serial", serial),
	STRING("soundhw", soundhw),
	BOOL("vkb_device", vkb_device),
	BOOL("usb", usb),
	NUMBER("usbversion", usbversion, 1, 3),
	STRINGS("usbdevice", usbdevice),
};

const struct key_table domain_keys = {keys, sizeof(keys) / sizeof(keys[0]),
				      "xl.cfg(5)"};
