// SPDX-License-Identifier: GPL-2.0
/* Synchronous requests: what ends the wait, and what is left behind. */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "client.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* Units of 100 ns. */
#define MS(n)	((n) * 10000LL)

/* A request made by a thread of its own, and what came of it. */
struct asker {
	struct client *client;
	UINT32 flags;
	u32 len;
	PMDL mdl;
	LARGE_INTEGER *timeout;
	u64 answer[4];
	UINT32 size;
	NTSTATUS status;
	ktime_t took;
	struct completion returned;
};

static struct host *asker_host;

static struct client *asker_client(struct kunit *test)
{
	struct client *client;

	asker_host = host_create(test);
	client = client_create(test, asker_host);
	asker_host->offered = true;
	client_enable(client);
	return client;
}

static void ask(struct asker *a)
{
	static u8 question[1024] = "question";
	ktime_t begin = ktime_get();

	a->status = VmbChannelSendSynchronousRequest(a->client->channel, question, a->len,
						     a->mdl, a->flags, a->answer, &a->size,
						     a->timeout);
	a->took = ktime_sub(ktime_get(), begin);
}

static int asker_thread(void *data)
{
	struct asker *a = data;

	ask(a);
	complete(&a->returned);
	return 0;
}

static struct asker *asker(struct client *client, UINT32 flags, LARGE_INTEGER *timeout)
{
	struct asker *a = kunit_kzalloc(client->test, sizeof(*a), GFP_KERNEL);

	a->client = client;
	a->flags = flags;
	a->len = 8;
	a->timeout = timeout;
	a->size = sizeof(a->answer);
	memset(a->answer, 0xa5, sizeof(a->answer));
	init_completion(&a->returned);
	return a;
}

static void asker_start(struct asker *a)
{
	KUNIT_ASSERT_FALSE(a->client->test,
			   IS_ERR(kthread_run(asker_thread, a, "kmcl_asker")));
}

static void asker_end(struct asker *a)
{
	KUNIT_EXPECT_NE(a->client->test,
			wait_for_completion_timeout(&a->returned, 5 * HZ), 0);
}

/* The host takes the request; returns its id. */
static u64 host_reads_one(struct kunit *test)
{
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	EVENTUALLY(test, host_read(asker_host, pkt));
	return pkt->id;
}

static void send_large(struct client *client)
{
	static u8 large[1000];

	client_send(client_packet(client), large, sizeof(large), 0);
}

/* The ring of one data page takes three such packets. */
static void fill_the_ring(struct client *client)
{
	int i;

	for (i = 0; i < 3; i++)
		send_large(client);
}

static void it_returns_with_the_completion(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, WAIT, NULL);
	u64 answer[2] = { 1, 2 };
	u64 id;

	asker_start(a);
	id = host_reads_one(test);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->returned));
	host_complete(asker_host, id, answer, sizeof(answer));
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a->size, 16);
	KUNIT_EXPECT_MEMEQ(test, a->answer, answer, 16);
	KUNIT_EXPECT_EQ(test, a->answer[2], 0xa5a5a5a5a5a5a5a5);
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 0);
}

static void without_wait_it_returns_when_it_is_in_the_ring(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, 0, NULL);

	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a->size, 0);
	host_reads_one(test);
}

static void without_wait_it_waits_for_room(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, 0, NULL);

	fill_the_ring(client);
	a->len = 1000;
	asker_start(a);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->returned));
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 3);
	host_signal(asker_host);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 1);
}

static void external_data_goes_along(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, WAIT, NULL);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	PMDL mdl = IoAllocateMdl(pkt, 100, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	a->mdl = mdl;
	asker_start(a);
	EVENTUALLY(test, host_read(asker_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->type, VM_PKT_DATA_USING_GPA_DIRECT);
	host_complete(asker_host, pkt->id, NULL, 0);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, a->size, 0);
	IoFreeMdl(mdl);
}

struct timed {
	const char *name;
	s64 ms;		/* until the timeout */
	bool absolute;
};

static const struct timed timeds[] = {
	{ "relative", 50, false },
	{ "absolute", 50, true },
	{ "absolute, in the past", -50, true },
};

KUNIT_ARRAY_PARAM_DESC(timed, timeds, name);

static LARGE_INTEGER timed_value(const struct timed *timed)
{
	LARGE_INTEGER value = { .QuadPart = -MS(timed->ms) };

	if (timed->absolute) {
		/* Since 1601, in units of 100 ns. */
		value.QuadPart = div_s64(ktime_get_real_ns(), 100) +
				 116444736000000000LL + MS(timed->ms);
	}
	return value;
}

static void after_the_timeout_it_is_cancelled(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = timed_value(test->param_value);
	const struct timed *timed = test->param_value;
	struct asker *a = asker(client, WAIT, &timeout);

	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, a->size, sizeof(a->answer));
	/* An absolute time was fixed some moments before. */
	if (timed->ms > 0)
		KUNIT_EXPECT_GE(test, ktime_to_ms(a->took), timed->ms - 10);
	KUNIT_EXPECT_LT(test, ktime_to_ms(a->took), 3000);
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 0);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 1);
}

static void a_late_completion_is_no_news_and_no_offence(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = { .QuadPart = -MS(10) };
	struct asker *a = asker(client, WAIT, &timeout);
	struct client_done *done = client_packet(client);
	u64 answer = 1, id;

	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_CANCELLED);
	id = host_reads_one(test);
	host_complete(asker_host, id, &answer, sizeof(answer));
	KUNIT_EXPECT_EQ(test, a->answer[0], 0xa5a5a5a5a5a5a5a5);
	KUNIT_EXPECT_EQ(test, client_count(client, late), 1);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 0);

	/* Late once only: a second completion was never asked for. */
	host_complete(asker_host, id, &answer, sizeof(answer));
	KUNIT_EXPECT_EQ(test, client_count(client, late), 1);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 1);

	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	host_complete(asker_host, host_reads_one(test), NULL, 0);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
}

static void a_queued_request_that_times_out_is_never_sent(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = { .QuadPart = -MS(20) };
	struct asker *a = asker(client, WAIT, &timeout);
	struct client_done *behind;

	fill_the_ring(client);
	a->len = 1000;
	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_CANCELLED);
	behind = client_packet(client);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 3);
	EXPECT_STATUS(test, client_send(behind, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(behind), 1);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 1);
}

static void what_waits_behind_a_request_goes_out_when_that_gives_up(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = { .QuadPart = -MS(100) };
	struct asker *a = asker(client, WAIT, &timeout);
	struct client_done *behind = client_packet(client);

	fill_the_ring(client);
	a->len = 1000;
	asker_start(a);
	EVENTUALLY(test, client_count(client, queued) == 1);
	/* The small packet would have room, but waits behind the request. */
	EXPECT_STATUS(test, client_send(behind, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(behind), 0);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, client_calls(behind), 1);
	KUNIT_EXPECT_EQ(test, host_wanted_room(asker_host), 0);
}

static void with_a_zero_timeout_it_is_not_queued(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = {};
	struct asker *a = asker(client, 0, &timeout);

	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
	fill_the_ring(client);
	a->len = 1000;
	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 4);
	host_signal(asker_host);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 0);

	/* A request does not overtake a packet that waits for room. */
	fill_the_ring(client);
	send_large(client);
	a->len = 8;
	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_BUFFER_OVERFLOW);
}

static void with_a_zero_timeout_a_completion_is_not_waited_for(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = {};
	struct asker *a = asker(client, WAIT, &timeout);

	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 1);
}

static void a_completion_that_is_too_long_is_cut(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, WAIT, NULL);
	u64 answer[3] = { 1, 2, 3 };

	a->size = 16;
	asker_start(a);
	host_complete(asker_host, host_reads_one(test), answer, sizeof(answer));
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, a->size, 16);
	KUNIT_EXPECT_MEMEQ(test, a->answer, answer, 16);
	KUNIT_EXPECT_EQ(test, a->answer[2], 0xa5a5a5a5a5a5a5a5);
}

static void a_completion_may_be_of_no_interest(struct kunit *test)
{
	struct client *client = asker_client(test);
	VMBCHANNEL channel = client->channel;
	LARGE_INTEGER timeout = {};

	/* No buffer needs no size. */
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(channel, "x", 1, NULL, 0, NULL,
							     NULL, &timeout), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 1);
}

static void requests_check_their_parameters(struct kunit *test)
{
	struct client *client = asker_client(test);
	VMBCHANNEL c = client->channel;
	LARGE_INTEGER now = {};
	UINT32 size = 12;
	u64 answer[2];
	PMDL mdl = IoAllocateMdl(answer, sizeof(answer), FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(NULL, "x", 1, NULL, 0, NULL,
							     NULL, &now),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(c, NULL, 1, NULL, 0, NULL,
							     NULL, &now),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(c, "x", 1025, NULL, 0, NULL,
							     NULL, &now),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(c, "x", 1, NULL, 32, NULL,
							     NULL, &now),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(c, "x", 1, mdl, 0, NULL, NULL,
							     &now),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(c, "x", 1, NULL, WAIT, answer,
							     NULL, &now),
		      STATUS_INVALID_PARAMETER_7);
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(c, "x", 1, NULL, WAIT, answer,
							     &size, &now),
		      STATUS_INVALID_PARAMETER_7);
	KUNIT_EXPECT_EQ(test, size, 12);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 0);
	IoFreeMdl(mdl);
}

static void disable_ends_the_wait(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, WAIT, NULL);

	asker_start(a);
	host_reads_one(test);
	VmbChannelDisable(client->channel);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, a->size, sizeof(a->answer));
}

static void a_rescind_ends_the_wait(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, WAIT, NULL);

	asker_start(a);
	host_reads_one(test);
	host_rescind(asker_host);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
}

static void a_rescind_ends_the_wait_for_room(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, 0, NULL);

	fill_the_ring(client);
	a->len = 1000;
	asker_start(a);
	EVENTUALLY(test, client_count(client, queued) == 1);
	host_rescind(asker_host);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
}

static void disable_ends_the_wait_for_an_offer(struct kunit *test)
{
	struct client *client;
	struct asker *a;

	asker_host = host_create(test);
	client = client_create(test, asker_host);
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	a = asker(client, WAIT, NULL);
	asker_start(a);
	EVENTUALLY(test, client_count(client, queued) == 1);
	VmbChannelDisable(client->channel);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
}

static void at_dispatch_level_it_sends_what_needs_no_wait(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = {};
	struct asker *a = asker(client, 0, &timeout);
	unsigned long flags;

	local_bh_disable();
	ask(a);
	local_bh_enable();
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 1);
	/* There a spin lock is no lock to take with interrupts really off. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return;

	local_irq_save(flags);
	ask(a);
	local_irq_restore(flags);
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 1);
}

static struct asker *asker_in_callback;

static void ask_in_routine(struct client_done *done)
{
	done->again = NULL;
	ask(asker_in_callback);
}

static void a_completion_routine_may_ask_without_waiting(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct client_done *done = client_packet(client);
	LARGE_INTEGER timeout = {};

	asker_in_callback = asker(client, 0, &timeout);
	done->again = ask_in_routine;
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, asker_in_callback->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_skip_all(asker_host), 2);
}

static int answering_thread(void *data)
{
	struct host_packet *pkt = kzalloc(sizeof(*pkt), GFP_KERNEL | __GFP_NOFAIL);
	u64 answer = 99;

	while (!kthread_should_stop()) {
		if (host_read(asker_host, pkt) && pkt->flags)
			host_complete(asker_host, pkt->id, &answer, sizeof(answer));
		usleep_range(50, 100);
	}
	kfree(pkt);
	return 0;
}

static void ask_when_post_started(struct client *client, enum client_event event)
{
	if (event == CLIENT_POST_STARTED)
		ask(asker_in_callback);
}

/* A client whose EvtChannelPostStarted makes a request, and has been called. */
static struct client *asking_when_post_started(struct kunit *test)
{
	struct client *client;

	asker_host = host_create(test);
	client = client_create(test, asker_host);
	asker_in_callback = asker(client, WAIT, NULL);
	client->on_event = ask_when_post_started;
	asker_host->offered = true;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_receives(client));
	return client;
}

static void post_started_is_the_place_to_negotiate(struct kunit *test)
{
	struct client *client = asking_when_post_started(test);
	struct task_struct *answering;

	answering = kthread_run(answering_thread, NULL, "kmcl_answers");
	EVENTUALLY(test, client_events(client) == 3);
	kthread_stop(answering);
	EXPECT_STATUS(test, asker_in_callback->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, asker_in_callback->answer[0], 99);
	client->on_event = NULL;
}

/* Packets of 16 bytes, which come behind the one whose callback makes the request. */
static u64 behind[3];
static u32 n_behind;

static VOID ask_in_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			   UINT32 len, UINT32 flags)
{
	if (len == 16) {
		behind[n_behind] = *(u64 *)buffer;
		WRITE_ONCE(n_behind, n_behind + 1);
		VmbChannelPacketComplete(packet, NULL, 0);
		return;
	}
	ask(asker_in_callback);
	VmbChannelPacketComplete(packet, NULL, 0);
	complete(&asker_in_callback->returned);
}

/* A client whose ProcessPacket makes a request, and is about to be called. */
static struct client *asking_in_process(struct kunit *test)
{
	struct client *client;

	asker_host = host_create(test);
	client = client_create(test, asker_host);
	asker_in_callback = asker(client, WAIT, NULL);
	VmbChannelSetIncomingProcessingAtPassive(client->channel, TRUE);
	EXPECT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(client->channel,
								    ask_in_process, NULL),
		      STATUS_SUCCESS);
	asker_host->offered = true;
	client_enable(client);
	host_write(asker_host, KMCL_WIRE_DATA, 0, 0, "go", 2);
	host_signal(asker_host);
	return client;
}

/* With a quota of one packet, which is the one being processed. */
static void process_packet_at_passive_may_ask(struct kunit *test)
{
	struct client *client = asking_in_process(test);
	struct task_struct *answering;

	VmbChannelSetTransactionQuota(client->channel, 1);
	answering = kthread_run(answering_thread, NULL, "kmcl_answers");
	asker_end(asker_in_callback);
	kthread_stop(answering);
	EXPECT_STATUS(test, asker_in_callback->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, asker_in_callback->answer[0], 99);
}

static void a_channel_that_is_not_enabled_takes_no_requests(struct kunit *test)
{
	struct client *client = asker_client(test);
	LARGE_INTEGER timeout = {};
	struct asker *a = asker(client, WAIT, NULL);

	VmbChannelDisable(client->channel);
	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
	a->flags = 0;
	a->timeout = &timeout;
	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
	client_enable(client);
	ask(a);
	EXPECT_STATUS(test, a->status, STATUS_SUCCESS);
}

static int disabling_thread(void *data)
{
	struct asker *a = data;

	VmbChannelDisable(a->client->channel);
	complete(&a->returned);
	return 0;
}

/* The host never answers: a request in a callback must not wait on. */
static void what_waits_in_post_started_is_ended(struct kunit *test, bool rescind)
{
	struct client *client = asking_when_post_started(test);

	host_reads_one(test);
	if (rescind) {
		host_rescind(asker_host);
	} else {
		kthread_run(disabling_thread, asker_in_callback, "kmcl_disable");
		asker_end(asker_in_callback);
	}
	EXPECT_STATUS(test, asker_in_callback->status, STATUS_DEVICE_REMOVED);
	client->on_event = NULL;
}

static void disable_ends_a_request_in_post_started(struct kunit *test)
{
	what_waits_in_post_started_is_ended(test, false);
}

static void a_rescind_ends_a_request_in_post_started(struct kunit *test)
{
	what_waits_in_post_started_is_ended(test, true);
}

static void disable_ends_a_request_in_process_packet(struct kunit *test)
{
	struct client *client = asking_in_process(test);

	host_reads_one(test);
	VmbChannelDisable(client->channel);
	EXPECT_STATUS(test, asker_in_callback->status, STATUS_DEVICE_REMOVED);
}

static int pausing_thread(void *data)
{
	struct asker *a = data;

	VmbChannelPause(a->client->channel);
	complete(&a->returned);
	return 0;
}

/*
 * Pause waits for the callback, and the callback for the completion, which has data
 * before it in the ring.
 */
static void pause_lets_a_request_in_process_packet_complete(struct kunit *test)
{
	struct client *client = asking_in_process(test);
	struct asker *pausing = asker(client, 0, NULL);
	u64 data[2] = {}, answer = 5, id = host_reads_one(test);

	kthread_run(pausing_thread, pausing, "kmcl_pause");
	msleep(20);
	KUNIT_EXPECT_FALSE(test, completion_done(&pausing->returned));
	n_behind = 0;
	for (data[0] = 1; data[0] <= 3; data[0]++)
		host_write(asker_host, KMCL_WIRE_DATA, 0, 0, data, sizeof(data));
	host_complete(asker_host, id, &answer, sizeof(answer));
	asker_end(asker_in_callback);
	asker_end(pausing);
	EXPECT_STATUS(test, asker_in_callback->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, asker_in_callback->answer[0], 5);

	/* The data waits for the channel to go on. */
	msleep(20);
	KUNIT_EXPECT_EQ(test, READ_ONCE(n_behind), 0);
	VmbChannelStart(client->channel);
	EVENTUALLY(test, READ_ONCE(n_behind) == 3);
	KUNIT_EXPECT_EQ(test, behind[0], 1);
	KUNIT_EXPECT_EQ(test, behind[1], 2);
	KUNIT_EXPECT_EQ(test, behind[2], 3);
}

static struct client *holder;

static void complete_what_is_held(struct client_done *done)
{
	client_complete(holder, 0, NULL, 0);
}

/* More data than a pause puts aside hides the completion that the client waits for. */
static void disable_ends_a_pause_that_cannot_end(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *pausing = asker(client, 0, NULL), *disabling = asker(client, 0, NULL);
	struct client_done *done = client_packet(client);
	u64 data[2] = {}, id;

	holder = client;
	client->keep = true;
	done->again = complete_what_is_held;
	ASSERT_STATUS(test, client_send(done, "q", 1, WAIT), STATUS_SUCCESS);
	id = host_reads_one(test);
	host_write(asker_host, KMCL_WIRE_DATA, 0, 0, "held", 4);
	host_signal(asker_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);

	kthread_run(pausing_thread, pausing, "kmcl_pause");
	EVENTUALLY(test, client_events(client) == 4);
	for (data[0] = 0; data[0] < 70; data[0]++)
		host_write(asker_host, KMCL_WIRE_DATA, 0, 0, data, sizeof(data));
	host_complete(asker_host, id, NULL, 0);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, completion_done(&pausing->returned));
	kthread_run(disabling_thread, disabling, "kmcl_disable");
	asker_end(pausing);
	asker_end(disabling);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
	CLIENT_EXPECT(client, UP DOWN);
}

/* The host may still write to the memory: only a closed channel ends that wait. */
static void with_external_data_the_wait_ends_when_the_channel_is_closed(struct kunit *test)
{
	struct client *client = asker_client(test);
	struct asker *a = asker(client, WAIT, NULL);
	struct asker *disabling = asker(client, 0, NULL);
	PMDL mdl = IoAllocateMdl(a, 100, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	a->mdl = mdl;
	asker_start(a);
	host_reads_one(test);
	/* A packet that the client holds keeps the channel from being closed. */
	client->keep = true;
	host_write(asker_host, KMCL_WIRE_DATA, 0, 0, "held", 4);
	host_signal(asker_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	kthread_run(disabling_thread, disabling, "kmcl_disable");
	EVENTUALLY(test, client_events(client) == 4);
	msleep(20);
	KUNIT_EXPECT_FALSE(test, completion_done(&a->returned));
	client_complete(client, 0, NULL, 0);
	asker_end(a);
	asker_end(disabling);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
	IoFreeMdl(mdl);
}

/* Too late: while the request's MDLs are looked at, kept there by an endless chain. */
static void one_with_external_data_that_comes_too_late_is_ended(struct kunit *test)
{
	struct client *client;
	struct asker *a;
	PMDL mdl, nothing;

	asker_host = host_create(test);
	client = client_create(test, asker_host);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumExternalData(client->channel, 4096, U32_MAX),
		      STATUS_SUCCESS);
	asker_host->offered = true;
	client_enable(client);
	a = asker(client, WAIT, NULL);
	mdl = IoAllocateMdl(a, 100, FALSE, FALSE, NULL);
	nothing = IoAllocateMdl(a, 0, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_ASSERT_NOT_NULL(test, nothing);
	MmBuildMdlForNonPagedPool(mdl);
	MmBuildMdlForNonPagedPool(nothing);
	nothing->Next = nothing;
	a->mdl = nothing;
	asker_start(a);
	EVENTUALLY(test, client_is_asking(client));
	VmbChannelDisable(client->channel);
	WRITE_ONCE(nothing->Next, mdl);
	asker_end(a);
	EXPECT_STATUS(test, a->status, STATUS_DEVICE_REMOVED);
	IoFreeMdl(nothing);
	IoFreeMdl(mdl);
}

static int racing_thread(void *data)
{
	struct asker *a = data;
	u32 i;

	for (i = 0; i < 300; i++) {
		a->size = sizeof(a->answer);
		ask(a);
		/* A request completes, with the answer, or is cancelled, without. */
		if (a->status == STATUS_SUCCESS)
			KUNIT_EXPECT_EQ(a->client->test, a->answer[0], 99);
		else
			EXPECT_STATUS(a->client->test, a->status, STATUS_CANCELLED);
		a->answer[0] = 0;
	}
	complete(&a->returned);
	return 0;
}

static void completions_may_meet_timeouts(struct kunit *test)
{
	struct client *client = asker_client(test);
	/* One timeout that most answers meet, and one that most come too late for. */
	LARGE_INTEGER timeouts[2] = { { .QuadPart = -MS(1) }, { .QuadPart = -1 } };
	struct asker *a[2] = { asker(client, WAIT, &timeouts[0]),
			       asker(client, WAIT, &timeouts[1]) };
	struct task_struct *answering = kthread_run(answering_thread, NULL, "kmcl_answers");
	int i;

	for (i = 0; i < 2; i++)
		kthread_run(racing_thread, a[i], "kmcl_racer");
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&a[i]->returned, 30 * HZ), 0);
	/* What was given up in the queue was never sent. */
	EVENTUALLY(test, client_count(client, late) + client_count(client, completed) ==
		   client_sent(client));
	kthread_stop(answering);
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 0);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 0);
	KUNIT_EXPECT_GT(test, client_count(client, late), 0);
}

static struct kunit_case request_cases[] = {
	KUNIT_CASE(it_returns_with_the_completion),
	KUNIT_CASE(without_wait_it_returns_when_it_is_in_the_ring),
	KUNIT_CASE(without_wait_it_waits_for_room),
	KUNIT_CASE(external_data_goes_along),
	KUNIT_CASE_PARAM(after_the_timeout_it_is_cancelled, timed_gen_params),
	KUNIT_CASE(a_late_completion_is_no_news_and_no_offence),
	KUNIT_CASE(a_queued_request_that_times_out_is_never_sent),
	KUNIT_CASE(what_waits_behind_a_request_goes_out_when_that_gives_up),
	KUNIT_CASE(with_a_zero_timeout_it_is_not_queued),
	KUNIT_CASE(with_a_zero_timeout_a_completion_is_not_waited_for),
	KUNIT_CASE(a_completion_that_is_too_long_is_cut),
	KUNIT_CASE(a_completion_may_be_of_no_interest),
	KUNIT_CASE(requests_check_their_parameters),
	KUNIT_CASE(disable_ends_the_wait),
	KUNIT_CASE(a_rescind_ends_the_wait),
	KUNIT_CASE(a_rescind_ends_the_wait_for_room),
	KUNIT_CASE(disable_ends_the_wait_for_an_offer),
	KUNIT_CASE(at_dispatch_level_it_sends_what_needs_no_wait),
	KUNIT_CASE(a_completion_routine_may_ask_without_waiting),
	KUNIT_CASE(post_started_is_the_place_to_negotiate),
	KUNIT_CASE(process_packet_at_passive_may_ask),
	KUNIT_CASE(a_channel_that_is_not_enabled_takes_no_requests),
	KUNIT_CASE(disable_ends_a_request_in_post_started),
	KUNIT_CASE(a_rescind_ends_a_request_in_post_started),
	KUNIT_CASE(disable_ends_a_request_in_process_packet),
	KUNIT_CASE(pause_lets_a_request_in_process_packet_complete),
	KUNIT_CASE(disable_ends_a_pause_that_cannot_end),
	KUNIT_CASE(with_external_data_the_wait_ends_when_the_channel_is_closed),
	KUNIT_CASE(one_with_external_data_that_comes_too_late_is_ended),
	KUNIT_CASE(completions_may_meet_timeouts),
	{}
};

static struct kunit_suite request_suite = {
	.name = "kmcl_request",
	.test_cases = request_cases,
};

kunit_test_suite(request_suite);
