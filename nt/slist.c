// SPDX-License-Identifier: GPL-2.0
/*
 * Singly linked lists, for every context.
 *
 * Windows' have no lock: a pop may look into an entry that another one has taken and
 * freed, and its kernel knows to forgive that. llist_del_first() has the same trouble
 * and leaves it to a lock of the caller's, which is the one here.
 */
#include <linux/export.h>

#include <ntddk.h>

/**
 * InitializeSListHead() - make an empty list
 * @SListHead: the list
 *
 * Also known as ExInitializeSListHead().
 *
 * Context: any.
 */
VOID InitializeSListHead(PSLIST_HEADER SListHead)
{
	raw_spin_lock_init(&SListHead->Lock);
	SListHead->Depth = 0;
	SListHead->First = NULL;
}
EXPORT_SYMBOL_GPL(InitializeSListHead);

/**
 * InterlockedPushEntrySList() - put an entry in front of a list
 * @ListHead: the list
 * @ListEntry: the entry, which is in no list
 *
 * Context: any up to hard interrupts, but not an NMI.
 *
 * Return: the entry that was the first before; NULL if the list was empty.
 */
PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead, PSLIST_ENTRY ListEntry)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	raw_spin_lock_irqsave(&ListHead->Lock, flags);
	first = ListHead->First;
	ListEntry->Next = first;
	ListHead->First = ListEntry;
	WRITE_ONCE(ListHead->Depth, ListHead->Depth + 1);
	raw_spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}
EXPORT_SYMBOL_GPL(InterlockedPushEntrySList);

/**
 * InterlockedPopEntrySList() - take the first entry off a list
 * @ListHead: the list
 *
 * Context: any up to hard interrupts, but not an NMI.
 *
 * Return: the entry; NULL if the list was empty.
 */
PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	raw_spin_lock_irqsave(&ListHead->Lock, flags);
	first = ListHead->First;
	if (first) {
		ListHead->First = first->Next;
		WRITE_ONCE(ListHead->Depth, ListHead->Depth - 1);
	}
	raw_spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}
EXPORT_SYMBOL_GPL(InterlockedPopEntrySList);

/**
 * InterlockedFlushSList() - take all entries off a list
 * @ListHead: the list
 *
 * Also known as ExInterlockedFlushSList().
 *
 * Context: any up to hard interrupts, but not an NMI.
 *
 * Return: the entry that was the first, the others behind it by Next; NULL if the
 * list was empty.
 */
PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	raw_spin_lock_irqsave(&ListHead->Lock, flags);
	first = ListHead->First;
	ListHead->First = NULL;
	WRITE_ONCE(ListHead->Depth, 0);
	raw_spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}
EXPORT_SYMBOL_GPL(InterlockedFlushSList);
