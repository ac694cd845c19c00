// SPDX-License-Identifier: GPL-2.0
/*
 * Plays tricks when they are due: by packets, or by time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "log.h"

/* Of each trick so many are logged one by one. */
#define LOGGED_TIMES		20

static const struct trick_kind *const all_tricks[] = {
	tricks_completion, tricks_packet, tricks_ring, tricks_bus,
};

const struct trick_kind *trick_by_name(const char *name)
{
	const struct trick_kind *kind;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all_tricks); i++)
		for (kind = all_tricks[i]; kind->name; kind++)
			if (!strcmp(kind->name, name))
				return kind;
	return NULL;
}

void tricks_help(void)
{
	const struct trick_kind *kind;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all_tricks); i++)
		for (kind = all_tricks[i]; kind->name; kind++)
			printf("  %-18s%s\n", kind->name, kind->help);
}

/* Xorshift: the same seed and opening, the same numbers. */
u64 hostile_random(struct hostile *hostile)
{
	hostile->random ^= hostile->random << 13;
	hostile->random ^= hostile->random >> 7;
	hostile->random ^= hostile->random << 17;
	return hostile->random;
}

bool hostile_put(struct hostile *hostile, const void *bytes, u32 len)
{
	struct ring_part part = { bytes, len };

	if (ring_write(&hostile->chan->out, &part, 1) == RING_FULL)
		return false;
	hostile->chan->count.written++;
	hostile->chan->count.hostile++;
	channel_signal(hostile->chan);
	return true;
}

static void hostile_log(struct channel *chan, const struct trick *trick)
{
	log_begin("trick");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_str("trick", trick->kind->name);
	log_u64("after", chan->count.received);
	log_end();
}

static void hostile_play_once(struct played *played)
{
	struct channel *chan = played->hostile->chan;
	const struct trick *trick = played->trick;
	u64 times;

	if (trick->times && played->times >= trick->times)
		return;
	/* Ahead of it, for it may close the channel, and the account has the number. */
	times = ++played->times;
	chan->count.tricks++;
	if (!trick->kind->play(played->hostile, trick)) {
		played->times--;
		chan->count.tricks--;
	} else if (times <= LOGGED_TIMES || bus.log_packets) {
		hostile_log(chan, trick);
	}
}

/* A trick may close the channel. */
static void hostile_play(struct played *played)
{
	struct hostile *hostile = played->hostile;
	struct channel *chan = hostile->chan;
	u64 n = played->trick->burst;

	do
		hostile_play_once(played);
	while (n-- > 1 && chan->hostile == hostile);
}

static void hostile_timer(void *arg)
{
	struct played *played = arg;

	timer_set(&played->timer, played->trick->ms * 1000);
	hostile_play(played);
}

void hostile_opened(struct channel *chan)
{
	struct offer *offer = chan->offer;
	struct hostile *hostile;
	u32 i;

	if (!offer->trick_count)
		return;
	hostile = xalloc(sizeof(*hostile));
	hostile->chan = chan;
	/* Never 0, and others at each opening. */
	hostile->random = mix64(offer->set.seed + (++offer->openings << 32)) | 1;
	for (i = 0; i < offer->trick_count; i++) {
		struct played *played = &hostile->played[i];

		played->hostile = hostile;
		played->trick = &offer->tricks[i];
		played->timer.fire = hostile_timer;
		played->timer.arg = played;
		if (played->trick->ms)
			timer_set(&played->timer, played->trick->ms * 1000);
	}
	chan->hostile = hostile;
}

void hostile_packet(struct channel *chan, const struct packet *pkt)
{
	u64 received = chan->count.received;
	u32 i;

	if (!chan->hostile || pkt->type == PACKET_COMPLETION)
		return;
	if (pkt->flags & PACKET_WANTS_COMPLETION) {
		if (!chan->hostile->first_id)
			chan->hostile->first_id = pkt->id;
		chan->hostile->last_id = pkt->id;
	}
	/* A trick may close the channel. */
	for (i = 0; chan->hostile && i < chan->offer->trick_count; i++) {
		const struct trick *trick = &chan->offer->tricks[i];

		if (trick->every && received > trick->after &&
		    (received - trick->after) % trick->every == 0)
			hostile_play(&chan->hostile->played[i]);
	}
}

void hostile_closed(struct channel *chan)
{
	struct hostile *hostile = chan->hostile;
	u32 i;

	if (!hostile)
		return;
	hostile_stop_rewriting(hostile);
	for (i = 0; i < OFFER_MAX_TRICKS; i++)
		timer_clear(&hostile->played[i].timer);
	chan->hostile = NULL;
	free(hostile);
}
