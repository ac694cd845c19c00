// SPDX-License-Identifier: GPL-2.0
/*
 * How much of a processor's time the receiving side may use in softirq context.
 *
 * What the reader takes is added up for each window of time. When the share of a window
 * is used up a work item reads on, in a thread that competes with others for a processor,
 * until the window is over. All else is as before: one reader at a time, with bottom
 * halves off, so packets keep their order and the client sees the same IRQL.
 *
 * Time is that of a clock: interrupts count, and where a softirq is a thread, as on
 * PREEMPT_RT, so does what preempts it. Both make the share smaller than what was set.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/export.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "data.h"

/*
 * Long enough for some batches of a share of 1 %, short enough to be no pause for
 * those that the softirq keeps waiting.
 */
#define KMCL_SHARE_WINDOW_NS	(10 * NSEC_PER_MSEC)

/* The share of a window, in ns. */
static u64 kmcl_share_allowed(u8 percent)
{
	return KMCL_SHARE_WINDOW_NS / 100 * percent;
}

/*
 * Is the time that softirq context has in this window over? Called by the reader. What
 * a batch has taken beyond that time is taken from the next windows.
 */
bool kmcl_share_spent(struct kmcl_share *share, u64 now)
{
	u8 percent = READ_ONCE(share->percent);
	u64 allowed = kmcl_share_allowed(percent);
	/* Another processor's clock may be a little behind. */
	s64 passed = now - share->began;

	if (passed >= (s64)KMCL_SHARE_WINDOW_NS) {
		u64 due = div_u64(passed, KMCL_SHARE_WINDOW_NS) * allowed;

		share->used -= min(share->used, due);
		share->began = now;
	}
	/* kmcl_receive_again() looks at it without being the reader. */
	WRITE_ONCE(share->spent, percent != KMCL_SHARE_ALL && share->used >= allowed);
	return share->spent;
}

/* The reader has taken that long. True: that was the rest of this window's share. */
bool kmcl_share_use(struct kmcl_share *share, u64 ns)
{
	u8 percent = READ_ONCE(share->percent);

	share->used += ns;
	if (percent == KMCL_SHARE_ALL || share->used < kmcl_share_allowed(percent))
		return false;
	/* As above. */
	WRITE_ONCE(share->spent, true);
	return true;
}

/* The channel is closed, and nothing reads. */
void kmcl_share_reset(struct kmcl_share *share)
{
	share->used = 0;
	WRITE_ONCE(share->spent, false);
}

/**
 * VmbChannelSetAllowableDpcCpuUsage() - limit the processing at DISPATCH_LEVEL
 * @Channel: the channel, in any state
 * @Percentage: of a processor's time, 1 to 100; anything else changes nothing, with a
 *	line in the log (this project's decision)
 *
 * Counted is the time in softirq context in which the channel reads its incoming ring:
 * ProcessPacket, and the completion routines of packets that the other end completes.
 * It is counted for the channel, on whichever processors that was, in windows of 10 ms;
 * what is taken beyond the share of one, because a call lasts, is taken from the next.
 *
 * This project's decision: when the share of a window is used up, a work item does the
 * same until that window is over, in a thread. ProcessPacket is still called at
 * DISPATCH_LEVEL, unless the channel wants PASSIVE_LEVEL, and in order; but the thread
 * shares its processor with others, on any processor, as the scheduler decides. The
 * channel counts how often that happens, and says so in the log when it closes.
 *
 * The default is 100, which is no limit (this project's decision): most clients' packets
 * take little time, and no clock is read for those that have set none.
 *
 * Context: up to DISPATCH_LEVEL, at any time; takes effect with the next batch of packets.
 */
VOID VmbChannelSetAllowableDpcCpuUsage(VMBCHANNEL Channel, UINT8 Percentage)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (!chan)
		return;
	if (!Percentage || Percentage > 100) {
		kmcl_warn_ratelimited(chan, "%u percent of a processor cannot be its share\n",
				      Percentage);
		return;
	}
	WRITE_ONCE(chan->recv.share.percent, Percentage);
}
EXPORT_SYMBOL_GPL(VmbChannelSetAllowableDpcCpuUsage);
