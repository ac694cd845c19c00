// SPDX-License-Identifier: GPL-2.0
/* A watchdog with a timer and its DPC, and a heartbeat with a period, moved to a work item. */
#include <ntddk.h>

#define WATCHDOG_SECONDS	5
#define HEARTBEAT_MS		250
#define RELATIVE_MS(ms)		(-((LONGLONG)(ms) * 10 * 1000))

typedef struct _WATCHDOG {
	KTIMER Timer;
	KDPC Dpc;
	KSPIN_LOCK Lock;
	BOOLEAN Stopped;
	LONG Expired;
	WORK_QUEUE_ITEM WorkItem;
	KEVENT WorkDone;
	LARGE_INTEGER LastBeat;
} WATCHDOG, *PWATCHDOG;

KDEFERRED_ROUTINE WatchdogDpc;
WORKER_THREAD_ROUTINE WatchdogWork;

VOID WatchdogInitialize(_Out_ PWATCHDOG Watchdog);
BOOLEAN WatchdogArm(_Inout_ PWATCHDOG Watchdog);
VOID WatchdogBeat(_Inout_ PWATCHDOG Watchdog);
VOID WatchdogStop(_Inout_ PWATCHDOG Watchdog);
VOID WatchdogStartHeartbeat(_Inout_ PWATCHDOG Watchdog);
NTSTATUS WatchdogWait(_In_ PWATCHDOG Watchdog, _In_ ULONG Milliseconds);
ULONGLONG WatchdogTicksToMs(_In_ LARGE_INTEGER Ticks);

VOID
WatchdogDpc(
	_In_ PKDPC Dpc,
	_In_opt_ PVOID DeferredContext,
	_In_opt_ PVOID SystemArgument1,
	_In_opt_ PVOID SystemArgument2
	)
{
	PWATCHDOG Watchdog = (PWATCHDOG)DeferredContext;

	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(SystemArgument1);
	UNREFERENCED_PARAMETER(SystemArgument2);

	KeAcquireSpinLockAtDpcLevel(&Watchdog->Lock);
	if (!Watchdog->Stopped && InterlockedIncrement(&Watchdog->Expired) == 1)
		ExQueueWorkItem(&Watchdog->WorkItem, DelayedWorkQueue);
	KeReleaseSpinLockFromDpcLevel(&Watchdog->Lock);
}

VOID
WatchdogWork(
	_In_ PVOID Parameter
	)
{
	PWATCHDOG Watchdog = (PWATCHDOG)Parameter;
	LARGE_INTEGER Now;

	PAGED_CODE();

	KeQueryTickCount(&Now);
	DbgPrint("no beat for %d ms\n",
		 (int)((Now.QuadPart - Watchdog->LastBeat.QuadPart) * KeQueryTimeIncrement() / 10000));
	KeSetEvent(&Watchdog->WorkDone, IO_NO_INCREMENT, FALSE);
}

VOID
WatchdogInitialize(
	_Out_ PWATCHDOG Watchdog
	)
{
	RtlZeroMemory(Watchdog, sizeof(*Watchdog));
	KeInitializeSpinLock(&Watchdog->Lock);
	KeInitializeTimerEx(&Watchdog->Timer, NotificationTimer);
	KeInitializeDpc(&Watchdog->Dpc, WatchdogDpc, Watchdog);
	KeSetImportanceDpc(&Watchdog->Dpc, HighImportance);
	KeInitializeEvent(&Watchdog->WorkDone, NotificationEvent, FALSE);
	ExInitializeWorkItem(&Watchdog->WorkItem, WatchdogWork, Watchdog);
	KeQueryTickCount(&Watchdog->LastBeat);
}

BOOLEAN
WatchdogArm(
	_Inout_ PWATCHDOG Watchdog
	)
{
	LARGE_INTEGER DueTime;

	DueTime.QuadPart = RELATIVE_MS(WATCHDOG_SECONDS * 1000);
	return KeSetTimer(&Watchdog->Timer, DueTime, &Watchdog->Dpc);
}

VOID
WatchdogBeat(
	_Inout_ PWATCHDOG Watchdog
	)
{
	KIRQL OldIrql;

	OldIrql = KeAcquireSpinLockRaiseToDpc(&Watchdog->Lock);
	if (!Watchdog->Stopped) {
		KeQueryTickCount(&Watchdog->LastBeat);
		WatchdogArm(Watchdog);
	}
	KeReleaseSpinLock(&Watchdog->Lock, OldIrql);
}

VOID
WatchdogStartHeartbeat(
	_Inout_ PWATCHDOG Watchdog
	)
{
	LARGE_INTEGER DueTime = { .QuadPart = RELATIVE_MS(HEARTBEAT_MS) };

	if (KeSetTimerEx(&Watchdog->Timer, DueTime, HEARTBEAT_MS, &Watchdog->Dpc))
		DbgPrint("the watchdog was armed\n");
}

VOID
WatchdogStop(
	_Inout_ PWATCHDOG Watchdog
	)
{
	KIRQL OldIrql;

	KeAcquireSpinLock(&Watchdog->Lock, &OldIrql);
	Watchdog->Stopped = TRUE;
	KeReleaseSpinLock(&Watchdog->Lock, OldIrql);

	if (!KeCancelTimer(&Watchdog->Timer) && KeRemoveQueueDpc(&Watchdog->Dpc))
		InterlockedDecrement(&Watchdog->Expired);
	KeFlushQueuedDpcs();
	if (Watchdog->Expired > 0)
		KeWaitForSingleObject(&Watchdog->WorkDone, Executive, KernelMode, FALSE, NULL);
}

NTSTATUS
WatchdogWait(
	_In_ PWATCHDOG Watchdog,
	_In_ ULONG Milliseconds
	)
{
	LARGE_INTEGER Timeout;
	PVOID Objects[2];

	if (KeReadStateTimer(&Watchdog->Timer))
		return STATUS_SUCCESS;
	Timeout.QuadPart = RELATIVE_MS(Milliseconds);
	Objects[0] = &Watchdog->Timer;
	Objects[1] = &Watchdog->WorkDone;
	return KeWaitForMultipleObjects(2, Objects, WaitAny, Executive, KernelMode, FALSE,
					&Timeout, NULL);
}

ULONGLONG
WatchdogTicksToMs(
	_In_ LARGE_INTEGER Ticks
	)
{
	return (ULONGLONG)Ticks.QuadPart * KeQueryTimeIncrement() / (10 * 1000);
}
