/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a saved server channel looks like: chunks, one for each call of
 * VmbChannelSaveContinue(), of whole records. Numbers are in the machine's byte
 * order; a machine of the other order finds another magic number.
 */
#ifndef VMBKMCL_SAVE_FORMAT_H
#define VMBKMCL_SAVE_FORMAT_H

#include <linux/crc32.h>
#include <linux/types.h>
#include <linux/uuid.h>

#define KMCL_SAVE_MAGIC		0x53434d4b	/* "KMCS" */
#define KMCL_SAVE_LIB_MAGIC	0x50434d4b	/* "KMCP" */
#define KMCL_SAVE_VERSION	1

#define KMCL_SAVE_LAST		0x1	/* no chunk follows */

/* Chunks are multiples of 8 bytes long, as are all records. */
struct kmcl_save_chunk {
	u32 magic;
	u16 version;
	u16 flags;
	u32 len;	/* all of the chunk */
	u32 index;	/* from 0 */
	u64 save;	/* the same in all chunks of a save */
	u32 crc;	/* of the chunk, with 0 in this field */
	u32 reserved;
};

enum kmcl_save_type {
	KMCL_SAVE_CHANNEL = 1,	/* first, and once */
	KMCL_SAVE_PACKET,	/* of the server's, not complete */
	KMCL_SAVE_COMPLETION,	/* of an incoming packet, waits for room */
	KMCL_SAVE_INCOMING,	/* taken from the ring, not delivered */
};

/* The body follows; the next record comes at a multiple of 8. */
struct kmcl_save_record {
	u32 type;
	u32 len;	/* of the body */
};

struct kmcl_save_channel {
	u64 resume;	/* the save's number; 0 if there was no client */
	u64 last_id;
	guid_t type;
	guid_t instance;
	u32 pipe;
	u32 reserved;
};

/* What the library knows of the packet follows, then what the server has added. */
struct kmcl_save_packet {
	u32 lib_len;
	u32 server_len;
};

/* LibBuf of the restore callback. A payload follows if the packet was queued. */
struct kmcl_save_lib {
	u32 magic;
	u16 version;
	u16 flags;	/* KMCL_WIRE_* */
	u64 id;
	u32 len;
	u16 queued;
	u16 reserved;
	u32 crc;	/* of this and the payload, with 0 in this field */
	u32 reserved2;
};

struct kmcl_save_completion {
	u64 id;
	u32 len;
	u32 reserved;
};

/* Headers, if the packet came with memory, and payload follow. */
struct kmcl_save_incoming {
	u64 id;
	u16 type;
	u16 flags;
	u32 gpa_len;
	u32 len;
	u32 reserved;
};

/* @crc lies in the @len bytes at @data and counts as 0. */
static inline u32 kmcl_save_crc(const void *data, u32 len, const u32 *crc)
{
	u32 before = (const void *)crc - data, zero = 0, sum;

	sum = crc32_le(~0, data, before);
	sum = crc32_le(sum, (void *)&zero, sizeof(zero));
	return crc32_le(sum, (void *)(crc + 1), len - before - sizeof(zero));
}

#endif
