/* SPDX-License-Identifier: MIT */
/* Memory dumps of a paravirtual guest that lies about its memory. */
#include "harness.h"
#include "private.h"

#include <sys/mman.h>

enum { LIST = 1, FRAMES, ENTRIES, PAGE, SHARED };

static struct xc_interface_core xc;
static uint64_t max_pfn, mapped, written;
static unsigned long nr_pages;

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned int max,
		      xc_dominfo_t *info)
{
	(void)xch;
	(void)max;
	*info = (xc_dominfo_t){.domid = first,
			       .nr_pages = nr_pages,
			       .shared_info_frame = SHARED};
	return 1;
}
int xc_domain_get_guest_width(xc_interface *xch, uint32_t domid,
			      unsigned int *width)
{
	(void)xch;
	(void)domid;
	*width = 8;
	return 0;
}
int xc_domain_nr_gpfns(xc_interface *xch, uint32_t domid, xen_pfn_t *gpfns)
{
	(void)xch;
	(void)domid;
	*gpfns = 0;
	return 0;
}
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t dom, unsigned int num,
			  xen_pfn_t *pfns)
{
	(void)xch;
	(void)dom;
	(void)num;
	(void)pfns;
	return -1;
}
int xc_vcpu_getcontext(xc_interface *xch, uint32_t domid, uint32_t vcpu,
		       vcpu_guest_context_any_t *c)
{
	(void)xch;
	(void)domid;
	(void)vcpu;
	memset(c, 0, sizeof(*c));
	return 0;
}
int xc_version(xc_interface *xch, int cmd, void *arg)
{
	(void)xch;
	(void)cmd;
	(void)arg;
	return 0;
}
int write_exact(int fd, const void *data, size_t size)
{
	(void)fd;
	(void)data;
	(void)size;
	return -1;
}

/* What each frame holds: the next kind of frame, over and over. */
static void *page_of(uint64_t frame)
{
	uint64_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	mapped++;
	if (frame == SHARED) {
		shared_info_t *s = (void *)p;

		s->arch.max_pfn = max_pfn;
		s->arch.pfn_to_mfn_frame_list_list = LIST;
	} else if (frame < PAGE) {
		for (unsigned int i = 0; i < 512; i++)
			p[i] = frame + 1;
	}
	return p;
}
void *xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot,
			   unsigned long mfn)
{
	(void)xch;
	(void)dom;
	(void)size;
	(void)prot;
	return page_of(mfn);
}
void *xenforeignmemory_map(xenforeignmemory_handle *h, uint32_t dom, int prot,
			   size_t pages, const xen_pfn_t arr[], int err[])
{
	(void)h;
	(void)dom;
	(void)prot;
	(void)arr;
	memset(err, 0, pages * sizeof(*err));
	return mmap(NULL, pages * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static int count(xc_interface *xch, void *arg, char *buffer, unsigned int len)
{
	(void)xch;
	(void)arg;
	(void)buffer;
	written += len;
	return 0;
}

static uint64_t dump(uint64_t max, unsigned long pages)
{
	max_pfn = max;
	nr_pages = pages;
	written = 0;
	CHECK_EQ(xc_domain_dumpcore_via_callback(&xc, 5, NULL, count), 0);
	return written / 4096;
}

static void honest(void)
{
	uint64_t got = dump(1000, 1000);

	CHECK(got >= 1000 && got < 1020);
}

/* Each page again and again: not more are written than it has. */
static void the_same_page(void)
{
	uint64_t got = dump(1ull << 28, 1000);

	CHECK(got >= 1000 && got < 1020);
	max_pfn = (1ull << 28) + 1;
	CHECK_EQ(xc_domain_dumpcore_via_callback(&xc, 5, NULL, count), -1);
}

static const struct test_case cases[] = {
	{"dump: a paravirtual guest's memory", honest},
	{"dump: a guest that names one page many times", the_same_page},
};

int main(void)
{
	return RUN_CASES(cases);
}
