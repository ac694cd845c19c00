// SPDX-License-Identifier: GPL-2.0
/*
 * What a client must not do: it is told once by a warning, and nothing breaks.
 * Each warning is announced in the log, where complaints are looked for.
 */
#include "client.h"
#include "log.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#define COMPLAINT_DUE(text)	pr_info("complaint due: %s\n", text)

static struct client *misuse_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	(*host)->offered = true;
	return client;
}

static NTSTATUS request(struct client *client)
{
	return VmbChannelSendSynchronousRequest(client->channel, "x", 1, NULL, WAIT, NULL,
						NULL, NULL);
}

static void a_request_that_waits_is_refused_at_dispatch_level(struct kunit *test)
{
	struct host *host;
	struct client *client = misuse_client(test, &host);
	NTSTATUS status;

	client_enable(client);
	COMPLAINT_DUE("a synchronous request that waits, at DISPATCH_LEVEL");
	local_bh_disable();
	status = request(client);
	local_bh_enable();
	EXPECT_STATUS(test, status, STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 0);
}

/* The status alone would not tell: so a line does, which names the caller. */
static void what_is_wrong_with_a_parameter_is_told(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	struct host *host;
	struct client *client = misuse_client(test, &host);
	UINT32 size = 12;
	char answer[12];

	client_enable(client);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "x", 1, NULL, WAIT,
							     answer, &size, NULL),
		      STATUS_INVALID_PARAMETER_7);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, __func__), 1);
	EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel, 64),
		      STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, __func__), 0);
}

static NTSTATUS started_status;

static void request_when_started(struct client *client, enum client_event event)
{
	if (event == CLIENT_STARTED || event == CLIENT_SUSPEND)
		started_status = request(client);
}

static void a_request_that_would_wait_is_refused_when_started_or_suspended(struct kunit *test)
{
	struct host *host;
	struct client *client = misuse_client(test, &host);

	client->on_event = request_when_started;
	COMPLAINT_DUE("a synchronous request in a callback that it waits for");
	client_enable(client);
	EXPECT_STATUS(test, started_status, STATUS_INVALID_DEVICE_STATE);
	started_status = STATUS_SUCCESS;
	VmbChannelPause(client->channel);
	EXPECT_STATUS(test, started_status, STATUS_INVALID_DEVICE_STATE);
	client->on_event = NULL;
}

static void disable_in_callback(struct client *client, enum client_event event)
{
	if (event != CLIENT_POST_STARTED)
		return;
	VmbChannelDisable(client->channel);
	VmbChannelPause(client->channel);
}

static void disable_and_pause_do_nothing_in_a_state_callback(struct kunit *test)
{
	struct host *host;
	struct client *client = misuse_client(test, &host);

	client->on_event = disable_in_callback;
	COMPLAINT_DUE("in a callback that it waits for");
	client_enable(client);
	CLIENT_EXPECT(client, UP);
	client->on_event = NULL;
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, UP DOWN);
}

static void cleanup_in_callback(struct client *client, enum client_event event)
{
	if (event == CLIENT_POST_STARTED)
		VmbChannelCleanup(client->channel);
}

static void cleanup_does_nothing_in_a_state_callback(struct kunit *test)
{
	struct host *host;
	struct client *client = misuse_client(test, &host);

	client->on_event = cleanup_in_callback;
	COMPLAINT_DUE("VmbChannelCleanup() in a callback of the channel");
	client_enable(client);
	client->on_event = NULL;
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, UP DOWN);
}

static u32 cleanup_events;

static EVT_VMB_CHANNEL_CLOSED cleanup_closed;

static VOID cleanup_closed(VMBCHANNEL channel)
{
	cleanup_events++;
}

static void cleanup_disables_an_enabled_channel_first(struct kunit *test)
{
	struct host *host = host_create(test);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	VMBCHANNEL channel;
	GUID type;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelClosed = cleanup_closed;
	memcpy(&type, &host->type, sizeof(type));
	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	VmbChannelInitSetStateChangeCallbacks(channel, &callbacks);
	VmbClientChannelInitSetTargetPnp(channel, &type, NULL, NULL);
	host->offered = true;
	EXPECT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->opens) == 1);

	COMPLAINT_DUE("VmbChannelCleanup() on an enabled channel");
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_EQ(test, host->closes, 1);
	KUNIT_EXPECT_EQ(test, cleanup_events, 1);
}

/* Not inlined: its name is what the log has to show. */
static noinline void caller_with_a_bad_handle(int object)
{
	switch (object) {
	case 0:
		VmbChannelGetPointer(NULL);
		break;
	case 1:
		VmbServerChannelInitSetFlags(NULL, 0);
		break;
	case 2:
		VmbPacketGetPointer(NULL);
		break;
	case 3:
		VmbChannelPacketComplete(NULL, NULL, 0);
		break;
	}
	/* No call in tail position, which would leave no caller. */
	barrier();
}

static void a_bad_handle_is_logged_with_its_caller(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	int object;

	for (object = 0; object < 4; object++) {
		u32 lines = 0;
		int i;

		/* Such lines are limited: ten in five seconds. */
		for (i = 0; !lines && i < 70; i++) {
			caller_with_a_bad_handle(object);
			lines = log_lines(&mark, "caller_with_a_bad_handle+");
			if (!lines)
				msleep(100);
		}
		KUNIT_EXPECT_EQ_MSG(test, lines, 1, "object %d", object);
	}
}

static void the_latency_of_interrupts_cannot_be_set(struct kunit *test)
{
	struct host *host;
	struct client *client = misuse_client(test, &host);
	UINT16 original = 4711;

	client_enable(client);
	EXPECT_STATUS(test, VmbChannelSetInterruptLatency(client->channel, 100, &original),
		      STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, original, 4711);
}

static struct kunit_case misuse_cases[] = {
	KUNIT_CASE(what_is_wrong_with_a_parameter_is_told),
	KUNIT_CASE(a_request_that_waits_is_refused_at_dispatch_level),
	KUNIT_CASE(a_request_that_would_wait_is_refused_when_started_or_suspended),
	KUNIT_CASE(disable_and_pause_do_nothing_in_a_state_callback),
	KUNIT_CASE(cleanup_does_nothing_in_a_state_callback),
	KUNIT_CASE(cleanup_disables_an_enabled_channel_first),
	KUNIT_CASE_SLOW(a_bad_handle_is_logged_with_its_caller),
	KUNIT_CASE(the_latency_of_interrupts_cannot_be_set),
	{}
};

static struct kunit_suite misuse_suite = {
	.name = "kmcl_misuse",
	.test_cases = misuse_cases,
};

kunit_test_suite(misuse_suite);
