/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The kernel-mode words that a KMCL client uses. What is one Linux call is an
 * inline function here; what needs more is declared here and lives in nt/.
 */
#ifndef _NT_WDM_H
#define _NT_WDM_H

#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <ntdef.h>
#include <ntstatus.h>

#include <nt_irql.h>
#include <nt_mdl.h>

/* A Windows device object stands for the Linux device of the same driver. */
struct device;
typedef struct device DEVICE_OBJECT, *PDEVICE_OBJECT;

/* How every table begins that one driver hands to another. */
typedef VOID INTERFACE_REFERENCE(PVOID Context);
typedef VOID INTERFACE_DEREFERENCE(PVOID Context);
typedef INTERFACE_REFERENCE *PINTERFACE_REFERENCE;
typedef INTERFACE_DEREFERENCE *PINTERFACE_DEREFERENCE;

typedef struct _INTERFACE {
	USHORT Size;
	USHORT Version;
	PVOID Context;
	PINTERFACE_REFERENCE InterfaceReference;
	PINTERFACE_DEREFERENCE InterfaceDereference;
} INTERFACE, *PINTERFACE;

C_ASSERT(sizeof(INTERFACE) == 32);

/* Memory */

#define RtlZeroMemory(destination, length)	\
	memset((destination), 0, (length))
#define RtlFillMemory(destination, length, fill)	\
	memset((destination), (fill), (length))
#define RtlCopyMemory(destination, source, length)	\
	memcpy((destination), (source), (length))
#define RtlMoveMemory(destination, source, length)	\
	memmove((destination), (source), (length))
#define RtlEqualMemory(a, b, length)	\
	(!memcmp((a), (b), (length)))

/* Unlike memcmp(), this tells how many bytes are equal from the start on. */
static inline SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2,
				      SIZE_T Length)
{
	const UCHAR *a = Source1;
	const UCHAR *b = Source2;
	SIZE_T equal = 0;

	while (equal < Length && a[equal] == b[equal])
		equal++;
	return equal;
}

typedef enum _POOL_TYPE {
	NonPagedPool = 0,
	PagedPool = 1,
	NonPagedPoolNx = 512,
} POOL_TYPE;

/*
 * Windows allows this up to DISPATCH_LEVEL and a caller does not say where it
 * is, so this never sleeps, whatever the pool. Tags are not kept.
 */
static inline PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType,
					  SIZE_T NumberOfBytes, ULONG Tag)
{
	UNREFERENCED_PARAMETER(PoolType);
	UNREFERENCED_PARAMETER(Tag);
	return kmalloc(NumberOfBytes, GFP_ATOMIC | __GFP_NOWARN);
}

static inline VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	UNREFERENCED_PARAMETER(Tag);
	kfree(P);
}

static inline VOID ExFreePool(PVOID P)
{
	kfree(P);
}

/* Interlocked operations: full barriers on both systems */

static inline LONG InterlockedIncrement(LONG volatile *Addend)
{
	return atomic_inc_return((atomic_t *)Addend);
}

static inline LONG InterlockedDecrement(LONG volatile *Addend)
{
	return atomic_dec_return((atomic_t *)Addend);
}

static inline LONG InterlockedExchange(LONG volatile *Target, LONG Value)
{
	return atomic_xchg((atomic_t *)Target, Value);
}

static inline LONG InterlockedExchangeAdd(LONG volatile *Addend, LONG Value)
{
	return atomic_fetch_add(Value, (atomic_t *)Addend);
}

/* Mind the order of the last two: it is the reverse of cmpxchg()'s. */
static inline LONG InterlockedCompareExchange(LONG volatile *Destination,
					      LONG Exchange, LONG Comparand)
{
	return atomic_cmpxchg((atomic_t *)Destination, Comparand, Exchange);
}

C_ASSERT(sizeof(LONG) == sizeof(atomic_t));

/* Doubly linked lists: the head is an entry that belongs to no record */

static inline VOID InitializeListHead(PLIST_ENTRY ListHead)
{
	ListHead->Flink = ListHead;
	ListHead->Blink = ListHead;
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
	return ListHead->Flink == ListHead;
}

static inline VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	Entry->Flink = ListHead->Flink;
	Entry->Blink = ListHead;
	ListHead->Flink->Blink = Entry;
	ListHead->Flink = Entry;
}

static inline VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	InsertHeadList(ListHead->Blink, Entry);
}

/* Tells whether the list is empty now. */
static inline BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
	Entry->Blink->Flink = Entry->Flink;
	Entry->Flink->Blink = Entry->Blink;
	return Entry->Flink == Entry->Blink;
}

static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY entry = ListHead->Flink;

	RemoveEntryList(entry);
	return entry;
}

static inline PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY entry = ListHead->Blink;

	RemoveEntryList(entry);
	return entry;
}

/* Strings */

static inline VOID RtlInitUnicodeString(PUNICODE_STRING DestinationString,
					PCWSTR SourceString)
{
	/* The longest even length that leaves room for the final zero. */
	const USHORT limit = 0xfffe - sizeof(WCHAR);
	USHORT length = 0;

	DestinationString->Buffer = (PWCH)SourceString;
	DestinationString->Length = 0;
	DestinationString->MaximumLength = 0;
	if (!SourceString)
		return;

	while (length < limit && SourceString[length / sizeof(WCHAR)])
		length += sizeof(WCHAR);
	DestinationString->Length = length;
	DestinationString->MaximumLength = length + sizeof(WCHAR);
}

/*
 * Debug output goes to the kernel log. The component is not looked at, and
 * the format is Linux' own (no %wZ).
 */
#define DPFLTR_IHVDRIVER_ID	77
#define DPFLTR_DEFAULT_ID	101

#define DPFLTR_ERROR_LEVEL	0
#define DPFLTR_WARNING_LEVEL	1
#define DPFLTR_TRACE_LEVEL	2
#define DPFLTR_INFO_LEVEL	3

#define DbgPrintEx(component, level, format, ...)			\
	((void)(component),						\
	 (level) == DPFLTR_ERROR_LEVEL ? pr_err(format, ##__VA_ARGS__) : \
	 (level) == DPFLTR_WARNING_LEVEL ? pr_warn(format, ##__VA_ARGS__) : \
	 pr_info(format, ##__VA_ARGS__))

#define DbgPrint(format, ...)	pr_info(format, ##__VA_ARGS__)

#endif /* _NT_WDM_H */
