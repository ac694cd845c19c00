// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of packets that the host is to see under other addresses than the guest has
 * for it: in an isolated guest, or where the platform wants it (swiotlb=force), the
 * kernel's DMA API copies it to pages that are shared, and back. Page by page, for a
 * range of a packet is pages of 4096 bytes of which only the first and the last may be
 * used in part; so what describes the memory in the packet's own room afterwards
 * describes the copy, with the same offsets, and is all that undoing it needs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "hv.h"

/* A page of what a packet describes. */
struct kmcl_hv_page {
	struct kmcl_wire_range *range;
	u32 ranges;	/* left behind @range */
	u32 i;		/* the page's number in @range */
	u32 left;	/* bytes of @range from this page on */
	u32 offset;	/* of the first byte in it, */
	u32 len;	/* and how many */
};

static void kmcl_hv_page_set(struct kmcl_hv_page *page)
{
	page->len = min(page->left, KMCL_WIRE_PAGE_SIZE - page->offset);
}

/* Ranges of a packet are never empty. */
static void kmcl_hv_page_first(struct kmcl_hv_page *page, struct kmcl_wire_gpa *gpa)
{
	page->range = (void *)gpa->range;
	page->ranges = gpa->ranges - 1;
	page->i = 0;
	page->left = page->range->len;
	page->offset = page->range->offset;
	kmcl_hv_page_set(page);
}

/* False behind the last one. */
static bool kmcl_hv_page_next(struct kmcl_hv_page *page)
{
	page->left -= page->len;
	page->i++;
	page->offset = 0;
	if (!page->left) {
		if (!page->ranges)
			return false;
		page->ranges--;
		page->range = (void *)&page->range->pfn[page->i];
		page->i = 0;
		page->left = page->range->len;
		page->offset = page->range->offset;
	}
	kmcl_hv_page_set(page);
	return true;
}

static int kmcl_hv_page_map(struct device *dev, struct kmcl_hv_page *page,
			    enum dma_data_direction dir)
{
	u64 address = (page->range->pfn[page->i] << KMCL_WIRE_PAGE_SHIFT) + page->offset;
	dma_addr_t dma;

	/* A client may name any frame; only memory can be copied. */
	if (!pfn_valid(address >> PAGE_SHIFT))
		return -EOPNOTSUPP;

	/* That there is no room now is no news: the packet waits. */
	dma = dma_map_page_attrs(dev, pfn_to_page(address >> PAGE_SHIFT),
				 offset_in_page(address), page->len, dir,
				 DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, dma))
		return -ENOBUFS;
	page->range->pfn[page->i] = dma >> KMCL_WIRE_PAGE_SHIFT;
	return 0;
}

static void kmcl_hv_page_unmap(struct device *dev, const struct kmcl_hv_page *page,
			       enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_page_attrs(dev,
			     (page->range->pfn[page->i] << KMCL_WIRE_PAGE_SHIFT) +
			     page->offset, page->len, dir, attrs);
}

/* Undoes the first @pages. */
static void kmcl_hv_unmap_pages(struct device *dev, struct kmcl_out *out, u32 pages,
				unsigned long attrs)
{
	struct kmcl_hv_page page;

	kmcl_hv_page_first(&page, out->gpa);
	while (pages--) {
		kmcl_hv_page_unmap(dev, &page, out->dir, attrs);
		kmcl_hv_page_next(&page);
	}
}

/*
 * Maps all or nothing. A part that was kept while the rest waits for room could wait
 * for another channel that does the same. What the packet described before is kept
 * meanwhile: the DMA API has no way back from its addresses.
 */
int kmcl_hv_map(struct kmcl_link *link, struct kmcl_out *out)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	struct device *dev = &hv->dev->device;
	struct kmcl_hv_page page;
	u32 pages = 0;
	int ret;

	/* It was queued when the channel had other limits. */
	if (out->gpa_len > hv->original_bytes)
		return -EOPNOTSUPP;

	memcpy(hv->original, out->gpa, out->gpa_len);
	kmcl_hv_page_first(&page, out->gpa);
	do {
		ret = kmcl_hv_page_map(dev, &page, out->dir);
		if (ret)
			goto undo;
		pages++;
	} while (kmcl_hv_page_next(&page));
	return 0;

undo:
	kmcl_hv_unmap_pages(dev, out, pages, DMA_ATTR_SKIP_CPU_SYNC);
	memcpy(out->gpa, hv->original, out->gpa_len);
	return ret;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_map);

void kmcl_hv_unmap(struct kmcl_link *link, struct kmcl_out *out, bool copy)
{
	struct device *dev = &to_hv_link(link)->dev->device;

	kmcl_hv_unmap_pages(dev, out, kmcl_wire_gpa_pages(out->gpa, out->gpa_len),
			    copy ? 0 : DMA_ATTR_SKIP_CPU_SYNC);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_unmap);

/*
 * Does the DMA API have other addresses for memory than the guest? It is asked, by way
 * of a page, for no other way to know is right on all kernels: what makes it copy is
 * the platform's (the processor encrypts memory), the command line's or an IOMMU's, and
 * known to it alone. The devices of VMBus have a mask of 64 bits, and on the machines
 * that have VMBus all of them are coherent, so it does not depend on the page. Where
 * the pool is empty just now it answers with an error, which it does nowhere else.
 */
static bool kmcl_hv_bounces(struct device *dev, struct page *page)
{
	dma_addr_t dma = dma_map_page_attrs(dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE,
					    DMA_ATTR_NO_WARN);
	bool bounces;

	if (dma_mapping_error(dev, dma))
		return true;
	bounces = dma != page_to_phys(page);
	dma_unmap_page_attrs(dev, dma, PAGE_SIZE, DMA_TO_DEVICE, 0);
	return bounces;
}

/* How many pages there are to copy to: the machine's, for all devices. */
static u32 kmcl_hv_pool_pages(const struct device *dev)
{
#ifdef CONFIG_SWIOTLB
	const struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

#ifdef CONFIG_SWIOTLB_DYNAMIC
	if (mem && mem->can_grow)
		return U32_MAX;
#endif
	if (mem && mem->nslabs)
		return ((u64)mem->nslabs << IO_TLB_SHIFT) >> KMCL_WIRE_PAGE_SHIFT;
#endif
	return U32_MAX;
}

/* Before the channel is opened. */
int kmcl_hv_bounce_prepare(struct kmcl_hv_link *hv, const struct kmcl_link_params *p)
{
	struct device *dev = &hv->dev->device;
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	bool bounces;

	if (!page)
		return -ENOMEM;
	/*
	 * Copies begin at the same byte of a page as what they are copies of. It stays
	 * set: what is mapped then is unmapped with it, and drivers that have the device
	 * later set their own or do not care.
	 */
	dma_set_min_align_mask(dev, KMCL_WIRE_PAGE_SIZE - 1);
	bounces = kmcl_hv_bounces(dev, page);
	__free_page(page);

	kmcl_hv_bounce_free(hv);
	hv->link.bounce_pages = 0;
	if (!bounces)
		return 0;

	hv->original = kvmalloc(p->max_gpa, GFP_KERNEL);
	if (!hv->original)
		return -ENOMEM;
	hv->original_bytes = p->max_gpa;
	hv->link.bounce_pages = kmcl_hv_pool_pages(dev);
	return 0;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_bounce_prepare);

void kmcl_hv_bounce_free(struct kmcl_hv_link *hv)
{
	kvfree(hv->original);
	hv->original = NULL;
	hv->original_bytes = 0;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_hv_bounce_free);
