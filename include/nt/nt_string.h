/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Counted strings, of UTF-16 and of bytes. Part of <wdm.h>; the functions are in
 * nt/string.c.
 *
 * A byte is a character of ISO 8859-1, which is what Windows' usual code page is but for
 * 27 of them; what it has not is a question mark. Cases are ASCII's only.
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

static inline VOID RtlInitEmptyUnicodeString(PUNICODE_STRING UnicodeString, PWCH Buffer,
					     USHORT BufferSize)
{
	UnicodeString->Length = 0;
	UnicodeString->MaximumLength = BufferSize;
	UnicodeString->Buffer = Buffer;
}

static inline VOID RtlInitEmptyAnsiString(PANSI_STRING AnsiString, PCHAR Buffer,
					  USHORT BufferSize)
{
	AnsiString->Length = 0;
	AnsiString->MaximumLength = BufferSize;
	AnsiString->Buffer = Buffer;
}

VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString);
#define RtlInitString(string, source)	RtlInitAnsiString(string, source)

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

static inline WCHAR RtlDowncaseUnicodeChar(WCHAR SourceCharacter)
{
	if (SourceCharacter >= 'A' && SourceCharacter <= 'Z')
		return SourceCharacter - 'A' + 'a';
	return SourceCharacter;
}

static inline CHAR RtlUpperChar(CHAR Character)
{
	return Character >= 'a' && Character <= 'z' ? Character - 'a' + 'A' : Character;
}

BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			       BOOLEAN CaseInSensitive);
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source);
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source);
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString,
				PCUNICODE_STRING SourceString,
				BOOLEAN AllocateDestinationString);

VOID RtlCopyString(PSTRING DestinationString, const STRING *SourceString);
LONG RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive);

static inline BOOLEAN RtlEqualString(const STRING *String1, const STRING *String2,
				     BOOLEAN CaseInSensitive)
{
	return !RtlCompareString(String1, String2, CaseInSensitive);
}

NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
				      PCANSI_STRING SourceString,
				      BOOLEAN AllocateDestinationString);
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
				      PCUNICODE_STRING SourceString,
				      BOOLEAN AllocateDestinationString);
VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString);
VOID RtlFreeAnsiString(PANSI_STRING AnsiString);

/* In bytes, with the zero. */
#define RtlAnsiStringToUnicodeSize(string)	\
	((ULONG)(((string)->Length + sizeof(ANSI_NULL)) * sizeof(WCHAR)))
#define RtlUnicodeStringToAnsiSize(string)	\
	((ULONG)((string)->Length / sizeof(WCHAR) + sizeof(ANSI_NULL)))
#define RtlxAnsiStringToUnicodeSize(string)	RtlAnsiStringToUnicodeSize(string)
#define RtlxUnicodeStringToAnsiSize(string)	RtlUnicodeStringToAnsiSize(string)

NTSTATUS RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value);
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value);
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String);
NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String);
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString);
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid);

#endif /* _NT_STRING_H */
