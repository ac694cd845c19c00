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

/* An item that is queued, or a routine that runs: the item may be freed by it. */
struct nt_busy {
	struct list_head node;
	struct module *owner;
};

struct _IO_WORKITEM {
	struct work_struct work;
	struct nt_busy queued;	/* its node is empty while the item is not queued */
	PDEVICE_OBJECT device;
	PIO_WORKITEM_ROUTINE routine;
	PVOID context;
};

struct workqueue_struct *nt_free_wq;
static struct workqueue_struct *nt_work_wq;

/* Guards the list, and an item's fields while it is queued. */
static DEFINE_RAW_SPINLOCK(nt_busy_lock);
static LIST_HEAD(nt_busy_list);
static DECLARE_WAIT_QUEUE_HEAD(nt_less_busy);

static void nt_work_fn(struct work_struct *work)
{
	PIO_WORKITEM item = container_of(work, IO_WORKITEM, work);
	PDEVICE_OBJECT device = item->device;
	PIO_WORKITEM_ROUTINE routine;
	struct nt_busy running;
	PVOID context;

	raw_spin_lock_irq(&nt_busy_lock);
	running.owner = item->queued.owner;
	list_replace_init(&item->queued.node, &running.node);
	routine = item->routine;
	context = item->context;
	raw_spin_unlock_irq(&nt_busy_lock);

	/* The routine may free the item, or queue it again. */
	routine(device, context);

	raw_spin_lock_irq(&nt_busy_lock);
	list_del(&running.node);
	raw_spin_unlock_irq(&nt_busy_lock);
	wake_up_all(&nt_less_busy);
}

/* Of IoAllocateWorkItem(), which says for which driver. */
PIO_WORKITEM nt_allocate_work_item(PDEVICE_OBJECT device, struct module *owner)
{
	PIO_WORKITEM item = nt_kmalloc(sizeof(*item), __GFP_ZERO);

	if (item) {
		INIT_WORK(&item->work, nt_work_fn);
		INIT_LIST_HEAD(&item->queued.node);
		item->queued.owner = owner;
		item->device = device;
	}
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
	struct nt_busy *queued = &IoWorkItem->queued;
	unsigned long flags;
	bool twice;

	raw_spin_lock_irqsave(&nt_busy_lock, flags);
	twice = !list_empty(&queued->node);
	if (!twice) {
		IoWorkItem->routine = WorkerRoutine;
		IoWorkItem->context = Context;
		list_add_tail(&queued->node, &nt_busy_list);
	}
	raw_spin_unlock_irqrestore(&nt_busy_lock, flags);

	if (twice)
		pr_err_ratelimited("%pS queues a work item twice\n",
				   __builtin_return_address(0));
	else
		queue_work(nt_work_wq, &IoWorkItem->work);
}
EXPORT_SYMBOL_GPL(IoQueueWorkItem);

static bool nt_is_busy(const struct module *owner)
{
	struct nt_busy *busy;
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
