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

static void tables_have_the_documented_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, sizeof(INTERFACE), 32);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_CLIENT_INTERFACE_V1), 360);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_SERVER_ONLY_METHODS), 112);
	KUNIT_EXPECT_EQ(test, sizeof(KMCL_SERVER_INTERFACE_V1), 472);
	KUNIT_EXPECT_EQ(test, sizeof(VMB_CHANNEL_STATE_CHANGE_CALLBACKS), 48);
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

/* How many references vmbkmcl has, as lsmod shows it. */
static int users_of_vmbkmcl(struct kunit *test)
{
	struct file *file = filp_open("/sys/module/vmbkmcl/refcnt", O_RDONLY, 0);
	char text[16] = {};
	loff_t at = 0;
	int users = -1;

	/* Since 7.x kernel threads have a root directory of their own. */
	if (IS_ERR(file))
		kunit_skip(test, "this kernel's threads cannot open a file of sysfs");
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
	KUNIT_CASE(base_types_have_windows_sizes),
	KUNIT_CASE(callbacks_init_sets_version_and_size),
	KUNIT_CASE(a_device_query_gives_the_client_table),
	KUNIT_CASE(a_target_query_gives_the_same_functions),
	KUNIT_CASE(a_query_gives_the_server_table),
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
