// SPDX-License-Identifier: GPL-2.0
/* Pool, sizes that may overflow, a device's registers, words that others change. */
#include <ntddk.h>
#ifdef __KERNEL__
#include <ntintsafe.h>
#endif

#define MEMORY_TAG	'yrmM'

typedef struct _MEMORY_RING {
	volatile ULONG Producer;
	volatile ULONG Consumer;
	PULONG Registers;
	SIZE_T Length;
} MEMORY_RING, *PMEMORY_RING;

PVOID MemoryAllocateArray(_In_ ULONG Count, _In_ ULONG Size);
NTSTATUS MemoryMapRegisters(_Inout_ PMEMORY_RING Ring, _In_ PHYSICAL_ADDRESS Base,
			    _In_ ULONG Length);
VOID MemoryUnmapRegisters(_Inout_ PMEMORY_RING Ring);
ULONG MemoryReset(_In_ PMEMORY_RING Ring);
BOOLEAN MemoryPublish(_In_ PMEMORY_RING Ring, _In_ ULONG Value);
VOID MemorySpin(_In_ LONG volatile *Word);

PVOID
MemoryAllocateArray(
	_In_ ULONG Count,
	_In_ ULONG Size
	)
{
	PVOID Memory;
	SIZE_T Bytes;

#ifdef __KERNEL__
	ULONG Product;

	if (!NT_SUCCESS(RtlULongMult(Count, Size, &Product)))
		return NULL;
	if (!NT_SUCCESS(RtlSizeTAdd(Product, sizeof(ULONG), (size_t *)&Bytes)))
		return NULL;
	Memory = ExAllocatePoolUninitialized(NonPagedPoolNx, Bytes, MEMORY_TAG);
#else
	Bytes = (SIZE_T)Count * Size;
	Memory = ExAllocatePoolWithTag(NonPagedPoolNx, Bytes, MEMORY_TAG);
#endif
	if (Memory != NULL)
		RtlZeroMemory(Memory, Bytes);
	return Memory;
}

NTSTATUS
MemoryMapRegisters(
	_Inout_ PMEMORY_RING Ring,
	_In_ PHYSICAL_ADDRESS Base,
	_In_ ULONG Length
	)
{
	if (Base.QuadPart == 0 || Base.LowPart % PAGE_SIZE != 0)
		return STATUS_INVALID_PARAMETER_2;
	Ring->Registers = (PULONG)MmMapIoSpace(Base, Length, MmNonCached);
	if (Ring->Registers == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	Ring->Length = Length;
	return STATUS_SUCCESS;
}

VOID
MemoryUnmapRegisters(
	_Inout_ PMEMORY_RING Ring
	)
{
	MmUnmapIoSpace(Ring->Registers, Ring->Length);
	Ring->Registers = NULL;
}

ULONG
MemoryReset(
	_In_ PMEMORY_RING Ring
	)
{
	UCHAR Bytes[4];
	ULONG Value;

	WRITE_REGISTER_ULONG(Ring->Registers, 1);
	Value = READ_REGISTER_ULONG(Ring->Registers + 1);
	READ_REGISTER_BUFFER_UCHAR((PUCHAR)(Ring->Registers + 2), Bytes, sizeof(Bytes));
	return Value + Bytes[0] + READ_REGISTER_USHORT((PUSHORT)Ring->Registers);
}

BOOLEAN
MemoryPublish(
	_In_ PMEMORY_RING Ring,
	_In_ ULONG Value
	)
{
	ULONG Producer = Ring->Producer;

#ifdef __KERNEL__
	if (Producer - ReadULongAcquire(&Ring->Consumer) >= 16)
		return FALSE;
	WriteULongRelease(&Ring->Producer, Producer + Value);
#else
	Ring->Producer = Producer + Value;
#endif
	return TRUE;
}

VOID
MemorySpin(
	_In_ LONG volatile *Word
	)
{
	while (*Word == 0)
		YieldProcessor();
#ifdef __KERNEL__
	MemoryBarrier();
	while (ReadAcquire(Word) != 0 && ReadNoFence(Word) > 0)
		YieldProcessor();
#endif
}
