/* SPDX-License-Identifier: MIT */
/* The domain builder's steps: builder.h says what each is for. */
#include <inttypes.h>
#include <xenctrl.h>
#include <xen/hvm/hvm_info_table.h>
#include <xen/io/protocols.h>

#include "build.h"

#define HVMLOADER "/usr/lib/xen-4.17/boot/hvmloader"

/* Xen lets a domain have this much more than it is meant to: its own pages. */
#define SLACK_KB 1024

static bool is_pv(const struct build_config *cfg)
{
	return cfg->kind == BUILD_PV;
}

/* hvmloader is to an HVM guest what the kernel is to the others. */
static struct build_config with_loader(const struct build_config *cfg)
{
	struct build_config c = *cfg;

	if (c.kind == BUILD_HVM) {
		c.kernel = c.firmware ? c.firmware : HVMLOADER;
		c.nr_modules = 0;
	}
	return c;
}

static int check_numbers(const struct build_config *cfg,
			 struct build_error *err)
{
	unsigned int most = is_pv(cfg) ? 8192 : HVM_MAX_VCPUS;

	errno = EINVAL;
	if (cfg->max_vcpus < 1 || cfg->max_vcpus > most)
		return build_fail(err, "%u vCPUs: 1 to %u can be given",
				  cfg->max_vcpus, most);
	if (cfg->memory_kb > cfg->max_kb)
		return build_fail(err,
				  "memory of %" PRIu64
				  " KiB is more than maxmem of %" PRIu64 " KiB",
				  cfg->memory_kb, cfg->max_kb);
	if (cfg->memory_kb <= cfg->video_kb)
		return build_fail(err,
				  "memory of %" PRIu64
				  " KiB leaves nothing beside the video memory",
				  cfg->memory_kb);
	if (cfg->nr_modules > BUILD_MODULES)
		return build_fail(err, "%u modules: %u can be given",
				  cfg->nr_modules, BUILD_MODULES);
	errno = 0;
	return 0;
}

int build_check(const struct build_config *cfg, struct kernel **keep,
		struct build_error *err)
{
	struct build_config c = with_loader(cfg);
	struct kernel k;

	if (check_numbers(cfg, err))
		return -1;
	for (unsigned int i = 0; i < c.nr_modules; i++) {
		struct blob m = {0};

		if (blob_open(&m, c.modules[i].path, i ? "module" : "initrd",
			      err))
			return -1;
		blob_close(&m);
	}
	if (kernel_open(&k, &c, err))
		return -1;
	if (keep) {
		*keep = malloc(sizeof(k));
		if (*keep) {
			**keep = k;
			return 0;
		}
	}
	kernel_close(&k);
	return 0;
}

void build_forget(struct kernel *kept)
{
	if (kept)
		kernel_close(kept);
	free(kept);
}

/* ---- create ---- */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
	return value ? value : otherwise;
}

static uint32_t create_flags(const struct build_config *cfg)
{
	uint32_t flags = cfg->passthrough ? XEN_DOMCTL_CDF_iommu : 0;

	if (cfg->vpmu)
		flags |= XEN_DOMCTL_CDF_vpmu;
	if (is_pv(cfg))
		return flags;
	flags |= XEN_DOMCTL_CDF_hvm;
	if (!cfg->no_hap)
		flags |= XEN_DOMCTL_CDF_hap;
	if (cfg->oos_off)
		flags |= XEN_DOMCTL_CDF_oos_off;
	if (cfg->nested_hvm)
		flags |= XEN_DOMCTL_CDF_nested_virt;
	return flags;
}

static uint32_t emulation(enum build_kind kind)
{
	switch (kind) {
	case BUILD_HVM:
		return XEN_X86_EMU_ALL & ~XEN_X86_EMU_VPCI;
	case BUILD_PVH:
		return XEN_X86_EMU_LAPIC;
	case BUILD_PV:
		break;
	}
	return 0;
}

/* The newest grant table that this hypervisor has, unless one is asked for. */
static uint32_t grant_version(xc_interface *xch, const struct build_config *cfg)
{
	xc_physinfo_t p;

	if (cfg->max_grant_version)
		return cfg->max_grant_version;
	memset(&p, 0, sizeof(p));
	if (xc_physinfo(xch, &p))
		return 2; /* creating it will tell */
	return p.capabilities & XEN_SYSCTL_PHYSCAP_gnttab_v2 ? 2 : 1;
}

static int create_fail(const struct build_config *cfg, struct build_error *err)
{
	switch (errno) {
	case EACCES:
		return build_fail(err, "the hypervisor is of another version "
				       "than these tools");
	case ENOSYS:
	case EOPNOTSUPP:
		if (!is_pv(cfg))
			return build_fail(err, "this host cannot run HVM and "
					       "PVH guests: it has no SVM or "
					       "VMX");
		break;
	case ENOMEM:
		return build_fail(err, "the hypervisor has no memory for "
				       "another domain");
	}
	return build_fail_errno(err, "the hypervisor refuses the domain");
}

int build_create(xc_interface *xch, const struct build_config *cfg,
		 uint32_t *domid, struct build_error *err)
{
	struct xen_domctl_createdomain c = {
		.ssidref = cfg->ssidref,
		.flags = create_flags(cfg),
		.max_vcpus = cfg->max_vcpus,
		.max_evtchn_port = or_default(cfg->max_evtchn_port, 1023),
		.max_grant_frames =
			(int32_t)or_default(cfg->max_grant_frames, 64),
		.max_maptrack_frames =
			(int32_t)or_default(cfg->max_maptrack_frames, 1024),
		.grant_opts = XEN_DOMCTL_GRANT_version(grant_version(xch, cfg)),
		.cpupool_id = cfg->cpupool,
		.arch.emulation_flags = emulation(cfg->kind),
		.arch.misc_flags = cfg->msr_relaxed ? XEN_X86_MSR_RELAXED : 0,
	};
	int saved;

	if (check_numbers(cfg, err))
		return -1;
	memcpy(c.handle, cfg->handle, sizeof(c.handle));
	*domid = cfg->domid;
	if (xc_domain_create(xch, domid, &c))
		return create_fail(cfg, err);
	if (xc_domain_max_vcpus(xch, *domid, cfg->max_vcpus) == 0)
		return 0;
	build_fail_errno(err, "%u vCPUs", cfg->max_vcpus);
	saved = errno;
	xc_domain_destroy(xch, *domid);
	errno = saved;
	return -1;
}

/* ---- fill ---- */

/*
 * A MiB for each vCPU, a page for each MiB of memory for the p2m, and without
 * hardware's help as many again for shadow tables.
 */
static uint64_t paging_kb(const struct build_config *cfg)
{
	uint64_t mib = cfg->max_kb / 1024;

	if (is_pv(cfg))
		return 0;
	if (cfg->paging_kb)
		return cfg->paging_kb;
	return 4 *
	       (256 * (uint64_t)cfg->max_vcpus + (cfg->no_hap ? 2 : 1) * mib);
}

uint64_t build_host_kb(const struct build_config *cfg)
{
	/* Xen's structures for the domain and each vCPU: some pages. */
	return cfg->memory_kb + SLACK_KB + paging_kb(cfg) +
	       64 * (uint64_t)cfg->max_vcpus;
}

static int limits(struct build *b)
{
	const struct build_config *cfg = b->cfg;
	xc_interface *xch = b->xch;

	if (xc_domain_setmaxmem(xch, b->domid, cfg->memory_kb + SLACK_KB))
		return build_fail_errno(b->err, "memory limit");
	if (!is_pv(cfg) &&
	    xc_set_paging_mempool_size(xch, b->domid,
				       round_up(paging_kb(cfg), 4) * 1024)) {
		if (errno == ENOMEM)
			return populate_fail(b);
		return build_fail_errno(b->err,
					"paging memory of %" PRIu64 " KiB",
					paging_kb(cfg));
	}
	if (xc_domain_set_tsc_info(xch, b->domid, cfg->tsc_mode, 0, 0, 0))
		return build_fail_errno(b->err, "tsc_mode %u", cfg->tsc_mode);
	if (cfg->time_offset &&
	    xc_domain_set_time_offset(xch, b->domid, cfg->time_offset))
		return build_fail_errno(b->err, "time offset");
	return 0;
}

static int hvm_params(struct build *b)
{
	const struct build_config *cfg = b->cfg;
	const struct {
		uint32_t param;
		bool set;
		uint64_t value;
	} params[] = {
		{HVM_PARAM_HPET_ENABLED, cfg->kind == BUILD_HVM, !cfg->no_hpet},
		{HVM_PARAM_VPT_ALIGN, cfg->kind == BUILD_HVM,
		 !cfg->vpt_align_off},
		{HVM_PARAM_TIMER_MODE, true, cfg->timer_mode},
		{HVM_PARAM_ALTP2M, cfg->altp2m != 0, cfg->altp2m},
		{HVM_PARAM_VIRIDIAN, cfg->viridian != 0, cfg->viridian},
	};

	if (is_pv(cfg))
		return 0;
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (params[i].set &&
		    xc_hvm_param_set(b->xch, b->domid, params[i].param,
				     params[i].value))
			return build_fail_errno(b->err, "HVM parameter %u",
						params[i].param);
	return 0;
}

static int cpu_policy(struct build *b)
{
	const struct build_config *cfg = b->cfg;
	/* An emulated or immovable guest's TSC never changes its rate. */
	bool itsc = cfg->disable_migrate || cfg->tsc_mode == 1;
	int rc = xc_cpuid_apply_policy(b->xch, b->domid, false, NULL, 0,
				       !cfg->no_pae, itsc, cfg->nested_hvm,
				       cfg->cpuid, cfg->msrs);

	if (rc == 0)
		return 0;
	errno = -rc;
	return build_fail_errno(b->err, "CPUID policy");
}

static int ports(struct build *b)
{
	int store =
		xc_evtchn_alloc_unbound(b->xch, b->domid, b->cfg->store_domid);
	int console = xc_evtchn_alloc_unbound(b->xch, b->domid,
					      b->cfg->console_domid);

	if (store < 0 || console < 0)
		return build_fail_errno(b->err, "event channels");
	b->out->store_port = (uint32_t)store;
	b->out->console_port = (uint32_t)console;
	return 0;
}

/* The kernel that build_check() kept, if it is still there. */
static int take_kernel(struct build *b, struct kernel *kept)
{
	if (!kept || !kept->file.data)
		return kernel_open(&b->kernel, b->cfg, b->err);
	b->kernel = *kept;
	memset(kept, 0, sizeof(*kept));
	return 0;
}

static int open_files(struct build *b, struct kernel *kept)
{
	const struct build_config *cfg = b->cfg;

	if (take_kernel(b, kept))
		return -1;
	for (unsigned int i = 0; i < cfg->nr_modules; i++)
		if (blob_open(&b->modules[i], cfg->modules[i].path,
			      i ? "module" : "initrd", b->err))
			return -1;
	return 0;
}

static int fill(struct build *b)
{
	int rc = -1;

	if (limits(b) || hvm_params(b) || cpu_policy(b) || ports(b))
		return -1;
	switch (b->cfg->kind) {
	case BUILD_PV:
		rc = build_fill_pv(b);
		break;
	case BUILD_PVH:
		rc = build_fill_pvh(b);
		break;
	case BUILD_HVM:
		rc = build_fill_hvm(b);
		break;
	}
	if (rc)
		return -1;
	return grant_seed(b, b->out->console_gfn, b->out->store_gfn);
}

int build_fill(xc_interface *xch, const struct build_config *cfg,
	       struct kernel *kept, uint32_t domid, struct build_result *out,
	       struct build_error *err)
{
	struct build_config c = with_loader(cfg);
	struct build b = {
		.xch = xch,
		.cfg = &c,
		.err = err,
		.out = out,
		.domid = domid,
	};
	int rc = -1, saved;

	memset(out, 0, sizeof(*out));
	if (check_numbers(&c, err) == 0 && open_files(&b, kept) == 0)
		rc = fill(&b);
	saved = errno;
	if (rc == 0) {
		out->cache_hit = b.kernel.cache_hit;
		out->is32 = c.kind == BUILD_PV && !b.kernel.elf.is64;
		strcpy(out->protocol, XEN_IO_PROTO_ABI_X86_64);
		memcpy(out->guest_os, b.kernel.elf.notes.guest_os,
		       sizeof(out->guest_os));
	}
	free(b.p2m);
	kernel_close(&b.kernel);
	for (unsigned int i = 0; i < c.nr_modules; i++)
		blob_close(&b.modules[i]);
	errno = saved;
	return rc;
}
