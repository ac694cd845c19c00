// SPDX-License-Identifier: GPL-2.0
/* Memory descriptor lists. */
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <ntddk.h>

#include "frame.h"

#define BUFFER_PAGES	6
#define BUFFER_BYTES	(BUFFER_PAGES * PAGE_SIZE)

/* A buffer by where it begins in its first page, and its length. */
struct shape {
	u32 offset;
	u32 bytes;
};

static const struct shape shapes[] = {
	{ 0, 0 }, { 7, 0 }, { 4095, 0 },
	{ 0, 1 }, { 1, 1 }, { 7, 1 }, { 4095, 1 },
	{ 0, 4095 }, { 1, 4095 }, { 7, 4095 }, { 4095, 4095 },
	{ 0, 4096 }, { 1, 4096 }, { 7, 4096 }, { 4095, 4096 },
	{ 0, 4097 }, { 1, 4097 }, { 7, 4097 }, { 4095, 4097 },
	{ 0, BUFFER_BYTES }, { 1, BUFFER_BYTES - 1 }, { 4095, BUFFER_BYTES - 4095 },
};

static void shape_name(const struct shape *shape, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u bytes at %u", shape->bytes,
		 shape->offset);
}

KUNIT_ARRAY_PARAM(shape, shapes, shape_name);

/* Page aligned memory, freed with the case. */
static void *buffer_kmalloc(struct kunit *test)
{
	void *buffer = kunit_kmalloc(test, 2 * roundup_pow_of_two(BUFFER_BYTES), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	return PTR_ALIGN(buffer, PAGE_SIZE);
}

static void fill(u8 *buffer, u32 bytes, u8 seed)
{
	u32 i;

	for (i = 0; i < bytes; i++)
		buffer[i] = seed + i + (i >> 8);
}

/* How many bytes of an MDL's frames are the expected ones, frame by frame. */
static u32 same_in_pages(PMDL mdl, const u8 *expected)
{
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	u32 at = mdl->ByteOffset;
	u32 i;

	for (i = 0; i < mdl->ByteCount; i++, at++) {
		u8 *frame = frame_address(pfns[at / 4096]);

		if (frame[at % 4096] != expected[i])
			break;
	}
	return i;
}

static PMDL mdl_for(struct kunit *test, void *buffer, u32 bytes)
{
	PMDL mdl = IoAllocateMdl(buffer, bytes, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	return mdl;
}

static void expect_described(struct kunit *test, u8 *base)
{
	const struct shape *shape = test->param_value;
	u8 *buffer = base + shape->offset;
	PMDL mdl;

	fill(base, BUFFER_BYTES, 3);
	mdl = mdl_for(test, buffer, shape->bytes);
	MmBuildMdlForNonPagedPool(mdl);

	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_SOURCE_IS_NONPAGED_POOL);
	KUNIT_EXPECT_EQ(test, same_in_pages(mdl, buffer), shape->bytes);
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
			    (PVOID)buffer);
	KUNIT_EXPECT_PTR_EQ(test, MmGetMdlVirtualAddress(mdl), (PVOID)buffer);
	IoFreeMdl(mdl);
}

static void a_buffer_from_kmalloc_is_described(struct kunit *test)
{
	expect_described(test, buffer_kmalloc(test));
}

static void a_buffer_from_vmalloc_is_described(struct kunit *test)
{
	u8 *base = vmalloc(BUFFER_BYTES);

	KUNIT_ASSERT_NOT_NULL(test, base);
	expect_described(test, base);
	vfree(base);
}

static u8 module_data[BUFFER_BYTES] __aligned(PAGE_SIZE);

static void a_modules_data_is_described(struct kunit *test)
{
	expect_described(test, module_data);
}

static void a_buffer_on_the_stack_is_described(struct kunit *test)
{
	u8 buffer[777];
	PMDL mdl;

	fill(buffer, sizeof(buffer), 5);
	mdl = mdl_for(test, buffer, sizeof(buffer));
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, same_in_pages(mdl, buffer), sizeof(buffer));
	IoFreeMdl(mdl);
}

static void an_mdl_is_built_and_freed_at_dispatch_level(struct kunit *test)
{
	u8 *base = vmalloc(BUFFER_BYTES);
	KIRQL old;
	PMDL mdl;
	u32 same = 0;

	KUNIT_ASSERT_NOT_NULL(test, base);
	fill(base, BUFFER_BYTES, 3);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	mdl = IoAllocateMdl(base, BUFFER_BYTES, FALSE, FALSE, NULL);
	if (mdl) {
		MmBuildMdlForNonPagedPool(mdl);
		same = same_in_pages(mdl, base);
		IoFreeMdl(mdl);
	}
	KeLowerIrql(old);
	KUNIT_EXPECT_EQ(test, same, BUFFER_BYTES);
	vfree(base);
}

static void a_new_mdl_tells_buffer_and_size_and_no_pages(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	ULONG pages = DIV_ROUND_UP(shape->offset + shape->bytes, 4096);
	u8 *buffer = (u8 *)0xffff888000123000UL + shape->offset;
	PMDL mdl = mdl_for(test, buffer, shape->bytes);

	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(buffer, shape->bytes), pages);
	KUNIT_EXPECT_EQ(test, MmSizeOfMdl(buffer, shape->bytes), 48 + 8 * pages);
	KUNIT_EXPECT_EQ(test, mdl->Size, 48 + 8 * pages);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, mdl->Next);
	KUNIT_EXPECT_PTR_EQ(test, mdl->StartVa, (PVOID)0xffff888000123000UL);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), shape->offset);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), shape->bytes);
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)MmGetMdlPfnArray(mdl), (u8 *)mdl + 48);
	/* KASAN tells if the MDL has no room for them. */
	memset(MmGetMdlPfnArray(mdl), 0xff, 8 * pages);
	IoFreeMdl(mdl);
}

static void a_buffer_may_be_long_but_not_2_gib(struct kunit *test)
{
	PMDL mdl = mdl_for(test, NULL, 0x04000001);

	KUNIT_EXPECT_EQ(test, mdl->Size, 0x7ff8);
	MmGetMdlPfnArray(mdl)[0x4000] = 1;
	IoFreeMdl(mdl);

	if (MmSizeOfMdl(NULL, 0x80000000) <= KMALLOC_MAX_SIZE)
		kunit_skip(test, "as large an MDL can be had from this kernel");
	KUNIT_EXPECT_NULL(test, IoAllocateMdl(NULL, 0x80000000, FALSE, FALSE, NULL));
	KUNIT_EXPECT_NULL(test, IoAllocateMdl(NULL, 0xffffffff, FALSE, FALSE, NULL));
}

static void an_mdl_in_the_drivers_memory_is_as_large_as_was_told(struct kunit *test)
{
	u8 *buffer = buffer_kmalloc(test);
	SIZE_T size = MmSizeOfMdl(buffer + 7, 4096);
	u8 *memory = kunit_kmalloc(test, size + 8, GFP_KERNEL);
	PMDL mdl = (PMDL)memory;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(memory, 0xa5, size + 8);
	fill(buffer, BUFFER_BYTES, 1);
	MmInitializeMdl(mdl, buffer + 7, 4096);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, same_in_pages(mdl, buffer + 7), 4096);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, memory[size + i], 0xa5);
}

static void what_is_no_kernel_memory_is_not_described(struct kunit *test)
{
	void *gone = vmalloc(PAGE_SIZE);
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, gone);
	vfree(gone);

	mdl = mdl_for(test, (void *)0x10000, 4096);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	IoFreeMdl(mdl);

	mdl = mdl_for(test, gone, 4096);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
	IoFreeMdl(mdl);
}

static void a_users_pages_are_not_locked(struct kunit *test)
{
	u8 *buffer = buffer_kmalloc(test);
	PMDL mdl = mdl_for(test, buffer, 4096);

	MmProbeAndLockPages(mdl, UserMode, IoReadAccess);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	IoFreeMdl(mdl);
}

static void locked_pages_are_described_and_mapped_until_unlocked(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	u8 *base = vmalloc(BUFFER_BYTES);
	u8 *buffer = base + shape->offset;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, base);
	fill(base, BUFFER_BYTES, 9);
	mdl = mdl_for(test, buffer, shape->bytes);
	MmProbeAndLockPages(mdl, KernelMode, IoReadAccess);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_WRITE_OPERATION),
			MDL_PAGES_LOCKED);
	KUNIT_EXPECT_EQ(test, same_in_pages(mdl, buffer), shape->bytes);
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
			    (PVOID)buffer);
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);

	MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess);
	KUNIT_EXPECT_TRUE(test, mdl->MdlFlags & MDL_WRITE_OPERATION);
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	IoFreeMdl(mdl);
	vfree(base);
}

/* An MDL of pages that have no address in one piece, as another end's may be. */
struct loose {
	struct page *pages;	/* of an order of 3, from the last one down */
	PMDL mdl;
	u8 *expected;
};

static void loose_create(struct kunit *test, struct loose *loose, u32 offset,
			 u32 bytes, bool backwards)
{
	u32 frames = DIV_ROUND_UP(offset + bytes, 4096);
	u32 i, at;

	loose->pages = alloc_pages(GFP_KERNEL, 3);
	loose->expected = kunit_kmalloc(test, BUFFER_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, loose->pages);
	KUNIT_ASSERT_NOT_NULL(test, loose->expected);
	fill(loose->expected, BUFFER_BYTES, 11);

	/* Windows leaves an address here that says nothing. */
	loose->mdl = mdl_for(test, (void *)(0x7f0000000000UL + offset), bytes);
	loose->mdl->MdlFlags |= MDL_PAGES_LOCKED;
	for (i = 0; i < BUFFER_PAGES; i++) {
		struct page *page = loose->pages + (backwards ? 7 - i : i);

		for (at = 0; at < PAGE_FRAMES && i * PAGE_FRAMES + at < frames; at++)
			MmGetMdlPfnArray(loose->mdl)[i * PAGE_FRAMES + at] =
				frame_of(page, at * 4096);
		memcpy(page_address(page), loose->expected + i * PAGE_SIZE, PAGE_SIZE);
	}
	loose->expected += offset;
}

static void loose_destroy(struct loose *loose)
{
	IoFreeMdl(loose->mdl);
	__free_pages(loose->pages, 3);
}

static void pages_without_an_address_get_one(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	struct loose loose;
	u8 *address;
	int backwards;

	for (backwards = 0; backwards < 2; backwards++) {
		loose_create(test, &loose, shape->offset, shape->bytes, backwards);
		address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority |
						       MdlMappingNoExecute);
		if (!shape->offset && !shape->bytes) {
			KUNIT_EXPECT_NULL(test, address);
			loose_destroy(&loose);
			continue;
		}
		KUNIT_ASSERT_NOT_NULL(test, address);
		KUNIT_EXPECT_EQ(test, BYTE_OFFSET(address), shape->offset);
		KUNIT_EXPECT_EQ(test, memcmp(address, loose.expected, shape->bytes), 0);
		KUNIT_EXPECT_TRUE(test, loose.mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA);

		/* What is written to the mapping is in the pages. */
		fill(address, shape->bytes, 77);
		KUNIT_EXPECT_EQ(test, same_in_pages(loose.mdl, address), shape->bytes);

		/* The MDL keeps this address until unmapped. */
		KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(loose.mdl, 0),
				    (PVOID)address);
		MmUnmapLockedPages(address, loose.mdl);
		KUNIT_EXPECT_EQ(test, loose.mdl->MdlFlags, MDL_PAGES_LOCKED);
		if (is_vmalloc_addr(address))
			KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));
		KUNIT_EXPECT_NOT_NULL(test, MmGetSystemAddressForMdlSafe(loose.mdl, 0));
		loose_destroy(&loose);
	}
}

static void consecutive_pages_need_no_mapping(struct kunit *test)
{
	struct loose loose;
	KIRQL old;
	u8 *address;

	loose_create(test, &loose, 7, 3 * PAGE_SIZE, false);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KeLowerIrql(old);
	KUNIT_EXPECT_PTR_EQ(test, address, (u8 *)page_address(loose.pages) + 7);
	loose_destroy(&loose);
}

static void at_dispatch_level_other_pages_must_have_an_address(struct kunit *test)
{
	struct loose loose;
	u8 *none, *address, *again;
	KIRQL old;

	loose_create(test, &loose, 7, 3 * PAGE_SIZE, true);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	none = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KeLowerIrql(old);
	KUNIT_EXPECT_NULL(test, none);
	KUNIT_EXPECT_EQ(test, loose.mdl->MdlFlags, MDL_PAGES_LOCKED);

	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	again = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KeLowerIrql(old);
	KUNIT_EXPECT_PTR_EQ(test, again, address);
	loose_destroy(&loose);
}

static void a_mapping_can_be_undone_at_dispatch_level(struct kunit *test)
{
	struct loose loose;
	u8 *address;
	KIRQL old;

	loose_create(test, &loose, 7, 3 * PAGE_SIZE, true);
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	KUNIT_ASSERT_TRUE(test, is_vmalloc_addr(address));
	KUNIT_EXPECT_NOT_NULL(test, vmalloc_to_page(address));
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	MmUnmapLockedPages(address, loose.mdl);
	KeLowerIrql(old);
	KUNIT_EXPECT_EQ(test, loose.mdl->MdlFlags, MDL_PAGES_LOCKED);
	linux_flush_work_items();
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));
	loose_destroy(&loose);
}

/* Where it may not sleep, the kernel says so. */
static void a_mapping_can_be_undone_under_a_spinlock(struct kunit *test)
{
	static DEFINE_SPINLOCK(lock);
	struct loose loose;
	u8 *address;

	loose_create(test, &loose, 7, 3 * PAGE_SIZE, true);
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	spin_lock(&lock);
	MmUnmapLockedPages(address, loose.mdl);
	spin_unlock(&lock);
	linux_flush_work_items();
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));

	/* What a spinlock is on PREEMPT_RT. */
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	rcu_read_lock();
	MmUnmapLockedPages(address, loose.mdl);
	rcu_read_unlock();
	linux_flush_work_items();
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));
	loose_destroy(&loose);
}

static void freeing_and_unlocking_undo_a_mapping(struct kunit *test)
{
	struct loose loose;
	u8 *address;

	loose_create(test, &loose, 0, 2 * PAGE_SIZE, true);
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	MmUnlockPages(loose.mdl);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));
	KUNIT_EXPECT_EQ(test, loose.mdl->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(loose.mdl, 0));

	loose.mdl->MdlFlags = MDL_PAGES_LOCKED;
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	loose_destroy(&loose);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));
}

static void what_cannot_be_mapped_is_not(struct kunit *test)
{
	struct loose loose;

	loose_create(test, &loose, 0, 2 * PAGE_SIZE, true);
	KUNIT_EXPECT_NULL(test, MmMapLockedPagesSpecifyCache(loose.mdl, UserMode, MmCached,
							     NULL, FALSE, 0));
	loose.mdl->MdlFlags = 0;
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(loose.mdl, 0));
	loose.mdl->MdlFlags = MDL_PAGES_LOCKED;
	/* A page beyond all memory. */
	MmGetMdlPfnArray(loose.mdl)[1] = 1ULL << 39;
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(loose.mdl, 0));
	KUNIT_EXPECT_EQ(test, loose.mdl->MdlFlags, MDL_PAGES_LOCKED);
	loose_destroy(&loose);
}

static void a_wrong_address_unmaps_nothing(struct kunit *test)
{
	struct loose loose;
	u8 *address;

	loose_create(test, &loose, 5, 2 * PAGE_SIZE, true);
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	MmUnmapLockedPages(address - 5, loose.mdl);
	KUNIT_EXPECT_EQ(test, memcmp(address, loose.expected, 2 * PAGE_SIZE), 0);
	MmUnmapLockedPages(address, loose.mdl);
	/* To unmap it once more does nothing. */
	MmUnmapLockedPages(address, loose.mdl);
	loose_destroy(&loose);
}

/* Partial MDLs */

/* Every part that begins and ends near a page's end or the buffer's. */
static void a_part_has_the_pages_of_its_bytes(struct kunit *test)
{
	const struct shape *shape = test->param_value;
	u32 edges[] = { 0, 1, 4095, 4096, 4097, 8192, shape->bytes / 2,
			shape->bytes - 1, shape->bytes };
	u8 *base = vmalloc(BUFFER_BYTES);
	u8 *buffer = base + shape->offset;
	PMDL whole, part;
	u32 from, to;

	KUNIT_ASSERT_NOT_NULL(test, base);
	fill(base, BUFFER_BYTES, 3);
	whole = mdl_for(test, buffer, shape->bytes);
	part = mdl_for(test, buffer, shape->bytes);
	MmBuildMdlForNonPagedPool(whole);

	for (from = 0; from < ARRAY_SIZE(edges); from++) {
		for (to = 0; to < ARRAY_SIZE(edges); to++) {
			u32 bytes = edges[to] - edges[from];

			if (edges[from] > edges[to] || edges[to] > shape->bytes || !bytes)
				continue;
			part->MdlFlags = 0;
			IoBuildPartialMdl(whole, part, buffer + edges[from], bytes);
			KUNIT_EXPECT_TRUE(test, part->MdlFlags & MDL_PARTIAL);
			KUNIT_EXPECT_EQ(test, part->ByteCount, bytes);
			KUNIT_EXPECT_EQ(test, same_in_pages(part, buffer + edges[from]),
					bytes);
			KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(part, 0),
					    (PVOID)(buffer + edges[from]));
		}
	}
	IoFreeMdl(part);
	IoFreeMdl(whole);
	vfree(base);
}

static void a_part_of_no_length_goes_to_the_end(struct kunit *test)
{
	u8 *buffer = buffer_kmalloc(test) + 7;
	PMDL whole = mdl_for(test, buffer, 3 * PAGE_SIZE);
	PMDL part = mdl_for(test, buffer, 3 * PAGE_SIZE);

	fill(buffer, 3 * PAGE_SIZE, 3);
	MmBuildMdlForNonPagedPool(whole);
	IoBuildPartialMdl(whole, part, buffer + 5000, 0);
	KUNIT_EXPECT_EQ(test, part->ByteCount, 3 * PAGE_SIZE - 5000);
	KUNIT_EXPECT_EQ(test, same_in_pages(part, buffer + 5000), 3 * PAGE_SIZE - 5000);
	IoFreeMdl(part);
	IoFreeMdl(whole);
}

static void a_part_beyond_its_source_or_target_is_not_built(struct kunit *test)
{
	u8 *buffer = buffer_kmalloc(test) + 7;
	PMDL whole = mdl_for(test, buffer, 2 * PAGE_SIZE);
	PMDL part = mdl_for(test, NULL, PAGE_SIZE);

	MmBuildMdlForNonPagedPool(whole);
	IoBuildPartialMdl(whole, part, buffer - 1, 10);
	KUNIT_EXPECT_EQ(test, part->MdlFlags, 0);
	IoBuildPartialMdl(whole, part, buffer + 2 * PAGE_SIZE + 1, 0);
	KUNIT_EXPECT_EQ(test, part->MdlFlags, 0);
	IoBuildPartialMdl(whole, part, buffer + 2 * PAGE_SIZE - 9, 10);
	KUNIT_EXPECT_EQ(test, part->MdlFlags, 0);
	/* A part within the source, but on two pages, and there is room for one. */
	IoBuildPartialMdl(whole, part, buffer, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, part->MdlFlags, 0);
	IoBuildPartialMdl(whole, part, buffer, PAGE_SIZE - 7);
	KUNIT_EXPECT_TRUE(test, part->MdlFlags & MDL_PARTIAL);

	/* A part that was built before is not kept when the next one does not fit. */
	IoBuildPartialMdl(whole, part, buffer, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, part->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(part, 0));
	IoFreeMdl(part);
	IoFreeMdl(whole);
}

static void a_part_of_an_mdl_that_is_not_locked_is_not_built(struct kunit *test)
{
	u8 *buffer = buffer_kmalloc(test) + 7;
	PMDL whole = mdl_for(test, buffer, 2 * PAGE_SIZE);
	PMDL part = mdl_for(test, buffer, 2 * PAGE_SIZE);

	MmGetMdlPfnArray(part)[0] = 4711;
	IoBuildPartialMdl(whole, part, buffer + 10, 10);
	KUNIT_EXPECT_EQ(test, part->MdlFlags, 0);
	KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(part)[0], 4711);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(part, 0));
	/* Nor is a part of such a part. */
	IoBuildPartialMdl(part, whole, buffer, 10);
	KUNIT_EXPECT_EQ(test, whole->MdlFlags, 0);

	/* A part that the target described before, locked and mapped, is not kept. */
	MmProbeAndLockPages(whole, KernelMode, IoReadAccess);
	IoBuildPartialMdl(whole, part, buffer + 10, 10);
	KUNIT_EXPECT_TRUE(test, part->MdlFlags & MDL_PARTIAL);
	MmUnlockPages(whole);
	IoBuildPartialMdl(whole, part, buffer + 10, 10);
	KUNIT_EXPECT_EQ(test, part->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(part, 0));
	IoFreeMdl(part);
	IoFreeMdl(whole);
}

static void a_part_that_is_not_built_gives_its_mapping_back(struct kunit *test)
{
	struct loose loose;
	u8 *address, *start;
	PMDL part;

	loose_create(test, &loose, 7, 3 * PAGE_SIZE, true);
	start = MmGetMdlVirtualAddress(loose.mdl);
	part = mdl_for(test, start, 3 * PAGE_SIZE);
	IoBuildPartialMdl(loose.mdl, part, start + PAGE_SIZE - 96, 5000);
	address = MmGetSystemAddressForMdlSafe(part, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);

	loose.mdl->MdlFlags = 0;
	IoBuildPartialMdl(loose.mdl, part, start + PAGE_SIZE - 96, 5000);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));
	IoFreeMdl(part);
	loose_destroy(&loose);
}

static void a_part_shares_the_mapping_of_its_source(struct kunit *test)
{
	struct loose loose;
	u8 *address;
	PMDL part;
	u8 *start;

	loose_create(test, &loose, 7, 3 * PAGE_SIZE, true);
	start = MmGetMdlVirtualAddress(loose.mdl);
	part = mdl_for(test, start, 3 * PAGE_SIZE);
	address = MmGetSystemAddressForMdlSafe(loose.mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);

	IoBuildPartialMdl(loose.mdl, part, start + 5000, 5000);
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(part, 0),
			    (PVOID)(address + 5000));
	/* Neither of these undoes the source's mapping. */
	MmPrepareMdlForReuse(part);
	KUNIT_EXPECT_EQ(test, memcmp(address, loose.expected, 3 * PAGE_SIZE), 0);
	IoFreeMdl(part);
	KUNIT_EXPECT_EQ(test, memcmp(address, loose.expected, 3 * PAGE_SIZE), 0);
	loose_destroy(&loose);
}

static void a_part_has_a_mapping_of_its_own_otherwise(struct kunit *test)
{
	struct loose loose;
	u8 *address, *start;
	PMDL part;

	loose_create(test, &loose, 7, 3 * PAGE_SIZE, true);
	start = MmGetMdlVirtualAddress(loose.mdl);
	part = mdl_for(test, start, 3 * PAGE_SIZE);

	IoBuildPartialMdl(loose.mdl, part, start + PAGE_SIZE - 96, 5000);
	address = MmGetSystemAddressForMdlSafe(part, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	KUNIT_EXPECT_EQ(test, memcmp(address, loose.expected + PAGE_SIZE - 96, 5000), 0);
	KUNIT_EXPECT_TRUE(test, part->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED);
	KUNIT_EXPECT_EQ(test, loose.mdl->MdlFlags, MDL_PAGES_LOCKED);
	MmPrepareMdlForReuse(part);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));

	/* To build the part anew undoes the mapping as well. */
	IoBuildPartialMdl(loose.mdl, part, start + PAGE_SIZE - 96, 5000);
	address = MmGetSystemAddressForMdlSafe(part, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	IoBuildPartialMdl(loose.mdl, part, start, PAGE_SIZE + 904);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));

	address = MmGetSystemAddressForMdlSafe(part, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	KUNIT_EXPECT_EQ(test, memcmp(address, loose.expected, PAGE_SIZE + 904), 0);
	IoFreeMdl(part);
	KUNIT_EXPECT_NULL(test, vmalloc_to_page(address));
	loose_destroy(&loose);
}

static void a_chain_is_kept_and_freed_one_by_one(struct kunit *test)
{
	u8 *buffer = buffer_kmalloc(test);
	u32 at = 0, links = 0;
	PMDL head = NULL;
	PMDL *link = &head;
	PMDL mdl, next;

	fill(buffer, BUFFER_BYTES, 3);
	for (; at < 3 * 5000; at += 5000) {
		*link = mdl_for(test, buffer + at, 5000);
		MmBuildMdlForNonPagedPool(*link);
		link = &(*link)->Next;
	}

	/* What is done to one MDL leaves the chain alone. */
	mdl = mdl_for(test, buffer, 5000);
	IoBuildPartialMdl(head, head->Next, buffer + 100, 0);
	KUNIT_EXPECT_PTR_EQ(test, head->Next->Next->Next, (PMDL)NULL);
	MmBuildMdlForNonPagedPool(mdl);
	IoFreeMdl(mdl);

	for (at = 0, mdl = head; mdl; mdl = next, at += 5000) {
		next = mdl->Next;
		if (links++ != 1)
			KUNIT_EXPECT_EQ(test, same_in_pages(mdl, buffer + at), 5000);
		IoFreeMdl(mdl);
	}
	KUNIT_EXPECT_EQ(test, links, 3);
}

static struct kunit_case mdl_cases[] = {
	KUNIT_CASE_PARAM(a_buffer_from_kmalloc_is_described, shape_gen_params),
	KUNIT_CASE_PARAM(a_buffer_from_vmalloc_is_described, shape_gen_params),
	KUNIT_CASE_PARAM(a_modules_data_is_described, shape_gen_params),
	KUNIT_CASE(a_buffer_on_the_stack_is_described),
	KUNIT_CASE(an_mdl_is_built_and_freed_at_dispatch_level),
	KUNIT_CASE_PARAM(a_new_mdl_tells_buffer_and_size_and_no_pages, shape_gen_params),
	KUNIT_CASE(a_buffer_may_be_long_but_not_2_gib),
	KUNIT_CASE(an_mdl_in_the_drivers_memory_is_as_large_as_was_told),
	KUNIT_CASE(what_is_no_kernel_memory_is_not_described),
	KUNIT_CASE(a_users_pages_are_not_locked),
	KUNIT_CASE_PARAM(locked_pages_are_described_and_mapped_until_unlocked,
			 shape_gen_params),
	KUNIT_CASE_PARAM(pages_without_an_address_get_one, shape_gen_params),
	KUNIT_CASE(consecutive_pages_need_no_mapping),
	KUNIT_CASE(at_dispatch_level_other_pages_must_have_an_address),
	KUNIT_CASE(a_mapping_can_be_undone_at_dispatch_level),
	KUNIT_CASE(a_mapping_can_be_undone_under_a_spinlock),
	KUNIT_CASE(freeing_and_unlocking_undo_a_mapping),
	KUNIT_CASE(what_cannot_be_mapped_is_not),
	KUNIT_CASE(a_wrong_address_unmaps_nothing),
	KUNIT_CASE_PARAM(a_part_has_the_pages_of_its_bytes, shape_gen_params),
	KUNIT_CASE(a_part_of_no_length_goes_to_the_end),
	KUNIT_CASE(a_part_beyond_its_source_or_target_is_not_built),
	KUNIT_CASE(a_part_of_an_mdl_that_is_not_locked_is_not_built),
	KUNIT_CASE(a_part_that_is_not_built_gives_its_mapping_back),
	KUNIT_CASE(a_part_shares_the_mapping_of_its_source),
	KUNIT_CASE(a_part_has_a_mapping_of_its_own_otherwise),
	KUNIT_CASE(a_chain_is_kept_and_freed_one_by_one),
	{}
};

static struct kunit_suite mdl_suite = {
	.name = "kmcl_mdl",
	.test_cases = mdl_cases,
};

kunit_test_suite(mdl_suite);
