// SPDX-License-Identifier: GPL-2.0
/*
 * Synchronous requests: a packet of the channel's own, and a wait for the end of
 * its transaction. A caller that gives up waiting takes the packet back; what the
 * other end answers then finds nothing.
 */
#include <linux/export.h>

#include "data.h"

/* On the stack of the caller, which waits until it is over or taken back. */
struct kmcl_request {
	struct list_head node;		/* in kmcl_send.requests */
	struct kmcl_packet *pkt;	/* NULL if the other end keeps it */
	bool stays;			/* until the channel is closed */
	KEVENT over;
	NTSTATUS status;
	void *buffer;
	u32 size;
	u32 len;			/* of the completion */
};

/* The completion routine of such packets. */
static void kmcl_request_over(VMBPACKET packet, NTSTATUS status, PVOID buffer,
			      UINT32 len)
{
	struct kmcl_request *req = VmbPacketGetPointer(packet);

	req->status = status;
	req->len = len;
	memcpy(req->buffer, buffer, min(len, req->size));
	/* The last access: the caller may return at once. */
	KeSetEvent(&req->over, IO_NO_INCREMENT, FALSE);
}

/* The channel has been enabled. Called with the control lock held. */
void kmcl_requests_on(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	chan->send.takes_requests = true;
	spin_unlock_irqrestore(&chan->send.lock, flags);
}

/* No routine runs: but for one that the other end keeps, the packet is over. */
static void kmcl_request_trace(const struct kmcl_request *req, NTSTATUS status)
{
	if (req->pkt)
		trace_kmcl_packet_completed(req->pkt, req->pkt->tx.out.id, status, 0);
}

/* Ends a wait early. Called with kmcl_send.lock held; false if it has ended. */
static bool kmcl_request_end(struct kmcl_channel *chan, struct kmcl_request *req)
{
	/* One that is still queued has shown no memory to the other end. */
	if (!req->pkt || (req->stays && !req->pkt->tx.queued) ||
	    !kmcl_tx_cancel_locked(chan, &req->pkt))
		return false;

	/* Its sender, who may be writing it just now, takes the packet back. */
	req->status = STATUS_DEVICE_REMOVED;
	kmcl_request_trace(req, STATUS_DEVICE_REMOVED);
	return true;
}

/*
 * The channel is about to go away, which may wait for a caller of a request: in a
 * callback, or with an incoming packet that is not complete. So callers are not left
 * waiting for the other end, but for those whose memory it has, unless they are in a
 * callback themselves. Up to softirq context.
 */
void kmcl_requests_off(struct kmcl_channel *chan)
{
	struct kmcl_request *req;
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	chan->send.takes_requests = false;
	list_for_each_entry(req, &chan->send.requests, node) {
		/* It stays where it is until it has taken itself off the list. */
		if (kmcl_request_end(chan, req))
			KeSetEvent(&req->over, IO_NO_INCREMENT, FALSE);
	}
	spin_unlock_irqrestore(&chan->send.lock, flags);
}

static NTSTATUS kmcl_request_begin(struct kmcl_channel *chan,
				   struct kmcl_request *req)
{
	NTSTATUS status = STATUS_DEVICE_REMOVED;
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	if (chan->send.takes_requests) {
		list_add_tail(&req->node, &chan->send.requests);
		status = STATUS_SUCCESS;
	}
	spin_unlock_irqrestore(&chan->send.lock, flags);
	return status;
}

static void kmcl_request_finish(struct kmcl_channel *chan,
				struct kmcl_request *req)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->send.lock, flags);
	list_del(&req->node);
	spin_unlock_irqrestore(&chan->send.lock, flags);
}

/* It was submitted: did kmcl_requests_off() come too early to find it? */
static bool kmcl_request_is_late(struct kmcl_channel *chan,
				 struct kmcl_request *req)
{
	unsigned long flags;
	bool late;

	spin_lock_irqsave(&chan->send.lock, flags);
	late = !chan->send.takes_requests && kmcl_request_end(chan, req);
	spin_unlock_irqrestore(&chan->send.lock, flags);
	return late;
}

/* May the caller wait here, and can its wait end? */
static bool kmcl_request_may_wait(struct kmcl_channel *chan, u32 flags)
{
	bool waits = flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;

	if (WARN_ONCE(KeGetCurrentIrql() >= DISPATCH_LEVEL,
		      "vmbkmcl: a synchronous request that waits, at DISPATCH_LEVEL\n"))
		return false;

	/* In a state callback, with one of the two directions off until it returns? */
	if (!kmcl_control_is_worker(chan) ||
	    (READ_ONCE(chan->send.writable) &&
	     (!waits || kmcl_recv_is_open(&chan->recv))))
		return true;

	/* A link that is gone turns both off, after requests. Pairs with the locks there. */
	smp_rmb();
	return !WARN_ONCE(READ_ONCE(chan->send.takes_requests),
			  "vmbkmcl: a synchronous request in a callback that it waits for\n");
}

/* The packet was queued or waits for its completion. */
static NTSTATUS kmcl_request_wait(struct kmcl_channel *chan,
				  struct kmcl_request *req,
				  PLARGE_INTEGER timeout)
{
	NTSTATUS status;

	if (kmcl_request_is_late(chan, req))
		return req->status;

	status = KeWaitForSingleObject(&req->over, Executive, KernelMode, FALSE,
				       timeout);
	if (status == STATUS_TIMEOUT) {
		if (kmcl_tx_cancel(chan, &req->pkt)) {
			kmcl_request_trace(req, STATUS_CANCELLED);
			return STATUS_CANCELLED;
		}
		/* Its routine is about to run, or is running. */
		KeWaitForSingleObject(&req->over, Executive, KernelMode, FALSE,
				      NULL);
	}
	return req->status;
}

static NTSTATUS kmcl_request_send(struct kmcl_channel *chan,
				  struct kmcl_request *req, const void *buffer,
				  u32 len, PMDL mdl, u32 flags,
				  PLARGE_INTEGER timeout)
{
	bool may_queue = !timeout || timeout->QuadPart;
	enum kmcl_tx_result result;
	NTSTATUS status;

	status = kmcl_packet_request(req->pkt, buffer, len, mdl, flags, may_queue, &result);
	if (status)
		return status;
	if (result == KMCL_TX_OVER)
		return STATUS_SUCCESS;
	return kmcl_request_wait(chan, req, timeout);
}

/**
 * VmbChannelSendSynchronousRequest() - send a packet and wait until it is over
 * @Channel: the channel
 * @Buffer: the payload
 * @BufferSize: bytes in @Buffer
 * @ExternalDataMdl: chain of MDLs, locked, whose memory goes along, or NULL
 * @Flags: as for VmbPacketSend(). With ..._WAIT_FOR_COMPLETION the call returns
 *	when the other end's completion has come, else when the packet is in the
 *	ring.
 * @CompletionBuffer: for the completion's payload, or NULL
 * @CompletionBufferSize: bytes in @CompletionBuffer, a multiple of 8; on success,
 *	and with STATUS_BUFFER_TOO_SMALL, the bytes written to it, which are 0 if
 *	no completion was asked for. May be NULL where @CompletionBuffer is.
 * @Timeout: in units of 100 ns; negative from now on, positive in system time;
 *	NULL to wait for ever. 0: a packet that does not fit into the ring now is
 *	not queued, and a completion is not waited for.
 *
 * A server makes such requests only with *@Timeout 0 and without
 * ..._WAIT_FOR_COMPLETION.
 *
 * A packet that is given up is cancelled. The other end may have got it all the
 * same, and may still use the external memory until the channel is disabled.
 *
 * This project's decisions: a channel that is being disabled, or whose offer is
 * gone, ends the wait at once; where external memory went along, only when it has
 * been closed, unless the request is made in a callback. A channel that is
 * not enabled takes no requests. In a state callback that has to return before the
 * packet could go out or its completion come (any but EvtChannelPostStarted; without
 * a completion, EvtChannelStarted and EvtChannelSuspend too) a request that would
 * wait fails with a warning. In ProcessPacket, and for a caller that has yet to
 * complete an incoming packet, a completion may never come, so use a timeout there: it is behind
 * the data that the ring holds already, which is left there with a transaction quota
 * and behind 64 packets that wait for PASSIVE_LEVEL or for the channel to go on; and
 * a channel with memory under way closes only when all packets are complete.
 *
 * Context: PASSIVE_LEVEL. With *@Timeout 0 and without ..._WAIT_FOR_COMPLETION
 * up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_BUFFER_OVERFLOW: with *@Timeout 0, it could not go out at once and was not
 *    queued: the ring has no room, others wait for that, or the channel is not open
 *  - STATUS_CANCELLED: after the timeout
 *  - STATUS_DEVICE_REMOVED: the channel is not enabled or went away; with *@Timeout 0,
 *    the outgoing ring is unusable, too
 *
 *  This project's decisions:
 *
 *  - STATUS_BUFFER_TOO_SMALL: the completion was longer than @CompletionBuffer, which
 *    then holds its beginning
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_PARAMETER_2, _3, _4, _5: as VmbPacketSend(); _5 on a server's
 *    channel also ..._WAIT_FOR_COMPLETION
 *  - STATUS_INVALID_PARAMETER_7: a size that is missing or no multiple of 8
 *  - STATUS_INVALID_PARAMETER_8: a server's channel, and @Timeout is NULL or not 0
 *  - STATUS_INSUFFICIENT_RESOURCES
 *  - STATUS_NOT_SUPPORTED: as VmbPacketSend()
 *  - STATUS_INVALID_DEVICE_STATE: the caller must not wait, or the channel is being
 *    cleaned up
 */
NTSTATUS VmbChannelSendSynchronousRequest(VMBCHANNEL Channel, PVOID Buffer,
					  UINT32 BufferSize, PMDL ExternalDataMdl,
					  UINT32 Flags, PVOID CompletionBuffer,
					  PUINT32 CompletionBufferSize,
					  PLARGE_INTEGER Timeout)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_request req = { .buffer = CompletionBuffer };
	bool may_wait = Flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION ||
			!Timeout || Timeout->QuadPart;
	NTSTATUS status;
	VMBPACKET packet;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!kmcl_flags_valid(Flags, ExternalDataMdl))
		return kmcl_explain(STATUS_INVALID_PARAMETER_5,
				    "flags 0x%x; with an MDL ..._WAIT_FOR_COMPLETION is needed",
				    Flags);
	if (CompletionBuffer && !CompletionBufferSize)
		return kmcl_explain(STATUS_INVALID_PARAMETER_7,
				    "a completion buffer without a size");
	if (CompletionBufferSize) {
		if (!IS_ALIGNED(*CompletionBufferSize, 8))
			return kmcl_explain(STATUS_INVALID_PARAMETER_7,
					    "a completion buffer of %u bytes, no multiple of 8",
					    *CompletionBufferSize);
		if (CompletionBuffer)
			req.size = *CompletionBufferSize;
	}
	if (chan->is_server && Flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION)
		return kmcl_explain(STATUS_INVALID_PARAMETER_5,
				    "a server's request cannot wait for its completion");
	if (chan->is_server && may_wait)
		return kmcl_explain(STATUS_INVALID_PARAMETER_8,
				    "a server's request needs a timeout of 0");
	if (may_wait && !kmcl_request_may_wait(chan, Flags))
		return STATUS_INVALID_DEVICE_STATE;

	/* Not for memory that the client's own requests would free. */
	req.pkt = kmcl_packet_alloc(chan, may_wait ? GFP_NOIO : GFP_ATOMIC);
	if (!req.pkt)
		return STATUS_INSUFFICIENT_RESOURCES;

	KeInitializeEvent(&req.over, NotificationEvent, FALSE);
	packet = (VMBPACKET)req.pkt;
	VmbPacketSetPointer(packet, &req);
	VmbPacketSetCompletionRoutine(packet, kmcl_request_over);
	req.stays = ExternalDataMdl && !kmcl_control_is_self(chan);

	status = kmcl_request_begin(chan, &req);
	if (NT_SUCCESS(status)) {
		status = kmcl_request_send(chan, &req, Buffer, BufferSize,
					   ExternalDataMdl, Flags, Timeout);
		kmcl_request_finish(chan, &req);
	}
	if (req.pkt) {
		kmcl_packet_return(req.pkt, STATUS_SUCCESS);
		VmbPacketFree(packet);
	}

	if (status == STATUS_SUCCESS && CompletionBufferSize)
		*CompletionBufferSize = min(req.len, req.size);
	if (status == STATUS_SUCCESS && CompletionBuffer && req.len > req.size)
		status = STATUS_BUFFER_TOO_SMALL;
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelSendSynchronousRequest);
