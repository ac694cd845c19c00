// SPDX-License-Identifier: GPL-2.0
/*
 * Events and semaphores, and threads that wait for them.
 *
 * As on Windows, the signaller of an object decides then and there which waits
 * that satisfies: two signals in a row release two threads, and a reset right
 * behind a signal takes it from no waiter. So each waiter has a mark of its own,
 * and the object's state is only for waits that begin later.
 *
 * A thread that waited always takes the object's lock last, and the signaller
 * holds it until done with object and waiter: the thread may free both.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/sched.h>

#include <ntddk.h>

/*
 * Idle, for Linux is not to complain of a driver's thread that waits for long.
 * Freezable, for such a wait is not to keep the system from being suspended: a thread
 * of a user's, or one that called set_freezable(), is frozen as it waits, and a signal
 * meanwhile is not lost. A driver may hold a fast mutex as it waits, and lockdep is not
 * to complain of that, hence _UNSAFE.
 */
#define NT_WAIT_STATE	(TASK_IDLE | TASK_FREEZABLE_UNSAFE)

/* On the stack of a thread that waits; guarded by the object's lock. */
struct nt_waiter {
	struct list_head node;
	struct task_struct *task;
	bool satisfied;
};

static void nt_object_init(DISPATCHER_HEADER *object, bool notification,
			   LONG state)
{
	raw_spin_lock_init(&object->Lock);
	object->Notification = notification;
	object->SignalState = state;
	INIT_LIST_HEAD(&object->Waiters);
}

/* Satisfies the wait that is the oldest, if there is one. Under the lock. */
static bool nt_object_release_one(DISPATCHER_HEADER *object)
{
	struct nt_waiter *waiter;

	waiter = list_first_entry_or_null(&object->Waiters, struct nt_waiter, node);
	if (!waiter)
		return false;

	list_del(&waiter->node);
	waiter->satisfied = true;
	wake_up_process(waiter->task);
	return true;
}

/**
 * KeInitializeEvent() - make an event
 * @Event: memory for it
 * @Type: NotificationEvent: stays signaled until reset, and releases all threads
 *	that wait. SynchronizationEvent: releases one, and is reset by that.
 * @State: TRUE: signaled
 *
 * Context: any.
 */
VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
	nt_object_init(&Event->Header, Type == NotificationEvent, !!State);
}
EXPORT_SYMBOL_GPL(KeInitializeEvent);

/**
 * KeSetEvent() - signal an event
 * @Event: the event
 * @Increment: not looked at
 * @Wait: not looked at: a wait may follow in any case
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: whether it was signaled before: 0 or 1.
 */
LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
	DISPATCHER_HEADER *object = &Event->Header;
	unsigned long flags;
	LONG old;

	raw_spin_lock_irqsave(&object->Lock, flags);
	old = object->SignalState;
	if (object->Notification) {
		object->SignalState = 1;
		while (nt_object_release_one(object))
			;
	} else if (!nt_object_release_one(object)) {
		object->SignalState = 1;
	}
	raw_spin_unlock_irqrestore(&object->Lock, flags);
	return old;
}
EXPORT_SYMBOL_GPL(KeSetEvent);

/**
 * KeResetEvent() - make an event not signaled
 * @Event: the event
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: whether it was signaled before: 0 or 1.
 */
LONG KeResetEvent(PRKEVENT Event)
{
	unsigned long flags;
	LONG old;

	raw_spin_lock_irqsave(&Event->Header.Lock, flags);
	old = Event->Header.SignalState;
	Event->Header.SignalState = 0;
	raw_spin_unlock_irqrestore(&Event->Header.Lock, flags);
	return old;
}
EXPORT_SYMBOL_GPL(KeResetEvent);

/**
 * KeReadStateEvent() - whether an event is signaled
 * @Event: the event. If it reads as signaled it may be freed.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: 0 or 1.
 */
LONG KeReadStateEvent(PRKEVENT Event)
{
	unsigned long flags;
	LONG state;

	/* A thread that has just signaled the event may not be done with it yet. */
	raw_spin_lock_irqsave(&Event->Header.Lock, flags);
	state = Event->Header.SignalState;
	raw_spin_unlock_irqrestore(&Event->Header.Lock, flags);
	return state;
}
EXPORT_SYMBOL_GPL(KeReadStateEvent);

/**
 * KeInitializeSemaphore() - make a semaphore
 * @Semaphore: memory for it
 * @Count: how many waits it satisfies
 * @Limit: the most that @Count may become
 *
 * Context: any.
 */
VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
	nt_object_init(&Semaphore->Header, false, Count);
	Semaphore->Limit = Limit;
}
EXPORT_SYMBOL_GPL(KeInitializeSemaphore);

/**
 * KeReleaseSemaphore() - let a semaphore satisfy more waits
 * @Semaphore: the semaphore
 * @Increment: not looked at
 * @Adjustment: how many more, above 0
 * @Wait: not looked at
 *
 * Beyond the limit Windows raises an exception, and there is none here. Then
 * nothing changes, with a line in the log.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: how many it satisfied before.
 */
LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment,
			LONG Adjustment, BOOLEAN Wait)
{
	DISPATCHER_HEADER *object = &Semaphore->Header;
	unsigned long flags;
	bool beyond;
	LONG old;

	raw_spin_lock_irqsave(&object->Lock, flags);
	old = object->SignalState;
	beyond = Adjustment <= 0 || Adjustment > Semaphore->Limit - old;
	if (!beyond) {
		while (Adjustment && nt_object_release_one(object))
			Adjustment--;
		object->SignalState += Adjustment;
	}
	raw_spin_unlock_irqrestore(&object->Lock, flags);

	if (beyond)
		pr_err_ratelimited("%pS releases a semaphore beyond its limit\n",
				   __builtin_return_address(0));
	return old;
}
EXPORT_SYMBOL_GPL(KeReleaseSemaphore);

/* When a Windows timeout will be over, on Linux' monotonic clock. */
static ktime_t nt_deadline(const LARGE_INTEGER *timeout)
{
	LARGE_INTEGER now;
	u64 units = 0;

	if (timeout->QuadPart < 0) {
		units = -(u64)timeout->QuadPart;
	} else {
		KeQuerySystemTimePrecise(&now);
		if (timeout->QuadPart > now.QuadPart)
			units = timeout->QuadPart - now.QuadPart;
	}
	/* More than 292 years are for ever. */
	if (units >= KTIME_MAX / NT_TIME_UNIT_NS)
		return KTIME_MAX;
	return ktime_add_safe(ktime_get(), ns_to_ktime(units * NT_TIME_UNIT_NS));
}

/* Under the lock, which is let go of meanwhile. A thaw may wake for nothing. */
static bool nt_sleep(DISPATCHER_HEADER *object, struct nt_waiter *waiter,
		     ktime_t *deadline)
	__must_hold(&object->Lock)
{
	bool over = false;

	while (!waiter->satisfied && !over) {
		__set_current_state(NT_WAIT_STATE);
		raw_spin_unlock_irq(&object->Lock);
		if (deadline)
			over = !schedule_hrtimeout(deadline, HRTIMER_MODE_ABS);
		else
			schedule();
		raw_spin_lock_irq(&object->Lock);
	}
	return waiter->satisfied;
}

/**
 * KeWaitForSingleObject() - wait until an object is signaled
 * @Object: a KEVENT or KSEMAPHORE; nothing else can be waited for here
 * @WaitReason: not looked at
 * @WaitMode: not looked at: no wait ends because its process is to end
 * @Alertable: not looked at: there are no alerts and APCs here
 * @Timeout: NULL: no limit. In units of 100 ns: negative: from now on; positive:
 *	the system time. 0: only look whether it is signaled. This project's
 *	decision: a clock that is set during the wait does not change its length.
 *
 * The system may be suspended meanwhile. The thread is frozen where it waits, with
 * what fast mutexes it holds.
 *
 * Context: PASSIVE_LEVEL; with a timeout of 0 up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS: it was signaled
 *  - STATUS_TIMEOUT: it was not
 */
NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason,
			       KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
			       PLARGE_INTEGER Timeout)
{
	DISPATCHER_HEADER *object = Object;
	struct nt_waiter waiter = { .task = current };
	bool poll = Timeout && !Timeout->QuadPart;
	NTSTATUS status = STATUS_SUCCESS;
	unsigned long flags;
	ktime_t deadline;

	if (!poll)
		might_sleep();
	if (Timeout && !poll)
		deadline = nt_deadline(Timeout);

	raw_spin_lock_irqsave(&object->Lock, flags);
	if (object->SignalState > 0) {
		if (!object->Notification)
			object->SignalState--;
	} else if (poll) {
		status = STATUS_TIMEOUT;
	} else {
		list_add_tail(&waiter.node, &object->Waiters);
		if (!nt_sleep(object, &waiter, Timeout ? &deadline : NULL)) {
			list_del(&waiter.node);
			status = STATUS_TIMEOUT;
		}
	}
	raw_spin_unlock_irqrestore(&object->Lock, flags);
	return status;
}
EXPORT_SYMBOL_GPL(KeWaitForSingleObject);

/**
 * KeDelayExecutionThread() - wait for time to pass
 * @WaitMode: not looked at
 * @Alertable: not looked at
 * @Interval: as the timeout of KeWaitForSingleObject(). 0: others may run.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: STATUS_SUCCESS.
 */
NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable,
				PLARGE_INTEGER Interval)
{
	ktime_t deadline;

	might_sleep();
	if (!Interval->QuadPart) {
		cond_resched();
		return STATUS_SUCCESS;
	}

	deadline = nt_deadline(Interval);
	do {
		__set_current_state(NT_WAIT_STATE);
	} while (schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS));
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(KeDelayExecutionThread);
