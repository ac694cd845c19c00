// SPDX-License-Identifier: GPL-2.0
/*
 * The NT words that keep others out, or wait until they are: resources, guarded mutexes,
 * rundown protection, remove locks, spin locks and lists with one.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/fault-inject.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "eventually.h"
#include "nt_thread.h"

#define ROUNDS	2000
#define THREADS	6

/* Threads that all do the same, each with a number of its own. */
struct crew {
	VOID (*work)(struct crew *crew, int number);
	void *context;
	PVOID threads[THREADS];
	atomic_t number;
	atomic_t arrived;
	atomic_t failures;
	KEVENT go;
};

static VOID crew_fn(PVOID context)
{
	struct crew *crew = context;

	crew->work(crew, atomic_inc_return(&crew->number) - 1);
}

static struct crew *crew_start(struct kunit *test, int threads,
			       VOID (*work)(struct crew *crew, int number), void *context)
{
	struct crew *crew = kunit_kzalloc(test, sizeof(*crew), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, crew);
	crew->work = work;
	crew->context = context;
	KeInitializeEvent(&crew->go, NotificationEvent, FALSE);
	for (i = 0; i < threads; i++)
		crew->threads[i] = thread_start(test, crew_fn, crew);
	return crew;
}

static void crew_join(struct kunit *test, struct crew *crew)
{
	int i;

	for (i = 0; i < THREADS && crew->threads[i]; i++)
		thread_join(test, crew->threads[i]);
	KUNIT_EXPECT_EQ(test, atomic_read(&crew->failures), 0);
}

static void crew_wait(struct crew *crew)
{
	atomic_inc(&crew->arrived);
	KeWaitForSingleObject(&crew->go, Executive, KernelMode, FALSE, NULL);
}

/* Resources */

static void a_resource_is_its_threads_as_often_as_it_got_it(struct kunit *test)
{
	ERESOURCE resource;

	EXPECT_STATUS(test, ExInitializeResourceLite(&resource), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ExIsResourceAcquiredSharedLite(&resource), 0);
	KUNIT_EXPECT_EQ(test, ExAcquireResourceExclusiveLite(&resource, TRUE), TRUE);
	KUNIT_EXPECT_EQ(test, ExAcquireResourceExclusiveLite(&resource, TRUE), TRUE);
	KUNIT_EXPECT_EQ(test, ExAcquireResourceSharedLite(&resource, TRUE), TRUE);
	KUNIT_EXPECT_EQ(test, ExIsResourceAcquiredExclusiveLite(&resource), TRUE);
	KUNIT_EXPECT_EQ(test, ExIsResourceAcquiredSharedLite(&resource), 3);
	ExReleaseResourceLite(&resource);
	ExReleaseResourceLite(&resource);
	KUNIT_EXPECT_EQ(test, ExIsResourceAcquiredExclusiveLite(&resource), TRUE);
	ExConvertExclusiveToSharedLite(&resource);
	KUNIT_EXPECT_EQ(test, ExIsResourceAcquiredExclusiveLite(&resource), FALSE);
	KUNIT_EXPECT_EQ(test, ExAcquireResourceSharedLite(&resource, FALSE), TRUE);
	/* It cannot get it alone while it shares it. */
	KUNIT_EXPECT_EQ(test, ExAcquireResourceExclusiveLite(&resource, FALSE), FALSE);
	ExReleaseResourceLite(&resource);
	ExReleaseResourceLite(&resource);
	KUNIT_EXPECT_EQ(test, ExIsResourceAcquiredSharedLite(&resource), 0);
	/* Nothing, with a line in the log. */
	ExReleaseResourceLite(&resource);
	KUNIT_EXPECT_EQ(test, ExAcquireResourceExclusiveLite(&resource, FALSE), TRUE);
	ExReleaseResourceLite(&resource);
	EXPECT_STATUS(test, ExDeleteResourceLite(&resource), STATUS_SUCCESS);
}

static VOID share_fn(struct crew *crew, int number)
{
	ERESOURCE *resource = crew->context;

	if (!ExAcquireResourceSharedLite(resource, TRUE))
		atomic_inc(&crew->failures);
	crew_wait(crew);
	/* Though one waits to have it alone by now. */
	if (!ExAcquireResourceSharedLite(resource, TRUE) ||
	    ExIsResourceAcquiredSharedLite(resource) != 2 ||
	    ExIsResourceAcquiredExclusiveLite(resource))
		atomic_inc(&crew->failures);
	ExReleaseResourceLite(resource);
	ExReleaseResourceLite(resource);
}

static VOID alone_fn(struct crew *crew, int number)
{
	ERESOURCE *resource = crew->context;

	if (ExAcquireResourceExclusiveLite(resource, FALSE))
		atomic_inc(&crew->failures);
	atomic_inc(&crew->arrived);
	ExAcquireResourceExclusiveLite(resource, TRUE);
	if (!ExIsResourceAcquiredExclusiveLite(resource))
		atomic_inc(&crew->failures);
	ExReleaseResourceLite(resource);
}

static void many_share_a_resource_until_one_has_it_alone(struct kunit *test)
{
	ERESOURCE resource;
	struct crew *sharing, *alone;

	ExInitializeResourceLite(&resource);
	/* More than have room in the resource itself. */
	sharing = crew_start(test, THREADS, share_fn, &resource);
	EVENTUALLY(test, atomic_read(&sharing->arrived) == THREADS);
	alone = crew_start(test, 1, alone_fn, &resource);
	EVENTUALLY(test, atomic_read(&alone->arrived) == 1);
	EVENTUALLY(test, rwsem_is_contended(&resource.Semaphore));
	KeSetEvent(&sharing->go, IO_NO_INCREMENT, FALSE);
	crew_join(test, sharing);
	crew_join(test, alone);
	KUNIT_EXPECT_EQ(test, ExAcquireResourceExclusiveLite(&resource, FALSE), TRUE);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&resource.Owners));
	ExReleaseResourceLite(&resource);
}

struct guarded {
	ERESOURCE resource;
	int value;		/* guarded by it */
};

static VOID guarded_fn(struct crew *crew, int number)
{
	struct guarded *guarded = crew->context;
	int i, value;

	for (i = 0; i < ROUNDS; i++) {
		if ((i + number) % 4) {
			ExAcquireResourceSharedLite(&guarded->resource, TRUE);
			value = READ_ONCE(guarded->value);
			if (i % 32 == 0)
				cond_resched();
			if (READ_ONCE(guarded->value) != value)
				atomic_inc(&crew->failures);
		} else {
			ExAcquireResourceExclusiveLite(&guarded->resource, TRUE);
			guarded->value++;
		}
		ExReleaseResourceLite(&guarded->resource);
	}
}

static void what_a_resource_guards_is_changed_by_one(struct kunit *test)
{
	struct guarded *guarded = kunit_kzalloc(test, sizeof(*guarded), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, guarded);
	ExInitializeResourceLite(&guarded->resource);
	crew_join(test, crew_start(test, THREADS, guarded_fn, guarded));
	KUNIT_EXPECT_EQ(test, guarded->value, THREADS * ROUNDS / 4);
}

#if IS_ENABLED(CONFIG_FAILSLAB)
/* The first that has no room in the resource gets no memory, and does not wait for it. */
static VOID scarce_fn(struct crew *crew, int number)
{
	ERESOURCE *resource = crew->context;
	bool scarce = number == NT_FEW_OWNERS;
	BOOLEAN acquired;

	while (atomic_read(&crew->arrived) < number)
		cond_resched();
	if (scarce)
		current->fail_nth = 1;
	acquired = ExAcquireResourceSharedLite(resource, !scarce);
	if (scarce && current->fail_nth)
		atomic_inc(&crew->failures);
	current->fail_nth = 0;
	/* The reserves may have had it. */
	crew_wait(crew);
	if (acquired)
		ExReleaseResourceLite(resource);
}

static void a_resource_without_memory_is_not_lost(struct kunit *test)
{
	struct crew *crew;
	ERESOURCE resource;

	ExInitializeResourceLite(&resource);
	crew = crew_start(test, THREADS, scarce_fn, &resource);
	EVENTUALLY(test, atomic_read(&crew->arrived) == THREADS);
	KeSetEvent(&crew->go, IO_NO_INCREMENT, FALSE);
	crew_join(test, crew);
	KUNIT_EXPECT_TRUE(test, list_empty(&resource.Owners));
	KUNIT_EXPECT_EQ(test, ExAcquireResourceExclusiveLite(&resource, FALSE), TRUE);
	ExReleaseResourceLite(&resource);
}
#else
static void a_resource_without_memory_is_not_lost(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAILSLAB");
}
#endif

/* Guarded mutexes */

struct tally {
	KGUARDED_MUTEX mutex;
	int value;		/* guarded by it */
};

static VOID tally_fn(struct crew *crew, int number)
{
	struct tally *tally = crew->context;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (i % 3)
			KeAcquireGuardedMutex(&tally->mutex);
		else
			while (!KeTryToAcquireGuardedMutex(&tally->mutex))
				cond_resched();
		tally->value++;
		KeReleaseGuardedMutex(&tally->mutex);
	}
}

static void a_guarded_mutex_has_one_owner(struct kunit *test)
{
	struct tally *tally = kunit_kzalloc(test, sizeof(*tally), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tally);
	KeInitializeGuardedMutex(&tally->mutex);
	crew_join(test, crew_start(test, 3, tally_fn, tally));
	KUNIT_EXPECT_EQ(test, tally->value, 3 * ROUNDS);
}

/* Rundown protection and remove locks */

static void what_is_run_down_is_held_by_no_one(struct kunit *test)
{
	EX_RUNDOWN_REF rundown;

	ExInitializeRundownProtection(&rundown);
	KUNIT_EXPECT_EQ(test, ExAcquireRundownProtection(&rundown), TRUE);
	KUNIT_EXPECT_EQ(test, ExAcquireRundownProtectionEx(&rundown, 3), TRUE);
	ExReleaseRundownProtectionEx(&rundown, 2);
	ExReleaseRundownProtection(&rundown);
	ExReleaseRundownProtection(&rundown);
	ExWaitForRundownProtectionRelease(&rundown);
	ExWaitForRundownProtectionRelease(&rundown);
	KUNIT_EXPECT_EQ(test, ExAcquireRundownProtection(&rundown), FALSE);
	ExRundownCompleted(&rundown);
	KUNIT_EXPECT_EQ(test, ExAcquireRundownProtectionEx(&rundown, 2), FALSE);
	ExReInitializeRundownProtection(&rundown);
	KUNIT_EXPECT_EQ(test, ExAcquireRundownProtection(&rundown), TRUE);
	ExReleaseRundownProtection(&rundown);
}

static VOID removed_fn(struct crew *crew, int number)
{
	IO_REMOVE_LOCK *lock = crew->context;

	if (IoAcquireRemoveLock(lock, crew))
		atomic_inc(&crew->failures);
	crew_wait(crew);
	IoReleaseRemoveLock(lock, crew);
}

static VOID remover_fn(struct crew *crew, int number)
{
	IO_REMOVE_LOCK *lock = crew->context;

	if (IoAcquireRemoveLock(lock, NULL))
		atomic_inc(&crew->failures);
	atomic_inc(&crew->arrived);
	IoReleaseRemoveLockAndWait(lock, NULL);
	atomic_inc(&crew->arrived);
}

static bool is_removed(IO_REMOVE_LOCK *lock)
{
	if (IoAcquireRemoveLock(lock, NULL) == STATUS_DELETE_PENDING)
		return true;
	IoReleaseRemoveLock(lock, NULL);
	return false;
}

static void a_remove_lock_waits_for_those_that_hold_it(struct kunit *test)
{
	struct crew *holding, *removing;
	IO_REMOVE_LOCK lock;

	IoInitializeRemoveLock(&lock, 0x4b547374, 0, 0);
	holding = crew_start(test, 2, removed_fn, &lock);
	EVENTUALLY(test, atomic_read(&holding->arrived) == 2);
	removing = crew_start(test, 1, remover_fn, &lock);
	EVENTUALLY(test, is_removed(&lock));
	msleep(30);
	KUNIT_EXPECT_EQ(test, atomic_read(&removing->arrived), 1);
	KeSetEvent(&holding->go, IO_NO_INCREMENT, FALSE);
	crew_join(test, removing);
	KUNIT_EXPECT_EQ(test, atomic_read(&removing->arrived), 2);
	crew_join(test, holding);
	EXPECT_STATUS(test, IoAcquireRemoveLock(&lock, NULL), STATUS_DELETE_PENDING);
}

/* Where another thread finds what is to be held; it holds it before it is told to go on. */
struct fleeting {
	EX_RUNDOWN_REF *rundown;
	bool stop;
};

static VOID fleeting_fn(struct crew *crew, int number)
{
	struct fleeting *fleeting = crew->context;

	while (!READ_ONCE(fleeting->stop)) {
		EX_RUNDOWN_REF *rundown = xchg(&fleeting->rundown, NULL);

		if (rundown)
			ExReleaseRundownProtection(rundown);
		else
			cond_resched();
	}
}

static void it_may_be_freed_as_soon_as_it_is_run_down(struct kunit *test)
{
	struct fleeting fleeting = {};
	struct crew *crew = crew_start(test, 1, fleeting_fn, &fleeting);
	int i;

	/* KASAN sees a holder that touches it afterwards. */
	for (i = 0; i < ROUNDS; i++) {
		EX_RUNDOWN_REF *rundown = kmalloc(sizeof(*rundown), GFP_KERNEL);

		if (!rundown)
			break;
		ExInitializeRundownProtection(rundown);
		ExAcquireRundownProtection(rundown);
		xchg(&fleeting.rundown, rundown);
		if (i & 1)
			udelay(1);
		ExWaitForRundownProtectionRelease(rundown);
		memset(rundown, 0xff, sizeof(*rundown));
		kfree(rundown);
	}
	WRITE_ONCE(fleeting.stop, true);
	crew_join(test, crew);
	KUNIT_EXPECT_EQ(test, i, ROUNDS);
}

/* Spin locks, and lists with one */

struct record {
	LIST_ENTRY entry;
	int number;
};

struct queue {
	LIST_ENTRY head;
	KSPIN_LOCK lock;
	atomic_t taken;
	struct record *records;
};

static VOID queue_fn(struct crew *crew, int number)
{
	struct queue *queue = crew->context;
	int i;

	for (i = 0; i < 500; i++) {
		struct record *record = &queue->records[number * 500 + i];

		if (i & 1)
			ExInterlockedInsertTailList(&queue->head, &record->entry, &queue->lock);
		else
			ExInterlockedInsertHeadList(&queue->head, &record->entry, &queue->lock);
		if (i % 3 == 0 && ExInterlockedRemoveHeadList(&queue->head, &queue->lock))
			atomic_inc(&queue->taken);
	}
}

static void a_locked_list_loses_no_entry(struct kunit *test)
{
	struct queue *queue = kunit_kzalloc(test, sizeof(*queue), GFP_KERNEL);
	LIST_ENTRY a, b, c;

	KUNIT_ASSERT_NOT_NULL(test, queue);
	queue->records = kunit_kzalloc(test, sizeof(*queue->records) * 3 * 500, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, queue->records);
	InitializeListHead(&queue->head);
	KeInitializeSpinLock(&queue->lock);
	KUNIT_EXPECT_NULL(test, ExInterlockedRemoveHeadList(&queue->head, &queue->lock));
	KUNIT_EXPECT_NULL(test, ExInterlockedInsertTailList(&queue->head, &a, &queue->lock));
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedInsertTailList(&queue->head, &b, &queue->lock), &a);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedInsertHeadList(&queue->head, &c, &queue->lock), &a);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedRemoveHeadList(&queue->head, &queue->lock), &c);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedRemoveHeadList(&queue->head, &queue->lock), &a);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedRemoveHeadList(&queue->head, &queue->lock), &b);
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&queue->head));

	crew_join(test, crew_start(test, 3, queue_fn, queue));
	while (ExInterlockedRemoveHeadList(&queue->head, &queue->lock))
		atomic_inc(&queue->taken);
	KUNIT_EXPECT_EQ(test, atomic_read(&queue->taken), 3 * 500);
}

static void a_spin_lock_is_taken_and_tried(struct kunit *test)
{
	bool taken = false, again = false;
	KIRQL old, within, after;
	KSPIN_LOCK lock;

	KeInitializeSpinLock(&lock);
	old = KeAcquireSpinLockRaiseToDpc(&lock);
	within = KeGetCurrentIrql();
	if (KeTryToAcquireSpinLockAtDpcLevel(&lock)) {
		again = true;
		KeReleaseSpinLockFromDpcLevel(&lock);
	}
	KeReleaseSpinLockFromDpcLevel(&lock);
	if (KeTryToAcquireSpinLockAtDpcLevel(&lock)) {
		taken = true;
		KeReleaseSpinLockFromDpcLevel(&lock);
	}
	KeLowerIrql(old);
	after = KeGetCurrentIrql();
	KUNIT_EXPECT_EQ(test, old, PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, within, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, after, PASSIVE_LEVEL);
	KUNIT_EXPECT_FALSE(test, again);
	KUNIT_EXPECT_TRUE(test, taken);
}

static struct kunit_case nt_lock_cases[] = {
	KUNIT_CASE(a_resource_is_its_threads_as_often_as_it_got_it),
	KUNIT_CASE(many_share_a_resource_until_one_has_it_alone),
	KUNIT_CASE(what_a_resource_guards_is_changed_by_one),
	KUNIT_CASE(a_resource_without_memory_is_not_lost),
	KUNIT_CASE(a_guarded_mutex_has_one_owner),
	KUNIT_CASE(what_is_run_down_is_held_by_no_one),
	KUNIT_CASE(a_remove_lock_waits_for_those_that_hold_it),
	KUNIT_CASE(it_may_be_freed_as_soon_as_it_is_run_down),
	KUNIT_CASE(a_locked_list_loses_no_entry),
	KUNIT_CASE(a_spin_lock_is_taken_and_tried),
	{}
};

static struct kunit_suite nt_lock_suite = {
	.name = "kmcl_nt_lock",
	.test_cases = nt_lock_cases,
};

kunit_test_suite(nt_lock_suite);
