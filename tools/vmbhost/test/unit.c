// SPDX-License-Identifier: GPL-2.0
/*
 * The server against a guest that does, step by step, what each test needs. A
 * test is a process of its own, with its own offers; it prints "ok" or "not ok".
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static void flags_leave_the_pipe_alone(void)
{
	struct msg_offer offer;

	scenario_line("unit", "offer name=a pipe=message flags=1");
	connect_bus();
	EXPECT(heard_of(MSG_OFFER, &offer, sizeof(offer)) == 1);
	EXPECT(offer.flags == (OFFER_ENUMERATE_INTERFACE | OFFER_NAMED_PIPE));
	EXPECT(offer.pipe_mode == PIPE_MODE_MESSAGE);
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

/* As a guest does that resumes from hibernation: it waits for all that it had. */
static void what_was_offered_is_offered_at_once(void)
{
	struct channel *chan;
	u32 relid, offers;

	scenario_line("unit", "offer name=a hidden=yes");
	scenario_line("unit", "offer name=b delay=1");
	scenario_line("unit", "offer name=c");
	scenario_line("unit", "offer name=d hidden=yes");
	connect_bus();
	offer_now(offer_by_name("a"));
	settle();
	chan = opened("c");
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 3);
	relid = chan->relid;
	offer_by_name("b")->delay = 1000000;
	disconnect_bus();
	EXPECT(heard_of(MSG_UNLOAD_RESPONSE, NULL, 0) == 1);
	EXPECT(!primary("a") && !primary("b") && !primary("c"));
	EXPECT(logged("\"event\":\"close\"", "\"offer\":\"c\"") == 1);

	connect_bus();
	EXPECT(heard_of(MSG_VERSION_RESPONSE, NULL, 0) == 2);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 6);
	EXPECT(heard_of(MSG_ALL_OFFERS, NULL, 0) == 2);
	EXPECT(primary("a") && primary("b") && primary("c") && !primary("d"));
	EXPECT(primary("c")->relid != relid);
	opened("c");
	EXPECT(primary("c")->state == CHANNEL_OPEN);

	/* What was withdrawn comes as to any guest. */
	withdraw_and_release("a");
	withdraw_and_release("c");
	offers = heard_of(MSG_OFFER, NULL, 0);
	disconnect_bus();
	connect_bus();
	EXPECT(!primary("a") && primary("b") && primary("c"));
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == offers + 2);
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

static void a_sub_channel_is_withdrawn_by_itself(void)
{
	struct msg_channel msg;
	u32 relid, first;

	scenario_line("unit", "offer name=a subs=1 rescind-at=open rescind-subs=yes rescinds=1");
	connect_bus();
	relid = primary("a")->relid;
	open_channel(relid);
	EXPECT(!heard_of(MSG_RESCIND, NULL, 0));
	first = sub_relid("a");
	open_channel(first);
	EXPECT(heard_of(MSG_RESCIND, &msg, sizeof(msg)) == 1 && msg.relid == first);
	EXPECT(primary("a")->state == CHANNEL_OPEN);
	say_channel(MSG_RELID_RELEASED, first);
	EXPECT(sub_relid("a") && sub_relid("a") != first);
	open_channel(sub_relid("a"));
	EXPECT(heard_of(MSG_RESCIND, NULL, 0) == 1);
	EXPECT(!violations());
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

static void packets_come_before_the_answer(void)
{
	struct channel *chan;
	u32 tries;

	scenario_line("unit", "offer name=a behaviour=source count=4 open-delay=200");
	connect_bus();
	chan = opened("a");
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 0);
	EXPECT(chan->count.sent == 4 && chan->count.signals_out);
	EXPECT(chan->out.head->write_index == 4 * (16 + 64 + RING_TRAILER));
	for (tries = 0; tries < 100 && !heard_of(MSG_OPEN_RESULT, NULL, 0); tries++)
		settle();
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 1);
	EXPECT(logged("\"event\":\"open-answer\"", "\"sent\":4") == 1);
	/* Nothing is left to be answered where the offer is withdrawn meanwhile. */
	close_channel(chan->relid);
	opened("a");
	offer_rescind(offer_by_name("a"));
	for (tries = 0; tries < 20; tries++)
		settle();
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 1);
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

static const struct test tests_unit[] = {
	{ "a channel opens and closes", a_channel_opens_and_closes },
	{ "flags leave the pipe alone", flags_leave_the_pipe_alone },
	{ "a new guest gets as many offers as the last one", a_new_guest_gets_as_many_offers },
	{ "what was offered is offered at once after UNLOAD", what_was_offered_is_offered_at_once },
	{ "an offer before the release of the last is remembered", an_early_offer_is_remembered },
	{ "sub-channels come again with their primary", sub_channels_come_again },
	{ "a sub-channel is withdrawn by itself, and comes again",
	  a_sub_channel_is_withdrawn_by_itself },
	{ "every packet has an answer of its own", every_packet_has_an_answer_of_its_own },
	{ "what is not read is in the account", what_is_not_read_is_in_the_account },
	{ "packets come before the answer to an open", packets_come_before_the_answer },
	{ "an offer is withdrawn at the rings' first message", withdrawn_at_the_gpadl },
	{ "an offer is withdrawn instead of an answer to the rings", withdrawn_at_the_gpadls_body },
	{ "an offer is withdrawn instead of being opened", withdrawn_at_the_open },
	{ NULL },
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
	static const struct test *const all[] = {
		tests_unit, tests_dynmem, tests_ic, tests_silence, tests_storage, tests_tricks,
	};
	const struct test *test;
	bool good = true;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all); i++)
		for (test = all[i]; test->name; test++)
			good &= passes(test);
	return !good;
}
