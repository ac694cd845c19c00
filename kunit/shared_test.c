// SPDX-License-Identifier: GPL-2.0
/* Memory of one end in the other's hands: external data and GPADLs, on loopback. */
#include <linux/bottom_half.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
#define DATA_READ_ONLY	VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY

#define ENDS_SOON(test, done) \
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(done, 10 * HZ), 0)

/* A buffer whose pages are nowhere near each other, and its MDL. */
struct buffer {
	u8 *bytes;
	u32 len;
	PMDL mdl;
};

static void buffer_free(void *data)
{
	struct buffer *buffer = data;

	if (buffer->mdl)
		IoFreeMdl(buffer->mdl);
	vfree(buffer->bytes);
	kfree(buffer);
}

static struct buffer *buffer_create(struct kunit *test, u32 offset, u32 len)
{
	struct buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL | __GFP_NOFAIL);

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, buffer_free, buffer), 0);
	buffer->bytes = vmalloc(offset + len);
	KUNIT_ASSERT_NOT_NULL(test, buffer->bytes);
	buffer->len = len;
	pair_fill(buffer->bytes + offset, len, len);
	buffer->mdl = IoAllocateMdl(buffer->bytes + offset, len, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, buffer->mdl);
	MmBuildMdlForNonPagedPool(buffer->mdl);
	return buffer;
}

/* Which end sends: a case for each. */
static const char * const directions[] = { "client to server", "server to client" };

static void direction_desc(const char * const *direction, char *desc)
{
	strscpy(desc, *direction, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(direction, directions, direction_desc);

static struct pair *pair_for(struct kunit *test, struct client **from, struct client **to)
{
	struct pair *pair = pair_create(test);
	bool up = test->param_value == directions;

	*from = up ? pair->client : pair->server;
	*to = up ? pair->server : pair->client;
	(*to)->keep = true;
	VmbChannelSetIncomingProcessingAtPassive((*to)->channel, TRUE);
	return pair;
}

static void send_memory(struct kunit *test, struct client_done *done, PMDL mdl)
{
	EXPECT_STATUS(test, VmbPacketSend(done->packet, "12345678", 8, mdl, WAIT),
		      STATUS_SUCCESS);
}

/* The memory of the @n-th packet that an end holds. */
static PMDL memory_of(struct client *end, u32 n, u32 flags)
{
	PMDL mdl = NULL;

	EXPECT_STATUS(end->test,
		      VmbChannelPacketGetExternalData(end->packets[n].handle, flags, &mdl),
		      STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(end->test, mdl);
	return mdl;
}

static void external_data_is_the_senders_own_memory(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 100, 3 * 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	u8 *there;
	PMDL mdl;

	pair_up(pair);
	send_memory(test, done, buffer->mdl);
	EVENTUALLY(test, client_packets(to) == 1);
	KUNIT_EXPECT_EQ(test, to->packets[0].flags,
			VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA);
	KUNIT_EXPECT_EQ(test, to->packets[0].len, 8);

	mdl = memory_of(to, 0, 0);
	KUNIT_EXPECT_NULL(test, mdl->Next);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 3 * 4096);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), 100);
	/* Locked, without an address. */
	KUNIT_EXPECT_TRUE(test, mdl->MdlFlags & MDL_PAGES_LOCKED);
	KUNIT_EXPECT_FALSE(test, mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA |
						  MDL_SOURCE_IS_NONPAGED_POOL));
	there = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, there);
	KUNIT_EXPECT_TRUE(test, pair_filled(there, 3 * 4096, 3 * 4096));
	there[3 * 4096 - 1] ^= 0xff;
	there[0] ^= 0xff;

	/* The mapping is the library's to undo. */
	client_complete(to, 0, NULL, 0);
	EVENTUALLY(test, client_calls(done) == 1);
	KUNIT_EXPECT_FALSE(test, pair_filled(buffer->bytes + 100, 3 * 4096, 1));
	buffer->bytes[100] ^= 0xff;
	KUNIT_EXPECT_TRUE(test, pair_filled(buffer->bytes + 100, 3 * 4096, 3 * 4096 - 1));
	KUNIT_EXPECT_FALSE(test, pair_filled(buffer->bytes + 100, 3 * 4096, 3 * 4096));
}

static void a_chain_stays_a_chain(struct kunit *test)
{
	struct buffer *one = buffer_create(test, 8, 5000), *two = buffer_create(test, 4000, 100);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	PMDL mdl;

	one->mdl->Next = two->mdl;
	pair_up(pair);
	send_memory(test, done, one->mdl);
	EVENTUALLY(test, client_packets(to) == 1);
	mdl = memory_of(to, 0, DATA_READ_ONLY);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 5000);
	KUNIT_EXPECT_TRUE(test,
			  pair_filled(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
				      5000, 5000));
	mdl = mdl->Next;
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 100);
	KUNIT_EXPECT_TRUE(test,
			  pair_filled(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
				      100, 100));
	KUNIT_EXPECT_NULL(test, mdl->Next);
	client_complete(to, 0, NULL, 0);
	EVENTUALLY(test, client_calls(done) == 1);
}

static void pages_by_number_arrive_as_memory(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 2 * 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	PMDL mdl;

	pair_up(pair);
	EXPECT_STATUS(test,
		      VmbPacketSendWithExternalPfns(done->packet, NULL, 0,
						    MmGetMdlPfnArray(buffer->mdl), 2, WAIT),
		      STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(to) == 1);
	KUNIT_EXPECT_EQ(test, to->packets[0].len, 0);
	mdl = memory_of(to, 0, 0);
	KUNIT_EXPECT_TRUE(test,
			  pair_filled(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
				      8192, 8192));
	client_complete(to, 0, NULL, 0);
	EVENTUALLY(test, client_calls(done) == 1);
}

/* Frames of both pages of a buffer, which are not consecutive wherever it lies. */
static void send_scattered(struct kunit *test, struct client_done *done,
			   struct buffer *buffer)
{
	PFN_NUMBER pfns[2];

	frames_apart(pfns, buffer->bytes, buffer->bytes + PAGE_SIZE);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(done->packet, NULL, 0, pfns,
							  ARRAY_SIZE(pfns), WAIT),
		      STATUS_SUCCESS);
}

struct asked {
	KSPIN_LOCK lock;
	u32 n;
	NTSTATUS status[3];
};

static bool ask_under_a_lock(struct client *end, VMBPACKETCOMPLETION handle, void *buffer,
			     u32 len)
{
	struct asked *asked = end->private;
	NTSTATUS status;
	KIRQL irql;
	PMDL mdl;

	KeAcquireSpinLock(&asked->lock, &irql);
	status = VmbChannelPacketGetExternalData(handle, 0, &mdl);
	KeReleaseSpinLock(&asked->lock, irql);
	if (asked->n < ARRAY_SIZE(asked->status))
		asked->status[asked->n++] = status;
	if (status != STATUS_PENDING)
		VmbChannelPacketComplete(handle, NULL, 0);
	return true;
}

/* At PASSIVE_LEVEL it can be mapped; a callback with a lock held gets it even so. */
static void scattered_memory_comes_again_at_passive_once(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 2 * PAGE_SIZE);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	struct asked asked = {};

	KeInitializeSpinLock(&asked.lock);
	to->keep = false;
	to->on_packet = ask_under_a_lock;
	to->private = &asked;
	VmbChannelSetIncomingProcessingAtPassive(to->channel, FALSE);
	pair_up(pair);
	send_scattered(test, done, buffer);
	EVENTUALLY(test, client_calls(done) == 1);
	KUNIT_EXPECT_EQ(test, asked.n, 2);
	EXPECT_STATUS(test, asked.status[0], STATUS_PENDING);
	EXPECT_STATUS(test, asked.status[1], STATUS_SUCCESS);
	VmbChannelDisable(to->channel);
}

/* Another thread asks while the callback runs, and at DISPATCH_LEVEL as well. */
static struct {
	VMBPACKETCOMPLETION handle;
	NTSTATUS status;
	struct completion asked;
} elsewhere;

static int ask_elsewhere(void *unused)
{
	PMDL mdl;

	local_bh_disable();
	elsewhere.status = VmbChannelPacketGetExternalData(elsewhere.handle, 0, &mdl);
	local_bh_enable();
	complete(&elsewhere.asked);
	return 0;
}

static bool have_it_asked_elsewhere(struct client *end, VMBPACKETCOMPLETION handle,
				    void *buffer, u32 len)
{
	elsewhere.handle = handle;
	wake_up_process(end->private);
	wait_for_completion_timeout(&elsewhere.asked, 10 * HZ);
	VmbChannelPacketComplete(handle, NULL, 0);
	return true;
}

/* Only its callback can put a packet off: another thread would not give it back. */
static void another_thread_is_not_put_off(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 2 * PAGE_SIZE);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);

	init_completion(&elsewhere.asked);
	to->private = kthread_create(ask_elsewhere, NULL, "kmcl_asks");
	KUNIT_ASSERT_FALSE(test, IS_ERR(to->private));
	to->keep = false;
	to->on_packet = have_it_asked_elsewhere;
	pair_up(pair);
	send_scattered(test, done, buffer);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, elsewhere.status, STATUS_SUCCESS);
	VmbChannelDisable(to->channel);
}

static void asking_again_gives_the_same_memory(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	PMDL mdl;

	pair_up(pair);
	send_memory(test, done, buffer->mdl);
	EVENTUALLY(test, client_packets(to) == 1);
	mdl = memory_of(to, 0, DATA_READ_ONLY);
	KUNIT_EXPECT_FALSE(test, mdl->MdlFlags & MDL_WRITE_OPERATION);
	KUNIT_EXPECT_PTR_EQ(test, memory_of(to, 0, DATA_READ_ONLY), mdl);
	KUNIT_EXPECT_FALSE(test, mdl->MdlFlags & MDL_WRITE_OPERATION);
	KUNIT_EXPECT_PTR_EQ(test, memory_of(to, 0, 0), mdl);
	KUNIT_EXPECT_TRUE(test, mdl->MdlFlags & MDL_WRITE_OPERATION);
	client_complete(to, 0, NULL, 0);
}

static void asking_for_memory_checks_its_parameters(struct kunit *test)
{
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	PMDL mdl = NULL;

	pair_up(pair);
	pair_send(from, 1, 8);
	EVENTUALLY(test, client_packets(to) == 1);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(NULL, 0, &mdl),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(to->packets[0].handle, 2, &mdl),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(to->packets[0].handle, 0, NULL),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(to->packets[0].handle, 0, &mdl),
		      STATUS_NOT_FOUND);
	KUNIT_EXPECT_NULL(test, mdl);
	client_complete(to, 0, NULL, 0);
}

static void memory_above_the_receivers_maximum_is_stepped_over(struct kunit *test)
{
	struct buffer *large = buffer_create(test, 0, 8192), *small = buffer_create(test, 0, 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done[3] = { client_packet(from), client_packet(from),
					client_packet(from) };
	struct buffer *next = buffer_create(test, 0, 16);

	ASSERT_STATUS(test, VmbChannelInitSetMaximumExternalData(to->channel, 4096, 1),
		      STATUS_SUCCESS);
	pair_up(pair);
	/* Too many bytes; too many pieces; neither. */
	send_memory(test, done[0], large->mdl);
	next->mdl->Next = buffer_create(test, 0, 16)->mdl;
	send_memory(test, done[1], next->mdl);
	send_memory(test, done[2], small->mdl);
	EVENTUALLY(test, client_packets(to) == 1);
	KUNIT_EXPECT_EQ(test, client_count(to, malformed), 2);
	client_complete(to, 0, NULL, 0);
	EVENTUALLY(test, client_calls(done[2]) == 1);
	KUNIT_EXPECT_EQ(test, client_calls(done[0]) + client_calls(done[1]), 0);
}

/* The allocation that fails is that of the MDL: the packet itself has a spare. */
static bool ask_without_memory(struct client *end, VMBPACKETCOMPLETION handle, void *buffer,
			       u32 len)
{
	NTSTATUS *status = end->private;
	u32 n = client_packets(end);
	PMDL mdl;

	current->fail_nth = n ? 0 : 1;
	status[n] = VmbChannelPacketGetExternalData(handle, 0, &mdl);
	current->fail_nth = 0;
	if (status[n] != STATUS_PENDING)
		VmbChannelPacketComplete(handle, NULL, 0);
	return true;
}

static void without_memory_the_packet_comes_again_at_passive(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	NTSTATUS status[2] = { 1, 1 };

	to->on_packet = ask_without_memory;
	to->private = status;
	VmbChannelSetIncomingProcessingAtPassive(to->channel, FALSE);
	pair_up(pair);
	/* Memory fails for a task, so the ring is read in this one. */
	local_bh_disable();
	send_memory(test, done, buffer->mdl);
	client_read(to);
	local_bh_enable();
	EVENTUALLY(test, client_calls(done) == 1);
	EVENTUALLY(test, client_packets(to) == 2);
	EXPECT_STATUS(test, status[0], STATUS_PENDING);
	EXPECT_STATUS(test, status[1], STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, to->packets[1].atomic);
	KUNIT_EXPECT_EQ(test, to->packets[1].flags,
			VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA);
}

static void without_memory_at_passive_it_is_a_status(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	PMDL mdl = NULL;
	NTSTATUS status;

	pair_up(pair);
	send_memory(test, done, buffer->mdl);
	EVENTUALLY(test, client_packets(to) == 1);
	current->fail_nth = 1;
	status = VmbChannelPacketGetExternalData(to->packets[0].handle, 0, &mdl);
	current->fail_nth = 0;
	EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
	/* Outside of its callback the packet cannot be put off. */
	local_bh_disable();
	current->fail_nth = 1;
	status = VmbChannelPacketGetExternalData(to->packets[0].handle, 0, &mdl);
	current->fail_nth = 0;
	local_bh_enable();
	EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_NULL(test, mdl);
	memory_of(to, 0, 0);
	client_complete(to, 0, NULL, 0);
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

/* While the other end may write to the memory, it is not given back. */
static void disable_waits_for_the_memory_that_the_other_end_has(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);
	struct completion over;

	pair_up(pair);
	send_memory(test, done, buffer->mdl);
	EVENTUALLY(test, client_packets(to) == 1);
	disable_aside(from, &over);
	PAIR_EVENTS(from, UP "suspend ");
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&over));
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
	client_complete(to, 0, NULL, 0);
	ENDS_SOON(test, &over);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
}

static void memory_of_an_end_that_left_is_not_delivered(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct client *from, *to;
	struct pair *pair = pair_for(test, &from, &to);
	struct client_done *done = client_packet(from);

	pair_up(pair);
	VmbChannelPause(to->channel);
	send_memory(test, done, buffer->mdl);
	VmbChannelDisable(from->channel);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
	VmbChannelStart(to->channel);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_packets(to), 0);
}

static void both_ends_may_leave_with_each_others_memory(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct pair *pair = pair_create(test);
	struct client_done *up = client_packet(pair->client), *down = client_packet(pair->server);
	struct completion over[2];

	pair->client->keep = true;
	pair->server->keep = true;
	pair_up(pair);
	send_memory(test, up, buffer->mdl);
	send_memory(test, down, buffer->mdl);
	EVENTUALLY(test, client_packets(pair->client) + client_packets(pair->server) == 2);
	disable_aside(pair->client, &over[0]);
	disable_aside(pair->server, &over[1]);
	PAIR_EVENTS(pair->client, UP "suspend ");
	PAIR_EVENTS(pair->server, UP "suspend ");
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&over[0]));
	KUNIT_EXPECT_FALSE(test, completion_done(&over[1]));
	client_complete(pair->client, 0, NULL, 0);
	client_complete(pair->server, 0, NULL, 0);
	ENDS_SOON(test, &over[0]);
	ENDS_SOON(test, &over[1]);
}

/* GPADLs */

static u32 make_gpadl(struct pair *pair, struct buffer *buffer, u32 flags)
{
	UINT32 handle = 0;

	ASSERT_STATUS(pair->test,
		      VmbChannelCreateGpadlFromMdl(pair->client->channel, flags, buffer->mdl, 0,
						   0, &handle), STATUS_SUCCESS);
	return handle;
}

static PMDL map_gpadl(struct pair *pair, u32 handle, u32 flags, NTSTATUS status)
{
	PMDL mdl = NULL;

	EXPECT_STATUS(pair->test,
		      VmbChannelMapGpadl(pair->server->channel, flags, handle, &mdl), status);
	return mdl;
}

static void a_mapped_gpadl_is_the_clients_memory(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4 * 4096);
	struct pair *pair = pair_create(test);
	u32 handle;
	u8 *there;
	PMDL mdl;

	pair_up(pair);
	handle = make_gpadl(pair, buffer, 0);
	mdl = map_gpadl(pair, handle, 0, STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_TRUE(test, mdl->MdlFlags & MDL_WRITE_OPERATION);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 4 * 4096);
	there = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, there);
	KUNIT_EXPECT_TRUE(test, pair_filled(there, 4 * 4096, 4 * 4096));
	there[4097] = 1;
	KUNIT_EXPECT_EQ(test, buffer->bytes[4097], 1);
	buffer->bytes[8193] = 2;
	KUNIT_EXPECT_EQ(test, there[8193], 2);
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	VmbChannelDeleteGpadl(pair->client->channel, handle);
}

static void a_gpadl_may_begin_and_end_within_a_page(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 77, 5000);
	struct pair *pair = pair_create(test);
	u32 handle;
	PMDL mdl;

	pair_up(pair);
	handle = make_gpadl(pair, buffer, 0);
	mdl = map_gpadl(pair, handle, READ_ONLY, STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_FALSE(test, mdl->MdlFlags & MDL_WRITE_OPERATION);
	KUNIT_EXPECT_TRUE(test,
			  pair_filled(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority),
				      5000, 5000));
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	VmbChannelDeleteGpadl(pair->client->channel, handle);
}

static void there_is_one_mapping_at_a_time(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct pair *pair = pair_create(test);
	u32 handle;

	pair_up(pair);
	handle = make_gpadl(pair, buffer, 0);
	map_gpadl(pair, handle, 0, STATUS_SUCCESS);
	map_gpadl(pair, handle, READ_ONLY, STATUS_SHARING_VIOLATION);
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	map_gpadl(pair, handle, 0, STATUS_SUCCESS);
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	VmbChannelDeleteGpadl(pair->client->channel, handle);
	map_gpadl(pair, handle, 0, STATUS_INVALID_PARAMETER_3);
}

static void a_read_only_gpadl_is_mapped_so(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct pair *pair = pair_create(test);
	u32 handle;

	pair_up(pair);
	handle = make_gpadl(pair, buffer, READ_ONLY);
	map_gpadl(pair, handle, 0, STATUS_ACCESS_DENIED);
	map_gpadl(pair, handle, READ_ONLY, STATUS_SUCCESS);
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	VmbChannelDeleteGpadl(pair->client->channel, handle);
}

static void mapping_checks_its_parameters(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct pair *pair = pair_create(test);
	VMBCHANNEL server = pair->server->channel;
	UINT32 handle;
	PMDL mdl = NULL;
	u32 nth = 0, failures = 0;
	NTSTATUS status;
	bool more;

	EXPECT_STATUS(test, VmbChannelMapGpadl(server, 0, 1, &mdl), STATUS_INVALID_DEVICE_STATE);
	pair_up(pair);
	handle = make_gpadl(pair, buffer, 0);
	EXPECT_STATUS(test, VmbChannelMapGpadl(NULL, 0, handle, &mdl),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelMapGpadl(pair->client->channel, 0, handle, &mdl),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelMapGpadl(server, 2, handle, &mdl),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelMapGpadl(server, 0, handle + 1, &mdl),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelMapGpadl(server, 0, handle, NULL),
		      STATUS_INVALID_PARAMETER_4);
	/* Some of the allocations that fail are kmemleak's, which can do without. */
	do {
		current->fail_nth = ++nth;
		status = VmbChannelMapGpadl(server, 0, handle, &mdl);
		more = !current->fail_nth;
		current->fail_nth = 0;
		if (status) {
			EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
			failures++;
		} else if (more) {
			VmbChannelUnmapGpadl(server, handle);
		}
	} while (more);
	KUNIT_EXPECT_EQ(test, failures, 2);
	/* What is not mapped is not unmapped. */
	VmbChannelUnmapGpadl(server, handle + 1);
	VmbChannelUnmapGpadl(pair->client->channel, handle);
	VmbChannelUnmapGpadl(server, handle);
	VmbChannelUnmapGpadl(server, handle);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(server, 0, buffer->mdl, 0, 0, &handle),
		      STATUS_NOT_SUPPORTED);
	VmbChannelDeleteGpadl(pair->client->channel, 1);
}

struct deletion {
	struct pair *pair;
	u32 handle;
	struct completion over;
};

static int delete_thread(void *data)
{
	struct deletion *deletion = data;

	VmbChannelDeleteGpadl(deletion->pair->client->channel, deletion->handle);
	complete(&deletion->over);
	return 0;
}

static void delete_waits_until_it_is_unmapped(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct deletion deletion = { .pair = pair_create(test) };
	struct pair *pair = deletion.pair;

	init_completion(&deletion.over);
	pair_up(pair);
	deletion.handle = make_gpadl(pair, buffer, 0);
	map_gpadl(pair, deletion.handle, 0, STATUS_SUCCESS);
	kthread_run(delete_thread, &deletion, "kmcl_delete");
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&deletion.over));
	VmbChannelUnmapGpadl(pair->server->channel, deletion.handle);
	ENDS_SOON(test, &deletion.over);
	/* The GPADL is gone for good. */
	map_gpadl(pair, deletion.handle, 0, STATUS_INVALID_PARAMETER_3);
	CLIENT_EXPECT(pair->client, UP);
	CLIENT_EXPECT(pair->server, UP);
}

/* Which end leaves, and where the client deletes and the server unmaps. */
struct parting {
	const char *name;
	bool server_leaves;
	enum client_event delete;
	enum client_event unmap;	/* 0: left to the library */
};

static const struct parting partings[] = {
	{ "client leaves, deletes in suspend, unmapped in suspend",
	  false, CLIENT_SUSPEND, CLIENT_SUSPEND },
	{ "client leaves, deletes in suspend, unmapped in closed",
	  false, CLIENT_SUSPEND, CLIENT_CLOSED },
	{ "client leaves, deletes in suspend, left mapped", false, CLIENT_SUSPEND, 0 },
	{ "client leaves, deletes in closed, unmapped in closed",
	  false, CLIENT_CLOSED, CLIENT_CLOSED },
	{ "client leaves, deletes in closed, left mapped", false, CLIENT_CLOSED, 0 },
	{ "client leaves, left to the library, left mapped", false, 0, 0 },
	{ "server leaves, deletes in suspend, unmapped in suspend",
	  true, CLIENT_SUSPEND, CLIENT_SUSPEND },
	{ "server leaves, deletes in suspend, unmapped in closed",
	  true, CLIENT_SUSPEND, CLIENT_CLOSED },
	{ "server leaves, deletes in suspend, left mapped", true, CLIENT_SUSPEND, 0 },
	{ "server leaves, deletes in closed, unmapped in closed",
	  true, CLIENT_CLOSED, CLIENT_CLOSED },
	{ "server leaves, deletes in closed, left mapped", true, CLIENT_CLOSED, 0 },
	{ "server leaves, left to the library, left mapped", true, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(parting, partings, name);

static const struct parting *parting_now;
static u32 parting_handle;

static void part(struct client *end, enum client_event event)
{
	if (end->private && event == parting_now->unmap)
		VmbChannelUnmapGpadl(end->channel, parting_handle);
	if (!end->private && event == parting_now->delete)
		VmbChannelDeleteGpadl(end->channel, parting_handle);
}

static void ends_part_whoever_deletes_and_unmaps_where(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct pair *pair = pair_create(test);
	PMDL mdl;

	parting_now = test->param_value;
	pair->server->private = pair;
	pair->client->on_event = part;
	pair->server->on_event = part;
	pair_up(pair);
	parting_handle = make_gpadl(pair, buffer, 0);
	mdl = map_gpadl(pair, parting_handle, 0, STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	VmbChannelDisable(parting_now->server_leaves ? pair->server->channel :
			  pair->client->channel);
	PAIR_EVENTS(pair->client, UP DOWN);
	PAIR_EVENTS(pair->server, UP DOWN);
	VmbChannelDisable(pair->client->channel);
	VmbChannelDisable(pair->server->channel);
	/* Neither end uses the memory any more: KASAN would tell. */
	pair->client->on_event = NULL;
	pair->server->on_event = NULL;
}

static void a_deletion_that_waits_ends_when_the_client_leaves(struct kunit *test)
{
	struct buffer *buffer = buffer_create(test, 0, 4096);
	struct deletion deletion = { .pair = pair_create(test) };
	struct pair *pair = deletion.pair;

	init_completion(&deletion.over);
	pair_up(pair);
	deletion.handle = make_gpadl(pair, buffer, 0);
	map_gpadl(pair, deletion.handle, 0, STATUS_SUCCESS);
	kthread_run(delete_thread, &deletion, "kmcl_delete");
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&deletion.over));
	VmbChannelDisable(pair->client->channel);
	ENDS_SOON(test, &deletion.over);
	PAIR_EVENTS(pair->server, UP DOWN);
}

static struct completion blocked;

/* Keeps the packets behind this one from being delivered. */
static bool block(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	wait_for_completion_timeout(&blocked, 10 * HZ);
	VmbChannelPacketComplete(handle, NULL, 0);
	return true;
}

static int disable_end(void *data)
{
	VmbChannelDisable(((struct client *)data)->channel);
	return 0;
}

/* Each end has read a packet with the other's memory, and neither will deliver it. */
static void both_ends_may_leave_with_memory_undelivered(struct kunit *test)
{
	u8 *bytes = kunit_kzalloc(test, 8192, GFP_KERNEL);
	PMDL mdl = IoAllocateMdl(bytes, 5000, FALSE, FALSE, NULL);
	struct pair *pair = pair_create(test);
	struct client *ends[2] = { pair->client, pair->server };
	struct client_done *done[2];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	init_completion(&blocked);
	for (i = 0; i < 2; i++) {
		done[i] = client_packet(ends[i]);
		ends[i]->on_packet = block;
		VmbChannelSetIncomingProcessingAtPassive(ends[i]->channel, TRUE);
	}
	pair_up(pair);
	for (i = 0; i < 2; i++) {
		pair_send(ends[i], 1, 8);
		EXPECT_STATUS(test, VmbPacketSend(done[i]->packet, "external", 8, mdl,
						  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
			      STATUS_SUCCESS);
	}
	for (i = 0; i < 2; i++)
		EVENTUALLY(test, client_waiting(ends[i]) == 2);
	for (i = 0; i < 2; i++) {
		kthread_run(disable_end, ends[i], "kmcl_disable");
		EVENTUALLY(test, !client_receives(ends[i]));
	}
	complete_all(&blocked);
	for (i = 0; i < 2; i++) {
		PAIR_EVENTS(ends[i], UP DOWN);
		EVENTUALLY(test, client_calls(done[i]) == 1);
	}
	VmbChannelDisable(pair->client->channel);
	VmbChannelDisable(pair->server->channel);
	IoFreeMdl(mdl);
}

static struct kunit_case shared_cases[] = {
	KUNIT_CASE_PARAM(external_data_is_the_senders_own_memory, direction_gen_params),
	KUNIT_CASE_PARAM(a_chain_stays_a_chain, direction_gen_params),
	KUNIT_CASE_PARAM(pages_by_number_arrive_as_memory, direction_gen_params),
	KUNIT_CASE_PARAM(asking_again_gives_the_same_memory, direction_gen_params),
	KUNIT_CASE_PARAM(asking_for_memory_checks_its_parameters, direction_gen_params),
	KUNIT_CASE_PARAM(memory_above_the_receivers_maximum_is_stepped_over,
			 direction_gen_params),
	KUNIT_CASE_PARAM(scattered_memory_comes_again_at_passive_once, direction_gen_params),
	KUNIT_CASE_PARAM(another_thread_is_not_put_off, direction_gen_params),
	KUNIT_CASE_PARAM(without_memory_the_packet_comes_again_at_passive, direction_gen_params),
	KUNIT_CASE_PARAM(without_memory_at_passive_it_is_a_status, direction_gen_params),
	KUNIT_CASE_PARAM(disable_waits_for_the_memory_that_the_other_end_has,
			 direction_gen_params),
	KUNIT_CASE_PARAM(memory_of_an_end_that_left_is_not_delivered, direction_gen_params),
	KUNIT_CASE(both_ends_may_leave_with_each_others_memory),
	KUNIT_CASE(both_ends_may_leave_with_memory_undelivered),
	KUNIT_CASE(a_mapped_gpadl_is_the_clients_memory),
	KUNIT_CASE(a_gpadl_may_begin_and_end_within_a_page),
	KUNIT_CASE(there_is_one_mapping_at_a_time),
	KUNIT_CASE(a_read_only_gpadl_is_mapped_so),
	KUNIT_CASE(mapping_checks_its_parameters),
	KUNIT_CASE(delete_waits_until_it_is_unmapped),
	KUNIT_CASE_PARAM(ends_part_whoever_deletes_and_unmaps_where, parting_gen_params),
	KUNIT_CASE(a_deletion_that_waits_ends_when_the_client_leaves),
	{}
};

static struct kunit_suite shared_suite = {
	.name = "kmcl_shared",
	.test_cases = shared_cases,
};

kunit_test_suite(shared_suite);
