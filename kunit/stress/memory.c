// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that goes along with a packet of stress: whole pages, or a chain of MDLs,
 * or a part of one. What the receiver is to find is decided first, in pieces; chain,
 * offset and length are made to fit.
 */
#include <linux/mm.h>

#include "../frame.h"
#include "stress.h"

/* What is around the pieces, which nobody is to touch. */
#define STRESS_AROUND	0x5e5e5e5e

/* Pieces begin and end with a multiple of that many bytes. */
#define STRESS_GRAIN	4
/* Each MDL of a chain has an area, and all areas together move by a KiB. */
#define STRESS_AREA	((STRESS_MEMORY - 1024) / STRESS_CHAIN)

int stress_memory_init(struct stress_memory *mem)
{
	u32 i;

	mem->bytes = alloc_pages_exact(STRESS_MEMORY, GFP_KERNEL);
	if (!mem->bytes)
		return -ENOMEM;
	/* With room for all of it each. */
	for (i = 0; i < STRESS_CHAIN; i++) {
		mem->mdls[i] = IoAllocateMdl(mem->bytes, STRESS_MEMORY, FALSE, FALSE, NULL);
		if (!mem->mdls[i])
			return -ENOMEM;
	}
	return 0;
}

void stress_memory_destroy(struct stress_memory *mem)
{
	u32 i;

	for (i = 0; i < STRESS_CHAIN; i++)
		if (mem->mdls[i])
			IoFreeMdl(mem->mdls[i]);
	if (mem->bytes)
		free_pages_exact(mem->bytes, STRESS_MEMORY);
}

/* From 0 to less than @bytes. */
static u32 stress_part_of(u32 bytes, u64 draw)
{
	return (u32)draw % (bytes / STRESS_GRAIN) * STRESS_GRAIN;
}

/* The next MDL of the chain. */
static void stress_mdl_add(struct stress_memory *mem, u32 at, u32 bytes)
{
	u32 i = mem->n_mdls++;

	MmInitializeMdl(mem->mdls[i], mem->bytes + at, bytes);
	MmBuildMdlForNonPagedPool(mem->mdls[i]);
	if (i)
		mem->mdls[i - 1]->Next = mem->mdls[i];
}

static void stress_piece_add(struct stress_memory *mem, u32 at, u32 bytes)
{
	mem->pieces[mem->n_pieces++] = (struct stress_piece) { at, bytes };
	mem->sent += bytes;
}

/* In areas that follow each other in the memory forwards or backwards, with gaps. */
static void stress_draw_chain(struct stress_memory *mem, u64 draw)
{
	u32 n = draw % STRESS_CHAIN + 1;
	u32 area = draw >> 2 & 3, step = draw >> 4 & 1 ? 1 : STRESS_CHAIN - 1;
	u32 shift = stress_part_of(1024, draw >> 16), i, gap;

	for (i = 0; i < n; i++, area += step) {
		draw = stress_mix(draw);
		gap = stress_part_of(STRESS_AREA, draw);
		stress_mdl_add(mem, shift + area % STRESS_CHAIN * STRESS_AREA + gap,
			       stress_part_of(STRESS_AREA - gap, draw >> 32) + STRESS_GRAIN);
	}
}

static u32 stress_mdl_at(const struct stress_memory *mem, u32 i)
{
	return mem->mdls[i]->StartVa - mem->bytes + MmGetMdlByteOffset(mem->mdls[i]);
}

/* All of the chain. */
static void stress_draw_all(struct stress_memory *mem, u64 draw)
{
	u32 i;

	stress_draw_chain(mem, draw);
	for (i = 0; i < mem->n_mdls; i++)
		stress_piece_add(mem, stress_mdl_at(mem, i), MmGetMdlByteCount(mem->mdls[i]));
}

/*
 * From the middle of an MDL, the first or the second, to the middle of another or the
 * same; or, without a length, to the end of the chain.
 */
static void stress_draw_part(struct stress_memory *mem, u64 draw)
{
	u32 first, last, i, bytes, out;

	stress_draw_chain(mem, draw);
	draw = stress_mix(~draw);
	first = mem->n_mdls > 1 && draw & 1;
	last = draw & 2 ? mem->n_mdls - 1 : first;
	for (i = 0; i < first; i++)
		mem->offset += MmGetMdlByteCount(mem->mdls[i]);

	for (i = first; i <= last; i++) {
		bytes = MmGetMdlByteCount(mem->mdls[i]);
		out = i == first ? stress_part_of(bytes, draw >> 8) : 0;
		bytes -= out;
		mem->offset += out;
		if (i == last && draw & 4)
			bytes -= stress_part_of(bytes, draw >> 32);
		stress_piece_add(mem, stress_mdl_at(mem, i) + out, bytes);
	}
	mem->length = last == mem->n_mdls - 1 && !(draw & 4) ? 0 : mem->sent;
}

/* Of the first MDL alone, as far as its last page goes. */
static void stress_draw_forced(struct stress_memory *mem, u64 draw)
{
	u32 at, end, out;

	stress_draw_chain(mem, draw);
	draw = stress_mix(~draw);
	at = stress_mdl_at(mem, 0);
	end = at + MmGetMdlByteCount(mem->mdls[0]);
	out = stress_part_of(end - at, draw);
	end = ALIGN(end, 4096);
	mem->offset = out;
	mem->length = end - at - out - stress_part_of(end - at - out, draw >> 32);
	stress_piece_add(mem, at + out, mem->length);
}

/* What is sent, and how; filled with what is to be found. Returns how many bytes. */
u32 stress_memory_draw(struct stress_memory *mem, u64 draw, u64 name)
{
	u32 i, at = 0;

	for (i = 0; i < STRESS_CHAIN; i++)
		mem->mdls[i]->Next = NULL;
	mem->way = (draw >> 30) % STRESS_WAYS;
	mem->n_mdls = 0;
	mem->n_pieces = 0;
	mem->sent = 0;
	mem->offset = 0;
	draw = stress_mix(draw);
	switch (mem->way) {
	case STRESS_BY_CHAIN:
		stress_draw_all(mem, draw);
		break;
	case STRESS_BY_PART:
		stress_draw_part(mem, draw);
		break;
	case STRESS_BY_FORCE:
		stress_draw_forced(mem, draw);
		break;
	default:
		stress_mdl_add(mem, 0, STRESS_MEMORY);
		stress_piece_add(mem, 0, STRESS_MEMORY);
	}

	stress_fill(mem->bytes, STRESS_MEMORY, STRESS_AROUND);
	for (i = 0; i < mem->n_pieces; i++) {
		stress_fill(mem->bytes + mem->pieces[i].at, mem->pieces[i].bytes, name + at / 4);
		at += mem->pieces[i].bytes;
	}
	return mem->sent;
}

NTSTATUS stress_memory_send(struct stress_memory *mem, VMBPACKET packet, void *payload,
			    u32 len)
{
	u32 flags = STRESS_WAIT;

	switch (mem->way) {
	case STRESS_BY_CHAIN:
		return VmbPacketSend(packet, payload, len, mem->mdls[0], flags);
	case STRESS_BY_FORCE:
		flags |= VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH;
		fallthrough;
	case STRESS_BY_PART:
		return VmbPacketSendWithExternalMdl(packet, payload, len, mem->mdls[0],
						    mem->offset, mem->length, flags);
	default:
		return VmbPacketSendWithExternalPfns(packet, payload, len,
						     MmGetMdlPfnArray(mem->mdls[0]),
						     STRESS_MEMORY / 4096, flags);
	}
}

/* After the completion: the pieces, and what is around them. The memory is used up. */
bool stress_memory_is(struct stress_memory *mem, u64 name)
{
	u32 i, at = 0;

	for (i = 0; i < mem->n_pieces; i++) {
		const struct stress_piece *piece = &mem->pieces[i];

		if (!stress_filled(mem->bytes + piece->at, piece->bytes, name + at / 4))
			return false;
		stress_fill(mem->bytes + piece->at, piece->bytes,
			    STRESS_AROUND + piece->at / 4);
		at += piece->bytes;
	}
	return stress_filled(mem->bytes, STRESS_MEMORY, STRESS_AROUND);
}

/* The packet's memory is what was sent; leaves in it what is to be found there. */
bool stress_memory_received(const struct stress_msg *msg, PMDL mdl, u64 name)
{
	u32 offset, bytes, left, page;
	u32 at = 0;
	void *words;

	for (; mdl; mdl = mdl->Next) {
		offset = MmGetMdlByteOffset(mdl);
		left = MmGetMdlByteCount(mdl);
		for (page = 0; left; page++, left -= bytes, offset = 0) {
			bytes = min_t(u32, left, 4096 - offset);
			words = frame_address(MmGetMdlPfnArray(mdl)[page]);
			if (!stress_filled(words + offset, bytes, name + at / 4))
				return false;
			if (msg->write)
				stress_fill(words + offset, bytes, ~name + at / 4);
			at += bytes;
		}
	}
	return at == msg->memory;
}
