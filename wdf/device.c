// SPDX-License-Identifier: GPL-2.0
/*
 * Device objects. Each begins with a Linux device, which is the parent of the channels
 * that the driver makes for it; it is not registered with Linux' driver core, for it is
 * hv_vmbus' device that has a place in sysfs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "framework.h"

/* The last reference on the Linux device may be a channel's. */
static void wdf_device_release(void *body)
{
	struct wdf_device *device = body;

	put_device(&device->kmcl.dev);
}

static void wdf_device_free(struct device *dev)
{
	ExFreePool(wdf_object_of(dev));
}

const struct wdf_kind wdf_device_kind = {
	.name = "device",
	.size = sizeof(struct wdf_device),
	.release = wdf_device_release,
	.is_own = true,
};

/**
 * WdfDeviceInitSetPnpPowerEventCallbacks() - how the device starts, sleeps and goes
 * @DeviceInit: as EvtDriverDeviceAdd was given it
 * @Callbacks: copied; NULL for what does not interest the driver
 */
VOID WdfDeviceInitSetPnpPowerEventCallbacks(PWDFDEVICE_INIT DeviceInit,
					    PWDF_PNPPOWER_EVENT_CALLBACKS Callbacks)
{
	if (DeviceInit && Callbacks->Size == sizeof(*Callbacks))
		DeviceInit->callbacks = *Callbacks;
	else
		pr_err("%pS sets callbacks of a device that is made, or of another size\n",
		       (void *)_RET_IP_);
}
EXPORT_SYMBOL_GPL(WdfDeviceInitSetPnpPowerEventCallbacks);

/**
 * WdfDeviceCreate() - make a device object
 * @DeviceInit: as EvtDriverDeviceAdd was given it; NULL afterwards
 * @DeviceAttributes: its context, callbacks, execution level and synchronization scope,
 *	or WDF_NO_OBJECT_ATTRIBUTES. Its parent is the driver.
 * @Device: the device. WdfDeviceWdmGetDeviceObject() of it is what VmbChannelAllocate()
 *	wants: a channel with that parent, whose target has no instance, is for this
 *	device's offer.
 *
 * Context: PASSIVE_LEVEL, in EvtDriverDeviceAdd.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: *@DeviceInit is NULL: the device is there already
 *  - STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED: @DeviceAttributes has a parent
 *  - STATUS_INFO_LENGTH_MISMATCH: the size of @DeviceAttributes
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS WdfDeviceCreate(PWDFDEVICE_INIT *DeviceInit, PWDF_OBJECT_ATTRIBUTES DeviceAttributes,
			 WDFDEVICE *Device)
{
	struct wdf_device *device;
	struct wdf_pnp *pnp;
	NTSTATUS status;
	void *body;

	if (!*DeviceInit)
		return STATUS_INVALID_PARAMETER;
	if (DeviceAttributes && DeviceAttributes->ParentObject)
		return STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED;
	pnp = (*DeviceInit)->pnp;
	status = wdf_object_make(&wdf_device_kind, pnp->driver->kmdf, DeviceAttributes, &body);
	if (!NT_SUCCESS(status))
		return status;

	device = body;
	device->pnp = pnp;
	device->callbacks = (*DeviceInit)->callbacks;
	wdf_serial_init(&device->serial, wdf_object_of(body)->passive);
	guid_copy(&device->kmcl.type, &pnp->type);
	guid_copy(&device->kmcl.instance, &pnp->instance);
	device->kmcl.dev.type = &kmcl_device_type;
	device->kmcl.dev.release = wdf_device_free;
	device_initialize(&device->kmcl.dev);
	status = wdf_object_add(body);
	if (!NT_SUCCESS(status))
		return status;

	pnp->device = device;
	*DeviceInit = NULL;
	*Device = body;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(WdfDeviceCreate);

/**
 * WdfDeviceGetDriver() - the driver of a device
 * @Device: the device
 *
 * Return: the driver.
 */
WDFDRIVER WdfDeviceGetDriver(WDFDEVICE Device)
{
	struct wdf_device *device = wdf_get(Device, &wdf_device_kind);

	return device ? wdf_body(wdf_object_of(device)->driver->object) : NULL;
}
EXPORT_SYMBOL_GPL(WdfDeviceGetDriver);

/**
 * WdfWdmDeviceGetWdfDeviceHandle() - the device of a device object
 * @DeviceObject: of WdfDeviceWdmGetDeviceObject()
 *
 * Return: the device, NULL if it is another Linux device.
 */
WDFDEVICE WdfWdmDeviceGetWdfDeviceHandle(PDEVICE_OBJECT DeviceObject)
{
	return kmcl_device_of(DeviceObject) ? (WDFDEVICE)DeviceObject : NULL;
}
EXPORT_SYMBOL_GPL(WdfWdmDeviceGetWdfDeviceHandle);

/**
 * WdfDeviceSetFailed() - a device does not work any more
 * @Device: the device
 * @FailedAction: not looked at: the device is not started again as long as it is
 *	offered (this project's decision)
 *
 * It is removed as by surprise, soon, by a work item.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfDeviceSetFailed(WDFDEVICE Device, WDF_DEVICE_FAILED_ACTION FailedAction)
{
	struct wdf_device *device = wdf_get(Device, &wdf_device_kind);

	if (device)
		wdf_pnp_fail(device);
}
EXPORT_SYMBOL_GPL(WdfDeviceSetFailed);
