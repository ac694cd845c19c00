// SPDX-License-Identifier: GPL-2.0
/* GPADLs of pages by their frame numbers: to the host made by hand, and on loopback. */
#include <linux/slab.h>

#include "log.h"
#include "pair.h"

#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY

#define PAGES	5
#define FRAMES	(PAGES * PAGE_FRAMES)

/* Pages that are no piece of memory. */
struct frames {
	struct page *pages[PAGES];
	PFN_NUMBER pfns[FRAMES];
};

static void frames_free(void *data)
{
	struct frames *frames = data;
	u32 i;

	for (i = 0; i < PAGES; i++)
		__free_page(frames->pages[i]);
	kfree(frames);
}

static struct frames *frames_create(struct kunit *test)
{
	struct frames *frames = kzalloc(sizeof(*frames), GFP_KERNEL | __GFP_NOFAIL);
	u32 i;

	for (i = 0; i < PAGES; i++)
		frames->pages[i] = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	/* Neighbours, if they are, do not come in a row. */
	swap(frames->pages[0], frames->pages[PAGES - 1]);
	swap(frames->pages[1], frames->pages[2]);
	for (i = 0; i < PAGES; i++)
		pair_fill(page_address(frames->pages[i]), i, PAGE_SIZE);
	for (i = 0; i < FRAMES; i++)
		frames->pfns[i] = frame_of(frames->pages[i / PAGE_FRAMES],
					   i % PAGE_FRAMES * 4096);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, frames_free, frames), 0);
	return frames;
}

static struct client *frames_client(struct kunit *test, struct host **host)
{
	struct client *client;

	*host = host_create(test);
	client = client_create(test, *host);
	(*host)->offered = true;
	client_enable(client);
	return client;
}

static void pages_by_number_are_known_to_the_host_until_deleted(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	PFN_NUMBER *list = kunit_kmalloc(test, sizeof(frames->pfns), GFP_KERNEL);
	struct host *host;
	struct client *client = frames_client(test, &host);
	struct kmcl_gpadl *gpadl;
	UINT32 handle = 0, i;

	KUNIT_ASSERT_NOT_NULL(test, list);
	memcpy(list, frames->pfns, sizeof(frames->pfns));
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, READ_ONLY, list,
							     FRAMES, &handle), STATUS_SUCCESS);
	/* The array is the caller's again. */
	memset(list, 0, sizeof(frames->pfns));
	gpadl = host_gpadl(host, handle);
	KUNIT_ASSERT_NOT_NULL(test, gpadl);
	KUNIT_EXPECT_EQ(test, gpadl->offset, 0);
	KUNIT_EXPECT_EQ(test, gpadl->len, PAGES * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, gpadl->n_pages, PAGES);
	KUNIT_EXPECT_TRUE(test, gpadl->read_only);
	/* Whoever wants them in one piece has to map them. */
	KUNIT_EXPECT_NULL(test, gpadl->address);
	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_PTR_EQ(test, gpadl->pages[i], frames->pages[i]);
	VmbChannelDeleteGpadl(client->channel, handle);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
}

static void a_server_maps_the_clients_pages_in_their_order(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	struct pair *pair = pair_create(test);
	UINT32 handle = 0, i;
	u8 *there;
	PMDL mdl;

	pair_up(pair);
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromPfnList(pair->client->channel, 0,
							     frames->pfns, FRAMES, &handle),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelMapGpadl(pair->server->channel, 0, handle, &mdl),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), PAGES * PAGE_SIZE);
	there = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, there);
	for (i = 0; i < PAGES; i++) {
		KUNIT_EXPECT_TRUE(test, pair_filled(there + i * PAGE_SIZE, i, PAGE_SIZE));
		there[i * PAGE_SIZE + 9] = i + 100;
		KUNIT_EXPECT_EQ(test, ((u8 *)page_address(frames->pages[i]))[9], i + 100);
	}
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	VmbChannelDeleteGpadl(pair->client->channel, handle);
}

/* The same page twice is two pages of the GPADL. */
static void a_page_may_be_there_twice(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	const u32 bytes = sizeof(*frames->pfns) * PAGE_FRAMES;
	PFN_NUMBER *list = kunit_kmalloc(test, 3 * bytes, GFP_KERNEL);
	struct pair *pair = pair_create(test);
	UINT32 handle = 0;
	u8 *there;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, list);
	memcpy(list, &frames->pfns[PAGE_FRAMES], 2 * bytes);
	memcpy(list + 2 * PAGE_FRAMES, list, bytes);
	pair_up(pair);
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromPfnList(pair->client->channel, READ_ONLY,
							     list, 3 * PAGE_FRAMES, &handle),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, VmbChannelMapGpadl(pair->server->channel, READ_ONLY, handle, &mdl),
		      STATUS_SUCCESS);
	there = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, there);
	KUNIT_EXPECT_TRUE(test, pair_filled(there, 1, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, pair_filled(there + PAGE_SIZE, 2, PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, pair_filled(there + 2 * PAGE_SIZE, 1, PAGE_SIZE));
	VmbChannelUnmapGpadl(pair->server->channel, handle);
	VmbChannelDeleteGpadl(pair->client->channel, handle);
}

static void numbers_are_checked(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	PFN_NUMBER none = 1ULL << 40, list[2] = { frames->pfns[0], none };
	struct host *host;
	struct client *client = frames_client(test, &host);
	VMBCHANNEL c = client->channel;
	PFN_NUMBER *pfns = frames->pfns;
	UINT32 handle = 4711;

	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(NULL, 0, pfns, FRAMES, &handle),
		      STATUS_INVALID_PARAMETER_1);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 2, pfns, FRAMES, &handle),
		      STATUS_INVALID_PARAMETER_2);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, NULL, FRAMES, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, &none, 1, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, list, 2, &handle),
		      STATUS_INVALID_PARAMETER_3);
	none = ~0ULL;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, &none, 1, &handle),
		      STATUS_INVALID_PARAMETER_3);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, pfns, 0, &handle),
		      STATUS_INVALID_PARAMETER_4);
	/* 4 GiB: these are not even looked at. */
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, pfns, 1 << 20, &handle),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, pfns, U32_MAX, &handle),
		      STATUS_INVALID_PARAMETER_4);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, pfns, FRAMES, NULL),
		      STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, handle, 4711);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);
	VmbChannelDisable(c);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(c, 0, pfns, FRAMES, &handle),
		      STATUS_INVALID_DEVICE_STATE);
}

/* Memory is mapped, and described to a real host, by the kernel's pages. */
static void frames_follow_each_other_within_a_page_of_the_kernels(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	struct host *host;
	struct client *client = frames_client(test, &host);
	const struct kmcl_gpadl *gpadl;
	PFN_NUMBER *pfns = frames->pfns;
	UINT32 handle, i;

	/* From the last frame of a page to the first of another. */
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0,
							     &pfns[PAGE_FRAMES - 1],
							     PAGE_FRAMES + 2, &handle),
		      STATUS_SUCCESS);
	gpadl = host_gpadl(host, handle);
	KUNIT_ASSERT_NOT_NULL(test, gpadl);
	KUNIT_ASSERT_EQ(test, host_gpadl_frames(host, gpadl), PAGE_FRAMES + 2);
	for (i = 0; i < PAGE_FRAMES + 2; i++)
		KUNIT_EXPECT_EQ(test, host_gpadl_frame(gpadl, i), pfns[PAGE_FRAMES - 1 + i]);
	VmbChannelDeleteGpadl(client->channel, handle);

	/* Not in order, or not to the end of the page: well where each is a page. */
	swap(pfns[1], pfns[2]);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, pfns, 3,
							     &handle),
		      PAGE_FRAMES == 1 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3);
	pfns[1] = pfns[PAGE_FRAMES];
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, pfns, 2,
							     &handle),
		      PAGE_FRAMES == 1 ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3);
}

/* The message to the host counts to 8190. */
static void more_frames_than_the_host_can_be_told_of_are_refused(struct kunit *test)
{
	PFN_NUMBER *list = kunit_kzalloc(test, 8191 * sizeof(*list), GFP_KERNEL);
	struct frames *frames = frames_create(test);
	struct host *host;
	struct client *client = frames_client(test, &host);
	struct kmsg_dump_iter mark;
	UINT32 handle, i;

	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < 8191; i++)
		list[i] = frames->pfns[i % FRAMES];
	mark = log_mark();
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, list, 8191,
							     &handle), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, log_lines(&mark, "can describe 8190 at most"), 1);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);
	ASSERT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, list, 8190,
							     &handle), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(client->channel, handle);
}

static void a_server_makes_none(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	struct pair *pair = pair_create(test);
	UINT32 handle;

	pair_up(pair);
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(pair->server->channel, 0,
							     frames->pfns, 1, &handle),
		      STATUS_NOT_SUPPORTED);
}

static void a_refusal_of_frames_is_a_status(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	struct host *host;
	struct client *client = frames_client(test, &host);
	UINT32 handle;

	host->gpadl_error = -EDQUOT;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, frames->pfns, 1,
							     &handle), STATUS_UNSUCCESSFUL);
	host->gpadl_error = -EOPNOTSUPP;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, frames->pfns, 1,
							     &handle), STATUS_NOT_SUPPORTED);
	host->gpadl_error = -ENODEV;
	EXPECT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, frames->pfns, 1,
							     &handle), STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, host->gpadls_created, 0);
}

static void frames_that_are_left_are_forgotten_when_the_channel_closes(struct kunit *test)
{
	struct frames *frames = frames_create(test);
	struct host *host;
	struct client *client = frames_client(test, &host);
	UINT32 handle;

	ASSERT_STATUS(test, VmbChannelCreateGpadlFromPfnList(client->channel, 0, frames->pfns,
							     FRAMES, &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 1);
	VmbChannelDisable(client->channel);
	KUNIT_EXPECT_EQ(test, host_gpadls(host), 0);
}

static struct kunit_case frames_cases[] = {
	KUNIT_CASE(pages_by_number_are_known_to_the_host_until_deleted),
	KUNIT_CASE(a_server_maps_the_clients_pages_in_their_order),
	KUNIT_CASE(a_page_may_be_there_twice),
	KUNIT_CASE(numbers_are_checked),
	KUNIT_CASE(frames_follow_each_other_within_a_page_of_the_kernels),
	KUNIT_CASE(more_frames_than_the_host_can_be_told_of_are_refused),
	KUNIT_CASE(a_server_makes_none),
	KUNIT_CASE(a_refusal_of_frames_is_a_status),
	KUNIT_CASE(frames_that_are_left_are_forgotten_when_the_channel_closes),
	{}
};

static struct kunit_suite frames_suite = {
	.name = "kmcl_frames",
	.test_cases = frames_cases,
};

kunit_test_suite(frames_suite);
