// SPDX-License-Identifier: GPL-2.0
/* KMDF's locks, memory, lookaside lists, collections and strings. */
#include <linux/kthread.h>
#include <linux/string.h>

#include "wdf_driver.h"

static void loaded(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);

	wdf_case_load(c);
	KUNIT_ASSERT_EQ(test, c->error, 0);
}

/* Two of one kind may be held at once, where they come from two places. */
static void spin_locks_raise_the_level(struct kunit *test)
{
	WDFSPINLOCK outer, inner;
	KIRQL levels[2];

	loaded(test);
	ASSERT_STATUS(test, WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &outer), STATUS_SUCCESS);
	ASSERT_STATUS(test, WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &inner), STATUS_SUCCESS);
	WdfSpinLockAcquire(outer);
	levels[0] = KeGetCurrentIrql();
	WdfSpinLockAcquire(inner);
	WdfSpinLockRelease(inner);
	levels[1] = KeGetCurrentIrql();
	WdfSpinLockRelease(outer);
	KUNIT_EXPECT_EQ(test, levels[0], DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, levels[1], DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
}

struct waiter {
	WDFWAITLOCK lock;
	NTSTATUS status;
	bool has;
};

static int wait_for_lock(void *data)
{
	struct waiter *waiter = data;

	waiter->status = WdfWaitLockAcquire(waiter->lock, NULL);
	WRITE_ONCE(waiter->has, true);
	WdfWaitLockRelease(waiter->lock);
	while (!kthread_should_stop())
		usleep_range(1000, 1100);
	return 0;
}

static void a_wait_lock_is_waited_for(struct kunit *test)
{
	struct waiter waiter = {};
	struct task_struct *task;
	LONGLONG timeout = 0;

	loaded(test);
	ASSERT_STATUS(test, WdfWaitLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &waiter.lock),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, WdfWaitLockAcquire(waiter.lock, &timeout), STATUS_SUCCESS);
	EXPECT_STATUS(test, WdfWaitLockAcquire(waiter.lock, &timeout), STATUS_TIMEOUT);
	timeout = WDF_REL_TIMEOUT_IN_MS(5);
	EXPECT_STATUS(test, WdfWaitLockAcquire(waiter.lock, &timeout), STATUS_TIMEOUT);
	task = kthread_run(wait_for_lock, &waiter, "wdf_waiter");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	msleep(20);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(waiter.has));
	WdfWaitLockRelease(waiter.lock);
	EVENTUALLY(test, READ_ONCE(waiter.has));
	kthread_stop(task);
	EXPECT_STATUS(test, waiter.status, STATUS_SUCCESS);
	EXPECT_STATUS(test, WdfWaitLockAcquire((WDFWAITLOCK)WdfGetDriver(), NULL),
		      STATUS_INVALID_HANDLE);
}

static void memory_has_a_buffer(struct kunit *test)
{
	u8 mine[16] = "0123456789abcde", copy[16];
	WDFMEMORY memory, other;
	size_t size = 0;
	PVOID buffer;

	loaded(test);
	EXPECT_STATUS(test, WdfMemoryCreate(NULL, NonPagedPoolNx, 1, 0, &memory, NULL),
		      STATUS_INVALID_PARAMETER);
	ASSERT_STATUS(test, WdfMemoryCreate(NULL, NonPagedPoolNx, 1, 100000, &memory, &buffer),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, WdfMemoryGetBuffer(memory, &size), buffer);
	KUNIT_EXPECT_EQ(test, size, 100000);
	memset(buffer, 1, size);

	EXPECT_STATUS(test, WdfMemoryCopyFromBuffer(memory, 99984, mine, 16), STATUS_SUCCESS);
	EXPECT_STATUS(test, WdfMemoryCopyFromBuffer(memory, 99985, mine, 16),
		      STATUS_BUFFER_TOO_SMALL);
	EXPECT_STATUS(test, WdfMemoryCopyToBuffer(memory, 99984, copy, 16), STATUS_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, copy, mine, 16);
	EXPECT_STATUS(test, WdfMemoryCopyToBuffer(memory, 100001, copy, 1),
		      STATUS_BUFFER_TOO_SMALL);
	EXPECT_STATUS(test, WdfMemoryCopyToBuffer(memory, SIZE_MAX, copy, 16),
		      STATUS_BUFFER_TOO_SMALL);
	EXPECT_STATUS(test, WdfMemoryCopyToBuffer(memory, 0, copy, 0), STATUS_INVALID_PARAMETER);
	EXPECT_STATUS(test, WdfMemoryAssignBuffer(memory, mine, 16), STATUS_INVALID_PARAMETER);
	WdfObjectDelete(memory);

	/* The caller's own is not freed. */
	EXPECT_STATUS(test, WdfMemoryCreatePreallocated(NULL, NULL, 16, &other),
		      STATUS_INVALID_PARAMETER);
	ASSERT_STATUS(test, WdfMemoryCreatePreallocated(NULL, mine, 8, &other), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, WdfMemoryGetBuffer(other, &size), (PVOID)mine);
	KUNIT_EXPECT_EQ(test, size, 8);
	EXPECT_STATUS(test, WdfMemoryAssignBuffer(other, copy, 16), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, WdfMemoryGetBuffer(other, NULL), (PVOID)copy);
	WdfObjectDelete(other);
}

static void a_lookaside_list_makes_memory_that_outlives_it(struct kunit *test)
{
	WDFLOOKASIDE list;
	WDFMEMORY memory;
	size_t size;

	loaded(test);
	EXPECT_STATUS(test, WdfLookasideListCreate(NULL, 0, NonPagedPoolNx, NULL, 1, &list),
		      STATUS_INVALID_PARAMETER);
	ASSERT_STATUS(test, WdfLookasideListCreate(NULL, 48, NonPagedPoolNx, NULL, 1, &list),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, WdfMemoryCreateFromLookaside(list, &memory), STATUS_SUCCESS);
	WdfObjectDelete(list);
	memset(WdfMemoryGetBuffer(memory, &size), 0, 48);
	KUNIT_EXPECT_EQ(test, size, 48);
	WdfObjectDelete(memory);
}

static void destroyed_count(WDFOBJECT object)
{
	++**(u32 **)WdfMemoryGetBuffer(object, NULL);
}

static void a_collection_holds_its_objects(struct kunit *test)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFCOLLECTION collection;
	u32 destroyed = 0, *count = &destroyed, i;
	WDFMEMORY items[3];

	loaded(test);
	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.EvtDestroyCallback = destroyed_count;
	ASSERT_STATUS(test, WdfCollectionCreate(NULL, &collection), STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, WdfCollectionGetFirstItem(collection));
	KUNIT_EXPECT_NULL(test, WdfCollectionGetLastItem(collection));
	for (i = 0; i < 3; i++) {
		ASSERT_STATUS(test, WdfMemoryCreatePreallocated(&attributes, &count,
								sizeof(count), &items[i]),
			      STATUS_SUCCESS);
		EXPECT_STATUS(test, WdfCollectionAdd(collection, items[i]), STATUS_SUCCESS);
	}
	EXPECT_STATUS(test, WdfCollectionAdd(collection, items[0]), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, WdfCollectionGetCount(collection), 4);
	KUNIT_EXPECT_PTR_EQ(test, WdfCollectionGetItem(collection, 1), (WDFOBJECT)items[1]);
	KUNIT_EXPECT_NULL(test, WdfCollectionGetItem(collection, 4));
	KUNIT_EXPECT_PTR_EQ(test, WdfCollectionGetLastItem(collection), (WDFOBJECT)items[0]);
	/* The first of that object, and the first. */
	WdfCollectionRemove(collection, items[0]);
	KUNIT_EXPECT_PTR_EQ(test, WdfCollectionGetFirstItem(collection), (WDFOBJECT)items[1]);
	WdfCollectionRemoveItem(collection, 0);
	WdfCollectionRemoveItem(collection, 9);
	KUNIT_EXPECT_EQ(test, WdfCollectionGetCount(collection), 2);

	for (i = 0; i < 3; i++)
		WdfObjectDelete(items[i]);
	KUNIT_EXPECT_EQ(test, destroyed, 1);
	WdfObjectDelete(collection);
	KUNIT_EXPECT_EQ(test, destroyed, 3);
}

static void a_string_is_a_copy(struct kunit *test)
{
	DECLARE_CONST_UNICODE_STRING(text, L"a string");
	UNICODE_STRING copy;
	WDFSTRING string;

	loaded(test);
	ASSERT_STATUS(test, WdfStringCreate(&text, NULL, &string), STATUS_SUCCESS);
	WdfStringGetUnicodeString(string, &copy);
	KUNIT_EXPECT_TRUE(test, RtlEqualUnicodeString(&copy, &text, FALSE));
	KUNIT_EXPECT_PTR_NE(test, copy.Buffer, text.Buffer);
	KUNIT_EXPECT_EQ(test, copy.Buffer[copy.Length / sizeof(WCHAR)], 0);
	WdfObjectDelete(string);
	ASSERT_STATUS(test, WdfStringCreate(NULL, NULL, &string), STATUS_SUCCESS);
	WdfStringGetUnicodeString(string, &copy);
	KUNIT_EXPECT_EQ(test, copy.Length, 0);
}

static struct kunit_case wdf_memory_cases[] = {
	KUNIT_CASE(spin_locks_raise_the_level),
	KUNIT_CASE(a_wait_lock_is_waited_for),
	KUNIT_CASE(memory_has_a_buffer),
	KUNIT_CASE(a_lookaside_list_makes_memory_that_outlives_it),
	KUNIT_CASE(a_collection_holds_its_objects),
	KUNIT_CASE(a_string_is_a_copy),
	{}
};

static struct kunit_suite wdf_memory_suite = {
	.name = "wdf_memory",
	.test_cases = wdf_memory_cases,
};

kunit_test_suite(wdf_memory_suite);
