// SPDX-License-Identifier: GPL-2.0
/* Packet objects, in the caller's memory and from the channel. */
#include <linux/slab.h>

#include "client.h"

static void a_packet_is_larger_than_its_payload_and_a_pointer(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	static const u32 sizes[] = { 1, 7, 8, 9, 4096, 128 * 1024 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel,
								       sizes[i]),
			      STATUS_SUCCESS);
		KUNIT_EXPECT_GT(test, VmbChannelSizeofPacket(client->channel),
				sizes[i] + sizeof(void *));
	}
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(NULL), 0);
}

static void initialize_wants_as_many_bytes_as_sizeof_says(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	u32 size = VmbChannelSizeofPacket(client->channel);
	VMBPACKET packet = kunit_kzalloc(test, size + 8, GFP_KERNEL);

	EXPECT_STATUS(test, VmbPacketInitialize(client->channel, packet, 0),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbPacketInitialize(client->channel, packet, size - 1),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbPacketInitialize(client->channel, packet, size),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbPacketInitialize(client->channel, packet, size + 8),
		      STATUS_SUCCESS);
}

static void initialize_that_fails_does_not_touch_the_memory(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	u32 i, size = VmbChannelSizeofPacket(client->channel);
	u8 *memory = kunit_kmalloc(test, size, GFP_KERNEL);

	memset(memory, 0xa5, size);
	EXPECT_STATUS(test, VmbPacketInitialize(client->channel, (VMBPACKET)memory,
						size - 1),
		      STATUS_INVALID_PARAMETER_3);
	for (i = 0; i < size; i++)
		KUNIT_ASSERT_EQ_MSG(test, memory[i], 0xa5, "byte %u", i);
}

static void initialize_refuses_bad_handles(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	u32 size = VmbChannelSizeofPacket(client->channel);
	u8 *memory = kunit_kzalloc(test, size + 8, GFP_KERNEL);

	EXPECT_STATUS(test, VmbPacketInitialize(NULL, (VMBPACKET)memory, size),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbPacketInitialize(client->channel, NULL, size),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbPacketInitialize(client->channel,
						(VMBPACKET)(memory + 1), size),
		      STATUS_INVALID_PARAMETER_2);
}

/* The memory behind the packet is watched by this case, and by KASAN. */
static void nothing_beyond_the_packet_is_ever_written(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	u32 size = VmbChannelSizeofPacket(client->channel);
	u8 *memory = kzalloc(size + 64, GFP_KERNEL);
	struct client_done done = {};
	VMBPACKET packet = (VMBPACKET)memory;
	static u8 payload[1024];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(memory + size, 0xa5, 64);
	memset(payload, 0xff, sizeof(payload));
	EXPECT_STATUS(test, VmbPacketInitialize(client->channel, packet, size + 64),
		      STATUS_SUCCESS);
	VmbPacketSetPointer(packet, &done);
	VmbPacketSetCompletionRoutine(packet, client_routine);
	/* The channel is not open: the packet has to keep the whole payload. */
	EXPECT_STATUS(test, VmbPacketSend(packet, payload, sizeof(payload), NULL, 0),
		      STATUS_SUCCESS);
	host->offered = true;
	client_enable(client);
	KUNIT_EXPECT_EQ(test, client_calls(&done), 1);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ_MSG(test, memory[size + i], 0xa5, "%d bytes beyond", i);
	VmbChannelDisable(client->channel);
	kfree(memory);
}

static void pointer_and_channel_of_a_packet_are_kept(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	VMBPACKET packet = VmbPacketAllocate(client->channel);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(packet));
	VmbPacketSetPointer(packet, test);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer(packet), (PVOID)test);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(packet), client->channel);
	VmbPacketFree(packet);
	KUNIT_EXPECT_NULL(test, VmbPacketGetChannel(NULL));
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(NULL));
}

static void a_send_without_a_completion_routine_is_an_error(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct client_done *done = client_packet(client);

	host->offered = true;
	client_enable(client);
	VmbPacketSetCompletionRoutine(done->packet, NULL);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);

	/* And the packet is as good as before. */
	VmbPacketSetCompletionRoutine(done->packet, client_routine);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
}

static void send_checks_its_parameters(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	struct client_done *done = client_packet(client);

	EXPECT_STATUS(test, VmbPacketSend(NULL, "x", 1, NULL, 0),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, client_send(done, NULL, 1, 0), STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, client_send(done, done, 4096 + 1, 0),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0x20), STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0x18), STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
}

static void the_default_completion_frees_the_packet(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	VMBPACKET packet;

	host->offered = true;
	client_enable(client);
	packet = VmbPacketAllocate(client->channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	EXPECT_STATUS(test, VmbPacketSend(packet, "x", 1, NULL, 0), STATUS_SUCCESS);
	/* Freed packets are kept for the next allocation; kmemleak sees the rest. */
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketAllocate(client->channel), packet);
	VmbPacketFree(packet);
}

static void free_leaves_a_packet_alone_that_is_under_way(struct kunit *test)
{
	struct client_done done = {};
	VMBCHANNEL channel;
	VMBPACKET packet;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	packet = VmbPacketAllocate(channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetPointer(packet, &done);
	VmbPacketSetCompletionRoutine(packet, client_routine);
	EXPECT_STATUS(test, VmbPacketSend(packet, "x", 1, NULL, 0), STATUS_SUCCESS);
	VmbPacketFree(packet);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(packet), channel);

	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, client_calls(&done), 1);
	VmbPacketFree(packet);
}

static void free_leaves_the_callers_own_packet_alone(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	struct client_done *done = client_packet(client);

	VmbPacketFree(done->packet);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(done->packet), client->channel);
}

static void a_packet_may_outlive_its_channel(struct kunit *test)
{
	VMBPACKET packet;
	VMBCHANNEL channel;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	packet = VmbPacketAllocate(channel);
	VmbChannelCleanup(channel);
	VmbPacketFree(packet);
}

static void packets_follow_a_change_of_the_packet_size(struct kunit *test)
{
	u8 *payload = kunit_kzalloc(test, 65536, GFP_KERNEL);
	struct client_done done = {};
	VMBCHANNEL channel;
	VMBPACKET packet;

	/* A small packet is kept; it must not be handed out for a large payload. */
	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	VmbPacketFree(VmbPacketAllocate(channel));
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketSize(channel, 65536),
		      STATUS_SUCCESS);
	packet = VmbPacketAllocate(channel);
	KUNIT_EXPECT_NOT_NULL(test, packet);
	VmbPacketSetPointer(packet, &done);
	VmbPacketSetCompletionRoutine(packet, client_routine);
	EXPECT_STATUS(test, VmbPacketSend(packet, payload, 65536, NULL, 0),
		      STATUS_SUCCESS);
	VmbChannelCleanup(channel);
	VmbPacketFree(packet);
}

static bool parent_released;

static void release_parent(struct device *parent)
{
	might_sleep();
	kfree(parent);
	parent_released = true;
}

/* Not the last packet lets go of it, which may be freed where nothing may sleep. */
static void cleanup_lets_go_of_the_parent(struct kunit *test)
{
	struct device *parent = kzalloc(sizeof(*parent), GFP_KERNEL);
	VMBCHANNEL channel;
	VMBPACKET packet;

	KUNIT_ASSERT_NOT_NULL(test, parent);
	device_initialize(parent);
	parent->release = release_parent;
	parent_released = false;
	ASSERT_STATUS(test, VmbChannelAllocate(parent, FALSE, &channel), STATUS_SUCCESS);
	put_device(parent);
	packet = VmbPacketAllocate(channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_EXPECT_FALSE(test, parent_released);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_TRUE(test, parent_released);
	local_bh_disable();
	VmbPacketFree(packet);
	local_bh_enable();
}

static struct kunit_case packet_cases[] = {
	KUNIT_CASE(a_packet_is_larger_than_its_payload_and_a_pointer),
	KUNIT_CASE(initialize_wants_as_many_bytes_as_sizeof_says),
	KUNIT_CASE(initialize_that_fails_does_not_touch_the_memory),
	KUNIT_CASE(initialize_refuses_bad_handles),
	KUNIT_CASE(nothing_beyond_the_packet_is_ever_written),
	KUNIT_CASE(pointer_and_channel_of_a_packet_are_kept),
	KUNIT_CASE(a_send_without_a_completion_routine_is_an_error),
	KUNIT_CASE(send_checks_its_parameters),
	KUNIT_CASE(the_default_completion_frees_the_packet),
	KUNIT_CASE(free_leaves_a_packet_alone_that_is_under_way),
	KUNIT_CASE(free_leaves_the_callers_own_packet_alone),
	KUNIT_CASE(a_packet_may_outlive_its_channel),
	KUNIT_CASE(packets_follow_a_change_of_the_packet_size),
	KUNIT_CASE(cleanup_lets_go_of_the_parent),
	{}
};

static struct kunit_suite packet_suite = {
	.name = "kmcl_packet",
	.test_cases = packet_cases,
};

kunit_test_suite(packet_suite);
