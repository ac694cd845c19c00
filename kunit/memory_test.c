// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations that fail. Each call is made again and again, with its first, its
 * second, ... allocation failing, until it makes no more of them: each time the
 * call has to say so and to leave nothing behind, which kmemleak checks at the end.
 * Some of these allocations are kmemleak's own, which it can do without.
 */
#include <linux/slab.h>

#include "client.h"
#include "failure.h"

/* A call says either that it has failed for memory, or that it has not failed. */
static bool failed(struct kunit *test, NTSTATUS status, u32 *failures)
{
	if (status == STATUS_SUCCESS)
		return false;

	EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
	++*failures;
	return true;
}

static void memory_can_be_made_to_fail(struct kunit *test)
{
	void *memory;

	KUNIT_EXPECT_TRUE(test, WITH_FAILURE(1, memory = kmalloc(64, GFP_KERNEL)));
	KUNIT_EXPECT_NULL(test, memory);
	KUNIT_EXPECT_TRUE(test, WITH_FAILURE(1, memory = kmalloc(64, GFP_ATOMIC)));
	KUNIT_EXPECT_NULL(test, memory);
}

static void a_channel_that_cannot_be_made_is_a_status(struct kunit *test)
{
	VMBCHANNEL channel = NULL;
	NTSTATUS status;
	u32 nth = 0, failures = 0;
	bool hit;

	do {
		hit = WITH_FAILURE(++nth, status = VmbChannelAllocate(NULL, FALSE, &channel));
		if (failed(test, status, &failures))
			KUNIT_EXPECT_NULL(test, channel);
		else
			VmbChannelCleanup(channel);
		channel = NULL;
	} while (hit);
	KUNIT_EXPECT_EQ(test, failures, 1);
}

static void settings_need_no_memory(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	DECLARE_CONST_UNICODE_STRING(name, L"a name");
	VMBCHANNEL c = client->channel;
	NTSTATUS status;

	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status = VmbChannelInitSetFriendlyName(c, &name)));
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status =
			VmbChannelInitSetMaximumPacketSize(c, 9)));
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status = VmbChannelInitSetFlags(c, 0)));
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status =
			VmbChannelInitSetMaximumPacketCount(c, 1)));
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status =
			VmbChannelInitSetInlinePacketContextSize(c, 64)));
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status =
			VmbChannelInitSetProcessPacketCallbacksEx(c, NULL, NULL, NULL)));
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
}

/* Its memory is the caller's. */
static void a_channel_in_the_callers_memory_needs_none(struct kunit *test)
{
	u32 size = VmbSizeofChannel();
	VMBCHANNEL channel = kunit_kmalloc(test, size, GFP_KERNEL);
	NTSTATUS status;

	KUNIT_ASSERT_NOT_NULL(test, channel);
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status =
			VmbChannelInitialize(NULL, TRUE, channel, size)));
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, VmbChannelCleanup(channel)));
}

static struct client *memory_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	(*host)->offered = true;
	client_enable(client);
	return client;
}

static void a_packet_that_cannot_be_made_is_null(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	VMBPACKET packet;

	KUNIT_EXPECT_TRUE(test, WITH_FAILURE(1, packet = VmbPacketAllocate(client->channel)));
	KUNIT_EXPECT_NULL(test, packet);
	packet = VmbPacketAllocate(client->channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketFree(packet);
	/* A packet that was freed before is given out again, which needs no memory. */
	KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, packet = VmbPacketAllocate(client->channel)));
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketFree(packet);
}

static void sends_need_no_memory(struct kunit *test, struct client *client)
{
	static u8 payload[1000];
	PMDL mdl = IoAllocateMdl(payload, sizeof(payload), FALSE, FALSE, NULL);
	PFN_NUMBER pfn = frame_at(payload);
	struct client_done *done;
	NTSTATUS status;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	/* Into the ring, then into the queue. */
	for (i = 0; i < 20; i++) {
		bool hit;

		done = client_packet(client);
		switch (i % 4) {
		case 0:
			hit = WITH_FAILURE(1, status = client_send(done, payload, 1000, 0));
			break;
		case 1:
			hit = WITH_FAILURE(1, status = VmbPacketSend(done->packet, payload, 9,
								     mdl, 1));
			break;
		case 2:
			hit = WITH_FAILURE(1, status =
				VmbPacketSendWithExternalMdl(done->packet, payload, 99, mdl,
							     1, 1, 1));
			break;
		default:
			hit = WITH_FAILURE(1, status =
				VmbPacketSendWithExternalPfns(done->packet, payload, 500,
							      &pfn, 1, 1));
		}
		KUNIT_EXPECT_FALSE(test, hit);
		EXPECT_STATUS(test, status, STATUS_SUCCESS);
	}
	KUNIT_EXPECT_GT(test, client_count(client, queued), 0);
	VmbChannelDisable(client->channel);
	IoFreeMdl(mdl);
}

static void no_send_needs_memory(struct kunit *test)
{
	struct host *host;

	sends_need_no_memory(test, memory_client(test, &host));
}

/* The kernel's own pool is there since it booted. */
static void no_send_through_bounce_buffers_needs_memory(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->bounces = true;
	host->offered = true;
	client_enable(client);
	if (!host->hv.link.bounce_pages)
		kunit_skip(test, "needs a kernel booted with swiotlb=force");
	sends_need_no_memory(test, client);
}

static void a_request_without_memory_is_a_status(struct kunit *test)
{
	struct host *host;
	struct client *client = memory_client(test, &host);
	LARGE_INTEGER now = {};
	NTSTATUS status;
	u32 nth = 0, failures = 0;
	bool hit;

	do {
		hit = WITH_FAILURE(++nth, status =
			VmbChannelSendSynchronousRequest(client->channel, "x", 1, NULL, 0,
							 NULL, NULL, &now));
		KUNIT_EXPECT_EQ(test, host_skip_all(host), !failed(test, status, &failures));
	} while (hit);
	KUNIT_EXPECT_EQ(test, failures, 1);
}

static void a_gpadl_without_memory_is_a_status(struct kunit *test)
{
	struct host *host;
	struct client *client = memory_client(test, &host);
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);
	PMDL mdl = IoAllocateMdl(page, 4096, FALSE, FALSE, NULL);
	UINT32 handle = 0;
	VMBCHANNEL c = client->channel;
	u32 nth, failures = 0;
	NTSTATUS status;
	bool hit;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	nth = 0;
	do {
		hit = WITH_FAILURE(++nth, status =
			VmbChannelCreateGpadlFromBuffer(c, 0, page, 4096, &handle));
		/* To delete the GPADL must not fail. */
		if (!failed(test, status, &failures))
			KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, VmbChannelDeleteGpadl(c, handle)));
	} while (hit);
	/* The GPADL's object and its array of pages. */
	KUNIT_EXPECT_EQ(test, failures, 2);

	nth = 0;
	do {
		hit = WITH_FAILURE(++nth, status =
			VmbChannelCreateGpadlFromMdl(c, 0, mdl, 0, 0, &handle));
		if (!failed(test, status, &failures))
			VmbChannelDeleteGpadl(c, handle);
	} while (hit);
	KUNIT_EXPECT_EQ(test, failures, 4);

	/* The same two, and what vmalloc() allocates beside the pages. */
	nth = 0;
	do {
		hit = WITH_FAILURE(++nth, status =
			VmbChannelCreateGpadl(c, 0, 2 * PAGE_FRAMES, &handle));
		if (!failed(test, status, &failures))
			VmbChannelDeleteGpadl(c, handle);
	} while (hit);
	KUNIT_EXPECT_GE(test, failures, 7);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
	IoFreeMdl(mdl);
	free_page((unsigned long)page);
}

static void a_gpadl_of_frames_without_memory_is_a_status(struct kunit *test)
{
	struct host *host;
	struct client *client = memory_client(test, &host);
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);
	PFN_NUMBER pfn = frame_at(page);
	u32 nth = 0, failures = 0;
	UINT32 handle = 0;
	NTSTATUS status;
	bool hit;

	do {
		hit = WITH_FAILURE(++nth, status =
			VmbChannelCreateGpadlFromPfnList(client->channel, 0, &pfn, 1, &handle));
		if (!failed(test, status, &failures))
			VmbChannelDeleteGpadl(client->channel, handle);
	} while (hit);
	/* The GPADL's object and its array of pages. */
	KUNIT_EXPECT_EQ(test, failures, 2);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
	free_page((unsigned long)page);
}

static void count_routine(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buffer,
			  UINT32 len)
{
	++*(u32 *)context;
}

/* Held back at the limit, and let go of: all that is in the packet. */
static void what_is_held_at_the_limit_needs_no_memory(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct client_done *done[4];
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	NTSTATUS status;
	u32 i, calls = 0;

	KUNIT_ASSERT_NOT_NULL(test, pkt);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketCount(client->channel, 1),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(client->channel, 16),
		      STATUS_SUCCESS);
	host->offered = true;
	client_enable(client);
	for (i = 0; i < 4; i++) {
		done[i] = client_packet(client);
		VmbPacketSetCompletionRoutineEx(done[i]->packet, &calls, count_routine);
		KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, status =
			client_send(done[i], "x", 1, 1)));
		EXPECT_STATUS(test, status, STATUS_SUCCESS);
	}
	for (i = 0; i < 4; i++) {
		EVENTUALLY(test, host_read(host, pkt));
		host_write(host, KMCL_WIRE_COMPLETION, 0, pkt->id, NULL, 0);
		KUNIT_EXPECT_FALSE(test, WITH_FAILURE(1, host_signal(host)));
		KUNIT_EXPECT_EQ(test, calls, i + 1);
	}
}

static struct client *small_client(struct kunit *test, struct host *host)
{
	struct client *client = client_create(test, host);

	/* So small that no allocation falls back to vmalloc(). */
	VmbChannelInitSetMaximumPacketSize(client->channel, 64);
	return client;
}

/* The channel's worker opens it, so that is where the failure has to be set. */
static void open_and_close(struct host *host, struct client *client, u32 nth)
{
	u32 seen = client_events(client);

	host->fail_nth = nth;
	EXPECT_STATUS(client->test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(client->test, client_events(client) > seen);
	VmbChannelDisable(client->channel);
}

static void an_opening_without_memory_is_a_failure_and_leaves_nothing(struct kunit *test)
{
	struct host *host = host_create(test);
	u32 nth = 0, failures = 0, opens;
	struct client *client;

	host->offered = true;
	do {
		opens = host->opens;
		client = small_client(test, host);
		open_and_close(host, client, ++nth);
		if (host->opens == opens)
			failed(test, client->pnp_status, &failures);
	} while (nth < 1000 && (host->opens == opens || host->fail_hit));
	/* The incoming objects, and the table of transactions. */
	KUNIT_EXPECT_GT(test, failures, 8);
	KUNIT_EXPECT_FALSE(test, host->fail_hit);
}

/* What reserves are too small for is waited for at a second try. */
static void a_channel_that_was_open_opens_again_at_a_second_try(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = small_client(test, host);
	u32 nth = 0;

	host->offered = true;
	open_and_close(host, client, 0);
	KUNIT_ASSERT_EQ(test, host->opens, 1);
	do {
		open_and_close(host, client, ++nth);
		KUNIT_EXPECT_EQ(test, host->opens, nth + 1);
	} while (nth < 1000 && host->fail_hit);
	KUNIT_EXPECT_GT(test, nth, 8);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(memory_can_be_made_to_fail),
	KUNIT_CASE(a_channel_that_cannot_be_made_is_a_status),
	KUNIT_CASE(a_channel_in_the_callers_memory_needs_none),
	KUNIT_CASE(settings_need_no_memory),
	KUNIT_CASE(a_packet_that_cannot_be_made_is_null),
	KUNIT_CASE(no_send_needs_memory),
	KUNIT_CASE(no_send_through_bounce_buffers_needs_memory),
	KUNIT_CASE(a_request_without_memory_is_a_status),
	KUNIT_CASE(a_gpadl_without_memory_is_a_status),
	KUNIT_CASE(a_gpadl_of_frames_without_memory_is_a_status),
	KUNIT_CASE(what_is_held_at_the_limit_needs_no_memory),
	KUNIT_CASE(an_opening_without_memory_is_a_failure_and_leaves_nothing),
	KUNIT_CASE(a_channel_that_was_open_opens_again_at_a_second_try),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "kmcl_memory",
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
