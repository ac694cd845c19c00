// SPDX-License-Identifier: GPL-2.0
/*
 * A host that does not behave. Each of its offers plays tricks while it is used;
 * beside it another channel on the same bus must go on as if nothing were.
 */
#include <linux/kthread.h>

#include "guest.h"

/* What the host sent must lie within what KMCL promised. */
static atomic_t beyond_bounds;

static VOID hostile_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			    UINT32 len, UINT32 flags)
{
	u32 i;

	if (len > 4096)
		atomic_inc(&beyond_bounds);
	/* KASAN sees whether all of it is there. */
	for (i = 0; i < len; i++)
		(void)READ_ONCE(((u8 *)buffer)[i]);
	kmcl.VmbChannelPacketComplete(packet, buffer, len);
}

/* So many packets, however slow the machine: the host's tricks are due before. */
#define LEAST_PACKETS	50

/* Some traffic on a channel that may die of it; what it completes with is open. */
static void hostile_traffic(struct peer *peer, u32 seconds)
{
	unsigned long end = jiffies + seconds * HZ;
	LARGE_INTEGER timeout = { .QuadPart = -500000 };
	u64 answer[8];
	UINT32 size;
	u32 i = 0;

	while (time_before(jiffies, end) || i < LEAST_PACKETS) {
		if (atomic_read(&peer->sent) - atomic_read(&peer->completed) < 50)
			peer_send_echo(peer, i % 200, i, i % 3 ? WAIT : 0);
		if (i % 16 == 0) {
			size = sizeof(answer);
			kmcl.VmbChannelSendSynchronousRequest(peer->channel, answer, 24, NULL,
							      WAIT, answer, &size, &timeout);
		}
		i++;
		usleep_range(100, 300);
	}
}

/*
 * Enables it until it is open: a client is told of an offer that was withdrawn while
 * it was being opened, is disabled then, and may try the next one.
 */
static bool hostile_enable(struct peer *peer)
{
	unsigned long end = jiffies + PATIENCE;

	reinit_completion(&peer->up);
	reinit_completion(&peer->failed);
	if (!NT_SUCCESS(kmcl.VmbChannelEnable(peer->channel)))
		return false;
	while (!wait_for_completion_timeout(&peer->up, HZ / 10)) {
		if (time_after(jiffies, end))
			return false;
		if (try_wait_for_completion(&peer->failed) &&
		    !NT_SUCCESS(kmcl.VmbChannelEnable(peer->channel)))
			return false;
	}
	return true;
}

static void hostile_offer(u32 number, u32 seconds, struct peer *neighbour)
{
	static char name[24];
	struct peer peer;
	u32 i, round;

	snprintf(name, sizeof(name), "trick %u", number);
	if (!peer_create(&peer, name, JOB_TRICKS + number))
		return;
	peer.process = hostile_process;
	/* A second time, for it must be possible to begin anew. */
	for (round = 0; round < 2; round++) {
		peer.again = true;
		peer_check(&peer, hostile_enable(&peer), "the channel opens");
		hostile_traffic(&peer, seconds);
		for (i = 0; i < 5; i++)
			peer_send_echo(neighbour, 500, i, WAIT);
		peer_check(&peer, peer_all_completed(neighbour) &&
			   !atomic_read(&neighbour->wrong), "another channel goes on");
		peer.again = false;
		kmcl.VmbChannelDisable(peer.channel);
		peer_check(&peer, atomic_read(&peer.completed) == atomic_read(&peer.sent),
			   "every packet is complete when it is disabled");
	}
	kmcl.VmbChannelCleanup(peer.channel);
}

void job_tricks(u32 tricks, u32 seconds)
{
	struct peer neighbour;
	u32 i;

	if (!peer_open(&neighbour, "neighbour", JOB_ECHO))
		return;
	for (i = 0; i < tricks; i++)
		hostile_offer(i, seconds, &neighbour);
	guest_check(!atomic_read(&beyond_bounds), "tricks", "no payload beyond its bounds");
	peer_close(&neighbour);
}
