// SPDX-License-Identifier: GPL-2.0
/*
 * Memory descriptor lists.
 *
 * Kernel memory is never paged out here, so there is nothing to lock: an MDL of
 * kernel memory has its pages' numbers, and the buffer's own address as its
 * mapping. An MDL whose pages came from elsewhere is mapped when asked for, by
 * the direct map if the pages are consecutive, else by vmap(). That maps the kernel's
 * pages: where those are larger than an MDL's, only an MDL whose frames lie in them as
 * they would in a buffer can be mapped.
 *
 * vunmap() sleeps, and Windows unmaps up to DISPATCH_LEVEL. So each vmap() gets
 * a page of our own in front, where the mapping can be queued for a work item
 * without memory having to be found. MDL_FREE_EXTRA_PTES marks such an MDL.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/llist.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <ntddk.h>

#include "nt.h"

/* In the page in front of a mapping of ours. */
struct nt_mapping {
	struct llist_node node;
	struct page *page;	/* this one */
};

static LLIST_HEAD(nt_unmaps);

static ULONG nt_mdl_pages(const MDL *mdl)
{
	return ADDRESS_AND_SIZE_TO_SPAN_PAGES(mdl->ByteOffset, mdl->ByteCount);
}

/* Of memory of the kernel's; NULL for anything else. */
struct page *nt_page_of(const void *address)
{
	unsigned long va = (unsigned long)address;

	if (virt_addr_valid(address))
		return virt_to_page(address);
	if (is_vmalloc_addr(address) || (va >= MODULES_VADDR && va < MODULES_END))
		return vmalloc_to_page(address);
	return NULL;
}

/**
 * IoAllocateMdl() - make an MDL for a buffer
 * @VirtualAddress: of the buffer, or NULL; only kept, and used for the number of
 *	pages that the MDL has room for
 * @Length: of the buffer, in bytes
 * @SecondaryBuffer: FALSE; not looked at
 * @ChargeQuota: FALSE; not looked at
 * @Irp: NULL; there are no IRPs here, and another value is not looked at
 *
 * The MDL describes no pages yet: see MmBuildMdlForNonPagedPool().
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the MDL; NULL where memory is short. On Windows a buffer may be as long
 * as 4 GiB less a page. Here its MDL is one piece from kmalloc(), which ends at
 * 4 MiB where the kernel's pages are of 4 KiB: a little less than 2 GiB.
 */
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp)
{
	PMDL mdl;

	mdl = nt_kmalloc(MmSizeOfMdl(VirtualAddress, Length), 0);
	if (mdl)
		MmInitializeMdl(mdl, VirtualAddress, Length);
	return mdl;
}
EXPORT_SYMBOL_GPL(IoAllocateMdl);

/**
 * IoFreeMdl() - free an MDL
 * @Mdl: from IoAllocateMdl(). Others in its chain stay, and so does the buffer.
 *
 * A mapping of the MDL's own is released. Windows promises that for partial MDLs
 * only; for all others it is this project's decision.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID IoFreeMdl(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
	kfree(Mdl);
}
EXPORT_SYMBOL_GPL(IoFreeMdl);

/* Finds the pages of a buffer in kernel memory. */
static bool nt_mdl_fill(PMDL mdl, const void *caller)
{
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	ULONG pages = nt_mdl_pages(mdl);
	ULONG i;

	for (i = 0; i < pages; i++) {
		PCHAR va = (PCHAR)mdl->StartVa + (SIZE_T)i * NT_PAGE_SIZE;
		struct page *page = nt_page_of(va);

		if (!page) {
			pr_err_ratelimited("%pS describes memory that is not the kernel's\n",
					   caller);
			return false;
		}
		pfns[i] = nt_frame_of(page, (SIZE_T)va);
	}
	mdl->Process = NULL;
	mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
	return true;
}

/**
 * MmBuildMdlForNonPagedPool() - describe the pages of a buffer of the kernel
 * @MemoryDescriptorList: of memory that stays where it is as long as the MDL is
 *	used: from kmalloc(), vmalloc(), a stack, a module's data
 *
 * This project's decision: where the buffer is in no such memory, nothing changes
 * and the MDL describes no pages, with a line in the log.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID MmBuildMdlForNonPagedPool(PMDLX MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;

	if (nt_mdl_fill(mdl, __builtin_return_address(0)))
		mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}
EXPORT_SYMBOL_GPL(MmBuildMdlForNonPagedPool);

/**
 * MmProbeAndLockPages() - describe the pages of a buffer and keep them in memory
 * @MemoryDescriptorList: of memory of the kernel that stays where it is until
 *	MmUnlockPages()
 * @AccessMode: KernelMode; a user's memory cannot be locked here
 * @Operation: IoReadAccess, or another if the buffer is to be written
 *
 * Nothing is pinned. The buffer's own address is the MDL's mapping, so the MDL is
 * marked MDL_SOURCE_IS_NONPAGED_POOL too.
 *
 * Windows raises an exception where it fails, and there is none here. Then
 * nothing changes, with a line in the log: the MDL has no MDL_PAGES_LOCKED.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID MmProbeAndLockPages(PMDLX MemoryDescriptorList, KPROCESSOR_MODE AccessMode,
			 LOCK_OPERATION Operation)
{
	PMDL mdl = MemoryDescriptorList;

	if (AccessMode != KernelMode) {
		pr_err_ratelimited("%pS locks a user's pages, which does not work\n",
				   __builtin_return_address(0));
		return;
	}
	if (!nt_mdl_fill(mdl, __builtin_return_address(0)))
		return;

	mdl->MdlFlags |= MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL;
	if (Operation != IoReadAccess)
		mdl->MdlFlags |= MDL_WRITE_OPERATION;
}
EXPORT_SYMBOL_GPL(MmProbeAndLockPages);

/**
 * MmUnlockPages() - the opposite of MmProbeAndLockPages()
 * @MemoryDescriptorList: the MDL; a mapping of its own is released
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID MmUnlockPages(PMDLX MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;

	if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
	mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
			   MDL_WRITE_OPERATION);
}
EXPORT_SYMBOL_GPL(MmUnlockPages);

/* A part must be known, within its source, and have room in its target. */
static bool nt_mdl_part_fits(const MDL *source, const MDL *target, ULONG_PTR skip,
			     ULONG length, const void *caller)
{
	PVOID start = (PVOID)(source->ByteOffset + skip);
	const char *why;

	if (!nt_mdl_is_locked(source))
		why = "of an MDL that is not locked";
	else if (skip > source->ByteCount || length > source->ByteCount - skip)
		why = "that is not within its MDL";
	else if (target->Size < 0x7ff8 &&
		 MmSizeOfMdl(start, length) > target->Size)
		why = "that its MDL has no room for";
	else
		return true;

	pr_err_ratelimited("%pS wants a part %s\n", caller, why);
	return false;
}

/**
 * IoBuildPartialMdl() - describe a part of what another MDL describes
 * @SourceMdl: the other one, whose pages are known
 * @TargetMdl: with room for the part's pages. Its chain is left alone; it forgets
 *	what it described before, and a mapping of its own is released.
 * @VirtualAddress: where the part begins, counted from
 *	MmGetMdlVirtualAddress(@SourceMdl), be that an address or not
 * @Length: of the part, in bytes; 0: to the end of @SourceMdl
 *
 * If the source is mapped, so is the part: by the same mapping.
 *
 * This project's decision: where the source is not locked, the part not within it,
 * or the target too small, @TargetMdl describes no pages any more, with a line in
 * the log. It is as any MDL that is not locked: a send or a GPADL refuses it, and
 * it gets no address. Windows copies what it finds, or stops.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length)
{
	ULONG_PTR start = (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl);
	ULONG_PTR skip = (ULONG_PTR)VirtualAddress - start;
	ULONG first, pages;

	MmUnmapLockedPages(TargetMdl->MappedSystemVa, TargetMdl);
	TargetMdl->MdlFlags = 0;
	TargetMdl->MappedSystemVa = NULL;
	if (!Length)
		Length = SourceMdl->ByteCount - skip;
	if (!nt_mdl_part_fits(SourceMdl, TargetMdl, skip, Length,
			      __builtin_return_address(0)))
		return;

	TargetMdl->MdlFlags = MDL_PARTIAL |
		(SourceMdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL |
					MDL_MAPPED_TO_SYSTEM_VA | MDL_IO_SPACE));
	TargetMdl->Process = SourceMdl->Process;
	if (TargetMdl->MdlFlags & (MDL_SOURCE_IS_NONPAGED_POOL |
				   MDL_MAPPED_TO_SYSTEM_VA))
		TargetMdl->MappedSystemVa = (PCHAR)SourceMdl->MappedSystemVa + skip;
	TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
	TargetMdl->StartVa = (PCHAR)VirtualAddress - TargetMdl->ByteOffset;
	TargetMdl->ByteCount = Length;

	first = (SourceMdl->ByteOffset + skip) >> NT_PAGE_SHIFT;
	pages = nt_mdl_pages(TargetMdl);
	memcpy(MmGetMdlPfnArray(TargetMdl), MmGetMdlPfnArray(SourceMdl) + first,
	       pages * sizeof(PFN_NUMBER));
}
EXPORT_SYMBOL_GPL(IoBuildPartialMdl);

/* The pages' address in the direct map, if they lie there one after the other. */
void *nt_mdl_direct(const MDL *mdl)
{
	const PFN_NUMBER *pfns = MmGetMdlPfnArray(mdl);
	ULONG pages = nt_mdl_pages(mdl);
	ULONG i;

	for (i = 0; i < pages; i++)
		if (pfns[i] != pfns[0] + i || PageHighMem(nt_frame_page(pfns[i])))
			return NULL;
	return page_address(nt_frame_page(pfns[0])) + nt_frame_offset(pfns[0]);
}

/*
 * The kernel's pages that the frames lie in, one behind the other. Returns how many, or
 * 0 where the frames do not fill them up.
 */
static ULONG nt_mdl_whole_pages(const MDL *mdl, struct page **pages)
{
	const PFN_NUMBER *pfns = MmGetMdlPfnArray(mdl);
	SIZE_T at = nt_frame_offset(pfns[0]);
	ULONG i, frames = nt_mdl_pages(mdl);

	for (i = 0; i < frames; i++, at += NT_PAGE_SIZE) {
		struct page **page = &pages[at >> PAGE_SHIFT];

		if (nt_frame_offset(pfns[i]) != offset_in_page(at))
			return 0;
		if (!i || !offset_in_page(at))
			*page = nt_frame_page(pfns[i]);
		else if (*page != nt_frame_page(pfns[i]))
			return 0;
	}
	return PFN_UP(at);
}

/* Those who serve a disk map, too, so nothing here waits for I/O. */
static void *nt_mdl_vmap(const MDL *mdl)
{
	ULONG n, frames = nt_mdl_pages(mdl);
	struct nt_mapping *mapping = NULL;
	struct page **pages;
	unsigned int noio;

	/* vmap() has a gfp_t of its own, GFP_KERNEL, for its page tables. */
	noio = memalloc_noio_save();
	pages = kvmalloc_array(frames + 1, sizeof(*pages), GFP_NOIO | __GFP_NOWARN);
	if (!pages)
		goto restore;

	n = nt_mdl_whole_pages(mdl, pages + 1);
	if (!n)
		goto free_pages;
	pages[0] = alloc_page(GFP_NOIO | __GFP_NOWARN);
	if (!pages[0])
		goto free_pages;

	mapping = vmap(pages, n + 1, VM_MAP, PAGE_KERNEL);
	if (mapping)
		mapping->page = pages[0];
	else
		__free_page(pages[0]);
free_pages:
	kvfree(pages);
restore:
	memalloc_noio_restore(noio);
	return mapping ? (void *)mapping + PAGE_SIZE + nt_frame_offset(*MmGetMdlPfnArray(mdl)) :
			 NULL;
}

/* Only memory of the machine can be mapped, and 0 pages have no address. */
static bool nt_mdl_mappable(const MDL *mdl)
{
	const PFN_NUMBER *pfns = MmGetMdlPfnArray(mdl);
	ULONG pages = nt_mdl_pages(mdl);
	ULONG i;

	if (!pages || !nt_mdl_is_locked(mdl))
		return false;
	for (i = 0; i < pages; i++)
		if (!nt_frame_valid(pfns[i]))
			return false;
	return true;
}

/**
 * MmMapLockedPagesSpecifyCache() - give an MDL's pages an address
 * @MemoryDescriptorList: with MDL_PAGES_LOCKED, or partial
 * @AccessMode: KernelMode; a process gets no mapping here
 * @CacheType: not looked at: memory is always cached here, and Windows too looks
 *	at it only where memory has no type yet
 * @RequestedAddress: not looked at, as on Windows with KernelMode
 * @BugCheckOnFailure: FALSE; not looked at
 * @Priority: not looked at, MdlMappingNoWrite neither
 *
 * This project's decision: an MDL that has an address already, which Windows does
 * not allow to be mapped again, keeps that one.
 *
 * Context: up to DISPATCH_LEVEL. From there pages get an address only if they
 * are consecutive; for others an address must have been made at PASSIVE_LEVEL.
 *
 * Return: the address of the buffer, ByteOffset bytes into its first page. NULL
 * where there is none: memory is short, pages are not consecutive at
 * DISPATCH_LEVEL, are not locked, or are no memory, or @AccessMode is UserMode; and
 * where the kernel's pages are larger than 4 KiB and those of the MDL lie in them
 * in another order.
 */
PVOID MmMapLockedPagesSpecifyCache(PMDLX MemoryDescriptorList,
				   KPROCESSOR_MODE AccessMode,
				   MEMORY_CACHING_TYPE CacheType,
				   PVOID RequestedAddress,
				   ULONG BugCheckOnFailure, ULONG Priority)
{
	PMDL mdl = MemoryDescriptorList;
	CSHORT flags = MDL_MAPPED_TO_SYSTEM_VA;
	void *base;

	if (AccessMode != KernelMode)
		return NULL;
	if (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL))
		return mdl->MappedSystemVa;
	if (!nt_mdl_mappable(mdl))
		return NULL;

	base = nt_mdl_direct(mdl);
	if (!base && KeGetCurrentIrql() < DISPATCH_LEVEL) {
		base = nt_mdl_vmap(mdl);
		flags |= MDL_FREE_EXTRA_PTES;
	}
	if (!base)
		return NULL;

	if (mdl->MdlFlags & MDL_PARTIAL)
		flags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
	mdl->MdlFlags |= flags;
	mdl->MappedSystemVa = (PCHAR)base + mdl->ByteOffset;
	return mdl->MappedSystemVa;
}
EXPORT_SYMBOL_GPL(MmMapLockedPagesSpecifyCache);

static void nt_unmap(struct nt_mapping *mapping)
{
	struct page *page = mapping->page;

	vunmap(mapping);
	__free_page(page);
}

static void nt_unmap_work_fn(struct work_struct *work)
{
	struct llist_node *first = llist_del_all(&nt_unmaps);
	struct nt_mapping *mapping, *next;

	llist_for_each_entry_safe(mapping, next, first, node)
		nt_unmap(mapping);
}

static DECLARE_WORK(nt_unmap_work, nt_unmap_work_fn);

/**
 * MmUnmapLockedPages() - the opposite of MmMapLockedPagesSpecifyCache()
 * @BaseAddress: what that returned
 * @MemoryDescriptorList: of the same MDL. One that MmBuildMdlForNonPagedPool()
 *	built keeps its address.
 *
 * A part that shares its source's mapping only forgets it.
 *
 * This project's decision: another @BaseAddress than the MDL's changes nothing,
 * with a line in the log.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDLX MemoryDescriptorList)
{
	PMDL mdl = MemoryDescriptorList;
	struct nt_mapping *mapping;
	bool ours;

	if (!(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
		return;
	if (BaseAddress != mdl->MappedSystemVa) {
		pr_err_ratelimited("%pS unmaps an address that is not its MDL's\n",
				   __builtin_return_address(0));
		return;
	}

	ours = mdl->MdlFlags & MDL_FREE_EXTRA_PTES;
	/* Ours is in front of the page that the first frame lies in. */
	mapping = (void *)(((ULONG_PTR)BaseAddress - mdl->ByteOffset) & PAGE_MASK) - PAGE_SIZE;
	mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED |
			   MDL_FREE_EXTRA_PTES);
	if (!(mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL))
		mdl->MappedSystemVa = NULL;
	if (!ours)
		return;

	if (KeGetCurrentIrql() < DISPATCH_LEVEL) {
		nt_unmap(mapping);
		return;
	}
	llist_add(&mapping->node, &nt_unmaps);
	queue_work(nt_free_wq, &nt_unmap_work);
}
EXPORT_SYMBOL_GPL(MmUnmapLockedPages);
