// SPDX-License-Identifier: GPL-2.0
/*
 * How many packets may be with the other end at once: VmbChannelInitSetMaximumPacketCount().
 * Those beyond it are held here.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* Time enough for what is not to happen. */
static void for_a_while(void)
{
	msleep(30);
}

static void limit(struct client *end, u32 count)
{
	ASSERT_STATUS(end->test, VmbChannelInitSetMaximumPacketCount(end->channel, count),
		      STATUS_SUCCESS);
}

/* A packet whose payload is its number. */
static struct client_done *send_number(struct client *from, u64 number, u32 flags)
{
	struct client_done *done = client_packet(from);

	ASSERT_STATUS(from->test, client_send(done, &number, 8, flags), STATUS_SUCCESS);
	return done;
}

static struct client *limited_client(struct kunit *test, struct host **host, u32 count)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	if (count)
		limit(client, count);
	(*host)->offered = true;
	client_enable(client);
	return client;
}

/* Takes the next packet of the guest's, which is to have that number; returns its id. */
static u64 host_takes(struct host *host, u64 number)
{
	struct host_packet *pkt = kunit_kzalloc(host->test, sizeof(*pkt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(host->test, pkt);
	/* What is let go of goes out from a tasklet. */
	EVENTUALLY(host->test, host_read(host, pkt));
	KUNIT_EXPECT_EQ(host->test, *(u64 *)pkt->payload, number);
	return pkt->id;
}

static void a_count_of_zero_is_refused(struct kunit *test)
{
	struct client *client = client_create(test, NULL);

	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketCount(client->channel, 0),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketCount(client->channel, 1),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketCount(client->channel, U32_MAX),
		      STATUS_SUCCESS);
}

static const u32 counts[] = { 1, 2, 7, 31 };

static void count_desc(const u32 *count, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *count);
}

KUNIT_ARRAY_PARAM(count, counts, count_desc);

#define MANY	32

static void a_host_has_that_many_packets_at_most_and_in_order(struct kunit *test)
{
	const u32 *most = test->param_value;
	struct client_done *done[MANY];
	struct host *host;
	struct client *client = limited_client(test, &host, *most);
	u32 i, taken = 0;
	u64 ids[MANY];

	for (i = 0; i < MANY; i++)
		done[i] = send_number(client, i, WAIT);
	while (taken < *most) {
		ids[taken] = host_takes(host, taken);
		taken++;
	}
	for (i = 0; i < MANY; i++) {
		for_a_while();
		KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
		/* Whichever it completes, the next is the oldest of those held. */
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 0);
		host_complete(host, ids[i], &i, sizeof(i));
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		if (taken < MANY) {
			ids[taken] = host_takes(host, taken);
			taken++;
		}
	}
	for (i = 0; i < MANY; i++)
		EXPECT_STATUS(test, done[i]->status, STATUS_SUCCESS);
}

static void without_a_limit_all_go_out(struct kunit *test)
{
	struct host *host;
	struct client *client = limited_client(test, &host, 0);
	u32 i;

	for (i = 0; i < MANY; i++)
		send_number(client, i, WAIT);
	for (i = 0; i < MANY; i++)
		host_takes(host, i);
}

static void a_server_that_keeps_packets_gets_no_more(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client_done *done[10];
	u32 i;

	limit(pair->client, 3);
	pair->server->keep = true;
	pair_up(pair);
	for (i = 0; i < ARRAY_SIZE(done); i++)
		done[i] = send_number(pair->client, i, WAIT);
	for (i = 0; i < ARRAY_SIZE(done); i++) {
		u32 here = min_t(u32, i + 3, ARRAY_SIZE(done));

		EVENTUALLY(test, client_packets(pair->server) == here);
		for_a_while();
		KUNIT_EXPECT_EQ(test, client_packets(pair->server), here);
		KUNIT_EXPECT_EQ(test, pair->server->packets[i].first, i);
		client_complete(pair->server, i, NULL, 0);
		EVENTUALLY(test, client_calls(done[i]) == 1);
	}
}

/* A packet that is over when it is in the ring does not count. */
static void what_needs_no_completion_does_not_count(struct kunit *test)
{
	struct host *host;
	struct client *client = limited_client(test, &host, 1);
	struct client_done *done;
	u32 i;

	send_number(client, 0, WAIT);
	for (i = 1; i < 5; i++) {
		done = send_number(client, i, 0);
		KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	}
	for (i = 0; i < 5; i++)
		host_takes(host, i);
}

static void what_needs_no_completion_stays_behind_what_is_held(struct kunit *test)
{
	struct host *host;
	struct client *client = limited_client(test, &host, 1);
	struct client_done *last;
	u64 first, second;

	send_number(client, 0, WAIT);
	send_number(client, 1, WAIT);
	send_number(client, 2, 0);
	send_number(client, 3, WAIT);
	last = send_number(client, 4, 0);
	first = host_takes(host, 0);
	for_a_while();
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
	host_complete(host, first, NULL, 0);
	second = host_takes(host, 1);
	host_takes(host, 2);
	for_a_while();
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
	KUNIT_EXPECT_EQ(test, client_calls(last), 0);
	host_complete(host, second, NULL, 0);
	host_takes(host, 3);
	host_takes(host, 4);
	EVENTUALLY(test, client_calls(last) == 1);
}

/* Held packets and a full ring: none overtakes another, and none is forgotten. */
static void what_is_held_comes_behind_what_waits_for_room(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client_done *done[MANY];
	u8 *payload = kunit_kzalloc(test, 600, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	limit(pair->client, 20);
	pair->server->echo = true;
	pair_up(pair);
	VmbChannelPause(pair->server->channel);
	for (i = 0; i < MANY; i++) {
		done[i] = client_packet(pair->client);
		*(u64 *)payload = i;
		ASSERT_STATUS(test, client_send(done[i], payload, 600, WAIT), STATUS_SUCCESS);
	}
	VmbChannelStart(pair->server->channel);
	EVENTUALLY(test, client_packets(pair->server) == MANY);
	for (i = 0; i < MANY; i++) {
		EVENTUALLY(test, client_calls(done[i]) == 1);
		KUNIT_EXPECT_EQ(test, pair->server->packets[i].first, i);
		KUNIT_EXPECT_EQ(test, done[i]->first, i);
	}
}

/* Each end has one packet with the other and one behind it, and completes the first. */
static void completions_pass_what_is_held(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *ends[2] = { pair->client, pair->server };
	struct client_done *done[2][2];
	u32 end, i;

	for (end = 0; end < 2; end++) {
		limit(ends[end], 1);
		ends[end]->keep = true;
	}
	pair_up(pair);
	for (end = 0; end < 2; end++)
		for (i = 0; i < 2; i++)
			done[end][i] = send_number(ends[end], i, WAIT);
	for (i = 0; i < 2; i++) {
		EVENTUALLY(test, client_packets(ends[0]) == i + 1);
		EVENTUALLY(test, client_packets(ends[1]) == i + 1);
		for (end = 0; end < 2; end++) {
			client_complete(ends[!end], i, "answer..", 8);
			EVENTUALLY(test, client_calls(done[end][i]) == 1);
			KUNIT_EXPECT_EQ(test, done[end][i]->len, 8);
		}
	}
}

static void a_request_that_is_held_may_time_out(struct kunit *test)
{
	struct host *host;
	struct client *client = limited_client(test, &host, 1);
	LARGE_INTEGER soon = { .QuadPart = -100000 };
	u64 id;

	send_number(client, 0, WAIT);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, WAIT, NULL, NULL, &soon),
		      STATUS_CANCELLED);
	send_number(client, 1, WAIT);
	id = host_takes(host, 0);
	host_complete(host, id, NULL, 0);
	/* The request was never sent. */
	host_takes(host, 1);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
}

static void at_the_limit_a_request_that_must_not_wait_is_refused(struct kunit *test)
{
	struct host *host;
	struct client *client = limited_client(test, &host, 1);
	LARGE_INTEGER now = {};

	send_number(client, 0, WAIT);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, WAIT, NULL, NULL, &now),
		      STATUS_BUFFER_OVERFLOW);
	/* One that needs no completion does not count. */
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, 0, NULL, NULL, &now),
		      STATUS_SUCCESS);
	/* But it does not pass what is held either. */
	send_number(client, 1, WAIT);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, 0, NULL, NULL, &now),
		      STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 2);
}

/* The place of a request that was given up is free, for the other end may never answer. */
static void a_request_that_is_given_up_lets_the_next_go(struct kunit *test)
{
	struct host *host;
	struct client *client = limited_client(test, &host, 1);
	LARGE_INTEGER soon = { .QuadPart = -100000 };
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pkt);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "question", 8,
							     NULL, WAIT, NULL, NULL, &soon),
		      STATUS_CANCELLED);
	KUNIT_EXPECT_TRUE(test, host_read(host, pkt));
	send_number(client, 1, WAIT);
	host_takes(host, 1);
}

/* By Disable, and by a rescind. */
static void what_is_held_completes_when_the_channel_goes(struct kunit *test)
{
	struct client_done *done[2][5];
	struct host *host;
	struct client *client = limited_client(test, &host, 2);
	u32 way, i;

	for (way = 0; way < 2; way++) {
		for (i = 0; i < 5; i++)
			done[way][i] = send_number(client, i, i == 3 ? 0 : WAIT);
		if (way)
			host_rescind(host);
		else
			VmbChannelDisable(client->channel);
		for (i = 0; i < 5; i++) {
			EVENTUALLY(test, client_calls(done[way][i]) == 1);
			EXPECT_STATUS(test, done[way][i]->status, STATUS_DEVICE_REMOVED);
		}
		if (!way)
			client_enable(client);
	}
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 0);
}

/* What completes a packet may send the next one, which is held like others. */
static void send_again(struct client_done *done)
{
	u64 number = 100 + client_calls(done);

	if (client_calls(done) < 3)
		client_send(done, &number, 8, WAIT);
}

static void a_routine_may_send_again_at_the_limit(struct kunit *test)
{
	struct host *host;
	struct client *client = limited_client(test, &host, 1);
	struct client_done *done = send_number(client, 0, WAIT);

	done->again = send_again;
	send_number(client, 1, WAIT);
	host_complete(host, host_takes(host, 0), NULL, 0);
	/* It comes behind what was held when it was sent. */
	host_complete(host, host_takes(host, 1), NULL, 0);
	host_complete(host, host_takes(host, 101), NULL, 0);
	host_complete(host, host_takes(host, 102), NULL, 0);
	EVENTUALLY(test, client_calls(done) == 3);
}

/* What was sent before the channel opens is subject to the limit that it opens with. */
struct change {
	const char *name;
	u32 before;
	u32 after;
};

static const struct change changes[] = {
	{ "from none to 2", U32_MAX, 2 },
	{ "from 1 to 2", 1, 2 },
	{ "from 4 to 2", 4, 2 },
	{ "from 2 to none", 2, U32_MAX },
	{ "from 1 to 20", 1, 20 },
};

KUNIT_ARRAY_PARAM_DESC(change, changes, name);

static void a_limit_may_be_changed_while_the_channel_is_disabled(struct kunit *test)
{
	const struct change *change = test->param_value;
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	u32 i, taken = min(change->after, 6u);
	u64 ids[6];

	limit(client, change->before);
	for (i = 0; i < 6; i++)
		send_number(client, i, WAIT);
	limit(client, change->after);
	host->offered = true;
	client_enable(client);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketCount(client->channel, 3),
		      STATUS_INVALID_PARAMETER_1);
	for (i = 0; i < taken; i++)
		ids[i] = host_takes(host, i);
	for (i = 0; i < 6; i++) {
		for_a_while();
		KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
		host_complete(host, ids[i], NULL, 0);
		if (taken < 6) {
			ids[taken] = host_takes(host, taken);
			taken++;
		}
	}
}

/* The packets that a restored server has got back. */
static struct client_done restored[8];
static u32 restored_count;

static NTSTATUS restore_number(VMBCHANNEL channel, PVOID lib, UINT32 lib_size, PVOID buffer,
			       UINT32 size)
{
	struct client_done *done = &restored[restored_count++];

	done->packet = VmbPacketAllocate(channel);
	if (!done->packet)
		return STATUS_INSUFFICIENT_RESOURCES;
	VmbPacketSetPointer(done->packet, done);
	VmbPacketSetCompletionRoutine(done->packet, client_routine);
	return VmbPacketRestore(done->packet, lib, lib_size);
}

/* Under the same limit, or a higher one than the saved server had. */
static const u32 restored_counts[] = { 1, 2, 5 };

KUNIT_ARRAY_PARAM(restored_count, restored_counts, count_desc);

static void what_is_held_is_saved_and_restored_in_order(struct kunit *test)
{
	const u32 *most = test->param_value;
	u64 *chunk = kunit_kzalloc(test, 16384, GFP_KERNEL);
	struct pair *pair = pair_create(test);
	struct client *next = pair_new_server(pair);
	struct client_done *done[5];
	ULONG filled = 0, needed;
	u32 i, here;

	KUNIT_ASSERT_NOT_NULL(test, chunk);
	memset(restored, 0, sizeof(restored));
	restored_count = 0;
	limit(pair->server, 1);
	limit(next, *most);
	ASSERT_STATUS(test, VmbServerChannelInitSetSaveRestorePacketCallbacks(next->channel, NULL,
									      restore_number),
		      STATUS_SUCCESS);
	pair->client->keep = true;
	pair_up(pair);
	for (i = 0; i < 5; i++)
		done[i] = send_number(pair->server, i, WAIT);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	VmbChannelPause(pair->server->channel);
	ASSERT_STATUS(test, VmbChannelSaveBegin(pair->server->channel), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelSaveContinue(pair->server->channel, chunk, 16384, &filled,
						   &needed), STATUS_SUCCESS);
	VmbChannelSaveEnd(pair->server->channel);
	VmbChannelDisable(pair->server->channel);
	for (i = 0; i < 5; i++)
		EXPECT_STATUS(test, done[i]->status, STATUS_DEVICE_REMOVED);

	ASSERT_STATUS(test, VmbChannelRestoreFromBuffer(next->channel, chunk, filled),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, restored_count, 5);
	pair_enable(next);
	PAIR_EVENTS(next, UP);
	for (i = 0; i < 5; i++) {
		here = min(i + *most, 5u);
		EVENTUALLY(test, client_packets(pair->client) == here);
		for_a_while();
		KUNIT_EXPECT_EQ(test, client_packets(pair->client), here);
		KUNIT_EXPECT_EQ(test, pair->client->packets[i].first, i);
		client_complete(pair->client, i, NULL, 0);
		EVENTUALLY(test, client_calls(&restored[i]) == 1);
		EXPECT_STATUS(test, restored[i].status, STATUS_SUCCESS);
	}
	for (i = 0; i < 5; i++)
		VmbPacketFree(restored[i].packet);
	KUNIT_EXPECT_EQ(test, client_count(next, stray), 0);
	CLIENT_EXPECT(pair->client, UP);
}

static struct kunit_case count_cases[] = {
	KUNIT_CASE(a_count_of_zero_is_refused),
	KUNIT_CASE_PARAM(a_host_has_that_many_packets_at_most_and_in_order, count_gen_params),
	KUNIT_CASE(without_a_limit_all_go_out),
	KUNIT_CASE(a_server_that_keeps_packets_gets_no_more),
	KUNIT_CASE(what_needs_no_completion_does_not_count),
	KUNIT_CASE(what_needs_no_completion_stays_behind_what_is_held),
	KUNIT_CASE(what_is_held_comes_behind_what_waits_for_room),
	KUNIT_CASE(completions_pass_what_is_held),
	KUNIT_CASE(a_request_that_is_held_may_time_out),
	KUNIT_CASE(at_the_limit_a_request_that_must_not_wait_is_refused),
	KUNIT_CASE(a_request_that_is_given_up_lets_the_next_go),
	KUNIT_CASE(what_is_held_completes_when_the_channel_goes),
	KUNIT_CASE(a_routine_may_send_again_at_the_limit),
	KUNIT_CASE_PARAM(a_limit_may_be_changed_while_the_channel_is_disabled, change_gen_params),
	KUNIT_CASE_PARAM(what_is_held_is_saved_and_restored_in_order, restored_count_gen_params),
	{}
};

static struct kunit_suite count_suite = {
	.name = "kmcl_count",
	.test_cases = count_cases,
};

kunit_test_suite(count_suite);
