// SPDX-License-Identifier: GPL-2.0
/*
 * Incoming packets back from the client: completed, deferred or failed by it.
 *
 * Most are completed within their own ProcessPacket. That is left to the function that
 * calls it, which has the packet in its hand again and needs no lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/wait.h>

#include "data.h"

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

/* The short way was tried: see kmcl_incoming_answer_direct(). */
static enum kmcl_tx_result kmcl_incoming_submit(struct kmcl_incoming *inc,
						const void *buffer, u32 len,
						bool may_wait)
{
	struct kmcl_channel *chan = inc->chan;
	enum kmcl_tx_result result;

	inc->tx.out.len = len;
	result = kmcl_tx_submit_locked(chan, &inc->tx, buffer, may_wait);
	/* The sender waits for it, so that it comes matters more than what is in it. */
	if (result == KMCL_TX_UNFIT && len) {
		kmcl_tx_empty(chan, &inc->tx);
		result = kmcl_tx_submit_locked(chan, &inc->tx, NULL, true);
	}
	return result;
}

/*
 * Sends the completion, if it has to wait for nothing. The client's next packets come with
 * room for one as long.
 */
static __always_inline bool kmcl_incoming_answer_direct(struct kmcl_incoming *inc,
							const void *buffer, u32 len)
{
	struct kmcl_recv *recv = &inc->chan->recv;
	bool sent;

	if (unlikely(len > inc->pkt.len && len > READ_ONCE(recv->answer)))
		WRITE_ONCE(recv->answer, len);

	kmcl_send_direct_begin();
	sent = kmcl_send_direct(inc->chan, buffer, len, inc->pkt.head->id, KMCL_WIRE_COMPLETION);
	kmcl_send_direct_end();
	if (trace_kmcl_packet_sent_enabled() && sent)
		kmcl_trace_answer(inc, len);
	return sent;
}

/*
 * Sends the completion. True: it waits for room in the ring, and the packet with it.
 * One that is longer than its packet has room for waits in an object of its own.
 */
static noinline bool kmcl_incoming_answer(struct kmcl_incoming *inc, const void *buffer, u32 len)
{
	struct kmcl_channel *chan = inc->chan;
	struct kmcl_incoming *other;
	enum kmcl_tx_result result;

	inc->tx.out.id = inc->pkt.head->id;
	result = kmcl_incoming_submit(inc, buffer, len, len <= inc->pkt.room_len);
	if (likely(result != KMCL_TX_FULL && result != KMCL_TX_GONE))
		return result == KMCL_TX_PENDING;

	other = kmcl_incoming_for_answer(chan, inc->tx.out.id, len);
	if (!other) {
		kmcl_warn_ratelimited(chan, "a completion with %u bytes goes out empty: no memory to keep it in until the ring has room\n",
				      len);
		return kmcl_incoming_submit(inc, NULL, 0, true) == KMCL_TX_PENDING;
	}
	if (kmcl_incoming_submit(other, buffer, len, true) != KMCL_TX_PENDING)
		kmcl_incoming_put(other);
	return false;
}

/*
 * Does the caller run in the ProcessPacket that has this very packet, or in an interrupt of
 * it? The deliverer clears @deliverer before it looks at what the call has left.
 */
static bool kmcl_deliver_is_here(const struct kmcl_recv *recv,
				 const struct kmcl_incoming *inc)
{
	return READ_ONCE(recv->delivering) == inc && READ_ONCE(recv->deliverer) == current;
}

/* In its own function, lest the short way in VmbChannelPacketComplete() save registers. */
static noinline void kmcl_incoming_complete(struct kmcl_incoming *inc,
					    const void *buffer, u32 len)
{
	struct kmcl_channel *chan = inc->chan;
	struct kmcl_recv *recv = &chan->recv;
	bool here = kmcl_deliver_is_here(recv, inc);
	u32 bytes = inc->bytes;
	unsigned long flags;
	bool over = true;

	if (len && (!buffer || len > chan->set.max_packet)) {
		kmcl_warn_ratelimited(chan, "a completion with %u bytes goes out empty: %s\n",
				      len, buffer ? "above the maximum packet size" :
						    "no buffer");
		len = 0;
	}
	/* The sender may use the memory as soon as it has the completion. */
	kmcl_external_in_end(inc);
	if (inc->pkt.head->flags & KMCL_WIRE_WANT_COMPLETION &&
	    unlikely(!kmcl_incoming_answer_direct(inc, buffer, len)))
		over = !kmcl_incoming_answer(inc, buffer, len);

	if (likely(here)) {
		/* The deliverer sees to the rest. */
		if (likely(over))
			WRITE_ONCE(recv->delivering, NULL);
		else
			recv->fate = KMCL_FATE_ANSWERED;
		return;
	}

	spin_lock_irqsave(&recv->lock, flags);
	kmcl_deliver_taken_back(recv, bytes);
	if (over)
		kmcl_incoming_put_locked(inc);
	spin_unlock_irqrestore(&recv->lock, flags);
}

/* From the client, which may be done with a packet once. */
static bool kmcl_incoming_take_back(struct kmcl_incoming *inc)
{
	return atomic_xchg(&inc->state, KMCL_INCOMING_TAKEN_BACK) == KMCL_INCOMING_DELIVERED;
}

static noinline void kmcl_incoming_misused(void *caller)
{
	pr_err_ratelimited("%pS completes an incoming packet twice\n", caller);
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

	if (unlikely(!kmcl_incoming_take_back(inc))) {
		kmcl_incoming_misused(__builtin_return_address(0));
		return;
	}

	/* In the callback, and with nothing to be sent: the deliverer sees it there. */
	if (likely(!BufferSize && !inc->external &&
		   !(inc->pkt.head->flags & KMCL_WIRE_WANT_COMPLETION) &&
		   kmcl_deliver_is_here(&inc->chan->recv, inc))) {
		WRITE_ONCE(inc->chan->recv.delivering, NULL);
		return;
	}
	kmcl_incoming_complete(inc, Buffer, BufferSize);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketComplete);

/* Defers the packet that ProcessPacket is called with. False: it is not that one. */
bool kmcl_deliver_defer(struct kmcl_incoming *inc)
{
	struct kmcl_recv *recv = &inc->chan->recv;

	/* It is looked for when the callback returns: only the callback can ask. */
	if (!kmcl_deliver_is_here(recv, inc))
		return false;
	/* Not before the callback has returned. */
	if (kmcl_incoming_take_back(inc))
		recv->fate = KMCL_FATE_DEFERRED;
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
	bool here;

	if (!inc || !kmcl_incoming_take_back(inc))
		return;

	chan = inc->chan;
	trace_kmcl_refused(chan, "failed by the client", inc->pkt.head->id);
	kmcl_warn_ratelimited(chan, "the client failed a packet as malformed; nothing is received any more until the channel is disabled\n");

	kmcl_external_in_end(inc);
	here = kmcl_deliver_is_here(&chan->recv, inc);
	spin_lock_irqsave(&chan->recv.lock, flags);
	WRITE_ONCE(chan->recv.failed, true);
	kmcl_recv_changed(&chan->recv);
	if (here) {
		WRITE_ONCE(chan->recv.delivering, NULL);
	} else {
		kmcl_deliver_taken_back(&chan->recv, inc->bytes);
		kmcl_incoming_put_locked(inc);
	}
	spin_unlock_irqrestore(&chan->recv.lock, flags);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketFail);
