// SPDX-License-Identifier: GPL-2.0
/*
 * Tricks, step by step: when they are played, and what then lies in the rings.
 */
#include <string.h>

#include "guest.h"

static bool can_be_stepped_over(struct channel *chan, u32 begin)
{
	u32 end = (begin + written(chan, begin).len8 * 8 + RING_TRAILER) % chan->out.size;

	return end == chan->out.head->write_index;
}

static void random_packets_can_be_stepped_over(void)
{
	u32 types[16] = { 0 }, stuck = 0, begin, i;
	struct packet_header head;
	struct channel *chan;

	scenario_line("unit", "offer name=a behaviour=silent hostile=random-packet seed=1");
	connect_bus();
	chan = opened("a");
	for (i = 0; i < 3200; i++) {
		begin = chan->out.head->write_index;
		guest_sends(chan, PACKET_DATA, PACKET_WANTS_COMPLETION, i + 1);
		stuck += !can_be_stepped_over(chan, begin);
		head = written(chan, begin);
		if (head.type < ARRAY_SIZE(types))
			types[head.type]++;
		guest_reads_all(chan);
	}
	EXPECT(chan->count.tricks == 3200);
	EXPECT(stuck > 50 && stuck < 200);
	EXPECT(types[PACKET_DATA] > 300 && types[PACKET_COMPLETION] > 300);
	EXPECT(types[PACKET_TRANSFER_PAGES] > 300 && types[PACKET_GPA_DIRECT] > 300);
	EXPECT(types[PACKET_CANCEL]);
}

static void random_fields_never_stop_a_reader(void)
{
	u32 begin, i, n;
	struct channel *chan;

	scenario_line("unit", "offer name=a behaviour=silent hostile=random-fields:burst=3 seed=1");
	connect_bus();
	chan = opened("a");
	for (i = 0; i < 1000; i++) {
		begin = chan->out.head->write_index;
		guest_sends(chan, PACKET_DATA, 0, i + 1);
		for (n = 0; begin != chan->out.head->write_index && n < 4; n++)
			begin = (begin + written(chan, begin).len8 * 8 + RING_TRAILER) %
				chan->out.size;
		EXPECT(n == 3);
		guest_reads_all(chan);
	}
	EXPECT(chan->count.tricks == 3000);
	close_channel(chan->relid);
	EXPECT(logged("\"written\":3000", "\"hostile\":3000") == 1);
}

static void all_that_is_written_is_in_the_account(void)
{
	scenario_line("unit", "offer name=a behaviour=source count=5 hostile=gpa-direct:times=2");
	connect_bus();
	opened("a");
	guest_sends(primary("a"), PACKET_DATA, PACKET_WANTS_COMPLETION, 1);
	guest_sends(primary("a"), PACKET_DATA, 0, 2);
	close_channel(primary("a")->relid);
	/* 5 of the source, a completion, and the tricks. */
	EXPECT(logged("\"written\":8", "\"hostile\":2") == 1);
}

static void a_burst_ends_with_its_channel(void)
{
	scenario_line("unit", "offer name=a hostile=rescind:burst=5");
	connect_bus();
	opened("a");
	guest_sends(primary("a"), PACKET_DATA, 0, 0);
	EXPECT(logged("\"event\":\"account\"", "\"tricks\":1,") == 1);
	EXPECT(heard_of(MSG_RESCIND, NULL, 0) == 1);
}

/* The ids of the first random packets of an opening. */
static void random_ids(const char *name, u64 ids[4])
{
	struct channel *chan = opened(name);
	u32 begin, i;

	for (i = 0; i < 4; i++) {
		begin = chan->out.head->write_index;
		guest_sends(chan, PACKET_DATA, 0, 0);
		ids[i] = written(chan, begin).id;
		guest_reads_all(chan);
	}
	close_channel(chan->relid);
}

static void each_opening_has_its_own_tricks(void)
{
	u64 ids[4][4];
	u32 i, j;

	scenario_line("unit", "offer name=a behaviour=silent hostile=completion-forged seed=1");
	scenario_line("unit", "offer name=b behaviour=silent hostile=completion-forged seed=2");
	connect_bus();
	random_ids("a", ids[0]);
	random_ids("a", ids[1]);
	random_ids("b", ids[2]);
	disconnect_bus();
	connect_bus();
	random_ids("a", ids[3]);
	/* But what is the same is the same. */
	EXPECT(!memcmp(ids[0], ids[3], sizeof(ids[0])));
	for (i = 0; i < 4; i++)
		for (j = 0; j < i; j++)
			EXPECT((ids[i][0] % 64 == ids[j][0] % 64) == (i == 3 && !j));
}

static void a_trick_without_room_is_none(void)
{
	struct channel *chan;
	u32 i;

	scenario_line("unit",
		      "offer name=a behaviour=silent hostile=completion-zero:size=1000:times=20");
	connect_bus();
	chan = opened("a");
	for (i = 0; i < 30; i++)
		guest_sends(chan, PACKET_DATA, 0, 0);
	/* 3 pages, and 1024 bytes each. */
	EXPECT(chan->count.tricks == 11);
	EXPECT(logged("\"event\":\"trick\"", "completion-zero") == 11);
	guest_reads_all(chan);
	for (i = 0; i < 30; i++)
		guest_sends(chan, PACKET_DATA, 0, 0);
	EXPECT(chan->count.tricks == 20);
	close_channel(chan->relid);
	EXPECT(logged("\"event\":\"account\"", "\"tricks\":20") == 1);
}

static void a_trick_that_closes_is_counted(void)
{
	scenario_line("unit", "offer name=a hostile=rescind:after=2");
	connect_bus();
	opened("a");
	guest_sends(primary("a"), PACKET_DATA, 0, 0);
	guest_sends(primary("a"), PACKET_DATA, 0, 0);
	EXPECT(!logged("\"event\":\"trick\"", ""));
	guest_sends(primary("a"), PACKET_DATA, 0, 0);
	EXPECT(primary("a")->state == CHANNEL_RESCINDED);
	EXPECT(logged("\"event\":\"trick\"", "\"rescind\"") == 1);
	EXPECT(logged("\"event\":\"account\"", "\"tricks\":1") == 1);
}

/* The index is wrong, and the guest is not blamed for it. */
static u32 index_after(const char *name)
{
	struct channel *chan = opened(name);
	u32 expected;

	guest_sends(chan, PACKET_DATA, PACKET_WANTS_COMPLETION, 1);
	EXPECT(chan->count.completed == 1 && !chan->count.tricks);
	expected = chan->in.head->write_index + 24;
	guest_sends(chan, PACKET_DATA, PACKET_WANTS_COMPLETION, 2);
	EXPECT(chan->count.tricks == 1 && chan->broken);
	EXPECT(chan->in.head->write_index != expected);
	channel_poll(chan);
	EXPECT(chan->count.received == 2 && !violations());
	return chan->in.head->write_index;
}

static void the_guests_own_index_is_written(void)
{
	const u32 size = (RING_PAGES - 1) * PAGE_SIZE;
	u32 i;

	scenario_line("unit", "offer name=a hostile=own-index-past:after=1 seed=1");
	scenario_line("unit", "offer name=b hostile=own-index-jump:after=1 seed=1");
	connect_bus();
	for (i = 0; i < 5; i++) {
		EXPECT(index_after("a") >= size);
		close_channel(primary("a")->relid);
		EXPECT(index_after("b") < size);
		close_channel(primary("b")->relid);
	}
	EXPECT(logged("\"event\":\"trick\"", "own-index-past") == 5);
	EXPECT(logged("\"event\":\"trick\"", "own-index-jump") == 5);
}

const struct test tests_tricks[] = {
	{ "random packets can be stepped over, mostly", random_packets_can_be_stepped_over },
	{ "random fields never stop a reader", random_fields_never_stop_a_reader },
	{ "all that is written is in the account", all_that_is_written_is_in_the_account },
	{ "a burst of tricks ends with its channel", a_burst_ends_with_its_channel },
	{ "each opening and each seed has tricks of its own", each_opening_has_its_own_tricks },
	{ "a trick that finds no room is none", a_trick_without_room_is_none },
	{ "a trick that closes its channel is counted", a_trick_that_closes_is_counted },
	{ "the guest's own index is written", the_guests_own_index_is_written },
	{ NULL },
};
