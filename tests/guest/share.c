// SPDX-License-Identifier: GPL-2.0
/*
 * The host sends as fast as it can, to a client that takes its time with each packet:
 * what softirqs take of a processor is measured, by the kernel's own tracepoints, and has
 * to stay below what was set.
 */
#include <linux/interrupt.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/tracepoint.h>

#include "guest.h"

/* Of each packet. Sixteen of them are read at a time. */
#define COST_NS		(20 * NSEC_PER_USEC)
#define MEASURED_MS	3000

/*
 * For what is not counted against the share, or too late: hv_vmbus' part of each signal,
 * the sender's part, the last batch.
 */
#define SLACK_PERCENT	5

/* A storm, if it takes that much where there is no limit. */
#define STORM_PERCENT	50

/* In tasklets, where a channel's signals are dealt with. */
struct share_softirq {
	u64 began;
	u64 used;
};

static DEFINE_PER_CPU(struct share_softirq, share_softirqs);
static struct tracepoint *share_entry, *share_exit;

static atomic64_t share_packets;	/* in softirq context */
static atomic64_t share_in_thread;
static u64 share_next;
static u64 share_out_of_order;

static void share_softirq_entry(void *unused, unsigned int vec)
{
	if (vec == TASKLET_SOFTIRQ)
		this_cpu_write(share_softirqs.began, local_clock());
}

static void share_softirq_exit(void *unused, unsigned int vec)
{
	struct share_softirq *softirq = this_cpu_ptr(&share_softirqs);

	if (vec != TASKLET_SOFTIRQ || !softirq->began)
		return;
	WRITE_ONCE(softirq->used, softirq->used + local_clock() - softirq->began);
	softirq->began = 0;
}

static void share_find(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "softirq_entry"))
		share_entry = tp;
	else if (!strcmp(tp->name, "softirq_exit"))
		share_exit = tp;
}

static bool share_watch(void)
{
	for_each_kernel_tracepoint(share_find, NULL);
	if (!share_entry || !share_exit ||
	    tracepoint_probe_register(share_entry, share_softirq_entry, NULL))
		return false;
	if (!tracepoint_probe_register(share_exit, share_softirq_exit, NULL))
		return true;
	tracepoint_probe_unregister(share_entry, share_softirq_entry, NULL);
	tracepoint_synchronize_unregister();
	return false;
}

static void share_unwatch(void)
{
	tracepoint_probe_unregister(share_exit, share_softirq_exit, NULL);
	tracepoint_probe_unregister(share_entry, share_softirq_entry, NULL);
	tracepoint_synchronize_unregister();
}

/* On all processors. */
static u64 share_softirq_ns(void)
{
	u64 ns = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		ns += READ_ONCE(per_cpu(share_softirqs, cpu).used);
	return ns;
}

static VOID share_process(VMBCHANNEL channel, VMBPACKETCOMPLETION packet, PVOID buffer,
			  UINT32 len, UINT32 flags)
{
	u64 end = local_clock() + COST_NS, number;

	memcpy(&number, buffer, sizeof(number));
	if (number != share_next++)
		share_out_of_order++;
	atomic64_inc(in_serving_softirq() ? &share_packets : &share_in_thread);
	while (local_clock() < end)
		cpu_relax();
	kmcl.VmbChannelPacketComplete(packet, NULL, 0);
}

/*
 * In hundredths of a per cent of a processor. A batch that lasts while an emulated processor
 * waits for the machine's has used up the share of seconds to come: they are waited for.
 */
static u64 share_measure(void)
{
	u64 softirq, began;
	u32 rounds = 10;

	/* The guest has what it needs, the ring is full. */
	msleep(200);
	atomic64_set(&share_packets, 0);
	atomic64_set(&share_in_thread, 0);
	softirq = share_softirq_ns();
	began = ktime_get_ns();
	do
		msleep(MEASURED_MS);
	while (!atomic64_read(&share_packets) && --rounds);
	softirq = share_softirq_ns() - softirq;
	return div64_u64(softirq * 10000, ktime_get_ns() - began);
}

static void share_check(struct peer *peer, u32 limit, u64 measured)
{
	u64 packets = atomic64_read(&share_packets), thread = atomic64_read(&share_in_thread);

	pr_info("guest: account share limit=%u softirq=%llu.%02llu%% packets=%llu in_thread=%llu\n",
		limit, measured / 100, measured % 100, packets, thread);
	if (limit == 100) {
		peer_check(peer, measured >= STORM_PERCENT * 100, "without a limit it is a storm");
		peer_check(peer, packets && !thread, "all of it in softirq context");
	} else {
		peer_check(peer, measured <= (limit + SLACK_PERCENT) * 100,
			   "softirqs take less than was set");
		peer_check(peer, packets && thread, "the rest is delivered in a thread");
	}
	peer_check(peer, !share_out_of_order, "in order");
}

static void share_storm(u32 limit)
{
	struct peer peer;

	if (!peer_create(&peer, "share", JOB_SHARE))
		return;
	share_next = 0;
	share_out_of_order = 0;
	peer.process = share_process;
	kmcl.VmbChannelSetAllowableDpcCpuUsage(peer.channel, limit);
	if (peer_enable(&peer))
		share_check(&peer, limit, share_measure());
	peer_close(&peer);
}

void job_share(void)
{
	static const u32 limits[] = { 100, 30, 10 };
	u32 i;

	if (!share_watch()) {
		guest_check(false, "share", "softirqs can be watched");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(limits); i++)
		share_storm(limits[i]);
	share_unwatch();
}
