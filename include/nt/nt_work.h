/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Work items: a call at PASSIVE_LEVEL, later. Part of <wdm.h>; the functions are
 * in nt/work.c.
 */
#ifndef _NT_WORK_H
#define _NT_WORK_H

#include <linux/export.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include <ntdef.h>

/* A Windows device object stands for the Linux device of the same driver. */
struct device;
typedef struct device DEVICE_OBJECT, *PDEVICE_OBJECT;

typedef struct _IO_WORKITEM IO_WORKITEM, *PIO_WORKITEM;

typedef VOID IO_WORKITEM_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;

typedef VOID IO_WORKITEM_ROUTINE_EX(PVOID IoObject, PVOID Context,
				    PIO_WORKITEM IoWorkItem);
typedef IO_WORKITEM_ROUTINE_EX *PIO_WORKITEM_ROUTINE_EX;

typedef VOID WORKER_THREAD_ROUTINE(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

typedef enum _WORK_QUEUE_TYPE {
	CriticalWorkQueue,
	DelayedWorkQueue,
	HyperCriticalWorkQueue,
	NormalWorkQueue,
	BackgroundWorkQueue,
	RealTimeWorkQueue,
	SuperCriticalWorkQueue,
	MaximumWorkQueue,
	CustomPriorityWorkQueue = 32,
} WORK_QUEUE_TYPE;

struct module;

/* What an item calls: one of the routines. */
struct nt_call {
	struct list_head node;		/* empty while the item is not queued */
	struct module *owner;
	PWORKER_THREAD_ROUTINE routine;
	PIO_WORKITEM_ROUTINE io_routine;
	PIO_WORKITEM_ROUTINE_EX io_routine_ex;
	PVOID object;
	PVOID context;
};

typedef struct _WORK_QUEUE_ITEM {
	struct work_struct work;
	struct nt_call queued;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

PIO_WORKITEM nt_allocate_work_item(PVOID object, struct module *owner);
void nt_initialize_work_item(WORK_QUEUE_ITEM *item, PWORKER_THREAD_ROUTINE routine,
			     PVOID object, PVOID context, struct module *owner);
void nt_flush_work_items(struct module *owner);

/**
 * IoAllocateWorkItem() - make a work item
 * @DeviceObject: what its routine is given; may be NULL here
 *
 * The item is that of the module which calls this: see linux_flush_work_items().
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the item, or NULL where memory is short.
 */
static inline PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
	return nt_allocate_work_item(DeviceObject, THIS_MODULE);
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem);
VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
		     WORK_QUEUE_TYPE QueueType, PVOID Context);
VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
		       WORK_QUEUE_TYPE QueueType, PVOID Context);
VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType);

/* In memory of the driver's, of IoSizeofWorkItem() bytes. */
#define IoSizeofWorkItem()	((ULONG)sizeof(WORK_QUEUE_ITEM))
#define IoInitializeWorkItem(object, item)	\
	nt_initialize_work_item((WORK_QUEUE_ITEM *)(item), NULL, object, NULL, THIS_MODULE)
#define IoUninitializeWorkItem(item)	((void)(item))

/* Of the module that calls this, as those of IoAllocateWorkItem(). */
#define ExInitializeWorkItem(item, routine, context)	\
	nt_initialize_work_item(item, routine, NULL, context, THIS_MODULE)

/**
 * linux_flush_work_items() - wait until the module's queued work items have run
 *
 * For the Linux side of a ported driver, in module_exit(), when nothing queues any
 * more, unless from an item: afterwards no routine of the module's items runs, nor is
 * about to return to it. Other modules' items are not waited for.
 *
 * Context: PASSIVE_LEVEL, not from a work item.
 */
static inline void linux_flush_work_items(void)
{
	nt_flush_work_items(THIS_MODULE);
}

#endif /* _NT_WORK_H */
