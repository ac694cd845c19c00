// SPDX-License-Identifier: GPL-2.0
/*
 * Two processors at once, beside hv_vmbus alone, and many channels at once. What this
 * says is in the machine's time, so only the proportions of one run mean something
 * (scripts/bench --scale); the suites run it with few packets, to see that it works.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "bench.h"
#include "pair.h"

#define LANES		2u
#define LANE_PACKETS	256u
#define PAYLOAD		64u
#define LANE_LIMIT	8000u	/* of packets: those of two lanes fit into a ring */
#define CHANNELS	(IS_ENABLED(CONFIG_KASAN) ? 16u : 256u)
#define OBJECTS		1024u

static unsigned int rounds = 1;
module_param_named(scale_rounds, rounds, uint, 0444);
MODULE_PARM_DESC(scale_rounds, "how often to measure two processors");

static unsigned int per_lane = 200;
module_param_named(scale_packets, per_lane, uint, 0444);
MODULE_PARM_DESC(scale_packets, "packets of each processor, in each of them");

/* A thread on a processor of its own. */
struct lane {
	struct kunit *test;
	struct task_struct *thread;
	void (*run)(struct lane *lane);
	struct completion *start;
	atomic_t *left;			/* lanes that are not done */
	struct completion *end;		/* all are done */
	struct vmbus_channel *raw;
	struct client *client;
	struct bench *b;
	VMBPACKET packets[LANE_PACKETS];
	u8 payload[PAYLOAD];
	u32 n;
	u32 received;
};

static int lane_thread(void *data)
{
	struct lane *lane = data;

	wait_for_completion(lane->start);
	lane->run(lane);
	if (atomic_dec_and_test(lane->left))
		complete(lane->end);
	return 0;
}

/* Runs all lanes at once; how many ticks until the last one is done. */
static u64 lanes_run(struct lane *lanes, void (*run)(struct lane *lane))
{
	DECLARE_COMPLETION_ONSTACK(start);
	DECLARE_COMPLETION_ONSTACK(end);
	atomic_t left = ATOMIC_INIT(LANES);
	u32 i, cpu = cpumask_first(cpu_online_mask);
	u64 begin;

	for (i = 0; i < LANES; i++) {
		struct lane *lane = &lanes[i];

		lane->run = run;
		lane->start = &start;
		lane->end = &end;
		lane->left = &left;
		lane->n = min(per_lane, LANE_LIMIT);
		WRITE_ONCE(lane->received, 0);
		lane->thread = kthread_create(lane_thread, lane, "lane/%u", i);
		KUNIT_ASSERT_FALSE(lane->test, IS_ERR(lane->thread));
		get_task_struct(lane->thread);
		kthread_bind(lane->thread, cpu);
		wake_up_process(lane->thread);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	begin = get_cycles();
	complete_all(&start);
	wait_for_completion(&end);
	begin = get_cycles() - begin;
	for (i = 0; i < LANES; i++) {
		kthread_stop(lanes[i].thread);
		put_task_struct(lanes[i].thread);
	}
	return begin;
}

/*
 * In turns, so that what the machine does beside this is in both. A kernel whose clock
 * has nothing better than ticks of 4 ms can still tell how long all of it took.
 */
static void scale_compare(struct lane *lanes, const char *name,
			  void (*raw)(struct lane *lane), void (*kmcl)(struct lane *lane),
			  void (*reset)(struct lane *lanes))
{
	u64 *took = kunit_kcalloc(lanes->test, 2 * rounds, sizeof(*took), GFP_KERNEL);
	u64 ns = ktime_get_ns(), ticks = get_cycles(), a_us;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(lanes->test, took);
	for (i = 0; i < 2 * rounds; i++) {
		took[i] = lanes_run(lanes, i % 2 ? kmcl : raw);
		reset(lanes);
	}
	ns = max(ktime_get_ns() - ns, 1);
	a_us = max(div64_u64((get_cycles() - ticks) * 1000, ns), 1);
	for (i = 0; i < 2 * rounds; i += 2)
		pr_info("scale|%s|%u|%llu|%llu\n", name, LANES * min(per_lane, LANE_LIMIT),
			div64_u64(took[i] * 1000, a_us), div64_u64(took[i + 1] * 1000, a_us));
}

static VOID lane_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
}

static void lane_packets_free(void *data)
{
	struct lane *lane = data;
	u32 i;

	for (i = 0; i < LANE_PACKETS && lane->packets[i]; i++)
		VmbPacketFree(lane->packets[i]);
}

static struct lane *lanes_create(struct kunit *test)
{
	struct lane *lanes = kunit_kcalloc(test, LANES, sizeof(*lanes), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, lanes);
	for (i = 0; i < LANES; i++)
		lanes[i].test = test;
	return lanes;
}

static void lane_use(struct lane *lane, struct client *client)
{
	u32 i;

	lane->client = client;
	for (i = 0; i < LANE_PACKETS; i++) {
		lane->packets[i] = VmbPacketAllocate(client->channel);
		KUNIT_ASSERT_NOT_NULL(lane->test, lane->packets[i]);
		VmbPacketSetCompletionRoutine(lane->packets[i], lane_routine);
	}
	KUNIT_ASSERT_EQ(lane->test,
			kunit_add_action_or_reset(lane->test, lane_packets_free, lane), 0);
}

static void raw_lane_send(struct lane *lane)
{
	u32 i;

	for (i = 0; i < lane->n; i++)
		vmbus_sendpacket(lane->raw, lane->payload, PAYLOAD, i, VM_PKT_DATA_INBAND, 0);
}

/* Takes the next packet where another thread has yet to call this one's routine. */
static void kmcl_lane_send(struct lane *lane)
{
	u32 i, sent = 0;

	for (i = 0; sent < lane->n; i++)
		sent += VmbPacketSend(lane->packets[i % LANE_PACKETS], lane->payload, PAYLOAD,
				      NULL, 0) == STATUS_SUCCESS;
}

static void sends_reset(struct lane *lanes)
{
	u32 i;

	for (i = 0; i < LANES; i++)
		bench_rings_empty(lanes[i].b);
}

static void two_senders_on_one_channel(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);
	struct lane *lanes = lanes_create(test);
	u32 i;

	for (i = 0; i < LANES; i++) {
		lanes[i].b = b;
		lanes[i].raw = &b->raw;
		lane_use(&lanes[i], b->client);
	}
	scale_compare(lanes, "two send on one channel", raw_lane_send, kmcl_lane_send, sends_reset);
}

static void two_senders_on_two_channels(struct kunit *test)
{
	struct lane *lanes = lanes_create(test);
	u32 i;

	for (i = 0; i < LANES; i++) {
		lanes[i].b = bench_create(test, 0);
		lanes[i].raw = &lanes[i].b->raw;
		lane_use(&lanes[i], lanes[i].b->client);
	}
	scale_compare(lanes, "two send on two channels", raw_lane_send, kmcl_lane_send,
		      sends_reset);
}

/* Both ways */

static void raw_lane_read(struct lane *lane)
{
	struct vmpacket_descriptor *desc;

	foreach_vmbus_pkt(desc, lane->raw)
		lane->received++;
}

/* Sends, and reads what the other one has sent; what finds no room is tried again. */
static void raw_lane_exchange(struct lane *lane)
{
	u32 sent = 0;

	while (sent < lane->n || lane->received < lane->n) {
		if (sent < lane->n)
			sent += !vmbus_sendpacket(lane->raw, lane->payload, PAYLOAD, sent,
						  VM_PKT_DATA_INBAND, 0);
		if (sent == lane->n || sent % 16 == 0) {
			raw_lane_read(lane);
			cond_resched();
		}
	}
}

static void kmcl_lane_exchange(struct lane *lane)
{
	kmcl_lane_send(lane);
	while (READ_ONCE(lane->received) < lane->n)
		cond_resched();
}

static VOID lane_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 len,
			 UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(channel);
	struct lane *lane = client->private;

	WRITE_ONCE(lane->received, lane->received + 1);
	VmbChannelPacketComplete(packet, NULL, 0);
}

static void exchange_reset(struct lane *lanes)
{
}

/* Two channels, each of which writes what the other one reads. */
struct cross {
	struct vmbus_channel *channel[LANES];
	struct page **pages[LANES];
};

static void cross_free(void *data)
{
	struct cross *cross = data;
	u32 i;

	for (i = 0; i < LANES; i++) {
		kfree(cross->channel[i]->inbound.pkt_buffer);
		host_ring_free(&cross->channel[i]->outbound, cross->pages[i]);
		kfree(cross->channel[i]);
	}
	kfree(cross);
}

static struct cross *cross_create(struct kunit *test, u32 ring_pages)
{
	struct cross *cross = kzalloc(sizeof(*cross), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, cross);
	for (i = 0; i < LANES; i++)
		cross->channel[i] = kzalloc(sizeof(*cross->channel[i]),
					    GFP_KERNEL | __GFP_NOFAIL);
	for (i = 0; i < LANES; i++) {
		struct hv_ring_buffer_info *out = &cross->channel[i]->outbound;
		struct hv_ring_buffer_info *in = &cross->channel[!i]->inbound;

		cross->pages[i] = host_ring_alloc(out, ring_pages * PAGE_SIZE);
		out->ring_buffer->interrupt_mask = 1;
		in->ring_buffer = out->ring_buffer;
		in->ring_size = out->ring_size;
		in->ring_datasize = out->ring_datasize;
		spin_lock_init(&in->ring_lock);
		in->pkt_buffer_size = PAIR_MAX_PACKET;
		in->pkt_buffer = kzalloc(PAIR_MAX_PACKET, GFP_KERNEL | __GFP_NOFAIL);
	}
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, cross_free, cross), 0);
	return cross;
}

static void both_ways_on_loopback(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct lane *lanes = lanes_create(test);
	struct cross *cross = cross_create(test, 64);
	u32 i;

	ASSERT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(pair->client->channel, 64,
								       64), STATUS_SUCCESS);
	for (i = 0; i < LANES; i++) {
		struct client *end = i ? pair->server : pair->client;

		end->private = &lanes[i];
		lanes[i].raw = cross->channel[i];
		ASSERT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(end->channel,
									    lane_process, NULL),
			      STATUS_SUCCESS);
	}
	pair_up(pair);
	lane_use(&lanes[0], pair->client);
	lane_use(&lanes[1], pair->server);
	scale_compare(lanes, "both ways at once on loopback", raw_lane_exchange,
		      kmcl_lane_exchange, exchange_reset);
}

/* Many channels */

/* Pages that are in use, in bytes: of slabs, and all of them. */
struct usage {
	u64 slab;
	u64 all;
};

static struct usage usage_now(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return (struct usage) {
		.slab = (u64)global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) * PAGE_SIZE,
		.all = (u64)(info.totalram - info.freeram) * PAGE_SIZE,
	};
}

static void usage_show(const char *what, struct usage before, u32 n, u32 size)
{
	struct usage now = usage_now();

	pr_info("memory|%s|%u|%llu|%llu|%u\n", what, n, now.slab - before.slab,
		now.all - before.all, size);
}

static void many_channels(struct kunit *test)
{
	struct client **clients = kunit_kcalloc(test, CHANNELS, sizeof(*clients), GFP_KERNEL);
	struct usage usage;
	u32 i, seen;
	u64 begin;

	KUNIT_ASSERT_NOT_NULL(test, clients);
	for (i = 0; i < CHANNELS; i++) {
		struct host *host = host_create(test);

		clients[i] = client_create(test, host);
		host->offered = true;
	}
	usage = usage_now();
	begin = ktime_get_ns();
	for (i = 0; i < CHANNELS; i++)
		EXPECT_STATUS(test, VmbChannelEnable(clients[i]->channel), STATUS_SUCCESS);
	for (i = 0; i < CHANNELS; i++)
		EVENTUALLY(test, client_events(clients[i]) >= 3);
	begin = ktime_get_ns() - begin;
	pr_info("channels|enable|%u|%llu\n", CHANNELS, begin);
	usage_show("rings and spare objects of an open channel", usage, CHANNELS, 0);

	seen = client_events(clients[0]);
	begin = ktime_get_ns();
	for (i = 0; i < CHANNELS; i++)
		VmbChannelDisable(clients[i]->channel);
	begin = ktime_get_ns() - begin;
	pr_info("channels|disable|%u|%llu\n", CHANNELS, begin);
	KUNIT_EXPECT_GT(test, client_events(clients[0]), seen);
}

static void channels_take_memory(struct kunit *test)
{
	VMBCHANNEL *channels = kunit_kcalloc(test, CHANNELS, sizeof(*channels), GFP_KERNEL);
	struct usage usage;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, channels);
	usage = usage_now();
	for (i = 0; i < CHANNELS; i++)
		ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channels[i]), STATUS_SUCCESS);
	usage_show("a channel", usage, CHANNELS, sizeof(struct kmcl_channel));
	for (i = 0; i < CHANNELS; i++)
		VmbChannelCleanup(channels[i]);
}

static void objects_take_memory(struct kunit *test)
{
	struct bench *b = bench_create(test, 0);
	VMBCHANNEL channel = b->client->channel;
	struct usage usage;

	bench_packets_free(b);
	usage = usage_now();
	bench_packets(b, channel, OBJECTS);
	usage_show("a packet object", usage, OBJECTS, VmbChannelSizeofPacket(channel));
	pr_info("memory|an incoming object|1|0|0|%zu\n",
		sizeof(struct kmcl_incoming) + BENCH_MAX_BYTES);
}

static struct kunit_case bench_scale_cases[] = {
	KUNIT_CASE(two_senders_on_one_channel),
	KUNIT_CASE(two_senders_on_two_channels),
	KUNIT_CASE(both_ways_on_loopback),
	KUNIT_CASE(channels_take_memory),
	KUNIT_CASE(objects_take_memory),
	KUNIT_CASE(many_channels),
	{}
};

static struct kunit_suite bench_scale_suite = {
	.name = "kmcl_scale",
	.test_cases = bench_scale_cases,
};

kunit_test_suite(bench_scale_suite);
