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

/* The queue's own channel, as long as that is open, else the primary one. */
static PDISK_CHANNEL DiskFindChannel(PDISK Disk, ULONG Queue)
{
	PDISK_CHANNEL channel = &Disk->Channels[0];

	if (Queue < Disk->ChannelCount &&
	    InterlockedCompareExchange(&Disk->Channels[Queue].Ready, 0, 0))
		return &Disk->Channels[Queue];
	return InterlockedCompareExchange(&channel->Ready, 0, 0) ? channel : NULL;
}

/*
 * A packet object is for one channel, and is made for another one when its request takes
 * another way than the last time: so once, as a rule.
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

NTSTATUS DiskStartRequest(PDISK Disk, ULONG Queue, PDISK_REQUEST Request)
{
	PDISK_CHANNEL channel = DiskFindChannel(Disk, Queue);
	UINT32 flags = VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	DISK_PACKET packet;
	NTSTATUS status;

	if (!channel)
		return STATUS_DEVICE_NOT_READY;
	status = DiskPreparePacket(channel, Request);
	if (!NT_SUCCESS(status))
		return status;

	/* Where the host sees copies of the memory only, one is saved. */
	if (Request->Data && Request->Direction == DISK_DATA_IN)
		flags |= VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY;
	else if (Request->Data)
		flags |= VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY;

	RtlZeroMemory(&packet, sizeof(packet));
	packet.Operation = DISK_EXECUTE;
	packet.Flags = DISK_WANT_COMPLETION;
	DiskFillSrb(&packet.Body.Srb, Request);
	return Disk->Kmcl.VmbPacketSend((VMBPACKET)Request->Packet, &packet, sizeof(packet),
					Request->Data, flags);
}

/* The host is not to be trusted: what it says is within bounds, or is not looked at. */
static NTSTATUS DiskTakeAnswer(PDISK_REQUEST Request, const DISK_PACKET *Answer)
{
	const DISK_SRB *srb = &Answer->Body.Srb;

	if (Answer->Operation != DISK_COMPLETE || srb->DataLength > Request->DataLength ||
	    srb->SenseLength > DISK_SENSE_MAXIMUM)
		return STATUS_DEVICE_PROTOCOL_ERROR;

	Request->Moved = srb->DataLength;
	Request->SrbStatus = DISK_SRB_STATUS(srb->SrbStatus);
	Request->ScsiStatus = srb->ScsiStatus;
	Request->SenseLength = 0;
	if (srb->SrbStatus & DISK_SRB_SENSE_VALID) {
		Request->SenseLength = srb->SenseLength;
		RtlCopyMemory(Request->Sense, srb->Bytes.Sense, sizeof(Request->Sense));
	}
	return STATUS_SUCCESS;
}

_Use_decl_annotations_
static VOID DiskRequestCompleted(VMBPACKET Packet, PVOID Context, NTSTATUS Status, PVOID Buffer,
				 UINT32 BufferLength)
{
	PDISK_REQUEST request = Context;

	UNREFERENCED_PARAMETER(Packet);
	if (NT_SUCCESS(Status))
		Status = BufferLength < sizeof(DISK_PACKET) ? STATUS_DEVICE_PROTOCOL_ERROR :
							      DiskTakeAnswer(request, Buffer);
	request->Status = Status;
	request->Done(request);
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
