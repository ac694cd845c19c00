// SPDX-License-Identifier: GPL-2.0
/*
 * Two offers are withdrawn, and their clients do not let go: one does not return from
 * EvtChannelSuspend, the other keeps a packet. Offers of other devices that are withdrawn
 * meanwhile do not wait for them.
 */
#include "guest.h"

#define RESCINDS	5

static struct peer sleeper, holder;
static struct completion sleeper_sleeps, holder_holds, let_go;
static VMBPACKETCOMPLETION held;

static void sleeper_suspend(struct peer *peer)
{
	complete(&sleeper_sleeps);
	wait_for_completion_timeout(&let_go, 2 * PATIENCE);
}

static VOID holder_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			   UINT32 len, UINT32 flags)
{
	held = packet;
	complete(&holder_holds);
}

/* The host withdraws the prompt offer at its first packet, and makes it again. */
bool prompt_rescind(struct peer *prompt)
{
	reinit_completion(&prompt->up);
	reinit_completion(&prompt->down);
	return NT_SUCCESS(kmcl.VmbChannelEnable(prompt->channel)) &&
	       wait_for_completion_timeout(&prompt->up, PATIENCE) &&
	       peer_send_echo(prompt, 8, 1, 0) == STATUS_SUCCESS &&
	       wait_for_completion_timeout(&prompt->down, PATIENCE);
}

/* How long the shortest of some takes, in ms; -1 if one is not through. */
static s64 prompt_rescinds(void)
{
	s64 shortest = -1, ms;
	struct peer prompt;
	ktime_t begin;
	u32 i;

	if (!peer_create(&prompt, "prompt", JOB_PROMPT))
		return -1;
	for (i = 0; i < RESCINDS; i++) {
		begin = ktime_get();
		if (!prompt_rescind(&prompt)) {
			shortest = -1;
			break;
		}
		ms = ktime_ms_delta(ktime_get(), begin);
		if (shortest < 0 || ms < shortest)
			shortest = ms;
	}
	/* What does not come through does when the others let go. */
	if (shortest < 0)
		complete_all(&let_go);
	peer_close(&prompt);
	return shortest;
}

/* Both are withdrawn, and their clients do not let go. */
static bool both_hang(void)
{
	if (!wait_for_completion_timeout(&holder_holds, PATIENCE))
		return false;
	peer_send_echo(&sleeper, 8, 1, 0);
	peer_send_echo(&holder, 8, 1, 0);
	return wait_for_completion_timeout(&sleeper_sleeps, PATIENCE);
}

static void slow_clients_checked(void)
{
	s64 ms;

	if (!peer_check(&sleeper, both_hang(), "a client sleeps, another keeps a packet"))
		return;
	ms = prompt_rescinds();
	pr_info("guest: account prompt ms=%lld\n", ms);
	peer_check(&sleeper, ms >= 0 && ms < 1000 && !completion_done(&sleeper.down) &&
		   !completion_done(&holder.down), "other devices go within a second");
}

void job_slow_clients(void)
{
	init_completion(&sleeper_sleeps);
	init_completion(&holder_holds);
	init_completion(&let_go);
	if (!peer_create(&sleeper, "slow clients", JOB_SLOW_SUSPEND))
		return;
	sleeper.suspend = sleeper_suspend;
	if (!peer_create(&holder, "packet holder", JOB_SLOW_HOLDER))
		goto cleanup;
	holder.process = holder_process;

	if (peer_enable(&sleeper) && peer_enable(&holder))
		slow_clients_checked();
	complete_all(&let_go);
	if (completion_done(&holder_holds) || held)
		kmcl.VmbChannelPacketComplete(held, NULL, 0);
	peer_check(&sleeper, wait_for_completion_timeout(&sleeper.down, PATIENCE) &&
		   wait_for_completion_timeout(&holder.down, PATIENCE),
		   "both close when their clients let go");
	peer_close(&holder);
cleanup:
	peer_close(&sleeper);
}
