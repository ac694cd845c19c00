// SPDX-License-Identifier: GPL-2.0
/*
 * Which of the client's functions a channel calls, without a context or with one. Of each
 * kind it is the last registration that counts.
 */
#include <linux/export.h>

#include "kmcl.h"

/* Of the two kinds one is set, and the other is not any more. @chan: NULL for a bad handle */
static NTSTATUS kmcl_set_process(struct kmcl_channel *chan,
				 PFN_VMB_CHANNEL_PROCESS_PACKET process,
				 PFN_VMB_CHANNEL_PROCESSING_COMPLETE complete,
				 PVOID context,
				 PFN_VMB_CHANNEL_PROCESS_PACKET_EX process_ex,
				 PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX complete_ex)
{
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.process_packet = process;
		chan->set.processing_complete = complete;
		chan->set.process_context = context;
		chan->set.process_packet_ex = process_ex;
		chan->set.processing_complete_ex = complete_ex;
	}
	return kmcl_init_unlock(chan, flags, may);
}

/**
 * VmbChannelInitSetProcessPacketCallbacks() - set the callbacks for incoming packets
 * @Channel: a disabled channel
 * @ProcessPacket: called once for each packet. Where it is NULL (this
 *	project's decision), packets are counted and completed with no payload.
 * @ProcessingComplete: called at the end of each batch, or NULL
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 */
NTSTATUS
VmbChannelInitSetProcessPacketCallbacks(VMBCHANNEL Channel,
					PFN_VMB_CHANNEL_PROCESS_PACKET ProcessPacket,
					PFN_VMB_CHANNEL_PROCESSING_COMPLETE ProcessingComplete)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	return kmcl_set_process(chan, ProcessPacket, ProcessingComplete, NULL, NULL, NULL);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetProcessPacketCallbacks);

/**
 * VmbChannelInitSetProcessPacketCallbacksEx() - the same, with a context
 * @Channel: a disabled channel
 * @Context: anything of the caller's, which the callbacks get
 * @ProcessPacket: see VmbChannelInitSetProcessPacketCallbacks()
 * @ProcessingComplete: likewise
 *
 * The last call of the two functions that returned STATUS_SUCCESS counts.
 *
 * Return: as VmbChannelInitSetProcessPacketCallbacks().
 */
NTSTATUS
VmbChannelInitSetProcessPacketCallbacksEx(VMBCHANNEL Channel, PVOID Context,
					  PFN_VMB_CHANNEL_PROCESS_PACKET_EX ProcessPacket,
					  PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX ProcessingComplete)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	return kmcl_set_process(chan, NULL, NULL, Context, ProcessPacket, ProcessingComplete);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetProcessPacketCallbacksEx);

/**
 * VmbChannelInitSetStateChangeCallbacks() - set the callbacks for state changes
 * @Channel: a disabled channel
 * @Callbacks: made by VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(), or a structure with a
 *	context made by VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(); copied. Any
 *	callback may be NULL.
 *
 * Which of the two structures it is Version and Size tell, which have to agree. The
 * last call that returned STATUS_SUCCESS counts, for all five.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2: NULL, or a wrong Version or Size
 */
NTSTATUS
VmbChannelInitSetStateChangeCallbacks(VMBCHANNEL Channel,
				      PVMB_CHANNEL_STATE_CHANGE_CALLBACKS Callbacks)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 state_ex = {};
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS state = {};
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (!Callbacks)
		return STATUS_INVALID_PARAMETER_2;
	if (Callbacks->Version == VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION &&
	    Callbacks->Size == sizeof(state))
		memcpy(&state, Callbacks, sizeof(state));
	else if (Callbacks->Version == VMB_CHANNEL_STATE_CHANGE_CALLBACKS_VERSION_V5 &&
		 Callbacks->Size == sizeof(state_ex))
		memcpy(&state_ex, (void *)Callbacks, sizeof(state_ex));
	else
		return kmcl_explain(STATUS_INVALID_PARAMETER_2,
				    "callbacks without VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT()");

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.state = state;
		chan->set.state_ex = state_ex;
	}
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetStateChangeCallbacks);
