/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the client's own files share.
 */
#ifndef DYNMEM_CLIENT_H
#define DYNMEM_CLIENT_H

#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "dynmem.h"
#include "dynmem_proto.h"

/* An unfriendly host shall not be able to fill the log. */
#define DYNMEM_COMPLAINTS_MAXIMUM	10

typedef enum _DYNMEM_STATE {
	DynmemStateClosed,		/* there is no channel to talk over */
	DynmemStateVersion,		/* a version was asked for */
	DynmemStateCapabilities,	/* the capabilities were reported */
	DynmemStateActive,
	DynmemStateRefused,		/* the negotiation has failed */
} DYNMEM_STATE;

/* The context of a device. */
typedef struct _DYNMEM {
	KMCL_CLIENT_INTERFACE_V5 Kmcl;
	VMBCHANNEL Channel;
	PDYNMEM_PAGES Pages;	/* that the host has */
	WDFTIMER Timer;		/* runs in D0, and has */
	WDFWORKITEM Report;	/* that report the status */

	/*
	 * A DYNMEM_STATE. The channel's callbacks change it, the status report
	 * reads it from elsewhere: interlocked.
	 */
	LONG State;
	LONG TransactionId;	/* of the last message sent, interlocked */
	LONG Ballooned;		/* pages the host has, interlocked */

	/*
	 * Only for the channel's callbacks, which run one at a time, but for
	 * packets that arrive while EvtChannelPostStarted runs. The state keeps
	 * those out, unless the host answers what it was not yet asked: that
	 * spoils the negotiation, and no more than that.
	 */
	ULONG VersionIndex;
	BOOLEAN Reporting;	/* the host wants status reports */
	UINT64 TakenBack;	/* in the unballoon request under way */
	UINT64 Emptied;		/* pages left when the channel was closed */
	ULONG Complaints;

	/*
	 * The status report has a packet object in the driver's memory, so that one
	 * a second can be sent for ever without asking for memory once.
	 */
	VMBPACKET StatusPacket;
	LONG StatusPacketBusy;

	/* A balloon response is put together here, longwise. */
	union {
		DYNMEM_BALLOON_RESPONSE Response;
		UINT8 Bytes[DYNMEM_MESSAGE_MAXIMUM];
	} Balloon;
} DYNMEM, *PDYNMEM;

WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(DYNMEM, DynmemGetContext)

#define DynmemLog(format, ...)	\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, \
		   "dynmem: " format, ##__VA_ARGS__)

#define DynmemLogError(format, ...)	\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, \
		   "dynmem: " format, ##__VA_ARGS__)

#define DYNMEM_PAGES_PER_MIB		256

static inline DYNMEM_STATE DynmemGetState(PDYNMEM Dynmem)
{
	return (DYNMEM_STATE)InterlockedCompareExchange(&Dynmem->State, 0, 0);
}

/* dynmem.c */
NTSTATUS DynmemCreateChannel(PDYNMEM Dynmem, PDEVICE_OBJECT DeviceObject);
VOID DynmemDeleteChannel(PDYNMEM Dynmem);
NTSTATUS DynmemSend(PDYNMEM Dynmem, PDYNMEM_HEADER Header, UINT16 Type,
		    UINT32 Size);
VOID DynmemComplain(PDYNMEM Dynmem, PCSTR What);

/* dynmem_balloon.c */
UINT64 DynmemBalloonFloor(const DYNMEM_MEMORY *Memory);
VOID DynmemBalloonUp(PDYNMEM Dynmem, const DYNMEM_BALLOON_REQUEST *Request);
VOID DynmemBalloonDown(PDYNMEM Dynmem,
		       const DYNMEM_UNBALLOON_REQUEST *Request, UINT32 Length);
UINT64 DynmemBalloonEmpty(PDYNMEM Dynmem);

/* dynmem_status.c */
NTSTATUS DynmemStatusInitialize(PDYNMEM Dynmem);
VOID DynmemStatusUninitialize(PDYNMEM Dynmem);
VOID DynmemReportStatus(PDYNMEM Dynmem);

#endif /* DYNMEM_CLIENT_H */
