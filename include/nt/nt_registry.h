/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The registry, as far as a driver reads its own parameters there: they are those of its
 * Linux module. Part of <wdm.h>; the functions are in nt/registry.c.
 */
#ifndef _NT_REGISTRY_H
#define _NT_REGISTRY_H

#include <linux/export.h>
#include <linux/init.h>

#include <ntdef.h>
#include <nt_object.h>

#define KEY_QUERY_VALUE		0x00000001
#define KEY_SET_VALUE		0x00000002
#define KEY_CREATE_SUB_KEY	0x00000004
#define KEY_ENUMERATE_SUB_KEYS	0x00000008
#define KEY_NOTIFY		0x00000010
#define KEY_READ		0x00020019
#define KEY_WRITE		0x00020006
#define KEY_ALL_ACCESS		0x000f003f

#define REG_NONE		0
#define REG_SZ			1
#define REG_EXPAND_SZ		2
#define REG_BINARY		3
#define REG_DWORD		4
#define REG_MULTI_SZ		7
#define REG_QWORD		11

typedef enum _KEY_VALUE_INFORMATION_CLASS {
	KeyValueBasicInformation,
	KeyValueFullInformation,
	KeyValuePartialInformation,
} KEY_VALUE_INFORMATION_CLASS;

typedef struct _KEY_VALUE_BASIC_INFORMATION {
	ULONG TitleIndex;
	ULONG Type;
	ULONG NameLength;
	WCHAR Name[1];
} KEY_VALUE_BASIC_INFORMATION, *PKEY_VALUE_BASIC_INFORMATION;

typedef struct _KEY_VALUE_FULL_INFORMATION {
	ULONG TitleIndex;
	ULONG Type;
	ULONG DataOffset;
	ULONG DataLength;
	ULONG NameLength;
	WCHAR Name[1];
} KEY_VALUE_FULL_INFORMATION, *PKEY_VALUE_FULL_INFORMATION;

typedef struct _KEY_VALUE_PARTIAL_INFORMATION {
	ULONG TitleIndex;
	ULONG Type;
	ULONG DataLength;
	UCHAR Data[1];
} KEY_VALUE_PARTIAL_INFORMATION, *PKEY_VALUE_PARTIAL_INFORMATION;

typedef NTSTATUS RTL_QUERY_REGISTRY_ROUTINE(PWSTR ValueName, ULONG ValueType,
					    PVOID ValueData, ULONG ValueLength,
					    PVOID Context, PVOID EntryContext);
typedef RTL_QUERY_REGISTRY_ROUTINE *PRTL_QUERY_REGISTRY_ROUTINE;

typedef struct _RTL_QUERY_REGISTRY_TABLE {
	PRTL_QUERY_REGISTRY_ROUTINE QueryRoutine;
	ULONG Flags;
	PWSTR Name;
	PVOID EntryContext;
	ULONG DefaultType;
	PVOID DefaultData;
	ULONG DefaultLength;
} RTL_QUERY_REGISTRY_TABLE, *PRTL_QUERY_REGISTRY_TABLE;

#define RTL_REGISTRY_ABSOLUTE		0
#define RTL_REGISTRY_SERVICES		1
#define RTL_REGISTRY_HANDLE		0x40000000
#define RTL_REGISTRY_OPTIONAL		0x80000000

#define RTL_QUERY_REGISTRY_SUBKEY	0x00000001
#define RTL_QUERY_REGISTRY_TOPKEY	0x00000002
#define RTL_QUERY_REGISTRY_REQUIRED	0x00000004
#define RTL_QUERY_REGISTRY_NOEXPAND	0x00000010
#define RTL_QUERY_REGISTRY_DIRECT	0x00000020
#define RTL_QUERY_REGISTRY_TYPECHECK	0x00000100

/* With TYPECHECK: the type that a value has to have, above the default's. */
#define RTL_QUERY_REGISTRY_TYPECHECK_SHIFT	24
#define RTL_QUERY_REGISTRY_TYPECHECK_MASK	0xff000000

struct module;
NTSTATUS nt_query_registry_values(ULONG relative, PCWSTR path,
				  PRTL_QUERY_REGISTRY_TABLE table, PVOID context,
				  struct module *owner);
NTSTATUS nt_open_key(HANDLE *handle, const OBJECT_ATTRIBUTES *attributes,
		     struct module *owner);
NTSTATUS ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
			 KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
			 PVOID KeyValueInformation, ULONG Length, PULONG ResultLength);

/**
 * ZwOpenKey() - open the key of the module that calls this, or its Parameters
 * @KeyHandle: where the handle goes, for ZwQueryValueKey() and ZwClose()
 * @DesiredAccess: not looked at: a key can be read, and that is all
 * @ObjectAttributes: names the key: \Registry\Machine\System\CurrentControlSet\Services
 *	with a name, which is not looked at, or Parameters in such a key. The latter has the
 *	values: the parameters of the module.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_OBJECT_NAME_NOT_FOUND: another key
 *  - STATUS_OBJECT_PATH_SYNTAX_BAD: a full name without a backslash in front
 *  - STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH: of the RootDirectory
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
static inline NTSTATUS ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
				 POBJECT_ATTRIBUTES ObjectAttributes)
{
	UNREFERENCED_PARAMETER(DesiredAccess);
	return nt_open_key(KeyHandle, ObjectAttributes, THIS_MODULE);
}

/**
 * RtlQueryRegistryValues() - read several values of the module that calls this
 * @RelativeTo: RTL_REGISTRY_ABSOLUTE, RTL_REGISTRY_SERVICES or RTL_REGISTRY_HANDLE
 * @Path: the key, or its handle: see ZwOpenKey()
 * @QueryTable: the values, each for its QueryRoutine or, with RTL_QUERY_REGISTRY_DIRECT,
 *	for where its EntryContext points to; and RTL_QUERY_REGISTRY_SUBKEY to go into
 *	Parameters. An entry without a routine and these flags is the end.
 * @Context: for the routines
 * @Environment: not looked at: nothing is expanded
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return: what a routine returned that is no success, or
 *  - STATUS_SUCCESS: values that are not there have their defaults
 *  - STATUS_OBJECT_NAME_NOT_FOUND: no such key, or a value that is
 *    RTL_QUERY_REGISTRY_REQUIRED is not there
 *  - STATUS_OBJECT_TYPE_MISMATCH: not of the type that RTL_QUERY_REGISTRY_TYPECHECK says
 *  - STATUS_BUFFER_TOO_SMALL: where a value was to go
 *  - STATUS_INVALID_PARAMETER: an entry with other flags, or that asks for all values
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
static inline NTSTATUS RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path,
					      PRTL_QUERY_REGISTRY_TABLE QueryTable,
					      PVOID Context, PVOID Environment)
{
	UNREFERENCED_PARAMETER(Environment);
	return nt_query_registry_values(RelativeTo, Path, QueryTable, Context, THIS_MODULE);
}

#endif /* _NT_REGISTRY_H */
