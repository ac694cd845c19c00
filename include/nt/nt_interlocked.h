/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Interlocked operations: full barriers on both systems. Part of <wdm.h>.
 *
 * Increment, Decrement and Add return the new value, all others the old one.
 */
#ifndef _NT_INTERLOCKED_H
#define _NT_INTERLOCKED_H

#include <linux/atomic.h>

#include <ntdef.h>

C_ASSERT(sizeof(LONG) == sizeof(atomic_t));
C_ASSERT(sizeof(LONG64) == sizeof(atomic64_t));

#define KeMemoryBarrier()	smp_mb() /* what it pairs with, its user tells */

static inline LONG InterlockedIncrement(LONG volatile *Addend)
{
	return atomic_inc_return((atomic_t *)Addend);
}

static inline LONG InterlockedDecrement(LONG volatile *Addend)
{
	return atomic_dec_return((atomic_t *)Addend);
}

static inline LONG InterlockedAdd(LONG volatile *Addend, LONG Value)
{
	return atomic_add_return(Value, (atomic_t *)Addend);
}

static inline LONG InterlockedExchange(LONG volatile *Target, LONG Value)
{
	return atomic_xchg((atomic_t *)Target, Value);
}

static inline LONG InterlockedExchangeAdd(LONG volatile *Addend, LONG Value)
{
	return atomic_fetch_add(Value, (atomic_t *)Addend);
}

/* Mind the order of the last two: it is the reverse of cmpxchg()'s. */
static inline LONG InterlockedCompareExchange(LONG volatile *Destination,
					      LONG Exchange, LONG Comparand)
{
	return atomic_cmpxchg((atomic_t *)Destination, Comparand, Exchange);
}

static inline LONG InterlockedAnd(LONG volatile *Destination, LONG Value)
{
	return atomic_fetch_and(Value, (atomic_t *)Destination);
}

static inline LONG InterlockedOr(LONG volatile *Destination, LONG Value)
{
	return atomic_fetch_or(Value, (atomic_t *)Destination);
}

static inline LONG InterlockedXor(LONG volatile *Destination, LONG Value)
{
	return atomic_fetch_xor(Value, (atomic_t *)Destination);
}

static inline LONG64 InterlockedIncrement64(LONG64 volatile *Addend)
{
	return atomic64_inc_return((atomic64_t *)Addend);
}

static inline LONG64 InterlockedDecrement64(LONG64 volatile *Addend)
{
	return atomic64_dec_return((atomic64_t *)Addend);
}

static inline LONG64 InterlockedAdd64(LONG64 volatile *Addend, LONG64 Value)
{
	return atomic64_add_return(Value, (atomic64_t *)Addend);
}

static inline LONG64 InterlockedExchange64(LONG64 volatile *Target, LONG64 Value)
{
	return atomic64_xchg((atomic64_t *)Target, Value);
}

static inline LONG64 InterlockedExchangeAdd64(LONG64 volatile *Addend,
					      LONG64 Value)
{
	return atomic64_fetch_add(Value, (atomic64_t *)Addend);
}

static inline LONG64 InterlockedCompareExchange64(LONG64 volatile *Destination,
						  LONG64 Exchange,
						  LONG64 Comparand)
{
	return atomic64_cmpxchg((atomic64_t *)Destination, Comparand, Exchange);
}

static inline LONG64 InterlockedAnd64(LONG64 volatile *Destination, LONG64 Value)
{
	return atomic64_fetch_and(Value, (atomic64_t *)Destination);
}

static inline LONG64 InterlockedOr64(LONG64 volatile *Destination, LONG64 Value)
{
	return atomic64_fetch_or(Value, (atomic64_t *)Destination);
}

static inline LONG64 InterlockedXor64(LONG64 volatile *Destination, LONG64 Value)
{
	return atomic64_fetch_xor(Value, (atomic64_t *)Destination);
}

static inline PVOID InterlockedExchangePointer(PVOID volatile *Target, PVOID Value)
{
	return xchg(Target, Value);
}

static inline PVOID
InterlockedCompareExchangePointer(PVOID volatile *Destination, PVOID Exchange,
				  PVOID Comparand)
{
	return cmpxchg(Destination, Comparand, Exchange);
}

#endif /* _NT_INTERLOCKED_H */
