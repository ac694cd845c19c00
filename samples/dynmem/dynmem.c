// SPDX-License-Identifier: GPL-2.0
/*
 * A Dynamic Memory client, as a Windows driver would have it: the channel, the
 * negotiation with the host, and what handles which message. dynmem_driver.c has what
 * is around that.
 *
 * Everything here is said in KMCL's and Windows' words. It compiles on Windows'
 * headers as on this project's.
 */
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "dynmem.h"
#include "dynmem_client.h"
#include "dynmem_proto.h"

/* 64 KiB either way: more than a dozen of the longest messages */
#define DYNMEM_RING_PAGES	16

/* 525074dc-8985-46e2-8057-a307dc18a502 */
DEFINE_GUID(DYNMEM_INTERFACE_TYPE, 0x525074dc, 0x8985, 0x46e2,
	    0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02);

static EVT_VMB_CHANNEL_POST_STARTED_EX DynmemEvtChannelPostStarted;
static EVT_VMB_CHANNEL_SUSPEND_EX DynmemEvtChannelSuspend;
static EVT_VMB_CHANNEL_CLOSED_EX DynmemEvtChannelClosed;
static EVT_VMB_CHANNEL_PNP_FAILURE DynmemEvtChannelPnpFailure;
static EVT_VMB_CHANNEL_PROCESS_PACKET_EX DynmemEvtProcessPacket;

/* The ones to ask for, the best first */
static const UINT32 DynmemVersions[] = {
	DYNMEM_VERSION_3,
	DYNMEM_VERSION_2,
	DYNMEM_VERSION_1,
};

/*
 * Set-up and tear-down
 */

static NTSTATUS DynmemConfigureChannel(PDYNMEM Dynmem)
{
	DECLARE_CONST_UNICODE_STRING(name, L"Dynamic Memory");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	KMCL_CLIENT_INTERFACE_V5 *kmcl = &Dynmem->Kmcl;
	VMBCHANNEL channel = Dynmem->Channel;
	NTSTATUS status;

	status = kmcl->VmbChannelInitSetMaximumPacketSize(channel, DYNMEM_MESSAGE_MAXIMUM);
	if (!NT_SUCCESS(status))
		return status;

	status = kmcl->VmbClientChannelInitSetRingBufferPageCount(channel, DYNMEM_RING_PAGES,
								  DYNMEM_RING_PAGES);
	if (!NT_SUCCESS(status))
		return status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = Dynmem;
	callbacks.EvtChannelPostStarted = DynmemEvtChannelPostStarted;
	callbacks.EvtChannelSuspend = DynmemEvtChannelSuspend;
	callbacks.EvtChannelClosed = DynmemEvtChannelClosed;
	status = kmcl->VmbChannelInitSetStateChangeCallbacks(channel,
							     (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)
							     &callbacks);
	if (!NT_SUCCESS(status))
		return status;

	status = kmcl->VmbChannelInitSetProcessPacketCallbacksEx(channel, Dynmem,
								 DynmemEvtProcessPacket, NULL);
	if (!NT_SUCCESS(status))
		return status;

	/* Of the offer of the channel's parent, the device. */
	status = kmcl->VmbClientChannelInitSetTargetPnp(channel, &DYNMEM_INTERFACE_TYPE, NULL,
							DynmemEvtChannelPnpFailure);
	if (!NT_SUCCESS(status))
		return status;

	/* Taking pages may take long, and may have to wait. */
	kmcl->VmbChannelSetIncomingProcessingAtPassive(channel, TRUE);

	return kmcl->VmbChannelInitSetFriendlyName(channel, &name);
}

/* What of it was made, DynmemDeleteChannel() deletes. */
NTSTATUS DynmemCreateChannel(PDYNMEM Dynmem, PDEVICE_OBJECT DeviceObject)
{
	NTSTATUS status;

	status = Dynmem->Kmcl.VmbChannelAllocate(DeviceObject, FALSE, &Dynmem->Channel);
	if (!NT_SUCCESS(status))
		return status;
	status = DynmemConfigureChannel(Dynmem);
	if (!NT_SUCCESS(status))
		return status;
	return DynmemStatusInitialize(Dynmem);
}

VOID DynmemDeleteChannel(PDYNMEM Dynmem)
{
	if (Dynmem->Channel)
		Dynmem->Kmcl.VmbChannelCleanup(Dynmem->Channel);
	Dynmem->Channel = NULL;
	DynmemStatusUninitialize(Dynmem);
}

/*
 * Help for all files
 */

VOID DynmemComplain(PDYNMEM Dynmem, PCSTR What)
{
	if (Dynmem->Complaints >= DYNMEM_COMPLAINTS_MAXIMUM)
		return;

	Dynmem->Complaints++;
	DynmemLogError("%s%s\n", What,
		       Dynmem->Complaints == DYNMEM_COMPLAINTS_MAXIMUM ?
		       " (no more of this will be logged)" : "");
}

/*
 * Fills the header in and sends. The packet object takes a copy of the message,
 * and it frees itself when it has been sent.
 */
NTSTATUS DynmemSend(PDYNMEM Dynmem, PDYNMEM_HEADER Header, UINT16 Type,
		    UINT32 Size)
{
	VMBPACKET packet;
	NTSTATUS status;

	packet = Dynmem->Kmcl.VmbPacketAllocate(Dynmem->Channel);
	if (!packet)
		return STATUS_INSUFFICIENT_RESOURCES;

	Header->Type = Type;
	Header->Size = (UINT16)Size;
	Header->TransactionId = InterlockedIncrement(&Dynmem->TransactionId);

	status = Dynmem->Kmcl.VmbPacketSend(packet, Header, Size, NULL, 0);
	if (!NT_SUCCESS(status))
		Dynmem->Kmcl.VmbPacketFree(packet);
	return status;
}

/*
 * Negotiation
 */

static VOID DynmemRefuse(PDYNMEM Dynmem, PCSTR Why)
{
	InterlockedExchange(&Dynmem->State, DynmemStateRefused);
	DynmemComplain(Dynmem, Why);
}

static VOID DynmemRequestVersion(PDYNMEM Dynmem)
{
	ULONG index = Dynmem->VersionIndex;
	DYNMEM_VERSION_REQUEST request;
	NTSTATUS status;

	RtlZeroMemory(&request, sizeof(request));
	request.Version = DynmemVersions[index];
	request.LastAttempt = index + 1 == RTL_NUMBER_OF(DynmemVersions);

	status = DynmemSend(Dynmem, &request.Header,
			    DYNMEM_TYPE_VERSION_REQUEST, sizeof(request));
	if (!NT_SUCCESS(status))
		DynmemRefuse(Dynmem, "a version request was not sent");
}

static VOID DynmemReportCapabilities(PDYNMEM Dynmem)
{
	DYNMEM_CAPABILITIES_REPORT report;
	NTSTATUS status;

	RtlZeroMemory(&report, sizeof(report));
	report.Capabilities = DYNMEM_CAPABILITY_BALLOON;
	report.MaximumPageNumber = DYNMEM_NO_MAXIMUM_PAGE_NUMBER;

	status = DynmemSend(Dynmem, &report.Header,
			    DYNMEM_TYPE_CAPABILITIES_REPORT, sizeof(report));
	if (!NT_SUCCESS(status))
		DynmemRefuse(Dynmem, "the capabilities were not sent");
}

static VOID DynmemVersionAnswered(PDYNMEM Dynmem,
				  const DYNMEM_ACCEPTANCE *Answer)
{
	UINT32 version = DynmemVersions[Dynmem->VersionIndex];

	if (Answer->Flags & DYNMEM_ACCEPTED) {
		DynmemLog("negotiated Dynamic Memory protocol %u.%u\n",
			  DYNMEM_VERSION_MAJOR(version),
			  DYNMEM_VERSION_MINOR(version));
		InterlockedExchange(&Dynmem->State,
				    DynmemStateCapabilities);
		DynmemReportCapabilities(Dynmem);
		return;
	}

	if (Dynmem->VersionIndex + 1 == RTL_NUMBER_OF(DynmemVersions)) {
		DynmemRefuse(Dynmem, "the host speaks no version of the protocol that we do");
		return;
	}
	Dynmem->VersionIndex++;
	DynmemRequestVersion(Dynmem);
}

static VOID DynmemCapabilitiesAnswered(PDYNMEM Dynmem,
				       const DYNMEM_ACCEPTANCE *Answer)
{
	if (!(Answer->Flags & DYNMEM_ACCEPTED)) {
		DynmemRefuse(Dynmem, "the host refused the capabilities");
		return;
	}

	DynmemLog("capabilities accepted by the host\n");
	Dynmem->Reporting = !(Answer->Flags & DYNMEM_SUPPRESS_STATUS_REPORTS);
	InterlockedExchange(&Dynmem->State, DynmemStateActive);
}

/* Hot add was not among the capabilities. Asked all the same, the driver says no. */
static VOID DynmemRefuseHotAdd(PDYNMEM Dynmem)
{
	DYNMEM_HOT_ADD_RESPONSE response;

	RtlZeroMemory(&response, sizeof(response));
	if (!NT_SUCCESS(DynmemSend(Dynmem, &response.Header,
				   DYNMEM_TYPE_HOT_ADD_RESPONSE,
				   sizeof(response))))
		DynmemComplain(Dynmem, "a hot add response was not sent");
}

/*
 * The channel's callbacks
 */

_Use_decl_annotations_
static VOID DynmemEvtChannelPostStarted(VMBCHANNEL Channel, PVOID Context)
{
	PDYNMEM dynmem = Context;

	UNREFERENCED_PARAMETER(Channel);
	dynmem->VersionIndex = 0;
	dynmem->Complaints = 0;
	InterlockedExchange(&dynmem->State, DynmemStateVersion);
	DynmemRequestVersion(dynmem);
}

_Use_decl_annotations_
static VOID DynmemEvtChannelSuspend(VMBCHANNEL Channel, PVOID Context)
{
	PDYNMEM dynmem = Context;

	UNREFERENCED_PARAMETER(Channel);
	InterlockedExchange(&dynmem->State, DynmemStateClosed);
}

_Use_decl_annotations_
static VOID DynmemEvtChannelClosed(VMBCHANNEL Channel, PVOID Context)
{
	PDYNMEM dynmem = Context;

	UNREFERENCED_PARAMETER(Channel);
	/* Unloaded or rescinded: no host will ever return these pages. */
	dynmem->Emptied = DynmemBalloonEmpty(dynmem);
}

_Use_decl_annotations_
static VOID DynmemEvtChannelPnpFailure(VMBCHANNEL Channel, NTSTATUS Status)
{
	UNREFERENCED_PARAMETER(Channel);
	DynmemLogError("the device is there but cannot be had: status %08x\n",
		       (unsigned int)Status);
}

/* The shortest a message of each type can be, from the host; 0: hosts send none */
static UINT32 DynmemMinimumLength(UINT16 Type)
{
	switch (Type) {
	case DYNMEM_TYPE_VERSION_RESPONSE:
	case DYNMEM_TYPE_CAPABILITIES_RESPONSE:
		return sizeof(DYNMEM_ACCEPTANCE);
	case DYNMEM_TYPE_BALLOON_REQUEST:
		return sizeof(DYNMEM_BALLOON_REQUEST);
	case DYNMEM_TYPE_UNBALLOON_REQUEST:
		return sizeof(DYNMEM_UNBALLOON_REQUEST);
	case DYNMEM_TYPE_HOT_ADD_REQUEST:
	case DYNMEM_TYPE_INFORMATION:
		return sizeof(DYNMEM_HEADER);
	default:
		return 0;
	}
}

/* The one state in which a message is good */
static DYNMEM_STATE DynmemProperState(UINT16 Type)
{
	switch (Type) {
	case DYNMEM_TYPE_VERSION_RESPONSE:
		return DynmemStateVersion;
	case DYNMEM_TYPE_CAPABILITIES_RESPONSE:
		return DynmemStateCapabilities;
	default:
		return DynmemStateActive;
	}
}

static VOID DynmemDispatch(PDYNMEM Dynmem, PVOID Buffer, UINT32 BufferLength)
{
	DYNMEM_STATE state = DynmemGetState(Dynmem);
	PDYNMEM_HEADER header = Buffer;
	UINT32 minimum;

	/* The channel is about to close, or the negotiation has failed. */
	if (state == DynmemStateClosed || state == DynmemStateRefused)
		return;

	/* VMBus pads what it carries: the message's own size is the true one. */
	if (BufferLength < sizeof(*header) || header->Size > BufferLength) {
		DynmemComplain(Dynmem, "a message is longer than its packet");
		return;
	}

	minimum = DynmemMinimumLength(header->Type);
	if (!minimum || header->Size < minimum) {
		DynmemComplain(Dynmem, minimum ? "a message is too short" :
			       "a message is of a type that hosts do not send");
		return;
	}

	/* The driver makes no use of information, so it may come at any time. */
	if (header->Type == DYNMEM_TYPE_INFORMATION)
		return;

	if (state != DynmemProperState(header->Type)) {
		DynmemComplain(Dynmem, "a message came out of turn");
		return;
	}

	switch (header->Type) {
	case DYNMEM_TYPE_VERSION_RESPONSE:
		DynmemVersionAnswered(Dynmem, Buffer);
		break;
	case DYNMEM_TYPE_CAPABILITIES_RESPONSE:
		DynmemCapabilitiesAnswered(Dynmem, Buffer);
		break;
	case DYNMEM_TYPE_BALLOON_REQUEST:
		DynmemBalloonUp(Dynmem, Buffer);
		break;
	case DYNMEM_TYPE_UNBALLOON_REQUEST:
		DynmemBalloonDown(Dynmem, Buffer, header->Size);
		break;
	case DYNMEM_TYPE_HOT_ADD_REQUEST:
		DynmemRefuseHotAdd(Dynmem);
		break;
	}
}

_Use_decl_annotations_
static VOID DynmemEvtProcessPacket(VMBCHANNEL Channel, PVOID Context,
				   VMBPACKETCOMPLETION PacketCompletion,
				   PVOID Buffer, UINT32 BufferLength,
				   UINT32 Flags)
{
	PDYNMEM dynmem = Context;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);
	DynmemDispatch(dynmem, Buffer, BufferLength);
	dynmem->Kmcl.VmbChannelPacketComplete(PacketCompletion, NULL, 0);
}
