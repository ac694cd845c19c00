/* SPDX-License-Identifier: GPL-2.0 */
/* What the NT words that are more than an inline share. */
#ifndef VMBKMCL_NT_H
#define VMBKMCL_NT_H

#include <linux/mm.h>
#include <linux/workqueue.h>

#include <ntddk.h>

/* Frees what cannot be freed at DISPATCH_LEVEL; never waits for a driver. */
extern struct workqueue_struct *nt_free_wq;

/* More than 292 years are for ever. */
static inline ktime_t nt_units_to_ktime(u64 units)
{
	return units < KTIME_MAX / NT_TIME_UNIT_NS ? units * NT_TIME_UNIT_NS : KTIME_MAX;
}

void *nt_kmalloc(size_t bytes, gfp_t zero);

struct page *nt_page_of(const void *address);

/* Page frames are of 4 KiB: where the kernel's pages are larger, each has several. */
#define NT_FRAMES_SHIFT		(PAGE_SHIFT - NT_PAGE_SHIFT)
#define NT_FRAMES		BIT(NT_FRAMES_SHIFT)

/* The frame at byte @at of @page. */
static inline PFN_NUMBER nt_frame_of(struct page *page, SIZE_T at)
{
	return ((PFN_NUMBER)page_to_pfn(page) << NT_FRAMES_SHIFT) +
	       (offset_in_page(at) >> NT_PAGE_SHIFT);
}

/* The page with a frame that is memory's. */
static inline struct page *nt_frame_page(PFN_NUMBER frame)
{
	return pfn_to_page(frame >> NT_FRAMES_SHIFT);
}

static inline bool nt_frame_valid(PFN_NUMBER frame)
{
	return pfn_valid(frame >> NT_FRAMES_SHIFT);
}

/* Where in its page a frame begins, in bytes. */
static inline SIZE_T nt_frame_offset(PFN_NUMBER frame)
{
	return (frame & (NT_FRAMES - 1)) << NT_PAGE_SHIFT;
}

/* Have its frame numbers been filled in? */
static inline bool nt_mdl_is_locked(const MDL *mdl)
{
	return mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
				MDL_PARTIAL);
}

void *nt_mdl_direct(const MDL *mdl);

int nt_init(void);
void nt_exit(void);
void nt_dpc_init(void);
void nt_dpc_exit(void);
void nt_timers_init(void);
void nt_timers_exit(void);
void nt_timers_settle(void);

#endif
