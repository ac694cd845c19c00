/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The driver object, and what makes a module of a driver. Part of <wdf.h>; the functions
 * are in wdf/driver.c.
 */
#ifndef _NT_WDF_DRIVER_H
#define _NT_WDF_DRIVER_H

#include <ntddk.h>

#include <wdf_object.h>

#ifdef __KERNEL__
/* It stands for the driver in DriverEntry(), and has nothing that a driver may look at. */
typedef struct _DRIVER_OBJECT DRIVER_OBJECT, *PDRIVER_OBJECT;

typedef NTSTATUS DRIVER_INITIALIZE(PDRIVER_OBJECT DriverObject,
				   PUNICODE_STRING RegistryPath);
typedef DRIVER_INITIALIZE *PDRIVER_INITIALIZE;
#endif

typedef struct WDFDEVICE_INIT WDFDEVICE_INIT, *PWDFDEVICE_INIT;

typedef NTSTATUS EVT_WDF_DRIVER_DEVICE_ADD(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit);
typedef VOID EVT_WDF_DRIVER_UNLOAD(WDFDRIVER Driver);
typedef EVT_WDF_DRIVER_DEVICE_ADD *PFN_WDF_DRIVER_DEVICE_ADD;
typedef EVT_WDF_DRIVER_UNLOAD *PFN_WDF_DRIVER_UNLOAD;

typedef enum _WDF_DRIVER_INIT_FLAGS {
	WdfDriverInitNonPnpDriver = 0x00000001,
	WdfDriverInitNoDispatchOverride = 0x00000002,
} WDF_DRIVER_INIT_FLAGS;

typedef struct _WDF_DRIVER_CONFIG {
	ULONG Size;
	PFN_WDF_DRIVER_DEVICE_ADD EvtDriverDeviceAdd;
	PFN_WDF_DRIVER_UNLOAD EvtDriverUnload;
	ULONG DriverInitFlags;
	ULONG DriverPoolTag;
} WDF_DRIVER_CONFIG, *PWDF_DRIVER_CONFIG;

static inline VOID WDF_DRIVER_CONFIG_INIT(PWDF_DRIVER_CONFIG Config,
					  PFN_WDF_DRIVER_DEVICE_ADD EvtDriverDeviceAdd)
{
	RtlZeroMemory(Config, sizeof(*Config));
	Config->Size = sizeof(*Config);
	Config->EvtDriverDeviceAdd = EvtDriverDeviceAdd;
}

NTSTATUS WdfDriverCreate(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING RegistryPath,
			 _In_opt_ PWDF_OBJECT_ATTRIBUTES DriverAttributes,
			 _In_ PWDF_DRIVER_CONFIG DriverConfig, _Out_opt_ WDFDRIVER *Driver);
PDRIVER_OBJECT WdfDriverWdmGetDriverObject(_In_ WDFDRIVER Driver);
WDFDRIVER WdfWdmDriverGetWdfDriverHandle(_In_ PDRIVER_OBJECT DriverObject);
PWSTR WdfDriverGetRegistryPath(_In_ WDFDRIVER Driver);

#ifdef __KERNEL__
struct hv_vmbus_device_id;
struct wdf_driver;

/**
 * struct linux_kmdf_driver - a module's driver
 * @entry: its DriverEntry()
 * @ids: the classes of its devices, with an empty one behind the last
 * @name: of the module
 * @driver: the framework's
 */
struct linux_kmdf_driver {
	PDRIVER_INITIALIZE entry;
	const struct hv_vmbus_device_id *ids;
	const char *name;
	struct wdf_driver *driver;
};

int linux_kmdf_register(struct linux_kmdf_driver *driver);
void linux_kmdf_unregister(struct linux_kmdf_driver *driver);
WDFDRIVER linux_wdf_get_driver(struct linux_kmdf_driver *driver);

#define WdfGetDriver()	linux_wdf_get_driver(&LINUX_KMDF_DRIVER)

/**
 * module_kmdf_driver() - make a module of a KMDF driver
 * @driver_entry: its DriverEntry()
 * @id_table: a table of struct hv_vmbus_device_id: the classes of VMBus devices that
 *	the driver is for, with an empty one behind the last
 *
 * Once, in a driver's Linux file. It has the module's init and exit in it; other things
 * to be done there can be done in DriverEntry() and EvtDriverUnload.
 */
#define module_kmdf_driver(driver_entry, id_table)			\
extern DRIVER_INITIALIZE driver_entry;					\
struct linux_kmdf_driver LINUX_KMDF_DRIVER = {				\
	.entry = (driver_entry),					\
	.ids = (id_table),						\
	.name = KBUILD_MODNAME,						\
};									\
static int __init driver_entry##_init(void)				\
{									\
	return linux_kmdf_register(&LINUX_KMDF_DRIVER);			\
}									\
module_init(driver_entry##_init);					\
static void __exit driver_entry##_exit(void)				\
{									\
	linux_kmdf_unregister(&LINUX_KMDF_DRIVER);			\
}									\
module_exit(driver_entry##_exit)
#else
WDFDRIVER WdfGetDriver(VOID);
#endif

#endif /* _NT_WDF_DRIVER_H */
