/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Memory of devices, such as a channel's window of VmbChannelGetMmioSpace(). Part of
 * <wdm.h>; the functions are in nt/register.c.
 */
#ifndef _NT_REGISTER_H
#define _NT_REGISTER_H

#include <linux/io.h>

#include <ntdef.h>
#include <nt_mdl.h>

PVOID MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes,
		   MEMORY_CACHING_TYPE CacheType);
PVOID MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect);
VOID MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes);
PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress);

/* What a page may be used for. A driver's source has Windows' names of them. */
#define NT_PAGE_READONLY	0x02
#define NT_PAGE_READWRITE	0x04
#define NT_PAGE_NOCACHE		0x200
#define NT_PAGE_WRITECOMBINE	0x400

/* Ordered against other memory, as Linux' readl() and writel() are. */
#define __NT_REGISTER(name, type_t, read, write)					\
static inline type_t READ_REGISTER_##name(type_t volatile *Register)			\
{											\
	return read((void __iomem __force *)Register);					\
}											\
static inline VOID WRITE_REGISTER_##name(type_t volatile *Register, type_t Value)	\
{											\
	write(Value, (void __iomem __force *)Register);					\
}											\
static inline VOID READ_REGISTER_BUFFER_##name(type_t volatile *Register, type_t *Buffer, \
					       ULONG Count)				\
{											\
	ULONG i;									\
											\
	for (i = 0; i < Count; i++)							\
		Buffer[i] = READ_REGISTER_##name(Register + i);				\
}											\
static inline VOID WRITE_REGISTER_BUFFER_##name(type_t volatile *Register, type_t *Buffer, \
						ULONG Count)				\
{											\
	ULONG i;									\
											\
	for (i = 0; i < Count; i++)							\
		WRITE_REGISTER_##name(Register + i, Buffer[i]);				\
}

__NT_REGISTER(UCHAR, UCHAR, readb, writeb)
__NT_REGISTER(USHORT, USHORT, readw, writew)
__NT_REGISTER(ULONG, ULONG, readl, writel)
__NT_REGISTER(ULONG64, ULONG64, readq, writeq)

#endif /* _NT_REGISTER_H */
