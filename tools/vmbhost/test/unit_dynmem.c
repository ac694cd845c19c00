// SPDX-License-Identifier: GPL-2.0
/*
 * Dynamic Memory: what the guest gives is written to, and comes back.
 */
#include <string.h>

#include "guest.h"
#include "vm.h"

struct message {
	u16 type;
	u16 size;
	u32 id;
	u32 word[2];
	u64 range[2];
};

#define PAGES_AT(pfn, pages)	((u64)(pages) << 40 | (pfn))

/* What the host has written since the guest has read last; the guest reads it. */
static struct message reads(struct channel *chan)
{
	u32 begin = chan->out.head->read_index;
	struct message msg = { 0 };
	struct packet_header head;

	while (begin == chan->out.head->write_index)
		loop_turn(30);
	head = written(chan, begin);
	EXPECT(head.type == PACKET_DATA && !head.flags);
	memcpy(&msg, chan->out.data + begin + head.offset8 * 8,
	       (head.len8 - head.offset8) * 8);
	chan->out.head->read_index = (begin + head.len8 * 8 + RING_TRAILER) % chan->out.size;
	return msg;
}

static void says(struct channel *chan, u16 type, u32 first, u32 second, const u64 *range, u32 count)
{
	struct message msg = { .type = type, .word = { first, second } };

	msg.size = offsetof(struct message, range[count]);
	if (count)
		memcpy(msg.range, range, count * sizeof(*range));
	guest_sends_payload(chan, PACKET_DATA, 0, 0, NULL, 0, &msg, msg.size);
}

/* The versions, and the capabilities, are agreed upon; the host asks for memory. */
static struct channel *agreed(void)
{
	struct channel *chan;

	scenario_line("unit", "offer name=a behaviour=dynmem balloon=2 balloon-ms=1");
	connect_bus();
	chan = opened("a");
	says(chan, 1, 3 << 16, 0, NULL, 0);
	EXPECT(reads(chan).type == 2);
	says(chan, 1, 2 << 16, 1, NULL, 0);
	EXPECT(reads(chan).word[0] == 1);
	says(chan, 3, 1, 0, (u64[]){ 0, ~0ull }, 2);
	EXPECT(reads(chan).type == 4);
	EXPECT(!violations());
	return chan;
}

static void memory_is_taken_and_comes_back(void)
{
	const u64 ranges[] = { PAGES_AT(0x80, 3), PAGES_AT(0x88, 1) };
	struct channel *chan = agreed();
	struct message msg;
	u32 turn;

	for (turn = 0; turn < 2; turn++) {
		msg = reads(chan);
		EXPECT(msg.type == 6 && msg.size == 16 && msg.word[0] == 512);
		says(chan, 7, 0, 1 << 1 | 1, ranges, 1);
		says(chan, 7, 0, 1 << 1, ranges + 1, 1);
		EXPECT(*(u8 *)vm_gpa(bus.vm, 0x82 << PAGE_SHIFT, 1));
		msg = reads(chan);
		EXPECT(msg.type == 8 && msg.size == 32 && msg.word[0] == 0 && msg.word[1] == 2);
		EXPECT(!memcmp(msg.range, ranges, sizeof(ranges)));
		says(chan, 9, 0, 0, NULL, 0);
	}
	close_channel(chan->relid);
	EXPECT(logged("\"event\":\"dynmem\"", "\"taken\":8,\"returned\":8,\"most\":4") == 1);
	EXPECT(!violations());
}

static void what_was_given_away_is_not_used(void)
{
	struct channel *chan = agreed();

	reads(chan);
	says(chan, 7, 0, 1 << 1, (u64[]){ PAGES_AT(0x80, 3) }, 1);
	*(u8 *)vm_gpa(bus.vm, (0x81 << PAGE_SHIFT) + 100, 1) ^= 1;
	EXPECT(reads(chan).type == 8);
	EXPECT(logged("violation", "a page that the guest had given away was written to") == 1);
}

static void messages_that_make_no_sense(void)
{
	struct channel *chan = agreed();

	reads(chan);
	says(chan, 7, 0, 3 << 1, (u64[]){ PAGES_AT(0x80, 3) }, 1);
	EXPECT(logged("violation", "more ranges than the message has") == 1);
	says(chan, 7, 0, 1 << 1, (u64[]){ PAGES_AT(0x80, (1 << 24) - 1) }, 1);
	says(chan, 7, 0, 1 << 1, (u64[]){ PAGES_AT(1ull << 39, 1) }, 1);
	EXPECT(logged("violation", "a range that is no memory") == 2);
	says(chan, 9, 0, 0, NULL, 0);
	EXPECT(logged("violation", "an answer to no request") == 1);
	says(chan, 1, 2 << 16, 0, NULL, 0);
	EXPECT(logged("violation", "a version is asked for too late") == 1);
	says(chan, 7, 0, 0, NULL, 0);
	says(chan, 7, 0, 0, NULL, 0);
	EXPECT(logged("violation", "memory that was not asked for") == 1);
	says(chan, 8, 0, 0, NULL, 0);
	EXPECT(logged("violation", "a message of a type that is not the guest's") == 1);
}

const struct test tests_dynmem[] = {
	{ "memory: it is taken, and comes back", memory_is_taken_and_comes_back },
	{ "memory: what was given away is not used", what_was_given_away_is_not_used },
	{ "memory: messages that make no sense", messages_that_make_no_sense },
	{ NULL, NULL },
};
