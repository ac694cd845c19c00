/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Interlocked operations: full barriers on both systems. Part of <wdm.h>.
 *
 * Increment, Decrement and Add return the new value, all others the old one, or the
 * old bit.
 */
#ifndef _NT_INTERLOCKED_H
#define _NT_INTERLOCKED_H

#include <linux/atomic.h>
#include <linux/bitops.h>

#include <ntdef.h>
#include <nt_memory_order.h>

C_ASSERT(sizeof(LONG) == sizeof(atomic_t));
C_ASSERT(sizeof(LONG64) == sizeof(atomic64_t));

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

/* Mind the order of the last two parameters: it is the reverse of cmpxchg()'s. */
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

/* atomic_t has no such size. Like those below, a full barrier when it has taken. */
static inline SHORT __nt_add16(SHORT volatile *Addend, SHORT Value)
{
	SHORT seen = READ_ONCE(*Addend), old;

	do {
		old = seen;
		seen = cmpxchg(Addend, old, (SHORT)(old + Value));
	} while (seen != old);
	return (SHORT)(old + Value);
}

static inline SHORT InterlockedIncrement16(SHORT volatile *Addend)
{
	return __nt_add16(Addend, 1);
}

static inline SHORT InterlockedDecrement16(SHORT volatile *Addend)
{
	return __nt_add16(Addend, -1);
}

static inline SHORT InterlockedExchange16(SHORT volatile *Target, SHORT Value)
{
	return xchg(Target, Value);
}

static inline SHORT InterlockedCompareExchange16(SHORT volatile *Destination,
						 SHORT Exchange, SHORT Comparand)
{
	return cmpxchg(Destination, Comparand, Exchange);
}

/*
 * A bit beyond the first word is one of a word that follows, as for the processor's
 * own instruction. test_and_set_bit() takes 64 bits at once, of which half might be
 * another variable.
 */
static inline BOOLEAN InterlockedBitTestAndSet(LONG volatile *Base, LONG Bit)
{
	LONG mask = BIT(Bit & 31);

	return (InterlockedOr(Base + (Bit >> 5), mask) & mask) != 0;
}

static inline BOOLEAN InterlockedBitTestAndReset(LONG volatile *Base, LONG Bit)
{
	LONG mask = BIT(Bit & 31);

	return (InterlockedAnd(Base + (Bit >> 5), ~mask) & mask) != 0;
}

static inline BOOLEAN InterlockedBitTestAndSet64(LONG64 volatile *Base, LONG64 Bit)
{
	return test_and_set_bit(Bit, (unsigned long *)Base);
}

static inline BOOLEAN InterlockedBitTestAndReset64(LONG64 volatile *Base, LONG64 Bit)
{
	return test_and_clear_bit(Bit, (unsigned long *)Base);
}

/*
 * The order in such a name is the least that it promises. x86-64 has none but full
 * barriers to offer, so there these are the words above, on both systems; and elsewhere
 * more order than was asked for is not wrong.
 */
#define InterlockedIncrementAcquire			InterlockedIncrement
#define InterlockedIncrementRelease			InterlockedIncrement
#define InterlockedIncrementNoFence			InterlockedIncrement

#define InterlockedIncrementAcquire64			InterlockedIncrement64
#define InterlockedIncrementRelease64			InterlockedIncrement64
#define InterlockedIncrementNoFence64			InterlockedIncrement64

#define InterlockedDecrementAcquire			InterlockedDecrement
#define InterlockedDecrementRelease			InterlockedDecrement
#define InterlockedDecrementNoFence			InterlockedDecrement

#define InterlockedDecrementAcquire64			InterlockedDecrement64
#define InterlockedDecrementRelease64			InterlockedDecrement64
#define InterlockedDecrementNoFence64			InterlockedDecrement64

#define InterlockedAddAcquire				InterlockedAdd
#define InterlockedAddRelease				InterlockedAdd
#define InterlockedAddNoFence				InterlockedAdd

#define InterlockedAddAcquire64				InterlockedAdd64
#define InterlockedAddRelease64				InterlockedAdd64
#define InterlockedAddNoFence64				InterlockedAdd64

#define InterlockedExchangeAddAcquire			InterlockedExchangeAdd
#define InterlockedExchangeAddRelease			InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence			InterlockedExchangeAdd

#define InterlockedExchangeAddAcquire64			InterlockedExchangeAdd64
#define InterlockedExchangeAddRelease64			InterlockedExchangeAdd64
#define InterlockedExchangeAddNoFence64			InterlockedExchangeAdd64

#define InterlockedCompareExchangeAcquire		InterlockedCompareExchange
#define InterlockedCompareExchangeRelease		InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence		InterlockedCompareExchange

#define InterlockedCompareExchangeAcquire64		InterlockedCompareExchange64
#define InterlockedCompareExchangeRelease64		InterlockedCompareExchange64
#define InterlockedCompareExchangeNoFence64		InterlockedCompareExchange64

#define InterlockedExchangeAcquire			InterlockedExchange
#define InterlockedExchangeNoFence			InterlockedExchange

#define InterlockedExchangeAcquire64			InterlockedExchange64
#define InterlockedExchangeNoFence64			InterlockedExchange64

#define InterlockedCompareExchangePointerAcquire	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerNoFence	InterlockedCompareExchangePointer

#define InterlockedExchangePointerAcquire		InterlockedExchangePointer
#define InterlockedExchangePointerNoFence		InterlockedExchangePointer

#define InterlockedAndAcquire				InterlockedAnd
#define InterlockedAndRelease				InterlockedAnd
#define InterlockedAndNoFence				InterlockedAnd

#define InterlockedAnd64Acquire				InterlockedAnd64
#define InterlockedAnd64Release				InterlockedAnd64
#define InterlockedAnd64NoFence				InterlockedAnd64

#define InterlockedOrAcquire				InterlockedOr
#define InterlockedOrRelease				InterlockedOr
#define InterlockedOrNoFence				InterlockedOr

#define InterlockedOr64Acquire				InterlockedOr64
#define InterlockedOr64Release				InterlockedOr64
#define InterlockedOr64NoFence				InterlockedOr64

#define InterlockedXorAcquire				InterlockedXor
#define InterlockedXorRelease				InterlockedXor
#define InterlockedXorNoFence				InterlockedXor

#define InterlockedXor64Acquire				InterlockedXor64
#define InterlockedXor64Release				InterlockedXor64
#define InterlockedXor64NoFence				InterlockedXor64

#define InterlockedBitTestAndSetAcquire			InterlockedBitTestAndSet
#define InterlockedBitTestAndSetRelease			InterlockedBitTestAndSet

#define InterlockedBitTestAndResetAcquire		InterlockedBitTestAndReset
#define InterlockedBitTestAndResetRelease		InterlockedBitTestAndReset

#endif /* _NT_INTERLOCKED_H */
