// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic on a channel while the guest hibernates: scripts/hibernate does that as long
 * as the module is loaded. The client does nothing for it: it is told that the channel
 * closes, and that it opens again, and its packets are complete each time. Its sub-channel
 * closes with it, and it enables that anew.
 */
#include <linux/kthread.h>

#include "guest.h"

static struct peer awake, awake_sub;
static struct task_struct *awake_sender;
static atomic_t awake_since_opened;

static VOID awake_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			  UINT32 len, UINT32 flags)
{
	kmcl.VmbChannelPacketComplete(packet, NULL, 0);
	/* The script waits for this line each time. */
	if (atomic_inc_return(&awake_since_opened) == 100)
		pr_info("guest: traffic after opening %u\n", awake.opened);
}

static void awake_suspend(struct peer *peer)
{
	pr_info("guest: suspended %u\n", peer->opened);
}

static void awake_after_close(struct peer *peer)
{
	atomic_set(&awake_since_opened, 0);
	pr_info("guest: closed %u\n", peer->closed);
}

static int awake_thread(void *unused)
{
	u32 i = 0;

	while (!kthread_should_stop()) {
		/* It has started. */
		if (try_wait_for_completion(&awake.up))
			peer_check(&awake_sub,
				   NT_SUCCESS(kmcl.VmbChannelEnable(awake_sub.channel)),
				   "it is enabled anew");
		if (atomic_read(&awake.sent) - atomic_read(&awake.completed) < 50)
			peer_send_echo(&awake, 64, i++, 0);
		usleep_range(500, 1000);
	}
	return 0;
}

void job_hibernate_begin(void)
{
	if (!peer_create(&awake, "awake", JOB_HIBERNATE))
		return;
	awake.process = awake_process;
	awake.suspend = awake_suspend;
	awake.after_close = awake_after_close;
	if (!peer_enable(&awake))
		return;
	if (!peer_create_sub(&awake_sub, "awake sub", &awake, 1) || !peer_enable(&awake_sub))
		return;
	awake_sender = kthread_run(awake_thread, NULL, "guest_awake");
}

void job_hibernate_end(void)
{
	if (!awake.channel)
		return;
	if (!IS_ERR_OR_NULL(awake_sender))
		kthread_stop(awake_sender);
	if (awake_sub.channel)
		peer_close(&awake_sub);
	peer_check(&awake_sub, awake_sub.opened > 1 && awake_sub.closed == awake_sub.opened,
		   "it closes with its primary, and opens again");
	pr_info("guest: account awake opened=%u closed=%u\n", awake.opened, awake.closed);
	peer_close(&awake);
	peer_check(&awake, atomic_read(&awake.completed) == atomic_read(&awake.sent) &&
		   !atomic_read(&awake.wrong), "every packet is complete");
	peer_check(&awake, awake.opened > 1 && awake.closed == awake.opened,
		   "it opens again by itself");
}
