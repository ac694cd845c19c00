// SPDX-License-Identifier: GPL-2.0
/*
 * A behaviour that sends: so many packets of such a size at such a rate.
 */
#include <stdlib.h>
#include <string.h>

#include "behaviour.h"
#include "client.h"
#include "crc32.h"
#include "log.h"

/* Where in the guest's buffer a packet of transfer pages is, and how it is cut. */
#define TRANSFER_SET		0x4b4d
#define TRANSFER_RANGE		1024u

#define SOURCE_BATCH		64

struct source {
	u64 sent;
	u64 answered;
	/* Ids without an answer, mixed and added up: hardly the sum of any others. */
	u64 open;
	u64 start;
	u32 gpadl;	/* the guest's buffer for transfer pages */
	bool done;
	u8 *payload;
};

/* The id says which: answers are checked against it. */
static u64 source_id(u64 sequence)
{
	return 0x5eed000000000000ull + sequence;
}

static void source_payload(struct source *src, u64 size)
{
	const u64 sequence = src->sent;
	u64 i;

	for (i = 0; i < size; i++)
		src->payload[i] = VMBHOST_PATTERN(sequence, i);
	if (size >= sizeof(sequence))
		memcpy(src->payload, &sequence, sizeof(sequence));
}

static void source_transfer(struct channel *chan, struct source *src, u64 size)
{
	struct gpadl *gpadl = gpadl_find(chan->relid, src->gpadl);
	struct packet_transfer_pages *pages;
	struct packet_header head = { .type = PACKET_TRANSFER_PAGES };
	u32 count = size ? ALIGN_UP(size, TRANSFER_RANGE) / TRANSFER_RANGE : 1;
	u32 len = sizeof(*pages) + count * sizeof(pages->ranges[0]), i;
	u64 slots, at;

	if (!gpadl || gpadl->ranges.length < size) {
		bus_violation(chan, "the buffer for transfer pages is too small or gone");
		src->done = true;
		return;
	}
	slots = size ? gpadl->ranges.length / size : 1;
	at = src->sent % slots * size;
	if (!ranges_write(bus.vm, &gpadl->ranges, at, src->payload, size)) {
		bus_violation(chan, "the buffer for transfer pages is no memory");
		src->done = true;
		return;
	}
	pages = xalloc(len);
	pages->set = TRANSFER_SET;
	pages->count = count;
	for (i = 0; i < count; i++) {
		pages->ranges[i].offset = at + i * TRANSFER_RANGE;
		pages->ranges[i].length = i == count - 1 ? size - i * TRANSFER_RANGE :
							   TRANSFER_RANGE;
	}
	head.offset8 = (sizeof(head) + len) / 8;
	head.len8 = head.offset8;
	head.flags = PACKET_WANTS_COMPLETION; /* it gives the buffer back */
	head.id = source_id(src->sent);
	chan->count.sent++;
	chan->count.sent_bytes += size;
	chan->count.sent_crc = crc32(chan->count.sent_crc, src->payload, size);
	channel_send_raw(chan, &head, pages, len, NULL, 0);
	free(pages);
}

static void source_finish(struct channel *chan, struct source *src, bool answers)
{
	if (src->done || (answers && src->answered < src->sent))
		return;
	src->done = true;
	if (answers && src->open)
		bus_violation(chan, "some packets were completed twice, others never");
	log_begin("source-done");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_u64("sent", src->sent);
	log_u64("answered", src->answered);
	log_end();
}

static void source_pump(void *arg)
{
	struct channel *chan = arg;
	struct source *src = chan->priv;
	const struct offer *offer = chan->offer;
	bool answers = offer->set.completion || offer->set.transfer_pages;
	u32 batch = 0;
	u64 due;

	if (src->done || (offer->set.transfer_pages && !src->gpadl))
		return;
	while (!chan->waiting && !src->done) {
		if (offer->set.count && src->sent >= offer->set.count) {
			source_finish(chan, src, answers);
			return;
		}
		if (answers && src->sent - src->answered >= offer->set.window)
			return;
		if (offer->set.rate) {
			due = src->start + src->sent * 1000000 / offer->set.rate;
			if (due > now_us()) {
				timer_set(&chan->pace, due - now_us());
				return;
			}
		}
		/* The other channels have a right to the loop, too. */
		if (batch++ == SOURCE_BATCH) {
			timer_set(&chan->pace, 0);
			return;
		}
		source_payload(src, offer->set.size);
		if (offer->set.transfer_pages)
			source_transfer(chan, src, offer->set.size);
		else
			channel_send(chan, offer->set.completion ? PACKET_WANTS_COMPLETION : 0,
				     source_id(src->sent), src->payload, offer->set.size);
		src->open += mix64(source_id(src->sent));
		src->sent++;
	}
}

static void source_opened(struct channel *chan)
{
	struct source *src = xalloc(sizeof(*src) + chan->offer->set.size);

	src->payload = (u8 *)(src + 1);
	src->start = now_us();
	chan->priv = src;
	chan->pace.fire = source_pump;
	timer_set(&chan->pace, 0);
}

static void source_completion(struct channel *chan, struct packet *pkt)
{
	struct source *src = chan->priv;

	if (pkt->id - source_id(0) >= src->sent) {
		bus_violation(chan, "a completion of a packet that was not sent");
	} else if (src->answered >= src->sent) {
		bus_violation(chan, "more completions than packets");
	} else {
		src->answered++;
		src->open -= mix64(pkt->id);
	}
	source_pump(chan);
}

static void source_packet(struct channel *chan, struct packet *pkt)
{
	struct vmbhost_answer answer = { 0 };
	struct source *src = chan->priv;
	struct vmbhost_request req;

	if (pkt->len >= sizeof(req)) {
		memcpy(&req, pkt->payload, sizeof(req));
		if (req.op == VMBHOST_BUFFER && gpadl_find(chan->relid, req.gpadl))
			src->gpadl = req.gpadl;
		else
			answer.status = NT_UNSUCCESSFUL;
	}
	channel_complete(chan, pkt, &answer, sizeof(answer));
	source_pump(chan);
}

static void source_room(struct channel *chan)
{
	source_pump(chan);
}

const struct behaviour behaviour_source = {
	.name = "source",
	.help = "sends count=N packets of size=S at rate=R a second",
	.opened = source_opened,
	.packet = source_packet,
	.completion = source_completion,
	.room = source_room,
};
