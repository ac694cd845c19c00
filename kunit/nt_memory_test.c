// SPDX-License-Identifier: GPL-2.0
/*
 * What the NT words ask of Linux' memory: no I/O is waited for at PASSIVE_LEVEL, as the
 * caller may be what serves the disk, and nothing at all above. The kernel's
 * tracepoints tell of each allocation.
 */
#include <kunit/test.h>
#include <linux/fault-inject.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>
#include <linux/vmalloc.h>

#include <ntddk.h>

#include "frame.h"

#define TAG	0x4b547374

/* The flags of one thread's allocations. */
struct watch {
	struct task_struct *task;	/* NULL: of none */
	int pieces;		/* from kmalloc(), which may tell twice of a large one */
	int patient;		/* of these, those that may wait for memory */
	int pages;		/* from the page allocator, of others too */
	gfp_t any;		/* what one of all of them has */
	struct tracepoint *kmalloc;
	struct tracepoint *page_alloc;
};

static void watch_kmalloc(void *data, unsigned long call_site, const void *memory,
			  size_t asked, size_t given, gfp_t gfp, int node)
{
	struct watch *watch = data;

	if (current != watch->task || !in_task())
		return;
	watch->pieces++;
	watch->patient += !!(gfp & __GFP_DIRECT_RECLAIM);
	/* Here memalloc_noio_save() has not taken its bits away yet. */
	watch->any |= current_gfp_context(gfp);
}

static void watch_page_alloc(void *data, struct page *page, unsigned int order,
			     gfp_t gfp, int migratetype)
{
	struct watch *watch = data;

	if (current != watch->task || !in_task())
		return;
	watch->pages++;
	watch->any |= gfp;
}

static void watch_find(struct tracepoint *tracepoint, void *data)
{
	struct watch *watch = data;

	if (!strcmp(tracepoint->name, "kmalloc"))
		watch->kmalloc = tracepoint;
	if (!strcmp(tracepoint->name, "mm_page_alloc"))
		watch->page_alloc = tracepoint;
}

static void watch_start(struct kunit *test, struct watch *watch)
{
	*watch = (struct watch) {};
	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");

	for_each_kernel_tracepoint(watch_find, watch);
	KUNIT_ASSERT_NOT_NULL(test, watch->kmalloc);
	KUNIT_ASSERT_NOT_NULL(test, watch->page_alloc);
	KUNIT_ASSERT_EQ(test, tracepoint_probe_register(watch->kmalloc, watch_kmalloc, watch), 0);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_register(watch->page_alloc, watch_page_alloc,
							watch), 0);
	/* Registering has allocated, too. */
	watch->task = current;
}

static void watch_stop(struct watch *watch)
{
	watch->task = NULL;
	tracepoint_probe_unregister(watch->page_alloc, watch_page_alloc, watch);
	tracepoint_probe_unregister(watch->kmalloc, watch_kmalloc, watch);
	tracepoint_synchronize_unregister();
}

/* Everything that allocates, but for mappings. */
struct words {
	void *pool;
	void *pool_zeroed;
	PMDL mdl;
	PIO_WORKITEM item;
};

static void words_allocate(struct words *words)
{
	words->pool = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
	words->pool_zeroed = ExAllocatePool2(POOL_FLAG_NON_PAGED, 3 * PAGE_SIZE, TAG);
	words->mdl = IoAllocateMdl(words->pool, 100, FALSE, FALSE, NULL);
	words->item = IoAllocateWorkItem(NULL);
}

static void words_free(struct kunit *test, struct words *words)
{
	KUNIT_EXPECT_NOT_NULL(test, words->pool);
	KUNIT_EXPECT_NOT_NULL(test, words->pool_zeroed);
	KUNIT_EXPECT_NOT_NULL(test, words->mdl);
	KUNIT_EXPECT_NOT_NULL(test, words->item);
	if (words->item)
		IoFreeWorkItem(words->item);
	if (words->mdl)
		IoFreeMdl(words->mdl);
	ExFreePool(words->pool_zeroed);
	ExFreePool(words->pool);
}

static void at_passive_level_memory_is_waited_for_but_no_io(struct kunit *test)
{
	struct words words;
	struct watch watch;

	watch_start(test, &watch);
	words_allocate(&words);
	watch_stop(&watch);
	KUNIT_EXPECT_GE(test, watch.pieces, 4);
	KUNIT_EXPECT_EQ(test, watch.patient, watch.pieces);
	KUNIT_EXPECT_FALSE(test, watch.any & (__GFP_IO | __GFP_FS));
	words_free(test, &words);
}

static void at_dispatch_level_memory_is_not_waited_for(struct kunit *test)
{
	struct words words;
	struct watch watch;
	KIRQL old;

	watch_start(test, &watch);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	words_allocate(&words);
	KeLowerIrql(old);
	watch_stop(&watch);
	KUNIT_EXPECT_GE(test, watch.pieces, 4);
	KUNIT_EXPECT_FALSE(test, watch.any & __GFP_DIRECT_RECLAIM);
	words_free(test, &words);
}

static void much_memory_is_had_without_io(struct kunit *test)
{
	struct watch watch;
	void *memory;

	watch_start(test, &watch);
	memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 5000001, TAG);
	watch_stop(&watch);
	KUNIT_EXPECT_NOT_NULL(test, memory);
	/* Pages that are had many at once are not told, but what vmalloc() keeps of them. */
	KUNIT_EXPECT_GT(test, watch.pieces, 0);
	KUNIT_EXPECT_FALSE(test, watch.any & (__GFP_IO | __GFP_FS));
	ExFreePool(memory);
}

static void pages_are_mapped_without_io(struct kunit *test)
{
	u8 *pages = kunit_kzalloc(test, 3 * PAGE_SIZE, GFP_KERNEL);
	struct watch watch;
	void *address;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	mdl = IoAllocateMdl(NULL, 2 * 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	/* Not one after the other, so they need a mapping. */
	frames_apart(MmGetMdlPfnArray(mdl), pages, pages + PAGE_SIZE);
	mdl->MdlFlags |= MDL_PAGES_LOCKED;

	watch_start(test, &watch);
	address = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	watch_stop(&watch);
	KUNIT_EXPECT_TRUE(test, is_vmalloc_addr(address));
	KUNIT_EXPECT_GT(test, watch.pages, 0);
	KUNIT_EXPECT_FALSE(test, watch.any & (__GFP_IO | __GFP_FS));
	IoFreeMdl(mdl);
}

static void a_small_piece_comes_from_the_reserves_at_last(struct kunit *test)
{
	void *small, *nothing;
	bool hit;

	/* The first try fails, the second, from the reserves, does not. */
	current->fail_nth = 1;
	small = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
	hit = !current->fail_nth;
	current->fail_nth = 0;
	KUNIT_EXPECT_TRUE(test, hit);
	KUNIT_EXPECT_NOT_NULL(test, small);
	ExFreePool(small);

	current->fail_nth = 1;
	nothing = kmalloc(100, GFP_KERNEL);
	current->fail_nth = 0;
	KUNIT_EXPECT_NULL(test, nothing);
}

static struct kunit_case nt_memory_cases[] = {
	KUNIT_CASE(at_passive_level_memory_is_waited_for_but_no_io),
	KUNIT_CASE(at_dispatch_level_memory_is_not_waited_for),
	KUNIT_CASE(much_memory_is_had_without_io),
	KUNIT_CASE(pages_are_mapped_without_io),
	KUNIT_CASE(a_small_piece_comes_from_the_reserves_at_last),
	{}
};

static struct kunit_suite nt_memory_suite = {
	.name = "kmcl_nt_memory",
	.test_cases = nt_memory_cases,
};

kunit_test_suite(nt_memory_suite);
