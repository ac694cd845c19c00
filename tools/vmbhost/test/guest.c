// SPDX-License-Identifier: GPL-2.0
/*
 * The guest of the step by step tests: what it does, and what it has heard.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "synic.h"

/* Where the rings of a channel lie. */
#define RINGS_PFN(relid)	((relid) * 2 * RING_PAGES)
#define HEARD_MAX		256

/* All that the host said, in order. */
static struct {
	u8 bytes[HV_MESSAGE_PAYLOAD];
} heard[HEARD_MAX];
static u32 heard_count;

int log_fd;
u32 failures;

void expect(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	printf("# %s:%d: %s\n", file, line, what);
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

u32 heard_of(u32 type, void *last, u32 len)
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

u32 logged(const char *one, const char *other)
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

u32 violations(void)
{
	return logged("\"event\":\"violation\"", "");
}

void settle(void)
{
	u32 turns;

	for (turns = 0; turns < 2000 && loop_turn(30); turns++)
		;
}

void say(const void *msg, u32 len)
{
	bus_post(VMBUS_CONNECTION_5, msg, len);
	settle();
}

void say_channel(u32 type, u32 relid)
{
	struct msg_channel msg = { .head.type = type, .relid = relid };

	say(&msg, sizeof(msg));
}

void connect_bus(void)
{
	struct msg_initiate_contact contact = {
		.head.type = MSG_INITIATE_CONTACT, .version = VMBUS_VERSION(5, 3),
		.sint = VMBUS_MESSAGE_SINT,
	};
	struct msg_header offers = { .type = MSG_REQUEST_OFFERS };

	say(&contact, sizeof(contact));
	say(&offers, sizeof(offers));
}

void disconnect_bus(void)
{
	struct msg_header unload = { .type = MSG_UNLOAD };

	say(&unload, sizeof(unload));
}

struct channel *primary(const char *name)
{
	return offer_by_name(name)->primary;
}

void give_rings(u32 relid, bool two)
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

void give_buffer(u32 relid, u32 handle)
{
	struct {
		struct msg_gpadl_header head;
		struct wire_range range;
		u64 pfn;
	} __packed msg = {
		.head = { .head.type = MSG_GPADL_HEADER, .relid = relid, .gpadl = handle,
			  .range_count = 1, .ranges_bytes = sizeof(msg) - sizeof(msg.head) },
		.range.length = PAGE_SIZE, .pfn = 1,
	};

	say(&msg, sizeof(msg));
}

void take_back(u32 relid, u32 handle)
{
	struct msg_gpadl_teardown msg = {
		.head.type = MSG_GPADL_TEARDOWN, .relid = relid, .gpadl = handle,
	};

	say(&msg, sizeof(msg));
}

void open_channel(u32 relid)
{
	struct msg_open msg = {
		.head.type = MSG_OPEN, .relid = relid, .open_id = relid,
		.gpadl = RINGS_GPADL(relid), .downstream_page = RING_PAGES,
	};

	memset(machine.ram + RINGS_PFN(relid) * PAGE_SIZE, 0, 2 * RING_PAGES * PAGE_SIZE);
	give_rings(relid, false);
	say(&msg, sizeof(msg));
}

void close_channel(u32 relid)
{
	say_channel(MSG_CLOSE, relid);
	take_back(relid, RINGS_GPADL(relid));
}

static void guest_puts(struct channel *chan, const void *bytes, u32 len)
{
	struct ring_header *head = chan->in.head;

	memcpy(chan->in.data + head->write_index, bytes, len);
	head->write_index = (head->write_index + len) % chan->in.size;
}

static void guest_writes_all(struct channel *chan, u16 type, u16 flags, u64 id, const void *extra,
			     u32 extra_len, const void *payload, u32 len)
{
	struct packet_header pkt = {
		.type = type, .offset8 = (sizeof(pkt) + extra_len) / 8,
		.len8 = (sizeof(pkt) + extra_len + ALIGN_UP(len, 8)) / 8, .flags = flags,
		.id = id,
	};
	static const u8 zero[2 * RING_TRAILER];

	guest_puts(chan, &pkt, sizeof(pkt));
	guest_puts(chan, extra, extra_len);
	guest_puts(chan, payload, len);
	guest_puts(chan, zero, ALIGN_UP(len, 8) - len + RING_TRAILER);
}

void guest_writes(struct channel *chan, u16 type, u16 flags, u64 id)
{
	guest_writes_all(chan, type, flags, id, "", 0, "", 0);
}

void guest_sends_payload(struct channel *chan, u16 type, u16 flags, u64 id, const void *extra,
			 u32 extra_len, const void *payload, u32 len)
{
	guest_writes_all(chan, type, flags, id, extra ? extra : "", extra_len, payload, len);
	channel_poll(chan);
}

void guest_sends(struct channel *chan, u16 type, u16 flags, u64 id)
{
	guest_writes(chan, type, flags, id);
	channel_poll(chan);
}

void guest_reads_all(struct channel *chan)
{
	chan->out.head->read_index = chan->out.head->write_index;
}

struct channel *opened(const char *name)
{
	open_channel(primary(name)->relid);
	return primary(name);
}

void withdraw_and_release(const char *name)
{
	u32 relid = primary(name)->relid;

	offer_rescind(offer_by_name(name));
	settle();
	say_channel(MSG_RELID_RELEASED, relid);
}

struct packet_header written(struct channel *chan, u32 begin)
{
	struct packet_header head;

	memcpy(&head, chan->out.data + begin, sizeof(head));
	return head;
}
