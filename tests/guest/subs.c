// SPDX-License-Identifier: GPL-2.0
/*
 * Sub-channels: on each processor one, one that is withdrawn by itself, and what becomes
 * of them when their primary closes or is withdrawn.
 */
#include <linux/cpumask.h>
#include <linux/smp.h>

#include "guest.h"

#define SUBS		3
#define FAMILY		(1 + SUBS)
#define SUB_PACKETS	2000

static const char * const family_names[FAMILY] = { "subs", "sub 1", "sub 2", "sub 3" };

/* A primary and its sub-channels, and what each has received. */
static struct family {
	struct peer peer[FAMILY];
	u32 created;
	u32 received[FAMILY];
	u32 misplaced[FAMILY];	/* of these, on another processor */
	u32 processor[FAMILY];
} family;

static VOID family_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			   UINT32 len, UINT32 flags)
{
	struct peer *peer = kmcl.VmbChannelGetPointer(channel);
	u32 n = peer - family.peer;

	if (raw_smp_processor_id() != family.processor[n])
		family.misplaced[n]++;
	WRITE_ONCE(family.received[n], family.received[n] + 1);
	kmcl.VmbChannelPacketComplete(packet, NULL, 0);
}

/* Disables, then cleans up: sub-channels first. */
static void family_close(void)
{
	u32 i;

	for (i = 0; i < family.created; i++)
		family.peer[i].again = false;
	kmcl.VmbChannelDisable(family.peer[0].channel);
	while (family.created)
		peer_close(&family.peer[--family.created]);
}

static bool peer_set_processor(struct peer *peer, u32 processor)
{
	VMBCHANNEL c = peer->channel;

	return NT_SUCCESS(kmcl.VmbClientChannelInitSetTargetProcessorIndex(c, processor)) ||
	       peer_check(peer, false, "it is given a processor");
}

static bool peer_is_disabled(struct peer *peer)
{
	return NT_SUCCESS(kmcl.VmbChannelInitSetMaximumPacketSize(peer->channel, 64));
}

/* Primary and @subs sub-channels, disabled; each is to have a processor of its own. */
static bool family_create(u32 job, u32 subs)
{
	u32 i;

	memset(&family, 0, sizeof(family));
	for (i = 0; i <= subs; i++) {
		struct peer *peer = &family.peer[i];

		if (!(i ? peer_create_sub(peer, family_names[i], &family.peer[0], i) :
			  peer_create(peer, family_names[i], job)))
			goto close;
		family.created++;
		peer->process = family_process;
		/* The boot processor is the last one's: hv_vmbus' own choice is that. */
		family.processor[i] = subs ? (i + 1) % FAMILY % nr_cpu_ids : 0;
		if (!peer_set_processor(peer, family.processor[i]))
			goto close;
	}
	return true;

close:
	while (family.created)
		peer_close(&family.peer[--family.created]);
	return false;
}

static bool family_open(u32 job, u32 subs)
{
	bool open;
	u32 i;

	if (!family_create(job, subs))
		return false;
	open = peer_check(&family.peer[0], kmcl.VmbChannelEnable(family.peer[1].channel) ==
			  (NTSTATUS)STATUS_INVALID_DEVICE_STATE,
			  "a sub-channel needs an open primary");
	for (i = 0; open && i <= subs; i++)
		open = peer_enable(&family.peer[i]);
	if (!open)
		family_close();
	return open;
}

static bool family_has_all(void *arg)
{
	u32 i;

	for (i = 0; i < FAMILY; i++)
		if (READ_ONCE(family.received[i]) < SUB_PACKETS)
			return false;
	return true;
}

static u32 family_sum(const u32 *counts)
{
	u32 i, sum = 0;

	for (i = 0; i < FAMILY; i++)
		sum += counts[i];
	return sum;
}

/* Packets and memory on four channels at once, on four processors if there are. */
static void subs_on_processors(void)
{
	struct peer *primary = &family.peer[0], fourth;
	UINT32 gpadl = 0;
	u8 *page;

	if (!family_open(JOB_SUBS, SUBS))
		return;
	peer_check(primary, guest_eventually(family_has_all, NULL),
		   "every packet arrives, on four channels");
	peer_check(primary, !family_sum(family.misplaced), "each on its channel's processor");
	pr_info("guest: account subs received=%u processors=%u\n", family_sum(family.received),
		min_t(u32, FAMILY, nr_cpu_ids));

	page = (u8 *)__get_free_page(GFP_KERNEL);
	peer_check(primary, page &&
		   NT_SUCCESS(kmcl.VmbChannelCreateGpadlFromBuffer(family.peer[2].channel, 0, page,
								   4096, &gpadl)),
		   "a sub-channel has GPADLs");
	kmcl.VmbChannelDeleteGpadl(family.peer[2].channel, gpadl);
	free_page((unsigned long)page);

	/* One that no host offers is waited for until the primary closes. */
	if (peer_create_sub(&fourth, "sub 4", primary, FAMILY)) {
		peer_check(primary, NT_SUCCESS(kmcl.VmbChannelEnable(fourth.channel)) &&
			   !wait_for_completion_timeout(&fourth.up, HZ / 2),
			   "an index that is not offered is waited for");
		kmcl.VmbChannelDisable(primary->channel);
		peer_check(primary, !fourth.opened && peer_is_disabled(&fourth),
			   "until the primary closes");
		kmcl.VmbChannelCleanup(fourth.channel);
	}
	family_close();
}

static bool family_runs(void *arg)
{
	u32 i;

	for (i = 0; i < FAMILY; i++)
		if (READ_ONCE(family.received[i]) < 100)
			return false;
	return true;
}

/* How many sub-channels were closed when the primary was, counted by its callback. */
static u32 closed_before;

static void count_closed(struct peer *peer)
{
	u32 i;

	closed_before = 0;
	for (i = 1; i < FAMILY; i++)
		closed_before += family.peer[i].closed;
}

static void subs_in_traffic(void)
{
	struct peer *primary = &family.peer[0];
	u32 i;

	if (!family_open(JOB_SUBS_BUSY, SUBS))
		return;
	peer_check(primary, guest_eventually(family_runs, NULL), "four channels are busy");
	/* One by itself; the others go on, and it comes again. */
	kmcl.VmbChannelDisable(family.peer[2].channel);
	memset(family.received, 0, sizeof(family.received));
	reinit_completion(&family.peer[2].up);
	if (peer_enable(&family.peer[2]))
		peer_check(primary, guest_eventually(family_runs, NULL),
			   "one closes and opens while the others go on");

	primary->after_close = count_closed;
	kmcl.VmbChannelDisable(primary->channel);
	peer_check(primary, closed_before == SUBS + 1, "they close before their primary");
	for (i = 1; i < FAMILY; i++)
		peer_check(&family.peer[i], peer_is_disabled(&family.peer[i]),
			   "the sub-channel is disabled");
	/* The primary's next opening has sub-channels of its own. */
	memset(family.received, 0, sizeof(family.received));
	for (i = 0; i < FAMILY; i++) {
		reinit_completion(&family.peer[i].up);
		peer_enable(&family.peer[i]);
	}
	peer_check(primary, guest_eventually(family_runs, NULL), "they come with it again");
	family_close();
}

/* The host withdraws the first sub-channel at its 20th packet, and offers it again. */
static void sub_is_withdrawn(void)
{
	struct peer *primary = &family.peer[0], *first = &family.peer[1], *other = &family.peer[2];
	u32 i;

	if (!family_open(JOB_SUBS_RESCIND, 2))
		return;
	first->again = true;
	reinit_completion(&first->up);
	for (i = 0; i < 20; i++)
		peer_send_echo(first, 64, i, WAIT);
	peer_check(first, wait_for_completion_timeout(&first->down, PATIENCE) &&
		   peer_all_completed(first), "a sub-channel is withdrawn by itself");
	peer_check(first, wait_for_completion_timeout(&first->up, PATIENCE) && first->opened == 2,
		   "and opens again when it is offered again");
	for (i = 0; i < 10; i++) {
		peer_send_echo(primary, 64, i, WAIT);
		peer_send_echo(first, 64, i, WAIT);
		peer_send_echo(other, 64, i, WAIT);
	}
	peer_check(primary, peer_all_completed(primary) && peer_all_completed(first) &&
		   peer_all_completed(other) && !atomic_read(&primary->wrong) &&
		   !atomic_read(&first->wrong) && !atomic_read(&other->wrong) &&
		   !atomic_read(&primary->removed) && !atomic_read(&other->removed),
		   "primary and sub-channels go on");
	family_close();
}

/* The host withdraws it instead of answering to its opening. */
static void sub_is_withdrawn_while_it_opens(void)
{
	struct peer *primary = &family.peer[0], *first = &family.peer[1];

	if (!family_create(JOB_SUBS_OPENING, 1))
		return;
	if (peer_enable(primary)) {
		peer_check(first, NT_SUCCESS(kmcl.VmbChannelEnable(first->channel)) &&
			   wait_for_completion_timeout(&first->failed, PATIENCE) && !first->opened,
			   "it is withdrawn while it opens: a failure");
		/* That one was the last: the next is honest. */
		peer_check(first, peer_enable(first), "and opens when it is offered again");
	}
	family_close();
}

static struct completion slow_sleeps, slow_may_go;

static void slow_suspend(struct peer *peer)
{
	complete(&slow_sleeps);
	wait_for_completion_timeout(&slow_may_go, 2 * PATIENCE);
}

/* All of the offer is withdrawn, and a sub-channel's client does not let go. */
static void subs_of_a_primary_that_is_withdrawn(void)
{
	struct peer *primary = &family.peer[0], prompt;
	bool good;

	init_completion(&slow_sleeps);
	init_completion(&slow_may_go);
	if (!family_open(JOB_SUBS_SLOW, 2))
		return;
	family.peer[1].suspend = slow_suspend;
	peer_send_echo(primary, 8, 1, 0);
	good = wait_for_completion_timeout(&slow_sleeps, PATIENCE);
	if (good && peer_create(&prompt, "prompt", JOB_PROMPT)) {
		good = prompt_rescind(&prompt);
		if (!good)
			complete_all(&slow_may_go);
		peer_close(&prompt);
	}
	peer_check(primary, good && !primary->closed && !family.peer[1].closed,
		   "other devices go while a sub-channel's client does not let go");
	complete_all(&slow_may_go);
	peer_check(primary, wait_for_completion_timeout(&primary->down, PATIENCE) &&
		   family.peer[1].closed && family.peer[2].closed,
		   "all close when it does");
	family_close();
}

void job_subs(void)
{
	subs_on_processors();
	subs_in_traffic();
	sub_is_withdrawn();
	sub_is_withdrawn_while_it_opens();
	subs_of_a_primary_that_is_withdrawn();
}
