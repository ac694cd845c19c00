// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers: registered with their classes, DriverEntry called, the driver object, and all
 * of it undone when the module goes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mod_devicetable.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include <linux/wait_bit.h>

#include "framework.h"

/* After that long it is said that the driver has left references. */
#define WDF_PATIENCE	(30 * HZ)

const struct wdf_kind wdf_driver_kind = {
	.name = "driver",
	.size = sizeof(struct wdf_driver *),
	.is_own = true,
};

/* What Windows gives DriverEntry(), with the name of the module. */
static void wdf_driver_set_path(struct wdf_driver *driver)
{
	static const char services[] =
		"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";
	const char *const parts[] = { services, driver->kmdf->name };
	const u32 room = ARRAY_SIZE(driver->path_buffer) - 1;
	const char *c;
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		for (c = parts[i]; *c && n < room; c++)
			driver->path_buffer[n++] = *c;
	driver->path.Buffer = driver->path_buffer;
	driver->path.Length = n * sizeof(WCHAR);
	driver->path.MaximumLength = (n + 1) * sizeof(WCHAR);
}

static struct wdf_driver *wdf_driver_alloc(struct linux_kmdf_driver *linux_driver)
{
	const struct hv_vmbus_device_id *id;
	struct wdf_driver *driver;
	u32 i, n = 0;

	for (id = linux_driver->ids; !guid_is_null(&id->guid); id++)
		n++;
	driver = kzalloc(struct_size(driver, watches, n), GFP_KERNEL);
	if (!driver)
		return NULL;
	driver->kmdf = linux_driver;
	INIT_LIST_HEAD(&driver->devices);
	driver->n_watches = n;
	for (i = 0; i < n; i++) {
		guid_copy(&driver->watches[i].watch.type, &linux_driver->ids[i].guid);
		driver->watches[i].driver = driver;
	}
	wdf_driver_set_path(driver);
	return driver;
}

/* The driver object goes, and with it whatever the driver has left below it. */
static void wdf_driver_delete(struct wdf_driver *driver)
{
	wdf_objects_flush();
	if (driver->object)
		wdf_object_delete(driver->object);
	/* Their callbacks are in a module that is about to go. */
	while (!wait_var_event_timeout(&driver->objects, !atomic_read(&driver->objects),
				       WDF_PATIENCE))
		pr_warn("%s cannot go: it has left references on %d objects\n",
			driver->kmdf->name, atomic_read(&driver->objects));
	/* What has woken this has done with it when the work has ended. */
	wdf_objects_flush();
	driver->kmdf->driver = NULL;
	kfree(driver);
}

static int wdf_driver_error(NTSTATUS status)
{
	switch (status) {
	case STATUS_INSUFFICIENT_RESOURCES:
	case STATUS_NO_MEMORY:
		return -ENOMEM;
	case STATUS_NO_SUCH_DEVICE:
		return -ENODEV;
	default:
		return -EIO;
	}
}

/**
 * linux_kmdf_register() - load a driver
 * @driver: of the module
 *
 * Calls its DriverEntry(), and from then on, by work items, its EvtDriverDeviceAdd
 * for each device that is there or comes. See module_kmdf_driver().
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - 0
 *  - -EINVAL: DriverEntry() has not called WdfDriverCreate()
 *  - -ENOMEM, -ENODEV, -EIO: it has failed, which a line in the log says
 */
int linux_kmdf_register(struct linux_kmdf_driver *driver)
{
	struct wdf_driver *wdf = wdf_driver_alloc(driver);
	NTSTATUS status;
	int err;

	if (!wdf)
		return -ENOMEM;
	driver->driver = wdf;
	status = driver->entry((PDRIVER_OBJECT)wdf, &wdf->path);
	if (!NT_SUCCESS(status)) {
		pr_err("%s: DriverEntry failed: status %08x\n", driver->name, status);
		err = wdf_driver_error(status);
		goto delete_driver;
	}
	if (!wdf->object) {
		pr_err("%s: DriverEntry has not called WdfDriverCreate\n", driver->name);
		err = -EINVAL;
		goto delete_driver;
	}
	wdf_pnp_start(wdf);
	return 0;

delete_driver:
	wdf_driver_delete(wdf);
	return err;
}
EXPORT_SYMBOL_GPL(linux_kmdf_register);

/**
 * linux_kmdf_unregister() - unload a driver
 * @driver: that is loaded
 *
 * Its devices are removed, then EvtDriverUnload is called, then the driver object
 * is deleted with what is left below it. Waits until no object of the driver's is
 * there any more.
 *
 * Context: PASSIVE_LEVEL.
 */
void linux_kmdf_unregister(struct linux_kmdf_driver *driver)
{
	struct wdf_driver *wdf = driver->driver;

	wdf_pnp_stop(wdf);
	if (wdf->config.EvtDriverUnload)
		wdf->config.EvtDriverUnload(wdf_body(wdf->object));
	wdf_driver_delete(wdf);
}
EXPORT_SYMBOL_GPL(linux_kmdf_unregister);

/**
 * WdfDriverCreate() - make the driver object
 * @DriverObject: as DriverEntry() was given it
 * @RegistryPath: not looked at
 * @DriverAttributes: its context and callbacks, or WDF_NO_OBJECT_ATTRIBUTES
 * @DriverConfig: EvtDriverDeviceAdd, and EvtDriverUnload or NULL; of the flags,
 *	WdfDriverInitNonPnpDriver is not looked at: such a driver has no devices
 * @Driver: the object; may be NULL, or WDF_NO_HANDLE
 *
 * Context: PASSIVE_LEVEL, in DriverEntry().
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INFO_LENGTH_MISMATCH: the size of @DriverConfig or @DriverAttributes
 *  - STATUS_INVALID_PARAMETER: @DriverAttributes has a parent
 *  - STATUS_OBJECT_NAME_COLLISION: the driver has one (this project's decision)
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS WdfDriverCreate(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath,
			 PWDF_OBJECT_ATTRIBUTES DriverAttributes,
			 PWDF_DRIVER_CONFIG DriverConfig, WDFDRIVER *Driver)
{
	struct wdf_driver *driver = (struct wdf_driver *)DriverObject;
	NTSTATUS status;
	void *body;

	if (DriverConfig->Size != sizeof(*DriverConfig))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (DriverAttributes && DriverAttributes->ParentObject)
		return STATUS_INVALID_PARAMETER;
	if (driver->object)
		return STATUS_OBJECT_NAME_COLLISION;
	status = wdf_object_make(&wdf_driver_kind, driver->kmdf, DriverAttributes, &body);
	if (NT_SUCCESS(status))
		status = wdf_object_add(body);
	if (!NT_SUCCESS(status))
		return status;

	*(struct wdf_driver **)body = driver;
	driver->object = wdf_object_of(body);
	driver->config = *DriverConfig;
	if (Driver)
		*Driver = body;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(WdfDriverCreate);

WDFDRIVER linux_wdf_get_driver(struct linux_kmdf_driver *driver)
{
	return wdf_body(driver->driver->object);
}
EXPORT_SYMBOL_GPL(linux_wdf_get_driver);

static struct wdf_driver *wdf_driver_get(WDFDRIVER handle, unsigned long caller)
{
	struct wdf_driver **body = wdf_body_from_handle(handle, &wdf_driver_kind, caller);

	return body ? *body : NULL;
}

/**
 * WdfDriverWdmGetDriverObject() - what DriverEntry() was given
 * @Driver: the driver
 *
 * Return: the pointer.
 */
PDRIVER_OBJECT WdfDriverWdmGetDriverObject(WDFDRIVER Driver)
{
	return (PDRIVER_OBJECT)wdf_driver_get(Driver, _RET_IP_);
}
EXPORT_SYMBOL_GPL(WdfDriverWdmGetDriverObject);

/**
 * WdfWdmDriverGetWdfDriverHandle() - the opposite
 * @DriverObject: as DriverEntry() was given it
 *
 * Return: the driver, NULL before WdfDriverCreate().
 */
WDFDRIVER WdfWdmDriverGetWdfDriverHandle(PDRIVER_OBJECT DriverObject)
{
	struct wdf_driver *driver = (struct wdf_driver *)DriverObject;

	return driver->object ? wdf_body(driver->object) : NULL;
}
EXPORT_SYMBOL_GPL(WdfWdmDriverGetWdfDriverHandle);

/**
 * WdfDriverGetRegistryPath() - where Windows would keep the driver's settings
 * @Driver: the driver
 *
 * Return: the path, which ends with the name of the module and a zero.
 */
PWSTR WdfDriverGetRegistryPath(WDFDRIVER Driver)
{
	struct wdf_driver *driver = wdf_driver_get(Driver, _RET_IP_);

	return driver ? driver->path.Buffer : NULL;
}
EXPORT_SYMBOL_GPL(WdfDriverGetRegistryPath);
