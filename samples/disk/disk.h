/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the client proper, written in Windows' words only, meets the system whose disks
 * it serves: on Windows that would be the port driver, on Linux it is the SCSI layer.
 */
#ifndef DISK_H
#define DISK_H

#include <ntddk.h>

#include "disk_proto.h"

/* A controller: the client's, within the context of its device. */
typedef struct _DISK DISK, *PDISK;

/* The same to the system, where it may outlive the device: see DiskHostGone(). */
typedef struct _DISK_HOST DISK_HOST, *PDISK_HOST;

/*
 * A SCSI command. The system has the memory for it, DiskSizeofRequest() bytes, and uses it
 * for one command after the other: nothing is allocated between a command and its end.
 */
typedef struct _DISK_REQUEST DISK_REQUEST, *PDISK_REQUEST;

/*
 * It is over, and the memory the system's again. Not called for one that
 * DiskStartRequest() has refused. At DISPATCH_LEVEL.
 */
typedef VOID (*PDISK_REQUEST_DONE)(PDISK_REQUEST Request);

struct _DISK_REQUEST {
	PDISK_REQUEST_DONE Done;

	/* The command. */
	UINT8 Target;
	UINT8 Unit;
	UINT8 Direction;	/* DISK_DATA_IN, ... */
	UINT8 CdbLength;
	UINT8 Cdb[DISK_CDB_MAXIMUM];
	PMDL Data;		/* locked; NULL if none is moved */
	UINT32 DataLength;

	/*
	 * What became of it. The host's answer is in the rest if Status is
	 * STATUS_SUCCESS. STATUS_DEVICE_REMOVED: the channel was closed, the host may or may
	 * not have done it, and does not touch its memory any more.
	 */
	NTSTATUS Status;
	UINT32 Moved;		/* at most DataLength; if it failed that may be as it was sent */
	UINT8 SrbStatus;
	UINT8 ScsiStatus;
	UINT8 SenseLength;	/* 0: there is no sense data */
	UINT8 Sense[DISK_SENSE_MAXIMUM];

	/* The client's own. */
	UINT64 Serial;		/* of the channel that the packet was made for, or 0 */
	PVOID Own;		/* the own channel of the queue that counts it */
	UINT64 Packet[];
};

/* What a controller can do. */
typedef struct _DISK_LIMITS {
	UINT32 MaximumBytes;	/* of a request; whole pages */
	ULONG Queues;		/* each with a channel of its own, sooner or later */
} DISK_LIMITS, *PDISK_LIMITS;

/*
 * What the client provides.
 */

/* VMBus counts in pages of that size, on any system. */
#define DISK_PAGE_SIZE		4096

/* No request is larger, whatever a host allows. */
#define DISK_BYTES_MAXIMUM	(512 * 1024)

/*
 * Pages of a channel's rings either way, which the system may change before a device comes:
 * 33 are 132 KiB, for 120 requests of 512 KiB each that wait to be read, or 1,000 of 4 KiB.
 */
extern ULONG DiskRingPages;

/* Up to DISPATCH_LEVEL. */
ULONG DiskSizeofRequest(_In_ PDISK Disk);
VOID DiskInitializeRequest(_Out_ PDISK_REQUEST Request, _In_ PDISK_REQUEST_DONE Done);

/*
 * Up to DISPATCH_LEVEL. STATUS_DEVICE_NOT_READY: not now. On failure nothing happened.
 * Between DiskHostReady() and the return of DiskHostGone().
 */
NTSTATUS DiskStartRequest(_In_ PDISK Disk, _In_ ULONG Queue, _Inout_ PDISK_REQUEST Request);

/*
 * Does a request, which needs no room for a packet object, and waits for the answer, 10 s at
 * most. In DiskHostReady() only, at PASSIVE_LEVEL. If it fails the memory for its data is the
 * host's until the channel has been closed, which it is if DiskHostReady() fails, too.
 */
NTSTATUS DiskRunRequest(_In_ PDISK Disk, _Inout_ PDISK_REQUEST Request);

/*
 * Has the host abort what it has of a unit's commands. They end by themselves, if the host
 * keeps to that.
 */
NTSTATUS DiskResetUnit(_In_ PDISK Disk, _In_ UINT8 Target, _In_ UINT8 Unit);

/*
 * Closes the channels and opens them again. When it returns each request is over, for a
 * host has no access to the memory of a channel that is closed. Returns before they are open
 * again.
 */
NTSTATUS DiskRestart(_In_ PDISK Disk);

/*
 * What the system provides. All of it but DiskHostRescan() is called at PASSIVE_LEVEL.
 */

/*
 * The controller has been initialized: requests may start. The first time, with *Host NULL,
 * and whenever it was gone in between: then by the same device, or by another one of the
 * same instance. *Host stays until DiskHostDetach(), but that the device gets another one where
 * the system has given it up.
 */
NTSTATUS DiskHostReady(PDISK Disk, PDISK_HOST *Host, LPCGUID Instance,
		       PDISK_LIMITS Limits);

/* Returns when each DiskStartRequest() that was called before has returned. */
VOID DiskHostWait(_In_ PDISK_HOST Host);

/*
 * No request may start until DiskHostReady() is called again, which it is if @Sleeps: the
 * machine hibernates. Else it may never be. Returns as DiskHostWait().
 */
VOID DiskHostGone(_In_ PDISK_HOST Host, _In_ BOOLEAN Sleeps);

/*
 * The system has to do without the controller, and writes what it has to write: requests may
 * start until this returns.
 */
VOID DiskHostDelete(_In_ PDISK_HOST Host);

/*
 * The machine is awake again: from now on the controller is waited for as where it has gone in
 * another way.
 */
VOID DiskHostAwake(_In_ PDISK_HOST Host);

/* The device is no more, but for its memory; DiskHostGone() was called. */
VOID DiskHostDetach(_In_ PDISK_HOST Host);

/* As DiskHostDelete(), for those whose device has gone: the driver goes. */
VOID DiskHostDeleteAll(void);

/* The host's disks have changed. Up to DISPATCH_LEVEL. */
VOID DiskHostRescan(_In_ PDISK_HOST Host);

#endif /* DISK_H */
