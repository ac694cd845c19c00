// SPDX-License-Identifier: GPL-2.0
/*
 * The way out: written to the ring at once, or queued until there is room.
 *
 * While nothing waits a packet is written without a lock of the channel's. From the
 * first that has to wait on, one lock covers the decision and the write, so nothing
 * overtakes what waits. What waits holds its own copy of its payload; so a send needs no
 * memory and the caller's buffer is free when it returns.
 *
 * Interrupts are off while the lock is held, so it is held for KMCL_SEND_BATCH packets
 * at most. A queue that is longer is gone on with by a tasklet; meanwhile it is not
 * empty, so a sender comes behind it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "data.h"

/* After that long the ring is tried without a signal. */
#define KMCL_RETRY_MS	100

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

/* Called with the lock held. 0, or as the transport's map and send. */
static int kmcl_tx_write(struct kmcl_channel *chan, struct kmcl_tx *tx,
			 const void *data)
{
	struct kmcl_link *link = chan->link;
	int ret;

	if (unlikely(tx->out.gpa && link->bounce_pages && !tx->out.mapped)) {
		ret = kmcl_bounce_map(chan, &tx->out);
		if (ret)
			return ret;
	}

	ret = kmcl_tx_put(chan, link, tx, data);
	/* A rescind is no surprise: the link is about to be closed. */
	if (ret && ret != -EAGAIN && ret != -EOPNOTSUPP && ret != -ENODEV &&
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

/*
 * The ring may be written to and nothing waits: from here on senders need not take the
 * lock, unless their packets have to be counted. Called with the lock held.
 */
static void kmcl_send_let_pass(struct kmcl_channel *chan)
{
	struct kmcl_send *send = &chan->send;

	if (list_empty(&send->held) && send->max_count == U32_MAX)
		/* Behind what was queued, and made: pairs with kmcl_send_passes(). */
		smp_store_release(&send->direct, chan->link);
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
	bool wants, copied;
	struct kmcl_tx *tx;
	u32 tries = 0;
	int ret, asked = 0;

	while (chan->send.writable && (!list_empty(&chan->send.queue) ||
				       kmcl_queue_admit(chan))) {
		if (tries++ == KMCL_SEND_BATCH)
			return true;
		tx = list_first_entry(&chan->send.queue, struct kmcl_tx, node);
		wants = kmcl_tx_wants_completion(tx);
		copied = tx->out.gpa && link->bounce_pages;
		/* Written, one that wants a completion may be over, and gone. */
		kmcl_queue_del(&chan->send, tx);
		ret = kmcl_tx_write_queued(chan, tx);
		if (ret && ret != -EOPNOTSUPP)
			kmcl_queue_put_back(&chan->send, tx);
		if (kmcl_tx_may_wait(ret) && ret != asked) {
			/*
			 * Ask to be told of room, then try once more: the other
			 * end may have made room before it could see the request,
			 * as may a packet that was unmapped.
			 */
			/* @direct is NULL first: pairs with kmcl_send_drain(). */
			smp_wmb();
			if (ret == -EAGAIN)
				link->ops->want_room(link, kmcl_tx_room(tx));
			else
				kmcl_bounce_want(chan, &tx->out);
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
		if (unlikely(copied))
			tries = KMCL_SEND_BATCH;
		if (ret || !wants) {
			tx->status = ret ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
			list_add_tail(&tx->node, over);
		}
	}
	if (chan->send.writable) {
		link->ops->want_room(link, 0);
		kmcl_send_let_pass(chan);
	}
	return false;
}

/* What is in @over is: the client's with their status. */
void kmcl_tx_finish(struct list_head *over)
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
 * kmcl_tx_submit_locked() - send, or queue what cannot go out yet
 * @chan: the channel, in any state
 * @tx: as for kmcl_tx_submit()
 * @data: the payload
 * @may_wait: whether it may be queued
 *
 * Context and return: as kmcl_tx_submit().
 */
enum kmcl_tx_result kmcl_tx_submit_locked(struct kmcl_channel *chan, struct kmcl_tx *tx,
					  const void *data, bool may_wait)
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
	if (send->writable && list_empty(&send->queue) && !kmcl_queue_holds(chan, tx))
		ret = kmcl_tx_write(chan, tx, data);
	if (!ret)
		kmcl_send_let_pass(chan);
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
	kmcl_queue_add(chan, tx);
	if (trace_kmcl_packet_queued_enabled())
		kmcl_trace_queued(chan, tx);
	atomic64_inc(&chan->count.queued);
	/* Behind others it waits for their signal; the first one asks for it. */
	if (send->writable && list_is_singular(&send->queue))
		more = kmcl_send_drain_locked(chan, &done);
	kmcl_send_unlock_and_finish(chan, flags, &done, more);
	return KMCL_TX_PENDING;
}

/**
 * kmcl_tx_submit() - send
 * @chan: the channel, in any state
 * @tx: its @out set; in no list
 * @data: the payload, copied before this returns
 * @may_wait: whether it may be queued
 *
 * Context: up to softirq, interrupts may be off.
 *
 * Return: what became of it. Unless it is the caller's, @tx may be gone already.
 */
enum kmcl_tx_result kmcl_tx_submit(struct kmcl_channel *chan, struct kmcl_tx *tx,
				   const void *data, bool may_wait)
{
	bool wants = kmcl_tx_wants_completion(tx);
	bool sent;

	kmcl_send_direct_begin();
	sent = kmcl_tx_submit_direct(chan, tx, data);
	kmcl_send_direct_end();
	if (likely(sent))
		return wants ? KMCL_TX_PENDING : KMCL_TX_OVER;
	return kmcl_tx_submit_locked(chan, tx, data, may_wait);
}

/*
 * Puts back what a saved channel had under way: into the queue, its payload in its
 * own room, or among the open transactions.
 */
void kmcl_send_restore(struct kmcl_channel *chan, struct kmcl_tx *tx, bool queued)
{
	spin_lock_irq(&chan->send.lock);
	if (queued)
		kmcl_queue_add(chan, tx);
	else
		kmcl_transaction_restore(chan, kmcl_tx_packet(tx));
	spin_unlock_irq(&chan->send.lock);
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
	if (!(*pkt)->tx.queued)
		return kmcl_transaction_give_up(chan, pkt);

	kmcl_queue_del(&chan->send, &(*pkt)->tx);
	if (unlikely((*pkt)->tx.out.mapped))
		kmcl_bounce_unmap(*pkt);
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

	/*
	 * Nothing waits. A sender that queues later than this look asks for room before
	 * it tries the ring once more, which is a full barrier: the other end has made
	 * that room before it signalled, or signals again. A signal that was asked for
	 * comes behind the write barrier in kmcl_send_drain_locked(): so this look is
	 * not earlier than the NULL of the sender that asked.
	 */
	if (likely(READ_ONCE(chan->send.direct)))
		return;

	spin_lock_irqsave(&chan->send.lock, flags);
	if (chan->send.writable)
		more = kmcl_send_drain_locked(chan, &done);
	kmcl_send_unlock_and_finish(chan, flags, &done, more);
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
