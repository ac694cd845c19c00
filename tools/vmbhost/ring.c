// SPDX-License-Identifier: GPL-2.0
/*
 * Rings.
 */
#include <string.h>

#include "ring.h"
#include "vm.h"

bool ring_map(struct ring *ring, struct vm *vm, const u64 *pfns, u32 pages)
{
	memset(ring, 0, sizeof(*ring));
	if (pages < 2)
		return false;
	ring->head = vm_map_pages(vm, pfns, pages, 1);
	if (!ring->head)
		return false;
	ring->data = (u8 *)(ring->head + 1);
	ring->pages = pages;
	ring->size = (pages - 1) * PAGE_SIZE;
	return true;
}

void ring_unmap(struct ring *ring)
{
	if (ring->head)
		vm_unmap_pages(ring->head, ring->pages, 1);
	memset(ring, 0, sizeof(*ring));
}

static u32 ring_forward(struct ring *ring, u32 index, u32 len)
{
	index += len;
	return index >= ring->size ? index - ring->size : index;
}

static bool ring_index_ok(struct ring *ring, u32 index)
{
	return index < ring->size && index % 8 == 0;
}

/* Bytes from index @from up to index @to. */
static u32 ring_distance(struct ring *ring, u32 from, u32 to)
{
	return to >= from ? to - from : ring->size - from + to;
}

enum ring_state ring_peek(struct ring *ring, struct packet_header *head, u32 *len,
			  const char **why)
{
	/* Pairs with the guest's barrier before it moves the index. */
	u32 write = __atomic_load_n(&ring->head->write_index, __ATOMIC_ACQUIRE);
	u32 avail;

	if (!ring_index_ok(ring, write)) {
		*why = "the ring's write index is out of range or odd";
		return RING_BROKEN;
	}
	avail = ring_distance(ring, ring->index, write);
	if (!avail)
		return RING_EMPTY;
	if (avail < sizeof(*head) + RING_TRAILER) {
		*why = "the ring has less than a packet's header";
		return RING_BROKEN;
	}
	memcpy(head, ring->data + ring->index, sizeof(*head));
	*len = head->len8 * 8;
	if (*len < sizeof(*head) || *len + RING_TRAILER > avail) {
		*why = "a packet's length is below its header or above what was written";
		return RING_BROKEN;
	}
	if (head->offset8 * 8u < sizeof(*head) || head->offset8 > head->len8) {
		*why = "a packet's payload starts outside of it";
		return RING_BROKEN;
	}
	return RING_PACKET;
}

void ring_copy(struct ring *ring, u32 offset, void *to, u32 len)
{
	memcpy(to, ring->data + ring->index + offset, len);
}

static u32 ring_free(struct ring *ring, u32 read, u32 write)
{
	return ring->size - ring_distance(ring, read, write);
}

bool ring_consume(struct ring *ring, u32 len)
{
	u32 old = ring->index, pending, write;

	ring->index = ring_forward(ring, old, len + RING_TRAILER);
	/* The guest overwrites what is before the index: all reads come first. */
	__atomic_store_n(&ring->head->read_index, ring->index, __ATOMIC_RELEASE);
	/* Pairs with the guest's barrier between asking for room and looking again. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	pending = READ_ONCE(&ring->head->pending_send_size);
	if (!pending)
		return false;
	write = READ_ONCE(&ring->head->write_index);
	if (!ring_index_ok(ring, write))
		return false;
	/* Only at the step from too little to enough. */
	return ring_free(ring, old, write) <= pending &&
	       ring_free(ring, ring->index, write) > pending;
}

void ring_mask(struct ring *ring, bool masked)
{
	WRITE_ONCE(&ring->head->interrupt_mask, masked);
	/* Unmasked: visible before the last look at the write index. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool ring_is_empty(struct ring *ring)
{
	return READ_ONCE(&ring->head->write_index) == ring->index;
}

u32 ring_unread(struct ring *ring)
{
	u32 write = READ_ONCE(&ring->head->write_index);

	return ring_index_ok(ring, write) ? ring_distance(ring, ring->index, write) : 0;
}

u32 ring_room(struct ring *ring)
{
	u32 read = __atomic_load_n(&ring->head->read_index, __ATOMIC_ACQUIRE);

	/* Nothing is written to a ring whose reader has lost its way. */
	return ring_index_ok(ring, read) ? ring_free(ring, read, ring->index) : 0;
}

enum ring_write ring_write(struct ring *ring, const struct ring_part *parts, u32 count)
{
	u32 old = ring->index, at = old, len = 0, i;
	u64 trailer = (u64)old << 32;

	for (i = 0; i < count; i++)
		len += parts[i].len;
	len = ALIGN_UP(len, 8);
	/* Never quite full, for that would look empty. */
	if (ring_room(ring) <= len + RING_TRAILER)
		return RING_FULL;

	for (i = 0; i < count; i++) {
		memcpy(ring->data + at, parts[i].bytes, parts[i].len);
		at += parts[i].len;
	}
	memset(ring->data + at, 0, old + len - at);
	memcpy(ring->data + old + len, &trailer, sizeof(trailer));
	ring->index = ring_forward(ring, old, len + RING_TRAILER);
	__atomic_store_n(&ring->head->write_index, ring->index, __ATOMIC_RELEASE);
	/* Pairs with the guest's barrier between unmasking and looking again. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (READ_ONCE(&ring->head->interrupt_mask))
		return RING_WRITTEN;
	return READ_ONCE(&ring->head->read_index) == old ? RING_WRITTEN_SIGNAL : RING_WRITTEN;
}

void ring_want_room(struct ring *ring, u32 len)
{
	WRITE_ONCE(&ring->head->pending_send_size, len);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
