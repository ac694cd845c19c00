// SPDX-License-Identifier: GPL-2.0
/* GPADLs whose memory the library allocates. */
#include <linux/vmalloc.h>

#include "log.h"
#include "pair.h"

#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY

static struct client *made_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	(*host)->offered = true;
	client_enable(client);
	return client;
}

static void the_library_allocates_memory_and_says_where_it_is(struct kunit *test)
{
	struct host *host;
	struct client *client = made_client(test, &host);
	struct kmcl_gpadl *gpadl;
	PVOID address = NULL;
	UINT32 handle;
	u32 i;

	ASSERT_STATUS(test, VmbChannelCreateGpadl(client->channel, READ_ONLY,
						  5 * PAGE_FRAMES, &handle),
		      STATUS_SUCCESS);
	gpadl = host_gpadl(host, handle);
	KUNIT_ASSERT_NOT_NULL(test, gpadl);
	KUNIT_EXPECT_EQ(test, gpadl->offset, 0);
	KUNIT_EXPECT_EQ(test, gpadl->len, 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, gpadl->n_pages, 5);
	KUNIT_EXPECT_TRUE(test, gpadl->read_only);

	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(client->channel, 0, handle,
							       &address), STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, address);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(address));
	KUNIT_EXPECT_NULL(test, memchr_inv(address, 0, 5 * PAGE_SIZE));
	for (i = 0; i < 5; i++)
		KUNIT_EXPECT_PTR_EQ(test, gpadl->pages[i],
				    vmalloc_to_page(address + i * PAGE_SIZE));
	memset(address, 0x5a, 5 * PAGE_SIZE);

	VmbChannelDeleteGpadl(client->channel, handle);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
	address = client;
	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(client->channel, 0, handle,
							       &address),
		      STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_PTR_EQ(test, address, (PVOID)client);
}

static void their_parameters_are_checked(struct kunit *test)
{
	struct host *host;
	struct client *client = made_client(test, &host);
	VMBCHANNEL c = client->channel;
	void *own = vmalloc(4096);
	UINT32 handle = 0, mine;
	PVOID address;

	EXPECT_STATUS(test, VmbChannelCreateGpadl(NULL, 0, PAGE_FRAMES, &handle),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelCreateGpadl(c, 2, PAGE_FRAMES, &handle),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelCreateGpadl(c, 0, 0, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadl(c, 0, 1 << 20, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadl(c, 0, U32_MAX, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadl(c, 0, PAGE_FRAMES, NULL),
		      STATUS_INVALID_PARAMETER_4);
	/* More than a message can describe. */
	EXPECT_STATUS(test, VmbChannelCreateGpadl(c, 0, ALIGN(KMCL_HV_GPADL_PAGES + 1, PAGE_FRAMES),
						  &handle),
		      STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, handle, 0);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);

	ASSERT_STATUS(test, VmbChannelCreateGpadl(c, 0, PAGE_FRAMES, &handle), STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(NULL, 0, handle, &address),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(c, 2, handle, &address),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(c, 0, handle + 1, &address),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(c, 0, handle, NULL),
		      STATUS_INVALID_PARAMETER_4);

	/* One of the client's own it knows the address of. */
	KUNIT_ASSERT_NOT_NULL(test, own);
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromBuffer(c, 0, own, 4096, &mine),
		      STATUS_SUCCESS);
	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(c, 0, mine, &address),
		      STATUS_INVALID_PARAMETER_3);
	VmbChannelDeleteGpadl(c, mine);
	VmbChannelDeleteGpadl(c, handle);
	vfree(own);

	VmbChannelDisable(c);
	EXPECT_STATUS(test, VmbChannelCreateGpadl(c, 0, PAGE_FRAMES, &handle),
		      STATUS_INVALID_DEVICE_STATE);
	EXPECT_STATUS(test, VmbChannelGetSystemAddressForGpadl(c, 0, handle, &address),
		      STATUS_INVALID_PARAMETER_3);
}

/* kmemleak looks whether the memory is there still. */
static void a_host_that_refuses_leaves_nothing(struct kunit *test)
{
	struct host *host;
	struct client *client = made_client(test, &host);
	UINT32 handle = 77;

	host->gpadl_error = -EDQUOT;
	EXPECT_STATUS(test, VmbChannelCreateGpadl(client->channel, 0, PAGE_FRAMES, &handle),
		      STATUS_UNSUCCESSFUL);
	host->gpadl_error = -ENODEV;
	EXPECT_STATUS(test, VmbChannelCreateGpadl(client->channel, 0, PAGE_FRAMES, &handle),
		      STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, handle, 77);
}

static void what_a_client_leaves_behind_is_freed_with_the_channel(struct kunit *test)
{
	struct host *host;
	struct client *client = made_client(test, &host);
	UINT32 handle;

	ASSERT_STATUS(test, VmbChannelCreateGpadl(client->channel, 0, 3 * PAGE_FRAMES,
						  &handle),
		      STATUS_SUCCESS);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
}

/* Freed, it would be another's, and the host could write to it. */
static void memory_that_the_host_was_not_told_to_leave_is_kept(struct kunit *test)
{
	struct host *host;
	struct client *client = made_client(test, &host);
	struct kmsg_dump_iter mark = log_mark();
	struct page *page;
	PVOID address;
	UINT32 handle;

	ASSERT_STATUS(test, VmbChannelCreateGpadl(client->channel, 0, PAGE_FRAMES, &handle),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelGetSystemAddressForGpadl(client->channel, 0, handle,
							       &address), STATUS_SUCCESS);
	page = vmalloc_to_page(address);
	host->gpadl_delete_error = -EIO;
	VmbChannelDeleteGpadl(client->channel, handle);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "1 pages are pinned for good"), 1);
	/* Mapped and allocated as before, with one reference more. */
	KUNIT_EXPECT_PTR_EQ(test, vmalloc_to_page(address), page);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	put_page(page);
	vfree(address);
}

/* The one that is told of it holds on to it until it is told that it is over. */
static void on_loopback_the_server_maps_it(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	PVOID address, there;
	UINT32 handle;
	PMDL mdl;

	pair_up(pair);
	ASSERT_STATUS(test, VmbChannelCreateGpadl(pair->client->channel, 0, 3 * PAGE_FRAMES,
						  &handle),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelGetSystemAddressForGpadl(pair->client->channel, 0, handle,
							       &address), STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelMapGpadl(pair->server->channel, 0, handle, &mdl),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 3 * PAGE_SIZE);
	there = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, there);
	pair_fill(address, 5, 3 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, pair_filled(there, 5, 3 * PAGE_SIZE));
	pair_fill(there, 6, 3 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, pair_filled(address, 6, 3 * PAGE_SIZE));
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	VmbChannelDeleteGpadl(pair->client->channel, handle);
}

/* A server has no memory to share. */
static void a_server_makes_none(struct kunit *test)
{
	struct pair *pair = pair_create(test);
	UINT32 handle;

	pair_up(pair);
	EXPECT_STATUS(test, VmbChannelCreateGpadl(pair->server->channel, 0, PAGE_FRAMES, &handle),
		      STATUS_NOT_SUPPORTED);
}

static struct kunit_case made_cases[] = {
	KUNIT_CASE(the_library_allocates_memory_and_says_where_it_is),
	KUNIT_CASE(their_parameters_are_checked),
	KUNIT_CASE(a_host_that_refuses_leaves_nothing),
	KUNIT_CASE(what_a_client_leaves_behind_is_freed_with_the_channel),
	KUNIT_CASE(memory_that_the_host_was_not_told_to_leave_is_kept),
	KUNIT_CASE(on_loopback_the_server_maps_it),
	KUNIT_CASE(a_server_makes_none),
	{}
};

static struct kunit_suite made_suite = {
	.name = "kmcl_made",
	.test_cases = made_cases,
};

kunit_test_suite(made_suite);
