/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Spin locks and wait locks. Part of <wdf.h>; the functions are in wdf/lock.c. */
#ifndef _NT_WDF_LOCK_H
#define _NT_WDF_LOCK_H

#include <ntddk.h>

#include <wdf_object.h>

VOID WdfSpinLockAcquire(_In_ WDFSPINLOCK SpinLock);
VOID WdfSpinLockRelease(_In_ WDFSPINLOCK SpinLock);
NTSTATUS WdfWaitLockAcquire(_In_ WDFWAITLOCK Lock, _In_opt_ PLONGLONG Timeout);
VOID WdfWaitLockRelease(_In_ WDFWAITLOCK Lock);

#ifdef __KERNEL__
NTSTATUS linux_wdf_spin_lock_create(struct linux_kmdf_driver *driver,
				    PWDF_OBJECT_ATTRIBUTES attributes, WDFSPINLOCK *lock,
				    struct lock_class_key *key);
NTSTATUS linux_wdf_wait_lock_create(struct linux_kmdf_driver *driver,
				    PWDF_OBJECT_ATTRIBUTES attributes, WDFWAITLOCK *lock);

/* For lockdep, each place that makes locks makes a class of them. */
#define WdfSpinLockCreate(attributes, lock)	({			\
	static struct lock_class_key __key;				\
									\
	linux_wdf_spin_lock_create(&LINUX_KMDF_DRIVER, attributes, lock, &__key); \
})

#define WdfWaitLockCreate(attributes, lock)	\
	linux_wdf_wait_lock_create(&LINUX_KMDF_DRIVER, attributes, lock)
#else
NTSTATUS WdfSpinLockCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes,
			   _Out_ WDFSPINLOCK *SpinLock);
NTSTATUS WdfWaitLockCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes,
			   _Out_ WDFWAITLOCK *Lock);
#endif

#endif /* _NT_WDF_LOCK_H */
