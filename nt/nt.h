/* SPDX-License-Identifier: GPL-2.0 */
/* What the NT words that are more than an inline share. */
#ifndef VMBKMCL_NT_H
#define VMBKMCL_NT_H

#include <linux/workqueue.h>

#include <ntddk.h>

struct page;

/* Frees what cannot be freed at DISPATCH_LEVEL; never waits for a driver. */
extern struct workqueue_struct *nt_free_wq;

void *nt_kmalloc(size_t bytes, gfp_t zero);

struct page *nt_page_of(const void *address);

/* Have its frame numbers been filled in? */
static inline bool nt_mdl_is_locked(const MDL *mdl)
{
	return mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
				MDL_PARTIAL);
}

void *nt_mdl_direct(const MDL *mdl);

int nt_init(void);
void nt_exit(void);

#endif
