// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a SCSI command: to the host, and back. Nothing in it allocates, waits, or
 * takes a lock of the client's.
 */
#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "disk.h"
#include "disk_client.h"
#include "disk_proto.h"

/* What a host may let pass for a command, in seconds; it has its own mind about it. */
#define DISK_TIMEOUT	60

/* A queue is crowded from when a request has found so many others of it under way. */
#define DISK_MANY	4

static EVT_VMB_PACKET_COMPLETION_ROUTINE_EX DiskRequestCompleted;

/* All channels have the same settings, so their packets are of one size. */
ULONG DiskSizeofRequest(PDISK Disk)
{
	return FIELD_OFFSET(DISK_REQUEST, Packet) +
	       Disk->Kmcl.VmbChannelSizeofPacket(Disk->Channels[0].Handle);
}

VOID DiskInitializeRequest(PDISK_REQUEST Request, PDISK_REQUEST_DONE Done)
{
	Request->Done = Done;
	Request->Serial = 0;
}

static BOOLEAN DiskChannelIsReady(PDISK_CHANNEL Channel)
{
	return (BOOLEAN)ReadNoFence(&Channel->Ready);
}

/* The queue's own channel, as long as that is open, else the primary one. */
static PDISK_CHANNEL DiskOwnChannel(PDISK Disk, ULONG Queue)
{
	if (Queue < Disk->ChannelCount && DiskChannelIsReady(&Disk->Channels[Queue]))
		return &Disk->Channels[Queue];
	return DiskChannelIsReady(&Disk->Channels[0]) ? &Disk->Channels[0] : NULL;
}

/* Has one of its requests just found many others under way? */
static BOOLEAN DiskQueueIsCrowded(PDISK_CHANNEL Own, ULONG Now)
{
	return Now - (ULONG)ReadNoFence(&Own->Crowded) < Own->Disk->CrowdedTicks;
}

/* The index of the next channel whose own queue is not crowded, or @Own. */
static LONG DiskFindHelper(PDISK Disk, LONG Own, ULONG Now)
{
	LONG count = (LONG)Disk->ChannelCount, i;

	for (i = 1; i < count; i++) {
		LONG at = (Own + i) % count;

		if (DiskChannelIsReady(&Disk->Channels[at]) &&
		    !DiskQueueIsCrowded(&Disk->Channels[at], Now))
			return at;
	}
	return Own;
}

/*
 * Requests of a queue take its own channel, whose answers come to the processor that sends
 * them, as long as few are under way: no other one has to be interrupted. Of a queue that
 * has many that processor is busy with sending: its requests take another channel, if there is
 * one whose own queue has less to do, and the answers come to that one's processor. Other
 * channels are looked at once a tick at most.
 */
static PDISK_CHANNEL DiskFindChannel(PDISK Disk, PDISK_CHANNEL Own)
{
	PDISK_CHANNEL helper;
	LARGE_INTEGER ticks;
	ULONG now;

	KeQueryTickCount(&ticks);
	now = (ULONG)ticks.QuadPart;
	if (ReadNoFence(&Own->UnderWay) < DISK_MANY) {
		if (!DiskQueueIsCrowded(Own, now))
			return Own;
	} else if (ReadNoFence(&Own->Crowded) != (LONG)now) {
		InterlockedExchange(&Own->Crowded, (LONG)now);
	}

	if (ReadNoFence(&Own->Looked) != (LONG)now &&
	    InterlockedExchange(&Own->Looked, (LONG)now) != (LONG)now)
		InterlockedExchange(&Own->Helper,
				    DiskFindHelper(Disk, (LONG)(Own - Disk->Channels), now));
	helper = &Disk->Channels[ReadNoFence(&Own->Helper)];
	return DiskChannelIsReady(helper) ? helper : Own;
}

/*
 * A packet object is for one channel, and is made for another one when its request takes
 * another way than the last time: a few stores, and no allocation.
 */
static NTSTATUS DiskPreparePacket(PDISK_CHANNEL Channel, PDISK_REQUEST Request)
{
	KMCL_CLIENT_INTERFACE_V5 *kmcl = &Channel->Disk->Kmcl;
	VMBPACKET packet = (VMBPACKET)Request->Packet;
	NTSTATUS status;

	if (Request->Serial == Channel->Serial)
		return STATUS_SUCCESS;
	status = kmcl->VmbPacketInitialize(Channel->Handle, packet,
					   kmcl->VmbChannelSizeofPacket(Channel->Handle));
	if (!NT_SUCCESS(status))
		return status;
	kmcl->VmbPacketSetCompletionRoutineEx(packet, Request, DiskRequestCompleted);
	Request->Serial = Channel->Serial;
	return STATUS_SUCCESS;
}

static VOID DiskFillSrb(PDISK_SRB Srb, const DISK_REQUEST *Request)
{
	Srb->Length = sizeof(*Srb);
	Srb->Target = Request->Target;
	Srb->Unit = Request->Unit;
	Srb->CdbLength = Request->CdbLength;
	Srb->SenseLength = DISK_SENSE_MAXIMUM;
	Srb->Direction = Request->Direction;
	Srb->DataLength = Request->DataLength;
	RtlCopyMemory(Srb->Bytes.Cdb, Request->Cdb, sizeof(Srb->Bytes.Cdb));
	Srb->QueueTag = DISK_UNTAGGED;
	Srb->QueueAction = DISK_SIMPLE_TAG;
	Srb->Flags = DISK_SRB_FLAG_NO_SYNCH_TRANSFER | DISK_SRB_FLAG_QUEUE_ACTION |
		     DISK_SRB_FLAG_NO_QUEUE_FREEZE;
	if (Request->Direction == DISK_DATA_IN)
		Srb->Flags |= DISK_SRB_FLAG_DATA_IN;
	else if (Request->Direction == DISK_DATA_OUT)
		Srb->Flags |= DISK_SRB_FLAG_DATA_OUT;
	Srb->Timeout = DISK_TIMEOUT;
}

/* Returns the flags to send the packet with. */
static UINT32 DiskFillPacket(PDISK_PACKET Packet, const DISK_REQUEST *Request)
{
	UINT32 flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;

	RtlZeroMemory(Packet, sizeof(*Packet));
	Packet->Operation = DISK_EXECUTE;
	Packet->Flags = DISK_WANT_COMPLETION;
	DiskFillSrb(&Packet->Body.Srb, Request);

	/* Where the host sees copies of the memory only, one is saved. */
	if (Request->Data && Request->Direction == DISK_DATA_IN)
		flags |= VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY;
	else if (Request->Data)
		flags |= VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY;
	return flags;
}

NTSTATUS DiskStartRequest(PDISK Disk, ULONG Queue, PDISK_REQUEST Request)
{
	PDISK_CHANNEL channel, own = DiskOwnChannel(Disk, Queue);
	DISK_PACKET packet;
	NTSTATUS status;
	UINT32 flags;

	if (!own)
		return STATUS_DEVICE_NOT_READY;
	channel = DiskFindChannel(Disk, own);
	status = DiskPreparePacket(channel, Request);
	if (!NT_SUCCESS(status))
		return status;
	flags = DiskFillPacket(&packet, Request);

	/* Before the packet is sent: it may be completed meanwhile. */
	Request->Own = own;
	InterlockedIncrement(&own->UnderWay);
	status = Disk->Kmcl.VmbPacketSend((VMBPACKET)Request->Packet, &packet, sizeof(packet),
					  Request->Data, flags);
	if (!NT_SUCCESS(status))
		InterlockedDecrement(&own->UnderWay);
	return status;
}

static UINT32 DiskSmaller(UINT32 One, UINT32 Other)
{
	return One < Other ? One : Other;
}

/* The host is not to be trusted: lengths are brought within bounds. */
static NTSTATUS DiskTakeAnswer(PDISK_REQUEST Request, const DISK_PACKET *Answer)
{
	const DISK_SRB *srb = &Answer->Body.Srb;

	if (Answer->Operation != DISK_COMPLETE)
		return STATUS_DEVICE_PROTOCOL_ERROR;

	Request->Moved = DiskSmaller(srb->DataLength, Request->DataLength);
	Request->SrbStatus = DISK_SRB_STATUS(srb->SrbStatus);
	Request->ScsiStatus = srb->ScsiStatus;
	Request->SenseLength = 0;
	if (srb->SrbStatus & DISK_SRB_SENSE_VALID) {
		Request->SenseLength = (UINT8)DiskSmaller(srb->SenseLength, DISK_SENSE_MAXIMUM);
		RtlCopyMemory(Request->Sense, srb->Bytes.Sense, sizeof(Request->Sense));
	}
	return STATUS_SUCCESS;
}

_Use_decl_annotations_
static VOID DiskRequestCompleted(VMBPACKET Packet, PVOID Context, NTSTATUS Status, PVOID Buffer,
				 UINT32 BufferLength)
{
	PDISK_REQUEST request = Context;
	PDISK_CHANNEL own = request->Own;

	UNREFERENCED_PARAMETER(Packet);
	InterlockedDecrement(&own->UnderWay);
	if (NT_SUCCESS(Status))
		Status = BufferLength < sizeof(DISK_PACKET) ? STATUS_DEVICE_PROTOCOL_ERROR :
							      DiskTakeAnswer(request, Buffer);
	request->Status = Status;
	request->Done(request);
}

NTSTATUS DiskRunRequest(PDISK Disk, PDISK_REQUEST Request)
{
	DISK_PACKET packet;
	UINT32 flags = DiskFillPacket(&packet, Request);
	NTSTATUS status = DiskExchange(Disk, &packet, Request->Data, flags);

	return NT_SUCCESS(status) ? DiskTakeAnswer(Request, &packet) : status;
}

NTSTATUS DiskResetUnit(PDISK Disk, UINT8 Target, UINT8 Unit)
{
	DISK_PACKET packet;

	RtlZeroMemory(&packet, sizeof(packet));
	packet.Body.Srb.Length = sizeof(packet.Body.Srb);
	packet.Body.Srb.Target = Target;
	packet.Body.Srb.Unit = Unit;
	return DiskAsk(Disk, &packet, DISK_RESET_UNIT);
}
