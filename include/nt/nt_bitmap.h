/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Bitmaps, of words of 32 bits, and bits of numbers. Part of <wdm.h>; the functions are in
 * nt/bitmap.c.
 */
#ifndef _NT_BITMAP_H
#define _NT_BITMAP_H

#include <linux/bitops.h>
#include <linux/swab.h>

#include <ntdef.h>

/* Buffer has whole words; the bits of the last beyond SizeOfBitMap count for nothing. */
typedef struct _RTL_BITMAP {
	ULONG SizeOfBitMap;
	PULONG Buffer;
} RTL_BITMAP, *PRTL_BITMAP;

typedef const RTL_BITMAP *PCRTL_BITMAP;

/* Instead of an index: there is none. */
#define NT_NO_BIT	0xffffffff

static inline VOID RtlInitializeBitMap(PRTL_BITMAP BitMapHeader, PULONG BitMapBuffer,
				       ULONG SizeOfBitMap)
{
	BitMapHeader->SizeOfBitMap = SizeOfBitMap;
	BitMapHeader->Buffer = BitMapBuffer;
}

static inline VOID RtlSetBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
	BitMapHeader->Buffer[BitNumber / 32] |= 1U << BitNumber % 32;
}

static inline VOID RtlClearBit(PRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
	BitMapHeader->Buffer[BitNumber / 32] &= ~(1U << BitNumber % 32);
}

static inline BOOLEAN RtlTestBit(PCRTL_BITMAP BitMapHeader, ULONG BitNumber)
{
	return BitMapHeader->Buffer[BitNumber / 32] >> BitNumber % 32 & 1;
}

#define RtlCheckBit(header, bit)	RtlTestBit(header, bit)

VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet);
VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear);
BOOLEAN RtlAreBitsSet(PCRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length);
BOOLEAN RtlAreBitsClear(PCRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length);
ULONG RtlNumberOfSetBits(PCRTL_BITMAP BitMapHeader);
ULONG RtlFindSetBits(PCRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
ULONG RtlFindClearBits(PCRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex);
ULONG RtlFindNextForwardRunClear(PCRTL_BITMAP BitMapHeader, ULONG FromIndex,
				 PULONG StartingRunIndex);

static inline VOID RtlSetAllBits(PRTL_BITMAP BitMapHeader)
{
	RtlSetBits(BitMapHeader, 0, BitMapHeader->SizeOfBitMap);
}

static inline VOID RtlClearAllBits(PRTL_BITMAP BitMapHeader)
{
	RtlClearBits(BitMapHeader, 0, BitMapHeader->SizeOfBitMap);
}

static inline ULONG RtlNumberOfClearBits(PCRTL_BITMAP BitMapHeader)
{
	return BitMapHeader->SizeOfBitMap - RtlNumberOfSetBits(BitMapHeader);
}

static inline ULONG RtlFindClearBitsAndSet(PRTL_BITMAP BitMapHeader, ULONG NumberToFind,
					   ULONG HintIndex)
{
	ULONG index = RtlFindClearBits(BitMapHeader, NumberToFind, HintIndex);

	if (index != NT_NO_BIT)
		RtlSetBits(BitMapHeader, index, NumberToFind);
	return index;
}

static inline ULONG RtlFindSetBitsAndClear(PRTL_BITMAP BitMapHeader, ULONG NumberToFind,
					   ULONG HintIndex)
{
	ULONG index = RtlFindSetBits(BitMapHeader, NumberToFind, HintIndex);

	if (index != NT_NO_BIT)
		RtlClearBits(BitMapHeader, index, NumberToFind);
	return index;
}

static inline ULONG RtlFindFirstRunClear(PCRTL_BITMAP BitMapHeader, PULONG StartingIndex)
{
	return RtlFindNextForwardRunClear(BitMapHeader, 0, StartingIndex);
}

/* The number of the lowest or highest bit that is set; of 0 the index is not written. */
static inline BOOLEAN _BitScanForward(ULONG *Index, ULONG Mask)
{
	if (!Mask)
		return FALSE;
	*Index = __ffs(Mask);
	return TRUE;
}

static inline BOOLEAN _BitScanReverse(ULONG *Index, ULONG Mask)
{
	if (!Mask)
		return FALSE;
	*Index = __fls(Mask);
	return TRUE;
}

static inline BOOLEAN _BitScanForward64(ULONG *Index, ULONG64 Mask)
{
	if (!Mask)
		return FALSE;
	*Index = __ffs64(Mask);
	return TRUE;
}

static inline BOOLEAN _BitScanReverse64(ULONG *Index, ULONG64 Mask)
{
	if (!Mask)
		return FALSE;
	*Index = fls64(Mask) - 1;
	return TRUE;
}

#define BitScanForward		_BitScanForward
#define BitScanReverse		_BitScanReverse
#define BitScanForward64	_BitScanForward64
#define BitScanReverse64	_BitScanReverse64

/* -1 for 0. */
static inline CCHAR RtlFindLeastSignificantBit(ULONGLONG Set)
{
	return Set ? __ffs64(Set) : -1;
}

static inline CCHAR RtlFindMostSignificantBit(ULONGLONG Set)
{
	return fls64(Set) - 1;
}

#define _byteswap_ushort(value)		swab16(value)
#define _byteswap_ulong(value)		swab32(value)
#define _byteswap_uint64(value)		swab64(value)
#define RtlUshortByteSwap(value)	swab16(value)
#define RtlUlongByteSwap(value)		swab32(value)
#define RtlUlonglongByteSwap(value)	swab64(value)

#define _rotl(value, shift)		rol32(value, shift)
#define _rotr(value, shift)		ror32(value, shift)
#define _rotl64(value, shift)		rol64(value, shift)
#define _rotr64(value, shift)		ror64(value, shift)
#define RotateLeft32			_rotl
#define RotateRight32			_rotr
#define RotateLeft64			_rotl64
#define RotateRight64			_rotr64

#endif /* _NT_BITMAP_H */
