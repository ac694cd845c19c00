// SPDX-License-Identifier: GPL-2.0
/*
 * The way out: written to the ring at once, or queued until there is room.
 *
 * One lock per channel covers the decision and the write, so nothing overtakes
 * what waits. What waits holds its own copy of its payload; so a send needs no
 * memory and the caller's buffer is free when it returns.
 *
 * Interrupts are off while the lock is held, so it is held for KMCL_SEND_BATCH packets
 * at most. A queue that is longer is gone on with by a tasklet; meanwhile it is not
 * empty, so a sender comes behind it.
 *
 * A client may limit how many packets are with the other end at once. Those beyond that
 * are held, and come behind the queue when others have ended; completions pass them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "data.h"

/* After that long the ring is tried without a signal. */
#define KMCL_RETRY_MS	100

static struct kmcl_packet *kmcl_tx_packet(struct kmcl_tx *tx)
{
	return container_of(tx, struct kmcl_packet, tx);
}

static bool kmcl_tx_is_completion(const struct kmcl_tx *tx)
{
	return tx->out.type == KMCL_WIRE_COMPLETION;
}

static bool kmcl_tx_wants_completion(const struct kmcl_tx *tx)
{
	return tx->out.flags & KMCL_WIRE_WANT_COMPLETION;
}

/* Bytes of the ring. */
static u32 kmcl_tx_room(const struct kmcl_tx *tx)
{
	u32 head = tx->out.gpa ? tx->out.gpa_len : sizeof(struct kmcl_wire_desc);

	return kmcl_wire_room(head, tx->out.len);
}

/* A completion that no ring of the other end's has room for goes without payload. */
void kmcl_tx_empty(struct kmcl_channel *chan, struct kmcl_tx *tx)
{
	kmcl_warn_ratelimited(chan, "a completion with %u bytes goes out empty: it is larger than the ring\n",
			      tx->out.len);
	tx->out.len = 0;
}

/* Writes to the ring. Called with the lock held. 0, or as the transport's map and send. */
static int kmcl_tx_write(struct kmcl_channel *chan, struct kmcl_tx *tx,
			 const void *data)
{
	struct kmcl_link *link = chan->link;
	int ret;

	if (!tx->out.id && !kmcl_tx_is_completion(tx))
		tx->out.id = ++chan->send.last_id;

	if (unlikely(tx->out.gpa && link->bounce_pages && !tx->out.mapped)) {
		ret = kmcl_bounce_map(chan, &tx->out);
		if (ret)
			return ret;
	}

	/* The answer may come before the write returns: open first. */
	if (kmcl_tx_wants_completion(tx))
		kmcl_transaction_open(chan, kmcl_tx_packet(tx));

	tx->out.data = data;
	ret = link->ops->send(link, &tx->out);
	if (!ret) {
		atomic64_inc(&chan->count.sent);
		return 0;
	}

	if (kmcl_tx_wants_completion(tx))
		kmcl_transaction_cancel(chan, kmcl_tx_packet(tx));

	/* A rescind is no surprise: the link is about to be closed. */
	if (ret != -EAGAIN && ret != -EOPNOTSUPP && ret != -ENODEV &&
	    !chan->send.broken) {
		WRITE_ONCE(chan->send.broken, true);
		kmcl_warn(chan, "the outgoing ring is unusable (error %d); the channel is closed\n",
			  ret);
		/* Not from here: the control lock is taken outside this one. */
		queue_work(kmcl_deliver_wq, &chan->send.hang_up);
	}
	return ret;
}

/*
 * What is queued may be from a time when the channel had other settings: then it
 * could wait for ever for room in a ring that is too small.
 */
static int kmcl_tx_write_queued(struct kmcl_channel *chan, struct kmcl_tx *tx)
{
	if (kmcl_tx_room(tx) >= chan->send.ring_bytes && kmcl_tx_is_completion(tx))
		kmcl_tx_empty(chan, tx);
	if (kmcl_tx_room(tx) < chan->send.ring_bytes)
		return kmcl_tx_write(chan, tx, tx->room);

	kmcl_warn_ratelimited(chan, "a packet of %u bytes is larger than the ring of today; it is given back\n",
			      kmcl_tx_room(tx));
	return -EOPNOTSUPP;
}

/* Is it for want of room, in the ring or for the packet's memory? */
static bool kmcl_tx_may_wait(int ret)
{
	return ret == -EAGAIN || ret == -ENOBUFS;
}

/* Has it to wait for the end of others, or for one that has? */
static bool kmcl_send_holds(const struct kmcl_send *send, const struct kmcl_tx *tx)
{
	u32 max = READ_ONCE(send->max_count);

	if (likely(max == U32_MAX && list_empty(&send->held)))
		return false;
	if (kmcl_tx_is_completion(tx))
		return false;
	return (!list_empty(&send->held) && !tx->held) ||
	       (kmcl_tx_wants_completion(tx) && send->open_count + send->wanting >= max);
}

static void kmcl_queue_add_tail(struct kmcl_send *send, struct kmcl_tx *tx)
{
	list_add_tail(&tx->node, &send->queue);
	send->wanting += kmcl_tx_wants_completion(tx);
}

static void kmcl_queue_add(struct kmcl_send *send, struct kmcl_tx *tx)
{
	tx->queued = true;
	tx->held = kmcl_send_holds(send, tx);
	send->queued++;
	if (tx->held)
		list_add_tail(&tx->node, &send->held);
	else
		kmcl_queue_add_tail(send, tx);
}

/* Also for what kmcl_send_flush() has put into a list of its own. */
static void kmcl_queue_del(struct kmcl_send *send, struct kmcl_tx *tx)
{
	list_del_init(&tx->node);
	if (!tx->held)
		send->wanting -= kmcl_tx_wants_completion(tx);
	tx->held = false;
	tx->queued = false;
	send->queued--;
}

/* Moves the first that is held to the queue. False: it has to wait, or there is none. */
static bool kmcl_send_admit(struct kmcl_send *send)
{
	struct kmcl_tx *tx;

	tx = list_first_entry_or_null(&send->held, struct kmcl_tx, node);
	if (likely(!tx) || kmcl_send_holds(send, tx))
		return false;

	list_del(&tx->node);
	tx->held = false;
	kmcl_queue_add_tail(send, tx);
	return true;
}

/*
 * Writes what is queued, as far as there is room. What is over with the write goes to
 * @over. True: there is more, but the lock has been held long enough. Called with the
 * lock held.
 */
static bool kmcl_send_drain_locked(struct kmcl_channel *chan,
				   struct list_head *over)
{
	struct kmcl_link *link = chan->link;
	struct kmcl_tx *tx;
	u32 tries = 0;
	int ret, asked = 0;

	while (chan->send.writable && (!list_empty(&chan->send.queue) ||
				       kmcl_send_admit(&chan->send))) {
		if (tries++ == KMCL_SEND_BATCH)
			return true;
		tx = list_first_entry(&chan->send.queue, struct kmcl_tx, node);
		ret = kmcl_tx_write_queued(chan, tx);
		if (kmcl_tx_may_wait(ret) && ret != asked) {
			/*
			 * Ask to be told of room, then try once more: the other
			 * end may have made room before it could see the request,
			 * as may a packet that was unmapped.
			 */
			if (ret == -EAGAIN)
				link->ops->want_room(link, kmcl_tx_room(tx));
			else
				kmcl_bounce_want(chan);
			asked = ret;
			continue;
		}
		if (kmcl_tx_may_wait(ret))
			queue_delayed_work(kmcl_deliver_wq, &chan->send.retry,
					   msecs_to_jiffies(chan->send.retry_ms));
		if (ret && ret != -EOPNOTSUPP)
			return false;
		/* Each packet that goes out changes what the next one needs. */
		asked = 0;
		/* Its memory was copied, with interrupts off: that is enough. */
		if (unlikely(tx->out.mapped))
			tries = KMCL_SEND_BATCH;
		kmcl_queue_del(&chan->send, tx);
		tx->status = ret ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
		if (ret || !kmcl_tx_wants_completion(tx))
			list_add_tail(&tx->node, over);
	}
	if (chan->send.writable)
		link->ops->want_room(link, 0);
	return false;
}

/* What is in @over is: the client's with their status. */
static void kmcl_tx_finish(struct list_head *over)
{
	struct kmcl_tx *tx, *next;

	list_for_each_entry_safe(tx, next, over, node) {
		if (kmcl_tx_is_completion(tx)) {
			list_del_init(&tx->node);
			kmcl_incoming_put(container_of(tx, struct kmcl_incoming, tx));
		}
	}
	if (!list_empty(over))
		kmcl_packets_complete(over);
}

/*
 * What was taken off the queue is nowhere else, and the worker that closes the
 * channel has to wait for it: it waits for RCU readers. The tasklet goes on with the
 * queue where there is @more, behind the routines of what was before it.
 */
static void kmcl_send_unlock_and_finish(struct kmcl_channel *chan,
					unsigned long flags,
					struct list_head *done, bool more)
	__releases(&chan->send.lock)
{
	rcu_read_lock();
	spin_unlock_irqrestore(&chan->send.lock, flags);

	kmcl_tx_finish(done);
	if (more)
		tasklet_schedule(&chan->send.drain);
	rcu_read_unlock();
}

/**
 * kmcl_tx_submit() - send
 * @chan: the channel, in any state
 * @tx: its @out set, the id of a data packet to 0; in no list
 * @data: the payload, copied before this returns
 * @may_wait: whether it may be queued
 *
 * Context: up to softirq, interrupts may be off.
 *
 * Return: what became of it. Unless it is the caller's, @tx may be gone already.
 */
enum kmcl_tx_result kmcl_tx_submit(struct kmcl_channel *chan,
				   struct kmcl_tx *tx, const void *data,
				   bool may_wait)
{
	enum kmcl_tx_result written = kmcl_tx_wants_completion(tx) ?
				      KMCL_TX_PENDING : KMCL_TX_OVER;
	struct kmcl_send *send = &chan->send;
	unsigned long flags;
	bool more = false;
	int ret = -EAGAIN;
	LIST_HEAD(done);

	spin_lock_irqsave(&send->lock, flags);
	if (unlikely(send->dead)) {
		spin_unlock_irqrestore(&send->lock, flags);
		return KMCL_TX_REFUSED;
	}
	if (send->writable && list_empty(&send->queue) && !kmcl_send_holds(send, tx))
		ret = kmcl_tx_write(chan, tx, data);
	if (!ret || ret == -EOPNOTSUPP || !may_wait) {
		/* Without the lock the link may go. */
		if (unlikely(ret && tx->out.mapped))
			kmcl_bounce_unmap(kmcl_tx_packet(tx));
		spin_unlock_irqrestore(&send->lock, flags);
		return !ret ? written :
		       ret == -EOPNOTSUPP ? KMCL_TX_UNFIT :
		       kmcl_tx_may_wait(ret) ? KMCL_TX_FULL : KMCL_TX_GONE;
	}

	/* The payload may lie in the very room that it goes to. */
	memmove(tx->room, data, tx->out.len);
	kmcl_queue_add(send, tx);
	atomic64_inc(&chan->count.queued);
	/* Behind others it waits for their signal; the first one asks for it. */
	if (send->writable && list_is_singular(&send->queue))
		more = kmcl_send_drain_locked(chan, &done);
	kmcl_send_unlock_and_finish(chan, flags, &done, more);
	return KMCL_TX_PENDING;
}

/*
 * Puts back what a saved channel had under way: into the queue, its payload in its
 * own room, or among the open transactions.
 */
void kmcl_send_restore(struct kmcl_channel *chan, struct kmcl_tx *tx, bool queued)
{
	spin_lock_irq(&chan->send.lock);
	if (queued)
		kmcl_queue_add(&chan->send, tx);
	else
		kmcl_transaction_open(chan, kmcl_tx_packet(tx));
	spin_unlock_irq(&chan->send.lock);
}

/*
 * Sets how many packets may be under way, while the channel is disabled: what waits for
 * its opening is divided anew. In one hold of the lock, so that the order stays.
 */
void kmcl_send_limit(struct kmcl_channel *chan, u32 max_count)
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
		kmcl_queue_add(send, tx);
	}
	spin_unlock_irqrestore(&send->lock, flags);
}

/* How many packets and completions are under way. */
u32 kmcl_send_count(struct kmcl_channel *chan)
{
	u32 n;

	spin_lock_irq(&chan->send.lock);
	n = chan->send.open_count + chan->send.queued;
	spin_unlock_irq(&chan->send.lock);
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
	int i, n;

	spin_lock_irq(&chan->send.lock);
	n = kmcl_transactions_list(chan, list, room);
	list_for_each_entry(tx, &chan->send.queue, node)
		if (n < room)
			list[n++] = tx;
	list_for_each_entry(tx, &chan->send.held, node)
		if (n < room)
			list[n++] = tx;
	for (i = 0; i < n; i++)
		if (!stays(list[i]))
			n = -EBUSY;
	if (chan->send.cancelled)
		n = -EBUSY;
	spin_unlock_irq(&chan->send.lock);
	return n;
}

/**
 * kmcl_tx_cancel_locked() - take back what was submitted
 * @chan: the channel; its lock is held
 * @pkt: the packet, in the queue or among the open transactions. NULL afterwards if it
 *	cannot be the caller's again, because the other end has the bounce buffers with
 *	its memory: they must not be anything else's before it lets go of them.
 *
 * Return:
 *  - true: its completion routine will not run
 *  - false: it is over, and its routine is on its way
 */
bool kmcl_tx_cancel_locked(struct kmcl_channel *chan, struct kmcl_packet **pkt)
{
	if (!*pkt)
		return false;
	if ((*pkt)->tx.queued) {
		kmcl_queue_del(&chan->send, &(*pkt)->tx);
		if (unlikely((*pkt)->tx.out.mapped))
			kmcl_bounce_unmap(*pkt);
		return true;
	}
	if (hlist_unhashed(&(*pkt)->open))
		return false;

	if (unlikely((*pkt)->tx.out.mapped)) {
		kmcl_packet_abandon(*pkt);
		*pkt = NULL;
	} else {
		kmcl_transaction_cancel(chan, *pkt);
		chan->send.cancelled++;
	}
	return true;
}

/* As kmcl_tx_cancel_locked(). */
bool kmcl_tx_cancel(struct kmcl_channel *chan, struct kmcl_packet **pkt)
{
	bool found, more = false;
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&chan->send.lock, flags);
	found = kmcl_tx_cancel_locked(chan, pkt);
	/* The next in the queue may need less room. */
	if (chan->send.writable)
		more = kmcl_send_drain_locked(chan, &done);
	kmcl_send_unlock_and_finish(chan, flags, &done, more);
	return found;
}

/* There may be room: called on each signal of the other end. */
void kmcl_send_drain(struct kmcl_channel *chan)
{
	unsigned long flags;
	bool more = false;
	LIST_HEAD(done);

	/* A sender that queues later than this look tries the ring itself. */
	if (list_empty_careful(&chan->send.queue) && list_empty(&chan->send.held))
		return;

	spin_lock_irqsave(&chan->send.lock, flags);
	if (chan->send.writable)
		more = kmcl_send_drain_locked(chan, &done);
	kmcl_send_unlock_and_finish(chan, flags, &done, more);
}

/* From now on the ring may be written to; what has waited for this goes out. */
void kmcl_send_open(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	chan->send.writable = !chan->link->cut;
	spin_unlock_irqrestore(&chan->send.lock, flags);

	kmcl_send_drain(chan);
}

/*
 * When this returns the ring is not being written to, and will not be; what was
 * written is complete, unless it waits for the other end.
 */
void kmcl_send_close(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	chan->send.writable = false;
	WRITE_ONCE(chan->send.broken, false);
	spin_unlock_irqrestore(&chan->send.lock, flags);

	cancel_delayed_work_sync(&chan->send.retry);
	kmcl_completions_sync(chan);
}

/* The link is gone: when this returns its ring is not being written to, and will not be. */
void kmcl_send_cut(struct kmcl_channel *chan, struct kmcl_link *link)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	/* The receiving side looks at it under its own lock. */
	WRITE_ONCE(link->cut, true);
	/* The channel may be past it, and have another. */
	if (READ_ONCE(chan->link) == link)
		chan->send.writable = false;
	spin_unlock_irqrestore(&chan->send.lock, flags);
}

/* Takes some of what was queued. Called with the lock held. */
static void kmcl_send_take_some(struct kmcl_send *send, struct list_head *queue,
				struct list_head *to)
{
	struct kmcl_tx *tx;
	u32 n;

	for (n = 0; n < KMCL_SEND_BATCH && !list_empty(queue); n++) {
		tx = list_first_entry(queue, struct kmcl_tx, node);
		kmcl_queue_del(send, tx);
		list_add_tail(&tx->node, to);
	}
}

/*
 * The channel went away: completes all that waits and all open transactions. A
 * packet that a completion routine sends again stays for the next opening: only
 * what is queued now is taken.
 */
static void kmcl_send_flush_locked(struct kmcl_channel *chan)
{
	struct kmcl_send *send = &chan->send;
	LIST_HEAD(queue);
	LIST_HEAD(gone);
	struct kmcl_tx *tx;
	u32 at = 0;
	bool more;

	spin_lock_irq(&send->lock);
	list_splice_init(&send->queue, &queue);
	list_splice_tail_init(&send->held, &queue);
	spin_unlock_irq(&send->lock);

	do {
		spin_lock_irq(&send->lock);
		/* The ring is closed: a transaction that is over opens none. */
		if (send->open_count)
			kmcl_transactions_take_some(chan, &at, &gone);
		else
			kmcl_send_take_some(send, &queue, &gone);
		more = send->open_count || !list_empty(&queue);
		/* The other end could have completed them, and is gone. */
		if (!more)
			send->cancelled = 0;
		spin_unlock_irq(&send->lock);

		list_for_each_entry(tx, &gone, node)
			tx->status = STATUS_DEVICE_REMOVED;
		kmcl_tx_finish(&gone);
		cond_resched();
	} while (more);

	kmcl_completions_wait(chan);
}

/* As the worker, when it closes the channel. */
void kmcl_send_flush(struct kmcl_channel *chan)
{
	mutex_lock(&chan->send.flushing);
	kmcl_send_flush_locked(chan);
	mutex_unlock(&chan->send.flushing);
}

/* The link is closed, by the worker: from here on nothing completes because of it. */
void kmcl_send_flush_link(struct kmcl_channel *chan, struct kmcl_link *link)
{
	mutex_lock(&chan->send.flushing);
	kmcl_send_flush_locked(chan);
	link->flushed = true;
	mutex_unlock(&chan->send.flushing);
}

/* The link is closed before the channel's worker got there: what was sent is over. */
void kmcl_send_abort(struct kmcl_channel *chan, struct kmcl_link *link)
{
	mutex_lock(&chan->send.flushing);
	/* Else the channel is past it, and may have another. */
	if (READ_ONCE(chan->link) == link && !link->flushed)
		kmcl_send_flush_locked(chan);
	mutex_unlock(&chan->send.flushing);
}

/* The channel is not to be opened any more: from now on nothing can be sent. */
void kmcl_send_end(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	chan->send.dead = true;
	spin_unlock_irqrestore(&chan->send.lock, flags);

	kmcl_send_flush(chan);
	tasklet_kill(&chan->send.drain);
	kmcl_completions_end(chan);
	cancel_work_sync(&chan->send.hang_up);
	cancel_work_sync(&chan->send.grow);
}

static void kmcl_send_go_on(struct tasklet_struct *t)
{
	kmcl_send_drain(container_of(t, struct kmcl_channel, send.drain));
}

/*
 * A host is to signal when there is room, but not all do in every case: QEMU's
 * does not if the ring was read to its end at once.
 */
static void kmcl_send_retry(struct work_struct *work)
{
	kmcl_send_drain(container_of(to_delayed_work(work), struct kmcl_channel,
				     send.retry));
}

void kmcl_send_init(struct kmcl_channel *chan)
{
	spin_lock_init(&chan->send.lock);
	mutex_init(&chan->send.flushing);
	INIT_LIST_HEAD(&chan->send.queue);
	INIT_LIST_HEAD(&chan->send.held);
	chan->send.max_count = U32_MAX;
	INIT_LIST_HEAD(&chan->send.requests);
	tasklet_setup(&chan->send.drain, kmcl_send_go_on);
	INIT_DELAYED_WORK(&chan->send.retry, kmcl_send_retry);
	chan->send.retry_ms = KMCL_RETRY_MS;
	kmcl_transactions_init(chan);
	kmcl_completions_init(chan);
}
