// SPDX-License-Identifier: GPL-2.0
/*
 * A driver's lines of debug output and of tracing, in the kernel log.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/printk.h>

#include <ntddk.h>
#include <nt_trace.h>

#include "format.h"

/* A driver's names, not the macros. */
#undef DbgPrint
#undef DbgPrintEx

/* As much as Windows prints of one call. */
#define NT_LINE	512

/* In @line, which has NT_LINE bytes. */
static void nt_line(char *line, const char *function, const char *format, va_list args)
{
	struct nt_text text = { .narrow = line, .room = NT_LINE - 1, .is_utf8 = true };

	nt_format(&text, function, format, args);
	line[min(text.length, text.room)] = 0;
}

/* What it prints is never a format to Linux. */
static void nt_log(int level, const char *prefix, const char *line)
{
	switch (level) {
	case LOGLEVEL_ERR:
		pr_err("%s%s", prefix, line);
		break;
	case LOGLEVEL_WARNING:
		pr_warn("%s%s", prefix, line);
		break;
	case LOGLEVEL_INFO:
		pr_info("%s%s", prefix, line);
		break;
	default:
		_printk(KERN_DEBUG "%s%s", prefix, line);
		break;
	}
}

static int nt_debug_level(ULONG level)
{
	switch (level) {
	case DPFLTR_ERROR_LEVEL:
		return LOGLEVEL_ERR;
	case DPFLTR_WARNING_LEVEL:
		return LOGLEVEL_WARNING;
	default:
		return LOGLEVEL_INFO;
	}
}

/**
 * vDbgPrintExWithPrefix() - print a line, with a text before it
 * @Prefix: the text
 * @ComponentId: not looked at
 * @Level: of DPFLTR_ERROR_LEVEL and DPFLTR_WARNING_LEVEL the line is an error and a warning
 *	of the kernel log, of all others information
 * @Format: Windows' format, see nt/format.c
 * @arglist: what it speaks of
 *
 * A line of more than 511 bytes is cut off.
 *
 * Context: any.
 *
 * Return: STATUS_SUCCESS
 */
ULONG vDbgPrintExWithPrefix(PCCH Prefix, ULONG ComponentId, ULONG Level, PCCH Format,
			    va_list arglist)
{
	char line[NT_LINE];

	nt_line(line, NULL, Format, arglist);
	nt_log(nt_debug_level(Level), Prefix, line);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(vDbgPrintExWithPrefix);

/**
 * vDbgPrintEx() - print a line
 * @ComponentId: see vDbgPrintExWithPrefix(), also for the context
 * @Level: see there
 * @Format: see there
 * @arglist: see there
 *
 * Return: STATUS_SUCCESS
 */
ULONG vDbgPrintEx(ULONG ComponentId, ULONG Level, PCCH Format, va_list arglist)
{
	return vDbgPrintExWithPrefix("", ComponentId, Level, Format, arglist);
}
EXPORT_SYMBOL_GPL(vDbgPrintEx);

/**
 * DbgPrintEx() - print a line
 * @ComponentId: see vDbgPrintExWithPrefix(), also for the context
 * @Level: see there
 * @Format: see there
 *
 * Return: STATUS_SUCCESS
 */
ULONG DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
	va_list args;

	va_start(args, Format);
	vDbgPrintEx(ComponentId, Level, Format, args);
	va_end(args);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(DbgPrintEx);

/**
 * DbgPrint() - print a line, of information
 * @Format: see vDbgPrintExWithPrefix(), also for the context
 *
 * Return: STATUS_SUCCESS
 */
ULONG DbgPrint(PCSTR Format, ...)
{
	va_list args;

	va_start(args, Format);
	vDbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, Format, args);
	va_end(args);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(DbgPrint);

/*
 * A line of tracing, which does not say where it ends. Verbose ones are the kernel's debug
 * level, which is in the log and not on the console.
 */
void nt_trace(const char *function, ULONG level, const char *format, ...)
{
	int mark = LOGLEVEL_DEBUG;
	char line[NT_LINE];
	va_list args;
	size_t end;

	if (level <= TRACE_LEVEL_ERROR)
		mark = LOGLEVEL_ERR;
	else if (level == TRACE_LEVEL_WARNING)
		mark = LOGLEVEL_WARNING;
	else if (level == TRACE_LEVEL_INFORMATION)
		mark = LOGLEVEL_INFO;
	va_start(args, format);
	nt_line(line, function, format, args);
	va_end(args);
	end = strnlen(line, NT_LINE - 2);
	if (!end || line[end - 1] != '\n') {
		line[end] = '\n';
		line[end + 1] = 0;
	}
	nt_log(mark, "", line);
}
EXPORT_SYMBOL_GPL(nt_trace);
