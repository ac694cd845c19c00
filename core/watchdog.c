// SPDX-License-Identifier: GPL-2.0
/*
 * A line in the log where a channel's worker waits for long: in which step, and whose
 * turn it is. A close may take as long as the client or the other end likes, and
 * the caller of VmbChannelDisable() has to find out which of them it is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>

#include "control.h"

/* The first line comes after that long, others of the same step ten times as late. */
#define KMCL_PATIENCE_MS	30000

static const char * const kmcl_step_texts[] = {
	[KMCL_STEP_OPEN] = "the other end has not answered to the opening",
	[KMCL_STEP_OPENED] = "the client's EvtChannelOpened has not returned",
	[KMCL_STEP_STARTED] = "the client's EvtChannelStarted has not returned",
	[KMCL_STEP_POST_STARTED] = "the client's EvtChannelPostStarted has not returned",
	[KMCL_STEP_PROCESS] = "the client's ProcessPacket has not returned",
	[KMCL_STEP_SUSPEND] = "the client's EvtChannelSuspend has not returned",
	[KMCL_STEP_HELD] = "the client has not completed the packets that it holds",
	[KMCL_STEP_ROUTINES] = "completion routines of the client's have not returned",
	[KMCL_STEP_CLOSE] = "the other end has not let go of the rings",
	[KMCL_STEP_ANSWERS] = "completions that the client sends have not been written",
	[KMCL_STEP_CLOSED] = "the client's EvtChannelClosed has not returned",
	[KMCL_STEP_GPADLS] = "the other end has not let go of the client's GPADLs",
	[KMCL_STEP_PNP_FAILURE] = "the client's EvtChannelPnpFailure has not returned",
	[KMCL_STEP_SUBS_CLOSE] = "its sub-channels have not closed",
	[KMCL_STEP_SUBS_PAUSE] = "its sub-channels have not paused",
};

const char *kmcl_step_text(enum kmcl_step step)
{
	return kmcl_step_texts[step] ?: "";
}

static void kmcl_watchdog(struct work_struct *work)
{
	struct kmcl_channel *chan =
		container_of(to_delayed_work(work), struct kmcl_channel,
			     ctl.watchdog);
	enum kmcl_step step = READ_ONCE(chan->ctl.step);
	u32 held = READ_ONCE(chan->recv.outstanding);

	if (step == KMCL_STEP_NONE)
		return;
	kmcl_warn(chan, "the channel waits, for %u s now: %s (it holds %u)\n",
		  jiffies_to_msecs(jiffies - READ_ONCE(chan->ctl.step_began)) / 1000,
		  kmcl_step_texts[step], held);
	queue_delayed_work(kmcl_deliver_wq, &chan->ctl.watchdog,
			   msecs_to_jiffies(10 * chan->ctl.patience_ms));
}

/* The worker is about to wait in @step; KMCL_STEP_NONE: it does not wait. */
void kmcl_step(struct kmcl_channel *chan, enum kmcl_step step)
{
	WRITE_ONCE(chan->ctl.step_began, jiffies);
	WRITE_ONCE(chan->ctl.step, step);
	if (step == KMCL_STEP_NONE)
		cancel_delayed_work(&chan->ctl.watchdog);
	else
		mod_delayed_work(kmcl_deliver_wq, &chan->ctl.watchdog,
				 msecs_to_jiffies(chan->ctl.patience_ms));
}

void kmcl_watchdog_init(struct kmcl_channel *chan)
{
	INIT_DELAYED_WORK(&chan->ctl.watchdog, kmcl_watchdog);
	chan->ctl.patience_ms = KMCL_PATIENCE_MS;
}

/* The worker does not run any more. */
void kmcl_watchdog_end(struct kmcl_channel *chan)
{
	cancel_delayed_work_sync(&chan->ctl.watchdog);
}
