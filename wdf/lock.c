// SPDX-License-Identifier: GPL-2.0
/* Spin locks, and locks that are waited for. */
#include <linux/export.h>

#include "framework.h"

struct wdf_spin_lock {
	KSPIN_LOCK lock;	/* guards what the driver says, and the next */
	KIRQL level;		/* to which its holder goes back */
};

static const struct wdf_kind wdf_spin_lock_kind = {
	.name = "spin lock",
	.size = sizeof(struct wdf_spin_lock),
};

/* Free while it is signaled. */
struct wdf_wait_lock {
	KEVENT free;
};

static const struct wdf_kind wdf_wait_lock_kind = {
	.name = "wait lock",
	.size = sizeof(struct wdf_wait_lock),
};

/* What WdfSpinLockCreate() calls. */
NTSTATUS linux_wdf_spin_lock_create(struct linux_kmdf_driver *driver,
				    PWDF_OBJECT_ATTRIBUTES attributes, WDFSPINLOCK *lock,
				    struct lock_class_key *key)
{
	struct wdf_spin_lock *spin;
	NTSTATUS status;
	void *body;

	status = wdf_object_make(&wdf_spin_lock_kind, driver, attributes, &body);
	if (!NT_SUCCESS(status))
		return status;
	spin = body;
	KeInitializeSpinLock(&spin->lock);
	lockdep_set_class_and_name(&spin->lock, key, "WDFSPINLOCK");
	status = wdf_object_add(body);
	if (NT_SUCCESS(status))
		*lock = body;
	return status;
}
EXPORT_SYMBOL_GPL(linux_wdf_spin_lock_create);

/**
 * WdfSpinLockAcquire() - take a spin lock
 * @SpinLock: the lock
 *
 * Context: up to DISPATCH_LEVEL, which it raises to.
 */
VOID WdfSpinLockAcquire(WDFSPINLOCK SpinLock)
{
	struct wdf_spin_lock *spin = wdf_get(SpinLock, &wdf_spin_lock_kind);
	KIRQL level;

	if (!spin)
		return;
	KeAcquireSpinLock(&spin->lock, &level);
	spin->level = level;
	/* For sparse: WdfSpinLockRelease() releases it. */
	__release(&spin->lock);
}
EXPORT_SYMBOL_GPL(WdfSpinLockAcquire);

/**
 * WdfSpinLockRelease() - let go of a spin lock
 * @SpinLock: the lock, which the caller has
 */
VOID WdfSpinLockRelease(WDFSPINLOCK SpinLock)
{
	struct wdf_spin_lock *spin = wdf_get(SpinLock, &wdf_spin_lock_kind);

	if (!spin)
		return;
	__acquire(&spin->lock);
	KeReleaseSpinLock(&spin->lock, spin->level);
}
EXPORT_SYMBOL_GPL(WdfSpinLockRelease);

/* What WdfWaitLockCreate() calls. */
NTSTATUS linux_wdf_wait_lock_create(struct linux_kmdf_driver *driver,
				    PWDF_OBJECT_ATTRIBUTES attributes, WDFWAITLOCK *lock)
{
	struct wdf_wait_lock *wait;
	NTSTATUS status;
	void *body;

	status = wdf_object_make(&wdf_wait_lock_kind, driver, attributes, &body);
	if (!NT_SUCCESS(status))
		return status;
	wait = body;
	KeInitializeEvent(&wait->free, SynchronizationEvent, TRUE);
	status = wdf_object_add(body);
	if (NT_SUCCESS(status))
		*lock = body;
	return status;
}
EXPORT_SYMBOL_GPL(linux_wdf_wait_lock_create);

/**
 * WdfWaitLockAcquire() - take a wait lock
 * @Lock: the lock. One that the caller has already is never had.
 * @Timeout: NULL: wait for ever; as of KeWaitForSingleObject(), 0 is not at all
 *
 * Context: PASSIVE_LEVEL; with a @Timeout of 0 up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_TIMEOUT: a success, but the caller does not have the lock
 *  - STATUS_INVALID_HANDLE: no such lock (this project's decision)
 */
NTSTATUS WdfWaitLockAcquire(WDFWAITLOCK Lock, PLONGLONG Timeout)
{
	struct wdf_wait_lock *wait = wdf_get(Lock, &wdf_wait_lock_kind);
	LARGE_INTEGER timeout;

	if (!wait)
		return STATUS_INVALID_HANDLE;
	if (Timeout)
		timeout.QuadPart = *Timeout;
	return KeWaitForSingleObject(&wait->free, Executive, KernelMode, FALSE,
				     Timeout ? &timeout : NULL);
}
EXPORT_SYMBOL_GPL(WdfWaitLockAcquire);

/**
 * WdfWaitLockRelease() - let go of a wait lock
 * @Lock: the lock, which the caller has
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfWaitLockRelease(WDFWAITLOCK Lock)
{
	struct wdf_wait_lock *wait = wdf_get(Lock, &wdf_wait_lock_kind);

	if (wait)
		KeSetEvent(&wait->free, IO_NO_INCREMENT, FALSE);
}
EXPORT_SYMBOL_GPL(WdfWaitLockRelease);
