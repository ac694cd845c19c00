// SPDX-License-Identifier: GPL-2.0
/* The NT words of system threads, and of the handles and references of objects. */
#include <kunit/test.h>
#include <linux/fault-inject.h>
#include <linux/sched.h>
#include <linux/sched/rt.h>
#include <linux/slab.h>

#include "eventually.h"
#include "nt_thread.h"

struct life {
	KEVENT end;
	bool terminate;
	PKTHREAD self;
	HANDLE id;
	KIRQL level;
	int after;		/* what PsTerminateSystemThread() is not to come back to */
};

static void life_deeper(struct life *life)
{
	if (life->terminate) {
		PsTerminateSystemThread(STATUS_SUCCESS);
		life->after++;
	}
}

static VOID life_fn(PVOID context)
{
	struct life *life = context;

	life->self = KeGetCurrentThread();
	life->id = PsGetCurrentThreadId();
	life->level = KeGetCurrentIrql();
	wait_for(&life->end, EVER);
	life_deeper(life);
}

static void a_thread_can_be_waited_for(struct kunit *test)
{
	struct life life = {};
	OBJECT_ATTRIBUTES attributes;
	CLIENT_ID id = {};
	HANDLE handle;
	PVOID thread;

	for (life.terminate = false; ; life.terminate = true) {
		KeInitializeEvent(&life.end, NotificationEvent, FALSE);
		InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
		EXPECT_STATUS(test, PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes,
							 NULL, &id, life_fn, &life),
			      STATUS_SUCCESS);
		EXPECT_STATUS(test, ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL,
							      KernelMode, &thread, NULL),
			      STATUS_SUCCESS);
		EXPECT_STATUS(test, ZwClose(handle), STATUS_SUCCESS);
		EXPECT_STATUS(test, ZwClose(handle), STATUS_INVALID_HANDLE);
		EXPECT_STATUS(test, wait_for(thread, -20 * MS), STATUS_TIMEOUT);
		KeSetEvent(&life.end, IO_NO_INCREMENT, FALSE);
		EXPECT_STATUS(test, wait_for(thread, EVER), STATUS_SUCCESS);
		EXPECT_STATUS(test, wait_for(thread, 0), STATUS_SUCCESS);
		KUNIT_EXPECT_PTR_EQ(test, (PVOID)life.self, thread);
		KUNIT_EXPECT_PTR_EQ(test, life.id, id.UniqueThread);
		KUNIT_EXPECT_EQ(test, life.level, PASSIVE_LEVEL);
		KUNIT_EXPECT_EQ(test, life.after, 0);
		ObDereferenceObject(thread);
		if (life.terminate)
			break;
	}
}

static void a_handle_that_is_none_is_told(struct kunit *test)
{
	static const ULONG_PTR wrong[] = { 0, 1, 3, 4 * 77777, ~0UL, 0xffffffff80000004UL };
	PVOID thread;
	int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_STATUS(test, ZwClose((HANDLE)wrong[i]), STATUS_INVALID_HANDLE);
		EXPECT_STATUS(test, ObReferenceObjectByHandle((HANDLE)wrong[i], 0, NULL,
							      KernelMode, &thread, NULL),
			      STATUS_INVALID_HANDLE);
	}
}

static VOID short_fn(PVOID context)
{
	atomic_inc(context);
}

static void a_thread_needs_nobody_to_wait_for_it(struct kunit *test)
{
	atomic_t *ran = kunit_kzalloc(test, sizeof(*ran), GFP_KERNEL);
	HANDLE handle;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, ran);
	for (i = 0; i < 50; i++) {
		EXPECT_STATUS(test, PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL,
							 NULL, short_fn, ran),
			      STATUS_SUCCESS);
		EXPECT_STATUS(test, ZwClose(handle), STATUS_SUCCESS);
	}
	EVENTUALLY(test, atomic_read(ran) == 50);
}

static void another_thread_is_not_ended(struct kunit *test)
{
	EXPECT_STATUS(test, PsTerminateSystemThread(STATUS_SUCCESS), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_PTR_EQ(test, KeGetCurrentThread(), KeGetCurrentThread());
	KUNIT_EXPECT_NOT_NULL(test, KeGetCurrentThread());
}

static VOID priority_fn(PVOID context)
{
	int *seen = context;

	seen[0] = KeSetPriorityThread(KeGetCurrentThread(), LOW_REALTIME_PRIORITY);
	seen[1] = rt_task(current);
	seen[2] = KeSetPriorityThread(KeGetCurrentThread(), 8);
	seen[3] = rt_task(current);
}

static void a_thread_may_be_urgent(struct kunit *test)
{
	int seen[4] = {};

	thread_join(test, thread_start(test, priority_fn, seen));
	KUNIT_EXPECT_EQ(test, seen[0], 8);
	KUNIT_EXPECT_NE(test, seen[1], 0);
	KUNIT_EXPECT_EQ(test, seen[2], LOW_REALTIME_PRIORITY);
	KUNIT_EXPECT_EQ(test, seen[3], 0);
}

#if IS_ENABLED(CONFIG_FAILSLAB)
static void a_thread_without_memory_is_none(struct kunit *test)
{
	atomic_t ran = ATOMIC_INIT(0);
	bool made = false;
	int nth, runs = 0;
	HANDLE handle;
	PVOID thread;

	/* Each allocation of the thread's fails once, then none. */
	for (nth = 1; nth < 100 && !made; nth++) {
		NTSTATUS status;

		current->fail_nth = nth;
		status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL,
					      short_fn, &ran);
		made = current->fail_nth;
		current->fail_nth = 0;
		if (status == STATUS_SUCCESS) {
			ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode, &thread,
						  NULL);
			thread_join(test, thread);
			ZwClose(handle);
			runs++;
		} else {
			EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
		}
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&ran), runs);
	KUNIT_EXPECT_TRUE(test, made);
	KUNIT_EXPECT_GT(test, nth, 2);
}
#else
static void a_thread_without_memory_is_none(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAILSLAB");
}
#endif

static struct kunit_case nt_thread_cases[] = {
	KUNIT_CASE(a_thread_can_be_waited_for),
	KUNIT_CASE(a_handle_that_is_none_is_told),
	KUNIT_CASE(a_thread_needs_nobody_to_wait_for_it),
	KUNIT_CASE(another_thread_is_not_ended),
	KUNIT_CASE(a_thread_may_be_urgent),
	KUNIT_CASE(a_thread_without_memory_is_none),
	{}
};

static struct kunit_suite nt_thread_suite = {
	.name = "kmcl_nt_thread",
	.test_cases = nt_thread_cases,
};

kunit_test_suite(nt_thread_suite);
