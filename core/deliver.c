// SPDX-License-Identifier: GPL-2.0
/*
 * Incoming packets and the client: delivered, and completed by it.
 *
 * Packets are delivered where the ring is read, in softirq context, or by a work
 * item if the channel wants PASSIVE_LEVEL. While that work has packets left, all
 * later ones go through it too: order is kept, and the client is never called
 * twice at once.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/export.h>

#include "kmcl.h"

/* After that many packets the client learns that a batch has ended. */
#define KMCL_PASSIVE_BATCH	64

static void kmcl_incoming_complete(struct kmcl_incoming *inc,
				   const void *buffer, u32 len)
{
	struct kmcl_channel *chan = inc->chan;
	struct kmcl_recv *rx = &chan->rx;
	unsigned long flags;
	bool over = true;

	if (inc->wants_completion) {
		inc->tx.len = len;
		over = kmcl_tx_submit(chan, &inc->tx, buffer);
	}

	spin_lock_irqsave(&rx->lock, flags);
	if (!--rx->outstanding)
		wake_up_all(&rx->idle);
	if (over)
		kmcl_incoming_put_locked(inc);
	spin_unlock_irqrestore(&rx->lock, flags);
}

/* Calls the client. One at a time: the reader or the work item. */
static void kmcl_deliver_one(struct kmcl_channel *chan,
			     struct kmcl_incoming *inc)
{
	PFN_VMB_CHANNEL_PROCESS_PACKET process = chan->set.process_packet;
	unsigned long flags;

	spin_lock_irqsave(&chan->rx.lock, flags);
	chan->rx.outstanding++;
	spin_unlock_irqrestore(&chan->rx.lock, flags);
	atomic64_inc(&chan->count.received);

	if (!process) {
		kmcl_incoming_complete(inc, NULL, 0);
		return;
	}

	atomic_set_release(&inc->state, KMCL_INCOMING_DELIVERED);
	process(kmcl_channel_handle(chan), kmcl_incoming_handle(inc),
		inc->payload, inc->len, 0);
}

void kmcl_deliver_batch_end(struct kmcl_channel *chan, u32 packets)
{
	if (packets && chan->set.processing_complete)
		chan->set.processing_complete(kmcl_channel_handle(chan), packets);
}

/* From the reader. Returns how many packets were delivered here and now. */
u32 kmcl_deliver(struct kmcl_channel *chan, struct kmcl_incoming *inc)
{
	struct kmcl_recv *rx = &chan->rx;
	unsigned long flags;

	/* Only the reader adds to what waits: a zero stays one. */
	if (!READ_ONCE(rx->at_passive) && !READ_ONCE(rx->waiting)) {
		kmcl_deliver_one(chan, inc);
		return 1;
	}

	spin_lock_irqsave(&rx->lock, flags);
	atomic_set(&inc->state, KMCL_INCOMING_WAITING);
	list_add_tail(&inc->node, &rx->passive);
	rx->waiting++;
	spin_unlock_irqrestore(&rx->lock, flags);

	queue_work(kmcl_deliver_wq, &rx->work);
	return 0;
}

static struct kmcl_incoming *kmcl_deliver_next(struct kmcl_recv *rx)
{
	struct kmcl_incoming *inc = NULL;

	spin_lock_irq(&rx->lock);
	if (rx->enabled && !rx->failed)
		inc = list_first_entry_or_null(&rx->passive,
					       struct kmcl_incoming, node);
	if (inc)
		list_del_init(&inc->node);
	spin_unlock_irq(&rx->lock);
	return inc;
}

/* Delivers at PASSIVE_LEVEL what the reader has put aside. */
void kmcl_deliver_work(struct work_struct *work)
{
	struct kmcl_channel *chan =
		container_of(work, struct kmcl_channel, rx.work);
	struct kmcl_recv *rx = &chan->rx;
	struct kmcl_incoming *inc;
	u32 packets = 0;

	while ((inc = kmcl_deliver_next(rx))) {
		kmcl_deliver_one(chan, inc);

		/* Only now may the reader deliver the packet behind this one. */
		spin_lock_irq(&rx->lock);
		rx->waiting--;
		if (rx->stalled)
			tasklet_schedule(&rx->tasklet);
		spin_unlock_irq(&rx->lock);

		if (++packets == KMCL_PASSIVE_BATCH) {
			kmcl_deliver_batch_end(chan, packets);
			packets = 0;
			cond_resched();
		}
	}
	kmcl_deliver_batch_end(chan, packets);
}

/* What was read from a ring that is closed now is not delivered any more. */
void kmcl_deliver_drop_waiting(struct kmcl_channel *chan)
{
	struct kmcl_recv *rx = &chan->rx;
	struct kmcl_incoming *inc, *next;
	LIST_HEAD(dropped);

	spin_lock_irq(&rx->lock);
	list_splice_init(&rx->passive, &dropped);
	rx->waiting = 0;
	spin_unlock_irq(&rx->lock);

	list_for_each_entry_safe(inc, next, &dropped, node)
		kmcl_incoming_put(inc);
}

/* Returns when the client has completed every packet delivered to it. */
void kmcl_deliver_wait_completed(struct kmcl_channel *chan)
{
	struct kmcl_recv *rx = &chan->rx;

	spin_lock_irq(&rx->lock);
	wait_event_lock_irq(rx->idle, !rx->outstanding, rx->lock);
	spin_unlock_irq(&rx->lock);
}

/**
 * VmbChannelPacketComplete() - be done with an incoming packet
 * @PacketCompletionContext: as passed to the ProcessPacket callback; invalid
 *	afterwards, like the packet's buffer
 * @Buffer: payload of the completion, which is sent if the sender asked for one.
 *	It may lie in the packet's own buffer.
 * @BufferSize: bytes in @Buffer
 *
 * Every packet delivered must be completed exactly once. Where the ring is full
 * the completion waits for room. This project's decision: a payload above the
 * maximum packet size is left out, with a line in the log, for the sender waits
 * for its completion all the same.
 *
 * Context: up to DISPATCH_LEVEL, in the callback or later.
 */
VOID VmbChannelPacketComplete(VMBPACKETCOMPLETION PacketCompletionContext,
			      PVOID Buffer, UINT32 BufferSize)
{
	struct kmcl_incoming *inc =
		kmcl_incoming_from_handle(PacketCompletionContext);

	if (!inc)
		return;

	if (atomic_cmpxchg(&inc->state, KMCL_INCOMING_DELIVERED,
			   KMCL_INCOMING_COMPLETED) != KMCL_INCOMING_DELIVERED) {
		pr_err_ratelimited("%pS completes an incoming packet twice\n",
				   __builtin_return_address(0));
		return;
	}

	if (BufferSize && (!Buffer || BufferSize > inc->chan->set.max_packet)) {
		kmcl_warn_ratelimited(inc->chan, "a completion with %u bytes goes out empty: %s\n",
				      BufferSize, Buffer ?
				      "above the maximum packet size" : "no buffer");
		BufferSize = 0;
	}
	kmcl_incoming_complete(inc, Buffer, BufferSize);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketComplete);

/**
 * VmbChannelSetIncomingProcessingAtPassive() - choose where packets are delivered
 * @Channel: the channel, in any state
 * @ProcessAtPassive: TRUE: ProcessPacket is called at PASSIVE_LEVEL only; FALSE:
 *	up to DISPATCH_LEVEL, which is the default
 *
 * Takes effect with the next packet; order is kept.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL Channel,
					      BOOLEAN ProcessAtPassive)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (chan)
		WRITE_ONCE(chan->rx.at_passive, ProcessAtPassive);
}
EXPORT_SYMBOL_GPL(VmbChannelSetIncomingProcessingAtPassive);

/**
 * VmbChannelPacketGetClientContext() - the client's own bytes in a packet
 * @PacketCompletionContext: as passed to the ProcessPacket callback
 *
 * Context: up to DISPATCH_LEVEL, until the packet is completed.
 *
 * Return: as many bytes as VmbChannelInitSetClientContextSize() asked for, zero
 * at delivery; NULL where that is none or the handle is bad.
 */
PVOID VmbChannelPacketGetClientContext(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *inc =
		kmcl_incoming_from_handle(PacketCompletionContext);

	if (!inc || !inc->chan->set.client_context)
		return NULL;
	return inc->context;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetClientContext);
