// SPDX-License-Identifier: GPL-2.0
/* A channel in the caller's own memory, and the devices that a channel belongs to. */
#include <linux/device.h>
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "log.h"
#include "pair.h"

#define WAIT		VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define LOOPBACK	VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER

#define GUARD		256
#define GUARD_BYTE	0xa5
#define USED_BYTE	0x5a

/* Of a module; as large as it will do, which is checked. */
static u8 module_memory[32768] __aligned(8);

static void *from_kmalloc(u32 bytes)
{
	return kmalloc(bytes, GFP_KERNEL);
}

static void to_kmalloc(void *memory)
{
	kfree(memory);
}

static void *from_vmalloc(u32 bytes)
{
	return vmalloc(bytes);
}

static void to_vmalloc(void *memory)
{
	vfree(memory);
}

static void *from_module(u32 bytes)
{
	return bytes <= sizeof(module_memory) ? module_memory : NULL;
}

static void to_module(void *memory)
{
}

struct place {
	const char *name;
	void *(*get)(u32 bytes);
	void (*put)(void *memory);
	bool is_server;
};

static const struct place places[] = {
	{ "kmalloc, a client", from_kmalloc, to_kmalloc, false },
	{ "kmalloc, a server", from_kmalloc, to_kmalloc, true },
	{ "vmalloc, a client", from_vmalloc, to_vmalloc, false },
	{ "vmalloc, a server", from_vmalloc, to_vmalloc, true },
	{ "a module, a client", from_module, to_module, false },
	{ "a module, a server", from_module, to_module, true },
};

KUNIT_ARRAY_PARAM_DESC(place, places, name);

/* What a channel in such memory is told. */
struct own {
	atomic_t opened;
	atomic_t closed;
	atomic_t packets;
	atomic_t completed;
	NTSTATUS status;
};

static NTSTATUS own_opened(VMBCHANNEL channel)
{
	struct own *own = VmbChannelGetPointer(channel);

	atomic_inc(&own->opened);
	return STATUS_SUCCESS;
}

static VOID own_closed(VMBCHANNEL channel)
{
	struct own *own = VmbChannelGetPointer(channel);

	atomic_inc(&own->closed);
}

static VOID own_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 len,
			UINT32 flags)
{
	struct own *own = VmbChannelGetPointer(channel);

	atomic_inc(&own->packets);
	VmbChannelPacketComplete(packet, buffer, len);
}

static VOID own_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct own *own = VmbPacketGetPointer(packet);

	own->status = status;
	atomic_inc(&own->completed);
	VmbPacketFree(packet);
}

/* Made with what a channel of the other end of that pair needs. */
static void own_init(struct pair *pair, VMBCHANNEL channel, bool is_server, struct own *own)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	struct kunit *test = pair->test;

	memset(own, 0, sizeof(*own));
	VmbChannelSetPointer(channel, own);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = own_opened;
	callbacks.EvtChannelClosed = own_closed;
	ASSERT_STATUS(test, VmbChannelInitSetStateChangeCallbacks(channel, &callbacks),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(channel, own_process, NULL),
		      STATUS_SUCCESS);
	if (!is_server) {
		ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(channel, &pair->type,
								     &pair->instance, NULL),
			      STATUS_SUCCESS);
		return;
	}
	ASSERT_STATUS(test, VmbServerChannelInitSetFlags(channel, LOOPBACK), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbServerChannelInitSetTargetInterfaceId(channel, pair->type,
								     pair->instance),
		      STATUS_SUCCESS);
}

/* It opens, packets and completions pass both ways, and it closes. */
static void own_works(struct pair *pair, VMBCHANNEL channel, bool is_server)
{
	struct client *other = is_server ? pair->client : pair->server;
	u32 seen = client_packets(other);
	struct kunit *test = pair->test;
	struct own *own = VmbChannelGetPointer(channel);
	struct client_done *done = client_packet(other);
	VMBPACKET packet;

	other->echo = true;
	ASSERT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	VmbChannelStart(channel);
	pair_enable(other);
	EVENTUALLY(test, atomic_read(&own->opened) == 1);
	packet = VmbPacketAllocate(channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetPointer(packet, own);
	VmbPacketSetCompletionRoutine(packet, own_routine);
	ASSERT_STATUS(test, VmbPacketSend(packet, "question", 8, NULL, WAIT), STATUS_SUCCESS);
	ASSERT_STATUS(test, client_send(done, "question", 8, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, atomic_read(&own->completed) == 1);
	EXPECT_STATUS(test, own->status, STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(done) == 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&own->packets), 1);
	KUNIT_EXPECT_EQ(test, client_packets(other), seen + 1);
	VmbChannelDisable(other->channel);
	VmbChannelDisable(channel);
	KUNIT_EXPECT_EQ(test, atomic_read(&own->closed), 1);
}

/* KASAN sees accesses after the memory is freed, this case those before. */
static void a_channel_works_in_the_callers_memory_and_leaves_it_alone(struct kunit *test)
{
	const struct place *place = test->param_value;
	struct pair *pair = pair_create(test);
	u32 i, size = VmbSizeofChannel();
	u8 *memory = place->get(size + GUARD);
	struct own own;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(memory, GUARD_BYTE, size + GUARD);
	/* The same memory serves more than once, whatever is in it. */
	for (i = 0; i < 3; i++) {
		/* Half of the guard is in what the library is told of, half beyond it. */
		ASSERT_STATUS(test, VmbChannelInitialize(NULL, place->is_server,
							 (VMBCHANNEL)memory, size + GUARD / 2),
			      STATUS_SUCCESS);
		own_init(pair, (VMBCHANNEL)memory, place->is_server, &own);
		own_works(pair, (VMBCHANNEL)memory, place->is_server);
		VmbChannelCleanup((VMBCHANNEL)memory);
		KUNIT_EXPECT_NULL(test, memchr_inv(memory + size, GUARD_BYTE, GUARD));

		memset(memory, USED_BYTE, size);
		msleep(50);
		KUNIT_EXPECT_NULL(test, memchr_inv(memory, USED_BYTE, size));
		KUNIT_EXPECT_NULL(test, memchr_inv(memory + size, GUARD_BYTE, GUARD));
	}
	place->put(memory);
}

static void initialize_checks_its_parameters(struct kunit *test)
{
	u32 size = VmbSizeofChannel();
	u8 *memory = kunit_kmalloc(test, size + 8, GFP_KERNEL);
	VMBCHANNEL channel = (VMBCHANNEL)memory;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_EXPECT_GT(test, size, 0);
	memset(memory, GUARD_BYTE, size + 8);
	EXPECT_STATUS(test, VmbChannelInitialize(NULL, FALSE, NULL, size),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelInitialize(NULL, FALSE, (VMBCHANNEL)(memory + 1), size),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelInitialize(NULL, FALSE, (VMBCHANNEL)(memory + 4), size),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelInitialize(NULL, FALSE, channel, 0),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelInitialize(NULL, FALSE, channel, size - 1),
		      STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, GUARD_BYTE, size + 8));
	/* What was not made is no channel. */
	EXPECT_STATUS(test, VmbChannelInitSetFlags(channel, 0), STATUS_INVALID_PARAMETER_1);

	EXPECT_STATUS(test, VmbChannelInitialize(NULL, FALSE, channel, size), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelInitSetFlags(channel, 0), STATUS_SUCCESS);
	VmbChannelCleanup(channel);
	/* Nor is what was cleaned up, also by another cleanup. */
	EXPECT_STATUS(test, VmbChannelInitSetFlags(channel, 0), STATUS_INVALID_PARAMETER_1);
	VmbChannelCleanup(channel);
}

struct cleaner {
	VMBCHANNEL channel;
	struct completion done;
};

static int cleaner_thread(void *data)
{
	struct cleaner *cleaner = data;

	VmbChannelCleanup(cleaner->channel);
	complete(&cleaner->done);
	return 0;
}

/* A packet of the channel's has its address. */
static void cleanup_waits_for_packets_that_are_still_out(struct kunit *test)
{
	u32 size = VmbSizeofChannel();
	u8 *memory = kmalloc(size, GFP_KERNEL);
	struct cleaner cleaner = { .channel = (VMBCHANNEL)memory };
	struct kmsg_dump_iter mark = log_mark();
	VMBPACKET packets[2];

	KUNIT_ASSERT_NOT_NULL(test, memory);
	ASSERT_STATUS(test, VmbChannelInitialize(NULL, FALSE, cleaner.channel, size),
		      STATUS_SUCCESS);
	((struct kmcl_channel *)memory)->ctl.patience_ms = 50;
	packets[0] = VmbPacketAllocate(cleaner.channel);
	packets[1] = VmbPacketAllocate(cleaner.channel);
	KUNIT_ASSERT_TRUE(test, packets[0] && packets[1]);
	init_completion(&cleaner.done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(cleaner_thread, &cleaner, "kmcl_cleaner")));
	EVENTUALLY(test, log_lines(&mark, "not given back: the client has 2 packets"));
	VmbPacketFree(packets[0]);
	KUNIT_EXPECT_FALSE(test, completion_done(&cleaner.done));
	EVENTUALLY(test, log_lines(&mark, "not given back: the client has 1 packets"));
	KUNIT_EXPECT_FALSE(test, completion_done(&cleaner.done));
	/* Where nothing may sleep. */
	local_bh_disable();
	VmbPacketFree(packets[1]);
	local_bh_enable();
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&cleaner.done, 10 * HZ), 0);
	memset(memory, USED_BYTE, size);
	msleep(50);
	KUNIT_EXPECT_NULL(test, memchr_inv(memory, USED_BYTE, size));
	kfree(memory);
}

/* What was sent and never went out completes in Cleanup, and is the caller's. */
static void cleanup_completes_what_waits_in_such_a_channel(struct kunit *test)
{
	u32 size = VmbSizeofChannel();
	u8 *memory = kunit_kmalloc(test, size, GFP_KERNEL);
	VMBCHANNEL channel = (VMBCHANNEL)memory;
	struct own own = {};
	VMBPACKET packet;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	ASSERT_STATUS(test, VmbChannelInitialize(NULL, FALSE, channel, size), STATUS_SUCCESS);
	packet = VmbPacketAllocate(channel);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetPointer(packet, &own);
	VmbPacketSetCompletionRoutine(packet, own_routine);
	ASSERT_STATUS(test, VmbPacketSend(packet, "question", 8, NULL, WAIT), STATUS_SUCCESS);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, atomic_read(&own.completed), 1);
	EXPECT_STATUS(test, own.status, STATUS_DEVICE_REMOVED);
}

/* Devices */

static void device_put(void *dev)
{
	put_device(dev);
}

static void device_free(struct device *dev)
{
	kfree(dev);
}

static struct device *device_create_for(struct kunit *test)
{
	struct device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, dev);
	device_initialize(dev);
	dev->release = device_free;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, device_put, dev), 0);
	return dev;
}

static void the_parent_is_told(struct kunit *test)
{
	struct device *parent = device_create_for(test);
	u32 size = VmbSizeofChannel(), references;
	u8 *memory = kunit_kmalloc(test, size, GFP_KERNEL);
	PDEVICE_OBJECT told = (PDEVICE_OBJECT)test;
	VMBCHANNEL channel;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	references = kref_read(&parent->kobj.kref);
	ASSERT_STATUS(test, VmbChannelAllocate(parent, FALSE, &channel), STATUS_SUCCESS);
	VmbChannelGetParentDeviceObject(channel, &told);
	KUNIT_EXPECT_PTR_EQ(test, told, parent);
	/* The channel has a reference, the caller gets none. */
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), references + 1);
	VmbChannelGetParentDeviceObject(channel, NULL);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), references);

	channel = (VMBCHANNEL)memory;
	ASSERT_STATUS(test, VmbChannelInitialize(parent, TRUE, channel, size), STATUS_SUCCESS);
	told = NULL;
	VmbChannelGetParentDeviceObject(channel, &told);
	KUNIT_EXPECT_PTR_EQ(test, told, parent);
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), references);
}

static void there_may_be_no_parent(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	PDEVICE_OBJECT told = (PDEVICE_OBJECT)test;

	VmbChannelGetParentDeviceObject(client->channel, &told);
	KUNIT_EXPECT_NULL(test, told);
	told = (PDEVICE_OBJECT)test;
	VmbChannelGetParentDeviceObject(NULL, &told);
	KUNIT_EXPECT_NULL(test, told);
}

static PDEVICE_OBJECT target(VMBCHANNEL channel)
{
	/* Something that is no answer. */
	PDEVICE_OBJECT told = (PDEVICE_OBJECT)module_memory;

	VmbChannelGetTargetDeviceObject(channel, &told);
	return told;
}

static void look_at_target(struct client *client, enum client_event event)
{
	KUNIT_EXPECT_PTR_EQ_MSG(client->test, target(client->channel),
				(PDEVICE_OBJECT)client->private, "event %u", event);
}

/* A real device's is looked at in vmbus_test.c. */
static void the_device_of_the_offer_is_told_while_the_channel_is_open(struct kunit *test)
{
	struct device *dev = device_create_for(test);
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	KUNIT_EXPECT_NULL(test, target(client->channel));
	host->device = dev;
	client->private = dev;
	client->on_event = look_at_target;
	host->offered = true;
	client_enable(client);
	KUNIT_EXPECT_PTR_EQ(test, target(client->channel), dev);
	VmbChannelGetTargetDeviceObject(client->channel, NULL);
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, UP DOWN);
	KUNIT_EXPECT_NULL(test, target(client->channel));
	KUNIT_EXPECT_NULL(test, target(NULL));
}

static void a_loopback_offer_has_no_device(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair_up(pair);
	KUNIT_EXPECT_NULL(test, target(pair->client->channel));
	KUNIT_EXPECT_NULL(test, target(pair->server->channel));
}

static struct kunit_case initialize_cases[] = {
	KUNIT_CASE_PARAM(a_channel_works_in_the_callers_memory_and_leaves_it_alone,
			 place_gen_params),
	KUNIT_CASE(initialize_checks_its_parameters),
	KUNIT_CASE(cleanup_waits_for_packets_that_are_still_out),
	KUNIT_CASE(cleanup_completes_what_waits_in_such_a_channel),
	KUNIT_CASE(the_parent_is_told),
	KUNIT_CASE(there_may_be_no_parent),
	KUNIT_CASE(the_device_of_the_offer_is_told_while_the_channel_is_open),
	KUNIT_CASE(a_loopback_offer_has_no_device),
	{}
};

static struct kunit_suite initialize_suite = {
	.name = "kmcl_initialize",
	.test_cases = initialize_cases,
};

kunit_test_suite(initialize_suite);
