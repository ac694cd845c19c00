// SPDX-License-Identifier: GPL-2.0
/*
 * A ring of the loopback transport: packets in VMBus' format, one sender at a time,
 * one receiver, no lock between them.
 *
 * It behaves as hv_vmbus' rings do: a signal only where an empty ring gets its
 * first packet, or where room that the sender waits for appears.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "loopback.h"

/* A suite looks at rings by themselves. */
#ifdef VMBKMCL_KUNIT
#define EXPORT_SYMBOL_FOR_KMCL_TESTS(function) EXPORT_SYMBOL_GPL(function)
#else
#define EXPORT_SYMBOL_FOR_KMCL_TESTS(function)
#endif

/* @bytes includes a control page, which is not needed here. */
int kmcl_lb_ring_init(struct kmcl_lb_ring *ring, u32 bytes)
{
	*ring = (struct kmcl_lb_ring) { .size = bytes - KMCL_WIRE_PAGE_SIZE };
	spin_lock_init(&ring->lock);
	ring->data = vmalloc(ring->size);
	/* No packet is larger than either of these. */
	ring->copy = vmalloc(min_t(u32, ring->size, KMCL_WIRE_MAX));
	if (ring->data && ring->copy)
		return 0;

	kmcl_lb_ring_destroy(ring);
	return -ENOMEM;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_init);

void kmcl_lb_ring_destroy(struct kmcl_lb_ring *ring)
{
	vfree(ring->data);
	vfree(ring->copy);
	ring->data = NULL;
	ring->copy = NULL;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_destroy);

/* Bytes from one index on to another. */
static u32 kmcl_lb_distance(const struct kmcl_lb_ring *ring, u32 from, u32 to)
{
	return to >= from ? to - from : ring->size - from + to;
}

static u32 kmcl_lb_free(const struct kmcl_lb_ring *ring, u32 write, u32 read)
{
	return ring->size - kmcl_lb_distance(ring, read, write);
}

static u32 kmcl_lb_step(const struct kmcl_lb_ring *ring, u32 index, u32 bytes)
{
	index += bytes;
	return index < ring->size ? index : index - ring->size;
}

/* Copies into the ring; returns the index behind. */
static u32 kmcl_lb_put(struct kmcl_lb_ring *ring, u32 at, const void *from,
		       u32 bytes)
{
	u32 first = min(bytes, ring->size - at);

	memcpy(ring->data + at, from, first);
	memcpy(ring->data, from + first, bytes - first);
	return kmcl_lb_step(ring, at, bytes);
}

static void kmcl_lb_get(const struct kmcl_lb_ring *ring, u32 at, void *to,
			u32 bytes)
{
	u32 first = min(bytes, ring->size - at);

	memcpy(to, ring->data + at, first);
	memcpy(to + first, ring->data, bytes - first);
}

/**
 * kmcl_lb_ring_write() - write a packet
 * @ring: the ring; where there may be other senders its lock is held
 * @out: the packet
 * @data: its payload
 * @opens: it is one of @send_request; it may be anything when this returns 0
 * @signal: whether the receiver is to be told
 *
 * Return:
 *  - 0
 *  - -EAGAIN: there is no room now
 *  - -EOPNOTSUPP: there never is
 */
int kmcl_lb_ring_write(struct kmcl_lb_ring *ring, struct kmcl_out *out,
		       const void *data, bool opens, bool *signal)
{
	u32 head = out->gpa ? out->gpa_len : sizeof(struct kmcl_wire_desc);
	u32 len = ALIGN(head + out->len, 8);
	u32 room = kmcl_wire_room(head, out->len);
	u32 start = ring->write, at = start;
	struct kmcl_wire_desc desc = {
		.type = out->type,
		.offset8 = head / 8,
		.len8 = len / 8,
		.flags = out->flags,
		.id = out->id,
	};
	u64 trailer = (u64)start << 32;
	static const u64 padding;

	if (room >= ring->size) {
		pr_warn_ratelimited("a packet of %u bytes never fits into the client's ring of %u\n",
				    room, ring->size);
		return -EOPNOTSUPP;
	}
	/* Pairs with the release in kmcl_lb_ring_commit(): what lay there was read. */
	if (kmcl_lb_free(ring, start, smp_load_acquire(&ring->read)) <= room)
		return -EAGAIN;

	at = kmcl_lb_step(ring, at, sizeof(desc));
	if (out->gpa)
		at = kmcl_lb_put(ring, at, (void *)out->gpa + sizeof(desc),
				 head - sizeof(desc));
	at = kmcl_lb_put(ring, at, data, out->len);
	at = kmcl_lb_put(ring, at, &padding, len - head - out->len);
	at = kmcl_lb_put(ring, at, &trailer, sizeof(trailer));
	if (opens)
		desc.id = kmcl_packet_written(out);
	kmcl_lb_put(ring, start, &desc, sizeof(desc));

	/* The packet before its index: pairs with kmcl_lb_ring_first(). */
	smp_store_release(&ring->write, at);
	/*
	 * A receiver that does not see the packet is seen here to have unmasked
	 * its signals. Pairs with the barrier in kmcl_lb_ring_end().
	 */
	smp_mb();
	*signal = false;
	if (!READ_ONCE(ring->mask)) {
		/* Pairs with the release of @mask: @read is at least as new. */
		smp_rmb();
		*signal = READ_ONCE(ring->read) == start;
	}
	return 0;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_write);

/* Asks for a signal once there is more room than @bytes; 0 takes that back. */
void kmcl_lb_ring_want_room(struct kmcl_lb_ring *ring, u32 bytes)
{
	if (!bytes && !ring->pending)
		return;

	WRITE_ONCE(ring->pending, bytes);
	/*
	 * Either the receiver sees the request or the next write sees the room.
	 * Pairs with the barrier in kmcl_lb_ring_commit().
	 */
	smp_mb();
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_want_room);

/* Masks signals. */
void kmcl_lb_ring_begin(struct kmcl_lb_ring *ring)
{
	WRITE_ONCE(ring->mask, 1);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_begin);

/* The packet at the head of the ring: see recv_first in transport.h. */
int kmcl_lb_ring_first(struct kmcl_lb_ring *ring, struct kmcl_wire *pkt)
{
	/* Pairs with the release in kmcl_lb_ring_write(): the packet is there. */
	u32 write = smp_load_acquire(&ring->write);
	u32 avail = kmcl_lb_distance(ring, ring->at, write);
	struct kmcl_wire_desc desc;
	void *copy;
	u32 len;

	if (!avail)
		return 0;
	if (write >= ring->size || avail < sizeof(desc) + KMCL_WIRE_TRAILER)
		return -EPROTO;

	kmcl_lb_get(ring, ring->at, &desc, sizeof(desc));
	len = desc.len8 * 8u;
	if (len < sizeof(desc) || len + KMCL_WIRE_TRAILER > avail)
		return -EPROTO;

	/* The descriptor was checked, so it is not fetched again. */
	copy = len <= pkt->room_len ? pkt->room : ring->copy;
	memcpy(copy, &desc, sizeof(desc));
	kmcl_lb_get(ring, kmcl_lb_step(ring, ring->at, sizeof(desc)),
		    copy + sizeof(desc), len - sizeof(desc));
	ring->cur = len + KMCL_WIRE_TRAILER;
	return kmcl_wire_parse(copy, len, pkt) ?: copy == pkt->room ? 1 : 2;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_first);

/* Steps over the packet that was returned last, then as kmcl_lb_ring_first(). */
int kmcl_lb_ring_next(struct kmcl_lb_ring *ring, struct kmcl_wire *pkt)
{
	ring->at = kmcl_lb_step(ring, ring->at, ring->cur);
	return kmcl_lb_ring_first(ring, pkt);
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_next);

/* Gives back what was stepped over. True if the sender is to be told of room. */
bool kmcl_lb_ring_commit(struct kmcl_lb_ring *ring)
{
	u32 freed = kmcl_lb_distance(ring, ring->read, ring->at);
	u32 pending, room;

	/* Pairs with the acquire in kmcl_lb_ring_write(): all has been read. */
	smp_store_release(&ring->read, ring->at);
	/* Pairs with the barrier in kmcl_lb_ring_want_room(). */
	smp_mb();
	pending = READ_ONCE(ring->pending);
	if (!pending)
		return false;

	/* A sender that asked again has written before: pairs with the same barrier. */
	smp_rmb();
	/* Only when this makes the room enough; the sender may not have noticed yet. */
	room = kmcl_lb_free(ring, READ_ONCE(ring->write), ring->at);
	return room > pending && room - freed <= pending;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_commit);

/* Unmasks signals. True if there is something to be read. */
bool kmcl_lb_ring_end(struct kmcl_lb_ring *ring)
{
	/* Behind @read: pairs with the read barrier in kmcl_lb_ring_write(). */
	smp_store_release(&ring->mask, 0);
	/* Pairs with the barrier in kmcl_lb_ring_write(). */
	smp_mb();
	return READ_ONCE(ring->write) != ring->at;
}
EXPORT_SYMBOL_FOR_KMCL_TESTS(kmcl_lb_ring_end);
