/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The storage protocol on the wire, versions 5.1, 6.0 and 6.2.
 *
 * The guest begins the initialization, asks for a version until the host accepts one,
 * asks what the controller can do, and ends it. Then it may ask for sub-channels, and
 * sends SCSI commands on any channel, each with the memory that it reads or writes as
 * the packet's external data. All packets are the guest's, and completed by the host with
 * one of the same layout; but for two, by which the host tells that its disks have changed.
 * All numbers are little-endian and naturally aligned.
 */
#ifndef DISK_PROTO_H
#define DISK_PROTO_H

#define DISK_VERSION(major, minor)	((UINT16)((major) << 8 | (minor)))
#define DISK_VERSION_MAJOR(version)	((version) >> 8)
#define DISK_VERSION_MINOR(version)	((version) & 0xff)

enum {
	DISK_COMPLETE = 1,
	DISK_REMOVE = 2,		/* host to guest */
	DISK_EXECUTE = 3,
	DISK_RESET_UNIT = 4,
	DISK_RESET_BUS = 6,
	DISK_BEGIN = 7,
	DISK_END = 8,
	DISK_QUERY_VERSION = 9,
	DISK_QUERY_PROPERTIES = 10,
	DISK_ENUMERATE = 11,		/* host to guest */
	DISK_CREATE_CHANNELS = 13,
};

/* DISK_PACKET.Flags */
#define DISK_WANT_COMPLETION		0x1

#define DISK_CDB_MAXIMUM		16
#define DISK_SENSE_MAXIMUM		20

/* Status and flags in one byte, as a Windows SRB has them. */
#define DISK_SRB_STATUS(byte)		((byte) & 0x3f)
#define DISK_SRB_SENSE_VALID		0x80

enum {
	DISK_SRB_SUCCESS = 0x01,
	DISK_SRB_ABORTED = 0x02,
	DISK_SRB_ERROR = 0x04,
	DISK_SRB_BUSY = 0x05,
	DISK_SRB_INVALID_PATH = 0x07,
	DISK_SRB_NO_DEVICE = 0x08,
	DISK_SRB_SELECTION_TIMEOUT = 0x0a,
	DISK_SRB_BUS_RESET = 0x0e,
	DISK_SRB_OVERRUN = 0x12,	/* done; less was moved than there was room for */
	DISK_SRB_INVALID_UNIT = 0x20,
	DISK_SRB_INVALID_TARGET = 0x21,
};

/* DISK_SRB.Direction */
enum {
	DISK_DATA_OUT = 0,
	DISK_DATA_IN = 1,
	DISK_DATA_NONE = 2,
};

/* DISK_SRB.Flags */
#define DISK_SRB_FLAG_QUEUE_ACTION	0x00000002
#define DISK_SRB_FLAG_NO_SYNCH_TRANSFER	0x00000008
#define DISK_SRB_FLAG_DATA_IN		0x00000040
#define DISK_SRB_FLAG_DATA_OUT		0x00000080
#define DISK_SRB_FLAG_NO_QUEUE_FREEZE	0x00000100

#define DISK_UNTAGGED			0xff
#define DISK_SIMPLE_TAG			0x20

typedef struct _DISK_SRB {
	UINT16 Length;
	UINT8 SrbStatus;
	UINT8 ScsiStatus;
	UINT8 Port;
	UINT8 Path;
	UINT8 Target;
	UINT8 Unit;
	UINT8 CdbLength;
	UINT8 SenseLength;
	UINT8 Direction;
	UINT8 Reserved;
	UINT32 DataLength;	/* in the answer what was moved */
	union {
		UINT8 Cdb[DISK_CDB_MAXIMUM];
		UINT8 Sense[DISK_SENSE_MAXIMUM];	/* in the answer */
	} Bytes;
	UINT16 Reserved2;
	UINT8 QueueTag;
	UINT8 QueueAction;
	UINT32 Flags;
	UINT32 Timeout;
	UINT32 SortKey;
} DISK_SRB, *PDISK_SRB;

C_ASSERT(sizeof(DISK_SRB) == 52);

/* DISK_PROPERTIES.Flags: there may be sub-channels */
#define DISK_MULTI_CHANNEL		0x1

typedef struct _DISK_PROPERTIES {
	UINT32 Reserved;
	UINT16 MaximumChannels;	/* sub-channels, beside the primary one */
	UINT16 Reserved2;
	UINT32 Flags;
	UINT32 MaximumBytes;	/* that one command may move */
	UINT32 Reserved3[2];
} DISK_PROPERTIES, *PDISK_PROPERTIES;

C_ASSERT(sizeof(DISK_PROPERTIES) == 24);

typedef struct _DISK_PACKET {
	UINT32 Operation;
	UINT32 Flags;
	UINT32 Status;		/* an NTSTATUS, in the answer */
	union {
		DISK_SRB Srb;
		DISK_PROPERTIES Properties;
		struct {
			UINT16 Number;
			UINT16 Revision;
		} Version;
		UINT16 Channels;
	} Body;
} DISK_PACKET, *PDISK_PACKET;

C_ASSERT(sizeof(DISK_PACKET) == 64);

#endif /* DISK_PROTO_H */
