// SPDX-License-Identifier: GPL-2.0
/*
 * What makes the client a Linux module, and the pages that it gives away.
 */
#define pr_fmt(fmt) "dynmem: " fmt

#include <linux/bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/page-flags.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <wdf.h>

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

struct _DYNMEM_PAGES {
	struct mutex lock;	/* guards the blocks */
	struct xarray blocks;
};

/* Of all devices. */
static atomic_long_t dynmem_held;

NTSTATUS DynmemPagesCreate(PDYNMEM_PAGES *Pages)
{
	PDYNMEM_PAGES pages = kzalloc(sizeof(*pages), GFP_KERNEL);

	if (!pages)
		return STATUS_INSUFFICIENT_RESOURCES;
	mutex_init(&pages->lock);
	xa_init(&pages->blocks);
	*Pages = pages;
	return STATUS_SUCCESS;
}

VOID DynmemPagesDelete(PDYNMEM_PAGES Pages)
{
	WARN_ON(!xa_empty(&Pages->blocks));
	xa_destroy(&Pages->blocks);
	kfree(Pages);
}

VOID DynmemQueryMemory(PDYNMEM_MEMORY Memory)
{
	Memory->TotalPages = totalram_pages() + atomic_long_read(&dynmem_held);
	Memory->AvailablePages = max(si_mem_available(), 0L);
	Memory->CommittedPages = vm_memory_committed();
}

static struct dynmem_block *dynmem_block_get(PDYNMEM_PAGES pages, unsigned long pfn)
{
	unsigned long index = pfn >> DYNMEM_BLOCK_ORDER;
	struct dynmem_block *block;

	block = xa_load(&pages->blocks, index);
	if (block)
		return block;

	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return NULL;
	if (xa_err(xa_store(&pages->blocks, index, block, GFP_KERNEL))) {
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

ULONG DynmemTakePages(PDYNMEM_PAGES Pages, ULONG MaximumPages, PUINT64 FirstPage)
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

	mutex_lock(&Pages->lock);
	block = dynmem_block_get(Pages, pfn);
	if (!block) {
		mutex_unlock(&Pages->lock);
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
	atomic_long_add(1UL << order, &dynmem_held);
	mutex_unlock(&Pages->lock);

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
static unsigned long dynmem_block_free(PDYNMEM_PAGES pages, struct dynmem_block *block,
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
		xa_erase(&pages->blocks, index);
		kfree(block);
	}
	return freed;
}

UINT64 DynmemReturnPages(PDYNMEM_PAGES Pages, UINT64 FirstPage, UINT64 PageCount)
{
	unsigned long first_index, last_index, index;
	struct dynmem_block *block;
	unsigned long freed = 0;
	UINT64 last;

	/* Both numbers are at most 40 bits wide, so the sum does not wrap. */
	if (!PageCount)
		return 0;
	last = FirstPage + PageCount - 1;
	first_index = FirstPage >> DYNMEM_BLOCK_ORDER;
	last_index = last >> DYNMEM_BLOCK_ORDER;

	/* Only the blocks that exist cost time, however long the range is. */
	mutex_lock(&Pages->lock);
	xa_for_each_range(&Pages->blocks, index, block, first_index, last_index)
		freed += dynmem_block_free(Pages, block, index,
					   index == first_index ?
					   FirstPage % DYNMEM_BLOCK_PAGES : 0,
					   index == last_index ?
					   last % DYNMEM_BLOCK_PAGES :
					   DYNMEM_BLOCK_PAGES - 1);
	atomic_long_sub(freed, &dynmem_held);
	mutex_unlock(&Pages->lock);

	return freed;
}

/* The host's pages are 4 KiB and it may give back single ones. */
static_assert(PAGE_SIZE == SZ_4K);

/* 525074dc-8985-46e2-8057-a307dc18a502 */
static const struct hv_vmbus_device_id dynmem_ids[] = {
	{ .guid = GUID_INIT(0x525074dc, 0x8985, 0x46e2,
			    0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02) },
	{}
};

module_kmdf_driver(DriverEntry, dynmem_ids);

MODULE_DESCRIPTION("Dynamic Memory client on the VMBus Kernel Mode Client Library");
MODULE_LICENSE("GPL");
