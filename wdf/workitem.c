// SPDX-License-Identifier: GPL-2.0
/* Work items: calls at PASSIVE_LEVEL. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "framework.h"

struct wdf_work_item {
	PFN_WDF_WORKITEM func;
	struct wdf_serial *serial;
	struct work_struct work;
};

static void wdf_work_item_work(struct work_struct *work)
{
	struct wdf_work_item *item = container_of(work, struct wdf_work_item, work);

	/* The callback may delete the item, which is later done by another one. */
	wdf_object_runs(item, true);
	wdf_serial_enter(item->serial);
	item->func((WDFWORKITEM)item);
	wdf_serial_leave(item->serial);
	wdf_object_runs(item, false);
}

/* What is queued still runs, as on Windows. */
static void wdf_work_item_stop(void *body)
{
	struct wdf_work_item *item = body;

	flush_work(&item->work);
	/* Its function may have queued it once more, before it could see that. */
	cancel_work_sync(&item->work);
}

static const struct wdf_kind wdf_work_item_kind = {
	.name = "work item",
	.size = sizeof(struct wdf_work_item),
	.stop = wdf_work_item_stop,
};

/**
 * WdfWorkItemCreate() - make a work item
 * @Config: its function, and whether it takes turns with others of the device
 * @Attributes: with a parent, which is a device or below one
 * @WorkItem: the item
 *
 * Context: up to DISPATCH_LEVEL.
 *
 * Return: as WdfTimerCreate().
 */
NTSTATUS WdfWorkItemCreate(PWDF_WORKITEM_CONFIG Config, PWDF_OBJECT_ATTRIBUTES Attributes,
			   WDFWORKITEM *WorkItem)
{
	struct wdf_work_item *item;
	NTSTATUS status;
	void *body;

	if (Config->Size != sizeof(*Config))
		return STATUS_INFO_LENGTH_MISMATCH;
	if (!Config->EvtWorkItemFunc)
		return STATUS_INVALID_PARAMETER;
	status = wdf_object_make(&wdf_work_item_kind, NULL, Attributes, &body);
	if (!NT_SUCCESS(status))
		return status;

	item = body;
	item->func = Config->EvtWorkItemFunc;
	INIT_WORK(&item->work, wdf_work_item_work);
	status = wdf_serial_add(item, Config->AutomaticSerialization, true, &item->serial);
	if (NT_SUCCESS(status))
		*WorkItem = body;
	return status;
}
EXPORT_SYMBOL_GPL(WdfWorkItemCreate);

/**
 * WdfWorkItemEnqueue() - have a work item's function called at PASSIVE_LEVEL
 * @WorkItem: the item. One that is queued already is left so, one that runs is called
 *	again, one that is being deleted is left alone.
 *
 * Context: up to DISPATCH_LEVEL.
 */
VOID WdfWorkItemEnqueue(WDFWORKITEM WorkItem)
{
	struct wdf_work_item *item = wdf_get(WorkItem, &wdf_work_item_kind);

	if (item && !wdf_object_is_deleted(item))
		queue_work(wdf_wq, &item->work);
}
EXPORT_SYMBOL_GPL(WdfWorkItemEnqueue);

/**
 * WdfWorkItemFlush() - wait until a work item has run, if it is queued
 * @WorkItem: the item. In its function this does not wait, with a line in the log.
 *
 * Context: PASSIVE_LEVEL.
 */
VOID WdfWorkItemFlush(WDFWORKITEM WorkItem)
{
	struct wdf_work_item *item = wdf_get(WorkItem, &wdf_work_item_kind);

	if (!item)
		return;
	if (wdf_object_is_self(item))
		pr_err_ratelimited("%pS waits for a work item in its function\n",
				   (void *)_RET_IP_);
	else
		flush_work(&item->work);
}
EXPORT_SYMBOL_GPL(WdfWorkItemFlush);

/**
 * WdfWorkItemGetParentObject() - the parent of a work item
 * @WorkItem: the item
 *
 * Return: the parent.
 */
WDFOBJECT WdfWorkItemGetParentObject(WDFWORKITEM WorkItem)
{
	struct wdf_work_item *item = wdf_get(WorkItem, &wdf_work_item_kind);

	return item ? wdf_object_parent(item) : NULL;
}
EXPORT_SYMBOL_GPL(WdfWorkItemGetParentObject);
