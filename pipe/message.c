// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of user space's: each is a packet's payload.
 *
 * One that comes is held as the packet it came in, not completed, as many as the quota
 * allows: so a server that sends more is slowed down by the ring. read(2) copies it into
 * memory of its own and completes the packet before it touches the user's buffer, which
 * may be made to fault for ever: a channel that closes waits for packets. What is held
 * when the server goes away is copied likewise, and can still be read.
 *
 * A message that goes out asks for no completion: it is on its way until it is in the
 * ring, and only so many may be.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "file.h"

/* Messages on their way out that are not in the ring. */
#define KMCL_PIPE_SENDING	16

/* A message in memory of its own. */
struct kmcl_pipe_kept {
	struct list_head node;
	u32 len;
	u8 data[];
};

/* From the channel */

VOID kmcl_pipe_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer, UINT32 len,
		       UINT32 flags)
{
	struct kmcl_pipe_file *file = VmbChannelGetPointer(channel);
	struct kmcl_pipe_held *held = VmbChannelPacketGetClientContext(packet);
	struct kmcl_pipe_device *dev = file->dev;

	held->packet = packet;
	held->data = buffer;
	held->len = len;
	spin_lock_bh(&dev->lock);
	list_add_tail(&held->node, &file->held);
	spin_unlock_bh(&dev->lock);
	wake_up_all(&dev->wait);
}

static struct kmcl_pipe_held *kmcl_pipe_first_held(struct kmcl_pipe_file *file)
{
	struct kmcl_pipe_held *held;

	lockdep_assert_held(&file->keep_lock);
	spin_lock_bh(&file->dev->lock);
	held = list_first_entry_or_null(&file->held, struct kmcl_pipe_held, node);
	spin_unlock_bh(&file->dev->lock);
	return held;
}

/* The first message that is held leaves its packet, into @kept, or is dropped. */
static void kmcl_pipe_move(struct kmcl_pipe_file *file, struct kmcl_pipe_held *held,
			   struct kmcl_pipe_kept *kept)
{
	VMBPACKETCOMPLETION packet = held->packet;

	if (kept) {
		kept->len = held->len;
		memcpy(kept->data, held->data, held->len);
	}
	spin_lock_bh(&file->dev->lock);
	list_del(&held->node);
	if (kept)
		list_add_tail(&kept->node, &file->kept);
	spin_unlock_bh(&file->dev->lock);
	VmbChannelPacketComplete(packet, NULL, 0);
}

/* False: there is no memory for it. */
static bool kmcl_pipe_keep(struct kmcl_pipe_file *file, struct kmcl_pipe_held *held)
{
	struct kmcl_pipe_kept *kept = kvmalloc(struct_size(kept, data, held->len), GFP_KERNEL);

	if (kept)
		kmcl_pipe_move(file, held, kept);
	return kept;
}

/* The channel closes, by either end, when no packet is held any more. */
VOID kmcl_pipe_suspend(VMBCHANNEL channel)
{
	struct kmcl_pipe_file *file = VmbChannelGetPointer(channel);
	struct kmcl_pipe_device *dev = file->dev;
	struct kmcl_pipe_held *held;
	bool keep = true;
	u32 lost = 0;

	mutex_lock(&file->keep_lock);
	while ((held = kmcl_pipe_first_held(file))) {
		/* No message without those before it. */
		keep = keep && !READ_ONCE(file->closing) && kmcl_pipe_keep(file, held);
		if (!keep) {
			kmcl_pipe_move(file, held, NULL);
			lost++;
		}
	}
	spin_lock_bh(&dev->lock);
	file->state = KMCL_PIPE_CLOSED;
	if (lost && !file->closing)
		dev_warn(&dev->dev, "the server has gone; no memory for its last %u messages\n",
			 lost);
	spin_unlock_bh(&dev->lock);
	mutex_unlock(&file->keep_lock);
	wake_up_all(&dev->wait);
}

/* The channel is cleaned up. */
void kmcl_pipe_drop_kept(struct kmcl_pipe_file *file)
{
	struct kmcl_pipe_kept *kept, *next;

	list_for_each_entry_safe(kept, next, &file->kept, node)
		kvfree(kept);
}

/* Reading */

static bool kmcl_pipe_readable(struct kmcl_pipe_file *file)
{
	bool readable;

	spin_lock_bh(&file->dev->lock);
	readable = !list_empty(&file->kept) || !list_empty(&file->held) ||
		   file->state == KMCL_PIPE_CLOSED;
	spin_unlock_bh(&file->dev->lock);
	return readable;
}

/*
 * The first message, which stays the first until the reader takes it off. NULL: there
 * is none, and there will be none. Called with the read lock held.
 */
static struct kmcl_pipe_kept *kmcl_pipe_first(struct kmcl_pipe_file *file)
{
	struct kmcl_pipe_device *dev = file->dev;
	struct kmcl_pipe_held *held;
	struct kmcl_pipe_kept *kept;
	int none = 0;

	mutex_lock(&file->keep_lock);
	held = kmcl_pipe_first_held(file);
	spin_lock_bh(&dev->lock);
	kept = list_first_entry_or_null(&file->kept, struct kmcl_pipe_kept, node);
	if (!kept)
		none = file->state == KMCL_PIPE_CLOSED ? file->error : -EAGAIN;
	spin_unlock_bh(&dev->lock);

	if (!kept && held) {
		none = -ENOMEM;
		if (kmcl_pipe_keep(file, held))
			kept = list_first_entry(&file->kept, struct kmcl_pipe_kept, node);
	}
	mutex_unlock(&file->keep_lock);
	return kept ?: ERR_PTR(none);
}

static ssize_t kmcl_pipe_read_message(struct kmcl_pipe_file *file, struct iov_iter *to)
{
	struct kmcl_pipe_kept *kept = kmcl_pipe_first(file);
	u32 len;

	if (IS_ERR_OR_NULL(kept))
		return PTR_ERR(kept);

	len = kept->len;
	if (len > iov_iter_count(to))
		return -EMSGSIZE;
	if (copy_to_iter(kept->data, len, to) != len)
		return -EFAULT;

	spin_lock_bh(&file->dev->lock);
	list_del(&kept->node);
	spin_unlock_bh(&file->dev->lock);
	kvfree(kept);
	return len;
}

ssize_t kmcl_pipe_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct kmcl_pipe_file *file = iocb->ki_filp->private_data;
	ssize_t ret;

	for (;;) {
		if (mutex_lock_interruptible(&file->read_lock))
			return -ERESTARTSYS;
		ret = kmcl_pipe_read_message(file, to);
		mutex_unlock(&file->read_lock);
		if (ret != -EAGAIN || iocb->ki_filp->f_flags & O_NONBLOCK)
			return ret;

		ret = wait_event_interruptible(file->dev->wait, kmcl_pipe_readable(file));
		if (ret)
			return ret;
	}
}

/* Writing */

static void kmcl_pipe_unreserve(struct kmcl_pipe_file *file)
{
	spin_lock_bh(&file->dev->lock);
	file->sending--;
	spin_unlock_bh(&file->dev->lock);
	wake_up_all(&file->dev->wait);
}

static VOID kmcl_pipe_sent(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct kmcl_pipe_file *file = VmbPacketGetPointer(packet);

	VmbPacketFree(packet);
	kmcl_pipe_unreserve(file);
}

/* One more message may be sent. -EAGAIN: not yet. */
static int kmcl_pipe_reserve(struct kmcl_pipe_file *file)
{
	int ret = -EAGAIN;

	spin_lock_bh(&file->dev->lock);
	if (file->state == KMCL_PIPE_CLOSED)
		ret = file->error ?: -EPIPE;
	else if (file->state == KMCL_PIPE_OPEN && file->sending < KMCL_PIPE_SENDING)
		ret = 0;
	if (!ret)
		file->sending++;
	spin_unlock_bh(&file->dev->lock);
	return ret;
}

static int kmcl_pipe_wait_reserve(struct kmcl_pipe_file *file, bool may_wait)
{
	int ret = kmcl_pipe_reserve(file);

	if (ret != -EAGAIN || !may_wait)
		return ret;
	return wait_event_interruptible(file->dev->wait,
					(ret = kmcl_pipe_reserve(file)) != -EAGAIN) ?: ret;
}

static int kmcl_pipe_send(struct kmcl_pipe_file *file, void *data, u32 len)
{
	VMBPACKET packet = VmbPacketAllocate(file->channel);

	if (!packet)
		return -ENOMEM;

	VmbPacketSetPointer(packet, file);
	VmbPacketSetCompletionRoutine(packet, kmcl_pipe_sent);
	if (!VmbPacketSend(packet, data, len, NULL, 0))
		return 0;
	VmbPacketFree(packet);
	return -EIO;
}

static ssize_t kmcl_pipe_write_message(struct kmcl_pipe_file *file, struct iov_iter *from)
{
	size_t len = iov_iter_count(from);
	void *data = kvmalloc(len, GFP_KERNEL);
	ssize_t ret = -EFAULT;

	if (!data)
		return -ENOMEM;
	if (copy_from_iter_full(data, len, from))
		ret = kmcl_pipe_send(file, data, len) ?: len;
	kvfree(data);
	return ret;
}

ssize_t kmcl_pipe_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct kmcl_pipe_file *file = iocb->ki_filp->private_data;
	ssize_t ret;

	if (iov_iter_count(from) > file->dev->max.packet)
		return -EMSGSIZE;

	ret = kmcl_pipe_wait_reserve(file, !(iocb->ki_filp->f_flags & O_NONBLOCK));
	if (ret)
		return ret;

	ret = kmcl_pipe_write_message(file, from);
	/* Else the completion routine does it. */
	if (ret < 0)
		kmcl_pipe_unreserve(file);
	return ret;
}

__poll_t kmcl_pipe_poll(struct file *filp, poll_table *table)
{
	struct kmcl_pipe_file *file = filp->private_data;
	struct kmcl_pipe_device *dev = file->dev;
	__poll_t mask = 0;

	poll_wait(filp, &dev->wait, table);
	if (kmcl_pipe_readable(file))
		mask |= EPOLLIN | EPOLLRDNORM;

	spin_lock_bh(&dev->lock);
	if (file->state == KMCL_PIPE_CLOSED)
		mask |= EPOLLHUP;
	else if (file->state == KMCL_PIPE_OPEN && file->sending < KMCL_PIPE_SENDING)
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_bh(&dev->lock);
	return mask;
}
