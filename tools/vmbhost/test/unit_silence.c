// SPDX-License-Identifier: GPL-2.0
/*
 * Silence: what the host does not answer, and that a rescind ends it.
 */
#include <stdio.h>

#include "guest.h"
#include "silence.h"

#define BUFFER			7

static u32 kept_silent(const char *to)
{
	char words[40];

	snprintf(words, sizeof(words), "\"to\":\"%s", to);
	return logged("\"event\":\"silent\"", words);
}

/* The offer can be withdrawn, and has all it needs when it comes back. */
static void begins_anew(const char *name)
{
	u32 opened_before = heard_of(MSG_OPEN_RESULT, NULL, 0), relid = primary(name)->relid;

	withdraw_and_release(name);
	EXPECT(heard_of(MSG_RESCIND, NULL, 0) == 1);
	EXPECT(primary(name) && primary(name)->relid != relid);
	opened(name);
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == opened_before + 1);
	EXPECT(primary(name)->state == CHANNEL_OPEN);
	EXPECT(!violations());
}

static void an_open_has_no_answer(void)
{
	scenario_line("unit", "offer name=a silent=open silences=1 reoffer=1");
	connect_bus();
	opened("a");
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 1);
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 0);
	EXPECT(primary("a")->state == CHANNEL_OFFERED);
	EXPECT(kept_silent("open") == 1);
	begins_anew("a");
}

static void the_rings_have_no_answer(void)
{
	scenario_line("unit", "offer name=a silent=rings silences=1 reoffer=1");
	connect_bus();
	give_rings(primary("a")->relid, true);
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 0);
	EXPECT(kept_silent("rings") == 1);
	begins_anew("a");
}

static void a_gpadl_has_no_answer(void)
{
	struct msg_gpadl_created created;

	scenario_line("unit", "offer name=a silent=gpadl silences=1 reoffer=1");
	connect_bus();
	opened("a");
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 1);
	give_buffer(primary("a")->relid, BUFFER);
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 1);
	EXPECT(kept_silent("gpadl") == 1);
	begins_anew("a");
	give_buffer(primary("a")->relid, BUFFER);
	EXPECT(heard_of(MSG_GPADL_CREATED, &created, sizeof(created)) == 3);
	EXPECT(created.gpadl == BUFFER && created.status == NT_SUCCESS);
}

static void a_teardown_has_no_answer(void)
{
	scenario_line("unit", "offer name=a silent=teardown reoffer=1");
	connect_bus();
	opened("a");
	give_buffer(primary("a")->relid, BUFFER);
	take_back(primary("a")->relid, BUFFER);
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 2);
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 0);
	EXPECT(kept_silent("teardown") == 1);
	/* The rings' is not meant. */
	close_channel(primary("a")->relid);
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 1);
	EXPECT(primary("a")->state == CHANNEL_OFFERED);
	begins_anew("a");
}

static void a_close_is_not_done(void)
{
	struct channel *chan;

	scenario_line("unit", "offer name=a silent=close silences=1 reoffer=1");
	connect_bus();
	chan = opened("a");
	close_channel(chan->relid);
	EXPECT(chan->state == CHANNEL_OPEN);
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 0);
	EXPECT(kept_silent("close") == 1);
	/* The host still reads the rings. */
	guest_sends(chan, PACKET_DATA, PACKET_WANTS_COMPLETION, 1);
	EXPECT(chan->count.completed == 1);
	begins_anew("a");
	EXPECT(logged("\"event\":\"close\"", "\"why\":\"rescinded\"") == 1);
	close_channel(primary("a")->relid);
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 1);
}

static void a_release_is_not_taken_notice_of(void)
{
	u32 relid;

	scenario_line("unit", "offer name=a silent=release reoffer=1");
	connect_bus();
	relid = primary("a")->relid;
	withdraw_and_release("a");
	offer_now(offer_by_name("a"));
	settle();
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 1);
	EXPECT(primary("a")->relid == relid && primary("a")->state == CHANNEL_RESCINDED);
	EXPECT(kept_silent("release") == 1);
	/* But the next guest gets the offer. */
	disconnect_bus();
	connect_bus();
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 2);
	EXPECT(!violations());
}

static void what_is_kept_can_be_answered(void)
{
	struct offer *offer;

	scenario_line("unit",
		      "offer name=a silent=open silent=rings silent=gpadl silent=teardown silent=close");
	connect_bus();
	offer = offer_by_name("a");
	opened("a");
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 0);
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 0);
	silence_end(offer);
	settle();
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 1);
	EXPECT(heard_of(MSG_OPEN_RESULT, NULL, 0) == 1);
	EXPECT(primary("a")->state == CHANNEL_OPEN);

	/* From now on it is honest; once more as before. */
	offer->honest = false;
	give_buffer(primary("a")->relid, BUFFER);
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 1);
	take_back(primary("a")->relid, BUFFER);
	close_channel(primary("a")->relid);
	EXPECT(kept_silent("") == 5);
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 0);
	EXPECT(primary("a")->state == CHANNEL_OPEN);
	silence_end(offer);
	settle();
	EXPECT(heard_of(MSG_GPADL_CREATED, NULL, 0) == 2);
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 2);
	EXPECT(primary("a")->state == CHANNEL_OFFERED);
	EXPECT(!violations());
}

/* Where the guest waits for an answer all the same. */
static void it_can_be_answered_after_a_rescind(void)
{
	scenario_line("unit", "offer name=a silent=close silent=release reoffer=1");
	connect_bus();
	opened("a");
	close_channel(primary("a")->relid);
	withdraw_and_release("a");
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 0);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 1);
	silence_end(offer_by_name("a"));
	settle();
	EXPECT(heard_of(MSG_GPADL_TORNDOWN, NULL, 0) == 1);
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 2);
	EXPECT(!violations());
}

const struct test tests_silence[] = {
	{ "an open has no answer until the offer is withdrawn", an_open_has_no_answer },
	{ "the rings have no answer until the offer is withdrawn", the_rings_have_no_answer },
	{ "a GPADL has no answer, the rings have one", a_gpadl_has_no_answer },
	{ "a teardown has no answer, that of the rings has one", a_teardown_has_no_answer },
	{ "a channel stays open at the host when it is closed", a_close_is_not_done },
	{ "a release is not taken notice of", a_release_is_not_taken_notice_of },
	{ "what has no answer can have one later", what_is_kept_can_be_answered },
	{ "it can have one after a rescind", it_can_be_answered_after_a_rescind },
	{ NULL },
};
