// SPDX-License-Identifier: GPL-2.0
/* What it costs to send memory beside a packet: see bench.h. */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "bench.h"

#define CHAIN_MAX	8u
#define RAW_DESC	512u	/* room for all that is described here */

/* With hv_vmbus alone: one range of pages, as its drivers send it. */

static u32 raw_desc_size(struct bench *b)
{
	return offsetof(struct vmbus_packet_mpb_array, range.pfn_array[b->pages]);
}

/* Aligned, as bench_mdl() and for the same reason. */
static void *raw_descs(u32 n)
{
	return kcalloc(n, RAW_DESC, GFP_KERNEL | __GFP_NOFAIL);
}

static void raw_fill(struct bench *b, struct vmbus_packet_mpb_array *desc)
{
	u32 page;

	desc->rangecount = 1;
	desc->range.len = b->pages * PAGE_SIZE;
	desc->range.offset = 0;
	for (page = 0; page < b->pages; page++)
		desc->range.pfn_array[page] = MmGetMdlPfnArray(b->mdl)[page];
}

/* Gives back what the requestor holds: the ids are known to none but it. */
static void raw_forget_all(struct bench *b)
{
	u32 id;

	for_each_set_bit(id, b->raw.requestor.req_bitmap, b->raw.requestor.size)
		vmbus_request_addr(&b->raw, id + 1);
}

static u64 raw_external(struct bench *b, u32 bytes, u32 n)
{
	struct vmbus_packet_mpb_array *desc = raw_descs(1);
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++) {
		raw_fill(b, desc);
		vmbus_sendpacket_mpb_desc(&b->raw, desc, raw_desc_size(b), b->payload, bytes,
					  (unsigned long)b);
	}
	begin = bench_end(begin);
	kfree(desc);
	raw_forget_all(b);
	return begin;
}

/* hv_vmbus has a type for one range only, but writes what it is given. */
struct raw_range {
	u32 len;
	u32 offset;
	u64 pfn;
} __packed;

static u64 raw_chain(struct bench *b, u32 bytes, u32 n)
{
	struct vmbus_packet_mpb_array *desc = raw_descs(1);
	struct raw_range *to = (void *)&desc->range;
	u64 begin = bench_begin();
	u32 i, range;
	PMDL mdl;

	for (i = 0; i < n; i++) {
		for (mdl = b->mdl, range = 0; mdl; mdl = mdl->Next, range++) {
			to[range].len = MmGetMdlByteCount(mdl);
			to[range].offset = MmGetMdlByteOffset(mdl);
			to[range].pfn = *MmGetMdlPfnArray(mdl);
		}
		desc->rangecount = range;
		vmbus_sendpacket_mpb_desc(&b->raw, desc, (void *)&to[range] - (void *)desc,
					  b->payload, bytes, (unsigned long)b);
	}
	begin = bench_end(begin);
	kfree(desc);
	raw_forget_all(b);
	return begin;
}

static u64 kmcl_external_sent(struct bench *b, u32 bytes, u32 n)
{
	VMBPACKET *packets = b->packets;
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(packets[i], b->payload, bytes, b->mdl, BENCH_WAIT);
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, client_open_transactions(b->client), n);
	return begin;
}

static u64 kmcl_external(struct bench *b, u32 bytes, u32 n)
{
	u64 begin = kmcl_external_sent(b, bytes, n);

	bench_complete_all(b);
	return begin;
}

static u64 kmcl_pfns(struct bench *b, u32 bytes, u32 n)
{
	VMBPACKET *packets = b->packets;
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSendWithExternalPfns(packets[i], b->payload, bytes,
					      MmGetMdlPfnArray(b->mdl), b->pages, BENCH_WAIT);
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, client_open_transactions(b->client), n);
	bench_complete_all(b);
	return begin;
}

static void bench_free_mdls(PMDL mdl)
{
	PMDL next;

	for (; mdl; mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
}

/*
 * At the beginning of 256 bytes: for the kernel's memcpy() takes some instructions more
 * where the source's last byte of address is below the destination's, and where an MDL
 * is differs from boot to boot.
 */
static PMDL bench_mdl(struct bench *b, void *memory, u32 pages)
{
	PMDL mdl, others = NULL;

	for (;;) {
		mdl = IoAllocateMdl(memory, pages * PAGE_SIZE, FALSE, FALSE, NULL);
		KUNIT_ASSERT_NOT_NULL(b->test, mdl);
		if (!((unsigned long)mdl & 0xff))
			break;
		mdl->Next = others;
		others = mdl;
	}
	bench_free_mdls(others);
	MmBuildMdlForNonPagedPool(mdl);
	return mdl;
}

/* A chain of MDLs, each of as many pages, in place of the one before: a power of two. */
static void bench_chain(struct bench *b, u32 mdls, u32 pages)
{
	void *memory;
	PMDL mdl;

	KUNIT_ASSERT_EQ(b->test, client_open_transactions(b->client), 0);
	bench_chain_free(b);
	b->pages = pages;
	for (; mdls; mdls--) {
		memory = kzalloc(pages * PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(b->test, memory);
		mdl = bench_mdl(b, memory, pages);
		mdl->Next = b->mdl;
		b->mdl = mdl;
	}
}

static void memory(struct kunit *test)
{
	static const struct {
		const char *name, *pfns;
		u32 pages;
	} some[] = {
		{ "send, MDL of 1 page", "send, 1 frame number", 1 },
		{ "send, MDL of 8 pages", "send, 8 frame numbers", 8 },
		{ "send, MDL of 32 pages", "send, 32 frame numbers", 32 },
	};
	struct bench *b = bench_create(test, 0);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		bench_chain(b, 1, some[i].pages);
		bench_run(b, some[i].name, 64, raw_external, kmcl_external);
		bench_run(b, some[i].pfns, 64, raw_external, kmcl_pfns);
	}
	bench_chain(b, CHAIN_MAX, 1);
	bench_run(b, "send, chain of 8 MDLs", 64, raw_chain, kmcl_external);
}

/* Where the host sees copies only; sending and completing, each of which copies */

static void raw_map(struct bench *b, struct vmbus_packet_mpb_array *desc)
{
	struct device *dev = &b->host->dev.device;
	u32 page;

	desc->rangecount = 1;
	desc->range.len = b->pages * PAGE_SIZE;
	desc->range.offset = 0;
	for (page = 0; page < b->pages; page++)
		desc->range.pfn_array[page] =
			dma_map_page(dev, pfn_to_page(MmGetMdlPfnArray(b->mdl)[page]), 0,
				     PAGE_SIZE, DMA_BIDIRECTIONAL) >> PAGE_SHIFT;
}

static void raw_unmap(struct bench *b, const struct vmbus_packet_mpb_array *desc)
{
	u32 page;

	for (page = 0; page < b->pages; page++)
		dma_unmap_page(&b->host->dev.device, desc->range.pfn_array[page] << PAGE_SHIFT,
			       PAGE_SIZE, DMA_BIDIRECTIONAL);
}

static u64 raw_bounced(struct bench *b, u32 bytes, u32 n)
{
	u32 i, id, size = raw_desc_size(b);
	struct vmpacket_descriptor *in;
	void *all = raw_descs(n);
	u64 begin, sending;

	begin = bench_begin();
	for (i = 0; i < n; i++) {
		struct vmbus_packet_mpb_array *desc = all + i * RAW_DESC;

		raw_map(b, desc);
		vmbus_sendpacket_mpb_desc(&b->raw, desc, size, b->payload, bytes,
					  (unsigned long)desc);
	}
	sending = bench_end(begin);
	for_each_set_bit(id, b->raw.requestor.req_bitmap, b->raw.requestor.size)
		bench_write(b, &b->raw, VM_PKT_COMP, 0, id + 1, 0, 1);
	begin = bench_begin();
	foreach_vmbus_pkt(in, &b->raw)
		raw_unmap(b, (void *)(unsigned long)vmbus_request_addr(&b->raw, in->trans_id));
	begin = bench_end(begin);
	kfree(all);
	return sending + begin;
}

static u64 kmcl_bounced(struct bench *b, u32 bytes, u32 n)
{
	u64 sending = kmcl_external_sent(b, bytes, n);

	bench_write(b, &b->host->channel, VM_PKT_COMP, 0, client_last_id(b->client) + 1 - n, 0,
		    n);
	return sending + bench_read_completions(b);
}

static void bounced_memory(struct kunit *test)
{
	struct bench *b = bench_create_bounced(test);

	if (!is_swiotlb_force_bounce(&b->host->dev.device))
		kunit_skip(test, "needs a kernel booted with swiotlb=force");
	bench_chain(b, 1, 1);
	bench_run_n(b, "bounced MDL of 1 page and completion", 64, 16, raw_bounced, kmcl_bounced);
	/* At once 64 pages: of a pool of 256 a kernel of 6.1 uses half for whole pages. */
	bench_chain(b, 1, 8);
	bench_run_n(b, "bounced MDL of 8 pages and completion", 64, 8, raw_bounced, kmcl_bounced);
}

static struct kunit_case bench_external_cases[] = {
	KUNIT_CASE(memory),
	KUNIT_CASE(bounced_memory),
	{}
};

static struct kunit_suite bench_external_suite = {
	.name = "kmcl_bench_external",
	.test_cases = bench_external_cases,
};

kunit_test_suite(bench_external_suite);
