// SPDX-License-Identifier: GPL-2.0
/*
 * Channel objects: made, found by their handle, and disposed of.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "control.h"
#include "debugfs.h"

/* Makes a channel with default settings, disabled. */
static void kmcl_channel_init(struct kmcl_channel *chan, PDEVICE_OBJECT parent,
			      bool is_server, bool in_callers_memory)
{
	memset(chan, 0, sizeof(*chan));
	chan->tag = KMCL_TAG_CHANNEL;
	chan->is_server = is_server;
	chan->in_callers_memory = in_callers_memory;
	kref_init(&chan->ref);
	init_completion(&chan->unused);
	chan->parent = get_device(parent);
	INIT_LIST_HEAD(&chan->node);
	kmcl_settings_init(&chan->set);
	kmcl_packets_init(chan);
	kmcl_control_init(chan);
	kmcl_watchdog_init(chan);
	kmcl_send_init(chan);
	kmcl_receive_init(chan);
	kmcl_gpadls_init(chan);
	kmcl_server_init(chan);
	kmcl_subs_init(chan);
}

/**
 * VmbChannelAllocate() - make a channel
 * @Parent: the device on whose behalf the channel is used, or NULL; a
 *	reference is held until VmbChannelCleanup()
 * @IsServer: FALSE for a client endpoint, TRUE for a server endpoint
 * @Channel: the new channel, with default settings and disabled
 *
 * Context: PASSIVE_LEVEL.
 *
 * On Windows the parent is a DEVICE_OBJECT; here it is a struct device.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_3: @Channel is NULL
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS VmbChannelAllocate(PDEVICE_OBJECT Parent, BOOLEAN IsServer,
			    VMBCHANNEL *Channel)
{
	struct kmcl_channel *chan;

	if (!Channel)
		return STATUS_INVALID_PARAMETER_3;

	chan = kmalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan)
		return STATUS_INSUFFICIENT_RESOURCES;

	kmcl_channel_init(chan, Parent, IsServer, false);
	*Channel = kmcl_channel_handle(chan);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelAllocate);

/**
 * VmbSizeofChannel() - how large a channel is
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the bytes that VmbChannelInitialize() needs.
 */
ULONG VmbSizeofChannel(void)
{
	return sizeof(struct kmcl_channel);
}
EXPORT_SYMBOL_GPL(VmbSizeofChannel);

/**
 * VmbChannelInitialize() - make a channel in the caller's memory
 * @Parent: see VmbChannelAllocate()
 * @IsServer: see VmbChannelAllocate()
 * @Channel: non-pageable memory, aligned to 8 bytes, which is the channel's handle
 *	afterwards. VmbChannelCleanup() leaves it alone; it is the caller's again
 *	when that returns.
 * @BufferSize: size of that memory, at least VmbSizeofChannel()
 *
 * Bytes of the memory beyond VmbSizeofChannel() are never touched.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_3: @Channel is NULL or not aligned
 *  - STATUS_INVALID_PARAMETER_4: @BufferSize is too small
 */
NTSTATUS VmbChannelInitialize(PDEVICE_OBJECT Parent, BOOLEAN IsServer,
			      VMBCHANNEL Channel, ULONG BufferSize)
{
	struct kmcl_channel *chan = (struct kmcl_channel *)Channel;

	if (!chan || !IS_ALIGNED((unsigned long)chan, __alignof__(*chan)))
		return kmcl_explain(STATUS_INVALID_PARAMETER_3,
				    "memory at no multiple of %zu bytes", __alignof__(*chan));
	if (BufferSize < sizeof(*chan))
		return kmcl_explain(STATUS_INVALID_PARAMETER_4,
				    "%u bytes are less than VmbSizeofChannel()", BufferSize);

	kmcl_channel_init(chan, Parent, IsServer, true);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitialize);

/* Until the last reference is gone the memory is not the caller's again. */
static void kmcl_channel_wait_unused(struct kmcl_channel *chan)
{
	while (!wait_for_completion_timeout(&chan->unused,
					    msecs_to_jiffies(chan->ctl.patience_ms)))
		kmcl_warn(chan, "its memory is not given back: the client has %u packets that it has not freed\n",
			  READ_ONCE(chan->packets.out));
}

/**
 * VmbChannelCleanup() - dispose of a channel
 * @Channel: a disabled channel; invalid afterwards
 *
 * Packets that wait in the channel's queue complete with
 * STATUS_DEVICE_REMOVED before this returns. Where Windows' documentation
 * is silent, this project decided: an enabled channel is disabled first, with a
 * warning; packet objects from VmbPacketAllocate() may be freed later, but for a
 * channel in the caller's memory this waits until they are, which the log says after
 * 30 s.
 *
 * Context: PASSIVE_LEVEL, not from a callback of the channel.
 */
VOID VmbChannelCleanup(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	bool in_callers_memory;

	if (!chan)
		return;

	if (WARN_ONCE(kmcl_control_is_self(chan),
		      "vmbkmcl: %s() in a callback of the channel\n", __func__) ||
	    kmcl_subs_in_callback(chan, __func__))
		return;

	if (WARN_ONCE(!kmcl_control_is_disabled(chan),
		      "vmbkmcl: %s() on an enabled channel\n", __func__))
		kmcl_control_disable(chan);

	kmcl_debugfs_remove(chan);
	kmcl_subs_end(chan);
	kmcl_restore_drop(chan);
	kmcl_save_end(chan);
	kmcl_send_end(chan);
	cancel_work_sync(&chan->ctl.work);
	kmcl_watchdog_end(chan);
	kmcl_receive_end(chan);
	kmcl_spare_rings_free(&chan->spare_rings);
	put_device(chan->parent);
	chan->tag = KMCL_TAG_DEAD;
	in_callers_memory = chan->in_callers_memory;
	kmcl_channel_put(chan);
	if (in_callers_memory)
		kmcl_channel_wait_unused(chan);
}
EXPORT_SYMBOL_GPL(VmbChannelCleanup);

/**
 * VmbChannelSetPointer() - save a pointer with a channel
 * @Channel: the channel
 * @Pointer: anything of the caller's
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelSetPointer(VMBCHANNEL Channel, PVOID Pointer)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (!chan)
		return;
	/* Behind what it points to: pairs with the dependency of a reader's use of it. */
	smp_store_release(&chan->pointer, Pointer);
}
EXPORT_SYMBOL_GPL(VmbChannelSetPointer);

/**
 * VmbChannelGetPointer() - the pointer saved with a channel
 * @Channel: the channel
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: what VmbChannelSetPointer() saved last, else NULL.
 */
PVOID VmbChannelGetPointer(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	return chan ? READ_ONCE(chan->pointer) : NULL;
}
EXPORT_SYMBOL_GPL(VmbChannelGetPointer);

/**
 * VmbChannelGetInterfaceInstance() - which instance a channel is connected to
 * @Channel: the channel
 * @Instance: the instance GUID of the offer in use; where there is none, the
 *	one set as target (this project's decision), all zeroes for "any"; that of a
 *	sub-channel is its primary's
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelGetInterfaceInstance(VMBCHANNEL Channel, LPGUID Instance)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;

	if (!chan || !Instance)
		return;

	BUILD_BUG_ON(sizeof(*Instance) != sizeof(guid_t));
	spin_lock_irqsave(&kmcl_subs_lock, flags);
	if (chan->set.primary)
		chan = chan->set.primary;
	spin_lock(&chan->ctl.lock);
	memcpy(Instance, chan->ctl.link ? &chan->ctl.link->instance :
					  &chan->set.instance, sizeof(guid_t));
	spin_unlock(&chan->ctl.lock);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
}
EXPORT_SYMBOL_GPL(VmbChannelGetInterfaceInstance);

/**
 * VmbChannelGetMmioSpace() - the address space that the offer sets apart
 * @Channel: an open channel: from EvtChannelOpened to EvtChannelSuspend
 * @Address: its physical address
 * @Size: its bytes
 *
 * Both are 0 where the offer has none, the guest has no room for it (which is
 * said in the log), or the channel is not open: this project's decision.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelGetMmioSpace(VMBCHANNEL Channel, UINT64 *Address, UINT64 *Size)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_link *link;
	unsigned long flags;

	if (!Address || !Size)
		return;

	*Address = 0;
	*Size = 0;
	if (!chan)
		return;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	link = chan->ctl.link;
	if (link) {
		*Address = link->mmio_start;
		*Size = link->mmio_size;
	}
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}
EXPORT_SYMBOL_GPL(VmbChannelGetMmioSpace);

/**
 * VmbChannelGetTargetDeviceObject() - the device that a channel belongs to
 * @Channel: the channel
 * @TargetDeviceObject: the device of the offer in use, a struct device; NULL where there
 *	is none: on loopback, or where the channel is connected to no offer
 *
 * This project's decision: no reference is taken; the device is there from
 * EvtChannelOpened until EvtChannelClosed returns.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelGetTargetDeviceObject(VMBCHANNEL Channel,
				     PDEVICE_OBJECT *TargetDeviceObject)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;

	if (!TargetDeviceObject)
		return;

	*TargetDeviceObject = NULL;
	if (!chan)
		return;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	if (chan->ctl.link)
		*TargetDeviceObject = chan->ctl.link->device;
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}
EXPORT_SYMBOL_GPL(VmbChannelGetTargetDeviceObject);

/**
 * VmbChannelGetParentDeviceObject() - the device on whose behalf a channel is used
 * @Channel: the channel
 * @ParentDeviceObject: what was given to VmbChannelAllocate() or
 *	VmbChannelInitialize(), or NULL
 *
 * This project's decision: no reference is taken; the channel has one until
 * VmbChannelCleanup().
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelGetParentDeviceObject(VMBCHANNEL Channel,
				     PDEVICE_OBJECT *ParentDeviceObject)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (ParentDeviceObject)
		*ParentDeviceObject = chan ? chan->parent : NULL;
}
EXPORT_SYMBOL_GPL(VmbChannelGetParentDeviceObject);

/**
 * kmcl_link_set_mmio() - an offer's MMIO space comes or goes
 * @link: accepted by kmcl_offer_arrived()
 * @start: its address
 * @size: its bytes; 0: there is none
 *
 * For @open and @close of a transport.
 */
void kmcl_link_set_mmio(struct kmcl_link *link, u64 start, u64 size)
{
	struct kmcl_control *ctl = &link->chan->ctl;
	unsigned long flags;

	spin_lock_irqsave(&ctl->lock, flags);
	link->mmio_start = start;
	link->mmio_size = size;
	spin_unlock_irqrestore(&ctl->lock, flags);
}
EXPORT_SYMBOL_GPL(kmcl_link_set_mmio);
