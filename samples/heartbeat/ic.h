/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Integration services: what ic.c does for all of them, and ic_services.c for each.
 */
#ifndef IC_H
#define IC_H

#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "ic_proto.h"

/* An unfriendly host shall not be able to fill the log. */
#define IC_COMPLAINTS_MAXIMUM	10

#define IC_VERSIONS_MAXIMUM	4

typedef struct _IC_SERVICE IC_SERVICE, *PIC_SERVICE;

/* A message of the service's own type: Length bytes behind the header of the copy. */
typedef VOID IC_HANDLER(PIC_SERVICE Service, PUINT8 Body, UINT32 Length);

typedef struct _IC_KIND {
	PCWSTR Name;
	const GUID *Class;
	UINT16 Type;		/* of its messages */
	IC_HANDLER *Handler;
	IC_VERSION Versions[IC_VERSIONS_MAXIMUM];	/* the best first, up to 0.0 */
} IC_KIND, *PIC_KIND;

/*
 * A service and its channel. Packets are delivered one at a time, and none before
 * EvtChannelOpened has returned or after EvtChannelSuspend: so all but PacketBusy is only
 * for the callback that is running.
 */
struct _IC_SERVICE {
	const IC_KIND *Kind;
	VMBCHANNEL Channel;
	BOOLEAN Agreed;		/* upon versions */
	IC_VERSION Framework;
	IC_VERSION Version;
	ULONG Complaints;

	/*
	 * Answers go out by one packet object, in the driver's memory: so a heartbeat is
	 * answered when there is no memory, and a host that asks and does not read gets
	 * no second answer until it has taken the last. Interlocked.
	 */
	VMBPACKET Packet;
	LONG PacketBusy;

	/* A copy of the host's message, which the host cannot change; then the answer. */
	union {
		IC_HEADER Header;
		UINT8 Bytes[IC_MESSAGE_MAXIMUM];
	} Message;
};

/* For the system: the services start and stop all together. Device may be NULL. */
NTSTATUS IcStart(WDFDEVICE Device);
VOID IcStop(void);

/* ic.c, for the services */
VOID IcAnswer(PIC_SERVICE Service, UINT32 Status);
VOID IcRefuse(PIC_SERVICE Service, PCSTR Why);
VOID IcComplain(PIC_SERVICE Service, PCSTR What);

#define IcLog(service, format, ...)				\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL,	\
		   "%ws: " format, (service)->Kind->Name, ##__VA_ARGS__)

#define IcLogError(service, format, ...)			\
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL,	\
		   "%ws: " format, (service)->Kind->Name, ##__VA_ARGS__)

/* ic_services.c */
#define IC_KINDS		3

extern const IC_KIND IcKinds[IC_KINDS];

#endif /* IC_H */
