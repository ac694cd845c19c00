// SPDX-License-Identifier: GPL-2.0
/*
 * What a client has of its own with an outgoing packet: a completion routine with a
 * context, and bytes in the packet object.
 */
#include <linux/slab.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* A routine's context: what it was told. */
struct told {
	VMBPACKET packet;
	NTSTATUS status;
	u32 len;
	u64 first;
	u32 calls;
	bool again;		/* the routine is to send the packet once more */
	struct told *next;	/* ... with this for its context */
};

static struct told *told_create(struct kunit *test)
{
	struct told *told = kunit_kzalloc(test, sizeof(*told), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, told);
	return told;
}

static VOID routine_ex(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buffer,
		       UINT32 len)
{
	struct told *told = context;

	told->packet = packet;
	told->status = status;
	told->len = len;
	told->first = len >= 8 ? *(u64 *)buffer : 0;
	if (told->again) {
		told->again = false;
		VmbPacketSetCompletionRoutineEx(packet, told->next, routine_ex);
		VmbPacketSend(packet, "again...", 8, NULL, WAIT);
	}
	/* Pairs with the acquire in calls(): all has been noted. */
	smp_store_release(&told->calls, told->calls + 1);
}

static u32 calls(struct told *told)
{
	/* Pairs with the release above. */
	return smp_load_acquire(&told->calls);
}

static void a_routine_gets_its_context(struct kunit *test)
{
	struct told *told = told_create(test);
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);

	pair->server->echo = true;
	pair_up(pair);
	/* The packet has a routine of this form only. */
	VmbPacketSetCompletionRoutine(done->packet, NULL);
	VmbPacketSetCompletionRoutineEx(done->packet, told, routine_ex);
	ASSERT_STATUS(test, client_send(done, "question", 8, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, calls(told) == 1);
	EXPECT_STATUS(test, told->status, STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, told->packet, done->packet);
	KUNIT_EXPECT_EQ(test, told->len, 8);
	/* Without a completion it runs within the send. */
	ASSERT_STATUS(test, client_send(done, "question", 8, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, calls(told), 2);
	KUNIT_EXPECT_EQ(test, told->len, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
}

static void the_last_routine_registered_is_called(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);
	struct told *told = told_create(test), *other = told_create(test);

	pair_up(pair);
	VmbPacketSetCompletionRoutineEx(done->packet, other, routine_ex);
	VmbPacketSetCompletionRoutineEx(done->packet, told, routine_ex);
	/* To no packet. */
	VmbPacketSetCompletionRoutineEx(NULL, other, routine_ex);
	ASSERT_STATUS(test, client_send(done, "question", 8, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, calls(told), 1);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);

	VmbPacketSetCompletionRoutine(done->packet, client_routine);
	ASSERT_STATUS(test, client_send(done, "question", 8, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, calls(told), 1);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);

	VmbPacketSetCompletionRoutineEx(done->packet, told, routine_ex);
	ASSERT_STATUS(test, client_send(done, "question", 8, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, calls(told), 2);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	KUNIT_EXPECT_EQ(test, calls(other), 0);
}

static void without_a_routine_of_either_form_nothing_is_sent(struct kunit *test)
{
	struct told *told = told_create(test);
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);
	u32 i;

	pair_up(pair);
	for (i = 0; i < 4; i++) {
		VmbPacketSetCompletionRoutineEx(done->packet, told, routine_ex);
		if (i & 1)
			VmbPacketSetCompletionRoutine(done->packet, client_routine);
		if (i & 2)
			VmbPacketSetCompletionRoutineEx(done->packet, told, NULL);
		else
			VmbPacketSetCompletionRoutine(done->packet, NULL);
		EXPECT_STATUS(test, client_send(done, "question", 8, WAIT),
			      STATUS_INVALID_DEVICE_STATE);
	}
	KUNIT_EXPECT_EQ(test, client_calls(done) + calls(told), 0);
	KUNIT_EXPECT_EQ(test, client_sent(pair->client), 0);
}

static void a_routine_may_register_another_and_send_again(struct kunit *test)
{
	struct told *told[2] = { told_create(test), told_create(test) };
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);

	pair->server->echo = true;
	pair_up(pair);
	told[0]->again = true;
	told[0]->next = told[1];
	VmbPacketSetCompletionRoutineEx(done->packet, told[0], routine_ex);
	ASSERT_STATUS(test, client_send(done, "question", 8, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, calls(told[1]) == 1);
	KUNIT_EXPECT_EQ(test, calls(told[0]), 1);
	KUNIT_EXPECT_EQ(test, memcmp(&told[1]->first, "again...", 8), 0);
}

static void a_routine_with_a_context_runs_when_the_channel_goes(struct kunit *test)
{
	struct told *told = told_create(test);
	struct pair *pair = pair_create(test);
	VMBPACKET packet = VmbPacketAllocate(pair->client->channel);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	pair->server->keep = true;
	pair_up(pair);
	VmbPacketSetCompletionRoutineEx(packet, told, routine_ex);
	ASSERT_STATUS(test, VmbPacketSend(packet, "question", 8, NULL, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->server) == 1);
	VmbChannelDisable(pair->client->channel);
	KUNIT_EXPECT_EQ(test, calls(told), 1);
	EXPECT_STATUS(test, told->status, STATUS_DEVICE_REMOVED);
	VmbPacketFree(packet);
}

/* Packets are given out anew, also those that had a routine of this form. */
static void the_default_routine_and_requests_are_as_before(struct kunit *test)
{
	struct told *told = told_create(test);
	struct pair *pair = pair_create(test);
	VMBPACKET packet = VmbPacketAllocate(pair->client->channel), other;
	u64 answer = 0;
	UINT32 size = 8;

	KUNIT_ASSERT_NOT_NULL(test, packet);
	pair->server->echo = true;
	pair_up(pair);
	VmbPacketSetCompletionRoutineEx(packet, told, routine_ex);
	VmbPacketFree(packet);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(pair->client->channel, "question", 8,
							     NULL, WAIT, &answer, &size, NULL),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, memcmp(&answer, "question", 8), 0);
	other = VmbPacketAllocate(pair->client->channel);
	KUNIT_ASSERT_PTR_EQ(test, other, packet);
	EXPECT_STATUS(test, VmbPacketSend(other, "question", 8, NULL, 0), STATUS_SUCCESS);
	/* Its default routine has freed it. */
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketAllocate(pair->client->channel), packet);
	VmbPacketFree(packet);
	KUNIT_EXPECT_EQ(test, calls(told), 0);
}

/* Bytes of the client's own */

static void *own_bytes(struct kunit *test, VMBPACKET packet)
{
	void *bytes = VmbPacketGetInlinePacketContextPointer(packet);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	return bytes;
}

static const u32 own_sizes[] = { 1, 7, 8, 4096, 65536 };

static void a_packet_has_as_many_bytes_of_the_clients_as_were_asked_for(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	u32 i, size, plain = VmbChannelSizeofPacket(c);
	VMBPACKET packet;
	u8 *own;

	for (i = 0; i < ARRAY_SIZE(own_sizes); i++) {
		size = own_sizes[i];
		ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, size),
			      STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(c), plain + ALIGN(size, 8));
		packet = VmbPacketAllocate(c);
		KUNIT_ASSERT_NOT_NULL(test, packet);
		own = own_bytes(test, packet);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)own, 8));
		KUNIT_EXPECT_NULL(test, memchr_inv(own, 0, size));
		/* All of them are the packet's memory, as KASAN sees. */
		memset(own, 0xff, size);
		VmbPacketFree(packet);
		/* That packet is given out again, and has been made anew. */
		KUNIT_EXPECT_PTR_EQ(test, VmbPacketAllocate(c), packet);
		KUNIT_EXPECT_NULL(test, memchr_inv(own_bytes(test, packet), 0, size));
		VmbPacketFree(packet);
	}
}

static void by_default_a_packet_has_no_bytes_of_the_clients(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	u32 plain = VmbChannelSizeofPacket(c);
	VMBPACKET packet = VmbPacketAllocate(c);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_EXPECT_NULL(test, VmbPacketGetInlinePacketContextPointer(packet));
	VmbPacketFree(packet);
	KUNIT_EXPECT_NULL(test, VmbPacketGetInlinePacketContextPointer(NULL));
	ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, 64), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(c), plain);
}

static void more_than_64_kib_of_the_clients_are_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	u32 before;

	ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, 65536), STATUS_SUCCESS);
	before = VmbChannelSizeofPacket(c);
	EXPECT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, 65537),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, U32_MAX),
		      STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(c), before);
}

/* A packet keeps what it was made with, and a spare of another shape is not given out. */
static void a_packet_keeps_its_bytes_when_the_size_changes(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	VMBPACKET small, large;

	ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, 8), STATUS_SUCCESS);
	small = VmbPacketAllocate(c);
	KUNIT_ASSERT_NOT_NULL(test, small);
	memset(own_bytes(test, small), 0x11, 8);
	ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, 4096), STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, memchr_inv(own_bytes(test, small), 0x11, 8));
	VmbPacketFree(small);
	large = VmbPacketAllocate(c);
	KUNIT_ASSERT_NOT_NULL(test, large);
	memset(own_bytes(test, large), 0x22, 4096);
	VmbPacketFree(large);
}

static void the_clients_bytes_are_kept_over_sends(struct kunit *test)
{
	u32 n, len, most = PAIR_MAX_PACKET;
	u8 *payload = kunit_kmalloc(test, most, GFP_KERNEL);
	struct pair *pair = pair_create(test);
	struct client *client = pair->client;
	struct client_done *done;
	VMBPACKET packet;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	memset(payload, 0xff, most);
	ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(client->channel, 100),
		      STATUS_SUCCESS);
	done = client_packet(client);
	packet = VmbPacketAllocate(client->channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetPointer(packet, done);
	VmbPacketSetCompletionRoutine(packet, client_routine);
	memset(own_bytes(test, done->packet), 0x33, 100);
	memset(own_bytes(test, packet), 0x44, 100);
	pair->server->echo = true;
	/* At first they wait, which leaves the payload beside the client's bytes. */
	for (n = 0; n < 6; n++) {
		len = n & 1 ? most : most - 7;
		ASSERT_STATUS(test, client_send(done, payload, len, WAIT), STATUS_SUCCESS);
		ASSERT_STATUS(test, VmbPacketSend(packet, payload, len, NULL, WAIT),
			      STATUS_SUCCESS);
		if (!n)
			pair_up(pair);
		EVENTUALLY(test, client_calls(done) == 2 * n + 2);
		KUNIT_EXPECT_NULL(test, memchr_inv(own_bytes(test, done->packet), 0x33, 100));
		KUNIT_EXPECT_NULL(test, memchr_inv(own_bytes(test, packet), 0x44, 100));
	}
	VmbPacketFree(packet);
}

#define GUARD	64
#define GUARD_BYTE	0xa5

/*
 * A packet in memory with more behind what was asked for: none of that is touched by what
 * may become of a packet. With and without bytes of the client's.
 */
static void nothing_behind_a_packet_is_touched(struct kunit *test)
{
	static const u32 owns[] = { 0, 1, 13, 64 };
	u8 *payload = kunit_kmalloc(test, PAIR_MAX_PACKET, GFP_KERNEL);
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);
	PMDL mdl = IoAllocateMdl(page, 4096, FALSE, FALSE, NULL);
	struct pair *pair = pair_create(test);
	VMBCHANNEL c = pair->client->channel;
	struct client_done done = {};
	u8 *memory;
	u32 i, n, size;

	KUNIT_ASSERT_TRUE(test, payload && mdl);
	MmBuildMdlForNonPagedPool(mdl);
	memset(payload, 0xff, PAIR_MAX_PACKET);
	pair->server->echo = true;
	for (i = 0; i < ARRAY_SIZE(owns); i++) {
		ASSERT_STATUS(test, VmbChannelInitSetInlinePacketContextSize(c, owns[i]),
			      STATUS_SUCCESS);
		size = VmbChannelSizeofPacket(c);
		memory = kmalloc(size + GUARD, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, memory);
		memset(memory, GUARD_BYTE, size + GUARD);
		/* Half of it is behind ByteCount, half behind what is needed. */
		ASSERT_STATUS(test, VmbPacketInitialize(c, (VMBPACKET)memory, size + GUARD / 2),
			      STATUS_SUCCESS);
		VmbPacketSetPointer((VMBPACKET)memory, &done);
		VmbPacketSetCompletionRoutine((VMBPACKET)memory, client_routine);
		if (owns[i])
			memset(own_bytes(test, (VMBPACKET)memory), 0xff, owns[i]);
		for (n = 0; n < 5; n++) {
			atomic_set(&done.calls, 0);
			ASSERT_STATUS(test, VmbPacketSend((VMBPACKET)memory, payload,
							  PAIR_MAX_PACKET, n & 1 ? mdl : NULL,
							  WAIT), STATUS_SUCCESS);
			/* The first is queued, the last is over with the channel. */
			if (!n)
				pair_up(pair);
			if (n == 4)
				VmbChannelDisable(c);
			EVENTUALLY(test, client_calls(&done) == 1);
			KUNIT_EXPECT_NULL(test, memchr_inv(memory + size, GUARD_BYTE, GUARD));
		}
		kfree(memory);
		PAIR_EVENTS(pair->server, UP DOWN);
		VmbChannelDisable(pair->server->channel);
		pair->server->events[0] = 0;
		pair->client->events[0] = 0;
	}
	IoFreeMdl(mdl);
	free_page((unsigned long)page);
}

static struct kunit_case routine_cases[] = {
	KUNIT_CASE(a_routine_gets_its_context),
	KUNIT_CASE(the_last_routine_registered_is_called),
	KUNIT_CASE(without_a_routine_of_either_form_nothing_is_sent),
	KUNIT_CASE(a_routine_may_register_another_and_send_again),
	KUNIT_CASE(a_routine_with_a_context_runs_when_the_channel_goes),
	KUNIT_CASE(the_default_routine_and_requests_are_as_before),
	KUNIT_CASE(a_packet_has_as_many_bytes_of_the_clients_as_were_asked_for),
	KUNIT_CASE(by_default_a_packet_has_no_bytes_of_the_clients),
	KUNIT_CASE(more_than_64_kib_of_the_clients_are_refused),
	KUNIT_CASE(a_packet_keeps_its_bytes_when_the_size_changes),
	KUNIT_CASE(the_clients_bytes_are_kept_over_sends),
	KUNIT_CASE(nothing_behind_a_packet_is_touched),
	{}
};

static struct kunit_suite routine_suite = {
	.name = "kmcl_routine",
	.test_cases = routine_cases,
};

kunit_test_suite(routine_suite);
