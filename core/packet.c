// SPDX-License-Identifier: GPL-2.0
/*
 * Packet objects: made, sent, freed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>

#include "kmcl.h"

/* Freed packets that a channel keeps for the next VmbPacketAllocate(). */
#define KMCL_PACKET_SPARES	64

static struct kmcl_packet *kmcl_packet_from_handle(VMBPACKET handle)
{
	struct kmcl_packet *pkt = (struct kmcl_packet *)handle;

	if (pkt && pkt->tag == KMCL_TAG_PACKET)
		return pkt;

	pr_err_ratelimited("%pS passed a handle that is no packet\n",
			   __builtin_return_address(0));
	return NULL;
}

static u32 kmcl_packet_size(u32 max_packet)
{
	return sizeof(struct kmcl_packet) + ALIGN(max_packet, sizeof(u64));
}

/* All that a packet object has but who made it. */
static void kmcl_packet_init(struct kmcl_packet *pkt, struct kmcl_channel *chan,
			     u32 max_packet)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->tag = KMCL_TAG_PACKET;
	atomic_set(&pkt->state, KMCL_PACKET_IDLE);
	pkt->chan = chan;
	pkt->max_packet = max_packet;
	pkt->tx.type = KMCL_WIRE_DATA;
	pkt->tx.room = pkt->room;
	INIT_LIST_HEAD(&pkt->tx.node);
	INIT_HLIST_NODE(&pkt->open);
}

static void kmcl_packet_free(struct kmcl_packet *pkt)
{
	struct kmcl_channel *chan = pkt->chan;
	unsigned long flags;
	bool keep;

	pkt->tag = KMCL_TAG_DEAD;

	spin_lock_irqsave(&chan->spare_lock, flags);
	keep = chan->spares < KMCL_PACKET_SPARES;
	if (keep) {
		list_add(&pkt->tx.node, &chan->spare);
		chan->spares++;
	}
	spin_unlock_irqrestore(&chan->spare_lock, flags);

	if (!keep)
		kfree(pkt);
	kmcl_channel_put(chan);
}

static struct kmcl_packet *kmcl_packet_spare(struct kmcl_channel *chan,
					     u32 max_packet)
{
	struct kmcl_packet *pkt;
	unsigned long flags;

	spin_lock_irqsave(&chan->spare_lock, flags);
	pkt = list_first_entry_or_null(&chan->spare, struct kmcl_packet, tx.node);
	if (pkt) {
		list_del(&pkt->tx.node);
		chan->spares--;
	}
	spin_unlock_irqrestore(&chan->spare_lock, flags);

	/* Made before the maximum packet size was changed. */
	if (pkt && pkt->max_packet != max_packet) {
		kfree(pkt);
		return NULL;
	}
	return pkt;
}

void kmcl_packet_drop_spares(struct kmcl_channel *chan)
{
	struct kmcl_packet *pkt, *next;

	list_for_each_entry_safe(pkt, next, &chan->spare, tx.node)
		kfree(pkt);
}

/* The completion routine of packets that the client set none for. */
static void kmcl_packet_default_routine(VMBPACKET handle, NTSTATUS status,
					PVOID buffer, UINT32 len)
{
	kmcl_packet_free((struct kmcl_packet *)handle);
}

/**
 * VmbChannelSizeofPacket() - how large a packet object is
 * @Channel: the channel
 *
 * The size follows from the channel's settings: it is stable once they are.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the bytes that VmbPacketInitialize() needs, more than the maximum
 * packet size and a pointer; 0 for a bad handle.
 */
UINT32 VmbChannelSizeofPacket(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	return chan ? kmcl_packet_size(READ_ONCE(chan->set.max_packet)) : 0;
}
EXPORT_SYMBOL_GPL(VmbChannelSizeofPacket);

/**
 * VmbPacketInitialize() - make a packet object in the caller's memory
 * @Channel: the channel that the packet is for
 * @VmbPacket: non-pageable memory, aligned to 8 bytes. It stays the caller's,
 *	who may give it back at any time when no transaction is under way.
 * @ByteCount: size of that memory, at least VmbChannelSizeofPacket()
 *
 * The packet has no completion routine: set one before sending it. Bytes of the
 * memory beyond VmbChannelSizeofPacket() are never touched.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: STATUS_SUCCESS; STATUS_INVALID_PARAMETER_3 where @ByteCount is too
 * small. This project's decisions: STATUS_INVALID_PARAMETER_1 for a bad
 * channel, STATUS_INVALID_PARAMETER_2 where @VmbPacket is NULL or not aligned.
 */
NTSTATUS VmbPacketInitialize(VMBCHANNEL Channel, VMBPACKET VmbPacket,
			     UINT32 ByteCount)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_packet *pkt = (struct kmcl_packet *)VmbPacket;
	u32 max_packet;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!pkt || !IS_ALIGNED((unsigned long)pkt, __alignof__(*pkt)))
		return STATUS_INVALID_PARAMETER_2;
	max_packet = READ_ONCE(chan->set.max_packet);
	if (ByteCount < kmcl_packet_size(max_packet))
		return STATUS_INVALID_PARAMETER_3;

	kmcl_packet_init(pkt, chan, max_packet);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbPacketInitialize);

/**
 * VmbPacketAllocate() - take a packet object from the channel
 * @Channel: the channel that the packet is for
 *
 * Its completion routine frees it, unless another one is set.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the packet, or NULL where memory is short or the handle is bad.
 */
VMBPACKET VmbPacketAllocate(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_packet *pkt;
	u32 max_packet;

	if (!chan)
		return NULL;

	max_packet = READ_ONCE(chan->set.max_packet);
	pkt = kmcl_packet_spare(chan, max_packet);
	if (!pkt)
		pkt = kmalloc(kmcl_packet_size(max_packet),
			      GFP_ATOMIC | __GFP_NOWARN);
	if (!pkt)
		return NULL;

	kmcl_packet_init(pkt, chan, max_packet);
	kmcl_channel_get(chan);
	pkt->ours = true;
	pkt->routine = kmcl_packet_default_routine;
	return (VMBPACKET)pkt;
}
EXPORT_SYMBOL_GPL(VmbPacketAllocate);

/**
 * VmbPacketFree() - give a packet object back to its channel
 * @PacketObject: from VmbPacketAllocate(), with no transaction under way
 *
 * This project's decision: a packet from VmbPacketInitialize() and one whose
 * transaction is under way are left alone, with a line in the log.
 *
 * Context: up to DISPATCH_LEVEL, also from its completion routine.
 */
VOID VmbPacketFree(VMBPACKET PacketObject)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	if (!pkt)
		return;

	if (!pkt->ours || atomic_read(&pkt->state) != KMCL_PACKET_IDLE) {
		pr_err_ratelimited("%pS frees a packet that %s\n",
				   __builtin_return_address(0),
				   pkt->ours ? "is being sent" : "is its own");
		return;
	}
	kmcl_packet_free(pkt);
}
EXPORT_SYMBOL_GPL(VmbPacketFree);

/**
 * VmbPacketGetChannel() - the channel that a packet is for
 * @PacketObject: the packet
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the channel; NULL for a bad handle.
 */
VMBCHANNEL VmbPacketGetChannel(VMBPACKET PacketObject)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	return pkt ? kmcl_channel_handle(pkt->chan) : NULL;
}
EXPORT_SYMBOL_GPL(VmbPacketGetChannel);

/**
 * VmbPacketSetPointer() - save a pointer with a packet
 * @PacketObject: the packet
 * @Pointer: anything of the caller's
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbPacketSetPointer(VMBPACKET PacketObject, PVOID Pointer)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	if (pkt)
		pkt->pointer = Pointer;
}
EXPORT_SYMBOL_GPL(VmbPacketSetPointer);

/**
 * VmbPacketGetPointer() - the pointer saved with a packet
 * @PacketObject: the packet
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: what VmbPacketSetPointer() saved last, else NULL.
 */
PVOID VmbPacketGetPointer(VMBPACKET PacketObject)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	return pkt ? pkt->pointer : NULL;
}
EXPORT_SYMBOL_GPL(VmbPacketGetPointer);

/**
 * VmbPacketSetCompletionRoutine() - set who learns that a packet is complete
 * @PacketObject: the packet, with no transaction under way
 * @CompletionRoutine: called up to DISPATCH_LEVEL, once for each send. The packet
 *	may be sent again or freed in it.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID
VmbPacketSetCompletionRoutine(VMBPACKET PacketObject,
			      PFN_VMB_PACKET_COMPLETION_ROUTINE CompletionRoutine)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	if (pkt)
		WRITE_ONCE(pkt->routine, CompletionRoutine);
}
EXPORT_SYMBOL_GPL(VmbPacketSetCompletionRoutine);

/**
 * VmbPacketSend() - send a packet
 * @PacketObject: the packet, with a completion routine and no transaction under
 *	way
 * @Buffer: the payload; the caller's again when this returns
 * @BufferLength: bytes in @Buffer; 0 is allowed
 * @ExternalDataMdl: NULL; external data is not supported yet
 * @Flags: VMBUS_CHANNEL_FORMAT_FLAG_*. With ..._WAIT_FOR_COMPLETION the
 *	transaction lasts until the other end's completion arrives, else until the
 *	packet is in the ring. ..._PAGED_BUFFER changes nothing, for kernel memory
 *	is not paged here.
 *
 * While the ring is full or the channel not open, the packet waits in the
 * channel's queue, in order. Its completion routine runs exactly once, possibly
 * before this returns. Nothing is allocated.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: STATUS_SUCCESS: sent or queued. Else nothing happened, and the
 * completion routine does not run. STATUS_INVALID_PARAMETER_1 for a bad handle,
 * _2 for a missing buffer, _3 where @BufferLength is above the maximum packet
 * size, _5 for an unknown flag; STATUS_NOT_SUPPORTED for external data;
 * STATUS_INVALID_DEVICE_STATE where no completion routine is set, the packet is
 * under way, or the channel is being cleaned up. The numbers are this project's decision.
 */
NTSTATUS VmbPacketSend(VMBPACKET PacketObject, PVOID Buffer,
		       UINT32 BufferLength, PMDL ExternalDataMdl, UINT32 Flags)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	if (!pkt)
		return STATUS_INVALID_PARAMETER_1;
	if (BufferLength && !Buffer)
		return STATUS_INVALID_PARAMETER_2;
	/* What the packet has room for, and what the channel's rings have. */
	if (BufferLength > pkt->max_packet ||
	    BufferLength > READ_ONCE(pkt->chan->set.max_packet))
		return STATUS_INVALID_PARAMETER_3;
	if (ExternalDataMdl)
		return STATUS_NOT_SUPPORTED;
	if (Flags & ~VMBUS_CHANNEL_FORMAT_FLAGS)
		return STATUS_INVALID_PARAMETER_5;
	if (!READ_ONCE(pkt->routine))
		return STATUS_INVALID_DEVICE_STATE;

	/* Pairs with the release before the last send's completion routine. */
	if (atomic_cmpxchg_acquire(&pkt->state, KMCL_PACKET_IDLE,
				   KMCL_PACKET_BUSY) != KMCL_PACKET_IDLE)
		return STATUS_INVALID_DEVICE_STATE;

	pkt->tx.len = BufferLength;
	pkt->tx.flags = Flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION ?
			KMCL_WIRE_WANT_COMPLETION : 0;

	switch (kmcl_tx_submit(pkt->chan, &pkt->tx, Buffer)) {
	case KMCL_TX_OVER:
		kmcl_packet_complete(pkt, STATUS_SUCCESS, NULL, 0);
		break;
	case KMCL_TX_PENDING:
		break;
	case KMCL_TX_REFUSED:
		atomic_set_release(&pkt->state, KMCL_PACKET_IDLE);
		return STATUS_INVALID_DEVICE_STATE;
	}
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbPacketSend);
