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

/* Does the client hold as much as it may? */
static bool kmcl_receive_at_quota(const struct kmcl_recv *recv)
{
	return READ_ONCE(recv->outstanding) >= READ_ONCE(recv->quota) ||
	       READ_ONCE(recv->client_bytes) >= READ_ONCE(recv->limit);
}

/* The limit that data meets now. Inline: the reader asks it for most packets. */
static __always_inline enum kmcl_stall kmcl_receive_find_limit(const struct kmcl_recv *recv)
{
	if (kmcl_recv_is_open(recv) && kmcl_receive_at_quota(recv))
		return KMCL_STALL_QUOTA;
	if (READ_ONCE(recv->waiting) >= KMCL_RECEIVE_WAITING)
		return KMCL_STALL_PASSIVE;
	if (READ_ONCE(recv->bytes) >= READ_ONCE(recv->client_bytes) + KMCL_RECEIVE_ANSWERS)
		return KMCL_STALL_ANSWERS;
	return KMCL_STALL_NONE;
}

enum kmcl_stall kmcl_receive_limit(const struct kmcl_recv *recv)
{
	return kmcl_receive_find_limit(recv);
}

/* Only what goes to the client counts against its limits. */
static bool kmcl_receive_must_wait(const struct kmcl_recv *recv, bool data)
{
	if (!kmcl_recv_reads(recv))
		return true;
	return data && !kmcl_recv_discards(recv) && kmcl_receive_find_limit(recv);
}

/* As the next one. */
static noinline bool kmcl_receive_stall(struct kmcl_channel *chan, bool data)
{
	struct kmcl_recv *recv = &chan->recv;
	enum kmcl_stall limit = KMCL_STALL_NONE;
	unsigned long flags;

	spin_lock_irqsave(&recv->lock, flags);
	recv->stalled = kmcl_receive_must_wait(recv, data);
	if (recv->stalled && data)
		limit = kmcl_receive_limit(recv);
	recv->stalls[limit]++;
	if (limit == KMCL_STALL_QUOTA)
		trace_kmcl_quota_hit(chan);
	spin_unlock_irqrestore(&recv->lock, flags);
	return recv->stalled;
}

/*
 * Must the packet, or the whole ring, be left unread now? If so it is noted, so
 * that the reader is scheduled when that changes.
 */
static bool kmcl_receive_stalls(struct kmcl_channel *chan, bool data)
{
	return unlikely(kmcl_receive_must_wait(&chan->recv, data)) &&
	       kmcl_receive_stall(chan, data);
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

/* It ends a transaction that was cancelled, or none at all. */
static noinline void kmcl_receive_late(struct kmcl_channel *chan, u64 id)
{
	trace_kmcl_refused(chan, "completion for a cancelled transaction", id);
	WRITE_ONCE(chan->count.late, chan->count.late + 1);
}

static noinline void kmcl_receive_stray(struct kmcl_channel *chan, u64 id)
{
	struct kmcl_counters *count = &chan->count;

	trace_kmcl_refused(chan, "completion for no open transaction", id);
	WRITE_ONCE(count->stray, count->stray + 1);
	if (count->stray == 1)
		kmcl_warn(chan, "completion for a transaction that is not open (id %#llx); counted from now on\n",
			  id);
}

/* The transaction is over. */
static noinline void kmcl_receive_timed(struct kmcl_latency *latency, u64 sent_at)
{
	u64 us = div_u64(ktime_get_ns() - sent_at, NSEC_PER_USEC);
	u32 i = min(fls64(us), KMCL_LATENCIES - 1);

	/* One that was opened before times were taken has none. */
	if (READ_ONCE(latency->on) && sent_at)
		WRITE_ONCE(latency->count[i], latency->count[i] + 1);
}

static noinline void kmcl_receive_completion(struct kmcl_channel *chan,
					     const struct kmcl_wire *wire)
{
	struct kmcl_counters *count = &chan->count;
	struct kmcl_packet *pkt;
	bool late = false;

	if (trace_kmcl_packet_fetched_enabled())
		kmcl_trace_fetched(chan, wire);
	pkt = kmcl_transaction_complete(chan, wire->head->id, &late);
	/* One less is under way: the next that is held may go. */
	if (unlikely(READ_ONCE(chan->send.max_count) != U32_MAX))
		tasklet_schedule(&chan->send.drain);
	if (unlikely(late)) {
		kmcl_receive_late(chan, wire->head->id);
		return;
	}
	if (unlikely(!pkt)) {
		kmcl_receive_stray(chan, wire->head->id);
		return;
	}
	if (unlikely(pkt->abandoned)) {
		WRITE_ONCE(count->late, count->late + 1);
	} else {
		WRITE_ONCE(count->completed, count->completed + 1);
		WRITE_ONCE(count->completed_bytes, count->completed_bytes + wire->len);
		if (static_branch_unlikely(&kmcl_timing))
			kmcl_receive_timed(&chan->latency, pkt->sent_at);
	}

	if (trace_kmcl_packet_completed_enabled())
		pkt = kmcl_trace_answered(pkt, wire->len);
	/* Valid during the call; the reader holds it in a private copy. */
	kmcl_packet_answered(pkt, (void *)wire->payload, wire->len);
}

static noinline void kmcl_receive_malformed(struct kmcl_channel *chan, const char *what,
					    u32 value)
{
	trace_kmcl_refused(chan, what, value);
	if (atomic64_inc_return(&chan->count.malformed) == 1)
		kmcl_warn(chan, "malformed packet stepped over: %s (%u); counted from now on\n",
			  what, value);
}

/* Takes the header of a pipe off. */
static bool kmcl_receive_unpipe(struct kmcl_channel *chan, struct kmcl_wire *wire)
{
	const struct kmcl_wire_pipe *pipe = wire->payload;

	if (wire->len < sizeof(*pipe) || pipe->type != KMCL_WIRE_PIPE_DATA ||
	    pipe->len > wire->len - sizeof(*pipe)) {
		kmcl_receive_malformed(chan, "pipe header", wire->len);
		return false;
	}
	wire->payload = pipe + 1;
	wire->len = pipe->len;
	return true;
}

/* Finds the client's payload. If that is malformed, it has been counted. */
static bool kmcl_receive_unpack(struct kmcl_channel *chan, struct kmcl_wire *wire)
{
	const struct kmcl_recv *recv = &chan->recv;

	if (unlikely(recv->is_pipe) && !kmcl_receive_unpipe(chan, wire))
		return false;
	if (likely(wire->len <= recv->max_len))
		return true;
	kmcl_receive_malformed(chan, "payload above the maximum packet size", wire->len);
	return false;
}

/* Do the headers of data hold what they say? If not that has been counted. */
static bool kmcl_receive_head_valid(struct kmcl_channel *chan, const struct kmcl_wire *wire)
{
	if (wire->head->type == KMCL_WIRE_DATA_XFER && !kmcl_wire_xfer_valid(wire)) {
		kmcl_receive_malformed(chan, "transfer pages lead out of its headers",
				       wire->head_len);
		return false;
	}
	if (wire->head->type == KMCL_WIRE_DATA_GPA &&
	    !kmcl_external_in_valid(chan, wire)) {
		kmcl_receive_malformed(chan, "external data, broken or too much",
				       wire->head_len);
		return false;
	}
	return true;
}

/* As the next one, for data. */
static bool kmcl_receive_data(struct kmcl_channel *chan, struct kmcl_wire *wire,
			      bool in_hand, u32 *delivered)
{
	struct kmcl_incoming *inc = chan->recv.hand;

	if (!kmcl_receive_head_valid(chan, wire) || !kmcl_receive_unpack(chan, wire) ||
	    kmcl_recv_discards(&chan->recv))
		return true;

	if (!in_hand)
		inc = kmcl_incoming_get(chan, wire->head, wire);
	if (!inc)
		return false;
	if (trace_kmcl_packet_fetched_enabled())
		kmcl_trace_fetched(chan, &inc->pkt);
	kmcl_incoming_begin(inc);
	kmcl_deliver(chan, inc, delivered);
	return true;
}

/* Returns false if the packet has to stay in the ring for now. */
static bool kmcl_receive_one(struct kmcl_channel *chan, struct kmcl_wire *wire,
			     bool in_hand, u32 *delivered)
{
	u16 type = wire->head->type;

	/* Frame numbers from elsewhere are never made into pages. */
	if (type == KMCL_WIRE_DATA_GPA && !chan->recv.same_memory)
		type = 0;

	switch (type) {
	case KMCL_WIRE_COMPLETION:
		kmcl_receive_completion(chan, wire);
		return true;

	case KMCL_WIRE_DATA:
	case KMCL_WIRE_DATA_XFER:
	case KMCL_WIRE_DATA_GPA:
		return kmcl_receive_data(chan, wire, in_hand, delivered);

	default:
		trace_kmcl_refused(chan, "type not known", wire->head->type);
		if (atomic64_inc_return(&chan->count.unknown) == 1)
			kmcl_warn(chan, "packet of type %u stepped over; counted from now on\n",
				  wire->head->type);
		return true;
	}
}

/* The stream cannot be parsed any further: only closing the channel helps. */
static noinline void kmcl_receive_fail(struct kmcl_channel *chan)
{
	unsigned long flags;

	spin_lock_irqsave(&chan->recv.lock, flags);
	WRITE_ONCE(chan->recv.failed, true);
	kmcl_recv_changed(&chan->recv);
	spin_unlock_irqrestore(&chan->recv.lock, flags);

	trace_kmcl_refused(chan, "ring cannot be parsed any further", 0);
	atomic64_inc(&chan->count.malformed);
	kmcl_warn(chan, "the incoming ring is corrupt; nothing is received any more until the channel is disabled\n");
}

/*
 * Most packets: data without more, read into the object in the reader's hand, and nothing
 * in its way.
 */
static __always_inline void kmcl_receive_plain(struct kmcl_channel *chan,
					       struct kmcl_wire *wire, u32 *delivered)
{
	struct kmcl_incoming *inc = container_of(wire, struct kmcl_incoming, pkt);
	const struct kmcl_recv *recv = &chan->recv;

	if (unlikely(!recv->is_plain || wire->len > recv->max_len)) {
		if (!kmcl_receive_unpack(chan, wire))
			return;
		kmcl_incoming_begin(inc);
	}
	if (trace_kmcl_packet_fetched_enabled())
		kmcl_trace_fetched(chan, wire);
	++*delivered;
	/* A spare is in no account of bytes. */
	if (unlikely(!kmcl_deliver_call(chan, inc, 0)))
		kmcl_deliver_kept(chan, inc, 0, delivered);
}

/* All others, @ret as it was read. False: it, or all, has to stay in the ring for now. */
static noinline bool kmcl_receive_other(struct kmcl_channel *chan, struct kmcl_wire *wire,
					int ret, u32 *delivered)
{
	if (ret == -EPROTO) {
		kmcl_receive_fail(chan);
		return false;
	}
	/* Completions pass: a client at its limits may be waiting for one. */
	if (kmcl_receive_stalls(chan, ret > 0 &&
				wire->head->type != KMCL_WIRE_COMPLETION))
		return false;
	if (ret < 0) {
		kmcl_receive_malformed(chan, "offsets lead out of it", wire->head->type);
		return true;
	}
	return kmcl_receive_one(chan, wire, ret == 1, delivered);
}

/* A function of its own, lest the loop before it save registers. */
static noinline void kmcl_receive_finished(struct kmcl_channel *chan, u32 packets,
					   u32 allowed, u32 delivered)
{
	trace_kmcl_fetch_finished(chan, packets, allowed);
	kmcl_deliver_batch_end(chan, delivered);
}

/* Reads @budget packets at most. Returns true if there is more to read now. */
static bool kmcl_receive_batch(struct kmcl_channel *chan, u32 budget)
{
	/* There is one as long as the ring is read. */
	struct kmcl_link *link = chan->link;
	const struct kmcl_transport *ops = link->ops;
	int (*read)(struct kmcl_link *link, struct kmcl_wire *pkt) = ops->recv_first;
	struct kmcl_recv *recv = &chan->recv;
	struct kmcl_wire *wire, other;
	u32 allowed = budget, delivered = 0;
	bool more = false;
	int ret;

	other.room = NULL;
	other.room_len = 0;
	ops->recv_begin(link);
	for (;; read = ops->recv_next, budget--) {
		wire = kmcl_incoming_aim(recv, &other);
		ret = read(link, wire);
		/* The acquire pairs with the release in kmcl_recv_changed(). */
		if (likely(ret == 1 && budget && smp_load_acquire(&recv->clear))) {
			if (wire->head->type == KMCL_WIRE_DATA) {
				kmcl_receive_plain(chan, wire, &delivered);
				continue;
			}
			if (wire->head->type == KMCL_WIRE_COMPLETION) {
				kmcl_receive_completion(chan, wire);
				continue;
			}
		}
		if (!ret)
			break;
		more = !budget && ret != -EPROTO;
		if (more || !kmcl_receive_other(chan, wire, ret, &delivered))
			break;
	}
	ops->recv_commit(link);
	kmcl_receive_finished(chan, allowed - budget, allowed, delivered);

	/* The ring was read to its end: only then have signals a meaning. */
	return ret ? more : ops->recv_end(link);
}

/* As above, where softirq context has a limit; @thread: by the work item. */
static noinline bool kmcl_receive_limited(struct kmcl_channel *chan, bool thread)
{
	struct kmcl_share *share = &chan->recv.share;
	u64 begin = local_clock();
	bool more;

	if (kmcl_share_spent(share, begin) != thread)
		return true;

	more = kmcl_receive_batch(chan, KMCL_RECEIVE_LIMITED);
	if (!thread && kmcl_share_use(share, local_clock() - begin)) {
		trace_kmcl_cpu_limit_hit(chan);
		atomic64_inc(&chan->count.throttled);
	}
	return more;
}

/* Either of these, unless the ring is to be left unread. */
static bool kmcl_receive(struct kmcl_channel *chan, bool thread)
{
	struct kmcl_recv *recv = &chan->recv;

	if (kmcl_receive_stalls(chan, false))
		return false;
	kmcl_receive_unstall(recv);

	if (likely(!thread && READ_ONCE(recv->share.percent) == KMCL_SHARE_ALL))
		return kmcl_receive_batch(chan, KMCL_RECEIVE_BUDGET);
	return kmcl_receive_limited(chan, thread);
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
	/*
	 * That processor may be offline. What it is sent should be aligned, for speed; a
	 * channel in the client's memory need not be.
	 */
	if (smp_call_function_single_async(cpu, (void *)&recv->there)) {
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

	more = kmcl_receive(chan, thread);
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
	recv->quota = INT_MAX;
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

	recv->process = kmcl_deliver_process(&chan->set);
	recv->is_pipe = kmcl_settings_is_pipe(&chan->set);
	/* The wire counts in units of 8 bytes, a pipe's own header in bytes. */
	recv->max_len = recv->is_pipe ? chan->set.max_packet : ALIGN(chan->set.max_packet, 8);
	recv->context = chan->set.client_context;
	recv->is_plain = !recv->is_pipe && !recv->context;
	recv->same_memory = chan->link->ops->same_memory;
	return kmcl_incoming_prepare(chan);
}

/* The channel is not to be opened any more. */
void kmcl_receive_end(struct kmcl_channel *chan)
{
	if (chan->recv.wq)
		destroy_workqueue(chan->recv.wq);
}
