// SPDX-License-Identifier: GPL-2.0
/*
 * What user space opens: open(2) makes a client channel for the device's offer, close(2)
 * has it disposed of. What goes over it: message.c.
 */
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "file.h"

/* Unread messages: so many bytes of the largest, but no fewer and no more than these. */
#define KMCL_PIPE_HELD_BYTES	SZ_256K
#define KMCL_PIPE_HELD_MIN	2u
#define KMCL_PIPE_HELD_MAX	64u

/* Callbacks of the channel */

/* Called with the device's lock held. */
static void kmcl_pipe_fail(struct kmcl_pipe_file *file, int error)
{
	if (file->state != KMCL_PIPE_CONNECTING)
		return;
	file->state = KMCL_PIPE_CLOSED;
	file->error = error;
}

static NTSTATUS kmcl_pipe_opened(VMBCHANNEL channel)
{
	struct kmcl_pipe_file *file = VmbChannelGetPointer(channel);
	bool wanted;

	spin_lock_bh(&file->dev->lock);
	wanted = file->state == KMCL_PIPE_CONNECTING;
	spin_unlock_bh(&file->dev->lock);
	return wanted ? STATUS_SUCCESS : STATUS_DEVICE_REMOVED;
}

static VOID kmcl_pipe_started(VMBCHANNEL channel)
{
	struct kmcl_pipe_file *file = VmbChannelGetPointer(channel);
	struct kmcl_pipe_device *dev = file->dev;

	spin_lock_bh(&dev->lock);
	if (file->state == KMCL_PIPE_CONNECTING)
		file->state = KMCL_PIPE_OPEN;
	spin_unlock_bh(&dev->lock);
	wake_up_all(&dev->wait);
}

static VOID kmcl_pipe_refused(VMBCHANNEL channel, NTSTATUS status)
{
	struct kmcl_pipe_file *file = VmbChannelGetPointer(channel);
	struct kmcl_pipe_device *dev = file->dev;
	int error = -ECONNREFUSED;

	/* Another driver has the offer, and may let go of it: the channel still waits. */
	if (status == STATUS_SHARING_VIOLATION)
		return;
	if (status == STATUS_INSUFFICIENT_RESOURCES)
		error = -ENOMEM;
	else if (status == STATUS_DEVICE_REMOVED)
		error = -ENODEV;

	spin_lock_bh(&dev->lock);
	kmcl_pipe_fail(file, error);
	spin_unlock_bh(&dev->lock);
	wake_up_all(&dev->wait);
}

/* Opening and closing */

/* The device has no offer any more. Called with its lock held. */
void kmcl_pipe_file_offer_gone(struct kmcl_pipe_file *file)
{
	if (file->state != KMCL_PIPE_CONNECTING)
		return;
	kmcl_pipe_fail(file, -ENODEV);
	/* Else it would take the next offer of that name. */
	queue_work(kmcl_pipe_wq, &file->hang_up);
}

static void kmcl_pipe_hang_up(struct work_struct *work)
{
	struct kmcl_pipe_file *file = container_of(work, struct kmcl_pipe_file, hang_up);

	VmbChannelDisable(file->channel);
}

/* The channel is cleaned up. */
static void kmcl_pipe_file_free(struct kmcl_pipe_file *file)
{
	kmcl_pipe_drop_kept(file);
	mutex_destroy(&file->keep_lock);
	mutex_destroy(&file->read_lock);
	kfree(file);
}

/* Not in close(2), for a server that is being asked may take its time to answer. */
static void kmcl_pipe_end(struct work_struct *work)
{
	struct kmcl_pipe_file *file = container_of(work, struct kmcl_pipe_file, end);
	struct kmcl_pipe_device *dev = file->dev;

	flush_work(&file->hang_up);
	VmbChannelDisable(file->channel);
	VmbChannelCleanup(file->channel);

	spin_lock_bh(&dev->lock);
	dev->file = NULL;
	spin_unlock_bh(&dev->lock);
	wake_up_all(&dev->wait);

	kmcl_pipe_file_free(file);
	put_device(&dev->dev);
}

/* Log lines name the channel. */
static NTSTATUS kmcl_pipe_name(VMBCHANNEL channel, const GUID *instance)
{
	UNICODE_STRING name;
	WCHAR wide[64];
	char text[64];
	int i, len;

	len = scnprintf(text, sizeof(text), "device of %pUl", instance);
	for (i = 0; i < len; i++)
		wide[i] = text[i];
	name.Buffer = wide;
	name.Length = len * sizeof(WCHAR);
	name.MaximumLength = name.Length;
	return VmbChannelInitSetFriendlyName(channel, &name);
}

static NTSTATUS kmcl_pipe_configure(struct kmcl_pipe_file *file)
{
	struct kmcl_pipe_device *dev = file->dev;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	VMBCHANNEL channel = file->channel;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = kmcl_pipe_opened;
	callbacks.EvtChannelStarted = kmcl_pipe_started;
	callbacks.EvtChannelSuspend = kmcl_pipe_suspend;

	VmbChannelSetPointer(channel, file);
	VmbChannelSetTransactionQuota(channel, clamp(KMCL_PIPE_HELD_BYTES / dev->max.packet,
						     KMCL_PIPE_HELD_MIN, KMCL_PIPE_HELD_MAX));
	/*
	 * External data is not seen, but packets that come with it have to be taken. All
	 * are settings of a new channel with parameters that are right: none fails.
	 */
	status = VmbChannelInitSetFlags(channel, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	status |= VmbChannelInitSetMaximumPacketSize(channel, dev->max.packet);
	status |= VmbChannelInitSetMaximumExternalData(channel, dev->max.external,
						       dev->max.chain);
	status |= VmbChannelInitSetClientContextSize(channel, sizeof(struct kmcl_pipe_held));
	status |= VmbChannelInitSetProcessPacketCallbacks(channel, kmcl_pipe_process, NULL);
	status |= VmbChannelInitSetStateChangeCallbacks(channel, &callbacks);
	status |= VmbClientChannelInitSetTargetPnp(channel, &dev->type, &dev->instance,
						   kmcl_pipe_refused);
	return status | kmcl_pipe_name(channel, &dev->instance);
}

static struct kmcl_pipe_file *kmcl_pipe_file_create(struct kmcl_pipe_device *dev)
{
	struct kmcl_pipe_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return NULL;

	file->dev = dev;
	mutex_init(&file->read_lock);
	mutex_init(&file->keep_lock);
	INIT_WORK(&file->hang_up, kmcl_pipe_hang_up);
	INIT_WORK(&file->end, kmcl_pipe_end);
	INIT_LIST_HEAD(&file->held);
	INIT_LIST_HEAD(&file->kept);
	if (VmbChannelAllocate(NULL, FALSE, &file->channel)) {
		kmcl_pipe_file_free(file);
		return NULL;
	}
	return file;
}

/* -EAGAIN: the last file's channel is still closing. */
static int kmcl_pipe_claim(struct kmcl_pipe_device *dev, struct kmcl_pipe_file *file)
{
	int ret = 0;

	spin_lock_bh(&dev->lock);
	if (dev->gone)
		ret = -ENODEV;
	else if (dev->file)
		ret = dev->file->closing ? -EAGAIN : -EBUSY;
	else
		dev->file = file;
	spin_unlock_bh(&dev->lock);
	return ret;
}

static int kmcl_pipe_wait_claim(struct kmcl_pipe_device *dev, struct kmcl_pipe_file *file,
				bool may_wait)
{
	int ret = kmcl_pipe_claim(dev, file);

	if (ret != -EAGAIN || !may_wait)
		return ret;
	return wait_event_interruptible(dev->wait,
					(ret = kmcl_pipe_claim(dev, file)) != -EAGAIN) ?: ret;
}

static bool kmcl_pipe_connecting(struct kmcl_pipe_file *file)
{
	bool connecting;

	spin_lock_bh(&file->dev->lock);
	connecting = file->state == KMCL_PIPE_CONNECTING;
	spin_unlock_bh(&file->dev->lock);
	return connecting;
}

/* From here on the file is its work's. */
static void kmcl_pipe_close(struct kmcl_pipe_file *file)
{
	spin_lock_bh(&file->dev->lock);
	WRITE_ONCE(file->closing, true);	/* the worker looks without the lock */
	/* So kmcl_pipe_file_offer_gone() queues nothing any more. */
	file->state = KMCL_PIPE_CLOSED;
	spin_unlock_bh(&file->dev->lock);
	queue_work(kmcl_pipe_wq, &file->end);
}

static int kmcl_pipe_connect(struct kmcl_pipe_file *file, bool may_wait)
{
	int ret;

	if (kmcl_pipe_configure(file) || VmbChannelEnable(file->channel))
		return -EIO;
	if (!may_wait)
		return 0;
	ret = wait_event_interruptible(file->dev->wait, !kmcl_pipe_connecting(file));
	/* Closed without an error: it was open, and there may be something to read. */
	return ret ?: file->error;
}

static int kmcl_pipe_open(struct inode *inode, struct file *filp)
{
	struct kmcl_pipe_device *dev =
		container_of(inode->i_cdev, struct kmcl_pipe_device, cdev);
	bool may_wait = !(filp->f_flags & O_NONBLOCK);
	struct kmcl_pipe_file *file;
	int ret;

	file = kmcl_pipe_file_create(dev);
	if (!file)
		return -ENOMEM;

	ret = kmcl_pipe_wait_claim(dev, file, may_wait);
	if (ret) {
		VmbChannelCleanup(file->channel);
		kmcl_pipe_file_free(file);
		return ret;
	}

	get_device(&dev->dev);
	ret = kmcl_pipe_connect(file, may_wait);
	if (ret) {
		kmcl_pipe_close(file);
		return ret;
	}
	filp->private_data = file;
	return stream_open(inode, filp);
}

static int kmcl_pipe_closed(struct inode *inode, struct file *filp)
{
	kmcl_pipe_close(filp->private_data);
	return 0;
}

const struct file_operations kmcl_pipe_fops = {
	.owner = THIS_MODULE,
	.open = kmcl_pipe_open,
	.release = kmcl_pipe_closed,
	.read_iter = kmcl_pipe_read_iter,
	.write_iter = kmcl_pipe_write_iter,
	.poll = kmcl_pipe_poll,
};
