// SPDX-License-Identifier: GPL-2.0
/*
 * The sending side of stress: does each packet complete once, with the answer to
 * it?
 */
#include <linux/mm.h>

#include "stress.h"

/* Words of 4 bytes; the last one may be in part. */
void stress_fill(void *words, u32 bytes, u64 name)
{
	u32 *word = words, tail, i;

	for (i = 0; i < bytes / 4; i++)
		word[i] = (u32)name + i;
	tail = (u32)name + i;
	memcpy(word + i, &tail, bytes % 4);
}

bool stress_filled(const void *words, u32 bytes, u64 name)
{
	const u32 *word = words;
	u32 tail, i;

	for (i = 0; i < bytes / 4; i++)
		if (word[i] != (u32)name + i)
			return false;
	tail = (u32)name + i;
	return !memcmp(word + i, &tail, bytes % 4);
}

static bool stress_slot_is_saved(struct stress_slot *slot)
{
	unsigned long flags;
	bool saved;

	spin_lock_irqsave(&slot->end->lock, flags);
	saved = slot->saved;
	spin_unlock_irqrestore(&slot->end->lock, flags);
	return saved;
}

/* What became of a packet; a server that is being saved has not done with it. */
static void stress_check_done(struct stress_slot *slot, NTSTATUS status,
			      const void *buffer, u32 len)
{
	struct stress_end *end = slot->end;
	struct stress_counts *count = &end->lane->run->count;
	const struct stress_msg *msg = &slot->msg;
	u64 name = stress_name(end, msg);

	if (status == (NTSTATUS)STATUS_DEVICE_REMOVED) {
		atomic64_inc(&count->removed);
		if (end->lane->calm && !stress_slot_is_saved(slot))
			stress_fault(end, "packet %u.%u was lost", msg->source, msg->seq);
		return;
	}
	atomic64_inc(&count->completed);
	if (status != STATUS_SUCCESS)
		stress_fault(end, "packet %u.%u: status %#x", msg->source, msg->seq,
			     (u32)status);
	else if (slot->wait && !stress_answers(msg, buffer, len))
		stress_fault(end, "packet %u.%u has the answer to another",
			     msg->source, msg->seq);
	else if (msg->memory &&
		 !stress_filled(slot->memory + slot->offset, msg->memory,
				msg->write ? ~name : name))
		stress_fault(end, "packet %u.%u: its memory after the completion",
			     msg->source, msg->seq);
}

/* Sends it again, a small one that nobody waits for in order. */
static bool stress_send_again(struct stress_slot *slot, VMBPACKET packet)
{
	struct {
		struct stress_msg msg;
		u32 word;
	} again = {
		.msg = {
			.magic = STRESS_MAGIC,
			.source = STRESS_UNORDERED,
			.seq = slot->index + 1,
			.len = sizeof(again),
		},
	};
	NTSTATUS status;

	slot->again = false;
	slot->msg = again.msg;
	stress_fill(&again.word, sizeof(again.word), stress_name(slot->end, &again.msg));
	atomic64_inc(&slot->end->lane->run->count.again);
	atomic_set_release(&slot->state, STRESS_SENT);
	status = VmbPacketSend(packet, &again, sizeof(again), NULL,
			       slot->wait ? STRESS_WAIT : 0);
	if (status == STATUS_SUCCESS)
		return true;
	stress_fault(slot->end, "sending from the routine: status %#x", (u32)status);
	return false;
}

/* The packet's place is free, or kept for the packet that is restored. */
static void stress_slot_over(struct stress_slot *slot)
{
	struct stress_end *end = slot->end;
	unsigned long flags;

	spin_lock_irqsave(&end->lock, flags);
	/* Pairs with the acquire of who looks for a place. */
	atomic_set_release(&slot->state, slot->saved ? STRESS_SAVED : STRESS_FREE);
	spin_unlock_irqrestore(&end->lock, flags);
}

void stress_routine(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct stress_slot *slot = VmbPacketGetPointer(packet);

	/* Pairs with the release of who sent it. */
	if (atomic_cmpxchg(&slot->state, STRESS_SENT, STRESS_DONE) != STRESS_SENT) {
		stress_fault(slot->end, "packet %u.%u completed twice",
			     slot->msg.source, slot->msg.seq);
		return;
	}
	stress_check_done(slot, status, buffer, len);
	if (slot->again && status == STATUS_SUCCESS && stress_send_again(slot, packet))
		return;
	VmbPacketFree(packet);
	stress_slot_over(slot);
}

static struct stress_slot *stress_slot(struct stress_thread *thread,
				       struct stress_end *end, bool memory)
{
	u32 first = thread->index * STRESS_SLOTS;
	u32 i = memory ? 0 : STRESS_MEMORIES;
	u32 last = memory ? STRESS_MEMORIES : STRESS_SLOTS;

	for (; i < last; i++)
		/* Pairs with the release in stress_slot_over(). */
		if (atomic_read_acquire(&end->slots[first + i].state) == STRESS_FREE)
			return &end->slots[first + i];
	return NULL;
}

/* Is it told of by an MDL, in part; or by the numbers of its pages? */
static bool stress_by_mdl(u64 draw)
{
	return draw >> 30 & 1;
}

static void stress_make_memory(struct stress_slot *slot, u64 draw)
{
	u32 offset = 0, bytes = STRESS_MEMORY;

	if (stress_by_mdl(draw)) {
		offset = (draw >> 32) % (STRESS_MEMORY / 8) * 8;
		bytes = (draw >> 48) % ((STRESS_MEMORY - offset) / 8) * 8 + 8;
	}
	slot->offset = offset;
	slot->msg.memory = bytes;
	slot->msg.write = draw >> 31 & 1;
	stress_fill(slot->memory + offset, bytes, stress_name(slot->end, &slot->msg));
}

static NTSTATUS stress_send_memory(struct stress_slot *slot, VMBPACKET packet,
				   void *payload, u32 len, u64 draw)
{
	PFN_NUMBER *pfns = MmGetMdlPfnArray(slot->mdl);

	if (stress_by_mdl(draw))
		return VmbPacketSendWithExternalMdl(packet, payload, len, slot->mdl,
						    slot->offset, slot->msg.memory,
						    STRESS_WAIT);
	return VmbPacketSendWithExternalPfns(packet, payload, len, pfns,
					     STRESS_MEMORY / PAGE_SIZE, STRESS_WAIT);
}

/* The next packet of a thread. False if all its packets are under way. */
bool stress_send(struct stress_thread *thread, struct stress_end *end, u64 draw,
		 bool memory)
{
	struct stress_slot *slot = stress_slot(thread, end, memory);
	u32 body = (draw >> 8) % (end->lane->max_packet - sizeof(slot->msg) + 1);
	struct stress_msg *payload = thread->scratch;
	VMBPACKET packet;
	NTSTATUS status;

	if (!slot)
		return false;
	packet = VmbPacketAllocate(end->channel);
	if (!packet)
		return false;

	/* Most are small. */
	if (draw & 3)
		body %= 64;
	slot->wait = memory || (draw >> 2 & 1);
	slot->again = !memory && !(draw >> 3 & 15);
	slot->msg = (struct stress_msg) {
		.magic = STRESS_MAGIC,
		.source = thread->index,
		.seq = end->sent[thread->index] + 1,
		.len = sizeof(*payload) + body,
	};
	if (memory)
		stress_make_memory(slot, draw);
	*payload = slot->msg;
	stress_fill(payload + 1, body, stress_name(end, payload));

	VmbPacketSetPointer(packet, slot);
	VmbPacketSetCompletionRoutine(packet, stress_routine);
	/* Pairs with the routine, which may run before this function is over. */
	atomic_set_release(&slot->state, STRESS_SENT);
	if (memory)
		status = stress_send_memory(slot, packet, payload, payload->len, draw);
	else
		status = VmbPacketSend(packet, payload, payload->len, NULL,
				       slot->wait ? STRESS_WAIT : 0);
	if (status == STATUS_SUCCESS) {
		end->sent[thread->index]++;
		return true;
	}
	stress_fault(end, "sending: status %#x", (u32)status);
	atomic_set(&slot->state, STRESS_FREE);
	VmbPacketFree(packet);
	return true;
}

/* A synchronous request, up to 20 ms long. */
void stress_request(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	struct stress_msg msg = {
		.magic = STRESS_MAGIC,
		.source = STRESS_UNORDERED,
		.seq = (u32)draw | 1 << 31,
		.len = sizeof(msg),
	};
	LARGE_INTEGER timeout = { .QuadPart = -(LONGLONG)((draw >> 32) % 200000) };
	struct stress_answer answer;
	UINT32 size = sizeof(answer);
	NTSTATUS status;

	status = VmbChannelSendSynchronousRequest(end->channel, &msg, sizeof(msg), NULL,
						  STRESS_WAIT, &answer, &size,
						  &timeout);
	atomic64_inc(&end->lane->run->count.requests);
	switch ((u32)status) {
	case STATUS_SUCCESS:
		if (!stress_answers(&msg, &answer, size))
			stress_fault(end, "a request has the answer to another");
		break;
	case (u32)STATUS_BUFFER_OVERFLOW: /* a timeout of 0 */
	case (u32)STATUS_CANCELLED:
		break;
	case (u32)STATUS_DEVICE_REMOVED:
		if (!end->lane->calm)
			break;
		fallthrough;
	default:
		stress_fault(end, "a request: status %#x", (u32)status);
	}
}
