// SPDX-License-Identifier: GPL-2.0
/* Collections: lists of objects, each with a reference. */
#include <linux/export.h>
#include <linux/list.h>

#include "framework.h"

struct wdf_item {
	struct list_head node;
	WDFOBJECT object;	/* a reference is held */
};

struct wdf_collection {
	spinlock_t lock;	/* guards the next two */
	struct list_head items;
	ULONG count;
};

static void wdf_item_free(struct wdf_item *item)
{
	if (!item)
		return;
	WdfObjectDereference(item->object);
	ExFreePool(item);
}

static void wdf_collection_free(void *body)
{
	struct wdf_collection *c = body;
	struct wdf_item *item, *next;

	list_for_each_entry_safe(item, next, &c->items, node)
		wdf_item_free(item);
}

static const struct wdf_kind wdf_collection_kind = {
	.name = "collection",
	.size = sizeof(struct wdf_collection),
	.free = wdf_collection_free,
};

/* What WdfCollectionCreate() calls. */
NTSTATUS linux_wdf_collection_create(struct linux_kmdf_driver *driver,
				     PWDF_OBJECT_ATTRIBUTES attributes,
				     WDFCOLLECTION *collection)
{
	struct wdf_collection *c;
	NTSTATUS status;
	void *body;

	status = wdf_object_make(&wdf_collection_kind, driver, attributes, &body);
	if (!NT_SUCCESS(status))
		return status;
	c = body;
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->items);
	status = wdf_object_add(body);
	if (NT_SUCCESS(status))
		*collection = body;
	return status;
}
EXPORT_SYMBOL_GPL(linux_wdf_collection_create);

/**
 * WdfCollectionAdd() - put an object behind the last of a collection
 * @Collection: the collection
 * @Object: any object; it may be there several times. A reference is held.
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return:
 *  - STATUS_SUCCESS
 *  - STATUS_INVALID_HANDLE: one of them is none (this project's decision)
 *  - STATUS_INSUFFICIENT_RESOURCES
 */
NTSTATUS WdfCollectionAdd(WDFCOLLECTION Collection, WDFOBJECT Object)
{
	struct wdf_collection *c = wdf_get(Collection, &wdf_collection_kind);
	struct wdf_item *item;
	unsigned long flags;

	if (!c || !wdf_object_from_handle(Object, _RET_IP_))
		return STATUS_INVALID_HANDLE;
	item = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*item), WDF_POOL_TAG);
	if (!item)
		return STATUS_INSUFFICIENT_RESOURCES;

	item->object = Object;
	WdfObjectReference(Object);
	spin_lock_irqsave(&c->lock, flags);
	list_add_tail(&item->node, &c->items);
	c->count++;
	spin_unlock_irqrestore(&c->lock, flags);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(WdfCollectionAdd);

/* The item at a place or, where @object is not NULL, the first of that object. */
static struct wdf_item *wdf_collection_find(struct wdf_collection *c, ULONG index,
					    WDFOBJECT object)
{
	struct wdf_item *item;

	lockdep_assert_held(&c->lock);
	list_for_each_entry(item, &c->items, node) {
		if (object ? item->object == object : !index--)
			return item;
	}
	return NULL;
}

static void wdf_collection_take(struct wdf_collection *c, ULONG index, WDFOBJECT object)
{
	struct wdf_item *item;
	unsigned long flags;

	spin_lock_irqsave(&c->lock, flags);
	item = wdf_collection_find(c, index, object);
	if (item) {
		list_del(&item->node);
		c->count--;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	wdf_item_free(item);
}

/**
 * WdfCollectionRemove() - take an object out of a collection
 * @Collection: the collection
 * @Item: the object; the first, if it is there several times
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfCollectionRemove(WDFCOLLECTION Collection, WDFOBJECT Item)
{
	struct wdf_collection *c = wdf_get(Collection, &wdf_collection_kind);

	if (c && Item)
		wdf_collection_take(c, 0, Item);
}
EXPORT_SYMBOL_GPL(WdfCollectionRemove);

/**
 * WdfCollectionRemoveItem() - take the object at a place out of a collection
 * @Collection: the collection
 * @Index: from 0 on
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfCollectionRemoveItem(WDFCOLLECTION Collection, ULONG Index)
{
	struct wdf_collection *c = wdf_get(Collection, &wdf_collection_kind);

	if (c)
		wdf_collection_take(c, Index, NULL);
}
EXPORT_SYMBOL_GPL(WdfCollectionRemoveItem);

/**
 * WdfCollectionGetItem() - the object at a place
 * @Collection: the collection
 * @Index: from 0 on
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: the object, without a reference, NULL if there is none.
 */
WDFOBJECT WdfCollectionGetItem(WDFCOLLECTION Collection, ULONG Index)
{
	struct wdf_collection *c = wdf_get(Collection, &wdf_collection_kind);
	WDFOBJECT object = NULL;
	struct wdf_item *item;
	unsigned long flags;

	if (!c)
		return NULL;
	spin_lock_irqsave(&c->lock, flags);
	item = wdf_collection_find(c, Index, NULL);
	if (item)
		object = item->object;
	spin_unlock_irqrestore(&c->lock, flags);
	return object;
}
EXPORT_SYMBOL_GPL(WdfCollectionGetItem);

/**
 * WdfCollectionGetFirstItem() - the first object
 * @Collection: the collection
 *
 * Return: as WdfCollectionGetItem().
 */
WDFOBJECT WdfCollectionGetFirstItem(WDFCOLLECTION Collection)
{
	return WdfCollectionGetItem(Collection, 0);
}
EXPORT_SYMBOL_GPL(WdfCollectionGetFirstItem);

/**
 * WdfCollectionGetLastItem() - the last object
 * @Collection: the collection
 *
 * Return: as WdfCollectionGetItem().
 */
WDFOBJECT WdfCollectionGetLastItem(WDFCOLLECTION Collection)
{
	struct wdf_collection *c = wdf_get(Collection, &wdf_collection_kind);
	WDFOBJECT object = NULL;
	unsigned long flags;

	if (!c)
		return NULL;
	spin_lock_irqsave(&c->lock, flags);
	if (!list_empty(&c->items))
		object = list_last_entry(&c->items, struct wdf_item, node)->object;
	spin_unlock_irqrestore(&c->lock, flags);
	return object;
}
EXPORT_SYMBOL_GPL(WdfCollectionGetLastItem);

/**
 * WdfCollectionGetCount() - how many objects a collection has
 * @Collection: the collection
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: how many.
 */
ULONG WdfCollectionGetCount(WDFCOLLECTION Collection)
{
	struct wdf_collection *c = wdf_get(Collection, &wdf_collection_kind);

	return c ? READ_ONCE(c->count) : 0;
}
EXPORT_SYMBOL_GPL(WdfCollectionGetCount);
