// SPDX-License-Identifier: GPL-2.0
/*
 * A client may serve what memory is freed by. So no packet may wait for memory that
 * can only be freed by packets, nor for what another channel's client does.
 */
#include <linux/debug_locks.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static bool note_flags(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	*(u32 *)end->private = current->flags;
	return false;
}

static void what_a_client_allocates_at_passive_starts_no_io(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	u32 flags = 0;

	VmbChannelSetIncomingProcessingAtPassive(pair->server->channel, TRUE);
	pair->server->on_packet = note_flags;
	pair->server->private = &flags;
	pair_up(pair);
	pair_send(pair->client, 1, 8);
	EVENTUALLY(test, client_packets(pair->server) == 1);
	KUNIT_EXPECT_TRUE(test, flags & PF_MEMALLOC_NOIO);
	VmbChannelDisable(pair->server->channel);
}

static void keep_common_flags(struct client *end, enum client_event event)
{
	*(u32 *)end->private &= current->flags;
}

/* What waits for memory may wait for requests, and these for the channel to open again. */
static void a_channel_opens_and_closes_without_io(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	u32 flags = ~0;

	pair->client->on_event = keep_common_flags;
	pair->client->private = &flags;
	pair_up(pair);
	VmbChannelDisable(pair->client->channel);
	KUNIT_EXPECT_TRUE(test, client_events(pair->client));
	KUNIT_EXPECT_TRUE(test, flags & PF_MEMALLOC_NOIO);
}

/* lockdep is the judge: a lock that reclaim takes is held while the client asks. */
static void memory_is_described_without_io(struct kunit *test)
{
	static DEFINE_MUTEX(taken_in_reclaim);
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);
	u8 *bytes = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	PFN_NUMBER pfn = frame_at(bytes);
	PMDL mdl;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING) || !debug_locks)
		kunit_skip(test, "needs lockdep");

	pair->server->keep = true;
	pair_up(pair);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(done->packet, NULL, 0, &pfn, 1, WAIT),
		      STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->server) == 1);

	fs_reclaim_acquire(GFP_KERNEL);
	mutex_lock(&taken_in_reclaim);
	mutex_unlock(&taken_in_reclaim);
	fs_reclaim_release(GFP_KERNEL);

	mutex_lock(&taken_in_reclaim);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(pair->server->packets[0].handle, 0,
							    &mdl), STATUS_SUCCESS);
	mutex_unlock(&taken_in_reclaim);
	KUNIT_EXPECT_TRUE(test, debug_locks);
	client_complete(pair->server, 0, NULL, 0);
}

/* Work that holds every worker there is. */
#define BLOCKERS	64

struct blockers {
	struct workqueue_struct *wq;
	struct work_struct work[NR_CPUS][BLOCKERS];
};

static DECLARE_COMPLETION(unblocked);

static void blocker(struct work_struct *work)
{
	wait_for_completion(&unblocked);
}

/* Lets no thread be made, as if there were no memory for one, until it is stopped. */
static int starve(void *kthreadd)
{
	while (!kthread_should_stop()) {
#ifdef CONFIG_FAULT_INJECTION
		WRITE_ONCE(((struct task_struct *)kthreadd)->fail_nth, 1);
#endif
		usleep_range(50, 100);
	}
#ifdef CONFIG_FAULT_INJECTION
	WRITE_ONCE(((struct task_struct *)kthreadd)->fail_nth, 0);
#endif
	return 0;
}

struct no_workers {
	struct blockers *blockers;
	struct task_struct *starving;
};

/*
 * With every worker blocked, and no memory for another, rescuers are all that runs, until
 * workers_for_all(). A case must not be aborted meanwhile: KUnit wants a thread for that.
 */
static void no_workers(struct kunit *test, struct no_workers *none)
{
	struct blockers *b = vzalloc(sizeof(*b));
	u32 cpu, i;

	KUNIT_ASSERT_NOT_NULL(test, b);
	none->blockers = b;
	reinit_completion(&unblocked);
	b->wq = alloc_workqueue("kmcl_blockers", WQ_UNBOUND, 0);
	KUNIT_ASSERT_NOT_NULL(test, b->wq);
	/* This thread's parent makes all threads of the kernel. */
	none->starving = kthread_run(starve, rcu_access_pointer(current->real_parent),
				     "kmcl_starve");
	KUNIT_ASSERT_FALSE(test, IS_ERR(none->starving));
	for_each_online_cpu(cpu) {
		for (i = 0; i < BLOCKERS; i++) {
			INIT_WORK(&b->work[cpu][i], blocker);
			queue_work_on(cpu, b->wq, &b->work[cpu][i]);
		}
	}
	msleep(100);
}

static void workers_for_all(struct no_workers *none)
{
	kthread_stop(none->starving);
	complete_all(&unblocked);
	destroy_workqueue(none->blockers->wq);
	vfree(none->blockers);
}

static bool block(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	strscpy(end->private, current->comm, TASK_COMM_LEN);
	atomic_inc(&end->n_packets);
	wait_for_completion(&unblocked);
	atomic_dec(&end->n_packets);
	return false;
}

static bool note_thread(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	strscpy(end->private, current->comm, TASK_COMM_LEN);
	return false;
}

/*
 * The first channel's client blocks in ProcessPacket, as one that waits for memory
 * would; the second's is to get its packets all the same.
 */
static void a_client_that_blocks_stops_no_other_channel(struct kunit *test)
{
	struct pair *blocked = pair_create(test), *served = pair_create(test);
	char threads[2][TASK_COMM_LEN] = {};
	struct no_workers none;
	u32 i;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "needs CONFIG_FAILSLAB");

	blocked->server->on_packet = block;
	blocked->server->private = threads[0];
	served->server->on_packet = note_thread;
	served->server->private = threads[1];
	VmbChannelSetIncomingProcessingAtPassive(blocked->server->channel, TRUE);
	VmbChannelSetIncomingProcessingAtPassive(served->server->channel, TRUE);
	pair_up(blocked);
	pair_up(served);
	no_workers(test, &none);

	pair_send(blocked->client, 1, 8);
	EVENTUALLY(test, client_packets(blocked->server) == 1);
	for (i = 0; i < 3; i++)
		pair_send(served->client, i, 8);
	EVENTUALLY(test, client_packets(served->server) == 3);

	workers_for_all(&none);
	/* kworker/u... is a worker of the pool; none was to be had. */
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_NE_MSG(test, strncmp(threads[i], "kworker/u", 9), 0,
				    "delivered by %s", threads[i]);
	EVENTUALLY(test, client_packets(blocked->server) == 1);
	VmbChannelDisable(blocked->server->channel);
	VmbChannelDisable(served->server->channel);
}

static void enable_again(struct client *end)
{
	EXPECT_STATUS(end->test, VmbChannelEnable(end->channel), STATUS_SUCCESS);
	if (end->is_server)
		VmbChannelStart(end->channel);
}

/* What memory is freed by may wait for its channel, and its sub-channel. */
static void a_channel_opens_again_without_workers(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *server = pair_new_sub(pair, pair->server, 1);
	struct client *client = pair_new_sub(pair, pair->client, 1);
	struct no_workers none;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "needs CONFIG_FAILSLAB");

	pair_up(pair);
	pair_enable(server);
	pair_enable(client);
	PAIR_EVENTS(server, UP);
	PAIR_EVENTS(client, UP);
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(pair->server, UP DOWN);
	no_workers(test, &none);

	enable_again(pair->client);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	enable_again(server);
	enable_again(client);
	PAIR_EVENTS(client, UP DOWN UP);

	workers_for_all(&none);
	VmbChannelDisable(pair->client->channel);
	VmbChannelDisable(pair->server->channel);
}

static struct host *reclaim_host;
static unsigned long stream_end;

/* Before a packet is over the next one is there. */
static bool stream(struct client *client, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	if (time_before(jiffies, READ_ONCE(stream_end))) {
		host_write(reclaim_host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
		host_signal(reclaim_host);
	}
	return false;
}

static void delivery_at_passive_ends_its_turn(struct kunit *test)
{
	struct client *client;
	unsigned long begin;

	reclaim_host = host_create(test);
	reclaim_host->offered = true;
	client = client_create(test, reclaim_host);
	client->on_packet = stream;
	client_enable(client);
	VmbChannelSetIncomingProcessingAtPassive(client->channel, TRUE);

	begin = jiffies;
	stream_end = begin + 3 * HZ;
	host_write(reclaim_host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
	host_signal(reclaim_host);
	EVENTUALLY(test, client_packets(client) > 200);
	flush_work(&client_chan(client)->recv.work);
	KUNIT_EXPECT_LT(test, jiffies - begin, 2 * HZ);
	WRITE_ONCE(stream_end, jiffies);
	VmbChannelDisable(client->channel);
}

static struct kunit_case reclaim_cases[] = {
	KUNIT_CASE(what_a_client_allocates_at_passive_starts_no_io),
	KUNIT_CASE(a_channel_opens_and_closes_without_io),
	KUNIT_CASE(memory_is_described_without_io),
	KUNIT_CASE(a_client_that_blocks_stops_no_other_channel),
	KUNIT_CASE(a_channel_opens_again_without_workers),
	KUNIT_CASE(delivery_at_passive_ends_its_turn),
	{}
};

static struct kunit_suite reclaim_suite = {
	.name = "kmcl_reclaim",
	.test_cases = reclaim_cases,
};

kunit_test_suite(reclaim_suite);
