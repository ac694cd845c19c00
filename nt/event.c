// SPDX-License-Identifier: GPL-2.0
/* Events, semaphores and mutexes: see nt/wait.c for the threads that wait for them. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/sched.h>

#include <ntddk.h>

#include "object.h"

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
	nt_object_init(&Event->Header, Type == NotificationEvent ?
		       NtNotificationObject : NtSynchronizationObject, !!State);
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
	struct nt_hold hold;
	LONG old;

	nt_object_lock(&Event->Header, &hold);
	old = Event->Header.SignalState;
	Event->Header.SignalState = 1;
	nt_object_serve(&Event->Header);
	nt_object_unlock(&Event->Header, &hold);
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
	struct nt_hold hold;
	LONG old;

	nt_object_lock(&Event->Header, &hold);
	old = Event->Header.SignalState;
	Event->Header.SignalState = 0;
	nt_object_unlock(&Event->Header, &hold);
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
	return nt_object_state(&Event->Header);
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
	nt_object_init(&Semaphore->Header, NtSynchronizationObject, Count);
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
	struct nt_hold hold;
	bool beyond;
	LONG old;

	nt_object_lock(object, &hold);
	old = object->SignalState;
	beyond = Adjustment <= 0 || Adjustment > Semaphore->Limit - old;
	if (!beyond) {
		object->SignalState += Adjustment;
		nt_object_serve(object);
	}
	nt_object_unlock(object, &hold);

	if (beyond)
		pr_err_ratelimited("%pS releases a semaphore beyond its limit\n",
				   __builtin_return_address(0));
	return old;
}
EXPORT_SYMBOL_GPL(KeReleaseSemaphore);

/**
 * KeReadStateSemaphore() - how many waits a semaphore satisfies
 * @Semaphore: the semaphore
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as many; 0: it is not signaled.
 */
LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
	return nt_object_state(&Semaphore->Header);
}
EXPORT_SYMBOL_GPL(KeReadStateSemaphore);

/**
 * KeInitializeMutex() - make a mutex that no thread owns
 * @Mutex: memory for it
 * @Level: not looked at
 *
 * A wait for it makes the thread its owner, and is satisfied at once where it is.
 *
 * Context: any.
 */
VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
	nt_object_init(&Mutex->Header, NtMutexObject, 1);
	Mutex->Owner = NULL;
}
EXPORT_SYMBOL_GPL(KeInitializeMutex);

/**
 * KeReleaseMutex() - let go of a mutex, as often as the thread waited for it
 * @Mutex: the mutex
 * @Wait: not looked at
 *
 * Of a thread that does not own it Windows raises an exception, and there is none
 * here. Then nothing changes, with a line in the log.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: 0: it has no owner now, or the next one; below 0: the thread still owns it.
 */
LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
	DISPATCHER_HEADER *object = &Mutex->Header;
	struct nt_hold hold;
	bool owned;
	LONG old;

	nt_object_lock(object, &hold);
	old = object->SignalState;
	owned = Mutex->Owner == current;
	if (owned) {
		object->SignalState++;
		if (object->SignalState > 0)
			Mutex->Owner = NULL;
		nt_object_serve(object);
	}
	nt_object_unlock(object, &hold);

	if (!owned)
		pr_err_ratelimited("%pS releases a mutex that its thread does not own\n",
				   __builtin_return_address(0));
	return old;
}
EXPORT_SYMBOL_GPL(KeReleaseMutex);

/**
 * KeReadStateMutex() - whether a mutex is free
 * @Mutex: the mutex
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: 1: no thread owns it; 0 or below: one does.
 */
LONG KeReadStateMutex(PRKMUTEX Mutex)
{
	return nt_object_state(&Mutex->Header);
}
EXPORT_SYMBOL_GPL(KeReadStateMutex);
