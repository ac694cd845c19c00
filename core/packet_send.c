// SPDX-License-Identifier: GPL-2.0
/*
 * Sending packet objects: what a caller passes is checked, the packet taken, and
 * submitted with its payload and the memory that it describes.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "data.h"

/* Checks the first three parameters, which all functions that send have. */
NTSTATUS kmcl_packet_check(struct kmcl_packet *pkt, const void *buffer, u32 len)
{
	if (!pkt)
		return STATUS_INVALID_PARAMETER_1;
	if (len && !buffer)
		return STATUS_INVALID_PARAMETER_2;

	/* A packet has its limit from when it was made, the rings have today's. */
	if (len > pkt->shape.payload ||
	    len > READ_ONCE(pkt->chan->set.max_packet) ||
	    pkt->shape.pipe + len > KMCL_WIRE_MAX_PAYLOAD)
		return STATUS_INVALID_PARAMETER_3;
	return STATUS_SUCCESS;
}

/* From here to its completion routine the packet is the library's. */
NTSTATUS kmcl_packet_take(struct kmcl_packet *pkt)
{
	/* Was the packet made before the channel became a pipe, or ceased to be one? */
	if (!!pkt->shape.pipe != kmcl_settings_is_pipe(&pkt->chan->set))
		return STATUS_INVALID_DEVICE_STATE;
	if (!READ_ONCE(pkt->routine) && !READ_ONCE(pkt->routine_ex))
		return STATUS_INVALID_DEVICE_STATE;

	/* Pairs with the release before the last send's completion routine. */
	if (atomic_cmpxchg_acquire(&pkt->state, KMCL_PACKET_IDLE,
				   KMCL_PACKET_BUSY) != KMCL_PACKET_IDLE)
		return STATUS_INVALID_DEVICE_STATE;

	pkt->tx.out.type = KMCL_WIRE_DATA;
	pkt->tx.out.id = 0;
	pkt->tx.out.gpa = NULL;
	pkt->tx.out.gpa_len = 0;
	pkt->tx.out.mapped = false;
	return STATUS_SUCCESS;
}

/* The packet is the caller's again. Returns @status. */
NTSTATUS kmcl_packet_return(struct kmcl_packet *pkt, NTSTATUS status)
{
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

/**
 * kmcl_packet_submit() - send a packet that was checked and taken
 * @pkt: the packet; its memory, if any, is described already
 * @buffer: the payload
 * @len: bytes in @buffer
 * @flags: VMBUS_CHANNEL_FORMAT_FLAG_*
 * @may_wait: whether the packet may be queued
 * @result: what became of the packet
 *
 * Return:
 *  - STATUS_SUCCESS: sent or queued, as @result says. With KMCL_TX_OVER the packet is
 *    the caller's to complete.
 *  - STATUS_INVALID_PARAMETER_3: too large with all headers
 *  - STATUS_BUFFER_OVERFLOW: it cannot go out at once, and must not be queued
 *  - STATUS_DEVICE_REMOVED: likewise, and it never could
 *  - STATUS_NOT_SUPPORTED: the transport cannot send such a packet
 *  - STATUS_INVALID_DEVICE_STATE: the channel is being cleaned up
 *
 *  On failure the packet is idle again.
 */
NTSTATUS kmcl_packet_submit(struct kmcl_packet *pkt, const void *buffer,
			    u32 len, u32 flags, bool may_wait,
			    enum kmcl_tx_result *result)
{
	u32 head = pkt->shape.pipe;
	struct kmcl_out *out = &pkt->tx.out;

	/* The descriptor counts in 16 bits. */
	if (out->gpa_len + head + len > KMCL_WIRE_MAX)
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_3);

	out->len = head + len;
	out->flags = flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION ?
		     KMCL_WIRE_WANT_COMPLETION : 0;
	out->dir = flags & VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY ? DMA_FROM_DEVICE :
		   flags & VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY ? DMA_TO_DEVICE :
		   DMA_BIDIRECTIONAL;
	if (head)
		buffer = kmcl_packet_add_pipe_head(pkt, buffer, len);

	*result = kmcl_tx_submit(pkt->chan, &pkt->tx, buffer, may_wait);
	switch (*result) {
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

static NTSTATUS kmcl_packet_send(struct kmcl_packet *pkt, const void *buffer,
				 u32 len, u32 flags)
{
	enum kmcl_tx_result result;
	NTSTATUS status;

	status = kmcl_packet_submit(pkt, buffer, len, flags, true, &result);
	if (NT_SUCCESS(status) && result == KMCL_TX_OVER)
		kmcl_packet_complete(pkt, STATUS_SUCCESS, NULL, 0);
	return status;
}

/* At most one of them says which way the data goes. */
#define KMCL_FORMAT_ONE_WAY	(VMBUS_CHANNEL_FORMAT_FLAG_DATA_IN_ONLY |	\
				 VMBUS_CHANNEL_FORMAT_FLAG_DATA_OUT_ONLY)

/* External memory is the other end's until its completion, which must be asked for. */
bool kmcl_flags_valid(u32 flags, bool external)
{
	return !(flags & ~VMBUS_CHANNEL_FORMAT_FLAGS) &&
	       (flags & KMCL_FORMAT_ONE_WAY) != KMCL_FORMAT_ONE_WAY &&
	       (!external ||
		flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
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
		return STATUS_INVALID_PARAMETER_5;

	status = kmcl_packet_take(pkt);
	if (status)
		return status;

	if (ExternalDataMdl &&
	    kmcl_external_mdl(pkt, ExternalDataMdl, 0, 0, false))
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_4);
	return kmcl_packet_send(pkt, Buffer, BufferLength, Flags);
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
		return STATUS_INVALID_PARAMETER_7;

	status = kmcl_packet_take(pkt);
	if (status)
		return status;

	switch (kmcl_external_mdl(pkt, ExternalDataMdl, MdlOffset, MdlLength,
				  Flags & VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH)) {
	case KMCL_EXTERNAL_OK:
		return kmcl_packet_send(pkt, Buffer, BufferLength, Flags);
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
		return STATUS_INVALID_PARAMETER_6;

	status = kmcl_packet_take(pkt);
	if (status)
		return status;

	if (kmcl_external_pfns(pkt, ExternalDataPfns, PfnLength))
		return kmcl_packet_return(pkt, STATUS_INVALID_PARAMETER_5);
	return kmcl_packet_send(pkt, Buffer, BufferLength, Flags);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalPfns);
