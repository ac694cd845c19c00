// SPDX-License-Identifier: GPL-2.0
/*
 * The driver, as Windows' framework wants it: DriverEntry to unload, and what is done
 * when a controller comes, starts, sleeps and goes.
 */
#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "disk.h"
#include "disk_client.h"

/* How long until an opening is tried again that has failed: the first time, and at most. */
#define DISK_AGAIN_MS		200
#define DISK_AGAIN_MAXIMUM_MS	3200

DRIVER_INITIALIZE DriverEntry;

static EVT_WDF_DRIVER_DEVICE_ADD DiskEvtDeviceAdd;
static EVT_WDF_DRIVER_UNLOAD DiskEvtUnload;
static EVT_WDF_DEVICE_PREPARE_HARDWARE DiskEvtPrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE DiskEvtReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY DiskEvtD0Entry;
static EVT_WDF_DEVICE_D0_EXIT DiskEvtD0Exit;
static EVT_WDF_DEVICE_SURPRISE_REMOVAL DiskEvtSurpriseRemoval;
static EVT_WDF_TIMER DiskEvtAgain;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	WDF_DRIVER_CONFIG config;

	WDF_DRIVER_CONFIG_INIT(&config, DiskEvtDeviceAdd);
	config.EvtDriverUnload = DiskEvtUnload;
	return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config,
			       WDF_NO_HANDLE);
}

static VOID DiskEvtUnload(WDFDRIVER Driver)
{
	UNREFERENCED_PARAMETER(Driver);
	DiskHostDeleteAll();
}

static NTSTATUS DiskCreateObjects(WDFDEVICE Device)
{
	PDISK disk = DiskGetContext(Device);
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_TIMER_CONFIG config;
	NTSTATUS status;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.ParentObject = Device;
	status = WdfWaitLockCreate(&attributes, &disk->Lock);
	if (!NT_SUCCESS(status))
		return status;

	WDF_TIMER_CONFIG_INIT(&config, DiskEvtAgain);
	config.AutomaticSerialization = FALSE;
	attributes.ExecutionLevel = WdfExecutionLevelPassive;
	return WdfTimerCreate(&config, &attributes, &disk->Again);
}

static NTSTATUS DiskEvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
	WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFDEVICE device;
	NTSTATUS status;

	UNREFERENCED_PARAMETER(Driver);
	WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
	callbacks.EvtDevicePrepareHardware = DiskEvtPrepareHardware;
	callbacks.EvtDeviceReleaseHardware = DiskEvtReleaseHardware;
	callbacks.EvtDeviceD0Entry = DiskEvtD0Entry;
	callbacks.EvtDeviceD0Exit = DiskEvtD0Exit;
	callbacks.EvtDeviceSurpriseRemoval = DiskEvtSurpriseRemoval;
	WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, DISK);
	status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
	return NT_SUCCESS(status) ? DiskCreateObjects(device) : status;
}

static NTSTATUS DiskEvtPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw,
				       WDFCMRESLIST ResourcesTranslated)
{
	PDISK disk = DiskGetContext(Device);
	NTSTATUS status;

	UNREFERENCED_PARAMETER(ResourcesRaw);
	UNREFERENCED_PARAMETER(ResourcesTranslated);
	status = WdfFdoQueryForInterface(Device, &KMCL_CLIENT_INTERFACE_TYPE,
					 (PINTERFACE)&disk->Kmcl, sizeof(disk->Kmcl),
					 KMCL_CLIENT_INTERFACE_VERSION_V5, NULL);
	if (!NT_SUCCESS(status))
		return status;
	return DiskCreateChannels(disk, WdfDeviceWdmGetDeviceObject(Device));
}

/* As far as the hardware was prepared. */
static NTSTATUS DiskEvtReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
	PDISK disk = DiskGetContext(Device);

	UNREFERENCED_PARAMETER(ResourcesTranslated);
	if (disk->Host)
		DiskHostDetach(disk->Host);
	disk->Host = NULL;
	DiskDeleteChannels(disk);
	if (disk->Kmcl.InterfaceDereference)
		disk->Kmcl.InterfaceDereference(disk->Kmcl.Context);
	RtlZeroMemory(&disk->Kmcl, sizeof(disk->Kmcl));
	return STATUS_SUCCESS;
}

static NTSTATUS DiskEvtD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
	PDISK disk = DiskGetContext(Device);
	NTSTATUS status;

	UNREFERENCED_PARAMETER(PreviousState);
	disk->Sleeps = FALSE;
	if (disk->Host)
		DiskHostAwake(disk->Host);
	WdfWaitLockAcquire(disk->Lock, NULL);
	status = disk->Kmcl.VmbChannelEnable(disk->Channels[0].Handle);
	disk->InD0 = (BOOLEAN)NT_SUCCESS(status);
	WdfWaitLockRelease(disk->Lock);
	return status;
}

/*
 * Where it is the guest that ends it the system has to let go of the disks first, by writing
 * what it has to write. Where the host has taken the controller away, it may bring it back;
 * and after hibernation the channels are opened again.
 */
static NTSTATUS DiskEvtD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
	PDISK disk = DiskGetContext(Device);
	BOOLEAN final = TargetState == WdfPowerDeviceD3Final && !disk->Surprise;

	if (final && disk->Host)
		DiskHostDelete(disk->Host);

	disk->Sleeps = TargetState == WdfPowerDeviceD3;
	WdfWaitLockAcquire(disk->Lock, NULL);
	disk->InD0 = FALSE;
	disk->Kmcl.VmbChannelDisable(disk->Channels[0].Handle);
	WdfWaitLockRelease(disk->Lock);
	/* It may just be looking at that. Nothing starts it from here on. */
	WdfTimerStop(disk->Again, TRUE);

	/* The controller may have come back in between, to be another one. */
	if (final && disk->Host)
		DiskHostDelete(disk->Host);
	return STATUS_SUCCESS;
}

static VOID DiskEvtSurpriseRemoval(WDFDEVICE Device)
{
	DiskGetContext(Device)->Surprise = TRUE;
}

NTSTATUS DiskRestart(PDISK Disk)
{
	VMBCHANNEL primary = Disk->Channels[0].Handle;
	NTSTATUS status = STATUS_DEVICE_NOT_READY;

	WdfWaitLockAcquire(Disk->Lock, NULL);
	if (Disk->InD0) {
		Disk->Kmcl.VmbChannelDisable(primary);
		/* It would end this try. */
		WdfTimerStop(Disk->Again, FALSE);
		status = Disk->Kmcl.VmbChannelEnable(primary);
		if (!NT_SUCCESS(status))
			DiskRetry(Disk, "the channel cannot be enabled", status);
	}
	WdfWaitLockRelease(Disk->Lock);
	return status;
}

/*
 * The channel was not opened, or the controller not initialized. Requests wait for it, and
 * what is in the way may pass: memory was short, or the host was silent for a while. So it is
 * tried for as long as the device is there. In a callback of the primary channel, or while
 * none is called.
 */
VOID DiskRetry(PDISK Disk, PCSTR What, NTSTATUS Status)
{
	/* Not for ever: it may fail for days. */
	if (Disk->AgainMs < DISK_AGAIN_MAXIMUM_MS)
		DiskLogError("%s: status %08lx\n", What, (ULONG)Status);
	if (Status == STATUS_DEVICE_REMOVED)
		return;

	if (!Disk->AgainMs)
		Disk->AgainMs = DISK_AGAIN_MS;
	else if (Disk->AgainMs < DISK_AGAIN_MAXIMUM_MS)
		Disk->AgainMs *= 2;
	WdfTimerStart(Disk->Again, WDF_REL_TIMEOUT_IN_MS(Disk->AgainMs));
}

/* It may be open by now, or closed for good: that is left alone. */
static VOID DiskEvtAgain(WDFTIMER Timer)
{
	PDISK disk = DiskGetContext(WdfTimerGetParentObject(Timer));
	NTSTATUS status;

	if (ReadNoFence(&disk->Channels[0].Ready))
		return;
	status = DiskRestart(disk);
	UNREFERENCED_PARAMETER(status);
}
