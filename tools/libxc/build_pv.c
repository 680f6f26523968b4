/* SPDX-License-Identifier: MIT */
/*
 * Fills a 64-bit paravirtual guest. Pseudo-physical memory, from the bottom:
 *
 *	the kernel where it was linked
 *	initrd, p2m			unless the kernel takes them unmapped
 *	start info, xenstore, console
 *	page tables, boot stack
 *	at least 512 KiB to the next 4 MiB	the end of what is mapped
 *	initrd, p2m and its page tables	if the kernel takes them unmapped
 *
 * as xen/xen.h, "Start-of-day memory layout", has it.
 */
#include <inttypes.h>
#include <xenctrl.h>
#include <xen/elfnote.h>

#include "build.h"
#include "pv_tables.h"

struct pv {
	struct image_virt virt;
	uint64_t start_info, store, console, stack; /* frames */
	uint64_t pt_first, pt_count; /* tables of the first map */
	uint64_t mapped_end;         /* virtual */
	uint64_t p2m_first, p2m_frames, p2m_tables;
	bool p2m_apart;    /* mapped by itself, at init_p2m */
	bool initrd_apart; /* given by frame, unmapped */
	uint64_t mod_start, mod_len;
};

static uint64_t virt_of(const struct pv *pv, uint64_t frame)
{
	return pv->virt.base + frame * PAGE_SIZE;
}

static int check(struct build *b, struct pv *pv)
{
	const struct image_elf *elf = &b->kernel.elf;
	const char *why = "";
	int rc;

	if (!elf->is64) {
		errno = EOPNOTSUPP;
		return build_fail(b->err,
				  "kernel %s is 32-bit: only 64-bit "
				  "paravirtual guests can be built",
				  b->cfg->kernel);
	}
	rc = image_virt_layout(elf, &pv->virt, &why);
	if (rc) {
		errno = -rc;
		return build_fail(b->err, "kernel %s: %s", b->cfg->kernel, why);
	}
	if (b->cfg->nr_modules > 1) {
		errno = EINVAL;
		return build_fail(b->err, "a paravirtual guest takes one "
					  "initrd and no further module");
	}
	pv->p2m_apart = image_has_note(elf, XEN_ELFNOTE_INIT_P2M) &&
			elf->notes.init_p2m < pv->virt.base &&
			elf->notes.init_p2m % PAGE_SIZE == 0;
	pv->initrd_apart = image_has_note(elf, XEN_ELFNOTE_MOD_START_PFN) &&
			   elf->notes.mod_start_pfn;
	return 0;
}

static int load_initrd(struct build *b, struct pv *pv)
{
	uint64_t paddr;

	if (b->cfg->nr_modules == 0)
		return 0;
	paddr = guest_load_module(b, 0);
	if (paddr == NO_FRAME)
		return -1;
	pv->mod_start = pv->initrd_apart ? paddr / PAGE_SIZE
					 : pv->virt.base + paddr;
	pv->mod_len = b->modules[0].len;
	return 0;
}

static int take_p2m(struct build *b, struct pv *pv)
{
	uint64_t bytes = round_up(b->nr_frames * 8, PAGE_SIZE);
	uint64_t from = b->kernel.elf.notes.init_p2m;

	pv->p2m_frames = bytes / PAGE_SIZE;
	pv->p2m_tables = pv->p2m_apart ? pv_tables_count(from, from + bytes)
				       : 0;
	pv->p2m_first = guest_take(b, pv->p2m_frames + pv->p2m_tables, "p2m");
	return pv->p2m_first == NO_FRAME ? -1 : 0;
}

/* The tables map themselves too: their number and the end settle together. */
static int take_tables(struct build *b, struct pv *pv)
{
	uint64_t n = 0;

	for (;;) {
		uint64_t end = virt_of(pv, b->next + n + 1);
		uint64_t need;

		pv->mapped_end = round_up(end + 512 * 1024, 4 * MIB);
		if (pv->mapped_end <= pv->virt.base) {
			errno = ENOMEM;
			return build_fail(b->err,
					  "kernel %s leaves no room "
					  "for its first page tables",
					  b->cfg->kernel);
		}
		need = 1 + pv_tables_count(pv->virt.base, pv->mapped_end);
		if (need <= n)
			break;
		n = need;
	}
	pv->pt_count = n;
	pv->pt_first = guest_take(b, n, "page tables");
	return pv->pt_first == NO_FRAME ? -1 : 0;
}

static int lay_out(struct build *b, struct pv *pv)
{
	uint64_t end;

	if (guest_load_kernel(b, pv->virt.paddr_offset) ||
	    (!pv->initrd_apart && load_initrd(b, pv)) ||
	    (!pv->p2m_apart && take_p2m(b, pv)))
		return -1;
	pv->start_info = guest_take(b, 1, "start info");
	pv->store = guest_take(b, 1, "xenstore ring");
	pv->console = guest_take(b, 1, "console ring");
	if (pv->console == NO_FRAME || take_tables(b, pv))
		return -1;
	pv->stack = guest_take(b, 1, "boot stack");
	if (pv->stack == NO_FRAME)
		return -1;
	/* What is mapped has to be there. */
	end = (pv->mapped_end - pv->virt.base) / PAGE_SIZE;
	if (guest_take(b, end - b->next, "kernel's first mapping") == NO_FRAME)
		return -1;
	if ((pv->initrd_apart && load_initrd(b, pv)) ||
	    (pv->p2m_apart && take_p2m(b, pv)))
		return -1;
	return 0;
}

static int clear_frame(struct build *b, uint64_t frame)
{
	return guest_write(b, frame * PAGE_SIZE, NULL, 0, PAGE_SIZE);
}

static int write_tables(struct build *b, const struct pv *pv)
{
	uint64_t from = b->kernel.elf.notes.init_p2m;
	struct pv_range kernel = {pv->virt.base, pv->mapped_end, 0};
	struct pv_range p2m = {from, from + pv->p2m_frames * PAGE_SIZE,
			       pv->p2m_first};
	struct pv_tables t = {
		.p2m = b->p2m,
		.ro_first = pv->pt_first,
		.ro_end = pv->pt_first + pv->pt_count,
	};
	int rc = -1;

	t.area[0].first = pv->pt_first;
	t.area[0].count = pv->pt_count;
	t.area[0].data = calloc(pv->pt_count, PAGE_SIZE);
	t.area[1].first = pv->p2m_first + pv->p2m_frames;
	t.area[1].count = pv->p2m_tables;
	t.area[1].data = calloc(pv->p2m_tables + 1, PAGE_SIZE);
	if (!t.area[0].data || !t.area[1].data) {
		build_fail_errno(b->err, "the guest's page tables");
		goto out;
	}
	rc = pv_tables_map(&t, &kernel);
	if (rc == 0 && pv->p2m_apart) {
		t.current = 1;
		rc = pv_tables_map(&t, &p2m);
	}
	if (rc) {
		errno = EFAULT;
		build_fail(b->err, "page tables were counted wrongly");
		goto out;
	}
	for (unsigned int a = 0; rc == 0 && a < 2; a++)
		rc = guest_write(b, t.area[a].first * PAGE_SIZE, t.area[a].data,
				 t.area[a].count * PAGE_SIZE,
				 t.area[a].count * PAGE_SIZE);
out:
	free(t.area[0].data);
	free(t.area[1].data);
	return rc;
}

static int write_start_info(struct build *b, const struct pv *pv,
			    uint64_t shared_info)
{
	const char *cmdline = b->cfg->cmdline;
	start_info_t si = {
		.magic = "xen-3.0-x86_64",
		.nr_pages = b->nr_frames,
		.shared_info = shared_info * PAGE_SIZE,
		.pt_base = virt_of(pv, pv->pt_first),
		.nr_pt_frames = pv->pt_count,
		.mfn_list = virt_of(pv, pv->p2m_first),
		.store_mfn = b->p2m[pv->store],
		.store_evtchn = b->out->store_port,
		.console.domU.mfn = b->p2m[pv->console],
		.console.domU.evtchn = b->out->console_port,
		.mod_start = pv->mod_start,
		.mod_len = pv->mod_len,
	};

	if (pv->p2m_apart) {
		si.mfn_list = b->kernel.elf.notes.init_p2m;
		si.first_p2m_pfn = pv->p2m_first;
		si.nr_p2m_frames = pv->p2m_frames + pv->p2m_tables;
	}
	if (pv->mod_len && pv->initrd_apart)
		si.flags |= SIF_MOD_START_PFN;
	if (cmdline) {
		if (strlen(cmdline) >= sizeof(si.cmd_line)) {
			errno = E2BIG;
			return build_fail(b->err,
					  "the kernel's command line is longer "
					  "than the %zu characters that a "
					  "paravirtual guest takes",
					  sizeof(si.cmd_line) - 1);
		}
		memcpy(si.cmd_line, cmdline, strlen(cmdline));
	}
	return guest_write(b, pv->start_info * PAGE_SIZE, &si, sizeof(si),
			   PAGE_SIZE);
}

/* The hypercall page is part of the kernel's image; Xen fills it. */
static int hypercall_page(struct build *b, const struct pv *pv)
{
	struct xen_domctl op = DOMCTL(hypercall_init, b->domid);
	uint64_t va = b->kernel.elf.notes.hypercall_page;
	uint64_t frame = (va - pv->virt.base) / PAGE_SIZE;

	if (!image_has_note(&b->kernel.elf, XEN_ELFNOTE_HYPERCALL_PAGE))
		return 0;
	if (va < pv->virt.kstart || va >= pv->virt.kend) {
		errno = EINVAL;
		return build_fail(b->err,
				  "kernel %s: hypercall page lies outside it",
				  b->cfg->kernel);
	}
	op.u.hypercall_init.gmfn = b->p2m[frame];
	if (xc_domctl(b->xch, &op))
		return build_fail_errno(b->err, "the hypercall page");
	return 0;
}

static int shared_info(struct build *b, uint64_t mfn)
{
	xen_pfn_t frame = mfn;
	shared_info_t *s = xenforeignmemory_map(b->xch->fmem, b->domid,
						PROT_READ | PROT_WRITE, 1,
						&frame, NULL);

	if (!s)
		return build_fail_errno(b->err, "the shared info page");
	memset(s, 0, sizeof(*s));
	for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
		s->vcpu_info[i].evtchn_upcall_mask = 1;
	munmap(s, PAGE_SIZE);
	return 0;
}

static int pin(struct build *b, const struct pv *pv)
{
	struct mmuext_op op = {
		.cmd = MMUEXT_PIN_L4_TABLE,
		.arg1.mfn = b->p2m[pv->pt_first],
	};

	if (xc_mmuext_op(b->xch, &op, 1, b->domid))
		return build_fail_errno(b->err, "Xen refuses the page tables");
	return 0;
}

static int vcpu(struct build *b, const struct pv *pv)
{
	vcpu_guest_context_any_t any;
	vcpu_guest_context_x86_64_t *c = &any.x64;

	memset(&any, 0, sizeof(any));
	c->flags = VGCF_in_kernel_X86_64 | VGCF_online_X86_64;
	c->user_regs.rip = pv->virt.entry;
	c->user_regs.rsp = virt_of(pv, pv->stack + 1);
	c->user_regs.rsi = virt_of(pv, pv->start_info);
	c->user_regs.rflags = 1 << 9; /* interrupts enabled */
	c->user_regs.cs = FLAT_KERNEL_CS_X86_64;
	c->user_regs.ds = c->user_regs.es = FLAT_KERNEL_DS_X86_64;
	c->user_regs.fs = c->user_regs.gs = FLAT_KERNEL_DS_X86_64;
	c->user_regs.ss = FLAT_KERNEL_SS_X86_64;
	c->kernel_ss = c->user_regs.ss;
	c->kernel_sp = c->user_regs.rsp;
	c->debugreg[6] = 0xffff0ff0;
	c->debugreg[7] = 0x400;
	c->ctrlreg[3] = xen_pfn_to_cr3_x86_64(b->p2m[pv->pt_first]);
	if (xc_vcpu_setcontext(b->xch, b->domid, 0, &any))
		return build_fail_errno(b->err, "the first vCPU's registers");
	return 0;
}

static int address_size(struct build *b)
{
	struct xen_domctl op = DOMCTL(set_address_size, b->domid);

	op.u.address_size.size = 64;
	if (xc_domctl(b->xch, &op))
		return build_fail_errno(b->err, "64-bit mode");
	return 0;
}

static int fill(struct build *b, struct pv *pv)
{
	xc_dominfo_t info;

	b->nr_frames = b->cfg->memory_kb / 4;
	if (address_size(b) || populate_claim(b, b->nr_frames) ||
	    populate_pv(b))
		return -1;
	populate_unclaim(b);
	if (lay_out(b, pv) || clear_frame(b, pv->store) ||
	    clear_frame(b, pv->console) ||
	    guest_write(b, pv->p2m_first * PAGE_SIZE, b->p2m, b->nr_frames * 8,
			pv->p2m_frames * PAGE_SIZE) ||
	    write_tables(b, pv))
		return -1;
	if (xc_domain_getinfo(b->xch, b->domid, 1, &info) != 1 ||
	    info.domid != b->domid)
		return build_fail_errno(b->err, "domain %u", b->domid);
	if (write_start_info(b, pv, info.shared_info_frame) ||
	    hypercall_page(b, pv) || pin(b, pv) ||
	    shared_info(b, info.shared_info_frame) || vcpu(b, pv))
		return -1;
	b->out->store_gfn = b->p2m[pv->store];
	b->out->console_gfn = b->p2m[pv->console];
	return 0;
}

int build_fill_pv(struct build *b)
{
	struct pv pv = {0};

	/* What Linux may balloon up to. */
	if (xc_domain_set_memmap_limit(b->xch, b->domid, b->cfg->max_kb))
		return build_fail_errno(b->err, "the guest's memory map");
	return check(b, &pv) || fill(b, &pv) ? -1 : 0;
}
