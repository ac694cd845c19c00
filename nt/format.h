/* SPDX-License-Identifier: GPL-2.0 */
/* Texts by Windows' formats. */
#ifndef VMBKMCL_NT_FORMAT_H
#define VMBKMCL_NT_FORMAT_H

#include <linux/stdarg.h>

#include <ntddk.h>

/*
 * Where a text goes. Beyond its room characters are counted only, and none is a zero at
 * the end: that is the caller's to add.
 */
struct nt_text {
	union {
		char *narrow;
		WCHAR *wide;
	};
	size_t room;		/* in characters */
	size_t length;		/* so far, what there was no room for included */
	bool is_wide;
	bool is_utf8;		/* narrow, for the log: what is not ASCII is so many bytes */
};

void nt_format(struct nt_text *text, const char *function, const char *format, va_list args);
void nt_format_wide(struct nt_text *text, const WCHAR *format, va_list args);

#endif
