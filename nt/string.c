// SPDX-License-Identifier: GPL-2.0
/*
 * Counted strings.
 */
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/version.h>
/* In 6.1 what it has is in linux/kernel.h, which does not bring it along in 7.3. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/hex.h>
#endif

#include <ntddk.h>

#include "number.h"

#define NT_STRING_TAG	0x7274534e

/**
 * RtlInitAnsiString() - make a counted string of a text that ends in a zero
 * @DestinationString: the string; the text stays where it is
 * @SourceString: the text; NULL makes an empty string
 *
 * Context: any.
 */
VOID RtlInitAnsiString(PANSI_STRING DestinationString, PCSZ SourceString)
{
	size_t length = SourceString ? strnlen(SourceString, 0xfffe) : 0;

	DestinationString->Buffer = (PCHAR)SourceString;
	DestinationString->Length = length;
	DestinationString->MaximumLength = SourceString ? length + 1 : 0;
}
EXPORT_SYMBOL_GPL(RtlInitAnsiString);

/**
 * RtlPrefixUnicodeString() - does a string begin with another?
 * @String1: the other
 * @String2: the string
 * @CaseInSensitive: whether case does not matter
 *
 * Context: any.
 *
 * Return: TRUE if it does.
 */
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING String1, PCUNICODE_STRING String2,
			       BOOLEAN CaseInSensitive)
{
	UNICODE_STRING head = *String2;

	if (String2->Length < String1->Length)
		return FALSE;
	head.Length = String1->Length;
	return RtlEqualUnicodeString(String1, &head, CaseInSensitive);
}
EXPORT_SYMBOL_GPL(RtlPrefixUnicodeString);

/**
 * RtlAppendUnicodeStringToString() - put a string behind another
 * @Destination: the other
 * @Source: the string
 *
 * Context: any.
 *
 * Return:
 *  - STATUS_SUCCESS. A zero follows where there is room for it.
 *  - STATUS_BUFFER_TOO_SMALL: nothing is changed
 */
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING Destination, PCUNICODE_STRING Source)
{
	ULONG length = (ULONG)Destination->Length + Source->Length;

	if (length > Destination->MaximumLength)
		return STATUS_BUFFER_TOO_SMALL;
	if (Source->Length)
		memmove((PCHAR)Destination->Buffer + Destination->Length, Source->Buffer,
			Source->Length);
	Destination->Length = length;
	if (length + sizeof(WCHAR) <= Destination->MaximumLength)
		Destination->Buffer[length / sizeof(WCHAR)] = 0;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlAppendUnicodeStringToString);

/**
 * RtlAppendUnicodeToString() - put a text that ends in a zero behind a string
 * @Destination: the string
 * @Source: the text; NULL is as an empty one
 *
 * Context: any.
 *
 * Return: see RtlAppendUnicodeStringToString().
 */
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING Destination, PCWSTR Source)
{
	UNICODE_STRING string;

	RtlInitUnicodeString(&string, Source);
	return RtlAppendUnicodeStringToString(Destination, &string);
}
EXPORT_SYMBOL_GPL(RtlAppendUnicodeToString);

/*
 * Room for so many bytes with the zero. Both kinds of strings have the same layout; this
 * one's buffer is made or only looked at.
 */
static NTSTATUS nt_string_room(PUNICODE_STRING string, ULONG bytes, BOOLEAN allocate)
{
	if (bytes > 0xffff)
		return STATUS_INVALID_PARAMETER_2;
	if (!allocate)
		return bytes > string->MaximumLength ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
	string->Buffer = ExAllocatePoolZero(PagedPool, bytes, NT_STRING_TAG);
	if (!string->Buffer)
		return STATUS_NO_MEMORY;
	string->MaximumLength = bytes;
	return STATUS_SUCCESS;
}

/**
 * RtlUpcaseUnicodeString() - copy a string in capitals
 * @DestinationString: the copy, which may be the string itself
 * @SourceString: the string
 * @AllocateDestinationString: make the copy's buffer, for RtlFreeUnicodeString()
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_BUFFER_OVERFLOW: the copy has no room; nothing is changed
 *  - STATUS_NO_MEMORY
 */
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING DestinationString,
				PCUNICODE_STRING SourceString,
				BOOLEAN AllocateDestinationString)
{
	const USHORT length = SourceString->Length;
	NTSTATUS status;
	USHORT i;

	status = nt_string_room(DestinationString, length, AllocateDestinationString);
	if (!NT_SUCCESS(status))
		return status;
	for (i = 0; i < length / sizeof(WCHAR); i++)
		DestinationString->Buffer[i] = RtlUpcaseUnicodeChar(SourceString->Buffer[i]);
	DestinationString->Length = length;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlUpcaseUnicodeString);

/**
 * RtlCopyString() - copy a string of bytes
 * @DestinationString: the copy; what it has no room for is cut off
 * @SourceString: the string; NULL is as an empty one
 *
 * Context: any.
 */
VOID RtlCopyString(PSTRING DestinationString, const STRING *SourceString)
{
	USHORT length = 0;

	if (SourceString)
		length = min(SourceString->Length, DestinationString->MaximumLength);
	if (length)
		memmove(DestinationString->Buffer, SourceString->Buffer, length);
	DestinationString->Length = length;
}
EXPORT_SYMBOL_GPL(RtlCopyString);

/**
 * RtlCompareString() - compare strings of bytes
 * @String1: one
 * @String2: the other
 * @CaseInSensitive: whether case does not matter
 *
 * Context: any.
 *
 * Return: below, above or equal to 0, by the first difference, else by the length.
 */
LONG RtlCompareString(const STRING *String1, const STRING *String2, BOOLEAN CaseInSensitive)
{
	USHORT i, length = min(String1->Length, String2->Length);

	for (i = 0; i < length; i++) {
		UCHAR a = String1->Buffer[i];
		UCHAR b = String2->Buffer[i];

		if (CaseInSensitive) {
			a = RtlUpperChar(a);
			b = RtlUpperChar(b);
		}
		if (a != b)
			return a - b;
	}
	return String1->Length - String2->Length;
}
EXPORT_SYMBOL_GPL(RtlCompareString);

/**
 * RtlAnsiStringToUnicodeString() - make a string of UTF-16 of one of bytes
 * @DestinationString: what is made, with a zero at its end
 * @SourceString: the string
 * @AllocateDestinationString: make its buffer, for RtlFreeUnicodeString()
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER_2: it would be longer than such a string can be
 *  - STATUS_BUFFER_OVERFLOW: there is no room; nothing is changed
 *  - STATUS_NO_MEMORY
 */
NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING DestinationString,
				      PCANSI_STRING SourceString,
				      BOOLEAN AllocateDestinationString)
{
	NTSTATUS status;
	USHORT i;

	status = nt_string_room(DestinationString, RtlAnsiStringToUnicodeSize(SourceString),
				AllocateDestinationString);
	if (status != STATUS_SUCCESS)
		return status;
	for (i = 0; i < SourceString->Length; i++)
		DestinationString->Buffer[i] = (UCHAR)SourceString->Buffer[i];
	DestinationString->Buffer[i] = 0;
	DestinationString->Length = i * sizeof(WCHAR);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlAnsiStringToUnicodeString);

/**
 * RtlUnicodeStringToAnsiString() - make a string of bytes of one of UTF-16
 * @DestinationString: what is made, with a zero at its end
 * @SourceString: the string
 * @AllocateDestinationString: make its buffer, for RtlFreeAnsiString()
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_BUFFER_OVERFLOW: there is no room; nothing is changed (this project's decision)
 *  - STATUS_NO_MEMORY
 */
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING DestinationString,
				      PCUNICODE_STRING SourceString,
				      BOOLEAN AllocateDestinationString)
{
	NTSTATUS status;
	USHORT i;

	status = nt_string_room((PUNICODE_STRING)DestinationString,
				RtlUnicodeStringToAnsiSize(SourceString),
				AllocateDestinationString);
	if (status != STATUS_SUCCESS)
		return status;
	for (i = 0; i < SourceString->Length / sizeof(WCHAR); i++) {
		WCHAR character = SourceString->Buffer[i];

		DestinationString->Buffer[i] = character < 0x100 ? character : '?';
	}
	DestinationString->Buffer[i] = 0;
	DestinationString->Length = i;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringToAnsiString);

/**
 * RtlFreeUnicodeString() - free what a function has allocated for a string
 * @UnicodeString: the string, empty afterwards; may have no buffer
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
	if (UnicodeString->Buffer)
		ExFreePool(UnicodeString->Buffer);
	RtlInitEmptyUnicodeString(UnicodeString, NULL, 0);
}
EXPORT_SYMBOL_GPL(RtlFreeUnicodeString);

/**
 * RtlFreeAnsiString() - free what a function has allocated for a string
 * @AnsiString: the string, empty afterwards; may have no buffer
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID RtlFreeAnsiString(PANSI_STRING AnsiString)
{
	RtlFreeUnicodeString((PUNICODE_STRING)AnsiString);
}
EXPORT_SYMBOL_GPL(RtlFreeAnsiString);

/* 0: by 0x, 0o or 0b before the digits, whose own place is @skip then. */
static unsigned int nt_base_of(const void *string, bool wide, size_t length, ULONG base,
			       size_t *skip)
{
	size_t at = 0;
	WCHAR mark;

#define NT_AT(i)	((i) >= length ? 0 : wide ? ((const WCHAR *)string)[i] : \
			 ((const UCHAR *)string)[i])
	while (NT_AT(at) && NT_AT(at) <= ' ')
		at++;
	if (NT_AT(at) == '-' || NT_AT(at) == '+')
		at++;
	*skip = 0;
	if (base)
		return base;
	mark = NT_AT(at) == '0' ? NT_AT(at + 1) : 0;
#undef NT_AT
	*skip = at + 2;
	if (mark == 'x')
		return 16;
	if (mark == 'o')
		return 8;
	if (mark == 'b')
		return 2;
	*skip = 0;
	return 10;
}

/* A number's value modulo 2 to the 32nd. No digits are 0. */
static NTSTATUS nt_integer(const void *string, bool wide, size_t length, ULONG base,
			   PULONG value)
{
	struct nt_number number;
	unsigned int known;
	bool negative;
	size_t skip;

	if (base && base != 2 && base != 8 && base != 10 && base != 16)
		return STATUS_INVALID_PARAMETER;
	negative = nt_number(string, wide, length, 10).negative;
	known = nt_base_of(string, wide, length, base, &skip);
	number = nt_number(string + skip * (wide ? sizeof(WCHAR) : 1), wide,
			   length == SIZE_MAX ? length : length - skip, known);
	*value = negative ? -number.value : number.value;
	return STATUS_SUCCESS;
}

/**
 * RtlCharToInteger() - read a number
 * @String: a text that ends in a zero: blanks, a sign, digits
 * @Base: 2, 8, 10 or 16; 0: by 0b, 0o or 0x before the digits, else 10
 * @Value: the number; 0 where there are no digits, and modulo 2 to the 32nd
 *
 * Context: any.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: another @Base
 */
NTSTATUS RtlCharToInteger(PCSZ String, ULONG Base, PULONG Value)
{
	return nt_integer(String, false, SIZE_MAX, Base, Value);
}
EXPORT_SYMBOL_GPL(RtlCharToInteger);

/**
 * RtlUnicodeStringToInteger() - read a number
 * @String: see RtlCharToInteger(), also for the context
 * @Base: see there
 * @Value: see there
 *
 * Return: see there.
 */
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING String, ULONG Base, PULONG Value)
{
	return nt_integer(String->Buffer, true, String->Length / sizeof(WCHAR), Base, Value);
}
EXPORT_SYMBOL_GPL(RtlUnicodeStringToInteger);

/**
 * RtlInt64ToUnicodeString() - write a number
 * @Value: the number
 * @Base: 2, 8, 10 or 16; 0 is as 10
 * @String: what gets it, with a zero where there is room for it
 *
 * Context: any.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: another @Base
 *  - STATUS_BUFFER_OVERFLOW: there is no room; nothing is changed
 */
NTSTATUS RtlInt64ToUnicodeString(ULONGLONG Value, ULONG Base, PUNICODE_STRING String)
{
	WCHAR digits[64];
	UNICODE_STRING number;
	int at = RTL_NUMBER_OF(digits);

	if (!Base)
		Base = 10;
	if (Base != 2 && Base != 8 && Base != 10 && Base != 16)
		return STATUS_INVALID_PARAMETER;
	do {
		digits[--at] = "0123456789ABCDEF"[Value % Base];
		Value /= Base;
	} while (Value);

	number.Buffer = digits + at;
	number.Length = sizeof(digits) - at * sizeof(WCHAR);
	if (number.Length > String->MaximumLength)
		return STATUS_BUFFER_OVERFLOW;
	RtlCopyUnicodeString(String, &number);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlInt64ToUnicodeString);

/**
 * RtlIntegerToUnicodeString() - write a number
 * @Value: see RtlInt64ToUnicodeString(), also for the context
 * @Base: see there
 * @String: see there
 *
 * Return: see there.
 */
NTSTATUS RtlIntegerToUnicodeString(ULONG Value, ULONG Base, PUNICODE_STRING String)
{
	return RtlInt64ToUnicodeString(Value, Base, String);
}
EXPORT_SYMBOL_GPL(RtlIntegerToUnicodeString);

/* {68656C6C-6F00-4B4D-434C-000000000001}: where each byte's two digits are. */
#define NT_GUID_CHARACTERS	38

static const UCHAR nt_guid_places[16] = {
	7, 5, 3, 1, 12, 10, 17, 15, 20, 22, 25, 27, 29, 31, 33, 35,
};

static const UCHAR nt_guid_dashes[] = { 9, 14, 19, 24 };

/**
 * RtlStringFromGUID() - write a GUID, in braces and capitals
 * @Guid: the GUID
 * @GuidString: what gets it, in a buffer that is made, for RtlFreeUnicodeString()
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_NO_MEMORY
 */
NTSTATUS RtlStringFromGUID(REFGUID Guid, PUNICODE_STRING GuidString)
{
	const UCHAR *bytes = (const UCHAR *)Guid;
	NTSTATUS status;
	PWCH text;
	int i;

	status = nt_string_room(GuidString, (NT_GUID_CHARACTERS + 1) * sizeof(WCHAR), TRUE);
	if (!NT_SUCCESS(status))
		return status;
	text = GuidString->Buffer;
	for (i = 0; i < 16; i++) {
		text[nt_guid_places[i]] = hex_asc_upper_hi(bytes[i]);
		text[nt_guid_places[i] + 1] = hex_asc_upper_lo(bytes[i]);
	}
	for (i = 0; i < RTL_NUMBER_OF(nt_guid_dashes); i++)
		text[nt_guid_dashes[i]] = '-';
	text[0] = '{';
	text[NT_GUID_CHARACTERS - 1] = '}';
	GuidString->Length = NT_GUID_CHARACTERS * sizeof(WCHAR);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlStringFromGUID);

static int nt_hex_digit(WCHAR character)
{
	return character < 0x80 ? hex_to_bin(character) : -1;
}

/**
 * RtlGUIDFromString() - read a GUID
 * @GuidString: the GUID, in braces
 * @Guid: gets it
 *
 * Context: any.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: it is none
 */
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString, GUID *Guid)
{
	const WCHAR *text = GuidString->Buffer;
	UCHAR *bytes = (UCHAR *)Guid;
	int i;

	if (GuidString->Length != NT_GUID_CHARACTERS * sizeof(WCHAR) || text[0] != '{' ||
	    text[NT_GUID_CHARACTERS - 1] != '}')
		return STATUS_INVALID_PARAMETER;
	for (i = 0; i < RTL_NUMBER_OF(nt_guid_dashes); i++)
		if (text[nt_guid_dashes[i]] != '-')
			return STATUS_INVALID_PARAMETER;
	for (i = 0; i < 16; i++) {
		int high = nt_hex_digit(text[nt_guid_places[i]]);
		int low = nt_hex_digit(text[nt_guid_places[i] + 1]);

		if (high < 0 || low < 0)
			return STATUS_INVALID_PARAMETER;
		bytes[i] = high << 4 | low;
	}
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(RtlGUIDFromString);
