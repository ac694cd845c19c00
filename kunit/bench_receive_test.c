// SPDX-License-Identifier: GPL-2.0
/* What it costs to receive: see bench.h. */
#include "bench.h"
#include "../transport/wire.h"

static u64 raw_complete(struct bench *b, u32 bytes, u32 n)
{
	struct vmpacket_descriptor *desc;
	u64 begin;

	bench_raw_request(b, 8, n);
	bench_write(b, &b->raw, VM_PKT_COMP, 0, 1, bytes, n);
	b->done = 0;
	begin = bench_begin();
	foreach_vmbus_pkt(desc, &b->raw)
		b->done += vmbus_request_addr(&b->raw, desc->trans_id) == (unsigned long)b;
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, b->done, n);
	return begin;
}

static u64 kmcl_complete(struct bench *b, u32 bytes, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		VmbPacketSend(b->packets[i], b->payload, 8, NULL, BENCH_WAIT);
	bench_write(b, &b->host->channel, VM_PKT_COMP, 0, client_last_id(b->client) + 1 - n,
		    bytes, n);
	return bench_read_completions(b);
}

/* What the host writes for a packet with so many bytes of payload. */
static u32 incoming_bytes(struct bench *b, u32 bytes)
{
	struct kmcl_wire_pipe *pipe = (void *)b->payload;

	if (!b->pipe)
		return bytes;
	pipe->type = KMCL_WIRE_PIPE_DATA;
	pipe->len = bytes;
	return bytes + sizeof(*pipe);
}

static u16 incoming_flags(struct bench *b)
{
	return b->answers ? VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED : 0;
}

/* As a driver that uses what it gets. */
static u64 raw_receive(struct bench *b, u32 bytes, u32 n)
{
	struct vmpacket_descriptor *desc;
	u64 begin;

	bench_write(b, &b->raw, VM_PKT_DATA_INBAND, incoming_flags(b), 1,
		    incoming_bytes(b, bytes), n);
	b->received = 0;
	begin = bench_begin();
	foreach_vmbus_pkt(desc, &b->raw) {
		b->received++;
		if (b->answers)
			vmbus_sendpacket(&b->raw, NULL, 0, desc->trans_id, VM_PKT_COMP, 0);
	}
	begin = bench_end(begin);
	KUNIT_EXPECT_EQ(b->test, b->received, n);
	return begin;
}

static u64 kmcl_receive(struct bench *b, u32 bytes, u32 n)
{
	u64 begin;

	bench_write(b, &b->host->channel, VM_PKT_DATA_INBAND, incoming_flags(b), 1,
		    incoming_bytes(b, bytes), n);
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

	bench_write(b, &b->host->channel, VM_PKT_DATA_INBAND, 0, 1, bytes, n);
	b->received = 0;
	begin = bench_begin();
	host_signal(b->host);
	while (READ_ONCE(b->received) < n)
		schedule();
	return bench_end(begin);
}

static void completions(struct kunit *test)
{
	bench_sizes(bench_create(test, 0), "completion arrives", raw_complete, kmcl_complete);
}

static void receives(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	bench_sizes(b, "receive", raw_receive, kmcl_receive);
	b->answers = true;
	bench_sizes(b, "receive and answer", raw_receive, kmcl_receive);
}

static void receives_through_a_pipe(struct kunit *test)
{
	struct bench *b = bench_create(test, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);

	b->pipe = true;
	bench_sizes(b, "receive, pipe", raw_receive, kmcl_receive);
}

static void receives_at_passive(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);

	VmbChannelSetIncomingProcessingAtPassive(b->client->channel, TRUE);
	bench_sizes(b, "receive at passive", raw_receive, kmcl_receive_at_passive);
}

static struct kunit_case bench_receive_cases[] = {
	KUNIT_CASE(completions),
	KUNIT_CASE(receives),
	KUNIT_CASE(receives_through_a_pipe),
	KUNIT_CASE(receives_at_passive),
	{}
};

static struct kunit_suite bench_receive_suite = {
	.name = "kmcl_bench_receive",
	.test_cases = bench_receive_cases,
};

kunit_test_suite(bench_receive_suite);
