// SPDX-License-Identifier: GPL-2.0
/*
 * A behaviour that is a Dynamic Memory host: it takes memory from the guest and gives all of
 * it back, in turn. What it has it writes to, and looks whether anybody else did.
 */
#include <stdlib.h>
#include <string.h>

#include "behaviour.h"
#include "log.h"
#include "vm.h"

enum {
	DM_VERSION_REQUEST = 1, DM_VERSION_RESPONSE, DM_CAPABILITIES, DM_CAPABILITIES_RESPONSE,
	DM_STATUS, DM_BALLOON_REQUEST, DM_BALLOON_RESPONSE, DM_UNBALLOON_REQUEST,
	DM_UNBALLOON_RESPONSE,
};

#define DM_VERSION_2_0		(2u << 16)
#define DM_ACCEPTED		1
#define DM_MORE			1

#define DM_MOST_RANGES		510u	/* 4096 bytes with their message */
#define DM_RANGE_BITS		40	/* of a range's first page; behind it, how many */

/* All messages: what the words are goes by the type. */
struct dm_message {
	u16 type;
	u16 size;
	u32 id;
	u32 word[2];
	u64 range[DM_MOST_RANGES];
};

#define DM_HEAD			offsetof(struct dm_message, word)
#define DM_WORDS		offsetof(struct dm_message, range)

enum dynmem_stage {
	DYNMEM_NONE,		/* no version yet */
	DYNMEM_VERSION,		/* agreed upon */
	DYNMEM_EMPTY,
	DYNMEM_TAKES,		/* the guest has been asked for memory, */
	DYNMEM_HAS,
	DYNMEM_RETURNS,		/* and to have it back */
};

struct dynmem {
	enum dynmem_stage stage;
	u32 id;
	u64 *ranges;		/* what the guest has given */
	u32 range_count, range_room;
	u64 pages;		/* in them */
	struct {
		u64 requests, taken, returned, most;
	} count;
};

static u8 dynmem_byte(u64 pfn)
{
	return mix64(pfn);
}

static void dynmem_send(struct channel *chan, struct dm_message *msg, u16 type, u32 len)
{
	struct dynmem *dm = chan->priv;

	msg->type = type;
	msg->size = len;
	msg->id = ++dm->id;
	channel_send(chan, 0, dm->id, msg, len);
}

static void dynmem_accept(struct channel *chan, u16 type, bool accepted)
{
	struct dm_message msg = { .word = { accepted ? DM_ACCEPTED : 0 } };

	dynmem_send(chan, &msg, type, DM_WORDS);
}

static void dynmem_return(struct channel *chan)
{
	struct dynmem *dm = chan->priv;
	u32 at = 0, n;

	dm->stage = DYNMEM_RETURNS;
	do {
		struct dm_message msg = { 0 };

		n = dm->range_count - at < DM_MOST_RANGES ? dm->range_count - at : DM_MOST_RANGES;
		memcpy(msg.range, dm->ranges + at, n * sizeof(msg.range[0]));
		at += n;
		msg.word[0] = at < dm->range_count ? DM_MORE : 0;
		msg.word[1] = n;
		dynmem_send(chan, &msg, DM_UNBALLOON_REQUEST, DM_WORDS + n * sizeof(msg.range[0]));
	} while (at < dm->range_count);
}

/* Before the guest may use it again. */
static void dynmem_look(struct channel *chan)
{
	struct dynmem *dm = chan->priv;
	u64 pfn, end;
	u32 i;

	for (i = 0; i < dm->range_count; i++) {
		pfn = dm->ranges[i] & ((1ull << DM_RANGE_BITS) - 1);
		end = pfn + (dm->ranges[i] >> DM_RANGE_BITS);
		for (; pfn < end; pfn++) {
			const u8 *page = vm_gpa(bus.vm, pfn << PAGE_SHIFT, PAGE_SIZE);

			if (page[0] == dynmem_byte(pfn) && !memcmp(page, page + 1, PAGE_SIZE - 1))
				continue;
			bus_violation(chan, "a page that the guest had given away was written to");
			return;
		}
	}
}

static void dynmem_tick(void *arg)
{
	struct channel *chan = arg;
	struct dynmem *dm = chan->priv;
	struct dm_message msg = { 0 };

	if (dm->stage == DYNMEM_HAS) {
		dynmem_look(chan);
		dynmem_return(chan);
		return;
	}
	dm->stage = DYNMEM_TAKES;
	dm->count.requests++;
	msg.word[0] = chan->offer->set.balloon << (20 - PAGE_SHIFT);
	dynmem_send(chan, &msg, DM_BALLOON_REQUEST, DM_WORDS);
}

/* False: it is no memory. */
static bool dynmem_take(struct dynmem *dm, u64 range)
{
	u64 pfn = range & ((1ull << DM_RANGE_BITS) - 1), pages = range >> DM_RANGE_BITS;
	u8 *at = vm_gpa(bus.vm, pfn << PAGE_SHIFT, pages << PAGE_SHIFT);
	u64 i;

	if (!at)
		return false;
	for (i = 0; i < pages; i++)
		memset(at + (i << PAGE_SHIFT), dynmem_byte(pfn + i), PAGE_SIZE);
	if (dm->range_count == dm->range_room) {
		dm->range_room = dm->range_room * 2 ?: DM_MOST_RANGES;
		dm->ranges = realloc(dm->ranges, dm->range_room * sizeof(*dm->ranges));
		if (!dm->ranges)
			die("no memory");
	}
	dm->ranges[dm->range_count++] = range;
	dm->pages += pages;
	return true;
}

static const char *dynmem_given(struct channel *chan, const struct dm_message *msg)
{
	u32 count = msg->word[1] >> 1, i;
	struct dynmem *dm = chan->priv;

	if (dm->stage != DYNMEM_TAKES)
		return "memory that was not asked for";
	if (count > (msg->size - DM_WORDS) / sizeof(msg->range[0]))
		return "more ranges than the message has";
	for (i = 0; i < count; i++)
		if (!dynmem_take(dm, msg->range[i]))
			return "a range that is no memory";
	if (msg->word[1] & DM_MORE)
		return NULL;
	dm->stage = DYNMEM_HAS;
	dm->count.taken += dm->pages;
	if (dm->count.most < dm->pages)
		dm->count.most = dm->pages;
	timer_set(&chan->pace, chan->offer->set.balloon_ms * 1000);
	return NULL;
}

static const char *dynmem_back(struct channel *chan)
{
	struct dynmem *dm = chan->priv;

	if (dm->stage != DYNMEM_RETURNS)
		return "an answer to no request";
	dm->stage = DYNMEM_EMPTY;
	dm->count.returned += dm->pages;
	dm->range_count = 0;
	dm->pages = 0;
	timer_set(&chan->pace, chan->offer->set.balloon_ms * 1000);
	return NULL;
}

static const char *dynmem_message(struct channel *chan, const struct dm_message *msg)
{
	struct dynmem *dm = chan->priv;

	if (msg->size < (msg->type == DM_UNBALLOON_RESPONSE ? DM_HEAD : DM_WORDS))
		return "a message that is too short";
	switch (msg->type) {
	case DM_VERSION_REQUEST:
		if (dm->stage > DYNMEM_VERSION)
			return "a version is asked for too late";
		if (msg->word[0] == DM_VERSION_2_0)
			dm->stage = DYNMEM_VERSION;
		dynmem_accept(chan, DM_VERSION_RESPONSE, msg->word[0] == DM_VERSION_2_0);
		return NULL;
	case DM_CAPABILITIES:
		if (dm->stage != DYNMEM_VERSION)
			return "capabilities without a version";
		dm->stage = DYNMEM_EMPTY;
		dynmem_accept(chan, DM_CAPABILITIES_RESPONSE, true);
		if (chan->offer->set.balloon)
			timer_set(&chan->pace, 0);
		return NULL;
	case DM_STATUS:
		return dm->stage < DYNMEM_EMPTY ? "a status before capabilities" : NULL;
	case DM_BALLOON_RESPONSE:
		return dynmem_given(chan, msg);
	case DM_UNBALLOON_RESPONSE:
		return dynmem_back(chan);
	default:
		return "a message of a type that is not the guest's";
	}
}

static void dynmem_packet(struct channel *chan, struct packet *pkt)
{
	struct dm_message msg = { 0 };
	const char *wrong;

	memcpy(&msg, pkt->payload, pkt->len < sizeof(msg) ? pkt->len : sizeof(msg));
	if (pkt->len < DM_HEAD || msg.size > pkt->len || msg.size > sizeof(msg))
		wrong = "a message that is longer than its packet";
	else
		wrong = dynmem_message(chan, &msg);
	if (wrong)
		bus_violation(chan, wrong);
	channel_complete(chan, pkt, "", 0);
}

static void dynmem_opened(struct channel *chan)
{
	chan->priv = xalloc(sizeof(struct dynmem));
	chan->pace.fire = dynmem_tick;
}

static void dynmem_closed(struct channel *chan)
{
	struct dynmem *dm = chan->priv;

	if (!dm)
		return;
	log_begin("dynmem");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_u64("requests", dm->count.requests);
	log_u64("taken", dm->count.taken);
	log_u64("returned", dm->count.returned);
	log_u64("most", dm->count.most);
	log_end();
	free(dm->ranges);
}

const struct behaviour behaviour_dynmem = {
	.name = "dynmem",
	.help = "Dynamic Memory: takes balloon=MB for balloon-ms (10000), gives it back, again",
	.type = { { 0xdc, 0x74, 0x50, 0x52, 0x85, 0x89, 0xe2, 0x46,
		    0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02 } },
	.opened = dynmem_opened,
	.packet = dynmem_packet,
	.closed = dynmem_closed,
};
