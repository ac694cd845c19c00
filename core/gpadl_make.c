// SPDX-License-Identifier: GPL-2.0
/*
 * GPADLs of memory that the library allocates: it can be shared with the other end where
 * a client's own cannot, as in isolated guests.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "data.h"

/* Gets memory for a GPADL that knows how large it is; false where there is none. */
bool kmcl_gpadl_make(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	u32 i;

	if (link->ops->gpadl_alloc) {
		if (link->ops->gpadl_alloc(link, gpadl))
			return false;
	} else {
		/* Where there is none is a status, which need not fill the log. */
		gpadl->address = __vmalloc(gpadl->len, GFP_KERNEL | __GFP_ZERO |
							__GFP_NOWARN);
		if (!gpadl->address)
			return false;
	}
	for (i = 0; i < gpadl->n_pages; i++)
		gpadl->pages[i] = vmalloc_to_page(gpadl->address + i * PAGE_SIZE);
	return true;
}

/* @lost: the other end may still use the memory, which is then nobody's any more. */
void kmcl_gpadl_unmake(struct kmcl_link *link, struct kmcl_gpadl *gpadl, bool lost)
{
	if (link->ops->gpadl_alloc)
		link->ops->gpadl_free(link, gpadl);
	else if (!lost)
		vfree(gpadl->address);
}

/**
 * VmbChannelCreateGpadl() - allocate memory that is shared with the other end
 * @Channel: an open channel: from EvtChannelOpened on
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY: the other end only reads
 * @PageCount: pages of 4096 bytes
 * @GpadlHandle: the number by which the other end knows it, to be sent to it
 *
 * The memory is zeroed, and is there until the GPADL is deleted.
 * VmbChannelGetSystemAddressForGpadl() tells where. In isolated (confidential) guests,
 * where the memory of a caller cannot be shared, this can: by the same means as hv_vmbus'
 * own drivers. Before the kernels that have vmbus_alloc_buffer() that is memory of
 * vmalloc()'s, which a guest of SEV-SNP or TDX without a paravisor cannot share: a status
 * then. Memory that cannot be taken back from the host is never used again, with a line
 * in the log.
 *
 * In no table, as on Windows. The numbers are this project's decision.
 *
 * Context: PASSIVE_LEVEL, in EvtChannelOpened and after it.
 *
 * Return: as VmbChannelCreateGpadlFromBuffer(), but:
 *
 *  - STATUS_INVALID_PARAMETER_3: @PageCount is 0, is 4 GiB or more, or is no whole
 *    number of this kernel's pages
 *  - STATUS_INVALID_PARAMETER_4: a missing @GpadlHandle
 */
NTSTATUS VmbChannelCreateGpadl(VMBCHANNEL Channel, UINT32 Flags, UINT32 PageCount,
			       PUINT32 GpadlHandle)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	u64 bytes = (u64)PageCount * KMCL_WIRE_PAGE_SIZE;
	struct kmcl_gpadl *gpadl;

	might_sleep();
	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!bytes || bytes > U32_MAX || !PAGE_ALIGNED(bytes))
		return STATUS_INVALID_PARAMETER_3;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_4;

	gpadl = kmcl_gpadl_alloc(0, bytes, Flags);
	if (!gpadl)
		return STATUS_INSUFFICIENT_RESOURCES;
	gpadl->made = true;
	return kmcl_gpadl_create(chan, gpadl, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadl);

/**
 * VmbChannelGetSystemAddressForGpadl() - where the memory of a GPADL is mapped
 * @Channel: the channel that it was created on
 * @Flags: 0, or VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY, which changes nothing: it is about
 *	the other end
 * @GpadlHandle: from VmbChannelCreateGpadl()
 * @SystemAddress: where all of it can be read and written, until it is deleted
 *
 * What the other end writes there may change at any time: a client reads a value once,
 * and checks what it has read.
 *
 * In no table, as on Windows. This is all this project's decision.
 *
 * Context: up to APC_LEVEL: it may sleep.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_PARAMETER_2: an unknown flag
 *  - STATUS_INVALID_PARAMETER_3: no such GPADL, or it is of the caller's own memory
 *  - STATUS_INVALID_PARAMETER_4: a missing @SystemAddress
 */
NTSTATUS VmbChannelGetSystemAddressForGpadl(VMBCHANNEL Channel, UINT32 Flags,
					    UINT32 GpadlHandle, PVOID *SystemAddress)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	NTSTATUS status = STATUS_INVALID_PARAMETER_3;
	struct kmcl_gpadl *gpadl;

	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!SystemAddress)
		return STATUS_INVALID_PARAMETER_4;

	/* A client may ask while it closes: until EvtChannelClosed has returned. */
	down_read(&chan->gpadls.gate);
	spin_lock(&chan->gpadls.lock);
	list_for_each_entry(gpadl, &chan->gpadls.list, node) {
		if (gpadl->made && gpadl->handle == GpadlHandle && chan->gpadls.link) {
			*SystemAddress = gpadl->address;
			status = STATUS_SUCCESS;
			break;
		}
	}
	spin_unlock(&chan->gpadls.lock);
	up_read(&chan->gpadls.gate);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelGetSystemAddressForGpadl);
