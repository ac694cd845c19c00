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
#include <linux/sched/mm.h>
#include <linux/wait.h>

#include "data.h"

/*
 * After that many packets the client learns that a batch has ended, and the work item
 * that delivers them ends too: more are for its next run.
 */
#define KMCL_PASSIVE_BATCH	64

/*
 * A packet is not outstanding any more, and @bytes not the client's: its limits may
 * have room for another.
 */
static void kmcl_deliver_taken_back(struct kmcl_recv *recv, u32 bytes)
{
	kmcl_recv_add(&recv->client_bytes, -(ssize_t)bytes);
	/* The reader looks at it without the lock first. */
	WRITE_ONCE(recv->outstanding, recv->outstanding - 1);
	if (!recv->outstanding)
		wake_up_all(&recv->idle);
	kmcl_receive_wake(recv);
	if (!list_empty(&recv->passive))
		queue_work(recv->wq, &recv->work);
}

static enum kmcl_tx_result kmcl_incoming_submit(struct kmcl_incoming *inc,
						const void *buffer, u32 len,
						bool may_wait)
{
	struct kmcl_channel *chan = inc->chan;
	enum kmcl_tx_result result;

	inc->tx.out.len = len;
	result = kmcl_tx_submit(chan, &inc->tx, buffer, may_wait);
	/* The sender waits for it, so that it comes matters more than what is in it. */
	if (result == KMCL_TX_UNFIT && len) {
		kmcl_tx_empty(chan, &inc->tx);
		result = kmcl_tx_submit(chan, &inc->tx, NULL, true);
	}
	return result;
}

/*
 * Sends the completion. True: it waits for room in the ring, and the packet with it.
 * One that is longer than its packet has room for waits in an object of its own, whose
 * size is added to @bytes. The client's next packets come with room for such a one.
 */
static bool kmcl_incoming_answer(struct kmcl_incoming *inc, const void *buffer,
				 u32 len, u32 *bytes)
{
	struct kmcl_channel *chan = inc->chan;
	struct kmcl_incoming *other;
	enum kmcl_tx_result result;

	if (unlikely(len > inc->len && len > READ_ONCE(chan->recv.answer)))
		WRITE_ONCE(chan->recv.answer, len);

	result = kmcl_incoming_submit(inc, buffer, len, len <= inc->room);
	if (likely(result != KMCL_TX_FULL && result != KMCL_TX_GONE))
		return result == KMCL_TX_PENDING;

	other = kmcl_incoming_for_answer(chan, inc->tx.out.id, len);
	if (!other) {
		kmcl_warn_ratelimited(chan, "a completion with %u bytes goes out empty: no memory to keep it in until the ring has room\n",
				      len);
		return kmcl_incoming_submit(inc, NULL, 0, true) == KMCL_TX_PENDING;
	}
	*bytes += other->bytes;
	if (kmcl_incoming_submit(other, buffer, len, true) != KMCL_TX_PENDING)
		kmcl_incoming_put(other);
	return false;
}

static void kmcl_incoming_complete(struct kmcl_incoming *inc,
				   const void *buffer, u32 len)
{
	struct kmcl_channel *chan = inc->chan;
	struct kmcl_recv *recv = &chan->recv;
	u32 bytes = inc->bytes;
	unsigned long flags;
	bool over = true;

	/* The sender may use the memory as soon as it has the completion. */
	kmcl_external_in_end(inc);
	if (inc->wants_completion)
		over = !kmcl_incoming_answer(inc, buffer, len, &bytes);

	spin_lock_irqsave(&recv->lock, flags);
	kmcl_deliver_taken_back(recv, bytes);
	if (over)
		kmcl_incoming_put_locked(inc);
	spin_unlock_irqrestore(&recv->lock, flags);
}

/* Calls the client. One at a time: the reader or the work item. */
static void kmcl_deliver_one(struct kmcl_channel *chan,
			     struct kmcl_incoming *inc)
{
	PFN_VMB_CHANNEL_PROCESS_PACKET process = chan->set.process_packet;
	u32 external = inc->external ? VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA : 0;
	unsigned long flags;

	spin_lock_irqsave(&chan->recv.lock, flags);
	/* As in kmcl_deliver_taken_back(). */
	WRITE_ONCE(chan->recv.outstanding, chan->recv.outstanding + 1);
	spin_unlock_irqrestore(&chan->recv.lock, flags);
	atomic64_inc(&chan->count.received);

	if (unlikely(!process && !chan->set.process_packet_ex)) {
		kmcl_incoming_complete(inc, NULL, 0);
		return;
	}

	WRITE_ONCE(chan->recv.deliverer, current);
	WRITE_ONCE(chan->recv.delivering, inc);
	atomic_set_release(&inc->state, KMCL_INCOMING_DELIVERED);
	if (likely(process))
		process(kmcl_channel_handle(chan), kmcl_incoming_handle(inc),
			inc->payload, inc->len, external);
	else
		chan->set.process_packet_ex(kmcl_channel_handle(chan),
					    chan->set.process_context,
					    kmcl_incoming_handle(inc),
					    inc->payload, inc->len, external);
	WRITE_ONCE(chan->recv.delivering, NULL);
}

void kmcl_deliver_batch_end(struct kmcl_channel *chan, u32 packets)
{
	const struct kmcl_settings *set = &chan->set;

	if (!packets)
		return;
	if (set->processing_complete)
		set->processing_complete(kmcl_channel_handle(chan), packets);
	else if (set->processing_complete_ex)
		set->processing_complete_ex(kmcl_channel_handle(chan),
					    set->process_context, packets);
}

/* What the client deferred comes next, at PASSIVE_LEVEL. */
static void kmcl_deliver_requeue(struct kmcl_recv *recv)
{
	struct kmcl_incoming *inc;
	unsigned long flags;

	spin_lock_irqsave(&recv->lock, flags);
	inc = recv->deferred;
	recv->deferred = NULL;
	list_add(&inc->node, &recv->passive);
	/* The reader looks at it without the lock. */
	WRITE_ONCE(recv->waiting, recv->waiting + 1);
	kmcl_deliver_taken_back(recv, 0);
	spin_unlock_irqrestore(&recv->lock, flags);
}

/* To be delivered at PASSIVE_LEVEL, behind what is. */
void kmcl_deliver_put_aside(struct kmcl_channel *chan, struct kmcl_incoming *inc)
{
	struct kmcl_recv *recv = &chan->recv;
	unsigned long flags;

	spin_lock_irqsave(&recv->lock, flags);
	list_add_tail(&inc->node, &recv->passive);
	/* As in kmcl_deliver_requeue(). */
	WRITE_ONCE(recv->waiting, recv->waiting + 1);
	spin_unlock_irqrestore(&recv->lock, flags);
}

/* From the reader. Counts in @delivered what was delivered here and now. */
void kmcl_deliver(struct kmcl_channel *chan, struct kmcl_incoming *inc,
		  u32 *delivered)
{
	struct kmcl_recv *recv = &chan->recv;
	bool at_once = kmcl_recv_is_open(recv) && !READ_ONCE(recv->at_passive);

	/*
	 * Only the reader adds the first packet that waits: a zero stays one. Pairs
	 * with the release after the last one that waited.
	 */
	if (at_once && !smp_load_acquire(&recv->waiting)) {
		++*delivered;
		kmcl_deliver_one(chan, inc);
		if (READ_ONCE(recv->deferred)) {
			kmcl_deliver_batch_end(chan, *delivered);
			*delivered = 0;
			kmcl_deliver_requeue(recv);
		}
		return;
	}

	/* The work item may run at once: the batch ends before that. */
	kmcl_deliver_batch_end(chan, *delivered);
	*delivered = 0;
	kmcl_deliver_put_aside(chan, inc);
	queue_work(recv->wq, &recv->work);
}

static struct kmcl_incoming *kmcl_deliver_next(struct kmcl_recv *recv)
{
	struct kmcl_incoming *inc = NULL;

	spin_lock_irq(&recv->lock);
	if (kmcl_recv_is_open(recv) && !recv->failed &&
	    recv->outstanding < recv->quota)
		inc = list_first_entry_or_null(&recv->passive,
					       struct kmcl_incoming, node);
	if (inc)
		list_del_init(&inc->node);
	spin_unlock_irq(&recv->lock);
	return inc;
}

/* The client is done with a call: the reader may deliver the packet behind. */
static void kmcl_deliver_counted_down(struct kmcl_recv *recv)
{
	spin_lock_irq(&recv->lock);
	/* Pairs with the acquire in kmcl_deliver(): the call is over. */
	smp_store_release(&recv->waiting, recv->waiting - 1);
	kmcl_receive_wake(recv);
	spin_unlock_irq(&recv->lock);
}

/* True: more is to be delivered, by another run. */
static bool kmcl_deliver_passive(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;
	struct kmcl_incoming *inc;
	u32 budget, packets = 0;

	for (budget = KMCL_PASSIVE_BATCH; budget; budget--) {
		inc = kmcl_deliver_next(recv);
		if (!inc)
			break;
		kmcl_deliver_one(chan, inc);
		if (READ_ONCE(recv->deferred))
			kmcl_deliver_requeue(recv);

		packets++;
		if (budget == 1 || list_empty_careful(&recv->passive)) {
			kmcl_deliver_batch_end(chan, packets);
			packets = 0;
		}
		kmcl_deliver_counted_down(recv);
	}
	kmcl_deliver_batch_end(chan, packets);
	return !budget;
}

/*
 * Delivers at PASSIVE_LEVEL what the reader has put aside. Memory may be being freed by
 * these packets, so what the client allocates meanwhile starts no I/O.
 */
void kmcl_deliver_work(struct work_struct *work)
{
	struct kmcl_channel *chan =
		container_of(work, struct kmcl_channel, recv.work);
	struct kmcl_recv *recv = &chan->recv;
	unsigned int noio = memalloc_noio_save();
	bool more = false;

	spin_lock_irq(&recv->lock);
	recv->working = kmcl_recv_is_open(recv);
	spin_unlock_irq(&recv->lock);

	if (recv->working)
		more = kmcl_deliver_passive(chan);

	spin_lock_irq(&recv->lock);
	WRITE_ONCE(recv->working, false);
	wake_up_all(&recv->idle);
	spin_unlock_irq(&recv->lock);

	memalloc_noio_restore(noio);
	if (more)
		queue_work(recv->wq, work);
}

/* What was read from a ring that is closed now is not delivered any more. */
void kmcl_deliver_drop_waiting(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;
	struct kmcl_incoming *inc, *next;
	LIST_HEAD(dropped);

	spin_lock_irq(&recv->lock);
	list_for_each_entry(inc, &recv->passive, node)
		kmcl_recv_add(&recv->client_bytes, -(ssize_t)inc->bytes);
	list_splice_init(&recv->passive, &dropped);
	recv->waiting = 0;
	spin_unlock_irq(&recv->lock);

	list_for_each_entry_safe(inc, next, &dropped, node)
		kmcl_incoming_put(inc);
}

/* Returns when the client has completed every packet delivered to it. */
void kmcl_deliver_wait_completed(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	/* A client may take its time. */
	wait_event_idle(recv->idle, !READ_ONCE(recv->outstanding));
	kmcl_incoming_sync(recv);
}

/* From the client, which may be done with a packet once. */
static bool kmcl_incoming_take_back(struct kmcl_incoming *inc)
{
	return atomic_cmpxchg(&inc->state, KMCL_INCOMING_DELIVERED,
			      KMCL_INCOMING_TAKEN_BACK) == KMCL_INCOMING_DELIVERED;
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
 * maximum packet size, or larger than the sender's ring, is left out, with a line in
 * the log, for the sender waits for its completion all the same. So is one that has to
 * wait, is longer than the packet and than all completions before it, and finds no
 * memory to wait in.
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

	if (!kmcl_incoming_take_back(inc)) {
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

/* Defers the packet that ProcessPacket is called with. False: it is not that one. */
bool kmcl_deliver_defer(struct kmcl_incoming *inc)
{
	struct kmcl_recv *recv = &inc->chan->recv;
	unsigned long flags;

	/* It is looked for when the callback returns: only the callback can ask. */
	if (READ_ONCE(recv->delivering) != inc || READ_ONCE(recv->deliverer) != current)
		return false;
	if (!kmcl_incoming_take_back(inc))
		return true;

	/* Not before the callback has returned. */
	spin_lock_irqsave(&recv->lock, flags);
	recv->deferred = inc;
	spin_unlock_irqrestore(&recv->lock, flags);
	return true;
}

/**
 * VmbChannelPacketDeferToPassive() - have a packet delivered at PASSIVE_LEVEL
 * @PacketCompletionContext: as passed to the ProcessPacket callback that runs
 *
 * The packet goes back to the head of the queue and ProcessPacket is called with
 * it again, at PASSIVE_LEVEL. This project's decision: order is kept, so what
 * arrived later is delivered after it, at PASSIVE_LEVEL too.
 *
 * Context: in ProcessPacket only, for the packet that it was called with, which
 * it must not touch any more. Anywhere else nothing happens but a line in the log.
 */
VOID VmbChannelPacketDeferToPassive(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *inc =
		kmcl_incoming_from_handle(PacketCompletionContext);

	if (inc && !kmcl_deliver_defer(inc))
		pr_err_ratelimited("%pS defers a packet outside of its ProcessPacket\n",
				   __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(VmbChannelPacketDeferToPassive);

/**
 * VmbChannelPacketFail() - give an incoming packet up as malformed
 * @PacketCompletionContext: as passed to the ProcessPacket callback; invalid
 *	afterwards
 *
 * The incoming queue stops: nothing is delivered any more, completions included,
 * until the channel is disabled, which is said in the log. Sending goes on. The
 * packet is not completed towards its sender.
 *
 * Context: up to DISPATCH_LEVEL, in the callback or later.
 */
VOID VmbChannelPacketFail(VMBPACKETCOMPLETION PacketCompletionContext)
{
	struct kmcl_incoming *inc =
		kmcl_incoming_from_handle(PacketCompletionContext);
	struct kmcl_channel *chan;
	unsigned long flags;

	if (!inc || !kmcl_incoming_take_back(inc))
		return;

	chan = inc->chan;
	kmcl_warn_ratelimited(chan, "the client failed a packet as malformed; nothing is received any more until the channel is disabled\n");

	kmcl_external_in_end(inc);
	spin_lock_irqsave(&chan->recv.lock, flags);
	chan->recv.failed = true;
	kmcl_deliver_taken_back(&chan->recv, inc->bytes);
	kmcl_incoming_put_locked(inc);
	spin_unlock_irqrestore(&chan->recv.lock, flags);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketFail);

/**
 * VmbChannelSetTransactionQuota() - limit the packets that a client holds
 * @Channel: the channel, in any state
 * @Quota: the most incoming packets delivered and not yet completed. 0 is refused,
 *	with a line in the log.
 *
 * At the quota the ring is left unread. As on Windows, a higher quota does not by
 * itself restart a blocked queue; completing a packet does.
 *
 * This project's decision: unless a quota is set the limit is one of bytes, 4 MiB,
 * lest the other end make a client hold as much memory as it likes. Counted is what is
 * allocated for packets that the client has not completed: their payload, and some 160
 * bytes and the client's context for each, but not the first few packets, which are in
 * memory that the channel has from its opening on. Whatever the quota, the ring is also
 * left unread while 32 MiB of completions wait for room in the outgoing ring.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelSetTransactionQuota(VMBCHANNEL Channel, UINT32 Quota)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (!chan)
		return;

	if (!Quota) {
		kmcl_warn(chan, "a transaction quota of 0 is refused\n");
		return;
	}
	WRITE_ONCE(chan->recv.quota, Quota);
	WRITE_ONCE(chan->recv.limit, SIZE_MAX);
}
EXPORT_SYMBOL_GPL(VmbChannelSetTransactionQuota);

/**
 * VmbChannelSetIncomingProcessingAtPassive() - choose where packets are delivered
 * @Channel: the channel, in any state
 * @ProcessAtPassive: TRUE: ProcessPacket is called at PASSIVE_LEVEL only; FALSE:
 *	up to DISPATCH_LEVEL, which is the default
 *
 * Takes effect with the next packet; order is kept.
 *
 * This project's decision: a packet may be what memory is being freed by, so memory
 * that ProcessPacket allocates at PASSIVE_LEVEL is found without I/O, as if by GFP_NOIO,
 * and each channel has a thread of its own in reserve to call it.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL Channel,
					      BOOLEAN ProcessAtPassive)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (chan)
		WRITE_ONCE(chan->recv.at_passive, ProcessAtPassive);
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
