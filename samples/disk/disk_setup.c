// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that the client waits for: the initialization, and resets.
 */
#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "disk.h"
#include "disk_client.h"
#include "disk_proto.h"

/* How long a host may take for an answer, in units of 100 ns: 10 s */
#define DISK_PATIENCE	(10 * 10000000LL)

/* The ones to ask for, the best first */
static const UINT16 DiskVersions[] = {
	DISK_VERSION(6, 2),
	DISK_VERSION(6, 0),
	DISK_VERSION(5, 1),
};

/* Sends *Packet on the primary channel, and has the answer in it. */
NTSTATUS DiskExchange(PDISK Disk, PDISK_PACKET Packet, PMDL Data, UINT32 Flags)
{
	UINT32 size = sizeof(DISK_PACKET);
	LARGE_INTEGER timeout;
	DISK_PACKET answer;
	NTSTATUS status;

	timeout.QuadPart = -DISK_PATIENCE;
	status = Disk->Kmcl.VmbChannelSendSynchronousRequest(Disk->Channels[0].Handle, Packet,
			sizeof(*Packet), Data, Flags, &answer, &size, &timeout);
	if (!NT_SUCCESS(status))
		return status;
	if (size < sizeof(answer) || answer.Operation != DISK_COMPLETE)
		return STATUS_DEVICE_PROTOCOL_ERROR;

	*Packet = answer;
	return STATUS_SUCCESS;
}

/*
 * Asks for what moves no data. What the host says is in *Packet if it agrees. If not that is
 * STATUS_UNSUCCESSFUL: a status of its own might be taken for one of the library's.
 */
NTSTATUS DiskAsk(PDISK Disk, PDISK_PACKET Packet, UINT32 Operation)
{
	NTSTATUS status;

	Packet->Operation = Operation;
	Packet->Flags = DISK_WANT_COMPLETION;
	status = DiskExchange(Disk, Packet, NULL,
			      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	if (NT_SUCCESS(status) && !NT_SUCCESS((NTSTATUS)Packet->Status))
		status = STATUS_UNSUCCESSFUL;
	return status;
}

static NTSTATUS DiskAgreeOnVersion(PDISK Disk, PUINT16 Version)
{
	DISK_PACKET packet;
	NTSTATUS status;
	ULONG i;

	for (i = 0; i < RTL_NUMBER_OF(DiskVersions); i++) {
		RtlZeroMemory(&packet, sizeof(packet));
		packet.Body.Version.Number = DiskVersions[i];
		status = DiskAsk(Disk, &packet, DISK_QUERY_VERSION);
		if (NT_SUCCESS(status))
			*Version = DiskVersions[i];
		if (status != STATUS_UNSUCCESSFUL)
			return status;
	}
	return STATUS_REVISION_MISMATCH;
}

static NTSTATUS DiskQueryProperties(PDISK Disk, PDISK_PROPERTIES Properties)
{
	DISK_PACKET packet;
	NTSTATUS status;

	RtlZeroMemory(&packet, sizeof(packet));
	status = DiskAsk(Disk, &packet, DISK_QUERY_PROPERTIES);
	if (!NT_SUCCESS(status))
		return status;

	*Properties = packet.Body.Properties;
	return Properties->MaximumBytes < DISK_PAGE_SIZE ? STATUS_DEVICE_PROTOCOL_ERROR :
						      STATUS_SUCCESS;
}

/* How many there are then: it goes without, too. */
static ULONG DiskCreateSubChannels(PDISK Disk, const DISK_PROPERTIES *Properties)
{
	ULONG count = Disk->ChannelCount - 1;
	DISK_PACKET packet;

	if (!(Properties->Flags & DISK_MULTI_CHANNEL))
		return 0;
	if (count > Properties->MaximumChannels)
		count = Properties->MaximumChannels;
	if (!count)
		return 0;

	RtlZeroMemory(&packet, sizeof(packet));
	packet.Body.Channels = (UINT16)count;
	return NT_SUCCESS(DiskAsk(Disk, &packet, DISK_CREATE_CHANNELS)) ? count : 0;
}

/* In EvtChannelPostStarted of the primary channel. */
NTSTATUS DiskNegotiate(PDISK Disk, PDISK_LIMITS Limits)
{
	DISK_PROPERTIES properties;
	UINT16 version = 0;
	DISK_PACKET packet;
	NTSTATUS status;

	RtlZeroMemory(&packet, sizeof(packet));
	status = DiskAsk(Disk, &packet, DISK_BEGIN);
	if (!NT_SUCCESS(status))
		return status;
	status = DiskAgreeOnVersion(Disk, &version);
	if (!NT_SUCCESS(status))
		return status;
	status = DiskQueryProperties(Disk, &properties);
	if (!NT_SUCCESS(status))
		return status;
	RtlZeroMemory(&packet, sizeof(packet));
	status = DiskAsk(Disk, &packet, DISK_END);
	if (!NT_SUCCESS(status))
		return status;

	Limits->MaximumBytes = properties.MaximumBytes & ~(UINT32)(DISK_PAGE_SIZE - 1);
	if (Limits->MaximumBytes > DISK_BYTES_MAXIMUM)
		Limits->MaximumBytes = DISK_BYTES_MAXIMUM;
	Limits->Queues = 1 + DiskCreateSubChannels(Disk, &properties);
	DiskLog("storage protocol %u.%u, %lu bytes a request, %lu channels\n",
		DISK_VERSION_MAJOR(version), DISK_VERSION_MINOR(version),
		(ULONG)Limits->MaximumBytes, Limits->Queues);
	return STATUS_SUCCESS;
}
