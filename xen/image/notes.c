/* SPDX-License-Identifier: MIT */
/*
 * The Xen ELF notes: what a kernel says about itself (xen/elfnote.h). A note
 * is a name size, a descriptor size and a type, then the name and the
 * descriptor, each padded to four bytes. A number is 4 or 8 bytes whatever the
 * file's class, and a string ends within its descriptor.
 */
#include <xen/elfnote.h>
#include <xen/features.h>

#include "image/notes.h"
#include "image/bytes.h"
#include "image/port.h"

struct note {
	uint32_t type;
	uint32_t size;
	const uint8_t *desc;
};

static const struct {
	const char *name;
	unsigned int bit;
} feature_names[] = {
	{"writable_page_tables", XENFEAT_writable_page_tables},
	{"writable_descriptor_tables", XENFEAT_writable_descriptor_tables},
	{"auto_translated_physmap", XENFEAT_auto_translated_physmap},
	{"supervisor_mode_kernel", XENFEAT_supervisor_mode_kernel},
	{"pae_pgdir_above_4gb", XENFEAT_pae_pgdir_above_4gb},
	{"dom0", XENFEAT_dom0},
	{"hvm_callback_vector", XENFEAT_hvm_callback_vector},
};

static bool note_number(const struct note *n, uint64_t *out)
{
	if (n->size == 4)
		*out = get32(n->desc);
	else if (n->size == 8)
		*out = get64(n->desc);
	else
		return false;
	return true;
}

/* The length of a descriptor's string, up to its end or its null byte. */
static size_t note_strlen(const struct note *n)
{
	size_t len = 0;

	while (len < n->size && n->desc[len])
		len++;
	return len;
}

/* Copies a string, cut to fit: these are for people and exact comparisons. */
static bool note_string(const struct note *n, char *out, size_t room)
{
	size_t len = note_strlen(n);

	if (len >= room)
		len = room - 1;
	memcpy(out, n->desc, len);
	out[len] = '\0';
	return true;
}

static int feature_bit(const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]);
	     i++) {
		const char *want = feature_names[i].name;
		size_t n = 0;

		while (want[n])
			n++;
		if (n == len && memcmp(name, want, len) == 0)
			return (int)feature_names[i].bit;
	}
	return -1;
}

/* "a|!b|c": features that it supports, those with a '!' required. */
static bool note_features(const struct note *n, struct image_notes *out)
{
	size_t len = note_strlen(n), at = 0;

	while (at < len) {
		bool required = n->desc[at] == '!';
		size_t start = at + required, end = start;
		int bit;

		while (end < len && n->desc[end] != '|')
			end++;
		bit = feature_bit(n->desc + start, end - start);
		if (bit < 0 && required)
			return false;
		if (bit >= 0) {
			out->features |= 1u << bit;
			if (required)
				out->required |= 1u << bit;
		}
		at = end + 1;
	}
	return true;
}

static bool note_supported(const struct note *n, struct image_notes *out)
{
	uint64_t bits;

	if (!note_number(n, &bits))
		return false;
	out->features |= (uint32_t)bits;
	return true;
}

static bool note_l1_valid(const struct note *n, struct image_notes *out)
{
	/* A mask and a value, of the width of the kernel's page-table entry. */
	if (n->size == 16) {
		out->l1_mask = get64(n->desc);
		out->l1_valid = get64(n->desc + 8);
	} else if (n->size == 8) {
		out->l1_mask = get32(n->desc);
		out->l1_valid = get32(n->desc + 4);
	} else {
		return false;
	}
	return true;
}

static bool note_reloc(const struct note *n, struct image_notes *out)
{
	out->reloc_align = 0x200000;
	out->reloc_min = 0;
	out->reloc_max = UINT32_MAX;
	if (n->size % 4)
		return false;
	if (n->size >= 4)
		out->reloc_align = get32(n->desc);
	if (n->size >= 8)
		out->reloc_min = get32(n->desc + 4);
	if (n->size >= 12)
		out->reloc_max = get32(n->desc + 8);
	return out->reloc_align &&
	       !(out->reloc_align & (out->reloc_align - 1)) &&
	       out->reloc_min <= out->reloc_max;
}

static bool note_flag(const struct note *n, bool *out)
{
	char text[4];

	note_string(n, text, sizeof(text));
	*out = memcmp(text, "yes", 4) == 0;
	return true;
}

static bool note_store(const struct note *n, struct image_notes *out)
{
	switch (n->type) {
	case XEN_ELFNOTE_ENTRY:
		return note_number(n, &out->entry);
	case XEN_ELFNOTE_HYPERCALL_PAGE:
		return note_number(n, &out->hypercall_page);
	case XEN_ELFNOTE_VIRT_BASE:
		return note_number(n, &out->virt_base);
	case XEN_ELFNOTE_PADDR_OFFSET:
		return note_number(n, &out->paddr_offset);
	case XEN_ELFNOTE_HV_START_LOW:
		return note_number(n, &out->hv_start_low);
	case XEN_ELFNOTE_INIT_P2M:
		return note_number(n, &out->init_p2m);
	case XEN_ELFNOTE_MOD_START_PFN:
		return note_number(n, &out->mod_start_pfn);
	case XEN_ELFNOTE_SUSPEND_CANCEL:
		return note_number(n, &out->suspend_cancel);
	case XEN_ELFNOTE_PHYS32_ENTRY:
		return note_number(n, &out->phys32_entry);
	case XEN_ELFNOTE_XEN_VERSION:
		return note_string(n, out->xen_version,
				   sizeof(out->xen_version));
	case XEN_ELFNOTE_GUEST_OS:
		return note_string(n, out->guest_os, sizeof(out->guest_os));
	case XEN_ELFNOTE_GUEST_VERSION:
		return note_string(n, out->guest_version,
				   sizeof(out->guest_version));
	case XEN_ELFNOTE_LOADER:
		return note_string(n, out->loader, sizeof(out->loader));
	case XEN_ELFNOTE_PAE_MODE:
		return note_string(n, out->pae, sizeof(out->pae));
	case XEN_ELFNOTE_FEATURES:
		return note_features(n, out);
	case XEN_ELFNOTE_SUPPORTED_FEATURES:
		return note_supported(n, out);
	case XEN_ELFNOTE_L1_MFN_VALID:
		return note_l1_valid(n, out);
	case XEN_ELFNOTE_BSD_SYMTAB:
		return note_flag(n, &out->bsd_symtab);
	case IMAGE_NOTE_PHYS32_RELOC:
		return note_reloc(n, out);
	default:
		return true;
	}
}

static uint64_t padded(uint32_t size)
{
	return ((uint64_t)size + 3) & ~3ull;
}

int image_collect_notes(const uint8_t *data, uint64_t len,
			struct image_notes *notes, const char **why)
{
	uint64_t at = 0;

	while (len - at >= 12) {
		uint32_t namesz = get32(data + at);
		struct note n = {
			.type = get32(data + at + 8),
			.size = get32(data + at + 4),
		};
		uint64_t name = at + 12;
		bool xen;

		/* The last descriptor's padding may be missing. */
		if (!inside(len, name, padded(namesz)) ||
		    !inside(len, name + padded(namesz), n.size))
			return fail(-XEN_EINVAL, why,
				    "ELF note runs past its segment");
		xen = namesz == 4 && memcmp(data + name, "Xen", 4) == 0;
		n.desc = data + name + padded(namesz);
		at = name + padded(namesz) + padded(n.size);
		if (at > len)
			at = len;
		if (!xen || n.type >= IMAGE_NOTES ||
		    (notes->present & (1u << n.type)))
			continue;
		if (!note_store(&n, notes))
			return fail(-XEN_EINVAL, why,
				    "Xen ELF note has a value that its type "
				    "does not allow");
		notes->present |= 1u << n.type;
	}
	return 0;
}
