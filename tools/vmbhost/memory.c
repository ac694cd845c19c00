// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory, by its physical addresses.
 */
#include <string.h>
#include <sys/mman.h>

#include "vm.h"

/* NULL if any of it is not RAM. */
void *vm_gpa(struct vm *vm, u64 gpa, u64 len)
{
	if (gpa >= vm->ram_size || len > vm->ram_size - gpa)
		return NULL;
	return vm->ram + gpa;
}

bool vm_copy_from(struct vm *vm, void *to, u64 gpa, u64 len)
{
	const void *from = vm_gpa(vm, gpa, len);

	if (from)
		memcpy(to, from, len);
	return from;
}

bool vm_copy_to(struct vm *vm, u64 gpa, const void *from, u64 len)
{
	void *to = vm_gpa(vm, gpa, len);

	if (to)
		memcpy(to, from, len);
	return to;
}

static u32 vm_map_total(u32 count, u32 repeat_from)
{
	return count + (repeat_from < count ? count - repeat_from : 0);
}

/*
 * Guest pages side by side, wherever they lie in guest memory; the pages from
 * @repeat_from on come once more behind them, so that what wraps around in a
 * ring is one piece. NULL if a page is not RAM.
 */
void *vm_map_pages(struct vm *vm, const u64 *pfns, u32 count, u32 repeat_from)
{
	u32 total = vm_map_total(count, repeat_from), i, n;
	u8 *map;

	for (i = 0; i < count; i++)
		if (pfns[i] >= vm->ram_size >> PAGE_SHIFT)
			return NULL;

	map = mmap(NULL, (size_t)total << PAGE_SHIFT, PROT_NONE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;

	for (i = 0; i < total; i += n) {
		u32 page = i < count ? i : repeat_from + i - count;
		u32 last = count - page;

		/* As many as follow each other are one mapping. */
		for (n = 1; n < last && pfns[page + n] == pfns[page] + n; n++)
			;
		if (mmap(map + ((size_t)i << PAGE_SHIFT), (size_t)n << PAGE_SHIFT,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 vm->ram_fd, pfns[page] << PAGE_SHIFT) == MAP_FAILED) {
			munmap(map, (size_t)total << PAGE_SHIFT);
			return NULL;
		}
	}
	return map;
}

void vm_unmap_pages(void *map, u32 count, u32 repeat_from)
{
	munmap(map, (size_t)vm_map_total(count, repeat_from) << PAGE_SHIFT);
}
