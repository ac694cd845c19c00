/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The few words of Windows' driver framework that lead to the KMCL table. A
 * framework handle stands for a Linux device and carries nothing else. NULL is
 * a good handle for a module that is bound to no device.
 *
 * Apart from the part for Linux it also compiles on Windows' own headers: a
 * client can be checked against those without the framework's.
 */
#ifndef _NT_WDF_H
#define _NT_WDF_H

#include <ntddk.h>

typedef struct WDFDEVICE__ *WDFDEVICE;
typedef struct WDFIOTARGET__ *WDFIOTARGET;

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

static inline PDEVICE_OBJECT WdfDeviceWdmGetDeviceObject(WDFDEVICE Device)
{
	return (PDEVICE_OBJECT)Device;
}

#ifdef __KERNEL__
/* For the Linux side of a ported driver: where its handles come from. */
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
