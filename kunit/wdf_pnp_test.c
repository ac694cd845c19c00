// SPDX-License-Identifier: GPL-2.0
/*
 * KMDF drivers and their devices: DriverEntry to unload, over servers on loopback that
 * come and go.
 */
#include <linux/workqueue.h>

#include "../core/sleep.h"
#include "pair.h"
#include "wdf_driver.h"

static void a_device_starts_and_goes_with_its_driver(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);
	PDEVICE_OBJECT object = WdfDeviceWdmGetDeviceObject(device);

	KUNIT_EXPECT_PTR_EQ(test, WdfDeviceGetDriver(device), WdfGetDriver());
	KUNIT_EXPECT_PTR_EQ(test, WdfWdmDeviceGetWdfDeviceHandle(object), device);
	wdf_case_unload(c);
	WDF_EVENTS(c, WDF_GOES(1) WDF_UNLOADS);
}

static void a_device_that_comes_later_is_added(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	struct client *server = wdf_case_offer(c, 1);

	wdf_case_load(c);
	KUNIT_ASSERT_EQ(test, c->error, 0);
	WDF_EVENTS(c, "");
	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	WDF_EVENTS(c, WDF_STARTS(1));
	wdf_case_unload(c);
	WDF_EVENTS(c, WDF_GOES(1) WDF_UNLOADS);
}

static void one_that_is_rescinded_goes_and_comes_back_as_another(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	struct client *server = wdf_case_offer(c, 1);
	u32 i;

	c->opens = true;
	wdf_case_load(c);
	KUNIT_ASSERT_EQ(test, c->error, 0);
	for (i = 0; i < 3; i++) {
		u32 seen = client_events(server);

		ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
		VmbChannelStart(server->channel);
		WDF_EVENTS(c, WDF_STARTS(1));
		EVENTUALLY(test, client_events(server) >= seen + 3);
		VmbChannelDisable(server->channel);
		WDF_EVENTS(c, "surprise1 " WDF_GOES(1));
	}
	wdf_case_unload(c);
	WDF_EVENTS(c, WDF_UNLOADS);
}

/* Each has its own offer, and gets what is sent there. */
static void two_devices_of_a_class_have_a_channel_each(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	struct client *servers[2];
	u32 i;

	c->opens = true;
	/* Not in the order in which their channels would wait. */
	for (i = 0; i < 2; i++) {
		servers[i] = wdf_case_offer(c, 2 - i);
		ASSERT_STATUS(test, VmbChannelEnable(servers[i]->channel), STATUS_SUCCESS);
		VmbChannelStart(servers[i]->channel);
	}
	wdf_case_load(c);
	KUNIT_ASSERT_EQ(test, c->error, 0);
	for (i = 0; i < 2; i++) {
		EVENTUALLY(test, client_events(servers[i]) >= 3);
		pair_send(servers[i], 100 + 2 - i, 64);
	}
	for (i = 1; i <= 2; i++) {
		WDF_CASE_DEVICE *device;

		KUNIT_ASSERT_NOT_NULL(test, READ_ONCE(c->devices[i]));
		device = WdfCaseDevice(c->devices[i]);
		EVENTUALLY(test, atomic_read(&device->packets) == 1);
		KUNIT_EXPECT_EQ(test, device->first, 100 + i);
		KUNIT_EXPECT_EQ(test, device->instance.Data1, i);
	}
	/* One goes, the other stays. */
	wdf_case_forget(c);
	VmbChannelDisable(servers[0]->channel);
	WDF_EVENTS(c, "surprise2 " WDF_GOES(2));
	pair_send(servers[1], 201, 64);
	EVENTUALLY(test, WdfCaseDevice(c->devices[1])->first == 201);
	wdf_case_unload(c);
	WDF_EVENTS(c, WDF_GOES(1) WDF_UNLOADS);
}

/* Loads with a device that fails, and unloads. */
static void a_failure(struct wdf_case *c, const char *events)
{
	struct client *server = wdf_case_offer(c, 1);

	ASSERT_STATUS(c->test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	wdf_case_load(c);
	KUNIT_ASSERT_EQ(c->test, c->error, 0);
	WDF_EVENTS(c, events);
	wdf_case_unload(c);
	WDF_EVENTS(c, WDF_UNLOADS);
}

static void an_add_that_fails_deletes_the_device(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);

	c->add_status = STATUS_UNSUCCESSFUL;
	a_failure(c, "add1 cleaned1 destroyed1 ");
}

static void a_prepare_that_fails_is_released(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);

	c->prepare_status = STATUS_UNSUCCESSFUL;
	a_failure(c, "add1 prepare1 release1 cleaned1 destroyed1 ");
}

static void an_entry_that_fails_has_no_exit(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);

	c->entry_d0_status = STATUS_UNSUCCESSFUL;
	a_failure(c, "add1 prepare1 entry1(5) release1 cleaned1 destroyed1 ");
}

static void a_self_managed_init_that_fails_is_flushed(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);

	c->init_status = STATUS_UNSUCCESSFUL;
	a_failure(c, WDF_STARTS(1) WDF_STOPS(1) WDF_ENDS(1));
}

static void a_device_that_its_driver_gives_up_goes(struct kunit *test)
{
	struct wdf_case *c = NULL;
	WDFDEVICE device = wdf_case_device(test, &c);

	WdfDeviceSetFailed(device, WdfDeviceFailedNoRestart);
	WDF_EVENTS(c, "surprise1 " WDF_GOES(1));
	wdf_case_unload(c);
	WDF_EVENTS(c, WDF_UNLOADS);
}

static void a_driver_entry_that_fails_leaves_nothing(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);

	c->entry_status = STATUS_UNSUCCESSFUL;
	wdf_case_load(c);
	KUNIT_EXPECT_EQ(test, c->error, -EIO);
	WDF_EVENTS(c, "driver-cleaned ");
	c->creates_no_driver = true;
	c->entry_status = STATUS_SUCCESS;
	wdf_case_load(c);
	KUNIT_EXPECT_EQ(test, c->error, -EINVAL);
	WDF_EVENTS(c, "");
}

/* hv_sleep.c closes the channels of VMBus next; those on loopback are the driver's. */
static void devices_leave_d0_for_hibernation(struct kunit *test)
{
	struct wdf_case *c = NULL;
	struct client *later;
	u32 i;

	wdf_case_device(test, &c);
	later = wdf_case_offer(c, 2);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, kmcl_sleep_test_call(KMCL_SLEEP), 0);
		WDF_EVENTS(c, "suspend1 pre1(4) exit1(4) ");
		kmcl_sleep_test_call(KMCL_WAKE);
		WDF_EVENTS(c, "entry1(4) post1(4) restart1 ");
	}
	/* One that comes meanwhile is added afterwards. */
	kmcl_sleep_test_call(KMCL_SLEEP);
	WDF_EVENTS(c, "suspend1 pre1(4) exit1(4) ");
	ASSERT_STATUS(test, VmbChannelEnable(later->channel), STATUS_SUCCESS);
	msleep(20);
	WDF_EVENTS(c, "");
	kmcl_sleep_test_call(KMCL_WAKE);
	EVENTUALLY(test, READ_ONCE(c->devices[2]));
	EVENTUALLY(test, strstr(c->events, "init2"));
	EVENTUALLY(test, strstr(c->events, "restart1"));
}

static void one_that_is_gone_or_fails_after_hibernation_is_removed(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	struct client *server = wdf_case_offer(c, 1);

	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	wdf_case_load(c);
	WDF_EVENTS(c, WDF_STARTS(1));
	kmcl_sleep_test_call(KMCL_SLEEP);
	WDF_EVENTS(c, "suspend1 pre1(4) exit1(4) ");
	VmbChannelDisable(server->channel);
	WDF_EVENTS(c, "surprise1 release1 flush1 io-cleanup1 cleaned1 destroyed1 ");
	kmcl_sleep_test_call(KMCL_WAKE);

	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	WDF_EVENTS(c, WDF_STARTS(1));
	kmcl_sleep_test_call(KMCL_SLEEP);
	wdf_case_forget(c);
	c->entry_d0_status = STATUS_UNSUCCESSFUL;
	kmcl_sleep_test_call(KMCL_WAKE);
	WDF_EVENTS(c, "entry1(4) surprise1 release1 flush1 io-cleanup1 cleaned1 destroyed1 ");
}

/* A server that is saved is there for its client, and so is the device. */
static void a_device_outlives_its_servers_save(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	struct client *server = wdf_case_offer(c, 1);
	u8 *buffer = kunit_kzalloc(test, 16384, GFP_KERNEL);
	ULONG filled, needed = 0;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	c->opens = true;
	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	VmbChannelStart(server->channel);
	wdf_case_load(c);
	WDF_EVENTS(c, WDF_STARTS(1));
	EVENTUALLY(test, client_events(server) >= 3);
	VmbChannelPause(server->channel);
	ASSERT_STATUS(test, VmbChannelSaveBegin(server->channel), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelSaveContinue(server->channel, buffer, 16384, &filled,
						   &needed), STATUS_SUCCESS);
	VmbChannelSaveEnd(server->channel);
	VmbChannelDisable(server->channel);
	msleep(20);
	WDF_EVENTS(c, "");
	/* A successor that does not resume is another device. */
	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	WDF_EVENTS(c, "surprise1 " WDF_GOES(1) WDF_STARTS(1));
}

static void a_register_without_memory_leaves_nothing(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	struct client *server = wdf_case_offer(c, 1);
	u32 nth = 0, failures = 0;
	bool hit;

	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	do {
		/* At DISPATCH_LEVEL it cannot be called, so what of it is tried twice is had. */
		hit = WITH_FAILURE(++nth, wdf_case_load(c));
		if (c->error) {
			KUNIT_EXPECT_EQ(test, c->error, -ENOMEM);
			failures++;
			continue;
		}
		/* Or there was no memory for the device, which the log says. */
		wdf_case_unload(c);
	} while (hit);
	KUNIT_EXPECT_GE(test, failures, 1);
	wdf_case_forget(c);
	wdf_case_load(c);
	WDF_EVENTS(c, WDF_STARTS(1));
}

static void a_device_without_memory_is_not_made(struct kunit *test)
{
	struct wdf_case *c = wdf_case_create(test);
	struct client *server = wdf_case_offer(c, 1);
	u32 failures = 0;

	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	do {
		c->create_fails++;
		c->create_status = STATUS_PENDING;
		wdf_case_load(c);
		KUNIT_ASSERT_EQ(test, c->error, 0);
		EVENTUALLY(test, READ_ONCE(c->create_status) != STATUS_PENDING);
		wdf_case_unload(c);
		if (!NT_SUCCESS(c->create_status)) {
			EXPECT_STATUS(test, c->create_status, STATUS_INSUFFICIENT_RESOURCES);
			failures++;
		}
	} while (c->create_failed && c->create_fails < 100);
	/* The object and its context. */
	KUNIT_EXPECT_EQ(test, failures, 2);
}

struct late_dereference {
	struct delayed_work work;
	WDFOBJECT object;
};

static void late_dereference_work(struct work_struct *work)
{
	struct late_dereference *late =
		container_of(to_delayed_work(work), struct late_dereference, work);

	WdfObjectDereference(late->object);
}

/* No callback is called when the driver's module may be gone. */
static void unloading_waits_for_references(struct kunit *test)
{
	struct late_dereference late;
	struct wdf_case *c = NULL;

	late.object = wdf_case_device(test, &c);
	WdfObjectReference(late.object);
	INIT_DELAYED_WORK_ONSTACK(&late.work, late_dereference_work);
	schedule_delayed_work(&late.work, HZ / 5);
	wdf_case_unload(c);
	WDF_EVENTS(c, "suspend1 " WDF_STOPS(1) "cleaned1 " WDF_UNLOADS "destroyed1 ");
	flush_delayed_work(&late.work);
	destroy_delayed_work_on_stack(&late.work);
}

static struct kunit_case wdf_pnp_cases[] = {
	KUNIT_CASE(a_device_starts_and_goes_with_its_driver),
	KUNIT_CASE(a_device_that_comes_later_is_added),
	KUNIT_CASE(one_that_is_rescinded_goes_and_comes_back_as_another),
	KUNIT_CASE(two_devices_of_a_class_have_a_channel_each),
	KUNIT_CASE(an_add_that_fails_deletes_the_device),
	KUNIT_CASE(a_prepare_that_fails_is_released),
	KUNIT_CASE(an_entry_that_fails_has_no_exit),
	KUNIT_CASE(a_self_managed_init_that_fails_is_flushed),
	KUNIT_CASE(a_device_that_its_driver_gives_up_goes),
	KUNIT_CASE(a_driver_entry_that_fails_leaves_nothing),
	KUNIT_CASE(devices_leave_d0_for_hibernation),
	KUNIT_CASE(one_that_is_gone_or_fails_after_hibernation_is_removed),
	KUNIT_CASE(a_device_outlives_its_servers_save),
	KUNIT_CASE(a_register_without_memory_leaves_nothing),
	KUNIT_CASE(a_device_without_memory_is_not_made),
	KUNIT_CASE(unloading_waits_for_references),
	{}
};

static struct kunit_suite wdf_pnp_suite = {
	.name = "wdf_pnp",
	.test_cases = wdf_pnp_cases,
};

kunit_test_suite(wdf_pnp_suite);
