/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hyper-V's integration services on the wire. Each is a message pipe of its own class, and
 * the host speaks first: it asks for versions, of the framework, which is what all services
 * have in common, and of the service. Then it asks what the service is for. The guest
 * sends nothing but answers. All numbers are little-endian. Fields are naturally aligned in
 * each structure, but what follows the header is not aligned in the message: it is copied.
 */
#ifndef IC_PROTO_H
#define IC_PROTO_H

/* 57164f39-9115-4e78-ab55-382f3bd5422d */
DEFINE_GUID(IC_HEARTBEAT_CLASS, 0x57164f39, 0x9115, 0x4e78,
	    0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d);

/* 0e0b6031-5213-4934-818b-38d90ced39db */
DEFINE_GUID(IC_SHUTDOWN_CLASS, 0x0e0b6031, 0x5213, 0x4934,
	    0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb);

/* 9527e630-d0ae-497b-adce-e80ab0175caf */
DEFINE_GUID(IC_TIMESYNC_CLASS, 0x9527e630, 0xd0ae, 0x497b,
	    0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf);

/* The longest that the host sends here are shutdown requests, with 2080 bytes. */
#define IC_MESSAGE_MAXIMUM		4096

typedef struct _IC_VERSION {
	UINT16 Major;
	UINT16 Minor;
} IC_VERSION, *PIC_VERSION;

enum {
	IC_TYPE_NEGOTIATE = 0,
	IC_TYPE_HEARTBEAT = 1,
	IC_TYPE_SHUTDOWN = 3,
	IC_TYPE_TIMESYNC = 4,
};

#define IC_FLAG_TRANSACTION		0x1
#define IC_FLAG_REQUEST			0x2
#define IC_FLAG_RESPONSE		0x4

#define IC_STATUS_OK			0
#define IC_STATUS_FAILED		0x80004005u

/* Size counts what follows. An answer has the transaction id of its request. */
typedef struct _IC_HEADER {
	IC_VERSION Framework;
	UINT16 Type;
	IC_VERSION Version;
	UINT16 Size;
	UINT32 Status;
	UINT8 TransactionId;
	UINT8 Flags;
	UINT16 Reserved;
} IC_HEADER, *PIC_HEADER;

C_ASSERT(sizeof(IC_HEADER) == 20);

/*
 * From the host: versions of the framework, then those of the service. In the answer one of
 * each, or none at all.
 */
typedef struct _IC_NEGOTIATE {
	UINT16 FrameworkCount;
	UINT16 VersionCount;
	UINT32 Reserved;
} IC_NEGOTIATE, *PIC_NEGOTIATE;

C_ASSERT(sizeof(IC_NEGOTIATE) == 8);

/* In the answer the number is one more, and the guest says how its applications are. */
typedef struct _IC_HEARTBEAT {
	UINT64 Sequence;
	UINT32 ApplicationState;	/* not in the shortest ones */
} IC_HEARTBEAT, *PIC_HEARTBEAT;

#define IC_HEARTBEAT_MINIMUM		sizeof(UINT64)

/* The driver is told nothing of them. The host then shows OkApplicationsUnknown. */
#define IC_APPLICATIONS_UNKNOWN		0

/* A text for the user follows. */
typedef struct _IC_SHUTDOWN {
	UINT32 Reason;
	UINT32 TimeoutSeconds;
	UINT32 Flags;
} IC_SHUTDOWN, *PIC_SHUTDOWN;

#define IC_SHUTDOWN_FORCE		0x1
#define IC_SHUTDOWN_RESTART		0x2
#define IC_SHUTDOWN_HIBERNATE		0x4

/* Times count 100 ns from the beginning of 1601 on, in UTC. */
typedef struct _IC_TIME {
	UINT64 HostTime;
	UINT64 GuestTime;
	UINT64 RoundTripTime;
	UINT8 Flags;
} IC_TIME, *PIC_TIME;

#define IC_TIME_MINIMUM			(FIELD_OFFSET(IC_TIME, Flags) + 1)

/* Since version 4.0: it was HostTime when the guest's reference counter was that. */
typedef struct _IC_TIME_REFERENCE {
	UINT64 HostTime;
	UINT64 ReferenceTime;
	UINT8 Flags;
} IC_TIME_REFERENCE, *PIC_TIME_REFERENCE;

#define IC_TIME_REFERENCE_MINIMUM	(FIELD_OFFSET(IC_TIME_REFERENCE, Flags) + 1)

/* The guest's clock should be set: it has started, or was saved meanwhile. */
#define IC_TIME_SYNC			0x1

#endif /* IC_PROTO_H */
