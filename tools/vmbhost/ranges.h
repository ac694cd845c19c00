/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Guest memory as guests describe it: in GPADLs and with packets.
 */
#ifndef VMBHOST_RANGES_H
#define VMBHOST_RANGES_H

#include "vmbhost.h"

struct vm;

struct ranges {
	u32 count;
	u64 length;	/* bytes in all of them */
	struct range {
		u32 length;
		u32 offset;
		u32 pages;
		u64 *pfns;
	} *list;
};

/*
 * Parses @count ranges in @bytes. NULL, or what is wrong. Page frame numbers
 * are checked when they are used. To be freed by ranges_free() if it went well.
 */
const char *ranges_parse(struct ranges *ranges, const void *bytes, u32 len, u32 count,
			 u32 *used);
void ranges_free(struct ranges *ranges);

/* False if a part of it is no memory; then nothing was copied behind it. */
bool ranges_read(struct vm *vm, const struct ranges *ranges, u64 at, void *to, u64 len);
bool ranges_write(struct vm *vm, const struct ranges *ranges, u64 at, const void *from,
		  u64 len);

#endif /* VMBHOST_RANGES_H */
