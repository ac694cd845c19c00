// SPDX-License-Identifier: GPL-2.0
/*
 * The channels of a controller: a primary one, and a sub-channel for each further
 * processor. They are made with the device, and opened as the host allows.
 */
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "disk.h"
#include "disk_client.h"
#include "disk_proto.h"

/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f */
DEFINE_GUID(DISK_INTERFACE_TYPE, 0xba6163d9, 0x04a1, 0x4d29,
	    0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f);

static EVT_VMB_CHANNEL_POST_STARTED_EX DiskEvtPostStarted;
static EVT_VMB_CHANNEL_SUSPEND_EX DiskEvtSuspend;
static EVT_VMB_CHANNEL_CLOSED_EX DiskEvtClosed;
static EVT_VMB_CHANNEL_POST_STARTED_EX DiskEvtSubPostStarted;
static EVT_VMB_CHANNEL_SUSPEND_EX DiskEvtSubSuspend;
static EVT_VMB_CHANNEL_PNP_FAILURE DiskEvtPnpFailure;
static EVT_VMB_CHANNEL_PROCESS_PACKET_EX DiskEvtProcessPacket;

ULONG DiskRingPages = 33;

/*
 * For so many milliseconds a queue stays crowded: a fast host answers a burst at once, and the
 * number of requests under way falls to 0 in between.
 */
#define DISK_CROWDED_MS	100

/* So many there were so far. */
static LONG64 DiskChannels;

/* The same for all controllers: a callback that has no context comes to one by it. */
static PFN_VMB_CHANNEL_GET_POINTER DiskGetPointer;

/*
 * Set-up and tear-down
 */

/* What all channels of a controller have in common. */
static NTSTATUS DiskConfigureChannel(PDISK_CHANNEL Channel,
				     PVMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 Callbacks)
{
	KMCL_CLIENT_INTERFACE_V5 *kmcl = &Channel->Disk->Kmcl;
	NTSTATUS status;

	status = kmcl->VmbChannelInitSetMaximumPacketSize(Channel->Handle, sizeof(DISK_PACKET));
	if (!NT_SUCCESS(status))
		return status;
	status = kmcl->VmbChannelInitSetMaximumExternalData(Channel->Handle, DISK_BYTES_MAXIMUM,
							    1);
	if (!NT_SUCCESS(status))
		return status;
	status = kmcl->VmbClientChannelInitSetRingBufferPageCount(Channel->Handle, DiskRingPages,
								  DiskRingPages);
	if (!NT_SUCCESS(status))
		return status;
	status = kmcl->VmbChannelInitSetProcessPacketCallbacksEx(Channel->Handle, Channel,
								 DiskEvtProcessPacket, NULL);
	if (!NT_SUCCESS(status))
		return status;

	Callbacks->CallbackContext = Channel;
	return kmcl->VmbChannelInitSetStateChangeCallbacks(Channel->Handle,
							   (PVMB_CHANNEL_STATE_CHANGE_CALLBACKS)
							   Callbacks);
}

static NTSTATUS DiskConfigurePrimary(PDISK_CHANNEL Channel)
{
	DECLARE_CONST_UNICODE_STRING(name, L"Disks");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	KMCL_CLIENT_INTERFACE_V5 *kmcl = &Channel->Disk->Kmcl;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.EvtChannelPostStarted = DiskEvtPostStarted;
	callbacks.EvtChannelSuspend = DiskEvtSuspend;
	callbacks.EvtChannelClosed = DiskEvtClosed;
	status = DiskConfigureChannel(Channel, &callbacks);
	if (!NT_SUCCESS(status))
		return status;

	status = kmcl->VmbClientChannelInitSetTargetProcessorIndex(Channel->Handle, 0);
	if (!NT_SUCCESS(status))
		return status;

	DiskGetPointer = kmcl->VmbChannelGetPointer;
	kmcl->VmbChannelSetPointer(Channel->Handle, Channel->Disk);
	/* Of the offer of the channel's parent, the device. */
	status = kmcl->VmbClientChannelInitSetTargetPnp(Channel->Handle, &DISK_INTERFACE_TYPE,
							NULL, DiskEvtPnpFailure);
	if (!NT_SUCCESS(status))
		return status;
	return kmcl->VmbChannelInitSetFriendlyName(Channel->Handle, &name);
}

static NTSTATUS DiskConfigureSub(PDISK_CHANNEL Channel, ULONG Index)
{
	DECLARE_CONST_UNICODE_STRING(name, L"Disks, sub-channel");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	PDISK disk = Channel->Disk;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.EvtChannelPostStarted = DiskEvtSubPostStarted;
	callbacks.EvtChannelSuspend = DiskEvtSubSuspend;
	status = DiskConfigureChannel(Channel, &callbacks);
	if (!NT_SUCCESS(status))
		return status;
	status = disk->Kmcl.VmbChannelInitSetPrimaryChannel(Channel->Handle,
							    disk->Channels[0].Handle,
							    (UINT16)Index);
	if (!NT_SUCCESS(status))
		return status;
	return disk->Kmcl.VmbChannelInitSetFriendlyName(Channel->Handle, &name);
}

/* What of it was made, DiskDeleteChannels() deletes. */
NTSTATUS DiskCreateChannels(PDISK Disk, PDEVICE_OBJECT DeviceObject)
{
	ULONG i, count = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
	NTSTATUS status = STATUS_SUCCESS;

	Disk->CrowdedTicks = DISK_CROWDED_MS * 10000 / KeQueryTimeIncrement() + 1;
	if (count > DISK_CHANNELS_MAXIMUM)
		count = DISK_CHANNELS_MAXIMUM;
	for (i = 0; i < count && NT_SUCCESS(status); i++) {
		PDISK_CHANNEL channel = &Disk->Channels[i];

		channel->Disk = Disk;
		status = Disk->Kmcl.VmbChannelAllocate(DeviceObject, FALSE, &channel->Handle);
		if (!NT_SUCCESS(status))
			break;
		Disk->ChannelCount++;
		channel->Serial = (UINT64)InterlockedIncrement64(&DiskChannels);
		status = i ? DiskConfigureSub(channel, i) : DiskConfigurePrimary(channel);
	}
	return status;
}

/* Sub-channels first. */
VOID DiskDeleteChannels(PDISK Disk)
{
	while (Disk->ChannelCount)
		Disk->Kmcl.VmbChannelCleanup(Disk->Channels[--Disk->ChannelCount].Handle);
}

/*
 * The primary channel's callbacks
 */

/*
 * Those that the host has agreed to, spread over the processors; the primary channel has the
 * first one.
 */
static VOID DiskEnableSubs(PDISK Disk, ULONG Queues)
{
	ULONG processors = KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS);
	KMCL_CLIENT_INTERFACE_V5 *kmcl = &Disk->Kmcl;
	NTSTATUS status;
	ULONG i;

	for (i = 1; i < Queues; i++) {
		VMBCHANNEL handle = Disk->Channels[i].Handle;

		status = kmcl->VmbClientChannelInitSetTargetProcessorIndex(handle,
									   i * processors / Queues);
		if (NT_SUCCESS(status))
			status = kmcl->VmbChannelEnable(handle);
		if (!NT_SUCCESS(status))
			DiskLogError("sub-channel %lu: status %08lx\n", i, (ULONG)status);
	}
}

_Use_decl_annotations_
static VOID DiskEvtPostStarted(VMBCHANNEL Channel, PVOID Context)
{
	PDISK_CHANNEL channel = Context;
	PDISK disk = channel->Disk;
	DISK_LIMITS limits;
	NTSTATUS status;
	GUID instance;

	status = DiskNegotiate(disk, &limits);
	if (!NT_SUCCESS(status)) {
		DiskRetry(disk, "the controller cannot be initialized", status);
		return;
	}
	DiskEnableSubs(disk, limits.Queues);

	InterlockedExchange(&channel->Ready, TRUE);
	disk->Kmcl.VmbChannelGetInterfaceInstance(Channel, &instance);
	status = DiskHostReady(disk, &disk->Host, &instance, &limits);
	if (!NT_SUCCESS(status)) {
		InterlockedExchange(&channel->Ready, FALSE);
		DiskRetry(disk, "the system does not take the controller", status);
		return;
	}
	disk->AgainMs = 0;
}

/*
 * The channel, about to be closed or closed by the host already, completes what it has, also
 * what is sent until this returns, and not what would be sent later.
 */
_Use_decl_annotations_
static VOID DiskEvtSuspend(VMBCHANNEL Channel, PVOID Context)
{
	PDISK_CHANNEL channel = Context;

	UNREFERENCED_PARAMETER(Channel);
	InterlockedExchange(&channel->Ready, FALSE);
	if (channel->Disk->Host)
		DiskHostGone(channel->Disk->Host, channel->Disk->Sleeps);
}

/*
 * If the device is still there, as where the host has broken the ring, the channel opens
 * anew. Refused while it is the client that closes it.
 */
_Use_decl_annotations_
static VOID DiskEvtClosed(VMBCHANNEL Channel, PVOID Context)
{
	PDISK_CHANNEL channel = Context;
	NTSTATUS status;

	status = channel->Disk->Kmcl.VmbChannelEnable(Channel);
	UNREFERENCED_PARAMETER(status);
}

_Use_decl_annotations_
static VOID DiskEvtPnpFailure(VMBCHANNEL Channel, NTSTATUS Status)
{
	PDISK disk = DiskGetPointer(Channel);

	/* Of another driver, until that lets it go: the channel waits for it, enabled. */
	if (Status == STATUS_SHARING_VIOLATION)
		return;
	DiskRetry(disk, "a controller is there but cannot be had", Status);
}

/*
 * A sub-channel's callbacks
 */

_Use_decl_annotations_
static VOID DiskEvtSubPostStarted(VMBCHANNEL Channel, PVOID Context)
{
	PDISK_CHANNEL channel = Context;

	UNREFERENCED_PARAMETER(Channel);
	InterlockedExchange(&channel->Ready, TRUE);
}

/* See DiskEvtSuspend(). Requests take other channels from here on. */
_Use_decl_annotations_
static VOID DiskEvtSubSuspend(VMBCHANNEL Channel, PVOID Context)
{
	PDISK_CHANNEL channel = Context;

	UNREFERENCED_PARAMETER(Channel);
	InterlockedExchange(&channel->Ready, FALSE);
	if (channel->Disk->Host)
		DiskHostWait(channel->Disk->Host);
}

/* The host's own packets, on any channel. */
_Use_decl_annotations_
static VOID DiskEvtProcessPacket(VMBCHANNEL Channel, PVOID Context,
				 VMBPACKETCOMPLETION PacketCompletion, PVOID Buffer,
				 UINT32 BufferLength, UINT32 Flags)
{
	PDISK_CHANNEL channel = Context;
	PDISK disk = channel->Disk;
	DISK_PACKET *packet = Buffer;
	PDISK_HOST host;

	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Flags);
	/* Pairs with DiskHostReady(), which may be about to set it for the first time. */
	host = InterlockedCompareExchangePointer((PVOID *)&disk->Host, NULL, NULL);
	if (BufferLength >= sizeof(packet->Operation) &&
	    (packet->Operation == DISK_ENUMERATE || packet->Operation == DISK_REMOVE) &&
	    ReadNoFence(&disk->Channels[0].Ready) && host)
		DiskHostRescan(host);
	disk->Kmcl.VmbChannelPacketComplete(PacketCompletion, NULL, 0);
}
