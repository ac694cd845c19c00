// SPDX-License-Identifier: GPL-2.0
/*
 * Packets: out of the guest's ring to the behaviour, and back.
 */
#include <stdlib.h>
#include <string.h>

#include "behaviour.h"
#include "channel.h"
#include "crc32.h"
#include "hostile.h"
#include "log.h"
#include "synic.h"

/* Guests may forget to signal: look all the same while something waits. */
#define POLL_US			5000
/* As many answers wait at most; then the guest's ring is left unread. */
#define WAITING_MAX		256
/* So that one channel does not keep the others waiting. */
#define BATCH			64

struct waiting {
	struct waiting *next;
	u32 len;
	u8 bytes[];
};

void channel_signal(struct channel *chan)
{
	chan->count.signals_out++;
	synic_set_flag(chan->vp, chan->relid);
}

void channel_drop_waiting(struct channel *chan)
{
	struct waiting *w;

	while ((w = chan->waiting)) {
		chan->waiting = w->next;
		free(w);
	}
	chan->waiting_end = &chan->waiting;
	chan->waiting_count = 0;
}

static void channel_wait(struct channel *chan, const struct ring_part *parts, u32 count)
{
	struct waiting *w;
	u32 len = 0, i;

	for (i = 0; i < count; i++)
		len += parts[i].len;
	if (ALIGN_UP(len, 8) + RING_TRAILER >= chan->out.size) {
		log_begin("too-large");
		log_u64("relid", chan->relid);
		log_u64("bytes", len);
		log_end();
		return;
	}
	w = xalloc(sizeof(*w) + len);
	for (i = 0; i < count; i++) {
		memcpy(w->bytes + w->len, parts[i].bytes, parts[i].len);
		w->len += parts[i].len;
	}
	*chan->waiting_end = w;
	chan->waiting_end = &w->next;
	chan->waiting_count++;
	chan->count.full++;
	ring_want_room(&chan->out, ALIGN_UP(chan->waiting->len, 8) + RING_TRAILER);
	timer_set(&chan->poll, POLL_US);
}

static bool channel_write(struct channel *chan, const struct ring_part *parts, u32 count)
{
	enum ring_write result = ring_write(&chan->out, parts, count);

	chan->count.written += result != RING_FULL;
	if (result == RING_WRITTEN_SIGNAL)
		channel_signal(chan);
	return result != RING_FULL;
}

static void channel_flush(struct channel *chan)
{
	struct waiting *w;

	if (!chan->waiting)
		return;
	while ((w = chan->waiting)) {
		struct ring_part part = { w->bytes, w->len };

		if (!channel_write(chan, &part, 1))
			break;
		chan->waiting = w->next;
		chan->waiting_count--;
		free(w);
	}
	if (chan->waiting) {
		ring_want_room(&chan->out, ALIGN_UP(chan->waiting->len, 8) + RING_TRAILER);
		timer_set(&chan->poll, POLL_US);
		return;
	}
	chan->waiting_end = &chan->waiting;
	ring_want_room(&chan->out, 0);
}

void channel_send_raw(struct channel *chan, struct packet_header *head, const void *extra,
		      u32 extra_len, const void *payload, u32 len)
{
	struct ring_part parts[] = {
		{ head, sizeof(*head) },
		/* No null pointers for those that are empty. */
		{ extra ? extra : "", extra_len }, { payload ? payload : "", len },
	};

	/* What came first goes first. */
	if (chan->waiting || !channel_write(chan, parts, ARRAY_SIZE(parts)))
		channel_wait(chan, parts, ARRAY_SIZE(parts));
	if (!bus.log_packets)
		return;
	log_begin("out");
	log_u64("relid", chan->relid);
	log_u64("type", head->type);
	log_hex("id", head->id);
	log_u64("bytes", len);
	log_end();
}

static void channel_send_type(struct channel *chan, u16 type, u16 flags, u64 id,
			      const void *payload, u32 len)
{
	struct packet_header head = {
		.type = type, .offset8 = sizeof(head) / 8,
		.len8 = (sizeof(head) + ALIGN_UP(len, 8)) / 8, .flags = flags, .id = id,
	};

	channel_send_raw(chan, &head, NULL, 0, payload, len);
}

void channel_complete(struct channel *chan, const struct packet *pkt, const void *payload,
		      u32 len)
{
	if (!(pkt->flags & PACKET_WANTS_COMPLETION))
		return;
	chan->count.completed++;
	chan->count.completion_crc = crc32(chan->count.completion_crc, payload, len);
	channel_send_type(chan, PACKET_COMPLETION, 0, pkt->id, payload, len);
}

void channel_send(struct channel *chan, u16 flags, u64 id, const void *payload, u32 len)
{
	chan->count.sent++;
	chan->count.sent_bytes += len;
	chan->count.sent_crc = crc32(chan->count.sent_crc, payload, len);
	channel_send_type(chan, PACKET_DATA, flags, id, payload, len);
}

/* The ranges that a packet with external data has before its payload. */
static const char *packet_ranges(struct packet *pkt, const u8 *extra, u32 len)
{
	struct packet_ranges head;

	if (len < sizeof(head))
		return "a packet without the ranges that its type has";
	memcpy(&head, extra, sizeof(head));
	return ranges_parse(&pkt->ranges, extra + sizeof(head), len - sizeof(head),
			    head.count, NULL);
}

static void channel_log_packet(struct channel *chan, const struct packet *pkt)
{
	log_begin("in");
	log_u64("relid", chan->relid);
	log_u64("type", pkt->type);
	log_hex("id", pkt->id);
	log_u64("flags", pkt->flags);
	log_u64("bytes", pkt->len);
	if (pkt->ranges.count) {
		log_u64("ranges", pkt->ranges.count);
		log_u64("external", pkt->ranges.length);
	}
	log_end();
}

static void channel_dispatch(struct channel *chan, struct packet *pkt)
{
	const struct behaviour *behaviour = chan->offer->behaviour;

	if (bus.log_packets)
		channel_log_packet(chan, pkt);
	switch (pkt->type) {
	case PACKET_COMPLETION:
		chan->count.completions++;
		if (behaviour->completion)
			behaviour->completion(chan, pkt);
		return;
	case PACKET_CANCEL:
		log_begin("cancel");
		log_u64("relid", chan->relid);
		log_hex("id", pkt->id);
		log_end();
		return;
	}
	chan->count.received++;
	chan->count.received_bytes += pkt->len;
	chan->count.received_crc = crc32(chan->count.received_crc, pkt->payload, pkt->len);
	chan->count.wanted += pkt->flags & PACKET_WANTS_COMPLETION;
	chan->count.external_bytes += pkt->ranges.length;
	if (behaviour->packet)
		behaviour->packet(chan, pkt);
}

/* One packet out of the ring. False: there is none, or no sense in it. */
static bool channel_read_one(struct channel *chan, bool *wants_room)
{
	struct packet_header head;
	struct packet pkt = { 0 };
	const char *wrong = NULL;
	u32 len, offset;
	u8 *copy;

	switch (ring_peek(&chan->in, &head, &len, &wrong)) {
	case RING_EMPTY:
		return false;
	case RING_BROKEN:
		bus_violation(chan, wrong);
		chan->broken = true;
		return false;
	case RING_PACKET:
		break;
	}
	copy = xalloc(len);
	ring_copy(&chan->in, 0, copy, len);
	*wants_room |= ring_consume(&chan->in, len);

	offset = head.offset8 * 8;
	pkt.type = head.type;
	pkt.flags = head.flags;
	pkt.id = head.id;
	pkt.payload = copy + offset;
	pkt.len = len - offset;
	if (pkt.type == PACKET_GPA_DIRECT)
		wrong = packet_ranges(&pkt, copy + sizeof(head), offset - sizeof(head));
	else if (pkt.type != PACKET_DATA && pkt.type != PACKET_COMPLETION &&
		 pkt.type != PACKET_CANCEL)
		wrong = "a packet of a type that no guest sends here";
	if (wrong)
		bus_violation(chan, wrong);
	else
		channel_dispatch(chan, &pkt);
	hostile_packet(chan, &pkt);
	ranges_free(&pkt.ranges);
	free(copy);
	return true;
}

static bool channel_may_read(struct channel *chan)
{
	const struct behaviour *behaviour = chan->offer->behaviour;

	if (chan->state != CHANNEL_OPEN || chan->broken || chan->waiting_count >= WAITING_MAX)
		return false;
	return !behaviour->may_read || behaviour->may_read(chan);
}

static void channel_after_packet(struct channel *chan)
{
	u64 limit = chan->offer->rescind_packets;

	if (limit && chan->state == CHANNEL_OPEN && chan->count.received >= limit)
		offer_withdraw(chan);
}

static void channel_drain(struct channel *chan)
{
	bool wants_room = false;
	u32 n = 0;

	ring_mask(&chan->in, true);
	for (;;) {
		if (!channel_may_read(chan))
			break;
		if (n++ == BATCH) {
			timer_set(&chan->poll, 0);
			break;
		}
		if (channel_read_one(chan, &wants_room)) {
			channel_after_packet(chan);
			continue;
		}
		if (chan->broken)
			break;
		/* Empty: signals are wanted again, but for what came just now. */
		ring_mask(&chan->in, false);
		if (ring_is_empty(&chan->in))
			break;
		ring_mask(&chan->in, true);
	}
	if (chan->state == CHANNEL_OPEN && wants_room)
		channel_signal(chan);
}

void channel_poll(void *arg)
{
	struct channel *chan = arg;
	const struct behaviour *behaviour = chan->offer->behaviour;

	if (chan->state != CHANNEL_OPEN)
		return;
	channel_flush(chan);
	channel_drain(chan);
	if (chan->state == CHANNEL_OPEN && !chan->waiting && behaviour->room)
		behaviour->room(chan);
}
