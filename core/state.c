// SPDX-License-Identifier: GPL-2.0
/*
 * The steps between a channel's states, each with its callbacks in order. Only
 * the channel's control worker calls them, so no two run at once.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>

#include "control.h"

/* Called with the control lock held. */
void kmcl_state_set(struct kmcl_channel *chan, enum kmcl_state to, enum kmcl_why why)
{
	struct kmcl_control *ctl = &chan->ctl;
	struct kmcl_change *change = &ctl->changes[ctl->n_changes++ % KMCL_CHANGES];

	lockdep_assert_held(&ctl->lock);
	trace_kmcl_state_changed(chan, ctl->state, to, why);
	change->at = local_clock();
	change->state = to;
	change->why = why;
	WRITE_ONCE(ctl->state, to);
}

/* Calls the callback that is set, of one of the two kinds, if any is. */
static void kmcl_state_tell(struct kmcl_channel *chan, void (*plain)(VMBCHANNEL),
			    void (*ex)(VMBCHANNEL, PVOID))
{
	if (plain)
		plain(kmcl_channel_handle(chan));
	else if (ex)
		ex(kmcl_channel_handle(chan), chan->set.state_ex.CallbackContext);
}

static NTSTATUS kmcl_state_tell_opened(struct kmcl_channel *chan)
{
	const struct kmcl_settings *set = &chan->set;

	if (set->state.EvtChannelOpened)
		return set->state.EvtChannelOpened(kmcl_channel_handle(chan));
	if (set->state_ex.EvtChannelOpened)
		return set->state_ex.EvtChannelOpened(kmcl_channel_handle(chan),
						      set->state_ex.CallbackContext);
	return STATUS_SUCCESS;
}

/* All that an opening needs memory for, but for what the client does. */
static int kmcl_state_connect(struct kmcl_channel *chan, struct kmcl_link_params *params)
{
	struct kmcl_link *link = chan->ctl.link;
	int ret;

	ret = kmcl_receive_prepare(chan);
	if (ret)
		return ret;
	ret = kmcl_send_prepare(chan);
	if (ret)
		goto free_spares;

	kmcl_settings_link_params(&chan->set, params);
	params->spare = &chan->spare_rings;
	kmcl_step(chan, KMCL_STEP_OPEN);
	ret = link->ops->open(link, params);
	if (ret)
		goto free_spares;
	return 0;

free_spares:
	kmcl_incoming_free_spares(chan);
	return ret;
}

/*
 * A channel that was open before may be a disk's that memory is swapped to. Then reclaim waits
 * for it, and an allocation that waits for reclaim never ends: the few pages come from the
 * system's reserves. Those have no large pieces, which can be waited for.
 */
static int kmcl_state_reconnect(struct kmcl_channel *chan, struct kmcl_link_params *params)
{
	unsigned int flags = memalloc_noreclaim_save();
	int ret = kmcl_state_connect(chan, params);

	memalloc_noreclaim_restore(flags);
	return ret == -ENOMEM ? kmcl_state_connect(chan, params) : ret;
}

/* Enabled -> Opened. On failure nothing is left of it but the link. */
NTSTATUS kmcl_state_open(struct kmcl_channel *chan)
{
	struct kmcl_link *link = chan->ctl.link;
	struct kmcl_link_params params;
	NTSTATUS status;
	int ret;

	WRITE_ONCE(chan->link, link);
	ret = chan->ctl.returns ? kmcl_state_reconnect(chan, &params) :
				  kmcl_state_connect(chan, &params);
	if (ret)
		goto fail;

	chan->ctl.returns = true;
	WRITE_ONCE(chan->recv.cpu, link->target_cpu);
	kmcl_gpadls_open(chan, link);
	ret = kmcl_restore_open(chan);
	if (ret) {
		status = kmcl_status_from_errno(ret);
		goto fail_open;
	}
	kmcl_subs_open(chan);
	kmcl_step(chan, KMCL_STEP_OPENED);
	status = kmcl_state_tell_opened(chan);
	if (!NT_SUCCESS(status)) {
		kmcl_warn(chan, "EvtChannelOpened failed with status %#x\n", status);
		goto fail_open;
	}

	/* The control page is none of the ring's data. */
	chan->send.ring_bytes = link->send_bytes ?: params.send_bytes - KMCL_WIRE_PAGE_SIZE;
	kmcl_bounce_open(chan);
	if (kmcl_save_opens(chan))
		kmcl_send_open(chan);
	if (chan->is_server)
		link->ops->opened(link);
	return STATUS_SUCCESS;

fail_open:
	kmcl_subs_close(chan);
	kmcl_deliver_drop_waiting(chan);
	kmcl_step(chan, KMCL_STEP_CLOSE);
	link->ops->close(link);
	kmcl_step(chan, KMCL_STEP_GPADLS);
	kmcl_gpadls_close(chan);
	kmcl_restore_abandon(chan);
	kmcl_receive_close(chan);
	WRITE_ONCE(chan->link, NULL);
	return status;

fail:
	WRITE_ONCE(chan->link, NULL);
	kmcl_warn(chan, "cannot open the channel: error %d\n", ret);
	return kmcl_status_from_errno(ret);
}

/* Opened -> Active. */
void kmcl_state_start(struct kmcl_channel *chan)
{
	const struct kmcl_settings *set = &chan->set;

	kmcl_save_over(chan);
	kmcl_step(chan, KMCL_STEP_STARTED);
	kmcl_state_tell(chan, set->state.EvtChannelStarted, set->state_ex.EvtChannelStarted);

	kmcl_receive_enable(chan);

	kmcl_step(chan, KMCL_STEP_POST_STARTED);
	kmcl_state_tell(chan, set->state.EvtChannelPostStarted,
			set->state_ex.EvtChannelPostStarted);
	kmcl_subs_start(chan);
}

/* Active -> Opened: what was read but not delivered stays for the next start. */
void kmcl_state_suspend(struct kmcl_channel *chan, bool closes)
{
	const struct kmcl_settings *set = &chan->set;
	struct kmcl_link *link = chan->ctl.link;

	/* Sub-channels first. */
	if (closes)
		kmcl_subs_close(chan);
	else
		kmcl_subs_pause(chan);

	kmcl_step(chan, KMCL_STEP_PROCESS);
	kmcl_receive_disable(chan);
	if (closes && link->ops->closing)
		link->ops->closing(link);

	kmcl_step(chan, KMCL_STEP_SUSPEND);
	kmcl_state_tell(chan, set->state.EvtChannelSuspend, set->state_ex.EvtChannelSuspend);

	kmcl_step(chan, KMCL_STEP_HELD);
	kmcl_deliver_wait_completed(chan);
	kmcl_receive_stop(chan);
}

/* What was refused from the other end since this was last said. */
static void kmcl_state_report_refused(struct kmcl_channel *chan)
{
	struct kmcl_counters *count = &chan->count;
	u64 stray = READ_ONCE(count->stray);
	u64 malformed = atomic64_read(&count->malformed);
	u64 unknown = atomic64_read(&count->unknown);

	if (stray + malformed + unknown == count->reported)
		return;
	count->reported = stray + malformed + unknown;
	kmcl_warn(chan, "the other end sent %llu stray completions, %llu malformed packets, %llu of unknown type\n",
		  stray, malformed, unknown);
}

/* How often a thread read on since this was last said. */
static void kmcl_state_report_throttled(struct kmcl_channel *chan)
{
	struct kmcl_counters *count = &chan->count;
	u64 throttled = atomic64_read(&count->throttled);

	if (throttled == count->throttled_reported)
		return;
	pr_info("%s: the share of a processor was used up %llu times, and a thread read on\n",
		kmcl_channel_name(chan), throttled - count->throttled_reported);
	count->throttled_reported = throttled;
}

/*
 * Opened -> closed. The link is closed before outgoing packets are completed:
 * until then the other end may still write to memory that they describe.
 */
void kmcl_state_close(struct kmcl_channel *chan)
{
	const struct kmcl_settings *set = &chan->set;
	struct kmcl_link *link = chan->ctl.link;
	u64 save = kmcl_save_parks(chan);

	/* Those of a paused channel are still open. */
	kmcl_subs_close(chan);
	kmcl_step(chan, KMCL_STEP_ROUTINES);
	kmcl_send_close(chan);
	/* The other end waits for its memory, and this one for that. */
	kmcl_deliver_drop_waiting(chan);
	kmcl_step(chan, KMCL_STEP_CLOSE);
	if (save)
		link->ops->park(link, save);
	else
		link->ops->close(link);
	kmcl_step(chan, KMCL_STEP_ROUTINES);
	kmcl_send_flush_link(chan, link);
	kmcl_step(chan, KMCL_STEP_ANSWERS);
	kmcl_receive_close(chan);
	WRITE_ONCE(chan->link, NULL);

	kmcl_control_set_closing(chan);
	kmcl_step(chan, KMCL_STEP_CLOSED);
	kmcl_state_tell(chan, set->state.EvtChannelClosed, set->state_ex.EvtChannelClosed);
	kmcl_step(chan, KMCL_STEP_GPADLS);
	kmcl_gpadls_close(chan);

	kmcl_state_report_refused(chan);
	kmcl_state_report_throttled(chan);
}
