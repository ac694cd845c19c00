// SPDX-License-Identifier: GPL-2.0
/* Old annotations, calling conventions, assertions and debug output, as drivers of the years mix them. */
#include <ntddk.h>

#pragma warning(disable : 4201)

#ifdef ALLOC_PRAGMA
#pragma alloc_text(PAGE, BaseQueryName)
#endif

#define BASE_TAG	'esaB'

#ifndef __KERNEL__ /* what mingw-w64's headers of drivers lack, or have otherwise */
typedef ULONG DWORD;
typedef UCHAR BYTE;
typedef int BOOL;
#undef FORCEINLINE
#define FORCEINLINE	__inline
#endif

typedef struct _BASE_EXTENSION {
	PHYSICAL_ADDRESS Physical;
	DWORD Flags;
	BYTE Bytes[6];
	BOOL Enabled;
	union {
		struct {
			USHORT Low;
			USHORT High;
		};
		ULONG Both;
	};
	CHAR Name[16];
} BASE_EXTENSION, *PBASE_EXTENSION;

C_ASSERT(RTL_NUMBER_OF_FIELD(BASE_EXTENSION, Bytes) == 6);
C_ASSERT(RTL_SIZEOF_THROUGH_FIELD(BASE_EXTENSION, Flags) == 12);

NTSTATUS BaseQueryName(IN PBASE_EXTENSION Extension, OUT PCHAR Name, IN OUT PULONG Length,
		       IN PVOID Reserved OPTIONAL);
ULONG NTAPI BaseHash(_In_reads_bytes_(Length) const UCHAR *Bytes, _In_ ULONG Length);
BOOLEAN BaseIsNegative(CHAR Character, PCSTR Text);
LONG BaseClamp(LONG Value, ULONG Limit);
ULONG BaseNested(ULONG Count);
DECLSPEC_NORETURN VOID BaseFatal(_In_ ULONG Code, _In_opt_ PVOID Object);

FORCEINLINE
VOID
BaseSetFlag(
	IN PBASE_EXTENSION Extension,
	IN ULONG Flag
	)
{
	Extension->Flags |= Flag;
}

static FORCEINLINE BOOLEAN
__BaseIsSet(
	IN PBASE_EXTENSION Extension,
	IN ULONG Flag
	)
{
	return (Extension->Flags & Flag) ? TRUE : FALSE;
}

__drv_maxIRQL(PASSIVE_LEVEL)
__checkReturn
NTSTATUS
BaseQueryName(
	IN PBASE_EXTENSION Extension,
	OUT PCHAR Name,
	IN OUT PULONG Length,
	IN PVOID Reserved OPTIONAL
	)
{
	ULONG Needed;

	UNREFERENCED_PARAMETER(Reserved);
	PAGED_CODE();

	ASSERT(Extension != NULL);
	ASSERTMSG("no name", Extension->Name[0] != ANSI_NULL);

	for (Needed = 0; Needed < RTL_NUMBER_OF(Extension->Name); Needed++)
		if (Extension->Name[Needed] == '\0')
			break;

	if (*Length < Needed) {
		*Length = Needed;
		KdPrint(("the buffer has only %lu bytes\n", *Length));
		return STATUS_BUFFER_TOO_SMALL;
	}

	RtlCopyMemory(Name, Extension->Name, Needed);
	*Length = Needed;
	BaseSetFlag(Extension, 0x80000000);
	KdPrintEx((DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "%s: %p\n", "name", Extension));
	return __BaseIsSet(Extension, 1) ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_REQUEST;
}

DECLSPEC_NOINLINE
ULONG
NTAPI
BaseHash(
	_In_reads_bytes_(Length) const UCHAR *Bytes,
	_In_ ULONG Length
	)
{
	ULONG Hash = 0, Index;
	unsigned __int64 Wide = 1;

	for (Index = 0; Index < Length; Index++) {
		Hash = _rotl(Hash, 5) ^ Bytes[Index];
		Wide *= Hash | 1;
	}
	return Hash ^ (ULONG)(Wide >> 32);
}

/* Both are true of a character beyond ASCII. */
BOOLEAN
BaseIsNegative(
	CHAR Character,
	PCSTR Text
	)
{
	return Character < 0 || *Text < 0;
}

LONG
BaseClamp(
	LONG Value,
	ULONG Limit
	)
{
	Value = max(Value, 0);
	return min(Value, (LONG)Limit) + (LONG)min(Limit, MAXULONG) - (LONG)min(Limit, MAXLONG);
}

/* A function of C as it was once, and a variable that Linux has a macro for. */
ULONG
BaseNested(
	ULONG Count
	)
{
	ULONG current = Count;
	PVOID Page = PAGE_ALIGN(&current);

	NT_ASSERT(Page != NULL);
	while (current > 1)
		current = current % 2 ? 3 * current + 1 : current / 2;
	return current + ALIGN_UP_BY(Count, 8) + ALIGN_DOWN_BY(Count, 8) +
	       BYTE_OFFSET(ALIGN_UP_POINTER_BY(Page, PAGE_SIZE));
}

DECLSPEC_NORETURN
VOID
BaseFatal(
	_In_ ULONG Code,
	_In_opt_ PVOID Object
	)
{
	KeBugCheckEx(Code, (ULONG_PTR)Object, 0, 0, 0);
}
