// SPDX-License-Identifier: GPL-2.0
/*
 * Framework objects: made, referenced, and deleted with all that is below them.
 *
 * A handle points to what is the kind's own; before it lies a struct wdf_object. Each
 * object but a driver has a parent. Whoever deletes an object takes it out of the tree,
 * with its children, at once; then
 *
 *	1. from the children up, each is stopped and has its EvtCleanupCallback called;
 *	2. from the children up, each loses the reference that it was made with. With the
 *	   last one EvtDestroyCallback is called, and the memory freed.
 *
 * What cannot be done where the caller is, at DISPATCH_LEVEL or in a callback of one of
 * the objects, is done by a work item.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/wait_bit.h>

#include "framework.h"

/* Guards who is whose child, and who is deleted. Nothing is called under it. */
static DEFINE_SPINLOCK(wdf_tree_lock);

struct workqueue_struct *wdf_wq;
/* Of deletions that were put off: they wait for what runs in the other. */
static struct workqueue_struct *wdf_delete_wq;

static const struct wdf_kind wdf_object_kind = {
	.name = "plain object",
};

/* NULL if it is none, with a line in the log. */
struct wdf_object *wdf_object_from_handle(WDFOBJECT handle, unsigned long caller)
{
	struct wdf_object *obj = handle ? wdf_object_of(handle) : NULL;

	if (obj && obj->tag == WDF_OBJECT_TAG)
		return obj;
	pr_err_ratelimited("%pS uses the handle of no object\n", (void *)caller);
	return NULL;
}

void *wdf_body_from_handle(void *handle, const struct wdf_kind *kind, unsigned long caller)
{
	struct wdf_object *obj = wdf_object_from_handle(handle, caller);

	if (!obj)
		return NULL;
	if (obj->kind == kind)
		return handle;
	pr_err_ratelimited("%pS uses the handle of a %s as that of a %s\n", (void *)caller,
			   obj->kind->name, kind->name);
	return NULL;
}

/* Gives its own memory back; no callback is called. */
static void wdf_object_free(struct wdf_object *obj)
{
	struct wdf_driver *driver = obj->driver;

	if (obj->kind->free)
		obj->kind->free(wdf_body(obj));
	wdf_contexts_free(obj);
	obj->tag = WDF_DEAD_TAG;
	if (obj->kind->release)
		obj->kind->release(wdf_body(obj));
	else
		ExFreePool(obj);
	if (atomic_dec_and_test(&driver->objects))
		wake_up_var(&driver->objects);
}

static void wdf_object_put(struct wdf_object *obj)
{
	if (!refcount_dec_and_test(&obj->refs))
		return;
	wdf_contexts_destroy(obj);
	wdf_object_free(obj);
}

/* The parent that is asked for, with a reference. */
static NTSTATUS wdf_object_find_parent(const struct wdf_kind *kind,
				       struct linux_kmdf_driver *driver,
				       PWDF_OBJECT_ATTRIBUTES attributes,
				       struct wdf_object **parent)
{
	WDFOBJECT handle = attributes ? attributes->ParentObject : NULL;

	*parent = NULL;
	if (attributes && attributes->Size != sizeof(*attributes))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (kind == &wdf_driver_kind)
		return STATUS_SUCCESS;
	if (handle)
		*parent = wdf_object_from_handle(handle, _RET_IP_);
	else if (driver && driver->driver)
		*parent = driver->driver->object;
	if (!*parent)
		return handle ? STATUS_INVALID_HANDLE : STATUS_WDF_PARENT_NOT_SPECIFIED;
	refcount_inc(&(*parent)->refs);
	return STATUS_SUCCESS;
}

/* What is not said is as for the parent. */
static void wdf_object_inherit(struct wdf_object *obj, struct wdf_object *parent,
			       const WDF_OBJECT_ATTRIBUTES *attributes)
{
	if (parent) {
		obj->device = parent->kind == &wdf_device_kind ? wdf_body(parent) :
								 parent->device;
		obj->passive = parent->passive;
		obj->scope_device = parent->scope_device;
	}
	if (!attributes)
		return;
	if (attributes->ExecutionLevel > WdfExecutionLevelInheritFromParent)
		obj->passive = attributes->ExecutionLevel == WdfExecutionLevelPassive;
	if (attributes->SynchronizationScope > WdfSynchronizationScopeInheritFromParent)
		obj->scope_device = attributes->SynchronizationScope ==
				    WdfSynchronizationScopeDevice;
}

/*
 * Makes an object that nobody sees yet, of a driver, whose body is all zero. What of it
 * may fail comes next; then wdf_object_add() or wdf_object_discard().
 */
NTSTATUS wdf_object_make(const struct wdf_kind *kind, struct linux_kmdf_driver *driver,
			 PWDF_OBJECT_ATTRIBUTES attributes, void **body)
{
	struct wdf_object *obj, *parent;
	NTSTATUS status;

	status = wdf_object_find_parent(kind, driver, attributes, &parent);
	if (!NT_SUCCESS(status))
		return status;

	obj = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*obj) + kind->size, WDF_POOL_TAG);
	if (!obj) {
		status = STATUS_INSUFFICIENT_RESOURCES;
		goto put_parent;
	}
	obj->kind = kind;
	obj->parent = parent;
	refcount_set(&obj->refs, 1);
	INIT_LIST_HEAD(&obj->children);
	INIT_LIST_HEAD(&obj->node);
	INIT_LIST_HEAD(&obj->dead);
	wdf_object_inherit(obj, parent, attributes);

	if (attributes && (attributes->ContextTypeInfo || attributes->EvtCleanupCallback ||
			   attributes->EvtDestroyCallback)) {
		status = wdf_context_make(obj, attributes, &obj->contexts);
		if (!NT_SUCCESS(status))
			goto free_object;
	}
	obj->driver = parent ? parent->driver : driver->driver;
	atomic_inc(&obj->driver->objects);
	*body = wdf_body(obj);
	return STATUS_SUCCESS;

free_object:
	ExFreePool(obj);
put_parent:
	if (parent)
		wdf_object_put(parent);
	return status;
}

/* The object was not made after all. */
void wdf_object_discard(void *body)
{
	struct wdf_object *obj = wdf_object_of(body);
	struct wdf_object *parent = obj->parent;

	wdf_object_free(obj);
	if (parent)
		wdf_object_put(parent);
}

static void wdf_object_delete_work(struct work_struct *work);

/* From here on it is there, unless its parent is being deleted: then it is discarded. */
NTSTATUS wdf_object_add(void *body)
{
	struct wdf_object *obj = wdf_object_of(body);
	struct wdf_object *parent = obj->parent;
	unsigned long flags;
	bool late;

	INIT_WORK(&obj->work, wdf_object_delete_work);
	obj->tag = WDF_OBJECT_TAG;
	if (!parent)
		return STATUS_SUCCESS;

	spin_lock_irqsave(&wdf_tree_lock, flags);
	late = parent->deleted;
	if (!late)
		list_add_tail(&obj->node, &parent->children);
	spin_unlock_irqrestore(&wdf_tree_lock, flags);

	if (late) {
		wdf_object_discard(body);
		return STATUS_DELETE_PENDING;
	}
	wdf_object_put(parent);
	return STATUS_SUCCESS;
}

NTSTATUS linux_wdf_object_create(struct linux_kmdf_driver *driver,
				 PWDF_OBJECT_ATTRIBUTES attributes, WDFOBJECT *object)
{
	NTSTATUS status;
	void *body;

	status = wdf_object_make(&wdf_object_kind, driver, attributes, &body);
	if (NT_SUCCESS(status))
		status = wdf_object_add(body);
	if (NT_SUCCESS(status))
		*object = body;
	return status;
}
EXPORT_SYMBOL_GPL(linux_wdf_object_create);

/* Takes the object and all below it out of the tree. False: another thread has. */
static bool wdf_object_condemn(struct wdf_object *root)
{
	struct wdf_object *obj;
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&wdf_tree_lock, flags);
	first = !root->deleted;
	if (first) {
		list_move_tail(&root->node, &root->dead);
		list_for_each_entry(obj, &root->dead, node) {
			WRITE_ONCE(obj->deleted, true);
			list_splice_tail_init(&obj->children, &root->dead);
		}
	}
	spin_unlock_irqrestore(&wdf_tree_lock, flags);
	return first;
}

/* Must some of it be done elsewhere? */
static bool wdf_object_defers(struct wdf_object *root)
{
	bool dispatch = KeGetCurrentIrql() >= DISPATCH_LEVEL;
	struct wdf_object *obj;

	list_for_each_entry(obj, &root->dead, node) {
		if (dispatch && (obj->passive || obj->kind->stop))
			return true;
		if (!dispatch && wdf_object_is_self(wdf_body(obj)))
			return true;
	}
	return false;
}

static void wdf_object_end(struct wdf_object *root)
{
	struct wdf_object *obj, *next;
	LIST_HEAD(dead);

	/* The root is freed on the way. */
	list_splice_init(&root->dead, &dead);
	list_for_each_entry_reverse(obj, &dead, node) {
		if (obj->kind->stop)
			obj->kind->stop(wdf_body(obj));
		wdf_contexts_cleanup(obj);
	}
	list_for_each_entry_safe_reverse(obj, next, &dead, node) {
		list_del_init(&obj->node);
		wdf_object_put(obj);
	}
}

static void wdf_object_delete_work(struct work_struct *work)
{
	wdf_object_end(container_of(work, struct wdf_object, work));
}

void wdf_object_delete(struct wdf_object *obj)
{
	if (!wdf_object_condemn(obj))
		return;
	if (wdf_object_defers(obj))
		queue_work(wdf_delete_wq, &obj->work);
	else
		wdf_object_end(obj);
}

/**
 * WdfObjectDelete() - delete an object and all below it
 * @Object: what the driver has made: not a driver or a device, which are the framework's
 *	to delete
 *
 * An object that is being deleted already is left alone.
 *
 * Context: up to DISPATCH_LEVEL. There, and in a callback of the object, a timer, DPC or
 * work item, or an object whose callbacks are for PASSIVE_LEVEL, is deleted later, by
 * a work item.
 */
VOID WdfObjectDelete(WDFOBJECT Object)
{
	struct wdf_object *obj = wdf_object_from_handle(Object, _RET_IP_);

	if (!obj)
		return;
	if (obj->kind->is_own) {
		pr_err("%pS deletes a %s, which only the framework does\n", (void *)_RET_IP_,
		       obj->kind->name);
		return;
	}
	wdf_object_delete(obj);
}
EXPORT_SYMBOL_GPL(WdfObjectDelete);

/**
 * WdfObjectReference() - keep an object's memory and context
 * @Object: any handle
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfObjectReference(WDFOBJECT Object)
{
	struct wdf_object *obj = wdf_object_from_handle(Object, _RET_IP_);

	if (obj)
		refcount_inc(&obj->refs);
}
EXPORT_SYMBOL_GPL(WdfObjectReference);

/**
 * WdfObjectDereference() - give a reference back
 * @Object: with a reference of WdfObjectReference()
 *
 * With the last one of a deleted object its EvtDestroyCallback is called.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfObjectDereference(WDFOBJECT Object)
{
	struct wdf_object *obj = wdf_object_from_handle(Object, _RET_IP_);

	if (obj)
		wdf_object_put(obj);
}
EXPORT_SYMBOL_GPL(WdfObjectDereference);

/* Deletions that were put off have been done. */
void wdf_objects_flush(void)
{
	flush_workqueue(wdf_delete_wq);
}

int wdf_objects_init(void)
{
	wdf_wq = alloc_workqueue("vmbkmcl_wdf", WQ_UNBOUND | WQ_MEM_RECLAIM, WQ_MAX_ACTIVE);
	if (!wdf_wq)
		return -ENOMEM;
	wdf_delete_wq = alloc_workqueue("vmbkmcl_wdf_delete", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!wdf_delete_wq)
		goto destroy_wq;
	return 0;

destroy_wq:
	destroy_workqueue(wdf_wq);
	return -ENOMEM;
}

void wdf_objects_exit(void)
{
	destroy_workqueue(wdf_delete_wq);
	destroy_workqueue(wdf_wq);
}
