// SPDX-License-Identifier: GPL-2.0
/* What KMDF calls later: timers, DPCs, work items, and their turns. */
#include <linux/bottom_half.h>
#include <linux/ktime.h>

#include "log.h"
#include "wdf_driver.h"

/* Of a timer, a DPC or a work item: what its callback does, and how often it ran. */
typedef struct _CALLS {
	atomic_t calls;
	atomic_t inside;
	bool nested;
	bool slept;
	ktime_t at;
	u32 sleeps_ms;
	bool deletes;		/* itself */
	bool waits;		/* for itself */
	u32 again;		/* how often it has itself called again */
} CALLS;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(CALLS, Calls)

static atomic_t all_inside;

static void called(WDFOBJECT object)
{
	CALLS *calls = Calls(object);

	if (atomic_inc_return(&all_inside) != 1)
		calls->nested = true;
	calls->at = ktime_get();
	calls->slept = KeGetCurrentIrql() < DISPATCH_LEVEL;
	if (calls->sleeps_ms)
		msleep(calls->sleeps_ms);
	atomic_dec(&all_inside);
	atomic_inc(&calls->calls);
	if (calls->deletes)
		WdfObjectDelete(object);
}

static int calls_of(void *object)
{
	return atomic_read(&Calls(object)->calls);
}

static VOID timer_called(WDFTIMER timer)
{
	CALLS *calls = Calls(timer);

	if (calls->again) {
		calls->again--;
		WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_MS(1));
	}
	if (calls->waits)
		WdfTimerStop(timer, TRUE);
	called(timer);
}

static VOID dpc_called(WDFDPC dpc)
{
	called(dpc);
}

static VOID item_called(WDFWORKITEM item)
{
	CALLS *calls = Calls(item);

	if (calls->again) {
		calls->again--;
		WdfWorkItemEnqueue(item);
	}
	if (calls->waits)
		WdfWorkItemFlush(item);
	called(item);
}

static void calls_attributes(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT parent)
{
	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(attributes, CALLS);
	attributes->ParentObject = parent;
}

static WDFTIMER timer_create(struct kunit *test, WDFDEVICE device, u32 period, bool passive)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_TIMER_CONFIG config;
	WDFTIMER timer;

	WDF_TIMER_CONFIG_INIT_PERIODIC(&config, timer_called, period);
	calls_attributes(&attributes, device);
	if (passive)
		attributes.ExecutionLevel = WdfExecutionLevelPassive;
	ASSERT_STATUS(test, WdfTimerCreate(&config, &attributes, &timer), STATUS_SUCCESS);
	return timer;
}

static WDFDPC dpc_create(struct kunit *test, WDFDEVICE device)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_DPC_CONFIG config;
	WDFDPC dpc;

	WDF_DPC_CONFIG_INIT(&config, dpc_called);
	calls_attributes(&attributes, device);
	ASSERT_STATUS(test, WdfDpcCreate(&config, &attributes, &dpc), STATUS_SUCCESS);
	return dpc;
}

static WDFWORKITEM item_create(struct kunit *test, WDFDEVICE device)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_WORKITEM_CONFIG config;
	WDFWORKITEM item;

	WDF_WORKITEM_CONFIG_INIT(&config, item_called);
	calls_attributes(&attributes, device);
	ASSERT_STATUS(test, WdfWorkItemCreate(&config, &attributes, &item), STATUS_SUCCESS);
	return item;
}

static void a_timer_is_called_once_when_its_time_has_come(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	bool passive;

	for (passive = false;; passive = true) {
		WDFTIMER timer = timer_create(test, device, 0, passive);
		ktime_t begin = ktime_get();

		KUNIT_EXPECT_PTR_EQ(test, WdfTimerGetParentObject(timer), (WDFOBJECT)device);
		KUNIT_EXPECT_FALSE(test, WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_MS(20)));
		EVENTUALLY(test, calls_of(timer) == 1);
		KUNIT_EXPECT_GE(test, ktime_ms_delta(Calls(timer)->at, begin), 20);
		KUNIT_EXPECT_EQ(test, Calls(timer)->slept, passive);
		KUNIT_EXPECT_FALSE(test, WdfTimerStop(timer, TRUE));
		msleep(30);
		KUNIT_EXPECT_EQ(test, calls_of(timer), 1);
		WdfObjectDelete(timer);
		if (passive)
			break;
	}
}

static void a_timer_has_an_absolute_time(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFTIMER timer = timer_create(test, wdf_case_device(test, &c), 0, false);
	LARGE_INTEGER now;

	KeQuerySystemTimePrecise(&now);
	WdfTimerStart(timer, now.QuadPart + WDF_ABS_TIMEOUT_IN_MS(20));
	EVENTUALLY(test, calls_of(timer) == 1);
	/* Long past, or at once. */
	WdfTimerStart(timer, 1);
	EVENTUALLY(test, calls_of(timer) == 2);
	WdfTimerStart(timer, 0);
	EVENTUALLY(test, calls_of(timer) == 3);
	/* As good as never. */
	KUNIT_EXPECT_FALSE(test, WdfTimerStart(timer, S64_MIN + 1));
	KUNIT_EXPECT_TRUE(test, WdfTimerStart(timer, S64_MAX));
	KUNIT_EXPECT_TRUE(test, WdfTimerStop(timer, FALSE));
	KUNIT_EXPECT_EQ(test, calls_of(timer), 3);
}

static void a_timer_that_is_set_is_moved_or_stopped(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFTIMER timer = timer_create(test, wdf_case_device(test, &c), 0, false);

	KUNIT_EXPECT_FALSE(test, WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_SEC(1000)));
	KUNIT_EXPECT_TRUE(test, WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_US(1000)));
	EVENTUALLY(test, calls_of(timer) == 1);
	WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_SEC(1000));
	KUNIT_EXPECT_TRUE(test, WdfTimerStop(timer, FALSE));
	KUNIT_EXPECT_FALSE(test, WdfTimerStop(timer, TRUE));
	/* Its function may set it anew. */
	Calls(timer)->again = 2;
	WdfTimerStart(timer, 0);
	EVENTUALLY(test, calls_of(timer) == 4);
}

static void a_period_goes_on_until_it_is_stopped(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	bool passive;
	int calls;

	for (passive = false;; passive = true) {
		WDFTIMER timer = timer_create(test, device, 5, passive);

		WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_MS(1));
		EVENTUALLY(test, calls_of(timer) >= 3);
		KUNIT_EXPECT_TRUE(test, WdfTimerStop(timer, TRUE));
		calls = calls_of(timer);
		msleep(30);
		KUNIT_EXPECT_EQ(test, calls_of(timer), calls);
		/* One that runs goes with the device. */
		WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_MS(1));
		EVENTUALLY(test, calls_of(timer) > calls);
		if (passive)
			break;
	}
}

static void stopping_waits_for_the_function(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFTIMER timer = timer_create(test, wdf_case_device(test, &c), 0, true);

	Calls(timer)->sleeps_ms = 50;
	WdfTimerStart(timer, 0);
	EVENTUALLY(test, atomic_read(&all_inside) == 1);
	KUNIT_EXPECT_FALSE(test, WdfTimerStop(timer, TRUE));
	KUNIT_EXPECT_EQ(test, calls_of(timer), 1);
	/* And so does deleting. */
	WdfTimerStart(timer, 0);
	EVENTUALLY(test, atomic_read(&all_inside) == 1);
	WdfObjectReference(timer);
	WdfObjectDelete(timer);
	KUNIT_EXPECT_EQ(test, calls_of(timer), 2);
	KUNIT_EXPECT_FALSE(test, WdfTimerStart(timer, 0));
	msleep(20);
	KUNIT_EXPECT_EQ(test, calls_of(timer), 2);
	WdfObjectDereference(timer);
}

/* Later, for nobody can wait for it there. */
static void a_callback_deletes_its_object(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	WDFTIMER timers[] = {
		timer_create(test, device, 1, false),
		timer_create(test, device, 1, true),
	};
	WDFWORKITEM item = item_create(test, device);
	WDFDPC dpc = dpc_create(test, device);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(timers); i++) {
		WdfObjectReference(timers[i]);
		Calls(timers[i])->deletes = true;
		WdfTimerStart(timers[i], 0);
	}
	WdfObjectReference(item);
	Calls(item)->deletes = true;
	WdfWorkItemEnqueue(item);
	WdfObjectReference(dpc);
	Calls(dpc)->deletes = true;
	WdfDpcEnqueue(dpc);
	for (i = 0; i < ARRAY_SIZE(timers); i++)
		EVENTUALLY(test, calls_of(timers[i]) >= 1);
	EVENTUALLY(test, calls_of(item) == 1 && calls_of(dpc) == 1);
	/* No more, though they have a period, or are asked for. */
	WdfWorkItemEnqueue(item);
	KUNIT_EXPECT_FALSE(test, WdfDpcEnqueue(dpc));
	msleep(30);
	KUNIT_EXPECT_LE(test, calls_of(timers[0]), 2);
	KUNIT_EXPECT_EQ(test, calls_of(item), 1);
	KUNIT_EXPECT_EQ(test, calls_of(dpc), 1);
	for (i = 0; i < ARRAY_SIZE(timers); i++)
		WdfObjectDereference(timers[i]);
	WdfObjectDereference(item);
	WdfObjectDereference(dpc);
}

static void a_callback_that_waits_for_itself_is_told(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	struct kmsg_dump_iter mark = log_mark();
	WDFTIMER dispatch = timer_create(test, device, 0, false);
	WDFTIMER passive = timer_create(test, device, 0, true);
	WDFWORKITEM item = item_create(test, device);
	u32 told = 0;

	Calls(dispatch)->waits = true;
	Calls(passive)->waits = true;
	Calls(item)->waits = true;
	WdfTimerStart(dispatch, 0);
	WdfTimerStart(passive, 0);
	WdfWorkItemEnqueue(item);
	EVENTUALLY(test, calls_of(dispatch) == 1);
	EVENTUALLY(test, calls_of(passive) == 1);
	EVENTUALLY(test, calls_of(item) == 1);
	/* Each is counted as called before it waits. */
	EVENTUALLY(test, (told += log_lines(&mark, "waits for a ")) == 3);
}

static void a_timer_has_a_device_above_it(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_TIMER_CONFIG config;
	WDFOBJECT between;
	WDFTIMER timer;

	WDF_TIMER_CONFIG_INIT(&config, timer_called);
	EXPECT_STATUS(test, WdfTimerCreate(&config, WDF_NO_OBJECT_ATTRIBUTES, &timer),
		      STATUS_WDF_PARENT_NOT_SPECIFIED);
	calls_attributes(&attributes, WdfGetDriver());
	EXPECT_STATUS(test, WdfTimerCreate(&config, &attributes, &timer),
		      STATUS_INVALID_DEVICE_REQUEST);
	calls_attributes(&attributes, device);
	ASSERT_STATUS(test, WdfObjectCreate(&attributes, &between), STATUS_SUCCESS);
	calls_attributes(&attributes, between);
	ASSERT_STATUS(test, WdfTimerCreate(&config, &attributes, &timer), STATUS_SUCCESS);
	config.EvtTimerFunc = NULL;
	EXPECT_STATUS(test, WdfTimerCreate(&config, &attributes, &timer),
		      STATUS_INVALID_PARAMETER);
	config.Size = 1;
	EXPECT_STATUS(test, WdfTimerCreate(&config, &attributes, &timer),
		      STATUS_INFO_LENGTH_MISMATCH);
}

static void a_dpc_is_queued_once_and_can_be_cancelled(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	WDFDPC dpc = dpc_create(test, device);
	BOOLEAN queued[2], cancelled[2];

	KUNIT_EXPECT_PTR_EQ(test, WdfDpcGetParentObject(dpc), (WDFOBJECT)device);
	/* It cannot run on this processor, where it is queued, before they are on again. */
	local_bh_disable();
	queued[0] = WdfDpcEnqueue(dpc);
	queued[1] = WdfDpcEnqueue(dpc);
	cancelled[0] = WdfDpcCancel(dpc, FALSE);
	cancelled[1] = WdfDpcCancel(dpc, FALSE);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, queued[0]);
	KUNIT_EXPECT_FALSE(test, queued[1]);
	KUNIT_EXPECT_TRUE(test, cancelled[0]);
	KUNIT_EXPECT_FALSE(test, cancelled[1]);
	KUNIT_EXPECT_FALSE(test, WdfDpcCancel(dpc, TRUE));
	KUNIT_EXPECT_EQ(test, calls_of(dpc), 0);

	local_bh_disable();
	WdfDpcEnqueue(dpc);
	WdfDpcCancel(dpc, FALSE);
	queued[0] = WdfDpcEnqueue(dpc);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, queued[0]);
	EVENTUALLY(test, calls_of(dpc) == 1);
	KUNIT_EXPECT_FALSE(test, Calls(dpc)->slept);
}

static void a_work_item_is_flushed(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	WDFWORKITEM item = item_create(test, device);

	KUNIT_EXPECT_PTR_EQ(test, WdfWorkItemGetParentObject(item), (WDFOBJECT)device);
	WdfWorkItemFlush(item);
	KUNIT_EXPECT_EQ(test, calls_of(item), 0);
	Calls(item)->sleeps_ms = 20;
	WdfWorkItemEnqueue(item);
	WdfWorkItemFlush(item);
	KUNIT_EXPECT_EQ(test, calls_of(item), 1);
	KUNIT_EXPECT_TRUE(test, Calls(item)->slept);
	/* Queued anew while it runs, it runs once more. */
	Calls(item)->again = 1;
	WdfWorkItemEnqueue(item);
	EVENTUALLY(test, calls_of(item) == 3);
	/* What is queued still runs before the item is gone, what it asks for then does not. */
	Calls(item)->again = 100;
	WdfObjectReference(item);
	WdfWorkItemEnqueue(item);
	WdfObjectDelete(item);
	KUNIT_EXPECT_GE(test, calls_of(item), 4);
	KUNIT_EXPECT_LE(test, calls_of(item), 5);
	WdfObjectDereference(item);
}

/* Those of one device, where its scope is the device's. */
static void callbacks_take_turns(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFWORKITEM items[2];
	WDF_DPC_CONFIG config;
	WDFDEVICE device;
	WDFTIMER timer;
	WDFDPC dpc;
	u32 i;

	c->level = WdfExecutionLevelPassive;
	c->scope = WdfSynchronizationScopeDevice;
	device = wdf_case_device(test, &c);
	timer = timer_create(test, device, 0, true);
	Calls(timer)->sleeps_ms = 10;
	for (i = 0; i < 2; i++) {
		items[i] = item_create(test, device);
		Calls(items[i])->sleeps_ms = 10;
	}
	WdfObjectAcquireLock(device);
	for (i = 0; i < 2; i++)
		WdfWorkItemEnqueue(items[i]);
	WdfTimerStart(timer, 0);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&all_inside), 0);
	WdfObjectReleaseLock(device);
	EVENTUALLY(test, calls_of(items[0]) && calls_of(items[1]) && calls_of(timer));
	KUNIT_EXPECT_FALSE(test, Calls(items[0])->nested);
	KUNIT_EXPECT_FALSE(test, Calls(items[1])->nested);
	KUNIT_EXPECT_FALSE(test, Calls(timer)->nested);

	/* A DPC cannot wait for them. */
	WDF_DPC_CONFIG_INIT(&config, dpc_called);
	calls_attributes(&attributes, device);
	EXPECT_STATUS(test, WdfDpcCreate(&config, &attributes, &dpc),
		      STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL);
	config.AutomaticSerialization = FALSE;
	EXPECT_STATUS(test, WdfDpcCreate(&config, &attributes, &dpc), STATUS_SUCCESS);
}

static void callbacks_at_dispatch_level_take_turns(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_WORKITEM_CONFIG config;
	WDFWORKITEM item;
	WDFDEVICE device;
	WDFTIMER timer;
	WDFDPC dpc;
	KIRQL level;
	int calls;

	c->scope = WdfSynchronizationScopeDevice;
	device = wdf_case_device(test, &c);
	dpc = dpc_create(test, device);
	timer = timer_create(test, device, 0, false);
	WdfTimerStart(timer, WDF_REL_TIMEOUT_IN_MS(1));
	WdfObjectAcquireLock(device);
	level = KeGetCurrentIrql();
	WdfDpcEnqueue(dpc);
	mdelay(20);
	calls = calls_of(dpc) + calls_of(timer);
	WdfObjectReleaseLock(device);
	KUNIT_EXPECT_EQ(test, level, DISPATCH_LEVEL);
	KUNIT_EXPECT_EQ(test, calls, 0);
	EVENTUALLY(test, calls_of(dpc) == 1 && calls_of(timer) == 1);

	WDF_WORKITEM_CONFIG_INIT(&config, item_called);
	calls_attributes(&attributes, device);
	EXPECT_STATUS(test, WdfWorkItemCreate(&config, &attributes, &item),
		      STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL);
}

static struct kunit_case wdf_timer_cases[] = {
	KUNIT_CASE(a_timer_is_called_once_when_its_time_has_come),
	KUNIT_CASE(a_timer_has_an_absolute_time),
	KUNIT_CASE(a_timer_that_is_set_is_moved_or_stopped),
	KUNIT_CASE(a_period_goes_on_until_it_is_stopped),
	KUNIT_CASE(stopping_waits_for_the_function),
	KUNIT_CASE(a_callback_deletes_its_object),
	KUNIT_CASE(a_callback_that_waits_for_itself_is_told),
	KUNIT_CASE(a_timer_has_a_device_above_it),
	KUNIT_CASE(a_dpc_is_queued_once_and_can_be_cancelled),
	KUNIT_CASE(a_work_item_is_flushed),
	KUNIT_CASE(callbacks_take_turns),
	KUNIT_CASE(callbacks_at_dispatch_level_take_turns),
	{}
};

static struct kunit_suite wdf_timer_suite = {
	.name = "wdf_timer",
	.test_cases = wdf_timer_cases,
};

kunit_test_suite(wdf_timer_suite);
