// SPDX-License-Identifier: GPL-2.0
/*
 * Servers: paused until they are started, offered until they are disabled, and with
 * FORCE_NEW_CHANNEL a new offer when they are restored.
 */
#include <linux/slab.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define LOOPBACK	VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER
#define FORCE_NEW	VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL

/* Time enough for what is not to happen. */
static void for_a_while(void)
{
	msleep(30);
}

/* Enabled, and nothing more: a server is paused then. */
static void enable_only(struct client *end)
{
	ASSERT_STATUS(end->test, VmbChannelEnable(end->channel), STATUS_SUCCESS);
}

/* The server's end is opened but not started; its client's is active. */
static struct pair *pair_with_paused_server(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	enable_only(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP);
	PAIR_EVENTS(pair->server, "opened ");
	return pair;
}

static void a_server_is_opened_but_not_started_until_it_says_so(struct kunit *test)
{
	struct pair *pair = pair_with_paused_server(test);

	for_a_while();
	CLIENT_EXPECT(pair->server, "opened ");
	VmbChannelStart(pair->server->channel);
	PAIR_EVENTS(pair->server, UP);
	/* Once more it changes nothing. */
	VmbChannelStart(pair->server->channel);
	for_a_while();
	CLIENT_EXPECT(pair->server, UP);
}

static void what_a_client_sends_waits_until_the_server_is_started(struct kunit *test)
{
	struct pair *pair = pair_with_paused_server(test);
	struct client_done *done = client_packet(pair->client);

	pair->server->echo = true;
	ASSERT_STATUS(test, client_send(done, "question", 8, WAIT), STATUS_SUCCESS);
	/* What the server sends is on its way meanwhile. */
	pair_send(pair->server, 7, 8);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	for_a_while();
	KUNIT_EXPECT_EQ(test, client_packets(pair->server), 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
	VmbChannelStart(pair->server->channel);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_packets(pair->server), 1);
}

static void a_started_server_starts_with_each_client(struct kunit *test)
{
	struct pair *pair = pair_with_paused_server(test);

	VmbChannelStart(pair->server->channel);
	PAIR_EVENTS(pair->server, UP);
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(pair->server, UP DOWN);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->server, UP DOWN UP);
	pair_send(pair->client, 5, 8);
	EVENTUALLY(test, client_packets(pair->server) == 1);
}

static void a_server_may_be_started_before_a_client_comes(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	enable_only(pair->server);
	VmbChannelStart(pair->server->channel);
	for_a_while();
	KUNIT_EXPECT_EQ(test, pair->server->n_events, 0);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->server, UP);
}

static void a_start_before_enable_does_not_count(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	VmbChannelStart(pair->server->channel);
	enable_only(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->server, "opened ");
	for_a_while();
	CLIENT_EXPECT(pair->server, "opened ");
}

static void a_server_paused_between_clients_stays_paused(struct kunit *test)
{
	struct pair *pair = pair_with_paused_server(test);

	VmbChannelStart(pair->server->channel);
	PAIR_EVENTS(pair->server, UP);
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(pair->server, UP DOWN);
	VmbChannelPause(pair->server->channel);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	PAIR_EVENTS(pair->server, UP DOWN "opened ");
	for_a_while();
	CLIENT_EXPECT(pair->server, UP DOWN "opened ");
	/* It has started nothing, so nothing is suspended. */
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(pair->server, UP DOWN "opened closed ");
}

static void a_server_enabled_anew_is_paused_anew(struct kunit *test)
{
	struct pair *pair = pair_with_paused_server(test);

	VmbChannelStart(pair->server->channel);
	PAIR_EVENTS(pair->server, UP);
	VmbChannelDisable(pair->server->channel);
	PAIR_EVENTS(pair->client, UP DOWN);
	EVENTUALLY(test, client_state(pair->client) == KMCL_DISABLED);
	enable_only(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->server, UP DOWN "opened ");
	for_a_while();
	CLIENT_EXPECT(pair->server, UP DOWN "opened ");
	VmbChannelStart(pair->server->channel);
	PAIR_EVENTS(pair->server, UP DOWN UP);
}

/* A client is not paused by Enable, whatever was before. */
static void a_client_is_active_after_enable(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	enable_only(pair->server);
	enable_only(pair->client);
	PAIR_EVENTS(pair->client, UP);
	VmbChannelDisable(pair->client->channel);
	enable_only(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
}

/* Any number of clients, one after the other, without a call of the server's. */
static void a_server_stays_offered_for_any_number_of_clients(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *second = pair_new_client(pair);
	u32 i;

	pair_up(pair);
	for (i = 0; i < 5; i++) {
		struct client *goes = i & 1 ? second : pair->client;
		struct client *comes = i & 1 ? pair->client : second;
		u32 seen = client_packets(pair->server);

		VmbChannelDisable(goes->channel);
		comes->events[0] = 0;
		pair_enable(comes);
		PAIR_EVENTS(comes, UP);
		pair_send(comes, i, 8);
		EVENTUALLY(test, client_packets(pair->server) == seen + 1);
	}
}

/* A server that is saved and disabled, and its successor, restored but not enabled. */
static struct client *restored_server(struct pair *pair, u32 flags)
{
	u64 *chunk = kunit_kzalloc(pair->test, 8192, GFP_KERNEL);
	struct client *next = pair_new_server(pair);
	struct kunit *test = pair->test;
	ULONG filled = 0, needed;

	KUNIT_ASSERT_NOT_NULL(test, chunk);
	VmbChannelPause(pair->server->channel);
	ASSERT_STATUS(test, VmbChannelSaveBegin(pair->server->channel), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelSaveContinue(pair->server->channel, chunk, 8192, &filled,
						   &needed), STATUS_SUCCESS);
	VmbChannelSaveEnd(pair->server->channel);
	VmbChannelDisable(pair->server->channel);

	ASSERT_STATUS(test, VmbServerChannelInitSetFlags(next->channel, LOOPBACK | flags),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbServerChannelInitSetSaveRestorePacketCallbacks(next->channel, NULL,
									      NULL),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelRestoreFromBuffer(next->channel, chunk, filled),
		      STATUS_SUCCESS);
	return next;
}

static void a_restored_server_is_paused_until_it_says_so(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *next;

	pair_up(pair);
	next = restored_server(pair, 0);
	enable_only(next);
	PAIR_EVENTS(next, "opened ");
	pair_send(pair->client, 9, 8);
	for_a_while();
	CLIENT_EXPECT(next, "opened ");
	KUNIT_EXPECT_EQ(test, client_packets(next), 0);
	VmbChannelStart(next->channel);
	PAIR_EVENTS(next, UP);
	EVENTUALLY(test, client_packets(next) == 1);
	CLIENT_EXPECT(pair->client, UP);
}

static void with_force_new_the_client_sees_a_close_and_a_new_offer(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);
	struct client *next;

	pair_up(pair);
	next = restored_server(pair, FORCE_NEW);
	/* Until the successor is enabled the client is left waiting, as ever. */
	client_send(done, "question", 8, WAIT);
	for_a_while();
	CLIENT_EXPECT(pair->client, UP);
	pair_enable(next);
	PAIR_EVENTS(pair->client, UP DOWN);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
	EVENTUALLY(test, client_state(pair->client) == KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, next->n_events, 0);

	next->echo = true;
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	PAIR_EVENTS(next, UP);
	client_send(done, "question", 8, WAIT);
	EVENTUALLY(test, client_calls(done) == 2);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
}

/* What the restore has made of packets: one for the case. */
static struct client_done again;

static NTSTATUS restore_one(VMBCHANNEL channel, PVOID lib, UINT32 lib_size, PVOID buffer,
			    UINT32 size)
{
	struct client *server = VmbChannelGetPointer(channel);

	again.packet = VmbPacketAllocate(channel);
	KUNIT_ASSERT_NOT_NULL(server->test, again.packet);
	VmbPacketSetPointer(again.packet, &again);
	VmbPacketSetCompletionRoutine(again.packet, client_routine);
	return VmbPacketRestore(again.packet, lib, lib_size);
}

static void with_force_new_what_was_restored_is_over(struct kunit *test)
{
	u64 *chunk = kunit_kzalloc(test, 8192, GFP_KERNEL);
	struct pair *pair = pair_create(test);
	struct client *next = pair_new_server(pair);
	struct client_done *sent = client_packet(pair->server);
	ULONG filled = 0, needed;

	memset(&again, 0, sizeof(again));
	KUNIT_ASSERT_NOT_NULL(test, chunk);
	ASSERT_STATUS(test, VmbServerChannelInitSetFlags(next->channel, LOOPBACK | FORCE_NEW),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbServerChannelInitSetSaveRestorePacketCallbacks(next->channel, NULL,
									      restore_one),
		      STATUS_SUCCESS);
	pair->client->keep = true;
	pair_up(pair);
	ASSERT_STATUS(test, client_send(sent, "unknown.", 8, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	VmbChannelPause(pair->server->channel);
	ASSERT_STATUS(test, VmbChannelSaveBegin(pair->server->channel), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelSaveContinue(pair->server->channel, chunk, 8192, &filled,
						   &needed), STATUS_SUCCESS);
	VmbChannelSaveEnd(pair->server->channel);
	VmbChannelDisable(pair->server->channel);
	ASSERT_STATUS(test, VmbChannelRestoreFromBuffer(next->channel, chunk, filled),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(&again), 0);

	enable_only(next);
	EVENTUALLY(test, client_calls(&again) == 1);
	EXPECT_STATUS(test, again.status, STATUS_DEVICE_REMOVED);
	client_complete(pair->client, 0, NULL, 0);
	PAIR_EVENTS(pair->client, UP DOWN);
	VmbPacketFree(again.packet);
	KUNIT_EXPECT_EQ(test, client_open_transactions(next), 0);
}

/* It is about restoring: a server that was not goes on as others do. */
static void force_new_changes_nothing_without_a_restore(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	ASSERT_STATUS(test, VmbServerChannelInitSetFlags(pair->server->channel,
							 LOOPBACK | FORCE_NEW),
		      STATUS_SUCCESS);
	pair_up(pair);
	VmbChannelDisable(pair->client->channel);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->server, UP DOWN UP);
	PAIR_EVENTS(pair->client, UP DOWN UP);
}

static struct kunit_case server_cases[] = {
	KUNIT_CASE(a_server_is_opened_but_not_started_until_it_says_so),
	KUNIT_CASE(what_a_client_sends_waits_until_the_server_is_started),
	KUNIT_CASE(a_started_server_starts_with_each_client),
	KUNIT_CASE(a_server_may_be_started_before_a_client_comes),
	KUNIT_CASE(a_start_before_enable_does_not_count),
	KUNIT_CASE(a_server_paused_between_clients_stays_paused),
	KUNIT_CASE(a_server_enabled_anew_is_paused_anew),
	KUNIT_CASE(a_client_is_active_after_enable),
	KUNIT_CASE(a_server_stays_offered_for_any_number_of_clients),
	KUNIT_CASE(a_restored_server_is_paused_until_it_says_so),
	KUNIT_CASE(with_force_new_the_client_sees_a_close_and_a_new_offer),
	KUNIT_CASE(with_force_new_what_was_restored_is_over),
	KUNIT_CASE(force_new_changes_nothing_without_a_restore),
	{}
};

static struct kunit_suite server_suite = {
	.name = "kmcl_server",
	.test_cases = server_cases,
};

kunit_test_suite(server_suite);
