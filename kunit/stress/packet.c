// SPDX-License-Identifier: GPL-2.0
/*
 * The packet objects of stress: the channel's, or in memory of the sender's own, which
 * is its own again from the completion routine on.
 */
#include <linux/slab.h>

#include "stress.h"

#define STRESS_POISON	0xd7

/* In the sender's own memory, initialized unless it is such a packet still. */
static VMBPACKET stress_packet_own(struct stress_slot *slot)
{
	struct stress_end *end = slot->end;
	NTSTATUS status;

	if (!slot->own) {
		slot->own = kmalloc(end->packet_bytes, GFP_KERNEL);
		slot->own_of = NULL;
	}
	if (!slot->own || slot->own_of == end->channel)
		return slot->own;

	memset(slot->own, STRESS_POISON, end->packet_bytes);
	status = VmbPacketInitialize(end->channel, slot->own, end->packet_bytes);
	if (status)
		stress_fault(end, "initializing a packet: status %#x", (u32)status);
	slot->own_of = end->channel;
	return slot->own;
}

/* What the sender's own bytes in a packet object are made of. */
static u64 stress_own_name(const struct stress_slot *slot)
{
	return stress_mix(slot->index ^ (u64)slot->end->lane->index << 32);
}

/* Its own bytes are there, and are the sender's from here on. */
static void stress_packet_fill(struct stress_slot *slot, VMBPACKET packet)
{
	void *own = VmbPacketGetInlinePacketContextPointer(packet);
	u32 bytes = slot->end->lane->own_bytes;

	if (!own != !bytes)
		stress_fault(slot->end, "a packet object with %u own bytes has %s", bytes,
			     own ? "some" : "none");
	else if (own)
		stress_fill(own, bytes, stress_own_name(slot));
}

/* In a packet's routine: are they as they were? */
void stress_packet_check(struct stress_slot *slot, VMBPACKET packet)
{
	void *own = VmbPacketGetInlinePacketContextPointer(packet);
	u32 bytes = slot->end->lane->own_bytes;

	if (bytes && (!own || !stress_filled(own, bytes, stress_own_name(slot))))
		stress_fault(slot->end, "packet %u.%u: its sender's own bytes",
			     slot->msg.source, slot->msg.seq);
}

/* NULL: no memory. */
VMBPACKET stress_packet_get(struct stress_slot *slot)
{
	VMBPACKET packet;

	packet = slot->kind == STRESS_ALLOCATED ? VmbPacketAllocate(slot->end->channel) :
						  stress_packet_own(slot);
	if (!packet)
		return NULL;
	VmbPacketSetPointer(packet, slot);
	stress_packet_fill(slot, packet);
	/* One that is used again may have had the other one. */
	if (slot->end->lane->contexts && slot->msg.seq % 4)
		VmbPacketSetCompletionRoutineEx(packet, slot, stress_routine_ex);
	else
		VmbPacketSetCompletionRoutine(packet, stress_routine);
	return packet;
}

/* It is not under way; also from its completion routine. */
void stress_packet_put(struct stress_slot *slot, VMBPACKET packet)
{
	switch (slot->kind) {
	case STRESS_ALLOCATED:
		VmbPacketFree(packet);
		break;
	case STRESS_OWN_FREED:
		kfree(slot->own);
		slot->own = NULL;
		break;
	case STRESS_OWN_POISONED:
		memset(slot->own, STRESS_POISON, slot->end->packet_bytes);
		slot->own_of = NULL;
		break;
	case STRESS_OWN_KEPT:
		break;
	}
}
