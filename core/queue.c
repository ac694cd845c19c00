// SPDX-License-Identifier: GPL-2.0
/*
 * What waits to be sent: the queue, for room in the ring, and behind it what is held
 * because the client limits how many packets are with the other end at once. Those that
 * are held come behind the queue when others have ended; completions pass them.
 *
 * All of it under kmcl_send.lock, but for how many transactions are open.
 */
#include "data.h"

/* Has it to wait for the end of others, or for one that has? */
bool kmcl_queue_holds(const struct kmcl_channel *chan, const struct kmcl_tx *tx)
{
	const struct kmcl_send *send = &chan->send;
	u32 max = READ_ONCE(send->max_count);

	if (likely(max == U32_MAX && list_empty(&send->held)))
		return false;
	if (kmcl_tx_is_completion(tx))
		return false;
	if (!list_empty(&send->held) && !tx->held)
		return true;
	return kmcl_tx_wants_completion(tx) &&
	       READ_ONCE(chan->trans.count) + send->wanting >= max;
}

static void kmcl_queue_add_tail(struct kmcl_send *send, struct kmcl_tx *tx)
{
	list_add_tail(&tx->node, &send->queue);
	send->wanting += kmcl_tx_wants_completion(tx);
}

/* Senders come behind it: none writes to the ring without the lock any more. */
void kmcl_queue_add(struct kmcl_channel *chan, struct kmcl_tx *tx)
{
	struct kmcl_send *send = &chan->send;

	WRITE_ONCE(send->direct, NULL);
	tx->queued = true;
	tx->held = kmcl_queue_holds(chan, tx);
	send->queued++;
	if (send->queued > send->longest)
		send->longest = send->queued;
	if (tx->held)
		list_add_tail(&tx->node, &send->held);
	else
		kmcl_queue_add_tail(send, tx);
}

/* Also for what kmcl_send_flush() has put into a list of its own. */
void kmcl_queue_del(struct kmcl_send *send, struct kmcl_tx *tx)
{
	list_del_init(&tx->node);
	if (!tx->held)
		send->wanting -= kmcl_tx_wants_completion(tx);
	tx->held = false;
	tx->queued = false;
	send->queued--;
}

/* It found no room: it is the first again. */
void kmcl_queue_put_back(struct kmcl_send *send, struct kmcl_tx *tx)
{
	list_add(&tx->node, &send->queue);
	send->wanting += kmcl_tx_wants_completion(tx);
	tx->queued = true;
	send->queued++;
}

/* Moves the first that is held to the queue. False: it has to wait, or there is none. */
bool kmcl_queue_admit(struct kmcl_channel *chan)
{
	struct kmcl_send *send = &chan->send;
	struct kmcl_tx *tx;

	tx = list_first_entry_or_null(&send->held, struct kmcl_tx, node);
	if (likely(!tx) || kmcl_queue_holds(chan, tx))
		return false;

	list_del(&tx->node);
	tx->held = false;
	kmcl_queue_add_tail(send, tx);
	return true;
}

/*
 * Sets how many packets may be under way, while the channel is disabled: what waits for
 * its opening is divided anew. In one hold of the lock, so that the order stays.
 */
void kmcl_queue_limit(struct kmcl_channel *chan, u32 max_count)
{
	struct kmcl_send *send = &chan->send;
	struct kmcl_tx *tx, *next;
	unsigned long flags;
	LIST_HEAD(waiting);
	LIST_HEAD(all);

	spin_lock_irqsave(&send->lock, flags);
	WRITE_ONCE(send->max_count, max_count);
	list_splice_init(&send->queue, &all);
	list_splice_tail_init(&send->held, &all);
	/* Until all are out of the account the first would wait for those behind it. */
	list_for_each_entry_safe(tx, next, &all, node) {
		kmcl_queue_del(send, tx);
		list_add_tail(&tx->node, &waiting);
	}
	list_for_each_entry_safe(tx, next, &waiting, node) {
		list_del(&tx->node);
		kmcl_queue_add(chan, tx);
	}
	spin_unlock_irqrestore(&send->lock, flags);
}

/* How many packets and completions are under way. */
u32 kmcl_send_count(struct kmcl_channel *chan)
{
	u32 n;

	spin_lock_irq(&chan->send.lock);
	n = READ_ONCE(chan->trans.count) + chan->send.queued;
	spin_unlock_irq(&chan->send.lock);
	return n;
}

static int kmcl_list_add(struct kmcl_tx *tx, struct kmcl_tx **list, int n, u32 room,
			 bool (*stays)(const struct kmcl_tx *tx))
{
	if (n < 0 || !stays(tx))
		return -EBUSY;
	if (n < room)
		list[n++] = tx;
	return n;
}

/**
 * kmcl_send_list() - what is under way, the queue last and in order
 * @chan: a channel whose ring is not written to
 * @list: where it goes
 * @room: entries in @list
 * @stays: whether a packet or completion may be listed: it has to stay under way
 *	when the send lock is dropped
 *
 * Return:
 *  - entries filled in
 *  - -EBUSY: one of them does not stay, or the other end may yet complete a
 *    transaction that was cancelled
 */
int kmcl_send_list(struct kmcl_channel *chan, struct kmcl_tx **list, u32 room,
		   bool (*stays)(const struct kmcl_tx *tx))
{
	struct kmcl_tx *tx;
	int n;

	spin_lock_irq(&chan->send.lock);
	n = kmcl_transactions_list(chan, list, room, stays);
	list_for_each_entry(tx, &chan->send.queue, node)
		n = kmcl_list_add(tx, list, n, room, stays);
	list_for_each_entry(tx, &chan->send.held, node)
		n = kmcl_list_add(tx, list, n, room, stays);
	spin_unlock_irq(&chan->send.lock);
	return n;
}
