/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Debug output goes to the kernel log, in Windows' formats. Part of <wdm.h>; the functions
 * are in nt/debug.c and nt/format.c.
 */
#ifndef _NT_DEBUG_H
#define _NT_DEBUG_H

#include <linux/stdarg.h>

#include <ntdef.h>

#define DPFLTR_SYSTEM_ID	0
#define DPFLTR_PNPMGR_ID	15
#define DPFLTR_IHVVIDEO_ID	78
#define DPFLTR_IHVAUDIO_ID	79
#define DPFLTR_IHVNETWORK_ID	80
#define DPFLTR_IHVSTREAMING_ID	81
#define DPFLTR_IHVBUS_ID	82
#define DPFLTR_IHVDRIVER_ID	77
#define DPFLTR_DEFAULT_ID	101

#define DPFLTR_ERROR_LEVEL	0
#define DPFLTR_WARNING_LEVEL	1
#define DPFLTR_TRACE_LEVEL	2
#define DPFLTR_INFO_LEVEL	3
#define DPFLTR_MASK		0x80000000

ULONG DbgPrint(PCSTR Format, ...);
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...);
ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list arglist);
ULONG vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format,
			    va_list arglist);

/*
 * Microsoft's compiler drops the comma before arguments that are none, as in a driver's own
 * macro for lines of its log. By way of a second macro, as one argument of the first may be
 * a macro that stands for several.
 */
#ifdef __CHECKER__ /* sparse does not know of __VA_OPT__: it sees no arguments */
#define __NT_BEHIND(...)
#else
#define __NT_BEHIND(...)	__VA_OPT__(, __VA_ARGS__)
#endif

#define DbgPrint(...)		__NT_DBG_PRINT(__VA_ARGS__)
#define DbgPrintEx(...)		__NT_DBG_PRINT_EX(__VA_ARGS__)

#define __NT_DBG_PRINT(format, ...)	(DbgPrint)(format __NT_BEHIND(__VA_ARGS__))
#define __NT_DBG_PRINT_EX(component, level, format, ...)	\
	(DbgPrintEx)(component, level, format __NT_BEHIND(__VA_ARGS__))

#endif /* _NT_DEBUG_H */
