/* SPDX-License-Identifier: MIT */
/*
 * The domain builder: from a description to a domain that waits, paused, to be
 * run. Called by xl, in this order:
 *
 *	build_check()	is the kernel there, and of the kind wanted? (no
 *hypervisor) build_create()	a domain without memory; *domid is set
 *	build_fill()	memory, kernel, modules, tables, vCPU 0, event channels
 *	... xenstore nodes, XS_INTRODUCE(domid, r.store_gfn, r.store_port),
 *devices ... xc_domain_unpause()
 *
 * On failure each returns -1 with errno set and err->text saying what failed,
 * where, and what to do. A domain that build_create() made is the caller's to
 * destroy (xc_domain_destroy()) also when build_fill() failed.
 */
#ifndef OSTLER_LIBXC_BUILDER_H
#define OSTLER_LIBXC_BUILDER_H

#include <stdbool.h>
#include <stdint.h>
#include <xenctrl.h>

enum build_kind { BUILD_PV, BUILD_PVH, BUILD_HVM };

/* Why a step failed: one line for the user, with the file's name if any. */
struct build_error {
	char text[320];
};

#define BUILD_MODULES 8

/* Where the distribution's UEFI firmware for HVM guests is. */
#define BUILD_OVMF "/usr/share/ovmf/OVMF.fd"

struct build_module {
	const char *path;    /* loaded as it is: kernels unpack their initrds */
	const char *cmdline; /* or NULL */
};

struct build_config {
	enum build_kind kind;
	const char *name; /* for messages only */
	uint8_t handle[16];
	uint32_t ssidref;
	uint32_t cpupool; /* 0: the first */
	uint32_t domid;   /* 0: the first that is free */

	unsigned int max_vcpus; /* at least 1 */
	const uint8_t *
		vcpu_avail; /* bitmap of the vCPUs online at start; NULL: all */

	uint64_t max_kb;    /* maxmem=, the most that it can balloon up to */
	uint64_t memory_kb; /* memory=, what it starts with */
	uint64_t video_kb;  /* HVM: part of memory_kb, for the display */
	uint64_t paging_kb; /* shadow or HAP pool; 0: as much as it takes */

	const char *kernel;  /* PV and PVH; HVM boots its firmware */
	const char *cmdline; /* or NULL */
	unsigned int nr_modules;
	struct build_module
		modules[BUILD_MODULES]; /* the first is the initrd */
	const char
		*firmware; /* HVM: hvmloader's path; NULL: the packaged one */
	const char *bios;  /* HVM: for hvmloader; NULL: the packaged SeaBIOS */
	const char
		*cache_dir; /* unpacked kernels; NULL: the default, "": none */

	uint32_t store_domid, console_domid; /* whose backends: 0 */

	/* Zero means Xen's default for each of these. */
	uint32_t max_grant_frames;    /* 0: 64 */
	uint32_t max_maptrack_frames; /* 0: 1024 */
	uint32_t max_grant_version;   /* 0: 2 */
	uint32_t max_evtchn_port;     /* 0: 1023 */
	uint32_t tsc_mode;            /* XEN_CPUID_TSC_MODE_*: 0 default .. 3 */
	int32_t time_offset;   /* rtc_timeoffset=, seconds, localtime's added */
	uint32_t timer_mode;   /* HVM: HVM_PARAM_TIMER_MODE */
	uint64_t mmio_hole_kb; /* HVM: 0: 256 MiB */
	uint64_t viridian;     /* HVM: HVM_PARAM_VIRIDIAN's mask */
	uint32_t altp2m;       /* HVM: XEN_ALTP2M_* */
	bool no_hap;           /* hap=0: shadow paging */
	bool passthrough;      /* PCI devices will be assigned */
	bool nested_hvm, vpmu;
	bool no_acpi, no_apic, no_hpet, no_pae, vpt_align_off;
	bool oos_off;
	bool disable_migrate; /* nomigrate=1 */
	bool msr_relaxed;
	bool no_claim; /* fill page by page, and see how far that goes */

	/* cpuid= as xc_cpuid_apply_policy() takes it, or NULL. */
	const struct xc_xend_cpuid *cpuid;
	const struct xc_msr *msrs;

	/* HVM: a device model will attach (device_model_version qemu-xen). */
	bool device_model;
	/* HVM: extra firmware tables, or NULL. */
	const char *smbios_file, *acpi_file;
};

struct build_result {
	uint64_t
		store_gfn; /* a machine frame for PV, a guest frame otherwise */
	uint32_t store_port;
	uint64_t console_gfn;
	uint32_t console_port;
	bool is32;         /* a 32-bit PV kernel */
	char protocol[16]; /* "x86_64-abi" or "x86_32-abi": blkif's */
	char guest_os[32]; /* from the kernel's notes, may be empty */
	/*
	 * HVM: where extra firmware tables were put, for hvmloader's xenstore
	 * nodes hvmloader/{smbios,acpi}/{address,length}; length 0: none.
	 */
	uint64_t smbios_addr, smbios_length, acpi_addr, acpi_length;
	bool cache_hit; /* the kernel had been unpacked before */
};

/*
 * With keep, the kernel that was checked (and perhaps unpacked, which is slow)
 * is left there for build_fill(), so that nothing is unpacked twice;
 * build_forget() frees it, used or not.
 */
struct kernel;
int build_check(const struct build_config *cfg, struct kernel **keep,
		struct build_error *err);
void build_forget(struct kernel *kept);

int build_create(xc_interface *xch, const struct build_config *cfg,
		 uint32_t *domid, struct build_error *err);

/* kept: from build_check() of the same cfg, and emptied; or NULL. */
int build_fill(xc_interface *xch, const struct build_config *cfg,
	       struct kernel *kept, uint32_t domid, struct build_result *out,
	       struct build_error *err);

/*
 * What the host must have free for this domain: its memory, plus what Xen
 * itself takes for the paging pool and vCPUs.
 */
uint64_t build_host_kb(const struct build_config *cfg);

#endif
