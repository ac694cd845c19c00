// SPDX-License-Identifier: GPL-2.0
/*
 * Bounce buffers: the host sees a copy of the memory of packets, which the kernel's own
 * DMA API makes: the suites' kernel is booted with swiotlb=force, and the host's device
 * is set up as hv_vmbus does it. Its pool has 256 pages; how many are free the suite
 * finds out by taking them.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/vmalloc.h>

#include "client.h"
#include "log.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define IN	VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY
#define OUT	VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY

#define PAGES		16
#define MAX_BYTES	(PAGES * 4096)
#define MAX_CHAIN	4
#define POOL		2048	/* pages that the pool has at most */

struct bounce {
	struct kunit *test;
	struct host *host;
	struct client *client;
	struct client_done *done;
	struct host_packet *pkt;
	u8 *pages;		/* in one piece for the processor only */
	u8 *before;		/* what is expected there */
	PMDL mdls[4 * MAX_CHAIN];
	u32 n_mdls;
	struct page *page;	/* what the suite takes is mapped from it */
	dma_addr_t *taken;
	u32 n_taken;
	u32 free;		/* at the beginning */
};

/* What takes a page. 6.1 looks for room for 4096 bytes in every second page only. */
#define POOL_PIECE	4095

/* Takes pages of the pool until so many are taken; returns how many. */
static u32 pool_take(struct bounce *b, u32 n)
{
	struct device *dev = &b->host->dev.device;
	u32 before = b->n_taken;
	dma_addr_t dma;

	while (b->n_taken < POOL && n--) {
		dma = dma_map_page_attrs(dev, b->page, 0, POOL_PIECE, DMA_TO_DEVICE,
					 DMA_ATTR_NO_WARN);
		if (dma_mapping_error(dev, dma))
			break;
		b->taken[b->n_taken++] = dma;
	}
	return b->n_taken - before;
}

static void pool_give(struct bounce *b, u32 n)
{
	while (n-- && b->n_taken)
		dma_unmap_page(&b->host->dev.device, b->taken[--b->n_taken], POOL_PIECE,
			       DMA_TO_DEVICE);
}

/* Pages that are free now. */
static u32 pool_free(struct bounce *b)
{
	u32 n = pool_take(b, POOL);

	pool_give(b, n);
	return n;
}

static void bounce_free(void *data)
{
	struct bounce *b = data;

	while (b->n_mdls)
		IoFreeMdl(b->mdls[--b->n_mdls]);
	vfree(b->pages);
	vfree(b->before);
	kvfree(b->taken);
	__free_page(b->page);
}

static void bounce_fill(u8 *bytes, u32 len, u32 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		bytes[i] = seed + i + i / 256;
}

/* A channel with a host that must not see memory, enabled if it is to be. */
static struct bounce *bounce_create(struct kunit *test, bool enabled)
{
	struct bounce *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	b->test = test;
	b->pages = vmalloc(MAX_BYTES);
	b->before = vmalloc(MAX_BYTES);
	b->taken = kvcalloc(POOL, sizeof(*b->taken), GFP_KERNEL);
	b->page = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOFAIL);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, bounce_free, b), 0);
	bounce_fill(b->pages, MAX_BYTES, 1);
	memcpy(b->before, b->pages, MAX_BYTES);
	b->pkt = kunit_kzalloc(test, sizeof(*b->pkt), GFP_KERNEL);

	b->host = host_create(test);
	if (!is_swiotlb_force_bounce(&b->host->dev.device))
		kunit_skip(test, "needs a kernel booted with swiotlb=force");
	b->host->bounces = true;
	b->client = client_create(test, b->host);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumExternalData(b->client->channel,
								 MAX_BYTES, MAX_CHAIN),
		      STATUS_SUCCESS);
	b->free = pool_free(b);
	b->host->offered = true;
	if (enabled)
		client_enable(b->client);
	b->done = client_packet(b->client);
	return b;
}

static void bounce_limit(struct bounce *b, u32 pages)
{
	ASSERT_STATUS(b->test,
		      VmbChannelInitSetBounceBufferSizes(b->client->channel, 0, 0,
							 pages * 4096),
		      STATUS_SUCCESS);
}

/* The next MDL of a chain, if there is one. */
static PMDL bounce_mdl(struct bounce *b, PMDL chain, u32 at, u32 len)
{
	PMDL mdl = IoAllocateMdl(b->pages + at, len, FALSE, FALSE, NULL);

	KUNIT_ASSERT_LT(b->test, b->n_mdls, ARRAY_SIZE(b->mdls));
	KUNIT_ASSERT_NOT_NULL(b->test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	b->mdls[b->n_mdls++] = mdl;
	for (; chain && chain->Next; chain = chain->Next)
		;
	if (chain)
		chain->Next = mdl;
	return mdl;
}

static NTSTATUS bounce_send(struct client_done *done, PMDL mdl, u32 flags)
{
	return VmbPacketSend(done->packet, "x", 1, mdl, WAIT | flags);
}

/* The host's side: what the packet that was read describes, piece by piece. */
static u32 host_u32(struct bounce *b, u32 at)
{
	return *(u32 *)(b->pkt->head + at);
}

/* Where byte @at of a range lies that begins at byte @head of the headers. */
static u8 *host_byte(struct bounce *b, u32 head, u32 at)
{
	u32 pos = host_u32(b, head + 4) + at;
	u64 frame = *(u64 *)(b->pkt->head + head + 8 + pos / 4096 * 8);

	return frame_address(frame) + pos % 4096;
}

/* Has the host the bytes of that memory? It writes over them, from @seed on, if asked. */
static void host_uses(struct bounce *b, u32 head, u32 at, u32 len, bool reads, int seed)
{
	u32 wrong = 0, mine = 0, i;

	KUNIT_EXPECT_EQ(b->test, host_u32(b, head), len);
	KUNIT_EXPECT_EQ(b->test, host_u32(b, head + 4), at % 4096);
	for (i = 0; i < len; i++) {
		u8 *byte = host_byte(b, head, i);

		mine += frame_at(byte) == frame_at(b->pages + at + i);
		wrong += *byte != b->pages[at + i];
		if (seed)
			*byte = seed + i;
	}
	KUNIT_EXPECT_EQ(b->test, mine, 0);
	if (reads)
		KUNIT_EXPECT_EQ(b->test, wrong, 0);
}

/* What is to be there after the host has written from @seed on. */
static void bounce_expect_written(struct bounce *b, u32 at, u32 len, int seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		b->before[at + i] = seed + i;
}

static void bounce_expect_memory(struct bounce *b)
{
	KUNIT_EXPECT_TRUE(b->test, !memcmp(b->pages, b->before, MAX_BYTES));
}

static void bounce_complete(struct bounce *b)
{
	host_complete(b->host, b->pkt->id, NULL, 0);
}

static void sizes_are_checked(struct kunit *test)
{
	struct bounce *b = bounce_create(test, false);
	VMBCHANNEL c = b->client->channel, server;
	NTSTATUS status = STATUS_SUCCESS;
	u32 n;

	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(NULL, 0, 0, 0),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(c, 4095, 0, 0),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(c, 4096, 1, 0),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(c, 4096, 0, 4097),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(c, 8192, 0, 4096),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(c, 0, 0, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(c, 4096, 8192, 4096),
		      STATUS_SUCCESS);
	client_enable(b->client);
	EXPECT_STATUS(test, VmbChannelInitSetBounceBufferSizes(c, 0, 0, 0),
		      STATUS_INVALID_PARAMETER_1);

	EXPECT_STATUS(test, VmbChannelAllocateBounceBuffer(NULL, 4096),
		      STATUS_INVALID_PARAMETER);
	EXPECT_STATUS(test, VmbChannelAllocateBounceBuffer(c, 0), STATUS_INVALID_PARAMETER);
	EXPECT_STATUS(test, VmbChannelAllocateBounceBuffer(c, 4095),
		      STATUS_INVALID_PARAMETER);
	ASSERT_STATUS(test, VmbChannelAllocate(NULL, TRUE, &server), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelAllocateBounceBuffer(server, 4096),
		      STATUS_NOT_SUPPORTED);
	VmbChannelCleanup(server);

	/* 16 TiB are too much. */
	for (n = 0; n < 5000 && status == STATUS_SUCCESS; n++)
		status = VmbChannelAllocateBounceBuffer(c, U32_MAX - 4095);
	EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, n, 4097);
}

static void the_host_sees_a_copy_with_the_same_offsets(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);
	PMDL mdl = bounce_mdl(b, NULL, 100, 5000);

	bounce_mdl(b, mdl, 3 * 4096, 4096);
	bounce_mdl(b, mdl, 5 * 4096 + 4095, 2);
	bounce_mdl(b, mdl, 40000, 1);
	EXPECT_STATUS(test, bounce_send(b->done, mdl, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	KUNIT_ASSERT_EQ(test, b->pkt->head_len, 24 + 4 * 8 + 6 * 8);
	host_uses(b, 24, 100, 5000, true, 7);
	host_uses(b, 24 + 24, 3 * 4096, 4096, true, 8);
	host_uses(b, 24 + 40, 5 * 4096 + 4095, 2, true, 9);
	host_uses(b, 24 + 64, 40000, 1, true, 10);
	KUNIT_EXPECT_LT(test, pool_free(b), b->free);
	bounce_expect_memory(b);

	bounce_complete(b);
	EXPECT_STATUS(test, b->done->status, STATUS_SUCCESS);
	bounce_expect_written(b, 100, 5000, 7);
	bounce_expect_written(b, 3 * 4096, 4096, 8);
	bounce_expect_written(b, 5 * 4096 + 4095, 2, 9);
	bounce_expect_written(b, 40000, 1, 10);
	bounce_expect_memory(b);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

static void frame_numbers_are_copied_like_mdls(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);
	PFN_NUMBER pfns[] = {
		frame_at(b->pages + 2 * 4096), frame_at(b->pages + 3 * 4096),
	};

	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(b->done->packet, "x", 1, pfns, 2,
							  WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 2 * 4096, 2 * 4096, true, 3);
	bounce_complete(b);
	bounce_expect_written(b, 2 * 4096, 2 * 4096, 3);
	bounce_expect_memory(b);
}

static void frames_that_are_no_memory_are_refused(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);
	PFN_NUMBER pfns[] = { frame_at(b->pages), 0xabcdef0123 };

	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(b->done->packet, "x", 1, pfns, 2,
							  WAIT), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 0);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

struct direction {
	const char *name;
	u32 flags;
	bool reads;
	bool written;
};

static const struct direction directions[] = {
	{ "neither", 0, true, true },
	{ "DATA_IN_ONLY", IN, false, true },
	{ "DATA_OUT_ONLY", OUT, true, false },
};

KUNIT_ARRAY_PARAM_DESC(direction, directions, name);

/* What the routine finds is what counts. */
static u8 seen_in_routine;
static u8 *seen_where;

static void look_in_routine(struct client_done *done)
{
	seen_in_routine = *seen_where;
}

static void data_goes_the_ways_that_the_flags_say(struct kunit *test)
{
	const struct direction *direction = test->param_value;
	struct bounce *b = bounce_create(test, true);
	u8 old = b->pages[100];

	seen_where = &b->pages[100];
	WRITE_ONCE(b->done->again, look_in_routine);
	EXPECT_STATUS(test, bounce_send(b->done, bounce_mdl(b, NULL, 100, 9000),
					direction->flags), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 100, 9000, direction->reads, 77);
	bounce_complete(b);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 1);
	KUNIT_EXPECT_EQ(test, seen_in_routine, direction->written ? 77 : old);
	if (direction->written)
		bounce_expect_written(b, 100, 9000, 77);
	bounce_expect_memory(b);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

/* A host that goes on writing has nothing to write to. */
static void after_its_completion_the_host_has_no_way_to_the_memory(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);
	u32 i;

	bounce_send(b->done, bounce_mdl(b, NULL, 0, 8192), 0);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	bounce_complete(b);
	for (i = 0; i < 8192; i++)
		*host_byte(b, 24, i) = 0xee;
	/* Once more: there is no such transaction. */
	bounce_complete(b);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 1);
	bounce_expect_memory(b);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

static void a_packet_waits_until_another_one_is_complete(struct kunit *test)
{
	struct bounce *b = bounce_create(test, false);
	struct client_done *second = client_packet(b->client);
	struct client_done *third = client_packet(b->client);
	PMDL mdl = bounce_mdl(b, NULL, 0, 8192);
	u64 first_id;

	bounce_limit(b, 3);
	client_enable(b->client);
	EXPECT_STATUS(test, bounce_send(b->done, mdl, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, bounce_send(second, bounce_mdl(b, NULL, 8192, 8192), 0),
		      STATUS_SUCCESS);
	/* Order is kept: it comes behind what waits. */
	EXPECT_STATUS(test, client_send(third, "y", 1, 0), STATUS_SUCCESS);

	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	first_id = b->pkt->id;
	KUNIT_EXPECT_FALSE(test, host_read(b->host, b->pkt));
	/* The ring has room: the host cannot help. */
	KUNIT_EXPECT_EQ(test, host_wanted_room(b->host), 0);
	KUNIT_EXPECT_EQ(test, client_calls(third), 0);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free - 2);

	host_complete(b->host, first_id, NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 1);
	EVENTUALLY(test, client_calls(third) == 1);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 8192, 8192, true, 5);
	bounce_complete(b);
	bounce_expect_written(b, 8192, 8192, 5);
	bounce_expect_memory(b);
	EXPECT_STATUS(test, second->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

static void a_packet_that_there_is_never_room_for_is_refused(struct kunit *test)
{
	struct bounce *b = bounce_create(test, false);
	PMDL mdl = bounce_mdl(b, NULL, 4000, 8192);	/* in three pages */

	bounce_limit(b, 2);
	/* It waits for the channel to open, and is given back then. */
	EXPECT_STATUS(test, bounce_send(b->done, mdl, 0), STATUS_SUCCESS);
	client_enable(b->client);
	EVENTUALLY(test, client_calls(b->done) == 1);
	EXPECT_STATUS(test, b->done->status, STATUS_NOT_SUPPORTED);
	EXPECT_STATUS(test, bounce_send(b->done, mdl, 0), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 1);

	/* There is more from now on. */
	EXPECT_STATUS(test, VmbChannelAllocateBounceBuffer(b->client->channel, 4096),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, bounce_send(b->done, mdl, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 4000, 8192, true, 0);
	bounce_complete(b);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 2);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

static void a_packet_that_waits_goes_out_when_there_is_more(struct kunit *test)
{
	struct bounce *b = bounce_create(test, false);
	struct client_done *second = client_packet(b->client);

	bounce_limit(b, 2);
	client_enable(b->client);
	bounce_send(b->done, bounce_mdl(b, NULL, 0, 8192), 0);
	bounce_send(second, bounce_mdl(b, NULL, 8192, 4096), 0);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	KUNIT_EXPECT_FALSE(test, host_read(b->host, b->pkt));
	EXPECT_STATUS(test, VmbChannelAllocateBounceBuffer(b->client->channel, 4096),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, host_read(b->host, b->pkt));
}

/* Whoever else holds the pool does not tell when that is over. */
static void a_pool_that_is_empty_is_waited_for(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);

	client_set_retry(b->client, 20);
	pool_take(b, POOL);
	EXPECT_STATUS(test, bounce_send(b->done, bounce_mdl(b, NULL, 0, 100), 0),
		      STATUS_SUCCESS);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, host_read(b->host, b->pkt));
	pool_give(b, POOL);
	EVENTUALLY(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 0, 100, true, 0);
	bounce_complete(b);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 1);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

/* The mapping fails at each of the pages in turn. Parts of a page may take half of one. */
static void a_packet_takes_all_of_its_pages_or_none(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);
	PMDL mdl = bounce_mdl(b, NULL, 4096, 3 * 4096);
	u32 left;

	bounce_mdl(b, mdl, 5 * 4096, 4096);
	for (left = 0; left < 4; left++) {
		pool_take(b, POOL);
		pool_give(b, left);
		EXPECT_STATUS(test, bounce_send(b->done, mdl, 0), STATUS_SUCCESS);
		KUNIT_EXPECT_FALSE(test, host_read(b->host, b->pkt));
		KUNIT_EXPECT_EQ(test, pool_free(b), left);

		pool_give(b, POOL);
		host_signal(b->host);
		KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
		host_uses(b, 24, 4096, 3 * 4096, true, 30 + left);
		host_uses(b, 24 + 32, 5 * 4096, 4096, true, 40 + left);
		bounce_complete(b);
		KUNIT_EXPECT_EQ(test, client_calls(b->done), left + 1);
		bounce_expect_written(b, 4096, 3 * 4096, 30 + left);
		bounce_expect_written(b, 5 * 4096, 4096, 40 + left);
		bounce_expect_memory(b);
		KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
	}
}

static void a_packet_stays_mapped_while_the_ring_is_full(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);

	b->host->no_room = true;
	bounce_send(b->done, bounce_mdl(b, NULL, 0, 8192), 0);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free - 2);
	host_signal(b->host);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free - 2);
	b->host->no_room = false;
	host_signal(b->host);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 0, 8192, true, 3);
	bounce_complete(b);
	bounce_expect_written(b, 0, 8192, 3);
	bounce_expect_memory(b);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

struct ending {
	const char *name;
	bool rescind;
	bool queued;	/* mapped, but not in the ring */
};

static const struct ending endings[] = {
	{ "disabled" }, { "disabled, the ring full", .queued = true },
	{ "rescinded", .rescind = true },
	{ "rescinded, the ring full", .rescind = true, .queued = true },
};

KUNIT_ARRAY_PARAM_DESC(ending, endings, name);

static void what_is_mapped_when_the_channel_closes_is_unmapped(struct kunit *test)
{
	const struct ending *ending = test->param_value;
	struct bounce *b = bounce_create(test, true);

	b->host->no_room = ending->queued;
	bounce_send(b->done, bounce_mdl(b, NULL, 0, 3 * 4096), 0);
	if (!ending->queued) {
		KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
		host_uses(b, 24, 0, 3 * 4096, true, 0);
	}
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free - 3);
	if (ending->rescind)
		host_rescind(b->host);
	else
		VmbChannelDisable(b->client->channel);
	KUNIT_EXPECT_EQ(test, client_calls(b->done), 1);
	EXPECT_STATUS(test, b->done->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
	bounce_expect_memory(b);
}

/* The host may still write to the copy: what gets it next would be overwritten. */
static void copies_of_a_channel_that_is_not_closed_are_never_given_back(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);
	struct kmsg_dump_iter mark = log_mark();
	u32 i;

	b->host->unclosed = true;
	bounce_send(b->done, bounce_mdl(b, NULL, 0, 4097), 0);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	VmbChannelDisable(b->client->channel);
	EXPECT_STATUS(test, b->done->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "2 pages are pinned for good"), 1);
	KUNIT_EXPECT_EQ(test, client_count(b->client, pinned), 2);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free - 2);
	for (i = 0; i < 4097; i++)
		*host_byte(b, 24, i) = 0xee;
	bounce_expect_memory(b);
}

static NTSTATUS bounce_request(struct bounce *b, PMDL mdl, s64 timeout)
{
	LARGE_INTEGER when = { .QuadPart = timeout };

	return VmbChannelSendSynchronousRequest(b->client->channel, "x", 1, mdl, WAIT,
						NULL, NULL, &when);
}

#define MS	-10000LL

/* The caller's memory may be gone when the host completes. */
static void a_request_that_is_given_up_leaves_its_copy_to_the_host(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);

	EXPECT_STATUS(test, bounce_request(b, bounce_mdl(b, NULL, 0, 8192), 20 * MS),
		      STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free - 2);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 0, 8192, true, 9);
	bounce_complete(b);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
	KUNIT_EXPECT_EQ(test, client_count(b->client, late), 1);
	KUNIT_EXPECT_EQ(test, client_count(b->client, completed), 0);
	bounce_expect_memory(b);

	/* Its object is used again, for one that is copied back. */
	EXPECT_STATUS(test, VmbPacketSend(VmbPacketAllocate(b->client->channel), "x", 1,
					  b->mdls[0], WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	host_uses(b, 24, 0, 8192, true, 11);
	bounce_complete(b);
	bounce_expect_written(b, 0, 8192, 11);
	bounce_expect_memory(b);
	KUNIT_EXPECT_EQ(test, client_count(b->client, late), 1);

	/* And the one that the host never completes, until the channel is closed. */
	EXPECT_STATUS(test, bounce_request(b, b->mdls[0], 20 * MS), STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free - 2);
	VmbChannelDisable(b->client->channel);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
	KUNIT_EXPECT_EQ(test, client_open_transactions(b->client), 0);
}

static void a_request_that_the_host_has_not_seen_is_unmapped_at_once(struct kunit *test)
{
	struct bounce *b = bounce_create(test, true);
	PMDL mdl = bounce_mdl(b, NULL, 0, 8192);

	b->host->no_room = true;
	EXPECT_STATUS(test, bounce_request(b, mdl, 20 * MS), STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
	EXPECT_STATUS(test, bounce_request(b, mdl, 0), STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
	b->host->no_room = false;
	pool_take(b, POOL);
	EXPECT_STATUS(test, bounce_request(b, mdl, 0), STATUS_BUFFER_OVERFLOW);
	pool_give(b, POOL);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

static void many_packets_go_through_few_buffers(struct kunit *test)
{
	struct bounce *b = bounce_create(test, false);
	struct client_done *done[64];
	u32 i, completed = 0;

	bounce_limit(b, 4);
	client_enable(b->client);
	bounce_mdl(b, NULL, 10, 8000);
	for (i = 0; i < ARRAY_SIZE(done); i++) {
		done[i] = client_packet(b->client);
		EXPECT_STATUS(test, bounce_send(done[i], b->mdls[0], i & 1 ? OUT : 0),
			      STATUS_SUCCESS);
	}
	while (completed < ARRAY_SIZE(done)) {
		EVENTUALLY(test, host_read(b->host, b->pkt));
		bounce_complete(b);
		completed++;
	}
	for (i = 0; i < ARRAY_SIZE(done); i++) {
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		if (i)
			KUNIT_EXPECT_EQ(test, done[i]->order, done[i - 1]->order + 1);
	}
	bounce_expect_memory(b);
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

static void without_a_need_nothing_is_copied(struct kunit *test)
{
	struct bounce *b = bounce_create(test, false);

	b->host->bounces = false;
	client_enable(b->client);
	bounce_send(b->done, bounce_mdl(b, NULL, 100, 50), IN);
	KUNIT_ASSERT_TRUE(test, host_read(b->host, b->pkt));
	KUNIT_EXPECT_EQ(test, *(u64 *)(b->pkt->head + 32), frame_at(b->pages));
	KUNIT_EXPECT_EQ(test, pool_free(b), b->free);
}

static struct kunit_case bounce_cases[] = {
	KUNIT_CASE(sizes_are_checked),
	KUNIT_CASE(the_host_sees_a_copy_with_the_same_offsets),
	KUNIT_CASE(frame_numbers_are_copied_like_mdls),
	KUNIT_CASE(frames_that_are_no_memory_are_refused),
	KUNIT_CASE_PARAM(data_goes_the_ways_that_the_flags_say, direction_gen_params),
	KUNIT_CASE(after_its_completion_the_host_has_no_way_to_the_memory),
	KUNIT_CASE(a_packet_waits_until_another_one_is_complete),
	KUNIT_CASE(a_packet_that_there_is_never_room_for_is_refused),
	KUNIT_CASE(a_packet_that_waits_goes_out_when_there_is_more),
	KUNIT_CASE(a_pool_that_is_empty_is_waited_for),
	KUNIT_CASE(a_packet_takes_all_of_its_pages_or_none),
	KUNIT_CASE(a_packet_stays_mapped_while_the_ring_is_full),
	KUNIT_CASE_PARAM(what_is_mapped_when_the_channel_closes_is_unmapped,
			 ending_gen_params),
	KUNIT_CASE(copies_of_a_channel_that_is_not_closed_are_never_given_back),
	KUNIT_CASE(a_request_that_is_given_up_leaves_its_copy_to_the_host),
	KUNIT_CASE(a_request_that_the_host_has_not_seen_is_unmapped_at_once),
	KUNIT_CASE(many_packets_go_through_few_buffers),
	KUNIT_CASE(without_a_need_nothing_is_copied),
	{}
};

static struct kunit_suite bounce_suite = {
	.name = "kmcl_bounce",
	.test_cases = bounce_cases,
};

kunit_test_suite(bounce_suite);
