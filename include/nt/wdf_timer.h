/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What is called later: timers, DPCs, work items. Part of <wdf.h>; the functions are in
 * wdf/timer.c, wdf/dpc.c and wdf/workitem.c.
 */
#ifndef _NT_WDF_TIMER_H
#define _NT_WDF_TIMER_H

#include <ntddk.h>

#include <wdf_object.h>

/* Times in units of 100 ns; one from now on is negative. */
#define WDF_TIMEOUT_TO_SEC		(10LL * 1000 * 1000)
#define WDF_TIMEOUT_TO_MS		(10LL * 1000)
#define WDF_TIMEOUT_TO_US		(10LL)

static inline LONGLONG WDF_REL_TIMEOUT_IN_SEC(ULONGLONG Time)
{
	return -(LONGLONG)Time * WDF_TIMEOUT_TO_SEC;
}

static inline LONGLONG WDF_REL_TIMEOUT_IN_MS(ULONGLONG Time)
{
	return -(LONGLONG)Time * WDF_TIMEOUT_TO_MS;
}

static inline LONGLONG WDF_REL_TIMEOUT_IN_US(ULONGLONG Time)
{
	return -(LONGLONG)Time * WDF_TIMEOUT_TO_US;
}

static inline LONGLONG WDF_ABS_TIMEOUT_IN_SEC(ULONGLONG Time)
{
	return (LONGLONG)Time * WDF_TIMEOUT_TO_SEC;
}

static inline LONGLONG WDF_ABS_TIMEOUT_IN_MS(ULONGLONG Time)
{
	return (LONGLONG)Time * WDF_TIMEOUT_TO_MS;
}

static inline LONGLONG WDF_ABS_TIMEOUT_IN_US(ULONGLONG Time)
{
	return (LONGLONG)Time * WDF_TIMEOUT_TO_US;
}

/* Timers */

typedef VOID EVT_WDF_TIMER(WDFTIMER Timer);
typedef EVT_WDF_TIMER *PFN_WDF_TIMER;

/* Linux' timers have a tick's resolution, and may be late as those of Windows. */
typedef struct _WDF_TIMER_CONFIG {
	ULONG Size;
	PFN_WDF_TIMER EvtTimerFunc;
	ULONG Period;		/* in ms */
	BOOLEAN AutomaticSerialization;
	ULONG TolerableDelay;	/* not looked at, as the next */
	WDF_TRI_STATE UseHighResolutionTimer;
} WDF_TIMER_CONFIG, *PWDF_TIMER_CONFIG;

static inline VOID WDF_TIMER_CONFIG_INIT_PERIODIC(PWDF_TIMER_CONFIG Config,
						  PFN_WDF_TIMER EvtTimerFunc, LONG Period)
{
	RtlZeroMemory(Config, sizeof(*Config));
	Config->Size = sizeof(*Config);
	Config->EvtTimerFunc = EvtTimerFunc;
	Config->Period = (ULONG)Period;
	Config->AutomaticSerialization = TRUE;
}

static inline VOID WDF_TIMER_CONFIG_INIT(PWDF_TIMER_CONFIG Config, PFN_WDF_TIMER EvtTimerFunc)
{
	WDF_TIMER_CONFIG_INIT_PERIODIC(Config, EvtTimerFunc, 0);
}

NTSTATUS WdfTimerCreate(_In_ PWDF_TIMER_CONFIG Config, _In_ PWDF_OBJECT_ATTRIBUTES Attributes,
			_Out_ WDFTIMER *Timer);
BOOLEAN WdfTimerStart(_In_ WDFTIMER Timer, _In_ LONGLONG DueTime);
BOOLEAN WdfTimerStop(_In_ WDFTIMER Timer, _In_ BOOLEAN Wait);
WDFOBJECT WdfTimerGetParentObject(_In_ WDFTIMER Timer);

/* Deferred procedure calls: at DISPATCH_LEVEL */

typedef VOID EVT_WDF_DPC(WDFDPC Dpc);
typedef EVT_WDF_DPC *PFN_WDF_DPC;

typedef struct _WDF_DPC_CONFIG {
	ULONG Size;
	PFN_WDF_DPC EvtDpcFunc;
	BOOLEAN AutomaticSerialization;
} WDF_DPC_CONFIG, *PWDF_DPC_CONFIG;

static inline VOID WDF_DPC_CONFIG_INIT(PWDF_DPC_CONFIG Config, PFN_WDF_DPC EvtDpcFunc)
{
	RtlZeroMemory(Config, sizeof(*Config));
	Config->Size = sizeof(*Config);
	Config->EvtDpcFunc = EvtDpcFunc;
	Config->AutomaticSerialization = TRUE;
}

NTSTATUS WdfDpcCreate(_In_ PWDF_DPC_CONFIG Config, _In_ PWDF_OBJECT_ATTRIBUTES Attributes,
		      _Out_ WDFDPC *Dpc);
BOOLEAN WdfDpcEnqueue(_In_ WDFDPC Dpc);
BOOLEAN WdfDpcCancel(_In_ WDFDPC Dpc, _In_ BOOLEAN Wait);
WDFOBJECT WdfDpcGetParentObject(_In_ WDFDPC Dpc);

/* Work items: at PASSIVE_LEVEL */

typedef VOID EVT_WDF_WORKITEM(WDFWORKITEM WorkItem);
typedef EVT_WDF_WORKITEM *PFN_WDF_WORKITEM;

typedef struct _WDF_WORKITEM_CONFIG {
	ULONG Size;
	PFN_WDF_WORKITEM EvtWorkItemFunc;
	BOOLEAN AutomaticSerialization;
} WDF_WORKITEM_CONFIG, *PWDF_WORKITEM_CONFIG;

static inline VOID WDF_WORKITEM_CONFIG_INIT(PWDF_WORKITEM_CONFIG Config,
					    PFN_WDF_WORKITEM EvtWorkItemFunc)
{
	RtlZeroMemory(Config, sizeof(*Config));
	Config->Size = sizeof(*Config);
	Config->EvtWorkItemFunc = EvtWorkItemFunc;
	Config->AutomaticSerialization = TRUE;
}

NTSTATUS WdfWorkItemCreate(_In_ PWDF_WORKITEM_CONFIG Config,
			   _In_ PWDF_OBJECT_ATTRIBUTES Attributes, _Out_ WDFWORKITEM *WorkItem);
VOID WdfWorkItemEnqueue(_In_ WDFWORKITEM WorkItem);
VOID WdfWorkItemFlush(_In_ WDFWORKITEM WorkItem);
WDFOBJECT WdfWorkItemGetParentObject(_In_ WDFWORKITEM WorkItem);

#endif /* _NT_WDF_TIMER_H */
