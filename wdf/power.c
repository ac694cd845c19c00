// SPDX-License-Identifier: GPL-2.0
/*
 * A device's callbacks, in Windows' order. All of it is called by the device's work
 * (pnp.c).
 *
 *	start	PrepareHardware, D0Entry, D0EntryPostInterruptsEnabled, SelfManagedIoInit
 *	down	SelfManagedIoSuspend, D0ExitPreInterruptsDisabled, D0Exit
 *	up	D0Entry, D0EntryPostInterruptsEnabled, SelfManagedIoRestart
 *	remove	SurpriseRemoval where it is one, down unless it is down, ReleaseHardware,
 *		SelfManagedIoFlush, SelfManagedIoCleanup
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "framework.h"

static NTSTATUS wdf_power_report(struct wdf_device *device, const char *callback,
				 NTSTATUS status)
{
	if (!NT_SUCCESS(status))
		pr_err("%pUl: %s: status %08x\n", &device->kmcl.instance, callback, status);
	return status;
}

#define WDF_HANDLE(device)	((WDFDEVICE)(device))

/* The two kinds of callbacks, where the driver has one. */
#define WDF_TRY(device, callback, ...)	((device)->callbacks.callback ?	\
	wdf_power_report(device, #callback,				\
			 (device)->callbacks.callback(WDF_HANDLE(device), ##__VA_ARGS__)) : \
	STATUS_SUCCESS)

#define WDF_TELL(device, callback) do {					\
	if ((device)->callbacks.callback)				\
		(device)->callbacks.callback(WDF_HANDLE(device));	\
} while (0)

/* After an EvtDeviceD0Entry that fails there is no EvtDeviceD0Exit. */
static NTSTATUS wdf_power_enter(struct wdf_device *device, WDF_POWER_DEVICE_STATE from)
{
	NTSTATUS status = WDF_TRY(device, EvtDeviceD0Entry, from);

	if (!NT_SUCCESS(status))
		return status;
	device->in_d0 = true;
	return WDF_TRY(device, EvtDeviceD0EntryPostInterruptsEnabled, from);
}

/* Into D0 for the first time. False: it has failed, and has to be removed. */
bool wdf_power_start(struct wdf_device *device)
{
	NTSTATUS status;

	/* EvtDeviceReleaseHardware comes even if this one fails. */
	device->prepared = true;
	status = WDF_TRY(device, EvtDevicePrepareHardware, NULL, NULL);
	if (NT_SUCCESS(status))
		status = wdf_power_enter(device, WdfPowerDeviceD3Final);
	if (!NT_SUCCESS(status))
		return false;

	status = WDF_TRY(device, EvtDeviceSelfManagedIoInit);
	device->self_managed = NT_SUCCESS(status) ? WDF_SELF_RUNS : WDF_SELF_SUSPENDED;
	return NT_SUCCESS(status);
}

void wdf_power_down(struct wdf_device *device, WDF_POWER_DEVICE_STATE target)
{
	if (device->self_managed == WDF_SELF_RUNS) {
		WDF_TRY(device, EvtDeviceSelfManagedIoSuspend);
		device->self_managed = WDF_SELF_SUSPENDED;
	}
	if (device->in_d0) {
		WDF_TRY(device, EvtDeviceD0ExitPreInterruptsDisabled, target);
		WDF_TRY(device, EvtDeviceD0Exit, target);
		device->in_d0 = false;
	}
}

/* Into D0 again. False: it has failed, and has to be removed. */
bool wdf_power_up(struct wdf_device *device)
{
	NTSTATUS status = wdf_power_enter(device, WdfPowerDeviceD3);

	if (!NT_SUCCESS(status))
		return false;
	status = WDF_TRY(device, EvtDeviceSelfManagedIoRestart);
	if (NT_SUCCESS(status))
		device->self_managed = WDF_SELF_RUNS;
	return NT_SUCCESS(status);
}

void wdf_power_remove(struct wdf_device *device, bool surprise)
{
	if (surprise)
		WDF_TELL(device, EvtDeviceSurpriseRemoval);
	wdf_power_down(device, WdfPowerDeviceD3Final);
	if (device->prepared)
		WDF_TRY(device, EvtDeviceReleaseHardware, NULL);
	device->prepared = false;
	if (device->self_managed != WDF_SELF_NONE) {
		WDF_TELL(device, EvtDeviceSelfManagedIoFlush);
		WDF_TELL(device, EvtDeviceSelfManagedIoCleanup);
	}
	device->self_managed = WDF_SELF_NONE;
}
