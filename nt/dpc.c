// SPDX-License-Identifier: GPL-2.0
/*
 * Deferred procedure calls: routines that are called at DISPATCH_LEVEL.
 *
 * Each processor has a queue and a tasklet that empties it, so routines of one
 * processor are called one after the other, as on Windows. On PREEMPT_RT tasklets, and
 * so the routines, run in threads, with bottom halves off: KeGetCurrentIrql() tells
 * DISPATCH_LEVEL there, too.
 *
 * A DPC leaves its queue before its routine is called, which may free it.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include <ntddk.h>

#include "nt.h"

struct nt_dpc_queue {
	raw_spinlock_t lock;	/* guards the DPCs of the queue, and its fields */
	struct list_head dpcs;
	bool running;		/* the tasklet has some, that are in its own list */
	struct tasklet_struct tasklet;
	call_single_data_t csd;	/* has the tasklet scheduled on its own processor, */
	struct irq_work work;	/* by way of this on PREEMPT_RT */
};

static DEFINE_PER_CPU(struct nt_dpc_queue, nt_dpc_queues);

static void nt_dpc_call(struct nt_dpc_queue *queue, KDPC *dpc)
	__must_hold(&queue->lock)
{
	PKDEFERRED_ROUTINE routine = dpc->DeferredRoutine;
	PVOID context = dpc->DeferredContext;
	PVOID one = dpc->SystemArgument1;
	PVOID two = dpc->SystemArgument2;

	list_del(&dpc->Node);
	/* Pairs with the cmpxchg() by which another queue gets it, from here on. */
	smp_store_release(&dpc->Queue, NULL);
	raw_spin_unlock_irq(&queue->lock);
	routine(dpc, context, one, two);
	raw_spin_lock_irq(&queue->lock);
}

/* Those that are queued meanwhile have to wait for the next time. */
static void nt_dpc_run(struct tasklet_struct *tasklet)
{
	struct nt_dpc_queue *queue = container_of(tasklet, struct nt_dpc_queue, tasklet);
	LIST_HEAD(dpcs);

	raw_spin_lock_irq(&queue->lock);
	list_splice_init(&queue->dpcs, &dpcs);
	queue->running = true;
	while (!list_empty(&dpcs))
		nt_dpc_call(queue, list_first_entry(&dpcs, KDPC, Node));
	queue->running = false;
	raw_spin_unlock_irq(&queue->lock);
}

static void nt_dpc_kick(struct nt_dpc_queue *queue)
{
	tasklet_schedule(&queue->tasklet);
}

static void nt_dpc_work(struct irq_work *work)
{
	nt_dpc_kick(container_of(work, struct nt_dpc_queue, work));
}

/*
 * By another processor. On PREEMPT_RT the kernel warns of a softirq that is raised by what
 * interrupts an idle processor for another one; there the work is done in a thread.
 */
static void nt_dpc_called(void *data)
{
	struct nt_dpc_queue *queue = data;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		irq_work_queue(&queue->work);
	else
		nt_dpc_kick(queue);
}

/**
 * KeInitializeDpc() - make a DPC
 * @Dpc: memory for it
 * @DeferredRoutine: what is called
 * @DeferredContext: for the routine
 *
 * Context: any.
 */
VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
		     PVOID DeferredContext)
{
	*Dpc = (KDPC) {
		.DeferredRoutine = DeferredRoutine,
		.DeferredContext = DeferredContext,
		.Importance = MediumImportance,
		.Processor = -1,
	};
}
EXPORT_SYMBOL_GPL(KeInitializeDpc);

/* In the queue of a processor, or of this one. */
static bool nt_dpc_insert(KDPC *dpc, int cpu, PVOID one, PVOID two)
{
	struct nt_dpc_queue *queue;
	unsigned long flags;
	bool inserted;

	local_irq_save(flags);
	if (cpu < 0)
		cpu = smp_processor_id();
	queue = per_cpu_ptr(&nt_dpc_queues, cpu);
	raw_spin_lock(&queue->lock);
	/* Under the lock, so that no one sees it queued and not in the list. */
	inserted = !cmpxchg(&dpc->Queue, NULL, queue);
	if (inserted) {
		dpc->SystemArgument1 = one;
		dpc->SystemArgument2 = two;
		if (dpc->Importance == HighImportance)
			list_add(&dpc->Node, &queue->dpcs);
		else
			list_add_tail(&dpc->Node, &queue->dpcs);
		/*
		 * Busy: a kick is on its way, and will find the DPC, for what it starts
		 * waits for the lock. No such processor any more: this one does its work.
		 */
		if (cpu == smp_processor_id() ||
		    smp_call_function_single_async(cpu, &queue->csd) == -ENXIO)
			nt_dpc_kick(queue);
	}
	raw_spin_unlock(&queue->lock);
	local_irq_restore(flags);
	return inserted;
}

/**
 * KeInsertQueueDpc() - have a DPC's routine called at DISPATCH_LEVEL
 * @Dpc: the DPC. It can be queued again as soon as its routine is called, which another
 *	processor may then call at the same time.
 * @SystemArgument1: for the routine
 * @SystemArgument2: for the routine
 *
 * The routine is called by this processor or the one that KeSetTargetProcessorDpc()
 * named, after those that are queued there, unless it has HighImportance.
 *
 * Context: any but an NMI.
 *
 * Return: TRUE; FALSE if it is queued already, which changes nothing.
 */
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
	int cpu = Dpc->Processor;

	if (cpu >= nr_cpu_ids || (cpu >= 0 && !cpu_online(cpu)))
		cpu = -1;
	return nt_dpc_insert(Dpc, cpu, SystemArgument1, SystemArgument2);
}
EXPORT_SYMBOL_GPL(KeInsertQueueDpc);

/**
 * KeRemoveQueueDpc() - have a DPC that is queued not called
 * @Dpc: the DPC. Its routine may run yet, if it was not queued any more: see
 *	KeFlushQueuedDpcs().
 *
 * Context: any but an NMI.
 *
 * Return: whether it was queued.
 */
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc)
{
	struct nt_dpc_queue *queue = READ_ONCE(Dpc->Queue);
	unsigned long flags;
	bool removed;

	if (!queue)
		return FALSE;

	raw_spin_lock_irqsave(&queue->lock, flags);
	removed = READ_ONCE(Dpc->Queue) == queue;
	if (removed) {
		list_del(&Dpc->Node);
		/* As in nt_dpc_call(). */
		smp_store_release(&Dpc->Queue, NULL);
	}
	raw_spin_unlock_irqrestore(&queue->lock, flags);
	return removed;
}
EXPORT_SYMBOL_GPL(KeRemoveQueueDpc);

static VOID nt_dpc_reached(KDPC *dpc, PVOID done, PVOID one, PVOID two)
{
	complete(done);
}

static bool nt_dpc_is_idle(struct nt_dpc_queue *queue)
{
	bool idle;

	raw_spin_lock_irq(&queue->lock);
	idle = list_empty(&queue->dpcs) && !queue->running;
	raw_spin_unlock_irq(&queue->lock);
	return idle;
}

/**
 * KeFlushQueuedDpcs() - wait until the routines of all DPCs that are queued have returned
 *
 * Those of all drivers, on all processors. A timer that was cancelled before has no
 * DPC queued or running after this.
 *
 * Context: PASSIVE_LEVEL.
 */
VOID KeFlushQueuedDpcs(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	KDPC last;
	int cpu;

	might_sleep();
	nt_timers_settle();
	KeInitializeDpc(&last, nt_dpc_reached, &done);
	for_each_possible_cpu(cpu) {
		struct nt_dpc_queue *queue = per_cpu_ptr(&nt_dpc_queues, cpu);

		if (nt_dpc_is_idle(queue))
			continue;
		nt_dpc_insert(&last, cpu, NULL, NULL);
		wait_for_completion(&done);
		reinit_completion(&done);
	}
}
EXPORT_SYMBOL_GPL(KeFlushQueuedDpcs);

void nt_dpc_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct nt_dpc_queue *queue = per_cpu_ptr(&nt_dpc_queues, cpu);

		raw_spin_lock_init(&queue->lock);
		INIT_LIST_HEAD(&queue->dpcs);
		tasklet_setup(&queue->tasklet, nt_dpc_run);
		init_irq_work(&queue->work, nt_dpc_work);
		INIT_CSD(&queue->csd, nt_dpc_called, queue);
	}
}

static void nt_dpc_nothing(void *unused)
{
}

/* No driver is left, so nothing is queued; but a kick or a tasklet may be under way. */
void nt_dpc_exit(void)
{
	int cpu;

	/* After the kicks. */
	on_each_cpu(nt_dpc_nothing, NULL, 1);
	for_each_possible_cpu(cpu) {
		irq_work_sync(&per_cpu_ptr(&nt_dpc_queues, cpu)->work);
		tasklet_kill(&per_cpu_ptr(&nt_dpc_queues, cpu)->tasklet);
	}
}
