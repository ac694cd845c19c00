// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that the other end may still write to because it could not be told to
 * stop. Its owner gets it back all the same, for there is nothing left to wait for,
 * but a reference on each page keeps it from being anything else ever again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>

#include "data.h"

/*
 * Of some pages a reference keeps nothing: an object of a slab goes to the next caller
 * of kmalloc(), and the pages of a block from alloc_pages(), but for the first, have no
 * count of their own. Nor has, on 7.3, what kmalloc() takes from there directly.
 */
static void kmcl_pin(struct kmcl_channel *chan, struct page *page)
{
	struct page *head = compound_head(page);

	if (!PageSlab(head) && get_page_unless_zero(head))
		atomic64_inc(&chan->count.pinned);
	else
		atomic64_inc(&chan->count.unpinned);
}

/* Says what has become of a channel's memory so far, if there is any. */
void kmcl_pin_report(struct kmcl_channel *chan)
{
	if (!atomic64_read(&chan->count.pinned) &&
	    !atomic64_read(&chan->count.unpinned))
		return;
	kmcl_warn(chan, "the other end may still write to memory that it could not be told to leave alone: %lld pages are pinned for good, %lld cannot be pinned and must never be used again\n",
		  (long long)atomic64_read(&chan->count.pinned),
		  (long long)atomic64_read(&chan->count.unpinned));
}

void kmcl_pin_gpadl(struct kmcl_channel *chan, const struct kmcl_gpadl *gpadl)
{
	u32 i;

	for (i = 0; i < gpadl->n_pages; i++)
		kmcl_pin(chan, gpadl->pages[i]);
}

/* The memory that a packet describes, if it does. */
void kmcl_pin_external(struct kmcl_packet *pkt)
{
	const struct kmcl_wire_gpa *gpa = pkt->tx.out.gpa;
	const struct kmcl_wire_range *range;
	u32 i, n, pages;

	if (!gpa)
		return;
	range = (const void *)gpa->range;
	for (n = 0; n < gpa->ranges; n++) {
		pages = DIV_ROUND_UP_ULL((u64)range->offset + range->len,
					 KMCL_WIRE_PAGE_SIZE);
		for (i = 0; i < pages; i++) {
			unsigned long pfn = range->pfn[i] >>
					    (PAGE_SHIFT - KMCL_WIRE_PAGE_SHIFT);

			if (pfn_valid(pfn))
				kmcl_pin(pkt->chan, pfn_to_page(pfn));
		}
		range = (const void *)&range->pfn[pages];
	}
}
