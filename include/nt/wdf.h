/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Windows' driver framework, KMDF, as far as a VMBus client driver needs it: docs/kmdf.md
 * tells what is there and what each word is on Linux. The functions are in the module
 * vmbkmcl_wdf, but for the two that ask for a table of KMCL's functions.
 *
 * Apart from the parts for Linux all of it also compiles on Windows' own headers: a driver
 * can be checked against those without the framework's.
 */
#ifndef _NT_WDF_H
#define _NT_WDF_H

#include <ntddk.h>

#include <wdfstatus.h>

#include <wdf_object.h>
#include <wdf_driver.h>
#include <wdf_device.h>
#include <wdf_lock.h>
#include <wdf_timer.h>
#include <wdf_memory.h>
#ifdef __KERNEL__
#include <wdf_missing.h>
#endif

/*
 * Both answer from vmbkmcl, the one provider of interfaces here. The handle
 * chooses nothing: there is a single VMBus.
 */
NTSTATUS WdfFdoQueryForInterface(_In_ WDFDEVICE Fdo,
				 _In_ LPCGUID InterfaceType,
				 _Out_ PINTERFACE Interface,
				 _In_ USHORT Size, _In_ USHORT Version,
				 _In_opt_ PVOID InterfaceSpecificData);

NTSTATUS WdfIoTargetQueryForInterface(_In_ WDFIOTARGET IoTarget,
				      _In_ LPCGUID InterfaceType,
				      _Out_ PINTERFACE Interface,
				      _In_ USHORT Size, _In_ USHORT Version,
				      _In_opt_ PVOID InterfaceSpecificData);

#ifdef __KERNEL__
/* For the Linux side of a driver that is ported without KMDF: where its handles come from. */
static inline WDFDEVICE linux_device_to_wdfdevice(struct device *dev)
{
	return (WDFDEVICE)dev;
}

static inline WDFIOTARGET linux_device_to_wdfiotarget(struct device *dev)
{
	return (WDFIOTARGET)dev;
}
#endif /* __KERNEL__ */

#endif /* _NT_WDF_H */
