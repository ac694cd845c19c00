/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The kernel-mode words that a KMCL client uses. What is one Linux call is an
 * inline function in these headers; what needs more is declared there and lives
 * in nt/. docs/nt-words.md has the list.
 */
#ifndef _NT_WDM_H
#define _NT_WDM_H

#include <nt_source.h>

#include <linux/bug.h>
#include <linux/printk.h>

#include <ntdef.h>
#include <ntstatus.h>

#include <nt_interlocked.h>
#include <nt_irql.h>
#include <nt_list.h>
#include <nt_mdl.h>
#include <nt_pool.h>
#include <nt_slist.h>
#include <nt_string.h>
#include <nt_wait.h>
#include <nt_work.h>

/* How every table begins that one driver hands to another. */
typedef VOID INTERFACE_REFERENCE(PVOID Context);
typedef VOID INTERFACE_DEREFERENCE(PVOID Context);
typedef INTERFACE_REFERENCE *PINTERFACE_REFERENCE;
typedef INTERFACE_DEREFERENCE *PINTERFACE_DEREFERENCE;

typedef struct _INTERFACE {
	USHORT Size;
	USHORT Version;
	PVOID Context;
	PINTERFACE_REFERENCE InterfaceReference;
	PINTERFACE_DEREFERENCE InterfaceDereference;
} INTERFACE, *PINTERFACE;

C_ASSERT(sizeof(INTERFACE) == 32);

/*
 * Debug output goes to the kernel log. The component is not looked at, and
 * the format is Linux' own (no %wZ).
 */
#define DPFLTR_IHVDRIVER_ID	77
#define DPFLTR_DEFAULT_ID	101

#define DPFLTR_ERROR_LEVEL	0
#define DPFLTR_WARNING_LEVEL	1
#define DPFLTR_TRACE_LEVEL	2
#define DPFLTR_INFO_LEVEL	3

#define DbgPrintEx(component, level, format, ...)			\
	((void)(component),						\
	 (level) == DPFLTR_ERROR_LEVEL ? pr_err(format, ##__VA_ARGS__) : \
	 (level) == DPFLTR_WARNING_LEVEL ? pr_warn(format, ##__VA_ARGS__) : \
	 pr_info(format, ##__VA_ARGS__))

#define DbgPrint(format, ...)	pr_info(format, ##__VA_ARGS__)

/*
 * Assertions warn, with a stack, in a driver that is built with -DDBG=1, as a
 * checked build of Windows is. In others NT_ASSERT() does not even evaluate.
 */
#if defined(DBG) && DBG
#define NT_ASSERT(condition)	((void)WARN_ON(!(condition)))
#define NT_VERIFY(condition)	({ BOOLEAN __no = WARN_ON(!(condition)); !__no; })
#else
#define NT_ASSERT(condition)	((void)sizeof(!(condition)))
#define NT_VERIFY(condition)	({ BOOLEAN __yes = !!(condition); __yes; })
#endif

/* Linux stops what runs here, and the machine if panic_on_oops is set. */
#define KeBugCheckEx(code, p1, p2, p3, p4)				\
	do {								\
		pr_emerg("bug check 0x%x (0x%llx, 0x%llx, 0x%llx, 0x%llx)\n", \
			 (ULONG)(code), (ULONG_PTR)(p1), (ULONG_PTR)(p2), \
			 (ULONG_PTR)(p3), (ULONG_PTR)(p4));		\
		BUG();							\
	} while (0)

/*
 * Words of both systems that mean something else on each, in silence. A driver's
 * source does not get Linux' meaning; Linux' own files, which need it, do. Here, where
 * all of Linux' headers have been read: some of them use these words.
 */
#if NT_DRIVER_SOURCE
#undef PAGE_ALIGN
#define PAGE_ALIGN(va)		\
	NT_OTHER_WORD("PAGE_ALIGN() rounds up on Linux: write (PCHAR)va - BYTE_OFFSET(va)")

#undef LONG_MIN
#undef LONG_MAX
#undef ULONG_MAX
#define LONG_MIN	NT_OTHER_WORD("LONG_MIN has 64 bits on Linux: write 0x80000000")
#define LONG_MAX	NT_OTHER_WORD("LONG_MAX has 64 bits on Linux: write 0x7fffffff")
#define ULONG_MAX	NT_OTHER_WORD("ULONG_MAX has 64 bits on Linux: write 0xffffffff")
#endif

#endif /* _NT_WDM_H */
