// SPDX-License-Identifier: GPL-2.0
/*
 * Pool memory.
 *
 * Windows allows allocating up to DISPATCH_LEVEL and a caller does not say where
 * it is, so its level tells whether memory may be reclaimed for it. That never does
 * I/O: the caller may be what serves the disk that memory would be written to. What
 * kmalloc() has not in one piece vmalloc() may have, where that can be called.
 */
#include <linux/export.h>
#include <linux/llist.h>
#include <linux/log2.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <ntddk.h>

#include "nt.h"

/* No memory is charged, cached or executable in a way of its own. */
#define POOL_FLAGS_KNOWN						\
	(POOL_FLAG_USE_QUOTA | POOL_FLAG_UNINITIALIZED |		\
	 POOL_FLAG_CACHE_ALIGNED | POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED)
#define POOL_FLAGS_REQUIRED	0xffffffffULL

/* On Windows, and of the smallest piece. */
#define POOL_ALIGNMENT	16

static LLIST_HEAD(nt_pool_later);

/*
 * Memory of kmalloc()'s, at any level. The reserves are for who cannot wait; at
 * PASSIVE_LEVEL they are the last resort, and for small pieces only.
 */
void *nt_kmalloc(size_t bytes, gfp_t zero)
{
	const gfp_t flags = __GFP_NOWARN | zero;
	void *memory;

	if (KeGetCurrentIrql() >= DISPATCH_LEVEL)
		return kmalloc(bytes, GFP_ATOMIC | flags);

	memory = kmalloc(bytes, GFP_NOIO | __GFP_NORETRY | flags);
	if (!memory && bytes <= PAGE_SIZE)
		memory = kmalloc(bytes, GFP_ATOMIC | flags);
	return memory;
}

/*
 * A page or more begins with a page, and less lies within one. kmalloc()
 * promises that for powers of two only. 0 bytes are the smallest piece.
 */
static PVOID nt_pool_allocate(SIZE_T bytes, gfp_t zero)
{
	void *memory = NULL;
	unsigned int noio;

	if (bytes <= KMALLOC_MAX_SIZE)
		memory = nt_kmalloc(roundup_pow_of_two(max_t(SIZE_T, bytes, POOL_ALIGNMENT)),
				    zero);
	if (memory || bytes <= PAGE_SIZE || KeGetCurrentIrql() >= DISPATCH_LEVEL)
		return memory;

	/* KASAN's shadow of it is allocated with GFP_KERNEL, whatever is said here. */
	noio = memalloc_noio_save();
	memory = __vmalloc(bytes, GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN | zero);
	memalloc_noio_restore(noio);
	return memory;
}

/**
 * ExAllocatePool2() - allocate memory
 * @Flags: POOL_FLAG_PAGED and POOL_FLAG_NON_PAGED are one here, memory that is
 *	never paged out. Zeroed unless POOL_FLAG_UNINITIALIZED.
 * @NumberOfBytes: not 0. A page or more begins with a page.
 * @Tag: not 0; not kept
 *
 * Context: up to DISPATCH_LEVEL. There no more than 4 MiB can be had (of a kernel with
 * pages of 4 KiB), and large pieces are scarce; at PASSIVE_LEVEL pieces need not be
 * contiguous, and the call may sleep, but never waits for I/O.
 *
 * Return: the memory; NULL where there is none, for 0 bytes or a tag of 0, and
 * for flags that cannot be obeyed: POOL_FLAG_RAISE_ON_FAILURE, for there are no
 * exceptions here, POOL_FLAG_NON_PAGED_EXECUTE, unknown ones in the lower half.
 */
PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag)
{
	if (!Tag || !NumberOfBytes || (Flags & POOL_FLAGS_REQUIRED & ~POOL_FLAGS_KNOWN))
		return NULL;
	if (Flags & POOL_FLAG_CACHE_ALIGNED)
		NumberOfBytes = max_t(SIZE_T, NumberOfBytes, cache_line_size());
	return nt_pool_allocate(NumberOfBytes,
				Flags & POOL_FLAG_UNINITIALIZED ? 0 : __GFP_ZERO);
}
EXPORT_SYMBOL_GPL(ExAllocatePool2);

/**
 * ExAllocatePoolWithTag() - allocate memory that is not zeroed
 * @PoolType: not looked at, but for POOL_ZERO_ALLOCATION, with which the memory is zeroed
 * @NumberOfBytes: see ExAllocatePool2(), also for the context; 0 is as 1
 * @Tag: not kept
 *
 * Return: the memory, or NULL.
 */
PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return nt_pool_allocate(NumberOfBytes,
				PoolType & POOL_ZERO_ALLOCATION ? __GFP_ZERO : 0);
}
EXPORT_SYMBOL_GPL(ExAllocatePoolWithTag);

/**
 * ExAllocatePoolZero() - allocate memory that is zeroed
 * @PoolType: not looked at
 * @NumberOfBytes: see ExAllocatePool2(), also for the context; 0 is as 1
 * @Tag: not kept
 *
 * Return: the memory, or NULL.
 */
PVOID ExAllocatePoolZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
	return nt_pool_allocate(NumberOfBytes, __GFP_ZERO);
}
EXPORT_SYMBOL_GPL(ExAllocatePoolZero);

static void nt_pool_free_later(struct work_struct *work)
{
	struct llist_node *node = llist_del_all(&nt_pool_later);

	while (node) {
		void *memory = node;

		node = node->next;
		vfree(memory);
	}
}

static DECLARE_WORK(nt_pool_work, nt_pool_free_later);

/**
 * ExFreePool() - free memory
 * @P: from one of the above
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID ExFreePool(PVOID P)
{
	/* vfree() may sleep. The memory itself is what has it freed later. */
	if (is_vmalloc_addr(P) && KeGetCurrentIrql() >= DISPATCH_LEVEL) {
		llist_add(P, &nt_pool_later);
		queue_work(nt_free_wq, &nt_pool_work);
		return;
	}
	kvfree(P);
}
EXPORT_SYMBOL_GPL(ExFreePool);

static PVOID nt_lookaside_allocate(POOL_TYPE type, SIZE_T bytes, ULONG tag,
				   PLOOKASIDE_LIST_EX lookaside)
{
	return ExAllocatePoolWithTag(type, bytes, tag);
}

static VOID nt_lookaside_free(PVOID buffer, PLOOKASIDE_LIST_EX lookaside)
{
	ExFreePool(buffer);
}

/**
 * ExInitializeLookasideListEx() - make a list of entries of one size
 * @Lookaside: the list
 * @Allocate: the driver's own way to make an entry; NULL: ExAllocatePoolWithTag()
 * @Free: the driver's own way to free an entry; NULL: ExFreePool()
 * @PoolType: NonPagedPool, NonPagedPoolNx or PagedPool, which are one here; passed
 *	to @Allocate
 * @Flags: 0, or EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE, which only or-s
 *	POOL_QUOTA_FAIL_INSTEAD_OF_RAISE to the type that @Allocate is passed
 * @Size: of an entry, in bytes
 * @Tag: passed to @Allocate
 * @Depth: 0
 *
 * The list keeps no entries, for kmalloc() does: each one is made by @Allocate, and
 * each one that is given back goes to @Free.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_4: another @PoolType
 *  - STATUS_INVALID_PARAMETER_5: other @Flags. EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL
 *    is one of those (this project's decision), for there are no exceptions here.
 *  - STATUS_INVALID_PARAMETER_8: another @Depth (this project's decision)
 */
NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
				     PALLOCATE_FUNCTION_EX Allocate,
				     PFREE_FUNCTION_EX Free, POOL_TYPE PoolType,
				     ULONG Flags, SIZE_T Size, ULONG Tag,
				     USHORT Depth)
{
	if (PoolType != NonPagedPool && PoolType != NonPagedPoolNx &&
	    PoolType != PagedPool)
		return STATUS_INVALID_PARAMETER_4;
	if (Flags & ~EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE)
		return STATUS_INVALID_PARAMETER_5;
	if (Depth)
		return STATUS_INVALID_PARAMETER_8;

	Lookaside->Allocate = Allocate ?: nt_lookaside_allocate;
	Lookaside->Free = Free ?: nt_lookaside_free;
	Lookaside->Type = Flags ? PoolType | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE : PoolType;
	Lookaside->Size = Size;
	Lookaside->Tag = Tag;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(ExInitializeLookasideListEx);
