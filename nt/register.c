// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of devices.
 */
#include <linux/export.h>
#include <linux/io.h>
#include <linux/mm.h>

#include <ntddk.h>

#include "nt.h"

/**
 * MmMapIoSpace() - map memory of a device
 * @PhysicalAddress: where it is for the processor
 * @NumberOfBytes: not 0
 * @CacheType: MmNonCached, MmCached or MmWriteCombined
 *
 * Not for memory of the system's own: Linux refuses that, with a warning.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: where it is mapped, for READ_REGISTER_ULONG() and its like and MmUnmapIoSpace();
 * NULL where that cannot be.
 */
PVOID MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
		   MEMORY_CACHING_TYPE CacheType)
{
	phys_addr_t at = PhysicalAddress.QuadPart;
	void __iomem *mapped = NULL;

	if (!NumberOfBytes)
		return NULL;
	switch (CacheType) {
	case MmNonCached:
		mapped = ioremap(at, NumberOfBytes);
		break;
	case MmCached:
		mapped = ioremap_cache(at, NumberOfBytes);
		break;
	case MmWriteCombined:
		mapped = ioremap_wc(at, NumberOfBytes);
		break;
	}
	return (__force PVOID)mapped;
}
EXPORT_SYMBOL_GPL(MmMapIoSpace);

/**
 * MmMapIoSpaceEx() - map memory of a device
 * @PhysicalAddress: see MmMapIoSpace(), also for the context
 * @NumberOfBytes: not 0
 * @Protect: PAGE_READONLY or PAGE_READWRITE, which are one here, alone or with PAGE_NOCACHE or
 *	PAGE_WRITECOMBINE
 *
 * Return: where it is mapped; NULL where that cannot be, and for another @Protect.
 */
PVOID MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect)
{
	MEMORY_CACHING_TYPE type;

	switch (Protect & ~(NT_PAGE_READONLY | NT_PAGE_READWRITE)) {
	case 0:
		type = MmCached;
		break;
	case NT_PAGE_NOCACHE:
		type = MmNonCached;
		break;
	case NT_PAGE_WRITECOMBINE:
		type = MmWriteCombined;
		break;
	default:
		return NULL;
	}
	return MmMapIoSpace(PhysicalAddress, NumberOfBytes, type);
}
EXPORT_SYMBOL_GPL(MmMapIoSpaceEx);

/**
 * MmUnmapIoSpace() - end a mapping of a device's memory
 * @BaseAddress: what MmMapIoSpace() has returned
 * @NumberOfBytes: not looked at
 *
 * Context: PASSIVE_LEVEL.
 */
VOID MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
	iounmap((void __iomem __force *)BaseAddress);
}
EXPORT_SYMBOL_GPL(MmUnmapIoSpace);

/**
 * MmGetPhysicalAddress() - where the processor finds a byte
 * @BaseAddress: an address in the kernel's memory: pool, a module's, a stack
 *
 * Context: any.
 *
 * Return: the physical address; 0 where @BaseAddress is in no page of memory.
 */
PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress)
{
	struct page *page = nt_page_of(BaseAddress);
	PHYSICAL_ADDRESS at = { .QuadPart = 0 };

	if (page)
		at.QuadPart = page_to_phys(page) + offset_in_page(BaseAddress);
	return at;
}
EXPORT_SYMBOL_GPL(MmGetPhysicalAddress);
