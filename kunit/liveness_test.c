// SPDX-License-Identifier: GPL-2.0
/*
 * What a client that is slow, or does not answer at all, can hold up: its own channel,
 * and nothing else.
 */
#include <linux/ktime.h>

#include "client.h"
#include "log.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static struct client *live_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	(*host)->offered = true;
	client_enable(client);
	return client;
}

static u64 ms_to_withdraw(struct host *host)
{
	u64 began = ktime_get_ns();

	host_withdraw(host);
	return (ktime_get_ns() - began) / NSEC_PER_MSEC;
}

static struct completion suspend_may_end;

static void stay_in_suspend(struct client *client, enum client_event event)
{
	if (event == CLIENT_SUSPEND)
		wait_for_completion_timeout(&suspend_may_end, 10 * HZ);
}

static void a_rescind_does_not_wait_for_a_callback(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);

	init_completion(&suspend_may_end);
	client->on_event = stay_in_suspend;
	KUNIT_EXPECT_LT(test, ms_to_withdraw(host), 1000);
	KUNIT_EXPECT_EQ(test, host->closes, 1);
	EVENTUALLY(test, !strcmp(client->events, UP "suspend "));
	complete(&suspend_may_end);
	wait_for_completion(&host->released);
	CLIENT_EXPECT(client, UP DOWN);
}

static void a_rescind_does_not_wait_for_a_packet_that_the_client_keeps(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);

	client->keep = true;
	host_write(host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
	host_signal(host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_LT(test, ms_to_withdraw(host), 1000);
	KUNIT_EXPECT_EQ(test, host->closes, 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&host->released));
	/* The payload is still there. */
	KUNIT_EXPECT_EQ(test, memcmp(client->packets[0].buffer, "12345678", 8), 0);

	client_complete(client, 0, NULL, 0);
	wait_for_completion(&host->released);
	CLIENT_EXPECT(client, UP DOWN);
}

/* It may be what the client waits for before it completes what it keeps. */
static void what_was_sent_completes_with_the_rescind(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);
	struct client_done *open = client_packet(client);
	struct client_done *late = client_packet(client);

	client->keep = true;
	host_write(host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
	host_signal(host);
	EXPECT_STATUS(test, client_send(open, "open", 4, WAIT), STATUS_SUCCESS);
	host_withdraw(host);
	KUNIT_EXPECT_EQ(test, client_calls(open), 1);
	EXPECT_STATUS(test, open->status, STATUS_DEVICE_REMOVED);

	/* What is sent now is complete when the channel is closed. */
	EXPECT_STATUS(test, client_send(late, "late", 4, 0), STATUS_SUCCESS);
	client_complete(client, 0, NULL, 0);
	wait_for_completion(&host->released);
	KUNIT_EXPECT_EQ(test, client_calls(late), 1);
	EXPECT_STATUS(test, late->status, STATUS_DEVICE_REMOVED);
}

static struct completion sender_is_in_the_ring;
static bool sender_has_left;

/* A sender that was stopped by its hypervisor in the middle of a write. */
static int stay_in_the_ring(struct host *host, const void *data, u32 len)
{
	host->on_send = NULL;
	complete(&sender_is_in_the_ring);
	mdelay(50);
	WRITE_ONCE(sender_has_left, true);
	return 0;
}

struct sending {
	struct work_struct work;
	struct client_done *done;
	NTSTATUS status;
};

static void send_one(struct work_struct *work)
{
	struct sending *sending = container_of(work, struct sending, work);

	sending->status = client_send(sending->done, "x", 1, 0);
}

/* Senders hold no lock: the rings are closed when the last one has left them. */
static void a_rescind_waits_for_a_sender_that_is_in_the_ring(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);
	struct sending sending = { .done = client_packet(client) };

	init_completion(&sender_is_in_the_ring);
	sender_has_left = false;
	host->on_send = stay_in_the_ring;
	INIT_WORK_ONSTACK(&sending.work, send_one);
	schedule_work(&sending.work);
	wait_for_completion(&sender_is_in_the_ring);

	host_withdraw(host);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(sender_has_left));
	flush_work(&sending.work);
	destroy_work_on_stack(&sending.work);
	EXPECT_STATUS(test, sending.status, STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(sending.done) == 1);
	EXPECT_STATUS(test, sending.done->status, STATUS_SUCCESS);
	wait_for_completion(&host->released);
}

struct disabling {
	struct work_struct work;
	VMBCHANNEL channel;
};

static void disable_channel(struct work_struct *work)
{
	VmbChannelDisable(container_of(work, struct disabling, work)->channel);
}

/* The client is being suspended and waits for an answer that will not come. */
static void a_rescind_ends_what_a_client_waits_for_when_suspended(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);
	struct client_done *open = client_packet(client);
	struct disabling disabling = { .channel = client->channel };

	EXPECT_STATUS(test, client_send(open, "open", 4, WAIT), STATUS_SUCCESS);
	init_completion(&suspend_may_end);
	client->on_event = stay_in_suspend;
	INIT_WORK_ONSTACK(&disabling.work, disable_channel);
	schedule_work(&disabling.work);
	EVENTUALLY(test, !strcmp(client->events, UP "suspend "));
	KUNIT_EXPECT_EQ(test, client_calls(open), 0);

	host_withdraw(host);
	KUNIT_EXPECT_EQ(test, client_calls(open), 1);
	complete(&suspend_may_end);
	flush_work(&disabling.work);
	destroy_work_on_stack(&disabling.work);
	CLIENT_EXPECT(client, UP DOWN);
}

static void a_close_that_takes_long_says_whose_turn_it_is(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	struct host *host;
	struct client *client = live_client(test, &host);

	client_chan(client)->ctl.patience_ms = 100;
	client->keep = true;
	host_write(host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
	host_signal(host);
	init_completion(&suspend_may_end);
	client->on_event = stay_in_suspend;
	host_withdraw(host);
	EVENTUALLY(test, log_lines(&mark, "EvtChannelSuspend has not returned"));
	complete(&suspend_may_end);
	EVENTUALLY(test, log_lines(&mark, "not completed the packets that it holds (it holds 1)"));
	client_complete(client, 0, NULL, 0);
	wait_for_completion(&host->released);
	msleep(200);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "the channel waits"), 0);
}

static void nothing_is_received_after_a_rescind(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);

	init_completion(&suspend_may_end);
	client->on_event = stay_in_suspend;
	host_withdraw(host);
	/* The rings are gone: a late signal must find none. */
	host_signal(host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 0);
	complete(&suspend_may_end);
	wait_for_completion(&host->released);
}

static void a_channel_put_to_sleep_is_opened_again_by_itself(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);
	struct client_done *open = client_packet(client);

	EXPECT_STATUS(test, client_send(open, "open", 4, WAIT), STATUS_SUCCESS);
	host_sleep(host);
	EXPECT_STATUS(test, open->status, STATUS_DEVICE_REMOVED);
	CLIENT_EXPECT(client, UP DOWN);
	host_offer(host);
	EVENTUALLY(test, client_events(client) == 8);
	CLIENT_EXPECT(client, UP DOWN UP);

	/* Once only: after a rescind it has to be enabled as ever. */
	host_rescind(host);
	CLIENT_EXPECT(client, UP DOWN UP DOWN);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
}

static void a_channel_put_to_sleep_can_be_disabled(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);

	host_sleep(host);
	VmbChannelDisable(client->channel);
	host_offer(host);
	/* It is disabled: its settings may change, and no offer opens it. */
	EXPECT_STATUS(test, VmbChannelInitSetFlags(client->channel, 0), STATUS_SUCCESS);
	CLIENT_EXPECT(client, UP DOWN);
}

static NTSTATUS enabled_status;

static void enable_when_closed(struct client *client, enum client_event event)
{
	if (event == CLIENT_CLOSED)
		enabled_status = VmbChannelEnable(client->channel);
}

static void a_client_may_enable_a_channel_that_is_put_to_sleep(struct kunit *test)
{
	struct host *host;
	struct client *client = live_client(test, &host);

	enabled_status = STATUS_PENDING;
	client->on_event = enable_when_closed;
	host_sleep(host);
	EXPECT_STATUS(test, enabled_status, STATUS_SUCCESS);
	client->on_event = NULL;
	host_offer(host);
	EVENTUALLY(test, client_events(client) == 8);
	CLIENT_EXPECT(client, UP DOWN UP);
}

static struct kunit_case liveness_cases[] = {
	KUNIT_CASE(a_rescind_does_not_wait_for_a_callback),
	KUNIT_CASE(a_rescind_waits_for_a_sender_that_is_in_the_ring),
	KUNIT_CASE(a_rescind_does_not_wait_for_a_packet_that_the_client_keeps),
	KUNIT_CASE(what_was_sent_completes_with_the_rescind),
	KUNIT_CASE(a_rescind_ends_what_a_client_waits_for_when_suspended),
	KUNIT_CASE(a_close_that_takes_long_says_whose_turn_it_is),
	KUNIT_CASE(nothing_is_received_after_a_rescind),
	KUNIT_CASE(a_channel_put_to_sleep_is_opened_again_by_itself),
	KUNIT_CASE(a_channel_put_to_sleep_can_be_disabled),
	KUNIT_CASE(a_client_may_enable_a_channel_that_is_put_to_sleep),
	{}
};

static struct kunit_suite liveness_suite = {
	.name = "kmcl_liveness",
	.test_cases = liveness_cases,
};

kunit_test_suite(liveness_suite);
