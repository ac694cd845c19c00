// SPDX-License-Identifier: GPL-2.0
/*
 * The receiving side of stress: is each packet the next one, and whole? What
 * becomes of it its name tells.
 */
#include <linux/highmem.h>

#include "stress.h"

/* Of 64 packets so many are ... */
#define STRESS_DEFER	2
#define STRESS_HOLD	20

static void stress_answer(const struct stress_held *held)
{
	struct stress_answer answer = {
		.source = held->msg.source,
		.seq = held->msg.seq,
	};

	answer.check = stress_mix((u64)answer.source << 32 | answer.seq);
	VmbChannelPacketComplete(held->handle, &answer, sizeof(answer));
}

/* Is that the completion of that packet? */
bool stress_answers(const struct stress_msg *msg, const void *buffer, u32 len)
{
	const struct stress_answer *answer = buffer;

	return len == sizeof(*answer) && answer->source == msg->source &&
	       answer->seq == msg->seq &&
	       answer->check == stress_mix((u64)msg->source << 32 | msg->seq);
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
		spin_unlock_irqrestore(&end->lock, flags);

		if (draw >> (16 + n) & 1) {
			local_bh_disable();
			stress_answer(&held);
			local_bh_enable();
		} else {
			stress_answer(&held);
		}
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

/* The packet's memory is what was sent; leaves in it what is to be found there. */
static bool stress_check_memory(const struct stress_msg *msg, PMDL mdl, u64 name)
{
	u32 offset, bytes, left, page;
	u32 at = 0;
	void *words;

	for (; mdl; mdl = mdl->Next) {
		offset = MmGetMdlByteOffset(mdl);
		left = MmGetMdlByteCount(mdl);
		for (page = 0; left; page++, left -= bytes, offset = 0) {
			bytes = min_t(u32, left, PAGE_SIZE - offset);
			words = page_address(pfn_to_page(MmGetMdlPfnArray(mdl)[page]));
			if (!stress_filled(words + offset, bytes, name + at / 4))
				return false;
			if (msg->write)
				stress_fill(words + offset, bytes, ~name + at / 4);
			at += bytes;
		}
	}
	return at == msg->memory;
}

/* STATUS_PENDING: there is no memory for it now, it comes again. */
static NTSTATUS stress_look_at_memory(struct stress_end *end,
				      const struct stress_held *held, u64 name)
{
	NTSTATUS status;
	PMDL mdl;

	status = VmbChannelPacketGetExternalData(held->handle, held->msg.write ? 0 :
						 VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY,
						 &mdl);
	if (status == STATUS_PENDING)
		return status;
	if (status != STATUS_SUCCESS)
		stress_fault(end, "packet %u.%u: its memory: status %#x",
			     held->msg.source, held->msg.seq, (u32)status);
	else if (!stress_check_memory(&held->msg, mdl, name))
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

	return len >= sizeof(*msg) && msg->magic == STRESS_MAGIC &&
	       msg->source <= STRESS_UNORDERED && ALIGN(msg->len, 8) == len &&
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

static void stress_receive(struct stress_end *end, struct stress_held *held)
{
	struct stress_counts *count = &end->lane->run->count;
	u64 name = stress_name(end->peer, &held->msg);
	u32 fate = stress_mix(name ^ end->lane->run->seed) % 64;
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
