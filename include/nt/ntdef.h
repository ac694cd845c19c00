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

/*
 * Windows' characters are signed. Linux' are not, from 6.2 on, but for a module that is
 * compiled with -fsigned-char, as vmbkmcl.mk has it. A variable is signed without it, too.
 * What a pointer points to is not: texts have to stay plain char.
 */
#ifdef __CHAR_UNSIGNED__
typedef signed char CHAR, CCHAR;
#if NT_DRIVER_SOURCE
#pragma message "what PCHAR points to is unsigned: -fsigned-char is missing, see vmbkmcl.mk"
#endif
#else
typedef char CHAR, CCHAR;
#endif
typedef char *PCHAR, *LPCH, *PCH, *PSTR, *NPSTR, *LPSTR, *PSZ, *PCCHAR;
typedef const char *PCSTR, *PCCH, *LPCCH, *PCSZ, *LPCSTR;
typedef unsigned char UCHAR, *PUCHAR;
typedef const unsigned char *PCUCHAR;
typedef short SHORT, *PSHORT;
typedef unsigned short USHORT, *PUSHORT;
typedef const unsigned short *PCUSHORT;
typedef short CSHORT;
typedef int INT, *PINT;
typedef unsigned int UINT, *PUINT;
typedef int LONG, *PLONG;
typedef unsigned int ULONG, *PULONG;
typedef const unsigned int *PCULONG;
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

typedef ULONG_PTR KAFFINITY, *PKAFFINITY;

typedef unsigned char BOOLEAN, *PBOOLEAN;
typedef ULONG LOGICAL, *PLOGICAL;
typedef LONG NTSTATUS, *PNTSTATUS;
typedef LONG HRESULT;
typedef ULONG LCID, *PLCID;
typedef USHORT LANGID;

/* As Windows' programs, and drivers that share headers with them, know them. */
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef unsigned short WORD, *PWORD, *LPWORD;
typedef unsigned int DWORD, *PDWORD, *LPDWORD;
typedef unsigned int DWORD32, *PDWORD32;
typedef unsigned long long DWORD64, *PDWORD64, DWORDLONG, *PDWORDLONG;
typedef ULONG_PTR DWORD_PTR, *PDWORD_PTR;
typedef int BOOL, *PBOOL, *LPBOOL;
typedef void *LPVOID;
typedef const void *LPCVOID;

/* The kernel is built with -fshort-wchar: L"text" is UTF-16, as on Windows. */
typedef unsigned short wchar_t;
typedef wchar_t WCHAR, *PWCHAR, *LPWCH, *PWCH, *NWPSTR, *LPWSTR, *PWSTR;
typedef const WCHAR *PCWSTR, *PCWCH, *LPCWCH, *LPCWSTR;

C_ASSERT(sizeof(ULONG) == 4);
C_ASSERT(sizeof(ULONG_PTR) == sizeof(PVOID));
#ifndef __CHECKER__ /* sparse does not know of -fshort-wchar */
C_ASSERT(sizeof(WCHAR) == sizeof(L'x'));
#endif

#define MINCHAR			((CHAR)0x80)
#define MAXCHAR			((CHAR)0x7f)
#define MINSHORT		((SHORT)0x8000)
#define MAXSHORT		((SHORT)0x7fff)
#define MINLONG			((LONG)0x80000000)
#define MAXLONG			((LONG)0x7fffffff)
#define MINLONGLONG		((LONGLONG)0x8000000000000000)
#define MAXLONGLONG		((LONGLONG)0x7fffffffffffffff)
#define MAXUCHAR		((UCHAR)0xff)
#define MAXUSHORT		((USHORT)0xffff)
#define MAXULONG		((ULONG)0xffffffff)
#define MAXULONGLONG		((ULONGLONG)0xffffffffffffffff)
#define MAXBYTE			0xff
#define MAXWORD			0xffff
#define MAXDWORD		0xffffffff

#define MAXUINT8		((UINT8)0xff)
#define MAXINT8			((INT8)0x7f)
#define MININT8			((INT8)0x80)
#define MAXUINT16		((UINT16)0xffff)
#define MAXINT16		((INT16)0x7fff)
#define MININT16		((INT16)0x8000)
#define MAXUINT32		((UINT32)0xffffffff)
#define MAXINT32		((INT32)0x7fffffff)
#define MININT32		((INT32)0x80000000)
#define MAXUINT64		((UINT64)0xffffffffffffffff)
#define MAXINT64		((INT64)0x7fffffffffffffff)
#define MININT64		((INT64)0x8000000000000000)
#define MAXULONG32		((ULONG32)0xffffffff)
#define MAXLONG32		((LONG32)0x7fffffff)
#define MINLONG32		((LONG32)0x80000000)
#define MAXULONG64		((ULONG64)0xffffffffffffffff)
#define MAXLONG64		((LONG64)0x7fffffffffffffff)
#define MINLONG64		((LONG64)0x8000000000000000)
#define MAXUINT			((UINT)0xffffffff)
#define MAXINT			((INT)0x7fffffff)
#define MININT			((INT)0x80000000)
#define MAXUINT_PTR		((UINT_PTR)0xffffffffffffffff)
#define MAXULONG_PTR		((ULONG_PTR)0xffffffffffffffff)
#define MAXLONG_PTR		((LONG_PTR)0x7fffffffffffffff)
#define MINLONG_PTR		((LONG_PTR)0x8000000000000000)
#define MAXSIZE_T		((SIZE_T)0xffffffffffffffff)
#define MAXSSIZE_T		((SSIZE_T)0x7fffffffffffffff)
#define MINSSIZE_T		((SSIZE_T)0x8000000000000000)

#define ANSI_NULL		((CHAR)0)
#define UNICODE_NULL		((WCHAR)0)
#define UNICODE_STRING_MAX_BYTES	((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS	(32767)

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

#define DBG_UNREFERENCED_PARAMETER(parameter)	UNREFERENCED_PARAMETER(parameter)
#define DBG_UNREFERENCED_LOCAL_VARIABLE(variable)	UNREFERENCED_PARAMETER(variable)

#define FIELD_OFFSET(type, field)	((LONG)offsetof(type, field))
#define UFIELD_OFFSET(type, field)	((ULONG)offsetof(type, field))
#define RTL_FIELD_SIZE(type, field)	sizeof(((type *)0)->field)
#define RTL_SIZEOF_THROUGH_FIELD(type, field)	\
	(offsetof(type, field) + RTL_FIELD_SIZE(type, field))
#define RTL_CONTAINS_FIELD(pointer, size, field)	\
	(RTL_SIZEOF_THROUGH_FIELD(__typeof__(*(pointer)), field) <= (size))
#define RTL_NUMBER_OF(array)		(sizeof(array) / sizeof((array)[0]))
#define RTL_NUMBER_OF_V1(array)		RTL_NUMBER_OF(array)
#define RTL_NUMBER_OF_V2(array)		RTL_NUMBER_OF(array)
#define RTL_NUMBER_OF_FIELD(type, field)	RTL_NUMBER_OF(((type *)0)->field)
#define ARRAYSIZE(array)		RTL_NUMBER_OF(array)
#define TYPE_ALIGNMENT(what)		((LONG)__alignof__(what))
#define CONTAINING_RECORD(address, type, field)	\
	((type *)((PCHAR)(address) - offsetof(type, field)))

/* Numbers in pointers and handles; what is longer is cut off, a LONG gets its sign. */
#define HandleToULong(handle)		((ULONG)(ULONG_PTR)(handle))
#define HandleToUlong(handle)		HandleToULong(handle)
#define HandleToLong(handle)		((LONG)(LONG_PTR)(handle))
#define ULongToHandle(number)		((HANDLE)(ULONG_PTR)(number))
#define UlongToHandle(number)		ULongToHandle(number)
#define LongToHandle(number)		((HANDLE)(LONG_PTR)(number))
#define PtrToULong(pointer)		((ULONG)(ULONG_PTR)(pointer))
#define PtrToUlong(pointer)		PtrToULong(pointer)
#define PtrToUint(pointer)		((UINT)(UINT_PTR)(pointer))
#define PtrToLong(pointer)		((LONG)(LONG_PTR)(pointer))
#define PtrToInt(pointer)		((INT)(INT_PTR)(pointer))
#define PtrToUshort(pointer)		((USHORT)(ULONG_PTR)(pointer))
#define ULongToPtr(number)		((PVOID)(ULONG_PTR)(ULONG)(number))
#define UlongToPtr(number)		ULongToPtr(number)
#define UIntToPtr(number)		ULongToPtr(number)
#define LongToPtr(number)		((PVOID)(LONG_PTR)(LONG)(number))
#define IntToPtr(number)		LongToPtr(number)

#define Int32x32To64(a, b)		((LONGLONG)(LONG)(a) * (LONG)(b))
#define UInt32x32To64(a, b)		((ULONGLONG)(ULONG)(a) * (ULONG)(b))

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

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

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

typedef struct _LUID {
	ULONG LowPart;
	LONG HighPart;
} LUID, *PLUID;

/* The lengths are in bytes; Buffer need not end in a zero. */
typedef struct _STRING {
	USHORT Length;
	USHORT MaximumLength;
	PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING, OEM_STRING, *POEM_STRING, UTF8_STRING,
	*PUTF8_STRING;

typedef const STRING *PCANSI_STRING, *PCOEM_STRING, *PCUTF8_STRING;

/* The same of UTF-16. */
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

/* An empty string with room for so many characters. */
#define DECLARE_UNICODE_STRING_SIZE(name, size)			\
	WCHAR name##_buffer[size];				\
	UNICODE_STRING name = {					\
		.MaximumLength = (size) * sizeof(WCHAR),	\
		.Buffer = name##_buffer				\
	}

#define DECLARE_CONST_UNICODE_STRING(name, text)		\
	const WCHAR name##_buffer[] = text;			\
	const UNICODE_STRING name = {				\
		.Length = sizeof(text) - sizeof(WCHAR),		\
		.MaximumLength = sizeof(text),			\
		.Buffer = (PWCH)name##_buffer			\
	}

#define DECLARE_GLOBAL_CONST_UNICODE_STRING(name, text)		\
	extern const UNICODE_STRING name;			\
	const UNICODE_STRING name __weak = {			\
		.Length = sizeof(text) - sizeof(WCHAR),		\
		.MaximumLength = sizeof(text),			\
		.Buffer = (PWCH)(text)				\
	}

typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY, *PRLIST_ENTRY;

typedef struct _SINGLE_LIST_ENTRY {
	struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

#endif /* _NT_NTDEF_H */
