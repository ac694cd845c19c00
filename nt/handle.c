// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are referenced, and their handles: numbers, as on Windows, so that one
 * that is wrong or closed is told from one that is good.
 */
#include <linux/export.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include <ntddk.h>

#include "nt.h"
#include "object.h"

/* In front of each object. */
struct nt_head {
	POBJECT_TYPE type;
	refcount_t references;
	u64 body[];
};

/* Its lock: a handle's object has a reference of the handle's. */
static DEFINE_XARRAY_ALLOC1(nt_handles);

static struct nt_head *nt_head_of(void *body)
{
	return container_of(body, struct nt_head, body);
}

/* At PASSIVE_LEVEL. Zeroes, with a reference. */
void *nt_object_allocate(POBJECT_TYPE type, size_t bytes)
{
	struct nt_head *head = nt_kmalloc(sizeof(*head) + bytes, __GFP_ZERO);

	if (!head)
		return NULL;
	head->type = type;
	refcount_set(&head->references, 1);
	return head->body;
}

/* At PASSIVE_LEVEL. The handle takes over the caller's reference, if there is one. */
NTSTATUS nt_handle_open(void *body, HANDLE *handle)
{
	u32 number;

	/* Handles are multiples of 4. */
	if (xa_alloc(&nt_handles, &number, nt_head_of(body), XA_LIMIT(1, S32_MAX / 4),
		     GFP_NOIO | __GFP_NOWARN))
		return STATUS_INSUFFICIENT_RESOURCES;
	*handle = (HANDLE)(ULONG_PTR)(number * 4);
	return STATUS_SUCCESS;
}

static unsigned long nt_handle_number(HANDLE handle)
{
	return (ULONG_PTR)handle % 4 ? 0 : (ULONG_PTR)handle / 4;
}

/**
 * ZwClose() - close a handle
 * @Handle: of a system thread or of a key. The object lives on while it is referenced,
 *	and a thread while it runs.
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_HANDLE: no handle, or one that is closed
 */
NTSTATUS ZwClose(HANDLE Handle)
{
	struct nt_head *head = xa_erase(&nt_handles, nt_handle_number(Handle));

	if (!head)
		return STATUS_INVALID_HANDLE;
	ObfDereferenceObject(head->body);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(ZwClose);

/**
 * ObReferenceObjectByHandle() - the object of a handle, with a reference
 * @Handle: the handle
 * @DesiredAccess: not looked at: all may be done
 * @ObjectType: of what type it has to be, as *PsThreadType; NULL: any
 * @AccessMode: not looked at
 * @Object: where the object goes
 * @HandleInformation: NULL
 *
 * Context: PASSIVE_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS: it has to be given back by ObDereferenceObject()
 *  - STATUS_INVALID_HANDLE
 *  - STATUS_OBJECT_TYPE_MISMATCH
 */
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
				   POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
				   PVOID *Object,
				   POBJECT_HANDLE_INFORMATION HandleInformation)
{
	struct nt_head *head;

	xa_lock(&nt_handles);
	head = xa_load(&nt_handles, nt_handle_number(Handle));
	if (head && (!ObjectType || head->type == ObjectType))
		refcount_inc(&head->references);
	xa_unlock(&nt_handles);

	if (!head)
		return STATUS_INVALID_HANDLE;
	if (ObjectType && head->type != ObjectType)
		return STATUS_OBJECT_TYPE_MISMATCH;
	*Object = head->body;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(ObReferenceObjectByHandle);

/**
 * ObfReferenceObject() - take a reference to an object
 * @Object: a system thread. Not what KeGetCurrentThread() tells of other threads.
 *
 * Also known as ObReferenceObject().
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: not to be looked at.
 */
LONG_PTR ObfReferenceObject(PVOID Object)
{
	struct nt_head *head = nt_head_of(Object);

	refcount_inc(&head->references);
	return refcount_read(&head->references);
}
EXPORT_SYMBOL_GPL(ObfReferenceObject);

/**
 * ObfDereferenceObject() - give back a reference to an object
 * @Object: the object, which may be gone then
 *
 * Also known as ObDereferenceObject().
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: 0 if it is gone, else not to be looked at.
 */
LONG_PTR ObfDereferenceObject(PVOID Object)
{
	struct nt_head *head = nt_head_of(Object);

	if (!refcount_dec_and_test(&head->references))
		return 1;
	if (head->type->end)
		head->type->end(Object);
	kfree(head);
	return 0;
}
EXPORT_SYMBOL_GPL(ObfDereferenceObject);
