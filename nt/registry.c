// SPDX-License-Identifier: GPL-2.0
/*
 * The registry: a driver's Parameters key has the parameters of its module.
 *
 * What module_param() says of a parameter's type makes the type of the value: up to 32
 * bits and bool are REG_DWORD, 64 bits REG_QWORD, all else, as charp and arrays, is
 * REG_SZ, with the text that sysfs shows.
 */
#include <linux/export.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <ntddk.h>

#include "nt.h"
#include "object.h"

/* 'geRn' */
#define NT_REGISTRY_TAG		0x6765526e

struct nt_key {
	struct module *owner;
	bool parameters;	/* else the key around that, which has no values */
};

/* A value's data: a number, or a text without its last zero. */
struct nt_value {
	ULONG type;
	ULONG length;		/* of the data, in bytes */
	s64 number;
	char *text;
};

static OBJECT_TYPE nt_key_type;

static bool nt_is(const WCHAR *name, size_t length, const char *ascii)
{
	size_t i;

	for (i = 0; i < length && ascii[i]; i++)
		if (RtlUpcaseUnicodeChar(name[i]) != RtlUpcaseUnicodeChar(ascii[i]))
			return false;
	return i == length && !ascii[i];
}

/* The key by its name among the services. */
static NTSTATUS nt_key_find_service(struct nt_key *key, const WCHAR *name, size_t length)
{
	size_t driver;

	for (driver = 0; driver < length && name[driver] != '\\'; driver++)
		;
	if (!driver)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	key->parameters = driver < length;
	if (key->parameters && !nt_is(name + driver, length - driver, "\\Parameters"))
		return STATUS_OBJECT_NAME_NOT_FOUND;
	return STATUS_SUCCESS;
}

/* The key by a full name. */
static NTSTATUS nt_key_find(struct nt_key *key, const WCHAR *name, size_t length)
{
	static const char services[] = "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\";
	const size_t root = sizeof(services) - 1;

	if (!length || name[0] != '\\')
		return STATUS_OBJECT_PATH_SYNTAX_BAD;
	if (length <= root || !nt_is(name, root, services))
		return STATUS_OBJECT_NAME_NOT_FOUND;
	return nt_key_find_service(key, name + root, length - root);
}

/* From a key to one in it. */
static NTSTATUS nt_key_enter(struct nt_key *key, const WCHAR *name, size_t length)
{
	if (!length)
		return STATUS_SUCCESS;
	if (key->parameters || !nt_is(name, length, "Parameters"))
		return STATUS_OBJECT_NAME_NOT_FOUND;
	key->parameters = true;
	return STATUS_SUCCESS;
}

static NTSTATUS nt_key_find_in(struct nt_key *key, HANDLE root, const WCHAR *name,
			       size_t length)
{
	NTSTATUS status;
	PVOID object;

	status = ObReferenceObjectByHandle(root, KEY_READ, &nt_key_type, KernelMode, &object,
					   NULL);
	if (!NT_SUCCESS(status))
		return status;
	*key = *(struct nt_key *)object;
	ObfDereferenceObject(object);
	return nt_key_enter(key, name, length);
}

/* Of ZwOpenKey(), which says for which driver. */
NTSTATUS nt_open_key(HANDLE *handle, const OBJECT_ATTRIBUTES *attributes,
		     struct module *owner)
{
	const UNICODE_STRING none = {};
	const UNICODE_STRING *name = attributes->ObjectName ?: &none;
	size_t length = name->Length / sizeof(WCHAR);
	struct nt_key found = { .owner = owner };
	struct nt_key *key;
	NTSTATUS status;

	if (attributes->RootDirectory)
		status = nt_key_find_in(&found, attributes->RootDirectory, name->Buffer, length);
	else
		status = nt_key_find(&found, name->Buffer, length);
	if (!NT_SUCCESS(status))
		return status;

	key = nt_object_allocate(&nt_key_type, sizeof(*key));
	if (!key)
		return STATUS_INSUFFICIENT_RESOURCES;
	*key = found;
	status = nt_handle_open(key, handle);
	if (!NT_SUCCESS(status))
		ObfDereferenceObject(key);
	return status;
}
EXPORT_SYMBOL_GPL(nt_open_key);

static const struct kernel_param *nt_parameter_find(const struct nt_key *key,
						    const UNICODE_STRING *name)
{
	unsigned int i;

	if (!key->parameters || !key->owner)
		return NULL;
	for (i = 0; i < key->owner->num_kp; i++) {
		const struct kernel_param *parameter = &key->owner->kp[i];

		if (parameter->ops->get &&
		    nt_is(name->Buffer, name->Length / sizeof(WCHAR), parameter->name))
			return parameter;
	}
	return NULL;
}

static ULONG nt_parameter_type(const struct kernel_param *parameter)
{
	static const struct kernel_param_ops *const dword[] = {
		&param_ops_byte, &param_ops_short, &param_ops_ushort, &param_ops_int,
		&param_ops_uint, &param_ops_hexint, &param_ops_bool,
	};
	static const struct kernel_param_ops *const qword[] = {
		&param_ops_long, &param_ops_ulong, &param_ops_ullong,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(dword); i++)
		if (parameter->ops == dword[i])
			return REG_DWORD;
	for (i = 0; i < ARRAY_SIZE(qword); i++)
		if (parameter->ops == qword[i])
			return REG_QWORD;
	return REG_SZ;
}

static s64 nt_number(const char *text)
{
	unsigned long long number = 0;
	long long below_zero = 0;

	if (*text == 'Y')
		return 1;
	if (!kstrtoll(text, 0, &below_zero))
		return below_zero;
	/* Also of "N": 0. */
	return kstrtoull(text, 0, &number) ? 0 : number;
}

/* The value's text is to be freed. */
static NTSTATUS nt_value_get(const struct nt_key *key, const UNICODE_STRING *name,
			     struct nt_value *value)
{
	const struct kernel_param *parameter = nt_parameter_find(key, name);
	int length;

	if (!parameter)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	value->text = nt_kmalloc(PAGE_SIZE, 0);
	if (!value->text)
		return STATUS_INSUFFICIENT_RESOURCES;

	kernel_param_lock(key->owner);
	length = parameter->ops->get(value->text, parameter);
	kernel_param_unlock(key->owner);
	if (length < 0)
		length = 0;
	if (length && value->text[length - 1] == '\n')
		length--;
	value->text[length] = 0;

	value->type = nt_parameter_type(parameter);
	if (value->type == REG_SZ) {
		value->length = (length + 1) * sizeof(WCHAR);
	} else {
		value->number = nt_number(value->text);
		value->length = value->type == REG_DWORD ? sizeof(ULONG) : sizeof(ULONG64);
	}
	return STATUS_SUCCESS;
}

static UCHAR nt_value_byte(const struct nt_value *value, ULONG i)
{
	if (value->type != REG_SZ)
		return value->number >> (8 * i);
	return i % sizeof(WCHAR) ? 0 : value->text[i / sizeof(WCHAR)];
}

/* Where in its information the name is and where the data; 0: it has no such thing. */
struct nt_layout {
	ULONG name;
	ULONG data;
	ULONG least;		/* as long as it has to be */
	ULONG length;
};

static bool nt_layout(KEY_VALUE_INFORMATION_CLASS class, const UNICODE_STRING *name,
		      const struct nt_value *value, struct nt_layout *layout)
{
	*layout = (struct nt_layout) {};
	switch (class) {
	case KeyValueBasicInformation:
		layout->name = FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name);
		layout->least = layout->name;
		layout->length = layout->name + name->Length;
		return true;
	case KeyValueFullInformation:
		layout->name = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);
		layout->data = ALIGN(layout->name + name->Length, sizeof(ULONG64));
		layout->least = layout->name;
		layout->length = layout->data + value->length;
		return true;
	case KeyValuePartialInformation:
		layout->data = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
		layout->least = layout->data;
		layout->length = layout->data + value->length;
		return true;
	}
	return false;
}

/* As much as there is room for. */
static void nt_value_write(PVOID information, ULONG room, const struct nt_layout *layout,
			   const UNICODE_STRING *name, const struct nt_value *value)
{
	KEY_VALUE_PARTIAL_INFORMATION *partial = information;
	KEY_VALUE_BASIC_INFORMATION *basic = information;
	KEY_VALUE_FULL_INFORMATION *full = information;
	PUCHAR bytes = information;
	ULONG i;

	basic->TitleIndex = 0;
	basic->Type = value->type;
	if (layout->name && layout->data) {
		full->DataOffset = layout->data;
		full->DataLength = value->length;
		full->NameLength = name->Length;
	} else if (layout->data) {
		partial->DataLength = value->length;
	} else {
		basic->NameLength = name->Length;
	}

	for (i = 0; layout->name && i < name->Length && layout->name + i < room; i++)
		bytes[layout->name + i] = ((PUCHAR)name->Buffer)[i];
	for (i = 0; layout->data && i < value->length && layout->data + i < room; i++)
		bytes[layout->data + i] = nt_value_byte(value, i);
}

/**
 * ZwQueryValueKey() - read a value
 * @KeyHandle: from ZwOpenKey()
 * @ValueName: a parameter of the module, in any case
 * @KeyValueInformationClass: what is to be told: KeyValueBasicInformation,
 *	KeyValueFullInformation or KeyValuePartialInformation
 * @KeyValueInformation: where it goes
 * @Length: how many bytes there are
 * @ResultLength: how many it takes
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_BUFFER_OVERFLOW: what there is room for has been written
 *  - STATUS_BUFFER_TOO_SMALL: not even for what comes before name and data; nothing has
 *    been written but @ResultLength
 *  - STATUS_OBJECT_NAME_NOT_FOUND: no such parameter, or not the Parameters key
 *  - STATUS_INVALID_PARAMETER: another class
 *  - STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
			 KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
			 PVOID KeyValueInformation, ULONG Length, PULONG ResultLength)
{
	struct nt_value value = {};
	struct nt_layout layout;
	NTSTATUS status;
	PVOID key;

	status = ObReferenceObjectByHandle(KeyHandle, KEY_READ, &nt_key_type, KernelMode, &key,
					   NULL);
	if (!NT_SUCCESS(status))
		return status;
	status = nt_value_get(key, ValueName, &value);
	if (!NT_SUCCESS(status))
		goto dereference;

	if (!nt_layout(KeyValueInformationClass, ValueName, &value, &layout)) {
		status = STATUS_INVALID_PARAMETER;
		goto free;
	}
	*ResultLength = layout.length;
	if (Length < layout.least) {
		status = STATUS_BUFFER_TOO_SMALL;
		goto free;
	}
	nt_value_write(KeyValueInformation, Length, &layout, ValueName, &value);
	if (Length < layout.length)
		status = STATUS_BUFFER_OVERFLOW;

free:
	kfree(value.text);
dereference:
	ObfDereferenceObject(key);
	return status;
}
EXPORT_SYMBOL_GPL(ZwQueryValueKey);

/* A text goes to a UNICODE_STRING, and into memory of the pool's if that has none. */
static NTSTATUS nt_give_text(PUNICODE_STRING text, const void *data, ULONG length)
{
	if (!text->Buffer) {
		text->Buffer = ExAllocatePoolWithTag(PagedPool, length, NT_REGISTRY_TAG);
		if (!text->Buffer)
			return STATUS_INSUFFICIENT_RESOURCES;
		text->MaximumLength = length;
	}
	if (text->MaximumLength < length)
		return STATUS_BUFFER_TOO_SMALL;
	memcpy(text->Buffer, data, length);
	text->Length = length - sizeof(WCHAR);
	return STATUS_SUCCESS;
}

/*
 * More than a ULONG goes where a LONG says how much room there is: below 0 for the data
 * alone, above for its length and type as well.
 */
static NTSTATUS nt_give_bytes(void *room, ULONG type, const void *data, ULONG length)
{
	const ULONG head[] = { length, type };
	LONG bytes = *(LONG *)room;

	if (length <= sizeof(ULONG)) {
		memcpy(room, data, length);
		return STATUS_SUCCESS;
	}
	if (bytes < 0) {
		if (-(s64)bytes < length)
			return STATUS_BUFFER_TOO_SMALL;
		memcpy(room, data, length);
		return STATUS_SUCCESS;
	}
	if (bytes < sizeof(head) + length)
		return STATUS_BUFFER_TOO_SMALL;
	memcpy(room, head, sizeof(head));
	memcpy(room + sizeof(head), data, length);
	return STATUS_SUCCESS;
}

static NTSTATUS nt_entry_give(const RTL_QUERY_REGISTRY_TABLE *entry, ULONG type, PVOID data,
			      ULONG length, PVOID context)
{
	if (!(entry->Flags & RTL_QUERY_REGISTRY_DIRECT))
		return entry->QueryRoutine(entry->Name, type, data, length, context,
					   entry->EntryContext);
	if ((entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) &&
	    entry->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT != type)
		return STATUS_OBJECT_TYPE_MISMATCH;
	if (type == REG_SZ || type == REG_EXPAND_SZ)
		return nt_give_text(entry->EntryContext, data, length);
	return nt_give_bytes(entry->EntryContext, type, data, length);
}

static NTSTATUS nt_entry_default(const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context)
{
	ULONG type = entry->DefaultType & ~RTL_QUERY_REGISTRY_TYPECHECK_MASK;
	ULONG length = entry->DefaultLength;
	UNICODE_STRING text;

	if (entry->Flags & RTL_QUERY_REGISTRY_REQUIRED)
		return STATUS_OBJECT_NAME_NOT_FOUND;
	if (type == REG_NONE)
		return STATUS_SUCCESS;
	if (!length && (type == REG_SZ || type == REG_EXPAND_SZ)) {
		RtlInitUnicodeString(&text, entry->DefaultData);
		length = text.MaximumLength;
	}
	return nt_entry_give(entry, type, entry->DefaultData, length, context);
}

static NTSTATUS nt_entry_query(const struct nt_key *key, const RTL_QUERY_REGISTRY_TABLE *entry,
			       PVOID context)
{
	struct nt_value value = {};
	UNICODE_STRING name;
	NTSTATUS status;
	PUCHAR data;
	ULONG i;

	RtlInitUnicodeString(&name, entry->Name);
	status = nt_value_get(key, &name, &value);
	if (status == STATUS_OBJECT_NAME_NOT_FOUND)
		return nt_entry_default(entry, context);
	if (!NT_SUCCESS(status))
		return status;

	data = nt_kmalloc(value.length, 0);
	status = STATUS_INSUFFICIENT_RESOURCES;
	if (data) {
		for (i = 0; i < value.length; i++)
			data[i] = nt_value_byte(&value, i);
		status = nt_entry_give(entry, value.type, data, value.length, context);
		kfree(data);
	}
	kfree(value.text);
	return status;
}

static NTSTATUS nt_key_relative(struct nt_key *key, ULONG relative, PCWSTR path)
{
	UNICODE_STRING name;

	if (relative == RTL_REGISTRY_HANDLE)
		return nt_key_find_in(key, (HANDLE)path, NULL, 0);
	RtlInitUnicodeString(&name, path);
	if (relative == RTL_REGISTRY_ABSOLUTE)
		return nt_key_find(key, name.Buffer, name.Length / sizeof(WCHAR));
	if (relative == RTL_REGISTRY_SERVICES)
		return nt_key_find_service(key, name.Buffer, name.Length / sizeof(WCHAR));
	return STATUS_OBJECT_NAME_NOT_FOUND;
}

/* Of RtlQueryRegistryValues(), which says for which driver. */
NTSTATUS nt_query_registry_values(ULONG relative, PCWSTR path,
				  PRTL_QUERY_REGISTRY_TABLE table, PVOID context,
				  struct module *owner)
{
	const ULONG known = RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_TOPKEY |
			    RTL_QUERY_REGISTRY_REQUIRED | RTL_QUERY_REGISTRY_NOEXPAND |
			    RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
	struct nt_key top = { .owner = owner };
	const RTL_QUERY_REGISTRY_TABLE *entry;
	struct nt_key key;
	NTSTATUS status;

	status = nt_key_relative(&top, relative & ~RTL_REGISTRY_OPTIONAL, path);
	key = top;
	for (entry = table; NT_SUCCESS(status); entry++) {
		bool direct = entry->Flags & RTL_QUERY_REGISTRY_DIRECT;
		bool enter = entry->Flags & RTL_QUERY_REGISTRY_SUBKEY;
		UNICODE_STRING name;

		if (!entry->QueryRoutine && !direct && !enter)
			break;
		if (!entry->Name || (entry->Flags & ~known) || (direct && entry->QueryRoutine))
			return STATUS_INVALID_PARAMETER;
		if (enter || (entry->Flags & RTL_QUERY_REGISTRY_TOPKEY))
			key = top;
		RtlInitUnicodeString(&name, entry->Name);
		status = enter ? nt_key_enter(&key, name.Buffer, name.Length / sizeof(WCHAR)) :
				 nt_entry_query(&key, entry, context);
	}
	return status;
}
EXPORT_SYMBOL_GPL(nt_query_registry_values);
