/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Words for a driver's source only: those of Microsoft's compiler, empty ones, and those
 * that Linux has as well with another meaning. Linux' own headers use many of these, and
 * so all of them have been read before: see nt_source.h. Part of <wdm.h>.
 */
#ifndef _NT_DRIVER_H
#define _NT_DRIVER_H

#include <nt_source.h>

#if NT_DRIVER_SOURCE

/* For <wdf.h>, which comes behind this. */
#include <linux/lockdep.h>
#include <linux/module.h>

/* What a driver asks of its compiler and its kit. The newest that asks of them has all. */
#define _WIN64			1
#ifdef CONFIG_X86_64
#define _AMD64_			1
#define _M_AMD64		100
#define _M_X64			100
#elif defined(CONFIG_ARM64)
#define _ARM64_			1
#define _M_ARM64		1
#endif

#define NTDDI_WINXP		0x05010000
#define NTDDI_WS03		0x05020000
#define NTDDI_VISTA		0x06000000
#define NTDDI_LONGHORN		NTDDI_VISTA
#define NTDDI_WIN7		0x06010000
#define NTDDI_WIN8		0x06020000
#define NTDDI_WINBLUE		0x06030000
#define NTDDI_WIN10		0x0a000000
#ifndef NTDDI_VERSION
#define NTDDI_VERSION		NTDDI_WIN10
#endif
#ifndef _WIN32_WINNT
#define _WIN32_WINNT		0x0a00
#endif

/* What a driver calls its own, or defines anew. */
#undef current
#undef swap
#undef min
#undef max
#undef MIN
#undef MAX
#undef clamp
#undef ARRAY_SIZE
#undef BIT
#undef ALIGN
#undef PAGE_ALIGN
#undef PTR_ALIGN
#undef READ
#undef WRITE
#undef mb
#undef rmb
#undef wmb
#undef roundup
#undef rounddown

/* Windows' take what the compiler compares, signed with unsigned, too. */
#define min(a, b)		(((a) < (b)) ? (a) : (b))
#define max(a, b)		(((a) > (b)) ? (a) : (b))

/* Down, where Linux' rounds up. */
#define PAGE_ALIGN(va)		((PVOID)((ULONG_PTR)(va) & ~(ULONG_PTR)(NT_PAGE_SIZE - 1)))

/* Of a type, where Linux' is of a number. */
#undef ALIGN_DOWN
#define ALIGN_DOWN(length, type)	ALIGN_DOWN_BY(length, sizeof(type))
#define ALIGN_UP(length, type)		ALIGN_UP_BY(length, sizeof(type))

/* Of 32 bits, where Linux' have 64. */
#undef LONG_MIN
#undef LONG_MAX
#undef ULONG_MAX
#define LONG_MIN		MINLONG
#define LONG_MAX		MAXLONG
#define ULONG_MAX		MAXULONG

/* Of pages, where Linux' are of its page tables. */
#undef PAGE_READONLY
#undef PAGE_EXECUTE
#define PAGE_NOACCESS		0x01
#define PAGE_READONLY		NT_PAGE_READONLY
#define PAGE_READWRITE		NT_PAGE_READWRITE
#define PAGE_EXECUTE		0x10
#define PAGE_EXECUTE_READ	0x20
#define PAGE_EXECUTE_READWRITE	0x40
#define PAGE_GUARD		0x100
#define PAGE_NOCACHE		NT_PAGE_NOCACHE
#define PAGE_WRITECOMBINE	NT_PAGE_WRITECOMBINE

/* ACPI's macro is Linux' own function, which knows no end of 32 bits. */
#undef strtoul
#define strtoul		nt_strtoul

/* By Windows' formats. */
#define sprintf(target, ...)	_snprintf(target, SIZE_MAX, __VA_ARGS__)
#define vsprintf(target, format, args)	_vsnprintf(target, SIZE_MAX, format, args)
#define swprintf(target, ...)	_snwprintf(target, SIZE_MAX, __VA_ARGS__)

#define IN
#define OUT
#define OPTIONAL
#define NOTHING
#define FAR
#define NEAR

#define NTSYSAPI
#define NTSYSCALLAPI
#define NTKERNELAPI
#define NTHALAPI
#define WINAPI
#define WINAPIV
#define APIENTRY
#define CALLBACK
#define PASCAL
#define CDECL
#define EXTERN_C
#define EXTERN_C_START
#define EXTERN_C_END

#define __cdecl
#define __stdcall
#define __fastcall
#define __vectorcall
#define _cdecl
#define _stdcall
#define _fastcall
#define __ptr32
#define __ptr64
#define __sptr
#define __uptr
#define __w64
#define __unaligned
#define UNALIGNED
#define UNALIGNED64
#define RESTRICTED_POINTER
#define POINTER_32
#define POINTER_64

#define __int8			char
#define __int16			short
#define __int32			int
#define __int64			long long
#define _int64			long long

/*
 * Linux' inline, which does not depend on a static before it: each file that does not say
 * static has a function of its own, and vmbkmcl.mk has the linker keep one of them, as
 * Windows' does.
 */
#define __forceinline		inline
/* Linux has only assembly instructions with it, which do without. */
#undef asm_inline
#define asm_inline		asm
#define __inline		inline
#define _inline			inline
#define FORCEINLINE		inline
#define CFORCEINLINE		inline

#define __declspec(what)	__NT_DECLSPEC_##what
#define _declspec(what)		__NT_DECLSPEC_##what
#define __NT_DECLSPEC_align(bytes)	__aligned(bytes)
#define __NT_DECLSPEC_allocate(section)
#define __NT_DECLSPEC_code_seg(section)
#define __NT_DECLSPEC_deprecated
#define __NT_DECLSPEC_dllexport
#define __NT_DECLSPEC_dllimport
#define __NT_DECLSPEC_guard(what)
#define __NT_DECLSPEC_naked
#define __NT_DECLSPEC_noalias
#define __NT_DECLSPEC_noinline	noinline
#define __NT_DECLSPEC_noreturn	__noreturn
#define __NT_DECLSPEC_nothrow
#define __NT_DECLSPEC_novtable
#define __NT_DECLSPEC_restrict
#define __NT_DECLSPEC_selectany	__weak
#define __NT_DECLSPEC_uuid(text)

#define DECLSPEC_CACHEALIGN	DECLSPEC_ALIGN(64)
#define DECLSPEC_DEPRECATED
#define DECLSPEC_DEPRECATED_DDK
#define DECLSPEC_EXPORT
#define DECLSPEC_GUARDNOCF
#define DECLSPEC_IMPORT
#define DECLSPEC_NOINITALL
#define DECLSPEC_NOINLINE	noinline
#define DECLSPEC_NORETURN	__noreturn
#define DECLSPEC_NOTHROW
#define DECLSPEC_NOVTABLE
#define DECLSPEC_RESTRICT
#define DECLSPEC_SELECTANY	__weak
#define DECLSPEC_UUID(text)
#define SYSTEM_CACHE_ALIGNMENT_SIZE	64

#ifndef __pragma /* clang's own, for newer kernels */
#define __pragma(text)
#endif
#define __noop(...)		((void)0)
#undef __assume /* Linux' of newer kernels */
#define __assume(condition)	((void)0)
#define __nop()			barrier()
#define __debugbreak()		DbgBreakPoint()
#define __min(a, b)		min(a, b)
#define __max(a, b)		max(a, b)
#define __LPREFIX(text)		L##text
#define ANYSIZE_ARRAY		1
#define DEFAULT_UNREACHABLE	default: unreachable()

#define __TEXT(text)		text
#define TEXT(text)		__TEXT(text)

/*
 * These evaluate nothing in a driver that is built without -DDBG=1, and need not
 * compile there, as in a free build of Windows'.
 */
#if defined(DBG) && DBG
#define ASSERT(condition)	NT_ASSERT(condition)
#define ASSERTMSG(text, condition)	\
	((void)((condition) || (DbgPrint("%s\n", (text)), NT_ASSERT(condition), 0)))
#define RTL_SOFT_ASSERT(condition)	ASSERT(condition)
#define RTL_SOFT_ASSERTMSG(text, condition)	ASSERTMSG(text, condition)
#define RTL_SOFT_VERIFY(condition)	NT_VERIFY(condition)
#define KdPrint(arguments)	DbgPrint arguments
#define KdPrintEx(arguments)	DbgPrintEx arguments
#define vKdPrintEx(arguments)	vDbgPrintEx arguments
#define KdBreakPoint()		DbgBreakPoint()
#else
#define ASSERT(condition)	((void)0)
#define ASSERTMSG(text, condition)	((void)0)
#define RTL_SOFT_ASSERT(condition)	((void)0)
#define RTL_SOFT_ASSERTMSG(text, condition)	((void)0)
#define RTL_SOFT_VERIFY(condition)	((condition) ? TRUE : FALSE)
#define KdPrint(arguments)
#define KdPrintEx(arguments)
#define vKdPrintEx(arguments)
#define KdBreakPoint()
#endif
#define RTL_ASSERT(condition)	ASSERT(condition)
#define RTL_VERIFY(condition)	NT_VERIFY(condition)

#include <nt_sal_old.h>

#endif /* NT_DRIVER_SOURCE */
#endif /* _NT_DRIVER_H */
