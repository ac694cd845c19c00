// SPDX-License-Identifier: GPL-2.0
/*
 * Servers: what only they set, and the names of their offers.
 *
 * A guest cannot offer channels to other partitions, so servers are for loopback
 * offers. An offer's name, class and instance, is taken from VmbChannelEnable()
 * until the channel is disabled.
 *
 * Context of all functions here: PASSIVE_LEVEL on Windows; here up to
 * DISPATCH_LEVEL.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "control.h"
#include "../pipe/pipe.h"

/* Guards the list. Taken inside a channel's control lock. */
static DEFINE_SPINLOCK(kmcl_claims_lock);
static LIST_HEAD(kmcl_claims);

void kmcl_server_init(struct kmcl_channel *chan)
{
	INIT_LIST_HEAD(&chan->server.node);
	INIT_LIST_HEAD(&chan->server.offer.node);
	mutex_init(&chan->server.save_lock);
}

/* False if the name is taken. Called with the control lock held. */
bool kmcl_server_claim(struct kmcl_channel *chan)
{
	struct kmcl_offer *offer = &chan->server.offer;
	struct kmcl_channel *other;
	bool free = true;

	lockdep_assert_held(&chan->ctl.lock);
	spin_lock(&kmcl_claims_lock);
	list_for_each_entry(other, &kmcl_claims, server.node) {
		if (guid_equal(&other->server.offer.type, &chan->set.type) &&
		    guid_equal(&other->server.offer.instance, &chan->set.instance))
			free = false;
	}
	if (free) {
		guid_copy(&offer->type, &chan->set.type);
		guid_copy(&offer->instance, &chan->set.instance);
		offer->pipe = kmcl_settings_is_pipe(&chan->set);
		list_add(&chan->server.node, &kmcl_claims);
		chan->server.claimed = true;
	}
	spin_unlock(&kmcl_claims_lock);
	return free;
}

/* Called with the control lock held. */
void kmcl_server_unclaim(struct kmcl_channel *chan)
{
	lockdep_assert_held(&chan->ctl.lock);
	if (!chan->server.claimed)
		return;

	chan->server.claimed = false;
	spin_lock(&kmcl_claims_lock);
	list_del_init(&chan->server.node);
	spin_unlock(&kmcl_claims_lock);
}

#define KMCL_SERVER_PUBLIC	(VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE | \
				 VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE)

/* The offer is made: user space may open it, if the server says so. For the worker. */
void kmcl_server_publish(struct kmcl_channel *chan)
{
	const struct kmcl_offer *offer = &chan->server.offer;
	struct kmcl_pipe_limits max = {
		.packet = chan->set.max_packet,
		.external = chan->set.max_external,
		.chain = chan->set.max_chain,
	};

	if ((chan->set.server_flags & KMCL_SERVER_PUBLIC) == KMCL_SERVER_PUBLIC)
		chan->server.pipe = kmcl_pipe_add(&offer->type, &offer->instance, &max);
}

/* The offer is about to be revoked. */
void kmcl_server_unpublish(struct kmcl_channel *chan)
{
	if (chan->server.pipe)
		kmcl_pipe_remove(chan->server.pipe);
	chan->server.pipe = NULL;
}

static __always_inline struct kmcl_channel *
kmcl_server_from_handle(VMBCHANNEL handle)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(handle);

	return chan && chan->is_server ? chan : NULL;
}

/**
 * VmbServerChannelInitSetFlags() - set the flags of a server channel
 * @Channel: a disabled server channel
 * @Flags: VMBUS_SERVER_CHANNEL_INIT_FLAG_*. ..._LOOPBACK_OFFER: the offer is for
 *	clients in this partition, the only kind there is here, so it is needed.
 *	..._OFFER_AS_PIPE: as VMBUS_CHANNEL_INIT_FLAG_IS_PIPE; a client has to
 *	expect a pipe, or its opening fails. ..._ENUMERATE_DEVICE_INTERFACE, together
 *	with that: as long as the offer is made, root can open the pipe as
 *	/dev/vmbkmcl/CLASS-INSTANCE (docs/loopback.md); without it the flag changes
 *	nothing. ..._FORCE_NEW_CHANNEL: a server that was restored does not go on with
 *	the client of the saved one, see VmbChannelRestoreFromBuffer().
 *	..._TLNPI_PROVIDER_OFFER is for a socket interface of Windows' own and has no
 *	meaning here.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a client's, or a channel that is not
 *    disabled
 *  - STATUS_INVALID_PARAMETER_2: an unknown flag
 */
NTSTATUS VmbServerChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags)
{
	struct kmcl_channel *chan = kmcl_server_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_SERVER_CHANNEL_INIT_FLAGS)
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	if (may)
		chan->set.server_flags = Flags;
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetFlags);

/**
 * VmbServerChannelInitSetMmioMegabytes() - have MMIO space set apart for a client
 * @Channel: a disabled server channel
 * @MmioMegabytes: how much, in units of 1 MiB
 * @MmioMegabytesOptional: how much more if there is
 *
 * Two ends in one kernel need no such space, and none is set apart: a client's
 * VmbChannelGetMmioSpace() tells 0, 0. The log says so, once.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a client's, or a channel that is not
 *    disabled
 *  - STATUS_INVALID_PARAMETER_2: both are 0
 */
NTSTATUS VmbServerChannelInitSetMmioMegabytes(VMBCHANNEL Channel,
					      UINT16 MmioMegabytes,
					      UINT16 MmioMegabytesOptional)
{
	struct kmcl_channel *chan = kmcl_server_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!MmioMegabytes && !MmioMegabytesOptional)
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	if (may)
		pr_info_once("a loopback offer has no MMIO space; its client is told of none\n");
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetMmioMegabytes);

/* Of the two kinds one is set, and the other is not any more. @chan: NULL for a bad handle */
static NTSTATUS kmcl_set_save(struct kmcl_channel *chan,
			      PFN_VMB_CHANNEL_SAVE_PACKET save,
			      PFN_VMB_CHANNEL_RESTORE_PACKET restore,
			      PVOID context,
			      PFN_VMB_CHANNEL_SAVE_PACKET_EX save_ex,
			      PFN_VMB_CHANNEL_RESTORE_PACKET_EX restore_ex)
{
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.save_packet = save;
		chan->set.restore_packet = restore;
		chan->set.save_context = context;
		chan->set.save_packet_ex = save_ex;
		chan->set.restore_packet_ex = restore_ex;
	}
	return kmcl_init_unlock(chan, flags, may);
}

/**
 * VmbServerChannelInitSetSaveRestorePacketCallbacks() - set what saves packets
 * @Channel: a disabled server channel
 * @SavePacket: called by VmbChannelSaveBegin() for each packet that was sent and is
 *	not complete: first with a size of 0, and if that call fails a second time,
 *	with as much room as the callback has asked for. Or NULL: the server has
 *	nothing to add to what the library saves.
 * @RestorePacket: called by VmbChannelRestoreFromBuffer() for each such packet;
 *	the callback allocates a packet and calls VmbPacketRestore(). Or NULL: a
 *	save that has packets cannot be restored.
 *
 * Both are called at PASSIVE_LEVEL. They must not disable, pause or clean up the
 * channel, nor save or restore it.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a client's, or a channel that is not
 *    disabled
 */
NTSTATUS
VmbServerChannelInitSetSaveRestorePacketCallbacks(VMBCHANNEL Channel,
						  PFN_VMB_CHANNEL_SAVE_PACKET SavePacket,
						  PFN_VMB_CHANNEL_RESTORE_PACKET RestorePacket)
{
	struct kmcl_channel *chan = kmcl_server_from_handle(Channel);

	return kmcl_set_save(chan, SavePacket, RestorePacket, NULL, NULL, NULL);
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetSaveRestorePacketCallbacks);

/**
 * VmbServerChannelInitSetSaveRestorePacketCallbacksEx() - the same, with a context
 * @Channel: a disabled server channel
 * @Context: anything of the caller's, which the callbacks get
 * @SavePacket: see VmbServerChannelInitSetSaveRestorePacketCallbacks()
 * @RestorePacket: likewise
 *
 * The last call of the two functions that returned STATUS_SUCCESS counts.
 *
 * Return: as VmbServerChannelInitSetSaveRestorePacketCallbacks().
 */
NTSTATUS
VmbServerChannelInitSetSaveRestorePacketCallbacksEx(VMBCHANNEL Channel, PVOID Context,
						    PFN_VMB_CHANNEL_SAVE_PACKET_EX SavePacket,
						    PFN_VMB_CHANNEL_RESTORE_PACKET_EX RestorePacket)
{
	struct kmcl_channel *chan = kmcl_server_from_handle(Channel);

	return kmcl_set_save(chan, NULL, NULL, Context, SavePacket, RestorePacket);
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetSaveRestorePacketCallbacksEx);

/**
 * VmbServerChannelInitSetTargetInterfaceId() - set what a server offers
 * @Channel: a disabled server channel
 * @InterfaceType: the offer's class
 * @InterfaceInstance: the offer's instance
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a client's, or a channel that is not
 *    disabled
 */
NTSTATUS VmbServerChannelInitSetTargetInterfaceId(VMBCHANNEL Channel,
						  GUID InterfaceType,
						  GUID InterfaceInstance)
{
	struct kmcl_channel *chan = kmcl_server_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.has_target = true;
		chan->set.any_instance = false;
		memcpy(&chan->set.type, &InterfaceType, sizeof(guid_t));
		memcpy(&chan->set.instance, &InterfaceInstance, sizeof(guid_t));
	}
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetInterfaceId);

/**
 * VmbServerChannelInitSetTargetVtl() - set which trust level a server offers to
 * @Channel: a disabled server channel
 * @TargetVtl: 0, the level that all clients of this kernel run in
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a client's, or a channel that is not
 *    disabled
 *  - STATUS_INVALID_PARAMETER_2: any other level
 */
NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL Channel, UINT8 TargetVtl)
{
	struct kmcl_channel *chan = kmcl_server_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (TargetVtl)
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetVtl);

/**
 * VmbServerChannelInitSetVmbusHandle() - set which bus a server offers on
 * @Channel: a disabled server channel
 * @VmbusHandle: NULL. On Windows other handles name the bus of a virtual machine, of
 *	which a guest has none.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a client's, or a channel that is not
 *    disabled
 *  - STATUS_NOT_SUPPORTED: any other handle, with a line in the log
 */
NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL Channel,
					    HANDLE VmbusHandle)
{
	struct kmcl_channel *chan = kmcl_server_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (VmbusHandle) {
		pr_warn_once("a guest has no bus of another virtual machine to offer channels on\n");
		return STATUS_NOT_SUPPORTED;
	}

	may = kmcl_init_lock(chan, &flags);
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetVmbusHandle);
