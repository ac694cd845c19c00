// SPDX-License-Identifier: GPL-2.0
/*
 * Once a channel is under way, packets take no memory from the kernel: neither those that
 * are sent and completed, nor those that come in. The kernel's tracepoints tell of each
 * allocation.
 */
#include <linux/gfp.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "bench.h"

#define BATCH		BENCH_OPERATIONS

static unsigned int packets = 100 * BATCH;
module_param_named(steady_packets, packets, uint, 0444);
MODULE_PARM_DESC(steady_packets, "how many packets are not to take memory");

struct steady {
	struct task_struct *task;	/* whose allocations count now; NULL: none's */
	u32 allocations;
	unsigned long first;		/* where the first one was */
	struct tracepoint *kmalloc;
	struct tracepoint *cache_alloc;
	struct tracepoint *page_alloc;
};

/* In this thread, but not in an interrupt that came in between. */
static void steady_note(struct steady *steady, unsigned long where)
{
	if (current != READ_ONCE(steady->task) || in_hardirq() || in_serving_softirq())
		return;
	if (!steady->allocations++)
		steady->first = where;
}

static void steady_kmalloc(void *data, unsigned long where, const void *memory, size_t asked,
			   size_t given, gfp_t gfp, int node)
{
	steady_note(data, where);
}

static void steady_cache_alloc(void *data, unsigned long where, const void *memory,
			       struct kmem_cache *cache, gfp_t gfp, int node)
{
	steady_note(data, where);
}

static void steady_page_alloc(void *data, struct page *page, unsigned int order, gfp_t gfp,
			      int migratetype)
{
	steady_note(data, _RET_IP_);
}

static void steady_find(struct tracepoint *tracepoint, void *data)
{
	struct steady *steady = data;

	if (!strcmp(tracepoint->name, "kmalloc"))
		steady->kmalloc = tracepoint;
	if (!strcmp(tracepoint->name, "kmem_cache_alloc"))
		steady->cache_alloc = tracepoint;
	if (!strcmp(tracepoint->name, "mm_page_alloc"))
		steady->page_alloc = tracepoint;
}

static void steady_free(void *data)
{
	struct steady *steady = data;

	tracepoint_probe_unregister(steady->page_alloc, steady_page_alloc, steady);
	tracepoint_probe_unregister(steady->cache_alloc, steady_cache_alloc, steady);
	tracepoint_probe_unregister(steady->kmalloc, steady_kmalloc, steady);
	tracepoint_synchronize_unregister();
	kfree(steady);
}

static struct steady *steady_create(struct kunit *test)
{
	struct steady *steady;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "needs CONFIG_TRACEPOINTS");

	steady = kzalloc(sizeof(*steady), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, steady);
	for_each_kernel_tracepoint(steady_find, steady);
	KUNIT_ASSERT_NOT_NULL(test, steady->kmalloc);
	KUNIT_ASSERT_NOT_NULL(test, steady->cache_alloc);
	KUNIT_ASSERT_NOT_NULL(test, steady->page_alloc);
	KUNIT_ASSERT_EQ(test, tracepoint_probe_register(steady->kmalloc, steady_kmalloc, steady),
			0);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_register(steady->cache_alloc, steady_cache_alloc,
							steady), 0);
	KUNIT_EXPECT_EQ(test, tracepoint_probe_register(steady->page_alloc, steady_page_alloc,
							steady), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, steady_free, steady), 0);
	return steady;
}

/* Two batches bring the channel under way. What the host allocates is not looked at. */
static void steady_run(struct kunit *test, bench_fn batch, struct bench *b)
{
	struct steady *steady = steady_create(test);
	u32 n;

	b->steady = &steady->task;
	batch(b, 64, BATCH);
	batch(b, 64, BATCH);
	steady->allocations = 0;
	for (n = 0; n < packets; n += BATCH) {
		batch(b, 64, BATCH);
		cond_resched();
	}
	KUNIT_EXPECT_EQ_MSG(test, steady->allocations, 0, "the first in %pS",
			    (void *)steady->first);

	/* It does see what is allocated. */
	WRITE_ONCE(steady->task, current);
	kfree(kmalloc(100, GFP_KERNEL));
	WRITE_ONCE(steady->task, NULL);
	KUNIT_EXPECT_GE(test, steady->allocations, 1);
}

static void steady_begin(struct bench *b)
{
	WRITE_ONCE(*b->steady, current);
}

static void steady_end(struct bench *b)
{
	WRITE_ONCE(*b->steady, NULL);
}

static u64 steady_send(struct bench *b, u32 bytes, u32 n)
{
	u32 i;

	steady_begin(b);
	for (i = 0; i < n; i++)
		EXPECT_STATUS(b->test, VmbPacketSend(b->packets[i], b->payload, bytes, NULL, 0),
			      STATUS_SUCCESS);
	steady_end(b);
	bench_rings_empty(b);
	return 0;
}

static u64 steady_request(struct bench *b, u32 bytes, u32 n)
{
	u32 i;

	steady_begin(b);
	for (i = 0; i < n; i++)
		EXPECT_STATUS(b->test, VmbPacketSend(b->packets[i], b->payload, bytes, NULL,
						     BENCH_WAIT), STATUS_SUCCESS);
	steady_end(b);
	bench_rings_empty(b);
	bench_write(b, &b->host->channel, VM_PKT_COMP, 0, client_last_id(b->client) + 1 - n, bytes,
		    n);
	local_bh_disable();
	steady_begin(b);
	while (client_open_transactions(b->client))
		client_read(b->client);
	steady_end(b);
	local_bh_enable();
	return 0;
}

/* The other end wants a completion, which goes out through the ring as well. */
static u64 steady_receive(struct bench *b, u32 bytes, u32 n)
{
	bench_write(b, &b->host->channel, VM_PKT_DATA_INBAND,
		    VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED, 1, bytes, n);
	b->received = 0;
	local_bh_disable();
	steady_begin(b);
	while (b->received < n)
		client_read(b->client);
	steady_end(b);
	local_bh_enable();
	bench_rings_empty(b);
	return 0;
}

static void what_is_sent_takes_no_memory(struct kunit *test)
{
	steady_run(test, steady_send, bench_create(test, 0));
}

static void what_is_sent_and_completed_takes_no_memory(struct kunit *test)
{
	steady_run(test, steady_request, bench_create(test, 0));
}

static void what_comes_in_takes_no_memory(struct kunit *test)
{
	steady_run(test, steady_receive, bench_create(test, 0));
}

static struct kunit_case steady_cases[] = {
	KUNIT_CASE(what_is_sent_takes_no_memory),
	KUNIT_CASE(what_is_sent_and_completed_takes_no_memory),
	KUNIT_CASE(what_comes_in_takes_no_memory),
	{}
};

static struct kunit_suite steady_suite = {
	.name = "kmcl_steady",
	.test_cases = steady_cases,
};

kunit_test_suite(steady_suite);
