// SPDX-License-Identifier: GPL-2.0
/*
 * The host makes and withdraws the offers of two channels as fast as it can, while
 * others wait, of these classes and of one whose device another driver holds. What is
 * in the log between the two marks is counted by scripts/guest.d/verify.
 */
#include <linux/slab.h>

#include "guest.h"

#define OPENINGS	100
#define WAITING		32

/* Of hv_utils. */
static const GUID heartbeat_type = {
	0x57164f39, 0x9115, 0x4e78, { 0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d }
};

static struct peer flooded[2];

static bool flood_is_over(void)
{
	return READ_ONCE(flooded[0].opened) >= OPENINGS &&
	       READ_ONCE(flooded[1].opened) >= OPENINGS;
}

/* One for the held device, the others for instances that are never offered. */
static bool waiting_create(struct peer *peer, u32 number)
{
	GUID instance = { .Data1 = 0xaaaaaaaa, .Data2 = number };
	u32 job = number % 2 ? JOB_FLOOD_A : JOB_FLOOD_B;

	if (!peer_create(peer, "waiting", job))
		return false;
	if (number == 0)
		return NT_SUCCESS(kmcl.VmbClientChannelInitSetTargetPnp(peer->channel,
									&heartbeat_type, NULL,
									NULL));
	return peer_target(peer, job, &instance);
}

static bool waiting_begin(struct peer *waiting)
{
	bool good = true;
	u32 i;

	for (i = 0; i < WAITING && good; i++)
		good = waiting_create(&waiting[i], i) &&
		       NT_SUCCESS(kmcl.VmbChannelEnable(waiting[i].channel));
	guest_check(good, "flood", "channels wait");
	return good;
}

static bool flooded_begin(struct peer *peer, const char *name, u32 job)
{
	GUID instance = { .Data1 = 0xf100d000 + job };

	if (!peer_create(peer, name, job) || !peer_target(peer, job, &instance))
		return false;
	peer->again = true;
	return peer_enable(peer);
}

/* One that went away while it was being opened is a failure, which disables. */
static void flooded_try_again(struct peer *peer)
{
	if (try_wait_for_completion(&peer->failed) &&
	    !NT_SUCCESS(kmcl.VmbChannelEnable(peer->channel)))
		pr_info("a flooded channel is enabled already\n");
}

static void flood_run(void)
{
	unsigned long end = jiffies + 8 * PATIENCE;
	ktime_t begin = ktime_get();

	if (!flooded_begin(&flooded[0], "flood a", JOB_FLOOD_A) ||
	    !flooded_begin(&flooded[1], "flood b", JOB_FLOOD_B))
		return;
	while (!flood_is_over() && time_before(jiffies, end)) {
		flooded_try_again(&flooded[0]);
		flooded_try_again(&flooded[1]);
		msleep(20);
	}
	pr_info("guest: account flood openings=%u ms=%lld\n",
		flooded[0].opened + flooded[1].opened, ktime_ms_delta(ktime_get(), begin));
	guest_check(flood_is_over(), "flood", "offers come and go");
}

void job_flood(void)
{
	struct peer *waiting = kcalloc(WAITING, sizeof(*waiting), GFP_KERNEL);
	u32 i;

	if (!waiting)
		return;
	pr_info("guest: flood begins\n");
	if (waiting_begin(waiting))
		flood_run();
	/* The host goes on: an offer may find its channel disabled. */
	pr_info("guest: flood closes\n");
	for (i = 0; i < ARRAY_SIZE(flooded); i++) {
		if (flooded[i].channel)
			peer_close(&flooded[i]);
	}
	for (i = 0; i < WAITING; i++) {
		if (waiting[i].channel)
			peer_close(&waiting[i]);
	}
	pr_info("guest: flood ends\n");
	kfree(waiting);
}
