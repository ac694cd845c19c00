// SPDX-License-Identifier: GPL-2.0
/*
 * A driver of the framework, from DriverEntry on: devices with contexts, their power
 * states, a timer, a DPC and a work item, locks, memory, collections, strings.
 */
#include <ntddk.h>
#include <wdf.h>

#define FRAME_TAG	'marF'
#define FRAME_BYTES	256
#define FRAME_PERIOD	500

typedef struct _FRAME_DEVICE {
	WDFDEVICE Device;
	WDFTIMER Timer;
	WDFDPC Dpc;
	WDFWORKITEM WorkItem;
	WDFSPINLOCK Lock;
	WDFWAITLOCK Serial;
	WDFCOLLECTION Frames;
	WDFLOOKASIDE Lookaside;
	WDFSTRING Name;
	ULONG Ticks;
	BOOLEAN Running;
} FRAME_DEVICE, *PFRAME_DEVICE;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(FRAME_DEVICE, FrameGetDevice)

typedef struct _FRAME_STATISTICS {
	ULONG Sent;
	ULONG Dropped;
} FRAME_STATISTICS, *PFRAME_STATISTICS;

WDF_DECLARE_CONTEXT_TYPE(FRAME_STATISTICS)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_DEVICE_ADD FrameEvtDeviceAdd;
EVT_WDF_DRIVER_UNLOAD FrameEvtUnload;
EVT_WDF_OBJECT_CONTEXT_CLEANUP FrameEvtDeviceCleanup;
EVT_WDF_OBJECT_CONTEXT_DESTROY FrameEvtDeviceDestroy;
EVT_WDF_DEVICE_PREPARE_HARDWARE FrameEvtPrepareHardware;
EVT_WDF_DEVICE_RELEASE_HARDWARE FrameEvtReleaseHardware;
EVT_WDF_DEVICE_D0_ENTRY FrameEvtD0Entry;
EVT_WDF_DEVICE_D0_EXIT FrameEvtD0Exit;
EVT_WDF_DEVICE_SELF_MANAGED_IO_INIT FrameEvtSelfManagedIoInit;
EVT_WDF_DEVICE_SURPRISE_REMOVAL FrameEvtSurpriseRemoval;
EVT_WDF_TIMER FrameEvtTimer;
EVT_WDF_DPC FrameEvtDpc;
EVT_WDF_WORKITEM FrameEvtWorkItem;

NTSTATUS FrameCreateClock(_In_ PFRAME_DEVICE Frame);
NTSTATUS FrameCreateLocks(_In_ PFRAME_DEVICE Frame);
NTSTATUS FrameCreateName(_In_ PFRAME_DEVICE Frame, _In_ PCUNICODE_STRING Name);
NTSTATUS FrameAdd(_In_ PFRAME_DEVICE Frame, _In_reads_bytes_(Length) PVOID Data,
		  _In_ size_t Length);
WDFMEMORY FrameTake(_In_ PFRAME_DEVICE Frame);
BOOLEAN FrameTryLock(_In_ PFRAME_DEVICE Frame);

NTSTATUS
DriverEntry(
	_In_ PDRIVER_OBJECT DriverObject,
	_In_ PUNICODE_STRING RegistryPath
	)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_DRIVER_CONFIG config;
	WDFDRIVER driver;
	NTSTATUS status;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	WDF_DRIVER_CONFIG_INIT(&config, FrameEvtDeviceAdd);
	config.EvtDriverUnload = FrameEvtUnload;
	config.DriverPoolTag = FRAME_TAG;

	status = WdfDriverCreate(DriverObject, RegistryPath, &attributes, &config, &driver);
	if (!NT_SUCCESS(status))
		return status;
	NT_ASSERT(WdfGetDriver() == driver);
	return status;
}

VOID
FrameEvtUnload(
	_In_ WDFDRIVER Driver
	)
{
	UNREFERENCED_PARAMETER(Driver);
}

NTSTATUS
FrameEvtDeviceAdd(
	_In_ WDFDRIVER Driver,
	_Inout_ PWDFDEVICE_INIT DeviceInit
	)
{
	WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
	WDF_OBJECT_ATTRIBUTES attributes;
	PFRAME_STATISTICS statistics;
	PFRAME_DEVICE frame;
	WDFDEVICE device;
	NTSTATUS status;

	UNREFERENCED_PARAMETER(Driver);

	WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoDirect);
	WdfDeviceInitSetExclusive(DeviceInit, TRUE);

	WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
	callbacks.EvtDevicePrepareHardware = FrameEvtPrepareHardware;
	callbacks.EvtDeviceReleaseHardware = FrameEvtReleaseHardware;
	callbacks.EvtDeviceD0Entry = FrameEvtD0Entry;
	callbacks.EvtDeviceD0Exit = FrameEvtD0Exit;
	callbacks.EvtDeviceSelfManagedIoInit = FrameEvtSelfManagedIoInit;
	callbacks.EvtDeviceSurpriseRemoval = FrameEvtSurpriseRemoval;
	WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);

	WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, FRAME_DEVICE);
	attributes.EvtCleanupCallback = FrameEvtDeviceCleanup;
	attributes.EvtDestroyCallback = FrameEvtDeviceDestroy;
	attributes.ExecutionLevel = WdfExecutionLevelDispatch;
	attributes.SynchronizationScope = WdfSynchronizationScopeNone;
	status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
	if (!NT_SUCCESS(status))
		return status;

	frame = FrameGetDevice(device);
	frame->Device = device;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(&attributes, FRAME_STATISTICS);
	status = WdfObjectAllocateContext(device, &attributes, (PVOID *)&statistics);
	if (!NT_SUCCESS(status))
		return status;
	NT_ASSERT(WdfObjectContextGetObject(statistics) == device);

	status = FrameCreateLocks(frame);
	if (NT_SUCCESS(status))
		status = FrameCreateClock(frame);
	return status;
}

NTSTATUS
FrameCreateLocks(
	_In_ PFRAME_DEVICE Frame
	)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	NTSTATUS status;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.ParentObject = Frame->Device;

	status = WdfSpinLockCreate(&attributes, &Frame->Lock);
	if (!NT_SUCCESS(status))
		return status;
	status = WdfWaitLockCreate(&attributes, &Frame->Serial);
	if (!NT_SUCCESS(status))
		return status;
	status = WdfCollectionCreate(&attributes, &Frame->Frames);
	if (!NT_SUCCESS(status))
		return status;
	return WdfLookasideListCreate(&attributes, FRAME_BYTES, NonPagedPoolNx,
				      WDF_NO_OBJECT_ATTRIBUTES, FRAME_TAG, &Frame->Lookaside);
}

NTSTATUS
FrameCreateClock(
	_In_ PFRAME_DEVICE Frame
	)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	WDF_WORKITEM_CONFIG item;
	WDF_TIMER_CONFIG timer;
	WDF_DPC_CONFIG dpc;
	NTSTATUS status;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.ParentObject = Frame->Device;

	WDF_TIMER_CONFIG_INIT_PERIODIC(&timer, FrameEvtTimer, FRAME_PERIOD);
	timer.AutomaticSerialization = FALSE;
	status = WdfTimerCreate(&timer, &attributes, &Frame->Timer);
	if (!NT_SUCCESS(status))
		return status;

	WDF_DPC_CONFIG_INIT(&dpc, FrameEvtDpc);
	dpc.AutomaticSerialization = FALSE;
	status = WdfDpcCreate(&dpc, &attributes, &Frame->Dpc);
	if (!NT_SUCCESS(status))
		return status;

	WDF_WORKITEM_CONFIG_INIT(&item, FrameEvtWorkItem);
	return WdfWorkItemCreate(&item, &attributes, &Frame->WorkItem);
}

NTSTATUS
FrameCreateName(
	_In_ PFRAME_DEVICE Frame,
	_In_ PCUNICODE_STRING Name
	)
{
	WDF_OBJECT_ATTRIBUTES attributes;
	UNICODE_STRING copy;
	NTSTATUS status;

	WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
	attributes.ParentObject = Frame->Device;
	status = WdfStringCreate(Name, &attributes, &Frame->Name);
	if (!NT_SUCCESS(status))
		return status;
	WdfStringGetUnicodeString(Frame->Name, &copy);
	return copy.Length == Name->Length ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

VOID
FrameEvtDeviceCleanup(
	_In_ WDFOBJECT Object
	)
{
	PFRAME_DEVICE frame = FrameGetDevice(Object);

	frame->Running = FALSE;
}

VOID
FrameEvtDeviceDestroy(
	_In_ WDFOBJECT Object
	)
{
	RtlZeroMemory(WdfObjectGet_FRAME_STATISTICS(Object), sizeof(FRAME_STATISTICS));
}

NTSTATUS
FrameEvtPrepareHardware(
	_In_ WDFDEVICE Device,
	_In_ WDFCMRESLIST ResourcesRaw,
	_In_ WDFCMRESLIST ResourcesTranslated
	)
{
	UNREFERENCED_PARAMETER(ResourcesRaw);

	if (WdfCmResourceListGetCount(ResourcesTranslated) > 1)
		return STATUS_NOT_SUPPORTED;
	return WdfDeviceWdmGetDeviceObject(Device) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

NTSTATUS
FrameEvtReleaseHardware(
	_In_ WDFDEVICE Device,
	_In_ WDFCMRESLIST ResourcesTranslated
	)
{
	PFRAME_DEVICE frame = FrameGetDevice(Device);

	UNREFERENCED_PARAMETER(ResourcesTranslated);

	while (WdfCollectionGetCount(frame->Frames) > 0) {
		WDFOBJECT memory = WdfCollectionGetFirstItem(frame->Frames);

		WdfCollectionRemoveItem(frame->Frames, 0);
		WdfObjectDelete(memory);
	}
	return STATUS_SUCCESS;
}

NTSTATUS
FrameEvtD0Entry(
	_In_ WDFDEVICE Device,
	_In_ WDF_POWER_DEVICE_STATE PreviousState
	)
{
	PFRAME_DEVICE frame = FrameGetDevice(Device);

	if (PreviousState == WdfPowerDeviceD3Final)
		frame->Ticks = 0;
	frame->Running = TRUE;
	return STATUS_SUCCESS;
}

NTSTATUS
FrameEvtD0Exit(
	_In_ WDFDEVICE Device,
	_In_ WDF_POWER_DEVICE_STATE TargetState
	)
{
	PFRAME_DEVICE frame = FrameGetDevice(Device);

	UNREFERENCED_PARAMETER(TargetState);

	frame->Running = FALSE;
	WdfTimerStop(frame->Timer, TRUE);
	WdfDpcCancel(frame->Dpc, TRUE);
	WdfWorkItemFlush(frame->WorkItem);
	return STATUS_SUCCESS;
}

NTSTATUS
FrameEvtSelfManagedIoInit(
	_In_ WDFDEVICE Device
	)
{
	PFRAME_DEVICE frame = FrameGetDevice(Device);

	WdfTimerStart(frame->Timer, WDF_REL_TIMEOUT_IN_MS(FRAME_PERIOD));
	return STATUS_SUCCESS;
}

VOID
FrameEvtSurpriseRemoval(
	_In_ WDFDEVICE Device
	)
{
	FrameGetDevice(Device)->Running = FALSE;
}

VOID
FrameEvtTimer(
	_In_ WDFTIMER Timer
	)
{
	PFRAME_DEVICE frame = FrameGetDevice(WdfTimerGetParentObject(Timer));

	WdfSpinLockAcquire(frame->Lock);
	frame->Ticks++;
	WdfSpinLockRelease(frame->Lock);
	WdfDpcEnqueue(frame->Dpc);
}

VOID
FrameEvtDpc(
	_In_ WDFDPC Dpc
	)
{
	WdfWorkItemEnqueue(FrameGetDevice(WdfDpcGetParentObject(Dpc))->WorkItem);
}

VOID
FrameEvtWorkItem(
	_In_ WDFWORKITEM WorkItem
	)
{
	PFRAME_DEVICE frame = FrameGetDevice(WdfWorkItemGetParentObject(WorkItem));
	PFRAME_STATISTICS statistics = WdfObjectGetTypedContext(frame->Device, FRAME_STATISTICS);
	WDFMEMORY memory;

	WdfWaitLockAcquire(frame->Serial, NULL);
	memory = FrameTake(frame);
	if (memory) {
		statistics->Sent++;
		WdfObjectDelete(memory);
	}
	WdfWaitLockRelease(frame->Serial);
	if (!frame->Running)
		WdfDeviceSetFailed(frame->Device, WdfDeviceFailedNoRestart);
}

NTSTATUS
FrameAdd(
	_In_ PFRAME_DEVICE Frame,
	_In_reads_bytes_(Length) PVOID Data,
	_In_ size_t Length
	)
{
	WDFMEMORY memory;
	NTSTATUS status;
	PVOID buffer;
	size_t size;

	if (Length > FRAME_BYTES)
		status = WdfMemoryCreate(WDF_NO_OBJECT_ATTRIBUTES, NonPagedPoolNx, FRAME_TAG,
					 Length, &memory, &buffer);
	else
		status = WdfMemoryCreateFromLookaside(Frame->Lookaside, &memory);
	if (!NT_SUCCESS(status))
		return status;

	buffer = WdfMemoryGetBuffer(memory, &size);
	RtlZeroMemory(buffer, size);
	status = WdfMemoryCopyFromBuffer(memory, 0, Data, Length);
	if (NT_SUCCESS(status))
		status = WdfCollectionAdd(Frame->Frames, memory);
	if (!NT_SUCCESS(status)) {
		WdfObjectGet_FRAME_STATISTICS(Frame->Device)->Dropped++;
		WdfObjectDelete(memory);
	}
	return status;
}

WDFMEMORY
FrameTake(
	_In_ PFRAME_DEVICE Frame
	)
{
	WDFMEMORY memory = (WDFMEMORY)WdfCollectionGetLastItem(Frame->Frames);

	if (memory != NULL) {
		WdfObjectReference(memory);
		WdfCollectionRemove(Frame->Frames, memory);
		WdfObjectDereference(memory);
	}
	return memory;
}

BOOLEAN
FrameTryLock(
	_In_ PFRAME_DEVICE Frame
	)
{
	LONGLONG timeout = 0;

	return WdfWaitLockAcquire(Frame->Serial, &timeout) == STATUS_SUCCESS;
}
