// SPDX-License-Identifier: GPL-2.0
/* The NT words that wait: events, semaphores, fast mutexes, time. */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include <ntddk.h>

#include "eventually.h"

#define MS	10000LL		/* in units of 100 ns */

#define EXPECT_STATUS(test, call, status) \
	KUNIT_EXPECT_EQ(test, (u32)(call), (u32)(status))

static NTSTATUS wait_for(void *object, LONGLONG timeout)
{
	LARGE_INTEGER limit = { .QuadPart = timeout };

	return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &limit);
}

static NTSTATUS wait_for_ever(void *object)
{
	return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
}

/* Threads that wait once for an object, on one CPU. */
#define THREADS	3

struct threads {
	void *object;
	struct task_struct *tasks[THREADS];
	atomic_t satisfied;
};

static int thread_fn(void *data)
{
	struct threads *threads = data;

	/* As good as for ever, but then the case fails instead of hanging. */
	if (wait_for(threads->object, -10000 * MS) == STATUS_SUCCESS)
		atomic_inc(&threads->satisfied);
	/* kthread_stop() wants the thread still there. */
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static int waiters(DISPATCHER_HEADER *object)
{
	struct list_head *pos;
	unsigned long flags;
	int count = 0;

	raw_spin_lock_irqsave(&object->Lock, flags);
	list_for_each(pos, &object->Waiters)
		count++;
	raw_spin_unlock_irqrestore(&object->Lock, flags);
	return count;
}

/* Returns when all threads wait. */
static struct threads *threads_start(struct kunit *test, void *object, int cpu)
{
	struct threads *threads = kunit_kzalloc(test, sizeof(*threads), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, threads);
	threads->object = object;
	for (i = 0; i < THREADS; i++) {
		struct task_struct *task;

		task = kthread_create(thread_fn, threads, "nt_wait_%d", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		kthread_bind(task, cpu);
		threads->tasks[i] = task;
		wake_up_process(task);
	}
	EVENTUALLY(test, waiters(object) == THREADS);
	KUNIT_ASSERT_EQ(test, waiters(object), THREADS);
	return threads;
}

/* @count waits are satisfied, and then no more. */
static void expect_satisfied(struct kunit *test, struct threads *threads, int count)
{
	EVENTUALLY(test, atomic_read(&threads->satisfied) >= count);
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&threads->satisfied), count);
}

static void threads_stop(struct threads *threads)
{
	int i;

	for (i = 0; i < THREADS; i++)
		kthread_stop(threads->tasks[i]);
}

static void an_event_set_before_the_wait_satisfies_it(struct kunit *test)
{
	KEVENT event;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 1);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 1);
	EXPECT_STATUS(test, wait_for_ever(&event), STATUS_SUCCESS);
	/* The wait has reset it: two signals without a waiter are one. */
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
	EXPECT_STATUS(test, wait_for(&event, 0), STATUS_TIMEOUT);

	KeInitializeEvent(&event, NotificationEvent, TRUE);
	EXPECT_STATUS(test, wait_for_ever(&event), STATUS_SUCCESS);
	EXPECT_STATUS(test, wait_for(&event, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeResetEvent(&event), 1);
	KUNIT_EXPECT_EQ(test, KeResetEvent(&event), 0);
	EXPECT_STATUS(test, wait_for(&event, 0), STATUS_TIMEOUT);
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	KeClearEvent(&event);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
}

static void a_synchronization_event_releases_one_at_a_time(struct kunit *test)
{
	struct threads *threads;
	KEVENT event;
	int i;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	threads = threads_start(test, &event, 0);
	for (i = 1; i <= THREADS; i++) {
		KUNIT_EXPECT_EQ(test, KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
		KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
		expect_satisfied(test, threads, i);
	}
	threads_stop(threads);
}

static void two_signals_in_a_row_release_two(struct kunit *test)
{
	struct threads *threads;
	KEVENT event;
	LONG second;
	KIRQL old;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	/* None of the threads runs before both signals are given. */
	migrate_disable();
	threads = threads_start(test, &event, smp_processor_id());
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	second = KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	KeLowerIrql(old);
	migrate_enable();
	KUNIT_EXPECT_EQ(test, second, 0);
	expect_satisfied(test, threads, 2);
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	threads_stop(threads);
}

static void a_notification_event_releases_all(struct kunit *test)
{
	struct threads *threads;
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	threads = threads_start(test, &event, 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
	expect_satisfied(test, threads, THREADS);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 1);
	threads_stop(threads);
}

static void a_reset_behind_a_signal_takes_it_from_nobody(struct kunit *test)
{
	struct threads *threads;
	KEVENT event;
	KIRQL old;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	migrate_disable();
	threads = threads_start(test, &event, smp_processor_id());
	KeRaiseIrql(DISPATCH_LEVEL, &old);
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	KeClearEvent(&event);
	KeLowerIrql(old);
	migrate_enable();
	expect_satisfied(test, threads, THREADS);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 0);
	threads_stop(threads);
}

static void an_event_is_set_and_looked_at_with_interrupts_off(struct kunit *test)
{
	struct threads *threads;
	unsigned long flags;
	NTSTATUS unset, set;
	bool still_off;
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	threads = threads_start(test, &event, 0);
	local_irq_save(flags);
	unset = wait_for(&event, 0);
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	set = wait_for(&event, 0);
	still_off = irqs_disabled();
	local_irq_restore(flags);
	EXPECT_STATUS(test, unset, STATUS_TIMEOUT);
	EXPECT_STATUS(test, set, STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, still_off);
	expect_satisfied(test, threads, THREADS);
	threads_stop(threads);
}

/* Whether a wait for what is never signaled takes as long as it is to. */
static void expect_time(struct kunit *test, LONGLONG timeout, s64 least_ms, s64 most_ms)
{
	ktime_t begin = ktime_get();
	KEVENT event;
	s64 ms;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	EXPECT_STATUS(test, wait_for(&event, timeout), STATUS_TIMEOUT);
	ms = ktime_ms_delta(ktime_get(), begin);
	KUNIT_EXPECT_GE(test, ms, least_ms);
	KUNIT_EXPECT_LE(test, ms, most_ms);
	/* A wait that gave up does not get the next signal. */
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&event), 1);
}

static void a_wait_ends_when_its_time_is_over(struct kunit *test)
{
	LARGE_INTEGER now;

	/* The machine may be slow; how much so is not what is tested. */
	expect_time(test, -60 * MS, 60, 5000);
	KeQuerySystemTimePrecise(&now);
	expect_time(test, now.QuadPart + 60 * MS, 55, 5000);
	expect_time(test, now.QuadPart - 60 * MS, 0, 5000);
	expect_time(test, 1, 0, 5000);
	expect_time(test, -1, 0, 5000);
	expect_time(test, 0, 0, 5000);
}

static int late_set_fn(void *event)
{
	msleep(50);
	KeSetEvent(event, IO_NO_INCREMENT, FALSE);
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static void a_wait_ends_before_its_time_if_the_event_is_set(struct kunit *test)
{
	static const LONGLONG far_away[] = { S64_MIN, S64_MAX, -60000 * MS, S64_MIN / 100 };
	KEVENT event;
	int i;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	for (i = 0; i < ARRAY_SIZE(far_away); i++) {
		ktime_t begin = ktime_get();
		struct task_struct *task;

		task = kthread_run(late_set_fn, &event, "nt_set");
		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		EXPECT_STATUS(test, wait_for(&event, far_away[i]), STATUS_SUCCESS);
		KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), begin), 45);
		kthread_stop(task);
	}
}

/* Sets the events that it is given, one by one, on another CPU. */
struct setter {
	KEVENT *event;
	bool stop;
};

static int setter_fn(void *data)
{
	struct setter *setter = data;

	while (!READ_ONCE(setter->stop)) {
		KEVENT *event = xchg(&setter->event, NULL);

		if (event)
			KeSetEvent(event, IO_NO_INCREMENT, FALSE);
		else
			cond_resched();
	}
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

static void an_event_may_be_gone_as_soon_as_the_wait_returns(struct kunit *test)
{
	struct setter setter = {};
	struct task_struct *task;
	int i;

	task = kthread_run(setter_fn, &setter, "nt_setter");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	/* KASAN sees a signaller that touches the event afterwards. */
	for (i = 0; i < 3000; i++) {
		KEVENT *event = kmalloc(sizeof(*event), GFP_KERNEL);

		if (!event)
			break;
		KeInitializeEvent(event, i & 1 ? NotificationEvent : SynchronizationEvent,
				  FALSE);
		xchg(&setter.event, event);
		if (i % 3 == 0)
			while (!KeReadStateEvent(event))
				cond_resched();
		else if (i % 3 == 1)
			wait_for_ever(event);
		else
			while (wait_for(event, 0) != STATUS_SUCCESS)
				cond_resched();
		memset(event, 0xff, sizeof(*event));
		kfree(event);
	}
	WRITE_ONCE(setter.stop, true);
	kthread_stop(task);
	KUNIT_EXPECT_EQ(test, i, 3000);
}

static void a_semaphore_satisfies_as_many_waits_as_it_counts(struct kunit *test)
{
	struct threads *threads;
	KSEMAPHORE semaphore;

	KeInitializeSemaphore(&semaphore, 2, 3);
	EXPECT_STATUS(test, wait_for(&semaphore, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, wait_for(&semaphore, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, wait_for(&semaphore, 0), STATUS_TIMEOUT);
	threads = threads_start(test, &semaphore, 0);
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&semaphore, 0, 2, FALSE), 0);
	expect_satisfied(test, threads, 2);
	/* One for the last thread, and one is left. */
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&semaphore, 0, 2, FALSE), 0);
	expect_satisfied(test, threads, 3);
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 1);
	/* 2 and 2 are more than 3. */
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&semaphore, 0, 2, FALSE), 2);
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 2);
	threads_stop(threads);
}

static void a_delay_takes_its_time(struct kunit *test)
{
	LARGE_INTEGER interval, before, after, frequency;
	s64 ms;

	interval.QuadPart = -60 * MS;
	before = KeQueryPerformanceCounter(&frequency);
	EXPECT_STATUS(test, KeDelayExecutionThread(KernelMode, FALSE, &interval),
		      STATUS_SUCCESS);
	after = KeQueryPerformanceCounter(NULL);
	KUNIT_EXPECT_EQ(test, frequency.QuadPart, 10000000);
	ms = (after.QuadPart - before.QuadPart) / MS;
	KUNIT_EXPECT_GE(test, ms, 60);
	KUNIT_EXPECT_LE(test, ms, 5000);

	KeQuerySystemTimePrecise(&interval);
	interval.QuadPart += 60 * MS;
	before = KeQueryPerformanceCounter(NULL);
	KeDelayExecutionThread(KernelMode, FALSE, &interval);
	after = KeQueryPerformanceCounter(NULL);
	KUNIT_EXPECT_GE(test, (after.QuadPart - before.QuadPart) / MS, 55);

	interval.QuadPart = 0;
	EXPECT_STATUS(test, KeDelayExecutionThread(KernelMode, FALSE, &interval),
		      STATUS_SUCCESS);
}

static int delay_fn(void *data)
{
	LARGE_INTEGER interval = { .QuadPart = -200 * MS };

	KeDelayExecutionThread(KernelMode, FALSE, &interval);
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

/* Frozen by the system, blamed by its watchdog, or neither: by how the task sleeps. */
static bool sleeps_in_peace(struct task_struct *task)
{
	const unsigned int state = TASK_IDLE | TASK_FREEZABLE;

	return (READ_ONCE(task->__state) & state) == state;
}

static void a_thread_that_waits_keeps_nobody_from_suspending(struct kunit *test)
{
	struct task_struct *delayed;
	struct threads *threads;
	KEVENT event;
	int i;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	threads = threads_start(test, &event, 0);
	for (i = 0; i < THREADS; i++)
		EVENTUALLY(test, sleeps_in_peace(threads->tasks[i]));
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	threads_stop(threads);

	delayed = kthread_run(delay_fn, NULL, "nt_delay");
	KUNIT_ASSERT_FALSE(test, IS_ERR(delayed));
	EVENTUALLY(test, sleeps_in_peace(delayed));
	kthread_stop(delayed);
}

/* As the freezer's thaw does on some kernels. */
static void a_thread_that_is_woken_for_nothing_goes_on_waiting(struct kunit *test)
{
	struct threads *threads;
	KEVENT event;
	int i;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	threads = threads_start(test, &event, 0);
	for (i = 0; i < THREADS; i++)
		wake_up_process(threads->tasks[i]);
	expect_satisfied(test, threads, 0);
	KUNIT_EXPECT_EQ(test, waiters(&event.Header), THREADS);
	KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
	expect_satisfied(test, threads, THREADS);
	threads_stop(threads);
}

static void times_are_those_of_the_machine_in_windows_units(struct kunit *test)
{
	LARGE_INTEGER coarse, precise;
	ULONGLONG up = KeQueryInterruptTime();
	s64 seconds = ktime_get_real_seconds();

	KeQuerySystemTime(&coarse);
	KeQuerySystemTimePrecise(&precise);
	/* 1601 to 1970 are 134774 days. */
	KUNIT_EXPECT_LE(test, abs(coarse.QuadPart / 10000000 - 134774LL * 86400 - seconds), 2);
	KUNIT_EXPECT_LE(test, abs(precise.QuadPart / 10000000 - 134774LL * 86400 - seconds), 2);
	KUNIT_EXPECT_LE(test, abs((s64)(up / 10000000) - (s64)ktime_get_boottime_seconds()), 2);
	msleep(20);
	KUNIT_EXPECT_GT(test, KeQueryInterruptTime(), up);
}

/*
 * At least what this processor takes for so many microseconds: the second one of a machine
 * whose emulator was slow while it booted may be 60 % off.
 */
static s64 own_us(u32 us)
{
	s64 shortest = S64_MAX;
	ktime_t begin;
	u32 i;

	for (i = 0; i < 5; i++) {
		begin = ktime_get();
		mdelay(1);
		shortest = min(shortest, ktime_us_delta(ktime_get(), begin));
	}
	return shortest * us / 1000 * 9 / 10;
}

static void ticks_and_stalls_are_as_long_as_they_say(struct kunit *test)
{
	ULONGLONG unbiased = KeQueryUnbiasedInterruptTime();
	LARGE_INTEGER before, after;
	ktime_t begin;
	ULONG64 stamp;
	s64 us;

	KUNIT_EXPECT_EQ(test, KeQueryTimeIncrement(), 10000000 / HZ);
	KUNIT_EXPECT_GE(test, KeQueryInterruptTimePrecise(&stamp), unbiased);
	migrate_disable();
	begin = ktime_get();
	KeStallExecutionProcessor(50);
	KUNIT_EXPECT_GE(test, ktime_us_delta(ktime_get(), begin), own_us(50));
	us = own_us(30500);
	KeQueryTickCount(&before);
	begin = ktime_get();
	KeStallExecutionProcessor(30500);
	KUNIT_EXPECT_GE(test, ktime_us_delta(ktime_get(), begin), us);
	KeQueryTickCount(&after);
	migrate_enable();
	KUNIT_EXPECT_GE(test, (after.QuadPart - before.QuadPart + 1) * KeQueryTimeIncrement(),
			us * 10);
	/* From the start on. A machine that is slow to run loses ticks, and gains none. */
	KUNIT_EXPECT_LE(test, after.QuadPart / HZ, (s64)(unbiased / 10000000) + 5);
}

struct attempt {
	FAST_MUTEX *mutex;
	int taken;
	struct completion made;
};

static int attempt_fn(void *data)
{
	struct attempt *attempt = data;

	attempt->taken = ExTryToAcquireFastMutex(attempt->mutex);
	if (attempt->taken)
		ExReleaseFastMutex(attempt->mutex);
	complete(&attempt->made);
	while (!kthread_should_stop())
		usleep_range(100, 200);
	return 0;
}

/* Whether another thread gets the mutex. */
static int try_elsewhere(struct kunit *test, FAST_MUTEX *mutex)
{
	struct attempt attempt = { .mutex = mutex };
	struct task_struct *task;

	init_completion(&attempt.made);
	task = kthread_run(attempt_fn, &attempt, "nt_mutex");
	if (IS_ERR(task)) {
		KUNIT_FAIL(test, "no thread");
		return -1;
	}
	/* A thread that is stopped before it ran would never run. */
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&attempt.made, 10 * HZ), 0);
	kthread_stop(task);
	return attempt.taken;
}

static void a_fast_mutex_has_one_owner(struct kunit *test)
{
	FAST_MUTEX mutex;

	ExInitializeFastMutex(&mutex);
	KUNIT_EXPECT_EQ(test, try_elsewhere(test, &mutex), 1);
	ExAcquireFastMutex(&mutex);
	KUNIT_EXPECT_EQ(test, try_elsewhere(test, &mutex), 0);
	ExReleaseFastMutex(&mutex);
	KUNIT_EXPECT_EQ(test, try_elsewhere(test, &mutex), 1);
}

static struct kunit_case nt_wait_cases[] = {
	KUNIT_CASE(an_event_set_before_the_wait_satisfies_it),
	KUNIT_CASE(a_synchronization_event_releases_one_at_a_time),
	KUNIT_CASE(two_signals_in_a_row_release_two),
	KUNIT_CASE(a_notification_event_releases_all),
	KUNIT_CASE(a_reset_behind_a_signal_takes_it_from_nobody),
	KUNIT_CASE(an_event_is_set_and_looked_at_with_interrupts_off),
	KUNIT_CASE(a_wait_ends_when_its_time_is_over),
	KUNIT_CASE(a_wait_ends_before_its_time_if_the_event_is_set),
	KUNIT_CASE(an_event_may_be_gone_as_soon_as_the_wait_returns),
	KUNIT_CASE(a_semaphore_satisfies_as_many_waits_as_it_counts),
	KUNIT_CASE(a_delay_takes_its_time),
	KUNIT_CASE(a_thread_that_waits_keeps_nobody_from_suspending),
	KUNIT_CASE(a_thread_that_is_woken_for_nothing_goes_on_waiting),
	KUNIT_CASE(times_are_those_of_the_machine_in_windows_units),
	KUNIT_CASE(ticks_and_stalls_are_as_long_as_they_say),
	KUNIT_CASE(a_fast_mutex_has_one_owner),
	{}
};

static struct kunit_suite nt_wait_suite = {
	.name = "kmcl_nt_wait",
	.test_cases = nt_wait_cases,
};

kunit_test_suite(nt_wait_suite);
