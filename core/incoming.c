// SPDX-License-Identifier: GPL-2.0
/*
 * Incoming packet objects: a private copy of a packet, and room for its
 * completion.
 *
 * Some are made when the channel opens, each for the largest packet there may be.
 * They are enough to go on with whatever happens to memory. When all are in use the
 * next packet gets an object as large as it is; where there is no memory for that
 * either, it stays in the ring until a spare comes back.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "data.h"

/* So many bytes of spares, but no fewer than two: one may have to wait for long. */
#define KMCL_SPARE_BYTES	SZ_256K
#define KMCL_SPARE_MIN		2u
#define KMCL_SPARE_MAX		64u

/* Most completions are a status and a few numbers, however short the packet was. */
#define KMCL_ANSWER_MIN		64u

static u32 kmcl_incoming_size(const struct kmcl_channel *chan, u32 head, u32 room)
{
	return sizeof(struct kmcl_incoming) +
	       ALIGN(chan->set.client_context, sizeof(u64)) + head + room;
}

/* Bytes of payload that a spare has room for. */
static u32 kmcl_incoming_max_room(const struct kmcl_channel *chan)
{
	return ALIGN(chan->set.max_packet, sizeof(u64));
}

static u32 kmcl_incoming_spare_size(const struct kmcl_channel *chan)
{
	return kmcl_incoming_size(chan, chan->recv.gpa_room,
				  kmcl_incoming_max_room(chan));
}

static void kmcl_incoming_init(struct kmcl_incoming *inc, struct kmcl_channel *chan,
			       u32 head, u32 room)
{
	inc->tag = KMCL_TAG_INCOMING;
	atomic_set(&inc->state, KMCL_INCOMING_IDLE);
	inc->chan = chan;
	inc->spare = false;
	inc->bytes = 0;
	inc->gpa = (void *)inc->context +
		   ALIGN(chan->set.client_context, sizeof(u64));
	inc->gpa_len = 0;
	inc->mdl = NULL;
	inc->payload = (void *)inc->gpa + head;
	inc->room = room;
	INIT_LIST_HEAD(&inc->tx.node);
	memset(&inc->tx.out, 0, sizeof(inc->tx.out));
	inc->tx.out.type = KMCL_WIRE_COMPLETION;
	inc->tx.queued = false;
	inc->tx.room = inc->payload;
}

/* Makes one more, while the ring is not read. */
int kmcl_incoming_add_spare(struct kmcl_channel *chan)
{
	struct kmcl_incoming *inc;

	inc = kvmalloc(kmcl_incoming_spare_size(chan), GFP_KERNEL);
	if (!inc)
		return -ENOMEM;

	kmcl_incoming_init(inc, chan, chan->recv.gpa_room,
			   kmcl_incoming_max_room(chan));
	inc->spare = true;
	list_add(&inc->node, &chan->recv.spare);
	return 0;
}

/* The channel's link is known: what it brings decides how large they are. */
int kmcl_incoming_prepare(struct kmcl_channel *chan)
{
	struct kmcl_packet_shape shape;
	u32 i, n;

	kmcl_settings_packet_shape(&chan->set, &shape);
	chan->recv.gpa_room = chan->link->ops->same_memory ? shape.gpa : 0;
	n = clamp(KMCL_SPARE_BYTES / kmcl_incoming_spare_size(chan),
		  KMCL_SPARE_MIN, KMCL_SPARE_MAX);
	for (i = 0; i < n; i++) {
		if (kmcl_incoming_add_spare(chan)) {
			kmcl_incoming_free_spares(chan);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Nothing but a completion on its way out, as large as its payload. */
struct kmcl_incoming *kmcl_incoming_alloc_completion(struct kmcl_channel *chan,
						     u64 id, const void *data,
						     u32 len)
{
	struct kmcl_incoming *inc;
	unsigned long flags;

	inc = kzalloc(sizeof(*inc) + len, GFP_KERNEL);
	if (!inc)
		return NULL;

	inc->tag = KMCL_TAG_INCOMING;
	inc->chan = chan;
	inc->payload = inc->context;
	memcpy(inc->payload, data, len);
	INIT_LIST_HEAD(&inc->tx.node);
	inc->tx.out.type = KMCL_WIRE_COMPLETION;
	inc->tx.out.id = id;
	inc->tx.out.len = len;
	inc->tx.room = inc->payload;
	inc->room = len;

	spin_lock_irqsave(&chan->recv.lock, flags);
	chan->recv.held++;
	spin_unlock_irqrestore(&chan->recv.lock, flags);
	return inc;
}

/* While the ring is not read and no packet is outstanding: all are in the list. */
void kmcl_incoming_free_spares(struct kmcl_channel *chan)
{
	struct kmcl_incoming *inc, *next;

	list_for_each_entry_safe(inc, next, &chan->recv.spare, node)
		kvfree(inc);
	INIT_LIST_HEAD(&chan->recv.spare);
}

/* The other end must not use the packet's memory until kmcl_external_in_end(). */
void kmcl_external_in_begin(struct kmcl_incoming *inc,
			    const struct kmcl_wire *wire)
{
	memcpy(inc->gpa, wire->head, wire->head_len);
	inc->gpa_len = wire->head_len;
	/* The reader has bottom halves off; see the transport's close. */
	atomic_inc(&inc->chan->link->external);
}

void kmcl_external_free(PMDL mdl)
{
	PMDL next;

	for (; mdl; mdl = next) {
		next = mdl->Next;
		IoFreeMdl(mdl);
	}
}

/*
 * The client is done with the packet's memory. A mapping is undone at once where the
 * caller may sleep. Up to softirq, interrupts may be off.
 */
void kmcl_external_in_end(struct kmcl_incoming *inc)
{
	atomic_t *external;

	if (!inc->gpa_len)
		return;

	inc->gpa_len = 0;
	kmcl_external_free(inc->mdl);
	inc->mdl = NULL;
	external = &inc->chan->link->external;
	/* A full barrier, as the wake-up needs. */
	if (atomic_dec_and_test(external))
		wake_up_var(external);
}

/* One as large as it has to be. */
static struct kmcl_incoming *kmcl_incoming_alloc(struct kmcl_channel *chan,
						 u32 head, u32 room)
{
	u32 bytes = kmcl_incoming_size(chan, head, room);
	struct kmcl_incoming *inc;

	inc = kmalloc(bytes, GFP_ATOMIC | __GFP_NOWARN);
	if (!inc)
		return NULL;

	kmcl_incoming_init(inc, chan, head, room);
	inc->bytes = bytes;
	return inc;
}

/*
 * An object with that much room at least, allocated or a spare. NULL where there is
 * neither: the reader has to stall, and is woken when a spare comes back.
 */
static struct kmcl_incoming *kmcl_incoming_take(struct kmcl_channel *chan, u32 head,
						u32 room, bool allocate)
{
	struct kmcl_recv *recv = &chan->recv;
	struct kmcl_incoming *inc = NULL;
	unsigned long flags;

	if (allocate)
		inc = kmcl_incoming_alloc(chan, head, room);

	spin_lock_irqsave(&recv->lock, flags);
	if (!inc) {
		inc = list_first_entry_or_null(&recv->spare, struct kmcl_incoming, node);
		if (inc)
			list_del(&inc->node);
		else
			recv->stalled = true;
	}
	if (inc) {
		recv->held++;
		kmcl_recv_add(&recv->bytes, inc->bytes);
		kmcl_recv_add(&recv->client_bytes, inc->bytes);
	}
	spin_unlock_irqrestore(&recv->lock, flags);
	return inc;
}

/* Room for the packet's payload, and for a completion such as the client sends. */
static u32 kmcl_incoming_room(const struct kmcl_channel *chan,
			      const struct kmcl_wire *pkt)
{
	u32 room = pkt->len;

	if (pkt->flags & KMCL_WIRE_WANT_COMPLETION)
		room = max3(room, KMCL_ANSWER_MIN, READ_ONCE(chan->recv.answer));
	return ALIGN(room, sizeof(u64));
}

/* A copy of @pkt, or NULL: it has to stay in the ring until the reader is woken. */
struct kmcl_incoming *kmcl_incoming_get(struct kmcl_channel *chan,
					const struct kmcl_wire *pkt)
{
	u32 head = pkt->type == KMCL_WIRE_DATA_GPA ?
		   ALIGN(pkt->head_len, sizeof(u64)) : 0;
	bool allocate = list_empty_careful(&chan->recv.spare);
	u32 room = kmcl_incoming_room(chan, pkt);
	struct kmcl_incoming *inc;

	inc = kmcl_incoming_take(chan, head, room, allocate);
	/* A completion may have taken the last spare meanwhile. */
	if (!inc && !allocate)
		inc = kmcl_incoming_take(chan, head, room, true);
	if (!inc) {
		atomic64_inc(&chan->count.no_memory);
		return NULL;
	}

	inc->len = pkt->len;
	inc->wants_completion = pkt->flags & KMCL_WIRE_WANT_COMPLETION;
	inc->external = pkt->type != KMCL_WIRE_DATA;
	if (pkt->type == KMCL_WIRE_DATA_GPA)
		kmcl_external_in_begin(inc, pkt);
	inc->tx.out.id = pkt->id;
	memset(inc->context, 0, chan->set.client_context);
	memcpy(inc->payload, pkt->payload, pkt->len);
	return inc;
}

/* For a completion that has to wait and that its packet has no room for, or NULL. */
struct kmcl_incoming *kmcl_incoming_for_answer(struct kmcl_channel *chan, u64 id,
					       u32 len)
{
	struct kmcl_incoming *inc = kmcl_incoming_take(chan, 0, len, true);

	if (inc)
		inc->tx.out.id = id;
	return inc;
}

/*
 * Called with kmcl_recv.lock held; the channel may be gone once it is dropped. The
 * packet's memory has been let go of before, for to unmap it may sleep.
 */
void kmcl_incoming_put_locked(struct kmcl_incoming *inc)
{
	struct kmcl_recv *recv = &inc->chan->recv;
	u32 bytes = inc->bytes;

	atomic_set(&inc->state, KMCL_INCOMING_IDLE);
	if (inc->spare) {
		list_add(&inc->node, &recv->spare);
	} else {
		inc->tag = KMCL_TAG_DEAD;
		kfree(inc);
	}
	kmcl_recv_add(&recv->bytes, -(ssize_t)bytes);
	if (!--recv->held)
		wake_up_all(&recv->idle);
	kmcl_receive_wake(recv);
}

void kmcl_incoming_put(struct kmcl_incoming *inc)
{
	struct kmcl_recv *recv = &inc->chan->recv;
	unsigned long flags;

	kmcl_external_in_end(inc);
	spin_lock_irqsave(&recv->lock, flags);
	kmcl_incoming_put_locked(inc);
	spin_unlock_irqrestore(&recv->lock, flags);
}
