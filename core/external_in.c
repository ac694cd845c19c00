// SPDX-License-Identifier: GPL-2.0
/*
 * External data that came with a packet: memory of the sender's own, of this very
 * kernel, in ranges of page frames.
 *
 * The headers with the ranges are checked and kept in the incoming object; MDLs
 * are made of them when the client asks.
 */
#include <linux/export.h>
#include <linux/slab.h>

#include "data.h"
#include "../nt/nt.h"

/* Steps over a range; its memory, or 0 where it leads out of the headers. */
static u64 kmcl_range_take(const struct kmcl_wire_range **range, u32 *left)
{
	const struct kmcl_wire_range *r = *range;
	u64 bytes;

	if (*left < sizeof(*r) || !r->len || r->offset >= KMCL_WIRE_PAGE_SIZE)
		return 0;
	bytes = sizeof(*r) + DIV_ROUND_UP_ULL((u64)r->offset + r->len,
					      KMCL_WIRE_PAGE_SIZE) * sizeof(u64);
	if (bytes > *left)
		return 0;

	*range = (void *)r + bytes;
	*left -= bytes;
	return r->len;
}

/* Do the headers hold what they say, and is there room for it? */
bool kmcl_external_in_valid(const struct kmcl_channel *chan,
			    const struct kmcl_wire *wire)
{
	const struct kmcl_wire_gpa *gpa = (void *)wire->head;
	const struct kmcl_wire_range *range = (void *)gpa->range;
	u32 left = wire->head_len - sizeof(*gpa);
	u64 bytes, total = 0;
	u32 i;

	if (wire->head_len < sizeof(*gpa) ||
	    wire->head_len > chan->recv.gpa_room || !gpa->ranges ||
	    gpa->ranges > chan->set.max_chain)
		return false;

	for (i = 0; i < gpa->ranges; i++) {
		bytes = kmcl_range_take(&range, &left);
		total += bytes;
		if (!bytes || total > chan->set.max_external)
			return false;
	}
	return true;
}

/* The MDL of one range, locked but not mapped. */
static PMDL kmcl_external_mdl_of(const struct kmcl_wire_range *range, gfp_t gfp)
{
	void *start = (void *)(unsigned long)range->offset;
	size_t size = MmSizeOfMdl(start, range->len);
	PMDL mdl = kmalloc(size, gfp);

	if (!mdl)
		return NULL;

	MmInitializeMdl(mdl, start, range->len);
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	memcpy(MmGetMdlPfnArray(mdl), range->pfn, size - sizeof(*mdl));
	return mdl;
}

/* One MDL for each range; the ranges were checked. */
static PMDL kmcl_external_build(const struct kmcl_incoming *inc, gfp_t gfp)
{
	const struct kmcl_wire_gpa *gpa = (void *)inc->pkt.head;
	const struct kmcl_wire_range *range = (void *)gpa->range;
	u32 left = inc->pkt.head_len - sizeof(*gpa);
	PMDL first = NULL, *end = &first;
	u32 i;

	for (i = 0; i < gpa->ranges; i++) {
		*end = kmcl_external_mdl_of(range, gfp);
		if (!*end) {
			kmcl_external_free(first);
			return NULL;
		}
		end = &(*end)->Next;
		kmcl_range_take(&range, &left);
	}
	return first;
}

/*
 * Is there somewhere to wait for memory? Not twice: at PASSIVE_LEVEL a callback that
 * asks under a spin lock would do so again.
 */
static bool kmcl_external_postpone(struct kmcl_incoming *inc)
{
	return KeGetCurrentIrql() >= DISPATCH_LEVEL &&
	       current_work() != &inc->chan->recv.work && kmcl_deliver_defer(inc);
}

/* At DISPATCH_LEVEL only pages that are consecutive can get an address. */
static bool kmcl_external_needs_mapping(const struct kmcl_incoming *inc)
{
	PMDL mdl;

	for (mdl = inc->mdl; mdl; mdl = mdl->Next)
		if (!nt_mdl_direct(mdl))
			return true;
	return false;
}

/**
 * VmbChannelPacketGetExternalData() - the memory that came with a packet
 * @PacketCompletionContext: as passed to the ProcessPacket callback
 * @Flags: VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY: the caller does not
 *	write to it; or 0
 * @Mdl: a chain of MDLs over the sender's own pages, locked, without an address.
 *	Valid until the packet is completed or failed, when the library frees it
 *	and undoes a mapping. It is made once and given out each time.
 *
 * Memory comes with packets of a loopback channel, either way. As on Windows
 * ..._READ_ONLY prevents nothing: it is to be seen in the MDLs, which have
 * MDL_WRITE_OPERATION unless every call for the packet had the flag.
 *
 * The external data of a packet from a host is a set of transfer pages: places in
 * memory that the two ends have agreed upon before, in a way of their own. This
 * library does not know it, so no MDL can be made.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_PENDING: memory is short, or its pages are not consecutive and can be
 *    mapped at PASSIVE_LEVEL only. The caller returns from ProcessPacket, without
 *    completing the packet, and is called with it again at PASSIVE_LEVEL.
 *
 *  This project's decisions:
 *
 *  - STATUS_INSUFFICIENT_RESOURCES: memory is short where ProcessPacket was called at
 *    PASSIVE_LEVEL, or outside of it
 *  - STATUS_INVALID_PARAMETER_1: a bad handle
 *  - STATUS_INVALID_PARAMETER_2: an unknown flag
 *  - STATUS_INVALID_PARAMETER_3: a missing @Mdl
 *  - STATUS_NOT_FOUND: a packet without external data
 *  - STATUS_NOT_SUPPORTED: transfer pages
 */
NTSTATUS VmbChannelPacketGetExternalData(VMBPACKETCOMPLETION PacketCompletionContext,
					 UINT32 Flags, PMDL *Mdl)
{
	struct kmcl_incoming *inc =
		kmcl_incoming_from_handle(PacketCompletionContext);
	PMDL mdl;

	if (!inc)
		return STATUS_INVALID_PARAMETER_1;
	if (Flags & ~VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!Mdl)
		return STATUS_INVALID_PARAMETER_3;
	if (!inc->external)
		return inc->pkt.head->type == KMCL_WIRE_DATA ? STATUS_NOT_FOUND :
							 STATUS_NOT_SUPPORTED;

	if (!inc->mdl) {
		/* The packet may be what memory is being freed by. */
		inc->mdl = kmcl_external_build(inc, KeGetCurrentIrql() < DISPATCH_LEVEL ?
					       GFP_NOIO | __GFP_NOWARN :
					       GFP_ATOMIC | __GFP_NOWARN);
		if ((!inc->mdl || kmcl_external_needs_mapping(inc)) &&
		    kmcl_external_postpone(inc))
			return STATUS_PENDING;
	}
	if (!inc->mdl)
		return STATUS_INSUFFICIENT_RESOURCES;

	for (mdl = inc->mdl; mdl && !Flags; mdl = mdl->Next)
		mdl->MdlFlags |= MDL_WRITE_OPERATION;
	*Mdl = inc->mdl;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetExternalData);
