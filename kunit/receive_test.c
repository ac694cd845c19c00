// SPDX-License-Identifier: GPL-2.0
/* Receiving: contexts, order, completions to the host, packets that lie. */
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "client.h"

static struct host *recv_host;	/* of the case that runs */

static struct client *prepared_client(struct kunit *test)
{
	recv_host = host_create(test);
	recv_host->offered = true;
	return client_create(test, recv_host);
}

static struct client *active_client(struct kunit *test)
{
	struct client *client = prepared_client(test);

	client_enable(client);
	return client;
}

/* The host sends packets with the numbers from @first on as payload. */
static void host_send_numbers(u64 first, u32 n)
{
	u64 i;

	for (i = first; i < first + n; i++)
		host_write(recv_host, KMCL_WIRE_DATA, 0, i, &i, sizeof(i));
}

static void expect_numbers(struct client *client, u32 n)
{
	u32 i;

	EVENTUALLY(client->test, client_packets(client) >= n);
	KUNIT_ASSERT_EQ(client->test, client_packets(client), n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(client->test, client->packets[i].first, i);
}

static void a_packet_is_delivered_without_its_headers(struct kunit *test)
{
	struct client *client = active_client(test);
	u64 number = 0xfeedface12345678;

	host_write(recv_host, KMCL_WIRE_DATA, 0, 1, &number, sizeof(number));
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_EQ(test, client->packets[0].len, sizeof(number));
	KUNIT_EXPECT_EQ(test, client->packets[0].first, number);
	KUNIT_EXPECT_EQ(test, host_skip_all(recv_host), 0);
}

static void by_default_packets_are_delivered_in_softirq_context(struct kunit *test)
{
	struct client *client = active_client(test);

	host_send_numbers(0, 3);
	host_signal(recv_host);
	expect_numbers(client, 3);
	KUNIT_EXPECT_TRUE(test, client->packets[0].atomic);
	KUNIT_EXPECT_EQ(test, client->batches, 1);
	KUNIT_EXPECT_EQ(test, client->batched, 3);
}

static void at_passive_packets_are_delivered_in_process_context(struct kunit *test)
{
	struct client *client = active_client(test);
	u32 i;

	VmbChannelSetIncomingProcessingAtPassive(client->channel, TRUE);
	host_send_numbers(0, 20);
	host_signal(recv_host);
	expect_numbers(client, 20);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_FALSE(test, client->packets[i].atomic);
	EVENTUALLY(test, READ_ONCE(client->batched) == 20);
}

static void order_is_kept_when_the_context_changes(struct kunit *test)
{
	struct client *client = active_client(test);
	u32 i;

	for (i = 0; i < 20; i++) {
		VmbChannelSetIncomingProcessingAtPassive(client->channel, i % 3 == 0);
		host_send_numbers(i * 10, 10);
		host_signal(recv_host);
	}
	expect_numbers(client, 200);
}

static void more_than_a_batch_is_read_in_several(struct kunit *test)
{
	struct client *client = active_client(test);

	host_send_numbers(0, 200);
	host_signal(recv_host);
	expect_numbers(client, 200);
	EVENTUALLY(test, READ_ONCE(client->batched) == 200);
	KUNIT_EXPECT_GT(test, client->batches, 1);
	EVENTUALLY(test, host_may_signal(recv_host));
}

static void packets_sent_before_the_start_wait_in_the_ring(struct kunit *test)
{
	struct client *client = prepared_client(test);

	VmbChannelPause(client->channel);
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_events(client) == 1);
	host_send_numbers(0, 5);
	host_signal(recv_host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 0);
	VmbChannelStart(client->channel);
	expect_numbers(client, 5);
}

static void a_completion_goes_to_the_sender_that_asked_for_one(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u64 number = 77;

	client->echo = true;
	host_write(recv_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 4711,
		   &number, sizeof(number));
	host_write(recv_host, KMCL_WIRE_DATA, 0, 4712, &number, sizeof(number));
	host_signal(recv_host);

	KUNIT_ASSERT_TRUE(test, host_read(recv_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->type, VM_PKT_COMP);
	KUNIT_EXPECT_EQ(test, pkt->flags, 0);
	KUNIT_EXPECT_EQ(test, pkt->id, 4711);
	KUNIT_EXPECT_EQ(test, pkt->len, sizeof(number));
	KUNIT_EXPECT_MEMEQ(test, pkt->payload, &number, sizeof(number));
	KUNIT_EXPECT_FALSE(test, host_read(recv_host, pkt));
}

static void a_packet_may_be_completed_later_and_out_of_order(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u64 i;

	client->keep = true;
	for (i = 0; i < 10; i++)
		host_write(recv_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, i,
			   &i, sizeof(i));
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 10);
	for (i = 0; i < 10; i++) {
		u32 n = (i * 3) % 10;

		client_complete(client, n, &i, sizeof(i));
		KUNIT_ASSERT_TRUE(test, host_read(recv_host, pkt));
		KUNIT_EXPECT_EQ(test, pkt->id, n);
	}
}

/* The buffer of the @n-th packet, which the client keeps, holds what was sent. */
static void expect_buffer(struct client *client, u32 n, u32 len)
{
	const struct client_packet *kept = &client->packets[n];

	KUNIT_ASSERT_EQ(client->test, kept->len, len);
	KUNIT_EXPECT_NULL(client->test, memchr_inv(kept->buffer, n + 1, len));
}

/* More packets than the ring can hold: the ring is written over once and again. */
static void a_packets_buffer_is_valid_until_it_is_completed(struct kunit *test)
{
	const u32 rings = 2, packets = 12;	/* of 1000 bytes in 12 KiB */
	struct client *client = active_client(test);
	static u8 payload[1000];
	u32 i, n;

	client->keep = true;
	for (n = 0; n < rings * packets; n++) {
		memset(payload, n + 1, sizeof(payload));
		host_write(recv_host, KMCL_WIRE_DATA, 0, n, payload, sizeof(payload));
		if (n % 4 != 3)
			continue;
		host_signal(recv_host);
		KUNIT_ASSERT_EQ(test, client_packets(client), n + 1);
	}
	/* One packet is completed, and its memory used anew: the others keep theirs. */
	for (i = 0; i < n; i++) {
		expect_buffer(client, i, sizeof(payload));
		client_complete(client, i, NULL, 0);
		memset(payload, n + i + 1, sizeof(payload));
		host_write(recv_host, KMCL_WIRE_DATA, 0, i, payload, sizeof(payload));
		host_signal(recv_host);
		KUNIT_ASSERT_EQ(test, client_packets(client), n + i + 1);
	}
	for (i = n; i < 2 * n; i++) {
		expect_buffer(client, i, sizeof(payload));
		client_complete(client, i, NULL, 0);
	}
}

static void completing_a_packet_twice_does_nothing(struct kunit *test)
{
	struct client *client = active_client(test);
	u64 number = 1;

	client->keep = true;
	host_write(recv_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 1, &number, 8);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	client_complete(client, 0, NULL, 0);
	client_complete(client, 0, NULL, 0);
	VmbChannelPacketComplete(NULL, NULL, 0);
	KUNIT_EXPECT_EQ(test, host_skip_all(recv_host), 1);
}

static void completions_wait_for_room_and_keep_their_payload(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	static u8 payload[1000];
	u64 i, n = 0;

	client->echo = true;
	for (i = 0; i < 10; i++) {
		memset(payload, i, sizeof(payload));
		host_write(recv_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, i,
			   payload, sizeof(payload));
		host_signal(recv_host);
	}
	KUNIT_ASSERT_EQ(test, client_packets(client), 10);
	KUNIT_EXPECT_EQ(test, client_count(client, queued), 7);
	while (host_read(recv_host, pkt)) {
		KUNIT_EXPECT_EQ(test, pkt->id, n);
		KUNIT_EXPECT_EQ(test, pkt->payload[999], n);
		n++;
		host_signal(recv_host);
	}
	KUNIT_EXPECT_EQ(test, n, 10);
}

static void a_completion_that_is_too_large_goes_out_empty(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u8 *payload = kunit_kzalloc(test, 1025, GFP_KERNEL);

	client->keep = true;
	host_write(recv_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 5, "12345678", 8);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	client_complete(client, 0, payload, 1025);
	KUNIT_ASSERT_TRUE(test, host_read(recv_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->id, 5);
	KUNIT_EXPECT_EQ(test, pkt->len, 0);
}

static void without_a_callback_packets_are_completed_empty(struct kunit *test)
{
	struct client *client = prepared_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(client->channel,
								    NULL, NULL),
		      STATUS_SUCCESS);
	client_enable(client);
	host_write(recv_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 6, "12345678", 8);
	host_signal(recv_host);
	KUNIT_ASSERT_TRUE(test, host_read(recv_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->type, VM_PKT_COMP);
	KUNIT_EXPECT_EQ(test, pkt->id, 6);
	KUNIT_EXPECT_EQ(test, pkt->len, 0);
}

static void each_packet_carries_the_clients_context(struct kunit *test)
{
	struct client *client = prepared_client(test);
	u64 *context[2];
	int i;

	ASSERT_STATUS(test, VmbChannelInitSetClientContextSize(client->channel, 12),
		      STATUS_SUCCESS);
	client_enable(client);
	client->keep = true;
	host_send_numbers(0, 2);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 2);
	for (i = 0; i < 2; i++) {
		context[i] = VmbChannelPacketGetClientContext(client->packets[i].handle);
		KUNIT_ASSERT_NOT_NULL(test, context[i]);
		KUNIT_EXPECT_EQ(test, context[i][0], 0);
		memset(context[i], 0xff, 12);
	}
	KUNIT_EXPECT_PTR_NE(test, context[0], context[1]);
	for (i = 0; i < 2; i++)
		client_complete(client, i, NULL, 0);

	/* An object that is used again carries nothing over. */
	host_send_numbers(2, 2);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 4);
	for (i = 2; i < 4; i++) {
		context[0] = VmbChannelPacketGetClientContext(client->packets[i].handle);
		KUNIT_EXPECT_EQ(test, context[0][0], 0);
		client_complete(client, i, NULL, 0);
	}
}

static void a_deferred_packet_comes_again_at_passive_and_in_order(struct kunit *test)
{
	struct client *client = active_client(test);
	static const u64 expected[] = { 0, 0, 0, 1, 2, 3 };
	u32 i;

	client->defer = 2;
	host_send_numbers(0, 4);
	host_signal(recv_host);
	EVENTUALLY(test, client_packets(client) == 6);
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, client->packets[i].first, expected[i]);
		KUNIT_EXPECT_EQ(test, client->packets[i].atomic, i == 0);
	}

	/* Once the queue is empty, packets are delivered in softirq context again. */
	EVENTUALLY(test, !client_waiting(client));
	host_send_numbers(4, 1);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 7);
	KUNIT_EXPECT_TRUE(test, client->packets[6].atomic);
}

static void a_packet_is_deferred_in_its_own_callback_only(struct kunit *test)
{
	struct client *client = active_client(test);

	client->keep = true;
	host_send_numbers(0, 1);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	VmbChannelPacketDeferToPassive(client->packets[0].handle);
	client_complete(client, 0, NULL, 0);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
}

static void a_failed_packet_stops_the_incoming_queue_only(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done = client_packet(client);

	client->keep = true;
	host_write(recv_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 1, "12345678", 8);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	client->packets[0].kept = false;
	VmbChannelPacketFail(client->packets[0].handle);
	KUNIT_EXPECT_EQ(test, host_skip_all(recv_host), 0);

	host_send_numbers(0, 3);
	host_signal(recv_host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);

	/* Nothing is outstanding, so this returns; then all is well again. */
	VmbChannelDisable(client->channel);
	client->keep = false;
	client_enable(client);
	host_send_numbers(0, 1);
	host_signal(recv_host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 2);
}

static void quota(struct kunit *test, bool passive)
{
	struct client *client = active_client(test);
	u32 i;

	client->keep = true;
	VmbChannelSetIncomingProcessingAtPassive(client->channel, passive);
	VmbChannelSetTransactionQuota(client->channel, 3);
	host_send_numbers(0, 10);
	host_signal(recv_host);
	expect_numbers(client, 3);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_packets(client), 3);

	/* A higher quota alone restarts nothing; completing a packet does. */
	VmbChannelSetTransactionQuota(client->channel, 5);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_packets(client), 3);
	client_complete(client, 0, NULL, 0);
	expect_numbers(client, 6);

	/* The quota is below what is outstanding: as many packets come back first. */
	VmbChannelSetTransactionQuota(client->channel, 2);
	for (i = 1; i < 4; i++)
		client_complete(client, i, NULL, 0);
	msleep(20);
	KUNIT_EXPECT_EQ(test, client_packets(client), 6);
	client_complete(client, 4, NULL, 0);
	expect_numbers(client, 7);

	/* 0 is no quota. */
	VmbChannelSetTransactionQuota(client->channel, 0);
	for (i = 5; i < 10; i++) {
		EVENTUALLY(test, client_packets(client) > i);
		client_complete(client, i, NULL, 0);
	}
	expect_numbers(client, 10);
}

static void at_the_quota_packets_stay_in_the_ring(struct kunit *test)
{
	quota(test, false);
}

static void at_the_quota_packets_wait_at_passive_too(struct kunit *test)
{
	quota(test, true);
}

static void at_the_quota_a_completion_still_arrives(struct kunit *test)
{
	struct client *client = active_client(test);
	struct client_done *done[2] = { client_packet(client), client_packet(client) };
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u64 ids[2];
	u32 i;

	client->keep = true;
	VmbChannelSetTransactionQuota(client->channel, 1);
	for (i = 0; i < 2; i++) {
		client_send(done[i], "x", 1, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
		KUNIT_ASSERT_TRUE(test, host_read(recv_host, pkt));
		ids[i] = pkt->id;
	}
	host_send_numbers(0, 1);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);

	/* The first completion is next in the ring, the second behind waiting data. */
	host_complete(recv_host, ids[0], NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done[0]), 1);
	host_send_numbers(1, 1);
	host_complete(recv_host, ids[1], NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done[1]), 0);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);

	client_complete(client, 0, NULL, 0);
	EVENTUALLY(test, client_calls(done[1]) == 1);
	expect_numbers(client, 2);
}

/* The one allocation on the way in is made to fail, by the kernel's own means. */
static void a_packet_stays_in_the_ring_until_there_is_memory_for_it(struct kunit *test)
{
	struct client *client = active_client(test);
	u32 n = 0, i;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "needs CONFIG_FAILSLAB");

	client->keep = true;
	while (client_has_spares(client)) {
		host_send_numbers(n++, 1);
		host_signal(recv_host);
	}
	KUNIT_ASSERT_EQ(test, client_packets(client), n);

	host_send_numbers(n, 2);
#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = 1;
#endif
	host_signal(recv_host);
	KUNIT_EXPECT_EQ(test, client_packets(client), n);
	KUNIT_EXPECT_EQ(test, client_count(client, no_memory), 1);

	/* A packet that comes back takes the place of the memory. */
	client_complete(client, 0, NULL, 0);
	expect_numbers(client, n + 2);
	for (i = 1; i < n + 2; i++)
		client_complete(client, i, NULL, 0);
}

static unsigned long busy_end;

/* A completion routine that takes its time, and has its transaction completed again. */
static void send_again(struct client_done *done)
{
	static struct host_packet pkt;
	u64 completion[3] = {};

	if (!time_before(jiffies, READ_ONCE(busy_end)))
		return;
	mdelay(2);
	client_send(done, "x", 1, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	if (!host_read(recv_host, &pkt))
		return;
	((u16 *)completion)[0] = KMCL_WIRE_COMPLETION;
	((u16 *)completion)[1] = 2;
	((u16 *)completion)[2] = 2;
	completion[1] = pkt.id;
	host_write_bytes(recv_host, completion, sizeof(completion));
}

/* The next batch begins where the last one ends, with nothing between them. */
static int reading_thread(void *unused)
{
	local_bh_disable();
	while (time_before(jiffies, READ_ONCE(busy_end)))
		host_signal(recv_host);
	local_bh_enable();
	while (!kthread_should_stop())
		usleep_range(1000, 2000);
	return 0;
}

static void a_channel_that_is_always_being_read_can_be_paused(struct kunit *test)
{
	struct client *client = active_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct task_struct *reading;
	unsigned long begin;
	u32 i;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");

	for (i = 0; i < 70; i++) {
		struct client_done *done = client_packet(client);

		done->again = send_again;
		client_send(done, "x", 1, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	}
	while (host_read(recv_host, pkt))
		host_write(recv_host, KMCL_WIRE_COMPLETION, 0, pkt->id, NULL, 0);

	/* It takes a processor of its own. */
	reading = kthread_create(reading_thread, NULL, "kmcl_reading");
	KUNIT_ASSERT_FALSE(test, IS_ERR(reading));
	migrate_disable();
	kthread_bind(reading, cpumask_any_but(cpu_online_mask, raw_smp_processor_id()));
	busy_end = jiffies + 6 * HZ;
	wake_up_process(reading);
	msleep(50);
	begin = jiffies;
	VmbChannelPause(client->channel);
	KUNIT_EXPECT_LT(test, jiffies - begin, 3 * HZ);
	migrate_enable();
	WRITE_ONCE(busy_end, jiffies);
	kthread_stop(reading);
}

static DECLARE_COMPLETION(recv_disabled);

static int disabling_thread(void *data)
{
	VmbChannelDisable(((struct client *)data)->channel);
	complete(&recv_disabled);
	return 0;
}

static bool waits_idle(struct client *client)
{
	struct task_struct *worker = READ_ONCE(client_chan(client)->ctl.task);

	return worker && READ_ONCE(worker->__state) == TASK_IDLE;
}

/* The watchdog for hung tasks is not to take the worker for one. */
static void while_a_client_holds_a_packet_the_worker_waits_idle(struct kunit *test)
{
	struct client *client = active_client(test);

	client->keep = true;
	host_send_numbers(0, 1);
	host_signal(recv_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	kthread_run(disabling_thread, client, "kmcl_disabling");
	EVENTUALLY(test, waits_idle(client));
	client_complete(client, 0, NULL, 0);
	wait_for_completion(&recv_disabled);
}

static DECLARE_COMPLETION(recv_go_on);

static bool wait_to_go_on(struct client *client, VMBPACKETCOMPLETION handle, void *buffer,
			  u32 len)
{
	atomic_inc(&client->n_packets);
	wait_for_completion(&recv_go_on);
	atomic_dec(&client->n_packets);
	return false;
}

static void while_process_packet_runs_the_worker_waits_idle(struct kunit *test)
{
	struct client *client = active_client(test);

	reinit_completion(&recv_go_on);
	client->on_packet = wait_to_go_on;
	VmbChannelSetIncomingProcessingAtPassive(client->channel, TRUE);
	host_send_numbers(0, 1);
	host_signal(recv_host);
	EVENTUALLY(test, client_packets(client) == 1);
	kthread_run(disabling_thread, client, "kmcl_disabling");
	EVENTUALLY(test, waits_idle(client));
	complete_all(&recv_go_on);
	wait_for_completion(&recv_disabled);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
}

static struct kunit_case receive_cases[] = {
	KUNIT_CASE(a_packet_is_delivered_without_its_headers),
	KUNIT_CASE(by_default_packets_are_delivered_in_softirq_context),
	KUNIT_CASE(at_passive_packets_are_delivered_in_process_context),
	KUNIT_CASE(order_is_kept_when_the_context_changes),
	KUNIT_CASE(more_than_a_batch_is_read_in_several),
	KUNIT_CASE(packets_sent_before_the_start_wait_in_the_ring),
	KUNIT_CASE(a_completion_goes_to_the_sender_that_asked_for_one),
	KUNIT_CASE(a_packet_may_be_completed_later_and_out_of_order),
	KUNIT_CASE(a_packets_buffer_is_valid_until_it_is_completed),
	KUNIT_CASE(completing_a_packet_twice_does_nothing),
	KUNIT_CASE(completions_wait_for_room_and_keep_their_payload),
	KUNIT_CASE(a_completion_that_is_too_large_goes_out_empty),
	KUNIT_CASE(without_a_callback_packets_are_completed_empty),
	KUNIT_CASE(each_packet_carries_the_clients_context),
	KUNIT_CASE(a_deferred_packet_comes_again_at_passive_and_in_order),
	KUNIT_CASE(a_packet_is_deferred_in_its_own_callback_only),
	KUNIT_CASE(a_failed_packet_stops_the_incoming_queue_only),
	KUNIT_CASE(at_the_quota_packets_stay_in_the_ring),
	KUNIT_CASE(at_the_quota_packets_wait_at_passive_too),
	KUNIT_CASE(at_the_quota_a_completion_still_arrives),
	KUNIT_CASE(a_packet_stays_in_the_ring_until_there_is_memory_for_it),
	KUNIT_CASE(a_channel_that_is_always_being_read_can_be_paused),
	KUNIT_CASE(while_a_client_holds_a_packet_the_worker_waits_idle),
	KUNIT_CASE(while_process_packet_runs_the_worker_waits_idle),
	{}
};

static struct kunit_suite receive_suite = {
	.name = "kmcl_receive",
	.test_cases = receive_cases,
};

kunit_test_suite(receive_suite);
