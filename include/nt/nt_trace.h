/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Microsoft's software tracing (WPP), as lines of the kernel log. On Windows a preprocessor
 * of its own makes a header for each source file, NAME.tmh; here vmbkmcl.mk makes headers
 * that include this one. It comes behind the driver's WPP_CONTROL_GUIDS, whose flags
 * become numbers, and says nothing of which are on: all are.
 *
 * nt/format.c has the formats, %!STATUS!, %!FUNC! and their like among them.
 */
#ifndef _NT_TRACE_H
#define _NT_TRACE_H

#include <evntrace.h>
#include <wdm.h>

void nt_trace(const char *function, ULONG level, const char *format, ...);

#define __NT_TRACE(level, format, ...)	\
	nt_trace(__func__, level, format __NT_BEHIND(__VA_ARGS__))

#define WPP_INIT_TRACING(...)		((void)0)
#define WPP_CLEANUP(...)		((void)0)

#ifdef WPP_CONTROL_GUIDS
#define WPP_DEFINE_BIT(name)		name,
#define WPP_DEFINE_CONTROL_GUID(name, guid, bits)	bits
enum { WPP_CONTROL_GUIDS };
#endif

/* What drivers commonly call their functions of tracing. */
#define TraceEvents(level, flags, ...)		__NT_TRACE(level, __VA_ARGS__)
#define DoTraceMessage(flags, ...)		__NT_TRACE(TRACE_LEVEL_INFORMATION, __VA_ARGS__)
#define DoTraceLevelMessage(level, flags, ...)	__NT_TRACE(level, __VA_ARGS__)

#endif /* _NT_TRACE_H */
