// SPDX-License-Identifier: GPL-2.0
/*
 * Safe strings, of bytes and of UTF-16: see ntstrsafe.h for what they promise.
 */
#include <linux/export.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <ntddk.h>
#include <ntstrsafe.h>

#include "format.h"

#define NT_STRSAFE_FLAGS	\
	(STRSAFE_IGNORE_NULLS | STRSAFE_NULL_ON_FAILURE | STRSAFE_NO_TRUNCATION)

static bool nt_strsafe_bad(size_t room, const struct nt_strsafe *ex)
{
	return !room || room > NTSTRSAFE_MAX_CCH || (ex && ex->flags & ~NT_STRSAFE_FLAGS);
}

/* Of a text of @length that was to be: how much of it stays, and what is told. */
static size_t nt_strsafe_kept(size_t room, size_t length, size_t before, NTSTATUS *status,
			      const struct nt_strsafe *ex)
{
	*status = STATUS_SUCCESS;
	if (length < room)
		return length;
	*status = STATUS_BUFFER_OVERFLOW;
	if (ex && ex->flags & STRSAFE_NULL_ON_FAILURE)
		return 0;
	return ex && ex->flags & STRSAFE_NO_TRUNCATION ? before : room - 1;
}

static size_t nt_strsafe_measure(const void *string, size_t most, bool wide)
{
	return wide ? wcsnlen(string, most) : strnlen(string, most);
}

/* The zero, and what an Ex function tells. */
static void nt_strsafe_end(void *target, size_t room, size_t length, bool wide,
			   struct nt_strsafe *ex)
{
	void *end = target + (wide ? length * sizeof(WCHAR) : length);

	memset(end, 0, wide ? sizeof(WCHAR) : 1);
	if (ex) {
		ex->end = end;
		ex->remaining = room - length;
	}
}

NTSTATUS nt_strsafe_copy(void *target, size_t room, const void *source, size_t most, bool wide,
			 bool behind, struct nt_strsafe *ex)
{
	const size_t size = wide ? sizeof(WCHAR) : 1;
	size_t before = 0, length, kept;
	NTSTATUS status;

	if (nt_strsafe_bad(room, ex))
		return STATUS_INVALID_PARAMETER;
	if (behind) {
		before = nt_strsafe_measure(target, room, wide);
		if (before == room)
			return STATUS_INVALID_PARAMETER;
	}
	if (!source && ex && ex->flags & STRSAFE_IGNORE_NULLS)
		source = L"";
	length = nt_strsafe_measure(source, min(most, room - before), wide);
	kept = nt_strsafe_kept(room, before + length, before, &status, ex);
	if (kept > before)
		memcpy(target + before * size, source, (kept - before) * size);
	nt_strsafe_end(target, room, kept, wide, ex);
	return status;
}
EXPORT_SYMBOL_GPL(nt_strsafe_copy);

NTSTATUS nt_strsafe_length(const void *string, size_t most, bool wide, size_t *length)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	size_t found = 0;

	if (string && most && most <= NTSTRSAFE_MAX_CCH) {
		found = nt_strsafe_measure(string, most, wide);
		if (found < most)
			status = STATUS_SUCCESS;
		else
			found = 0;
	}
	if (length)
		*length = found;
	return status;
}
EXPORT_SYMBOL_GPL(nt_strsafe_length);

NTSTATUS nt_strsafe_printA(char *target, size_t room, const char *format, va_list args,
			   struct nt_strsafe *ex)
{
	struct nt_text text = { .narrow = target, .room = room };
	NTSTATUS status;

	if (nt_strsafe_bad(room, ex))
		return STATUS_INVALID_PARAMETER;
	nt_format(&text, NULL, format, args);
	nt_strsafe_end(target, room, nt_strsafe_kept(room, text.length, 0, &status, ex), false,
		       ex);
	return status;
}
EXPORT_SYMBOL_GPL(nt_strsafe_printA);

NTSTATUS nt_strsafe_printW(WCHAR *target, size_t room, const WCHAR *format, va_list args,
			   struct nt_strsafe *ex)
{
	struct nt_text text = { .wide = target, .room = room, .is_wide = true };
	NTSTATUS status;

	if (nt_strsafe_bad(room, ex))
		return STATUS_INVALID_PARAMETER;
	nt_format_wide(&text, format, args);
	nt_strsafe_end(target, room, nt_strsafe_kept(room, text.length, 0, &status, ex), true, ex);
	return status;
}
EXPORT_SYMBOL_GPL(nt_strsafe_printW);

/**
 * RtlUnicodeStringValidate() - is a counted string one?
 * @SourceString: the string; NULL is no string
 *
 * Context: any.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: a length is odd, or larger than the room, or there is a room
 *    and no buffer
 */
NTSTATUS RtlUnicodeStringValidate(PCUNICODE_STRING SourceString)
{
	if (!SourceString || SourceString->Length % sizeof(WCHAR) ||
	    SourceString->MaximumLength % sizeof(WCHAR) ||
	    SourceString->Length > SourceString->MaximumLength ||
	    (!SourceString->Buffer && SourceString->MaximumLength))
		return STATUS_INVALID_PARAMETER;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringValidate);

/**
 * RtlUnicodeStringInit() - make a counted string of a text that ends in a zero
 * @DestinationString: the string; the text stays where it is
 * @pszSrc: the text; NULL makes an empty string
 *
 * Context: any.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: the text is too long; the string is empty
 */
NTSTATUS RtlUnicodeStringInit(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc)
{
	RtlInitUnicodeString(DestinationString, NULL);
	if (!pszSrc)
		return STATUS_SUCCESS;
	if (wcsnlen(pszSrc, NTSTRSAFE_UNICODE_STRING_MAX_CCH) == NTSTRSAFE_UNICODE_STRING_MAX_CCH)
		return STATUS_INVALID_PARAMETER;
	RtlInitUnicodeString(DestinationString, pszSrc);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringInit);

/* So many characters behind what the string has, or as much of them as there is room for. */
static NTSTATUS nt_unicode_put(PUNICODE_STRING string, bool behind, const WCHAR *source,
			       size_t length)
{
	size_t before, room, kept;

	if (!NT_SUCCESS(RtlUnicodeStringValidate(string)))
		return STATUS_INVALID_PARAMETER;
	before = behind ? string->Length / sizeof(WCHAR) : 0;
	room = string->MaximumLength / sizeof(WCHAR);
	kept = min(length, room - before);
	if (kept)
		memmove(string->Buffer + before, source, kept * sizeof(WCHAR));
	string->Length = (before + kept) * sizeof(WCHAR);
	if (before + kept < room)
		string->Buffer[before + kept] = 0;
	return kept == length ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS nt_unicode_put_string(PUNICODE_STRING string, bool behind,
				      PCUNICODE_STRING source)
{
	if (!NT_SUCCESS(RtlUnicodeStringValidate(source)))
		return STATUS_INVALID_PARAMETER;
	return nt_unicode_put(string, behind, source->Buffer, source->Length / sizeof(WCHAR));
}

/**
 * RtlUnicodeStringCopy() - copy a counted string
 * @DestinationString: the copy
 * @SourceString: the string
 *
 * Context: any.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_BUFFER_OVERFLOW: what there was no room for has been cut off
 *  - STATUS_INVALID_PARAMETER: one of them is no string, see RtlUnicodeStringValidate()
 */
NTSTATUS RtlUnicodeStringCopy(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
	return nt_unicode_put_string(DestinationString, false, SourceString);
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringCopy);

/**
 * RtlUnicodeStringCat() - put a counted string behind another
 * @DestinationString: the other
 * @SourceString: the string
 *
 * Context: any.
 *
 * Return: see RtlUnicodeStringCopy().
 */
NTSTATUS RtlUnicodeStringCat(PUNICODE_STRING DestinationString, PCUNICODE_STRING SourceString)
{
	return nt_unicode_put_string(DestinationString, true, SourceString);
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringCat);

/**
 * RtlUnicodeStringCopyString() - copy a text that ends in a zero to a counted string
 * @DestinationString: the string
 * @pszSrc: the text
 *
 * Context: any.
 *
 * Return: see RtlUnicodeStringCopy().
 */
NTSTATUS RtlUnicodeStringCopyString(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc)
{
	return nt_unicode_put(DestinationString, false, pszSrc, wcslen(pszSrc));
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringCopyString);

/**
 * RtlUnicodeStringCatString() - put a text that ends in a zero behind a counted string
 * @DestinationString: the string
 * @pszSrc: the text
 *
 * Context: any.
 *
 * Return: see RtlUnicodeStringCopy().
 */
NTSTATUS RtlUnicodeStringCatString(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszSrc)
{
	return nt_unicode_put(DestinationString, true, pszSrc, wcslen(pszSrc));
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringCatString);

/**
 * RtlUnicodeStringVPrintf() - put a counted string together
 * @DestinationString: the string
 * @pszFormat: Windows' format, see nt/format.c
 * @argList: what it speaks of
 *
 * Context: any.
 *
 * Return: see RtlUnicodeStringCopy().
 */
NTSTATUS RtlUnicodeStringVPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat,
				 va_list argList)
{
	struct nt_text text = { .is_wide = true };

	if (!NT_SUCCESS(RtlUnicodeStringValidate(DestinationString)))
		return STATUS_INVALID_PARAMETER;
	text.wide = DestinationString->Buffer;
	text.room = DestinationString->MaximumLength / sizeof(WCHAR);
	nt_format_wide(&text, pszFormat, argList);
	DestinationString->Length = min(text.length, text.room) * sizeof(WCHAR);
	if (text.length < text.room)
		text.wide[text.length] = 0;
	return text.length <= text.room ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringVPrintf);

/**
 * RtlUnicodeStringPrintf() - put a counted string together
 * @DestinationString: see RtlUnicodeStringVPrintf(), also for the context
 * @pszFormat: see there
 *
 * Return: see there.
 */
NTSTATUS RtlUnicodeStringPrintf(PUNICODE_STRING DestinationString, NTSTRSAFE_PCWSTR pszFormat,
				...)
{
	NTSTATUS status;
	va_list args;

	va_start(args, pszFormat);
	status = RtlUnicodeStringVPrintf(DestinationString, pszFormat, args);
	va_end(args);
	return status;
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringPrintf);
