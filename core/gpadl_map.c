// SPDX-License-Identifier: GPL-2.0
/*
 * The other end's GPADLs as a server sees them: mapped by their handle, which
 * gives an MDL over the client's pages.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>

#include "data.h"
#include "../nt/nt.h"

struct kmcl_gpadl_mapping {
	struct list_head node;
	u32 handle;
	PMDL mdl;
};

static PMDL kmcl_gpadl_mdl(const struct kmcl_gpadl *gpadl, bool write)
{
	void *start = (void *)(unsigned long)gpadl->offset;
	u64 at, end = (u64)gpadl->offset + gpadl->len;
	PPFN_NUMBER frame;
	PMDL mdl;

	mdl = kmalloc(MmSizeOfMdl(start, gpadl->len), GFP_KERNEL | __GFP_NOWARN);
	if (!mdl)
		return NULL;

	MmInitializeMdl(mdl, start, gpadl->len);
	mdl->MdlFlags |= MDL_PAGES_LOCKED | (write ? MDL_WRITE_OPERATION : 0);
	frame = MmGetMdlPfnArray(mdl);
	for (at = gpadl->offset - mdl->ByteOffset; at < end; at += KMCL_WIRE_PAGE_SIZE)
		*frame++ = nt_frame_of(gpadl->pages[at >> PAGE_SHIFT], at);
	return mdl;
}

static NTSTATUS kmcl_gpadl_map_status(int error)
{
	switch (error) {
	case -EINVAL:
		return STATUS_INVALID_DEVICE_STATE;
	case -ENOENT:
		return STATUS_INVALID_PARAMETER_3;
	case -EBUSY:
		return STATUS_SHARING_VIOLATION;
	case -EACCES:
		return STATUS_ACCESS_DENIED;
	default:
		return kmcl_status_from_errno(error);
	}
}

/* Called with the gate held: the link stays. */
static int kmcl_gpadl_map(struct kmcl_channel *chan, u32 handle, bool write,
			  PMDL *mdl)
{
	struct kmcl_link *link = chan->gpadls.link;
	struct kmcl_gpadl_mapping *map;
	const struct kmcl_gpadl *gpadl;
	int ret;

	if (!link)
		return -EINVAL;
	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return -ENOMEM;

	ret = link->ops->gpadl_map(link, handle, write, &gpadl);
	if (ret)
		goto free;

	ret = -ENOMEM;
	map->handle = handle;
	map->mdl = kmcl_gpadl_mdl(gpadl, write);
	if (!map->mdl)
		goto unmap;

	*mdl = map->mdl;
	spin_lock(&chan->gpadls.lock);
	list_add_tail(&map->node, &chan->gpadls.maps);
	spin_unlock(&chan->gpadls.lock);
	return 0;

unmap:
	link->ops->gpadl_unmap(link, handle);
free:
	kfree(map);
	return ret;
}

/* The server's MDL goes first, then the client may have its memory back. */
static void kmcl_gpadl_unmap(struct kmcl_link *link,
			     struct kmcl_gpadl_mapping *map)
{
	IoFreeMdl(map->mdl);
	link->ops->gpadl_unmap(link, map->handle);
	kfree(map);
}

static struct kmcl_gpadl_mapping *kmcl_gpadl_take_map(struct kmcl_gpadls *gpadls,
						      u32 handle)
{
	struct kmcl_gpadl_mapping *map, *found = NULL;

	spin_lock(&gpadls->lock);
	list_for_each_entry(map, &gpadls->maps, node) {
		if (map->handle == handle) {
			list_del(&map->node);
			found = map;
			break;
		}
	}
	spin_unlock(&gpadls->lock);
	return found;
}

/* The link is about to go, and no other thread gets at the mappings any more. */
void kmcl_gpadl_unmap_all(struct kmcl_channel *chan, struct kmcl_link *link)
{
	struct kmcl_gpadl_mapping *map, *next;
	u32 left = 0;

	list_for_each_entry_safe(map, next, &chan->gpadls.maps, node) {
		list_del(&map->node);
		kmcl_gpadl_unmap(link, map);
		left++;
	}
	if (left)
		kmcl_warn(chan, "the server has left %u GPADLs mapped; they are unmapped\n",
			  left);
}

/**
 * VmbChannelMapGpadl() - get at the memory of a client's GPADL
 * @Channel: an open server channel
 * @Flags: VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY: the server only reads, which nothing
 *	enforces; or 0
 * @GpadlHandle: the GPADL's, as the client has told the server
 * @Mdl: the memory, locked, without an address; until VmbChannelUnmapGpadl(). It
 *	has MDL_WRITE_OPERATION unless mapped read-only.
 *
 * A GPADL has one mapping at a time. What is still mapped after EvtChannelClosed is
 * unmapped then, with a line in the log.
 *
 * Context: PASSIVE_LEVEL, in EvtChannelOpened and after it.
 *
 * Return:
 *  - STATUS_SUCCESS
 *
 *  This project's decisions:
 *
 *  - STATUS_INVALID_PARAMETER_1: a handle that is bad or a client's
 *  - STATUS_INVALID_PARAMETER_2: an unknown flag
 *  - STATUS_INVALID_PARAMETER_3: there is no such GPADL (any more)
 *  - STATUS_INVALID_PARAMETER_4: a missing @Mdl
 *  - STATUS_ACCESS_DENIED: without ..._READ_ONLY, for a GPADL that was made with it
 *  - STATUS_SHARING_VIOLATION: the GPADL is mapped already
 *  - STATUS_INVALID_DEVICE_STATE: the channel is not open
 *  - STATUS_DEVICE_REMOVED: the client has left
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS VmbChannelMapGpadl(VMBCHANNEL Channel, UINT32 Flags,
			    UINT32 GpadlHandle, PMDL *Mdl)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	int ret;

	might_sleep();
	if (!chan || !chan->is_server)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!Mdl)
		return STATUS_INVALID_PARAMETER_4;

	down_read(&chan->gpadls.gate);
	ret = kmcl_gpadl_map(chan, GpadlHandle,
			     !(Flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY), Mdl);
	up_read(&chan->gpadls.gate);
	return kmcl_gpadl_map_status(ret);
}
EXPORT_SYMBOL_GPL(VmbChannelMapGpadl);

/**
 * VmbChannelUnmapGpadl() - be done with the memory of a client's GPADL
 * @Channel: the channel that the GPADL was mapped on
 * @GpadlHandle: as passed to VmbChannelMapGpadl()
 *
 * The MDL is freed, and a mapping of it undone. A client that waits in
 * VmbChannelDeleteGpadl() goes on. This project's decision: where nothing is mapped
 * nothing happens, with a line in the log.
 *
 * Context: PASSIVE_LEVEL, until EvtChannelClosed returns.
 */
VOID VmbChannelUnmapGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle)
{
	struct kmcl_channel *chan = kmcl_channel_from_handle(Channel);
	struct kmcl_gpadl_mapping *map;
	struct kmcl_link *link;

	might_sleep();
	if (!chan)
		return;

	down_read(&chan->gpadls.gate);
	link = chan->gpadls.link;
	map = link ? kmcl_gpadl_take_map(&chan->gpadls, GpadlHandle) : NULL;
	if (map)
		kmcl_gpadl_unmap(link, map);
	up_read(&chan->gpadls.gate);

	if (!map)
		kmcl_warn(chan, "GPADL %#x to be unmapped is not mapped\n",
			  GpadlHandle);
}
EXPORT_SYMBOL_GPL(VmbChannelUnmapGpadl);
