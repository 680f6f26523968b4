/* SPDX-License-Identifier: MIT */
/*
 * The guest paging walk on page tables built here: sizes of leaves, rights,
 * accessed and dirty bits, legacy modes, and copies that cross pages. The
 * guest's memory is an array; its p2m maps it one to one.
 */
#include "harness.h"

#include "hvm/guest_walk.h"
#include "lib/errno.h"
#include "mem/layout.h"

#define PAGES 1024
static uint8_t ram[PAGES][PAGE_SIZE] __aligned(PAGE_SIZE);
static enum p2m_type types[PAGES];
static unsigned int lookups;
static uint64_t cregs[6];
static unsigned int ring;

void *unit_maddr_to_virt(paddr_t p);
void *unit_maddr_to_virt(paddr_t p)
{
	return (uint8_t *)ram + p;
}

mfn_t p2m_access(struct p2m *p, gfn_t gfn, enum p2m_type *type)
{
	(void)p;
	lookups++;
	*type = gfn_x(gfn) < PAGES ? types[gfn_x(gfn)] : P2M_NONE;
	return *type == P2M_NONE ? INVALID_MFN : _mfn(gfn_x(gfn));
}

static void get_paging(struct vcpu *v, struct walk_regs *r)
{
	(void)v;
	*r = (struct walk_regs){cregs[CR0], cregs[CR3], cregs[CR4], cregs[EFER],
				ring == 3};
}

static const struct hvm_ops ops = {.get_paging = get_paging};
const struct hvm_ops *hvm_ops = &ops;

static struct domain domain;
static struct hvm_domain hd;
static struct hvm_vcpu hv;
static struct vcpu vcpu;

/* A hypercall begins: what the vendor notes of its caller. */
static void call_begins(void)
{
	hv.call_cr3 = !ring && (cregs[EFER] & EFER_LMA) ? cregs[CR3]
							: NO_KERNEL_CR3;
}

static int copy_in(void *dst, uint64_t va, size_t len)
{
	call_begins();
	return hvm_copy_from_guest(&vcpu, dst, va, len);
}

static int copy_out(uint64_t va, const void *src, size_t len)
{
	call_begins();
	return hvm_copy_to_guest(&vcpu, va, src, len);
}

#define P  1UL
#define W  2UL
#define U  4UL
#define A  0x20UL
#define D  0x40UL
#define PS 0x80UL
#define NX BIT(63)

static uint64_t *table(unsigned int page)
{
	return (uint64_t *)ram[page];
}

/* 64-bit mode: page 1 is the top; 2, 3, 4 below it. */
static void fresh(void)
{
	memset(ram, 0, sizeof(ram));
	for (unsigned int i = 0; i < PAGES; i++)
		types[i] = P2M_RAM_RW;
	ring = lookups = 0;
	hd = (struct hvm_domain){0};
	domain.p2m.ram_left++; /* nothing of the last test is known */
	hv = (struct hvm_vcpu){.hd = &hd};
	domain.arch = &hd;
	vcpu = (struct vcpu){.domain = &domain, .arch = &hv};
	cregs[CR0] = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP;
	cregs[CR3] = 0x1000;
	cregs[CR4] = X86_CR4_PAE;
	cregs[EFER] = EFER_LME | EFER_LMA | EFER_NXE;
	table(1)[0] = 0x2000 | P | W | U;
	table(2)[0] = 0x3000 | P | W | U;
	table(3)[0] = 0x4000 | P | W | U;
}

static gpa_t walk(uint64_t va, uint32_t access, uint32_t *error)
{
	gpa_t gpa;

	*error = 0;
	return guest_walk(&vcpu, va, access, &gpa, error) ? gpa : ~0UL;
}

static void leaves(void)
{
	uint32_t e;

	fresh();
	table(4)[5] = 0x9000 | P | W | U;
	CHECK_EQ(walk(0x5123, 0, &e), 0x9123);
	table(3)[1] = 0x600000 | P | W | PS;
	CHECK_EQ(walk(0x345678, 0, &e), 0x745678);
	table(2)[1] = 0x40000000UL | P | W | PS;
	CHECK_EQ(walk(0x47654321, 0, &e), 0x47654321);
	/* the upper half of the address space */
	table(1)[511] = 0x2000 | P | W;
	CHECK_EQ(walk(0xffffff8000005678, 0, &e), 0x9678);
	/* not canonical, and nothing there */
	CHECK_EQ(walk(0x800000005000, 0, &e), ~0UL);
	CHECK_EQ(walk(0x6000, WALK_WRITE, &e), ~0UL);
	CHECK_EQ(e, WALK_WRITE);
	/* tables outside the guest's memory */
	table(3)[2] = 0x7ffff000 | P | W | U;
	CHECK_EQ(walk(0x400000, 0, &e), ~0UL);
}

static void rights(void)
{
	uint32_t e;

	fresh();
	table(4)[0] = 0x8000 | P | W | U;
	table(4)[1] = 0x9000 | P | U;
	table(4)[2] = 0xa000 | P | W;
	table(4)[3] = 0xb000 | P | W | U | NX;
	CHECK_EQ(walk(0x0, WALK_USER | WALK_WRITE, &e), 0x8000);
	CHECK_EQ(walk(0x1000, WALK_WRITE, &e), ~0UL);
	CHECK_EQ(e, WALK_WRITE | 1);
	cregs[CR0] &= ~X86_CR0_WP;
	CHECK_EQ(walk(0x1000, WALK_WRITE, &e), 0x9000);
	CHECK_EQ(walk(0x1000, WALK_WRITE | WALK_USER, &e), ~0UL);
	CHECK_EQ(walk(0x2000, WALK_USER, &e), ~0UL);
	CHECK_EQ(e, WALK_USER | 1);
	CHECK_EQ(walk(0x3000, WALK_FETCH, &e), ~0UL);
	CHECK_EQ(e, WALK_FETCH | 1);
	CHECK_EQ(walk(0x3000, 0, &e), 0xb000);
	/* SMEP: the kernel runs no user page */
	CHECK_EQ(walk(0x0, WALK_FETCH, &e), 0x8000);
	cregs[CR4] |= BIT(20);
	CHECK_EQ(walk(0x0, WALK_FETCH, &e), ~0UL);
	/* a right that an upper level withholds */
	table(2)[0] &= ~W;
	cregs[CR0] |= X86_CR0_WP;
	CHECK_EQ(walk(0x2000, WALK_WRITE, &e), ~0UL);
}

static void accessed_dirty(void)
{
	uint32_t e;

	fresh();
	table(4)[0] = 0x8000 | P | W | U;
	CHECK_EQ(walk(0x0, 0, &e), 0x8000);
	CHECK_EQ(table(4)[0] & (A | D), A);
	CHECK_EQ(table(1)[0] & (A | D), A);
	CHECK_EQ(walk(0x0, WALK_WRITE, &e), 0x8000);
	CHECK_EQ(table(4)[0] & (A | D), A | D);
	CHECK_EQ(table(3)[0] & (A | D), A);
	/* a refused write leaves no mark */
	table(4)[1] = 0x9000 | P | U;
	CHECK_EQ(walk(0x1000, WALK_WRITE, &e), ~0UL);
	CHECK_EQ(table(4)[1] & (A | D), 0);
	/* nor is one made where the guest may not write */
	table(4)[2] = 0xa000 | P | W;
	types[4] = P2M_GRANT_RO;
	domain.p2m.ram_left++;
	CHECK_EQ(walk(0x2000, WALK_WRITE, &e), 0xa000);
	CHECK_EQ(table(4)[2] & (A | D), 0);
	table(3)[0] &= ~A;
	types[3] = P2M_RAM_RO;
	domain.p2m.ram_left++;
	CHECK_EQ(walk(0x0, 0, &e), 0x8000);
	CHECK_EQ(table(3)[0] & A, 0);
}

static void legacy_modes(void)
{
	uint32_t *t32 = (uint32_t *)ram[1], *l32 = (uint32_t *)ram[2];
	uint32_t e;

	fresh();
	cregs[EFER] = 0;
	cregs[CR0] = X86_CR0_PE;
	CHECK_EQ(walk(0x1ffffffff, 0, &e), 0xffffffff); /* no paging */
	cregs[CR0] |= X86_CR0_PG;
	/* PAE: the root is 32-byte aligned within its page */
	cregs[CR3] = 0x1020;
	table(1)[4] = 0x3000 | P;
	table(3)[0] = 0x4000 | P | W;
	table(4)[7] = 0xc000 | P | W;
	CHECK_EQ(walk(0x7010, WALK_WRITE, &e), 0xc010);
	CHECK_EQ(walk(0x40000000, 0, &e), ~0UL);
	/* two levels */
	cregs[CR4] = BIT(4);
	cregs[CR3] = 0x1000;
	memset(ram[1], 0, sizeof(ram[1]));
	memset(ram[2], 0, sizeof(ram[2]));
	t32[1] = 0x2000 | P | W;
	l32[3] = 0xd000 | P | W;
	CHECK_EQ(walk(0x403004, 0, &e), 0xd004);
	CHECK_EQ(t32[1], 0x2000 | P | W | A);
	CHECK_EQ(l32[3], 0xd000 | P | W | A);
	t32[2] = 0x400000 | P | W | PS;
	CHECK_EQ(walk(0x812345, WALK_WRITE, &e), 0x412345);
	CHECK_EQ(t32[2], 0x400000 | P | W | PS | A | D);
	types[2] = P2M_GRANT_RO;
	domain.p2m.ram_left++;
	l32[4] = 0xe000 | P | W;
	CHECK_EQ(walk(0x404004, WALK_WRITE, &e), 0xe004);
	CHECK_EQ(l32[4], 0xe000 | P | W);
}

static void copies(void)
{
	char buf[64], text[] = "from one page into the next, and back";

	fresh();
	table(4)[0] = 0x20000 | P | W;
	table(4)[1] = 0x10000 | P | W;
	CHECK_EQ(copy_out(0xff0, text, sizeof(text)), 0);
	CHECK(!memcmp(ram[0x20] + 0xff0, text, 16));
	CHECK(!memcmp(ram[0x10], text + 16, sizeof(text) - 16));
	CHECK_EQ(copy_in(buf, 0xff0, sizeof(text)), 0);
	CHECK(!memcmp(buf, text, sizeof(text)));
	/* the next page is not there */
	CHECK_EQ(copy_in(buf, 0x1ff0, 32), -EFAULT);
	CHECK_EQ(hvm_fetch(&vcpu, 0x1ff8, (uint8_t *)buf, 15), 8);
	CHECK_EQ(hvm_fetch(&vcpu, 0x2000, (uint8_t *)buf, 15), 0);
	/* read-only for the guest's own tables, or for its p2m */
	table(4)[0] &= ~W;
	CHECK_EQ(copy_out(0x10, text, 4), -EFAULT);
	types[0x10] = P2M_GRANT_RO;
	domain.p2m.ram_left++;
	CHECK_EQ(copy_out(0x1010, text, 4), -EFAULT);
	CHECK_EQ(copy_in(buf, 0x1010, 4), 0);
	/* user mode cannot reach the kernel's pages */
	ring = 3;
	CHECK_EQ(copy_in(buf, 0x1010, 4), -EFAULT);
}

static void expect_word(uint64_t va, uint64_t value)
{
	uint64_t word = 0;

	CHECK_EQ(copy_in(&word, va, sizeof(word)), 0);
	CHECK_EQ(word, value);
}

/* What a copy remembers of its walk ends with any change on the way. */
static void known_walks(void)
{
	uint64_t word = 5, *leaf;

	fresh();
	leaf = table(4);
	leaf[0] = 0x10000 | P | W;
	leaf[1] = 0x12000 | P | W;
	memset(ram[0x10], 1, 8);
	memset(ram[0x11], 2, 8);
	memset(ram[0x12], 3, 8);
	expect_word(0, 0x0101010101010101);
	expect_word(0, 0x0101010101010101);
	expect_word(0x1000, 0x0303030303030303);
	/* another page, without any flush */
	leaf[0] = 0x11000 | P | W | A;
	expect_word(0, 0x0202020202020202);
	expect_word(0, 0x0202020202020202);
	/* what may be read is not what may be written */
	leaf[0] &= ~W;
	expect_word(0, 0x0202020202020202);
	CHECK_EQ(copy_out(0, &word, 8), -EFAULT);
	leaf[0] |= W;
	CHECK_EQ(copy_out(0, &word, 8), 0);
	CHECK(leaf[0] & D);
	/* a dirty bit that the guest has cleared is set again */
	leaf[0] &= ~D;
	CHECK_EQ(copy_out(0, &word, 8), 0);
	CHECK(leaf[0] & D);
	expect_word(0, 5);
	/* the page leaves the p2m */
	types[0x11] = P2M_NONE;
	domain.p2m.ram_left++;
	CHECK_EQ(copy_in(&word, 0, 8), -EFAULT);
	/* an address that is not canonical is not its neighbour */
	CHECK_EQ(copy_in(&word, BIT(48) | 0x1000, 8), -EFAULT);
	expect_word(0x1000, 0x0303030303030303);
	ring = 3;
	CHECK_EQ(copy_in(&word, 0x1000, 8), -EFAULT);
}

/* What another domain has granted leaves the p2m without being counted: it is
 * not remembered, be it the page or a table on the way to it. */
static void known_walks_are_of_ram(void)
{
	uint64_t word;

	fresh();
	table(4)[0] = 0x10000 | P | W;
	memset(ram[0x10], 1, 8);
	types[0x10] = P2M_GRANT_RW;
	expect_word(0, 0x0101010101010101);
	expect_word(0, 0x0101010101010101);
	types[0x10] = P2M_NONE;
	CHECK_EQ(copy_in(&word, 0, 8), -EFAULT);

	fresh();
	types[4] = P2M_GRANT_RW;
	table(4)[0] = 0x10000 | P | W;
	expect_word(0, 0);
	expect_word(0, 0);
	types[4] = P2M_NONE;
	CHECK_EQ(copy_in(&word, 0, 8), -EFAULT);
}

/* A page is looked up once, until the p2m loses something. */
static void page_cache(void)
{
	uint32_t e;

	fresh();
	table(4)[0] = 0x8000 | P | W | U;
	CHECK_EQ(walk(0x0, 0, &e), 0x8000);
	CHECK_EQ(lookups, 4);
	CHECK_EQ(walk(0x0, 0, &e), 0x8000);
	CHECK_EQ(lookups, 4);
	types[3] = P2M_NONE;
	domain.p2m.ram_left++;
	CHECK_EQ(walk(0x0, 0, &e), ~0UL);
	CHECK(lookups > 4);
	/* what is not plain RAM is asked for each time */
	fresh();
	types[0x10] = P2M_GRANT_RO;
	CHECK(hvm_gfn_virt(&vcpu, _gfn(0x10), false) == ram[0x10]);
	CHECK(hvm_gfn_virt(&vcpu, _gfn(0x10), true) == NULL);
	CHECK_EQ(lookups, 2);
}

int main(void)
{
	static const struct test_case cases[] = {
		{"leaves of three sizes", leaves},
		{"rights", rights},
		{"accessed and dirty bits", accessed_dirty},
		{"PAE, 32-bit, no paging", legacy_modes},
		{"copies", copies},
		{"walks that are remembered", known_walks},
		{"only walks through RAM are", known_walks_are_of_ram},
		{"the cache of pages", page_cache},
	};

	return RUN_CASES(cases);
}
