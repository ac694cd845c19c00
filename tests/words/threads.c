// SPDX-License-Identifier: GPL-2.0
/* A thread that serves commands, and how it is started, told and stopped. */
#include <ntddk.h>

typedef enum _WORKER_SIGNAL {
	WorkerStop,
	WorkerCommand,
	WorkerTick,
	WorkerSignals
} WORKER_SIGNAL;

typedef struct _WORKER {
	PKTHREAD Thread;
	KEVENT Stop;
	KSEMAPHORE Commands;
	KTIMER Tick;
	KMUTEX Busy;
	LIST_ENTRY Queue;
	KSPIN_LOCK QueueLock;
	PKTHREAD Owner;
	ULONG Served;
} WORKER, *PWORKER;

typedef struct _COMMAND {
	LIST_ENTRY ListEntry;
	NTSTATUS (*Routine)(PVOID Context);
	PVOID Context;
} COMMAND, *PCOMMAND;

KSTART_ROUTINE WorkerThread;

NTSTATUS WorkerStart(_Inout_ PWORKER Worker);
VOID WorkerStopAndWait(_Inout_ PWORKER Worker);
VOID WorkerPost(_Inout_ PWORKER Worker, _Inout_ PCOMMAND Command);
NTSTATUS WorkerLock(_Inout_ PWORKER Worker);
VOID WorkerUnlock(_Inout_ PWORKER Worker);
BOOLEAN WorkerIsCurrent(_In_ PWORKER Worker);
NTSTATUS WorkerWaitForAll(_In_reads_(Count) PWORKER *Workers, _In_ ULONG Count);

static VOID
WorkerServe(
	_Inout_ PWORKER Worker
	)
{
	PLIST_ENTRY Entry;
	PCOMMAND Command;

	Entry = ExInterlockedRemoveHeadList(&Worker->Queue, &Worker->QueueLock);
	if (Entry == NULL)
		return;
	Command = CONTAINING_RECORD(Entry, COMMAND, ListEntry);
	if (!NT_SUCCESS(WorkerLock(Worker)))
		return;
	if (NT_SUCCESS(Command->Routine(Command->Context)))
		Worker->Served++;
	WorkerUnlock(Worker);
}

VOID
WorkerThread(
	_In_ PVOID StartContext
	)
{
	PWORKER Worker = (PWORKER)StartContext;
	PVOID Signals[WorkerSignals];
	KWAIT_BLOCK WaitBlocks[WorkerSignals];
	NTSTATUS Status = STATUS_SUCCESS;
	BOOLEAN Running = TRUE;

	KeSetPriorityThread(KeGetCurrentThread(), LOW_REALTIME_PRIORITY);
	Signals[WorkerStop] = &Worker->Stop;
	Signals[WorkerCommand] = &Worker->Commands;
	Signals[WorkerTick] = &Worker->Tick;

	while (Running) {
		Status = KeWaitForMultipleObjects(WorkerSignals, Signals, WaitAny, Executive,
						  KernelMode, FALSE, NULL, WaitBlocks);
		switch (Status) {
		case STATUS_WAIT_0 + WorkerStop:
			Running = FALSE;
			break;
		case STATUS_WAIT_0 + WorkerCommand:
			WorkerServe(Worker);
			break;
		case STATUS_WAIT_0 + WorkerTick:
			KeStallExecutionProcessor(1);
			break;
		default:
			break;
		}
	}

	PsTerminateSystemThread(STATUS_SUCCESS);
}

NTSTATUS
WorkerStart(
	_Inout_ PWORKER Worker
	)
{
	OBJECT_ATTRIBUTES ObjectAttributes;
	LARGE_INTEGER DueTime;
	HANDLE ThreadHandle;
	NTSTATUS Status;

	PAGED_CODE();

	KeInitializeEvent(&Worker->Stop, NotificationEvent, FALSE);
	KeInitializeSemaphore(&Worker->Commands, 0, 0x7fffffff);
	KeInitializeTimerEx(&Worker->Tick, SynchronizationTimer);
	KeInitializeMutex(&Worker->Busy, 0);
	KeInitializeSpinLock(&Worker->QueueLock);
	InitializeListHead(&Worker->Queue);
	DueTime.QuadPart = -10 * 1000 * 1000;
	KeSetTimerEx(&Worker->Tick, DueTime, 1000, NULL);

	InitializeObjectAttributes(&ObjectAttributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
	Status = PsCreateSystemThread(&ThreadHandle, THREAD_ALL_ACCESS, &ObjectAttributes, NULL,
				      NULL, WorkerThread, Worker);
	if (!NT_SUCCESS(Status)) {
		KeCancelTimer(&Worker->Tick);
		return Status;
	}

	Status = ObReferenceObjectByHandle(ThreadHandle, THREAD_ALL_ACCESS, *PsThreadType,
					   KernelMode, (PVOID *)&Worker->Thread, NULL);
	ZwClose(ThreadHandle);
	return Status;
}

VOID
WorkerStopAndWait(
	_Inout_ PWORKER Worker
	)
{
	PAGED_CODE();

	KeSetEvent(&Worker->Stop, IO_NO_INCREMENT, FALSE);
	KeWaitForSingleObject(Worker->Thread, Executive, KernelMode, FALSE, NULL);
	ObDereferenceObject(Worker->Thread);
	Worker->Thread = NULL;
	KeCancelTimer(&Worker->Tick);
}

VOID
WorkerPost(
	_Inout_ PWORKER Worker,
	_Inout_ PCOMMAND Command
	)
{
	ExInterlockedInsertTailList(&Worker->Queue, &Command->ListEntry, &Worker->QueueLock);
	KeReleaseSemaphore(&Worker->Commands, IO_NO_INCREMENT, 1, FALSE);
}

NTSTATUS
WorkerLock(
	_Inout_ PWORKER Worker
	)
{
	LARGE_INTEGER Timeout;
	NTSTATUS Status;

	Timeout.QuadPart = -5LL * 10 * 1000 * 1000;
	Status = KeWaitForSingleObject(&Worker->Busy, Executive, KernelMode, FALSE, &Timeout);
	if (Status == STATUS_TIMEOUT)
		return STATUS_IO_TIMEOUT;
	Worker->Owner = KeGetCurrentThread();
	return Status;
}

VOID
WorkerUnlock(
	_Inout_ PWORKER Worker
	)
{
	if (KeReadStateMutex(&Worker->Busy) != 1)
		KeReleaseMutex(&Worker->Busy, FALSE);
}

BOOLEAN
WorkerIsCurrent(
	_In_ PWORKER Worker
	)
{
	return Worker->Thread == KeGetCurrentThread();
}

NTSTATUS
WorkerWaitForAll(
	_In_reads_(Count) PWORKER *Workers,
	_In_ ULONG Count
	)
{
	PVOID Threads[THREAD_WAIT_OBJECTS];
	ULONG Index;

	if (Count > THREAD_WAIT_OBJECTS)
		return STATUS_INVALID_PARAMETER;
	for (Index = 0; Index < Count; Index++)
		Threads[Index] = Workers[Index]->Thread;
	return KeWaitForMultipleObjects(Count, Threads, WaitAll, Executive, KernelMode, FALSE,
					NULL, NULL);
}
