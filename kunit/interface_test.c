// SPDX-License-Identifier: GPL-2.0
/* The tables: their layouts, and which query gets which. */
#include <kunit/test.h>
#include <linux/fs.h>
#include <linux/string.h>

/* Both worlds' headers side by side, as a client's glue has them. */
#include <linux/acpi.h>
#include <linux/hyperv.h>

#include <initguid.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "client.h"
#include "files.h"

static void tables_have_the_documented_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sizeof(INTERFACE), 32);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_CLIENT_INTERFACE_V1), 360);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_SERVER_ONLY_METHODS), 112);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_SERVER_INTERFACE_V1), 472);
	KUNIT_EXPECT_EQ(test, sizeof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS), 48);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_CLIENT_INTERFACE_V2), 384);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_CLIENT_INTERFACE_V3), 400);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_CLIENT_INTERFACE_V4), 416);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_CLIENT_INTERFACE_V5), 488);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_SERVER_ONLY_METHODS_V5), 120);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_SERVER_INTERFACE_V5), 608);
	KUNIT_EXPECT_EQ(test, sizeof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5), 56);
}

static void members_are_in_the_documented_order(struct kunit *test)
{
	/* First, seed and last of the client's; first and last of the server's. */
	KUNIT_EXPECT_EQ(test, offsetof(KMCL_CLIENT_INTERFACE_V1, VmbChannelAllocate), 32);
	KUNIT_EXPECT_EQ(test, offsetof(KMCL_CLIENT_INTERFACE_V1, VmbPacketInitialize),
			32 + 8 * 35);
	KUNIT_EXPECT_EQ(test, offsetof(KMCL_CLIENT_INTERFACE_V1, VmbPacketSetPointer),
			32 + 8 * 40);
	KUNIT_EXPECT_EQ(test, offsetof(KMCL_SERVER_INTERFACE_V1, VmbChannelMapGpadl), 360);
	KUNIT_EXPECT_EQ(test, offsetof(KMCL_SERVER_INTERFACE_V1,
				       VmbServerChannelInitSetVmbusHandle), 472 - 8);
}

struct member {
	const char *name;
	size_t offset;
	size_t documented;
};

#define MEMBER(type, name, at)	{ #type "." #name, offsetof(type, name), at }
#define CLIENT_MEMBER(version, name, at) \
	MEMBER(KMCL_CLIENT_INTERFACE_V##version, name, at)

static const struct member members[] = {
	CLIENT_MEMBER(2, VmbPacketSetPointer, 352),
	CLIENT_MEMBER(2, VmbChannelPacketGetClientContext, 360),
	CLIENT_MEMBER(2, VmbChannelGetTargetDeviceObject, 368),
	CLIENT_MEMBER(2, VmbChannelGetParentDeviceObject, 376),
	CLIENT_MEMBER(3, VmbChannelGetParentDeviceObject, 376),
	CLIENT_MEMBER(3, VmbChannelInitSetBounceBufferSizes, 384),
	CLIENT_MEMBER(3, VmbChannelAllocateBounceBuffer, 392),
	CLIENT_MEMBER(4, VmbChannelAllocateBounceBuffer, 392),
	CLIENT_MEMBER(4, VmbChannelInitSetMaximumPacketCount, 400),
	CLIENT_MEMBER(4, VmbChannelCreateGpadlFromPfnList, 408),
	CLIENT_MEMBER(5, Size, 0),
	CLIENT_MEMBER(5, Version, 2),
	CLIENT_MEMBER(5, Context, 8),
	CLIENT_MEMBER(5, InterfaceReference, 16),
	CLIENT_MEMBER(5, InterfaceDereference, 24),
	CLIENT_MEMBER(5, VmbChannelAllocate, 32),
	CLIENT_MEMBER(5, VmbChannelPacketGetClientContext, 360),
	CLIENT_MEMBER(5, VmbChannelCreateGpadlFromPfnList, 408),
	CLIENT_MEMBER(5, VmbChannelInitSetPrimaryChannel, 416),
	CLIENT_MEMBER(5, VmbChannelInitialize, 424),
	CLIENT_MEMBER(5, VmbChannelSetAllowableDpcCpuUsage, 432),
	CLIENT_MEMBER(5, VmbClientChannelInitSetTargetProcessorIndex, 440),
	CLIENT_MEMBER(5, VmbSizeofChannel, 448),
	CLIENT_MEMBER(5, VmbChannelInitSetInlinePacketContextSize, 456),
	CLIENT_MEMBER(5, VmbPacketGetInlinePacketContextPointer, 464),
	CLIENT_MEMBER(5, VmbChannelInitSetProcessPacketCallbacksEx, 472),
	CLIENT_MEMBER(5, VmbPacketSetCompletionRoutineEx, 480),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbChannelAllocate, 32),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbPacketSetCompletionRoutineEx, 480),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbChannelMapGpadl, 488),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbChannelRestoreFromBuffer, 496),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbChannelSaveBegin, 504),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbChannelSaveContinue, 512),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbChannelSaveEnd, 520),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbChannelUnmapGpadl, 528),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbConvertVmbusHandleToKernelHandle, 536),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbPacketRestore, 544),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbServerChannelInitSetFlags, 552),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbServerChannelInitSetMmioMegabytes, 560),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbServerChannelInitSetSaveRestorePacketCallbacks, 568),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbServerChannelInitSetTargetInterfaceId, 576),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbServerChannelInitSetTargetVtl, 584),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbServerChannelInitSetVmbusHandle, 592),
	MEMBER(KMCL_SERVER_INTERFACE_V5, VmbServerChannelInitSetSaveRestorePacketCallbacksEx, 600),
	MEMBER(KMCL_SERVER_ONLY_METHODS_V5, VmbServerChannelInitSetVmbusHandle, 104),
	MEMBER(KMCL_SERVER_ONLY_METHODS_V5, VmbServerChannelInitSetSaveRestorePacketCallbacksEx,
	       112),
	MEMBER(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, Version, 0),
	MEMBER(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, Size, 4),
	MEMBER(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, CallbackContext, 8),
	MEMBER(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelOpened, 16),
	MEMBER(VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5, EvtChannelPostStarted, 48),
};

static void members_of_later_versions_are_where_windows_has_them(struct kunit *test)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(members); i++)
		KUNIT_EXPECT_EQ_MSG(test, members[i].offset, members[i].documented, "%s",
				    members[i].name);
}

static void the_tables_are_named_as_windows_names_them(struct kunit *test)
{
	static const u8 client[] = {
		0x60, 0xb8, 0xec, 0x4a, 0x61, 0xe1, 0xbb, 0x42,
		0xa5, 0xca, 0x77, 0xf3, 0xa9, 0x64, 0x59, 0x05,
	};
	static const u8 server[] = {
		0x74, 0x14, 0xb2, 0x83, 0xb9, 0xc5, 0x65, 0x4f,
		0xb5, 0xe7, 0x72, 0x0c, 0x69, 0x2b, 0xd3, 0x71,
	};

	KUNIT_EXPECT_MEMEQ(test, &KMCL_CLIENT_INTERFACE_TYPE, client, sizeof(client));
	KUNIT_EXPECT_MEMEQ(test, &KMCL_SERVER_INTERFACE_TYPE, server, sizeof(server));
}

static void base_types_have_windows_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sizeof(LONG), 4);
	KUNIT_EXPECT_EQ(test, sizeof(ULONG), 4);
	KUNIT_EXPECT_EQ(test, sizeof(ULONG_PTR), 8);
	KUNIT_EXPECT_EQ(test, sizeof(WCHAR), 2);
	KUNIT_EXPECT_EQ(test, sizeof(BOOLEAN), 1);
	KUNIT_EXPECT_EQ(test, sizeof(NTSTATUS), 4);
	KUNIT_EXPECT_LT(test, (NTSTATUS)STATUS_UNSUCCESSFUL, 0);
	KUNIT_EXPECT_TRUE(test, NT_SUCCESS(STATUS_PENDING));
	KUNIT_EXPECT_FALSE(test, NT_SUCCESS(STATUS_BUFFER_OVERFLOW));
}

static void callbacks_init_sets_version_and_size(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;

	memset(&callbacks, 0xff, sizeof(callbacks));
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	KUNIT_EXPECT_EQ(test, callbacks.Version, 1);
	KUNIT_EXPECT_EQ(test, callbacks.Size, 48);
	KUNIT_EXPECT_NULL(test, callbacks.EvtChannelOpened);
	KUNIT_EXPECT_NULL(test, callbacks.EvtChannelPostStarted);
}

static void callbacks_init_v5_sets_version_and_size(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_V5 callbacks;

	memset(&callbacks, 0xff, sizeof(callbacks));
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT_V5(&callbacks);
	KUNIT_EXPECT_EQ(test, callbacks.Version, 5);
	KUNIT_EXPECT_EQ(test, callbacks.Size, 56);
	KUNIT_EXPECT_NULL(test, callbacks.CallbackContext);
	KUNIT_EXPECT_NULL(test, callbacks.EvtChannelOpened);
	KUNIT_EXPECT_NULL(test, callbacks.EvtChannelPostStarted);
}

/* How many references vmbkmcl has, as lsmod shows it. */
static int users_of_vmbkmcl(struct kunit *test)
{
	struct file *file = file_of_loader("/sys/module/vmbkmcl/refcnt", O_RDONLY);
	char text[16] = {};
	loff_t at = 0;
	int users = -1;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	kernel_read(file, text, sizeof(text) - 1, &at);
	filp_close(file, NULL);
	KUNIT_ASSERT_EQ(test, kstrtoint(strim(text), 10, &users), 0);
	return users;
}

static NTSTATUS query_client(KMCL_CLIENT_INTERFACE_V1 *table)
{
	return WdfFdoQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
				       (PINTERFACE)table, sizeof(*table),
				       KMCL_CLIENT_INTERFACE_VERSION_V1, NULL);
}

static void a_device_query_gives_the_client_table(struct kunit *test)
{
	KMCL_CLIENT_INTERFACE_V1 table = {};
	PVOID *function = (PVOID *)&table.VmbChannelAllocate;
	int i;

	ASSERT_STATUS(test, query_client(&table), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, table.Size, sizeof(table));
	KUNIT_EXPECT_EQ(test, table.Version, KMCL_CLIENT_INTERFACE_VERSION_V1);
	for (i = 0; i < 41; i++)
		KUNIT_EXPECT_NOT_NULL_MSG(test, function[i], "function %d", i + 1);
	table.InterfaceDereference(table.Context);
}

static void a_target_query_gives_the_same_functions(struct kunit *test)
{
	KMCL_CLIENT_INTERFACE_V1 a = {}, b = {};

	ASSERT_STATUS(test, query_client(&a), STATUS_SUCCESS);
	ASSERT_STATUS(test, WdfIoTargetQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
							 (PINTERFACE)&b, sizeof(b),
							 KMCL_CLIENT_INTERFACE_VERSION_LATEST,
							 NULL),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, &a, &b, sizeof(a));
	KUNIT_EXPECT_PTR_EQ(test, a.VmbPacketInitialize, &VmbPacketInitialize);
	a.InterfaceDereference(a.Context);
	b.InterfaceDereference(b.Context);
}

static void a_query_gives_the_server_table(struct kunit *test)
{
	KMCL_SERVER_INTERFACE_V1 table = {};
	PVOID *function = (PVOID *)&table.VmbChannelAllocate;
	int i;

	ASSERT_STATUS(test, WdfFdoQueryForInterface(NULL, &KMCL_SERVER_INTERFACE_TYPE,
						    (PINTERFACE)&table, sizeof(table),
						    KMCL_SERVER_INTERFACE_VERSION_V1,
						    NULL),
		      STATUS_SUCCESS);
	for (i = 0; i < 41 + 14; i++)
		KUNIT_EXPECT_NOT_NULL_MSG(test, function[i], "function %d", i + 1);
	table.InterfaceDereference(table.Context);
}

/* Larger than any table, and larger than what is said of it. */
#define QUERY_SIZES	700
#define QUERY_VERSIONS	8
#define QUERY_BYTES	768
#define QUERY_PATTERN	0x5a

/* Which table a query is to give, by its size; 0 where it is to fail. */
static u32 table_due(bool server, u32 size, u32 version, u32 *gives)
{
	static const u32 sizes[] = { 0, 360, 384, 400, 416, 488 };

	*gives = min(version, 5u);
	if (server) {
		if (version != 1 && version != 5)
			return 0;
		if (version == 5 && size >= 600)
			return size >= 608 ? 608 : 600;
		*gives = 1;
		return size >= 472 ? 472 : 0;
	}
	if (version > 5)
		return 0;
	while (sizes[*gives] > size)
		--*gives;
	return sizes[*gives];
}

/* The exported function that a table of that size ends with. */
static void *last_function(bool server, u32 size)
{
	switch (size) {
	case 360:
		return &VmbPacketSetPointer;
	case 384:
		return &VmbChannelGetParentDeviceObject;
	case 400:
		return &VmbChannelAllocateBounceBuffer;
	case 416:
		return &VmbChannelCreateGpadlFromPfnList;
	case 488:
		return &VmbPacketSetCompletionRoutineEx;
	case 472:
	case 600:
		return &VmbServerChannelInitSetVmbusHandle;
	default:
		return &VmbServerChannelInitSetSaveRestorePacketCallbacksEx;
	}
}

static bool table_is(const u8 *table, bool server, u32 size, u32 version)
{
	const INTERFACE *head = (const void *)table;
	void * const *slots = (void *)table;

	return head->Size == size && head->Version == version && head->InterfaceReference &&
	       head->InterfaceDereference && slots[32 / 8] == &VmbChannelAllocate &&
	       slots[size / 8 - 1] == last_function(server, size);
}

static bool untouched(const u8 *bytes, u32 from)
{
	return !memchr_inv(bytes + from, QUERY_PATTERN, QUERY_BYTES - from);
}

static bool query_is_right(u8 *table, bool server, u32 size, u32 version)
{
	const GUID *type = server ? &KMCL_SERVER_INTERFACE_TYPE : &KMCL_CLIENT_INTERFACE_TYPE;
	u32 gives, due = table_due(server, size, version, &gives);
	INTERFACE *head = (void *)table;
	NTSTATUS status;
	bool right;

	memset(table, QUERY_PATTERN, QUERY_BYTES);
	status = WdfFdoQueryForInterface(NULL, type, head, size, version, NULL);
	if (status == STATUS_SUCCESS) {
		right = due && table_is(table, server, due, gives) && untouched(table, due);
		head->InterfaceDereference(head->Context);
		return right;
	}
	return !due && status == (NTSTATUS)STATUS_INVALID_PARAMETER && untouched(table, 0);
}

/* Asks for each size in each version, of both types. Counts answers that are wrong. */
static u32 wrong_answers(struct kunit *test)
{
	u8 *table = kunit_kmalloc(test, QUERY_BYTES, GFP_KERNEL);
	u32 server, size, version, wrong = 0;

	KUNIT_ASSERT_NOT_NULL(test, table);
	for (server = 0; server < 2; server++)
		for (size = 0; size <= QUERY_SIZES; size++)
			for (version = 0; version <= QUERY_VERSIONS; version++)
				if (!query_is_right(table, server, size, version) && !wrong++)
					KUNIT_FAIL(test, "the first: {%u, %u} of a %s", size,
						   version, server ? "server" : "client");
	return wrong;
}

static void every_size_and_version_gives_the_table_that_it_should(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, wrong_answers(test), 0);
}

static void what_queries_take_of_the_module_is_given_back(struct kunit *test)
{
	int users = users_of_vmbkmcl(test);

	wrong_answers(test);
	KUNIT_EXPECT_EQ(test, users_of_vmbkmcl(test), users);
}

/* The sample of 2018's documentation: the first table by its size, the latest version. */
static void the_first_table_is_given_for_its_size_in_the_latest_version(struct kunit *test)
{
	KMCL_CLIENT_INTERFACE_V1 table;

	ASSERT_STATUS(test, WdfFdoQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
						    (PINTERFACE)&table, sizeof(table),
						    KMCL_CLIENT_INTERFACE_VERSION_LATEST, NULL),
		      STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, table.Size, 360);
	KUNIT_EXPECT_EQ(test, table.Version, 1);
	KUNIT_EXPECT_PTR_EQ(test, table.VmbPacketSetPointer, &VmbPacketSetPointer);
	table.InterfaceDereference(table.Context);
}

/* By slots: is the member of that name something else than the function of that name? */
#define OTHER_IN_CLIENT(slot, name, type)	\
	[slot] = &(name) != client->name,
#define OTHER_IN_SERVER(slot, name, type)	\
	[slot] = &(name) != server->name,

static void expect_members(struct kunit *test, const KMCL_CLIENT_INTERFACE_V5 *client,
			   const KMCL_SERVER_INTERFACE_V5 *server)
{
	const bool in_client[] = { KMCL_CLIENT_FUNCTIONS_V5(OTHER_IN_CLIENT) };
	const bool in_server[] = { KMCL_CLIENT_FUNCTIONS_V5(OTHER_IN_SERVER) };
	const bool in_methods[] = { KMCL_SERVER_ONLY_FUNCTIONS_V5(OTHER_IN_SERVER) };

	KUNIT_EXPECT_EQ(test, sizeof(in_client), 57);
	KUNIT_EXPECT_EQ(test, sizeof(in_methods), 15);
	KUNIT_EXPECT_NULL(test, memchr_inv(in_client, false, sizeof(in_client)));
	KUNIT_EXPECT_NULL(test, memchr_inv(in_server, false, sizeof(in_server)));
	KUNIT_EXPECT_NULL(test, memchr_inv(in_methods, false, sizeof(in_methods)));
}

static void members_are_reached_by_their_plain_names(struct kunit *test)
{
	/* Both on one stack are too much for some kernels. */
	KMCL_CLIENT_INTERFACE_V5 *client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);
	KMCL_SERVER_INTERFACE_V5 *server = kunit_kzalloc(test, sizeof(*server), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, client);
	KUNIT_ASSERT_NOT_NULL(test, server);
	ASSERT_STATUS(test, WdfFdoQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
						    (PINTERFACE)client, sizeof(*client),
						    KMCL_CLIENT_INTERFACE_VERSION_V5, NULL),
		      STATUS_SUCCESS);
	ASSERT_STATUS(test, WdfFdoQueryForInterface(NULL, &KMCL_SERVER_INTERFACE_TYPE,
						    (PINTERFACE)server, sizeof(*server),
						    KMCL_SERVER_INTERFACE_VERSION_V5, NULL),
		      STATUS_SUCCESS);
	expect_members(test, client, server);
	client->InterfaceDereference(client->Context);
	server->InterfaceDereference(server->Context);
}

struct bad_query {
	const char *name;
	bool other_type;
	int size;
	int version;
	NTSTATUS status;
};

static const struct bad_query bad_queries[] = {
	{ "another type", true, 0, 0, STATUS_NOT_SUPPORTED },
	{ "size one too small", false, -1, 0, STATUS_INVALID_PARAMETER },
	{ "version 0", false, 0, -1, STATUS_INVALID_PARAMETER },
	{ "version 6", false, 0, 5, STATUS_INVALID_PARAMETER },
};

KUNIT_ARRAY_PARAM_DESC(bad_query, bad_queries, name);

static void a_bad_query_leaves_the_table_untouched(struct kunit *test)
{
	const struct bad_query *bad = test->param_value;
	KMCL_CLIENT_INTERFACE_V1 table, before;
	GUID type = KMCL_CLIENT_INTERFACE_TYPE;
	int users = users_of_vmbkmcl(test);

	memset(&table, 0x5a, sizeof(table));
	before = table;
	if (bad->other_type)
		type.Data1++;

	EXPECT_STATUS(test, WdfFdoQueryForInterface(NULL, &type, (PINTERFACE)&table,
						    sizeof(table) + bad->size,
						    1 + bad->version, NULL),
		      bad->status);
	KUNIT_EXPECT_MEMEQ(test, &table, &before, sizeof(table));
	KUNIT_EXPECT_EQ(test, users_of_vmbkmcl(test), users);
}

static void a_query_without_type_or_table_fails(struct kunit *test)
{
	KMCL_CLIENT_INTERFACE_V1 table;

	EXPECT_STATUS(test, WdfFdoQueryForInterface(NULL, NULL, (PINTERFACE)&table,
						    sizeof(table), 1, NULL),
		      STATUS_INVALID_PARAMETER);
	EXPECT_STATUS(test, WdfFdoQueryForInterface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
						    NULL, sizeof(table), 1, NULL),
		      STATUS_INVALID_PARAMETER);
}

static void references_hold_the_module(struct kunit *test)
{
	int users = users_of_vmbkmcl(test);
	KMCL_CLIENT_INTERFACE_V1 table;

	ASSERT_STATUS(test, query_client(&table), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, users_of_vmbkmcl(test), users + 1);
	table.InterfaceReference(table.Context);
	KUNIT_EXPECT_EQ(test, users_of_vmbkmcl(test), users + 2);
	table.InterfaceDereference(table.Context);
	table.InterfaceDereference(table.Context);
	KUNIT_EXPECT_EQ(test, users_of_vmbkmcl(test), users);
}

static struct kunit_case interface_cases[] = {
	KUNIT_CASE(tables_have_the_documented_sizes),
	KUNIT_CASE(members_are_in_the_documented_order),
	KUNIT_CASE(members_of_later_versions_are_where_windows_has_them),
	KUNIT_CASE(the_tables_are_named_as_windows_names_them),
	KUNIT_CASE(base_types_have_windows_sizes),
	KUNIT_CASE(callbacks_init_sets_version_and_size),
	KUNIT_CASE(callbacks_init_v5_sets_version_and_size),
	KUNIT_CASE(a_device_query_gives_the_client_table),
	KUNIT_CASE(a_target_query_gives_the_same_functions),
	KUNIT_CASE(a_query_gives_the_server_table),
	KUNIT_CASE_SLOW(every_size_and_version_gives_the_table_that_it_should),
	KUNIT_CASE_SLOW(what_queries_take_of_the_module_is_given_back),
	KUNIT_CASE(the_first_table_is_given_for_its_size_in_the_latest_version),
	KUNIT_CASE(members_are_reached_by_their_plain_names),
	KUNIT_CASE_PARAM(a_bad_query_leaves_the_table_untouched, bad_query_gen_params),
	KUNIT_CASE(a_query_without_type_or_table_fails),
	KUNIT_CASE(references_hold_the_module),
	{}
};

static struct kunit_suite interface_suite = {
	.name = "kmcl_interface",
	.test_cases = interface_cases,
};

kunit_test_suite(interface_suite);
