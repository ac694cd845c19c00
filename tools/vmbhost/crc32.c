// SPDX-License-Identifier: GPL-2.0
/*
 * CRC-32.
 */
#include "crc32.h"

static u32 crc32_table[256];

static void crc32_fill_table(void)
{
	u32 i, bit, crc;

	for (i = 0; i < 256; i++) {
		for (crc = i, bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		crc32_table[i] = crc;
	}
}

u32 crc32(u32 crc, const void *bytes, size_t len)
{
	const u8 *p = bytes;

	if (!crc32_table[1])
		crc32_fill_table();
	for (crc = ~crc; len--; p++)
		crc = crc >> 8 ^ crc32_table[(crc ^ *p) & 0xff];
	return ~crc;
}
