/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Interrupt request levels, seen in Linux' contexts. Part of <wdm.h>.
 */
#ifndef _NT_IRQL_H
#define _NT_IRQL_H

#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/preempt.h>

#include <ntdef.h>

#define PASSIVE_LEVEL		0
#define APC_LEVEL		1
#define DISPATCH_LEVEL		2
#define HIGH_LEVEL		15

typedef UCHAR KIRQL, *PKIRQL;

#define PAGED_CODE()		might_sleep()

/*
 * HIGH_LEVEL in a hard interrupt, PASSIVE_LEVEL where one may sleep, else
 * DISPATCH_LEVEL: also with interrupts off in a process, for Linux turns them off
 * where Windows only raises to DISPATCH_LEVEL. A kernel without PREEMPT_COUNT
 * does not know of spinlocks held, but of bottom halves that are off, and those
 * are what KeAcquireSpinLock() turns off.
 */
static inline KIRQL KeGetCurrentIrql(VOID)
{
	if (in_hardirq() || in_nmi())
		return HIGH_LEVEL;
	if (preempt_count() || irqs_disabled())
		return DISPATCH_LEVEL;
	return PASSIVE_LEVEL;
}

#endif /* _NT_IRQL_H */
