/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Windows' base types, with Windows' sizes: a Windows LONG stays 32 bits wide
 * on 64-bit machines. Those that a Linux header also might define have the
 * same underlying types as u8 ... u64, so that a repeated typedef is the same
 * typedef, which C11 allows. They are typedefs and not macros wherever C lets
 * them be, to leave struct members and locals of these names alone.
 */
#ifndef _NT_NTDEF_H
#define _NT_NTDEF_H

#include <nt_source.h>

#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/types.h>

#include <guiddef.h>
#include <sal.h>

#ifndef CONFIG_64BIT
#error The sizes below, and KMCL, are those of 64-bit Windows
#endif

#define C_ASSERT(condition)	_Static_assert(condition, #condition)

#define CONST			const
#define NTAPI

#define DECLSPEC_ALIGN(bytes)	__aligned(bytes)

/* Of what ExAllocatePool2() and its like give out. */
#define MEMORY_ALLOCATION_ALIGNMENT	16

/* ACPICA defines these two as well: leave its words, they mean the same. */
#ifndef FALSE
#define FALSE			0
#endif
#ifndef TRUE
#define TRUE			1
#endif

typedef void VOID, *PVOID;
typedef void *HANDLE, **PHANDLE;
typedef const void *PCVOID;

typedef char CHAR, *PCHAR, *PSTR;
typedef const char *PCSTR;
typedef unsigned char UCHAR, *PUCHAR;
typedef short SHORT, *PSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef char CCHAR;
typedef short CSHORT;
typedef int INT, *PINT;
typedef unsigned int UINT, *PUINT;
typedef int LONG, *PLONG;
typedef unsigned int ULONG, *PULONG;
typedef long long LONGLONG, *PLONGLONG;
typedef unsigned long long ULONGLONG, *PULONGLONG;

typedef signed char INT8, *PINT8;
typedef unsigned char UINT8, *PUINT8;
typedef short INT16, *PINT16;
typedef unsigned short UINT16, *PUINT16;
typedef int INT32, *PINT32;
typedef unsigned int UINT32, *PUINT32;
typedef long long INT64, *PINT64;
typedef unsigned long long UINT64, *PUINT64;
typedef int LONG32, *PLONG32;
typedef unsigned int ULONG32, *PULONG32;
typedef long long LONG64, *PLONG64;
typedef unsigned long long ULONG64, *PULONG64;

typedef long long INT_PTR, LONG_PTR, *PLONG_PTR, SSIZE_T;
typedef unsigned long long UINT_PTR, ULONG_PTR, *PULONG_PTR;
typedef ULONG_PTR SIZE_T, *PSIZE_T;

typedef unsigned char BOOLEAN, *PBOOLEAN;
typedef LONG NTSTATUS, *PNTSTATUS;

/* The kernel is built with -fshort-wchar: L"text" is UTF-16, as on Windows. */
typedef unsigned short WCHAR, *PWCHAR, *PWCH, *PWSTR;
typedef const WCHAR *PCWSTR, *PCWCH;

C_ASSERT(sizeof(ULONG) == 4);
C_ASSERT(sizeof(ULONG_PTR) == sizeof(PVOID));
#ifndef __CHECKER__ /* sparse does not know of -fshort-wchar */
C_ASSERT(sizeof(WCHAR) == sizeof(L'x'));
#endif

#define NT_SUCCESS(status)	((NTSTATUS)(status) >= 0)
#define NT_INFORMATION(status)	((ULONG)(status) >> 30 == 1)
#define NT_WARNING(status)	((ULONG)(status) >> 30 == 2)
#define NT_ERROR(status)	((ULONG)(status) >> 30 == 3)

/*
 * Each handle is a pointer to a type of its own that is never completed: mixing
 * two kinds, or looking into one, does not compile.
 */
#define DECLARE_HANDLE(name)	typedef struct name##__ *name

#define UNREFERENCED_PARAMETER(parameter)	((void)(parameter))
#define ARGUMENT_PRESENT(pointer)		((pointer) != NULL)

#define FIELD_OFFSET(type, field)	((LONG)offsetof(type, field))
#define RTL_FIELD_SIZE(type, field)	sizeof(((type *)0)->field)
#define RTL_NUMBER_OF(array)		(sizeof(array) / sizeof((array)[0]))
#define CONTAINING_RECORD(address, type, field)	\
	((type *)((PCHAR)(address) - offsetof(type, field)))

typedef union _LARGE_INTEGER {
	struct {
		ULONG LowPart;
		LONG HighPart;
	};
	struct {
		ULONG LowPart;
		LONG HighPart;
	} u;
	LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef union _ULARGE_INTEGER {
	struct {
		ULONG LowPart;
		ULONG HighPart;
	};
	struct {
		ULONG LowPart;
		ULONG HighPart;
	} u;
	ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

/* The lengths are in bytes; Buffer need not end in a zero. */
typedef struct _UNICODE_STRING {
	USHORT Length;
	USHORT MaximumLength;
	PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;

typedef const UNICODE_STRING *PCUNICODE_STRING;

#define RTL_CONSTANT_STRING(text)				\
	{							\
		.Length = sizeof(text) - sizeof((text)[0]),	\
		.MaximumLength = sizeof(text),			\
		.Buffer = (text)				\
	}

#define DECLARE_CONST_UNICODE_STRING(name, text)		\
	const WCHAR name##_buffer[] = text;			\
	const UNICODE_STRING name = {				\
		.Length = sizeof(text) - sizeof(WCHAR),		\
		.MaximumLength = sizeof(text),			\
		.Buffer = (PWCH)name##_buffer			\
	}

typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

#endif /* _NT_NTDEF_H */
