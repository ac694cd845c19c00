// SPDX-License-Identifier: GPL-2.0
/* Microsoft's tracing. mingw-w64 has no preprocessor for it. */
#include <ntddk.h>
#include <evntrace.h>

#ifdef __KERNEL__
#define WPP_CONTROL_GUIDS						\
	WPP_DEFINE_CONTROL_GUID(WordsTrace,				\
				(f2a1c0d4, 90a3, 4d5b, 8a77, 12c3b4d5e6f7), \
				WPP_DEFINE_BIT(TRACE_START)		\
				WPP_DEFINE_BIT(TRACE_IO))

#include "trace.tmh"
#else
#define TRACE_START	1
#define WPP_INIT_TRACING(object, path)	((void)(object), (void)(path))
#define WPP_CLEANUP(object)		((void)(object))
#define TraceEvents(level, flags, ...)	((void)(level), (void)(flags))
#define DoTraceMessage(flags, ...)	((void)0)
#endif

NTSTATUS TraceStart(_In_ PVOID Object, _In_ PUNICODE_STRING Path);
VOID TraceStop(_In_ PVOID Object);

NTSTATUS
TraceStart(
	_In_ PVOID Object,
	_In_ PUNICODE_STRING Path
	)
{
	NTSTATUS Status = STATUS_DEVICE_CONFIGURATION_ERROR;

	WPP_INIT_TRACING(Object, Path);
	TraceEvents(TRACE_LEVEL_INFORMATION, TRACE_START, "%!FUNC! Entry");
	if (Path->Length == 0) {
		TraceEvents(TRACE_LEVEL_ERROR, TRACE_START, "%!FUNC! no path: %!STATUS!", Status);
		WPP_CLEANUP(Object);
		return Status;
	}
	return STATUS_SUCCESS;
}

VOID
TraceStop(
	_In_ PVOID Object
	)
{
	DoTraceMessage(TRACE_IO, "stops %p", Object);
	WPP_CLEANUP(Object);
}
