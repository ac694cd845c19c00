// SPDX-License-Identifier: GPL-2.0
/*
 * Bounce buffers: how much of the memory that packets describe may be copied at once,
 * where the other end cannot have the client's own.
 */
#include <linux/export.h>

#include "kmcl.h"

/**
 * VmbChannelInitSetBounceBufferSizes() - set how large a channel's bounce buffer is
 * @Channel: a disabled channel
 * @InitialBufferSize: bytes that are always there
 * @BufferSizeIncrement: bytes by which it grows, or 0 for the default
 * @MaximumBufferSize: bytes that it may grow to, or 0 for the default
 *
 * All are multiples of 4096.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle, or a channel that is not disabled
 *  - STATUS_INVALID_PARAMETER_2, _3, _4: the size is no multiple of 4096, or
 *    @MaximumBufferSize is neither 0 nor as much as @InitialBufferSize
 */
NTSTATUS VmbChannelInitSetBounceBufferSizes(VMBCHANNEL Channel,
					    UINT32 InitialBufferSize,
					    UINT32 BufferSizeIncrement,
					    UINT32 MaximumBufferSize)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	unsigned long flags;
	bool may;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (InitialBufferSize % KMCL_WIRE_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER_2;
	if (BufferSizeIncrement % KMCL_WIRE_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER_3;
	if (MaximumBufferSize % KMCL_WIRE_PAGE_SIZE ||
	    (MaximumBufferSize && MaximumBufferSize < InitialBufferSize))
		return STATUS_INVALID_PARAMETER_4;

	may = kmcl_init_lock(chan, &flags);
	if (may) {
		chan->set.bounce_initial = InitialBufferSize;
		chan->set.bounce_increment = BufferSizeIncrement;
		chan->set.bounce_maximum = MaximumBufferSize;
	}
	return kmcl_init_unlock(chan, flags, may);
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetBounceBufferSizes);

/**
 * VmbChannelAllocateBounceBuffer() - have a bounce buffer that is as large as that
 * @Channel: a client channel
 * @BufferSize: bytes, a multiple of 4096
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: a bad handle, or a size that is 0 or no multiple of 4096
 *  - STATUS_NOT_SUPPORTED: a server's channel
 */
NTSTATUS VmbChannelAllocateBounceBuffer(VMBCHANNEL Channel, UINT32 BufferSize)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (!chan || !BufferSize || BufferSize % KMCL_WIRE_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER;
	if (chan->is_server)
		return STATUS_NOT_SUPPORTED;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelAllocateBounceBuffer);
