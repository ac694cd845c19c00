// SPDX-License-Identifier: GPL-2.0
/* The two channels of a benchmark, and how operations on them are timed: see bench.h. */
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/trace_events.h>
#include <linux/vmalloc.h>

#include "bench.h"
#include "../transport/wire.h"

/* Of so many runs the shortest counts: no interrupt came into it. */
#define BENCH_RUNS	5

static bool traced;
module_param_named(bench_trace, traced, bool, 0444);
MODULE_PARM_DESC(bench_trace, "with all trace events on");

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

void bench_rings_empty(struct bench *b)
{
	if (!b->host)
		return;
	bench_empty(&b->raw);
	bench_empty(&b->host->channel);
}

/* Into a guest's incoming ring, as its host does it. */
void bench_write(struct bench *b, struct vmbus_channel *channel, u16 type, u16 flags, u64 id,
		 u32 bytes, u32 n)
{
	struct hv_ring_buffer *guest = b->host->channel.inbound.ring_buffer;

	b->host->channel.inbound.ring_buffer = channel->inbound.ring_buffer;
	while (n--)
		host_write(b->host, type, flags, id++, b->payload, bytes);
	b->host->channel.inbound.ring_buffer = guest;
}

/* Reads what completes all that is open; returns how many ticks that took. */
u64 bench_read_completions(struct bench *b)
{
	u64 begin;

	local_bh_disable();
	begin = bench_begin();
	while (client_open_transactions(b->client))
		client_read(b->client);
	begin = bench_end(begin);
	local_bh_enable();
	return begin;
}

/* Completes what the client has sent, without payload. */
void bench_complete_all(struct bench *b)
{
	u32 n = client_open_transactions(b->client);

	bench_write(b, &b->host->channel, KMCL_WIRE_COMPLETION, 0,
		    client_last_id(b->client) + 1 - n, 0, n);
	while (client_open_transactions(b->client))
		host_signal(b->host);
}

/* Sends with hv_vmbus alone, and with ids of its requestor's: 1 and up. */
void bench_raw_request(struct bench *b, u32 bytes, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		vmbus_sendpacket(&b->raw, b->payload, bytes, (unsigned long)b,
				 VM_PKT_DATA_INBAND, VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
}

void bench_packets_free(struct bench *b)
{
	while (b->n_packets)
		VmbPacketFree(b->packets[--b->n_packets]);
	kvfree(b->packets);
	b->packets = NULL;
}

/* The MDLs of external operations, and their memory. No packet may still have them. */
void bench_chain_free(struct bench *b)
{
	PMDL mdl;

	while (b->mdl) {
		mdl = b->mdl;
		b->mdl = mdl->Next;
		kfree(MmGetMdlVirtualAddress(mdl));
		IoFreeMdl(mdl);
	}
}

/* As many packets for all operations to come. */
void bench_packets(struct bench *b, VMBCHANNEL channel, u32 n)
{
	bench_packets_free(b);
	b->packets = kvcalloc(n, sizeof(*b->packets), GFP_KERNEL | __GFP_NOFAIL);
	while (b->n_packets < n) {
		VMBPACKET packet = VmbPacketAllocate(channel);

		KUNIT_ASSERT_NOT_NULL(b->test, packet);
		VmbPacketSetPointer(packet, b);
		VmbPacketSetCompletionRoutine(packet, bench_routine);
		b->packets[b->n_packets++] = packet;
	}
}

static void bench_free(void *data)
{
	struct bench *b = data;

	/* A case that failed half way may have left packets that are not completed. */
	VmbChannelDisable(b->client->channel);
	bench_packets_free(b);
	bench_chain_free(b);
	kfree(b->raw.requestor.req_arr);
	bitmap_free(b->raw.requestor.req_bitmap);
	kvfree(b->raw.inbound.pkt_buffer);
	host_ring_free(&b->raw.inbound, b->raw_recv_pages);
	host_ring_free(&b->raw.outbound, b->raw_send_pages);
	vfree(b->answer);
	vfree(b->payload);
	kfree(b);
}

/* As hv_vmbus makes a requestor when a driver opens a channel. */
static void bench_make_requestor(struct bench *b)
{
	struct vmbus_requestor *requestor = &b->raw.requestor;
	u32 i;

	b->raw.rqstor_size = 2 * BENCH_OPERATIONS;
	b->raw.next_request_id_callback = vmbus_next_request_id;
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
	channel->inbound.pkt_buffer = kvzalloc(channel->inbound.pkt_buffer_size,
					       GFP_KERNEL | __GFP_NOFAIL);
	channel->outbound.ring_buffer->interrupt_mask = 1;
	bench_make_requestor(b);
}

static void bench_make_client(struct bench *b, u32 flags)
{
	VMBCHANNEL channel;

	b->client = client_create(b->test, b->host);
	channel = b->client->channel;
	b->client->private = b;
	ASSERT_STATUS(b->test, VmbChannelInitSetMaximumPacketSize(channel, BENCH_MAX_BYTES),
		      STATUS_SUCCESS);
	ASSERT_STATUS(b->test, VmbChannelInitSetMaximumExternalData(channel, SZ_128K, 8),
		      STATUS_SUCCESS);
	ASSERT_STATUS(b->test,
		      VmbClientChannelInitSetRingBufferPageCount(channel, BENCH_RING_PAGES,
								 BENCH_RING_PAGES),
		      STATUS_SUCCESS);
	ASSERT_STATUS(b->test, VmbChannelInitSetFlags(channel, flags), STATUS_SUCCESS);
	ASSERT_STATUS(b->test,
		      VmbChannelInitSetProcessPacketCallbacks(channel, bench_process, NULL),
		      STATUS_SUCCESS);
}

/*
 * What is sent is mapped memory, and so behind all objects in the address space: for
 * the kernel's memmove() takes some instructions more where source and destination are
 * the other way round, and in which order two objects are differs from boot to boot.
 */
static void *bench_memory(struct kunit *test)
{
	u8 *memory = vzalloc(BENCH_MAX_BYTES + sizeof(struct kmcl_wire_pipe));

	KUNIT_ASSERT_NOT_NULL(test, memory);
	return memory;
}

static struct bench *bench_make(struct kunit *test, u32 flags, bool bounces)
{
	struct bench *b = kzalloc(sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->payload = bench_memory(test);
	b->answer = bench_memory(test);
	b->host = host_create(test);
	b->host->bounces = bounces;
	bench_make_client(b, flags);
	host_offer(b->host);
	client_enable(b->client);
	bench_make_raw(b);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, bench_free, b), 0);

	bench_transport = *b->host->hv.link.ops;
	bench_transport.send = kmcl_hv_send;
	bench_transport.send_request = kmcl_hv_send_request;
	bench_transport.recv_begin = kmcl_hv_recv_begin;
	b->host->hv.link.ops = &bench_transport;
	bench_packets(b, b->client->channel, BENCH_OPERATIONS);
	return b;
}

/* With an open channel; @flags: of VmbChannelInitSetFlags(). Goes away with the test. */
struct bench *bench_create(struct kunit *test, u32 flags)
{
	return bench_make(test, flags, false);
}

/* Its host must not see the memory of packets itself. */
struct bench *bench_create_bounced(struct kunit *test)
{
	return bench_make(test, 0, true);
}

static void bench_trace(bool on)
{
	if (IS_ENABLED(CONFIG_EVENT_TRACING) && traced)
		trace_set_clr_event("vmbkmcl", NULL, on);
}

static u64 bench_best(struct bench *b, bench_fn fn, u32 bytes, u32 n)
{
	u64 ticks, best = U64_MAX;
	u32 i;

	for (i = 0; fn && i < BENCH_RUNS; i++) {
		ticks = fn(b, bytes, n);
		best = min(best, ticks);
		bench_rings_empty(b);
	}
	return fn ? best : 0;
}

/* Prints a line for scripts/bench: ticks for @n operations; 0: there is no such way. */
void bench_run_n(struct bench *b, const char *name, u32 bytes, u32 n, bench_fn raw,
		 bench_fn kmcl)
{
	u64 raw_ticks, kmcl_ticks;

	if (!bench_is_wanted(name, bytes))
		return;
	raw_ticks = bench_best(b, raw, bytes, n);
	bench_trace(true);
	kmcl_ticks = bench_best(b, kmcl, bytes, n);
	bench_trace(false);
	KUNIT_EXPECT_NE(b->test, kmcl_ticks, 0);
	pr_info("bench|%s|%u|%u|%llu|%llu\n", name, bytes, n, raw_ticks, kmcl_ticks);
	bench_profile(b, name, bytes, n, "hv_vmbus", raw, raw_ticks);
	bench_profile(b, name, bytes, n, "kmcl", kmcl, kmcl_ticks);
}

void bench_run(struct bench *b, const char *name, u32 bytes, bench_fn raw, bench_fn kmcl)
{
	bench_run_n(b, name, bytes, BENCH_OPERATIONS, raw, kmcl);
}

/* Small packets and large ones. */
void bench_sizes(struct bench *b, const char *name, bench_fn raw, bench_fn kmcl)
{
	static const u32 sizes[] = { 8, 64, 256, 1024, BENCH_MAX_BYTES };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		bench_run(b, name, sizes[i], raw, kmcl);
}
