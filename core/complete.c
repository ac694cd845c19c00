// SPDX-License-Identifier: GPL-2.0
/*
 * Completion routines: called once for each packet sent, without a lock held.
 *
 * A routine may send again, and that packet may complete within the send: routines
 * called by routines would nest without bound. So a task has a turn while it calls
 * routines, and packets that complete meanwhile in that task wait in its turn. As
 * a ring that is read fast enough would make a turn endless, a turn is limited: what
 * it leaves is called by a tasklet of the channel. As long as that has any, the
 * channel's routines all go through it, so that they keep their order.
 */
#include <linux/bottom_half.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>

#include "data.h"

/* A turn ends after as many routines, or when that time is over. */
#define KMCL_TURN_ROUTINES	64
#define KMCL_TURN_NS		(500 * NSEC_PER_USEC)

/*
 * The turn of a task or softirq, which alone uses it. Bottom halves, or interrupts, are off
 * for the whole of it: the level of routines is DISPATCH_LEVEL, and the task stays on its
 * CPU. Nothing here is called in hard interrupts.
 */
struct kmcl_turn {
	bool on;
	struct list_head waiting;	/* of kmcl_packet.tx.node */
#ifdef CONFIG_PREEMPT_RT
	struct hlist_node node;		/* in kmcl_turns of its CPU */
	struct task_struct *task;
#endif
};

/*
 * Where bottom halves or interrupts are off already they must not, or need not, be turned
 * on. Returns whether to turn them on again.
 */
static __always_inline bool kmcl_turns_enter(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT) ? irqs_disabled() :
					    softirq_count() || irqs_disabled())
		return false;
	local_bh_disable();
	return true;
}

static __always_inline void kmcl_turns_leave(bool entered)
{
	if (entered)
		local_bh_enable();
}

#ifndef CONFIG_PREEMPT_RT
/* With bottom halves off there is one on a CPU at most. */
static DEFINE_PER_CPU(struct kmcl_turn, kmcl_turns);

/* The turn of this task or softirq, be it on or not. */
static __always_inline struct kmcl_turn *kmcl_turn_find(struct kmcl_turn *unused)
{
	return this_cpu_ptr(&kmcl_turns);
}

static __always_inline void kmcl_turn_begin(struct kmcl_turn *turn)
{
	turn->on = true;
}

static __always_inline void kmcl_turn_end(struct kmcl_turn *turn)
{
	turn->on = false;
}

void kmcl_turns_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		INIT_LIST_HEAD(&per_cpu(kmcl_turns, cpu).waiting);
}
#else
/*
 * The turns of the tasks that are on this CPU, changed and searched with preemption
 * off. Other tasks may run in the middle of a turn, and begin and end turns of their own,
 * in any order; softirqs are tasks as well. None is ever on top of another task's stack,
 * so each finds its own turn or none, and has one at most.
 */
static DEFINE_PER_CPU(struct hlist_head, kmcl_turns);

/* The turn of this task, which is on, or else @own, which is on the task's stack. */
static struct kmcl_turn *kmcl_turn_find(struct kmcl_turn *own)
{
	struct kmcl_turn *turn;

	preempt_disable();
	hlist_for_each_entry(turn, this_cpu_ptr(&kmcl_turns), node)
		if (turn->task == current)
			break;
	preempt_enable();
	if (turn)
		return turn;

	own->on = false;
	own->task = current;
	INIT_LIST_HEAD(&own->waiting);
	return own;
}

static void kmcl_turn_begin(struct kmcl_turn *turn)
{
	turn->on = true;
	preempt_disable();
	hlist_add_head(&turn->node, this_cpu_ptr(&kmcl_turns));
	preempt_enable();
}

static void kmcl_turn_end(struct kmcl_turn *turn)
{
	preempt_disable();
	hlist_del(&turn->node);
	preempt_enable();
}

void kmcl_turns_init(void)
{
}
#endif

/* Has the tasklet routines to call? */
static __always_inline bool kmcl_deferred_is_on(const struct kmcl_deferred *deferred)
{
	/*
	 * Pairs with the tasklet's release: the routines that it had are over, and what
	 * they did is seen by one that is called now.
	 */
	return smp_load_acquire(&deferred->on);
}

/* Has the tasklet call the routine, behind those that it has. */
static void kmcl_packet_defer(struct kmcl_packet *pkt)
{
	struct kmcl_deferred *deferred = &pkt->chan->send.deferred;
	unsigned long flags;

	spin_lock_irqsave(&deferred->lock, flags);
	list_add_tail(&pkt->tx.node, &deferred->list);
	if (!deferred->on) {
		WRITE_ONCE(deferred->on, true);
		tasklet_schedule(&deferred->tasklet);
	}
	spin_unlock_irqrestore(&deferred->lock, flags);
}

/* Does the packet belong behind those that the tasklet has? Then it is put there. */
static __always_inline bool kmcl_packet_queues(struct kmcl_packet *pkt)
{
	struct kmcl_deferred *deferred = &pkt->chan->send.deferred;
	unsigned long flags;
	bool queues;

	/* What this task put there it sees; what others put there has no order. */
	if (likely(!kmcl_deferred_is_on(deferred)))
		return false;

	spin_lock_irqsave(&deferred->lock, flags);
	queues = deferred->on;
	if (queues)
		list_add_tail(&pkt->tx.node, &deferred->list);
	spin_unlock_irqrestore(&deferred->lock, flags);
	return queues;
}

/* Calls the routine. */
static __always_inline void kmcl_packet_call(struct kmcl_packet *pkt, NTSTATUS status,
					     void *buffer, u32 len)
{
	PFN_VMB_PACKET_COMPLETION_ROUTINE routine = READ_ONCE(pkt->routine);

	if (unlikely(pkt->tx.out.gpa))
		kmcl_packet_drop_memory(pkt);
	/*
	 * From here on the packet is the client's, which may send it again from
	 * another CPU before its routine has even started. Pairs with the acquire
	 * of the send that takes it.
	 */
	if (likely(routine)) {
		atomic_set_release(&pkt->state, KMCL_PACKET_IDLE);
		routine((VMBPACKET)pkt, status, buffer, len);
	} else {
		PFN_VMB_PACKET_COMPLETION_ROUTINE_EX routine_ex = pkt->routine_ex;
		PVOID context = pkt->routine_context;

		atomic_set_release(&pkt->state, KMCL_PACKET_IDLE);
		routine_ex((VMBPACKET)pkt, context, status, buffer, len);
	}
}

static struct kmcl_packet *kmcl_packet_pop(struct list_head *packets)
{
	struct kmcl_packet *pkt =
		list_first_entry_or_null(packets, struct kmcl_packet, tx.node);

	if (pkt)
		list_del(&pkt->tx.node);
	return pkt;
}

/* Calls the routines that wait in the turn, as long as it lasts; the rest is put off. */
static noinline void kmcl_turn_go_on(struct kmcl_turn *turn)
{
	u64 end = local_clock() + KMCL_TURN_NS;
	struct kmcl_packet *pkt;
	u32 routines = 0;

	while (routines < KMCL_TURN_ROUTINES && local_clock() <= end) {
		pkt = kmcl_packet_pop(&turn->waiting);
		if (!pkt)
			return;
		if (kmcl_packet_queues(pkt))
			continue;
		kmcl_packet_call(pkt, pkt->tx.status, NULL, 0);
		routines++;
	}
	while ((pkt = kmcl_packet_pop(&turn->waiting)))
		kmcl_packet_defer(pkt);
}

/* What its routine has sent, and is over already, waits in the turn. */
static __always_inline void kmcl_turn_call(struct kmcl_turn *turn, struct kmcl_packet *pkt,
					   NTSTATUS status, void *buffer, u32 len)
{
	kmcl_turn_begin(turn);
	kmcl_packet_call(pkt, status, buffer, len);
	if (unlikely(!list_empty(&turn->waiting)))
		kmcl_turn_go_on(turn);
	kmcl_turn_end(turn);
}

/**
 * kmcl_packet_answered() - the other end has completed a transaction
 * @pkt: in no list and in no table any more
 * @buffer: payload of the completion, valid during the call
 * @len: bytes in @buffer
 *
 * Context: the reader's.
 */
void kmcl_packet_answered(struct kmcl_packet *pkt, void *buffer, u32 len)
{
	bool entered = kmcl_turns_enter();
	struct kmcl_turn *turn, own;

	turn = kmcl_turn_find(&own);
	/* One that reads the ring within a routine has nothing to keep the payload in. */
	if (unlikely(turn->on))
		kmcl_packet_call(pkt, STATUS_SUCCESS, buffer, len);
	else
		kmcl_turn_call(turn, pkt, STATUS_SUCCESS, buffer, len);
	kmcl_turns_leave(entered);
}

/* It is over within a routine, or behind others whose routines were put off. */
static noinline void kmcl_packet_wait(struct kmcl_turn *turn, struct kmcl_packet *pkt)
{
	pkt->tx.status = STATUS_SUCCESS;
	if (turn->on)
		list_add_tail(&pkt->tx.node, &turn->waiting);
	else if (!kmcl_packet_queues(pkt))
		kmcl_turn_call(turn, pkt, STATUS_SUCCESS, NULL, 0);
}

/**
 * kmcl_packet_sent() - a packet is in the ring, and no completion will come
 * @pkt: in no list
 *
 * Context: up to softirq, interrupts may be off; between kmcl_send_direct_begin() and
 * ..._end().
 */
void kmcl_packet_sent(struct kmcl_packet *pkt)
{
	bool entered = kmcl_turns_enter();
	struct kmcl_turn *turn, own;

	/* What its object says of a transaction is of an earlier one. */
	trace_kmcl_packet_completed(pkt, 0, STATUS_SUCCESS, 0);
	turn = kmcl_turn_find(&own);
	if (likely(!turn->on && !kmcl_deferred_is_on(&pkt->chan->send.deferred)))
		kmcl_turn_call(turn, pkt, STATUS_SUCCESS, NULL, 0);
	else
		kmcl_packet_wait(turn, pkt);
	kmcl_turns_leave(entered);
}

/**
 * kmcl_packets_complete() - transactions are over, without an answer
 * @packets: by their tx.node, in no table any more; tx.status is for the routine
 *
 * Context: up to softirq, interrupts may be off.
 */
void kmcl_packets_complete(struct list_head *packets)
{
	bool entered = kmcl_turns_enter();
	struct kmcl_turn *turn, own;
	struct kmcl_packet *pkt;

	if (trace_kmcl_packet_completed_enabled())
		list_for_each_entry(pkt, packets, tx.node)
			trace_kmcl_packet_completed(pkt, pkt->tx.out.id, pkt->tx.status, 0);
	turn = kmcl_turn_find(&own);
	list_splice_tail_init(packets, &turn->waiting);
	if (!turn->on) {
		kmcl_turn_begin(turn);
		kmcl_turn_go_on(turn);
		kmcl_turn_end(turn);
	}
	kmcl_turns_leave(entered);
}

/* The next routine for the tasklet. @on stays set: its turn has yet to end. */
static struct kmcl_packet *kmcl_deferred_next(struct kmcl_deferred *deferred)
{
	struct kmcl_packet *pkt;
	unsigned long flags;

	spin_lock_irqsave(&deferred->lock, flags);
	pkt = kmcl_packet_pop(&deferred->list);
	spin_unlock_irqrestore(&deferred->lock, flags);
	return pkt;
}

/* Comes again until there is nothing left, with other softirqs in between. */
static void kmcl_deferred_tasklet(struct tasklet_struct *t)
{
	struct kmcl_deferred *deferred =
		container_of(t, struct kmcl_deferred, tasklet);
	u64 end = local_clock() + KMCL_TURN_NS;
	struct kmcl_turn *turn, own;
	struct kmcl_packet *pkt;
	unsigned long flags;
	u32 routines = 0;

	turn = kmcl_turn_find(&own);
	kmcl_turn_begin(turn);
	while (routines++ < KMCL_TURN_ROUTINES && local_clock() <= end) {
		pkt = kmcl_deferred_next(deferred);
		if (!pkt)
			break;
		kmcl_packet_call(pkt, pkt->tx.status, NULL, 0);
	}
	/* What its routines have sent comes behind what waits already. */
	while ((pkt = kmcl_packet_pop(&turn->waiting)))
		kmcl_packet_defer(pkt);
	kmcl_turn_end(turn);

	spin_lock_irqsave(&deferred->lock, flags);
	if (list_empty(&deferred->list)) {
		/* The routines are over: pairs with kmcl_deferred_is_on(). */
		smp_store_release(&deferred->on, false);
		wake_up_all(&deferred->idle);
	} else {
		tasklet_schedule(t);
	}
	spin_unlock_irqrestore(&deferred->lock, flags);
}

void kmcl_completions_init(struct kmcl_channel *chan)
{
	struct kmcl_deferred *deferred = &chan->send.deferred;

	spin_lock_init(&deferred->lock);
	INIT_LIST_HEAD(&deferred->list);
	init_waitqueue_head(&deferred->idle);
	tasklet_setup(&deferred->tasklet, kmcl_deferred_tasklet);
}

/* Waits for the routines that were put off, when no others can come. */
void kmcl_completions_wait(struct kmcl_channel *chan)
{
	struct kmcl_deferred *deferred = &chan->send.deferred;

	wait_event_idle(deferred->idle, !kmcl_deferred_is_on(deferred));
}

/*
 * The ring is not written to any more: waits for the routines of the packets that it
 * has taken. No count is needed, which the sends of routines could keep from getting
 * to 0. Those that take packets off the queue, and all turns, are RCU readers: after a
 * grace period each such packet's routine has run, or is the tasklet's to call; and
 * the tasklet gets no more, for what routines send from here on is queued.
 */
void kmcl_completions_sync(struct kmcl_channel *chan)
{
	synchronize_rcu();
	kmcl_completions_wait(chan);
}

/* No packet of the channel is under way any more. */
void kmcl_completions_end(struct kmcl_channel *chan)
{
	tasklet_kill(&chan->send.deferred.tasklet);
}
