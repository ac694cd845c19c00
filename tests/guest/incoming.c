// SPDX-License-Identifier: GPL-2.0
/* Packets from the host: in order, at the quota, while paused, with transfer pages. */
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "guest.h"

#define SOURCE_PACKETS	2000
#define SOURCE_SIZE	256
#define HOLD		8

/* What has arrived, and what the client holds. */
struct sink {
	u64 received;
	u64 completed;
	u64 out_of_order;
	u64 wrong;
	u64 flagged;
	VMBPACKETCOMPLETION held[HOLD];
	u32 holds;
};

/* Completes what is held, the last first. */
static void sink_let_go(struct sink *sink)
{
	while (sink->holds) {
		kmcl.VmbChannelPacketComplete(sink->held[--sink->holds], NULL, 0);
		sink->completed++;
	}
}

static VOID source_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			   UINT32 len, UINT32 flags)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);
	struct sink *sink = peer->context;
	u64 number;

	memcpy(&number, buffer, sizeof(number));
	if (number != sink->received)
		sink->out_of_order++;
	if (len != SOURCE_SIZE || !guest_is_filled((u8 *)buffer + 8, len - 8, number + 8))
		sink->wrong++;
	if (flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA)
		sink->flagged++;
	WRITE_ONCE(sink->received, sink->received + 1);

	/* Late, in another order, and all of them once the host has no more. */
	sink->held[sink->holds++] = packet;
	if (sink->holds == HOLD || sink->received == SOURCE_PACKETS)
		sink_let_go(sink);
}

/* No ProcessPacket runs meanwhile: what is held is let go, or nobody would. */
static void source_suspend(struct peer *peer)
{
	sink_let_go(peer->context);
}

static bool source_is_done(void *arg)
{
	return READ_ONCE(((struct sink *)arg)->received) == SOURCE_PACKETS;
}

static void sink_check(struct peer *peer, struct sink *sink)
{
	peer_check(peer, guest_eventually(source_is_done, sink), "every packet arrives");
	peer_check(peer, !sink->out_of_order, "in order");
	peer_check(peer, !sink->wrong, "as it was sent");
}

void job_source(void)
{
	struct sink sink = {};
	u32 i, pauses = 0;
	struct peer peer;
	bool quiet = true;
	u64 received;

	if (!peer_create(&peer, "source", JOB_SOURCE))
		return;
	peer.process = source_process;
	peer.suspend = source_suspend;
	peer.context = &sink;
	/* The client holds as many as the quota allows. */
	kmcl.VmbChannelSetTransactionQuota(peer.channel, HOLD);
	if (!peer_enable(&peer))
		goto close;

	/* Paused and started while the host goes on sending. */
	for (i = 0; i < 20; i++) {
		kmcl.VmbChannelSetIncomingProcessingAtPassive(peer.channel, i % 2);
		usleep_range(1000, 5000);
		kmcl.VmbChannelPause(peer.channel);
		pauses += !source_is_done(&sink);
		received = READ_ONCE(sink.received);
		usleep_range(1000, 2000);
		quiet &= received == READ_ONCE(sink.received);
		kmcl.VmbChannelStart(peer.channel);
	}
	peer_check(&peer, pauses && quiet, "nothing is delivered while it is paused");
	sink_check(&peer, &sink);
close:
	peer_close(&peer);
	/* Now: the last callback may not have come to its end before. */
	pr_info("guest: account source received=%llu completed=%llu\n", sink.received,
		sink.completed);
}

static VOID transfer_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			     UINT32 len, UINT32 flags)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);
	struct sink *sink = peer->context;

	/* The payload is elsewhere: in the buffer, at places that KMCL does not tell. */
	if (len)
		sink->wrong++;
	if (flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA)
		sink->flagged++;
	kmcl.VmbChannelPacketComplete(packet, NULL, 0);
	sink->completed++;
	WRITE_ONCE(sink->received, sink->received + 1);
}

static bool transfer_is_done(void *arg)
{
	return READ_ONCE(((struct sink *)arg)->received) == 100;
}

void job_transfer(void)
{
	struct vmbhost_request req = { .op = VMBHOST_BUFFER };
	LARGE_INTEGER timeout = { .QuadPart = -20 * 10000000LL };
	u8 *buffer = vmalloc(16 * PAGE_SIZE);
	struct sink sink = {};
	struct peer peer;

	if (!buffer || !peer_create(&peer, "transfer pages", JOB_TRANSFER)) {
		vfree(buffer);
		return;
	}
	peer.process = transfer_process;
	peer.context = &sink;
	if (!peer_enable(&peer))
		goto close;
	peer_check(&peer, kmcl.VmbChannelCreateGpadlFromBuffer(peer.channel, 0, buffer,
							       16 * PAGE_SIZE, &req.gpadl) ==
		   STATUS_SUCCESS &&
		   kmcl.VmbChannelSendSynchronousRequest(peer.channel, &req, sizeof(req), NULL,
							 WAIT, NULL, NULL, &timeout) ==
		   STATUS_SUCCESS, "the host gets a buffer for them");
	peer_check(&peer, guest_eventually(transfer_is_done, &sink), "every packet arrives");
	peer_check(&peer, sink.flagged == 100, "and is flagged");
	/* It holds 21 packets: the last of those at its beginning is number 84. */
	peer_check(&peer, guest_is_filled(buffer + 8, 2992, 84 + 8),
		   "the host has written to the buffer");
close:
	peer_close(&peer);
	pr_info("guest: account transfer received=%llu completed=%llu\n", sink.received,
		sink.completed);
	vfree(buffer);
}
