// SPDX-License-Identifier: GPL-2.0
/* Memory that the host reads and writes: external data, GPADLs; and MMIO space. */
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "guest.h"

#define PAGES	16

/* Memory with a known content, and where the host is expected to write. */
struct canvas {
	u8 *bytes;
	u8 *before;
	u32 len;
};

static bool canvas_create(struct canvas *c, u32 pages)
{
	c->len = pages * PAGE_SIZE;
	c->bytes = vmalloc(c->len);
	c->before = vmalloc(c->len);
	if (!c->bytes || !c->before)
		return false;
	guest_fill(c->bytes, c->len, 0x31);
	memcpy(c->before, c->bytes, c->len);
	return true;
}

static void canvas_free(struct canvas *c)
{
	vfree(c->bytes);
	vfree(c->before);
}

struct piece {
	u32 at;
	u32 len;
};

/* Has the host read these pieces, written its pattern over them, and no more? */
static bool canvas_was_used(struct canvas *c, const struct piece *pieces, u32 n,
			    const struct vmbhost_answer *answer)
{
	u32 crc = 0, seed = answer->seed, i;
	u64 bytes = 0;

	for (i = 0; i < n; i++) {
		crc = guest_crc32(crc, c->before + pieces[i].at, pieces[i].len);
		guest_fill(c->before + pieces[i].at, pieces[i].len, seed + bytes);
		bytes += pieces[i].len;
	}
	return !answer->status && answer->crc == crc && answer->bytes == bytes &&
	       !memcmp(c->bytes, c->before, c->len);
}

static PMDL mdl_of(struct canvas *c, struct piece piece)
{
	PMDL mdl = IoAllocateMdl(c->bytes + piece.at, piece.len, FALSE, FALSE, NULL);

	if (mdl)
		MmBuildMdlForNonPagedPool(mdl);
	return mdl;
}

/* A packet whose completion is an answer of the host's. */
struct asked {
	VMBPACKET packet;
	struct completion over;
	NTSTATUS status;
	struct vmbhost_answer answer;
};

static VOID asked_over(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct asked *asked = kmcl.VmbPacketGetPointer(packet);

	asked->status = status;
	memset(&asked->answer, 0, sizeof(asked->answer));
	memcpy(&asked->answer, buffer, min_t(u32, len, sizeof(asked->answer)));
	complete(&asked->over);
}

static bool asked_create(struct asked *asked, struct peer *peer)
{
	asked->packet = kmcl.VmbPacketAllocate(peer->channel);
	if (!asked->packet)
		return false;
	init_completion(&asked->over);
	kmcl.VmbPacketSetPointer(asked->packet, asked);
	kmcl.VmbPacketSetCompletionRoutine(asked->packet, asked_over);
	return true;
}

static bool asked_done(struct asked *asked, NTSTATUS status)
{
	return status == STATUS_SUCCESS &&
	       wait_for_completion_timeout(&asked->over, PATIENCE) &&
	       asked->status == STATUS_SUCCESS;
}

static void external_chain(struct peer *peer, struct asked *asked, struct canvas *c)
{
	static const struct piece pieces[] = {
		{ 100, 5000 }, { 8192, 4096 }, { 5 * 4096 + 4095, 2 }, { 40000, 1 },
	};
	PMDL mdls[ARRAY_SIZE(pieces)];
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		mdls[i] = mdl_of(c, pieces[i]);
		if (!mdls[i])
			goto free;
		n++;
		if (i)
			mdls[i - 1]->Next = mdls[i];
	}
	peer_check(peer, asked_done(asked, kmcl.VmbPacketSend(asked->packet, "x", 1, mdls[0],
							      WAIT)) &&
		   asked->answer.ranges == ARRAY_SIZE(pieces) &&
		   canvas_was_used(c, pieces, ARRAY_SIZE(pieces), &asked->answer),
		   "the host reads and writes a chain of MDLs, and nothing else");
free:
	while (n--)
		IoFreeMdl(mdls[n]);
}

static void external_parts(struct peer *peer, struct asked *asked, struct canvas *c)
{
	static const struct piece whole = { 1000, 5000 }, part = { 1010, 4000 };
	/* The MDL ends at 6000, its last page at 8192. */
	static const struct piece forced = { 1000, 7192 };
	PMDL mdl = mdl_of(c, whole);
	VMBPACKET packet = asked->packet;
	NTSTATUS status;

	if (!mdl)
		return;
	status = kmcl.VmbPacketSendWithExternalMdl(packet, NULL, 0, mdl, 0, 0, WAIT);
	peer_check(peer, asked_done(asked, status) &&
		   canvas_was_used(c, &whole, 1, &asked->answer), "all of an MDL");
	status = kmcl.VmbPacketSendWithExternalMdl(packet, NULL, 0, mdl, 10, 4000, WAIT);
	peer_check(peer, asked_done(asked, status) &&
		   canvas_was_used(c, &part, 1, &asked->answer), "a part of an MDL");
	status = kmcl.VmbPacketSendWithExternalMdl(packet, NULL, 0, mdl, 0, 7192, WAIT |
						   VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH);
	peer_check(peer, asked_done(asked, status) &&
		   canvas_was_used(c, &forced, 1, &asked->answer), "an MDL to its page's end");
	IoFreeMdl(mdl);
}

static void external_pfns(struct peer *peer, struct asked *asked, struct canvas *c)
{
	static const struct piece pieces[] = {
		{ 3 * 4096, 4096 }, { 0, 4096 }, { 7 * 4096, 4096 },
	};
	PFN_NUMBER pfns[ARRAY_SIZE(pieces)];
	NTSTATUS status;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pieces); i++)
		pfns[i] = vmalloc_to_pfn(c->bytes + pieces[i].at);
	status = kmcl.VmbPacketSendWithExternalPfns(asked->packet, "x", 1, pfns, 3, WAIT);
	peer_check(peer, asked_done(asked, status) &&
		   canvas_was_used(c, pieces, ARRAY_SIZE(pieces), &asked->answer),
		   "pages by their frame numbers");
}

void job_external(void)
{
	struct asked asked;
	struct canvas c;
	struct peer peer;

	if (!peer_open(&peer, "external", JOB_EXTERNAL))
		return;
	if (canvas_create(&c, PAGES) && asked_create(&asked, &peer)) {
		external_chain(&peer, &asked, &c);
		external_parts(&peer, &asked, &c);
		external_pfns(&peer, &asked, &c);
		kmcl.VmbPacketFree(asked.packet);
	} else {
		peer_check(&peer, false, "memory for the job");
	}
	peer_close(&peer);
	canvas_free(&c);
}

/* Asks the host to do something with a GPADL. */
static bool gpadl_ask(struct peer *peer, u32 op, u32 gpadl, u32 offset, u32 length,
		      struct vmbhost_answer *answer)
{
	struct vmbhost_request req = {
		.op = op, .gpadl = gpadl, .offset = offset, .length = length,
	};
	LARGE_INTEGER timeout = { .QuadPart = -20 * 10000000LL };
	UINT32 size = sizeof(*answer);

	return kmcl.VmbChannelSendSynchronousRequest(peer->channel, &req, sizeof(req), NULL,
						     WAIT, answer, &size, &timeout) ==
	       STATUS_SUCCESS && size == sizeof(*answer);
}

static void gpadl_buffer(struct peer *peer, struct canvas *c)
{
	const struct piece whole = { 0, c->len }, part = { 5000, 6000 };
	struct vmbhost_answer answer;
	UINT32 gpadl;

	if (!peer_check(peer, kmcl.VmbChannelCreateGpadlFromBuffer(peer->channel, 0, c->bytes,
								   c->len, &gpadl) ==
			STATUS_SUCCESS, "the host takes a GPADL of a buffer"))
		return;
	peer_check(peer, gpadl_ask(peer, VMBHOST_READ, gpadl, 0, 0, &answer) &&
		   !answer.status && answer.bytes == c->len &&
		   answer.crc == guest_crc32(0, c->bytes, c->len), "and reads it");
	peer_check(peer, gpadl_ask(peer, VMBHOST_WRITE, gpadl, 5000, 6000, &answer) &&
		   canvas_was_used(c, &part, 1, &answer), "and writes to a part of it");
	peer_check(peer, gpadl_ask(peer, VMBHOST_WRITE, gpadl, 0, 0, &answer) &&
		   canvas_was_used(c, &whole, 1, &answer), "and to all of it");
	kmcl.VmbChannelDeleteGpadl(peer->channel, gpadl);
}

/* Two MDLs that join at page boundaries, and not in memory; then a part of them. */
static void gpadl_chain(struct peer *peer, struct canvas *c)
{
	static const struct piece pieces[] = { { 2 * 4096, 2 * 4096 }, { 9 * 4096, 3 * 4096 } };
	static const struct piece middle[] = { { 3 * 4096, 4096 }, { 9 * 4096, 4096 } };
	PMDL first = mdl_of(c, pieces[0]), second = mdl_of(c, pieces[1]);
	struct vmbhost_answer answer;
	UINT32 all, part;

	if (!first || !second)
		return;
	first->Next = second;
	if (!peer_check(peer, kmcl.VmbChannelCreateGpadlFromMdl(peer->channel, 0, first, 0, 0,
								&all) == STATUS_SUCCESS &&
			kmcl.VmbChannelCreateGpadlFromMdl(peer->channel, 0, first, 4096, 8192,
							  &part) == STATUS_SUCCESS,
			"the host takes GPADLs of a chain of MDLs"))
		return;
	IoFreeMdl(first);
	IoFreeMdl(second);
	peer_check(peer, gpadl_ask(peer, VMBHOST_WRITE, all, 0, 0, &answer) &&
		   canvas_was_used(c, pieces, 2, &answer), "and writes to all of the chain");
	peer_check(peer, gpadl_ask(peer, VMBHOST_WRITE, part, 0, 0, &answer) &&
		   canvas_was_used(c, middle, 2, &answer), "and to a part of the chain");
	kmcl.VmbChannelDeleteGpadl(peer->channel, all);
	kmcl.VmbChannelDeleteGpadl(peer->channel, part);
}

/* Pages by their numbers, the last ones first. */
static void gpadl_pages(struct peer *peer, struct canvas *c)
{
	static const struct piece pieces[] = {
		{ 11 * 4096, 4096 }, { 3 * 4096, 4096 }, { 7 * 4096, 4096 },
	};
	PFN_NUMBER pfns[ARRAY_SIZE(pieces)];
	struct vmbhost_answer answer;
	UINT32 gpadl, i;
	PMDL mdl;

	for (i = 0; i < ARRAY_SIZE(pieces); i++) {
		mdl = mdl_of(c, pieces[i]);
		if (!mdl)
			return;
		pfns[i] = *MmGetMdlPfnArray(mdl);
		IoFreeMdl(mdl);
	}
	if (!peer_check(peer, kmcl.VmbChannelCreateGpadlFromPfnList(peer->channel, 0, pfns,
								    ARRAY_SIZE(pfns), &gpadl) ==
			STATUS_SUCCESS, "the host takes a GPADL of pages by number"))
		return;
	peer_check(peer, gpadl_ask(peer, VMBHOST_WRITE, gpadl, 0, 0, &answer) &&
		   canvas_was_used(c, pieces, ARRAY_SIZE(pieces), &answer),
		   "and writes to these pages");
	kmcl.VmbChannelDeleteGpadl(peer->channel, gpadl);
}

/* Memory of the library's own. */
static void gpadl_made(struct peer *peer)
{
	struct vmbhost_answer answer;
	PVOID address;
	UINT32 gpadl;

	if (!peer_check(peer, VmbChannelCreateGpadl(peer->channel, 0, PAGES, &gpadl) ==
			STATUS_SUCCESS &&
			VmbChannelGetSystemAddressForGpadl(peer->channel, 0, gpadl, &address) ==
			STATUS_SUCCESS, "the host takes a GPADL of the library's memory"))
		return;
	guest_fill(address, PAGES * 4096, 0x71);
	peer_check(peer, gpadl_ask(peer, VMBHOST_WRITE, gpadl, 0, 0, &answer) &&
		   answer.bytes == PAGES * 4096 &&
		   guest_is_filled(address, PAGES * 4096, answer.seed), "and writes to it");
	guest_fill(address, PAGES * 4096, 0x71);
	peer_check(peer, gpadl_ask(peer, VMBHOST_READ, gpadl, 0, 0, &answer) &&
		   answer.crc == guest_crc32(0, address, PAGES * 4096), "and reads it");
	kmcl.VmbChannelDeleteGpadl(peer->channel, gpadl);
}

void job_gpadl(void)
{
	struct canvas c;
	struct peer peer;
	UINT32 left;

	if (!peer_open(&peer, "gpadl", JOB_GPADL))
		return;
	if (canvas_create(&c, PAGES)) {
		gpadl_buffer(&peer, &c);
		gpadl_chain(&peer, &c);
		gpadl_pages(&peer, &c);
		gpadl_made(&peer);
		/* What is left behind is deleted with the channel: the host tells. */
		peer_check(&peer, kmcl.VmbChannelCreateGpadlFromBuffer(peer.channel, 0, c.bytes,
								       4096, &left) ==
			   STATUS_SUCCESS, "one that is left to the close");
	}
	peer_close(&peer);
	canvas_free(&c);

	if (!peer_open(&peer, "gpadl refused", JOB_GPADL_REFUSED))
		return;
	if (canvas_create(&c, 1))
		peer_check(&peer, kmcl.VmbChannelCreateGpadlFromBuffer(peer.channel, 0, c.bytes,
								       4096, &left) ==
			   (NTSTATUS)STATUS_UNSUCCESSFUL, "a refusal is a status");
	peer_close(&peer);
	canvas_free(&c);
}

void job_mmio(void)
{
	UINT64 address = 0, size = 0;
	struct peer peer;

	if (!peer_open(&peer, "mmio", JOB_MMIO))
		return;
	kmcl.VmbChannelGetMmioSpace(peer.channel, &address, &size);
	peer_check(&peer, address && size == 8 << 20, "the offer's MMIO space is there");
	peer_close(&peer);
}
