// SPDX-License-Identifier: GPL-2.0
/*
 * The way in: from the ring to a completion routine or to delivery.
 *
 * The ring is read in softirq context, by one reader at a time, in batches; where that
 * has a limit (share.c), beyond it with bottom halves off in a work item.
 * A packet that cannot be taken now stays in the ring, which is then left alone,
 * its signals masked, until the reason is gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/sched/clock.h>
#include <linux/sizes.h>
#include <linux/wait.h>

#include "data.h"

/* After that many packets other softirqs get their turn. */
#define KMCL_RECEIVE_BUDGET	64

/*
 * Where softirq context has a limit: what is read beyond it is no more than that, and no
 * more keeps the thread on its processor.
 */
#define KMCL_RECEIVE_LIMITED	16

/*
 * That many packets wait for PASSIVE_LEVEL, or for the channel to go on, at most; the
 * rest is left unread.
 */
#define KMCL_RECEIVE_WAITING	64

/*
 * So many bytes of packets a client that has set no quota holds at most, and so many
 * bytes of completions wait for room in the outgoing ring: of those beyond the spares.
 * Two ends that answer each other may both be at the second limit, and then neither
 * gets on. Hence that is far more than they can have under way.
 */
#define KMCL_RECEIVE_HELD	SZ_4M
#define KMCL_RECEIVE_ANSWERS	SZ_32M

/* Only what goes to the client counts against its limits. */
static bool kmcl_receive_must_wait(const struct kmcl_recv *recv, bool data)
{
	size_t client_bytes = READ_ONCE(recv->client_bytes);

	if (!kmcl_recv_reads(recv))
		return true;
	if (!data || kmcl_recv_discards(recv))
		return false;
	return READ_ONCE(recv->waiting) >= KMCL_RECEIVE_WAITING ||
	       READ_ONCE(recv->bytes) >= client_bytes + KMCL_RECEIVE_ANSWERS ||
	       (kmcl_recv_is_open(recv) &&
		(READ_ONCE(recv->outstanding) >= READ_ONCE(recv->quota) ||
		 client_bytes >= READ_ONCE(recv->limit)));
}

/*
 * Must the packet, or the whole ring, be left unread now? If so it is noted, so
 * that the reader is scheduled when that changes.
 */
static bool kmcl_receive_stalls(struct kmcl_recv *recv, bool data)
{
	unsigned long flags;

	if (likely(!kmcl_receive_must_wait(recv, data)))
		return false;

	spin_lock_irqsave(&recv->lock, flags);
	recv->stalled = kmcl_receive_must_wait(recv, data);
	spin_unlock_irqrestore(&recv->lock, flags);
	return recv->stalled;
}

/* Before the ring is looked at: a reason to wake the reader that comes later counts. */
static void kmcl_receive_unstall(struct kmcl_recv *recv)
{
	unsigned long flags;

	if (likely(!READ_ONCE(recv->stalled)))
		return;

	spin_lock_irqsave(&recv->lock, flags);
	recv->stalled = false;
	spin_unlock_irqrestore(&recv->lock, flags);
}

static void kmcl_receive_stray(struct kmcl_channel *chan, u64 id)
{
	struct kmcl_counters *count = &chan->count;

	WRITE_ONCE(count->stray, count->stray + 1);
	if (count->stray == 1)
		kmcl_warn(chan, "completion for a transaction that is not open (id %#llx); counted from now on\n",
			  id);
}

static void kmcl_receive_completion(struct kmcl_channel *chan,
				    const struct kmcl_wire *wire)
{
	struct kmcl_counters *count = &chan->count;
	struct kmcl_packet *pkt;
	bool late = false;

	pkt = kmcl_transaction_complete(chan, wire->id, &late);
	/* One less is under way: the next that is held may go. */
	if (unlikely(READ_ONCE(chan->send.max_count) != U32_MAX))
		tasklet_schedule(&chan->send.drain);
	if (unlikely(late || (pkt && pkt->abandoned)))
		WRITE_ONCE(count->late, count->late + 1);
	else if (likely(pkt))
		WRITE_ONCE(count->completed, count->completed + 1);
	else
		kmcl_receive_stray(chan, wire->id);
	if (unlikely(!pkt))
		return;

	/* Valid during the call; the reader holds it in a private copy. */
	kmcl_packet_answered(pkt, (void *)wire->payload, wire->len);
}

static void kmcl_receive_malformed(struct kmcl_channel *chan, const char *what,
				   u32 value)
{
	if (atomic64_inc_return(&chan->count.malformed) == 1)
		kmcl_warn(chan, "malformed packet stepped over: %s (%u); counted from now on\n",
			  what, value);
}

/* Is it data? If it is malformed, that has been counted. */
static bool kmcl_receive_unpack(struct kmcl_channel *chan,
				struct kmcl_wire *wire)
{
	const struct kmcl_wire_pipe *pipe = wire->payload;
	/* The wire counts in units of 8 bytes. */
	u32 max = ALIGN(chan->set.max_packet, 8);

	if (wire->type == KMCL_WIRE_DATA_XFER && !kmcl_wire_xfer_valid(wire)) {
		kmcl_receive_malformed(chan, "transfer pages lead out of its headers",
				       wire->head_len);
		return false;
	}
	if (wire->type == KMCL_WIRE_DATA_GPA &&
	    !kmcl_external_in_valid(chan, wire)) {
		kmcl_receive_malformed(chan, "external data, broken or too much",
				       wire->head_len);
		return false;
	}

	if (kmcl_settings_is_pipe(&chan->set)) {
		if (wire->len < sizeof(*pipe) ||
		    pipe->type != KMCL_WIRE_PIPE_DATA ||
		    pipe->len > wire->len - sizeof(*pipe)) {
			kmcl_receive_malformed(chan, "pipe header", wire->len);
			return false;
		}
		wire->payload = pipe + 1;
		wire->len = pipe->len;
		max = chan->set.max_packet;
	}

	if (wire->len > max) {
		kmcl_receive_malformed(chan, "payload above the maximum packet size",
				       wire->len);
		return false;
	}
	return true;
}

/* Returns false if the packet has to stay in the ring for now. */
static bool kmcl_receive_one(struct kmcl_channel *chan,
			     struct kmcl_wire *wire, u32 *delivered)
{
	u16 type = wire->type;
	struct kmcl_incoming *inc;

	/* Frame numbers from elsewhere are never made into pages. */
	if (type == KMCL_WIRE_DATA_GPA && !chan->link->ops->same_memory)
		type = 0;

	switch (type) {
	case KMCL_WIRE_COMPLETION:
		kmcl_receive_completion(chan, wire);
		return true;

	case KMCL_WIRE_DATA:
	case KMCL_WIRE_DATA_XFER:
	case KMCL_WIRE_DATA_GPA:
		if (!kmcl_receive_unpack(chan, wire) || kmcl_recv_discards(&chan->recv))
			return true;
		inc = kmcl_incoming_get(chan, wire);
		if (!inc)
			return false;
		kmcl_deliver(chan, inc, delivered);
		return true;

	default:
		if (atomic64_inc_return(&chan->count.unknown) == 1)
			kmcl_warn(chan, "packet of type %u stepped over; counted from now on\n",
				  wire->type);
		return true;
	}
}

/* The stream cannot be parsed any further: only closing the channel helps. */
static void kmcl_receive_fail(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->recv.lock, flags);
	chan->recv.failed = true;
	spin_unlock_irqrestore(&chan->recv.lock, flags);

	atomic64_inc(&chan->count.malformed);
	kmcl_warn(chan, "the incoming ring is corrupt; nothing is received any more until the channel is disabled\n");
}

/* Reads @budget packets at most. Returns true if there is more to read now. */
static bool kmcl_receive_batch(struct kmcl_channel *chan, u32 budget)
{
	struct kmcl_recv *recv = &chan->recv;
	const struct kmcl_transport *ops;
	u32 packets = 0, delivered = 0;
	bool stalled = false, more;
	struct kmcl_link *link;
	struct kmcl_wire wire;
	int ret;

	if (kmcl_receive_stalls(recv, false))
		return false;
	kmcl_receive_unstall(recv);

	/* There is one as long as the ring is read. */
	link = chan->link;
	ops = link->ops;
	ops->recv_begin(link);
	for (ret = ops->recv_first(link, &wire); ret;
	     ret = ops->recv_next(link, &wire)) {
		if (ret == -EPROTO) {
			kmcl_receive_fail(chan);
			stalled = true;
			break;
		}
		if (packets == budget)
			break;
		/* Completions pass: a client at its limits may be waiting for one. */
		if (kmcl_receive_stalls(recv, ret > 0 &&
					wire.type != KMCL_WIRE_COMPLETION)) {
			stalled = true;
			break;
		}
		packets++;
		if (ret < 0) {
			kmcl_receive_malformed(chan, "offsets lead out of it",
					       wire.type);
			continue;
		}
		if (!kmcl_receive_one(chan, &wire, &delivered)) {
			stalled = true;
			break;
		}
	}
	ops->recv_commit(link);
	kmcl_deliver_batch_end(chan, delivered);

	/* The ring was read to its end: only then have signals a meaning. */
	more = ret && !stalled;
	if (!ret)
		more = ops->recv_end(link);
	return more;
}

/* As above, where softirq context has a limit; @thread: by the work item. */
static noinline bool kmcl_receive_limited(struct kmcl_channel *chan, bool thread)
{
	struct kmcl_share *share = &chan->recv.share;
	u64 begin;
	bool more;

	/* A ring that is not to be read sends neither after the other. */
	if (kmcl_receive_stalls(&chan->recv, false))
		return false;

	begin = local_clock();
	if (kmcl_share_spent(share, begin) != thread)
		return true;

	more = kmcl_receive_batch(chan, KMCL_RECEIVE_LIMITED);
	if (!thread && kmcl_share_use(share, local_clock() - begin))
		atomic64_inc(&chan->count.throttled);
	return more;
}

/* Is this the processor that the client has asked for, or has it asked for none? */
static bool kmcl_receive_is_here(int cpu)
{
	return cpu < 0 || cpu == raw_smp_processor_id();
}

/* On the client's processor, interrupts off. */
static void kmcl_receive_there(void *data)
{
	struct kmcl_recv *recv = data;

	tasklet_schedule(&recv->tasklet);
	/*
	 * Pairs with kmcl_receive_schedule(). What that wrote before it found this on
	 * its way the tasklet sees, which runs after this.
	 */
	atomic_xchg(&recv->sent_there, 0);
}

/* Has the tasklet read the ring, on the client's processor. Up to interrupts off. */
void kmcl_receive_schedule(struct kmcl_recv *recv)
{
	int cpu = READ_ONCE(recv->cpu);

	if (likely(kmcl_receive_is_here(cpu))) {
		tasklet_schedule(&recv->tasklet);
		return;
	}
	if (atomic_xchg(&recv->sent_there, 1))
		return;
	/* That processor may be offline. */
	if (smp_call_function_single_async(cpu, &recv->there)) {
		atomic_xchg(&recv->sent_there, 0);
		tasklet_schedule(&recv->tasklet);
	}
}

/*
 * Reads the ring, unless it is being read: it is read once more then, after whatever
 * else has to be done on that CPU. In softirq context or, by the work item, with bottom
 * halves off.
 */
static void kmcl_receive_poll(struct kmcl_channel *chan, bool thread)
{
	struct kmcl_recv *recv = &chan->recv;
	bool more;

	/* Full barrier; pairs with the one in kmcl_receive_sync(). */
	if (atomic_inc_return(&recv->readers) != 1)
		return;

	if (likely(!thread && READ_ONCE(recv->share.percent) == KMCL_SHARE_ALL))
		more = kmcl_receive_batch(chan, KMCL_RECEIVE_BUDGET);
	else
		more = kmcl_receive_limited(chan, thread);
	/* Pairs with the acquire in kmcl_receive_synced(): the batch has ended. */
	smp_store_release(&recv->batches, recv->batches + 1);
	if (atomic_xchg(&recv->readers, 0) != 1 || more)
		kmcl_receive_again(recv);
}

static void kmcl_receive_tasklet(struct tasklet_struct *t)
{
	struct kmcl_channel *chan =
		container_of(t, struct kmcl_channel, recv.tasklet);

	kmcl_receive_poll(chan, false);
}

/* It waits for nothing, so one queue is enough for all channels. */
static void kmcl_receive_work(struct work_struct *work)
{
	struct kmcl_channel *chan =
		container_of(work, struct kmcl_channel, recv.share.work);

	local_bh_disable();
	kmcl_receive_poll(chan, true);
	local_bh_enable();
}

/**
 * kmcl_data_ready() - the other end signalled
 * @link: an open link
 *
 * Either packets have arrived or there is room for more to send.
 *
 * Context: softirq, or bottom halves off.
 */
void kmcl_data_ready(struct kmcl_link *link)
{
	struct kmcl_channel *chan = link->chan;

	kmcl_send_drain(chan);
	if (likely(kmcl_receive_is_here(READ_ONCE(chan->recv.cpu))))
		kmcl_receive_poll(chan, false);
	else
		kmcl_receive_schedule(&chan->recv);
}
EXPORT_SYMBOL_GPL(kmcl_data_ready);

void kmcl_receive_init(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_init(&recv->lock);
	INIT_LIST_HEAD(&recv->spare);
	INIT_LIST_HEAD(&recv->passive);
	init_waitqueue_head(&recv->idle);
	recv->quota = U32_MAX;
	recv->limit = KMCL_RECEIVE_HELD;
	recv->cpu = -1;
	tasklet_setup(&recv->tasklet, kmcl_receive_tasklet);
	INIT_CSD(&recv->there, kmcl_receive_there, recv);
	INIT_WORK(&recv->work, kmcl_deliver_work);
	recv->share.percent = KMCL_SHARE_ALL;
	INIT_WORK(&recv->share.work, kmcl_receive_work);
}

/*
 * What an open channel needs. Packets may be what a client's memory reclaim waits for:
 * with a queue of its own, which has a rescuer, delivery at PASSIVE_LEVEL depends on
 * no other channel's client. The queue costs a kernel thread, so a channel that was
 * never opened has none.
 */
int kmcl_receive_prepare(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	if (!recv->wq)
		recv->wq = alloc_workqueue("kmcl_%.16s", WQ_UNBOUND | WQ_MEM_RECLAIM,
					   1, kmcl_channel_name(chan));
	if (!recv->wq)
		return -ENOMEM;
	return kmcl_incoming_prepare(chan);
}

/* The channel is not to be opened any more. */
void kmcl_receive_end(struct kmcl_channel *chan)
{
	if (chan->recv.wq)
		destroy_workqueue(chan->recv.wq);
}

/* Called with the lock held. What the reader has left in the ring may go on. */
static void kmcl_recv_set_gate(struct kmcl_recv *recv, enum kmcl_recv_gate gate)
{
	lockdep_assert_held(&recv->lock);
	WRITE_ONCE(recv->gate, gate);
	if (gate != KMCL_RECV_CLOSED)
		kmcl_receive_wake(recv);
}

/* Lets packets through to the client, those first that waited for it. */
void kmcl_receive_enable(struct kmcl_channel *chan)
{
	spin_lock_irq(&chan->recv.lock);
	/* Written before kmcl_receive_cut() takes this lock. */
	if (!READ_ONCE(chan->link->cut))
		kmcl_recv_set_gate(&chan->recv, KMCL_RECV_OPEN);
	spin_unlock_irq(&chan->recv.lock);

	queue_work(chan->recv.wq, &chan->recv.work);
	kmcl_receive_schedule(&chan->recv);
}

/* Has the batch ended that was being read when there had been so many? */
static bool kmcl_receive_synced(struct kmcl_recv *recv, u32 batches)
{
	/* Pairs with the release in kmcl_receive_poll(). */
	return smp_load_acquire(&recv->batches) != batches ||
	       !atomic_read_acquire(&recv->readers);
}

/*
 * Waits for a reader that has looked at @gate too early; those to come see what was
 * written before this. They look for every packet. On a busy channel the next batch
 * may always have begun: so it is the end of one that is waited for.
 */
static void kmcl_receive_sync(struct kmcl_recv *recv)
{
	u32 batches;

	/* Pairs with kmcl_receive_poll(). */
	smp_mb();
	batches = READ_ONCE(recv->batches);
	while (!kmcl_receive_synced(recv, batches))
		usleep_range_state(20, 100, TASK_IDLE);
}

/*
 * The channel is about to be closed. If it is being suspended already, data in the
 * ring is not put aside any more: behind it there may be what the client waits for.
 * Up to softirq context.
 */
void kmcl_receive_discard(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;
	unsigned long flags;

	spin_lock_irqsave(&recv->lock, flags);
	if (recv->gate == KMCL_RECV_HELD)
		kmcl_recv_set_gate(recv, KMCL_RECV_DISCARDS);
	spin_unlock_irqrestore(&recv->lock, flags);
}

/*
 * When this returns ProcessPacket is not being called, and will not be. What the
 * client has sent may still complete: that may be what it waits for. Data before that
 * in the ring is put aside or, where the channel closes, dropped.
 */
void kmcl_receive_disable(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_irq(&recv->lock);
	/* What the quota has left in the ring may be put aside. */
	if (recv->gate == KMCL_RECV_OPEN)
		kmcl_recv_set_gate(recv, KMCL_RECV_HELD);
	spin_unlock_irq(&recv->lock);
	/* A close that was asked for before that found nothing to discard. */
	if (kmcl_control_closes(chan))
		kmcl_receive_discard(chan);

	kmcl_receive_sync(recv);
	/* From here on the work item finds the gate shut. A client may take its time. */
	wait_event_idle(recv->idle, !READ_ONCE(recv->working));
	kmcl_incoming_sync(recv);
}

/* When this returns the ring is not being read. */
void kmcl_receive_stop(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_irq(&recv->lock);
	kmcl_recv_set_gate(recv, KMCL_RECV_CLOSED);
	spin_unlock_irq(&recv->lock);

	kmcl_receive_sync(recv);
}

/* The link is gone: when this returns its ring is not being read, and will not be. */
void kmcl_receive_cut(struct kmcl_channel *chan, struct kmcl_link *link)
{
	struct kmcl_recv *recv = &chan->recv;

	spin_lock_irq(&recv->lock);
	/* The channel may be past it, and have another. */
	if (READ_ONCE(chan->link) == link)
		kmcl_recv_set_gate(recv, KMCL_RECV_CLOSED);
	spin_unlock_irq(&recv->lock);

	kmcl_receive_sync(recv);
}

/* The link is closed, so no signal comes any more: lets go of all memory. */
void kmcl_receive_close(struct kmcl_channel *chan)
{
	struct kmcl_recv *recv = &chan->recv;

	/* The sender may have taken completions off its queue that it has yet to free. */
	wait_event_idle(recv->idle, !READ_ONCE(recv->held));
	kmcl_incoming_sync(recv);

	/*
	 * The tasklet and the work item may have met, and then one has scheduled the
	 * other. By themselves neither does: the ring is not to be read any more.
	 */
	cancel_work_sync(&recv->share.work);
	/* The last that may still schedule it; the processor is soon there. */
	while (atomic_read(&recv->sent_there))
		usleep_range_state(20, 100, TASK_IDLE);
	tasklet_kill(&recv->tasklet);
	cancel_work_sync(&recv->share.work);
	kmcl_share_reset(&recv->share);
	WRITE_ONCE(recv->cpu, -1);
	cancel_work_sync(&recv->work);
	kmcl_incoming_free_spares(chan);
	recv->failed = false;
	recv->stalled = false;
}
