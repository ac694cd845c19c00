// SPDX-License-Identifier: GPL-2.0
/* What packet objects, open transactions and the queue cost: see bench.h. */
#include <linux/slab.h>

#include "bench.h"

#define QUEUE_MAX	8000u

static u64 kmcl_allocate(struct bench *b, u32 bytes, u32 n)
{
	VMBCHANNEL channel = b->client->channel;
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketFree(VmbPacketAllocate(channel));
	return bench_end(begin);
}

static u64 kmcl_initialize(struct bench *b, u32 bytes, u32 n)
{
	u32 i, size = VmbChannelSizeofPacket(b->client->channel);
	VMBPACKET packet = kvzalloc(size, GFP_KERNEL | __GFP_NOFAIL);
	u64 begin = bench_begin();

	for (i = 0; i < n; i++) {
		VmbPacketInitialize(b->client->channel, packet, size);
		VmbPacketSetCompletionRoutine(packet, bench_routine);
	}
	begin = bench_end(begin);
	kvfree(packet);
	return begin;
}

static void objects(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_run(b, "allocate and free", 0, NULL, kmcl_allocate);
	bench_run(b, "initialize, set routine", 0, NULL, kmcl_initialize);
}

static u64 kmcl_send_beside(struct bench *b, u32 bytes, u32 n)
{
	VMBPACKET *packets = b->packets;
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(packets[i], b->payload, bytes, NULL, BENCH_WAIT);
	begin = bench_end(begin);
	/* These were the last to be sent. */
	bench_write(b, &b->host->channel, VM_PKT_COMP, 0, client_last_id(b->client) + 1 - n, 0,
		    n);
	b->done = 0;
	while (b->done < n)
		host_signal(b->host);
	return begin;
}

/* Opens transactions in small packets until so many are open. */
static void open_transactions(struct bench *b, u32 n)
{
	VMBPACKET packet;

	while (client_open_transactions(b->client) < n) {
		packet = VmbPacketAllocate(b->client->channel);
		KUNIT_ASSERT_NOT_NULL(b->test, packet);
		ASSERT_STATUS(b->test, VmbPacketSend(packet, b->payload, 8, NULL, BENCH_WAIT),
			      STATUS_SUCCESS);
		bench_empty(&b->host->channel);
	}
	flush_work(&client_chan(b->client)->trans.grow);
}

static void sends_beside(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_run(b, "send beside 0 transactions", 64, NULL, kmcl_send_beside);
	open_transactions(b, 100);
	bench_run(b, "send beside 100 transactions", 64, NULL, kmcl_send_beside);
	open_transactions(b, 10000);
	bench_run(b, "send beside 10000 transactions", 64, NULL, kmcl_send_beside);
}

/* As if the other end had stopped reading. */
static void fill_ring(struct bench *b)
{
	struct hv_ring_buffer_info *ring = &b->host->channel.outbound;

	WRITE_ONCE(ring->ring_buffer->read_index,
		   (ring->ring_buffer->write_index + 8) % ring->ring_datasize);
}

static void queue_some(struct bench *b, u32 bytes, u32 n)
{
	VMBPACKET *packets = b->packets;
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(packets[i], b->payload, bytes, NULL, 0);
}

/* The queue goes out in one or several pieces. Called with bottom halves off. */
static void drain_queue(struct bench *b, u32 n)
{
	u32 before;

	bench_empty(&b->host->channel);
	while (b->done < n) {
		before = b->done;
		client_read(b->client);
		if (b->done > before)
			continue;
		/* Where the kernel is slow routines are put off, and a tasklet calls them. */
		local_bh_enable();
		local_bh_disable();
	}
}

static u64 kmcl_queue(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;

	fill_ring(b);
	b->done = 0;
	begin = bench_begin();
	queue_some(b, bytes, n);
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, b->done, 0);
	local_bh_disable();
	drain_queue(b, n);
	local_bh_enable();
	return begin;
}

static u64 kmcl_drain(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;

	fill_ring(b);
	b->done = 0;
	queue_some(b, bytes, n);
	local_bh_disable();
	begin = bench_begin();
	drain_queue(b, n);
	begin = bench_end(begin);
	local_bh_enable();
	return begin;
}

static void a_full_ring(struct kunit *test)
{
	static const struct {
		const char *queue, *drain;
		u32 n;
	} some[] = {
		{ "queue 64 on a full ring", "drain a queue of 64", 64 },
		{ "queue 1000 on a full ring", "drain a queue of 1000", 1000 },
		{ "queue 2000 on a full ring", "drain a queue of 2000", 2000 },
		{ "queue 4000 on a full ring", "drain a queue of 4000", 4000 },
		{ "queue 8000 on a full ring", "drain a queue of 8000", QUEUE_MAX },
	};
	struct bench *b = bench_create(test, 0);
	u32 i;

	bench_packets(b, b->client->channel, QUEUE_MAX);
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		bench_run_n(b, some[i].queue, 64, some[i].n, NULL, kmcl_queue);
		bench_run_n(b, some[i].drain, 64, some[i].n, NULL, kmcl_drain);
	}
}

static struct kunit_case bench_queue_cases[] = {
	KUNIT_CASE(objects),
	KUNIT_CASE(sends_beside),
	KUNIT_CASE(a_full_ring),
	{}
};

static struct kunit_suite bench_queue_suite = {
	.name = "kmcl_bench_queue",
	.test_cases = bench_queue_cases,
};

kunit_test_suite(bench_queue_suite);
