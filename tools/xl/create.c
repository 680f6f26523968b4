/* SPDX-License-Identifier: MIT */
/*
 * Making a domain. The steps of the table below are taken from the top; when
 * one fails, it has cleaned up after itself, and those before it are undone
 * from there back up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../libxc/builder.h"
#include "affinity.h"
#include "create.h"
#include "createlock.h"
#include "destroy.h"
#include "device.h"
#include "disk.h"
#include "dm.h"
#include "domjson.h"
#include "domstore.h"
#include "host.h"
#include "hostconf.h"
#include "hostmem.h"
#include "savedconf.h"
#include "vif.h"
#include "xl.h"

struct creation {
	struct loaded *l;
	struct domain_config *dc; /* &l->dc */
	struct build_config build;
	struct build_result built;
	struct build_error error;
	struct kernel *kernel; /* from the check to the filling */
	uint8_t *vcpus_online;
	uint32_t domid;
};

/* ---- before anything is made ---- */

static bool name_is_free(struct creation *c)
{
	uint32_t other;

	if (strspn(c->dc->name, "0123456789") == strlen(c->dc->name)) {
		xl_fail("a domain's name cannot be a number: '%s'",
			c->dc->name);
		return false;
	}
	if (!host_lookup(c->dc->name, &other))
		return true;
	xl_fail("Domain with name \"%s\" already exists (domain %u)",
		c->dc->name, other);
	return false;
}

static bool check_devices(struct creation *c)
{
	struct domain_config *dc = c->dc;

	for (unsigned int i = 0; i < dc->nr_disks; i++)
		if (!disk_prepare(&dc->disks[i], (enum dom_type)dc->type))
			return false;
	for (unsigned int i = 0; i < dc->nr_vifs; i++)
		if (!vif_prepare(&dc->vifs[i], (enum dom_type)dc->type))
			return false;
	return true;
}

static bool do_check(struct creation *c)
{
	if (!name_is_free(c) || !check_devices(c))
		return false;
	if (build_check(&c->build, &c->kernel, &c->error)) {
		xl_fail("%s", c->error.text);
		return false;
	}
	return hostmem_need(c->dc->name, build_host_kb(&c->build));
}

/* ---- the domain, its tree and its memory ---- */

/* domid_policy="random": any number that no domain has. */
static uint32_t random_domid(void)
{
	struct dom_info d;
	uint32_t domid;

	do {
		uint8_t r[16];

		uuid_generate(r);
		domid = (uint32_t)(r[0] << 8 | r[1]);
	} while (!domid || domid >= DOMID_FIRST_RESERVED ||
		 host_domain(domid, &d));
	return domid;
}

static bool do_domain(struct creation *c)
{
	if (host_conf()->domid_policy == DOMID_AT_RANDOM)
		c->build.domid = random_domid();
	if (!build_create(host_xc(), &c->build, &c->domid, &c->error))
		return true;
	xl_fail("%s", c->error.text);
	return false;
}

static void undo_domain(struct creation *c)
{
	xc_domain_destroy(host_xc(), c->domid);
}

static bool do_tree(struct creation *c)
{
	/* What an earlier domain of this number may have left. */
	domstore_remove(c->domid);
	if (domstore_make(c->domid, c->dc))
		return true;
	xl_fail("cannot write the domain's nodes to the store: %s",
		strerror(errno));
	domstore_remove(c->domid);
	return false;
}

static void undo_tree(struct creation *c)
{
	domstore_remove(c->domid);
}

static bool do_fill(struct creation *c)
{
	if (!build_fill(host_xc(), &c->build, c->kernel, c->domid, &c->built,
			&c->error))
		return true;
	xl_fail("%s", c->error.text);
	return false;
}

static bool do_scheduling(struct creation *c)
{
	return affinity_apply(c->domid, c->dc);
}

static void undo_devices(struct creation *c)
{
	destroy_devices(c->domid);
}

/* The rings in the store, the console's as a device; then the store itself. */
static bool do_introduce(struct creation *c)
{
	if (!domstore_rings(c->domid, &c->built))
		xl_fail("cannot write the domain's rings to the store: %s",
			strerror(errno));
	else if (!xs_introduce_domain(host_xs(), c->domid, c->built.store_gfn,
				      c->built.store_port))
		xl_fail("the store does not accept the domain: %s",
			strerror(errno));
	else
		return true;
	undo_devices(c);
	return false;
}

/* ---- its devices ---- */

static bool do_disks(struct creation *c)
{
	for (unsigned int i = 0; i < c->dc->nr_disks; i++)
		if (!disk_attach(c->domid, &c->dc->disks[i],
				 (enum dom_type)c->dc->type)) {
			undo_devices(c);
			return false;
		}
	return true;
}

static bool do_device_model(struct creation *c)
{
	return dm_start(c->domid, c->dc);
}

static void undo_device_model(struct creation *c)
{
	dm_stop(c->domid);
}

static bool do_vifs(struct creation *c)
{
	for (unsigned int i = 0; i < c->dc->nr_vifs; i++) {
		const struct vif_spec *v = &c->dc->vifs[i];

		if (!vif_attach(c->domid, v, (enum dom_type)c->dc->type))
			return false;
		if (v->emulated && !vif_attach_tap(c->domid, v))
			return false;
	}
	return true;
}

bool create_keep(struct loaded *l, uint32_t domid, const uint8_t uuid[16])
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct json j;
	bool ok;

	if (!out)
		return false;
	json_start(&j, out);
	json_object(&j, NULL);
	domjson_config(&j, &l->dc);
	json_object_end(&j);
	json_end(&j);
	ok = !fclose(out) && saved_store(domid, uuid, SAVED_JSON, text, len) &&
	     saved_store(domid, uuid, SAVED_TEXT, l->text, l->len);
	if (!ok)
		xl_fail("cannot keep the configuration in /var/lib/xen: %s",
			strerror(errno));
	free(text);
	return ok;
}

static bool do_keep(struct creation *c)
{
	return create_keep(c->l, c->domid, c->dc->uuid);
}

static void undo_keep(struct creation *c)
{
	saved_remove(c->domid, c->dc->uuid);
}

static const struct {
	const char *what;
	bool (*act)(struct creation *c);
	void (*undo)(struct creation *c);
} steps[] = {
	{"checking what it needs", do_check, NULL},
	{"making the domain", do_domain, undo_domain},
	{"writing its tree", do_tree, undo_tree},
	{"loading it", do_fill, NULL},
	{"setting its scheduling", do_scheduling, NULL},
	/*
	 * The store lets go of a domain when that dies, and tells it then; told
	 * before, it would have nothing to tell, and xenconsoled kept its
	 * pages. The console is a device.
	 */
	{"introducing it to the store", do_introduce, undo_devices},
	{"attaching its disks", do_disks, undo_devices},
	{"starting its device model", do_device_model, undo_device_model},
	{"attaching its network interfaces", do_vifs, NULL},
	{"keeping its configuration", do_keep, undo_keep},
};

/* ---- the builder's view of the configuration ---- */

static void describe_guest(struct creation *c)
{
	struct build_config *b = &c->build;
	struct domain_config *dc = c->dc;

	b->kind = dc->type == TYPE_PV    ? BUILD_PV
		  : dc->type == TYPE_PVH ? BUILD_PVH
					 : BUILD_HVM;
	b->name = dc->name;
	memcpy(b->handle, dc->uuid, sizeof(b->handle));
	b->max_vcpus = (unsigned int)dc->maxvcpus;
	b->vcpu_avail = c->vcpus_online;
	b->max_kb = dc->maxmem_kb;
	b->memory_kb = dc->memory_kb;
	b->video_kb = dc->videoram_kb;
	b->paging_kb = dc->has_shadow ? dc->shadow_kb : 0;
	/* The device model loads a kernel for an HVM guest. */
	if (dc->type != TYPE_HVM) {
		b->kernel = dc->kernel;
		b->cmdline = domconf_cmdline(dc);
		if (dc->ramdisk)
			b->modules[b->nr_modules++].path = dc->ramdisk;
	}
	b->device_model = dc->type == TYPE_HVM;
}

/* What the guest's configuration says, else the host's, else zero. */
static uint32_t either(long long guest, long long host)
{
	return guest >= 0 ? (uint32_t)guest : host >= 0 ? (uint32_t)host : 0;
}

static void describe_limits(struct build_config *b,
			    const struct domain_config *dc)
{
	const struct host_conf *hc = host_conf();

	b->max_grant_frames =
		either(dc->max_grant_frames, hc->max_grant_frames);
	b->max_maptrack_frames =
		either(dc->max_maptrack_frames, hc->max_maptrack_frames);
	b->max_grant_version =
		either(dc->max_grant_version, hc->max_grant_version);
	b->max_evtchn_port = either(dc->max_event_channels, -1);
	b->no_claim = hc->claim_mode == TRI_NO;
	b->tsc_mode = (uint32_t)dc->tsc_mode;
	b->time_offset = (int32_t)dc->rtc_offset;
	b->timer_mode = (uint32_t)dc->timer_mode;
	b->mmio_hole_kb = (uint64_t)dc->mmio_hole_mb << 10;
	b->viridian = dc->viridian;
	b->no_hap = dc->hap == TRI_NO;
	b->nested_hvm = dc->nestedhvm == TRI_YES;
	b->no_acpi = dc->acpi == TRI_NO;
	b->no_apic = dc->apic == TRI_NO;
	b->no_hpet = dc->hpet == TRI_NO;
	b->no_pae = dc->pae == TRI_NO;
	b->vpt_align_off = dc->vpt_align == TRI_NO;
	b->disable_migrate = dc->nomigrate == TRI_YES;
	b->msr_relaxed = dc->msr_relaxed == TRI_YES;
	b->firmware = dc->firmware_override;
	b->bios = dc->bios_path;
	if (!b->bios && dc->ovmf)
		b->bios = BUILD_OVMF;
	b->smbios_file = dc->smbios_firmware;
	b->acpi_file = dc->acpi_firmware;
}

/* The library's form: the same list, ended by a leaf that there is not. */
static const struct xc_xend_cpuid *describe_cpuid(struct domain_config *dc)
{
	const struct cpuid_list *l = &dc->cpuid;
	struct xc_xend_cpuid *x;

	if (!l->nr)
		return NULL;
	x = arena_alloc(&dc->arena, (l->nr + 1) * sizeof(*x));
	for (unsigned int i = 0; i < l->nr; i++) {
		x[i].leaf = l->leaf[i].leaf;
		x[i].subleaf = l->leaf[i].subleaf;
		memcpy(x[i].policy, l->leaf[i].reg, sizeof(x[i].policy));
	}
	x[l->nr].leaf = UINT32_MAX;
	return x;
}

#define ARCH_CAPABILITIES 0x10a

static const struct xc_msr *describe_msrs(struct domain_config *dc)
{
	struct xc_msr *m;

	if (!dc->cpuid.arch_caps)
		return NULL;
	m = arena_alloc(&dc->arena, 2 * sizeof(*m));
	m[0].index = ARCH_CAPABILITIES;
	memcpy(m[0].policy, dc->cpuid.arch_caps, sizeof(m[0].policy));
	m[1].index = XC_MSR_INPUT_UNUSED;
	return m;
}

static bool describe(struct creation *c)
{
	size_t bytes = (size_t)(c->dc->maxvcpus + 7) / 8;

	c->vcpus_online = arena_alloc(&c->dc->arena, bytes);
	for (long long i = 0; i < c->dc->vcpus; i++)
		c->vcpus_online[i / 8] |= (uint8_t)(1u << (i % 8));
	if (c->dc->pool && !host_pool_find(c->dc->pool, &c->build.cpupool)) {
		xl_fail("unknown cpupool '%s'", c->dc->pool);
		return false;
	}
	describe_guest(c);
	describe_limits(&c->build, c->dc);
	c->build.cpuid = describe_cpuid(c->dc);
	c->build.msrs = describe_msrs(c->dc);
	if (c->dc->localtime == TRI_YES)
		c->build.time_offset += (int32_t)affinity_utc_offset();
	return true;
}

/* So that a test can see each undo: the step that XL_FAIL_STEP names fails. */
static bool made_to_fail(const char *what)
{
	const char *wanted = getenv("XL_FAIL_STEP");

	if (!wanted || strcmp(wanted, what))
		return false;
	xl_fail("XL_FAIL_STEP wants '%s' to fail", what);
	return true;
}

static bool take_steps(struct creation *c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		xl_note("%s: %s", c->dc->name, steps[i].what);
		if (made_to_fail(steps[i].what) || !steps[i].act(c))
			break;
	}
	if (i == ARRAY_SIZE(steps))
		return true;
	xl_fail("%s was not created: %s failed", c->dc->name, steps[i].what);
	while (i--)
		if (steps[i].undo)
			steps[i].undo(c);
	return false;
}

bool create_domain(struct loaded *l, uint32_t *domid)
{
	struct creation c = {.l = l, .dc = &l->dc};
	bool ok;
	int lock;

	load_fill_in(l);
	/* No hypervisor, no store: say so before anything else. */
	host_xc();
	host_xs();
	if (!describe(&c))
		return false;
	lock = create_lock();
	ok = take_steps(&c);
	build_forget(c.kernel);
	create_unlock(lock);
	if (ok)
		*domid = c.domid;
	return ok;
}
