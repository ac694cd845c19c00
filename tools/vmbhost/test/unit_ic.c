// SPDX-License-Identifier: GPL-2.0
/*
 * The integration services: versions, and what the host makes of answers.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "guest.h"
#include "ic.h"

struct message {
	struct ic_pipe pipe;
	struct ic_head head;
	union {
		struct ic_negotiate negotiate;
		struct ic_heartbeat heartbeat;
		struct ic_shutdown shutdown;
		struct ic_time time;
		struct ic_time_reference reference;
	};
} __packed;

/* What the host has written since the guest has read last; the guest reads it. */
static bool reads(struct channel *chan, struct message *msg)
{
	u32 begin = chan->out.head->read_index, at;
	struct packet_header head;

	if (begin == chan->out.head->write_index)
		return false;
	head = written(chan, begin);
	EXPECT(head.type == PACKET_DATA && !head.flags);
	at = begin + head.offset8 * 8;
	memset(msg, 0, sizeof(*msg));
	memcpy(msg, chan->out.data + at,
	       head.len8 * 8 - sizeof(head) < sizeof(*msg) ? head.len8 * 8 - sizeof(head) :
	       sizeof(*msg));
	chan->out.head->read_index = (begin + head.len8 * 8 + RING_TRAILER) % chan->out.size;
	return true;
}

static bool asked(struct channel *chan, struct message *msg)
{
	if (!reads(chan, msg))
		return false;
	EXPECT(msg->pipe.type == IC_PIPE_DATA);
	EXPECT(msg->pipe.size == sizeof(msg->head) + msg->head.size);
	EXPECT(msg->head.flags == (IC_TRANSACTION | IC_REQUEST));
	return true;
}

static void answers(struct channel *chan, struct message *msg)
{
	msg->head.flags = IC_TRANSACTION | IC_RESPONSE;
	guest_sends_payload(chan, PACKET_DATA, 0, 0, NULL, 0, msg,
			    sizeof(msg->pipe) + msg->pipe.size);
}

/* The answer to what the host has asked first. */
static void answers_versions(struct channel *chan, struct ic_version framework,
			     struct ic_version version)
{
	struct message msg;

	EXPECT(asked(chan, &msg) && msg.head.type == IC_NEGOTIATE);
	msg.negotiate.frameworks = 1;
	msg.negotiate.services = 1;
	msg.negotiate.versions[0] = framework;
	msg.negotiate.versions[1] = version;
	msg.head.size = offsetof(struct ic_negotiate, versions[2]);
	answers(chan, &msg);
}

static struct channel *offered(const char *offer)
{
	scenario_line("unit", offer);
	connect_bus();
	return opened("a");
}

static struct channel *agreed(const char *offer, u16 major, u16 minor)
{
	struct channel *chan = offered(offer);

	answers_versions(chan, (struct ic_version){ 3, 0 }, (struct ic_version){ major, minor });
	EXPECT(logged("\"event\":\"ic-versions\"", "\"framework\":\"3.0\"") == 1);
	EXPECT(!violations());
	return chan;
}

static void a_class_and_a_pipe(void)
{
	static const struct guid class = { {
		0x39, 0x4f, 0x16, 0x57, 0x15, 0x91, 0x78, 0x4e,
		0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d,
	} };
	struct msg_offer offer;

	scenario_line("unit", "offer name=a behaviour=heartbeat");
	connect_bus();
	EXPECT(heard_of(MSG_OFFER, &offer, sizeof(offer)) == 1);
	EXPECT(!memcmp(&offer.type, &class, sizeof(class)));
	EXPECT(offer.flags & OFFER_NAMED_PIPE && offer.pipe_mode == PIPE_MODE_MESSAGE);
}

static void versions_are_offered_and_chosen(void)
{
	struct channel *chan = offered("offer name=a behaviour=shutdown ic-version=3.1");
	struct message msg;

	EXPECT(asked(chan, &msg) && msg.head.type == IC_NEGOTIATE && msg.head.transaction == 1);
	EXPECT(msg.head.size == 8 + 5 * 4);
	EXPECT(msg.negotiate.frameworks == 2 && msg.negotiate.services == 3);
	EXPECT(msg.negotiate.versions[1].major == 3 && msg.negotiate.versions[4].minor == 1);
	msg.negotiate.frameworks = 1;
	msg.negotiate.services = 1;
	msg.negotiate.versions[0] = (struct ic_version){ 1, 0 };
	msg.negotiate.versions[1] = (struct ic_version){ 3, 1 };
	answers(chan, &msg);
	EXPECT(logged("ic-versions", "\"framework\":\"1.0\",\"version\":\"3.1\"") == 1);
	/* Once. */
	answers(chan, &msg);
	EXPECT(violations() == 1 && logged("violation", "an answer to no request") == 1);
}

static void an_old_host_has_old_versions(void)
{
	struct channel *chan = offered("offer name=a behaviour=timesync ic-version=1.0");
	struct message msg;

	EXPECT(asked(chan, &msg) && msg.negotiate.frameworks == 1 && msg.negotiate.services == 1);
	EXPECT(msg.negotiate.versions[0].major == 1 && msg.negotiate.versions[1].major == 1);
	/* None of them will do for the guest. */
	msg.negotiate.frameworks = 0;
	msg.negotiate.services = 0;
	answers(chan, &msg);
	settle();
	EXPECT(logged("\"event\":\"ic-versions\"", "\"framework\":\"0.0\"") == 1);
	EXPECT(!asked(chan, &msg) && !violations());
}

static void a_version_that_was_not_offered(void)
{
	struct channel *chan = offered("offer name=a behaviour=shutdown ic-version=3.1");
	struct message msg;

	answers_versions(chan, (struct ic_version){ 3, 0 }, (struct ic_version){ 3, 2 });
	EXPECT(logged("violation", "a version that was not offered") == 1);
	ic_power_off(chan->offer);
	EXPECT(!asked(chan, &msg) && logged("command-refused", "") == 1);
}

static void heartbeats_are_counted(void)
{
	struct channel *chan = agreed("offer name=a behaviour=heartbeat ic-interval=1", 3, 0);
	struct message msg;
	u32 i;

	for (i = 1; i <= 300; i++) {
		while (!asked(chan, &msg))
			loop_turn(30);
		EXPECT(msg.head.type == IC_HEARTBEAT && msg.heartbeat.sequence == i);
		EXPECT(msg.head.framework.major == 3 && msg.head.version.major == 3);
		msg.heartbeat.sequence++;
		msg.heartbeat.state = 1;
		answers(chan, &msg);
	}
	close_channel(chan->relid);
	EXPECT(logged("\"event\":\"ic\"", "\"asked\":301,\"answered\":301,\"refused\":0,") == 1);
	EXPECT(logged("\"event\":\"ic\"", "\"state\":1,\"lies\":0}") == 1);
	EXPECT(!violations());
}

static void a_guest_that_does_not_read_gets_no_more(void)
{
	struct channel *chan = agreed("offer name=a behaviour=heartbeat ic-interval=1", 3, 0);
	u32 turns;

	for (turns = 0; turns < 3000 && !chan->waiting; turns++)
		loop_turn(30);
	EXPECT(chan->waiting_count == 1);
	for (turns = 0; turns < 50; turns++)
		loop_turn(30);
	EXPECT(chan->waiting_count == 1);
}

/* What the guest has said last was a violation with these words. */
static void violates(struct channel *chan, struct message *msg, const char *what)
{
	guest_sends_payload(chan, PACKET_DATA, 0, 0, NULL, 0, msg,
			    sizeof(msg->pipe) + sizeof(msg->head) + sizeof(msg->heartbeat));
	if (!logged("\"event\":\"violation\"", what))
		printf("# not said: %s\n", what);
	EXPECT(logged("\"event\":\"violation\"", what) == 1);
}

static void answers_that_make_no_sense(void)
{
	struct channel *chan = agreed("offer name=a behaviour=heartbeat ic-interval=1", 3, 0);
	struct message good, bad;

	while (!asked(chan, &good))
		loop_turn(30);
	guest_sends_payload(chan, PACKET_DATA, 0, 0, NULL, 0, &good, 24);
	EXPECT(logged("violation", "too short for an integration service") == 1);
	bad = good;
	violates(chan, &bad, "a message that is no answer");
	good.head.flags = IC_TRANSACTION | IC_RESPONSE;
	bad = good;
	bad.pipe.type = 2;
	violates(chan, &bad, "a pipe's header that makes no sense");
	bad = good;
	bad.pipe.size = 1000;
	guest_sends_payload(chan, PACKET_DATA, 0, 0, NULL, 0, &bad, 28 + 40);
	bad = good;
	bad.pipe.size = 19;
	guest_sends_payload(chan, PACKET_DATA, 0, 0, NULL, 0, &bad, 28 + 40);
	EXPECT(logged("violation", "a pipe's header that makes no sense") == 3);
	bad = good;
	bad.head.size = 41;
	violates(chan, &bad, "a message that is longer than its packet");
	bad = good;
	bad.head.transaction += 100;
	violates(chan, &bad, "an answer to no request");
	bad = good;
	bad.head.type = IC_TIMESYNC;
	guest_sends_payload(chan, PACKET_DATA, 0, 0, NULL, 0, &bad, 28 + 40);
	EXPECT(logged("violation", "an answer to no request") == 2);
	/* From here on each is the answer to another request. */
	violates(chan, &good, "a sequence number that is not the next");
	while (!asked(chan, &bad))
		loop_turn(30);
	bad.head.flags = IC_RESPONSE;
	bad.heartbeat.sequence++;
	bad.heartbeat.state = 4;
	violates(chan, &bad, "a state that there is not");
	while (!asked(chan, &bad))
		loop_turn(30);
	bad.head.flags = IC_RESPONSE;
	bad.head.version.major = 1;
	violates(chan, &bad, "an answer of another version");
	while (!asked(chan, &bad))
		loop_turn(30);
	bad.head.flags = IC_RESPONSE;
	bad.head.size = 11;
	violates(chan, &bad, "a heartbeat that is too short");
	while (!asked(chan, &bad))
		loop_turn(30);
	bad.head.flags = IC_RESPONSE;
	bad.head.status = IC_FAILED;
	answers(chan, &bad);
	EXPECT(((struct ic *)chan->priv)->count.refused == 1);
	EXPECT(violations() == 12);
}

static void external_data_is_no_answer(void)
{
	struct channel *chan = agreed("offer name=a behaviour=heartbeat", 3, 0);
	const struct {
		struct packet_ranges head;
		struct wire_range range;
		u64 pfn;
	} __packed extra = { .head.count = 1, .range.length = PAGE_SIZE, .pfn = 1 };

	guest_sends_payload(chan, PACKET_GPA_DIRECT, 0, 0, &extra, sizeof(extra), "", 0);
	EXPECT(logged("violation", "external data for an integration service") == 1);
}

static void time_comes_at_once_and_again(void)
{
	struct channel *chan = agreed("offer name=a behaviour=timesync ic-interval=1", 4, 0);
	const u64 now = 116444736000000000ull + time(NULL) * 10000000ull;
	struct message msg;

	EXPECT(asked(chan, &msg) && msg.head.type == IC_TIMESYNC && msg.head.size == 24);
	EXPECT(msg.reference.flags == IC_TIME_SYNC);
	EXPECT(msg.reference.host - now < 50000000);
	answers(chan, &msg);
	while (!asked(chan, &msg))
		loop_turn(30);
	EXPECT(msg.reference.flags == IC_TIME_SAMPLE && msg.reference.host >= now);
	EXPECT(logged("\"event\":\"ic-time\"", "\"seconds\":") == 1);
	EXPECT(!violations());
}

static void time_as_before_version_4(void)
{
	struct channel *chan = agreed("offer name=a behaviour=timesync", 3, 0);
	struct message msg;

	EXPECT(asked(chan, &msg) && msg.head.size == 25);
	EXPECT(msg.time.flags == IC_TIME_SYNC && !msg.time.guest && !msg.time.round_trip);
}

static void a_guest_is_told_to_shut_down(void)
{
	struct channel *chan = agreed("offer name=a behaviour=shutdown", 3, 2);
	struct message msg;

	settle();
	EXPECT(!asked(chan, &msg));
	ic_hibernate(chan->offer);
	EXPECT(asked(chan, &msg) && msg.head.type == IC_SHUTDOWN && msg.head.size == 2060);
	EXPECT(msg.shutdown.flags == IC_SHUTDOWN_HIBERNATE);
	msg.head.status = IC_FAILED;
	msg.head.size = 0;
	answers(chan, &msg);
	EXPECT(logged("\"event\":\"ic-shutdown\"", "\"status\":\"0x80004005\"") == 1);
	ic_power_off(chan->offer);
	EXPECT(asked(chan, &msg) && !msg.shutdown.flags);
	answers(chan, &msg);
	EXPECT(logged("\"event\":\"ic-shutdown\"", "\"status\":\"0x0\"") == 1);
	close_channel(chan->relid);
	EXPECT(logged("\"event\":\"ic\"", "\"asked\":3,\"answered\":3,\"refused\":1") == 1);
	EXPECT(!violations());
	/* No channel, no service. */
	ic_power_off(chan->offer);
	EXPECT(logged("\"event\":\"command-refused\"", "") == 1);
}

/* The guest answers what it is asked, and never mind the rest. */
static void lies_come_beside_what_is_true(void)
{
	struct channel *chan = agreed("offer name=a behaviour=heartbeat ic-interval=1 ic-lies=2",
				      3, 0);
	const struct ic *ic = chan->priv;
	u32 good = 0, other = 0;
	struct message msg;

	while (good < 50) {
		while (chan->out.head->read_index == chan->out.head->write_index)
			loop_turn(30);
		EXPECT(reads(chan, &msg));
		if (ic->asked[msg.head.transaction].open) {
			EXPECT(msg.heartbeat.sequence == ++good);
			msg.heartbeat.sequence++;
			msg.heartbeat.state = 0;
		} else {
			other++;
			msg.pipe.type = IC_PIPE_DATA;
			msg.pipe.size = sizeof(msg.head);
			msg.head.size = 0;
			msg.head.status = IC_FAILED;
		}
		answers(chan, &msg);
	}
	EXPECT(good == 50 && other >= 24 && other <= 26);
	EXPECT(!violations());
}

const struct test tests_ic[] = {
	{ "services: an offer has its class, and is a pipe", a_class_and_a_pipe },
	{ "services: versions are offered and chosen", versions_are_offered_and_chosen },
	{ "services: an old host has old versions", an_old_host_has_old_versions },
	{ "services: a version that was not offered", a_version_that_was_not_offered },
	{ "services: heartbeats are counted", heartbeats_are_counted },
	{ "services: a guest that does not read gets no more",
	  a_guest_that_does_not_read_gets_no_more },
	{ "services: answers that make no sense", answers_that_make_no_sense },
	{ "services: external data is no answer", external_data_is_no_answer },
	{ "services: time comes at once and again", time_comes_at_once_and_again },
	{ "services: time as before version 4", time_as_before_version_4 },
	{ "services: a guest is told to shut down", a_guest_is_told_to_shut_down },
	{ "services: lies come beside what is true", lies_come_beside_what_is_true },
	{ NULL, NULL },
};
