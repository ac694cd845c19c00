// SPDX-License-Identifier: GPL-2.0
/* Incoming packets as objects: what each takes, and when it is given back. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "pair.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* Other processors must not undo in a work item what was not undone at once. */
static atomic_t busy, stop;

static void keep_busy(void *unused)
{
	int us;

	atomic_inc(&busy);
	for (us = 0; us < 100000 && !atomic_read(&stop); us++)
		udelay(1);
	atomic_dec(&busy);
}

static void stop_others(void)
{
	u32 others;

	atomic_set(&stop, 0);
	preempt_disable();
	others = num_online_cpus() - 1;
	smp_call_function(keep_busy, NULL, 0);
	preempt_enable();
	while (atomic_read(&busy) < others)
		cpu_relax();
}

static void let_others_go(void)
{
	atomic_set(&stop, 1);
	while (atomic_read(&busy))
		cpu_relax();
}

/* Fails a packet whose memory it has mapped, and notes whether the mapping is left. */
static bool map_and_fail(struct client *end, VMBPACKETCOMPLETION handle, void *buffer, u32 len)
{
	void *there = NULL;
	PMDL mdl;

	if (!VmbChannelPacketGetExternalData(handle, 0, &mdl))
		there = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_EXPECT_TRUE(end->test, there && is_vmalloc_addr(there));
	sched_set_fifo(current);
	stop_others();
	VmbChannelPacketFail(handle);
	*(bool *)end->private = there && vmalloc_to_page(there);
	let_others_go();
	sched_set_normal(current, 0);
	return true;
}

/* Under a lock it could not be undone at once: that sleeps. */
static void a_failed_packets_mapping_is_undone_where_that_may_sleep(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	struct client_done *done = client_packet(pair->client);
	u8 *bytes = kunit_kzalloc(test, 2 * PAGE_SIZE, GFP_KERNEL);
	PFN_NUMBER pfn = page_to_pfn(virt_to_page(bytes));
	PFN_NUMBER pfns[] = { pfn, pfn + 1, pfn };
	bool mapped = true;

	VmbChannelSetIncomingProcessingAtPassive(pair->server->channel, TRUE);
	pair->server->on_packet = map_and_fail;
	pair->server->private = &mapped;
	pair_up(pair);
	EXPECT_STATUS(test, VmbPacketSendWithExternalPfns(done->packet, NULL, 0, pfns,
							  ARRAY_SIZE(pfns), WAIT),
		      STATUS_SUCCESS);
	EVENTUALLY(test, client_packets(pair->server) == 1);
	KUNIT_EXPECT_FALSE(test, mapped);
	VmbChannelDisable(pair->server->channel);
}

static void spare_packets_are_limited_in_bytes(struct kunit *test)
{
	struct client *client = client_create(test, NULL);
	VMBPACKET packets[40];
	u32 i, bytes;

	ASSERT_STATUS(test, VmbChannelInitSetMaximumPacketSize(client->channel, SZ_64K),
		      STATUS_SUCCESS);
	bytes = VmbChannelSizeofPacket(client->channel);
	for (i = 0; i < ARRAY_SIZE(packets); i++) {
		packets[i] = VmbPacketAllocate(client->channel);
		KUNIT_ASSERT_NOT_NULL(test, packets[i]);
	}
	for (i = 0; i < ARRAY_SIZE(packets); i++)
		VmbPacketFree(packets[i]);
	KUNIT_EXPECT_EQ(test, client_chan(client)->spares, SZ_1M / bytes);
}

static struct kunit_case incoming_cases[] = {
	KUNIT_CASE(a_failed_packets_mapping_is_undone_where_that_may_sleep),
	KUNIT_CASE(spare_packets_are_limited_in_bytes),
	{}
};

static struct kunit_suite incoming_suite = {
	.name = "kmcl_incoming",
	.test_cases = incoming_cases,
};

kunit_test_suite(incoming_suite);
