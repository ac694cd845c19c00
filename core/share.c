// SPDX-License-Identifier: GPL-2.0
/*
 * How much of a processor's time the receiving side may use in softirq context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "data.h"

/**
 * VmbChannelSetAllowableDpcCpuUsage() - limit the processing at DISPATCH_LEVEL
 * @Channel: the channel
 * @Percentage: of a processor's time, 1 to 100; anything else changes nothing, with a
 *	line in the log (this project's decision)
 *
 * Context: up to DISPATCH_LEVEL, at any time.
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
	WRITE_ONCE(chan->recv.share, Percentage);
}
EXPORT_SYMBOL_GPL(VmbChannelSetAllowableDpcCpuUsage);
