// SPDX-License-Identifier: GPL-2.0
/* The two channels of a benchmark, and how operations on them are timed: see bench.h. */
#include <linux/slab.h>

#include "bench.h"

/* Of so many runs the shortest counts: no interrupt came into it. */
#define BENCH_RUNS	5

/* As the host's transport, but without what that does for other cases. */
static struct kmcl_transport bench_transport;

VOID bench_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct bench *b = VmbPacketGetPointer(packet);

	b->done++;
}

static VOID bench_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			  UINT32 len, UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(channel);
	struct bench *b = client->private;

	WRITE_ONCE(b->received, b->received + 1);
	VmbChannelPacketComplete(packet, NULL, 0);
}

/* As if the other end had read all of it. */
void bench_empty(struct vmbus_channel *channel)
{
	struct hv_ring_buffer *ring = channel->outbound.ring_buffer;

	WRITE_ONCE(ring->read_index, ring->write_index);
}

/* Completes what the client has sent, without payload. */
void bench_complete_all(struct bench *b)
{
	u32 n = client_open_transactions(b->client);
	u64 last = client_last_id(b->client);

	for (; n; n--)
		host_write(b->host, KMCL_WIRE_COMPLETION, 0, last + 1 - n, NULL, 0);
	while (client_open_transactions(b->client))
		host_signal(b->host);
}

static void bench_free(void *data)
{
	struct bench *b = data;
	u32 i;

	for (i = 0; i < BENCH_OPERATIONS && b->packets[i]; i++)
		VmbPacketFree(b->packets[i]);
	kfree(b->raw.requestor.req_arr);
	bitmap_free(b->raw.requestor.req_bitmap);
	kfree(b->raw.inbound.pkt_buffer);
	host_ring_free(&b->raw.inbound, b->raw_recv_pages);
	host_ring_free(&b->raw.outbound, b->raw_send_pages);
	kfree(b);
}

/* As hv_vmbus makes a requestor when a driver opens a channel. */
static void bench_make_requestor(struct bench *b)
{
	struct vmbus_requestor *requestor = &b->raw.requestor;
	u32 i;

	b->raw.rqstor_size = 2 * BENCH_OPERATIONS;
	requestor->size = b->raw.rqstor_size;
	requestor->req_arr = kcalloc(requestor->size, sizeof(u64), GFP_KERNEL | __GFP_NOFAIL);
	requestor->req_bitmap = bitmap_zalloc(requestor->size, GFP_KERNEL | __GFP_NOFAIL);
	for (i = 0; i < requestor->size; i++)
		requestor->req_arr[i] = i + 1;
	requestor->req_arr[requestor->size - 1] = U64_MAX;
	spin_lock_init(&requestor->req_lock);
}

static void bench_make_raw(struct bench *b)
{
	struct vmbus_channel *channel = &b->raw;
	u32 bytes = BENCH_RING_PAGES * PAGE_SIZE;

	b->raw_send_pages = host_ring_alloc(&channel->outbound, bytes);
	b->raw_recv_pages = host_ring_alloc(&channel->inbound, bytes);
	channel->inbound.pkt_buffer_size = b->host->channel.inbound.pkt_buffer_size;
	channel->inbound.pkt_buffer = kzalloc(channel->inbound.pkt_buffer_size,
					      GFP_KERNEL | __GFP_NOFAIL);
	channel->outbound.ring_buffer->interrupt_mask = 1;
	bench_make_requestor(b);
}

/* With an open channel; @flags: of VmbChannelInitSetFlags(). Goes away with the test. */
struct bench *bench_create(struct kunit *test, u32 flags)
{
	struct bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	VMBCHANNEL channel;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->payload = kunit_kzalloc(test, BENCH_MAX_BYTES, GFP_KERNEL);
	b->answer = kunit_kzalloc(test, BENCH_MAX_BYTES, GFP_KERNEL);
	b->host = host_create(test);
	b->client = client_create(test, b->host);
	channel = b->client->channel;
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(channel, BENCH_MAX_BYTES),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumExternalData(channel, SZ_128K, 8),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(channel, BENCH_RING_PAGES,
								       BENCH_RING_PAGES),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetFlags(channel, flags), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(channel, bench_process, NULL),
		      STATUS_SUCCESS);
	host_offer(b->host);
	client_enable(b->client);

	bench_make_raw(b);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, bench_free, b), 0);
	bench_transport = *b->host->hv.link.ops;
	bench_transport.send = kmcl_hv_send;
	bench_transport.send_memory = kmcl_hv_send_memory;
	bench_transport.recv_begin = kmcl_hv_recv_begin;
	b->host->hv.link.ops = &bench_transport;
	b->client->private = b;
	for (i = 0; i < BENCH_OPERATIONS; i++) {
		b->packets[i] = VmbPacketAllocate(channel);
		KUNIT_ASSERT_NOT_NULL(test, b->packets[i]);
		VmbPacketSetPointer(b->packets[i], b);
		VmbPacketSetCompletionRoutine(b->packets[i], bench_routine);
	}
	return b;
}

void bench_rings_empty(struct bench *b)
{
	if (!b->host)
		return;
	bench_empty(&b->raw);
	bench_empty(&b->host->channel);
}

static u64 bench_best(struct bench *b, bench_fn fn, u32 bytes)
{
	u64 ticks, best = U64_MAX;
	u32 i;

	for (i = 0; fn && i < BENCH_RUNS; i++) {
		ticks = fn(b, bytes, BENCH_OPERATIONS);
		best = min(best, ticks);
		bench_rings_empty(b);
	}
	return fn ? best : 0;
}

/* Prints a line for scripts/bench: ticks for BENCH_OPERATIONS; 0: there is no such way. */
void bench_run(struct bench *b, const char *name, u32 bytes, bench_fn raw, bench_fn kmcl)
{
	u64 raw_ticks, kmcl_ticks;

	if (!bench_is_wanted(name, bytes))
		return;
	raw_ticks = bench_best(b, raw, bytes);
	kmcl_ticks = bench_best(b, kmcl, bytes);
	KUNIT_EXPECT_NE(b->test, kmcl_ticks, 0);
	pr_info("bench|%s|%u|%u|%llu|%llu\n", name, bytes, BENCH_OPERATIONS, raw_ticks,
		kmcl_ticks);
	bench_profile(b, name, bytes, "hv_vmbus", raw, raw_ticks);
	bench_profile(b, name, bytes, "kmcl", kmcl, kmcl_ticks);
}
