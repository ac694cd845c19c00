/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The status values of the driver framework that this one returns: Windows' numbers. */
#ifndef _NT_WDFSTATUS_H
#define _NT_WDFSTATUS_H

#define STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL		((NTSTATUS)0xC020020C)
#define STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED	((NTSTATUS)0xC020020F)
#define STATUS_WDF_PARENT_NOT_SPECIFIED			((NTSTATUS)0xC0200212)

#endif /* _NT_WDFSTATUS_H */
