// SPDX-License-Identifier: GPL-2.0
/*
 * What every function that sends has in common: which flags it takes, and how large a
 * packet may be.
 */
#include <linux/slab.h>

#include "pair.h"

#define WAIT		VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define FORCE		VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH
#define PAGED		VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER
#define DATA_IN		VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY
#define DATA_OUT	VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY

/* The most bytes of a VMBus packet, headers included. */
#define MTU		524280
/* A descriptor; the same with one range of one page. */
#define HEAD		16
#define HEAD_PAGE	40

/* What is sent by one way or another. */
struct shipment {
	struct client *from;
	VMBPACKET packet;
	void *payload;
	u32 len;
	PMDL mdl;		/* one page */
	u32 flags;
};

static NTSTATUS send_inline(struct shipment *s)
{
	return VmbPacketSend(s->packet, s->payload, s->len, NULL, s->flags);
}

static NTSTATUS send_mdl(struct shipment *s)
{
	return VmbPacketSend(s->packet, s->payload, s->len, s->mdl, s->flags);
}

static NTSTATUS send_part(struct shipment *s)
{
	return VmbPacketSendWithExternalMdl(s->packet, s->payload, s->len, s->mdl, 0, 0,
					    s->flags);
}

static NTSTATUS send_pfns(struct shipment *s)
{
	return VmbPacketSendWithExternalPfns(s->packet, s->payload, s->len,
					     MmGetMdlPfnArray(s->mdl), 1, s->flags);
}

/* A timeout of 0, so that a packet that must wait for its completion is given up. */
static NTSTATUS ask(struct shipment *s)
{
	LARGE_INTEGER now = {};

	return VmbChannelSendSynchronousRequest(s->from->channel, s->payload, s->len, NULL,
						s->flags, NULL, NULL, &now);
}

static NTSTATUS ask_mdl(struct shipment *s)
{
	LARGE_INTEGER now = {};

	return VmbChannelSendSynchronousRequest(s->from->channel, s->payload, s->len, s->mdl,
						s->flags, NULL, NULL, &now);
}

struct way {
	const char *name;
	NTSTATUS (*send)(struct shipment *s);
	u32 head;
	NTSTATUS bad_flags;
	bool asks;
};

static const struct way ways[] = {
	{ "VmbPacketSend", send_inline, HEAD, STATUS_INVALID_PARAMETER_5 },
	{ "VmbPacketSend with an MDL", send_mdl, HEAD_PAGE, STATUS_INVALID_PARAMETER_5 },
	{ "VmbPacketSendWithExternalMdl", send_part, HEAD_PAGE, STATUS_INVALID_PARAMETER_7 },
	{ "VmbPacketSendWithExternalPfns", send_pfns, HEAD_PAGE, STATUS_INVALID_PARAMETER_6 },
	{ "a request", ask, HEAD, STATUS_INVALID_PARAMETER_5, true },
	{ "a request with an MDL", ask_mdl, HEAD_PAGE, STATUS_INVALID_PARAMETER_5, true },
};

KUNIT_ARRAY_PARAM_DESC(way, ways, name);

static void shipment_free(void *data)
{
	struct shipment *s = data;
	PVOID page = MmGetMdlVirtualAddress(s->mdl);

	IoFreeMdl(s->mdl);
	free_page((unsigned long)page);
	kvfree(s->payload);
	kfree(s);
}

/* Of up to @most bytes of payload. Freed after what is made later, not before. */
static struct shipment *shipment_create(struct kunit *test, u32 most)
{
	struct shipment *s = kzalloc(sizeof(*s), GFP_KERNEL | __GFP_NOFAIL);
	void *page = (void *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);

	s->mdl = IoAllocateMdl(page, 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, s->mdl);
	MmBuildMdlForNonPagedPool(s->mdl);
	s->payload = kvzalloc(most, GFP_KERNEL);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, shipment_free, s), 0);
	KUNIT_ASSERT_NOT_NULL(test, s->payload);
	return s;
}

/* A packet of its own for each; its routine frees it. */
static NTSTATUS ship(const struct way *way, struct shipment *s, u32 len, u32 flags)
{
	NTSTATUS status;

	s->len = len;
	s->flags = flags;
	if (way->head != HEAD)
		s->flags |= WAIT;
	if (way->asks)
		return way->send(s);

	s->packet = VmbPacketAllocate(s->from->channel);
	KUNIT_ASSERT_NOT_NULL(s->from->test, s->packet);
	status = way->send(s);
	if (!NT_SUCCESS(status))
		VmbPacketFree(s->packet);
	return status;
}

/* A request that a completion is wanted of ends with its timeout of 0. */
static NTSTATUS sent(const struct way *way, u32 flags)
{
	return way->asks && (flags & WAIT || way->head != HEAD) ? STATUS_CANCELLED :
								  STATUS_SUCCESS;
}

static void flags_of_a_direction_are_taken_by_all_that_send(struct kunit *test)
{
	static const u32 taken[] = {
		/* The first two are what clients in the field pass. */
		WAIT | FORCE | DATA_IN, WAIT | FORCE | DATA_OUT, WAIT | DATA_IN,
		WAIT | DATA_OUT, WAIT | FORCE | PAGED | DATA_OUT,
	};
	const struct way *way = test->param_value;
	struct shipment *s = shipment_create(test, 64);
	struct host *host = host_create(test);
	u32 i;

	KUNIT_EXPECT_EQ(test, taken[0], 0xb);
	KUNIT_EXPECT_EQ(test, taken[1], 0x13);
	s->from = client_create(test, host);
	host->offered = true;
	client_enable(s->from);
	for (i = 0; i < ARRAY_SIZE(taken); i++) {
		EXPECT_STATUS(test, ship(way, s, 8, taken[i]), sent(way, taken[i]));
		KUNIT_EXPECT_EQ(test, host_skip_all(host), 1);
	}
	if (way->head != HEAD)
		return;
	/* Without a completion, and without external data, they change nothing. */
	EXPECT_STATUS(test, ship(way, s, 8, DATA_IN), STATUS_SUCCESS);
	EXPECT_STATUS(test, ship(way, s, 8, DATA_OUT), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 2);
}

static void both_directions_and_unknown_flags_are_refused(struct kunit *test)
{
	const struct way *way = test->param_value;
	struct shipment *s = shipment_create(test, 64);
	struct host *host = host_create(test);
	u32 bit;

	s->from = client_create(test, host);
	host->offered = true;
	client_enable(s->from);
	EXPECT_STATUS(test, ship(way, s, 8, WAIT | DATA_IN | DATA_OUT), way->bad_flags);
	EXPECT_STATUS(test, ship(way, s, 8, WAIT | FORCE | PAGED | DATA_IN | DATA_OUT),
		      way->bad_flags);
	if (way->head == HEAD)
		EXPECT_STATUS(test, ship(way, s, 8, DATA_IN | DATA_OUT), way->bad_flags);
	for (bit = 5; bit < 32; bit++)
		EXPECT_STATUS(test, ship(way, s, 8, WAIT | BIT(bit)), way->bad_flags);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
}

/* A channel whose packets may be as large as can be; its rings hold the largest. */
static void a_packet_may_fill_the_mtu_and_no_more(struct kunit *test)
{
	const struct way *way = test->param_value;
	struct shipment *s = shipment_create(test, MTU);
	struct host *host = host_create(test);

	s->from = client_create(test, host);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(s->from->channel, MTU - HEAD),
		      STATUS_SUCCESS);
	host->offered = true;
	client_enable(s->from);
	EXPECT_STATUS(test, ship(way, s, MTU - way->head + 1, 0), STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
	EXPECT_STATUS(test, ship(way, s, MTU - way->head, 0), sent(way, 0));
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 1);
}

/* A packet with a chain takes 8 bytes for each MDL, and for each of its pages. */
static void each_mdl_and_page_counts_against_the_mtu(struct kunit *test)
{
	u8 *pages = (u8 *)__get_free_pages(GFP_KERNEL, 2);
	u8 *payload = kunit_kzalloc(test, MTU, GFP_KERNEL);
	u32 most = MTU - (24 + 2 * 8 + 3 * 8);
	VMBCHANNEL channel;
	VMBPACKET packet;
	PMDL mdls[2];

	KUNIT_ASSERT_NOT_NULL(test, pages);
	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(channel, MTU - HEAD),
		      STATUS_SUCCESS);
	packet = VmbPacketAllocate(channel);
	/* 50 bytes on either side of a page's end, and another page. */
	mdls[0] = IoAllocateMdl(pages + 4096 - 50, 100, FALSE, FALSE, NULL);
	mdls[1] = IoAllocateMdl(pages + 3 * 4096, 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_TRUE(test, payload && packet && mdls[0] && mdls[1]);
	MmBuildMdlForNonPagedPool(mdls[0]);
	MmBuildMdlForNonPagedPool(mdls[1]);
	mdls[0]->Next = mdls[1];
	EXPECT_STATUS(test, VmbPacketSend(packet, payload, most + 1, mdls[0], WAIT),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbPacketSend(packet, payload, most, mdls[0], WAIT),
		      STATUS_SUCCESS);
	/* The channel is not open: what is queued completes here, and is freed. */
	VmbChannelCleanup(channel);
	IoFreeMdl(mdls[0]);
	IoFreeMdl(mdls[1]);
	free_pages((unsigned long)pages, 2);
}

/*
 * A server sends into the ring that its client has sized: two pages of data. A packet
 * takes 8 bytes more than its own, and a ring is never full to the last byte.
 */
static void a_packet_may_nearly_fill_the_ring_and_no_more(struct kunit *test)
{
	const struct way *way = test->param_value;
	struct shipment *s = shipment_create(test, 16384);
	struct pair *pair = pair_create(test);
	u32 most = 2 * 4096 - 8 - 8 - way->head;

	s->from = pair->server;
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(pair->server->channel, 16384),
		      STATUS_SUCCESS);
	/* The client counts and steps over what is too large for it. */
	pair_up(pair);
	if (way->asks && way->head != HEAD) {
		/* A server waits for no completion, so it has no such requests. */
		EXPECT_STATUS(test, ship(way, s, 8, 0), STATUS_INVALID_PARAMETER_5);
		return;
	}
	EXPECT_STATUS(test, ship(way, s, most + 1, 0), STATUS_NOT_SUPPORTED);
	EXPECT_STATUS(test, ship(way, s, 16384, 0), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, client_sent(pair->server), 0);
	EXPECT_STATUS(test, ship(way, s, most, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_sent(pair->server), 1);
	EVENTUALLY(test, client_count(pair->client, malformed) == 1);
}

/* As clients in the field ask: no flags, no completion, and a timeout or none. */
static void a_request_needs_neither_a_buffer_nor_its_size(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	LARGE_INTEGER now = {};
	UINT32 size = 16;

	host->offered = true;
	client_enable(client);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, 0, NULL, NULL, NULL),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, 0, NULL, NULL, &now),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 2);
	/* A size alone is looked at, and told of. */
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, 0, NULL, &size, NULL),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, size, 0);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 1);
	size = 7;
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, 0, NULL, &size, NULL),
		      STATUS_INVALID_PARAMETER_7);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, 0, &size, NULL, NULL),
		      STATUS_INVALID_PARAMETER_7);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
}

static struct kunit_case limits_cases[] = {
	KUNIT_CASE_PARAM(flags_of_a_direction_are_taken_by_all_that_send, way_gen_params),
	KUNIT_CASE_PARAM(both_directions_and_unknown_flags_are_refused, way_gen_params),
	KUNIT_CASE_PARAM(a_packet_may_fill_the_mtu_and_no_more, way_gen_params),
	KUNIT_CASE(each_mdl_and_page_counts_against_the_mtu),
	KUNIT_CASE_PARAM(a_packet_may_nearly_fill_the_ring_and_no_more, way_gen_params),
	KUNIT_CASE(a_request_needs_neither_a_buffer_nor_its_size),
	{}
};

static struct kunit_suite limits_suite = {
	.name = "kmcl_limits",
	.test_cases = limits_cases,
};

kunit_test_suite(limits_suite);
