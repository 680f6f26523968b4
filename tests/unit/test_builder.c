/* SPDX-License-Identifier: MIT */
/*
 * The domain builder's parts that need no hypervisor: page tables, ACPI
 * tables, the kernel cache; and populating memory, from a pretended Xen that
 * runs out of large pages.
 */
#include "harness.h"

#include <sys/stat.h>
#include <unistd.h>

#include "build.h"
#include "pv_tables.h"

/* ---- page tables ---- */

#define FRAMES 20000

static uint64_t p2m[FRAMES];

/* Machine frames in no order, so that confusing the two shows. */
static void make_p2m(void)
{
	for (uint64_t i = 0; i < FRAMES; i++)
		p2m[i] = 0x100000 + (i * 7919) % FRAMES;
}

static uint64_t pfn_of(uint64_t mfn)
{
	for (uint64_t i = 0; i < FRAMES; i++)
		if (p2m[i] == mfn)
			return i;
	return NO_FRAME;
}

/* What the processor would find: the entry that maps va, or 0. */
static uint64_t walk(const struct pv_tables *t, uint64_t va)
{
	uint64_t pfn = t->area[0].first, entry = 0;

	for (int level = 4; level > 0; level--) {
		int a = pfn >= t->area[1].first && t->area[1].count &&
			pfn < t->area[1].first + t->area[1].count;
		const uint64_t *table;

		if (pfn < t->area[a].first ||
		    pfn >= t->area[a].first + t->area[a].used)
			return 0;
		table = t->area[a].data + (pfn - t->area[a].first) * 512;
		entry = table[va >> (12 + 9 * (level - 1)) & 511];
		if (!(entry & 1))
			return 0;
		pfn = pfn_of(entry >> 12 & 0xffffffffff);
	}
	return entry;
}

static void page_tables_map_kernel_and_p2m(void)
{
	const uint64_t base = 0xffffffff80000000, p2m_va = 0x8000000000;
	struct pv_range kernel = {base, base + 16000 * 4096ull, 0};
	struct pv_range apart = {p2m_va, p2m_va + 40 * 4096, 18000};
	struct pv_tables t = {.p2m = p2m};
	uint64_t n = 1 + pv_tables_count(kernel.from, kernel.to);
	uint64_t m = pv_tables_count(apart.from, apart.to);

	make_p2m();
	t.area[0].first = 15000;
	t.area[0].count = n;
	t.area[0].data = calloc(n, 4096);
	t.area[1].first = 18040;
	t.area[1].count = m;
	t.area[1].data = calloc(m, 4096);
	t.ro_first = 15000;
	t.ro_end = 15000 + n;
	REQUIRE(pv_tables_map(&t, &kernel) == 0);
	CHECK_EQ(t.area[0].used, n);
	t.current = 1;
	REQUIRE(pv_tables_map(&t, &apart) == 0);
	CHECK_EQ(t.area[1].used, m);

	for (uint64_t i = 0; i < 16000; i += 37) {
		uint64_t e = walk(&t, base + i * 4096);

		CHECK_EQ(e >> 12, p2m[i]);
		CHECK_EQ(!(e & 2), i >= 15000 && i < 15000 + n);
	}
	CHECK_EQ(walk(&t, base + 16000 * 4096ull), 0);
	for (uint64_t i = 0; i < 40; i++)
		CHECK_EQ(walk(&t, p2m_va + i * 4096) >> 12, p2m[18000 + i]);
	CHECK_EQ(walk(&t, p2m_va - 4096), 0);
	/* The top table is the first. */
	CHECK(t.area[0].data[511] & 1);
	free(t.area[0].data);
	free(t.area[1].data);
}

static void too_few_tables_are_noticed(void)
{
	struct pv_range r = {0, 600 * 4096, 0};
	struct pv_tables t = {.p2m = p2m};
	uint64_t n = 1 + pv_tables_count(r.from, r.to);

	CHECK_EQ(n, 5); /* two leaf tables and one of each other level */
	t.area[0].first = 1000;
	t.area[0].count = n - 1;
	t.area[0].data = calloc(n, 4096);
	CHECK_EQ(pv_tables_map(&t, &r), -1);
	free(t.area[0].data);
}

/* ---- ACPI ---- */

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

static uint32_t at32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint64_t at64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static const uint8_t *table_at(const uint8_t *area, size_t len, uint64_t base,
			       uint64_t paddr, const char *signature)
{
	const uint8_t *t = area + (paddr - base);

	if (paddr < base || paddr - base + 36 > len ||
	    memcmp(t, signature, 4) || paddr - base + at32(t + 4) > len ||
	    (strcmp(signature, "FACS") && sum(t, at32(t + 4)))) {
		printf("# no good %s\n", signature);
		test_failures++;
		return NULL;
	}
	return t;
}

static void acpi_tables_are_whole(void)
{
	static const unsigned int counts[] = {1, 2, 15, 128};
	const uint64_t base = 0xfc000000;

	for (size_t c = 0; c < 4; c++) {
		uint8_t online[16] = {0x01};
		size_t len = 0;
		uint8_t *a = acpi_tables(counts[c], online, base, &len);
		const uint8_t *xsdt, *fadt, *madt, *dsdt;

		REQUIRE(a != NULL);
		CHECK_EQ(len % 4096, 0);
		CHECK(memcmp(a, "RSD PTR ", 8) == 0);
		CHECK_EQ(sum(a, 20), 0);
		CHECK_EQ(sum(a, 36), 0);
		xsdt = table_at(a, len, base, at64(a + 24), "XSDT");
		REQUIRE(xsdt != NULL);
		fadt = table_at(a, len, base, at64(xsdt + 36), "FACP");
		madt = table_at(a, len, base, at64(xsdt + 44), "APIC");
		REQUIRE(fadt && madt);
		dsdt = table_at(a, len, base, at64(fadt + 140), "DSDT");
		REQUIRE(dsdt != NULL);
		CHECK_EQ(at32(fadt + 40), at64(fadt + 140));
		table_at(a, len, base, at64(fadt + 132), "FACS");
		CHECK_EQ(at32(madt + 4), 44 + 8 * counts[c]);
		CHECK_EQ(at32(madt + 44 + 4), 1); /* vCPU 0 is online */
		if (counts[c] > 1) {
			CHECK_EQ(madt[44 + 8 + 3], 2); /* APIC ID of vCPU 1 */
			CHECK_EQ(at32(madt + 44 + 8 + 4), 0);
		}
		/* The scope's length spans all of the DSDT's code. */
		CHECK_EQ(dsdt[36], 0x10);
		CHECK_EQ((dsdt[37] & 0xf) | dsdt[38] << 4 | dsdt[39] << 12,
			 at32(dsdt + 4) - 37);
		free(a);
	}
}

/* ---- the cache ---- */

static struct blob file_of(const char *data, size_t len)
{
	FILE *f = tmpfile();

	fwrite(data, 1, len, f);
	fflush(f);
	return (struct blob){.len = len, .fd = dup(fileno(f))};
}

static void cache_keeps_and_forgets(void)
{
	char dir[] = "/tmp/ostler-cache-XXXXXX", cmd[64];
	const char data[] = "a packed kernel", other[] = "another kernel.";
	struct cache_key key, key2, again;
	struct blob blob = {0};
	int fd;

	struct blob one = file_of(data, sizeof(data));
	struct blob two = file_of(other, sizeof(other));

	REQUIRE(mkdtemp(dir) != NULL);
	REQUIRE(cache_key(dir, &one, &key));
	REQUIRE(cache_key(dir, &one, &again));
	REQUIRE(cache_key(dir, &two, &key2));
	/* what others can change is not kept */
	REQUIRE(fchmod(two.fd, 0620) == 0);
	CHECK(!cache_key(dir, &two, &again));
	REQUIRE(fchmod(two.fd, 0600) == 0);
	CHECK(memcmp(&key, &again, sizeof(key)) == 0);
	CHECK(memcmp(&key, &key2, sizeof(key)) != 0);
	CHECK(!cache_get(dir, &key, 5000, &blob));

	fd = cache_new(dir, 5000, &blob);
	REQUIRE(fd >= 0);
	memset(blob.data, 'k', 5000);
	CHECK(!cache_get(dir, &key, 5000, &(struct blob){0}));
	cache_commit(dir, fd, &key);
	blob_close(&blob);
	REQUIRE(cache_get(dir, &key, 5000, &blob));
	CHECK_EQ(((char *)blob.data)[4999], 'k');
	/* Deleting it under a user's feet does no harm to that user. */
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	CHECK_EQ(system(cmd), 0);
	CHECK_EQ(((char *)blob.data)[0], 'k');
	blob_close(&blob);
	CHECK(!cache_get(dir, &key, 5000, &blob));
	/* A new directory has a new secret. */
	REQUIRE(cache_key(dir, &one, &again));
	CHECK(memcmp(&key, &again, sizeof(key)) != 0);
	/* An entry of another length than wanted is none. */
	fd = cache_new(dir, 100, &blob);
	REQUIRE(fd >= 0);
	cache_commit(dir, fd, &again);
	blob_close(&blob);
	CHECK(!cache_get(dir, &again, 5000, &blob));
	/* A directory that others may write to is not trusted. */
	CHECK_EQ(chmod(dir, 0777), 0);
	CHECK(!cache_key(dir, &one, &again));
	CHECK_EQ(chmod(dir, 0700), 0);
	CHECK_EQ(system(cmd), 0);
	blob_close(&one);
	blob_close(&two);
}

static void cache_makes_its_directory(void)
{
	char base[] = "/tmp/ostler-cache-XXXXXX", path[64], cmd[64];
	struct blob one = file_of("kernel", 7);
	struct cache_key key;

	REQUIRE(mkdtemp(base) != NULL);
	snprintf(path, sizeof(path), "%s/cache/ostler", base);
	CHECK(cache_key(path, &one, &key));
	CHECK(!access(path, R_OK | X_OK));
	snprintf(path, sizeof(path), "%s/no/such/place", base);
	CHECK(!cache_key(path, &one, &key));
	CHECK(access(path, F_OK));
	snprintf(cmd, sizeof(cmd), "rm -rf %s", base);
	CHECK_EQ(system(cmd), 0);
	blob_close(&one);
}

/* ---- populating ---- */

static unsigned int large_left[19]; /* extents that Xen has, by order */
static uint8_t *given;              /* by frame: how often */
static uint64_t given_end;
static unsigned int calls;

int xc_domain_populate_physmap(xc_interface *xch, uint32_t domid,
			       unsigned long nr, unsigned int order,
			       unsigned int flags, xen_pfn_t *list)
{
	(void)xch, (void)domid, (void)flags;
	calls++;
	for (unsigned long i = 0; i < nr; i++) {
		if (large_left[order] == 0)
			return (int)i;
		large_left[order]--;
		CHECK_EQ(list[i] % (1ull << order), 0);
		for (uint64_t f = 0; f < 1ull << order; f++) {
			if (list[i] + f >= given_end)
				return -1;
			given[list[i] + f]++;
		}
	}
	return (int)nr;
}

static uint64_t claimed;

int xc_domain_claim_pages(xc_interface *xch, uint32_t domid,
			  unsigned long nr_pages)
{
	(void)xch, (void)domid;
	if (nr_pages > 1000) {
		errno = ENOMEM;
		return -1;
	}
	claimed = nr_pages;
	return 0;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
	(void)xch;
	memset(info, 0, sizeof(*info));
	return 0;
}

static int populate(uint64_t start, uint64_t end, unsigned int large,
		    unsigned int middle, unsigned int small)
{
	static struct build_config cfg = {.memory_kb = 4096};
	struct build_error err = {""};
	struct build b = {.cfg = &cfg, .err = &err};
	int rc;

	large_left[18] = large;
	large_left[9] = middle;
	large_left[0] = small;
	given_end = end;
	free(given);
	given = calloc(end, 1);
	calls = 0;
	rc = populate_range(&b, start, end, 0);
	CHECK(rc == 0 || err.text[0]);
	for (uint64_t f = 0; rc == 0 && f < end; f++)
		if (given[f] != (f >= start)) {
			CHECK_EQ(given[f], f >= start);
			break;
		}
	return rc;
}

static void populating_covers_all_once(void)
{
	const unsigned int lots = 1u << 30;

	CHECK_EQ(populate(0, 3u << 18, lots, lots, lots), 0);
	CHECK_EQ(calls, 1);
	CHECK_EQ(populate(0xc0, (2u << 18) + 5, lots, lots, lots), 0);
	CHECK(calls <= 5);
	CHECK_EQ(populate(0, 0x10000, lots, lots, lots), 0);
	CHECK_EQ(calls, 1);
	/* Two large pages of three, ten of the middle size. */
	CHECK_EQ(populate(7, (3u << 18) + 513, 2, 10, lots), 0);
	CHECK_EQ(populate(0, 1, 0, 0, 1), 0);
	CHECK_EQ(populate(0, 2u << 18, 1, 3, 100), -1);
	free(given);
	given = NULL;
}

static void claims_unless_told_not_to(void)
{
	static struct build_config cfg = {.memory_kb = 4096};
	struct build_error err = {""};
	struct build b = {.cfg = &cfg, .err = &err};

	CHECK(populate_claim(&b, 700) == 0 && claimed == 700);
	populate_unclaim(&b);
	CHECK_EQ(claimed, 0);
	CHECK(populate_claim(&b, 1001) == -1 && err.text[0]);
	cfg.no_claim = true;
	CHECK(populate_claim(&b, 1001) == 0 && claimed == 0);
}

static const struct test_case cases[] = {
	{"builder: page tables map kernel and p2m",
	 page_tables_map_kernel_and_p2m},
	{"builder: too few page tables are noticed",
	 too_few_tables_are_noticed},
	{"builder: ACPI tables are whole", acpi_tables_are_whole},
	{"builder: the kernel cache makes its directory",
	 cache_makes_its_directory},
	{"builder: the kernel cache keeps and forgets",
	 cache_keeps_and_forgets},
	{"builder: populating covers all, once", populating_covers_all_once},
	{"builder: claims unless told not to", claims_unless_told_not_to},
};

int main(void)
{
	return RUN_CASES(cases);
}
