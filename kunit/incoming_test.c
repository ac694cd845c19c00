// SPDX-License-Identifier: GPL-2.0
/* Incoming packets as objects: what each takes, and when it is given back. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* Other processors must not undo in a work item what was not undone at once. */
static atomic_t busy, stop;

static void keep_busy(void *unused)
{
	int us;

	atomic_inc(&busy);
	for (us = 0; us < 100000 && !atomic_read(&stop); us++)
		udelay(1);
	atomic_dec(&busy);
}

static void stop_others(void)
{
	u32 others;

	atomic_set(&stop, 0);
	preempt_disable();
	others = num_online_cpus() - 1;
	smp_call_function(keep_busy, NULL, 0);
	preempt_enable();
	while (atomic_read(&busy) < others)
		cpu_relax();
}

static void let_others_go(void)
{
	atomic_set(&stop, 1);
	while (atomic_read(&busy))
		cpu_relax();
}

/* Fails a packet whose memory it has mapped, and notes whether the mapping is left. */
static bool map_and_fail(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	void *there = NULL;
	PMDL mdl;

	if (!VmbChannelPacketGetExternalData(handle, 0, &mdl))
		there = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_EXPECT_TRUE(end->test, there && is_vmalloc_addr(there));
	sched_set_fifo(current);
	stop_others();
	VmbChannelPacketFail(handle);
	*(bool *)end->private = there && vmalloc_to_page(there);
	let_others_go();
	sched_set_normal(current, 0);
	return true;
}

/* Under a lock it could not be undone at once: that sleeps. */
static void a_failed_packets_mapping_is_undone_where_that_may_sleep(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);
	u8 *bytes = kunit_kzalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	PFN_NUMBER pfns[2];
	bool mapped = true;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	frames_apart(pfns, bytes, bytes + PAGE_SIZE);
	VmbChannelSetIncomingProcessingAtPassive(pair->server->channel, TRUE);
	pair->server->on_packet = map_and_fail;
	pair->server->private = &mapped;
	pair_up(pair);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(done->packet, NULL, 0, pfns,
							  ARRAY_SIZE(pfns), WAIT),
		      STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->server) == 1);
	KUNIT_EXPECT_FALSE(test, mapped);
	VmbChannelDisable(pair->server->channel);
}

static struct host *incoming_host;

/* One whose largest packet takes two pages. */
#define MAXIMUM		7000u

static struct client *large_client(struct kunit *test)
{
	struct client *client;

	incoming_host = host_create(test);
	incoming_host->offered = true;
	client = client_create(test, incoming_host);
	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel, MAXIMUM),
		      STATUS_SUCCESS);
	client->keep = true;
	client_enable(client);
	return client;
}

static void host_says(u16 flags, u64 id)
{
	host_write(incoming_host, KMCL_WIRE_DATA, flags, id, &id, sizeof(id));
	host_signal(incoming_host);
}

/* Short packets, until the client holds all that was made in advance for it. */
static u32 hold_the_spares(struct client *client)
{
	u32 n = client_packets(client);

	while (client_has_spares(client)) {
		host_says(0, n++);
		KUNIT_ASSERT_EQ(client->test, client_packets(client), n);
	}
	return n;
}

/* So that what is sent from now on has to wait. */
static void fill_the_ring(struct client *client)
{
	s64 before = client_count(client, queued);
	static u8 payload[1000];
	u32 i;

	for (i = 0; client_count(client, queued) == before; i++) {
		KUNIT_ASSERT_LT(client->test, i, 64);
		client_send(client_packet(client), payload, sizeof(payload), 0);
	}
}

static void a_short_packet_takes_little_whatever_the_maximum(struct kunit *test)
{
	struct client *client = large_client(test);
	u32 n = hold_the_spares(client), i;

	for (i = 0; i < 2; i++)
		host_says(i ? KMCL_WIRE_WANT_COMPLETION : 0, n + i);
	KUNIT_ASSERT_EQ(test, client_packets(client), n + 2);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_LE(test, ksize(client->packets[n + i].handle), 256);
	for (i = 0; i < n + 2; i++)
		client_complete(client, i, NULL, 0);
}

/* The host takes all: the last completions are these, of so many bytes each. */
static void expect_answers(struct client *client, u64 first_id, const u32 *lens, u32 n)
{
	struct host_packet *pkt = kunit_kzalloc(client->test, sizeof(*pkt), GFP_KERNEL);
	u32 i = 0;

	while (host_read(incoming_host, pkt)) {
		host_signal(incoming_host);
		if (pkt->type != KMCL_WIRE_COMPLETION)
			continue;
		KUNIT_ASSERT_LT(client->test, i, n);
		KUNIT_EXPECT_EQ(client->test, pkt->id, first_id + i);
		KUNIT_EXPECT_EQ(client->test, pkt->len, lens[i]);
		KUNIT_EXPECT_NULL(client->test, memchr_inv(pkt->payload, 0x11 * (i + 1),
							   min(lens[i], 2000u)));
		i++;
	}
	KUNIT_EXPECT_EQ(client->test, i, n);
}

static void complete_at_length(struct client *client, u32 n, u8 byte, u32 len)
{
	u8 *payload = kunit_kmalloc(client->test, len, GFP_KERNEL);

	memset(payload, byte, len);
	client_complete(client, n, payload, len);
}

/* The same with no memory to be had. */
static bool complete_at_length_without_memory(struct client *client, u32 n, u8 byte, u32 len)
{
	u8 *payload = kunit_kmalloc(client->test, len, GFP_KERNEL);
	bool hit = false;

	memset(payload, byte, len);
#ifdef CONFIG_FAULT_INJECTION
	current->fail_nth = 1;
	client_complete(client, n, payload, len);
	hit = !current->fail_nth;
	current->fail_nth = 0;
#endif
	return hit;
}

/* In memory of its own; else in a spare; else its payload is left out. */
static void a_completion_longer_than_its_packet_finds_room_to_wait(struct kunit *test)
{
	static const u32 lens[] = { 6000, 5000, 0 };
	struct client *client = large_client(test);
	u32 n = hold_the_spares(client), i;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "needs CONFIG_FAILSLAB");

	for (i = 0; i < 3; i++)
		host_says(KMCL_WIRE_WANT_COMPLETION, n + i);
	KUNIT_ASSERT_EQ(test, client_packets(client), n + 3);
	fill_the_ring(client);

	complete_at_length(client, n, 0x11, 6000);
	client_complete(client, 0, NULL, 0);
	KUNIT_EXPECT_TRUE(test, complete_at_length_without_memory(client, n + 1, 0x22, 5000));
	KUNIT_EXPECT_TRUE(test, complete_at_length_without_memory(client, n + 2, 0x33, 4000));
	expect_answers(client, n, lens, 3);
	for (i = 1; i < n; i++)
		client_complete(client, i, NULL, 0);
}

static void a_client_that_answers_at_length_needs_no_memory_for_it(struct kunit *test)
{
	static const u32 lens[] = { 6000, 5000, 4000 };
	struct client *client = large_client(test);
	u32 n, i;

	if (!IS_ENABLED(CONFIG_FAILSLAB))
		kunit_skip(test, "needs CONFIG_FAILSLAB");

	host_says(KMCL_WIRE_WANT_COMPLETION, 0);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	complete_at_length(client, 0, 0, 6000);
	KUNIT_EXPECT_EQ(test, host_skip_all(incoming_host), 1);

	n = hold_the_spares(client);
	for (i = 0; i < 3; i++)
		host_says(KMCL_WIRE_WANT_COMPLETION, n + i);
	KUNIT_ASSERT_EQ(test, client_packets(client), n + 3);
	fill_the_ring(client);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_FALSE(test, complete_at_length_without_memory(client, n + i,
									   0x11 * (i + 1),
									   lens[i]));
	expect_answers(client, n, lens, 3);
	for (i = 1; i < n; i++)
		client_complete(client, i, NULL, 0);
}

/* What the client of the next two cases holds: more than fits into a struct client. */
#define HOLDS	8192

struct holds {
	VMBPACKETCOMPLETION handles[HOLDS];
	u32 n;
	u8 answer[MAXIMUM];
};

static bool hold(struct client *client, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	struct holds *holds = client->private;

	if (holds->n == HOLDS)
		return false;
	holds->handles[holds->n++] = handle;
	return true;
}

static bool answer_at_length(struct client *client, VMBPACKETCOMPLETION handle, void *buffer,
			     u32 len)
{
	struct holds *holds = client->private;

	VmbChannelPacketComplete(handle, holds->answer, MAXIMUM);
	return true;
}

static struct holds *holds_create(struct client *client)
{
	struct holds *holds = vzalloc(sizeof(*holds));

	KUNIT_ASSERT_NOT_NULL(client->test, holds);
	client->private = holds;
	return holds;
}

/* The host sends until a packet is left in the ring; how many were taken. */
static u32 host_floods(struct client *client, u16 flags, u32 len, u32 most)
{
	u8 *payload = kunit_kzalloc(client->test, len, GFP_KERNEL);
	u32 n = client_packets(client), i;

	for (i = 0; i < most; i++) {
		host_write(incoming_host, KMCL_WIRE_DATA, flags, i, payload, len);
		host_signal(incoming_host);
		if (client_packets(client) == n + i)
			break;
	}
	return i;
}

static void a_client_without_a_quota_is_made_to_hold_so_much_only(struct kunit *test)
{
	struct client *client = large_client(test);
	struct holds *holds = holds_create(client);
	u32 n, i;

	client->keep = false;
	client->on_packet = hold;
	n = host_floods(client, 0, MAXIMUM, 1500);
	KUNIT_EXPECT_GT(test, n, SZ_4M / (MAXIMUM + 500));
	KUNIT_EXPECT_LT(test, n, (SZ_4M + SZ_512K) / MAXIMUM);

	/* Completing one that is no spare restarts it. */
	holds->n--;
	VmbChannelPacketComplete(holds->handles[holds->n], NULL, 0);
	EVENTUALLY(test, client_packets(client) == n + 1);

	/* A quota is a limit that the client has chosen. */
	VmbChannelSetTransactionQuota(client->channel, 1400);
	KUNIT_EXPECT_EQ(test, host_floods(client, 0, MAXIMUM, 100), 100);

	for (i = 0; i < holds->n; i++)
		VmbChannelPacketComplete(holds->handles[i], NULL, 0);
	VmbChannelDisable(client->channel);
	vfree(holds);
}

static void completions_that_the_host_does_not_read_are_limited_too(struct kunit *test)
{
	struct client *client = large_client(test);
	struct holds *holds = holds_create(client);
	u32 n, read = 0;

	client->keep = false;
	client->on_packet = answer_at_length;
	n = host_floods(client, KMCL_WIRE_WANT_COMPLETION, 8, 6000);
	KUNIT_EXPECT_GT(test, n, SZ_32M / (MAXIMUM + 500));
	KUNIT_EXPECT_LT(test, n, (SZ_32M + SZ_512K) / MAXIMUM);

	/* What is read makes room for what was left in the ring. */
	while (read <= n) {
		u32 now = host_skip_all(incoming_host);

		read += now;
		host_signal(incoming_host);
		if (!now && client_packets(client) > n)
			break;
	}
	EVENTUALLY(test, client_packets(client) == n + 1);
	read += host_skip_all(incoming_host);
	KUNIT_EXPECT_EQ(test, read, n + 1);
	VmbChannelDisable(client->channel);
	vfree(holds);
}

/* Transfer pages: more headers, with the largest payload, than an object has room for. */
static void a_packet_with_long_headers_is_kept_whole(struct kunit *test)
{
	struct client *client = large_client(test);
	u8 *payload = kunit_kmalloc(test, MAXIMUM, GFP_KERNEL);
	u32 head[2 + 2 * 64] = { 0, 64 }, i;
	const u8 *kept;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	for (i = 0; i < 3; i++) {
		memset(payload, 0x11 * (i + 1), MAXIMUM);
		host_write_head(incoming_host, KMCL_WIRE_DATA_XFER, 0, i, head, sizeof(head),
				payload, MAXIMUM);
		host_signal(incoming_host);
		KUNIT_ASSERT_EQ(test, client_packets(client), i + 1);
	}
	for (i = 0; i < 3; i++) {
		kept = client->packets[i].buffer;
		KUNIT_EXPECT_EQ(test, client->packets[i].len, MAXIMUM);
		KUNIT_EXPECT_NULL(test, memchr_inv(kept, 0x11 * (i + 1), MAXIMUM));
		client_complete(client, i, NULL, 0);
	}
	KUNIT_EXPECT_EQ(test, client_held(client), 0);
}

/* A client that holds all spares, but for packets in objects of their own. */
static void packets_are_whole_while_all_spares_are_out(struct kunit *test)
{
	struct client *client = large_client(test);
	u32 n = hold_the_spares(client), i;

	for (i = n; i < n + 8; i++)
		host_says(0, i);
	KUNIT_ASSERT_EQ(test, client_packets(client), n + 8);
	for (i = 0; i < n + 8; i++) {
		KUNIT_EXPECT_EQ(test, client->packets[i].first, i);
		KUNIT_EXPECT_EQ(test, *(u64 *)client->packets[i].buffer, i);
	}
	/* One that comes back is used again, while the others stay what they are. */
	client_complete(client, 0, NULL, 0);
	host_says(0, 1000);
	KUNIT_ASSERT_EQ(test, client_packets(client), n + 9);
	KUNIT_EXPECT_PTR_EQ(test, client->packets[n + 8].handle, client->packets[0].handle);
	for (i = 1; i < n + 9; i++) {
		KUNIT_EXPECT_EQ(test, *(u64 *)client->packets[i].buffer, i < n + 8 ? i : 1000);
		client_complete(client, i, NULL, 0);
	}
	KUNIT_EXPECT_EQ(test, client_held(client), 0);
}

struct there {
	struct work_struct work;
	VMBPACKETCOMPLETION handle;
	bool done;
};

static void complete_there(struct work_struct *work)
{
	struct there *there = container_of(work, struct there, work);

	VmbChannelPacketComplete(there->handle, NULL, 0);
	/* Pairs with the acquire in the callback. */
	smp_store_release(&there->done, true);
}

/* Has another processor complete the packet, and returns when it has. */
static void have_completed_there(VMBPACKETCOMPLETION handle)
{
	struct there there = { .handle = handle };

	INIT_WORK_ONSTACK(&there.work, complete_there);
	queue_work_on(cpumask_any_but(cpu_online_mask, raw_smp_processor_id()),
		      system_highpri_wq, &there.work);
	/* Pairs with the release there. */
	while (!smp_load_acquire(&there.done))
		cpu_relax();
	destroy_work_on_stack(&there.work);
}

static bool is_completed_there(struct client *client, VMBPACKETCOMPLETION handle,
			       void *buffer, u32 len)
{
	have_completed_there(handle);
	/* Over, and not counted yet. */
	KUNIT_EXPECT_EQ(client->test, client_held(client), -1);
	return true;
}

static void another_processor_may_complete_a_packet_during_its_callback(struct kunit *test)
{
	struct client *client = large_client(test);
	u32 i, n = client_spares(client);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");

	client->on_packet = is_completed_there;
	for (i = 0; i < 100; i++)
		host_says(i & 1 ? KMCL_WIRE_WANT_COMPLETION : 0, i);
	KUNIT_EXPECT_EQ(test, client_packets(client), 100);
	KUNIT_EXPECT_EQ(test, host_skip_all(incoming_host), 50);
	KUNIT_EXPECT_EQ(test, client_held(client), 0);
	KUNIT_EXPECT_EQ(test, client_spares(client), n);
}

/* Deferred, it is completed elsewhere while its callback runs, and then another comes. */
static bool is_followed(struct client *client, VMBPACKETCOMPLETION handle, void *buffer,
			u32 len)
{
	switch (client_packets(client)) {
	case 0:
		VmbChannelPacketDeferToPassive(handle);
		return true;
	case 1:
		have_completed_there(handle);
		KUNIT_EXPECT_EQ(client->test, client_held(client), 0);
		host_says(0, 2);
		return true;
	default:
		return false;
	}
}

static void the_next_packet_waits_for_a_callback_whose_packet_is_over(struct kunit *test)
{
	struct client *client = large_client(test);

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two processors");

	client->keep = false;
	client->on_packet = is_followed;
	host_says(0, 1);
	EVENTUALLY(test, client_packets(client) == 3);
	KUNIT_EXPECT_FALSE(test, client->process_nested);
	KUNIT_EXPECT_EQ(test, client->packets[2].first, 2);
	EVENTUALLY(test, client_held(client) == 0);
}

/* The completion has to wait, and goes out, before the callback returns. */
static bool complete_and_make_room(struct client *client, VMBPACKETCOMPLETION handle,
				   void *buffer, u32 len)
{
	struct hv_ring_buffer *ring = incoming_host->channel.outbound.ring_buffer;

	VmbChannelPacketComplete(handle, buffer, len);
	if (client->private) {
		/* As if the host had read all. */
		WRITE_ONCE(ring->read_index, (ring->write_index + incoming_host->room) %
					     incoming_host->channel.outbound.ring_datasize);
		client_read(client);
	}
	return true;
}

static void a_completion_may_wait_and_go_out_during_the_callback(struct kunit *test)
{
	struct client *client = large_client(test);
	u32 n = client_spares(client);
	bool during;

	client->on_packet = complete_and_make_room;
	for (during = false; ; during = true) {
		client->private = during ? client : NULL;
		fill_the_ring(client);
		host_says(KMCL_WIRE_WANT_COMPLETION, 7);
		KUNIT_EXPECT_EQ(test, client_held(client), during ? 0 : 1);
		while (host_skip_all(incoming_host))
			host_signal(incoming_host);
		KUNIT_EXPECT_EQ(test, client_held(client), 0);
		KUNIT_EXPECT_EQ(test, client_spares(client), n);
		if (during)
			break;
	}
}

static void spares_for_incoming_packets_are_limited_in_bytes(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	u32 i;

	for (i = 0; i < 2; i++)
		ASSERT_STATUS(test,
			      VmbChannelInitSetMaximumPacketSize(pair->ends[i]->channel, 520000),
			      STATUS_SUCCESS);
	pair_up(pair);
	KUNIT_EXPECT_EQ(test, client_spares(pair->client), 2);
}

static void spare_packets_are_limited_in_bytes(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	VMBPACKET packets[40];
	u32 i, bytes;

	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel, SZ_64K),
		      STATUS_SUCCESS);
	bytes = VmbChannelSizeofPacket(client->channel);
	for (i = 0; i < ARRAY_SIZE(packets); i++) {
		packets[i] = VmbPacketAllocate(client->channel);
		KUNIT_ASSERT_NOT_NULL(test, packets[i]);
	}
	for (i = 0; i < ARRAY_SIZE(packets); i++)
		VmbPacketFree(packets[i]);
	KUNIT_EXPECT_EQ(test, client_chan(client)->packets.spares, SZ_1M / bytes);
}

static struct kunit_case incoming_cases[] = {
	KUNIT_CASE(a_failed_packets_mapping_is_undone_where_that_may_sleep),
	KUNIT_CASE(a_short_packet_takes_little_whatever_the_maximum),
	KUNIT_CASE(a_completion_longer_than_its_packet_finds_room_to_wait),
	KUNIT_CASE(a_client_that_answers_at_length_needs_no_memory_for_it),
	KUNIT_CASE(a_client_without_a_quota_is_made_to_hold_so_much_only),
	KUNIT_CASE(completions_that_the_host_does_not_read_are_limited_too),
	KUNIT_CASE(a_packet_with_long_headers_is_kept_whole),
	KUNIT_CASE(packets_are_whole_while_all_spares_are_out),
	KUNIT_CASE(another_processor_may_complete_a_packet_during_its_callback),
	KUNIT_CASE(the_next_packet_waits_for_a_callback_whose_packet_is_over),
	KUNIT_CASE(a_completion_may_wait_and_go_out_during_the_callback),
	KUNIT_CASE(spares_for_incoming_packets_are_limited_in_bytes),
	KUNIT_CASE(spare_packets_are_limited_in_bytes),
	{}
};

static struct kunit_suite incoming_suite = {
	.name = "kmcl_incoming",
	.test_cases = incoming_cases,
};

kunit_test_suite(incoming_suite);
