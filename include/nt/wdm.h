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

#include <devioctl.h>
#include <nt_align.h>
#include <nt_bitmap.h>
#include <nt_clib.h>
#include <nt_debug.h>
#include <nt_interlocked.h>
#include <nt_irql.h>
#include <nt_list.h>
#include <nt_locked_list.h>
#include <nt_mdl.h>
#include <nt_memory_order.h>
#include <nt_object.h>
#include <nt_pool.h>
#include <nt_processor.h>
#include <nt_register.h>
#include <nt_registry.h>
#include <nt_resource.h>
#include <nt_rundown.h>
#include <nt_slist.h>
#include <nt_string.h>
#include <nt_timer.h>
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

/*
 * In a free build of Windows these are there as well: the first tells the debugger, the
 * others are promises to the compiler.
 */
#define NT_ASSERTMSG(text, condition)		NT_ASSERT(condition)
#define NT_ASSERT_ASSUME(condition)		NT_ASSERT(condition)
#define NT_ASSERTMSG_ASSUME(text, condition)	NT_ASSERT(condition)
#define NT_VERIFYMSG(text, condition)		NT_VERIFY(condition)
#define NT_FRE_ASSERT(condition)		((void)WARN_ON(!(condition)))

/* Linux stops what runs here, and the machine if panic_on_oops is set. */
static inline __noreturn VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR BugCheckParameter1,
					   ULONG_PTR BugCheckParameter2,
					   ULONG_PTR BugCheckParameter3,
					   ULONG_PTR BugCheckParameter4)
{
	pr_emerg("bug check 0x%x (0x%llx, 0x%llx, 0x%llx, 0x%llx)\n", BugCheckCode,
		 BugCheckParameter1, BugCheckParameter2, BugCheckParameter3,
		 BugCheckParameter4);
	BUG();
}

#define KeBugCheck(code)	KeBugCheckEx(code, 0, 0, 0, 0)

/* No debugger listens: the log has the stack. */
#define DbgBreakPoint()		((void)WARN(1, "DbgBreakPoint\n"))
#define DbgBreakPointWithStatus(status)	\
	((void)WARN(1, "DbgBreakPointWithStatus: %x\n", (ULONG)(status)))
#define DbgRaiseAssertionFailure()	DbgBreakPoint()

#include <nt_driver.h>

#endif /* _NT_WDM_H */
