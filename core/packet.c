// SPDX-License-Identifier: GPL-2.0
/*
 * Packet objects: made, asked about, freed.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>

#include "data.h"

/* The client's own bytes. */
static void *kmcl_packet_context(struct kmcl_packet *pkt)
{
	return pkt->tx.room + ALIGN(pkt->shape.pipe + pkt->shape.payload, sizeof(u64));
}

/*
 * Makes a packet object as VmbPacketInitialize() hands it out. What a send sets before
 * anything looks at it is left as it is: to clear all of it costs 30 instructions more.
 */
static __always_inline void kmcl_packet_init(struct kmcl_packet *pkt, struct kmcl_channel *chan,
					     const struct kmcl_packet_shape *shape)
{
	pkt->tag = KMCL_TAG_PACKET;
	atomic_set(&pkt->state, KMCL_PACKET_IDLE);
	pkt->chan = chan;
	pkt->max_len = min(shape->payload, KMCL_WIRE_MAX_PAYLOAD - shape->pipe);
	pkt->allocated = false;
	pkt->abandoned = false;
	pkt->routine = NULL;
	pkt->routine_ex = NULL;
	pkt->pointer = NULL;
	pkt->tx.out.type = KMCL_WIRE_DATA;
	pkt->tx.out.dir = 0;
	pkt->tx.out.mapped = false;
	pkt->tx.out.gpa_len = 0;
	pkt->tx.out.gpa = NULL;
	pkt->tx.out.id = 0;
	pkt->tx.room = (void *)pkt->room + shape->gpa;
	pkt->tx.queued = false;
	pkt->tx.held = false;
	pkt->shape = *shape;
	if (shape->context)
		memset(kmcl_packet_context(pkt), 0, shape->context);
}

/* As kmcl_packet_init() leaves it, of one that was idle when it was freed. */
static __always_inline void kmcl_packet_renew(struct kmcl_packet *pkt)
{
	pkt->tag = KMCL_TAG_PACKET;
	pkt->routine_ex = NULL;
	pkt->pointer = NULL;
	pkt->tx.out.id = 0;
	if (pkt->shape.context)
		memset(kmcl_packet_context(pkt), 0, pkt->shape.context);
}

static __always_inline void kmcl_packet_free(struct kmcl_packet *pkt)
{
	struct kmcl_channel *chan = pkt->chan;
	struct kmcl_packets *packets = &chan->packets;
	unsigned long flags;
	bool keep, last;

	pkt->tag = KMCL_TAG_DEAD;

	spin_lock_irqsave(&packets->lock, flags);
	keep = packets->spares < packets->max_spares && pkt->changes == packets->changes;
	if (keep) {
		pkt->next = packets->spare;
		packets->spare = pkt;
		packets->spares++;
	}
	last = !--packets->out;
	spin_unlock_irqrestore(&packets->lock, flags);

	if (!keep)
		kfree(pkt);
	if (last)
		kmcl_channel_put(chan);
}

/* One less is the clients'. */
static void kmcl_packet_uncount(struct kmcl_channel *chan)
{
	unsigned long flags;
	bool last;

	spin_lock_irqsave(&chan->packets.lock, flags);
	last = !--chan->packets.out;
	spin_unlock_irqrestore(&chan->packets.lock, flags);
	if (last)
		kmcl_channel_put(chan);
}

/* Counts one more, and takes it from the spares if it can. */
static __always_inline struct kmcl_packet *kmcl_packet_spare(struct kmcl_channel *chan)
{
	struct kmcl_packets *packets = &chan->packets;
	struct kmcl_packet *pkt;
	unsigned long flags;

	spin_lock_irqsave(&packets->lock, flags);
	if (!packets->out++)
		kmcl_channel_get(chan);
	pkt = packets->spare;
	if (likely(pkt)) {
		packets->spare = pkt->next;
		packets->spares--;
	}
	spin_unlock_irqrestore(&packets->lock, flags);
	return pkt;
}

/* What a packet made now is to have room for. Settings may be changed meanwhile. */
static void kmcl_packet_shape(const struct kmcl_channel *chan,
			      struct kmcl_packet_shape *shape)
{
	shape->gpa = READ_ONCE(chan->packets.shape.gpa);
	shape->pipe = READ_ONCE(chan->packets.shape.pipe);
	shape->payload = READ_ONCE(chan->packets.shape.payload);
	shape->context = READ_ONCE(chan->packets.shape.context);
}

/* The completion routine of packets that the client set none for. */
static void kmcl_packet_default_routine(VMBPACKET handle, NTSTATUS status,
					PVOID buffer, UINT32 len)
{
	kmcl_packet_free((struct kmcl_packet *)handle);
}

static void kmcl_packet_abandoned_routine(VMBPACKET handle, NTSTATUS status,
					  PVOID buffer, UINT32 len)
{
	struct kmcl_packet *pkt = (struct kmcl_packet *)handle;

	/* A spare is taken for what it was. */
	pkt->abandoned = false;
	kmcl_packet_free(pkt);
}

/*
 * Nobody waits for the packet any more, but the other end has it: it is freed when it
 * is over. Called with the lock of the open transactions held, of which it is one.
 */
void kmcl_packet_abandon(struct kmcl_packet *pkt)
{
	pkt->abandoned = true;
	pkt->routine = kmcl_packet_abandoned_routine;
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
	struct kmcl_packet_shape shape;

	if (!chan)
		return 0;

	kmcl_packet_shape(chan, &shape);
	return kmcl_packet_size(&shape);
}
EXPORT_SYMBOL_GPL(VmbChannelSizeofPacket);

/**
 * VmbPacketInitialize() - make a packet object in the caller's memory
 * @Channel: the channel that the packet is for
 * @VmbPacket: non-pageable memory, aligned to 8 bytes. The memory stays the
 *	caller's and may be given back at any time when no transaction of the
 *	packet is under way.
 * @ByteCount: size of that memory, at least VmbChannelSizeofPacket()
 *
 * The packet has no completion routine: set one before sending it. Bytes of the
 * memory beyond VmbChannelSizeofPacket() are never touched.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_3: @ByteCount is too small
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_PARAMETER_2: @VmbPacket is NULL or not aligned
 */
NTSTATUS VmbPacketInitialize(VMBCHANNEL Channel, VMBPACKET VmbPacket,
			     UINT32 ByteCount)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_packet *pkt = (struct kmcl_packet *)VmbPacket;
	struct kmcl_packet_shape shape;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!pkt || !IS_ALIGNED((unsigned long)pkt, __alignof__(*pkt)))
		return kmcl_explain(STATUS_INVALID_PARAMETER_2,
				    "memory at no multiple of %zu bytes", __alignof__(*pkt));
	kmcl_packet_shape(chan, &shape);
	if (ByteCount < kmcl_packet_size(&shape))
		return kmcl_explain(STATUS_INVALID_PARAMETER_3,
				    "%u bytes are less than VmbPacketSizeof() of now", ByteCount);

	kmcl_packet_init(pkt, chan, &shape);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbPacketInitialize);

/* There was no spare. */
static struct kmcl_packet *kmcl_packet_make(struct kmcl_channel *chan, gfp_t gfp)
{
	/*
	 * Before the shape is read, which is no older then. Pairs with the release in
	 * kmcl_packets_set_shape().
	 */
	u32 changes = smp_load_acquire(&chan->packets.changes);
	struct kmcl_packet_shape shape;
	struct kmcl_packet *pkt;

	kmcl_packet_shape(chan, &shape);
	pkt = kmalloc(kmcl_packet_size(&shape), gfp | __GFP_NOWARN);
	if (!pkt)
		return NULL;

	kmcl_packet_init(pkt, chan, &shape);
	pkt->allocated = true;
	/* Not of the shape that comes later, so it is not kept then. */
	pkt->changes = changes;
	return pkt;
}

struct kmcl_packet *kmcl_packet_alloc(struct kmcl_channel *chan, gfp_t gfp)
{
	struct kmcl_packet *pkt = kmcl_packet_spare(chan);

	if (likely(pkt)) {
		kmcl_packet_renew(pkt);
	} else {
		pkt = kmcl_packet_make(chan, gfp);
		if (!pkt) {
			kmcl_packet_uncount(chan);
			return NULL;
		}
	}
	pkt->routine = kmcl_packet_default_routine;
	return pkt;
}

/**
 * VmbPacketAllocate() - take a packet object from the channel
 * @Channel: the channel that the packet is for
 *
 * The packet's completion routine frees it, unless the client sets another one.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the packet, or NULL where memory is short or the handle is bad.
 */
VMBPACKET VmbPacketAllocate(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	return chan ? (VMBPACKET)kmcl_packet_alloc(chan, GFP_ATOMIC) : NULL;
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

	if (!pkt->allocated || atomic_read(&pkt->state) != KMCL_PACKET_IDLE) {
		pr_err_ratelimited("%pS frees a packet that %s\n",
				   __builtin_return_address(0),
				   pkt->allocated ? "is being sent" : "is its own");
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
 * VmbPacketSetCompletionRoutine() - set what is called when a packet is complete
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

	if (!pkt)
		return;
	WRITE_ONCE(pkt->routine, CompletionRoutine);
	WRITE_ONCE(pkt->routine_ex, NULL);
}
EXPORT_SYMBOL_GPL(VmbPacketSetCompletionRoutine);

/**
 * VmbPacketSetCompletionRoutineEx() - the same, with a context
 * @PacketObject: the packet, with no transaction under way
 * @Context: anything of the caller's, which the routine gets
 * @CompletionRoutine: see VmbPacketSetCompletionRoutine()
 *
 * The last call of the two functions counts.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID
VmbPacketSetCompletionRoutineEx(VMBPACKET PacketObject, PVOID Context,
				PFN_VMB_PACKET_COMPLETION_ROUTINE_EX CompletionRoutine)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	if (!pkt)
		return;
	pkt->routine_context = Context;
	WRITE_ONCE(pkt->routine_ex, CompletionRoutine);
	WRITE_ONCE(pkt->routine, NULL);
}
EXPORT_SYMBOL_GPL(VmbPacketSetCompletionRoutineEx);

/**
 * VmbPacketGetInlinePacketContextPointer() - the client's own bytes in a packet
 * @PacketObject: the packet
 *
 * This project's decisions: they are aligned to 8 bytes, zeroed when the packet is
 * made, and not looked at by the library.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as many bytes as VmbChannelInitSetInlinePacketContextSize() had set when the
 * packet was made; NULL where there are none, or for a bad handle.
 */
PVOID VmbPacketGetInlinePacketContextPointer(VMBPACKET PacketObject)
{
	struct kmcl_packet *pkt = kmcl_packet_from_handle(PacketObject);

	return pkt && pkt->shape.context ? kmcl_packet_context(pkt) : NULL;
}
EXPORT_SYMBOL_GPL(VmbPacketGetInlinePacketContextPointer);
