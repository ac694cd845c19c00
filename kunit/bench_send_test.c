// SPDX-License-Identifier: GPL-2.0
/* What it costs to send: see bench.h. */
#include <linux/kthread.h>
#include <linux/sched.h>

#include "bench.h"
#include "../transport/wire.h"

static u64 raw_send(struct bench *b, u32 bytes, u32 n)
{
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		vmbus_sendpacket(&b->raw, b->payload, bytes, i, VM_PKT_DATA_INBAND, 0);
	return bench_end(begin);
}

static u64 kmcl_send(struct bench *b, u32 bytes, u32 n)
{
	VMBPACKET *packets = b->packets;
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(packets[i], b->payload, bytes, NULL, 0);
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, b->done % n, 0);
	return begin;
}

/* Gives back what bench_raw_request() took. */
static void raw_forget(struct bench *b, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(b->test, vmbus_request_addr(&b->raw, i + 1), (unsigned long)b);
}

static u64 raw_send_wanting(struct bench *b, u32 bytes, u32 n)
{
	u64 begin = bench_begin();

	bench_raw_request(b, bytes, n);
	begin = bench_end(begin);
	raw_forget(b, n);
	return begin;
}

static u64 kmcl_send_wanting(struct bench *b, u32 bytes, u32 n)
{
	VMBPACKET *packets = b->packets;
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(packets[i], b->payload, bytes, NULL, BENCH_WAIT);
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, client_open_transactions(b->client), n);
	bench_complete_all(b);
	return begin;
}

static void sends(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_sizes(b, "send", raw_send, kmcl_send);
	bench_sizes(b, "send, completion wanted", raw_send_wanting, kmcl_send_wanting);
}

/* With hv_vmbus alone the driver has the header before its payload. */
static u64 raw_send_pipe(struct bench *b, u32 bytes, u32 n)
{
	return raw_send(b, bytes + sizeof(struct kmcl_wire_pipe), n);
}

static void sends_through_a_pipe(struct kunit *test)
{
	struct bench *b = bench_create(test, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);

	bench_sizes(b, "send, pipe", raw_send_pipe, kmcl_send);
}

/* Requests */

/* A host that answers each request, while the thread that asks sleeps. */
struct answers {
	struct bench *b;
	struct vmbus_channel *channel;
	u32 ends[BENCH_OPERATIONS];	/* the ring's write_index behind each answer */
	u32 seen;			/* how many answers the guest may see */
	struct completion arrived;	/* hv_vmbus alone waits for it */
};

static bool answers_are_due(struct answers *a)
{
	struct bench *b = a->b;

	return a->channel == &b->raw ? !bitmap_empty(b->raw.requestor.req_bitmap,
						     b->raw.requestor.size) :
	       client_open_transactions(b->client);
}

/* What a driver does in its channel's callback. */
static void answers_read(struct answers *a)
{
	struct vmpacket_descriptor *desc;

	if (a->channel != &a->b->raw) {
		client_read(a->b->client);
		return;
	}
	foreach_vmbus_pkt(desc, a->channel)
		complete((struct completion *)(unsigned long)
			 vmbus_request_addr(a->channel, desc->trans_id));
}

static int answers_thread(void *data)
{
	struct answers *a = data;

	while (!kthread_should_stop()) {
		local_bh_disable();
		if (answers_are_due(a)) {
			WRITE_ONCE(a->channel->inbound.ring_buffer->write_index,
				   a->ends[a->seen++]);
			answers_read(a);
		}
		local_bh_enable();
		schedule();
	}
	return 0;
}

/* All answers are in the ring beforehand: what the host does is not what is timed. */
static void answers_write(struct answers *a, u64 id, u32 step, u32 bytes, u32 n)
{
	struct hv_ring_buffer *ring = a->channel->inbound.ring_buffer;
	u32 i, begin = ring->write_index;

	for (i = 0; i < n; i++) {
		bench_write(a->b, a->channel, VM_PKT_COMP, 0, id + i * step, bytes, 1);
		a->ends[i] = ring->write_index;
	}
	ring->write_index = begin;
}

/* The thread that asks comes before the host: that runs only while this one sleeps. */
static struct task_struct *answers_begin(struct answers *a)
{
	struct task_struct *thread = kthread_run(answers_thread, a, "answers");

	KUNIT_ASSERT_FALSE(a->b->test, IS_ERR(thread));
	sched_set_fifo(current);
	return thread;
}

static void answers_end(struct answers *a, struct task_struct *thread, u32 n)
{
	sched_set_normal(current, 0);
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(a->b->test, a->seen, n);
}

static u64 raw_request(struct bench *b, u32 bytes, u32 n)
{
	struct answers a = { .b = b, .channel = &b->raw };
	struct task_struct *thread;
	u64 begin;
	u32 i;

	init_completion(&a.arrived);
	answers_write(&a, b->raw.requestor.next_request_id + 1, 0, bytes, n);
	thread = answers_begin(&a);
	begin = bench_begin();
	for (i = 0; i < n; i++) {
		vmbus_sendpacket(&b->raw, b->payload, bytes, (unsigned long)&a.arrived,
				 VM_PKT_DATA_INBAND, VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
		wait_for_completion(&a.arrived);
	}
	begin = bench_end(begin);
	answers_end(&a, thread, n);
	return begin;
}

static u64 kmcl_request(struct bench *b, u32 bytes, u32 n)
{
	struct answers a = { .b = b, .channel = &b->host->channel };
	struct task_struct *thread;
	u32 i, good = 0;
	UINT32 len;
	u64 begin;

	answers_write(&a, client_last_id(b->client) + 1, 1, bytes, n);
	thread = answers_begin(&a);
	begin = bench_begin();
	for (i = 0; i < n; i++) {
		len = BENCH_MAX_BYTES;
		good += VmbChannelSendSynchronousRequest(b->client->channel, b->payload, bytes,
							 NULL, BENCH_WAIT, b->answer, &len,
							 NULL) == STATUS_SUCCESS;
	}
	begin = bench_end(begin);
	answers_end(&a, thread, n);
	KUNIT_EXPECT_EQ(b->test, good, n);
	KUNIT_EXPECT_EQ(b->test, len, bytes);
	return begin;
}

static u64 kmcl_request_no_wait(struct bench *b, u32 bytes, u32 n)
{
	LARGE_INTEGER now = {};
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbChannelSendSynchronousRequest(b->client->channel, b->payload, bytes, NULL, 0,
						 NULL, NULL, &now);
	return bench_end(begin);
}

static void requests(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_run(b, "synchronous request, no wait", 64, raw_send, kmcl_request_no_wait);
	bench_sizes(b, "synchronous request", raw_request, kmcl_request);
}

static struct kunit_case bench_send_cases[] = {
	KUNIT_CASE(sends),
	KUNIT_CASE(sends_through_a_pipe),
	KUNIT_CASE(requests),
	{}
};

static struct kunit_suite bench_send_suite = {
	.name = "kmcl_bench_send",
	.test_cases = bench_send_cases,
};

kunit_test_suite(bench_send_suite);
