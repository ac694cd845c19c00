// SPDX-License-Identifier: GPL-2.0
/*
 * Tricks beside the rings: interrupts, rescinds, messages of the bus.
 */
#include "hostile.h"

#define STORM_SIGNALS		10000
/* Neither a channel nor a GPADL has these. */
#define NO_RELID		2000
#define NO_GPADL		0xdead

static bool storm(struct hostile *hostile, const struct trick *trick)
{
	u64 n = trick->size ? trick->size : STORM_SIGNALS;

	while (n--)
		channel_signal(hostile->chan);
	return true;
}

static bool rescind(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	offer_rescind(hostile->chan->offer);
	return true;
}

static bool message_unknown(struct hostile *hostile, const struct trick *trick)
{
	static const u32 types[] = { 0, 3, 5, 18, 25, 99, 0xffffffff };
	struct msg_channel msg = {
		.head.type = types[hostile_random(hostile) % ARRAY_SIZE(types)],
		.relid = hostile->chan->relid,
	};

	(void)trick;
	bus_send(&msg, sizeof(msg));
	return true;
}

/* Answers to what nobody asked. */
static bool message_forged(struct hostile *hostile, const struct trick *trick)
{
	struct msg_open_result opened = {
		.head.type = MSG_OPEN_RESULT, .relid = hostile->chan->relid,
		.open_id = hostile->chan->open_id + 1,
	};
	struct msg_gpadl_created created = {
		.head.type = MSG_GPADL_CREATED, .relid = hostile->chan->relid,
		.gpadl = NO_GPADL,
	};
	struct msg_gpadl_torndown torndown = {
		.head.type = MSG_GPADL_TORNDOWN, .gpadl = NO_GPADL,
	};
	struct msg_modify_channel_response modified = {
		.head.type = MSG_MODIFY_CHANNEL_RESPONSE, .relid = hostile->chan->relid,
	};
	struct msg_channel rescinded = { .head.type = MSG_RESCIND, .relid = NO_RELID };

	(void)trick;
	bus_send(&opened, sizeof(opened));
	bus_send(&created, sizeof(created));
	bus_send(&torndown, sizeof(torndown));
	bus_send(&modified, sizeof(modified));
	bus_send(&rescinded, sizeof(rescinded));
	return true;
}

static bool message_short(struct hostile *hostile, const struct trick *trick)
{
	struct msg_header msg = { .type = MSG_OFFER };

	(void)hostile;
	(void)trick;
	bus_send(&msg, sizeof(msg));
	return true;
}

const struct trick_kind tricks_bus[] = {
	{ "storm", "size=N interrupts (10000) without a reason", storm },
	{ "rescind", "the offer is withdrawn in the middle", rescind },
	{ "message-unknown", "a bus message of a type that guests do not get", message_unknown },
	{ "message-forged", "answers to requests that nobody made", message_forged },
	{ "message-short", "an offer that is too short", message_short },
	{ NULL },
};
