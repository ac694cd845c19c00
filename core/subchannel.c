// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels of a primary channel, and on which processor a channel's interrupts
 * come.
 */
#include <linux/cpumask.h>
#include <linux/export.h>

#include "control.h"

/**
 * VmbChannelInitSetPrimaryChannel() - make a channel a sub-channel
 * @Channel: a disabled channel
 * @PrimaryChannel: another one of the same end
 * @SubChannelIndex: which of its sub-channels
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: it has a primary already
 *  - STATUS_INVALID_PARAMETER_3: @SubChannelIndex is 0
 *
 *  This project's decision:
 *
 *  - STATUS_INVALID_PARAMETER_2: @PrimaryChannel is no channel, the same one, one of the
 *    other end, or a sub-channel itself
 */
NTSTATUS VmbChannelInitSetPrimaryChannel(VMBCHANNEL Channel,
					 VMBCHANNEL PrimaryChannel,
					 UINT16 SubChannelIndex)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_channel *primary = kmcl_channel_from_handle(PrimaryChannel);
	NTSTATUS status = STATUS_SUCCESS;
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!primary || primary == chan || primary->is_server != chan->is_server ||
	    READ_ONCE(primary->set.primary))
		return STATUS_INVALID_PARAMETER_2;
	if (!SubChannelIndex)
		return STATUS_INVALID_PARAMETER_3;

	may = kmcl_init_lock(chan, &flags);
	if (may && chan->set.primary) {
		status = STATUS_INVALID_PARAMETER_2;
	} else if (may) {
		kmcl_channel_get(primary);
		chan->set.primary = primary;
		chan->set.sub_index = SubChannelIndex;
	}
	return kmcl_init_unlock(chan, flags, may) ?: status;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetPrimaryChannel);

/**
 * VmbClientChannelInitSetTargetProcessorIndex() - set where the interrupts come
 * @Channel: a disabled client channel
 * @ProcessorIndex: number of a processor
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, a server's, or a channel that is not
 *    disabled
 *  - STATUS_INVALID_PARAMETER_2: there is no such processor
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
