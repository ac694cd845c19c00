// SPDX-License-Identifier: GPL-2.0
/*
 * The suite kmcl_stress: see stress.h. A case is a round; each has a seed of its
 * own, which its name tells, and with which it can be run alone.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../kunit_compat.h"
#include "stress.h"

static ulong seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "of the first round");
static uint rounds = 1;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how many");
static uint operations = 2000;
module_param(operations, uint, 0444);
MODULE_PARM_DESC(operations, "of each of the two threads in a round");
static uint channels = 8;
module_param(channels, uint, 0444);
MODULE_PARM_DESC(channels, "at once");
static uint seconds = 120;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "after which a round does not go on");

/* How many seconds what is to end by itself may take. */
#define STRESS_PATIENCE	60

/* Where something has gone wrong, the rest need not be waited for. */
static u32 stress_patience_ms(struct stress_run *run)
{
	return (atomic_read(&run->faults) ? 2 : STRESS_PATIENCE) * 1000;
}

static int stress_thread_fn(void *data)
{
	struct stress_thread *thread = data;
	struct stress_run *run = thread->run;

	while (thread->ops < run->operations && !atomic_read(&run->faults) &&
	       time_before(jiffies, run->deadline)) {
		stress_operate(thread);
		thread->ops++;
	}
	complete(&thread->done);
	return 0;
}

static struct stress_end *stress_end_of(struct stress_run *run, u32 i)
{
	struct stress_lane *lane = &run->lanes[i / 2];

	return i % 2 ? &lane->server : &lane->client;
}

/* Completes what the ends have held back, as long as there is a round. */
static int stress_completer_fn(void *data)
{
	struct stress_thread *thread = data;
	struct stress_run *run = thread->run;
	u32 i, n;

	while (!READ_ONCE(run->stop)) {
		for (i = 0, n = 0; i < run->n_lanes * 2; i++)
			n += stress_complete_held(stress_end_of(run, i),
						  stress_draw(thread));
		if (n < run->n_lanes)
			usleep_range(100, 300);
	}
	complete(&thread->done);
	return 0;
}

static int stress_thread_start(struct stress_thread *thread, int (*fn)(void *data),
			       const char *name)
{
	thread->task = kthread_create(fn, thread, "kmcl_stress_%s%u", name,
				      thread->index);
	if (IS_ERR(thread->task))
		return PTR_ERR(thread->task);
	if (thread->index < STRESS_THREADS)
		kthread_bind(thread->task, thread->index % num_online_cpus());
	wake_up_process(thread->task);
	return 0;
}

/* How many packets are under way, held, or being let go; and the first one in words. */
static u32 stress_under_way(struct stress_run *run, bool tell)
{
	struct stress_end *end;
	u32 i, k, n = 0;

	for (i = 0; i < run->n_lanes * 2; i++) {
		end = stress_end_of(run, i);
		for (k = 0; k < ARRAY_SIZE(end->slots); k++) {
			if (atomic_read(&end->slots[k].state) == STRESS_FREE)
				continue;
			if (tell && !n)
				stress_fault(end, "packet %u.%u does not complete",
					     end->slots[k].msg.source,
					     end->slots[k].msg.seq);
			n++;
		}
		n += READ_ONCE(end->n_held);
		n += atomic_read_acquire(&end->letting_go);
		/* One that has failed a packet has yet to go on. */
		n += READ_ONCE(end->stopped);
	}
	return n;
}

/* Ends that have failed a packet go on, which their peers may be waiting for. */
static void stress_heal_stopped_all(struct stress_run *run)
{
	u32 i;

	for (i = 0; i < run->n_lanes * 2; i++)
		if (READ_ONCE(stress_end_of(run, i)->stopped))
			stress_heal(stress_end_of(run, i));
}

static bool stress_all_active(struct stress_run *run)
{
	u32 i;

	for (i = 0; i < run->n_lanes * 2; i++)
		if (!stress_is_active(stress_end_of(run, i)))
			return false;
	return true;
}

/* Waits until all ends are connected, and tells of one that is not. */
static void stress_await_all_active(struct stress_run *run)
{
	u32 ms, i;

	for (ms = 0; ms < stress_patience_ms(run) && !stress_all_active(run); ms++) {
		usleep_range(1000, 1100);
		stress_heal_stopped_all(run);
	}
	for (i = 0; i < run->n_lanes * 2; i++)
		if (!stress_is_active(stress_end_of(run, i)))
			stress_fault(stress_end_of(run, i), "does not come up");
}

/* Lets all come to rest: nothing may stay under way. */
static void stress_settle(struct stress_run *run)
{
	struct stress_end *end;
	u32 i, ms;

	for (i = 0; i < run->n_lanes * 2; i++) {
		end = stress_end_of(run, i);
		VmbChannelSetTransactionQuota(end->channel, 1000);
		VmbChannelSetIncomingProcessingAtPassive(end->channel, FALSE);
		stress_heal(end);
	}
	stress_await_all_active(run);
	for (ms = 0; ms < stress_patience_ms(run) && stress_under_way(run, false); ms++) {
		usleep_range(1000, 1100);
		stress_heal_stopped_all(run);
	}
	stress_under_way(run, true);
}

/* One last packet of each thread at each end, which has to arrive. */
static void stress_send_last(struct stress_run *run)
{
	u32 i, k;

	for (k = 0; k < STRESS_THREADS; k++)
		run->threads[k].fail_nth = 0;
	for (i = 0; i < run->n_lanes * 2; i++)
		for (k = 0; k < STRESS_THREADS; k++)
			if (!stress_send(&run->threads[k], stress_end_of(run, i), 0, false))
				stress_fault(stress_end_of(run, i), "no place for a last packet");
}

/* Has each end received all (a calm one), or the last one, that the other sent? */
static void stress_check_counts(struct stress_run *run)
{
	struct stress_end *end;
	u32 i, k;

	for (i = 0; i < run->n_lanes * 2; i++) {
		end = stress_end_of(run, i);
		for (k = 0; k < STRESS_THREADS; k++)
			if (end->received[k] != end->peer->sent[k])
				stress_fault(end, "received up to %u of thread %u, not %u",
					     end->received[k], k, end->peer->sent[k]);
	}
}

static long long stress_count(const atomic64_t *count)
{
	return atomic64_read(count);
}

static void stress_report(struct kunit *test, struct stress_run *run)
{
	struct stress_counts *c = &run->count;

	kunit_info(test, "seed %#llx: %u + %u operations, %lld packets delivered, %lld completed, %lld lost with a connection\n",
		   run->seed, run->threads[0].ops, run->threads[1].ops,
		   stress_count(&c->delivered), stress_count(&c->completed),
		   stress_count(&c->removed));
	kunit_info(test, "  %lld deferred, %lld sent again, %lld requests, %lld GPADLs, %lld mapped, %lld pauses, %lld disabled, %lld saved with %lld packets\n",
		   stress_count(&c->deferrals), stress_count(&c->again),
		   stress_count(&c->requests), stress_count(&c->gpadls),
		   stress_count(&c->maps), stress_count(&c->pauses),
		   stress_count(&c->disables), stress_count(&c->saves),
		   stress_count(&c->packets_saved));
	kunit_info(test, "  %lld failed as malformed, %lld chains, %lld parts, %lld forced lengths, %lld in own memory, %lld odd lengths by pipe, %lld allocations failed, %lld calls for it\n",
		   stress_count(&c->failed), stress_count(&c->chains),
		   stress_count(&c->parts), stress_count(&c->forced),
		   stress_count(&c->own), stress_count(&c->exact),
		   stress_count(&c->failures), stress_count(&c->refusals));
}

static void stress_run_free(struct stress_run *run)
{
	u32 i;

	for (i = 0; run->lanes && i < run->n_lanes; i++) {
		WRITE_ONCE(run->lanes[i].ending, true);
		stress_lane_destroy(&run->lanes[i]);
	}
	for (i = 0; i < STRESS_THREADS; i++)
		kfree(run->threads[i].scratch);
	kvfree(run->lanes);
	vfree(run->saved);
	kfree(run);
}

static void stress_thread_init(struct stress_run *run, struct stress_thread *thread,
			       u32 index)
{
	thread->run = run;
	thread->index = index;
	thread->random = stress_mix(run->seed + index);
	init_completion(&thread->done);
}

static struct stress_run *stress_run_new(struct kunit *test, u64 round_seed)
{
	struct stress_run *run = kzalloc(sizeof(*run), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, run);
	run->seed = round_seed;
	run->operations = operations;
	mutex_init(&run->save_lock);
	for (i = 0; i < STRESS_THREADS; i++) {
		stress_thread_init(run, &run->threads[i], i);
		run->threads[i].scratch = kmalloc(PAGE_SIZE, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, run->threads[i].scratch);
	}
	stress_thread_init(run, &run->completer, STRESS_THREADS);
	run->saved = vmalloc(STRESS_SAVED_BYTES + PAGE_SIZE);
	KUNIT_ASSERT_NOT_NULL(test, run->saved);
	run->lanes = kvcalloc(channels, sizeof(*run->lanes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, run->lanes);
	for (i = 0; i < channels; i++) {
		run->lanes[i].run = run;
		run->lanes[i].index = i;
		run->n_lanes++;
		KUNIT_ASSERT_EQ(test, stress_lane_init(&run->lanes[i]), 0);
	}
	return run;
}

/* False if a thread does not come back: then nothing can be freed. */
static bool stress_join(struct kunit *test, struct stress_thread *thread)
{
	if (wait_for_completion_timeout(&thread->done, (seconds + STRESS_PATIENCE) * HZ))
		return true;

	KUNIT_FAIL(test, "thread %u hangs in '%s', channel %u, %s", thread->index,
		   READ_ONCE(thread->op) ?: "-", thread->lane,
		   thread->server ? "server" : "client");
	/* It stays in this module's code. */
	__module_get(THIS_MODULE);
	return false;
}

static bool stress_run_threads(struct kunit *test, struct stress_run *run)
{
	bool back = true;
	u32 i;

	run->deadline = jiffies + seconds * HZ;
	for (i = 0; i < STRESS_THREADS; i++)
		KUNIT_ASSERT_EQ(test, stress_thread_start(&run->threads[i],
							  stress_thread_fn, ""), 0);
	for (i = 0; i < STRESS_THREADS; i++)
		back = stress_join(test, &run->threads[i]) && back;
	return back;
}

static void two_threads_do_anything_and_no_packet_is_lost_or_comes_twice(struct kunit *test)
{
	const u64 *round_seed = test->param_value;
	struct stress_run *run = stress_run_new(test, *round_seed);

	KUNIT_ASSERT_EQ(test, stress_thread_start(&run->completer, stress_completer_fn,
						  "late"), 0);
	stress_settle(run);
	if (!stress_run_threads(test, run))
		return;
	WRITE_ONCE(run->settling, true);
	stress_settle(run);
	stress_send_last(run);
	stress_settle(run);
	stress_check_counts(run);
	KUNIT_EXPECT_EQ_MSG(test, atomic_read(&run->faults), 0, "first: %s", run->fault);
	stress_report(test, run);

	WRITE_ONCE(run->stop, true);
	if (stress_join(test, &run->completer))
		stress_run_free(run);
}

static const void *stress_gen_params(KUNIT_GENERATOR_ARGS)
{
	static u64 seeds[1000];
	const u64 *next = prev ? prev + sizeof(*next) : seeds;
	u32 i = next - seeds;

	if (i >= rounds || i >= ARRAY_SIZE(seeds))
		return NULL;
	seeds[i] = i ? stress_mix(seed + i) : seed;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "seed %#llx", seeds[i]);
	return next;
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE_PARAM(two_threads_do_anything_and_no_packet_is_lost_or_comes_twice,
			 stress_gen_params),
	{}
};

static struct kunit_suite stress_suite = {
	.name = "kmcl_stress",
	.test_cases = stress_cases,
};

kunit_test_suites(&stress_suite);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: stress");
MODULE_LICENSE("GPL");
