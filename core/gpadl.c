// SPDX-License-Identifier: GPL-2.0
/*
 * GPADLs: memory of the client's that the other end knows by a handle, from its
 * creation until it is deleted or the channel is gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "data.h"
#include "../nt/nt.h"

void kmcl_gpadl_free(struct kmcl_gpadl *gpadl)
{
	kvfree(gpadl->pages);
	kfree(gpadl);
}

/*
 * With room for as many pages as such memory touches. As all that makes a GPADL it may
 * wait for memory: no packet travels on this path.
 */
struct kmcl_gpadl *kmcl_gpadl_alloc(u32 offset, u32 len, u32 flags)
{
	struct kmcl_gpadl *gpadl;

	gpadl = kzalloc(sizeof(*gpadl), GFP_KERNEL);
	if (!gpadl)
		return NULL;

	gpadl->offset = offset;
	gpadl->len = len;
	gpadl->n_pages = DIV_ROUND_UP_ULL((u64)offset + len, PAGE_SIZE);
	gpadl->read_only = flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY;
	gpadl->pages = kvcalloc(gpadl->n_pages, sizeof(*gpadl->pages), GFP_KERNEL);
	if (!gpadl->pages) {
		kfree(gpadl);
		return NULL;
	}
	return gpadl;
}

/* False where a part of the buffer is no memory of the kernel's. */
static bool kmcl_gpadl_fill_from_buffer(struct kmcl_gpadl *gpadl, void *buffer)
{
	void *page = buffer - gpadl->offset;
	u32 i;

	for (i = 0; i < gpadl->n_pages; i++, page += PAGE_SIZE) {
		gpadl->pages[i] = nt_page_of(page);
		if (!gpadl->pages[i])
			return false;
	}
	/* A module's memory is in one piece, but not where transports look for it. */
	if (virt_addr_valid(buffer) || is_vmalloc_addr(buffer))
		gpadl->address = buffer;
	return true;
}

/* A piece of a chain of MDLs. */
struct kmcl_piece {
	PMDL mdl;
	u32 offset;	/* of its first byte in @mdl's memory */
	u32 len;
};

/* Begins at byte @offset of the chain. */
static struct kmcl_piece kmcl_piece_first(PMDL mdl, u32 offset)
{
	while (mdl && offset >= mdl->ByteCount) {
		offset -= mdl->ByteCount;
		mdl = mdl->Next;
	}
	return (struct kmcl_piece) {
		.mdl = mdl,
		.offset = offset,
		.len = mdl ? mdl->ByteCount - offset : 0,
	};
}

static struct kmcl_piece kmcl_piece_next(const struct kmcl_piece *piece)
{
	return kmcl_piece_first(piece->mdl->Next, 0);
}

/* Bytes of the chain from a piece on; 0 where there is something wrong with it. */
static u64 kmcl_piece_bytes(struct kmcl_piece piece)
{
	u64 bytes = 0;

	for (; piece.mdl; piece = kmcl_piece_next(&piece)) {
		if (!nt_mdl_is_locked(piece.mdl))
			return 0;
		bytes += piece.len;
	}
	return bytes;
}

/*
 * Adds the frame with byte @at of the memory, counted from its first page's beginning.
 * Where the kernel's pages are larger than a frame: false if it is not the one that
 * follows in its page, or does not begin one.
 */
static bool kmcl_gpadl_add_frame(struct kmcl_gpadl *gpadl, u64 at, PFN_NUMBER frame)
{
	struct page **page = &gpadl->pages[at >> PAGE_SHIFT];

	if (nt_frame_offset(frame) != (offset_in_page(at) & ~(KMCL_WIRE_PAGE_SIZE - 1)) ||
	    (*page && *page != nt_frame_page(frame)))
		return false;
	*page = nt_frame_page(frame);
	return true;
}

/* The piece's first frame. */
static const PFN_NUMBER *kmcl_piece_frames(const struct kmcl_piece *piece)
{
	return MmGetMdlPfnArray(piece->mdl) +
	       ((piece->mdl->ByteOffset + piece->offset) >> KMCL_WIRE_PAGE_SHIFT);
}

/* Where in its frame the piece begins, in bytes. */
static u32 kmcl_piece_start(const struct kmcl_piece *piece)
{
	return (piece->mdl->ByteOffset + piece->offset) % KMCL_WIRE_PAGE_SIZE;
}

/*
 * False where the pieces do not join: every one but the first has to begin, and
 * every one but the last to end, with a page.
 */
static bool kmcl_gpadl_fill_from_chain(struct kmcl_gpadl *gpadl,
				       struct kmcl_piece piece)
{
	u64 at = gpadl->offset;
	u32 left = gpadl->len;

	for (; left; piece = kmcl_piece_next(&piece)) {
		const PFN_NUMBER *frame = kmcl_piece_frames(&piece);
		u32 start = kmcl_piece_start(&piece);
		u32 len = min(piece.len, left);
		u64 end = at + len;

		if (start != at % KMCL_WIRE_PAGE_SIZE ||
		    (left > len && end % KMCL_WIRE_PAGE_SIZE))
			return false;
		for (at -= start; at < end; at += KMCL_WIRE_PAGE_SIZE)
			if (!kmcl_gpadl_add_frame(gpadl, at, *frame++))
				return false;
		at = end;
		left -= len;
	}
	return true;
}

/* A message that is to describe it must not overflow. */
static bool kmcl_gpadl_fits(struct kmcl_channel *chan, struct kmcl_link *link,
			    const struct kmcl_gpadl *gpadl)
{
	u32 first = gpadl->offset % KMCL_WIRE_PAGE_SIZE;
	u32 pages = DIV_ROUND_UP_ULL((u64)first + gpadl->len, KMCL_WIRE_PAGE_SIZE);
	u32 max = link->ops->max_gpadl_pages;

	if (!max || pages <= max)
		return true;
	kmcl_warn_ratelimited(chan, "a GPADL of %u pages is refused: %s can describe %u at most\n",
			      pages, link->ops->name, max);
	return false;
}

/* Tells the other end. Called with the gate held. */
static NTSTATUS kmcl_gpadl_tell(struct kmcl_channel *chan, struct kmcl_link *link,
				struct kmcl_gpadl *gpadl)
{
	NTSTATUS status;

	if (!kmcl_gpadl_fits(chan, link, gpadl))
		return STATUS_NOT_SUPPORTED;
	if (!gpadl->made)
		return kmcl_status_from_errno(link->ops->gpadl_create(link, gpadl));

	if (!kmcl_gpadl_make(link, gpadl))
		return STATUS_INSUFFICIENT_RESOURCES;
	status = kmcl_status_from_errno(link->ops->gpadl_create(link, gpadl));
	if (!NT_SUCCESS(status))
		kmcl_gpadl_unmake(link, gpadl, false);
	return status;
}

/* Tells the other end; on failure the GPADL is freed. */
NTSTATUS kmcl_gpadl_create(struct kmcl_channel *chan,
			   struct kmcl_gpadl *gpadl, u32 *handle)
{
	struct kmcl_gpadls *gpadls = &chan->gpadls;
	NTSTATUS status = STATUS_INVALID_DEVICE_STATE;
	struct kmcl_link *link;

	down_read(&gpadls->gate);
	link = gpadls->link;
	if (link)
		status = kmcl_gpadl_tell(chan, link, gpadl);
	/* Not when it is in the list: a client that guesses its handle may delete it. */
	trace_kmcl_gpadl_made(chan, gpadl, status);
	if (NT_SUCCESS(status)) {
		*handle = gpadl->handle;
		spin_lock(&gpadls->lock);
		list_add_tail(&gpadl->node, &gpadls->list);
		spin_unlock(&gpadls->lock);
	}
	up_read(&gpadls->gate);

	if (!NT_SUCCESS(status))
		kmcl_gpadl_free(gpadl);
	return status;
}

/* The memory is its owner's again, and pinned if the other end may write to it. */
static void kmcl_gpadl_delete(struct kmcl_channel *chan, struct kmcl_link *link,
			      struct kmcl_gpadl *gpadl)
{
	int lost = link->ops->gpadl_delete(link, gpadl);

	trace_kmcl_gpadl_deleted(chan, gpadl, kmcl_status_from_errno(lost));
	if (lost) {
		kmcl_pin_gpadl(chan, gpadl);
		kmcl_pin_report(chan);
	}
	if (gpadl->made)
		kmcl_gpadl_unmake(link, gpadl, lost);
	kmcl_gpadl_free(gpadl);
}

static struct kmcl_gpadl *kmcl_gpadl_take(struct kmcl_gpadls *gpadls, u32 handle)
{
	struct kmcl_gpadl *gpadl, *found = NULL;

	spin_lock(&gpadls->lock);
	list_for_each_entry(gpadl, &gpadls->list, node) {
		if (gpadl->handle == handle) {
			list_del(&gpadl->node);
			found = gpadl;
			break;
		}
	}
	spin_unlock(&gpadls->lock);
	return found;
}

void kmcl_gpadls_init(struct kmcl_channel *chan)
{
	init_rwsem(&chan->gpadls.gate);
	spin_lock_init(&chan->gpadls.lock);
	INIT_LIST_HEAD(&chan->gpadls.list);
	INIT_LIST_HEAD(&chan->gpadls.maps);
}

/* From now on GPADLs can be made. */
void kmcl_gpadls_open(struct kmcl_channel *chan, struct kmcl_link *link)
{
	down_write(&chan->gpadls.gate);
	chan->gpadls.link = link;
	up_write(&chan->gpadls.gate);
}

/* The link is about to go: no more GPADLs, and those left are deleted. */
void kmcl_gpadls_close(struct kmcl_channel *chan)
{
	struct kmcl_gpadls *gpadls = &chan->gpadls;
	struct kmcl_gpadl *gpadl, *next;
	struct kmcl_link *link;
	u32 left = 0;

	down_write(&gpadls->gate);
	link = gpadls->link;
	gpadls->link = NULL;
	up_write(&gpadls->gate);

	/* Without a link no other call gets at the lists. */
	kmcl_gpadl_unmap_all(chan, link);
	list_for_each_entry_safe(gpadl, next, &gpadls->list, node) {
		list_del(&gpadl->node);
		kmcl_gpadl_delete(chan, link, gpadl);
		left++;
	}
	if (left)
		kmcl_warn(chan, "the client has left %u GPADLs behind; they are deleted\n",
			  left);
}

/**
 * VmbChannelCreateGpadlFromBuffer() - share a buffer with the other end
 * @Channel: an open channel: from EvtChannelOpened on
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY: the other end only reads
 * @Buffer: memory of the kernel's (kmalloc, vmalloc, a module's), which stays
 *	allocated until the GPADL is deleted
 * @ByteCount: bytes in @Buffer
 * @GpadlHandle: the number by which the other end knows it, to be sent to it
 *
 * When this returns the other end knows of the memory. hv_vmbus can describe
 * whole pages only, and at most 8190 pages of 4096 bytes, 8 KiB less than 32 MiB:
 * anything else is refused, with a line in the log, and never rounded. It has no
 * way to tell the host of ..._READ_ONLY. It serializes the GPADLs of a channel, so
 * a deletion that blocks holds the others up; and it needs VMBus 4.0, Windows Server
 * 2016. This may wait for memory (GFP_KERNEL): a client that serves storage makes
 * its GPADLs ahead of the I/O that needs them.
 *
 * Context: PASSIVE_LEVEL, in EvtChannelOpened and after it.
 *
 * Return:
 *  - STATUS_SUCCESS
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_PARAMETER_2: an unknown flag
 *  - STATUS_INVALID_PARAMETER_3: @Buffer is no memory of the kernel's
 *  - STATUS_INVALID_PARAMETER_4: 0 bytes
 *  - STATUS_INVALID_PARAMETER_5: a missing @GpadlHandle
 *  - STATUS_INVALID_DEVICE_STATE: the channel is not open
 *  - STATUS_NOT_SUPPORTED: the transport cannot describe the memory, as more pages
 *    than it can count, or the channel is a server's
 *  - STATUS_DEVICE_REMOVED: after a rescind
 *  - STATUS_INSUFFICIENT_RESOURCES
 *  - STATUS_UNSUCCESSFUL: the other end refuses it
 */
NTSTATUS VmbChannelCreateGpadlFromBuffer(VMBCHANNEL Channel, UINT32 Flags,
					 PVOID Buffer, UINT32 ByteCount,
					 PUINT32 GpadlHandle)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_gpadl *gpadl;

	might_sleep();
	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!Buffer)
		return STATUS_INVALID_PARAMETER_3;
	if (!ByteCount)
		return STATUS_INVALID_PARAMETER_4;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_5;

	gpadl = kmcl_gpadl_alloc(offset_in_page(Buffer), ByteCount, Flags);
	if (!gpadl)
		return STATUS_INSUFFICIENT_RESOURCES;

	if (!kmcl_gpadl_fill_from_buffer(gpadl, Buffer)) {
		kmcl_gpadl_free(gpadl);
		return STATUS_INVALID_PARAMETER_3;
	}
	return kmcl_gpadl_create(chan, gpadl, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromBuffer);

/**
 * VmbChannelCreateGpadlFromMdl() - share the memory of MDLs with the other end
 * @Channel: an open channel: from EvtChannelOpened on
 * @Flags: see VmbChannelCreateGpadlFromBuffer(), also for what is not said here
 * @Mdl: chain of MDLs, locked; their memory stays so until the GPADL is deleted
 * @StartOffsetWithinMdl: bytes of the chain to leave out at its beginning
 * @DataLengthWithinMdl: bytes of the chain to share, or 0 for all that follow
 * @GpadlHandle: the number by which the other end knows it, to be sent to it
 *
 * The MDLs themselves may be freed when this returns. The pieces of the chain have
 * to join at page boundaries, and where the kernel's pages are larger than 4096 bytes at
 * theirs; others are refused, with a line in the log, and so are more than 8190 pages on
 * hv_vmbus.
 *
 * Context: PASSIVE_LEVEL, in EvtChannelOpened and after it.
 *
 * Return: as VmbChannelCreateGpadlFromBuffer(), but:
 *
 *  - STATUS_INVALID_PARAMETER_3: MDLs that are missing or not locked
 *  - STATUS_INVALID_PARAMETER_4: @StartOffsetWithinMdl leads beyond the memory
 *  - STATUS_INVALID_PARAMETER_5: @DataLengthWithinMdl does; or it is 0, and 4 GiB or
 *    more follow
 *  - STATUS_INVALID_PARAMETER_6: a missing @GpadlHandle
 *  - STATUS_NOT_SUPPORTED: pieces that do not join, too
 */
NTSTATUS VmbChannelCreateGpadlFromMdl(VMBCHANNEL Channel, UINT32 Flags,
				      PMDL Mdl, UINT32 StartOffsetWithinMdl,
				      UINT32 DataLengthWithinMdl,
				      PUINT32 GpadlHandle)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_gpadl *gpadl;
	struct kmcl_piece first;
	u64 bytes;

	might_sleep();
	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!Mdl)
		return STATUS_INVALID_PARAMETER_3;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_6;

	first = kmcl_piece_first(Mdl, StartOffsetWithinMdl);
	if (!first.mdl)
		return STATUS_INVALID_PARAMETER_4;
	bytes = kmcl_piece_bytes(first);
	if (!bytes)
		return STATUS_INVALID_PARAMETER_3;
	if (DataLengthWithinMdl > bytes || (!DataLengthWithinMdl && bytes > U32_MAX))
		return STATUS_INVALID_PARAMETER_5;

	gpadl = kmcl_gpadl_alloc(nt_frame_offset(*kmcl_piece_frames(&first)) +
				 kmcl_piece_start(&first),
				 DataLengthWithinMdl ?: bytes, Flags);
	if (!gpadl)
		return STATUS_INSUFFICIENT_RESOURCES;

	if (!kmcl_gpadl_fill_from_chain(gpadl, first)) {
		kmcl_warn(chan, "a GPADL cannot describe MDLs that do not join at page boundaries\n");
		kmcl_gpadl_free(gpadl);
		return STATUS_NOT_SUPPORTED;
	}
	return kmcl_gpadl_create(chan, gpadl, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromMdl);

/* False where a frame number is that of no memory. */
static bool kmcl_gpadl_fill_from_pfns(struct kmcl_gpadl *gpadl,
				      const PFN_NUMBER *pfns, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (!nt_frame_valid(pfns[i]) ||
		    !kmcl_gpadl_add_frame(gpadl, gpadl->offset + (u64)i * KMCL_WIRE_PAGE_SIZE,
					  pfns[i]))
			return false;
	return true;
}

/**
 * VmbChannelCreateGpadlFromPfnList() - share pages with the other end
 * @Channel: an open channel: from EvtChannelOpened on
 * @Flags: see VmbChannelCreateGpadlFromBuffer(), also for what is not said here
 * @PfnList: frame numbers of pages of 4096 bytes, which stay where they are until the
 *	GPADL is deleted; the array is the caller's again when this returns
 * @PfnCount: entries in @PfnList
 * @GpadlHandle: the number by which the other end knows it, to be sent to it
 *
 * Where the kernel's pages are larger, those of the list lie in them in order, and fill
 * them up but for the first and the last.
 *
 * Context: PASSIVE_LEVEL, in EvtChannelOpened and after it.
 *
 * Return: as VmbChannelCreateGpadlFromBuffer(), but:
 *
 *  - STATUS_INVALID_PARAMETER_3: a missing list, or a number in it that is no memory's
 *  - STATUS_INVALID_PARAMETER_4: @PfnCount is 0, or the pages are 4 GiB or more
 */
NTSTATUS VmbChannelCreateGpadlFromPfnList(VMBCHANNEL Channel, UINT32 Flags,
					  PPFN_NUMBER PfnList, UINT32 PfnCount,
					  PUINT32 GpadlHandle)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_gpadl *gpadl;

	might_sleep();
	if (!chan)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!PfnList)
		return STATUS_INVALID_PARAMETER_3;
	if (!PfnCount || PfnCount > U32_MAX / KMCL_WIRE_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER_4;
	if (!GpadlHandle)
		return STATUS_INVALID_PARAMETER_5;

	gpadl = kmcl_gpadl_alloc(nt_frame_offset(*PfnList), PfnCount * KMCL_WIRE_PAGE_SIZE,
				 Flags);
	if (!gpadl)
		return STATUS_INSUFFICIENT_RESOURCES;

	if (!kmcl_gpadl_fill_from_pfns(gpadl, PfnList, PfnCount)) {
		kmcl_gpadl_free(gpadl);
		return STATUS_INVALID_PARAMETER_3;
	}
	return kmcl_gpadl_create(chan, gpadl, GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromPfnList);

/**
 * VmbChannelDeleteGpadl() - stop sharing memory with the other end
 * @Channel: the channel that it was created on
 * @GpadlHandle: from VmbChannelCreateGpadlFrom...()
 *
 * Returns when the other end does not use the memory any more; blocks while it
 * has the GPADL mapped, or does not answer, which the log says after 30 s. Where it
 * cannot be told, a reference is taken on each page that keeps it out of use for
 * good, and the log says of how many pages that cannot be done: memory of kmalloc()'s,
 * hence of ExAllocatePool..()'s, and blocks of pages from alloc_pages().
 *
 * EvtChannelClosed is the last chance: what is left then is deleted with a line in
 * the log, as is an attempt to delete what there is not.
 *
 * Context: PASSIVE_LEVEL, until EvtChannelClosed returns.
 */
VOID VmbChannelDeleteGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_gpadl *gpadl;
	struct kmcl_link *link;

	might_sleep();
	if (!chan)
		return;

	down_read(&chan->gpadls.gate);
	link = chan->gpadls.link;
	gpadl = link ? kmcl_gpadl_take(&chan->gpadls, GpadlHandle) : NULL;
	if (gpadl)
		kmcl_gpadl_delete(chan, link, gpadl);
	up_read(&chan->gpadls.gate);

	if (!gpadl)
		kmcl_warn(chan, "GPADL %#x to be deleted is not there\n",
			  GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelDeleteGpadl);
