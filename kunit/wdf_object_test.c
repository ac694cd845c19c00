// SPDX-License-Identifier: GPL-2.0
/*
 * Framework objects: contexts, the order in which they are cleaned up and destroyed,
 * references, where they are deleted.
 */
#include <linux/bottom_half.h>

#include "log.h"
#include "wdf_driver.h"

/* What the callbacks note: the object's name. */
typedef struct _MARK {
	struct wdf_case *c;
	char name;
	bool could_sleep;
} MARK;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(MARK, Mark)

typedef struct _SECOND_MARK {
	struct wdf_case *c;
	u64 numbers[3];
} SECOND_MARK;

WDF_DECLARE_CONTEXT_TYPE(SECOND_MARK)

/* The events of a tree, and of one of the driver's. */
#define CLEANED(a, b, c, d, e)							\
	"clean-" a " clean-" b " clean-" c " clean-" d " clean-" e		\
	" destroy-" a " destroy-" b " destroy-" c " destroy-" d " destroy-" e " "
#define UNLOADED(a, b, c)							\
	"unload clean-" a " clean-" b " clean-" c " driver-cleaned"		\
	" destroy-" a " destroy-" b " destroy-" c " "

static VOID mark_cleaned(WDFOBJECT object)
{
	Mark(object)->could_sleep = preemptible();
	wdf_case_note(Mark(object)->c, "clean-%c", Mark(object)->name);
}

static VOID mark_destroyed(WDFOBJECT object)
{
	wdf_case_note(Mark(object)->c, "destroy-%c", Mark(object)->name);
}

static void mark_attributes(WDF_OBJECT_ATTRIBUTES *attributes, WDFOBJECT parent)
{
	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(attributes, MARK);
	attributes->EvtCleanupCallback = mark_cleaned;
	attributes->EvtDestroyCallback = mark_destroyed;
	attributes->ParentObject = parent;
}

static WDFOBJECT mark_named(struct wdf_case *c, WDFOBJECT object, char name)
{
	Mark(object)->c = c;
	Mark(object)->name = name;
	return object;
}

static WDFOBJECT mark_create(struct wdf_case *c, WDFOBJECT parent, char name)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFOBJECT object = NULL;

	mark_attributes(&attributes, parent);
	ASSERT_STATUS(c->test, WdfObjectCreate(&attributes, &object), STATUS_SUCCESS);
	return mark_named(c, object, name);
}

/* The driver is loaded, without a device. */
static struct wdf_case *object_case(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);

	wdf_case_load(c);
	KUNIT_ASSERT_EQ(test, c->error, 0);
	return c;
}

static void children_are_cleaned_up_first_and_all_before_any_is_destroyed(struct kunit *test)
{
	struct wdf_case *c = object_case(test);
	WDFOBJECT p = mark_create(c, NULL, 'p');
	WDFOBJECT a = mark_create(c, p, 'a');
	WDFOBJECT b = mark_create(c, p, 'b');

	mark_create(c, a, 'x');
	mark_create(c, b, 'y');
	WdfObjectDelete(p);
	WDF_EVENTS(c, CLEANED("y", "x", "b", "a", "p"));
}

static void a_child_goes_alone(struct kunit *test)
{
	struct wdf_case *c = object_case(test);
	WDFOBJECT p = mark_create(c, NULL, 'p');
	WDFOBJECT a = mark_create(c, p, 'a');

	mark_create(c, a, 'x');
	WdfObjectDelete(a);
	WDF_EVENTS(c, "clean-x clean-a destroy-x destroy-a ");
	WdfObjectDelete(p);
	WDF_EVENTS(c, "clean-p destroy-p ");
}

static void a_reference_puts_off_the_end_of_an_object_only(struct kunit *test)
{
	struct wdf_case *c = object_case(test);
	WDFOBJECT p = mark_create(c, NULL, 'p');
	WDFOBJECT a = mark_create(c, p, 'a');

	WdfObjectReference(a);
	WdfObjectReferenceWithTag(a, p);
	WdfObjectDelete(p);
	WDF_EVENTS(c, "clean-a clean-p destroy-p ");
	/* Its context is still there. */
	KUNIT_EXPECT_EQ(test, Mark(a)->name, 'a');
	WdfObjectDereference(a);
	WDF_EVENTS(c, "");
	WdfObjectDereferenceWithTag(a, p);
	WDF_EVENTS(c, "destroy-a ");
}

static void what_is_left_goes_with_the_driver(struct kunit *test)
{
	struct wdf_case *c = object_case(test);
	WDFOBJECT p = mark_create(c, NULL, 'p');

	mark_create(c, p, 'a');
	mark_create(c, WdfGetDriver(), 'q');
	wdf_case_unload(c);
	WDF_EVENTS(c, UNLOADED("a", "q", "p"));
}

static void an_object_has_contexts_of_several_types(struct kunit *test)
{
	/* As another source file of the driver has it. */
	static const WDF_OBJECT_CONTEXT_TYPE_INFO again = {
		.Size = sizeof(again),
		.ContextName = "MARK",
		.ContextSize = sizeof(MARK),
	};
	struct wdf_case *c = object_case(test);
	WDFOBJECT p = mark_create(c, NULL, 'p');
	WDF_OBJECT_ATTRIBUTES attributes;
	PVOID second, third;

	KUNIT_EXPECT_NULL(test, WdfObjectGet_SECOND_MARK(p));
	KUNIT_EXPECT_NULL(test, WdfObjectGetTypedContext(p, SECOND_MARK));
	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, SECOND_MARK);
	attributes.EvtDestroyCallback = mark_destroyed;
	attributes.ContextSizeOverride = sizeof(SECOND_MARK) + 100;
	EXPECT_STATUS(test, WdfObjectAllocateContext(p, &attributes, &second), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, (PVOID)WdfObjectGet_SECOND_MARK(p), second);
	KUNIT_EXPECT_NULL(test, memchr_inv(second, 0, sizeof(SECOND_MARK) + 100));
	EXPECT_STATUS(test, WdfObjectAllocateContext(p, &attributes, &third),
		      STATUS_OBJECT_NAME_EXISTS);
	KUNIT_EXPECT_PTR_EQ(test, third, second);
	KUNIT_EXPECT_EQ(test, Mark(p)->name, 'p');
	KUNIT_EXPECT_PTR_EQ(test, WdfObjectGetTypedContextWorker(p, &again), (PVOID)Mark(p));
	KUNIT_EXPECT_PTR_EQ(test, WdfObjectContextGetObject(second), p);
	KUNIT_EXPECT_PTR_EQ(test, WdfObjectContextGetObject(Mark(p)), p);

	attributes.ContextSizeOverride = 1;
	EXPECT_STATUS(test, WdfObjectAllocateContext(p, &attributes, NULL),
		      STATUS_INVALID_PARAMETER);
	attributes.ContextTypeInfo = NULL;
	EXPECT_STATUS(test, WdfObjectAllocateContext(p, &attributes, NULL),
		      STATUS_INVALID_PARAMETER);
	/* Each context has callbacks of its own. */
	WdfObjectDelete(p);
	WDF_EVENTS(c, "clean-p destroy-p destroy-p ");
}

/* One that must not be cleaned up where the caller is. */
static void an_object_for_passive_level_is_deleted_there(struct kunit *test)
{
	struct wdf_case *c = object_case(test);
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFOBJECT p = mark_create(c, NULL, 'p');
	WDFOBJECT a;
	bool early;

	mark_attributes(&attributes, p);
	attributes.ExecutionLevel = WdfExecutionLevelPassive;
	ASSERT_STATUS(test, WdfObjectCreate(&attributes, &a), STATUS_SUCCESS);
	mark_named(c, a, 'a');
	/* Below it that is inherited. */
	WdfObjectReference(a);
	local_bh_disable();
	WdfObjectDelete(p);
	early = wdf_case_has(c, "");
	local_bh_enable();
	/* On PREEMPT_RT a worker may come in between. */
	KUNIT_EXPECT_TRUE(test, early || IS_ENABLED(CONFIG_PREEMPT_RT));
	WDF_EVENTS(c, "clean-a clean-p destroy-p ");
	KUNIT_EXPECT_TRUE(test, Mark(a)->could_sleep);
	WdfObjectDereference(a);
	WDF_EVENTS(c, "destroy-a ");

	/* Any other is deleted at once. */
	a = mark_create(c, NULL, 'b');
	local_bh_disable();
	WdfObjectDelete(a);
	early = wdf_case_has(c, "clean-b destroy-b ");
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, early);
	wdf_case_forget(c);
}

static NTSTATUS too_late;

static VOID makes_a_child(WDFOBJECT object)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFOBJECT child;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.ParentObject = object;
	too_late = WdfObjectCreate(&attributes, &child);
	/* It is being deleted: once is enough. */
	WdfObjectDelete(object);
}

static void what_is_being_deleted_has_no_more_children(struct kunit *test)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFOBJECT object;

	object_case(test);
	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.EvtCleanupCallback = makes_a_child;
	ASSERT_STATUS(test, WdfObjectCreate(&attributes, &object), STATUS_SUCCESS);
	too_late = STATUS_SUCCESS;
	WdfObjectDelete(object);
	EXPECT_STATUS(test, too_late, STATUS_DELETE_PENDING);
}

static void a_bad_handle_is_a_line_in_the_log(struct kunit *test)
{
	const char *another = "the handle of a plain object as that of a spin lock";
	struct wdf_case *c = object_case(test);
	struct kmsg_dump_iter mark = log_mark();
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFOBJECT p = mark_create(c, NULL, 'p');
	WDFOBJECT object;

	WdfSpinLockAcquire((WDFSPINLOCK)p);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, another), 1);
	WdfObjectDelete(NULL);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "the handle of no object"), 1);
	WdfObjectDelete(WdfGetDriver());
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "deletes a driver"), 1);
	KUNIT_EXPECT_NULL(test, WdfMemoryGetBuffer((WDFMEMORY)p, NULL));

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.Size--;
	EXPECT_STATUS(test, WdfObjectCreate(&attributes, &object), STATUS_INFO_LENGTH_MISMATCH);
	WdfObjectDelete(p);
	WDF_EVENTS(c, "clean-p destroy-p ");
}

/* What makes objects, each of which needs memory for that and for a context. */
enum maker {
	MAKES_OBJECT,
	MAKES_SPIN_LOCK,
	MAKES_WAIT_LOCK,
	MAKES_MEMORY,
	MAKES_PREALLOCATED,
	MAKES_LOOKASIDE,
	MAKES_FROM_LOOKASIDE,
	MAKES_COLLECTION,
	MAKES_STRING,
	MAKES_TIMER,
	MAKES_DPC,
	MAKES_WORK_ITEM,
	MAKERS,
};

static VOID never_called(void *object)
{
}

static VOID never_a_timer(WDFTIMER timer)
{
	never_called(timer);
}

static VOID never_a_dpc(WDFDPC dpc)
{
	never_called(dpc);
}

static VOID never_an_item(WDFWORKITEM item)
{
	never_called(item);
}

static NTSTATUS make(enum maker maker, WDF_OBJECT_ATTRIBUTES *attributes, WDFLOOKASIDE lookaside,
		     WDFOBJECT *object)
{
	DECLARE_CONST_UNICODE_STRING(text, L"text");
	static u8 buffer[64];
	WDF_WORKITEM_CONFIG item;
	WDF_TIMER_CONFIG timer;
	WDF_DPC_CONFIG dpc;

	switch (maker) {
	case MAKES_OBJECT:
		return WdfObjectCreate(attributes, object);
	case MAKES_SPIN_LOCK:
		return WdfSpinLockCreate(attributes, (WDFSPINLOCK *)object);
	case MAKES_WAIT_LOCK:
		return WdfWaitLockCreate(attributes, (WDFWAITLOCK *)object);
	case MAKES_MEMORY:
		return WdfMemoryCreate(attributes, NonPagedPoolNx, 1, 64, (WDFMEMORY *)object,
				       NULL);
	case MAKES_PREALLOCATED:
		return WdfMemoryCreatePreallocated(attributes, buffer, sizeof(buffer),
						   (WDFMEMORY *)object);
	case MAKES_LOOKASIDE:
		return WdfLookasideListCreate(attributes, 64, NonPagedPoolNx, attributes, 1,
					      (WDFLOOKASIDE *)object);
	case MAKES_FROM_LOOKASIDE:
		return WdfMemoryCreateFromLookaside(lookaside, (WDFMEMORY *)object);
	case MAKES_COLLECTION:
		return WdfCollectionCreate(attributes, (WDFCOLLECTION *)object);
	case MAKES_STRING:
		return WdfStringCreate(&text, attributes, (WDFSTRING *)object);
	case MAKES_TIMER:
		WDF_TIMER_CONFIG_INIT(&timer, never_a_timer);
		return WdfTimerCreate(&timer, attributes, (WDFTIMER *)object);
	case MAKES_DPC:
		WDF_DPC_CONFIG_INIT(&dpc, never_a_dpc);
		return WdfDpcCreate(&dpc, attributes, (WDFDPC *)object);
	default:
		WDF_WORKITEM_CONFIG_INIT(&item, never_an_item);
		return WdfWorkItemCreate(&item, attributes, (WDFWORKITEM *)object);
	}
}

/* At DISPATCH_LEVEL, where no allocation is tried twice. */
static void each_object_without_memory_is_a_status(struct kunit *test)
{
	/* Beside the object and its context: a buffer. */
	static const bool has_buffer[MAKERS] = {
		[MAKES_MEMORY] = true,
		[MAKES_FROM_LOOKASIDE] = true,
		[MAKES_STRING] = true,
	};
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFLOOKASIDE lookaside;
	enum maker maker;

	mark_attributes(&attributes, device);
	/* They would not know their name yet. */
	attributes.EvtCleanupCallback = NULL;
	attributes.EvtDestroyCallback = NULL;
	ASSERT_STATUS(test, WdfLookasideListCreate(&attributes, 64, NonPagedPoolNx, &attributes,
						   1, &lookaside), STATUS_SUCCESS);
	for (maker = 0; maker < MAKERS; maker++) {
		u32 nth = 0, failures = 0;
		bool hit;

		do {
			WDFOBJECT object = NULL;
			NTSTATUS status;

			local_bh_disable();
			hit = WITH_FAILURE(++nth, status = make(maker, &attributes, lookaside,
								&object));
			local_bh_enable();
			if (NT_SUCCESS(status)) {
				KUNIT_EXPECT_NOT_NULL(test, object);
				WdfObjectDelete(object);
				continue;
			}
			EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_EXPECT_NULL(test, object);
			failures++;
		} while (hit && nth < 100);
		KUNIT_EXPECT_EQ_MSG(test, failures, 2 + has_buffer[maker], "maker %d", maker);
	}
	WDF_EVENTS(c, "");
}

static void a_context_without_memory_is_a_status(struct kunit *test)
{
	struct wdf_case *c = object_case(test);
	WDFOBJECT p = mark_create(c, NULL, 'p');
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFCOLLECTION collection;
	NTSTATUS status;
	bool hit;

	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, SECOND_MARK);
	local_bh_disable();
	hit = WITH_FAILURE(1, status = WdfObjectAllocateContext(p, &attributes, NULL));
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, hit);
	EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);

	ASSERT_STATUS(test, WdfCollectionCreate(WDF_NO_OBJECT_ATTRIBUTES, &collection),
		      STATUS_SUCCESS);
	local_bh_disable();
	hit = WITH_FAILURE(1, status = WdfCollectionAdd(collection, p));
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, hit);
	EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
	WdfObjectDelete(collection);
	WdfObjectDelete(p);
	WDF_EVENTS(c, "clean-p destroy-p ");
}

static struct kunit_case wdf_object_cases[] = {
	KUNIT_CASE(children_are_cleaned_up_first_and_all_before_any_is_destroyed),
	KUNIT_CASE(a_child_goes_alone),
	KUNIT_CASE(a_reference_puts_off_the_end_of_an_object_only),
	KUNIT_CASE(what_is_left_goes_with_the_driver),
	KUNIT_CASE(an_object_has_contexts_of_several_types),
	KUNIT_CASE(an_object_for_passive_level_is_deleted_there),
	KUNIT_CASE(what_is_being_deleted_has_no_more_children),
	KUNIT_CASE(a_bad_handle_is_a_line_in_the_log),
	KUNIT_CASE(each_object_without_memory_is_a_status),
	KUNIT_CASE(a_context_without_memory_is_a_status),
	{}
};

static struct kunit_suite wdf_object_suite = {
	.name = "wdf_object",
	.test_cases = wdf_object_cases,
};

kunit_test_suite(wdf_object_suite);
