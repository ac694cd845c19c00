/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hyper-V's storage protocol, as Linux' storvsc_drv.c makes it public. Numbers are
 * little endian.
 */
#ifndef VMBHOST_STORAGE_H
#define VMBHOST_STORAGE_H

#include "vmbhost.h"

#define STORAGE_VERSION(major, minor)	((major) << 8 | (minor))

enum storage_operation {
	STORAGE_COMPLETE = 1,
	STORAGE_REMOVE = 2,		/* host to guest */
	STORAGE_EXECUTE = 3,
	STORAGE_RESET_UNIT = 4,
	STORAGE_RESET_ADAPTER = 5,
	STORAGE_RESET_BUS = 6,
	STORAGE_BEGIN = 7,
	STORAGE_END = 8,
	STORAGE_QUERY_VERSION = 9,
	STORAGE_QUERY_PROPERTIES = 10,
	STORAGE_ENUMERATE = 11,		/* host to guest */
	STORAGE_CREATE_SUBS = 13,
};

enum srb_status {
	SRB_SUCCESS = 0x01,
	SRB_ABORTED = 0x02,
	SRB_ERROR = 0x04,
	SRB_BUSY = 0x05,
	SRB_INVALID_UNIT = 0x20,
	SRB_SENSE_VALID = 0x80,
};

struct storage_srb {
	u16 length;
	u8 srb_status;
	u8 scsi_status;
	u8 port;
	u8 path;
	u8 target;
	u8 unit;
	u8 cdb_length;
	u8 sense_length;
	u8 in;			/* 1: data comes from the disk */
	u8 reserved;
	u32 data_length;
	u8 bytes[20];		/* the command; in the answer its sense data */
	u16 reserved2;
	u8 queue_tag;
	u8 queue_action;
	u32 flags;
	u32 timeout;
	u32 sort_key;
} __packed;

#define STORAGE_MULTI_CHANNEL	1

struct storage_properties {
	u32 reserved;
	u16 most_subs;
	u16 reserved2;
	u32 flags;
	u32 most_bytes;		/* of one request */
	u64 reserved3;
} __packed;

struct storage_packet {
	u32 operation;
	u32 flags;
	u32 status;
	union {
		struct storage_srb srb;
		struct storage_properties properties;
		struct {
			u16 version;
			u16 revision;
		} __packed;
		u16 subs;
	};
} __packed;

#endif /* VMBHOST_STORAGE_H */
