// SPDX-License-Identifier: GPL-2.0
/*
 * Incoming packet objects: a private copy of a packet, and room for its
 * completion.
 *
 * Some are made when the channel opens, each for the largest packet there may be.
 * They are enough to go on with whatever happens to memory. The reader has one of them
 * in its hand, into which the next packet is read. When all others are in use, and so is
 * that one, the next packet gets an object as large as it is; where there is no
 * memory for that either, it stays in the ring until a spare comes back.
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

static u32 kmcl_incoming_size(const struct kmcl_channel *chan, u32 room)
{
	return sizeof(struct kmcl_incoming) +
	       ALIGN(chan->recv.context, sizeof(u64)) + room;
}

static void kmcl_incoming_init(struct kmcl_incoming *inc, struct kmcl_channel *chan,
			       u32 room)
{
	memset(inc, 0, sizeof(*inc));
	inc->tag = KMCL_TAG_INCOMING;
	atomic_set(&inc->state, KMCL_INCOMING_IDLE);
	inc->chan = chan;
	inc->pkt.room = (void *)inc->context +
			ALIGN(chan->recv.context, sizeof(u64));
	inc->pkt.room_len = room;
	INIT_LIST_HEAD(&inc->tx.node);
	inc->tx.out.type = KMCL_WIRE_COMPLETION;
	inc->tx.room = inc->pkt.room;
}

/* Makes one more, while the ring is not read. */
int kmcl_incoming_add_spare(struct kmcl_channel *chan)
{
	struct kmcl_incoming *inc;
	u32 room = chan->recv.room;

	inc = kvmalloc(kmcl_incoming_size(chan, room), GFP_KERNEL);
	if (!inc)
		return -ENOMEM;

	kmcl_incoming_init(inc, chan, room);
	inc->spare = true;
	list_add(&inc->node, &chan->recv.spare);
	return 0;
}

/* The channel's link is known: what it brings decides how large they are. */
int kmcl_incoming_prepare(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;
	struct kmcl_packet_shape shape;
	u32 i, n;

	kmcl_settings_packet_shape(&chan->set, &shape);
	recv->gpa_room = chan->link->ops->same_memory ? shape.gpa : 0;
	recv->room = max_t(u32, recv->gpa_room, sizeof(struct kmcl_wire_desc)) +
		     ALIGN(shape.pipe + shape.payload, sizeof(u64));
	n = clamp(KMCL_SPARE_BYTES / kmcl_incoming_size(chan, recv->room),
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

	inc = kmalloc(kmcl_incoming_size(chan, len), GFP_KERNEL);
	if (!inc)
		return NULL;

	kmcl_incoming_init(inc, chan, len);
	memcpy(inc->pkt.room, data, len);
	inc->tx.out.id = id;
	inc->tx.out.len = len;

	spin_lock_irqsave(&chan->recv.lock, flags);
	kmcl_incoming_count(&chan->recv, 0);
	spin_unlock_irqrestore(&chan->recv.lock, flags);
	return inc;
}

/* While the ring is not read and no packet is outstanding. */
void kmcl_incoming_free_spares(struct kmcl_channel *chan)
{
	struct kmcl_incoming *inc, *next;

	list_for_each_entry_safe(inc, next, &chan->recv.spare, node)
		kvfree(inc);
	INIT_LIST_HEAD(&chan->recv.spare);
	kvfree(chan->recv.hand);
	chan->recv.hand = NULL;
}

/* Counts one in that is in use from now on. Called with kmcl_recv.lock held. */
void kmcl_incoming_count(struct kmcl_recv *recv, u32 bytes)
{
	/* The reader looks at @bytes without the lock first. */
	kmcl_recv_add(&recv->bytes, bytes);
	WRITE_ONCE(recv->held, recv->held + 1);
	if (recv->held <= 1)
		kmcl_recv_changed(recv);
}

/* The reader takes another spare, if there is one. Called with kmcl_recv.lock held. */
void kmcl_incoming_take_spare(struct kmcl_recv *recv)
{
	recv->hand = list_first_entry_or_null(&recv->spare, struct kmcl_incoming, node);
	if (recv->hand)
		list_del(&recv->hand->node);
}

/* The other end must not use the packet's memory until kmcl_external_in_end(). */
void kmcl_external_in_begin(struct kmcl_incoming *inc)
{
	inc->external = true;
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

	if (likely(!inc->external))
		return;

	inc->external = false;
	kmcl_external_free(inc->mdl);
	inc->mdl = NULL;
	external = &inc->chan->link->external;
	/* A full barrier, as the wake-up needs. */
	if (atomic_dec_and_test(external))
		wake_up_var(external);
}

/* One as large as it has to be. */
static struct kmcl_incoming *kmcl_incoming_alloc(struct kmcl_channel *chan, u32 room)
{
	u32 bytes = kmcl_incoming_size(chan, room);
	struct kmcl_incoming *inc;

	inc = kmalloc(bytes, GFP_ATOMIC | __GFP_NOWARN);
	if (!inc)
		return NULL;

	kmcl_incoming_init(inc, chan, room);
	inc->bytes = bytes;
	return inc;
}

/* Room for the packet, and for a completion such as the client sends. */
static u32 kmcl_incoming_room(const struct kmcl_channel *chan, u32 bytes, u32 flags)
{
	if (flags & KMCL_WIRE_WANT_COMPLETION)
		bytes = max3(bytes, KMCL_ANSWER_MIN, READ_ONCE(chan->recv.answer));
	return ALIGN(bytes, sizeof(u64));
}

/*
 * Has the reader a spare in its hand now? If there is none it has to @stall, and is woken
 * when one comes back.
 */
static bool kmcl_incoming_find_spare(struct kmcl_recv *recv, bool stall)
{
	unsigned long flags;

	if (recv->hand)
		return true;
	/* A look: if there is one the lock tells whether it is still there. */
	if (!stall && list_empty(&recv->spare))
		return false;

	spin_lock_irqsave(&recv->lock, flags);
	kmcl_incoming_take_spare(recv);
	if (!recv->hand && stall)
		recv->stalled = true;
	spin_unlock_irqrestore(&recv->lock, flags);
	return recv->hand;
}

/* As kmcl_incoming_aim(), whose rare part it is. */
struct kmcl_wire *kmcl_incoming_find_room(struct kmcl_recv *recv, struct kmcl_wire *other)
{
	return kmcl_incoming_find_spare(recv, false) ? &recv->hand->pkt : other;
}

/*
 * The object for a packet that was not read into one: a copy of what the client and its
 * completion need, @desc among it. NULL: it has to stay in the ring until the reader is
 * woken.
 */
struct kmcl_incoming *kmcl_incoming_get(struct kmcl_channel *chan,
					const struct kmcl_wire_desc *desc,
					const struct kmcl_wire *pkt)
{
	u32 gpa = desc->type == KMCL_WIRE_DATA_GPA ? pkt->head_len : 0;
	u32 len = pkt->len, head = max_t(u32, gpa, sizeof(*desc));
	struct kmcl_recv *recv = &chan->recv;
	struct kmcl_incoming *inc;
	void *room;

	inc = kmcl_incoming_find_spare(recv, false) ? recv->hand :
	      kmcl_incoming_alloc(chan, kmcl_incoming_room(chan, head + len, desc->flags));
	/* A completion may have brought a spare back meanwhile. */
	if (unlikely(!inc) && kmcl_incoming_find_spare(recv, true))
		inc = recv->hand;
	if (unlikely(!inc)) {
		atomic64_inc(&chan->count.no_memory);
		return NULL;
	}

	room = inc->pkt.room;
	memcpy(room, pkt->head, gpa);
	memcpy(room, desc, sizeof(*desc));
	memcpy(room + head, pkt->payload, len);
	/* @pkt may be this very one. */
	inc->pkt.head = room;
	inc->pkt.payload = room + head;
	inc->pkt.head_len = head;
	inc->pkt.len = len;
	return inc;
}

/* For a completion that has to wait and that its packet has no room for, or NULL. */
struct kmcl_incoming *kmcl_incoming_for_answer(struct kmcl_channel *chan, u64 id,
					       u32 len)
{
	struct kmcl_incoming *inc = kmcl_incoming_alloc(chan, len);
	struct kmcl_recv *recv = &chan->recv;
	unsigned long flags;

	spin_lock_irqsave(&recv->lock, flags);
	if (!inc) {
		inc = list_first_entry_or_null(&recv->spare, struct kmcl_incoming, node);
		if (inc)
			list_del(&inc->node);
	}
	if (inc)
		kmcl_incoming_count(recv, inc->bytes);
	spin_unlock_irqrestore(&recv->lock, flags);
	if (inc)
		inc->tx.out.id = id;
	return inc;
}

/* One that is no spare, and not counted any more. */
void kmcl_incoming_free(struct kmcl_incoming *inc)
{
	inc->tag = KMCL_TAG_DEAD;
	kfree(inc);
}

/*
 * Called with kmcl_recv.lock held; the channel may be gone once it is dropped. The
 * packet's memory has been let go of before, for to unmap it may sleep.
 */
void kmcl_incoming_put_locked(struct kmcl_incoming *inc)
{
	struct kmcl_recv *recv = &inc->chan->recv;
	u32 bytes = inc->bytes;

	if (inc->spare)
		list_add(&inc->node, &recv->spare);
	else
		kmcl_incoming_free(inc);
	kmcl_recv_add(&recv->bytes, -(ssize_t)bytes);
	WRITE_ONCE(recv->held, recv->held - 1);
	if (!recv->held) {
		kmcl_recv_changed(recv);
		wake_up_all(&recv->idle);
	}
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
