/* SPDX-License-Identifier: MIT */
/* A domain's configuration as JSON; see domjson.h. */
#include <stdlib.h>
#include <string.h>

#include "domjson.h"
#include "savedconf.h"
#include "xl.h"

static void info_c(struct json *j, struct domain_config *dc)
{
	char uuid[40];

	json_object(j, "c_info");
	json_string(j, "type", dom_type_names[dc->type]);
	json_string(j, "name", dc->name);
	if (dc->has_uuid) {
		snprintf(uuid, sizeof(uuid), UUID_FMT, UUID_ARG(dc->uuid));
		json_string(j, "uuid", uuid);
	}
	json_string(j, "run_hotplug_scripts", "True");
	if (dc->pool)
		json_string(j, "pool_name", dc->pool);
	json_object_end(j);
}

/* libxl's booleans may be unset too; then they are not written. */
static void tristate(struct json *j, const char *name, enum tristate t)
{
	if (t != TRI_UNSET)
		json_string(j, name, t == TRI_YES ? "True" : "False");
}

static void hvm(struct json *j, struct domain_config *dc)
{
	static const char *const vga[] = {"cirrus", "std", "none", "qxl"};

	json_string(j, "bios", dc->ovmf ? "ovmf" : "seabios");
	tristate(j, "pae", dc->pae);
	tristate(j, "apic", dc->apic);
	tristate(j, "acpi", dc->acpi);
	tristate(j, "hpet", dc->hpet);
	tristate(j, "nested_hvm", dc->nestedhvm);
	json_object(j, "vga");
	json_string(j, "kind", vga[dc->vga]);
	json_object_end(j);
	json_object(j, "vnc");
	tristate(j, "enable", dc->vnc.on);
	if (dc->vnc.listen)
		json_string(j, "listen", dc->vnc.listen);
	json_object_end(j);
	if (dc->boot)
		json_string(j, "boot", dc->boot);
	tristate(j, "usb", dc->usb);
	tristate(j, "xen_platform_pci", dc->platform_pci);
	if (dc->serial.nr) {
		json_array(j, "serial_list");
		for (unsigned int i = 0; i < dc->serial.nr; i++)
			json_string(j, NULL, dc->serial.item[i]);
		json_array_end(j);
	}
}

static void cpuid(struct json *j, const struct cpuid_list *l)
{
	static const char *const regs[] = {"eax", "ebx", "ecx", "edx"};

	if (l->arch_caps) {
		json_object(j, "msr");
		json_string(j, "0x10a", l->arch_caps);
		json_object_end(j);
	}
	if (!l->nr)
		return;
	json_array(j, "cpuid");
	for (unsigned int i = 0; i < l->nr; i++) {
		const struct cpuid_leaf *leaf = &l->leaf[i];

		json_object(j, NULL);
		json_uint(j, "leaf", leaf->leaf);
		if (leaf->subleaf != CPUID_NO_SUBLEAF)
			json_uint(j, "subleaf", leaf->subleaf);
		for (unsigned int r = 0; r < ARRAY_SIZE(regs); r++)
			if (leaf->reg[r])
				json_string(j, regs[r], leaf->reg[r]);
		json_object_end(j);
	}
	json_array_end(j);
}

static void info_b(struct json *j, struct domain_config *dc)
{
	char kind[16];

	json_object(j, "b_info");
	json_int(j, "max_vcpus", dc->maxvcpus);
	json_array(j, "avail_vcpus");
	for (long long i = 0; i < dc->vcpus; i++)
		json_int(j, NULL, i);
	json_array_end(j);
	json_uint(j, "max_memkb", dc->maxmem_kb);
	json_uint(j, "target_memkb", dc->memory_kb - dc->videoram_kb);
	json_uint(j, "video_memkb", dc->videoram_kb);
	if (dc->has_shadow)
		json_uint(j, "shadow_memkb", dc->shadow_kb);
	json_object(j, "sched_params");
	if (dc->cpu_weight >= 0)
		json_int(j, "weight", dc->cpu_weight);
	if (dc->cap >= 0)
		json_int(j, "cap", dc->cap);
	json_object_end(j);
	if (dc->kernel)
		json_string(j, "kernel", dc->kernel);
	if (dc->kernel && *domconf_cmdline(dc))
		json_string(j, "cmdline", domconf_cmdline(dc));
	if (dc->ramdisk)
		json_string(j, "ramdisk", dc->ramdisk);
	cpuid(j, &dc->cpuid);
	snprintf(kind, sizeof(kind), "type.%s", dom_type_names[dc->type]);
	json_object(j, kind);
	if (dc->type == TYPE_HVM)
		hvm(j, dc);
	json_object_end(j);
	json_object_end(j);
}

void domjson_disk(struct json *j, const struct disk_spec *d)
{
	static const char *const backends[] = {"unknown", "phy", "qdisk",
					       "standalone"};

	json_object(j, NULL);
	if (*d->target)
		json_string(j, "pdev_path", d->target);
	if (d->backend_domain)
		json_string(j, "backend_domname", d->backend_domain);
	json_string(j, "vdev", d->vdev);
	if (d->backend != DISK_AUTO)
		json_string(j, "backend", backends[d->backend]);
	json_string(j, "format", disk_format_names[d->format]);
	if (d->script)
		json_string(j, "script", d->script);
	json_int(j, "removable", d->cdrom);
	json_int(j, "readwrite", d->writable);
	json_int(j, "is_cdrom", d->cdrom);
	if (!d->discard && d->writable)
		json_string(j, "discard_enable", "False");
	json_object_end(j);
}

static void disks(struct json *j, const struct domain_config *dc)
{
	if (!dc->nr_disks)
		return;
	json_array(j, "disks");
	for (unsigned int i = 0; i < dc->nr_disks; i++)
		domjson_disk(j, &dc->disks[i]);
	json_array_end(j);
}

void domjson_nic(struct json *j, const struct vif_spec *v)
{
	char mac[20];

	json_object(j, NULL);
	if (v->backend_domain)
		json_string(j, "backend_domname", v->backend_domain);
	json_int(j, "devid", v->devid);
	if (v->has_mac) {
		snprintf(mac, sizeof(mac), MAC_FMT, MAC_ARG(v->mac));
		json_string(j, "mac", mac);
	}
	if (v->model)
		json_string(j, "model", v->model);
	if (v->ip)
		json_string(j, "ip", v->ip);
	if (v->bridge)
		json_string(j, "bridge", v->bridge);
	if (v->ifname)
		json_string(j, "ifname", v->ifname);
	if (v->script)
		json_string(j, "script", v->script);
	json_string(j, "nictype", v->emulated ? "vif_ioemu" : "vif");
	json_object_end(j);
}

static void nics(struct json *j, const struct domain_config *dc)
{
	if (!dc->nr_vifs)
		return;
	json_array(j, "nics");
	for (unsigned int i = 0; i < dc->nr_vifs; i++)
		domjson_nic(j, &dc->vifs[i]);
	json_array_end(j);
}

static void action(struct json *j, const char *event, int what)
{
	char name[32];

	/* libxl writes underscores where the configuration has hyphens. */
	snprintf(name, sizeof(name), "%s", dom_action_names[what]);
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	json_string(j, event, name);
}

void domjson_config(struct json *j, struct domain_config *dc)
{
	info_c(j, dc);
	info_b(j, dc);
	disks(j, dc);
	nics(j, dc);
	action(j, "on_poweroff", dc->on_poweroff);
	action(j, "on_reboot", dc->on_reboot);
	action(j, "on_watchdog", dc->on_watchdog);
	action(j, "on_crash", dc->on_crash);
	action(j, "on_soft_reset", dc->on_soft_reset);
}

/* Without a kept configuration: what the hypervisor and the store know. */
static void known(struct json *j, const struct dom_info *d)
{
	char *name = host_name(d->domid);
	char *type = host_read("/libxl/%u/type", d->domid);
	char uuid[40];

	snprintf(uuid, sizeof(uuid), UUID_FMT, UUID_ARG(d->handle));
	json_object(j, "config");
	json_object(j, "c_info");
	json_string(j, "type",
		    type                              ? type
		    : d->flags & XEN_DOMINF_hvm_guest ? "hvm"
						      : "pv");
	json_string(j, "name", name);
	json_string(j, "uuid", uuid);
	json_object_end(j);
	json_object(j, "b_info");
	json_uint(j, "max_vcpus", d->max_vcpu_id + 1u);
	json_uint(j, "max_memkb", d->max_kb);
	json_uint(j, "target_memkb", d->memory_kb);
	json_object_end(j);
	json_object_end(j);
	free(name);
	free(type);
}

/* Text that is JSON already, moved to this depth. */
static void embed(struct json *j, const char *key, const char *text)
{
	json_object(j, key);
	/* Between the outer braces. */
	text = strchr(text, '{');
	for (const char *p = text ? text + 1 : "", *end = strrchr(p, '}');
	     end && p < end; p++) {
		fputc(*p, j->out);
		if (*p == '\n' && p + 1 < end)
			for (unsigned int i = 1; i < j->depth; i++)
				fputs("    ", j->out);
	}
	for (unsigned int i = 1; i < j->depth; i++)
		fputs("    ", j->out);
	json_object_end(j);
}

void domjson_print(struct json *j, const struct dom_info *d)
{
	char *kept = saved_load(d->domid, d->handle, SAVED_JSON);

	json_object(j, NULL);
	json_uint(j, "domid", d->domid);
	if (kept)
		embed(j, "config", kept);
	else
		known(j, d);
	json_object_end(j);
	free(kept);
}
