// SPDX-License-Identifier: GPL-2.0
/* What both ends of a loopback channel cost together: see bench.h. */
#include <linux/slab.h>

#include "bench.h"
#include "pair.h"

static VOID answer(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 len,
		   UINT32 flags)
{
	VmbChannelPacketComplete(packet, NULL, 0);
}

/*
 * One at a time. With bottom halves off around it, as where a driver holds such a lock,
 * the ends' tasklets run when they are on again: not in a thread that the scheduler has
 * yet to choose, which it does for one packet or for many.
 */
static u64 kmcl_round_trip(struct bench *b, u32 bytes, u32 n)
{
	VMBPACKET *packets = b->packets;
	u64 begin;
	u32 i;

	WRITE_ONCE(b->done, 0);
	begin = bench_begin();
	for (i = 0; i < n; i++) {
		local_bh_disable();
		VmbPacketSend(packets[i], b->payload, bytes, NULL, BENCH_WAIT);
		local_bh_enable();
		while (READ_ONCE(b->done) <= i)
			schedule();
	}
	return bench_end(begin);
}

static void round_trips(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->test = test;
	b->payload = kunit_kzalloc(test, PAIR_MAX_PACKET, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->payload);
	ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(pair->server->channel, answer,
								    NULL), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(pair->client->channel, 64,
								       64), STATUS_SUCCESS);
	pair_up(pair);
	bench_packets(b, pair->client->channel, BENCH_OPERATIONS);
	bench_run(b, "round trip on loopback", 64, NULL, kmcl_round_trip);
	bench_run(b, "round trip on loopback", 1024, NULL, kmcl_round_trip);
	bench_packets_free(b);
}

static struct kunit_case bench_loopback_cases[] = {
	KUNIT_CASE(round_trips),
	{}
};

static struct kunit_suite bench_loopback_suite = {
	.name = "kmcl_bench_loopback",
	.test_cases = bench_loopback_cases,
};

kunit_test_suite(bench_loopback_suite);
