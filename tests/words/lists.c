// SPDX-License-Identifier: GPL-2.0
/* Requests that wait in a list, under a lock, and records that are kept for later. */
#include <ntddk.h>

#define QUEUE_TAG	'euQt'

typedef struct _QUEUE {
	LIST_ENTRY Waiting;
	KSPIN_LOCK Lock;
	ULONG Count;
} QUEUE, *PQUEUE;

typedef struct _QUEUE_ITEM {
	LIST_ENTRY Link;
	ULONG Length;
	UCHAR Data[1];
} QUEUE_ITEM, *PQUEUE_ITEM;

VOID QueueInitialize(_Out_ PQUEUE Queue);
NTSTATUS QueuePush(_In_ PQUEUE Queue, _In_reads_bytes_(Length) PVOID Data, _In_ ULONG Length);
PQUEUE_ITEM QueuePop(_In_ PQUEUE Queue);
VOID QueueFlush(_In_ PQUEUE Queue);

VOID
QueueInitialize(
	_Out_ PQUEUE Queue
	)
{
	InitializeListHead(&Queue->Waiting);
	KeInitializeSpinLock(&Queue->Lock);
	Queue->Count = 0;
}

NTSTATUS
QueuePush(
	_In_ PQUEUE Queue,
	_In_reads_bytes_(Length) PVOID Data,
	_In_ ULONG Length
	)
{
	PQUEUE_ITEM Item;
	KIRQL Irql;

	Item = ExAllocatePoolWithTag(NonPagedPoolNx, FIELD_OFFSET(QUEUE_ITEM, Data) + Length,
				     QUEUE_TAG);
	if (Item == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;

	Item->Length = Length;
	RtlCopyMemory(Item->Data, Data, Length);

	KeAcquireSpinLock(&Queue->Lock, &Irql);
	InsertTailList(&Queue->Waiting, &Item->Link);
	Queue->Count++;
	KeReleaseSpinLock(&Queue->Lock, Irql);
	return STATUS_SUCCESS;
}

PQUEUE_ITEM
QueuePop(
	_In_ PQUEUE Queue
	)
{
	PQUEUE_ITEM Item = NULL;
	KIRQL Irql;

	KeAcquireSpinLock(&Queue->Lock, &Irql);
	if (!IsListEmpty(&Queue->Waiting)) {
		Item = CONTAINING_RECORD(RemoveHeadList(&Queue->Waiting), QUEUE_ITEM, Link);
		Queue->Count--;
	}
	KeReleaseSpinLock(&Queue->Lock, Irql);
	return Item;
}

VOID
QueueFlush(
	_In_ PQUEUE Queue
	)
{
	PQUEUE_ITEM Item;

	PAGED_CODE();

	while ((Item = QueuePop(Queue)) != NULL)
		ExFreePoolWithTag(Item, QUEUE_TAG);
}
