// SPDX-License-Identifier: GPL-2.0
/* The NT words for later: timers and DPCs. */
#include <kunit/test.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "eventually.h"
#include "nt_thread.h"

static LARGE_INTEGER due_in(LONGLONG units)
{
	return (LARGE_INTEGER) { .QuadPart = -units };
}

/* DPCs */

struct counter {
	KDPC dpc;
	atomic_t calls;
	int level;
	int cpu;
	PVOID one, two;
	u64 spin_ns;		/* how long a call takes */
	atomic_t *order;	/* counted up by calls of several */
	int place;
};

static VOID counter_fn(PKDPC dpc, PVOID context, PVOID one, PVOID two)
{
	struct counter *counter = context;
	u64 end = ktime_get_ns() + counter->spin_ns;

	counter->level = KeGetCurrentIrql();
	counter->cpu = raw_smp_processor_id();
	counter->one = one;
	counter->two = two;
	if (counter->order)
		counter->place = atomic_inc_return(counter->order);
	while (ktime_get_ns() < end)
		cpu_relax();
	atomic_inc(&counter->calls);
}

static void counter_init(struct counter *counter)
{
	*counter = (struct counter) {};
	KeInitializeDpc(&counter->dpc, counter_fn, counter);
}

static void a_dpc_is_called_once_at_dispatch_level(struct kunit *test)
{
	struct counter counter;
	BOOLEAN first, second;
	unsigned long flags;

	counter_init(&counter);
	/* Its processor calls it as soon as interrupts are on. */
	local_irq_save(flags);
	first = KeInsertQueueDpc(&counter.dpc, &counter, &first);
	second = KeInsertQueueDpc(&counter.dpc, NULL, NULL);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, first, TRUE);
	KUNIT_EXPECT_EQ(test, second, FALSE);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 1);
	KUNIT_EXPECT_EQ(test, counter.level, DISPATCH_LEVEL);
	KUNIT_EXPECT_PTR_EQ(test, counter.one, (PVOID)&counter);
	KUNIT_EXPECT_PTR_EQ(test, counter.two, (PVOID)&first);
	KUNIT_EXPECT_EQ(test, KeInsertQueueDpc(&counter.dpc, NULL, NULL), TRUE);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 2);
}

static void a_dpc_that_is_removed_is_not_called(struct kunit *test)
{
	struct counter counter;
	BOOLEAN removed, again;
	unsigned long flags;

	counter_init(&counter);
	KUNIT_EXPECT_EQ(test, KeRemoveQueueDpc(&counter.dpc), FALSE);
	local_irq_save(flags);
	KeInsertQueueDpc(&counter.dpc, NULL, NULL);
	removed = KeRemoveQueueDpc(&counter.dpc);
	again = KeRemoveQueueDpc(&counter.dpc);
	local_irq_restore(flags);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, removed, TRUE);
	KUNIT_EXPECT_EQ(test, again, FALSE);
	KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 0);
}

static void dpcs_are_called_in_turn_but_for_important_ones(struct kunit *test)
{
	struct counter counters[4];
	atomic_t order = ATOMIC_INIT(0);
	unsigned long flags;
	int i;

	for (i = 0; i < 4; i++) {
		counter_init(&counters[i]);
		counters[i].order = &order;
	}
	KeSetImportanceDpc(&counters[1].dpc, LowImportance);
	KeSetImportanceDpc(&counters[2].dpc, HighImportance);
	KeSetImportanceDpc(&counters[3].dpc, MediumHighImportance);
	local_irq_save(flags);
	for (i = 0; i < 4; i++)
		KeInsertQueueDpc(&counters[i].dpc, NULL, NULL);
	local_irq_restore(flags);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, counters[2].place, 1);
	KUNIT_EXPECT_EQ(test, counters[0].place, 2);
	KUNIT_EXPECT_EQ(test, counters[1].place, 3);
	KUNIT_EXPECT_EQ(test, counters[3].place, 4);
}

static void a_dpc_is_called_by_the_processor_that_was_named(struct kunit *test)
{
	struct counter counter;
	int cpu;

	for_each_online_cpu(cpu) {
		counter_init(&counter);
		KeSetTargetProcessorDpc(&counter.dpc, cpu);
		KUNIT_EXPECT_EQ(test, KeInsertQueueDpc(&counter.dpc, NULL, NULL), TRUE);
		KeFlushQueuedDpcs();
		KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 1);
		KUNIT_EXPECT_EQ(test, counter.cpu, cpu);
	}

	/* One that is not there is as none. */
	counter_init(&counter);
	KeSetTargetProcessorDpc(&counter.dpc, 127);
	KUNIT_EXPECT_EQ(test, KeInsertQueueDpc(&counter.dpc, NULL, NULL), TRUE);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 1);
}

static void a_flush_waits_for_a_routine_that_runs(struct kunit *test)
{
	struct counter counter;
	int cpu;

	for_each_online_cpu(cpu) {
		counter_init(&counter);
		counter.spin_ns = 20 * NSEC_PER_MSEC;
		KeSetTargetProcessorDpc(&counter.dpc, cpu);
		KeInsertQueueDpc(&counter.dpc, NULL, NULL);
		/* It may run by now, so that its queue is empty. */
		while (READ_ONCE(counter.dpc.Queue))
			cond_resched();
		KeFlushQueuedDpcs();
		KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 1);
	}
}

/* Again and again, by its own routine and from outside. */
struct requeue {
	KDPC dpc;
	int left;		/* guarded by its being called by one processor */
	atomic_t calls;
	atomic_t inserted;
};

static VOID requeue_fn(PKDPC dpc, PVOID context, PVOID one, PVOID two)
{
	struct requeue *requeue = context;

	atomic_inc(&requeue->calls);
	if (requeue->left && requeue->left--)
		if (KeInsertQueueDpc(dpc, NULL, NULL))
			atomic_inc(&requeue->inserted);
}

static void a_dpc_that_queues_itself_is_called_each_time(struct kunit *test)
{
	struct requeue requeue = { .left = 200 };
	int i;

	KeInitializeDpc(&requeue.dpc, requeue_fn, &requeue);
	KeSetTargetProcessorDpc(&requeue.dpc, 0);
	for (i = 0; i < 2000; i++) {
		if (KeInsertQueueDpc(&requeue.dpc, NULL, NULL))
			atomic_inc(&requeue.inserted);
		if (i % 3 == 0 && KeRemoveQueueDpc(&requeue.dpc))
			atomic_dec(&requeue.inserted);
	}
	EVENTUALLY(test, !READ_ONCE(requeue.left));
	/* For the routine that has queued the last one, and for that. */
	KeFlushQueuedDpcs();
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&requeue.calls), atomic_read(&requeue.inserted));
	KUNIT_EXPECT_GT(test, atomic_read(&requeue.calls), 200);
}

/* Timers */

static void a_timer_is_signaled_when_it_is_due(struct kunit *test)
{
	ktime_t begin = ktime_get();
	struct counter counter;
	KTIMER timer;

	counter_init(&counter);
	KeInitializeTimer(&timer);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), FALSE);
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, due_in(300 * MS), &counter.dpc), FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), FALSE);
	EXPECT_STATUS(test, wait_for(&timer, EVER), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), begin), 300);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 1);
	KUNIT_EXPECT_EQ(test, counter.level, DISPATCH_LEVEL);

	/* It stays signaled, also when it is cancelled, until it is set again. */
	EXPECT_STATUS(test, wait_for(&timer, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), TRUE);
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, due_in(60000 * MS), NULL), FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), FALSE);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), TRUE);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), FALSE);
}

static void a_timer_that_is_set_again_is_due_once(struct kunit *test)
{
	struct counter first, second;
	KTIMER timer;

	counter_init(&first);
	counter_init(&second);
	KeInitializeTimerEx(&timer, SynchronizationTimer);
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, due_in(600 * MS), &first.dpc), FALSE);
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, due_in(30 * MS), &second.dpc), TRUE);
	EXPECT_STATUS(test, wait_for(&timer, EVER), STATUS_SUCCESS);
	EXPECT_STATUS(test, wait_for(&timer, -700 * MS), STATUS_TIMEOUT);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&first.calls), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&second.calls), 1);
}

static void a_timer_may_be_due_at_a_time_of_the_day(struct kunit *test)
{
	LARGE_INTEGER now, past;
	struct counter counter;
	KTIMER timer;
	ktime_t begin;

	counter_init(&counter);
	KeInitializeTimer(&timer);
	begin = ktime_get();
	KeQuerySystemTimePrecise(&now);
	now.QuadPart += 300 * MS;
	KeSetTimer(&timer, now, &counter.dpc);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), FALSE);
	EXPECT_STATUS(test, wait_for(&timer, EVER), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), begin), 295);
	/* A DPC that is queued yet is not queued again. */
	KeFlushQueuedDpcs();

	/* What is over is so at once, for whoever looks next. */
	past.QuadPart = now.QuadPart - 60 * MS;
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, past, NULL), FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), TRUE);
	past.QuadPart = 0;
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, past, &counter.dpc), FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateTimer(&timer), TRUE);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), FALSE);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), 2);

	/* Never, in all practice. */
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, (LARGE_INTEGER) { .QuadPart = S64_MIN },
					 NULL), FALSE);
	KUNIT_EXPECT_EQ(test, KeSetTimer(&timer, (LARGE_INTEGER) { .QuadPart = S64_MAX },
					 NULL), TRUE);
	EXPECT_STATUS(test, wait_for(&timer, -20 * MS), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), TRUE);
}

static void set_clock(s64 seconds)
{
	struct timespec64 now;

	ktime_get_real_ts64(&now);
	now.tv_sec += seconds;
	do_settimeofday64(&now);
}

static void a_clock_that_is_set_moves_only_times_of_the_day(struct kunit *test)
{
	KTIMER of_day, interval;
	LARGE_INTEGER due;

	KeInitializeTimer(&of_day);
	KeInitializeTimer(&interval);
	KeQuerySystemTimePrecise(&due);
	due.QuadPart += 3600 * 1000 * MS;
	KeSetTimer(&of_day, due, NULL);
	KeSetTimer(&interval, due_in(3600 * 1000 * MS), NULL);
	set_clock(3601);
	EXPECT_STATUS(test, wait_for(&of_day, -5000 * MS), STATUS_SUCCESS);
	set_clock(-3601);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&of_day), FALSE);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&interval), TRUE);
}

static void a_timer_with_a_period_is_due_again_and_again(struct kunit *test)
{
	ktime_t begin = ktime_get();
	struct counter counter;
	KTIMER timer;
	int i, calls;

	counter_init(&counter);
	KeInitializeTimerEx(&timer, SynchronizationTimer);
	KUNIT_EXPECT_EQ(test, KeSetTimerEx(&timer, due_in(40 * MS), 10, &counter.dpc), FALSE);
	for (i = 0; i < 6; i++)
		EXPECT_STATUS(test, wait_for(&timer, EVER), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), begin), 40 + 5 * 10);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), TRUE);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), FALSE);
	KeFlushQueuedDpcs();
	calls = atomic_read(&counter.calls);
	KUNIT_EXPECT_GE(test, calls, 6);
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&counter.calls), calls);

	/* Also one whose first time is one of the day. */
	begin = ktime_get();
	KeSetTimerEx(&timer, (LARGE_INTEGER) { .QuadPart = 1 }, 20, NULL);
	for (i = 0; i < 3; i++)
		EXPECT_STATUS(test, wait_for(&timer, EVER), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), begin), 40);
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timer), TRUE);
}

static void many_timers_are_due_in_their_order(struct kunit *test)
{
	static const int ms[] = { 450, 300, 600, 350, 500, 200 };
	static const int places[] = { 4, 2, 0, 3, 5, 1 };	/* the third is cancelled */
	struct counter *counters;
	atomic_t order = ATOMIC_INIT(0);
	KTIMER timers[ARRAY_SIZE(ms)];
	LARGE_INTEGER now, due;
	int i;

	counters = kunit_kzalloc(test, sizeof(*counters) * ARRAY_SIZE(ms), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, counters);
	KeQuerySystemTimePrecise(&now);
	for (i = 0; i < ARRAY_SIZE(ms); i++) {
		counter_init(&counters[i]);
		counters[i].order = &order;
		KeSetTargetProcessorDpc(&counters[i].dpc, 0);
		KeInitializeTimer(&timers[i]);
		due.QuadPart = now.QuadPart + ms[i] * MS;
		KeSetTimer(&timers[i], due, &counters[i].dpc);
	}
	KUNIT_EXPECT_EQ(test, KeCancelTimer(&timers[2]), TRUE);
	EXPECT_STATUS(test, wait_for(&timers[4], EVER), STATUS_SUCCESS);
	KeFlushQueuedDpcs();
	for (i = 0; i < ARRAY_SIZE(ms); i++)
		KUNIT_EXPECT_EQ_MSG(test, counters[i].place, places[i], "timer %d", i);
}

/* What KASAN has to find quiet. */

#define ROUNDS	2000

struct alone {
	KTIMER timer;
	KDPC dpc;
	atomic_t *freed;
};

static VOID alone_fn(PKDPC dpc, PVOID context, PVOID one, PVOID two)
{
	struct alone *alone = context;
	atomic_t *freed = alone->freed;

	memset(alone, 0xff, sizeof(*alone));
	kfree(alone);
	atomic_inc(freed);
}

static void a_routine_may_free_its_timer_and_dpc(struct kunit *test)
{
	atomic_t freed = ATOMIC_INIT(0);
	int i, made = 0;

	for (i = 0; i < ROUNDS; i++) {
		struct alone *alone = kmalloc(sizeof(*alone), GFP_KERNEL);

		if (!alone)
			break;
		made++;
		alone->freed = &freed;
		KeInitializeTimer(&alone->timer);
		KeInitializeDpc(&alone->dpc, alone_fn, alone);
		if (i % 3)
			KeSetTargetProcessorDpc(&alone->dpc, i % num_online_cpus());
		KeSetTimer(&alone->timer, due_in(get_random_u32() % 500), &alone->dpc);
		if (i % 50 == 0)
			cond_resched();
	}
	EVENTUALLY(test, atomic_read(&freed) == made);
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, made, ROUNDS);
}

static void what_is_cancelled_and_flushed_may_be_freed(struct kunit *test)
{
	int i, cancelled = 0, wrong = 0;

	for (i = 0; i < ROUNDS; i++) {
		struct counter *counter = kmalloc(sizeof(*counter), GFP_KERNEL);
		KTIMER *timer = kmalloc(sizeof(*timer), GFP_KERNEL);
		BOOLEAN was_set;

		if (!counter || !timer) {
			kfree(counter);
			kfree(timer);
			break;
		}
		counter_init(counter);
		if (i % 3)
			KeSetTargetProcessorDpc(&counter->dpc, i % num_online_cpus());
		KeInitializeTimer(timer);
		KeSetTimer(timer, due_in(get_random_u32() % 4000), &counter->dpc);
		udelay(get_random_u32() % 400);
		was_set = KeCancelTimer(timer);
		memset(timer, 0xff, sizeof(*timer));
		kfree(timer);
		KeFlushQueuedDpcs();
		/* Either it was cancelled or its routine has been called, once. */
		wrong += atomic_read(&counter->calls) != !was_set;
		cancelled += was_set;
		memset(counter, 0xff, sizeof(*counter));
		kfree(counter);
	}
	KUNIT_EXPECT_EQ(test, i, ROUNDS);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, cancelled, 0);
	KUNIT_EXPECT_LT(test, cancelled, ROUNDS);
}

static void a_timer_may_be_freed_as_soon_as_the_wait_returns(struct kunit *test)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		KTIMER *timer = kmalloc(sizeof(*timer), GFP_KERNEL);
		struct counter *counter = kmalloc(sizeof(*counter), GFP_KERNEL);

		if (!timer || !counter) {
			kfree(timer);
			kfree(counter);
			break;
		}
		counter_init(counter);
		KeInitializeTimerEx(timer, i & 1 ? NotificationTimer : SynchronizationTimer);
		KeSetTimer(timer, due_in(get_random_u32() % 400), &counter->dpc);
		if (i % 3)
			wait_for(timer, EVER);
		else
			while (!KeReadStateTimer(timer))
				cond_resched();
		memset(timer, 0xff, sizeof(*timer));
		kfree(timer);
		/* The flush finds its DPC queued. */
		KeFlushQueuedDpcs();
		KUNIT_EXPECT_EQ(test, atomic_read(&counter->calls), 1);
		kfree(counter);
	}
	KUNIT_EXPECT_EQ(test, i, ROUNDS);
}

struct setters {
	KTIMER timer;
	struct counter counter;
	atomic_t set;		/* how often, and not undone */
};

static void set_and_cancel(struct setters *setters)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		LARGE_INTEGER due = due_in(get_random_u32() % 300);

		if (i % 4 == 3) {
			if (KeCancelTimer(&setters->timer))
				atomic_dec(&setters->set);
		} else if (!KeSetTimer(&setters->timer, due, &setters->counter.dpc)) {
			atomic_inc(&setters->set);
		}
		if (i % 100 == 0)
			cond_resched();
	}
}

static int setters_fn(void *data)
{
	set_and_cancel(data);
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static void threads_that_set_one_timer_agree_on_whether_it_was_set(struct kunit *test)
{
	struct setters *setters = kunit_kzalloc(test, sizeof(*setters), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, setters);
	counter_init(&setters->counter);
	KeInitializeTimer(&setters->timer);
	task = kthread_run(setters_fn, setters, "nt_setters");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	set_and_cancel(setters);
	kthread_stop(task);
	if (KeCancelTimer(&setters->timer))
		atomic_dec(&setters->set);
	KeFlushQueuedDpcs();
	/* Each time that it was not undone it was due; a DPC that is queued is so once. */
	KUNIT_EXPECT_GE(test, atomic_read(&setters->set), atomic_read(&setters->counter.calls));
	KUNIT_EXPECT_GT(test, atomic_read(&setters->counter.calls), 0);
}

static struct kunit_case nt_timer_cases[] = {
	KUNIT_CASE(a_dpc_is_called_once_at_dispatch_level),
	KUNIT_CASE(a_dpc_that_is_removed_is_not_called),
	KUNIT_CASE(dpcs_are_called_in_turn_but_for_important_ones),
	KUNIT_CASE(a_dpc_is_called_by_the_processor_that_was_named),
	KUNIT_CASE(a_flush_waits_for_a_routine_that_runs),
	KUNIT_CASE(a_dpc_that_queues_itself_is_called_each_time),
	KUNIT_CASE(a_timer_is_signaled_when_it_is_due),
	KUNIT_CASE(a_timer_that_is_set_again_is_due_once),
	KUNIT_CASE(a_timer_may_be_due_at_a_time_of_the_day),
	KUNIT_CASE(a_clock_that_is_set_moves_only_times_of_the_day),
	KUNIT_CASE(a_timer_with_a_period_is_due_again_and_again),
	KUNIT_CASE(many_timers_are_due_in_their_order),
	KUNIT_CASE(a_routine_may_free_its_timer_and_dpc),
	KUNIT_CASE(what_is_cancelled_and_flushed_may_be_freed),
	KUNIT_CASE(a_timer_may_be_freed_as_soon_as_the_wait_returns),
	KUNIT_CASE(threads_that_set_one_timer_agree_on_whether_it_was_set),
	{}
};

static struct kunit_suite nt_timer_suite = {
	.name = "kmcl_nt_timer",
	.test_cases = nt_timer_cases,
};

kunit_test_suite(nt_timer_suite);
