// SPDX-License-Identifier: GPL-2.0
/*
 * When the outgoing ring may be written to, and what becomes of packets when it may not
 * any more.
 */
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "data.h"

/* Before the first opening. */
int kmcl_send_prepare(struct kmcl_channel *chan)
{
	if (!chan->send.sent)
		chan->send.sent = alloc_percpu(struct kmcl_sent);
	if (!chan->send.sent)
		return -ENOMEM;
	return kmcl_transactions_prepare(chan);
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
	WRITE_ONCE(chan->send.direct, NULL);
	WRITE_ONCE(chan->send.broken, false);
	spin_unlock_irqrestore(&chan->send.lock, flags);

	cancel_delayed_work_sync(&chan->send.retry);
	/* Also for senders that write without the lock. */
	kmcl_completions_sync(chan);
}

/* The link is gone: when this returns its ring is not being written to, and will not be. */
void kmcl_send_cut(struct kmcl_channel *chan, struct kmcl_link *link)
{
	unsigned long flags;
	bool used;

	spin_lock_irqsave(&chan->send.lock, flags);
	/* The receiving side looks at it under its own lock. */
	WRITE_ONCE(link->cut, true);
	/* The channel may be past it, and have another. */
	used = READ_ONCE(chan->link) == link;
	if (used) {
		chan->send.writable = false;
		WRITE_ONCE(chan->send.direct, NULL);
	}
	spin_unlock_irqrestore(&chan->send.lock, flags);

	/*
	 * For senders that write without the lock. Offers go one by one, each behind
	 * this: the wait is for microseconds, not for the next quiet moment.
	 */
	if (used)
		synchronize_rcu_expedited();
}

/* Takes some of what was queued. Returns whether there is more. */
static bool kmcl_send_take_some(struct kmcl_send *send, struct list_head *queue,
				struct list_head *to)
{
	struct kmcl_tx *tx;
	bool more;
	u32 n;

	spin_lock_irq(&send->lock);
	for (n = 0; n < KMCL_SEND_BATCH && !list_empty(queue); n++) {
		tx = list_first_entry(queue, struct kmcl_tx, node);
		kmcl_queue_del(send, tx);
		list_add_tail(&tx->node, to);
	}
	more = !list_empty(queue);
	spin_unlock_irq(&send->lock);
	return more;
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
		/* The ring is closed: a transaction that is over opens none. */
		more = kmcl_transactions_take_some(chan, &at, &gone);
		if (!more)
			more = kmcl_send_take_some(send, &queue, &gone);
		if (!more)
			kmcl_transactions_forget_late(chan);

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
	kmcl_transactions_end(chan);
	free_percpu(chan->send.sent);
}
