// SPDX-License-Identifier: GPL-2.0
/*
 * Whether the ring is read, and what becomes of data in it: the channel's worker decides
 * (enum kmcl_recv_gate), and waits here for the reader to have noticed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/wait.h>

#include "data.h"

/* Called with the lock held. What the reader has left in the ring may go on. */
static void kmcl_recv_set_gate(struct kmcl_recv *recv, enum kmcl_recv_gate gate)
{
	lockdep_assert_held(&recv->lock);
	/* Behind all that an open channel needs: pairs with kmcl_recv_reads(). */
	smp_store_release(&recv->gate, gate);
	kmcl_recv_changed(recv);
	if (gate != KMCL_RECV_CLOSED)
		kmcl_receive_wake(recv);
}

/* Lets packets through to the client, those first that waited for it. */
void kmcl_receive_enable(struct kmcl_channel *chan)
{
	spin_lock_irq(&chan->recv.lock);
	/* Written before kmcl_receive_cut() takes this lock. */
	if (!READ_ONCE(chan->link->cut))
		kmcl_recv_set_gate(&chan->recv, KMCL_RECV_OPEN);
	spin_unlock_irq(&chan->recv.lock);

	queue_work(chan->recv.wq, &chan->recv.work);
	kmcl_receive_schedule(&chan->recv);
}

/* Has the batch ended that was being read when there had been so many? */
static bool kmcl_receive_synced(struct kmcl_recv *recv, u32 batches)
{
	/* Pairs with the release in kmcl_receive_poll(). */
	return smp_load_acquire(&recv->batches) != batches ||
	       !atomic_read_acquire(&recv->readers);
}

/*
 * Waits for a reader that has looked at @gate too early; those to come see what was
 * written before this. They look for every packet. On a busy channel the next batch
 * may always have begun: so it is the end of one that is waited for.
 */
static void kmcl_receive_sync(struct kmcl_recv *recv)
{
	u32 batches;

	/* Pairs with kmcl_receive_poll(). */
	smp_mb();
	batches = READ_ONCE(recv->batches);
	while (!kmcl_receive_synced(recv, batches))
		usleep_range_state(20, 100, TASK_IDLE);
}

/*
 * The channel is about to be closed. If it is being suspended already, data in the
 * ring is not put aside any more: behind it there may be what the client waits for.
 * Up to softirq context.
 */
void kmcl_receive_discard(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;
	unsigned long flags;

	spin_lock_irqsave(&recv->lock, flags);
	if (recv->gate == KMCL_RECV_HELD)
		kmcl_recv_set_gate(recv, KMCL_RECV_DISCARDS);
	spin_unlock_irqrestore(&recv->lock, flags);
}

/*
 * When this returns ProcessPacket is not being called, and will not be. What the
 * client has sent may still complete: that may be what it waits for. Data before that
 * in the ring is put aside or, where the channel closes, dropped.
 */
void kmcl_receive_disable(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_irq(&recv->lock);
	/* What the quota has left in the ring may be put aside. */
	if (recv->gate == KMCL_RECV_OPEN)
		kmcl_recv_set_gate(recv, KMCL_RECV_HELD);
	spin_unlock_irq(&recv->lock);
	/* A close that was asked for before that found nothing to discard. */
	if (kmcl_control_closes(chan))
		kmcl_receive_discard(chan);

	kmcl_receive_sync(recv);
	/* From here on the work item finds the gate shut. A client may take its time. */
	wait_event_idle(recv->idle, !READ_ONCE(recv->working));
	kmcl_incoming_sync(recv);
}

/* When this returns the ring is not being read. */
void kmcl_receive_stop(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_irq(&recv->lock);
	kmcl_recv_set_gate(recv, KMCL_RECV_CLOSED);
	spin_unlock_irq(&recv->lock);

	kmcl_receive_sync(recv);
}

/* The link is gone: when this returns its ring is not being read, and will not be. */
void kmcl_receive_cut(struct kmcl_channel *chan, struct kmcl_link *link)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_irq(&recv->lock);
	/* The channel may be past it, and have another. */
	if (READ_ONCE(chan->link) == link)
		kmcl_recv_set_gate(recv, KMCL_RECV_CLOSED);
	spin_unlock_irq(&recv->lock);

	kmcl_receive_sync(recv);
}

/* The link is closed, so no signal comes any more: lets go of all memory. */
void kmcl_receive_close(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	/* The sender may have taken completions off its queue that it has yet to free. */
	wait_event_idle(recv->idle, !READ_ONCE(recv->held));
	kmcl_incoming_sync(recv);

	/*
	 * The tasklet and the work item may have met, and then one has scheduled the
	 * other. By themselves neither does: the ring is not to be read any more.
	 */
	cancel_work_sync(&recv->share.work);
	/* The last that may still schedule it; the processor is soon there. */
	while (atomic_read(&recv->sent_there))
		usleep_range_state(20, 100, TASK_IDLE);
	tasklet_kill(&recv->tasklet);
	cancel_work_sync(&recv->share.work);
	kmcl_share_reset(&recv->share);
	WRITE_ONCE(recv->cpu, -1);
	cancel_work_sync(&recv->work);
	kmcl_incoming_free_spares(chan);
	WRITE_ONCE(recv->failed, false);
	WRITE_ONCE(recv->stalled, false);
}
