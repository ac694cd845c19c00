/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Memory: moved about, allocated, freed. Part of <wdm.h>; the functions are in
 * nt/pool.c.
 */
#ifndef _NT_POOL_H
#define _NT_POOL_H

#include <linux/string.h>

#include <ntdef.h>

#define RtlZeroMemory(destination, length)	\
	memset((destination), 0, (length))
#define RtlFillMemory(destination, length, fill)	\
	memset((destination), (fill), (length))
#define RtlCopyMemory(destination, source, length)	\
	memcpy((destination), (source), (length))
#define RtlMoveMemory(destination, source, length)	\
	memmove((destination), (source), (length))
#define RtlEqualMemory(a, b, length)	\
	(!memcmp((a), (b), (length)))

/* Unlike memcmp(), this tells how many bytes are equal from the start on. */
static inline SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2,
				      SIZE_T Length)
{
	const UCHAR *a = Source1;
	const UCHAR *b = Source2;
	SIZE_T equal = 0;

	while (equal < Length && a[equal] == b[equal])
		equal++;
	return equal;
}

#define RtlCopyBytes(destination, source, length)	RtlCopyMemory(destination, source, length)
#define RtlZeroBytes(destination, length)		RtlZeroMemory(destination, length)
#define RtlFillBytes(destination, length, fill)		RtlFillMemory(destination, length, fill)
#define RtlCopyMemoryNonTemporal(destination, source, length)	\
	RtlCopyMemory(destination, source, length)

static inline PVOID RtlSecureZeroMemory(PVOID Pointer, SIZE_T Size)
{
	memzero_explicit(Pointer, Size);
	return Pointer;
}

typedef enum _POOL_TYPE {
	NonPagedPool = 0,
	NonPagedPoolExecute = NonPagedPool,
	PagedPool = 1,
	NonPagedPoolMustSucceed = 2,
	NonPagedPoolCacheAligned = 4,
	PagedPoolCacheAligned = 5,
	NonPagedPoolCacheAlignedMustS = 6,
	NonPagedPoolNx = 512,
	NonPagedPoolNxCacheAligned = NonPagedPoolNx + 4,
} POOL_TYPE;

/* Or-ed to the type, where it is passed to a driver's own routine. */
#define POOL_QUOTA_FAIL_INSTEAD_OF_RAISE	8
#define POOL_RAISE_IF_ALLOCATION_FAILURE	16
#define POOL_COLD_ALLOCATION			256
#define POOL_NX_ALLOCATION			512
#define POOL_ZERO_ALLOCATION			1024

typedef ULONG64 POOL_FLAGS;

/* Flags of the lower half must be obeyed or refused. */
#define POOL_FLAG_USE_QUOTA		0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED		0x0000000000000002ULL
#define POOL_FLAG_SESSION		0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED		0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE	0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED		0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE	0x0000000000000080ULL
#define POOL_FLAG_PAGED			0x0000000000000100ULL
#define POOL_FLAG_SPECIAL_POOL		0x0000000100000000ULL

PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);
PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag);
VOID ExFreePool(PVOID P);

#define ExAllocatePoolUninitialized(type, bytes, tag)	\
	ExAllocatePoolWithTag(type, bytes, tag)
#define ExAllocatePool(type, bytes)	ExAllocatePoolWithTag(type, bytes, 0)

/* Its priority is not looked at: memory is never there for some callers only. */
#define ExAllocatePoolWithTagPriority(type, bytes, tag, priority)	\
	ExAllocatePoolWithTag(type, bytes, tag)
#define ExAllocatePoolPriorityUninitialized(type, bytes, tag, priority)	\
	ExAllocatePoolWithTag(type, bytes, tag)
#define ExAllocatePoolPriorityZero(type, bytes, tag, priority)	\
	ExAllocatePoolZero(type, bytes, tag)

typedef enum _EX_POOL_PRIORITY {
	LowPoolPriority = 0,
	NormalPoolPriority = 16,
	HighPoolPriority = 32,
} EX_POOL_PRIORITY;

/* What says that memory is not to be executable, which none is here. */
#define ExInitializeDriverRuntime(flags)	((void)(flags))
#define DrvRtPoolNxOptIn	0x00000001

static inline VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	UNREFERENCED_PARAMETER(Tag);
	ExFreePool(P);
}

/*
 * Lookaside lists. Linux keeps freed memory of each size for every CPU, so the
 * list has nothing to keep, and its depth, flags and tag say nothing.
 */
typedef PVOID ALLOCATE_FUNCTION(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
				ULONG Tag);
typedef VOID FREE_FUNCTION(PVOID Buffer);
typedef ALLOCATE_FUNCTION *PALLOCATE_FUNCTION;
typedef FREE_FUNCTION *PFREE_FUNCTION;

typedef struct _NPAGED_LOOKASIDE_LIST {
	PALLOCATE_FUNCTION Allocate;
	PFREE_FUNCTION Free;
	SIZE_T Size;
	ULONG Tag;
} NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST;

static inline VOID
ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
				PALLOCATE_FUNCTION Allocate, PFREE_FUNCTION Free,
				ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
	UNREFERENCED_PARAMETER(Flags);
	UNREFERENCED_PARAMETER(Depth);
	Lookaside->Allocate = Allocate ? Allocate : ExAllocatePoolWithTag;
	Lookaside->Free = Free ? Free : ExFreePool;
	Lookaside->Size = Size;
	Lookaside->Tag = Tag;
}

static inline VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
	UNREFERENCED_PARAMETER(Lookaside);
}

static inline PVOID
ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
	return Lookaside->Allocate(NonPagedPoolNx, Lookaside->Size, Lookaside->Tag);
}

static inline VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
					       PVOID Entry)
{
	Lookaside->Free(Entry);
}

/* The same with a type, and with routines that are told of the list. */
typedef struct _LOOKASIDE_LIST_EX LOOKASIDE_LIST_EX, *PLOOKASIDE_LIST_EX;

typedef PVOID ALLOCATE_FUNCTION_EX(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
				   ULONG Tag, PLOOKASIDE_LIST_EX Lookaside);
typedef VOID FREE_FUNCTION_EX(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside);
typedef ALLOCATE_FUNCTION_EX *PALLOCATE_FUNCTION_EX;
typedef FREE_FUNCTION_EX *PFREE_FUNCTION_EX;

struct _LOOKASIDE_LIST_EX {
	PALLOCATE_FUNCTION_EX Allocate;
	PFREE_FUNCTION_EX Free;
	POOL_TYPE Type;
	SIZE_T Size;
	ULONG Tag;
};

#define EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL	0x00000001UL
#define EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE	0x00000002UL

NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
				     PALLOCATE_FUNCTION_EX Allocate,
				     PFREE_FUNCTION_EX Free, POOL_TYPE PoolType,
				     ULONG Flags, SIZE_T Size, ULONG Tag,
				     USHORT Depth);

static inline VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	UNREFERENCED_PARAMETER(Lookaside);
}

static inline VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	UNREFERENCED_PARAMETER(Lookaside);
}

static inline PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	return Lookaside->Allocate(Lookaside->Type, Lookaside->Size, Lookaside->Tag,
				   Lookaside);
}

static inline VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry)
{
	Lookaside->Free(Entry, Lookaside);
}

#endif /* _NT_POOL_H */
