// SPDX-License-Identifier: GPL-2.0
/* A driver's own layer for its log, of macros and of functions, and the formats it uses. */
#include <ntddk.h>

#define LOG_COMPONENT	DPFLTR_IHVDRIVER_ID

#define LOG_WHERE	DPFLTR_IHVDRIVER_ID, DPFLTR_WARNING_LEVEL

#ifdef __KERNEL__
#define LogError(Format, ...)	\
	DbgPrintEx(LOG_COMPONENT, DPFLTR_ERROR_LEVEL, "sample: " Format, __VA_ARGS__)
#else
#define LogError(Format, ...)	\
	DbgPrintEx(LOG_COMPONENT, DPFLTR_ERROR_LEVEL, "sample: " Format, ##__VA_ARGS__)
#endif

static VOID
LogWrite(
	_In_ ULONG Level,
	_In_z_ _Printf_format_string_ PCSTR Format,
	...
	)
{
	va_list Arguments;

	va_start(Arguments, Format);
	vDbgPrintExWithPrefix("sample: ", LOG_COMPONENT, Level, Format, Arguments);
	va_end(Arguments);
}

VOID LogStart(_In_ PUNICODE_STRING RegistryPath, _In_ NTSTATUS Status);
VOID LogNumbers(_In_ LONG Number, _In_ ULONGLONG Wide, _In_ SIZE_T Size);

VOID
LogStart(
	_In_ PUNICODE_STRING RegistryPath,
	_In_ NTSTATUS Status
	)
{
	LogError("starts\n");
	LogError("%wZ: %08lx\n", RegistryPath, Status);
	LogWrite(DPFLTR_INFO_LEVEL, "%ws %S\n", RegistryPath->Buffer, L"wide");
	DbgPrintEx(LOG_WHERE, "in one macro\n");
	DbgPrint("%s\n", __FUNCTION__);
}

VOID
LogNumbers(
	_In_ LONG Number,
	_In_ ULONGLONG Wide,
	_In_ SIZE_T Size
	)
{
	LogWrite(DPFLTR_TRACE_LEVEL, "%ld %lu %I64x %I64d %Iu %I32d\n", Number, (ULONG)Number, Wide,
		 (LONGLONG)Wide, Size, Number);
}
