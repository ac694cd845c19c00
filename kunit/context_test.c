// SPDX-License-Identifier: GPL-2.0
/*
 * Callbacks of a channel with a context. Each kind has a plain form and an Ex form, and the
 * last registration that succeeded counts, whichever form it is of. Packets' routines:
 * routine_test.c.
 */
#include <linux/slab.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* A context: what the callbacks that got it were told. */
struct told {
	VMBCHANNEL channel;
	char events[256];
	u32 packets;
	u32 batched;
	u64 first;
	u32 len;
	u32 calls;		/* to save or restore */
	VMBPACKET packet;
	NTSTATUS status;	/* what EvtChannelOpened is to return */
};

static struct told *told_create(struct kunit *test)
{
	struct told *told = kunit_kzalloc(test, sizeof(*told), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, told);
	return told;
}

/* Process packet */

static VOID process_ex(VMBCHANNEL channel, PVOID context, VMBPACKETCOMPLETION packet,
		       PVOID buffer, UINT32 len, UINT32 flags)
{
	struct told *told = context;

	told->channel = channel;
	told->first = len >= 8 ? *(u64 *)buffer : 0;
	told->len = len;
	VmbChannelPacketComplete(packet, buffer, len);
	/* Pairs with the acquire in packets(): the rest has been noted. */
	smp_store_release(&told->packets, told->packets + 1);
}

static u32 packets(struct told *told)
{
	/* Pairs with the release above. */
	return smp_load_acquire(&told->packets);
}

static VOID processed_ex(VMBCHANNEL channel, PVOID context, UINT32 packets)
{
	struct told *told = context;

	WRITE_ONCE(told->batched, told->batched + packets);
}

static VOID process_plain(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			  UINT32 len, UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(channel);
	struct told *told = client->private;

	process_ex(channel, told, packet, buffer, len, flags);
}

static VOID processed_plain(VMBCHANNEL channel, UINT32 packets)
{
	struct client *client = VmbChannelGetPointer(channel);

	processed_ex(channel, client->private, packets);
}

static NTSTATUS set_process_ex(struct client *end, struct told *told)
{
	return VmbChannelInitSetProcessPacketCallbacksEx(end->channel, told, process_ex,
							 processed_ex);
}

static NTSTATUS set_process_plain(struct client *end, struct told *told)
{
	end->private = told;
	return VmbChannelInitSetProcessPacketCallbacks(end->channel, process_plain,
						       processed_plain);
}

static void packets_come_with_their_context(struct kunit *test)
{
	struct told *told = told_create(test);
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);
	u64 question[2] = { 41, 42 };

	ASSERT_STATUS(test, set_process_ex(pair->server, told), STATUS_SUCCESS);
	pair_up(pair);
	ASSERT_STATUS(test, client_send(done, question, 16, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(done) == 1);
	KUNIT_EXPECT_EQ(test, done->len, 16);
	KUNIT_EXPECT_EQ(test, done->first, 41);
	KUNIT_EXPECT_EQ(test, told->first, 41);
	KUNIT_EXPECT_EQ(test, told->len, 16);
	KUNIT_EXPECT_PTR_EQ(test, told->channel, pair->server->channel);
	EVENTUALLY(test, READ_ONCE(told->batched) == 1);
	/* At PASSIVE_LEVEL as well. */
	VmbChannelSetIncomingProcessingAtPassive(pair->server->channel, TRUE);
	pair_send(pair->client, 43, 8);
	EVENTUALLY(test, READ_ONCE(told->batched) == 2);
	KUNIT_EXPECT_EQ(test, told->first, 43);
	KUNIT_EXPECT_EQ(test, client_packets(pair->server), 0);
}

/* The order in which the two forms are registered. */
struct order {
	const char *name;
	bool ex[3];
	u32 n;
};

static const struct order orders[] = {
	{ "Ex after plain", { false, true }, 2 },
	{ "plain after Ex", { true, false }, 2 },
	{ "Ex after Ex", { true, true }, 2 },
	{ "plain, Ex, plain", { false, true, false }, 3 },
	{ "Ex, plain, Ex", { true, false, true }, 3 },
};

KUNIT_ARRAY_PARAM_DESC(order, orders, name);

static void the_last_process_packet_registered_is_called(struct kunit *test)
{
	const struct order *order = test->param_value;
	struct pair *pair = pair_create(test);
	struct told *told[3], *last = NULL;
	u32 i;

	for (i = 0; i < order->n; i++) {
		last = told_create(test);
		told[i] = last;
		ASSERT_STATUS(test, order->ex[i] ? set_process_ex(pair->server, last) :
						   set_process_plain(pair->server, last),
			      STATUS_SUCCESS);
	}
	pair_up(pair);
	/* These come too late, or to nobody, and change nothing. */
	pair->server->private = last;
	EXPECT_STATUS(test, VmbChannelInitSetProcessPacketCallbacksEx(pair->server->channel, NULL,
								      NULL, NULL),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(pair->server->channel, NULL,
								    NULL),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelInitSetProcessPacketCallbacksEx(NULL, NULL, process_ex,
								      NULL),
		      STATUS_INVALID_PARAMETER_1);
	pair_send(pair->client, 1, 8);
	EVENTUALLY(test, packets(last) == 1 && READ_ONCE(last->batched) == 1);
	for (i = 0; i + 1 < order->n; i++)
		KUNIT_EXPECT_EQ(test, told[i]->packets + told[i]->batched, 0);
}

/* A registration of neither callback takes the other form's away, too. */
static void with_no_process_packet_of_either_form_packets_are_completed(struct kunit *test)
{
	struct told *told = told_create(test);
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);

	ASSERT_STATUS(test, set_process_ex(pair->server, told), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(pair->server->channel, NULL,
								    NULL), STATUS_SUCCESS);
	pair_up(pair);
	ASSERT_STATUS(test, client_send(done, "question", 8, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(done) == 1);
	KUNIT_EXPECT_EQ(test, done->len, 0);
	KUNIT_EXPECT_EQ(test, told->packets + told->batched, 0);
}

/* State changes */

static void tell(VMBCHANNEL channel, struct told *told, const char *event)
{
	told->channel = channel;
	strlcat(told->events, event, sizeof(told->events));
}

static NTSTATUS opened_ex(VMBCHANNEL channel, PVOID context)
{
	struct told *told = context;

	tell(channel, told, "opened ");
	return told->status;
}

static VOID closed_ex(VMBCHANNEL channel, PVOID context)
{
	tell(channel, context, "closed ");
}

static VOID suspend_ex(VMBCHANNEL channel, PVOID context)
{
	tell(channel, context, "suspend ");
}

static VOID started_ex(VMBCHANNEL channel, PVOID context)
{
	tell(channel, context, "started ");
}

static VOID post_started_ex(VMBCHANNEL channel, PVOID context)
{
	tell(channel, context, "post-started ");
}

static NTSTATUS set_state_v5(VMBCHANNEL channel, PVMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 v5)
{
	PVMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks = (void *)v5;

	return VmbChannelInitSetStateChangeCallbacks(channel, callbacks);
}

static void state_callbacks_v5(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 *callbacks,
			       struct told *told)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(callbacks);
	callbacks->CallbackContext = told;
	callbacks->EvtChannelOpened = opened_ex;
	callbacks->EvtChannelClosed = closed_ex;
	callbacks->EvtChannelSuspend = suspend_ex;
	callbacks->EvtChannelStarted = started_ex;
	callbacks->EvtChannelPostStarted = post_started_ex;
}

static NTSTATUS set_state(struct client *end, bool ex, struct told *told)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 v5;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS v1;

	if (ex) {
		state_callbacks_v5(&v5, told);
		return set_state_v5(end->channel, &v5);
	}
	client_callbacks(&v1);
	return VmbChannelInitSetStateChangeCallbacks(end->channel, &v1);
}

static void state_changes_come_with_their_context(struct kunit *test)
{
	struct told *told = told_create(test);
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	ASSERT_STATUS(test, set_state(client, true, told), STATUS_SUCCESS);
	host->offered = true;
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_state(client) == KMCL_ACTIVE);
	KUNIT_EXPECT_STREQ(test, told->events, UP);
	KUNIT_EXPECT_PTR_EQ(test, told->channel, client->channel);
	VmbChannelPause(client->channel);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_STREQ(test, told->events, UP DOWN);
	KUNIT_EXPECT_EQ(test, client->n_events, 0);
}

static void an_opened_callback_with_a_context_may_refuse(struct kunit *test)
{
	struct told *told = told_create(test);
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	told->status = STATUS_UNSUCCESSFUL;
	ASSERT_STATUS(test, set_state(client, true, told), STATUS_SUCCESS);
	host->offered = true;
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	PAIR_EVENTS(client, "failure ");
	EXPECT_STATUS(test, client->pnp_status, STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_STREQ(test, told->events, "opened ");
}

/* Which one is missing, and what is seen of a channel that comes and goes. */
struct missing {
	const char *name;
	size_t offset;
	const char *events;
};

#define MISSING(member, events) \
	{ #member, offsetof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, member), events }

static const struct missing missings[] = {
	MISSING(EvtChannelOpened, "started post-started suspend closed "),
	MISSING(EvtChannelStarted, "opened post-started suspend closed "),
	MISSING(EvtChannelPostStarted, "opened started suspend closed "),
	MISSING(EvtChannelSuspend, UP "closed "),
	MISSING(EvtChannelClosed, UP "suspend "),
};

KUNIT_ARRAY_PARAM_DESC(missing, missings, name);

static void any_callback_with_a_context_may_be_missing(struct kunit *test)
{
	const struct missing *missing = test->param_value;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	struct told *told = told_create(test);
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	state_callbacks_v5(&callbacks, told);
	*(void **)((u8 *)&callbacks + missing->offset) = NULL;
	ASSERT_STATUS(test, set_state_v5(client->channel, &callbacks), STATUS_SUCCESS);
	/* They were copied. */
	memset(&callbacks, 0, sizeof(callbacks));
	host->offered = true;
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_state(client) == KMCL_ACTIVE);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_STREQ(test, told->events, missing->events);
}

/* Structures whose Version and Size do not belong together, or are of no version. */
static void refuse_others(struct client *client)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	u32 version, size, wrong = 0;

	for (version = 0; version <= 8; version++) {
		for (size = 0; size <= 64; size++) {
			if ((version == 1 && size == 48) || (version == 5 && size == 56))
				continue;
			memset(&callbacks, 0, sizeof(callbacks));
			callbacks.Version = version;
			callbacks.Size = size;
			wrong += set_state_v5(client->channel, &callbacks) !=
				 (NTSTATUS)STATUS_INVALID_PARAMETER_2;
		}
	}
	KUNIT_EXPECT_EQ(client->test, wrong, 0);
	EXPECT_STATUS(client->test, VmbChannelInitSetStateChangeCallbacks(client->channel, NULL),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(client->test, set_state_v5(NULL, &callbacks), STATUS_INVALID_PARAMETER_1);
}

static void the_last_state_callbacks_registered_are_called(struct kunit *test)
{
	const struct order *order = test->param_value;
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct told *told[3], *last = NULL;
	u32 i;

	for (i = 0; i < order->n; i++) {
		last = told_create(test);
		told[i] = last;
		ASSERT_STATUS(test, set_state(client, order->ex[i], last), STATUS_SUCCESS);
		refuse_others(client);
	}
	host->offered = true;
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_state(client) == KMCL_ACTIVE);
	EXPECT_STATUS(test, set_state(client, true, told[0]), STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, set_state(client, false, NULL), STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, order->ex[order->n - 1] ? "" : UP DOWN);
	KUNIT_EXPECT_STREQ(test, last->events, order->ex[order->n - 1] ? UP DOWN : "");
	for (i = 0; i + 1 < order->n; i++)
		KUNIT_EXPECT_STREQ(test, told[i]->events, "");
}

/* Save and restore */

static NTSTATUS save_ex(VMBCHANNEL channel, PVOID context, VMBPACKET packet, PVOID buffer,
			UINT32 size, PUINT32 needed)
{
	struct told *told = context;

	told->channel = channel;
	told->packet = packet;
	told->calls++;
	*needed = 8;
	if (size < 8)
		return STATUS_BUFFER_TOO_SMALL;
	memcpy(buffer, "its note", 8);
	return STATUS_SUCCESS;
}

static NTSTATUS save_plain(VMBCHANNEL channel, VMBPACKET packet, PVOID buffer, UINT32 size,
			   PUINT32 needed)
{
	struct client *client = VmbChannelGetPointer(channel);

	return save_ex(channel, client->private, packet, buffer, size, needed);
}

static NTSTATUS restore_ex(VMBCHANNEL channel, PVOID context, PVOID lib, UINT32 lib_size,
			   PVOID buffer, UINT32 size)
{
	struct client *client = VmbChannelGetPointer(channel);
	VMBPACKET packet = VmbPacketAllocate(channel);
	struct told *told = context;

	KUNIT_ASSERT_NOT_NULL(client->test, packet);
	KUNIT_EXPECT_EQ(client->test, size, 8);
	told->channel = channel;
	told->calls++;
	told->first = *(u64 *)buffer;
	return VmbPacketRestore(packet, lib, lib_size);
}

static NTSTATUS restore_plain(VMBCHANNEL channel, PVOID lib, UINT32 lib_size, PVOID buffer,
			      UINT32 size)
{
	struct client *client = VmbChannelGetPointer(channel);

	return restore_ex(channel, client->private, lib, lib_size, buffer, size);
}

static NTSTATUS set_save(struct client *end, bool ex, struct told *told)
{
	if (ex)
		return VmbServerChannelInitSetSaveRestorePacketCallbacksEx(end->channel, told,
									   save_ex, restore_ex);
	end->private = told;
	return VmbServerChannelInitSetSaveRestorePacketCallbacks(end->channel, save_plain,
								 restore_plain);
}

static void the_last_save_and_restore_registered_are_called(struct kunit *test)
{
	const struct order *order = test->param_value;
	u64 *chunk = kunit_kzalloc(test, 8192, GFP_KERNEL);
	struct pair *pair = pair_create(test);
	struct client *next = pair_new_server(pair);
	struct client_done *done = client_packet(pair->server);
	struct told *saves[3], *restores[3];
	u32 i, last = order->n - 1;
	ULONG filled = 0, needed;

	KUNIT_ASSERT_NOT_NULL(test, chunk);
	for (i = 0; i < order->n; i++) {
		saves[i] = told_create(test);
		restores[i] = told_create(test);
		ASSERT_STATUS(test, set_save(pair->server, order->ex[i], saves[i]),
			      STATUS_SUCCESS);
		ASSERT_STATUS(test, set_save(next, order->ex[i], restores[i]), STATUS_SUCCESS);
		EXPECT_STATUS(test, set_save(pair->client, true, saves[i]),
			      STATUS_INVALID_PARAMETER_1);
	}
	pair->server->private = saves[last];
	next->private = restores[last];
	EXPECT_STATUS(test, VmbServerChannelInitSetSaveRestorePacketCallbacksEx(NULL, NULL,
										save_ex,
										restore_ex),
		      STATUS_INVALID_PARAMETER_1);
	pair->client->keep = true;
	pair_up(pair);
	EXPECT_STATUS(test, set_save(pair->server, true, saves[0]), STATUS_INVALID_PARAMETER_1);
	ASSERT_STATUS(test, client_send(done, "question", 8, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	VmbChannelPause(pair->server->channel);
	ASSERT_STATUS(test, VmbChannelSaveBegin(pair->server->channel), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelSaveContinue(pair->server->channel, chunk, 8192, &filled,
						   &needed), STATUS_SUCCESS);
	VmbChannelSaveEnd(pair->server->channel);
	VmbChannelDisable(pair->server->channel);
	/* Once for the size, once for the note. */
	KUNIT_EXPECT_EQ(test, saves[last]->calls, 2);
	KUNIT_EXPECT_PTR_EQ(test, saves[last]->channel, pair->server->channel);
	KUNIT_EXPECT_PTR_EQ(test, saves[last]->packet, done->packet);

	ASSERT_STATUS(test, VmbChannelRestoreFromBuffer(next->channel, chunk, filled),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, restores[last]->calls, 1);
	KUNIT_EXPECT_PTR_EQ(test, restores[last]->channel, next->channel);
	KUNIT_EXPECT_EQ(test, memcmp(&restores[last]->first, "its note", 8), 0);
	for (i = 0; i < last; i++)
		KUNIT_EXPECT_EQ(test, saves[i]->calls + restores[i]->calls, 0);
	pair_enable(next);
	PAIR_EVENTS(next, UP);
	client_complete(pair->client, 0, NULL, 0);
	/* The packet's default routine frees it. */
	EVENTUALLY(test, !client_open_transactions(next));
}

static struct kunit_case context_cases[] = {
	KUNIT_CASE(packets_come_with_their_context),
	KUNIT_CASE_PARAM(the_last_process_packet_registered_is_called, order_gen_params),
	KUNIT_CASE(with_no_process_packet_of_either_form_packets_are_completed),
	KUNIT_CASE(state_changes_come_with_their_context),
	KUNIT_CASE(an_opened_callback_with_a_context_may_refuse),
	KUNIT_CASE_PARAM(any_callback_with_a_context_may_be_missing, missing_gen_params),
	KUNIT_CASE_PARAM(the_last_state_callbacks_registered_are_called, order_gen_params),
	KUNIT_CASE_PARAM(the_last_save_and_restore_registered_are_called, order_gen_params),
	{}
};

static struct kunit_suite context_suite = {
	.name = "kmcl_context",
	.test_cases = context_cases,
};

kunit_test_suite(context_suite);
