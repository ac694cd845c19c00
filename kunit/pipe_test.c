// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes that user space can open: through the nodes in /dev, opened, read, written and
 * polled as a program does it. Needs devtmpfs on /dev.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>

#include "../pipe/pipe.h"
#include "files.h"
#include "log.h"
#include "pair.h"

#define WAIT		VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define LOOPBACK	VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER
#define AS_PIPE		VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE
#define ENUMERATE	VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE

/* As poll(2) has them: plain numbers, which can be compared. */
#define READABLE	(POLLIN | POLLRDNORM)
#define WRITABLE	(POLLOUT | POLLWRNORM)

/* Makes @call with its @nth allocation failing; false: it had no @nth one. */
#define WITH_FAILURE(nth, call) ({					\
	current->fail_nth = (nth);					\
	call;								\
	bool __hit = !current->fail_nth;				\
									\
	current->fail_nth = 0;						\
	__hit;								\
})

/* The node of the pair's offer. */
static struct file *node_open(struct pair *pair, int flags)
{
	char path[100];

	snprintf(path, sizeof(path), "/dev/vmbkmcl/%pUl-%pUl", &pair->type, &pair->instance);
	return file_of_loader(path, O_RDWR | flags);
}

static long node_error(struct pair *pair, int flags)
{
	struct file *file = node_open(pair, flags);

	if (IS_ERR(file))
		return PTR_ERR(file);
	filp_close(file, NULL);
	return 0;
}

/* Returns when the file is released, as it is when close(2) returns to a program. */
static void node_close(struct file *file)
{
	filp_close(file, NULL);
	flush_delayed_fput();
}

/* As fcntl(2) does it. */
static void file_nonblock(struct file *file, bool on)
{
	spin_lock(&file->f_lock);
	file->f_flags = on ? file->f_flags | O_NONBLOCK : file->f_flags & ~O_NONBLOCK;
	spin_unlock(&file->f_lock);
}

static bool node_exists(struct pair *pair)
{
	/* Without opening it. */
	struct file *file = node_open(pair, O_PATH);

	if (IS_ERR(file))
		return false;
	node_close(file);
	return true;
}

static void pipe_flags(struct pair *pair, UINT32 flags)
{
	ASSERT_STATUS(pair->test, VmbServerChannelInitSetFlags(pair->server->channel, flags),
		      STATUS_SUCCESS);
}

/* An offer that user space can open. */
static struct pair *pipe_create(struct kunit *test)
{
	struct pair *pair = pair_create(test);

	pipe_flags(pair, LOOPBACK | AS_PIPE | ENUMERATE);
	pair_enable(pair->server);
	EVENTUALLY(test, node_exists(pair));
	return pair;
}

static struct file *pipe_open(struct pair *pair, int flags)
{
	struct file *file = node_open(pair, flags);

	KUNIT_ASSERT_FALSE_MSG(pair->test, IS_ERR(file), "error %ld", PTR_ERR(file));
	return file;
}

static u32 pipe_poll(struct file *file)
{
	return (__force u32)vfs_poll(file, NULL);
}

/* A message of that length, whose bytes tell which it is. */
static void pipe_send(struct client *from, u64 first, u32 len)
{
	VMBPACKET packet = VmbPacketAllocate(from->channel);
	u8 payload[PAIR_MAX_PACKET];

	KUNIT_ASSERT_NOT_NULL(from->test, packet);
	pair_fill(payload, first, len);
	EXPECT_STATUS(from->test, VmbPacketSend(packet, payload, len, NULL, 0), STATUS_SUCCESS);
}

static ssize_t pipe_write(struct file *file, u64 first, u32 len)
{
	u8 payload[PAIR_MAX_PACKET + 1];

	pair_fill(payload, first, len);
	return kernel_write(file, payload, len, NULL);
}

/* Reads one message, which is to be that one. */
static void pipe_expect(struct kunit *test, struct file *file, u64 first, u32 len)
{
	u8 payload[PAIR_MAX_PACKET];

	KUNIT_EXPECT_EQ(test, kernel_read(file, payload, sizeof(payload), NULL), len);
	KUNIT_EXPECT_TRUE(test, pair_filled(payload, first, len));
}

/* Another thread's call, which may wait. */
struct waiter {
	struct pair *pair;
	struct file *file;
	int flags;
	ssize_t (*call)(struct waiter *waiter);
	ssize_t ret;
	struct task_struct *task;
	struct completion done;
};

static int waiter_thread(void *data)
{
	struct waiter *waiter = data;

	allow_signal(SIGINT);
	waiter->ret = waiter->call(waiter);
	complete(&waiter->done);
	return 0;
}

static ssize_t wait_open(struct waiter *waiter)
{
	waiter->file = node_open(waiter->pair, waiter->flags);
	return PTR_ERR_OR_ZERO(waiter->file);
}

static ssize_t wait_read(struct waiter *waiter)
{
	u8 byte;

	return kernel_read(waiter->file, &byte, 1, NULL);
}

static ssize_t wait_write(struct waiter *waiter)
{
	return kernel_write(waiter->file, "x", 1, NULL);
}

static void waiter_run(struct waiter *waiter, struct pair *pair, struct file *file,
		       ssize_t (*call)(struct waiter *waiter))
{
	*waiter = (struct waiter) { .pair = pair, .file = file, .call = call };
	init_completion(&waiter->done);
	waiter->task = kthread_create(waiter_thread, waiter, "kmcl_waiter");
	KUNIT_ASSERT_FALSE(pair->test, IS_ERR(waiter->task));
	get_task_struct(waiter->task);
	wake_up_process(waiter->task);
}

/* Returns when it waits. */
static void waiter_start(struct waiter *waiter, struct pair *pair, struct file *file,
			 ssize_t (*call)(struct waiter *waiter))
{
	waiter_run(waiter, pair, file, call);
	EVENTUALLY(pair->test, READ_ONCE(waiter->task->__state) & TASK_INTERRUPTIBLE);
}

static ssize_t waiter_end(struct waiter *waiter)
{
	wait_for_completion(&waiter->done);
	put_task_struct(waiter->task);
	return waiter->ret;
}

static void there_is_no_node_without_both_flags(struct kunit *test)
{
	static const UINT32 flags[] = { LOOPBACK, LOOPBACK | AS_PIPE, LOOPBACK | ENUMERATE };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct pair *pair = pair_create(test);

		pipe_flags(pair, flags[i]);
		if (i == 1)
			VmbChannelInitSetFlags(pair->client->channel,
					       VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
		/* When the client is up the offer has been made. */
		pair_up(pair);
		KUNIT_EXPECT_FALSE(test, node_exists(pair));
	}
}

static void the_node_is_roots_while_it_is_offered(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct file *file;

	pipe_flags(pair, LOOPBACK | AS_PIPE | ENUMERATE);
	KUNIT_EXPECT_FALSE(test, node_exists(pair));
	pair_enable(pair->server);
	EVENTUALLY(test, node_exists(pair));
	file = pipe_open(pair, O_PATH);
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_mode, S_IFCHR | 0600);
	KUNIT_EXPECT_TRUE(test, uid_eq(file_inode(file)->i_uid, GLOBAL_ROOT_UID));
	KUNIT_EXPECT_TRUE(test, gid_eq(file_inode(file)->i_gid, GLOBAL_ROOT_GID));
	node_close(file);
	VmbChannelDisable(pair->server->channel);
	KUNIT_EXPECT_EQ(test, node_error(pair, 0), -ENOENT);
}

static void messages_keep_their_boundaries(struct kunit *test)
{
	static const u32 lengths[] = { 8, 1, 0, PAIR_MAX_PACKET, 100 };
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	u32 i;

	PAIR_EVENTS(pair->server, UP);
	pair->server->keep = true;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		KUNIT_EXPECT_EQ(test, pipe_write(file, i, lengths[i]), lengths[i]);
		pipe_send(pair->server, i, lengths[i]);
	}
	EVENTUALLY(test, client_packets(pair->server) == ARRAY_SIZE(lengths));
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct client_packet *packet = &pair->server->packets[i];

		KUNIT_EXPECT_EQ(test, packet->len, lengths[i]);
		KUNIT_EXPECT_TRUE(test, pair_filled(packet->buffer, i, lengths[i]));
		pipe_expect(test, file, i, lengths[i]);
	}
	node_close(file);
}

static void a_message_does_not_fit(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	u8 small[50];

	KUNIT_EXPECT_EQ(test, pipe_write(file, 0, PAIR_MAX_PACKET + 1), -EMSGSIZE);
	PAIR_EVENTS(pair->server, UP);
	KUNIT_EXPECT_EQ(test, client_packets(pair->server), 0);
	pipe_send(pair->server, 1, sizeof(small) + 1);
	pipe_send(pair->server, 2, sizeof(small));
	KUNIT_EXPECT_EQ(test, kernel_read(file, small, sizeof(small), NULL), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, kernel_read(file, small, 0, NULL), -EMSGSIZE);
	/* It is still there, and first. */
	pipe_expect(test, file, 1, sizeof(small) + 1);
	pipe_expect(test, file, 2, sizeof(small));
	node_close(file);
}

static void nonblocking_calls_are_eagain_and_poll_says_so(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, O_NONBLOCK);
	u8 byte;

	EVENTUALLY(test, pipe_poll(file) == WRITABLE);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), -EAGAIN);
	pipe_send(pair->server, 1, 1);
	EVENTUALLY(test, pipe_poll(file) == (READABLE | WRITABLE));
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), 1);
	KUNIT_EXPECT_EQ(test, pipe_poll(file), WRITABLE);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), -EAGAIN);
	KUNIT_EXPECT_EQ(test, pipe_write(file, 1, 1), 1);
	/* There is no position, and there are no ioctls. */
	KUNIT_EXPECT_EQ(test, vfs_llseek(file, 0, SEEK_SET), -ESPIPE);
	KUNIT_EXPECT_NULL(test, file->f_op->unlocked_ioctl);
	node_close(file);
}

static void a_packet_is_completed_when_it_is_read(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	struct client_done *done;
	u8 byte;

	PAIR_EVENTS(pair->server, UP);
	done = client_packet(pair->server);
	EXPECT_STATUS(test, client_send(done, "x", 1, WAIT), STATUS_SUCCESS);
	EVENTUALLY(test, pipe_poll(file) & POLLIN);
	KUNIT_EXPECT_EQ(test, client_calls(done), 0);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), 1);
	EVENTUALLY(test, client_calls(done) == 1);
	EXPECT_STATUS(test, done->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, done->len, 0);
	node_close(file);
}

static void there_is_one_opener_at_a_time(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file;
	u32 i;

	for (i = 0; i < 3; i++) {
		file = pipe_open(pair, 0);
		KUNIT_EXPECT_EQ(test, node_error(pair, 0), -EBUSY);
		KUNIT_EXPECT_EQ(test, node_error(pair, O_NONBLOCK), -EBUSY);
		/* The next opening waits until this one's channel has closed. */
		node_close(file);
	}
	PAIR_EVENTS(pair->server, UP DOWN UP DOWN UP DOWN);
}

static void close_closes_the_channel(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);

	PAIR_EVENTS(pair->server, UP);
	/* Not read: lost, and nothing waits for it. */
	pipe_send(pair->server, 1, 100);
	pipe_send(pair->server, 2, 100);
	EVENTUALLY(test, pipe_poll(file) & POLLIN);
	node_close(file);
	PAIR_EVENTS(pair->server, UP DOWN);
	file = pipe_open(pair, O_RDONLY);
	KUNIT_EXPECT_EQ(test, pipe_poll(file), WRITABLE);
	node_close(file);
}

static void what_came_can_be_read_when_the_server_has_gone(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	u8 byte;
	u32 i;

	PAIR_EVENTS(pair->server, UP);
	for (i = 0; i < 3; i++)
		pipe_send(pair->server, i, 200 + i);
	pipe_expect(test, file, 0, 200);
	VmbChannelDisable(pair->server->channel);
	EVENTUALLY(test, pipe_poll(file) == (READABLE | POLLHUP));
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), -EMSGSIZE);
	pipe_expect(test, file, 1, 201);
	pipe_expect(test, file, 2, 202);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), 0);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), 0);
	KUNIT_EXPECT_EQ(test, pipe_write(file, 0, 1), -EPIPE);
	KUNIT_EXPECT_EQ(test, pipe_poll(file), READABLE | POLLHUP);
	node_close(file);
}

/* The server waits for its memory, but not for the program. */
static void an_unread_packet_does_not_keep_its_memory(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	u8 *memory = kunit_kzalloc(test, 8192, GFP_KERNEL);
	PMDL mdl = IoAllocateMdl(memory, 8192, FALSE, FALSE, NULL);
	struct client_done *done[2];
	u8 byte;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	PAIR_EVENTS(pair->server, UP);
	for (i = 0; i < 2; i++) {
		done[i] = client_packet(pair->server);
		EXPECT_STATUS(test, VmbPacketSend(done[i]->packet, "x", 1, mdl, WAIT),
			      STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), 1);
	EVENTUALLY(test, client_calls(done[0]) == 1);
	KUNIT_EXPECT_EQ(test, client_calls(done[1]), 0);
	VmbChannelDisable(pair->server->channel);
	KUNIT_EXPECT_EQ(test, client_calls(done[1]), 1);
	EVENTUALLY(test, pipe_poll(file) & POLLHUP);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), 1);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), 0);
	node_close(file);
	IoFreeMdl(mdl);
}

static void a_server_that_goes_ends_all_waiting(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	struct waiter reader, writer;

	PAIR_EVENTS(pair->server, UP);
	waiter_start(&reader, pair, file, wait_read);
	pair->server->keep = true;
	VmbChannelSetTransactionQuota(pair->server->channel, 1);
	file_nonblock(file, true);
	while (pipe_write(file, 0, 1024) > 0)
		;
	file_nonblock(file, false);
	waiter_start(&writer, pair, file, wait_write);

	client_complete(pair->server, 0, NULL, 0);
	pair->server->keep = false;
	EVENTUALLY(test, client_packets(pair->server) >= 2);
	if (pair->server->packets[1].kept)
		client_complete(pair->server, 1, NULL, 0);
	VmbChannelDisable(pair->server->channel);
	KUNIT_EXPECT_EQ(test, waiter_end(&reader), 0);
	/* The last moment may have had room for it. */
	waiter_end(&writer);
	KUNIT_EXPECT_TRUE(test, writer.ret == 1 || writer.ret == -EPIPE);
	node_close(file);
}

static void writers_wait_for_a_server_that_does_not_read(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, O_NONBLOCK);
	struct client *server = pair->server;
	u32 i, written = 0;
	ssize_t ret;

	PAIR_EVENTS(server, UP);
	server->keep = true;
	VmbChannelSetTransactionQuota(server->channel, 1);
	EVENTUALLY(test, pipe_poll(file) == WRITABLE);
	while ((ret = pipe_write(file, written, 1024)) == 1024 && written < CLIENT_PACKETS)
		written++;
	KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
	KUNIT_EXPECT_EQ(test, pipe_poll(file), 0);
	/* The ring's share, and what waits for room in it. */
	KUNIT_EXPECT_LT(test, written, 50);
	KUNIT_EXPECT_GT(test, written, 16);
	for (i = 0; i < written; i++) {
		EVENTUALLY(test, client_packets(server) == i + 1);
		KUNIT_EXPECT_TRUE(test, pair_filled(server->packets[i].buffer, i, 1024));
		client_complete(server, i, NULL, 0);
	}
	EVENTUALLY(test, pipe_poll(file) == WRITABLE);
	node_close(file);
}

static void unread_messages_wait_in_the_ring(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	u32 i;

	PAIR_EVENTS(pair->server, UP);
	for (i = 0; i < 120; i++)
		pipe_send(pair->server, i, 1000);
	KUNIT_EXPECT_GT(test, client_count(pair->server, queued), 0);
	for (i = 0; i < 120; i++)
		pipe_expect(test, file, i, 1000);
	KUNIT_EXPECT_EQ(test, pipe_poll(file), WRITABLE);
	node_close(file);
}

static void several_offers_are_there_side_by_side(struct kunit *test)
{
	struct pair *pairs[3];
	struct file *files[3];
	u32 i;

	for (i = 0; i < 3; i++) {
		pairs[i] = pipe_create(test);
		files[i] = pipe_open(pairs[i], 0);
	}
	for (i = 0; i < 3; i++) {
		PAIR_EVENTS(pairs[i]->server, UP);
		pipe_send(pairs[i]->server, i, 10 + i);
		KUNIT_EXPECT_EQ(test, pipe_write(files[i], i, 20 + i), 20 + i);
	}
	for (i = 0; i < 3; i++) {
		pipe_expect(test, files[i], i, 10 + i);
		EVENTUALLY(test, client_packets(pairs[i]->server) == 1);
		KUNIT_EXPECT_EQ(test, pairs[i]->server->packets[0].len, 20 + i);
		node_close(files[i]);
	}
}

static void a_file_outlives_its_offer(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *old = pipe_open(pair, 0), *new;
	u8 byte;

	PAIR_EVENTS(pair->server, UP);
	VmbChannelDisable(pair->server->channel);
	pair_enable(pair->server);
	EVENTUALLY(test, node_exists(pair));
	new = pipe_open(pair, 0);
	pipe_send(pair->server, 1, 1);
	KUNIT_EXPECT_EQ(test, kernel_read(old, &byte, 1, NULL), 0);
	pipe_expect(test, new, 1, 1);
	node_close(old);
	pipe_send(pair->server, 2, 2);
	pipe_expect(test, new, 2, 2);
	node_close(new);
}

static void a_server_may_refuse(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file;
	u8 byte;

	pair->server->opened_status = STATUS_UNSUCCESSFUL;
	KUNIT_EXPECT_EQ(test, node_error(pair, 0), -ECONNREFUSED);
	/* Without waiting it is the first call that says so. */
	file = NULL;
	EVENTUALLY(test, !IS_ERR(file = node_open(pair, O_NONBLOCK)));
	EVENTUALLY(test, pipe_poll(file) == (READABLE | POLLHUP));
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), -ECONNREFUSED);
	KUNIT_EXPECT_EQ(test, pipe_write(file, 0, 1), -ECONNREFUSED);
	node_close(file);
	pair->server->opened_status = STATUS_SUCCESS;
	KUNIT_EXPECT_EQ(test, node_error(pair, 0), 0);
}

static DECLARE_COMPLETION(answer);

static void answer_late(struct client *server, enum client_event event)
{
	if (event == CLIENT_OPENED)
		wait_for_completion(&answer);
}

static void a_signal_ends_an_open_that_waits(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct waiter waiter, second;
	struct file *file;

	reinit_completion(&answer);
	pair->server->on_event = answer_late;
	waiter_start(&waiter, pair, NULL, wait_open);
	EVENTUALLY(test, client_has_link(pair->server));
	send_sig(SIGINT, waiter.task, 1);
	KUNIT_EXPECT_EQ(test, waiter_end(&waiter), -ERESTARTSYS);
	/* Its channel still waits for the server: so does the next opener. */
	KUNIT_EXPECT_EQ(test, node_error(pair, O_NONBLOCK), -EAGAIN);
	waiter_start(&waiter, pair, NULL, wait_open);
	send_sig(SIGINT, waiter.task, 1);
	KUNIT_EXPECT_EQ(test, waiter_end(&waiter), -ERESTARTSYS);
	waiter_start(&second, pair, NULL, wait_open);
	complete_all(&answer);
	KUNIT_EXPECT_EQ(test, waiter_end(&second), 0);
	node_close(second.file);

	/* Not to wait for the answer is to be told later. */
	reinit_completion(&answer);
	file = NULL;
	EVENTUALLY(test, !IS_ERR(file = node_open(pair, O_NONBLOCK)));
	KUNIT_EXPECT_EQ(test, pipe_poll(file), 0);
	KUNIT_EXPECT_EQ(test, pipe_write(file, 0, 1), -EAGAIN);
	complete_all(&answer);
	EVENTUALLY(test, pipe_poll(file) == WRITABLE);
	node_close(file);
}

static void a_signal_ends_reads_and_writes_that_wait(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct file *file = pipe_open(pair, 0);
	struct waiter waiter;

	PAIR_EVENTS(pair->server, UP);
	waiter_start(&waiter, pair, file, wait_read);
	send_sig(SIGINT, waiter.task, 1);
	KUNIT_EXPECT_EQ(test, waiter_end(&waiter), -ERESTARTSYS);

	pair->server->keep = true;
	VmbChannelSetTransactionQuota(pair->server->channel, 1);
	file_nonblock(file, true);
	while (pipe_write(file, 0, 1024) > 0)
		;
	file_nonblock(file, false);
	waiter_start(&waiter, pair, file, wait_write);
	send_sig(SIGINT, waiter.task, 1);
	KUNIT_EXPECT_EQ(test, waiter_end(&waiter), -ERESTARTSYS);
	client_complete(pair->server, 0, NULL, 0);
	pair->server->keep = false;
	node_close(file);
}

static void an_open_that_waits_ends_with_the_offer(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct waiter waiter;
	struct file *file;
	u8 byte;

	/* The offer's one connection is a driver's. */
	VmbChannelInitSetFlags(pair->client->channel, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	pair_enable(pair->client);
	PAIR_EVENTS(pair->client, UP);
	waiter_start(&waiter, pair, NULL, wait_open);
	VmbChannelDisable(pair->server->channel);
	KUNIT_EXPECT_EQ(test, waiter_end(&waiter), -ENODEV);
	PAIR_EVENTS(pair->client, UP DOWN);

	pair_enable(pair->client);
	pair_enable(pair->server);
	PAIR_EVENTS(pair->client, UP DOWN UP);
	PAIR_EVENTS(pair->server, UP DOWN UP);
	file = pipe_open(pair, O_NONBLOCK);
	KUNIT_EXPECT_EQ(test, pipe_poll(file), 0);
	VmbChannelDisable(pair->server->channel);
	KUNIT_EXPECT_EQ(test, pipe_poll(file), READABLE | POLLHUP);
	KUNIT_EXPECT_EQ(test, kernel_read(file, &byte, 1, NULL), -ENODEV);
	PAIR_EVENTS(pair->client, UP DOWN UP DOWN);
	/* The next offer of that name is none of that file's. */
	pair_enable(pair->server);
	msleep(30);
	PAIR_EVENTS(pair->server, UP DOWN UP DOWN);
	node_close(file);
}

static void a_device_without_memory_is_a_line_in_the_log(struct kunit *test)
{
	struct kmsg_dump_iter mark = log_mark();
	static const struct kmcl_pipe_limits max = { 100, 1, 1 };
	struct kmcl_pipe_device *dev;
	guid_t type, instance;
	u32 nth = 0, failures = 0;
	bool hit;

	guid_gen(&type);
	guid_gen(&instance);
	do {
		hit = WITH_FAILURE(++nth, dev = kmcl_pipe_add(&type, &instance, &max));
		if (dev)
			kmcl_pipe_remove(dev);
		else
			failures++;
	} while (hit);
	KUNIT_EXPECT_GT(test, failures, 3);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "user space cannot open the offer"), failures);
}

static void open_read_and_write_without_memory_are_enomem(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	u32 nth, failures = 0;
	struct file *file;
	u8 payload[100];
	ssize_t ret;
	bool hit;

	nth = 0;
	do {
		hit = WITH_FAILURE(++nth, file = node_open(pair, 0));
		if (IS_ERR(file)) {
			KUNIT_EXPECT_EQ(test, PTR_ERR(file), -ENOMEM);
			failures++;
		} else {
			node_close(file);
		}
	} while (hit);
	KUNIT_EXPECT_GE(test, failures, 2);

	file = pipe_open(pair, 0);
	nth = 0;
	failures = 0;
	do {
		pipe_send(pair->server, 7, 100);
		hit = WITH_FAILURE(++nth, ret = kernel_read(file, payload, 100, NULL));
		if (ret == -ENOMEM) {
			/* The message is still there. */
			failures++;
			ret = kernel_read(file, payload, 100, NULL);
		}
		KUNIT_EXPECT_EQ(test, ret, 100);
		KUNIT_EXPECT_TRUE(test, pair_filled(payload, 7, 100));
	} while (hit);
	KUNIT_EXPECT_EQ(test, failures, 1);

	node_close(file);

	/* A packet that was sent is given out again: so each time with a new channel. */
	failures = 0;
	for (nth = 1; nth <= 3; nth++) {
		file = pipe_open(pair, 0);
		WITH_FAILURE(nth, ret = kernel_write(file, payload, 100, NULL));
		failures += ret == -ENOMEM;
		KUNIT_EXPECT_EQ(test, kernel_write(file, payload, 100, NULL), 100);
		node_close(file);
	}
	KUNIT_EXPECT_EQ(test, failures, 2);
}

/* Opens, uses and closes, whatever the server does. */
static ssize_t race_user(struct waiter *waiter)
{
	ssize_t opened = 0;
	struct file *file;
	u8 byte;
	u32 i;

	for (i = 0; opened < 25; i++) {
		file = node_open(waiter->pair, i % 2 ? O_NONBLOCK : 0);
		if (IS_ERR(file)) {
			usleep_range(20, 200);
			continue;
		}
		opened++;
		pipe_write(file, i, 100);
		file_nonblock(file, true);
		kernel_read(file, &byte, 1, NULL);
		pipe_poll(file);
		file_nonblock(file, false);
		/* Ends with the server. */
		if (opened % 8 == 0)
			kernel_read(file, &byte, 1, NULL);
		node_close(file);
	}
	return opened;
}

static void race_offer_again(struct client *server)
{
	VmbChannelDisable(server->channel);
	server->n_events = 0;
	server->events[0] = 0;
	pair_enable(server);
}

static void open_close_and_the_offers_end_may_meet(struct kunit *test)
{
	struct pair *pair = pipe_create(test);
	struct waiter users[2];
	struct file *file = NULL;
	u32 i;

	for (i = 0; i < 2; i++)
		waiter_run(&users[i], pair, NULL, race_user);
	while (!completion_done(&users[0].done) || !completion_done(&users[1].done)) {
		usleep_range(200, 4000);
		race_offer_again(pair->server);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, waiter_end(&users[i]), 25);

	/* The users may have opened and closed the last offer, too. */
	race_offer_again(pair->server);
	EVENTUALLY(test, !IS_ERR(file = node_open(pair, 0)));
	PAIR_EVENTS(pair->server, UP);
	pipe_send(pair->server, 5, 50);
	pipe_expect(test, file, 5, 50);
	node_close(file);
}

static struct kunit_case pipe_cases[] = {
	KUNIT_CASE(there_is_no_node_without_both_flags),
	KUNIT_CASE(the_node_is_roots_while_it_is_offered),
	KUNIT_CASE(messages_keep_their_boundaries),
	KUNIT_CASE(a_message_does_not_fit),
	KUNIT_CASE(nonblocking_calls_are_eagain_and_poll_says_so),
	KUNIT_CASE(a_packet_is_completed_when_it_is_read),
	KUNIT_CASE(there_is_one_opener_at_a_time),
	KUNIT_CASE(close_closes_the_channel),
	KUNIT_CASE(what_came_can_be_read_when_the_server_has_gone),
	KUNIT_CASE(an_unread_packet_does_not_keep_its_memory),
	KUNIT_CASE(a_server_that_goes_ends_all_waiting),
	KUNIT_CASE(writers_wait_for_a_server_that_does_not_read),
	KUNIT_CASE(unread_messages_wait_in_the_ring),
	KUNIT_CASE(several_offers_are_there_side_by_side),
	KUNIT_CASE(a_file_outlives_its_offer),
	KUNIT_CASE(a_server_may_refuse),
	KUNIT_CASE(a_signal_ends_an_open_that_waits),
	KUNIT_CASE(a_signal_ends_reads_and_writes_that_wait),
	KUNIT_CASE(an_open_that_waits_ends_with_the_offer),
	KUNIT_CASE(a_device_without_memory_is_a_line_in_the_log),
	KUNIT_CASE(open_read_and_write_without_memory_are_enomem),
	KUNIT_CASE(open_close_and_the_offers_end_may_meet),
	{}
};

static struct kunit_suite pipe_suite = {
	.name = "kmcl_pipe",
	.test_cases = pipe_cases,
};

kunit_test_suite(pipe_suite);
