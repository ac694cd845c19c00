// SPDX-License-Identifier: GPL-2.0
/*
 * The channels of the integration services: set up and torn down, versions agreed upon,
 * messages checked and handed to their service, answers sent.
 *
 * Everything here is said in KMCL's and Windows' words. It compiles on Windows' headers as
 * on this project's.
 */
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "ic.h"
#include "ic_proto.h"

#define IC_POOL_TAG		0x73766349	/* "Icvs" */

static EVT_VMB_CHANNEL_OPENED_EX IcEvtChannelOpened;
static EVT_VMB_CHANNEL_CLOSED_EX IcEvtChannelClosed;
static EVT_VMB_CHANNEL_PNP_FAILURE IcEvtChannelPnpFailure;
static EVT_VMB_CHANNEL_PROCESS_PACKET_EX IcEvtProcessPacket;
static EVT_VMB_PACKET_COMPLETION_ROUTINE_EX IcEvtAnswerSent;

/* The best first. */
static const IC_VERSION IcFrameworks[] = { { 3, 0 }, { 1, 0 }, { 0, 0 } };

static KMCL_CLIENT_INTERFACE_V5 IcKmcl;
static IC_SERVICE IcServices[IC_KINDS];

/*
 * Help for all services
 */

VOID IcComplain(PIC_SERVICE Service, PCSTR What)
{
	if (Service->Complaints >= IC_COMPLAINTS_MAXIMUM)
		return;

	Service->Complaints++;
	IcLogError(Service, "%s%s\n", What, Service->Complaints == IC_COMPLAINTS_MAXIMUM ?
		   " (no more of this will be logged)" : "");
}

/* The message has become its answer, but for the header. */
VOID IcAnswer(PIC_SERVICE Service, UINT32 Status)
{
	PIC_HEADER header = &Service->Message.Header;
	NTSTATUS status;

	header->Status = Status;
	header->Flags = IC_FLAG_TRANSACTION | IC_FLAG_RESPONSE;
	if (InterlockedCompareExchange(&Service->PacketBusy, 1, 0)) {
		IcComplain(Service, "the host has not read the last answer, so it gets no other");
		return;
	}
	status = IcKmcl.VmbPacketSend(Service->Packet, header, sizeof(*header) + header->Size,
				      NULL, 0);
	if (!NT_SUCCESS(status)) {
		InterlockedExchange(&Service->PacketBusy, 0);
		IcComplain(Service, "an answer was not sent");
	}
}

VOID IcRefuse(PIC_SERVICE Service, PCSTR Why)
{
	IcComplain(Service, Why);
	IcAnswer(Service, IC_STATUS_FAILED);
}

_Use_decl_annotations_
static VOID IcEvtAnswerSent(VMBPACKET Packet, PVOID Context, NTSTATUS Status, PVOID Buffer,
			    UINT32 BufferLength)
{
	PIC_SERVICE service = Context;

	/* Sent or not: the next answer is another one's. */
	UNREFERENCED_PARAMETER(Packet);
	UNREFERENCED_PARAMETER(Status);
	UNREFERENCED_PARAMETER(Buffer);
	UNREFERENCED_PARAMETER(BufferLength);
	InterlockedExchange(&service->PacketBusy, 0);
}

/*
 * Versions
 */

/* The best of our versions that is among the host's; 0.0 if there is none. */
static IC_VERSION IcChoose(const IC_VERSION *Ours, const UINT8 *Theirs, UINT32 Count)
{
	IC_VERSION version;
	UINT32 i;

	for (; Ours->Major; Ours++) {
		for (i = 0; i < Count; i++) {
			RtlCopyMemory(&version, Theirs + i * sizeof(version), sizeof(version));
			if (version.Major == Ours->Major && version.Minor == Ours->Minor)
				return version;
		}
	}
	return *Ours;
}

/*
 * The host's two lists are in the message, as long as it says that they are. Where nothing
 * comes of that, what was agreed upon before still holds.
 */
static BOOLEAN IcAgree(PIC_SERVICE Service, const UINT8 *Body, UINT32 Length)
{
	const UINT8 *lists = Body + sizeof(IC_NEGOTIATE);
	IC_VERSION framework, version;
	IC_NEGOTIATE head;

	if (Length < sizeof(head))
		return FALSE;
	RtlCopyMemory(&head, Body, sizeof(head));
	if ((UINT32)head.FrameworkCount + head.VersionCount >
	    (Length - sizeof(head)) / sizeof(IC_VERSION))
		return FALSE;

	framework = IcChoose(IcFrameworks, lists, head.FrameworkCount);
	version = IcChoose(Service->Kind->Versions,
			   lists + head.FrameworkCount * sizeof(IC_VERSION), head.VersionCount);
	if (!framework.Major || !version.Major)
		return FALSE;
	Service->Framework = framework;
	Service->Version = version;
	Service->Agreed = TRUE;
	return TRUE;
}

static VOID IcNegotiate(PIC_SERVICE Service, PUINT8 Body, UINT32 Length)
{
	struct {
		IC_NEGOTIATE Head;
		IC_VERSION Framework;
		IC_VERSION Version;
	} answer;

	RtlZeroMemory(&answer, sizeof(answer));
	if (IcAgree(Service, Body, Length)) {
		answer.Head.FrameworkCount = 1;
		answer.Head.VersionCount = 1;
		answer.Framework = Service->Framework;
		answer.Version = Service->Version;
		IcLog(Service, "version %u.%u, of the framework %u.%u\n",
		      Service->Version.Major, Service->Version.Minor,
		      Service->Framework.Major, Service->Framework.Minor);
	} else {
		IcComplain(Service, "the host has no version that we have");
	}
	RtlCopyMemory(Body, &answer, sizeof(answer));
	Service->Message.Header.Size = sizeof(answer);
	IcAnswer(Service, IC_STATUS_OK);
}

/*
 * The channel's callbacks
 */

/* The host may ask before EvtChannelPostStarted: what is new is made so here. */
_Use_decl_annotations_
static NTSTATUS IcEvtChannelOpened(VMBCHANNEL Channel, PVOID Context)
{
	PIC_SERVICE service = Context;

	UNREFERENCED_PARAMETER(Channel);
	service->Agreed = FALSE;
	service->Complaints = 0;
	return STATUS_SUCCESS;
}

/* The offer was withdrawn and may come back, or the channel is being disabled. */
_Use_decl_annotations_
static VOID IcEvtChannelClosed(VMBCHANNEL Channel, PVOID Context)
{
	NTSTATUS status = IcKmcl.VmbChannelEnable(Channel);

	IcLog((PIC_SERVICE)Context, "closed%s\n",
	      NT_SUCCESS(status) ? ", and waits for another offer" : "");
}

_Use_decl_annotations_
static VOID IcEvtChannelPnpFailure(VMBCHANNEL Channel, NTSTATUS Status)
{
	PIC_SERVICE service = IcKmcl.VmbChannelGetPointer(Channel);

	IcLogError(service, "the device is there but cannot be had: status %08x\n",
		   (unsigned int)Status);
}

static VOID IcDispatch(PIC_SERVICE Service, UINT32 Length)
{
	PIC_HEADER header = &Service->Message.Header;
	PUINT8 body = Service->Message.Bytes + sizeof(*header);

	if (Length < sizeof(*header) || header->Size > Length - sizeof(*header)) {
		IcComplain(Service, "a message is longer than its packet");
		return;
	}
	if (header->Flags & IC_FLAG_RESPONSE) {
		IcComplain(Service, "the host answers what it was not asked");
		return;
	}

	if (header->Type == IC_TYPE_NEGOTIATE) {
		IcNegotiate(Service, body, header->Size);
	} else if (header->Type == Service->Kind->Type && Service->Agreed) {
		Service->Kind->Handler(Service, body, header->Size);
	} else {
		IcRefuse(Service, Service->Agreed ? "a message is of another service's type" :
			 "a message came before versions were agreed upon");
	}
}

/* What the host could change while it is looked at is copied before. */
_Use_decl_annotations_
static VOID IcEvtProcessPacket(VMBCHANNEL Channel, PVOID Context,
			       VMBPACKETCOMPLETION PacketCompletion, PVOID Buffer,
			       UINT32 BufferLength, UINT32 Flags)
{
	PIC_SERVICE service = Context;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);
	if (BufferLength > sizeof(service->Message)) {
		IcComplain(service, "a message is longer than any that there is");
	} else {
		RtlCopyMemory(&service->Message, Buffer, BufferLength);
		IcDispatch(service, BufferLength);
	}
	IcKmcl.VmbChannelPacketComplete(PacketCompletion, NULL, 0);
}

/*
 * Set-up and tear-down
 */

static NTSTATUS IcConfigure(PIC_SERVICE Service)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	VMBCHANNEL channel = Service->Channel;
	UNICODE_STRING name;
	NTSTATUS status;

	status = IcKmcl.VmbChannelInitSetFlags(channel, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	if (!NT_SUCCESS(status))
		return status;

	status = IcKmcl.VmbChannelInitSetMaximumPacketSize(channel, IC_MESSAGE_MAXIMUM);
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Service;
	callbacks.EvtChannelOpened = IcEvtChannelOpened;
	callbacks.EvtChannelClosed = IcEvtChannelClosed;
	status = IcKmcl.VmbChannelInitSetStateChangeCallbacks(channel,
							      (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)
							      &callbacks);
	if (!NT_SUCCESS(status))
		return status;

	status = IcKmcl.VmbChannelInitSetProcessPacketCallbacksEx(channel, Service,
								  IcEvtProcessPacket, NULL);
	if (!NT_SUCCESS(status))
		return status;

	status = IcKmcl.VmbClientChannelInitSetTargetPnp(channel, Service->Kind->Class, NULL,
							 IcEvtChannelPnpFailure);
	if (!NT_SUCCESS(status))
		return status;

	/* Setting a clock may have to wait. */
	IcKmcl.VmbChannelSetIncomingProcessingAtPassive(channel, TRUE);
	IcKmcl.VmbChannelSetPointer(channel, Service);
	RtlInitUnicodeString(&name, Service->Kind->Name);
	return IcKmcl.VmbChannelInitSetFriendlyName(channel, &name);
}

/* After the channel's settings, which give the size. */
static NTSTATUS IcMakePacket(PIC_SERVICE Service)
{
	UINT32 size = IcKmcl.VmbChannelSizeofPacket(Service->Channel);
	NTSTATUS status;

	Service->Packet = ExAllocatePoolWithTag(NonPagedPoolNx, size, IC_POOL_TAG);
	if (!Service->Packet)
		return STATUS_INSUFFICIENT_RESOURCES;
	status = IcKmcl.VmbPacketInitialize(Service->Channel, Service->Packet, size);
	if (NT_SUCCESS(status))
		IcKmcl.VmbPacketSetCompletionRoutineEx(Service->Packet, Service, IcEvtAnswerSent);
	return status;
}

/* As far as it was started. */
static VOID IcStopService(PIC_SERVICE Service)
{
	if (Service->Channel) {
		IcKmcl.VmbChannelDisable(Service->Channel);
		IcKmcl.VmbChannelCleanup(Service->Channel);
	}
	if (Service->Packet)
		ExFreePoolWithTag(Service->Packet, IC_POOL_TAG);
}

static NTSTATUS IcStartService(PIC_SERVICE Service)
{
	NTSTATUS status;

	status = IcKmcl.VmbChannelAllocate(NULL, FALSE, &Service->Channel);
	if (!NT_SUCCESS(status))
		return status;
	status = IcConfigure(Service);
	if (!NT_SUCCESS(status))
		return status;
	status = IcMakePacket(Service);
	if (!NT_SUCCESS(status))
		return status;
	return IcKmcl.VmbChannelEnable(Service->Channel);
}

NTSTATUS IcStart(WDFDEVICE Device)
{
	NTSTATUS status;
	ULONG i;

	status = WdfFdoQueryForInterface(Device, &KMCL_CLIENT_INTERFACE_TYPE, (PINTERFACE)&IcKmcl,
					 sizeof(IcKmcl), KMCL_CLIENT_INTERFACE_VERSION_V5, NULL);
	if (!NT_SUCCESS(status))
		return status;

	for (i = 0; i < IC_KINDS; i++) {
		IcServices[i].Kind = &IcKinds[i];
		status = IcStartService(&IcServices[i]);
		if (!NT_SUCCESS(status)) {
			IcStop();
			return status;
		}
	}
	return STATUS_SUCCESS;
}

VOID IcStop(VOID)
{
	ULONG i;

	for (i = 0; i < IC_KINDS; i++)
		IcStopService(&IcServices[i]);
	IcKmcl.InterfaceDereference(IcKmcl.Context);
}
