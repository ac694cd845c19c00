// SPDX-License-Identifier: GPL-2.0
/* Loopback: offers and their life, and packets between two ends in one kernel. */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define AS_PIPE	VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE
#define LOOPBACK	VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER

/* Time enough for what is not to happen. */
static void for_a_while(void)
{
	msleep(30);
}

/* Offers */

static void a_client_opens_an_offer_that_is_there(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair_enable(pair->server);
	for_a_while();
	KUNIT_EXPECT_EQ(test, pair->server->n_events, 0);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP);
	PAIR_EVENTS(pair->server, UP);
}

static void an_offer_finds_the_client_that_waits(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair_enable(pair->client);
	for_a_while();
	KUNIT_EXPECT_EQ(test, pair->client->n_events, 0);
	pair_enable(pair->server);
	PAIR_EVENTS(pair->client, UP);
	PAIR_EVENTS(pair->server, UP);
}

static void a_client_may_take_any_instance(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	GUID found;

	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(pair->client->channel, &pair->type,
							     NULL, NULL), STATUS_SUCCESS);
	pair_up(pair);
	VmbChannelGetInterfaceInstance(pair->client->channel, &found);
	KUNIT_EXPECT_TRUE(test, IsEqualGUID(&found, &pair->instance));
	VmbChannelGetInterfaceInstance(pair->server->channel, &found);
	KUNIT_EXPECT_TRUE(test, IsEqualGUID(&found, &pair->instance));
}

static void another_type_or_instance_is_left_alone(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *other = pair_new_client(pair);
	GUID type = pair->type, instance = pair->instance;

	type.Data1++;
	instance.Data1++;
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(pair->client->channel, &type, NULL,
							     NULL), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(other->channel, &pair->type,
							     &instance, NULL), STATUS_SUCCESS);
	pair_enable(pair->client);
	pair_enable(pair->server);
	pair_enable(other);
	for_a_while();
	KUNIT_EXPECT_EQ(test, pair->client->n_events, 0);
	KUNIT_EXPECT_EQ(test, other->n_events, 0);
	KUNIT_EXPECT_EQ(test, pair->server->n_events, 0);
}

static void a_second_identical_offer_is_a_collision(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *second = pair_new_server(pair);
	GUID instance = pair->instance;

	pair_enable(pair->server);
	EXPECT_STATUS(test, VmbChannelEnable(second->channel), STATUS_OBJECT_NAME_COLLISION);
	/* The second server stays disabled, and may try again. */
	EXPECT_STATUS(test, VmbChannelEnable(second->channel), STATUS_OBJECT_NAME_COLLISION);
	VmbChannelDisable(pair->server->channel);
	EXPECT_STATUS(test, VmbChannelEnable(second->channel), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(pair->server->channel),
		      STATUS_OBJECT_NAME_COLLISION);

	instance.Data1++;
	ASSERT_STATUS(test, VmbServerChannelInitSetTargetInterfaceId(pair->server->channel,
								     pair->type, instance),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(pair->server->channel), STATUS_SUCCESS);
}

static void an_offer_needs_its_flag_and_a_name(struct kunit *test)
{
	struct client *server = client_create_end(test, true);

	EXPECT_STATUS(test, VmbChannelEnable(server->channel), STATUS_NOT_SUPPORTED);
	EXPECT_STATUS(test, VmbServerChannelInitSetFlags(server->channel, LOOPBACK),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(server->channel), STATUS_INVALID_DEVICE_STATE);
}

static void a_revoked_offer_closes_its_client(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair_up(pair);
	VmbChannelDisable(pair->server->channel);
	CLIENT_EXPECT(pair->server, UP DOWN);
	PAIR_EVENTS(pair->client, UP DOWN);

	/* The client needs Enable again, and the server too. */
	pair_enable(pair->server);
	for_a_while();
	CLIENT_EXPECT(pair->client, UP DOWN);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	PAIR_EVENTS(pair->server, UP DOWN UP);
}

static void a_server_goes_on_offering_when_its_client_has_left(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair_up(pair);
	VmbChannelDisable(pair->client->channel);
	CLIENT_EXPECT(pair->client, UP DOWN);
	PAIR_EVENTS(pair->server, UP DOWN);
	/* Before that, Enable could be one for the next opening. */
	EVENTUALLY(test, client_state(pair->server) == KMCL_ENABLED);
	EXPECT_STATUS(test, VmbChannelEnable(pair->server->channel),
		      STATUS_INVALID_DEVICE_STATE);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	PAIR_EVENTS(pair->server, UP DOWN UP);
}

static void a_second_client_waits_for_the_first_to_leave(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *second = pair_new_client(pair);

	pair_up(pair);
	pair_enable(second);
	for_a_while();
	KUNIT_EXPECT_EQ(test, second->n_events, 0);
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(second, UP);
	PAIR_EVENTS(pair->server, UP DOWN UP);
}

static void enable_again(struct client *client, enum client_event event)
{
	if (event != CLIENT_CLOSED)
		return;
	client->on_event = NULL;
	EXPECT_STATUS(client->test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
}

static void a_client_may_ask_for_the_next_offer_when_closed(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *second = pair_new_server(pair);

	pair->client->on_event = enable_again;
	pair_up(pair);
	VmbChannelDisable(pair->server->channel);
	pair_enable(second);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	PAIR_EVENTS(second, UP);
}

static void a_server_may_refuse_its_client(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair->server->opened_status = STATUS_UNSUCCESSFUL;
	pair_enable(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, "failure ");
	EXPECT_STATUS(test, pair->client->pnp_status, STATUS_UNSUCCESSFUL);
	CLIENT_EXPECT(pair->server, "opened ");

	/* The client is disabled, the server is not. */
	pair->server->opened_status = STATUS_SUCCESS;
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, "failure " UP);
	PAIR_EVENTS(pair->server, "opened " UP);
}

static void a_client_that_fails_to_open_leaves_its_server(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair->client->opened_status = STATUS_UNSUCCESSFUL;
	pair_enable(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, "opened failure ");
	EVENTUALLY(test, client_events(pair->server) && pair->server->last_state == CLIENT_CLOSED);
	pair->client->opened_status = STATUS_SUCCESS;
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, "opened failure " UP);
	EVENTUALLY(test, pair->server->last_state == CLIENT_POST_STARTED);
}

/* An EvtChannelOpened that takes its time, while other calls meet it. */
static DECLARE_COMPLETION(slow_reached);
static DECLARE_COMPLETION(slow_may_go_on);

static void be_slow_when_opened(struct client *end, enum client_event event)
{
	if (event != CLIENT_OPENED)
		return;
	complete(&slow_reached);
	wait_for_completion_timeout(&slow_may_go_on, 10 * HZ);
}

static int disable_thread(void *data)
{
	struct client *end = data;

	VmbChannelDisable(end->channel);
	complete(end->private);
	return 0;
}

/* Returns when Disable has been asked for, whether it is done or not. */
static void disable_aside(struct client *end, struct completion *done)
{
	init_completion(done);
	end->private = done;
	KUNIT_ASSERT_FALSE(end->test,
			   IS_ERR(kthread_run(disable_thread, end, "kmcl_disable")));
	EVENTUALLY(end->test, !client_is_wanted(end));
}

#define ENDS_SOON(test, done) \
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(done, 10 * HZ), 0)

static void pair_in_opening(struct pair *pair)
{
	reinit_completion(&slow_reached);
	reinit_completion(&slow_may_go_on);
	pair->server->on_event = be_slow_when_opened;
	pair_enable(pair->server);
	pair_enable(pair->client);
	ENDS_SOON(pair->test, &slow_reached);
}

static void an_offer_may_be_revoked_while_it_is_opened(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct completion done;

	pair_in_opening(pair);
	disable_aside(pair->server, &done);
	for_a_while();
	complete(&slow_may_go_on);
	ENDS_SOON(test, &done);
	CLIENT_EXPECT(pair->server, "opened closed ");
	EVENTUALLY(test, pair->client->last_state == CLIENT_CLOSED);
}

static void a_client_may_be_disabled_while_it_opens(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct completion done;

	pair_in_opening(pair);
	disable_aside(pair->client, &done);
	for_a_while();
	KUNIT_EXPECT_FALSE(test, completion_done(&done));
	complete(&slow_may_go_on);
	ENDS_SOON(test, &done);
	CLIENT_EXPECT(pair->client, "opened closed ");
	EVENTUALLY(test, pair->server->last_state == CLIENT_CLOSED);
	/* The offer is free for the next opening. */
	pair->server->on_event = NULL;
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, "opened closed " UP);
}

static void disable_before_anything_came_of_it_is_harmless(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	u32 i;

	for (i = 0; i < 20; i++) {
		pair_enable(pair->server);
		if (i & 1)
			pair_enable(pair->client);
		if (i & 2)
			VmbChannelDisable(pair->client->channel);
		VmbChannelDisable(pair->server->channel);
		VmbChannelDisable(pair->client->channel);
	}
	pair->server->events[0] = 0;
	pair->client->events[0] = 0;
	pair_enable(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP);
}

static void any_number_of_channels_may_open_at_once(struct kunit *test)
{
	struct pair *pairs[24];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		pairs[i] = pair_create(test);
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		pair_enable(i & 1 ? pairs[i]->client : pairs[i]->server);
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		pair_enable(i & 1 ? pairs[i]->server : pairs[i]->client);
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		PAIR_EVENTS(pairs[i]->client, UP);
		PAIR_EVENTS(pairs[i]->server, UP);
		pair_send(pairs[i]->client, i, 8);
	}
	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		EVENTUALLY(test, client_packets(pairs[i]->server) == 1);
		KUNIT_EXPECT_EQ(test, pairs[i]->server->packets[0].first, i);
	}
}

/* Settings of a server */

static void server_settings_are_checked(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	VMBCHANNEL server = pair->server->channel, client = pair->client->channel;

	EXPECT_STATUS(test, VmbServerChannelInitSetFlags(server, 0x20),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbServerChannelInitSetFlags(server, VMBUS_SERVER_CHANNEL_INIT_FLAGS),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbServerChannelInitSetFlags(server, LOOPBACK), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbServerChannelInitSetMmioMegabytes(server, 0, 0),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbServerChannelInitSetMmioMegabytes(server, 8, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbServerChannelInitSetMmioMegabytes(server, 0, 8), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbServerChannelInitSetTargetVtl(server, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbServerChannelInitSetTargetVtl(server, 2),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbServerChannelInitSetVmbusHandle(server, NULL), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbServerChannelInitSetVmbusHandle(server, server),
		      STATUS_NOT_SUPPORTED);
	EXPECT_STATUS(test, VmbServerChannelInitSetSaveRestorePacketCallbacks(server, NULL, NULL),
		      STATUS_SUCCESS);

	EXPECT_STATUS(test, VmbServerChannelInitSetFlags(client, LOOPBACK),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetMmioMegabytes(client, 8, 8),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetTargetVtl(client, 0),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetVmbusHandle(client, NULL),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetTargetInterfaceId(client, pair->type,
								     pair->instance),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetSaveRestorePacketCallbacks(client, NULL, NULL),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetFlags(NULL, LOOPBACK),
		      STATUS_INVALID_PARAMETER_1);
}

static void server_settings_are_frozen_while_enabled(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	VMBCHANNEL server = pair->server->channel;

	pair_enable(pair->server);
	EXPECT_STATUS(test, VmbServerChannelInitSetFlags(server, LOOPBACK),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetMmioMegabytes(server, 8, 0),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetTargetVtl(server, 0),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetVmbusHandle(server, NULL),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetTargetInterfaceId(server, pair->type,
								     pair->instance),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbServerChannelInitSetSaveRestorePacketCallbacks(server, NULL, NULL),
		      STATUS_INVALID_PARAMETER_1);
}

static void a_loopback_offer_has_no_mmio_space(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	UINT64 address = 1, size = 1;

	ASSERT_STATUS(test, VmbServerChannelInitSetMmioMegabytes(pair->server->channel, 8, 0),
		      STATUS_SUCCESS);
	pair_up(pair);
	VmbChannelGetMmioSpace(pair->client->channel, &address, &size);
	KUNIT_EXPECT_EQ(test, address, 0);
	KUNIT_EXPECT_EQ(test, size, 0);
}

static void a_guest_has_no_bus_of_a_worker_process(struct kunit *test)
{
	HANDLE handle = NULL;

	EXPECT_STATUS(test, VmbConvertVmbusHandleToKernelHandle(NULL, &handle),
		      STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_NULL(test, handle);
}

/* Packets */

static struct client *other_end(struct pair *pair, struct client *end)
{
	return end == pair->client ? pair->server : pair->client;
}

/* Which end sends: a case for each. */
static const char * const directions[] = { "client to server", "server to client" };

static void direction_desc(const char * const *direction, char *desc)
{
	strscpy(desc, *direction, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(direction, directions, direction_desc);

static struct client *sender(struct kunit *test, struct pair *pair)
{
	const char * const *direction = test->param_value;

	return direction == directions ? pair->client : pair->server;
}

static void packets_arrive_in_order(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	u32 i;

	pair_up(pair);
	for (i = 0; i < 200; i++)
		pair_send(from, i, 8 + 8 * (i % 60));
	EVENTUALLY(test, client_packets(to) == 200);
	for (i = 0; i < 200; i++) {
		KUNIT_EXPECT_EQ(test, to->packets[i].first, i);
		KUNIT_EXPECT_EQ(test, to->packets[i].len, 8 + 8 * (i % 60));
	}
	KUNIT_EXPECT_EQ(test, to->batched, 200);
}

static bool check_fill(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	KUNIT_EXPECT_TRUE(end->test, pair_filled(buffer, client_packets(end), len));
	return false;
}

static void every_byte_arrives_wherever_the_ring_wraps(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	u8 *payload = kunit_kmalloc(test, PAIR_MAX_PACKET, GFP_KERNEL);
	u32 i, len;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	to->on_packet = check_fill;
	pair_up(pair);
	for (i = 0; i < 250; i++) {
		VMBPACKET packet = VmbPacketAllocate(from->channel);

		KUNIT_ASSERT_NOT_NULL(test, packet);
		len = 8 * ((i * 37) % 129);
		pair_fill(payload, i, len);
		EXPECT_STATUS(test, VmbPacketSend(packet, payload, len, NULL, 0), STATUS_SUCCESS);
	}
	EVENTUALLY(test, client_packets(to) == 250);
}

static void a_completion_brings_its_payload(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	struct client_done *done = client_packet(from);
	u64 payload[2] = { 77, 78 };

	to->echo = true;
	pair_up(pair);
	ASSERT_STATUS(test, client_send(done, payload, 16, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done->len, 16);
	KUNIT_EXPECT_EQ(test, done->first, 77);
}

static void packets_may_be_completed_in_any_order(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	struct client_done *done[8];
	u64 i;

	to->keep = true;
	pair_up(pair);
	for (i = 0; i < 8; i++) {
		done[i] = client_packet(from);
		ASSERT_STATUS(test, client_send(done[i], &i, 8, WAIT), STATUS_SUCCESS);
	}
	EVENTUALLY(test, client_packets(to) == 8);
	for (i = 8; i--;) {
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 0);
		client_complete(to, i, &i, 8);
		EVENTUALLY(test, client_calls(done[i]) == 1);
		KUNIT_EXPECT_EQ(test, done[i]->first, i);
	}
}

static void a_full_ring_makes_packets_wait_not_fail(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	u32 i;

	pair_up(pair);
	VmbChannelPause(to->channel);
	for (i = 0; i < 100; i++)
		pair_send(from, i, 512);
	KUNIT_EXPECT_GT(test, client_count(from, queued), 50);
	KUNIT_EXPECT_EQ(test, client_packets(to), 0);
	VmbChannelStart(to->channel);
	EVENTUALLY(test, client_packets(to) == 100);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, to->packets[i].first, i);
}

static void completions_wait_for_room_too(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	struct client_done *done[60];
	u8 *payload = kunit_kzalloc(test, PAIR_MAX_PACKET, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	to->echo = true;
	pair_up(pair);
	for (i = 0; i < ARRAY_SIZE(done); i++)
		done[i] = client_packet(from);
	VmbChannelPause(from->channel);
	for (i = 0; i < ARRAY_SIZE(done); i++)
		ASSERT_STATUS(test, client_send(done[i], payload, 600, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(to) == ARRAY_SIZE(done));
	KUNIT_EXPECT_GT(test, client_count(to, queued), 20);
	VmbChannelStart(from->channel);
	for (i = 0; i < ARRAY_SIZE(done); i++) {
		EVENTUALLY(test, client_calls(done[i]) == 1);
		KUNIT_EXPECT_EQ(test, done[i]->len, 600);
	}
}

static void what_has_gathered_comes_in_one_batch(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	u32 i;

	pair_up(pair);
	VmbChannelPause(to->channel);
	for (i = 0; i < 20; i++)
		pair_send(from, i, 8);
	VmbChannelStart(to->channel);
	EVENTUALLY(test, READ_ONCE(to->batched) == 20);
	KUNIT_EXPECT_EQ(test, to->batches, 1);
}

static void packets_come_at_dispatch_level_or_passive(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);

	pair_up(pair);
	pair_send(from, 0, 8);
	EVENTUALLY(test, client_packets(to) == 1);
	KUNIT_EXPECT_TRUE(test, to->packets[0].atomic);
	VmbChannelSetIncomingProcessingAtPassive(to->channel, TRUE);
	pair_send(from, 1, 8);
	EVENTUALLY(test, client_packets(to) == 2);
	KUNIT_EXPECT_FALSE(test, to->packets[1].atomic);
	VmbChannelSetIncomingProcessingAtPassive(to->channel, FALSE);
	to->defer = 1;
	pair_send(from, 2, 8);
	EVENTUALLY(test, client_packets(to) == 4);
	KUNIT_EXPECT_FALSE(test, to->packets[3].atomic);
	KUNIT_EXPECT_EQ(test, to->packets[3].first, 2);
}

static void a_quota_leaves_the_rest_unread(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	u32 i;

	to->keep = true;
	VmbChannelSetTransactionQuota(to->channel, 3);
	pair_up(pair);
	for (i = 0; i < 5; i++)
		pair_send(from, i, 8);
	EVENTUALLY(test, client_packets(to) == 3);
	for_a_while();
	KUNIT_EXPECT_EQ(test, client_packets(to), 3);
	client_complete(to, 0, NULL, 0);
	EVENTUALLY(test, client_packets(to) == 4);
}

static bool fail_it(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	VmbChannelPacketFail(handle);
	return true;
}

static void a_packet_that_is_failed_stops_the_queue(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);

	to->on_packet = fail_it;
	pair_up(pair);
	pair_send(from, 0, 8);
	EVENTUALLY(test, client_packets(to) == 1);
	pair_send(from, 1, 8);
	for_a_while();
	KUNIT_EXPECT_EQ(test, client_packets(to), 1);
	/* Packets the other way still arrive. */
	pair_send(to, 2, 8);
	EVENTUALLY(test, client_packets(from) == 1);
}

static void a_paused_end_can_still_send(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);

	pair_up(pair);
	VmbChannelPause(from->channel);
	CLIENT_EXPECT(from, UP "suspend ");
	pair_send(from, 5, 8);
	EVENTUALLY(test, client_packets(to) == 1);
	CLIENT_EXPECT(to, UP);
	VmbChannelStart(from->channel);
	PAIR_EVENTS(from, UP "suspend started post-started ");
}

static void a_pause_waits_for_the_packets_that_are_held(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	struct completion done;

	to->keep = true;
	pair_up(pair);
	pair_send(from, 5, 8);
	EVENTUALLY(test, client_packets(to) == 1);
	/* Disable waits as Pause does, and is the one that ends this case. */
	disable_aside(to, &done);
	for_a_while();
	KUNIT_EXPECT_FALSE(test, completion_done(&done));
	client_complete(to, 0, NULL, 0);
	ENDS_SOON(test, &done);
}

static void what_was_not_completed_completes_when_the_other_end_leaves(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	struct client_done *sent = client_packet(from), *queued = client_packet(from);

	pair_up(pair);
	VmbChannelPause(to->channel);
	client_send(sent, "sent....", 8, WAIT);
	while (!client_count(from, queued))
		pair_send(from, 0, 512);
	client_send(queued, "queued..", 8, 0);
	VmbChannelDisable(to->channel);
	EVENTUALLY(test, client_calls(sent) == 1 && client_calls(queued) == 1);
	EXPECT_STATUS(test, sent->status, STATUS_DEVICE_REMOVED);
	EXPECT_STATUS(test, queued->status, STATUS_DEVICE_REMOVED);
}

static void a_packet_too_large_for_the_ring_is_refused(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	VMBPACKET packet;
	u8 *payload = kunit_kzalloc(test, 16384, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, payload);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(pair->server->channel, 16384),
		      STATUS_SUCCESS);
	pair_up(pair);
	packet = VmbPacketAllocate(pair->server->channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	EXPECT_STATUS(test, VmbPacketSend(packet, payload, 16384, NULL, 0), STATUS_NOT_SUPPORTED);
	/* The client steps over a packet that fits, but is above its own maximum. */
	EXPECT_STATUS(test, VmbPacketSend(packet, payload, 2048, NULL, 0), STATUS_SUCCESS);
	pair_send(pair->server, 9, 8);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	KUNIT_EXPECT_EQ(test, pair->client->packets[0].first, 9);
	KUNIT_EXPECT_EQ(test, client_count(pair->client, malformed), 1);
}

static bool complete_at_once(struct client *end, VMBPACKETCOMPLETION handle, void *buffer,
			     u32 len)
{
	VmbChannelPacketComplete(handle, buffer, len);
	return true;
}

static void ask_when_started(struct client *end, enum client_event event)
{
	u64 question = 42, *answer = end->private;
	UINT32 size = 8;

	if (event == CLIENT_POST_STARTED)
		EXPECT_STATUS(end->test,
			      VmbChannelSendSynchronousRequest(end->channel, &question, 8, NULL,
							       WAIT, answer, &size, NULL),
			      STATUS_SUCCESS);
}

static void a_client_may_ask_and_wait_when_it_has_started(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	static u64 answer;

	answer = 0;
	pair->client->private = &answer;
	pair->client->on_event = ask_when_started;
	pair->server->on_packet = complete_at_once;
	pair_up(pair);
	KUNIT_EXPECT_EQ(test, answer, 42);
}

static void a_server_asks_without_waiting_only(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	VMBCHANNEL server = pair->server->channel;
	LARGE_INTEGER now = {}, soon = { .QuadPart = -10000 };
	u64 question = 42;

	pair_up(pair);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(server, &question, 8, NULL, WAIT,
							     NULL, NULL, &now),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(server, &question, 8, NULL, 0, NULL,
							     NULL, NULL),
		      STATUS_INVALID_PARAMETER_8);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(server, &question, 8, NULL, 0, NULL,
							     NULL, &soon),
		      STATUS_INVALID_PARAMETER_8);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(server, &question, 8, NULL, 0, NULL,
							     NULL, &now),
		      STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	KUNIT_EXPECT_EQ(test, pair->client->packets[0].first, 42);
}

/* Pipes */

static void on_a_pipe_the_exact_length_arrives(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *from = sender(test, pair), *to = other_end(pair, from);
	u32 i;

	ASSERT_STATUS(test, VmbServerChannelInitSetFlags(pair->server->channel, LOOPBACK | AS_PIPE),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetFlags(pair->client->channel,
						   VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
		      STATUS_SUCCESS);
	pair_up(pair);
	for (i = 1; i < 20; i++)
		pair_send(from, i, i);
	EVENTUALLY(test, client_packets(to) == 19);
	for (i = 1; i < 20; i++)
		KUNIT_EXPECT_EQ(test, to->packets[i - 1].len, i);
}

static void a_pipe_is_opened_by_who_expects_one(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	ASSERT_STATUS(test, VmbChannelInitSetFlags(pair->server->channel,
						   VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
		      STATUS_SUCCESS);
	pair_enable(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, "failure ");
	EXPECT_STATUS(test, pair->client->pnp_status, STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, pair->server->n_events, 0);
	ASSERT_STATUS(test, VmbChannelInitSetFlags(pair->client->channel,
						   VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
		      STATUS_SUCCESS);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, "failure " UP);
}

/* Both ends go */

static void ends_may_be_disabled_in_either_order(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	u32 i, n;

	for (i = 0; i < 20; i++) {
		pair->client->events[0] = 0;
		pair->server->events[0] = 0;
		pair_up(pair);
		for (n = 0; n < 10; n++) {
			pair_send(pair->client, n, 512);
			pair_send(pair->server, n, 512);
		}
		VmbChannelDisable(i & 1 ? pair->client->channel : pair->server->channel);
		VmbChannelDisable(i & 1 ? pair->server->channel : pair->client->channel);
		CLIENT_EXPECT(pair->client, UP DOWN);
		CLIENT_EXPECT(pair->server, UP DOWN);
	}
}

static void ends_may_be_disabled_at_once(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct completion done;
	u32 i, n;

	for (i = 0; i < 20; i++) {
		struct client *aside = i & 1 ? pair->client : pair->server;

		pair->client->events[0] = 0;
		pair->server->events[0] = 0;
		pair_up(pair);
		for (n = 0; n < 10; n++) {
			pair_send(pair->client, n, 512);
			pair_send(pair->server, n, 512);
		}
		disable_aside(aside, &done);
		VmbChannelDisable(other_end(pair, aside)->channel);
		ENDS_SOON(test, &done);
		CLIENT_EXPECT(pair->client, UP DOWN);
		CLIENT_EXPECT(pair->server, UP DOWN);
	}
}

/* Written at once, and from the queue. */
static void a_completion_larger_than_the_clients_ring_comes_empty(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	u8 *payload = kunit_kzalloc(test, 8192, GFP_KERNEL);
	struct client_done *done[12];
	u32 i, n = ARRAY_SIZE(done);

	KUNIT_ASSERT_NOT_NULL(test, payload);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(pair->server->channel, 8192),
		      STATUS_SUCCESS);
	pair->server->keep = true;
	pair_up(pair);
	for (i = 0; i < n; i++) {
		done[i] = client_packet(pair->client);
		ASSERT_STATUS(test, client_send(done[i], payload, 8, WAIT), STATUS_SUCCESS);
	}
	EVENTUALLY(test, client_packets(pair->server) == n);
	client_complete(pair->server, 0, payload, 8192);
	EVENTUALLY(test, client_calls(done[0]) == 1);
	EXPECT_STATUS(test, done[0]->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done[0]->len, 0);

	VmbChannelPause(pair->client->channel);
	for (i = 1; i < n - 1; i++)
		client_complete(pair->server, i, payload, 1000);
	client_complete(pair->server, i, payload, 8192);
	KUNIT_EXPECT_GT(test, client_count(pair->server, queued), 0);
	VmbChannelStart(pair->client->channel);
	EVENTUALLY(test, client_calls(done[n - 1]) == 1);
	KUNIT_EXPECT_EQ(test, done[n - 2]->len, 1000);
	EXPECT_STATUS(test, done[n - 1]->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done[n - 1]->len, 0);
}

static struct kunit_case loopback_cases[] = {
	KUNIT_CASE(a_client_opens_an_offer_that_is_there),
	KUNIT_CASE(an_offer_finds_the_client_that_waits),
	KUNIT_CASE(a_client_may_take_any_instance),
	KUNIT_CASE(another_type_or_instance_is_left_alone),
	KUNIT_CASE(a_second_identical_offer_is_a_collision),
	KUNIT_CASE(an_offer_needs_its_flag_and_a_name),
	KUNIT_CASE(a_revoked_offer_closes_its_client),
	KUNIT_CASE(a_server_goes_on_offering_when_its_client_has_left),
	KUNIT_CASE(a_second_client_waits_for_the_first_to_leave),
	KUNIT_CASE(a_client_may_ask_for_the_next_offer_when_closed),
	KUNIT_CASE(a_server_may_refuse_its_client),
	KUNIT_CASE(a_client_that_fails_to_open_leaves_its_server),
	KUNIT_CASE(an_offer_may_be_revoked_while_it_is_opened),
	KUNIT_CASE(a_client_may_be_disabled_while_it_opens),
	KUNIT_CASE(disable_before_anything_came_of_it_is_harmless),
	KUNIT_CASE(any_number_of_channels_may_open_at_once),
	KUNIT_CASE(server_settings_are_checked),
	KUNIT_CASE(server_settings_are_frozen_while_enabled),
	KUNIT_CASE(a_loopback_offer_has_no_mmio_space),
	KUNIT_CASE(a_guest_has_no_bus_of_a_worker_process),
	KUNIT_CASE_PARAM(packets_arrive_in_order, direction_gen_params),
	KUNIT_CASE_PARAM(every_byte_arrives_wherever_the_ring_wraps, direction_gen_params),
	KUNIT_CASE_PARAM(a_completion_brings_its_payload, direction_gen_params),
	KUNIT_CASE_PARAM(packets_may_be_completed_in_any_order, direction_gen_params),
	KUNIT_CASE_PARAM(a_full_ring_makes_packets_wait_not_fail, direction_gen_params),
	KUNIT_CASE_PARAM(completions_wait_for_room_too, direction_gen_params),
	KUNIT_CASE_PARAM(what_has_gathered_comes_in_one_batch, direction_gen_params),
	KUNIT_CASE_PARAM(packets_come_at_dispatch_level_or_passive, direction_gen_params),
	KUNIT_CASE_PARAM(a_quota_leaves_the_rest_unread, direction_gen_params),
	KUNIT_CASE_PARAM(a_packet_that_is_failed_stops_the_queue, direction_gen_params),
	KUNIT_CASE_PARAM(a_paused_end_can_still_send, direction_gen_params),
	KUNIT_CASE_PARAM(a_pause_waits_for_the_packets_that_are_held, direction_gen_params),
	KUNIT_CASE_PARAM(what_was_not_completed_completes_when_the_other_end_leaves,
			 direction_gen_params),
	KUNIT_CASE(a_packet_too_large_for_the_ring_is_refused),
	KUNIT_CASE(a_client_may_ask_and_wait_when_it_has_started),
	KUNIT_CASE(a_server_asks_without_waiting_only),
	KUNIT_CASE_PARAM(on_a_pipe_the_exact_length_arrives, direction_gen_params),
	KUNIT_CASE(a_pipe_is_opened_by_who_expects_one),
	KUNIT_CASE(ends_may_be_disabled_in_either_order),
	KUNIT_CASE(ends_may_be_disabled_at_once),
	KUNIT_CASE(a_completion_larger_than_the_clients_ring_comes_empty),
	{}
};

static struct kunit_suite loopback_suite = {
	.name = "kmcl_loopback",
	.test_cases = loopback_cases,
};

kunit_test_suite(loopback_suite);
