// SPDX-License-Identifier: GPL-2.0
/*
 * The share of a processor's time that receiving may take in softirq context: beyond it a
 * thread reads on, and nothing else changes.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/interrupt.h>

#include "client.h"
#include "log.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static struct share {
	struct host *host;
	u32 cost_us;		/* of each ProcessPacket */
	bool thread[CLIENT_PACKETS];	/* not called in softirq context */
	bool routine_in_thread;
	struct client_done *awaited;
	bool came;		/* @awaited was completed while ProcessPacket waited */
} share;

static bool share_process(struct client *client, VMBPACKETCOMPLETION handle, void *buffer,
			  u32 len)
{
	share.thread[client_packets(client)] = !in_serving_softirq();
	mdelay(share.cost_us / 1000);
	udelay(share.cost_us % 1000);
	return false;
}

/* A slow machine may use the share up before there is a packet: the limit comes last. */
static void share_enable(struct client *client, u8 percent)
{
	VmbChannelSetAllowableDpcCpuUsage(client->channel, 100);
	client_enable(client);
	EVENTUALLY(client->test, client_reader_rests(client));
	VmbChannelSetAllowableDpcCpuUsage(client->channel, percent);
}

static struct client *share_client(struct kunit *test, u8 percent)
{
	struct client *client;

	memset(&share, 0, sizeof(share));
	share.host = host_create(test);
	share.host->offered = true;
	client = client_create(test, share.host);
	client->on_packet = share_process;
	share_enable(client, percent);
	return client;
}

/* As a transport does it: in a tasklet. */
static void share_signal(struct tasklet_struct *unused)
{
	kmcl_data_ready(&share.host->hv.link);
}

static DECLARE_TASKLET(share_tasklet, share_signal);

/* Packets with the numbers from @first on, and then one signal. */
static void share_send(u64 first, u32 n)
{
	u64 i;

	for (i = first; i < first + n; i++)
		host_write(share.host, KMCL_WIRE_DATA, 0, i, &i, sizeof(i));
	local_bh_disable();
	tasklet_schedule(&share_tasklet);
	local_bh_enable();
	/* It has run then. */
	tasklet_kill(&share_tasklet);
}

static void share_expect(struct client *client, u32 n)
{
	u32 i;

	EVENTUALLY(client->test, client_packets(client) >= n);
	KUNIT_ASSERT_EQ(client->test, client_packets(client), n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(client->test, client->packets[i].first, i);
}

/* How often the context of packets changes, between softirqs and threads. */
static u32 share_changes(u32 n)
{
	u32 i, changes = 0;

	for (i = 1; i < n; i++)
		changes += share.thread[i] != share.thread[i - 1];
	return changes;
}

/*
 * So many packets, of which each takes two windows: the first batch is one of 16, and so
 * the share of three seconds is used up.
 */
#define SHARE_SPENDS	40
#define SHARE_PERCENT	10

static void share_spend(struct client *client)
{
	share.cost_us = 20000;
	share_send(0, SHARE_SPENDS);
	share_expect(client, SHARE_SPENDS);
	KUNIT_ASSERT_TRUE(client->test, share.thread[SHARE_SPENDS - 1]);
	share.cost_us = 1000;
}

static struct client *share_spent_client(struct kunit *test)
{
	struct client *client = share_client(test, SHARE_PERCENT);

	share_spend(client);
	return client;
}

static void beyond_its_share_packets_come_in_a_thread(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	struct client *client = share_spent_client(test);
	u32 i;

	/* At DISPATCH_LEVEL all the same. */
	for (i = 0; i < SHARE_SPENDS; i++)
		KUNIT_EXPECT_TRUE(test, client->packets[i].atomic);
	KUNIT_EXPECT_FALSE(test, share.thread[0]);
	KUNIT_EXPECT_EQ(test, share_changes(SHARE_SPENDS), 1);
	KUNIT_EXPECT_EQ(test, client_count(client, throttled), 1);

	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "was used up 1 times"), 1);
}

static void without_a_limit_they_never_do(struct kunit *test)
{
	struct client *client = share_client(test, SHARE_PERCENT);

	VmbChannelSetAllowableDpcCpuUsage(client->channel, 100);
	share.cost_us = 1000;
	share_send(0, 100);
	share_expect(client, 100);
	KUNIT_EXPECT_EQ(test, share_changes(100), 0);
	KUNIT_EXPECT_FALSE(test, share.thread[0]);
	KUNIT_EXPECT_EQ(test, client_count(client, throttled), 0);
}

static void a_limit_that_is_lifted_is_over_at_once(struct kunit *test)
{
	struct client *client = share_spent_client(test);

	VmbChannelSetAllowableDpcCpuUsage(client->channel, 100);
	share_send(SHARE_SPENDS, 1);
	share_expect(client, SHARE_SPENDS + 1);
	KUNIT_EXPECT_FALSE(test, share.thread[SHARE_SPENDS]);
}

static void when_a_window_is_over_they_come_in_softirq_context_again(struct kunit *test)
{
	struct client *client = share_client(test, 50);

	share.cost_us = 500;
	share_send(0, 250);
	share_expect(client, 250);
	/* Out of it and back, twice at least. */
	KUNIT_EXPECT_GE(test, share_changes(250), 4);
	KUNIT_EXPECT_GE(test, client_count(client, throttled), 2);
}

static void no_percent_and_more_than_all_change_nothing(struct kunit *test)
{
	struct client *client = share_client(test, SHARE_PERCENT);
	struct kmsg_dump_iter mark = log_mark();

	VmbChannelSetAllowableDpcCpuUsage(client->channel, 0);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, ": 0 percent of a processor cannot be"), 1);
	VmbChannelSetAllowableDpcCpuUsage(client->channel, 101);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, ": 101 percent of a processor cannot be"), 1);
	VmbChannelSetAllowableDpcCpuUsage(NULL, 50);
	share_spend(client);
}

static void share_routine(struct client_done *done)
{
	share.routine_in_thread = !in_serving_softirq();
}

/* Sends a packet and has the host complete it. */
static void share_complete(struct kunit *test, struct client_done *done)
{
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	client_send(done, "x", 1, WAIT);
	KUNIT_ASSERT_TRUE(test, host_read(share.host, pkt));
	host_write(share.host, KMCL_WIRE_COMPLETION, 0, pkt->id, NULL, 0);
	share_send(0, 0);
}

static void completions_come_in_the_thread_too(struct kunit *test)
{
	struct client *client = share_spent_client(test);
	struct client_done *done = client_packet(client);

	done->again = share_routine;
	share_complete(test, done);
	EVENTUALLY(test, client_calls(done) == 1);
	KUNIT_EXPECT_TRUE(test, share.routine_in_thread);
}

static bool share_wait(struct client *client, VMBPACKETCOMPLETION handle, void *buffer,
		       u32 len)
{
	u32 ms;

	atomic_inc(&client->n_packets);
	for (ms = 0; ms < 500 && !client_calls(share.awaited); ms++)
		usleep_range(1000, 1100);
	share.came = client_calls(share.awaited);
	atomic_dec(&client->n_packets);
	return false;
}

/* A client may wait at PASSIVE_LEVEL: the thread that reads is another one. */
static void a_client_that_waits_does_not_keep_the_thread_from_reading(struct kunit *test)
{
	struct client *client = share_spent_client(test);

	share.awaited = client_packet(client);
	share.awaited->again = share_routine;
	client->on_packet = share_wait;
	VmbChannelSetIncomingProcessingAtPassive(client->channel, TRUE);
	share_send(SHARE_SPENDS, 1);
	EVENTUALLY(test, client_packets(client) == SHARE_SPENDS + 1);
	share_complete(test, share.awaited);
	EVENTUALLY(test, client_count(client, received) == SHARE_SPENDS + 1 &&
		   !READ_ONCE(client_chan(client)->recv.working));
	KUNIT_EXPECT_TRUE(test, share.came);
	KUNIT_EXPECT_TRUE(test, share.routine_in_thread);
}

static void the_quota_holds_in_the_thread(struct kunit *test)
{
	struct client *client = share_spent_client(test);
	u32 i;

	client->keep = true;
	VmbChannelSetTransactionQuota(client->channel, 4);
	share_send(SHARE_SPENDS, 8);
	for (i = SHARE_SPENDS; i < SHARE_SPENDS + 8; i++) {
		EVENTUALLY(test, client_packets(client) > i);
		KUNIT_EXPECT_LE(test, client_packets(client), i + 4);
		client_complete(client, i, NULL, 0);
	}
	share_expect(client, SHARE_SPENDS + 8);
	KUNIT_EXPECT_EQ(test, share_changes(SHARE_SPENDS + 8), 1);
}

static void what_is_deferred_in_the_thread_comes_first(struct kunit *test)
{
	struct client *client = share_spent_client(test);
	u32 i;

	client->defer = 1;
	share_send(SHARE_SPENDS, 10);
	EVENTUALLY(test, client_packets(client) == SHARE_SPENDS + 11);
	/* Once more, and where it can sleep, as are those behind it. */
	for (i = SHARE_SPENDS + 1; i < SHARE_SPENDS + 11; i++)
		KUNIT_EXPECT_EQ(test, client->packets[i].first, i - 1);
	KUNIT_EXPECT_TRUE(test, client->packets[SHARE_SPENDS].atomic);
	KUNIT_EXPECT_FALSE(test, client->packets[SHARE_SPENDS + 1].atomic);
}

static void the_thread_stops_for_pause_and_disable(struct kunit *test)
{
	struct client *client = share_spent_client(test);
	u32 n;

	share_send(SHARE_SPENDS, 100);
	EVENTUALLY(test, client_packets(client) > SHARE_SPENDS + 5);
	VmbChannelPause(client->channel);
	n = client_packets(client);
	KUNIT_EXPECT_LT(test, n, SHARE_SPENDS + 100);
	msleep(30);
	KUNIT_EXPECT_EQ(test, client_packets(client), n);
	VmbChannelStart(client->channel);
	EVENTUALLY(test, client_packets(client) > n + 5);
	VmbChannelDisable(client->channel);
	n = client_packets(client);
	KUNIT_EXPECT_LT(test, n, SHARE_SPENDS + 100);
	msleep(30);
	KUNIT_EXPECT_EQ(test, client_packets(client), n);

	/* What was used up is not the next opening's. */
	share_enable(client, SHARE_PERCENT);
	share_send(n, 1);
	EVENTUALLY(test, client_packets(client) == n + 1);
	KUNIT_EXPECT_FALSE(test, share.thread[n]);
}

static void the_thread_stops_for_a_rescind(struct kunit *test)
{
	struct client *client = share_spent_client(test);
	u32 n;

	share_send(SHARE_SPENDS, 100);
	EVENTUALLY(test, client_packets(client) > SHARE_SPENDS + 5);
	host_rescind(share.host);
	n = client_packets(client);
	KUNIT_EXPECT_LT(test, n, SHARE_SPENDS + 100);
	EVENTUALLY(test, client_state(client) == KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client_packets(client), n);
}

static struct kunit_case share_cases[] = {
	KUNIT_CASE(beyond_its_share_packets_come_in_a_thread),
	KUNIT_CASE(without_a_limit_they_never_do),
	KUNIT_CASE(a_limit_that_is_lifted_is_over_at_once),
	KUNIT_CASE(when_a_window_is_over_they_come_in_softirq_context_again),
	KUNIT_CASE(no_percent_and_more_than_all_change_nothing),
	KUNIT_CASE(completions_come_in_the_thread_too),
	KUNIT_CASE(a_client_that_waits_does_not_keep_the_thread_from_reading),
	KUNIT_CASE(the_quota_holds_in_the_thread),
	KUNIT_CASE(what_is_deferred_in_the_thread_comes_first),
	KUNIT_CASE(the_thread_stops_for_pause_and_disable),
	KUNIT_CASE(the_thread_stops_for_a_rescind),
	{}
};

static struct kunit_suite share_suite = {
	.name = "kmcl_share",
	.test_cases = share_cases,
};

kunit_test_suite(share_suite);
