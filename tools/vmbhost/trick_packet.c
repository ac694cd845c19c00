// SPDX-License-Identifier: GPL-2.0
/*
 * Packets whose headers lie.
 */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

#define LARGE_BYTES		(48u << 10)

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

static void length(struct hostile *hostile, u16 len8)
{
	struct lie lie = lie_begin(PACKET_DATA);

	lie.head.len8 = len8;
	hostile_put(hostile, &lie, sizeof(lie));
}

static void length_zero(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	length(hostile, 0);
}

static void length_short(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	length(hostile, sizeof(struct packet_header) / 8 - 1);
}

static void length_ring(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	length(hostile, 0xffff);
}

/* True to its word, but more than was agreed on. */
static void length_maximum(struct hostile *hostile, const struct trick *trick)
{
	u32 len = ALIGN_UP(trick->size ? trick->size : LARGE_BYTES, 8);
	struct packet_header head = {
		.type = PACKET_DATA, .offset8 = sizeof(head) / 8,
		.len8 = (sizeof(head) + len) / 8, .id = 0xbad,
	};
	u8 *bytes = xalloc(sizeof(head) + len);

	memcpy(bytes, &head, sizeof(head));
	hostile_put(hostile, bytes, sizeof(head) + len);
	free(bytes);
}

static void offset(struct hostile *hostile, u16 offset8)
{
	struct lie lie = lie_begin(PACKET_DATA);

	lie.head.offset8 = offset8;
	hostile_put(hostile, &lie, sizeof(lie));
}

static void offset_zero(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	offset(hostile, hostile_random(hostile) % 2);
}

static void offset_past(struct hostile *hostile, const struct trick *trick)
{
	(void)trick;
	offset(hostile, sizeof(struct lie) / 8 + 1 + hostile_random(hostile) % 0x8000);
}

static void type_unknown(struct hostile *hostile, const struct trick *trick)
{
	static const u16 types[] = { 0, 1, 2, 3, 4, 5, 8, 12, 13, 14, 0x55, 0x8006, 0xffff };
	struct lie lie = lie_begin(types[hostile_random(hostile) % ARRAY_SIZE(types)]);

	(void)trick;
	hostile_put(hostile, &lie, sizeof(lie));
}

/* Ranges far outside of any buffer, or more of them than there are bytes. */
static void transfer_pages(struct hostile *hostile, const struct trick *trick)
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
	hostile_put(hostile, &lie, sizeof(lie));
}

/* Hosts have no memory to describe. */
static void gpa_direct(struct hostile *hostile, const struct trick *trick)
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
	hostile_put(hostile, &lie, sizeof(lie));
}

static void random_packet(struct hostile *hostile, const struct trick *trick)
{
	struct lie lie;
	u8 *bytes = (u8 *)&lie;
	u32 i;

	(void)trick;
	for (i = 0; i < sizeof(lie); i++)
		bytes[i] = hostile_random(hostile);
	/* One half can be stepped over: else the first is the last one. */
	if (hostile_random(hostile) % 2)
		lie.head.len8 = sizeof(lie) / 8;
	lie.head.type %= 16;
	hostile_put(hostile, &lie, sizeof(lie));
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
	{ "random-packet", "random bytes as a packet", random_packet },
	{ NULL },
};
