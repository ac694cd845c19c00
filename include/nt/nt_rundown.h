/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Rundown protection, and remove locks, which are the same for a device: many hold what
 * is theirs until one waits for all of them, and then no one else gets it. Part of
 * <wdm.h>; the functions are in nt/rundown.c.
 *
 * Both are larger than Windows', and must be initialized: zeroes are not enough.
 */
#ifndef _NT_RUNDOWN_H
#define _NT_RUNDOWN_H

#include <linux/atomic.h>

#include <ntdef.h>
#include <ntstatus.h>
#include <nt_wait.h>

typedef struct _EX_RUNDOWN_REF {
	atomic64_t Count;	/* twice the holders; odd once it is run down */
	KEVENT Released;	/* there is no holder any more, after there were some */
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef);
BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef, ULONG Count);
VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef);
VOID ExRundownCompleted(PEX_RUNDOWN_REF RunRef);

#define ExReInitializeRundownProtection(ref)	ExInitializeRundownProtection(ref)

static inline BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	return ExAcquireRundownProtectionEx(RunRef, 1);
}

static inline VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	ExReleaseRundownProtectionEx(RunRef, 1);
}

typedef struct _IO_REMOVE_LOCK {
	EX_RUNDOWN_REF Rundown;
} IO_REMOVE_LOCK, *PIO_REMOVE_LOCK;

/* The tag, the minutes and the mark are for debuggers only, on Windows. */
static inline VOID IoInitializeRemoveLock(PIO_REMOVE_LOCK Lock, ULONG AllocateTag,
					  ULONG MaxLockedMinutes, ULONG HighWatermark)
{
	UNREFERENCED_PARAMETER(AllocateTag);
	UNREFERENCED_PARAMETER(MaxLockedMinutes);
	UNREFERENCED_PARAMETER(HighWatermark);
	ExInitializeRundownProtection(&Lock->Rundown);
}

static inline NTSTATUS IoAcquireRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
	UNREFERENCED_PARAMETER(Tag);
	return ExAcquireRundownProtection(&RemoveLock->Rundown) ? STATUS_SUCCESS :
								  STATUS_DELETE_PENDING;
}

static inline VOID IoReleaseRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
	UNREFERENCED_PARAMETER(Tag);
	ExReleaseRundownProtection(&RemoveLock->Rundown);
}

/* Lets go of the caller's own hold, too. At PASSIVE_LEVEL. */
static inline VOID IoReleaseRemoveLockAndWait(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
	IoReleaseRemoveLock(RemoveLock, Tag);
	ExWaitForRundownProtectionRelease(&RemoveLock->Rundown);
}

#endif /* _NT_RUNDOWN_H */
