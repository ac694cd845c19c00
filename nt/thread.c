// SPDX-License-Identifier: GPL-2.0
/*
 * System threads: kernel threads with an object that can be waited for.
 *
 * A thread ends here, not in its driver, and the object is signaled by the last that it
 * does with the driver around: the driver's module may be gone right then. This module
 * stays for each thread until the kernel has it.
 */
#include <linux/export.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include <ntddk.h>

#include "object.h"

/* What Windows gives a thread at first. */
#define NT_NORMAL_PRIORITY	8

struct _KTHREAD {
	DISPATCHER_HEADER Header;	/* signaled when the thread has ended */
	PKSTART_ROUTINE routine;
	PVOID context;
	struct task_struct *task;
	KPRIORITY priority;
};

static void nt_thread_forget(void *body)
{
	KTHREAD *thread = body;

	if (thread->task)
		put_task_struct(thread->task);
}

static OBJECT_TYPE nt_thread_type = { .end = nt_thread_forget };
static POBJECT_TYPE nt_thread_type_pointer = &nt_thread_type;
POBJECT_TYPE *PsThreadType = &nt_thread_type_pointer;
EXPORT_SYMBOL_GPL(PsThreadType);

static void __noreturn nt_thread_end(KTHREAD *thread)
{
	struct nt_hold hold;

	nt_object_lock(&thread->Header, &hold);
	thread->Header.SignalState = 1;
	nt_object_serve(&thread->Header);
	nt_object_unlock(&thread->Header, &hold);
	ObfDereferenceObject(thread);
	module_put_and_kthread_exit(0);
}

static int nt_thread_fn(void *data)
{
	KTHREAD *thread = data;

	thread->routine(thread->context);
	nt_thread_end(thread);
}

/* Of this thread, if it is one of ours. */
static KTHREAD *nt_this_thread(void)
{
	if (!(current->flags & PF_KTHREAD) || kthread_func(current) != nt_thread_fn)
		return NULL;
	return kthread_data(current);
}

/**
 * PsCreateSystemThread() - start a thread
 * @ThreadHandle: where its handle goes, for ZwClose() and ObReferenceObjectByHandle()
 * @DesiredAccess: not looked at
 * @ObjectAttributes: not looked at
 * @ProcessHandle: not looked at: it is a thread of the kernel's
 * @ClientId: where its numbers go; may be NULL
 * @StartRoutine: what it does. It ends by returning or by PsTerminateSystemThread().
 * @StartContext: for the routine
 *
 * The driver waits for the thread's object before it goes.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INSUFFICIENT_RESOURCES: memory is short, or the calling process is being killed
 */
NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess,
			      POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
			      PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
			      PVOID StartContext)
{
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	struct task_struct *task;
	KTHREAD *thread;

	thread = nt_object_allocate(&nt_thread_type, sizeof(*thread));
	if (!thread)
		return status;
	nt_object_init(&thread->Header, NtNotificationObject, 0);
	thread->routine = StartRoutine;
	thread->context = StartContext;
	thread->priority = NT_NORMAL_PRIORITY;

	task = kthread_create(nt_thread_fn, thread, "%ps", StartRoutine);
	if (IS_ERR(task))
		goto free;
	thread->task = get_task_struct(task);
	status = nt_handle_open(thread, ThreadHandle);
	if (!NT_SUCCESS(status))
		goto stop;
	if (ClientId) {
		ClientId->UniqueProcess = (HANDLE)(ULONG_PTR)task_tgid_nr(task);
		ClientId->UniqueThread = (HANDLE)(ULONG_PTR)task_pid_nr(task);
	}

	__module_get(THIS_MODULE);
	ObfReferenceObject(thread); /* its own */
	wake_up_process(task);
	return STATUS_SUCCESS;

stop:
	kthread_stop(task);
free:
	ObfDereferenceObject(thread);
	return status;
}
EXPORT_SYMBOL_GPL(PsCreateSystemThread);

/**
 * PsTerminateSystemThread() - end this thread
 * @ExitStatus: not kept
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: only if this is no thread of PsCreateSystemThread():
 *  - STATUS_INVALID_PARAMETER
 */
NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
	KTHREAD *thread = nt_this_thread();

	if (!thread)
		return STATUS_INVALID_PARAMETER;
	nt_thread_end(thread);
}
EXPORT_SYMBOL_GPL(PsTerminateSystemThread);

/**
 * KeGetCurrentThread() - which thread this is
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: of a system thread its object. Of other threads a pointer that differs from
 * those of the others that live, and is good for nothing else.
 */
PKTHREAD KeGetCurrentThread(void)
{
	return nt_this_thread() ?: (PKTHREAD)current;
}
EXPORT_SYMBOL_GPL(KeGetCurrentThread);

/**
 * KeSetPriorityThread() - say how urgent a thread is
 * @Thread: a system thread; what else KeGetCurrentThread() tells stays as it is
 * @Priority: from LOW_REALTIME_PRIORITY on Linux' scheduler lets it run before all
 *	threads that have less; below that it is one of them
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: the priority that it had.
 */
KPRIORITY KeSetPriorityThread(PKTHREAD Thread, KPRIORITY Priority)
{
	KPRIORITY old;

	if (Thread == (PKTHREAD)current)
		return NT_NORMAL_PRIORITY;
	old = xchg(&Thread->priority, Priority);
	if (Priority >= LOW_REALTIME_PRIORITY)
		sched_set_fifo_low(Thread->task);
	else if (old >= LOW_REALTIME_PRIORITY)
		sched_set_normal(Thread->task, 0);
	return old;
}
EXPORT_SYMBOL_GPL(KeSetPriorityThread);
