// SPDX-License-Identifier: GPL-2.0
/* The NT words of waits for several objects at once, and of mutexes, which threads own. */
#include <kunit/test.h>
#include <linux/slab.h>

#include "eventually.h"
#include "nt_thread.h"

static NTSTATUS wait_for_several(ULONG count, PVOID *objects, WAIT_TYPE type, LONGLONG timeout)
{
	LARGE_INTEGER limit = { .QuadPart = timeout };

	return KeWaitForMultipleObjects(count, objects, type, Executive, KernelMode, FALSE,
					&limit, NULL);
}

static void the_first_of_several_that_is_signaled_ends_the_wait(struct kunit *test)
{
	KSEMAPHORE semaphore;
	KEVENT a, b;
	KTIMER timer;
	PVOID objects[] = { &a, &semaphore, &b };
	PVOID timed[] = { &a, &timer };

	KeInitializeEvent(&a, SynchronizationEvent, FALSE);
	KeInitializeEvent(&b, SynchronizationEvent, TRUE);
	KeInitializeSemaphore(&semaphore, 0, 5);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAny, EVER), STATUS_WAIT_0 + 2);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAny, 0), STATUS_TIMEOUT);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAny, -20 * MS), STATUS_TIMEOUT);
	KeSetEvent(&b, IO_NO_INCREMENT, FALSE);
	KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 2, FALSE);
	/* Only of one is something taken. */
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAny, EVER), STATUS_WAIT_0 + 1);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&semaphore), 1);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&b), 1);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAny, 0), STATUS_WAIT_0 + 1);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAny, 0), STATUS_WAIT_0 + 2);

	KeInitializeTimer(&timer);
	KeSetTimer(&timer, (LARGE_INTEGER) { .QuadPart = -20 * MS }, NULL);
	EXPECT_STATUS(test, wait_for_several(2, timed, WaitAny, EVER), STATUS_WAIT_0 + 1);
}

static void a_wait_for_all_takes_all_or_nothing(struct kunit *test)
{
	KSEMAPHORE semaphore;
	KEVENT a, b;
	PVOID objects[] = { &a, &b, &semaphore };

	KeInitializeEvent(&a, SynchronizationEvent, TRUE);
	KeInitializeEvent(&b, NotificationEvent, FALSE);
	KeInitializeSemaphore(&semaphore, 2, 2);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAll, 0), STATUS_TIMEOUT);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAll, -20 * MS), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&a), 1);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&semaphore), 2);
	KeSetEvent(&b, IO_NO_INCREMENT, FALSE);
	EXPECT_STATUS(test, wait_for_several(3, objects, WaitAll, EVER), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&a), 0);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&b), 1);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&semaphore), 1);
	/* No wait is left with them. */
	KUNIT_EXPECT_EQ(test, a.Header.AllWaits, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&b.Header.Waiters));
}

struct all_wait {
	KEVENT events[4];
	NTSTATUS status;
	atomic_t over;
};

static VOID all_wait_fn(PVOID context)
{
	PVOID objects[4];
	struct all_wait *wait = context;
	KWAIT_BLOCK blocks[4];
	LARGE_INTEGER limit = { .QuadPart = EVER };
	int i;

	for (i = 0; i < 4; i++)
		objects[i] = &wait->events[i];
	wait->status = KeWaitForMultipleObjects(4, objects, WaitAll, Executive, KernelMode,
						FALSE, &limit, blocks);
	atomic_set(&wait->over, 1);
}

static void a_wait_for_all_ends_when_the_last_is_signaled(struct kunit *test)
{
	struct all_wait wait = {};
	PVOID thread;
	LONG last;
	int i;

	for (i = 0; i < 4; i++)
		KeInitializeEvent(&wait.events[i], i & 1 ? NotificationEvent :
				  SynchronizationEvent, FALSE);
	thread = thread_start(test, all_wait_fn, &wait);
	EVENTUALLY(test, !list_empty(&wait.events[3].Header.Waiters));
	for (i = 0; i < 3; i++)
		KeSetEvent(&wait.events[i], IO_NO_INCREMENT, FALSE);
	/* None of them is taken yet: another wait may have one. */
	EXPECT_STATUS(test, wait_for(&wait.events[0], 0), STATUS_SUCCESS);
	KeSetEvent(&wait.events[3], IO_NO_INCREMENT, FALSE);
	msleep(30);
	KUNIT_EXPECT_EQ(test, atomic_read(&wait.over), 0);
	/* The signaller decides: what comes right behind it takes nothing away. */
	last = KeSetEvent(&wait.events[0], IO_NO_INCREMENT, FALSE);
	KeResetEvent(&wait.events[1]);
	KUNIT_EXPECT_EQ(test, last, 0);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&wait.events[0]), 0);
	thread_join(test, thread);
	EXPECT_STATUS(test, wait.status, STATUS_SUCCESS);
}

static void a_wait_that_cannot_be_is_refused(struct kunit *test)
{
	PVOID objects[MAXIMUM_WAIT_OBJECTS + 1];
	LARGE_INTEGER now = {};
	KWAIT_BLOCK *blocks;
	KEVENT *events;
	int i;

	blocks = kunit_kzalloc(test, sizeof(*blocks) * ARRAY_SIZE(objects), GFP_KERNEL);
	events = kunit_kzalloc(test, sizeof(*events) * ARRAY_SIZE(objects), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, blocks);
	KUNIT_ASSERT_NOT_NULL(test, events);
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		KeInitializeEvent(&events[i], SynchronizationEvent, TRUE);
		objects[i] = &events[i];
	}
	EXPECT_STATUS(test, wait_for_several(4, objects, WaitAny, 0), STATUS_INVALID_PARAMETER_8);
	EXPECT_STATUS(test, wait_for_several(0, objects, WaitAny, 0), STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, KeWaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS + 1, objects, WaitAll,
						     Executive, KernelMode, FALSE, &now, blocks),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, KeWaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, objects, WaitAll,
						     Executive, KernelMode, FALSE, NULL, blocks),
		      STATUS_SUCCESS);
	for (i = 0; i < MAXIMUM_WAIT_OBJECTS; i++)
		KUNIT_EXPECT_EQ(test, KeReadStateEvent(&events[i]), 0);
	KeSetEvent(&events[63], IO_NO_INCREMENT, FALSE);
	EXPECT_STATUS(test, KeWaitForMultipleObjects(MAXIMUM_WAIT_OBJECTS, objects, WaitAny,
						     Executive, KernelMode, FALSE, NULL, blocks),
		      STATUS_WAIT_0 + 63);
	objects[1] = objects[0];
	EXPECT_STATUS(test, wait_for_several(2, objects, WaitAll, 0), STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, wait_for_several(2, objects, WaitAny, -MS), STATUS_TIMEOUT);
}

/* Two threads that take two tokens each, out of three, all the time. */
#define ROUNDS	2000

struct philosophers {
	KEVENT tokens[3];
	atomic_t holders[3];
	atomic_t clashes;
	atomic_t any, all;
	int seed;
};

static void hold(struct philosophers *philosophers, int i)
{
	if (atomic_inc_return(&philosophers->holders[i]) != 1)
		atomic_inc(&philosophers->clashes);
}

static void let_go(struct philosophers *philosophers, int i)
{
	atomic_dec(&philosophers->holders[i]);
	KeSetEvent(&philosophers->tokens[i], IO_NO_INCREMENT, FALSE);
}

static void dine(struct philosophers *philosophers, int seed)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		int a = (i + seed) % 3;
		int b = (a + 1 + (i >> 2) % 2) % 3;
		PVOID objects[] = { &philosophers->tokens[a], &philosophers->tokens[b] };
		NTSTATUS status;

		if (i % 4 == seed) {
			status = wait_for_several(2, objects, WaitAny, i & 8 ? EVER : -MS / 10);
			if (status == STATUS_WAIT_0 || status == STATUS_WAIT_0 + 1) {
				int got = status == STATUS_WAIT_0 ? a : b;

				hold(philosophers, got);
				atomic_inc(&philosophers->any);
				let_go(philosophers, got);
			}
			continue;
		}
		status = wait_for_several(2, objects, WaitAll, i & 8 ? EVER : -MS / 10);
		if (status == STATUS_SUCCESS) {
			hold(philosophers, a);
			hold(philosophers, b);
			atomic_inc(&philosophers->all);
			if (i % 16 == 0)
				cond_resched();
			let_go(philosophers, b);
			let_go(philosophers, a);
		}
	}
}

static VOID dine_fn(PVOID context)
{
	struct philosophers *philosophers = context;

	dine(philosophers, 1);
}

static void waits_for_all_and_for_any_lose_nothing(struct kunit *test)
{
	struct philosophers *philosophers;
	PVOID threads[2];
	int i;

	philosophers = kunit_kzalloc(test, sizeof(*philosophers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, philosophers);
	for (i = 0; i < 3; i++)
		KeInitializeEvent(&philosophers->tokens[i], SynchronizationEvent, TRUE);
	for (i = 0; i < 2; i++)
		threads[i] = thread_start(test, dine_fn, philosophers);
	dine(philosophers, 2);
	for (i = 0; i < 2; i++)
		thread_join(test, threads[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&philosophers->clashes), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&philosophers->any), 0);
	KUNIT_EXPECT_GT(test, atomic_read(&philosophers->all), 0);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, KeReadStateEvent(&philosophers->tokens[i]), 1);
		KUNIT_EXPECT_EQ(test, philosophers->tokens[i].Header.AllWaits, 0);
	}
}

/* Sets the two events of a wait, one by one, while the waiter frees them. */
struct fleeting {
	KEVENT *events;
	bool stop;
};

static VOID fleeting_fn(PVOID context)
{
	struct fleeting *fleeting = context;

	while (!READ_ONCE(fleeting->stop)) {
		KEVENT *events = xchg(&fleeting->events, NULL);

		if (events) {
			KeSetEvent(&events[0], IO_NO_INCREMENT, FALSE);
			KeSetEvent(&events[1], IO_NO_INCREMENT, FALSE);
		} else {
			cond_resched();
		}
	}
}

static void objects_may_be_gone_as_soon_as_a_wait_for_all_returns(struct kunit *test)
{
	struct fleeting fleeting = {};
	PVOID thread = thread_start(test, fleeting_fn, &fleeting);
	int i;

	/* KASAN sees a signaller that touches one of them afterwards. */
	for (i = 0; i < ROUNDS / 4; i++) {
		KEVENT *events = kmalloc(sizeof(*events) * 2, GFP_KERNEL);
		PVOID objects[2];

		if (!events)
			break;
		KeInitializeEvent(&events[0], SynchronizationEvent, FALSE);
		KeInitializeEvent(&events[1], NotificationEvent, FALSE);
		objects[i & 1] = &events[0];
		objects[!(i & 1)] = &events[1];
		xchg(&fleeting.events, events);
		if (i % 3 == 0)
			while (wait_for_several(2, objects, WaitAll, 0) != STATUS_SUCCESS)
				cond_resched();
		else
			wait_for_several(2, objects, WaitAll, EVER);
		memset(events, 0xff, sizeof(*events) * 2);
		kfree(events);
	}
	WRITE_ONCE(fleeting.stop, true);
	thread_join(test, thread);
	KUNIT_EXPECT_EQ(test, i, ROUNDS / 4);
}

/* Mutexes */

struct contender {
	KMUTEX mutex;
	NTSTATUS status;
	LONG released;
};

static VOID contender_fn(PVOID context)
{
	struct contender *contender = context;

	contender->status = wait_for(&contender->mutex, -50 * MS);
	contender->released = KeReleaseMutex(&contender->mutex, FALSE);
}

static void a_mutex_is_its_threads_as_often_as_it_waited(struct kunit *test)
{
	struct contender contender;
	KEVENT event;
	PVOID objects[] = { &contender.mutex, &event };
	int i;

	KeInitializeEvent(&event, NotificationEvent, TRUE);
	KeInitializeMutex(&contender.mutex, 0);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&contender.mutex), 1);
	for (i = 0; i < 3; i++)
		EXPECT_STATUS(test, KeWaitForMutexObject(&contender.mutex, Executive, KernelMode,
							 FALSE, NULL), STATUS_SUCCESS);
	EXPECT_STATUS(test, wait_for_several(2, objects, WaitAll, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_LE(test, KeReadStateMutex(&contender.mutex), 0);

	/* Not another's, which cannot let go of it either. */
	thread_join(test, thread_start(test, contender_fn, &contender));
	EXPECT_STATUS(test, contender.status, STATUS_TIMEOUT);

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_LT(test, KeReleaseMutex(&contender.mutex, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeReleaseMutex(&contender.mutex, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&contender.mutex), 1);

	thread_join(test, thread_start(test, contender_fn, &contender));
	EXPECT_STATUS(test, contender.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, contender.released, 0);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&contender.mutex), 1);
}

struct counted {
	KMUTEX mutex;
	int value;		/* guarded by the mutex */
	PVOID objects[2];
	KEVENT always;
};

static VOID counted_fn(PVOID context)
{
	struct counted *counted = context;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		int value;

		if (i & 1)
			wait_for(&counted->mutex, EVER);
		else
			wait_for_several(2, counted->objects, WaitAll, EVER);
		value = counted->value;
		if (i % 64 == 0)
			cond_resched();
		counted->value = value + 1;
		KeReleaseMutex(&counted->mutex, FALSE);
	}
}

static void a_mutex_has_one_owner(struct kunit *test)
{
	struct counted *counted = kunit_kzalloc(test, sizeof(*counted), GFP_KERNEL);
	PVOID threads[3];
	int i;

	KUNIT_ASSERT_NOT_NULL(test, counted);
	KeInitializeMutex(&counted->mutex, 0);
	KeInitializeEvent(&counted->always, NotificationEvent, TRUE);
	counted->objects[0] = &counted->always;
	counted->objects[1] = &counted->mutex;
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		threads[i] = thread_start(test, counted_fn, counted);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		thread_join(test, threads[i]);
	KUNIT_EXPECT_EQ(test, counted->value, ROUNDS * (int)ARRAY_SIZE(threads));
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(&counted->mutex), 1);
}

static struct kunit_case nt_several_cases[] = {
	KUNIT_CASE(the_first_of_several_that_is_signaled_ends_the_wait),
	KUNIT_CASE(a_wait_for_all_takes_all_or_nothing),
	KUNIT_CASE(a_wait_for_all_ends_when_the_last_is_signaled),
	KUNIT_CASE(a_wait_that_cannot_be_is_refused),
	KUNIT_CASE(waits_for_all_and_for_any_lose_nothing),
	KUNIT_CASE(objects_may_be_gone_as_soon_as_a_wait_for_all_returns),
	KUNIT_CASE(a_mutex_is_its_threads_as_often_as_it_waited),
	KUNIT_CASE(a_mutex_has_one_owner),
	{}
};

static struct kunit_suite nt_several_suite = {
	.name = "kmcl_nt_several",
	.test_cases = nt_several_cases,
};

kunit_test_suite(nt_several_suite);
