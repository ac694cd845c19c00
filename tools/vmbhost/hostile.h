/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tricks: what no honest host does. hostile.c plays them when they are due;
 * trick_*.c are the tricks.
 */
#ifndef VMBHOST_HOSTILE_H
#define VMBHOST_HOSTILE_H

#include <pthread.h>

#include "channel.h"

struct hostile {
	struct channel *chan;
	u64 random;
	/* Of packets that wanted a completion. */
	u64 first_id, last_id;
	struct played {
		struct hostile *hostile;
		const struct trick *trick;
		u64 times;
		struct timer timer;
	} played[OFFER_MAX_TRICKS];
	/* Rewrites the ring until @stop; only runs while the rings are mapped. */
	pthread_t rewriter;
	bool rewriting;
	bool stop;
};

struct trick_kind {
	const char *name;
	const char *help;
	/* May close the channel: then @hostile is gone. False if it could not be done. */
	bool (*play)(struct hostile *hostile, const struct trick *trick);
};

extern const struct trick_kind tricks_completion[];
extern const struct trick_kind tricks_packet[];
extern const struct trick_kind tricks_ring[];
extern const struct trick_kind tricks_bus[];

const struct trick_kind *trick_by_name(const char *name);
void tricks_help(void);

void hostile_opened(struct channel *chan);
/* After each packet from the guest. */
void hostile_packet(struct channel *chan, const struct packet *pkt);
/* Before the rings go away. */
void hostile_closed(struct channel *chan);

u64 hostile_random(struct hostile *hostile);
/* Bytes into the ring as they are, and a signal; false if there is no room. */
bool hostile_put(struct hostile *hostile, const void *bytes, u32 len);

/* trick_ring.c */
void hostile_stop_rewriting(struct hostile *hostile);

#endif /* VMBHOST_HOSTILE_H */
