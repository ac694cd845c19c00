// SPDX-License-Identifier: GPL-2.0
/* Two ends of a loopback channel: see pair.h. */
#include <linux/slab.h>
#include <linux/uuid.h>

#include "pair.h"

/* Before an end goes none may wait for what another holds. The last end goes first. */
static void pair_drop(void *data)
{
	struct pair *pair = data;
	u32 i, n;

	for (i = 0; i < pair->n_ends; i++) {
		struct client *end = pair->ends[i];

		end->keep = false;
		for (n = 0; n < min_t(u32, client_packets(end), CLIENT_PACKETS); n++)
			if (end->packets[n].kept)
				client_complete(end, n, NULL, 0);
	}
	pair->n_ends--;
}

static void pair_add(struct pair *pair, struct client *end)
{
	VMBCHANNEL channel = end->channel;

	KUNIT_ASSERT_LT(pair->test, pair->n_ends, ARRAY_SIZE(pair->ends));
	pair->ends[pair->n_ends++] = end;
	KUNIT_ASSERT_EQ(pair->test, kunit_add_action_or_reset(pair->test, pair_drop, pair), 0);
	ASSERT_STATUS(pair->test, VmbChannelInitSetMaximumPacketSize(channel, PAIR_MAX_PACKET),
		      STATUS_SUCCESS);
	ASSERT_STATUS(pair->test,
		      VmbChannelInitSetMaximumExternalData(channel, PAIR_MAX_EXTERNAL,
							   PAIR_MAX_CHAIN),
		      STATUS_SUCCESS);
}

/* One more client for the pair's offer, disabled. */
struct client *pair_new_client(struct pair *pair)
{
	struct client *client = client_create_end(pair->test, false);

	pair_add(pair, client);
	ASSERT_STATUS(pair->test,
		      VmbClientChannelInitSetTargetPnp(client->channel, &pair->type,
						       &pair->instance,
						       client_pnp_failure),
		      STATUS_SUCCESS);
	/* Small rings, which are soon full. */
	ASSERT_STATUS(pair->test,
		      VmbClientChannelInitSetRingBufferPageCount(client->channel, 3, 2),
		      STATUS_SUCCESS);
	return client;
}

/* One more server of the pair's offer, disabled. */
struct client *pair_new_server(struct pair *pair)
{
	struct client *server = client_create_end(pair->test, true);

	pair_add(pair, server);
	ASSERT_STATUS(pair->test,
		      VmbServerChannelInitSetFlags(server->channel,
						   VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER),
		      STATUS_SUCCESS);
	ASSERT_STATUS(pair->test,
		      VmbServerChannelInitSetTargetInterfaceId(server->channel, pair->type,
							       pair->instance),
		      STATUS_SUCCESS);
	return server;
}

/* A sub-channel of one of the pair's ends, disabled. */
struct client *pair_new_sub(struct pair *pair, struct client *primary, u16 index)
{
	struct client *sub = client_create_end(pair->test, client_chan(primary)->is_server);

	pair_add(pair, sub);
	ASSERT_STATUS(pair->test,
		      VmbChannelInitSetPrimaryChannel(sub->channel, primary->channel, index),
		      STATUS_SUCCESS);
	return sub;
}

static void pair_free(void *pair)
{
	kfree(pair);
}

/* A server and a client for it, both disabled. They go away with the test. */
struct pair *pair_create(struct kunit *test)
{
	struct pair *pair = kzalloc(sizeof(*pair), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pair);
	pair->test = test;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pair_free, pair), 0);
	guid_gen((guid_t *)&pair->type);
	guid_gen((guid_t *)&pair->instance);
	pair->server = pair_new_server(pair);
	pair->client = pair_new_client(pair);
	return pair;
}

/* A server comes up paused. */
void pair_enable(struct client *end)
{
	ASSERT_STATUS(end->test, VmbChannelEnable(end->channel), STATUS_SUCCESS);
	if (end->is_server)
		VmbChannelStart(end->channel);
}

/* Returns when both ends are active. */
void pair_up(struct pair *pair)
{
	pair_enable(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->server, UP);
	PAIR_EVENTS(pair->client, UP);
}

/* Bytes that tell where they belong. */
void pair_fill(void *buffer, u64 first, u32 len)
{
	u8 *bytes = buffer;
	u32 i;

	for (i = 0; i < len; i++)
		bytes[i] = first * 31 + i * 7 + (i >> 8);
}

bool pair_filled(const void *buffer, u64 first, u32 len)
{
	const u8 *bytes = buffer;
	u32 i;

	for (i = 0; i < len; i++)
		if (bytes[i] != (u8)(first * 31 + i * 7 + (i >> 8)))
			return false;
	return true;
}

/* A packet of the library's, with no completion: its first 8 bytes tell which. */
void pair_send(struct client *from, u64 first, u32 len)
{
	VMBPACKET packet = VmbPacketAllocate(from->channel);
	u8 *payload = kzalloc(len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(from->test, packet);
	KUNIT_ASSERT_NOT_NULL(from->test, payload);
	memcpy(payload, &first, min_t(u32, len, sizeof(first)));
	EXPECT_STATUS(from->test, VmbPacketSend(packet, payload, len, NULL, 0),
		      STATUS_SUCCESS);
	kfree(payload);
}
