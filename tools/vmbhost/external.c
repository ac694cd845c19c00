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

/* What an open channel of "external" knows. */
struct external {
	struct vmbhost_window window;	/* all zero: anywhere */
	u64 pages;			/* seen in it */
};

static void external_opened(struct channel *chan)
{
	chan->priv = xalloc(sizeof(struct external));
}

static void external_set_window(struct channel *chan, const struct packet *pkt)
{
	struct external *external = chan->priv;

	memcpy(&external->window, pkt->payload, sizeof(external->window));
	log_begin("window");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_u64("first", external->window.first);
	log_u64("last", external->window.last);
	log_end();
}

static bool external_is_window(const struct packet *pkt)
{
	struct vmbhost_window window;

	if (pkt->len < sizeof(window))
		return false;
	memcpy(&window, pkt->payload, sizeof(window));
	return window.op == VMBHOST_WINDOW && !window.reserved;
}

/* Lies all that the packet describes where the guest has said that it would? */
static bool external_in_window(struct channel *chan, const struct ranges *ranges)
{
	struct external *external = chan->priv;
	u32 i, j;

	if (!external->window.op)
		return true;
	for (i = 0; i < ranges->count; i++) {
		for (j = 0; j < ranges->list[i].pages; j++) {
			u64 pfn = ranges->list[i].pfns[j];

			if (pfn < external->window.first || pfn > external->window.last)
				return false;
			external->pages++;
		}
	}
	return true;
}

static void external_closed(struct channel *chan)
{
	struct external *external = chan->priv;

	if (!external->window.op)
		return;
	log_begin("window-pages");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_u64("pages", external->pages);
	log_end();
}

static void external_log(struct channel *chan, struct packet *pkt,
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
}

static void external_answer(struct channel *chan, struct packet *pkt,
			    const struct vmbhost_answer *answer)
{
	external_log(chan, pkt, answer);
	channel_complete(chan, pkt, answer, sizeof(*answer));
}

static void external_packet(struct channel *chan, struct packet *pkt)
{
	struct vmbhost_answer answer = {
		.seed = chan->offer->set.seed + chan->count.received,
		.ranges = pkt->ranges.count, .bytes = pkt->ranges.length,
	};
	const struct external *external = chan->priv;

	if (pkt->type != PACKET_GPA_DIRECT) {
		if (external_is_window(pkt))
			external_set_window(chan, pkt);
		channel_complete(chan, pkt, pkt->payload, pkt->len);
		return;
	}
	if (!external_in_window(chan, &pkt->ranges)) {
		bus_violation(chan, "external data outside of the window");
		answer.status = NT_UNSUCCESSFUL;
	} else if (!external_crc(&pkt->ranges, 0, pkt->ranges.length, &answer.crc) ||
	    (chan->offer->set.write &&
	     !external_fill(&pkt->ranges, 0, pkt->ranges.length, answer.seed))) {
		bus_violation(chan, "external data that is no memory");
		answer.status = NT_UNSUCCESSFUL;
	}
	/* With a window there are many: their account is at the end. */
	if (answer.status || !external->window.op)
		external_log(chan, pkt, &answer);
	channel_complete(chan, pkt, &answer, sizeof(answer));
}

const struct behaviour behaviour_external = {
	.name = "external",
	.help = "reads external data, answers its CRC, writes a pattern back unless write=no",
	.opened = external_opened,
	.packet = external_packet,
	.closed = external_closed,
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
