/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Work items: a call at PASSIVE_LEVEL, later. Part of <wdm.h>; the functions are
 * in nt/work.c.
 */
#ifndef _NT_WORK_H
#define _NT_WORK_H

#include <ntdef.h>

/* A Windows device object stands for the Linux device of the same driver. */
struct device;
typedef struct device DEVICE_OBJECT, *PDEVICE_OBJECT;

typedef struct _IO_WORKITEM IO_WORKITEM, *PIO_WORKITEM;

typedef VOID IO_WORKITEM_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;

typedef enum _WORK_QUEUE_TYPE {
	CriticalWorkQueue,
	DelayedWorkQueue,
	HyperCriticalWorkQueue,
} WORK_QUEUE_TYPE;

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject);
VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem);
VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine,
		     WORK_QUEUE_TYPE QueueType, PVOID Context);

/* For the Linux side of a ported driver. */
void linux_flush_work_items(void);

#endif /* _NT_WORK_H */
