/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a thread waits for: events, semaphores, mutexes, fast and guarded mutexes,
 * time. Part of <wdm.h>; the functions are in nt/wait.c and nt/event.c.
 *
 * The structures are larger than Windows', and a driver does not look into them.
 * They may lie on the stack, and may be freed as soon as a wait for them has
 * returned.
 */
#ifndef _NT_WAIT_H
#define _NT_WAIT_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include <nt_mdl.h>
#include <ntstatus.h>

/* What a wait takes from an object. */
enum nt_object_type {
	NtNotificationObject,		/* nothing */
	NtSynchronizationObject,	/* one of its SignalState */
	NtMutexObject,			/* the same, and it is the thread's */
};

/* How every object begins that KeWaitForSingleObject() knows. */
typedef struct _DISPATCHER_HEADER {
	raw_spinlock_t Lock;		/* guards all that follows; see nt/wait.c */
	LONG SignalState;		/* how many waits it satisfies, if above 0 */
	UCHAR Type;
	ULONG AllWaits;			/* waits for it and for others at once */
	struct list_head Waiters;
} DISPATCHER_HEADER;

typedef enum _EVENT_TYPE {
	NotificationEvent,
	SynchronizationEvent,
} EVENT_TYPE;

typedef struct _KEVENT {
	DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KSEMAPHORE {
	DISPATCHER_HEADER Header;
	LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

struct task_struct;

/* Owned by a thread, as often as it waited for it. */
typedef struct _KMUTEX {
	DISPATCHER_HEADER Header;
	struct task_struct *Owner;
} KMUTEX, *PKMUTEX, *PRKMUTEX;

typedef enum _WAIT_TYPE {
	WaitAll,
	WaitAny,
} WAIT_TYPE;

/* A wait for an object. More than so many at once need memory of the caller's. */
#define THREAD_WAIT_OBJECTS	3
#define MAXIMUM_WAIT_OBJECTS	64

struct nt_waiter;
typedef struct _KWAIT_BLOCK {
	struct list_head Node;		/* guarded by the object's lock */
	DISPATCHER_HEADER *Object;
	struct nt_waiter *Waiter;
	ULONG Index;
} KWAIT_BLOCK, *PKWAIT_BLOCK;

/* Why a thread waits: only for a debugger's eyes, on Windows. */
typedef enum _KWAIT_REASON {
	Executive,
	FreePage,
	PageIn,
	PoolAllocation,
	DelayExecution,
	Suspended,
	UserRequest,
	WrExecutive,
	WrFreePage,
	WrPageIn,
	WrPoolAllocation,
	WrDelayExecution,
	WrSuspended,
	WrUserRequest,
} KWAIT_REASON;

/* Boosts of a waiter's priority, which are not given here. */
typedef LONG KPRIORITY;

#define IO_NO_INCREMENT		0
#define EVENT_INCREMENT		1
#define SEMAPHORE_INCREMENT	1

VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State);
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait);
LONG KeResetEvent(PRKEVENT Event);
LONG KeReadStateEvent(PRKEVENT Event);
VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit);
LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment,
			LONG Adjustment, BOOLEAN Wait);
LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore);
VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level);
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait);
LONG KeReadStateMutex(PRKMUTEX Mutex);
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
			       KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
			       PLARGE_INTEGER Timeout);
NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
				  KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
				  BOOLEAN Alertable, PLARGE_INTEGER Timeout,
				  PKWAIT_BLOCK WaitBlockArray);
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
				PLARGE_INTEGER Interval);

#define KeWaitForMutexObject	KeWaitForSingleObject

static inline VOID KeClearEvent(PRKEVENT Event)
{
	KeResetEvent(Event);
}

/* Holding one is APC_LEVEL on Windows; here it changes no level. */
typedef struct _FAST_MUTEX {
	struct mutex Mutex;	/* guards what its user says */
} FAST_MUTEX, *PFAST_MUTEX;

#define ExInitializeFastMutex(fast_mutex)	mutex_init(&(fast_mutex)->Mutex)

static inline VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
	mutex_lock(&FastMutex->Mutex);
}

static inline VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
	mutex_unlock(&FastMutex->Mutex);
}

static inline BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
	return mutex_trylock(&FastMutex->Mutex);
}

/* The same, for Windows' fast mutexes are guarded ones. */
typedef FAST_MUTEX KGUARDED_MUTEX, *PKGUARDED_MUTEX;

#define KeInitializeGuardedMutex(mutex)		ExInitializeFastMutex(mutex)
#define KeAcquireGuardedMutex(mutex)		ExAcquireFastMutex(mutex)
#define KeAcquireGuardedMutexUnsafe(mutex)	ExAcquireFastMutex(mutex)
#define KeReleaseGuardedMutex(mutex)		ExReleaseFastMutex(mutex)
#define KeReleaseGuardedMutexUnsafe(mutex)	ExReleaseFastMutex(mutex)
#define KeTryToAcquireGuardedMutex(mutex)	ExTryToAcquireFastMutex(mutex)
#define ExAcquireFastMutexUnsafe(mutex)		ExAcquireFastMutex(mutex)
#define ExReleaseFastMutexUnsafe(mutex)		ExReleaseFastMutex(mutex)

/* Times are in units of 100 ns. System time counts from the year 1601, in UTC. */
#define NT_TIME_UNIT_NS		100
#define NT_TIME_OF_1970		116444736000000000LL

static inline VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
	CurrentTime->QuadPart = ktime_get_real_ns() / NT_TIME_UNIT_NS +
				NT_TIME_OF_1970;
}

/* As the last tick left it. */
static inline VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
	CurrentTime->QuadPart = ktime_to_ns(ktime_get_coarse_real()) /
				NT_TIME_UNIT_NS + NT_TIME_OF_1970;
}

/* Since the system was started; time asleep counts. */
static inline ULONGLONG KeQueryInterruptTime(VOID)
{
	return ktime_to_ns(ktime_get_coarse_boottime()) / NT_TIME_UNIT_NS;
}

static inline ULONGLONG KeQueryInterruptTimePrecise(PULONG64 QpcTimeStamp)
{
	*QpcTimeStamp = ktime_get_ns() / NT_TIME_UNIT_NS;
	return ktime_get_boottime_ns() / NT_TIME_UNIT_NS;
}

/* Time asleep does not count. */
static inline ULONGLONG KeQueryUnbiasedInterruptTime(VOID)
{
	return ktime_to_ns(ktime_get_coarse()) / NT_TIME_UNIT_NS;
}

static inline VOID KeQueryTickCount(PLARGE_INTEGER CurrentCount)
{
	CurrentCount->QuadPart = get_jiffies_64() - INITIAL_JIFFIES;
}

/* How long a tick takes. */
static inline ULONG KeQueryTimeIncrement(VOID)
{
	return TICK_NSEC / NT_TIME_UNIT_NS;
}

/* In pieces, as a delay by a constant has a limit. */
static inline VOID KeStallExecutionProcessor(ULONG MicroSeconds)
{
	for (; MicroSeconds > USEC_PER_MSEC; MicroSeconds -= USEC_PER_MSEC)
		udelay(USEC_PER_MSEC);
	udelay(MicroSeconds);
}

/* 10 MHz, as of a Windows guest of Hyper-V. */
static inline LARGE_INTEGER
KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
	LARGE_INTEGER now = { .QuadPart = ktime_get_ns() / NT_TIME_UNIT_NS };

	if (PerformanceFrequency)
		PerformanceFrequency->QuadPart = NSEC_PER_SEC / NT_TIME_UNIT_NS;
	return now;
}

#endif /* _NT_WAIT_H */
