// SPDX-License-Identifier: GPL-2.0
/*
 * Behaviours that read and write guest memory: what a packet describes, and
 * what a GPADL describes.
 */
#include <stdlib.h>
#include <string.h>

#include "behaviour.h"
#include "client.h"
#include "crc32.h"
#include "log.h"

/* A piece at a time. */
#define EXTERNAL_PIECE		PAGE_SIZE

static bool external_crc(const struct ranges *ranges, u64 at, u64 len, u32 *crc)
{
	u8 piece[EXTERNAL_PIECE];

	for (*crc = 0; len; ) {
		u64 n = len < sizeof(piece) ? len : sizeof(piece);

		if (!ranges_read(bus.vm, ranges, at, piece, n))
			return false;
		*crc = crc32(*crc, piece, n);
		at += n;
		len -= n;
	}
	return true;
}

static bool external_fill(const struct ranges *ranges, u64 at, u64 len, u32 seed)
{
	u8 piece[EXTERNAL_PIECE];
	u64 done, i;

	for (done = 0; done < len; ) {
		u64 n = len - done < sizeof(piece) ? len - done : sizeof(piece);

		for (i = 0; i < n; i++)
			piece[i] = VMBHOST_PATTERN(seed, done + i);
		if (!ranges_write(bus.vm, ranges, at + done, piece, n))
			return false;
		done += n;
	}
	return true;
}

static void external_answer(struct channel *chan, struct packet *pkt,
			    const struct vmbhost_answer *answer)
{
	log_begin("external");
	log_u64("relid", chan->relid);
	log_hex("id", pkt->id);
	log_hex("status", answer->status);
	log_u64("ranges", answer->ranges);
	log_u64("bytes", answer->bytes);
	log_u64("crc", answer->crc);
	log_u64("seed", answer->seed);
	log_end();
	channel_complete(chan, pkt, answer, sizeof(*answer));
}

static void external_packet(struct channel *chan, struct packet *pkt)
{
	struct vmbhost_answer answer = {
		.seed = chan->offer->set.seed + chan->count.received,
		.ranges = pkt->ranges.count, .bytes = pkt->ranges.length,
	};

	if (pkt->type != PACKET_GPA_DIRECT) {
		channel_complete(chan, pkt, pkt->payload, pkt->len);
		return;
	}
	if (!external_crc(&pkt->ranges, 0, pkt->ranges.length, &answer.crc) ||
	    (chan->offer->set.write &&
	     !external_fill(&pkt->ranges, 0, pkt->ranges.length, answer.seed))) {
		bus_violation(chan, "external data that is no memory");
		answer.status = NT_UNSUCCESSFUL;
	}
	external_answer(chan, pkt, &answer);
}

const struct behaviour behaviour_external = {
	.name = "external",
	.help = "reads external data, answers its CRC, writes a pattern back unless write=no",
	.packet = external_packet,
};

static void gpadl_packet(struct channel *chan, struct packet *pkt)
{
	struct vmbhost_answer answer = {
		.seed = chan->offer->set.seed + chan->count.received,
	};
	struct vmbhost_request req;
	struct gpadl *gpadl;
	bool ok = false;

	if (pkt->len < sizeof(req)) {
		bus_violation(chan, "a request that is too short");
		return;
	}
	memcpy(&req, pkt->payload, sizeof(req));
	gpadl = gpadl_find(chan->relid, req.gpadl);
	if (gpadl && req.offset <= gpadl->ranges.length &&
	    req.length <= gpadl->ranges.length - req.offset) {
		answer.bytes = req.length ? req.length : gpadl->ranges.length - req.offset;
		answer.ranges = gpadl->ranges.count;
		ok = (req.op == VMBHOST_READ || req.op == VMBHOST_WRITE) &&
		     external_crc(&gpadl->ranges, req.offset, answer.bytes, &answer.crc);
		if (ok && req.op == VMBHOST_WRITE)
			ok = external_fill(&gpadl->ranges, req.offset, answer.bytes,
					   answer.seed);
	}
	if (!ok) {
		bus_violation(chan, "a request for memory that is in no GPADL");
		answer.status = NT_UNSUCCESSFUL;
	}
	external_answer(chan, pkt, &answer);
}

const struct behaviour behaviour_gpadl = {
	.name = "gpadl",
	.help = "reads and writes GPADLs as the guest's packets say (client.h)",
	.packet = gpadl_packet,
};
