// SPDX-License-Identifier: GPL-2.0
/* Our end of a channel: set up, opened, closed; and packets that come back. */
#include <linux/slab.h>

#include "guest.h"

const GUID guest_type = {
	0x6b6d636c, 0x7465, 0x7374, { 0, 0, 0, 0, 0, 0, 0, 0 }
};

static VOID peer_post_started(VMBCHANNEL channel)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);

	complete(&peer->up);
}

static NTSTATUS peer_opened(VMBCHANNEL channel)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);

	peer->opened++;
	return STATUS_SUCCESS;
}

static VOID peer_suspend(VMBCHANNEL channel)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);

	if (peer->suspend)
		peer->suspend(peer);
}

static VOID peer_closed(VMBCHANNEL channel)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);

	peer->closed++;
	if (peer->after_close)
		peer->after_close(peer);
	/* Refused while it is being disabled: then it is not to open again. */
	if (peer->again && !NT_SUCCESS(kmcl.VmbChannelEnable(channel)))
		peer->again = false;
	complete(&peer->down);
}

static VOID peer_failed(VMBCHANNEL channel, NTSTATUS status)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);

	peer->failure = status;
	complete(&peer->failed);
}

static VOID peer_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			 UINT32 len, UINT32 flags)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);

	if (peer->process)
		peer->process(channel, packet, buffer, len, flags);
	else
		kmcl.VmbChannelPacketComplete(packet, NULL, 0);
}

/* What the log calls it. */
static bool peer_name(struct peer *peer)
{
	WCHAR wide[32];
	UNICODE_STRING name = { .Buffer = wide };
	const char *p;

	for (p = peer->name; *p && name.Length < sizeof(wide); p++) {
		wide[p - peer->name] = *p;
		name.Length += sizeof(*wide);
	}
	name.MaximumLength = name.Length;
	return NT_SUCCESS(kmcl.VmbChannelInitSetFriendlyName(peer->channel, &name));
}

/* The job's offer of that instance, or any if it is NULL. */
bool peer_target(struct peer *peer, u32 job, const GUID *instance)
{
	GUID type = guest_type;

	type.Data4[7] = job;
	return NT_SUCCESS(kmcl.VmbClientChannelInitSetTargetPnp(peer->channel, &type, instance,
								peer_failed));
}

static bool peer_set_up(struct peer *peer)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	VMBCHANNEL c = peer->channel;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = peer_opened;
	callbacks.EvtChannelPostStarted = peer_post_started;
	callbacks.EvtChannelSuspend = peer_suspend;
	callbacks.EvtChannelClosed = peer_closed;
	kmcl.VmbChannelSetPointer(c, peer);
	return NT_SUCCESS(kmcl.VmbChannelInitSetMaximumPacketSize(c, 4096)) &&
	       NT_SUCCESS(kmcl.VmbClientChannelInitSetRingBufferPageCount(c, 16, 16)) &&
	       NT_SUCCESS(kmcl.VmbChannelInitSetStateChangeCallbacks(c, &callbacks)) &&
	       NT_SUCCESS(kmcl.VmbChannelInitSetProcessPacketCallbacks(c, peer_process, NULL)) &&
	       peer_name(peer);
}

static bool peer_allocate(struct peer *peer, const char *name)
{
	memset(peer, 0, sizeof(*peer));
	peer->name = name;
	init_completion(&peer->up);
	init_completion(&peer->down);
	init_completion(&peer->failed);
	if (!NT_SUCCESS(kmcl.VmbChannelAllocate(NULL, FALSE, &peer->channel)))
		return peer_check(peer, false, "a channel is made");
	return true;
}

/* A channel for the job's offer, disabled, so that more can be set. */
bool peer_create(struct peer *peer, const char *name, u32 job)
{
	if (!peer_allocate(peer, name))
		return false;
	if (peer_set_up(peer) && peer_target(peer, job, NULL))
		return true;

	kmcl.VmbChannelCleanup(peer->channel);
	peer->channel = NULL;
	return peer_check(peer, false, "a channel is set up");
}

/* A sub-channel of @primary, disabled. */
bool peer_create_sub(struct peer *peer, const char *name, struct peer *primary, u16 index)
{
	if (!peer_allocate(peer, name))
		return false;
	/* Its class and instance are the primary's: this is for the failure callback. */
	if (peer_set_up(peer) && peer_target(peer, 0, NULL) &&
	    NT_SUCCESS(kmcl.VmbChannelInitSetPrimaryChannel(peer->channel, primary->channel,
							    index)))
		return true;

	kmcl.VmbChannelCleanup(peer->channel);
	peer->channel = NULL;
	return peer_check(peer, false, "a channel is set up");
}

/* Enables it, and waits until it is active. */
bool peer_enable(struct peer *peer)
{
	bool up = NT_SUCCESS(kmcl.VmbChannelEnable(peer->channel)) &&
		  wait_for_completion_timeout(&peer->up, PATIENCE);

	return peer_check(peer, up, "the channel opens and starts");
}

bool peer_open(struct peer *peer, const char *name, u32 job)
{
	if (!peer_create(peer, name, job))
		return false;
	if (peer_enable(peer))
		return true;
	peer_close(peer);
	return false;
}

void peer_close(struct peer *peer)
{
	peer->again = false;
	kmcl.VmbChannelDisable(peer->channel);
	kmcl.VmbChannelCleanup(peer->channel);
}

/* A packet of the caller's own; it knows what its completion has to be. */
struct echo {
	struct peer *peer;
	u32 len;
	u32 seed;
	bool answered;		/* is it to be answered? */
	u64 packet[];
};

static VOID echo_over(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	struct echo *echo = kmcl.VmbPacketGetPointer(packet);
	struct peer *peer = echo->peer;

	if (status == (NTSTATUS)STATUS_DEVICE_REMOVED)
		atomic_inc(&peer->removed);
	else if (status != STATUS_SUCCESS || (!echo->answered && len) ||
		 (echo->answered && (len != ALIGN(echo->len, 8) ||
				     !guest_is_filled(buffer, echo->len, echo->seed))))
		atomic_inc(&peer->wrong);
	kfree(echo);
	atomic_inc(&peer->completed);
}

/* Sends a packet of @len patterned bytes; an echo gives them back. */
NTSTATUS peer_send_echo(struct peer *peer, u32 len, u32 seed, u32 flags)
{
	u32 size = kmcl.VmbChannelSizeofPacket(peer->channel);
	struct echo *echo;
	NTSTATUS status;
	u8 *payload;

	echo = kmalloc(sizeof(*echo) + size, GFP_KERNEL);
	payload = kmalloc(len ?: 1, GFP_KERNEL);
	status = STATUS_INSUFFICIENT_RESOURCES;
	if (!echo || !payload)
		goto fail;

	echo->peer = peer;
	echo->len = len;
	echo->seed = seed;
	echo->answered = flags & WAIT;
	guest_fill(payload, len, seed);
	status = kmcl.VmbPacketInitialize(peer->channel, (VMBPACKET)echo->packet, size);
	if (!NT_SUCCESS(status))
		goto fail;
	kmcl.VmbPacketSetPointer((VMBPACKET)echo->packet, echo);
	kmcl.VmbPacketSetCompletionRoutine((VMBPACKET)echo->packet, echo_over);

	/* It may be over, and gone, before the send returns. */
	atomic_inc(&peer->sent);
	atomic64_add(ALIGN(len, 8), &peer->sent_bytes);
	status = kmcl.VmbPacketSend((VMBPACKET)echo->packet, payload, len, NULL, flags);
	kfree(payload);
	if (!NT_SUCCESS(status)) {
		atomic_dec(&peer->sent);
		atomic64_sub(ALIGN(len, 8), &peer->sent_bytes);
		kfree(echo);
	}
	return status;

fail:
	kfree(payload);
	kfree(echo);
	return status;
}

static bool peer_is_idle(void *arg)
{
	struct peer *peer = arg;

	return atomic_read(&peer->completed) == atomic_read(&peer->sent);
}

bool peer_all_completed(struct peer *peer)
{
	return guest_eventually(peer_is_idle, peer);
}
