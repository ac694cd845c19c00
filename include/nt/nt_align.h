/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Lengths and addresses at a multiple of something, which is a power of two. Part of
 * <wdm.h>.
 */
#ifndef _NT_ALIGN_H
#define _NT_ALIGN_H

#include <ntdef.h>

#define ALIGN_DOWN_BY(length, alignment)	\
	((ULONG_PTR)(length) & ~((ULONG_PTR)(alignment) - 1))
#define ALIGN_UP_BY(length, alignment)	\
	ALIGN_DOWN_BY((ULONG_PTR)(length) + (alignment) - 1, alignment)
#define ALIGN_DOWN_POINTER_BY(address, alignment)	\
	((PVOID)ALIGN_DOWN_BY(address, alignment))
#define ALIGN_UP_POINTER_BY(address, alignment)	\
	((PVOID)ALIGN_UP_BY(address, alignment))

/* ALIGN_DOWN() and ALIGN_UP() of a type are a driver's source's only: see nt_driver.h. */
#define ALIGN_DOWN_POINTER(address, type)	ALIGN_DOWN_POINTER_BY(address, sizeof(type))
#define ALIGN_UP_POINTER(address, type)		ALIGN_UP_POINTER_BY(address, sizeof(type))

#endif /* _NT_ALIGN_H */
