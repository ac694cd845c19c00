// SPDX-License-Identifier: GPL-2.0
/* The Init functions and their statuses. */
#include <linux/slab.h>

#include "client.h"
#include "log.h"

static const GUID a_type = { 1, 2, 3, { 4, 5, 6, 7, 8, 9, 10, 11 } };

static NTSTATUS set_flags(VMBCHANNEL c)
{
	return VmbChannelInitSetFlags(c, 0);
}

static NTSTATUS set_name(VMBCHANNEL c)
{
	UNICODE_STRING name = { .Length = 2, .MaximumLength = 2, .Buffer = L"x" };

	return VmbChannelInitSetFriendlyName(c, &name);
}

static NTSTATUS set_external(VMBCHANNEL c)
{
	return VmbChannelInitSetMaximumExternalData(c, 4096, 1);
}

static NTSTATUS set_packet_size(VMBCHANNEL c)
{
	return VmbChannelInitSetMaximumPacketSize(c, 4096);
}

static NTSTATUS set_context(VMBCHANNEL c)
{
	return VmbChannelInitSetClientContextSize(c, 8);
}

static NTSTATUS set_process(VMBCHANNEL c)
{
	return VmbChannelInitSetProcessPacketCallbacks(c, NULL, NULL);
}

static NTSTATUS set_state(VMBCHANNEL c)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	return VmbChannelInitSetStateChangeCallbacks(c, &callbacks);
}

static NTSTATUS set_process_ex(VMBCHANNEL c)
{
	return VmbChannelInitSetProcessPacketCallbacksEx(c, NULL, NULL, NULL);
}

static NTSTATUS set_state_v5(VMBCHANNEL c)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	return VmbChannelInitSetStateChangeCallbacks(c, (void *)&callbacks);
}

static NTSTATUS set_inline_context(VMBCHANNEL c)
{
	return VmbChannelInitSetInlinePacketContextSize(c, 8);
}

static NTSTATUS set_packet_count(VMBCHANNEL c)
{
	return VmbChannelInitSetMaximumPacketCount(c, 8);
}

static NTSTATUS set_rings(VMBCHANNEL c)
{
	return VmbClientChannelInitSetRingBufferPageCount(c, 4, 4);
}

static NTSTATUS set_target(VMBCHANNEL c)
{
	return VmbClientChannelInitSetTargetPnp(c, &a_type, NULL, NULL);
}

struct init_function {
	const char *name;
	NTSTATUS (*call)(VMBCHANNEL c);
	bool client_only;
};

static const struct init_function init_functions[] = {
	{ "VmbChannelInitSetFlags", set_flags },
	{ "VmbChannelInitSetFriendlyName", set_name },
	{ "VmbChannelInitSetMaximumExternalData", set_external },
	{ "VmbChannelInitSetMaximumPacketSize", set_packet_size },
	{ "VmbChannelInitSetClientContextSize", set_context },
	{ "VmbChannelInitSetProcessPacketCallbacks", set_process },
	{ "VmbChannelInitSetStateChangeCallbacks", set_state },
	{ "VmbChannelInitSetProcessPacketCallbacksEx", set_process_ex },
	{ "VmbChannelInitSetStateChangeCallbacks, version 5", set_state_v5 },
	{ "VmbChannelInitSetInlinePacketContextSize", set_inline_context },
	{ "VmbChannelInitSetMaximumPacketCount", set_packet_count },
	{ "VmbClientChannelInitSetRingBufferPageCount", set_rings, true },
	{ "VmbClientChannelInitSetTargetPnp", set_target, true },
};

KUNIT_ARRAY_PARAM_DESC(init_function, init_functions, name);

static void init_functions_work_while_the_channel_is_disabled(struct kunit *test)
{
	const struct init_function *f = test->param_value;
	struct client *client = client_create(test, NULL);

	EXPECT_STATUS(test, f->call(client->channel), STATUS_SUCCESS);
}

static void init_functions_refuse_an_enabled_channel(struct kunit *test)
{
	const struct init_function *f = test->param_value;
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	/* No offer comes: the channel stays in the first of the enabled states. */
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EXPECT_STATUS(test, f->call(client->channel), STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(client->channel);
	EXPECT_STATUS(test, f->call(client->channel), STATUS_SUCCESS);
}

static void init_functions_refuse_a_bad_handle(struct kunit *test)
{
	const struct init_function *f = test->param_value;
	u64 *no_channel = kunit_kzalloc(test, sizeof(struct kmcl_channel), GFP_KERNEL);

	EXPECT_STATUS(test, f->call(NULL), STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, f->call((VMBCHANNEL)no_channel), STATUS_INVALID_PARAMETER_1);
}

static void client_functions_refuse_a_server_channel(struct kunit *test)
{
	const struct init_function *f = test->param_value;
	VMBCHANNEL server;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, TRUE, &server), STATUS_SUCCESS);
	EXPECT_STATUS(test, f->call(server),
		      f->client_only ? STATUS_INVALID_PARAMETER_1 : STATUS_SUCCESS);
	VmbChannelCleanup(server);
}

static void flags_that_do_not_exist_are_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	u32 bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_STATUS(test, VmbChannelInitSetFlags(c, BIT(bit)),
			      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetFlags(c, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
		      STATUS_SUCCESS);
}

static void a_packet_size_of_zero_is_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;

	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketSize(c, 0),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketSize(c, 1), STATUS_SUCCESS);
}

static void a_packet_size_beyond_the_wire_format_is_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;

	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketSize(c, 524264), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketSize(c, 524265),
		      STATUS_INVALID_PARAMETER_2);
}

static void external_data_of_zero_is_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;

	EXPECT_STATUS(test, VmbChannelInitSetMaximumExternalData(c, 0, 1),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumExternalData(c, 1, 0),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumExternalData(c, 0, 0),
		      STATUS_INVALID_PARAMETER_2);
}

static void state_callbacks_of_another_version_or_size_are_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;

	EXPECT_STATUS(test, VmbChannelInitSetStateChangeCallbacks(c, NULL),
		      STATUS_INVALID_PARAMETER_2);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.Version = 2;
	EXPECT_STATUS(test, VmbChannelInitSetStateChangeCallbacks(c, &callbacks),
		      STATUS_INVALID_PARAMETER_2);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.Size--;
	EXPECT_STATUS(test, VmbChannelInitSetStateChangeCallbacks(c, &callbacks),
		      STATUS_INVALID_PARAMETER_2);
}

/* Which callback is missing, and what is seen of a channel that comes and goes. */
struct missing {
	const char *name;
	size_t offset;
	const char *events;
};

#define MISSING(member, events) \
	{ #member, offsetof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS, member), events }

static const struct missing missings[] = {
	{ "none", 0, UP DOWN },
	MISSING(EvtChannelOpened, "started post-started suspend closed "),
	MISSING(EvtChannelStarted, "opened post-started suspend closed "),
	MISSING(EvtChannelPostStarted, "opened started suspend closed "),
	MISSING(EvtChannelSuspend, UP "closed "),
	MISSING(EvtChannelClosed, UP "suspend "),
};

KUNIT_ARRAY_PARAM_DESC(missing, missings, name);

static void state_callbacks_are_copied_and_any_may_be_missing(struct kunit *test)
{
	const struct missing *missing = test->param_value;
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;

	client_callbacks(&callbacks);
	if (missing->offset)
		*(void **)((u8 *)&callbacks + missing->offset) = NULL;
	ASSERT_STATUS(test, VmbChannelInitSetStateChangeCallbacks(client->channel, &callbacks),
		      STATUS_SUCCESS);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);

	host->offered = true;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_state(client) == KMCL_ACTIVE);
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, missing->events);
	/* The client takes a callback without the one before it for out of order. */
	client->state_out_of_order = false;
}

static void ring_page_counts_are_checked_in_their_order(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;

	EXPECT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(c, 1, 2),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(c, 2, 1),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(c, 2, 513),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(c, 2, 2),
		      STATUS_SUCCESS);
}

static void incoming_pages_come_before_outgoing_pages(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	ASSERT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(client->channel,
								       9, 5),
		      STATUS_SUCCESS);
	host->offered = true;
	client_enable(client);
	KUNIT_EXPECT_EQ(test, host->params.recv_bytes, 9 * 4096);
	KUNIT_EXPECT_EQ(test, host->params.send_bytes, 5 * 4096);
}

/* What the largest packet is made of, and how many bytes it takes at least. */
struct largest {
	const char *name;
	u32 payload;
	u32 external;
	u32 chain;
	u32 bytes;
};

static const struct largest largests[] = {
	{ "a payload", 128 * 1024, 4096, 1, 128 * 1024 },
	{ "many pages", 8, 64 << 20, 1, (64 << 20) / 4096 * 8 },
	{ "many MDLs", 8, 4096, 8192, 8192 * 3 * 8 },
	{ "all of them", 128 * 1024, 64 << 20, 8192,
	  128 * 1024 + (64 << 20) / 4096 * 8 + 8192 * 3 * 8 },
};

KUNIT_ARRAY_PARAM_DESC(largest, largests, name);

static void rings_hold_the_largest_packet_whatever_was_asked_for(struct kunit *test)
{
	const struct largest *largest = test->param_value;
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel,
							       largest->payload),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumExternalData(client->channel,
								 largest->external,
								 largest->chain),
		      STATUS_SUCCESS);
	host->offered = true;
	client_enable(client);
	/* The control page comes on top. */
	KUNIT_EXPECT_GT(test, host->params.send_bytes, largest->bytes + 4096);
	KUNIT_EXPECT_GT(test, host->params.recv_bytes, largest->bytes + 4096);
}

static void a_friendly_name_is_copied(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	WCHAR text[] = L"disk\x0001\x00e9";
	UNICODE_STRING name = {
		.Length = sizeof(text) - sizeof(WCHAR),
		.MaximumLength = sizeof(text),
		.Buffer = text,
	};
	struct kmsg_dump_iter mark;

	ASSERT_STATUS(test, VmbChannelInitSetFriendlyName(client->channel, &name),
		      STATUS_SUCCESS);
	memset(text, 0, sizeof(text));
	/* The log has the name; a quota of 0 is sure to be logged. */
	mark = log_mark();
	VmbChannelSetTransactionQuota(client->channel, 0);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, " disk??: "), 1);
}

static void a_friendly_name_without_text_is_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	UNICODE_STRING name = { .Length = 2, .MaximumLength = 2 };

	EXPECT_STATUS(test, VmbChannelInitSetFriendlyName(c, NULL),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetFriendlyName(c, &name),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, set_name(c), STATUS_SUCCESS);
}

static void a_channel_is_named_once(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;

	EXPECT_STATUS(test, set_name(c), STATUS_SUCCESS);
	EXPECT_STATUS(test, set_name(c), STATUS_INVALID_PARAMETER_2);
}

static void a_target_without_type_is_refused(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;

	EXPECT_STATUS(test, VmbClientChannelInitSetTargetPnp(c, NULL, NULL, NULL),
		      STATUS_INVALID_PARAMETER_2);
}

static void allocate_without_a_place_for_the_channel_fails(struct kunit *test)
{
	EXPECT_STATUS(test, VmbChannelAllocate(NULL, FALSE, NULL),
		      STATUS_INVALID_PARAMETER_3);
}

static void a_pointer_is_kept(struct kunit *test)
{
	VMBCHANNEL c = client_create(test, NULL)->channel;
	PVOID mine = VmbChannelGetPointer(c);

	KUNIT_EXPECT_NOT_NULL(test, mine);
	VmbChannelSetPointer(c, test);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(c), (PVOID)test);
	VmbChannelSetPointer(c, mine);
	KUNIT_EXPECT_NULL(test, VmbChannelGetPointer(NULL));
}

static struct kunit_case settings_cases[] = {
	KUNIT_CASE_PARAM(init_functions_work_while_the_channel_is_disabled,
			 init_function_gen_params),
	KUNIT_CASE_PARAM(init_functions_refuse_an_enabled_channel,
			 init_function_gen_params),
	KUNIT_CASE_PARAM(init_functions_refuse_a_bad_handle, init_function_gen_params),
	KUNIT_CASE_PARAM(client_functions_refuse_a_server_channel,
			 init_function_gen_params),
	KUNIT_CASE(flags_that_do_not_exist_are_refused),
	KUNIT_CASE(a_packet_size_of_zero_is_refused),
	KUNIT_CASE(a_packet_size_beyond_the_wire_format_is_refused),
	KUNIT_CASE(external_data_of_zero_is_refused),
	KUNIT_CASE(state_callbacks_of_another_version_or_size_are_refused),
	KUNIT_CASE_PARAM(state_callbacks_are_copied_and_any_may_be_missing,
			 missing_gen_params),
	KUNIT_CASE(ring_page_counts_are_checked_in_their_order),
	KUNIT_CASE(incoming_pages_come_before_outgoing_pages),
	KUNIT_CASE_PARAM(rings_hold_the_largest_packet_whatever_was_asked_for,
			 largest_gen_params),
	KUNIT_CASE(a_friendly_name_is_copied),
	KUNIT_CASE(a_friendly_name_without_text_is_refused),
	KUNIT_CASE(a_channel_is_named_once),
	KUNIT_CASE(a_target_without_type_is_refused),
	KUNIT_CASE(allocate_without_a_place_for_the_channel_fails),
	KUNIT_CASE(a_pointer_is_kept),
	{}
};

static struct kunit_suite settings_suite = {
	.name = "kmcl_settings",
	.test_cases = settings_cases,
};

kunit_test_suite(settings_suite);
