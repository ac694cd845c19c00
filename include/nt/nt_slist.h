/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Singly linked lists that any context may push to and pop from, last in, first out.
 * Part of <wdm.h>; the functions are in nt/slist.c.
 */
#ifndef _NT_SLIST_H
#define _NT_SLIST_H

#include <linux/spinlock.h>

#include <ntdef.h>
#include <nt_irql.h>

/* The alignment stands where genksyms, which makes symbol versions, understands it. */
typedef struct _SLIST_ENTRY {
	struct _SLIST_ENTRY *Next;
} DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) SLIST_ENTRY, *PSLIST_ENTRY;

/* Larger than Windows' 16 bytes. It must be initialized: zeroes are not enough. */
typedef struct _SLIST_HEADER {
	raw_spinlock_t Lock;
	USHORT Depth;
	PSLIST_ENTRY First;
} SLIST_HEADER, *PSLIST_HEADER;

VOID InitializeSListHead(PSLIST_HEADER SListHead);
PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry);
PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead);
PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead);

/* How many entries there were; modulo 65536, as on Windows. */
static inline USHORT QueryDepthSList(PSLIST_HEADER SListHead)
{
	return READ_ONCE(SListHead->Depth);
}

#define ExInitializeSListHead(head)	InitializeSListHead(head)
#define ExQueryDepthSList(head)		QueryDepthSList(head)
#define ExInterlockedFlushSList(head)	InterlockedFlushSList(head)

/* The lock is not looked at, as on 64-bit Windows. */
static inline PSLIST_ENTRY ExInterlockedPushEntrySList(PSLIST_HEADER ListHead,
						       PSLIST_ENTRY ListEntry,
						       PKSPIN_LOCK Lock)
{
	UNREFERENCED_PARAMETER(Lock);
	return InterlockedPushEntrySList(ListHead, ListEntry);
}

static inline PSLIST_ENTRY ExInterlockedPopEntrySList(PSLIST_HEADER ListHead,
						      PKSPIN_LOCK Lock)
{
	UNREFERENCED_PARAMETER(Lock);
	return InterlockedPopEntrySList(ListHead);
}

#endif /* _NT_SLIST_H */
