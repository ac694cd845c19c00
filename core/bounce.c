// SPDX-License-Identifier: GPL-2.0
/*
 * Bounce buffers: how much of the memory that packets describe may be copied at once,
 * where the other end cannot have the client's own.
 */
#include <linux/export.h>

#include "data.h"

/**
 * VmbChannelInitSetBounceBufferSizes() - set how large a channel's bounce buffer is
 * @Channel: a disabled channel
 * @InitialBufferSize: bytes that are always there
 * @BufferSizeIncrement: bytes by which it grows, or 0 for the default
 * @MaximumBufferSize: bytes that it may grow to, or 0 for the default
 *
 * All are multiples of 4096. They matter where memory of packets is copied: in isolated
 * (confidential) guests over hv_vmbus, and where the kernel was told to (swiotlb=force).
 *
 * This project's decisions: the buffers are the kernel's (swiotlb), one pool for all
 * devices of the machine, reserved when it boots. So no size reserves anything, and
 * sending allocates nothing; @MaximumBufferSize is an account: as much of the channel's
 * packets may be copied at once, counted in whole pages of 4096 bytes. By default it is
 * 16 MiB, or one packet with all of VmbChannelInitSetMaximumExternalData() if that is
 * more, or @InitialBufferSize; and never more than the pool. A packet that finds no room,
 * in its account or in the pool, waits in the queue as if the ring were full, until a
 * packet of the channel is complete; where others hold the pool it is tried every 100 ms.
 * One for which there is never room completes with STATUS_NOT_SUPPORTED, and a line in
 * the log says so. How large the pool is the kernel decides, in isolated guests by their
 * memory; swiotlb= on its command line does it by hand.
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
		return kmcl_explain(STATUS_INVALID_PARAMETER_2, "%u bytes are not whole pages",
				    InitialBufferSize);
	if (BufferSizeIncrement % KMCL_WIRE_PAGE_SIZE)
		return kmcl_explain(STATUS_INVALID_PARAMETER_3, "%u bytes are not whole pages",
				    BufferSizeIncrement);
	if (MaximumBufferSize % KMCL_WIRE_PAGE_SIZE ||
	    (MaximumBufferSize && MaximumBufferSize < InitialBufferSize))
		return kmcl_explain(STATUS_INVALID_PARAMETER_4,
				    "%u bytes are not whole pages, or less than at first",
				    MaximumBufferSize);

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
 * This project's decision: so much more may be copied at once than
 * VmbChannelInitSetBounceBufferSizes() has set, from now on and for as long as the
 * channel is there; there is no way back. It reserves nothing either: see there.
 *
 * Context: up to DISPATCH_LEVEL, in any state of the channel.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: a bad handle, or a size that is 0 or no multiple of 4096
 *  - STATUS_NOT_SUPPORTED: a server's channel
 *  - STATUS_INSUFFICIENT_RESOURCES: too much, with what was added before
 */
NTSTATUS VmbChannelAllocateBounceBuffer(VMBCHANNEL Channel, UINT32 BufferSize)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);

	if (!chan || !BufferSize || BufferSize % KMCL_WIRE_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER;
	if (chan->is_server)
		return STATUS_NOT_SUPPORTED;
	if (!kmcl_bounce_add(chan, BufferSize / KMCL_WIRE_PAGE_SIZE))
		return STATUS_INSUFFICIENT_RESOURCES;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelAllocateBounceBuffer);
