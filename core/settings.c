// SPDX-License-Identifier: GPL-2.0
/*
 * The Init functions: what is set before a channel is enabled.
 *
 * They serialize with VmbChannelEnable() by the control lock, so a channel is
 * never enabled with half a setting.
 *
 * Context of all Init functions: PASSIVE_LEVEL on Windows; here up to DISPATCH_LEVEL.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "data.h"
#include "device.h"

/* Windows does not document its defaults; these are this project's. */
#define KMCL_DEFAULT_MAX_PACKET		4096
#define KMCL_DEFAULT_MAX_EXTERNAL	(128 * 1024)
#define KMCL_DEFAULT_MAX_CHAIN		8

/*
 * Freed packets that a channel keeps for the next VmbPacketAllocate(): as many as that,
 * in so many bytes, but one of any size.
 */
#define KMCL_PACKET_SPARES	64
#define KMCL_PACKET_SPARE_BYTES	SZ_1M

/* Unless set otherwise a ring has room for this many of the largest packets. */
#define KMCL_DEFAULT_RING_PACKETS	16

/* hv_vmbus allocates both rings at once, 4 MiB at most. */
#define KMCL_MAX_RING_PAGES		512u

void kmcl_settings_init(struct kmcl_settings *set)
{
	set->max_packet = KMCL_DEFAULT_MAX_PACKET;
	set->max_external = KMCL_DEFAULT_MAX_EXTERNAL;
	set->max_chain = KMCL_DEFAULT_MAX_CHAIN;
	set->any_instance = true;
}

/* Bytes of ranges in a packet's headers when it describes external data. */
static u32 kmcl_settings_range_bytes(const struct kmcl_settings *set)
{
	/* A buffer may begin with the last byte of a page and end with the first. */
	u64 chain = READ_ONCE(set->max_chain);
	u64 pages = READ_ONCE(set->max_external) / KMCL_WIRE_PAGE_SIZE + 2 * chain;
	u64 bytes = (pages + chain) * sizeof(u64);

	return min_t(u64, bytes, KMCL_WIRE_MAX);
}

/* Settings may be changed meanwhile: each is looked at once. */
void kmcl_settings_packet_shape(const struct kmcl_settings *set,
				struct kmcl_packet_shape *shape)
{
	shape->gpa = sizeof(struct kmcl_wire_gpa) + kmcl_settings_range_bytes(set);
	shape->pipe = kmcl_settings_is_pipe(set) ? sizeof(struct kmcl_wire_pipe) : 0;
	shape->payload = READ_ONCE(set->max_packet);
	shape->context = READ_ONCE(set->inline_context);
}

/* Packets made from now on have room for what is set. Called with the control lock held. */
static void kmcl_packets_set_shape(struct kmcl_channel *chan)
{
	struct kmcl_packets *packets = &chan->packets;
	struct kmcl_packet_shape shape;
	struct kmcl_packet *old, *next;
	unsigned long flags;

	kmcl_settings_packet_shape(&chan->set, &shape);
	if (!memcmp(&shape, &packets->shape, sizeof(shape)))
		return;

	spin_lock_irqsave(&packets->lock, flags);
	WRITE_ONCE(packets->shape.gpa, shape.gpa);
	WRITE_ONCE(packets->shape.pipe, shape.pipe);
	WRITE_ONCE(packets->shape.payload, shape.payload);
	WRITE_ONCE(packets->shape.context, shape.context);
	/* One that sees this sees the shape: pairs with the acquire in kmcl_packet_make(). */
	smp_store_release(&packets->changes, packets->changes + 1);
	packets->max_spares = clamp(KMCL_PACKET_SPARE_BYTES / kmcl_packet_size(&shape), 1,
				    KMCL_PACKET_SPARES);
	packets->spares = 0;
	old = packets->spare;
	packets->spare = NULL;
	spin_unlock_irqrestore(&packets->lock, flags);

	for (; old; old = next) {
		next = old->next;
		kfree(old);
	}
}

void kmcl_packets_init(struct kmcl_channel *chan)
{
	spin_lock_init(&chan->packets.lock);
	kmcl_packets_set_shape(chan);
}

static u32 kmcl_ring_bytes(const struct kmcl_packet_shape *shape, u32 pages)
{
	u32 largest = kmcl_wire_room(shape->gpa, shape->pipe + shape->payload);
	/* A ring that is full to the last byte would look empty: one byte more. */
	u32 least = DIV_ROUND_UP(largest + 1, KMCL_WIRE_PAGE_SIZE) + 1;

	if (!pages)
		pages = min(DIV_ROUND_UP(largest * KMCL_DEFAULT_RING_PACKETS,
					 KMCL_WIRE_PAGE_SIZE), 256u);

	return max(pages, least) * KMCL_WIRE_PAGE_SIZE;
}

void kmcl_settings_link_params(const struct kmcl_settings *set,
			       struct kmcl_link_params *p)
{
	struct kmcl_packet_shape shape;

	kmcl_settings_packet_shape(set, &shape);
	p->send_bytes = kmcl_ring_bytes(&shape, set->send_pages);
	p->recv_bytes = kmcl_ring_bytes(&shape, set->recv_pages);
	p->max_packet = shape.pipe + shape.payload;
	p->max_gpa = shape.gpa;
	p->pipe = shape.pipe;
	p->target_cpu = set->has_target_cpu ? set->target_cpu : -1;
}

/* Begin and end of every Init function. False: the channel is not disabled. */
bool kmcl_init_lock(struct kmcl_channel *chan, unsigned long *flags)
	__acquires(&chan->ctl.lock)
{
	spin_lock_irqsave(&chan->ctl.lock, *flags);
	return kmcl_control_is_disabled(chan);
}

NTSTATUS kmcl_init_unlock(struct kmcl_channel *chan, unsigned long flags,
			  bool may)
	__releases(&chan->ctl.lock)
{
	if (may)
		kmcl_packets_set_shape(chan);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
	return may ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_1;
}

/**
 * VmbChannelInitSetFlags() - set the flags of a channel
 * @Channel: a disabled channel
 * @Flags: VMBUS_CHANNEL_INIT_FLAG_*. ..._IS_PIPE: the offer is one of a pipe. Each
 *	packet's payload is preceded by a header with its length, which is added
 *	and removed on the way; so the exact length arrives.
 *
 * This project's decisions: completions have no such header; packet objects made
 * before must be made anew. A server's channel is one of a pipe by this flag or by
 * VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE, whichever is set.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: an unknown flag
 */
NTSTATUS VmbChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_INIT_FLAGS)
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	if (may)
		chan->set.flags = Flags;
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetFlags);

/**
 * VmbChannelInitSetMaximumPacketSize() - set the largest payload in the ring
 * @Channel: a disabled channel
 * @MaximumPacketSize: bytes, for both directions; 4096 unless set. The headers of
 *	pipe mode and of external data come on top of it, and all together cannot
 *	exceed a VMBus packet: see VmbPacketSend().
 *
 * The rings are made large enough for such packets. Packet objects made before
 * keep the size they were made for.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: 0, or (this project's decision) more than a VMBus
 *    packet can hold, 524,264 bytes
 */
NTSTATUS VmbChannelInitSetMaximumPacketSize(VMBCHANNEL Channel,
					    UINT32 MaximumPacketSize)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!MaximumPacketSize || MaximumPacketSize > KMCL_WIRE_MAX_PAYLOAD)
		return kmcl_explain(STATUS_INVALID_PARAMETER_2, "%u bytes, of 1 to %u",
				    MaximumPacketSize, (u32)KMCL_WIRE_MAX_PAYLOAD);

	may = kmcl_init_lock(chan, &flags);
	if (may)
		chan->set.max_packet = MaximumPacketSize;
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumPacketSize);

/**
 * VmbChannelInitSetMaximumExternalData() - set the largest external buffer
 * @Channel: a disabled channel
 * @DataSize: bytes; 128 KiB unless set
 * @ChainLength: MDLs in a chain; 8 unless set
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: @DataSize is 0
 *  - STATUS_INVALID_PARAMETER_3: @ChainLength is 0
 */
NTSTATUS VmbChannelInitSetMaximumExternalData(VMBCHANNEL Channel,
					      UINT32 DataSize,
					      UINT32 ChainLength)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!DataSize)
		return STATUS_INVALID_PARAMETER_2;
	if (!ChainLength)
		return STATUS_INVALID_PARAMETER_3;

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.max_external = DataSize;
		chan->set.max_chain = ChainLength;
	}
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumExternalData);

/**
 * VmbChannelInitSetClientContextSize() - set the size of the client's context
 * @Channel: a disabled channel
 * @ContextSize: bytes that each incoming packet carries for the client, see
 *	VmbChannelPacketGetClientContext(); 0 unless set
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: more than 64 KiB (this project's decision)
 */
NTSTATUS VmbChannelInitSetClientContextSize(VMBCHANNEL Channel,
					    UINT32 ContextSize)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (ContextSize > SZ_64K)
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	if (may)
		chan->set.client_context = ContextSize;
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetClientContextSize);

/**
 * VmbChannelInitSetInlinePacketContextSize() - have room in each outgoing packet
 * @Channel: a disabled channel
 * @InlineContextSize: bytes of the client's own in each packet object, 0 unless set;
 *	at most 64 KiB (this project's decision)
 *
 * VmbChannelSizeofPacket() counts them; packet objects made before have as many as was
 * set then.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: too large
 */
NTSTATUS VmbChannelInitSetInlinePacketContextSize(VMBCHANNEL Channel,
						  UINT32 InlineContextSize)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (InlineContextSize > SZ_64K)
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	if (may)
		WRITE_ONCE(chan->set.inline_context, InlineContextSize);
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetInlinePacketContextSize);

/**
 * VmbChannelInitSetMaximumPacketCount() - limit the packets under way
 * @Channel: a disabled channel
 * @PacketCount: how many packets that wait for a completion may be with the other end
 *	at once; there is no limit unless set (this project's decision)
 *
 * What is sent beyond it waits as if the ring were full, and so does what is sent behind
 * that. A packet without VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION is over when it
 * is in the ring, and does not count; nor does a synchronous request that was given up,
 * though the other end may still have it. Completions for the other end's packets do not
 * wait, for that may wait for them. Packets that wait already, for the channel to open,
 * are subject to it, but those that VmbPacketRestore() has put back to where they were
 * with the other end stay there. Has nothing to do with incoming packets: see
 * VmbChannelSetTransactionQuota().
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: 0
 */
NTSTATUS VmbChannelInitSetMaximumPacketCount(VMBCHANNEL Channel,
					     UINT32 PacketCount)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!PacketCount)
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	if (may)
		kmcl_queue_limit(chan, PacketCount);
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumPacketCount);

/**
 * VmbChannelInitSetFriendlyName() - name a channel for log lines
 * @Channel: a disabled channel
 * @FriendlyName: copied; characters that are not printable ASCII become '?', and
 *	those behind the 63rd are cut off (this project's decision)
 *
 * A channel is named once.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: @FriendlyName is NULL or has no buffer, or the channel
 *    has a name already
 */
NTSTATUS VmbChannelInitSetFriendlyName(VMBCHANNEL Channel,
				       PCUNICODE_STRING FriendlyName)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	char name[KMCL_NAME_MAX] = {};
	bool may, again = false;
	unsigned long flags;
	NTSTATUS status;
	u32 i, len;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!FriendlyName || (FriendlyName->Length && !FriendlyName->Buffer))
		return STATUS_INVALID_PARAMETER_2;

	len = min_t(u32, FriendlyName->Length / sizeof(WCHAR), sizeof(name) - 1);
	for (i = 0; i < len; i++) {
		WCHAR c = FriendlyName->Buffer[i];

		name[i] = c >= ' ' && c <= '~' ? c : '?';
	}

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		again = chan->set.named;
		if (!again)
			memcpy(chan->set.name, name, sizeof(name));
		chan->set.named = true;
	}
	status = kmcl_init_unlock(chan, flags, may);
	return again ? STATUS_INVALID_PARAMETER_2 : status;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetFriendlyName);

/**
 * VmbClientChannelInitSetRingBufferPageCount() - set the size of the rings
 * @Channel: a disabled client channel
 * @IncomingPageCount: pages of 4096 bytes from the other end to here
 * @OutgoingPageCount: pages from here to the other end
 *
 * This project's decision: a count includes the ring's control page, as the
 * ring sizes of Linux' own VMBus drivers do, and is raised where the largest
 * packet would not fit.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a server's, or a channel that is not
 *    disabled
 *  - STATUS_INVALID_PARAMETER_2: @IncomingPageCount is below 2 or above 512
 *  - STATUS_INVALID_PARAMETER_3: @OutgoingPageCount is
 */
NTSTATUS VmbClientChannelInitSetRingBufferPageCount(VMBCHANNEL Channel,
						    UINT32 IncomingPageCount,
						    UINT32 OutgoingPageCount)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan || chan->is_server)
		return STATUS_INVALID_PARAMETER_1;
	if (IncomingPageCount < 2 || IncomingPageCount > KMCL_MAX_RING_PAGES)
		return kmcl_explain(STATUS_INVALID_PARAMETER_2, "%u pages, of 2 to %u",
				    IncomingPageCount, (u32)KMCL_MAX_RING_PAGES);
	if (OutgoingPageCount < 2 || OutgoingPageCount > KMCL_MAX_RING_PAGES)
		return kmcl_explain(STATUS_INVALID_PARAMETER_3, "%u pages, of 2 to %u",
				    OutgoingPageCount, (u32)KMCL_MAX_RING_PAGES);

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.recv_pages = IncomingPageCount;
		chan->set.send_pages = OutgoingPageCount;
	}
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetRingBufferPageCount);

/**
 * VmbClientChannelInitSetTargetPnp() - set which offer to open
 * @Channel: a disabled client channel
 * @InterfaceType: the offer's class
 * @InterfaceInstance: the offer's instance, or NULL: if the channel's parent is a device
 *	of KMDF of that class, that device's offer (this project's decision), else any of
 *	the class
 * @PnpFailureCallback: called at PASSIVE_LEVEL when the device was found but
 *	connecting to it failed later, or NULL. With STATUS_SHARING_VIOLATION the
 *	device is held by another driver, which a log line names; the channel
 *	stays enabled and waits.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a server's, or a channel that is not
 *    disabled
 *  - STATUS_INVALID_PARAMETER_2: @InterfaceType is NULL
 */
NTSTATUS
VmbClientChannelInitSetTargetPnp(VMBCHANNEL Channel, LPCGUID InterfaceType,
				 LPCGUID InterfaceInstance,
				 PFN_VMB_CHANNEL_PNP_FAILURE PnpFailureCallback)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	const struct kmcl_device *device;
	const guid_t *instance = (const guid_t *)InterfaceInstance;
	unsigned long flags;
	bool may;

	if (!chan || chan->is_server)
		return STATUS_INVALID_PARAMETER_1;
	if (!InterfaceType)
		return STATUS_INVALID_PARAMETER_2;

	device = kmcl_device_of(chan->parent);
	if (!instance && device && guid_equal(&device->type, (const guid_t *)InterfaceType))
		instance = &device->instance;

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.has_target = true;
		memcpy(&chan->set.type, InterfaceType, sizeof(guid_t));
		chan->set.any_instance = !instance;
		guid_copy(&chan->set.instance, instance ?: &guid_null);
		chan->set.pnp_failure = PnpFailureCallback;
	}
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetTargetPnp);
