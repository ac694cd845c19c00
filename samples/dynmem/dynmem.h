/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the client proper, written in Windows' words only, meets the system
 * that it runs on. Pages are 4 KiB and go by their frame numbers.
 */
#ifndef DYNMEM_H
#define DYNMEM_H

#include <ntddk.h>

/*
 * What the system provides. All of it is called at PASSIVE_LEVEL.
 */

/* The pages that a device has taken. */
typedef struct _DYNMEM_PAGES DYNMEM_PAGES, *PDYNMEM_PAGES;

NTSTATUS DynmemPagesCreate(_Out_ PDYNMEM_PAGES *Pages);

/* None of them is taken any more. */
VOID DynmemPagesDelete(_In_ PDYNMEM_PAGES Pages);

typedef struct _DYNMEM_MEMORY {
	UINT64 TotalPages;	/* as if no page were given away */
	UINT64 AvailablePages;	/* could be had without swapping */
	UINT64 CommittedPages;	/* promised to programs */
} DYNMEM_MEMORY, *PDYNMEM_MEMORY;

VOID DynmemQueryMemory(_Out_ PDYNMEM_MEMORY Memory);

/*
 * Takes one contiguous block out of the system's use. Returns its size, the
 * largest that could be had without pressing the system but at most
 * MaximumPages, or 0.
 */
ULONG DynmemTakePages(_In_ PDYNMEM_PAGES Pages, _In_ ULONG MaximumPages,
		      _Out_ PUINT64 FirstPage);

/*
 * Returns to the system those pages of the range that DynmemTakePages() took for
 * the same device, and says how many they were. The others are left alone: the range
 * may be the host's word, and the host is not to be trusted.
 */
UINT64 DynmemReturnPages(_In_ PDYNMEM_PAGES Pages, _In_ UINT64 FirstPage,
			 _In_ UINT64 PageCount);

#endif /* DYNMEM_H */
