// SPDX-License-Identifier: GPL-2.0
/*
 * Work that waits for PASSIVE_LEVEL.
 *
 * All drivers' items are in one queue, as on Windows, and do not wait for each other:
 * there is a thread for each that sleeps. Where memory is too short for another thread
 * the queue has its rescuer, but only one. An item that sleeps in that one, until memory
 * is there or another item has run, holds up the others meanwhile. A queue for
 * each driver would not, but cannot be made where its first item may be, at
 * DISPATCH_LEVEL.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include <ntddk.h>

#include "nt.h"

/* One that is queued has its call in the list. While its routine runs a copy is there. */
struct _IO_WORKITEM {
	WORK_QUEUE_ITEM item;
};

struct workqueue_struct *nt_free_wq;
static struct workqueue_struct *nt_work_wq;

/* Guards the list, and an item's call while it is queued. */
static DEFINE_RAW_SPINLOCK(nt_busy_lock);
static LIST_HEAD(nt_busy_list);
static DECLARE_WAIT_QUEUE_HEAD(nt_less_busy);

static void nt_work_fn(struct work_struct *work)
{
	WORK_QUEUE_ITEM *item = container_of(work, WORK_QUEUE_ITEM, work);
	struct nt_call running;

	raw_spin_lock_irq(&nt_busy_lock);
	running = item->queued;
	list_replace_init(&item->queued.node, &running.node);
	raw_spin_unlock_irq(&nt_busy_lock);

	/* The routine may free the item, or queue it again. */
	if (running.routine)
		running.routine(running.context);
	else if (running.io_routine)
		running.io_routine(running.object, running.context);
	else
		running.io_routine_ex(running.object, running.context,
				      container_of(item, IO_WORKITEM, item));

	raw_spin_lock_irq(&nt_busy_lock);
	list_del(&running.node);
	raw_spin_unlock_irq(&nt_busy_lock);
	wake_up_all(&nt_less_busy);
}

/* Of ExInitializeWorkItem() and IoInitializeWorkItem(), which say for which driver. */
void nt_initialize_work_item(WORK_QUEUE_ITEM *item, PWORKER_THREAD_ROUTINE routine,
			     PVOID object, PVOID context, struct module *owner)
{
	INIT_WORK(&item->work, nt_work_fn);
	item->queued = (struct nt_call) {
		.owner = owner,
		.routine = routine,
		.object = object,
		.context = context,
	};
	INIT_LIST_HEAD(&item->queued.node);
}
EXPORT_SYMBOL_GPL(nt_initialize_work_item);

/* Of IoAllocateWorkItem(). */
PIO_WORKITEM nt_allocate_work_item(PVOID object, struct module *owner)
{
	PIO_WORKITEM item = nt_kmalloc(sizeof(*item), 0);

	if (item)
		nt_initialize_work_item(&item->item, NULL, object, NULL, owner);
	return item;
}
EXPORT_SYMBOL_GPL(nt_allocate_work_item);

/**
 * IoFreeWorkItem() - free a work item
 * @IoWorkItem: not queued; its own routine may do it
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
	kfree(IoWorkItem);
}
EXPORT_SYMBOL_GPL(IoFreeWorkItem);

/* With the call as it is to be, in @call, or as the item has it. */
static void nt_queue(WORK_QUEUE_ITEM *item, const struct nt_call *call, void *caller)
{
	struct nt_call *queued = &item->queued;
	unsigned long flags;
	bool twice;

	raw_spin_lock_irqsave(&nt_busy_lock, flags);
	twice = !list_empty(&queued->node);
	if (!twice) {
		if (call) {
			queued->io_routine = call->io_routine;
			queued->io_routine_ex = call->io_routine_ex;
			queued->context = call->context;
		}
		list_add_tail(&queued->node, &nt_busy_list);
	}
	raw_spin_unlock_irqrestore(&nt_busy_lock, flags);

	if (twice)
		pr_err_ratelimited("%pS queues a work item twice\n", caller);
	else
		queue_work(nt_work_wq, &item->work);
}

/**
 * IoQueueWorkItem() - have a routine called at PASSIVE_LEVEL
 * @IoWorkItem: the item. It can be queued again as soon as @WorkerRoutine runs.
 * @WorkerRoutine: called once, by a thread of a work queue; items do not wait for
 *	each other
 * @QueueType: not looked at
 * @Context: for the routine
 *
 * Windows keeps the device object until the routine has returned. Here a driver's
 * Linux side calls linux_flush_work_items() before the driver goes.
 *
 * This project's decision: an item that is still queued is left so, with a line in
 * the log.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
		     WORK_QUEUE_TYPE QueueType, PVOID Context)
{
	const struct nt_call call = { .io_routine = WorkerRoutine, .context = Context };

	nt_queue(&IoWorkItem->item, &call, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(IoQueueWorkItem);

/**
 * IoQueueWorkItemEx() - the same with a routine that is told of its item
 * @IoWorkItem: see IoQueueWorkItem(), also for what is not said here
 * @WorkerRoutine: called once
 * @QueueType: not looked at
 * @Context: for the routine
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
		       WORK_QUEUE_TYPE QueueType, PVOID Context)
{
	const struct nt_call call = { .io_routine_ex = WorkerRoutine, .context = Context };

	nt_queue(&IoWorkItem->item, &call, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(IoQueueWorkItemEx);

/**
 * ExQueueWorkItem() - have the routine of ExInitializeWorkItem() called at PASSIVE_LEVEL
 * @WorkItem: the item, in memory of the driver's, which the routine may free. See
 *	IoQueueWorkItem() also for what is not said here.
 * @QueueType: not looked at
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
	nt_queue(WorkItem, NULL, __builtin_return_address(0));
}
EXPORT_SYMBOL_GPL(ExQueueWorkItem);

static bool nt_is_busy(const struct module *owner)
{
	struct nt_call *busy;
	bool found = false;

	raw_spin_lock_irq(&nt_busy_lock);
	list_for_each_entry(busy, &nt_busy_list, node) {
		found = busy->owner == owner;
		if (found)
			break;
	}
	raw_spin_unlock_irq(&nt_busy_lock);
	return found;
}

/* Of linux_flush_work_items(), which says for which driver. */
void nt_flush_work_items(struct module *owner)
{
	wait_event_state(nt_less_busy, !nt_is_busy(owner), (TASK_IDLE | TASK_FREEZABLE));
	flush_workqueue(nt_free_wq);
}
EXPORT_SYMBOL_GPL(nt_flush_work_items);

/* Memory may be short because of what these queues wait to do. */
int nt_init(void)
{
	nt_free_wq = alloc_workqueue("vmbkmcl_free", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!nt_free_wq)
		return -ENOMEM;

	nt_work_wq = alloc_workqueue("vmbkmcl_nt", WQ_UNBOUND | WQ_MEM_RECLAIM,
				     WQ_MAX_ACTIVE);
	if (!nt_work_wq)
		goto destroy_free;
	nt_dpc_init();
	nt_timers_init();
	return 0;

destroy_free:
	destroy_workqueue(nt_free_wq);
	return -ENOMEM;
}

void nt_exit(void)
{
	nt_timers_exit();
	nt_dpc_exit();
	destroy_workqueue(nt_work_wq);
	destroy_workqueue(nt_free_wq);
}
