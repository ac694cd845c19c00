/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Loads and stores of words that other processors change, and barriers. Part of <wdm.h>.
 */
#ifndef _NT_MEMORY_ORDER_H
#define _NT_MEMORY_ORDER_H

#include <linux/prefetch.h>
#include <linux/processor.h>
#include <asm/barrier.h>

#include <ntdef.h>

/* What a barrier pairs with, its user tells. */
#define MemoryBarrier()			smp_mb() /* see above */
#define KeMemoryBarrier()		smp_mb() /* see above */
#define KeMemoryBarrierWithoutFence()	barrier()
#define _ReadWriteBarrier()		barrier()
#define _ReadBarrier()			barrier()
#define _WriteBarrier()			barrier()

#define YieldProcessor()		cpu_relax()

#define PreFetchCacheLine(level, address)	prefetch(address)
#define PF_TEMPORAL_LEVEL_1		0
#define PF_NON_TEMPORAL_LEVEL_ALL	1

/* Raw is as no fence: a load or a store of its own, neither torn nor left out. */
#define __NT_READ_WRITE(type_t, acquire, nofence, raw, release, write_nofence, write_raw)\
static inline type_t acquire(type_t const volatile *Source)				\
{											\
	return smp_load_acquire(Source); /* see above */				\
}											\
static inline type_t nofence(type_t const volatile *Source)				\
{											\
	return READ_ONCE(*Source);							\
}											\
static inline type_t raw(type_t const volatile *Source)					\
{											\
	return READ_ONCE(*Source);							\
}											\
static inline VOID release(type_t volatile *Destination, type_t Value)			\
{											\
	smp_store_release(Destination, Value); /* see above */				\
}											\
static inline VOID write_nofence(type_t volatile *Destination, type_t Value)		\
{											\
	WRITE_ONCE(*Destination, Value);						\
}											\
static inline VOID write_raw(type_t volatile *Destination, type_t Value)		\
{											\
	WRITE_ONCE(*Destination, Value);						\
}

#define __NT_READ_WRITE_BITS(bits, type_t)						\
	__NT_READ_WRITE(type_t, ReadAcquire##bits, ReadNoFence##bits, ReadRaw##bits,	\
			WriteRelease##bits, WriteNoFence##bits, WriteRaw##bits)

#define __NT_READ_WRITE_NAMED(name, type_t)						\
	__NT_READ_WRITE(type_t, Read##name##Acquire, Read##name##NoFence,		\
			Read##name##Raw, Write##name##Release, Write##name##NoFence,	\
			Write##name##Raw)

__NT_READ_WRITE_BITS(, LONG)
__NT_READ_WRITE_BITS(8, CHAR)
__NT_READ_WRITE_BITS(16, SHORT)
__NT_READ_WRITE_BITS(64, LONG64)
__NT_READ_WRITE_NAMED(Boolean, BOOLEAN)
__NT_READ_WRITE_NAMED(UChar, UCHAR)
__NT_READ_WRITE_NAMED(UShort, USHORT)
__NT_READ_WRITE_NAMED(ULong, ULONG)
__NT_READ_WRITE_NAMED(ULong64, ULONG64)
__NT_READ_WRITE_NAMED(Int32, INT32)
__NT_READ_WRITE_NAMED(UInt32, UINT32)
__NT_READ_WRITE_NAMED(SizeT, SIZE_T)
__NT_READ_WRITE_NAMED(Pointer, PVOID)

#endif /* _NT_MEMORY_ORDER_H */
