/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One ring, seen from the host. The other end's index is checked at every look
 * at it; our own one is kept here, for the guest could overwrite it.
 */
#ifndef VMBHOST_RING_H
#define VMBHOST_RING_H

#include "proto.h"

struct vm;

struct ring {
	struct ring_header *head;
	u8 *data;	/* mapped twice: what wraps around is one piece */
	u32 size;
	u32 pages;
	u32 index;
};

bool ring_map(struct ring *ring, struct vm *vm, const u64 *pfns, u32 pages);
void ring_unmap(struct ring *ring);

/* Reading. */
enum ring_state { RING_EMPTY, RING_PACKET, RING_BROKEN };

/*
 * The next packet's header and its length without the trailer. RING_BROKEN: the
 * stream cannot be understood from here on, @why says why.
 */
enum ring_state ring_peek(struct ring *ring, struct packet_header *head, u32 *len,
			  const char **why);
void ring_copy(struct ring *ring, u32 offset, void *to, u32 len);
/* Done with a packet. True if the guest waits for the room that this made. */
bool ring_consume(struct ring *ring, u32 len);
void ring_mask(struct ring *ring, bool masked);
bool ring_is_empty(struct ring *ring);
/* Bytes that wait to be read; 0 if the guest's index makes no sense. */
u32 ring_unread(struct ring *ring);

/* Writing. */
enum ring_write { RING_FULL, RING_WRITTEN, RING_WRITTEN_SIGNAL };

/* @parts one behind the other, padded to 8 bytes. */
struct ring_part {
	const void *bytes;
	u32 len;
};

enum ring_write ring_write(struct ring *ring, const struct ring_part *parts, u32 count);
/* Bytes that can be written. */
u32 ring_room(struct ring *ring);
/* Have the guest signal when there is room for @len bytes; 0: no need. */
void ring_want_room(struct ring *ring, u32 len);

#endif /* VMBHOST_RING_H */
