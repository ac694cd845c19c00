// SPDX-License-Identifier: GPL-2.0
/*
 * Completions that complete nothing, or too much.
 */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

#define HUGE_BYTES		(32u << 10)

static bool complete_id(struct hostile *hostile, u64 id, u32 len)
{
	struct packet_header head = {
		.type = PACKET_COMPLETION, .offset8 = sizeof(head) / 8,
		.len8 = (sizeof(head) + ALIGN_UP(len, 8)) / 8, .id = id,
	};
	u8 *bytes = xalloc(sizeof(head) + len);
	bool written;

	memcpy(bytes, &head, sizeof(head));
	memset(bytes + sizeof(head), 0xa5, len);
	written = hostile_put(hostile, bytes, sizeof(head) + len);
	free(bytes);
	return written;
}

static bool forged(struct hostile *hostile, const struct trick *trick)
{
	return complete_id(hostile, hostile_random(hostile), trick->size);
}

static bool stale(struct hostile *hostile, const struct trick *trick)
{
	return complete_id(hostile, hostile->first_id, trick->size);
}

static bool repeated(struct hostile *hostile, const struct trick *trick)
{
	return complete_id(hostile, hostile->last_id, trick->size);
}

static bool zero(struct hostile *hostile, const struct trick *trick)
{
	return complete_id(hostile, 0, trick->size);
}

static bool next(struct hostile *hostile, const struct trick *trick)
{
	return complete_id(hostile, hostile->last_id + 1, trick->size);
}

static bool huge(struct hostile *hostile, const struct trick *trick)
{
	return complete_id(hostile, hostile->last_id, trick->size ? trick->size : HUGE_BYTES);
}

const struct trick_kind tricks_completion[] = {
	{ "completion-forged", "an id that nobody has used", forged },
	{ "completion-stale", "the id of the first packet, once more", stale },
	{ "completion-repeat", "the id of the last packet, once more", repeated },
	{ "completion-zero", "id 0", zero },
	{ "completion-next", "the id after the last one: not yet sent, maybe", next },
	{ "completion-huge", "of the last packet, with size=S bytes (32768)", huge },
	{ NULL },
};
