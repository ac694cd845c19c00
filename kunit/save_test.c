// SPDX-License-Identifier: GPL-2.0
/* A server channel is saved, and another goes on with its client. */
#include <linux/crc32.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../core/save_format.h"
#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* What a save was written to, chunk by chunk. */
struct image {
	u8 *bytes;
	u32 len;
	u32 chunk[64];		/* where each begins */
	u32 chunks;
};

static struct image *image_create(struct kunit *test)
{
	struct image *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, image);
	image->bytes = kunit_kzalloc(test, 65536, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, image->bytes);
	return image;
}

/* What the server itself remembers of a packet. */
struct note {
	u64 number;
	char text[24];
};

static NTSTATUS save_note(VMBCHANNEL channel, VMBPACKET packet, PVOID buffer, UINT32 size,
			  PUINT32 needed)
{
	struct client_done *done = VmbPacketGetPointer(packet);
	struct note *note = buffer;

	*needed = sizeof(*note);
	if (size < sizeof(*note))
		return STATUS_BUFFER_TOO_SMALL;
	note->number = done->first;
	strscpy(note->text, "a server's own", sizeof(note->text));
	return STATUS_SUCCESS;
}

/* The packets that a restored server has got back. */
static struct client_done restored[16];
static u32 restored_count;
static NTSTATUS restore_status;
static bool restore_takes_packets;

static NTSTATUS restore_note(VMBCHANNEL channel, PVOID lib, UINT32 lib_size, PVOID buffer,
			     UINT32 size)
{
	struct client *server = VmbChannelGetPointer(channel);
	struct client_done *done = &restored[restored_count++];
	const struct note *note = buffer;

	KUNIT_EXPECT_EQ(server->test, size, sizeof(*note));
	KUNIT_EXPECT_STREQ(server->test, note->text, "a server's own");
	if (!restore_takes_packets)
		return restore_status;
	memset(done, 0, sizeof(*done));
	done->packet = VmbPacketAllocate(channel);
	if (!done->packet)
		return STATUS_INSUFFICIENT_RESOURCES;
	VmbPacketSetPointer(done->packet, done);
	VmbPacketSetCompletionRoutine(done->packet, client_routine);
	done->order = note->number;
	EXPECT_STATUS(server->test, VmbPacketRestore(done->packet, lib, lib_size),
		      STATUS_SUCCESS);
	/* A call of the callback restores one packet. */
	EXPECT_STATUS(server->test, VmbPacketRestore(done->packet, lib, lib_size),
		      STATUS_INVALID_DEVICE_STATE);
	return restore_status;
}

static void restored_free(void *unused)
{
	u32 i;

	for (i = 0; i < restored_count; i++)
		if (restored[i].packet && client_calls(&restored[i]))
			VmbPacketFree(restored[i].packet);
	memset(restored, 0, sizeof(restored));
	restored_count = 0;
}

/* No packet is restored yet, and the callback will succeed. */
static void expect_restores(struct kunit *test)
{
	restored_count = 0;
	restore_status = STATUS_SUCCESS;
	restore_takes_packets = true;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, restored_free, NULL), 0);
}

static void set_callbacks(struct client *server)
{
	ASSERT_STATUS(server->test,
		      VmbServerChannelInitSetSaveRestorePacketCallbacks(server->channel,
									save_note, restore_note),
		      STATUS_SUCCESS);
}

/* A pair that is up, its server paused. */
static struct pair *paused_pair(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	expect_restores(test);
	set_callbacks(pair->server);
	pair_up(pair);
	VmbChannelPause(pair->server->channel);
	return pair;
}

/* Saves in chunks of at most @size bytes, or more where one must be larger. */
static void save_in(struct client *server, struct image *image, u32 size)
{
	struct kunit *test = server->test;
	ULONG filled, needed = 0;
	NTSTATUS status;

	image->len = 0;
	image->chunks = 0;
	ASSERT_STATUS(test, VmbChannelSaveBegin(server->channel), STATUS_SUCCESS);
	do {
		u32 room = max_t(u32, size, needed);

		status = VmbChannelSaveContinue(server->channel, image->bytes + image->len, room,
						&filled, &needed);
		if (status == STATUS_BUFFER_TOO_SMALL) {
			KUNIT_EXPECT_EQ(test, filled, 0);
			KUNIT_ASSERT_GT(test, needed, room);
			continue;
		}
		KUNIT_ASSERT_GT(test, filled, 0);
		KUNIT_EXPECT_LE(test, filled, room);
		KUNIT_ASSERT_LT(test, image->chunks, ARRAY_SIZE(image->chunk));
		image->chunk[image->chunks++] = image->len;
		image->len += filled;
	} while (status == STATUS_BUFFER_OVERFLOW || status == STATUS_BUFFER_TOO_SMALL);
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, needed, 0);
	VmbChannelSaveEnd(server->channel);
}

static void save(struct client *server, struct image *image)
{
	save_in(server, image, 16384);
	KUNIT_EXPECT_EQ(server->test, image->chunks, 1);
}

static NTSTATUS restore(struct client *server, struct image *image)
{
	return VmbChannelRestoreFromBuffer(server->channel, image->bytes, image->len);
}

static struct client *successor(struct pair *pair)
{
	struct client *server = pair_new_server(pair);

	set_callbacks(server);
	return server;
}

/* A packet of the server's that its client has got, but not completed. */
static struct client_done *send_noted(struct client *server, u64 number, u32 flags)
{
	struct client_done *done = client_packet(server);

	done->first = number;
	ASSERT_STATUS(server->test, client_send(done, &number, 8, flags), STATUS_SUCCESS);
	return done;
}

static void a_client_does_not_notice_that_its_server_is_another(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	struct client_done *done = client_packet(pair->client);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	CLIENT_EXPECT(pair->server, UP DOWN);
	msleep(30);
	CLIENT_EXPECT(pair->client, UP);
	/* What the client sends meanwhile waits. */
	client_send(done, "question", 8, WAIT);

	next->echo = true;
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	PAIR_EVENTS(next, UP);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done->len, 8);
	CLIENT_EXPECT(pair->client, UP);
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(next, UP DOWN);
}

static void packets_under_way_are_completed_to_the_successor(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	struct client_done *old[2];
	u64 answer = 4711;

	pair->client->keep = true;
	old[0] = send_noted(pair->server, 1, WAIT);
	old[1] = send_noted(pair->server, 2, WAIT);
	EVENTUALLY(test, client_packets(pair->client) == 2);
	/* One packet is answered before the save, one after it. */
	client_complete(pair->client, 0, &answer, 8);
	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	EXPECT_STATUS(test, old[0]->status, STATUS_DEVICE_REMOVED);
	EXPECT_STATUS(test, old[1]->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, client_calls(old[0]) + client_calls(old[1]), 2);

	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, restored_count, 2);
	pair_enable(next);
	EVENTUALLY(test, client_calls(&restored[0]) + client_calls(&restored[1]) == 1);
	client_complete(pair->client, 1, &answer, 8);
	EVENTUALLY(test, client_calls(&restored[0]) + client_calls(&restored[1]) == 2);
	EXPECT_STATUS(test, restored[0].status, STATUS_SUCCESS);
	EXPECT_STATUS(test, restored[1].status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, restored[0].first, 4711);
	KUNIT_EXPECT_EQ(test, client_count(next, stray), 0);
	CLIENT_EXPECT(pair->client, UP);
}

#define WAITING	40

/* A server at rest, which has completed packets for which its ring has no room. */
static struct pair *pair_with_waiting_completions(struct kunit *test,
						  struct client_done **asked)
{
	struct pair *pair = pair_create(test);
	u8 *payload = kunit_kzalloc(test, PAIR_MAX_PACKET, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	expect_restores(test);
	set_callbacks(pair->server);
	pair->server->echo = true;
	pair_up(pair);
	VmbChannelPause(pair->client->channel);
	for (i = 0; i < WAITING; i++) {
		asked[i] = client_packet(pair->client);
		ASSERT_STATUS(test, client_send(asked[i], payload, 400, WAIT), STATUS_SUCCESS);
	}
	EVENTUALLY(test, client_packets(pair->server) == WAITING);
	VmbChannelPause(pair->server->channel);
	return pair;
}

static void what_waited_for_room_is_sent_by_the_successor(struct kunit *test)
{
	struct client_done *asked[WAITING];
	struct pair *pair = pair_with_waiting_completions(test, asked);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	u32 i, sent;

	/* Completions that wait, and behind them packets. */
	send_noted(pair->server, 100, 0);
	send_noted(pair->server, 101, WAIT);
	KUNIT_EXPECT_GT(test, client_count(pair->server, queued), 10);

	save(pair->server, image);
	sent = client_sent(pair->server);
	VmbChannelStart(pair->client->channel);
	msleep(50);
	/* What is saved as not sent is not sent. */
	KUNIT_EXPECT_EQ(test, client_sent(pair->server), sent);
	VmbChannelDisable(pair->server->channel);

	pair->client->echo = true;
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, restored_count, 2);
	pair_enable(next);
	for (i = 0; i < ARRAY_SIZE(asked); i++) {
		EVENTUALLY(test, client_calls(asked[i]) == 1);
		EXPECT_STATUS(test, asked[i]->status, STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, asked[i]->len, 400);
	}
	EVENTUALLY(test, client_packets(pair->client) == 2);
	KUNIT_EXPECT_EQ(test, pair->client->packets[0].first, 100);
	KUNIT_EXPECT_EQ(test, pair->client->packets[1].first, 101);
	EVENTUALLY(test, client_calls(&restored[0]) == 1 && client_calls(&restored[1]) == 1);
	EXPECT_STATUS(test, restored[1].status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, restored[1].first, 101);
}

/* While a packet blocks its callback, those behind it are read, not delivered. */
static struct completion *pausing;

static int pause_thread(void *data)
{
	struct client *end = data;

	VmbChannelPause(end->channel);
	complete(pausing);
	return 0;
}

static bool block_once(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	wait_for_completion_timeout(end->private, 10 * HZ);
	VmbChannelPacketComplete(handle, NULL, 0);
	return true;
}

static void what_was_read_but_not_delivered_comes_first(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	struct client_done *done = client_packet(pair->client);
	DECLARE_COMPLETION_ONSTACK(go_on);
	DECLARE_COMPLETION_ONSTACK(paused);
	PMDL mdl, theirs = NULL;
	u8 *bytes = kunit_kzalloc(test, 8192, GFP_KERNEL);
	u32 i;

	mdl = IoAllocateMdl(bytes, 5000, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	pair->server->on_packet = block_once;
	pair->server->private = &go_on;
	pausing = &paused;
	VmbChannelSetIncomingProcessingAtPassive(pair->server->channel, TRUE);
	pair_up(pair);
	/* While the first is processed, the others are put aside. */
	for (i = 0; i < 5; i++)
		pair_send(pair->client, i, 8 + 8 * i);
	EXPECT_STATUS(test, VmbPacketSend(done->packet, "external", 8, mdl, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_waiting(pair->server) == 6);
	kthread_run(pause_thread, pair->server, "kmcl_pause");
	EVENTUALLY(test, !client_receives(pair->server));
	complete(&go_on);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&paused, 10 * HZ), 0);
	KUNIT_EXPECT_EQ(test, client_packets(pair->server), 1);
	/* And the next packet is not even read. */
	pair_send(pair->client, 6, 8);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	next->keep = true;
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	EVENTUALLY(test, client_packets(next) == 6);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, next->packets[i].first, i + 1);
		KUNIT_EXPECT_EQ(test, next->packets[i].len, 16 + 8 * i);
	}
	KUNIT_EXPECT_EQ(test, next->packets[5].first, 6);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(next->packets[4].handle, 0, &theirs),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(theirs), 5000);
	KUNIT_EXPECT_EQ(test, MmGetMdlPfnArray(theirs)[0], MmGetMdlPfnArray(mdl)[0]);
	client_complete(next, 4, "answered", 8);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	IoFreeMdl(mdl);
}

/* A save of some variety: the channel, two packets. */
static struct pair *varied_pair(struct kunit *test)
{
	struct pair *pair = paused_pair(test);

	pair->client->keep = true;
	send_noted(pair->server, 1, WAIT);
	send_noted(pair->server, 2, WAIT);
	EVENTUALLY(test, client_packets(pair->client) == 2);
	return pair;
}

/* Restores into a server channel of its own, which is gone at the end. */
static void restore_chunks(struct pair *pair, struct client *as, struct image *image)
{
	NTSTATUS status = STATUS_MORE_PROCESSING_REQUIRED;
	struct kunit *test = pair->test;
	VMBCHANNEL channel;
	u32 i;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, TRUE, &channel), STATUS_SUCCESS);
	VmbChannelSetPointer(channel, as);
	VmbServerChannelInitSetTargetInterfaceId(channel, pair->type, pair->instance);
	VmbServerChannelInitSetSaveRestorePacketCallbacks(channel, save_note, restore_note);
	for (i = 0; i < image->chunks; i++) {
		u32 end = i + 1 < image->chunks ? image->chunk[i + 1] : image->len;

		EXPECT_STATUS(test, status, STATUS_MORE_PROCESSING_REQUIRED);
		status = VmbChannelRestoreFromBuffer(channel, image->bytes + image->chunk[i],
						     end - image->chunk[i]);
	}
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, restored_count, 2);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, client_calls(&restored[0]) + client_calls(&restored[1]), 2);
	restored_free(NULL);
}

static void buffers_of_every_size_will_do(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	u32 size, whole;

	save(pair->server, image);
	whole = image->len;
	for (size = 0; size <= whole + 16; size++) {
		save_in(pair->server, image, size);
		KUNIT_EXPECT_EQ(test, image->chunks == 1, size >= whole);
		restore_chunks(pair, pair->server, image);
	}
}

static void too_small_a_buffer_says_how_much_is_needed(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	VMBCHANNEL server = pair->server->channel;
	ULONG filled = 9, needed = 0, again = 0;
	u8 *buffer = kunit_kzalloc(test, 4096, GFP_KERNEL);

	ASSERT_STATUS(test, VmbChannelSaveBegin(server), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, NULL, 0, &filled, &needed),
		      STATUS_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, filled, 0);
	KUNIT_ASSERT_GT(test, needed, 0);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, needed - 1, &filled, &again),
		      STATUS_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, again, needed);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, needed, &filled, &again),
		      STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, filled, needed);
	KUNIT_EXPECT_GT(test, again, 0);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, 4096, &filled, NULL),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, filled, 0);
	/* There is no more to save. */
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, 4096, &filled, &needed),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, filled, 0);
	KUNIT_EXPECT_EQ(test, needed, 0);
	VmbChannelSaveEnd(server);
}

static void what_was_tampered_with_is_not_restored(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	u64 last_id;
	u32 i;

	save(pair->server, image);
	last_id = client_last_id(next);
	for (i = 0; i < image->len; i++) {
		NTSTATUS status;

		image->bytes[i] ^= 1 << (i & 7);
		status = restore(next, image);
		KUNIT_EXPECT_FALSE_MSG(test, NT_SUCCESS(status), "byte %u", i);
		KUNIT_EXPECT_NE(test, status, STATUS_MORE_PROCESSING_REQUIRED);
		image->bytes[i] ^= 1 << (i & 7);
	}
	for (i = 0; i < image->len; i++)
		EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(next->channel, image->bytes, i),
			      STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, restored_count, 0);
	KUNIT_EXPECT_EQ(test, client_last_id(next), last_id);
	/* Nothing is left of these attempts. */
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, restored_count, 2);
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_DEVICE_STATE);
}

/* Gives a chunk the checksum of what it holds now. */
static void seal(u8 *bytes)
{
	struct kmcl_save_chunk *chunk = (void *)bytes;

	chunk->crc = kmcl_save_crc(chunk, chunk->len, &chunk->crc);
}

static void a_foreign_or_newer_save_is_not_restored(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	struct kmcl_save_chunk *chunk = (void *)image->bytes;
	struct kmcl_save_record *rec = (void *)(chunk + 1);
	struct kmcl_save_channel *channel = (void *)(rec + 1);
	GUID instance = pair->instance;

	save(pair->server, image);
	chunk->version++;
	seal(image->bytes);
	EXPECT_STATUS(test, restore(next, image), STATUS_REVISION_MISMATCH);
	chunk->version--;
	chunk->magic++;
	seal(image->bytes);
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_PARAMETER_2);
	chunk->magic--;
	channel->pipe = 1;
	seal(image->bytes);
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_PARAMETER_2);
	channel->pipe = 0;
	rec->len += 8;
	seal(image->bytes);
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_PARAMETER_2);
	rec->len -= 8;
	rec->type = KMCL_SAVE_COMPLETION;
	seal(image->bytes);
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_PARAMETER_2);
	rec->type = KMCL_SAVE_CHANNEL;
	seal(image->bytes);
	/* Bytes behind the last chunk; another offer. */
	image->len += 8;
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_PARAMETER_3);
	image->len -= 8;
	instance.Data1++;
	ASSERT_STATUS(test, VmbServerChannelInitSetTargetInterfaceId(next->channel, pair->type,
								     instance), STATUS_SUCCESS);
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, restored_count, 0);
	ASSERT_STATUS(test, VmbServerChannelInitSetTargetInterfaceId(next->channel, pair->type,
								     pair->instance),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
}

static void chunks_come_in_order_and_of_one_save(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test), *other = image_create(test);
	struct client *next = successor(pair);
	VMBCHANNEL channel = next->channel;
	u32 one;

	save_in(pair->server, image, 0);
	save_in(pair->server, other, 0);
	KUNIT_ASSERT_GT(test, image->chunks, 2);
	one = image->chunk[1];
	/* The second first; the first twice; the second of another save. */
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(channel, image->bytes + one,
							image->len - one),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(channel, image->bytes, one),
		      STATUS_MORE_PROCESSING_REQUIRED);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(channel, image->bytes, one),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(channel, image->bytes, one),
		      STATUS_MORE_PROCESSING_REQUIRED);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(channel, other->bytes + one,
							other->len - one),
		      STATUS_INVALID_PARAMETER_2);
	/* Several at once. */
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, restored_count, 2);
}

static void a_callback_that_fails_leaves_nothing_restored(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);

	save(pair->server, image);
	restore_status = STATUS_UNSUCCESSFUL;
	EXPECT_STATUS(test, restore(next, image), STATUS_UNSUCCESSFUL);
	KUNIT_ASSERT_EQ(test, restored_count, 1);
	KUNIT_EXPECT_EQ(test, client_calls(&restored[0]), 1);
	EXPECT_STATUS(test, restored[0].status, STATUS_DEVICE_REMOVED);
	restored_free(NULL);

	/* A server without a callback could make no packets. */
	VmbServerChannelInitSetSaveRestorePacketCallbacks(next->channel, NULL, NULL);
	EXPECT_STATUS(test, restore(next, image), STATUS_INVALID_DEVICE_STATE);
	set_callbacks(next);
	restore_status = STATUS_SUCCESS;
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
}

static void a_packet_that_the_successor_drops_is_late_not_stray(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	restore_takes_packets = false;
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	restored_count = 0;
	pair_enable(next);
	PAIR_EVENTS(next, UP);
	client_complete(pair->client, 0, NULL, 0);
	client_complete(pair->client, 1, NULL, 0);
	EVENTUALLY(test, client_count(next, late) == 2);
	KUNIT_EXPECT_EQ(test, client_count(next, stray), 0);
}

static void a_packet_is_restored_in_the_callback_only(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	u64 bytes[8] = {};
	VMBPACKET packet = VmbPacketAllocate(pair->server->channel);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	EXPECT_STATUS(test, VmbPacketRestore(NULL, bytes, 64), STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbPacketRestore(packet, bytes, 64), STATUS_INVALID_DEVICE_STATE);
	VmbPacketFree(packet);
}

static void a_client_that_left_meanwhile_takes_its_packets_along(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	pair->client->keep = false;
	client_complete(pair->client, 0, NULL, 0);
	client_complete(pair->client, 1, NULL, 0);
	VmbChannelDisable(pair->client->channel);
	CLIENT_EXPECT(pair->client, UP DOWN);

	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	EVENTUALLY(test, client_calls(&restored[0]) == 1 && client_calls(&restored[1]) == 1);
	EXPECT_STATUS(test, restored[0].status, STATUS_DEVICE_REMOVED);
	/* The offer is one like others. */
	pair_enable(pair->client);
	PAIR_EVENTS(next, UP);
	PAIR_EVENTS(pair->client, UP DOWN UP);
}

static void a_successor_may_refuse_the_client(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	pair->client->keep = false;
	client_complete(pair->client, 0, NULL, 0);
	client_complete(pair->client, 1, NULL, 0);
	next->opened_status = STATUS_UNSUCCESSFUL;
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	PAIR_EVENTS(pair->client, UP DOWN);
	EVENTUALLY(test, client_calls(&restored[0]) == 1 && client_calls(&restored[1]) == 1);
	EXPECT_STATUS(test, restored[1].status, STATUS_DEVICE_REMOVED);
	next->opened_status = STATUS_SUCCESS;
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
}

/* Completions that the restored server has yet to send hold what an opening needs. */
static void a_successor_with_much_to_send_may_refuse_the_client(struct kunit *test)
{
	struct client_done *asked[WAITING];
	struct pair *pair = pair_with_waiting_completions(test, asked);
	struct image *image = image_create(test);
	struct client *next = successor(pair);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);

	next->opened_status = STATUS_UNSUCCESSFUL;
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	EVENTUALLY(test, client_calls(asked[WAITING - 1]) == 1);
	EXPECT_STATUS(test, asked[WAITING - 1]->status, STATUS_DEVICE_REMOVED);
	VmbChannelDisable(next->channel);
	KUNIT_EXPECT_EQ(test, client_held(next), 0);
}

/* Started and saved again, the server has gone on from what the first save tells. */
static void an_older_save_is_not_resumed(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	struct image *old = image_create(test), *image = image_create(test);
	struct client *next = successor(pair);

	save(pair->server, old);
	VmbChannelStart(pair->server->channel);
	PAIR_EVENTS(pair->server, UP "suspend started post-started ");
	VmbChannelPause(pair->server->channel);
	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	EXPECT_STATUS(test, restore(next, old), STATUS_SUCCESS);
	pair_enable(next);
	/* The client is told to leave, as for any other server. */
	PAIR_EVENTS(pair->client, UP DOWN);
}

static void what_is_sent_before_the_restore_gets_its_own_answer(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	struct client_done *fresh;
	u64 value = 77, answer = 4711;

	pair->client->keep = true;
	send_noted(pair->server, 1, WAIT);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	fresh = client_packet(next);
	EXPECT_STATUS(test, client_send(fresh, &value, 8, WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	EVENTUALLY(test, client_packets(pair->client) == 2);

	client_complete(pair->client, 0, &answer, 8);
	EVENTUALLY(test, client_calls(&restored[0]) == 1);
	KUNIT_EXPECT_EQ(test, client_calls(fresh), 0);
	client_complete(pair->client, 1, &answer, 8);
	EVENTUALLY(test, client_calls(fresh) == 1);
}

static void another_server_ends_what_was_left(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	struct image *image = image_create(test);
	struct client *stranger = pair_new_server(pair);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	pair_enable(stranger);
	PAIR_EVENTS(pair->client, UP DOWN);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	PAIR_EVENTS(stranger, UP);
}

static void a_save_serves_once(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair), *later = successor(pair);

	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	PAIR_EVENTS(next, UP);
	VmbChannelPause(next->channel);
	/* The server is saved again, but restored from the old save. */
	save_in(next, image_create(test), 16384);
	VmbChannelDisable(next->channel);
	CLIENT_EXPECT(pair->client, UP);
	EXPECT_STATUS(test, restore(later, image), STATUS_SUCCESS);
	pair_enable(later);
	PAIR_EVENTS(pair->client, UP DOWN);
}

static void a_server_that_is_started_again_goes_on_itself(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);

	save(pair->server, image);
	pair_send(pair->server, 7, 8);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_packets(pair->client), 2);
	VmbChannelStart(pair->server->channel);
	EVENTUALLY(test, client_packets(pair->client) == 3);
	/* The client is not left to a successor any more. */
	pair->client->keep = false;
	client_complete(pair->client, 0, NULL, 0);
	client_complete(pair->client, 1, NULL, 0);
	client_complete(pair->client, 2, NULL, 0);
	VmbChannelDisable(pair->server->channel);
	PAIR_EVENTS(pair->client, UP DOWN);
}

static void a_save_that_was_not_finished_counts_for_nothing(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	VMBCHANNEL server = pair->server->channel;
	u8 *buffer = kunit_kzalloc(test, 4096, GFP_KERNEL);
	ULONG filled, needed;

	ASSERT_STATUS(test, VmbChannelSaveBegin(server), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelSaveBegin(server), STATUS_INVALID_DEVICE_STATE);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, NULL, 0, &filled, &needed),
		      STATUS_BUFFER_TOO_SMALL);
	pair_send(pair->server, 7, 8);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_packets(pair->client), 2);
	VmbChannelSaveEnd(server);
	EVENTUALLY(test, client_packets(pair->client) == 3);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, 4096, &filled, &needed),
		      STATUS_INVALID_DEVICE_STATE);
	/* The channel is started in the middle of a save. */
	ASSERT_STATUS(test, VmbChannelSaveBegin(server), STATUS_SUCCESS);
	VmbChannelStart(server);
	EVENTUALLY(test, pair->server->last_state == CLIENT_POST_STARTED);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, 4096, &filled, &needed),
		      STATUS_INVALID_DEVICE_STATE);
	VmbChannelSaveEnd(server);
	VmbChannelSaveEnd(server);
}

static void a_restore_that_was_not_finished_is_forgotten_when_enabled(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test), *again = image_create(test);
	struct client *next = successor(pair);

	save_in(pair->server, image, 64);
	KUNIT_ASSERT_GT(test, image->chunks, 1);
	pair->client->keep = false;
	client_complete(pair->client, 0, NULL, 0);
	client_complete(pair->client, 1, NULL, 0);
	VmbChannelDisable(pair->client->channel);
	VmbChannelDisable(pair->server->channel);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(next->channel, image->bytes,
							image->chunk[1]),
		      STATUS_MORE_PROCESSING_REQUIRED);
	pair_enable(next);
	VmbChannelPause(next->channel);
	save(next, again);
	VmbChannelDisable(next->channel);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(next->channel, image->bytes,
							image->chunk[1]),
		      STATUS_MORE_PROCESSING_REQUIRED);
}

static void a_client_may_leave_during_a_save(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	VMBCHANNEL server = pair->server->channel;
	u8 *buffer = kunit_kzalloc(test, 4096, GFP_KERNEL);
	ULONG filled, needed;

	ASSERT_STATUS(test, VmbChannelSaveBegin(server), STATUS_SUCCESS);
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(pair->server, UP DOWN);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, 4096, &filled, &needed),
		      STATUS_INVALID_DEVICE_STATE);
	VmbChannelSaveEnd(server);
	VmbChannelStart(server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	pair_send(pair->server, 1, 8);
	EVENTUALLY(test, client_packets(pair->client) == 1);
}

static void saving_is_for_servers_at_rest(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	VMBCHANNEL server = pair->server->channel, client = pair->client->channel;
	u64 buffer[64];
	ULONG filled, needed;

	pair_up(pair);
	EXPECT_STATUS(test, VmbChannelSaveBegin(NULL), STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelSaveBegin(client), STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelSaveBegin(server), STATUS_INVALID_DEVICE_STATE);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, 512, &filled, &needed),
		      STATUS_INVALID_DEVICE_STATE);
	EXPECT_STATUS(test, VmbChannelSaveContinue(client, buffer, 512, &filled, &needed),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, NULL, 512, &filled, &needed),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, (u8 *)buffer + 4, 500, &filled,
						   &needed), STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelSaveContinue(server, buffer, 512, NULL, &needed),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(server, buffer, 512),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(client, buffer, 512),
		      STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(server);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(server, NULL, 0),
		      STATUS_INVALID_PARAMETER_2);
	VmbChannelSaveEnd(client);
}

static void a_server_without_a_client_can_be_saved(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);

	pair_enable(pair->server);
	/* A client that came would start it. */
	EXPECT_STATUS(test, VmbChannelSaveBegin(pair->server->channel),
		      STATUS_INVALID_DEVICE_STATE);
	VmbChannelPause(pair->server->channel);
	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	pair_enable(pair->client);
	PAIR_EVENTS(next, UP);
	PAIR_EVENTS(pair->client, UP);
}

static void disable_ends_what_a_save_without_a_client_kept_back(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct image *image = image_create(test);

	pair_enable(pair->server);
	VmbChannelPause(pair->server->channel);
	save(pair->server, image);
	VmbChannelDisable(pair->server->channel);
	pair_enable(pair->server);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP);
	/* Paused as it still is, the server may send. */
	pair_send(pair->server, 1, 8);
	EVENTUALLY(test, client_packets(pair->client) == 1);
}

static void send_once_more(struct client_done *done)
{
	u64 again = 4712;

	done->again = NULL;
	client_send(done, &again, 8, 0);
}

static void a_client_that_comes_after_the_save_gets_nothing_of_it(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	struct client_done *done;

	expect_restores(test);
	set_callbacks(pair->server);
	pair_enable(pair->server);
	VmbChannelPause(pair->server->channel);
	done = send_noted(pair->server, 4711, 0);
	save(pair->server, image);

	pair_enable(pair->client);
	PAIR_EVENTS(pair->server, "opened ");
	PAIR_EVENTS(pair->client, UP);
	msleep(30);
	KUNIT_EXPECT_EQ(test, client_packets(pair->client), 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
	/* Nor does the next client, also of what is sent once more. */
	done->again = send_once_more;
	VmbChannelDisable(pair->client->channel);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	msleep(30);
	KUNIT_EXPECT_EQ(test, client_packets(pair->client), 0);
	VmbChannelDisable(pair->server->channel);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
	/* The client was no part of the save, so it is not left waiting. */
	PAIR_EVENTS(pair->client, UP DOWN UP DOWN);

	EXPECT_STATUS(test, restore(next, image), STATUS_SUCCESS);
	pair_enable(next);
	pair_enable(pair->client);
	EVENTUALLY(test, client_calls(&restored[0]) == 1);
	EXPECT_STATUS(test, restored[0].status, STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	KUNIT_EXPECT_EQ(test, pair->client->packets[0].first, 4711);
}

static void memory_under_way_is_not_saved(struct kunit *test)
{
	struct pair *pair = paused_pair(test);
	VMBCHANNEL server = pair->server->channel;
	struct client_done *done = client_packet(pair->server);
	u8 *bytes = kunit_kzalloc(test, 64, GFP_KERNEL);
	PMDL mdl = IoAllocateMdl(bytes, 64, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	pair->client->keep = true;
	EXPECT_STATUS(test, VmbPacketSend(done->packet, "external", 8, mdl, WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelSaveBegin(server), STATUS_DEVICE_BUSY);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	client_complete(pair->client, 0, NULL, 0);
	VmbChannelStart(server);
	EVENTUALLY(test, client_calls(done) == 1);
	IoFreeMdl(mdl);
}

static NTSTATUS refuse_to_save(VMBCHANNEL channel, VMBPACKET packet, PVOID buffer, UINT32 size,
			       PUINT32 needed)
{
	*needed = 8;
	return size ? STATUS_ACCESS_DENIED : STATUS_BUFFER_TOO_SMALL;
}

static void a_save_callback_that_fails_ends_the_save(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client_done *done;

	ASSERT_STATUS(test,
		      VmbServerChannelInitSetSaveRestorePacketCallbacks(pair->server->channel,
									refuse_to_save, NULL),
		      STATUS_SUCCESS);
	pair->client->keep = true;
	pair_up(pair);
	VmbChannelPause(pair->server->channel);
	done = send_noted(pair->server, 1, WAIT);
	EXPECT_STATUS(test, VmbChannelSaveBegin(pair->server->channel), STATUS_ACCESS_DENIED);
	/* The channel goes on as if there had been no save. */
	pair_send(pair->server, 2, 8);
	EVENTUALLY(test, client_packets(pair->client) == 2);
	client_complete(pair->client, 0, NULL, 0);
	client_complete(pair->client, 1, NULL, 0);
	VmbChannelStart(pair->server->channel);
	EVENTUALLY(test, client_calls(done) == 1);
}

/* Makes the @nth allocation of @call fail; false: it made fewer. */
#define WITH_FAILURE(nth, call) ({					\
	current->fail_nth = (nth);					\
	call;								\
	bool __hit = !current->fail_nth;				\
									\
	current->fail_nth = 0;						\
	__hit;								\
})

static void saving_and_restoring_survive_without_memory(struct kunit *test)
{
	struct pair *pair = varied_pair(test);
	struct image *image = image_create(test);
	struct client *next = successor(pair);
	u32 nth, failures = 0;
	NTSTATUS status;
	bool more = true;

	for (nth = 1; more; nth++) {
		more = WITH_FAILURE(nth, status = VmbChannelSaveBegin(pair->server->channel));
		if (status)
			EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
		failures += !!status;
		VmbChannelSaveEnd(pair->server->channel);
	}
	KUNIT_EXPECT_GT(test, failures, 4);

	save(pair->server, image);
	failures = 0;
	for (nth = 1, more = true; more; nth++) {
		more = WITH_FAILURE(nth, status = restore(next, image));
		if (!status)
			break;
		EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
		failures++;
		restored_free(NULL);
	}
	KUNIT_EXPECT_GT(test, failures, 0);
}

static struct kunit_case save_cases[] = {
	KUNIT_CASE(a_client_does_not_notice_that_its_server_is_another),
	KUNIT_CASE(packets_under_way_are_completed_to_the_successor),
	KUNIT_CASE(what_waited_for_room_is_sent_by_the_successor),
	KUNIT_CASE(what_was_read_but_not_delivered_comes_first),
	KUNIT_CASE(buffers_of_every_size_will_do),
	KUNIT_CASE(too_small_a_buffer_says_how_much_is_needed),
	KUNIT_CASE(what_was_tampered_with_is_not_restored),
	KUNIT_CASE(a_foreign_or_newer_save_is_not_restored),
	KUNIT_CASE(chunks_come_in_order_and_of_one_save),
	KUNIT_CASE(a_callback_that_fails_leaves_nothing_restored),
	KUNIT_CASE(a_packet_that_the_successor_drops_is_late_not_stray),
	KUNIT_CASE(a_packet_is_restored_in_the_callback_only),
	KUNIT_CASE(a_client_that_left_meanwhile_takes_its_packets_along),
	KUNIT_CASE(a_successor_may_refuse_the_client),
	KUNIT_CASE(a_successor_with_much_to_send_may_refuse_the_client),
	KUNIT_CASE(an_older_save_is_not_resumed),
	KUNIT_CASE(what_is_sent_before_the_restore_gets_its_own_answer),
	KUNIT_CASE(another_server_ends_what_was_left),
	KUNIT_CASE(a_save_serves_once),
	KUNIT_CASE(a_server_that_is_started_again_goes_on_itself),
	KUNIT_CASE(a_save_that_was_not_finished_counts_for_nothing),
	KUNIT_CASE(a_client_may_leave_during_a_save),
	KUNIT_CASE(saving_is_for_servers_at_rest),
	KUNIT_CASE(a_server_without_a_client_can_be_saved),
	KUNIT_CASE(a_client_that_comes_after_the_save_gets_nothing_of_it),
	KUNIT_CASE(disable_ends_what_a_save_without_a_client_kept_back),
	KUNIT_CASE(a_restore_that_was_not_finished_is_forgotten_when_enabled),
	KUNIT_CASE(memory_under_way_is_not_saved),
	KUNIT_CASE(a_save_callback_that_fails_ends_the_save),
	KUNIT_CASE(saving_and_restoring_survive_without_memory),
	{}
};

static struct kunit_suite save_suite = {
	.name = "kmcl_save",
	.test_cases = save_cases,
};

kunit_test_suite(save_suite);
