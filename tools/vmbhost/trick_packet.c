// SPDX-License-Identifier: GPL-2.0
/*
 * Packets whose headers lie.
 */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

#define LARGE_BYTES		(48u << 10)
#define RANDOM_FIELDS		200

/* A packet of 64 bytes, but for what its header says. */
struct lie {
	struct packet_header head;
	u8 payload[48];
};

static struct lie lie_begin(u16 type)
{
	struct lie lie = {
		.head = { .type = type, .offset8 = sizeof(lie.head) / 8,
			  .len8 = sizeof(lie) / 8, .id = 0xbad },
	};

	memset(lie.payload, 0x5a, sizeof(lie.payload));
	return lie;
}

static bool length(struct hostile *hostile, u16 len8)
{
	struct lie lie = lie_begin(PACKET_DATA);

	lie.head.len8 = len8;
	return hostile_put(hostile, &lie, sizeof(lie));
}

static bool length_zero(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return length(hostile, 0);
}

static bool length_short(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return length(hostile, sizeof(struct packet_header) / 8 - 1);
}

static bool length_ring(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return length(hostile, 0xffff);
}

/* True to its word, but more than was agreed on. */
static bool length_maximum(struct hostile *hostile, const struct trick *trick)
{
	u32 len = ALIGN_UP(trick->size ? trick->size : LARGE_BYTES, 8);
	struct packet_header head = {
		.type = PACKET_DATA, .offset8 = sizeof(head) / 8,
		.len8 = (sizeof(head) + len) / 8, .id = 0xbad,
	};
	u8 *bytes = xalloc(sizeof(head) + len);
	bool written;

	memcpy(bytes, &head, sizeof(head));
	written = hostile_put(hostile, bytes, sizeof(head) + len);
	free(bytes);
	return written;
}

static bool offset(struct hostile *hostile, u16 offset8)
{
	struct lie lie = lie_begin(PACKET_DATA);

	lie.head.offset8 = offset8;
	return hostile_put(hostile, &lie, sizeof(lie));
}

static bool offset_zero(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return offset(hostile, hostile_random(hostile) % 2);
}

static bool offset_past(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return offset(hostile, sizeof(struct lie) / 8 + 1 + hostile_random(hostile) % 0x8000);
}

static bool type_unknown(struct hostile *hostile, const struct trick *trick)
{
	static const u16 types[] = { 0, 1, 2, 3, 4, 5, 8, 12, 13, 14, 0x55, 0x8006, 0xffff };
	struct lie lie = lie_begin(types[hostile_random(hostile) % ARRAY_SIZE(types)]);

	(void)trick;
	return hostile_put(hostile, &lie, sizeof(lie));
}

/* Ranges far outside of any buffer, or more of them than there are bytes. */
static bool transfer_pages(struct hostile *hostile, const struct trick *trick)
{
	struct {
		struct packet_header head;
		struct packet_transfer_pages pages;
		u32 ranges[6];
	} __packed lie = {
		.head = { .type = PACKET_TRANSFER_PAGES, .offset8 = sizeof(lie) / 8,
			  .len8 = sizeof(lie) / 8, .flags = PACKET_WANTS_COMPLETION,
			  .id = hostile_random(hostile) },
		.pages = { .set = hostile_random(hostile), .count = 3 },
		.ranges = { 0xffffffff, 0, 0x1000, 0xfffff000, 0, 0x80000000 },
	};

	(void)trick;
	if (hostile_random(hostile) % 2)
		lie.pages.count = 0xffffffff >> hostile_random(hostile) % 30;
	return hostile_put(hostile, &lie, sizeof(lie));
}

/* Hosts have no memory to describe. */
static bool gpa_direct(struct hostile *hostile, const struct trick *trick)
{
	struct {
		struct packet_header head;
		struct packet_ranges ranges;
		struct wire_range range;
		u64 pfn;
	} __packed lie = {
		.head = { .type = PACKET_GPA_DIRECT, .offset8 = sizeof(lie) / 8,
			  .len8 = sizeof(lie) / 8, .flags = PACKET_WANTS_COMPLETION,
			  .id = hostile_random(hostile) },
		.ranges = { .count = hostile_random(hostile) },
		.range = { 0xffffffff, 0xffffffff },
		.pfn = hostile_random(hostile),
	};

	(void)trick;
	return hostile_put(hostile, &lie, sizeof(lie));
}

/* Mostly one that guests take apart. */
static u16 random_type(struct hostile *hostile)
{
	static const u16 known[] = {
		PACKET_DATA, PACKET_TRANSFER_PAGES, PACKET_GPA_DIRECT, PACKET_COMPLETION,
	};

	if (hostile_random(hostile) % 8)
		return known[hostile_random(hostile) % ARRAY_SIZE(known)];
	return hostile_random(hostile) % 2 ? hostile_random(hostile) % 16 :
					     hostile_random(hostile);
}

/*
 * What is behind its length is random, but often near to what makes sense: else
 * the first look at it is the last one. One in @lies lies about its length, too;
 * 0: none.
 */
static bool put_random(struct hostile *hostile, u32 lies)
{
	struct {
		struct packet_header head;
		u32 fields[RANDOM_FIELDS];
	} __packed lie;
	u32 fields = hostile_random(hostile) % (RANDOM_FIELDS / 2 + 1) * 2, i;
	u16 len8 = (sizeof(lie.head) + fields * sizeof(lie.fields[0])) / 8;

	/* Small numbers as often as large ones. */
	for (i = 0; i < fields; i++)
		lie.fields[i] = (u32)hostile_random(hostile) >> hostile_random(hostile) % 32;
	lie.head.type = random_type(hostile);
	lie.head.flags = hostile_random(hostile) % 2 ? PACKET_WANTS_COMPLETION :
						       hostile_random(hostile);
	lie.head.offset8 = hostile_random(hostile) % 4 ?
			   2 + hostile_random(hostile) % (len8 - 1) : hostile_random(hostile);
	lie.head.len8 = !lies || hostile_random(hostile) % lies ? len8 :
								 hostile_random(hostile);
	lie.head.id = hostile_random(hostile) % 2 ?
		      hostile->last_id + hostile_random(hostile) % 8 - 4 :
		      hostile_random(hostile);
	return hostile_put(hostile, &lie, len8 * 8);
}

/* Few lies: a guest that does not know where the next packet begins looks at none. */
static bool random_packet(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return put_random(hostile, 32);
}

static bool random_fields(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	return put_random(hostile, 0);
}

const struct trick_kind tricks_packet[] = {
	{ "length-zero", "a packet of length 0", length_zero },
	{ "length-short", "a length below the header's", length_short },
	{ "length-ring", "a length past what was written, and past most rings", length_ring },
	{ "length-maximum", "a payload of size=S bytes (49152)", length_maximum },
	{ "offset-zero", "a payload that starts in the header", offset_zero },
	{ "offset-past", "a payload that starts behind the packet", offset_past },
	{ "type-unknown", "a type that no host sends", type_unknown },
	{ "transfer-pages", "ranges outside of any buffer, or too many", transfer_pages },
	{ "gpa-direct", "external data from the host", gpa_direct },
	{ "random-packet", "random bytes as a packet; its length is true, mostly", random_packet },
	{ "random-fields", "the same, its length is always true", random_fields },
	{ NULL },
};
