/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The format of a packet in a VMBus ring: a descriptor, more headers for some
 * types, the payload padded to 8 bytes, and 8 bytes of trailer.
 */
#ifndef VMBKMCL_WIRE_H
#define VMBKMCL_WIRE_H

#include <linux/errno.h>
#include <linux/types.h>

#define KMCL_WIRE_DATA		6	/* payload in the ring */
#define KMCL_WIRE_DATA_XFER	7	/* payload, and ranges of a GPADL */
#define KMCL_WIRE_DATA_GPA	9	/* payload, and ranges of the sender's memory */
#define KMCL_WIRE_COMPLETION	11

#define KMCL_WIRE_WANT_COMPLETION	0x1

#define KMCL_WIRE_TRAILER	8

/* The descriptor counts in units of 8 bytes, in 16 bits. */
#define KMCL_WIRE_MAX		(U16_MAX * 8)

struct kmcl_wire_desc {
	u16 type;
	u16 offset8;
	u16 len8;
	u16 flags;
	u64 id;
};

/* No packet object may promise more payload than a descriptor can count. */
#define KMCL_WIRE_MAX_PAYLOAD	(KMCL_WIRE_MAX - (u32)sizeof(struct kmcl_wire_desc))

/* Memory is described in pages of this size, whatever the kernel's. */
#define KMCL_WIRE_PAGE_SHIFT	12
#define KMCL_WIRE_PAGE_SIZE	4096u

/* A stretch of memory: @len bytes from byte @offset of the first page on. */
struct kmcl_wire_range {
	u32 len;
	u32 offset;
	u64 pfn[];
};

/* The headers of KMCL_WIRE_DATA_GPA; each range follows the one before. */
struct kmcl_wire_gpa {
	struct kmcl_wire_desc desc;
	u32 reserved;
	u32 ranges;
	u64 range[];
};

/* Pages that such headers of @len bytes describe. */
static inline u32 kmcl_wire_gpa_pages(const struct kmcl_wire_gpa *gpa, u32 len)
{
	return (len - sizeof(*gpa) - gpa->ranges * sizeof(struct kmcl_wire_range)) /
	       sizeof(u64);
}

/* The headers of KMCL_WIRE_DATA_XFER. */
struct kmcl_wire_xfer {
	struct kmcl_wire_desc desc;
	u16 set;
	u16 reserved;
	u32 ranges;
	struct {
		u32 len;
		u32 offset;
	} range[];
};

/* What precedes the payload on channels in pipe mode; completions have none. */
struct kmcl_wire_pipe {
	u32 type;
	u32 len;
};

#define KMCL_WIRE_PIPE_DATA	1

/* Room that a packet with @len bytes of payload takes in a ring. */
static inline u32 kmcl_wire_room(u32 head, u32 len)
{
	return ALIGN(head + len, 8) + KMCL_WIRE_TRAILER;
}

/**
 * struct kmcl_wire - a packet taken from a ring, as a private copy
 * @head: its descriptor, and all other headers; of its lengths only these here were checked
 * @payload: behind all headers
 * @head_len: bytes of headers, at least those of a descriptor
 * @len: bytes of payload, padding to 8 included: the format has no finer length
 * @room_len: bytes of @room
 * @room: where the copy is wanted, or NULL; set by the caller, as is @room_len
 */
struct kmcl_wire {
	const struct kmcl_wire_desc *head;
	const void *payload;
	u32 head_len;
	u32 len;
	u32 room_len;
	void *room;
};

/**
 * kmcl_wire_parse() - find the payload of a packet
 * @copy: the whole packet without its trailer; not shared with the other end
 * @bytes: size of @copy, at least that of a descriptor
 * @pkt: the result; its room stays what it is
 *
 * Return:
 *  - 0
 *  - -EBADMSG: the header's offset leads out of the packet; only @head of the result is set
 */
static inline int kmcl_wire_parse(const void *copy, u32 bytes,
				  struct kmcl_wire *pkt)
{
	const struct kmcl_wire_desc *desc = copy;
	u32 offset = desc->offset8 * 8u;

	pkt->head = desc;
	if (unlikely(offset < sizeof(*desc) || offset > bytes))
		return -EBADMSG;

	pkt->payload = copy + offset;
	pkt->head_len = offset;
	pkt->len = bytes - offset;
	return 0;
}

/* Do the headers of a packet with transfer pages hold all the ranges they count? */
static inline bool kmcl_wire_xfer_valid(const struct kmcl_wire *pkt)
{
	const struct kmcl_wire_xfer *xfer = (const void *)pkt->head;

	return pkt->head_len >= sizeof(*xfer) &&
	       xfer->ranges <= (pkt->head_len - sizeof(*xfer)) /
			       sizeof(xfer->range[0]);
}

#endif
