// SPDX-License-Identifier: GPL-2.0
/*
 * External data: the memory that goes along with a packet is described in the
 * packet's own room, one range for each MDL, ready for the ring.
 */
#include "data.h"
#include "../nt/nt.h"

/* Begins the description; returns how large the memory may be. */
static u32 kmcl_external_begin(struct kmcl_packet *pkt)
{
	struct kmcl_wire_gpa *gpa = kmcl_packet_gpa(pkt);

	gpa->reserved = 0;
	gpa->ranges = 0;
	pkt->tx.out.type = KMCL_WIRE_DATA_GPA;
	pkt->tx.out.gpa = gpa;
	pkt->tx.out.gpa_len = sizeof(*gpa);
	return READ_ONCE(pkt->chan->set.max_external);
}

/* Adds a range to the packet's headers; false where they have no room for it. */
static __always_inline bool kmcl_external_add(struct kmcl_packet *pkt, const PFN_NUMBER *pfns,
					      u32 offset, u32 len)
{
	struct kmcl_out *out = &pkt->tx.out;
	struct kmcl_wire_range *range = (void *)out->gpa + out->gpa_len;
	u32 pages, bytes;

	pfns += offset >> KMCL_WIRE_PAGE_SHIFT;
	offset %= KMCL_WIRE_PAGE_SIZE;
	pages = ((u64)offset + len + KMCL_WIRE_PAGE_SIZE - 1) >> KMCL_WIRE_PAGE_SHIFT;
	bytes = struct_size(range, pfn, pages);
	if (bytes > pkt->shape.gpa - out->gpa_len)
		return false;

	range->len = len;
	range->offset = offset;
	memcpy(range->pfn, pfns, pages * sizeof(*pfns));
	out->gpa->ranges++;
	out->gpa_len += bytes;
	return true;
}

/* Bytes from an MDL's first one to the end of its last page. */
static u32 kmcl_mdl_padded_bytes(const MDL *mdl)
{
	return ALIGN((u64)mdl->ByteOffset + mdl->ByteCount,
		     KMCL_WIRE_PAGE_SIZE) - mdl->ByteOffset;
}

/* Describes all memory of a chain of MDLs: as kmcl_external_mdl(), in half the time. */
enum kmcl_external_error kmcl_external_whole(struct kmcl_packet *pkt, PMDL mdl)
{
	u32 may = kmcl_external_begin(pkt);
	u32 chain = READ_ONCE(pkt->chan->set.max_chain);

	for (; mdl; mdl = mdl->Next) {
		if (!chain-- || !nt_mdl_is_locked(mdl) || mdl->ByteCount > may)
			return KMCL_EXTERNAL_MEMORY;
		if (mdl->ByteCount &&
		    !kmcl_external_add(pkt, MmGetMdlPfnArray(mdl), mdl->ByteOffset,
				       mdl->ByteCount))
			return KMCL_EXTERNAL_MEMORY;
		may -= mdl->ByteCount;
	}
	return pkt->tx.out.gpa->ranges ? KMCL_EXTERNAL_OK : KMCL_EXTERNAL_MEMORY;
}

/**
 * kmcl_external_mdl() - describe memory of a chain of MDLs
 * @pkt: a packet that was taken
 * @mdl: the chain
 * @offset: bytes to leave out at the chain's beginning
 * @length: bytes to describe, 0 for all that follow
 * @force: only the first MDL counts, as far as its last page goes
 *
 * Return:
 *  - KMCL_EXTERNAL_OK
 *  - KMCL_EXTERNAL_MEMORY: MDLs that are missing, not locked, empty, or beyond the
 *    limits
 *  - KMCL_EXTERNAL_OFFSET: @offset leads beyond the memory
 *  - KMCL_EXTERNAL_LENGTH: @length does
 */
enum kmcl_external_error kmcl_external_mdl(struct kmcl_packet *pkt, PMDL mdl,
					   u32 offset, u32 length, bool force)
{
	u32 may = kmcl_external_begin(pkt);
	u32 chain = READ_ONCE(pkt->chan->set.max_chain);
	u32 left = length ?: U32_MAX;
	bool any = false;
	u32 bytes, take;

	for (; mdl && left; mdl = force ? NULL : mdl->Next) {
		if (!chain-- || !nt_mdl_is_locked(mdl))
			return KMCL_EXTERNAL_MEMORY;

		bytes = force && length ? kmcl_mdl_padded_bytes(mdl) :
					  mdl->ByteCount;
		any |= bytes;
		if (offset >= bytes) {
			offset -= bytes;
			continue;
		}

		take = min(bytes - offset, left);
		if (take > may ||
		    !kmcl_external_add(pkt, MmGetMdlPfnArray(mdl),
				       mdl->ByteOffset + offset, take))
			return KMCL_EXTERNAL_MEMORY;
		may -= take;
		left -= take;
		offset = 0;
	}

	if (!pkt->tx.out.gpa->ranges)
		return any ? KMCL_EXTERNAL_OFFSET : KMCL_EXTERNAL_MEMORY;
	return length && left ? KMCL_EXTERNAL_LENGTH : KMCL_EXTERNAL_OK;
}

/* As kmcl_external_mdl(), for whole pages. */
enum kmcl_external_error kmcl_external_pfns(struct kmcl_packet *pkt,
					    const PFN_NUMBER *pfns, u32 count)
{
	u32 may = kmcl_external_begin(pkt);

	if (!count || count > may / KMCL_WIRE_PAGE_SIZE ||
	    !kmcl_external_add(pkt, pfns, 0, count * KMCL_WIRE_PAGE_SIZE))
		return KMCL_EXTERNAL_MEMORY;
	return KMCL_EXTERNAL_OK;
}
