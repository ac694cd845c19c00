// SPDX-License-Identifier: GPL-2.0
/*
 * Every word of Windows' that include/nt has, used once in the way in which both
 * systems know it: scripts/lint compiles this file against mingw-w64's headers
 * too, and the suite kmcl_nt runs it.
 *
 * mingw-w64's headers lack ExAllocatePool2(), ExAllocatePoolZero(),
 * KeQuerySystemTimePrecise(), KeMemoryBarrier() and MdlMappingNoExecute. What of
 * these is a call is used under __KERNEL__, which only Linux defines.
 */
#include "nt_words.h"

C_ASSERT(sizeof(MDL) == 48);
C_ASSERT(FIELD_OFFSET(MDL, Next) == 0);
C_ASSERT(FIELD_OFFSET(MDL, Size) == 8);
C_ASSERT(FIELD_OFFSET(MDL, MdlFlags) == 10);
C_ASSERT(FIELD_OFFSET(MDL, Process) == 16);
C_ASSERT(FIELD_OFFSET(MDL, MappedSystemVa) == 24);
C_ASSERT(FIELD_OFFSET(MDL, StartVa) == 32);
C_ASSERT(FIELD_OFFSET(MDL, ByteCount) == 40);
C_ASSERT(FIELD_OFFSET(MDL, ByteOffset) == 44);
C_ASSERT(RTL_FIELD_SIZE(MDL, Size) == 2);
C_ASSERT(RTL_FIELD_SIZE(MDL, MdlFlags) == 2);
C_ASSERT(RTL_FIELD_SIZE(MDL, ByteCount) == 4);
C_ASSERT(RTL_FIELD_SIZE(MDL, ByteOffset) == 4);
C_ASSERT(sizeof(PFN_NUMBER) == 8);

C_ASSERT(MDL_MAPPED_TO_SYSTEM_VA == 0x0001);
C_ASSERT(MDL_PAGES_LOCKED == 0x0002);
C_ASSERT(MDL_SOURCE_IS_NONPAGED_POOL == 0x0004);
C_ASSERT(MDL_ALLOCATED_FIXED_SIZE == 0x0008);
C_ASSERT(MDL_PARTIAL == 0x0010);
C_ASSERT(MDL_PARTIAL_HAS_BEEN_MAPPED == 0x0020);
C_ASSERT(MDL_IO_PAGE_READ == 0x0040);
C_ASSERT(MDL_WRITE_OPERATION == 0x0080);
C_ASSERT(MDL_PARENT_MAPPED_SYSTEM_VA == 0x0100);
C_ASSERT(MDL_FREE_EXTRA_PTES == 0x0200);
C_ASSERT(MDL_DESCRIBES_AWE == 0x0400);
C_ASSERT(MDL_IO_SPACE == 0x0800);
C_ASSERT(MDL_NETWORK_HEADER == 0x1000);
C_ASSERT(MDL_MAPPING_CAN_FAIL == 0x2000);
C_ASSERT(MDL_ALLOCATED_MUST_SUCCEED == 0x4000);
C_ASSERT(MDL_INTERNAL == 0x8000);
C_ASSERT(KernelMode == 0 && UserMode == 1);
C_ASSERT(IoReadAccess == 0 && IoWriteAccess == 1 && IoModifyAccess == 2);
C_ASSERT(MmNonCached == 0 && MmCached == 1 && MmWriteCombined == 2);
C_ASSERT(LowPagePriority == 0 && NormalPagePriority == 16 && HighPagePriority == 32);

C_ASSERT(sizeof(LARGE_INTEGER) == 8);
C_ASSERT(FIELD_OFFSET(LARGE_INTEGER, HighPart) == 4);
C_ASSERT(sizeof(ULARGE_INTEGER) == 8);
C_ASSERT(sizeof(UNICODE_STRING) == 16);
C_ASSERT(FIELD_OFFSET(UNICODE_STRING, MaximumLength) == 2);
C_ASSERT(FIELD_OFFSET(UNICODE_STRING, Buffer) == 8);
C_ASSERT(sizeof(LIST_ENTRY) == 16);
C_ASSERT(FIELD_OFFSET(LIST_ENTRY, Blink) == 8);
C_ASSERT(sizeof(GUID) == 16);
C_ASSERT(sizeof(INTERFACE) == 32);
C_ASSERT(FIELD_OFFSET(INTERFACE, Context) == 8);
C_ASSERT(sizeof(KIRQL) == 1 && sizeof(KPROCESSOR_MODE) == 1);
C_ASSERT(sizeof(LONG) == 4 && sizeof(LONG64) == 8 && sizeof(WCHAR) == 2);

C_ASSERT(PASSIVE_LEVEL == 0 && APC_LEVEL == 1 && DISPATCH_LEVEL == 2 && HIGH_LEVEL == 15);
C_ASSERT(NotificationEvent == 0 && SynchronizationEvent == 1);
C_ASSERT(Executive == 0 && UserRequest == 6);
C_ASSERT(IO_NO_INCREMENT == 0 && EVENT_INCREMENT == 1);
C_ASSERT(CriticalWorkQueue == 0 && DelayedWorkQueue == 1 && HyperCriticalWorkQueue == 2);
C_ASSERT(NonPagedPool == 0 && PagedPool == 1 && NonPagedPoolNx == 512);
C_ASSERT(PAGE_SIZE == 4096 && PAGE_SHIFT == 12);

/* Compilers warn of 'tsTK', as drivers for Windows spell it. */
#define TAG	0x4b547374

/* The first line where something was not as it is to be. */
static ULONG NtWordsLine;

#define CHECK(condition)	\
	((void)((condition) || NtWordsLine || (NtWordsLine = __LINE__)))

static VOID NtWordsMdlUse(PMDL Mdl, PMDL Part, PUCHAR Buffer, ULONG Length)
{
	PUCHAR address;

	MmBuildMdlForNonPagedPool(Mdl);
	CHECK(MmGetMdlByteCount(Mdl) == Length);
	CHECK(MmGetMdlByteOffset(Mdl) == BYTE_OFFSET(Buffer));
	CHECK(MmGetMdlVirtualAddress(Mdl) == Buffer);
	CHECK(MmGetMdlPfnArray(Mdl)[0]);
	address = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
	CHECK(address == Buffer);
	CHECK(ADDRESS_AND_SIZE_TO_SPAN_PAGES(Buffer, Length) == 2);
	CHECK(BYTES_TO_PAGES(Length) == 2);
	CHECK(ROUND_TO_PAGES(Length) == 2 * PAGE_SIZE);
	CHECK(MmSizeOfMdl(Buffer, Length) == sizeof(MDL) + 2 * sizeof(PFN_NUMBER));

	IoBuildPartialMdl(Mdl, Part, Buffer + 1, 1);
	CHECK(MmGetMdlPfnArray(Part)[0] == MmGetMdlPfnArray(Mdl)[0]);
	MmPrepareMdlForReuse(Part);

	MmInitializeMdl(Part, Buffer, Length);
	MmProbeAndLockPages(Part, KernelMode, IoWriteAccess);
	CHECK(Part->MdlFlags & MDL_PAGES_LOCKED);
	address = MmMapLockedPagesSpecifyCache(Part, KernelMode, MmCached, NULL,
					       FALSE, NormalPagePriority);
	CHECK(address);
	MmUnmapLockedPages(address, Part);
	MmUnlockPages(Part);
}

static VOID NtWordsMdl(VOID)
{
	ULONG length = PAGE_SIZE + 1;
	PUCHAR buffer;
	PMDL mdl, part;

	buffer = ExAllocatePoolWithTag(NonPagedPoolNx, length, TAG);
	CHECK(buffer);
	if (!buffer)
		return;
	mdl = IoAllocateMdl(buffer, length, FALSE, FALSE, NULL);
	part = IoAllocateMdl(buffer, length, FALSE, FALSE, NULL);
	CHECK(mdl && part);
	if (mdl && part)
		NtWordsMdlUse(mdl, part, buffer, length);
	if (part)
		IoFreeMdl(part);
	if (mdl)
		IoFreeMdl(mdl);
	ExFreePoolWithTag(buffer, TAG);
}

static VOID NtWordsEvent(VOID)
{
	LARGE_INTEGER timeout;
	KSEMAPHORE semaphore;
	KEVENT event;

	KeInitializeEvent(&event, SynchronizationEvent, FALSE);
	CHECK(!KeReadStateEvent(&event));
	CHECK(!KeSetEvent(&event, IO_NO_INCREMENT, FALSE));
	CHECK(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL) ==
	      STATUS_SUCCESS);
	timeout.QuadPart = 0;
	CHECK(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &timeout) ==
	      STATUS_TIMEOUT);
	CHECK(!KeSetEvent(&event, EVENT_INCREMENT, FALSE));
	CHECK(KeResetEvent(&event));
	KeClearEvent(&event);

	KeInitializeSemaphore(&semaphore, 0, 2);
	CHECK(!KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE));
	CHECK(KeWaitForSingleObject(&semaphore, Executive, KernelMode, FALSE, NULL) ==
	      STATUS_SUCCESS);

	timeout.QuadPart = -10;
	CHECK(KeDelayExecutionThread(KernelMode, FALSE, &timeout) == STATUS_SUCCESS);
}

static VOID NtWordsLock(VOID)
{
	KLOCK_QUEUE_HANDLE handle;
	FAST_MUTEX mutex;
	KSPIN_LOCK lock;
	BOOLEAN taken;
	KIRQL old, level;

	PAGED_CODE();
	CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);
	KeInitializeSpinLock(&lock);
	KeAcquireSpinLock(&lock, &old);
	level = KeGetCurrentIrql();
	KeReleaseSpinLock(&lock, old);
	CHECK(level == DISPATCH_LEVEL && old == PASSIVE_LEVEL);

	KeRaiseIrql(DISPATCH_LEVEL, &old);
	KeAcquireSpinLockAtDpcLevel(&lock);
	KeReleaseSpinLockFromDpcLevel(&lock);
	KeAcquireInStackQueuedSpinLockAtDpcLevel(&lock, &handle);
	KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle);
	KeLowerIrql(old);
	old = KeRaiseIrqlToDpcLevel();
	KeLowerIrql(old);
	KeAcquireInStackQueuedSpinLock(&lock, &handle);
	KeReleaseInStackQueuedSpinLock(&handle);
	CHECK(KeGetCurrentIrql() == PASSIVE_LEVEL);

	ExInitializeFastMutex(&mutex);
	ExAcquireFastMutex(&mutex);
	ExReleaseFastMutex(&mutex);
	taken = ExTryToAcquireFastMutex(&mutex);
	CHECK(taken);
	ExReleaseFastMutex(&mutex);
}

static VOID NtWordsInterlocked(VOID)
{
	LONG64 wide = 1LL << 40;
	LONG word = 5;
	PVOID pointer = NULL;
	PVOID other = &word;

	CHECK(InterlockedIncrement(&word) == 6);
	CHECK(InterlockedDecrement(&word) == 5);
	CHECK(InterlockedAdd(&word, 2) == 7);
	CHECK(InterlockedExchangeAdd(&word, 2) == 7);
	CHECK(InterlockedExchange(&word, 12) == 9);
	CHECK(InterlockedCompareExchange(&word, 1, 2) == 12);
	CHECK(InterlockedCompareExchange(&word, 13, 12) == 12);
	CHECK(InterlockedAnd(&word, 9) == 13);
	CHECK(InterlockedOr(&word, 2) == 9);
	CHECK(InterlockedXor(&word, 3) == 11);
	CHECK(word == 8);

	CHECK(InterlockedIncrement64(&wide) == (1LL << 40) + 1);
	CHECK(InterlockedDecrement64(&wide) == 1LL << 40);
	CHECK(InterlockedAdd64(&wide, 1LL << 40) == 2LL << 40);
	CHECK(InterlockedExchangeAdd64(&wide, 1) == 2LL << 40);
	CHECK(InterlockedExchange64(&wide, 12LL << 32) == (2LL << 40) + 1);
	CHECK(InterlockedCompareExchange64(&wide, 1, 2) == 12LL << 32);
	CHECK(InterlockedCompareExchange64(&wide, 13LL << 32, 12LL << 32) == 12LL << 32);
	CHECK(InterlockedAnd64(&wide, 9LL << 32) == 13LL << 32);
	CHECK(InterlockedOr64(&wide, 2LL << 32) == 9LL << 32);
	CHECK(InterlockedXor64(&wide, 3LL << 32) == 11LL << 32);
	CHECK(wide == 8LL << 32);

	CHECK(!InterlockedExchangePointer(&pointer, other));
	CHECK(InterlockedCompareExchangePointer(&pointer, NULL, NULL) == other);
	CHECK(InterlockedCompareExchangePointer(&pointer, NULL, other) == other);
	CHECK(!pointer);
#ifdef __KERNEL__
	KeMemoryBarrier();
#endif
}

static VOID NtWordsMemory(VOID)
{
	NPAGED_LOOKASIDE_LIST list;
	UCHAR a[8], b[8];
	PVOID entry;

	RtlFillMemory(a, sizeof(a), 0xa5);
	RtlCopyMemory(b, a, sizeof(b));
	CHECK(RtlEqualMemory(a, b, sizeof(a)));
	b[5] = 0;
	CHECK(RtlCompareMemory(a, b, sizeof(a)) == 5);
	RtlMoveMemory(a, b + 1, 7);
	CHECK(!a[4]);
	RtlZeroMemory(a, sizeof(a));
	RtlSecureZeroMemory(b, sizeof(b));
	CHECK(RtlEqualMemory(a, b, sizeof(a)));

	ExInitializeNPagedLookasideList(&list, NULL, NULL, 0, 100, TAG, 0);
	entry = ExAllocateFromNPagedLookasideList(&list);
	if (entry)
		ExFreeToNPagedLookasideList(&list, entry);
	ExDeleteNPagedLookasideList(&list);
	CHECK(entry);

	entry = ExAllocatePoolWithTag(NonPagedPoolNx, 100, TAG);
	CHECK(entry);
	if (entry)
		ExFreePool(entry);
#ifdef __KERNEL__
	entry = ExAllocatePoolZero(NonPagedPoolNx, 100, TAG);
	CHECK(entry);
	if (entry)
		ExFreePoolWithTag(entry, TAG);
	entry = ExAllocatePool2(POOL_FLAG_NON_PAGED, 100, TAG);
	CHECK(entry);
	if (entry)
		ExFreePoolWithTag(entry, TAG);
#endif
}

static VOID NtWordsTime(VOID)
{
	LARGE_INTEGER now, counter, frequency;

	KeQuerySystemTime(&now);
	CHECK(now.QuadPart > 0);
#ifdef __KERNEL__
	KeQuerySystemTimePrecise(&now);
	CHECK(now.QuadPart > 0);
#endif
	CHECK(KeQueryInterruptTime());
	counter = KeQueryPerformanceCounter(&frequency);
	CHECK(counter.QuadPart > 0 && frequency.QuadPart > 0);
}

static VOID NtWordsString(VOID)
{
	UNICODE_STRING one, other, copy;
	WCHAR room[8];

	RtlInitUnicodeString(&one, L"Channel");
	RtlInitUnicodeString(&other, L"channel");
	CHECK(RtlCompareUnicodeString(&one, &other, FALSE) < 0);
	CHECK(!RtlEqualUnicodeString(&one, &other, FALSE));
	CHECK(RtlEqualUnicodeString(&one, &other, TRUE));
	copy.Buffer = room;
	copy.Length = 0;
	copy.MaximumLength = sizeof(room);
	RtlCopyUnicodeString(&copy, &one);
	CHECK(RtlEqualUnicodeString(&one, &copy, FALSE));
	CHECK(RtlUpcaseUnicodeChar(L'x') == L'X');
}

typedef struct _NT_WORDS_WORK {
	PIO_WORKITEM Item;
	KEVENT Done;
} NT_WORDS_WORK, *PNT_WORDS_WORK;

static IO_WORKITEM_ROUTINE NtWordsRoutine;

static VOID NtWordsRoutine(PDEVICE_OBJECT Device, PVOID Context)
{
	PNT_WORDS_WORK work = Context;

	UNREFERENCED_PARAMETER(Device);
	IoFreeWorkItem(work->Item);
	KeSetEvent(&work->Done, IO_NO_INCREMENT, FALSE);
}

static VOID NtWordsWork(VOID)
{
	NT_WORDS_WORK work;

	KeInitializeEvent(&work.Done, NotificationEvent, FALSE);
	work.Item = IoAllocateWorkItem(NULL);
	CHECK(work.Item);
	if (!work.Item)
		return;
	IoQueueWorkItem(work.Item, NtWordsRoutine, DelayedWorkQueue, &work);
	KeWaitForSingleObject(&work.Done, Executive, KernelMode, FALSE, NULL);
}

static VOID NtWordsList(VOID)
{
	LIST_ENTRY head, a, b;

	InitializeListHead(&head);
	CHECK(IsListEmpty(&head));
	InsertTailList(&head, &b);
	InsertHeadList(&head, &a);
	CHECK(RemoveTailList(&head) == &b);
	InsertTailList(&head, &b);
	CHECK(RemoveHeadList(&head) == &a);
	CHECK(RemoveEntryList(&b));
}

ULONG NtWords(VOID)
{
	NtWordsLine = 0;
	NtWordsMdl();
	NtWordsEvent();
	NtWordsLock();
	NtWordsInterlocked();
	NtWordsMemory();
	NtWordsTime();
	NtWordsString();
	NtWordsWork();
	NtWordsList();
	NT_ASSERT(!NtWordsLine);
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "nt words: %u\n", NtWordsLine);
	if (NtWordsLine == 0xffffffff)
		KeBugCheckEx(NtWordsLine, 1, 2, 3, 4);
	return NtWordsLine;
}
