// SPDX-License-Identifier: GPL-2.0
/*
 * As nt_words.c, the words of objects: timers, DPCs, threads, what they wait for, what
 * keeps others out, and the registry.
 *
 * mingw-w64's headers lack KeQueryInterruptTimePrecise(): the suite kmcl_nt_wait has it.
 */
#include "nt_words.h"

C_ASSERT(NotificationTimer == 0 && SynchronizationTimer == 1);
C_ASSERT(LowImportance == 0 && MediumImportance == 1 && HighImportance == 2);
C_ASSERT(WaitAll == 0 && WaitAny == 1);
C_ASSERT(THREAD_WAIT_OBJECTS == 3 && MAXIMUM_WAIT_OBJECTS == 64);
C_ASSERT(WrExecutive == 7 && WrUserRequest == 13);
C_ASSERT(THREAD_ALL_ACCESS == 0x1fffff && SYNCHRONIZE == 0x100000);
C_ASSERT(OBJ_CASE_INSENSITIVE == 0x40 && OBJ_KERNEL_HANDLE == 0x200);
C_ASSERT(sizeof(OBJECT_ATTRIBUTES) == 48);
C_ASSERT(FIELD_OFFSET(OBJECT_ATTRIBUTES, ObjectName) == 16);
C_ASSERT(FIELD_OFFSET(OBJECT_ATTRIBUTES, Attributes) == 24);
C_ASSERT(sizeof(CLIENT_ID) == 16);
C_ASSERT(KEY_READ == 0x20019 && KEY_WRITE == 0x20006 && KEY_ALL_ACCESS == 0xf003f);
C_ASSERT(REG_SZ == 1 && REG_BINARY == 3 && REG_DWORD == 4 && REG_MULTI_SZ == 7);
C_ASSERT(REG_QWORD == 11);
C_ASSERT(KeyValueBasicInformation == 0 && KeyValuePartialInformation == 2);
C_ASSERT(FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name) == 12);
C_ASSERT(FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name) == 20);
C_ASSERT(FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) == 12);
C_ASSERT(CustomPriorityWorkQueue == 32);

static ULONG NtWordsLine;

#define TAG	0x4b547374
#define SERVICES	L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

static NTSTATUS NtWordsWait(PVOID Object)
{
	LARGE_INTEGER limit;

	limit.QuadPart = -10 * 10000000LL;
	return KeWaitForSingleObject(Object, Executive, KernelMode, FALSE, &limit);
}

static KDEFERRED_ROUTINE NtWordsDpcRoutine;

static VOID NtWordsDpcRoutine(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
	UNREFERENCED_PARAMETER(Dpc);
	UNREFERENCED_PARAMETER(Argument1);
	UNREFERENCED_PARAMETER(Argument2);
	InterlockedIncrement((PLONG)Context);
}

static VOID NtWordsTimer(VOID)
{
	LONG calls = 0;
	LARGE_INTEGER due;
	KTIMER timer;
	KDPC dpc;

	KeInitializeDpc(&dpc, NtWordsDpcRoutine, &calls);
	KeInitializeTimer(&timer);
	due.QuadPart = -10000;
	CHECK(!KeSetTimer(&timer, due, &dpc));
	CHECK(NtWordsWait(&timer) == STATUS_SUCCESS);
	CHECK(KeReadStateTimer(&timer));
	KeFlushQueuedDpcs();
	CHECK(calls == 1);

	KeInitializeTimerEx(&timer, SynchronizationTimer);
	CHECK(!KeSetTimerEx(&timer, due, 1, NULL));
	CHECK(NtWordsWait(&timer) == STATUS_SUCCESS);
	CHECK(KeCancelTimer(&timer));
	CHECK(!KeSetCoalescableTimer(&timer, due, 0, 10, NULL));
	CHECK(NtWordsWait(&timer) == STATUS_SUCCESS);
}

static VOID NtWordsDpc(VOID)
{
	LONG calls = 0;
	KDPC dpc;

	KeInitializeDpc(&dpc, NtWordsDpcRoutine, &calls);
	KeSetImportanceDpc(&dpc, HighImportance);
	KeSetTargetProcessorDpc(&dpc, 0);
	CHECK(!KeRemoveQueueDpc(&dpc));
	CHECK(KeInsertQueueDpc(&dpc, NULL, NULL));
	KeFlushQueuedDpcs();
	CHECK(calls == 1);
	KeInitializeThreadedDpc(&dpc, NtWordsDpcRoutine, &calls);
	CHECK(KeInsertQueueDpc(&dpc, NULL, NULL));
	KeFlushQueuedDpcs();
	CHECK(calls == 2);
}

static VOID NtWordsSeveral(VOID)
{
	PVOID objects[2];
	KWAIT_BLOCK blocks[2];
	KSEMAPHORE semaphore;
	KMUTEX mutex;

	KeInitializeMutex(&mutex, 0);
	CHECK(KeReadStateMutex(&mutex) == 1);
	CHECK(KeWaitForMutexObject(&mutex, Executive, KernelMode, FALSE, NULL) ==
	      STATUS_SUCCESS);
	KeInitializeSemaphore(&semaphore, 2, 2);
	CHECK(KeReadStateSemaphore(&semaphore) == 2);
	objects[0] = &semaphore;
	objects[1] = &mutex;
	CHECK(KeWaitForMultipleObjects(2, objects, WaitAny, Executive, KernelMode, FALSE, NULL,
				       NULL) == STATUS_WAIT_0);
	CHECK(KeWaitForMultipleObjects(2, objects, WaitAll, Executive, KernelMode, FALSE, NULL,
				       blocks) == STATUS_SUCCESS);
	CHECK(KeReleaseMutex(&mutex, FALSE) != 0);
	CHECK(KeReleaseMutex(&mutex, FALSE) == 0);
}

static KSTART_ROUTINE NtWordsThreadRoutine;

static VOID NtWordsThreadRoutine(PVOID Context)
{
	*(PVOID *)Context = KeGetCurrentThread();
	CHECK((PVOID)PsGetCurrentThread() == (PVOID)KeGetCurrentThread());
	KeSetPriorityThread(KeGetCurrentThread(), LOW_REALTIME_PRIORITY);
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID NtWordsThread(VOID)
{
	OBJECT_ATTRIBUTES attributes;
	PVOID thread, self = NULL;
	CLIENT_ID id;
	HANDLE handle;

	InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
	if (!NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, &id,
					     NtWordsThreadRoutine, &self))) {
		CHECK(FALSE);
		return;
	}
	CHECK(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, *PsThreadType, KernelMode,
					&thread, NULL) == STATUS_SUCCESS);
	CHECK(ZwClose(handle) == STATUS_SUCCESS);
	CHECK(NtWordsWait(thread) == STATUS_SUCCESS);
	CHECK(self == thread);
	ObReferenceObject(thread);
	ObDereferenceObject(thread);
	ObDereferenceObject(thread);
	CHECK(id.UniqueThread != PsGetCurrentThreadId());
}

static VOID NtWordsResource(VOID)
{
	ERESOURCE resource;

	CHECK(ExInitializeResourceLite(&resource) == STATUS_SUCCESS);
	KeEnterCriticalRegion();
	CHECK(ExAcquireResourceExclusiveLite(&resource, TRUE));
	CHECK(ExIsResourceAcquiredExclusiveLite(&resource));
	ExConvertExclusiveToSharedLite(&resource);
	CHECK(ExAcquireResourceSharedLite(&resource, TRUE));
	CHECK(ExIsResourceAcquiredSharedLite(&resource) == 2);
	CHECK(ExIsResourceAcquiredLite(&resource));
	ExReleaseResourceLite(&resource);
	ExReleaseResourceLite(&resource);
	KeLeaveCriticalRegion();
	CHECK(ExAcquireSharedStarveExclusive(&resource, TRUE));
	CHECK(ExAcquireSharedWaitForExclusive(&resource, TRUE));
	ExReleaseResourceLite(&resource);
	ExReleaseResourceLite(&resource);
	ExEnterCriticalRegionAndAcquireResourceShared(&resource);
	ExReleaseResourceAndLeaveCriticalRegion(&resource);
	ExEnterCriticalRegionAndAcquireResourceExclusive(&resource);
	ExReleaseResourceAndLeaveCriticalRegion(&resource);
	CHECK(ExReinitializeResourceLite(&resource) == STATUS_SUCCESS);
	ExDeleteResourceLite(&resource);
}

static VOID NtWordsGuarded(VOID)
{
	KGUARDED_MUTEX mutex;
	FAST_MUTEX fast;

	KeInitializeGuardedMutex(&mutex);
	KeAcquireGuardedMutex(&mutex);
	KeReleaseGuardedMutex(&mutex);
	CHECK(KeTryToAcquireGuardedMutex(&mutex));
	KeReleaseGuardedMutex(&mutex);
	ExInitializeFastMutex(&fast);
	KeEnterCriticalRegion();
	ExAcquireFastMutexUnsafe(&fast);
	ExReleaseFastMutexUnsafe(&fast);
	KeLeaveCriticalRegion();
	KeEnterGuardedRegion();
	KeAcquireGuardedMutexUnsafe(&mutex);
	KeReleaseGuardedMutexUnsafe(&mutex);
	KeLeaveGuardedRegion();
}

static VOID NtWordsRundown(VOID)
{
	EX_RUNDOWN_REF rundown;
	IO_REMOVE_LOCK lock;

	ExInitializeRundownProtection(&rundown);
	CHECK(ExAcquireRundownProtection(&rundown));
	CHECK(ExAcquireRundownProtectionEx(&rundown, 2));
	ExReleaseRundownProtectionEx(&rundown, 2);
	ExReleaseRundownProtection(&rundown);
	ExWaitForRundownProtectionRelease(&rundown);
	CHECK(!ExAcquireRundownProtection(&rundown));
	ExRundownCompleted(&rundown);
	ExReInitializeRundownProtection(&rundown);

	IoInitializeRemoveLock(&lock, TAG, 0, 0);
	CHECK(IoAcquireRemoveLock(&lock, &lock) == STATUS_SUCCESS);
	IoReleaseRemoveLock(&lock, &lock);
	CHECK(IoAcquireRemoveLock(&lock, NULL) == STATUS_SUCCESS);
	IoReleaseRemoveLockAndWait(&lock, NULL);
	CHECK(IoAcquireRemoveLock(&lock, NULL) == STATUS_DELETE_PENDING);
}

typedef struct _NT_WORDS_ITEM {
	WORK_QUEUE_ITEM Item;
	PIO_WORKITEM Io;
	KEVENT Done;
} NT_WORDS_ITEM, *PNT_WORDS_ITEM;

static WORKER_THREAD_ROUTINE NtWordsWorker;
static IO_WORKITEM_ROUTINE_EX NtWordsWorkerEx;

static VOID NtWordsWorker(PVOID Parameter)
{
	PNT_WORDS_ITEM item = (PNT_WORDS_ITEM)Parameter;

	KeSetEvent(&item->Done, IO_NO_INCREMENT, FALSE);
}

static VOID NtWordsWorkerEx(PVOID IoObject, PVOID Context, PIO_WORKITEM IoWorkItem)
{
	PNT_WORDS_ITEM item = (PNT_WORDS_ITEM)Context;

	UNREFERENCED_PARAMETER(IoObject);
	CHECK(IoWorkItem == item->Io);
	KeSetEvent(&item->Done, IO_NO_INCREMENT, FALSE);
}

static VOID NtWordsItem(VOID)
{
	NT_WORDS_ITEM item;

	KeInitializeEvent(&item.Done, SynchronizationEvent, FALSE);
	ExInitializeWorkItem(&item.Item, NtWordsWorker, &item);
	ExQueueWorkItem(&item.Item, DelayedWorkQueue);
	CHECK(NtWordsWait(&item.Done) == STATUS_SUCCESS);

	item.Io = IoAllocateWorkItem(NULL);
	CHECK(item.Io && IoSizeofWorkItem());
	if (!item.Io)
		return;
	IoQueueWorkItemEx(item.Io, NtWordsWorkerEx, DelayedWorkQueue, &item);
	CHECK(NtWordsWait(&item.Done) == STATUS_SUCCESS);
	IoFreeWorkItem(item.Io);

	item.Io = (PIO_WORKITEM)ExAllocatePoolWithTag(NonPagedPoolNx, IoSizeofWorkItem(), TAG);
	CHECK(item.Io);
	if (!item.Io)
		return;
	IoInitializeWorkItem(NULL, item.Io);
	IoQueueWorkItemEx(item.Io, NtWordsWorkerEx, DelayedWorkQueue, &item);
	CHECK(NtWordsWait(&item.Done) == STATUS_SUCCESS);
	IoUninitializeWorkItem(item.Io);
	ExFreePool(item.Io);
}

static VOID NtWordsLocked(VOID)
{
	SINGLE_LIST_ENTRY single, one;
	LIST_ENTRY head, a, b;
	KSPIN_LOCK lock;
	BOOLEAN taken = FALSE;
	KIRQL old;

	KeInitializeSpinLock(&lock);
	InitializeListHead(&head);
	CHECK(!ExInterlockedInsertTailList(&head, &a, &lock));
	CHECK(ExInterlockedInsertHeadList(&head, &b, &lock) == &a);
	CHECK(ExInterlockedRemoveHeadList(&head, &lock) == &b);
	CHECK(ExInterlockedRemoveHeadList(&head, &lock) == &a);
	CHECK(!ExInterlockedRemoveHeadList(&head, &lock));

	single.Next = NULL;
	CHECK(!ExInterlockedPushEntryList(&single, &one, &lock));
	CHECK(ExInterlockedPopEntryList(&single, &lock) == &one);
	CHECK(!ExInterlockedPopEntryList(&single, &lock));

	old = KeAcquireSpinLockRaiseToDpc(&lock);
	KeReleaseSpinLockFromDpcLevel(&lock);
	if (KeTryToAcquireSpinLockAtDpcLevel(&lock)) {
		taken = TRUE;
		KeReleaseSpinLockFromDpcLevel(&lock);
	}
	KeLowerIrql(old);
	CHECK(taken);
}

static VOID NtWordsTick(VOID)
{
	LARGE_INTEGER ticks;

	KeQueryTickCount(&ticks);
	CHECK(ticks.QuadPart > 0);
	CHECK(KeQueryTimeIncrement() > 0);
	CHECK(KeQueryUnbiasedInterruptTime() > 0);
	KeStallExecutionProcessor(10);
}

/* A parameter of no driver's. */
static VOID NtWordsRegistry(VOID)
{
	OBJECT_ATTRIBUTES attributes;
	RTL_QUERY_REGISTRY_TABLE table[2];
	UNICODE_STRING name, value;
	ULONG length, number = 0;
	UCHAR room[64];
	HANDLE key;

	RtlInitUnicodeString(&name, SERVICES L"NtWords\\Parameters");
	RtlInitUnicodeString(&value, L"NtWordsNone");
	InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE,
				   NULL, NULL);
	if (!NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes))) {
		CHECK(FALSE);
		return;
	}
	CHECK(ZwQueryValueKey(key, &value, KeyValuePartialInformation, room, sizeof(room),
			      &length) == STATUS_OBJECT_NAME_NOT_FOUND);
	CHECK(ZwClose(key) == STATUS_SUCCESS);

	RtlZeroMemory(table, sizeof(table));
	table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED;
	table[0].Name = (PWSTR)L"NtWordsNone";
	table[0].EntryContext = &number;
	CHECK(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"NtWords\\Parameters", table, NULL,
				     NULL) == STATUS_OBJECT_NAME_NOT_FOUND);
}

ULONG NtWordsObjects(VOID)
{
	NtWordsLine = 0;
	NtWordsTimer();
	NtWordsDpc();
	NtWordsSeveral();
	NtWordsThread();
	NtWordsResource();
	NtWordsGuarded();
	NtWordsRundown();
	NtWordsItem();
	NtWordsLocked();
	NtWordsTick();
	NtWordsRegistry();
	return NtWordsLine;
}
