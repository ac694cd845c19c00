// SPDX-License-Identifier: GPL-2.0
/*
 * A host that takes requests and never answers: a GPADL, then the close. What waits
 * for it costs no other device anything, and ends when the offer is withdrawn.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "guest.h"

static struct mute {
	struct peer peer;
	u8 *page;
	NTSTATUS created;
	struct completion creator_over;
	struct completion closer_over;
	struct completion other_over;
	bool other_good;
} mute;

static int mute_creator(void *unused)
{
	UINT32 gpadl;

	mute.created = kmcl.VmbChannelCreateGpadlFromBuffer(mute.peer.channel, 0, mute.page,
							    PAGE_SIZE, &gpadl);
	complete(&mute.creator_over);
	return 0;
}

static int mute_closer(void *unused)
{
	kmcl.VmbChannelDisable(mute.peer.channel);
	complete(&mute.closer_over);
	return 0;
}

/* Opens a channel, sends over it, and closes it. */
static int mute_other(void *unused)
{
	struct peer other;

	if (peer_open(&other, "beside a mute one", JOB_ECHO)) {
		peer_send_echo(&other, 100, 1, WAIT);
		mute.other_good = peer_all_completed(&other) && !atomic_read(&other.wrong);
		peer_close(&other);
	}
	complete(&mute.other_over);
	return 0;
}

/* On failure threads are left that use the channel and the page: so both stay. */
static bool mute_waits(void)
{
	kthread_run(mute_creator, NULL, "guest_creator");
	msleep(200);
	kthread_run(mute_closer, NULL, "guest_closer");
	msleep(200);
	if (!peer_check(&mute.peer, !completion_done(&mute.creator_over) &&
			!completion_done(&mute.closer_over), "a GPADL and the close wait"))
		return false;

	kthread_run(mute_other, NULL, "guest_other");
	/* The host withdraws the mute offer when it hears of this. */
	if (!peer_check(&mute.peer, wait_for_completion_timeout(&mute.other_over, 2 * PATIENCE) &&
			mute.other_good, "another device opens, sends and closes meanwhile"))
		return false;
	return peer_check(&mute.peer,
			  wait_for_completion_timeout(&mute.creator_over, PATIENCE) &&
			  wait_for_completion_timeout(&mute.closer_over, PATIENCE) &&
			  mute.created == (NTSTATUS)STATUS_DEVICE_REMOVED,
			  "a rescind ends both");
}

void job_mute(void)
{
	init_completion(&mute.creator_over);
	init_completion(&mute.closer_over);
	init_completion(&mute.other_over);
	mute.page = (u8 *)__get_free_page(GFP_KERNEL);
	if (!mute.page || !peer_open(&mute.peer, "mute", JOB_MUTE))
		goto free;
	if (!mute_waits())
		return;
	peer_close(&mute.peer);
free:
	free_page((unsigned long)mute.page);
}
