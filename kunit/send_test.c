// SPDX-License-Identifier: GPL-2.0
/* Sending: order, full rings, transactions, the end of a channel. */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static struct host *send_host;	/* of the case that runs */

static struct client *active_client(struct kunit *test)
{
	struct client *client;

	send_host = host_create(test);
	client = client_create(test, send_host);
	send_host->offered = true;
	client_enable(client);
	return client;
}

/* So large a payload that the ring of one data page takes three packets, not four. */
static u8 large[1000];

static NTSTATUS send_large(struct client_done *done, u8 mark, u32 flags)
{
	memset(large, mark, sizeof(large));
	return client_send(done, large, sizeof(large), flags);
}

static void a_packet_arrives_as_it_was_sent(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	static const char text[] = "from the guest";

	EXPECT_STATUS(test, client_send(done, text, sizeof(text), WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->type, VM_PKT_DATA_INBAND);
	KUNIT_EXPECT_EQ(test, pkt->flags, VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
	KUNIT_EXPECT_EQ(test, pkt->len, ALIGN(sizeof(text), 8));
	KUNIT_EXPECT_MEMEQ(test, pkt->payload, text, sizeof(text));
	KUNIT_EXPECT_FALSE(test, host_read(send_host, pkt));
	VmbChannelDisable(client->channel);
}

static void without_wait_a_packet_is_complete_once_in_the_ring(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done->len, 0);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->flags, 0);
}

static void a_packet_may_be_empty(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	EXPECT_STATUS(test, client_send(done, NULL, 0, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->len, 0);
}

static void with_wait_it_is_complete_when_the_completion_comes(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u64 answer = 0x1122334455667788;

	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);

	host_complete(send_host, pkt->id, &answer, sizeof(answer));
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done->len, sizeof(answer));
	KUNIT_EXPECT_EQ(test, done->first, answer);
}

static void completions_may_come_in_any_order(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct client_done *done[16];
	u64 ids[16];
	int i;

	for (i = 0; i < 16; i++) {
		done[i] = client_packet(client);
		EXPECT_STATUS(test, client_send(done[i], "x", 1, WAIT), STATUS_SUCCESS);
		KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
		ids[i] = pkt->id;
	}
	for (i = 15; i >= 0; i--) {
		host_complete(send_host, ids[i], &ids[i], sizeof(ids[i]));
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		KUNIT_EXPECT_EQ(test, done[i]->first, ids[i]);
	}
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 0);
}

static void a_forged_completion_completes_nothing(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
	host_complete(send_host, pkt->id + 1, NULL, 0);
	host_complete(send_host, 0, NULL, 0);
	host_complete(send_host, ~0ull, NULL, 0);
	host_complete(send_host, (unsigned long)done->packet, NULL, 0);
	/* Same bucket of any power of two up to 2^32, another id. */
	host_complete(send_host, pkt->id + (1ull << 32), NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 5);

	host_complete(send_host, pkt->id, NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
}

static void a_repeated_completion_completes_nothing(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
	host_complete(send_host, pkt->id, NULL, 0);
	host_complete(send_host, pkt->id, NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 1);
}

static void a_stale_completion_does_not_meet_the_packets_next_send(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *first = kunit_kzalloc(test, sizeof(*first), GFP_KERNEL);
	struct host_packet *second = kunit_kzalloc(test, sizeof(*second), GFP_KERNEL);

	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, first));
	host_complete(send_host, first->id, NULL, 0);

	EXPECT_STATUS(test, client_send(done, "y", 1, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, second));
	KUNIT_EXPECT_NE(test, first->id, second->id);
	host_complete(send_host, first->id, NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	host_complete(send_host, second->id, NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 2);
}

static void a_completion_for_a_packet_sent_without_wait_is_stray(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
	host_complete(send_host, pkt->id, NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 1);
}

static void a_packet_under_way_cannot_be_sent_again(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);

	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(test, client_send(done, "y", 1, WAIT), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, host_skip_all(send_host), 1);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
}

static void packets_sent_before_the_channel_opens_go_out_in_order(struct kunit *test)
{
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct client_done *done[3];
	struct client *client;
	u8 i;

	send_host = host_create(test);
	client = client_create(test, send_host);
	for (i = 0; i < 3; i++) {
		done[i] = client_packet(client);
		EXPECT_STATUS(test, client_send(done[i], &i, 1, 0), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 0);
	}
	send_host->offered = true;
	client_enable(client);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		KUNIT_ASSERT_TRUE(test, host_read(send_host, pkt));
		KUNIT_EXPECT_EQ(test, pkt->payload[0], i);
	}
}

/* A full ring: three packets in it, the rest waits. */
static void a_full_ring_queues_in_order_and_drains_when_there_is_room(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct client_done *done[8];
	u32 seen = 0, i;

	for (i = 0; i < 8; i++) {
		done[i] = client_packet(client);
		EXPECT_STATUS(test, send_large(done[i], i, 0), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), i < 3);
	}
	KUNIT_EXPECT_EQ(test, client_count(client, queued), 5);
	KUNIT_EXPECT_NE(test, host_wanted_room(send_host), 0);

	while (host_read(send_host, pkt)) {
		KUNIT_EXPECT_EQ(test, pkt->payload[0], seen);
		KUNIT_EXPECT_EQ(test, pkt->payload[999], seen);
		seen++;
		host_signal(send_host);
		for (i = 0; i < 8; i++)
			KUNIT_EXPECT_EQ(test, client_calls(done[i]), i < 3 + seen);
	}
	KUNIT_EXPECT_EQ(test, seen, 8);
	KUNIT_EXPECT_EQ(test, host_wanted_room(send_host), 0);
	for (i = 1; i < 8; i++)
		KUNIT_EXPECT_GT(test, done[i]->order, done[i - 1]->order);
}

static void a_small_packet_does_not_overtake_a_queued_large_one(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct client_done *small = client_packet(client);
	u32 i, large_ones = 0;

	for (i = 0; i < 4; i++)
		EXPECT_STATUS(test, send_large(client_packet(client), 0xee, 0),
			      STATUS_SUCCESS);
	/* The small packet would have room, but waits behind a large one. */
	EXPECT_STATUS(test, client_send(small, "s", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(small), 0);

	while (host_read(send_host, pkt)) {
		host_signal(send_host);
		if (pkt->payload[0] != 's')
			large_ones++;
		else
			KUNIT_EXPECT_EQ(test, large_ones, 4);
	}
	KUNIT_EXPECT_EQ(test, client_calls(small), 1);
}

static void a_queued_packet_keeps_its_own_copy_of_the_buffer(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u32 i, n = 0;

	for (i = 0; i < 4; i++)
		EXPECT_STATUS(test, send_large(client_packet(client), i, 0),
			      STATUS_SUCCESS);
	memset(large, 0xff, sizeof(large));
	while (host_read(send_host, pkt)) {
		host_signal(send_host);
		KUNIT_EXPECT_EQ(test, pkt->payload[0], n++);
	}
	KUNIT_EXPECT_EQ(test, n, 4);
}

static void a_queued_transaction_is_matched_like_any_other(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct client_done *done[5];
	u32 i, n = 0;

	for (i = 0; i < 5; i++) {
		done[i] = client_packet(client);
		EXPECT_STATUS(test, send_large(done[i], i, WAIT), STATUS_SUCCESS);
	}
	while (host_read(send_host, pkt)) {
		host_complete(send_host, pkt->id, NULL, 0);
		KUNIT_EXPECT_EQ(test, client_calls(done[n]), 1);
		n++;
	}
	KUNIT_EXPECT_EQ(test, n, 5);
}

static void resend(struct client_done *done)
{
	if (client_calls(done) < 100000)
		client_send(done, "again", 5, 0);
}

static void a_routine_that_sends_again_does_not_nest(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	u32 calls;

	/* A stack that nested would be gone long before the ring is full. */
	done->again = resend;
	EXPECT_STATUS(test, client_send(done, "first", 5, 0), STATUS_SUCCESS);
	EVENTUALLY(test, client_count(client, queued) == 1);
	calls = client_calls(done);
	KUNIT_EXPECT_GT(test, calls, 100);
	KUNIT_EXPECT_EQ(test, host_skip_all(send_host), calls);

	/* With each ring that the host empties the routine goes on where it stopped. */
	host_signal(send_host);
	KUNIT_EXPECT_GT(test, client_calls(done), calls);
	done->again = NULL;
	host_skip_all(send_host);
	host_signal(send_host);
	VmbChannelDisable(client->channel);
}

static void free_again(struct client_done *done)
{
	VmbPacketFree(done->packet);
}

static void a_routine_may_free_its_packet(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done done = { .packet = VmbPacketAllocate(client->channel),
				    .again = free_again };
	VMBPACKET again;

	VmbPacketSetPointer(done.packet, &done);
	VmbPacketSetCompletionRoutine(done.packet, client_routine);
	EXPECT_STATUS(test, client_send(&done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(&done), 1);
	/* Freed packets are kept for the next allocation. */
	again = VmbPacketAllocate(client->channel);
	KUNIT_EXPECT_PTR_EQ(test, again, done.packet);
	VmbPacketFree(again);
}

static void many_open_transactions_are_all_found(struct kunit *test)
{
	struct client *client = active_client(test);
	u32 size = VmbChannelSizeofPacket(client->channel);
	struct client_done *done = kcalloc(600, sizeof(*done), GFP_KERNEL);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u64 *ids = kunit_kcalloc(test, 600, sizeof(*ids), GFP_KERNEL);
	int i;

	for (i = 0; i < 600; i++) {
		done[i].packet = kzalloc(size, GFP_KERNEL | __GFP_NOFAIL);
		EXPECT_STATUS(test, VmbPacketInitialize(client->channel,
							done[i].packet, size),
			      STATUS_SUCCESS);
		VmbPacketSetPointer(done[i].packet, &done[i]);
		VmbPacketSetCompletionRoutine(done[i].packet, client_routine);
		EXPECT_STATUS(test, client_send(&done[i], "x", 1, WAIT), STATUS_SUCCESS);
		KUNIT_EXPECT_TRUE(test, host_read(send_host, pkt));
		ids[i] = pkt->id;
	}
	/* More transactions than the table began with: it grows meanwhile. */
	EVENTUALLY(test, client_transaction_buckets(client) > 64);
	for (i = 0; i < 500; i++)
		host_complete(send_host, ids[(i * 7) % 600], NULL, 0);
	VmbChannelDisable(client->channel);
	for (i = 0; i < 600; i++)
		KUNIT_EXPECT_EQ(test, client_calls(&done[i]), 1);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 0);
	KUNIT_EXPECT_EQ(test, client_count(client, completed), 500);
	for (i = 0; i < 600; i++)
		kfree(done[i].packet);
	kfree(done);
}

static void disable_completes_every_packet_once(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done[8];
	int i;

	for (i = 0; i < 8; i++) {
		done[i] = client_packet(client);
		/* Packets in the ring and queued; some that wait, some that do not. */
		EXPECT_STATUS(test, send_large(done[i], i, i % 2 ? WAIT : 0),
			      STATUS_SUCCESS);
	}
	VmbChannelDisable(client->channel);
	for (i = 0; i < 8; i++) {
		bool sent = i < 3 && i % 2 == 0;

		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		EXPECT_STATUS(test, done[i]->status,
			      sent ? STATUS_SUCCESS : STATUS_DEVICE_REMOVED);
	}
}

static void a_rescind_completes_every_packet_once(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done[8];
	int i;

	for (i = 0; i < 8; i++) {
		done[i] = client_packet(client);
		EXPECT_STATUS(test, send_large(done[i], i, WAIT), STATUS_SUCCESS);
	}
	host_rescind(send_host);
	for (i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		EXPECT_STATUS(test, done[i]->status, STATUS_DEVICE_REMOVED);
	}
}

static void a_packet_sent_after_a_close_waits_for_the_next_opening(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);

	VmbChannelDisable(client->channel);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
	client_enable(client);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(send_host), 1);
}

static void a_packet_for_an_opening_that_never_comes_is_completed(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct client_done *done = client_packet(client);

	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->watches) == 1);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);

	/* Nor does it matter whether the worker had begun to look for an offer. */
	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, client_calls(done), 2);
}

static void a_packet_for_an_opening_that_fails_is_completed(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct client_done *done = client_packet(client);

	host->offered = true;
	host->open_error = -ENOMEM;
	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
}

static void a_full_ring_is_tried_again_without_a_signal(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done[4];
	u32 i;

	client_set_retry(client, 500);
	for (i = 0; i < 4; i++) {
		done[i] = client_packet(client);
		EXPECT_STATUS(test, send_large(done[i], i, 0), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, client_calls(done[3]), 0);
	KUNIT_EXPECT_EQ(test, host_skip_all(send_host), 3);
	EVENTUALLY(test, client_calls(done[3]) == 1);
}

static void what_is_asked_for_is_more_room_than_the_packet_takes(struct kunit *test)
{
	struct client *client = active_client(test);
	u32 i;

	for (i = 0; i < 4; i++)
		EXPECT_STATUS(test, send_large(client_packet(client), i, 0),
			      STATUS_SUCCESS);
	/* Descriptor, payload, trailer; a host may take "as much" for enough. */
	KUNIT_EXPECT_EQ(test, host_wanted_room(send_host), 16 + 1000 + 8 + 1);
	host_skip_all(send_host);
	host_signal(send_host);
}

static void send_refused(struct client_done *done)
{
	done->again = NULL;
	done->status = client_send(done, "again", 5, 0);
}

static void a_packet_sent_again_during_cleanup_is_refused(struct kunit *test)
{
	struct client_done done = { .again = send_refused };
	VMBCHANNEL channel;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	done.packet = VmbPacketAllocate(channel);
	VmbPacketSetPointer(done.packet, &done);
	VmbPacketSetCompletionRoutine(done.packet, client_routine);
	EXPECT_STATUS(test, client_send(&done, "x", 1, 0), STATUS_SUCCESS);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, client_calls(&done), 1);
	EXPECT_STATUS(test, done.status, STATUS_INVALID_DEVICE_STATE);
	VmbPacketFree(done.packet);
}

static void a_packet_too_large_for_the_channel_of_today_is_refused(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	struct client_done *done = client_packet(client);
	u8 *payload = kunit_kzalloc(test, 4096, GFP_KERNEL);

	/* The packet has the room; rings made for smaller ones have not. */
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel, 64),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, client_send(done, payload, 65, 0), STATUS_INVALID_PARAMETER_3);
}

static void a_packet_too_large_for_the_ring_of_today_is_given_back(struct kunit *test)
{
	struct client_done *done[2];
	struct client *client;
	u8 *payload = kunit_kzalloc(test, 30000, GFP_KERNEL);

	send_host = host_create(test);
	client = client_create(test, send_host);
	VmbChannelInitSetMaximumPacketSize(client->channel, 30000);
	done[0] = client_packet(client);
	done[1] = client_packet(client);
	EXPECT_STATUS(test, client_send(done[0], payload, 30000, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, client_send(done[1], "x", 1, 0), STATUS_SUCCESS);

	/* Now the ring has one page for data, and the packet is the first in line. */
	VmbChannelInitSetMaximumPacketSize(client->channel, 1024);
	send_host->offered = true;
	client_enable(client);
	KUNIT_EXPECT_EQ(test, client_calls(done[0]), 1);
	EXPECT_STATUS(test, done[0]->status, STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, client_calls(done[1]), 1);
	EXPECT_STATUS(test, done[1]->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(send_host), 1);
}

static void cleanup_completes_what_still_waits(struct kunit *test)
{
	struct client_done done = {};
	VMBCHANNEL channel;
	u32 size;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	size = VmbChannelSizeofPacket(channel);
	done.packet = kunit_kzalloc(test, size, GFP_KERNEL);
	EXPECT_STATUS(test, VmbPacketInitialize(channel, done.packet, size),
		      STATUS_SUCCESS);
	VmbPacketSetPointer(done.packet, &done);
	VmbPacketSetCompletionRoutine(done.packet, client_routine);
	EXPECT_STATUS(test, client_send(&done, "x", 1, WAIT), STATUS_SUCCESS);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, client_calls(&done), 1);
	EXPECT_STATUS(test, done.status, STATUS_DEVICE_REMOVED);
}

static void sends_work_with_interrupts_off(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);
	unsigned long flags;
	NTSTATUS status;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "PREEMPT_RT's spin locks cannot be taken with interrupts off");
	local_irq_save(flags);
	status = client_send(done, "x", 1, 0);
	local_irq_restore(flags);
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
}

struct sender {
	struct client *client;
	struct client_done *done;
	struct completion finished;
	u8 who;
};

static int sender_thread(void *data)
{
	struct sender *me = data;
	u32 i;

	for (i = 0; i < 3000; i++) {
		u32 number[2] = { me->who, i };
		int calls = client_calls(me->done);

		client_send(me->done, number, sizeof(number), 0);
		while (client_calls(me->done) == calls)
			cond_resched();
	}
	complete(&me->finished);
	return 0;
}

static void two_senders_keep_their_order_while_the_ring_fills_and_drains(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct sender senders[2];
	u32 next[2] = {}, i, wrong = 0;

	for (i = 0; i < 2; i++) {
		senders[i].client = client;
		senders[i].who = i;
		senders[i].done = client_packet(client);
		init_completion(&senders[i].finished);
		kthread_run(sender_thread, &senders[i], "kmcl_sender");
	}
	while (next[0] < 3000 || next[1] < 3000) {
		u32 number[2];

		if (!host_read(send_host, pkt)) {
			host_signal(send_host);
			cond_resched();
			continue;
		}
		memcpy(number, pkt->payload, sizeof(number));
		if (number[0] > 1 || number[1] != next[number[0]]++)
			wrong++;
	}
	for (i = 0; i < 2; i++)
		wait_for_completion(&senders[i].finished);
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

/* A routine sends on another channel, which is being disabled. */
struct turn {
	struct client_done *other;
	struct client *disabled;
	struct completion sent;
	struct completion over;
	int calls;		/* of @other's routine, when disabled */
};

static struct turn turn;

static void send_and_dawdle(struct client_done *done)
{
	u32 ms;

	client_send(turn.other, "x", 1, 0);
	complete(&turn.sent);
	for (ms = 0; ms < 200 && !completion_done(&turn.over); ms++)
		mdelay(1);
}

static int disabling_thread(void *unused)
{
	wait_for_completion(&turn.sent);
	VmbChannelDisable(turn.disabled->channel);
	turn.calls = client_calls(turn.other);
	complete(&turn.over);
	return 0;
}

static void disable_waits_for_routines_that_wait_for_their_turn(struct kunit *test)
{
	struct client *client = active_client(test);
	struct pair *pair = pair_create(test);
	struct client_done *done;

	pair_up(pair);
	done = client_packet(pair->client);
	done->again = send_and_dawdle;
	turn = (struct turn) {
		.other = client_packet(client),
		.disabled = client,
	};
	init_completion(&turn.sent);
	init_completion(&turn.over);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(disabling_thread, NULL, "kmcl_disable")));
	EXPECT_STATUS(test, client_send(done, "y", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&turn.over, 10 * HZ), 0);
	KUNIT_EXPECT_EQ(test, turn.calls, 1);
	EXPECT_STATUS(test, turn.other->status, STATUS_SUCCESS);
}

static struct kunit_case send_cases[] = {
	KUNIT_CASE(a_packet_arrives_as_it_was_sent),
	KUNIT_CASE(without_wait_a_packet_is_complete_once_in_the_ring),
	KUNIT_CASE(a_packet_may_be_empty),
	KUNIT_CASE(with_wait_it_is_complete_when_the_completion_comes),
	KUNIT_CASE(completions_may_come_in_any_order),
	KUNIT_CASE(a_forged_completion_completes_nothing),
	KUNIT_CASE(a_repeated_completion_completes_nothing),
	KUNIT_CASE(a_stale_completion_does_not_meet_the_packets_next_send),
	KUNIT_CASE(a_completion_for_a_packet_sent_without_wait_is_stray),
	KUNIT_CASE(a_packet_under_way_cannot_be_sent_again),
	KUNIT_CASE(packets_sent_before_the_channel_opens_go_out_in_order),
	KUNIT_CASE(a_full_ring_queues_in_order_and_drains_when_there_is_room),
	KUNIT_CASE(a_small_packet_does_not_overtake_a_queued_large_one),
	KUNIT_CASE(a_queued_packet_keeps_its_own_copy_of_the_buffer),
	KUNIT_CASE(a_queued_transaction_is_matched_like_any_other),
	KUNIT_CASE(a_routine_that_sends_again_does_not_nest),
	KUNIT_CASE(a_routine_may_free_its_packet),
	KUNIT_CASE(many_open_transactions_are_all_found),
	KUNIT_CASE(disable_completes_every_packet_once),
	KUNIT_CASE(a_rescind_completes_every_packet_once),
	KUNIT_CASE(a_packet_sent_after_a_close_waits_for_the_next_opening),
	KUNIT_CASE(a_packet_for_an_opening_that_never_comes_is_completed),
	KUNIT_CASE(a_packet_for_an_opening_that_fails_is_completed),
	KUNIT_CASE(a_full_ring_is_tried_again_without_a_signal),
	KUNIT_CASE(what_is_asked_for_is_more_room_than_the_packet_takes),
	KUNIT_CASE(a_packet_sent_again_during_cleanup_is_refused),
	KUNIT_CASE(a_packet_too_large_for_the_channel_of_today_is_refused),
	KUNIT_CASE(a_packet_too_large_for_the_ring_of_today_is_given_back),
	KUNIT_CASE(cleanup_completes_what_still_waits),
	KUNIT_CASE(sends_work_with_interrupts_off),
	KUNIT_CASE(two_senders_keep_their_order_while_the_ring_fills_and_drains),
	KUNIT_CASE(disable_waits_for_routines_that_wait_for_their_turn),
	{}
};

static struct kunit_suite send_suite = {
	.name = "kmcl_send",
	.test_cases = send_cases,
};

kunit_test_suite(send_suite);
