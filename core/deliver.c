// SPDX-License-Identifier: GPL-2.0
/*
 * Incoming packets to the client.
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

/* For a client whose callback has a context. */
static VOID kmcl_process_ex(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			    UINT32 len, UINT32 flags)
{
	const struct kmcl_settings *set = &((struct kmcl_channel *)channel)->set;

	set->process_packet_ex(channel, set->process_context, packet, buffer, len, flags);
}

/* For a client without a callback. */
static VOID kmcl_process_none(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			      UINT32 len, UINT32 flags)
{
	VmbChannelPacketComplete(packet, NULL, 0);
}

/* What is called with each packet: one place instead of two to look at. */
PFN_VMB_CHANNEL_PROCESS_PACKET kmcl_deliver_process(const struct kmcl_settings *set)
{
	if (set->process_packet)
		return set->process_packet;
	return set->process_packet_ex ? kmcl_process_ex : kmcl_process_none;
}

/* What the call of ProcessPacket that did not complete its packet has left. */
static enum kmcl_fate kmcl_deliver_fate(struct kmcl_recv *recv)
{
	enum kmcl_fate fate = recv->fate;

	WRITE_ONCE(recv->delivering, NULL);
	recv->fate = KMCL_FATE_KEPT;
	return fate;
}

void kmcl_deliver_batch_end(struct kmcl_channel *chan, u32 packets)
{
	const struct kmcl_settings *set = &chan->set;

	if (!packets)
		return;
	WRITE_ONCE(chan->count.received, chan->count.received + packets);
	if (set->processing_complete)
		set->processing_complete(kmcl_channel_handle(chan), packets);
	else if (set->processing_complete_ex)
		set->processing_complete_ex(kmcl_channel_handle(chan),
					    set->process_context, packets);
}

/* Called with the lock held. */
static void kmcl_deliver_wait_first(struct kmcl_recv *recv, struct kmcl_incoming *inc)
{
	list_add(&inc->node, &recv->passive);
	/* The reader looks at these without the lock. */
	WRITE_ONCE(recv->waiting, recv->waiting + 1);
	WRITE_ONCE(recv->clear, false);
}

/*
 * From the reader: the client has not let go of a packet in its call, so now it is counted.
 * Another thread may have completed it meanwhile, or the sender let go of it.
 */
void kmcl_deliver_kept(struct kmcl_channel *chan, struct kmcl_incoming *inc, u32 bytes,
		       u32 *delivered)
{
	struct kmcl_recv *recv = &chan->recv;
	enum kmcl_fate fate = kmcl_deliver_fate(recv);
	unsigned long flags;

	if (fate == KMCL_FATE_DEFERRED) {
		/* The work item may run at once: the batch ends before that. */
		kmcl_deliver_batch_end(chan, *delivered);
		*delivered = 0;
	}

	spin_lock_irqsave(&recv->lock, flags);
	if (inc == recv->hand)
		kmcl_incoming_take_spare(recv);
	kmcl_incoming_count(recv, bytes);
	if (fate != KMCL_FATE_ANSWERED)
		kmcl_recv_add(&recv->client_bytes, bytes);
	/* As in kmcl_deliver_taken_back(). */
	if (fate == KMCL_FATE_KEPT)
		WRITE_ONCE(recv->outstanding, recv->outstanding + 1);
	if (fate == KMCL_FATE_DEFERRED) {
		kmcl_deliver_wait_first(recv, inc);
		queue_work(recv->wq, &recv->work);
	}
	spin_unlock_irqrestore(&recv->lock, flags);
}

/*
 * To be delivered at PASSIVE_LEVEL, behind what is. From the reader, or while none reads.
 * True: nothing was, so the work item is to be told. As long as something is it comes by
 * itself, or something keeps it from coming.
 */
bool kmcl_deliver_put_aside(struct kmcl_channel *chan, struct kmcl_incoming *inc)
{
	struct kmcl_recv *recv = &chan->recv;
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&recv->lock, flags);
	if (inc == recv->hand)
		kmcl_incoming_take_spare(recv);
	kmcl_incoming_count(recv, inc->bytes);
	kmcl_recv_add(&recv->client_bytes, inc->bytes);
	list_add_tail(&inc->node, &recv->passive);
	first = !recv->waiting;
	/* As in kmcl_deliver_wait_first(). */
	WRITE_ONCE(recv->waiting, recv->waiting + 1);
	WRITE_ONCE(recv->clear, false);
	spin_unlock_irqrestore(&recv->lock, flags);
	return first;
}

/* From the reader. Counts in @delivered what was delivered here and now. */
void kmcl_deliver(struct kmcl_channel *chan, struct kmcl_incoming *inc,
		  u32 *delivered)
{
	struct kmcl_recv *recv = &chan->recv;
	bool at_once = kmcl_recv_is_open(recv) && !READ_ONCE(recv->at_passive);
	u32 bytes = inc->bytes;

	/*
	 * Only the reader adds the first packet that waits: a zero stays one. Pairs
	 * with the release after the last one that waited.
	 */
	if (at_once && !smp_load_acquire(&recv->waiting)) {
		++*delivered;
		if (!kmcl_deliver_call(chan, inc, kmcl_incoming_flags(inc)))
			kmcl_deliver_kept(chan, inc, bytes, delivered);
		else if (inc != recv->hand)
			kmcl_incoming_free(inc);
		return;
	}

	/* The work item may run at once: the batch ends before that. */
	kmcl_deliver_batch_end(chan, *delivered);
	*delivered = 0;
	if (kmcl_deliver_put_aside(chan, inc))
		queue_work(recv->wq, &recv->work);
}

/* The next packet that may be delivered at PASSIVE_LEVEL. Called with the lock held. */
static struct kmcl_incoming *kmcl_deliver_take(struct kmcl_recv *recv)
{
	struct kmcl_incoming *inc;

	if (!kmcl_recv_is_open(recv) || recv->failed)
		return NULL;
	inc = list_first_entry_or_null(&recv->passive, struct kmcl_incoming, node);
	if (!inc)
		return NULL;
	if (recv->outstanding >= READ_ONCE(recv->quota)) {
		recv->stalls[KMCL_STALL_QUOTA]++;
		return NULL;
	}
	list_del_init(&inc->node);
	return inc;
}

/*
 * From the work item, after a call: @over as it returned. What waits has been counted,
 * so here it is counted out, or becomes outstanding. Called with the lock held.
 */
static void kmcl_deliver_called(struct kmcl_recv *recv, struct kmcl_incoming *inc, u32 bytes,
				bool over)
{
	enum kmcl_fate fate = over ? KMCL_FATE_ANSWERED : kmcl_deliver_fate(recv);

	if (fate == KMCL_FATE_ANSWERED)
		kmcl_recv_add(&recv->client_bytes, -(ssize_t)bytes);
	else if (fate == KMCL_FATE_KEPT)
		WRITE_ONCE(recv->outstanding, recv->outstanding + 1);
	else
		kmcl_deliver_wait_first(recv, inc);
	if (over)
		kmcl_incoming_put_locked(inc);
	/*
	 * The reader may deliver the packet behind. Pairs with the acquire in
	 * kmcl_deliver(): the call is over.
	 */
	smp_store_release(&recv->waiting, recv->waiting - 1);
	if (!recv->waiting)
		kmcl_recv_changed(recv);
	kmcl_receive_wake(recv);
}

/* The work item has ended: is that because the client holds as much as it may? */
static noinline void kmcl_deliver_trace_quota(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_irq(&recv->lock);
	if (recv->outstanding >= READ_ONCE(recv->quota) && !list_empty(&recv->passive))
		trace_kmcl_quota_hit(chan);
	spin_unlock_irq(&recv->lock);
}

/* True: more is to be delivered, by another run. One hold of the lock a packet. */
static bool kmcl_deliver_passive(struct kmcl_channel *chan)
{
	u32 budget = KMCL_PASSIVE_BATCH, packets = 0, bytes;
	struct kmcl_recv *recv = &chan->recv;
	struct kmcl_incoming *inc;
	bool over;

	spin_lock_irq(&recv->lock);
	inc = kmcl_deliver_take(recv);
	spin_unlock_irq(&recv->lock);

	while (inc) {
		bytes = inc->bytes;
		over = kmcl_deliver_call(chan, inc, kmcl_incoming_flags(inc));
		packets++;
		budget--;
		if (!budget || list_empty(&recv->passive)) {
			kmcl_deliver_batch_end(chan, packets);
			packets = 0;
		}

		spin_lock_irq(&recv->lock);
		kmcl_deliver_called(recv, inc, bytes, over);
		inc = budget ? kmcl_deliver_take(recv) : NULL;
		spin_unlock_irq(&recv->lock);
	}
	kmcl_deliver_batch_end(chan, packets);
	if (trace_kmcl_quota_hit_enabled())
		kmcl_deliver_trace_quota(chan);
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
	WRITE_ONCE(chan->recv.quota, min_t(u32, Quota, INT_MAX));
	WRITE_ONCE(chan->recv.limit, SSIZE_MAX);
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
	unsigned long flags;

	if (!chan)
		return;

	spin_lock_irqsave(&chan->recv.lock, flags);
	WRITE_ONCE(chan->recv.at_passive, ProcessAtPassive);
	kmcl_recv_changed(&chan->recv);
	spin_unlock_irqrestore(&chan->recv.lock, flags);
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
