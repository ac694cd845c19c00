// SPDX-License-Identifier: GPL-2.0
/*
 * What every file may use: channels by handle and by reference, questions about
 * where the worker has got, a way to wake it, and the queues that all work runs on.
 * Nothing here calls another file of the core.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/sched.h>
#include <linux/slab.h>

#include "kmcl.h"

/*
 * Control work waits for clients, which may take long, and that of a client for
 * that of its server, which must not queue up behind many such. Both, of a primary, wait
 * for that of its sub-channels, which has queues of its own for the same reason. The last
 * queue is for what waits for nothing: work that senders leave to later, and the watchdog.
 * What is sent may be what memory reclaim waits for, and that a channel opens for it: all
 * have rescuers. Delivery at PASSIVE_LEVEL, where clients may wait, has a queue for each
 * channel: kmcl_recv.wq.
 */
struct workqueue_struct *kmcl_control_wq;
struct workqueue_struct *kmcl_server_wq;
struct workqueue_struct *kmcl_sub_wq;
struct workqueue_struct *kmcl_server_sub_wq;
struct workqueue_struct *kmcl_deliver_wq;

static struct workqueue_struct *kmcl_workqueue_create(const char *name)
{
	return alloc_workqueue("vmbkmcl_%s", WQ_UNBOUND | WQ_MEM_RECLAIM, WQ_MAX_ACTIVE, name);
}

int kmcl_workqueues_create(void)
{
	kmcl_control_wq = kmcl_workqueue_create("control");
	if (!kmcl_control_wq)
		return -ENOMEM;

	kmcl_server_wq = kmcl_workqueue_create("server");
	if (!kmcl_server_wq)
		goto destroy_control;

	kmcl_sub_wq = kmcl_workqueue_create("sub");
	if (!kmcl_sub_wq)
		goto destroy_server;

	kmcl_server_sub_wq = kmcl_workqueue_create("server_sub");
	if (!kmcl_server_sub_wq)
		goto destroy_sub;

	kmcl_deliver_wq = kmcl_workqueue_create("deliver");
	if (!kmcl_deliver_wq)
		goto destroy_server_sub;
	return 0;

destroy_server_sub:
	destroy_workqueue(kmcl_server_sub_wq);
destroy_sub:
	destroy_workqueue(kmcl_sub_wq);
destroy_server:
	destroy_workqueue(kmcl_server_wq);
destroy_control:
	destroy_workqueue(kmcl_control_wq);
	return -ENOMEM;
}

void kmcl_workqueues_destroy(void)
{
	destroy_workqueue(kmcl_deliver_wq);
	destroy_workqueue(kmcl_server_sub_wq);
	destroy_workqueue(kmcl_sub_wq);
	destroy_workqueue(kmcl_server_wq);
	destroy_workqueue(kmcl_control_wq);
}

/* @caller: where the client called the library. */
void kmcl_bad_handle(unsigned long caller, const char *what)
{
	pr_err_ratelimited("%pS passed a handle that is no %s\n", (void *)caller,
			   what);
}

/* For log lines. */
const char *kmcl_channel_name(const struct kmcl_channel *chan)
{
	return chan->set.name[0] ? chan->set.name : "unnamed channel";
}

void kmcl_channel_get(struct kmcl_channel *chan)
{
	kref_get(&chan->ref);
}

static void kmcl_channel_drop_spares(struct kmcl_channel *chan)
{
	struct kmcl_packet *pkt, *next;

	for (pkt = chan->packets.spare; pkt; pkt = next) {
		next = pkt->next;
		kfree(pkt);
	}
}

static void kmcl_channel_release(struct kref *ref)
{
	struct kmcl_channel *chan = container_of(ref, struct kmcl_channel, ref);

	/* Up to softirq context: it may be a packet that was freed late. */
	kmcl_channel_drop_spares(chan);
	/* Its memory may be used for anything once this is waited for. */
	if (chan->in_callers_memory)
		complete(&chan->unused);
	else
		kfree(chan);
}

void kmcl_channel_put(struct kmcl_channel *chan)
{
	kref_put(&chan->ref, kmcl_channel_release);
}

/* Neither enabled nor about to be: the settings may change. */
bool kmcl_control_is_disabled(const struct kmcl_channel *chan)
{
	return READ_ONCE(chan->ctl.state) == KMCL_DISABLED &&
	       !READ_ONCE(chan->ctl.want_enabled) &&
	       !READ_ONCE(chan->ctl.cancelled);
}

/* Is the channel about to be closed? */
bool kmcl_control_closes(struct kmcl_channel *chan)
{
	struct kmcl_control *ctl = &chan->ctl;
	unsigned long flags;
	bool closes;

	spin_lock_irqsave(&ctl->lock, flags);
	closes = !ctl->want_enabled || ctl->link_gone;
	spin_unlock_irqrestore(&ctl->lock, flags);
	return closes;
}

/*
 * From here on EvtChannelClosed may ask for the next opening, which begins when
 * this one has ended.
 */
void kmcl_control_set_closing(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->ctl.lock, flags);
	chan->ctl.closing = true;
	spin_unlock_irqrestore(&chan->ctl.lock, flags);
}

static struct workqueue_struct *kmcl_control_queue(const struct kmcl_channel *chan)
{
	if (chan->sub.is_one)
		return chan->is_server ? kmcl_server_sub_wq : kmcl_sub_wq;
	return chan->is_server ? kmcl_server_wq : kmcl_control_wq;
}

/* Wakes the worker. Called with the control lock held. */
u64 kmcl_control_ask(struct kmcl_channel *chan)
{
	u64 ticket = ++chan->ctl.asked;

	lockdep_assert_held(&chan->ctl.lock);
	queue_work(kmcl_control_queue(chan), &chan->ctl.work);
	return ticket;
}

/* In a state callback? */
bool kmcl_control_is_worker(struct kmcl_channel *chan)
{
	return READ_ONCE(chan->ctl.task) == current;
}

/* In a callback that a request would wait for? */
bool kmcl_control_is_self(struct kmcl_channel *chan)
{
	return kmcl_control_is_worker(chan) ||
	       current_work() == &chan->recv.work;
}

NTSTATUS kmcl_status_from_errno(int error)
{
	switch (error) {
	case 0:
		return STATUS_SUCCESS;
	case -ENOMEM:
		return STATUS_INSUFFICIENT_RESOURCES;
	case -ENODEV:
		return STATUS_DEVICE_REMOVED;
	case -EOPNOTSUPP:
		return STATUS_NOT_SUPPORTED;
	default:
		return STATUS_UNSUCCESSFUL;
	}
}
