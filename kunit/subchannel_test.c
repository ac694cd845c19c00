// SPDX-License-Identifier: GPL-2.0
/* Sub-channels: when they open, pause and close beside their primary. On loopback. */
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "log.h"
#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#define COMPLAINT_DUE(text)	pr_info("complaint due: %s\n", text)

/* A connected pair with a sub-channel of either end, disabled. */
struct family {
	struct kunit *test;
	struct pair *pair;
	struct client *client;	/* the client's sub-channel */
	struct client *server;	/* the server's */
};

/* As pair_enable(): a server comes up paused. */
static NTSTATUS enable_end(struct client *end)
{
	NTSTATUS status = VmbChannelEnable(end->channel);

	if (client_chan(end)->is_server)
		VmbChannelStart(end->channel);
	return status;
}

/* State callbacks of several channels in one order: "NAME:what ". */
static char order[512];
static DEFINE_SPINLOCK(order_lock);

static void note_order(struct client *client, enum client_event event)
{
	static const char * const words[] = {
		[CLIENT_OPENED] = "opened ", [CLIENT_STARTED] = "started ",
		[CLIENT_POST_STARTED] = "post-started ", [CLIENT_SUSPEND] = "suspend ",
		[CLIENT_CLOSED] = "closed ", [CLIENT_PNP_FAILURE] = "failure ",
	};

	spin_lock(&order_lock);
	strlcat(order, client->private, sizeof(order));
	strlcat(order, words[event], sizeof(order));
	spin_unlock(&order_lock);
}

/* What happens from here on to the client's two channels. */
static void watch_order(struct family *f)
{
	order[0] = 0;
	f->pair->client->private = "primary:";
	f->pair->client->on_event = note_order;
	f->client->private = "sub:";
	f->client->on_event = note_order;
}

static struct family *family_create(struct kunit *test)
{
	struct family *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->test = test;
	f->pair = pair_create(test);
	f->server = pair_new_sub(f->pair, f->pair->server, 1);
	f->client = pair_new_sub(f->pair, f->pair->client, 1);
	return f;
}

static void family_up(struct family *f)
{
	pair_up(f->pair);
	pair_enable(f->server);
	pair_enable(f->client);
	PAIR_EVENTS(f->server, UP);
	PAIR_EVENTS(f->client, UP);
}

static struct family *family_create_up(struct kunit *test)
{
	struct family *f = family_create(test);

	family_up(f);
	return f;
}

/* A packet goes each way, and is completed. */
static void expect_traffic(struct client *a, struct client *b)
{
	struct client_done *there = client_packet(a), *back = client_packet(b);
	u64 number = 4711;

	EXPECT_STATUS(a->test, client_send(there, &number, sizeof(number), WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(a->test, client_send(back, &number, sizeof(number), WAIT), STATUS_SUCCESS);
	EVENTUALLY(a->test, client_calls(there) == 1 && client_calls(back) == 1);
	EXPECT_STATUS(a->test, there->status, STATUS_SUCCESS);
	EXPECT_STATUS(a->test, back->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(a->test, b->packets[client_packets(b) - 1].first, number);
}

static void expect_disabled(struct client *client)
{
	KUNIT_EXPECT_EQ(client->test, client_state(client), KMCL_DISABLED);
	KUNIT_EXPECT_FALSE(client->test, client_is_wanted(client));
}

static void a_sub_channel_needs_a_primary_and_an_index(struct kunit *test)
{
	struct family *f = family_create(test);
	VMBCHANNEL primary = f->pair->client->channel;
	VMBCHANNEL fresh = client_create_end(test, false)->channel;
	VMBCHANNEL server = client_create_end(test, true)->channel;

	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(NULL, primary, 1),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(fresh, NULL, 1),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(fresh, fresh, 1),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(fresh, primary, 0),
		      STATUS_INVALID_PARAMETER_3);
	/* A client's of a server, a server's of a client. */
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(fresh, server, 1),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(server, primary, 1),
		      STATUS_INVALID_PARAMETER_2);
	/* Sub-channels have none of their own, whichever way about it is said. */
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(fresh, f->client->channel, 1),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(primary, fresh, 1),
		      STATUS_INVALID_PARAMETER_1);
	/* It has one already. */
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(f->client->channel, primary, 2),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelEnable(fresh), STATUS_INVALID_DEVICE_STATE);
}

static void an_enabled_channel_is_not_made_a_sub_channel(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *other = pair_new_client(pair);

	pair_enable(pair->client);
	EXPECT_STATUS(test, VmbChannelInitSetPrimaryChannel(pair->client->channel,
							    other->channel, 1),
		      STATUS_INVALID_PARAMETER_1);
}

static void a_sub_channel_is_enabled_only_while_its_primary_is_open(struct kunit *test)
{
	struct family *f = family_create(test);

	EXPECT_STATUS(test, VmbChannelEnable(f->client->channel), STATUS_INVALID_DEVICE_STATE);
	pair_enable(f->pair->client);
	/* Its primary still waits for the offer. */
	EXPECT_STATUS(test, VmbChannelEnable(f->client->channel), STATUS_INVALID_DEVICE_STATE);
	/* And this one for its client. */
	pair_enable(f->pair->server);
	PAIR_EVENTS(f->pair->client, UP);
	PAIR_EVENTS(f->pair->server, UP);
	EXPECT_STATUS(test, VmbChannelEnable(f->client->channel), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelEnable(f->client->channel), STATUS_INVALID_DEVICE_STATE);
	EXPECT_STATUS(test, enable_end(f->server), STATUS_SUCCESS);
	PAIR_EVENTS(f->client, UP);
	PAIR_EVENTS(f->server, UP);

	VmbChannelDisable(f->pair->client->channel);
	EXPECT_STATUS(test, VmbChannelEnable(f->client->channel), STATUS_INVALID_DEVICE_STATE);
	/* The server is offered still, but not open. */
	PAIR_EVENTS(f->pair->server, UP DOWN);
	EVENTUALLY(test, client_state(f->pair->server) == KMCL_ENABLED);
	EXPECT_STATUS(test, VmbChannelEnable(f->server->channel), STATUS_INVALID_DEVICE_STATE);
}

static void packets_travel_on_both(struct kunit *test)
{
	struct family *f = family_create_up(test);
	GUID instance = {};

	expect_traffic(f->client, f->server);
	expect_traffic(f->pair->client, f->pair->server);
	VmbChannelGetInterfaceInstance(f->client->channel, &instance);
	KUNIT_EXPECT_MEMEQ(test, &instance, &f->pair->instance, sizeof(instance));
}

static void the_instance_is_the_primarys(struct kunit *test)
{
	struct family *f = family_create(test);
	GUID instance = {};

	VmbChannelGetInterfaceInstance(f->client->channel, &instance);
	KUNIT_EXPECT_MEMEQ(test, &instance, &f->pair->instance, sizeof(instance));
	/* Any of the class: which one is known once the primary is open. */
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(f->pair->client->channel,
							     &f->pair->type, NULL, NULL),
		      STATUS_SUCCESS);
	VmbChannelGetInterfaceInstance(f->client->channel, &instance);
	KUNIT_EXPECT_TRUE(test, guid_is_null((guid_t *)&instance));
	pair_up(f->pair);
	VmbChannelGetInterfaceInstance(f->client->channel, &instance);
	KUNIT_EXPECT_MEMEQ(test, &instance, &f->pair->instance, sizeof(instance));
}

static void a_sub_channel_waits_for_its_index(struct kunit *test)
{
	struct family *f = family_create(test);
	struct client *second = pair_new_sub(f->pair, f->pair->server, 2);

	pair_up(f->pair);
	pair_enable(second);
	pair_enable(f->client);
	msleep(50);
	KUNIT_EXPECT_EQ(test, client_events(f->client), 0);
	KUNIT_EXPECT_EQ(test, client_events(second), 0);
	/* It never comes: the wait ends when it is disabled, */
	VmbChannelDisable(f->client->channel);
	expect_disabled(f->client);
	/* or with its primary, */
	pair_enable(f->client);
	VmbChannelDisable(f->pair->client->channel);
	expect_disabled(f->client);
	CLIENT_EXPECT(f->client, "");
	/* or it comes. */
	pair_enable(f->pair->client);
	PAIR_EVENTS(f->pair->client, UP DOWN UP);
	pair_enable(f->client);
	EVENTUALLY(test, client_state(f->pair->server) == KMCL_ACTIVE);
	pair_enable(f->server);
	PAIR_EVENTS(f->client, UP);
	expect_traffic(f->client, f->server);
}

static void an_index_is_taken_once(struct kunit *test)
{
	struct family *f = family_create(test);
	struct client *client = pair_new_sub(f->pair, f->pair->client, 1);
	struct client *server = pair_new_sub(f->pair, f->pair->server, 1);

	family_up(f);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_OBJECT_NAME_COLLISION);
	EXPECT_STATUS(test, VmbChannelEnable(server->channel), STATUS_OBJECT_NAME_COLLISION);
	VmbChannelDisable(f->client->channel);
	VmbChannelDisable(f->server->channel);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EXPECT_STATUS(test, enable_end(server), STATUS_SUCCESS);
	PAIR_EVENTS(client, UP);
	expect_traffic(client, server);
}

static void each_index_is_a_channel_of_its_own(struct kunit *test)
{
	struct family *f = family_create(test);
	struct client *client[3], *server[3];
	u32 i;

	pair_up(f->pair);
	for (i = 0; i < 3; i++) {
		server[i] = pair_new_sub(f->pair, f->pair->server, i + 2);
		client[i] = pair_new_sub(f->pair, f->pair->client, i + 2);
	}
	/* Not in the order in which they are offered. */
	for (i = 0; i < 3; i++)
		pair_enable(client[2 - i]);
	for (i = 0; i < 3; i++)
		pair_enable(server[i]);
	for (i = 0; i < 3; i++) {
		PAIR_EVENTS(client[i], UP);
		expect_traffic(client[i], server[i]);
	}
	VmbChannelDisable(client[1]->channel);
	expect_traffic(client[2], server[2]);
}

/* Another connection's, of the same class, and waited for longer. */
static void a_sub_channel_is_of_its_primarys_connection(struct kunit *test)
{
	struct family *f = family_create(test);
	struct client *server = pair_new_server(f->pair), *client = pair_new_client(f->pair);
	struct client *sub = pair_new_sub(f->pair, client, 1);
	GUID instance;

	guid_gen((guid_t *)&instance);
	ASSERT_STATUS(test, VmbServerChannelInitSetTargetInterfaceId(server->channel,
								     f->pair->type, instance),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(client->channel, &f->pair->type,
							     &instance, NULL),
		      STATUS_SUCCESS);
	pair_enable(server);
	pair_enable(client);
	PAIR_EVENTS(client, UP);
	pair_enable(sub);
	family_up(f);
	expect_traffic(f->client, f->server);
	CLIENT_EXPECT(sub, "");
}

static void a_sub_channel_opens_and_closes_by_itself(struct kunit *test)
{
	struct family *f = family_create_up(test);

	VmbChannelDisable(f->client->channel);
	PAIR_EVENTS(f->server, UP DOWN);
	CLIENT_EXPECT(f->client, UP DOWN);
	expect_traffic(f->pair->client, f->pair->server);
	/* It goes on being offered. */
	pair_enable(f->client);
	PAIR_EVENTS(f->client, UP DOWN UP);
	expect_traffic(f->client, f->server);

	VmbChannelDisable(f->server->channel);
	PAIR_EVENTS(f->client, UP DOWN UP DOWN);
	EVENTUALLY(test, client_state(f->client) == KMCL_DISABLED);
	expect_traffic(f->pair->client, f->pair->server);
	CLIENT_EXPECT(f->pair->client, UP);
}

static void enable_when_closed(struct client *client, enum client_event event)
{
	if (event == CLIENT_CLOSED)
		client->pnp_status = VmbChannelEnable(client->channel);
}

static void a_sub_channel_that_is_gone_may_be_waited_for_again(struct kunit *test)
{
	struct family *f = family_create_up(test);

	f->client->on_event = enable_when_closed;
	VmbChannelDisable(f->server->channel);
	PAIR_EVENTS(f->client, UP DOWN);
	EXPECT_STATUS(test, f->client->pnp_status, STATUS_SUCCESS);
	pair_enable(f->server);
	PAIR_EVENTS(f->client, UP DOWN UP);
	expect_traffic(f->client, f->server);

	/* But not where it closes because its primary does. */
	VmbChannelDisable(f->pair->client->channel);
	EXPECT_STATUS(test, f->client->pnp_status, STATUS_INVALID_DEVICE_STATE);
	expect_disabled(f->client);
}

#define PRIMARY_FIRST	"primary:started primary:post-started sub:started sub:post-started "
#define SUB_FIRST	"sub:suspend sub:closed primary:suspend primary:closed "

static void sub_channels_close_before_their_primary_is_disabled(struct kunit *test)
{
	struct family *f = family_create_up(test);

	watch_order(f);
	VmbChannelDisable(f->pair->client->channel);
	KUNIT_EXPECT_STREQ(test, order, SUB_FIRST);
	expect_disabled(f->client);
	PAIR_EVENTS(f->server, UP DOWN);
	EVENTUALLY(test, client_state(f->server) == KMCL_DISABLED);
}

static void sub_channels_close_before_their_primary_whose_server_is_gone(struct kunit *test)
{
	struct family *f = family_create_up(test);

	watch_order(f);
	VmbChannelDisable(f->pair->server->channel);
	CLIENT_EXPECT(f->server, UP DOWN);
	expect_disabled(f->server);
	PAIR_EVENTS(f->pair->client, UP DOWN);
	KUNIT_EXPECT_STREQ(test, order, SUB_FIRST);
	EVENTUALLY(test, client_state(f->client) == KMCL_DISABLED);
}

static void sub_channels_of_a_paused_primary_close_with_it(struct kunit *test)
{
	struct family *f = family_create_up(test);

	watch_order(f);
	VmbChannelPause(f->pair->client->channel);
	VmbChannelDisable(f->pair->client->channel);
	KUNIT_EXPECT_STREQ(test, order, "sub:suspend primary:suspend sub:closed primary:closed ");
}

static void sub_channels_pause_before_their_primary_and_start_after_it(struct kunit *test)
{
	struct family *f = family_create_up(test);

	watch_order(f);
	VmbChannelPause(f->pair->client->channel);
	KUNIT_EXPECT_STREQ(test, order, "sub:suspend primary:suspend ");
	pair_send(f->server, 1, 8);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_packets(f->client), 0);

	VmbChannelStart(f->pair->client->channel);
	EVENTUALLY(test, client_state(f->client) == KMCL_ACTIVE);
	PAIR_EVENTS(f->client, UP "suspend started post-started ");
	KUNIT_EXPECT_STREQ(test, order, "sub:suspend primary:suspend " PRIMARY_FIRST);
	EVENTUALLY(test, client_packets(f->client) == 1);
	expect_traffic(f->client, f->server);
}

static void a_pause_of_its_own_outlasts_that_of_its_primary(struct kunit *test)
{
	struct family *f = family_create_up(test);

	VmbChannelPause(f->client->channel);
	VmbChannelPause(f->pair->client->channel);
	VmbChannelStart(f->pair->client->channel);
	PAIR_EVENTS(f->pair->client, UP "suspend started post-started ");
	msleep(20);
	CLIENT_EXPECT(f->client, UP "suspend ");
	/* And the other way about. */
	VmbChannelPause(f->pair->client->channel);
	VmbChannelStart(f->client->channel);
	msleep(20);
	CLIENT_EXPECT(f->client, UP "suspend ");
	VmbChannelStart(f->pair->client->channel);
	PAIR_EVENTS(f->client, UP "suspend started post-started ");
}

static void a_sub_channel_of_a_paused_primary_comes_up_paused(struct kunit *test)
{
	struct family *f = family_create(test);

	VmbChannelPause(f->pair->client->channel);
	pair_enable(f->pair->server);
	pair_enable(f->pair->client);
	PAIR_EVENTS(f->pair->client, "opened ");
	PAIR_EVENTS(f->pair->server, UP);
	pair_enable(f->server);
	pair_enable(f->client);
	PAIR_EVENTS(f->client, "opened ");
	msleep(20);
	CLIENT_EXPECT(f->client, "opened ");
	VmbChannelStart(f->pair->client->channel);
	PAIR_EVENTS(f->client, UP);
}

static void enable_private_when_opened(struct client *client, enum client_event event)
{
	struct client *sub = client->private;

	if (event == CLIENT_OPENED)
		sub->pnp_status = enable_end(sub);
	/* Long enough for a sub-channel to start too early, if it can. */
	if (event == CLIENT_STARTED)
		msleep(50);
	if (event == CLIENT_POST_STARTED)
		KUNIT_EXPECT_FALSE(client->test, strstr(sub->events, "started"));
}

static void opened_may_enable_sub_channels(struct kunit *test)
{
	struct family *f = family_create(test);

	f->pair->server->private = f->server;
	f->pair->server->on_event = enable_private_when_opened;
	f->pair->client->private = f->client;
	f->pair->client->on_event = enable_private_when_opened;
	pair_up(f->pair);
	PAIR_EVENTS(f->client, UP);
	PAIR_EVENTS(f->server, UP);
	EXPECT_STATUS(test, f->client->pnp_status, STATUS_SUCCESS);
	f->pair->client->on_event = NULL;
	f->pair->server->on_event = NULL;
}

static void wait_for_private_when_opened(struct client *client, enum client_event event)
{
	struct client *sub = client->private;

	if (event != CLIENT_OPENED)
		return;
	EXPECT_STATUS(client->test, VmbChannelEnable(sub->channel), STATUS_SUCCESS);
	EVENTUALLY(client->test, client_events(sub) == 1);
}

static void an_opening_that_fails_closes_sub_channels(struct kunit *test)
{
	struct family *f = family_create(test);

	f->pair->server->private = f->server;
	f->pair->server->on_event = enable_private_when_opened;
	f->pair->client->private = f->client;
	f->pair->client->on_event = wait_for_private_when_opened;
	f->pair->client->opened_status = STATUS_UNSUCCESSFUL;
	pair_enable(f->pair->server);
	pair_enable(f->pair->client);
	EVENTUALLY(test, client_events(f->pair->client) == 2);
	CLIENT_EXPECT(f->pair->client, "opened failure ");
	CLIENT_EXPECT(f->client, "opened closed ");
	expect_disabled(f->client);
	f->pair->server->on_event = NULL;
	f->pair->client->on_event = NULL;
}

/* Something that is asked for in a thread, and is to take long. */
struct asking {
	void (*call)(VMBCHANNEL channel);
	VMBCHANNEL channel;
	struct completion done;
};

static int asking_thread(void *data)
{
	struct asking *asking = data;

	asking->call(asking->channel);
	complete(&asking->done);
	return 0;
}

static void ask(struct kunit *test, struct asking *asking, void (*call)(VMBCHANNEL),
		struct client *client)
{
	asking->call = call;
	asking->channel = client->channel;
	init_completion(&asking->done);
	KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(asking_thread, asking, "kmcl_asking")));
}

static void asked(struct kunit *test, struct asking *asking)
{
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&asking->done, 10 * HZ), 0);
}

static void a_close_waits_for_the_sub_channels_client_and_says_so(struct kunit *test)
{
	struct family *f = family_create_up(test);
	struct kmsg_dump_iter mark = log_mark();
	static struct asking disable;	/* outlives a case that fails */

	client_chan(f->pair->client)->ctl.patience_ms = 100;
	f->client->keep = true;
	pair_send(f->server, 1, 8);
	EVENTUALLY(test, client_packets(f->client) == 1);
	ask(test, &disable, VmbChannelDisable, f->pair->client);
	EVENTUALLY(test, log_lines(&mark, "its sub-channels have not closed"));
	KUNIT_EXPECT_FALSE(test, completion_done(&disable.done));
	CLIENT_EXPECT(f->pair->client, UP);
	client_complete(f->client, 0, NULL, 0);
	asked(test, &disable);
	CLIENT_EXPECT(f->client, UP DOWN);
	CLIENT_EXPECT(f->pair->client, UP DOWN);
}

static void a_pause_waits_for_the_sub_channels_client_and_says_so(struct kunit *test)
{
	struct family *f = family_create_up(test);
	struct kmsg_dump_iter mark = log_mark();
	static struct asking pause;	/* outlives a case that fails */

	client_chan(f->pair->client)->ctl.patience_ms = 100;
	f->client->keep = true;
	pair_send(f->server, 1, 8);
	EVENTUALLY(test, client_packets(f->client) == 1);
	ask(test, &pause, VmbChannelPause, f->pair->client);
	EVENTUALLY(test, log_lines(&mark, "its sub-channels have not paused"));
	KUNIT_EXPECT_FALSE(test, completion_done(&pause.done));
	CLIENT_EXPECT(f->pair->client, UP);
	client_complete(f->client, 0, NULL, 0);
	asked(test, &pause);
	CLIENT_EXPECT(f->pair->client, UP "suspend ");
}

static struct client *holder;

static void complete_what_is_held(struct client_done *done)
{
	client_complete(holder, 0, NULL, 0);
}

/* The primary's worker waits for the pause, and does not get to closing anything. */
static void disable_ends_a_pause_that_a_sub_channel_cannot_end(struct kunit *test)
{
	struct family *f = family_create_up(test);
	struct client_done *done = client_packet(f->client);
	static struct asking pause, disable;	/* outlive a case that fails */
	u64 number;

	holder = f->client;
	f->client->keep = true;
	f->server->keep = true;
	done->again = complete_what_is_held;
	ASSERT_STATUS(test, client_send(done, "q", 1, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(f->server) == 1);
	pair_send(f->server, 0, 8);
	EVENTUALLY(test, client_packets(f->client) == 1);

	ask(test, &pause, VmbChannelPause, f->pair->client);
	EVENTUALLY(test, client_events(f->client) == 4);
	/* More than is put aside, and behind it what the client waits for. */
	for (number = 1; number <= 70; number++)
		pair_send(f->server, number, 8);
	client_complete(f->server, 0, NULL, 0);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&pause.done));
	ask(test, &disable, VmbChannelDisable, f->pair->client);
	asked(test, &disable);
	asked(test, &pause);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	CLIENT_EXPECT(f->client, UP DOWN);
	CLIENT_EXPECT(f->pair->client, UP DOWN);
}

static struct client *grown_primary;

static void wait_for_primary_when_suspended(struct client *client, enum client_event event)
{
	if (event != CLIENT_SUSPEND)
		return;
	VmbChannelDisable(grown_primary->channel);
	VmbChannelPause(grown_primary->channel);
	VmbChannelCleanup(grown_primary->channel);
}

static void a_sub_channels_callback_cannot_wait_for_its_primary(struct kunit *test)
{
	struct family *f = family_create_up(test);

	grown_primary = f->pair->client;
	f->client->on_event = wait_for_primary_when_suspended;
	COMPLAINT_DUE("which waits for this callback of its sub-channel");
	VmbChannelPause(f->client->channel);
	f->client->on_event = NULL;
	CLIENT_EXPECT(f->pair->client, UP);
	VmbChannelStart(f->client->channel);
	PAIR_EVENTS(f->client, UP "suspend started post-started ");
	expect_traffic(f->client, f->server);
}

static void disable_private_when_started(struct client *client, enum client_event event)
{
	struct client *sub = client->private;

	if (event == CLIENT_SUSPEND || event == CLIENT_STARTED)
		VmbChannelDisable(sub->channel);
}

static void a_primarys_callback_may_disable_a_sub_channel(struct kunit *test)
{
	struct family *f = family_create_up(test);

	f->pair->client->private = f->client;
	f->pair->client->on_event = disable_private_when_started;
	VmbChannelPause(f->pair->client->channel);
	CLIENT_EXPECT(f->client, UP DOWN);
	expect_disabled(f->client);
	VmbChannelStart(f->pair->client->channel);
	PAIR_EVENTS(f->pair->client, UP "suspend started post-started ");
	f->pair->client->on_event = NULL;
}

static void what_sub_channels_have_sent_completes_when_the_primary_closes(struct kunit *test)
{
	struct family *f = family_create_up(test);
	struct client_done *done[32];
	u32 i;

	f->server->keep = true;
	VmbChannelSetTransactionQuota(f->server->channel, 1);
	for (i = 0; i < ARRAY_SIZE(done); i++) {
		done[i] = client_packet(f->client);
		ASSERT_STATUS(test, client_send(done[i], order, sizeof(order), WAIT),
			      STATUS_SUCCESS);
	}
	KUNIT_EXPECT_GT(test, client_count(f->client, queued), 0);
	VmbChannelDisable(f->pair->client->channel);
	for (i = 0; i < ARRAY_SIZE(done); i++) {
		KUNIT_EXPECT_EQ(test, client_calls(done[i]), 1);
		EXPECT_STATUS(test, done[i]->status, STATUS_DEVICE_REMOVED);
	}
	for (i = 0; i < client_packets(f->server); i++)
		client_complete(f->server, i, NULL, 0);
}

static void a_primary_that_is_cleaned_up_leaves_its_sub_channels_behind(struct kunit *test)
{
	struct client *sub = client_create_end(test, false);
	struct kmsg_dump_iter mark = log_mark();
	struct pair *pair = pair_create(test);
	VMBCHANNEL primary;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &primary), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetPrimaryChannel(sub->channel, primary, 1),
		      STATUS_SUCCESS);
	VmbChannelCleanup(primary);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "cleaned up before its 1 sub-channels"), 1);
	EXPECT_STATUS(test, VmbChannelEnable(sub->channel), STATUS_INVALID_DEVICE_STATE);
	VmbChannelStart(sub->channel);
	VmbChannelDisable(sub->channel);

	/* It may have another. */
	ASSERT_STATUS(test, VmbChannelInitSetPrimaryChannel(sub->channel, pair->client->channel, 1),
		      STATUS_SUCCESS);
	pair_up(pair);
	EXPECT_STATUS(test, VmbChannelEnable(sub->channel), STATUS_SUCCESS);
	VmbChannelDisable(pair->client->channel);
	expect_disabled(sub);
}

static void a_sub_channel_is_not_saved(struct kunit *test)
{
	struct family *f = family_create_up(test);
	u64 *chunk = kunit_kzalloc(test, 4096, GFP_KERNEL);
	ULONG filled, needed;

	VmbChannelPause(f->server->channel);
	EXPECT_STATUS(test, VmbChannelSaveBegin(f->server->channel), STATUS_NOT_SUPPORTED);
	VmbChannelDisable(f->server->channel);
	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(f->server->channel, chunk, 4096),
		      STATUS_NOT_SUPPORTED);
	PAIR_EVENTS(f->client, UP DOWN);
	pair_enable(f->server);
	pair_enable(f->client);
	PAIR_EVENTS(f->client, UP DOWN UP);

	/* Its primary is, and the client's primary stays. */
	VmbChannelPause(f->pair->server->channel);
	ASSERT_STATUS(test, VmbChannelSaveBegin(f->pair->server->channel), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelSaveContinue(f->pair->server->channel, chunk, 4096,
						   &filled, &needed), STATUS_SUCCESS);
	VmbChannelSaveEnd(f->pair->server->channel);
	VmbChannelDisable(f->pair->server->channel);
	PAIR_EVENTS(f->client, UP DOWN UP DOWN);
	CLIENT_EXPECT(f->pair->client, UP);

	EXPECT_STATUS(test, VmbChannelRestoreFromBuffer(f->pair->server->channel, chunk, filled),
		      STATUS_SUCCESS);
	pair_enable(f->pair->server);
	EVENTUALLY(test, client_state(f->pair->server) == KMCL_ACTIVE);
	pair_enable(f->server);
	pair_enable(f->client);
	PAIR_EVENTS(f->client, UP DOWN UP DOWN UP);
	expect_traffic(f->client, f->server);
	expect_traffic(f->pair->client, f->pair->server);
}

static void the_next_client_has_sub_channels_of_its_own(struct kunit *test)
{
	struct family *f = family_create_up(test);
	struct client *other = pair_new_client(f->pair);
	struct client *sub = pair_new_sub(f->pair, other, 1);

	/* The next client's sub-channel is not the last one's. */
	VmbChannelDisable(f->pair->client->channel);
	EVENTUALLY(test, client_state(f->server) == KMCL_DISABLED);
	pair_enable(other);
	PAIR_EVENTS(other, UP);
	EVENTUALLY(test, client_state(f->pair->server) == KMCL_ACTIVE);
	pair_enable(f->server);
	pair_enable(sub);
	PAIR_EVENTS(sub, UP);
	expect_traffic(sub, f->server);
	CLIENT_EXPECT(f->client, UP DOWN);
}

/* Failing allocations: the calls make none, and an opening that fails is a failure. */

static void settings_need_no_memory(struct kunit *test)
{
	struct family *f = family_create(test);
	VMBCHANNEL fresh = client_create_end(test, false)->channel;
	NTSTATUS status;

	current->fail_nth = 1;
	status = VmbChannelInitSetPrimaryChannel(fresh, f->pair->client->channel, 7);
	KUNIT_EXPECT_EQ(test, current->fail_nth, 1);
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
	status = VmbClientChannelInitSetTargetProcessorIndex(fresh, 0);
	KUNIT_EXPECT_EQ(test, current->fail_nth, 1);
	current->fail_nth = 0;
	EXPECT_STATUS(test, status, STATUS_SUCCESS);
}

/* Which processor delivered each packet. */
static int delivered_on;

static bool note_processor(struct client *client, VMBPACKETCOMPLETION handle, void *buffer,
			   u32 len)
{
	WRITE_ONCE(delivered_on, raw_smp_processor_id());
	return false;
}

static void the_processor_is_checked(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	VMBCHANNEL channel = pair->client->channel;

	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(NULL, 0),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(pair->server->channel, 0),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(channel, nr_cpu_ids),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(channel, ~0u),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(channel, 0),
		      STATUS_SUCCESS);
	pair_enable(pair->client);
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(channel, 0),
		      STATUS_INVALID_PARAMETER_1);
}

/* Sends from each processor, and has what is delivered noted. */
static void expect_delivered_on(struct client *from, struct client *to, int processor)
{
	struct cpumask old;
	int cpu;
	u32 n;

	to->on_packet = note_processor;
	cpumask_copy(&old, current->cpus_ptr);
	for_each_online_cpu(cpu) {
		set_cpus_allowed_ptr(current, cpumask_of(cpu));
		for (n = 0; n < 20; n++) {
			u32 seen = client_packets(to);

			WRITE_ONCE(delivered_on, -1);
			pair_send(from, n, 8);
			EVENTUALLY(from->test, client_packets(to) == seen + 1);
			KUNIT_EXPECT_EQ(from->test, READ_ONCE(delivered_on), processor);
		}
	}
	set_cpus_allowed_ptr(current, &old);
}

static void packets_are_delivered_on_the_processor_that_was_asked_for(struct kunit *test)
{
	struct family *f = family_create(test);
	VMBCHANNEL primary = f->pair->client->channel, sub = f->client->channel;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(primary, 0),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(sub, 1),
		      STATUS_SUCCESS);
	family_up(f);
	expect_delivered_on(f->pair->server, f->pair->client, 0);
	expect_delivered_on(f->server, f->client, 1);

	/* What waited in the ring as well. */
	VmbChannelPause(f->client->channel);
	pair_send(f->server, 4711, 8);
	WRITE_ONCE(delivered_on, -1);
	VmbChannelStart(f->client->channel);
	EVENTUALLY(test, READ_ONCE(delivered_on) >= 0);
	KUNIT_EXPECT_EQ(test, READ_ONCE(delivered_on), 1);
}

static void a_processor_that_is_offline_is_done_without(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetProcessorIndex(pair->client->channel, 1),
		      STATUS_SUCCESS);
	pair_up(pair);
	if (remove_cpu(1))
		kunit_skip(test, "needs a processor that can be taken offline");
	expect_delivered_on(pair->server, pair->client, 0);
	KUNIT_EXPECT_EQ(test, add_cpu(1), 0);
	expect_delivered_on(pair->server, pair->client, 1);
}

/* Two processors at once */

static struct family *racing;

static void enable(struct client *client)
{
	NTSTATUS status = enable_end(client);

	KUNIT_EXPECT_TRUE(client->test, status == STATUS_SUCCESS ||
			  status == (NTSTATUS)STATUS_INVALID_DEVICE_STATE);
}

static void enable_primary(void)
{
	enable(racing->pair->client);
}

static void disable_primary(void)
{
	VmbChannelDisable(racing->pair->client->channel);
}

static void bounce_primary(void)
{
	VmbChannelPause(racing->pair->client->channel);
	VmbChannelStart(racing->pair->client->channel);
}

static void bounce_server(void)
{
	VmbChannelDisable(racing->pair->server->channel);
	enable(racing->pair->server);
}

static void enable_sub(void)
{
	enable(racing->server);
	enable(racing->client);
}

static void disable_sub(void)
{
	VmbChannelDisable(racing->client->channel);
}

static void bounce_sub(void)
{
	VmbChannelPause(racing->client->channel);
	VmbChannelStart(racing->client->channel);
}

static void bounce_server_sub(void)
{
	VmbChannelDisable(racing->server->channel);
	enable(racing->server);
}

static void send_sub(void)
{
	VMBPACKET packet = VmbPacketAllocate(racing->client->channel);

	/* Its default routine frees it. */
	if (packet)
		VmbPacketSend(packet, "race", 4, NULL, WAIT);
}

struct sub_race {
	const char *name;
	void (*a)(void);
	void (*b)(void);
};

/* What a primary is asked for, with what its sub-channel is; and both at once. */
static const struct sub_race sub_races[] = {
	{ "primary's Enable and Enable", enable_primary, enable_sub },
	{ "primary's Disable and Enable", disable_primary, enable_sub },
	{ "primary's Disable and Disable", disable_primary, disable_sub },
	{ "primary's Disable and Pause", disable_primary, bounce_sub },
	{ "primary's Disable and its server's", disable_primary, bounce_server_sub },
	{ "primary's Disable and send", disable_primary, send_sub },
	{ "primary's Pause and Enable", bounce_primary, enable_sub },
	{ "primary's Pause and Disable", bounce_primary, disable_sub },
	{ "primary's Pause and Pause", bounce_primary, bounce_sub },
	{ "primary's Pause and its server's", bounce_primary, bounce_server_sub },
	{ "primary's Pause and send", bounce_primary, send_sub },
	{ "primary's server and Enable", bounce_server, enable_sub },
	{ "primary's server and Disable", bounce_server, disable_sub },
	{ "primary's server and Pause", bounce_server, bounce_sub },
	{ "primary's server and its server", bounce_server, bounce_server_sub },
	{ "primary's server and send", bounce_server, send_sub },
	{ "Disable and Disable of the primary", disable_primary, disable_primary },
	{ "Disable of both ends of the primary", disable_primary, bounce_server },
};

KUNIT_ARRAY_PARAM_DESC(sub_race, sub_races, name);

struct sub_racer {
	void (*call)(void);
	struct completion done;
};

static int sub_racer_thread(void *data)
{
	struct sub_racer *racer = data;
	u32 i;

	for (i = 0; i < 40; i++) {
		racer->call();
		/* Both channels come back, so that there is something to race for. */
		if (i % 4 == 0) {
			enable_primary();
			usleep_range(100, 500);
			enable_sub();
		}
	}
	complete(&racer->done);
	return 0;
}

static void a_primary_and_its_sub_channel_may_be_asked_at_once(struct kunit *test)
{
	const struct sub_race *race = test->param_value;
	struct family *f = family_create_up(test);
	struct sub_racer racers[] = { { race->a }, { race->b } };
	u32 i;

	racing = f;
	for (i = 0; i < 2; i++) {
		init_completion(&racers[i].done);
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(sub_racer_thread, &racers[i],
							    "kmcl_racer")));
	}
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&racers[i].done, 60 * HZ), 0);

	/* Whatever state they are in, they can be made to work again. */
	VmbChannelDisable(f->pair->client->channel);
	VmbChannelDisable(f->pair->server->channel);
	expect_disabled(f->client);
	expect_disabled(f->server);
	enable(f->pair->server);
	enable(f->pair->client);
	EVENTUALLY(test, client_state(f->pair->client) == KMCL_ACTIVE &&
		   client_state(f->pair->server) == KMCL_ACTIVE);
	enable(f->server);
	enable(f->client);
	EVENTUALLY(test, client_state(f->client) == KMCL_ACTIVE &&
		   client_state(f->server) == KMCL_ACTIVE);
	expect_traffic(f->client, f->server);
}

static struct kunit_case subchannel_cases[] = {
	KUNIT_CASE(a_sub_channel_needs_a_primary_and_an_index),
	KUNIT_CASE(an_enabled_channel_is_not_made_a_sub_channel),
	KUNIT_CASE(a_sub_channel_is_enabled_only_while_its_primary_is_open),
	KUNIT_CASE(packets_travel_on_both),
	KUNIT_CASE(the_instance_is_the_primarys),
	KUNIT_CASE(a_sub_channel_waits_for_its_index),
	KUNIT_CASE(an_index_is_taken_once),
	KUNIT_CASE(each_index_is_a_channel_of_its_own),
	KUNIT_CASE(a_sub_channel_is_of_its_primarys_connection),
	KUNIT_CASE(a_sub_channel_opens_and_closes_by_itself),
	KUNIT_CASE(a_sub_channel_that_is_gone_may_be_waited_for_again),
	KUNIT_CASE(sub_channels_close_before_their_primary_is_disabled),
	KUNIT_CASE(sub_channels_close_before_their_primary_whose_server_is_gone),
	KUNIT_CASE(sub_channels_of_a_paused_primary_close_with_it),
	KUNIT_CASE(sub_channels_pause_before_their_primary_and_start_after_it),
	KUNIT_CASE(a_pause_of_its_own_outlasts_that_of_its_primary),
	KUNIT_CASE(a_sub_channel_of_a_paused_primary_comes_up_paused),
	KUNIT_CASE(opened_may_enable_sub_channels),
	KUNIT_CASE(an_opening_that_fails_closes_sub_channels),
	KUNIT_CASE(a_close_waits_for_the_sub_channels_client_and_says_so),
	KUNIT_CASE(a_pause_waits_for_the_sub_channels_client_and_says_so),
	KUNIT_CASE(disable_ends_a_pause_that_a_sub_channel_cannot_end),
	KUNIT_CASE(a_sub_channels_callback_cannot_wait_for_its_primary),
	KUNIT_CASE(a_primarys_callback_may_disable_a_sub_channel),
	KUNIT_CASE(what_sub_channels_have_sent_completes_when_the_primary_closes),
	KUNIT_CASE(a_primary_that_is_cleaned_up_leaves_its_sub_channels_behind),
	KUNIT_CASE(a_sub_channel_is_not_saved),
	KUNIT_CASE(the_next_client_has_sub_channels_of_its_own),
	KUNIT_CASE(settings_need_no_memory),
	KUNIT_CASE(the_processor_is_checked),
	KUNIT_CASE(packets_are_delivered_on_the_processor_that_was_asked_for),
	KUNIT_CASE(a_processor_that_is_offline_is_done_without),
	KUNIT_CASE_PARAM(a_primary_and_its_sub_channel_may_be_asked_at_once, sub_race_gen_params),
	{}
};

static struct kunit_suite subchannel_suite = {
	.name = "kmcl_subchannel",
	.test_cases = subchannel_cases,
};

kunit_test_suite(subchannel_suite);
