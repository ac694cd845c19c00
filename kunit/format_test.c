// SPDX-License-Identifier: GPL-2.0
/* Packets with more than a descriptor: on pipes, and with transfer pages. */
#include <linux/slab.h>

#include "client.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static struct host *format_host;

static struct client *format_client(struct kunit *test, UINT32 flags)
{
	struct client *client;

	format_host = host_create(test);
	client = client_create(test, format_host);
	ASSERT_STATUS(test, VmbChannelInitSetFlags(client->channel, flags), STATUS_SUCCESS);
	format_host->offered = true;
	client_enable(client);
	return client;
}

static struct client *pipe_client(struct kunit *test)
{
	return format_client(test, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
}

static const u32 pipe_sizes[] = { 0, 1, 7, 8, 9, 1023, 1024 };

static void pipe_size_desc(const u32 *size, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes", *size);
}

KUNIT_ARRAY_PARAM(pipe_size, pipe_sizes, pipe_size_desc);

static void on_a_pipe_the_length_goes_before_the_payload(struct kunit *test)
{
	const u32 size = *(u32 *)test->param_value;
	struct client *client = pipe_client(test);
	struct client_done *done = client_packet(client);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u8 *payload = kunit_kzalloc(test, 1024, GFP_KERNEL);
	u32 head[2] = { 1, size };

	memset(payload, 0x5a, size);
	EXPECT_STATUS(test, client_send(done, payload, size, 0), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(format_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->type, VM_PKT_DATA_INBAND);
	KUNIT_EXPECT_EQ(test, pkt->len, ALIGN(8 + size, 8));
	KUNIT_EXPECT_MEMEQ(test, pkt->payload, head, 8);
	if (size)
		KUNIT_EXPECT_MEMEQ(test, pkt->payload + 8, payload, size);
	KUNIT_EXPECT_EQ(test, client_calls(done), 1);
}

static void on_a_pipe_the_exact_length_arrives(struct kunit *test)
{
	const u32 size = *(u32 *)test->param_value;
	struct client *client = pipe_client(test);
	u32 *message = kunit_kzalloc(test, 8 + 1024, GFP_KERNEL);

	message[0] = 1;
	message[1] = size;
	message[2] = 0x01020304;
	message[3] = 0x05060708;
	host_write(format_host, KMCL_WIRE_DATA, 0, 1, message, 8 + size);
	host_signal(format_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_EQ(test, client->packets[0].len, size);
	if (size >= 8)
		KUNIT_EXPECT_EQ(test, client->packets[0].first, 0x0506070801020304);
}

static void on_a_pipe_more_than_the_maximum_is_refused(struct kunit *test)
{
	struct client *client = pipe_client(test);
	u8 *payload = kunit_kzalloc(test, 1025, GFP_KERNEL);

	EXPECT_STATUS(test, client_send(client_packet(client), payload, 1025, 0),
		      STATUS_INVALID_PARAMETER_3);
}

static void on_a_pipe_what_is_queued_keeps_its_header(struct kunit *test)
{
	struct client *client = pipe_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	u8 *payload = kunit_kzalloc(test, 1000, GFP_KERNEL);
	u32 i, n = 0;

	for (i = 0; i < 6; i++) {
		memset(payload, i, 1000);
		client_send(client_packet(client), payload, 1000 - i, 0);
	}
	memset(payload, 0xff, 1000);
	KUNIT_EXPECT_GT(test, client_count(client, queued), 0);
	while (host_read(format_host, pkt)) {
		KUNIT_EXPECT_EQ(test, ((u32 *)pkt->payload)[1], 1000 - n);
		KUNIT_EXPECT_EQ(test, pkt->payload[8], n);
		KUNIT_EXPECT_EQ(test, pkt->payload[8 + 999 - n], n);
		n++;
		host_signal(format_host);
	}
	KUNIT_EXPECT_EQ(test, n, 6);
}

static void on_a_pipe_external_data_goes_before_the_header(struct kunit *test)
{
	struct client *client = pipe_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	PFN_NUMBER pfn = 7;

	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(client_packet(client)->packet, "abc",
							  3, &pfn, 1, WAIT), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, host_read(format_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->type, VM_PKT_DATA_USING_GPA_DIRECT);
	KUNIT_EXPECT_EQ(test, pkt->head_len, 24 + 8 + 8);
	KUNIT_EXPECT_MEMEQ(test, pkt->payload, "\1\0\0\0\3\0\0\0abc\0\0\0\0", 16);
}

static void on_a_pipe_completions_have_no_header(struct kunit *test)
{
	struct client *client = pipe_client(test);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	struct client_done *done = client_packet(client);
	u64 answer = 77;

	client->echo = true;
	host_write(format_host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 5,
		   "\1\0\0\0\10\0\0\0abcdefgh", 16);
	host_signal(format_host);
	KUNIT_ASSERT_TRUE(test, host_read(format_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->type, VM_PKT_COMP);
	KUNIT_EXPECT_EQ(test, pkt->id, 5);
	KUNIT_EXPECT_EQ(test, pkt->len, 8);
	KUNIT_EXPECT_MEMEQ(test, pkt->payload, "abcdefgh", 8);

	client_send(done, "x", 1, WAIT);
	KUNIT_ASSERT_TRUE(test, host_read(format_host, pkt));
	host_complete(format_host, pkt->id, &answer, 8);
	KUNIT_EXPECT_EQ(test, done->first, 77);
}

struct pipe_lie {
	const char *name;
	u32 bytes;		/* of payload in the ring */
	u32 type;
	u32 len;
};

static const struct pipe_lie pipe_lies[] = {
	{ "no header", 0, 0, 0 },
	{ "one byte too many", 16, 1, 9 },
	{ "far too many bytes", 16, 1, 0xffffffff },
	{ "so many that a sum wraps", 16, 1, 0xfffffff8 },
	{ "another type", 16, 2, 8 },
	{ "more than the maximum", 8 + 1032, 1, 1025 },
};

KUNIT_ARRAY_PARAM_DESC(pipe_lie, pipe_lies, name);

static void on_a_pipe_a_lie_is_counted_and_stepped_over(struct kunit *test)
{
	const struct pipe_lie *lie = test->param_value;
	struct client *client = pipe_client(test);
	u32 *message = kunit_kzalloc(test, 8 + 1032, GFP_KERNEL);

	message[0] = lie->type;
	message[1] = lie->len;
	/* Where the header would be, were there one, lies that of the packet before. */
	host_write(format_host, KMCL_WIRE_DATA, 0, 2, "\1\0\0\0\10\0\0\0abcdefgh", 16);
	host_write(format_host, KMCL_WIRE_DATA, 0, 1, message, lie->bytes);
	host_write(format_host, KMCL_WIRE_DATA, 0, 2, "\1\0\0\0\10\0\0\0abcdefgh", 16);
	host_signal(format_host);
	KUNIT_EXPECT_EQ(test, client_count(client, malformed), 1);
	KUNIT_ASSERT_EQ(test, client_packets(client), 2);
	KUNIT_EXPECT_EQ(test, client->packets[1].len, 8);
}

/* On a pipe the length is exact, so the maximum is. */
static void on_a_pipe_one_byte_above_the_maximum_is_too_much(struct kunit *test)
{
	u32 *message = kunit_kzalloc(test, 8 + 1024, GFP_KERNEL);
	struct client *client;

	format_host = host_create(test);
	client = client_create(test, format_host);
	VmbChannelInitSetFlags(client->channel, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	VmbChannelInitSetMaximumPacketSize(client->channel, 1021);
	format_host->offered = true;
	client_enable(client);

	message[0] = 1;
	message[1] = 1022;
	host_write(format_host, KMCL_WIRE_DATA, 0, 1, message, 8 + 1022);
	message[1] = 1021;
	host_write(format_host, KMCL_WIRE_DATA, 0, 1, message, 8 + 1021);
	host_signal(format_host);
	KUNIT_EXPECT_EQ(test, client_count(client, malformed), 1);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_EQ(test, client->packets[0].len, 1021);
}

static void a_packet_made_before_pipe_mode_has_to_be_made_anew(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct client_done *done = client_packet(client);

	VmbChannelInitSetFlags(client->channel, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	host->offered = true;
	client_enable(client);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_INVALID_DEVICE_STATE);
	done = client_packet(client);
	EXPECT_STATUS(test, client_send(done, "x", 1, 0), STATUS_SUCCESS);
}

/* Transfer pages: set 0xcafe, ranges of length and offset. */
static void host_send_xfer(u32 counted, u32 written)
{
	u32 head[2 + 2 * 8] = { 0xcafe, counted };
	u64 number = 0x1234;
	u32 i;

	for (i = 0; i < written; i++) {
		head[2 + 2 * i] = 64;
		head[3 + 2 * i] = 4096 * i;
	}
	host_write_head(format_host, KMCL_WIRE_DATA_XFER, KMCL_WIRE_WANT_COMPLETION, 9,
			head, 8 + 8 * written, &number, sizeof(number));
}

static void a_packet_with_transfer_pages_is_delivered_and_flagged(struct kunit *test)
{
	struct client *client = format_client(test, 0);
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);
	PMDL mdl = NULL;

	client->keep = true;
	host_send_xfer(3, 3);
	host_signal(format_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_EQ(test, client->packets[0].len, 8);
	KUNIT_EXPECT_EQ(test, client->packets[0].first, 0x1234);
	KUNIT_EXPECT_EQ(test, client->packets[0].flags,
			VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(client->packets[0].handle, 0, &mdl),
		      STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_NULL(test, mdl);
	client_complete(client, 0, NULL, 0);
	KUNIT_ASSERT_TRUE(test, host_read(format_host, pkt));
	KUNIT_EXPECT_EQ(test, pkt->id, 9);
}

static void a_packet_with_many_transfer_pages_fits(struct kunit *test)
{
	struct client *client = format_client(test, 0);
	u32 *head = kunit_kzalloc(test, 8 + 8 * 375, GFP_KERNEL);
	u8 *payload = kunit_kzalloc(test, 1024, GFP_KERNEL);

	head[1] = 375;
	host_write_head(format_host, KMCL_WIRE_DATA_XFER, 0, 1, head, 8 + 8 * 375,
			payload, 1024);
	host_signal(format_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_EQ(test, client->packets[0].len, 1024);
	KUNIT_EXPECT_EQ(test, client_count(client, malformed), 0);
}

static void transfer_pages_beyond_the_headers_are_counted_and_stepped_over(struct kunit *test)
{
	struct client *client = format_client(test, 0);
	static const u32 counts[] = { 3, 0xffffffff, 0x20000000, 0x1fffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		host_send_xfer(counts[i], 2);
		host_signal(format_host);
		KUNIT_EXPECT_EQ(test, client_count(client, malformed), i + 1);
	}
	/* No headers of transfer pages at all. */
	host_write(format_host, KMCL_WIRE_DATA_XFER, 0, 1, "12345678", 8);
	host_signal(format_host);
	KUNIT_EXPECT_EQ(test, client_count(client, malformed), i + 1);
	KUNIT_EXPECT_EQ(test, client_packets(client), 0);

	host_send_xfer(2, 2);
	host_signal(format_host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
}

static void an_ordinary_packet_has_no_external_data(struct kunit *test)
{
	struct client *client = format_client(test, 0);
	PMDL mdl;

	client->keep = true;
	host_write(format_host, KMCL_WIRE_DATA, 0, 1, "12345678", 8);
	host_signal(format_host);
	KUNIT_ASSERT_EQ(test, client_packets(client), 1);
	KUNIT_EXPECT_EQ(test, client->packets[0].flags, 0);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(client->packets[0].handle, 0, &mdl),
		      STATUS_NOT_FOUND);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(client->packets[0].handle, 2, &mdl),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(client->packets[0].handle, 0, NULL),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelPacketGetExternalData(NULL, 0, &mdl),
		      STATUS_INVALID_PARAMETER_1);
	client_complete(client, 0, NULL, 0);
}

static struct kunit_case format_cases[] = {
	KUNIT_CASE_PARAM(on_a_pipe_the_length_goes_before_the_payload, pipe_size_gen_params),
	KUNIT_CASE_PARAM(on_a_pipe_the_exact_length_arrives, pipe_size_gen_params),
	KUNIT_CASE(on_a_pipe_more_than_the_maximum_is_refused),
	KUNIT_CASE(on_a_pipe_what_is_queued_keeps_its_header),
	KUNIT_CASE(on_a_pipe_external_data_goes_before_the_header),
	KUNIT_CASE(on_a_pipe_completions_have_no_header),
	KUNIT_CASE_PARAM(on_a_pipe_a_lie_is_counted_and_stepped_over, pipe_lie_gen_params),
	KUNIT_CASE(on_a_pipe_one_byte_above_the_maximum_is_too_much),
	KUNIT_CASE(a_packet_made_before_pipe_mode_has_to_be_made_anew),
	KUNIT_CASE(a_packet_with_transfer_pages_is_delivered_and_flagged),
	KUNIT_CASE(a_packet_with_many_transfer_pages_fits),
	KUNIT_CASE(transfer_pages_beyond_the_headers_are_counted_and_stepped_over),
	KUNIT_CASE(an_ordinary_packet_has_no_external_data),
	{}
};

static struct kunit_suite format_suite = {
	.name = "kmcl_format",
	.test_cases = format_cases,
};

kunit_test_suite(format_suite);
