/* SPDX-License-Identifier: GPL-2.0 */
/* Memory as a host counts it: in frames of 4 KiB, whatever the kernel's pages. */
#ifndef VMBKMCL_KUNIT_FRAME_H
#define VMBKMCL_KUNIT_FRAME_H

#include <linux/mm.h>
#include <linux/vmalloc.h>

/* Frames of a page of the kernel's. */
#define PAGE_FRAMES	((u32)(PAGE_SIZE / 4096))

/* The frame at byte @at of a page. */
static inline u64 frame_of(const struct page *page, u32 at)
{
	return (u64)page_to_pfn(page) * PAGE_FRAMES + at / 4096;
}

/* The frame with that byte of the kernel's memory, a module's included. */
static inline u64 frame_at(const void *address)
{
	const struct page *page = virt_addr_valid(address) ? virt_to_page(address) :
							     vmalloc_to_page(address);

	return frame_of(page, offset_in_page(address));
}

/* Where the kernel has the memory of a frame. */
static inline void *frame_address(u64 frame)
{
	return page_address(pfn_to_page(frame / PAGE_FRAMES)) + frame % PAGE_FRAMES * 4096;
}

/*
 * A frame of each of two pages of the kernel's, which do not follow each other in memory,
 * but may where they are mapped.
 */
static inline void frames_apart(u64 *frames, const void *one, const void *other)
{
	if (frame_at(one) + PAGE_FRAMES == frame_at(other))
		swap(one, other);
	frames[0] = frame_at(one) + PAGE_FRAMES - 1;
	frames[1] = frame_at(other);
}

#endif
