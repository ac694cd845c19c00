// SPDX-License-Identifier: GPL-2.0
/*
 * Saving and restoring a server under stress: its successor goes on with the same
 * client, and all packets under way become the successor's.
 */
#include <linux/delay.h>

#include "stress.h"

/* What the server has to say of its own packets. */
struct stress_saved_packet {
	u32 slot;
	u32 seq;
};

/* A save: chunks one behind the other. */
struct stress_save_state {
	u8 *at;
	u32 bytes;
	u32 chunks;
	u32 ends[512];		/* where each chunk ends */
};

NTSTATUS stress_save_packet(VMBCHANNEL channel, VMBPACKET packet, PVOID buffer,
			    UINT32 size, PUINT32 needed)
{
	struct stress_slot *slot = VmbPacketGetPointer(packet);
	struct stress_saved_packet *saved = buffer;

	*needed = sizeof(*saved);
	if (size < sizeof(*saved))
		return STATUS_BUFFER_TOO_SMALL;

	saved->slot = slot->index;
	saved->seq = slot->msg.seq;
	spin_lock_irq(&slot->end->lock);
	slot->saved = true;
	spin_unlock_irq(&slot->end->lock);
	return STATUS_SUCCESS;
}

NTSTATUS stress_restore_packet(VMBCHANNEL channel, PVOID lib, UINT32 lib_size,
			       PVOID buffer, UINT32 size)
{
	struct stress_end *end = VmbChannelGetPointer(channel);
	const struct stress_saved_packet *saved = buffer;
	struct stress_slot *slot;
	VMBPACKET packet;
	NTSTATUS status;

	if (size != sizeof(*saved) || saved->slot >= ARRAY_SIZE(end->slots)) {
		stress_fault(end, "a packet is restored that was not saved");
		return STATUS_UNSUCCESSFUL;
	}
	slot = &end->slots[saved->slot];
	if (atomic_read(&slot->state) != STRESS_SAVED || slot->msg.seq != saved->seq) {
		stress_fault(end, "packet %u.%u is restored, not what was saved",
			     slot->msg.source, slot->msg.seq);
		return STATUS_UNSUCCESSFUL;
	}
	packet = stress_packet_get(slot);
	if (!packet)
		return STATUS_INSUFFICIENT_RESOURCES;

	/* It stays @saved, should it be given back because the restore fails. */
	atomic_set_release(&slot->state, STRESS_SENT);
	status = VmbPacketRestore(packet, lib, lib_size);
	if (status)
		stress_fault(end, "restoring a packet: status %#x", (u32)status);
	else
		atomic64_inc(&end->lane->run->count.packets_saved);
	return status;
}

NTSTATUS stress_save_packet_ex(VMBCHANNEL channel, PVOID context, VMBPACKET packet,
			       PVOID buffer, UINT32 size, PUINT32 needed)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	return stress_save_packet(channel, packet, buffer, size, needed);
}

NTSTATUS stress_restore_packet_ex(VMBCHANNEL channel, PVOID context, PVOID lib,
				  UINT32 lib_size, PVOID buffer, UINT32 size)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	return stress_restore_packet(channel, lib, lib_size, buffer, size);
}

/* There is no save, or there was: packets end as they do without. */
static u32 stress_save_forget(struct stress_end *end)
{
	struct stress_slot *slot;
	u32 i, left = 0;

	spin_lock_irq(&end->lock);
	for (i = 0; i < ARRAY_SIZE(end->slots); i++) {
		slot = &end->slots[i];
		slot->saved = false;
		if (atomic_read(&slot->state) == STRESS_SAVED) {
			atomic_set(&slot->state, STRESS_FREE);
			left++;
		}
	}
	spin_unlock_irq(&end->lock);
	return left;
}

/* Buffers of all sizes, mostly too small. */
static NTSTATUS stress_save_chunks(struct stress_end *end,
				   struct stress_save_state *save, u64 draw)
{
	ULONG filled, size, needed = 0;
	NTSTATUS status;
	u32 i;

	for (i = 0; save->chunks < ARRAY_SIZE(save->ends); i++) {
		size = max_t(u32, needed, stress_mix(draw + i) % 4096 >> draw % 8);
		if (save->chunks == ARRAY_SIZE(save->ends) - 1)
			size = STRESS_SAVED_BYTES;
		size = min(size, STRESS_SAVED_BYTES - save->bytes);
		status = VmbChannelSaveContinue(end->channel, save->at + save->bytes, size,
						&filled, &needed);
		if (filled) {
			save->bytes += filled;
			save->ends[save->chunks++] = save->bytes;
		}
		if (status != (NTSTATUS)STATUS_BUFFER_OVERFLOW &&
		    status != (NTSTATUS)STATUS_BUFFER_TOO_SMALL)
			return status;
	}
	return STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS stress_restore_chunks(struct stress_end *end,
				      struct stress_save_state *save, bool at_once)
{
	NTSTATUS status;
	u32 i, from = 0;

	if (at_once)
		return VmbChannelRestoreFromBuffer(end->channel, save->at, save->bytes);

	for (i = 0; i < save->chunks; i++) {
		status = VmbChannelRestoreFromBuffer(end->channel, save->at + from,
						     save->ends[i] - from);
		from = save->ends[i];
		if (status != (NTSTATUS)STATUS_MORE_PROCESSING_REQUIRED)
			break;
	}
	return i >= save->chunks - 1 || !NT_SUCCESS(status) ? status : STATUS_UNSUCCESSFUL;
}

/* A channel that cannot be made for want of memory can be made later. */
static NTSTATUS stress_successor(struct stress_thread *thread, struct stress_end *end)
{
	NTSTATUS status;

	stress_fail_begin(thread);
	status = stress_channel_create(end);
	if (!stress_fail_end(thread, status))
		return status;
	atomic64_inc(&thread->run->count.refusals);
	return stress_channel_create(end);
}

/* After a failure nothing is restored, and all can be from the first chunk on. */
static NTSTATUS stress_restore(struct stress_thread *thread, struct stress_end *end,
			       struct stress_save_state *save, bool at_once)
{
	NTSTATUS status;

	stress_fail_begin(thread);
	status = stress_restore_chunks(end, save, at_once);
	if (!stress_fail_end(thread, status))
		return status;
	atomic64_inc(&thread->run->count.refusals);
	return stress_restore_chunks(end, save, at_once);
}

/* The old channel goes, the new one comes. */
static void stress_succeed(struct stress_thread *thread, struct stress_end *end,
			   struct stress_save_state *save, bool at_once)
{
	VMBCHANNEL old = end->channel;
	NTSTATUS status;

	VmbChannelDisable(old);
	status = stress_successor(thread, end);
	VmbChannelCleanup(old);
	if (status) {
		stress_fault(end, "a successor: status %#x", (u32)status);
		return;
	}
	status = stress_restore(thread, end, save, at_once);
	if (status)
		stress_fault(end, "restoring: status %#x", (u32)status);
	if (stress_save_forget(end))
		stress_fault(end, "not all packets are restored that were saved");
	atomic64_inc(&end->lane->run->count.saves);
}

/* Where the client may leave a save may fail. */
static bool stress_save_may_fail(const struct stress_end *end, NTSTATUS status)
{
	return !end->lane->calm && status == (NTSTATUS)STATUS_INVALID_DEVICE_STATE;
}

/* In a calm lane the others rely on it. */
static void stress_await_active(struct stress_end *end)
{
	u32 tries;

	for (tries = 0; end->lane->calm && !stress_is_active(end); tries++) {
		if (tries == 10000) {
			stress_fault(end, "the successor does not come up");
			break;
		}
		usleep_range(1000, 1100);
	}
}

static NTSTATUS stress_save_begin(struct stress_thread *thread, struct stress_end *end)
{
	NTSTATUS status;

	stress_fail_begin(thread);
	status = VmbChannelSaveBegin(end->channel);
	if (stress_fail_end(thread, status))
		atomic64_inc(&thread->run->count.refusals);
	else if (status && !stress_save_may_fail(end, status))
		stress_fault(end, "beginning to save: status %#x", (u32)status);
	return status;
}

/* Of a channel that is paused. One in four saves is given up. */
static void stress_save_paused(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	struct stress_save_state *save = thread->run->saved;
	NTSTATUS status;

	save->at = thread->run->saved + ALIGN(sizeof(*save), 8);
	save->bytes = 0;
	save->chunks = 0;
	status = stress_save_begin(thread, end);
	if (status == STATUS_SUCCESS) {
		status = stress_save_chunks(end, save, draw);
		VmbChannelSaveEnd(end->channel);
		if (status && !stress_save_may_fail(end, status))
			stress_fault(end, "saving: status %#x", (u32)status);
	}
	if (status || !(draw >> 40 & 3))
		stress_save_forget(end);
	else
		stress_succeed(thread, end, save, draw >> 42 & 1);
}

/*
 * Called with the end for itself. A server that has failed a packet is disabled
 * instead: the packet's sender would wait for its completion as long as the client is
 * connected.
 */
void stress_save(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	mutex_lock(&thread->run->save_lock);
	VmbChannelPause(end->channel);
	if (!READ_ONCE(end->stopped))
		stress_save_paused(thread, end, draw);
	stress_heal(end);
	stress_await_active(end);
	mutex_unlock(&thread->run->save_lock);
}
