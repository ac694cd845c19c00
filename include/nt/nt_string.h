/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Counted strings of UTF-16. Part of <wdm.h>.
 */
#ifndef _NT_STRING_H
#define _NT_STRING_H

#include <linux/minmax.h>
#include <linux/string.h>

#include <ntdef.h>

static inline VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString,
					PCWSTR SourceString)
{
	/* The longest even length that leaves room for the final zero. */
	const USHORT limit = 0xfffe - sizeof(WCHAR);
	USHORT length = 0;

	DestinationString->Buffer = (PWCH)SourceString;
	DestinationString->Length = 0;
	DestinationString->MaximumLength = 0;
	if (!SourceString)
		return;

	while (length < limit && SourceString[length / sizeof(WCHAR)])
		length += sizeof(WCHAR);
	DestinationString->Length = length;
	DestinationString->MaximumLength = length + sizeof(WCHAR);
}

/* What does not fit is cut off. A zero is added where there is room for it. */
static inline VOID RtlCopyUnicodeString(PUNICODE_STRING DestinationString,
					PCUNICODE_STRING SourceString)
{
	USHORT length = 0;

	if (SourceString)
		length = min(SourceString->Length, DestinationString->MaximumLength);
	if (length)
		memmove(DestinationString->Buffer, SourceString->Buffer, length);
	DestinationString->Length = length;
	if (SourceString && length + sizeof(WCHAR) <= DestinationString->MaximumLength)
		DestinationString->Buffer[length / sizeof(WCHAR)] = 0;
}

/* Only of ASCII; Windows knows the capitals of all alphabets. */
static inline WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
	if (SourceCharacter >= 'a' && SourceCharacter <= 'z')
		return SourceCharacter - 'a' + 'A';
	return SourceCharacter;
}

/* Below, above or equal to 0, by the first difference, else by the length. */
static inline LONG RtlCompareUnicodeString(PCUNICODE_STRING String1,
					   PCUNICODE_STRING String2,
					   BOOLEAN CaseInSensitive)
{
	USHORT i, length = min(String1->Length, String2->Length);

	for (i = 0; i < length / sizeof(WCHAR); i++) {
		WCHAR a = String1->Buffer[i];
		WCHAR b = String2->Buffer[i];

		if (CaseInSensitive) {
			a = RtlUpcaseUnicodeChar(a);
			b = RtlUpcaseUnicodeChar(b);
		}
		if (a != b)
			return a - b;
	}
	return String1->Length - String2->Length;
}

static inline BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1,
					    PCUNICODE_STRING String2,
					    BOOLEAN CaseInSensitive)
{
	return !RtlCompareUnicodeString(String1, String2, CaseInSensitive);
}

#endif /* _NT_STRING_H */
