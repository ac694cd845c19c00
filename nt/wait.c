// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that wait for objects: for one, for any of several, for all of several.
 *
 * As on Windows, the signaller of an object decides then and there which waits
 * that satisfies: two signals in a row release two threads, and a reset right
 * behind a signal takes it from no waiter. So each waiter has a result of its own,
 * which is set once, and the object's state is only for waits that begin later.
 *
 * A thread that waited always takes the locks of its objects last, and the signaller
 * holds one of them until done with object and waiter: the thread may free both.
 *
 * A wait for all takes from all of its objects at once. While there is such a wait
 * for an object, nt_all_lock is held whenever the object's state is looked at or
 * changed, and whoever holds that may do so with the other objects of the wait as well.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/export.h>
#include <linux/hrtimer.h>
#include <linux/sched.h>

#include <ntddk.h>

#include "nt.h"
#include "object.h"

/*
 * Idle, for Linux is not to complain of a driver's thread that waits for long.
 * Freezable, for such a wait is not to keep the system from being suspended: a thread
 * of a user's, or one that called set_freezable(), is frozen as it waits, and a signal
 * meanwhile is not lost. A driver may hold a fast mutex as it waits, and lockdep is not
 * to complain of that, hence _UNSAFE.
 */
#define NT_WAIT_STATE	(TASK_IDLE | TASK_FREEZABLE_UNSAFE)

/* On the stack of a thread that waits. */
struct nt_waiter {
	struct task_struct *task;
	KWAIT_BLOCK *blocks;	/* one for each object */
	ULONG count;
	bool all;
	bool poll;		/* only looks, and is in no object's list */
	atomic_t result;	/* STATUS_PENDING until one sets it, by cmpxchg */
};

/* Guards waits for all of several objects. Outside the objects' locks. */
static DEFINE_RAW_SPINLOCK(nt_all_lock);

void nt_object_init(DISPATCHER_HEADER *object, UCHAR type, LONG state)
{
	raw_spin_lock_init(&object->Lock);
	object->Type = type;
	object->AllWaits = 0;
	object->SignalState = state;
	INIT_LIST_HEAD(&object->Waiters);
}

/* At any level. Waits for all begin and end under the lock, so their number stays. */
void nt_object_lock(DISPATCHER_HEADER *object, struct nt_hold *hold)
	__acquires(&object->Lock)
{
	raw_spin_lock_irqsave(&object->Lock, hold->flags);
	hold->all = object->AllWaits;
	if (!hold->all)
		return;

	raw_spin_unlock(&object->Lock);
	raw_spin_lock(&nt_all_lock);
	__release(&nt_all_lock); /* for sparse, which knows no ifs */
	raw_spin_lock(&object->Lock);
}

void nt_object_unlock(DISPATCHER_HEADER *object, struct nt_hold *hold)
	__releases(&object->Lock)
{
	if (!hold->all) {
		raw_spin_unlock_irqrestore(&object->Lock, hold->flags);
		return;
	}

	raw_spin_unlock(&object->Lock);
	__acquire(&nt_all_lock);
	raw_spin_unlock_irqrestore(&nt_all_lock, hold->flags);
}

/* Under the lock: whether a wait of a thread's would be satisfied. */
static bool nt_object_is_for(const DISPATCHER_HEADER *object,
			     const struct task_struct *task)
{
	return object->SignalState > 0 ||
	       (object->Type == NtMutexObject &&
		container_of(object, KMUTEX, Header)->Owner == task);
}

/* Under the lock: a wait is satisfied. */
static void nt_object_take(DISPATCHER_HEADER *object, struct task_struct *task)
{
	if (object->Type == NtMutexObject)
		container_of(object, KMUTEX, Header)->Owner = task;
	if (object->Type != NtNotificationObject)
		object->SignalState--;
}

/* Under nt_all_lock. */
static bool nt_all_are_for(const struct nt_waiter *waiter)
{
	ULONG i;

	for (i = 0; i < waiter->count; i++)
		if (!nt_object_is_for(waiter->blocks[i].Object, waiter->task))
			return false;
	return true;
}

static bool nt_waiter_end(struct nt_waiter *waiter, NTSTATUS result)
{
	return atomic_cmpxchg(&waiter->result, STATUS_PENDING, result) == STATUS_PENDING;
}

/* Under the lock, for all of them nt_all_lock: satisfies a wait, if it is not over. */
static bool nt_waiter_satisfy(struct nt_waiter *waiter, ULONG index)
{
	ULONG i;

	if (!nt_waiter_end(waiter, STATUS_WAIT_0 + index))
		return false;

	if (!waiter->all)
		nt_object_take(waiter->blocks[index].Object, waiter->task);
	for (i = 0; waiter->all && i < waiter->count; i++)
		nt_object_take(waiter->blocks[i].Object, waiter->task);
	return true;
}

/* Satisfies the waits for an object that is signaled, the oldest first. Under the lock. */
void nt_object_serve(DISPATCHER_HEADER *object)
{
	KWAIT_BLOCK *block, *next;

	list_for_each_entry_safe(block, next, &object->Waiters, Node) {
		struct nt_waiter *waiter = block->Waiter;

		if (object->SignalState <= 0)
			break;
		/* A wait that is over may have left its other objects already. */
		if (waiter->all && atomic_read(&waiter->result) == STATUS_PENDING &&
		    !nt_all_are_for(waiter))
			continue;
		list_del_init(&block->Node);
		if (nt_waiter_satisfy(waiter, waiter->all ? 0 : block->Index))
			wake_up_process(waiter->task);
	}
}

LONG nt_object_state(DISPATCHER_HEADER *object)
{
	struct nt_hold hold;
	LONG state;

	/* A thread that has just signaled the object may not be done with it yet. */
	nt_object_lock(object, &hold);
	state = object->SignalState;
	nt_object_unlock(object, &hold);
	return state;
}

/* The objects one after the other, until one of them is signaled. */
static void nt_wait_for_any(struct nt_waiter *waiter)
{
	struct nt_hold hold;
	ULONG i;

	for (i = 0; i < waiter->count; i++) {
		KWAIT_BLOCK *block = &waiter->blocks[i];

		nt_object_lock(block->Object, &hold);
		if (nt_object_is_for(block->Object, waiter->task))
			nt_waiter_satisfy(waiter, i);
		else if (!waiter->poll)
			list_add_tail(&block->Node, &block->Object->Waiters);
		nt_object_unlock(block->Object, &hold);
		if (atomic_read(&waiter->result) != STATUS_PENDING)
			break;
	}
}

static void nt_wait_for_all(struct nt_waiter *waiter)
{
	unsigned long flags;
	ULONG i;

	raw_spin_lock_irqsave(&nt_all_lock, flags);
	for (i = 0; i < waiter->count; i++) {
		KWAIT_BLOCK *block = &waiter->blocks[i];

		raw_spin_lock(&block->Object->Lock);
		block->Object->AllWaits++;
		if (!waiter->poll)
			list_add_tail(&block->Node, &block->Object->Waiters);
		raw_spin_unlock(&block->Object->Lock);
	}
	if (nt_all_are_for(waiter))
		nt_waiter_satisfy(waiter, 0);
	raw_spin_unlock_irqrestore(&nt_all_lock, flags);
}

static void nt_sleep(struct nt_waiter *waiter, ktime_t *deadline)
{
	bool over = false;

	/* A thaw may wake for nothing. */
	while (!over) {
		/* Its barrier: a signaller sees the state, or this thread the result. */
		set_current_state(NT_WAIT_STATE);
		if (atomic_read(&waiter->result) != STATUS_PENDING)
			break;
		if (deadline)
			over = !schedule_hrtimeout(deadline, HRTIMER_MODE_ABS);
		else
			schedule();
	}
	__set_current_state(TASK_RUNNING);
}

/* The last that a wait has to do with its objects. */
static void nt_wait_end(struct nt_waiter *waiter)
{
	struct nt_hold hold;
	ULONG i;

	for (i = 0; i < waiter->count; i++) {
		KWAIT_BLOCK *block = &waiter->blocks[i];

		nt_object_lock(block->Object, &hold);
		list_del_init(&block->Node);
		if (waiter->all)
			block->Object->AllWaits--;
		nt_object_unlock(block->Object, &hold);
	}
}

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
	return ktime_add_safe(ktime_get(), nt_units_to_ktime(units));
}

static NTSTATUS nt_wait(PVOID *objects, KWAIT_BLOCK *blocks, ULONG count, bool all,
			const LARGE_INTEGER *timeout)
{
	struct nt_waiter waiter = {
		.task = current,
		.blocks = blocks,
		.count = count,
		.all = all,
		.poll = timeout && !timeout->QuadPart,
		.result = ATOMIC_INIT(STATUS_PENDING),
	};
	ktime_t deadline;
	ULONG i;

	if (!waiter.poll)
		might_sleep();
	if (timeout && !waiter.poll)
		deadline = nt_deadline(timeout);

	for (i = 0; i < count; i++) {
		blocks[i].Object = objects[i];
		blocks[i].Waiter = &waiter;
		blocks[i].Index = i;
		INIT_LIST_HEAD(&blocks[i].Node);
	}
	if (all)
		nt_wait_for_all(&waiter);
	else
		nt_wait_for_any(&waiter);
	if (!waiter.poll)
		nt_sleep(&waiter, timeout ? &deadline : NULL);
	nt_waiter_end(&waiter, STATUS_TIMEOUT);
	nt_wait_end(&waiter);
	return atomic_read(&waiter.result);
}

/**
 * KeWaitForSingleObject() - wait until an object is signaled
 * @Object: a KEVENT, KSEMAPHORE, KMUTEX or KTIMER, or a thread
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
	KWAIT_BLOCK block;

	return nt_wait(&Object, &block, 1, false, Timeout);
}
EXPORT_SYMBOL_GPL(KeWaitForSingleObject);

/* Whether an object is there twice, which a wait for all could never take. */
static bool nt_is_twice(ULONG count, PVOID objects[])
{
	ULONG i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < i; j++)
			if (objects[i] == objects[j])
				return true;
	return false;
}

/**
 * KeWaitForMultipleObjects() - wait until any or all of several objects are signaled
 * @Count: how many, up to MAXIMUM_WAIT_OBJECTS
 * @Object: the objects, see KeWaitForSingleObject() also for what is not said here
 * @WaitType: WaitAny: for one of them; only its state changes. WaitAll: until all are
 *	signaled at the same time; none of their states changes before.
 * @WaitReason: not looked at
 * @WaitMode: not looked at
 * @Alertable: not looked at
 * @Timeout: as of KeWaitForSingleObject()
 * @WaitBlockArray: memory for the wait, @Count of them; may be NULL for up to
 *	THREAD_WAIT_OBJECTS objects
 *
 * Context: PASSIVE_LEVEL; with a timeout of 0 up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS: all were signaled
 *  - STATUS_WAIT_0 and the index of the object that was signaled, for WaitAny: of those
 *    that are signaled before the wait it is the first
 *  - STATUS_TIMEOUT
 *
 *  This project's decision, where Windows stops the machine, with a line in the log:
 *
 *  - STATUS_INVALID_PARAMETER_1: no objects, or too many
 *  - STATUS_INVALID_PARAMETER_2: an object is there twice, for WaitAll
 *  - STATUS_INVALID_PARAMETER_8: no memory for so many
 */
NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[], WAIT_TYPE WaitType,
				  KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
				  BOOLEAN Alertable, PLARGE_INTEGER Timeout,
				  PKWAIT_BLOCK WaitBlockArray)
{
	KWAIT_BLOCK blocks[THREAD_WAIT_OBJECTS];
	NTSTATUS status = STATUS_SUCCESS;

	if (!Count || Count > MAXIMUM_WAIT_OBJECTS)
		status = STATUS_INVALID_PARAMETER_1;
	else if (WaitType == WaitAll && nt_is_twice(Count, Object))
		status = STATUS_INVALID_PARAMETER_2;
	else if (!WaitBlockArray && Count > THREAD_WAIT_OBJECTS)
		status = STATUS_INVALID_PARAMETER_8;
	if (status) {
		pr_err_ratelimited("%pS waits for %u objects as cannot be: status %x\n",
				   __builtin_return_address(0), Count, status);
		return status;
	}
	return nt_wait(Object, WaitBlockArray ?: blocks, Count, WaitType == WaitAll,
		       Timeout);
}
EXPORT_SYMBOL_GPL(KeWaitForMultipleObjects);

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
