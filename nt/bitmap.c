// SPDX-License-Identifier: GPL-2.0
/*
 * Bitmaps. Linux' own are of words of 64 bits, and would read, and write, a word of 32 bits
 * that may lie behind the last one of Windows'.
 */
#include <linux/bitops.h>
#include <linux/export.h>
#include <linux/minmax.h>

#include <ntddk.h>

static bool nt_bits_within(PCRTL_BITMAP map, ULONG start, ULONG bits)
{
	return start <= map->SizeOfBitMap && bits <= map->SizeOfBitMap - start;
}

/* How many bits in a row are as @set says, from @start on. */
static ULONG nt_bits_run(PCRTL_BITMAP map, ULONG start, bool set)
{
	u64 at = start;

	while (at < map->SizeOfBitMap) {
		/* A bit of 1 ends the run. */
		ULONG word = map->Buffer[at / 32] ^ (set ? 0xffffffff : 0);

		word &= 0xffffffff << at % 32;
		if (word) {
			at = at / 32 * 32 + __ffs(word);
			break;
		}
		at = at / 32 * 32 + 32;
	}
	return min_t(u64, at, map->SizeOfBitMap) - start;
}

/* Where a run of @bits such bits begins in [from, to), all of it within the map. */
static ULONG nt_bits_find(PCRTL_BITMAP map, ULONG bits, ULONG from, ULONG to, bool set)
{
	while (from < to) {
		ULONG run = nt_bits_run(map, from, set);

		if (run && run >= bits)
			return from;
		from += run;
		from += nt_bits_run(map, from, !set);
	}
	return NT_NO_BIT;
}

static ULONG nt_bits_find_around(PCRTL_BITMAP map, ULONG bits, ULONG hint, bool set)
{
	ULONG index;

	if (hint >= map->SizeOfBitMap)
		hint = 0;
	index = nt_bits_find(map, bits, hint, map->SizeOfBitMap, set);
	return index == NT_NO_BIT ? nt_bits_find(map, bits, 0, hint, set) : index;
}

/**
 * RtlSetBits() - set bits in a row
 * @BitMapHeader: the map
 * @StartingIndex: the first
 * @NumberToSet: how many. If they are not all within the map, nothing is set.
 *
 * Context: any. The caller sees to it that nothing else changes the map meanwhile.
 */
VOID RtlSetBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToSet)
{
	ULONG i;

	if (!nt_bits_within(BitMapHeader, StartingIndex, NumberToSet))
		return;
	for (i = 0; i < NumberToSet; i++)
		RtlSetBit(BitMapHeader, StartingIndex + i);
}
EXPORT_SYMBOL_GPL(RtlSetBits);

/**
 * RtlClearBits() - clear bits in a row
 * @BitMapHeader: the map
 * @StartingIndex: the first
 * @NumberToClear: how many. If they are not all within the map, nothing is cleared.
 *
 * Context: see RtlSetBits().
 */
VOID RtlClearBits(PRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG NumberToClear)
{
	ULONG i;

	if (!nt_bits_within(BitMapHeader, StartingIndex, NumberToClear))
		return;
	for (i = 0; i < NumberToClear; i++)
		RtlClearBit(BitMapHeader, StartingIndex + i);
}
EXPORT_SYMBOL_GPL(RtlClearBits);

/**
 * RtlAreBitsSet() - are all of some bits set?
 * @BitMapHeader: the map
 * @StartingIndex: the first
 * @Length: how many
 *
 * Context: see RtlSetBits().
 *
 * Return: TRUE if they are; FALSE also if @Length is 0 or they are not all within the map.
 */
BOOLEAN RtlAreBitsSet(PCRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
	return Length && nt_bits_within(BitMapHeader, StartingIndex, Length) &&
	       nt_bits_run(BitMapHeader, StartingIndex, true) >= Length;
}
EXPORT_SYMBOL_GPL(RtlAreBitsSet);

/**
 * RtlAreBitsClear() - are all of some bits clear?
 * @BitMapHeader: the map
 * @StartingIndex: the first
 * @Length: how many
 *
 * Context: see RtlSetBits().
 *
 * Return: TRUE if they are; FALSE also if @Length is 0 or they are not all within the map.
 */
BOOLEAN RtlAreBitsClear(PCRTL_BITMAP BitMapHeader, ULONG StartingIndex, ULONG Length)
{
	return Length && nt_bits_within(BitMapHeader, StartingIndex, Length) &&
	       nt_bits_run(BitMapHeader, StartingIndex, false) >= Length;
}
EXPORT_SYMBOL_GPL(RtlAreBitsClear);

/**
 * RtlNumberOfSetBits() - how many bits are set
 * @BitMapHeader: the map
 *
 * Context: see RtlSetBits().
 *
 * Return: the number.
 */
ULONG RtlNumberOfSetBits(PCRTL_BITMAP BitMapHeader)
{
	ULONG i, bits = 0, rest = BitMapHeader->SizeOfBitMap % 32;

	for (i = 0; i < BitMapHeader->SizeOfBitMap / 32; i++)
		bits += hweight32(BitMapHeader->Buffer[i]);
	if (rest)
		bits += hweight32(BitMapHeader->Buffer[i] & ((1U << rest) - 1));
	return bits;
}
EXPORT_SYMBOL_GPL(RtlNumberOfSetBits);

/**
 * RtlFindSetBits() - find bits in a row that are set
 * @BitMapHeader: the map
 * @NumberToFind: how many; 0 is as 1 (this project's decision)
 * @HintIndex: where to begin; if there are none from there on, they are looked for from
 *	the beginning. An index beyond the map is as 0.
 *
 * Context: see RtlSetBits().
 *
 * Return: the index of the first; 0xffffffff if there are no such.
 */
ULONG RtlFindSetBits(PCRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
	return nt_bits_find_around(BitMapHeader, NumberToFind, HintIndex, true);
}
EXPORT_SYMBOL_GPL(RtlFindSetBits);

/**
 * RtlFindClearBits() - find bits in a row that are clear
 * @BitMapHeader: the map
 * @NumberToFind: see RtlFindSetBits(), also for the context
 * @HintIndex: where to begin
 *
 * Return: the index of the first; 0xffffffff if there are no such.
 */
ULONG RtlFindClearBits(PCRTL_BITMAP BitMapHeader, ULONG NumberToFind, ULONG HintIndex)
{
	return nt_bits_find_around(BitMapHeader, NumberToFind, HintIndex, false);
}
EXPORT_SYMBOL_GPL(RtlFindClearBits);

/**
 * RtlFindNextForwardRunClear() - find the next clear bits
 * @BitMapHeader: the map
 * @FromIndex: where to begin
 * @StartingRunIndex: gets the index of the first; that of the map's end if there are none
 *
 * Context: see RtlSetBits().
 *
 * Return: how many there are in a row; 0 if there are none.
 */
ULONG RtlFindNextForwardRunClear(PCRTL_BITMAP BitMapHeader, ULONG FromIndex,
				 PULONG StartingRunIndex)
{
	ULONG at = min(FromIndex, BitMapHeader->SizeOfBitMap);

	at += nt_bits_run(BitMapHeader, at, true);
	*StartingRunIndex = at;
	return nt_bits_run(BitMapHeader, at, false);
}
EXPORT_SYMBOL_GPL(RtlFindNextForwardRunClear);
