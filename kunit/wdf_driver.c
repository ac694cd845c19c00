// SPDX-License-Identifier: GPL-2.0
/* The KMDF driver of the tests: see wdf_driver.h. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uuid.h>

#include "wdf_driver.h"

/* That of the case that runs. */
static struct wdf_case *wdf_case;

struct linux_kmdf_driver LINUX_KMDF_DRIVER = {
	.name = KBUILD_MODNAME,
};

void wdf_case_note(struct wdf_case *c, const char *format, ...)
{
	unsigned long flags;
	char word[32];
	va_list args;

	va_start(args, format);
	vsnprintf(word, sizeof(word), format, args);
	va_end(args);
	spin_lock_irqsave(&c->lock, flags);
	strlcat(c->events, word, sizeof(c->events));
	strlcat(c->events, " ", sizeof(c->events));
	spin_unlock_irqrestore(&c->lock, flags);
}

void wdf_case_forget(struct wdf_case *c)
{
	spin_lock_irq(&c->lock);
	c->events[0] = '\0';
	spin_unlock_irq(&c->lock);
}

bool wdf_case_has(struct wdf_case *c, const char *events)
{
	bool has;

	spin_lock_irq(&c->lock);
	has = !strcmp(c->events, events);
	spin_unlock_irq(&c->lock);
	return has;
}

static void wdf_case_note_device(WDFOBJECT device, const char *word)
{
	KUNIT_EXPECT_TRUE_MSG(wdf_case->test, preemptible(), "%s could not sleep", word);
	wdf_case_note(wdf_case, "%s%u", word, WdfCaseDevice(device)->number);
}

static void wdf_case_note_state(WDFDEVICE device, const char *word, WDF_POWER_DEVICE_STATE state)
{
	wdf_case_note(wdf_case, "%s%u(%d)", word, WdfCaseDevice(device)->number, state);
}

/* The channel, which the driver has in D0 */

static VOID wdf_case_packet(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			    UINT32 len, UINT32 flags)
{
	WDF_CASE_DEVICE *context = VmbChannelGetPointer(channel);

	context->first = len >= 8 ? *(u64 *)buffer : 0;
	atomic_inc(&context->packets);
	VmbChannelPacketComplete(packet, NULL, 0);
}

static NTSTATUS wdf_case_open(WDFDEVICE device)
{
	WDF_CASE_DEVICE *context = WdfCaseDevice(device);
	GUID type;
	NTSTATUS status;

	memcpy(&type, &wdf_case->ids[0].guid, sizeof(type));
	status = VmbChannelAllocate(WdfDeviceWdmGetDeviceObject(device), FALSE,
				    &context->channel);
	if (!NT_SUCCESS(status))
		return status;
	VmbChannelSetPointer(context->channel, context);
	VmbClientChannelInitSetTargetPnp(context->channel, &type, NULL, NULL);
	VmbChannelGetInterfaceInstance(context->channel, &context->instance);
	VmbChannelInitSetProcessPacketCallbacks(context->channel, wdf_case_packet, NULL);
	status = VmbChannelEnable(context->channel);
	VmbChannelStart(context->channel);
	return status;
}

static void wdf_case_close(WDFDEVICE device)
{
	WDF_CASE_DEVICE *context = WdfCaseDevice(device);

	VmbChannelDisable(context->channel);
	VmbChannelCleanup(context->channel);
	context->channel = NULL;
}

/* The callbacks of a device */

static NTSTATUS wdf_case_prepare(WDFDEVICE device, WDFCMRESLIST raw, WDFCMRESLIST translated)
{
	wdf_case_note_device(device, "prepare");
	KUNIT_EXPECT_EQ(wdf_case->test, WdfCmResourceListGetCount(translated), 0);
	return wdf_case->prepare_status;
}

static NTSTATUS wdf_case_release(WDFDEVICE device, WDFCMRESLIST translated)
{
	wdf_case_note_device(device, "release");
	return STATUS_SUCCESS;
}

static NTSTATUS wdf_case_entry(WDFDEVICE device, WDF_POWER_DEVICE_STATE from)
{
	wdf_case_note_state(device, "entry", from);
	if (!NT_SUCCESS(wdf_case->entry_d0_status))
		return wdf_case->entry_d0_status;
	return wdf_case->opens ? wdf_case_open(device) : STATUS_SUCCESS;
}

static NTSTATUS wdf_case_exit(WDFDEVICE device, WDF_POWER_DEVICE_STATE target)
{
	wdf_case_note_state(device, "exit", target);
	if (WdfCaseDevice(device)->channel)
		wdf_case_close(device);
	return STATUS_SUCCESS;
}

static NTSTATUS wdf_case_post(WDFDEVICE device, WDF_POWER_DEVICE_STATE from)
{
	wdf_case_note_state(device, "post", from);
	return STATUS_SUCCESS;
}

static NTSTATUS wdf_case_pre(WDFDEVICE device, WDF_POWER_DEVICE_STATE target)
{
	wdf_case_note_state(device, "pre", target);
	return STATUS_SUCCESS;
}

static NTSTATUS wdf_case_init(WDFDEVICE device)
{
	wdf_case_note_device(device, "init");
	return wdf_case->init_status;
}

static NTSTATUS wdf_case_suspend(WDFDEVICE device)
{
	wdf_case_note_device(device, "suspend");
	return STATUS_SUCCESS;
}

static NTSTATUS wdf_case_restart(WDFDEVICE device)
{
	wdf_case_note_device(device, "restart");
	return STATUS_SUCCESS;
}

static VOID wdf_case_flush(WDFDEVICE device)
{
	wdf_case_note_device(device, "flush");
}

static VOID wdf_case_io_cleanup(WDFDEVICE device)
{
	wdf_case_note_device(device, "io-cleanup");
}

static VOID wdf_case_surprise(WDFDEVICE device)
{
	wdf_case_note_device(device, "surprise");
}

static VOID wdf_case_device_cleaned(WDFOBJECT device)
{
	WRITE_ONCE(wdf_case->devices[WdfCaseDevice(device)->number], NULL);
	wdf_case_note_device(device, "cleaned");
}

static VOID wdf_case_device_destroyed(WDFOBJECT device)
{
	wdf_case_note_device(device, "destroyed");
}

static NTSTATUS wdf_case_add(WDFDRIVER driver, PWDFDEVICE_INIT init)
{
	struct wdf_case *c = wdf_case;
	WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFDEVICE device = NULL;
	u32 number;

	KUNIT_EXPECT_PTR_EQ(c->test, driver, WdfGetDriver());
	WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
	callbacks.EvtDeviceD0Entry = wdf_case_entry;
	callbacks.EvtDeviceD0EntryPostInterruptsEnabled = wdf_case_post;
	callbacks.EvtDeviceD0Exit = wdf_case_exit;
	callbacks.EvtDeviceD0ExitPreInterruptsDisabled = wdf_case_pre;
	callbacks.EvtDevicePrepareHardware = wdf_case_prepare;
	callbacks.EvtDeviceReleaseHardware = wdf_case_release;
	callbacks.EvtDeviceSelfManagedIoInit = wdf_case_init;
	callbacks.EvtDeviceSelfManagedIoSuspend = wdf_case_suspend;
	callbacks.EvtDeviceSelfManagedIoRestart = wdf_case_restart;
	callbacks.EvtDeviceSelfManagedIoFlush = wdf_case_flush;
	callbacks.EvtDeviceSelfManagedIoCleanup = wdf_case_io_cleanup;
	callbacks.EvtDeviceSurpriseRemoval = wdf_case_surprise;
	WdfDeviceInitSetPnpPowerEventCallbacks(init, &callbacks);

	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, WDF_CASE_DEVICE);
	attributes.EvtCleanupCallback = wdf_case_device_cleaned;
	attributes.EvtDestroyCallback = wdf_case_device_destroyed;
	attributes.ExecutionLevel = c->level;
	attributes.SynchronizationScope = c->scope;
	/* At DISPATCH_LEVEL no allocation is tried twice. */
	if (c->create_fails)
		local_bh_disable();
	c->create_failed = WITH_FAILURE(c->create_fails, c->create_status =
		WdfDeviceCreate(&init, &attributes, &device));
	if (c->create_fails)
		local_bh_enable();
	if (!NT_SUCCESS(c->create_status))
		return c->create_status;
	KUNIT_EXPECT_NULL(c->test, init);
	KUNIT_EXPECT_EQ(c->test, (u32)WdfDeviceCreate(&init, &attributes, &device),
			(u32)STATUS_INVALID_PARAMETER);

	number = ((GUID *)&kmcl_device_of(WdfDeviceWdmGetDeviceObject(device))->instance)->Data1;
	WdfCaseDevice(device)->number = number;
	wdf_case_note_device(device, "add");
	WRITE_ONCE(c->devices[number], device);
	return c->add_status;
}

/* The driver */

static VOID wdf_case_driver_unload(WDFDRIVER driver)
{
	wdf_case_note(wdf_case, "unload");
}

static VOID wdf_case_driver_cleaned(WDFOBJECT driver)
{
	wdf_case_note(wdf_case, "driver-cleaned");
}

static NTSTATUS wdf_case_driver_entry(PDRIVER_OBJECT object, PUNICODE_STRING path)
{
	struct wdf_case *c = wdf_case;
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_DRIVER_CONFIG config;
	NTSTATUS status;
	WDFDRIVER driver;

	if (c->creates_no_driver)
		return STATUS_SUCCESS;
	WDF_DRIVER_CONFIG_INIT(&config, wdf_case_add);
	config.EvtDriverUnload = wdf_case_driver_unload;
	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.EvtCleanupCallback = wdf_case_driver_cleaned;
	status = WdfDriverCreate(object, path, &attributes, &config, &driver);
	if (!NT_SUCCESS(status))
		return status;
	KUNIT_EXPECT_PTR_EQ(c->test, WdfDriverWdmGetDriverObject(driver), object);
	KUNIT_EXPECT_PTR_EQ(c->test, WdfWdmDriverGetWdfDriverHandle(object), driver);
	KUNIT_EXPECT_PTR_EQ(c->test, WdfDriverGetRegistryPath(driver), path->Buffer);
	return c->entry_status;
}

void wdf_case_load(struct wdf_case *c)
{
	c->error = linux_kmdf_register(&LINUX_KMDF_DRIVER);
	c->loaded = !c->error;
}

void wdf_case_unload(struct wdf_case *c)
{
	if (c->loaded)
		linux_kmdf_unregister(&LINUX_KMDF_DRIVER);
	c->loaded = false;
}

static void wdf_case_destroy(void *data)
{
	struct wdf_case *c = data;

	wdf_case_unload(c);
	kfree(c);
	wdf_case = NULL;
}

/* The driver is not loaded yet. It goes away with the test. */
struct wdf_case *wdf_case_create(struct kunit *test)
{
	struct wdf_case *c = kzalloc(sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	c->test = test;
	c->level = WdfExecutionLevelInheritFromParent;
	c->scope = WdfSynchronizationScopeInheritFromParent;
	spin_lock_init(&c->lock);
	guid_gen(&c->ids[0].guid);
	LINUX_KMDF_DRIVER.entry = wdf_case_driver_entry;
	LINUX_KMDF_DRIVER.ids = c->ids;
	wdf_case = c;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, wdf_case_destroy, c), 0);
	return c;
}

/* A server for device @number, disabled. */
struct client *wdf_case_offer(struct wdf_case *c, u32 number)
{
	struct client *server = client_create_end(c->test, true);
	GUID type, instance = { .Data1 = number };

	memcpy(&type, &c->ids[0].guid, sizeof(type));
	ASSERT_STATUS(c->test,
		      VmbServerChannelInitSetFlags(server->channel,
						   VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER),
		      STATUS_SUCCESS);
	ASSERT_STATUS(c->test,
		      VmbServerChannelInitSetTargetInterfaceId(server->channel, type, instance),
		      STATUS_SUCCESS);
	return server;
}

/* A case with the driver loaded and device 1 started. */
WDFDEVICE wdf_case_device(struct kunit *test, struct wdf_case **c)
{
	struct client *server;

	if (!*c)
		*c = wdf_case_create(test);
	server = wdf_case_offer(*c, 1);
	ASSERT_STATUS(test, VmbChannelEnable(server->channel), STATUS_SUCCESS);
	wdf_case_load(*c);
	KUNIT_ASSERT_EQ(test, (*c)->error, 0);
	WDF_EVENTS(*c, WDF_STARTS(1));
	KUNIT_ASSERT_NOT_NULL(test, (*c)->devices[1]);
	return (*c)->devices[1];
}
