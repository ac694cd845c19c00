// SPDX-License-Identifier: GPL-2.0
/*
 * What debugfs has of a channel, against what the channel did; and readers while channels
 * come and go. The files are opened as a program opens them, in a mount of the suite's own,
 * but read here: a kernel thread has no memory that they could be copied to. Their modes
 * and the switch of the times are tried by scripts/demo-loopback.
 */
#include <linux/debugfs.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mount.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define TEXT	16384

static struct vfsmount *debug_mount;

/* The text of vmbkmcl/@name/@file in @text, of TEXT bytes. False: there is none. */
static bool debug_read(const char *name, const char *file, char *text)
{
	char path[160];
	struct seq_file *m;
	struct file *f;
	bool there;

	snprintf(path, sizeof(path), "vmbkmcl/%s/%s", name, file);
	f = file_open_root_mnt(debug_mount, path, O_RDONLY, 0);
	if (IS_ERR(f))
		return false;

	m = f->private_data;
	m->buf = kvmalloc(TEXT, GFP_KERNEL);
	m->size = m->buf ? TEXT - 1 : 0;
	/* As debugfs does around each read. */
	there = m->buf && !debugfs_file_get(f->f_path.dentry);
	if (there) {
		m->op->show(m, NULL);
		debugfs_file_put(f->f_path.dentry);
		m->buf[m->count] = '\0';
		memcpy(text, m->buf, m->count + 1);
	}
	fput(f);
	return there;
}

/* Its JSON object, for kfree(), or NULL. */
static char *debug_json(const char *name)
{
	char *text = kmalloc(TEXT, GFP_KERNEL);

	if (text && debug_read(name, "json", text))
		return text;
	kfree(text);
	return NULL;
}

static bool debug_is_there(const char *name)
{
	char *text = debug_json(name);

	kfree(text);
	return text;
}

/* Is @what, a key and its value, in the object? */
static bool debug_says(const char *name, const char *what)
{
	char *text = debug_json(name);
	bool says = text && strstr(text, what);

	kfree(text);
	return says;
}

#define EXPECT_SAYS(test, name, what) \
	KUNIT_EXPECT_TRUE_MSG(test, debug_says(name, what), "%s does not say %s", name, what)

/* A number in the object; -1 if it is not there. */
static s64 debug_number(const char *name, const char *key)
{
	char *text = debug_json(name), *at;
	char pattern[64];
	s64 number;

	snprintf(pattern, sizeof(pattern), "\"%s\":", key);
	at = text ? strstr(text, pattern) : NULL;
	if (!at || sscanf(at + strlen(pattern), "%lld", &number) != 1)
		number = -1;
	kfree(text);
	return number;
}

#define EXPECT_NUMBER(test, name, key, value) \
	KUNIT_EXPECT_EQ_MSG(test, debug_number(name, key), value, "%s", key)

static void debug_name(struct client *end, const WCHAR *text)
{
	UNICODE_STRING name;

	RtlInitUnicodeString(&name, text);
	ASSERT_STATUS(end->test, VmbChannelInitSetFriendlyName(end->channel, &name),
		      STATUS_SUCCESS);
}

/* A pair whose folders are client and server, active. */
static struct pair *debug_pair(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	debug_name(pair->client, L"client");
	debug_name(pair->server, L"server");
	return pair;
}

static struct pair *debug_pair_up(struct kunit *test)
{
	struct pair *pair = debug_pair(test);

	pair_up(pair);
	EVENTUALLY(test, debug_says("server", "\"state\":\"active\""));
	EVENTUALLY(test, debug_says("client", "\"state\":\"active\""));
	return pair;
}

/* A client of a host made by hand, active. */
static struct client *debug_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	(*host)->offered = true;
	client = client_create(test, *host);
	debug_name(client, L"client");
	client_enable(client);
	return client;
}

static void a_folder_stays_from_the_first_enable_until_cleanup(struct kunit *test)
{
	DECLARE_CONST_UNICODE_STRING(name, L"stays");
	GUID type = { 1 };
	VMBCHANNEL channel;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	VmbChannelInitSetFriendlyName(channel, &name);
	VmbClientChannelInitSetTargetPnp(channel, &type, NULL, NULL);
	KUNIT_EXPECT_FALSE(test, debug_is_there("stays"));

	ASSERT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	EVENTUALLY(test, debug_is_there("stays"));
	EXPECT_SAYS(test, "stays", "\"state\":\"enabled\"");
	EXPECT_SAYS(test, "stays", "\"offer\":\"none\"");
	VmbChannelDisable(channel);
	EXPECT_SAYS(test, "stays", "\"state\":\"disabled\"");
	ASSERT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	VmbChannelDisable(channel);
	EXPECT_SAYS(test, "stays", "\"state\":\"disabled\"");
	VmbChannelCleanup(channel);
	KUNIT_EXPECT_FALSE(test, debug_is_there("stays"));
}

/* So its text is, in which a name has its quotes escaped. */
static void names_are_harmless_and_unique(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	debug_name(pair->client, L"../a b/\\\"c\"\n\x00e4$(d)");
	debug_name(pair->server, L"../a b/\\\"c\"\n\x00e4$(d)");
	pair_up(pair);
	KUNIT_EXPECT_TRUE(test, debug_is_there("_._a_b___c_____d_"));
	KUNIT_EXPECT_TRUE(test, debug_is_there("_._a_b___c_____d_~2"));
	EXPECT_SAYS(test, "_._a_b___c_____d_", "\"name\":\"../a b/\\\\\\\"c\\\"??$(d)\",");
}

static void one_without_a_name_has_a_folder_too(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pair_up(pair);
	EXPECT_SAYS(test, "unnamed", "\"name\":\"\",");
	EXPECT_SAYS(test, "unnamed~2", "\"name\":\"\",");
}

static void packets_and_bytes_are_counted_each_way(struct kunit *test)
{
	struct pair *pair = debug_pair_up(test);
	struct client_done *done = client_packet(pair->client);

	pair_send(pair->client, 1, 16);
	pair_send(pair->client, 2, 24);
	pair->server->echo = true;
	client_send(done, "8 bytes", 8, WAIT);
	EVENTUALLY(test, client_calls(done) == 1);
	pair_send(pair->server, 3, 40);
	EVENTUALLY(test, client_packets(pair->client) == 1);
	EVENTUALLY(test, debug_number("client", "received") == 1);

	EXPECT_NUMBER(test, "client", "sent", 3);
	EXPECT_NUMBER(test, "client", "sent_bytes", 48);
	EXPECT_NUMBER(test, "client", "received_bytes", 40);
	EXPECT_NUMBER(test, "client", "completed", 1);
	EXPECT_NUMBER(test, "client", "completed_bytes", 8);
	/* Its completion is one. */
	EXPECT_NUMBER(test, "server", "sent", 2);
	EXPECT_NUMBER(test, "server", "sent_bytes", 48);
	EXPECT_NUMBER(test, "server", "received", 3);
	EXPECT_NUMBER(test, "server", "received_bytes", 48);
	EXPECT_NUMBER(test, "client", "open", 0);
	EXPECT_NUMBER(test, "client", "open_oldest_ms", 0);
}

static void the_oldest_open_transaction_has_its_age(struct kunit *test)
{
	struct pair *pair = debug_pair_up(test);
	struct client_done *old = client_packet(pair->client);
	struct client_done *young = client_packet(pair->client);
	s64 age;

	pair->server->keep = true;
	client_send(old, "old", 3, WAIT);
	msleep(200);
	client_send(young, "young", 5, WAIT);
	EVENTUALLY(test, client_packets(pair->server) == 2);
	EXPECT_NUMBER(test, "client", "open", 2);
	age = debug_number("client", "open_oldest_ms");
	KUNIT_EXPECT_GE(test, age, 190);
	client_complete(pair->server, 0, NULL, 0);
	EVENTUALLY(test, client_calls(old) == 1);
	KUNIT_EXPECT_LT(test, debug_number("client", "open_oldest_ms"), age);
	client_complete(pair->server, 1, NULL, 0);
}

static void what_waits_in_the_queue_is_told(struct kunit *test)
{
	struct host *host;
	struct client *client = debug_client(test, &host);
	s64 queue;
	u32 i;

	host->no_room = true;
	for (i = 0; i < 5; i++)
		client_send(client_packet(client), "x", 1, 0);
	EXPECT_NUMBER(test, "client", "queue", 5);
	EXPECT_SAYS(test, "client", "\"queue_waits_for\":\"room\"");

	host->no_room = false;
	host_signal(host);
	EVENTUALLY(test, !debug_number("client", "queue"));
	queue = debug_number("client", "queue_longest");
	KUNIT_EXPECT_EQ(test, queue, 5);
	EXPECT_NUMBER(test, "client", "queued_ever", 5);
	EXPECT_SAYS(test, "client", "\"queue_waits_for\":\"nothing\"");
}

static void a_limit_on_packets_under_way_is_told(struct kunit *test)
{
	struct pair *pair = debug_pair(test);
	struct client_done *first, *second;

	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketCount(pair->client->channel, 1),
		      STATUS_SUCCESS);
	pair_up(pair);
	first = client_packet(pair->client);
	second = client_packet(pair->client);
	pair->server->keep = true;
	client_send(first, "1", 1, WAIT);
	client_send(second, "2", 1, WAIT);
	EXPECT_NUMBER(test, "client", "max_count", 1);
	EXPECT_SAYS(test, "client", "\"queue_waits_for\":\"limit\"");
	EVENTUALLY(test, client_packets(pair->server) == 1);
	client_complete(pair->server, 0, NULL, 0);
	EVENTUALLY(test, client_packets(pair->server) == 2);
	client_complete(pair->server, 1, NULL, 0);
}

static void a_client_at_its_quota_is_told(struct kunit *test)
{
	struct pair *pair = debug_pair_up(test);
	u32 i;

	EXPECT_NUMBER(test, "server", "quota", 0);
	VmbChannelSetTransactionQuota(pair->server->channel, 2);
	pair->server->keep = true;
	for (i = 0; i < 3; i++)
		pair_send(pair->client, i, 8);
	EVENTUALLY(test, debug_says("server", "\"receive_waits_for\":\"quota\""));
	EXPECT_NUMBER(test, "server", "quota", 2);
	EXPECT_NUMBER(test, "server", "client_holds", 2);
	KUNIT_EXPECT_GE(test, debug_number("server", "stalls_quota"), 1);

	pair->server->keep = false;
	client_complete(pair->server, 0, NULL, 0);
	client_complete(pair->server, 1, NULL, 0);
	EVENTUALLY(test, client_packets(pair->server) == 3);
	EVENTUALLY(test, debug_says("server", "\"receive_waits_for\":\"nothing\""));
	EXPECT_NUMBER(test, "server", "client_holds", 0);
}

static void what_is_refused_has_its_reason(struct kunit *test)
{
	struct host *host;

	debug_client(test, &host);
	host_write(host, KMCL_WIRE_COMPLETION, 0, 0x1234, NULL, 0);
	host_write(host, 5, 0, 1, "unknown", 8);
	host_write(host, KMCL_WIRE_DATA_XFER, 0, 2, "malforme", 8);
	host_signal(host);
	EVENTUALLY(test, debug_number("client", "refused_stray") == 1);
	EVENTUALLY(test, debug_number("client", "refused_malformed") == 1);
	EXPECT_NUMBER(test, "client", "refused_unknown", 1);
}

static bool debug_in_closed, debug_in_suspend;

static void debug_on_event(struct client *client, enum client_event event)
{
	if (event == CLIENT_SUSPEND)
		debug_in_suspend = debug_says("client", "\"step\":\"suspend\"");
	if (event == CLIENT_CLOSED)
		debug_in_closed = debug_says("client",
					     "\"waits_for\":\"the client's EvtChannelClosed has not returned\"");
}

static void what_the_worker_does_is_told(struct kunit *test)
{
	struct pair *pair = debug_pair_up(test);

	debug_in_suspend = false;
	debug_in_closed = false;
	EVENTUALLY(test, debug_says("client", "\"step\":\"none\""));
	pair->client->on_event = debug_on_event;
	VmbChannelDisable(pair->client->channel);
	KUNIT_EXPECT_TRUE(test, debug_in_suspend);
	KUNIT_EXPECT_TRUE(test, debug_in_closed);
	EVENTUALLY(test, debug_says("client", "\"step\":\"none\""));
	EXPECT_SAYS(test, "client", "\"asked\":0,");
}

/* The changes of the client's state, each as its first letter, in @letters. */
static void debug_changes(char *letters)
{
	char *text = debug_json("client"), *at;

	for (at = text; at && (at = strstr(at, "\"to\":\"")); at++)
		*letters++ = at[6];
	*letters = '\0';
	kfree(text);
}

static void the_last_changes_of_the_state_are_kept(struct kunit *test)
{
	struct pair *pair = debug_pair_up(test);
	char letters[64];
	u32 i;

	debug_changes(letters);
	KUNIT_EXPECT_STREQ(test, letters, "eoa");
	VmbChannelPause(pair->client->channel);
	EXPECT_SAYS(test, "client", "\"why\":\"it was paused\"}]");
	VmbChannelStart(pair->client->channel);
	EVENTUALLY(test, debug_says("client", "\"state\":\"active\""));
	VmbChannelDisable(pair->client->channel);
	EXPECT_SAYS(test, "client", "\"why\":\"it was disabled\"}]");
	debug_changes(letters);
	KUNIT_EXPECT_STREQ(test, letters, "eoaoaod");

	/* So many, the last. */
	for (i = 0; i < 5; i++) {
		ASSERT_STATUS(test, VmbChannelEnable(pair->client->channel), STATUS_SUCCESS);
		EVENTUALLY(test, debug_says("client", "\"state\":\"active\""));
		VmbChannelDisable(pair->client->channel);
	}
	debug_changes(letters);
	KUNIT_EXPECT_STREQ(test, letters, "deoaodeoaodeoaod");
}

static void a_withdrawal_is_the_other_ends(struct kunit *test)
{
	struct host *host;
	struct client *client = debug_client(test, &host);

	host_rescind(host);
	EVENTUALLY(test, client_state(client) == KMCL_DISABLED);
	EXPECT_SAYS(test, "client", "\"why\":\"the other end went away\"}]");
}

static void a_sub_channel_names_its_primary(struct kunit *test)
{
	struct pair *pair = debug_pair_up(test);
	struct client *sub = pair_new_sub(pair, pair->server, 3);

	debug_name(sub, L"sub");
	pair_enable(sub);
	EVENTUALLY(test, debug_is_there("sub"));
	EXPECT_SAYS(test, "sub", "\"primary\":\"server\",\"sub_index\":3,");
	EXPECT_SAYS(test, "server", "\"primary\":\"\",\"sub_index\":0,");
}

static void the_text_has_a_value_a_line(struct kunit *test)
{
	char *text = kunit_kzalloc(test, TEXT, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, text);
	debug_pair_up(test);
	KUNIT_ASSERT_TRUE(test, debug_read("client", "status", text));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nstate            active\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "\nmax_packet       1024\n"));
	KUNIT_EXPECT_NULL(test, strchr(text, '"'));
}

static int debug_reader(void *data)
{
	u64 *reads = data;
	char *text = kmalloc(TEXT, GFP_KERNEL);

	while (!kthread_should_stop() && text) {
		*reads += debug_read("client", "json", text);
		*reads += debug_read("server", "status", text);
		cond_resched();
	}
	while (!kthread_should_stop())
		usleep_range(1000, 1100);
	kfree(text);
	return 0;
}

static VMBCHANNEL debug_end(struct kunit *test, bool is_server, const GUID *id)
{
	DECLARE_CONST_UNICODE_STRING(server, L"server");
	DECLARE_CONST_UNICODE_STRING(client, L"client");
	VMBCHANNEL channel;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, is_server, &channel), STATUS_SUCCESS);
	VmbChannelInitSetFriendlyName(channel, is_server ? &server : &client);
	if (is_server) {
		VmbServerChannelInitSetFlags(channel,
					     VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
		VmbServerChannelInitSetTargetInterfaceId(channel, *id, *id);
	} else {
		VmbClientChannelInitSetTargetPnp(channel, id, id, NULL);
	}
	EXPECT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	VmbChannelStart(channel);
	return channel;
}

/* Both have been open, have sent, and are freed as soon as they are disabled. */
static void debug_come_and_go(struct kunit *test)
{
	VMBCHANNEL server, client;
	VMBPACKET packet;
	GUID id;

	guid_gen((guid_t *)&id);
	server = debug_end(test, true, &id);
	client = debug_end(test, false, &id);
	EVENTUALLY(test, debug_says("client", "\"state\":\"active\""));
	packet = VmbPacketAllocate(client);
	EXPECT_STATUS(test, VmbPacketSend(packet, "x", 1, NULL, WAIT), STATUS_SUCCESS);
	VmbChannelDisable(client);
	VmbChannelCleanup(client);
	VmbChannelDisable(server);
	VmbChannelCleanup(server);
}

static void readers_do_not_outlive_a_channel(struct kunit *test)
{
	struct task_struct *reader;
	u64 reads = 0;
	u32 i;

	reader = kthread_run(debug_reader, &reads, "debug_reader");
	KUNIT_ASSERT_FALSE(test, IS_ERR(reader));
	for (i = 0; i < 40; i++)
		debug_come_and_go(test);
	kthread_stop(reader);
	KUNIT_EXPECT_GT(test, reads, 0);
	KUNIT_EXPECT_FALSE(test, debug_is_there("client"));
}

static int debug_suite_init(struct kunit_suite *suite)
{
	debug_mount = kern_mount(get_fs_type("debugfs"));
	return PTR_ERR_OR_ZERO(debug_mount);
}

static void debug_suite_exit(struct kunit_suite *suite)
{
	flush_delayed_fput();
	kern_unmount(debug_mount);
}

static struct kunit_case debug_cases[] = {
	KUNIT_CASE(a_folder_stays_from_the_first_enable_until_cleanup),
	KUNIT_CASE(names_are_harmless_and_unique),
	KUNIT_CASE(one_without_a_name_has_a_folder_too),
	KUNIT_CASE(packets_and_bytes_are_counted_each_way),
	KUNIT_CASE(the_oldest_open_transaction_has_its_age),
	KUNIT_CASE(what_waits_in_the_queue_is_told),
	KUNIT_CASE(a_limit_on_packets_under_way_is_told),
	KUNIT_CASE(a_client_at_its_quota_is_told),
	KUNIT_CASE(what_is_refused_has_its_reason),
	KUNIT_CASE(what_the_worker_does_is_told),
	KUNIT_CASE(the_last_changes_of_the_state_are_kept),
	KUNIT_CASE(a_withdrawal_is_the_other_ends),
	KUNIT_CASE(a_sub_channel_names_its_primary),
	KUNIT_CASE(the_text_has_a_value_a_line),
	KUNIT_CASE(readers_do_not_outlive_a_channel),
	{}
};

static struct kunit_suite debug_suite = {
	.name = "kmcl_debugfs",
	.suite_init = debug_suite_init,
	.suite_exit = debug_suite_exit,
	.test_cases = debug_cases,
};

kunit_test_suite(debug_suite);
