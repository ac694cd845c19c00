// SPDX-License-Identifier: GPL-2.0
/*
 * The driver, as Windows' framework wants it: DriverEntry to unload, and what is done
 * when a device comes, starts, sleeps and goes. There may be several devices; each has
 * a channel and all else in the context of its device object.
 */
#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "dynmem.h"
#include "dynmem_client.h"

#define DYNMEM_REPORT_MS	1000

DRIVER_INITIALIZE DriverEntry;

static EVT_WDF_DRIVER_DEVICE_ADD DynmemEvtDeviceAdd;
static EVT_WDF_OBJECT_CONTEXT_CLEANUP DynmemEvtDeviceCleanup;
static EVT_WDF_DEVICE_PREPARE_HARDWARE DynmemEvtPrepareHardware;
static EVT_WDF_DEVICE_RELEASE_HARDWARE DynmemEvtReleaseHardware;
static EVT_WDF_DEVICE_D0_ENTRY DynmemEvtD0Entry;
static EVT_WDF_DEVICE_D0_EXIT DynmemEvtD0Exit;
static EVT_WDF_TIMER DynmemEvtTimer;
static EVT_WDF_WORKITEM DynmemEvtReport;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
	WDF_DRIVER_CONFIG config;

	WDF_DRIVER_CONFIG_INIT(&config, DynmemEvtDeviceAdd);
	return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config,
			       WDF_NO_HANDLE);
}

/* A timer's function is not called where memory can be looked at: a work item's is. */
static NTSTATUS DynmemCreateClock(PDYNMEM Dynmem, WDFDEVICE Device)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_WORKITEM_CONFIG report;
	WDF_TIMER_CONFIG timer;
	NTSTATUS status;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.ParentObject = Device;
	WDF_WORKITEM_CONFIG_INIT(&report, DynmemEvtReport);
	status = WdfWorkItemCreate(&report, &attributes, &Dynmem->Report);
	if (!NT_SUCCESS(status))
		return status;

	WDF_TIMER_CONFIG_INIT_PERIODIC(&timer, DynmemEvtTimer, DYNMEM_REPORT_MS);
	return WdfTimerCreate(&timer, &attributes, &Dynmem->Timer);
}

static NTSTATUS DynmemEvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
	WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
	WDF_OBJECT_ATTRIBUTES attributes;
	WDFDEVICE device;
	NTSTATUS status;
	PDYNMEM dynmem;

	UNREFERENCED_PARAMETER(Driver);
	WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
	callbacks.EvtDevicePrepareHardware = DynmemEvtPrepareHardware;
	callbacks.EvtDeviceReleaseHardware = DynmemEvtReleaseHardware;
	callbacks.EvtDeviceD0Entry = DynmemEvtD0Entry;
	callbacks.EvtDeviceD0Exit = DynmemEvtD0Exit;
	WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, DYNMEM);
	attributes.EvtCleanupCallback = DynmemEvtDeviceCleanup;
	status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
	if (!NT_SUCCESS(status))
		return status;

	/* What fails from here on is undone by the device's end. */
	dynmem = DynmemGetContext(device);
	status = DynmemPagesCreate(&dynmem->Pages);
	if (!NT_SUCCESS(status))
		return status;
	return DynmemCreateClock(dynmem, device);
}

static VOID DynmemEvtDeviceCleanup(WDFOBJECT Device)
{
	PDYNMEM dynmem = DynmemGetContext(Device);

	if (dynmem->Pages)
		DynmemPagesDelete(dynmem->Pages);
}

static NTSTATUS DynmemEvtPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw,
					 WDFCMRESLIST ResourcesTranslated)
{
	PDYNMEM dynmem = DynmemGetContext(Device);
	NTSTATUS status;

	UNREFERENCED_PARAMETER(ResourcesRaw);
	UNREFERENCED_PARAMETER(ResourcesTranslated);
	status = WdfFdoQueryForInterface(Device, &KMCL_CLIENT_INTERFACE_TYPE,
					 (PINTERFACE)&dynmem->Kmcl, sizeof(dynmem->Kmcl),
					 KMCL_CLIENT_INTERFACE_VERSION_V5, NULL);
	if (!NT_SUCCESS(status))
		return status;
	return DynmemCreateChannel(dynmem, WdfDeviceWdmGetDeviceObject(Device));
}

/* As far as the hardware was prepared. */
static NTSTATUS DynmemEvtReleaseHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesTranslated)
{
	PDYNMEM dynmem = DynmemGetContext(Device);

	UNREFERENCED_PARAMETER(ResourcesTranslated);
	DynmemDeleteChannel(dynmem);
	if (dynmem->Kmcl.InterfaceDereference)
		dynmem->Kmcl.InterfaceDereference(dynmem->Kmcl.Context);
	RtlZeroMemory(&dynmem->Kmcl, sizeof(dynmem->Kmcl));
	return STATUS_SUCCESS;
}

static NTSTATUS DynmemEvtD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
	PDYNMEM dynmem = DynmemGetContext(Device);
	NTSTATUS status;

	UNREFERENCED_PARAMETER(PreviousState);
	status = dynmem->Kmcl.VmbChannelEnable(dynmem->Channel);
	if (!NT_SUCCESS(status))
		return status;
	dynmem->Kmcl.VmbChannelStart(dynmem->Channel);
	WdfTimerStart(dynmem->Timer, WDF_REL_TIMEOUT_IN_MS(DYNMEM_REPORT_MS));
	return STATUS_SUCCESS;
}

static NTSTATUS DynmemEvtD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
	PDYNMEM dynmem = DynmemGetContext(Device);

	UNREFERENCED_PARAMETER(TargetState);
	WdfTimerStop(dynmem->Timer, TRUE);
	WdfWorkItemFlush(dynmem->Report);

	/* A request to give pages away that is under way ends by itself. */
	InterlockedExchange(&dynmem->State, DynmemStateClosed);
	dynmem->Kmcl.VmbChannelDisable(dynmem->Channel);
	DynmemLog("stopped, %llu pages (%llu MiB) of the balloon taken back\n",
		  dynmem->Emptied, dynmem->Emptied / DYNMEM_PAGES_PER_MIB);
	return STATUS_SUCCESS;
}

static VOID DynmemEvtTimer(WDFTIMER Timer)
{
	WdfWorkItemEnqueue(DynmemGetContext(WdfTimerGetParentObject(Timer))->Report);
}

static VOID DynmemEvtReport(WDFWORKITEM WorkItem)
{
	DynmemReportStatus(DynmemGetContext(WdfWorkItemGetParentObject(WorkItem)));
}
