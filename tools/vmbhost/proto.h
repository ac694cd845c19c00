/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMBus on the wire: messages between guest and host, rings, packets.
 * Little endian, as the only machine this runs on.
 */
#ifndef VMBHOST_PROTO_H
#define VMBHOST_PROTO_H

#include "vmbhost.h"

/* SynIC */
#define HV_MESSAGE_PAYLOAD		240
#define HV_EVENT_FLAGS			2048
#define VMBUS_MESSAGE_SINT		2
#define VMBUS_MESSAGE_TYPE		1

/* Connections that a guest posts to, and the channels' that it signals. */
#define VMBUS_CONNECTION		1
#define VMBUS_CONNECTION_5		4	/* since version 5.0 */
#define VMBUS_CHANNEL_CONNECTION(relid)	(VMBUS_MESSAGE_SINT << 12 | (relid))

#define VMBUS_VERSION(major, minor)	((u32)(major) << 16 | (minor))

struct guid {
	u8 b[16];
};

enum vmbus_message {
	MSG_OFFER = 1,
	MSG_RESCIND = 2,
	MSG_REQUEST_OFFERS = 3,
	MSG_ALL_OFFERS = 4,
	MSG_OPEN = 5,
	MSG_OPEN_RESULT = 6,
	MSG_CLOSE = 7,
	MSG_GPADL_HEADER = 8,
	MSG_GPADL_BODY = 9,
	MSG_GPADL_CREATED = 10,
	MSG_GPADL_TEARDOWN = 11,
	MSG_GPADL_TORNDOWN = 12,
	MSG_RELID_RELEASED = 13,
	MSG_INITIATE_CONTACT = 14,
	MSG_VERSION_RESPONSE = 15,
	MSG_UNLOAD = 16,
	MSG_UNLOAD_RESPONSE = 17,
	MSG_TL_CONNECT = 21,
	MSG_MODIFY_CHANNEL = 22,
	MSG_TL_CONNECT_RESULT = 23,
	MSG_MODIFY_CHANNEL_RESPONSE = 24,
};

struct msg_header {
	u32 type;
	u32 padding;
} __packed;

struct msg_initiate_contact {
	struct msg_header head;
	u32 version;
	u32 target_vp;
	union {
		u64 interrupt_page;	/* before 5.0 */
		struct {
			u8 sint;
			u8 vtl;
			u16 reserved;
			u32 features;	/* since 6.0 */
		} __packed;
	};
	u64 monitor_pages[2];
} __packed;

struct msg_version_response {
	struct msg_header head;
	u8 supported;
	u8 state;
	u16 padding;
	u32 connection;
	u32 features;	/* since 6.0; shorter before */
} __packed;

#define OFFER_ENUMERATE_INTERFACE	0x0001
#define OFFER_NAMED_PIPE		0x0010

#define PIPE_MODE_BYTE			0
#define PIPE_MODE_MESSAGE		4

#define OFFER_USER_BYTES		120

struct msg_offer {
	struct msg_header head;
	struct guid type;
	struct guid instance;
	u64 reserved[2];
	u16 flags;
	u16 mmio_megabytes;
	union {
		u8 user[OFFER_USER_BYTES];
		u32 pipe_mode;
	};
	u16 sub_channel;
	u16 mmio_optional;
	u32 relid;
	u8 monitor_id;
	u8 monitor_allocated;
	u16 dedicated;
	u32 connection;
} __packed;

_Static_assert(sizeof(struct msg_offer) == 196, "an offer as Linux reads it");

/* Rescind, close, relid released: nothing but the channel. */
struct msg_channel {
	struct msg_header head;
	u32 relid;
} __packed;

struct msg_open {
	struct msg_header head;
	u32 relid;
	u32 open_id;
	u32 gpadl;
	u32 target_vp;
	u32 downstream_page;
	u8 user[OFFER_USER_BYTES];
} __packed;

struct msg_open_result {
	struct msg_header head;
	u32 relid;
	u32 open_id;
	u32 status;
} __packed;

struct msg_gpadl_header {
	struct msg_header head;
	u32 relid;
	u32 gpadl;
	u16 ranges_bytes;
	u16 range_count;
	u8 ranges[];
} __packed;

struct msg_gpadl_body {
	struct msg_header head;
	u32 number;
	u32 gpadl;
	u8 ranges[];
} __packed;

struct msg_gpadl_created {
	struct msg_header head;
	u32 relid;
	u32 gpadl;
	u32 status;
} __packed;

struct msg_gpadl_teardown {
	struct msg_header head;
	u32 relid;
	u32 gpadl;
} __packed;

struct msg_gpadl_torndown {
	struct msg_header head;
	u32 gpadl;
} __packed;

struct msg_modify_channel {
	struct msg_header head;
	u32 relid;
	u32 target_vp;
} __packed;

struct msg_modify_channel_response {
	struct msg_header head;
	u32 relid;
	u32 status;
} __packed;

struct msg_tl_connect {
	struct msg_header head;
	struct guid guest_endpoint;
	struct guid host_service;
} __packed;

struct msg_tl_connect_result {
	struct msg_header head;
	struct guid guest_endpoint;
	struct guid host_service;
	u32 status;
} __packed;

#define NT_SUCCESS			0
#define NT_UNSUCCESSFUL			0xc0000001u
#define NT_INVALID_PARAMETER		0xc000000du
#define NT_INVALID_DEVICE_REQUEST	0xc0000010u
#define NT_REVISION_MISMATCH		0xc0000059u
#define NT_CONNECTION_REFUSED		0xc0000236u

/* Guest memory: page frame numbers follow, as many as length and offset span. */
struct wire_range {
	u32 length;
	u32 offset;
	u64 pfns[];
} __packed;

/* The first page of a ring; the rest is data. */
struct ring_header {
	u32 write_index;
	u32 read_index;
	u32 interrupt_mask;
	u32 pending_send_size;
	u32 reserved[12];
	u32 features;
	u8 padding[PAGE_SIZE - 68];
} __packed;

#define RING_HAS_PENDING_SEND_SIZE	1
#define RING_TRAILER			8

enum packet_type {
	PACKET_DATA = 6,
	PACKET_TRANSFER_PAGES = 7,
	PACKET_GPADL = 8,
	PACKET_GPA_DIRECT = 9,
	PACKET_CANCEL = 10,
	PACKET_COMPLETION = 11,
};

#define PACKET_WANTS_COMPLETION		1

struct packet_header {
	u16 type;
	u16 offset8;
	u16 len8;
	u16 flags;
	u64 id;
} __packed;

/* What comes between the header and the payload of some types. */
struct packet_ranges {
	u32 reserved;
	u32 count;
	u8 ranges[];
} __packed;

struct packet_transfer_pages {
	u16 set;
	u8 sender_owns;
	u8 reserved;
	u32 count;
	struct {
		u32 length;
		u32 offset;
	} __packed ranges[];
} __packed;

#endif /* VMBHOST_PROTO_H */
