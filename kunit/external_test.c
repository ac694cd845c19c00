// SPDX-License-Identifier: GPL-2.0
/* External data: which memory a packet says goes along with it. */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define FORCE	VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH

#define MAX_BYTES	(64 * 1024)
#define MAX_CHAIN	4

struct external {
	struct kunit *test;
	struct host *host;
	struct client *client;
	struct client_done *done;
	struct host_packet *pkt;
	u8 *pages;		/* 16 pages of memory in one piece */
	PMDL mdls[8];
	u32 n_mdls;
};

static void external_free(void *data)
{
	struct external *x = data;
	u32 i;

	for (i = 0; i < x->n_mdls; i++)
		IoFreeMdl(x->mdls[i]);
	free_pages((unsigned long)x->pages, 4);
}

/* An active channel, a packet made for it, and memory. */
static struct external *external_create(struct kunit *test)
{
	struct external *x = kunit_kzalloc(test, sizeof(*x), GFP_KERNEL);

	x->test = test;
	x->pages = (u8 *)__get_free_pages(GFP_KERNEL, 4);
	KUNIT_ASSERT_NOT_NULL(test, x->pages);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, external_free, x), 0);
	x->pkt = kunit_kzalloc(test, sizeof(*x->pkt), GFP_KERNEL);
	x->host = host_create(test);
	x->client = client_create(test, x->host);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumExternalData(x->client->channel,
								 MAX_BYTES, MAX_CHAIN),
		      STATUS_SUCCESS);
	x->host->offered = true;
	client_enable(x->client);
	x->done = client_packet(x->client);
	return x;
}

/* The next MDL of a chain. */
static PMDL external_mdl(struct external *x, void *buffer, u32 len)
{
	PMDL mdl = IoAllocateMdl(buffer, len, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(x->test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	if (x->n_mdls)
		x->mdls[x->n_mdls - 1]->Next = mdl;
	x->mdls[x->n_mdls++] = mdl;
	return mdl;
}

/* The headers as they have to be, byte by byte, put together with no help. */
struct expected {
	u8 bytes[1024];
	u32 len;
};

static void put(struct expected *e, u64 value, u32 bytes)
{
	while (bytes--) {
		e->bytes[e->len++] = value;
		value >>= 8;
	}
}

/* Descriptor, reserved word, number of ranges. */
static struct expected *expect_head(struct external *x, u32 ranges, u32 pfns,
				    u32 payload)
{
	struct expected *e = kunit_kzalloc(x->test, sizeof(*e), GFP_KERNEL);
	u32 head = 24 + 8 * ranges + 8 * pfns;

	put(e, 9, 2);
	put(e, head / 8, 2);
	put(e, (head + payload + 7) / 8, 2);
	put(e, 1, 2);
	put(e, x->pkt->id, 8);
	put(e, 0, 4);
	put(e, ranges, 4);
	return e;
}

static void expect_range(struct expected *e, const u8 *start, u32 len)
{
	const u8 *page = PTR_ALIGN_DOWN(start, 4096);

	put(e, len, 4);
	put(e, start - page, 4);
	for (; page < start + len; page += 4096)
		put(e, frame_at(page), 8);
}

static void expect_equal(struct external *x, struct expected *e)
{
	KUNIT_ASSERT_EQ(x->test, x->pkt->head_len, e->len);
	KUNIT_EXPECT_MEMEQ(x->test, x->pkt->head, e->bytes, e->len);
}

struct extent {
	u32 offset;
	u32 len;
	u32 pages;
};

static const struct extent extents[] = {
	{ 0, 1, 1 }, { 0, 4096, 1 }, { 0, 4097, 2 }, { 0, MAX_BYTES, 16 },
	{ 1, 1, 1 }, { 1, 4095, 1 }, { 1, 4096, 2 }, { 7, 12345, 4 },
	{ 4095, 1, 1 }, { 4095, 2, 2 }, { 4095, 4098, 3 }, { 4096, 8, 1 },
	{ 5000, 200, 1 },
};

static void extent_desc(const struct extent *extent, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes from byte %u",
		 extent->len, extent->offset);
}

KUNIT_ARRAY_PARAM(extent, extents, extent_desc);

static void one_mdl_is_one_range(struct kunit *test)
{
	struct external *x = external_create(test);
	const struct extent *extent = test->param_value;
	PMDL mdl = external_mdl(x, x->pages + extent->offset, extent->len);
	struct expected *e;

	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "hello", 5, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	e = expect_head(x, 1, extent->pages, 5);
	expect_range(e, x->pages + extent->offset, extent->len);
	expect_equal(x, e);
	KUNIT_EXPECT_EQ(test, x->pkt->len, 8);
	KUNIT_EXPECT_MEMEQ(test, x->pkt->payload, "hello\0\0\0", 8);
	KUNIT_EXPECT_FALSE(test, host_read(x->host, x->pkt));
}

static void every_mdl_of_a_chain_is_a_range(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages + 100, 50);
	struct expected *e;

	external_mdl(x, x->pages + 3 * 4096, 4096);
	external_mdl(x, x->pages + 4095, 2);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, NULL, 0, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	e = expect_head(x, 3, 1 + 1 + 2, 0);
	expect_range(e, x->pages + 100, 50);
	expect_range(e, x->pages + 3 * 4096, 4096);
	expect_range(e, x->pages + 4095, 2);
	expect_equal(x, e);
}

static void memory_that_is_scattered_is_described_page_by_page(struct kunit *test)
{
	struct external *x = external_create(test);
	u8 *scattered = vmalloc(5 * PAGE_SIZE);
	u8 *start = scattered + PAGE_SIZE - 4096 + 17;
	struct expected *e;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, scattered);
	mdl = external_mdl(x, start, 4 * 4096);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, NULL, 0, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	e = expect_head(x, 1, 5, 0);
	expect_range(e, start, 4 * 4096);
	expect_equal(x, e);
	VmbChannelDisable(x->client->channel);
	vfree(scattered);
}

/* Two MDLs: 5000 bytes from byte 1000 of the memory, and the third to fourth page. */
struct part {
	const char *name;
	u32 offset;
	u32 length;
	u32 flags;
	NTSTATUS status;
	struct extent ranges[2];
};

static const struct part parts[] = {
	{ "all", 0, 0, 0, STATUS_SUCCESS, { { 1000, 5000, 2 }, { 8192, 8192, 2 } } },
	{ "from an offset on", 10, 0, 0, STATUS_SUCCESS,
	  { { 1010, 4990, 2 }, { 8192, 8192, 2 } } },
	{ "an offset in the second page", 4000, 0, 0, STATUS_SUCCESS,
	  { { 5000, 1000, 1 }, { 8192, 8192, 2 } } },
	{ "an offset in the second MDL", 5001, 0, 0, STATUS_SUCCESS,
	  { { 8193, 8191, 2 } } },
	{ "the last byte", 13191, 0, 0, STATUS_SUCCESS, { { 16383, 1, 1 } } },
	{ "an offset at the end", 13192, 0, 0, STATUS_INVALID_PARAMETER_5, {} },
	{ "an offset behind the end", 20000, 1, 0, STATUS_INVALID_PARAMETER_5, {} },
	{ "a length", 0, 1, 0, STATUS_SUCCESS, { { 1000, 1, 1 } } },
	{ "the first MDL's length", 0, 5000, 0, STATUS_SUCCESS, { { 1000, 5000, 2 } } },
	{ "one byte of the second", 0, 5001, 0, STATUS_SUCCESS,
	  { { 1000, 5000, 2 }, { 8192, 1, 1 } } },
	{ "offset and length across both", 4999, 2, 0, STATUS_SUCCESS,
	  { { 5999, 1, 1 }, { 8192, 1, 1 } } },
	{ "a length to the end", 1, 13191, 0, STATUS_SUCCESS,
	  { { 1001, 4999, 2 }, { 8192, 8192, 2 } } },
	{ "a length beyond the end", 1, 13192, 0, STATUS_INVALID_PARAMETER_6, {} },
	{ "forced, within the MDL", 0, 100, FORCE, STATUS_SUCCESS, { { 1000, 100, 1 } } },
	{ "forced, to the end of its last page", 0, 7192, FORCE, STATUS_SUCCESS,
	  { { 1000, 7192, 2 } } },
	{ "forced, beyond its last page", 0, 7193, FORCE, STATUS_INVALID_PARAMETER_6, {} },
	{ "forced, with an offset", 192, 7000, FORCE, STATUS_SUCCESS,
	  { { 1192, 7000, 2 } } },
	{ "forced, with an offset, beyond", 193, 7000, FORCE,
	  STATUS_INVALID_PARAMETER_6, {} },
	{ "forced, an offset in the padding", 5001, 1, FORCE, STATUS_SUCCESS,
	  { { 6001, 1, 1 } } },
	{ "forced, without a length", 0, 0, FORCE, STATUS_SUCCESS, { { 1000, 5000, 2 } } },
};

KUNIT_ARRAY_PARAM_DESC(part, parts, name);

static void a_part_of_a_chain_is_described(struct kunit *test)
{
	struct external *x = external_create(test);
	const struct part *part = test->param_value;
	PMDL mdl = external_mdl(x, x->pages + 1000, 5000);
	u32 i, ranges = 0, pages = 0;
	struct expected *e;

	external_mdl(x, x->pages + 8192, 8192);
	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(x->done->packet, "x", 1, mdl,
							 part->offset, part->length,
							 WAIT | part->flags),
		      part->status);
	KUNIT_ASSERT_EQ(test, host_read(x->host, x->pkt), !part->status);
	if (part->status) {
		KUNIT_EXPECT_EQ(test, client_calls(x->done), 0);
		return;
	}

	for (i = 0; i < 2; i++) {
		ranges += !!part->ranges[i].len;
		pages += part->ranges[i].pages;
	}
	e = expect_head(x, ranges, pages, 1);
	for (i = 0; i < ranges; i++)
		expect_range(e, x->pages + part->ranges[i].offset,
			     part->ranges[i].len);
	expect_equal(x, e);
}

static void page_frame_numbers_are_one_range_of_whole_pages(struct kunit *test)
{
	struct external *x = external_create(test);
	PFN_NUMBER pfns[] = { 0x1234, 0xabcdef0123, 7 };
	struct expected *e;

	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(x->done->packet, "x", 1, pfns,
							  3, WAIT), STATUS_SUCCESS);
	memset(pfns, 0, sizeof(pfns));
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	e = expect_head(x, 1, 3, 1);
	put(e, 3 * 4096, 4);
	put(e, 0, 4);
	put(e, 0x1234, 8);
	put(e, 0xabcdef0123, 8);
	put(e, 7, 8);
	expect_equal(x, e);
}

static void external_data_needs_a_completion(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages, 100);
	VMBPACKET packet = x->done->packet;
	PFN_NUMBER pfn = 1;

	EXPECT_STATUS(test, VmbPacketSend(packet, "x", 1, mdl, 0),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(packet, "x", 1, mdl, 0, 0, FORCE),
		      STATUS_INVALID_PARAMETER_7);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, "x", 1, &pfn, 1, 0),
		      STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 0);
}

static void bad_parameters_have_their_numbers(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages, 100);
	VMBPACKET packet = x->done->packet;
	PFN_NUMBER pfn = 1;

	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(NULL, "x", 1, mdl, 0, 0, WAIT),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(packet, NULL, 1, mdl, 0, 0, WAIT),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(packet, "x", 1025, mdl, 0, 0, WAIT),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(packet, "x", 1, NULL, 0, 0, WAIT),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(packet, "x", 1, mdl, 0, 0, WAIT | 32),
		      STATUS_INVALID_PARAMETER_7);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(NULL, "x", 1, &pfn, 1, WAIT),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, NULL, 1, &pfn, 1, WAIT),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, "x", 1025, &pfn, 1, WAIT),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, "x", 1, NULL, 1, WAIT),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, "x", 1, &pfn, 0, WAIT),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, "x", 1, &pfn, 17, WAIT),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, "x", 1, &pfn, 1, WAIT | 32),
		      STATUS_INVALID_PARAMETER_6);

	/* And the packet is as good as before. */
	EXPECT_STATUS(test, VmbPacketSend(packet, "x", 1, mdl, WAIT), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 1);
}

static void an_mdl_that_is_not_locked_is_refused(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = IoAllocateMdl(x->pages, 100, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_INVALID_PARAMETER_4);
	/* Nor is a part of that MDL sent by one that described locked memory before. */
	IoBuildPartialMdl(mdl, external_mdl(x, x->pages, 100), x->pages, 50);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, x->mdls[0], WAIT),
		      STATUS_INVALID_PARAMETER_4);
	MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 1);
	VmbChannelDisable(x->client->channel);
	MmUnlockPages(mdl);
	IoFreeMdl(mdl);
}

static void a_chain_as_long_as_allowed_is_sent_a_longer_one_is_not(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages, 1);
	int i;

	for (i = 1; i < MAX_CHAIN; i++)
		external_mdl(x, x->pages + i, 1);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 1);
	external_mdl(x, x->pages + i, 1);
	EXPECT_STATUS(test, VmbPacketSend(client_packet(x->client)->packet, "x", 1, mdl,
					  WAIT), STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 0);
}

/* Each MDL begins at an offset where it needs one page more than its bytes fill. */
static void a_chain_with_the_most_pages_fits(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = NULL;
	int i;

	for (i = 0; i < MAX_CHAIN; i++) {
		PMDL next = external_mdl(x, x->pages + 4095 - i,
					 MAX_BYTES / MAX_CHAIN - 4096);

		mdl = mdl ?: next;
	}
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 1);
}

/* MDLs of two bytes about the end of a page, and a last one of all bytes left. */
static void a_chain_that_straddles_as_many_pages_as_can_be_fits(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages + 4095, 2);
	int i;

	for (i = 1; i < MAX_CHAIN - 1; i++)
		external_mdl(x, x->pages + 4095, 2);
	external_mdl(x, x->pages + 4095, 15 * 4096 - 4094);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 1);
}

static void more_bytes_than_allowed_are_refused(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages, MAX_BYTES);

	external_mdl(x, x->pages, 1);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbPacketSendWithExternalMdl(x->done->packet, "x", 1, mdl, 1, 0,
							 WAIT), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 1);
}

static void an_empty_mdl_adds_nothing(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL empty = external_mdl(x, x->pages, 0);
	struct expected *e;

	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, empty, WAIT),
		      STATUS_INVALID_PARAMETER_4);
	external_mdl(x, x->pages, 8);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, empty, WAIT),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	e = expect_head(x, 1, 1, 1);
	expect_range(e, x->pages, 8);
	expect_equal(x, e);
}

static void it_is_complete_when_the_completion_comes(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages, 100);
	u64 answer = 42;

	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	KUNIT_EXPECT_EQ(test, client_calls(x->done), 0);
	host_complete(x->host, x->pkt->id, &answer, sizeof(answer));
	KUNIT_EXPECT_EQ(test, client_calls(x->done), 1);
	KUNIT_EXPECT_EQ(test, x->done->first, answer);

	/* The packet carries nothing over to its next send. */
	EXPECT_STATUS(test, client_send(x->done, "y", 1, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	KUNIT_EXPECT_EQ(test, x->pkt->type, VM_PKT_DATA_INBAND);
	KUNIT_EXPECT_EQ(test, x->pkt->head_len, 16);
}

static void a_queued_packet_keeps_its_description(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages + 3, 5000);
	static u8 large[1000];
	struct expected *e;
	u32 i;

	for (i = 0; i < 3; i++)
		client_send(client_packet(x->client), large, sizeof(large), 0);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, large, sizeof(large), mdl, WAIT),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_count(x->client, queued), 1);
	/* The MDL is not needed any more. */
	memset(MmGetMdlPfnArray(mdl), 0xff, 16);

	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 3);
	host_signal(x->host);
	KUNIT_ASSERT_TRUE(test, host_read(x->host, x->pkt));
	e = expect_head(x, 1, 2, sizeof(large));
	expect_range(e, x->pages + 3, 5000);
	expect_equal(x, e);
}

static void what_the_transport_cannot_describe_is_refused(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages, 100);

	x->host->no_external = true;
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, client_calls(x->done), 0);
	EXPECT_STATUS(test, client_send(x->done, "y", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(x->host), 1);
}

static void a_queued_packet_that_is_refused_completes_and_lets_others_pass(struct kunit *test)
{
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct client_done *done[3];
	PFN_NUMBER pfn = 1;
	int i;

	for (i = 0; i < 3; i++)
		done[i] = client_packet(client);
	/* Before the channel opens it is not known what the transport can do. */
	client_send(done[0], "a", 1, 0);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(done[1]->packet, "b", 1, &pfn,
							  1, WAIT), STATUS_SUCCESS);
	client_send(done[2], "c", 1, 0);

	host->no_external = true;
	host->offered = true;
	client_enable(client);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		EXPECT_STATUS(test, done[i]->status,
			      i == 1 ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 2);
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 0);
}

static void disable_completes_it_once(struct kunit *test)
{
	struct external *x = external_create(test);
	PMDL mdl = external_mdl(x, x->pages, 100);

	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);
	VmbChannelDisable(x->client->channel);
	KUNIT_EXPECT_EQ(test, client_calls(x->done), 1);
	EXPECT_STATUS(test, x->done->status, STATUS_DEVICE_REMOVED);
}

/* The host could not be told of the close: what it was told of stays. */
static void memory_of_a_channel_that_cannot_be_closed_is_pinned(struct kunit *test)
{
	struct external *x = external_create(test);
	u8 *scattered = vmalloc(3 * PAGE_SIZE);
	struct client_done *queued;
	struct page *pages[3];
	PMDL mdl;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, scattered);
	for (i = 0; i < 3; i++)
		pages[i] = vmalloc_to_page(scattered + i * PAGE_SIZE);
	/* The last two pages, from the end of one to the first byte of the other. */
	mdl = external_mdl(x, scattered + 2 * PAGE_SIZE - 2048, 2049);
	EXPECT_STATUS(test, VmbPacketSend(x->done->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);
	/* What waits in the queue the host does not know of. */
	x->host->no_room = true;
	queued = client_packet(x->client);
	mdl = IoAllocateMdl(scattered, 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	EXPECT_STATUS(test, VmbPacketSend(queued->packet, "x", 1, mdl, WAIT),
		      STATUS_SUCCESS);

	x->host->unclosed = true;
	VmbChannelDisable(x->client->channel);
	KUNIT_EXPECT_EQ(test, client_calls(x->done), 1);
	EXPECT_STATUS(test, x->done->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, client_calls(queued), 1);
	KUNIT_EXPECT_EQ(test, client_count(x->client, pinned), 2);
	KUNIT_EXPECT_EQ(test, page_ref_count(pages[0]), 1);
	KUNIT_EXPECT_EQ(test, page_ref_count(pages[1]), 2);
	KUNIT_EXPECT_EQ(test, page_ref_count(pages[2]), 2);

	IoFreeMdl(mdl);
	vfree(scattered);
	/* The case's own reference, as it were: nothing is to stay behind. */
	for (i = 1; i < 3; i++)
		put_page(pages[i]);
}

/* All that a descriptor can count: 65535 units of 8 bytes. */
static void a_packet_that_no_descriptor_can_count_is_refused(struct kunit *test)
{
	VMBCHANNEL channel;
	VMBPACKET packet;
	PFN_NUMBER pfn = 1;
	struct client_done done = {};
	u8 *payload = kunit_kzalloc(test, 524264, GFP_KERNEL);

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketSize(channel, 524264),
		      STATUS_SUCCESS);
	packet = VmbPacketAllocate(channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetPointer(packet, &done);
	VmbPacketSetCompletionRoutine(packet, client_routine);
	/* Headers with one page take 40 bytes, 24 more than the descriptor. */
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, payload, 524264 - 23, &pfn,
							  1, WAIT),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(packet, payload, 524264 - 24, &pfn,
							  1, WAIT), STATUS_SUCCESS);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, client_calls(&done), 1);
	VmbPacketFree(packet);
}

static struct kunit_case external_cases[] = {
	KUNIT_CASE_PARAM(one_mdl_is_one_range, extent_gen_params),
	KUNIT_CASE(every_mdl_of_a_chain_is_a_range),
	KUNIT_CASE(memory_that_is_scattered_is_described_page_by_page),
	KUNIT_CASE_PARAM(a_part_of_a_chain_is_described, part_gen_params),
	KUNIT_CASE(page_frame_numbers_are_one_range_of_whole_pages),
	KUNIT_CASE(external_data_needs_a_completion),
	KUNIT_CASE(bad_parameters_have_their_numbers),
	KUNIT_CASE(an_mdl_that_is_not_locked_is_refused),
	KUNIT_CASE(a_chain_as_long_as_allowed_is_sent_a_longer_one_is_not),
	KUNIT_CASE(a_chain_with_the_most_pages_fits),
	KUNIT_CASE(a_chain_that_straddles_as_many_pages_as_can_be_fits),
	KUNIT_CASE(more_bytes_than_allowed_are_refused),
	KUNIT_CASE(an_empty_mdl_adds_nothing),
	KUNIT_CASE(it_is_complete_when_the_completion_comes),
	KUNIT_CASE(a_queued_packet_keeps_its_description),
	KUNIT_CASE(what_the_transport_cannot_describe_is_refused),
	KUNIT_CASE(a_queued_packet_that_is_refused_completes_and_lets_others_pass),
	KUNIT_CASE(disable_completes_it_once),
	KUNIT_CASE(memory_of_a_channel_that_cannot_be_closed_is_pinned),
	KUNIT_CASE(a_packet_that_no_descriptor_can_count_is_refused),
	{}
};

static struct kunit_suite external_suite = {
	.name = "kmcl_external",
	.test_cases = external_cases,
};

kunit_test_suite(external_suite);
