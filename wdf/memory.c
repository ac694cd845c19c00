// SPDX-License-Identifier: GPL-2.0
/* Memory objects, and lookaside lists, which make such of one size. */
#include <linux/export.h>
#include <linux/string.h>

#include "framework.h"

struct wdf_memory {
	void *buffer;
	size_t size;
	bool is_own;	/* to be freed with the object */
};

static void wdf_memory_free(void *body)
{
	struct wdf_memory *memory = body;

	if (memory->is_own)
		ExFreePool(memory->buffer);
}

static const struct wdf_kind wdf_memory_kind = {
	.name = "memory",
	.size = sizeof(struct wdf_memory),
	.free = wdf_memory_free,
};

struct wdf_lookaside {
	size_t size;
	POOL_TYPE type;
	ULONG tag;
	WDF_OBJECT_ATTRIBUTES attributes;	/* of the memory */
};

static const struct wdf_kind wdf_lookaside_kind = {
	.name = "lookaside list",
	.size = sizeof(struct wdf_lookaside),
};

/* What WdfMemoryCreate() calls. The buffer is not zeroed. */
NTSTATUS linux_wdf_memory_create(struct linux_kmdf_driver *driver,
				 PWDF_OBJECT_ATTRIBUTES attributes, POOL_TYPE type, ULONG tag,
				 size_t size, WDFMEMORY *memory, PVOID *buffer)
{
	struct wdf_memory *m;
	NTSTATUS status;
	void *body;

	if (!size)
		return STATUS_INVALID_PARAMETER;
	status = wdf_object_make(&wdf_memory_kind, driver, attributes, &body);
	if (!NT_SUCCESS(status))
		return status;
	m = body;
	m->buffer = ExAllocatePoolWithTag(type, size, tag);
	if (!m->buffer) {
		wdf_object_discard(body);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	m->size = size;
	m->is_own = true;
	status = wdf_object_add(body);
	if (!NT_SUCCESS(status))
		return status;
	if (buffer)
		*buffer = m->buffer;
	*memory = body;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(linux_wdf_memory_create);

/* What WdfMemoryCreatePreallocated() calls. The buffer stays the caller's. */
NTSTATUS linux_wdf_memory_create_preallocated(struct linux_kmdf_driver *driver,
					      PWDF_OBJECT_ATTRIBUTES attributes,
					      PVOID buffer, size_t size, WDFMEMORY *memory)
{
	struct wdf_memory *m;
	NTSTATUS status;
	void *body;

	if (!buffer || !size)
		return STATUS_INVALID_PARAMETER;
	status = wdf_object_make(&wdf_memory_kind, driver, attributes, &body);
	if (!NT_SUCCESS(status))
		return status;
	m = body;
	m->buffer = buffer;
	m->size = size;
	status = wdf_object_add(body);
	if (NT_SUCCESS(status))
		*memory = body;
	return status;
}
EXPORT_SYMBOL_GPL(linux_wdf_memory_create_preallocated);

/**
 * WdfMemoryAssignBuffer() - give a memory object another buffer of the caller's
 * @Memory: made by WdfMemoryCreatePreallocated()
 * @Buffer: the buffer
 * @BufferSize: its bytes
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: a handle, buffer or size that cannot be
 */
NTSTATUS WdfMemoryAssignBuffer(WDFMEMORY Memory, PVOID Buffer, size_t BufferSize)
{
	struct wdf_memory *m = wdf_get(Memory, &wdf_memory_kind);

	if (!m || m->is_own || !Buffer || !BufferSize)
		return STATUS_INVALID_PARAMETER;
	m->buffer = Buffer;
	m->size = BufferSize;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(WdfMemoryAssignBuffer);

/**
 * WdfMemoryGetBuffer() - the buffer of a memory object
 * @Memory: the object
 * @BufferSize: the buffer's bytes; may be NULL
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the buffer.
 */
PVOID WdfMemoryGetBuffer(WDFMEMORY Memory, size_t *BufferSize)
{
	struct wdf_memory *m = wdf_get(Memory, &wdf_memory_kind);

	if (BufferSize)
		*BufferSize = m ? m->size : 0;
	return m ? m->buffer : NULL;
}
EXPORT_SYMBOL_GPL(WdfMemoryGetBuffer);

/* All of the bytes are within the buffer. */
static NTSTATUS wdf_memory_check(const struct wdf_memory *m, size_t offset, const void *buffer,
				 size_t bytes)
{
	if (!m || !buffer || !bytes)
		return STATUS_INVALID_PARAMETER;
	if (offset > m->size || bytes > m->size - offset)
		return STATUS_BUFFER_TOO_SMALL;
	return STATUS_SUCCESS;
}

/**
 * WdfMemoryCopyToBuffer() - copy from a memory object
 * @SourceMemory: the object
 * @SourceOffset: where in its buffer to begin
 * @Buffer: where to
 * @NumBytesToCopyTo: how many bytes
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_PARAMETER: a bad handle, NULL, or no bytes
 *  - STATUS_BUFFER_TOO_SMALL: the object does not have that many bytes
 */
NTSTATUS WdfMemoryCopyToBuffer(WDFMEMORY SourceMemory, size_t SourceOffset, PVOID Buffer,
			       size_t NumBytesToCopyTo)
{
	struct wdf_memory *m = wdf_get(SourceMemory, &wdf_memory_kind);
	NTSTATUS status = wdf_memory_check(m, SourceOffset, Buffer, NumBytesToCopyTo);

	if (NT_SUCCESS(status))
		memcpy(Buffer, m->buffer + SourceOffset, NumBytesToCopyTo);
	return status;
}
EXPORT_SYMBOL_GPL(WdfMemoryCopyToBuffer);

/**
 * WdfMemoryCopyFromBuffer() - copy to a memory object
 * @DestinationMemory: the object
 * @DestinationOffset: where in its buffer to begin
 * @Buffer: where from
 * @NumBytesToCopyFrom: how many bytes
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as WdfMemoryCopyToBuffer().
 */
NTSTATUS WdfMemoryCopyFromBuffer(WDFMEMORY DestinationMemory, size_t DestinationOffset,
				 PVOID Buffer, size_t NumBytesToCopyFrom)
{
	struct wdf_memory *m = wdf_get(DestinationMemory, &wdf_memory_kind);
	NTSTATUS status = wdf_memory_check(m, DestinationOffset, Buffer, NumBytesToCopyFrom);

	if (NT_SUCCESS(status))
		memcpy(m->buffer + DestinationOffset, Buffer, NumBytesToCopyFrom);
	return status;
}
EXPORT_SYMBOL_GPL(WdfMemoryCopyFromBuffer);

/* What WdfLookasideListCreate() calls. It keeps nothing: kmalloc() does. */
NTSTATUS linux_wdf_lookaside_create(struct linux_kmdf_driver *driver,
				    PWDF_OBJECT_ATTRIBUTES attributes, size_t size,
				    POOL_TYPE type,
				    PWDF_OBJECT_ATTRIBUTES memory_attributes, ULONG tag,
				    WDFLOOKASIDE *lookaside)
{
	struct wdf_lookaside *list;
	NTSTATUS status;
	void *body;

	if (!size)
		return STATUS_INVALID_PARAMETER;
	status = wdf_object_make(&wdf_lookaside_kind, driver, attributes, &body);
	if (!NT_SUCCESS(status))
		return status;
	list = body;
	list->size = size;
	list->type = type;
	list->tag = tag;
	WDF_OBJECT_ATTRIBUTES_INIT(&list->attributes);
	if (memory_attributes)
		list->attributes = *memory_attributes;
	status = wdf_object_add(body);
	if (NT_SUCCESS(status))
		*lookaside = body;
	return status;
}
EXPORT_SYMBOL_GPL(linux_wdf_lookaside_create);

/**
 * WdfMemoryCreateFromLookaside() - make a memory object of a lookaside list's
 * @Lookaside: the list; the memory belongs to the parent in the list's attributes of memory,
 *	else to the driver, and stays when the list is deleted
 * @Memory: the memory
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_HANDLE: no such list (this project's decision)
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS WdfMemoryCreateFromLookaside(WDFLOOKASIDE Lookaside, WDFMEMORY *Memory)
{
	struct wdf_lookaside *list = wdf_get(Lookaside, &wdf_lookaside_kind);

	if (!list)
		return STATUS_INVALID_HANDLE;
	return linux_wdf_memory_create(wdf_object_of(list)->driver->kmdf, &list->attributes,
				       list->type, list->tag, list->size, Memory, NULL);
}
EXPORT_SYMBOL_GPL(WdfMemoryCreateFromLookaside);
