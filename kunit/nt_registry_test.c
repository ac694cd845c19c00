// SPDX-License-Identifier: GPL-2.0
/* The NT words of the registry: the parameters of this very module. */
#include <kunit/test.h>
#include <linux/fault-inject.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "nt_thread.h"

static uint registry_uint = 0xfedcba98;
module_param(registry_uint, uint, 0444);
static int registry_int = -5;
module_param(registry_int, int, 0444);
static bool registry_bool = true;
module_param(registry_bool, bool, 0444);
static unsigned long long registry_ullong = 0xfedcba9876543210ULL;
module_param(registry_ullong, ullong, 0444);
static char *registry_text = "ring 7";
module_param(registry_text, charp, 0444);
static int registry_array[] = { 1, -2, 3 };
module_param_array(registry_array, int, NULL, 0444);

#define SERVICE		L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\kunit"
#define OTHER		L"\\REGISTRY\\MACHINE\\SYSTEM\\currentcontrolset\\services\\other"

static NTSTATUS open_key(HANDLE *handle, HANDLE root, PCWSTR name)
{
	OBJECT_ATTRIBUTES attributes;
	UNICODE_STRING string;

	RtlInitUnicodeString(&string, name);
	InitializeObjectAttributes(&attributes, &string, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
				   root, NULL);
	return ZwOpenKey(handle, KEY_READ, &attributes);
}

static void the_keys_of_a_driver_open_and_no_others(struct kunit *test)
{
	HANDLE service, key;

	EXPECT_STATUS(test, open_key(&key, NULL, SERVICE L"\\Parameters"), STATUS_SUCCESS);
	EXPECT_STATUS(test, ZwClose(key), STATUS_SUCCESS);
	EXPECT_STATUS(test, open_key(&key, NULL, OTHER L"\\PARAMETERS"), STATUS_SUCCESS);
	EXPECT_STATUS(test, ZwClose(key), STATUS_SUCCESS);
	EXPECT_STATUS(test, open_key(&service, NULL, SERVICE), STATUS_SUCCESS);
	EXPECT_STATUS(test, open_key(&key, service, L"parameters"), STATUS_SUCCESS);
	EXPECT_STATUS(test, ZwClose(key), STATUS_SUCCESS);
	EXPECT_STATUS(test, open_key(&key, service, L"Enum"), STATUS_OBJECT_NAME_NOT_FOUND);
	EXPECT_STATUS(test, ZwClose(service), STATUS_SUCCESS);
	EXPECT_STATUS(test, open_key(&key, service, L"Parameters"), STATUS_INVALID_HANDLE);

	EXPECT_STATUS(test, open_key(&key, NULL, SERVICE L"\\Parameters\\More"),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	EXPECT_STATUS(test, open_key(&key, NULL, L"\\Registry\\Machine\\Software"),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	EXPECT_STATUS(test, open_key(&key, NULL, L"Parameters"), STATUS_OBJECT_PATH_SYNTAX_BAD);
	EXPECT_STATUS(test, open_key(&key, NULL, NULL), STATUS_OBJECT_PATH_SYNTAX_BAD);
}

static HANDLE parameters(struct kunit *test)
{
	HANDLE key = NULL;

	KUNIT_ASSERT_EQ(test, (u32)open_key(&key, NULL, SERVICE L"\\Parameters"), 0);
	return key;
}

struct partial {
	KEY_VALUE_PARTIAL_INFORMATION head;
	UCHAR more[64];
};

static NTSTATUS query(HANDLE key, PCWSTR name, struct partial *partial, ULONG length,
		      ULONG *result)
{
	UNICODE_STRING string;

	RtlInitUnicodeString(&string, name);
	return ZwQueryValueKey(key, &string, KeyValuePartialInformation, partial, length, result);
}

struct expected {
	PCWSTR name;
	ULONG type;
	ULONG length;
	const void *data;
};

static void parameters_are_values(struct kunit *test)
{
	static const u32 yes = 1;
	const struct expected all[] = {
		{ L"registry_uint", REG_DWORD, 4, &registry_uint },
		{ L"REGISTRY_INT", REG_DWORD, 4, &registry_int },
		{ L"registry_bool", REG_DWORD, 4, &yes },
		{ L"registry_ullong", REG_QWORD, 8, &registry_ullong },
		{ L"Registry_Text", REG_SZ, 14, L"ring 7" },
		{ L"registry_array", REG_SZ, 14, L"1,-2,3" },
	};
	HANDLE key = parameters(test), service = NULL;
	struct partial partial;
	ULONG result;
	int i;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		EXPECT_STATUS(test, query(key, all[i].name, &partial, sizeof(partial), &result),
			      STATUS_SUCCESS);
		KUNIT_EXPECT_EQ_MSG(test, partial.head.Type, all[i].type, "value %d", i);
		KUNIT_EXPECT_EQ_MSG(test, partial.head.DataLength, all[i].length, "value %d", i);
		KUNIT_EXPECT_EQ_MSG(test, result, 12 + all[i].length, "value %d", i);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(partial.head.Data, all[i].data, all[i].length), 0,
				    "value %d", i);
	}
	EXPECT_STATUS(test, query(key, L"registry_uin", &partial, sizeof(partial), &result),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	EXPECT_STATUS(test, query(key, L"registry_uint2", &partial, sizeof(partial), &result),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	EXPECT_STATUS(test, query(key, L"", &partial, sizeof(partial), &result),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	/* The key around has none. */
	EXPECT_STATUS(test, open_key(&service, NULL, SERVICE), STATUS_SUCCESS);
	EXPECT_STATUS(test, query(service, L"registry_uint", &partial, sizeof(partial), &result),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	ZwClose(service);
	ZwClose(key);
	EXPECT_STATUS(test, query(key, L"registry_uint", &partial, sizeof(partial), &result),
		      STATUS_INVALID_HANDLE);
}

static void a_value_takes_as_much_room_as_it_says(struct kunit *test)
{
	HANDLE key = parameters(test);
	ULONG length, result;
	UCHAR *room;

	for (length = 0; length <= 30; length++) {
		KEY_VALUE_PARTIAL_INFORMATION *partial;
		NTSTATUS status;

		/* Of that very size, for KASAN. */
		room = kmalloc(max(length, 1U), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, room);
		memset(room, 0xaa, length);
		result = 0;
		status = query(key, L"registry_text", (struct partial *)room, length, &result);
		KUNIT_EXPECT_EQ(test, result, 12 + 14);
		EXPECT_STATUS(test, status, length < 12 ? STATUS_BUFFER_TOO_SMALL :
			      length < 26 ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS);
		partial = (KEY_VALUE_PARTIAL_INFORMATION *)room;
		if (length < 12)
			KUNIT_EXPECT_NULL(test, memchr_inv(room, 0xaa, length));
		else
			KUNIT_EXPECT_EQ(test, memcmp(partial->Data, L"ring 7",
						     min(length - 12, 14U)), 0);
		kfree(room);
	}
	ZwClose(key);
}

static void the_other_classes_have_the_name(struct kunit *test)
{
	HANDLE key = parameters(test);
	UNICODE_STRING name;
	union {
		KEY_VALUE_BASIC_INFORMATION basic;
		KEY_VALUE_FULL_INFORMATION full;
		UCHAR bytes[96];
	} value;
	ULONG result;

	RtlInitUnicodeString(&name, L"registry_uint");
	EXPECT_STATUS(test, ZwQueryValueKey(key, &name, KeyValueBasicInformation, &value,
					    sizeof(value), &result), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, value.basic.Type, REG_DWORD);
	KUNIT_EXPECT_EQ(test, value.basic.NameLength, 26);
	KUNIT_EXPECT_EQ(test, memcmp(value.basic.Name, name.Buffer, 26), 0);
	KUNIT_EXPECT_EQ(test, result, 12 + 26);

	EXPECT_STATUS(test, ZwQueryValueKey(key, &name, KeyValueFullInformation, &value,
					    sizeof(value), &result), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, value.full.Type, REG_DWORD);
	KUNIT_EXPECT_EQ(test, value.full.NameLength, 26);
	KUNIT_EXPECT_EQ(test, value.full.DataLength, 4);
	KUNIT_EXPECT_EQ(test, memcmp(value.full.Name, name.Buffer, 26), 0);
	KUNIT_EXPECT_GE(test, value.full.DataOffset, 20 + 26);
	KUNIT_EXPECT_EQ(test, memcmp(value.bytes + value.full.DataOffset, &registry_uint, 4), 0);
	KUNIT_EXPECT_EQ(test, result, value.full.DataOffset + 4);

	EXPECT_STATUS(test, ZwQueryValueKey(key, &name, (KEY_VALUE_INFORMATION_CLASS)77, &value,
					    sizeof(value), &result), STATUS_INVALID_PARAMETER);
	ZwClose(key);
}

static void a_handle_of_another_type_is_told(struct kunit *test)
{
	HANDLE key = parameters(test);
	PVOID thread = NULL;

	EXPECT_STATUS(test, ObReferenceObjectByHandle(key, 0, *PsThreadType, KernelMode, &thread,
						      NULL), STATUS_OBJECT_TYPE_MISMATCH);
	KUNIT_EXPECT_NULL(test, thread);
	EXPECT_STATUS(test, ZwClose(key), STATUS_SUCCESS);
}

/* Tables */

struct seen {
	int calls;
	ULONG type, length;
	u32 data;
	NTSTATUS answer;
};

static NTSTATUS seen_fn(PWSTR name, ULONG type, PVOID data, ULONG length, PVOID context,
			PVOID entry_context)
{
	struct seen *seen = context;

	seen->calls++;
	seen->type = type;
	seen->length = length;
	memcpy(&seen->data, data, min(length, 4U));
	*(int *)entry_context += 1;
	return seen->answer;
}

static void a_table_is_read_at_once(struct kunit *test)
{
	u32 direct = 0, fallback = 0, default_value = 77;
	UNICODE_STRING text = {}, other = {};
	struct seen seen = {};
	int entry_calls = 0;
	struct {
		LONG room;
		u32 more[4];
	} wide = { .room = -8 }, told = { .room = 16 };
	RTL_QUERY_REGISTRY_TABLE table[] = {
		{ .Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = L"Parameters" },
		{ .Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED |
			   RTL_QUERY_REGISTRY_TYPECHECK,
		  .Name = L"Registry_Uint", .EntryContext = &direct,
		  .DefaultType = REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT },
		{ .Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"none", .EntryContext = &fallback,
		  .DefaultType = REG_DWORD, .DefaultData = &default_value, .DefaultLength = 4 },
		{ .QueryRoutine = seen_fn, .Name = L"registry_int",
		  .EntryContext = &entry_calls },
		{ .QueryRoutine = seen_fn, .Name = L"none", .EntryContext = &entry_calls },
		{ .Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"registry_text",
		  .EntryContext = &text },
		{ .Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"none", .EntryContext = &other,
		  .DefaultType = REG_SZ, .DefaultData = L"else" },
		{ .Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"registry_ullong",
		  .EntryContext = &wide },
		{ .Flags = RTL_QUERY_REGISTRY_DIRECT, .Name = L"registry_ullong",
		  .EntryContext = &told },
		{}
	};

	EXPECT_STATUS(test, RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, SERVICE, table, &seen,
						   NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, direct, registry_uint);
	KUNIT_EXPECT_EQ(test, fallback, 77);
	KUNIT_EXPECT_EQ(test, seen.calls, 1);
	KUNIT_EXPECT_EQ(test, entry_calls, 1);
	KUNIT_EXPECT_EQ(test, seen.type, REG_DWORD);
	KUNIT_EXPECT_EQ(test, seen.length, 4);
	KUNIT_EXPECT_EQ(test, (int)seen.data, registry_int);
	KUNIT_EXPECT_EQ(test, text.Length, 12);
	KUNIT_EXPECT_EQ(test, memcmp(text.Buffer, L"ring 7", 14), 0);
	KUNIT_EXPECT_EQ(test, memcmp(other.Buffer, L"else", 10), 0);
	KUNIT_EXPECT_EQ(test, memcmp(&wide, &registry_ullong, 8), 0);
	KUNIT_EXPECT_EQ(test, told.room, 8);
	KUNIT_EXPECT_EQ(test, told.more[0], REG_QWORD);
	KUNIT_EXPECT_EQ(test, memcmp(&told.more[1], &registry_ullong, 8), 0);
	ExFreePool(text.Buffer);
	ExFreePool(other.Buffer);
}

static NTSTATUS query_one(ULONG relative, PCWSTR path, ULONG flags, PWSTR name, PVOID target,
			  ULONG type)
{
	RTL_QUERY_REGISTRY_TABLE table[] = {
		{ .Flags = flags, .Name = name, .EntryContext = target, .DefaultType = type },
		{}
	};

	return RtlQueryRegistryValues(relative, path, table, NULL, NULL);
}

static void a_table_that_cannot_be_read_says_why(struct kunit *test)
{
	const ULONG direct = RTL_QUERY_REGISTRY_DIRECT;
	WCHAR room[4];
	UNICODE_STRING small = { .Buffer = room, .MaximumLength = sizeof(room) };
	HANDLE key = parameters(test);
	LONG wide[2] = { -4, 0 };
	u32 value = 0;

	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters", direct,
				      L"registry_uint", &value, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, value, registry_uint);
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_HANDLE, key, direct, L"registry_bool", &value,
				      0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, value, 1);
	ZwClose(key);
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_HANDLE, key, direct, L"registry_bool", &value,
				      0), STATUS_INVALID_HANDLE);
	EXPECT_STATUS(test, query_one(2, L"kunit", direct, L"registry_uint", &value, 0),
		      STATUS_OBJECT_NAME_NOT_FOUND);

	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters",
				      direct | RTL_QUERY_REGISTRY_REQUIRED, L"none", &value, 0),
		      STATUS_OBJECT_NAME_NOT_FOUND);
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters",
				      direct | RTL_QUERY_REGISTRY_TYPECHECK, L"registry_uint",
				      &value, REG_SZ << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT),
		      STATUS_OBJECT_TYPE_MISMATCH);
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters", direct,
				      L"registry_text", &small, 0), STATUS_BUFFER_TOO_SMALL);
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters", direct,
				      L"registry_ullong", wide, 0), STATUS_BUFFER_TOO_SMALL);
	wide[0] = 15;
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters", direct,
				      L"registry_ullong", wide, 0), STATUS_BUFFER_TOO_SMALL);
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters", direct, NULL,
				      &value, 0), STATUS_INVALID_PARAMETER);
	EXPECT_STATUS(test, query_one(RTL_REGISTRY_SERVICES, L"kunit\\Parameters", direct | 8,
				      L"registry_uint", &value, 0), STATUS_INVALID_PARAMETER);
}

#if IS_ENABLED(CONFIG_FAILSLAB)
static void a_key_is_had_though_memory_is_short(struct kunit *test)
{
	struct partial partial;
	bool made = false;
	ULONG result;
	HANDLE key;
	int nth;

	/* Each allocation fails once, then none: what is small comes from the reserves. */
	for (nth = 1; nth < 50 && !made; nth++) {
		NTSTATUS status;

		current->fail_nth = nth;
		status = open_key(&key, NULL, SERVICE L"\\Parameters");
		if (status == STATUS_SUCCESS) {
			status = query(key, L"registry_int", &partial, sizeof(partial), &result);
			ZwClose(key);
		}
		made = current->fail_nth;
		current->fail_nth = 0;
		EXPECT_STATUS(test, status, STATUS_SUCCESS);
	}
	KUNIT_EXPECT_TRUE(test, made);
	KUNIT_EXPECT_GT(test, nth, 3);
}
#else
static void a_key_is_had_though_memory_is_short(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_FAILSLAB");
}
#endif

static struct kunit_case nt_registry_cases[] = {
	KUNIT_CASE(the_keys_of_a_driver_open_and_no_others),
	KUNIT_CASE(parameters_are_values),
	KUNIT_CASE(a_value_takes_as_much_room_as_it_says),
	KUNIT_CASE(the_other_classes_have_the_name),
	KUNIT_CASE(a_handle_of_another_type_is_told),
	KUNIT_CASE(a_table_is_read_at_once),
	KUNIT_CASE(a_table_that_cannot_be_read_says_why),
	KUNIT_CASE(a_key_is_had_though_memory_is_short),
	{}
};

static struct kunit_suite nt_registry_suite = {
	.name = "kmcl_nt_registry",
	.test_cases = nt_registry_cases,
};

kunit_test_suite(nt_registry_suite);
