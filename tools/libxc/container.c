/* SPDX-License-Identifier: MIT */
/*
 * What PVH and HVM guests share: memory around the hole below 4 GiB, special
 * pages, start info, and the first vCPU's registers.
 */
#include <inttypes.h>
#include <xenctrl.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/save.h>

#include "build.h"

/* ---- memory ---- */

int container_memory(struct build *b, uint64_t mmio_start, bool vga_hole)
{
	const struct build_config *cfg = b->cfg;
	uint64_t total = (cfg->max_kb - cfg->video_kb) / 4;
	uint64_t target = (cfg->memory_kb - cfg->video_kb) / 4;
	uint64_t hole = vga_hole ? 0x20 : 0;
	unsigned int flags = 0;

	b->low_end = total * PAGE_SIZE;
	b->high_end = 0;
	if (b->low_end > mmio_start) {
		b->high_end = 4 * GIB + (b->low_end - mmio_start);
		b->low_end = mmio_start;
	}
	if (b->low_end < 2 * MIB) {
		errno = EINVAL;
		return build_fail(b->err,
				  "memory of %" PRIu64
				  " KiB is too small to start in",
				  cfg->memory_kb);
	}
	if (populate_claim(b, target - hole))
		return -1;
	if (total > target) {
		/* More than it starts with: pages appear when it uses them. */
		flags = XENMEMF_populate_on_demand;
		if (xc_domain_set_pod_target(b->xch, b->domid, target - hole,
					     NULL, NULL, NULL))
			return populate_fail(b);
	}
	if (vga_hole) {
		if (populate_range(b, 0, 0xa0, flags) ||
		    populate_range(b, 0xc0, b->low_end / PAGE_SIZE, flags))
			return -1;
	} else if (populate_range(b, 0, b->low_end / PAGE_SIZE, flags)) {
		return -1;
	}
	if (b->high_end && populate_range(b, 4 * GIB / PAGE_SIZE,
					  b->high_end / PAGE_SIZE, flags))
		return -1;
	populate_unclaim(b);
	return 0;
}

void memory_map_add(struct memory_map *m, uint64_t start, uint64_t end,
		    uint32_t type)
{
	if (start < end && m->n < E820_ENTRIES)
		m->entry[m->n++] = (struct e820entry){
			.addr = start,
			.size = end - start,
			.type = type,
		};
}

/* ---- special pages ---- */

static int new_frames(struct build *b, uint64_t first, unsigned int n)
{
	xen_pfn_t list[16];
	void *p;

	for (unsigned int i = 0; i < n; i++)
		list[i] = first + i;
	if (xc_domain_populate_physmap_exact(b->xch, b->domid, n, 0, 0, list))
		return populate_fail(b);
	p = guest_map(b, first, n);
	if (!p)
		return -1;
	memset(p, 0, n * PAGE_SIZE);
	guest_unmap(p, n);
	return 0;
}

static int set_param(struct build *b, uint32_t param, uint64_t value)
{
	if (xc_hvm_param_set(b->xch, b->domid, param, value))
		return build_fail_errno(b->err, "HVM parameter %u", param);
	return 0;
}

/*
 * Intel's EPT without unrestricted guest runs a guest whose paging is off on
 * this page table: the first 4 GiB one to one, in 4 MiB pages.
 */
static int identity_table(struct build *b)
{
	uint32_t *table = guest_map(b, SPECIAL_FRAME(SPECIAL_IDENT_PT), 1);

	if (!table)
		return -1;
	/* Present, writable, user, accessed, dirty, large. */
	for (uint32_t i = 0; i < PAGE_SIZE / sizeof(*table); i++)
		table[i] = i << 22 | 0xe7;
	guest_unmap(table, 1);
	return set_param(b, HVM_PARAM_IDENT_PT,
			 SPECIAL_FRAME(SPECIAL_IDENT_PT) * PAGE_SIZE);
}

int container_special_pages(struct build *b)
{
	static const struct {
		uint32_t param;
		enum special page;
	} params[] = {
		{HVM_PARAM_STORE_PFN, SPECIAL_XENSTORE},
		{HVM_PARAM_BUFIOREQ_PFN, SPECIAL_BUFIOREQ},
		{HVM_PARAM_IOREQ_PFN, SPECIAL_IOREQ},
		{HVM_PARAM_CONSOLE_PFN, SPECIAL_CONSOLE},
		{HVM_PARAM_PAGING_RING_PFN, SPECIAL_PAGING},
		{HVM_PARAM_MONITOR_RING_PFN, SPECIAL_ACCESS},
		{HVM_PARAM_SHARING_RING_PFN, SPECIAL_SHARING},
	};

	if (new_frames(b, SPECIAL_FRAME(0), SPECIALS))
		return -1;
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		if (set_param(b, params[i].param,
			      SPECIAL_FRAME(params[i].page)))
			return -1;
	if (identity_table(b))
		return -1;
	if (b->cfg->kind == BUILD_HVM &&
	    (new_frames(b, IOREQ_SERVER_FRAME, IOREQ_SERVER_PAGES) ||
	     set_param(b, HVM_PARAM_IOREQ_SERVER_PFN, IOREQ_SERVER_FRAME) ||
	     set_param(b, HVM_PARAM_NR_IOREQ_SERVER_PAGES, IOREQ_SERVER_PAGES)))
		return -1;
	if (set_param(b, HVM_PARAM_CONSOLE_EVTCHN, b->out->console_port) ||
	    set_param(b, HVM_PARAM_STORE_EVTCHN, b->out->store_port))
		return -1;
	b->out->console_gfn = SPECIAL_FRAME(SPECIAL_CONSOLE);
	b->out->store_gfn = SPECIAL_FRAME(SPECIAL_XENSTORE);
	return 0;
}

/* ---- start info: xen/arch-x86/hvm/start_info.h ---- */

/* Appends a string; its physical address. */
static uint64_t put_text(uint8_t *area, size_t *used, uint64_t base,
			 const char *text)
{
	size_t at = *used, len = strlen(text) + 1;

	memcpy(area + at, text, len);
	*used += round_up(len, 8);
	return base + at;
}

static size_t start_info_size(const struct start_module *mod,
			      unsigned int nr_mods, const char *cmdline,
			      const struct memory_map *map)
{
	size_t size = sizeof(struct hvm_start_info) +
		      nr_mods * sizeof(struct hvm_modlist_entry) +
		      map->n * sizeof(struct hvm_memmap_table_entry);

	if (cmdline)
		size += strlen(cmdline) + 8;
	for (unsigned int i = 0; i < nr_mods; i++)
		if (mod[i].cmdline)
			size += strlen(mod[i].cmdline) + 8;
	return size;
}

static void put_modules(uint8_t *area, size_t *used, uint64_t base,
			struct hvm_start_info *info,
			const struct start_module *mod, unsigned int n)
{
	struct hvm_modlist_entry *list = (void *)(area + *used);

	if (!n)
		return;
	info->nr_modules = n;
	info->modlist_paddr = base + *used;
	*used += n * sizeof(*list);
	for (unsigned int i = 0; i < n; i++) {
		list[i].paddr = mod[i].paddr;
		list[i].size = mod[i].size;
		if (mod[i].cmdline)
			list[i].cmdline_paddr =
				put_text(area, used, base, mod[i].cmdline);
	}
}

static void put_map(uint8_t *area, size_t *used, uint64_t base,
		    struct hvm_start_info *info, const struct memory_map *map)
{
	struct hvm_memmap_table_entry *list = (void *)(area + *used);

	info->memmap_paddr = base + *used;
	info->memmap_entries = map->n;
	*used += map->n * sizeof(*list);
	for (unsigned int i = 0; i < map->n; i++) {
		list[i].addr = map->entry[i].addr;
		list[i].size = map->entry[i].size;
		list[i].type = map->entry[i].type;
	}
}

uint64_t start_info_write(struct build *b, const struct start_module *mod,
			  unsigned int nr_mods, const char *cmdline,
			  uint64_t rsdp, const struct memory_map *map)
{
	size_t size = start_info_size(mod, nr_mods, cmdline, map);
	uint64_t n = round_up(size, PAGE_SIZE) / PAGE_SIZE, frame, base;
	size_t used = sizeof(struct hvm_start_info);
	struct hvm_start_info *info;
	uint8_t *area;
	int rc;

	frame = guest_take(b, n, "start info");
	if (frame == NO_FRAME)
		return NO_FRAME;
	area = calloc(n, PAGE_SIZE);
	if (!area) {
		build_fail_errno(b->err, "start info");
		return NO_FRAME;
	}
	base = frame * PAGE_SIZE;
	info = (void *)area;
	info->magic = XEN_HVM_START_MAGIC_VALUE;
	info->version = 1;
	info->rsdp_paddr = rsdp;
	put_modules(area, &used, base, info, mod, nr_mods);
	put_map(area, &used, base, info, map);
	if (cmdline)
		info->cmdline_paddr = put_text(area, &used, base, cmdline);
	rc = guest_write(b, base, area, n * PAGE_SIZE, n * PAGE_SIZE);
	free(area);
	return rc ? NO_FRAME : base;
}

/* ---- the first vCPU ---- */

/* Finds a record in a saved context; NULL when there is none. */
static const void *find_record(const uint8_t *ctx, size_t len, uint16_t type)
{
	size_t at = 0;

	while (len - at >= sizeof(struct hvm_save_descriptor)) {
		struct hvm_save_descriptor d;

		memcpy(&d, ctx + at, sizeof(d));
		at += sizeof(d);
		if (d.length > len - at)
			return NULL;
		if (d.typecode == type && d.instance == 0)
			return ctx + at;
		at += d.length;
	}
	return NULL;
}

/* Loads one record: Xen wants the header before it and the end after it. */
static int load_record(struct build *b, const void *header, uint16_t type,
		       uint16_t instance, const void *body, size_t len)
{
	static const struct hvm_save_descriptor end = {
		.typecode = HVM_SAVE_CODE(END),
	};
	struct hvm_save_descriptor d = {
		.typecode = type,
		.instance = instance,
		.length = (uint32_t)len,
	};
	struct hvm_save_descriptor hd = {
		.typecode = HVM_SAVE_CODE(HEADER),
		.length = HVM_SAVE_LENGTH(HEADER),
	};
	uint8_t buf[2 * sizeof(HVM_SAVE_TYPE(CPU)) + 256], *p = buf;

	p = mempcpy(p, &hd, sizeof(hd));
	p = mempcpy(p, header, HVM_SAVE_LENGTH(HEADER));
	p = mempcpy(p, &d, sizeof(d));
	p = mempcpy(p, body, len);
	p = mempcpy(p, &end, sizeof(end));
	if (xc_domain_hvm_setcontext(b->xch, b->domid, buf,
				     (uint32_t)(p - buf)))
		return build_fail_errno(b->err, "vCPU %u's state", instance);
	return 0;
}

/* Start info's ABI: flat 32-bit protected mode, paging off, TSS of 0x67. */
static void flat_registers(HVM_SAVE_TYPE(CPU) * c, uint64_t entry,
			   uint64_t start_info)
{
	memset(c, 0, sizeof(*c));
	c->cs_limit = c->ds_limit = c->es_limit = c->ss_limit = ~0u;
	c->tr_limit = 0x67;
	c->cs_arbytes = 0xc9b;
	c->ds_arbytes = c->es_arbytes = c->ss_arbytes = 0xc93;
	c->tr_arbytes = 0x8b;
	c->cr0 = 0x11; /* PE and ET */
	c->rip = entry;
	c->rbx = start_info;
	c->dr6 = 0xffff0ff0;
	c->dr7 = 0x400;
}

/* PVH has no firmware that would set up MTRRs: all memory is write-back. */
static int write_back_mtrrs(struct build *b, const void *header,
			    const uint8_t *ctx, size_t len)
{
	const void *from = find_record(ctx, len, HVM_SAVE_CODE(MTRR));
	HVM_SAVE_TYPE(MTRR) mtrr;

	if (!from) {
		errno = ENODATA;
		return build_fail(b->err,
				  "Xen has no MTRR state to start from");
	}
	memcpy(&mtrr, from, sizeof(mtrr));
	mtrr.msr_mtrr_def_type = 1u << 11 | 6; /* enabled, write-back */
	for (unsigned int i = 0; i < b->cfg->max_vcpus; i++)
		if (load_record(b, header, HVM_SAVE_CODE(MTRR), (uint16_t)i,
				&mtrr, sizeof(mtrr)))
			return -1;
	return 0;
}

int container_vcpu(struct build *b, uint64_t entry, uint64_t start_info,
		   bool write_back)
{
	HVM_SAVE_TYPE(CPU) cpu;
	const void *header;
	uint8_t *ctx;
	int len, rc = -1;

	/* The header holds what Xen knows of this machine: take its own. */
	len = xc_domain_hvm_getcontext(b->xch, b->domid, NULL, 0);
	if (len <= 0)
		return build_fail_errno(b->err, "size of the vCPU's state");
	ctx = calloc(1, (size_t)len);
	if (!ctx)
		return build_fail_errno(b->err, "the vCPU's state");
	len = xc_domain_hvm_getcontext(b->xch, b->domid, ctx, (uint32_t)len);
	header = len > 0 ? find_record(ctx, (size_t)len, HVM_SAVE_CODE(HEADER))
			 : NULL;
	if (!header) {
		build_fail_errno(b->err, "the vCPU's state");
		goto out;
	}
	if (write_back && write_back_mtrrs(b, header, ctx, (size_t)len))
		goto out;
	/* Last: loading state takes every vCPU down, and this one up. */
	flat_registers(&cpu, entry, start_info);
	rc = load_record(b, header, HVM_SAVE_CODE(CPU), 0, &cpu, sizeof(cpu));
out:
	free(ctx);
	return rc;
}

/* ---- grants ---- */

int grant_seed(struct build *b, uint64_t console_gfn, uint64_t store_gfn)
{
	xenforeignmemory_resource_handle *res;
	void *addr = NULL;
	grant_entry_v1_t *table;

	res = xenforeignmemory_map_resource(
		b->xch->fmem, (domid_t)b->domid, XENMEM_resource_grant_table,
		XENMEM_resource_grant_table_id_shared, 0, 1, &addr,
		PROT_READ | PROT_WRITE, 0);
	if (!res)
		return build_fail_errno(b->err, "the guest's grant table");
	table = addr;
	table[GNTTAB_RESERVED_CONSOLE] = (grant_entry_v1_t){
		.flags = GTF_permit_access,
		.domid = (domid_t)b->cfg->console_domid,
		.frame = (uint32_t)console_gfn,
	};
	table[GNTTAB_RESERVED_XENSTORE] = (grant_entry_v1_t){
		.flags = GTF_permit_access,
		.domid = (domid_t)b->cfg->store_domid,
		.frame = (uint32_t)store_gfn,
	};
	xenforeignmemory_unmap_resource(b->xch->fmem, res);
	return 0;
}
