// SPDX-License-Identifier: GPL-2.0
/* The operations that are measured: see bench.h. */
#include <linux/slab.h>

#include "bench.h"
#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static const u32 all_sizes[] = { 8, 64, 256, 1024, 8192 };

static void bench_sizes(struct bench *b, const char *name, bench_fn raw, bench_fn kmcl)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all_sizes); i++)
		bench_run(b, name, all_sizes[i], raw, kmcl);
}

/* Out */

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
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, bytes, NULL, 0);
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, b->done % n, 0);
	return begin;
}

static u64 kmcl_request(struct bench *b, u32 bytes, u32 n)
{
	LARGE_INTEGER now = {};
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbChannelSendSynchronousRequest(b->client->channel, b->payload, bytes, NULL, 0,
						 NULL, NULL, &now);
	return bench_end(begin);
}

/* Gives back what raw_send_wanting() took. */
static void raw_forget(struct bench *b, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		vmbus_request_addr(&b->raw, i + 1);
}

static void raw_send_some(struct bench *b, u32 bytes, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		vmbus_sendpacket(&b->raw, b->payload, bytes, (unsigned long)b,
				 VM_PKT_DATA_INBAND, VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
}

static u64 raw_send_wanting(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;

	b->raw.next_request_id_callback = vmbus_next_request_id;
	begin = bench_begin();
	raw_send_some(b, bytes, n);
	begin = bench_end(begin);
	raw_forget(b, n);
	b->raw.next_request_id_callback = NULL;
	return begin;
}

static u64 kmcl_send_wanting(struct bench *b, u32 bytes, u32 n)
{
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, bytes, NULL, WAIT);
	begin = bench_end(begin);
	bench_complete_all(b);
	return begin;
}

static void sends(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_sizes(b, "send", raw_send, kmcl_send);
	bench_sizes(b, "send, completion wanted", raw_send_wanting, kmcl_send_wanting);
	bench_run(b, "synchronous request, no wait", 64, raw_send, kmcl_request);
}

static void sends_through_a_pipe(struct kunit *test)
{
	struct bench *b = bench_create(test, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);

	bench_run(b, "send, pipe", 64, raw_send, kmcl_send);
}

/* In */

/* Into a guest's incoming ring, as its host does it. */
static void write_packets(struct bench *b, struct vmbus_channel *channel, u16 type, u16 flags,
			  u64 id, u32 bytes, u32 n)
{
	struct vmbus_channel guest = b->host->channel;

	b->host->channel.inbound.ring_buffer = channel->inbound.ring_buffer;
	while (n--)
		host_write(b->host, type, flags, id++, b->payload, bytes);
	b->host->channel.inbound.ring_buffer = guest.inbound.ring_buffer;
}

static u64 raw_complete(struct bench *b, u32 bytes, u32 n)
{
	struct vmpacket_descriptor *desc;
	u64 begin;

	b->raw.next_request_id_callback = vmbus_next_request_id;
	raw_send_some(b, 8, n);
	write_packets(b, &b->raw, VM_PKT_COMP, 0, 1, bytes, n);
	begin = bench_begin();
	foreach_vmbus_pkt(desc, &b->raw)
		b->done += vmbus_request_addr(&b->raw, desc->trans_id) == (unsigned long)b;
	begin = bench_end(begin);
	b->raw.next_request_id_callback = NULL;
	return begin;
}

static u64 kmcl_complete(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, 8, NULL, WAIT);
	write_packets(b, &b->host->channel, VM_PKT_COMP, 0, client_last_id(b->client) + 1 - n,
		      bytes, n);
	local_bh_disable();
	begin = bench_begin();
	while (client_open_transactions(b->client))
		client_read(b->client);
	begin = bench_end(begin);
	local_bh_enable();
	return begin;
}

/* As a driver that uses what it gets. */
static u64 raw_receive(struct bench *b, u32 bytes, u32 n)
{
	u16 flags = b->answers ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED : 0;
	struct vmpacket_descriptor *desc;
	u64 begin;

	write_packets(b, &b->raw, VM_PKT_DATA_INBAND, flags, 1, bytes, n);
	begin = bench_begin();
	foreach_vmbus_pkt(desc, &b->raw) {
		b->received++;
		if (b->answers)
			vmbus_sendpacket(&b->raw, NULL, 0, desc->trans_id, VM_PKT_COMP, 0);
	}
	return bench_end(begin);
}

static u64 kmcl_receive(struct bench *b, u32 bytes, u32 n)
{
	u16 flags = b->answers ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED : 0;
	u64 begin;

	write_packets(b, &b->host->channel, VM_PKT_DATA_INBAND, flags, 1, bytes, n);
	b->received = 0;
	local_bh_disable();
	begin = bench_begin();
	while (b->received < n)
		client_read(b->client);
	begin = bench_end(begin);
	local_bh_enable();
	return begin;
}

static u64 kmcl_receive_at_passive(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;

	write_packets(b, &b->host->channel, VM_PKT_DATA_INBAND, 0, 1, bytes, n);
	b->received = 0;
	begin = bench_begin();
	host_signal(b->host);
	while (READ_ONCE(b->received) < n)
		schedule();
	return bench_end(begin);
}

static void receives(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_sizes(b, "completion arrives", raw_complete, kmcl_complete);
	bench_sizes(b, "receive", raw_receive, kmcl_receive);
	b->answers = true;
	bench_sizes(b, "receive and answer", raw_receive, kmcl_receive);
	b->answers = false;
	VmbChannelSetIncomingProcessingAtPassive(b->client->channel, TRUE);
	bench_run(b, "receive at passive", 64, NULL, kmcl_receive_at_passive);
}

/* Memory */

static u64 raw_external(struct bench *b, u32 bytes, u32 n)
{
	u32 size = offsetof(struct vmbus_packet_mpb_array, range.pfn_array[b->pages]);
	struct vmbus_packet_mpb_array *desc = kzalloc(size, GFP_KERNEL | __GFP_NOFAIL);
	u64 begin = bench_begin();
	u32 i, page;

	for (i = 0; i < n; i++) {
		desc->rangecount = 1;
		desc->range.len = b->pages * PAGE_SIZE;
		desc->range.offset = 0;
		for (page = 0; page < b->pages; page++)
			desc->range.pfn_array[page] = MmGetMdlPfnArray(b->mdl)[page];
		vmbus_sendpacket_mpb_desc(&b->raw, desc, size, b->payload, bytes, i);
	}
	begin = bench_end(begin);
	kfree(desc);
	return begin;
}

static u64 kmcl_external(struct bench *b, u32 bytes, u32 n)
{
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, bytes, b->mdl, WAIT);
	begin = bench_end(begin);
	bench_complete_all(b);
	return begin;
}

static u64 kmcl_pfns(struct bench *b, u32 bytes, u32 n)
{
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSendWithExternalPfns(b->packets[i], b->payload, bytes,
					      MmGetMdlPfnArray(b->mdl), b->pages, WAIT);
	begin = bench_end(begin);
	bench_complete_all(b);
	return begin;
}

/* A chain of MDLs, each of as many pages, of memory of the test's. */
static PMDL bench_chain(struct kunit *test, u32 mdls, u32 pages)
{
	PMDL first = NULL, mdl;
	void *memory;

	for (; mdls; mdls--) {
		memory = kunit_kzalloc(test, (pages + 1) * PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, memory);
		mdl = IoAllocateMdl(PTR_ALIGN(memory, PAGE_SIZE), pages * PAGE_SIZE, FALSE, FALSE,
				    NULL);
		KUNIT_ASSERT_NOT_NULL(test, mdl);
		MmBuildMdlForNonPagedPool(mdl);
		mdl->Next = first;
		first = mdl;
	}
	return first;
}

static void bench_free_chain(PMDL mdl)
{
	PMDL next;

	for (; mdl; mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
}

static void external_sends(struct kunit *test)
{
	static const struct {
		const char *name, *pfns;
		u32 pages;
	} some[] = {
		{ "send, MDL of 1 page", "send, 1 frame number", 1 },
		{ "send, MDL of 8 pages", "send, 8 frame numbers", 8 },
		{ "send, MDL of 32 pages", "send, 32 frame numbers", 32 },
	};
	struct bench *b = bench_create(test, 0);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		b->pages = some[i].pages;
		b->mdl = bench_chain(test, 1, b->pages);
		bench_run(b, some[i].name, 64, raw_external, kmcl_external);
		bench_run(b, some[i].pfns, 64, raw_external, kmcl_pfns);
		bench_free_chain(b->mdl);
	}
	b->mdl = bench_chain(test, 8, 1);
	bench_run(b, "send, chain of 8 MDLs", 64, NULL, kmcl_external);
	bench_free_chain(b->mdl);
}

/* Objects, transactions, the queue */

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
	VMBPACKET packet = kzalloc(size, GFP_KERNEL | __GFP_NOFAIL);
	u64 begin = bench_begin();

	for (i = 0; i < n; i++) {
		VmbPacketInitialize(b->client->channel, packet, size);
		VmbPacketSetCompletionRoutine(packet, bench_routine);
	}
	begin = bench_end(begin);
	kfree(packet);
	return begin;
}

static u64 kmcl_send_beside(struct bench *b, u32 bytes, u32 n)
{
	u64 begin = bench_begin();
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, bytes, NULL, WAIT);
	begin = bench_end(begin);
	/* These were the last to be sent. */
	write_packets(b, &b->host->channel, VM_PKT_COMP, 0, client_last_id(b->client) + 1 - n, 0,
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
		ASSERT_STATUS(b->test, VmbPacketSend(packet, b->payload, 8, NULL, WAIT),
			      STATUS_SUCCESS);
		bench_empty(&b->host->channel);
	}
	flush_work(&client_chan(b->client)->trans.grow);
}

static void objects_and_transactions(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_run(b, "allocate and free", 0, NULL, kmcl_allocate);
	bench_run(b, "initialize, set routine", 0, NULL, kmcl_initialize);
	bench_run(b, "send beside 0 transactions", 64, NULL, kmcl_send_beside);
	open_transactions(b, 100);
	bench_run(b, "send beside 100 transactions", 64, NULL, kmcl_send_beside);
	open_transactions(b, 1000);
	bench_run(b, "send beside 1000 transactions", 64, NULL, kmcl_send_beside);
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
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, bytes, NULL, 0);
}

/* The queue goes out in one or several pieces. */
static void drain_queue(struct bench *b, u32 n)
{
	b->done = 0;
	bench_empty(&b->host->channel);
	while (b->done < n)
		client_read(b->client);
}

static u64 kmcl_queue(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;

	fill_ring(b);
	begin = bench_begin();
	queue_some(b, bytes, n);
	begin = bench_end(begin);
	local_bh_disable();
	drain_queue(b, n);
	local_bh_enable();
	return begin;
}

static u64 kmcl_drain(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;

	fill_ring(b);
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
	struct bench *b = bench_create(test, 0);

	bench_run(b, "queue on a full ring", 64, NULL, kmcl_queue);
	bench_run(b, "drain that queue", 64, NULL, kmcl_drain);
}

/* Loopback */

static VOID answer(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 len,
		   UINT32 flags)
{
	VmbChannelPacketComplete(packet, NULL, 0);
}

static u64 kmcl_round_trip(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;
	u32 i;

	WRITE_ONCE(b->done, 0);
	begin = bench_begin();
	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, bytes, NULL, WAIT);
	while (READ_ONCE(b->done) < n)
		schedule();
	return bench_end(begin);
}

static void both_ends(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->payload = kunit_kzalloc(test, BENCH_MAX_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->payload);
	ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(pair->server->channel, answer,
								    NULL), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(pair->client->channel, 64,
								       64), STATUS_SUCCESS);
	pair_up(pair);
	for (i = 0; i < BENCH_OPERATIONS; i++) {
		b->packets[i] = VmbPacketAllocate(pair->client->channel);
		KUNIT_ASSERT_NOT_NULL(test, b->packets[i]);
		VmbPacketSetPointer(b->packets[i], b);
		VmbPacketSetCompletionRoutine(b->packets[i], bench_routine);
	}
	bench_run(b, "round trip on loopback", 64, NULL, kmcl_round_trip);
	for (i = 0; i < BENCH_OPERATIONS; i++)
		VmbPacketFree(b->packets[i]);
}

static struct kunit_case bench_cases[] = {
	KUNIT_CASE(sends),
	KUNIT_CASE(sends_through_a_pipe),
	KUNIT_CASE(receives),
	KUNIT_CASE(external_sends),
	KUNIT_CASE(objects_and_transactions),
	KUNIT_CASE(a_full_ring),
	KUNIT_CASE(both_ends),
	{}
};

static struct kunit_suite bench_suite = {
	.name = "kmcl_bench",
	.test_cases = bench_cases,
};

kunit_test_suite(bench_suite);
