/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Codes of requests to a device, as numbers: protocols use them as well. Part of <wdm.h>.
 */
#ifndef _NT_DEVIOCTL_H
#define _NT_DEVIOCTL_H

#include <ntdef.h>

typedef ULONG DEVICE_TYPE;

#define FILE_DEVICE_CONTROLLER		0x00000004
#define FILE_DEVICE_DISK		0x00000007
#define FILE_DEVICE_KEYBOARD		0x0000000b
#define FILE_DEVICE_MOUSE		0x0000000f
#define FILE_DEVICE_NETWORK		0x00000012
#define FILE_DEVICE_SERIAL_PORT		0x0000001b
#define FILE_DEVICE_UNKNOWN		0x00000022
#define FILE_DEVICE_VIDEO		0x00000023
#define FILE_DEVICE_BUS_EXTENDER	0x0000002a

#define METHOD_BUFFERED		0
#define METHOD_IN_DIRECT	1
#define METHOD_OUT_DIRECT	2
#define METHOD_NEITHER		3

#define FILE_ANY_ACCESS		0
#define FILE_SPECIAL_ACCESS	FILE_ANY_ACCESS
#define FILE_READ_ACCESS	0x0001
#define FILE_WRITE_ACCESS	0x0002

#define CTL_CODE(type, function, method, access)	\
	((ULONG)(type) << 16 | (access) << 14 | (function) << 2 | (method))
#define DEVICE_TYPE_FROM_CTL_CODE(code)	((ULONG)(code) >> 16)
#define METHOD_FROM_CTL_CODE(code)	((ULONG)(code) & 3)

#endif /* _NT_DEVIOCTL_H */
