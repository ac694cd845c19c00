// SPDX-License-Identifier: GPL-2.0
/* Names: read from a configuration, put together, compared, converted both ways. */
#include <ntddk.h>
#include <ntstrsafe.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define STRING_TAG	'gnrS'

NTSTATUS StringsConvert(_In_ PCSTR Text, _Out_ PUNICODE_STRING String);
NTSTATUS StringsConvertBack(_In_ PCUNICODE_STRING String, _Out_writes_(Size) PCHAR Buffer,
			    _In_ USHORT Size);
NTSTATUS StringsMakeName(_In_ ULONG Index, _Out_writes_(Size) PWCHAR Buffer, _In_ SIZE_T Size);
NTSTATUS StringsMakeText(_In_ ULONG Index, _Out_writes_(Size) PSTR Buffer, _In_ SIZE_T Size);
NTSTATUS StringsParse(_In_ PCSTR Text, _Out_ PULONG First, _Out_ PLONG Second);
NTSTATUS StringsJoin(_Inout_ PUNICODE_STRING Path, _In_ PCWSTR Name, _In_ PCUNICODE_STRING Tail);
BOOLEAN StringsIsOurs(_In_ PCWSTR Name, _In_ PCSTR Other);
NTSTATUS StringsCopy(_Out_writes_(Size) PCHAR Target, _In_ SIZE_T Size, _In_ PCSTR Source);

NTSTATUS
StringsConvert(
	_In_ PCSTR Text,
	_Out_ PUNICODE_STRING String
	)
{
	ANSI_STRING Ansi;
	NTSTATUS Status;

	RtlInitAnsiString(&Ansi, Text);
	Status = RtlAnsiStringToUnicodeString(String, &Ansi, TRUE);
	if (!NT_SUCCESS(Status))
		return Status;
	if (String->Length == 0) {
		RtlFreeUnicodeString(String);
		return STATUS_OBJECT_NAME_INVALID;
	}
	return STATUS_SUCCESS;
}

NTSTATUS
StringsConvertBack(
	_In_ PCUNICODE_STRING String,
	_Out_writes_(Size) PCHAR Buffer,
	_In_ USHORT Size
	)
{
	ANSI_STRING Ansi;

	if (RtlUnicodeStringToAnsiSize(String) > Size)
		return STATUS_BUFFER_OVERFLOW;
	Ansi.Buffer = Buffer;
	Ansi.Length = 0;
	Ansi.MaximumLength = Size;
	return RtlUnicodeStringToAnsiString(&Ansi, (PUNICODE_STRING)String, FALSE);
}

NTSTATUS
StringsMakeName(
	_In_ ULONG Index,
	_Out_writes_(Size) PWCHAR Buffer,
	_In_ SIZE_T Size
	)
{
	return RtlStringCbPrintfW(Buffer, Size * sizeof(WCHAR), L"\\Device\\Sample%u", Index);
}

NTSTATUS
StringsMakeText(
	_In_ ULONG Index,
	_Out_writes_(Size) PSTR Buffer,
	_In_ SIZE_T Size
	)
{
	NTSTATUS Status;
	size_t Length;

	Status = RtlStringCbPrintfA(Buffer, Size, "sample/%u", Index);
	if (!NT_SUCCESS(Status))
		return Status;
	Status = RtlStringCchCatA(Buffer, Size, "/state");
	if (NT_SUCCESS(Status))
		Status = RtlStringCbLengthA(Buffer, Size, &Length);
	return NT_SUCCESS(Status) && Length == 0 ? STATUS_INTERNAL_ERROR : Status;
}

NTSTATUS
StringsParse(
	_In_ PCSTR Text,
	_Out_ PULONG First,
	_Out_ PLONG Second
	)
{
	PSTR End;

	*First = strtoul(Text, &End, 0);
	if (End == Text || *End != ',')
		return STATUS_INVALID_PARAMETER;
	*Second = strtol(End + 1, &End, 10);
	return *End == '\0' ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

NTSTATUS
StringsJoin(
	_Inout_ PUNICODE_STRING Path,
	_In_ PCWSTR Name,
	_In_ PCUNICODE_STRING Tail
	)
{
	NTSTATUS Status;

	Status = RtlAppendUnicodeToString(Path, (PWSTR)Name);
	if (NT_SUCCESS(Status))
		Status = RtlAppendUnicodeStringToString(Path, (PUNICODE_STRING)Tail);
	return Status;
}

BOOLEAN
StringsIsOurs(
	_In_ PCWSTR Name,
	_In_ PCSTR Other
	)
{
	if (wcslen(Name) < 4 || wcsncmp(Name, L"Smpl", 4) != 0)
		return FALSE;
	if (wcschr(Name, L'#') != NULL || _wcsicmp(Name, L"SmplX") == 0)
		return FALSE;
	return strlen(Other) != 0 && _stricmp(Other, "none") != 0 && toupper(Other[0]) == 'S';
}

NTSTATUS
StringsCopy(
	_Out_writes_(Size) PCHAR Target,
	_In_ SIZE_T Size,
	_In_ PCSTR Source
	)
{
	NTSTATUS Status = RtlStringCchCopyA(Target, Size, Source);

	if (Status == STATUS_BUFFER_OVERFLOW)
		Target[Size - 1] = ANSI_NULL;
	return Status;
}
