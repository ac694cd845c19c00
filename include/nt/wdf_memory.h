/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Memory, lookaside lists, collections, strings. Part of <wdf.h>; the functions are in
 * wdf/memory.c, wdf/collection.c and wdf/string.c.
 */
#ifndef _NT_WDF_MEMORY_H
#define _NT_WDF_MEMORY_H

#include <ntddk.h>

#include <wdf_object.h>

PVOID WdfMemoryGetBuffer(_In_ WDFMEMORY Memory, _Out_opt_ size_t *BufferSize);
NTSTATUS WdfMemoryAssignBuffer(_In_ WDFMEMORY Memory, _In_ PVOID Buffer,
			       _In_ size_t BufferSize);
NTSTATUS WdfMemoryCopyToBuffer(_In_ WDFMEMORY SourceMemory, _In_ size_t SourceOffset,
			       _Out_writes_bytes_(NumBytesToCopyTo) PVOID Buffer,
			       _In_ size_t NumBytesToCopyTo);
NTSTATUS WdfMemoryCopyFromBuffer(_In_ WDFMEMORY DestinationMemory,
				 _In_ size_t DestinationOffset, _In_ PVOID Buffer,
				 _In_ size_t NumBytesToCopyFrom);
NTSTATUS WdfMemoryCreateFromLookaside(_In_ WDFLOOKASIDE Lookaside, _Out_ WDFMEMORY *Memory);

ULONG WdfCollectionGetCount(_In_ WDFCOLLECTION Collection);
NTSTATUS WdfCollectionAdd(_In_ WDFCOLLECTION Collection, _In_ WDFOBJECT Object);
VOID WdfCollectionRemove(_In_ WDFCOLLECTION Collection, _In_ WDFOBJECT Item);
VOID WdfCollectionRemoveItem(_In_ WDFCOLLECTION Collection, _In_ ULONG Index);
WDFOBJECT WdfCollectionGetItem(_In_ WDFCOLLECTION Collection, _In_ ULONG Index);
WDFOBJECT WdfCollectionGetFirstItem(_In_ WDFCOLLECTION Collection);
WDFOBJECT WdfCollectionGetLastItem(_In_ WDFCOLLECTION Collection);

VOID WdfStringGetUnicodeString(_In_ WDFSTRING String, _Out_ PUNICODE_STRING UnicodeString);

#ifdef __KERNEL__
NTSTATUS linux_wdf_memory_create(struct linux_kmdf_driver *driver,
				 PWDF_OBJECT_ATTRIBUTES attributes, POOL_TYPE type, ULONG tag,
				 size_t size, WDFMEMORY *memory, PVOID *buffer);
NTSTATUS linux_wdf_memory_create_preallocated(struct linux_kmdf_driver *driver,
					      PWDF_OBJECT_ATTRIBUTES attributes,
					      PVOID buffer, size_t size, WDFMEMORY *memory);
NTSTATUS linux_wdf_lookaside_create(struct linux_kmdf_driver *driver,
				    PWDF_OBJECT_ATTRIBUTES attributes, size_t size,
				    POOL_TYPE type,
				    PWDF_OBJECT_ATTRIBUTES memory_attributes, ULONG tag,
				    WDFLOOKASIDE *lookaside);
NTSTATUS linux_wdf_collection_create(struct linux_kmdf_driver *driver,
				     PWDF_OBJECT_ATTRIBUTES attributes,
				     WDFCOLLECTION *collection);
NTSTATUS linux_wdf_string_create(struct linux_kmdf_driver *driver, PCUNICODE_STRING text,
				 PWDF_OBJECT_ATTRIBUTES attributes, WDFSTRING *string);

#define WdfMemoryCreate(attributes, type, tag, size, memory, buffer)	\
	linux_wdf_memory_create(&LINUX_KMDF_DRIVER, attributes, type, tag, size, memory, \
				buffer)
#define WdfMemoryCreatePreallocated(attributes, buffer, size, memory)	\
	linux_wdf_memory_create_preallocated(&LINUX_KMDF_DRIVER, attributes, buffer, size, \
					     memory)
#define WdfLookasideListCreate(attributes, size, type, memory_attributes, tag, lookaside) \
	linux_wdf_lookaside_create(&LINUX_KMDF_DRIVER, attributes, size, type,	\
				   memory_attributes, tag, lookaside)
#define WdfCollectionCreate(attributes, collection)	\
	linux_wdf_collection_create(&LINUX_KMDF_DRIVER, attributes, collection)
#define WdfStringCreate(text, attributes, string)	\
	linux_wdf_string_create(&LINUX_KMDF_DRIVER, text, attributes, string)
#else
NTSTATUS WdfMemoryCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes, _In_ POOL_TYPE PoolType,
			 _In_opt_ ULONG PoolTag, _In_ size_t BufferSize,
			 _Out_ WDFMEMORY *Memory, _Outptr_opt_ PVOID *Buffer);
NTSTATUS WdfMemoryCreatePreallocated(_In_opt_ PWDF_OBJECT_ATTRIBUTES Attributes,
				     _In_ PVOID Buffer, _In_ size_t BufferSize,
				     _Out_ WDFMEMORY *Memory);
NTSTATUS WdfLookasideListCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES LookasideAttributes,
				_In_ size_t BufferSize, _In_ POOL_TYPE PoolType,
				_In_opt_ PWDF_OBJECT_ATTRIBUTES MemoryAttributes,
				_In_opt_ ULONG PoolTag, _Out_ WDFLOOKASIDE *Lookaside);
NTSTATUS WdfCollectionCreate(_In_opt_ PWDF_OBJECT_ATTRIBUTES CollectionAttributes,
			     _Out_ WDFCOLLECTION *Collection);
NTSTATUS WdfStringCreate(_In_opt_ PCUNICODE_STRING UnicodeString,
			 _In_opt_ PWDF_OBJECT_ATTRIBUTES StringAttributes,
			 _Out_ WDFSTRING *String);
#endif

#endif /* _NT_WDF_MEMORY_H */
