// SPDX-License-Identifier: GPL-2.0
/*
 * What makes the client a Linux module: init and exit, the clock for its status
 * reports, and the pages that it gives away.
 */
#define pr_fmt(fmt) "dynmem: " fmt

#include <linux/bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "dynmem.h"

/*
 * The pages given away, by blocks of 2 MiB: the index is the frame number of
 * the block's first page, shifted. A page's bit says that it was given away.
 */
#define DYNMEM_BLOCK_ORDER	9
#define DYNMEM_BLOCK_PAGES	BIT(DYNMEM_BLOCK_ORDER)

struct dynmem_block {
	DECLARE_BITMAP(held, DYNMEM_BLOCK_PAGES);
};

static DEFINE_MUTEX(dynmem_lock);	/* guards the next two and the blocks */
static DEFINE_XARRAY(dynmem_blocks);
static unsigned long dynmem_held;

static PDYNMEM dynmem;

VOID DynmemQueryMemory(PDYNMEM_MEMORY Memory)
{
	Memory->TotalPages = totalram_pages() + READ_ONCE(dynmem_held);
	Memory->AvailablePages = max(si_mem_available(), 0L);
	Memory->CommittedPages = vm_memory_committed();
}

static struct dynmem_block *dynmem_block_get(unsigned long pfn)
{
	unsigned long index = pfn >> DYNMEM_BLOCK_ORDER;
	struct dynmem_block *block;

	block = xa_load(&dynmem_blocks, index);
	if (block)
		return block;

	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return NULL;
	if (xa_err(xa_store(&dynmem_blocks, index, block, GFP_KERNEL))) {
		kfree(block);
		return NULL;
	}
	return block;
}

/* An ordinary shortage is no reason to reclaim hard, to warn, or to kill. */
static struct page *dynmem_alloc(unsigned int *order)
{
	const gfp_t gfp = GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOMEMALLOC |
			  __GFP_NOWARN;

	for (;;) {
		struct page *page = alloc_pages(gfp, *order);

		if (page || !*order)
			return page;
		--*order;
	}
}

ULONG DynmemTakePages(ULONG MaximumPages, PUINT64 FirstPage)
{
	unsigned int order, i;
	struct dynmem_block *block;
	struct page *page;
	unsigned long pfn;

	if (!MaximumPages)
		return 0;

	order = min_t(unsigned int, ilog2(MaximumPages), DYNMEM_BLOCK_ORDER);
	page = dynmem_alloc(&order);
	if (!page)
		return 0;

	/* Aligned to its size, so never across two blocks. */
	pfn = page_to_pfn(page);

	mutex_lock(&dynmem_lock);
	block = dynmem_block_get(pfn);
	if (!block) {
		mutex_unlock(&dynmem_lock);
		__free_pages(page, order);
		return 0;
	}

	/* The host may give any page back without the others. */
	split_page(page, order);

	/*
	 * Nothing may look into the pages from now on, a crash dump included;
	 * and they are no longer part of what the guest has.
	 */
	for (i = 0; i < 1U << order; i++) {
		__SetPageOffline(page + i);
		adjust_managed_page_count(page + i, -1);
	}
	bitmap_set(block->held, pfn % DYNMEM_BLOCK_PAGES, 1U << order);
	WRITE_ONCE(dynmem_held, dynmem_held + (1UL << order));
	mutex_unlock(&dynmem_lock);

	*FirstPage = pfn;
	return 1U << order;
}

static void dynmem_free(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	__ClearPageOffline(page);
	adjust_managed_page_count(page, 1);
	__free_page(page);
}

/* Frees what is held of @block between the two bits, the last one included. */
static unsigned long dynmem_block_free(struct dynmem_block *block,
				       unsigned long index,
				       unsigned long first, unsigned long last)
{
	unsigned long freed = 0;
	unsigned long bit = first;

	for_each_set_bit_from(bit, block->held, last + 1) {
		__clear_bit(bit, block->held);
		dynmem_free((index << DYNMEM_BLOCK_ORDER) + bit);
		freed++;
	}

	if (bitmap_empty(block->held, DYNMEM_BLOCK_PAGES)) {
		xa_erase(&dynmem_blocks, index);
		kfree(block);
	}
	return freed;
}

UINT64 DynmemReturnPages(UINT64 FirstPage, UINT64 Pages)
{
	unsigned long first_index, last_index, index;
	struct dynmem_block *block;
	unsigned long freed = 0;
	UINT64 last;

	/* Both numbers are at most 40 bits wide, so the sum does not wrap. */
	if (!Pages)
		return 0;
	last = FirstPage + Pages - 1;
	first_index = FirstPage >> DYNMEM_BLOCK_ORDER;
	last_index = last >> DYNMEM_BLOCK_ORDER;

	/* Only the blocks that exist cost time, however long the range is. */
	mutex_lock(&dynmem_lock);
	xa_for_each_range(&dynmem_blocks, index, block, first_index, last_index)
		freed += dynmem_block_free(block, index,
					   index == first_index ?
					   FirstPage % DYNMEM_BLOCK_PAGES : 0,
					   index == last_index ?
					   last % DYNMEM_BLOCK_PAGES :
					   DYNMEM_BLOCK_PAGES - 1);
	WRITE_ONCE(dynmem_held, dynmem_held - freed);
	mutex_unlock(&dynmem_lock);

	return freed;
}

static void dynmem_tick(struct work_struct *work)
{
	DynmemReportStatus(dynmem);
	schedule_delayed_work(to_delayed_work(work), HZ);
}

static DECLARE_DELAYED_WORK(dynmem_clock, dynmem_tick);

static int __init dynmem_init(void)
{
	NTSTATUS status;

	/* The host's pages are 4 KiB and it may give back single ones. */
	BUILD_BUG_ON(PAGE_SIZE != SZ_4K);

	status = DynmemStart(linux_device_to_wdfdevice(NULL), &dynmem);
	if (!NT_SUCCESS(status)) {
		pr_err("not started: status %08x\n", status);
		return -EIO;
	}

	schedule_delayed_work(&dynmem_clock, HZ);
	return 0;
}

static void __exit dynmem_exit(void)
{
	cancel_delayed_work_sync(&dynmem_clock);
	DynmemStop(dynmem);
	WARN_ON(!xa_empty(&dynmem_blocks));
}

module_init(dynmem_init);
module_exit(dynmem_exit);

MODULE_DESCRIPTION("Dynamic Memory client on the VMBus Kernel Mode Client Library");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: vmbkmcl");
