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

/* NULL: no memory. */
VMBPACKET stress_packet_get(struct stress_slot *slot, PFN_VMB_PACKET_COMPLETION_ROUTINE routine)
{
	VMBPACKET packet;

	packet = slot->kind == STRESS_ALLOCATED ? VmbPacketAllocate(slot->end->channel) :
						  stress_packet_own(slot);
	if (!packet)
		return NULL;
	VmbPacketSetPointer(packet, slot);
	VmbPacketSetCompletionRoutine(packet, routine);
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
