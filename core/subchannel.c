// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels: channels that live within the opening of another, their primary.
 *
 * A sub-channel has a worker, rings and callbacks of its own, and is opened like any
 * channel. What it shares with its primary is when: the primary's worker has its
 * sub-channels closed and disabled before it closes, and paused before it pauses, and
 * waits for their workers. A sub-channel's worker never waits for its primary's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/export.h>

#include "control.h"

/*
 * Guards who is whose primary, and kmcl_channel.subs and .sub. Channels' control locks
 * are taken in it, one at a time. Who is whose primary is written under the sub-channel's
 * control lock, too, so either lock does for reading it.
 */
DEFINE_SPINLOCK(kmcl_subs_lock);

void kmcl_subs_init(struct kmcl_channel *chan)
{
	INIT_LIST_HEAD(&chan->subs.list);
	INIT_LIST_HEAD(&chan->sub.node);
	init_waitqueue_head(&chan->subs.wait);
}

/* What a primary's worker wants of its sub-channels */

/* Returns whether none is enabled. */
static bool kmcl_subs_are_disabled(struct kmcl_channel *primary)
{
	struct kmcl_channel *chan;
	bool disabled = true;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	list_for_each_entry(chan, &primary->subs.list, sub.node)
		disabled &= !chan->sub.enabled;
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
	return disabled;
}

/* Returns whether each has done what it was last asked for, or is disabled. */
static bool kmcl_subs_have_done(struct kmcl_channel *primary)
{
	struct kmcl_channel *chan;
	bool done = true;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	list_for_each_entry(chan, &primary->subs.list, sub.node) {
		/* Pairs with the worker's release: what it did has happened. */
		u64 so_far = smp_load_acquire(&chan->ctl.done);

		done &= !chan->sub.enabled || so_far >= chan->sub.ticket;
	}
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
	return done;
}

/* Called with the lock held. */
static void kmcl_subs_set_paused(struct kmcl_channel *primary, bool paused)
{
	struct kmcl_channel *chan;

	lockdep_assert_held(&kmcl_subs_lock);
	primary->subs.paused = paused;
	list_for_each_entry(chan, &primary->subs.list, sub.node) {
		if (!chan->sub.enabled)
			continue;
		spin_lock(&chan->ctl.lock);
		chan->ctl.primary_paused = paused;
		chan->sub.ticket = kmcl_control_ask(chan);
		spin_unlock(&chan->ctl.lock);
	}
}

/* From now on the primary's client may enable sub-channels, which wait to be started. */
void kmcl_subs_open(struct kmcl_channel *primary)
{
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	primary->subs.open = true;
	primary->subs.paused = true;
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
}

/* The primary has started. */
void kmcl_subs_start(struct kmcl_channel *primary)
{
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	kmcl_subs_set_paused(primary, false);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
}

/* The primary is about to pause: returns when its sub-channels have. */
void kmcl_subs_pause(struct kmcl_channel *primary)
{
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	kmcl_subs_set_paused(primary, true);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);

	kmcl_step(primary, KMCL_STEP_SUBS_PAUSE);
	wait_event_idle(primary->subs.wait, kmcl_subs_have_done(primary));
}

/* The primary is to close: its sub-channels are told already. Called with the lock held. */
void kmcl_subs_ask_close(struct kmcl_channel *primary)
{
	struct kmcl_channel *chan;

	lockdep_assert_held(&kmcl_subs_lock);
	primary->subs.open = false;
	list_for_each_entry(chan, &primary->subs.list, sub.node) {
		if (!chan->sub.enabled)
			continue;
		spin_lock(&chan->ctl.lock);
		kmcl_control_ask_disable(chan);
		spin_unlock(&chan->ctl.lock);
	}
}

/* The primary is about to close: returns when its sub-channels have, and are disabled. */
void kmcl_subs_close(struct kmcl_channel *primary)
{
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	kmcl_subs_ask_close(primary);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);

	kmcl_step(primary, KMCL_STEP_SUBS_CLOSE);
	wait_event_idle(primary->subs.wait, kmcl_subs_are_disabled(primary));
}

/* In a callback of a sub-channel, for which the primary's worker would wait? */
static bool kmcl_subs_is_self(struct kmcl_channel *primary)
{
	struct kmcl_channel *chan;
	unsigned long flags;
	bool self = false;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	list_for_each_entry(chan, &primary->subs.list, sub.node)
		self |= chan->sub.enabled && kmcl_control_is_self(chan);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
	return self;
}

/* Not inlined: newer kernels warn once for each place in the code. */
noinline bool kmcl_subs_in_callback(struct kmcl_channel *primary, const char *function)
{
	return WARN_ONCE(kmcl_subs_is_self(primary),
			 "vmbkmcl: %s() of a primary, which waits for this callback of its sub-channel\n",
			 function);
}

/* What a sub-channel has to do with its primary */

/* Called with both locks held. */
NTSTATUS kmcl_sub_enable(struct kmcl_channel *chan)
{
	struct kmcl_channel *primary = chan->set.primary, *other;

	lockdep_assert_held(&kmcl_subs_lock);
	if (!primary || !primary->subs.open)
		return STATUS_INVALID_DEVICE_STATE;
	list_for_each_entry(other, &primary->subs.list, sub.node) {
		if (other->sub.enabled && other->set.sub_index == chan->set.sub_index)
			return STATUS_OBJECT_NAME_COLLISION;
	}

	/* As long as that is open its link stays. */
	guid_copy(&chan->set.type, &primary->ctl.link->type);
	guid_copy(&chan->set.instance, &primary->ctl.link->instance);
	chan->sub.enabled = true;
	chan->ctl.primary_paused = primary->subs.paused;
	return STATUS_SUCCESS;
}

/* The channel is disabled, or was before its worker saw it enabled. Both locks held. */
void kmcl_sub_disabled(struct kmcl_channel *chan)
{
	lockdep_assert_held(&kmcl_subs_lock);
	if (!chan->sub.enabled)
		return;
	chan->sub.enabled = false;
	wake_up_all(&chan->set.primary->subs.wait);
}

/* The channel's worker has done all that was asked for. */
void kmcl_sub_wake_primary(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	if (chan->set.primary)
		wake_up_all(&chan->set.primary->subs.wait);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
}

/* Is it the sub-channel with that index, of the channel with that link? Control lock held. */
bool kmcl_sub_takes(const struct kmcl_channel *chan, const struct kmcl_link *primary,
		    u16 index)
{
	return chan->set.primary && chan->set.sub_index == index &&
	       READ_ONCE(chan->set.primary->ctl.link) == primary;
}

/* The server's worker is about to make its offer: until it is disabled its primary stays. */
void kmcl_sub_name_offer(struct kmcl_channel *chan)
{
	struct kmcl_offer *offer = &chan->server.offer;

	guid_copy(&offer->type, &chan->set.type);
	guid_copy(&offer->instance, &chan->set.instance);
	offer->pipe = kmcl_settings_is_pipe(&chan->set);
	offer->primary = READ_ONCE(chan->set.primary->ctl.link);
	offer->sub_index = chan->set.sub_index;
}

/* Both locks held. */
static void kmcl_sub_leave(struct kmcl_channel *chan)
{
	list_del_init(&chan->sub.node);
	chan->set.primary = NULL;
}

/* Takes the channel from its primary. Returns that, or NULL. */
static struct kmcl_channel *kmcl_sub_detach(struct kmcl_channel *chan)
{
	struct kmcl_channel *primary;
	unsigned long flags;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	spin_lock(&chan->ctl.lock);
	primary = chan->set.primary;
	if (primary)
		kmcl_sub_leave(chan);
	spin_unlock(&chan->ctl.lock);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
	return primary;
}

/* Takes the channel's sub-channels from it, which have been disabled. */
static u32 kmcl_subs_detach(struct kmcl_channel *primary)
{
	struct kmcl_channel *chan, *next;
	unsigned long flags;
	u32 count = 0;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	list_for_each_entry_safe(chan, next, &primary->subs.list, sub.node) {
		spin_lock(&chan->ctl.lock);
		kmcl_sub_leave(chan);
		spin_unlock(&chan->ctl.lock);
		count++;
	}
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
	return count;
}

/* The channel, disabled, is cleaned up. */
void kmcl_subs_end(struct kmcl_channel *chan)
{
	struct kmcl_channel *primary = kmcl_sub_detach(chan);
	u32 subs = kmcl_subs_detach(chan);

	if (primary)
		kmcl_channel_put(primary);
	if (!subs)
		return;
	kmcl_warn(chan, "cleaned up before its %u sub-channels, which cannot be enabled any more\n",
		  subs);
	while (subs--)
		kmcl_channel_put(chan);
}

/* Called with the lock and the control lock held. */
static NTSTATUS kmcl_sub_attach(struct kmcl_channel *chan, struct kmcl_channel *primary,
				u16 index)
{
	if (!kmcl_control_is_disabled(chan) || !list_empty(&chan->subs.list))
		return STATUS_INVALID_PARAMETER_1;
	if (chan->set.primary || primary == chan || primary->set.primary ||
	    primary->is_server != chan->is_server)
		return STATUS_INVALID_PARAMETER_2;

	kmcl_channel_get(primary);
	chan->set.primary = primary;
	chan->set.sub_index = index;
	WRITE_ONCE(chan->sub.is_one, true);
	list_add_tail(&chan->sub.node, &primary->subs.list);
	return STATUS_SUCCESS;
}

/**
 * VmbChannelInitSetPrimaryChannel() - make a channel a sub-channel
 * @Channel: a disabled channel without sub-channels
 * @PrimaryChannel: the channel within whose openings it opens
 * @SubChannelIndex: which of the sub-channels of the primary's offer it opens or, a
 *	server's, is
 *
 * A sub-channel needs no target: class and instance are its primary's. It can be enabled
 * from the primary's EvtChannelOpened on until that closes; by then its client has asked
 * the host for sub-channels, in the device's own protocol. Enabled, it waits for the
 * sub-channel with that index, as long as that takes. It starts when its primary has
 * started, and is suspended before that is; what VmbChannelPause() and
 * VmbChannelStart() of the sub-channel itself ask for holds beside that. When the primary
 * closes, whatever for, its sub-channels close first, and are disabled: before the
 * primary's EvtChannelSuspend, or its EvtChannelClosed where it is paused. For the next
 * opening they are enabled anew. A sub-channel is not saved and restored. A primary is
 * cleaned up after its sub-channels.
 *
 * Context: PASSIVE_LEVEL. It waits for the channel's worker: in a state callback, of another
 * channel, only for a channel that was never enabled, paused or started.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled or has
 *    sub-channels
 *  - STATUS_INVALID_PARAMETER_2: it has a primary already; or (this project's decision) a
 *    bad handle, the channel itself, a sub-channel, a server for a client or the reverse
 *  - STATUS_INVALID_PARAMETER_3: the index is 0
 */
NTSTATUS VmbChannelInitSetPrimaryChannel(VMBCHANNEL Channel,
					 VMBCHANNEL PrimaryChannel,
					 UINT16 SubChannelIndex)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel), *primary;
	unsigned long flags;
	NTSTATUS status;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	primary = kmcl_channel_from_handle(PrimaryChannel);
	if (!primary)
		return STATUS_INVALID_PARAMETER_2;
	if (!SubChannelIndex)
		return STATUS_INVALID_PARAMETER_3;

	might_sleep();
	/* It must not run on in one queue while it is asked for in the other. */
	flush_work(&chan->ctl.work);
	spin_lock_irqsave(&kmcl_subs_lock, flags);
	spin_lock(&chan->ctl.lock);
	status = kmcl_sub_attach(chan, primary, SubChannelIndex);
	spin_unlock(&chan->ctl.lock);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetPrimaryChannel);

/**
 * VmbClientChannelInitSetTargetProcessorIndex() - set where a channel's interrupts come
 * @Channel: a disabled client channel
 * @ProcessorIndex: the number of a processor
 *
 * The host is told when the channel opens; packets are delivered on that processor,
 * unless at PASSIVE_LEVEL. Where it is offline by then, or isolated from such interrupts,
 * the channel opens on one of hv_vmbus' choice, with a line in the log. As long as it is
 * open the processor cannot be taken offline. On loopback, which has no interrupts,
 * packets are delivered there as well.
 *
 * Context: PASSIVE_LEVEL on Windows; here up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a server's, or a channel that is not
 *    disabled
 *  - STATUS_INVALID_PARAMETER_2: there can be no such processor
 */
NTSTATUS VmbClientChannelInitSetTargetProcessorIndex(VMBCHANNEL Channel,
						     ULONG ProcessorIndex)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan || chan->is_server)
		return STATUS_INVALID_PARAMETER_1;
	if (ProcessorIndex >= nr_cpu_ids || !cpu_possible(ProcessorIndex))
		return STATUS_INVALID_PARAMETER_2;

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.has_target_cpu = true;
		chan->set.target_cpu = ProcessorIndex;
	}
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetTargetProcessorIndex);
