// SPDX-License-Identifier: GPL-2.0
/*
 * Channel objects: made, found by their handle, and disposed of.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "control.h"

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

	chan = kzalloc(sizeof(*chan), GFP_KERNEL);
	if (!chan)
		return STATUS_INSUFFICIENT_RESOURCES;

	chan->tag = KMCL_TAG_CHANNEL;
	chan->is_server = IsServer;
	kref_init(&chan->ref);
	chan->parent = get_device(Parent);
	INIT_LIST_HEAD(&chan->node);
	spin_lock_init(&chan->spare_lock);
	INIT_LIST_HEAD(&chan->spare);
	kmcl_settings_init(&chan->set);
	kmcl_control_init(chan);
	kmcl_watchdog_init(chan);
	kmcl_send_init(chan);
	kmcl_receive_init(chan);
	kmcl_gpadls_init(chan);
	kmcl_server_init(chan);

	*Channel = kmcl_channel_handle(chan);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelAllocate);

/**
 * VmbChannelCleanup() - dispose of a channel
 * @Channel: a disabled channel; invalid afterwards
 *
 * Packets that wait in the channel's queue complete with
 * STATUS_DEVICE_REMOVED before this returns. Where Windows' documentation
 * is silent, this project decided: an enabled channel is disabled first, with a
 * warning; packet objects from VmbPacketAllocate() may be freed later.
 *
 * Context: PASSIVE_LEVEL, not from a callback of the channel.
 */
VOID VmbChannelCleanup(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (!chan)
		return;

	if (WARN_ONCE(kmcl_control_is_self(chan),
		      "vmbkmcl: %s() in a callback of the channel\n", __func__))
		return;

	if (WARN_ONCE(!kmcl_control_is_disabled(chan),
		      "vmbkmcl: %s() on an enabled channel\n", __func__))
		kmcl_control_disable(chan);

	kmcl_restore_drop(chan);
	kmcl_save_end(chan);
	kmcl_send_end(chan);
	cancel_work_sync(&chan->ctl.work);
	kmcl_watchdog_end(chan);
	kmcl_receive_end(chan);
	kmcl_transactions_free(chan);
	put_device(chan->parent);
	chan->tag = KMCL_TAG_DEAD;
	kmcl_channel_put(chan);
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

	if (chan)
		WRITE_ONCE(chan->pointer, Pointer);
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
 *	one set as target (this project's decision), all zeroes for "any"
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
	spin_lock_irqsave(&chan->ctl.lock, flags);
	memcpy(Instance, chan->ctl.link ? &chan->ctl.link->instance :
					  &chan->set.instance, sizeof(guid_t));
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
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
