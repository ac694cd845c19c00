// SPDX-License-Identifier: GPL-2.0
/*
 * Trace events, as tracefs shows them: each case has all of them on from its beginning and
 * reads the lines of its own channel.
 */
#include <linux/fs.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <linux/trace_events.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

#include "files.h"
#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define TEXT	SZ_512K
#define FILE	"/sys/kernel/tracing/trace"

static struct trace {
	struct host *host;
	guid_t instance;	/* whose lines are looked at */
	u64 took;		/* a call of ProcessPacket, in ns */
	char *text;		/* what was in the file when it was read last */
} trace;

static void trace_all(struct kunit *test, bool on)
{
	KUNIT_ASSERT_EQ(test, trace_set_clr_event("vmbkmcl", NULL, on), 0);
}

/* As kernel_read(), which takes no file that has a read of both kinds. */
static ssize_t trace_read_some(struct file *file, char *to, size_t len, loff_t *at)
{
	struct kvec vec = { .iov_base = to, .iov_len = len };
	struct kiocb kiocb;
	struct iov_iter iter;
	ssize_t ret;

	init_sync_kiocb(&kiocb, file);
	kiocb.ki_pos = *at;
	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, len);
	ret = file->f_op->read_iter(&kiocb, &iter);
	*at = kiocb.ki_pos;
	return ret;
}

static void trace_read(struct kunit *test)
{
	struct file *file = file_of_loader(FILE, O_RDONLY);
	size_t len = 0;
	loff_t at = 0;
	ssize_t ret;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	do {
		ret = trace_read_some(file, trace.text + len, TEXT - 1 - len, &at);
		len += max(ret, 0);
	} while (ret > 0 && len < TEXT - 1);
	filp_close(file, NULL);
	trace.text[len] = '\0';
	KUNIT_ASSERT_EQ(test, ret, 0);
}

/*
 * Fields of the @n-th event of that name on a channel, from 0 on, behind what all events
 * have; "" where there are no more. Of the text that was read last.
 */
static const char *trace_find(const char *event, u16 channel, u32 n)
{
	static char fields[256];
	char begin[128];
	const char *at = trace.text;

	snprintf(begin, sizeof(begin), " kmcl_%s: instance=%pUl channel=%u ", event,
		 &trace.instance, channel);
	for (;;) {
		at = strstr(at, begin);
		if (!at)
			return "";
		at += strlen(begin);
		if (!n--)
			break;
	}
	strscpy(fields, at, sizeof(fields));
	*strchrnul(fields, '\n') = '\0';
	return fields;
}

#define EXPECT_EVENT(test, event, n, fields) \
	KUNIT_EXPECT_STREQ(test, trace_find(event, 0, n), fields)

/* How long the transaction of the @nth completed packet was open; all else is @fields. */
static s64 trace_open_ns(struct kunit *test, u32 nth, const char *fields)
{
	const char *found = trace_find("packet_completed", 0, nth);
	const char *time = strstr(found, " open_ns=");
	char rest[256];
	int n, used = 0;
	s64 ns = -2;

	KUNIT_ASSERT_NOT_NULL_MSG(test, time, "no such event");
	n = sscanf(time, " open_ns=%lld%n", &ns, &used);
	KUNIT_ASSERT_EQ(test, n, 1);
	snprintf(rest, sizeof(rest), "%.*s%s", (int)(time - found), found, time + used);
	KUNIT_EXPECT_STREQ(test, rest, fields);
	return ns;
}

/* Off, and nothing is left of it. */
static void trace_over(void *test)
{
	struct file *file;

	trace_set_clr_event("vmbkmcl", NULL, 0);
	file = file_of_loader(FILE, O_WRONLY | O_TRUNC);
	if (!IS_ERR(file))
		filp_close(file, NULL);
	vfree(trace.text);
}

static int trace_begin(struct kunit *test)
{
	struct file *file = file_of_loader(FILE, O_WRONLY | O_TRUNC);

	if (IS_ERR(file))
		kunit_skip(test, "no tracefs");
	filp_close(file, NULL);

	memset(&trace, 0, sizeof(trace));
	trace.text = vmalloc(TEXT);
	KUNIT_ASSERT_NOT_NULL(test, trace.text);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, trace_over, test), 0);
	trace_all(test, true);
	return 0;
}

/* A client that names the offer, so that it is known before that is there. */
static struct client *trace_client(struct kunit *test)
{
	struct client *client;
	GUID type, instance;

	trace.host = host_create(test);
	trace.host->offered = true;
	trace.instance = trace.host->instance;
	client = client_create(test, trace.host);
	memcpy(&type, &trace.host->type, sizeof(type));
	memcpy(&instance, &trace.instance, sizeof(instance));
	ASSERT_STATUS(test, VmbClientChannelInitSetTargetPnp(client->channel, &type, &instance,
							     client_pnp_failure),
		      STATUS_SUCCESS);
	return client;
}

static struct client *trace_open_client(struct kunit *test)
{
	struct client *client = trace_client(test);

	client_enable(client);
	return client;
}

/* The host takes one packet; returns its id. */
static u64 trace_host_reads(struct kunit *test)
{
	struct host_packet *pkt = kunit_kzalloc(test, sizeof(*pkt), GFP_KERNEL);

	KUNIT_ASSERT_TRUE(test, host_read(trace.host, pkt));
	return pkt->id;
}

static void a_packet_is_sent_and_over(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	struct client_done *done = client_packet(client);

	EXPECT_STATUS(test, client_send(done, "abc", 3, 0), STATUS_SUCCESS);
	trace_read(test);
	EXPECT_EVENT(test, "packet_sent", 0, "id=0 completion=0 len=3");
	EXPECT_EVENT(test, "packet_completed", 0, "id=0 status=0x0 open_ns=0 len=0");
	EXPECT_EVENT(test, "packet_queued", 0, "");
}

static void a_transaction_has_its_time(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	struct client_done *done = client_packet(client);
	ktime_t begin = ktime_get(), inner;
	char fields[64];
	s64 ns;
	u64 id;

	EXPECT_STATUS(test, client_send(done, "abcd", 4, WAIT), STATUS_SUCCESS);
	id = trace_host_reads(test);
	KUNIT_EXPECT_NE(test, id, 0);
	inner = ktime_get();
	mdelay(20);
	inner = ktime_sub(ktime_get(), inner);
	host_complete(trace.host, id, "answered", 8);
	KUNIT_ASSERT_EQ(test, client_calls(done), 1);

	trace_read(test);
	snprintf(fields, sizeof(fields), "id=%llu completion=0 len=4", id);
	EXPECT_EVENT(test, "packet_sent", 0, fields);
	snprintf(fields, sizeof(fields), "id=%llu completion=1 len=8", id);
	EXPECT_EVENT(test, "packet_fetched", 0, fields);
	snprintf(fields, sizeof(fields), "id=%llu status=0x0 len=8", id);
	ns = trace_open_ns(test, 0, fields);
	KUNIT_EXPECT_GE(test, ns, ktime_to_ns(inner));
	KUNIT_EXPECT_LE(test, ns, ktime_to_ns(ktime_sub(ktime_get(), begin)));

	/* It is a packet like others when it is used again. */
	EXPECT_STATUS(test, client_send(done, "", 0, 0), STATUS_SUCCESS);
	trace_read(test);
	EXPECT_EVENT(test, "packet_completed", 1, "id=0 status=0x0 open_ns=0 len=0");
}

static void a_packet_from_before_has_no_time(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	struct client_done *done = client_packet(client);
	char fields[64];
	u64 id;

	/* With a time, which its object keeps. */
	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	host_complete(trace.host, trace_host_reads(test), NULL, 0);
	trace_all(test, false);
	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	id = trace_host_reads(test);
	trace_all(test, true);
	host_complete(trace.host, id, NULL, 0);

	trace_read(test);
	snprintf(fields, sizeof(fields), "id=%llu status=0x0 len=0", id);
	KUNIT_EXPECT_EQ(test, trace_open_ns(test, 1, fields), -1);
}

static void a_packet_that_waits_is_queued_and_then_sent(struct kunit *test)
{
	struct client *client = trace_open_client(test);

	trace.host->no_room = true;
	EXPECT_STATUS(test, client_send(client_packet(client), "abcde", 5, 0), STATUS_SUCCESS);
	EXPECT_STATUS(test, client_send(client_packet(client), "abcdef", 6, WAIT),
		      STATUS_SUCCESS);
	trace_read(test);
	EXPECT_EVENT(test, "packet_queued", 0, "id=0 completion=0 len=5");
	EXPECT_EVENT(test, "packet_queued", 1, "id=0 completion=0 len=6");
	EXPECT_EVENT(test, "packet_sent", 0, "");

	trace.host->no_room = false;
	host_signal(trace.host);
	trace_read(test);
	EXPECT_EVENT(test, "packet_sent", 0, "id=0 completion=0 len=5");
	EXPECT_EVENT(test, "packet_sent", 1, "id=1 completion=0 len=6");
	EXPECT_EVENT(test, "packet_completed", 0, "id=0 status=0x0 open_ns=0 len=0");
	EXPECT_EVENT(test, "packet_completed", 1, "");
}

static void a_batch_is_fetched_and_answered(struct kunit *test)
{
	struct client *client = trace_open_client(test);

	host_write(trace.host, KMCL_WIRE_DATA, 0, 71, "12345678", 8);
	host_write(trace.host, KMCL_WIRE_DATA, KMCL_WIRE_WANT_COMPLETION, 72, NULL, 0);
	host_write(trace.host, KMCL_WIRE_COMPLETION, 0, 73, NULL, 0);
	trace_read(test);
	EXPECT_EVENT(test, "packet_fetched", 0, "");

	host_signal(trace.host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 2);
	trace_read(test);
	EXPECT_EVENT(test, "packet_fetched", 0, "id=71 completion=0 len=8");
	EXPECT_EVENT(test, "packet_fetched", 1, "id=72 completion=0 len=0");
	EXPECT_EVENT(test, "packet_fetched", 2, "id=73 completion=1 len=0");
	EXPECT_EVENT(test, "packet_sent", 0, "id=72 completion=1 len=0");
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace.text, " packets=3 allowed=64\n"));
}

static void at_its_quota_a_channel_says_so(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	u32 i;

	client->keep = true;
	VmbChannelSetTransactionQuota(client->channel, 2);
	for (i = 0; i < 3; i++)
		host_write(trace.host, KMCL_WIRE_DATA, 0, i, NULL, 0);
	host_signal(trace.host);
	trace_read(test);
	KUNIT_EXPECT_EQ(test, client_packets(client), 2);
	KUNIT_EXPECT_TRUE(test, strstarts(trace_find("quota_hit", 0, 0), "held=2 quota=2 "));
	EXPECT_EVENT(test, "quota_hit", 1, "");
}

static void at_passive_too(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	u32 i;

	client->keep = true;
	VmbChannelSetIncomingProcessingAtPassive(client->channel, TRUE);
	VmbChannelSetTransactionQuota(client->channel, 1);
	for (i = 0; i < 2; i++)
		host_write(trace.host, KMCL_WIRE_DATA, 0, i, NULL, 0);
	host_signal(trace.host);
	EVENTUALLY(test, (trace_read(test), *trace_find("quota_hit", 0, 0)));
	KUNIT_EXPECT_TRUE(test, strstarts(trace_find("quota_hit", 0, 0), "held=1 quota=1 "));
	KUNIT_EXPECT_EQ(test, client_packets(client), 1);
}

static bool trace_takes_long(struct client *client, VMBPACKETCOMPLETION handle, void *buffer,
			     u32 len)
{
	u64 begin = local_clock();

	mdelay(30);
	trace.took = local_clock() - begin;
	return false;
}

static void at_its_share_of_a_processor_a_channel_says_so(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	u64 used = 0;
	int n;

	client->on_packet = trace_takes_long;
	VmbChannelSetAllowableDpcCpuUsage(client->channel, 50);
	host_write(trace.host, KMCL_WIRE_DATA, 0, 1, NULL, 0);
	host_signal(trace.host);
	EVENTUALLY(test, client_packets(client) == 1);
	trace_read(test);
	n = sscanf(trace_find("cpu_limit_hit", 0, 0), "percent=50 used_ns=%llu", &used);
	KUNIT_ASSERT_EQ(test, n, 1);
	KUNIT_EXPECT_GE(test, used, trace.took);
}

static void states_are_told_with_the_reason(struct kunit *test)
{
	static const char * const changes[] = {
		"from=disabled to=enabled why=enable",
		"from=enabled to=opened why=offer",
		"from=opened to=active why=start",
		"from=active to=opened why=pause",
		"from=opened to=active why=start",
		"from=active to=opened why=gone",
		"from=opened to=disabled why=gone",
		"from=disabled to=enabled why=enable",
		"from=enabled to=disabled why=failed",
		"from=disabled to=enabled why=enable",
		"from=enabled to=disabled why=disable",
	};
	struct client *client = trace_client(test);
	DECLARE_CONST_UNICODE_STRING(name, L"a suite");
	char fields[128];
	u32 i;

	VmbChannelInitSetFriendlyName(client->channel, &name);
	client_enable(client);
	VmbChannelPause(client->channel);
	VmbChannelStart(client->channel);
	EVENTUALLY(test, client_state(client) == KMCL_ACTIVE);
	host_rescind(trace.host);
	EVENTUALLY(test, client_state(client) == KMCL_DISABLED);
	trace.host->open_error = -ENOMEM;
	host_offer(trace.host);
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client->pnp_status);
	VmbChannelDisable(client->channel);
	host_withdraw(trace.host);
	ASSERT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_state(client) == KMCL_ENABLED);
	VmbChannelDisable(client->channel);

	trace_read(test);
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		snprintf(fields, sizeof(fields), "server=0 %s name=a suite", changes[i]);
		EXPECT_EVENT(test, "state_changed", i, fields);
	}
	EXPECT_EVENT(test, "state_changed", i, "");
}

static void a_server_is_opened_again_and_again(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	memcpy(&trace.instance, &pair->instance, sizeof(guid_t));
	pair_up(pair);
	VmbChannelDisable(pair->client->channel);
	PAIR_EVENTS(pair->server, UP DOWN);
	EVENTUALLY(test, client_state(pair->server) == KMCL_ENABLED);
	VmbChannelDisable(pair->server->channel);
	trace_read(test);
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace.text,
					   "server=1 from=opened to=enabled why=gone name="));
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace.text,
					   "server=1 from=enabled to=disabled why=disable name="));
}

static void what_is_refused_is_told(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	/* Type, offset and length: its payload begins behind its end, */
	u16 bytes[12] = { KMCL_WIRE_DATA, 9, 2 };

	host_write(trace.host, KMCL_WIRE_COMPLETION, 0, 4711, NULL, 0);
	host_write(trace.host, 99, 0, 1, NULL, 0);
	host_write_bytes(trace.host, bytes, sizeof(bytes));
	host_write(trace.host, KMCL_WIRE_DATA, 0, 1, trace.text, 1032);
	/* or it ends before its descriptor does. */
	bytes[2] = 1;
	host_write_bytes(trace.host, bytes, sizeof(bytes));
	host_signal(trace.host);
	KUNIT_EXPECT_EQ(test, client_packets(client), 0);

	trace_read(test);
	EXPECT_EVENT(test, "refused", 0,
		     "what=\"completion for no open transaction\" value=4711");
	EXPECT_EVENT(test, "refused", 1, "what=\"type not known\" value=99");
	EXPECT_EVENT(test, "refused", 2, "what=\"offsets lead out of it\" value=6");
	EXPECT_EVENT(test, "refused", 3,
		     "what=\"payload above the maximum packet size\" value=1032");
	EXPECT_EVENT(test, "refused", 4,
		     "what=\"ring cannot be parsed any further\" value=0");
	EXPECT_EVENT(test, "refused", 5, "");
}

static void a_request_that_is_given_up_is_over(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	LARGE_INTEGER timeout = { .QuadPart = -10000 };
	u64 id;

	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "x", 1, NULL, WAIT,
							     NULL, NULL, &timeout),
		      STATUS_CANCELLED);
	id = trace_host_reads(test);
	trace_read(test);
	EXPECT_EVENT(test, "packet_sent", 0, "id=1 completion=0 len=1");
	KUNIT_EXPECT_GT(test, trace_open_ns(test, 0, "id=1 status=0xc0000120 len=0"), 0);

	host_complete(trace.host, id, NULL, 0);
	trace_read(test);
	EXPECT_EVENT(test, "refused", 0,
		     "what=\"completion for a cancelled transaction\" value=1");
	EXPECT_EVENT(test, "packet_completed", 1, "");

	timeout.QuadPart = 0;
	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(client->channel, "x", 1, NULL, 0,
							     NULL, NULL, &timeout),
		      STATUS_SUCCESS);
	trace_read(test);
	EXPECT_EVENT(test, "packet_completed", 1, "id=0 status=0x0 open_ns=0 len=0");
}

static void what_is_left_at_the_close_is_over(struct kunit *test)
{
	struct client *client = trace_open_client(test);

	EXPECT_STATUS(test, client_send(client_packet(client), "x", 1, WAIT), STATUS_SUCCESS);
	trace.host->no_room = true;
	EXPECT_STATUS(test, client_send(client_packet(client), "y", 1, WAIT), STATUS_SUCCESS);
	VmbChannelDisable(client->channel);
	trace_read(test);
	KUNIT_EXPECT_GT(test, trace_open_ns(test, 0, "id=1 status=0xc00002b6 len=0"), 0);
	EXPECT_EVENT(test, "packet_completed", 1, "id=0 status=0xc00002b6 open_ns=0 len=0");
}

static void gpadls_are_made_and_deleted(struct kunit *test)
{
	struct client *client = trace_open_client(test);
	void *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	char fields[80];
	UINT32 handle;

	ASSERT_STATUS(test,
		      VmbChannelCreateGpadlFromBuffer(client->channel,
						      VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
						      page, 100, &handle), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(client->channel, handle);
	trace.host->gpadl_error = -ENOMEM;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, page, 8,
							    &handle),
		      STATUS_INSUFFICIENT_RESOURCES);

	trace_read(test);
	snprintf(fields, sizeof(fields), "handle=%#x len=100 read_only=1 status=0x0", handle);
	EXPECT_EVENT(test, "gpadl_made", 0, fields);
	EXPECT_EVENT(test, "gpadl_deleted", 0, fields);
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace_find("gpadl_made", 0, 1),
					   " len=8 read_only=0 status=0xc000009a"));
	EXPECT_EVENT(test, "gpadl_deleted", 1, "");
}

static void bounce_buffers_that_are_short_are_told(struct kunit *test)
{
	struct client *client = trace_client(test);
	void *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	PMDL mdl = IoAllocateMdl(page, 512, FALSE, FALSE, NULL);
	struct client_done *first, *second;

	if (!is_swiotlb_force_bounce(&trace.host->dev.device))
		kunit_skip(test, "needs a kernel booted with swiotlb=force");
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	trace.host->bounces = true;
	ASSERT_STATUS(test, VmbChannelInitSetBounceBufferSizes(client->channel, 0, 0, 4096),
		      STATUS_SUCCESS);
	client_enable(client);
	first = client_packet(client);
	second = client_packet(client);
	EXPECT_STATUS(test, VmbPacketSend(first->packet, "x", 1, mdl, WAIT), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbPacketSend(second->packet, "y", 1, mdl, WAIT), STATUS_SUCCESS);
	trace_read(test);
	EXPECT_EVENT(test, "bounce_short", 0, "pages=1 used=1 limit=1");
	EXPECT_EVENT(test, "packet_queued", 0, "id=0 completion=0 len=1");
	VmbChannelDisable(client->channel);
	IoFreeMdl(mdl);
}

static void sub_channels_have_their_number(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client *server_sub = pair_new_sub(pair, pair->server, 3);
	struct client *sub = pair_new_sub(pair, pair->client, 3);

	memcpy(&trace.instance, &pair->instance, sizeof(guid_t));
	pair_up(pair);
	pair_enable(server_sub);
	pair_enable(sub);
	PAIR_EVENTS(sub, UP);
	pair_send(sub, 1, 24);
	EVENTUALLY(test, client_packets(server_sub) == 1);
	trace_read(test);
	KUNIT_EXPECT_STREQ(test, trace_find("packet_sent", 3, 0), "id=0 completion=0 len=24");
	KUNIT_EXPECT_STREQ(test, trace_find("packet_fetched", 3, 0), "id=0 completion=0 len=24");
	KUNIT_EXPECT_STREQ(test, trace_find("packet_sent", 0, 0), "");
}

static struct kunit_case trace_cases[] = {
	KUNIT_CASE(a_packet_is_sent_and_over),
	KUNIT_CASE(a_transaction_has_its_time),
	KUNIT_CASE(a_packet_from_before_has_no_time),
	KUNIT_CASE(a_packet_that_waits_is_queued_and_then_sent),
	KUNIT_CASE(a_batch_is_fetched_and_answered),
	KUNIT_CASE(at_its_quota_a_channel_says_so),
	KUNIT_CASE(at_passive_too),
	KUNIT_CASE(at_its_share_of_a_processor_a_channel_says_so),
	KUNIT_CASE(states_are_told_with_the_reason),
	KUNIT_CASE(a_server_is_opened_again_and_again),
	KUNIT_CASE(what_is_refused_is_told),
	KUNIT_CASE(a_request_that_is_given_up_is_over),
	KUNIT_CASE(what_is_left_at_the_close_is_over),
	KUNIT_CASE(gpadls_are_made_and_deleted),
	KUNIT_CASE(bounce_buffers_that_are_short_are_told),
	KUNIT_CASE(sub_channels_have_their_number),
	{}
};

static struct kunit_suite trace_suite = {
	.name = "kmcl_trace",
	.init = trace_begin,
	.test_cases = trace_cases,
};

kunit_test_suite(trace_suite);
