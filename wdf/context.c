// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts: a driver's own memory in framework objects, found by its type. An object may
 * have several; each comes with callbacks of its own.
 */
#include <linux/export.h>
#include <linux/string.h>

#include "framework.h"

/* Guards the end of each object's list. */
static DEFINE_SPINLOCK(wdf_context_lock);

/* Each source file of a driver has a structure of its own for a type. */
static bool wdf_context_is(const struct wdf_context *context,
			   PCWDF_OBJECT_CONTEXT_TYPE_INFO info)
{
	return context->info == info ||
	       (context->info && context->info->ContextSize == info->ContextSize &&
		!strcmp(context->info->ContextName, info->ContextName));
}

static struct wdf_context *wdf_context_find(struct wdf_object *obj,
					    PCWDF_OBJECT_CONTEXT_TYPE_INFO info)
{
	struct wdf_context *const *at = &obj->contexts, *context;

	/* Pairs with the release where one is appended. */
	while ((context = smp_load_acquire(at))) {
		if (wdf_context_is(context, info))
			return context;
		at = &context->next;
	}
	return NULL;
}

/* A context that is in no list yet. */
NTSTATUS wdf_context_make(struct wdf_object *obj, PWDF_OBJECT_ATTRIBUTES attributes,
			  struct wdf_context **context)
{
	PCWDF_OBJECT_CONTEXT_TYPE_INFO info = attributes->ContextTypeInfo;
	struct wdf_context *fresh;
	size_t size = 0;

	if (info) {
		size = attributes->ContextSizeOverride ?: info->ContextSize;
		if (size < info->ContextSize)
			return STATUS_INVALID_PARAMETER;
	}
	fresh = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*fresh) + size, WDF_POOL_TAG);
	if (!fresh)
		return STATUS_INSUFFICIENT_RESOURCES;

	fresh->object = obj;
	fresh->info = info;
	fresh->cleanup = attributes->EvtCleanupCallback;
	fresh->destroy = attributes->EvtDestroyCallback;
	*context = fresh;
	return STATUS_SUCCESS;
}

/**
 * WdfObjectAllocateContext() - give an object one more context
 * @Handle: the object
 * @ContextAttributes: the context's type, and the callbacks for it
 * @Context: the context, all zero; may be NULL
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_OBJECT_NAME_EXISTS: a success: it had one of the type, which is @Context
 *  - STATUS_INVALID_PARAMETER: there is no type, or a parent, in @ContextAttributes
 *  - STATUS_DELETE_PENDING: the object is being deleted
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS WdfObjectAllocateContext(WDFOBJECT Handle, PWDF_OBJECT_ATTRIBUTES ContextAttributes,
				  PVOID *Context)
{
	struct wdf_object *obj = wdf_object_from_handle(Handle, _RET_IP_);
	struct wdf_context *fresh, *old, **end;
	unsigned long flags;
	NTSTATUS status;

	if (!obj)
		return STATUS_INVALID_HANDLE;
	if (!ContextAttributes || !ContextAttributes->ContextTypeInfo ||
	    ContextAttributes->ParentObject)
		return STATUS_INVALID_PARAMETER;
	if (READ_ONCE(obj->deleted))
		return STATUS_DELETE_PENDING;
	status = wdf_context_make(obj, ContextAttributes, &fresh);
	if (!NT_SUCCESS(status))
		return status;

	spin_lock_irqsave(&wdf_context_lock, flags);
	old = wdf_context_find(obj, fresh->info);
	if (!old) {
		for (end = &obj->contexts; *end; end = &(*end)->next)
			;
		/* All of it before it can be found. */
		smp_store_release(end, fresh);
	}
	spin_unlock_irqrestore(&wdf_context_lock, flags);

	if (Context)
		*Context = old ? old->data : fresh->data;
	if (!old)
		return STATUS_SUCCESS;
	ExFreePool(fresh);
	return STATUS_OBJECT_NAME_EXISTS;
}
EXPORT_SYMBOL_GPL(WdfObjectAllocateContext);

/**
 * WdfObjectGetTypedContextWorker() - the context of a type that an object has
 * @Handle: the object
 * @TypeInfo: the type
 *
 * What WDF_DECLARE_CONTEXT_TYPE() and WdfObjectGetTypedContext() call.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the context, NULL if there is none.
 */
PVOID WdfObjectGetTypedContextWorker(WDFOBJECT Handle, PCWDF_OBJECT_CONTEXT_TYPE_INFO TypeInfo)
{
	struct wdf_object *obj = wdf_object_from_handle(Handle, _RET_IP_);
	struct wdf_context *context = obj ? wdf_context_find(obj, TypeInfo) : NULL;

	return context ? context->data : NULL;
}
EXPORT_SYMBOL_GPL(WdfObjectGetTypedContextWorker);

/**
 * WdfObjectContextGetObject() - the object that has a context
 * @ContextPointer: the context
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the object's handle.
 */
WDFOBJECT WdfObjectContextGetObject(PVOID ContextPointer)
{
	return wdf_body(container_of(ContextPointer, struct wdf_context, data[0])->object);
}
EXPORT_SYMBOL_GPL(WdfObjectContextGetObject);

void wdf_contexts_cleanup(struct wdf_object *obj)
{
	struct wdf_context *context;

	for (context = obj->contexts; context; context = context->next)
		if (context->cleanup)
			context->cleanup(wdf_body(obj));
}

void wdf_contexts_destroy(struct wdf_object *obj)
{
	struct wdf_context *context;

	for (context = obj->contexts; context; context = context->next)
		if (context->destroy)
			context->destroy(wdf_body(obj));
}

void wdf_contexts_free(struct wdf_object *obj)
{
	struct wdf_context *context, *next;

	for (context = obj->contexts; context; context = next) {
		next = context->next;
		ExFreePool(context);
	}
}
