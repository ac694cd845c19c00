/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Interrupt request levels, seen in Linux' contexts, and spin locks, which raise
 * them. Part of <wdm.h>.
 */
#ifndef _NT_IRQL_H
#define _NT_IRQL_H

#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include <ntdef.h>

#define PASSIVE_LEVEL		0
#define APC_LEVEL		1
#define DISPATCH_LEVEL		2
#define HIGH_LEVEL		15

typedef UCHAR KIRQL, *PKIRQL;

#define PAGED_CODE()		might_sleep()

/*
 * HIGH_LEVEL in a hard interrupt, PASSIVE_LEVEL where one may sleep, else
 * DISPATCH_LEVEL: also with interrupts off in a process, for Linux turns them off
 * where Windows only raises to DISPATCH_LEVEL, and within rcu_read_lock().
 *
 * On PREEMPT_RT a task that holds a spinlock has interrupts and preemption on, but is
 * within rcu_read_lock(), which is how it is seen; softirqs have a count of the
 * task's own.
 *
 * What no kernel shows: on PREEMPT_RT an interrupt handler or irq_work that has become
 * a thread, unless it turns bottom halves off, is PASSIVE_LEVEL, and may sleep indeed.
 * A kernel without PREEMPT_COUNT does not know of spinlocks held and of
 * rcu_read_lock(), but of bottom halves that are off, and those are what
 * KeAcquireSpinLock() turns off.
 */
static inline KIRQL KeGetCurrentIrql(VOID)
{
	if (in_hardirq() || in_nmi())
		return HIGH_LEVEL;
	if (preempt_count() || softirq_count() || rcu_preempt_depth() || irqs_disabled())
		return DISPATCH_LEVEL;
	return PASSIVE_LEVEL;
}

/*
 * DISPATCH_LEVEL is bottom halves off. A level is absolute, as on Windows: only the
 * first raise turns them off, and lowering to less than DISPATCH_LEVEL turns them on,
 * however many raises there were. With interrupts off they are off already, and must
 * not be turned on again. Raising to APC_LEVEL is nothing, and there is no way to a
 * higher level than DISPATCH_LEVEL.
 *
 * Where Linux is at DISPATCH_LEVEL with bottom halves on, as under spin_lock(), the
 * old level is told as APC_LEVEL: less than DISPATCH_LEVEL, to be lowered to, and not
 * one to sleep at.
 */
static inline VOID KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
	KIRQL old = KeGetCurrentIrql();

	if (NewIrql >= DISPATCH_LEVEL && !softirq_count() && !irqs_disabled()) {
		local_bh_disable();
		if (old == DISPATCH_LEVEL)
			old = APC_LEVEL;
	}
	*OldIrql = old;
}

/* A softirq runs at DISPATCH_LEVEL until it returns. */
static inline VOID KeLowerIrql(KIRQL NewIrql)
{
	if (NewIrql < DISPATCH_LEVEL && softirq_count() && !in_serving_softirq() &&
	    !irqs_disabled())
		local_bh_enable();
}

static inline KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
	KIRQL old;

	KeRaiseIrql(DISPATCH_LEVEL, &old);
	return old;
}

/*
 * A lock is larger than Windows' one word. It must be initialized: zeroes are not
 * enough. For lockdep, each place that initializes locks makes a class of them.
 */
typedef spinlock_t KSPIN_LOCK, *PKSPIN_LOCK;

#define KeInitializeSpinLock(lock)	spin_lock_init(lock)

static inline VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
	__acquires(SpinLock)
{
	spin_lock(SpinLock);
}

static inline VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
	__releases(SpinLock)
{
	spin_unlock(SpinLock);
}

static inline VOID KeAcquireSpinLock(PKSPIN_LOCK SpinLock, PKIRQL OldIrql)
	__acquires(SpinLock)
{
	KeRaiseIrql(DISPATCH_LEVEL, OldIrql);
	spin_lock(SpinLock);
}

static inline KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
	__acquires(SpinLock)
{
	KIRQL old;

	KeAcquireSpinLock(SpinLock, &old);
	return old;
}

#define KeTryToAcquireSpinLockAtDpcLevel(lock)	((BOOLEAN)spin_trylock(lock))

static inline VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
	__releases(SpinLock)
{
	spin_unlock(SpinLock);
	KeLowerIrql(NewIrql);
}

/* Linux' spin locks are queued ones, and need no such handle. */
typedef struct _KLOCK_QUEUE_HANDLE {
	PKSPIN_LOCK Lock;
	KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

static inline VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock,
						  PKLOCK_QUEUE_HANDLE LockHandle)
	__acquires(LockHandle->Lock)
{
	LockHandle->Lock = SpinLock;
	KeAcquireSpinLock(SpinLock, &LockHandle->OldIrql);
}

static inline VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
	__releases(LockHandle->Lock)
{
	KeReleaseSpinLock(LockHandle->Lock, LockHandle->OldIrql);
}

static inline VOID
KeAcquireInStackQueuedSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock,
					 PKLOCK_QUEUE_HANDLE LockHandle)
	__acquires(LockHandle->Lock)
{
	LockHandle->Lock = SpinLock;
	spin_lock(SpinLock);
}

static inline VOID
KeReleaseInStackQueuedSpinLockFromDpcLevel(PKLOCK_QUEUE_HANDLE LockHandle)
	__releases(LockHandle->Lock)
{
	spin_unlock(LockHandle->Lock);
}

#endif /* _NT_IRQL_H */
