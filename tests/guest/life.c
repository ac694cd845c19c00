// SPDX-License-Identifier: GPL-2.0
/* Offers that go away, come back, come late, cannot be opened; and a busy exit. */
#include <linux/kthread.h>

#include "guest.h"

/* The host takes 50 packets, then rescinds, then offers again. */
void job_rescinded(void)
{
	struct peer peer;
	u32 i;

	if (!peer_create(&peer, "rescinded", JOB_RESCINDED))
		return;
	/* Ahead of the opening: all of them are in one, and ten are too many. */
	for (i = 0; i < 60; i++)
		peer_send_echo(&peer, 64, i, WAIT);
	peer_check(&peer, atomic_read(&peer.sent) == 60, "packets wait for the opening");
	peer.again = true;
	if (!peer_enable(&peer))
		goto close;
	peer_check(&peer, wait_for_completion_timeout(&peer.down, PATIENCE),
		   "a rescind closes the channel");
	peer_check(&peer, wait_for_completion_timeout(&peer.up, PATIENCE),
		   "which opens again when it is offered again");
	peer_check(&peer, peer_all_completed(&peer), "every packet completes, once");
	peer_check(&peer, !atomic_read(&peer.wrong), "with its payload, or as removed");
	peer_check(&peer, atomic_read(&peer.removed) >= 10,
		   "those that the host did not take as removed");

	atomic_set(&peer.removed, 0);
	for (i = 0; i < 20; i++)
		peer_send_echo(&peer, 64, i, WAIT);
	peer_check(&peer, peer_all_completed(&peer) && !atomic_read(&peer.removed),
		   "the new offer works");
close:
	peer_close(&peer);
	peer_check(&peer, peer.opened == 2 && peer.closed == 2, "opened and closed twice");
}

void job_refused(void)
{
	static const struct {
		u32 job;
		const char *name;
	} refusals[] = {
		{ JOB_REFUSED, "open refused" }, { JOB_RINGS_REFUSED, "rings refused" },
	};
	struct peer peer;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (!peer_create(&peer, refusals[i].name, refusals[i].job))
			continue;
		peer_check(&peer, NT_SUCCESS(kmcl.VmbChannelEnable(peer.channel)) &&
			   wait_for_completion_timeout(&peer.failed, PATIENCE) &&
			   !NT_SUCCESS(peer.failure) && !peer.opened,
			   "the failure is reported");
		/* Disabled again: what it is to do can be set anew. */
		peer_check(&peer, NT_SUCCESS(kmcl.VmbChannelInitSetMaximumPacketSize(peer.channel,
										     64)),
			   "the channel is disabled");
		peer_close(&peer);
	}
}

void job_late(void)
{
	struct peer peer;

	/* The host offers it when it hears of this; peer_open() waits. */
	pr_info("guest: the late offer may come\n");
	if (!peer_open(&peer, "late", JOB_LATE))
		return;
	peer_send_echo(&peer, 100, 1, WAIT);
	peer_check(&peer, peer_all_completed(&peer) && !atomic_read(&peer.wrong),
		   "an offer that comes late works");
	peer_close(&peer);
}

/* Both ends send for ever; the module is unloaded meanwhile. */
static struct peer endless;
static struct task_struct *endless_sender;
static atomic_t endless_received;

static VOID endless_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			    UINT32 len, UINT32 flags)
{
	atomic_inc(&endless_received);
	kmcl.VmbChannelPacketComplete(packet, NULL, 0);
}

static int endless_thread(void *data)
{
	u32 i = 0;

	while (!kthread_should_stop()) {
		if (atomic_read(&endless.sent) - atomic_read(&endless.completed) < 100)
			peer_send_echo(&endless, 64, i++, 0);
		else
			usleep_range(100, 200);
	}
	return 0;
}

static bool endless_is_busy(void *arg)
{
	return atomic_read(&endless_received) > 100 && atomic_read(&endless.sent) > 100;
}

void job_endless_begin(void)
{
	if (!peer_create(&endless, "endless", JOB_ENDLESS))
		return;
	endless.process = endless_process;
	if (!peer_enable(&endless))
		return;
	endless_sender = kthread_run(endless_thread, NULL, "kmcl_endless");
	peer_check(&endless, !IS_ERR(endless_sender) &&
		   guest_eventually(endless_is_busy, NULL), "traffic has begun");
}

void job_endless_end(void)
{
	if (!endless.channel)
		return;
	/* In the midst of it. */
	kmcl.VmbChannelDisable(endless.channel);
	if (!IS_ERR_OR_NULL(endless_sender))
		kthread_stop(endless_sender);
	kmcl.VmbChannelCleanup(endless.channel);
	peer_check(&endless, atomic_read(&endless.completed) == atomic_read(&endless.sent),
		   "every packet is complete when the module goes");
}
