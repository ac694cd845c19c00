/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Lists with a spin lock that is taken for each operation. Part of
 * <wdm.h>. At any level but that of hard interrupts; the lock is for these functions
 * only, as on Windows.
 */
#ifndef _NT_LOCKED_LIST_H
#define _NT_LOCKED_LIST_H

#include <ntdef.h>
#include <nt_irql.h>
#include <nt_list.h>

/* The entry that was the first before; NULL if the list was empty. */
static inline PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead,
						      PLIST_ENTRY ListEntry,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY first = NULL;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	if (!IsListEmpty(ListHead))
		first = ListHead->Flink;
	InsertHeadList(ListHead, ListEntry);
	spin_unlock_irqrestore(Lock, flags);
	return first;
}

/* The entry that was the last before; NULL if the list was empty. */
static inline PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead,
						      PLIST_ENTRY ListEntry,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY last = NULL;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	if (!IsListEmpty(ListHead))
		last = ListHead->Blink;
	InsertTailList(ListHead, ListEntry);
	spin_unlock_irqrestore(Lock, flags);
	return last;
}

/* NULL if the list was empty. */
static inline PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY first = NULL;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	if (!IsListEmpty(ListHead))
		first = RemoveHeadList(ListHead);
	spin_unlock_irqrestore(Lock, flags);
	return first;
}

/* The entry that was the first before; NULL if the list was empty. */
static inline PSINGLE_LIST_ENTRY
ExInterlockedPushEntryList(PSINGLE_LIST_ENTRY ListHead, PSINGLE_LIST_ENTRY ListEntry,
			   PKSPIN_LOCK Lock)
{
	PSINGLE_LIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	first = ListHead->Next;
	PushEntryList(ListHead, ListEntry);
	spin_unlock_irqrestore(Lock, flags);
	return first;
}

/* NULL if the list was empty. */
static inline PSINGLE_LIST_ENTRY ExInterlockedPopEntryList(PSINGLE_LIST_ENTRY ListHead,
							   PKSPIN_LOCK Lock)
{
	PSINGLE_LIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	first = PopEntryList(ListHead);
	spin_unlock_irqrestore(Lock, flags);
	return first;
}

#endif /* _NT_LOCKED_LIST_H */
