/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Memory descriptor lists: a buffer by its physical pages. Part of <wdm.h>; the
 * functions are in nt/mdl.c.
 */
#ifndef _NT_MDL_H
#define _NT_MDL_H

#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include <ntdef.h>

/*
 * Windows' pages are of 4 KiB, and so are a VMBus host's: page frame numbers and the
 * words here count those. PAGE_SIZE and PAGE_SHIFT are Linux' own, and the same but for
 * kernels of arm64 with larger pages. PAGE_ALIGN() is not Linux': see <wdm.h>.
 */
#define NT_PAGE_SHIFT		12
#define NT_PAGE_SIZE		4096UL

C_ASSERT(PAGE_SIZE % NT_PAGE_SIZE == 0);

#define BYTE_OFFSET(va)		((ULONG)((ULONG_PTR)(va) & (NT_PAGE_SIZE - 1)))
#define BYTES_TO_PAGES(size)	\
	(((size) >> NT_PAGE_SHIFT) + (((size) & (NT_PAGE_SIZE - 1)) != 0))
#define ROUND_TO_PAGES(size)	\
	(((ULONG_PTR)(size) + NT_PAGE_SIZE - 1) & ~(ULONG_PTR)(NT_PAGE_SIZE - 1))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(va, size)	\
	((ULONG)((BYTE_OFFSET(va) + (ULONG_PTR)(size) + NT_PAGE_SIZE - 1) >> NT_PAGE_SHIFT))

typedef ULONG_PTR PFN_NUMBER, *PPFN_NUMBER;

struct _EPROCESS;
typedef struct _IRP IRP, *PIRP;

/*
 * The pages' frame numbers follow the structure, one for each page that the
 * buffer touches. It begins ByteOffset bytes into the first.
 */
typedef struct _MDL {
	struct _MDL *Next;
	CSHORT Size;
	CSHORT MdlFlags;
	struct _EPROCESS *Process;
	PVOID MappedSystemVa;
	PVOID StartVa;
	ULONG ByteCount;
	ULONG ByteOffset;
} MDL, *PMDL, *PMDLX;

C_ASSERT(sizeof(MDL) == 48);

#define MDL_MAPPED_TO_SYSTEM_VA		0x0001
#define MDL_PAGES_LOCKED		0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL	0x0004
#define MDL_ALLOCATED_FIXED_SIZE	0x0008
#define MDL_PARTIAL			0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED	0x0020
#define MDL_IO_PAGE_READ		0x0040
#define MDL_WRITE_OPERATION		0x0080
#define MDL_PARENT_MAPPED_SYSTEM_VA	0x0100
#define MDL_FREE_EXTRA_PTES		0x0200
#define MDL_DESCRIBES_AWE		0x0400
#define MDL_IO_SPACE			0x0800
#define MDL_NETWORK_HEADER		0x1000
#define MDL_MAPPING_CAN_FAIL		0x2000
#define MDL_ALLOCATED_MUST_SUCCEED	0x4000
#define MDL_INTERNAL			0x8000

typedef CCHAR KPROCESSOR_MODE;

typedef enum _MODE {
	KernelMode,
	UserMode,
	MaximumMode,
} MODE;

typedef enum _LOCK_OPERATION {
	IoReadAccess,
	IoWriteAccess,
	IoModifyAccess,
} LOCK_OPERATION;

typedef enum _MEMORY_CACHING_TYPE {
	MmNonCached = 0,
	MmCached = 1,
	MmWriteCombined = 2,
} MEMORY_CACHING_TYPE;

typedef enum _MM_PAGE_PRIORITY {
	LowPagePriority = 0,
	NormalPagePriority = 16,
	HighPagePriority = 32,
} MM_PAGE_PRIORITY;

/* To be or-ed with the priority. No mapping is executable here anyway. */
#define MdlMappingNoWrite	0x80000000
#define MdlMappingNoExecute	0x40000000

PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp);
VOID IoFreeMdl(PMDL Mdl);
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length);
VOID MmBuildMdlForNonPagedPool(PMDLX MemoryDescriptorList);
VOID MmProbeAndLockPages(PMDLX MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation);
VOID MmUnlockPages(PMDLX MemoryDescriptorList);
PVOID MmMapLockedPagesSpecifyCache(PMDLX MemoryDescriptorList,
				   KPROCESSOR_MODE AccessMode,
				   MEMORY_CACHING_TYPE CacheType,
				   PVOID RequestedAddress,
				   ULONG BugCheckOnFailure, ULONG Priority);
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDLX MemoryDescriptorList);

#define MmGetMdlByteCount(mdl)		((mdl)->ByteCount)
#define MmGetMdlByteOffset(mdl)		((mdl)->ByteOffset)
#define MmGetMdlPfnArray(mdl)		((PPFN_NUMBER)((mdl) + 1))
#define MmGetMdlVirtualAddress(mdl)	\
	((PVOID)((PCHAR)(mdl)->StartVa + (mdl)->ByteOffset))

static inline SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
	SIZE_T pages = (BYTE_OFFSET(Base) + Length + NT_PAGE_SIZE - 1) >> NT_PAGE_SHIFT;

	return sizeof(MDL) + pages * sizeof(PFN_NUMBER);
}

/*
 * The MDL has the memory that MmSizeOfMdl() told. Size says so too, as far as 15
 * bits can: it is 0x7ff8 where there is room for 4089 pages or more.
 */
static inline VOID MmInitializeMdl(PMDL MemoryDescriptorList, PVOID BaseVa,
				   SIZE_T Length)
{
	*MemoryDescriptorList = (MDL) {
		.Size = min_t(SIZE_T, MmSizeOfMdl(BaseVa, Length), 0x7ff8),
		.StartVa = (PVOID)((ULONG_PTR)BaseVa - BYTE_OFFSET(BaseVa)),
		.ByteCount = Length,
		.ByteOffset = BYTE_OFFSET(BaseVa),
	};
}

static inline PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority)
{
	if (Mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
		return Mdl->MappedSystemVa;
	return MmMapLockedPagesSpecifyCache(Mdl, KernelMode, MmCached, NULL, FALSE,
					    Priority);
}

/* Only for what IoBuildPartialMdl() has built. */
static inline VOID MmPrepareMdlForReuse(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED)
		MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
}

#endif /* _NT_MDL_H */
