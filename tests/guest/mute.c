// SPDX-License-Identifier: GPL-2.0
/*
 * A host that takes requests and never answers: to an open, a GPADL, its teardown, a
 * close. What waits for it costs no other device anything: the other jobs run
 * meanwhile. The log names what a close waits for, which takes 30 s and is looked for
 * by scripts/guest.d/verify. The withdrawal of an offer ends all waits for it.
 */
#include <linux/kthread.h>
#include <linux/slab.h>

#include "guest.h"

/* When the log names what is waited for, and some more: guests are slow. */
#define NAMED_AFTER	(36 * HZ)

/* What waits, beside the close. */
enum mute_call { MUTE_NOTHING, MUTE_ENABLE, MUTE_CREATE, MUTE_DELETE };

static struct mute {
	const char *name;
	u32 job;
	enum mute_call call;
	struct peer peer;
	u8 *page;
	UINT32 gpadl;
	NTSTATUS status;		/* of MUTE_CREATE */
	struct completion call_over;
	struct completion close_over;
} mutes[] = {
	{ "mute to open", JOB_MUTE_OPEN, MUTE_ENABLE },
	{ "mute to GPADL", JOB_MUTE_GPADL, MUTE_CREATE },
	{ "mute to teardown", JOB_MUTE_TEARDOWN, MUTE_DELETE },
	{ "mute to close", JOB_MUTE_CLOSE, MUTE_NOTHING },
};

static unsigned long mute_since;
static bool mute_begun;

static NTSTATUS mute_create(struct mute *mute)
{
	return kmcl.VmbChannelCreateGpadlFromBuffer(mute->peer.channel, 0, mute->page,
						    PAGE_SIZE, &mute->gpadl);
}

static int mute_caller(void *data)
{
	struct mute *mute = data;

	if (mute->call == MUTE_CREATE)
		mute->status = mute_create(mute);
	else if (mute->call == MUTE_DELETE)
		kmcl.VmbChannelDeleteGpadl(mute->peer.channel, mute->gpadl);
	complete(&mute->call_over);
	return 0;
}

static int mute_closer(void *data)
{
	struct mute *mute = data;

	kmcl.VmbChannelDisable(mute->peer.channel);
	complete(&mute->close_over);
	return 0;
}

static bool mute_open(struct mute *mute)
{
	init_completion(&mute->call_over);
	init_completion(&mute->close_over);
	mute->page = (u8 *)__get_free_page(GFP_KERNEL);
	if (!mute->page || !peer_create(&mute->peer, mute->name, mute->job))
		return false;
	if (mute->call == MUTE_ENABLE)
		return NT_SUCCESS(kmcl.VmbChannelEnable(mute->peer.channel));
	return peer_enable(&mute->peer) &&
	       (mute->call != MUTE_DELETE || mute_create(mute) == STATUS_SUCCESS);
}

void job_mute_begin(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(mutes); i++) {
		if (!peer_check(&mutes[i].peer, mute_open(&mutes[i]), "its part is played")) {
			guest_stay_loaded();
			return;
		}
	}
	for (i = 0; i < ARRAY_SIZE(mutes); i++)
		kthread_run(mute_caller, &mutes[i], "guest_caller");
	msleep(300);
	for (i = 0; i < ARRAY_SIZE(mutes); i++)
		kthread_run(mute_closer, &mutes[i], "guest_closer");
	mute_since = jiffies;
	mute_begun = true;
}

/* What the others' jobs may not have done: an open, a rescind, an open, a close. */
static void mute_others_go_on(void)
{
	struct peer other;
	bool good = false;

	if (peer_create(&other, "beside mute devices", JOB_PROMPT)) {
		good = prompt_rescind(&other);
		peer_close(&other);
	}
	if (good && peer_open(&other, "beside mute devices", JOB_ECHO)) {
		peer_send_echo(&other, 100, 1, WAIT);
		good = peer_all_completed(&other) && !atomic_read(&other.wrong);
		peer_close(&other);
	}
	guest_check(good, "mute", "another device opens, sends, goes and closes meanwhile");
}

static bool mute_waits(struct mute *mute)
{
	bool calls = mute->call == MUTE_CREATE || mute->call == MUTE_DELETE;

	return !completion_done(&mute->close_over) &&
	       (!calls || !completion_done(&mute->call_over));
}

static bool mute_ends(struct mute *mute)
{
	return wait_for_completion_timeout(&mute->close_over, PATIENCE) &&
	       wait_for_completion_timeout(&mute->call_over, PATIENCE) &&
	       (mute->call != MUTE_CREATE ||
		mute->status == (NTSTATUS)STATUS_DEVICE_REMOVED);
}

/* On failure threads are left that use the channels and the pages: so all stay. */
void job_mute_end(void)
{
	unsigned long named = mute_since + NAMED_AFTER;
	bool good = true;
	u32 i;

	if (!mute_begun)
		return;
	mute_others_go_on();
	while (time_before(jiffies, named))
		msleep(100);
	for (i = 0; i < ARRAY_SIZE(mutes); i++)
		peer_check(&mutes[i].peer, mute_waits(&mutes[i]), "the client waits");
	/* The host withdraws these offers when it hears of this. */
	pr_info("guest: mute offers may go\n");
	for (i = 0; i < ARRAY_SIZE(mutes); i++)
		good &= peer_check(&mutes[i].peer, mute_ends(&mutes[i]), "a rescind ends that");
	if (!good) {
		guest_stay_loaded();
		return;
	}
	for (i = 0; i < ARRAY_SIZE(mutes); i++) {
		peer_close(&mutes[i].peer);
		free_page((unsigned long)mutes[i].page);
	}
}
