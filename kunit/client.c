// SPDX-License-Identifier: GPL-2.0
/* The client of the tests: see client.h. */
#include <linux/slab.h>

#include "client.h"

static atomic_t client_done_order;

static const char * const client_event_words[] = {
	[CLIENT_OPENED] = "opened ",
	[CLIENT_STARTED] = "started ",
	[CLIENT_POST_STARTED] = "post-started ",
	[CLIENT_SUSPEND] = "suspend ",
	[CLIENT_CLOSED] = "closed ",
	[CLIENT_PNP_FAILURE] = "failure ",
};

/* What may come behind what: each callback's predecessors. */
static bool client_in_order(enum client_event last, enum client_event event)
{
	static const u32 after[] = {
		[CLIENT_OPENED] = BIT(0) | BIT(CLIENT_CLOSED),
		[CLIENT_STARTED] = BIT(CLIENT_OPENED) | BIT(CLIENT_SUSPEND),
		[CLIENT_POST_STARTED] = BIT(CLIENT_STARTED),
		[CLIENT_SUSPEND] = BIT(CLIENT_POST_STARTED),
		[CLIENT_CLOSED] = BIT(CLIENT_OPENED) | BIT(CLIENT_SUSPEND),
	};

	return after[event] & BIT(last);
}

static void client_event(struct client *client, enum client_event event)
{
	if (event != CLIENT_PNP_FAILURE) {
		if (!client_in_order(client->last_state, event))
			client->state_out_of_order = true;
		client->last_state = event;
		/* An EvtChannelOpened that fails has opened nothing. */
		if (event == CLIENT_OPENED && !NT_SUCCESS(client->opened_status))
			client->last_state = 0;
	}
	if (atomic_inc_return(&client->in_state) != 1)
		client->state_nested = true;
	if (!preemptible())
		client->state_atomic = true;
	strlcat(client->events, client_event_words[event], sizeof(client->events));
	if (client->on_event)
		client->on_event(client, event);
	/* Pairs with client_events(), which the tests wait by: last. */
	smp_store_release(&client->n_events, client->n_events + 1);
	atomic_dec(&client->in_state);
}

static NTSTATUS client_opened(VMBCHANNEL channel)
{
	struct client *client = VmbChannelGetPointer(channel);

	client_event(client, CLIENT_OPENED);
	return client->opened_status;
}

static VOID client_started(VMBCHANNEL channel)
{
	client_event(VmbChannelGetPointer(channel), CLIENT_STARTED);
}

static VOID client_post_started(VMBCHANNEL channel)
{
	client_event(VmbChannelGetPointer(channel), CLIENT_POST_STARTED);
}

static VOID client_suspend(VMBCHANNEL channel)
{
	client_event(VmbChannelGetPointer(channel), CLIENT_SUSPEND);
}

static VOID client_closed(VMBCHANNEL channel)
{
	client_event(VmbChannelGetPointer(channel), CLIENT_CLOSED);
}

VOID client_pnp_failure(VMBCHANNEL channel, NTSTATUS status)
{
	struct client *client = VmbChannelGetPointer(channel);

	client->pnp_status = status;
	client_event(client, CLIENT_PNP_FAILURE);
}

/* Sets all five. */
void client_callbacks(VMB_CHANNEL_STATE_CHANGE_CALLBACKS *callbacks)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(callbacks);
	callbacks->EvtChannelOpened = client_opened;
	callbacks->EvtChannelStarted = client_started;
	callbacks->EvtChannelPostStarted = client_post_started;
	callbacks->EvtChannelSuspend = client_suspend;
	callbacks->EvtChannelClosed = client_closed;
}

static VOID client_process(VMBCHANNEL channel, VMBPACKETCOMPLETION handle,
			   PVOID buffer, UINT32 len, UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(channel);
	u32 n = atomic_read(&client->n_packets);

	if (atomic_inc_return(&client->in_process) != 1)
		client->process_nested = true;
	if (n < CLIENT_PACKETS) {
		struct client_packet *pkt = &client->packets[n];

		pkt->handle = handle;
		pkt->kept = client->keep && !client->echo && !client->defer;
		pkt->flags = flags;
		pkt->len = len;
		pkt->buffer = buffer;
		pkt->first = len >= 8 ? *(u64 *)buffer : 0;
		pkt->atomic = in_softirq();
	}
	if (client->on_packet && client->on_packet(client, handle, buffer, len)) {
		atomic_dec(&client->in_process);
		atomic_inc(&client->n_packets);
		return;
	}
	if (client->defer) {
		client->defer--;
		VmbChannelPacketDeferToPassive(handle);
		/* Long enough for another context to call this too, if it can. */
		mdelay(1);
		atomic_dec(&client->in_process);
		atomic_inc(&client->n_packets);
		return;
	}
	atomic_dec(&client->in_process);
	atomic_inc(&client->n_packets);

	if (client->echo)
		VmbChannelPacketComplete(handle, buffer, len);
	else if (!client->keep)
		VmbChannelPacketComplete(handle, NULL, 0);
}

static VOID client_processing_complete(VMBCHANNEL channel, UINT32 packets)
{
	struct client *client = VmbChannelGetPointer(channel);

	client->batches++;
	client->batched += packets;
}

static void client_destroy(void *data)
{
	struct client *client = data;
	u32 i;

	/* A case that failed half way may have left packets that are not completed. */
	client->keep = false;
	for (i = 0; i < min_t(u32, client_packets(client), CLIENT_PACKETS); i++)
		if (client->packets[i].kept)
			client_complete(client, i, NULL, 0);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_FALSE_MSG(client->test, client->state_out_of_order,
			       "a state callback out of order");
	KUNIT_EXPECT_FALSE_MSG(client->test, client->state_atomic,
			       "a state callback could not sleep");
	KUNIT_EXPECT_FALSE_MSG(client->test, client->state_nested,
			       "two state callbacks at once");
	KUNIT_EXPECT_FALSE_MSG(client->test, client->process_nested,
			       "two ProcessPacket callbacks at once");
	VmbChannelCleanup(client->channel);
	for (i = 0; i < client->n_memory; i++)
		kfree(client->memory[i]);
	kfree(client);
}

/* A disabled channel with callbacks, of either kind. Goes away with the test. */
struct client *client_create_end(struct kunit *test, bool is_server)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	struct client *client;

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, client);
	client->test = test;
	client->is_server = is_server;
	ASSERT_STATUS(test, VmbChannelAllocate(NULL, is_server, &client->channel),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, client_destroy, client), 0);

	VmbChannelSetPointer(client->channel, client);
	/* Only the host's signals count, but in the case about the retry. */
	client_set_retry(client, 600000);
	client_callbacks(&callbacks);
	ASSERT_STATUS(test, VmbChannelInitSetStateChangeCallbacks(client->channel,
								  &callbacks),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(client->channel,
								    client_process,
								    client_processing_complete),
		      STATUS_SUCCESS);
	return client;
}

/* A disabled client channel for that host's offer. Goes away with the test. */
struct client *client_create(struct kunit *test, struct host *host)
{
	struct client *client = client_create_end(test, false);
	GUID type;

	if (!host)
		return client;

	memcpy(&type, &host->type, sizeof(type));
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(client->channel, &type,
							     NULL, client_pnp_failure),
		      STATUS_SUCCESS);
	/* Small rings, which are soon full. */
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel, 1024),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumExternalData(client->channel,
								 4096, 1),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(client->channel,
								       4, 2),
		      STATUS_SUCCESS);
	return client;
}

/*
 * Returns when the channel is active and has looked for packets that came before.
 * There has to be an offer.
 */
void client_enable(struct client *client)
{
	u32 seen = client->n_events;

	ASSERT_STATUS(client->test, VmbChannelEnable(client->channel),
		      STATUS_SUCCESS);
	EVENTUALLY(client->test, client_events(client) >= seen + 3);
	EVENTUALLY(client->test, client_reader_rests(client));
}

void client_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct client_done *done = VmbPacketGetPointer(packet);
	void (*again)(struct client_done *done);

	done->status = status;
	done->len = len;
	done->first = len >= 8 ? *(u64 *)buffer : 0;
	done->order = atomic_inc_return(&client_done_order);
	atomic_inc(&done->calls);
	again = READ_ONCE(done->again);
	if (again)
		again(done);
}

/* A packet in memory of the test's own, ready to be sent. */
struct client_done *client_packet(struct client *client)
{
	u32 size = VmbChannelSizeofPacket(client->channel);
	struct client_done *done;

	KUNIT_ASSERT_LT(client->test, client->n_memory, ARRAY_SIZE(client->memory));
	done = kzalloc(sizeof(*done) + size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(client->test, done);
	client->memory[client->n_memory++] = done;

	done->packet = (VMBPACKET)(done + 1);
	ASSERT_STATUS(client->test, VmbPacketInitialize(client->channel,
							done->packet, size),
		      STATUS_SUCCESS);
	VmbPacketSetPointer(done->packet, done);
	VmbPacketSetCompletionRoutine(done->packet, client_routine);
	return done;
}

NTSTATUS client_send(struct client_done *done, const void *data, u32 len,
		     u32 flags)
{
	return VmbPacketSend(done->packet, (void *)data, len, NULL, flags);
}

u32 client_packets(struct client *client)
{
	return atomic_read(&client->n_packets);
}

/* The client is done with the @n-th packet that it kept. */
void client_complete(struct client *client, u32 n, const void *buffer, u32 len)
{
	client->packets[n].kept = false;
	VmbChannelPacketComplete(client->packets[n].handle, (void *)buffer, len);
}
