// SPDX-License-Identifier: GPL-2.0
/* Rundown protection. */
#include <linux/atomic.h>
#include <linux/export.h>

#include <ntddk.h>

#define NT_RUN_DOWN	1	/* a bit of the count */
#define NT_HOLDER	2	/* one of the rest */

/**
 * ExInitializeRundownProtection() - make something that can be held
 * @RunRef: memory for it; or after it was run down, to be held again: this is
 *	ExReInitializeRundownProtection(), too
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	KeInitializeEvent(&RunRef->Released, NotificationEvent, FALSE);
	atomic64_set(&RunRef->Count, 0);
}
EXPORT_SYMBOL_GPL(ExInitializeRundownProtection);

/**
 * ExAcquireRundownProtectionEx() - hold it several times
 * @RunRef: what is held
 * @Count: how often; ExAcquireRundownProtection(): once
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: TRUE; FALSE: it is being run down, or has been, and is not held.
 */
BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
	s64 old = atomic64_read(&RunRef->Count);

	do {
		if (old & NT_RUN_DOWN)
			return FALSE;
	} while (!atomic64_try_cmpxchg(&RunRef->Count, &old, old + (s64)Count * NT_HOLDER));
	return TRUE;
}
EXPORT_SYMBOL_GPL(ExAcquireRundownProtectionEx);

/**
 * ExReleaseRundownProtectionEx() - let go of it several times
 * @RunRef: what is held
 * @Count: how often; ExReleaseRundownProtection(): once
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count)
{
	/* The thread that waits does so until the event, so it is there for the last holder. */
	if (atomic64_sub_return((s64)Count * NT_HOLDER, &RunRef->Count) == NT_RUN_DOWN)
		KeSetEvent(&RunRef->Released, IO_NO_INCREMENT, FALSE);
}
EXPORT_SYMBOL_GPL(ExReleaseRundownProtectionEx);

/**
 * ExWaitForRundownProtectionRelease() - run it down: wait until it is held no more
 * @RunRef: what no one gets from now on
 *
 * Context: PASSIVE_LEVEL, by a thread that does not hold it.
 */
VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
	if (atomic64_fetch_or(NT_RUN_DOWN, &RunRef->Count) & ~(s64)NT_RUN_DOWN)
		KeWaitForSingleObject(&RunRef->Released, Executive, KernelMode, FALSE, NULL);
}
EXPORT_SYMBOL_GPL(ExWaitForRundownProtectionRelease);

/**
 * ExRundownCompleted() - say that it has been run down
 * @RunRef: what is not held any more, and cannot be from now on
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef)
{
	atomic64_set(&RunRef->Count, NT_RUN_DOWN);
}
EXPORT_SYMBOL_GPL(ExRundownCompleted);
