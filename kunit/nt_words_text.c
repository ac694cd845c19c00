// SPDX-License-Identifier: GPL-2.0
/*
 * More of Windows' words, in the way of nt_words.c: base macros, texts and numbers, bits,
 * lists, memory of devices.
 *
 * mingw-w64's headers of drivers lack the words that are under __KERNEL__. That each status
 * and each annotation is there tests/words/words.txt tells.
 */
#include "nt_words.h"

#include <ntstrsafe.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#ifdef __KERNEL__
#include <ntintsafe.h>
#endif

C_ASSERT(sizeof(CHAR) == 1 && (CHAR)-1 < 0);
C_ASSERT(sizeof(WCHAR) == 2 && (WCHAR)-1 > 0);
C_ASSERT(sizeof(LOGICAL) == 4 && sizeof(PHYSICAL_ADDRESS) == 8);
C_ASSERT(sizeof(STRING) == 16 && FIELD_OFFSET(ANSI_STRING, Buffer) == 8);
C_ASSERT(sizeof(SINGLE_LIST_ENTRY) == 8 && sizeof(RTL_BITMAP) == 16);
C_ASSERT(sizeof(LUID) == 8 && sizeof(KAFFINITY) == 8);
C_ASSERT(MAXULONG == 0xffffffff && MAXUSHORT == 0xffff && MAXLONG == 0x7fffffff);
C_ASSERT(UNICODE_STRING_MAX_BYTES == 65534 && UNICODE_STRING_MAX_CHARS == 32767);
C_ASSERT(RTL_NUMBER_OF_FIELD(GUID, Data4) == 8 && RTL_NUMBER_OF(L"ab") == 3);
C_ASSERT(NonPagedPoolCacheAligned == 4 && PagedPoolCacheAligned == 5);
C_ASSERT(POOL_COLD_ALLOCATION == 256 && POOL_RAISE_IF_ALLOCATION_FAILURE == 16);
C_ASSERT(PAGE_READONLY == 2 && PAGE_READWRITE == 4 && PAGE_NOCACHE == 0x200);
C_ASSERT(PAGE_WRITECOMBINE == 0x400);
C_ASSERT(CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_ANY_ACCESS) == 0x222003);
C_ASSERT(NTSTRSAFE_MAX_CCH == 2147483647 && STRSAFE_NO_TRUNCATION == 0x1000);
C_ASSERT(DPFLTR_IHVDRIVER_ID == 77 && DPFLTR_DEFAULT_ID == 101 && DPFLTR_IHVBUS_ID == 82);

static ULONG NtWordsLine;

#define TAG	0x4b547374

static VOID NtWordsBase(IN ULONG In, OUT PULONG Sum, IN PVOID Nothing OPTIONAL)
{
	ULONG current = In;
	CHAR character = -1;
	PCSTR text = "\xff";

	UNREFERENCED_PARAMETER(Nothing);
	ASSERT(Sum);
	CHECK(character < 0 && *text < 0);
	CHECK(min(current, 3) == 3 && max(current, 3) == current);
	CHECK(ALIGN_UP_BY(current, 8) == 16 && ALIGN_DOWN_BY(current, 8) == 8);
	CHECK(ALIGN_UP(current, USHORT) == 10 && ALIGN_DOWN(current, ULONG) == 8);
	CHECK(ALIGN_UP_POINTER_BY((PVOID)0x11, 16) == (PVOID)0x20);
	CHECK(ALIGN_DOWN_POINTER_BY((PVOID)0x11, 16) == (PVOID)0x10);
	CHECK(PAGE_ALIGN((PVOID)0x1fff) == (PVOID)0x1000);
	CHECK(PtrToUlong(ULongToPtr(0x80000000)) == 0x80000000);
	CHECK(HandleToULong(ULongToHandle(7)) == 7);
	CHECK(UInt32x32To64(0xffffffff, 2) == 0x1fffffffeULL);
	*Sum = current + BYTES_TO_PAGES(current);
#ifdef __KERNEL__
	CHECK(sizeof(LONG_MAX) == 4 && LONG_MIN < 0 && ULONG_MAX == 0xffffffff);
	CHECK(max(character, 1U) == (ULONG)character);
	CHECK(sizeof(DWORD) == 4 && sizeof(BOOL) == 4 && sizeof(BYTE) == 1 && sizeof(HRESULT) == 4);
#endif
}

static VOID NtWordsAnsi(VOID)
{
	UNICODE_STRING wide, room;
	ANSI_STRING text, back;
	WCHAR buffer[8];
	ULONG value;

	RtlInitAnsiString(&text, "Ring\xe9");
	CHECK(text.Length == 5 && text.MaximumLength == 6);
	CHECK(RtlAnsiStringToUnicodeSize(&text) == 12);
	CHECK(RtlAnsiStringToUnicodeString(&wide, &text, TRUE) == STATUS_SUCCESS);
	CHECK(wide.Length == 10 && wide.Buffer[4] == 0xe9 && !wide.Buffer[5]);
	CHECK(RtlUnicodeStringToAnsiString(&back, &wide, TRUE) == STATUS_SUCCESS);
	CHECK(RtlEqualString(&text, &back, FALSE));
	CHECK(RtlCompareString(&text, &back, TRUE) == 0);
	RtlFreeAnsiString(&back);

	RtlInitEmptyUnicodeString(&room, buffer, sizeof(buffer));
	CHECK(RtlAppendUnicodeStringToString(&room, &wide) == STATUS_SUCCESS);
	CHECK(RtlPrefixUnicodeString(&wide, &room, FALSE));
	CHECK(RtlAppendUnicodeToString(&room, L"xyz") == STATUS_SUCCESS && room.Length == 16);
	CHECK(RtlAppendUnicodeToString(&room, L"x") == STATUS_BUFFER_TOO_SMALL);
	RtlFreeUnicodeString(&wide);
	CHECK(!wide.Buffer);

	CHECK(RtlIntegerToUnicodeString(0xbeef, 16, &room) == STATUS_SUCCESS);
	CHECK(room.Length == 8 && room.Buffer[0] == 'B');
	CHECK(RtlUnicodeStringToInteger(&room, 16, &value) == STATUS_SUCCESS && value == 0xbeef);
	CHECK(RtlUpcaseUnicodeString(&room, &room, FALSE) == STATUS_SUCCESS);
}

static VOID NtWordsGuid(VOID)
{
	static const GUID guid = {
		0x68656c6c, 0x6f00, 0x4b4d, { 0x43, 0x4c, 0, 0, 0, 0, 0, 1 }
	};
	UNICODE_STRING text;
	GUID back;

	CHECK(RtlStringFromGUID(&guid, &text) == STATUS_SUCCESS);
	CHECK(!wcscmp(text.Buffer, L"{68656C6C-6F00-4B4D-434C-000000000001}"));
	CHECK(RtlGUIDFromString(&text, &back) == STATUS_SUCCESS);
	CHECK(IsEqualGUID(&guid, &back));
	text.Length -= sizeof(WCHAR);
	CHECK(!NT_SUCCESS(RtlGUIDFromString(&text, &back)));
	RtlFreeUnicodeString(&text);
}

static VOID NtWordsSafe(VOID)
{
	WCHAR wide[8];
	CHAR text[8];
	size_t length;

	CHECK(RtlStringCbPrintfA(text, sizeof(text), "%d-%s", 12, "ab") == STATUS_SUCCESS);
	CHECK(!strcmp(text, "12-ab"));
	CHECK(RtlStringCchCatA(text, sizeof(text), "xyz") == STATUS_BUFFER_OVERFLOW);
	CHECK(!strcmp(text, "12-abxy"));
	CHECK(RtlStringCbLengthA(text, sizeof(text), &length) == STATUS_SUCCESS && length == 7);
	CHECK(RtlStringCchCopyA(text, 0, "x") == STATUS_INVALID_PARAMETER);
	CHECK(RtlStringCbCopyA(text, 3, "xyz") == STATUS_BUFFER_OVERFLOW);
	CHECK(!strcmp(text, "xy"));
	CHECK(RtlStringCchCopyNA(text, sizeof(text), "xyz", 1) == STATUS_SUCCESS);
	CHECK(!strcmp(text, "x"));

	CHECK(RtlStringCbPrintfW(wide, sizeof(wide), L"%u%s", 7, L"abc") == STATUS_SUCCESS);
	CHECK(!wcscmp(wide, L"7abc"));
	CHECK(RtlStringCchCatW(wide, 8, L"defgh") == STATUS_BUFFER_OVERFLOW);
	CHECK(!wcscmp(wide, L"7abcdef"));
	CHECK(RtlStringCbLengthW(wide, sizeof(wide), &length) == STATUS_SUCCESS && length == 14);
	CHECK(RtlStringCbCopyW(wide, 4, L"xyz") == STATUS_BUFFER_OVERFLOW);
	CHECK(!wcscmp(wide, L"x"));
}

#ifdef __KERNEL__
static VOID NtWordsSafeEx(VOID)
{
	UNICODE_STRING string;
	WCHAR wide[4];
	CHAR text[8];
	PSTR end;
	size_t left;

	CHECK(RtlStringCbPrintfExA(text, sizeof(text), &end, &left, 0, "%s", "abc") ==
	      STATUS_SUCCESS);
	CHECK(end == text + 3 && left == 5);
	CHECK(RtlStringCbPrintfExA(text, sizeof(text), &end, &left, STRSAFE_NULL_ON_FAILURE, "%s",
				   "abcdefgh") == STATUS_BUFFER_OVERFLOW);
	CHECK(end == text && left == 8 && !*text);
	CHECK(RtlStringCchCatExA(text, sizeof(text), "ab", &end, NULL, 0) == STATUS_SUCCESS);
	CHECK(RtlStringCchCatExA(text, sizeof(text), "abcdefgh", &end, NULL,
				 STRSAFE_NO_TRUNCATION) == STATUS_BUFFER_OVERFLOW);
	CHECK(!strcmp(text, "ab"));
	CHECK(RtlStringCchCopyExA(text, sizeof(text), NULL, NULL, NULL, STRSAFE_IGNORE_NULLS) ==
	      STATUS_SUCCESS && !*text);

	RtlInitEmptyUnicodeString(&string, wide, sizeof(wide));
	CHECK(RtlUnicodeStringPrintf(&string, L"%d", 12345) == STATUS_BUFFER_OVERFLOW);
	CHECK(string.Length == 8 && wide[3] == '4');
	CHECK(RtlUnicodeStringCopyString(&string, L"ab") == STATUS_SUCCESS && !wide[2]);
	CHECK(RtlUnicodeStringCatString(&string, L"cde") == STATUS_BUFFER_OVERFLOW);
	CHECK(RtlUnicodeStringValidate(&string) == STATUS_SUCCESS);
	string.Length++;
	CHECK(RtlUnicodeStringCopy(&string, &string) == STATUS_INVALID_PARAMETER);
	CHECK(RtlUnicodeStringInit(&string, L"ab") == STATUS_SUCCESS && string.Length == 4);
}

static VOID NtWordsOverflow(VOID)
{
	USHORT half;
	ULONG word;
	size_t size;
	LONG number;

	CHECK(RtlULongAdd(0xfffffffe, 1, &word) == STATUS_SUCCESS && word == 0xffffffff);
	CHECK(RtlULongAdd(0xffffffff, 1, &word) == STATUS_INTEGER_OVERFLOW && word == 0xffffffff);
	CHECK(RtlULongSub(1, 2, &word) == STATUS_INTEGER_OVERFLOW);
	CHECK(RtlULongMult(0x10000, 0xffff, &word) == STATUS_SUCCESS && word == 0xffff0000);
	CHECK(RtlULongMult(0x10000, 0x10000, &word) == STATUS_INTEGER_OVERFLOW);
	CHECK(RtlLongAdd(MAXLONG, 1, &number) == STATUS_INTEGER_OVERFLOW && number == -1);
	CHECK(RtlSizeTAdd(1, 2, &size) == STATUS_SUCCESS && size == 3);
	CHECK(RtlULongToUShort(0x10000, &half) == STATUS_INTEGER_OVERFLOW && half == 0xffff);
	CHECK(RtlULongToUShort(0xfffe, &half) == STATUS_SUCCESS && half == 0xfffe);
	CHECK(RtlULongToLong(0x80000000, &number) == STATUS_INTEGER_OVERFLOW);
	CHECK(RtlLongToULong(-1, &word) == STATUS_INTEGER_OVERFLOW);
}

static VOID NtWordsC(VOID)
{
	WCHAR wide[8];
	CHAR text[8];

	CHECK(_snprintf(text, 3, "%s", "abcd") == -1 && text[2] == 'c');
	CHECK(_snprintf(text, sizeof(text), "%I64d", 1LL << 40) == -1);
	CHECK(_snwprintf(wide, 8, L"%hs", "ab") == 2 && !wcscmp(wide, L"ab"));
	CHECK(!strcpy_s(text, sizeof(text), "abc") && !strcat_s(text, sizeof(text), "def"));
	CHECK(strcat_s(text, sizeof(text), "gh") && !*text);
	CHECK(!wcscpy_s(wide, 8, L"abc") && wcscat_s(wide, 8, L"defgh") && !*wide);
	CHECK(memcpy_s(text, 1, "ab", 2) && !*text);
	CHECK(_strtoui64("0xffffffffff", NULL, 16) == 0xffffffffffULL);
	CHECK(_atoi64("-1099511627776") == -(1LL << 40));
}

static VOID NtWordsOrder(VOID)
{
	PVOID pointer = NULL;
	LONG64 wide = 0;
	ULONG word = 0;
	LONG number = 0;

	WriteRelease(&number, -1);
	WriteNoFence(&number, ReadAcquire(&number) - 1);
	CHECK(ReadNoFence(&number) == -2 && ReadRaw(&number) == -2);
	WriteULongRelease(&word, 2);
	CHECK(ReadULongAcquire(&word) == 2 && ReadULongNoFence(&word) == 2);
	WriteRelease64(&wide, 1LL << 40);
	CHECK(ReadAcquire64(&wide) == 1LL << 40);
	WritePointerRelease(&pointer, &word);
	CHECK(ReadPointerAcquire(&pointer) == &word);
	MemoryBarrier();
	KeMemoryBarrierWithoutFence();
}
#endif

static VOID NtWordsNumbers(VOID)
{
	CHAR *end;

	CHECK(strtoul("0x1fz", &end, 0) == 0x1f && *end == 'z');
	CHECK(strtoul("99999999999", NULL, 10) == 0xffffffff);
	CHECK(strtol(" -017", NULL, 0) == -15);
	CHECK(strtol("99999999999", NULL, 10) == 0x7fffffff);
	CHECK((ULONG)strtol("-99999999999", NULL, 10) == 0x80000000);
	CHECK(strtoul("none", &end, 10) == 0 && *end == 'n');
	CHECK(atoi("-12x") == -12);
	CHECK(wcstoul(L"12", NULL, 16) == 0x12);

	CHECK(wcslen(L"abc") == 3 && !wcscmp(L"a", L"a") && wcsncmp(L"ab", L"ac", 2) < 0);
	CHECK(!_wcsicmp(L"aB", L"Ab") && !_stricmp("aB", "Ab") && !_strnicmp("aBc", "Abx", 2));
	CHECK(*wcschr(L"abc", 'b') == 'b' && *wcsrchr(L"abab", 'b') == 'b');
	CHECK(wcsstr(L"abcd", L"cd")[1] == 'd' && !wcsstr(L"abcd", L"dc"));
	CHECK(_byteswap_ulong(0x12345678) == 0x78563412 && _byteswap_ushort(0x1234) == 0x3412);
	CHECK(_byteswap_uint64(1) == 1ULL << 56);
	CHECK(_rotl(0x80000001, 4) == 0x18);
}

static VOID NtWordsBits(VOID)
{
	ULONG words[3] = { 0, 0, 0 }, index;
	RTL_BITMAP map;

	RtlInitializeBitMap(&map, words, 70);
	RtlSetAllBits(&map);
	CHECK(RtlNumberOfSetBits(&map) == 70 && RtlAreBitsSet(&map, 0, 70));
	RtlClearAllBits(&map);
	CHECK(RtlNumberOfClearBits(&map) == 70 && RtlAreBitsClear(&map, 69, 1));
	RtlSetBits(&map, 30, 5);
	CHECK(words[0] == 0xc0000000 && words[1] == 7);
	CHECK(RtlFindClearBits(&map, 31, 0) == 35);
	CHECK(RtlFindClearBits(&map, 36, 0) == 0xffffffff);
	CHECK(RtlFindSetBits(&map, 5, 40) == 30);
	CHECK(RtlFindClearBitsAndSet(&map, 30, 1) == 35);
	CHECK(RtlTestBit(&map, 64) && !RtlTestBit(&map, 65) && RtlCheckBit(&map, 35));
	RtlClearBits(&map, 32, 1);
	CHECK(RtlFindNextForwardRunClear(&map, 30, &index) == 1 && index == 32);
	CHECK(RtlFindFirstRunClear(&map, &index) == 30 && index == 0);
	RtlSetBit(&map, 69);
	RtlClearBit(&map, 69);
	CHECK(RtlFindSetBitsAndClear(&map, 2, 0) == 30 && !RtlTestBit(&map, 31));
	CHECK(RtlFindMostSignificantBit(0x50) == 6 && RtlFindLeastSignificantBit(0x50) == 4);
	CHECK(RtlFindMostSignificantBit(0) == -1);
}

static VOID NtWordsSingleList(VOID)
{
	SINGLE_LIST_ENTRY head = { NULL }, one, other;

	CHECK(!PopEntryList(&head));
	PushEntryList(&head, &one);
	PushEntryList(&head, &other);
	CHECK(PopEntryList(&head) == &other && PopEntryList(&head) == &one);
	CHECK(!PopEntryList(&head));
}

static VOID NtWordsAppend(VOID)
{
	LIST_ENTRY head, tail, one, other;

	InitializeListHead(&head);
	InitializeListHead(&tail);
	InsertTailList(&head, &one);
	InsertTailList(&tail, &other);
	RemoveEntryList(&tail);
	InitializeListHead(&tail);
	InitializeListHead(&other);
	AppendTailList(&head, &other);
	CHECK(RemoveTailList(&head) == &other && RemoveHeadList(&head) == &one);
	CHECK(IsListEmpty(&head));
}

static VOID NtWordsProcessor(VOID)
{
	PROCESSOR_NUMBER number;
	ULONG index;

	index = KeGetCurrentProcessorNumberEx(&number);
	CHECK(index < KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS));
	CHECK(number.Group * 64 + number.Number == (LONG)index);
	CHECK(KeGetProcessorNumberFromIndex(index, &number) == STATUS_SUCCESS);
	CHECK(number.Group * 64 + number.Number == (LONG)index);
	index = KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS);
	CHECK(KeGetProcessorNumberFromIndex(index, &number) == STATUS_INVALID_PARAMETER);
	CHECK(KeQueryActiveProcessorCount(NULL) && KeQueryMaximumProcessorCount());
	CHECK(KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS));
	CHECK(KeGetCurrentProcessorNumber() < 64);
}

/* The accessors are for registers, and memory takes them as well. */
static VOID NtWordsRegister(VOID)
{
	ULONG registers[2] = { 0, 0 }, values[2];
	PHYSICAL_ADDRESS at;
	PVOID pool;

	WRITE_REGISTER_ULONG(registers, 0x12345678);
	WRITE_REGISTER_UCHAR((PUCHAR)(registers + 1), 0x9a);
	CHECK(READ_REGISTER_ULONG(registers) == 0x12345678);
	CHECK(READ_REGISTER_USHORT((PUSHORT)registers) == 0x5678);
	CHECK(READ_REGISTER_UCHAR((PUCHAR)registers + 3) == 0x12);
	READ_REGISTER_BUFFER_ULONG(registers, values, 2);
	CHECK(values[0] == 0x12345678 && values[1] == 0x9a);
	WRITE_REGISTER_BUFFER_ULONG(registers, values + 1, 1);
	CHECK(registers[0] == 0x9a);

	pool = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
	CHECK(pool);
	if (!pool)
		return;
	at = MmGetPhysicalAddress(pool);
	CHECK(at.QuadPart && BYTE_OFFSET(at.QuadPart) == BYTE_OFFSET(pool));
	ExFreePool(pool);
}

ULONG NtWordsText(VOID)
{
	ULONG sum;

	NtWordsLine = 0;
	NtWordsBase(9, &sum, NULL);
	CHECK(sum == 10);
	NtWordsAnsi();
	NtWordsGuid();
	NtWordsSafe();
#ifdef __KERNEL__
	NtWordsSafeEx();
	NtWordsOverflow();
	NtWordsC();
	NtWordsOrder();
#endif
	NtWordsNumbers();
	NtWordsBits();
	NtWordsSingleList();
	NtWordsAppend();
	NtWordsProcessor();
	NtWordsRegister();
	KdPrint(("nt words: %lu\n", NtWordsLine));
	return NtWordsLine;
}
