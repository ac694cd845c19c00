// SPDX-License-Identifier: GPL-2.0
/*
 * Work that waits for PASSIVE_LEVEL.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>

#include <ntddk.h>

#include "nt.h"

struct _IO_WORKITEM {
	struct work_struct work;
	PDEVICE_OBJECT device;
	PIO_WORKITEM_ROUTINE routine;
	PVOID context;
};

struct workqueue_struct *nt_wq;

static void nt_work_fn(struct work_struct *work)
{
	PIO_WORKITEM item = container_of(work, IO_WORKITEM, work);

	/* The routine may free the item, or queue it again. */
	item->routine(item->device, item->context);
}

/**
 * IoAllocateWorkItem() - make a work item
 * @DeviceObject: what its routine is given; may be NULL here
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the item, or NULL where memory is short.
 */
PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
	PIO_WORKITEM item = kzalloc(sizeof(*item), GFP_ATOMIC | __GFP_NOWARN);

	if (item) {
		INIT_WORK(&item->work, nt_work_fn);
		item->device = DeviceObject;
	}
	return item;
}
EXPORT_SYMBOL_GPL(IoAllocateWorkItem);

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
	if (work_pending(&IoWorkItem->work)) {
		pr_err_ratelimited("%pS queues a work item twice\n",
				   __builtin_return_address(0));
		return;
	}
	IoWorkItem->routine = WorkerRoutine;
	IoWorkItem->context = Context;
	queue_work(nt_wq, &IoWorkItem->work);
}
EXPORT_SYMBOL_GPL(IoQueueWorkItem);

/**
 * linux_flush_work_items() - wait until queued work items have run
 *
 * For module_exit(), when nothing queues any more: afterwards no routine of the
 * module runs, nor is about to return to it.
 *
 * Context: PASSIVE_LEVEL, not from a work item.
 */
void linux_flush_work_items(void)
{
	flush_workqueue(nt_wq);
}
EXPORT_SYMBOL_GPL(linux_flush_work_items);

int nt_init(void)
{
	nt_wq = alloc_workqueue("vmbkmcl_nt", WQ_UNBOUND, 0);
	return nt_wq ? 0 : -ENOMEM;
}

void nt_exit(void)
{
	destroy_workqueue(nt_wq);
}
