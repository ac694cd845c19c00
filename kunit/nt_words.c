// SPDX-License-Identifier: GPL-2.0
/*
 * Every word of Windows' that include/nt has, used once in the way in which both
 * systems know it: scripts/lint compiles this file against mingw-w64's headers
 * too, and the suite kmcl_nt runs it.
 *
 * mingw-w64's headers lack ExAllocatePool2(), ExAllocatePoolZero(),
 * KeQuerySystemTimePrecise(), KeMemoryBarrier(), MdlMappingNoExecute, ALLOCATE_FUNCTION_EX,
 * FREE_FUNCTION_EX, and of the interlocked operations those on 16 bits and those that
 * name an order. What of these is a call is used under __KERNEL__, which only Linux
 * defines.
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
C_ASSERT(sizeof(SLIST_ENTRY) == 16);
C_ASSERT(FIELD_OFFSET(SLIST_ENTRY, Next) == 0);
C_ASSERT(MEMORY_ALLOCATION_ALIGNMENT == 16);
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
C_ASSERT(POOL_QUOTA_FAIL_INSTEAD_OF_RAISE == 8);
C_ASSERT(EX_LOOKASIDE_LIST_EX_FLAGS_RAISE_ON_FAIL == 1);
C_ASSERT(EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE == 2);
C_ASSERT(PAGE_SIZE == 1 << PAGE_SHIFT && BYTES_TO_PAGES(4096) == 1);

/* Compilers warn of 'tsTK', as drivers for Windows spell it. */
#define TAG	0x4b547374

static ULONG NtWordsLine;

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
	CHECK(ROUND_TO_PAGES(Length) == 2 * 4096);
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
	ULONG length = 4096 + 1;
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

static VOID NtWordsInterlockedBit(VOID)
{
	LONG words[2] = { 0, 0 };
	LONG64 wide = 0;

	CHECK(!InterlockedBitTestAndSet(words, 31));
	CHECK(InterlockedBitTestAndSet(words, 31));
	CHECK(InterlockedBitTestAndReset(words, 31));
	CHECK(!InterlockedBitTestAndReset(words, 31));
	CHECK(!InterlockedBitTestAndSet(words, 3));
	CHECK(!InterlockedBitTestAndSet(words, 32));
	CHECK(words[0] == 8 && words[1] == 1);

	CHECK(!InterlockedBitTestAndSet64(&wide, 40));
	CHECK(InterlockedBitTestAndSet64(&wide, 40));
	CHECK(wide == 1LL << 40);
	CHECK(InterlockedBitTestAndReset64(&wide, 40));
	CHECK(!InterlockedBitTestAndReset64(&wide, 40));
	CHECK(!wide);
}

#ifdef __KERNEL__
static VOID NtWordsInterlocked16(VOID)
{
	SHORT words[2] = { 0x7fff, 1 };

	CHECK(InterlockedIncrement16(&words[0]) == -0x8000);
	CHECK(InterlockedDecrement16(&words[0]) == 0x7fff);
	CHECK(InterlockedExchange16(&words[0], 5) == 0x7fff);
	CHECK(InterlockedCompareExchange16(&words[0], 6, 4) == 5);
	CHECK(InterlockedCompareExchange16(&words[0], -1, 5) == 5);
	CHECK(InterlockedIncrement16(&words[0]) == 0);
	CHECK(InterlockedDecrement16(&words[0]) == -1);
	/* The other half of the 32 bits is not touched. */
	CHECK(words[0] == -1 && words[1] == 1);
}

static VOID NtWordsInterlockedOrder(VOID)
{
	LONG word = 0;

	CHECK(InterlockedIncrementAcquire(&word) == 1);
	CHECK(InterlockedIncrementRelease(&word) == 2);
	CHECK(InterlockedIncrementNoFence(&word) == 3);
	CHECK(InterlockedDecrementAcquire(&word) == 2);
	CHECK(InterlockedDecrementRelease(&word) == 1);
	CHECK(InterlockedDecrementNoFence(&word) == 0);
	CHECK(InterlockedAddAcquire(&word, 2) == 2);
	CHECK(InterlockedAddRelease(&word, 2) == 4);
	CHECK(InterlockedAddNoFence(&word, 2) == 6);
	CHECK(InterlockedExchangeAddAcquire(&word, 2) == 6);
	CHECK(InterlockedExchangeAddRelease(&word, 2) == 8);
	CHECK(InterlockedExchangeAddNoFence(&word, 2) == 10);
	CHECK(InterlockedCompareExchangeAcquire(&word, 1, 12) == 12);
	CHECK(InterlockedCompareExchangeRelease(&word, 2, 1) == 1);
	CHECK(InterlockedCompareExchangeNoFence(&word, 3, 2) == 2);
	CHECK(InterlockedExchangeAcquire(&word, 4) == 3);
	CHECK(InterlockedExchangeNoFence(&word, 7) == 4);
	CHECK(InterlockedAndAcquire(&word, 6) == 7);
	CHECK(InterlockedAndRelease(&word, 5) == 6);
	CHECK(InterlockedAndNoFence(&word, 0) == 4);
	CHECK(InterlockedOrAcquire(&word, 1) == 0);
	CHECK(InterlockedOrRelease(&word, 2) == 1);
	CHECK(InterlockedOrNoFence(&word, 4) == 3);
	CHECK(InterlockedXorAcquire(&word, 1) == 7);
	CHECK(InterlockedXorRelease(&word, 2) == 6);
	CHECK(InterlockedXorNoFence(&word, 4) == 4);
	CHECK(!InterlockedBitTestAndSetAcquire(&word, 0));
	CHECK(InterlockedBitTestAndSetRelease(&word, 0));
	CHECK(InterlockedBitTestAndResetAcquire(&word, 0));
	CHECK(!InterlockedBitTestAndResetRelease(&word, 0));
	CHECK(!word);
}

static VOID NtWordsInterlockedOrder64(VOID)
{
	LONG64 word = 1LL << 40;
	PVOID pointer = NULL;

	CHECK(InterlockedIncrementAcquire64(&word) == (1LL << 40) + 1);
	CHECK(InterlockedIncrementRelease64(&word) == (1LL << 40) + 2);
	CHECK(InterlockedIncrementNoFence64(&word) == (1LL << 40) + 3);
	CHECK(InterlockedDecrementAcquire64(&word) == (1LL << 40) + 2);
	CHECK(InterlockedDecrementRelease64(&word) == (1LL << 40) + 1);
	CHECK(InterlockedDecrementNoFence64(&word) == 1LL << 40);
	CHECK(InterlockedAddAcquire64(&word, 1) == (1LL << 40) + 1);
	CHECK(InterlockedAddRelease64(&word, 1) == (1LL << 40) + 2);
	CHECK(InterlockedAddNoFence64(&word, 1) == (1LL << 40) + 3);
	CHECK(InterlockedExchangeAddAcquire64(&word, -1) == (1LL << 40) + 3);
	CHECK(InterlockedExchangeAddRelease64(&word, -1) == (1LL << 40) + 2);
	CHECK(InterlockedExchangeAddNoFence64(&word, -1) == (1LL << 40) + 1);
	CHECK(InterlockedCompareExchangeAcquire64(&word, 1LL << 41, 1LL << 40) == 1LL << 40);
	CHECK(InterlockedCompareExchangeRelease64(&word, 1LL << 42, 1LL << 41) == 1LL << 41);
	CHECK(InterlockedCompareExchangeNoFence64(&word, 1LL << 43, 1LL << 42) == 1LL << 42);
	CHECK(InterlockedExchangeAcquire64(&word, 1LL << 44) == 1LL << 43);
	CHECK(InterlockedExchangeNoFence64(&word, 7LL << 40) == 1LL << 44);
	CHECK(InterlockedAnd64Acquire(&word, 6LL << 40) == 7LL << 40);
	CHECK(InterlockedAnd64Release(&word, 5LL << 40) == 6LL << 40);
	CHECK(InterlockedAnd64NoFence(&word, 0) == 4LL << 40);
	CHECK(InterlockedOr64Acquire(&word, 1LL << 40) == 0);
	CHECK(InterlockedOr64Release(&word, 2LL << 40) == 1LL << 40);
	CHECK(InterlockedOr64NoFence(&word, 4LL << 40) == 3LL << 40);
	CHECK(InterlockedXor64Acquire(&word, 1LL << 40) == 7LL << 40);
	CHECK(InterlockedXor64Release(&word, 2LL << 40) == 6LL << 40);
	CHECK(InterlockedXor64NoFence(&word, 4LL << 40) == 4LL << 40);
	CHECK(!word);

	CHECK(!InterlockedExchangePointerAcquire(&pointer, &word));
	CHECK(InterlockedExchangePointerNoFence(&pointer, NULL) == &word);
	CHECK(!InterlockedCompareExchangePointerAcquire(&pointer, &word, NULL));
	CHECK(InterlockedCompareExchangePointerRelease(&pointer, NULL, NULL) == &word);
	CHECK(InterlockedCompareExchangePointerNoFence(&pointer, NULL, &word) == &word);
	CHECK(!pointer);
}
#endif

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

static PVOID NtWordsAllocateEx(POOL_TYPE Type, SIZE_T Bytes, ULONG Tag,
			       PLOOKASIDE_LIST_EX Lookaside)
{
	CHECK(Type == (NonPagedPoolNx | POOL_QUOTA_FAIL_INSTEAD_OF_RAISE));
	CHECK(Bytes == 100 && Tag == TAG && Lookaside);
	return ExAllocatePoolWithTag(NonPagedPoolNx, Bytes, Tag);
}

static VOID NtWordsFreeEx(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside)
{
	CHECK(Lookaside);
	ExFreePool(Buffer);
}

static VOID NtWordsLookasideEx(VOID)
{
	PALLOCATE_FUNCTION_EX allocate = NtWordsAllocateEx;
	PFREE_FUNCTION_EX release = NtWordsFreeEx;
	LOOKASIDE_LIST_EX list;
	PVOID entry;

	CHECK(ExInitializeLookasideListEx(&list, allocate, release, NonPagedPoolNx,
					  EX_LOOKASIDE_LIST_EX_FLAGS_FAIL_NO_RAISE, 100,
					  TAG, 0) == STATUS_SUCCESS);
	entry = ExAllocateFromLookasideListEx(&list);
	CHECK(entry);
	if (entry)
		ExFreeToLookasideListEx(&list, entry);
	ExFlushLookasideListEx(&list);
	ExDeleteLookasideListEx(&list);
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

static VOID NtWordsSList(VOID)
{
	DECLSPEC_ALIGN(MEMORY_ALLOCATION_ALIGNMENT) SLIST_HEADER head;
	SLIST_ENTRY a, b, c;
	KSPIN_LOCK lock;

	KeInitializeSpinLock(&lock);
	InitializeSListHead(&head);
	CHECK(!QueryDepthSList(&head));
	CHECK(!InterlockedPopEntrySList(&head));
	CHECK(!InterlockedFlushSList(&head));
	CHECK(!InterlockedPushEntrySList(&head, &a));
	CHECK(InterlockedPushEntrySList(&head, &b) == &a);
	CHECK(ExInterlockedPushEntrySList(&head, &c, &lock) == &b);
	CHECK(QueryDepthSList(&head) == 3 && ExQueryDepthSList(&head) == 3);
	CHECK(InterlockedPopEntrySList(&head) == &c);
	CHECK(ExInterlockedPopEntrySList(&head, &lock) == &b);
	CHECK(QueryDepthSList(&head) == 1);
	CHECK(InterlockedPushEntrySList(&head, &b) == &a);
	CHECK(InterlockedFlushSList(&head) == &b);
	CHECK(b.Next == &a && !a.Next);
	CHECK(!QueryDepthSList(&head));
	CHECK(!ExInterlockedFlushSList(&head));

	ExInitializeSListHead(&head);
	CHECK(!InterlockedPopEntrySList(&head));
}

ULONG NtWords(VOID)
{
	NtWordsLine = 0;
	NtWordsMdl();
	NtWordsEvent();
	NtWordsLock();
	NtWordsInterlocked();
	NtWordsInterlockedBit();
#ifdef __KERNEL__
	NtWordsInterlocked16();
	NtWordsInterlockedOrder();
	NtWordsInterlockedOrder64();
#endif
	NtWordsMemory();
	NtWordsLookasideEx();
	NtWordsTime();
	NtWordsString();
	NtWordsWork();
	NtWordsList();
	NtWordsSList();
	NT_ASSERT(!NtWordsLine);
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "nt words: %u\n", NtWordsLine);
	if (NtWordsLine == 0xffffffff)
		KeBugCheckEx(NtWordsLine, 1, 2, 3, 4);
	return NtWordsLine;
}
