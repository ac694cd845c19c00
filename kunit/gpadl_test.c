// SPDX-License-Identifier: GPL-2.0
/*
 * GPADLs. The host made by hand notes what it is told; that a real one is told the
 * same is for the suites that run on one.
 */
#include <linux/kthread.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "client.h"
#include "log.h"

#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY

static struct client *gpadl_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	(*host)->offered = true;
	client_enable(client);
	return client;
}

static void free_pages_action(void *pages)
{
	free_pages((unsigned long)pages, 3);
}

/* Eight pages in one piece. */
static u8 *eight_pages(struct kunit *test)
{
	u8 *pages = (u8 *)__get_free_pages(GFP_KERNEL, 3);

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_pages_action, pages), 0);
	return pages;
}

static void a_buffer_is_known_to_the_host_until_it_is_deleted(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	struct kmcl_gpadl *gpadl;
	UINT32 handle = 0;

	ASSERT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages,
							    8192, &handle),
		      STATUS_SUCCESS);
	gpadl = host_gpadl(host, handle);
	KUNIT_ASSERT_NOT_NULL(test, gpadl);
	KUNIT_EXPECT_EQ(test, gpadl->offset, 0);
	KUNIT_EXPECT_EQ(test, gpadl->len, 8192);
	KUNIT_EXPECT_EQ(test, host_gpadl_frames(host, gpadl), 2);
	KUNIT_EXPECT_EQ(test, host_gpadl_frame(gpadl, 0), frame_at(pages));
	KUNIT_EXPECT_EQ(test, host_gpadl_frame(gpadl, 1), frame_at(pages + 4096));
	KUNIT_EXPECT_FALSE(test, gpadl->read_only);

	VmbChannelDeleteGpadl(client->channel, handle);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
}

static void any_kernel_memory_will_do(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *scattered = vmalloc(3 * PAGE_SIZE);
	u8 *frames = scattered + PAGE_SIZE - 4096;
	struct kmcl_gpadl *gpadl;
	UINT32 handle;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, scattered);
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, READ_ONLY,
							    frames + 5, 8187 + 4095,
							    &handle),
		      STATUS_SUCCESS);
	gpadl = host_gpadl(host, handle);
	KUNIT_EXPECT_EQ(test, gpadl->offset, PAGE_SIZE - 4096 + 5);
	KUNIT_EXPECT_EQ(test, gpadl->len, 8187 + 4095);
	KUNIT_ASSERT_EQ(test, host_gpadl_frames(host, gpadl), 3);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, host_gpadl_frame(gpadl, i),
				frame_at(frames + i * 4096));
	KUNIT_EXPECT_TRUE(test, gpadl->read_only);
	VmbChannelDeleteGpadl(client->channel, handle);
	vfree(scattered);
}

static u8 static_memory[2 * 4096] __aligned(4096);

/* hv_vmbus would look for a module's memory in the wrong place: it gets no address. */
static void a_modules_memory_is_described_by_its_pages(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	struct kmcl_gpadl *gpadl;
	UINT32 handle;

	ASSERT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, static_memory,
							    sizeof(static_memory), &handle),
		      STATUS_SUCCESS);
	gpadl = host_gpadl(host, handle);
	KUNIT_EXPECT_EQ(test, host_gpadl_frames(host, gpadl), 2);
	KUNIT_EXPECT_EQ(test, host_gpadl_frame(gpadl, 0), frame_at(static_memory));
	KUNIT_EXPECT_EQ(test, host_gpadl_frame(gpadl, 1), frame_at(static_memory + 4096));
	KUNIT_EXPECT_NULL(test, gpadl->address);
	VmbChannelDeleteGpadl(client->channel, handle);
}

static void creation_checks_its_parameters(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	VMBCHANNEL channel = client->channel;
	u8 *pages = eight_pages(test);
	PMDL mdl = IoAllocateMdl(pages, 4096, FALSE, FALSE, NULL);
	PMDL part = IoAllocateMdl(pages, 4096, FALSE, FALSE, NULL);
	UINT32 handle;

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_ASSERT_NOT_NULL(test, part);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(NULL, 0, pages, 4096, &handle),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 2, pages, 4096, &handle),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, NULL, 4096, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, (PVOID)4096, 4096,
							    &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages, 0, &handle),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(channel, 0, pages, 4096, NULL),
		      STATUS_INVALID_PARAMETER_5);

	/* The MDL is not locked yet, so a part of it is not either. */
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 0, mdl, 0, 0, &handle),
		      STATUS_INVALID_PARAMETER_3);
	IoBuildPartialMdl(mdl, part, pages, 0);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 0, part, 0, 0, &handle),
		      STATUS_INVALID_PARAMETER_3);
	MmBuildMdlForNonPagedPool(mdl);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(NULL, 0, mdl, 0, 0, &handle),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 2, mdl, 0, 0, &handle),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 0, NULL, 0, 0, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 0, mdl, 4096, 0, &handle),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 0, mdl, 1, 4096, &handle),
		      STATUS_INVALID_PARAMETER_5);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(channel, 0, mdl, 0, 0, NULL),
		      STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);
	IoFreeMdl(part);
	IoFreeMdl(mdl);
}

/* Three MDLs: page 1 from byte 512 on, pages 4 and 5, page 7 up to byte 100. */
#define FIRST	(PAGE_SIZE - 512)
#define SECOND	(2 * PAGE_SIZE)

struct chain_part {
	const char *name;
	u32 offset;
	u32 length;
	NTSTATUS status;
	u32 first;		/* byte in the first page */
	u32 bytes;
	s8 pages[5];
};

static const struct chain_part chain_parts[] = {
	{ "all", 0, 0, STATUS_SUCCESS, 512, FIRST + SECOND + 100, { 1, 4, 5, 7, -1 } },
	{ "from an offset on", 100, 0, STATUS_SUCCESS, 612, FIRST - 100 + SECOND + 100,
	  { 1, 4, 5, 7, -1 } },
	{ "a length", 0, 10, STATUS_SUCCESS, 512, 10, { 1, -1 } },
	{ "the middle", FIRST, SECOND, STATUS_SUCCESS, 0, SECOND, { 4, 5, -1 } },
	{ "from the middle on", FIRST + PAGE_SIZE, 0, STATUS_SUCCESS, 0, PAGE_SIZE + 100,
	  { 5, 7, -1 } },
	{ "in the middle", FIRST + PAGE_SIZE + 1, 50, STATUS_SUCCESS, 1, 50, { 5, -1 } },
	{ "the end", FIRST + SECOND + 99, 1, STATUS_SUCCESS, 99, 1, { 7, -1 } },
	{ "beyond the end", FIRST + SECOND + 99, 2, STATUS_INVALID_PARAMETER_5, 0, 0, { -1 } },
	{ "behind the end", FIRST + SECOND + 100, 0, STATUS_INVALID_PARAMETER_4, 0, 0, { -1 } },
};

KUNIT_ARRAY_PARAM_DESC(chain_part, chain_parts, name);

static void a_part_of_a_chain_is_shared(struct kunit *test)
{
	const struct chain_part *part = test->param_value;
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	struct kmcl_gpadl *gpadl;
	UINT32 handle;
	PMDL mdls[3];
	u32 i;

	mdls[0] = IoAllocateMdl(pages + PAGE_SIZE + 512, FIRST, FALSE, FALSE, NULL);
	mdls[1] = IoAllocateMdl(pages + 4 * PAGE_SIZE, SECOND, FALSE, FALSE, NULL);
	mdls[2] = IoAllocateMdl(pages + 7 * PAGE_SIZE, 100, FALSE, FALSE, NULL);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_NOT_NULL(test, mdls[i]);
		MmBuildMdlForNonPagedPool(mdls[i]);
		mdls[i]->Next = i < 2 ? mdls[i + 1] : NULL;
	}
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(client->channel, 0, mdls[0],
							 part->offset, part->length,
							 &handle), part->status);
	for (i = 0; i < 3; i++)
		IoFreeMdl(mdls[i]);
	if (part->status) {
		KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);
		return;
	}

	gpadl = host_gpadl(host, handle);
	KUNIT_ASSERT_NOT_NULL(test, gpadl);
	KUNIT_EXPECT_EQ(test, gpadl->offset, part->first);
	KUNIT_EXPECT_EQ(test, gpadl->len, part->bytes);
	for (i = 0; part->pages[i] >= 0; i++)
		KUNIT_EXPECT_PTR_EQ(test, gpadl->pages[i],
				    virt_to_page(pages + part->pages[i] * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, gpadl->n_pages, i);
	VmbChannelDeleteGpadl(client->channel, handle);
}

static void pieces_that_do_not_join_are_refused_and_not_rounded(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	UINT32 handle;
	PMDL a, b;

	a = IoAllocateMdl(pages, 4095, FALSE, FALSE, NULL);
	b = IoAllocateMdl(pages + 4097, 100, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	MmBuildMdlForNonPagedPool(a);
	MmBuildMdlForNonPagedPool(b);

	/* The first MDL ends within its page, and the second begins within its own. */
	a->Next = b;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(client->channel, 0, a, 0, 0, &handle),
		      STATUS_NOT_SUPPORTED);
	a->ByteCount = 4096;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(client->channel, 0, a, 0, 0, &handle),
		      STATUS_NOT_SUPPORTED);
	/* Without the second MDL there is nothing wrong. */
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(client->channel, 0, a, 0, 4096,
							 &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 1);
	VmbChannelDeleteGpadl(client->channel, handle);
	IoFreeMdl(a);
	IoFreeMdl(b);
}

/* The message to the host counts to 8190. */
static void more_pages_than_the_host_can_be_told_of_are_refused(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = vmalloc(8191 * 4096);
	struct kmsg_dump_iter mark;
	UINT32 handle;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	mdl = IoAllocateMdl(pages, 8191 * 4096, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);

	mark = log_mark();
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages,
							    8191 * 4096, &handle),
		      STATUS_NOT_SUPPORTED);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromMdl(client->channel, 0, mdl, 0, 0,
							 &handle), STATUS_NOT_SUPPORTED);
	/* Fewer bytes, but they touch as many pages. */
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages + 4095,
							    8189 * 4096 + 2, &handle),
		      STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "can describe 8190 at most"), 3);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);

	ASSERT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages,
							    8190 * 4096, &handle),
		      STATUS_SUCCESS);
	VmbChannelDeleteGpadl(client->channel, handle);
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromMdl(client->channel, 0, mdl, 4096, 0,
							 &handle), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(client->channel, handle);
	IoFreeMdl(mdl);
	vfree(pages);
}

static void several_are_told_apart(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	UINT32 handles[8];
	int i;

	for (i = 0; i < 8; i++)
		ASSERT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0,
								    pages + i * 4096, 4096,
								    &handles[i]),
			      STATUS_SUCCESS);
	for (i = 1; i < 8; i += 2)
		VmbChannelDeleteGpadl(client->channel, handles[i]);
	for (i = 0; i < 8; i++) {
		struct kmcl_gpadl *gpadl = host_gpadl(host, handles[i]);

		KUNIT_EXPECT_EQ(test, !gpadl, i % 2);
		if (gpadl)
			KUNIT_EXPECT_EQ(test, host_gpadl_frame(gpadl, 0),
					frame_at(pages + i * 4096));
	}
	for (i = 0; i < 8; i += 2)
		VmbChannelDeleteGpadl(client->channel, handles[i]);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
}

static void without_an_open_channel_there_is_none(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	UINT32 handle;

	VmbChannelDisable(client->channel);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages, 4096,
							    &handle),
		      STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);
}

struct gpadl_refusal {
	const char *name;
	int error;
	NTSTATUS status;
};

static const struct gpadl_refusal gpadl_refusals[] = {
	{ "by the host", -EDQUOT, STATUS_UNSUCCESSFUL },
	{ "memory", -ENOMEM, STATUS_INSUFFICIENT_RESOURCES },
	{ "a rescind", -ENODEV, STATUS_DEVICE_REMOVED },
	{ "not described", -EOPNOTSUPP, STATUS_NOT_SUPPORTED },
};

KUNIT_ARRAY_PARAM_DESC(gpadl_refusal, gpadl_refusals, name);

static void a_refusal_is_a_status(struct kunit *test)
{
	const struct gpadl_refusal *refusal = test->param_value;
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	UINT32 handle = 4711;

	host->gpadl_error = refusal->error;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages, 4096,
							    &handle), refusal->status);
	KUNIT_EXPECT_EQ(test, handle, 4711);
}

static u8 *callback_pages;
static UINT32 callback_handle;

static void create_when_opened_delete_when_closed(struct client *client,
						  enum client_event event)
{
	if (event == CLIENT_OPENED)
		EXPECT_STATUS(client->test,
			      VmbChannelCreateGpadlFromBuffer(client->channel, 0,
							      callback_pages, 4096,
							      &callback_handle),
			      STATUS_SUCCESS);
	if (event == CLIENT_CLOSED)
		VmbChannelDeleteGpadl(client->channel, callback_handle);
}

static void it_may_be_made_in_opened_and_deleted_in_closed(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	callback_pages = eight_pages(test);
	client->on_event = create_when_opened_delete_when_closed;
	host->offered = true;
	client_enable(client);
	KUNIT_EXPECT_NOT_NULL(test, host_gpadl(host, callback_handle));
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 1);
	client->on_event = NULL;
}

static void what_is_left_is_deleted_when_the_channel_closes(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	UINT32 handle;

	VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages, 4096, &handle);
	VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages + 4096, 4096, &handle);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);

	/* The GPADL is gone by now: deleting it once more does nothing. */
	VmbChannelDeleteGpadl(client->channel, handle);
}

static void what_is_left_is_deleted_when_opening_fails(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);

	callback_pages = eight_pages(test);
	client->on_event = create_when_opened_delete_when_closed;
	client->opened_status = STATUS_UNSUCCESSFUL;
	host->offered = true;
	EXPECT_STATUS(test, VmbChannelEnable(client->channel), STATUS_SUCCESS);
	EVENTUALLY(test, client_events(client) == 2);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 1);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
	client->on_event = NULL;
}

static int delete_thread(void *data)
{
	VmbChannelDeleteGpadl(((struct client *)data)->channel, callback_handle);
	complete(((struct client *)data)->test->priv);
	return 0;
}

/* The host has the GPADL mapped; the client meanwhile may do anything else. */
static void a_deletion_waits_for_the_host(struct kunit *test)
{
	struct completion mapped, deleted;
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	u8 *pages = eight_pages(test);
	UINT32 other;

	init_completion(&mapped);
	init_completion(&deleted);
	test->priv = &deleted;
	VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages, 4096, &callback_handle);
	host->gpadl_mapped = &mapped;
	kthread_run(delete_thread, client, "kmcl_delete");
	EVENTUALLY(test, READ_ONCE(host->gpadl_deleting));
	msleep(20);
	KUNIT_EXPECT_FALSE(test, completion_done(&deleted));
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages + 4096,
							    4096, &other),
		      STATUS_SUCCESS);

	complete_all(&mapped);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&deleted, 5 * HZ), 0);
	host->gpadl_mapped = NULL;
	VmbChannelDeleteGpadl(client->channel, other);
}

static int churn_thread(void *data)
{
	struct client *client = data;
	u8 *pages = client->test->priv;
	UINT32 handle;

	while (!kthread_should_stop()) {
		if (!VmbChannelCreateGpadlFromBuffer(client->channel, 0, pages, 4096,
						     &handle))
			VmbChannelDeleteGpadl(client->channel, handle);
		usleep_range(10, 200);
	}
	return 0;
}

static void creation_and_deletion_may_meet_a_rescind(struct kunit *test)
{
	struct host *host = host_create(test);
	struct client *client = client_create(test, host);
	struct task_struct *churners[2];
	int i;

	test->priv = eight_pages(test);
	for (i = 0; i < 2; i++) {
		churners[i] = kthread_run(churn_thread, client, "kmcl_churn");
		KUNIT_ASSERT_FALSE(test, IS_ERR(churners[i]));
	}
	for (i = 0; i < 100; i++) {
		u32 created = READ_ONCE(host->gpadls_created);

		host->offered = true;
		client_enable(client);
		if (i % 3)
			EVENTUALLY(test, READ_ONCE(host->gpadls_created) > created);
		if (i % 2)
			host_rescind(host);
		VmbChannelDisable(client->channel);
		KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
		client->n_events = 0;
		client->events[0] = '\0';
	}
	for (i = 0; i < 2; i++)
		kthread_stop(churners[i]);
	KUNIT_EXPECT_GT(test, host->gpadls_created, 50);
}

/* What the host could not be told of: the page stays, whoever frees it. */
static void what_the_host_may_still_write_to_is_pinned(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	u8 *scattered = vmalloc(2 * PAGE_SIZE);
	u8 *object = kmalloc(4096, GFP_KERNEL);
	struct page *second = scattered ? vmalloc_to_page(scattered + PAGE_SIZE) : NULL;
	struct kmsg_dump_iter mark = log_mark();
	UINT32 handles[3];

	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_ASSERT_NOT_NULL(test, object);
	VmbChannelCreateGpadlFromBuffer(client->channel, 0, page_address(page), 4096,
					&handles[0]);
	VmbChannelCreateGpadlFromBuffer(client->channel, 0, scattered, 2 * PAGE_SIZE,
					&handles[1]);
	VmbChannelCreateGpadlFromBuffer(client->channel, 0, object, 4096, &handles[2]);
	host->gpadl_delete_error = -EIO;
	VmbChannelDeleteGpadl(client->channel, handles[0]);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 2);
	KUNIT_EXPECT_EQ(test, client_count(client, pinned), 1);

	/* Left to the close. */
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, page_ref_count(second), 2);
	KUNIT_EXPECT_EQ(test, client_count(client, pinned), 3);
	KUNIT_EXPECT_EQ(test, client_count(client, unpinned), 1);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "3 pages are pinned for good, 1 cannot be pinned"),
			1);

	/* Its owner frees it, and it is not free. */
	__free_page(page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	put_page(page);
	vfree(scattered);
	kfree(object);
}

static void nothing_is_pinned_that_the_host_has_let_go(struct kunit *test)
{
	struct host *host;
	struct client *client = gpadl_client(test, &host);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	UINT32 handle;

	VmbChannelCreateGpadlFromBuffer(client->channel, 0, page_address(page), 4096, &handle);
	VmbChannelDeleteGpadl(client->channel, handle);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	KUNIT_EXPECT_EQ(test, client_count(client, pinned), 0);
	KUNIT_EXPECT_EQ(test, client_count(client, unpinned), 0);
	__free_page(page);
}

static struct kunit_case gpadl_cases[] = {
	KUNIT_CASE(a_buffer_is_known_to_the_host_until_it_is_deleted),
	KUNIT_CASE(any_kernel_memory_will_do),
	KUNIT_CASE(a_modules_memory_is_described_by_its_pages),
	KUNIT_CASE(creation_checks_its_parameters),
	KUNIT_CASE_PARAM(a_part_of_a_chain_is_shared, chain_part_gen_params),
	KUNIT_CASE(pieces_that_do_not_join_are_refused_and_not_rounded),
	KUNIT_CASE(more_pages_than_the_host_can_be_told_of_are_refused),
	KUNIT_CASE(several_are_told_apart),
	KUNIT_CASE(without_an_open_channel_there_is_none),
	KUNIT_CASE_PARAM(a_refusal_is_a_status, gpadl_refusal_gen_params),
	KUNIT_CASE(it_may_be_made_in_opened_and_deleted_in_closed),
	KUNIT_CASE(what_is_left_is_deleted_when_the_channel_closes),
	KUNIT_CASE(what_is_left_is_deleted_when_opening_fails),
	KUNIT_CASE(a_deletion_waits_for_the_host),
	KUNIT_CASE(creation_and_deletion_may_meet_a_rescind),
	KUNIT_CASE(what_the_host_may_still_write_to_is_pinned),
	KUNIT_CASE(nothing_is_pinned_that_the_host_has_let_go),
	{}
};

static struct kunit_suite gpadl_suite = {
	.name = "kmcl_gpadl",
	.test_cases = gpadl_cases,
};

kunit_test_suite(gpadl_suite);
