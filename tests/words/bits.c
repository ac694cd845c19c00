// SPDX-License-Identifier: GPL-2.0
/* Slots in a bitmap, records in a single list, numbers of the other byte order. */
#include <ntddk.h>
#include <stdlib.h>

#define BITS_SLOTS	72

typedef struct _BITS_TABLE {
	RTL_BITMAP Map;
	ULONG Words[(BITS_SLOTS + 31) / 32];
	SINGLE_LIST_ENTRY Free;
	KSPIN_LOCK Lock;
} BITS_TABLE, *PBITS_TABLE;

typedef struct _BITS_RECORD {
	SINGLE_LIST_ENTRY Next;
	ULONG Slot;
} BITS_RECORD, *PBITS_RECORD;

VOID BitsInitialize(_Out_ PBITS_TABLE Table);
NTSTATUS BitsTake(_Inout_ PBITS_TABLE Table, _In_ ULONG Count, _Out_ PULONG First);
VOID BitsGive(_Inout_ PBITS_TABLE Table, _In_ ULONG First, _In_ ULONG Count);
PBITS_RECORD BitsPop(_Inout_ PBITS_TABLE Table);
ULONG BitsDecode(_In_reads_(8) const UCHAR *Wire);
ULONG BitsHighest(_In_ ULONG Mask);

VOID
BitsInitialize(
	_Out_ PBITS_TABLE Table
	)
{
	RtlInitializeBitMap(&Table->Map, Table->Words, BITS_SLOTS);
	RtlClearAllBits(&Table->Map);
	Table->Free.Next = NULL;
	KeInitializeSpinLock(&Table->Lock);
}

NTSTATUS
BitsTake(
	_Inout_ PBITS_TABLE Table,
	_In_ ULONG Count,
	_Out_ PULONG First
	)
{
	*First = RtlFindClearBitsAndSet(&Table->Map, Count, 0);
	return *First == 0xFFFFFFFF ? STATUS_NO_MORE_ENTRIES : STATUS_SUCCESS;
}

VOID
BitsGive(
	_Inout_ PBITS_TABLE Table,
	_In_ ULONG First,
	_In_ ULONG Count
	)
{
	ASSERT(RtlAreBitsSet(&Table->Map, First, Count));
	RtlClearBits(&Table->Map, First, Count);
}

PBITS_RECORD
BitsPop(
	_Inout_ PBITS_TABLE Table
	)
{
	PSINGLE_LIST_ENTRY Entry;
	KIRQL Irql;

	KeAcquireSpinLock(&Table->Lock, &Irql);
	Entry = PopEntryList(&Table->Free);
	if (Entry == NULL) {
		static BITS_RECORD Spare;

		PushEntryList(&Table->Free, &Spare.Next);
	}
	KeReleaseSpinLock(&Table->Lock, Irql);
	return Entry ? CONTAINING_RECORD(Entry, BITS_RECORD, Next) : NULL;
}

ULONG
BitsDecode(
	_In_reads_(8) const UCHAR *Wire
	)
{
	UINT64 Wide;
	ULONG Value;

	RtlCopyMemory(&Value, Wire, sizeof(Value));
	RtlCopyMemory(&Wide, Wire, sizeof(Wide));
	return _byteswap_ulong(Value) ^ (ULONG)_byteswap_uint64(Wide) ^
	       _byteswap_ushort((USHORT)Value) ^ RtlUlongByteSwap(Value);
}

ULONG
BitsHighest(
	_In_ ULONG Mask
	)
{
#ifdef __KERNEL__
	ULONG Index;

	return _BitScanReverse(&Index, Mask) ? Index : MAXULONG;
#else
	return Mask;
#endif
}
