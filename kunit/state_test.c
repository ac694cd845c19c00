// SPDX-License-Identifier: GPL-2.0
/* States: the callbacks, their order, and requests that meet each other. */
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "pair.h"

static void an_enabled_channel_comes_up_active(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	CLIENT_EXPECT(client, UP);
}

static void enable_returns_before_there_is_an_offer(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->watches) == 1);
	KUNIT_EXPECT_EQ(test, client->n_events, 0);
	host_offer(host);
	EVENTUALLY(test, client_events(client) == 3);
	CLIENT_EXPECT(client, UP);
}

static void enable_needs_a_target(struct kunit *test)
{
	struct client *client = client_create(test, NULL);

	EXPECT_STATUS(test, VmbChannelEnable(client->channel),
		      STATUS_INVALID_DEVICE_STATE);
	EXPECT_STATUS(test, VmbChannelEnable(NULL), STATUS_INVALID_PARAMETER_1);
}

static void enable_on_an_enabled_channel_is_refused(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel),
		      STATUS_INVALID_DEVICE_STATE);
}

static void a_server_channel_needs_to_be_told_of_loopback(struct kunit *test)
{
	VMBCHANNEL server;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, TRUE, &server), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(server), STATUS_NOT_SUPPORTED);
	VmbChannelCleanup(server);
}

static void disable_closes_the_channel_before_it_returns(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, UP DOWN);
	KUNIT_EXPECT_EQ(test, host->closes, 1);
	KUNIT_EXPECT_TRUE(test, completion_done(&host->released));
}

static void disable_while_waiting_for_an_offer_calls_nobody(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->watches) == 1);
	VmbChannelDisable(client->channel);
	host_offer(host);
	KUNIT_EXPECT_EQ(test, client->n_events, 0);
	KUNIT_EXPECT_EQ(test, host->opens, 0);
}

static void disable_is_harmless_on_a_disabled_channel(struct kunit *test)
{
	struct client *client = client_create(test, NULL);

	VmbChannelDisable(client->channel);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, client->n_events, 0);
}

static void a_channel_can_be_enabled_again(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	VmbChannelDisable(client->channel);
	client_enable(client);
	CLIENT_EXPECT(client, UP DOWN UP);
}

static void a_rescind_closes_and_disables_the_channel(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	host_rescind(host);
	CLIENT_EXPECT(client, UP DOWN);

	/* The client needs Enable again: a new offer alone does not open it. */
	EVENTUALLY(test, READ_ONCE(host->watches) == 0);
	host_offer(host);
	CLIENT_EXPECT(client, UP DOWN);
	client_enable(client);
	CLIENT_EXPECT(client, UP DOWN UP);
}

static void another_instance_is_left_alone(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	GUID type, instance, found;

	memcpy(&type, &host->type, sizeof(type));
	memcpy(&instance, &host->instance, sizeof(instance));
	instance.Data1++;
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(client->channel, &type,
							     &instance, NULL),
		      STATUS_SUCCESS);
	host->offered = true;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->watches) == 1);
	/* Time enough to open the offer by mistake. */
	msleep(50);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, host->opens, 0);

	instance.Data1--;
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(client->channel, &type,
							     &instance, NULL),
		      STATUS_SUCCESS);
	client_enable(client);
	VmbChannelGetInterfaceInstance(client->channel, &found);
	KUNIT_EXPECT_MEMEQ(test, &found, &instance, sizeof(found));
}

static void the_instance_of_the_offer_in_use_is_reported(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	GUID found;

	VmbChannelGetInterfaceInstance(client->channel, &found);
	KUNIT_EXPECT_TRUE(test, guid_is_null((guid_t *)&found));
	host->offered = true;
	client_enable(client);
	VmbChannelGetInterfaceInstance(client->channel, &found);
	KUNIT_EXPECT_MEMEQ(test, &found, &host->instance, sizeof(found));
}

static void the_mmio_space_of_the_offer_is_reported_while_it_is_open(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	UINT64 address = 1, size = 1;

	VmbChannelGetMmioSpace(client->channel, &address, &size);
	KUNIT_EXPECT_EQ(test, address, 0);
	KUNIT_EXPECT_EQ(test, size, 0);

	host->offered = true;
	host->mmio_start = 0xf8000000;
	host->mmio_size = 8 << 20;
	client_enable(client);
	VmbChannelGetMmioSpace(client->channel, &address, &size);
	KUNIT_EXPECT_EQ(test, address, 0xf8000000);
	KUNIT_EXPECT_EQ(test, size, 8 << 20);

	VmbChannelDisable(client->channel);
	VmbChannelGetMmioSpace(client->channel, &address, &size);
	KUNIT_EXPECT_EQ(test, address, 0);
	KUNIT_EXPECT_EQ(test, size, 0);
}

static void an_offer_goes_to_one_of_two_channels(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *first = client_create(test, host);
	struct client *second = client_create(test, host);

	EXPECT_STATUS(test, VmbChannelEnable(first->channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->watches) == 1);
	EXPECT_STATUS(test, VmbChannelEnable(second->channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->watches) == 2);
	host_offer(host);
	EVENTUALLY(test, client_events(first) == 3);
	KUNIT_EXPECT_EQ(test, second->n_events, 0);
}

static void a_device_that_another_driver_holds_is_reported(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct pair *others = pair_create(test);

	host->held = true;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_events(client) == 1);
	CLIENT_EXPECT(client, "failure ");
	EXPECT_STATUS(test, client->pnp_status, STATUS_SHARING_VIOLATION);

	/* Once, also if the channel looks again because another let go of a device. */
	pair_up(others);
	VmbChannelDisable(others->client->channel);
	msleep(50);
	CLIENT_EXPECT(client, "failure ");

	/* The channel stays enabled: once released, the device is opened. */
	host->held = false;
	host_offer(host);
	EVENTUALLY(test, client_events(client) == 4);
	CLIENT_EXPECT(client, "failure " UP);
}

/* A packet sent when all others have been completed, before the channel is disabled. */
struct late {
	struct client_done *done;
	struct task_struct *disabling;
	int calls;		/* of the packet's routine, when disabled */
	struct completion over;
};

static struct late late;

static int disable_late(void *data)
{
	struct client *client = data;

	VmbChannelDisable(client->channel);
	late.calls = client_calls(late.done);
	complete(&late.over);
	return 0;
}

static void send_when_closed(struct client *client, enum client_event event)
{
	if (event != CLIENT_CLOSED)
		return;
	client->on_event = NULL;
	client_send(late.done, "late", 4, 0);
	wake_up_process(late.disabling);
	while (client_is_wanted(client))
		usleep_range(100, 200);
}

static void disable_completes_what_was_sent_behind_a_rescind(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	late = (struct late) { .done = client_packet(client) };
	init_completion(&late.over);
	late.disabling = kthread_create(disable_late, client, "kmcl_disable");
	KUNIT_ASSERT_FALSE(test, IS_ERR(late.disabling));
	client->on_event = send_when_closed;
	host_rescind(host);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&late.over, 10 * HZ), 0);
	KUNIT_EXPECT_EQ(test, late.calls, 1);
	EXPECT_STATUS(test, late.done->status, STATUS_DEVICE_REMOVED);
	CLIENT_EXPECT(client, UP DOWN);
}

struct refusal {
	const char *name;
	int error;
	NTSTATUS status;
};

static const struct refusal refusals[] = {
	{ "no memory", -ENOMEM, STATUS_INSUFFICIENT_RESOURCES },
	{ "rescinded", -ENODEV, STATUS_DEVICE_REMOVED },
	{ "refused by the host", -EAGAIN, STATUS_UNSUCCESSFUL },
};

KUNIT_ARRAY_PARAM_DESC(refusal, refusals, name);

static void an_open_that_fails_is_reported(struct kunit *test)
{
	const struct refusal *refusal = test->param_value;
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	host->open_error = refusal->error;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_events(client) == 1);
	CLIENT_EXPECT(client, "failure ");
	EXPECT_STATUS(test, client->pnp_status, refusal->status);

	host->open_error = 0;
	client_enable(client);
	CLIENT_EXPECT(client, "failure " UP);
}

static void an_opened_callback_that_fails_rolls_the_channel_back(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client->opened_status = STATUS_UNSUCCESSFUL;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_events(client) == 2);
	CLIENT_EXPECT(client, "opened failure ");
	EXPECT_STATUS(test, client->pnp_status, STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, host->closes, 1);
}

static void pause_before_enable_brings_the_channel_up_paused(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	VmbChannelPause(client->channel);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_events(client) == 1);
	CLIENT_EXPECT(client, "opened ");
	VmbChannelStart(client->channel);
	EVENTUALLY(test, client_events(client) == 3);
	CLIENT_EXPECT(client, UP);
}

/* What Pause and Start come to, by the state in which they are called. */
struct pausing {
	const char *name;
	enum kmcl_state state;
	bool paused;		/* before it is enabled */
	const char *calls;	/* p and s, one after the other */
	const char *events;	/* in the end, with an offer there */
};

static const struct pausing pausings[] = {
	{ "Pause, disabled", KMCL_DISABLED, false, "p", "opened " },
	{ "Start, disabled", KMCL_DISABLED, false, "s", UP },
	{ "Pause and Start, disabled", KMCL_DISABLED, false, "ps", UP },
	{ "Start and Pause, disabled", KMCL_DISABLED, false, "sp", "opened " },
	{ "Pause, waiting for an offer", KMCL_ENABLED, false, "p", "opened " },
	{ "Start, waiting for an offer", KMCL_ENABLED, true, "s", UP },
	{ "Pause, opened", KMCL_OPENED, true, "pp", "opened " },
	{ "Start, opened", KMCL_OPENED, true, "s", UP },
	{ "Start twice, opened", KMCL_OPENED, true, "ss", UP },
	{ "Pause, active", KMCL_ACTIVE, false, "p", UP "suspend " },
	{ "Pause twice, active", KMCL_ACTIVE, false, "pp", UP "suspend " },
	{ "Start, active", KMCL_ACTIVE, false, "ss", UP },
	{ "Pause and Start, active", KMCL_ACTIVE, false, "ps",
	  UP "suspend started post-started " },
};

KUNIT_ARRAY_PARAM_DESC(pausing, pausings, name);

static void pause_and_start_are_heard_in_every_state(struct kunit *test)
{
	const struct pausing *p = test->param_value;
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	const char *call;

	if (p->paused)
		VmbChannelPause(client->channel);
	if (p->state != KMCL_DISABLED)
		EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	if (p->state > KMCL_ENABLED)
		host_offer(host);
	EVENTUALLY(test, client_state(client) == p->state);

	for (call = p->calls; *call; call++) {
		if (*call == 'p')
			VmbChannelPause(client->channel);
		else
			VmbChannelStart(client->channel);
	}

	if (p->state == KMCL_DISABLED)
		EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	host_offer(host);
	EVENTUALLY(test, !strcmp(client->events, p->events));
	/* No more callbacks come. */
	msleep(20);
	CLIENT_EXPECT(client, p->events);
}

static void pause_suspends_and_start_starts_again(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	u64 number = 0;

	host->offered = true;
	client_enable(client);
	VmbChannelPause(client->channel);
	CLIENT_EXPECT(client, UP "suspend ");

	host_write(host, KMCL_WIRE_DATA, 0, 1, &number, sizeof(number));
	host_signal(host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 0);

	VmbChannelStart(client->channel);
	EVENTUALLY(test, client_events(client) == 6);
	CLIENT_EXPECT(client, UP "suspend started post-started ");
	EVENTUALLY(test, client_packets(client) == 1);
}

static void a_paused_channel_closes_without_a_second_suspend(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	VmbChannelPause(client->channel);
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, UP DOWN);
}

static void start_is_harmless_on_an_active_channel(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	VmbChannelStart(client->channel);
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, UP DOWN);
}

struct waiter {
	struct client *client;
	bool pause;
	struct completion returned;
};

static int waiter_thread(void *data)
{
	struct waiter *w = data;

	if (w->pause)
		VmbChannelPause(w->client->channel);
	else
		VmbChannelDisable(w->client->channel);
	complete(&w->returned);
	return 0;
}

static void wait_for_outstanding(struct kunit *test, bool pause)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct waiter waiter = { .client = client, .pause = pause };
	u64 number = 0;

	host->offered = true;
	client_enable(client);
	client->keep = true;
	host_write(host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 1, &number, 8);
	host_signal(host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);

	init_completion(&waiter.returned);
	kthread_run(waiter_thread, &waiter, "kmcl_waiter");
	EVENTUALLY(test, client_events(client) == 4);
	CLIENT_EXPECT(client, UP "suspend ");
	KUNIT_EXPECT_FALSE(test, wait_for_completion_timeout(&waiter.returned, HZ / 10));

	/* After Suspend the client completes what it holds, and that is sent. */
	client_complete(client, 0, &number, 8);
	if (pause)
		KUNIT_EXPECT_EQ(test, host_skip_all(host), 1);
	wait_for_completion(&waiter.returned);
}

static void pause_waits_until_the_client_has_completed_its_packets(struct kunit *test)
{
	wait_for_outstanding(test, true);
}

static void disable_waits_until_the_client_has_completed_its_packets(struct kunit *test)
{
	wait_for_outstanding(test, false);
}

static void send_in_callback(struct client *client, enum client_event event)
{
	VMBPACKET packet;

	/* State callbacks may allocate and send. */
	packet = VmbPacketAllocate(client->channel);
	if (packet)
		VmbPacketSend(packet, &event, sizeof(event), NULL, 0);
}

static void callbacks_may_send(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client->on_event = send_in_callback;
	client_enable(client);
	/* Opened, started and post-started: one packet each. */
	KUNIT_EXPECT_EQ(test, host_skip_all(host), 3);
	VmbChannelDisable(client->channel);
	client->on_event = NULL;
}

static void enable_when_closed(struct client *client, enum client_event event)
{
	if (event == CLIENT_CLOSED) {
		client->on_event = NULL;
		EXPECT_STATUS(client->test, VmbChannelEnable(client->channel),
			      STATUS_SUCCESS);
	}
}

static void a_client_may_ask_for_the_next_offer_when_closed(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	client->on_event = enable_when_closed;
	host_rescind(host);
	CLIENT_EXPECT(client, UP DOWN);
	EVENTUALLY(test, client_state(client) == KMCL_ENABLED);
	host_offer(host);
	EVENTUALLY(test, client_events(client) == 8);
	CLIENT_EXPECT(client, UP DOWN UP);
}

static void enable_refused_when_closed(struct client *client, enum client_event event)
{
	if (event == CLIENT_CLOSED)
		EXPECT_STATUS(client->test, VmbChannelEnable(client->channel),
			      STATUS_INVALID_DEVICE_STATE);
}

static void a_client_may_not_when_it_is_being_disabled(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client_enable(client);
	client->on_event = enable_refused_when_closed;
	VmbChannelDisable(client->channel);
	CLIENT_EXPECT(client, UP DOWN);
	client->on_event = NULL;
}

static void a_device_given_back_goes_to_the_next_channel_that_waits(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *first = client_create(test, host);
	struct client *second = client_create(test, host);

	host->offered = true;
	client_enable(first);
	EXPECT_STATUS(test, VmbChannelEnable(second->channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(host->watches) == 2);
	KUNIT_EXPECT_EQ(test, second->n_events, 0);
	VmbChannelDisable(first->channel);
	EVENTUALLY(test, client_events(second) == 3);
	CLIENT_EXPECT(second, UP);
}

static int toggler_thread(void *data)
{
	struct waiter *w = data;
	u32 i;

	for (i = 0; i < 200; i++) {
		switch (get_random_u32_below(4)) {
		case 0:
			/* It may be enabled already. */
			if (VmbChannelEnable(w->client->channel))
				break;
			break;
		case 1:
			VmbChannelDisable(w->client->channel);
			break;
		case 2:
			VmbChannelPause(w->client->channel);
			break;
		case 3:
			VmbChannelStart(w->client->channel);
			break;
		}
	}
	complete(&w->returned);
	return 0;
}

/* Opens and closes pair up whichever calls meet; the host checks that. */
static void requests_from_two_threads_and_rescinds_may_meet(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct waiter waiters[2];
	u32 i, rescinds = 0;

	host->offered = true;
	for (i = 0; i < 2; i++) {
		waiters[i].client = client;
		init_completion(&waiters[i].returned);
		kthread_run(toggler_thread, &waiters[i], "kmcl_toggler");
	}
	while (!completion_done(&waiters[0].returned) ||
	       !completion_done(&waiters[1].returned)) {
		usleep_range(500, 1500);
		if (client_has_link(client)) {
			host_rescind(host);
			host->offered = true;
			rescinds++;
		}
	}
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_GT(test, rescinds, 0);
	KUNIT_EXPECT_EQ(test, host->opens, host->closes);

	/* And the channel still works. */
	VmbChannelStart(client->channel);
	client->n_events = 0;
	client->events[0] = '\0';
	client_enable(client);
	CLIENT_EXPECT(client, UP);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(an_enabled_channel_comes_up_active),
	KUNIT_CASE(enable_returns_before_there_is_an_offer),
	KUNIT_CASE(enable_needs_a_target),
	KUNIT_CASE(enable_on_an_enabled_channel_is_refused),
	KUNIT_CASE(a_server_channel_needs_to_be_told_of_loopback),
	KUNIT_CASE(disable_closes_the_channel_before_it_returns),
	KUNIT_CASE(disable_while_waiting_for_an_offer_calls_nobody),
	KUNIT_CASE(disable_is_harmless_on_a_disabled_channel),
	KUNIT_CASE(a_channel_can_be_enabled_again),
	KUNIT_CASE(a_rescind_closes_and_disables_the_channel),
	KUNIT_CASE(another_instance_is_left_alone),
	KUNIT_CASE(the_instance_of_the_offer_in_use_is_reported),
	KUNIT_CASE(the_mmio_space_of_the_offer_is_reported_while_it_is_open),
	KUNIT_CASE(an_offer_goes_to_one_of_two_channels),
	KUNIT_CASE(a_device_that_another_driver_holds_is_reported),
	KUNIT_CASE_PARAM(an_open_that_fails_is_reported, refusal_gen_params),
	KUNIT_CASE(an_opened_callback_that_fails_rolls_the_channel_back),
	KUNIT_CASE(pause_before_enable_brings_the_channel_up_paused),
	KUNIT_CASE_PARAM(pause_and_start_are_heard_in_every_state, pausing_gen_params),
	KUNIT_CASE(pause_suspends_and_start_starts_again),
	KUNIT_CASE(a_paused_channel_closes_without_a_second_suspend),
	KUNIT_CASE(start_is_harmless_on_an_active_channel),
	KUNIT_CASE(pause_waits_until_the_client_has_completed_its_packets),
	KUNIT_CASE(disable_waits_until_the_client_has_completed_its_packets),
	KUNIT_CASE(callbacks_may_send),
	KUNIT_CASE(a_client_may_ask_for_the_next_offer_when_closed),
	KUNIT_CASE(a_client_may_not_when_it_is_being_disabled),
	KUNIT_CASE(a_device_given_back_goes_to_the_next_channel_that_waits),
	KUNIT_CASE(requests_from_two_threads_and_rescinds_may_meet),
	KUNIT_CASE(disable_completes_what_was_sent_behind_a_rescind),
	{}
};

static struct kunit_suite state_suite = {
	.name = "kmcl_state",
	.test_cases = state_cases,
};

kunit_test_suite(state_suite);
