// SPDX-License-Identifier: GPL-2.0
/* Work items that nt_test.c has not: in memory of the driver's, and told to their routine. */
#include <kunit/test.h>
#include <linux/slab.h>

#include "nt_thread.h"

struct job {
	WORK_QUEUE_ITEM item;
	KEVENT done;
	KIRQL level;
	int again;
};

static VOID job_fn(PVOID context)
{
	struct job *job = context;

	job->level = KeGetCurrentIrql();
	if (job->again--)
		ExQueueWorkItem(&job->item, DelayedWorkQueue);
	else
		KeSetEvent(&job->done, IO_NO_INCREMENT, FALSE);
}

static VOID job_free(PVOID context)
{
	kfree(context);
}

static void a_work_item_may_lie_in_its_drivers_memory(struct kunit *test)
{
	struct job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, job);
	KeInitializeEvent(&job->done, NotificationEvent, FALSE);
	job->level = HIGH_LEVEL;
	job->again = 3;
	ExInitializeWorkItem(&job->item, job_fn, job);
	ExQueueWorkItem(&job->item, DelayedWorkQueue);
	EXPECT_STATUS(test, wait_for(&job->done, EVER), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, job->again, -1);
	KUNIT_EXPECT_EQ(test, job->level, PASSIVE_LEVEL);

	/* Freed by its routine: kmemleak and KASAN have no complaint. */
	for (i = 0; i < 100; i++) {
		job = kmalloc(sizeof(*job), GFP_KERNEL);
		if (!job)
			break;
		ExInitializeWorkItem(&job->item, job_free, job);
		ExQueueWorkItem(&job->item, CriticalWorkQueue);
	}
	linux_flush_work_items();
	KUNIT_EXPECT_EQ(test, i, 100);
}

struct told {
	PIO_WORKITEM item;
	PVOID object, context;
};

static VOID told_fn(PVOID object, PVOID context, PIO_WORKITEM item)
{
	struct told *told = context;

	told->item = item;
	told->object = object;
	told->context = context;
}

static void a_routine_is_told_of_its_work_item(struct kunit *test)
{
	struct told told = {};
	PIO_WORKITEM item = IoAllocateWorkItem((PDEVICE_OBJECT)test);

	KUNIT_ASSERT_NOT_NULL(test, item);
	IoQueueWorkItemEx(item, told_fn, DelayedWorkQueue, &told);
	linux_flush_work_items();
	KUNIT_EXPECT_PTR_EQ(test, told.item, item);
	KUNIT_EXPECT_PTR_EQ(test, told.object, (PVOID)test);
	KUNIT_EXPECT_PTR_EQ(test, told.context, (PVOID)&told);
	IoFreeWorkItem(item);

	item = kunit_kzalloc(test, IoSizeofWorkItem(), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, item);
	told = (struct told) {};
	IoInitializeWorkItem(&told, item);
	IoQueueWorkItemEx(item, told_fn, DelayedWorkQueue, &told);
	linux_flush_work_items();
	KUNIT_EXPECT_PTR_EQ(test, told.item, item);
	KUNIT_EXPECT_PTR_EQ(test, told.object, (PVOID)&told);
	IoUninitializeWorkItem(item);
}

static struct kunit_case nt_work_cases[] = {
	KUNIT_CASE(a_work_item_may_lie_in_its_drivers_memory),
	KUNIT_CASE(a_routine_is_told_of_its_work_item),
	{}
};

static struct kunit_suite nt_work_suite = {
	.name = "kmcl_nt_work",
	.test_cases = nt_work_cases,
};

kunit_test_suite(nt_work_suite);
