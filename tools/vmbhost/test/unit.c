// SPDX-License-Identifier: GPL-2.0
/*
 * The server against a guest that does, step by step, what each test needs. A
 * test is a process of its own, with its own offers; it prints "ok" or "not ok".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus.h"
#include "channel.h"
#include "log.h"
#include "machine.h"
#include "scenario.h"
#include "synic.h"

#define RING_PAGES		4
#define RINGS_GPADL(relid)	(0x100 + (relid))
/* Where the rings of a channel lie. */
#define RINGS_PFN(relid)	((relid) * 2 * RING_PAGES)
#define HEARD_MAX		256

/* All that the host said, in order. */
static struct {
	u8 bytes[HV_MESSAGE_PAYLOAD];
} heard[HEARD_MAX];
static u32 heard_count;

static int log_fd;
static u32 failures;

#define EXPECT(that)	expect(that, #that, __LINE__)

static void expect(bool ok, const char *what, int line)
{
	if (ok)
		return;
	printf("# unit.c:%d: %s\n", line, what);
	failures++;
}

enum synic_result synic_send(unsigned int cpu, u32 type, const void *payload, u8 len)
{
	(void)cpu;
	(void)type;
	if (heard_count == HEARD_MAX)
		die("the host talks too much");
	memcpy(heard[heard_count++].bytes, payload, len);
	return SYNIC_SENT;
}

/* How many messages of this type the host has sent; @last is the last one. */
static u32 heard_of(u32 type, void *last, u32 len)
{
	u32 i, n = 0;

	for (i = 0; i < heard_count; i++) {
		if (((struct msg_header *)heard[i].bytes)->type != type)
			continue;
		n++;
		if (last)
			memcpy(last, heard[i].bytes, len);
	}
	return n;
}

/* How many lines of the log have these words. */
static u32 logged(const char *one, const char *other)
{
	char line[1000], name[40];
	u32 n = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", log_fd);
	f = fopen(name, "r");
	if (!f)
		die("no log");
	while (fgets(line, sizeof(line), f))
		n += strstr(line, one) && strstr(line, other);
	fclose(f);
	return n;
}

static u32 violations(void)
{
	return logged("\"event\":\"violation\"", "");
}

/* Until the host has nothing more to do for the moment. */
static void settle(void)
{
	u32 turns;

	for (turns = 0; turns < 2000 && loop_turn(30); turns++)
		;
}

static void say(const void *msg, u32 len)
{
	bus_post(VMBUS_CONNECTION_5, msg, len);
	settle();
}

static void say_channel(u32 type, u32 relid)
{
	struct msg_channel msg = { .head.type = type, .relid = relid };

	say(&msg, sizeof(msg));
}

static void connect_bus(void)
{
	struct msg_initiate_contact contact = {
		.head.type = MSG_INITIATE_CONTACT, .version = VMBUS_VERSION(5, 3),
		.sint = VMBUS_MESSAGE_SINT,
	};
	struct msg_header offers = { .type = MSG_REQUEST_OFFERS };

	say(&contact, sizeof(contact));
	say(&offers, sizeof(offers));
}

static void disconnect_bus(void)
{
	struct msg_header unload = { .type = MSG_UNLOAD };

	say(&unload, sizeof(unload));
}

static struct channel *primary(const char *name)
{
	return offer_by_name(name)->primary;
}

/* The rings' GPADL, in one message or two. */
static void give_rings(u32 relid, bool two)
{
	u64 buffer[HV_MESSAGE_PAYLOAD / 8] = { 0 };
	const u32 pages = 2 * RING_PAGES, in_head = two ? 3 : pages;
	struct msg_gpadl_header *head = (void *)buffer;
	struct wire_range *range = (void *)head->ranges;
	struct msg_gpadl_body *body = (void *)buffer;
	u64 pfns[2 * RING_PAGES];
	u32 i;

	for (i = 0; i < pages; i++)
		pfns[i] = RINGS_PFN(relid) + i;
	head->head.type = MSG_GPADL_HEADER;
	head->relid = relid;
	head->gpadl = RINGS_GPADL(relid);
	head->range_count = 1;
	head->ranges_bytes = sizeof(*range) + sizeof(pfns);
	range->length = sizeof(pfns) / 8 * PAGE_SIZE;
	memcpy(range->pfns, pfns, in_head * sizeof(u64));
	say(head, sizeof(*head) + sizeof(*range) + in_head * sizeof(u64));
	if (!two)
		return;
	memset(buffer, 0, sizeof(buffer));
	body->head.type = MSG_GPADL_BODY;
	body->gpadl = RINGS_GPADL(relid);
	memcpy(body->ranges, pfns + in_head, (pages - in_head) * sizeof(u64));
	say(body, sizeof(*body) + (pages - in_head) * sizeof(u64));
}

static void open_channel(u32 relid)
{
	struct msg_open msg = {
		.head.type = MSG_OPEN, .relid = relid, .open_id = relid,
		.gpadl = RINGS_GPADL(relid), .downstream_page = RING_PAGES,
	};

	memset(machine.ram + RINGS_PFN(relid) * PAGE_SIZE, 0, 2 * RING_PAGES * PAGE_SIZE);
	give_rings(relid, false);
	say(&msg, sizeof(msg));
}

static void close_channel(u32 relid)
{
	struct msg_gpadl_teardown msg = {
		.head.type = MSG_GPADL_TEARDOWN, .relid = relid, .gpadl = RINGS_GPADL(relid),
	};

	say_channel(MSG_CLOSE, relid);
	say(&msg, sizeof(msg));
}

static void guest_writes(struct channel *chan, u16 type, u16 flags, u64 id)
{
	struct ring_header *head = chan->in.head;
	struct packet_header pkt = {
		.type = type, .offset8 = 2, .len8 = 2, .flags = flags, .id = id,
	};

	memcpy(chan->in.data + head->write_index, &pkt, sizeof(pkt));
	head->write_index = (head->write_index + sizeof(pkt) + RING_TRAILER) % chan->in.size;
}

/* And the host looks. */
static void guest_sends(struct channel *chan, u16 type, u16 flags, u64 id)
{
	guest_writes(chan, type, flags, id);
	channel_poll(chan);
}

static void guest_reads_all(struct channel *chan)
{
	chan->out.head->read_index = chan->out.head->write_index;
}

static struct channel *opened(const char *name)
{
	open_channel(primary(name)->relid);
	return primary(name);
}

/* The tests. */

static void flags_leave_the_pipe_alone(void)
{
	struct msg_offer offer;

	scenario_line("unit", "offer name=a pipe=message flags=1");
	connect_bus();
	EXPECT(heard_of(MSG_OFFER, &offer, sizeof(offer)) == 1);
	EXPECT(offer.flags == (OFFER_ENUMERATE_INTERFACE | OFFER_NAMED_PIPE));
	EXPECT(offer.pipe_mode == PIPE_MODE_MESSAGE);
}

static void withdraw_and_release(const char *name)
{
	u32 relid = primary(name)->relid;

	offer_rescind(offer_by_name(name));
	settle();
	say_channel(MSG_RELID_RELEASED, relid);
}

static void a_new_guest_gets_as_many_offers(void)
{
	u32 guest;

	scenario_line("unit", "offer name=a reoffer=1");
	for (guest = 0; guest < 2; guest++) {
		connect_bus();
		withdraw_and_release("a");
		EXPECT(primary("a"));
		withdraw_and_release("a");
		EXPECT(!primary("a"));
		disconnect_bus();
	}
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 4);
	EXPECT(!violations());
}

static void a_channel_opens_and_closes(void)
{
	struct msg_open_result result;

	scenario_line("unit", "offer name=a");
	connect_bus();
	open_channel(primary("a")->relid);
	EXPECT(heard_of(MSG_OPEN_RESULT, &result, sizeof(result)) == 1);
	EXPECT(result.status == NT_SUCCESS);
	EXPECT(primary("a")->state == CHANNEL_OPEN);
	close_channel(primary("a")->relid);
	EXPECT(primary("a")->state == CHANNEL_OFFERED);
	EXPECT(!violations());
}

/* The command comes before the guest has let go of what was withdrawn. */
static void an_early_offer_is_remembered(void)
{
	struct offer *offer;
	u32 relid;

	scenario_line("unit", "offer name=a");
	connect_bus();
	offer = offer_by_name("a");
	relid = offer->primary->relid;
	offer_rescind(offer);
	offer_now(offer);
	offer_now(offer);
	settle();
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 1);
	say_channel(MSG_RELID_RELEASED, relid);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 2);
	/* Once. */
	withdraw_and_release("a");
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 2);
	/* And nothing of it is left to the next guest. */
	offer_now(offer);
	offer_rescind(offer);
	offer_now(offer);
	disconnect_bus();
	connect_bus();
	withdraw_and_release("a");
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 4);
}

static u32 sub_relid(const char *name)
{
	struct channel *sub = offer_by_name(name)->sub[0];

	return sub ? sub->relid : 0;
}

static void sub_channels_come_again(void)
{
	struct msg_channel msg;
	u32 relid, first;

	scenario_line("unit", "offer name=a subs=1");
	connect_bus();
	relid = primary("a")->relid;
	open_channel(relid);
	first = sub_relid("a");
	open_channel(first);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 2);

	close_channel(first);
	close_channel(relid);
	EXPECT(heard_of(MSG_RESCIND, &msg, sizeof(msg)) == 1 && msg.relid == first);
	say_channel(MSG_RELID_RELEASED, first);
	EXPECT(!sub_relid("a"));
	open_channel(relid);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 3);
	EXPECT(sub_relid("a") && sub_relid("a") != first);

	/* The guest opens before it has let go of the sub-channel. */
	first = sub_relid("a");
	close_channel(relid);
	open_channel(relid);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 3);
	say_channel(MSG_RELID_RELEASED, first);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 4);

	/* None comes to a channel that is going itself. */
	first = sub_relid("a");
	offer_rescind(offer_by_name("a"));
	settle();
	say_channel(MSG_RELID_RELEASED, first);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 4);
	EXPECT(heard_of(MSG_RESCIND, NULL, 0) == 4);
	EXPECT(!violations());
}

#define SOURCE_ID(n)	(0x5eed000000000000ull + (n))

/* Four packets, and as many answers; returns what the host had against them. */
static u32 answers(const char *name, const u8 *ids)
{
	struct channel *chan = opened(name);
	u32 before = violations(), i;

	guest_reads_all(chan);
	for (i = 0; i < 4; i++)
		guest_sends(chan, PACKET_COMPLETION, 0, SOURCE_ID(ids[i]));
	EXPECT(chan->count.sent == 4 && chan->count.completions == 4);
	settle();
	close_channel(chan->relid);
	return violations() - before;
}

static void every_packet_has_an_answer_of_its_own(void)
{
	scenario_line("unit", "offer name=a behaviour=source completion=yes count=4");
	connect_bus();
	EXPECT(!answers("a", (u8[]){ 2, 0, 3, 1 }));
	EXPECT(logged("\"event\":\"source-done\"", "\"answered\":4") == 1);
	EXPECT(answers("a", (u8[]){ 0, 1, 2, 2 }) == 1);
	EXPECT(answers("a", (u8[]){ 0, 0, 3, 3 }) == 1);
	EXPECT(answers("a", (u8[]){ 1, 1, 1, 1 }) == 1);
}

static void what_is_not_read_is_in_the_account(void)
{
	struct channel *chan;

	scenario_line("unit", "offer name=a behaviour=silent read=no");
	connect_bus();
	chan = opened("a");
	guest_sends(chan, PACKET_DATA, 0, 1);
	guest_sends(chan, PACKET_DATA, 0, 2);
	close_channel(chan->relid);
	EXPECT(logged("\"received\":0,", "\"unread\":48,") == 1);
}

/* The packet that the host has just written, which began there. */
static struct packet_header written(struct channel *chan, u32 begin)
{
	struct packet_header head;

	memcpy(&head, chan->out.data + begin, sizeof(head));
	return head;
}

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

/* How far an opening gets; the offer comes back, and opens in the end. */
static void withdrawn_while_it_opens(const char *at, u32 answered)
{
	char line[100];
	struct msg_open msg = { .head.type = MSG_OPEN, .downstream_page = RING_PAGES };
	u32 relid, i;

	snprintf(line, sizeof(line), "offer name=a rescind-at=%s rescinds=2 reoffer=1 reoffers=0",
		 at);
	scenario_line("unit", line);
	connect_bus();
	for (i = 1; i <= 2; i++) {
		relid = primary("a")->relid;
		give_rings(relid, true);
		msg.relid = relid;
		msg.gpadl = RINGS_GPADL(relid);
		say(&msg, sizeof(msg));
		EXPECT(primary("a")->state == CHANNEL_RESCINDED);
		EXPECT(heard_of(MSG_RESCIND, NULL, 0) == i);
		EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == i * answered);
		EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 0);
		say_channel(MSG_RELID_RELEASED, relid);
	}
	EXPECT(logged("\"event\":\"rescind-at\"", "") == 2);
	opened("a");
	EXPECT(primary("a")->state == CHANNEL_OPEN);
	EXPECT(!violations());
}

static void withdrawn_at_the_gpadl(void)
{
	withdrawn_while_it_opens("gpadl", 1);
	EXPECT(logged("\"event\":\"open-after-rescind\"", "") == 2);
}

static void withdrawn_at_the_gpadls_body(void)
{
	withdrawn_while_it_opens("gpadl-body", 0);
}

static void withdrawn_at_the_open(void)
{
	withdrawn_while_it_opens("open", 1);
	EXPECT(!logged("\"event\":\"open-after-rescind\"", ""));
}

static const struct test {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "a channel opens and closes", a_channel_opens_and_closes },
	{ "flags leave the pipe alone", flags_leave_the_pipe_alone },
	{ "a new guest gets as many offers as the last one", a_new_guest_gets_as_many_offers },
	{ "an offer before the release of the last is remembered", an_early_offer_is_remembered },
	{ "sub-channels come again with their primary", sub_channels_come_again },
	{ "every packet has an answer of its own", every_packet_has_an_answer_of_its_own },
	{ "what is not read is in the account", what_is_not_read_is_in_the_account },
	{ "random packets can be stepped over, mostly", random_packets_can_be_stepped_over },
	{ "each opening and each seed has tricks of its own", each_opening_has_its_own_tricks },
	{ "a trick that finds no room is none", a_trick_without_room_is_none },
	{ "a trick that closes its channel is counted", a_trick_that_closes_is_counted },
	{ "an offer is withdrawn at the rings' first message", withdrawn_at_the_gpadl },
	{ "an offer is withdrawn instead of an answer to the rings", withdrawn_at_the_gpadls_body },
	{ "an offer is withdrawn instead of being opened", withdrawn_at_the_open },
};

static void run_one(const struct test *test)
{
	char name[40];

	log_fd = memfd_create("log", 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", log_fd);
	log_open(name);
	machine_start();
	test->run();
	fflush(stdout);
	_exit(failures != 0);
}

static bool passes(const struct test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		run_one(test);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		printf("not ok - %s\n", test->name);
		return false;
	}
	printf("ok - %s\n", test->name);
	return true;
}

int main(void)
{
	bool good = true;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(tests); i++)
		good &= passes(&tests[i]);
	return !good;
}
