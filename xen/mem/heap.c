/* SPDX-License-Identifier: MIT */
/*
 * Objects: pages cut into pieces of one size each, and whole pages for what is
 * larger. A piece never stands at the start of a page, a whole allocation
 * always does: that is how xfree() tells them apart. See alloc.h.
 */
#include "console/printk.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "mem/alloc.h"
#include "mem/frame_word.h"
#include "mem/internal.h"

/* At the start of each page of pieces. */
struct slab {
	struct list node; /* in its class, while it has a free piece */
	void *free;       /* pieces, each holding the next one's address */
	uint16_t class, used;
	uint32_t magic;
};
#define SLAB_MAGIC 0x05713ab5

static const uint16_t class_size[] = {16,  32,  48,  64,  96,   128,  192,
				      256, 336, 512, 672, 1008, 1344, 2032};
#define NR_CLASSES ARRAY_SIZE(class_size)

static struct {
	spinlock_t lock;
	struct list partial[NR_CLASSES];
	uint32_t empty[NR_CLASSES]; /* slabs without a piece in use */
} heap = {.lock = SPINLOCK_INIT(LOCK_HEAP)};

static unsigned int class_for(size_t size)
{
	unsigned int c = 0;

	while (class_size[c] < size)
		c++;
	return c;
}

static void *piece(struct slab *s, unsigned int i)
{
	return (char *)(s + 1) + (size_t)i * class_size[s->class];
}

static struct slab *slab_new(unsigned int class)
{
	struct slab *s = alloc_page_virt(0);
	unsigned int n;

	_Static_assert(sizeof(struct slab) % 16 == 0, "pieces are aligned");
	if (!s)
		return NULL;
	*s = (struct slab){.class = (uint16_t) class, .magic = SLAB_MAGIC};
	list_init(&s->node);
	n = (PAGE_SIZE - sizeof(*s)) / class_size[class];
	while (n--) {
		*(void **)piece(s, n) = s->free;
		s->free = piece(s, n);
	}
	return s;
}

/* Lock held; s has a free piece. */
static void *take_piece(struct slab *s)
{
	void **p = s->free;

	s->free = *p;
	if (!s->used++)
		heap.empty[s->class]--;
	if (!s->free)
		list_del(&s->node);
	return p;
}

static void *alloc_piece(unsigned int class)
{
	struct slab *s = NULL, *new;
	void *p = NULL;

	spin_lock(&heap.lock);
	if (!heap.partial[class].next)
		list_init(&heap.partial[class]);
	if (!list_empty(&heap.partial[class]))
		p = take_piece(
			list_first(&heap.partial[class], struct slab, node));
	spin_unlock(&heap.lock);
	if (p)
		return p;

	new = slab_new(class); /* takes the same level of lock */
	if (!new)
		return NULL;
	spin_lock(&heap.lock);
	s = new;
	heap.empty[class]++;
	list_add(&s->node, &heap.partial[class]);
	p = take_piece(s);
	spin_unlock(&heap.lock);
	return p;
}

static void free_piece(void *p)
{
	struct slab *s = (struct slab *)((uintptr_t)p & PAGE_MASK),
		    *gone = NULL;

	BUG_ON(s->magic != SLAB_MAGIC);
	spin_lock(&heap.lock);
	if (!s->free)
		list_add(&s->node, &heap.partial[s->class]);
	*(void **)p = s->free;
	s->free = p;
	if (!--s->used && heap.empty[s->class]++) {
		/* One empty slab of a class is enough to keep. */
		heap.empty[s->class]--;
		list_del(&s->node);
		s->magic = 0;
		gone = s;
	}
	spin_unlock(&heap.lock);
	free_page_virt(gone);
}

/* Frees n pages of ours from first on, in aligned blocks. */
static void free_range(mfn_t first, uint64_t n)
{
	while (n) {
		unsigned int order =
			__builtin_ctzl(mfn_x(first) | BIT(MAX_ORDER));

		order = min(order, (unsigned int)(63 - __builtin_clzl(n)));
		free_pages(first, order);
		first = mfn_add(first, 1UL << order);
		n -= 1UL << order;
	}
}

/* The number of pages stands in the first frame's type count. */
static void *alloc_whole(size_t size)
{
	uint64_t n = DIV_ROUND_UP(size, PAGE_SIZE);
	unsigned int order = n > 1 ? 64 - __builtin_clzl(n - 1) : 0;
	mfn_t mfn;

	if (n > 1UL << MAX_ORDER)
		return NULL;
	mfn = alloc_pages(order, 0);
	if (mfn_eq(mfn, INVALID_MFN))
		return NULL;
	free_range(mfn_add(mfn, n), (1UL << order) - n);
	mfn_to_frame(mfn)->word += n * FRAME_TONE;
	return mfn_to_virt(mfn);
}

static void free_whole(void *p)
{
	mfn_t mfn = virt_to_mfn(p);
	uint64_t n = frame_type_count(mfn);

	BUG_ON(!n || frame_owner(mfn) != DOMID_XEN);
	free_range(mfn, n);
}

void *xmalloc(size_t size)
{
	if (size <= class_size[NR_CLASSES - 1])
		return alloc_piece(class_for(size));
	if (size > PAGE_SIZE << MAX_ORDER)
		return NULL;
	return alloc_whole(size);
}

void *xzalloc(size_t size)
{
	void *p = xmalloc(size);

	if (p)
		clear_words(p, ROUND_UP(size, 8));
	return p;
}

void *xzalloc_array(size_t size, size_t n)
{
	size_t bytes;

	if (__builtin_mul_overflow(size, n, &bytes))
		return NULL;
	return xzalloc(bytes);
}

void xfree(void *p)
{
	if (!p)
		return;
	if ((uintptr_t)p & ~PAGE_MASK)
		free_piece(p);
	else
		free_whole(p);
}
