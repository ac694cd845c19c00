// SPDX-License-Identifier: GPL-2.0
/*
 * Two processors at once: each calls what may be called from anywhere. Whichever
 * calls meet, the callbacks come in order and nothing is lost.
 */
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "client.h"
#include "kunit_compat.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static struct host *race_host;

static struct client *race_client(struct kunit *test)
{
	struct client *client;

	race_host = host_create(test);
	race_host->bounces = true;
	client = client_create(test, race_host);
	race_host->offered = true;
	return client;
}

static bool packet_is_written;

/* The queue is being written, on another processor. */
static void wait_for_the_answer(struct host *host)
{
	struct client_done *done = host->private;
	u32 ms;

	host->on_sent = NULL;
	WRITE_ONCE(packet_is_written, true);
	for (ms = 0; ms < 1000 && !client_calls(done); ms++)
		mdelay(1);
}

/* Called by the reader, which reads on when the next packet is in the ring. */
static void let_the_next_be_written(struct client_done *done)
{
	u32 ms;

	done->again = NULL;
	race_host->on_sent = wait_for_the_answer;
	WRITE_ONCE(race_host->no_room, false);
	for (ms = 0; ms < 1000 && !READ_ONCE(packet_is_written); ms++)
		mdelay(1);
}

static VOID free_it(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct client_done *done = VmbPacketGetPointer(packet);

	kfree(packet);
	done->status = status;
	atomic_inc(&done->calls);
}

static void signal_there(struct work_struct *unused)
{
	host_signal(race_host);
}

/* It was queued; the reader may have it before the one that writes it is done. */
static void a_queued_packet_is_over_while_it_is_written(struct kunit *test)
{
	struct client *client = race_client(test);
	struct client_done *queued = kunit_kzalloc(test, sizeof(*queued), GFP_KERNEL);
	struct client_done *first = client_packet(client);
	struct work_struct reader;
	VMBPACKET packet;
	u32 size;

	KUNIT_ASSERT_NOT_NULL(test, queued);
	if (num_online_cpus() < 2)
		kunit_skip(test, "one processor only");
	client_enable(client);
	/* Memory of the case's own: that it is not touched any more is seen by KASAN. */
	size = VmbChannelSizeofPacket(client->channel);
	packet = kmalloc(size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	ASSERT_STATUS(test, VmbPacketInitialize(client->channel, packet, size), STATUS_SUCCESS);
	VmbPacketSetPointer(packet, queued);
	VmbPacketSetCompletionRoutine(packet, free_it);
	race_host->private = queued;
	packet_is_written = false;

	first->again = let_the_next_be_written;
	EXPECT_STATUS(test, client_send(first, "first", 5, WAIT), STATUS_SUCCESS);
	host_write(race_host, KMCL_WIRE_COMPLETION, 0, client_last_id(client), NULL, 0);
	race_host->no_room = true;
	EXPECT_STATUS(test, VmbPacketSend(packet, "queued", 6, NULL, WAIT), STATUS_SUCCESS);
	host_write(race_host, KMCL_WIRE_COMPLETION, 0, client_last_id(client) + 1, NULL, 0);
	INIT_WORK_ONSTACK(&reader, signal_there);
	queue_work(system_unbound_wq, &reader);
	EVENTUALLY(test, client_calls(first) == 1);
	/* The ring is being read; so this signal drains the queue only. */
	host_signal(race_host);
	flush_work(&reader);
	destroy_work_on_stack(&reader);

	EVENTUALLY(test, client_calls(queued) == 1);
	EXPECT_STATUS(test, queued->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(first), 1);
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 0);
	EXPECT_STATUS(test, client_send(first, "next", 4, 0), STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(first) == 2);
}

static void do_enable(struct client *client)
{
	NTSTATUS status = VmbChannelEnable(client->channel);

	KUNIT_EXPECT_TRUE(client->test, status == STATUS_SUCCESS ||
			  status == (NTSTATUS)STATUS_INVALID_DEVICE_STATE);
}

static void do_disable(struct client *client)
{
	VmbChannelDisable(client->channel);
}

static void do_pause(struct client *client)
{
	VmbChannelPause(client->channel);
}

static void do_start(struct client *client)
{
	VmbChannelStart(client->channel);
}

static void do_rescind(struct client *client)
{
	host_rescind(race_host);
	host_offer(race_host);
}

static void do_send(struct client *client)
{
	VMBPACKET packet = VmbPacketAllocate(client->channel);

	/* Its default routine frees it. */
	if (packet)
		VmbPacketSend(packet, "race", 4, NULL, WAIT);
}

/* With a page, which the host sees a copy of. */
static void do_send_memory(struct client *client)
{
	PFN_NUMBER pfn = frame_at(client->test->priv);
	VMBPACKET packet = VmbPacketAllocate(client->channel);

	if (packet && VmbPacketSendWithExternalPfns(packet, "race", 4, &pfn, 1, WAIT))
		VmbPacketFree(packet);
}

static VOID free_routine(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buffer,
			 UINT32 len)
{
	struct client *client = context;

	if (VmbPacketGetChannel(packet) != client->channel)
		KUNIT_FAIL(client->test, "a routine with the context of another");
	VmbPacketFree(packet);
}

/* As many as wait for a completion at once: those beyond that are held. */
#define RACE_COUNT	3

static void do_send_beyond_the_limit(struct client *client)
{
	VMBPACKET packet = VmbPacketAllocate(client->channel);

	if (!packet)
		return;
	VmbPacketSetCompletionRoutineEx(packet, client, free_routine);
	VmbPacketSend(packet, "race", 4, NULL, WAIT);
}

/* All that may be set only while the channel is disabled. */
static void do_init(struct client *client)
{
	VmbChannelInitSetMaximumPacketCount(client->channel, RACE_COUNT);
	VmbChannelInitSetInlinePacketContextSize(client->channel, 8);
}

static void do_gpadl(struct client *client)
{
	UINT32 handle;
	PVOID address;

	if (!VmbChannelCreateGpadlFromBuffer(client->channel, 0, client->test->priv, 4096,
					     &handle))
		VmbChannelDeleteGpadl(client->channel, handle);
	if (!VmbChannelCreateGpadl(client->channel, 0, 1, &handle)) {
		VmbChannelGetSystemAddressForGpadl(client->channel, 0, handle, &address);
		VmbChannelDeleteGpadl(client->channel, handle);
	}
}

static void do_gpadl_of_frames(struct client *client)
{
	PFN_NUMBER pfn = frame_at(client->test->priv);
	UINT32 handle;

	if (!VmbChannelCreateGpadlFromPfnList(client->channel, 0, &pfn, 1, &handle))
		VmbChannelDeleteGpadl(client->channel, handle);
}

static void do_request(struct client *client)
{
	LARGE_INTEGER timeout = { .QuadPart = -10000 };

	PMDL mdl = IoAllocateMdl(client->test->priv, 4096, FALSE, FALSE, NULL);

	VmbChannelSendSynchronousRequest(client->channel, "race", 4, NULL, WAIT, NULL, NULL,
					 &timeout);
	if (!mdl)
		return;
	MmBuildMdlForNonPagedPool(mdl);
	VmbChannelSendSynchronousRequest(client->channel, "race", 4, mdl, WAIT, NULL, NULL,
					 &timeout);
	IoFreeMdl(mdl);
}

static void do_share(struct client *client)
{
	static atomic_t percent;

	VmbChannelSetAllowableDpcCpuUsage(client->channel,
					  1 + (u32)atomic_inc_return(&percent) % 100);
}

struct race_op {
	const char *name;
	void (*call)(struct client *client);
};

static const struct race_op race_ops[] = {
	{ "Enable", do_enable }, { "Disable", do_disable }, { "Pause", do_pause },
	{ "Start", do_start }, { "rescind", do_rescind }, { "send", do_send },
	{ "send memory", do_send_memory }, { "share", do_share },
	{ "GPADL", do_gpadl }, { "request", do_request },
	{ "send beyond the limit", do_send_beyond_the_limit },
	{ "Init functions", do_init }, { "GPADL of frames", do_gpadl_of_frames },
};

#define RACE_OPS	ARRAY_SIZE(race_ops)

struct race {
	const struct race_op *a;
	const struct race_op *b;
};

static struct race races[RACE_OPS * (RACE_OPS + 1) / 2];

/* Every operation with every other, and with itself; but there is only one host. */
static const void *race_gen_params(KUNIT_GENERATOR_ARGS)
{
	const struct race *race = prev ? prev + sizeof(*race) : races;
	u32 i, j, n = 0;

	for (i = 0; i < RACE_OPS; i++)
		for (j = i; j < RACE_OPS; j++)
			if (i != j || race_ops[i].call != do_rescind)
				races[n++] = (struct race) { &race_ops[i], &race_ops[j] };
	if (race == races + n)
		return NULL;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s and %s", race->a->name, race->b->name);
	return race;
}

struct racer {
	struct client *client;
	const struct race_op *op;
	struct completion done;
};

static int racer_thread(void *data)
{
	struct racer *racer = data;
	u32 i;

	for (i = 0; i < 60; i++) {
		racer->op->call(racer->client);
		if (i % 8 == 0)
			usleep_range(50, 300);
	}
	complete(&racer->done);
	return 0;
}

/* Whatever state the channel is in, it can be made to work again. */
static void expect_alive(struct client *client)
{
	struct client_done *done = client_packet(client);

	VmbChannelStart(client->channel);
	do_enable(client);
	EVENTUALLY(client->test, client_state(client) == KMCL_ACTIVE);
	host_serve(race_host);
	EXPECT_STATUS(client->test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	EVENTUALLY(client->test, client_calls(done) == 1);
	EXPECT_STATUS(client->test, done->status, STATUS_SUCCESS);
}

static void two_operations_may_meet_at_any_time(struct kunit *test)
{
	const struct race *race = test->param_value;
	struct client *client = race_client(test);
	struct racer racers[2] = {
		{ .client = client, .op = race->a },
		{ .client = client, .op = race->b },
	};
	bool limited = race->a->call == do_send_beyond_the_limit ||
		       race->b->call == do_send_beyond_the_limit;
	u32 i;

	test->priv = (void *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);
	if (limited)
		ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketCount(client->channel,
									RACE_COUNT),
			      STATUS_SUCCESS);
	client_enable(client);
	for (i = 0; i < 2; i++) {
		init_completion(&racers[i].done);
		KUNIT_ASSERT_FALSE(test, IS_ERR(kthread_run(racer_thread, &racers[i],
							    "kmcl_racer")));
	}
	for (i = 0; i < 2; i++)
		while (!wait_for_completion_timeout(&racers[i].done, HZ / 100))
			host_serve(race_host);
	/*
	 * This host completes nothing, so what is held would stay, and what is behind it; also
	 * what was sent since the channel was rescinded, and waits for the next opening.
	 */
	if (limited) {
		VmbChannelDisable(client->channel);
		EXPECT_STATUS(test, VmbChannelInitSetMaximumPacketCount(client->channel, U32_MAX),
			      STATUS_SUCCESS);
	}
	expect_alive(client);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, race_host->opens, race_host->closes);
	KUNIT_EXPECT_EQ(test, host_gpadls(race_host), 0);
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 0);
	free_page((unsigned long)test->priv);
}

/* The client's packets are completed by other threads than the one that delivers. */
struct completer {
	struct client *client;
	u32 first;		/* every second packet from this one on */
	bool atomic;
	struct completion done;
};

static int completer_thread(void *data)
{
	struct completer *c = data;
	u64 answer;
	u32 i;

	for (i = c->first; i < 200; i += 2) {
		EVENTUALLY(c->client->test, client_packets(c->client) > i);
		answer = c->client->packets[i].first;
		if (c->atomic)
			local_bh_disable();
		client_complete(c->client, i, &answer, sizeof(answer));
		if (c->atomic)
			local_bh_enable();
	}
	complete(&c->done);
	return 0;
}

/* Counts completions by id; false if one of them is wrong. */
static bool host_collects(u8 *seen)
{
	struct host_packet *pkt = kmalloc(sizeof(*pkt), GFP_KERNEL | __GFP_NOFAIL);
	bool good = true;

	while (host_read(race_host, pkt)) {
		good &= pkt->type == KMCL_WIRE_COMPLETION && pkt->id < 200 &&
			!seen[pkt->id] && *(u64 *)pkt->payload == pkt->id;
		if (pkt->id < 200)
			seen[pkt->id]++;
	}
	kfree(pkt);
	host_signal(race_host);
	return good;
}

static void packets_may_be_completed_from_two_processors(struct kunit *test)
{
	struct client *client = race_client(test);
	struct completer completers[2];
	u8 *seen = kunit_kzalloc(test, 200, GFP_KERNEL);
	u64 i;

	client_enable(client);
	client->keep = true;
	VmbChannelSetTransactionQuota(client->channel, 16);
	for (i = 0; i < 2; i++) {
		completers[i].client = client;
		completers[i].first = i;
		completers[i].atomic = i;
		init_completion(&completers[i].done);
		kthread_run(completer_thread, &completers[i], "kmcl_completer");
	}
	for (i = 0; i < 200; i++) {
		host_write(race_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, i, &i, 8);
		host_signal(race_host);
		KUNIT_EXPECT_TRUE(test, host_collects(seen));
		/* Never more in the ring than it holds. */
		EVENTUALLY(test, client_packets(client) + 100 > i);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&completers[i].done, 10 * HZ),
				0);
	KUNIT_EXPECT_TRUE(test, host_collects(seen));
	for (i = 0; i < 200; i++) {
		KUNIT_EXPECT_EQ(test, client->packets[i].first, i);
		KUNIT_EXPECT_EQ(test, seen[i], 1);
	}
}

static struct client *timer_client;

static void complete_in_timer(struct timer_list *timer)
{
	u32 i;

	for (i = 0; i < 5; i++)
		client_complete(timer_client, 4 - i, NULL, 0);
}

static void packets_may_be_completed_in_softirq_context(struct kunit *test)
{
	struct client *client = race_client(test);
	struct timer_list timer;
	u32 answers = 0;
	u64 i;

	client_enable(client);
	client->keep = true;
	timer_client = client;
	for (i = 0; i < 5; i++)
		host_write(race_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, i, &i, 8);
	host_signal(race_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 5);

	timer_setup_on_stack(&timer, complete_in_timer, 0);
	mod_timer(&timer, jiffies + 1);
	EVENTUALLY(test, (answers += host_skip_all(race_host)) == 5);
	timer_delete_sync(&timer);
	timer_destroy_on_stack(&timer);
	KUNIT_EXPECT_EQ(test, answers, 5);
}

static int toggling_thread(void *data)
{
	struct client *client = data;
	bool passive = false;

	while (!kthread_should_stop()) {
		VmbChannelSetIncomingProcessingAtPassive(client->channel, passive);
		do_share(client);
		passive = !passive;
		usleep_range(20, 200);
	}
	return 0;
}

static void order_is_kept_while_the_context_changes_and_packets_are_deferred(struct kunit *test)
{
	struct client *client = race_client(test);
	struct task_struct *toggling;
	u32 i, n = 0;
	u64 number;

	client_enable(client);
	toggling = kthread_run(toggling_thread, client, "kmcl_toggling");
	for (number = 0; number < 200; number++) {
		if (number % 16 == 5)
			WRITE_ONCE(client->defer, 1);
		host_write(race_host, KMCL_WIRE_DATA, 0, number, &number, 8);
		host_signal(race_host);
	}
	/* Each packet that was deferred is delivered twice. */
	EVENTUALLY(test, client_count(client, received) >= 200 &&
		   client->packets[client_packets(client) - 1].first == 199);
	kthread_stop(toggling);
	for (i = 0; i < client_packets(client); i++) {
		u64 first = client->packets[i].first;

		if (first != n && first + 1 != n)
			KUNIT_FAIL(test, "packet %llu where %u was due", first, n);
		n = first + 1;
	}
	KUNIT_EXPECT_EQ(test, n, 200);
	KUNIT_EXPECT_GT(test, client_packets(client), 200);
}

static struct kunit_case race_cases[] = {
	KUNIT_CASE_PARAM(two_operations_may_meet_at_any_time, race_gen_params),
	KUNIT_CASE(a_queued_packet_is_over_while_it_is_written),
	KUNIT_CASE(packets_may_be_completed_from_two_processors),
	KUNIT_CASE(packets_may_be_completed_in_softirq_context),
	KUNIT_CASE(order_is_kept_while_the_context_changes_and_packets_are_deferred),
	{}
};

static struct kunit_suite race_suite = {
	.name = "kmcl_race",
	.test_cases = race_cases,
};

kunit_test_suite(race_suite);
