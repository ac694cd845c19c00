// SPDX-License-Identifier: GPL-2.0
/*
 * A driver's source as there may be: scripts/lint compiles it as C and as C++ against
 * Windows' headers, as mingw-w64 has them, and as C for Linux without any flag. It uses
 * each table by its plain names, every form of callback, and the functions that make
 * structures. Under IGNORES it looks away from every result that is to be looked at: the
 * compiler has to say so, once for each line marked "ignored".
 */
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <vmbuskernelmodeclientlibapi.h>

/* On Linux without a flag, too. */
C_ASSERT((CHAR)-1 < 0);

/* Tables that a driver has, by every name of their types. */
static KMCL_CLIENT_INTERFACE_V1 First;
static KMCL_CLIENT_INTERFACE_V2 Second;
static KMCL_CLIENT_INTERFACE_V3 Third;
static KMCL_CLIENT_INTERFACE_V4 Fourth;
static KMCL_CLIENT_INTERFACE_V5 Latest;
static KMCL_SERVER_INTERFACE_V1 FirstServer;
static KMCL_SERVER_INTERFACE_V5 LatestServer;

static EVT_VMB_CHANNEL_OPENED Opened;
static EVT_VMB_CHANNEL_CLOSED Closed;
static EVT_VMB_CHANNEL_OPENED_EX OpenedEx;
static EVT_VMB_CHANNEL_CLOSED_EX ClosedEx;
static EVT_VMB_CHANNEL_PROCESS_PACKET Process;
static EVT_VMB_CHANNEL_PROCESS_PACKET_EX ProcessEx;
static EVT_VMB_CHANNEL_PROCESSING_COMPLETE_EX ProcessedEx;
static EVT_VMB_PACKET_COMPLETION_ROUTINE Routine;
static EVT_VMB_PACKET_COMPLETION_ROUTINE_EX RoutineEx;
static EVT_VMB_CHANNEL_SAVE_PACKET_EX SaveEx;
static EVT_VMB_CHANNEL_RESTORE_PACKET_EX RestoreEx;

/* Drivers say this word of functions of their own as well. */
static PVOID FASTCALL Pointer(VMBCHANNEL Channel)
{
	PFN_VMB_CHANNEL_GET_POINTER Get = Latest.VmbChannelGetPointer;

	return Get(Channel);
}

static NTSTATUS Opened(VMBCHANNEL Channel)
{
	return Pointer(Channel) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID Closed(VMBCHANNEL Channel)
{
	First.VmbChannelSetPointer(Channel, NULL);
}

static NTSTATUS OpenedEx(VMBCHANNEL Channel, PVOID Context)
{
	return Pointer(Channel) == Context ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static VOID ClosedEx(VMBCHANNEL Channel, PVOID Context)
{
	PDEVICE_OBJECT Target, Parent;

	Second.VmbChannelGetTargetDeviceObject(Channel, &Target);
	Second.VmbChannelGetParentDeviceObject(Channel, &Parent);
}

static VOID Process(VMBCHANNEL Channel, VMBPACKETCOMPLETION Packet, PVOID Buffer,
		    UINT32 Length, UINT32 Flags)
{
	if (Second.VmbChannelPacketGetClientContext(Packet) && Length && !Flags)
		First.VmbChannelPacketComplete(Packet, Buffer, Length);
	else
		First.VmbChannelPacketFail(Packet);
}

static VOID ProcessEx(VMBCHANNEL Channel, PVOID Context, VMBPACKETCOMPLETION Packet,
		      PVOID Buffer, UINT32 Length, UINT32 Flags)
{
	Process(Channel, Packet, Buffer, Length, Flags);
}

static VOID ProcessedEx(VMBCHANNEL Channel, PVOID Context, UINT32 Packets)
{
	Latest.VmbChannelSetAllowableDpcCpuUsage(Channel, 50);
}

static VOID Routine(VMBPACKET Packet, NTSTATUS Status, PVOID Buffer, UINT32 Length)
{
	if (!NT_SUCCESS(Status))
		Latest.VmbPacketFree(Packet);
	else
		Latest.VmbPacketSetCompletionRoutineEx(Packet, &Latest, RoutineEx);
}

static VOID RoutineEx(VMBPACKET Packet, PVOID Context, NTSTATUS Status, PVOID Buffer,
		      UINT32 Length)
{
	PULONG Mine = (PULONG)Latest.VmbPacketGetInlinePacketContextPointer(Packet);

	++*Mine;
	Latest.VmbPacketSetCompletionRoutine(Packet, Routine);
}

static NTSTATUS SaveEx(VMBCHANNEL Channel, PVOID Context, VMBPACKET Packet, PVOID Buffer,
		       UINT32 Size, PUINT32 Needed)
{
	*Needed = 0;
	return STATUS_SUCCESS;
}

static NTSTATUS RestoreEx(VMBCHANNEL Channel, PVOID Context, PVOID LibBuf, UINT32 LibBufSize,
			  PVOID Buffer, UINT32 Size)
{
	VMBPACKET Packet = LatestServer.VmbPacketAllocate(Channel);

	return Packet ? LatestServer.VmbPacketRestore(Packet, LibBuf, LibBufSize) :
			STATUS_INSUFFICIENT_RESOURCES;
}

typedef NTSTATUS CLIENT_QUERY(WDFDEVICE Device, WDFIOTARGET Target);
typedef NTSTATUS CLIENT_MAKE(VMBCHANNEL Channel, PDEVICE_OBJECT Parent, VMBCHANNEL *Another);
typedef NTSTATUS CLIENT_SEND(VMBCHANNEL Channel, VMBPACKET Packet, PMDL Mdl);
typedef NTSTATUS SERVER_MAKE(VMBCHANNEL Channel);

CLIENT_QUERY ClientQuery;
CLIENT_MAKE ClientMake;
CLIENT_SEND ClientSend;
SERVER_MAKE ServerMake;

#define QUERY(Type, Table, Version)						\
	WdfFdoQueryForInterface(Device, &(Type), (PINTERFACE)&(Table),		\
				sizeof(Table), Version, NULL)

NTSTATUS ClientQuery(WDFDEVICE Device, WDFIOTARGET Target)
{
	NTSTATUS Status;

	Status = QUERY(KMCL_CLIENT_INTERFACE_TYPE, First, KMCL_CLIENT_INTERFACE_VERSION_LATEST);
	if (!NT_SUCCESS(Status))
		return Status;
	if (First.Size < sizeof(First) || First.Version != First.Interface.Version)
		return STATUS_NOT_SUPPORTED;
	First.InterfaceReference(First.Context);
	First.InterfaceDereference(First.Context);
	Status = QUERY(KMCL_CLIENT_INTERFACE_TYPE, Second, KMCL_CLIENT_INTERFACE_VERSION_V2);
	if (NT_SUCCESS(Status))
		Status = QUERY(KMCL_CLIENT_INTERFACE_TYPE, Third,
			       KMCL_CLIENT_INTERFACE_VERSION_V3);
	if (NT_SUCCESS(Status))
		Status = QUERY(KMCL_CLIENT_INTERFACE_TYPE, Fourth,
			       KMCL_CLIENT_INTERFACE_VERSION_V4);
	if (NT_SUCCESS(Status))
		Status = QUERY(KMCL_SERVER_INTERFACE_TYPE, FirstServer,
			       KMCL_SERVER_INTERFACE_VERSION_V1);
	if (NT_SUCCESS(Status))
		Status = QUERY(KMCL_SERVER_INTERFACE_TYPE, LatestServer,
			       KMCL_SERVER_INTERFACE_VERSION_V5);
	if (NT_SUCCESS(Status))
		Status = WdfIoTargetQueryForInterface(Target, &KMCL_CLIENT_INTERFACE_TYPE,
						      (PINTERFACE)&Latest, sizeof(Latest),
						      KMCL_CLIENT_INTERFACE_VERSION_V5, NULL);
	return Status;
}

NTSTATUS ClientMake(VMBCHANNEL Channel, PDEVICE_OBJECT Parent, VMBCHANNEL *Another)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 Callbacks;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS Old;
	NTSTATUS Status;

	Status = Latest.VmbChannelInitialize(Parent, FALSE, Channel,
					     Latest.VmbSizeofChannel());
	if (!NT_SUCCESS(Status))
		return Status;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&Old);
	Old.EvtChannelOpened = Opened;
	Old.EvtChannelClosed = Closed;
	Latest.VmbChannelInitSetStateChangeCallbacks(Channel, &Old);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&Callbacks);
	Callbacks.CallbackContext = &Latest;
	Callbacks.EvtChannelOpened = OpenedEx;
	Callbacks.EvtChannelClosed = ClosedEx;
	Latest.VmbChannelInitSetStateChangeCallbacks(Channel,
						     (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)
						     &Callbacks);
	Latest.VmbChannelInitSetProcessPacketCallbacks(Channel, Process, NULL);
	Latest.VmbChannelInitSetProcessPacketCallbacksEx(Channel, &Latest, ProcessEx,
							 ProcessedEx);
	Third.VmbChannelInitSetBounceBufferSizes(Channel, 4096, 0, 0);
	Fourth.VmbChannelInitSetMaximumPacketCount(Channel, 8);
	Latest.VmbChannelInitSetInlinePacketContextSize(Channel, sizeof(ULONG));
	Latest.VmbClientChannelInitSetTargetProcessorIndex(Channel, 0);
	Status = Latest.VmbChannelAllocate(Parent, FALSE, Another);
	if (NT_SUCCESS(Status))
		Status = Latest.VmbChannelInitSetPrimaryChannel(*Another, Channel, 1);
	if (NT_SUCCESS(Status))
		Status = Latest.VmbChannelEnable(Channel);
	return Status;
}

NTSTATUS ClientSend(VMBCHANNEL Channel, VMBPACKET Packet, PMDL Mdl)
{
	ULONG Flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION |
		      VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY;
	PFN_VMB_PACKET_SEND Send = Latest.VmbPacketSend;
	NTSTATUS Status;
	UINT32 Handle;

	Status = Latest.VmbChannelCreateGpadlFromPfnList(Channel,
							 VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
							 MmGetMdlPfnArray(Mdl), 1, &Handle);
	if (!NT_SUCCESS(Status))
		return Status;
	Latest.VmbPacketSetCompletionRoutine(Packet, Routine);
	return Send(Packet, &Handle, sizeof(Handle), Mdl, Flags);
}

NTSTATUS ServerMake(VMBCHANNEL Channel)
{
	ULONG Flags = VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER |
		      VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL;

	FirstServer.VmbServerChannelInitSetMmioMegabytes(Channel, 1, 0);
#ifdef __cplusplus
	/* In C++ the table ends with the function before this one, which is exported, too. */
	VmbServerChannelInitSetSaveRestorePacketCallbacksEx(Channel, &Latest, SaveEx, RestoreEx);
#else
	LatestServer.VmbServerChannelInitSetSaveRestorePacketCallbacksEx(Channel, &Latest, SaveEx,
									 RestoreEx);
#endif
	return LatestServer.VmbServerChannelInitSetFlags(Channel, Flags);
}

#ifdef IGNORES
typedef VOID IGNORE(VMBCHANNEL Channel, PVOID Buffer, ULONG Size);
IGNORE Ignore;

VOID Ignore(VMBCHANNEL Channel, PVOID Buffer, ULONG Size)
{
	PFN_VMB_CHANNEL_ENABLE Enable = Latest.VmbChannelEnable;

	Enable(Channel);						/* ignored */
	VmbChannelEnable(Channel);					/* ignored */
	First.VmbChannelEnable(Channel);				/* ignored */
	Latest.VmbChannelEnable(Channel);				/* ignored */
	LatestServer.VmbChannelEnable(Channel);				/* ignored */
	VmbChannelSetInterruptLatency(Channel, 1, NULL);		/* ignored */
	Latest.VmbChannelSetInterruptLatency(Channel, 1, NULL);		/* ignored */
	VmbChannelSaveBegin(Channel);					/* ignored */
	LatestServer.VmbChannelSaveBegin(Channel);			/* ignored */
	VmbChannelSaveContinue(Channel, Buffer, Size, &Size, NULL);	/* ignored */
	FirstServer.VmbChannelSaveContinue(Channel, Buffer, Size, &Size, NULL);	/* ignored */
	VmbChannelRestoreFromBuffer(Channel, Buffer, Size);		/* ignored */
	LatestServer.VmbChannelRestoreFromBuffer(Channel, Buffer, Size);	/* ignored */
}
#endif
