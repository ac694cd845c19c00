// SPDX-License-Identifier: GPL-2.0
/*
 * Sending packet objects: what a caller passes is checked, the packet taken, and
 * submitted with its payload and the memory that it describes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "data.h"

#define KMCL_FLAGS_WRONG	\
	"flags 0x%x; with external data ..._WAIT_FOR_COMPLETION is needed"

/* Checks the first three parameters, which all functions that send have. */
static __always_inline NTSTATUS kmcl_packet_check(struct kmcl_packet *pkt, const void *buffer,
						  u32 len)
{
	if (!pkt)
		return STATUS_INVALID_PARAMETER_1;
	if (len && !buffer)
		return STATUS_INVALID_PARAMETER_2;

	/* A packet has its limit from when it was made, the rings have today's. */
	if (len > pkt->max_len || len > READ_ONCE(pkt->chan->set.max_packet))
		return kmcl_explain(STATUS_INVALID_PARAMETER_3,
				    "a packet of %u bytes, of at most %u", len, pkt->max_len);
	return STATUS_SUCCESS;
}

/* A packet that described memory is as one that never did. */
void kmcl_packet_drop_memory(struct kmcl_packet *pkt)
{
	struct kmcl_out *out = &pkt->tx.out;

	if (unlikely(out->mapped))
		kmcl_bounce_unmap(pkt);
	out->type = KMCL_WIRE_DATA;
	out->gpa = NULL;
	out->gpa_len = 0;
}

/* The packet is the caller's again. Returns @status. */
NTSTATUS kmcl_packet_return(struct kmcl_packet *pkt, NTSTATUS status)
{
	if (pkt->tx.out.gpa)
		kmcl_packet_drop_memory(pkt);
	atomic_set_release(&pkt->state, KMCL_PACKET_IDLE);
	return status;
}

/*
 * Puts the pipe's header and the payload into the packet's own room: a ring takes
 * a payload in one piece.
 */
static const void *kmcl_packet_add_pipe_head(struct kmcl_packet *pkt,
					     const void *buffer, u32 len)
{
	struct kmcl_wire_pipe *pipe = pkt->tx.room;

	pipe->type = KMCL_WIRE_PIPE_DATA;
	pipe->len = len;
	memcpy(pipe + 1, buffer, len);
	return pipe;
}

/* In pipe mode a header goes before the payload. */
static __always_inline void kmcl_packet_add_head(struct kmcl_packet *pkt, const void **buffer,
						 u32 *len)
{
	if (unlikely(pkt->shape.pipe)) {
		*buffer = kmcl_packet_add_pipe_head(pkt, *buffer, *len);
		*len += pkt->shape.pipe;
	}
}

/* What the ring, or the queue, has to know of a packet without memory. */
static __always_inline void kmcl_packet_pack(struct kmcl_packet *pkt, u32 len, u32 flags)
{
	struct kmcl_out *out = &pkt->tx.out;

	BUILD_BUG_ON(VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION != KMCL_WIRE_WANT_COMPLETION);
	out->flags = flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	out->len = len;
	out->id = 0;
}

/* The same for a packet that describes memory. False: it is too large with all headers. */
static __always_inline bool kmcl_packet_pack_memory(struct kmcl_packet *pkt,
						    const void **buffer, u32 len, u32 flags)
{
	struct kmcl_out *out = &pkt->tx.out;

	/* The descriptor counts in 16 bits. */
	if (out->gpa_len + pkt->shape.pipe + len > KMCL_WIRE_MAX)
		return false;

	kmcl_packet_add_head(pkt, buffer, &len);
	kmcl_packet_pack(pkt, len, flags);
	out->dir = DMA_BIDIRECTIONAL;
	if (unlikely(flags & KMCL_FORMAT_ONE_WAY))
		out->dir = flags & VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY ? DMA_FROM_DEVICE :
									    DMA_TO_DEVICE;
	return true;
}

/* The status for what became of a packet. On failure it is idle again. */
static NTSTATUS kmcl_packet_status(struct kmcl_packet *pkt, enum kmcl_tx_result result)
{
	switch (result) {
	case KMCL_TX_OVER:
	case KMCL_TX_PENDING:
		return STATUS_SUCCESS;
	case KMCL_TX_FULL:
		return kmcl_packet_return(pkt, STATUS_BUFFER_OVERFLOW);
	case KMCL_TX_GONE:
		return kmcl_packet_return(pkt, STATUS_DEVICE_REMOVED);
	case KMCL_TX_UNFIT:
		return kmcl_packet_return(pkt, STATUS_NOT_SUPPORTED);
	case KMCL_TX_REFUSED:
		break;
	}
	return kmcl_packet_return(pkt, STATUS_INVALID_DEVICE_STATE);
}

/* It has to wait, or the lock is needed for it. */
static noinline NTSTATUS kmcl_packet_submit(struct kmcl_packet *pkt, const void *buffer)
{
	enum kmcl_tx_result result;

	/* Its routine is waited for as those of all that have gone out. */
	kmcl_send_direct_begin();
	result = kmcl_tx_submit_locked(pkt->chan, &pkt->tx, buffer, true);
	if (result == KMCL_TX_OVER)
		kmcl_packet_sent(pkt);
	kmcl_send_direct_end();
	return result == KMCL_TX_OVER ? STATUS_SUCCESS : kmcl_packet_status(pkt, result);
}

/*
 * The next three send a packet that was checked and taken. They are functions of their
 * own, and the first two know what they write: that is 40 instructions less than one
 * for all.
 *
 * This one is over when the packet is in the ring.
 */
static noinline NTSTATUS kmcl_packet_send_plain(struct kmcl_packet *pkt, const void *buffer,
						u32 len)
{
	kmcl_packet_add_head(pkt, &buffer, &len);
	kmcl_send_direct_begin();
	if (likely(kmcl_send_direct(pkt->chan, buffer, len, 0, KMCL_WIRE_DATA))) {
		trace_kmcl_packet_sent(pkt->chan, 0, false, len - pkt->shape.pipe);
		kmcl_packet_sent(pkt);
		kmcl_send_direct_end();
		return STATUS_SUCCESS;
	}
	kmcl_send_direct_end();
	kmcl_packet_pack(pkt, len, 0);
	return kmcl_packet_submit(pkt, buffer);
}

/* This one is over when the other end has completed it. */
static noinline NTSTATUS kmcl_packet_send_wanting(struct kmcl_packet *pkt, const void *buffer,
						  u32 len)
{
	bool sent;

	kmcl_packet_add_head(pkt, &buffer, &len);
	kmcl_packet_pack(pkt, len, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	kmcl_send_direct_begin();
	sent = kmcl_tx_submit_direct(pkt->chan, &pkt->tx, buffer);
	kmcl_send_direct_end();
	return likely(sent) ? STATUS_SUCCESS : kmcl_packet_submit(pkt, buffer);
}

/* So is this one, whose memory is described already. */
static __always_inline NTSTATUS kmcl_packet_send_memory(struct kmcl_packet *pkt,
							const void *buffer, u32 len, u32 flags)
{
	bool sent;

	if (!kmcl_packet_pack_memory(pkt, &buffer, len, flags))
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_3);

	kmcl_send_direct_begin();
	sent = kmcl_tx_submit_direct(pkt->chan, &pkt->tx, buffer);
	kmcl_send_direct_end();
	return likely(sent) ? STATUS_SUCCESS : kmcl_packet_submit(pkt, buffer);
}

static noinline NTSTATUS kmcl_packet_send_mdl(struct kmcl_packet *pkt, const void *buffer,
					      u32 len, PMDL mdl, u32 flags)
{
	if (kmcl_external_whole(pkt, mdl))
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_4);
	return kmcl_packet_send_memory(pkt, buffer, len, flags);
}

/**
 * kmcl_packet_request() - send a packet without calling its completion routine
 * @pkt: the packet
 * @buffer: the payload
 * @len: bytes in @buffer
 * @mdl: memory that goes along, or NULL
 * @flags: VMBUS_CHANNEL_FORMAT_FLAG_*
 * @may_wait: whether the packet may be queued
 * @result: what became of the packet
 *
 * Return: as VmbChannelSendSynchronousRequest(), with STATUS_SUCCESS
 *  - where @result is KMCL_TX_OVER: it is over, and the caller's to return
 *  - else: its routine will run
 */
NTSTATUS kmcl_packet_request(struct kmcl_packet *pkt, const void *buffer, u32 len, PMDL mdl,
			     u32 flags, bool may_wait, enum kmcl_tx_result *result)
{
	NTSTATUS status;

	status = kmcl_packet_check(pkt, buffer, len);
	if (status)
		return status;
	status = kmcl_packet_take(pkt);
	if (status)
		return status;
	if (mdl) {
		if (kmcl_external_whole(pkt, mdl))
			return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_4);
		if (!kmcl_packet_pack_memory(pkt, &buffer, len, flags))
			return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_3);
	} else {
		kmcl_packet_add_head(pkt, &buffer, &len);
		kmcl_packet_pack(pkt, len, flags);
	}

	*result = kmcl_tx_submit(pkt->chan, &pkt->tx, buffer, may_wait);
	if (*result == KMCL_TX_OVER)
		trace_kmcl_packet_completed(pkt, 0, STATUS_SUCCESS, 0);
	return kmcl_packet_status(pkt, *result);
}

/**
 * VmbPacketSend() - send a packet
 * @PacketObject: the packet, with a completion routine and no transaction under
 *	way
 * @Buffer: the payload; the caller's again when this returns
 * @BufferLength: bytes in @Buffer; 0 is allowed
 * @ExternalDataMdl: chain of MDLs, locked, whose memory goes along; it stays
 *	untouched until the completion routine runs. Or NULL.
 * @Flags: VMBUS_CHANNEL_FORMAT_FLAG_*. With ..._WAIT_FOR_COMPLETION the
 *	transaction lasts until the other end's completion arrives, else until the
 *	packet is in the ring; external data needs it. ..._PAGED_BUFFER changes
 *	nothing, for kernel memory is not paged here, nor does
 *	..._FORCE_MDL_LENGTH, as there is no length. ..._DATA_IN_ONLY: the other end
 *	only writes the external data, and what is in it need not be preserved;
 *	..._DATA_OUT_ONLY: it only reads it. Not both (this project's decision);
 *	without external data, or where that need not be copied, they change nothing.
 *
 * While the ring is full or the channel not open, the packet waits in the
 * channel's queue, in order. Its completion routine runs exactly once, possibly
 * before this returns. Nothing is allocated.
 *
 * In a ring a packet takes 16 bytes and its payload; with external data 24, and 8 for
 * each MDL and for each page of 4096 bytes that it touches; on a pipe 8 more. That, to a
 * multiple of 8, is at most the 524,280 bytes of a VMBus packet, and with 8 bytes behind
 * it less than the ring without its control page. The rings of a client's channel hold
 * the largest packet of that channel; a server sends into a ring that its client has
 * sized.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS: sent or queued
 *
 *  Else nothing happened, and the completion routine does not run. The numbers are
 *  this project's decision:
 *
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_PARAMETER_2: a missing buffer
 *  - STATUS_INVALID_PARAMETER_3: @BufferLength is above the maximum packet size, that
 *    of the channel or that which the packet was made for; or, with all headers,
 *    above 524,280
 *  - STATUS_INVALID_PARAMETER_4: MDLs that are not locked, empty, or beyond what
 *    VmbChannelInitSetMaximumExternalData() allows, or allowed when the packet was
 *    made
 *  - STATUS_INVALID_PARAMETER_5: an unknown flag, ..._DATA_IN_ONLY and
 *    ..._DATA_OUT_ONLY at once, or external data without ..._WAIT_FOR_COMPLETION
 *  - STATUS_NOT_SUPPORTED: the transport cannot send such a packet: it cannot describe
 *    that memory, or the packet is larger than the ring. The log says so. A packet that
 *    was queued completes with this status.
 *  - STATUS_INVALID_DEVICE_STATE: no completion routine is set, the packet is under
 *    way or was made before pipe mode was set or unset, or the channel is being
 *    cleaned up
 */
NTSTATUS VmbPacketSend(VMBPACKET PacketObject, PVOID Buffer,
		       UINT32 BufferLength, PMDL ExternalDataMdl, UINT32 Flags)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);
	NTSTATUS status = kmcl_packet_check(pkt, Buffer, BufferLength);

	if (status)
		return status;
	if (!kmcl_flags_valid(Flags, ExternalDataMdl))
		return kmcl_explain(STATUS_INVALID_PARAMETER_5, KMCL_FLAGS_WRONG, Flags);

	status = kmcl_packet_take(pkt);
	if (status)
		return status;

	if (ExternalDataMdl)
		return kmcl_packet_send_mdl(pkt, Buffer, BufferLength, ExternalDataMdl, Flags);
	if (Flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION)
		return kmcl_packet_send_wanting(pkt, Buffer, BufferLength);
	return kmcl_packet_send_plain(pkt, Buffer, BufferLength);
}
EXPORT_SYMBOL_GPL(VmbPacketSend);

/**
 * VmbPacketSendWithExternalMdl() - send a packet with a part of an MDL's memory
 * @PacketObject: see VmbPacketSend(), also for @Buffer and @BufferLength
 * @Buffer: the payload
 * @BufferLength: bytes in @Buffer
 * @ExternalDataMdl: chain of MDLs, locked
 * @MdlOffset: bytes of the chain to leave out at its beginning
 * @MdlLength: bytes of the chain to send, or 0 for all that follow
 * @Flags: VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION is needed. With
 *	..._FORCE_MDL_LENGTH only the first MDL counts, and @MdlLength may exceed
 *	it up to the end of its last page.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as VmbPacketSend(), but:
 *
 *  - STATUS_INVALID_PARAMETER_4: MDLs that are missing, too
 *  - STATUS_INVALID_PARAMETER_5: @MdlOffset leads beyond the memory
 *  - STATUS_INVALID_PARAMETER_6: @MdlLength does
 *  - STATUS_INVALID_PARAMETER_7: wrong flags
 */
NTSTATUS VmbPacketSendWithExternalMdl(VMBPACKET PacketObject, PVOID Buffer,
				      UINT32 BufferLength, PMDL ExternalDataMdl,
				      UINT32 MdlOffset, UINT32 MdlLength,
				      UINT32 Flags)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);
	NTSTATUS status = kmcl_packet_check(pkt, Buffer, BufferLength);

	if (status)
		return status;
	if (!kmcl_flags_valid(Flags, true))
		return kmcl_explain(STATUS_INVALID_PARAMETER_7, KMCL_FLAGS_WRONG, Flags);

	status = kmcl_packet_take(pkt);
	if (status)
		return status;

	switch (kmcl_external_mdl(pkt, ExternalDataMdl, MdlOffset, MdlLength,
				  Flags & VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH)) {
	case KMCL_EXTERNAL_OK:
		return kmcl_packet_send_memory(pkt, Buffer, BufferLength, Flags);
	case KMCL_EXTERNAL_OFFSET:
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_5);
	case KMCL_EXTERNAL_LENGTH:
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_6);
	case KMCL_EXTERNAL_MEMORY:
		break;
	}
	return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_4);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalMdl);

/**
 * VmbPacketSendWithExternalPfns() - send a packet with pages of memory
 * @PacketObject: see VmbPacketSend(), also for @Buffer and @BufferLength
 * @Buffer: the payload
 * @BufferLength: bytes in @Buffer
 * @ExternalDataPfns: frame numbers of pages of 4096 bytes, which are sent as one
 *	piece; the array is the caller's again when this returns, the pages are
 *	when the completion routine runs
 * @PfnLength: entries in @ExternalDataPfns
 * @Flags: VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION is needed;
 *	..._FORCE_MDL_LENGTH changes nothing
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as VmbPacketSend(), but:
 *
 *  - STATUS_INVALID_PARAMETER_4: a missing array
 *  - STATUS_INVALID_PARAMETER_5: @PfnLength is 0 or beyond the limits
 *  - STATUS_INVALID_PARAMETER_6: wrong flags
 */
NTSTATUS VmbPacketSendWithExternalPfns(VMBPACKET PacketObject, PVOID Buffer,
				       UINT32 BufferLength,
				       PPFN_NUMBER ExternalDataPfns,
				       UINT32 PfnLength, UINT32 Flags)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);
	NTSTATUS status = kmcl_packet_check(pkt, Buffer, BufferLength);

	if (status)
		return status;
	if (!ExternalDataPfns)
		return STATUS_INVALID_PARAMETER_4;
	if (!kmcl_flags_valid(Flags, true))
		return kmcl_explain(STATUS_INVALID_PARAMETER_6, KMCL_FLAGS_WRONG, Flags);

	status = kmcl_packet_take(pkt);
	if (status)
		return status;

	if (kmcl_external_pfns(pkt, ExternalDataPfns, PfnLength))
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_5);
	return kmcl_packet_send_memory(pkt, Buffer, BufferLength, Flags);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalPfns);
