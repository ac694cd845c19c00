/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the client proper, written in Windows' words only, meets the system that it runs
 * on. All of this is called at PASSIVE_LEVEL.
 */
#ifndef IC_SYSTEM_H
#define IC_SYSTEM_H

#include <ntddk.h>

/* The hypervisor's counter of 100 ns since the machine was started. */
UINT64 IcSystemReferenceTime(void);

/*
 * It is HostTime now, in 100 ns since 1601; Sync: the host wants it to be taken over. What
 * the system does with it is its own affair. FALSE if there is no such time.
 */
BOOLEAN IcSystemHostTime(_In_ UINT64 HostTime, _In_ BOOLEAN Sync);

/* Begins to shut the system down in order, and returns. */
VOID IcSystemShutDown(_In_ BOOLEAN Restart);

#endif /* IC_SYSTEM_H */
