// SPDX-License-Identifier: GPL-2.0
/*
 * Against a real VMBus host: QEMU's, with its Dynamic Memory device. That opens
 * once in a guest's life, so the cases build on each other, in order.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/hyperv.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "client.h"

static const GUID dynmem_type = {
	0x525074dc, 0x8985, 0x46e2, { 0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02 }
};

/* The protocol's first request and the answer, in units of 32 bits. */
static const u32 version_request[] = { 16 << 16 | 1, 4711, 2 << 16, 0 };

static VMBCHANNEL channel;
static int opened, started, post_started, suspended, closed;
static bool slept_badly;
static NTSTATUS pnp_status;
static struct completion answered;
static u32 answer[4], answer_len;
static bool answer_in_process;
static struct client_done sent;

static void note(int *counter)
{
	slept_badly |= !preemptible();
	WRITE_ONCE(*counter, *counter + 1);
}

static NTSTATUS on_opened(VMBCHANNEL c)
{
	note(&opened);
	return STATUS_SUCCESS;
}

static VOID on_started(VMBCHANNEL c)
{
	note(&started);
}

static VOID on_post_started(VMBCHANNEL c)
{
	note(&post_started);
}

static VOID on_suspend(VMBCHANNEL c)
{
	note(&suspended);
}

static VOID on_closed(VMBCHANNEL c)
{
	note(&closed);
}

static VOID on_pnp_failure(VMBCHANNEL c, NTSTATUS status)
{
	WRITE_ONCE(pnp_status, status);
}

static VOID on_packet(VMBCHANNEL c, VMBPACKETCOMPLETION packet, PVOID buffer,
		      UINT32 len, UINT32 flags)
{
	answer_len = len;
	memcpy(answer, buffer, min_t(u32, len, sizeof(answer)));
	answer_in_process = preemptible();
	VmbChannelPacketComplete(packet, NULL, 0);
	complete(&answered);
}

static VOID on_sent(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 len)
{
	sent.status = status;
	atomic_inc(&sent.calls);
}

static void make_channel(struct kunit *test, const GUID *type)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;

	ASSERT_STATUS(test, VmbChannelAllocate(NULL, FALSE, &channel), STATUS_SUCCESS);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = on_opened;
	callbacks.EvtChannelStarted = on_started;
	callbacks.EvtChannelPostStarted = on_post_started;
	callbacks.EvtChannelSuspend = on_suspend;
	callbacks.EvtChannelClosed = on_closed;
	EXPECT_STATUS(test, VmbChannelInitSetStateChangeCallbacks(channel, &callbacks),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelInitSetProcessPacketCallbacks(channel, on_packet, NULL),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbClientChannelInitSetTargetPnp(channel, type, NULL,
							     on_pnp_failure),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbClientChannelInitSetRingBufferPageCount(channel, 4, 4),
		      STATUS_SUCCESS);
	VmbChannelSetIncomingProcessingAtPassive(channel, TRUE);
}

static void a_channel_waits_for_a_class_that_is_not_offered(struct kunit *test)
{
	GUID nobody = dynmem_type;

	nobody.Data1++;
	make_channel(test, &nobody);
	EXPECT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	msleep(100);
	KUNIT_EXPECT_EQ(test, opened, 0);
	VmbChannelDisable(channel);
	VmbChannelCleanup(channel);
}

static int probes;

static int in_the_way_probe(struct hv_device *dev, const struct hv_vmbus_device_id *id)
{
	probes++;
	return 0;
}

static kmcl_hv_remove_t in_the_way_remove(struct hv_device *dev)
{
	return KMCL_HV_REMOVED;
}

static const struct hv_vmbus_device_id in_the_way_ids[] = { { HV_DM_GUID }, {} };

static struct hv_driver in_the_way = {
	.name = "kmcl_in_the_way",
	.id_table = in_the_way_ids,
	.probe = in_the_way_probe,
	.remove = in_the_way_remove,
};

static void a_device_held_by_another_driver_is_reported(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&in_the_way), 0);
	KUNIT_ASSERT_EQ(test, probes, 1);
	make_channel(test, &dynmem_type);
	EXPECT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	EVENTUALLY(test, READ_ONCE(pnp_status) == (NTSTATUS)STATUS_SHARING_VIOLATION);
	KUNIT_EXPECT_EQ(test, opened, 0);
	VmbChannelDisable(channel);
	vmbus_driver_unregister(&in_the_way);
	VmbChannelCleanup(channel);
}

static void the_channel_opens_and_starts(struct kunit *test)
{
	make_channel(test, &dynmem_type);
	EXPECT_STATUS(test, VmbChannelEnable(channel), STATUS_SUCCESS);
	VmbChannelStart(channel);
	EVENTUALLY(test, READ_ONCE(post_started) == 1);
	KUNIT_EXPECT_EQ(test, opened, 1);
	KUNIT_EXPECT_EQ(test, started, 1);
	KUNIT_EXPECT_FALSE(test, slept_badly);
}

static void the_target_is_the_device_of_the_offer(struct kunit *test)
{
	PDEVICE_OBJECT target = NULL;

	VmbChannelGetTargetDeviceObject(channel, &target);
	KUNIT_ASSERT_NOT_NULL(test, target);
	KUNIT_ASSERT_NOT_NULL(test, target->bus);
	KUNIT_EXPECT_STREQ(test, target->bus->name, "vmbus");
	KUNIT_EXPECT_MEMEQ(test, &device_to_hv_device(target)->dev_type, &dynmem_type,
			   sizeof(dynmem_type));
}

static void the_host_answers_a_packet_of_the_callers_own(struct kunit *test)
{
	u32 size = VmbChannelSizeofPacket(channel);
	VMBPACKET packet = kunit_kzalloc(test, size, GFP_KERNEL);

	init_completion(&answered);
	ASSERT_STATUS(test, VmbPacketInitialize(channel, packet, size), STATUS_SUCCESS);
	VmbPacketSetCompletionRoutine(packet, on_sent);
	EXPECT_STATUS(test, VmbPacketSend(packet, (void *)version_request,
					  sizeof(version_request), NULL, 0),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&sent.calls), 1);
	EXPECT_STATUS(test, sent.status, STATUS_SUCCESS);

	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&answered, 5 * HZ), 0);
	KUNIT_EXPECT_EQ(test, answer[0], 16 << 16 | 2);	/* version response */
	KUNIT_EXPECT_EQ(test, answer[1], 4711);		/* to our request */
	KUNIT_EXPECT_EQ(test, answer[2] & 1, 1);	/* accepted */
	KUNIT_EXPECT_EQ(test, answer_len, 16);
	KUNIT_EXPECT_TRUE(test, answer_in_process);
}

static void the_host_takes_gpadls_and_forgets_them(struct kunit *test)
{
	u8 *pages = (u8 *)__get_free_pages(GFP_KERNEL, 2);
	u8 *scattered = vmalloc(64 * 4096);
	UINT32 handles[4] = {};
	PFN_NUMBER pfns[2];
	PMDL mdls[2];

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_NOT_NULL(test, scattered);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages, 4096,
							    &handles[0]), STATUS_SUCCESS);
	/* More pages than one message to the host can hold. */
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, scattered, 64 * 4096,
							    &handles[1]), STATUS_SUCCESS);
	mdls[0] = IoAllocateMdl(pages + 4096, 4096, FALSE, FALSE, NULL);
	mdls[1] = IoAllocateMdl(pages + 3 * 4096, 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdls[0]);
	KUNIT_ASSERT_NOT_NULL(test, mdls[1]);
	MmBuildMdlForNonPagedPool(mdls[0]);
	MmBuildMdlForNonPagedPool(mdls[1]);
	mdls[0]->Next = mdls[1];
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 0, mdls[0], 0, 0,
							 &handles[2]), STATUS_SUCCESS);
	IoFreeMdl(mdls[0]);
	IoFreeMdl(mdls[1]);
	KUNIT_EXPECT_NE(test, handles[0], handles[1]);
	KUNIT_EXPECT_NE(test, handles[1], handles[2]);
	pfns[0] = frame_at(scattered + 4096);
	pfns[1] = frame_at(scattered);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(channel, 0, pfns, 2, &handles[3]),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, handles[2], handles[3]);

	VmbChannelDeleteGpadl(channel, handles[1]);
	VmbChannelDeleteGpadl(channel, handles[0]);
	VmbChannelDeleteGpadl(channel, handles[3]);
	VmbChannelDeleteGpadl(channel, handles[2]);
	vfree(scattered);
	free_pages((unsigned long)pages, 2);
}

static void what_is_no_whole_page_is_no_gpadl(struct kunit *test)
{
	u8 *pages = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_NOFAIL, 1);
	UINT32 handle;

	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages + 8, 4096,
							    &handle), STATUS_NOT_SUPPORTED);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages, 4095,
							    &handle), STATUS_NOT_SUPPORTED);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages, 8193,
							    &handle), STATUS_NOT_SUPPORTED);
	free_pages((unsigned long)pages, 1);
}

static void a_gpadl_has_8190_pages_at_most(struct kunit *test)
{
	u8 *pages = vmalloc(8191 * 4096);
	UINT32 handle;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages, 8191 * 4096,
							    &handle), STATUS_NOT_SUPPORTED);
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages, 8190 * 4096,
							    &handle), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(channel, handle);
	vfree(pages);
}

static void gpadls_without_memory_are_a_status(struct kunit *test)
{
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL | __GFP_NOFAIL);
	PMDL mdl = IoAllocateMdl(page, 4096, FALSE, FALSE, NULL);
	u32 nth = 0, failures = 0;
	NTSTATUS status;
	UINT32 handle;
	bool hit;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	do {
		current->fail_nth = ++nth;
		status = VmbChannelCreateGpadlFromMdl(channel, 0, mdl, 0, 0, &handle);
		hit = !current->fail_nth;
		current->fail_nth = 0;
		if (status == STATUS_SUCCESS)
			VmbChannelDeleteGpadl(channel, handle);
		else
			failures++;
		if (status)
			EXPECT_STATUS(test, status, STATUS_INSUFFICIENT_RESOURCES);
	} while (hit);
	/* Two objects, the array of pages, the mapping, the message. */
	KUNIT_EXPECT_GE(test, failures, 5);
	IoFreeMdl(mdl);
	free_page((unsigned long)page);
}

static void a_request_for_no_completion_returns_when_it_is_sent(struct kunit *test)
{
	/* The device does not know this type, which it says in its own log only. */
	static const u32 nonsense[] = { 16 << 16 | 99, 1, 0, 0 };
	LARGE_INTEGER now = {};

	EXPECT_STATUS(test, VmbChannelSendSynchronousRequest(channel, (PVOID)nonsense,
							     sizeof(nonsense), NULL, 0, NULL,
							     NULL, &now), STATUS_SUCCESS);
}

static void the_offer_has_no_mmio_space(struct kunit *test)
{
	UINT64 address = 1, size = 1;

	VmbChannelGetMmioSpace(channel, &address, &size);
	KUNIT_EXPECT_EQ(test, address, 0);
	KUNIT_EXPECT_EQ(test, size, 0);
}

static void the_channel_closes_and_gives_the_device_back(struct kunit *test)
{
	PDEVICE_OBJECT target = (PDEVICE_OBJECT)test;

	VmbChannelDisable(channel);
	KUNIT_EXPECT_EQ(test, suspended, 1);
	KUNIT_EXPECT_EQ(test, closed, 1);
	VmbChannelGetTargetDeviceObject(channel, &target);
	KUNIT_EXPECT_NULL(test, target);
	KUNIT_EXPECT_FALSE(test, slept_badly);
	VmbChannelCleanup(channel);

	/* The device is free for another driver. */
	KUNIT_EXPECT_EQ(test, vmbus_driver_register(&in_the_way), 0);
	KUNIT_EXPECT_EQ(test, probes, 2);
	vmbus_driver_unregister(&in_the_way);
}

static struct kunit_case vmbus_cases[] = {
	KUNIT_CASE(a_channel_waits_for_a_class_that_is_not_offered),
	KUNIT_CASE(a_device_held_by_another_driver_is_reported),
	KUNIT_CASE(the_channel_opens_and_starts),
	KUNIT_CASE(the_target_is_the_device_of_the_offer),
	KUNIT_CASE(the_host_answers_a_packet_of_the_callers_own),
	KUNIT_CASE(the_host_takes_gpadls_and_forgets_them),
	KUNIT_CASE(what_is_no_whole_page_is_no_gpadl),
	KUNIT_CASE(a_gpadl_has_8190_pages_at_most),
	KUNIT_CASE(gpadls_without_memory_are_a_status),
	KUNIT_CASE(a_request_for_no_completion_returns_when_it_is_sent),
	KUNIT_CASE(the_offer_has_no_mmio_space),
	KUNIT_CASE(the_channel_closes_and_gives_the_device_back),
	{}
};

static struct kunit_suite vmbus_suite = {
	.name = "kmcl_vmbus",
	.test_cases = vmbus_cases,
};

kunit_test_suite(vmbus_suite);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library: tests on a real VMBus");
MODULE_LICENSE("GPL");
