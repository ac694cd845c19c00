// SPDX-License-Identifier: GPL-2.0
/* A lane of stress: its two ends, and whether they are told of their states in order. */
#include <linux/slab.h>
#include <linux/uuid.h>

#include "stress.h"
#include "../../core/kmcl.h"

enum {
	STRESS_NONE,
	STRESS_OPENED,
	STRESS_STARTED,
	STRESS_POST_STARTED,
	STRESS_SUSPENDED,
	STRESS_CLOSED,
};

/* @after: a bit for each callback that may come before this one. */
static struct stress_end *stress_state_begin(VMBCHANNEL channel, u32 state, u32 after)
{
	struct stress_end *end = VmbChannelGetPointer(channel);

	if (atomic_inc_return(&end->in_state) != 1)
		stress_fault(end, "two state callbacks at once");
	if (!(after & BIT(end->last_state)))
		stress_fault(end, "state callback %u came behind %u", state,
			     end->last_state);
	WRITE_ONCE(end->last_state, state);
	return end;
}

bool stress_is_active(const struct stress_end *end)
{
	return READ_ONCE(end->last_state) == STRESS_POST_STARTED;
}

static void stress_state_end(struct stress_end *end)
{
	atomic_dec(&end->in_state);
}

static NTSTATUS stress_opened(VMBCHANNEL channel)
{
	struct stress_end *end = stress_state_begin(channel, STRESS_OPENED,
						    BIT(STRESS_NONE) | BIT(STRESS_CLOSED));
	u32 i;

	WRITE_ONCE(end->opens, end->opens + 1);
	for (i = 0; i < STRESS_THREADS; i++)
		end->fresh[i] = true;
	stress_state_end(end);
	return STATUS_SUCCESS;
}

static VOID stress_started(VMBCHANNEL channel)
{
	stress_state_end(stress_state_begin(channel, STRESS_STARTED, BIT(STRESS_OPENED) |
					    BIT(STRESS_SUSPENDED)));
}

static VOID stress_post_started(VMBCHANNEL channel)
{
	stress_state_end(stress_state_begin(channel, STRESS_POST_STARTED,
					    BIT(STRESS_STARTED)));
}

static VOID stress_suspend(VMBCHANNEL channel)
{
	struct stress_end *end = stress_state_begin(channel, STRESS_SUSPENDED,
						    BIT(STRESS_POST_STARTED));

	if (atomic_read(&end->in_process))
		stress_fault(end, "suspended within ProcessPacket");
	stress_state_end(end);
}

/* Fails while the channel is being disabled: then its lane enables it. */
static void stress_enable_again(struct stress_end *end)
{
	NTSTATUS status;

	if (READ_ONCE(end->lane->ending))
		return;
	status = VmbChannelEnable(end->channel);
	if (!NT_SUCCESS(status) && status != STATUS_INVALID_DEVICE_STATE)
		stress_fault(end, "enabled anew with status %#x", (u32)status);
}

static VOID stress_closed(VMBCHANNEL channel)
{
	struct stress_end *end = stress_state_begin(channel, STRESS_CLOSED,
						    BIT(STRESS_OPENED) |
						    BIT(STRESS_SUSPENDED));
	struct stress_lane *lane = end->lane;

	if (end->is_server) {
		/* What it has mapped it unmaps first. */
		mutex_lock(&lane->map_lock);
		mutex_unlock(&lane->map_lock);
	} else {
		stress_gpadls_delete_all(lane);
		stress_enable_again(end);
	}
	stress_state_end(end);
}

/* The same with a context, which is the end. */
static NTSTATUS stress_opened_ex(VMBCHANNEL channel, PVOID context)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	return stress_opened(channel);
}

static VOID stress_started_ex(VMBCHANNEL channel, PVOID context)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	stress_started(channel);
}

static VOID stress_post_started_ex(VMBCHANNEL channel, PVOID context)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	stress_post_started(channel);
}

static VOID stress_suspend_ex(VMBCHANNEL channel, PVOID context)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	stress_suspend(channel);
}

static VOID stress_closed_ex(VMBCHANNEL channel, PVOID context)
{
	stress_check_context(VmbChannelGetPointer(channel), context);
	stress_closed(channel);
}

static VOID stress_pnp_failure(VMBCHANNEL channel, NTSTATUS status)
{
	struct stress_end *end = VmbChannelGetPointer(channel);

	if (end->lane->calm)
		stress_fault(end, "the server refused: status %#x", (u32)status);
	stress_enable_again(end);
}

static NTSTATUS stress_init_client(struct stress_end *end)
{
	struct stress_lane *lane = end->lane;
	NTSTATUS status;

	status = VmbClientChannelInitSetTargetPnp(end->channel, &lane->type,
						  &lane->instance, stress_pnp_failure);
	status = status ?: VmbChannelInitSetFlags(end->channel, lane->pipe ?
						  VMBUS_CHANNEL_INIT_FLAG_IS_PIPE : 0);
	return status ?: VmbClientChannelInitSetRingBufferPageCount(end->channel,
								    lane->ring_pages,
								    lane->ring_pages);
}

static NTSTATUS stress_init_server(struct stress_end *end)
{
	VMBCHANNEL channel = end->channel;
	struct stress_lane *lane = end->lane;
	u32 flags = VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER;
	NTSTATUS status;

	if (lane->pipe)
		flags |= VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
	status = VmbServerChannelInitSetFlags(channel, flags);
	status = status ?: VmbServerChannelInitSetTargetInterfaceId(channel, lane->type,
								    lane->instance);
	if (status)
		return status;
	if (!lane->contexts)
		return VmbServerChannelInitSetSaveRestorePacketCallbacks(channel,
									 stress_save_packet,
									 stress_restore_packet);
	return VmbServerChannelInitSetSaveRestorePacketCallbacksEx(channel, end,
								   stress_save_packet_ex,
								   stress_restore_packet_ex);
}

static NTSTATUS stress_init_plain(struct stress_end *end)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = stress_opened;
	callbacks.EvtChannelStarted = stress_started;
	callbacks.EvtChannelPostStarted = stress_post_started;
	callbacks.EvtChannelSuspend = stress_suspend;
	callbacks.EvtChannelClosed = stress_closed;
	status = VmbChannelInitSetStateChangeCallbacks(end->channel, &callbacks);
	return status ?: VmbChannelInitSetProcessPacketCallbacks(end->channel, stress_process,
								 NULL);
}

static NTSTATUS stress_init_contexts(struct stress_end *end)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	callbacks.CallbackContext = end;
	callbacks.EvtChannelOpened = stress_opened_ex;
	callbacks.EvtChannelStarted = stress_started_ex;
	callbacks.EvtChannelPostStarted = stress_post_started_ex;
	callbacks.EvtChannelSuspend = stress_suspend_ex;
	callbacks.EvtChannelClosed = stress_closed_ex;
	status = VmbChannelInitSetStateChangeCallbacks(end->channel, (void *)&callbacks);
	return status ?: VmbChannelInitSetProcessPacketCallbacksEx(end->channel, end,
								   stress_process_ex, NULL);
}

static NTSTATUS stress_init_packets(struct stress_end *end)
{
	struct stress_lane *lane = end->lane;
	VMBCHANNEL channel = end->channel;
	NTSTATUS status;

	status = VmbChannelInitSetMaximumPacketSize(channel, lane->max_packet);
	status = status ?: VmbChannelInitSetMaximumExternalData(channel, STRESS_MEMORY,
								STRESS_CHAIN);
	status = status ?: VmbChannelInitSetInlinePacketContextSize(channel, lane->own_bytes);
	if (lane->max_count)
		status = status ?: VmbChannelInitSetMaximumPacketCount(channel,
								       lane->max_count);
	return status;
}

/* A channel for an end that has none, disabled. */
NTSTATUS stress_channel_create(struct stress_end *end)
{
	NTSTATUS status;

	status = VmbChannelAllocate(NULL, end->is_server, &end->channel);
	if (status)
		return status;

	VmbChannelSetPointer(end->channel, end);
	/* Only the other end's signals count. */
	((struct kmcl_channel *)end->channel)->send.retry_ms = 600000;
	status = end->lane->contexts ? stress_init_contexts(end) : stress_init_plain(end);
	status = status ?: stress_init_packets(end);
	if (!status)
		status = end->is_server ? stress_init_server(end) :
					  stress_init_client(end);
	end->packet_bytes = VmbChannelSizeofPacket(end->channel);
	return status;
}

static int stress_end_init(struct stress_lane *lane, struct stress_end *end,
			   struct stress_end *peer)
{
	struct stress_slot *slot;
	u32 i;

	end->lane = lane;
	end->peer = peer;
	end->is_server = end == &lane->server;
	init_rwsem(&end->use);
	spin_lock_init(&end->lock);
	for (i = 0; i < ARRAY_SIZE(end->slots); i++) {
		slot = &end->slots[i];
		slot->end = end;
		slot->index = i;
		if (i % STRESS_SLOTS >= STRESS_MEMORIES)
			continue;
		if (stress_memory_init(&slot->memory))
			return -ENOMEM;
	}
	return stress_channel_create(end) ? -EIO : 0;
}

/* Both ends, disabled. */
int stress_lane_init(struct stress_lane *lane)
{
	static const u32 ring_pages[] = { 2, 16, 4 };
	static const u32 max_counts[] = { 0, 1, 2, 5, 40 };
	static const u32 own_bytes[] = { 0, 0, 1, 8, 44, 1024 };
	u64 draw = stress_mix(lane->run->seed ^ lane->index);

	lane->calm = lane->index % 2 == 0;
	lane->saves = lane->index / 2 % 2;
	lane->pipe = lane->index % 5 < 2;
	lane->max_packet = 256 << lane->index % 4;
	lane->ring_pages = ring_pages[lane->index % 3];
	lane->max_count = max_counts[draw % ARRAY_SIZE(max_counts)];
	lane->own_bytes = own_bytes[(draw >> 8) % ARRAY_SIZE(own_bytes)];
	lane->contexts = draw >> 16 & 1;
	guid_gen((guid_t *)&lane->type);
	guid_gen((guid_t *)&lane->instance);
	mutex_init(&lane->gpadls_lock);
	mutex_init(&lane->map_lock);
	return stress_end_init(lane, &lane->server, &lane->client) ?:
	       stress_end_init(lane, &lane->client, &lane->server);
}

static void stress_end_destroy(struct stress_end *end)
{
	u32 i;

	if (end->channel) {
		VmbChannelDisable(end->channel);
		VmbChannelCleanup(end->channel);
	}
	for (i = 0; i < ARRAY_SIZE(end->slots); i++) {
		stress_memory_destroy(&end->slots[i].memory);
		kfree(end->slots[i].own);
	}
}

void stress_lane_destroy(struct stress_lane *lane)
{
	stress_end_destroy(&lane->client);
	stress_end_destroy(&lane->server);
}

/* Whatever it has come to, it is to work (again). */
void stress_heal(struct stress_end *end)
{
	NTSTATUS status;

	/* Nothing else lets it receive again. */
	if (xchg(&end->stopped, false))
		VmbChannelDisable(end->channel);
	status = VmbChannelEnable(end->channel);
	if (status != STATUS_SUCCESS && status != (NTSTATUS)STATUS_INVALID_DEVICE_STATE)
		stress_fault(end, "enabling: status %#x", (u32)status);
	VmbChannelStart(end->channel);
}
