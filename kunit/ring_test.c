// SPDX-License-Identifier: GPL-2.0
/* A loopback ring by itself: signals, room, and what cannot be parsed. */
#include "client.h"
#include "../transport/loopback.h"

static void ring_free(void *ring)
{
	kmcl_lb_ring_destroy(ring);
}

/* One page of data. */
static struct kmcl_lb_ring *ring_create(struct kunit *test)
{
	struct kmcl_lb_ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ring);
	KUNIT_ASSERT_EQ(test, kmcl_lb_ring_init(ring, 2 * 4096), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, ring_free, ring), 0);
	KUNIT_EXPECT_EQ(test, ring->size, 4096);
	return ring;
}

/* What writing @len bytes gives; 1 where it signals too. */
static int put(struct kmcl_lb_ring *ring, u32 len)
{
	static const u8 payload[8192];
	struct kmcl_out out = { .type = KMCL_WIRE_DATA, .len = len };
	bool signal = false;
	int ret = kmcl_lb_ring_write(ring, &out, payload, false, &signal);

	return ret ?: signal;
}

static void only_the_first_packet_of_an_empty_ring_signals(struct kunit *test)
{
	struct kmcl_lb_ring *ring = ring_create(test);
	u64 room[8];
	struct kmcl_wire pkt = { .room = room, .room_len = sizeof(room) };

	KUNIT_EXPECT_EQ(test, put(ring, 8), 1);
	KUNIT_EXPECT_EQ(test, put(ring, 8), 0);

	/* While the ring is read, no packet signals. */
	kmcl_lb_ring_begin(ring);
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), 1);
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_next(ring, &pkt), 1);
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_next(ring, &pkt), 0);
	kmcl_lb_ring_commit(ring);
	KUNIT_EXPECT_EQ(test, put(ring, 8), 0);
	/* The receiver that stops reading is told of what came meanwhile. */
	KUNIT_EXPECT_TRUE(test, kmcl_lb_ring_end(ring));
	KUNIT_EXPECT_EQ(test, put(ring, 8), 0);

	kmcl_lb_ring_begin(ring);
	while (kmcl_lb_ring_first(ring, &pkt) == 1)
		kmcl_lb_ring_next(ring, &pkt);
	kmcl_lb_ring_commit(ring);
	KUNIT_EXPECT_FALSE(test, kmcl_lb_ring_end(ring));
	KUNIT_EXPECT_EQ(test, put(ring, 8), 1);
}

static void a_ring_never_gets_full_to_the_last_byte(struct kunit *test)
{
	struct kmcl_lb_ring *ring = ring_create(test);

	KUNIT_EXPECT_EQ(test, put(ring, 4096 - 24), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, put(ring, 4096 - 32), 1);
	KUNIT_EXPECT_EQ(test, put(ring, 0), -EAGAIN);
}

/* Packets of 1024 bytes of the ring: three fit. */
#define QUARTER	(1024 - 24)

static void room_is_signalled_when_it_becomes_enough(struct kunit *test)
{
	struct kmcl_lb_ring *ring = ring_create(test);
	u64 room[8];
	struct kmcl_wire pkt = { .room = room, .room_len = sizeof(room) };
	u32 i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_GE(test, put(ring, QUARTER), 0);
	KUNIT_EXPECT_EQ(test, put(ring, QUARTER), -EAGAIN);
	kmcl_lb_ring_want_room(ring, 2048);

	/* 2048 bytes are free, but more is needed; then it is there; then it was. */
	kmcl_lb_ring_begin(ring);
	kmcl_lb_ring_first(ring, &pkt);
	kmcl_lb_ring_next(ring, &pkt);
	KUNIT_EXPECT_FALSE(test, kmcl_lb_ring_commit(ring));
	kmcl_lb_ring_next(ring, &pkt);
	KUNIT_EXPECT_TRUE(test, kmcl_lb_ring_commit(ring));
	kmcl_lb_ring_next(ring, &pkt);
	KUNIT_EXPECT_FALSE(test, kmcl_lb_ring_commit(ring));

	/* The sender wants no room. */
	kmcl_lb_ring_want_room(ring, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_GE(test, put(ring, QUARTER), 0);
	kmcl_lb_ring_first(ring, &pkt);
	for (i = 0; i < 3; i++) {
		kmcl_lb_ring_next(ring, &pkt);
		KUNIT_EXPECT_FALSE(test, kmcl_lb_ring_commit(ring));
	}
}

static void what_cannot_be_parsed_is_told(struct kunit *test)
{
	struct kmcl_lb_ring *ring = ring_create(test);
	struct kmcl_wire_desc *desc = (void *)ring->data;
	u64 room[8];
	struct kmcl_wire pkt = { .room = room, .room_len = sizeof(room) };
	u16 len8;

	put(ring, 16);
	put(ring, 8);
	len8 = desc->len8;

	/* Without a length the next packet is not found. */
	desc->len8 = 1;
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), -EPROTO);
	desc->len8 = 60;
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), -EPROTO);
	desc->len8 = len8;

	/* With a wrong offset this one is stepped over. */
	desc->offset8 = 1;
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), -EBADMSG);
	desc->offset8 = len8 + 1;
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), -EBADMSG);
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_next(ring, &pkt), 1);
	KUNIT_EXPECT_EQ(test, pkt.len, 8);
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_next(ring, &pkt), 0);

	ring->write += 8;
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), -EPROTO);
	ring->write = ring->size;
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), -EPROTO);
}

static void what_was_read_is_a_copy(struct kunit *test)
{
	struct kmcl_lb_ring *ring = ring_create(test);
	u64 room[8];
	struct kmcl_wire pkt = { .room = room, .room_len = sizeof(room) };

	put(ring, 16);
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), 1);
	memset(ring->data, 0xff, ring->size);
	KUNIT_EXPECT_EQ(test, pkt.len, 16);
	KUNIT_EXPECT_EQ(test, *(u64 *)pkt.payload, 0);
	KUNIT_EXPECT_EQ(test, pkt.head->len8, 4);
	KUNIT_EXPECT_PTR_EQ(test, (void *)pkt.head, (void *)room);
}

static void what_there_is_no_room_for_is_in_the_rings_own_copy(struct kunit *test)
{
	struct kmcl_lb_ring *ring = ring_create(test);
	u64 room[8] = {};
	struct kmcl_wire pkt = { .room = room, .room_len = sizeof(room) };

	put(ring, sizeof(room) - 16);
	put(ring, sizeof(room) - 8);
	put(ring, 8);
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_first(ring, &pkt), 1);
	memset(room, 0, sizeof(room));
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_next(ring, &pkt), 2);
	KUNIT_EXPECT_EQ(test, pkt.len, sizeof(room) - 8);
	KUNIT_EXPECT_NULL(test, memchr_inv(room, 0, sizeof(room)));
	KUNIT_EXPECT_EQ(test, kmcl_lb_ring_next(ring, &pkt), 1);
	KUNIT_EXPECT_EQ(test, pkt.len, 8);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(only_the_first_packet_of_an_empty_ring_signals),
	KUNIT_CASE(a_ring_never_gets_full_to_the_last_byte),
	KUNIT_CASE(room_is_signalled_when_it_becomes_enough),
	KUNIT_CASE(what_cannot_be_parsed_is_told),
	KUNIT_CASE(what_was_read_is_a_copy),
	KUNIT_CASE(what_there_is_no_room_for_is_in_the_rings_own_copy),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "kmcl_ring",
	.test_cases = ring_cases,
};

kunit_test_suite(ring_suite);
