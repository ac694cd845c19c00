// SPDX-License-Identifier: GPL-2.0
/*
 * The receiving side of stress: is each packet the next one, and whole? What
 * becomes of it its name tells.
 */
#include "stress.h"

/* Of 64 packets so many are ... */
#define STRESS_DEFER	2
#define STRESS_HOLD	20
/* And in a wild lane one of so many is failed, half of them later. */
#define STRESS_FAIL	2048

static void stress_answer(const struct stress_held *held)
{
	struct stress_answer answer = stress_answer_to(&held->msg);

	VmbChannelPacketComplete(held->handle, &answer, sizeof(answer));
}

/* Until the packet is failed the connection stays. */
static void stress_fail(struct stress_end *end, const struct stress_held *held,
			u32 on_their_way)
{
	u32 opens = READ_ONCE(end->opens);

	VmbChannelPacketFail(held->handle);
	stress_note_failed(end, opens, on_their_way);
}

/* Be done with a packet that was held back. */
static void stress_let_go(struct stress_end *end, const struct stress_held *held)
{
	/* Meanwhile two may be about to be delivered, and one to complete. */
	if (held->fails && !READ_ONCE(end->lane->run->settling))
		stress_fail(end, held, 3);
	else
		stress_answer(held);
}

/* Completes up to 8 of the packets that an end has held back, in no order. */
u32 stress_complete_held(struct stress_end *end, u64 draw)
{
	struct stress_held held;
	unsigned long flags;
	u32 i, n;

	for (n = 0; n < 8; n++) {
		spin_lock_irqsave(&end->lock, flags);
		if (!end->n_held) {
			spin_unlock_irqrestore(&end->lock, flags);
			break;
		}
		i = (draw >> n) % end->n_held;
		held = end->held[i];
		end->held[i] = end->held[--end->n_held];
		/* Nothing has come to rest until the library has it back. */
		atomic_inc(&end->letting_go);
		spin_unlock_irqrestore(&end->lock, flags);

		if (draw >> (16 + n) & 1) {
			local_bh_disable();
			stress_let_go(end, &held);
			local_bh_enable();
		} else {
			stress_let_go(end, &held);
		}
		/* Pairs with the acquire in stress_under_way(). */
		atomic_dec_return_release(&end->letting_go);
	}
	return n;
}

static bool stress_hold(struct stress_end *end, const struct stress_held *held)
{
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&end->lock, flags);
	room = end->n_held < STRESS_HELD;
	if (room)
		end->held[end->n_held++] = *held;
	spin_unlock_irqrestore(&end->lock, flags);
	return room;
}

/* STATUS_PENDING: there is no memory for it now, it comes again. */
static NTSTATUS stress_look_at_memory(struct stress_end *end,
				      const struct stress_held *held, u64 name)
{
	u32 flags = held->msg.write ? 0 : VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY;
	NTSTATUS status;
	PMDL mdl;

	status = VmbChannelPacketGetExternalData(held->handle, flags, &mdl);
	if (status == STATUS_PENDING)
		return status;
	if (status != STATUS_SUCCESS)
		stress_fault(end, "packet %u.%u: its memory: status %#x",
			     held->msg.source, held->msg.seq, (u32)status);
	else if (!stress_memory_received(&held->msg, mdl, name))
		stress_fault(end, "packet %u.%u: not the memory that was sent",
			     held->msg.source, held->msg.seq);
	return STATUS_SUCCESS;
}

/* The next one of its thread; after a loss of connection some may be missing. */
static void stress_check_order(struct stress_end *end, const struct stress_msg *msg)
{
	u32 last, source = msg->source;

	if (source == STRESS_UNORDERED)
		return;

	last = end->received[source];
	if (msg->seq != last + 1 &&
	    (end->lane->calm || !end->fresh[source] || msg->seq <= last))
		stress_fault(end, "packet %u.%u came behind %u.%u", source,
			     msg->seq, source, last);
	end->received[source] = msg->seq;
	end->fresh[source] = false;
}

static bool stress_check_whole(struct stress_end *end, const void *buffer, u32 len)
{
	const struct stress_msg *msg = buffer;
	bool pipe = end->lane->pipe;

	return len >= sizeof(*msg) && msg->magic == STRESS_MAGIC &&
	       msg->source <= STRESS_UNORDERED &&
	       len == (pipe ? msg->len : ALIGN(msg->len, 8)) &&
	       stress_filled(msg + 1, msg->len - sizeof(*msg),
			     stress_name(end->peer, msg));
}

/* Has it been deferred, and comes as the next, where it may sleep? */
static bool stress_comes_again(struct stress_end *end, const struct stress_msg *msg)
{
	bool again = end->deferred.seq == msg->seq &&
		     end->deferred.source == msg->source;

	if (!end->deferred.seq)
		return false;
	if (again && KeGetCurrentIrql() != PASSIVE_LEVEL)
		stress_fault(end, "a deferred packet came where it cannot sleep");
	if (!again && (end->lane->calm || !end->fresh[0]))
		stress_fault(end, "packet %u.%u came before the deferred %u.%u",
			     msg->source, msg->seq, end->deferred.source,
			     end->deferred.seq);
	end->deferred.seq = 0;
	return again;
}

static bool stress_is_failed(const struct stress_end *end, u64 draw)
{
	return !end->lane->calm && !(draw >> 8 & (STRESS_FAIL - 1)) &&
	       !READ_ONCE(end->lane->run->settling);
}

static void stress_receive(struct stress_end *end, struct stress_held *held)
{
	struct stress_counts *count = &end->lane->run->count;
	u64 name = stress_name(end->peer, &held->msg);
	u64 draw = stress_mix(name ^ end->lane->run->seed);
	u32 fate = draw % 64;
	bool again = stress_comes_again(end, &held->msg);

	if (fate < STRESS_DEFER && !again) {
		end->deferred = held->msg;
		atomic64_inc(&count->deferrals);
		VmbChannelPacketDeferToPassive(held->handle);
		return;
	}
	if (held->msg.memory &&
	    stress_look_at_memory(end, held, name) == STATUS_PENDING) {
		end->deferred = held->msg;
		return;
	}

	stress_check_order(end, &held->msg);
	atomic64_inc(&count->delivered);
	if (end->lane->pipe && held->msg.len % 8)
		atomic64_inc(&count->exact);
	if (stress_is_failed(end, draw)) {
		held->fails = draw >> 32 & 1;
		/* The reader of the ring is here, or may have a completion in its hands. */
		if (!held->fails || !stress_hold(end, held))
			stress_fail(end, held, KeGetCurrentIrql() == PASSIVE_LEVEL);
		return;
	}
	if (fate >= STRESS_DEFER + STRESS_HOLD || !stress_hold(end, held))
		stress_answer(held);
}

VOID stress_process(VMBCHANNEL channel, VMBPACKETCOMPLETION handle, PVOID buffer,
		    UINT32 len, UINT32 flags)
{
	struct stress_end *end = VmbChannelGetPointer(channel);
	struct stress_held held = { .handle = handle };

	if (atomic_inc_return(&end->in_process) != 1)
		stress_fault(end, "two packets at once");
	if (stress_is_behind_failure(end))
		stress_fault(end, "a packet is delivered behind one that was failed");
	if (stress_check_whole(end, buffer, len)) {
		memcpy(&held.msg, buffer, sizeof(held.msg));
		if (!held.msg.memory != !(flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA))
			stress_fault(end, "packet %u.%u: memory, or none, against its flag",
				     held.msg.source, held.msg.seq);
		stress_receive(end, &held);
	} else {
		stress_fault(end, "a packet of %u bytes is not what was sent", len);
		VmbChannelPacketComplete(handle, NULL, 0);
	}
	atomic_dec(&end->in_process);
}

VOID stress_process_ex(VMBCHANNEL channel, PVOID context, VMBPACKETCOMPLETION handle,
		       PVOID buffer, UINT32 len, UINT32 flags)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	stress_process(channel, handle, buffer, len, flags);
}
