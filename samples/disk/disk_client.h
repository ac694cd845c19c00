/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the client's own files share.
 */
#ifndef DISK_CLIENT_H
#define DISK_CLIENT_H

#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "disk.h"
#include "disk_proto.h"

/* One for each processor, as far as these go. */
#define DISK_CHANNELS_MAXIMUM	16

/*
 * The primary channel is that with index 0. Each is the own one of the queue with its index;
 * what is about the queue is interlocked.
 */
typedef struct _DISK_CHANNEL {
	PDISK Disk;
	VMBCHANNEL Handle;
	UINT64 Serial;		/* no two channels have the same, ever */
	LONG Ready;		/* takes requests; interlocked */
	LONG Crowded;		/* when the queue was, in ticks: see DiskFindChannel() */
	UINT8 Gap[64];		/* what each request writes is not in the line of the above */
	LONG UnderWay;		/* requests of the queue, on whatever channel */
	LONG Looked;		/* when @Helper was chosen, in ticks */
	LONG Helper;		/* the index of the channel for them while there are many */
	UINT8 Gap2[64];
} DISK_CHANNEL, *PDISK_CHANNEL;

/* The context of a device. */
struct _DISK {
	KMCL_CLIENT_INTERFACE_V5 Kmcl;
	DISK_CHANNEL Channels[DISK_CHANNELS_MAXIMUM];
	ULONG ChannelCount;
	ULONG CrowdedTicks;	/* DISK_CROWDED_MS */
	PDISK_HOST Host;	/* written by the primary's callbacks */
	BOOLEAN Surprise;	/* the host has taken the device away */
	BOOLEAN Sleeps;		/* the channels close because the machine hibernates */

	/* Guards whether the channel is to be enabled: in D0 it is. */
	WDFWAITLOCK Lock;
	BOOLEAN InD0;
	WDFTIMER Again;		/* when it may be opened, where that has failed */
	ULONG AgainMs;		/* so long was waited for it the last time; 0: it is open */
};

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(DISK, DiskGetContext)

#define DiskLog(format, ...)	\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, \
		   "disk: " format, ##__VA_ARGS__)

#define DiskLogError(format, ...)	\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, \
		   "disk: " format, ##__VA_ARGS__)

/* disk_driver.c */
VOID DiskRetry(PDISK Disk, PCSTR What, NTSTATUS Status);

/* disk_channel.c */
NTSTATUS DiskCreateChannels(PDISK Disk, PDEVICE_OBJECT DeviceObject);
VOID DiskDeleteChannels(PDISK Disk);

/* disk_setup.c */
NTSTATUS DiskExchange(PDISK Disk, PDISK_PACKET Packet, PMDL Data, UINT32 Flags);
NTSTATUS DiskAsk(PDISK Disk, PDISK_PACKET Packet, UINT32 Operation);
NTSTATUS DiskNegotiate(PDISK Disk, PDISK_LIMITS Limits);

#endif /* DISK_CLIENT_H */
