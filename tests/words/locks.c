// SPDX-License-Identifier: GPL-2.0
/* A table that many read, a device that is removed when no one uses it, settings. */
#include <ntddk.h>

#define TABLE_TAG	'lbaT'

typedef struct _TABLE {
	ERESOURCE Resource;
	LIST_ENTRY Entries;
	ULONG Count;
} TABLE, *PTABLE;

typedef struct _TABLE_ENTRY {
	LIST_ENTRY Link;
	ULONG Key;
	ULONG Value;
} TABLE_ENTRY, *PTABLE_ENTRY;

typedef struct _ADAPTER {
	IO_REMOVE_LOCK RemoveLock;
	EX_RUNDOWN_REF Rundown;
	KGUARDED_MUTEX Mutex;
	FAST_MUTEX FastMutex;
	ULONG RingPages;
} ADAPTER, *PADAPTER;

NTSTATUS TableInitialize(_Out_ PTABLE Table);
VOID TableDelete(_Inout_ PTABLE Table);
NTSTATUS TableInsert(_Inout_ PTABLE Table, _In_ ULONG Key, _In_ ULONG Value);
BOOLEAN TableLookup(_Inout_ PTABLE Table, _In_ ULONG Key, _Out_ PULONG Value);
BOOLEAN TableTryRemove(_Inout_ PTABLE Table, _In_ ULONG Key);
VOID AdapterInitialize(_Out_ PADAPTER Adapter);
NTSTATUS AdapterUse(_Inout_ PADAPTER Adapter);
BOOLEAN AdapterSend(_Inout_ PADAPTER Adapter);
VOID AdapterRemove(_Inout_ PADAPTER Adapter);
NTSTATUS AdapterReadSetting(_In_ PUNICODE_STRING RegistryPath, _In_ PCWSTR Name, _Out_ PULONG Value);

NTSTATUS
TableInitialize(
	_Out_ PTABLE Table
	)
{
	InitializeListHead(&Table->Entries);
	Table->Count = 0;
	return ExInitializeResourceLite(&Table->Resource);
}

static PTABLE_ENTRY
TableFind(
	_In_ PTABLE Table,
	_In_ ULONG Key
	)
{
	PLIST_ENTRY Link;

	for (Link = Table->Entries.Flink; Link != &Table->Entries; Link = Link->Flink) {
		PTABLE_ENTRY Entry = CONTAINING_RECORD(Link, TABLE_ENTRY, Link);

		if (Entry->Key == Key)
			return Entry;
	}
	return NULL;
}

NTSTATUS
TableInsert(
	_Inout_ PTABLE Table,
	_In_ ULONG Key,
	_In_ ULONG Value
	)
{
	NTSTATUS Status = STATUS_SUCCESS;
	PTABLE_ENTRY Entry;

	PAGED_CODE();

	Entry = (PTABLE_ENTRY)ExAllocatePoolWithTag(PagedPool, sizeof(*Entry), TABLE_TAG);
	if (Entry == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	Entry->Key = Key;
	Entry->Value = Value;

	KeEnterCriticalRegion();
	ExAcquireResourceExclusiveLite(&Table->Resource, TRUE);
	if (TableFind(Table, Key) == NULL) {
		InsertTailList(&Table->Entries, &Entry->Link);
		Table->Count++;
		Entry = NULL;
	} else {
		Status = STATUS_OBJECT_NAME_COLLISION;
	}
	ExReleaseResourceLite(&Table->Resource);
	KeLeaveCriticalRegion();

	if (Entry != NULL)
		ExFreePoolWithTag(Entry, TABLE_TAG);
	return Status;
}

BOOLEAN
TableLookup(
	_Inout_ PTABLE Table,
	_In_ ULONG Key,
	_Out_ PULONG Value
	)
{
	PTABLE_ENTRY Entry;

	*Value = 0;
	KeEnterCriticalRegion();
	ExAcquireResourceSharedLite(&Table->Resource, TRUE);
	Entry = TableFind(Table, Key);
	if (Entry != NULL)
		*Value = Entry->Value;
	ExReleaseResourceLite(&Table->Resource);
	KeLeaveCriticalRegion();
	return Entry != NULL;
}

BOOLEAN
TableTryRemove(
	_Inout_ PTABLE Table,
	_In_ ULONG Key
	)
{
	PTABLE_ENTRY Entry = NULL;

	KeEnterCriticalRegion();
	if (ExAcquireResourceExclusiveLite(&Table->Resource, FALSE)) {
		Entry = TableFind(Table, Key);
		if (Entry != NULL) {
			RemoveEntryList(&Entry->Link);
			Table->Count--;
		}
		ExReleaseResourceLite(&Table->Resource);
	}
	KeLeaveCriticalRegion();
	if (Entry != NULL)
		ExFreePoolWithTag(Entry, TABLE_TAG);
	return Entry != NULL;
}

VOID
TableDelete(
	_Inout_ PTABLE Table
	)
{
	while (!IsListEmpty(&Table->Entries))
		ExFreePoolWithTag(CONTAINING_RECORD(RemoveHeadList(&Table->Entries), TABLE_ENTRY,
						    Link), TABLE_TAG);
	ExDeleteResourceLite(&Table->Resource);
}

VOID
AdapterInitialize(
	_Out_ PADAPTER Adapter
	)
{
	IoInitializeRemoveLock(&Adapter->RemoveLock, TABLE_TAG, 0, 0);
	ExInitializeRundownProtection(&Adapter->Rundown);
	KeInitializeGuardedMutex(&Adapter->Mutex);
	ExInitializeFastMutex(&Adapter->FastMutex);
	Adapter->RingPages = 0;
}

NTSTATUS
AdapterUse(
	_Inout_ PADAPTER Adapter
	)
{
	NTSTATUS Status;

	Status = IoAcquireRemoveLock(&Adapter->RemoveLock, Adapter);
	if (!NT_SUCCESS(Status))
		return Status;

	KeAcquireGuardedMutex(&Adapter->Mutex);
	Adapter->RingPages++;
	KeReleaseGuardedMutex(&Adapter->Mutex);
	IoReleaseRemoveLock(&Adapter->RemoveLock, Adapter);
	return STATUS_SUCCESS;
}

BOOLEAN
AdapterSend(
	_Inout_ PADAPTER Adapter
	)
{
	if (!ExAcquireRundownProtection(&Adapter->Rundown))
		return FALSE;
	if (ExTryToAcquireFastMutex(&Adapter->FastMutex))
		ExReleaseFastMutex(&Adapter->FastMutex);
	ExReleaseRundownProtection(&Adapter->Rundown);
	return TRUE;
}

VOID
AdapterRemove(
	_Inout_ PADAPTER Adapter
	)
{
	if (!NT_SUCCESS(IoAcquireRemoveLock(&Adapter->RemoveLock, NULL)))
		return;
	ExWaitForRundownProtectionRelease(&Adapter->Rundown);
	IoReleaseRemoveLockAndWait(&Adapter->RemoveLock, NULL);
}

NTSTATUS
AdapterReadSetting(
	_In_ PUNICODE_STRING RegistryPath,
	_In_ PCWSTR Name,
	_Out_ PULONG Value
	)
{
	UCHAR Buffer[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
	PKEY_VALUE_PARTIAL_INFORMATION Information = (PKEY_VALUE_PARTIAL_INFORMATION)Buffer;
	HANDLE ServiceKey, ParametersKey;
	UNICODE_STRING KeyName, ValueName;
	OBJECT_ATTRIBUTES Attributes;
	NTSTATUS Status;
	ULONG Length;

	PAGED_CODE();

	*Value = 0;
	InitializeObjectAttributes(&Attributes, RegistryPath,
				   OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
	Status = ZwOpenKey(&ServiceKey, KEY_READ, &Attributes);
	if (!NT_SUCCESS(Status))
		return Status;

	RtlInitUnicodeString(&KeyName, L"Parameters");
	InitializeObjectAttributes(&Attributes, &KeyName,
				   OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, ServiceKey, NULL);
	Status = ZwOpenKey(&ParametersKey, KEY_READ, &Attributes);
	if (NT_SUCCESS(Status)) {
		RtlInitUnicodeString(&ValueName, Name);
		Status = ZwQueryValueKey(ParametersKey, &ValueName, KeyValuePartialInformation,
					 Information, sizeof(Buffer), &Length);
		if (NT_SUCCESS(Status)) {
			if (Information->Type == REG_DWORD &&
			    Information->DataLength == sizeof(ULONG))
				RtlCopyMemory(Value, Information->Data, sizeof(ULONG));
			else
				Status = STATUS_OBJECT_TYPE_MISMATCH;
		} else if (Status == STATUS_OBJECT_NAME_NOT_FOUND) {
			DbgPrint("the default is used\n");
		}
		ZwClose(ParametersKey);
	}
	ZwClose(ServiceKey);
	return Status;
}
