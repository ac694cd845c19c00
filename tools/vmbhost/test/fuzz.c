// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that posts whatever it likes, against the whole server with all its
 * behaviours and tricks, without a machine: for the address sanitizer.
 *
 * fuzz SEED BATCHES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "behaviour.h"
#include "bus.h"
#include "channel.h"
#include "client.h"
#include "hostile.h"
#include "hypercall.h"
#include "ic.h"
#include "log.h"
#include "machine.h"
#include "scenario.h"
#include "storage.h"
#include "synic.h"

#define RING_PAGES		8u
#define STEPS			50
#define ALWAYS			" reoffer=1 reoffers=0"
#define A_UNIT_GOES		" detach=100 attach=1 attach-ms=1"

static u64 seed, batches, opened, packets;
static u32 next_gpadl = 1;

static u32 rnd(u32 below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (seed >> 33) % below;
}

enum synic_result synic_send(unsigned int cpu, u32 type, const void *payload, u8 len)
{
	(void)cpu;
	(void)type;
	(void)payload;
	(void)len;
	return rnd(50) ? SYNIC_SENT : SYNIC_OFF;
}

/* The guest. */

static void post(const void *msg, u32 len)
{
	bus_post(rnd(30) ? VMBUS_CONNECTION : VMBUS_CONNECTION_5, msg, len);
}

static u64 random_pfn(void)
{
	return rnd(40) ? rnd(RAM_BYTES / PAGE_SIZE) : (u64)rnd(1u << 30) << rnd(34);
}

/* Mostly of a channel that exists. */
static u32 random_relid(void)
{
	u32 relid = rnd(BUS_MAX_RELIDS), tries;

	if (!rnd(50))
		return rnd(0x7fffffff);
	for (tries = 0; tries < BUS_MAX_RELIDS && !bus.channels[relid]; tries++)
		relid = (relid + 1) % BUS_MAX_RELIDS;
	return relid;
}

static void contact(void)
{
	struct msg_initiate_contact msg = {
		.head.type = MSG_INITIATE_CONTACT,
		.version = rnd(3) ? VMBUS_VERSION(5, rnd(4)) : rnd(0x7fffffff),
		.target_vp = rnd(10) ? 0 : rnd(1000), .sint = rnd(10) ? 2 : rnd(256),
		.monitor_pages = { random_pfn() << PAGE_SHIFT, random_pfn() << PAGE_SHIFT },
	};

	post(&msg, rnd(20) ? sizeof(msg) : rnd(sizeof(msg)));
}

/* Of RING_PAGES pages, in one header or with a body; or nonsense. */
static u32 gpadl(u32 relid)
{
	u64 buffer[HV_MESSAGE_PAYLOAD / 8] = { 0 };
	struct msg_gpadl_header *head = (void *)buffer;
	struct msg_gpadl_body *body = (void *)buffer;
	u64 pfns[RING_PAGES], base = rnd(RAM_BYTES / PAGE_SIZE - RING_PAGES);
	u32 in_head = rnd(2) ? RING_PAGES : 3, i;
	struct wire_range *range;

	for (i = 0; i < RING_PAGES; i++)
		pfns[i] = rnd(200) ? base + i : random_pfn();
	head->head.type = MSG_GPADL_HEADER;
	head->relid = relid;
	head->gpadl = next_gpadl++;
	head->range_count = rnd(40) ? 1 : rnd(0x10000);
	head->ranges_bytes = rnd(40) ? sizeof(*range) + sizeof(pfns) : rnd(0x10000);
	range = (void *)head->ranges;
	range->length = rnd(40) ? sizeof(pfns) / 8 * PAGE_SIZE : rnd(0x7fffffff);
	range->offset = rnd(40) ? 0 : rnd(0x7fffffff);
	memcpy(range->pfns, pfns, in_head * sizeof(u64));
	post(head, sizeof(*head) + sizeof(*range) + in_head * sizeof(u64));
	if (in_head < RING_PAGES) {
		memset(buffer, 0, sizeof(buffer));
		body->head.type = MSG_GPADL_BODY;
		body->gpadl = rnd(40) ? next_gpadl - 1 : rnd(100);
		memcpy(body->ranges, pfns + in_head, (RING_PAGES - in_head) * sizeof(u64));
		post(body, rnd(40) ? sizeof(*body) + (RING_PAGES - in_head) * sizeof(u64) :
			   rnd(HV_MESSAGE_PAYLOAD + 1));
	}
	return next_gpadl - 1;
}

static void open_channel(void)
{
	u32 relid = random_relid();
	struct msg_open msg = {
		.head.type = MSG_OPEN, .relid = relid, .open_id = relid,
		.gpadl = rnd(20) ? gpadl(relid) : rnd(next_gpadl),
		.target_vp = rnd(20) ? 0 : rnd(100),
		.downstream_page = rnd(20) ? RING_PAGES / 2 : rnd(20),
	};

	post(&msg, sizeof(msg));
}

static void small_message(u32 type, u32 a, u32 b)
{
	struct {
		struct msg_header head;
		u32 a, b;
	} msg = { { .type = type }, a, b };

	post(&msg, rnd(20) ? sizeof(msg) : rnd(sizeof(msg)));
}

static struct channel *some_open_channel(void)
{
	u32 relid = rnd(BUS_MAX_RELIDS), tries;

	for (tries = 0; tries < BUS_MAX_RELIDS; tries++, relid = (relid + 1) % BUS_MAX_RELIDS)
		if (bus.channels[relid] && bus.channels[relid]->state == CHANNEL_OPEN)
			return bus.channels[relid];
	return NULL;
}

/* Near to what makes sense: the steps of the initialization, then commands. */
static void write_storage(const struct channel *chan, void *to, u32 len)
{
	static const u8 commands[] = {
		0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x25, 0x28, 0x2a, 0x35, 0x42, 0x5a, 0x88,
		0x8a, 0x91, 0x9e, 0xa0, 0xa8, 0xaa,
	};
	static const u8 steps[] = {
		STORAGE_BEGIN, STORAGE_QUERY_VERSION, STORAGE_QUERY_PROPERTIES, STORAGE_END,
	};
	struct storage_packet pkt = { .operation = rnd(20) ? STORAGE_EXECUTE : rnd(15) };
	u32 i;

	if (chan->count.received < sizeof(steps) && rnd(20))
		pkt.operation = steps[chan->count.received];
	pkt.srb.unit = rnd(3);
	pkt.srb.target = !rnd(10);
	pkt.srb.in = rnd(2);
	pkt.srb.data_length = rnd(2) ? 512 * rnd(8) : rnd(5000);
	for (i = 0; i < sizeof(pkt.srb.bytes); i++)
		pkt.srb.bytes[i] = rnd(12) ? 0 : rnd(256);
	pkt.srb.bytes[rnd(2) ? 8 : 4] = rnd(8);
	pkt.srb.bytes[0] = rnd(10) ? commands[rnd(sizeof(commands))] : rnd(256);
	if (pkt.operation == STORAGE_QUERY_VERSION)
		pkt.version = rnd(20) ? STORAGE_VERSION(6, 2) : rnd(0x10000);
	memcpy(to, &pkt, len < sizeof(pkt) ? len : sizeof(pkt));
}

/* An answer, mostly to what the host has asked last. */
static void write_ic(const struct channel *chan, void *to, u32 len)
{
	static const u16 types[] = { IC_NEGOTIATE, IC_HEARTBEAT, IC_SHUTDOWN, IC_TIMESYNC };
	const struct ic *ic = chan->priv;
	u64 sequence;
	struct {
		struct ic_pipe pipe;
		struct ic_head head;
		struct ic_negotiate negotiate;
	} __packed msg = {
		.pipe = { .type = rnd(20) ? IC_PIPE_DATA : rnd(5),
			  .size = rnd(20) ? len - sizeof(struct ic_pipe) : rnd(0x7fffffff) },
		.head = { .framework = ic->framework, .version = ic->version,
			  .type = rnd(20) ? ic->asked[ic->last].type : types[rnd(4)],
			  .size = rnd(20) ? len - 28 : rnd(0x10000), .status = !rnd(20),
			  .transaction = rnd(5) ? ic->last : rnd(256),
			  .flags = rnd(20) ? IC_RESPONSE : rnd(8) },
		.negotiate = { .frameworks = rnd(20) ? 1 : rnd(4), .services = rnd(20) ? 1 : rnd(4),
			       .versions = { { 1 + 2 * rnd(2), 0 }, { 1 + rnd(4), 0 } } },
	};

	if (ic->stage == IC_STAGE_READY) {
		sequence = ic->sequence + (rnd(20) ? 1 : rnd(3));
		memcpy(&msg.negotiate, &sequence, sizeof(sequence));
	}
	memcpy(to, &msg, len < sizeof(msg) ? len : sizeof(msg));
}

/* As the guest's driver would, into the ring that the host reads. */
static void write_packet(struct channel *chan)
{
	struct ring_header *head = chan->in.head;
	bool storage = chan->offer->behaviour == &behaviour_storage;
	bool service = chan->offer->behaviour->packet == ic_packet;
	u32 at = head->write_index % chan->in.size / 8 * 8, i;
	u32 len8 = ((storage || service) && rnd(20) ? 14 : 2) + rnd(40);
	u64 *words = (u64 *)(chan->in.data + at);
	struct packet_header pkt = {
		.type = (storage ? rnd(4) : service ? !rnd(50) : !rnd(3)) ? PACKET_GPA_DIRECT :
									     PACKET_DATA,
		.offset8 = 2, .len8 = len8, .flags = rnd(2), .id = rnd(1000),
	};
	struct vmbhost_request req = {
		.op = rnd(5), .gpadl = rnd(next_gpadl), .offset = rnd(9000), .length = rnd(9000),
	};

	for (i = 2; i < len8; i++)
		words[i] = rnd(3) ? rnd(10000) : (u64)rnd(1u << 31) << rnd(33);
	if (len8 > 4)
		memcpy(words + 2, &req, sizeof(req));
	if (pkt.type == PACKET_GPA_DIRECT && len8 > 6) {
		/* One range, more or less. */
		pkt.offset8 = rnd(10) ? 5 : 2 + rnd(len8);
		words[2] = (rnd(10) ? 1ull : rnd(1u << 31)) << 32;
		words[3] = (u64)rnd(4096) << 32 | (rnd(10) ? rnd(4096) : rnd(1u << 31));
		if (storage && rnd(10))
			words[3] = PAGE_SIZE;
		words[4] = random_pfn();
	}
	if (storage && len8 > pkt.offset8)
		write_storage(chan, words + pkt.offset8, (len8 - pkt.offset8) * 8);
	if (service && len8 > pkt.offset8)
		write_ic(chan, words + pkt.offset8, (len8 - pkt.offset8) * 8);
	if (!rnd(10)) {
		pkt.type = rnd(20);
		pkt.id = 0x5eed000000000000ull + rnd(100);
	}
	if (!rnd(200))
		pkt.len8 = rnd(0x10000);
	if (!rnd(100))
		pkt.offset8 = rnd(0x10000);
	memcpy(words, &pkt, sizeof(pkt));
	head->write_index = (at + len8 * 8 + RING_TRAILER) % chan->in.size;
	if (!rnd(500))
		head->write_index = rnd(0x7fffffff);
	/* And it reads what the host has written. */
	if (rnd(3))
		chan->out.head->read_index = chan->out.head->write_index;
	if (!rnd(500))
		chan->out.head->read_index = rnd(0x7fffffff);
	packets++;
	channel_poll(chan);
}

static void step(void)
{
	struct channel *chan = some_open_channel();
	u64 junk[HV_MESSAGE_PAYLOAD / 8];
	u32 i;

	switch (rnd(24)) {
	case 0:
		if (!bus.version || !rnd(300))
			contact();
		break;
	case 1:
		small_message(MSG_REQUEST_OFFERS, 0, 0);
		break;
	case 2 ... 4:
		open_channel();
		break;
	case 5:
		small_message(rnd(4) ? MSG_RELID_RELEASED : MSG_CLOSE, random_relid(), 0);
		break;
	case 6:
		small_message(MSG_GPADL_TEARDOWN, random_relid(), rnd(next_gpadl));
		break;
	case 7:
		small_message(MSG_MODIFY_CHANNEL, random_relid(), rnd(3));
		break;
	case 8:
		for (i = 0; i < ARRAY_SIZE(junk); i++)
			junk[i] = rnd(0x7fffffff);
		((struct msg_header *)junk)->type = rnd(30);
		if (((struct msg_header *)junk)->type != MSG_UNLOAD || !rnd(50))
			post(junk, rnd(sizeof(junk) + 1));
		break;
	case 9:
		gpadl(random_relid());
		break;
	default:
		if (chan)
			write_packet(chan);
	}
}

static struct timer again;

static void batch(void *arg)
{
	u32 i;

	(void)arg;
	for (i = 0; i < STEPS; i++)
		step();
	for (i = 0; i < BUS_MAX_RELIDS; i++)
		opened += bus.channels[i] && bus.channels[i]->state == CHANNEL_OPEN;
	if (!--batches) {
		bus_reset();
		printf("%llu packets, %llu channels open at a time, version %x\n",
		       (unsigned long long)packets, (unsigned long long)opened, bus.version);
		exit(0);
	}
	timer_set(&again, 0);
}

int main(int argc, char **argv)
{
	static const char storage[] =
		"offer behaviour=storage disk=1 disk=2 subs=2 io-reorder=2000 io-fail=5 io-short=7 io-lose=50"
		A_UNIT_GOES
		ALWAYS;
	const struct trick_kind *all[] = {
		tricks_completion, tricks_packet, tricks_ring, tricks_bus,
	};
	char line[200];
	u32 i, j;

	if (argc != 3)
		return 2;
	seed = strtoull(argv[1], NULL, 0);
	batches = strtoull(argv[2], NULL, 0);
	log_open("/dev/null");

	for (i = 0; behaviours[i]; i++) {
		snprintf(line, sizeof(line), "offer name=%s behaviour=%s subs=1" ALWAYS,
			 behaviours[i]->name, behaviours[i]->name);
		scenario_line("fuzz", line);
	}
	/* Some more of these: there is much that they can be asked. */
	for (i = 0; i < 8; i++)
		scenario_line("fuzz", storage);
	for (i = 0; i < 4; i++) {
		scenario_line("fuzz", "offer behaviour=heartbeat ic-interval=1 ic-lies=3" ALWAYS);
		scenario_line("fuzz", "offer behaviour=timesync ic-interval=1" ALWAYS);
	}
	for (i = 1; i < 100; i++) {
		snprintf(line, sizeof(line), "at %u shutdown shutdown", i * 50);
		scenario_line("fuzz", line);
	}
	scenario_line("fuzz", "offer rescind-at=gpadl subs=1" ALWAYS);
	scenario_line("fuzz", "offer rescind-at=gpadl-body rescinds=5" ALWAYS);
	scenario_line("fuzz", "offer rescind-at=open subs=1 rescinds=9" ALWAYS);
	scenario_line("fuzz", "offer silent=open silent=gpadl silences=9 rescind-ms=20" ALWAYS);
	scenario_line("fuzz", "offer silent=teardown rescind-ms=20" ALWAYS);
	scenario_line("fuzz", "offer silent=rings silent=release silences=9 subs=1" ALWAYS);
	scenario_line("fuzz", "offer behaviour=source open-delay=5 rescind-packets=90" ALWAYS);
	scenario_line("fuzz", "offer silent=close rescind-packets=300 subs=1" ALWAYS);
	scenario_line("fuzz", "offer behaviour=source transfer-pages=yes size=3000 monitor=3");
	for (i = 0; i < ARRAY_SIZE(all); i++)
		for (j = 0; all[i][j].name; j++) {
			snprintf(line, sizeof(line),
				 "offer name=%s hostile=%s:every=3:size=100 rescind-packets=%u"
				 ALWAYS, all[i][j].name, all[i][j].name, 100 + i * j);
			scenario_line("fuzz", line);
		}
	machine_start();
	again.fire = batch;
	timer_set(&again, 0);
	loop_run();
}
