// SPDX-License-Identifier: GPL-2.0
/*
 * Control: one worker per channel compares what was asked for with what is, and
 * takes one step after the other until the two agree.
 *
 * Enable, Disable, Start, Pause, an offer's arrival and its rescind only note
 * what they want and wake the worker; so they may come at any time, in any
 * order, from any number of threads. All state callbacks run in the worker,
 * hence at PASSIVE_LEVEL and never two at once for a channel.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>

#include "control.h"
#include "debugfs.h"

/* What was sent for an opening that does not come is over. */
static void kmcl_control_cancel(struct kmcl_channel *chan)
{
	unsigned long flags;

	kmcl_restore_drop(chan);
	kmcl_send_flush(chan);

	/* Only now may the channel be enabled again. */
	spin_lock_irqsave(&chan->ctl.lock, flags);
	WRITE_ONCE(chan->ctl.cancelled, false);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}

static void kmcl_control_set_state(struct kmcl_channel *chan, enum kmcl_state state,
				   enum kmcl_why why)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	kmcl_state_set(chan, state, why);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}

/* Why the channel is not to go on as it is, if so. Called with the lock held. */
static enum kmcl_why kmcl_control_why(const struct kmcl_channel *chan)
{
	const struct kmcl_control *ctl = &chan->ctl;

	if (!ctl->want_enabled)
		return KMCL_WHY_DISABLE;
	if (ctl->link_gone && ctl->stays_wanted)
		return KMCL_WHY_SLEEP;
	if (ctl->link_gone)
		return READ_ONCE(chan->send.broken) ? KMCL_WHY_BROKEN : KMCL_WHY_GONE;
	return ctl->want_paused ? KMCL_WHY_PAUSE : KMCL_WHY_PRIMARY_PAUSE;
}

static void kmcl_control_wait(struct kmcl_channel *chan, u64 ticket)
{
	/*
	 * Pairs with the worker's release: what it did has happened. A user's task in
	 * here may be frozen, for the worker may have to wait until it is thawed; and
	 * how long a client takes is no matter for the hung-task watchdog.
	 */
	___wait_event(chan->ctl.wait, smp_load_acquire(&chan->ctl.done) >= ticket,
		      (TASK_IDLE | TASK_FREEZABLE), 0, 0, schedule());
}

/* Not inlined: newer kernels warn once for each place in the code. */
static noinline bool kmcl_control_in_callback(struct kmcl_channel *chan,
					      const char *function)
{
	return WARN_ONCE(kmcl_control_is_self(chan),
			 "vmbkmcl: %s() in a callback that it waits for\n", function) ||
	       kmcl_subs_in_callback(chan, function);
}

static void kmcl_report_pnp_failure(struct kmcl_channel *chan, NTSTATUS status)
{
	kmcl_step(chan, KMCL_STEP_PNP_FAILURE);
	if (chan->set.pnp_failure)
		chan->set.pnp_failure(kmcl_channel_handle(chan), status);
}

/* The link is closed, or was not opened: the transport has it back. */
static void kmcl_control_drop_link(struct kmcl_channel *chan)
{
	struct kmcl_link *link;
	unsigned long flags;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	link = chan->ctl.link;
	WRITE_ONCE(chan->ctl.link, NULL);
	chan->ctl.link_used = false;
	chan->ctl.link_gone = false;
	spin_unlock_irqrestore(&chan->ctl.lock, flags);

	/* The transport may have taken back a link that was not used yet. */
	if (link)
		link->ops->release(link);
}

static void kmcl_control_to_disabled(struct kmcl_channel *chan, enum kmcl_why why)
{
	unsigned long flags;
	bool again;

	if (chan->is_server) {
		kmcl_server_unpublish(chan);
		kmcl_offer_revoke(chan);
	}
	kmcl_offer_list_del(chan);
	kmcl_control_drop_link(chan);
	/* If it is to be opened anew, each transport is asked anew. */
	chan->ctl.tried = 0;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	spin_lock(&chan->ctl.lock);
	again = chan->ctl.want_enabled &&
		(chan->ctl.reopen || chan->ctl.stays_wanted);
	WRITE_ONCE(chan->ctl.want_enabled, again);
	if (again)
		kmcl_requests_on(chan);
	kmcl_state_set(chan, KMCL_DISABLED, why);
	chan->ctl.closing = false;
	chan->ctl.reopen = false;
	chan->ctl.stays_wanted = false;
	chan->ctl.busy = false;
	chan->ctl.busy_noted = false;
	kmcl_server_unclaim(chan);
	if (!again)
		kmcl_sub_disabled(chan);
	spin_unlock(&chan->ctl.lock);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
}

/* A server's offer is there, for the first time or again. */
static void kmcl_control_offer(struct kmcl_channel *chan)
{
	/* Else it was named when it was claimed. */
	if (chan->sub.is_one)
		kmcl_sub_name_offer(chan);
	chan->server.offer.resume = kmcl_restore_id(chan);
	/* Before the offer is made: what the saved server's client has left is over. */
	if (chan->set.server_flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL)
		kmcl_restore_abandon(chan);
	if (kmcl_offer_make(chan) == -ENOENT) {
		kmcl_warn(chan, "the client has left since the channel was saved\n");
		kmcl_restore_abandon(chan);
	}
}

/* The client closed, or was refused: the server waits for the next one. */
static void kmcl_control_to_offered(struct kmcl_channel *chan, enum kmcl_why why)
{
	unsigned long flags;

	kmcl_control_drop_link(chan);

	spin_lock_irqsave(&chan->ctl.lock, flags);
	kmcl_state_set(chan, KMCL_ENABLED, why);
	if (chan->ctl.want_enabled)
		kmcl_requests_on(chan);
	chan->ctl.closing = false;
	chan->ctl.reopen = false;
	spin_unlock_irqrestore(&chan->ctl.lock, flags);

	kmcl_control_offer(chan);
}

static void kmcl_control_open(struct kmcl_channel *chan)
{
	NTSTATUS status;

	chan->instance = chan->ctl.link->instance;
	status = kmcl_state_open(chan);
	if (NT_SUCCESS(status)) {
		kmcl_control_set_state(chan, KMCL_OPENED, KMCL_WHY_OFFER);
		return;
	}

	if (chan->is_server) {
		kmcl_restore_abandon(chan);
		kmcl_control_to_offered(chan, KMCL_WHY_FAILED);
		return;
	}
	kmcl_requests_off(chan);
	kmcl_step(chan, KMCL_STEP_ROUTINES);
	kmcl_send_flush(chan);
	kmcl_control_to_disabled(chan, KMCL_WHY_FAILED);
	kmcl_report_pnp_failure(chan, status);
}

/* Tells the client that another driver holds the offer. Returns false if none does. */
static bool kmcl_control_tell_busy(struct kmcl_channel *chan)
{
	unsigned long flags;
	bool busy;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	busy = chan->ctl.busy && !chan->ctl.link;
	chan->ctl.busy = false;
	spin_unlock_irqrestore(&chan->ctl.lock, flags);

	if (busy)
		kmcl_report_pnp_failure(chan, STATUS_SHARING_VIOLATION);
	return busy;
}

/* Opens the offer that has come. Returns false if there is none. */
static bool kmcl_control_take_link(struct kmcl_channel *chan)
{
	unsigned long flags;
	bool offer, gone;

	/* From here on it is this worker that lets go of the link. */
	spin_lock_irqsave(&chan->ctl.lock, flags);
	offer = chan->ctl.link;
	gone = chan->ctl.link_gone;
	chan->ctl.link_used = offer;
	spin_unlock_irqrestore(&chan->ctl.lock, flags);

	if (offer && gone)
		kmcl_control_drop_link(chan);
	else if (offer)
		kmcl_control_open(chan);
	return offer;
}

/*
 * One step from where the channel is towards where it should be.
 * Returns false if it is there.
 */
static bool kmcl_control_step(struct kmcl_channel *chan)
{
	struct kmcl_control *ctl = &chan->ctl;
	bool enabled, paused, gone, cancelled;
	enum kmcl_state state;
	enum kmcl_why why;
	unsigned long flags;

	spin_lock_irqsave(&ctl->lock, flags);
	enabled = ctl->want_enabled;
	paused = ctl->want_paused || ctl->primary_paused;
	gone = ctl->link_gone;
	state = ctl->state;
	cancelled = ctl->cancelled;
	why = kmcl_control_why(chan);
	/* At once: a VmbChannelDisable() from here on must not find it disabled. */
	if (state == KMCL_DISABLED && enabled) {
		chan->instance = chan->set.instance;
		kmcl_state_set(chan, KMCL_ENABLED, KMCL_WHY_ENABLE);
	}
	spin_unlock_irqrestore(&ctl->lock, flags);

	switch (state) {
	case KMCL_DISABLED:
		if (cancelled)
			kmcl_control_cancel(chan);
		if (!enabled) {
			kmcl_offer_unwatch(chan);
			return false;
		}
		kmcl_debugfs_add(chan);
		if (chan->is_server) {
			kmcl_control_offer(chan);
			kmcl_server_publish(chan);
		} else {
			kmcl_offer_list_add(chan);
		}
		return true;

	case KMCL_ENABLED:
		if (!enabled) {
			/* Without a client there is nothing that could be left. */
			kmcl_save_parks(chan);
			kmcl_restore_drop(chan);
			kmcl_send_flush(chan);
			kmcl_control_to_disabled(chan, why);
			return true;
		}
		if (!chan->is_server && kmcl_offer_unwatched(chan) &&
		    kmcl_offer_watch(chan))
			return true;
		return kmcl_control_tell_busy(chan) ||
		       kmcl_control_take_link(chan);

	case KMCL_OPENED:
		if (!enabled || gone) {
			kmcl_state_close(chan);
			if (chan->is_server && enabled)
				kmcl_control_to_offered(chan, why);
			else
				kmcl_control_to_disabled(chan, why);
		} else if (!paused) {
			kmcl_state_start(chan);
			kmcl_control_set_state(chan, KMCL_ACTIVE, KMCL_WHY_START);
		} else {
			return false;
		}
		return true;

	case KMCL_ACTIVE:
		if (enabled && !gone && !paused)
			return false;
		kmcl_state_suspend(chan, !enabled || gone);
		kmcl_control_set_state(chan, KMCL_OPENED, why);
		return true;
	}
	return false;
}

/*
 * Memory may be being freed by what waits for the channel to open again: what is allocated
 * for that, also by the client, starts no I/O.
 */
static void kmcl_control_work(struct work_struct *work)
{
	struct kmcl_channel *chan =
		container_of(work, struct kmcl_channel, ctl.work);
	unsigned int noio = memalloc_noio_save();
	struct kmcl_control *ctl = &chan->ctl;
	unsigned long flags;
	u64 asked;

	WRITE_ONCE(ctl->task, current);
	do {
		spin_lock_irqsave(&ctl->lock, flags);
		asked = ctl->asked;
		spin_unlock_irqrestore(&ctl->lock, flags);
	} while (kmcl_control_step(chan));
	kmcl_step(chan, KMCL_STEP_NONE);
	WRITE_ONCE(ctl->task, NULL);
	memalloc_noio_restore(noio);

	/*
	 * Whoever this wakes may clean the channel up at once; VmbChannelCleanup()
	 * waits for this work to end before it lets go of the memory.
	 */
	smp_store_release(&ctl->done, asked);
	wake_up_all(&ctl->wait);
	kmcl_sub_wake_primary(chan);
}

void kmcl_control_init(struct kmcl_channel *chan)
{
	spin_lock_init(&chan->ctl.lock);
	init_waitqueue_head(&chan->ctl.wait);
	INIT_WORK(&chan->ctl.work, kmcl_control_work);
	INIT_WORK(&chan->send.hang_up, kmcl_link_broke);
}

/* Called with the locks of sub-channels and of control held. */
u64 kmcl_control_ask_disable(struct kmcl_channel *chan)
{
	lockdep_assert_held(&kmcl_subs_lock);
	/*
	 * The worker may not even have seen that it was to be enabled, or be past the
	 * point where it completes what was sent.
	 */
	if (chan->ctl.state != KMCL_DISABLED || chan->ctl.want_enabled)
		WRITE_ONCE(chan->ctl.cancelled, true);
	if (chan->ctl.state == KMCL_DISABLED && chan->ctl.want_enabled)
		kmcl_server_unclaim(chan);
	if (chan->ctl.state == KMCL_DISABLED)
		kmcl_sub_disabled(chan);
	WRITE_ONCE(chan->ctl.want_enabled, false);
	chan->ctl.reopen = false;
	chan->ctl.stays_wanted = false;
	kmcl_requests_off(chan);
	kmcl_receive_discard(chan);
	return kmcl_control_ask(chan);
}

void kmcl_control_disable(struct kmcl_channel *chan)
{
	unsigned long flags;
	u64 ticket;

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	/* Not only when the worker gets to it: it may be waiting for them. */
	kmcl_subs_ask_close(chan);
	spin_lock(&chan->ctl.lock);
	ticket = kmcl_control_ask_disable(chan);
	spin_unlock(&chan->ctl.lock);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);

	kmcl_control_wait(chan, ticket);
	if (!chan->is_server)
		kmcl_offer_settle(chan);
}

/* Called with the locks of sub-channels and of control held. */
static NTSTATUS kmcl_control_enable(struct kmcl_channel *chan)
{
	struct kmcl_control *ctl = &chan->ctl;
	NTSTATUS status = STATUS_SUCCESS;

	if (!chan->is_server && ctl->closing && ctl->want_enabled && !ctl->reopen) {
		ctl->reopen = true;
		return STATUS_SUCCESS;
	}
	if (!kmcl_control_is_disabled(chan))
		return STATUS_INVALID_DEVICE_STATE;

	if (chan->sub.is_one)
		status = kmcl_sub_enable(chan);
	else if (!chan->set.has_target)
		status = STATUS_INVALID_DEVICE_STATE;
	else if (chan->is_server && !kmcl_server_claim(chan))
		status = STATUS_OBJECT_NAME_COLLISION;
	if (!NT_SUCCESS(status))
		return status;

	WRITE_ONCE(ctl->want_enabled, true);
	if (chan->is_server)
		ctl->want_paused = true;
	kmcl_requests_on(chan);
	kmcl_control_ask(chan);
	return STATUS_SUCCESS;
}

/**
 * VmbChannelEnable() - enable a channel
 * @Channel: a disabled channel
 *
 * A client channel opens the offer that VmbClientChannelInitSetTargetPnp()
 * named, now or when it arrives. A server channel makes the offer that
 * VmbServerChannelInitSetTargetInterfaceId() named, for one client at a time, and
 * goes on offering it when that has closed, until it is disabled.
 *
 * This returns at once; the state callbacks tell how it goes on. A client channel
 * comes up active unless VmbChannelPause() was called before. A server channel is
 * paused until VmbChannelStart(): a client that opens it sees its own end start, and
 * what it sends waits. Once started it starts with each client that opens it, until it
 * is paused, or disabled and enabled anew. In EvtChannelClosed of a client, if the other
 * end went away, it asks for the next opening; while the channel is being disabled it
 * fails.
 *
 * Context: up to DISPATCH_LEVEL (Windows: PASSIVE_LEVEL).
 *
 * Return:
 *  - STATUS_SUCCESS
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_DEVICE_STATE: the channel is not disabled or has no target, or it is a
 *    sub-channel whose primary is not open
 *  - STATUS_OBJECT_NAME_COLLISION: another server makes the same offer; or another
 *    sub-channel of the primary with that index is enabled
 *  - STATUS_NOT_SUPPORTED: a server channel without
 *    VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER, with a line in the log, for a
 *    guest cannot offer channels to other partitions
 */
NTSTATUS VmbChannelEnable(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	NTSTATUS status;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;

	/* A sub-channel is offered where its primary is. */
	if (chan->is_server && !READ_ONCE(chan->sub.is_one) &&
	    !(READ_ONCE(chan->set.server_flags) &
	      VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER)) {
		kmcl_warn(chan, "a guest cannot offer channels to other partitions, only within itself (VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER)\n");
		return STATUS_NOT_SUPPORTED;
	}

	spin_lock_irqsave(&kmcl_subs_lock, flags);
	spin_lock(&chan->ctl.lock);
	status = kmcl_control_enable(chan);
	spin_unlock(&chan->ctl.lock);
	spin_unlock_irqrestore(&kmcl_subs_lock, flags);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelEnable);

/**
 * VmbChannelDisable() - disable a channel
 * @Channel: the channel
 *
 * Closes it, revokes a server's offer, and waits until all is torn down: the client
 * has completed the packets that it got, every packet it had sent is complete, with
 * STATUS_DEVICE_REMOVED if need be, EvtChannelSuspend and EvtChannelClosed have
 * run, and the device is free for another driver. Harmless on a disabled
 * channel.
 *
 * Context: PASSIVE_LEVEL, not from a state callback or ProcessPacket of the
 * channel.
 */
VOID VmbChannelDisable(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (!chan || kmcl_control_in_callback(chan, __func__))
		return;

	might_sleep();
	kmcl_control_disable(chan);
}
EXPORT_SYMBOL_GPL(VmbChannelDisable);

/**
 * VmbChannelPause() - pause a channel
 * @Channel: the channel
 *
 * On an active channel no more incoming packets are delivered; this returns when
 * EvtChannelSuspend has run and the client has completed every packet it holds.
 * It is the client that stops sending. This project's decisions: until this returns
 * completions for what it has sent come in, past as many as 64 packets of data (less
 * where memory is short), and then none before the next start; and a client channel
 * stays paused over VmbChannelDisable() and VmbChannelEnable(). One that is not open yet
 * comes up paused: opened, but not started.
 *
 * Context: PASSIVE_LEVEL, not from a state callback or ProcessPacket of the
 * channel.
 */
VOID VmbChannelPause(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	u64 ticket;

	if (!chan || kmcl_control_in_callback(chan, __func__))
		return;

	might_sleep();
	spin_lock_irqsave(&chan->ctl.lock, flags);
	chan->ctl.want_paused = true;
	ticket = kmcl_control_ask(chan);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);

	kmcl_control_wait(chan, ticket);
}
EXPORT_SYMBOL_GPL(VmbChannelPause);

/**
 * VmbChannelStart() - leave the paused state
 * @Channel: the channel
 *
 * Harmless on a channel that is not paused. A server calls it behind
 * VmbChannelEnable(), before or after a client has come. This project's decision: it
 * returns at once; EvtChannelStarted and EvtChannelPostStarted follow.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID VmbChannelStart(VMBCHANNEL Channel)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;

	if (!chan)
		return;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	chan->ctl.want_paused = false;
	kmcl_control_ask(chan);
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}
EXPORT_SYMBOL_GPL(VmbChannelStart);
