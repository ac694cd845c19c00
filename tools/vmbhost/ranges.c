// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory by ranges.
 */
#include <stdlib.h>
#include <string.h>

#include "proto.h"
#include "ranges.h"
#include "vm.h"

void ranges_free(struct ranges *ranges)
{
	u32 i;

	for (i = 0; i < ranges->count; i++)
		free(ranges->list[i].pfns);
	free(ranges->list);
	memset(ranges, 0, sizeof(*ranges));
}

const char *ranges_parse(struct ranges *ranges, const void *bytes, u32 len, u32 count,
			 u32 *used)
{
	const u8 *p = bytes;
	struct wire_range head;
	struct range *r;
	u64 pages;

	memset(ranges, 0, sizeof(*ranges));
	if (!count || count > len / sizeof(head))
		return "the number of ranges does not fit the length";
	ranges->list = xalloc(count * sizeof(*ranges->list));

	while (ranges->count < count) {
		if (len < sizeof(head))
			goto too_short;
		memcpy(&head, p, sizeof(head));
		p += sizeof(head);
		len -= sizeof(head);
		pages = ((u64)head.offset + head.length + PAGE_SIZE - 1) >> PAGE_SHIFT;
		if (pages > len / sizeof(u64))
			goto too_short;

		r = &ranges->list[ranges->count++];
		r->length = head.length;
		r->offset = head.offset;
		r->pages = pages;
		r->pfns = xalloc(pages * sizeof(u64) + 1);
		memcpy(r->pfns, p, pages * sizeof(u64));
		ranges->length += r->length;
		p += pages * sizeof(u64);
		len -= pages * sizeof(u64);
	}
	if (used)
		*used = p - (const u8 *)bytes;
	return NULL;

too_short:
	ranges_free(ranges);
	return "a range has more pages than the message";
}

static bool ranges_copy(struct vm *vm, const struct ranges *ranges, u64 at, u8 *buffer,
			u64 len, bool write)
{
	u32 i;

	for (i = 0; i < ranges->count && len; i++) {
		const struct range *r = &ranges->list[i];

		for (; at < r->length && len; ) {
			u64 pos = r->offset + at, n = PAGE_SIZE - pos % PAGE_SIZE;
			u8 *page;

			if (n > r->length - at)
				n = r->length - at;
			if (n > len)
				n = len;
			if (r->pfns[pos / PAGE_SIZE] >> (64 - PAGE_SHIFT))
				return false;
			page = vm_gpa(vm, r->pfns[pos / PAGE_SIZE] << PAGE_SHIFT, PAGE_SIZE);
			if (!page)
				return false;
			if (write)
				memcpy(page + pos % PAGE_SIZE, buffer, n);
			else
				memcpy(buffer, page + pos % PAGE_SIZE, n);
			buffer += n;
			at += n;
			len -= n;
		}
		at -= at < r->length ? at : r->length;
	}
	return !len;
}

bool ranges_read(struct vm *vm, const struct ranges *ranges, u64 at, void *to, u64 len)
{
	return ranges_copy(vm, ranges, at, to, len, false);
}

bool ranges_write(struct vm *vm, const struct ranges *ranges, u64 at, const void *from,
		  u64 len)
{
	return ranges_copy(vm, ranges, at, (u8 *)from, len, true);
}
