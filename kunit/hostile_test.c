// SPDX-License-Identifier: GPL-2.0
/*
 * A host that lies. Whatever it writes into the incoming ring, nothing beyond
 * the packet is read, what can be stepped over is, what cannot stops the incoming
 * side only, and all of it is counted.
 */
#include <linux/prandom.h>
#include <linux/slab.h>

#include "client.h"
#include "log.h"

static struct client *active_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	(*host)->offered = true;
	client_enable(client);
	return client;
}

/* The guest reads what the host has written, in the middle of a send. */
static int read_and_take(struct host *host, const void *data, u32 len)
{
	struct client *client = VmbChannelGetPointer((VMBCHANNEL)host->hv.link.chan);

	host->on_send = NULL;
	/* As in a softirq that interrupts the sender. */
	local_bh_disable();
	client_read(client);
	local_bh_enable();
	return 0;
}

/* Else it would be over, and anything, while its sender copies it. */
static void a_guessed_id_is_no_transaction_while_its_packet_is_written(struct kunit *test)
{
	struct host *host;
	struct client *client = active_client(test, &host);
	struct client_done *done = client_packet(client);

	host_write(host, KMCL_WIRE_COMPLETION, 0, client_last_id(client) + 1, "guessed", 8);
	host->on_send = read_and_take;
	EXPECT_STATUS(test, client_send(done, "x", 1,
					VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
	KUNIT_EXPECT_EQ(test, client_count(client, stray), 1);
	KUNIT_EXPECT_EQ(test, client_open_transactions(client), 1);

	host_complete(host, client_last_id(client), "rightful", 8);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
	KUNIT_EXPECT_EQ(test, memcmp(&done->first, "rightful", 8), 0);
}

/* A packet as the host pleases, behind it a proper one with number 1. */
struct lie {
	const char *name;
	u16 type;
	u16 offset8;
	u16 len8;
	u16 bytes8;		/* how much is written, trailer included */
	bool parses;		/* the packet behind the lie can be found */
	bool unknown;		/* counted as of unknown type, not as malformed */
};

static const struct lie lies[] = {
	{ "payload begins inside the descriptor", 6, 1, 4, 5, true },
	{ "payload begins at the packet", 6, 0, 4, 5, true },
	{ "payload begins behind the packet", 6, 5, 4, 5, true },
	{ "payload begins far behind the packet", 6, 0xffff, 4, 5, true },
	{ "payload above the maximum", 6, 2, 2 + 129, 2 + 129 + 1, true },
	{ "payload far above the maximum", 6, 2, 2 + 250, 2 + 250 + 1, true },
	{ "type 0", 0, 2, 4, 5, true, true },
	{ "type 8", 8, 2, 4, 5, true, true },
	{ "external data from the host", 9, 2, 4, 5, true, true },
	{ "cancel", 15, 2, 4, 5, true, true },
	{ "type 65535", 0xffff, 2, 4, 5, true, true },
	{ "length 0", 6, 2, 0, 5, false },
	{ "length below the descriptor", 6, 2, 1, 5, false },
	{ "length past what was written", 6, 2, 40, 5, false },
	{ "length past the ring", 6, 2, 0xffff, 5, false },
};

KUNIT_ARRAY_PARAM_DESC(lie, lies, name);

static void a_lie_is_counted_and_survived(struct kunit *test)
{
	const struct lie *lie = test->param_value;
	struct client_done *done;
	struct client *client;
	struct host *host;
	u64 number = 1;
	u16 *bytes;

	client = active_client(test, &host);
	bytes = kunit_kzalloc(test, lie->bytes8 * 8, GFP_KERNEL);
	bytes[0] = lie->type;
	bytes[1] = lie->offset8;
	bytes[2] = lie->len8;
	host_write_bytes(host, bytes, lie->bytes8 * 8);
	if (lie->parses)
		host_write(host, KMCL_WIRE_DATA, 0, 1, &number, sizeof(number));
	host_signal(host);

	KUNIT_EXPECT_EQ(test, client_packets(client), lie->parses);
	KUNIT_EXPECT_EQ(test, client_count(client, malformed), !lie->unknown);
	KUNIT_EXPECT_EQ(test, client_count(client, unknown), lie->unknown);

	/* Sending goes on in any case. */
	done = client_packet(client);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
}

static void a_corrupt_ring_stays_unread_until_the_channel_is_disabled(struct kunit *test)
{
	struct client *client;
	struct host *host;
	u64 number = 2;

	client = active_client(test, &host);
	host_write_bytes(host, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
	host_signal(host);
	host_write(host, KMCL_WIRE_DATA, 0, 1, &number, sizeof(number));
	host_signal(host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 0);

	VmbChannelDisable(client->channel);
	client_enable(client);
	host_write(host, KMCL_WIRE_DATA, 0, 1, &number, sizeof(number));
	host_signal(host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
}

static void a_write_index_out_of_range_is_survived(struct kunit *test)
{
	static const u32 indices[] = {
		0x7ffffff8, 0xffffffff,
		/* The ring has three pages of the host's, and whole pages of the kernel's. */
		ALIGN(3 * 4096, PAGE_SIZE), ALIGN(3 * 4096, PAGE_SIZE) + 8,
	};
	struct client *client;
	struct host *host;
	u32 i;

	client = active_client(test, &host);
	for (i = 0; i < ARRAY_SIZE(indices); i++) {
		/* The packet itself would pass; the index does not. */
		host_write(host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
		host->channel.inbound.ring_buffer->write_index = indices[i];
		host_signal(host);
		KUNIT_EXPECT_EQ(test, client_packets(client), 0);
		VmbChannelDisable(client->channel);
		client_enable(client);
	}
	KUNIT_EXPECT_EQ(test, client_count(client, malformed), ARRAY_SIZE(indices));
}

static void a_write_index_between_packets_does_not_spin(struct kunit *test)
{
	struct client *client;
	struct host *host;
	u64 number = 3;
	u32 reads;

	/* Less than a descriptor: nothing to read, and no reason to look again. */
	client = active_client(test, &host);
	host->channel.inbound.ring_buffer->write_index = 8;
	host_signal(host);
	reads = host->reads;
	msleep(20);
	KUNIT_EXPECT_EQ(test, host->reads, reads);
	host->channel.inbound.ring_buffer->write_index = 0;
	host_write(host, KMCL_WIRE_DATA, 0, 1, &number, sizeof(number));
	host_signal(host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
}

/* What the host writes into the ring that only the guest writes to. */
struct outgoing_lie {
	const char *name;
	bool write_index;	/* which is the guest's alone */
	u32 index;		/* the ring has a page of data */
	bool external;
};

static const struct outgoing_lie outgoing_lies[] = {
	{ "read index at the end", false, PAGE_SIZE },
	{ "read index far beyond", false, 0xfffffff0 },
	{ "write index at the end", true, PAGE_SIZE },
	{ "write index at the end of the second mapping", true, 2 * PAGE_SIZE },
	{ "write index far beyond", true, 0x40000000 },
	{ "external data, read index at the end", false, PAGE_SIZE, true },
	{ "external data, write index far beyond", true, 0x40000000, true },
};

KUNIT_ARRAY_PARAM_DESC(outgoing_lie, outgoing_lies, name);

/* As a packet goes out to a ring that is in order, hence queued if it is not. */
static NTSTATUS send_one(struct client_done *done, PMDL mdl)
{
	u32 flags = mdl ? VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION : 0;

	return VmbPacketSend(done->packet, "x", 1, mdl, flags);
}

static void an_outgoing_index_out_of_range_closes_the_channel(struct kunit *test)
{
	const struct outgoing_lie *lie = test->param_value;
	struct hv_ring_buffer *ring;
	struct client_done *done;
	struct kmsg_dump_iter marks[2];
	struct client *client;
	struct host *host;
	u64 number = 4;
	PMDL mdl;

	client = active_client(test, &host);
	done = client_packet(client);
	mdl = IoAllocateMdl(client, 8, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	ring = host->channel.outbound.ring_buffer;
	KUNIT_ASSERT_EQ(test, host->channel.outbound.ring_datasize, PAGE_SIZE);
	if (lie->write_index)
		ring->write_index = lie->index;
	else
		ring->read_index = lie->index;

	marks[0] = log_mark();
	marks[1] = marks[0];
	EXPECT_STATUS(test, send_one(done, lie->external ? mdl : NULL), STATUS_SUCCESS);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_DEVICE_REMOVED);
	EVENTUALLY(test, client_events(client) == 5);
	CLIENT_EXPECT(client, UP DOWN);
	KUNIT_EXPECT_EQ(test, client_sent(client), 0);
	/* Found here: not every kernel's hv_vmbus looks, and those that do say so. */
	KUNIT_EXPECT_EQ(test, log_lines(&marks[0], "outgoing ring is unusable (error -5)"), 1);
	KUNIT_EXPECT_EQ(test, log_lines(&marks[1], "indices out of range"), 0);

	/* The device was given back: it can be opened again. */
	wait_for_completion(&host->released);
	client_enable(client);
	host_write(host, KMCL_WIRE_DATA, 0, 1, &number, sizeof(number));
	host_signal(host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client_calls(done), 2);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	IoFreeMdl(mdl);
}

/* The worker, which closes channels, is in the callback that waits. */
static void send_by_a_broken_ring(struct client *client, enum client_event event)
{
	LARGE_INTEGER timeout = { .QuadPart = -30000000 };	/* 3 s */
	struct host *host = client->private;

	if (event != CLIENT_POST_STARTED)
		return;
	host->channel.outbound.ring_buffer->read_index = 0xfffffff0;
	client->pnp_status = VmbChannelSendSynchronousRequest(client->channel, "x", 1, NULL,
							      0, NULL, NULL, &timeout);
}

static void a_request_to_a_ring_that_breaks_ends(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	host->offered = true;
	client->private = host;
	client->on_event = send_by_a_broken_ring;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_events(client) == 5);
	CLIENT_EXPECT(client, UP DOWN);
	EXPECT_STATUS(test, client->pnp_status, STATUS_DEVICE_REMOVED);
}

static void a_largest_packet_still_passes(struct kunit *test)
{
	struct client *client;
	struct host *host;
	u8 *payload = kunit_kzalloc(test, 1024, GFP_KERNEL);

	client = active_client(test, &host);
	host_write(host, KMCL_WIRE_DATA, 0, 1, payload, 1024);
	host_signal(host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_EQ(test, client->packets[0].len, 1024);
	KUNIT_EXPECT_EQ(test, client_count(client, malformed), 0);
}

static void random_bytes_are_survived(struct kunit *test)
{
	struct client *client;
	struct rnd_state rnd;
	struct host *host;
	u32 round, n;
	u8 *bytes = kunit_kzalloc(test, 4096, GFP_KERNEL);

	client = active_client(test, &host);
	client->echo = true;
	for (round = 0; round < 50; round++) {
		prandom_seed_state(&rnd, round);
		n = prandom_u32_state(&rnd) % 4000;
		prandom_bytes_state(&rnd, bytes, n);
		/* Half of them with a descriptor that makes some sense. */
		if (n > 32 && round % 2) {
			((u16 *)bytes)[0] = round % 3 ? 6 : 11;
			((u16 *)bytes)[1] = 2;
			((u16 *)bytes)[2] = n / 8 - 1;
			n &= ~7;
		}
		host_write_bytes(host, bytes, n);
		host_signal(host);
		host_skip_all(host);
		/* Each round begins with a ring that can be read. */
		VmbChannelDisable(client->channel);
		client_enable(client);
	}
	/* And the client still works. */
	round = client_packets(client);
	host_write(host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
	host_signal(host);
	KUNIT_EXPECT_EQ(test, client_packets(client), round + 1);
}

static void what_was_refused_is_told_once(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	int i;

	host->offered = true;
	client_enable(client);
	host_write(host, 99, 0, 1, "x", 1);
	host_signal(host);
	for (i = 0; i < 3; i++) {
		VmbChannelDisable(client->channel);
		client_enable(client);
	}
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "0 malformed packets, 1 of unknown type"), 1);
}

static struct kunit_case hostile_cases[] = {
	KUNIT_CASE(a_guessed_id_is_no_transaction_while_its_packet_is_written),
	KUNIT_CASE_PARAM(a_lie_is_counted_and_survived, lie_gen_params),
	KUNIT_CASE(a_corrupt_ring_stays_unread_until_the_channel_is_disabled),
	KUNIT_CASE(a_write_index_out_of_range_is_survived),
	KUNIT_CASE(a_write_index_between_packets_does_not_spin),
	KUNIT_CASE_PARAM(an_outgoing_index_out_of_range_closes_the_channel,
			 outgoing_lie_gen_params),
	KUNIT_CASE(a_request_to_a_ring_that_breaks_ends),
	KUNIT_CASE(a_largest_packet_still_passes),
	KUNIT_CASE(random_bytes_are_survived),
	KUNIT_CASE(what_was_refused_is_told_once),
	{}
};

static struct kunit_suite hostile_suite = {
	.name = "kmcl_hostile",
	.test_cases = hostile_cases,
};

kunit_test_suite(hostile_suite);
