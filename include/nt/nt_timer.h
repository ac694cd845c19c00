/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Timers, and calls at DISPATCH_LEVEL later. Part of <wdm.h>; the functions are in
 * nt/timer.c and nt/dpc.c.
 *
 * The structures are larger than Windows', and a driver does not look into them.
 */
#ifndef _NT_TIMER_H
#define _NT_TIMER_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/rbtree.h>

#include <ntdef.h>
#include <nt_wait.h>

struct _KDPC;
typedef VOID KDEFERRED_ROUTINE(struct _KDPC *Dpc, PVOID DeferredContext,
			       PVOID SystemArgument1, PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

typedef enum _KDPC_IMPORTANCE {
	LowImportance,
	MediumImportance,
	HighImportance,
	MediumHighImportance,
} KDPC_IMPORTANCE;

struct nt_dpc_queue;
typedef struct _KDPC {
	struct list_head Node;
	struct nt_dpc_queue *Queue;	/* where it is queued, or NULL */
	PKDEFERRED_ROUTINE DeferredRoutine;
	PVOID DeferredContext;
	PVOID SystemArgument1;
	PVOID SystemArgument2;
	KDPC_IMPORTANCE Importance;
	INT Processor;			/* -1: where it is queued from */
} KDPC, *PKDPC, *PRKDPC;

VOID KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
		     PVOID DeferredContext);
BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2);
BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc);
VOID KeFlushQueuedDpcs(void);

/* Its routine has to be fit for DISPATCH_LEVEL, too, and is called there. */
#define KeInitializeThreadedDpc(dpc, routine, context)	\
	KeInitializeDpc(dpc, routine, context)

/* Before it is queued. HighImportance: before the others of its processor. */
static inline VOID KeSetImportanceDpc(PRKDPC Dpc, KDPC_IMPORTANCE Importance)
{
	Dpc->Importance = Importance;
}

/* Before it is queued. A processor that is not there is as none. */
static inline VOID KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
	Dpc->Processor = Number;
}

typedef enum _TIMER_TYPE {
	NotificationTimer,
	SynchronizationTimer,
} TIMER_TYPE;

struct nt_clock;
typedef struct _KTIMER {
	DISPATCHER_HEADER Header;
	/* The rest is guarded by the lock of all timers. */
	struct rb_node Node;
	struct nt_clock *Clock;		/* that it is set by; NULL: it is not set */
	ktime_t Due;
	ULONG Period;			/* ms; 0: once */
	PKDPC Dpc;
} KTIMER, *PKTIMER, *PRKTIMER;

VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type);
BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc);
BOOLEAN KeCancelTimer(PKTIMER Timer);
BOOLEAN KeReadStateTimer(PKTIMER Timer);

static inline VOID KeInitializeTimer(PKTIMER Timer)
{
	KeInitializeTimerEx(Timer, NotificationTimer);
}

static inline BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
	return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/* Never later than a timer without a tolerance. */
static inline BOOLEAN KeSetCoalescableTimer(PKTIMER Timer, LARGE_INTEGER DueTime,
					    ULONG Period, ULONG TolerableDelay, PKDPC Dpc)
{
	UNREFERENCED_PARAMETER(TolerableDelay);
	return KeSetTimerEx(Timer, DueTime, Period, Dpc);
}

#endif /* _NT_TIMER_H */
