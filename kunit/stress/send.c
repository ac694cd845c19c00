// SPDX-License-Identifier: GPL-2.0
/*
 * The sending side of stress: does each packet complete once, with the answer to
 * it?
 */
#include "stress.h"

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
	if (slot->wait && stress_is_behind_failure(end))
		stress_fault(end, "packet %u.%u was completed though its sender has failed one",
			     msg->source, msg->seq);
	if (status != STATUS_SUCCESS)
		stress_fault(end, "packet %u.%u: status %#x", msg->source, msg->seq,
			     (u32)status);
	else if (slot->wait && !stress_answers(msg, buffer, len))
		stress_fault(end, "packet %u.%u has the answer to another",
			     msg->source, msg->seq);
	else if (msg->memory && !stress_memory_is(&slot->memory, msg->write ? ~name : name))
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
	stress_packet_check(slot, packet);
	stress_check_done(slot, status, buffer, len);
	if (slot->again && status == STATUS_SUCCESS && stress_send_again(slot, packet))
		return;
	stress_packet_put(slot, packet);
	stress_slot_over(slot);
}

void stress_routine_ex(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buffer,
		       UINT32 len)
{
	struct stress_slot *slot = VmbPacketGetPointer(packet);

	if (context != slot)
		stress_fault(slot->end, "packet %u.%u has the context of another",
			     slot->msg.source, slot->msg.seq);
	stress_routine(packet, status, buffer, len);
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

static void stress_count_send(struct stress_slot *slot)
{
	struct stress_counts *count = &slot->end->lane->run->count;

	if (slot->kind != STRESS_ALLOCATED)
		atomic64_inc(&count->own);
	if (!slot->msg.memory)
		return;
	if (slot->memory.n_mdls > 1)
		atomic64_inc(&count->chains);
	if (slot->memory.way == STRESS_BY_PART)
		atomic64_inc(&count->parts);
	if (slot->memory.way == STRESS_BY_FORCE)
		atomic64_inc(&count->forced);
}

/* Its packet object; NULL where there is no memory for one, as there may be none. */
static VMBPACKET stress_slot_packet(struct stress_thread *thread, struct stress_slot *slot)
{
	VMBPACKET packet;

	stress_fail_begin(thread);
	packet = stress_packet_get(slot);
	if (stress_fail_end(thread, packet ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES))
		atomic64_inc(&thread->run->count.refusals);
	else if (!packet)
		stress_fault(slot->end, "no packet object, and no allocation has failed");
	return packet;
}

/* What is sent next, of @len bytes, is described in the slot. */
static void stress_describe(struct stress_thread *thread, struct stress_slot *slot, u64 draw,
			    bool memory, u32 len)
{
	struct stress_msg *msg = &slot->msg;

	slot->wait = memory || (draw >> 2 & 1);
	slot->again = !memory && !(draw >> 3 & 15);
	*msg = (struct stress_msg) {
		.magic = STRESS_MAGIC,
		.source = thread->index,
		.seq = slot->end->sent[thread->index] + 1,
		.len = len,
	};
	if (!memory)
		return;
	msg->write = draw >> 29 & 1;
	msg->memory = stress_memory_draw(&slot->memory, draw, stress_name(slot->end, msg));
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
	/* One in four is in the sender's own memory. */
	slot->kind = draw >> 40 & 3 ? STRESS_ALLOCATED : 1 + (draw >> 42) % 3;
	packet = stress_slot_packet(thread, slot);
	if (!packet)
		return false;

	/* Most are small. */
	if (draw & 3)
		body %= 64;
	stress_describe(thread, slot, draw, memory, sizeof(*payload) + body);
	stress_count_send(slot);
	*payload = slot->msg;
	stress_fill(payload + 1, body, stress_name(end, payload));

	/* Pairs with the routine, which may run before this function is over. */
	atomic_set_release(&slot->state, STRESS_SENT);
	stress_fail_begin(thread);
	if (memory)
		status = stress_memory_send(&slot->memory, packet, payload, payload->len);
	else
		status = VmbPacketSend(packet, payload, payload->len, NULL,
				       slot->wait ? STRESS_WAIT : 0);
	stress_fail_end(thread, status);
	if (status == STATUS_SUCCESS) {
		end->sent[thread->index]++;
		return true;
	}
	stress_fault(end, "sending: status %#x", (u32)status);
	atomic_set(&slot->state, STRESS_FREE);
	stress_packet_put(slot, packet);
	return true;
}

/* A synchronous request, up to 20 ms long; a server's must not wait at all. */
void stress_request(struct stress_thread *thread, struct stress_end *end, u64 draw)
{
	struct stress_msg msg = {
		.magic = STRESS_MAGIC,
		.source = STRESS_UNORDERED,
		.seq = (u32)draw | 1 << 31,
		.len = sizeof(msg),
	};
	LARGE_INTEGER timeout = { .QuadPart = -(LONGLONG)((draw >> 32) % 200000) };
	bool waits = !end->is_server;
	struct stress_answer answer;
	UINT32 size = sizeof(answer);
	NTSTATUS status;

	if (!waits)
		timeout.QuadPart = 0;
	stress_fail_begin(thread);
	status = VmbChannelSendSynchronousRequest(end->channel, &msg, sizeof(msg), NULL,
						  waits ? STRESS_WAIT : 0,
						  waits ? &answer : NULL,
						  waits ? &size : NULL, &timeout);
	if (stress_fail_end(thread, status)) {
		atomic64_inc(&thread->run->count.refusals);
		return;
	}
	atomic64_inc(&end->lane->run->count.requests);
	switch ((u32)status) {
	case STATUS_SUCCESS:
		if (waits && !stress_answers(&msg, &answer, size))
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
