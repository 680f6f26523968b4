/* SPDX-License-Identifier: MIT */
/* Another domain's memory, mapped here. Unmapped with munmap(). */
#include "private.h"

void *xc_map_foreign_pages(xc_interface *xch, uint32_t dom, int prot,
			   const xen_pfn_t *arr, int num)
{
	if (num < 0) {
		errno = EINVAL;
		return NULL;
	}
	return xenforeignmemory_map(xch->fmem, dom, prot, (size_t)num, arr,
				    NULL);
}

void *xc_map_foreign_bulk(xc_interface *xch, uint32_t dom, int prot,
			  const xen_pfn_t *arr, int *err, unsigned int num)
{
	return xenforeignmemory_map(xch->fmem, dom, prot, num, arr, err);
}

void *xc_map_foreign_ranges(xc_interface *xch, uint32_t dom, size_t size,
			    int prot, size_t chunksize,
			    privcmd_mmap_entry_t entries[], int nentries)
{
	size_t each = chunksize >> PAGE_SHIFT, n = each * (size_t)nentries;
	xen_pfn_t *frames = calloc(n ? n : 1, sizeof(*frames));
	void *p;

	(void)size; /* said again by chunksize and nentries */
	if (!frames)
		return NULL;
	for (size_t i = 0; i < n; i++)
		frames[i] = entries[i / each].mfn + i % each;
	p = xenforeignmemory_map(xch->fmem, dom, prot, n, frames, NULL);
	free(frames);
	return p;
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot,
			   unsigned long mfn)
{
	privcmd_mmap_entry_t one = {.mfn = mfn};
	size_t len = ((size_t)size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	return xc_map_foreign_ranges(xch, dom, len, prot, len, &one, 1);
}

int xc_copy_to_domain_page(xc_interface *xch, uint32_t domid,
			   unsigned long dst_pfn, const char *src_page)
{
	void *p = xc_map_foreign_range(xch, domid, PAGE_SIZE, PROT_WRITE,
				       dst_pfn);

	if (!p)
		return -1;
	memcpy(p, src_page, PAGE_SIZE);
	munmap(p, PAGE_SIZE);
	return 0;
}

int xc_clear_domain_pages(xc_interface *xch, uint32_t domid,
			  unsigned long dst_pfn, int num)
{
	size_t size = (size_t)num * PAGE_SIZE;
	void *p = xc_map_foreign_range(xch, domid, (int)size, PROT_WRITE,
				       dst_pfn);

	if (!p)
		return -1;
	memset(p, 0, size);
	munmap(p, size);
	return 0;
}
