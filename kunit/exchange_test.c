// SPDX-License-Identifier: GPL-2.0
/*
 * Packets between two ends, in every combination of ring size, packet size and
 * place of delivery: each arrives once, in order, as it was sent, and each that
 * asks for a completion gets its own.
 */
#include <linux/slab.h>

#include "kunit_compat.h"
#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* Enough to fill the smaller rings several times over. */
#define EXCHANGE_PACKETS	60

struct exchange {
	u32 pages;		/* of each ring */
	u32 max;		/* the channels' maximum packet size */
	bool passive;
	bool late;		/* packets are completed by another thread */
};

static const u32 exchange_pages[] = { 2, 3, 16, 256 };
static const u32 exchange_max[] = { 1, 7, 8, 9, 1024, 65536 };

static struct exchange exchanges[ARRAY_SIZE(exchange_pages) * ARRAY_SIZE(exchange_max) * 4];

static const void *exchange_gen_params(KUNIT_GENERATOR_ARGS)
{
	struct exchange *x = prev ? (struct exchange *)prev + 1 : exchanges;
	u32 i = x - exchanges;

	if (i == ARRAY_SIZE(exchanges))
		return NULL;

	x->passive = i & 1;
	x->late = i & 2;
	x->max = exchange_max[i / 4 % ARRAY_SIZE(exchange_max)];
	x->pages = exchange_pages[i / 4 / ARRAY_SIZE(exchange_max)];
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u pages, up to %u bytes, %s, %s", x->pages, x->max,
		 x->passive ? "at passive" : "at dispatch", x->late ? "late" : "at once");
	return x;
}

/* What an end has got and has been told; its callbacks are this suite's own. */
struct side {
	const struct exchange *x;
	struct kunit *test;
	VMBCHANNEL channel;
	u32 received;
	u32 wrong;
	u32 nowhere;		/* delivered in the wrong context */
	atomic_t completed;
	atomic_t wrong_answers;
	spinlock_t lock;	/* guards the next two */
	VMBPACKETCOMPLETION held[EXCHANGE_PACKETS];
	u32 holds;
};

/* 0, 1, the maximum, and what lies about multiples of 8. */
static u32 exchange_len(const struct exchange *x, u32 n)
{
	const u32 lens[] = { 0, 1, 7, 8, 9, x->max - 1, x->max };

	return min(lens[n % ARRAY_SIZE(lens)], x->max);
}

static VOID exchange_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			     UINT32 len, UINT32 flags)
{
	struct side *side = VmbChannelGetPointer(channel);
	u32 n = side->received, sent = exchange_len(side->x, n);

	/* The wire pads to 8 bytes, and so does the length that arrives. */
	if (len != ALIGN(sent, 8) || !pair_filled(buffer, n, sent))
		side->wrong++;
	if (side->x->passive && !preemptible())
		side->nowhere++;
	if (!side->x->late) {
		VmbChannelPacketComplete(packet, buffer, sent);
	} else {
		spin_lock_bh(&side->lock);
		side->held[side->holds++] = packet;
		spin_unlock_bh(&side->lock);
	}
	/* Pairs with the acquire of the case, which waits for it. */
	smp_store_release(&side->received, n + 1);
}

struct exchanged {
	struct side *side;
	u32 n;
	u64 packet[];
};

static VOID exchange_over(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct exchanged *e = VmbPacketGetPointer(packet);
	struct side *side = e->side;
	u32 sent = exchange_len(side->x, e->n);

	if (status != STATUS_SUCCESS)
		atomic_inc(&side->wrong_answers);
	else if (e->n % 3 && !side->x->late &&
		 (len != ALIGN(sent, 8) || !pair_filled(buffer, e->n, sent)))
		atomic_inc(&side->wrong_answers);
	kfree(e);
	atomic_inc(&side->completed);
}

/* Every third packet asks for no completion. */
static void exchange_send(struct side *side, u32 n, u8 *payload)
{
	u32 size = VmbChannelSizeofPacket(side->channel);
	struct exchanged *e = kvmalloc(sizeof(*e) + size, GFP_KERNEL);
	u32 len = exchange_len(side->x, n);

	KUNIT_ASSERT_NOT_NULL(side->test, e);
	e->side = side;
	e->n = n;
	pair_fill(payload, n, len);
	EXPECT_STATUS(side->test, VmbPacketInitialize(side->channel, (VMBPACKET)e->packet, size),
		      STATUS_SUCCESS);
	VmbPacketSetPointer((VMBPACKET)e->packet, e);
	VmbPacketSetCompletionRoutine((VMBPACKET)e->packet, exchange_over);
	EXPECT_STATUS(side->test, VmbPacketSend((VMBPACKET)e->packet, payload, len, NULL,
						n % 3 ? WAIT : 0), STATUS_SUCCESS);
}

/* Completes the latest packet first: order among completions is the receiver's. */
static void exchange_let_go(struct side *side)
{
	VMBPACKETCOMPLETION packet;

	for (;;) {
		spin_lock_bh(&side->lock);
		packet = side->holds ? side->held[--side->holds] : NULL;
		spin_unlock_bh(&side->lock);
		if (!packet)
			return;
		VmbChannelPacketComplete(packet, NULL, 0);
	}
}

static bool exchange_is_over(struct side **sides)
{
	bool over = true;
	u32 i;

	for (i = 0; i < 2; i++) {
		exchange_let_go(sides[i]);
		/* Pairs with the release in exchange_process(). */
		over &= smp_load_acquire(&sides[i]->received) == EXCHANGE_PACKETS &&
			atomic_read(&sides[i]->completed) == EXCHANGE_PACKETS;
	}
	return over;
}

static void exchange_set_up(struct side *side, struct client *end, const struct exchange *x)
{
	side->x = x;
	side->test = end->test;
	side->channel = end->channel;
	spin_lock_init(&side->lock);
	ASSERT_STATUS(end->test, VmbChannelInitSetMaximumPacketSize(end->channel, x->max),
		      STATUS_SUCCESS);
	ASSERT_STATUS(end->test, VmbChannelInitSetProcessPacketCallbacks(end->channel,
									 exchange_process, NULL),
		      STATUS_SUCCESS);
	VmbChannelSetIncomingProcessingAtPassive(end->channel, x->passive);
}

static void packets_and_completions_pass_both_ways(struct kunit *test)
{
	const struct exchange *x = test->param_value;
	u8 *payload = kunit_kzalloc(test, x->max + 1, GFP_KERNEL);
	struct client *ends[2];
	struct side *sides[2];
	struct pair *pair;
	u32 i, n;

	/* The sides are freed after the channels, whose packets lead to them. */
	for (i = 0; i < 2; i++)
		sides[i] = kunit_kzalloc(test, sizeof(*sides[i]), GFP_KERNEL);
	pair = pair_create(test);
	ends[0] = pair->client;
	ends[1] = pair->server;
	for (i = 0; i < 2; i++)
		exchange_set_up(sides[i], ends[i], x);
	ASSERT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(pair->client->channel,
								       x->pages, x->pages),
		      STATUS_SUCCESS);
	pair_up(pair);
	/* From here on the pointers are the sides'; the state callbacks have run. */
	for (i = 0; i < 2; i++)
		VmbChannelSetPointer(ends[i]->channel, sides[i]);

	for (n = 0; n < EXCHANGE_PACKETS; n++)
		for (i = 0; i < 2; i++)
			exchange_send(sides[i], n, payload);
	EVENTUALLY(test, exchange_is_over(sides));
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, sides[i]->received, EXCHANGE_PACKETS);
		KUNIT_EXPECT_EQ(test, sides[i]->wrong, 0);
		KUNIT_EXPECT_EQ(test, sides[i]->nowhere, 0);
		KUNIT_EXPECT_EQ(test, atomic_read(&sides[i]->wrong_answers), 0);
	}

	/* One byte more than the maximum is refused, and nothing is sent. */
	EXPECT_STATUS(test, VmbPacketSend(client_packet(pair->client)->packet, payload, x->max + 1,
					  NULL, 0), STATUS_INVALID_PARAMETER_3);
	for (i = 0; i < 2; i++)
		VmbChannelSetPointer(ends[i]->channel, ends[i]);
}

static struct kunit_case exchange_cases[] = {
	KUNIT_CASE_PARAM(packets_and_completions_pass_both_ways, exchange_gen_params),
	{}
};

static struct kunit_suite exchange_suite = {
	.name = "kmcl_exchange",
	.test_cases = exchange_cases,
};

kunit_test_suite(exchange_suite);
