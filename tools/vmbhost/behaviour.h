/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a channel does once it is open.
 */
#ifndef VMBHOST_BEHAVIOUR_H
#define VMBHOST_BEHAVIOUR_H

#include "channel.h"

/* Any of these may be NULL. */
struct behaviour {
	const char *name;
	const char *help;
	/* Sub-channels are offered when the behaviour says so, not when the primary opens. */
	bool subs_when_asked;
	/* The class of an offer that names none, and whether its channel is a message pipe. */
	struct guid type;
	bool pipe;
	void (*opened)(struct channel *chan);
	/* Whether the ring is read at all now; NULL: always. */
	bool (*may_read)(struct channel *chan);
	void (*packet)(struct channel *chan, struct packet *pkt);
	void (*completion)(struct channel *chan, struct packet *pkt);
	/* Nothing waits for room in the ring to the guest. */
	void (*room)(struct channel *chan);
	void (*closed)(struct channel *chan);
};

extern const struct behaviour behaviour_echo;
extern const struct behaviour behaviour_external;
extern const struct behaviour behaviour_gpadl;
extern const struct behaviour behaviour_source;
extern const struct behaviour behaviour_slow;
extern const struct behaviour behaviour_storage;
extern const struct behaviour behaviour_silent;
extern const struct behaviour behaviour_dynmem;

extern const struct behaviour *const behaviours[];
const struct behaviour *behaviour_by_name(const char *name);

#endif /* VMBHOST_BEHAVIOUR_H */
